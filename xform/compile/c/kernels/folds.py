"""Reductions that are no loop over slices: extremes of complex numbers, which no vector unit has, and over no axis."""

from __future__ import annotations

import math
from collections.abc import Sequence

from xform.compile.c.kernels.lanes import over_entries, rooms
from xform.compile.c.kernels.recurrences import text_of
from xform.compile.c.text.emit import Emitter
from xform.compile.c.text.scalars import REDUCTIONS
from xform.compile.c.text.values import Value, View
from xform.core.jaxpr import Eqn
from xform.ops.c_text import cast


def whole(emit: Emitter, eqn: Eqn, args: Sequence[Value], places: Sequence[View | None]) -> list[Value] | None:
    x, out = eqn.inputs[0].aval, eqn.outputs[0].aval
    if not eqn.params["axes"]:
        return unreduced(emit, eqn, args, places)
    if REDUCTIONS[eqn.prim.name] not in ("max", "min") or x.dtype.kind != "c" or not math.prod(out.shape):
        return None
    view = emit.view(args[0])
    for axis in sorted(eqn.params["axes"], reverse=True):
        view = folded(emit, view, axis, REDUCTIONS[eqn.prim.name])
    return [view]


def unreduced(emit: Emitter, eqn: Eqn, args: Sequence[Value], places: Sequence[View | None]) -> list[Value]:
    """Each entry is the sum, or the truth, of itself."""
    old, new = eqn.inputs[0].aval.dtype, eqn.outputs[0].aval.dtype
    if old == new:
        return [args[0]]
    outs = rooms(emit, eqn, places)
    over_entries(emit, [emit.view(args[0]), *outs], lambda x, y: emit.line(f"{y} = {cast(f'({x})', old, new)};"))
    return list(outs)


def folded(emit: Emitter, x: View, axis: int, name: str) -> View:
    """The first slice along the axis, and all the others combined into it one after the other."""
    combine = text_of(name, x.dtype)
    first = x.index(axis, 0)
    out = emit.buffer(first.shape, x.dtype)
    emit.copy(out, first)
    with emit.loop(x.shape[axis] - 1) as k:
        emit.serialize()
        now = emit.name("i")
        emit.line(f"const long {now} = {k} + 1;")
        over_entries(emit, [out, x.index(axis, now)], lambda y, a: emit.line(f"{y} = {combine(y, a)};"))
    return out
