"""The programs of GradBench's evals hello, llsq, lse, gmm, ba, ode and saddle, for any package with JAX's names.

Each is clear array code without a derivative made by hand. The definitions are those of the suite
(https://github.com/gradbench/gradbench, heir of ADBench); inputs are random, of the suite's small and medium sizes.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

Make = Callable[[Any, Any], Callable[..., Any]]


class Case(NamedTuple):
    """An eval at a size: the group it counts to, makers of its functions from a package, and their arguments.

    The functions in `beyond` need reverse mode through a while loop, which JAX does not have.
    """

    group: str
    functions: dict[str, Make]
    args: tuple[Any, ...]
    beyond: tuple[str, ...] = ()


# ---- llsq, lse: a polynomial fit, a sum of exponentials ----


def llsq(xf: Any, np: Any) -> Callable[..., Any]:
    """1/2 sum_i (sign t_i - sum_j x_j t_i^j)^2, the polynomial by Horner's rule."""

    def misfit(x, t):
        value, _ = xf.lax.scan(lambda s, c: (s * t + c, None), np.zeros(t.shape), x[::-1])
        return 0.5 * np.sum((np.sign(t) - value) ** 2)

    return misfit


def logsumexp(np: Any, x: Any, axis: int = 0) -> Any:
    top = np.max(x, axis=axis, keepdims=True)
    return np.squeeze(top + np.log(np.sum(np.exp(x - top), axis=axis, keepdims=True)), axis=axis)


def lse(xf: Any, np: Any) -> Callable[..., Any]:
    return lambda x: logsumexp(np, x)


# ---- gmm: the log posterior of a mixture of Gaussians with a Wishart prior ----


def triangle(d: int) -> Any:
    """Of each entry of a lower triangular d x d matrix the place in (its columns below the diagonal, diagonal, 0)."""
    below = d * (d - 1) // 2
    places = np.full((d, d), below + d)
    places.T[np.triu_indices(d, 1)] = np.arange(below)
    places[np.diag_indices(d)] = below + np.arange(d)
    return places


def gmm(xf: Any, np: Any, m: int = 0, gamma: float = 1.0) -> Callable[..., Any]:
    def posterior(parameters, x):
        alpha, means, q, below = parameters
        (k, d), n = means.shape, x.shape[0]
        entries = np.concatenate([below, np.exp(q), np.zeros((k, 1))], axis=1)
        factors = entries[:, triangle(d)]
        z = np.einsum("kij,knj->kni", factors, x - means[:, None])
        terms = (alpha + np.sum(q, axis=1))[:, None] - 0.5 * np.sum(z * z, axis=2)
        fit = np.sum(logsumexp(np, terms)) - n * (0.5 * d * math.log(2 * math.pi) + logsumexp(np, alpha))
        squares = np.sum(np.exp(q) ** 2) + np.sum(below**2)
        freedom = d + m + 1
        log_gamma = 0.25 * d * (d - 1) * math.log(math.pi) + sum(math.lgamma(0.5 * (freedom - j)) for j in range(d))
        constant = k * (freedom * d * math.log(gamma / math.sqrt(2)) - log_gamma)
        return fit + constant - (0.5 * gamma**2 * squares - m * np.sum(q))

    return posterior


# ---- ba: bundle adjustment ----


def pixel(np: Any, camera: Any, point: Any) -> Any:
    """Where a camera (rotation, centre, focal length, principal point, distortion) sees a point."""
    rotation, away = camera[:3], point - camera[3:6]
    square = np.sum(rotation**2)
    turns = square > 0
    angle = np.sqrt(np.where(turns, square, 1.0))
    axis = rotation / angle
    cos, sin = np.cos(angle), np.sin(angle)
    turned = away * cos + np.cross(axis, away) * sin + axis * (np.dot(axis, away) * (1 - cos))
    seen = np.where(turns, turned, away + np.cross(rotation, away))
    p = seen[:2] / seen[2]
    r = np.sum(p**2)
    return camera[6] * p * (1 + camera[9] * r + camera[10] * r**2) + camera[7:9]


def residual(np: Any) -> Callable[..., Any]:
    return lambda camera, point, weight, feature: weight * (pixel(np, camera, point) - feature)


def ba(xf: Any, np: Any) -> Callable[..., Any]:
    """The errors of all observations, and of their weights."""

    def errors(cameras, points, weights, features, by, of):
        return xf.vmap(residual(np))(cameras[by], points[of], weights, features), 1 - weights**2

    return errors


def ba_jacobian(xf: Any, np: Any) -> Callable[..., Any]:
    """The sparse Jacobian in CSR form: two rows of 15 for each observation, then one of one entry for each weight."""

    def jacobian(cameras, points, weights, features, by, of):
        blocks = xf.vmap(xf.jacrev(residual(np), argnums=(0, 1, 2)))(cameras[by], points[of], weights, features)
        count, behind = len(weights), 11 * len(cameras)
        entries = np.concatenate([blocks[0], blocks[1], blocks[2][..., None]], axis=2)
        last = behind + 3 * len(points) + np.arange(count)
        columns = [11 * by[:, None] + np.arange(11), behind + 3 * of[:, None] + np.arange(3), last[:, None]]
        columns = np.repeat(np.concatenate(columns, axis=1)[:, None], 2, axis=1)
        rows = np.concatenate([15 * np.arange(2 * count), 30 * count + np.arange(count + 1)])
        slopes = xf.vmap(xf.grad(lambda w: 1 - w**2))(weights)
        return rows, np.concatenate([np.ravel(columns), last]), np.concatenate([np.ravel(entries), slopes])

    return jacobian


# ---- ode: a chain of equations by Runge and Kutta's method ----


def ode(xf: Any, np: Any, steps: int = 10) -> Callable[..., Any]:
    """y_0' = x_0, y_i' = x_i y_(i-1) from y(0) = 0 to t = 2: y(2)."""
    h = 2.0 / steps

    def end(x):
        def slope(y):
            return x * np.concatenate([np.ones(1), y[:-1]])

        def step(y, _):
            a = slope(y)
            b = slope(y + 0.5 * h * a)
            c = slope(y + 0.5 * h * b)
            return y + h / 6 * (a + 2 * b + 2 * c + slope(y + h * c)), None

        return xf.lax.scan(step, np.zeros(x.shape), None, length=steps)[0]

    return end


# ---- saddle: a minimum of a maximum, by two nested gradient descents ----


def descend(xf: Any, np: Any, f: Any, gradient: Any, start: Any) -> Any:
    """The minimum of f: the step doubles after ten successes and is halved after a failure."""

    def length(v):
        return np.sqrt(np.sum(xf.lax.stop_gradient(v) ** 2))

    def going(state):
        return np.logical_not(state[-1])

    def step(state):
        x, value, slope, eta, successes, _ = state
        full = successes == 10
        new = x - eta * slope
        new_value = f(new)
        done = (length(slope) <= 1e-5) | (~full & (length(x - new) <= 1e-5))
        better = ~done & ~full & (new_value < value)
        worse = ~done & ~full & ~better
        new_slope = xf.lax.cond(better, gradient, lambda _: slope, new)
        eta = np.where(full & ~done, 2 * eta, np.where(worse, 0.5 * eta, eta))
        successes = np.where(better, successes + 1, np.where(done, successes, 0))
        return np.where(better, new, x), np.where(better, new_value, value), new_slope, eta, successes, done

    initial = (start, f(start), gradient(start), 1e-5, 0, np.array(False))
    return xf.lax.while_loop(going, step, initial)[0]


def saddle(outer: str, inner: str) -> Make:
    """The saddle of x.x - y.y, the derivatives of either descent by forward ("f") or reverse mode ("r")."""

    def make(xf: Any, np: Any) -> Callable[..., Any]:
        modes = {"f": xf.jacfwd, "r": xf.grad}

        def height(x, y):
            return np.sum(x**2) - np.sum(y**2)

        def best_reply(x, start, mode):
            depth = lambda y: -height(x, y)  # noqa: E731
            return descend(xf, np, depth, modes[mode](depth), start)

        def find(start):
            worst = lambda x: height(x, best_reply(x, start, inner))  # noqa: E731
            x = descend(xf, np, worst, modes[outer](worst), start)
            return np.concatenate([x, best_reply(x, start, outer)])

        return find

    return make


# ---- the cases ----


def random_cases(large: bool = True) -> dict[str, Case]:
    """The evals at their sizes; without `large` only those that take microseconds."""
    rng = np.random.default_rng(0)
    cases = {"hello": Case("small", {"square": hello, "double": gradient_of(hello)}, (64.0,))}
    for n in (16, 1024, 16392)[: None if large else 1]:
        args = rng.normal(size=128), np.linspace(-1, 1, n)
        cases[f"llsq n={n}"] = Case("small" if n == 16 else "vectorised", primal_and_gradient(llsq), args)
    for n in (2500, 80_000, 1_280_000)[: None if large else 1]:
        cases[f"lse n={n}"] = Case(
            "small" if n == 2500 else "vectorised", primal_and_gradient(lse), (rng.normal(size=n),)
        )
    sizes = [(2, 5, 1000), (10, 10, 500), (10, 25, 1000), (20, 50, 1000), (64, 100, 1000)]
    for d, k, n in sizes if large else [(2, 3, 20)]:
        parameters = [rng.normal(size=s) for s in ((k,), (k, d), (k, d), (k, d * (d - 1) // 2))]
        group = "small" if d == 2 else "vectorised"
        cases[f"gmm d={d} k={k}"] = Case(group, primal_and_gradient(gmm), (parameters, rng.normal(size=(n, d))))
    for cameras, points, count in [(8, 200, 1000), (49, 7776, 31843), (257, 65132, 225911)] if large else [(2, 5, 9)]:
        scene = [0.1 * rng.normal(size=(cameras, 11)), rng.normal(size=(points, 3)) + np.array([0.0, 0.0, 9.0])]
        scene += [rng.normal(size=count), rng.normal(size=(count, 2))]
        scene += [np.arange(count) % cameras, np.arange(count) % points]
        group = "small" if cameras == 8 else "vectorised"
        cases[f"ba n={cameras}"] = Case(group, {"primal": ba, "jacobian": ba_jacobian}, tuple(scene))
    for n, steps in [(4, 100), (1000, 10), (10_000, 10), (100_000, 10), (10_000, 100)] if large else [(4, 10)]:
        functions = {"primal": in_steps(steps), "gradient": gradient_of(last_of(in_steps(steps)))}
        cases[f"ode n={n} s={steps}"] = Case("loops", functions, (rng.uniform(size=n),))
    modes = {outer + inner: saddle(outer, inner) for outer in "fr" for inner in "fr"}
    cases["saddle"] = Case("nested", modes, (np.ones(2),), beyond=("rf", "rr"))
    return cases


def hello(xf: Any, np: Any) -> Callable[..., Any]:
    return lambda x: x * x


def in_steps(steps: int) -> Make:
    return lambda xf, np: ode(xf, np, steps)


def last_of(make: Make) -> Make:
    """The last entry of its result."""

    def last(xf: Any, np: Any) -> Callable[..., Any]:
        f = make(xf, np)
        return lambda x: f(x)[-1]

    return last


def gradient_of(make: Make) -> Make:
    return lambda xf, np: xf.grad(make(xf, np))


def primal_and_gradient(make: Make) -> dict[str, Any]:
    return {"primal": make, "gradient": gradient_of(make)}
