"""Loops on values and what belongs to them: tangents, in forward mode, or Taylor coefficients."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from xform.control.loops.operands import Operands
from xform.control.masks import Mask, grouped, none_of, stable, ungrouped
from xform.control.programs import derived
from xform.control.transformed import jet_program, jvp_program
from xform.core.jaxpr import Jaxpr
from xform.core.primitive import Primitive


def stable_carry(active: Mask, consts: int, carry: int, body: Jaxpr, make: Any) -> Mask:
    """The inputs of the body that vary, a carry also if the body makes it vary."""
    xs = len(active) - consts - carry
    return stable(active, lambda m: (*(False,) * consts, *make(body, m, consts, carry).varying[:carry], *(False,) * xs))


class Moving(NamedTuple):
    varying: Mask


def moving(body: Jaxpr, active: Mask, consts: int, carry: int) -> Moving:
    return Moving(jvp_program(body, active)[1])


def wandering(body: Jaxpr, active: Mask, consts: int, carry: int) -> Moving:
    return Moving(jet_program(body, 1, active)[1])


@derived
def extended_body(body: Jaxpr, consts: int, carry: int, order: int, active: Mask) -> tuple[Jaxpr, Mask]:
    """The body on values and what belongs to them, tangents if `order` is 1, Taylor terms up to -`order` otherwise.

    Its operands are consts and their terms, carry and its terms, xs and their terms, and so are its results.
    """
    forced = (*active[consts : consts + carry], *none_of(body.outputs[carry:]))
    make, terms = (jvp_program, (active, forced)) if order > 0 else (jet_program, (-order, active, forced))
    program, varying = make(body, *terms)
    n = abs(order)
    inputs = grouped(program.inputs, [n * a for a in active], [consts, carry, len(active) - consts - carry])
    outputs = grouped(program.outputs, [n * v for v in varying], [carry, len(varying) - carry])
    return Jaxpr(inputs, program.consts, program.eqns, outputs), varying


def run_extended(
    prim: Primitive, ops: Operands, extended: Jaxpr, terms: Sequence[Sequence[Any]], active: Mask, varying: Mask,
    consts: int, carry: int, params: dict[str, Any],
) -> list[list[Any]]:  # fmt: skip
    """Each result and its terms, from the operands and the terms of the active ones."""
    order = len(terms[0]) if terms else 1
    extras = [order * a for a in active]
    operands = grouped([*ops.body, *(t for row in terms for t in row)], extras, [consts, carry, len(ops.xs)])
    outs = prim.bind(
        *ops.count, *operands,
        **{**params, "body": extended},
        consts=consts + sum(extras[:consts]),
        carry=carry + sum(extras[consts : consts + carry]),
    )  # fmt: skip
    ys, belonging = ungrouped(outs, [order * v for v in varying], [carry, len(varying) - carry])
    return [[y, *more] for y, more in zip(ys, belonging, strict=True)]
