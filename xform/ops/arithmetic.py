"""Arithmetic, ordering and rounding, as rows: name, function, partial derivatives (of y, then the arguments)."""

from __future__ import annotations

import math
import operator
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np

from xform.core.aval import aval_of
from xform.core.primitive import Zero, is_zero
from xform.core.series import Series, cauchy
from xform.ops.c_text import OperandType, fill, loop_of, number_of
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

    #: C texts of a ** b, of real and of complex a, for exponents for which NumPy has a function or products are exact
    real_texts: ClassVar[Mapping[float, str]] = {
        -1: "1 / {0}", 0.5: "__builtin_sqrt{s}({0})", 1: "{0}", 2: "{0} * {0}", 3: "{0} * {0} * {0}",
        4: "({0} * {0}) * ({0} * {0})",
    }
    complex_texts: ClassVar[Mapping[float, str]] = {
        -1: "xf_reciprocal_{t}({0})", 0.5: "__builtin_csqrt{s}({0})", 1: "{0}", 2: "xf_mul_{t}({0}, {0})",
    }

    def partial(self, k: int, y: Any, args: Any) -> Any:
        a, b = args
        if k == 0 and type(b) is int and b >= 1:
            return 2 * a if b == 2 else b * a ** (b - 1)
        return super().partial(k, y, args)

    def c_text(self, operands: Sequence[str], dtypes: Sequence[OperandType], out: np.dtype) -> str | None:
        """Products for small exponents in the program text; none for exponents that NumPy may have to refuse."""
        exponent, loop = number_of(operands[1]), loop_of(self.loops, tuple(dtypes))
        if loop is None or (out.kind == "i" and (exponent is None or exponent < 0)):
            return None
        texts = self.complex_texts if out.kind == "c" else self.real_texts
        text = None if exponent is None else texts.get(exponent)
        return super().c_text(operands, dtypes, out) if text is None else fill(text, operands, dtypes, loop, out)


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


add = Elementwise("add", operator.add, [1, 1], ufunc=np.add, c={"b": "{} | {}", "": "{} + {}"})
sub = Elementwise("sub", operator.sub, [1, -1], ufunc=np.subtract, c="{} - {}")
mul = Mul("mul", operator.mul, [lambda y, a, b: b, lambda y, a, b: a], ufunc=np.multiply,
          c={"c": "xf_mul_{t}({}, {})", "b": "{} & {}", "": "{} * {}"})
div = Div("div", operator.truediv, [inverse, lambda y, a, b: -y / b], ufunc=np.divide,
          singular=True, warns=True, c={"c": "xf_div_{t}({}, {})", "f": "{} / {}"})
neg = Elementwise("neg", operator.neg, [-1], ufunc=np.negative, c="-{}")
pos = Elementwise("pos", operator.pos, [1], ufunc=np.positive, c="{}")
power = Power("pow", operator.pow, [power_base, power_exponent], ufunc=np.power, singular=True,
              c={"f": "pow", "": "xf_pow_{t}({}, {})"})
square = Elementwise("square", np.square, [lambda y, a: 2 * a], c={"c": "xf_mul_{t}({0}, {0})", "": "{0} * {0}"})
reciprocal = Elementwise("reciprocal", np.reciprocal, [lambda y, a: -y * y], singular=True, warns=True,
                         c={"f": "1 / {}", "": "xf_reciprocal_{t}({})"})
absolute = Elementwise("abs", operator.abs, [phase], ufunc=np.absolute, c={
    "f": "__builtin_fabs{s}({})", "c": "hypot{s}(__real__ {0}, __imag__ {0})", "i": "({0} < 0 ? -{0} : {0})", "": "{}"})
fabs = Elementwise("fabs", np.fabs, [phase], c="__builtin_fabs{s}({})")

floor_divide = Elementwise("floor_divide", operator.floordiv, [None, None], ufunc=np.floor_divide,
                           c="xf_floor_divide_{t}({}, {})")
remainder = Elementwise("remainder", operator.mod, [1, lambda y, a, b: -np.floor_divide(a, b)], ufunc=np.remainder,
                        piecewise=True, c="xf_remainder_{t}({}, {})")
fmod = Elementwise("fmod", np.fmod, [1, lambda y, a, b: -np.trunc(a / b)], piecewise=True,
                   c={"f": "__builtin_fmod{s}({}, {})", "": "xf_fmod_{t}({}, {})"})

maximum = Elementwise("max", np.maximum, [larger, swapped(larger)], c="xf_max_{t}({}, {})")
minimum = Elementwise("min", np.minimum, [smaller, swapped(smaller)], c="xf_min_{t}({}, {})")
clamp = Elementwise("clamp", lambda low, a, high: np.minimum(np.maximum(a, low), high), [is_above, is_inside, is_below],
                    c="xf_min_{t}(xf_max_{t}({1}, {0}), {2})")
fmax = Elementwise("fmax", np.fmax, [where_other_is_nan(larger), swapped(where_other_is_nan(larger))],
                   c="xf_fmax_{t}({}, {})")
fmin = Elementwise("fmin", np.fmin, [where_other_is_nan(smaller), swapped(where_other_is_nan(smaller))],
                   c="xf_fmin_{t}({}, {})")

hypot = Elementwise("hypot", np.hypot, [lambda y, a, b: a / select(y == 0, 1.0, y),
                                        lambda y, a, b: b / select(y == 0, 1.0, y)], c="hypot")
copysign = Elementwise("copysign", np.copysign, [lambda y, a, b: np.sign(a) * np.copysign(1.0, b), None],
                       c="__builtin_copysign{s}({}, {})")
nextafter = Elementwise("nextafter", np.nextafter, [1, None], piecewise=True, c="__builtin_nextafter{s}({}, {})")
heaviside = Elementwise("heaviside", np.heaviside, [None, lambda y, a, b: (a == 0) * 1.0], piecewise=True,
                        c="xf_heaviside_{t}({}, {})")
ldexp = Elementwise("ldexp", np.ldexp, [lambda y, a, b: np.ldexp(1.0, b), None], c={"fi": "xf_ldexp_{t}({}, {})"})
frexp_exponent = Elementwise("frexp_exponent", lambda a: np.frexp(a)[1], [None], loops=np.frexp,
                             c="xf_frexp_exponent_{t}({})")
spacing = Elementwise("spacing", np.spacing, [None], c="xf_spacing_{t}({})")

sign = Sign("sign", np.sign, [None], c="xf_sign_{t}({})")
floor = Elementwise("floor", np.floor, [None], c={"f": "__builtin_floor{s}({})", "": "{}"})
ceil = Elementwise("ceil", np.ceil, [None], c={"f": "__builtin_ceil{s}({})", "": "{}"})
trunc = Elementwise("trunc", np.trunc, [None], c={"f": "__builtin_trunc{s}({})", "": "{}"})
rint = Elementwise("rint", np.rint, [None], c={"f": "__builtin_rint{s}({})", "c": "xf_rint_{t}({})"})
