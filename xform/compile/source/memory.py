"""Which memory results are written to: buffers whose values are all dead take results of their shape and dtype.

Below a size where allocating costs less than what `out=` costs in the call, results are new arrays. In the body of a
loop a buffer is made before the loop, unless what is written to it lives on after the step.
"""

from __future__ import annotations

import math
from collections import Counter
from typing import Any

from xform.compile.source.text import Block
from xform.compile.source.values import Buffer, Value
from xform.core.aval import Aval
from xform.core.jaxpr import Jaxpr, Var
from xform.ops.elementwise import Elementwise

#: arrays of fewer entries are always new
LARGE = 2000

#: of these the results may share memory with the first operand
VIEWS = frozenset({"reshape", "transpose", "slice", "broadcast", "name", "gather"})


def key_of(aval: Aval) -> Any:
    """What a buffer must agree in with the value that it takes; None for a value that takes none."""
    if None in aval.shape or math.prod(aval.shape) < LARGE:
        return None
    return aval.shape, aval.dtype


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
        if not isinstance(eqn.prim, Elementwise) and not found.isdisjoint(eqn.outputs):
            found.update(v for v in eqn.inputs if isinstance(v, Var))
    return frozenset(found)
