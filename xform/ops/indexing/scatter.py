"""Writing entries: the operand with some of its entries replaced by, or combined with, given values.

    update_slice(x, v, index)                x with x[index] = v, the index being a static region
    scatter(x, v, *indices, axes, at)        the same with integer arrays, as `gather` reads them; the last write wins
    scatter_add, _mul, _min, _max            x[entries] = f(x[entries], v), for repeated entries repeatedly

Each gives a new array. The first two and scatter_add are linear in x and v jointly.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from xform.core.aval import Aval
from xform.core.errors import NonlinearError
from xform.core.primitive import Linear as Hole
from xform.core.primitive import Primitive, Zero, is_zero
from xform.ops.elementwise import fit_tangent
from xform.ops.family import Linear, Opaque, total
from xform.ops.indexing.index import (
    batch_indices,
    check_indices,
    check_updates,
    gather,
    moved,
    scatter_sum,
    scattered_pattern,
)
from xform.ops.indexing.positions import Axes, are_known, block_shape, combine, gathered_shape
from xform.ops.recurrence import recur
from xform.ops.recurrence import shift as delay
from xform.ops.select import select
from xform.ops.sorting import argsort
from xform.ops.structure import (
    Region,
    as_slices,
    batch_operand,
    broadcast_to,
    region_shape,
    reshape,
    shift,
    slice_,
    transpose,
    without,
)


class UpdateSlice(Linear):
    """x with the region `index` replaced by v."""

    def abstract(self, x: Aval, v: Aval, *, index: Region) -> list[Aval]:
        check_same_dtype(self.name, x, v)
        check_updates(v.shape, region_shape(index))
        return [x.with_shape(x.shape)]

    def numpy(self, x: Any, v: Any, *, index: Region) -> list[Any]:
        self.update(out := np.array(x), v, index=index)
        return [out]

    def update(self, x: np.ndarray, v: Any, *, index: Region) -> None:
        x[as_slices(index)] = v

    def transpose(self, cotangents: Any, x: Any, v: Any, *, index: Region) -> list[Any]:
        (bar,) = cotangents
        # read first: the write may be in place
        v_bar = self.values_cotangent(bar, x, v, index=index) if type(v) is Hole else None
        return [self(bar, np.zeros(v.shape, bar.dtype), index=index) if type(x) is Hole else None, v_bar]

    def values_cotangent(self, bar: Any, x: Any, v: Any, *, index: Region) -> Any:
        return slice_(bar, index=index)

    def batched_update(self, size: int, x: Any, operands: Any, batched: Any, *, index: Region) -> Any:
        return [batch_operand(size, operands[0], batched[0])], {"index": ((0, size, 1), *index)}

    def batch(self, size: int, args: Any, batched: Any, **params: Any) -> list[Any]:
        x = batch_operand(size, args[0], batched[0])
        operands, params = self.batched_update(size, x, args[1:], batched[1:], **params)
        return self.bind(x, *operands, **params)


class Scatter(Primitive):
    """What all writes by integer arrays have in common: x[entries] = ufunc(x[entries], v)."""

    ufunc: np.ufunc | None = None

    def abstract(self, x: Aval, v: Aval, *indices: Aval, axes: Axes, at: int) -> list[Aval]:
        check_same_dtype(self.name, x, v)
        check_indices(x.shape, indices, axes)
        check_updates(v.shape, gathered_shape(x.shape, block_shape(indices), axes, at))
        return [x.with_shape(x.shape)]

    def numpy(self, x: Any, v: Any, *indices: Any, axes: Axes, at: int) -> list[Any]:
        self.update(out := np.array(x, order="C"), v, *indices, axes=axes, at=at)
        return [out]

    def update(self, x: np.ndarray, v: Any, *indices: Any, axes: Axes, at: int) -> None:
        combine(self.ufunc, x, v, indices, axes, at)

    def batched_update(self, size: int, x: Any, operands: Any, batched: Any, *, axes: Axes, at: int) -> Any:
        v = batch_operand(size, operands[0], batched[0])
        if not any(batched[1:]):
            return [v, *operands[1:]], {"axes": shift(axes), "at": at + 1}
        indices, axes = batch_indices(size, operands[1:], batched[1:], axes, True)
        return [moved(v, 0, at), *indices], {"axes": axes, "at": at}

    def batch(self, size: int, args: Any, batched: Any, **params: Any) -> list[Any]:
        x = batch_operand(size, args[0], batched[0])
        operands, params = self.batched_update(size, x, args[1:], batched[1:], **params)
        return self.bind(x, *operands, **params)

    def sparsity(self, patterns: Any, avals: Any, *, axes: Axes, at: int) -> list[Any]:
        written = scattered_pattern(patterns[1], avals[2:], avals[0].shape, axes, at)
        live = [p for p in (patterns[0], written) if p is not None]
        return [np.logical_or.reduce(live) if live else None]


class ScatterSet(Scatter, Linear):
    """x with x[entries] = v; of several writes to an entry the last one wins."""

    linear_in = (0, 1)

    def transpose(self, cotangents: Any, x: Any, v: Any, *indices: Any, axes: Axes, at: int) -> list[Any]:
        """What was overwritten has no cotangent, nor has a value that was overwritten by a later one.

        The cotangent is read before it is written, which a program may do in place.
        """
        (bar,), x_bar, v_bar = cotangents, None, None
        if type(v) is Hole:
            v_bar = self.values_cotangent(bar, x, v, *indices, axes=axes, at=at)
        if type(x) is Hole:
            x_bar = self(bar, np.zeros(v.shape, bar.dtype), *indices, axes=axes, at=at)
        return [x_bar, v_bar, *(None for _ in indices)]

    def values_cotangent(self, bar: Any, x: Any, v: Any, *indices: Any, axes: Axes, at: int) -> Any:
        v_bar = gather(bar, *indices, axes=axes, at=at)
        if math.prod(block_shape(indices)) > 1 and not are_distinct(x.shape, indices, axes):
            v_bar = select(last_writes(x.shape, indices, axes, at), v_bar, np.zeros((), bar.dtype))
        return v_bar

    def sparsity(self, patterns: Any, avals: Any, *, axes: Axes, at: int) -> list[Any]:
        if patterns[0] is None or not are_known(avals[2:]):
            return super().sparsity(patterns, avals, axes=axes, at=at)
        out = np.array(patterns[0], order="C")
        written = np.zeros((len(out), *avals[1].shape), bool) if patterns[1] is None else patterns[1]
        combine(None, out, written, avals[2:], shift(axes), at + 1)
        return [out]


class ScatterAdd(Scatter, Linear):
    """x with v added at the entries."""

    linear_in = (0, 1)
    overwrites = False

    ufunc = np.add

    def jvp(self, primals: Any, tangents: Any, **params: Any) -> tuple[list[Any], list[Any]]:
        (x, *_), (x_dot, v_dot, *_), indices = primals, tangents, primals[2:]
        if is_zero(x_dot) == is_zero(v_dot):
            return super().jvp(primals, tangents, **params)
        alone = scatter_sum(v_dot, *indices, shape=x.shape, **params) if is_zero(x_dot) else x_dot
        return [self(*primals, **params)], [alone]

    def transpose(self, cotangents: Any, x: Any, v: Any, *indices: Any, axes: Axes, at: int) -> list[Any]:
        (bar,) = cotangents
        v_bar = self.values_cotangent(bar, x, v, *indices, axes=axes, at=at) if type(v) is Hole else None
        return [bar if type(x) is Hole else None, v_bar, *(None for _ in indices)]


    def values_cotangent(self, bar: Any, x: Any, v: Any, *indices: Any, axes: Axes, at: int) -> Any:
        return gather(bar, *indices, axes=axes, at=at)


class ScatterMul(Scatter, Opaque):
    """x with its entries multiplied by v: linear in x, and in each value of v."""

    ufunc = np.multiply

    def jvp(self, primals: Any, tangents: Any, *, axes: Axes, at: int) -> tuple[list[Any], list[Any]]:
        """y_dot = x_dot * (product of v) + sum of v_dot[k] * x * (product of the other values for the same entry)."""
        (x, v, *indices), (x_dot, v_dot, *_) = primals, tangents
        place = {"axes": axes, "at": at}
        out, terms = self(*primals, **place), []
        if not is_zero(x_dot):
            terms.append(self(x_dot, v, *indices, **place))
        if not is_zero(v_dot):
            weight = gather(x, *indices, **place) * other_factors(v, x.shape, indices, axes, at)
            terms.append(scatter_sum(v_dot * weight, *indices, shape=x.shape, **place))
        return [out], [total(terms) if terms else Zero.like(out)]

    def transpose(self, cotangents: Any, x: Any, v: Any, *indices: Any, axes: Axes, at: int) -> list[Any]:
        if type(v) is Hole:
            raise NonlinearError(f"'{self.name}' is not linear in the factors, only in its first operand")
        return [self(cotangents[0], v, *indices, axes=axes, at=at), None, *(None for _ in indices)]


class ScatterExtremum(Scatter, Opaque):
    """x with each of its entries replaced by the least, or greatest, of it and of the values for it."""

    def __init__(self, name: str, ufunc: np.ufunc) -> None:
        super().__init__(name)
        self.ufunc = ufunc

    def update(self, *args: Any, axes: Axes, at: int) -> None:
        with np.errstate(invalid="ignore"):  # nan is no mistake, but np.maximum.at warns of it, unlike np.maximum
            super().update(*args, axes=axes, at=at)

    def jvp(self, primals: Any, tangents: Any, *, axes: Axes, at: int) -> tuple[list[Any], list[Any]]:
        """All that attain the extremum have an equal share in the derivative."""
        (x, v, *indices), (x_dot, v_dot, *_) = primals, tangents
        out = self(*primals, axes=axes, at=at)
        if is_zero(x_dot) and is_zero(v_dot):
            return [out], [Zero.like(out)]
        x_wins, v_wins = x == out, v == gather(out, *indices, axes=axes, at=at)
        there = {"shape": x.shape, "axes": axes, "at": at}
        ones = select(v_wins, np.ones((), out.dtype), np.zeros((), out.dtype))
        winners = select(x_wins, np.ones((), out.dtype), np.zeros((), out.dtype)) + scatter_sum(ones, *indices, **there)
        share = 1 / np.maximum(winners, 1)  # nan attains nothing
        terms = [] if is_zero(x_dot) else [select(x_wins, x_dot, np.zeros((), out.dtype))]
        if not is_zero(v_dot):
            terms.append(scatter_sum(select(v_wins, v_dot, np.zeros((), out.dtype)), *indices, **there))
        return [out], [fit_tangent(total(terms) * share, out)]


update_slice = UpdateSlice("update_slice")
scatter = ScatterSet("scatter")
scatter_add = ScatterAdd("scatter_add")
scatter_mul = ScatterMul("scatter_mul")
scatter_min = ScatterExtremum("scatter_min", np.minimum)
scatter_max = ScatterExtremum("scatter_max", np.maximum)


def check_same_dtype(name: str, x: Aval, v: Aval) -> None:
    if x.dtype != v.dtype:
        raise TypeError(f"{name}: values of dtype {v.dtype} into an array of dtype {x.dtype}; convert the values first")


def last_writes(shape: tuple[int, ...], indices: Sequence[Any], axes: Axes, at: int) -> Any:
    """Which values are still there after all have been written, in order? In a shape that broadcasts to theirs."""
    block, every = block_shape(indices), tuple(range(len(axes)))
    number = np.arange(math.prod(block)).reshape(block)
    nobody = np.full([shape[a] for a in axes], -1)
    last = gather(scatter(nobody, number, *indices, axes=every, at=0), *indices, axes=every, at=0)
    return reshape(last == number, shape=(*block, *(1,) * (len(without(shape, axes)) - at)))


def are_distinct(shape: tuple[int, ...], indices: Sequence[Any], axes: Axes) -> bool:
    """Is it known that no entry is written twice?"""
    if not are_known(indices):
        return False
    entries = np.sort(np.broadcast_to(entry_numbers(shape, indices, axes), block_shape(indices)), axis=None)
    return bool(np.all(entries[1:] != entries[:-1]))


def other_factors(v: Any, shape: tuple[int, ...], indices: Sequence[Any], axes: Axes, at: int) -> Any:
    """For each value the product of all other values for the same entry.

    With the values sorted by entry it is the product of those before and those behind, each a linear recurrence
    b_i = v_{i-1} b_{i-1} that begins anew with 1 at every entry: no division, so that zeros do no harm.
    """
    block = block_shape(indices)
    entries = reshape(broadcast_to(entry_numbers(shape, indices, axes), block), shape=(count := math.prod(block),))
    if count < 2 or (are_known(indices) and len(np.unique(entries)) == count):
        return np.ones((), v.dtype)
    forth = (*range(at, at + len(block)), *range(at), *range(at + len(block), len(v.shape)))
    back = sorted(range(len(forth)), key=forth.__getitem__)
    rows = reshape(transpose(v, permutation=forth), shape=(count, *without(v.shape, forth[: len(block)])))
    order = argsort(entries, axis=0, stable=True)
    rows, entries = (gather(x, order, axes=(0,), at=0) for x in (rows, entries))
    product = np.ones((), v.dtype)
    for behind in (False, True):
        same = entries == delay(entries, 0, back=behind, fill=-1)
        same = reshape(same, shape=(count, *(1,) * (len(rows.shape) - 1)))
        step = select(same, delay(rows, 0, back=behind), np.zeros((), v.dtype))
        start = select(same, np.zeros(rows.shape, v.dtype), np.ones((), v.dtype))
        product = product * recur(step, start, 0, reverse=behind)
    product = gather(product, argsort(order, axis=0, stable=True), axes=(0,), at=0)
    return transpose(reshape(product, shape=tuple(v.shape[k] for k in forth)), permutation=tuple(back))


def entry_numbers(shape: tuple[int, ...], indices: Sequence[Any], axes: Axes) -> Any:
    """The indexed entries numbered in C order."""
    number: Any = np.zeros((), np.intp)
    for a, i in zip(axes, indices, strict=True):
        number = number * shape[a] + np.remainder(i, max(shape[a], 1))
    return number
