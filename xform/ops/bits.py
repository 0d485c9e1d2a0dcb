"""The representation of numbers: bits counted, multiplied, reinterpreted, and rounded to fewer of them.

    clz                    leading zeros                                       mulhi             floor(a b / 2^w)
    bitcast_convert_type   the same bits as numbers of another dtype           reduce_precision  x in a narrower format
"""

from __future__ import annotations

from typing import Any

import numpy as np

from xform.core.aval import Aval
from xform.core.primitive import Zero, is_zero
from xform.ops.elementwise import Elementwise
from xform.ops.family import Discrete, Opaque


def bit_width(dtype: np.dtype) -> int:
    return 8 * dtype.itemsize


def unsigned(dtype: np.dtype) -> np.dtype:
    """The unsigned integers of the same width."""
    return np.dtype(f"u{dtype.itemsize}")


def leading_zeros(x: Any) -> Any:
    """w minus the position of the highest bit that is set, which is smeared over all below it and counted."""
    x = np.asarray(x)
    bits, shift, width = x.view(unsigned(x.dtype)), 1, bit_width(x.dtype)
    while shift < width:
        bits, shift = bits | bits >> np.asarray(shift, bits.dtype), 2 * shift
    return (width - np.bitwise_count(bits)).astype(x.dtype)[()]


def high_product(a: Any, b: Any) -> Any:
    """The upper half of the product of 2 w bits, floor(a b / 2^w), in the common dtype of a and b."""
    dtype = np.result_type(a, b)
    a, b, width = np.asarray(a, dtype), np.asarray(b, dtype), bit_width(dtype)
    if width < 64:
        wide = np.dtype(dtype.kind + "8")
        return (np.multiply(a, b, dtype=wide) >> np.asarray(width, wide)).astype(dtype)[()]
    with np.errstate(over="ignore"):  # modulo 2^64
        high = high_product_of_unsigned(a.view(np.uint64), b.view(np.uint64)).view(dtype)
        if dtype.kind == "i":  # a number read as unsigned is 2^64 too large where it is negative
            high = high - np.where(a < 0, b, 0) - np.where(b < 0, a, 0)
        return high[()]


def high_product_of_unsigned(a: Any, b: Any) -> Any:
    """With a = a1 2^32 + a0 and likewise b: a1 b1 + floor((a1 b0 + a0 b1 + floor(a0 b0 / 2^32)) / 2^32)."""
    low, half = np.uint64(0xFFFFFFFF), np.uint64(32)
    (a1, a0), (b1, b0) = ((x >> half, x & low) for x in (a, b))
    first, second = a1 * b0, a0 * b1
    carry = ((first & low) + (second & low) + (a0 * b0 >> half)) >> half
    return a1 * b1 + (first >> half) + (second >> half) + carry


clz = Elementwise("clz", leading_zeros, [None], c={"i": "xf_clz_{t}({})", "u": "xf_clz_{t}({})"})
mulhi = Elementwise("mulhi", high_product, [None, None],
                    c={"i": "xf_mulhi_{t}({}, {})", "u": "xf_mulhi_{t}({}, {})"})


class BitcastConvertType(Discrete):
    """The same bits read in another dtype; one of another width has its parts along the last axis."""

    def abstract(self, x: Aval, *, dtype: np.dtype) -> list[Aval]:
        old, new = x.dtype.itemsize, dtype.itemsize
        if new > old and (not x.shape or x.shape[-1] * old != new):
            raise ValueError(
                f"bitcast_convert_type: {new // old} numbers of {x.dtype} make one of {dtype}, so the last axis must "
                f"have that size; an array of shape {x.shape} was given"
            )
        shape = x.shape if new == old else x.shape[:-1] if new > old else (*x.shape, old // new)
        return [Aval(shape, dtype)]

    def numpy(self, x: Any, *, dtype: np.dtype) -> list[Any]:
        x = np.asarray(x)
        (out,) = self.abstract(Aval(x.shape, x.dtype), dtype=dtype)
        if dtype.itemsize != x.dtype.itemsize:
            x = np.ascontiguousarray(x[..., None] if dtype.itemsize < x.dtype.itemsize else x)
        return [x.view(dtype).reshape(out.shape)[()]]

    def batch(self, size: int, args: Any, batched: Any, *, dtype: np.dtype) -> list[Any]:
        return self.bind(*args, dtype=dtype)


class ReducePrecision(Opaque):
    """Round to the nearest number that has so many bits of exponent and mantissa; its derivative is one."""

    def abstract(self, x: Aval, *, exponent_bits: int, mantissa_bits: int) -> list[Aval]:
        return [Aval(x.shape, x.dtype)]

    def numpy(self, x: Any, *, exponent_bits: int, mantissa_bits: int) -> list[Any]:
        x = np.asarray(x)
        with np.errstate(all="ignore"):
            return [limit_exponent(round_mantissa(x, mantissa_bits), exponent_bits)[()]]

    def jvp(self, primals: Any, tangents: Any, **params: Any) -> tuple[list[Any], list[Any]]:
        y = self(*primals, **params)
        return [y], [Zero.like(y) if is_zero(tangents[0]) else tangents[0]]

    def batch(self, size: int, args: Any, batched: Any, **params: Any) -> list[Any]:
        return self.bind(*args, **params)

    def sparsity(self, patterns: Any, avals: Any, **params: Any) -> list[Any]:
        return list(patterns)


def round_mantissa(x: Any, bits: int) -> Any:
    """q rint(x / q), ties to even, q = 2^(e - 1 - bits) for |x| = m 2^e with m in [1/2, 1), e >= that of normal x."""
    info = np.finfo(x.dtype)
    if bits >= info.nmant:
        return x
    quantum = np.maximum(np.frexp(x)[1], info.minexp + 1) - (bits + 1)
    return np.ldexp(np.rint(np.ldexp(x, -quantum)), quantum)


def limit_exponent(x: Any, bits: int) -> Any:
    """With b = 2^(bits - 1) - 1: infinite from 2^(b + 1) on, and zero below the least normal number 2^(1 - b)."""
    if bits >= np.finfo(x.dtype).nexp:
        return x
    bias = 2 ** (bits - 1) - 1
    size, limits = np.abs(x), np.asarray([np.inf, 0.0], x.dtype)
    x = np.where(size >= np.ldexp(x.dtype.type(1), bias + 1), np.copysign(limits[0], x), x)
    return np.where(size < np.ldexp(x.dtype.type(1), 1 - bias), np.copysign(limits[1], x), x)


bitcast_convert_type = BitcastConvertType("bitcast_convert_type")
reduce_precision = ReducePrecision("reduce_precision")
