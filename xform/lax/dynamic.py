"""Reads and writes of regions whose place is computed: start indices may be traced, sizes may not.

A negative start counts from the end, unless `allow_negative_indices` is false; a region that would reach beyond the
array is moved inside. Operands of different dtypes are promoted as by NumPy.
"""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import Any

import numpy as np

from xform.core.aval import aval_of
from xform.core.trace import Tracer
from xform.lax.dimensions import dimension as axis_of
from xform.lax.dimensions import integers, per_dimension
from xform.lax.elementwise import common_dtype
from xform.lax.elementwise import operand as as_operand
from xform.numpy.dispatch import ArrayLike, as_dtype, asarray
from xform.numpy.shaping import in_shape
from xform.ops.indexing import dynamic as ops
from xform.ops.select import select
from xform.ops.structure import slice_, without

__all__ = [
    "dynamic_index_in_dim",
    "dynamic_slice",
    "dynamic_slice_in_dim",
    "dynamic_update_index_in_dim",
    "dynamic_update_slice",
    "dynamic_update_slice_in_dim",
]

Starts = Sequence[ArrayLike] | ArrayLike
FIRST, INTP = np.intp(0), np.dtype(np.intp)


def dynamic_slice(
    operand: ArrayLike,
    start_indices: Starts,
    slice_sizes: Sequence[int],
    *,
    allow_negative_indices: bool | Sequence[bool] = True,
) -> Any:
    """The region of the given sizes that begins at `start_indices`, moved inside the array where it reaches beyond.

    There are as many starts (a sequence of integer scalars, or a vector) and sizes as axes. Raises ValueError for other
    numbers of them and for sizes larger than the array, TypeError for starts that are not integers.

    >>> dynamic_slice(np.arange(5), (3,), (3,))
    array([2, 3, 4])
    """
    x = asarray(operand)
    sizes = check_fits("dynamic_slice", x, per_dimension("dynamic_slice", "slice_sizes", slice_sizes, x.shape))
    starts = starts_of("dynamic_slice", x, start_indices, allow_negative_indices)
    return ops.dynamic_slice(x, *starts, sizes=sizes)


def dynamic_update_slice(
    operand: ArrayLike,
    update: ArrayLike,
    start_indices: Starts,
    *,
    allow_negative_indices: bool | Sequence[bool] = True,
) -> Any:
    """The array with the region that begins at `start_indices` replaced by `update`, which has its sizes.

    The region is moved inside the array where it reaches beyond. Errors are those of `dynamic_slice`.

    >>> dynamic_update_slice(np.zeros(4), np.ones(2), (-1,))
    array([0., 0., 1., 1.])
    """
    x, v = in_one_dtype(operand, update)
    check_fits("dynamic_update_slice", x, v.shape)
    return ops.dynamic_update_slice(x, v, *starts_of("dynamic_update_slice", x, start_indices, allow_negative_indices))


def dynamic_slice_in_dim(
    operand: ArrayLike, start_index: ArrayLike, slice_size: int, axis: int = 0, *, allow_negative_indices: bool = True
) -> Any:
    """`dynamic_slice` along one axis.

    >>> dynamic_slice_in_dim(np.arange(6).reshape(2, 3), 1, 2, axis=1)
    array([[1, 2],
           [4, 5]])
    """
    return slice_along("dynamic_slice_in_dim", operand, start_index, slice_size, axis, allow_negative_indices)


def dynamic_index_in_dim(
    operand: ArrayLike, index: ArrayLike, axis: int = 0, keepdims: bool = True, *, allow_negative_indices: bool = True
) -> Any:
    """The entries at one index of an axis, which is kept with size one, or dropped.

    >>> dynamic_index_in_dim(np.arange(6).reshape(2, 3), -1, keepdims=False)
    array([3, 4, 5])
    """
    y = slice_along("dynamic_index_in_dim", operand, index, 1, axis, allow_negative_indices)
    return y if keepdims else in_shape(y, without(y.shape, (axis % len(y.shape),)))


def slice_along(name: str, operand: Any, start: Any, size: Any, axis: int, allow_negative: bool) -> Any:
    """A region of a given size along one axis, which is whole along the others."""
    x, (size,) = asarray(operand), integers(name, "slice_size", size)
    axis = axis_of(name, axis, len(x.shape))
    sizes = check_fits(name, x, (*x.shape[:axis], size, *x.shape[axis + 1 :]))
    return ops.dynamic_slice(x, *along(axis, start_of(name, start, x.shape[axis], allow_negative), x), sizes=sizes)


def dynamic_update_slice_in_dim(
    operand: ArrayLike, update: ArrayLike, start_index: ArrayLike, axis: int, *, allow_negative_indices: bool = True
) -> Any:
    """`dynamic_update_slice` that begins at `start_index` along one axis, and at 0 along the others.

    >>> dynamic_update_slice_in_dim(np.zeros(4), np.ones(2), 1, axis=0)
    array([0., 1., 1., 0.])
    """
    x, v = in_one_dtype(operand, update)
    return update_along("dynamic_update_slice_in_dim", x, v, start_index, axis, allow_negative_indices)


def dynamic_update_index_in_dim(
    operand: ArrayLike, update: ArrayLike, index: ArrayLike, axis: int, *, allow_negative_indices: bool = True
) -> Any:
    """The array with the entries at one index of an axis replaced; `update` has that axis with size one, or lacks it.

    >>> dynamic_update_index_in_dim(np.zeros((2, 3)), np.ones(2), 1, axis=1)
    array([[0., 1., 0.],
           [0., 1., 0.]])
    """
    x, v = in_one_dtype(operand, update)
    axis = axis_of("dynamic_update_index_in_dim", axis, len(x.shape))
    if len(v.shape) == len(x.shape) - 1:
        v = in_shape(v, (*v.shape[:axis], 1, *v.shape[axis:]))
    return update_along("dynamic_update_index_in_dim", x, v, index, axis, allow_negative_indices)


def update_along(name: str, x: Any, v: Any, start: Any, axis: int, allow_negative: bool) -> Any:
    """Replace the region that begins at `start` along one axis, and at 0 along the others."""
    check_fits(name, x, v.shape)
    axis = axis_of(name, axis, len(x.shape))
    return ops.dynamic_update_slice(x, v, *along(axis, start_of(name, start, x.shape[axis], allow_negative), x))


def in_one_dtype(operand: Any, update: Any) -> list[Any]:
    x, v = asarray(operand), asarray(update)
    if x.dtype == v.dtype:
        return [x, v]
    dtype = common_dtype(operand, update)
    return [as_dtype(x, dtype), as_dtype(v, dtype)]


def check_fits(name: str, x: Any, sizes: tuple[int, ...]) -> tuple[int, ...]:
    """The sizes of a region, if an array has room for it."""
    if len(sizes) != len(x.shape) or any(not 0 <= k <= n for k, n in zip(sizes, x.shape, strict=True)):
        raise ValueError(
            f"{name}: a region of shape {sizes} was given for an array of shape {x.shape}; wanted as many dimensions, "
            "none of them larger"
        )
    return sizes


def along(axis: int, start: Any, x: Any) -> list[Any]:
    """A start for each axis, of which one is given."""
    return [start if d == axis else FIRST for d in range(len(x.shape))]


def starts_of(name: str, x: Any, starts: Any, allow_negative: bool | Sequence[bool]) -> list[Any]:
    """`start_indices` as one scalar for each axis."""
    rank = len(x.shape)
    given = list(starts) if isinstance(starts, list | tuple) else entries(asarray(starts))
    allowed = [allow_negative] * rank if isinstance(allow_negative, bool) else list(allow_negative)
    if len(given) != rank or len(allowed) != rank:
        raise ValueError(
            f"{name}: {len(given)} start indices were given (and allow_negative_indices for {len(allowed)}) for an "
            f"array of shape {x.shape}; wanted one for each of its {rank} dimensions"
        )
    return [start_of(name, *row) for row in zip(given, x.shape, allowed, strict=True)]


def entries(vector: Any) -> list[Any]:
    """The entries of a vector as scalars; of a scalar itself."""
    if not vector.shape:
        return [vector]
    return [slice_(vector, index=(k, *((0, n, 1) for n in vector.shape[1:]))) for k in range(vector.shape[0])]


def start_of(name: str, start: Any, n: int, allow_negative: bool) -> Any:
    """A start index counted from the front of an axis of size n."""
    if type(start) is not int and not isinstance(start, np.integer):
        aval = aval_of(as_operand(start))
        if aval.shape or aval.dtype.kind not in "iu":
            raise TypeError(f"{name}: a start index {aval} was given; wanted integer scalars")
        if isinstance(start, Tracer):
            return traced_start(start, n, allow_negative)
    i = operator.index(start)
    if i < 0 and not allow_negative:
        raise ValueError(
            f"{name}: the start index {i} was given with allow_negative_indices=False; wanted one from 0 to {n}"
        )
    return np.intp(min(max(i + n if i < 0 else i, 0), n))


def traced_start(start: Any, n: int, allow_negative: bool) -> Any:
    if start.dtype.kind == "u":
        start = np.minimum(as_dtype(start, np.uint64), n)  # beyond the largest signed integer as well
    i = as_dtype(start, INTP)
    return i + select(np.less(i, 0), n, 0) if allow_negative and start.dtype.kind == "i" else i
