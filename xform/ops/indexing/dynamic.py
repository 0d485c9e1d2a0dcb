"""Regions whose place is computed: their start indices are operands, clamped so that the region lies inside.

    dynamic_slice(x, *starts, sizes)        the region of the given sizes
    dynamic_pad(v, *starts, shape)          its transpose: zeros of the given shape with v written into the region
    dynamic_update_slice(x, v, *starts)     x with the region replaced by v

There is a start for each axis. A batch of starts makes a region a set of entries, so there index arrays take over.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from xform.core.aval import Aval
from xform.core.primitive import Linear as Hole
from xform.ops.family import Linear, Multilinear, dense_patterns
from xform.ops.indexing.index import gather, scatter_sum
from xform.ops.indexing.positions import are_known
from xform.ops.indexing.scatter import check_same_dtype, scatter
from xform.ops.structure import batch_operand, region_positions, reshape

FIRST = np.intp(0)


class DynamicSlice(Multilinear):
    """Read the region of the given sizes that begins at `starts`."""

    linear_in = (0,)

    def abstract(self, x: Aval, *starts: Aval, sizes: tuple[int, ...]) -> list[Aval]:
        check_region(self.name, x.shape, starts, sizes)
        return [x.with_shape(sizes)]

    def numpy(self, x: Any, *starts: Any, sizes: tuple[int, ...]) -> list[Any]:
        """A copy: a view would prevent that a program goes on to write into x in place."""
        return [x[region(x.shape, starts, sizes)].copy()]

    def transpose(self, cotangents: Any, x: Any, *starts: Any, sizes: tuple[int, ...]) -> list[Any]:
        return [dynamic_pad(cotangents[0], *starts, shape=x.shape), *(None for _ in starts)]

    def accumulate(self, buffer: Any, cotangent: Any, x: Any, *starts: Any, sizes: tuple[int, ...]) -> None:
        buffer[region(x.shape, starts, sizes)] += cotangent

    def add_to(self, total: Any, cotangent: Any, x: Any, *starts: Any, sizes: tuple[int, ...]) -> Any:
        return dynamic_update_slice(total, dynamic_slice(total, *starts, sizes=sizes) + cotangent, *starts)

    def positions(self, x: Any, *starts: Any, sizes: tuple[int, ...]) -> np.ndarray | None:
        if not are_known(starts):
            return None
        clamped = clamp(x.shape, starts, sizes)
        return region_positions(x.shape, tuple((int(s), n, 1) for s, n in zip(clamped, sizes, strict=True)))

    def batch(self, size: int, args: Any, batched: Any, *, sizes: tuple[int, ...]) -> list[Any]:
        x, *starts = args
        if not any(batched[1:]):
            return self.bind(x, FIRST, *starts, sizes=(size, *sizes))
        shape = x.shape[1:] if batched[0] else x.shape
        number, *grid = batch_entries(size, shape, starts, batched[1:], sizes)
        indices = [number, *grid] if batched[0] else grid
        return [gather(x, *indices, axes=tuple(range(len(indices))), at=0)]

    def sparsity(self, patterns: Any, avals: Any, *, sizes: tuple[int, ...]) -> list[Any]:
        p, starts = patterns[0], avals[1:]
        if p is None or not are_known(starts):
            return dense_patterns(patterns, [Aval(sizes, np.float64)])
        return self.numpy(p, FIRST, *starts, sizes=(len(p), *sizes))


class DynamicPad(Multilinear):
    """Zeros of the given shape with the operand in the region that begins at `starts`."""

    linear_in = (0,)

    def abstract(self, v: Aval, *starts: Aval, shape: tuple[int, ...]) -> list[Aval]:
        check_region(self.name, shape, starts, v.shape)
        return [v.with_shape(shape)]

    def numpy(self, v: Any, *starts: Any, shape: tuple[int, ...]) -> list[Any]:
        out = np.zeros(shape, v.dtype)
        out[region(shape, starts, v.shape)] = v
        return [out]

    def transpose(self, cotangents: Any, v: Any, *starts: Any, shape: tuple[int, ...]) -> list[Any]:
        return [dynamic_slice(cotangents[0], *starts, sizes=v.shape), *(None for _ in starts)]

    def batch(self, size: int, args: Any, batched: Any, *, shape: tuple[int, ...]) -> list[Any]:
        v, *starts = args
        if not any(batched[1:]):
            return self.bind(v, FIRST, *starts, shape=(size, *shape))
        v = batch_operand(size, v, batched[0])
        indices = batch_entries(size, shape, starts, batched[1:], v.shape[1:])
        return [scatter_sum(v, *indices, shape=(size, *shape), axes=tuple(range(len(indices))), at=0)]

    def sparsity(self, patterns: Any, avals: Any, *, shape: tuple[int, ...]) -> list[Any]:
        p, starts = patterns[0], avals[1:]
        if p is None or not are_known(starts):
            return dense_patterns(patterns, [Aval(shape, np.float64)])
        return self.numpy(p, FIRST, *starts, shape=(len(p), *shape))


class DynamicUpdateSlice(Linear):
    """x with the region that begins at `starts` replaced by v."""

    linear_in = (0, 1)

    def abstract(self, x: Aval, v: Aval, *starts: Aval) -> list[Aval]:
        check_same_dtype(self.name, x, v)
        check_region(self.name, x.shape, starts, v.shape)
        return [x.with_shape(x.shape)]

    def numpy(self, x: Any, v: Any, *starts: Any) -> list[Any]:
        self.update(out := np.array(x), v, *starts)
        return [out]

    def update(self, x: np.ndarray, v: Any, *starts: Any) -> None:
        x[region(x.shape, starts, v.shape)] = v

    def transpose(self, cotangents: Any, x: Any, v: Any, *starts: Any) -> list[Any]:
        (bar,) = cotangents
        v_bar = self.values_cotangent(bar, x, v, *starts) if type(v) is Hole else None  # read before it is written
        x_bar = self(bar, np.zeros(v.shape, bar.dtype), *starts) if type(x) is Hole else None
        return [x_bar, v_bar, *(None for _ in starts)]

    def values_cotangent(self, bar: Any, x: Any, v: Any, *starts: Any) -> Any:
        return dynamic_slice(bar, *starts, sizes=v.shape)

    def batch(self, size: int, args: Any, batched: Any) -> list[Any]:
        x, v = (batch_operand(size, a, b) for a, b in zip(args[:2], batched[:2], strict=True))
        starts = args[2:]
        if not any(batched[2:]):
            return self.bind(x, v, FIRST, *starts)
        indices = batch_entries(size, x.shape[1:], starts, batched[2:], v.shape[1:])
        return [scatter(x, v, *indices, axes=tuple(range(len(indices))), at=0)]

    def sparsity(self, patterns: Any, avals: Any) -> list[Any]:
        """Unknown starts: the old entry may be kept, and any of the new ones may be there."""
        (p, q, *_), (x, v, *starts) = patterns, avals
        rows = next((len(r) for r in (p, q) if r is not None), None)
        if rows is None:
            return [None]
        p = np.zeros((rows, *x.shape), bool) if p is None else p
        q = np.zeros((rows, *v.shape), bool) if q is None else q
        if are_known(starts):
            return self.numpy(p, q, FIRST, *starts)
        return [p | q.any(axis=tuple(range(1, q.ndim))).reshape(-1, *(1,) * x.ndim)]


dynamic_slice = DynamicSlice("dynamic_slice")
dynamic_pad = DynamicPad("dynamic_pad")
dynamic_update_slice = DynamicUpdateSlice("dynamic_update_slice")


def clamp(shape: tuple[int, ...], starts: Sequence[Any], sizes: tuple[int, ...]) -> list[Any]:
    """Starts between 0 and the last one at which the region lies inside."""
    return [np.minimum(np.maximum(s, 0), n - k) for s, n, k in zip(starts, shape, sizes, strict=True)]


def region(shape: tuple[int, ...], starts: Sequence[Any], sizes: tuple[int, ...]) -> tuple[slice, ...]:
    """The region as NumPy's index."""
    bounds = zip(starts, shape, sizes, strict=True)
    return tuple(slice(a := min(max(int(s), 0), n - k), a + k) for s, n, k in bounds)


def batch_entries(
    size: int, shape: tuple[int, ...], starts: Sequence[Any], batched: Sequence[bool], sizes: tuple[int, ...]
) -> list[Any]:
    """The entries of a batch of regions: batch number and an index per axis, which broadcast to (size, *sizes)."""
    rank, indices = len(sizes), [np.arange(size).reshape(-1, *(1,) * len(sizes))]
    for axis, (start, b) in enumerate(zip(clamp(shape, starts, sizes), batched, strict=True)):
        first = reshape(start, shape=(size, *(1,) * rank)) if b else start
        indices.append(first + np.arange(sizes[axis]).reshape(-1, *(1,) * (rank - 1 - axis)))
    return indices


def check_region(name: str, shape: tuple[int, ...], starts: Sequence[Aval], sizes: tuple[int, ...]) -> None:
    if not len(shape) == len(starts) == len(sizes):
        raise ValueError(
            f"{name}: {len(starts)} start indices and sizes {sizes} for an array of shape {shape}; "
            "wanted one of each per axis"
        )
    if any(k > n or k < 0 for k, n in zip(sizes, shape, strict=True)):
        raise ValueError(f"{name}: a region of sizes {sizes} does not fit into an array of shape {shape}")
    for s in starts:
        if s.shape or s.dtype.kind not in "iu":
            raise TypeError(f"{name}: start indices must be integer scalars; {s} was given")
