"""NumPy's functions that apply a function along axes: to every vector, one axis after the other, or to every window."""

from __future__ import annotations

import itertools
import operator
from collections.abc import Callable, Sequence
from typing import Any, SupportsIndex

import numpy as np

from xform.numpy.axes import Axes, axis_index, axis_tuple
from xform.numpy.dispatch import ArrayLike, asarray, implements
from xform.numpy.joining import stack
from xform.numpy.shaping import Shape, as_shape, expand_dims, in_shape, moveaxis, permuted
from xform.ops.indexing.index import gather
from xform.ops.structure import slice_


@implements(np.apply_along_axis)
def apply_along_axis(func1d: Callable[..., Any], axis: SupportsIndex, arr: ArrayLike, *args: Any, **kwargs: Any) -> Any:
    """`func1d` applied to each vector along an axis, in whose place the axes of the results stand.

    It is called once for each vector, in a loop; `xform.vmap` calls it once. Raises ValueError if there is no vector.

    >>> import xform
    >>> xform.grad(lambda x: apply_along_axis(np.prod, 1, x).sum())(np.array([[2.0, 3.0], [4.0, 5.0]]))
    array([[3., 2.],
           [5., 4.]])
    """
    x = asarray(arr)
    axis = axis_index(axis, x.ndim)
    lead = [k for k in range(x.ndim) if k != axis]
    sizes = tuple(x.shape[k] for k in lead)
    if 0 in sizes:
        raise ValueError("Cannot apply_along_axis when any iteration dimensions are 0")
    x = permuted(x, (*lead, axis))
    row = ((0, x.shape[-1], 1),)
    results = [
        asarray(func1d(slice_(x, index=(*index, *row)), *args, **kwargs))
        for index in itertools.product(*map(range, sizes))
    ]
    stacked = stack(results)
    rank = len(stacked.shape) - 1
    y = in_shape(stacked, (*sizes, *stacked.shape[1:]))
    places = tuple(range(len(sizes), len(sizes) + rank))
    return moveaxis(y, places, tuple(range(axis, axis + rank)))


@implements(np.apply_over_axes)
def apply_over_axes(func: Callable[..., Any], a: ArrayLike, axes: SupportsIndex | Sequence[SupportsIndex]) -> Any:
    """func(a, axis) applied for one axis after the other; axes that it drops are put back, of size one.

    Raises ValueError if the result has another number of axes.

    >>> import xform
    >>> xform.eval_shape(lambda x: apply_over_axes(np.sum, x, (0, 2)), np.ones((2, 3, 4)))
    f64[1,3,1]
    """
    x = asarray(a)
    rank = x.ndim
    for axis in map(operator.index, axes if isinstance(axes, Sequence) else (axes,)):
        k = axis + rank if axis < 0 else axis
        y = asarray(func(x, k))
        x = y if y.ndim == rank else expand_dims(y, k)
        if x.ndim != rank:
            raise ValueError(
                f"function is not returning an array of the correct shape: {y.shape} was returned, wanted {rank} axes, "
                "or one less"
            )
    return x


@implements(np.lib.stride_tricks.sliding_window_view)
def sliding_window_view(
    x: ArrayLike, window_shape: Shape, axis: Axes = None, *, subok: bool = False, writeable: bool = False
) -> Any:
    """All windows of a shape, whose axes stand at the end: y[i, ..., j] = x[i + j, ...] for a window along axis 0.

    The result is a copy, not a view. Raises ValueError for a window that is larger than the array.

    >>> import xform
    >>> xform.grad(lambda x: sliding_window_view(x, 2).sum())(np.ones(4))
    array([1., 2., 2., 1.])
    """
    x, sizes = asarray(x), as_shape(window_shape)
    if any(n < 0 for n in sizes):
        raise ValueError(f"`window_shape` cannot contain negative values; {sizes} was given")
    axes = tuple(range(x.ndim)) if axis is None else tuple(each_axis(axis, x.ndim))
    if len(sizes) != len(axes):
        raise ValueError(
            f"Must provide matching length window_shape and axis; {len(sizes)} and {len(axes)} were given (without "
            "`axis` there must be a size for each)"
        )
    for k, n in zip(axes, sizes, strict=True):
        count = x.shape[k] - n + 1
        if count < 1:
            raise ValueError(f"window shape cannot be larger than input array shape: {n} was given for {x.shape[k]}")
        places = np.arange(count)[:, None] + np.arange(n)
        x = gather(x, places, axes=(k,), at=k)
        x = moveaxis(x, k + 1, -1)
    return x


def each_axis(axis: Any, rank: int) -> list[int]:
    """Axes counted from the front, of which one may be named again."""
    given = axis if isinstance(axis, list | tuple) else (axis,)
    return [axis_tuple(k, rank)[0] for k in given]
