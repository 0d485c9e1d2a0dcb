"""Stopping in Python's debugger, pdb, at a line of a function that is being transformed.

Where nothing is traced the debugger stops in the running frame. A traced value is only known when the program runs, and
then the frame may be gone: the debugger gets a frame with the file, line, globals and local variables of that moment,
in which values stand in place of the tracers.
"""

from __future__ import annotations

import functools
import sys
from types import CodeType, FrameType
from typing import Any

from xform.control.callbacks.callback import debug_callback
from xform.core import tree
from xform.core.stage import is_staging
from xform.core.trace import Tracer, context

#: the name under which the debugger's frame finds the function that it calls
_ENTER = "__enter_debugger__"


class Kept:
    """A local variable without tracers in it, not to be taken apart."""

    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        self.value = value


def breakpoint(*, ordered: bool = False) -> None:
    """Stop in pdb, in the caller's frame, whenever the program comes to this line.

    The traced values among the local variables, also inside trees, are shown as the NumPy values that they have: the
    primal values under differentiation, those of each example in turn under vmap, and of a staged program the values
    when it runs. Stepping on from there is possible where no local variable is traced; else the debugger shows the
    frame as it was, and `continue` goes on. `quit` raises bdb.BdbQuit, as it does in Python's own.

    >>> import io
    >>> from unittest.mock import patch
    >>> from xform import grad
    >>> def f(x):
    ...     y = x * x
    ...     breakpoint()
    ...     return y * x
    >>> with patch("sys.stdin", io.StringIO("p y ;; continue")):
    ...     grad(f)(3.0)
    > ...f()
    -> breakpoint()
    (Pdb) ...9.0...27.0...
    """
    frame = sys._getframe(1)
    traced = {name: value for name, value in frame.f_locals.items() if has_tracer(value)}
    if not traced and not is_staging():
        debugger().set_trace(frame)
        return
    values = {name: traced.get(name, Kept(value)) for name, value in frame.f_locals.items()}
    stop = functools.partial(show, frame.f_code, frame.f_lineno, frame.f_globals)
    debug_callback("debug.breakpoint", stop, (values,), {}, ordered, "breakpoint", is_live)


def has_tracer(value: Any) -> bool:
    """Is there a tracer in the tree, one of a transformation that is running?"""
    try:
        return any(map(is_live, tree.leaves(value)))
    except (TypeError, ValueError):  # a container that cannot be taken apart, such as a dict of unlike keys
        return False


def is_live(x: Any) -> bool:
    """Is it a tracer of the current trace or of one that encloses it?"""
    trace = context.trace if isinstance(x, Tracer) else None
    while trace is not None and trace is not x._trace:
        trace = trace.parent
    return trace is not None


def show(code: CodeType, line: int, variables: dict[str, Any], values: dict[str, Any]) -> None:
    """Open the debugger on a frame that looks like the one with that code, at that line, with these local values."""
    local = {name: value.value if isinstance(value, Kept) else value for name, value in values.items()}
    call = compile(f"{_ENTER}()", code.co_filename, "exec").replace(co_name=code.co_name, co_firstlineno=line)
    exec(call, {**variables, _ENTER: enter}, local)


def enter() -> None:
    """Open the debugger in the caller's frame, which has nothing left to step through."""
    frame: FrameType = sys._getframe(1)
    pdb = debugger()
    pdb.reset()
    pdb.interaction(frame, None)
    if pdb.quitting:
        from bdb import BdbQuit

        raise BdbQuit


def debugger() -> Any:
    """Python's debugger, which takes long to import and leaves the handling of Ctrl-C to the program."""
    from pdb import Pdb

    return Pdb(nosigint=True)
