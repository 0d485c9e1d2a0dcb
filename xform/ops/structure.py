"""Primitives that move, repeat and sum entries: each is the transpose of another one here, or of itself.

    broadcast <-> reduce_sum    slice <-> pad    concatenate -> slice    reshape, transpose, convert: of themselves
"""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from xform.core.aval import Aval, is_inexact, shape_of
from xform.core.primitive import Linear as Unknown
from xform.core.primitive import Zero
from xform.ops.c_text import OperandType, fill
from xform.ops.family import Linear


class Broadcast(Linear):
    """Repeat along new axes: `shape` is the result's, `axes` are the positions of the new axes in it."""

    def abstract(self, x: Aval, *, shape: tuple[int, ...], axes: tuple[int, ...]) -> list[Aval]:
        return [x.with_shape(shape)]

    def numpy(self, x: Any, *, shape: tuple[int, ...], axes: tuple[int, ...]) -> list[Any]:
        if len(axes) == len(shape) and math.prod(shape) <= 4096:  # a scalar: filling beats a view with strides of zero
            out = np.empty(shape, np.asarray(x).dtype)
            out.fill(x)
            return [out]
        return [np.broadcast_to(np.expand_dims(x, axes), shape)]

    def transpose(self, cotangents: Any, x: Any, *, shape: tuple[int, ...], axes: tuple[int, ...]) -> list[Any]:
        return [reduce_sum(cotangents[0], axes=axes)]

    def batch(self, size: int, args: Any, batched: Any, *, shape: tuple[int, ...], axes: tuple[int, ...]) -> list[Any]:
        return self.bind(*args, shape=(size, *shape), axes=shift(axes))


class ReduceSum(Linear):
    """Sum over `axes`."""

    def abstract(self, x: Aval, *, axes: tuple[int, ...]) -> list[Aval]:
        return [x.with_shape(without(x.shape, axes))]

    def numpy(self, x: Any, *, axes: tuple[int, ...]) -> list[Any]:
        return [np.add.reduce(x, axis=axes, dtype=x.dtype)]

    def transpose(self, cotangents: Any, x: Any, *, axes: tuple[int, ...]) -> list[Any]:
        return [broadcast(cotangents[0], shape=x.shape, axes=axes)]

    def batch(self, size: int, args: Any, batched: Any, *, axes: tuple[int, ...]) -> list[Any]:
        return self.bind(*args, axes=shift(axes))


class Reshape(Linear):
    """The same entries, in C order, in another shape."""

    def abstract(self, x: Aval, *, shape: tuple[int, ...]) -> list[Aval]:
        return [x.with_shape(shape)]

    def numpy(self, x: Any, *, shape: tuple[int, ...]) -> list[Any]:
        return [x.reshape(shape)]

    def transpose(self, cotangents: Any, x: Any, *, shape: tuple[int, ...]) -> list[Any]:
        return [reshape(cotangents[0], shape=x.shape)]

    def batch(self, size: int, args: Any, batched: Any, *, shape: tuple[int, ...]) -> list[Any]:
        return self.bind(*args, shape=(size, *shape))


class Transpose(Linear):
    """Permute the axes: axis k of the result is axis permutation[k] of the operand."""

    def abstract(self, x: Aval, *, permutation: tuple[int, ...]) -> list[Aval]:
        return [x.with_shape(tuple(x.shape[k] for k in permutation))]

    def numpy(self, x: Any, *, permutation: tuple[int, ...]) -> list[Any]:
        return [x.transpose(permutation)]

    def transpose(self, cotangents: Any, x: Any, *, permutation: tuple[int, ...]) -> list[Any]:
        inverse = sorted(range(len(permutation)), key=permutation.__getitem__)
        return [self(cotangents[0], permutation=tuple(inverse))]

    def batch(self, size: int, args: Any, batched: Any, *, permutation: tuple[int, ...]) -> list[Any]:
        return self.bind(*args, permutation=(0, *shift(permutation)))


#: A static basic index, an entry per axis: an integer (the axis is dropped) or (start, count, step).
Region = tuple[int | tuple[int, int, int], ...]


#: a region of at most one entry in so many of an array is a small part of it
FEW = 4


def is_small_part(part: Any, whole: Any) -> bool:
    return FEW * part.size <= whole.size


class Slice(Linear):
    """Read a region: x[index]."""

    def abstract(self, x: Aval, *, index: Region) -> list[Aval]:
        return [x.with_shape(region_shape(index))]

    def numpy(self, x: Any, *, index: Region) -> list[Any]:
        """A small part is copied: a view would keep the whole array, and prevent that it is written into in place."""
        if len(index) == 1 and type(index[0]) is int:
            return [x[index[0]]]
        y = x[as_slices(index)]
        return [y.copy() if type(y) is np.ndarray and is_small_part(y, x) else y]

    def transpose(self, cotangents: Any, x: Any, *, index: Region) -> list[Any]:
        return [pad(cotangents[0], shape=x.shape, index=index)]

    def accumulate(self, buffer: np.ndarray, cotangent: Any, x: Any, *, index: Region) -> None:
        buffer[as_slices(index)] += cotangent

    def positions(self, x: Any, *, index: Region) -> np.ndarray:
        return region_positions(x.shape, index)

    def batch(self, size: int, args: Any, batched: Any, *, index: Region) -> list[Any]:
        return self.bind(*args, index=((0, size, 1), *index))


class Pad(Linear):
    """Zeros of the given shape with the operand written into the region `index`."""

    def abstract(self, x: Aval, *, shape: tuple[int, ...], index: Region) -> list[Aval]:
        return [x.with_shape(shape)]

    def numpy(self, x: Any, *, shape: tuple[int, ...], index: Region) -> list[Any]:
        out = np.zeros(shape, x.dtype)
        out[as_slices(index)] = x
        return [out]

    def transpose(self, cotangents: Any, x: Any, *, shape: tuple[int, ...], index: Region) -> list[Any]:
        return [slice_(cotangents[0], index=index)]

    def batch(self, size: int, args: Any, batched: Any, *, shape: tuple[int, ...], index: Region) -> list[Any]:
        return self.bind(*args, shape=(size, *shape), index=((0, size, 1), *index))


class Concatenate(Linear):
    """Join along an axis; the operands have one dtype."""

    def abstract(self, *xs: Aval, axis: int) -> list[Aval]:
        shape = list(xs[0].shape)
        shape[axis] = sum(x.shape[axis] for x in xs)
        return [Aval(tuple(shape), np.result_type(*(x.dtype for x in xs)))]

    def numpy(self, *xs: Any, axis: int) -> list[Any]:
        return [np.concatenate(xs, axis=axis)]

    def transpose(self, cotangents: Any, *xs: Any, axis: int) -> list[Any]:
        (bar,), start, out = cotangents, 0, []
        for x in xs:
            region = tuple((start if k == axis else 0, n, 1) for k, n in enumerate(x.shape))
            start += x.shape[axis]
            out.append(slice_(bar, index=region) if isinstance(x, Unknown) else None)
        return out

    def batch(self, size: int, args: Any, batched: Any, *, axis: int) -> list[Any]:
        return self.bind(*(batch_operand(size, x, b) for x, b in zip(args, batched, strict=True)), axis=axis + 1)


class Convert(Linear):
    """Change the dtype; from complex to real it takes the real part."""

    def abstract(self, x: Aval, *, dtype: np.dtype) -> list[Aval]:
        return [x.with_dtype(dtype)]

    def numpy(self, x: Any, *, dtype: np.dtype) -> list[Any]:
        x = np.asarray(x)
        y = (x.real if x.dtype.kind == "c" and dtype.kind not in "cb" else x).astype(dtype)
        return [y if y.ndim else y[()]]

    def c_text(self, operands: Sequence[str], dtypes: Sequence[OperandType], out: np.dtype) -> str | None:
        """As of an elementwise primitive: a cast."""
        return fill("{}", operands, dtypes, (out,), out)

    def jvp(self, primals: Any, tangents: Any, *, dtype: np.dtype) -> Any:
        if not is_inexact(dtype):
            out = self(*primals, dtype=dtype)
            return [out], [Zero.like(out)]
        return super().jvp(primals, tangents, dtype=dtype)

    def transpose(self, cotangents: Any, x: Any, *, dtype: np.dtype) -> list[Any]:
        return [self(cotangents[0], dtype=x.dtype)]

    def batch(self, size: int, args: Any, batched: Any, *, dtype: np.dtype) -> list[Any]:
        return self.bind(*args, dtype=dtype)

    def jet(self, series: Any, apply: Any, *, dtype: np.dtype) -> list[Any]:
        if not is_inexact(dtype):
            return apply.constant(self, series, {"dtype": dtype})
        return super().jet(series, apply, dtype=dtype)

    def sparsity(self, patterns: Any, avals: Any, *, dtype: np.dtype) -> list[Any]:
        return list(patterns) if is_inexact(dtype) else [None]


broadcast = Broadcast("broadcast")
reduce_sum = ReduceSum("reduce_sum")
reshape = Reshape("reshape")
transpose = Transpose("transpose")
slice_ = Slice("slice")
pad = Pad("pad")
concatenate = Concatenate("concatenate")
convert = Convert("convert")


def shift(axes: Sequence[int]) -> tuple[int, ...]:
    """The same axes behind a batch axis."""
    return tuple(a + 1 for a in axes)


def without(shape: Sequence[int], axes: Sequence[int]) -> tuple[int, ...]:
    return tuple(n for k, n in enumerate(shape) if k not in axes)


def region_shape(index: Region) -> tuple[int, ...]:
    return tuple(entry[1] for entry in index if not isinstance(entry, int))


def region_positions(shape: tuple[int, ...], index: Region) -> np.ndarray:
    """Where the entries of a region lie in the flat array, counted in C order, in the region's shape."""
    total, rank, behind = np.zeros((), np.intp), len(region_shape(index)), math.prod(shape)
    for entry, n in zip(index, shape, strict=True):
        behind = behind // n if n else 0
        if isinstance(entry, int):
            total = total + entry * behind
        else:
            start, count, step = entry
            rank -= 1
            total = total + ((start + step * np.arange(count)) * behind).reshape(-1, *(1,) * rank)
    return total


@functools.lru_cache(maxsize=4096)
def as_slices(index: Region) -> tuple[Any, ...]:
    """The region as NumPy's index; a negative stop means: to the beginning."""
    return tuple([entry if isinstance(entry, int) else as_slice(*entry) for entry in index])


def as_slice(start: int, count: int, step: int) -> slice:
    stop = start + count * step
    return slice(start, None if stop < 0 else stop, step)


def batch_operand(size: int, x: Any, batched: bool) -> Any:
    """`x` with a batch axis in front, repeated if it had none."""
    return x if batched else broadcast(x, shape=(size, *shape_of(x)), axes=(0,))


def broadcast_to(x: Any, shape: tuple[int, ...]) -> Any:
    """NumPy's broadcasting of a value to a larger shape: stretch axes of size one, add axes in front."""
    own = shape_of(x)
    if own == shape:
        return x
    lead = len(shape) - len(own)
    stretched = [k for k, n in enumerate(own) if n == 1 and shape[lead + k] != 1]
    if stretched:
        x = reshape(x, shape=without(own, stretched))
    axes = (*range(lead), *(lead + k for k in stretched))
    return broadcast(x, shape=shape, axes=axes) if axes else x


def sum_to(x: Any, shape: tuple[int, ...]) -> Any:
    """The transpose of `broadcast_to`: sum over the axes that were added or stretched."""
    lead = len(x.shape) - len(shape)
    axes = (*range(lead), *(lead + k for k, n in enumerate(shape) if n == 1 and x.shape[lead + k] != 1))
    x = reduce_sum(x, axes=axes) if axes else x
    return x if x.shape == shape else reshape(x, shape=shape)
