"""The operands of loops by their kinds, and the rows of arrays that a loop reads and writes."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from xform.control.masks import Mask, chosen
from xform.core.aval import Aval, shape_of
from xform.core.primitive import Zero
from xform.core.trace import Tracer
from xform.ops.family import instantiate
from xform.ops.stack import stack
from xform.ops.structure import slice_, transpose


class Operands(NamedTuple):
    """The operands of a scan by their kinds; a count of steps only if it is not known beforehand."""

    count: list[Any]
    consts: list[Any]
    carry: list[Any]
    xs: list[Any]

    @property
    def body(self) -> list[Any]:
        """What the body's inputs are, or are taken from."""
        return [*self.consts, *self.carry, *self.xs]


def split(items: Sequence[Any], consts: int, carry: int, length: int | None) -> Operands:
    k = 1 if length is None else 0
    return Operands(
        list(items[:k]),
        list(items[k : k + consts]),
        list(items[k + consts : k + consts + carry]),
        list(items[k + consts + carry :]),
    )


def pieces(items: Sequence[Any], sizes: Sequence[int]) -> list[list[Any]]:
    """Consecutive parts of a list."""
    rest = iter(items)
    return [[next(rest) for _ in range(n)] for n in sizes]


def by_kind(items: Sequence[Any], mask: Mask, consts: int, carry: int) -> list[list[Any]]:
    """The chosen ones among consts, carry and xs."""
    edges = [0, consts, consts + carry, len(items)]
    return [chosen(items[a:b], mask[a:b]) for a, b in itertools.pairwise(edges)]


def row(x: Any, i: int) -> Any:
    """x[i]"""
    if not isinstance(x, Tracer):
        return x[i]
    return slice_(x, index=(i, *((0, n, 1) for n in x.shape[1:])))


def stacked(rows: list[Any], aval: Aval) -> Any:
    """The rows as an array, which without rows has the shape that they would have."""
    if not rows:
        return np.zeros((0, *aval.shape), aval.dtype)
    if any(isinstance(r, Tracer) for r in rows):
        return stack(*rows, axis=0)
    out = np.empty((len(rows), *aval.shape), aval.dtype)
    for k, r in enumerate(rows):
        out[k] = r
    return out


def swapped(x: Any) -> Any:
    """The first two axes exchanged."""
    return transpose(x, permutation=(1, 0, *range(2, len(x.shape))))


def zeros(aval: Aval) -> Any:
    return instantiate(Zero(aval))


def shape_and_dtype(x: Any) -> Aval:
    return Aval(shape_of(x), x.dtype)


def union(p: Any, q: Any) -> Any:
    return q if p is None else p if q is None else p | q
