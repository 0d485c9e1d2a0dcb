"""Operations that contain programs, and the programs of the functions that they are given.

A function that is handed to a control-flow operation may close over traced values of the transformations around it. As
a program it takes them as leading operands, so that every transformation sees what flows into it.
"""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Any

from xform.core.aval import Aval
from xform.core.depth import deep
from xform.core.jaxpr import Jaxpr
from xform.core.primitive import Primitive
from xform.core.stage import StageTrace, is_staging, stage, strong
from xform.core.trace import EVAL, Tracer, context, using


class Control(Primitive):
    """An operation that contains programs.

    While a program is being written it becomes an eqn, and its rules are those of all primitives. Otherwise it is run
    as Python's own control flow, whatever the current transformations: they see the operations inside one by one.
    """

    has_programs = True
    takes_zeros = True

    def bind(self, *args: Any, **params: Any) -> list[Any]:
        with deep():
            if mode.structured or is_staging() or not self.can_run(args, params):
                return context.trace.process(self, args, params)
            return self.numpy(*args, **params)

    def can_run(self, args: Sequence[Any], params: dict[str, Any]) -> bool:
        """Is known what decides which way it goes? If not, it is staged, or differs from lane to lane of a batch."""
        return True


class Mode(threading.local):
    """Per thread: are operations that contain programs kept whole, though no program is being written?"""

    structured = False


mode = Mode()


class structured:
    """`with structured():` the rules of such operations are used, they are not run as Python's own control flow."""

    __slots__ = ("before",)

    def __enter__(self) -> None:
        self.before, mode.structured = mode.structured, True

    def __exit__(self, kind: type | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        mode.structured = self.before


def close(
    f: Callable[..., Sequence[Any]], avals: Sequence[Aval], origin: str, kind: type[StageTrace] = StageTrace
) -> tuple[Jaxpr, list[Any]]:
    """The program of a function of flat arguments, and the traced values it closes over: its leading operands.

    Plain arrays that it closes over stay inside, as consts. What it does with closed-over values alone is done once and
    outside, but not with `WholeTrace`, which is for a part that may not run.
    """
    with deep():
        return hoist(stage(f, [strong(a) for a in avals], origin, kind))


def hoist(jaxpr: Jaxpr) -> tuple[Jaxpr, list[Any]]:
    """The program with its traced consts as leading inputs, and their values."""
    free = [(v, x) for v, x in jaxpr.consts if isinstance(x, Tracer)]
    if not free:
        return jaxpr, []
    inner = [(v, x) for v, x in jaxpr.consts if not isinstance(x, Tracer)]
    return Jaxpr([v for v, _ in free] + jaxpr.inputs, inner, jaxpr.eqns, jaxpr.outputs), [x for _, x in free]


def derived(make: Callable[..., Any]) -> Callable[..., Any]:
    """Of a function that makes something of a program: make it once for each program and further arguments."""

    @functools.wraps(make)
    def once(jaxpr: Jaxpr, *key: Any) -> Any:
        if (make, key) not in jaxpr.derived:
            with using(EVAL), deep():  # a program has no free variables, so what is made of it depends on no context
                jaxpr.derived[make, key] = make(jaxpr, *key)
        return jaxpr.derived[make, key]

    return once
