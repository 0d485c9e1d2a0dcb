"""Reading entries by integer arrays, and its transpose, the sum of values into entries.

    gather(x, *indices, axes, at)               y = x[..., i, ..., j, ...] with the k-th index along axis axes[k] of x
    scatter_sum(y, *indices, shape, axes, at)   zeros of the given shape, to which y is added at these entries

The indices broadcast to a common shape, the block, which stands in the result at position `at` among the axes of x that
are not indexed. So a batch of operands merely moves `axes` and `at` up by one, and a batch of indices makes the block
larger. Negative indices count from the end; others that are out of range raise IndexError.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from xform.core.aval import Aval
from xform.ops.elementwise import align_batched
from xform.ops.family import Multilinear
from xform.ops.indexing.positions import (
    Axes,
    are_known,
    block_shape,
    check_range,
    combine,
    flat_positions,
    gathered_shape,
    index_error,
    index_key,
    placed,
)
from xform.ops.structure import batch_operand, shift, transpose


class Gather(Multilinear):
    """Read the entries at `indices` along `axes` (ascending)."""

    linear_in = (0,)

    def abstract(self, x: Aval, *indices: Aval, axes: Axes, at: int) -> list[Aval]:
        check_indices(x.shape, indices, axes)
        return [x.with_shape(gathered_shape(x.shape, block_shape(indices), axes, at))]

    def numpy(self, x: Any, *indices: Any, axes: Axes, at: int) -> list[Any]:
        if not x.size:  # take does not look at the indices then
            check_range(x.shape, indices, axes)
        try:
            if axes == (at,) and type(indices[0]) is np.ndarray and indices[0].dtype.kind == "i":
                return [x.take(indices[0], axis=at)]
            return [placed(x[index_key(x.ndim, indices, axes)], indices, axes, at)]
        except IndexError as error:
            raise index_error(error, x.shape, axes, indices) from None

    def transpose(self, cotangents: Any, x: Any, *indices: Any, axes: Axes, at: int) -> list[Any]:
        return [scatter_sum(cotangents[0], *indices, shape=x.shape, axes=axes, at=at), *(None for _ in indices)]

    def accumulate(self, buffer: Any, cotangent: Any, x: Any, *indices: Any, axes: Axes, at: int) -> None:
        combine(np.add, buffer, cotangent, indices, axes, at)

    def add_to(self, total: Any, cotangent: Any, x: Any, *indices: Any, axes: Axes, at: int) -> Any:
        from xform.ops.indexing.scatter import scatter_add  # a write, whose own rules read: they need this file first

        return scatter_add(total, cotangent, *indices, axes=axes, at=at)

    def positions(self, x: Any, *indices: Any, axes: Axes, at: int) -> np.ndarray | None:
        return flat_positions(x.shape, indices, axes, at) if are_known(indices) else None

    def batch(self, size: int, args: Any, batched: Any, *, axes: Axes, at: int) -> list[Any]:
        x, *indices = args
        if not any(batched[1:]):
            return self.bind(x, *indices, axes=shift(axes), at=at + 1)
        indices, axes = batch_indices(size, indices, batched[1:], axes, batched[0])
        return [moved(self(x, *indices, axes=axes, at=at), at, 0)]

    def sparsity(self, patterns: Any, avals: Any, *, axes: Axes, at: int) -> list[Any]:
        """The pattern of the entries read; of unknown ones, the union along the indexed axes."""
        (p, *_), (_, *indices) = patterns, avals
        if p is None:
            return [None]
        if not are_known(indices):
            p = np.broadcast_to(p.any(axis=shift(axes), keepdims=True), p.shape)
            indices = [np.zeros(block_shape(indices), int)] * len(axes)
        return self.numpy(p, *indices, axes=shift(axes), at=at + 1)


class ScatterSum(Multilinear):
    """Zeros of the given shape with the operand's entries added at `indices` along `axes`, repeated ones repeatedly."""

    linear_in = (0,)

    def abstract(self, y: Aval, *indices: Aval, shape: tuple[int, ...], axes: Axes, at: int) -> list[Aval]:
        check_indices(shape, indices, axes)
        check_updates(y.shape, gathered_shape(shape, block_shape(indices), axes, at))
        return [y.with_shape(shape)]

    def numpy(self, y: Any, *indices: Any, shape: tuple[int, ...], axes: Axes, at: int) -> list[Any]:
        out = np.zeros(shape, y.dtype)
        combine(np.add, out, y, indices, axes, at)
        return [out]

    def transpose(
        self, cotangents: Any, y: Any, *indices: Any, shape: tuple[int, ...], axes: Axes, at: int
    ) -> list[Any]:
        return [gather(cotangents[0], *indices, axes=axes, at=at), *(None for _ in indices)]

    def batch(
        self, size: int, args: Any, batched: Any, *, shape: tuple[int, ...], axes: Axes, at: int
    ) -> list[Any]:
        y, *indices = args
        if not any(batched[1:]):
            return self.bind(y, *indices, shape=(size, *shape), axes=shift(axes), at=at + 1)
        y = moved(batch_operand(size, y, batched[0]), 0, at)
        indices, axes = batch_indices(size, indices, batched[1:], axes, True)
        return [self(y, *indices, shape=(size, *shape), axes=axes, at=at)]

    def sparsity(
        self, patterns: Any, avals: Any, *, shape: tuple[int, ...], axes: Axes, at: int
    ) -> list[Any]:
        return [scattered_pattern(patterns[0], avals[1:], shape, axes, at)]


gather = Gather("gather")
scatter_sum = ScatterSum("scatter_sum")


def take_along_axis(x: Any, indices: Any, axis: int) -> Any:
    """y[i, ..., k, ..., j] = x[i, ..., indices[i, ..., k, ..., j], ..., j], the other axes broadcasting.

    `x` and the integer `indices` have the same rank. So take_along_axis(x, argsort(x, k), k) is sorted.
    """
    rank = len(x.shape)
    grids = [np.arange(n).reshape(-1, *(1,) * (rank - 1 - k)) for k, n in enumerate(x.shape)]
    return gather(x, *grids[:axis % rank], indices, *grids[axis % rank + 1:], axes=tuple(range(rank)), at=0)


def check_indices(shape: tuple[int, ...], indices: Sequence[Aval], axes: Axes) -> None:
    for i in indices:
        if i.dtype.kind not in "iu":
            raise IndexError(f"arrays used as indices must be of integer (or boolean) type; {i} was given")
    if len(indices) != len(axes) or axes != tuple(sorted(set(axes))) or not all(0 <= a < len(shape) for a in axes):
        raise IndexError(f"{len(indices)} indices along axes {axes} of shape {shape}; wanted one per ascending axis")


def check_updates(shape: tuple[int, ...], wanted: tuple[int, ...]) -> None:
    if shape != wanted:
        raise ValueError(f"the values have shape {shape}, but the entries that the indices name have shape {wanted}")


def moved(x: Any, source: int, destination: int) -> Any:
    """np.moveaxis for one axis, both positions counted from the front."""
    if source == destination:
        return x
    order = [k for k in range(len(x.shape)) if k != source]
    order.insert(destination, source)
    return transpose(x, permutation=tuple(order))


def batch_indices(
    size: int, indices: Sequence[Any], batched: Sequence[bool], axes: Axes, operand_batched: bool
) -> tuple[list[Any], Axes]:
    """Indices whose block has the batch in front; into a batched operand the batch number is one more index."""
    aligned = align_batched(indices, batched)
    if not operand_batched:
        return aligned, axes
    rank = len(block_shape(aligned))
    return [np.arange(size).reshape(-1, *(1,) * (rank - 1)), *aligned], (0, *shift(axes))


def scattered_pattern(p: Any, indices: Sequence[Any], shape: tuple[int, ...], axes: Axes, at: int) -> Any:
    """The entries written depend on what the values depend on; unknown ones could be any along the indexed axes."""
    if p is None:
        return None
    if are_known(indices):
        out = np.zeros((len(p), *shape), bool)
        combine(np.logical_or, out, p, indices, shift(axes), at + 1)
        return out
    rank = len(block_shape(indices))
    union = p.any(axis=tuple(range(at + 1, at + 1 + rank)))
    return np.broadcast_to(np.expand_dims(union, shift(axes)), (len(p), *shape))
