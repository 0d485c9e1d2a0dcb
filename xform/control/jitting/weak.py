"""Python's numbers as arguments: they do not promote arrays (NEP 50), in a jitted function as little as outside.

    f = lambda a, s: a * s          f(a, 2.0) has the dtype of a          f(a, np.float64(2.0)) has that of both

An argument that is a Python number is a weak input of the program. What Python computes of such numbers alone is a
Python number again, so that stays weak. When the program has been written down, each weak variable is converted where
it meets arrays, to the dtype in which NumPy computes with it. After that the program means the same with strong inputs,
so that neither transformations nor backends need to know of weak ones.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from xform.core.aval import Aval
from xform.core.jaxpr import Eqn, Jaxpr, Var
from xform.core.primitive import Primitive
from xform.core.stage import StageTracer, WholeTrace, strong
from xform.ops.elementwise import Elementwise
from xform.ops.structure import convert

#: the operations that operators of Python's numbers are
_OPERATORS = frozenset({"add", "sub", "mul", "div", "neg", "pos", "abs", "pow", "floor_divide", "remainder"})
_PYTHON = {"b": bool, "i": int, "f": float, "c": complex}


class WeakTrace(WholeTrace):
    """Writes down a program whose inputs may be Python numbers."""

    __slots__ = ()

    def record(self, prim: Primitive, args: Any, params: dict[str, Any]) -> list[StageTracer]:
        outs = super().record(prim, args, params)
        if prim.name in _OPERATORS and not params and all(self.is_weak(x) for x in args):
            aval = outs[0].variable.aval
            outs[0].variable.aval = Aval((), aval.dtype, _PYTHON.get(aval.dtype.kind))
        return outs

    def is_weak(self, x: Any) -> bool:
        aval = x.variable.aval if type(x) is StageTracer and x._trace is self else None
        return type(x) in _PYTHON.values() if aval is None else aval.weak is not None


def strengthened(jaxpr: Jaxpr) -> Jaxpr:
    """The program with its weak variables converted where they meet arrays; the inputs stay marked as weak."""
    weak = {v for v in jaxpr.inputs if v.aval.weak} | {v for e in jaxpr.eqns for v in e.outputs if v.aval.weak}
    if not weak:
        return jaxpr
    renamed = {v: Var(strong(v.aval)) for v in weak.difference(jaxpr.inputs)}
    eqns: list[Eqn] = []
    for eqn in jaxpr.eqns:
        inputs = list(eqn.inputs)
        if not weak.isdisjoint(a for a in inputs if isinstance(a, Var)):
            dtype = met(eqn)
            for k, a in enumerate(inputs):
                if isinstance(a, Var) and a in weak:
                    inputs[k] = converted(eqns, renamed.get(a, a), dtype, eqn)
        outputs = [renamed.get(v, v) for v in eqn.outputs]
        eqns.append(Eqn(eqn.prim, inputs, eqn.params, outputs, eqn.source))
    outputs = [renamed.get(a, a) if isinstance(a, Var) else a for a in jaxpr.outputs]
    return Jaxpr(jaxpr.inputs, jaxpr.consts, eqns, outputs)


def converted(eqns: list[Eqn], v: Var, dtype: np.dtype | None, user: Eqn) -> Var:
    """The variable in that dtype, by one more equation if it has another one."""
    if dtype is None or v.aval.dtype == dtype:
        return v
    eqns.append(Eqn(convert, [v], {"dtype": dtype}, [Var(Aval((), dtype))], user.source))
    return eqns[-1].outputs[0]


def met(eqn: Eqn) -> np.dtype | None:
    """The dtype in which NumPy computes with the weak operands of an equation; None if that is their own."""
    avals = [a.aval for a in eqn.inputs]
    if all(a.weak for a in avals):
        return None
    if not eqn.outputs:
        return None
    out = eqn.outputs[0].aval.dtype
    common = common_dtype(avals[1:] if eqn.prim.name == "select" else avals)
    if isinstance(eqn.prim, Elementwise) and out.kind == "b":  # a comparison; of integers by value
        return common if common.kind in "fc" else None
    if keeps(eqn, [strong(a) for a in avals]):
        return None
    return common if keeps(eqn, [Aval((), common) if a.weak else a for a in avals]) else out


def keeps(eqn: Eqn, avals: Sequence[Aval]) -> bool:
    """Has it the same results with such operands?"""
    return eqn.prim.abstract(*avals, **eqn.params) == [v.aval for v in eqn.outputs]


def common_dtype(avals: Sequence[Aval]) -> np.dtype:
    return np.result_type(*(a.weak(0) if a.weak else a.dtype for a in avals))
