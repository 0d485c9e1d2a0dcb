"""A program, or a slice of one, as C: its units one after the other, loops with their own blocks inside.

A loop over slices runs the same operations on arrays with one axis less. So blocks are nested until what is left is
small enough for registers: then it is straight-line code, and the compiler takes several steps of the loop at a time.
"""

from __future__ import annotations

import math
from collections import ChainMap
from collections.abc import MutableMapping, Sequence
from typing import Any

import numpy as np

from xform.compile.c.fusion import lower
from xform.compile.c.fusion.accumulate import Accumulator, in_blocks
from xform.compile.c.fusion.peel import Peel, peel
from xform.compile.c.fusion.pieces import cuts, groups_operands, loose, pieces
from xform.compile.c.fusion.schedule import Group, Single, Unit, schedule
from xform.compile.c.text.emit import MOST, MOST_IN_BATCH, Emitter
from xform.compile.c.text.values import Pieces, Scalars, Value, View, without
from xform.core.aval import Aval
from xform.core.jaxpr import Atom, Eqn, Literal, Var
from xform.core.primitive import Primitive

#: operations in a loop over a batch that are kept in registers
MOST_STEPS = 6000

#: operations on each entry that is read or written, from which on it pays to gather the entries of several steps
INTENSE = 6

Env = MutableMapping[Var, Any]  # values, and arrays in pieces


class Block:
    """The operations of one scope. `destinations` says where values must be in the end, as far as that is known."""

    def __init__(self, emit: Emitter, env: Env, destinations: dict[Var, View], owned: Sequence[Var] = ()) -> None:
        self.emit, self.env, self.destinations = emit, env, destinations
        self.mine: set[Var] = set()  # variables whose memory is free once they are dead
        self.small: set[Var | None] = set()  # first results of operations that are done in registers
        self.loaded: dict[Var, Scalars] = {}  # what of memory has been read into registers in this scope
        self.loose: set[Var] = set()  # arrays that are left in pieces
        self.owned = set(owned)  # those given ones whose memory may be written once they are dead

    def run(self, eqns: Sequence[Eqn], results: Sequence[Atom]) -> list[Value]:
        for v in (v for e in eqns for v in e.outputs):
            self.emit.ctype(v.aval.dtype)  # Unsupported if C has no such numbers
        units = schedule(eqns, results, self.how)
        self.loose = loose(units, results, self.small)
        for unit, dying in zip(units, last_uses(units, results), strict=True):
            if isinstance(unit, Single):
                self.single(unit.eqn, dying)
            else:
                self.group(unit, outside(unit, units, results))
            for v in dying:
                if v in self.mine and v in self.env:
                    self.emit.drop(self.env[v])
        return [self.value(a) for a in results]

    def how(self, eqn: Eqn) -> Peel | None:
        """As a loop, unless it is small enough for registers, or better done as a whole."""
        if lower.is_small(eqn, self.emit):
            self.small.add(eqn.outputs[0] if eqn.outputs else None)
            return None
        if lower.prefers_whole(eqn):
            return None
        if lower.is_view(eqn) and isinstance(self.env.get(eqn.inputs[0]), View):  # type: ignore[arg-type]
            return None
        return peel(eqn)

    def value(self, atom: Atom) -> Value:
        if type(atom) is Literal:
            entry = np.empty((), object)
            entry[()] = atom.value
            return Scalars(entry, atom.aval.dtype, atom.aval.weak is not None)
        return self.env[atom]  # type: ignore[index]

    def define(self, v: Var, value: Any) -> None:
        destination = self.destinations.get(v)
        if destination is not None and not (isinstance(value, View) and value.is_twin_of(destination)):
            self.emit.copy(destination, value)
            if isinstance(value, View):
                value = destination
        self.env[v] = value
        self.mine.add(v)
        self.emit.keep(value)

    # --- single operations ---

    def single(self, eqn: Eqn, dying: Sequence[Var]) -> None:
        args = [self.value(a) for a in eqn.inputs]
        small = bool(eqn.outputs) and eqn.outputs[0] in self.small
        if small:
            for k, (a, x) in enumerate(zip(eqn.inputs, args, strict=True)):
                if isinstance(x, View) and not lower.reads_part(eqn, k):
                    args[k] = self.in_registers(a, x)
        x = args[0] if args else None
        first = eqn.inputs[0] if args else None
        dead = first in dying and (first in self.mine or first in self.owned) and isinstance(x, View)
        overwritable = dead and x.buffer is not None and x.buffer.readers == 1  # type: ignore[union-attr]
        overwritable = overwritable and eqn.inputs.count(first) == 1  # type: ignore[arg-type]
        if self.loose.intersection(eqn.outputs):
            self.define(eqn.outputs[0], pieces(self.emit, eqn, args))
            return
        places = [self.destinations.get(v) for v in eqn.outputs]
        outs = lower.lower(self.emit, eqn, args, small, overwritable, places)
        for out in outs:
            self.emit.keep(out)
        for v, out in zip(eqn.outputs, outs, strict=True):
            self.define(v, out)
        self.emit.drop_all(outs)

    def in_registers(self, atom: Atom, x: View) -> Value:
        """Loaded once in this scope."""
        if type(atom) is not Var:
            return self.emit.scalars(x)
        if atom not in self.loaded:
            self.loaded[atom] = self.emit.scalars(x)
        return self.loaded[atom]

    # --- loops ---

    def group(self, group: Group, stored: set[Var]) -> None:
        self.place(group, stored)
        if self.are_flat(group):
            group, stored = self.flattened(group, stored)
        Loop(self, group, stored).emit_loop()

    def place(self, group: Group, stored: set[Var]) -> None:
        """Memory for what is read outside of the loop."""
        for eqn, how in zip(group.eqns, group.peels, strict=True):
            (v,) = eqn.outputs
            if how.combine is None and v in stored:
                self.env[v] = self.destinations.get(v) or self.emit.buffer(v.aval.shape, v.aval.dtype)
                self.mine.add(v)
                self.emit.keep(self.env[v])

    def are_flat(self, group: Group) -> bool:
        """Is all entry by entry, and does it lie in memory in the same order?"""
        shape = group.eqns[0].outputs[0].aval.shape
        return len(shape) > 1 and all(self.is_flat(e, shape) for e in group.eqns)

    def flattened(self, group: Group, stored: set[Var]) -> tuple[Group, set[Var]]:
        """The same as one loop over all entries: operations on arrays with one axis, and which results are stored."""
        shape = group.eqns[0].outputs[0].aval.shape
        size = math.prod(shape)
        rows: dict[Atom, Var] = {}
        for a in (a for e in group.eqns for a in (*e.inputs, *e.outputs)):
            if type(a) is Var and a.aval.shape == shape and a not in rows:
                rows[a] = Var(Aval((size,), a.aval.dtype))
                if a in self.env:
                    self.env[rows[a]] = self.env[a].like((size,), (1,))  # type: ignore[union-attr]
        flat = Group(size)
        for e in group.eqns:
            operands = [rows.get(a, a) for a in e.inputs]
            flat.eqns.append(Eqn(e.prim, operands, e.params, [rows[e.outputs[0]]], e.source))
            flat.peels.append(Peel(size, tuple(0 if a.aval.shape else None for a in operands), e.prim, e.params))
        return flat, {rows[v] for v in stored}

    def is_flat(self, eqn: Eqn, shape: tuple[int, ...]) -> bool:
        if not lower.is_pointwise(eqn) or eqn.outputs[0].aval.shape != shape:
            return False
        values = [self.env.get(a) for a in (*eqn.inputs, *eqn.outputs) if type(a) is Var and a.aval.shape == shape]
        return all(a.aval.shape in ((), shape) for a in eqn.inputs) and all(
            x is None or (isinstance(x, View) and x.contiguous) for x in values
        )


class Loop:
    """A loop over slices that is being written."""

    def __init__(self, block: Block, group: Group, stored: set[Var]) -> None:
        self.block, self.emit, self.group, self.stored = block, block.emit, group, stored
        self.inside = {e.outputs[0] for e in group.eqns}
        self.env: Env = ChainMap({}, block.env)  # type: ignore[arg-type]
        self.destinations: dict[Var, View] = {}
        self.inner: dict[Any, Atom] = {}  # variables of the slices
        self.eqns: list[Eqn] = []
        self.accumulators: list[Accumulator] = []
        self.index = ""

    def emit_loop(self) -> None:
        emit, group = self.emit, self.group
        for eqn, how in zip(group.eqns, group.peels, strict=True):
            if how.combine is not None:
                out = eqn.outputs[0]
                self.accumulators.append(
                    Accumulator(emit, how.combine, out.aval, group.size, self.block.destinations.get(out))
                )
        self.spill_operands()
        self.operands = self.env
        most, emit.most = emit.most, self.registers()
        blocked = any(a.blocked for a in self.accumulators)
        if blocked:
            with self.rows_of_blocks() as bounds:
                self.steps(*bounds)
        else:
            for start, stop in cuts([self.env.get(a) for a in groups_operands(group)], group.size):
                self.restart(start)
                self.steps(str(start), stop)
        emit.most = most
        sums = iter(self.accumulators)
        for eqn, how in zip(group.eqns, group.peels, strict=True):
            if how.combine is not None:
                self.block.define(eqn.outputs[0], next(sums).result())

    def restart(self, start: int) -> None:
        """The same operations on rows from `start` on, which may lie elsewhere."""
        self.env = ChainMap({}, self.operands)  # type: ignore[arg-type]
        self.destinations, self.inner, self.eqns = {}, {}, []
        for a in groups_operands(self.group):
            x = self.env.get(a)
            if isinstance(x, Pieces):
                self.env[a] = x.part(start)

    def rows_of_blocks(self) -> Any:
        return in_blocks(self.emit, self.accumulators, self.group.size)

    def steps(self, start: str, stop: Any) -> None:
        def clauses() -> str:
            return " ".join(filter(None, (a.clause() for a in self.accumulators)))

        with self.emit.loop(stop, clauses, start) as self.index:
            results = self.body()
            block = Block(self.emit, self.env, self.destinations, ())
            values = block.run(self.eqns, results)
            summed = values[len(values) - len(self.accumulators) :]
            for accumulator, value in zip(self.accumulators, summed, strict=True):
                accumulator.add(value)
            for a in dict.fromkeys(results):  # whoever made them holds them no longer
                if a in block.mine:
                    self.emit.drop(block.env[a])

    def spill_operands(self) -> None:
        """Scalars that are read slice by slice must lie in memory."""
        for eqn, how in zip(self.group.eqns, self.group.peels, strict=True):
            for k, a in enumerate(eqn.inputs):
                x = self.env.get(a) if type(a) is Var else None
                if isinstance(x, Scalars) and how.is_sliced(k, a.aval):
                    self.env[a] = self.emit.view(x)  # type: ignore[index]

    def body(self) -> list[Atom]:
        """The operations on the slices, and what of them is wanted: what is stored, then what is summed."""
        wanted: list[Atom] = []
        summed: list[Atom] = []
        sums = iter(self.accumulators)
        for eqn, how in zip(self.group.eqns, self.group.peels, strict=True):
            inputs = [self.sliced(a, how, k) for k, a in enumerate(eqn.inputs)]
            (out,) = eqn.outputs
            if how.combine is not None:
                summed.append(self.contribution(eqn, how, inputs, next(sums)))
                continue
            v = self.operation(eqn, how, inputs, Aval(out.aval.shape[1:], out.aval.dtype))
            self.inner[out] = v
            if out in self.stored:
                if type(v) is not Var or v in self.destinations or v in self.env:  # a slice of an operand as it is
                    v = self.operation(eqn, how._replace(prim=None), inputs, v.aval, copy=True)
                self.destinations[v] = self.row(self.block.env[out], 0)  # type: ignore[index]
                wanted.append(v)
        return [*wanted, *summed]

    def operation(self, eqn: Eqn, how: Peel, inputs: list[Atom], aval: Aval, copy: bool = False) -> Atom:
        if how.prim is None and not copy:
            return inputs[0]
        v = Var(aval)
        prim = Primitive.registry["stop_gradient"] if how.prim is None else how.prim
        self.eqns.append(Eqn(prim, inputs[:1] if copy else inputs, {} if copy else how.params, [v], eqn.source))
        return v

    def contribution(self, eqn: Eqn, how: Peel, inputs: list[Atom], total: Accumulator) -> Atom:
        """What a step adds: a value, or, of a large sum, the sum with it added in memory."""
        if how.combine == "scatter_add":
            prim, operands, params = Primitive.registry["scatter_add"], inputs, how.params
        else:
            v = inputs[0]
            if how.prim is not None:
                shape = eqn.outputs[0].aval.shape
                v = Var(Aval(shape, eqn.outputs[0].aval.dtype))
                self.eqns.append(Eqn(how.prim, inputs, how.params, [v], eqn.source))
            if not total.in_memory:
                return v
            prim, operands, params = total.prim, [v], {}
        before, after = Var(total.aval), Var(total.aval)
        self.env[before] = self.destinations[after] = total.memory  # type: ignore[assignment]
        self.eqns.append(Eqn(prim, [before, *operands], params, [after], eqn.source))
        return after

    def sliced(self, a: Atom, how: Peel, k: int) -> Atom:
        """The slice of an operand."""
        axis = how.axes[k]
        if axis is None or type(a) is Literal:
            return a
        if a in self.inner and how.is_sliced(k, a.aval) and axis == 0:
            return self.inner[a]
        key = (a, axis, how.is_sliced(k, a.aval))
        if key not in self.inner:
            v = Var(Aval(without(a.aval.shape, axis), a.aval.dtype))
            x = self.env[a]  # type: ignore[index]
            self.env[v] = self.row(x, axis) if key[2] else x.index(axis, 0)
            self.inner[key] = v
        return self.inner[key]

    def row(self, x: Value, axis: int) -> View:
        assert isinstance(x, View)
        return x.index(axis, self.index)

    def registers(self) -> int:
        """How large an array may be that is kept in registers in a step."""
        if self.group.size < 8:
            return MOST
        largest, steps, moved = 0, 0, 0
        for eqn, how in zip(self.group.eqns, self.group.peels, strict=True):
            out = eqn.outputs[0]
            if how.combine is not None and out.aval.size > MOST:
                return MOST
            for k, a in enumerate(eqn.inputs):
                size = a.aval.size // self.group.size if how.is_sliced(k, a.aval) else a.aval.size
                largest = max(largest, size)
                moved += size if how.is_sliced(k, a.aval) and a not in self.inside else 0
            if how.combine is None:
                largest = max(largest, out.aval.size // self.group.size)
                moved += out.aval.size // self.group.size if out in self.stored else 0
            steps += work(eqn) // self.group.size
        if largest > MOST_IN_BATCH or steps > MOST_STEPS:
            return MOST
        # rows that are long enough for vectors are read in order, unless much is computed of each entry
        return MOST if largest > MOST and steps < INTENSE * moved else MOST_IN_BATCH


def work(eqn: Eqn) -> int:
    """About how many operations on numbers it is."""
    if eqn.prim.name == "contract":
        i, j, _ = eqn.params["spec"]
        return math.prod(dict(zip(i + j, (*eqn.inputs[0].aval.shape, *eqn.inputs[1].aval.shape), strict=True)).values())
    return max((a.aval.size for a in (*eqn.inputs, *eqn.outputs)), default=1)


def members(unit: Unit) -> Sequence[Eqn]:
    return [unit.eqn] if isinstance(unit, Single) else unit.eqns


def outside(group: Group, units: Sequence[Unit], results: Sequence[Atom]) -> set[Var]:
    """What is made in a loop and read outside of it, or inside it not slice by slice."""
    made = {v for e in group.eqns for v in e.outputs}
    used = {a for u in units if u is not group for e in members(u) for a in e.inputs if type(a) is Var}
    return made & (used | {a for a in results if type(a) is Var})


def last_uses(units: Sequence[Unit], results: Sequence[Atom]) -> list[list[Var]]:
    """For each unit the variables that nobody reads after it."""
    alive = {a for a in results if type(a) is Var}
    dying = []
    for unit in reversed(units):
        seen = {a for e in members(unit) for a in (*e.inputs, *e.outputs) if type(a) is Var} - alive
        alive |= seen
        dying.append(list(seen))
    return dying[::-1]
