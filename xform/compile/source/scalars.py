"""Operations on single numbers as Python expressions, where Python's arithmetic gives the values of NumPy's.

A row of a table gives the expression for given operands. Floats: a case in which Python raises or gives something else
is tested for, and goes to `help`, that is to NumPy. Integers: a result whose bounds are not known to lie within int64
is tested, and computed again by NumPy if it does not.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from xform.compile.source.values import ANY, GREATEST, LEAST, Value, is_number, number_text
from xform.core.jaxpr import Eqn, Literal

Operand = Value | Literal


def divided(a: str, b: str) -> str:
    return f"{a} / {b}" if is_nonzero(b) else f"{a} / {b} if {b} else help.divide({a}, {b})"


def modulo(a: str, b: str) -> str:
    return f"{a} % {b}" if is_nonzero(b) else f"{a} % {b} if {b} else help.remainder({a}, {b})"


def raised(a: str, b: str) -> str:
    """The powers that NumPy computes without `pow`, and `pow`."""
    known = {"2.0": f"{a} * {a}", "1.0": a}
    return known.get(b) or f"help.power({a}, {b})"


def is_nonzero(text: str) -> bool:
    """Is it a number other than zero, by its text?"""
    try:
        return float(text.strip("()")) != 0.0
    except ValueError:
        return False


def guarded(name: str, condition: str, numpy_name: str = "") -> Callable[[str], str]:
    """math.name(a) if the condition holds, else NumPy's value."""
    return lambda a: f"math.{name}({a}) if {condition.format(a)} else help.{numpy_name or name}({a})"


FINITE = "-math.inf < {0} < math.inf"

FLOATS: dict[str, Callable[..., str]] = {
    "add": lambda a, b: f"{a} + {b}",
    "sub": lambda a, b: f"{a} - {b}",
    "mul": lambda a, b: f"{a} * {b}",
    "div": divided,
    "remainder": modulo,
    "floor_divide": lambda a, b: f"{a} // {b} if {b} and {FINITE.format(a)} else help.floor_divide({a}, {b})",
    "pow": raised,
    "neg": lambda a: f"-{a}",
    "pos": lambda a: a,
    "abs": lambda a: f"abs({a})",
    "fabs": lambda a: f"abs({a})",
    "square": lambda a: f"{a} * {a}",
    "reciprocal": lambda a: divided("1.0", a),
    "max": lambda a, b: f"{a} if {a} > {b} or {a} != {a} else {b}",
    "min": lambda a, b: f"{a} if {a} < {b} or {a} != {a} else {b}",
    "sign": lambda a: f"1.0 if {a} > 0.0 else -1.0 if {a} < 0.0 else 0.0 if {a} == 0.0 else {a}",
    "floor": lambda a: f"{a} // 1.0 if {FINITE.format(a)} else {a}",
    "ceil": lambda a: f"-(-{a} // 1.0) if {FINITE.format(a)} else {a}",
    "mul_zero": lambda a, p: f"0.0 if {a} == 0.0 else {a} * {p}",
    "mul_zeros": lambda a, b: f"0.0 if {a} == 0.0 or {b} == 0.0 else {a} * {b}",
    "stop_gradient": lambda a: a,
    "real": lambda a: a,
    "hypot": lambda a, b: f"math.hypot({a}, {b})",
    "copysign": lambda a, b: f"math.copysign({a}, {b})",
    "arctan2": lambda a, b: f"math.atan2({a}, {b})",
    "deg2rad": lambda a: f"math.radians({a})",
    "rad2deg": lambda a: f"math.degrees({a})",
    "exp": guarded("exp", "{0} < 709.0"),
    "expm1": guarded("expm1", "{0} < 709.0"),
    "log": guarded("log", "{0} > 0.0"),
    "log2": guarded("log2", "{0} > 0.0"),
    "log10": guarded("log10", "{0} > 0.0"),
    "log1p": guarded("log1p", "{0} > -1.0"),
    "sqrt": guarded("sqrt", "{0} >= 0.0"),
    "sin": guarded("sin", FINITE),
    "cos": guarded("cos", FINITE),
    "tan": guarded("tan", FINITE),
    "arcsin": guarded("asin", "-1.0 <= {0} <= 1.0", "arcsin"),
    "arccos": guarded("acos", "-1.0 <= {0} <= 1.0", "arccos"),
    "arctan": lambda a: f"math.atan({a})",
    "sinh": guarded("sinh", "-709.0 < {0} < 709.0"),
    "cosh": guarded("cosh", "-709.0 < {0} < 709.0"),
    "tanh": lambda a: f"math.tanh({a})",
    "arcsinh": lambda a: f"math.asinh({a})",
    "arccosh": guarded("acosh", "{0} >= 1.0", "arccosh"),
    "arctanh": guarded("atanh", "-1.0 < {0} < 1.0", "arctanh"),
    "logistic": lambda a: f"help.logistic({a})",
}

COMPARISONS = {"eq": "==", "ne": "!=", "lt": "<", "le": "<=", "gt": ">", "ge": ">="}

PREDICATES: dict[str, Callable[[str], str]] = {
    "is_nan": lambda a: f"{a} != {a}",
    "is_inf": lambda a: f"{a} in (math.inf, -math.inf)",
    "is_finite": FINITE.format,
    "signbit": lambda a: f"math.copysign(1.0, {a}) < 0.0",
}

LOGIC: dict[str, Callable[..., str]] = {
    "and": lambda a, b: f"{a} & {b}",
    "or": lambda a, b: f"{a} | {b}",
    "xor": lambda a, b: f"{a} ^ {b}",
    "logical_and": lambda a, b: f"{a} and {b}",
    "logical_or": lambda a, b: f"{a} or {b}",
    "logical_xor": lambda a, b: f"{a} ^ {b}",
    "not": lambda a: f"not {a}",
    "logical_not": lambda a: f"not {a}",
    "stop_gradient": lambda a: a,
}


def is_single(x: Operand) -> bool:
    """Is it, or can it be, a Python number?"""
    return is_number(x.aval) and x.aval.weak is not complex


def kind(x: Operand) -> str:
    return x.aval.dtype.kind


def text(x: Operand) -> str:
    """As the Python number that it is."""
    if type(x) is Literal:
        return number_text(np.asarray(x.value).item())
    return x.as_number()  # type: ignore[union-attr]


def as_float(x: Operand) -> str:
    if type(x) is Literal:
        return number_text(float(x.value))
    return text(x) if kind(x) == "f" else f"float({text(x)})"


def as_int(x: Operand) -> str:
    if type(x) is Literal:
        return number_text(int(x.value))
    return text(x) if kind(x) == "i" else f"int({text(x)})"


def bounds(x: Operand) -> tuple[int, int]:
    if type(x) is Literal:
        return int(x.value), int(x.value)
    return (0, 1) if kind(x) == "b" else x.bounds  # type: ignore[union-attr]


class Result:
    """The expression of a result; for an integer its bounds, and the call that computes it if it leaves int64."""

    __slots__ = ("bounds", "otherwise", "text")

    def __init__(self, text: str, limits: tuple[int, int] = ANY, otherwise: str | None = None) -> None:
        self.text, self.bounds, self.otherwise = text, limits, otherwise
        if limits[0] < LEAST or limits[1] > GREATEST:
            self.bounds = ANY
        else:
            self.otherwise = None


def scalar_result(eqn: Eqn, operands: Sequence[Operand]) -> Result | None:
    """The result of an operation on single numbers, None if it is left to NumPy."""
    if len(eqn.outputs) != 1 or not is_number(eqn.outputs[0].aval) or not operands:
        return None
    if not all(map(is_single, operands)):
        return None
    name, out = eqn.prim.name, eqn.outputs[0].aval.dtype.kind
    if name in COMPARISONS:
        form = as_float if any(kind(x) == "f" for x in operands) else text
        return Result(f" {COMPARISONS[name]} ".join(map(form, operands)))
    if name in SHAPELESS:
        return Result(text(operands[0]), bounds(operands[0]) if out == "i" else ANY)
    if name == "convert":
        return converted(operands[0], out)
    if name == "select":
        c, a, b = operands
        return selected(c, a, b, out)
    return {"f": float_result, "i": int_result, "b": bool_result}[out](name, operands)


#: of a single number these are that number
SHAPELESS = frozenset({"reshape", "transpose", "broadcast", "name", "reduce_sum", "reduce_max", "reduce_min"})


def float_result(name: str, operands: Sequence[Operand]) -> Result | None:
    if name == "pow" and type(operands[1]) is Literal and type(operands[1].value) is int and operands[1].value == 0:
        return Result("1.0")
    if name not in FLOATS:
        return None
    return Result(FLOATS[name](*map(as_float, operands)))


def bool_result(name: str, operands: Sequence[Operand]) -> Result | None:
    if name in PREDICATES and kind(operands[0]) == "f":
        return Result(PREDICATES[name](as_float(operands[0])))
    if name in LOGIC and all(kind(x) == "b" for x in operands):
        return Result(LOGIC[name](*map(text, operands)))
    return None


def converted(x: Operand, out: str) -> Result | None:
    """Another dtype, of which float to integer may meet no integer."""
    if out == "f":
        return Result(as_float(x))
    if out == "b":
        return Result(text(x) if kind(x) == "b" else f"{text(x)} != 0")
    if kind(x) == "f":
        a = text(x)
        return Result(f"int({a}) if -9e18 < {a} < 9e18 else help.truncate({a})")
    return Result(as_int(x), bounds(x))


def selected(c: Operand, a: Operand, b: Operand, out: str) -> Result:
    form = {"f": as_float, "i": as_int, "b": text}[out]
    condition = text(c) if kind(c) == "b" else f"{text(c)} != 0"
    limits = (min(bounds(a)[0], bounds(b)[0]), max(bounds(a)[1], bounds(b)[1])) if out == "i" else ANY
    return Result(f"{form(a)} if {condition} else {form(b)}", limits)


def int_result(name: str, operands: Sequence[Operand]) -> Result | None:
    rule = INTEGERS.get(name)
    return None if rule is None else rule(*map(as_int, operands), *map(bounds, operands))


def added(a: str, b: str, s: Any, t: Any) -> Result:
    return Result(f"{a} + {b}", (s[0] + t[0], s[1] + t[1]), f"help.wrapped_add({a}, {b})")


def subtracted(a: str, b: str, s: Any, t: Any) -> Result:
    return Result(f"{a} - {b}", (s[0] - t[1], s[1] - t[0]), f"help.wrapped_sub({a}, {b})")


def multiplied(a: str, b: str, s: Any, t: Any) -> Result:
    corners = [p * q for p in s for q in t]
    return Result(f"{a} * {b}", (min(corners), max(corners)), f"help.wrapped_mul({a}, {b})")


def negated(a: str, s: Any) -> Result:
    return Result(f"-{a}", (-s[1], -s[0]), f"help.wrapped_neg({a})")


def magnitude(a: str, s: Any) -> Result:
    return Result(f"abs({a})", (0, max(abs(s[0]), abs(s[1]))), f"help.wrapped_abs({a})")


def int_modulo(a: str, b: str, s: Any, t: Any) -> Result:
    if t[0] > 0:
        return Result(f"{a} % {b}", (0, t[1] - 1))
    return Result(f"{a} % {b} if {b} > 0 else help.int_remainder({a}, {b})")


def int_quotient(a: str, b: str, s: Any, t: Any) -> Result:
    if t[0] > 0:
        return Result(f"{a} // {b}", (min(s[0], 0), max(s[1], 0)))
    return Result(f"{a} // {b} if {b} > 0 else help.int_floor_divide({a}, {b})")


INTEGERS: dict[str, Callable[..., Result]] = {
    "add": added,
    "sub": subtracted,
    "mul": multiplied,
    "neg": negated,
    "abs": magnitude,
    "square": lambda a, s: multiplied(a, a, s, s),
    "remainder": int_modulo,
    "floor_divide": int_quotient,
    "max": lambda a, b, s, t: Result(f"{a} if {a} > {b} else {b}", (max(s[0], t[0]), max(s[1], t[1]))),
    "min": lambda a, b, s, t: Result(f"{a} if {a} < {b} else {b}", (min(s[0], t[0]), min(s[1], t[1]))),
    "stop_gradient": Result,
}
