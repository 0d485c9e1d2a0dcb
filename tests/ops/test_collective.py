"""Collective operations along a named axis, and their derivatives against the batch written out."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

from xform import grad, jacfwd, jacrev, jet, jvp, lax, make_jaxpr, vmap

X = np.array([1.0, 3.0, -0.5])


def test_values():
    assert_allclose(vmap(lambda x: x / lax.psum(x, "i"), axis_name="i")(X), X / X.sum())
    assert_allclose(vmap(lambda x: lax.pmean(x, "i"), axis_name="i")(X), np.full(3, X.mean()))
    assert_allclose(vmap(lambda x: lax.pmax(x, "i") - lax.pmin(x, "i"), axis_name="i")(X), np.full(3, np.ptp(X)))
    assert_allclose(vmap(lambda x: lax.all_gather(x, "i"), axis_name="i")(X), np.tile(X, (3, 1)))
    assert_allclose(vmap(lambda x: x * lax.axis_index("i") + lax.axis_size("i"), axis_name="i")(X), X * range(3) + 3)
    z = np.arange(9.0).reshape(3, 3)
    assert_allclose(vmap(lambda row: lax.psum_scatter(row, "i"), axis_name="i")(z), z.sum(axis=0))


def test_an_unbatched_value_counts_once_per_example():
    assert_allclose(vmap(lambda x: x + lax.psum(1.0, "i"), axis_name="i")(X), X + 3)


def test_trees():
    out = vmap(lambda t: lax.psum(t, "i"), axis_name="i")({"a": X, "b": (2 * X,)})
    assert_allclose(out["a"], np.full(3, X.sum()))
    assert_allclose(out["b"][0], np.full(3, 2 * X.sum()))


def test_nested_axes():
    A = np.arange(6.0).reshape(2, 3)

    def f(x):
        return lax.psum(x, "rows") * 10 + lax.psum(x, "columns")

    got = vmap(vmap(f, axis_name="columns"), axis_name="rows")(A)
    assert_allclose(got, 10 * A.sum(axis=0, keepdims=True) + A.sum(axis=1, keepdims=True))


def normalized(x):
    return x * x / lax.psum(x * x, "i")


def reference(X):
    return X * X / np.sum(X * X)


def test_derivatives_through_the_whole_map():
    mapped = vmap(normalized, axis_name="i")
    assert_allclose(jacfwd(mapped)(X), jacfwd(reference)(X), rtol=1e-12)
    assert_allclose(jacrev(mapped)(X), jacfwd(reference)(X), rtol=1e-12)
    assert_allclose(jvp(mapped, (X,), (X**2,))[1], jvp(reference, (X,), (X**2,))[1], rtol=1e-12)
    assert_allclose(jet(mapped, (X,), ((X, X, X),))[1], jet(reference, (X,), ((X, X, X),))[1], rtol=1e-10)


def test_grad_inside_the_map_is_of_the_sum_over_examples():
    inside = vmap(grad(normalized), axis_name="i")(X)
    outside = grad(lambda X: np.sum(reference(X)))(X)
    assert_allclose(inside, outside, atol=1e-15)


def test_scatter_is_the_transpose_of_gather():
    def f(z):
        return lax.psum_scatter(z**3, "i")

    Z = np.arange(9.0).reshape(3, 3) / 7
    assert_allclose(jacrev(vmap(f, axis_name="i"))(Z), jacfwd(lambda Z: np.sum(Z**3, axis=0))(Z))


def test_staged():
    jaxpr = make_jaxpr(vmap(normalized, axis_name="i"))(X)
    assert_allclose(jaxpr(X)[0], reference(X))


def test_unbound_name():
    with pytest.raises(NameError, match=r"axis name 'j' is unbound.*\['i'\]"):
        vmap(lambda x: lax.psum(x, "j"), axis_name="i")(X)
    with pytest.raises(NameError, match="wanted one of an enclosing vmap, which has none"):
        lax.axis_index("i")
