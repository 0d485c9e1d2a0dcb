"""Parts of programs: what depends on what, what is needed for some of the outputs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from xform.control.masks import Mask, chosen
from xform.control.programs import derived
from xform.core.aval import Aval, aval_of
from xform.core.jaxpr import Atom, Jaxpr, Literal, Var, eliminate_dead_code
from xform.core.stage import strong


@derived
def dependent(jaxpr: Jaxpr, mask: Mask) -> Mask:
    """Which outputs depend on the inputs in the mask?"""
    found = set(chosen(jaxpr.inputs, mask))
    for eqn in jaxpr.eqns:
        if not found.isdisjoint(a for a in eqn.inputs if isinstance(a, Var)):
            found.update(eqn.outputs)
    return tuple(v in found for v in jaxpr.outputs)


def invariant(jaxpr: Jaxpr, known: Mask) -> set[Atom]:
    """The variables that are computed from known inputs alone, without an effect."""
    found: set[Any] = set(chosen(jaxpr.inputs, known)) | {v for v, _ in jaxpr.consts}
    for eqn in jaxpr.eqns:
        if not eqn.effect and all(type(a) is Literal or a in found for a in eqn.inputs):
            found.update(eqn.outputs)
    return found


def writes(jaxpr: Jaxpr, size: int) -> bool:
    """Does the program change entries of an array of at least that size? Run as a program it may do so in place."""
    return any(
        (eqn.prim.update is not None and eqn.inputs[0].aval.size >= size) or any(writes(j, size) for j in eqn.jaxprs())
        for eqn in jaxpr.eqns
    )


def substituted(jaxpr: Jaxpr, atoms: dict[Var, Atom]) -> Jaxpr:
    """The program with other atoms in place of some of its variables."""

    def of(a: Atom) -> Atom:
        return atoms.get(a, a) if isinstance(a, Var) else a

    eqns = [type(e)(e.prim, [of(a) for a in e.inputs], e.params, e.outputs, e.source) for e in jaxpr.eqns]
    return Jaxpr(jaxpr.inputs, jaxpr.consts, eqns, [of(a) for a in jaxpr.outputs])


def with_outputs(jaxpr: Jaxpr, outputs: Sequence[Atom]) -> Jaxpr:
    """The part of the program that computes these variables of it."""
    return eliminate_dead_code(Jaxpr(jaxpr.inputs, jaxpr.consts, jaxpr.eqns, outputs))


def result_avals(jaxpr: Jaxpr) -> list[Aval]:
    return [strong(aval_of(a)) for a in jaxpr.out_avals]
