"""Sums, products, means, extremes and logical reductions: as NumPy's on arrays, and differentiable."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import xform
import xform.numpy as xnp
from tests.numpy.agreement import arrays, axes, check_agrees, check_derivatives, check_signature, valid_axes

SUMS = [np.sum, np.prod]
EXTREMES = [np.max, np.min]
LOGICAL = [np.any, np.all]
POSITIONS = [np.argmax, np.argmin]
ALL = [*SUMS, *EXTREMES, *LOGICAL, *POSITIONS, np.mean, np.ptp, np.count_nonzero, np.amax, np.amin]


@pytest.mark.parametrize("f", ALL, ids=lambda f: f.__name__)
def test_signatures_are_numpys(f):
    check_signature(getattr(xnp, f.__name__), f)


@given(
    f=st.sampled_from([*SUMS, *EXTREMES, *LOGICAL, np.mean, np.ptp, np.count_nonzero]),
    a=arrays(),
    axis=axes,
    keepdims=st.booleans(),
)
def test_axes_and_keepdims(f, a, axis, keepdims):
    check_agrees(lambda a: f(a, axis=axis, keepdims=keepdims), a)


@given(
    f=st.sampled_from([*SUMS, np.mean]),
    a=arrays(special=False),
    dtype=st.sampled_from([None, "f4", "f8", "c16", "i4", "i8", int, bool]),
)
def test_dtypes(f, a, dtype):
    if a.dtype.kind == "c" and dtype is not None and np.dtype(dtype).kind != "c":
        return  # NumPy warns of the lost imaginary part; the value is the same
    check_agrees(lambda a: f(a, dtype=dtype), a)


@pytest.mark.parametrize("dtype", ["float16", "int8", "uint8", "uint32", "int64", "bool", "complex64", "float32"])
@pytest.mark.parametrize("f", [*SUMS, np.mean, *EXTREMES, *LOGICAL, *POSITIONS], ids=lambda f: f.__name__)
def test_result_dtypes_of_every_operand_dtype(f, dtype):
    check_agrees(f, np.array([[1, 0, 3], [2, 1, 1]], dtype))
    check_agrees(lambda a: f(a, axis=1), np.array([[1, 0, 3], [2, 1, 1]], dtype))


ROWS, COLUMNS = [[True], [False]], [True, False, True]
masks = st.sampled_from([True, False, ROWS, COLUMNS, np.ones((2, 3), bool), np.zeros(3, bool), [1, 0, 1]])
BAD_MASKS = [np.array([1, 0, 1]), np.array([1.0, 0, 1]), np.ones((2, 2), bool), np.ones((2, 2, 3), bool), [True, False]]
starts = st.sampled_from([0, 2, 2.5, -3.5, np.float32(0.1), None, 1j])


@given(f=st.sampled_from([*SUMS, *EXTREMES]), a=arrays(shapes=(2, 3)), axis=valid_axes, where=masks, initial=starts)
def test_masks_and_initial_values(f, a, axis, where, initial):
    check_agrees(lambda a: f(a, axis=axis, where=where, initial=initial), a)


@given(
    f=st.sampled_from([*SUMS, *EXTREMES, *LOGICAL, np.mean]),
    a=arrays(shapes=(2, 3)),
    axis=axes,
    where=masks,
    keepdims=st.booleans(),
)
def test_masks(f, a, axis, where, keepdims):
    check_agrees(lambda a: f(a, axis=axis, where=where, keepdims=keepdims), a)


@pytest.mark.parametrize("where", BAD_MASKS, ids=str)
@pytest.mark.parametrize("f", [*SUMS, *LOGICAL, np.mean], ids=lambda f: f.__name__)
def test_masks_that_do_not_fit(f, where):
    check_agrees(lambda a: f(a, where=where), np.ones((2, 3)))


@given(f=st.sampled_from([*SUMS, *EXTREMES]), a=arrays(["float64"]), initial=starts, axis=axes)
def test_initial_values_of_arrays_that_may_be_empty(f, a, initial, axis):
    check_agrees(lambda a: f(a, initial=initial, axis=axis), a)


@given(f=st.sampled_from(POSITIONS), a=arrays(), axis=st.one_of(st.none(), st.integers(-4, 3)), keepdims=st.booleans())
def test_positions(f, a, axis, keepdims):
    check_agrees(lambda a: f(a, axis=axis, keepdims=keepdims), a)


@pytest.mark.parametrize("axis", [1.0, [0], "0", (0, 0), (0, 5), np.array([0])])
@pytest.mark.parametrize("f", ALL, ids=lambda f: f.__name__)
def test_axes_of_the_wrong_kind(f, axis):
    check_agrees(lambda a: f(a, axis=axis), np.ones((2, 3)))


def test_initial_values_that_are_arrays():
    for initial in (np.ones(2), [1.0, 2.0]):
        check_agrees(lambda a, initial=initial: np.sum(a, initial=initial), np.ones(3))
    with pytest.raises(ValueError, match="wanted a number"):
        xform.grad(lambda x: xnp.sum(np.ones(3), initial=x))(np.ones(2))


SHAPES = [((3,), None), ((2, 3), 0), ((2, 3), (0, 1)), ((2, 3), -1), ((2, 1, 3), (0, 2)), ((), None), ((2, 3), ())]


@pytest.mark.parametrize("shape, axis", SHAPES)
@pytest.mark.parametrize("f", [*SUMS, np.mean, *EXTREMES, np.ptp], ids=lambda f: f.__name__)
def test_derivatives(f, shape, axis):
    x = np.random.default_rng(1).normal(size=shape)
    check_derivatives(lambda x: f(np.sin(x), axis=axis), x)
    check_derivatives(lambda x: np.cos(f(np.sin(x), axis=axis, keepdims=True)) * x, x)


@pytest.mark.parametrize("f", [*SUMS, *EXTREMES], ids=lambda f: f.__name__)
def test_derivatives_with_masks_and_traced_initial_values(f):
    x, start = np.random.default_rng(1).normal(size=(2, 3)), np.float64(0.1)
    mask = np.array([[True, False, True], [False, True, True]])
    check_derivatives(lambda x, s: f(x * x, axis=1, where=mask, initial=s), x, start)
    check_derivatives(lambda x, s: f(x * x, axis=0, initial=s * s), x, start)


def test_derivative_of_a_mean_with_a_mask():
    check_derivatives(lambda x: np.mean(x**3, axis=1, where=[True, False, True]), np.arange(6.0).reshape(2, 3))


def test_complex_derivatives():
    z = np.random.default_rng(1).normal(size=(2, 3)) + 1j
    for f in (*SUMS, np.mean):
        check_derivatives(lambda z, f=f: f(z * z, axis=1), z, order=1)


def test_ties_share_the_derivative_evenly():
    x = np.array([[1.0, 3.0, 3.0], [2.0, 2.0, 2.0]])
    np.testing.assert_array_equal(xform.grad(np.max)(x), [[0, 0.5, 0.5], [0, 0, 0]])
    np.testing.assert_allclose(xform.grad(lambda x: np.sum(np.min(x, axis=1)))(x), [[1, 0, 0], [1 / 3] * 3])


def test_entries_that_a_mask_leaves_out_take_no_part_in_a_tie():
    x = np.array([0.0, -1.0, 0.0])
    gradient = xform.grad(lambda x: np.max(x, initial=-5.0, where=[False, True, True]))(x)
    np.testing.assert_array_equal(gradient, [0, 0, 1])
    everything_out = xform.grad(lambda x: np.max(x, initial=-5.0, where=np.zeros(3, bool)))(x)
    np.testing.assert_array_equal(everything_out, [0, 0, 0])


def test_derivatives_pass_by_nan_that_a_mask_leaves_out():
    x = np.array([1.0, np.nan, 2.0])
    for f, wanted in ((np.sum, [1, 0, 1]), (np.prod, [2, 0, 1]), (np.mean, [0.5, 0, 0.5])):
        np.testing.assert_array_equal(xform.grad(lambda x, f=f: f(x, where=~np.isnan(x)))(x), wanted)


def test_derivatives_of_empty_reductions_are_empty():
    for f in (np.sum, np.prod):
        assert xform.grad(f)(np.zeros(0)).shape == (0,)
    assert xform.grad(lambda x: np.sum(np.max(x, axis=0)))(np.zeros((2, 0))).shape == (2, 0)


def test_lists_of_traced_numbers():
    assert xform.grad(lambda x: xnp.sum([x, 2 * x, 1.0]))(3.0) == 3.0
    assert xform.grad(lambda x: xnp.max([[x, 2 * x], [1.0, 0.0]]))(3.0) == 2.0


def test_integer_and_boolean_results_are_plain_arrays():
    def f(x):
        assert type(np.argmax(x)) is np.int64
        assert type(np.any(x > 0)) is np.bool_
        assert type(np.count_nonzero(x, axis=0)) is np.ndarray
        return np.sum(x)

    xform.grad(f)(np.ones((2, 3)))


def test_an_output_array_is_refused():
    for f in (*SUMS, *EXTREMES, *LOGICAL, *POSITIONS, np.mean, np.ptp):
        with pytest.raises(TypeError, match="out="):
            xform.grad(lambda x, f=f: f(x, out=np.zeros(())))(np.ones(3))


def test_without_traced_arguments_numpy_itself_is_called():
    assert xnp.sum([1, 2], axis=0) == 3
    out = np.zeros(())
    xnp.sum(np.ones(3), out=out)
    assert out == 3


def test_a_mean_of_nothing_warns_as_numpys():
    with pytest.warns(RuntimeWarning, match="Mean of empty slice"), np.errstate(all="ignore"):
        assert np.isnan(xform.linearize(lambda x: np.mean(x, where=False), np.ones(3))[0])
