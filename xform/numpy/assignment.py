"""Writing into traced arrays: x[index] = v, x += v, and all that comes down to them.

A tracer that is written into takes over the value of a new tracer, which a scatter computes, so that all who hold it
see the change, as they would see that of an ndarray. Of views it is the root that is written into; the views that are
in use are then made anew. Where nobody else holds the old value, the new one takes its place (`Trace.update`).

Only arrays of the current transformation are written into: a change to one from outside would escape from it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from xform.core.checking import CheckedTrace
from xform.core.errors import TracerAssignmentError
from xform.core.primitive import is_traced
from xform.core.trace import Tracer, alias, assume, check_live, context, emptied
from xform.numpy.creation import astype_of
from xform.numpy.dispatch import asarray, location
from xform.numpy.entries import Entries, fit, mask_of
from xform.numpy.index_plan import Plan, reshaped, whole
from xform.numpy.indexing import basic
from xform.numpy.views import View, is_number, live_views, memory_of, remade, root_of, settle, shadow_of
from xform.ops.complex import assemble
from xform.ops.complex import imag as imaginary_part
from xform.ops.complex import real as real_part
from xform.ops.indexing.index import gather
from xform.ops.indexing.scatter import scatter, update_slice
from xform.ops.select import select
from xform.ops.structure import FEW, Region, broadcast_to, region_shape, slice_, transpose
from xform.transforms.tape import Tape


def setitem(x: Tracer, index: Any, value: Any) -> None:
    """x[index] = value, as NumPy does it: broadcast, converted to the dtype of x, seen by all views.

    Raises TracerAssignmentError for an array from outside of the current transformation, and what NumPy raises.
    """
    check_writable(x)
    found = basic(x.shape, index if type(index) is tuple else (index,))
    if found is None:
        write_entries(x, index, converted(value, x))
        return
    if isinstance(value, Tracer) and is_part(x, index, value):  # x[index] += v has written into the part already
        return
    region, shape = found
    v = fit(converted(value, x), shape)
    if isinstance(memory_of(x), View):
        write_part(root_of(x), part_of(x, index), v)
    else:
        store(x, update_slice, (reshaped(v, region_shape(region)),), {"index": region})


def check_writable(x: Tracer) -> None:
    """Raise an error unless `x` is an array of the current transformation that may be written into."""
    trace = context.trace
    while x._trace is not trace:
        if type(trace) not in (CheckedTrace, Tape):
            check_live(x)
            raise TracerAssignmentError(
                f"an array of {x.aval} that belongs to {x._trace.origin} was to be written into inside "
                f"{trace.origin}{location()}: a change to an array from outside would escape from the transformation. "
                "Write into an array that is made inside, y = xform.numpy.copy(x), and return it"
            )
        trace = trace.parent
    if is_number(x):
        raise TypeError(
            f"a traced number of {x.aval} does not support item assignment{location()}; bind the variable to a new "
            "one, or make an array without axes, xform.numpy.array(x)"
        )
    memory = memory_of(x)
    if isinstance(memory, View):
        settle(x)
    if memory is not None and memory.shadow is not None and is_read_only(memory.shadow):
        raise ValueError(
            f"assignment destination is read-only: a view of {x.aval}, as of broadcast_to or diagonal{location()}. "
            "Write into a copy, or into the array of which it is a view"
        )


def is_read_only(shadow: np.ndarray) -> bool:
    """May the view not be written into: by NumPy's will, or because entries of it are one and the same?"""
    repeated = any(n > 1 and not s for n, s in zip(shadow.shape, shadow.strides, strict=True))
    return repeated or not shadow.flags.writeable


def converted(value: Any, x: Tracer) -> Any:
    """The value to be written, in the dtype of `x`; what it shares with others is left to them."""
    v = value if isinstance(value, Tracer | np.ndarray) else asarray(value)
    return v if v.dtype == x.dtype else astype_of(v, x.dtype)


def part_of(x: Tracer, index: Any) -> np.ndarray:
    """The shadow of x[index]."""
    items = index if type(index) is tuple else (index,)
    return shadow_of(x)[items if any(i is Ellipsis for i in items) else (*items, ...)]


def is_part(x: Tracer, index: Any, value: Tracer) -> bool:
    """Is the value the very part of `x` that it is to be written into?"""
    if not isinstance(memory_of(value), View):
        return False
    settle(value)
    if root_of(value) is not root_of(x) or value is x:
        return False
    part, own = part_of(x, index), shadow_of(value)
    return (place(part), part.shape, part.strides) == (place(own), own.shape, own.strides)


def place(shadow: np.ndarray) -> int:
    return shadow.__array_interface__["data"][0]


# --- where ---


def write_entries(x: Tracer, index: Any, v: Any) -> None:
    """x[index] = v where arrays or masks index."""
    mask = mask_of(index)
    if mask is not None and not v.shape and mask.shape == x.shape[: mask.ndim]:
        mask = reshaped(mask, (*mask.shape, *(1,) * (x.ndim - mask.ndim)))
        replace(x, select(mask, broadcast_to(v, x.shape), alias(x)))
        return
    plan = Plan(x.shape, index, static=False)
    if isinstance(memory_of(x), View) or plan.region is not None or plan.inner != x.shape or not plan.indices:
        replace(x, Entries(alias(x), index).set(v))
        return
    if not is_traced(*plan.indices):
        plan.check_range()
    v = reshaped(fit(v, plan.shape), plan.gathered)
    store(x, scatter, (v, *plan.indices), {"axes": plan.axes, "at": plan.at})


def replace(x: Tracer, value: Any) -> None:
    """All entries of `x` become those of a value of its shape and dtype."""
    if isinstance(memory_of(x), View):
        write_part(root_of(x), shadow_of(x), value, (x, value))
        return
    value = alias(value)
    views = live_views(x)
    assume(x, of_trace(x._trace, value))
    remake(views)


def write_part(root: Tracer, part: np.ndarray, v: Any, known: tuple[Any, Any] | None = None) -> None:
    """The entries of `root` that lie where the shadow `part` does become `v`, which has its shape."""
    if not part.size:
        return
    shadow = shadow_of(root)
    offset, odd = divmod(place(part) - place(shadow), shadow.itemsize)
    steps = [s // shadow.itemsize for s in part.strides]
    index: Any = region_of(root.shape, offset, part.shape, steps)
    if index is not None:
        region, order = index
        v = reshaped(v, tuple(n for n in part.shape if n != 1))
        v = v if order == tuple(range(len(order))) else transpose(v, permutation=order)
        prim, places, params = update_slice, (), {"index": region}
    elif part.size == shadow.size and part.flags.c_contiguous:
        region = whole(root.shape)
        prim, places, params, v = update_slice, (), {"index": region}, reshaped(v, root.shape)
    else:
        positions = sum(
            (np.arange(n) * s).reshape(-1, *(1,) * (part.ndim - 1 - k))
            for k, (n, s) in enumerate(zip(part.shape, steps, strict=True))
        )
        places = np.unravel_index(positions + offset, root.shape)
        region, prim, params = None, scatter, {"axes": tuple(range(root.ndim)), "at": 0}
    if part.itemsize < shadow.itemsize:  # the real or the imaginary part of complex entries
        old = slice_(root, index=region) if region is not None else gather(root, *places, **params)
        v = assemble(real_part(old), v) if odd else assemble(v, imaginary_part(old))
        v = v if v.dtype == root.dtype else astype_of(v, root.dtype)
    store(root, prim, (v, *places), params, part, known)


def region_of(
    shape: tuple[int, ...], offset: int, sizes: Sequence[int], steps: Sequence[int]
) -> tuple[Region, tuple[int, ...]] | None:
    """The region of an array whose entries lie at `offset` + sum of k_j steps[j] with k_j < sizes[j], in C order, and
    the order in which the axes with more than one entry, of those sizes, are the region's; None if there is none.
    """
    starts = [int(i) for i in np.unravel_index(offset, shape)] if shape else []
    behind = [math.prod(shape[k + 1 :]) for k in range(len(shape))]
    entries: list[Any] = list(starts)
    axes: list[int] = []
    for n, step in zip(sizes, steps, strict=True):
        if n == 1:
            continue
        for k, b in enumerate(behind):
            if type(entries[k]) is int and step % b == 0 and 0 <= starts[k] + step // b * (n - 1) < shape[k]:
                entries[k] = (starts[k], n, step // b)
                axes.append(k)
                break
        else:
            return None
    return tuple(entries), tuple(sorted(range(len(axes)), key=axes.__getitem__))


# --- the write itself ---


def store(
    root: Tracer,
    prim: Any,
    operands: tuple[Any, ...],
    params: dict[str, Any],
    part: np.ndarray | None = None,
    known: tuple[Any, Any] | None = None,
) -> None:
    """Apply a change to some entries, those in the memory `part` if it is known, of an array that is no view.

    The views that are in use let go of the old value, so that nobody else holds it, and are made anew. Of one of them
    the new value may be known.
    """
    operands = tuple(alias(v) if v is root or memory_of(v) is not None else v for v in operands)
    views = live_views(root)
    if part is not None and views:
        views = [z for z in views if FEW * z.size > root.size or np.may_share_memory(shadow_of(z), part)]
    for z in views:
        emptied(z)
    held: list[Any] = [emptied(root)]
    try:
        new = of_trace(root._trace, context.trace.update(prim, held, operands, params))
    except BaseException:
        assume(root, held[0])
        remake(views)
        raise
    assume(root, new)
    remake(views, known)


def of_trace(trace: Any, new: Any) -> Tracer:
    """A value as one of this trace; an error for one of a transformation inside of it."""
    if isinstance(new, Tracer) and new._trace is trace:
        return new
    if isinstance(new, Tracer) and type(new._trace) is Tape:
        raise TracerAssignmentError(
            f"a tangent of {new.aval} was to be written into an array that is none{location()}. Make the array from "
            "tangents, or with xform.numpy.zeros_like inside the rule"
        )
    return trace.constant(new)


def remake(views: Sequence[Tracer], known: tuple[Any, Any] | None = None) -> None:
    """Make views anew, each after that of which it was made."""
    for z in views:
        value = known[1] if known is not None and z is known[0] else remade(z)
        assume(z, of_trace(z._trace, value))
