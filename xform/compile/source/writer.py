"""A program written down, line by line, as the body of a Python function."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from xform.compile.source.arrays import ARRAYS
from xform.compile.source.control import CONTROL
from xform.compile.source.elementwise import elementwise
from xform.compile.source.memory import Frame, Pool, is_large, key_of
from xform.compile.source.names import Names
from xform.compile.source.rules import by_rule
from xform.compile.source.scalars import scalar_result
from xform.compile.source.text import Block
from xform.compile.source.values import Buffer, Value, is_number, number_text
from xform.core.aval import Aval
from xform.core.jaxpr import Eqn, Jaxpr, Literal, Var
from xform.ops.elementwise import Elementwise

Operand = Value | Literal

#: dtypes of arrays with which a float64 and Python's float give the same
WIDE = frozenset({np.dtype(np.float64), np.dtype(np.complex128)})


class Writer:
    """Writes programs into blocks; `space` are the objects that the text refers to by name."""

    def __init__(self, names: Names, space: dict[str, Any], functions: dict[int, Any], build: Any) -> None:
        self.names, self.space = names, space
        #: the primitives whose rules have a name
        self.made: dict[Any, Any] = {}
        #: operations written down once, by the id of the eqn, and the functions made of those met again
        self.seen: set[int] = set()
        self.functions, self.build = functions, build
        self.items: list[Value] = []
        self.constants: list[tuple[str, Aval]] = []
        self.block = Block()
        self.frame: Frame = None  # type: ignore[assignment]
        self.dying: Sequence[Var] = ()
        self._late: list[str] = []

    # --- programs ---

    def program(self, jaxpr: Jaxpr, values: Sequence[Value], pool: Pool) -> list[Operand]:
        """Write down a program whose inputs have the given values; its outputs."""
        outer, dying_outside, late = self.frame, self.dying, self._late
        self.frame, self._late = Frame(jaxpr, pool), []
        pool.expect(jaxpr)
        for v, x in zip(jaxpr.inputs, values, strict=True):
            self.bind(v, x)
        for v, x in jaxpr.consts:
            self.bind(v, self.const(v, x))
        for eqn, dying in zip(jaxpr.eqns, jaxpr.last_use(), strict=True):
            self.dying = dying
            self.write(eqn)
            self.release(dying)
            for line in self._late:
                self.block.line(line)
            self._late.clear()
        outs = [v if isinstance(v, Literal) else self.frame.env[v] for v in jaxpr.outputs]
        for x in self.frame.env.values():
            x.uses -= 1
            for b in x.buffers:
                b.refs -= 1
        self.frame, self.dying, self._late = outer, dying_outside, late
        return outs

    def write(self, eqn: Eqn) -> None:
        operands = [a if isinstance(a, Literal) else self.frame.env[a] for a in eqn.inputs]
        result = scalar_result(eqn, operands)
        if result is not None:
            (v,) = eqn.outputs
            name = self.name(v)
            self.block.line(f"{name} = {result.text}")
            if result.otherwise:
                self.block.line(f"if not -0x8000000000000000 <= {name} <= 0x7fffffffffffffff:")
                self.block.line(f"    {name} = {result.otherwise}")
            self.bind(v, Value(v.aval, self.block, number=name, bounds=result.bounds))
            return
        rule = CONTROL.get(eqn.prim.name) or ARRAYS.get(eqn.prim.name)
        if rule is not None and rule(self, eqn, operands):
            return
        if isinstance(eqn.prim, Elementwise) and elementwise(self, eqn, operands):
            return
        by_rule(self, eqn, operands)

    # --- values ---

    def name(self, v: Var) -> str:
        """The name of a variable: its own, where the program is written down the first time."""
        return self.names.of.pop(v, None) or self.names.fresh()

    def bind(self, v: Var, x: Value) -> None:
        x.uses += 1
        for b in x.buffers:
            b.refs += 1
        self.frame.env[v] = x

    def release(self, vs: Iterable[Var]) -> None:
        """The variables are not read again: buffers to which no others refer are free."""
        for v in vs:
            x = self.frame.env.pop(v, None)
            if x is None:
                continue
            x.uses -= 1
            gone = {x.array} if x.array and is_large(x.aval) and not x.uses else set[str]()
            needed = set[str]()
            for b in x.buffers:
                b.refs -= 1
                if b.refs or self.frame.pool.put(b):
                    needed.add(b.name)
                elif b.key is not None and not b.held:
                    gone.add(b.name)
            if x.block is self.block and not x.kept:
                self._late += [f"del {name}" for name in sorted(gone - needed)]

    def const(self, v: Var, x: Any) -> Value:
        """A constant, by name."""
        if is_number(v.aval):
            return Value(v.aval, self.block, number=number_text(np.asarray(x).item()), bounds=exactly(x))
        name = self.name(v)
        self.space[name] = x
        self.constants.append((name, v.aval))
        value = Value(v.aval, self.block, array=name)
        value.kept = True
        return value

    def constant(self, x: Any, name: str) -> str:
        """An object by a name that tells what it is."""
        k, unique = 1, name
        while unique in self.space and self.space[unique] is not x:
            k, unique = k + 1, f"{name}_{k}"
        self.space[unique] = x
        return unique

    def value(self, x: Operand) -> Value:
        """A literal as a value as well."""
        if isinstance(x, Value):
            return x
        aval = Aval(x.aval.shape, x.aval.dtype)
        if is_number(aval):
            return Value(aval, self.block, number=number_text(np.asarray(x.value).item()), bounds=exactly(x.value))
        return Value(aval, self.block, array=self.constant(np.asarray(x.value)[()], "number"))

    def array(self, x: Operand) -> str:
        """The text of an operand as its NumPy rule takes it: Python numbers in the program stay such."""
        if isinstance(x, Value):
            return x.as_array()
        if type(x.value) in (bool, int, float):
            return number_text(x.value)
        return self.constant(x.value, "number")

    def term(self, x: Operand, others: Sequence[Operand]) -> str:
        """The text of an operand of an elementwise function; a float next to a float64 array is what it is."""
        dtypes = [o.aval.dtype for o in others if o.aval.shape]
        if isinstance(x, Value) and x.array is None and x.aval.dtype == np.float64 and not WIDE.isdisjoint(dtypes):
            return x.as_number()
        if isinstance(x, Literal) and type(x.value) is np.float64 and dtypes and WIDE.issuperset(dtypes):
            return number_text(float(x.value))
        return self.array(x)

    def function(self, eqn: Eqn) -> Any:
        """An operation as a function of those of its inputs that are variables; made once."""
        if id(eqn) not in self.functions:
            inputs = list(dict.fromkeys(a for a in eqn.inputs if isinstance(a, Var)))
            self.functions[id(eqn)] = eqn, inputs, self.build(Jaxpr(inputs, [], [eqn], eqn.outputs), self.functions)
        return self.functions[id(eqn)][2].run

    # --- results ---

    def assign(self, v: Var, text: str, *, of: Sequence[Operand] | None = None, number: bool = False) -> None:
        """v = text, a new array, or one that may share memory with the operands `of`."""
        name = self.name(v)
        self.block.line(f"{name} = {text}")
        self.result(v, name, of, number)

    def result(self, v: Var, name: str, of: Sequence[Operand] | None = None, number: bool = False) -> None:
        if number:
            self.bind(v, Value(v.aval, self.block, number=name))
        elif of is not None:
            buffers = {id(b): b for x in of if isinstance(x, Value) for b in x.buffers}
            self.bind(v, Value(v.aval, self.block, array=name, buffers=tuple(buffers.values())))
        elif v.aval.shape:
            self.bind(v, self.fresh(v.aval, name))
        else:
            self.bind(v, Value(v.aval, self.block, array=name))

    def fresh(self, aval: Aval, name: str) -> Value:
        """An array in memory of its own."""
        buffer = Buffer(name, key_of(aval))
        return Value(aval, self.block, array=name, buffers=(buffer,), whole=True)

    def assign_into(self, v: Var, text: Callable[[str | None], str]) -> None:
        """v = text(out) with a free buffer as `out`, if there is one; the operands that die here are free already."""
        name, key = self.name(v), key_of(v.aval)
        if key is None:
            self.block.line(f"{name} = {text(None)}")
            self.bind(v, self.fresh(v.aval, name) if v.aval.shape else Value(v.aval, self.block, array=name))
            return
        self.release([d for d in self.dying if d is not v])
        pool, lasts = self.frame.pool, v in self.frame.lasting
        buffer = pool.take(key, lasts)
        if buffer is None and pool.before is not None and not lasts:
            made = self.names.fresh()
            pool.before.line(f"{made} = np.empty({v.aval.shape}, np.{v.aval.dtype.name})")
            buffer = Buffer(made, key, held=True)
        out = None if buffer is None else buffer.name
        self.block.line(f"{name} = {text(out)}")
        if buffer is None:
            buffer = Buffer(name, key)
        buffer.name = buffer.name if buffer.held else name
        self.bind(v, Value(v.aval, self.block, array=name, buffers=(buffer,), whole=True))
        if out is not None and not buffer.held:
            self._late.append(f"del {out}")

    def inside(self) -> Block:
        """Begin a nested block."""
        self.block = Block(self.block)
        return self.block

    def outside(self) -> None:
        assert self.block.parent is not None
        self.block = self.block.parent


def exactly(x: Any) -> tuple[int, int]:
    """The bounds of a known integer."""
    n = int(x) if np.asarray(x).dtype.kind in "iub" else 0
    return n, n
