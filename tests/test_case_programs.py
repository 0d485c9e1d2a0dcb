"""Functions and programs from five lectures on automatic differentiation, against closed forms.

[R] Richter, Beyond Backpropagation     [S] Sun, Computing Derivatives     [M] Manzoni, Introduction to AD
[L] Louppe, Lecture 3: Automatic differentiation                           test_cases.py has their tables of traces.
"""

from functools import reduce
from itertools import pairwise

import numpy as np
import pytest
from numpy.testing import assert_allclose

from xform import finite_differences as fd
from xform import grad, hessian, hvp, jacfwd, jet, jvp, make_jaxpr, vjp, vmap
from xform.testing import check_grads, check_vmap

close = {"rtol": 1e-12, "atol": 1e-12}


# ---- [L] tanh ----


def tanh(x):
    y = np.exp(-2.0 * x)
    return (1.0 - y) / (1.0 + y)


def tanh_derivatives(x):
    """tanh and its first four derivatives, as polynomials in t = tanh x."""
    t = np.tanh(x)
    s = 1 - t**2
    return [t, s, -2 * t * s, (6 * t**2 - 2) * s, (16 * t - 24 * t**3) * s]


def forward_derivative(f):
    return lambda x: jvp(f, (x,), (np.ones_like(x),))[1]


def reverse_derivative(f):
    return lambda x: vjp(f, x)[1](np.ones_like(x))[0]


POINTS = np.array([-3.0, -1.0, -0.3, 0.0, 0.2, 1.0, 2.5])


@pytest.mark.parametrize("modes", ["ffff", "rrrr", "frfr", "rfrf", "ffrr", "rrff"])
def test_tanh_to_the_fourth_derivative(modes: str):
    derivative = {"f": forward_derivative, "r": reverse_derivative}
    f = tanh
    assert_allclose(f(POINTS), np.tanh(POINTS), **close)
    for mode, exact in zip(modes, tanh_derivatives(POINTS)[1:], strict=True):
        f = derivative[mode](f)
        assert_allclose(f(POINTS), exact, **close)


@pytest.mark.parametrize("x", POINTS)
def test_grad_of_grad_of_tanh(x: float):
    f, exact = tanh, tanh_derivatives(x)
    for order in range(1, 5):
        f = grad(f)
        assert_allclose(f(x), exact[order], **close)


def test_taylor_series_of_tanh():
    for f in (tanh, np.tanh):
        value, derivatives = jet(f, (POINTS,), ([np.ones_like(POINTS)] + [np.zeros_like(POINTS)] * 3,))
        for found, exact in zip([value, *derivatives], tanh_derivatives(POINTS), strict=True):
            assert_allclose(found, exact, **close)


def test_tanh_of_a_batch():
    check_vmap(grad(grad(tanh)), (POINTS,))


# ---- [R] logistic map ----


def logistic(x, n: int):
    """l_1 = x, l_{t+1} = 4 l_t (1 - l_t); l_n."""
    for _ in range(n - 1):
        x = 4 * x * (1 - x)
    return x


def logistic_recursive(x, n: int):
    if n == 1:
        return x
    before = logistic_recursive(x, n - 1)
    return 4 * before * (1 - before)


def logistic_4_derivative(x):
    """The product rule term by term, as the lecture prints it."""
    a, b, c = 1 - x, 1 - 2 * x, 1 - 8 * x + 8 * x**2
    return 128 * x * a * (16 * x - 8) * b**2 * c + 64 * a * b**2 * c**2 - 64 * x * b**2 * c**2 - 256 * x * a * b * c**2


LOGISTIC = {
    1: (lambda x: x, lambda x: 1.0),
    2: (lambda x: 4 * x * (1 - x), lambda x: 4 * (1 - x) - 4 * x),
    3: (lambda x: 16 * x * (1 - x) * (1 - 2 * x) ** 2, lambda x: 16 * (1 - 10 * x + 24 * x**2 - 16 * x**3)),
    4: (
        lambda x: 64 * x * (1 - x) * (1 - 2 * x) ** 2 * (1 - 8 * x + 8 * x**2) ** 2,
        logistic_4_derivative,
    ),
}


@pytest.mark.parametrize("program", [logistic, logistic_recursive])
@pytest.mark.parametrize("x", [0.0, 0.1, 0.2, 0.37, 0.5, 0.75, 0.99, 1.0, -0.2])
@pytest.mark.parametrize("n", LOGISTIC)
def test_logistic_map(n: int, x: float, program):
    value, derivative = LOGISTIC[n]
    assert_allclose(program(x, n), value(x), **close)
    assert_allclose(grad(program)(x, n), derivative(x), **close)
    found, tangent = jvp(lambda x: program(x, n), (x,), (1.0,))
    assert_allclose(found, value(x), **close)
    assert_allclose(tangent, derivative(x), **close)


def test_expression_swell_is_absent():
    """The formula of l_n grows like 2^n; its program and the program of the derivative by a constant per step."""
    for program in (logistic, grad(logistic)):
        sizes = [len(make_jaxpr(lambda x, n=n, f=program: f(x, n))(0.2).eqns) for n in range(2, 12)]
        assert len(set(np.diff(sizes))) == 1


def test_logistic_map_of_many_points_and_steps():
    x = np.linspace(0.05, 0.95, 11)
    assert_allclose(vmap(grad(lambda x: logistic(x, 4)))(x), LOGISTIC[4][1](x), **close)
    # sin^2(2^(n-1) t) for x = sin^2 t, so the derivative in t is 2^(n-1) sin(2^n t).
    t, n = 0.3, 12
    assert_allclose(grad(lambda t: logistic(np.sin(t) ** 2, n))(t), 2 ** (n - 1) * np.sin(2**n * t), rtol=1e-9)


# ---- [S, M] finite differences beside the exact derivatives ----


def test_finite_differences_by_columns():
    """The Jacobian of Manzoni's pair: its columns from steps along e_k, its product with p from one step along p."""

    def f(x):
        return np.stack([x[0] * x[1] + np.cos(x[0]), x[1] ** 3 + np.log(x[0]) - x[1]])

    x, p = np.array([2.0, 3.0]), np.array([0.6, -0.8])
    exact = np.array([[3 - np.sin(2), 2], [0.5, 26]])
    h = 1e-6
    columns = [(f(x + h * e) - f(x)) / h for e in np.eye(2)]
    assert_allclose(fd.jacobian(f, x, "forward", h), np.stack(columns, axis=1), rtol=1e-8)
    assert_allclose(fd.jacobian(f, x), exact, rtol=1e-8)
    assert_allclose(fd.directional(f, x, p), exact @ p, rtol=1e-8)
    assert_allclose(jvp(f, (x,), (p,))[1], exact @ p, **close)


def test_finite_differences_of_hessians():
    """(H + H^T)/2 from gradients, products H p from two gradients."""

    def f(x):
        return x[0] ** 2 * np.sin(x[1]) + np.exp(x[0] * x[2])

    x, p = np.array([0.4, -1.2, 0.7]), np.array([1.0, 2.0, -0.5])
    a, b, c = x
    e = np.exp(a * c)
    exact = np.array(
        [
            [2 * np.sin(b) + c * c * e, 2 * a * np.cos(b), (1 + a * c) * e],
            [2 * a * np.cos(b), -a * a * np.sin(b), 0],
            [(1 + a * c) * e, 0, a * a * e],
        ]
    )
    assert_allclose(hessian(f)(x), exact, **close)
    assert_allclose(hvp(f, (x,), (p,)), exact @ p, **close)
    assert_allclose(fd.hessian(f, x, grad=grad(f)), exact, rtol=1e-7, atol=1e-8)
    assert_allclose(fd.hessian(f, x), exact, rtol=1e-5, atol=1e-6)
    assert_allclose(fd.hvp(grad(f), x, p), exact @ p, rtol=1e-7)


def test_errors_of_the_three_ways():
    """O(h) one-sided and O(h^2) central, then the round-off wall; automatic differentiation has no h."""
    g, exact = (lambda x: np.cos(5 * x**2)), -20 * np.sin(20)

    def error(scheme, h):
        return abs(fd.gradient(g, 2.0, scheme, h) - exact)

    for scheme, ratio in (("forward", 10), ("backward", 10), ("central", 100)):
        assert_allclose(error(scheme, 1e-3) / error(scheme, 1e-4), ratio, rtol=0.1)
        assert error(scheme, 1e-13) > 100 * error(scheme, fd.best_step(scheme=scheme))
    assert abs(grad(g)(2.0) - exact) < 1e-14 * abs(exact)


# ---- [S, R] programs whose gradients have a formula ----


def test_least_squares():
    """[S] 1/2 |y - A x|^2 with n = 500, p = 100: the gradient is -A^T (y - A x), and 500 steps find the solution."""
    rng = np.random.default_rng(0)
    A = rng.normal(size=(500, 100))
    y = A @ rng.normal(size=100) + 0.1 * rng.normal(size=500)

    def loss(x):
        r = y - A @ x
        return 0.5 * (r @ r)

    x = rng.normal(size=100)
    exact = -A.T @ (y - A @ x)
    assert_allclose(grad(loss)(x), exact, rtol=1e-12, atol=1e-12 * np.abs(exact).max())
    assert_allclose(jacfwd(loss)(x), exact, rtol=1e-12, atol=1e-12 * np.abs(exact).max())
    assert_allclose(hessian(loss)(x), A.T @ A, rtol=1e-12, atol=1e-10)
    step = 1 / np.linalg.eigvalsh(A.T @ A)[-1]
    gradient = grad(loss)
    for _ in range(500):
        x = x - step * gradient(x)
    assert_allclose(x, np.linalg.solve(A.T @ A, A.T @ y), rtol=1e-9, atol=1e-9)


def test_three_layer_linear_network():
    """[S] sum |y_i - W3 W2 W1 x_i|^2: the gradient in W2 is -2 sum_i W3^T (y_i - W3 W2 W1 x_i) (W1 x_i)^T."""
    rng = np.random.default_rng(1)
    W1, W2, W3 = rng.normal(size=(4, 3)), rng.normal(size=(5, 4)), rng.normal(size=(2, 5))
    X, Y = rng.normal(size=(7, 3)), rng.normal(size=(7, 2))

    def loss(W1, W2, W3):
        return sum(np.sum((y - W3 @ (W2 @ (W1 @ x))) ** 2) for x, y in zip(X, Y, strict=True))

    residuals = [y - W3 @ W2 @ W1 @ x for x, y in zip(X, Y, strict=True)]
    exact = (
        -2 * sum(np.outer(W2.T @ W3.T @ r, x) for x, r in zip(X, residuals, strict=True)),
        -2 * sum(np.outer(W3.T @ r, W1 @ x) for x, r in zip(X, residuals, strict=True)),
        -2 * sum(np.outer(r, W2 @ W1 @ x) for x, r in zip(X, residuals, strict=True)),
    )
    for found, formula in zip(grad(loss, argnums=(0, 1, 2))(W1, W2, W3), exact, strict=True):
        assert_allclose(found, formula, rtol=1e-12, atol=1e-11)

    def vectorized(W):
        return np.sum((Y - X @ W[0].T @ W[1].T @ W[2].T) ** 2)

    for derivative in (grad, jacfwd):
        for found, formula in zip(derivative(vectorized)([W1, W2, W3]), exact, strict=True):
            assert_allclose(found, formula, rtol=1e-12, atol=1e-11)


def test_deep_network():
    """[S] sum |y - s(W_k s(... s(W_1 x)))|^2 by the recursion of backpropagation."""
    rng = np.random.default_rng(2)
    sizes = [3, 6, 5, 4, 2]
    weights = [rng.normal(size=(m, n)) for n, m in pairwise(sizes)]
    x, y = rng.normal(size=3), rng.normal(size=2)

    def loss(weights):
        out = reduce(lambda a, W: np.tanh(W @ a), weights, x)
        return np.sum((y - out) ** 2)

    activations = [x]
    for W in weights:
        activations.append(np.tanh(W @ activations[-1]))
    bar, exact = -2 * (y - activations[-1]), []
    for W, before, after in zip(weights[::-1], activations[-2::-1], activations[:0:-1], strict=True):
        bar = bar * (1 - after**2)
        exact.insert(0, np.outer(bar, before))
        bar = W.T @ bar
    for found, formula in zip(grad(loss)(weights), exact, strict=True):
        assert_allclose(found, formula, **close)
    check_grads(loss, (weights,), order=2)


def test_relu_network():
    """[S] |y - W2 max(W1 x, 0)|^2"""
    rng = np.random.default_rng(3)
    W1, W2, x, y = rng.normal(size=(6, 4)), rng.normal(size=(3, 6)), rng.normal(size=4), rng.normal(size=3)

    def loss(W1, W2):
        return np.sum((y - W2 @ np.maximum(W1 @ x, 0)) ** 2)

    hidden = np.maximum(W1 @ x, 0)
    r = y - W2 @ hidden
    found = grad(loss, argnums=(0, 1))(W1, W2)
    assert_allclose(found[0], -2 * np.outer((W2.T @ r) * (hidden > 0), x), **close)
    assert_allclose(found[1], -2 * np.outer(r, hidden), **close)


def test_support_vector_machine():
    """[R] |w|^2 + C sum max(0, 1 - y (w phi + b)): 2 w - C sum y phi over the points inside the margin."""
    rng = np.random.default_rng(4)
    features, labels, C = rng.normal(size=(40, 3)), rng.choice([-1.0, 1.0], 40), 0.7

    def loss(w, b):
        return w @ w + C * np.sum(np.maximum(0, 1 - labels * (features @ w + b)))

    w, b = rng.normal(size=3), 0.2
    inside = labels * (features @ w + b) < 1
    found = grad(loss, argnums=(0, 1))(w, b)
    assert_allclose(found[0], 2 * w - C * labels[inside] @ features[inside], **close)
    assert_allclose(found[1], -C * labels[inside].sum(), **close)
