"""grad and value_and_grad: their options, Python control flow, recursion, and what their results look like."""

from functools import partial

import numpy as np
import pytest
from numpy.testing import assert_array_equal

import xform
from xform import float0

X = np.array([1.0, 2.0, 3.0])


def f(x, y, z):
    return np.sum(x * x) + 10.0 * y + 100.0 * z * y


# --- argnums ---


@pytest.mark.parametrize("argnums", [0, -3, np.int64(0)])
def test_one_argument(argnums):
    assert_array_equal(xform.grad(f, argnums)(X, 2.0, 3.0), 2 * X)


@pytest.mark.parametrize("argnums", [1, -2])
def test_another_argument(argnums):
    assert xform.grad(f, argnums)(X, 2.0, 3.0) == 310.0


@pytest.mark.parametrize("argnums", [(0, 1, 2), [0, 1, 2], (-3, -2, -1)])
def test_several_arguments(argnums):
    gradients = xform.grad(f, argnums)(X, 2.0, 3.0)
    assert type(gradients) is tuple
    assert_array_equal(gradients[0], 2 * X)
    assert gradients[1:] == (310.0, 200.0)


def test_the_order_of_argnums_is_the_order_of_the_gradients():
    last, first = xform.grad(f, (2, 0))(X, 2.0, 3.0)
    assert last == 200.0
    assert_array_equal(first, 2 * X)


def test_a_tuple_of_one():
    (g,) = xform.grad(f, (1,))(X, 2.0, 3.0)
    assert g == 310.0
    assert xform.grad(f, ())(X, 2.0, 3.0) == ()


def test_keyword_arguments_are_not_differentiated():
    assert_array_equal(xform.grad(f)(X, z=3.0, y=2.0), 2 * X)
    assert xform.grad(f, 1)(X, 2.0, z=3.0) == 310.0
    assert xform.grad(lambda x, mode="square": x**2 if mode == "square" else x**3)(3.0, mode="cube") == 27.0


def test_other_arguments_may_be_anything():
    def g(name, x, options, callback, nothing=None):
        assert (name, options, nothing) == ("text", {"flag": True}, None)
        return callback(x)

    assert xform.grad(g, 1)("text", 3.0, {"flag": True}, lambda x: x * x) == 6.0


def test_partials_methods_and_callables():
    class Model:
        def __init__(self, w):
            self.w = w

        def __call__(self, x):
            return self.w * x * x

        def loss(self, x):
            return self(x) + 1.0

    model = Model(2.0)
    assert xform.grad(model)(3.0) == xform.grad(model.loss)(3.0) == 12.0
    assert xform.grad(partial(f, X))(2.0, 3.0) == 310.0
    assert xform.grad(np.sin)(0.0) == 1.0


# --- trees, aux, values ---


def test_trees():
    params = {"layers": [(np.ones((2, 3)), np.zeros(2)), None], "scale": np.float32(2.0)}

    def loss(params, x):
        (W, b), _ = params["layers"]
        return params["scale"] * np.sum(np.tanh(np.sum(W * x, axis=1) + b))

    g = xform.grad(loss)(params, X / 10)
    assert xform.tree.structure(g) == xform.tree.structure(params)
    slope = 2.0 * (1 - np.tanh(0.6) ** 2)
    np.testing.assert_allclose(g["layers"][0][0], np.outer(np.ones(2), X / 10) * slope, rtol=1e-6)
    np.testing.assert_allclose(g["layers"][0][1], np.full(2, slope), rtol=1e-6)
    assert g["scale"].dtype == np.float32


def test_value_and_grad():
    value, g = xform.value_and_grad(f, (0, 1))(X, 2.0, 3.0)
    assert value == f(X, 2.0, 3.0)
    assert_array_equal(g[0], 2 * X)
    assert g[1] == 310.0


def test_auxiliary_output():
    def g(x):
        return np.sum(x**3), {"square": x * x, "text": "as it is", "number": 3}

    gradient, aux = xform.grad(g, has_aux=True)(X)
    assert_array_equal(gradient, 3 * X * X)
    assert_array_equal(aux["square"], X * X)
    assert (aux["text"], aux["number"]) == ("as it is", 3)
    (value, aux), gradient = xform.value_and_grad(g, has_aux=True)(X)
    assert value == np.sum(X**3)
    assert_array_equal(aux["square"], X * X)
    assert_array_equal(gradient, 3 * X * X)


def test_auxiliary_output_keeps_the_derivatives_of_outer_transformations():
    def outer(x):
        g, aux = xform.grad(lambda y: (x * y**2, (x * y, x)), has_aux=True)(3.0)
        return g + aux[0] * aux[1]

    assert xform.grad(outer)(2.0) == 6.0 + 12.0  # 6 x + 3 x^2
    assert xform.jvp(outer, (2.0,), (1.0,)) == (24.0, 18.0)
    assert_array_equal(xform.vmap(outer)(X), 6 * X + 3 * X * X)


# --- dtypes ---


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, np.longdouble])
def test_gradients_have_the_dtype_of_the_argument(dtype):
    x = np.array([1.0, 2.0], dtype)
    assert xform.grad(lambda x: np.sum(np.exp(x) * x / 3.0))(x).dtype == dtype
    assert xform.grad(lambda x: np.sum(x) * np.float64(2))(x).dtype == dtype
    assert type(xform.grad(lambda x: x * x)(dtype(2.0))) is dtype


def test_allow_int():
    g = xform.grad(lambda x, n: np.sum(x * n), (0, 1), allow_int=True)(X, np.array([1, 2, 3]))
    assert_array_equal(g[0], [1, 2, 3])
    assert (g[1].dtype, g[1].shape) == (float0, (3,))
    assert xform.grad(lambda n: 1.0 * n, allow_int=True)(3).dtype == float0


def test_holomorphic():
    z = 1.0 + 2.0j
    assert abs(xform.grad(lambda z: z**3 + np.exp(z), holomorphic=True)(z) - (3 * z**2 + np.exp(z))) < 1e-14
    second = xform.grad(xform.grad(np.sin, holomorphic=True), holomorphic=True)
    assert abs(second(z) + np.sin(z)) < 1e-14


# --- programs ---


def test_branches_loops_and_recursion():
    def collatz(x, n):
        while n != 1:
            n, x = (n // 2, x * 0.5) if n % 2 == 0 else (3 * n + 1, 3 * x + 1.0)
        return x

    assert xform.grad(collatz)(6.0, 6) == 9 / 64

    def power(x, n):
        if n == 0:
            return 1.0
        half = power(x, n // 2)
        return half * half * (x if n % 2 else 1.0)

    np.testing.assert_allclose(xform.grad(power)(1.1, 13), 13 * 1.1**12, rtol=1e-14)

    def root(x):
        y = x
        while abs(y * y - x) > 1e-14:
            y = 0.5 * (y + x / y)
        return y

    np.testing.assert_allclose(xform.grad(root)(2.0), 0.5 / np.sqrt(2.0), rtol=1e-12)


def test_masks_and_sorting_by_value():
    g = xform.grad(lambda x: np.sum(x[x > 1.5] ** 2))(X)
    assert_array_equal(g, [0.0, 4.0, 6.0])


def test_exceptions_leave_no_trace_behind():
    def broken(x):
        raise RuntimeError("from the user's function")

    for transformed in (
        xform.grad(broken),
        lambda x: xform.jvp(broken, (x,), (x,)),
        lambda x: xform.jet(broken, (x,), ((x,),)),
        lambda x: xform.vmap(broken)(np.ones(2) * x),
        xform.make_jaxpr(broken),
        lambda x: xform.linear_transpose(broken, x),
        lambda x: xform.sparsity_pattern(broken, x),
    ):
        with pytest.raises(RuntimeError, match="from the user's function"):
            transformed(1.0)
        assert xform.grad(lambda x: x * x)(3.0) == 6.0


def test_generators_see_the_trace_in_which_they_run():
    def terms(x):
        for k in range(4):
            yield x**k

    assert xform.grad(lambda x: sum(terms(x)))(2.0) == 1 + 4 + 12


# --- zero times infinity ---


@pytest.mark.parametrize(
    "branch, points",
    [
        (np.sqrt, (0.0, -1.0)),
        (np.log, (0.0, -1.0)),
        (np.cbrt, (0.0,)),
        (np.arcsin, (1.0, -1.0, 2.0)),
        (np.arccos, (1.0,)),
        (np.arccosh, (1.0,)),
        (np.arctanh, (1.0,)),
        (np.log1p, (-1.0,)),
        (lambda x: 1.0 / x, (0.0,)),
        (lambda x: x / x, (0.0,)),
        (lambda x: x**0.5, (0.0, -1.0)),
        (lambda x: x**-1, (0.0,)),
        (lambda x: x**-1.5, (0.0,)),
        (lambda x: x**x, (0.0,)),
        (lambda x: np.arctan2(x, x), (0.0,)),
        (lambda x: np.hypot(x, x), (0.0,)),
        (lambda x: np.log(np.sqrt(x)), (0.0,)),
        (np.reciprocal, (0.0,)),
    ],
)
def test_a_branch_not_taken_has_no_derivative(branch, points):
    """where(False, g(x), 2 x) has the derivative 2, however singular g is; in both modes, for scalars and arrays."""

    def chosen(x):
        return np.where(np.zeros(np.shape(x), bool), branch(x), 2.0 * x)

    with np.errstate(all="ignore"):
        for x in (*points, np.array(points), np.array(points, np.float32)):
            ones = np.ones_like(x)
            assert_array_equal(xform.grad(lambda x: np.sum(chosen(x)))(x), 2 * ones)
            assert_array_equal(xform.jvp(chosen, (x,), (ones,))[1], 2 * ones)
            assert_array_equal(xform.vjp(chosen, x)[1](ones)[0], 2 * ones)
            assert_array_equal(xform.jvp(xform.grad(lambda x: np.sum(chosen(x))), (x,), (ones,))[1], 0 * ones)
            jaxpr = xform.make_jaxpr(xform.grad(lambda x: np.sum(chosen(x))))(x)
            assert_array_equal(jaxpr(x)[0], 2 * ones)


def test_zero_tangents_times_singular_partials():
    with np.errstate(all="ignore"):
        x, v = np.array([0.0, 4.0]), np.array([0.0, 1.0])
        assert_array_equal(xform.jvp(np.sqrt, (x,), (v,))[1], [0.0, 0.25])
        assert_array_equal(xform.linearize(np.sqrt, x)[1](v), [0.0, 0.25])
        assert_array_equal(xform.vjp(np.sqrt, x)[1](v)[0], [0.0, 0.25])
        assert_array_equal(xform.grad(lambda x: np.sqrt(x)[1])(x), [0.0, 0.25])


@pytest.mark.parametrize(
    "f, x, wanted",
    [
        (np.abs, 0.0, 0.0),
        (lambda x: np.maximum(x, 0.0), 0.0, 0.5),
        (lambda x: np.hypot(x, 0.0), 0.0, 0.0),
        (np.sign, 0.0, 0.0),
        (lambda x: x**2, 0.0, 0.0),
        (lambda x: x**2.0, 0.0, 0.0),
        (lambda x: x**1, 0.0, 1.0),
        (lambda x: x**0, 0.0, 0.0),
        (lambda x: x**0.0, 0.0, 0.0),
        (lambda x: 0.0**x, 1.0, 0.0),
        (lambda x: (-2.0) ** x, 2.0, np.nan),
        (lambda x: np.maximum(x, x), 1.0, 1.0),
        (lambda x: np.minimum(x, 3.0), 3.0, 0.5),
        (np.sinc, 0.0, 0.0),
        (lambda x: np.logaddexp(x, x), -np.inf, 1.0),
        (lambda x: np.arctan2(x, -0.0), 1.0, 0.0),
        (np.tanh, np.inf, 0.0),
        (np.exp, -np.inf, 0.0),
        (lambda x: np.float_power(x, 2), -3.0, -6.0),
    ],
)
def test_values_at_kinks_and_edges(f, x, wanted):
    with np.errstate(all="ignore"):
        assert_array_equal(xform.grad(f)(x), wanted)
        assert_array_equal(xform.jvp(f, (x,), (1.0,))[1], wanted)
