"""The bits of numbers: logic, shifts, counts, and the same bits as another dtype; none of them has a derivative.

Integers are in two's complement; operands are promoted and broadcast as by NumPy.
"""

from __future__ import annotations

import operator
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from xform.lax.creation import numeric_dtype
from xform.lax.elementwise import common_dtype, operand
from xform.numpy.dispatch import ArrayLike, as_dtype, asarray
from xform.ops import bits as ops
from xform.ops.logic import right_shift

__all__ = [
    "bitcast_convert_type",
    "bitwise_and",
    "bitwise_not",
    "bitwise_or",
    "bitwise_xor",
    "clz",
    "mulhi",
    "population_count",
    "reduce_precision",
    "shift_left",
    "shift_right_arithmetic",
    "shift_right_logical",
]


def bitwise_not(x: ArrayLike) -> Any:
    """~x; of booleans the negation."""
    return np.invert(x)


def bitwise_and(x: ArrayLike, y: ArrayLike) -> Any:
    """x & y."""
    return np.bitwise_and(x, y)


def bitwise_or(x: ArrayLike, y: ArrayLike) -> Any:
    """x | y."""
    return np.bitwise_or(x, y)


def bitwise_xor(x: ArrayLike, y: ArrayLike) -> Any:
    """x ^ y."""
    return np.bitwise_xor(x, y)


def integers(name: str, *xs: Any) -> np.dtype:
    """The dtype to which operands promote; TypeError if it is not an integer dtype."""
    dtype = common_dtype(*xs)
    if dtype.kind not in "iu":
        raise TypeError(f"{name}: operands of {dtype} were given, wanted integers; convert them with astype")
    return dtype


def shift_left(x: ArrayLike, y: ArrayLike) -> Any:
    """x 2^y modulo 2^w for integers of w bits; 0 if y is negative or not less than w. TypeError unless integers.

    >>> shift_left(np.int8(65), np.array([0, 1, 9], np.int8))
    array([  65, -126,    0], dtype=int8)
    """
    integers("shift_left", x, y)
    return np.left_shift(x, y)


def shift_right_logical(x: ArrayLike, y: ArrayLike) -> Any:
    """Shift by y bits and fill up with zeros, also for negative x: all 0 if y is negative or not less than the width.

    Raises TypeError unless both are integers.

    >>> shift_right_logical(np.int8(-8), np.array([0, 1, 7, 8], np.int8))
    array([ -8, 124,   1,   0], dtype=int8)
    """
    dtype = integers("shift_right_logical", x, y)
    return shift_right_as(np.dtype(f"u{dtype.itemsize}"), dtype, x, y)


def shift_right_arithmetic(x: ArrayLike, y: ArrayLike) -> Any:
    """Shift by y bits and fill up with copies of the highest one, of unsigned integers as well.

    That is floor(x / 2^y) of signed integers, also if y is not less than the width; a negative y counts as such. Raises
    TypeError unless both are integers.

    >>> shift_right_arithmetic(np.int8(-8), np.array([0, 1, 7, 8], np.int8))
    array([-8, -4, -1, -1], dtype=int8)
    """
    dtype = integers("shift_right_arithmetic", x, y)
    return shift_right_as(np.dtype(f"i{dtype.itemsize}"), dtype, x, y)


def shift_right_as(read: np.dtype, dtype: np.dtype, x: Any, y: Any) -> Any:
    """Shift integers of a dtype whose bits are read in another one."""
    bits = [cast_bits(as_dtype(asarray(a), dtype), read) for a in (x, y)]
    return cast_bits(right_shift(*bits), dtype)


def cast_bits(x: Any, dtype: np.dtype) -> Any:
    return x if x.dtype == dtype else ops.bitcast_convert_type(x, dtype=dtype)


def clz(x: ArrayLike) -> Any:
    """The number of leading zero bits, in the dtype of x; TypeError unless it is an integer.

    >>> clz(np.array([0, 1, -1], np.int8))
    array([8, 7, 0], dtype=int8)
    """
    return counted("clz", ops.clz, x)


def population_count(x: ArrayLike) -> Any:
    """The number of bits that are set, in the dtype of x; TypeError unless it is an integer.

    Of a negative number those of its two's complement, where NumPy's bitwise_count takes those of |x|.

    >>> population_count(np.array([7, -1]))
    array([ 3, 64])
    """
    return counted("population_count", bits_set, x)


def bits_set(x: Any) -> Any:
    bits = cast_bits(x, np.dtype(f"u{x.dtype.itemsize}"))
    return as_dtype(np.bitwise_count(bits), x.dtype)


def counted(name: str, count: Any, x: Any) -> Any:
    """A count of the bits of integers."""
    integers(name, x)
    return count(asarray(x))


def mulhi(x: ArrayLike, y: ArrayLike, /) -> Any:
    """The upper half of the product of integers of w bits, floor(x y / 2^w); TypeError unless integers.

    >>> mulhi(2**62, 12)
    np.int64(3)
    """
    integers("mulhi", x, y)
    return ops.mulhi(operand(x), operand(y))


# --- formats ---


def bitcast_convert_type(operand: ArrayLike, new_dtype: DTypeLike) -> Any:
    """The same bits read as numbers of another dtype, through which no derivative passes.

    A number of a wider dtype becomes several along a new last axis, lowest bits first on most machines; and back, if
    the last axis has that size. Raises TypeError for booleans and complex numbers, ValueError for a shape that does
    not fit.

    >>> hex(bitcast_convert_type(np.float32(1.0), np.int32))
    '0x3f800000'
    """
    x, dtype = asarray(operand), numeric_dtype("bitcast_convert_type", new_dtype)
    if x.dtype == dtype:
        return x
    if x.dtype.kind in "bc" or dtype.kind in "bc":
        raise TypeError(
            f"bitcast_convert_type: from {x.dtype} to {dtype} was asked for, wanted integers or real numbers; booleans "
            "and complex numbers have no bits of their own here: use convert_element_type, real and imag"
        )
    return ops.bitcast_convert_type(x, dtype=dtype)


def reduce_precision(operand: ArrayLike, exponent_bits: int, mantissa_bits: int) -> Any:
    """Round to the nearest number, ties to even, of a format with so many bits; in the dtype of the operand.

    What is too large becomes infinite, what is below the format's least normal number zero. The derivative is one.
    Raises TypeError unless the operand is real and floating-point, ValueError for impossible numbers of bits.

    >>> reduce_precision(np.pi, exponent_bits=8, mantissa_bits=7)
    np.float64(3.140625)
    """
    x, bits = asarray(operand), [operator.index(n) for n in (exponent_bits, mantissa_bits)]
    if x.dtype.kind != "f":
        raise TypeError(f"reduce_precision: an operand of {x.dtype} was given, wanted real floating-point numbers")
    if bits[0] < 1 or bits[1] < 0:
        raise ValueError(
            f"reduce_precision: exponent_bits={bits[0]} and mantissa_bits={bits[1]} were given; wanted at least 1 and 0"
        )
    return ops.reduce_precision(x, exponent_bits=bits[0], mantissa_bits=bits[1])
