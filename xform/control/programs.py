"""Functions staged as programs without free variables.

A function that is handed to a control-flow operation may close over traced values of the transformations around it. As
a program it takes them as leading operands, so that every transformation sees what flows into it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from xform.core.aval import Aval
from xform.core.jaxpr import Jaxpr
from xform.core.stage import StageTrace, stage
from xform.core.trace import Tracer, context


def is_staging() -> bool:
    """Is a program being written (make_jaxpr, jit, ...) at this moment, by whichever enclosing transformation?"""
    trace = context.trace
    while trace is not None and not isinstance(trace, StageTrace):
        trace = trace.parent
    return trace is not None


def close(f: Callable[..., Sequence[Any]], avals: Sequence[Aval], origin: str) -> tuple[Jaxpr, list[Any]]:
    """The program of a function of flat arguments, and the traced values it closes over: its leading operands.

    Plain arrays that it closes over stay inside, as consts.
    """
    return hoist(stage(f, avals, origin))


def hoist(jaxpr: Jaxpr) -> tuple[Jaxpr, list[Any]]:
    """The program with its traced consts as leading inputs, and their values."""
    free = [(v, x) for v, x in jaxpr.consts if isinstance(x, Tracer)]
    if not free:
        return jaxpr, []
    inner = [(v, x) for v, x in jaxpr.consts if not isinstance(x, Tracer)]
    return Jaxpr([v for v, _ in free] + jaxpr.inputs, inner, jaxpr.eqns, jaxpr.outputs), [x for _, x in free]
