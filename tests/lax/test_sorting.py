"""Sorting by several keys, and the largest entries, against NumPy."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import xform
from tests.messages import says
from xform import lax
from xform.testing import check_grads

rng = np.random.default_rng(4)


@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.complex128, np.int64, np.bool_])
@pytest.mark.parametrize("axis", [0, 1, -1])
def test_sort_of_an_array(dtype, axis):
    x = rng.integers(-5, 5, (4, 5)).astype(dtype)
    y = lax.sort(x, axis)
    assert y.dtype == dtype
    assert_array_equal(y, np.sort(x, axis))
    assert_array_equal(lax.sort(x, dimension=axis, is_stable=False), y)
    assert_array_equal(xform.make_jaxpr(lambda x: lax.sort(x, axis))(x)(x)[0], y)


@pytest.mark.parametrize("num_keys", [1, 2, 3])
@pytest.mark.parametrize("axis", [0, 1])
def test_sort_by_several_keys(num_keys, axis):
    operands = rng.integers(0, 3, (4, 6)), rng.integers(0, 2, (4, 6)) * 1.0, rng.normal(size=(4, 6))
    order = np.lexsort(operands[:num_keys][::-1], axis=axis)
    out = lax.sort(operands, axis, num_keys=num_keys)
    assert isinstance(out, tuple)
    for y, x in zip(out, operands, strict=True):
        assert_array_equal(y, np.take_along_axis(x, order, axis))
    mapped = xform.vmap(lambda *xs: lax.sort(xs, 0, num_keys=num_keys), 1 - axis, 1 - axis)(*operands)
    staged = xform.make_jaxpr(lambda *xs: lax.sort(xs, axis, num_keys=num_keys))(*operands)(*operands)
    for y, a, b in zip(out, mapped, staged, strict=True):
        assert_array_equal(a, y)
        assert_array_equal(b, y)


def test_nan_comes_last():
    x = np.array([3.0, np.nan, -np.inf, 1.0])
    assert_array_equal(lax.sort(x), [-np.inf, 1, 3, np.nan])
    keys, values = lax.sort_key_val(x, np.arange(4))
    assert_array_equal(keys, [-np.inf, 1, 3, np.nan])
    assert_array_equal(values, [2, 3, 0, 1])


def test_sort_key_val():
    k, v = rng.integers(0, 3, (2, 8)), rng.normal(size=(2, 8))
    order = np.argsort(k, axis=1, stable=True)
    keys, values = lax.sort_key_val(k, v)
    assert_array_equal(keys, np.sort(k, axis=1))
    assert_array_equal(values, np.take_along_axis(v, order, 1))
    check_grads(lambda v: lax.sort_key_val(k, v)[1], (v,), order=1)


def test_derivatives():
    x, y = rng.normal(size=(3, 4)), rng.normal(size=(3, 4))
    check_grads(lambda x: lax.sort(x, 0), (x,), order=2)
    check_grads(lambda x, y: lax.sort((x, y), 1), (x, y), order=1)
    check_grads(lambda x: lax.top_k(x, 2)[0], (x,), order=2)
    check_grads(lambda x: lax.approx_min_k(x, 2, 0)[0], (x,), order=1)


@pytest.mark.parametrize("axis", [0, 1, -1])
@pytest.mark.parametrize("k", [0, 1, 3])
def test_top_k(axis, k):
    x = rng.integers(0, 4, (5, 6))
    order = np.argsort(-x, axis=axis, stable=True).take(range(k), axis)
    for f in (lambda x: lax.top_k(x, k, axis=axis), lambda x: lax.approx_max_k(x, k, axis)):
        values, indices = f(x)
        assert_array_equal(indices, order)
        assert_array_equal(values, np.take_along_axis(x, order, axis))
    smallest = np.argsort(x, axis=axis, stable=True).take(range(k), axis)
    values, indices = lax.approx_min_k(x, k, axis, recall_target=0.5, aggregate_to_topk=False)
    assert_array_equal(indices, smallest)
    assert_array_equal(values, np.take_along_axis(x, smallest, axis))


def test_the_k_largest_under_vmap_and_staged():
    x = rng.normal(size=(4, 6))
    values, indices = xform.vmap(lambda r: lax.top_k(r, 2))(x)
    for r, v, i in zip(x, values, indices, strict=True):
        assert_allclose(lax.top_k(r, 2)[0], v)
        assert_array_equal(np.sort(r)[::-1][:2], r[i])
    staged = xform.make_jaxpr(lambda x: lax.approx_min_k(x, 2))(x)(x)
    assert_array_equal(staged[0], np.sort(x)[:, :2])


def test_nan_among_the_largest():
    x = np.array([1.0, np.nan, 3.0, 2.0])
    assert_array_equal(lax.top_k(x, 2)[0], [np.nan, 3])
    assert_array_equal(lax.approx_min_k(x, 4)[0], [1, 2, 3, np.nan])


def test_bad_input():
    x = np.ones((2, 3))
    with says(TypeError, "sort", "no operands"):
        lax.sort(())
    with says(ValueError, "sort", "[(2, 3), (3,)]", "one shape"):
        lax.sort((x, x[0]))
    with says(ValueError, "num_keys=3", "2 operands"):
        lax.sort((x, x), num_keys=3)
    with says(ValueError, "num_keys=0"):
        lax.sort(x, num_keys=0)
    with says(ValueError, "sort", "dimension", "2 dimensions"):
        lax.sort(x, 2)
    with says(ValueError, "sort_key_val", "one shape"):
        lax.sort_key_val(x, x[:1])
    with says(ValueError, "top_k", "k = 4", "0 <= k <= 3"):
        lax.top_k(x, 4)
    with says(ValueError, "approx_min_k", "k=4", "0 <= k <= 3"):
        lax.approx_min_k(x, 4)
    with says(ValueError, "approx_max_k", "recall_target=1.5", "0 < recall_target <= 1"):
        lax.approx_max_k(x, 1, recall_target=1.5)
    with says(TypeError, "top_k", "integers"):
        lax.top_k(x, 1.5)
