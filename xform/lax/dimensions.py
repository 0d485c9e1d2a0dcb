"""Arguments that are sizes or dimension numbers, made into tuples of integers; a negative dimension counts from behind.

Each function gets the name of the caller and of the argument for the message of its error.
"""

from __future__ import annotations

import operator
from typing import Any

import numpy as np


def integers(name: str, what: str, given: Any) -> tuple[int, ...]:
    """An integer or a sequence of them; TypeError for anything else."""
    try:
        return tuple(map(operator.index, (given,) if isinstance(given, int | np.integer) else given))
    except TypeError:
        raise TypeError(f"{name}: {what} = {given!r:.80} was given, wanted integers that are known now") from None


def per_dimension(name: str, what: str, given: Any, shape: tuple[int, ...]) -> tuple[int, ...]:
    """An integer for each dimension of an array of this shape."""
    found = integers(name, what, given)
    if len(found) != len(shape):
        raise ValueError(
            f"{name}: {what} = {found} was given for an array of shape {shape}; wanted one for each of its "
            f"{len(shape)} dimensions"
        )
    return found


def sizes(name: str, what: str, given: Any) -> tuple[int, ...]:
    """A shape; ValueError for a negative size."""
    found = integers(name, what, given)
    if any(n < 0 for n in found):
        raise ValueError(f"{name}: {what} = {found} was given, wanted sizes that are not negative")
    return found


def dimension(name: str, given: Any, rank: int) -> int:
    """One dimension, counted from the front; AxisError if there is no such dimension."""
    return dimensions(name, "dimension", given, rank)[0]


def dimensions(name: str, what: str, given: Any, rank: int) -> tuple[int, ...]:
    """Different dimensions, counted from the front; AxisError if one does not exist, ValueError if one is repeated."""
    found = integers(name, what, given)
    if any(not -rank <= d < rank for d in found):
        wanted = f"numbers from {-rank} to {rank - 1}" if rank else "an array with axes"
        raise np.exceptions.AxisError(f"{name}: {what} = {given} was given for {rank} dimensions; wanted {wanted}")
    found = tuple(d % rank for d in found)
    if len(set(found)) < len(found):
        raise ValueError(f"{name}: {what} = {given} names a dimension twice; wanted each at most once")
    return found
