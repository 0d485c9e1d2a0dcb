"""Lists of values in parallel: which of them are meant, and what belongs to each."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

#: which of a list of values ...
Mask = tuple[bool, ...]


def none_of(atoms: Sequence[Any]) -> Mask:
    return (False,) * len(atoms)


def either(a: Iterable[bool], b: Iterable[bool]) -> Mask:
    return tuple(x or y for x, y in zip(a, b, strict=True))


def stable(start: Mask, step: Callable[[Mask], Mask]) -> Mask:
    """The least mask that contains `start` and what `step` makes of it."""
    while (larger := either(start, step(start))) != start:
        start = larger
    return start


def chosen(values: Sequence[Any], mask: Iterable[bool]) -> list[Any]:
    """The values at which the mask is true."""
    return [x for x, m in zip(values, mask, strict=True) if m]


def grouped(items: Sequence[Any], extras: Sequence[int], sizes: Sequence[int]) -> list[Any]:
    """All values and then all extras, `extras[k]` of them for value k, become for each group its values and extras."""
    values, rest = items[: len(extras)], iter(items[len(extras) :])
    belonging = [[next(rest) for _ in range(n)] for n in extras]
    out, start = [], 0
    for size in sizes:
        out += values[start : start + size]
        out += [x for part in belonging[start : start + size] for x in part]
        start += size
    return out


def ungrouped(items: Sequence[Any], extras: Sequence[int], sizes: Sequence[int]) -> tuple[list[Any], list[list[Any]]]:
    """The inverse: the values, and the extras of each."""
    rest, values, belonging, start = iter(items), [], [], 0
    for size in sizes:
        values += [next(rest) for _ in range(size)]
        belonging += [[next(rest) for _ in range(n)] for n in extras[start : start + size]]
        start += size
    return values, belonging
