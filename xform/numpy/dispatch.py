"""One definition per function, both doors: `xform.numpy.f` and, through NumPy's protocols, `numpy.f` on tracers.

    @implements(np.sum)
    def sum(a, axis=None, ...): ...          written for tracers, in primitives

The decorated function calls NumPy itself when no argument is traced, so that values, dtypes and errors are NumPy's; the
undecorated one is what `numpy.sum(tracer)` arrives at.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np

from xform.core.aval import shape_of
from xform.core.errors import user_frame
from xform.core.trace import Tracer
from xform.ops.structure import broadcast_to, convert, reshape

F = TypeVar("F", bound=Callable[..., Any])

#: our implementation of a NumPy function, for arguments of which at least one is traced
IMPLEMENTATIONS: dict[Any, Callable[..., Any]] = {}


def implements(*numpy_functions: Any) -> Callable[[F], F]:
    """Decorator: the function does, on tracers, what the given NumPy function(s) do on arrays."""

    def decorate(ours: F) -> F:
        theirs = numpy_functions[0]
        for f in numpy_functions:
            IMPLEMENTATIONS[f] = ours

        @functools.wraps(ours)
        def either(*args: Any, **kwargs: Any) -> Any:
            return ours(*args, **kwargs) if has_tracer(args, kwargs) else theirs(*args, **kwargs)

        return either  # type: ignore[return-value]

    return decorate


def has_tracer(args: Any, kwargs: dict[str, Any]) -> bool:
    """Is an argument, or an entry of a (nested) list or tuple among them, a tracer?"""
    stack = [*args, *kwargs.values()]
    while stack:
        x = stack.pop()
        if isinstance(x, Tracer):
            return True
        if type(x) in (list, tuple):
            stack.extend(x)
    return False


def asarray(x: Any) -> Any:
    """A value of a function's argument: tracers and arrays as they are, nested lists stacked, numbers as scalars."""
    if isinstance(x, Tracer | np.ndarray | np.generic):
        return x
    if isinstance(x, list | tuple) and has_tracer(x, {}):
        return stack_list(x)
    return np.asarray(x)


def stack_list(items: list[Any] | tuple[Any, ...]) -> Any:
    """np.array of a list that has tracers in it: convert entries, promote, join along a new first axis."""
    from xform.ops.structure import concatenate

    arrays = [asarray(x) for x in items]
    shapes = {shape_of(a) for a in arrays}
    if len(shapes) > 1:
        raise ValueError(f"the list is ragged: its entries have shapes {sorted(shapes)}; wanted one shape")
    dtype = np.result_type(*(a.dtype for a in arrays))
    rows = [reshape(as_dtype(a, dtype), shape=(1, *a.shape)) for a in arrays]
    return concatenate(*rows, axis=0)


def as_dtype(x: Any, dtype: Any) -> Any:
    """`x` in a dtype, unchanged if it has it (None: any will do)."""
    return x if dtype is None or x.dtype == dtype else convert(x, dtype=np.dtype(dtype))


def promote(*arrays: Any) -> list[Any]:
    """Arrays in their common dtype."""
    arrays = tuple(asarray(a) for a in arrays)
    dtype = np.result_type(*(a.dtype for a in arrays))
    return [as_dtype(a, dtype) for a in arrays]


def broadcast_arrays(*arrays: Any) -> list[Any]:
    shape = np.broadcast_shapes(*(shape_of(a) for a in arrays))
    return [broadcast_to(asarray(a), shape) for a in arrays]


def reject(name: str, **given: Any) -> None:
    """An option that has no meaning for a traced array is refused, not ignored."""
    for option, value in given.items():
        if value is not None and value is not np._NoValue:
            raise TypeError(
                f"{name}: the option {option}={value!r:.40} cannot be used with a traced array, which cannot be written "
                f"into; use the returned value instead"
            )


def location() -> str:
    """Where in the user's program we are, for messages."""
    frame = user_frame()
    return f" (at {frame[0]}:{frame[1]} in {frame[2]})" if frame else ""
