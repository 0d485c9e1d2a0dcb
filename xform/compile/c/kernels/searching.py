"""searchsorted: bisection of a sorted row, of which the steps are known when the program is written.

A row of n entries is halved while it has more than one, whatever the outcome; an outcome only moves the start. So the
searches of a loop are taken several at a time.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from xform.compile.c.kernels.lanes import over_entries, rooms
from xform.compile.c.kernels.orders import less
from xform.compile.c.text.emit import Emitter
from xform.compile.c.text.values import Scalars, Value, View, as_entries
from xform.core.jaxpr import Eqn
from xform.ops.c_text import cast

_TRUTH, _PLACE = np.dtype(bool), np.dtype(np.intp)


def whole(emit: Emitter, eqn: Eqn, args: Sequence[Value], places: Sequence[View | None]) -> list[Value]:
    a, v = eqn.inputs[0].aval, eqn.inputs[1].aval
    common, side = np.result_type(a.dtype, v.dtype), eqn.params["side"]
    table = converted(emit, emit.view(args[0]), common)
    if not v.shape:
        key = emit.let(common, cast(emit.text(emit.scalars(args[1]).entries[()], v.dtype), v.dtype, common))
        return [Scalars(as_entries(emit.let(_PLACE, place(emit, table, key, side))), _PLACE)]
    (out,) = rooms(emit, eqn, places)

    def search(table: View, values: View, result: View) -> None:
        if len(table.shape) > 1:
            with emit.loop(table.shape[0]) as i:
                search(table.index(0, i), values.index(0, i), result.index(0, i))
            return

        def do(value: str, target: str) -> None:
            key = emit.let(common, cast(f"({value})", v.dtype, common))
            emit.line(f"{target} = {place(emit, table, key, side)};")

        over_entries(emit, [values, result], do)

    search(table, emit.view(args[1]), out)
    return [out]


def converted(emit: Emitter, x: View, dtype: np.dtype) -> View:
    """The array in another dtype."""
    if x.dtype == dtype:
        return x
    out = emit.buffer(x.shape, dtype)
    over_entries(emit, [x, out], lambda a, b: emit.line(f"{b} = {cast(f'({a})', x.dtype, dtype)};"))
    return out


def place(emit: Emitter, table: View, key: str, side: str) -> str:
    """How many entries of a row come before the key, or do not come after it."""
    n, step, dtype = table.shape[0], table.strides[0], table.dtype
    if not n:
        return "0"
    start: int | str = 0
    left = n

    def goes_on(offset: int) -> str:
        there = table.offset.plus(start, step).plus(offset, step)
        entry = emit.let(dtype, table.like((), (), there).entry())
        text = less(entry, key, dtype) if side == "left" else f"!({less(key, entry, dtype)})"
        return emit.let(_TRUTH, text)

    while left > 1:
        half = left // 2
        start = emit.let(_PLACE, f"{start} + ({goes_on(half - 1)} ? {half} : 0)")
        left -= half
    return f"{start} + {goes_on(0)}"
