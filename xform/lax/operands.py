"""What the operators take: arrays, axes and sizes, read and checked in the words of the operator that was called."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from xform.core.aval import aval_of
from xform.lax.dimensions import integers
from xform.ops.stack import asarray
from xform.ops.structure import transpose


def operand(name: str, x: Any) -> Any:
    """An array, a traced value or a NumPy scalar; TypeError for what is none and cannot become one."""
    try:
        x = asarray(x)
        aval_of(x)
    except (TypeError, ValueError) as error:
        raise TypeError(f"{name}: {error}") from None
    return x


def sizes(name: str, what: str, values: Any, rank: int, least: int = 1) -> tuple[int, ...]:
    """An integer of at least `least` for each of `rank` axes; ValueError if there are more or fewer, or one is less."""
    numbers = integers(name, what, values)
    if len(numbers) != rank or any(n < least for n in numbers):
        raise ValueError(
            f"{name}: {what}={numbers} was given; wanted an integer of at least {least} for each of {rank} axes"
        )
    return numbers


def permuted(x: Any, order: Iterable[int]) -> Any:
    """`x` with its axes in this order."""
    order = tuple(order)
    return x if order == tuple(range(len(order))) else transpose(x, permutation=order)


def inverse(order: Iterable[int]) -> tuple[int, ...]:
    """The permutation that undoes another one."""
    order = tuple(order)
    return tuple(sorted(range(len(order)), key=order.__getitem__))
