"""ragged_dot against a loop over the rows, with sizes that are known and sizes that are traced."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import xform
from tests.messages import says
from xform import lax
from xform.testing import check_grads

rng = np.random.default_rng(3)
LHS, RHS = rng.normal(size=(7, 3)), rng.normal(size=(4, 3, 2))
SIZES = [[2, 0, 3, 2], [1, 0, 2, 1], [0, 0, 0, 7], [7, 0, 0, 0], [0, 0, 0, 0]]


def by_loop(lhs, rhs, sizes):
    out = np.zeros((len(lhs), rhs.shape[2]))
    for i, g in enumerate(np.repeat(np.arange(len(sizes)), sizes)):
        out[i] = lhs[i] @ rhs[g]
    return out


def sizes_traced(lhs, rhs, sizes):
    return xform.make_jaxpr(lax.ragged_dot)(lhs, rhs, sizes)(lhs, rhs, sizes)[0]


@pytest.mark.parametrize("sizes", SIZES)
def test_values_and_derivatives(sizes):
    wanted, sizes = by_loop(LHS, RHS, sizes), np.array(sizes)
    assert_allclose(lax.ragged_dot(LHS, RHS, sizes), wanted, atol=1e-12)
    assert_allclose(lax.ragged_dot(LHS, RHS, sizes.astype(np.uint8)), wanted, atol=1e-12)
    assert_allclose(sizes_traced(LHS, RHS, sizes), wanted, atol=1e-12)
    check_grads(lambda x, y: lax.ragged_dot(x, y, sizes), (LHS, RHS), order=2)


@pytest.mark.parametrize("sizes", SIZES)
def test_derivatives_where_sizes_are_traced(sizes):
    def loss(x, y, sizes):
        return np.sum(lax.ragged_dot(x, y, sizes) ** 3)

    sizes = np.array(sizes)
    staged = xform.make_jaxpr(xform.grad(loss, (0, 1)))(LHS, RHS, sizes)
    for got, wanted in zip(staged(LHS, RHS, sizes), xform.grad(loss, (0, 1))(LHS, RHS, sizes), strict=True):
        assert_allclose(got, wanted, atol=1e-12)


def test_batches_of_every_operand():
    sizes, xs, ys = np.array(SIZES), rng.normal(size=(5, 7, 3)), rng.normal(size=(5, 4, 3, 2))
    for axes in ((0, 0, 0), (None, None, 0), (0, None, None), (None, 0, None), (None, 0, 0)):
        args = [v if axis == 0 else v[0] for v, axis in zip((xs, ys, sizes), axes, strict=True)]
        each = [[v[k] if axis == 0 else v for v, axis in zip(args, axes, strict=True)] for k in range(5)]
        assert_allclose(
            xform.vmap(lax.ragged_dot, axes)(*args), np.stack([by_loop(*operands) for operands in each]), atol=1e-12
        )


def test_other_groups_do_not_matter():
    rhs = np.stack([np.full((3, 2), np.nan), RHS[1], np.full((3, 2), np.inf)])
    lhs = np.concatenate([LHS[:2], np.full((1, 3), np.inf)])
    sizes = np.array([0, 2, 0])
    for f in (lax.ragged_dot, sizes_traced):
        out = f(lhs, rhs, sizes)
        assert_allclose(out, [*LHS[:2] @ RHS[1], [0.0, 0.0]])


def test_extremes_and_dtypes():
    assert_array_equal(lax.ragged_dot(LHS, np.ones((0, 3, 2)), np.zeros(0, int)), np.zeros((7, 2)))
    assert lax.ragged_dot(LHS[:0], RHS, np.zeros(4, int)).shape == (0, 2)
    assert_array_equal(lax.ragged_dot(LHS[:, :0], RHS[:, :0], np.array(SIZES[0])), np.zeros((7, 2)))
    x, y = np.full((2, 5), 100, np.int8), np.full((1, 5, 1), 100, np.int8)
    for f in (lax.ragged_dot, lambda *args: sizes_traced(*args[:3])):
        assert f(x, y, np.array([2])).dtype == np.int8
    wide = lax.ragged_dot(x, y, np.array([1]), preferred_element_type=np.int32)
    assert wide.dtype == np.int32
    assert_array_equal(wide, [[50_000], [0]])
    assert lax.ragged_dot(LHS.astype(np.float32), RHS, [1, 2, 3, 1]).dtype == np.float64


def test_bad_input():
    for lhs, rhs, sizes in (
        (LHS[0], RHS, [1] * 4),
        (LHS, RHS[0], [1] * 3),
        (LHS, RHS, [1] * 3),
        (LHS[:, 1:], RHS, [1] * 4),
    ):
        with says(ValueError, "ragged_dot", str(np.shape(lhs)), str(np.shape(rhs)), "(groups, k, n)"):
            lax.ragged_dot(lhs, rhs, np.array(sizes))
    with says(TypeError, "ragged_dot", "float64", "integers"):
        lax.ragged_dot(LHS, RHS, np.ones(4))
    for sizes in ([3, 3, 3, 0], [-1, 1, 1, 1]):
        with says(ValueError, "ragged_dot", "7 rows", "not negative", "at most"):
            lax.ragged_dot(LHS, RHS, np.array(sizes))
        with says(ValueError, "ragged_dot", "7 rows"):
            xform.vmap(lax.ragged_dot, (None, None, 0))(LHS, RHS, np.array([sizes, [0] * 4]))
