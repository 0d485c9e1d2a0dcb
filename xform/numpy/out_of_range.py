"""What an index array means where it points out of range: the nearest entry, or none."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from xform.numpy.index_plan import Plan, reshaped
from xform.ops.indexing.index import gather
from xform.ops.select import select
from xform.ops.structure import broadcast_to, concatenate, slice_


def clip_indices(plan: Plan) -> Plan:
    """The plan that takes the first or last entry instead of one before or behind."""
    sizes = [plan.inner[a] for a in plan.axes]
    return plan.replace(
        np.minimum(np.maximum(from_front(i, n), 0), n - 1) for i, n in zip(plan.indices, sizes, strict=True)
    )


def read_or_fill(x: Any, plan: Plan, fill_value: Any) -> Any:
    """x[index], and `fill_value` where there is no such entry."""
    x = plan.narrow(x)
    blank = np.asarray(default_fill(x.dtype) if fill_value is None else fill_value, x.dtype)
    if any(x.shape[a] == 0 for a in plan.axes):
        return broadcast_to(blank, plan.shape)
    if plan.indices:
        there = exists(plan)
        y = gather(x, *(select(there, i, 0) for i in plan.indices), axes=plan.axes, at=plan.at)
        behind = y.ndim - plan.at - there.ndim
        x = select(reshaped(there, (*there.shape, *(1,) * behind)), y, blank)
    return reshaped(x, plan.shape)


def with_spare_entry(x: Any, v: Any, plan: Plan, scattered: Callable[..., Any]) -> Any:
    """`scattered` of those values whose entries exist; the others go to a spare entry, which is cut off in the end."""
    axis, *others = plan.axes
    if any(x.shape[a] == 0 for a in others):
        return x
    spare = np.ones((*x.shape[:axis], 1, *x.shape[axis + 1 :]), x.dtype)
    there, n = exists(plan), x.shape[axis]
    first, *rest = plan.indices
    first = select(there, from_front(first, n), n)
    indices = [first, *(select(there, i, 0) for i in rest)]
    new = plan.replace(indices).apply(scattered, concatenate(x, spare, axis=axis), v)
    return slice_(new, index=tuple((0, m, 1) for m in x.shape))


def exists(plan: Plan) -> Any:
    """Which entries of the block are in range?"""
    there: Any = np.True_
    for i, a in zip(plan.indices, plan.axes, strict=True):
        n = plan.inner[a]
        there = there & (i >= -n) & (i < n)
    return there


def from_front(i: Any, size: int) -> Any:
    """An index that may count from the end as one that counts from the front."""
    return select(i < 0, i + size, i)


def default_fill(dtype: np.dtype) -> Any:
    """nan, the least signed integer, the largest unsigned one, True: as unlikely a value as the dtype has."""
    if dtype.kind in "iu":
        return np.iinfo(dtype).min if dtype.kind == "i" else np.iinfo(dtype).max
    return dtype.kind == "b" or np.nan
