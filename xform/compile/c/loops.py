"""Control flow in C: scans, while loops and branches, with the programs inside as blocks of their own.

What a loop carries is in C variables if it is small. A large array that is carried has two buffers: a step reads one,
writes the other, and they change places; unless the step has changed the array in place.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from xform.compile.c.fusion.block import Block
from xform.compile.c.text.emit import Emitter
from xform.compile.c.text.values import Offset, Scalars, Size, Value, View, c_strides
from xform.core.aval import Aval
from xform.core.jaxpr import Jaxpr, Var

#: the user may interrupt a loop before steps whose number has these bits
INTERRUPTIBLE = 0xFFF


def scan(
    emit: Emitter, args: Sequence[Value], body: Jaxpr, consts: int, carry: int, length: int | None, reverse: bool
) -> list[Value]:
    """for x in xs: carry, y = body(consts, carry, x)"""
    args = list(args)
    steps: Size = count_of(emit, args.pop(0)) if length is None else length
    fixed, states, xs = args[:consts], args[consts : consts + carry], [emit.view(x) for x in args[consts + carry :]]
    carried = [Carried(emit, x, a) for x, a in zip(states, body.in_avals[consts:], strict=False)]
    outs = [v.aval for v in body.outputs[carry:]]
    ys = [stacked(emit, steps, a) for a in outs]
    with emit.loop(steps) as i:
        emit.serialize()
        emit.line(f"if (({i} & {INTERRUPTIBLE}) == {INTERRUPTIBLE} && xform_interrupted()) goto fail;")
        place = i
        if reverse:
            place = emit.name("i")
            emit.line(f"const long {place} = {steps} - 1 - {i};")
        rows = [x.index(0, place) for x in xs]
        targets = [c.target for c in carried] + [y.index(0, place) for y in ys]
        operands = [*fixed, *(c.value for c in carried), *rows]
        with temporary_stacks(emit):
            values = run_program(emit, body, operands, targets, range(consts, consts + carry))
            for y, value in zip(ys, values[carry:], strict=True):
                emit.copy(y.index(0, place), value)
            advance(emit, carried, values[:carry])
            emit.drop_all(values)
    return [*(c.result() for c in carried), *map(emit.hand_over, ys)]


def count_of(emit: Emitter, count: Value) -> Size:
    entry = emit.scalars(count).entries[()]
    if type(entry) is not str:
        return int(entry)
    name = emit.name("n")
    emit.line(f"const long {name} = (long){entry};")
    return name


def stacked(emit: Emitter, steps: Size, aval: Aval) -> View:
    """Memory for what the steps put out; of an unknown number of them it is asked for when the program runs."""
    if isinstance(steps, int):
        out = emit.buffer((steps, *aval.shape), aval.dtype)
        emit.keep(out)
        return out
    pointer = emit.name("s")
    kind, size = emit.ctype(aval.dtype), math.prod(aval.shape) * aval.dtype.itemsize
    emit.line(f"{kind} *{pointer} = xf_allocate(call, {steps} * {max(size, 1)}L);")
    emit.line(f"if (!{pointer}) goto fail;")
    emit.stacks += 1
    shape = (steps, *aval.shape)
    return View(pointer, Offset(), shape, c_strides(shape), aval.dtype)


class Carried:
    """An array, or a number, that goes from step to step."""

    def __init__(self, emit: Emitter, initial: Value, aval: Aval) -> None:
        self.emit, self.aval = emit, aval
        self.target: View | None = None
        self.value: Value
        if aval.size <= emit.most:
            x = emit.scalars(initial)
            entries = np.empty(aval.shape, object)
            for k in np.ndindex(*aval.shape):
                entries[k] = emit.variable(aval.dtype, emit.text(x.entries[k], aval.dtype))
            self.value = Scalars(entries, aval.dtype)
            return
        now, then = (emit.buffer(aval.shape, aval.dtype) for _ in range(2))
        emit.copy(now, initial)
        emit.keep(now)
        emit.keep(then)
        now.buffer.twin = then.buffer  # type: ignore[union-attr]
        self.value, self.target = now, then

    def result(self) -> Value:
        return self.emit.hand_over(self.value)


def advance(emit: Emitter, carried: Sequence[Carried], values: Sequence[Value]) -> None:
    """The values of the next step take the places of those of this one."""
    new: list[tuple[str, str]] = []
    moved: list[Carried] = []
    for c, value in zip(carried, values, strict=True):
        if isinstance(c.value, Scalars):
            x = emit.scalars(value)
            pairs = zip(c.value.entries.flat, x.entries.flat, strict=True)
            new += [(old, emit.text(e, c.aval.dtype)) for old, e in pairs if e is not old]
        elif not (isinstance(value, View) and same_place(value, c.value)):
            emit.copy(c.target, value)  # type: ignore[arg-type]
            moved.append(c)
    fresh = {old for old, _ in new}
    late = []
    for old, e in new:
        now = e
        if e in fresh:  # another one that is about to change
            now = emit.name("v")
            emit.line(f"const __auto_type {now} = {e};")
        late.append(f"{old} = {now};")
    for text in late:
        emit.line(text)
    for c in moved:
        a, b = c.value.pointer, c.target.pointer  # type: ignore[union-attr]
        emit.line(f"{{ void *swap = {a}; {a} = {b}; {b} = swap; }}")


def same_place(a: View, b: Any) -> bool:
    return a.pointer == b.pointer and a.offset == b.offset and a.strides == b.strides


def run_program(
    emit: Emitter, program: Jaxpr, args: Sequence[Value], targets: Sequence[View | None], owned: Sequence[int] = ()
) -> list[Value]:
    """A program's results in the current scope, each of them kept once: whoever has read it drops it."""
    env: dict[Var, Value] = {v: emit.constant(x) for v, x in program.consts}
    env.update(zip(program.inputs, args, strict=True))
    destinations = {
        v: t for v, t in zip(program.outputs, targets, strict=True) if t is not None and type(v) is Var and v not in env
    }
    block = Block(emit, env, destinations, [program.inputs[k] for k in owned if isinstance(args[k], View)])
    values = block.run(program.eqns, program.outputs)
    for value in values:
        emit.keep(value)
    for v in dict.fromkeys(program.outputs):
        if v in block.mine:
            emit.drop(env[v])  # type: ignore[index]
    return values


def while_loop(
    emit: Emitter, cond_consts: Sequence[Value], consts: Sequence[Value], states: Sequence[Value], cond: Jaxpr,
    body: Jaxpr, record: bool,
) -> list[Value]:  # fmt: skip
    """while cond(cond_consts, carry): carry = body(consts, carry); with `record` what else the body gives is kept."""
    n = len(states)
    carried = [Carried(emit, x, a) for x, a in zip(states, body.in_avals[len(consts) :], strict=True)]
    trails = [Trail(emit, v.aval) for v in body.outputs[n:]]
    count = emit.variable(np.dtype(np.int64), "0")
    with emit.scope() as lines:
        emit.serialize()
        (go_on,) = run_program(emit, cond, [*cond_consts, *(c.value for c in carried)], [None])
        emit.line(f"if (!{emit.text(emit.scalars(go_on).entries[()], np.dtype(bool))}) break;")
        for trail in trails:
            trail.grow(count)
        targets = [c.target for c in carried] + [t.row(count) for t in trails]
        operands = [*consts, *(c.value for c in carried)]
        with temporary_stacks(emit):
            values = run_program(emit, body, operands, targets, range(len(consts), len(operands)))
            for trail, value in zip(trails, values[n:], strict=True):
                emit.copy(trail.row(count), value)
            advance(emit, carried, values[:n])
            emit.drop_all(values)
        emit.line(f"if ((++{count} & {INTERRUPTIBLE}) == 0 && xform_interrupted()) goto fail;")
    emit.put("while (1)", lines)
    outs = [c.result() for c in carried]
    if not record:
        return outs
    total = emit.scalars(View(f"(&{count})", Offset(), (), (), np.dtype(np.int64)))
    length = total.entries[()]
    return [*outs, total, *(t.whole(length) for t in trails)]


@contextmanager
def temporary_stacks(emit: Emitter) -> Iterator[None]:
    """Arrays that grow in a step of a loop are released at its end."""
    before, place = emit.stacks, len(emit.bodies[-1].lines)
    yield
    if emit.stacks != before:
        mark = emit.name("m")
        emit.bodies[-1].lines.insert(place, f"struct xf_block *const {mark} = call->top;")
        emit.line(f"xf_release(call, {mark});")


class Trail:
    """What each step leaves behind: an array that grows."""

    def __init__(self, emit: Emitter, aval: Aval) -> None:
        self.emit, self.aval = emit, aval
        self.pointer, self.room = emit.name("s"), emit.name("n")
        emit.stacks += 1
        emit.line(f"{emit.ctype(aval.dtype)} *{self.pointer} = 0; long {self.room} = 0;")

    def grow(self, count: str) -> None:
        size = max(math.prod(self.aval.shape) * self.aval.dtype.itemsize, 1)
        self.emit.line(f"if ({count} == {self.room}) {{")
        self.emit.line(f"  {self.room} = {self.room} ? 2 * {self.room} : 64;")
        self.emit.line(f"  {self.pointer} = xf_reallocate(call, {self.pointer}, {self.room} * {size}L);")
        self.emit.line(f"  if (!{self.pointer}) goto fail;")
        self.emit.line("}")

    def row(self, place: str) -> View:
        return self.whole(place).index(0, place)

    def whole(self, length: Size) -> View:
        shape = (length, *self.aval.shape)
        return View(self.pointer, Offset(), shape, c_strides(shape), self.aval.dtype)


def cond(emit: Emitter, index: Value, operands: Sequence[Value], branches: Sequence[Jaxpr]) -> list[Value]:
    """branches[index](*operands), the index clamped to those there are."""
    entry = emit.scalars(index).entries[()]
    last = len(branches) - 1
    if type(entry) is not str:
        program = branches[min(max(int(entry), 0), last)]
        return [emit.hand_over(x) for x in run_program(emit, program, operands, [None] * len(program.outputs))]
    operands = [emit.scalars(x) if isinstance(x, View) and small(emit, x) else x for x in operands]
    outs = [Chosen(emit, v.aval) for v in branches[0].outputs]
    for k, program in enumerate(branches):
        with emit.scope() as lines:
            values = run_program(emit, program, operands, [o.target for o in outs])
            for out, value in zip(outs, values, strict=True):
                out.assign(value)
            emit.drop_all(values)
        head = f"if ({entry} <= 0)" if k == 0 else f"else if ({entry} == {k})"
        emit.put("else" if k == last and k else head, lines)
    return [emit.hand_over(o.value) for o in outs]


def small(emit: Emitter, x: View) -> bool:
    return all(isinstance(n, int) for n in x.shape) and math.prod(x.shape) <= emit.most


class Chosen:
    """The result of one of several branches."""

    def __init__(self, emit: Emitter, aval: Aval) -> None:
        self.emit, self.aval = emit, aval
        self.target: View | None = None
        self.value: Value
        if aval.size <= emit.most:
            entries = np.empty(aval.shape, object)
            for k in np.ndindex(*aval.shape):
                entries[k] = emit.variable(aval.dtype, "0")
            self.value = Scalars(entries, aval.dtype)
        else:
            self.value = self.target = emit.buffer(aval.shape, aval.dtype)
            emit.keep(self.target)

    def assign(self, value: Value) -> None:
        if self.target is not None:
            self.emit.copy(self.target, value)
            return
        x = self.emit.scalars(value)
        for old, e in zip(self.value.entries.flat, x.entries.flat, strict=True):  # type: ignore[union-attr]
            self.emit.line(f"{old} = {self.emit.text(e, self.aval.dtype)};")
