"""vmap against a Python loop: axes of arguments and results as trees, nesting, keyword arguments, sizes."""

from collections import namedtuple

import numpy as np
import pytest
from numpy.testing import assert_array_equal

import xform

rng = np.random.default_rng(1)
A, B, C = rng.normal(size=(3, 4)), rng.normal(size=(4, 3)), rng.normal(size=(2, 3, 4))
Pair = namedtuple("Pair", "first second")


def affine(x, y):
    return x * y + np.sum(x)


def looped(f, *columns):
    return np.stack([f(*row) for row in zip(*columns, strict=True)])


@pytest.mark.parametrize("axis", [0, 1, 2, -1, -2, -3])
def test_in_axes_of_an_array(axis):
    rows = np.moveaxis(C, axis, 0)
    assert_array_equal(xform.vmap(np.sin, in_axes=axis)(C), np.sin(rows))
    assert_array_equal(xform.vmap(lambda x: x[0], in_axes=axis)(C), rows[:, 0])


@pytest.mark.parametrize("axis", [0, 1, 2, -1, -2, -3])
def test_out_axes_of_an_array(axis):
    assert_array_equal(xform.vmap(np.sin, out_axes=axis)(C), np.moveaxis(np.sin(C), 0, axis))


def test_in_axes_per_argument():
    assert_array_equal(xform.vmap(affine, in_axes=(0, 1))(A, B), looped(affine, A, B.T))
    assert_array_equal(xform.vmap(affine, in_axes=(0, None))(A, B[:, 0]), looped(affine, A, [B[:, 0]] * 3))
    assert_array_equal(xform.vmap(affine, in_axes=(None, -1))(A[0], B), looped(affine, [A[0]] * 3, B.T))
    assert_array_equal(xform.vmap(affine, in_axes=[0, 1])(A, B), looped(affine, A, B.T))


def test_in_axes_as_a_tree_that_is_a_prefix():
    def f(tree, z):
        return tree["a"] * tree["b"].first + tree["b"].second[0] * z

    tree = {"a": A, "b": Pair(B, [A[:, 0], 2.0])}
    wanted = looped(lambda a, b, s: a * b + s * 10.0, A, B.T, A[:, 0])
    axes = {"a": 0, "b": Pair(1, [0, None])}
    assert_array_equal(xform.vmap(f, in_axes=(axes, None))(tree, 10.0), wanted)
    whole = {"a": A, "b": Pair(A, [A[:, 0], A[:, 1]])}
    wanted = looped(lambda a, s: a * a + s * 10.0, A, A[:, 0])
    assert_array_equal(xform.vmap(f, in_axes=(0, None))(whole, 10.0), wanted)
    assert_array_equal(xform.vmap(f, in_axes=({"a": 0, "b": 0}, None))(whole, 10.0), wanted)


def test_none_inside_a_tree_of_arguments_is_a_container():
    assert_array_equal(xform.vmap(lambda t: t[0] + 1.0)((A, None)), A + 1.0)
    assert_array_equal(xform.vmap(lambda t: t[0] + 1.0, in_axes=((0, None),))((A, None)), A + 1.0)


def test_out_axes_as_a_tree():
    def f(x):
        return {"a": x, "b": (np.sum(x), 3.0)}

    out = xform.vmap(f, out_axes={"a": 1, "b": (0, None)})(A)
    assert_array_equal(out["a"], A.T)
    assert_array_equal(out["b"][0], A.sum(axis=1))
    assert out["b"][1] == 3.0
    assert_array_equal(xform.vmap(f, out_axes={"a": -1, "b": 0})(A)["b"][1], np.full(3, 3.0))


def test_results_that_do_not_depend_on_the_batch_are_repeated():
    weights = rng.normal(size=4)
    out = xform.vmap(lambda x: (weights, 1.0, x))(A)
    assert_array_equal(out[0], np.tile(weights, (3, 1)))
    assert_array_equal(out[1], np.ones(3))
    out[0][0] = 0.0  # the rows are separate memory, and not that of the closure
    assert_array_equal(out[0][1], weights)


def test_out_axes_none_keeps_an_unbatched_result():
    weights = rng.normal(size=4)
    assert_array_equal(xform.vmap(lambda x: weights * 2, out_axes=None)(A), weights * 2)


def test_keyword_arguments_are_mapped_over_axis_0():
    def f(x, *, scale, offset=0.0):
        return x * scale + offset

    assert_array_equal(xform.vmap(f, in_axes=1)(B, scale=A[:, 0]), (B * A[:, 0]).T)
    assert_array_equal(xform.vmap(f)(A, scale=A, offset=C[0]), A * A + C[0])


def test_nested():
    table = xform.vmap(xform.vmap(affine, in_axes=(None, 0)), in_axes=(0, None))(A[:, 0], B[:, 0])
    assert_array_equal(table, A[:, 0, None] * B[:, 0] + A[:, 0, None])
    deep = xform.vmap(xform.vmap(xform.vmap(lambda x: x * x)))(C)
    assert_array_equal(deep, C * C)
    D = rng.normal(size=(3, 4, 2))
    crossed = xform.vmap(xform.vmap(lambda x, y: x - y, in_axes=(0, 1)), in_axes=(1, 0), out_axes=2)(C, D)
    assert_array_equal(crossed, C.transpose(0, 2, 1) - D.transpose(2, 1, 0))


def test_closures_over_an_outer_batch():
    out = xform.vmap(lambda x: xform.vmap(lambda y: x * y + x)(B))(A[:, :3])
    assert_array_equal(out, A[:, None, :3] * B + A[:, None, :3])


def test_axis_size_without_mapped_arguments():
    assert_array_equal(xform.vmap(lambda: np.ones(2), axis_size=3)(), np.ones((3, 2)))
    assert_array_equal(xform.vmap(lambda x: x, in_axes=None, axis_size=2)(A), np.stack([A, A]))
    assert_array_equal(xform.vmap(np.exp, axis_size=3)(A), np.exp(A))


@pytest.mark.parametrize("size", [0, 1])
def test_empty_and_single_batches(size):
    x = rng.normal(size=(size, 4))
    assert_array_equal(xform.vmap(affine)(x, x), x * x + x.sum(axis=1, keepdims=True))
    assert_array_equal(xform.vmap(xform.grad(lambda r: np.sum(r**3)))(x), 3 * x**2)


def test_integers_booleans_and_dtypes():
    n = np.arange(6).reshape(3, 2)
    out = xform.vmap(lambda k: (k // 2, k % 2 == 0, k * np.float32(2)))(n)
    assert_array_equal(out[0], n // 2)
    assert_array_equal(out[1], n % 2 == 0)
    assert [o.dtype for o in out] == [(n // 2).dtype, np.bool_, (n * np.float32(2)).dtype]


def test_per_example_gradients():
    W = rng.normal(size=4)

    def loss(w, x):
        return np.tanh(np.sum(w * x)) ** 2

    wanted = looped(xform.grad(loss), [W] * 3, A)
    np.testing.assert_allclose(xform.vmap(xform.grad(loss), in_axes=(None, 0))(W, A), wanted, rtol=1e-14)


def test_a_batch_through_reverse_mode():
    """grad of a function that vmaps inside: closures over the differentiated value are summed over."""
    x = rng.normal(size=4)
    g = xform.grad(lambda w: np.sum(xform.vmap(lambda row: np.sin(np.sum(row * w)))(A)))(x)
    np.testing.assert_allclose(g, np.cos(A @ x) @ A, rtol=1e-13)


def test_the_function_keeps_its_name_and_is_called_once():
    calls = []

    def named(x):
        calls.append(x.shape)
        return x

    mapped = xform.vmap(named)
    mapped(A)
    assert mapped.__name__ == "named"
    assert calls == [(4,)]
