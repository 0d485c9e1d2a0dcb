"""Traces from five lectures on automatic differentiation: digit for digit as printed, and against closed forms.

[R] Richter, Beyond Backpropagation     [S] Sun, Computing Derivatives     [D] Dronen, Automatic Differentiation
[M] Manzoni, Introduction to AD         [L] Louppe, Lecture 3: Automatic differentiation

A trace is a program that returns all its intermediate values v1, v2, ... Its tangents come from one forward pass; the
adjoint dy/dv_i is the gradient in a number e_i that is added to v_i.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose

from xform import finite_differences as fd
from xform import grad, hessian, jacfwd, jacobian, jacrev, jvp, linearize, make_jaxpr, value_and_grad, vjp, vmap
from xform.testing import check_grads

close = {"rtol": 1e-12, "atol": 1e-12}


def assert_printed(value: Any, text: str) -> None:
    """`value` is `text` when rounded to its decimals; a text that ends in '..' was cut off, not rounded."""
    cut = text.endswith("..")
    decimals = len(text.rstrip(".").partition(".")[2])
    shown = f"{value:.12f}"[: decimals - 12] if cut else f"{value:.{decimals}f}"
    assert shown == (text[:-2] if cut else text)


# ---- traces ----

Values = Sequence[Any]


@dataclass(frozen=True)
class Trace:
    """A program `run(x, e) -> [v1, v2, ...]` with e_i added to v_i, what its lecture prints, and closed forms."""

    run: Callable[[Values, Values], list[Any]]
    point: tuple[float, ...]
    values: Callable[..., list[float]]
    tangents: Callable[..., list[list[float]]]  # for each input, dv_i/dx
    adjoints: Callable[..., list[float]]  # dy/dv_i for the last value y
    gradient: Callable[..., list[float]]
    printed: dict[str, str] = field(default_factory=dict)  # "v3", "d1 v3" (tangent in x1), "v3_bar", "x1_bar"
    output: int = -1

    @property
    def zeros(self) -> list[float]:
        return [0.0] * len(self.values(*self.point))


def manzoni_cosine(x: Values, e: Values) -> list[Any]:
    """g(x) = cos(5 x^2)"""
    v1 = x[0] ** 2 + e[0]
    v2 = 5 * v1 + e[1]
    v3 = np.cos(v2) + e[2]
    return [v1, v2, v3]


def manzoni_pair(x: Values, e: Values) -> list[Any]:
    """f1 = x1 x2 + cos x1 (v5), f2 = x2^3 + ln x1 - x2 (v7)"""
    x1, x2 = x
    v1 = np.cos(x1) + e[0]
    v2 = np.log(x1) + e[1]
    v3 = x1 * x2 + e[2]
    v4 = x2**3 + e[3]
    v5 = v1 + v3 + e[4]
    v6 = v2 + v4 + e[5]
    v7 = v6 - x2 + e[6]
    return [v1, v2, v3, v4, v5, v6, v7]


def dronen(x: Values, e: Values) -> list[Any]:
    """f = ln x1 + x1 x2 - sin x2"""
    x1, x2 = x
    v1 = np.log(x1) + e[0]
    v2 = x1 * x2 + e[1]
    v3 = np.sin(x2) + e[2]
    v4 = v1 + v2 + e[3]
    v5 = v4 - v3 + e[4]
    return [v1, v2, v3, v4, v5]


def richter(x: Values, e: Values) -> list[Any]:
    """f = (x1 + x2) ln(x1 + x2)"""
    v1 = x[0] + x[1] + e[0]
    v2 = np.log(v1) + e[1]
    v3 = v1 * v2 + e[2]
    return [v1, v2, v3]


def griewank_walther(x: Values, e: Values) -> list[Any]:
    """y = (sin(x1/x2) + x1/x2 - e^x2)(x1/x2 - e^x2)"""
    x1, x2 = x
    v1 = x1 / x2 + e[0]
    v2 = np.sin(v1) + e[1]
    v3 = np.exp(x2) + e[2]
    v4 = v1 - v3 + e[3]
    v5 = v2 + v4 + e[4]
    v6 = v5 * v4 + e[5]
    return [v1, v2, v3, v4, v5, v6]


def griewank_walther_adjoints(a: float, b: float) -> list[float]:
    q = a / b
    s, w = np.sin(q), q - np.exp(b)
    v4 = s + 2 * w
    return [v4 + w * np.cos(q), w, -v4, v4, w, 1]


def griewank_walther_tangents(a: float, b: float) -> list[list[float]]:
    q, w = a / b, a / b - np.exp(b)

    def row(dq: float, dexp: float) -> list[float]:
        ds, dw = np.cos(q) * dq, dq - dexp
        return [dq, ds, dexp, dw, ds + dw, (ds + dw) * w + (np.sin(q) + w) * dw]

    return [row(1 / b, 0), row(-a / b**2, np.exp(b))]


TRACES = {
    "manzoni g": Trace(
        run=manzoni_cosine,
        point=(2.0,),
        values=lambda x: [x**2, 5 * x**2, np.cos(5 * x**2)],
        tangents=lambda x: [[2 * x, 10 * x, -10 * x * np.sin(5 * x**2)]],
        adjoints=lambda x: [-5 * np.sin(5 * x**2), -np.sin(5 * x**2), 1],
        gradient=lambda x: [-10 * x * np.sin(5 * x**2)],
        printed={"v1": "4", "v2": "20", "v3": "0.408", "d1 v1": "4", "d1 v2": "20", "d1 v3": "-18.259"}
        | {"v2_bar": "-0.913", "v1_bar": "-4.565", "x1_bar": "-18.259"},
    ),
    "manzoni f1": Trace(
        run=manzoni_pair,
        point=(2.0, 3.0),
        output=4,
        values=lambda a, b: [
            np.cos(a), np.log(a), a * b, b**3, np.cos(a) + a * b, np.log(a) + b**3, np.log(a) + b**3 - b
        ],
        tangents=lambda a, b: [
            [-np.sin(a), 1 / a, b, 0, b - np.sin(a), 1 / a, 1 / a],
            [0, 0, a, 3 * b**2, a, 3 * b**2, 3 * b**2 - 1],
        ],
        adjoints=lambda a, b: [1, 0, 1, 0, 1, 0, 0],
        gradient=lambda a, b: [b - np.sin(a), a],
        printed={"v1": "-0.416", "v2": "0.693", "v3": "6", "v4": "27", "v5": "5.584", "v6": "27.693", "v7": "24.693"}
        | {"d1 v5": "2.090..", "d1 v7": "0.5", "x1_bar": "2.090..", "x2_bar": "2"},
    ),
    "dronen": Trace(
        run=dronen,
        point=(2.0, 5.0),
        values=lambda a, b: [
            np.log(a), a * b, np.sin(b), np.log(a) + a * b, np.log(a) + a * b - np.sin(b)
        ],
        tangents=lambda a, b: [[1 / a, b, 0, 1 / a + b, 1 / a + b], [0, a, np.cos(b), a, a - np.cos(b)]],
        adjoints=lambda a, b: [1, 1, -1, 1, 1],
        gradient=lambda a, b: [1 / a + b, a - np.cos(b)],
        printed={"v5": "11.652", "d1 v5": "5.5", "x1_bar": "5.5", "x2_bar": "1.716"},
    ),
    "richter": Trace(
        run=richter,
        point=(2.0, 5.0),
        values=lambda a, b: [a + b, np.log(a + b), (a + b) * np.log(a + b)],
        tangents=lambda a, b: [[1, 1 / (a + b), np.log(a + b) + 1]] * 2,
        adjoints=lambda a, b: [np.log(a + b) + 1, a + b, 1],
        gradient=lambda a, b: [np.log(a + b) + 1] * 2,
        printed={"v3": "13.6", "x1_bar": "2.95", "x2_bar": "2.95"},
    ),
    "griewank and walther": Trace(
        run=griewank_walther,
        point=(1.5, 0.5),
        values=lambda a, b: [
            a / b, np.sin(a / b), np.exp(b), a / b - np.exp(b), np.sin(a / b) + a / b - np.exp(b),
            (np.sin(a / b) + a / b - np.exp(b)) * (a / b - np.exp(b)),
        ],
        tangents=griewank_walther_tangents,
        adjoints=griewank_walther_adjoints,
        gradient=lambda a, b: [row[-1] for row in griewank_walther_tangents(a, b)],
        printed={"v4": "1.3513", "v5": "1.4924", "d1 v6": "3.0118", "v4_bar": "2.8437", "v1_bar": "1.5059"}
        | {"x2_bar": "-13.7239..", "x1_bar": "3.0118"},
    ),
}  # fmt: skip

TRACES["manzoni f2"] = replace(
    TRACES["manzoni f1"],
    output=6,
    adjoints=lambda a, b: [0, 1, 0, 1, 0, 1, 1],
    gradient=lambda a, b: [1 / a, 3 * b**2 - 1],
    printed={"v7": "24.693", "d1 v7": "0.5", "x1_bar": "0.5"},
)


@pytest.fixture(params=TRACES)
def trace(request: pytest.FixtureRequest) -> Trace:
    return TRACES[request.param]


def table(trace: Trace) -> dict[str, float]:
    """Every entry of the forward and of the adjoint table, by xform."""
    x, zeros = list(trace.point), trace.zeros
    entries: dict[str, float] = {}
    for k in range(len(x)):
        seed = [float(i == k) for i in range(len(x))]
        values, tangents = jvp(lambda x: trace.run(x, zeros), (x,), (seed,))
        for i, (v, v_dot) in enumerate(zip(values, tangents, strict=True), 1):
            entries[f"v{i}"], entries[f"d{k + 1} v{i}"] = v, v_dot
    x_bar, v_bar = grad(lambda x, e: trace.run(x, e)[trace.output], argnums=(0, 1))(x, zeros)
    entries |= {f"x{k}_bar": bar for k, bar in enumerate(x_bar, 1)}
    return entries | {f"v{i}_bar": bar for i, bar in enumerate(v_bar, 1)}


def test_table_as_printed(trace: Trace):
    entries = table(trace)
    for name, text in trace.printed.items():
        assert_printed(entries[name], text)


def test_griewank_and_walther_multiply_rounded_factors():
    """The printed y = 2.0167 is the product of the printed v4 and v5; to four digits it is 2.0166."""
    entries = table(TRACES["griewank and walther"])
    assert_printed(entries["v4"].round(4) * entries["v5"].round(4), "2.0167")
    assert_printed(entries["v6"], "2.0166")
    assert abs(entries["v6"] - 2.0167) < 1e-4


def test_table_against_closed_forms(trace: Trace):
    entries, x = table(trace), trace.point
    exact = {f"v{i}": v for i, v in enumerate(trace.values(*x), 1)}
    exact |= {f"d{k} v{i}": d for k, row in enumerate(trace.tangents(*x), 1) for i, d in enumerate(row, 1)}
    exact |= {f"v{i}_bar": bar for i, bar in enumerate(trace.adjoints(*x), 1)}
    exact |= {f"x{k}_bar": bar for k, bar in enumerate(trace.gradient(*x), 1)}
    assert entries.keys() == exact.keys()
    for name, value in exact.items():
        assert_allclose(entries[name], value, **close, err_msg=name)


def test_adjoints_by_injected_cotangents(trace: Trace):
    """The pullback of all intermediate values at once, with a one for the output and zeros for the others."""
    y_bars = trace.zeros
    y_bars[trace.output] = 1.0
    _, pullback = vjp(lambda x: trace.run(x, trace.zeros), list(trace.point))
    assert_allclose(pullback(y_bars)[0], trace.gradient(*trace.point), **close)


def test_all_ways_to_the_jacobian_of_a_trace(trace: Trace):
    """Forward column by column, reverse row by row, linearised once, differences: rows are v_i, columns x_k."""

    def f(x):
        return np.stack(trace.run(x, trace.zeros))

    x = np.array(trace.point)
    exact = np.array(trace.tangents(*trace.point)).T
    identity = np.eye(len(x))
    for derivative in (jacfwd, jacrev, jacobian):
        assert_allclose(derivative(f)(x), exact, **close)
    push, pull = linearize(f, x)[1], vjp(f, x)[1]
    assert_allclose(np.stack([push(e) for e in identity], axis=1), exact, **close)
    assert_allclose(np.stack([pull(e)[0] for e in np.eye(len(exact))]), exact, **close)
    assert_allclose(vmap(push, out_axes=1)(identity), exact, **close)
    for scheme, tolerance in (("forward", 1e-5), ("backward", 1e-5), ("central", 1e-7)):
        assert_allclose(fd.jacobian(f, x, scheme), exact, rtol=tolerance, atol=tolerance)
    assert_allclose(fd.complex_step(f, x), exact, **close)


def test_higher_derivatives_of_traces(trace: Trace):
    def f(x):
        return trace.run(x, trace.zeros)[trace.output]

    x = list(trace.point)
    check_grads(f, (x,), order=3)
    numeric = fd.hessian(f, x, grad=grad(f))
    assert_allclose(hessian(f)(x), numeric, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("x1, x2", [(2.0, 5.0), (0.1, 0.2), (30.0, -7.0)])
def test_richter_by_hand(x1: float, x2: float):
    """Both first derivatives are ln(x1 + x2) + 1, all second ones 1/(x1 + x2)."""

    def f(x1, x2):
        s = x1 + x2
        return s * np.log(s)

    value, gradient = value_and_grad(f, argnums=(0, 1))(x1, x2)
    assert_allclose(value, (x1 + x2) * np.log(x1 + x2), **close)
    assert_allclose(gradient, [np.log(x1 + x2) + 1] * 2, **close)
    assert_allclose(hessian(f, argnums=(0, 1))(x1, x2), np.full((2, 2), 1 / (x1 + x2)), **close)


# ---- [D] fan-out: c = x x + x (x x) ----


def dronen_listing(x):
    a = x * x
    b = x * a
    return a + b


@pytest.mark.parametrize("x", [-1.5, 0.0, 2.0, 3.25])
def test_dronen_listing(x: float):
    """a is used twice, so its adjoint is a sum: a_bar = 1 + x, x_bar = 2 x a_bar + a = 2x + 3x^2."""
    assert_allclose(dronen_listing(x), x**2 + x**3, **close)
    assert_allclose(grad(dronen_listing)(x), 2 * x + 3 * x**2, **close)
    assert_allclose(jvp(dronen_listing, (x,), (1.0,))[1], 2 * x + 3 * x**2, **close)
    assert_allclose(grad(grad(dronen_listing))(x), 2 + 6 * x, **close)
    assert_allclose(grad(grad(grad(dronen_listing)))(x), 6, **close)
    assert_allclose(grad(lambda x: x * x + x * (x * x))(x), 2 * x + 3 * x**2, **close)
    a_bar = grad(lambda e: (lambda a: a + x * a)(x * x + e))(0.0)
    assert_allclose(a_bar, 1 + x, **close)


def test_dronen_listing_is_a_program_of_three_operations():
    jaxpr = make_jaxpr(dronen_listing)(2.0)
    assert [eqn.prim.name for eqn in jaxpr.eqns] == ["mul", "mul", "add"]
