"""NumPy's ufuncs called on tracers with options, or by their methods reduce, accumulate, outer, at, reduceat."""

from __future__ import annotations

from typing import Any

import numpy as np

from xform.core.trace import NO_PARAMS, context
from xform.numpy.dispatch import IMPLEMENTATIONS, location
from xform.ops.elementwise import BY_UFUNC
from xform.ops.operators import operand


def call_ufunc(ufunc: np.ufunc, method: str, inputs: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """The general case of `Tracer.__array_ufunc__`."""
    prim = BY_UFUNC.get(ufunc)
    if method == "__call__" and prim is not None and not kwargs:
        operands = [operand(x) for x in inputs]
        if any(x is NotImplemented for x in operands):
            return NotImplemented
        return context.trace.process(prim, operands, NO_PARAMS)[0]
    raise TypeError(f"{ufunc.__name__}.{method} of a traced array with {kwargs}{location()}")


_ = IMPLEMENTATIONS
