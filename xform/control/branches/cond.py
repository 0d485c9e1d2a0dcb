"""Branches: run one of several programs, chosen by an index.

    cond(index, *operands; branches)       outs = branches[index](*operands), the index clamped to those there are

Every rule applies to each branch what it applies to a program. The branches of the result must give the same values, so
where one has a tangent (a batch axis, ...) that another lacks, it gets a zero tangent (copies, ...).
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from functools import reduce
from typing import Any

import numpy as np

from xform.control.branches.fewer_operands import with_fewer_operands
from xform.control.branches.slots import Slots
from xform.control.expansion import are_active, expand
from xform.control.loops.lanes import lane_select, lanes_of, own_lanes, together
from xform.control.loops.needed import read_by, restricted
from xform.control.loops.operands import union
from xform.control.loops.scan import one_by_one
from xform.control.masks import Mask, chosen, either, none_of
from xform.control.parts import dependent, result_avals
from xform.control.programs import Control
from xform.control.transformed import (
    batch_program,
    jet_program,
    jvp_program,
    linearize_step,
    transpose_program,
    vmapped,
)
from xform.core.aval import Aval
from xform.core.jaxpr import Eqn, Jaxpr, Literal, Var, evaluate
from xform.core.primitive import Linear, Zero, is_zero
from xform.core.trace import concrete
from xform.ops.family import instantiate
from xform.ops.indexing.positions import are_known
from xform.ops.reduce import reduce_or
from xform.ops.select import select
from xform.ops.structure import batch_operand
from xform.transforms.arguments import as_array
from xform.transforms.sparsity import propagate
from xform.transforms.vmap import Axis

Branches = tuple[Jaxpr, ...]


class Cond(Control):
    """branches[index](*operands)."""

    def can_run(self, args: Sequence[Any], params: dict[str, Any]) -> bool:
        return concrete(args[0]) is not None

    def abstract(self, index: Aval, *operands: Aval, branches: Branches) -> list[Aval]:
        return result_avals(branches[0])

    def numpy(self, index: Any, *operands: Any, branches: Branches) -> list[Any]:
        return [as_array(y) for y in evaluate(branches[clamped(concrete(index), branches)], *operands)]

    def jvp(self, primals: Any, tangents: Any, *, branches: Branches) -> tuple[list[Any], list[Any]]:
        active = are_active(tangents[1:])
        programs, varying = alike(branches, lambda b, forced: jvp_program(b, active, forced))
        outs = self.bind(*primals, *chosen(tangents[1:], active), branches=programs)
        ys, y_dots = outs[: len(varying)], iter(outs[len(varying) :])
        return ys, [next(y_dots) if v else Zero.like(y) for y, v in zip(ys, varying, strict=True)]

    def linearize(self, primals: Any, tangents: Any, *, branches: Branches) -> tuple[list[Any], list[Any]]:
        """The branch that runs leaves its residuals in slots that all branches share."""
        active = are_active(tangents[1:])
        varying: Mask = reduce(either, (linearize_step(b, active).varying for b in branches))
        parts = [linearize_step(b, active, varying) for b in branches]
        slots = Slots(parts)
        outs = self.bind(*primals, branches=tuple(slots.forward(p) for p in parts))
        ys, residuals = outs[: len(varying)], outs[len(varying) :]
        operands = [*(primals[1 + k] for k in slots.operands), *residuals, *chosen(tangents[1:], active)]
        y_dots = iter(self.bind(primals[0], *operands, branches=tuple(slots.linear(p) for p in parts)))
        return ys, [next(y_dots) if v else Zero.like(y) for y, v in zip(ys, varying, strict=True)]

    def transpose(self, cotangents: Any, index: Any, *operands: Any, branches: Branches) -> list[Any]:
        linear = tuple(type(x) is Linear for x in operands)
        given = tuple(not is_zero(c) for c in cotangents)
        none = none_of(linear)
        programs = tuple(transpose_program(b, linear, none, given) for b in branches)
        known = [x for x, k in zip(operands, linear, strict=True) if not k]
        bars = iter(self.bind(index, *known, *chosen(cotangents, given), branches=programs))
        return [None, *(next(bars) if k else None for k in linear)]

    def reached(self, mask: Mask, *, branches: Branches) -> Mask:
        if mask[0]:
            return (True,) * len(branches[0].outputs)
        return reduce(either, (dependent(b, tuple(mask[1:])) for b in branches))

    def batch(self, axis: Axis, args: Any, batched: Any, *, branches: Branches) -> list[Any]:
        index, *operands = args
        if batched[0]:
            known = concrete(index)
            if known is None and any(b.effect for b in branches):
                return one_by_one(self, axis, args, batched, {"branches": branches})
            by = separately if known is not None else masked
            return by(axis, index if known is None else known, operands, tuple(batched[1:]), branches)
        mask = tuple(batched[1:])
        programs, varying = alike(branches, lambda b, forced: batch_program(b, axis, mask, forced))
        outs = self.bind(*args, branches=programs)
        return [batch_operand(axis.size, y, v) for y, v in zip(outs, varying, strict=True)]

    def pruned(self, eqn: Eqn, live: list[bool]) -> Eqn:
        """No branch need compute what nobody reads, nor be given what none reads."""
        if all(live):
            return eqn
        branches, outputs = eqn.params["branches"], tuple(live)
        inputs: Mask = reduce(either, (read_by(b, outputs) for b in branches))
        if all(inputs) and all(outputs):
            return eqn
        params = {"branches": tuple(restricted(b, inputs, outputs) for b in branches)}
        operands = [eqn.inputs[0], *chosen(eqn.inputs[1:], inputs)]
        return Eqn(self, operands, params, chosen(eqn.outputs, outputs), eqn.source)

    def inlined(self, eqn: Eqn) -> Jaxpr | None:
        """The one branch that a known index chooses; else a cond of the operands that the branches need."""
        index, branches = eqn.inputs[0], eqn.params["branches"]
        if len(branches) > 1 and not isinstance(index, Literal):
            return with_fewer_operands(eqn)
        branch = branches[clamped(index.value, branches) if isinstance(index, Literal) else 0]
        return Jaxpr([Var(index.aval), *branch.inputs], branch.consts, branch.eqns, branch.outputs)

    def jet(self, series: Any, apply: Any, *, branches: Branches) -> list[Any]:
        active = tuple(not s.is_constant for s in series[1:])
        varying = alike(branches, lambda b, forced: jet_program(b, 1, active, forced))[1]

        def coefficients(order: int, operands: list[Any], terms: list[list[Any]]) -> list[list[Any]]:
            programs = tuple(jet_program(b, order, active, varying)[0] for b in branches)
            outs = self.bind(*operands, *(t for row in terms for t in row), branches=programs)
            rest = iter(outs[len(varying) :])
            return [[y, *(next(rest) for _ in range(order) if v)] for y, v in zip(outs, varying, strict=False)]

        return expand(series, apply, varying, coefficients)

    def lower(self, emit: Any, index: Any, *operands: Any, branches: Branches) -> list[Any]:
        return emit.cond(index, operands, branches)

    def sparsity(self, patterns: Any, avals: Any, *, branches: Branches) -> list[Any]:
        """What an output depends on in any of the branches; if the index is known, in the one it chooses."""
        if are_known(avals[:1]):
            branches = (branches[clamped(avals[0], branches)],)
        each = [propagate(b, patterns[1:], avals[1:]) for b in branches]
        return [reduce(union, ps) for ps in zip(*each, strict=True)]


cond_p = Cond("cond")


def clamped(index: Any, branches: Branches) -> int:
    return min(max(operator.index(index), 0), len(branches) - 1)


def alike(branches: Branches, make: Callable[[Jaxpr, Mask | None], tuple[Jaxpr, Mask]]) -> tuple[Branches, Mask]:
    """Programs made of all branches, that have the same outputs."""
    varying: Mask = reduce(either, (make(b, None)[1] for b in branches))
    return tuple(make(b, varying)[0] for b in branches), varying


# --- an index that differs from lane to lane ---


def separately(axis: Axis, index: Any, operands: Any, batched: Mask, branches: Branches) -> list[Any]:
    """Each branch on its own lanes only; the results are put together in the order of the lanes."""
    index = np.clip(index, 0, len(branches) - 1)
    order, parts = [], []
    for k, branch in enumerate(branches):
        lanes = np.flatnonzero(index == k)
        if len(lanes):
            own = [lanes_of(x, lanes, b) for x, b in zip(operands, batched, strict=True)]
            outs = vmapped(branch, Axis(len(lanes), axis.name), own, batched)
            parts.append([batch_operand(len(lanes), as_array(y), b) for y, b in outs])
            order.append(lanes)
    if not parts:
        return [np.zeros((0, *a.shape), a.dtype) for a in result_avals(branches[0])]
    return together(order, parts)


def masked(axis: Axis, index: Any, operands: Any, batched: Mask, branches: Branches) -> list[Any]:
    """Each branch on all lanes, where a lane that is not its own computes a copy of one that is.

    So a branch never meets operands that are not meant for it: no nan arises, and no error. A branch without a lane
    does not run at all.
    """
    index = np.minimum(np.maximum(index, 0), len(branches) - 1)
    outs: list[Any] = []
    for k, branch in enumerate(branches):
        mine = index == k
        own = [lanes_of(x, own_lanes(mine), b) for x, b in zip(operands, batched, strict=True)]
        program, _ = batch_program(branch, axis, batched, (True,) * len(branch.outputs))
        nothing = blank(program)
        ys = cond_p.bind(as_index(reduce_or(mine, axes=(0,))), *own, branches=(nothing, program))
        outs = [lane_select(mine, y, z) for y, z in zip(ys, outs, strict=True)] if outs else ys
    return outs


def blank(program: Jaxpr) -> Jaxpr:
    """A program of the same type that returns zeros."""
    outputs = [Var(a) for a in result_avals(program)]
    zeros = [(v, instantiate(Zero(v.aval))) for v in outputs]
    return Jaxpr([Var(v.aval) for v in program.inputs], zeros, [], outputs)


def as_index(flag: Any) -> Any:
    """A truth value as the number of a branch."""
    return select(flag, np.intp(1), np.intp(0))
