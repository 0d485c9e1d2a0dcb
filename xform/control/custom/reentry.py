"""Traces that are entered again.

A function handed to an operation may close over values of the transformations around its call. The operation is
interpreted outside of them, one after the other; to run the function there, the trace whose values it closes over
becomes the current one again, on top of where the interpretation has arrived.
"""

from __future__ import annotations

import threading
from types import TracebackType
from typing import Any, TypeVar

from xform.core.trace import Trace, context, using

T = TypeVar("T", bound=Trace)


class Scope(threading.local):
    """Per thread: the trace under which the operation that is being interpreted was applied."""

    trace: Any = None


scope = Scope()


class scoped:
    """`with scoped():` an operation is being interpreted, which was applied under the current trace."""

    __slots__ = ("outer",)

    def __enter__(self) -> None:
        self.outer, scope.trace = scope.trace, context.trace

    def __exit__(self, kind: type | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        scope.trace = self.outer


def interpreter(kind: type[T], below: Trace) -> T | None:
    """The trace of that kind whose rule for the operation is run now, under `below`; None if there is none."""
    trace = scope.trace
    while trace is not None:
        if isinstance(trace, kind) and trace.parent is below:
            return trace
        trace = trace.parent
    return None


#: a trace that is entered again changes its parent meanwhile, so only one thread at a time may do that
_LOCK = threading.RLock()


class reentered:
    """`with reentered(trace):` a trace that was left is the current one again, on top of the present one."""

    __slots__ = ("inside", "parent", "trace")

    def __init__(self, trace: Trace) -> None:
        self.trace, self.inside = trace, using(trace)

    def __enter__(self) -> Trace:
        _LOCK.acquire()
        self.parent, self.trace.parent = self.trace.parent, context.trace
        return self.inside.__enter__()

    def __exit__(self, kind: type | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        self.trace.parent = self.parent
        _LOCK.release()
        self.inside.__exit__(kind, error, traceback)
