"""The executable specification of a jaxpr.

A jaxpr is well formed when every variable is assigned once and before it is read, inputs, consts and outputs are what
they say, and every eqn's outputs have the avals that its primitive's abstract rule gives.
"""

from __future__ import annotations

from xform.core.aval import aval_of
from xform.core.depth import deep
from xform.core.jaxpr import Atom, Eqn, Jaxpr, Literal, Var


class MalformedJaxprError(ValueError):
    """An internal invariant is broken."""


def check(jaxpr: Jaxpr) -> None:
    """Raise `MalformedJaxprError` unless the program, and each program inside it, is well formed."""
    defined: set[Var] = set()
    for v in [*jaxpr.inputs, *(v for v, _ in jaxpr.consts)]:
        define(v, defined, "the head")
    for v, value in jaxpr.consts:
        if aval_of(value) != v.aval:
            raise malformed(f"const {v} holds a value of {aval_of(value)}")
    for number, eqn in enumerate(jaxpr.eqns):
        check_eqn(eqn, defined, number)
    for atom in jaxpr.outputs:
        if not is_defined(atom, defined):
            raise malformed(f"output {atom} is never assigned")


def check_eqn(eqn: Eqn, defined: set[Var], number: int) -> None:
    for atom in eqn.inputs:
        if not is_defined(atom, defined):
            raise malformed(f"{name(eqn, number)} reads {atom} before it is assigned")
    for inner in eqn.jaxprs():
        with deep():
            check(inner)
    expected = eqn.prim.abstract(*(a.aval for a in eqn.inputs), **eqn.params)
    if len(expected) != len(eqn.outputs):
        raise malformed(f"{name(eqn, number)} has {len(eqn.outputs)} outputs, its abstract rule gives {expected}")
    for v, aval in zip(eqn.outputs, expected, strict=True):
        define(v, defined, eqn.prim.name)
        if v.aval != aval:
            raise malformed(f"{name(eqn, number)} assigns {v}, its abstract rule gives {aval}")


def is_defined(atom: Atom, defined: set[Var]) -> bool:
    return isinstance(atom, Literal) or atom in defined


def define(v: Var, defined: set[Var], where: str) -> None:
    if not isinstance(v, Var):
        raise malformed(f"{where} assigns {v!r}, which is not a variable")
    if v in defined:
        raise malformed(f"{where} assigns {v}, which has a value already")
    defined.add(v)


def name(eqn: Eqn, number: int) -> str:
    return f"eqn {number} ({eqn.prim.name})"


def malformed(message: str) -> MalformedJaxprError:
    return MalformedJaxprError(f"malformed jaxpr: {message}")
