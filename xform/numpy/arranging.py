"""NumPy's functions that repeat, shift and turn the entries along axes."""

from __future__ import annotations

import math
import operator
from collections.abc import Sequence
from typing import Any, SupportsIndex

import numpy as np

from xform.core.aval import shape_of
from xform.core.trace import concrete, concrete_or_raise
from xform.numpy.axes import Axes, axis_index, axis_tuple, reduced_axes
from xform.numpy.dispatch import ArrayLike, asarray, implements
from xform.numpy.joining import section
from xform.numpy.shaping import Shape, as_shape, in_shape, swapaxes_of
from xform.ops.indexing.index import gather
from xform.ops.structure import broadcast, concatenate, slice_


@implements(np.repeat)
def repeat(a: ArrayLike, repeats: Any, axis: SupportsIndex | None = None) -> Any:
    """Each entry (row, ...) along an axis so many times, one number for all or one for each; without axis, flattened.

    Raises ValueError for negative numbers, or for as many as do not fit.

    >>> import xform
    >>> xform.grad(lambda x: repeat(x, [1, 3]).sum())(np.ones(2))
    array([1., 3.])
    """
    x = asarray(a)
    if axis is None or (not x.ndim and reduced_axes(axis, 0) == ()):
        x, axis = in_shape(x, (x.size,)), 0
    axis = axis_index(axis, x.ndim)
    counts = concrete_or_raise(repeats, "repeat", "Give numbers of repetitions that are not traced")
    if isinstance(counts, int | np.integer) and counts >= 0:
        return repeated(x, int(counts), axis)
    order = np.repeat(np.arange(x.shape[axis]), counts)  # raises NumPy's errors
    return gather(x, order, axes=(axis,), at=axis)


def repeated(x: Any, count: int, axis: int) -> Any:
    """Each entry along the axis `count` times."""
    shape = x.shape
    y = broadcast(x, shape=(*shape[: axis + 1], count, *shape[axis + 1 :]), axes=(axis + 1,))
    return in_shape(y, (*shape[:axis], shape[axis] * count, *shape[axis + 1 :]))


@implements(np.tile)
def tile(A: ArrayLike, reps: Any) -> Any:  # NumPy's name
    """The whole array so many times along each axis.

    >>> import xform
    >>> xform.grad(lambda x: tile(x, (2, 3)).sum())(np.ones(2))
    array([6., 6.])
    """
    x, times = asarray(A), as_shape(reps)
    rank = max(len(x.shape), len(times))
    times = (*(1,) * (rank - len(times)), *times)
    if any(n < 0 for n in times):
        raise ValueError(f"tile: numbers of repetitions {times} were given; negative dimensions are not allowed")
    shape = (*(1,) * (rank - len(x.shape)), *x.shape)
    pairs = tuple(n for pair in zip(times, shape, strict=True) for n in pair)
    y = broadcast(in_shape(x, shape), shape=pairs, axes=tuple(range(0, 2 * rank, 2)))
    return in_shape(y, tuple(m * n for m, n in zip(times, shape, strict=True)))


@implements(np.resize)
def resize(a: ArrayLike, new_shape: Shape) -> Any:
    """The entries in C order, again and again as needed, in a new shape.

    >>> import xform
    >>> xform.grad(lambda x: resize(x, (2, 2)).sum())(np.ones(3))
    array([2., 1., 1.])
    """
    x, shape = asarray(a), as_shape(new_shape)
    if any(n < 0 for n in shape):
        raise ValueError(f"all elements of `new_shape` must be non-negative; {shape} was given")
    size = math.prod(shape)
    if not x.size or not size:
        return np.zeros(shape, x.dtype)
    flat = tile(in_shape(x, (x.size,)), -(-size // x.size))
    return in_shape(section(flat, 0, size, 0), shape)


# --- turned ---


def reversed_along(x: Any, axes: Sequence[int]) -> Any:
    """The entries along the axes in reverse."""
    region = tuple((n - 1, n, -1) if k in axes and n else (0, n, 1) for k, n in enumerate(x.shape))
    return slice_(x, index=region) if axes else x


@implements(np.flip)
def flip(m: ArrayLike, axis: Axes = None) -> Any:
    """The entries in reverse along axes, or along all.

    >>> import xform
    >>> xform.grad(lambda x: flip(x)[0])(np.ones(3))
    array([0., 0., 1.])
    """
    m = asarray(m)
    return reversed_along(m, axis_tuple(axis, m.ndim))


@implements(np.fliplr)
def fliplr(m: ArrayLike) -> Any:
    """`flip` along the second axis."""
    m = asarray(m)
    if m.ndim < 2:
        raise ValueError(f"Input must be >= 2-d; shape {m.shape} was given")
    return reversed_along(m, (1,))


@implements(np.flipud)
def flipud(m: ArrayLike) -> Any:
    """`flip` along the first axis."""
    m = asarray(m)
    if m.ndim < 1:
        raise ValueError("Input must be >= 1-d; a number was given")
    return reversed_along(m, (0,))


@implements(np.rot90)
def rot90(m: ArrayLike, k: int = 1, axes: Sequence[SupportsIndex] = (0, 1)) -> Any:
    """Turn by k right angles in the plane of two axes, from the first towards the second.

    >>> import xform
    >>> xform.jvp(rot90, (np.eye(2),), (np.array([[1.0, 2.0], [3.0, 4.0]]),))[1]
    array([[2., 4.],
           [1., 3.]])
    """
    m, k = asarray(m), operator.index(k) % 4
    if len(axes) != 2:
        raise ValueError(f"len(axes) must be 2; {tuple(axes)} was given")
    first, second = (axis_for_turn(i, m.ndim) for i in axes)
    if first == second:
        raise ValueError(f"Axes must be different; {tuple(axes)} was given")
    if k == 2:
        return reversed_along(m, (first, second))
    if k == 1:
        return swapaxes_of(reversed_along(m, (second,)), first, second)
    return reversed_along(swapaxes_of(m, first, second), (second,)) if k == 3 else m


def axis_for_turn(axis: SupportsIndex, rank: int) -> int:
    """An axis counted from the front; here NumPy raises ValueError for one that is not there."""
    axis = operator.index(axis)
    if not -rank <= axis < rank:
        raise ValueError(f"Axis {axis} out of range for array of ndim={rank}")
    return axis % rank


# --- shifted ---


@implements(np.roll)
def roll(a: ArrayLike, shift: Any, axis: Axes = None) -> Any:
    """The entries shifted along axes, those that leave at one end coming in at the other; without axis, flattened.

    The shifts may be traced integers.

    >>> import xform
    >>> xform.grad(lambda x: roll(x, 1)[0])(np.ones(3))
    array([0., 0., 1.])
    """
    x = asarray(a)
    if axis is None:
        return in_shape(roll(in_shape(x, (x.size,)), shift, 0), x.shape)
    places = axis if isinstance(axis, list | tuple) else (axis,)
    axes = [axis_index(k, x.ndim) for k in places]
    shifts = tuple(shift) if isinstance(shift, list | tuple) or shape_of(shift) else (shift,)
    if 1 not in (len(shifts), len(axes)) and len(shifts) != len(axes):
        raise ValueError(
            f"'shift' and 'axis' should be scalars or 1D sequences of one length; {shift} and {axis} were given"
        )
    count = max(len(shifts), len(axes)) if len(shifts) and len(axes) else 0
    for n in range(count):
        x = rolled(x, shifts[n % len(shifts)], axes[n % len(axes)])
    return x


def rolled(x: Any, shift: Any, axis: int) -> Any:
    """y[k] = x[k - shift], the index taken modulo the size."""
    n = x.shape[axis]
    known = concrete(shift)
    if known is None:
        order = np.remainder(np.arange(n) - shift, n)
        return gather(x, order, axes=(axis,), at=axis)
    k = operator.index(known) % n if n else 0
    return concatenate(section(x, n - k, n, axis), section(x, 0, n - k, axis), axis=axis) if k else x
