"""Branches and calls as Python's own, with the programs written down in place; and what is too deep to be."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from xform.compile.source.loops import assign, form, scan, while_
from xform.compile.source.memory import Pool
from xform.compile.source.scalars import as_int, bounds
from xform.compile.source.text import Block
from xform.compile.source.values import Value, is_number
from xform.core.jaxpr import Eqn, Jaxpr, Var

if TYPE_CHECKING:
    from xform.compile.source.writer import Operand, Writer

#: nested deeper than this, an operation becomes a function of its own: Python nests 20 loops, and 100 blocks
DEEP = 12

#: so many branches are tried one after the other
FEW = 6


def cond(w: Writer, eqn: Eqn, operands: list[Operand]) -> bool:
    """if index <= 0: ... elif index == 1: ... else: ..."""
    index, values = operands[0], [w.value(x) for x in operands[1:]]
    branches: Sequence[Jaxpr] = eqn.params["branches"]
    if not is_number(index.aval):
        return False
    known = bounds(index)
    if len(branches) == 1 or known[0] == known[1]:
        inline(w, eqn, branches[min(max(known[0], 0), len(branches) - 1)], values)
        return True
    k, names = as_int(index), [w.name(v) for v in eqn.outputs]
    blocks = []
    for branch in branches:
        blocks.append(w.inside())
        outs = [w.value(y) for y in w.program(branch, values, Pool())]
        assign(w, names, [form(y) for y in outs])
        w.outside()
    choose(w.block, k, 0, blocks)
    shared: dict[int, Any] = {id(b): b for x in values for b in x.buffers}
    for v, name in zip(eqn.outputs, names, strict=True):
        if is_number(v.aval):
            w.bind(v, Value(v.aval, w.block, number=name))
        else:
            w.bind(v, Value(v.aval, w.block, array=name, buffers=tuple(shared.values())))
    return True


def choose(block: Block, k: str, first: int, blocks: Sequence[Block]) -> None:
    """The branch of number k, found in a few comparisons."""
    if len(blocks) <= FEW:
        last = first + len(blocks) - 1
        for j, branch in enumerate(blocks, first):
            head = "else:" if j == last else f"{'if' if j == first else 'elif'} {k} {'==' if j else '<='} {j}:"
            block.nest(head, branch)
        return
    half = len(blocks) // 2
    for head, part, start in (
        (f"if {k} < {first + half}:", blocks[:half], first),
        ("else:", blocks[half:], first + half),
    ):
        inner = Block(block)
        choose(inner, k, start, part)
        block.nest(head, inner)


def inline(w: Writer, eqn: Eqn, program: Jaxpr, values: Sequence[Value]) -> None:
    """The program in place of its call."""
    outs = w.program(program, values, w.frame.pool)
    for v, y in zip(eqn.outputs, outs, strict=True):
        w.bind(v, w.value(y))


def call(w: Writer, eqn: Eqn, operands: list[Operand]) -> bool:
    program = eqn.params.get("program")
    if not isinstance(program, Jaxpr) or len(program.inputs) != len(operands):
        return False
    inline(w, eqn, program, [w.value(x) for x in operands])
    return True


def recompute(w: Writer, eqn: Eqn, operands: list[Operand]) -> bool:
    """linear(*recompute(*known), *x_dot)"""
    first, linear = eqn.params["recompute"], eqn.params["linear"]
    values = [w.value(x) for x in operands]
    count = len(first.inputs)
    residuals = [w.value(y) for y in w.program(first, values[:count], w.frame.pool)]
    inline(w, eqn, linear, [*residuals, *values[count:]])
    return True


def loop_tangent(w: Writer, eqn: Eqn, operands: list[Operand]) -> bool:
    """By the program that the operation stands for."""
    prim: Any = eqn.prim
    inline(w, eqn, prim.program([a.aval for a in eqn.inputs], **eqn.params), [w.value(x) for x in operands])
    return True


Rule = Callable[["Writer", Eqn, "list[Operand]"], bool]


def at_most_once(rule: Rule) -> Rule:
    """In place the first time, and if it is not nested too deeply; else a function that is written once."""

    def write(w: Writer, eqn: Eqn, operands: list[Operand]) -> bool:
        if w.block.depth < DEEP and id(eqn) not in w.seen:
            w.seen.add(id(eqn))
            return rule(w, eqn, operands)
        return apart(w, eqn, operands)

    return write


def apart(w: Writer, eqn: Eqn, operands: list[Operand]) -> bool:
    """The operation as a function of its own."""
    function = w.function(eqn)
    name = w.constant(function, f"{eqn.prim.name}_apart")
    outs = [w.name(v) for v in eqn.outputs]
    read = dict(zip(eqn.inputs, operands, strict=True))
    args = ", ".join(x.as_array() for a, x in read.items() if isinstance(a, Var) and isinstance(x, Value))
    w.block.line(f"{', '.join(outs)}{', ' if len(outs) == 1 else ''}{' = ' if outs else ''}{name}({args})")
    for v, y in zip(eqn.outputs, outs, strict=True):
        w.result(v, y, of=operands)
    return True


CONTROL: dict[str, Rule] = {
    "cond": at_most_once(cond),
    "scan": at_most_once(scan),
    "while": at_most_once(while_),
    "checkpoint": at_most_once(call),
    "custom_call": at_most_once(call),
    "call": at_most_once(call),
    "jit": at_most_once(call),
    "recompute": at_most_once(recompute),
    "loop_tangent": at_most_once(loop_tangent),
}
