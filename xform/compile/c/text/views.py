"""Operations that only look at memory in another way: a view of the operand with other strides, as in NumPy."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from xform.compile.c.text.values import View, c_strides, without
from xform.ops.structure import region_shape


def broadcast(x: View, *, shape: Any, axes: Any) -> View:
    strides = iter(x.strides)
    return x.like(shape, [0 if k in axes else next(strides) for k in range(len(shape))])


def transpose(x: View, *, permutation: Any) -> View:
    return x.like([x.shape[k] for k in permutation], [x.strides[k] for k in permutation])


def slice_(x: View, *, index: Any) -> View:
    offset, strides = x.offset, []
    for entry, n, stride in zip(index, x.shape, x.strides, strict=True):
        if isinstance(entry, int):
            offset = offset.plus(entry % n, stride)
        else:
            offset = offset.plus(entry[0], stride)
            strides.append(entry[2] * stride)
    return x.like(region_shape(index), strides, offset)


def reshape(x: View, *, shape: Any) -> View | None:
    """None if the entries are not where the new shape needs them."""
    if x.contiguous:
        return x.like(shape, c_strides(shape))
    merged = [(n, s) for n, s in zip(x.shape, x.strides, strict=True) if n != 1]
    return regrouped(x, merged, shape)


def regrouped(x: View, axes: list[tuple[int, int]], shape: Any) -> View | None:
    """Each run of old axes that holds as many entries as a run of new ones must have one stride."""
    strides, k, sizes = [], 0, list(shape)
    while k < len(sizes):
        if sizes[k] == 1:
            strides.append(0)
            k += 1
            continue
        if not axes:
            return None
        n, stride = axes.pop(0)
        size, first = sizes[k], k
        while n != size:
            if n < size:
                if not axes or stride != axes[0][0] * axes[0][1]:
                    return None
                m, stride = axes.pop(0)
                n *= m
            else:
                k += 1
                if k == len(sizes):
                    return None
                size *= sizes[k]
        strides += [s * stride for s in c_strides(sizes[first : k + 1])]
        k += 1
    return x.like(shape, strides)


#: of primitives that have one operand
VIEWS: dict[str, Callable[..., View | None]] = {
    "broadcast": broadcast,
    "transpose": transpose,
    "slice": slice_,
    "reshape": reshape,
    "stop_gradient": lambda x: x,
    "name": lambda x, **_: x,
    "pos": lambda x: x,
}


def reversed_along(x: View, axis: int) -> View:
    n, stride = x.shape[axis], x.strides[axis]
    strides = (*x.strides[:axis], -stride, *without(x.strides[axis:], 0))
    return x.like(x.shape, strides, x.offset.plus(n - 1, stride))
