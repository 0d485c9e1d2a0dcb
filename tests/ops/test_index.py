"""Reading and summing by integer arrays, against NumPy."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import xform
from xform.ops.indexing.index import gather, scatter_sum, take_along_axis
from xform.ops.structure import reduce_sum

rng = np.random.default_rng(7)
x = rng.normal(size=(3, 4, 5))
i, j = rng.integers(-3, 3, (2, 6)), rng.integers(-5, 5, 6)


def test_gather_places_the_block_where_it_is_told():
    assert_array_equal(gather(x, i, j, axes=(0, 2), at=0), x[i, :, j])
    assert_array_equal(gather(x, i, j, axes=(0, 2), at=1), np.moveaxis(x[i, :, j], 2, 0))
    assert_array_equal(gather(x, i, axes=(0,), at=2), np.moveaxis(x[i], (0, 1), (2, 3)))


@pytest.mark.parametrize("order", ["C", "F"])
def test_scatter_sum_adds_repeated_entries_repeatedly(order):
    y = np.asarray(rng.normal(size=(2, 6, 4)), order=order)
    expected = np.zeros_like(x)
    np.add.at(expected, (i, slice(None), j), y)
    assert_allclose(scatter_sum(y, i, j, shape=x.shape, axes=(0, 2), at=0), expected)


def test_gather_and_scatter_sum_are_transposes():
    y = rng.normal(size=(4, 2, 6))
    z = scatter_sum(y, i, j, shape=x.shape, axes=(0, 2), at=1)
    assert_allclose((z * x).sum(), (y * gather(x, i, j, axes=(0, 2), at=1)).sum())


@pytest.mark.parametrize("axis", [0, 1, 2, -1])
def test_take_along_axis_sorts(axis):
    assert_array_equal(take_along_axis(x, np.argsort(x, axis), axis), np.sort(x, axis))


def test_take_along_axis_broadcasts_the_other_axes():
    k = rng.integers(0, 4, (3, 2, 1))
    assert_array_equal(take_along_axis(x, k, 1), np.take_along_axis(x, np.broadcast_to(k, (3, 2, 5)), 1))
    assert_array_equal(
        take_along_axis(x[:, :1], np.zeros((1, 2, 5), int), 1),
        np.take_along_axis(x[:, :1], np.zeros((3, 2, 5), int), 1),
    )


def test_take_along_axis_has_a_derivative():
    order, weights = np.argsort(x, 1), rng.normal(size=x.shape)
    gradient = xform.grad(lambda x: reduce_sum(take_along_axis(x, order, 1) * weights, axes=(0, 1, 2)))(x)
    expected = np.zeros_like(x)
    np.put_along_axis(expected, order, weights, 1)
    assert_array_equal(gradient, expected)


@pytest.mark.parametrize("bad", [4, -5, [0, 9], [[-7]]])
def test_out_of_range_indices_say_so(bad):
    bad = np.asarray(bad)
    for call in (
        lambda: gather(x, bad, axes=(1,), at=1),
        lambda: scatter_sum(np.zeros((3, *bad.shape, 5)), bad, shape=x.shape, axes=(1,), at=1),
    ):
        with pytest.raises(IndexError, match=r"index -?\d is out of bounds for axis 1 with size 4"):
            call()


def test_indices_that_do_not_broadcast_say_so():
    with pytest.raises(IndexError, match="shape mismatch"):
        gather(x, np.arange(2), np.arange(3), axes=(0, 2), at=0)
