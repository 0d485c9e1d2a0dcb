"""Where entries lie: integer indices as NumPy's keys, and as positions in the flat array.

The position of the entry with indices i_0 ... i_n is, in C order, the sum of i_k times the product of the sizes behind
axis k. On positions any combination of indices is a one-dimensional one.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from xform.ops.structure import without

Axes = tuple[int, ...]


def block_shape(indices: Sequence[Any]) -> tuple[int, ...]:
    """The common shape of the indices."""
    shapes = [getattr(i, "shape", ()) for i in indices]  # a Python number has none
    if all(s == shapes[0] for s in shapes):
        return shapes[0]
    try:
        return np.broadcast_shapes(*shapes)
    except ValueError:
        given = " ".join(map(str, shapes))
        raise IndexError(
            f"shape mismatch: indexing arrays could not be broadcast together with shapes {given}; to combine every "
            "entry of one with every entry of another, index with numpy.ix_(i, j) or i[:, None], j"
        ) from None


def gathered_shape(shape: tuple[int, ...], block: tuple[int, ...], axes: Axes, at: int) -> tuple[int, ...]:
    rest = without(shape, axes)
    return (*rest[:at], *block, *rest[at:])


def are_known(indices: Sequence[Any]) -> bool:
    """Are the indices plain numbers?"""
    return all(isinstance(i, np.ndarray | np.generic | int) for i in indices)


def index_key(rank: int, indices: Sequence[Any], axes: Axes) -> tuple[Any, ...]:
    """NumPy's index: the k-th index along axis axes[k], all of the others."""
    key: list[Any] = [slice(None)] * rank
    for a, i in zip(axes, indices, strict=True):
        key[a] = i
    return tuple(key)


def numpy_place(axes: Axes) -> int:
    """Where NumPy puts the block: at the first of adjacent axes, else in front."""
    return axes[0] if axes[-1] - axes[0] + 1 == len(axes) else 0


def placed(y: Any, indices: Sequence[Any], axes: Axes, at: int) -> Any:
    """What NumPy read, with its block moved to the position `at`."""
    natural = numpy_place(axes)
    if natural == at:
        return y
    rank = max(map(np.ndim, indices))
    return np.moveaxis(y, range(natural, natural + rank), range(at, at + rank)) if rank else y


def combine(ufunc: np.ufunc | None, out: np.ndarray, y: Any, indices: Sequence[Any], axes: Axes, at: int) -> None:
    """out[entries] = ufunc(out[entries], y) in place, for repeated entries repeatedly; without it out[entries] = y.

    A one-dimensional `ufunc.at`, on flat positions, is several times faster than one with rows or several indices, and
    its order is the C order of y whatever the strides, so that of several writes to an entry the last one wins.
    """
    shape, single = out.shape, all(np.ndim(i) == 0 for i in indices)
    if single:
        key: Any = index_key(len(shape), indices, axes)
    elif len(shape) == 1:
        key, y = np.ravel(indices[0]), np.ravel(y)
    else:
        key, y = flat_positions(shape, indices, axes, at).ravel(), np.ravel(y)
        if out.flags.c_contiguous:
            out = out.reshape(-1)
        else:
            key = np.unravel_index(key, shape)
    try:
        if ufunc is None:
            out[key] = y
        elif single:
            out[key] = ufunc(out[key], y)
        else:
            ufunc.at(out, key, y)
    except IndexError as error:
        raise index_error(error, shape, axes, indices) from None


def flat_positions(shape: tuple[int, ...], indices: Sequence[Any], axes: Axes, at: int) -> np.ndarray:
    """The positions, in C order, of the entries that gather reads, in the shape of its result.

    The k-th axis contributes (its index) * (product of the sizes behind it).
    """
    block, rest = block_shape(indices), [k for k in range(len(shape)) if k not in axes]
    if not math.prod(block):
        return np.zeros(gathered_shape(shape, block, axes, at), np.intp)
    behind = [math.prod(shape[k + 1:]) for k in range(len(shape))]
    total = np.zeros((), np.intp)
    for a, i in zip(axes, indices, strict=True):
        total = total + wrapped(i, a, shape[a]) * behind[a]
    total = np.broadcast_to(total, block).reshape((*(1,) * at, *block, *(1,) * (len(rest) - at)))
    for place, k in enumerate(rest):
        after = len(rest) - 1 - place + (len(block) if place < at else 0)
        total = total + (np.arange(shape[k]) * behind[k]).reshape(-1, *(1,) * after)
    return total


def check_range(
    shape: tuple[int, ...], indices: Sequence[Any], axes: Sequence[int], names: Sequence[int] | None = None
) -> None:
    """IndexError if an index, not traced, is out of range of its axis, which messages call by its entry of `names`.

    As in NumPy, an empty block, which names no entry, makes all indices valid.
    """
    if math.prod(block_shape(indices)):
        for i, a, name in zip(indices, axes, names or axes, strict=True):
            if are_known([i]):
                wrapped(i, name, shape[a])


def wrapped(index: Any, axis: int, size: int) -> np.ndarray:
    """The index with negative entries counted from the end; IndexError if one is out of range."""
    i = np.asarray(index).astype(np.intp, copy=False)
    if not i.size:
        return i
    low, high = i.min(), i.max()
    if low < -size or high >= size:
        raise out_of_bounds(int(low if low < -size else high), axis, size)
    return np.where(i < 0, i + size, i) if low < 0 else i


def out_of_bounds(index: int, axis: int, size: int) -> IndexError:
    wanted = f"wanted {-size} <= index < {size}" if size else "the axis is empty"
    return IndexError(
        f"index {index} is out of bounds for axis {axis} with size {size}; {wanted}, or say what such an index means, "
        "x.at[index].get(mode='clip' or 'fill'), x.at[index].set(values, mode='clip' or 'drop')"
    )


def index_error(error: IndexError, shape: tuple[int, ...], axes: Axes, indices: Sequence[Any]) -> IndexError:
    """NumPy's error, with the index that is out of range and what to do, if there is one."""
    try:
        check_range(shape, indices, axes)
    except IndexError as found:
        return found
    return error
