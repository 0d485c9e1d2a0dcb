"""What the text of a program calls beside NumPy: the values that Python's own arithmetic refuses to give.

Python raises where NumPy gives inf or nan and warns. The text tests for these cases, and then comes here, where NumPy
computes the value as in the eager program, warnings included. Overflow of sums and products to inf is silent.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import numpy as np

from xform.core.trace import EVAL, using


def divide(a: float, b: float) -> float:
    """a / b for b = 0."""
    return float(np.float64(a) / np.float64(b))


def remainder(a: float, b: float) -> float:
    return float(np.float64(a) % np.float64(b))


def floor_divide(a: float, b: float) -> float:
    return float(np.float64(a) // np.float64(b))


def power(a: float, b: float) -> float:
    try:
        return math.pow(a, b)
    except (ValueError, OverflowError):
        return float(np.float64(a) ** np.float64(b))


def logistic(a: float) -> float:
    """1 / (1 + e^-a) without overflow."""
    small = math.exp(-abs(a))
    return (small if a < 0.0 else 1.0) / (1.0 + small)


def singular(function: Any) -> Any:
    """A function of floats by NumPy, where Python's raises."""
    return lambda *xs: float(function(*map(np.float64, xs)))


FUNCTIONS = {
    name: singular(getattr(np, name))
    for name in (
        "exp", "exp2", "expm1", "log", "log2", "log10", "log1p", "sqrt", "sin", "cos", "tan", "arcsin", "arccos",
        "sinh", "cosh", "arccosh", "arctanh",
    )
}  # fmt: skip


def truncate(a: float) -> int:
    """A float that is no int64 as NumPy converts it."""
    return int(np.float64(a).astype(np.int64))


def int_floor_divide(a: int, b: int) -> int:
    return int(np.int64(a) // np.int64(b))


def int_remainder(a: int, b: int) -> int:
    return int(np.int64(a) % np.int64(b))


def ints(function: Any) -> Any:
    """Of int64 by NumPy, where the result is none: it wraps."""
    return lambda *xs: int(function(*map(np.int64, xs)))


INTEGERS = {
    "wrapped_add": ints(lambda a, b: a + b),
    "wrapped_sub": ints(lambda a, b: a - b),
    "wrapped_mul": ints(lambda a, b: a * b),
    "wrapped_neg": ints(lambda a: -a),
    "wrapped_abs": ints(abs),
}


def multiply_zero(a: Any, p: Any, out: Any = None) -> Any:
    """a * p with 0 * p = 0, also for an infinite or undefined p."""
    return multiply_outside(np.equal(a, 0), a, p, out)


def multiply_zeros(a: Any, b: Any, out: Any = None) -> Any:
    return multiply_outside(np.logical_or(np.equal(a, 0), np.equal(b, 0)), a, b, out)


def multiply_outside(zero: Any, a: Any, b: Any, out: Any) -> Any:
    """a * b, but 0 in the mask; `out` may be one of the factors."""
    with np.errstate(all="ignore"):
        y = np.multiply(a, b, out=out)
    np.copyto(y, 0, where=zero)
    return y


def stacked(rows: Sequence[Any], shape: tuple[int, ...], dtype: Any) -> Any:
    """The rows as an array, which without rows has the shape that they would have."""
    if not shape:
        return np.array(rows, dtype)
    out = np.empty((len(rows), *shape), dtype)
    for k, y in enumerate(rows):
        out[k] = y
    return out


def filled(shape: tuple[int, ...], x: Any) -> Any:
    """An array with all entries x."""
    out = np.empty(shape, x.dtype)
    out.fill(x)
    return out


def grounded(rule: Any) -> Any:
    """The NumPy rule of an operation that contains programs: these are evaluated, whatever trace is current."""

    def run(*args: Any, **params: Any) -> Any:
        with using(EVAL):
            return rule(*args, **params)

    return run


#: the functions above under the names that the text has for them
HELP = SimpleNamespace(
    divide=divide, remainder=remainder, floor_divide=floor_divide, power=power, logistic=logistic, truncate=truncate,
    int_floor_divide=int_floor_divide, int_remainder=int_remainder, multiply_zero=multiply_zero,
    multiply_zeros=multiply_zeros, stacked=stacked, filled=filled, **FUNCTIONS, **INTEGERS,
)  # fmt: skip
