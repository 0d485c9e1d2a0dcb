"""Finding traced values that outlive their transformation, and who holds them, by asking the garbage collector."""

from __future__ import annotations

import gc
import sys
import weakref
from collections.abc import Callable, Iterator, Sequence
from types import CellType, FrameType, FunctionType, MethodType, ModuleType, TracebackType
from typing import Any

from xform.core.checking import described, state
from xform.core.errors import LeakedTracerError, is_library, short_name
from xform.core.trace import Trace, Tracer

#: through how many containers a holder is looked for
DEPTH = 6
#: how many holders a message names
NAMED = 3


def audited(function: Callable[..., Any], args: Any, kwargs: Any) -> Any:
    """Call a transformation's function; LeakedTracerError if a tracer of a trace that began in it is still there."""
    mark = len(state.begun)
    try:
        out = function(*args, **kwargs)
        args = kwargs = None
        check_ended(state.begun[mark:])
        return out
    finally:
        del state.begun[mark:]
        if not mark:
            state.makers.clear()


def check_ended(traces: Sequence[weakref.ref[Trace]]) -> None:
    """Raise LeakedTracerError for a surviving tracer of one of the traces; cyclic garbage does not count."""
    if survivors(traces):
        gc.collect()
        for x in survivors(traces):
            raise LeakedTracerError(leak_message(x))


def survivors(traces: Sequence[weakref.ref[Trace]]) -> list[Tracer]:
    """The tracers of the traces; a trace that is gone has none, for they hold it."""
    alive = [trace for r in traces if (trace := r()) is not None]
    referrers = gc.get_referrers(*alive) if alive else []
    return [x for x in referrers if isinstance(x, Tracer) and any(x._trace is t for t in alive)]


def leak_message(x: Tracer) -> str:
    maker = state.makers.get(id(x))
    made = f"made by '{maker[1]}'{described(maker[2])}" if maker and maker[0]() is x else "one of its arguments"
    held = list(dict.fromkeys(holders(x)))
    if len(held) > NAMED:
        held[NAMED:] = [f"{len(held) - NAMED} more"]
    return (
        f"a traced value of {x.aval}, {made}, outlives {x._trace.origin or 'its transformation'}: it is held by "
        f"{', and by '.join(held) or 'an object that Python cannot name'}. Return the value from the transformed "
        "function instead of keeping it; if it is extra output, use has_aux=True."
    )


def holders(x: Any) -> Iterator[str]:
    """Who keeps `x` alive, in the user's words: variables, attributes, entries of containers that these hold."""
    frames = running_frames()
    seen = {id(x), *map(id, frames)}
    level: list[tuple[Any, str]] = [(x, "")]
    for _ in range(DEPTH):
        above: list[tuple[Any, str]] = []
        seen.update(map(id, (level, above)))
        for target, inside in level:
            yield from (inside + variable_in(f, target) for f in frames if key_of(f.f_locals, target) is not None)
            referrers = gc.get_referrers(target)
            seen.add(id(referrers))
            for holder in referrers:
                if id(holder) in seen or is_ours(holder, level):
                    continue
                seen.add(id(holder))
                name = name_in(holder, target)
                if name is not None:
                    yield inside + name
                else:
                    above.append((holder, inside + place_in(holder, target)))
        level = above


def running_frames() -> list[FrameType]:
    """The user's functions that are being called; the garbage collector does not know of their variables."""
    found = []
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        if not is_library(frame.f_code.co_filename) and frame.f_locals is not frame.f_globals:
            found.append(frame)
        frame = frame.f_back
    return found


def variable_in(frame: FrameType, target: Any) -> str:
    code = frame.f_code
    where = f"`{code.co_name}` ({short_name(code.co_filename)}:{frame.f_lineno})"
    return f"the variable {key_of(frame.f_locals, target)!r} of {where}"


def is_ours(holder: Any, level: list[Any]) -> bool:
    """Is it a part of this search, or a frame or traceback of xform itself?"""
    if isinstance(holder, FrameType):
        return is_library(holder.f_code.co_filename)
    return type(holder) is tuple and any(holder is pair for pair in level)


def name_in(holder: Any, target: Any) -> str | None:
    """The variable or attribute by which `holder` has `target`, or None if it is a container."""
    match holder:
        case FrameType():
            return variable_in(holder, target)
        case ModuleType():
            return f"the global {key_of(vars(holder), target)!r} of module {holder.__name__}"
        case dict() if "__builtins__" in holder or is_module_dict(holder):
            return f"the global {key_of(holder, target)!r} of module {holder.get('__name__')}"
        case dict() if (owner := owner_of(holder)) is not None:
            return f"the attribute {key_of(holder, target)!r} of {owner}"
        case CellType():
            return captured_in(holder)
        case dict() | list() | tuple() | set() | frozenset() | MethodType():
            return None
        case TracebackType():
            return "the traceback of an exception that is being kept"
        case Tracer():
            return None
    attribute = attribute_of(holder, target)
    return None if attribute is None else f"the attribute {attribute!r} of {phrase(holder)}"


def captured_in(cell: CellType) -> str | None:
    """The variable by which a function closes over what the cell holds."""
    for closure in gc.get_referrers(cell):
        for f in gc.get_referrers(closure) if type(closure) is tuple else ():
            if isinstance(f, FunctionType) and f.__closure__ is closure:
                name = f.__code__.co_freevars[next(k for k, c in enumerate(closure) if c is cell)]
                return f"the variable {name!r} that `{f.__qualname__}` closes over"
    return None


def is_module_dict(holder: dict[Any, Any]) -> bool:
    module = sys.modules.get(holder.get("__name__") or "")
    return module is not None and vars(module) is holder


def owner_of(holder: dict[Any, Any]) -> str | None:
    """The object whose attributes a dictionary has."""
    for owner in gc.get_referrers(holder):
        of_class = isinstance(owner, type) and any(x is holder for x in gc.get_referents(owner))
        if of_class or getattr(owner, "__dict__", None) is holder:
            return phrase(owner)
    return None


def phrase(x: Any) -> str:
    if isinstance(x, type):
        return f"the class {x.__qualname__}"
    if isinstance(x, FunctionType):
        return f"the function {x.__qualname__}"
    return f"an object of type {type(x).__qualname__}"


def attribute_of(holder: Any, target: Any) -> str | None:
    """The name of an attribute, of a dictionary or a slot."""
    name = key_of(getattr(holder, "__dict__", {}), target)
    if name is not None:
        return name
    slots = [s for kind in type(holder).__mro__ for s in as_tuple(kind.__dict__.get("__slots__", ()))]
    return next((s for s in slots if getattr(holder, s, None) is target), None)


def as_tuple(slots: Any) -> tuple[str, ...]:
    return (slots,) if isinstance(slots, str) else tuple(slots)


def key_of(mapping: Any, target: Any) -> Any:
    return next((key for key, value in list(mapping.items()) if value is target), None)


def place_in(holder: Any, target: Any) -> str:
    """Where in a container the target is, to be followed by who has the container."""
    match holder:
        case dict():
            return f"the entry {key_of(holder, target)!r} of a dict that is "
        case list() | tuple():
            index = next((k for k, x in enumerate(holder) if x is target), None)
            return f"the entry {index} of a {type(holder).__name__} that is "
    return f"a {type(holder).__name__} that is "
