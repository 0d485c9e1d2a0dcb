"""Programs made of programs by the transformations.

What a transformation makes of the program of a loop or a branch is a program again, and is made once: it is kept with
the program that it comes from. So a transformation of nested operations takes time linear in their size.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from xform.control.masks import Mask, chosen, either, none_of
from xform.control.parts import with_outputs
from xform.control.programs import derived, hoist
from xform.core.aval import Aval
from xform.core.jaxpr import Atom, Jaxpr, eliminate_dead_code, evaluate, run
from xform.core.primitive import Zero, is_zero
from xform.core.series import Series
from xform.core.stage import StageTrace, stage, strong
from xform.core.trace import EVAL, context, using
from xform.ops.family import instantiate
from xform.ops.structure import batch_operand
from xform.transforms.arguments import as_array
from xform.transforms.flat import Flat
from xform.transforms.jet import Apply, JetTrace
from xform.transforms.jvp import JVPTrace
from xform.transforms.linearize import linearize_flat
from xform.transforms.tape import Tape, TapeTracer, backward, forward
from xform.transforms.vmap import Axis, BatchTrace, BatchTracer


class Evaluated(Flat):
    """A program as a function that the transformations take."""

    __slots__ = ("active", "jaxpr", "values")

    def __init__(self, jaxpr: Jaxpr, fixed: Sequence[Any], active: Mask) -> None:
        self.jaxpr, self.values, self.active = jaxpr, fixed, active

    def __call__(self, *moving: Any) -> list[Any]:
        rest = iter(moving)
        values = [next(rest) if a else x for x, a in zip(self.values, self.active, strict=True)]
        return evaluate(self.jaxpr, *values)

    def lower_aux(self, lower: Callable[[Any], Any]) -> None:
        """There is no auxiliary output."""


def pushed(jaxpr: Jaxpr, primals: Sequence[Any], tangents: Sequence[Any]) -> tuple[list[Any], list[Any]]:
    """Results and tangents of a program, some of them symbolic zeros."""
    trace = JVPTrace(context.trace, "jvp")
    with using(trace):
        outs = evaluate(jaxpr, *map(trace.join, primals, tangents))
    pairs = [trace.split(y) for y in outs]
    return [y for y, _ in pairs], [t for _, t in pairs]


@derived
def jvp_program(jaxpr: Jaxpr, active: Mask, forced: Mask | None = None) -> tuple[Jaxpr, Mask]:
    """x, x_dot -> y, y_dot, with tangents for the active inputs, and for those outputs that vary or are forced to."""
    count, moving = len(jaxpr.inputs), ()

    def f(*values: Any) -> list[Any]:
        nonlocal moving
        rest = iter(values[count:])
        tangents = [next(rest) if a else Zero.like(x) for x, a in zip(values[:count], active, strict=True)]
        ys, y_dots = pushed(jaxpr, values[:count], tangents)
        moving = either((not is_zero(t) for t in y_dots), forced or none_of(ys))
        return ys + [instantiate(t) for t, m in zip(y_dots, moving, strict=True) if m]

    return eliminate_dead_code(stage(f, jaxpr.in_avals + chosen(jaxpr.in_avals, active), "jvp")), moving


def vmapped(jaxpr: Jaxpr, axis: Axis, values: Sequence[Any], batched: Sequence[bool]) -> list[tuple[Any, bool]]:
    """Results of a program on a batch, and whether they have a batch axis."""
    trace = BatchTrace(context.trace, "vmap", axis.size, axis.name)
    with using(trace):
        outs = evaluate(jaxpr, *(BatchTracer(trace, x) if b else x for x, b in zip(values, batched, strict=True)))
    return [trace.split(y) for y in outs]


@derived
def batch_program(jaxpr: Jaxpr, axis: Axis, batched: Mask, forced: Mask | None = None) -> tuple[Jaxpr, Mask]:
    """The program on a batch; of the outputs those are batched that vary or are forced to be."""
    varying = ()

    def f(*values: Any) -> list[Any]:
        nonlocal varying
        pairs = vmapped(jaxpr, axis, values, batched)
        varying = either((b for _, b in pairs), forced or none_of(pairs))
        return [batch_operand(axis.size, as_array(y), b) if v else y for (y, b), v in zip(pairs, varying, strict=True)]

    avals = [Aval((axis.size, *a.shape), a.dtype) if b else a for a, b in zip(jaxpr.in_avals, batched, strict=True)]
    return stage(f, avals, "vmap"), varying


class Linearized(NamedTuple):
    """forward: x -> y, residuals        linear: residuals, x_dot -> y_dot        y_dot for the outputs that vary"""

    forward: Jaxpr
    linear: Jaxpr
    varying: Mask

    @property
    def residuals(self) -> list[Atom]:
        return self.forward.outputs[len(self.varying) :]


@derived
def linearize_program(jaxpr: Jaxpr, active: Mask, forced: Mask | None = None) -> Linearized:
    """Two programs, one that computes and one that is linear: the constants of the second are results of the first."""
    trace = StageTrace(EVAL, "linearize")
    primals = [trace.new_input(strong(a)) for a in jaxpr.in_avals]
    with using(trace):
        ys, ids, tape = linearize_flat(Evaluated(jaxpr, primals, active), chosen(primals, active), "linearize")
        varying = either((i is not None for i in ids), forced or none_of(ys))

        def push(*tangents: Any) -> list[Any]:
            env: list[Any] = list(tangents)
            forward(tape, env)
            y_dots = [None if i is None else env[i] for i in ids]
            return [
                instantiate(Zero.like(y)) if t is None else t for t, y, v in zip(y_dots, ys, varying, strict=True) if v
            ]

        linear, residuals = hoist(eliminate_dead_code(stage(push, chosen(jaxpr.in_avals, active), "linearize")))
    outputs = [trace.atom(y) for y in [*ys, *residuals]]
    forward_program = Jaxpr([x.variable for x in primals], trace.consts, trace.eqns, outputs)
    return Linearized(eliminate_dead_code(forward_program), linear, varying)


@derived
def linearize_step(jaxpr: Jaxpr, active: Mask, forced: Mask | None = None) -> Linearized:
    """The same for the body of a loop or a branch, whose residuals must be of known size, to be kept step by step.

    What a while loop inside keeps of its steps is not: the linear part computes it again.
    """
    parts = linearize_program(jaxpr, active, forced)
    sized = [r for r in parts.residuals if None not in r.aval.shape]
    if len(sized) == len(parts.residuals):
        return parts
    inputs, done = parts.forward.inputs, set(sized)
    eqns = [e for e in parts.forward.eqns if not done.issuperset(e.outputs)]
    given = [*inputs, *dict.fromkeys(r for r in sized if r not in inputs and all(r not in e.outputs for e in eqns))]
    unsized = [r for r in parts.residuals if None in r.aval.shape]
    again = eliminate_dead_code(Jaxpr(given, parts.forward.consts, eqns, unsized))  # type: ignore[arg-type]
    used = {a for e in again.eqns for a in e.inputs} | set(again.outputs)
    known = [v for v in again.inputs if v in used]
    again = Jaxpr(known, again.consts, again.eqns, again.outputs)
    count = len(known), len(sized)

    def push(*values: Any) -> list[Any]:
        kept, found = iter(values[count[0] : sum(count)]), iter(evaluate(again, *values[: count[0]]))
        residuals = [next(found) if None in r.aval.shape else next(kept) for r in parts.residuals]
        return run(parts.linear, [*residuals, *values[sum(count) :]])

    residuals = [*known, *sized]
    avals = [strong(r.aval) for r in residuals] + parts.linear.in_avals[len(parts.residuals) :]
    forward_program = with_outputs(parts.forward, [*parts.forward.outputs[: len(parts.varying)], *residuals])
    return Linearized(forward_program, stage(push, avals, "linearize"), parts.varying)


@derived
def transpose_program(jaxpr: Jaxpr, linear: Mask, added: Mask, given: Mask) -> Jaxpr:
    """constants, totals, y_bar -> x_bar for a program that is linear in some inputs.

    The cotangents of the inputs `added` are added to totals, so that reading a few entries of such an input costs as
    much as they do and not as the input does. Of the outputs only those `given` have a cotangent.
    """
    constants = [not k for k in linear]
    counts = sum(constants), sum(added)

    def f(*values: Any) -> list[Any]:
        known = iter(values[: counts[0]])
        totals = iter(values[counts[0] : sum(counts)])
        y_bars = iter(values[sum(counts) :])
        tape = Tape(context.trace, "transpose")
        xs = [
            TapeTracer(tape, tape.new_variable(), a) if k else next(known)
            for a, k in zip(jaxpr.in_avals, linear, strict=True)
        ]
        ids = [x.id for x, k in zip(xs, linear, strict=True) if k]
        with using(tape):
            outs = evaluate(jaxpr, *xs)
        bars: list[Any] = [None] * tape.size
        for i, a in zip(ids, chosen(added, linear), strict=True):
            bars[i] = next(totals) if a else None
        for y, g in zip(outs, given, strict=True):
            bar = next(y_bars) if g else None
            if g and type(y) is TapeTracer and y._trace is tape:
                bars[y.id] = bar if bars[y.id] is None else bars[y.id] + bar
        backward(tape, bars)
        avals = chosen(jaxpr.in_avals, linear)
        return [instantiate(Zero(a)) if bars[i] is None else bars[i] for i, a in zip(ids, avals, strict=True)]

    avals = jaxpr.in_avals
    return stage(f, chosen(avals, constants) + chosen(avals, added) + chosen(jaxpr.out_avals, given), "transpose")


@derived
def jet_program(jaxpr: Jaxpr, order: int, active: Mask, forced: Mask | None = None) -> tuple[Jaxpr, Mask]:
    """x[0] of all inputs, x[1 ... order] of active ones -> y[0] of all outputs, y[1 ... order] of the varying ones."""
    count, varying = len(jaxpr.inputs), ()

    def f(*values: Any) -> list[Any]:
        nonlocal varying
        trace, rest = JetTrace(context.trace, "jet", order), iter(values[count:])
        apply = Apply(trace)
        series = [
            polynomial([x, *(next(rest) for _ in range(order))]) if a else Series.constant(x)
            for x, a in zip(values[:count], active, strict=True)
        ]
        ys = apply(functools.partial(evaluate, jaxpr), *series)
        varying = either((not y.is_constant for y in ys), forced or none_of(ys))
        terms = [instantiate(y[k]) for y, v in zip(ys, varying, strict=True) if v for k in range(1, order + 1)]
        return [y[0] for y in ys] + terms

    avals = [a for a in chosen(jaxpr.in_avals, active) for _ in range(order)]
    return eliminate_dead_code(stage(f, jaxpr.in_avals + avals, "jet")), varying


def polynomial(terms: Sequence[Any]) -> Series:
    """The series with these coefficients and no others."""
    return Series(lambda k: terms[k] if k < len(terms) else Zero.like(terms[0]))
