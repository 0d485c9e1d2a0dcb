"""How NumPy finds us: its functions and ufuncs called on tracers, and the conversions that would lose a derivative.

Under eager differentiation a tracer carries its value, so that what leaves differentiable ground knowingly (`if`,
`int`, an index) works. What would take the value for a number to go on with (`float`, `math.sin`, `np.asarray`) does
not: the derivative would silently be lost.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from xform.core.errors import ConcretizationError
from xform.core.trace import NO_PARAMS, Tracer, concrete_or_raise, context, is_constant
from xform.numpy.dispatch import IMPLEMENTATIONS, location
from xform.numpy.later import load_counterpart
from xform.numpy.ufuncs import call_ufunc
from xform.ops.elementwise import BY_UFUNC
from xform.ops.operators import PLAIN


def array_ufunc(self: Tracer, ufunc: np.ufunc, method: str, *inputs: Any, **kwargs: Any) -> Any:
    """np.exp(tracer) and the like; in the common case the primitive is applied without any further ado."""
    if method == "__call__" and not kwargs:
        prim = BY_UFUNC.get(ufunc)
        if prim is not None and (len(inputs) == 1 or (len(inputs) == 2 and is_plain_pair(self, *inputs))):
            return context.trace.process(prim, inputs, NO_PARAMS)[0]
    return call_ufunc(ufunc, method, inputs, kwargs)


def is_plain_pair(self: Tracer, first: Any, second: Any = None, *more: Any) -> bool:
    other = second if first is self else first
    return not more and (type(other) in PLAIN or type(other) is type(self))


def array_function(self: Tracer, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
    """np.sum(tracer) and the like."""
    ours = IMPLEMENTATIONS.get(function)
    if ours is None and load_counterpart(function):
        ours = IMPLEMENTATIONS.get(function)
    if ours is not None:
        return ours(*args, **kwargs)
    if any(not issubclass(t, Tracer | np.ndarray) for t in types):
        return NotImplemented
    name = f"{function.__module__}.{function.__name__}"
    raise TypeError(
        f"{name} has no derivative rule and cannot take a traced array{location()}. Write it with other functions, "
        "or wrap it as a primitive with rules of your own (xform.extend)"
    )


def has_value(x: Tracer) -> bool:
    """Can the value be handed out without loss: has it no derivative, and is it known?"""
    return (x.dtype.kind not in "fc" or is_constant(x)) and x.concrete() is not None


#: how to read entries at traced integers
READS = (
    "To read a plain array `a` at a traced integer i write xform.numpy.at(a)[i].get() instead of a[i], to read n from "
    "there on i + numpy.arange(n) instead of i:i+n"
)


def refuse_array(self: Tracer, dtype: Any = None, copy: Any = None) -> Any:
    if has_value(self):
        return np.array(self.concrete(), dtype)
    if self.dtype.kind in "iub":
        raise ConcretizationError(
            f"a traced array of {self.aval} in {self._trace.origin} was to become a plain ndarray{location()}, "
            f"but its values are not known. {READS}; where(mask, a, b) instead of a[mask]"
        )
    raise ConcretizationError(
        f"a traced array of {self.aval} in {self._trace.origin} was to become a plain ndarray{location()}, "
        "which would lose its derivative. Use xform.numpy.array, asarray or stack to build arrays from traced values, "
        "xform.numpy.full to fill one; make an array to write into, a[i] = x, with xform.numpy.zeros or copy instead "
        "of numpy's, inside the transformed function; numpy.f(a, x) instead of the method a.f(x) of a plain array; "
        "and xform.numpy.r_, c_ and vectorize instead of numpy's"
    )


def refuse_float(self: Tracer) -> Any:
    if has_value(self):
        return float(self.concrete())
    raise ConcretizationError(
        f"a traced value of {self.aval} in {self._trace.origin} was to become a Python number{location()}, by float(), "
        "a function of the math module, or by writing it into a plain array, which would lose its derivative. Leave "
        "out float(); write numpy.sin(x) for math.sin(x), and make an array to write into, a[i] = x, with "
        "xform.numpy.zeros or copy instead of numpy's, inside the transformed function"
    )


def refuse_complex(self: Tracer) -> Any:
    if has_value(self):
        return complex(self.concrete())
    raise ConcretizationError(
        f"a traced value of {self.aval} in {self._trace.origin} was to become a Python number{location()}, by "
        "complex(), a function of the cmath module, or by writing it into a plain array, which would lose its "
        "derivative. Leave out complex(), or write x.astype(complex); make an array to write into, a[i] = x, with "
        "xform.numpy.zeros or copy instead of numpy's, inside the transformed function"
    )


def as_bool(self: Tracer) -> bool:
    value = concrete_or_raise(
        self,
        "a condition (if, while, and, or, not, assert)",
        "Write xform.lax.cond, or xform.numpy.where(condition, a, b), instead of an if statement, xform.lax.while_loop "
        "instead of a while loop, numpy.logical_and, logical_or and logical_not instead of and, or and not",
    )
    return bool(value)


def as_int(self: Tracer) -> int:
    return int(whole(self, "int()"))


def as_index(self: Tracer) -> int:
    value = concrete_or_raise(
        self,
        "an index, a range or a repetition count",
        f"{READS}; or make the value an argument that is not traced",
    )
    if value.dtype.kind not in "iu":
        raise TypeError(f"only integers can be used as an index, not a traced value of {self.aval}; use int(x)")
    return value.__index__()


def whole(self: Tracer, what: str) -> Any:
    """The value, to be made a Python integer."""
    value = concrete_or_raise(self, what, f"Leave out {what}, or make the value an argument that is not traced")
    return value.item()


def rounded(self: Tracer, ndigits: int | None = None) -> Any:
    """round(x) is an integer, round(x, n) an array; neither has a derivative."""
    return round(whole(self, "round()")) if ndigits is None else IMPLEMENTATIONS[np.round](self, ndigits)


Tracer.__array_ufunc__ = array_ufunc  # type: ignore[attr-defined]
Tracer.__array_function__ = array_function  # type: ignore[attr-defined]
Tracer.__array__ = refuse_array  # type: ignore[attr-defined]
Tracer.__float__ = refuse_float  # type: ignore[attr-defined]
Tracer.__complex__ = refuse_complex  # type: ignore[attr-defined]
Tracer.__bool__ = as_bool  # type: ignore[attr-defined]
Tracer.__int__ = as_int  # type: ignore[attr-defined]
Tracer.__index__ = as_index  # type: ignore[attr-defined]
Tracer.__round__ = rounded  # type: ignore[attr-defined]
Tracer.__trunc__ = lambda self: math.trunc(whole(self, "math.trunc()"))  # type: ignore[attr-defined]
Tracer.__floor__ = lambda self: math.floor(whole(self, "math.floor()"))  # type: ignore[attr-defined]
Tracer.__ceil__ = lambda self: math.ceil(whole(self, "math.ceil()"))  # type: ignore[attr-defined]
