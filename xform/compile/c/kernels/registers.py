"""What is written out beyond entrywise operations and moves: in registers (`RULES`), or as loops (`WHOLE`).

A rule for registers is given operands in registers and gives results in registers: straight-line code, so that a loop
over a batch takes several steps at a time. Operations with several results are no loops over slices that others could
join; they have a loop over their batch of their own.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from xform.compile.c.kernels import (
    convergence,
    convolutions,
    extremes,
    folds,
    linalg,
    precision,
    random_bits,
    recurrences,
    searching,
    sorting,
    stacks,
)
from xform.compile.c.kernels.sizes import LINALG, ROWS, are_small_matrices, is_short, is_single, is_tiny
from xform.compile.c.text.emit import Emitter
from xform.compile.c.text.scalars import REDUCTIONS
from xform.compile.c.text.values import Scalars, Value, View
from xform.core.aval import Aval
from xform.core.jaxpr import Eqn


def is_small(eqn: Eqn, emit: Emitter) -> bool:
    """Can it be done in registers? For a single matrix a C function is shorter, and as fast unless it is tiny."""
    most = emit.most
    if eqn.prim.name in LINALG:
        written = is_tiny(eqn) or emit.takes_several()
        return written and is_single(eqn) and are_small_matrices(eqn)
    if eqn.prim.name in ENTRYWISE:
        return all(None not in v.aval.shape and v.aval.size <= most for v in (*eqn.inputs, *eqn.outputs))
    return is_short(eqn, most)


def written_out(emit: Emitter, eqn: Eqn, args: Sequence[Value], outs: Sequence[Aval]) -> list[Scalars] | None:
    return RULES[eqn.prim.name](emit, eqn.prim.name, args, outs, eqn.params)


def as_whole(emit: Emitter, eqn: Eqn, args: Sequence[Value], places: Sequence[View | None]) -> Sequence[Value] | None:
    """The results by loops over arrays; None if it is left to others."""
    rule = WHOLE.get(eqn.prim.name)
    return None if rule is None else rule(emit, eqn, args, places)


def matrices(emit: Emitter, name: str, args: Any, outs: Sequence[Aval], params: dict[str, Any]) -> list[Scalars] | None:
    return linalg.RULES[name](emit, args, outs, params)


Rule = Callable[..., list[Scalars] | None]

ENTRYWISE = ("bitcast_convert_type", "reduce_precision")
EXTREMES = ("argmax", "argmin")

RULES: dict[str, Rule] = {
    **dict.fromkeys(LINALG, matrices),
    **dict.fromkeys(EXTREMES, extremes.written_out),
    **dict.fromkeys(ROWS, sorting.written_out),
    "bitcast_convert_type": precision.bits,
    "reduce_precision": precision.rounded,
}

WHOLE: dict[str, Callable[..., Sequence[Value] | None]] = {
    **dict.fromkeys(LINALG, stacks.over_stack),
    **dict.fromkeys(EXTREMES, extremes.whole),
    **dict.fromkeys(ROWS, sorting.whole),
    **dict.fromkeys(REDUCTIONS, folds.whole),
    "searchsorted": searching.whole,
    "bitcast_convert_type": precision.bits_of_array,
    "linear_recurrence": recurrences.linear,
    "cumlogsumexp": recurrences.logarithms,
    "convolve": convolutions.convolve,
    "converged": convergence.converged,
    "random_bits": random_bits.whole,
}
