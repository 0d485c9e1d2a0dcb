"""A function with rules of its own, as an operation.

    y = custom_call(captured ..., x ...; program, rules)

`program` computes: as long as all values have numbers it is the Python function itself, on flat arguments, so that
Python's control flow works; while a program is being written it is a jaxpr. `rules` say what the user knows better
than the program does. What they do not say is derived from it. The leading operands are what the function closes over
instead of taking it as an argument: they are there to be seen by the transformations to which they belong, of which
vmap and staging give them to the function again, while the user's derivative does not know them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from xform.control.custom.captures import ClosureError
from xform.control.custom.patterns import given_pattern
from xform.control.custom.reentry import interpreter, scoped
from xform.control.custom.tangent_map import has_numbers, tangent_map
from xform.control.programs import close
from xform.core.aval import aval_of, is_inexact
from xform.core.depth import deep
from xform.core.errors import ConcretizationError, LeakedTracerError, MissingRuleError, NonlinearError
from xform.core.jaxpr import Eqn, Jaxpr, evaluate
from xform.core.primitive import Linear, Primitive, Zero, is_zero
from xform.core.stage import WholeTrace, is_staging, stage
from xform.core.trace import PrimalTracer, context, is_constant, underlying, using
from xform.ops.family import dense_patterns
from xform.transforms.flat import materialize
from xform.transforms.jet import Apply, JetTrace, JetTracer
from xform.transforms.jvp import JVPTrace
from xform.transforms.linearize import LinearizeTrace, LinearizeTracer
from xform.transforms.sparsity import propagate
from xform.transforms.tape import TapeTracer
from xform.transforms.vjp import linear_transpose
from xform.transforms.vmap import Axis, BatchTrace, BatchTracer

Program = Jaxpr | Callable[..., list[Any]]


def run(program: Program, *operands: Any) -> list[Any]:
    return evaluate(program, *operands) if isinstance(program, Jaxpr) else program(*operands)


class CustomCall(Primitive):
    """A call of a function with rules; `captured` are the names of the leading operands, which it closes over."""

    has_programs = True

    def bind(self, *operands: Any, program: Program, rules: Any, captured: tuple[str, ...] = ()) -> list[Any]:
        with deep(), scoped():
            if not isinstance(program, Jaxpr) and (is_staging(WholeTrace) or not all(map(has_numbers, operands))):
                program, operands, captured = written(program, operands, rules, captured)
            params = {"program": program, "rules": rules, "captured": captured}
            return context.trace.process(self, operands, params)

    def abstract(self, *avals: Any, program: Program, rules: Any, captured: Any) -> list[Any]:
        jaxpr = program if isinstance(program, Jaxpr) else stage(program, avals, rules.origin)
        return [aval_of(a) for a in jaxpr.out_avals]

    def numpy(self, *arrays: Any, program: Program, rules: Any, captured: Any) -> list[Any]:
        outs = run(program, *arrays)
        if not context.trace.is_ground and (rules.has_jvp or rules.has_vjp) and any(map(has_derivative, outs)):
            check_captured("derivative", rules, ("",), (True,))
        return outs

    def inlined(self, eqn: Eqn) -> Jaxpr | None:
        """When nobody differentiates any more, the rules have done their work."""
        program = eqn.params["program"]
        return program if isinstance(program, Jaxpr) else None

    def jvp(self, primals: Any, tangents: Any, *, program: Program, rules: Any, captured: Any) -> Any:
        if not (rules.has_jvp or rules.has_vjp):
            return own_jvp(program, primals, tangents)
        n = len(captured)
        check_captured("derivative", rules, captured, [not is_zero(t) for t in tangents[:n]])
        if rules.has_jvp:
            return rules.jvp(primals[n:], tangents[n:])
        outs, residuals = rules.forward(primals[n:], [not is_zero(t) for t in tangents[n:]])
        try:
            return outs, tangent_map.pushed_now(rules, residuals, outs, tangents[n:])
        except (NonlinearError, ConcretizationError, MissingRuleError):
            return own_jvp(program, primals, tangents)

    def linearize(self, primals: Any, tangents: Any, *, program: Program, rules: Any, captured: Any) -> Any:
        params = {"program": program, "rules": rules, "captured": captured}
        if not (rules.has_jvp or rules.has_vjp):
            return own_linearization(program, primals, tangents)
        if not rules.has_vjp:
            return linearized_jvp(self, primals, tangents, params)
        n = len(captured)
        check_captured("derivative", rules, captured, [not is_zero(t) for t in tangents[:n]])
        x_dots = tangents[n:]
        with using(context.trace.parent):
            outs, residuals = rules.forward(primals[n:], [not is_zero(t) for t in x_dots])
        return outs, tangent_map.recorded(rules, residuals, outs, x_dots)

    def transpose(self, cotangents: Any, *args: Any, program: Program, rules: Any, captured: Any) -> list[Any]:
        """Of a linear function: its backward rule, if it is known to be linear, or the transpose of its program."""
        unknown = [k for k, a in enumerate(args) if type(a) is Linear]
        n = len(captured)
        if rules.has_vjp and all(k - n in rules.linear_in for k in unknown):
            point = [np.zeros(a.shape, a.dtype) if type(a) is Linear else a for a in args[n:]]
            _, residuals = rules.forward(point, [type(a) is Linear for a in args[n:]])
            found = rules.backward(residuals, cotangents)
            return [None] * n + [b if type(a) is Linear else None for a, b in zip(args[n:], found, strict=True)]

        def linear(*xs: Any) -> list[Any]:
            operands = list(args)
            for k, x in zip(unknown, xs, strict=True):
                operands[k] = x
            return run(program, *operands)

        bars: list[Any] = [None] * len(args)
        for k, bar in zip(unknown, linear_transpose(linear, *(args[k].aval for k in unknown))(cotangents), strict=True):
            bars[k] = bar
        return bars

    def batch(self, axis: Any, args: Any, batched: Any, *, program: Program, rules: Any, captured: Any) -> list[Any]:
        n, axis = len(captured), axis if isinstance(axis, Axis) else Axis(axis, None)
        trace = interpreter(BatchTrace, context.trace) if any(batched[:n]) else None
        if rules.has_batch:
            check_captured("batch", rules, captured, batched[:n])
        batch = rules.batched(axis, batched[n:], trace)
        vector = batch.program(program, batched)
        return self.bind(*args, program=vector, rules=batch, captured=captured)

    def jet(self, series: Any, apply: Any, *, program: Program, rules: Any, captured: Any) -> list[Any]:
        n = len(captured)
        if rules.has_jet or rules.has_jvp or rules.has_vjp:
            check_captured("Taylor", rules, captured, [not s.is_constant for s in series[:n]])
        if rules.has_jet:
            return rules.jet(series[n:])
        params = {"program": program, "rules": rules, "captured": captured}
        if rules.has_jvp or rules.has_vjp:
            return apply.from_jvp(self, series, params)
        trace = interpreter(JetTrace, context.trace)
        return (apply if trace is None else Apply(trace))(lambda *xs: run(program, *xs), *series)

    def sparsity(self, patterns: Any, avals: Any, *, program: Program, rules: Any, captured: Any) -> list[Any]:
        """That of the derivative, which may be another one than the program's: the pattern of x_dot -> y_dot."""
        params = {"program": program, "rules": rules, "captured": captured}
        if rules.pattern is not None:
            known = list(map(aval_of, avals))
            return given_pattern(rules.name, rules.pattern, patterns, known, self.abstract(*known, **params))
        moving = [k for k, p in enumerate(patterns) if p is not None]
        count, avals_of = len(avals), [aval_of(a) for a in avals]

        def y_dots(*values: Any) -> list[Any]:
            tangents = [Zero.like(x) for x in values[:count]]
            for k, t in zip(moving, values[count:], strict=True):
                tangents[k] = t
            outs, dots = self.jvp(values[:count], tangents, **params)
            return [materialize(t, y) for t, y in zip(dots, outs, strict=True)]

        try:
            jaxpr = stage(y_dots, [*avals_of, *(avals_of[k] for k in moving)], rules.origin)
        except (ConcretizationError, LeakedTracerError, MissingRuleError):
            return dense_patterns(patterns, self.abstract(*avals_of, **params))
        seeds = [*([None] * count), *(patterns[k] for k in moving)]
        found = propagate(jaxpr, seeds, [*avals, *(avals_of[k] for k in moving)])
        return [p if is_inexact(aval_of(v).dtype) else None for p, v in zip(found, jaxpr.outputs, strict=True)]


custom_call = CustomCall("custom_call")


def written(program: Any, operands: Sequence[Any], rules: Any, captured: tuple[str, ...]) -> tuple[Any, Any, Any]:
    """The call as one of a program: what it closes over are now leading operands that the program reads."""
    n = len(captured)
    jaxpr, free = close(lambda *xs: program(*operands[:n], *xs), [aval_of(x) for x in operands[n:]], rules.origin)
    known = {id(x): name for name, x in zip(captured, operands, strict=False)}
    known.update((id(x), name) for name, x in rules.captures())
    return jaxpr, (*free, *operands[n:]), tuple(known.get(id(x), "") for x in free)


def has_derivative(y: Any) -> bool:
    """Does a value that should be constant belong to a derivative, batches set aside?"""
    while isinstance(y, BatchTracer):
        y = y.value
    return isinstance(y, PrimalTracer | JetTracer) and not is_constant(y)


def check_captured(rule: str, rules: Any, captured: Sequence[str], varies: Sequence[bool]) -> None:
    """A value that the function closes over is none of the arguments about which its rules speak."""
    names = [f"`{name}`" if name else "a value" for name, v in zip(captured, varies, strict=True) if v]
    if names:
        raise ClosureError(
            f"{rules.name} has a {rule} rule of its own and closes over {' and '.join(names)}, on which the "
            "transformation that uses the rule depends, but the rule is one for the arguments only. Pass it as an "
            "argument of the function, or let xform.closure_convert find it; if no derivative is to pass, close over "
            "xform.lax.stop_gradient of it."
        )


# --- the function's own derivative, where it has no rule ---


def own_jvp(program: Program, primals: Sequence[Any], tangents: Sequence[Any]) -> tuple[list[Any], list[Any]]:
    """By differentiating the program, under the trace that asks for it if there is one: its closures may use it."""
    trace = interpreter(JVPTrace, context.trace) or JVPTrace(context.trace, "jvp")
    with using(trace):
        outs = run(program, *map(trace.join, primals, tangents))
    pairs = [trace.split(y) for y in outs]
    return [y for y, _ in pairs], [t for _, t in pairs]


def own_linearization(program: Program, primals: Sequence[Any], tangents: Sequence[Any]) -> Any:
    """The same on the tape of a linearisation."""
    tape = context.trace
    trace = interpreter(LinearizeTrace, tape.parent)
    if trace is None or trace.tape is not tape:
        return own_jvp(program, primals, tangents)
    inputs = [x if is_zero(t) else LinearizeTracer(trace, x, t.id) for x, t in zip(primals, tangents, strict=True)]
    with using(trace):
        outs = run(program, *inputs)
    mine = [type(y) is LinearizeTracer and y._trace is trace for y in outs]
    ys = list(map(trace.lower, outs))
    dots = [TapeTracer(tape, y.id, aval_of(y)) if m else Zero.like(y) for y, m in zip(outs, mine, strict=True)]
    return ys, dots


# --- the derivative by rules ---


def linearized_jvp(prim: CustomCall, primals: Any, tangents: Any, params: dict[str, Any]) -> Any:
    """The jvp rule on tangents that live on the tape, which must come out of it there.

    A tangent that vanishes lives there too, as a variable that is never set: zeros times something that is known by
    shape only would be taken for a constant.
    """
    tape: Any = context.trace
    rules, n = params["rules"], len(params["captured"])
    if not rules.jvp_zeros:
        tangents = [
            TapeTracer(tape, tape.new_variable(), t.aval) if k >= n and is_zero(t) and is_inexact(t.aval.dtype) else t
            for k, t in enumerate(tangents)
        ]
    try:
        outs, dots = prim.jvp(primals, tangents, **params)
    except NonlinearError as error:
        raise NonlinearError(f"the jvp rule of {rules.name} is not linear in the tangents: {error}") from None
    for t in dots:
        traced = type(t) is TapeTracer and t._trace is tape
        if not traced and not is_zero(t) and is_inexact(t.dtype) and (not has_numbers(t) or underlying(t).any()):
            raise NonlinearError(
                f"the jvp rule of {rules.name} is not linear in the tangents: it returned a tangent that does not "
                "depend on them and is not zero"
            )
    return outs, dots
