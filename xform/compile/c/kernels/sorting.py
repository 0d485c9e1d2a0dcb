"""Sorting rows: short ones by a network in registers, longer ones by merging, the longest by NumPy.

A network compares and exchanges fixed pairs (Batcher 1968, Sorting networks and their applications), so it is
straight-line code. Where places are wanted as well, equal entries are ordered by their places, which makes it stable.
NumPy's sort of long arrays is made for vector units: it is called for them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from xform.compile.c.kernels.lanes import define, over_lanes, rooms, start_of
from xform.compile.c.kernels.orders import less
from xform.compile.c.kernels.sizes import NETWORK, is_sorted_by_numpy
from xform.compile.c.text.emit import Emitter
from xform.compile.c.text.helpers import instance
from xform.compile.c.text.values import Scalars, Value, View
from xform.core.aval import Aval
from xform.core.jaxpr import Eqn
from xform.ops.c_text import key_of, short_name

_TRUTH, _PLACE = np.dtype(bool), np.dtype(np.intp)


def network(n: int) -> Iterator[tuple[int, int]]:
    """The pairs of Batcher's merge exchange sort of n entries (Knuth, The Art of Computer Programming 3, 5.2.2 M)."""
    p = top = 1 << max((n - 1).bit_length() - 1, 0)
    while p > 0 and n > 1:
        q, r, d = top, 0, p
        while True:
            yield from ((i, i + d) for i in range(n - d) if i & p == r)
            if q == p:
                break
            d, q, r = q - p, q // 2, p
        p //= 2


def sorted_row(emit: Emitter, row: Sequence[Any], dtype: np.dtype) -> list[Any]:
    """The entries of a row of names and numbers, ascending."""
    out = [emit.text(x, dtype) for x in row]
    for i, j in network(len(out)):
        a, b = out[i], out[j]
        c = emit.let(_TRUTH, less(b, a, dtype))
        out[i], out[j] = emit.let(dtype, f"{c} ? {b} : {a}"), emit.let(dtype, f"{c} ? {a} : {b}")
    return out


def ordered_row(emit: Emitter, row: Sequence[Any], dtype: np.dtype, down: bool) -> tuple[list[Any], list[Any]]:
    """The entries of a row in order, and their places; of equal ones that with the lowest place comes first."""
    out, places = [emit.text(x, dtype) for x in row], [str(k) for k in range(len(row))]
    for i, j in network(len(out)):
        (a, b), (p, q) = (out[i], out[j]), (places[i], places[j])
        before, after = (less(a, b, dtype), less(b, a, dtype))
        before, after = (after, before) if down else (before, after)
        late = emit.let(_TRUTH, f"({after}) | (!({before}) & ({q} < {p}))")
        out[i], out[j] = emit.let(dtype, f"{late} ? {b} : {a}"), emit.let(dtype, f"{late} ? {a} : {b}")
        places[i], places[j] = emit.let(_PLACE, f"{late} ? {q} : {p}"), emit.let(_PLACE, f"{late} ? {p} : {q}")
    return out, places


def of_row(emit: Emitter, name: str, row: Sequence[Any], dtype: np.dtype, params: dict[str, Any]) -> list[list[Any]]:
    """The results for a row in registers."""
    if name == "sort":
        return [sorted_row(emit, row, dtype)]
    out, places = ordered_row(emit, row, dtype, name == "top_k")
    return [out[: params["k"]], places[: params["k"]]] if name == "top_k" else [places]


def written_out(
    emit: Emitter, name: str, args: Sequence[Scalars], outs: Sequence[Aval], params: dict[str, Any]
) -> list[Scalars] | None:
    (x,), axis = args, params["axis"]
    if params.get("stable") is False:  # which order it gives to equal entries only NumPy knows
        return None
    rows = np.moveaxis(x.entries, axis, -1)
    entries = [np.empty((*rows.shape[:-1], a.shape[axis]), object) for a in outs]
    for k in np.ndindex(rows.shape[:-1]):
        for target, values in zip(entries, of_row(emit, name, list(rows[k]), x.dtype, params), strict=True):
            target[k] = values
    return [Scalars(np.moveaxis(e, -1, axis), a.dtype) for e, a in zip(entries, outs, strict=True)]


def whole(emit: Emitter, eqn: Eqn, args: Sequence[Value], places: Sequence[View | None]) -> list[Value] | None:
    name, params, x = eqn.prim.name, eqn.params, eqn.inputs[0].aval
    axis, n = params["axis"], x.shape[params["axis"]]
    if x.size and is_sorted_by_numpy(eqn):
        return None
    outs = rooms(emit, eqn, places)
    if not x.size:
        return list(outs)

    def short(row: View, *ys: View) -> None:
        values = of_row(emit, name, list(emit.scalars(row).entries), x.dtype, params)
        for y, entries in zip(ys, values, strict=True):
            for k, e in enumerate(entries):
                emit.line(f"{y.entry((k,))} = {e};")

    def long(row: View, *ys: View) -> None:
        emit.serialize()
        count = f", {params['k']}" if name == "top_k" else ""
        results = ", ".join(f"{start_of(y)}, {y.strides[0]}" for y in ys)
        emit.line(f"{function(emit, name, x.dtype)}({start_of(row)}, {row.strides[0]}, {n}, {results}{count});")

    if name != "top_k" or params["k"]:
        over_lanes(emit, [emit.view(args[0]), *outs], axis, short if n <= NETWORK else long)
    return list(outs)


def function(emit: Emitter, name: str, dtype: np.dtype) -> str:
    """The name of the C function that sorts a row."""
    define(emit, instance(LESS.replace("TEXT", less("a", "b", dtype)), key_of(dtype)))
    define(emit, instance({"sort": SORT, "argsort": ARGSORT, "top_k": TOP}[name], key_of(dtype)))
    return f"xf_{name}_{short_name(dtype)}"


LESS = "static inline int xf_before_$t(const $T a, const $T b) { return TEXT; }"

# runs of 8 are sorted by insertion, then merged pairwise
MERGES = """
  for (long start = 0; start < n; start += 8) {
    const long stop = start + 8 < n ? start + 8 : n;
    for (long i = start + 1; i < stop; i++) {
      const ITEM v = from[i];
      long j = i;
      for (; j > start && LESS(v, from[j - 1]); j--) from[j] = from[j - 1];
      from[j] = v;
    }
  }
  for (long width = 8; width < n; width *= 2) {
    for (long start = 0; start < n; start += 2 * width) {
      const long middle = start + width < n ? start + width : n, stop = middle + width < n ? middle + width : n;
      for (long k = start, i = start, j = middle; k < stop; k++)
        to[k] = j < stop && (i >= middle || LESS(from[j], from[i])) ? from[j++] : from[i++];
    }
    ITEM *const other = from;
    from = to;
    to = other;
  }
"""

SORT = (
    """
static void xf_sort_$t(const $T *x, long step, long n, $T *y, long y_step)
{
  $T room[2 * n], *from = room, *to = room + n;
  for (long k = 0; k < n; k++) from[k] = x[k * step];
"""
    + MERGES.replace("ITEM", "$T").replace("LESS", "xf_before_$t")
    + """
  for (long k = 0; k < n; k++) y[k * y_step] = from[k];
}
"""
)

ARGSORT = (
    """
static void xf_argsort_$t(const $T *x, long step, long n, int64_t *y, long y_step)
{
  #define BEFORE(i, j) xf_before_$t(x[(i) * step], x[(j) * step])
  int64_t room[2 * n], *from = room, *to = room + n;
  for (long k = 0; k < n; k++) from[k] = k;
"""
    + MERGES.replace("ITEM", "int64_t").replace("LESS", "BEFORE")
    + """
  for (long k = 0; k < n; k++) y[k * y_step] = from[k];
  #undef BEFORE
}
"""
)

# the places of the largest entries so far are kept in order; most entries do not come near them
TOP = """
static void xf_top_k_$t(const $T *x, long step, long n, $T *y, long y_step, int64_t *places, long p_step, long count)
{
  int64_t best[count];
  long held = 0;
  for (long k = 0; k < n; k++) {
    const $T v = x[k * step];
    if (held == count && !xf_before_$t(x[best[count - 1] * step], v)) continue;
    long j = held < count ? held++ : count - 1;
    for (; j > 0 && xf_before_$t(x[best[j - 1] * step], v); j--) best[j] = best[j - 1];
    best[j] = k;
  }
  for (long j = 0; j < count; j++) {
    y[j * y_step] = x[best[j] * step];
    places[j * p_step] = best[j];
  }
}
"""
