"""NumPy's functions of shape and axes: the same entries in another arrangement, so all of them are linear.

reshape, ravel        transpose, swapaxes, moveaxis, ...        expand_dims, squeeze, atleast_*        broadcast_to
"""

from __future__ import annotations

import math
import operator
from collections.abc import Sequence
from typing import Any, SupportsIndex

import numpy as np

from xform.core.aval import shape_of
from xform.core.trace import context
from xform.numpy.axes import Axes, axis_index, axis_tuple, reduced_axes
from xform.numpy.dispatch import ArrayLike, asarray, implements
from xform.ops import structure
from xform.ops.structure import without

Shape = SupportsIndex | Sequence[SupportsIndex]


def as_shape(shape: Any) -> tuple[int, ...]:
    """A `shape` argument, an integer or a sequence of them; TypeError for anything else."""
    if type(shape) is int:
        return (shape,)
    try:
        return tuple(map(operator.index, shape))
    except TypeError:
        if isinstance(shape, list | tuple):
            raise
        return (operator.index(shape),)


def resolve_shape(size: int, shape: Any) -> tuple[int, ...]:
    """A `shape` argument for an array of so many entries, in which one size may be negative: whatever is left."""
    shape = as_shape(shape)
    if min(shape, default=0) < 0:
        return with_unknown(size, shape)
    if math.prod(shape) != size:
        raise ValueError(f"cannot reshape array of size {size} into shape {shape}: wanted sizes of that product")
    return shape


def with_unknown(size: int, shape: tuple[int, ...]) -> tuple[int, ...]:
    """The shape with its negative entry replaced by what the others leave."""
    unknown = [k for k, n in enumerate(shape) if n < 0]
    if len(unknown) > 1:
        raise ValueError(f"can only specify one unknown dimension; shape {shape} was given")
    (k,) = unknown
    known = math.prod(shape) // shape[k]
    if not known or size % known:
        raise ValueError(f"cannot reshape array of size {size} into shape {shape}: {size} is not a multiple of {known}")
    return (*shape[:k], size // known, *shape[k + 1 :])


def in_shape(x: Any, shape: tuple[int, ...]) -> Any:
    """The same entries in a shape that fits."""
    return x if x.shape == shape else context.trace.process(structure.reshape, (x,), {"shape": shape})[0]


def permuted(x: Any, permutation: tuple[int, ...]) -> Any:
    return context.trace.process(structure.transpose, (x,), {"permutation": permutation})[0]


@implements(np.reshape)
def reshape(a: ArrayLike, /, shape: Shape, order: str = "C", *, copy: bool | None = None) -> Any:
    """The entries in another shape, of which one size may be -1: whatever is left.

    They are read and written in C order, or in Fortran's with `order="F"`. Raises ValueError if the sizes do not fit.

    >>> import xform
    >>> xform.jvp(lambda x: reshape(x, (2, -1)), (np.arange(4.0),), (np.ones(4),))[1]
    array([[1., 1.],
           [1., 1.]])
    """
    a = asarray(a)
    shape = resolve_shape(math.prod(a.shape), shape)
    if order == "C" or check_order(order) != "F":
        return in_shape(a, shape)
    return reversed_axes(in_shape(reversed_axes(a), shape[::-1]))


def check_order(order: str | None) -> str:
    """An `order` argument; there is no memory layout to keep, so that "A" and "K" mean "C"."""
    if order is None:
        return "C"
    letter = order.upper() if isinstance(order, str) else order
    if letter not in ("C", "F", "A", "K"):
        raise ValueError(f"order must be one of 'C', 'F', 'A', or 'K' (got {order!r})")
    return letter


def reversed_axes(x: Any) -> Any:
    return permuted(x, tuple(range(len(x.shape)))[::-1]) if len(x.shape) > 1 else x


@implements(np.ravel)
def ravel(a: ArrayLike, order: str = "C") -> Any:
    """All entries as a vector, in C order, or in Fortran's with `order="F"`.

    >>> import xform
    >>> xform.grad(lambda x: ravel(x)[1])(np.ones((2, 2)))
    array([[0., 1.],
           [0., 0.]])
    """
    a = asarray(a)
    return in_shape(reversed_axes(a) if order != "C" and check_order(order) == "F" else a, (math.prod(a.shape),))


@implements(np.transpose)
def transpose(a: ArrayLike, axes: Sequence[SupportsIndex] | None = None) -> Any:
    """Permute the axes, by default reverse them: axis k of the result is axis axes[k] of `a`.

    Raises ValueError if `axes` is not a permutation, AxisError for an axis that the array has not got.

    >>> import xform
    >>> xform.jvp(transpose, (np.eye(2),), (np.array([[1.0, 2.0], [3.0, 4.0]]),))[1]
    array([[1., 3.],
           [2., 4.]])
    """
    a = asarray(a)
    if axes is None:
        return reversed_axes(a)
    rank, given = len(a.shape), as_shape(axes)
    if len(given) != rank:
        raise ValueError(f"axes don't match array: {len(given)} axes {given} were given for an array of {rank}")
    order = tuple(axis_index(k, rank) for k in given)
    if len(set(order)) < rank:
        raise ValueError(f"repeated axis in transpose: {given} was given, wanted each axis once")
    return a if order == tuple(range(rank)) else permuted(a, order)


permute_dims = transpose


@implements(np.matrix_transpose)
def matrix_transpose(x: ArrayLike, /) -> Any:
    """Exchange the last two axes; ValueError if there are not two.

    >>> import xform
    >>> xform.eval_shape(matrix_transpose, np.ones((4, 2, 3)))
    f64[4,3,2]
    """
    x = asarray(x)
    if len(x.shape) < 2:
        raise ValueError(f"Input array must be at least 2-dimensional, but it is {len(x.shape)}")
    return swapaxes_of(x, len(x.shape) - 2, len(x.shape) - 1)


def swapaxes_of(x: Any, i: int, j: int) -> Any:
    order = list(range(len(x.shape)))
    order[i], order[j] = j, i
    return x if i == j else permuted(x, tuple(order))


@implements(np.swapaxes)
def swapaxes(a: ArrayLike, axis1: SupportsIndex, axis2: SupportsIndex) -> Any:
    """Exchange two axes.

    >>> import xform
    >>> xform.eval_shape(lambda x: swapaxes(x, 0, -1), np.ones((4, 2, 3)))
    f64[3,2,4]
    """
    a = asarray(a)
    return swapaxes_of(a, axis_index(axis1, a.ndim), axis_index(axis2, a.ndim))


@implements(np.moveaxis)
def moveaxis(a: ArrayLike, source: Axes, destination: Axes) -> Any:
    """Move the axes `source` to the places `destination`; the others keep their order.

    >>> import xform
    >>> xform.eval_shape(lambda x: moveaxis(x, 0, -1), np.ones((4, 2, 3)))
    f64[2,3,4]
    """
    a = asarray(a)
    froms, tos = axis_list(source, a.ndim), axis_list(destination, a.ndim)
    if len(froms) != len(tos):
        raise ValueError(
            f"`source` and `destination` arguments must have the same number of elements; {source} and {destination} "
            "were given"
        )
    order = [k for k in range(a.ndim) if k not in froms]
    for to, k in sorted(zip(tos, froms, strict=True)):
        order.insert(to, k)
    return a if order == list(range(a.ndim)) else permuted(a, tuple(order))


def axis_list(axes: Any, rank: int) -> tuple[int, ...]:
    """One axis or several, in a tuple or a list."""
    return axis_tuple(tuple(axes) if isinstance(axes, list | tuple) else axes, rank)


@implements(np.rollaxis)
def rollaxis(a: ArrayLike, axis: SupportsIndex, start: SupportsIndex = 0) -> Any:
    """Move an axis to stand before the one at `start`.

    >>> import xform
    >>> xform.eval_shape(lambda x: rollaxis(x, 2), np.ones((4, 2, 3)))
    f64[3,4,2]
    """
    a = asarray(a)
    rank, place = a.ndim, operator.index(start)
    source = axis_index(axis, rank)
    if not -rank <= place <= rank:
        raise np.exceptions.AxisError(f"'start' arg requires {-rank} <= start < {rank + 1}, but {start} was passed in")
    place = place + rank if place < 0 else place
    return moveaxis(a, source, place - 1 if source < place else place)


@implements(np.expand_dims)
def expand_dims(a: ArrayLike, axis: Axes) -> Any:
    """Put in axes of size one, at these places of the result.

    >>> import xform
    >>> xform.eval_shape(lambda x: expand_dims(x, (0, -1)), np.ones(3))
    f64[1,3,1]
    """
    a = asarray(a)
    places = tuple(axis) if isinstance(axis, list | tuple) else (axis,)
    rank = a.ndim + len(places)
    new, sizes = axis_tuple(places, rank), iter(a.shape)
    return in_shape(a, tuple(1 if k in new else next(sizes) for k in range(rank)))


@implements(np.squeeze)
def squeeze(a: ArrayLike, axis: Axes = None) -> Any:
    """Drop axes of size one, all of them or these; ValueError for one that is larger.

    >>> import xform
    >>> xform.eval_shape(squeeze, np.ones((1, 3, 1)))
    f64[3]
    """
    a = asarray(a)
    if axis is None:
        return in_shape(a, tuple(n for n in a.shape if n != 1))
    axes = reduced_axes(axis, a.ndim)
    if any(a.shape[k] != 1 for k in axes):
        raise ValueError(
            f"cannot select an axis to squeeze out which has size not equal to one: axes {axes} of shape {a.shape}"
        )
    return in_shape(a, without(a.shape, axes))


@implements(np.broadcast_to)
def broadcast_to(array: ArrayLike, shape: Shape, subok: bool = False) -> Any:
    """The array repeated along new axes in front, and along axes of size one, to fill a shape; ValueError if it cannot.

    >>> import xform
    >>> xform.grad(lambda x: broadcast_to(x, (4, 3)).sum())(np.ones(3))
    array([4., 4., 4.])
    """
    array, shape = asarray(array), as_shape(shape)
    if any(n < 0 for n in shape):
        raise ValueError(f"all elements of broadcast shape must be non-negative; {shape} was given")
    rank = len(array.shape)
    if len(shape) < rank or any(n not in (1, m) for n, m in zip(array.shape[::-1], shape[::-1], strict=False)):
        raise ValueError(
            f"operands could not be broadcast together: an array of shape {array.shape} cannot fill shape {shape}; "
            "aligned at the right, its sizes must be equal or one"
        )
    return structure.broadcast_to(array, shape)


@implements(np.broadcast_arrays)
def broadcast_arrays(*args: ArrayLike, subok: bool = False) -> tuple[Any, ...]:
    """The arrays repeated to their common shape.

    >>> import xform
    >>> xform.eval_shape(broadcast_arrays, np.ones((2, 1)), np.ones(3))
    (f64[2,3], f64[2,3])
    """
    shape = np.broadcast_shapes(*(shape_of(asarray(x)) for x in args))
    return tuple(structure.broadcast_to(asarray(x), shape) for x in args)


@implements(np.atleast_1d)
def atleast_1d(*arys: ArrayLike) -> Any:
    """A number as a vector of one entry; a tuple of results for several arguments.

    >>> import xform
    >>> xform.eval_shape(atleast_1d, 3.0)
    f64[1]
    """
    return each(arys, lambda shape: shape or (1,))


@implements(np.atleast_2d)
def atleast_2d(*arys: ArrayLike) -> Any:
    """A vector as a matrix of one row; a tuple of results for several arguments.

    >>> import xform
    >>> xform.eval_shape(atleast_2d, np.ones(3))
    f64[1,3]
    """
    return each(arys, lambda shape: (*(1,) * (2 - len(shape)), *shape))


@implements(np.atleast_3d)
def atleast_3d(*arys: ArrayLike) -> Any:
    """A vector of n entries in shape (1, n, 1), a matrix in (m, n, 1); a tuple of results for several arguments.

    >>> import xform
    >>> xform.eval_shape(atleast_3d, np.ones(3))
    f64[1,3,1]
    """
    cubes = {0: lambda: (1, 1, 1), 1: lambda n: (1, n, 1), 2: lambda m, n: (m, n, 1)}
    return each(arys, lambda shape: cubes[len(shape)](*shape) if len(shape) < 3 else shape)


def each(arys: Sequence[Any], shape: Any) -> Any:
    """The arrays in the shapes that are made of their shapes: one, or a tuple of them."""
    results = tuple(in_shape(asarray(x), shape(asarray(x).shape)) for x in arys)
    return results[0] if len(results) == 1 else results
