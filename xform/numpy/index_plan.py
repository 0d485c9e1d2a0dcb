"""NumPy's indices taken apart: ints, slices, ellipsis, newaxis, integer and boolean arrays, traced integers, mixed.

A `Plan` is the static region that the integers and slices of an index describe, then the integer arrays along some of
the axes that are left, and the shape in which the result stands with its new axes. A boolean array stands for the
integer arrays of its nonzero entries, a boolean scalar for an index into a new axis of size one.
"""

from __future__ import annotations

import copy
import operator
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from xform.core.trace import Tracer, concrete, concrete_or_raise, underlying
from xform.numpy.dispatch import asarray
from xform.ops.indexing.index import gather
from xform.ops.indexing.positions import block_shape, check_range, gathered_shape, out_of_bounds
from xform.ops.indexing.scatter import update_slice
from xform.ops.structure import Region, convert, region_shape, reshape, slice_

VALID = (
    "only integers, slices (`:`), ellipsis (`...`), numpy.newaxis (`None`) and integer or boolean arrays are valid "
    "indices"
)
MASKS = "Write where(mask, a, b) instead of selecting, or x.at[mask].set(scalar) instead of assigning"


def whole(shape: tuple[int, ...]) -> Region:
    return tuple((0, n, 1) for n in shape)


def reshaped(x: Any, shape: tuple[int, ...]) -> Any:
    return x if x.shape == shape else reshape(x, shape=shape)


def slice_entry(item: slice, size: int) -> tuple[int, int, int]:
    """A slice as (start, count, step)."""
    start, stop, step = item.indices(size)
    count = max(0, (stop - start + step - (1 if step > 0 else -1)) // step)
    return (start, count, step) if count > 1 else (start if count else 0, count, 1)


class Plan:
    """An index into an array of a given shape, taken apart.

    x[index] = reshape(gather(extend(slice(x, region)), *indices, axes, at), shape), of which each step may be void;
    `extend` appends axes of size one for boolean scalars.
    """

    __slots__ = ("at", "axes", "indices", "inner", "region", "shape", "sources")

    def __init__(self, shape: tuple[int, ...], index: Any, static: bool = True) -> None:
        """With `static` False, integers are treated as arrays are, whether or not they are in range."""
        parser = Parser(shape, index, static)
        region = tuple(parser.region)
        self.region = None if region == whole(shape) else region
        rank, units = len(region_shape(region)), len(parser.scalars)
        self.inner = region_shape(region) + (1,) * units
        self.indices = [*parser.indices, *(np.zeros(int(b), np.intp) for b in parser.scalars)]
        self.axes = (*parser.axes, *range(rank, rank + units))
        self.sources = [*parser.sources, *[len(shape)] * units]
        block = block_shape(self.indices) if self.indices else ()
        place = parser.place
        self.at = place - parser.layout[:place].count(None)
        self.shape = tuple(1 if n is None else n for n in (*parser.layout[:place], *block, *parser.layout[place:]))

    @property
    def gathered(self) -> tuple[int, ...]:
        """The result's shape before new axes are put into it."""
        return gathered_shape(self.inner, block_shape(self.indices), self.axes, self.at) if self.indices else self.inner

    @classmethod
    def of_array(cls, shape: tuple[int, ...], i: np.ndarray) -> Plan:
        """The plan of a single integer array, without further ado."""
        plan = cls.__new__(cls)
        plan.region, plan.inner, plan.at, plan.axes, plan.sources = None, shape, 0, (0,), [0]
        plan.indices, plan.shape = [i.astype(np.intp, copy=False)], (*i.shape, *shape[1:])
        return plan

    def read(self, x: Any) -> Any:
        """x[index]."""
        x = self.narrow(x)
        if self.indices:
            x = self.apply(gather, x)
        return reshaped(x, self.shape)

    def apply(self, operation: Any, *operands: Any) -> Any:
        """A gather or scatter of the entries in the part that `narrow` gives."""
        if underlying(operands[0]) is None:
            self.check_range()
        try:
            return operation(*operands, *self.indices, axes=self.axes, at=self.at)
        except IndexError:
            self.check_range()
            raise

    def narrow(self, x: Any) -> Any:
        """The part of `x` into which the index arrays point."""
        x = x if self.region is None else slice_(x, index=self.region)
        return reshaped(x, self.inner)

    def widen(self, x: Any, part: Any) -> Any:
        """`x` with the part that `narrow` gives replaced."""
        if self.region is None:
            return reshaped(part, x.shape)
        return update_slice(x, reshaped(part, region_shape(self.region)), index=self.region)

    def replace(self, indices: Iterable[Any]) -> Plan:
        """The same plan with other index arrays of the same shapes."""
        plan = copy.copy(self)
        plan.indices = list(indices)
        return plan

    def check_range(self) -> None:
        """IndexError if one of the plain index arrays is out of range; its axis is that of the array indexed."""
        check_range(self.inner, self.indices, self.axes, self.sources)


class Parser:
    """Walks along an index and the axes that it consumes.

    `layout` holds the sizes of the result's axes except those of the block of index arrays, None being a new axis, and
    the block's `place` in it: where the first index array stands, or in front if something stands between two of them.
    """

    def __init__(self, shape: tuple[int, ...], index: Any, static: bool) -> None:
        self.shape, self.static = shape, static
        self.region: list[Any] = []
        self.layout: list[int | None] = []
        self.indices: list[Any] = []
        self.axes: list[int] = []  # what the index arrays index, counted without the axes that integers drop
        self.sources: list[int] = []  # the same, counted with them
        self.scalars: list[bool] = []
        self.advanced: list[tuple[int, int]] = []  # number in the index and place in the layout, of arrays and integers
        items = [classify(item) for item in (index if isinstance(index, tuple) else (index,))]
        for number, item in enumerate(complete(items, len(shape))):
            self.step(number, item)
        self.place = self.block_place()

    def step(self, number: int, item: Any) -> None:
        if item is None:
            self.layout.append(None)
        elif isinstance(item, slice):
            self.region.append(entry := slice_entry(item, self.shape[len(self.region)]))
            self.layout.append(entry[1])
        elif item is not Ellipsis:
            self.advanced.append((number, len(self.layout)))
            if isinstance(item, bool):
                self.scalars.append(item)
            elif isinstance(item, int):
                self.integer(item)
            elif item.dtype.kind == "b":
                self.mask(item)
            else:
                self.array(item)

    def integer(self, i: int) -> None:
        if not self.static:
            self.array(np.asarray(i, np.intp))
            return
        axis = len(self.region)
        n = self.shape[axis]
        if not -n <= i < n:
            raise out_of_bounds(i, axis, n)
        self.region.append(i if i >= 0 else i + n)

    def array(self, i: Any) -> None:
        axis = len(self.region)
        self.axes.append(axis - sum(isinstance(entry, int) for entry in self.region))
        self.sources.append(axis)
        self.indices.append(i)
        self.region.append((0, self.shape[axis], 1))

    def mask(self, mask: np.ndarray) -> None:
        axis = len(self.region)
        for k, (n, m) in enumerate(zip(self.shape[axis:], mask.shape, strict=False)):
            if m not in (0, n):  # NumPy lets an empty mask pass, which selects nothing
                raise IndexError(
                    f"boolean index did not match indexed array along axis {axis + k}; size of axis is {n} but size of "
                    f"corresponding boolean axis is {m}"
                )
        for i in mask.nonzero():
            self.array(i)

    def block_place(self) -> int:
        """Integers count as index arrays here, but only beside one."""
        if not self.indices and not self.scalars:
            return 0
        numbers, places = zip(*self.advanced, strict=True)
        return places[0] if numbers[-1] - numbers[0] + 1 == len(numbers) else 0


def classify(item: Any) -> Any:
    """An entry of an index as None, Ellipsis, slice, int, bool (a boolean scalar), mask, or integer array or tracer."""
    if item is None or item is Ellipsis or isinstance(item, slice | bool):
        return item
    if isinstance(item, np.ndarray | np.generic | Tracer):
        return classify_array(item)
    if isinstance(item, list | tuple):
        array = asarray(item)
        if isinstance(array, np.ndarray) and array.size == 0 and array.dtype.kind == "f":
            return array.astype(np.intp)  # an empty list has no type of its own
        if array.dtype.kind not in "iub":
            raise IndexError(f"{VALID}; a list of {array.dtype} was given")
        return classify_array(array)
    try:
        return operator.index(item)
    except TypeError:
        raise IndexError(f"{VALID}; {type(item).__name__} {item!r:.40} was given") from None


def classify_array(array: Any) -> Any:
    """A tracer whose value is known is that value; booleans must be known."""
    if array.dtype.kind not in "iub":
        if isinstance(array, np.generic):
            raise IndexError(f"{VALID}; {type(array).__name__} {array!r:.40} was given")
        raise IndexError(
            f"arrays used as indices must be of integer (or boolean) type; one of dtype {array.dtype} was given, "
            "convert it with .astype(int)"
        )
    if array.dtype.kind == "b":
        array = concrete_or_raise(array, "a boolean mask as an index", MASKS)
        return bool(array) if array.ndim == 0 else array
    known = concrete(array)
    if known is None:
        return array if array.dtype == np.intp else convert(array, dtype=np.dtype(np.intp))
    return int(known) if known.ndim == 0 else known.astype(np.intp, copy=False)


def complete(items: Sequence[Any], rank: int) -> Iterator[Any]:
    """The entries with full slices for the axes that the ellipsis, or the end, leaves out."""
    consumed = sum(map(axes_consumed, items))
    if consumed > rank:
        raise IndexError(
            f"too many indices for array: array is {rank}-dimensional, but {consumed} were indexed; index with at most "
            f"{rank} besides None"
        )
    ellipses = sum(item is Ellipsis for item in items)
    if ellipses > 1:
        raise IndexError("an index can only have a single ellipsis ('...'); write ':' for the axes of the others")
    for item in items if ellipses else (*items, Ellipsis):
        yield item  # also the ellipsis: it separates index arrays, even where it stands for no axis
        if item is Ellipsis:
            yield from [slice(None)] * (rank - consumed)


def axes_consumed(item: Any) -> int:
    if item is None or item is Ellipsis or isinstance(item, bool):
        return 0
    return item.ndim if isinstance(item, np.ndarray) and item.dtype.kind == "b" else 1
