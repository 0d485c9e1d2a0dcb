"""While loops on a batch whose examples stop at different times."""

from __future__ import annotations

from typing import Any

import numpy as np

from xform.control.loops.lanes import lane_select, lanes_of, own_lanes, together
from xform.control.loops.operands import swapped
from xform.control.loops.while_parameters import Loop
from xform.control.masks import Mask
from xform.control.programs import derived
from xform.control.transformed import batch_program, vmapped
from xform.core.aval import Aval
from xform.core.jaxpr import Jaxpr, evaluate
from xform.core.primitive import Primitive
from xform.core.stage import stage
from xform.core.trace import concrete
from xform.ops.reduce import reduce_or
from xform.ops.select import select
from xform.ops.structure import batch_operand
from xform.transforms.arguments import as_array
from xform.transforms.vmap import Axis


def separately(
    prim: Primitive, axis: Axis, loop: Loop, cond_consts: Any, consts: Any, carry: Any, batched: Mask
) -> list[Any]:
    """Each lane stops on its own: the body runs on those lanes only that go on."""
    lanes, states = np.arange(axis.size), list(carry)
    fixed = [*cond_consts, *consts]
    of_carry = (True,) * len(states)
    order, parts = [], []
    while len(lanes):
        now = Axis(len(lanes), axis.name)
        given = batched[: loop.cond_consts]
        ((go_on, differs),) = vmapped(loop.cond, now, [*fixed[: loop.cond_consts], *states], (*given, *of_carry))
        known = concrete(go_on)
        if known is None:  # it depends on a batch further out as well
            outs = masked(prim, now, loop, fixed[: loop.cond_consts], fixed[loop.cond_consts :], states, batched)
            order, parts = [*order, lanes], [*parts, outs]
            break
        known = known if differs else np.full(len(lanes), known)
        if not known.all():
            ended, active = np.flatnonzero(~known), np.flatnonzero(known)
            order.append(lanes[ended])
            parts.append([lanes_of(s, ended, True) for s in states])
            lanes, states = lanes[active], [lanes_of(s, active, True) for s in states]
            fixed = [lanes_of(x, active, b) for x, b in zip(fixed, batched, strict=True)]
            continue
        mask = (*batched[loop.cond_consts :], *of_carry)
        outs = vmapped(loop.body, now, [*fixed[loop.cond_consts :], *states], mask)
        states = [batch_operand(now.size, as_array(y), b) for y, b in outs]
    return together(order, parts) if parts else states


def masked(
    prim: Primitive, axis: Axis, loop: Loop, cond_consts: Any, consts: Any, carry: Any, batched: Mask
) -> list[Any]:
    """All lanes run until the last one stops; one that has stopped computes copies of one that goes on, for nothing.

    So the body never meets values with which the loop would not go on: no nan arises, and no error.
    """
    cond, body = masked_programs(loop.cond, loop.body, axis, batched, loop.cond_consts, loop.consts)
    fixed = [*cond_consts, *consts]
    counts = np.zeros(axis.size, np.intp)
    params = loop._replace(cond=cond, body=body, consts=len(fixed))._asdict()
    outs = prim.bind(*cond_consts, *fixed, counts, *carry, **params)
    if not loop.record:
        return outs[1:]
    counts, *finals = outs[: 1 + loop.carry]
    return [*finals, counts, *map(swapped, outs[2 + loop.carry :])]


def masked_programs(
    cond: Jaxpr, body: Jaxpr, axis: Axis, batched: Mask, cond_consts: int, consts: int
) -> tuple[Jaxpr, Jaxpr]:
    of_carry = (True,) * (len(body.inputs) - consts)
    test, _ = batch_program(cond, axis, (*batched[:cond_consts], *of_carry), (True,))
    step, _ = batch_program(body, axis, (*batched[cond_consts:], *of_carry), (True,) * len(body.outputs))
    return any_lane(test, cond_consts, axis.size), lanes_program(step, test, axis, batched, cond_consts)


@derived
def any_lane(test: Jaxpr, cond_consts: int, size: int) -> Jaxpr:
    """cond_consts, counts, carry -> does any lane go on?"""

    def f(*values: Any) -> list[Any]:
        operands = [*values[:cond_consts], *values[cond_consts + 1 :]]
        return [reduce_or(evaluate(test, *operands)[0], axes=(0,))]

    avals = test.in_avals
    return stage(f, [*avals[:cond_consts], Aval((size,), np.intp), *avals[cond_consts:]], "vmap")


@derived
def lanes_program(step: Jaxpr, test: Jaxpr, axis: Axis, batched: Mask, cond_consts: int) -> Jaxpr:
    """cond_consts, consts, counts, carry -> counts, carry, ys, with no change in lanes that have stopped."""
    fixed = len(batched)

    def f(*values: Any) -> list[Any]:
        counts, carry = values[fixed], list(values[fixed + 1 :])
        (active,) = evaluate(test, *values[:cond_consts], *carry)
        lanes = own_lanes(active)
        consts = [lanes_of(x, lanes, b) for x, b in zip(values[cond_consts:fixed], batched[cond_consts:], strict=True)]
        outs = evaluate(step, *consts, *(lanes_of(x, lanes, True) for x in carry))
        after = [lane_select(active, y, x) for y, x in zip(outs, carry, strict=False)]
        return [counts + select(active, np.intp(1), np.intp(0)), *after, *outs[len(carry) :]]

    avals = [*test.in_avals[:cond_consts], *step.in_avals]
    return stage(f, [*avals[:fixed], Aval((axis.size,), np.intp), *avals[fixed:]], "vmap")
