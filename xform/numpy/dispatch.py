"""One definition per function, both doors: `xform.numpy.f` and, through NumPy's protocols, `numpy.f` on tracers.

    @implements(np.sum)
    def sum(a, axis=None, ...): ...          written for tracers, in primitives

The decorated function calls NumPy itself when no argument is traced, so that values, dtypes and errors are NumPy's; the
undecorated one is what `numpy.sum(tracer)` arrives at.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, TypeAlias, TypeVar

import numpy as np

from xform.core.aval import shape_of
from xform.core.errors import user_frame
from xform.core.stage import is_staging
from xform.core.trace import EVAL, Tracer, context
from xform.numpy.views import viewed
from xform.ops.stack import as_dtype, asarray, has_tracer, promote, stack_list
from xform.ops.structure import broadcast, broadcast_to

__all__ = [
    "IMPLEMENTATIONS",
    "ArrayLike",
    "as_dtype",
    "asarray",
    "broadcast_arrays",
    "fresh",
    "has_tracer",
    "implements",
    "location",
    "promote",
    "reject",
    "stack_list",
]

F = TypeVar("F", bound=Callable[..., Any])

#: an array, a traced value, a number, or nested lists of them: to a type checker anything, for no type says all that
ArrayLike: TypeAlias = Any

#: smaller arrays are parts of a program as they are
FEW = 16

#: our implementation of a NumPy function, for arguments of which at least one is traced
IMPLEMENTATIONS: dict[Any, Callable[..., Any]] = {}


def implements(*numpy_functions: Any, makes: bool = False) -> Callable[[F], F]:
    """Decorator: the function does, on tracers, what the given NumPy function(s) do on arrays.

    None stands for a function that the installed NumPy has not got; with nothing else given, ours does both. One that
    `makes` new arrays makes, inside a transformation, such as traced values can be written into.
    """
    known = [f for f in numpy_functions if f is not None]

    def decorate(ours: F) -> F:
        if not known:
            return ours
        theirs = known[0]
        for f in known:
            IMPLEMENTATIONS[f] = viewed(f, ours)
        if makes:
            return functools.wraps(ours)(maker(theirs))  # type: ignore[return-value]

        @functools.wraps(ours)
        def either(*args: Any, **kwargs: Any) -> Any:
            traced = (args and isinstance(args[0], Tracer)) or has_tracer(args, kwargs)
            return IMPLEMENTATIONS[theirs](*args, **kwargs) if traced else theirs(*args, **kwargs)

        return either  # type: ignore[return-value]

    return decorate


def maker(theirs: Callable[..., Any]) -> Callable[..., Any]:
    """A function that makes new arrays."""

    def make(*args: Any, **kwargs: Any) -> Any:
        if (args and isinstance(args[0], Tracer)) or has_tracer(args, kwargs):
            return IMPLEMENTATIONS[theirs](*args, **kwargs)
        y = theirs(*args, **kwargs)
        return y if context.trace is EVAL else fresh(y)

    return make


def fresh(value: Any, recipe: Any = None) -> Any:
    """A new array as one of the current transformation, so that traced values can be written into it."""
    trace = context.trace
    if trace.is_ground or not isinstance(value, np.ndarray | Tracer) or value.dtype.kind not in "fciub":
        return value
    new = trace.constant(value, recipe or filling(value))
    if isinstance(new, Tracer) and not new.shape:
        new._memory = None  # an array without axes, not a number
    return new


def filling(value: Any) -> Any:
    """How a program makes an array of equal entries; None for others."""
    if type(value) is not np.ndarray or value.size <= FEW or not is_staging():
        return None
    first = value.flat[0]
    axes = tuple(range(value.ndim))
    return (broadcast, (first,), {"shape": value.shape, "axes": axes}) if np.all(value == first) else None


def broadcast_arrays(*arrays: Any) -> list[Any]:
    shape = np.broadcast_shapes(*(shape_of(a) for a in arrays))
    return [broadcast_to(asarray(a), shape) for a in arrays]


def reject(name: str, **given: Any) -> None:
    """An option that has no meaning for a traced array is refused, not ignored."""
    for option, value in given.items():
        if value is not None and value is not np._NoValue:
            raise TypeError(
                f"{name}: the option {option}={value!r:.40} cannot be used with a traced array here; use the returned "
                "value instead"
            )


def location() -> str:
    """Where in the user's program we are, for messages."""
    frame = user_frame()
    return f" (at {frame[0]}:{frame[1]} in {frame[2]})" if frame else ""
