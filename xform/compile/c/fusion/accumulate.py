"""Sums, products and extremes over the steps of a loop.

A sum of numbers is taken in blocks, each by several accumulators at a time; the sums of the blocks are added with what
each addition rounds off kept in a second number (Knuth's two-sum), so that the error does not grow with the length.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from xform.compile.c.text.emit import Emitter
from xform.compile.c.text.helpers import c_literal
from xform.compile.c.text.scalars import REDUCTIONS
from xform.compile.c.text.values import Scalars, Value, View
from xform.core.aval import Aval
from xform.core.primitive import Primitive

#: additions in a block
BLOCK = 512

#: the operator of a reduction clause, by primitive
OPERATORS = {
    "add": "+", "mul": "*", "max": "max", "min": "min", "logical_and": "&", "logical_or": "|", "logical_xor": "^",
}  # fmt: skip

#: the operation that combines what the steps give
COMBINED = {"contract": "add", "scatter_add": "add", **REDUCTIONS}


class Accumulator:
    """The total of one reduction, in C variables, or in memory if it is large or written at computed places."""

    def __init__(self, emit: Emitter, name: str, aval: Aval, steps: Any, destination: View | None) -> None:
        self.emit, self.aval = emit, aval
        self.prim = Primitive.registry[COMBINED[name]]
        self.in_memory = name == "scatter_add" or aval.size > emit.most
        self.memory: View | None = None
        self.blocked = False
        start = self.start()
        if self.in_memory:
            self.memory = destination or emit.buffer(aval.shape, aval.dtype)
            emit.fill(self.memory, start)
            emit.keep(self.memory)
            return
        self.totals = np.empty(aval.shape, object)
        for k in np.ndindex(*aval.shape):
            self.totals[k] = emit.variable(aval.dtype, c_literal(start, aval.dtype))
        self.now = self.totals  # the variables that a step adds to
        is_sum = self.prim.name == "add" and aval.dtype.kind == "f"
        self.blocked = is_sum and not aval.shape and (not isinstance(steps, int) or steps > 2 * BLOCK)
        self.is_extreme = self.prim.name in ("max", "min")
        self.nans = np.empty(aval.shape, object)
        if self.is_extreme and aval.dtype.kind == "f":
            for k in np.ndindex(*aval.shape):
                self.nans[k] = emit.variable(np.dtype(np.int32), "0")

    def start(self) -> Any:
        """NumPy's sums start with zero: of nothing but -0.0 they are 0.0."""
        name, dtype = self.prim.name, self.aval.dtype
        if name in ("max", "min"):
            if dtype.kind == "f":
                return -np.inf if name == "max" else np.inf
            if dtype.kind == "b":
                return name == "min"
            return np.iinfo(dtype).min if name == "max" else np.iinfo(dtype).max
        return {"add": 0, "mul": 1, "logical_and": 1}.get(name, 0)

    def clause(self) -> str:
        """For the loop, unless it is in memory."""
        if self.in_memory or self.aval.dtype.kind == "c" or not self.now.size:
            return ""
        text = f"reduction({OPERATORS[self.prim.name]}:{','.join(self.now.flat)})"
        nans = [n for n in self.nans.flat if n]
        return f"{text} reduction(|:{','.join(nans)})" if nans else text

    def add(self, value: Value) -> None:
        """At the end of a step."""
        if self.in_memory:
            self.emit.serialize()  # the next step reads what this one wrote
            return
        if self.aval.dtype.kind == "c":
            self.emit.serialize()
        x = self.emit.scalars(value)
        for k in np.ndindex(*self.aval.shape):
            self.add_entry(k, self.emit.text(x.entries[k], x.dtype), x.dtype)

    def add_entry(self, k: Any, x: str, dtype: np.dtype) -> None:
        total, emit, name = self.now[k], self.emit, self.prim.name
        if self.is_extreme:
            sign = ">" if name == "max" else "<"
            emit.line(f"{total} = {x} {sign} {total} ? {x} : {total};")
            if self.nans[k]:
                emit.line(f"{self.nans[k]} |= {x} != {x};")
        elif name.startswith("logical"):
            emit.line(f"{total} {OPERATORS[name]}= {x} != 0;")
        else:
            emit.line(f"{total} {OPERATORS[name]}= {x};")

    def result(self) -> Value:
        if self.memory is not None:
            return self.emit.hand_over(self.memory)
        emit, dtype = self.emit, self.aval.dtype
        entries = self.totals.copy()
        for k in np.ndindex(*self.aval.shape):
            if self.nans[k]:
                entries[k] = emit.let(dtype, f"{self.nans[k]} ? {c_literal(np.nan, dtype)} : {self.totals[k]}")
        return Scalars(entries, dtype)


@contextmanager
def in_blocks(emit: Emitter, accumulators: Sequence[Accumulator], steps: Any) -> Iterator[tuple[str, str]]:
    """A loop over blocks of steps; gives the bounds of a block. Each block's sum is added to the total exactly."""
    sums = [a for a in accumulators if a.blocked]
    rests = [emit.variable(a.aval.dtype, "0") for a in sums]
    first, stop = emit.name("i"), emit.name("n")
    with emit.scope() as body:
        emit.line(f"const long {stop} = {first} + {BLOCK} < {steps} ? {first} + {BLOCK} : {steps};")
        for a in sums:
            a.now = np.array(emit.variable(a.aval.dtype, "0"), object)
        yield first, stop
        for a, rest in zip(sums, rests, strict=True):
            two_sum(emit, a.totals.item(), rest, a.now.item(), a.aval.dtype)
            a.now = a.totals
    emit.put(f"for (long {first} = 0; {first} < {steps}; {first} += {BLOCK})", body)
    for a, rest in zip(sums, rests, strict=True):
        total = a.totals[()]
        emit.line(f"if ({total} - {total} == 0) {total} += {rest};")  # an infinite total has no rest


def two_sum(emit: Emitter, total: str, rest: str, part: str, dtype: np.dtype) -> None:
    """total + part = s + e exactly: s = fl(total + part), z = s - total, e = (total - (s - z)) + (part - z)."""
    s = emit.let(dtype, f"{total} + {part}")
    z = emit.let(dtype, f"{s} - {total}")
    emit.line(f"{rest} += ({total} - ({s} - {z})) + ({part} - {z});")
    emit.line(f"{total} = {s};")
