"""The check of an iteration that has ended: in C, and where it fails once more in NumPy, which words the error."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from xform.compile.c.kernels.lanes import over_entries
from xform.compile.c.text.emit import Emitter
from xform.compile.c.text.values import Value, View
from xform.core.jaxpr import Eqn


def converged(emit: Emitter, eqn: Eqn, args: Sequence[Value], places: Sequence[View | None]) -> list[Value] | None:
    """x, if error <= bound and error < inf everywhere."""
    error, bound = (emit.view(x) for x in args[1:])
    if error.shape != bound.shape:
        return None
    failed = emit.variable(np.dtype(np.int32), "0")
    infinity = "__builtin_inf()"
    over_entries(emit, [error, bound], lambda e, b: emit.line(f"{failed} |= !(({e} <= {b}) & ({e} < {infinity}));"))
    with emit.scope() as body:
        emit.callback(eqn, args)
    emit.put(f"if (__builtin_expect({failed}, 0))", body)
    emit.serialize()
    return [args[0]]
