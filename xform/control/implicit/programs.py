"""Programs of operators: (p, x) -> A(p) x, linear or not in x, where p are the traced values that it closes over."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from xform.control.masks import Mask
from xform.control.programs import derived
from xform.control.transformed import batch_program
from xform.core.aval import Aval
from xform.core.jaxpr import Jaxpr, Var, eliminate_dead_code, evaluate
from xform.core.stage import stage
from xform.transforms.vjp import linear_transpose
from xform.transforms.vmap import Axis


def split(values: Sequence[Any], *sizes: int) -> list[list[Any]]:
    """Consecutive parts of the given sizes, and the rest."""
    parts, start = [], 0
    for size in sizes:
        parts.append(list(values[start : start + size]))
        start += size
    return [*parts, list(values[start:])]


@derived
def transposed(jaxpr: Jaxpr, count: int, name: str) -> Jaxpr:
    """The program (p, y) -> A(p)^T y, where p are the first `count` inputs; NonlinearError if A(p) x is not linear."""

    def f(*args: Any) -> Sequence[Any]:
        p, y = split(args, count)

        def apply(*x: Any) -> tuple[Any, ...]:
            return tuple(evaluate(jaxpr, *p, *x))

        apply.__qualname__ = name
        return linear_transpose(apply, *jaxpr.in_avals[count:])(tuple(y))

    return eliminate_dead_code(stage(f, jaxpr.in_avals[:count] + jaxpr.out_avals, name))


def batched_whole(jaxpr: Jaxpr, axis: Axis, batched: Sequence[bool]) -> Jaxpr:
    """The program for all examples at once, whose results are batched, whatever they depend on."""
    forced: Mask = (True,) * len(jaxpr.outputs)
    return batch_program(jaxpr, axis, tuple(batched), forced)[0]


def solver_program(solver: Any, avals: Sequence[Aval], sizes: Sequence[int], count: int) -> Jaxpr | None:
    """The program of a solver (*s, *p, *y) of which `count` results are wanted, on the operands (*p, *s, *t, *y)."""
    if not isinstance(solver, Jaxpr):
        return None
    p, s, t = sizes
    own, operators, ys = split(solver.inputs, s, p)
    unread = [Var(Aval(a.shape, a.dtype)) for a in avals[p + s : p + s + t]]
    return Jaxpr([*operators, *own, *unread, *ys], solver.consts, solver.eqns, solver.outputs[:count])
