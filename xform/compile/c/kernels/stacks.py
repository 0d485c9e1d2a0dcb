"""Stacks of matrices as loops over matrices, in registers or by C functions; NumPy has those that are large."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from xform.compile.c.kernels import dense, linalg
from xform.compile.c.kernels.lanes import rooms
from xform.compile.c.kernels.sizes import are_middling_matrices, are_small_matrices, is_single
from xform.compile.c.text.emit import Emitter
from xform.compile.c.text.values import Value, View, without
from xform.core.aval import Aval
from xform.core.jaxpr import Eqn

#: what is done with the operands, and the places of the results, of single matrices
Do = Callable[[Sequence[View], Sequence[View]], None]


def over_stack(emit: Emitter, eqn: Eqn, args: Sequence[Value], places: Sequence[View | None]) -> Sequence[Value] | None:
    """The results for a matrix or a stack of them; None if it is left to NumPy."""
    if are_small_matrices(eqn) and not is_single(eqn):
        do = written_out(emit, eqn)
    elif are_middling_matrices(eqn):
        do = one_by_one(emit, eqn)
    else:
        return None
    outs = rooms(emit, eqn, places)
    each(emit, [emit.view(x) for x in args], outs, do)
    return outs


def written_out(emit: Emitter, eqn: Eqn) -> Do:
    rank = max(a.aval.ndim for a in eqn.inputs) - 2
    avals = [Aval(v.aval.shape[rank:], v.aval.dtype) for v in eqn.outputs]
    rule = linalg.RULES[eqn.prim.name]

    def do(xs: Sequence[View], outs: Sequence[View]) -> None:
        for out, value in zip(outs, rule(emit, [emit.scalars(x) for x in xs], avals, eqn.params), strict=True):
            emit.store(out, value)

    return do


def one_by_one(emit: Emitter, eqn: Eqn) -> Do:
    rule = dense.RULES[eqn.prim.name]

    def do(xs: Sequence[View], outs: Sequence[View]) -> None:
        emit.serialize()
        rule(emit, eqn, xs, outs)

    return do


def each(emit: Emitter, args: Sequence[View], outs: Sequence[View], do: Do) -> None:
    """Loops over the leading axes of stacks, the inner one of which may take several steps at a time."""
    rank = max(len(x.shape) for x in args)
    if rank == 2:
        do(args, outs)
        return
    size = outs[0].shape[0]
    with emit.loop(size) as i:
        rows = [step(x, i, size) if len(x.shape) == rank else x for x in args]
        each(emit, rows, [out.index(0, i) for out in outs], do)


def step(x: View, i: str, size: int) -> View:
    """The slice of a step; one of a stack of size 1 is the same in all."""
    return x.index(0, i) if x.shape[0] == size else x.like(without(x.shape, 0), without(x.strides, 0))
