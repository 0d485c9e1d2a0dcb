"""Convolutions as loops: for each entry k of the window, out[o, t] += x[i, u] y[j, k] where a u + b k = c t + p.

For a given k the places t that have a partner u are an arithmetic sequence, and so are the partners. So x and out are
looked at with steps, and each entry of the window is one multiplication of such views: nothing is padded, and no zero
that a dilation would put in is multiplied. If it is the result that is small, each of its entries is a sum of products
of such views of x and y. Convolutions with many features, or large windows, are products of large matrices: NumPy is
called for these.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import Any, NamedTuple

from xform.compile.c.kernels.lanes import rooms
from xform.compile.c.kernels.recurrences import text_of
from xform.compile.c.kernels.sizes import is_small_window
from xform.compile.c.text.emit import Emitter
from xform.compile.c.text.values import Value, View
from xform.core.jaxpr import Eqn
from xform.ops.c_text import cast
from xform.ops.convolution.convolve_kernels import Window


class Run(NamedTuple):
    """Places first, first + step, ..., `count` of them, in an operand and in the result."""

    count: int
    u: int
    u_step: int
    t: int
    t_step: int


NONE = Run(0, 0, 1, 0, 1)


def run(window: Any, k: int, n: int) -> Run:
    """All t < size and u < n with a u = c t + p - b k: a u_0 = c t_0 + p - b k, and then steps of t that a divides."""
    a, c, rest = window.x, window.out, window.offset - window.y * k
    step = abs(a) // math.gcd(a, c)
    start = next((t for t in range(min(step, window.size)) if (c * t + rest) % a == 0), None)
    if start is None:
        return NONE
    u, u_step = (c * start + rest) // a, c * step // a
    low, high = (-u, n - 1 - u) if u_step > 0 else (u - n + 1, u)  # low <= |u_step| m <= high
    first, last = max(-(-low // abs(u_step)), 0), min(high // abs(u_step), (window.size - 1 - start) // step)
    if last < first:
        return NONE
    return Run(last - first + 1, u + first * u_step, u_step, start + first * step, step)


def convolve(emit: Emitter, eqn: Eqn, args: Sequence[Value], places: Sequence[View | None]) -> list[Value] | None:
    """The window is the second operand; if the first one is smaller, they are exchanged."""
    eqn, args = oriented(eqn, args)
    if not is_small_window(eqn):
        return None
    (out,) = rooms(emit, eqn, places)
    emit.fill(out, 0)
    emit.serialize()
    x, y = (emit.view(a) for a in args)
    i, j, o = eqn.params["spec"]
    over_labels(emit, eqn, [x, y, out], [i, j, o])
    return [out]


def oriented(eqn: Eqn, args: Sequence[Value]) -> tuple[Eqn, Sequence[Value]]:
    i, j, o = eqn.params["spec"]
    x, y = (a.aval for a in eqn.inputs)
    if math.prod(y.shape[len(j) :]) <= math.prod(x.shape[len(i) :]):
        return eqn, args
    windows = tuple(w.exchanged() for w in eqn.params["windows"])
    params = {"spec": (j, i, o), "windows": windows}
    return Eqn(eqn.prim, eqn.inputs[::-1], params, eqn.outputs, eqn.source), args[::-1]


def over_labels(emit: Emitter, eqn: Eqn, views: list[View], labels: list[str]) -> None:
    """Loops over the labels of the result, then over those that are summed."""
    x, y, out = labels
    label = next(iter(out + x + y), None)
    if label is None:
        over = over_window if math.prod(views[1].shape) <= math.prod(views[2].shape) else over_result
        over(emit, eqn, *views)
        return
    owner = next(k for k in (2, 0, 1) if label in labels[k])
    size = views[owner].shape[labels[owner].index(label)]
    with emit.loop(size) as n:
        inner = [v.index(s.index(label), n) if label in s else v for v, s in zip(views, labels, strict=True)]
        over_labels(emit, eqn, inner, [s.replace(label, "") for s in labels])


def over_window(emit: Emitter, eqn: Eqn, x: View, y: View, out: View) -> None:
    windows = eqn.params["windows"]
    runs = [[run(w, k, n) for k in range(m)] for w, n, m in zip(windows, x.shape, y.shape, strict=True)]
    for k in itertools.product(*(range(m) for m in y.shape)):
        chosen = [r[n] for r, n in zip(runs, k, strict=True)]
        if all(r.count for r in chosen):
            factor = emit.let(out.dtype, cast(f"({y.entry(k)})", y.dtype, out.dtype))
            add_products(emit, places_in(x, chosen, "u"), factor, places_in(out, chosen, "t"))


def over_result(emit: Emitter, eqn: Eqn, x: View, y: View, out: View) -> None:
    """For a given t the equation reads a u - c t = -b k + p: it has the form of that for a given k."""
    turned = [Window(w.x, -w.out, -w.y, w.offset, m) for w, m in zip(eqn.params["windows"], y.shape, strict=True)]
    runs = [[run(w, t, n) for t in range(m)] for w, n, m in zip(turned, x.shape, out.shape, strict=True)]
    for t in itertools.product(*(range(m) for m in out.shape)):
        chosen = [r[n] for r, n in zip(runs, t, strict=True)]
        if all(r.count for r in chosen):
            total = emit.variable(out.dtype, "0")
            sum_products(emit, places_in(x, chosen, "u"), places_in(y, chosen, "t"), total, out.dtype)
            add = text_of("add", out.dtype)
            emit.line(f"{out.entry(t)} = {add(out.entry(t), total)};")


def sum_products(emit: Emitter, x: View, y: View, total: str, dtype: Any) -> None:
    mul, add = (text_of(name, dtype) for name in ("mul", "add"))
    if not x.shape:
        a, b = (cast(f"({v.entry()})", v.dtype, dtype) for v in (x, y))
        emit.line(f"{total} = {add(total, mul(a, b))};")
        return
    with emit.loop(x.shape[0], lambda: f"reduction(+:{total})") as i:
        if dtype.kind in "cb":  # of which there is no sum over vectors
            emit.serialize()
        sum_products(emit, x.index(0, i), y.index(0, i), total, dtype)


def places_in(x: View, runs: Sequence[Run], letter: str) -> View:
    offset, strides = x.offset, []
    for r, stride in zip(runs, x.strides, strict=True):
        offset = offset.plus(getattr(r, letter), stride)
        strides.append(getattr(r, f"{letter}_step") * stride)
    return x.like([r.count for r in runs], strides, offset)


def add_products(emit: Emitter, x: View, factor: str, out: View) -> None:
    if x.shape:
        with emit.loop(x.shape[0]) as i:
            add_products(emit, x.index(0, i), factor, out.index(0, i))
        return
    mul, add = (text_of(name, out.dtype) for name in ("mul", "add"))
    entry = cast(f"({x.entry()})", x.dtype, out.dtype)
    emit.line(f"{out.entry()} = {add(out.entry(), mul(entry, factor))};")
