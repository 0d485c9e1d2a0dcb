"""How NumPy finds us: its functions and ufuncs called on tracers, and the conversions that would lose a derivative."""

from __future__ import annotations

from typing import Any

import numpy as np

from xform.core.errors import ConcretizationError, TracerAssignmentError
from xform.core.trace import NO_PARAMS, Tracer, concrete_or_raise, context
from xform.numpy.dispatch import IMPLEMENTATIONS, location
from xform.numpy.ufuncs import call_ufunc
from xform.ops.elementwise import BY_UFUNC
from xform.ops.operators import PLAIN


def array_ufunc(self: Tracer, ufunc: np.ufunc, method: str, *inputs: Any, **kwargs: Any) -> Any:
    """np.exp(tracer) and the like; in the common case the primitive is applied without any further ado."""
    if method == "__call__" and not kwargs:
        prim = BY_UFUNC.get(ufunc)
        if prim is not None and (len(inputs) == 1 or all(x is self or type(x) in PLAIN for x in inputs)):
            return context.trace.process(prim, inputs, NO_PARAMS)[0]
    return call_ufunc(ufunc, method, inputs, kwargs)


def array_function(self: Tracer, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
    """np.sum(tracer) and the like."""
    ours = IMPLEMENTATIONS.get(function)
    if ours is None:
        name = f"{function.__module__}.{function.__name__}"
        raise TypeError(
            f"{name} has no derivative rule and cannot take a traced array{location()}. Write it with other functions, "
            "or wrap it as a primitive with rules of your own (xform.extend)"
        )
    return ours(*args, **kwargs)


def refuse_array(self: Tracer, dtype: Any = None, copy: Any = None) -> Any:
    raise ConcretizationError(
        f"a traced array of {self.aval} in {self.trace.origin} was to be converted to a plain ndarray{location()}, which "
        "would lose its derivative. Use xform.numpy.asarray / xform.numpy.array / xform.numpy.stack (or numpy.stack) to "
        "build arrays from traced values, x.at[i].set(v) to write them into an array, xform.numpy.full to fill one"
    )


def refuse_float(self: Tracer) -> Any:
    raise ConcretizationError(
        f"float() or a function of the math module was applied to a traced value of {self.aval} in {self.trace.origin}"
        f"{location()}, which would lose its derivative. Leave out float(); write numpy.sin(x) instead of math.sin(x)"
    )


def refuse_complex(self: Tracer) -> Any:
    raise ConcretizationError(
        f"complex() was applied to a traced value of {self.aval} in {self.trace.origin}{location()}, which would lose its "
        "derivative. Leave it out, or write x.astype(complex)"
    )


def refuse_assignment(self: Tracer, index: Any, value: Any) -> None:
    raise TracerAssignmentError(
        f"a traced array of {self.aval} in {self.trace.origin} cannot be assigned into{location()}. "
        "Instead of x[index] = value write x = x.at[index].set(value), instead of x[index] += value write "
        "x = x.at[index].add(value)"
    )


def as_bool(self: Tracer) -> bool:
    value = concrete_or_raise(
        self,
        "a condition (if, while, and, or, not, assert)",
        "Write xform.numpy.where(condition, a, b) instead of an if statement",
    )
    return bool(value)


def as_int(self: Tracer) -> int:
    return int(concrete_or_raise(self, "int()", "Leave out int(), or make the value an argument that is not traced"))


def as_index(self: Tracer) -> int:
    value = concrete_or_raise(
        self, "an index, a range or a repetition count", "Use x[i] on an array with a traced integer array i, or a static value"
    )
    if value.dtype.kind not in "iu":
        raise TypeError(f"only integers can be used as an index, not a traced value of {self.aval}")
    return value.__index__()


Tracer.__array_ufunc__ = array_ufunc  # type: ignore[attr-defined]
Tracer.__array_function__ = array_function  # type: ignore[attr-defined]
Tracer.__array__ = refuse_array  # type: ignore[attr-defined]
Tracer.__float__ = refuse_float  # type: ignore[attr-defined]
Tracer.__complex__ = refuse_complex  # type: ignore[attr-defined]
Tracer.__setitem__ = refuse_assignment  # type: ignore[attr-defined]
Tracer.__bool__ = as_bool  # type: ignore[attr-defined]
Tracer.__int__ = as_int  # type: ignore[attr-defined]
Tracer.__index__ = as_index  # type: ignore[attr-defined]
