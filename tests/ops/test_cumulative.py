"""Cumulative operations: values against NumPy, ties, zeros, infinities, and second derivatives."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import xform
from xform.ops.cumulative import cumlogsumexp, cummax, cummin, cumprod, cumsum
from xform.ops.reduce import reduce_max
from xform.ops.structure import slice_

rng = np.random.default_rng(3)
UFUNCS = [(cumsum, np.add), (cumprod, np.multiply), (cummax, np.maximum), (cummin, np.minimum)]


@pytest.mark.parametrize("prim, ufunc", [*UFUNCS, (cumlogsumexp, np.logaddexp)])
@pytest.mark.parametrize("axis", [0, 1])
def test_values(prim, ufunc, axis):
    x = rng.normal(size=(4, 5))
    assert_array_equal(prim(x, axis=axis, reverse=False), ufunc.accumulate(x, axis))
    backwards = np.flip(ufunc.accumulate(np.flip(x, axis), axis), axis)
    assert_array_equal(prim(x, axis=axis, reverse=True), backwards)


@pytest.mark.parametrize("prim, ufunc", UFUNCS)
@pytest.mark.parametrize("dtype", [bool, np.int8, np.uint16, np.float32, np.complex64])
def test_dtype_is_kept(prim, ufunc, dtype):
    x = np.array([1, 0, 3], dtype)
    y = prim(x, axis=0, reverse=False)
    assert y.dtype == dtype
    assert_array_equal(y, ufunc.accumulate(x, dtype=dtype))


def last(prim, reverse=False):
    """The whole product, sum, ... as the end of the cumulative one."""
    return lambda x: slice_(prim(x, axis=0, reverse=reverse), index=(0 if reverse else len(x) - 1,))


@pytest.mark.parametrize("zeros", [[], [1], [0, 2], [0, 1, 2, 3]])
@pytest.mark.parametrize("reverse", [False, True])
def test_second_derivatives_of_cumprod_with_zeros(zeros, reverse):
    x = np.array([2.0, 3.0, 5.0, 7.0])
    x[zeros] = 0
    n = len(x)

    def others(*left_out):
        return np.prod([x[k] for k in range(n) if k not in left_out])

    expected = [[0.0 if i == j else others(i, j) for j in range(n)] for i in range(n)]
    assert_allclose(xform.grad(last(cumprod, reverse))(x), [others(i) for i in range(n)])
    assert_allclose(xform.hessian(last(cumprod, reverse))(x), expected)


def test_jacobian_of_cumprod_row_by_row():
    x = np.array([2.0, 0.0, 3.0])
    assert_array_equal(
        xform.jacobian(lambda x: cumprod(x, axis=0, reverse=False))(x), [[1, 0, 0], [0, 2, 0], [0, 6, 0]]
    )
    assert_array_equal(xform.jacobian(lambda x: cumprod(x, axis=0, reverse=True))(x), [[0, 6, 0], [0, 3, 0], [0, 0, 1]])


def test_cumprod_of_numbers_whose_products_overflow_elsewhere():
    x = np.array([1e-200, 1e200, 1e200])
    (_, dot) = xform.jvp(lambda x: cumprod(x, axis=0, reverse=False), (x,), (np.array([0.0, 0.0, 1.0]),))
    assert_array_equal(dot, [0.0, 0.0, 1.0])


@pytest.mark.parametrize("prim, sign", [(cummax, 1), (cummin, -1)])
def test_ties_are_shared_evenly_among_the_entries_so_far(prim, sign):
    x = sign * np.array([1.0, 3.0, 3.0, 2.0, 3.0, 4.0])
    expected = [
        [1, 0, 0, 0, 0, 0],
        [0, 1, 0, 0, 0, 0],
        [0, 1 / 2, 1 / 2, 0, 0, 0],
        [0, 1 / 2, 1 / 2, 0, 0, 0],
        [0, 1 / 3, 1 / 3, 0, 1 / 3, 0],
        [0, 0, 0, 0, 0, 1],
    ]
    assert_allclose(xform.jacrev(lambda x: prim(x, axis=0, reverse=False))(x), expected)
    assert_allclose(xform.jacfwd(lambda x: prim(x, axis=0, reverse=True))(x[::-1]), np.array(expected)[::-1, ::-1])


def test_the_last_cummax_is_the_max():
    x = rng.integers(0, 3, 12).astype(float)
    assert_allclose(xform.grad(last(cummax))(x), xform.grad(lambda x: reduce_max(x, axes=(0,)))(x))


def test_nan_is_propagated_and_leaves_derivatives_finite():
    x = np.array([1.0, np.nan, 2.0])
    assert_array_equal(cummax(x, axis=0, reverse=False), [1.0, np.nan, np.nan])
    jacobian = xform.jacobian(lambda x: cummax(x, axis=0, reverse=False))(x)
    assert np.isfinite(jacobian).all()
    assert_array_equal(jacobian[0], [1, 0, 0])


@pytest.mark.parametrize("shift", [0.0, 1e6, -1e6])
def test_cumlogsumexp_weighs_as_softmax_without_overflow(shift):
    x = np.array([0.0, 800.0, 800.0, -800.0]) + shift
    weights = np.exp(x - x.max()) / np.exp(x - x.max()).sum()
    assert_allclose(xform.grad(last(cumlogsumexp))(x), weights, rtol=1e-9)
    expected = np.diag(weights) - np.outer(weights, weights)
    assert_allclose(xform.hessian(last(cumlogsumexp))(x), expected, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("x", [[-np.inf, 0.0, 1.0], [-np.inf, -np.inf], [np.inf, 1.0], [1.0, np.inf, np.inf], [0.0]])
@pytest.mark.parametrize("reverse", [False, True])
def test_cumlogsumexp_of_infinities_has_weights_that_add_to_one(x, reverse):
    gradient = xform.grad(last(cumlogsumexp, reverse))(np.array(x))
    if np.isfinite(x).any() and np.max(x) < np.inf:
        assert gradient[0] == (0.0 if np.isinf(x[0]) else 1.0)
        assert_allclose(gradient.sum(), 1.0)
    assert np.isfinite(gradient).all()


def test_errors():
    with pytest.raises(np.exceptions.AxisError, match="axis 1 was given"):
        cumsum.abstract(xform.Aval((3,), float), axis=1, reverse=False)
    with pytest.raises(np.exceptions.AxisError):
        cumsum(np.ones(3), axis=1, reverse=False)
    with pytest.raises(TypeError, match="wanted real floating-point"):
        cumlogsumexp.abstract(xform.Aval((3,), int), axis=0, reverse=False)
