"""NumPy's differences of neighbouring entries along an axis, and the trapezoidal rule."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, SupportsIndex

import numpy as np

from xform.numpy.axes import NOT_GIVEN, axis_index
from xform.numpy.dispatch import ArrayLike, as_dtype, asarray, implements, promote
from xform.ops.structure import broadcast_to, concatenate, reduce_sum, reshape, slice_, without


def along(x: Any, axis: int, start: int, stop: int) -> Any:
    """x[start:stop] along an axis, 0 <= start <= stop."""
    return slice_(x, index=tuple((start, stop - start, 1) if k == axis else (0, n, 1) for k, n in enumerate(x.shape)))


def step(x: Any, axis: int) -> Any:
    """x[1:] - x[:-1] along an axis; of booleans, whether they differ."""
    n = x.shape[axis]
    later, earlier = along(x, axis, 1, max(n, 1)), along(x, axis, 0, max(n - 1, 0))
    return np.not_equal(later, earlier) if x.dtype.kind == "b" else later - earlier


@implements(np.diff)
def diff(
    a: ArrayLike, n: int = 1, axis: SupportsIndex = -1, prepend: ArrayLike = NOT_GIVEN, append: ArrayLike = NOT_GIVEN
) -> Any:
    """The n-th differences x[i+1] - x[i] along an axis, of the array with `prepend` and `append` joined to it.

    Raises ValueError for a negative n, and for an array without axes.

    >>> diff(np.array([1.0, 4.0, 9.0, 16.0]), n=2)
    array([2., 2.])
    """
    a = asarray(a)
    if n == 0:
        return a
    if n < 0:
        raise ValueError(f"diff: order must be non-negative but got {n}")
    if not a.shape:
        raise ValueError("diff requires input that is at least one dimensional; a number was given")
    k = axis_index(axis, len(a.shape))
    parts = [a if x is a else border(x, a.shape, k) for x in (prepend, a, append) if x is not NOT_GIVEN]
    if len(parts) > 1:
        a = concatenate(*promote(*parts), axis=k)
    for _ in range(n):
        a = step(a, k)
    return a


def border(x: Any, shape: tuple[int, ...], axis: int) -> Any:
    """What is joined to an array of the given shape along an axis; a number stands for a layer of it."""
    x = asarray(x)
    layer = (*shape[:axis], 1, *shape[axis + 1 :])
    if not x.shape:
        return broadcast_to(x, layer)
    if len(x.shape) != len(shape) or without(x.shape, (axis,)) != without(shape, (axis,)):
        raise ValueError(f"diff: an array of shape {x.shape} cannot be joined to {shape} along axis {axis}")
    return x


@implements(np.ediff1d)
def ediff1d(ary: ArrayLike, to_end: ArrayLike | None = None, to_begin: ArrayLike | None = None) -> Any:
    """The differences of neighbouring entries, in C order, with `to_begin` before them and `to_end` after.

    Raises TypeError if these cannot be converted to the array's dtype.

    >>> ediff1d(np.array([1.0, 2.0, 4.0]), to_begin=-1.0)
    array([-1.,  1.,  2.])
    """
    x = asarray(ary)
    x = reshape(x, shape=(x.size,))
    before = [] if to_begin is None else [end("to_begin", to_begin, x.dtype)]
    after = [] if to_end is None else [end("to_end", to_end, x.dtype)]
    parts = [*before, step(x, 0), *after]
    return parts[0] if len(parts) == 1 else concatenate(*parts, axis=0)


def end(name: str, x: Any, dtype: np.dtype) -> Any:
    """An array to be joined, as a vector in the dtype."""
    x = asarray(x)
    if not np.can_cast(x.dtype, dtype, casting="same_kind"):
        raise TypeError(f"ediff1d: {name} has dtype {x.dtype}, which cannot be converted to {dtype}, the array's")
    return as_dtype(reshape(x, shape=(x.size,)), dtype)


@implements(np.trapezoid)
def trapezoid(y: ArrayLike, x: Any = None, dx: ArrayLike = 1.0, axis: SupportsIndex = -1) -> Any:
    """The integral of samples along an axis by the trapezoidal rule, sum d_i (y_i + y_(i+1)) / 2, d_i = x_(i+1) - x_i.

    >>> import xform
    >>> xform.grad(trapezoid)(np.array([1.0, 2.0, 3.0]))
    array([0.5, 1. , 0.5])
    """
    y = asarray(y)
    k = axis_index(axis, len(y.shape))
    if x is None:
        d = asarray(dx) if isinstance(dx, Sequence) else dx
    else:
        x = asarray(x)
        d = step(x, axis_index(axis, len(x.shape)) if len(x.shape) != 1 else 0)
        if len(x.shape) == 1:
            d = reshape(d, shape=(*(1,) * k, d.size, *(1,) * (len(y.shape) - k - 1)))
    n = y.shape[k]
    z = d * (along(y, k, 1, max(n, 1)) + along(y, k, 0, max(n - 1, 0))) / 2.0
    return reduce_sum(z, axes=(axis_index(axis, len(z.shape)),))
