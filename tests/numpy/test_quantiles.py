"""Medians and quantiles: as NumPy's on arrays, and differentiable."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import xform
import xform.numpy as xnp
from tests.numpy.agreement import arrays, axes, check_agrees, check_derivatives, check_signature
from xform.numpy.quantile_places import METHODS

NAMES = {"ids": lambda f: f.__name__}
MEDIANS = [np.median, np.nanmedian]
QUANTILES = [np.quantile, np.nanquantile]
PERCENTILES = [np.percentile, np.nanpercentile]
rng = np.random.default_rng(6)


def spread(*shape):
    """Numbers in a random order, no two of them close, on which the sine is monotonic."""
    n = int(np.prod(shape))
    return (rng.permutation(n) * 2.6 / n - 1.25).reshape(shape)


@pytest.mark.parametrize("f", [*MEDIANS, *QUANTILES, *PERCENTILES], **NAMES)
def test_signatures_are_numpys(f):
    check_signature(getattr(xnp, f.__name__), f)


def cannot_join(a, axis):
    """NumPy joins axes by reshape(..., -1), which fails for an array that is empty for another reason."""
    return a.size == 0 and type(axis) is tuple and len(axis) != 1


with_nan = arrays(["float64", "float32", "int64", "float64"], special=False).flatmap(
    lambda a: (
        st.just(a)
        if a.dtype.kind != "f"
        else st.builds(
            lambda holes: np.where(np.resize(holes, a.shape), np.asarray(np.nan, a.dtype), a),
            st.lists(st.booleans(), min_size=1, max_size=9),
        )
    )
)


@given(f=st.sampled_from(MEDIANS), a=with_nan, axis=axes, keepdims=st.booleans())
def test_medians(f, a, axis, keepdims):
    if not cannot_join(a, axis):
        check_agrees(lambda a: f(a, axis=axis, keepdims=keepdims), a)


@pytest.mark.parametrize("dtype", ["float16", "bool", "int8", "complex64", "complex128"])
@pytest.mark.parametrize("f", MEDIANS, **NAMES)
def test_medians_of_every_dtype(f, dtype):
    x = np.array([[1, 0, 3, 1], [2, 1, 1, 1]], dtype)
    for axis in (None, 0, 1, [0, 1]):
        check_agrees(lambda a, axis=axis: f(a, axis), x)


probabilities = st.sampled_from([0, 1, 0.0, 1.0, 0.25, 0.3, 0.5, np.float32(0.75), [0.2, 0.9], [[0.5], [1.0]], [0, 1]])


@given(
    f=st.sampled_from(QUANTILES),
    a=with_nan,
    q=probabilities,
    axis=axes,
    keepdims=st.booleans(),
    method=st.sampled_from(list(METHODS)),
)
def test_quantiles(f, a, q, axis, keepdims, method):
    if f is np.nanquantile and (a.ndim == 0 or a.dtype == np.int64 or type(q) in (np.float32, int, list)):
        return  # NumPy's dtype is that of its first lane, or it fails
    if not cannot_join(a, axis):
        check_agrees(lambda a: f(a, q, axis=axis, keepdims=keepdims, method=method), a)


@given(f=st.sampled_from(PERCENTILES), a=with_nan, q=st.sampled_from([0.0, 30.0, 50.0, [20.0, 99.0]]), axis=axes)
def test_percentiles(f, a, q, axis):
    if a.dtype != np.float32 and not cannot_join(a, axis):
        check_agrees(lambda a: f(a, q, axis=axis), a)


@pytest.mark.parametrize("q", [1.5, -0.1, np.nan, [[[0.5]]], [0.5, 2.0]])
@pytest.mark.parametrize("f", QUANTILES, **NAMES)
def test_errors(f, q):
    check_agrees(lambda a: f(a, q), np.arange(3.0))
    check_agrees(lambda a: f(a, q / np.float64(3) if np.ndim(q) == 0 else 0.5, method="unknown"), np.arange(3.0))
    check_agrees(lambda a: f(a, 0.5), np.arange(3) * 1j)
    check_agrees(lambda a: f(a, 0.5, weights=[1, 1, 1]), np.arange(3.0))


def test_quantiles_of_nothing():
    for shape, axis in (((0,), None), ((0, 3), 0), ((0, 3), 1)):
        for f in QUANTILES:
            check_agrees(lambda a, f=f, axis=axis: f(a, 0.5, axis=axis), np.zeros(shape))


WEIGHTS = [
    ((4,), None, (4,), 0.5), ((4,), 0, (4,), [0.0, 0.3, 1.0]), ((3, 4), 1, (3, 4), 0.6), ((3, 4), 0, (4,), 0.2),
    ((3, 4), None, (3, 4), [0.1, 0.9]), ((3, 4), (0, 1), (3, 4), 0.7), ((3, 4), None, (4,), 0.5),
]  # fmt: skip


@pytest.mark.parametrize("shape, axis, weights, q", WEIGHTS, ids=str)
@pytest.mark.parametrize("f", QUANTILES, **NAMES)
def test_weights(f, shape, axis, weights, q):
    x, w = rng.normal(size=shape), rng.integers(0, 3, size=weights) + 0.25
    check_agrees(lambda x, w: f(x, q, axis=axis, weights=w, method="inverted_cdf"), x, w)
    check_agrees(lambda x: f(x, q, axis=axis, weights=w, method="inverted_cdf"), x)


def test_weights_along_an_axis():
    x, w = rng.normal(size=(3, 4)), rng.integers(0, 3, size=4) + 0.25
    check_agrees(lambda x, w: np.quantile(x, 0.6, axis=1, weights=w, method="inverted_cdf"), x, w)
    check_agrees(lambda x, w: np.quantile(x, [0.2, 0.7], axis=0, weights=w, method="inverted_cdf"), x, w[:3])


def test_weights_that_make_no_sense():
    for w in ([0, 0, 0], [-1, 1, 1], [np.nan, 1, 1]):
        check_agrees(
            lambda x, w=w: np.quantile(x, 0.5, weights=w, method="inverted_cdf"), np.arange(3.0), doors=["linearize"]
        )


def test_leading_zero_weights_are_passed_by():
    check_agrees(lambda x: np.quantile(x, [0, 0.5, 1], weights=[0, 1, 2], method="inverted_cdf"), np.arange(3.0))


@pytest.mark.parametrize("axis", [None, 0, 1, (0, 1), (0, 2)])
@pytest.mark.parametrize("f", MEDIANS, **NAMES)
def test_derivatives_of_medians(f, axis):
    x = spread(3, 4, 2)
    check_derivatives(lambda x: f(np.sin(x), axis=axis), x)
    check_derivatives(lambda x: f(x, axis=axis, keepdims=True) * x, x)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("f", QUANTILES, **NAMES)
def test_derivatives_of_quantiles(f, method):
    x = spread(3, 4)
    check_derivatives(lambda x: f(np.sin(x), [0.1, 0.55], axis=1, method=method), x)
    check_derivatives(lambda x, q: f(x, q, axis=0, method=method), x, np.array([0.13, 0.62]))
    check_derivatives(lambda x, q: f(x, q, method=method), x, np.float64(0.47))


def test_derivatives_pass_by_nan():
    x = np.array([[1.0, np.nan, 3.0, 8.0], [2.0, 1.0, np.nan, np.nan]])
    wanted = [[0, 0, 1, 0], [0.5, 0.5, 0, 0]]
    for f in (np.nanmedian, lambda x, axis: np.nanquantile(x, 0.5, axis)):
        np.testing.assert_array_equal(xform.grad(lambda x, f=f: np.sum(f(x, 1)))(x), wanted)


def test_a_nan_makes_a_median_nan_in_its_lane_only():
    x = np.array([[1.0, np.nan, 3.0], [2.0, 1.0, 4.0]])
    for f in (np.median, lambda x, axis: np.quantile(x, 0.5, axis)):
        y, pullback = xform.vjp(lambda x, f=f: f(x, 1), x)
        np.testing.assert_array_equal(y, [np.nan, 2])
        np.testing.assert_array_equal(pullback(np.ones(2))[0][1], [1, 0, 0])


def test_percentiles_are_quantiles_of_a_hundredth():
    x, q = spread(5), np.float64(37.0)
    check_derivatives(np.percentile, x, q)
    check_derivatives(np.nanpercentile, x, q)


@pytest.mark.parametrize("f", [np.nanquantile, np.nanpercentile], ids=lambda f: f.__name__)
def test_single_precision_stays(f):
    x, q = np.array([1.0, np.nan, 2.0, 5.0], "f4"), np.array([0.2, 0.7], "f4")
    check_agrees(f, x, q)
    check_agrees(lambda x: f(x, q[0]), x)
