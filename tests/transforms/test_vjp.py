"""vjp and linear_transpose: trees, float0, auxiliary output, and whose memory the results are."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal

import xform
from xform import NonlinearError, float0

X, W = np.array([1.0, 2.0, 3.0]), np.array([0.5, -1.0, 2.0])


def test_the_pullback():
    y, pullback = xform.vjp(lambda x, s: np.sin(x) * s, X, 2.0)
    assert_array_equal(y, np.sin(X) * 2.0)
    x_bar, s_bar = pullback(W)
    np.testing.assert_allclose(x_bar, np.cos(X) * 2.0 * W, rtol=1e-15)
    np.testing.assert_allclose(s_bar, np.sum(np.sin(X) * W), rtol=1e-15)


def test_trees_in_and_out():
    def f(params, x):
        return {"h": params["W"][0] * x, "none": None, "pair": (params["b"], 7.0)}

    out, pullback = xform.vjp(f, {"W": [X], "b": np.float32(2.0)}, 0.5)
    assert out["none"] is None
    params_bar, x_bar = pullback({"h": W, "none": None, "pair": (3.0, 1.0)})
    assert_array_equal(params_bar["W"][0], W * 0.5)
    assert params_bar["b"] == 3.0
    assert params_bar["b"].dtype == np.float32
    assert x_bar == np.sum(X * W)


def test_the_pullback_can_be_called_again():
    _, pullback = xform.vjp(lambda x: np.exp(x[::-1]) * x[0], X)
    first = pullback(W)[0]
    again = pullback(W)[0]
    assert_array_equal(first, again)
    first[:] = 0.0
    assert_array_equal(pullback(W)[0], again)
    assert_array_equal(xform.vmap(lambda w: pullback(w)[0])(np.stack([W, 2 * W]))[1], pullback(2 * W)[0])


def test_integers_have_float0_cotangents():
    n = np.array([1, 2, 3])
    (y, m), pullback = xform.vjp(lambda x, n: (x * n, n + 1), X, n)
    assert m.dtype == n.dtype
    x_bar, n_bar = pullback((W, np.zeros(3, float0)))
    assert_array_equal(x_bar, W * n)
    assert (n_bar.dtype, n_bar.shape) == (float0, (3,))
    assert_array_equal(y, X * n)


def test_arguments_that_do_not_matter_have_zeros():
    _, pullback = xform.vjp(lambda x, y: x * 2.0, X, {"unused": np.ones((2, 1), np.float32)})
    _, unused = pullback(W)
    assert_array_equal(unused["unused"], np.zeros((2, 1)))
    assert unused["unused"].dtype == np.float32


def test_no_arguments_and_no_results():
    assert xform.vjp(lambda: 3.0)[1](1.0) == ()
    assert_array_equal(xform.vjp(lambda x: (), X)[1](())[0], np.zeros(3))


def test_auxiliary_output():
    y, pullback, aux = xform.vjp(lambda x: (x * x, (2 * x, "text")), X, has_aux=True)
    assert_array_equal(pullback(W)[0], 2 * X * W)
    assert_array_equal(aux[0], 2 * X)
    assert aux[1] == "text"
    assert_array_equal(y, X * X)


def test_auxiliary_output_keeps_the_derivatives_of_outer_transformations():
    def outer(x):
        return xform.vjp(lambda y: (y, x * x * y), 3.0, has_aux=True)[2]

    assert xform.grad(outer)(2.0) == 12.0
    assert xform.jvp(outer, (2.0,), (1.0,)) == (12.0, 12.0)
    assert_array_equal(xform.vmap(outer)(X), 3 * X * X)


# --- whose memory is it? ---

A = np.arange(6.0).reshape(2, 3)


@pytest.mark.parametrize(
    "f",
    [
        lambda x, y: x + y,
        lambda x, y: x,
        lambda x, y: (x, x, y),
        lambda x, y: x.T,
        lambda x, y: x.reshape(3, 2),
        lambda x, y: x[::-1] * 1.0 + y[:1],
        lambda x, y: np.sum(x) + np.sum(y),
        lambda x, y: x * A + A,
        lambda x, y: np.sum(x * A) + np.sum(y * A),
        lambda x, y: np.sum(x, axis=0) + 0 * y,
        lambda x, y: (np.broadcast_to(x[0], (2, 3)), y[0, 0]),
        lambda x, y: np.where(A > 2, x, y),
        lambda x, y: np.concatenate([x, y]),
        lambda x, y: A,
        lambda x, y: (np.exp(x), A),
    ],
)
def test_results_may_be_written_into_and_share_no_memory(f):
    x, y = A + 1.0, A + 2.0
    out, pullback = xform.vjp(f, x, y)
    bars = xform.tree.map(np.ones_like, out)
    outs, given = xform.tree.leaves(out), xform.tree.leaves(bars)
    results = [*pullback(bars), *xform.vjp(f, x, y)[1](bars)]
    assert all(r.flags.writeable for r in results)
    for k, r in enumerate(results):
        assert not any(np.shares_memory(r, other) for other in (*results[:k], *outs, *given, x, y, A))
    wanted = [r.copy() for r in results]
    for r in [*results[:2], *(o for o in outs if o.ndim)]:
        r[...] = 3.0
    for r, w in zip(pullback(bars), wanted, strict=False):
        assert_array_equal(r, w)
    assert_array_equal(A, np.arange(6.0).reshape(2, 3))


def test_gradients_may_be_written_into_and_share_no_memory():
    def f(params):
        a, b, c = params
        return np.sum(a + b) + np.sum(a * A) + c[0] + np.sum(c[1:])

    params = (A.copy(), A.copy(), np.ones(3))
    gradients = xform.grad(f)(params)
    for k, g in enumerate(gradients):
        assert g.flags.writeable
        assert not any(np.shares_memory(g, other) for other in (*gradients[:k], *params, A))
    gradients[0][:] = 0.0
    assert_array_equal(gradients[1], np.ones((2, 3)))


def test_later_writes_into_arguments_results_and_closures_change_nothing():
    x, big = X.copy(), np.ones((3, 200))
    y, pullback = xform.vjp(lambda t: np.exp(t) * np.sum(big * t[:, None], axis=1), x)
    wanted = pullback(W)[0]
    x[:], y[:], big[:] = 0.0, 0.0, 0.0
    assert_array_equal(pullback(W)[0], wanted)


# --- linear_transpose ---


def test_the_transpose_of_a_linear_function():
    M = np.arange(6.0).reshape(2, 3)
    transposed = xform.linear_transpose(lambda x: np.sum(M * x, axis=1) * 2.0, X)
    assert_array_equal(transposed(np.array([1.0, -1.0]))[0], 2 * (M[0] - M[1]))


def test_shapes_are_enough():
    aval = xform.Aval((3,), np.float32)
    (bar,) = xform.linear_transpose(lambda x: x[1:] - x[:-1], aval)(np.ones(2, np.float32))
    assert_array_equal(bar, [-1.0, 0.0, 1.0])
    assert bar.dtype == np.float32


def test_several_arguments_and_trees():
    transposed = xform.linear_transpose(lambda t, y: {"s": t["a"] + 2.0 * y, "r": t["b"][::-1]}, {"a": X, "b": X}, X)
    t_bar, y_bar = transposed({"s": W, "r": X})
    assert_array_equal(t_bar["a"], W)
    assert_array_equal(t_bar["b"], X[::-1])
    assert_array_equal(y_bar, 2.0 * W)


def test_transposing_twice_is_the_function_itself():
    def f(x):
        return np.cumsum(x)[::-1] * W

    transposed = xform.linear_transpose(f, X)
    twice = xform.linear_transpose(lambda y: transposed(y)[0], W)
    np.testing.assert_allclose(twice(X)[0], f(X), rtol=1e-15)


def test_the_transpose_can_be_transformed():
    transposed = xform.linear_transpose(lambda x: x * W, X)
    assert_array_equal(xform.vmap(transposed)(np.eye(3))[0], np.diag(W))
    assert_array_equal(xform.jvp(transposed, (X,), (W,))[1][0], W * W)
    g = xform.grad(lambda w: np.sum(xform.linear_transpose(lambda x: w * x, X)(W)[0]))(W)
    assert_array_equal(g, W)


def test_complex_transposes_are_plain():
    (bar,) = xform.linear_transpose(lambda z: (1 + 2j) * z, 0j)(1j)
    assert bar == (1 + 2j) * 1j


@pytest.mark.parametrize(
    "f",
    [
        np.sin,
        lambda x: x * x,
        lambda x: x + 1.0,
        lambda x: 1.0 - x,
        lambda x: 1.0 / x,
        lambda x: x**2,
        np.abs,
        lambda x: np.maximum(x, 0.0),
        lambda x: np.where(x > 0, x, 0.0),
        lambda x: np.where(np.array([True, False, True]), x, 1.0),
        lambda x: np.concatenate([x, np.ones(1)]),
        lambda x: x % 2.0,
        lambda x: np.sum(x) + 3.0,
        lambda x: np.ones(3),
        lambda x: (x, 1.0),
        np.cumprod,
        np.max,
        lambda x: np.sum(np.outer(x, x)),
    ],
)
def test_a_function_that_is_not_linear_is_refused(f):
    with pytest.raises(NonlinearError, match=r"linear_transpose|linear"):
        xform.linear_transpose(f, X)


def test_constants_that_are_zero_do_no_harm():
    (bar,) = xform.linear_transpose(lambda x: np.concatenate([x + 0.0, np.zeros(2)]), X)(np.arange(5.0))
    assert_array_equal(bar, [0.0, 1.0, 2.0])
