"""Joined, padded and shifted arrays that are never put together.

Where only loops over the first axis read what `concatenate` or `pad` gives, row by row, each of these loops is cut
where one piece ends and the next one begins, and reads the rows where they are. So finite differences, stencils and
sequences with a value in front cost no copies.
"""

from __future__ import annotations

import itertools
from collections.abc import Container, Sequence
from typing import Any

import numpy as np

from xform.compile.c.fusion.peel import is_aligned
from xform.compile.c.fusion.schedule import Group, Single, Unit
from xform.compile.c.text.emit import Emitter
from xform.compile.c.text.values import Pieces, View
from xform.core.jaxpr import Atom, Eqn, Var

#: so many pieces at most: the text of a loop is repeated for each
MOST_PIECES = 4


def loose(units: Sequence[Unit], results: Sequence[Atom], small: Container[Var | None]) -> set[Var]:
    """The joined arrays, and slices of them, that are read row by row only, and are not small enough for registers."""
    singles = [u.eqn for u in units if isinstance(u, Single) and u.eqn.outputs and u.eqn.outputs[0] not in small]
    joined: set[Atom] = set()
    for eqn in singles:
        if joins_rows(eqn) or (slices_rows(eqn) and eqn.inputs[0] in joined):
            joined.add(eqn.outputs[0])
    joined.difference_update(results)
    for unit in reversed(units) if joined else ():
        joined.difference_update(read_otherwise(unit, joined))
    for eqn in singles if joined else ():
        if slices_rows(eqn) and eqn.inputs[0] not in joined:  # somebody wants it whole after all
            joined.discard(eqn.outputs[0])
    return joined  # type: ignore[return-value]


def read_otherwise(unit: Unit, joined: set[Atom]) -> list[Atom]:
    """What a unit does not read row by row, nor to leave it in pieces."""
    if isinstance(unit, Single):
        kept = slices_rows(unit.eqn) and unit.eqn.outputs[0] in joined
        return [] if kept else list(unit.eqn.inputs)
    sums = any(peel.combine is not None for peel in unit.peels)
    rows = zip(unit.eqns, unit.peels, strict=True)
    return [a for e, p in rows for k, a in enumerate(e.inputs) if type(a) is Var and (sums or not is_aligned(p, k, a))]


def slices_rows(eqn: Eqn) -> bool:
    """Is it a range of the rows of its operand?"""
    if eqn.prim.name != "slice" or not eqn.params["index"]:
        return False
    first, *rest = eqn.params["index"]
    return type(first) is tuple and first[2] == 1 and rest == [(0, n, 1) for n in eqn.inputs[0].aval.shape[1:]]


def joins_rows(eqn: Eqn) -> bool:
    """Is it made of pieces along the first axis, each with all entries along the other axes?"""
    if eqn.prim.name == "concatenate":
        return eqn.params["axis"] == 0 and len(eqn.inputs) <= MOST_PIECES
    if eqn.prim.name != "pad" or not eqn.params["index"]:
        return False
    first, *rest = eqn.params["index"]
    shape = eqn.params["shape"]
    return type(first) is tuple and first[2] == 1 and rest == [(0, n, 1) for n in shape[1:]]


def pieces(emit: Emitter, eqn: Eqn, args: Sequence[Any]) -> Pieces:
    shape, dtype = eqn.outputs[0].aval.shape, eqn.outputs[0].aval.dtype
    if isinstance(args[0], Pieces):
        return sliced(args[0], *eqn.params["index"][0][:2])
    views = [emit.view(x) for x in args]
    if eqn.prim.name == "pad":
        (start, count, _), zero = eqn.params["index"][0], emit.constant_view(np.zeros((), dtype))
        sizes = (start, count, shape[0] - start - count)
        views = [zeros(zero, sizes[0], shape), views[0], zeros(zero, sizes[2], shape)]
    starts = itertools.accumulate((v.shape[0] for v in views), initial=0)
    return Pieces([(a, v) for a, v in zip(starts, views, strict=False) if v.shape[0]], shape, dtype)


def sliced(x: Pieces, first: int, count: int) -> Pieces:
    """A range of the rows: row k is row first + k of x."""
    stops = [start for start, _ in x.parts[1:]] + [x.shape[0]]
    parts = []
    for (start, view), stop in zip(x.parts, stops, strict=True):
        if start < first + count and stop > first:
            skipped = max(first - start, 0)
            offset = view.offset.plus(skipped, view.strides[0])
            parts.append((start + skipped - first, view.like(view.shape, view.strides, offset)))
    return Pieces(parts, (count, *x.shape[1:]), x.dtype)


def zeros(zero: View, rows: int, shape: Sequence[Any]) -> View:
    """Rows of zeros, which all are the same number in memory."""
    return zero.like((rows, *shape[1:]), (0,) * len(shape))


def cuts(values: Sequence[Any], size: int) -> list[tuple[int, int]]:
    """The parts of a loop in which each operand that is in pieces is one piece."""
    places = {0, size}
    for x in values:
        if isinstance(x, Pieces):
            places.update(start for start, _ in x.parts)
    return list(itertools.pairwise(sorted(places)))


def groups_operands(group: Group) -> list[Var]:
    return list(dict.fromkeys(a for e in group.eqns for a in e.inputs if type(a) is Var))
