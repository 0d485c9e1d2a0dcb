"""Inlining: the program of an operation in the place of the operation.

Which program that is the primitive says (`inlined`): a call has one, a loop of few steps can be written down step by
step, and a loop that does too much is a smaller one, with what need not be done in each step around it.
"""

from __future__ import annotations

from typing import Any

from xform.compile.passes.rewriting import strong
from xform.core.jaxpr import Atom, Eqn, Jaxpr, Var, copied


def inline(jaxpr: Jaxpr) -> Jaxpr:
    """The program with the programs that its operations are inlined as; the same program if there are none."""
    programs = [e.prim.inlined(e) if e.prim.has_programs else None for e in jaxpr.eqns]
    if not any(p is not None for p in programs):
        return jaxpr
    atoms: dict[Any, Atom] = {}
    eqns: list[Eqn] = []
    consts = list(jaxpr.consts)
    known = {id(x): v for v, x in consts}
    for eqn, program in zip(jaxpr.eqns, programs, strict=True):
        inputs = [atoms.get(a, a) for a in eqn.inputs]
        if program is None:
            eqns.append(eqn if inputs == eqn.inputs else Eqn(eqn.prim, inputs, eqn.params, eqn.outputs, eqn.source))
            continue
        inner: dict[Any, Atom] = dict(zip(program.inputs, map(strong, inputs), strict=True))
        for v, x in program.consts:
            if id(x) not in known:
                known[id(x)] = Var(v.aval)
                consts.append((known[id(x)], x))
            inner[v] = known[id(x)]
        eqns += copied(program.eqns, inner)
        for v, y in zip(eqn.outputs, program.outputs, strict=True):
            value: Any = inner.get(y, y)
            atoms[v] = strong(value)
    return Jaxpr(jaxpr.inputs, consts, eqns, [atoms.get(a, a) for a in jaxpr.outputs])
