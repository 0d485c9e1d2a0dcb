"""sparsity_pattern: known patterns, trees, indices, control flow, soundness."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal

import xform

X = np.arange(1.0, 6.0)


def pattern(f, *args):
    return xform.sparsity_pattern(f, *args)


def band(n, *diagonals):
    return sum(np.eye(n, k=k) for k in diagonals) != 0


def test_elementwise_functions_are_diagonal():
    assert_array_equal(pattern(lambda x: np.sin(x) * x + 2.0, X), np.eye(5, dtype=bool))


def test_stencils_are_banded():
    def laplacian(x):
        padded = np.concatenate([x[:1] * 0.0, x, x[-1:]])
        return padded[2:] - 2 * padded[1:-1] + padded[:-2]

    assert_array_equal(pattern(laplacian, X), band(5, -1, 0, 1))
    assert_array_equal(pattern(lambda x: x[1:] * x[:-1], X), (band(5, 0, 1))[:4])
    assert_array_equal(pattern(lambda x: x[::-1], X), np.fliplr(np.eye(5, dtype=bool)))


def test_reductions_and_broadcasts():
    assert_array_equal(pattern(np.sum, X), np.ones(5, bool))
    assert_array_equal(pattern(lambda x: np.sum(x[:2]) * np.ones(3), X), np.tile(np.arange(5) < 2, (3, 1)))
    assert_array_equal(pattern(np.cumsum, X), np.tri(5, dtype=bool))


def test_results_without_derivatives():
    assert not pattern(np.floor, X).any()
    assert not pattern(lambda x: np.ones(3), X).any()
    assert not pattern(lambda x: x > 2.0, X).any()
    assert not pattern(np.argmax, X).any()


def test_trees():
    p = pattern(lambda t, y: {"a": t["x"] * y, "b": (t["z"],)}, {"x": X, "z": 1.0}, X)
    by_t, by_y = p["a"]
    assert_array_equal(by_t["x"], np.eye(5, dtype=bool))
    assert_array_equal(by_y, np.eye(5, dtype=bool))
    assert by_t["z"].shape == (5,)
    assert not by_t["z"].any()
    by_t, by_y = p["b"][0]
    assert by_t["z"]
    assert not by_t["x"].any()


def test_integer_arguments_have_no_derivatives():
    by_x, by_n = pattern(lambda x, n: x * n, X, np.arange(5))
    assert_array_equal(by_x, np.eye(5, dtype=bool))
    assert by_n.shape == (5, 5)
    assert not by_n.any()


def test_known_indices_are_exact():
    index = np.array([4, 0, 0])
    assert_array_equal(pattern(lambda x: x[index], X), np.eye(5, dtype=bool)[index])


def test_products_with_a_matrix():
    A = np.ones((2, 5))
    assert_array_equal(pattern(lambda x: A @ x, X), np.ones((2, 5), bool))


def test_the_branch_taken_decides():
    assert_array_equal(pattern(lambda x: x[0] if x[1] > 0 else x[2], X), np.arange(5) == 0)


def test_where_depends_on_both_branches():
    assert_array_equal(pattern(lambda x: np.where(x[:2] > 0, x[2:4], x[3:5]), X), [[0, 0, 1, 1, 0], [0, 0, 0, 1, 1]])


def test_shapes():
    M = np.ones((2, 3))
    assert pattern(lambda m: m[:, :2].T, M).shape == (2, 2, 2, 3)
    assert pattern(lambda x: x * 2.0, np.zeros(0)).shape == (0, 0)
    assert pattern(np.sin, 1.0).shape == ()


@pytest.mark.parametrize(
    "f",
    [
        lambda x: np.sin(x[1:] ** 2 - x[:-1]) / x[1:],
        lambda x: np.tanh(np.cumsum(x)) * x[0],
        lambda x: np.stack([x[0] * x[1], np.prod(x[2:]), x[3]]),
        lambda x: np.max(x) * x[:2],
        lambda x: np.outer(x[:2], x[3:]),
        xform.grad(lambda y: np.sum(y[1:] ** 2 * y[:-1])),
        lambda x: xform.jvp(lambda y: y[1:] * y[:-1] ** 2, (x,), (x,))[1],
        lambda x: xform.vmap(lambda a, b: a * b[0])(x[:2], np.stack([x[2:4], x[3:]])),
    ],
)
def test_patterns_cover_the_jacobian(f):
    p, J = pattern(f, X), xform.jacfwd(f)(X)
    assert p.shape == J.shape
    assert p[J != 0].all()


def test_inside_other_transformations():
    """The pattern is plain data: it may be asked for while the arguments are being differentiated."""

    def f(x):
        return np.sum(pattern(lambda y: y[1:] * y[:-1], x)) * np.sum(x * x)

    assert_array_equal(xform.grad(f)(X), 8 * 2 * X)
