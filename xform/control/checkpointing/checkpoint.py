"""Checkpointing: do not keep the residuals of a function, compute them again in the backward sweep.

    checkpoint(*operands; program, policy)       outs = program(*operands)

Its linear part takes the operands, and what the policy says is worth keeping of what was computed on the way, computes
the other residuals from these, and then is linear:

    recompute(*known, *x_dot; recompute, linear)       y_dot = linear(*recompute(*known), *x_dot)
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from xform.control.call import Call
from xform.control.checkpointing.policies import Policy, nothing_saveable
from xform.control.expansion import are_active
from xform.control.masks import Mask, chosen, none_of
from xform.control.parts import result_avals, with_outputs
from xform.control.programs import close, derived, hoist
from xform.control.transformed import linearize_program, transpose_program
from xform.core import tree
from xform.core.aval import Aval, aval_of
from xform.core.depth import deep
from xform.core.errors import ConcretizationError, describe
from xform.core.jaxpr import Jaxpr, evaluate, run
from xform.core.primitive import Linear, Zero, is_zero
from xform.core.stage import StageTrace, WholeTrace, follow, is_staging, stage
from xform.core.static import Static
from xform.core.trace import concrete, context
from xform.core.tracebacks import standing_for
from xform.ops.identity import optimization_barrier
from xform.transforms.arguments import all_leaf_names, as_array, flatten_checked
from xform.transforms.flat import Flat
from xform.transforms.linearize import LinearizeTrace


class Checkpoint(Call):
    """A program whose residuals are computed again when they are needed."""

    def can_run(self, args: Sequence[Any], params: dict[str, Any]) -> bool:
        """It is not run as Python would run it, for then everything is kept."""
        return False

    def linearize(self, primals: Any, tangents: Any, *, program: Jaxpr, policy: Policy) -> tuple[list[Any], list[Any]]:
        active = are_active(tangents)
        parts = split_program(program, active, policy)
        count = len(parts.varying)
        outs = self.bind(*primals, program=parts.forward, policy=policy)
        known = [*(primals[k] for k in parts.operands), *outs[count:]]
        dots = chosen(tangents, active)
        params = {"recompute": parts.recompute, "linear": parts.linear}
        y_dots = iter(context.trace.process(recompute_p, [*known, *dots], params))
        ys = outs[:count]
        return ys, [next(y_dots) if v else Zero.like(y) for y, v in zip(ys, parts.varying, strict=True)]


class Recompute(Call):
    """The linear part of a checkpointed program; its rules, but for the transpose, are those of what it is made of."""

    def abstract(self, *avals: Aval, recompute: Jaxpr, linear: Jaxpr) -> list[Aval]:
        return result_avals(linear)

    def program(self, operands: Sequence[Any], *, recompute: Jaxpr, linear: Jaxpr) -> Jaxpr:
        return composed(recompute, linear)

    def apply(self, derived: Jaxpr, operands: Sequence[Any], **params: Any) -> list[Any]:
        return evaluate(derived, *operands)

    def transpose(self, cotangents: Any, *args: Any, recompute: Jaxpr, linear: Jaxpr) -> list[Any]:
        count = len(recompute.inputs)
        unknown = tuple(type(x) is Linear for x in args[count:])
        mask, given = (*none_of(recompute.outputs), *unknown), tuple(not is_zero(c) for c in cotangents)
        program = transpose_program(linear, mask, none_of(mask), given)
        constants = chosen(args[count:], [not u for u in unknown])
        with deep():
            values = [*residuals(recompute, args[:count]), *constants, *chosen(cotangents, given)]
            bars = iter(run(program, values))
        return [*(None for _ in range(count)), *(next(bars) if u else None for u in unknown)]


@derived
def composed(recompute: Jaxpr, linear: Jaxpr) -> Jaxpr:
    """known, x_dot -> y_dot"""
    count = len(recompute.inputs)

    def f(*values: Any) -> list[Any]:
        return run(linear, [*residuals(recompute, values[:count]), *values[count:]])

    return stage(f, [*recompute.in_avals, *linear.in_avals[len(recompute.outputs) :]], "checkpoint")


def residuals(recompute: Jaxpr, known: Sequence[Any]) -> list[Any]:
    """Compute again, in a program that is being written behind a barrier, lest a pass find it has been done before."""
    return evaluate(recompute, *(optimization_barrier.bind(*known) if known and is_staging() else known))


checkpoint_p = Checkpoint("checkpoint")


recompute_p = Recompute("recompute")


class Parts(NamedTuple):
    """forward: operands -> results, kept; recompute: operands, kept -> residuals; linear: residuals, x_dot -> y_dot.

    `operands` are the numbers of the operands that are needed for the residuals.
    """

    forward: Jaxpr
    recompute: Jaxpr
    linear: Jaxpr
    varying: Mask
    operands: tuple[int, ...]


@derived
def split_program(jaxpr: Jaxpr, active: Mask, policy: Policy) -> Parts:
    """What an operation with an effect gave is always kept: the effect must not happen again."""
    forward, linear, varying = linearize_program(jaxpr, active)
    count = len(varying)
    keep = [e for e in forward.eqns if e.effect or policy(e.prim, *(a.aval for a in e.inputs), **e.params)]
    saved = set(keep)
    kept = [v for e in keep for v in e.outputs]
    rest = [e for e in forward.eqns if e not in saved]
    again = with_outputs(Jaxpr([*forward.inputs, *kept], forward.consts, rest, []), forward.outputs[count:])
    used = {a for e in again.eqns for a in e.inputs} | set(again.outputs)
    operands = tuple(k for k, v in enumerate(forward.inputs) if v in used)
    kept = [v for v in kept if v in used]
    again = Jaxpr([*(forward.inputs[k] for k in operands), *kept], again.consts, again.eqns, again.outputs)
    first = with_outputs(forward, [*forward.outputs[:count], *kept])
    return Parts(first, again, linear, varying, operands)


def checkpoint(
    f: Callable[..., Any],
    *,
    prevent_cse: bool = True,
    policy: Policy | None = None,
    static_argnums: int | Sequence[int] = (),
    static_argnames: str | Sequence[str] = (),
) -> Callable[..., Any]:
    """`f`, whose intermediate values are not kept for the backward sweep but computed again there.

    So the memory of reverse mode is that of the arguments, and of one evaluation at a time, for the price of one more
    evaluation. `policy` says what is worth keeping all the same: see `checkpoint_policies`. The arguments at the
    positions `static_argnums`, and those named `static_argnames`, are passed on as they are. `prevent_cse` is accepted
    for JAX's sake: what is to be computed again never is merged with what was computed before.

    The function may branch on values that are known; it is then computed again along the same path.

    Raises TypeError for an argument or a result that is no array, or a policy that is no function.

    >>> import numpy as np, xform
    >>> layer = checkpoint(lambda W, x: np.tanh(W @ x))
    >>> xform.grad(lambda W: np.sum(layer(W, layer(W, np.ones(2)))))(np.eye(2)).round(4)
    array([[0.6945, 0.6945],
           [0.6945, 0.6945]])
    """
    origin = f"checkpoint of {describe(f)}"
    static = Static(origin, static_argnums, static_argnames)
    if policy is not None and not callable(policy):
        raise TypeError(f"{origin}: policy is {policy!r:.60}; wanted a function, such as those of checkpoint_policies")
    keep = policy or nothing_saveable

    @standing_for(f)
    def checkpointed(*args: Any, **kwargs: Any) -> Any:
        if not is_recorded():
            with deep():
                return f(*args, **kwargs)
        dynamic, rest = static.divide(f, args, kwargs)
        positions = [k for k in range(len(args)) if k not in static.among(len(args))]
        leaves, in_tree = flatten_checked(origin, dynamic, lambda: all_leaf_names(f, args, dynamic[1], positions))
        flat = Flat(rest, in_tree, False)
        program, free = closed(flat, leaves, origin)
        return flat.unflatten(checkpoint_p.bind(*free, *leaves, program=program, policy=keep))

    return checkpointed


remat = checkpoint


def staged_once(f: Callable[..., Any]) -> Callable[..., Any]:
    """A checkpointed function that is staged when first called, and then takes arguments of the same types only."""
    program, free, flat = None, [], Flat(f, None, False)

    def again(*args: Any) -> Any:
        nonlocal program, free
        leaves, flat.in_tree = tree.flatten(args)
        leaves = [as_array(x) for x in leaves]
        if program is None:
            program, free = close(flat, [aval_of(x) for x in leaves], f"checkpoint of {describe(f)}", WholeTrace)
        return flat.unflatten(checkpoint_p.bind(*free, *leaves, program=program, policy=nothing_saveable))

    return again


def is_recorded() -> bool:
    """Is anything kept for a backward sweep, or written down, of what happens now?"""
    trace = context.trace
    while trace is not None and not isinstance(trace, LinearizeTrace | StageTrace):
        trace = trace.parent
    return trace is not None


def closed(flat: Flat, leaves: Sequence[Any], origin: str) -> tuple[Jaxpr, list[Any]]:
    """The program of a function, or, if it branches on values and they are known, of the path that it takes."""
    try:
        return close(flat, [aval_of(x) for x in leaves], origin, WholeTrace)
    except ConcretizationError:
        values = [concrete(x) for x in leaves]
        if is_staging() or any(x is None for x in values):
            raise
        with deep():
            return hoist(follow(flat, values, origin))
