"""Operations that are one program: its derivative is the derivative of the program, and so on for every rule."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from xform.control.expansion import are_active, expand
from xform.control.masks import Mask, chosen, none_of
from xform.control.parts import dependent, result_avals
from xform.control.programs import Control
from xform.control.transformed import batch_program, jet_program, jvp_program, linearize_program, transpose_program
from xform.core.aval import Aval, aval_of
from xform.core.jaxpr import Eqn, Jaxpr, evaluate
from xform.core.primitive import Linear, Zero, is_zero
from xform.ops.structure import batch_operand
from xform.transforms.arguments import as_array
from xform.transforms.sparsity import propagate
from xform.transforms.vmap import Axis


class Call(Control):
    """outs = program(*operands). A member says what its program is, and what applying a derived program means to it."""

    def program(self, operands: Sequence[Any], **params: Any) -> Jaxpr:
        """The program, in terms of the parameters (and of the avals of the operands)."""
        return params["program"]

    def apply(self, derived: Jaxpr, operands: Sequence[Any], **params: Any) -> list[Any]:
        """Apply a program derived from that of the operation with the given parameters."""
        return self.bind(*operands, **{**params, "program": derived})

    def abstract(self, *avals: Aval, **params: Any) -> list[Aval]:
        return result_avals(self.program(avals, **params))

    def numpy(self, *operands: Any, **params: Any) -> list[Any]:
        return [as_array(y) for y in evaluate(self.program(operands, **params), *operands)]

    def jvp(self, primals: Any, tangents: Any, **params: Any) -> tuple[list[Any], list[Any]]:
        active = are_active(tangents)
        program, varying = jvp_program(self.program(primals, **params), active)
        outs = self.apply(program, [*primals, *chosen(tangents, active)], **params)
        ys, y_dots = outs[: len(varying)], iter(outs[len(varying) :])
        return ys, [next(y_dots) if v else Zero.like(y) for y, v in zip(ys, varying, strict=True)]

    def linearize(self, primals: Any, tangents: Any, **params: Any) -> tuple[list[Any], list[Any]]:
        active = are_active(tangents)
        parts = linearize_program(self.program(primals, **params), active)
        outs = self.apply(parts.forward, primals, **params)
        ys, residuals = outs[: len(parts.varying)], outs[len(parts.varying) :]
        y_dots = iter(self.apply(parts.linear, [*residuals, *chosen(tangents, active)], **params))
        return ys, [next(y_dots) if v else Zero.like(y) for y, v in zip(ys, parts.varying, strict=True)]

    def transpose(self, cotangents: Any, *args: Any, **params: Any) -> list[Any]:
        linear, given = tuple(type(x) is Linear for x in args), tuple(not is_zero(c) for c in cotangents)
        program = transpose_program(self.program(args, **params), linear, none_of(linear), given)
        known = [x for x, k in zip(args, linear, strict=True) if not k]
        bars = iter(self.apply(program, [*known, *chosen(cotangents, given)], **params))
        return [next(bars) if k else None for k in linear]

    def reached(self, mask: Mask, **params: Any) -> Mask:
        return dependent(self.program(mask, **params), tuple(mask))

    def batch(self, axis: Axis, args: Any, batched: Any, **params: Any) -> list[Any]:
        inner = [Aval(a.shape[1:], a.dtype) if b else a for a, b in zip(map(aval_of, args), batched, strict=True)]
        program, varying = batch_program(self.program(inner, **params), axis, tuple(batched))
        outs = self.apply(program, args, **params)
        return [batch_operand(axis.size, y, v) for y, v in zip(outs, varying, strict=True)]

    def jet(self, series: Any, apply: Any, **params: Any) -> list[Any]:
        active = tuple(not s.is_constant for s in series)
        program = self.program([s[0] for s in series], **params)
        varying = jet_program(program, 1, active)[1]

        def coefficients(order: int, operands: list[Any], terms: list[list[Any]]) -> list[list[Any]]:
            derived = jet_program(program, order, active, varying)[0]
            outs = self.apply(derived, [*operands, *(t for row in terms for t in row)], **params)
            rest = iter(outs[len(varying) :])
            return [[y, *(next(rest) for _ in range(order) if v)] for y, v in zip(outs, varying, strict=False)]

        return expand(series, apply, varying, coefficients)

    def inlined(self, eqn: Eqn) -> Jaxpr | None:
        return self.program([a.aval for a in eqn.inputs], **eqn.params)

    def lower(self, emit: Any, *args: Any, **params: Any) -> list[Any]:
        program = self.program([Aval(x.shape, x.dtype) for x in args], **params)
        return emit.program(program, args)

    def sparsity(self, patterns: Any, avals: Any, **params: Any) -> list[Any]:
        return propagate(self.program(avals, **params), patterns, avals)
