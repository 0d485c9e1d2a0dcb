"""Scans and while loops as Python's loops, with the body written down in place.

What goes around a loop has a name that is assigned at the end of each step. Numbers are Python's. Rows of results are
written into an array that is there from the start, single numbers and the rows of loops of unknown length are listed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from xform.compile.source.memory import Pool
from xform.compile.source.scalars import as_int
from xform.compile.source.values import ANY, Buffer, Value, is_number
from xform.core.jaxpr import Eqn, Jaxpr, Literal, Var

if TYPE_CHECKING:
    from xform.compile.source.text import Block
    from xform.compile.source.writer import Operand, Writer

#: a counter that begins below this and grows by at most so much in a step leaves int64 after years of steps
START, STRIDE = 2**60, 2**10


class Carry:
    """The values that go around a loop: their names, and which of them are arrays that no one else refers to."""

    def __init__(self, w: Writer, body: Jaxpr, consts: int, count: int, init: Sequence[Value], eqn: Eqn) -> None:
        self.w, self.body, self.init, self.eqn = w, body, init, eqn
        self.inputs, self.outputs = body.inputs[consts : consts + count], body.outputs[:count]
        self.names = [w.name(v) for v in eqn.outputs[:count]]
        self.own = [not is_number(v.aval) and bool(v.aval.shape) and writes(body) for v in self.inputs]

    def start(self) -> None:
        """The names for the first step."""
        texts = []
        for k, x in enumerate(self.init):
            if is_number(self.inputs[k].aval):
                texts.append(x.as_number())
            else:
                texts.append(f"np.array({x.as_array()}, order='C')" if self.own[k] else x.as_array())
        assign(self.w, self.names, texts)

    def values(self, block: Block) -> list[Value]:
        """The values at the beginning of a step."""
        found = []
        for k, (v, name) in enumerate(zip(self.inputs, self.names, strict=True)):
            if is_number(v.aval):
                found.append(Value(v.aval, block, number=name, bounds=self.bounds(k)))
            else:
                buffers = (Buffer(name, None),) if self.own[k] else ()
                found.append(Value(v.aval, block, array=name, buffers=buffers, whole=self.own[k]))
                found[-1].kept = True
        return found

    def bounds(self, k: int) -> tuple[int, int]:
        """Those of a counter; of another integer nothing is known."""
        if self.inputs[k].aval.dtype.kind != "i":
            return ANY
        low, high = self.init[k].bounds
        stride = step_of(self.body, self.inputs[k], self.outputs[k])
        if stride is None or not (low > -START and high < START and abs(stride) <= STRIDE):
            return ANY
        return (low, 2**62) if stride > 0 else (-(2**62), high) if stride < 0 else (low, high)

    def lost(self, outs: Sequence[Value]) -> list[int]:
        """Those that were taken to be owned, but come out of the step shared."""
        shared = Counter(id(b) for y in outs for b in y.buffers)
        return [k for k, y in enumerate(outs[: len(self.names)]) if self.own[k] and not is_sole(y, shared)]

    def results(self, shared: Sequence[Value]) -> None:
        """The values behind the loop."""
        w = self.w
        buffers = {id(b): b for x in shared for b in x.buffers}
        for k, (v, name) in enumerate(zip(self.eqn.outputs, self.names, strict=False)):
            if is_number(v.aval):
                w.bind(v, Value(v.aval, w.block, number=name, bounds=self.bounds(k)))
            elif self.own[k]:
                w.bind(v, w.fresh(v.aval, name))
            else:
                w.bind(v, Value(v.aval, w.block, array=name, buffers=tuple(buffers.values())))


def is_sole(y: Value, shared: Counter[int]) -> bool:
    """Is it an array that the step made, in memory with which no other result is connected?"""
    if not y.whole or y.uses:
        return False
    (buffer,) = y.buffers
    return buffer.owned and not buffer.held and not buffer.refs and shared[id(buffer)] == 1


def step_of(body: Jaxpr, before: Var, after: Any) -> int | None:
    """c, if after = before + c."""
    if after is before:
        return 0
    for eqn in reversed(body.eqns):
        if after in eqn.outputs:
            if eqn.prim.name == "add" and before in eqn.inputs:
                other = eqn.inputs[1 if eqn.inputs[0] is before else 0]
                if isinstance(other, Literal):
                    return int(other.value)
            return None
    return None


def writes(jaxpr: Jaxpr) -> bool:
    """Are entries of arrays changed, by it or by a program in it?"""
    todo, seen = [jaxpr], {id(jaxpr)}
    while todo:
        for eqn in todo.pop().eqns:
            if eqn.prim.update is not None:
                return True
            inner = [j for j in eqn.jaxprs() if id(j) not in seen]
            seen.update(map(id, inner))
            todo += inner
    return False


def assign(w: Writer, names: Sequence[str], texts: Sequence[str]) -> None:
    """names = texts, at once."""
    pairs = [(n, t) for n, t in zip(names, texts, strict=True) if n != t]
    if pairs:
        w.block.line(f"{', '.join(n for n, _ in pairs)} = {', '.join(t for _, t in pairs)}")


def body_of(w: Writer, carry: Carry, write: Callable[[Sequence[Value]], list[Value]]) -> tuple[Block, list[Value]]:
    """The block of a step. If a carry turns out not to be owned, it is written once more, without that assumption."""
    seen = set(w.seen)
    while True:
        inner = w.inside()
        outs = write(carry.values(inner))
        lost = carry.lost(outs)
        if not lost:
            return inner, outs
        w.outside()
        w.seen = set(seen)
        for k in lost:
            carry.own[k] = False


def scan(w: Writer, eqn: Eqn, operands: list[Operand]) -> bool:
    """for x in xs: carry, y = body(consts, carry, x)"""
    p = eqn.params
    body, length, consts, count = p["body"], p["length"], p["consts"], p["carry"]
    steps = str(length) if length is not None else as_int(operands[0])
    values = [w.value(x) for x in operands[0 if length is not None else 1 :]]
    fixed, init, xs = values[:consts], values[consts : consts + count], values[consts + count :]
    carry = Carry(w, body, consts, count, init, eqn)
    rows = Rows(w, eqn.outputs[count:], steps, p["reverse"])

    def step(states: Sequence[Value]) -> list[Value]:
        items = [row(w, v) for v in body.inputs[consts + count :]]
        outs = [w.value(y) for y in w.program(body, [*fixed, *states, *items], Pool(w.block.parent))]
        w.items = items
        rows.write(outs[count:])
        assign(w, carry.names, [form(y) for y in outs[:count]])
        return outs

    inner, _ = body_of(w, carry, step)
    items = w.items
    w.outside()
    rows.start()
    carry.start()
    w.block.nest(header(items, xs, steps, p["reverse"], rows.index), inner)
    carry.results(values)
    rows.results()
    return True


def form(y: Value) -> str:
    return y.as_number() if is_number(y.aval) else y.as_array()


def row(w: Writer, v: Var) -> Value:
    """A row of an array that a loop reads."""
    name = w.names.fresh()
    x = Value(v.aval, w.block, number=name) if is_number(v.aval) else Value(v.aval, w.block, array=name)
    x.kept = True
    return x


def header(items: Sequence[Value], xs: Sequence[Value], steps: str, reverse: bool, index: str | None) -> str:
    """The head of the loop, over rows and, where rows are written, over their numbers."""
    order = f"range({steps} - 1, -1, -1)" if reverse else f"range({steps})"
    names, sources = [index or "_"], [order]
    for x, array in zip(items, xs, strict=True):
        names.append(str(x.number if x.number and is_number(x.aval) else x.array))
        rows = f"{array.as_array()}[:{steps}]" if array.aval.shape[0] is None else array.as_array()
        rows = f"{rows}[::-1]" if reverse else rows
        sources.append(f"{rows}.tolist()" if is_number(x.aval) else rows)
    if len(sources) > 1 and index is None:
        del names[0], sources[0]
    if len(sources) == 1:
        return f"for {names[0]} in {sources[0]}:"
    return f"for {', '.join(names)} in zip({', '.join(sources)}):"


class Rows:
    """The stacked results of a scan: arrays that are written row by row, lists of numbers."""

    def __init__(self, w: Writer, outputs: Sequence[Var], steps: str, reverse: bool) -> None:
        self.w, self.outputs, self.steps, self.reverse = w, outputs, steps, reverse
        self.names = [w.name(v) for v in outputs]
        self.index = w.names.fresh() if any(len(v.aval.shape) > 1 for v in outputs) else None

    def start(self) -> None:
        for v, name in zip(self.outputs, self.names, strict=True):
            if len(v.aval.shape) == 1:
                self.w.block.line(f"{name} = []")
            else:
                shape = ", ".join([self.steps, *map(str, v.aval.shape[1:])])
                self.w.block.line(f"{name} = np.empty(({shape}), np.{v.aval.dtype.name})")

    def write(self, ys: Sequence[Value]) -> None:
        for v, name, y in zip(self.outputs, self.names, ys, strict=True):
            if len(v.aval.shape) == 1:
                self.w.block.line(f"{name}.append({y.number or y.array})")
            else:
                self.w.block.line(f"{name}[{self.index}] = {y.as_array()}")

    def results(self) -> None:
        w = self.w
        for v, name in zip(self.outputs, self.names, strict=True):
            if len(v.aval.shape) == 1:
                turned = f"{name}[::-1]" if self.reverse else name
                w.block.line(f"{name} = np.array({turned}, np.{v.aval.dtype.name})")
            w.bind(v, w.fresh(v.aval, name))


def while_(w: Writer, eqn: Eqn, operands: list[Operand]) -> bool:
    """while cond(cond_consts, carry): carry = body(consts, carry), with `record` keeping a count and a trail."""
    p = eqn.params
    cond, body, record = p["cond"], p["body"], p["record"]
    a, b = p["cond_consts"], p["cond_consts"] + p["consts"]
    values = [w.value(x) for x in operands]
    cond_consts, fixed, init = values[:a], values[a:b], values[b:]
    carry = Carry(w, body, len(fixed), len(init), init, eqn)
    rest = eqn.outputs[len(init) :] if record else []
    names = [w.name(v) for v in rest]

    def step(states: Sequence[Value]) -> list[Value]:
        (go_on,) = w.program(cond, [*cond_consts, *states], Pool())
        w.block.line(f"if not {form(w.value(go_on))}:")
        w.block.line("    break")
        outs = [w.value(y) for y in w.program(body, [*fixed, *states], Pool(w.block.parent))]
        for name, y in zip(names[1:], outs[len(init) :], strict=True):
            w.block.line(f"{name}.append({y.number or y.array})")
        if record:
            w.block.line(f"{names[0]} += 1")
        assign(w, carry.names, [form(y) for y in outs[: len(init)]])
        return outs

    inner, _ = body_of(w, carry, step)
    w.outside()
    for k, name in enumerate(names):
        w.block.line(f"{name} = {'[]' if k else '0'}")
    carry.start()
    w.block.nest("while True:", inner)
    carry.results(values)
    trails(w, rest, names)
    return True


def trails(w: Writer, outputs: Sequence[Any], names: Sequence[str]) -> None:
    """The number of steps, and what was kept of each of them."""
    for k, (v, name) in enumerate(zip(outputs, names, strict=True)):
        if k == 0:
            w.bind(v, Value(v.aval, w.block, number=name, bounds=(0, 2**62)))
        else:
            shape, dtype = v.aval.shape[1:], v.aval.dtype.name
            w.block.line(f"{name} = help.stacked({name}, {shape}, np.{dtype})")
            w.bind(v, w.fresh(v.aval, name))
