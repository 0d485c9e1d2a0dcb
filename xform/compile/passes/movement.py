"""Entries that are moved twice are moved once; what is put together and taken apart again is not put together.

reshape of reshape, transpose of transpose, broadcast of broadcast, slice of slice     one of them
slice of a concatenation, a stack, a pad, that meets one piece of it                   slice of the piece
reads at known places (gather, dynamic_slice)                                          slice
transpose, broadcast, reduction of axes of size one                                    reshape
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from xform.compile.passes.rewriting import Rewriting
from xform.core.jaxpr import Atom, Eqn, Literal
from xform.core.primitive import Primitive
from xform.ops import structure as st
from xform.ops.indexing.dynamic import clamp, dynamic_pad, dynamic_slice
from xform.ops.indexing.index import gather
from xform.ops.reduce import reduce_max, reduce_min, reduce_prod
from xform.ops.stack import stack

Found = Sequence[Atom] | None


def reshaped(p: Rewriting, eqn: Eqn) -> Found:
    (x,), shape = eqn.inputs, eqn.params["shape"]
    if x.aval.shape == shape and not x.aval.weak:
        return [x]
    inner = p.maker(x, st.reshape)
    return [p.make(eqn, st.reshape, inner.inputs[0], shape=shape)] if inner else None


def transposed(p: Rewriting, eqn: Eqn) -> Found:
    (x,), permutation = eqn.inputs, eqn.params["permutation"]
    if permutation == tuple(range(len(permutation))):
        return [x]
    long = [k for k in permutation if x.aval.shape[k] != 1]
    if long == sorted(long):  # the order in memory stays
        return [p.make(eqn, st.reshape, x, shape=eqn.outputs[0].aval.shape)]
    inner = p.maker(x, st.transpose)
    if inner:
        composed = tuple(inner.params["permutation"][k] for k in permutation)
        return [p.make(eqn, st.transpose, inner.inputs[0], permutation=composed)]
    return None


def broadcasted(p: Rewriting, eqn: Eqn) -> Found:
    (x,), shape, axes = eqn.inputs, eqn.params["shape"], eqn.params["axes"]
    if not axes and not x.aval.weak:
        return [x]
    if all(shape[k] == 1 for k in axes) and type(x) is not Literal:
        return [p.make(eqn, st.reshape, x, shape=shape)]
    inner = p.maker(x, st.broadcast)
    if inner:
        kept = [k for k in range(len(shape)) if k not in axes]
        added = sorted({*axes, *(kept[k] for k in inner.params["axes"])})
        return [p.make(eqn, st.broadcast, inner.inputs[0], shape=shape, axes=tuple(added))]
    return None


def reduced(p: Rewriting, eqn: Eqn) -> Found:
    """The sum, the product, the greatest of one entry is that entry."""
    (x,), axes = eqn.inputs, eqn.params["axes"]
    if all(x.aval.shape[k] == 1 for k in axes) and x.aval == eqn.outputs[0].aval.with_shape(x.aval.shape):
        return [p.make(eqn, st.reshape, x, shape=eqn.outputs[0].aval.shape)]
    return None


def sliced(p: Rewriting, eqn: Eqn) -> Found:
    (x,), index = eqn.inputs, eqn.params["index"]
    if all(entry == (0, n, 1) for entry, n in zip(index, x.aval.shape, strict=True)):
        return [x]
    source = p.made.get(x)
    if source is None or any(entry < 0 for entry in index if isinstance(entry, int)):
        return None
    rule = SLICED.get(source.prim)
    return rule(p, eqn, source, index) if rule else None


def slice_of_slice(p: Rewriting, eqn: Eqn, source: Eqn, index: st.Region) -> Found:
    outer, whole = iter(index), []
    for entry in source.params["index"]:
        if isinstance(entry, int):
            if entry < 0:
                return None
            whole.append(entry)
        else:
            whole.append(within(entry, next(outer)))
    return [p.make(eqn, st.slice_, source.inputs[0], index=tuple(whole))]


def within(entry: tuple[int, int, int], part: Any) -> Any:
    """The places start + step k of one axis, for those k that a part of them names."""
    start, _, step = entry
    if isinstance(part, int):
        return start + step * part
    return start + step * part[0], part[1], step * part[2]


def slice_of_pad(p: Rewriting, eqn: Eqn, source: Eqn, index: st.Region) -> Found:
    return [source.inputs[0]] if index == source.params["index"] else None


def slice_of_concatenate(p: Rewriting, eqn: Eqn, source: Eqn, index: st.Region) -> Found:
    """All places lie in one operand of the dtype of the result."""
    axis = source.params["axis"]
    entry = index[axis]
    first, last = (entry, entry) if isinstance(entry, int) else (entry[0], entry[0] + (entry[1] - 1) * entry[2])
    if not isinstance(entry, int) and entry[1] < 1:
        return None
    start = 0
    for x in source.inputs:
        stop = start + x.aval.shape[axis]
        if start <= min(first, last) and max(first, last) < stop:
            moved = entry - start if isinstance(entry, int) else (entry[0] - start, *entry[1:])
            region = (*index[:axis], moved, *index[axis + 1 :])
            same = x.aval.dtype == eqn.outputs[0].aval.dtype
            return [p.make(eqn, st.slice_, x, index=region)] if same else None
        start = stop
    return None


def slice_of_stack(p: Rewriting, eqn: Eqn, source: Eqn, index: st.Region) -> Found:
    axis = source.params["axis"]
    k = index[axis]
    if not isinstance(k, int) or source.inputs[k].aval.dtype != eqn.outputs[0].aval.dtype:
        return None
    rest = (*index[:axis], *index[axis + 1 :])
    return [p.make(eqn, st.slice_, source.inputs[k], index=rest)] if rest else [source.inputs[k]]


def slice_of_broadcast(p: Rewriting, eqn: Eqn, source: Eqn, index: st.Region) -> Found:
    """A part of what is repeated is a part that is repeated."""
    (x,), axes = source.inputs, source.params["axes"]
    if type(x) is Literal:
        return None
    own = tuple(entry for k, entry in enumerate(index) if k not in axes)
    kept = [k for k, entry in enumerate(index) if not isinstance(entry, int)]
    added = tuple(j for j, k in enumerate(kept) if k in axes)
    part = p.make(eqn, st.slice_, x, index=own) if own else x
    return [p.make(eqn, st.broadcast, part, shape=eqn.outputs[0].aval.shape, axes=added)]


SLICED: dict[Primitive, Any] = {
    st.slice_: slice_of_slice,
    st.pad: slice_of_pad,
    st.concatenate: slice_of_concatenate,
    stack: slice_of_stack,
    st.broadcast: slice_of_broadcast,
}


def joined(p: Rewriting, eqn: Eqn) -> Found:
    """A concatenation of one operand is this."""
    (x, *others) = eqn.inputs
    return [x] if not others and x.aval == eqn.outputs[0].aval and not x.aval.weak else None


def gathered(p: Rewriting, eqn: Eqn) -> Found:
    """Reads at known places in constant steps are a slice."""
    x, *indices = eqn.inputs
    axes, at = eqn.params["axes"], eqn.params["at"]
    places = p.value(indices[0])
    if len(indices) > 1 or places is None or np.ndim(places) > 1 or None in x.aval.shape:
        return None
    n, (axis,) = x.aval.shape[axes[0]], axes
    entry = progression(np.asarray(places), n)
    if entry is None or (not isinstance(entry, int) and at != axis):
        return None
    return [p.make(eqn, st.slice_, x, index=with_entries(x, {axis: entry}))]


def progression(places: np.ndarray, n: int) -> Any:
    """An index (or constant steps) inside of an axis of n entries as an entry of a region, or None."""
    if not places.size or not -n <= places.min() <= places.max() < n:
        return None
    places = np.where(places < 0, places + n, places)
    if not places.ndim:
        return int(places)
    steps = np.diff(places)
    step = int(steps[0]) if len(steps) else 1
    return (int(places[0]), len(places), step) if step and np.all(steps == step) else None


def with_entries(x: Atom, entries: dict[int, Any]) -> st.Region:
    return tuple(entries.get(k, (0, n, 1)) for k, n in enumerate(x.aval.shape))


def known_region(p: Rewriting, eqn: Eqn) -> Found:
    """A dynamic slice or pad at a known place is a static one."""
    x, *starts = eqn.inputs
    values = [p.value(s) for s in starts]
    whole = x.aval.shape if eqn.prim is dynamic_slice else eqn.params["shape"]
    if any(v is None for v in values) or None in whole:
        return None
    sizes = eqn.params["sizes"] if eqn.prim is dynamic_slice else x.aval.shape
    index = tuple((int(s), n, 1) for s, n in zip(clamp(whole, values, sizes), sizes, strict=True))
    if eqn.prim is dynamic_slice:
        return [p.make(eqn, st.slice_, x, index=index)]
    return [p.make(eqn, st.pad, x, shape=whole, index=index)]


ROWS: dict[Primitive, tuple[Any, ...]] = {
    st.reshape: (reshaped,),
    st.transpose: (transposed,),
    st.broadcast: (broadcasted,),
    st.reduce_sum: (reduced,),
    reduce_max: (reduced,),
    reduce_min: (reduced,),
    reduce_prod: (reduced,),
    st.slice_: (sliced,),
    st.concatenate: (joined,),
    gather: (gathered,),
    dynamic_slice: (known_region,),
    dynamic_pad: (known_region,),
}
