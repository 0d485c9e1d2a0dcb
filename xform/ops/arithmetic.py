"""Arithmetic, ordering and rounding, as rows: name, function, partial derivatives (of y, then the arguments)."""

from __future__ import annotations

import math
import operator
from typing import Any

import numpy as np

from xform.core.aval import aval_of
from xform.core.primitive import Zero, is_zero
from xform.core.series import Series, cauchy
from xform.ops.complex import imag
from xform.ops.elementwise import Elementwise
from xform.ops.family import total
from xform.ops.select import select


class Mul(Elementwise):
    """a * b, whose Taylor coefficients are the Cauchy product."""

    def jet(self, series: Any, apply: Any) -> list[Any]:
        return [cauchy(self, *series)]


class Div(Elementwise):
    """a / b, whose Taylor coefficients solve y b = a: y[k] = (a[k] - sum_{m<k} y[m] b[k-m]) / b[0]."""

    def jet(self, series: Any, apply: Any) -> list[Any]:
        a, b = series

        def term(k: int) -> Any:
            known = [-(y[m] * b[k - m]) for m in range(k) if not is_zero(y[m]) and not is_zero(b[k - m])]
            numerator = total([a[k], *known])
            return numerator if is_zero(numerator) else self(numerator, b[0])

        y = Series(term)
        return [y]


def inverse(y: Any, a: Any, b: Any) -> Any:
    """d(a/b)/da = 1/b, infinite for Python's zeros as it is for NumPy's."""
    if type(b) in (int, float) and not b:
        return math.copysign(math.inf, b)
    return complex(math.nan, math.nan) if type(b) is complex and not b else 1 / b


class Power(Elementwise):
    """a ** b; with an integer b >= 1 in the program text its derivative b a^(b-1) is never singular."""

    def partial(self, k: int, y: Any, args: Any) -> Any:
        a, b = args
        if k == 0 and type(b) is int and b >= 1:
            return 2 * a if b == 2 else b * a ** (b - 1)
        return super().partial(k, y, args)


def power_base(y: Any, a: Any, b: Any) -> Any:
    """d a^b / da = b a^(b-1), and 0 for b = 0, also at a = 0."""
    if isinstance(b, int | float):
        return b * a ** (b - 1) if b != 0 else np.isnan(a) * 0.0
    return select(b == 0, 0.0, b * a ** select(b == 0, 1.0, b - 1.0))


def power_exponent(y: Any, a: Any, b: Any) -> Any:
    """d a^b / db = a^b log a, with the limit 0 at a = 0 for b > 0."""
    settled = (a == 0) & (b > 0)
    return select(settled, 0.0, y * np.log(select(settled, 1.0, a)))


def larger(y: Any, a: Any, b: Any) -> Any:
    """The share of a in max(a, b): 1, 0, or 1/2 at a tie."""
    return (a > b) + 0.5 * (a == b)


def smaller(y: Any, a: Any, b: Any) -> Any:
    return (a < b) + 0.5 * (a == b)


def is_above(y: Any, low: Any, a: Any, high: Any) -> Any:
    """The share of `low` in min(max(a, low), high): one below it, unless `high` is lower still."""
    return (a < low) & (low <= high)


def is_inside(y: Any, low: Any, a: Any, high: Any) -> Any:
    """The share of a: one between the limits, none at them (JAX's convention)."""
    return (low < a) & (a < high)


def is_below(y: Any, low: Any, a: Any, high: Any) -> Any:
    return (high < a) | (high < low)


def where_other_is_nan(share: Any) -> Any:
    """fmax and fmin ignore a nan: the other operand then has the whole share."""
    return lambda y, a, b: select(np.isnan(b), 1.0 - np.isnan(a), share(y, a, b))


def swapped(partial: Any) -> Any:
    """The partial in b of a symmetric function, from the one in a."""
    return lambda y, a, b: partial(y, b, a)


def phase(y: Any, a: Any) -> Any:
    """d|a|/da = sign a, of complex a its conjugate; 0 at 0."""
    return np.conjugate(np.sign(a)) if a.dtype.kind == "c" else np.sign(a)


class Sign(Elementwise):
    """a / |a|: constant but for complex a, where it moves along the unit circle."""

    def jvp(self, primals: Any, tangents: Any) -> tuple[list[Any], list[Any]]:
        """y_dot = i y Im(conj(y) a_dot) / |a|, and 0 at 0."""
        (a,), (a_dot,) = primals, tangents
        y = self(a)
        if is_zero(a_dot) or y.dtype.kind != "c":
            return [y], [Zero.like(y)]
        r = np.absolute(a)
        return [y], [y * (1j * (imag(np.conjugate(y) * a_dot) / select(r == 0, 1.0, r)))]

    def sparsity(self, patterns: Any, avals: Any) -> list[Any]:
        return list(patterns) if aval_of(avals[0]).dtype.kind == "c" else [None]


add = Elementwise("add", operator.add, [1, 1], ufunc=np.add)
sub = Elementwise("sub", operator.sub, [1, -1], ufunc=np.subtract)
mul = Mul("mul", operator.mul, [lambda y, a, b: b, lambda y, a, b: a], ufunc=np.multiply)
div = Div("div", operator.truediv, [inverse, lambda y, a, b: -y / b], ufunc=np.divide,
          singular=True, warns=True)
neg = Elementwise("neg", operator.neg, [-1], ufunc=np.negative)
pos = Elementwise("pos", operator.pos, [1], ufunc=np.positive)
power = Power("pow", operator.pow, [power_base, power_exponent], ufunc=np.power, singular=True)
square = Elementwise("square", np.square, [lambda y, a: 2 * a])
reciprocal = Elementwise("reciprocal", np.reciprocal, [lambda y, a: -y * y], singular=True, warns=True)
absolute = Elementwise("abs", operator.abs, [phase], ufunc=np.absolute)
fabs = Elementwise("fabs", np.fabs, [phase])

floor_divide = Elementwise("floor_divide", operator.floordiv, [None, None], ufunc=np.floor_divide)
remainder = Elementwise("remainder", operator.mod, [1, lambda y, a, b: -np.floor_divide(a, b)], ufunc=np.remainder,
                        piecewise=True)
fmod = Elementwise("fmod", np.fmod, [1, lambda y, a, b: -np.trunc(a / b)], piecewise=True)

maximum = Elementwise("max", np.maximum, [larger, swapped(larger)])
minimum = Elementwise("min", np.minimum, [smaller, swapped(smaller)])
clamp = Elementwise("clamp", lambda low, a, high: np.minimum(np.maximum(a, low), high), [is_above, is_inside, is_below])
fmax = Elementwise("fmax", np.fmax, [where_other_is_nan(larger), swapped(where_other_is_nan(larger))])
fmin = Elementwise("fmin", np.fmin, [where_other_is_nan(smaller), swapped(where_other_is_nan(smaller))])

hypot = Elementwise("hypot", np.hypot, [lambda y, a, b: a / select(y == 0, 1.0, y),
                                        lambda y, a, b: b / select(y == 0, 1.0, y)])
copysign = Elementwise("copysign", np.copysign, [lambda y, a, b: np.sign(a) * np.copysign(1.0, b), None])
nextafter = Elementwise("nextafter", np.nextafter, [1, None], piecewise=True)
heaviside = Elementwise("heaviside", np.heaviside, [None, lambda y, a, b: (a == 0) * 1.0], piecewise=True)
ldexp = Elementwise("ldexp", np.ldexp, [lambda y, a, b: np.ldexp(1.0, b), None])
frexp_exponent = Elementwise("frexp_exponent", lambda a: np.frexp(a)[1], [None])
spacing = Elementwise("spacing", np.spacing, [None])

sign = Sign("sign", np.sign, [None])
floor = Elementwise("floor", np.floor, [None])
ceil = Elementwise("ceil", np.ceil, [None])
trunc = Elementwise("trunc", np.trunc, [None])
rint = Elementwise("rint", np.rint, [None])
