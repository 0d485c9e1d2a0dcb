"""What of a loop is needed, if not all of its results are: the operands, carries and outputs of its smaller body."""

from __future__ import annotations

from xform.control.masks import Mask, chosen
from xform.control.programs import derived
from xform.core.jaxpr import Jaxpr, Var, eliminate_dead_code


@derived
def read_by(jaxpr: Jaxpr, outputs: Mask) -> Mask:
    """Which inputs do these outputs, or an effect, depend on?"""
    live = {v for v in chosen(jaxpr.outputs, outputs) if isinstance(v, Var)}
    for eqn in reversed(jaxpr.eqns):
        if eqn.effect or not live.isdisjoint(eqn.outputs):
            live.update(a for a in eqn.inputs if isinstance(a, Var))
    return tuple(v in live for v in jaxpr.inputs)


@derived
def needed(body: Jaxpr, wanted: Mask, consts: int, carry: int) -> tuple[Mask, Mask]:
    """The inputs and outputs of a body (consts, carry, xs) -> (carry, ys) on which, in any number of steps, the wanted
    outputs depend. A carry that is needed is so as an input and as an output.
    """
    while True:
        inputs = read_by(body, wanted)
        carries = inputs[consts : consts + carry]
        more = (*(w or c for w, c in zip(wanted[:carry], carries, strict=True)), *wanted[carry:])
        if more == wanted:
            return (*inputs[:consts], *wanted[:carry], *inputs[consts + carry :]), wanted
        wanted = more


@derived
def restricted(jaxpr: Jaxpr, inputs: Mask, outputs: Mask) -> Jaxpr:
    """The part of a program with these outputs, which need no other than these inputs."""
    kept = chosen(jaxpr.outputs, outputs)
    return eliminate_dead_code(Jaxpr(chosen(jaxpr.inputs, inputs), jaxpr.consts, jaxpr.eqns, kept))
