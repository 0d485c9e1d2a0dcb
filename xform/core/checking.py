"""Checked execution: a trace on top of another that looks at what each operation returns.

While `debug_nans`, `debug_infs` or `checking_leaks` is on, the current trace is a `CheckedTrace`: one on the ground,
and one on top of every transformation that begins meanwhile (`watched`). It hands each primitive down and then examines
all numbers that the results carry: values, tangents, Taylor coefficients, whole batches. What the user applies is
examined as a whole. The steps of a rule are its own business, for it may mask a nan that it made; only the equations of
a program (a jaxpr) are the user's operations again. While nothing is checked none of this exists, so it costs nothing.
"""

from __future__ import annotations

import os
import sys
import threading
import weakref
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

from xform.core.errors import NonFiniteError, Source, is_library, user_frame
from xform.core.jaxpr import programs_in, run
from xform.core.nonfinite import Carried, kinds_in, list_values, numbers
from xform.core.primitive import Primitive
from xform.core.trace import EVAL, Context, Trace, Tracer, context


class Checks(NamedTuple):
    """What is checked."""

    nans: bool = False
    infs: bool = False
    leaks: bool = False


class State(threading.local):
    """Per thread: is a rule at work, which traces have begun under `checking_leaks`, and what made their tracers."""

    def __init__(self) -> None:
        self.at_work = False
        self.begun: list[weakref.ref[Trace]] = []
        self.makers: dict[int, tuple[weakref.ref[Tracer], str, Source | None]] = {}


state = State()


class Application:
    """An operation that the user applied: the primitive, where, to which values, and what was wrong with these."""

    __slots__ = ("kinds", "operands", "prim", "source")

    def __init__(self, prim: Primitive, args: Sequence[Any], checks: Checks) -> None:
        self.prim, self.source = prim, current_source()
        self.kinds = kinds_in((value for x in args for _, value in numbers(x)), checks)
        self.operands = [Carried(x) for x in args] if checks.nans or checks.infs else []

    def lines(self) -> list[str]:
        return list_values("operand", self.operands)

    def __str__(self) -> str:
        return f"'{self.prim.name}'{described(self.source)}"


class CheckedTrace(Trace):
    """Examines the results of the trace below it."""

    __slots__ = ("checks",)

    def __init__(self, parent: Trace, checks: Checks) -> None:
        super().__init__(parent, parent.origin)
        self.checks = checks

    @property
    def is_ground(self) -> bool:  # type: ignore[override]
        return self.parent.is_ground

    def __getattr__(self, name: str) -> Any:
        """What code asks of a trace of its own kind, it asks of the one below."""
        return getattr(self.parent, name)

    def constant(self, value: Any, recipe: Any = None) -> Any:
        return self.parent.constant(value, recipe)

    def process(self, prim: Primitive, args: Any, params: dict[str, Any]) -> list[Any]:
        if state.at_work:
            return self.parent.process(prim, args, params)
        state.at_work = not has_program(params)
        try:
            outs = self.parent.process(prim, args, params)
        finally:
            state.at_work = False
        application = Application(prim, args, self.checks)
        self.examine(application, outs)
        self.attribute(application)
        if self.checks.leaks:
            maker = prim.name, application.source
            state.makers.update((id(y), (weakref.ref(y), *maker)) for y in outs if isinstance(y, Tracer))
        return outs

    def examine(self, application: Application, outs: Sequence[Any]) -> None:
        """Raise NonFiniteError if a number arose that none of the operands holds."""
        for y in outs:
            for part, value in numbers(y):
                for kind in sorted(kinds_in([value], self.checks) - application.kinds):
                    where = f"the {part} of the result" if part else "the result"
                    inside = f" inside {self.origin}" if self.origin else ""
                    raise NonFiniteError(
                        f"{kind} arose in {application}{inside}, in {where}",
                        application.lines() + list_values("result", [Carried(x) for x in outs], kind, len(outs) > 1),
                    )

    def attribute(self, application: Application) -> None:
        """Tell all enclosing transformations what the entries that they recorded last came from."""
        trace: Any = self
        while trace is not None:
            trace.note(application)
            trace = trace.parent


def watched(trace: Trace) -> Trace:
    """The trace under which a transformation that begins runs its function: `trace`, with checks if they are on."""
    parent = trace.parent
    if type(parent) is not CheckedTrace:
        return trace
    if parent.checks.leaks:
        state.begun.append(weakref.ref(trace))
    return CheckedTrace(trace, parent.checks)


def is_checking() -> bool:
    """Are the numbers of what happens here to be examined?"""
    trace = context.trace
    return type(trace) is CheckedTrace and not state.at_work and any(trace.checks)


@contextmanager
def rules_at_work() -> Iterator[None]:
    """Within it the operations are steps of a rule, and not examined."""
    before, state.at_work = state.at_work, True
    try:
        yield
    finally:
        state.at_work = before


def has_program(params: dict[str, Any]) -> bool:
    """Does the operation run the user's equations or functions?"""
    return any(callable(p) for p in params.values()) or next(programs_in(params), None) is not None


def current_source() -> Source | None:
    """The user's line that is at work: that of an equation, if a program is being evaluated."""
    frame = sys._getframe(1)
    while frame is not None and is_library(frame.f_code.co_filename):
        if frame.f_code is run.__code__:  # the evaluator's own variable tells, so that it need not keep a record
            return frame.f_locals["eqn"].source or user_frame()
        frame = frame.f_back
    return user_frame()


def described(source: Source | None) -> str:
    return f" at {source[0]}:{source[1]} in {source[2]}" if source else ""


def current_checks() -> Checks:
    """The checks that are on in this thread, here."""
    trace = context.trace
    return trace.checks if type(trace) is CheckedTrace else Checks()


@contextmanager
def checking(**changes: bool) -> Iterator[None]:
    """Within it the checks are those that were on before, with the given changes."""
    before = context.trace
    context.trace = CheckedTrace(before, current_checks()._replace(**changes))
    try:
        yield
    finally:
        context.trace = before


def check_everywhere(**changes: bool) -> None:
    """Change the checks on the ground of this thread, and of all threads that begin later."""
    if not context.trace.is_ground:
        raise RuntimeError(
            f"checks were to be switched inside {context.trace.origin or 'a transformation'}, which has begun without "
            "them; switch outside, or use a context manager such as xform.debug_nans() around the call"
        )
    checks = current_checks()._replace(**changes)
    Context.trace = context.trace = CheckedTrace(EVAL, checks) if any(checks) else EVAL


def is_set(variable: str) -> bool:
    """Is the environment variable switched on?"""
    return os.environ.get(variable, "").lower() in ("1", "true", "yes", "on")


if any(found := Checks(is_set("XFORM_DEBUG_NANS"), is_set("XFORM_DEBUG_INFS"), is_set("XFORM_CHECK_LEAKS"))):
    Context.trace = CheckedTrace(EVAL, found)
