"""Nasty programs to compose transformations on, each a function of one tree of arrays, and where to apply them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import xform
from xform.ops.select import select
from xform.ops.structure import concatenate, convert, slice_


def total(x):
    return np.sum(x)


def real(x):
    return x if x.dtype.kind == "f" else convert(x, dtype=np.dtype(np.float64 if x.dtype == complex else np.float32))


def fan_out(x):
    return x * x + x * (x * x)


def reuse(x):
    y = x
    for _ in range(3):
        y = y * x + y
    return [y, y, x]


def closure_over_a_tracer(x):
    """x enters the inner derivative as argument and by closure."""
    y, y_dot = xform.jvp(lambda t: np.sin(t * x) * x, (x,), (x * x,))
    return y * y_dot


def confusing_perturbations(x):
    """x d/dy (x y^2) at y = x, in both modes."""
    forward = xform.jvp(lambda y: x * y * y, (x,), (np.ones(2),))[1]
    reverse = xform.vjp(lambda y: x * y * y, x)[1](np.ones(2))[0]
    return x * forward, x * reverse


def gradient_in_gradient(x):
    """A gradient whose inner gradient closes over the outer variable."""
    inner = xform.grad(lambda z: total(x * z**3 + z * x**2))
    return xform.grad(lambda y: total(inner(y * x) * y))(x)


def constant_outputs(x):
    return np.ones(2), 3.0, x * 0.0 + 1.0


def ignores_its_input(x):
    return np.float64(3.0)


def identity(x):
    return x, x


def zero_size(xs):
    return total(np.exp(xs["empty"])) * xs["x"] + xs["x"], np.tanh(xs["empty"]) * xs["x"]


def integer_inputs(xs):
    return xs["x"] ** xs["n"] + xs["n"], xs["n"] * 2


def branches_on_values(x):
    y = x
    while total(y) < 20.0:
        y = y * 1.5 + 0.1
    return np.log(y) if y.size == 2 and total(y) > 0 else y


def recursion(x, depth=3):
    return np.sin(x) if depth == 0 else recursion(x * x, depth - 1) + x


MATRIX = np.array([[1.0, 2.0], [-0.5, 0.3], [0.1, 1.0]])


def closes_over_arrays(x):
    return np.sum(MATRIX * np.tanh(x), axis=1) * np.array([1.0, -1.0, 2.0])


def pytrees(xs):
    a, (b, none) = xs["a"], xs["b"]
    assert none is None
    return {"out": (np.exp(a) * b, None), "sum": total(a * a) / (1.0 + b * b)}


def singular_branch(x):
    """The branch not taken has an infinite derivative, or none: derivatives of every order are those of the other."""
    return select(x > 0.0, np.log(np.sqrt(x)) + x**0.5 + 1.0 / x, 0.0), select(x >= 0.0, x * x, np.log(-x))


def kinks(x):
    return np.abs(x) * x, np.maximum(x, 0.0) * np.sin(x), np.hypot(x, 0.0)


def mixed_precision(xs):
    return xs["single"] * xs["double"] + np.sin(xs["single"]), np.exp(xs["single"])


def powers(x):
    return x**2, x**3, x**0, (x + 1.5) ** -1, (x + 2.0) ** 0.5, 2.0**x


def divisions(x):
    return (1.0 - np.exp(-2.0 * x)) / (1.0 + np.exp(-2.0 * x)) + 1.0 / (2.0 + x)


def complex_inside(x):
    return real(np.exp(1j * x) * (1.0 + 2j) * x)


def complex_inputs(z):
    return real(z * np.conjugate(z)), z * z * np.conjugate(z), np.absolute(z)


def broadcasts(xs):
    return xs["column"] * xs["row"] + xs["scalar"], total(xs["column"] * xs["row"])


def linear(x):
    return 2.0 * slice_(x, index=((1, 2, -1),)) - concatenate(x, np.zeros(0), axis=0)


def transformations_inside(x):
    f = xform.make_jaxpr(lambda t: np.sin(t) * x)(x)
    rows = xform.vmap(xform.grad(lambda s: s**3 * total(x) + total(f(x * s)[0])))(x)
    return rows * x


X = np.array([0.7, -0.4])
PROGRAMS: dict[Callable[..., Any], Any] = {
    fan_out: X,
    reuse: X,
    closure_over_a_tracer: X,
    confusing_perturbations: X,
    gradient_in_gradient: X,
    constant_outputs: X,
    ignores_its_input: X,
    identity: np.float64(0.3),
    zero_size: {"empty": np.zeros((0, 2)), "x": np.float64(0.5)},
    integer_inputs: {"x": X, "n": np.array([2, 3])},
    branches_on_values: np.array([0.7, 1.4]),
    recursion: X,
    closes_over_arrays: X,
    pytrees: {"a": X, "b": (np.float64(0.8), None)},
    singular_branch: np.array([0.0, 0.6]),
    kinks: np.array([0.0, -0.5]),
    mixed_precision: {"single": np.array([0.5, -0.25], np.float32), "double": np.float64(0.7)},
    powers: np.array([0.0, 0.5]),
    divisions: X,
    complex_inside: X,
    complex_inputs: np.array([0.6 + 0.8j]),
    broadcasts: {"column": X[:, None], "row": np.array([0.5, -1.0, 0.25]), "scalar": np.float64(2.0)},
    linear: X,
    transformations_inside: X,
}
