"""Residuals of branches, of which one runs: places that the branches share."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from xform.control.parts import substituted
from xform.control.transformed import Linearized
from xform.core.aval import Aval
from xform.core.jaxpr import Atom, Jaxpr, Literal, Var, eliminate_dead_code


class Slots:
    """Residuals of equal shape and dtype share a place, if they are of different branches.

    A residual that is an operand itself needs no place, nor does a literal.
    """

    def __init__(self, parts: Sequence[Linearized]) -> None:
        self.avals: list[Aval] = []
        #: numbers of the operands that are residuals
        self.operands = sorted({p.forward.inputs.index(r) for p in parts for r in p.residuals if r in p.forward.inputs})
        self.place: dict[tuple[int, Var], int] = {}  # (number of the linear program, residual) -> slot
        for p in parts:
            free = list(range(len(self.avals)))
            for r in self.stored(p):
                k = next((k for k in free if self.avals[k] == r.aval), None)
                if k is None:
                    k = len(self.avals)
                    self.avals.append(r.aval)
                else:
                    free.remove(k)
                self.place[id(p.linear), r] = k

    @staticmethod
    def stored(p: Linearized) -> list[Var]:
        """The residuals that need a place, each once."""
        return list(dict.fromkeys(r for r in p.residuals if isinstance(r, Var) and r not in p.forward.inputs))

    def forward(self, p: Linearized) -> Jaxpr:
        """operands -> results, slots."""
        slots: list[Atom | None] = [None] * len(self.avals)
        for r in self.stored(p):
            slots[self.place[id(p.linear), r]] = r
        blank = {k: Var(a) for k, (a, s) in enumerate(zip(self.avals, slots, strict=True)) if s is None}
        consts = [*p.forward.consts, *((v, np.zeros(v.aval.shape, v.aval.dtype)) for v in blank.values())]
        filled = [blank[k] if s is None else s for k, s in enumerate(slots)]
        outputs = [*p.forward.outputs[: len(p.varying)], *filled]
        return eliminate_dead_code(Jaxpr(p.forward.inputs, consts, p.forward.eqns, outputs))

    def linear(self, p: Linearized) -> Jaxpr:
        """residual operands, slots, tangents -> tangents of the results."""
        operands = {k: Var(p.forward.inputs[k].aval) for k in self.operands}
        slots = [Var(a) for a in self.avals]
        given = len(p.residuals)
        substitute: dict[Var, Atom] = {}
        for v, r in zip(p.linear.inputs, p.residuals, strict=False):
            if isinstance(r, Literal):
                substitute[v] = r
            elif r in p.forward.inputs:
                substitute[v] = operands[p.forward.inputs.index(r)]
            else:
                substitute[v] = slots[self.place[id(p.linear), r]]
        renamed = substituted(p.linear, substitute)
        return Jaxpr(
            [*operands.values(), *slots, *p.linear.inputs[given:]], p.linear.consts, renamed.eqns, renamed.outputs
        )
