"""jet: Taylor series of closed forms, JAX's convention, trees, several arguments and results, high order."""

import math

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import xform
from xform import float0

X = np.array([0.3, -0.7])


def along(f, x, order):
    """f and its derivatives at x by jet in the direction one."""
    y, ys = xform.jet(f, (x,), ((np.ones_like(x), *(np.zeros_like(x) for _ in range(order - 1))),))
    return [y, *ys]


@pytest.mark.parametrize(
    "f, derivative",
    [
        (np.exp, lambda x, k: np.exp(x)),
        (np.sin, lambda x, k: np.sin(x + k * np.pi / 2)),
        (np.cos, lambda x, k: np.cos(x + k * np.pi / 2)),
        (np.log, lambda x, k: np.log(x) if k == 0 else (-1) ** (k - 1) * math.factorial(k - 1) / x**k),
        (lambda x: 1.0 / x, lambda x, k: (-1) ** k * math.factorial(k) / x ** (k + 1)),
        (np.sqrt, lambda x, k: math.prod([0.5 - j for j in range(k)]) * x ** (0.5 - k)),
        (lambda x: x**3.7, lambda x, k: math.prod([3.7 - j for j in range(k)]) * x ** (3.7 - k)),
        (lambda x: x**4, lambda x, k: math.prod([4 - j for j in range(k)]) * x ** (4.0 - k)),
        (np.sinh, lambda x, k: np.sinh(x) if k % 2 == 0 else np.cosh(x)),
    ],
)
def test_derivatives_of_high_order(f, derivative):
    x = np.array([0.8, 1.7])
    for k, y in enumerate(along(f, x, 10)):
        assert_allclose(y, derivative(x, k), rtol=1e-11, atol=1e-11)


def test_tanh_of_order_twelve():
    wanted = [0, 1, 0, -2, 0, 16, 0, -272, 0, 7936, 0, -353792, 0]
    assert_allclose(along(np.tanh, np.float64(0.0), 12), wanted, rtol=1e-14)


def test_derivatives_not_coefficients():
    """For the curve x(t) with derivatives x1, x2, x3, by Faa di Bruno's formula."""
    x1, x2, x3 = np.array([0.5, 2.0]), np.array([-1.0, 0.3]), np.array([0.7, 0.1])
    y, (y1, y2, y3) = xform.jet(np.exp, (X,), ((x1, x2, x3),))
    assert_allclose(y, np.exp(X))
    assert_allclose(y1, np.exp(X) * x1)
    assert_allclose(y2, np.exp(X) * (x1**2 + x2))
    assert_allclose(y3, np.exp(X) * (x1**3 + 3 * x1 * x2 + x3))


def test_several_arguments():
    y, (y1, y2) = xform.jet(lambda a, b: a * b, (2.0, X), ((1.0, 4.0), (X, np.zeros(2))))
    assert_allclose(y, 2 * X)
    assert_allclose(y1, X + 2 * X)
    assert_allclose(y2, 2 * X + 4 * X)


def test_trees_in_and_out():
    def f(t):
        return {"product": t["a"] * t["b"][0], "constant": 3.0, "none": None, "same": t["a"]}

    first = {"a": 1.0, "b": [np.ones(2)]}
    second = {"a": 0.0, "b": [np.zeros(2)]}
    y, terms = xform.jet(f, ({"a": 2.0, "b": [X]},), ([first, second],))
    assert_allclose(y["product"], 2 * X)
    assert_allclose(terms["product"][0], X + 2.0)
    assert_allclose(terms["product"][1], [2.0, 2.0])
    assert y["constant"] == 3.0
    assert terms["constant"] == [0.0, 0.0]
    assert y["none"] is None
    assert terms["same"] == [1.0, 0.0]


def test_integers_and_booleans():
    n = np.array([2, 3])
    nothing = np.zeros(2, float0)
    y, terms = xform.jet(lambda x, n: (x**n, n + 1, x > 0), (X, n), ((np.ones(2), np.zeros(2)), (nothing, nothing)))
    assert_allclose(terms[0][0], [2 * X[0], 3 * X[1] ** 2])
    assert_allclose(terms[0][1], [2.0, 6 * X[1]])
    assert_array_equal(y[1], n + 1)
    assert terms[1][0].dtype == terms[2][1].dtype == float0


def test_single_precision_is_kept():
    x = X.astype(np.float32)
    y, terms = xform.jet(lambda x: np.exp(x) / (2.0 + x), (x,), ((np.ones_like(x),) * 4,))
    assert {t.dtype for t in (y, *terms)} == {np.dtype(np.float32)}


def test_control_flow_sees_the_zeroth_coefficient():
    y, (y1, y2) = xform.jet(lambda x: x**2 if x > 0 else -x, (3.0,), ((1.0, 0.0),))
    assert (y, y1, y2) == (9.0, 6.0, 2.0)


def test_order_one_is_jvp():
    def f(x):
        return np.sin(x) * np.sum(x * x) / (1.0 + x * x)

    _, (y1,) = xform.jet(f, (X,), ((X,),))
    assert_allclose(y1, xform.jvp(f, (X,), (X,))[1], rtol=1e-15)


def test_inside_and_around_other_transformations():
    def second(x):
        return xform.jet(lambda t: np.sin(t) * x, (x,), ((1.0, 0.0),))[1][1]

    # d^2/dt^2 sin(t) x at t = x is -x sin x
    assert_allclose(second(0.5), -0.5 * np.sin(0.5))
    assert_allclose(xform.grad(second)(0.5), -np.sin(0.5) - 0.5 * np.cos(0.5))
    assert_allclose(xform.vmap(second)(X), -X * np.sin(X))
    assert_allclose(xform.make_jaxpr(second)(0.5)(0.3)[0], -0.3 * np.sin(0.3))
    _, (y1, y2) = xform.jet(xform.grad(lambda x: np.sum(x**4)), (X,), ((np.ones(2), np.zeros(2)),))
    assert_allclose(y1, 12 * X**2)
    assert_allclose(y2, 24 * X)


def test_the_cost_grows_mildly_with_the_order():
    """Taylor mode costs O(order^2), nested derivatives 2^order: the number of eqns says which it is."""

    def size(order):
        def f(x):
            return xform.jet(lambda t: np.tanh(np.exp(np.sin(t))), (x,), ((1.0, *(0.0,) * (order - 1)),))

        return len(xform.make_jaxpr(f)(0.5).eqns)

    assert size(16) < 6 * size(8)
