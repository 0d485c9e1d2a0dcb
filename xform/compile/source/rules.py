"""Operations without a text of their own: the text calls their NumPy rule."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from xform.compile.source.names import spelled
from xform.compile.source.runtime import grounded
from xform.core.jaxpr import Eqn
from xform.core.primitive import Primitive

if TYPE_CHECKING:
    from xform.compile.source.writer import Operand, Writer


def by_rule(w: Writer, eqn: Eqn, operands: list[Operand]) -> None:
    """outs = rule(*operands, **params)"""
    call = f"{rule_name(w, eqn.prim)}({', '.join([*map(w.array, operands), *parameters(w, eqn)])})"
    if len(eqn.outputs) == 1:
        w.assign(eqn.outputs[0], f"{call}[0]", of=operands)
        return
    names = [w.name(v) for v in eqn.outputs]
    w.block.line(f"{', '.join(names)} = {call}" if names else call)
    for v, name in zip(eqn.outputs, names, strict=True):
        w.result(v, name, of=operands)


def rule_name(w: Writer, prim: Primitive) -> str:
    """`rules.gather`; the names that Python keeps for itself, as `not`, are spelled `not_`."""
    rule = grounded(prim.numpy) if prim.has_programs else prim.numpy
    return named(w, "rules", spelled(prim.name), prim, rule)


def update_name(w: Writer, prim: Primitive) -> str:
    """`changes.scatter`, the same in place."""
    return named(w, "changes", spelled(prim.name), prim, prim.update)


def named(w: Writer, room: str, name: str, prim: Primitive, rule: Any) -> str:
    """A rule in one of the rooms of the text's names; two primitives may have one name."""
    members, k = vars(w.space[room]), 1
    unique = name = name if name.isidentifier() else "rule"
    while unique in members and w.made.get((room, unique)) is not prim:
        k, unique = k + 1, f"{name}_{k}"
    if unique not in members:
        setattr(w.space[room], unique, rule)
        w.made[room, unique] = prim
    return f"{room}.{unique}"


def parameters(w: Writer, eqn: Eqn) -> list[str]:
    """The parameters as keywords: numbers, strings and tuples of them as text, other objects by name."""
    return [f"{k}={x!r}" if is_plain(x) else f"{k}={w.constant(x, f'param_{k}')}" for k, x in eqn.params.items()]


def is_plain(x: Any) -> bool:
    """Is it a value that its text denotes?"""
    todo = [x]
    while todo:
        item = todo.pop()
        if type(item) is tuple:
            todo.extend(item)
        elif not (item is None or type(item) in (bool, int, str)):
            return False
    return True
