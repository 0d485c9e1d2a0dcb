"""NumPy's extremes over any axes, their difference, and where they are.

Entries that attain an extreme share its derivative evenly. A mask replaces what it leaves out by an entry that never
wins, and `initial` is one more entry.
"""

from __future__ import annotations

import math
from typing import Any, SupportsIndex

import numpy as np

from xform.numpy.axes import (
    NOT_GIVEN,
    Axes,
    axis_index,
    highest,
    initial_value,
    is_masked,
    keep_dims,
    lowest,
    masked,
    no_identity,
    reduced_axes,
    wants_dims,
)
from xform.numpy.dispatch import ArrayLike, asarray, implements, reject
from xform.ops.arithmetic import maximum, minimum
from xform.ops.reduce import argmax as reduce_argmax
from xform.ops.reduce import argmin as reduce_argmin
from xform.ops.reduce import reduce_max, reduce_min
from xform.ops.structure import broadcast_to, reshape, without


@implements(np.max, np.amax)
def max(
    a: ArrayLike,
    axis: Axes = None,
    out: None = None,
    keepdims: bool = NOT_GIVEN,
    initial: ArrayLike = NOT_GIVEN,
    where: ArrayLike = NOT_GIVEN,
) -> Any:
    """The largest entry along axes, nan if there is one; entries that attain it share the derivative evenly.

    Raises ValueError if there are no entries and no `initial`, or if `where` is given without `initial`.

    >>> import xform
    >>> xform.grad(max)(np.array([1.0, 3.0, 3.0]))
    array([0. , 0.5, 0.5])
    """
    return extreme("max", reduce_max, maximum, lowest, a, axis, out, keepdims, initial, where)


@implements(np.min, np.amin)
def min(
    a: ArrayLike,
    axis: Axes = None,
    out: None = None,
    keepdims: bool = NOT_GIVEN,
    initial: ArrayLike = NOT_GIVEN,
    where: ArrayLike = NOT_GIVEN,
) -> Any:
    """The smallest entry along axes, nan if there is one; entries that attain it share the derivative evenly.

    Raises ValueError if there are no entries and no `initial`, or if `where` is given without `initial`.

    >>> import xform
    >>> xform.grad(min)(np.array([4.0, 1.0, 3.0]))
    array([0., 1., 0.])
    """
    return extreme("min", reduce_min, minimum, highest, a, axis, out, keepdims, initial, where)


def extreme(
    name: str,
    prim: Any,
    combine: Any,
    worst: Any,
    a: Any,
    axis: Any,
    out: Any,
    keepdims: Any,
    initial: Any,
    where: Any,
) -> Any:
    """A maximum or minimum with NumPy's options; `worst` says which entry of a dtype never wins."""
    a = asarray(a)
    if out is not None:
        reject(name, out=out)
    shape = a.shape
    axes = reduced_axes(axis, len(shape))
    has_initial = initial is not NOT_GIVEN and initial is not None
    if is_masked(where):
        if not has_initial:
            raise no_identity(name)
        a = masked(a, where, worst(a.dtype))
    if not has_initial:
        y = prim(a, axes=axes)
    elif math.prod(shape[k] for k in axes):
        y = combine(prim(a, axes=axes), initial_value(initial, a.dtype))
    else:
        y = broadcast_to(initial_value(initial, a.dtype), without(shape, axes))
    return keep_dims(y, shape, axes) if wants_dims(keepdims) else y


amax, amin = max, min


@implements(np.ptp)
def ptp(a: ArrayLike, axis: Axes = None, out: None = None, keepdims: bool = NOT_GIVEN) -> Any:
    """The range of values along axes, max - min (peak to peak), with the derivatives and errors of these two.

    >>> import xform
    >>> xform.grad(ptp)(np.array([4.0, 1.0, 3.0]))
    array([ 1., -1.,  0.])
    """
    a = asarray(a)
    reject("ptp", out=out)
    axes = reduced_axes(axis, a.ndim)
    y = reduce_max(a, axes=axes) - reduce_min(a, axes=axes)
    return keep_dims(y, a.shape, axes) if wants_dims(keepdims) else y


@implements(np.argmax)
def argmax(a: ArrayLike, axis: SupportsIndex | None = None, out: None = None, *, keepdims: bool = NOT_GIVEN) -> Any:
    """The index of the first entry along an axis that is the largest, or nan; an integer, which has no derivative.

    Without an axis it is the position in the flattened array. Raises ValueError if there are no entries.

    >>> argmax(np.array([1.0, 3.0, 3.0]))
    np.int64(1)
    """
    return position("argmax", reduce_argmax, a, axis, out, keepdims)


@implements(np.argmin)
def argmin(a: ArrayLike, axis: SupportsIndex | None = None, out: None = None, *, keepdims: bool = NOT_GIVEN) -> Any:
    """The index of the first entry along an axis that is the smallest, or nan; an integer, which has no derivative.

    Without an axis it is the position in the flattened array. Raises ValueError if there are no entries.

    >>> argmin(np.array([2.0, 1.0, 1.0]))
    np.int64(1)
    """
    return position("argmin", reduce_argmin, a, axis, out, keepdims)


def position(name: str, prim: Any, a: Any, axis: Any, out: Any, keepdims: Any) -> Any:
    a = asarray(a)
    if out is not None:
        reject(name, out=out)
    shape = a.shape
    if len(shape) == 1 and axis is None:
        y, axes = prim(a, axis=0), (0,)
    elif axis is None or (not shape and reduced_axes(axis, 0) == ()):
        y, axes = prim(reshape(a, shape=(math.prod(shape),)), axis=0), tuple(range(len(shape)))
    else:
        k = axis_index(axis, len(shape))
        y, axes = prim(a, axis=k), (k,)
    return keep_dims(y, shape, axes) if wants_dims(keepdims) else y
