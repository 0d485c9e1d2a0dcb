"""The linear part of a loop's body, and where it finds its residuals."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from xform.control.masks import Mask, none_of
from xform.control.parts import invariant, substituted, with_outputs
from xform.control.transformed import Linearized, linearize_step
from xform.core.jaxpr import Atom, Jaxpr, Literal, Var, evaluate


def linear_part(body: Jaxpr, active: Mask, consts: int, carry: int) -> Linearized:
    forced = (*active[consts : consts + carry], *none_of(body.outputs[carry:]))
    return linearize_step(body, active, forced)


class Residuals:
    """Where the linear part of a body finds its residuals, each stored once at most.

    - A const is at hand, and so is an x of each step: nothing is stored.
    - What is computed from consts alone is computed once, outside of the loop.
    - What the body puts out anyway is found in the stacked outputs.
    - Everything else becomes an output of the forward loop.
    """

    def __init__(self, parts: Linearized, consts: int, carry: int) -> None:
        self.parts, self.consts, self.carry = parts, consts, carry
        self.varying = parts.varying
        inputs = parts.forward.inputs
        count = len(parts.varying)
        constant = invariant(parts.forward, tuple(k < consts for k in range(len(inputs))))
        residuals = [r for r in parts.residuals if isinstance(r, Var)]
        self.fixed = list(dict.fromkeys(r for r in residuals if r in constant))
        self.given = list(dict.fromkeys(r for r in residuals if r in inputs[consts + carry :]))
        stored: list[Atom] = list(parts.forward.outputs[carry:count])
        self.kept: dict[Var, int] = {}  # residual -> which of the stacked outputs
        for r in residuals:
            if r not in constant and r not in self.given and r not in self.kept:
                if r not in stored:
                    stored.append(r)
                self.kept[r] = stored.index(r)
        self.forward = with_outputs(parts.forward, [*parts.forward.outputs[:carry], *stored])

    def values(self, consts: Sequence[Any], xs: Sequence[Any], stored: Sequence[Any]) -> tuple[list[Any], list[Any]]:
        """The residuals that are the same in all steps, and the arrays of those that are not."""
        fixed: list[Any] = []
        if self.fixed:
            program = with_outputs(self.parts.forward, self.fixed)
            inputs = program.inputs[: self.consts]
            fixed = evaluate(Jaxpr(inputs, program.consts, program.eqns, program.outputs), *consts)
        first = self.consts + self.carry
        given = [xs[self.parts.forward.inputs.index(r) - first] for r in self.given]
        return fixed, [*given, *(stored[k] for k in self.kept.values())]

    def linear(self, active: Mask) -> Jaxpr:
        """The linear part on its operands in the order of a scan: fixed, consts_dot, carry_dot, kept, xs_dot."""
        program, residuals = self.parts.linear, self.parts.residuals
        names = {r: Var(r.aval) for r in [*self.fixed, *self.given, *self.kept]}
        consts, xs = [names[r] for r in self.fixed], [names[r] for r in [*self.given, *self.kept]]
        renamed = renamed_inputs(program, [r if isinstance(r, Literal) else names[r] for r in residuals])  # type: ignore[index]
        dots = program.inputs[len(residuals) :]
        c = sum(active[: self.consts])
        s = c + sum(active[self.consts : self.consts + self.carry])
        inputs = [*consts, *dots[:s], *xs, *dots[s:]]
        return Jaxpr(inputs, program.consts, renamed.eqns, renamed.outputs)


def renamed_inputs(jaxpr: Jaxpr, atoms: Sequence[Atom]) -> Jaxpr:
    """The program with its leading inputs replaced."""
    return substituted(jaxpr, dict(zip(jaxpr.inputs, atoms, strict=False)))
