"""Python's operators on tracers, and NumPy's ufuncs called with them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from xform.core.primitive import Primitive
from xform.core.trace import NO_PARAMS, Tracer, context
from xform.ops import arithmetic as a
from xform.ops import logic as b
from xform.ops.stack import asarray

#: operands taken as they are; sequences become arrays, anything else gets a chance to handle the operation itself
PLAIN = frozenset({float, int, bool, np.ndarray, np.float64, np.float32, np.int64, np.bool_})

BINARY = {
    "add": a.add, "sub": a.sub, "mul": a.mul, "truediv": a.div, "pow": a.power, "floordiv": a.floor_divide,
    "mod": a.remainder, "and": b.bitwise_and, "or": b.bitwise_or, "xor": b.bitwise_xor,
    "lshift": b.left_shift, "rshift": b.right_shift,
}  # fmt: skip
COMPARISONS = {"eq": b.eq, "ne": b.ne, "lt": b.lt, "le": b.le, "gt": b.gt, "ge": b.ge}
UNARY = {"neg": a.neg, "pos": a.pos, "abs": a.absolute, "invert": b.invert}


def operand(x: Any) -> Any:
    """`x` as an operand of an operator; NotImplemented if it is not one."""
    if isinstance(x, Tracer | np.ndarray | np.generic | float | int | complex):
        return x
    return asarray(x) if isinstance(x, list | tuple) else NotImplemented


def left_operand(x: Any, other: Any) -> Any:
    """Python's complex numbers take np.float64 for a Python number, and the result is one; NumPy's give NumPy's."""
    return np.complex128(x) if type(x) is complex and not other.shape and other.dtype == np.float64 else x


def binary(prim: Primitive) -> Callable[[Tracer, Any], Any]:
    def forward(self: Tracer, other: Any) -> Any:
        if type(other) not in PLAIN and (other := operand(other)) is NotImplemented:
            return other
        return context.trace.process(prim, (self, other), NO_PARAMS)[0]

    return forward


def reflected(prim: Primitive) -> Callable[[Tracer, Any], Any]:
    def backward(self: Tracer, other: Any) -> Any:
        if type(other) not in PLAIN:
            if (other := operand(other)) is NotImplemented:
                return other
            other = left_operand(other, self)
        return context.trace.process(prim, (other, self), NO_PARAMS)[0]

    return backward


def unary(prim: Primitive) -> Callable[[Tracer], Any]:
    return lambda self: context.trace.process(prim, (self,), NO_PARAMS)[0]


for name, prim in BINARY.items():
    setattr(Tracer, f"__{name}__", binary(prim))
    setattr(Tracer, f"__r{name}__", reflected(prim))
for name, prim in COMPARISONS.items():
    setattr(Tracer, f"__{name}__", binary(prim))
for name, prim in UNARY.items():
    setattr(Tracer, f"__{name}__", unary(prim))
