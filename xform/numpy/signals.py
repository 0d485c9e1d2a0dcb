"""NumPy's functions that mend sampled signals, where the values decide what is done: unwrap, trim_zeros."""

from __future__ import annotations

from typing import Any, SupportsIndex

import numpy as np

from xform.core.trace import concrete_or_raise
from xform.numpy.axes import Axes, axis_index, axis_tuple
from xform.numpy.dispatch import ArrayLike, as_dtype, asarray, implements
from xform.numpy.joining import section
from xform.ops.cumulative import cumsum
from xform.ops.select import select
from xform.ops.structure import concatenate


@implements(np.unwrap)
def unwrap(p: ArrayLike, discont: float | None = None, axis: SupportsIndex = -1, *, period: float = 2 * np.pi) -> Any:
    """The signal without jumps: where neighbours differ by `discont` or more, multiples of the period are added.

    They are constant almost everywhere, so that the derivative is that of `p`. Half a period is the least `discont`,
    and the default.

    >>> import xform
    >>> xform.grad(lambda p: unwrap(p)[2])(np.array([3.0, -3.0, -2.5]))
    array([0., 0., 1.])
    """
    p = asarray(p)
    axis = axis_index(axis, p.ndim)
    n = p.shape[axis]
    first, rest = section(p, 0, min(n, 1), axis), section(p, 1, n, axis)
    step = rest - section(p, 0, max(n - 1, 0), axis)
    dtype = np.result_type(step.dtype, period)
    half, odd = np.divmod(period, 2) if dtype.kind in "iu" else (period / 2, 0)
    turns = np.floor_divide(step + half, period)  # an integer, without a derivative
    if not odd:  # of the two ways of half a period, the one that the signal takes
        halves = np.logical_and(np.equal(np.remainder(step + half, period), 0), np.greater(step, 0))
        turns = turns - halves
    turns = select(np.less(np.abs(step), period / 2 if discont is None else discont), 0, turns)
    correction = cumsum(as_dtype(turns, dtype), axis=axis, reverse=False) * period
    return concatenate(as_dtype(first, dtype), as_dtype(rest, dtype) - correction, axis=axis)


@implements(np.trim_zeros)
def trim_zeros(filt: ArrayLike, trim: str = "fb", axis: Axes = None) -> Any:
    """The array without the zeros at its front ("f") and back ("b"), along an axis or along all.

    Raises ConcretizationError where the values, which decide on the shape, are not known (vmap, make_jaxpr).

    >>> import xform
    >>> xform.grad(lambda x: trim_zeros(x)[0])(np.array([0.0, 2.0, 0.0]))
    array([0., 1., 0.])
    """
    x = asarray(filt)
    if not set(trim.lower()) <= {"f", "b"} or len(set(trim.lower())) != len(trim) or not trim:
        raise ValueError(f"unexpected character(s) in `trim`: {trim!r}; wanted 'f', 'b' or 'fb'")
    value = concrete_or_raise(x, "trim_zeros", "Write x[start:stop] with a start and stop that are not traced")
    found = np.nonzero(value)
    for k in axis_tuple(axis, x.ndim):
        start = int(found[k].min()) if found[k].size else 0
        stop = int(found[k].max()) + 1 if found[k].size else 0
        front, back = "f" in trim.lower() or not found[k].size, "b" in trim.lower() or not found[k].size
        x = section(x, start if front else 0, stop if back else x.shape[k], k)
    return x
