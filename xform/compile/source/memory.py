"""Which memory results are written to: buffers whose values are all dead take results of their shape and dtype.

Below a size where allocating costs less than what `out=` costs in the call, results are new arrays. In the body of a
loop a buffer is made before the loop, unless what is written to it lives on after the step.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

from xform.compile.source.signs import is_plain
from xform.compile.source.text import Block
from xform.compile.source.values import Buffer, Value
from xform.core.aval import Aval
from xform.core.jaxpr import Jaxpr, Var
from xform.core.primitive import Primitive
from xform.ops.elementwise import Elementwise

#: arrays of fewer entries are always new
LARGE = 2000


#: beside ufuncs and operators, the operations whose results share no memory with operands
NEW = frozenset({
    "mul_zero", "mul_zeros", "stop_gradient", "clamp", "select", "convert", "contract", "concatenate", "stack", "pad",
    "reduce_sum", "reduce_max", "reduce_min", "reduce_prod", "scatter_sum", "dynamic_slice", "dynamic_pad",
})  # fmt: skip


def key_of(aval: Aval) -> Any:
    """What a buffer must agree in with the value that it takes; None for a value that takes none."""
    return (aval.shape, aval.dtype) if is_large(aval) and None not in aval.shape else None


def is_large(aval: Aval) -> bool:
    """Is it worth while to release its memory before the program ends?"""
    return bool(aval.shape) and (None in aval.shape or aval.size >= LARGE)


class Frame:
    """The values of a program that is being written down, and the buffers that are free while it is."""

    def __init__(self, jaxpr: Jaxpr, pool: Pool) -> None:
        self.env: dict[Var, Value] = {}
        self.pool = pool
        self.lasting = lasting(jaxpr) if pool.before is not None else frozenset()


class Pool:
    """Free buffers; those of a loop are made in the block `before` it."""

    def __init__(self, before: Block | None = None) -> None:
        self.before = before
        self.free: dict[Any, list[Buffer]] = {}
        self.wanted: Counter[Any] = Counter()

    def expect(self, jaxpr: Jaxpr) -> None:
        """Count the results that a program will want buffers for."""
        self.wanted.update(key_of(v.aval) for e in jaxpr.eqns if isinstance(e.prim, Elementwise) for v in e.outputs)

    def put(self, buffer: Buffer) -> bool:
        """Keep a buffer that is free now, if it will be wanted."""
        if buffer.owned and buffer.key is not None and self.wanted[buffer.key] > 0:
            self.free.setdefault(buffer.key, []).append(buffer)
            return True
        return False

    def take(self, key: Any, lasting: bool) -> Buffer | None:
        """A free buffer; what lasts beyond a step may not be in one that the next step writes to."""
        self.wanted[key] -= 1
        found = self.free.get(key, ())
        for k in range(len(found) - 1, -1, -1):
            if not (lasting and found[k].held):
                return found.pop(k)  # type: ignore[union-attr]
        return None


def lasting(jaxpr: Jaxpr) -> frozenset[Var]:
    """The variables with whose memory an output may be connected."""
    found = {v for v in jaxpr.outputs if isinstance(v, Var)}
    for eqn in reversed(jaxpr.eqns):
        if not is_new(eqn.prim) and not found.isdisjoint(eqn.outputs):
            found.update(v for v in eqn.inputs if isinstance(v, Var))
    return frozenset(found)


def is_new(prim: Primitive) -> bool:
    """Are its results always in memory of their own?"""
    return prim.name in NEW or (isinstance(prim, Elementwise) and is_plain(prim.function))
