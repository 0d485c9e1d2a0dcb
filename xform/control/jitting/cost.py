"""What a program costs: operations, bytes moved, memory. Counted from its equations, not measured.

contract     2 x the product of the sizes of all its axes             elementwise     1 per entry
reductions   1 per entry that is read                                 factorisations  their leading term
a loop       the cost of its body x the number of steps, if known     a branch        the dearest one
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from xform.core.aval import Aval
from xform.core.jaxpr import Eqn, Jaxpr, Var
from xform.ops.elementwise import Elementwise

# fmt: off
TRANSCENDENTAL = frozenset([
    "exp", "exp2", "expm1", "log", "log2", "log10", "log1p", "logistic", "logaddexp", "logaddexp2", "sin", "cos",
    "tan", "arcsin", "arccos", "arctan", "arctan2", "sinh", "cosh", "tanh", "arcsinh", "arccosh", "arctanh", "pow",
    "cbrt", "cumlogsumexp",
])
#: operations that read each entry of an operand once to combine it with others
FOLDS = frozenset([
    "reduce_sum", "reduce_max", "reduce_min", "reduce_prod", "reduce_and", "reduce_or", "reduce_xor", "argmax",
    "argmin", "cumsum", "cumprod", "cummax", "cummin", "scatter_sum", "scatter_add", "scatter_mul", "scatter_min",
    "scatter_max",
])
#: flops of a factorisation of n x n matrices, in units of n^3
CUBIC = {
    "cholesky": 1 / 3, "solve": 2 / 3, "triangular_solve": 1, "inv": 2, "det": 2 / 3, "cofactor": 2, "slogdet": 2 / 3,
    "qr": 4 / 3, "eigh": 9, "svd": 22,
}
# fmt: on


class Cost(NamedTuple):
    """Numbers of operations, those of them that are transcendental functions, and bytes read and written."""

    flops: float = 0.0
    transcendentals: float = 0.0
    bytes: float = 0.0

    def plus(self, other: Cost, times: float = 1.0) -> Cost:
        return Cost(*(a + times * b for a, b in zip(self, other, strict=True)))


class MemoryAnalysis(NamedTuple):
    """Bytes of the arguments, of the results, of what is alive at most in between, and of constants."""

    argument_size_in_bytes: int
    output_size_in_bytes: int
    temp_size_in_bytes: int
    constant_size_in_bytes: int


def cost_of(jaxpr: Jaxpr) -> Cost:
    """The cost of a program; of a loop whose number of steps is not known that of one step."""
    known = jaxpr.derived.get(cost_of)
    if known is None:
        known = Cost()
        for eqn in jaxpr.eqns:
            known = known.plus(cost_of_eqn(eqn))
        jaxpr.derived[cost_of] = known
    return known


def cost_of_eqn(eqn: Eqn) -> Cost:
    programs = list(eqn.jaxprs())
    if eqn.prim.name == "cond":
        return max((cost_of(p) for p in programs), default=Cost())
    if programs:
        steps = eqn.params.get("length") or 1
        total = Cost()
        for p in programs:
            total = total.plus(cost_of(p), steps)
        return total
    entries = sum(entries_of(v.aval) for v in eqn.outputs)
    moved = bytes_of([*(a.aval for a in eqn.inputs), *(v.aval for v in eqn.outputs)])
    return Cost(flops_of(eqn, entries), entries if eqn.prim.name in TRANSCENDENTAL else 0.0, moved)


def flops_of(eqn: Eqn, entries: float) -> float:
    name = eqn.prim.name
    if name == "contract":
        return 2.0 * math.prod(contracted_sizes(eqn))
    if name in FOLDS:
        return max(entries_of(a.aval) for a in eqn.inputs)
    if name in CUBIC:
        return CUBIC[name] * entries_of(eqn.inputs[0].aval) * max(eqn.inputs[0].aval.shape[-1:], default=1)
    if name == "convolve":
        return 2.0 * entries * entries_of(eqn.inputs[-1].aval)
    return entries if isinstance(eqn.prim, Elementwise) and name not in TRANSCENDENTAL else 0.0


def contracted_sizes(eqn: Eqn) -> Iterable[int]:
    """The sizes of all axes of a contraction, by their labels."""
    i, j, _ = eqn.params["spec"]
    return dict(zip([*i, *j], [*eqn.inputs[0].aval.shape, *eqn.inputs[1].aval.shape], strict=True)).values()


def entries_of(aval: Aval) -> float:
    """An axis of unknown length counts as one entry."""
    return float(math.prod(n or (1 if n is None else 0) for n in aval.shape))


def bytes_of(avals: Iterable[Any]) -> int:
    return int(sum(entries_of(a) * a.dtype.itemsize for a in avals))


def memory_of(jaxpr: Jaxpr) -> MemoryAnalysis:
    """The memory of a program if each equation makes new arrays, and each is released after its last use."""
    consts = bytes_of(v.aval for v, _ in jaxpr.consts)
    return MemoryAnalysis(
        bytes_of(v.aval for v in jaxpr.inputs), bytes_of(a.aval for a in jaxpr.outputs), peak(jaxpr), consts
    )


def peak(jaxpr: Jaxpr) -> int:
    """The most bytes that are alive at once, inputs, constants and results left out."""
    apart: set[Any] = {*jaxpr.inputs, *(v for v, _ in jaxpr.consts), *jaxpr.outputs}
    alive = most = 0
    for eqn, dying in zip(jaxpr.eqns, jaxpr.last_use(), strict=True):
        alive += temporary(eqn.outputs, apart)
        inside = max((peak(p) for p in eqn.jaxprs()), default=0)
        most = max(most, alive + inside)
        alive -= temporary(dying, apart)
    return most


def temporary(variables: Sequence[Var], apart: set[Any]) -> int:
    return bytes_of(v.aval for v in variables if v not in apart)
