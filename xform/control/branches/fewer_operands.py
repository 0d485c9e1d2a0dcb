"""Branches that are given less: literals are written into them, and no operand is there twice or unread."""

from __future__ import annotations

from typing import Any

from xform.control.loops.loose import operands_of
from xform.control.loops.needed import read_by, restricted
from xform.control.masks import Mask, chosen, either, none_of
from xform.control.parts import substituted
from xform.core.jaxpr import Atom, Eqn, Jaxpr, Literal, Var


def with_fewer_operands(eqn: Eqn) -> Jaxpr | None:
    """A program of the same operands, with a cond of fewer; None if it needs them all."""
    branches = eqn.params["branches"]
    inputs, known = operands_of(eqn)
    operands = known[1:]
    first: dict[Any, int] = {}
    places = [k if isinstance(a, Literal) else first.setdefault(a, k) for k, a in enumerate(operands)]
    atoms = [{v: operands[k] if isinstance(operands[k], Literal) else b.inputs[j]
              for k, (v, j) in enumerate(zip(b.inputs, places, strict=True))
              if isinstance(operands[k], Literal) or j != k}
             for b in branches]  # fmt: skip
    programs = [substituted(b, renamed) if renamed else b for b, renamed in zip(branches, atoms, strict=True)]
    every = (True,) * len(eqn.outputs)
    read: Mask = none_of(operands)
    for program in programs:
        read = tuple(either(read, read_by(program, every)))
    if all(read):
        return None
    outs = [Var(v.aval) for v in eqn.outputs]
    kept: list[Atom] = [known[0], *chosen(operands, read)]
    params = {"branches": tuple(restricted(p, read, every) for p in programs)}
    return Jaxpr(inputs, [], [Eqn(eqn.prim, kept, params, outs, eqn.source)], outs)
