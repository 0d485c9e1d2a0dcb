"""Loops differentiated in bounded memory: some states are kept, the others computed again from them.

How many steps there will be is not known while the loop runs, so the snapshots are placed online. A snapshot has a
level; a new one takes a free slot, or that of a snapshot whose level is below that of a later one, or else that of the
last one, whose level it exceeds by one. For n steps and s slots no step is then computed more than t times again, with
t the least number such that n <= (s + t)! / (s! t!): as few as if n had been known (Wang, Moin and Iaccarino, Minimal
repetition dynamic checkpointing algorithm for unsteady adjoint calculation, SIAM J. Sci. Comput. 31, 2009; for known n
Griewank and Walther, Algorithm 799: revolve, ACM Trans. Math. Software 26, 2000). In the backward sweep slots become
free, and the states computed again are offered to them in the same way.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from xform.control.call import Call
from xform.control.loops.extended import extended_body, run_extended
from xform.control.loops.operands import split, zeros
from xform.control.loops.residuals import linear_part
from xform.control.loops.scan import scan_p
from xform.control.masks import Mask, chosen, none_of
from xform.control.parts import with_outputs
from xform.control.programs import derived
from xform.control.transformed import linearize_program, transpose_program
from xform.core.aval import Aval
from xform.core.jaxpr import Eqn, Jaxpr, evaluate, run
from xform.core.primitive import Linear
from xform.core.stage import stage
from xform.core.trace import concrete
from xform.ops.family import instantiate

COUNT = Aval((), np.intp)


class Snapshot(NamedTuple):
    step: int
    level: float
    state: list[Any]


class Snapshots:
    """The states before some of the steps of a loop, `slots` of them beside the first."""

    __slots__ = ("kept", "slots")

    def __init__(self, slots: int, start: Sequence[Any]) -> None:
        self.slots = slots
        self.kept = [Snapshot(0, math.inf, list(start))]

    def copy(self) -> Snapshots:
        """A backward sweep uses the snapshots up."""
        other = Snapshots(self.slots, ())
        other.kept = self.kept.copy()
        return other

    def offer(self, step: int, state: Sequence[Any]) -> None:
        """The state before a step that is later than all that are kept."""
        level: float = 0
        if len(self.kept) > self.slots:
            k = self.dispensable()
            if k is None:
                k = len(self.kept) - 1
                level = self.kept[k].level + 1
            if not k:  # no slots at all: only the first state is kept
                return
            del self.kept[k]
        self.kept.append(Snapshot(step, level, list(state)))

    def dispensable(self) -> int | None:
        """A snapshot whose level is below that of a later one."""
        highest: float = -1
        for k in range(len(self.kept) - 1, 0, -1):
            if self.kept[k].level < highest:
                return k
            highest = max(highest, self.kept[k].level)
        return None

    def latest(self, step: int) -> Snapshot:
        """The last snapshot that is not later than the step; later ones are not needed any more."""
        while self.kept[-1].step > step:
            self.kept.pop()
        return self.kept[-1]


def state_before(step: int, snapshots: Snapshots, body: Jaxpr, consts: Sequence[Any]) -> list[Any]:
    """The state before a step, computed from the last one that is kept."""
    known = snapshots.latest(step)
    state = known.state
    for k in range(known.step, step):
        if k > known.step:
            snapshots.offer(k, state)
        state = run(body, [*consts, *state])
    return state


class LoopTangent(Call):
    """The linear part of a loop of `count` steps; its rules, but for the transpose, are those of a scan.

    count, consts, carry, tangents of the active ones -> tangents of the active carry
    """

    programs_are_final = False

    def inlined(self, eqn: Eqn) -> None:
        """It is there to keep less than its program would."""

    def abstract(self, *avals: Aval, body: Jaxpr, consts: int, active: Mask, **_: Any) -> list[Aval]:
        return chosen(body.in_avals[consts:], active[consts:])

    def program(self, operands: Sequence[Any], *, body: Jaxpr, consts: int, active: Mask, **_: Any) -> Jaxpr:
        return tangent_program(body, consts, active)

    def apply(self, derived: Jaxpr, operands: Sequence[Any], **params: Any) -> list[Any]:
        return evaluate(derived, *operands)

    def transpose(self, cotangents: Any, *args: Any, active: Mask, **params: Any) -> list[Any]:
        size = 1 + len(active)
        bars = loop_pullback_p.bind(*args[:size], *map(instantiate, cotangents), active=active, **params)
        pulled = (bar if type(x) is Linear else None for bar, x in zip(bars, args[size:], strict=True))
        return [*(None for _ in range(size)), *pulled]


class LoopPullback(Call):
    """count, consts, carry, cotangents of the active carry -> cotangents of the active consts and carry.

    Run, it goes backwards from step to step. Its rules are those of the same computation with everything kept.
    """

    programs_are_final = False

    def inlined(self, eqn: Eqn) -> None:
        """It is there to keep less than its program would."""

    def abstract(self, *avals: Aval, body: Jaxpr, consts: int, active: Mask, **_: Any) -> list[Aval]:
        return chosen(body.in_avals, active)

    def can_run(self, args: Sequence[Any], params: dict[str, Any]) -> bool:
        return concrete(args[0]) is not None

    def program(self, operands: Sequence[Any], *, body: Jaxpr, consts: int, active: Mask, **_: Any) -> Jaxpr:
        return pullback_program(body, consts, active)

    def apply(self, derived: Jaxpr, operands: Sequence[Any], **params: Any) -> list[Any]:
        return evaluate(derived, *operands)

    def numpy(
        self, *args: Any, body: Jaxpr, consts: int, active: Mask, slots: int, snapshots: Snapshots | None
    ) -> list[Any]:
        carry = len(body.outputs)
        (count, *values), bars = args[: 1 + consts + carry], list(args[1 + consts + carry :])
        fixed = values[:consts]
        steps = int(concrete(count))
        snapshots = Snapshots(slots, values[consts:]) if snapshots is None else snapshots.copy()
        parts = linear_part(body, active, consts, carry)
        residuals_of = residual_program(parts.forward, len(parts.varying))
        mask = (*none_of(parts.residuals), *(True for _ in chosen(active, active)))
        of_consts = sum(active[:consts])
        added = (*none_of(parts.residuals), *(k < of_consts for k in range(sum(active))))
        backward = transpose_program(parts.linear, mask, added, (True,) * len(bars))
        totals = [zeros(a) for a in chosen(body.in_avals[:consts], active[:consts])]
        for step in reversed(range(steps)):
            state = state_before(step, snapshots, body, fixed)
            residuals = evaluate(residuals_of, *fixed, *state)
            operands = [*residuals, *totals, *bars]
            totals, bars, residuals = [], [], []
            outs = run(backward, operands)
            totals, bars = outs[:of_consts], outs[of_consts:]
            del outs
        return [*totals, *bars]


loop_tangent_p = LoopTangent("loop_tangent")


loop_pullback_p = LoopPullback("loop_pullback")


@derived
def residual_program(forward: Jaxpr, results: int) -> Jaxpr:
    """Without the results, which come before the residuals."""
    return with_outputs(forward, forward.outputs[results:])


@derived
def tangent_program(body: Jaxpr, consts: int, active: Mask) -> Jaxpr:
    """The tangents of a loop of known length, with the states computed along with them."""
    carry = len(body.outputs)
    size = 1 + consts + carry
    extended, varying = extended_body(body, consts, carry, 1, active)

    def f(*values: Any) -> list[Any]:
        ops, terms = split(values[:size], consts, carry, None), [[t] for t in values[size:]]
        params = {"length": None, "reverse": False}
        rows = run_extended(scan_p, ops, extended, terms, active, varying, consts, carry, params)
        return [row[1] for row, v in zip(rows, varying, strict=True) if v]

    return stage(f, [COUNT, *body.in_avals, *chosen(body.in_avals, active)], "tangent")


@derived
def pullback_program(body: Jaxpr, consts: int, active: Mask) -> Jaxpr:
    """The pullback of a loop of known length, as a program that keeps the residuals of all steps."""
    carry = len(body.outputs)
    avals = [COUNT, *body.in_avals]
    params = {"body": body, "consts": consts, "carry": carry, "length": None, "reverse": False}
    loop = stage(lambda *xs: scan_p.bind(*xs, **params), avals, "loop")
    forward, linear, _ = linearize_program(loop, (False, *active), active[consts:])
    inputs = (*none_of(forward.outputs[carry:]), *(True for a in active if a))
    given = (True,) * sum(active[consts:])
    transposed = transpose_program(linear, inputs, none_of(inputs), given)

    def f(*values: Any) -> list[Any]:
        residuals = evaluate(forward, *values[: len(avals)])[carry:]
        return evaluate(transposed, *residuals, *values[len(avals) :])

    return stage(f, [*avals, *chosen(body.in_avals[consts:], active[consts:])], "pullback")
