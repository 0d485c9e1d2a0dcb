"""jvp and linearize: trees, auxiliary output, integers and their float0 tangents, dtypes, laziness of zeros."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal

import xform
from xform import float0

X, V = np.array([1.0, 2.0, 3.0]), np.array([0.5, -1.0, 2.0])


def by_jvp(f, primals, tangents):
    return xform.jvp(f, primals, tangents)


def by_linearize(f, primals, tangents):
    out, f_jvp = xform.linearize(f, *primals)
    return out, f_jvp(*tangents)


both = pytest.mark.parametrize("push", [by_jvp, by_linearize])


@both
def test_the_directional_derivative(push):
    y, y_dot = push(lambda x: x * x * np.sin(x), (X,), (V,))
    assert_array_equal(y, X * X * np.sin(X))
    np.testing.assert_allclose(y_dot, (2 * X * np.sin(X) + X * X * np.cos(X)) * V, rtol=1e-15)


@both
def test_trees_in_and_out(push):
    def f(params, x):
        return {"h": np.tanh(params["W"][0] * x), "none": None, "pair": (params["b"], x)}

    params, dots = {"W": [X], "b": 2.0}, {"W": [V], "b": 1.0}
    y, y_dot = push(f, (params, 0.5), (dots, 0.25))
    assert y["none"] is y_dot["none"] is None
    slope = 1 - np.tanh(X * 0.5) ** 2
    np.testing.assert_allclose(y_dot["h"], slope * (V * 0.5 + X * 0.25), rtol=1e-14)
    assert y_dot["pair"] == (1.0, 0.25)


@both
def test_python_numbers_become_numpy_scalars(push):
    y, y_dot = push(lambda x, y: (x * y, 3.0), (2.0, 5.0), (1.0, 0))
    assert [type(v) for v in (*y, *y_dot)] == [np.float64] * 4
    assert (*y, *y_dot) == (10.0, 3.0, 5.0, 0.0)


@both
def test_integers_have_float0_tangents(push):
    n, nothing = np.array([1, 2, 3]), np.zeros(3, float0)
    (y, m, flag), (y_dot, m_dot, flag_dot) = push(lambda x, n: (x * n, n * 2, x > 1.5), (X, n), (V, nothing))
    assert_array_equal(y_dot, V * n)
    assert m_dot.dtype == flag_dot.dtype == float0
    assert m_dot.shape == flag_dot.shape == (3,)
    assert_array_equal(y, X * n)
    assert_array_equal(m, 2 * n)
    assert_array_equal(flag, [False, True, True])


@both
def test_single_precision_is_kept(push):
    x, v = X.astype(np.float32), V.astype(np.float32)
    y, y_dot = push(lambda x: np.exp(x) / 3.0 + x**2, (x,), (v,))
    assert y.dtype == y_dot.dtype == np.float32


@both
def test_results_that_do_not_depend_on_the_input(push):
    y, y_dot = push(lambda x: (X * 2, x[:0], 1, x), (X,), (V,))
    assert_array_equal(y_dot[0], np.zeros(3))
    assert y_dot[1].shape == (0,)
    assert y_dot[2].dtype == float0
    assert_array_equal(y_dot[3], V)
    assert_array_equal(y[0], X * 2)


@both
def test_the_primal_is_concrete(push):
    """Python's control flow sees the values."""

    def f(x):
        if x > 1.0 and int(x) in {1, 2}:
            return x * x
        return -x

    assert push(f, (1.5,), (1.0,)) == (2.25, 3.0)
    assert push(f, (0.5,), (1.0,)) == (-0.5, -1.0)


def test_auxiliary_output():
    def f(x):
        return x * x, {"twice": 2 * x, "text": "as it is"}

    y, y_dot, aux = xform.jvp(f, (X,), (V,), has_aux=True)
    assert_array_equal(y, X * X)
    assert_array_equal(y_dot, 2 * X * V)
    assert_array_equal(aux["twice"], 2 * X)
    assert aux["text"] == "as it is"
    _, f_jvp, aux = xform.linearize(f, X, has_aux=True)
    assert_array_equal(f_jvp(V), 2 * X * V)
    assert_array_equal(aux["twice"], 2 * X)


def test_auxiliary_output_keeps_the_derivatives_of_outer_transformations():
    def outer(x):
        _, _, aux = xform.jvp(lambda y: (y, x * y), (3.0,), (1.0,), has_aux=True)
        _, _, other = xform.linearize(lambda y: (y, x * x * y), 3.0, has_aux=True)
        return aux + other

    assert xform.jvp(outer, (2.0,), (1.0,)) == (18.0, 15.0)
    assert xform.grad(outer)(2.0) == 15.0


def test_linearize_once_and_apply_often():
    calls = []

    def f(x):
        calls.append(1)
        return np.sin(x) * x

    y, f_jvp = xform.linearize(f, X)
    for v in (V, X, np.zeros(3)):
        assert_array_equal(f_jvp(v), xform.jvp(f, (X,), (v,))[1])
    assert len(calls) == 4
    assert_array_equal(y, np.sin(X) * X)


def test_the_linear_function_can_be_transformed():
    _, f_jvp = xform.linearize(lambda x: x**3, X)
    assert_array_equal(xform.jvp(f_jvp, (V,), (X,))[1], 3 * X**2 * X)
    assert_array_equal(xform.vmap(f_jvp)(np.eye(3)), np.diag(3 * X**2))
    np.testing.assert_allclose(xform.linear_transpose(f_jvp, X)(V)[0], 3 * X**2 * V)
    assert "mul" in str(xform.make_jaxpr(f_jvp)(V))


def test_linearize_does_not_see_later_writes_into_its_inputs():
    x = X.copy()
    _, f_jvp = xform.linearize(lambda y: y * y, x)
    x[:] = 0.0
    assert_array_equal(f_jvp(V), 2 * X * V)


def test_zero_tangents_are_not_computed():
    """The tangent of a constant operand costs nothing: infinite partials in it do not turn into nan."""
    y, y_dot = xform.jvp(lambda x: x ** np.array([0.0, 1.0, 2.0]), (np.zeros(3),), (np.ones(3),))
    assert_array_equal(y_dot, [0.0, 1.0, 0.0])
    assert_array_equal(y, [1.0, 0.0, 0.0])


def test_higher_derivatives_by_nesting():
    f = np.tanh
    for k, wanted in enumerate([0.0, 1.0, 0.0, -2.0, 0.0, 16.0, 0.0, -272.0]):
        assert abs(f(0.0) - wanted) < 1e-11, k
        f = (lambda g: lambda x: xform.jvp(g, (x,), (1.0,))[1])(f)


def test_a_traced_python_number_is_a_tangent_of_any_precision():
    for dtype in (np.float64, np.float32):
        x = dtype(0.5)
        tangent = xform.jit(lambda v, x=x: xform.jvp(np.square, (x,), (v,))[1])(3.0)
        assert tangent == 3.0
        assert tangent.dtype == dtype
