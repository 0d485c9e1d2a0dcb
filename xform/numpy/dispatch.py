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
from xform.core.trace import Tracer
from xform.ops.stack import as_dtype, asarray, has_tracer, promote, stack_list
from xform.ops.structure import broadcast_to

__all__ = [
    "IMPLEMENTATIONS",
    "ArrayLike",
    "as_dtype",
    "asarray",
    "broadcast_arrays",
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

#: our implementation of a NumPy function, for arguments of which at least one is traced
IMPLEMENTATIONS: dict[Any, Callable[..., Any]] = {}


def implements(*numpy_functions: Any) -> Callable[[F], F]:
    """Decorator: the function does, on tracers, what the given NumPy function(s) do on arrays.

    None stands for a function that the installed NumPy has not got; with nothing else given, ours does both.
    """
    known = [f for f in numpy_functions if f is not None]

    def decorate(ours: F) -> F:
        if not known:
            return ours
        theirs = known[0]
        for f in known:
            IMPLEMENTATIONS[f] = ours

        @functools.wraps(ours)
        def either(*args: Any, **kwargs: Any) -> Any:
            traced = (args and isinstance(args[0], Tracer)) or has_tracer(args, kwargs)
            return ours(*args, **kwargs) if traced else theirs(*args, **kwargs)

        return either  # type: ignore[return-value]

    return decorate


def broadcast_arrays(*arrays: Any) -> list[Any]:
    shape = np.broadcast_shapes(*(shape_of(a) for a in arrays))
    return [broadcast_to(asarray(a), shape) for a in arrays]


def reject(name: str, **given: Any) -> None:
    """An option that has no meaning for a traced array is refused, not ignored."""
    for option, value in given.items():
        if value is not None and value is not np._NoValue:
            raise TypeError(
                f"{name}: the option {option}={value!r:.40} cannot be used with a traced array, which cannot be "
                "written into; use the returned value instead"
            )


def location() -> str:
    """Where in the user's program we are, for messages."""
    frame = user_frame()
    return f" (at {frame[0]}:{frame[1]} in {frame[2]})" if frame else ""
