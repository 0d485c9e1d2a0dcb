"""Reductions: values against NumPy, ties, nan, zeros, empty arrays, and second derivatives."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import xform
from xform.ops.reduce import (
    argmax,
    argmin,
    reduce_and,
    reduce_max,
    reduce_min,
    reduce_or,
    reduce_prod,
    reduce_xor,
)
from xform.ops.structure import reduce_sum, reshape

rng = np.random.default_rng(11)
AXES = [(), (0,), (1,), (2,), (0, 2), (1, 2), (0, 1, 2)]
OVER_AXES = [
    (reduce_max, np.max),
    (reduce_min, np.min),
    (reduce_prod, np.prod),
    (reduce_and, np.all),
    (reduce_or, np.any),
    (reduce_xor, np.logical_xor.reduce),
]


@pytest.mark.parametrize("prim, function", OVER_AXES)
@pytest.mark.parametrize("axes", AXES)
def test_values_over_axes(prim, function, axes):
    for x in (rng.normal(size=(2, 3, 4)), rng.integers(0, 2, (2, 3, 4))):
        assert_array_equal(prim(x, axes=axes), function(x, axis=axes))


@pytest.mark.parametrize("prim, function", [(argmax, np.argmax), (argmin, np.argmin)])
def test_argmax_finds_the_first(prim, function):
    for x in (rng.integers(0, 3, (5, 6)), rng.normal(size=(5, 6)), rng.integers(0, 2, (5, 6)).astype(bool)):
        for axis in (0, 1):
            y = prim(x, axis=axis)
            assert y.dtype == np.intp
            assert_array_equal(y, function(x, axis))
    assert prim(np.array([1.0, np.nan, 0.0, np.nan]), axis=0) == 1
    assert prim(np.array([1 + 1j, 1 + 2j]), axis=0) == (prim is argmax)


@pytest.mark.parametrize("dtype", [bool, np.int8, np.uint32, np.float16, np.complex64])
def test_dtype_is_kept(dtype):
    x = np.array([[1, 1], [0, 1]], dtype)
    for prim in (reduce_max, reduce_min, reduce_prod):
        assert prim(x, axes=(0,)).dtype == dtype
    assert reduce_and(x, axes=(0,)).dtype == bool


@pytest.mark.parametrize("prim, sign", [(reduce_max, 1), (reduce_min, -1)])
def test_ties_share_evenly(prim, sign):
    x = sign * np.array([[1.0, 3.0, 3.0], [3.0, 0.0, 2.0]])
    assert_allclose(xform.grad(lambda x: prim(x, axes=(0, 1)))(x), np.array([[0, 1, 1], [1, 0, 0]]) / 3)
    rows = xform.grad(lambda x: reduce_sum(prim(x, axes=(1,)), axes=(0,)))(x)
    assert_allclose(rows, [[0, 1 / 2, 1 / 2], [1, 0, 0]])
    _, dot = xform.jvp(lambda x: prim(x, axes=(1,)), (x,), (np.arange(6.0).reshape(2, 3),))
    assert_allclose(dot, [1.5, 3.0])


def test_second_derivative_through_a_max():
    x = np.array([1.0, 3.0, 2.0])
    assert_allclose(xform.hessian(lambda x: reduce_max(x * x * x, axes=(0,)))(x), np.diag([0, 18.0, 0]))


def test_nan_is_propagated_and_leaves_derivatives_finite():
    x = np.array([1.0, np.nan, 2.0])
    for prim in (reduce_max, reduce_min):
        value, gradient = xform.value_and_grad(lambda x, prim=prim: prim(x, axes=(0,)))(x)
        assert np.isnan(value)
        assert np.isfinite(gradient).all()


@pytest.mark.parametrize("zeros", [[], [1], [0, 5], [0, 3, 5]])
@pytest.mark.parametrize("shape, axes", [((6,), (0,)), ((2, 3), (0, 1)), ((3, 1, 2), (0, 1, 2))])
def test_derivatives_of_products_with_zeros(zeros, shape, axes):
    x = np.arange(2.0, 8.0)
    x[zeros] = 0

    def others(*left_out):
        return np.prod([x[k] for k in range(6) if k not in left_out])

    def f(x):
        return reduce_prod(reshape(x, shape=shape), axes=axes)

    assert_allclose(xform.grad(f)(x), [others(k) for k in range(6)])
    expected = [[0.0 if i == j else others(i, j) for j in range(6)] for i in range(6)]
    assert_allclose(xform.hessian(f)(x), expected)
    third = xform.jacfwd(xform.hessian(f))(x)
    assert_allclose(third[0, 3, 5], others(0, 3, 5))
    assert_allclose(third[0, 0, 5], 0.0)


@pytest.mark.parametrize("axes", AXES)
def test_gradient_of_products_over_several_axes(axes):
    x = rng.normal(size=(2, 3, 4))
    weights = rng.normal(size=np.prod(x, axis=axes).shape)
    gradient = xform.vjp(lambda x: reduce_prod(x, axes=axes), x)[1](weights)[0]
    products = np.prod(x, axis=axes, keepdims=True) * weights.reshape(np.sum(x, axis=axes, keepdims=True).shape)
    assert_allclose(gradient, products / x)


def test_empty_arrays():
    empty = np.zeros((0, 3))
    assert_array_equal(reduce_prod(empty, axes=(0,)), np.ones(3))
    assert xform.grad(lambda x: reduce_prod(x, axes=(0, 1)))(empty).shape == (0, 3)
    assert reduce_and(empty, axes=(0, 1))
    assert not reduce_or(empty, axes=(0, 1))
    assert reduce_max(empty, axes=(1,)).shape == (0,)
    assert argmax(empty, axis=1).shape == (0,)
    assert xform.vjp(lambda x: reduce_max(x, axes=(1,)), empty)[1](np.zeros(0))[0].shape == (0, 3)


@pytest.mark.parametrize("prim", [reduce_max, reduce_min])
def test_the_extreme_of_nothing_is_an_error(prim):
    for x, axes in ((np.zeros((0, 3)), (0,)), (np.zeros((0, 0)), (1,)), (np.zeros((0, 3)), (0, 1))):
        with pytest.raises(ValueError, match=r"empty along the reduced axes"):
            prim(x, axes=axes)
        with pytest.raises(ValueError, match=r"empty along the reduced axes"):
            prim.abstract(xform.Aval(x.shape, x.dtype), axes=axes)


@pytest.mark.parametrize("prim", [argmax, argmin])
def test_the_place_of_the_extreme_of_nothing_is_an_error(prim):
    with pytest.raises(ValueError, match=r"shape \(0, 3\) was given"):
        prim(np.zeros((0, 3)), axis=0)


def test_axes_out_of_range_and_repeated():
    for prim, axes in ((reduce_max, (2,)), (reduce_prod, (0, 5)), (reduce_and, (-1,))):
        with pytest.raises(np.exceptions.AxisError, match="out of bounds"):
            prim.abstract(xform.Aval((2, 3), float), axes=axes)
    with pytest.raises(np.exceptions.AxisError, match="out of bounds"):
        reduce_max(np.ones((2, 3)), axes=(2,))
    with pytest.raises(ValueError, match="duplicate"):
        reduce_max.abstract(xform.Aval((2, 3), float), axes=(0, 0))
