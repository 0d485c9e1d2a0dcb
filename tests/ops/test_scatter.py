"""Writing entries, against NumPy's assignments and `ufunc.at`."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import xform
from xform.ops.indexing.dynamic import dynamic_slice, dynamic_update_slice
from xform.ops.indexing.scatter import scatter, scatter_add, scatter_max, scatter_min, scatter_mul, update_slice

rng = np.random.default_rng(8)
x = rng.normal(size=(3, 4, 5))
i, j = rng.integers(-3, 3, (2, 6)), rng.integers(-5, 5, 6)
v = rng.normal(size=(2, 6, 4))
PLACE = {"axes": (0, 2), "at": 0}


def layouts(a):
    """The same array in several memory layouts."""
    padded = np.zeros((*a.shape[:-1], 2 * a.shape[-1]), a.dtype)
    padded[..., ::2] = a
    return [a, np.asfortranarray(a), padded[..., ::2], np.ascontiguousarray(a[::-1])[::-1]]


def test_the_last_write_wins_in_every_layout():
    expected = x.copy()
    for row, column in np.ndindex(i.shape):
        expected[i[row, column], :, j[column]] = v[row, column]
    for xs in layouts(x):
        for vs in layouts(v):
            for rows in layouts(i):
                assert_array_equal(scatter(xs, vs, rows, j, **PLACE), expected)


@pytest.mark.parametrize(
    "prim, ufunc",
    [(scatter_add, np.add), (scatter_mul, np.multiply), (scatter_min, np.minimum), (scatter_max, np.maximum)],
)
def test_repeated_entries_are_combined_repeatedly(prim, ufunc):
    expected = x.copy()
    ufunc.at(expected, (i, slice(None), j), v)
    for xs in layouts(x):
        assert_allclose(prim(xs, v, i, j, **PLACE), expected, rtol=1e-12)


def test_the_operand_is_not_changed():
    before = x.copy()
    for prim in (scatter, scatter_add, scatter_mul, scatter_min, scatter_max):
        prim(x, v, i, j, **PLACE)
    update_slice(x, np.zeros((4, 5)), index=(0, (0, 4, 1), (0, 5, 1)))
    dynamic_update_slice(x, np.zeros((1, 1, 1)), np.int64(0), np.int64(0), np.int64(0))
    assert_array_equal(x, before)


def test_a_value_that_was_overwritten_has_no_derivative():
    twice = np.array([1, 1, 0])
    gradient = xform.grad(lambda v: scatter(np.zeros(2), v, twice, axes=(0,), at=0)[1])(np.ones(3))
    assert_array_equal(gradient, [0, 1, 0])


@pytest.mark.parametrize("factors", [[2.0, 3.0, 5.0], [0.0, 3.0, 5.0], [0.0, 0.0, 5.0], [0.0, 0.0, 0.0]])
def test_derivatives_of_products_with_zeros(factors):
    """d/dv_a d/dv_b of x v_0 v_1 v_2 is x times the factor that remains."""
    where = np.array([1, 1, 1])
    hessian = xform.hessian(lambda v: scatter_mul(np.array([7.0, 2.0]), v, where, axes=(0,), at=0)[1])(
        np.array(factors)
    )
    a, b, c = factors
    assert_array_equal(hessian, 2.0 * np.array([[0, c, b], [c, 0, a], [b, a, 0]]))


def test_derivative_of_products_under_vmap_of_the_indices():
    where = np.array([[0, 0, 1], [1, 0, 1], [1, 1, 1]])
    factors = np.array([2.0, 3.0, 5.0])

    def product(where):
        return xform.grad(lambda v: scatter_mul(np.array([7.0, 2.0]), v, where, axes=(0,), at=0) @ np.ones(2))(factors)

    assert_array_equal(xform.vmap(product)(where), [product(w) for w in where])


def test_extrema_share_their_derivative_evenly():
    where = np.array([0, 0, 1])

    def largest(x, v):
        return scatter_max(x, v, where, axes=(0,), at=0)[0]

    x_bar, v_bar = xform.grad(largest, (0, 1))(np.array([2.0, 0.0]), np.array([2.0, 2.0, 9.0]))
    assert_allclose(x_bar, [1 / 3, 0])
    assert_allclose(v_bar, [1 / 3, 1 / 3, 0])


def test_nan_passes_and_has_no_derivative():
    x_bar = xform.grad(lambda x: scatter_max(x, np.array([np.nan]), np.array([0]), axes=(0,), at=0) @ np.ones(2))(
        np.ones(2)
    )
    assert_array_equal(x_bar, [0, 1])


@pytest.mark.parametrize("start, first", [(-7, 0), (0, 0), (2, 2), (3, 3), (9, 3)])
def test_dynamic_starts_are_clamped(start, first):
    a = np.arange(5.0)
    assert_array_equal(dynamic_slice(a, np.int64(start), sizes=(2,)), a[first : first + 2])
    expected = a.copy()
    expected[first : first + 2] = -1
    assert_array_equal(dynamic_update_slice(a, np.full(2, -1.0), np.int64(start)), expected)
    starts = np.array([start, 1])
    assert_array_equal(xform.vmap(lambda s: dynamic_slice(a, s, sizes=(2,)))(starts), [a[first : first + 2], a[1:3]])


@pytest.mark.parametrize(
    "call, error, message",
    [
        (lambda x: scatter(x, v, i, j, axes=(0, 1), at=0), ValueError, "the values have shape"),
        (lambda x: scatter_add(x, v.astype(int), i, j, **PLACE), TypeError, "convert the values first"),
        (lambda x: scatter(x, v, i * 1.0, j, **PLACE), IndexError, "must be of integer"),
        (lambda x: dynamic_slice(x, np.int64(0), sizes=(1,)), ValueError, "wanted one of each per axis"),
        (lambda x: dynamic_slice(x, *np.zeros(3, int), sizes=(1, 1, 9)), ValueError, "does not fit"),
        (lambda x: dynamic_slice(x, *np.zeros(3), sizes=(1, 1, 1)), TypeError, "integer scalars"),
    ],
)
def test_staging_refuses_what_does_not_fit(call, error, message):
    with pytest.raises(error, match=message):
        xform.make_jaxpr(call)(x)


def test_writing_a_constant_is_not_linear():
    with pytest.raises(xform.NonlinearError, match="affine"):
        xform.linear_transpose(lambda v: scatter(np.ones(2), v, np.array([0]), axes=(0,), at=0), np.ones(1))
    with pytest.raises(xform.NonlinearError, match="not linear in the factors"):
        xform.linear_transpose(lambda v: scatter_mul(np.ones(1), v, np.array([0]), axes=(0,), at=0), np.ones(1))(
            np.ones(1)
        )
