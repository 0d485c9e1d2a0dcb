"""Loops that run as long as a condition holds.

    while(cond_consts, consts, carry; cond, body)      while cond(cond_consts, carry): carry = body(consts, carry)

The number of steps is known only afterwards. For reverse mode the loop is run with `record`: it also counts its steps,
and keeps further outputs of the body, step by step, on a stack that grows. The linear part is then a scan over what was
kept, of as many steps. So there are no other derivative rules than those of scans.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from xform.control.expansion import are_active, expand
from xform.control.loops.extended import extended_body, moving, stable_carry, wandering
from xform.control.loops.lighter import lighter_while
from xform.control.loops.needed import needed, read_by, restricted
from xform.control.loops.operands import by_kind, shape_and_dtype, stacked, swapped, union, zeros
from xform.control.loops.residuals import Residuals, linear_part
from xform.control.loops.scan import carried, one_by_one, scan_p
from xform.control.loops.snapshots import COUNT, Snapshots, loop_tangent_p
from xform.control.loops.while_lanes import masked, separately
from xform.control.loops.while_parameters import Loop
from xform.control.masks import Mask, chosen, grouped, none_of, stable, ungrouped
from xform.control.parts import dependent, result_avals
from xform.control.programs import Control
from xform.control.transformed import batch_program
from xform.core.aval import Aval
from xform.core.errors import NonlinearError
from xform.core.jaxpr import Eqn, Jaxpr, Var, eliminate_dead_code, evaluate, run
from xform.core.primitive import Linear, Zero
from xform.core.stage import is_staging
from xform.core.trace import concrete, context
from xform.ops.family import instantiate
from xform.ops.structure import batch_operand
from xform.transforms.arguments import as_array
from xform.transforms.sparsity import propagate
from xform.transforms.vmap import Axis


class While(Control):
    """while cond(cond_consts, carry): carry = body(consts, carry)"""

    def can_run(self, args: Sequence[Any], params: dict[str, Any]) -> bool:
        """With snapshots, what is kept is not what Python's own loop would leave on a tape."""
        return params.get("slots") is None

    def abstract(self, *avals: Aval, **params: Any) -> list[Aval]:
        loop = Loop(**params)
        outs = result_avals(loop.body)
        trails = [Aval((None, *a.shape), a.dtype) for a in outs[loop.carry :]]  # type: ignore[arg-type]
        return [*outs[: loop.carry], COUNT, *trails] if loop.record else outs

    def numpy(self, *args: Any, **params: Any) -> list[Any]:
        loop = Loop(**params)
        cond_consts, consts, states = loop.split(args)
        trails: list[list[Any]] = [[] for _ in loop.body.outputs[loop.carry :]]
        count = 0
        while True:
            go_on = concrete(evaluate(loop.cond, *cond_consts, *states)[0])
            if go_on is None:  # it differs from lane to lane of a batch
                now = args if loop.record else [*cond_consts, *consts, *states]
                return context.trace.process(self, now, params)
            if not go_on:
                break
            values = [*consts, *states]
            states.clear()  # so that the body may overwrite what nobody else holds
            outs = run(loop.body, values)
            states += outs[: loop.carry]
            for trail, y in zip(trails, outs[loop.carry :], strict=True):
                trail.append(y)
            del outs
            count += 1
        finals = [as_array(s) for s in states]
        if not loop.record:
            return finals
        avals = result_avals(loop.body)[loop.carry :]
        return [*finals, np.intp(count), *(stacked(t, a) for t, a in zip(trails, avals, strict=True))]

    def jvp(self, primals: Any, tangents: Any, **params: Any) -> tuple[list[Any], list[Any]]:
        loop = Loop(**params)
        active = are_active(tangents[loop.cond_consts :])
        active = stable_carry(active, loop.consts, loop.carry, loop.body, moving)
        extended, varying = extended_body(loop.body, loop.consts, loop.carry, 1, active)
        terms = [[instantiate(t)] for t in chosen(tangents[loop.cond_consts :], active)]
        rows = run_extended(self, loop, primals, extended, terms, active, varying)
        return [y for y, *_ in rows], [Zero.like(row[0]) if len(row) == 1 else row[1] for row in rows]

    def linearize(self, primals: Any, tangents: Any, **params: Any) -> tuple[list[Any], list[Any]]:
        """A loop that keeps the residuals of each step, and a linear scan over them."""
        loop = Loop(**params)
        consts, dots = loop.split(primals)[1], tangents[loop.cond_consts :]
        active = stable_carry(are_active(dots), loop.consts, loop.carry, loop.body, linear_part)
        if loop.slots is not None and not loop.record:
            return self.linearize_by_snapshots(loop, primals, dots, active)
        parts = Residuals(linear_part(loop.body, active, loop.consts, loop.carry), loop.consts, loop.carry)
        outs = self.bind(*primals, **loop._replace(body=parts.forward, record=True)._asdict())
        finals, count, trails = outs[: loop.carry], outs[loop.carry], outs[loop.carry + 1 :]
        fixed, kept = parts.values(consts, [], trails)
        consts_dot, carry_dot, _ = by_kind(dots, active, loop.consts, loop.carry)
        y_dots = iter(
            scan_p.bind(
                count, *fixed, *consts_dot, *map(instantiate, carry_dot), *kept,
                body=parts.linear(active), consts=len(fixed) + len(consts_dot), carry=len(carry_dot),
                length=None, reverse=False,
            )
        )  # fmt: skip
        ys = [*finals, *trails[: len(loop.body.outputs) - loop.carry]]
        y_dots = [next(y_dots) if v else Zero.like(y) for y, v in zip(ys, parts.varying, strict=True)]
        if not loop.record:
            return ys, y_dots
        n = loop.carry
        return [*ys[:n], count, *ys[n:]], [*y_dots[:n], Zero.like(count), *y_dots[n:]]

    def linearize_by_snapshots(self, loop: Loop, primals: Any, dots: Any, active: Mask) -> tuple[list[Any], list[Any]]:
        """The linear part computes the states again from some that are kept now, or from the first one."""
        cond_consts, consts, carry = loop.split(primals)
        snapshots = None if is_staging() else Snapshots(loop.slots or 0, carry)
        outs = None if snapshots is None else run_keeping(snapshots, loop, cond_consts, consts, carry)
        if outs is None:
            snapshots, outs = None, self.bind(*primals, **loop._replace(record=True)._asdict())
        *ys, count = outs
        params = {"body": loop.body, "consts": loop.consts, "active": active, "slots": loop.slots}
        moving = map(instantiate, chosen(dots, active))
        args = [count, *consts, *carry, *moving]
        y_dots = iter(context.trace.process(loop_tangent_p, args, {**params, "snapshots": snapshots}))
        states = active[loop.consts :]
        return ys, [next(y_dots) if a else Zero.like(y) for y, a in zip(ys, states, strict=True)]

    def transpose(self, cotangents: Any, *args: Any, **params: Any) -> list[Any]:
        """Run the part that is not linear, among it the condition, to count the steps; the rest is a linear scan."""
        loop = Loop(**params)
        cond_consts, consts, carry = loop.split(args)
        linear = carried(loop.body, tuple(type(x) is Linear for x in [*consts, *carry]), loop.consts, loop.carry)
        if any(dependent(loop.cond, (*none_of(cond_consts), *linear[loop.consts :]))):
            raise NonlinearError("the condition of a while loop depends on values in which the loop is to be linear")
        operands, smaller = counting(args, loop, linear)
        count = self.bind(*cond_consts, *operands, **smaller)[-1]
        bars = list(cotangents)
        if loop.record:
            del bars[loop.carry]
        bars = scan_p.transpose(
            bars, count, *consts, *carry, body=loop.body, consts=loop.consts, carry=loop.carry, length=None,
            reverse=False,
        )  # fmt: skip
        return [*(None for _ in cond_consts), *bars[1:]]

    def reached(self, mask: Mask, **params: Any) -> Mask:
        loop = Loop(**params)
        inner = carried(loop.body, tuple(mask[loop.cond_consts :]), loop.consts, loop.carry)
        states, trails = inner[loop.consts :], dependent(loop.body, inner)[loop.carry :]
        return (*states, False, *trails) if loop.record else states  # without a step the carry is as it was

    def batch(self, axis: Axis, args: Any, batched: Any, **params: Any) -> list[Any]:
        loop = Loop(**params)
        flags = loop.split(batched)
        cond_consts, consts, carry = loop.split(args)
        mask = stable(
            (*flags[1], *flags[2]),
            lambda m: (*none_of(consts), *batch_program(loop.body, axis, m)[1][: loop.carry]),
        )
        states = mask[loop.consts :]
        cond, (differs,) = batch_program(loop.cond, axis, (*flags[0], *states))
        if differs:
            if (loop.cond.effect or loop.body.effect) and not loop.record and is_staging():
                return one_by_one(self, axis, args, batched, params)
            carry = [batch_operand(axis.size, x, b) for x, b in zip(carry, flags[2], strict=True)]
            at_once = loop.record or loop.slots is not None or axis.name is not None
            run_lanes = masked if at_once else separately
            return run_lanes(self, axis, loop, cond_consts, consts, carry, (*flags[0], *flags[1]))
        # a batch axis cannot be given later to an output whose size is not known
        forced = (*states, *(True for _ in loop.body.outputs[loop.carry :]))
        body, varying = batch_program(loop.body, axis, mask, forced)
        carry = [batch_operand(axis.size, x, b) if m else x for x, b, m in zip(carry, flags[2], states, strict=True)]
        outs = self.bind(*cond_consts, *consts, *carry, **loop._replace(cond=cond, body=body)._asdict())
        count = outs[loop.carry : loop.carry + 1] if loop.record else []
        outs = [*outs[: loop.carry], *outs[loop.carry + len(count) :]]
        outs = [swapped(y) if v and k >= loop.carry else y for k, (y, v) in enumerate(zip(outs, varying, strict=True))]
        outs = [batch_operand(axis.size, y, v) for y, v in zip(outs, varying, strict=True)]
        counts = [batch_operand(axis.size, c, False) for c in count]
        return [*outs[: loop.carry], *counts, *outs[loop.carry :]]

    def pruned(self, eqn: Eqn, live: list[bool]) -> Eqn:
        """Carries, and what was to be kept of each step, on which neither the condition nor what is read depends.

        Without anything that is kept, the count of the steps too, if nobody reads it.
        """
        if all(live):
            return eqn
        loop = Loop(**eqn.params)
        n, a = loop.carry, loop.cond_consts
        tested = read_by(loop.cond, (True,))
        trails = live[n + 1 :] if loop.record else []
        wanted = (*(u or t for u, t in zip(live[:n], tested[a:], strict=True)), *trails)
        inputs, outputs = needed(loop.body, wanted, loop.consts, n)
        carry = outputs[:n]
        record = loop.record and (live[n] or any(trails))
        if all(inputs) and all(outputs) and all(tested[:a]) and record == loop.record:
            return eqn
        cond, body = (*tested[:a], *carry), restricted(loop.body, inputs, outputs)
        smaller = Loop(
            restricted(loop.cond, cond, (True,)), body, sum(tested[:a]), sum(inputs[: loop.consts]), record, loop.slots
        )
        keep = [*carry, *([record, *trails] if loop.record else [])]
        operands = chosen(eqn.inputs, [*tested[:a], *inputs])
        return Eqn(self, operands, smaller._asdict(), chosen(eqn.outputs, keep), eqn.source)

    def inlined(self, eqn: Eqn) -> Jaxpr | None:
        return lighter_while(eqn)

    def jet(self, series: Any, apply: Any, **params: Any) -> list[Any]:
        loop = Loop(**params)
        active = tuple(not s.is_constant for s in series[loop.cond_consts :])
        carried = stable_carry(active, loop.consts, loop.carry, loop.body, wandering)
        varying = list(extended_body(loop.body, loop.consts, loop.carry, -1, carried)[1])
        if loop.record:
            varying.insert(loop.carry, False)
        lead = [not s.is_constant for s in series[: loop.cond_consts]]

        def coefficients(order: int, operands: list[Any], terms: list[list[Any]]) -> list[list[Any]]:
            if not order:
                return [[y] for y in self.bind(*operands, **params)]
            extended, inner = extended_body(loop.body, loop.consts, loop.carry, -order, carried)
            rest = iter(terms[sum(lead) :])
            filled = [
                next(rest) if a else [zeros(shape_and_dtype(x))] * order
                for x, a, c in zip(operands[loop.cond_consts :], active, carried, strict=True)
                if c
            ]
            return run_extended(self, loop, operands, extended, filled, carried, inner)

        return expand(series, apply, varying, coefficients)

    def lower(self, emit: Any, *args: Any, **params: Any) -> list[Any]:
        loop = Loop(**params)
        return emit.while_loop(*loop.split(args), loop.cond, loop.body, loop.record)

    def sparsity(self, patterns: Any, avals: Any, **params: Any) -> list[Any]:
        """What the carry depends on grows from step to step, until it does no more."""
        loop = Loop(**params)
        (_, consts, states), known = loop.split(patterns), loop.split(avals)
        inner = [*known[1], *(shape_and_dtype(a) for a in known[2])]
        ys: list[Any] = [None] * (len(loop.body.outputs) - loop.carry)
        while True:
            outs = propagate(loop.body, [*consts, *states], inner)
            ys = [union(p, q) for p, q in zip(ys, outs[loop.carry :], strict=True)]
            before, states = states, [union(p, q) for p, q in zip(states, outs[: loop.carry], strict=True)]
            if all(p is q or np.array_equal(p, q) for p, q in zip(before, states, strict=True)):
                break
        # one row stands for the unknown number of them
        return [*states, None, *(None if p is None else p[:, None] for p in ys)] if loop.record else states


while_p = While("while")


def run_keeping(snapshots: Snapshots, loop: Loop, cond_consts: Any, consts: Any, carry: Any) -> list[Any] | None:
    """The loop in Python, which offers its states to the snapshots: the last state, and the number of steps.

    None if the condition is not known, since it differs from lane to lane of a batch.
    """
    count, state = 0, list(carry)
    while go_on := concrete(evaluate(loop.cond, *cond_consts, *state)[0]):
        if count:
            snapshots.offer(count, state)
        state = run(loop.body, [*consts, *state])
        count += 1
    return None if go_on is None else [*map(as_array, state), np.intp(count)]


def run_extended(
    prim: While, loop: Loop, primals: Any, extended: Jaxpr, terms: Sequence[Sequence[Any]], active: Mask, varying: Mask
) -> list[list[Any]]:
    """Each result and its terms, from the operands and the terms of the active ones."""
    order = len(terms[0]) if terms else 1
    extras = [order * a for a in active]
    cond_consts, consts, carry = loop.split(primals)
    operands = grouped([*consts, *carry, *(t for row in terms for t in row)], extras, [loop.consts, loop.carry])
    surplus = [Var(v.aval) for v in extended.inputs[loop.consts + sum(extras[: loop.consts]) + loop.carry :]]
    cond = Jaxpr([*loop.cond.inputs, *surplus], loop.cond.consts, loop.cond.eqns, loop.cond.outputs)
    wider = loop._replace(cond=cond, body=extended, consts=loop.consts + sum(extras[: loop.consts]))
    outs = prim.bind(*cond_consts, *operands, **wider._asdict())
    count = [outs.pop(wider.carry)] if loop.record else []
    n = [order * v for v in varying]
    ys, belonging = ungrouped(outs, n, [loop.carry, len(varying) - loop.carry])
    rows = [[y, *more] for y, more in zip(ys, belonging, strict=True)]
    return [*rows[: loop.carry], *([c] for c in count), *rows[loop.carry :]]


def counting(args: Any, loop: Loop, linear: Mask) -> tuple[list[Any], dict[str, Any]]:
    """The loop without what is linear in it: its operands but for those of the condition, and its parameters."""
    _, consts, carry = loop.split(args)
    known = [not k for k in linear]
    of_carry = known[loop.consts :]
    inputs = chosen(loop.body.inputs, known)
    body = Jaxpr(inputs, loop.body.consts, loop.body.eqns, chosen(loop.body.outputs[: loop.carry], of_carry))
    states = [*(True,) * loop.cond_consts, *of_carry]
    cond = Jaxpr(chosen(loop.cond.inputs, states), loop.cond.consts, loop.cond.eqns, loop.cond.outputs)
    smaller = Loop(
        eliminate_dead_code(cond), eliminate_dead_code(body), loop.cond_consts, sum(known[: loop.consts]), True
    )
    return [*chosen(consts, known[: loop.consts]), *chosen(carry, of_carry)], smaller._asdict()
