"""Taylor rules of operations that contain programs: all coefficients up to an order come from one run."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from xform.core.primitive import Zero, is_zero
from xform.core.series import Series
from xform.ops.family import instantiate

#: (order, operands, the terms 1 ... order of each operand that varies) -> for each result its terms 0 ... order,
#: or just the zeroth if it does not vary
Coefficients = Callable[[int, list[Any], list[list[Any]]], list[list[Any]]]


def expand(series: Sequence[Series], apply: Any, varying: Sequence[bool], coefficients: Coefficients) -> list[Series]:
    """The series of the results. The order is the one that the transformation wants, or as far as it is asked for."""
    known: list[list[Any]] = []

    def term(j: int, k: int) -> Any:
        if not known or (varying[j] and len(known[j]) <= k):
            order = max(k, apply.order or 0)
            moving = [s for s in series if not s.is_constant]
            terms = [[instantiate(s[m]) for m in range(1, order + 1)] for s in moving]
            known[:] = coefficients(order, [s[0] for s in series], terms)
        return known[j][k] if k < len(known[j]) else Zero.like(known[j][0])

    return [Series(lambda k, j=j: term(j, k)) if v else Series.constant(term(j, 0)) for j, v in enumerate(varying)]


def are_active(tangents: Sequence[Any]) -> tuple[bool, ...]:
    return tuple(not is_zero(t) for t in tangents)
