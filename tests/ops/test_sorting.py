"""Sorting: values against NumPy, ties, nan, complex numbers, derivatives, and the errors."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import xform
from xform.ops.sorting import argpartition, argsort, partition, searchsorted, sort, top_k
from xform.ops.structure import reduce_sum

rng = np.random.default_rng(17)

ARRAYS = {
    "floats": rng.normal(size=(40, 300)),
    "ties": rng.integers(0, 9, (40, 300)).astype(float),
    "nan": np.where(rng.random((40, 300)) < 0.02, np.nan, rng.normal(size=(40, 300))),
    "float32": rng.normal(size=(40, 300)).astype(np.float32),
    "integers": rng.integers(-9, 9, (40, 300)),
    "unsigned": rng.integers(0, 3, (40, 300)).astype(np.uint8),
    "bool": rng.random((40, 300)) < 0.5,
    "complex": rng.integers(0, 3, (40, 300)) + 1j * rng.normal(size=(40, 300)),
    "few": rng.normal(size=(3, 4)),
}
every_array = pytest.mark.parametrize("x", ARRAYS.values(), ids=ARRAYS.keys())
either_axis = pytest.mark.parametrize("axis", [0, 1])


@every_array
@either_axis
def test_values(x, axis):
    assert_array_equal(sort(x, axis=axis), np.sort(x, axis))
    assert_array_equal(argsort(x, axis=axis, stable=True), np.argsort(x, axis, stable=True))
    assert_array_equal(np.take_along_axis(x, argsort(x, axis=axis, stable=False), axis), np.sort(x, axis))


@every_array
@either_axis
@pytest.mark.parametrize("kth", [(0,), (2,), (1, 2)])
def test_partition(x, axis, kth):
    y = partition(x, kth=kth, axis=axis)
    assert_array_equal(y, np.partition(x, kth, axis))
    places = argpartition(x, kth=kth, axis=axis)
    assert places.dtype == np.intp
    assert_array_equal(np.take(np.take_along_axis(x, places, axis), kth, axis), np.take(np.sort(x, axis), kth, axis))


@every_array
@either_axis
@pytest.mark.parametrize("k", [0, 1, 3])
def test_top_k_is_the_reverse_of_sorting_and_ties_go_to_the_first(x, axis, k):
    values, indices = top_k.bind(x, k=k, axis=axis)
    assert indices.dtype == np.intp
    assert_array_equal(values, np.flip(np.sort(x, axis), axis).take(range(k), axis))
    flipped = np.argsort(np.flip(x, axis), axis, stable=True)
    assert_array_equal(indices, (x.shape[axis] - 1 - np.flip(flipped, axis)).take(range(k), axis))


def test_searchsorted():
    a, v = np.sort(rng.integers(0, 9, 20)), rng.integers(-1, 11, (3, 5))
    for side in ("left", "right"):
        assert_array_equal(searchsorted(a, v, side=side), np.searchsorted(a, v, side))
        lanes = np.sort(rng.normal(size=(3, 20)), axis=1)
        expected = [np.searchsorted(row, w, side) for row, w in zip(lanes, v, strict=True)]
        assert_array_equal(searchsorted(lanes, v, side=side), expected)
        assert_array_equal(xform.vmap(lambda a, v: searchsorted(a, v, side=side))(lanes, v), expected)  # noqa: B023
        nested = xform.vmap(lambda a: xform.vmap(lambda w: searchsorted(a, w, side=side))(v[0]))(lanes)  # noqa: B023
        assert_array_equal(nested, [np.searchsorted(row, v[0], side) for row in lanes])


FUNCTIONS = {
    "sort": lambda x: sort(x, axis=0),
    "partition": lambda x: partition(x, kth=(2, 5), axis=0),
    "top_k": lambda x: top_k.bind(x, k=4, axis=0)[0],
}
every_function = pytest.mark.parametrize("f", FUNCTIONS.values(), ids=FUNCTIONS.keys())


@every_function
def test_tangents_are_rearranged_as_the_values_were(f):
    x = rng.normal(size=200)
    y, y_dot = xform.jvp(f, (x,), (np.sin(x),))
    assert_array_equal(y, f(x))
    assert_array_equal(y_dot, np.sin(y))
    _, pullback = xform.vjp(f, x)
    assert_array_equal(pullback(np.cos(y))[0], np.where(np.isin(x, y), np.cos(x), 0.0))


@every_function
def test_of_equal_entries_each_has_its_own_tangent(f):
    x = np.array([1.0, 0.0, 1.0, 1.0, 0.0, 2.0])
    jacobian = xform.jacobian(f)(x)
    assert_array_equal(jacobian @ x, f(x))
    assert set(jacobian.sum(axis=1)) == {1.0}
    assert jacobian.sum(axis=0).max() == 1.0


def test_ties_keep_their_order():
    x = np.array([1.0, 0.0, 1.0])
    assert_array_equal(xform.jacobian(FUNCTIONS["sort"])(x), [[0, 1, 0], [1, 0, 0], [0, 0, 1]])
    assert_array_equal(xform.jacobian(lambda x: top_k.bind(x, k=1, axis=0)[0])(x), [[1, 0, 0]])


@every_function
def test_second_derivatives(f):
    x, w = rng.normal(size=8), np.arange(1.0, 9.0)

    def loss(x):
        y = f(x)
        return reduce_sum(w[: y.shape[0]] * y * y * y, axes=(0,))

    step = 1e-6
    hessian = xform.hessian(loss)(x)
    for k, e in enumerate(np.eye(8) * step):
        expected = (xform.grad(loss)(x + e) - xform.grad(loss)(x - e)) / (2 * step)
        assert_allclose(hessian[k], expected, rtol=1e-6, atol=1e-6)


def test_a_lane_of_partition_is_rearranged_as_alone():
    x = rng.normal(size=(5, 60))

    def f(x):
        return partition(x, kth=(7,), axis=0)

    assert_array_equal(xform.vmap(f)(x), [f(row) for row in x])
    jacobians = xform.vmap(xform.jacfwd(f))(x)
    assert_allclose(jacobians @ x[..., None], xform.vmap(f)(x)[..., None])


def test_errors():
    aval = xform.Aval((3, 4), float)
    for call in (
        lambda: sort.abstract(aval, axis=2),
        lambda: sort(np.ones((3, 4)), axis=2),
        lambda: argsort.abstract(aval, axis=2, stable=True),
    ):
        with pytest.raises(np.exceptions.AxisError):
            call()
    for prim in (partition, argpartition):
        for kth in ((4,), (-1,), ()):
            with pytest.raises(ValueError, match="wanted one or more positions from 0 to 3"):
                prim.abstract(aval, kth=kth, axis=1)
            with pytest.raises(ValueError, match="wanted one or more positions from 0 to 3"):
                prim(np.ones((3, 4)), kth=kth, axis=1)
    for k in (-1, 5):
        with pytest.raises(ValueError, match="choose 0 <= k <= 4"):
            top_k.bind(np.ones((3, 4)), k=k, axis=1)
    with pytest.raises(ValueError, match="same leading axes"):
        searchsorted.abstract(aval, xform.Aval((2,), float), side="left")
    with pytest.raises(ValueError, match="wanted 'left' or 'right'"):
        searchsorted.abstract(xform.Aval((3,), float), xform.Aval((2,), float), side="middle")
