"""Recurrences along an axis: b_i = a_i b_{i-1} + c_i, and log(e^{x_0} + ... + e^{x_i}) of a row.

A lane that is alone keeps its last value in a variable; lanes that lie side by side take a step together, which is a
loop over vectors.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from xform.compile.c.kernels.lanes import over_entries, over_lanes, rooms
from xform.compile.c.text.emit import Emitter
from xform.compile.c.text.values import Value, View
from xform.core.jaxpr import Eqn
from xform.core.primitive import Primitive

#: the next value from the last one and the operands' entries: C expressions
Step = Callable[..., str]


def linear(emit: Emitter, eqn: Eqn, args: Sequence[Value], places: Sequence[View | None]) -> list[Value]:
    """Backwards b_i = a_{i+1} b_{i+1} + c_i."""
    dtype = eqn.outputs[0].aval.dtype
    mul, add = (text_of(name, dtype) for name in ("mul", "add"))
    a, c = (emit.view(x) for x in args)
    backwards = eqn.params["transposed"]
    return along(emit, eqn, places, [c], [a], backwards, lambda b, c, a: add(mul(a, b), c))


def logarithms(emit: Emitter, eqn: Eqn, args: Sequence[Value], places: Sequence[View | None]) -> list[Value]:
    combine = text_of("logaddexp", eqn.outputs[0].aval.dtype)
    return along(emit, eqn, places, [emit.view(args[0])], [], eqn.params["reverse"], combine)


def text_of(name: str, dtype: Any) -> Callable[..., str]:
    """The C expression of an operation on two expressions."""
    prim: Any = Primitive.registry[name]
    return lambda x, y: f"({prim.c_text([f'({x})', f'({y})'], [dtype, dtype], dtype)})"


def along(
    emit: Emitter, eqn: Eqn, places: Sequence[View | None], here: list[View], factors: list[View], backwards: bool,
    step: Step,
) -> list[Value]:  # fmt: skip
    """out_0 = here[0]_0, out_i = step(out_{i-1}, here_i ..., factors at the later one of both places)."""
    (out,), axis = rooms(emit, eqn, places), eqn.params["axis"]
    if not math.prod(out.shape):
        return [out]
    if math.prod(out.shape[axis + 1 :]) == 1:
        views = [out, *here, *factors]

        def lane(y: View, *xs: View) -> None:
            single(emit, y, xs[: len(here)], xs[len(here) :], backwards, step)

        over_lanes(emit, views, axis, lane)
    else:
        together(emit, out, here, factors, axis, backwards, step)
    return [out]


def places_of(emit: Emitter, n: int, backwards: bool, k: str) -> tuple[str, str, str]:
    """Where a step is, where the one before it was, and which of the two is the later place."""
    now, before = emit.name("i"), emit.name("i")
    emit.line(f"const long {now} = {f'{n - 2} - {k}' if backwards else f'{k} + 1'};")
    emit.line(f"const long {before} = {now} {'+' if backwards else '-'} 1;")
    return now, before, before if backwards else now


def single(emit: Emitter, y: View, here: Any, factors: Any, backwards: bool, step: Step) -> None:
    n = y.shape[0]
    first = n - 1 if backwards else 0
    last = emit.variable(y.dtype, here[0].entry((first,)))
    emit.line(f"{y.entry((first,))} = {last};")
    with emit.loop(n - 1) as k:
        emit.serialize()
        now, _, later = places_of(emit, n, backwards, k)
        xs = [x.index(0, now).entry() for x in here] + [x.index(0, later).entry() for x in factors]
        emit.line(f"{last} = {step(last, *xs)};")
        emit.line(f"{y.index(0, now).entry()} = {last};")


def together(emit: Emitter, out: View, here: Any, factors: Any, axis: int, backwards: bool, step: Step) -> None:
    n = out.shape[axis]
    first = n - 1 if backwards else 0
    emit.copy(out.index(axis, first), here[0].index(axis, first))
    with emit.loop(n - 1) as k:
        emit.serialize()
        now, before, later = places_of(emit, n, backwards, k)
        rows = [out.index(axis, now), out.index(axis, before)]
        rows += [x.index(axis, now) for x in here] + [x.index(axis, later) for x in factors]
        over_entries(emit, rows, lambda y, last, *xs: emit.line(f"{y} = {step(last, *xs)};"))
