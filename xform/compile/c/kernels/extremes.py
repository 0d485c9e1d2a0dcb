"""argmax and argmin: where the first of the largest (smallest) entries is, or the first nan.

A short row is a chain of choices in registers, rows that lie across memory are compared entry by entry with the best so
far, and a long row has sixteen bests, each of every sixteenth entry, of which the first extreme is chosen in the end.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from xform.compile.c.kernels.lanes import define, over_entries, over_lanes, rooms, start_of
from xform.compile.c.kernels.orders import beats
from xform.compile.c.kernels.sizes import NETWORK
from xform.compile.c.text.emit import Emitter
from xform.compile.c.text.helpers import instance
from xform.compile.c.text.values import Scalars, Value, View
from xform.core.aval import Aval
from xform.core.jaxpr import Eqn
from xform.ops.c_text import key_of, short_name

_TRUTH, _PLACE = np.dtype(bool), np.dtype(np.intp)


def chain(emit: Emitter, row: Sequence[Any], dtype: np.dtype, largest: bool) -> Any:
    """The place of the extreme in a row of names and numbers."""
    best, place = emit.text(row[0], dtype), "0"
    for k, x in enumerate(row[1:], 1):
        text = emit.text(x, dtype)
        better = emit.let(_TRUTH, beats(text, best, dtype, largest))
        if k + 1 < len(row):
            best = emit.let(dtype, f"{better} ? {text} : {best}")
        place = emit.let(_PLACE, f"{better} ? {k} : {place}")
    return place if len(row) > 1 else 0


def in_registers(emit: Emitter, largest: bool, x: Scalars, axis: int, out: Aval) -> Scalars:
    rows = np.moveaxis(x.entries, axis, -1)
    entries = np.empty(out.shape, object)
    for k in np.ndindex(out.shape):
        entries[k] = chain(emit, list(rows[k]), x.dtype, largest)
    return Scalars(entries, out.dtype)


def written_out(
    emit: Emitter, name: str, args: Sequence[Scalars], outs: Sequence[Aval], params: dict[str, Any]
) -> list[Scalars]:
    return [in_registers(emit, name == "argmax", args[0], params["axis"], outs[0])]


def whole(emit: Emitter, eqn: Eqn, args: Sequence[Value], places: Sequence[View | None]) -> list[Value]:
    x, axis, largest = emit.view(args[0]), eqn.params["axis"], eqn.prim.name == "argmax"
    (out,) = rooms(emit, eqn, places)
    n = x.shape[axis]
    lanes = out.like((*out.shape[:axis], 1, *out.shape[axis:]), (*out.strides[:axis], 0, *out.strides[axis:]))
    if n <= NETWORK:
        over_lanes(
            emit, [x, lanes], axis, lambda row, y: store(emit, y, chain(emit, entries_of(emit, row), x.dtype, largest))
        )
    elif axis == len(x.shape) - 1:
        search = function(emit, x.dtype, largest, x.strides[axis] == 1)
        over_lanes(
            emit, [x, lanes], axis, lambda row, y: store(emit, y, f"{search}({start_of(row)}, {row.strides[0]}, {n})")
        )
    else:
        across(emit, x, out, axis, largest)
    return [out]


def entries_of(emit: Emitter, row: View) -> list[Any]:
    return list(emit.scalars(row).entries)


def store(emit: Emitter, y: View, place: Any) -> None:
    emit.line(f"{y.entry((0,))} = {place};")


def across(emit: Emitter, x: View, out: View, axis: int, largest: bool) -> None:
    """The extremes so far of all lanes, updated by one row after the other."""
    best = emit.buffer(out.shape, x.dtype)
    emit.keep(best)
    emit.copy(best, x.index(axis, 0))
    emit.fill(out, 0)
    with emit.loop(x.shape[axis] - 1) as k:
        emit.serialize()
        place = emit.name("i")
        emit.line(f"const long {place} = {k} + 1;")

        def update(now: str, top: str, where: str) -> None:
            value = emit.let(x.dtype, now)
            held = emit.let(x.dtype, top)
            better = emit.let(_TRUTH, beats(value, held, x.dtype, largest))
            emit.line(f"{top} = {better} ? {value} : {held};")
            emit.line(f"{where} = {better} ? {place} : {where};")

        over_entries(emit, [x.index(axis, place), best, out], update)
    emit.drop(best)


def function(emit: Emitter, dtype: np.dtype, largest: bool, dense: bool) -> str:
    """The name of the C function that searches a row, whose entries lie side by side if it is `dense`."""
    name = f"xf_{'argmax' if largest else 'argmin'}_{'dense' if dense else 'spread'}_{short_name(dtype)}"
    words = {
        "NAME": name, "SIGN": ">" if largest else "<",
        "BEATS": beats("now", "best", dtype, largest), " STEP": "" if dense else " * step",
    }  # fmt: skip
    text = COMPLEX if dtype.kind == "c" else REAL
    for word, meaning in words.items():
        text = text.replace(word, meaning)
    define(emit, instance(text, key_of(dtype)))
    return name


REAL = """
static long NAME(const $T *x, long step, long n)
{
  enum { LANES = 16 };
  $T tops[LANES];
  int64_t starts[LANES];
  long k = n < LANES ? 1 : LANES;
  for (long i = 0; i < k; i++) { tops[i] = x[i STEP]; starts[i] = 0; }
  for (; k + LANES <= n; k += LANES) {
    #pragma omp simd
    for (long i = 0; i < LANES; i++) {
      const $T now = x[(k + i) STEP], best = tops[i];
      const _Bool better = BEATS;
      tops[i] = better ? now : best;
      starts[i] = better ? k : starts[i];
    }
  }
  $T best = tops[0];
  long place = starts[0];
  for (long i = 1; i < LANES && n >= LANES; i++) {
    const $T now = tops[i];
    const _Bool better = BEATS, same = now == best || (now != now && best != best);
    if (better || (same && starts[i] + i < place)) { best = now; place = starts[i] + i; }
  }
  for (; k < n; k++) {
    const $T now = x[k STEP];
    if (BEATS) { best = now; place = k; }
  }
  return place;
}
"""

COMPLEX = """
static long NAME(const $T *x, long step, long n)
{
  $T best = x[0];
  long place = 0;
  for (long k = 1; k < n; k++) {
    const $T now = x[k STEP];
    const _Bool better = BEATS;
    best = better ? now : best;
    place = better ? k : place;
  }
  return place;
}
"""
