"""The operators of `jax.lax` that arrange entries: all of them are linear, and their sizes are known beforehand.

A negative dimension number counts from behind. Arrays to be joined are promoted to one dtype as by NumPy.
"""

from __future__ import annotations

import builtins
import itertools
import math
import operator
from collections.abc import Sequence
from typing import Any

import numpy as np

from xform.core.aval import shape_of
from xform.lax.dimensions import dimension as axis_of
from xform.lax.dimensions import dimensions as axes_of
from xform.lax.dimensions import integers, per_dimension
from xform.lax.dimensions import sizes as as_sizes
from xform.numpy import joining, shaping
from xform.numpy.arranging import reversed_along
from xform.numpy.arranging import tile as repeat_all
from xform.numpy.dispatch import ArrayLike, asarray
from xform.ops import elementwise
from xform.ops import structure as ops

__all__ = [
    "broadcast",
    "broadcast_in_dim",
    "broadcast_like",
    "broadcast_shapes",
    "broadcast_to_rank",
    "collapse",
    "concatenate",
    "expand_dims",
    "index_in_dim",
    "reshape",
    "rev",
    "slice",
    "slice_in_dim",
    "split",
    "squeeze",
    "stack",
    "tile",
    "transpose",
    "unstack",
]

Integers = int | Sequence[int]

# --- broadcasting ---


def broadcast(operand: ArrayLike, sizes: Integers) -> Any:
    """The array repeated along new axes of these sizes in front; ValueError for a negative size.

    >>> broadcast(np.arange(2), (3,))
    array([[0, 1],
           [0, 1],
           [0, 1]])
    """
    x, lead = asarray(operand), as_sizes("broadcast", "sizes", sizes)
    return ops.broadcast(x, shape=(*lead, *x.shape), axes=tuple(range(len(lead)))) if lead else x


def broadcast_in_dim(operand: ArrayLike, shape: Integers, broadcast_dimensions: Sequence[int]) -> Any:
    """The array in a larger shape: its axis k becomes axis broadcast_dimensions[k], along all others it is repeated.

    Along an axis of size one it is repeated as well. Raises ValueError for sizes or dimensions that do not fit.

    >>> broadcast_in_dim(np.arange(2), (2, 3), (0,))
    array([[0, 0, 0],
           [1, 1, 1]])
    """
    x, shape = asarray(operand), as_sizes("broadcast_in_dim", "shape", shape)
    given = per_dimension("broadcast_in_dim", "broadcast_dimensions", broadcast_dimensions, x.shape)
    places = axes_of("broadcast_in_dim", "broadcast_dimensions", given, len(shape))
    if any(n not in (1, shape[d]) for n, d in zip(x.shape, places, strict=True)):
        raise ValueError(
            f"broadcast_in_dim: an array of shape {x.shape} was given to fill the dimensions {places} of shape {shape};"
            " wanted the sizes there, or 1"
        )
    order = sorted(range(len(places)), key=places.__getitem__)
    own = dict(zip(places, x.shape, strict=True))
    aligned = tuple(own.get(d, 1) for d in range(len(shape)))
    return ops.broadcast_to(shaping.in_shape(transpose(x, order), aligned), shape)


def broadcast_shapes(*shapes: Integers) -> tuple[int, ...]:
    """The shape to which these broadcast; ValueError, naming them, if they do not.

    >>> broadcast_shapes((2, 1), (3,))
    (2, 3)
    """
    found = [as_sizes("broadcast_shapes", "a shape", shape) for shape in shapes]
    return elementwise.broadcast_shapes("broadcast_shapes", [np.broadcast_to(0, s) for s in found]) if found else ()


def broadcast_like(arr: ArrayLike, like_arr: ArrayLike) -> Any:
    """The array in the shape of another one, by NumPy's broadcasting; ValueError if it does not fit.

    >>> broadcast_like(np.arange(3), np.zeros((2, 3)))
    array([[0, 1, 2],
           [0, 1, 2]])
    """
    return shaping.broadcast_to(asarray(arr), shape_of(asarray(like_arr)))


def broadcast_to_rank(x: ArrayLike, rank: int) -> Any:
    """The array with axes of size one in front, so that it has this many; unchanged if it has as many already.

    >>> broadcast_to_rank(np.arange(2), 2)
    array([[0, 1]])
    """
    x = asarray(x)
    return shaping.in_shape(x, (*(1,) * (operator.index(rank) - len(x.shape)), *x.shape))


def expand_dims(array: ArrayLike, dimensions: Integers) -> Any:
    """Put in axes of size one at these places of the result; ValueError if there is no such place.

    >>> expand_dims(np.arange(2), (0, -1)).shape
    (1, 2, 1)
    """
    x, given = asarray(array), integers("expand_dims", "dimensions", dimensions)
    rank, old = len(x.shape) + len(given), iter(x.shape)
    new = axes_of("expand_dims", "dimensions", given, rank)
    return shaping.in_shape(x, tuple(1 if d in new else next(old) for d in range(rank)))


def squeeze(array: ArrayLike, dimensions: Integers) -> Any:
    """Drop these axes, which have size one; ValueError if one is larger, or does not exist.

    >>> squeeze(np.ones((1, 2, 1)), (0,)).shape
    (2, 1)
    """
    x = asarray(array)
    axes = axes_of("squeeze", "dimensions", dimensions, len(x.shape))
    if any(x.shape[d] != 1 for d in axes):
        raise ValueError(
            f"squeeze: dimensions = {dimensions} was given for an array of shape {x.shape}; wanted dimensions of size 1"
        )
    return shaping.in_shape(x, ops.without(x.shape, axes))


# --- other shapes and orders ---


def reshape(operand: ArrayLike, new_sizes: Integers, dimensions: Sequence[int] | None = None) -> Any:
    """The entries in another shape, in C order, or in that after permuting the axes to `dimensions`.

    One size may be -1: whatever is left. Raises ValueError if the sizes do not fit, or `dimensions` is no permutation.

    >>> reshape(np.arange(4).reshape(2, 2), (4,), dimensions=(1, 0))
    array([0, 2, 1, 3])
    """
    x = asarray(operand) if dimensions is None else permute("reshape", "dimensions", operand, dimensions)
    return shaping.in_shape(x, shaping.resolve_shape(x.size, integers("reshape", "new_sizes", new_sizes)))


def collapse(operand: ArrayLike, start_dimension: int, stop_dimension: int | None = None) -> Any:
    """The axes from `start_dimension` up to, not including, `stop_dimension` joined to one; for none of them a new one.

    Raises ValueError if they are not in this order.

    >>> collapse(np.ones((2, 3, 4)), 0, 2).shape
    (6, 4)
    """
    x = asarray(operand)
    first, last, _ = builtins.slice(operator.index(start_dimension), stop_dimension).indices(len(x.shape))
    if first > last:
        raise ValueError(
            f"collapse: the dimensions from {start_dimension} to {stop_dimension} of shape {x.shape} were given; "
            "wanted the first one in front of the last"
        )
    return shaping.in_shape(x, (*x.shape[:first], math.prod(x.shape[first:last]), *x.shape[last:]))


def transpose(operand: ArrayLike, permutation: Sequence[int] | np.ndarray) -> Any:
    """Permute the axes: axis k of the result is axis permutation[k]; ValueError if it is no permutation.

    >>> transpose(np.ones((2, 3, 4)), (2, 0, 1)).shape
    (4, 2, 3)
    """
    return permute("transpose", "permutation", operand, permutation)


def permute(name: str, what: str, operand: Any, permutation: Any) -> Any:
    x = asarray(operand)
    order = axes_of(name, what, per_dimension(name, what, permutation, x.shape), len(x.shape))
    return x if order == tuple(range(len(order))) else shaping.permuted(x, order)


def rev(operand: ArrayLike, dimensions: Integers) -> Any:
    """The entries in reverse along these axes; ValueError if there is no such axis, or one is named twice.

    >>> rev(np.arange(6).reshape(2, 3), (1,))
    array([[2, 1, 0],
           [5, 4, 3]])
    """
    x = asarray(operand)
    return reversed_along(x, axes_of("rev", "dimensions", dimensions, len(x.shape)))


def tile(operand: ArrayLike, reps: Sequence[int]) -> Any:
    """The whole array so many times along each axis; ValueError unless there is a number for each.

    >>> tile(np.arange(2), (2,))
    array([0, 1, 0, 1])
    """
    x = asarray(operand)
    return repeat_all(x, as_sizes("tile", "reps", per_dimension("tile", "reps", reps, x.shape)))


# --- joining ---


def concatenate(operands: Sequence[ArrayLike] | ArrayLike, dimension: int) -> Any:
    """Join arrays along an axis; ValueError for no arrays, or for shapes that differ elsewhere.

    >>> concatenate([np.ones(1), np.zeros(2)], 0)
    array([1., 0., 0.])
    """
    operands = list(operands)
    if operands and shape_of(operands[0]):
        dimension = axis_of("concatenate", dimension, len(operands[0].shape))
    return joining.concatenate(operands, axis=dimension)


def stack(operands: Sequence[ArrayLike] | ArrayLike, axis: int = 0) -> Any:
    """Join arrays of one shape along a new axis; ValueError for no arrays, or if their shapes differ.

    >>> stack([np.arange(2), np.arange(2)], 1)
    array([[0, 0],
           [1, 1]])
    """
    return joining.stack(list(operands), axis=axis)


# --- parts ---


def slice(
    operand: ArrayLike, start_indices: Sequence[int], limit_indices: Sequence[int], strides: Sequence[int] | None = None
) -> Any:
    """The entries from `start_indices` up to, not including, `limit_indices`, every `strides`-th of them.

    Raises ValueError unless there is an index for each axis, 0 <= start <= limit <= size, and strides are positive.

    >>> slice(np.arange(10), (2,), (9,), (3,))
    array([2, 5, 8])
    """
    x = asarray(operand)
    starts = per_dimension("slice", "start_indices", start_indices, x.shape)
    limits = per_dimension("slice", "limit_indices", limit_indices, x.shape)
    steps = (1,) * len(starts) if strides is None else per_dimension("slice", "strides", strides, x.shape)
    if any(not 0 <= a <= b <= n for a, b, n in zip(starts, limits, x.shape, strict=True)):
        raise ValueError(
            f"slice: start_indices = {starts} and limit_indices = {limits} were given for an array of shape {x.shape}; "
            "wanted 0 <= start <= limit <= size for each dimension"
        )
    if any(step < 1 for step in steps):
        raise ValueError(f"slice: strides = {steps} was given, wanted positive ones; for the reverse order use rev")
    region = tuple((a, -((a - b) // step), step) for a, b, step in zip(starts, limits, steps, strict=True))
    return ops.slice_(x, index=region)


def slice_in_dim(
    operand: ArrayLike, start_index: int | None, limit_index: int | None, stride: int = 1, axis: int = 0
) -> Any:
    """`slice` along one axis, where None means its beginning or end and negative indices count from there.

    >>> slice_in_dim(np.arange(6), 1, -1, stride=2)
    array([1, 3])
    """
    x = asarray(operand)
    axis = axis_of("slice_in_dim", axis, len(x.shape))
    n = x.shape[axis]
    bounds = [
        at_end if i is None else index + n if (index := operator.index(i)) < 0 else index
        for i, at_end in ((start_index, 0), (limit_index, n))
    ]
    starts, limits, strides = [0] * len(x.shape), list(x.shape), [1] * len(x.shape)
    starts[axis], limits[axis], strides[axis] = *bounds, stride
    return slice(x, starts, limits, strides)


def index_in_dim(operand: ArrayLike, index: int, axis: int = 0, keepdims: bool = True) -> Any:
    """The entries at one index of an axis, which is kept with size one or dropped; IndexError if it is out of range.

    >>> index_in_dim(np.arange(6).reshape(2, 3), -1, axis=1, keepdims=False)
    array([2, 5])
    """
    x = asarray(operand)
    axis, i = axis_of("index_in_dim", axis, len(x.shape)), operator.index(index)
    n = x.shape[axis]
    if not -n <= i < n:
        raise IndexError(f"index_in_dim: index {i} was given for axis {axis} of size {n}; wanted {-n} to {n - 1}")
    place: Any = (i % n, 1, 1) if keepdims else i % n
    return ops.slice_(x, index=tuple(place if d == axis else (0, m, 1) for d, m in enumerate(x.shape)))


def split(operand: ArrayLike, sizes: Sequence[int], axis: int = 0) -> list[Any]:
    """Parts of these sizes along an axis; ValueError unless they make up all of it.

    >>> split(np.arange(5), (2, 3))
    [array([0, 1]), array([2, 3, 4])]
    """
    x, counts = asarray(operand), as_sizes("split", "sizes", sizes)
    axis = axis_of("split", axis, len(x.shape))
    if sum(counts) != x.shape[axis]:
        raise ValueError(f"split: sizes = {counts} was given for axis {axis} of shape {x.shape}; wanted them to sum up")
    starts = [0, *itertools.accumulate(counts)]
    return [joining.section(x, a, b, axis) for a, b in itertools.pairwise(starts)]


def unstack(x: ArrayLike, axis: int = 0) -> tuple[Any, ...]:
    """The arrays of which `stack` along the axis would make this one; AxisError if there is no such axis.

    >>> unstack(np.arange(4).reshape(2, 2), 1)
    (array([0, 2]), array([1, 3]))
    """
    x = asarray(x)
    return joining.unstack(x, axis=axis_of("unstack", axis, len(x.shape)))
