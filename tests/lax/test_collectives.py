"""Permutations of examples and exchanges between them, against the batch indexed by NumPy."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal

import xform
from tests.messages import says
from xform import lax, vmap

X = np.arange(4 * 4 * 3 * 8.0).reshape(4, 4, 3, 8) / 100


def permuted(perm):
    return lambda x: lax.ppermute(x, "i", perm)


#: what it is called, what each example computes, and the same for the whole batch
TABLE = [
    ("cycle", permuted([(0, 1), (1, 2), (2, 3), (3, 0)]), lambda X: X[[3, 0, 1, 2]]),
    ("some", permuted([(0, 2), (3, 0)]), lambda X: np.stack([X[3], 0 * X[0], X[0], 0 * X[0]])),
    ("none", permuted([]), lambda X: 0 * X),
    ("shuffle", lambda x: lax.pshuffle(x, "i", [2, 0, 3, 1]), lambda X: X[np.array([2, 0, 3, 1])]),
    ("swap", lambda x: lax.pswapaxes(x, "i", 0), lambda X: X.swapaxes(0, 1)),
    ("to_an_axis_behind", lambda x: lax.all_to_all(x, "i", 0, 2), lambda X: X.transpose(1, 2, 3, 0)),
    ("negative", lambda x: lax.all_to_all(x, "i", -3, -1), lambda X: X.transpose(1, 2, 3, 0)),
    (
        "tiled",
        lambda x: lax.all_to_all(x, "i", 2, 1, tiled=True),
        lambda X: X.reshape(4, 4, 3, 4, 2).transpose(3, 1, 0, 2, 4).reshape(4, 4, 12, 2),
    ),
    (
        "tiled_in_place",
        lambda x: lax.all_to_all(x, "i", 2, 2, tiled=True),
        lambda X: X.reshape(4, 4, 3, 4, 2).transpose(3, 1, 2, 0, 4).reshape(4, 4, 3, 8),
    ),
    (
        "in_groups",
        lambda x: lax.all_to_all(x, "i", 2, 2, tiled=True, axis_index_groups=[[0, 2], [3, 1]]),
        lambda X: np.stack(
            [
                np.concatenate([X[0, ..., :4], X[2, ..., :4]], 2),
                np.concatenate([X[3, ..., 4:], X[1, ..., 4:]], 2),
                np.concatenate([X[0, ..., 4:], X[2, ..., 4:]], 2),
                np.concatenate([X[3, ..., :4], X[1, ..., :4]], 2),
            ]
        ),
    ),
    (
        "alone",
        lambda x: lax.pswapaxes(x[:1], "i", 0, axis_index_groups=[[0], [3], [1], [2]]),
        lambda X: X[:, :1],
    ),
]


def cases(test):
    return pytest.mark.parametrize("f, wanted", [row[1:] for row in TABLE], ids=[row[0] for row in TABLE])(test)


@cases
def test_values(f, wanted):
    mapped = vmap(f, axis_name="i")
    assert_array_equal(mapped(X), wanted(X))
    assert_array_equal(xform.make_jaxpr(mapped)(X)(X)[0], wanted(X))
    assert mapped(X.astype(np.int8)).dtype == np.int8


@cases
def test_derivatives(f, wanted):
    mapped = vmap(lambda x: f(np.sin(x)), axis_name="i")
    weights = np.cos(np.arange(mapped(X).size)).reshape(mapped(X).shape)
    outside = xform.grad(lambda X: np.sum(weights * wanted(np.sin(X))))(X)
    assert_array_equal(xform.grad(lambda X: np.sum(weights * mapped(X)))(X), outside)
    pushed = xform.jvp(mapped, (X,), (X,))[1]
    assert_array_equal(pushed, wanted(X * np.cos(X)))


@cases
def test_other_batches(f, wanted):
    batch = np.stack([X, 2 * X, X - 1])
    outs = np.stack([wanted(x) for x in batch])
    assert_array_equal(vmap(vmap(f, axis_name="i"))(batch), outs)
    inner = vmap(vmap(f, 0, 0, axis_name="o"), 1, 1, axis_name="i")(batch)  # the named axis is the outer one
    assert_array_equal(inner, outs)


def test_of_nested_names_each_has_its_own_axis():
    batch = np.stack([X, 2 * X, X - 1])

    def f(x):
        return lax.pshuffle(lax.pswapaxes(x, "inner", 0), "outer", [1, 2, 0])

    out = vmap(vmap(f, axis_name="inner"), axis_name="outer")(batch)
    assert_array_equal(out, batch.swapaxes(1, 2)[[1, 2, 0]])


def test_the_gradient_within_the_map_comes_from_the_receiver():
    weights = np.array([1.0, 10.0, 100.0, 1000.0])

    def f(x, w):
        return w * lax.ppermute(x, "i", [(0, 3), (2, 1)])

    assert_array_equal(vmap(xform.grad(f), axis_name="i")(X[:, 0, 0, 0], weights), [1000.0, 0.0, 10.0, 0.0])


def test_trees_and_values_that_all_examples_share():
    def f(x):
        tree = lax.all_to_all({"a": x, "b": (np.arange(4.0), [2 * x])}, "i", 0, 0)
        return tree, lax.ppermute(1.0, "i", [(0, 1)])

    tree, ones = vmap(f, axis_name="i")(X)
    assert_array_equal(tree["a"], X.swapaxes(0, 1))
    assert_array_equal(tree["b"][1][0], 2 * X.swapaxes(0, 1))
    assert_array_equal(tree["b"][0], np.repeat(np.arange(4.0)[:, None], 4, 1))
    assert_array_equal(ones, [0.0, 1.0, 0.0, 0.0])


def test_nothing_leaks_from_other_examples():
    x = np.array([1.0, np.nan, np.inf, 2.0])
    assert_array_equal(vmap(permuted([(0, 1), (3, 0)]), axis_name="i")(x), [2.0, 1.0, 0.0, 0.0])


def bad(f, error, *words):
    with says(error, *words):
        vmap(f, axis_name="i")(X)


def test_bad_input():
    for perm in ([(0, 4)], [(-1, 0)], [(0, 1, 2)], [(0,)]):
        bad(permuted(perm), ValueError, "ppermute", f"perm={perm}", "axis 'i' of 4 examples", "from 0 to 3")
    for perm in ([(0, 1), (0, 2)], [(0, 1), (2, 1)], [(0, 1), (0, 1)]):
        bad(permuted(perm), ValueError, "ppermute", "twice")
    bad(permuted([(0, 1.5)]), TypeError, "ppermute", "integers")
    bad(permuted([0, 1]), ValueError, "ppermute", "pairs (source, destination)")
    for perm in ([0, 1, 2], [0, 1, 2, 2], [1, 2, 3, 4]):
        bad(lambda x, perm=perm: lax.pshuffle(x, "i", perm), ValueError, "pshuffle", str(perm), "0 to 3 once")
    bad(lambda x: lax.all_to_all(x, "i", 1, 0), ValueError, "axis 1", "(4, 3, 8)", "4 examples", "tiled=True")
    bad(lambda x: lax.all_to_all(x, "i", 1, 0, tiled=True), ValueError, "axis 1", "a multiple of 4")
    bad(lambda x: lax.all_to_all(x, "i", 3, 0), np.exceptions.AxisError, "all_to_all", "3 dimensions")
    for groups in ([[0, 1], [2]], [[0, 1], [2, 2]], [[0], [1, 2, 3]], []):
        bad(
            lambda x, groups=groups: lax.pswapaxes(x, "i", 0, axis_index_groups=groups),
            ValueError,
            "axis_index_groups",
            "groups of one size",
        )
    with says(NameError, "'j' is unbound"):
        lax.ppermute(X, "j", [])
