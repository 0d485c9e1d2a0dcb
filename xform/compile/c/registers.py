"""What is written out in registers beyond entrywise operations: linear algebra and orders of short rows.

A rule is given operands in registers and gives results in registers: straight-line code, so that a loop over a batch
takes several steps at a time. Operations with several results are no loops over slices that others could join; they
have a loop over their batch of their own (`over_batch`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from xform.compile.c import linalg
from xform.compile.c.emit import Emitter
from xform.compile.c.sizes import are_small_matrices, is_single
from xform.compile.c.values import Scalars, Value, View, without
from xform.core.aval import Aval
from xform.core.jaxpr import Eqn

Rule = Callable[..., list[Scalars] | None]

RULES: dict[str, Rule] = {**linalg.RULES}


def is_small(eqn: Eqn, most: int) -> bool:
    """Can it be done in registers? Of matrices whatever is worth it, whether or not there is a batch around."""
    return is_single(eqn) and are_small_matrices(eqn)


def written_out(emit: Emitter, eqn: Eqn, args: Sequence[Value], outs: Sequence[Aval]) -> list[Scalars] | None:
    return RULES[eqn.prim.name](emit, args, outs, eqn.params)


def over_batch(emit: Emitter, eqn: Eqn, args: Sequence[Value], places: Sequence[View | None]) -> Sequence[Value] | None:
    """The results for a stack of matrices, by loops over its leading axes; None if it is left to NumPy."""
    if eqn.prim.name not in linalg.RULES or is_single(eqn) or not are_small_matrices(eqn):
        return None
    avals = [v.aval for v in eqn.outputs]
    outs = [place or emit.buffer(a.shape, a.dtype) for place, a in zip(places, avals, strict=True)]
    rest = [without_leading(a, max(x.aval.ndim for x in eqn.inputs) - 2) for a in avals]
    rule = RULES[eqn.prim.name]
    each(emit, [emit.view(x) for x in args], outs, lambda xs: rule(emit, xs, rest, eqn.params))
    return outs


def without_leading(a: Aval, rank: int) -> Aval:
    return Aval(a.shape[rank:], a.dtype)


def each(emit: Emitter, args: Sequence[View], outs: Sequence[View], rule: Callable[..., list[Scalars]]) -> None:
    """Loops over the leading axes of stacks, the inner one of which may take several steps at a time."""
    rank = max(len(x.shape) for x in args)
    if rank == 2:
        for out, value in zip(outs, rule([emit.scalars(x) for x in args]), strict=True):
            emit.store(out, value)
        return
    size = outs[0].shape[0]
    with emit.loop(size) as i:
        rows = [step(x, i, size) if len(x.shape) == rank else x for x in args]
        each(emit, rows, [out.index(0, i) for out in outs], rule)


def step(x: View, i: str, size: int) -> View:
    """The slice of a step; one of a stack of size 1 is the same in all."""
    return x.index(0, i) if x.shape[0] == size else x.like(without(x.shape, 0), without(x.strides, 0))
