"""The executable specification of a jaxpr.

A jaxpr is well formed when every variable is assigned once and before it is read, inputs, consts and outputs are what
they say, and every eqn's outputs have the avals that its primitive's abstract rule gives.
"""

from __future__ import annotations

from typing import Any

from xform.core.aval import aval_of
from xform.core.jaxpr import Eqn, Jaxpr, Literal, Var


class MalformedJaxprError(ValueError):
    """An internal invariant is broken."""


def check(jaxpr: Jaxpr) -> None:
    """Raise `MalformedJaxprError` unless the program, and each program inside it, is well formed."""
    defined: set[Var] = set()
    for v in [*jaxpr.inputs, *(v for v, _ in jaxpr.consts)]:
        define(v, defined, "input")
    for v, value in jaxpr.consts:
        require(aval_of(value) == v.aval, f"const {v} holds a value of {aval_of(value)}")
    for number, eqn in enumerate(jaxpr.eqns):
        check_eqn(eqn, defined, f"eqn {number} ({eqn.prim.name})")
    for atom in jaxpr.outputs:
        require(isinstance(atom, Literal) or atom in defined, f"output {atom} is never assigned")


def check_eqn(eqn: Eqn, defined: set[Var], where: str) -> None:
    for atom in eqn.inputs:
        require(isinstance(atom, Literal) or atom in defined, f"{where} reads {atom} before it is assigned")
    for inner in eqn.jaxprs():
        check(inner)
    expected = eqn.prim.abstract(*(a.aval for a in eqn.inputs), **eqn.params)
    require(len(expected) == len(eqn.outputs), f"{where} has {len(eqn.outputs)} outputs, its rule gives {expected}")
    for v, aval in zip(eqn.outputs, expected, strict=True):
        define(v, defined, where)
        require(v.aval == aval, f"{where} assigns {v}, its abstract rule gives {aval}")


def define(v: Var, defined: set[Var], where: str) -> None:
    require(isinstance(v, Var), f"{where}: {v!r} is not a variable")
    require(v not in defined, f"{where}: {v} is assigned twice")
    defined.add(v)


def require(condition: Any, message: str) -> None:
    if not condition:
        raise MalformedJaxprError(f"malformed jaxpr: {message}")
