"""Exponentials, logarithms, circular and hyperbolic functions, as rows: name, function, partial derivative."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from xform.ops.elementwise import Elementwise
from xform.ops.select import select


def sigmoid(a: Any) -> Any:
    """1 / (1 + e^{-a}), for real a without overflow and with full relative precision in the tail."""
    if np.iscomplexobj(a):
        return 1 / (1 + np.exp(-a))
    size = np.abs(a) if np.asarray(a).dtype.kind == "f" else np.fabs(a)  # unsigned integers have no negative
    small = np.exp(-size)
    return np.where(np.less(a, 0), small, np.ones_like(small)) / (1 + small)


def difference(a: Any, b: Any) -> Any:
    """a - b, and 0 for two equal infinities."""
    return select(np.logical_and(np.isinf(a), np.equal(a, b)), 0.0, a - b)


def sigmoid_of_difference(y: Any, a: Any, b: Any) -> Any:
    """d log(e^a + e^b)/da = 1 / (1 + e^(b-a)), whose own derivatives are smooth, at equal arguments too."""
    return logistic(difference(a, b))


def sigmoid2_of_difference(y: Any, a: Any, b: Any) -> Any:
    return logistic(difference(a, b) * math.log(2))


def over_square_of_hypot(x: Any, a: Any, b: Any) -> Any:
    """x / (a^2 + b^2), without overflow."""
    r = np.hypot(a, b)
    return x / r / r


def root_of_one_minus_square(a: Any) -> Any:
    """sqrt(1 - a^2). On the branch cuts of arcsin the sign of a zero imaginary part of `a` says which side is meant."""
    return np.sqrt(-(a - 1)) * np.sqrt(plus_one(a)) if a.dtype.kind == "c" else np.sqrt((1 - a) * (1 + a))


def root_of_one_plus_square(a: Any) -> Any:
    """The same for sqrt(1 + a^2) and arcsinh; of real numbers without overflow."""
    return np.sqrt(plus_one(a * a)) if a.dtype.kind == "c" else np.hypot(1.0, a)


def plus_one(a: Any) -> Any:
    """a + 1, where an imaginary part of -0 stays one: -0 + 0 is 0, but -(0 - 0) is -0."""
    return -(-a - 1) if a.dtype.kind == "c" else a + 1


exp = Elementwise("exp", np.exp, [lambda y, a: y], c="exp")
exp2 = Elementwise("exp2", np.exp2, [lambda y, a: y * math.log(2)],
                   c={"f": "exp2", "c": "xf_exp2_{t}({})"})
expm1 = Elementwise("expm1", np.expm1, [lambda y, a: y + 1],
                    c={"f": "expm1", "c": "xf_expm1_{t}({})"})
log = Elementwise("log", np.log, [lambda y, a: 1 / a], singular=True, warns=True, c="log")
log2 = Elementwise("log2", np.log2, [lambda y, a: 1 / (a * math.log(2))], singular=True, warns=True,
                   c={"f": "log2", "c": "xf_log2_{t}({})"})
log10 = Elementwise("log10", np.log10, [lambda y, a: 1 / (a * math.log(10))], singular=True, warns=True,
                    c={"f": "log10", "c": "xf_log10_{t}({})"})
log1p = Elementwise("log1p", np.log1p, [lambda y, a: 1 / (1 + a)], singular=True, warns=True,
                    c={"f": "log1p", "c": "xf_log1p_{t}({})"})
logistic = Elementwise("logistic", sigmoid, [lambda y, a: y * logistic(-a)], loops=np.exp, c="xf_logistic_{t}({})")
logaddexp = Elementwise("logaddexp", np.logaddexp, singular=True, c="xf_logaddexp_{t}({}, {})",
                        partials=[sigmoid_of_difference, lambda y, a, b: sigmoid_of_difference(y, b, a)])
logaddexp2 = Elementwise("logaddexp2", np.logaddexp2, singular=True, c="xf_logaddexp2_{t}({}, {})",
                         partials=[sigmoid2_of_difference, lambda y, a, b: sigmoid2_of_difference(y, b, a)])

sqrt = Elementwise("sqrt", np.sqrt, [lambda y, a: 0.5 / y], singular=True,
                   c={"f": "__builtin_sqrt{s}({})", "c": "__builtin_csqrt{s}({})"})
cbrt = Elementwise("cbrt", np.cbrt, [lambda y, a: 1 / (3 * y * y)], singular=True, c="cbrt")

sin = Elementwise("sin", np.sin, [lambda y, a: np.cos(a)], c="sin")
cos = Elementwise("cos", np.cos, [lambda y, a: -np.sin(a)], c="cos")
tan = Elementwise("tan", np.tan, [lambda y, a: 1 + y * y], c="tan")
arcsin = Elementwise("arcsin", np.arcsin, [lambda y, a: 1 / root_of_one_minus_square(a)], singular=True, c="asin")
arccos = Elementwise("arccos", np.arccos, [lambda y, a: -1 / root_of_one_minus_square(a)], singular=True, c="acos")
arctan = Elementwise("arctan", np.arctan, [lambda y, a: 1 / (1 + a * a)], singular=True, c="atan")
arctan2 = Elementwise("arctan2", np.arctan2, singular=True, c="atan2",
                      partials=[lambda y, a, b: over_square_of_hypot(b, a, b),
                                lambda y, a, b: -over_square_of_hypot(a, a, b)])

sinh = Elementwise("sinh", np.sinh, [lambda y, a: np.cosh(a)], c="sinh")
cosh = Elementwise("cosh", np.cosh, [lambda y, a: np.sinh(a)], c="cosh")
tanh = Elementwise("tanh", np.tanh, [lambda y, a: 1 - y * y], c="tanh")
arcsinh = Elementwise("arcsinh", np.arcsinh, singular=True, c="asinh",
                      partials=[lambda y, a: 1 / root_of_one_plus_square(a)])
arccosh = Elementwise("arccosh", np.arccosh, [lambda y, a: 1 / (np.sqrt(a - 1) * np.sqrt(plus_one(a)))], singular=True,
                      c="acosh")
arctanh = Elementwise("arctanh", np.arctanh, [lambda y, a: 1 / ((1 - a) * (1 + a))], singular=True, c="atanh")

deg2rad = Elementwise("deg2rad", np.deg2rad, [math.pi / 180], c=f"{{}} * ({{T}}){math.pi / 180!r}")
rad2deg = Elementwise("rad2deg", np.rad2deg, [180 / math.pi], c=f"{{}} * ({{T}}){180 / math.pi!r}")
