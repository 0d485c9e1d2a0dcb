"""Reading entries, x[index], with every kind of index that NumPy has.

The frequent ones, of integers, slices and new axes, are a region and a shape; the others go by way of a `Plan`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from xform.core.trace import Tracer, context
from xform.numpy.index_plan import Plan, reshaped, slice_entry, whole
from xform.numpy.views import Part, linked
from xform.ops.structure import Region, slice_

INTEGERS = (int, np.int64)
BASIC = (int, np.int64, slice)


def getitem(x: Any, index: Any) -> Any:
    """x[index] with every kind of index that NumPy has, where `x`, or integers in the index, may be traced.

    Raises IndexError as NumPy does, also for an index that is out of range, and TypeError for a slice of non-integers.

    >>> import numpy as np
    >>> getitem(np.arange(12).reshape(3, 4), (slice(None), [0, -1]))
    array([[ 0,  3],
           [ 4,  7],
           [ 8, 11]])
    """
    kind, shape = type(index), x.shape
    if kind is int and shape and -shape[0] <= index < shape[0]:
        region = (index if index >= 0 else index + shape[0],)
        if len(shape) == 1:
            return context.trace.process(slice_, (x,), {"index": region})[0]
        row = context.trace.process(slice_, (x,), {"index": region + whole(shape[1:])})[0]
        return linked(row, x, Part, index) if isinstance(x, Tracer) else row
    if kind is slice and shape:
        entry = slice_entry(index, shape[0])
        if entry == (0, shape[0], 1):
            return x
        region = (entry, *whole(shape[1:])) if len(shape) > 1 else (entry,)
        y = context.trace.process(slice_, (x,), {"index": region})[0]
        return linked(y, x, Part, index) if isinstance(x, Tracer) else y
    if kind is np.ndarray and index.dtype.kind == "i" and index.ndim and shape:
        return Plan.of_array(shape, index).read(x)
    found = basic(shape, index if kind is tuple else (index,))
    if found is None:
        return Plan(shape, index).read(x)
    region, result = found
    y = x if region == whole(shape) else context.trace.process(slice_, (x,), {"index": region})[0]
    y = reshaped(y, result)
    if not result and not (kind is tuple and any(i is Ellipsis for i in index)):  # a single entry is a number
        return y
    return linked(y, x, Part, index) if isinstance(x, Tracer) else y


def basic(shape: tuple[int, ...], items: tuple[Any, ...]) -> tuple[Region, tuple[int, ...]] | None:
    """Region and shape of the result for valid integers, slices, new axes and an ellipsis; None if there is more."""
    region: list[Any] = [(0, n, 1) for n in shape]
    result: list[int] = []
    axis = 0
    for k, item in enumerate(items):
        if item is None:
            result.append(1)
        elif item is Ellipsis:
            end = len(shape) - sum(type(i) in BASIC for i in items[k + 1 :])
            if end < axis or any(i is Ellipsis for i in items[:k]):
                return None
            result.extend(shape[axis:end])
            axis = end
        elif axis >= len(shape):
            return None
        elif type(item) is slice:
            region[axis] = slice_entry(item, shape[axis])
            result.append(region[axis][1])
            axis += 1
        elif type(item) in INTEGERS and -shape[axis] <= item < shape[axis]:
            region[axis] = int(item) % shape[axis]
            axis += 1
        else:
            return None
    result.extend(shape[axis:])
    return tuple(region), tuple(result)


def iterate(x: Tracer) -> Iterator[Any]:
    if not x.shape:
        raise TypeError(f"iteration over a 0-d array: a traced value of {x.aval} is a single number")
    return (getitem(x, i) for i in range(x.shape[0]))


Tracer.__getitem__ = getitem  # type: ignore[attr-defined]
Tracer.__iter__ = iterate  # type: ignore[attr-defined]
