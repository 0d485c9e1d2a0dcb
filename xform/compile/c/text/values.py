"""What stands for an array while C is written: scalars in registers, or a view of memory.

A small array is an array of names: each entry is a C variable, or a number that is known. So whatever moves entries
(transpose, slice, concatenate, ...) is done while the program is written, by NumPy, on the names. A large array is a
pointer with an offset and strides, as in NumPy, so that transposing and slicing it costs nothing either.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from xform.core.aval import float0

Size: TypeAlias = int | str  # the name of a C variable for the length of what a loop has left


class Offset(NamedTuple):
    """const + sum of coefficient * variable, in entries."""

    const: int = 0
    terms: tuple[tuple[str, int], ...] = ()

    def plus(self, index: int | str, step: int) -> Offset:
        if isinstance(index, int):
            return Offset(self.const + index * step, self.terms)
        return Offset(self.const, (*self.terms, (index, step))) if step else self

    def text(self) -> str:
        parts = [name if k == 1 else f"{name}*{k}" for name, k in self.terms]
        if self.const or not parts:
            parts.append(str(self.const))
        return "+".join(parts)


class Buffer:
    """Memory that the program has for itself; `place` is where in its arena.

    `twin` is a second buffer with which it changes places from step to step of a loop: both are free at once.
    """

    __slots__ = ("bytes", "name", "place", "readers", "twin")

    def __init__(self, name: str, place: int, size: int) -> None:
        self.name, self.place, self.bytes = name, place, size
        self.readers = 0
        self.twin: Buffer | None = None


class Scalars:
    """An array of C names and numbers."""

    __slots__ = ("dtype", "entries", "weak")

    def __init__(self, entries: Any, dtype: np.dtype, weak: bool = False) -> None:
        self.entries, self.dtype, self.weak = entries, dtype, weak

    @property
    def shape(self) -> tuple[int, ...]:
        return self.entries.shape

    def index(self, axis: int, i: Any) -> Scalars:
        """The entries at a known position along an axis."""
        return Scalars(as_entries(self.entries[(slice(None),) * axis + (i,)]), self.dtype)


class View:
    """Entries in memory: pointer[offset + sum of index * stride]. `bounds`: the least and the greatest, if known."""

    __slots__ = ("bounds", "buffer", "dtype", "offset", "pointer", "shape", "strides")

    def __init__(
        self,
        pointer: str,
        offset: Offset,
        shape: Sequence[Size],
        strides: Sequence[int],
        dtype: np.dtype,
        buffer: Buffer | None = None,
        bounds: tuple[int, int] | None = None,
    ) -> None:
        self.pointer, self.offset, self.dtype, self.buffer, self.bounds = pointer, offset, dtype, buffer, bounds
        self.shape: tuple[Any, ...] = tuple(shape)
        self.strides = tuple(strides)

    def like(self, shape: Sequence[Size], strides: Sequence[int], offset: Offset | None = None) -> View:
        """Another view of the same memory."""
        offset = self.offset if offset is None else offset
        return View(self.pointer, offset, shape, strides, self.dtype, self.buffer, self.bounds)

    def index(self, axis: int, i: int | str) -> View:
        """The entries at a position along an axis, known or held by a variable."""
        offset = self.offset.plus(i, self.strides[axis])
        return self.like(without(self.shape, axis), without(self.strides, axis), offset)

    def is_twin_of(self, place: View) -> bool:
        """Is it what goes around a loop, in the buffer of this step, and the place in the buffer of the next one?

        Then it may stay where it is.
        """
        return self.buffer is not None and self.buffer.twin is not None and self.buffer.twin is place.buffer

    @property
    def contiguous(self) -> bool:
        return all(n == 1 or s == t for n, s, t in zip(self.shape, self.strides, c_strides(self.shape), strict=True))

    def entry(self, index: Sequence[int] = ()) -> str:
        offset = self.offset
        for i, stride in zip(index, self.strides, strict=True):
            offset = offset.plus(i, stride)
        return f"{self.pointer}[{offset.text()}]"


class Pieces:
    """An array whose rows lie in several places: (number of the first row, the rows) for each."""

    __slots__ = ("dtype", "parts", "shape")

    def __init__(self, parts: list[tuple[int, View]], shape: tuple[int, ...], dtype: np.dtype) -> None:
        self.parts, self.shape, self.dtype = parts, shape, dtype

    def part(self, row: int) -> View:
        """The memory in which a row lies, as if all other rows lay there as well."""
        start, view = next((start, v) for start, v in reversed(self.parts) if start <= row)
        return view.like(self.shape, view.strides, view.offset.plus(-start, view.strides[0]))


Value = Scalars | View
Held = Value | Pieces


def buffers(value: Held) -> list[Buffer]:
    """The buffers in which a value lies, one for each of its parts."""
    views = [v for _, v in value.parts] if isinstance(value, Pieces) else [value]
    return [v.buffer for v in views if isinstance(v, View) and v.buffer is not None]


def without(items: Sequence[Any], k: int) -> tuple[Any, ...]:
    return (*items[:k], *items[k + 1 :])


def c_strides(shape: Sequence[Size]) -> tuple[int, ...]:
    """Strides in entries of an array in C order; only its first size may be unknown."""
    strides = [1]
    for n in reversed(shape[1:]):
        strides.append(strides[-1] * n)  # type: ignore[operator]
    return tuple(reversed(strides)) if shape else ()


def as_entries(x: Any) -> Any:
    """An array of objects, also of a single one."""
    if isinstance(x, np.ndarray) and x.dtype == object:
        return x
    out = np.empty((), object)
    out[()] = x
    return out


def size_of(shape: Sequence[int]) -> int:
    return math.prod(shape)


#: C types by NumPy's names
C_TYPES = {
    "float64": "double", "float32": "float", "complex128": "double _Complex", "complex64": "float _Complex",
    "int8": "int8_t", "int16": "int16_t", "int32": "int32_t", "int64": "int64_t",
    "uint8": "uint8_t", "uint16": "uint16_t", "uint32": "uint32_t", "uint64": "uint64_t", "bool": "uint8_t",
    float0.name: "uint8_t",
}  # fmt: skip
