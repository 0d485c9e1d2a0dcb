"""The elementwise operators of `jax.lax`: arithmetic, comparison, choice, rounding and parts of complex numbers.

Where lax demands operands of equal dtypes and shapes, we promote and broadcast them as NumPy does; what NumPy raises
or warns of, it raises and warns of here. Hints to a compiler (`accuracy`, `out_sharding`) do not exist.
"""

from __future__ import annotations

import builtins
import enum
import operator
from typing import Any

import numpy as np

from xform.core.aval import aval_of, shape_of
from xform.numpy import elementwise as parts
from xform.numpy.dispatch import ArrayLike, as_dtype, asarray
from xform.ops import arithmetic as ops
from xform.ops.complex import assemble
from xform.ops.select import select as choose
from xform.ops.structure import broadcast_to

__all__ = [
    "RoundingMethod",
    "abs",
    "add",
    "ceil",
    "clamp",
    "complex",
    "conj",
    "div",
    "eq",
    "floor",
    "ge",
    "gt",
    "imag",
    "integer_pow",
    "is_finite",
    "le",
    "lt",
    "max",
    "min",
    "mul",
    "ne",
    "neg",
    "nextafter",
    "pow",
    "real",
    "reciprocal",
    "rem",
    "round",
    "select",
    "select_n",
    "sign",
    "square",
    "sub",
]


def operand(x: Any) -> Any:
    """An operand of a primitive: Python's numbers stay weak."""
    return x if type(x) in (builtins.bool, int, float, builtins.complex) else asarray(x)


def common_dtype(*xs: Any) -> np.dtype:
    """The dtype to which operands promote."""
    avals = [aval_of(operand(x)) for x in xs]
    return np.result_type(*(a.weak(0) if a.weak else a.dtype for a in avals))


# --- arithmetic ---


def neg(x: ArrayLike) -> Any:
    """-x."""
    return np.negative(x)


def add(x: ArrayLike, y: ArrayLike) -> Any:
    """x + y."""
    return np.add(x, y)


def sub(x: ArrayLike, y: ArrayLike) -> Any:
    """x - y."""
    return np.subtract(x, y)


def mul(x: ArrayLike, y: ArrayLike) -> Any:
    """x y."""
    return np.multiply(x, y)


def div(x: ArrayLike, y: ArrayLike) -> Any:
    """x / y; of integers the quotient truncated towards zero, an integer, and 0 (with a warning) for y = 0.

    >>> div(-7, 2), div(-7.0, 2)
    (np.int64(-3), np.float64(-3.5))
    """
    if common_dtype(x, y).kind not in "iu":
        return np.true_divide(x, y)
    return np.floor_divide(np.subtract(x, np.fmod(x, y)), y)


def rem(x: ArrayLike, y: ArrayLike) -> Any:
    """The remainder x - y trunc(x / y), which has the sign of x.

    >>> rem(-7, 3), np.remainder(-7, 3)
    (np.int64(-1), np.int64(2))
    """
    return np.fmod(x, y)


def reciprocal(x: ArrayLike) -> Any:
    """1 / x, also of integers, for which NumPy's reciprocal is 0.

    >>> reciprocal(4)
    np.float64(0.25)
    """
    x = asarray(x)
    return np.reciprocal(x) if x.dtype.kind in "fc" else np.true_divide(1, x)


def square(x: ArrayLike) -> Any:
    """x^2."""
    return np.square(x)


def pow(x: ArrayLike, y: ArrayLike) -> Any:
    """x^y; ValueError for an integer to a negative integer power."""
    return np.power(x, y)


def integer_pow(x: ArrayLike, y: int) -> Any:
    """x^y for an exponent that is a Python integer; TypeError if it is not, ValueError for integers if it is negative.

    >>> import xform
    >>> xform.grad(lambda x: integer_pow(x, -2))(2.0)
    np.float64(-0.25)
    """
    try:
        exponent = operator.index(y)
    except TypeError:
        raise TypeError(
            f"integer_pow: the exponent {y!r:.60} was given, wanted a Python integer; use pow for any other"
        ) from None
    return np.power(x, exponent)


def abs(x: ArrayLike) -> Any:
    """|x|, of a complex number its modulus; the derivative at 0 is 0."""
    return np.absolute(x)


def sign(x: ArrayLike) -> Any:
    """-1, 0 or 1; of a complex number x / |x|."""
    return np.sign(x)


# --- order and choice ---


def max(x: ArrayLike, y: ArrayLike) -> Any:
    """The larger of x and y, nan if either is; at a tie the derivative is shared evenly."""
    return np.maximum(x, y)


def min(x: ArrayLike, y: ArrayLike) -> Any:
    """The smaller of x and y, nan if either is; at a tie the derivative is shared evenly."""
    return np.minimum(x, y)


def clamp(min: ArrayLike, x: ArrayLike, max: ArrayLike) -> Any:
    """min(max(x, lower limit), upper limit); on a limit the derivative in x is zero.

    >>> import xform
    >>> xform.grad(lambda x: clamp(0.0, x, 1.0).sum())(np.array([-0.5, 0.5, 1.0]))
    array([0., 1., 0.])
    """
    return ops.clamp(operand(min), operand(x), operand(max))


def select(pred: ArrayLike, on_true: ArrayLike, on_false: ArrayLike) -> Any:
    """`on_true` where the booleans `pred` are true, else `on_false`; no derivative passes through what is not chosen.

    Raises TypeError if `pred` is not boolean.

    >>> import xform
    >>> xform.grad(lambda x: select(x > 0, np.sqrt(x), 0.0).sum())(np.array([4.0, 0.0]))
    array([0.25, 0.  ])
    """
    if (dtype := aval_of(operand(pred)).dtype).kind != "b":
        raise TypeError(f"select: a predicate of {dtype} was given, wanted booleans; write `pred != 0` for not zero")
    return choose(operand(pred), operand(on_true), operand(on_false))


def select_n(which: ArrayLike, *cases: ArrayLike) -> Any:
    """Entry by entry cases[which]: `which` is boolean for two cases at most, else an integer, clamped to 0 ... n - 1.

    Raises ValueError for no case, TypeError if `which` is neither, or boolean with more than two cases.

    >>> select_n(np.array([2, 0, 1]), 10, 20, np.array([1, 2, 3]))
    array([ 1, 10, 20])
    """
    which, dtype = operand(which), aval_of(operand(which)).dtype
    if not cases:
        raise ValueError("select_n: no cases were given; wanted one at least, behind the array that says which")
    if dtype.kind not in ("biu" if len(cases) <= 2 else "iu"):
        raise TypeError(
            f"select_n: `which` of {dtype} was given for {len(cases)} cases; wanted integers, or booleans for two"
        )
    values = [operand(x) for x in cases]
    dtype = common_dtype(*values)
    out = broadcast_to(values[-1], np.broadcast_shapes(shape_of(which), shape_of(values[-1])))
    for k in reversed(range(len(values) - 1)):
        out = choose(np.less_equal(which, k), values[k], out)
    return as_dtype(asarray(out), dtype)


def eq(x: ArrayLike, y: ArrayLike) -> Any:
    """x == y, entry by entry."""
    return np.equal(x, y)


def ne(x: ArrayLike, y: ArrayLike) -> Any:
    """x != y, entry by entry."""
    return np.not_equal(x, y)


def lt(x: ArrayLike, y: ArrayLike) -> Any:
    """x < y, entry by entry."""
    return np.less(x, y)


def le(x: ArrayLike, y: ArrayLike) -> Any:
    """x <= y, entry by entry."""
    return np.less_equal(x, y)


def gt(x: ArrayLike, y: ArrayLike) -> Any:
    """x > y, entry by entry."""
    return np.greater(x, y)


def ge(x: ArrayLike, y: ArrayLike) -> Any:
    """x >= y, entry by entry."""
    return np.greater_equal(x, y)


def is_finite(x: ArrayLike) -> Any:
    """Is it neither infinite nor nan?"""
    return np.isfinite(x)


# --- rounding ---


class RoundingMethod(enum.IntEnum):
    """Where a number goes that lies half-way between two integers."""

    AWAY_FROM_ZERO = 0
    TO_NEAREST_EVEN = 1


def floor(x: ArrayLike) -> Any:
    """The largest integer that is not above x, in the dtype of x."""
    return np.floor(x)


def ceil(x: ArrayLike) -> Any:
    """The smallest integer that is not below x, in the dtype of x."""
    return np.ceil(x)


def round(x: ArrayLike, rounding_method: RoundingMethod = RoundingMethod.AWAY_FROM_ZERO) -> Any:
    """The nearest integer, in the dtype of x; half-way cases away from zero, or to the even one.

    Raises ValueError for another method.

    >>> x = np.array([-2.5, 0.5, 1.5])
    >>> print(round(x), round(x, RoundingMethod.TO_NEAREST_EVEN))
    [-3.  1.  2.] [-2.  0.  2.]
    """
    if rounding_method not in tuple(RoundingMethod):
        raise ValueError(f"round: the method {rounding_method!r} was given; wanted one of {list(RoundingMethod)}")
    x = asarray(x)
    if x.dtype.kind in "biu":
        return x
    if rounding_method == RoundingMethod.TO_NEAREST_EVEN:
        return np.rint(x)
    whole = np.trunc(x)
    return choose(np.greater_equal(np.absolute(x - whole), 0.5), whole + np.sign(x), whole)


def nextafter(x1: ArrayLike, x2: ArrayLike) -> Any:
    """The next floating-point number after x1 in the direction of x2."""
    return np.nextafter(x1, x2)


# --- complex numbers ---


def complex(x: ArrayLike, y: ArrayLike) -> Any:
    """x + i y for real x and y: complex64 for float32, else complex128; TypeError for complex operands.

    >>> complex(0.0, np.inf)
    np.complex128(infj)
    """
    dtype = common_dtype(x, y)
    if dtype.kind == "c":
        raise TypeError(f"complex: parts of {dtype} were given, wanted real numbers; write x + 1j * y")
    return assemble(operand(x), operand(y))


def conj(x: ArrayLike) -> Any:
    """The complex conjugate; of real numbers the complex numbers with imaginary part zero.

    >>> conj(1 + 2j), conj(1.0)
    (np.complex128(1-2j), np.complex128(1+0j))
    """
    x = asarray(x)
    return np.conjugate(x) if x.dtype.kind == "c" else assemble(x, 0)


def real(x: ArrayLike) -> Any:
    """The real part."""
    return parts.real(x)


def imag(x: ArrayLike) -> Any:
    """The imaginary part; of real numbers zeros."""
    return parts.imag(x)
