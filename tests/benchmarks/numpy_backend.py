"""The NumPy backend against the functions that it is built of: ratios of medians of interleaved runs.

python tests/benchmarks/numpy_backend.py            half a minute; --quick is shorter, --source NAME shows the text
"""

from __future__ import annotations

import argparse
import itertools
import math
import statistics
import time
from collections.abc import Callable
from typing import Any

import numpy as np

import xform
from xform import grad, hessian, make_jaxpr, vmap
from xform.compile.source import build
from xform.core.jaxpr import evaluate
from xform.lax import fori_loop, scan, while_loop

rng = np.random.default_rng(0)


# ---- the programs ----


def mlp(params: Any, x: Any, y: Any) -> Any:
    for W, b in params[:-1]:
        x = np.tanh(x @ W + b)
    W, b = params[-1]
    return np.mean((x @ W + b - y) ** 2)


def network(*sizes: int) -> list[Any]:
    return [(rng.normal(size=s) / np.sqrt(s[0]), np.zeros(s[1])) for s in itertools.pairwise(sizes)]


def rosenbrock(x: Any) -> Any:
    return np.sum(100.0 * (x[1:] - x[:-1] ** 2) ** 2 + (1.0 - x[:-1]) ** 2)


def logistic_map(x: Any) -> Any:
    return fori_loop(0, 1000, lambda i, x: 3.7 * x * (1.0 - x), x)


def sigmoid(x: Any) -> Any:
    return 1.0 / (1.0 + np.exp(-x))


def lstm(weights: Any, xs: Any) -> Any:
    U, V, b = weights
    size = U.shape[0]

    def step(carry: Any, x: Any) -> Any:
        h, c = carry
        z = h @ U + x @ V + b
        i, f, o, g = (z[k * size : (k + 1) * size] for k in range(4))
        c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
        h = sigmoid(o) * np.tanh(c)
        return (h, c), h

    _, hs = scan(step, (np.zeros(size), np.zeros(size)), xs)
    return np.sum(hs * hs)


def pendulum(steps: int) -> Callable[[Any, Any], Any]:
    """The angle after steps of RK4."""

    def slope(q: Any, p: Any) -> Any:
        return p, -np.sin(q) - 0.1 * p

    def step(_: Any, state: Any, h: float = 1e-3) -> Any:
        q, p = state
        a, b = slope(q, p)
        c, d = slope(q + 0.5 * h * a, p + 0.5 * h * b)
        e, f = slope(q + 0.5 * h * c, p + 0.5 * h * d)
        g, k = slope(q + h * e, p + h * f)
        return q + h / 6 * (a + 2 * c + 2 * e + g), p + h / 6 * (b + 2 * d + 2 * f + k)

    return lambda q, p: fori_loop(0, steps, step, (q, p))[0]


def energy(x: Any) -> Any:
    """Of bodies that attract each other, softened."""
    d = x[:, None, :] - x[None, :, :]
    return -0.5 * np.sum(1.0 / np.sqrt(np.sum(d * d, axis=-1) + 0.01))


def newton(a: Any) -> Any:
    return while_loop(lambda x: abs(x * x - a) > 1e-12, lambda x: 0.5 * (x + a / x), a)


def bisection(a: Any) -> Any:
    def halve(c: Any) -> Any:
        low, high = c
        middle = 0.5 * (low + high)
        below = middle * middle < a
        return np.where(below, middle, low), np.where(below, high, middle)

    return while_loop(lambda c: c[1] - c[0] > 1e-12, halve, (0.0, a + 1.0))[0]


def waves(x: Any) -> Any:
    return np.sum(np.tanh(x) * np.exp(-x * x) + np.sin(x))


U, V = rng.normal(size=(32, 128)) / 6, rng.normal(size=(16, 128)) / 4
LSTM = (U, V, np.zeros(128)), rng.normal(size=(50, 16))

ROWS: dict[str, tuple[Callable[..., Any], tuple[Any, ...]]] = {
    "MLP 64-128-128-10, batch 128, gradient": (
        grad(mlp),
        (network(64, 128, 128, 10), rng.normal(size=(128, 64)), rng.normal(size=(128, 10))),
    ),
    "MLP 8-16-16-2, batch 8, gradient": (grad(mlp), (network(8, 16, 16, 2), np.ones((8, 8)), np.ones((8, 2)))),
    "Rosenbrock 50, Hessian": (hessian(rosenbrock), (rng.normal(size=50),)),
    "logistic map, 1000 steps, gradient": (grad(logistic_map), (np.float64(0.3),)),
    "LSTM, 50 steps, gradient": (grad(lstm), LSTM),
    "pendulum RK4, 10 000 steps": (pendulum(10_000), (np.float64(0.5), np.float64(0.0))),
    "pendulum RK4, 1000 steps, gradient": (grad(pendulum(1000)), (np.float64(0.5), np.float64(0.0))),
    "64 bodies, gradient": (grad(energy), (rng.normal(size=(64, 3)),)),
    "Newton's method": (newton, (np.float64(2.0),)),
    "Newton's method, gradient": (grad(newton), (np.float64(2.0),)),
    "bisection": (bisection, (np.float64(2.0),)),
    "bisection of a batch of 10": (vmap(bisection), (np.linspace(1.0, 5.0, 10),)),
    **{f"sum tanh*exp+sin, {n}, gradient": (grad(waves), (rng.normal(size=n),)) for n in (10, 1000, 100_000)},
}


def medians(functions: list[Callable[[], Any]], seconds: float) -> list[float]:
    """Medians of interleaved runs."""
    times: list[list[float]] = [[] for _ in functions]
    for f in functions:
        f()
    end = time.perf_counter() + seconds
    while time.perf_counter() < end or len(times[0]) < 5:
        for f, found in zip(functions, times, strict=True):
            start = time.perf_counter()
            f()
            found.append(time.perf_counter() - start)
    return [statistics.median(t) for t in times]


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--source")
    options = parser.parse_args()
    ratios: list[float] = []
    print(f"{'':42}{'un-jitted':>12}{'program':>12}{'NumPy':>12}{'build':>10}{'/un-jitted':>12}{'/program':>10}")
    for name, (f, args) in ROWS.items():
        if options.source and options.source not in name:
            continue
        jaxpr, leaves = make_jaxpr(f)(*args), xform.tree.leaves(args)
        start = time.perf_counter()
        built = build(jaxpr)
        took = time.perf_counter() - start
        if options.source:
            print(built.source)
        runs = [lambda: f(*args), lambda: evaluate(jaxpr, *leaves), lambda: built(*leaves)]  # noqa: B023
        direct, program, here = medians(runs, 0.2 if options.quick else 2.0)
        ratios.append(here / min(direct, program))
        print(
            f"{name:42}{direct * 1e6:9.1f} us{program * 1e6:9.1f} us{here * 1e6:9.1f} us{took * 1e3:7.1f} ms"
            f"{here / direct:12.3f}{here / program:10.3f}"
        )
    print(
        f"{'geometric mean against the faster of the two':88}{math.exp(statistics.mean(map(math.log, ratios))):12.3f}"
    )


if __name__ == "__main__":
    main()
