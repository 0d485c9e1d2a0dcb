"""Tracebacks that show the user's lines: at every public entry, xform's own frames are taken out of what passes.

A frame of NumPy goes with them if it stands between frames of xform and the user's, as NumPy's dispatch does; an error
that the user's own call of NumPy raises keeps its frames.
"""

from __future__ import annotations

import functools
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Any, NamedTuple, ParamSpec, TypeVar

from xform.core.checking import CheckedTrace
from xform.core.errors import PACKAGE, is_library
from xform.core.leaks import audited
from xform.core.trace import context

P = ParamSpec("P")
R = TypeVar("R")

NOTE = "(Frames of xform are hidden; `with xform.full_tracebacks():` or XFORM_TRACEBACK=full shows them.)"

#: the attribute of an error that says what has been hidden
HIDDEN = "_xform_hidden"


class Settings(threading.local):
    """Per thread: are frames hidden?"""

    filtering: bool = os.environ.get("XFORM_TRACEBACK", "").lower() != "full"


settings = Settings()


def guarded(function: Callable[P, R]) -> Callable[P, R]:
    """The function as users call it: errors leave it with the user's frames, and traced values do not leave it."""

    def entry(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            if type(context.trace) is CheckedTrace and context.trace.checks.leaks:
                return audited(function, args, kwargs)
            return function(*args, **kwargs)
        except Exception as error:
            if settings.filtering:
                hide_frames(error)
            raise

    entry.__name__, entry.__qualname__ = function.__name__, function.__qualname__
    return entry


def public(function: Callable[P, R]) -> Callable[P, R]:
    """A function of xform's interface, guarded."""
    return functools.wraps(function)(guarded(function))


def standing_for(f: Callable[..., Any]) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """A function that a transformation returns in the place of `f`: guarded, with the name and documentation of `f`."""
    return lambda function: functools.wraps(f)(guarded(function))


@contextmanager
def full_tracebacks() -> Iterator[None]:
    """Within it, in this thread, errors raised inside transformed functions show xform's own frames as well.

    The environment variable `XFORM_TRACEBACK=full` and `xform.config.traceback_filtering = False` do so everywhere.

    >>> import xform
    >>> with xform.full_tracebacks():
    ...     xform.grad(lambda x: x * x)(3.0)
    np.float64(6.0)
    """
    before, settings.filtering = settings.filtering, False
    try:
        yield
    finally:
        settings.filtering = before


def filter_everywhere(filtering: bool) -> None:
    """Switch for this thread, and for all in which it has not been switched."""
    Settings.filtering = settings.filtering = bool(filtering)


class Hidden(NamedTuple):
    """What has been done with the traceback of an error: its first entry since then, and is there a doctest in it?"""

    first: TracebackType | None
    doctest: bool


def hide_frames(error: BaseException) -> None:
    """Take xform's frames out of the tracebacks of an error and of those that it came from, and say so in a note.

    In nested calls the error passes many public entries. Each takes care of the frames that are new to it.
    """
    seen: set[int] = set()
    todo: list[BaseException | None] = [error]
    doctest = False
    while todo:
        e = todo.pop()
        if e is None or id(e) in seen:
            continue
        seen.add(id(e))
        todo += [e.__cause__, e.__context__]
        before = e.__dict__.get(HIDDEN, Hidden(None, False))
        entries, rest = unrolled(e.__traceback__, before.first)
        found = before.doctest or any(map(is_doctest, entries))
        e.__traceback__ = rolled(shown(entries), rest)
        e.__dict__[HIDDEN] = Hidden(e.__traceback__, found)
        doctest = doctest or found
    # a doctest compares the last line that is printed of an error, which a note would be
    if NOTE not in getattr(error, "__notes__", ()) and not doctest:
        error.add_note(NOTE)


def is_doctest(entry: TracebackType) -> bool:
    return entry.tb_frame.f_code.co_filename.startswith("<doctest ")


def unrolled(
    traceback: TracebackType | None, end: TracebackType | None
) -> tuple[list[TracebackType], TracebackType | None]:
    """The entries before `end`, or all if it is not among them, and what follows them."""
    entries = []
    while traceback is not None and traceback is not end:
        entries.append(traceback)
        traceback = traceback.tb_next
    return entries, traceback


def rolled(entries: list[TracebackType], rest: TracebackType | None) -> TracebackType | None:
    """A chain of the given entries, and the rest of one."""
    for t in reversed(entries):
        rest = TracebackType(rest, t.tb_frame, t.tb_lasti, t.tb_lineno)
    return rest


def shown(entries: list[TracebackType]) -> list[TracebackType]:
    """Without the runs of library frames in which there is one of xform."""
    kept: list[TracebackType] = []
    run: list[TracebackType] = []
    for t in [*entries, None]:
        file = None if t is None else t.tb_frame.f_code.co_filename
        if file is not None and is_library(file):
            run.append(t)  # type: ignore[arg-type]
            continue
        if not any(r.tb_frame.f_code.co_filename.startswith(PACKAGE) for r in run):
            kept += run
        run = []
        kept += [] if t is None else [t]
    return kept
