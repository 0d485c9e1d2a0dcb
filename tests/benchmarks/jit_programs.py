"""The programs that jit is measured with: each written once, for any package with JAX's names.

A program is a function of the package (its transformations and its NumPy) that gives the function to be jitted.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

rng = np.random.default_rng(0)


class Program(NamedTuple):
    """The maker of a function, and arguments for it; what a table wants of it, as a ratio to JAX."""

    make: Callable[[Any, Any], Callable[..., Any]]
    args: tuple[Any, ...]
    target: str = ""


# ---- losses and simulations ----


def waves(xf: Any, np: Any) -> Callable[..., Any]:
    return lambda x: np.sum(np.tanh(x) * np.exp(-(x**2)) + np.sin(x))


def mlp(xf: Any, np: Any) -> Callable[..., Any]:
    def loss(params, x, y):
        for W, b in params[:-1]:
            x = np.tanh(x @ W + b)
        W, b = params[-1]
        return np.mean((x @ W + b - y) ** 2)

    return loss


def network(sizes: list[int], batch: int) -> tuple[Any, ...]:
    params = [(rng.normal(size=(m, n)) / m**0.5, rng.normal(size=n)) for m, n in itertools.pairwise(sizes)]
    return params, rng.normal(size=(batch, sizes[0])), rng.normal(size=(batch, sizes[-1]))


def pendulum(xf: Any, np: Any, steps: int = 10_000, h: float = 1e-3) -> Callable[..., Any]:
    """Energy-like result of a damped pendulum after steps of RK4."""

    def slope(state):
        return np.stack([state[1], -9.81 * np.sin(state[0]) - 0.1 * state[1]])

    def step(state, _):
        k1 = slope(state)
        k2 = slope(state + h / 2 * k1)
        k3 = slope(state + h / 2 * k2)
        k4 = slope(state + h * k3)
        return state + h / 6 * (k1 + 2 * k2 + 2 * k3 + k4), None

    return lambda state: np.sum(xf.lax.scan(step, state, None, length=steps)[0] ** 2)


def wave_equation(xf: Any, np: Any, steps: int = 200) -> Callable[..., Any]:
    """The misfit of a wave after steps of leapfrog, as a function of the squared speed at each place."""

    def misfit(speed, start, wanted):
        def step(state, _):
            before, u = state
            bend = np.concatenate([np.zeros(1), u[2:] - 2 * u[1:-1] + u[:-2], np.zeros(1)])
            return (u, 2 * u - before + speed * bend), None

        (_, u), _ = xf.lax.scan(step, (start, start), None, length=steps)
        return np.sum((u - wanted) ** 2)

    return misfit


def rosenbrock(xf: Any, np: Any) -> Callable[..., Any]:
    return lambda x: np.sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)


def stencil(xf: Any, np: Any) -> Callable[..., Any]:
    """A step of nonlinear diffusion on a grid of 20 x 20."""

    def step(u):
        u = u.reshape(20, 20)
        p = np.pad(u, 1)
        return (u * u + 0.1 * (p[2:, 1:-1] + p[:-2, 1:-1] + p[1:-1, 2:] + p[1:-1, :-2] - 4 * u)).reshape(-1)

    return step


def lstm(xf: Any, np: Any) -> Callable[..., Any]:
    def sigmoid(z):
        return 1 / (1 + np.exp(-z))

    def loss(params, xs):
        U, V, b = params
        n = V.shape[0]

        def step(state, x):
            h, c = state
            i, f, g, o = np.split(x @ U + h @ V + b, 4)
            c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
            h = sigmoid(o) * np.tanh(c)
            return (h, c), h

        _, hs = xf.lax.scan(step, (np.zeros(n), np.zeros(n)), xs)
        return np.sum(hs**2)

    return loss


def solves(xf: Any, np: Any) -> Callable[..., Any]:
    return lambda A, b: np.sum(xf.vmap(np.linalg.solve)(A, b) ** 2)


def attention(xf: Any, np: Any, heads: int = 4) -> Callable[..., Any]:
    def loss(params, x):
        (T, D), (Q, K, V, last) = x.shape, params
        q, k, v = ((x @ W).reshape(T, heads, D // heads).transpose(1, 0, 2) for W in (Q, K, V))
        s = np.einsum("htd,hsd->hts", q, k) / (D // heads) ** 0.5
        e = np.exp(s - xf.lax.stop_gradient(np.max(s, axis=-1, keepdims=True)))
        a = e / np.sum(e, axis=-1, keepdims=True)
        return np.sum((np.einsum("hts,hsd->htd", a, v).transpose(1, 0, 2).reshape(T, D) @ last) ** 2)

    return loss


def bodies(xf: Any, np: Any) -> Callable[..., Any]:
    """The softened energy of bodies that attract each other."""

    def energy(p):
        d = p[:, None] - p[None]
        return -np.sum(1 / np.sqrt(np.sum(d * d, -1) + 1e-3))

    return energy


# ---- derivatives of them ----


def grad(f: Callable[..., Any], argnums: Any = 0) -> Callable[..., Any]:
    return lambda xf, np: xf.grad(f(xf, np), argnums=argnums)


def value_and_grad(f: Callable[..., Any], argnums: Any = 0) -> Callable[..., Any]:
    return lambda xf, np: xf.value_and_grad(f(xf, np), argnums=argnums)


def hessian(f: Callable[..., Any]) -> Callable[..., Any]:
    return lambda xf, np: xf.hessian(f(xf, np))


def jacobian(f: Callable[..., Any]) -> Callable[..., Any]:
    return lambda xf, np: xf.jacfwd(f(xf, np))


MLP = network([64, 128, 128, 10], 128)

MICRO: dict[str, Program] = {
    **{
        f"sum tanh(x) exp(-x^2) + sin x, {n:.0e}": Program(grad(waves), (rng.normal(size=int(n)),), "at most 0.5")
        for n in (1e3, 1e5, 1e6)
    },
    "MLP 64-128-128-10, batch 128": Program(value_and_grad(mlp), MLP, "at most 0.9"),
    "pendulum, 10 000 steps, value": Program(pendulum, (rng.normal(size=2),), "at most 0.7"),
    "pendulum, 10 000 steps, gradient": Program(value_and_grad(pendulum), (rng.normal(size=2),), "at most 0.7"),
}

PROGRAMS: dict[str, Program] = {
    "Hessian of Rosenbrock 50": Program(hessian(rosenbrock), (rng.normal(size=50),)),
    "Jacobian of a 20 x 20 stencil": Program(jacobian(stencil), (rng.normal(size=400),)),
    "LSTM of 32, 200 steps": Program(
        value_and_grad(lstm),
        (
            (rng.normal(size=(16, 128)) / 4, rng.normal(size=(32, 128)) / 6, rng.normal(size=128)),
            rng.normal(size=(200, 16)),
        ),
    ),
    "1000 solves, 3 x 3": Program(
        value_and_grad(solves, (0, 1)), (rng.normal(size=(1000, 3, 3)) + 3 * np.eye(3), rng.normal(size=(1000, 3)))
    ),
    "attention, 64 x 64, 4 heads": Program(
        value_and_grad(attention), ([rng.normal(size=(64, 64)) / 8 for _ in range(4)], rng.normal(size=(64, 64)))
    ),
    "64 bodies": Program(value_and_grad(bodies), (rng.normal(size=(64, 3)),)),
}

COMPILED: dict[str, Program] = {
    "MLP, gradient": Program(grad(mlp), MLP),
    "wave equation, gradient": Program(
        grad(wave_equation),
        (0.2 + 0.1 * rng.random(200), np.exp(-(np.linspace(-5, 5, 200) ** 2)), np.zeros(200)),
    ),
    "Rosenbrock 50, Hessian": Program(hessian(rosenbrock), (rng.normal(size=50),)),
}

WITH_NUMPY: dict[str, Program] = {
    "sum tanh(x) exp(-x^2) + sin x, 10": Program(grad(waves), (rng.normal(size=10),)),
    "sum tanh(x) exp(-x^2) + sin x, 1e+03": MICRO["sum tanh(x) exp(-x^2) + sin x, 1e+03"],
    "MLP 8-16-16-2, batch 8": Program(value_and_grad(mlp), network([8, 16, 16, 2], 8)),
    "MLP 64-128-128-10, batch 128": MICRO["MLP 64-128-128-10, batch 128"],
    "pendulum, 1000 steps, gradient": Program(
        value_and_grad(lambda xf, np: pendulum(xf, np, 1000)), (rng.normal(size=2),)
    ),
    **PROGRAMS,
}


# ---- by hand ----


def waves_by_hand(x: Any) -> Any:
    t, e = np.tanh(x), np.exp(-(x**2))
    return (1 - t * t - 2 * x * t) * e + np.cos(x)


def mlp_by_hand(params: Any, x: Any, y: Any) -> Any:
    """Loss and gradient of `mlp`, as one writes them for NumPy."""
    inputs = [x]
    for W, b in params[:-1]:
        inputs.append(np.tanh(inputs[-1] @ W + b))
    W, b = params[-1]
    r = inputs[-1] @ W + b - y
    loss, bar, grads = np.mean(r * r), r * (2 / r.size), []
    for (W, _), h in zip(params[::-1], inputs[::-1], strict=True):
        grads.append((h.T @ bar, bar.sum(0)))
        if h is not x:
            bar = (bar @ W.T) * (1 - h * h)
    return loss, grads[::-1]
