"""Constant folding: what depends on nothing is computed once, when the program is compiled.

Scalars become literals, small arrays consts. Only the library's own first-order primitives are evaluated; one that
raises is left where it is, so that the error comes when the program runs.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np

from xform.compile.passes.rewriting import MOST_ENTRIES, Rewriting
from xform.core.jaxpr import Atom, Eqn, Var
from xform.core.primitive import Primitive
from xform.core.trace import EVAL, using
from xform.ops.identity import optimization_barrier

#: what NumPy's functions raise of values that they do not take: it belongs to the run of the program
RAISED = (ArithmeticError, AttributeError, LookupError, RuntimeError, TypeError, ValueError, Warning)


def folded(program: Rewriting, eqn: Eqn) -> Sequence[Atom] | None:
    """The outputs as constants, if the inputs are constants and the outputs small."""
    values = program.values
    for a in eqn.inputs:
        if type(a) is Var and a not in values:
            return None
    if eqn.effect or not foldable(eqn.prim) or not all(is_small(v) for v in eqn.outputs):
        return None
    try:
        with np.errstate(all="ignore"), using(EVAL):
            outs = eqn.prim.numpy(*map(program.value, eqn.inputs), **eqn.params)
    except RAISED:
        return None
    return [program.const(fitted(y, v)) for y, v in zip(outs, eqn.outputs, strict=True)]


def fitted(y: Any, v: Var) -> Any:
    """The value in the dtype of its variable, which differs from that of a Python number."""
    return np.asarray(y, v.aval.dtype).reshape(v.aval.shape)


def is_small(v: Var) -> bool:
    return v.aval.dtype.kind in "biufc" and None not in v.aval.shape and v.aval.size <= MOST_ENTRIES


@cache
def foldable(prim: Primitive) -> bool:
    """Is its value known to depend on its operands alone?"""
    return type(prim).__module__.startswith("xform.ops.") and prim is not optimization_barrier and not prim.has_programs
