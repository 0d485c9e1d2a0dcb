"""custom_root against closed forms and unrolled searches, in every mode; what it refuses."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import scipy.optimize

import xform
from tests.control.agreement import WORDS, Point, assert_agree
from tests.messages import says
from xform import grad, hessian, jacfwd, jacobian, jet, make_jaxpr, sparsity_pattern, vmap
from xform.core.errors import ConcretizationError
from xform.lax import custom_linear_solve, custom_root, while_loop

rng = np.random.default_rng(0)
N = 3
W = rng.normal(size=(N, N)) * 0.4
x = rng.normal(size=N)
POINT = Point(W, x, (rng.normal(size=(3, N, N)) * 0.4, rng.normal(size=(3, N))))


def newton(f: Any, x: Any) -> Any:
    """Python on numbers."""
    while np.max(abs(f(x))) > 1e-14:
        x = x - np.linalg.solve(jacfwd(f)(x), f(x))
    return x


def staged_newton(f: Any, x: Any) -> Any:
    return while_loop(lambda x: (f(x) ** 2).sum() > 1e-28, lambda x: x - np.linalg.solve(jacfwd(f)(x), f(x)), x)


def by_scipy(f: Any, x: Any) -> Any:
    return scipy.optimize.root(f, x, tol=1e-15).x


def by_matrix(g: Any, y: Any) -> Any:
    return np.linalg.solve(jacobian(g)(y), y)


def by_python(g: Any, y: Any) -> Any:
    """A linear solve that cannot be staged."""

    def solve(matvec: Any, y: Any) -> Any:
        assert np.all(np.asarray(y) < 1e300)
        return by_matrix(matvec, y)

    return custom_linear_solve(g, y, solve, solve)


def equilibrium(solve: Any, tangent_solve: Any) -> Any:
    """The sum of cubes of the z with z = tanh(W z + x)."""
    return lambda W, x: (custom_root(lambda z: z - np.tanh(W @ z + x), np.zeros(N), solve, tangent_solve) ** 3).sum()


def unrolled(W: Any, x: Any) -> Any:
    """Steps of Newton's method, differentiated one by one."""
    z = np.zeros(N)
    for _ in range(8):
        t = np.tanh(W @ z + x)
        z = z - np.linalg.solve(np.eye(N) - (1 - t**2)[:, None] * W, z - t)
    return (z**3).sum()


CASES = {
    "python, matrix": (newton, by_matrix),
    "staged, matrix": (staged_newton, by_matrix),
    "python, python": (newton, by_python),
    "scipy, matrix": (by_scipy, by_matrix),
}


@pytest.mark.parametrize("word", WORDS)
@pytest.mark.parametrize("case", CASES)
def test_agrees_with_the_unrolled_search(case: str, word: str):
    assert_agree(WORDS[word](POINT, equilibrium(*CASES[case])), WORDS[word](POINT, unrolled), 1e-10)


def scalar_newton(f: Any, x: Any) -> Any:
    while abs(f(x)) > 1e-15 * max(1, abs(x)):
        step = f(x) / grad(f)(x)
        if abs(step) < 1e-16 * abs(x):
            break
        x = x - step
    return x


def power_root(n: int) -> Any:
    return lambda a: custom_root(lambda x: x**n - a, 1.5, scalar_newton, lambda g, y: y / g(1.0))


def test_derivatives_of_high_order():
    """d^k/da^k a^(1/3) = (1/3) (1/3 - 1) ... a^(1/3 - k)."""
    f, factor = power_root(3), 1.0
    series = jet(f, (2.0,), ((1.0, 0.0, 0.0, 0.0, 0.0),))[1]
    for k in range(5):
        factor *= 1 / 3 - k
        assert math.isclose(series[k], factor * 2 ** (1 / 3 - k - 1), rel_tol=1e-10)
    nested = grad(grad(grad(f)))(2.0)
    assert math.isclose(nested, series[2], rel_tol=1e-10)


def test_root_of_a_polynomial_in_its_coefficients():
    """At a root of sum_k c_k x^k, dx/dc_k = -x^k / p'(x) (Wilkinson 1963)."""
    c = np.array([-6.0, 11.0, -6.0, 1.0])  # (x - 1)(x - 2)(x - 3)
    powers = np.arange(4)

    def root(c: Any) -> Any:
        return custom_root(lambda x: (c * x**powers).sum(), 2.9, scalar_newton, lambda g, y: y / g(1.0))

    wanted = -(3.0**powers) / 2  # p'(3) = (3 - 1)(3 - 2)
    assert_agree(root(c), 3.0, 1e-12)
    assert_agree(grad(root)(c), wanted, 1e-10)
    # d^2 x / dc_j dc_k by differentiating p'(x) dx/dc_k = -x^k once more, with p''(3) = 6
    x, d = 3.0, wanted
    slopes = powers * x ** (powers - 1.0)
    second = -(np.outer(slopes, d) + np.outer(d, slopes) + 6 * np.outer(d, d)) / 2
    assert_agree(hessian(root)(c), second, 1e-8)


def test_minimum_found_by_newton():
    """Ridge regression: w = (X^T X + r)^-1 X^T y, so dw/dr = -(X^T X + r)^-1 w."""
    X, y = rng.normal(size=(20, N)), rng.normal(size=20)

    def loss(w: Any, r: Any) -> Any:
        return ((X @ w - y) ** 2).sum() / 2 + r * (w**2).sum() / 2

    def minimum(r: Any) -> Any:
        return custom_root(grad(lambda w: loss(w, r)), np.zeros(N), newton, by_matrix)

    inverse = np.linalg.inv(X.T @ X + 0.7 * np.eye(N))
    w = inverse @ X.T @ y
    assert_agree(minimum(0.7), w, 1e-10)
    assert_agree(jacfwd(minimum)(0.7), -inverse @ w, 1e-10)
    assert_agree(xform.jacrev(minimum)(0.7), -inverse @ w, 1e-10)
    assert_agree(jacfwd(jacfwd(minimum))(0.7), 2 * inverse @ inverse @ w, 1e-10)
    validation = rng.normal(size=(10, N)), rng.normal(size=10)
    hyper = grad(lambda r: ((validation[0] @ minimum(r) - validation[1]) ** 2).sum())(0.7)
    assert_agree(hyper, 2 * (validation[0] @ w - validation[1]) @ validation[0] @ -inverse @ w, 1e-10)


def test_unknown_is_a_tree_and_aux_comes_along():
    """u^2 = a, u v = b."""

    def f(a: Any, b: Any) -> Any:
        def equations(z: Any) -> Any:
            return {"u": z["u"] ** 2 - a, "v": z["u"] * z["v"] - b}

        def solve(f: Any, z: Any) -> Any:
            z = {"u": while_loop(lambda u: abs(u * u - a) > 1e-14, lambda u: (u + a / u) / 2, z["u"]), "v": z["v"]}
            return {"u": z["u"], "v": b / z["u"]}, (z["u"] * 0 + 5.0)

        def tangent_solve(g: Any, y: Any) -> Any:
            one, zero = np.ones(()), np.zeros(())
            first, second = g({"u": one, "v": zero}), g({"u": zero, "v": one})
            u = y["u"] / first["u"]
            return {"u": u, "v": (y["v"] - first["v"] * u) / second["v"]}

        z, aux = custom_root(equations, {"u": 1.0, "v": 1.0}, solve, tangent_solve, has_aux=True)
        return z["u"] * 3 + z["v"] * aux

    p = Point(2.0, 3.0, (np.array([1.0, 2.0, 3.0]), np.array([2.0, 1.0, 4.0])))
    for word in ("value", "grad", "jvp of grad", "mixed", "jet", "vmap of grad", "staged vmap of grad"):
        reference = WORDS[word](p, lambda a, b: 3 * a**0.5 + 5 * b / a**0.5)
        assert_agree(WORDS[word](p, f), reference, 1e-10)


def test_complex_root_of_a_holomorphic_function():
    def root(a: Any) -> Any:
        def solve(f: Any, z: Any) -> Any:
            for _ in range(30):
                z = z - f(z) / grad(f, holomorphic=True)(z)
            return z

        return custom_root(lambda z: z * z - a, 1.0 + 1.0j, solve, lambda g, y: y / g(1.0 + 0j))

    a = 3.0 + 4.0j
    assert_agree(root(a), 2.0 + 1.0j, 1e-12)
    assert_agree(grad(root, holomorphic=True)(a), 0.5 / (2.0 + 1.0j), 1e-10)
    assert_agree(xform.jvp(root, (a,), (1j,))[1], 0.5j / (2.0 + 1.0j), 1e-10)


def test_tangent_solve_closes_over_traced_values():
    def root(a: Any) -> Any:
        return custom_root(lambda x: x * a - 1.0, 1.0, lambda f, x: x - f(x) / grad(f)(x), lambda g, y: y / a)

    assert_agree(grad(root)(4.0), -1 / 16, 1e-12)
    assert_agree(grad(grad(root))(4.0), 2 / 64, 1e-12)
    assert_agree(vmap(grad(root))(np.array([1.0, 2.0])), np.array([-1.0, -0.25]), 1e-12)


def test_no_derivative_in_the_guess():
    def root(guess: Any) -> Any:
        return custom_root(lambda x: x**2 - 2.0, guess, scalar_newton, lambda g, y: y / g(1.0))

    assert grad(root)(1.0) == 0
    assert_agree(vmap(root)(np.array([1.0, 3.0, -1.0])), np.sqrt(2.0) * np.array([1.0, 1.0, -1.0]), 1e-12)
    assert sparsity_pattern(root, 1.0) == np.False_
    assert sparsity_pattern(power_root(2), 2.0) == np.True_


def test_single_precision_stays_single():
    f = equilibrium(six_steps, by_matrix)
    gradients = grad(f, (0, 1))(W.astype(np.float32), x.astype(np.float32))
    assert {g.dtype for g in gradients} == {np.dtype(np.float32)}
    assert_agree(gradients, grad(unrolled, (0, 1))(W, x), 1e-4)


def six_steps(f: Any, z: Any) -> Any:
    for _ in range(6):
        z = z - np.linalg.solve(jacfwd(f)(z), f(z))
    return z


def test_errors():
    def solve(f: Any, x: Any) -> Any:
        return x

    def tangent(g: Any, y: Any) -> Any:
        return y

    with says(TypeError, "custom_root of", "initial_guess is i64[]", "initial_guess.astype(float) or 1.0"):
        custom_root(lambda x: x, 1, solve, tangent)
    with says(TypeError, "f(x) has the structure", "that of initial_guess"):
        custom_root(lambda x: (x,), 1.0, lambda f, x: f(x), tangent)
    with says(TypeError, "f(x)[0] is f64[3]", "wanted f64[2]"):
        grad(lambda a: custom_root(lambda x: [a * np.ones(3)], [np.zeros(2)], solve, tangent)[0].sum())(1.0)
    with says(TypeError, "the result of solve is f64[1]", "wanted f64[2]"):
        custom_root(lambda x: x, np.zeros(2), lambda f, x: x[:1], tangent)
    with says(TypeError, "the result of tangent_solve is f64[1]", "wanted f64[2]"):
        grad(lambda a: custom_root(lambda x: a * x, np.zeros(2), solve, lambda g, y: y[:1]).sum())(1.0)
    with says(TypeError, "the argument of g is f64[3]", "wanted f64[2]"):
        grad(lambda a: custom_root(lambda x: a * x, np.zeros(2), solve, lambda g, y: g(np.ones(3))).sum())(1.0)
    with says(TypeError, "solve must return a pair (solution, aux)"):
        custom_root(lambda x: x, 1.0, solve, tangent, has_aux=True)
    with says(TypeError, "NoneType None", "wanted a function"):
        custom_root(lambda x: x, 1.0, solve, None)  # type: ignore[arg-type]


def test_what_cannot_be_staged_is_told_what_to_do():
    def tangent(g: Any, y: Any) -> Any:
        return y / g(1.0) if y > 0 else -y / g(1.0)

    with says(ConcretizationError, "tangent_solve is differentiated", "custom_linear_solve(g, y, solve"):
        grad(lambda a: custom_root(lambda x: x - a, 1.0, lambda f, x: x - f(x), tangent))(2.0)
    with says(ConcretizationError, "custom_root of"):
        grad(lambda a: custom_root(lambda x: x - a if x > 0 else x, 1.0, lambda f, x: x - f(x), tangent))(2.0)


def test_a_guess_that_is_batched_alone():
    out = make_jaxpr(vmap(lambda x: custom_root(lambda x: x - 1.0, x, lambda f, x: x - f(x), lambda g, y: y)))(
        np.ones(3)
    )
    assert_agree(out(np.zeros(3)), np.ones(3), 1e-15)
