"""Loops over the first axis of arrays.

    scan(consts, carry, xs; body)      for x in xs: carry, y = body(consts, carry, x)          outs = carry, stacked ys

The derivative of a scan is a scan over the derivative of its body, its linear part a scan of the linear part over the
residuals of each step, and the transpose of that runs backwards. Where the number of steps is not known when the
program is written (`length` is None: the linear part of a while loop) it is the first operand, and the first axis of
xs and ys has size None.
"""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import Any

import numpy as np

from xform.control.expansion import are_active, expand
from xform.control.loops.extended import extended_body, moving, run_extended, stable_carry, wandering
from xform.control.loops.lanes import lane_select, lanes_of, own_lanes
from xform.control.loops.lighter import lighter_scan, unrolled
from xform.control.loops.needed import needed, restricted
from xform.control.loops.operands import (
    Operands,
    by_kind,
    pieces,
    row,
    shape_and_dtype,
    split,
    stacked,
    swapped,
    union,
    zeros,
)
from xform.control.loops.residuals import Residuals, linear_part
from xform.control.masks import Mask, chosen, none_of, stable
from xform.control.parts import dependent, result_avals
from xform.control.programs import Control, derived
from xform.control.transformed import (
    batch_program,
    transpose_program,
)
from xform.core.aval import Aval, shape_of
from xform.core.jaxpr import Eqn, Jaxpr, eliminate_dead_code, evaluate, run
from xform.core.primitive import Linear, Primitive, Zero, is_zero
from xform.core.stage import stage
from xform.core.trace import concrete
from xform.ops.family import instantiate
from xform.ops.reduce import reduce_max
from xform.ops.structure import batch_operand
from xform.transforms.arguments import as_array
from xform.transforms.sparsity import propagate
from xform.transforms.vmap import Axis


class Scan(Control):
    """for x in xs: carry, y = body(consts, carry, x)"""

    def can_run(self, args: Sequence[Any], params: dict[str, Any]) -> bool:
        return params["length"] is not None or concrete(args[0]) is not None

    def abstract(
        self, *avals: Aval, body: Jaxpr, consts: int, carry: int, length: int | None, reverse: bool
    ) -> list[Aval]:
        outs = result_avals(body)
        return outs[:carry] + [Aval((length, *a.shape), a.dtype) for a in outs[carry:]]  # type: ignore[arg-type]

    def numpy(self, *args: Any, body: Jaxpr, consts: int, carry: int, length: int | None, reverse: bool) -> list[Any]:
        ops = split(args, consts, carry, length)
        steps = operator.index(concrete(ops.count[0])) if length is None else length
        states, ys = ops.carry, [[] for _ in body.outputs[carry:]]
        for i in reversed(range(steps)) if reverse else range(steps):
            values = [*ops.consts, *states, *(row(x, i) for x in ops.xs)]
            states.clear()  # so that the body may overwrite what nobody else holds
            outs = run(body, values)
            states += outs[:carry]
            for history, y in zip(ys, outs[carry:], strict=True):
                history.append(y)
            del outs
        if reverse:
            for history in ys:
                history.reverse()
        avals = result_avals(body)[carry:]
        return [as_array(s) for s in states] + [stacked(h, a) for h, a in zip(ys, avals, strict=True)]

    def jvp(
        self, primals: Any, tangents: Any, *, consts: int, carry: int, **params: Any
    ) -> tuple[list[Any], list[Any]]:
        ops = split(primals, consts, carry, params["length"])
        dots = split(tangents, consts, carry, params["length"])
        active = stable_carry(are_active(dots.body), consts, carry, params["body"], moving)
        extended, varying = extended_body(params["body"], consts, carry, 1, active)
        terms = [[instantiate(t)] for t in chosen(dots.body, active)]
        rows = run_extended(self, ops, extended, terms, active, varying, consts, carry, params)
        ys = [y for y, *_ in rows]
        return ys, [row[1] if v else Zero.like(row[0]) for row, v in zip(rows, varying, strict=True)]

    def linearize(
        self, primals: Any, tangents: Any, *, body: Jaxpr, consts: int, carry: int, length: int | None, reverse: bool
    ) -> tuple[list[Any], list[Any]]:
        """A scan that keeps the residuals of each step, and a linear scan over them."""
        ops, dots = split(primals, consts, carry, length), split(tangents, consts, carry, length)
        active = stable_carry(are_active(dots.body), consts, carry, body, linear_part)
        parts = Residuals(linear_part(body, active, consts, carry), consts, carry)
        outs = self.bind(*primals, body=parts.forward, consts=consts, carry=carry, length=length, reverse=reverse)
        plain = len(body.outputs)
        fixed, kept = parts.values(ops.consts, ops.xs, outs[carry:])
        consts_dot, carry_dot, xs_dot = by_kind(dots.body, active, consts, carry)
        y_dots = iter(
            self.bind(
                *ops.count, *fixed, *consts_dot, *map(instantiate, carry_dot), *kept, *xs_dot,
                body=parts.linear(active), consts=len(fixed) + len(consts_dot), carry=len(carry_dot),
                length=length, reverse=reverse,
            )
        )  # fmt: skip
        ys = outs[:plain]
        return ys, [next(y_dots) if v else Zero.like(y) for y, v in zip(ys, parts.varying, strict=True)]

    def transpose(
        self, cotangents: Any, *args: Any, body: Jaxpr, consts: int, carry: int, length: int | None, reverse: bool
    ) -> list[Any]:
        """carry_bar runs backwards; the cotangents of consts are added up on the way."""
        ops = split(args, consts, carry, length)
        linear = carried(body, tuple(type(x) is Linear for x in ops.body), consts, carry)
        c, s, x = (slice(0, consts), slice(consts, consts + carry), slice(consts + carry, None))
        path = trajectory(self, ops, linear, body, consts, carry, length, reverse)
        given = (*linear[s], *(not is_zero(b) for b in cotangents[carry:]))
        added = (*linear[c], *none_of(ops.carry), *none_of(ops.xs))
        program = transpose_program(body, linear, added, given)
        known = [not k for k in linear]
        sizes = [sum(known[c]), sum(known[s]), sum(known[x]), sum(linear[c]), sum(linear[s]), sum(given[carry:])]
        consts_in, states_in, xs_in, totals_in, bars_in, y_bars_in = pieces(program.inputs, sizes)
        backward = Jaxpr(
            [*consts_in, *totals_in, *bars_in, *y_bars_in, *xs_in, *states_in],
            program.consts, program.eqns, program.outputs,
        )  # fmt: skip
        outs = iter(
            self.bind(
                *ops.count, *chosen(ops.consts, known[c]),
                *(zeros(a) for a in chosen(body.in_avals[c], linear[c])),
                *(instantiate(b) for b in chosen(cotangents[:carry], linear[s])),
                *chosen(cotangents[carry:], given[carry:]), *chosen(ops.xs, known[x]), *path,
                body=backward, consts=sizes[0], carry=sizes[3] + sizes[4], length=length, reverse=not reverse,
            )
        )  # fmt: skip
        bars = [next(outs) if k else None for k in linear]
        bars = [bar if type(x) is Linear else None for bar, x in zip(bars, ops.body, strict=True)]
        return [*(None for _ in ops.count), *bars]

    def reached(self, mask: Mask, *, body: Jaxpr, consts: int, carry: int, length: int | None, **_: Any) -> Mask:
        ops = split(mask, consts, carry, length)
        if any(ops.count):
            return (True,) * len(body.outputs)
        inner = carried(body, tuple(ops.body), consts, carry)
        return inner[consts : consts + carry] + dependent(body, inner)[carry:]  # without a step the carry is as it was

    def batch(
        self, axis: Axis, args: Any, batched: Any, *, body: Jaxpr, consts: int, carry: int, length: int | None,
        reverse: bool,
    ) -> list[Any]:  # fmt: skip
        ops, flags = split(args, consts, carry, length), split(batched, consts, carry, length)
        if any(flags.count):
            return self.batch_of_lengths(axis, ops, tuple(flags.body), body, consts, carry, reverse)
        mask = stable(
            tuple(flags.body),
            lambda m: (*none_of(ops.consts), *batch_program(body, axis, m)[1][:carry], *none_of(ops.xs)),
        )
        # a batch axis cannot be given later to an output whose size is not known
        forced = (*mask[consts : consts + carry], *(length is None for _ in body.outputs[carry:]))
        program, varying = batch_program(body, axis, mask, forced)
        outs = self.bind(
            *ops.count, *ops.consts,
            *(batch_operand(axis.size, x, b or not m) for x, b, m in zip(ops.carry, flags.carry, forced, strict=False)),
            *(swapped(x) if b else x for x, b in zip(ops.xs, flags.xs, strict=True)),
            body=program, consts=consts, carry=carry, length=length, reverse=reverse,
        )  # fmt: skip
        outs = [swapped(y) if v and k >= carry else y for k, (y, v) in enumerate(zip(outs, varying, strict=True))]
        return [batch_operand(axis.size, y, v) for y, v in zip(outs, varying, strict=True)]

    def batch_of_lengths(
        self, axis: Axis, ops: Operands, batched: Mask, body: Jaxpr, consts: int, carry: int, reverse: bool
    ) -> list[Any]:
        """The lanes take different numbers of steps: all take the greatest, and in the excess ones nothing changes."""
        (count,) = ops.count
        steps = reduce_max(count, axes=(0,)) if axis.size else np.intp(0)
        mask = (*batched[:consts], *(True,) * carry, *batched[consts + carry :])
        program = lengths_program(body, axis, mask, consts, carry, reverse)
        outs = self.bind(
            steps, count, steps, *ops.consts, np.intp(0),
            *(batch_operand(axis.size, x, b) for x, b in zip(ops.carry, batched[consts:], strict=False)),
            *(swapped(x) if b else x for x, b in zip(ops.xs, batched[consts + carry :], strict=True)),
            body=program, consts=2 + consts, carry=1 + carry, length=None, reverse=reverse,
        )  # fmt: skip
        return [y if k < carry else swapped(y) for k, y in enumerate(outs[1:])]

    def pruned(self, eqn: Eqn, live: list[bool]) -> Eqn:
        """Outputs and carries on which nothing depends that is read need not be computed, nor their operands read."""
        if all(live):
            return eqn
        p = eqn.params
        inputs, outputs = needed(p["body"], tuple(live), p["consts"], p["carry"])
        if all(inputs) and all(outputs):
            return eqn
        skipped = 1 if p["length"] is None else 0
        kept = split(inputs, p["consts"], p["carry"], 0)
        body = restricted(p["body"], inputs, outputs)
        params = {**p, "body": body, "consts": sum(kept.consts), "carry": sum(kept.carry)}
        operands = [*eqn.inputs[:skipped], *chosen(eqn.inputs[skipped:], inputs)]
        return Eqn(self, operands, params, chosen(eqn.outputs, outputs), eqn.source)

    def inlined(self, eqn: Eqn) -> Jaxpr | None:
        return unrolled(eqn) or lighter_scan(eqn)

    def jet(self, series: Any, apply: Any, *, consts: int, carry: int, **params: Any) -> list[Any]:
        body, skipped = params["body"], 1 if params["length"] is None else 0
        active = tuple(not s.is_constant for s in series[skipped:])
        carried = stable_carry(active, consts, carry, body, wandering)
        varying = extended_body(body, consts, carry, -1, carried)[1]

        def coefficients(order: int, operands: list[Any], terms: list[list[Any]]) -> list[list[Any]]:
            if not order:
                return [[y] for y in self.bind(*operands, consts=consts, carry=carry, **params)]
            extended, _ = extended_body(body, consts, carry, -order, carried)
            rest = iter(terms)
            ops = split(operands, consts, carry, params["length"])
            filled = [
                next(rest) if a else [zeros(shape_and_dtype(x))] * order
                for x, a, c in zip(ops.body, active, carried, strict=True)
                if c
            ]
            return run_extended(self, ops, extended, filled, carried, varying, consts, carry, params)

        return expand(series, apply, varying, coefficients)

    def lower(self, emit: Any, *args: Any, **params: Any) -> list[Any]:
        return emit.scan(args, **params)

    def sparsity(
        self, patterns: Any, avals: Any, *, body: Jaxpr, consts: int, carry: int, length: int | None, reverse: bool
    ) -> list[Any]:
        """Step by step until nothing is added any more: what a carry depends on grows, and an output is any step's."""
        ops, known = split(patterns, consts, carry, length), split(avals, consts, carry, length)
        rows = [None if p is None else p.any(axis=1) for p in ops.xs]
        inner = [*known.consts, *(Aval(shape_of(a), a.dtype) for a in known.carry), *body.in_avals[consts + carry :]]
        states, ys = ops.carry, [None] * (len(body.outputs) - carry)
        for _ in range(1 + sum(a.size for a in body.in_avals[consts : consts + carry]) if length is None else length):
            outs = propagate(body, [*ops.consts, *states, *rows], inner)
            ys = [union(p, q) for p, q in zip(ys, outs[carry:], strict=True)]
            before, states = states, [union(p, q) for p, q in zip(states, outs[:carry], strict=True)]
            if all(p is q or np.array_equal(p, q) for p, q in zip(before, states, strict=True)):
                break
        size = next((shape_of(x)[0] for x in known.xs), length)
        size = 1 if size is None else size  # one row stands for an unknown number of them
        return states + [None if p is None else np.repeat(p[:, None], size, axis=1) for p in ys]


scan_p = Scan("scan")


def carried(body: Jaxpr, mask: Mask, consts: int, carry: int) -> Mask:
    """What depends on the inputs of the body in the mask, once the steps have carried it on."""
    xs = (False,) * (len(mask) - consts - carry)
    return stable(mask, lambda m: (False,) * consts + dependent(body, m)[:carry] + xs)


def trajectory(
    prim: Scan, ops: Operands, linear: Mask, body: Jaxpr, consts: int, carry: int, length: int | None, reverse: bool
) -> list[Any]:
    """Of those carries that are not linear (a counter, say) the values before each step: constants of the transpose."""
    known = [not k for k in linear]
    s = slice(consts, consts + carry)
    if not any(known[s]):
        return []
    inputs = [v for v, k in zip(body.inputs, known, strict=True) if k]
    states = chosen(body.inputs[s], known[s])
    outputs = [*chosen(body.outputs[:carry], known[s]), *states]
    program = eliminate_dead_code(Jaxpr(inputs, body.consts, body.eqns, outputs))
    parts = by_kind(ops.body, tuple(known), consts, carry)
    outs = prim.bind(
        *ops.count, *(x for part in parts for x in part),
        body=program, consts=len(parts[0]), carry=len(parts[1]), length=length, reverse=reverse,
    )  # fmt: skip
    return outs[len(states) :]


@derived
def lengths_program(body: Jaxpr, axis: Axis, batched: Mask, consts: int, carry: int, reverse: bool) -> Jaxpr:
    """count, steps, consts, k, carry, xs -> k + 1, carry, ys, where a lane is left alone in steps beyond its count.

    It then computes a copy of a lane that goes on, for nothing: no step is taken from where the lane has ended.
    """
    program, _ = batch_program(body, axis, batched, (True,) * len(body.outputs))

    def f(count: Any, steps: Any, *values: Any) -> list[Any]:
        operands, k = [*values[:consts], *values[consts + 1 :]], values[consts]
        active = (steps - 1 - k if reverse else k) < count
        lanes = own_lanes(active)
        outs = evaluate(program, *(lanes_of(x, lanes, b) for x, b in zip(operands, batched, strict=True)))
        before = operands[consts : consts + carry]
        other = [*before, *(zeros(shape_and_dtype(y)) for y in outs[carry:])]
        return [k + 1, *(lane_select(active, y, z) for y, z in zip(outs, other, strict=True))]

    number = Aval((), np.intp)
    avals = [Aval((axis.size,), np.intp), number, *program.in_avals[:consts], number, *program.in_avals[consts:]]
    return stage(f, avals, "vmap")


def one_by_one(prim: Primitive, axis: Axis, args: Any, batched: Any, params: dict[str, Any]) -> list[Any]:
    """An operation on a batch, example by example: what has an effect must not run for an example that is idle."""
    avals = [Aval(a.shape[1:], a.dtype) if b else shape_and_dtype(a) for a, b in zip(args, batched, strict=True)]
    fixed, moving = [not b for b in batched], list(batched)
    order = [k for k, b in enumerate(batched) if not b] + [k for k, b in enumerate(batched) if b]

    def f(*values: Any) -> list[Any]:
        return prim.bind(*(values[order.index(k)] for k in range(len(order))), **params)

    body = stage(f, [avals[k] for k in order], "vmap")
    operands = chosen(args, fixed) + chosen(args, moving)
    return scan_p.bind(*operands, body=body, consts=sum(fixed), carry=0, length=axis.size, reverse=False)
