"""The traced values that a function closes over, by the names that the user gave them.

A rule of a custom derivative is run outside the transformation that uses it, so a value of that transformation which
the function did not get as an argument is out of place there. Looked through are the cells of closures, defaults,
bound arguments and objects, the globals that a function names, containers, and functions found in any of these.
"""

from __future__ import annotations

import functools
import threading
from collections.abc import Iterator
from types import FunctionType, MethodType, TracebackType
from typing import Any, TypeAlias

from xform.core import tree
from xform.core.errors import LeakedTracerError
from xform.core.trace import Tracer
from xform.core.tree_kinds import is_tree_node

#: a name and what it stands for
Named: TypeAlias = tuple[str, Any]


class ClosureError(LeakedTracerError):
    """A traced value that a function closes over is out of place where the function is run."""


class Clean(threading.local):
    """Per thread: what was found to hold no traced value, since the outermost call of those in progress began."""

    known: dict[int, Any] | None = None


clean = Clean()


class remembering:
    """`with remembering():` what was looked through once is not again, so that nested calls take linear time."""

    __slots__ = ("outermost",)

    def __enter__(self) -> None:
        self.outermost = clean.known is None
        if self.outermost:
            clean.known = {}

    def __exit__(self, kind: type | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        if self.outermost:
            clean.known = None


def captured(*roots: Any) -> list[tuple[str, Tracer]]:
    """The traced values that are reached from functions, each once."""
    found: list[tuple[str, Tracer]] = []
    seen: dict[int, Any] = {}  # keeps what it has seen alive, and so their ids theirs
    known = clean.known if clean.known is not None else {}
    stack: list[Named] = [("", root) for root in reversed(roots)]
    while stack:
        name, x = stack.pop()
        if id(x) in seen or id(x) in known:
            continue
        if isinstance(x, Tracer):
            seen[id(x)] = x
            found.append((name, x))
        elif is_open(x):
            seen[id(x)] = x
            stack.extend(parts(name, x))
    if not found:
        known.update(seen)
    return found


def is_open(x: Any) -> bool:
    """Can there be something inside? (Not in arrays, numbers, classes, modules.)"""
    return is_tree_node(type(x)) or (callable(x) and not isinstance(x, type))


def parts(name: str, x: Any) -> Iterator[Named]:
    """What is directly inside."""
    if isinstance(x, FunctionType):
        yield from of_function(x)
    elif isinstance(x, MethodType):
        yield "", x.__func__
        yield from attributes("self", x.__self__)
    elif isinstance(x, functools.partial):
        yield "", x.func
        yield from ((f"{name or 'partial'}.args[{k}]", v) for k, v in enumerate(x.args))
        yield from ((key, v) for key, v in x.keywords.items())
    elif is_tree_node(type(x)):
        yield from ((name + tree.keystr(path), leaf) for path, leaf in tree.leaves_with_path(x))
    else:
        yield from attributes(name, x)


def of_function(f: FunctionType) -> Iterator[Named]:
    """Cells, defaults, and those globals that are themselves traced."""
    code = f.__code__
    for name, cell in zip(code.co_freevars, f.__closure__ or (), strict=True):
        try:
            yield name, cell.cell_contents
        except ValueError:  # the variable has no value yet
            continue
    if f.__defaults__:
        last = code.co_varnames[: code.co_argcount][-len(f.__defaults__) :]
        yield from zip(last, f.__defaults__, strict=True)
    yield from (f.__kwdefaults__ or {}).items()
    names = f.__globals__
    yield from ((name, names[name]) for name in code.co_names if isinstance(names.get(name), Tracer))
    if hasattr(f, "__wrapped__"):
        yield "", f.__wrapped__


def attributes(name: str, x: Any) -> Iterator[Named]:
    """The attributes of an object, those in slots included."""
    names = [*getattr(x, "__dict__", ()), *(s for c in type(x).__mro__ for s in getattr(c, "__slots__", ()))]
    yield from ((f"{name}.{key}".lstrip("."), getattr(x, key)) for key in names if hasattr(x, key))
