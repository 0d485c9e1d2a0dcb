"""The linear map that a backward rule is the transpose of: residuals, x_dot -> y_dot.

A user who writes how cotangents are pulled back has thereby written how tangents are pushed forward, for transposing
twice changes nothing. On a tape, and in a program, the map is an operation whose transpose calls the rule; where
tangents have numbers it is taken apart into the transpose of what the rule does.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from xform.control.custom.reentry import scoped
from xform.core.aval import Aval, aval_of, is_inexact
from xform.core.depth import deep
from xform.core.errors import ConcretizationError, MissingRuleError, NonlinearError
from xform.core.primitive import Linear, Zero, is_zero
from xform.core.trace import Tracer, context, underlying, using
from xform.ops.family import Opaque
from xform.transforms.flat import zeros
from xform.transforms.jvp import JVPTrace
from xform.transforms.vjp import linear_transpose
from xform.transforms.vmap import Axis


def has_numbers(x: Any) -> bool:
    """Is it not a variable of a program or a tape?"""
    return not isinstance(x, Tracer) or underlying(x) is not None


class TangentMap(Opaque):
    """`rules` have the backward rule, `structure` puts the residuals together again, `moving` are those of the `arity`
    arguments that have tangents, `out_avals` those of the results, of which only the inexact ones have tangents.
    """

    has_programs = True
    takes_zeros = True

    def recorded(self, rules: Any, residuals: Any, outs: Sequence[Any], x_dots: Sequence[Any]) -> list[Any]:
        """The tangents of all results at tangents of all arguments, these being variables of a tape."""
        return self.at(self.bind, rules, residuals, outs, x_dots)

    def pushed_now(self, rules: Any, residuals: Any, outs: Sequence[Any], x_dots: Sequence[Any]) -> list[Any]:
        """The same by transposing the backward rule now; an error if that cannot be done."""
        return self.at(self.push, rules, residuals, outs, x_dots)

    def at(self, way: Any, rules: Any, residuals: Any, outs: Sequence[Any], x_dots: Sequence[Any]) -> list[Any]:
        values, structure = residuals
        moving = tuple(k for k, t in enumerate(x_dots) if not is_zero(t))
        avals = tuple(aval_of(y) for y in outs)
        dots: list[Any] = [Zero(a.tangent()) for a in avals]
        live = [k for k, a in enumerate(avals) if is_inexact(a.dtype)]
        if moving and live:
            params = {"rules": rules, "structure": structure, "moving": moving, "out_avals": avals}
            for k, t in zip(live, way(*values, *(x_dots[k] for k in moving), **params), strict=True):
                dots[k] = t
        return dots

    def bind(self, *args: Any, **params: Any) -> list[Any]:
        if all(map(has_numbers, args)):
            return self.numpy(*args, **params)
        with deep(), scoped():
            return context.trace.process(self, args, params)

    def abstract(self, *avals: Any, out_avals: Sequence[Aval], **params: Any) -> list[Aval]:
        return [a for a in out_avals if is_inexact(a.dtype)]

    def numpy(self, *args: Any, **params: Any) -> list[Any]:
        try:
            return self.push(*args, **params)
        except (NonlinearError, ConcretizationError, MissingRuleError) as error:
            raise NonlinearError(
                f"the backward rule of {params['rules'].name} cannot be transposed, so that tangents cannot be pushed "
                f"forward by it here ({error}); write it as a linear function of the cotangent, define a jvp rule "
                "(defjvp) without it, or use reverse mode"
            ) from error

    def push(self, *args: Any, rules: Any, structure: Any, moving: Sequence[int], out_avals: Sequence[Aval]) -> Any:
        values, x_dots = split(args, moving)
        live = [k for k, a in enumerate(out_avals) if is_inexact(a.dtype)]

        def pullback(*y_bars: Any) -> list[Any]:
            bars: list[Any] = [zeros(a.tangent()) for a in out_avals]
            for k, bar in zip(live, y_bars, strict=True):
                bars[k] = bar
            x_bars = rules.backward((values, structure), bars)
            return [zeros(aval_of(t)) if x_bars[k] is None else x_bars[k] for k, t in zip(moving, x_dots, strict=True)]

        return list(linear_transpose(pullback, *(out_avals[k] for k in live))(x_dots))

    def jvp(self, primals: Any, tangents: Any, **params: Any) -> tuple[list[Any], list[Any]]:
        residuals, _ = split(primals, params["moving"])
        varies, dots = split(tangents, params["moving"])
        if all(map(is_zero, varies)):
            outs = self.bind(*primals, **params)
            dots = [zeros(t.aval) if is_zero(t) else t for t in dots]
            return outs, self.bind(*residuals, *dots, **params)
        trace = JVPTrace(context.trace, "jvp")
        with using(trace):
            ys = self.numpy(*map(trace.join, primals, tangents), **params)
        pairs = [trace.split(y) for y in ys]
        return [y for y, _ in pairs], [t for _, t in pairs]

    def transpose(
        self, cotangents: Any, *args: Any, rules: Any, structure: Any, moving: Sequence[int], out_avals: Sequence[Aval]
    ) -> list[Any]:
        values, x_dots = split(args, moving)
        if any(type(x) is Linear for x in values):
            raise NonlinearError(f"the derivative of {rules.name} is not linear in its residuals")
        found = iter(cotangents)
        bars = [next(found) if is_inexact(a.dtype) else Zero(a.tangent()) for a in out_avals]
        with deep(), scoped():
            x_bars = rules.backward((values, structure), bars)
        x_bars = [None if is_zero(b) else b for b in x_bars]
        return [None] * len(values) + [
            x_bars[k] if type(t) is Linear else None for k, t in zip(moving, x_dots, strict=True)
        ]

    def batch(
        self,
        axis: Any,
        args: Any,
        batched: Any,
        *,
        rules: Any,
        structure: Any,
        moving: Sequence[int],
        out_avals: Sequence[Aval],
    ) -> list[Any]:
        axis = axis if isinstance(axis, Axis) else Axis(axis, None)
        varies, mapped = split(batched, moving)
        flags = [False] * rules.arity
        for k, b in zip(moving, mapped, strict=True):
            flags[k] = b
        batch = rules.batched(axis, flags, None)
        avals = tuple(Aval((axis.size, *a.shape), a.dtype) for a in out_avals)
        params = {"rules": batch, "structure": batch.residuals(structure, varies), "moving": moving, "out_avals": avals}
        return self.bind(*args, **params)


def split(items: Sequence[Any], moving: Sequence[int]) -> tuple[list[Any], list[Any]]:
    """What belongs to the residuals, and what to the tangents."""
    count = len(items) - len(moving)
    return list(items[:count]), list(items[count:])


tangent_map = TangentMap("tangent_map")
