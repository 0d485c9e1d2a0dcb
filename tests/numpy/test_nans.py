"""Reductions that pass by nan: as NumPy's on arrays, and differentiable."""

import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import xform
import xform.numpy as xnp
from tests.numpy.agreement import arrays, axes, check_agrees, check_derivatives, check_signature

SUMS = [np.nansum, np.nanprod]
MEANS = [np.nanmean, np.nanvar, np.nanstd]
EXTREMES = [np.nanmax, np.nanmin]
POSITIONS = [np.nanargmax, np.nanargmin]
RUNNING = [np.nancumsum, np.nancumprod]
NAMES = {"ids": lambda f: f.__name__}
nan = np.nan
HOLES = np.array([[1.0, nan, -2.0, 0.5], [nan, 3.0, 1.0, 2.0], [0.3, 0.7, nan, nan]])


@pytest.mark.parametrize("f", [*SUMS, *MEANS, *EXTREMES, *POSITIONS, *RUNNING], **NAMES)
def test_signatures_are_numpys(f):
    check_signature(getattr(xnp, f.__name__), f)


with_nan = arrays(["float64", "float32", "complex128", "int64", "bool"], special=False).flatmap(
    lambda a: (
        st.just(a)
        if a.dtype.kind not in "fc"
        else st.builds(
            lambda holes: np.where(np.resize(holes, a.shape), np.asarray(nan, a.dtype), a),
            st.lists(st.booleans(), min_size=1, max_size=7),
        )
    )
)


@given(f=st.sampled_from([*SUMS, *MEANS, *EXTREMES]), a=with_nan, axis=axes, keepdims=st.booleans())
def test_axes_and_keepdims(f, a, axis, keepdims):
    check_agrees(lambda a: f(a, axis=axis, keepdims=keepdims), a)


@given(f=st.sampled_from(POSITIONS), a=with_nan, axis=st.one_of(st.none(), st.integers(-4, 3)), keepdims=st.booleans())
def test_positions(f, a, axis, keepdims):
    check_agrees(lambda a: f(a, axis=axis, keepdims=keepdims), a)


@given(f=st.sampled_from(RUNNING), a=with_nan, axis=st.one_of(st.none(), st.integers(-4, 3)))
def test_running(f, a, axis):
    check_agrees(lambda a: f(a, axis=axis), a)


@pytest.mark.parametrize("f", [*SUMS, *MEANS], **NAMES)
@pytest.mark.parametrize("axis", [None, 0, 1, (0, 1)])
def test_masks_dtypes_and_degrees(f, axis):
    mask = np.array([[True, True, True, False], [False, True, True, True], [True, True, False, True]])
    check_agrees(lambda a: f(a, axis=axis, where=mask), HOLES)
    for dtype in ("f4", "c16", int):
        check_agrees(
            lambda a, d=dtype: f(a, axis=axis, dtype=d), HOLES if dtype is not int or f in MEANS else np.eye(3)
        )
    if f in MEANS[1:]:
        check_agrees(lambda a: f(a, axis=axis, ddof=1), HOLES)
        check_agrees(lambda a: f(a, axis=axis, correction=2), HOLES)
        check_agrees(lambda a: f(a, axis=axis, mean=0.5), HOLES)


@pytest.mark.parametrize("f", EXTREMES, **NAMES)
def test_extremes_with_initial_values_and_masks(f):
    for axis in (None, 0, 1):
        check_agrees(lambda a, axis=axis: f(a, axis=axis, initial=0.5), HOLES)
        check_agrees(lambda a, axis=axis: f(a, axis=axis, initial=0.5, where=[True, False, True, True]), HOLES)
    check_agrees(lambda a: f(a, where=HOLES > 0), HOLES)
    check_agrees(f, np.zeros((0, 2)))


def check_at_holes(f):
    """The derivatives in the entries that are there; in the others they are zero."""
    there = ~np.isnan(HOLES)

    def filled(x):
        return f(xnp.at(xnp.asarray(HOLES))[there].set(x))

    check_derivatives(filled, HOLES[there])
    y, pullback = xform.vjp(f, HOLES)
    assert not np.any(pullback(np.ones_like(y))[0][~there])


@pytest.mark.parametrize("axis", [None, 0, 1, (0, 1)])
@pytest.mark.parametrize("f", [*SUMS, *MEANS, *EXTREMES], **NAMES)
def test_derivatives(f, axis):
    check_at_holes(lambda x: f(x, axis=axis))
    check_derivatives(lambda x: f(x, axis=axis), np.random.default_rng(1).normal(size=(3, 4)))


@pytest.mark.parametrize("f", RUNNING, **NAMES)
def test_derivatives_of_running_sums_and_products(f):
    check_at_holes(lambda x: f(x, axis=1))


def test_a_slice_of_nan_only_gives_nan_and_no_derivative():
    x = np.array([[nan, nan], [1.0, 2.0]])
    for f in (*MEANS, *EXTREMES):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            y, pullback = xform.vjp(lambda x, f=f: f(x, axis=1), x)
            bar = pullback(np.ones(2))[0]
        assert np.isnan(y[0])
        np.testing.assert_array_equal(bar[0], 0)
        assert np.isfinite(bar[1]).all()
