"""Which operations share a loop, and in which order loops and single operations come.

An operation that is a loop over an axis joins the loops of the same length that are as early as its operands allow: of
an operand that is made in the same loop its slice must be ready, any other operand must be complete. So levels

    0: single operations on what is given     1: loops over that     2: single operations on their results     3: ...

are filled, each operation going to the first level it can go to. An operation whose result is wanted by later loops
alone then sinks into them, if fewer arrays need memory that way.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import NamedTuple

from xform.compile.c.fusion.again import computed_again
from xform.compile.c.fusion.peel import Peel, Place, is_aligned
from xform.core.jaxpr import Atom, Eqn, Var


class Single(NamedTuple):
    """An operation on its own."""

    eqn: Eqn


class Group:
    """Operations that share a loop over `size` slices."""

    __slots__ = ("eqns", "peels", "size")

    def __init__(self, size: int) -> None:
        self.size = size
        self.eqns: list[Eqn] = []
        self.peels: list[Peel] = []


Unit = Single | Group


def schedule(eqns: Sequence[Eqn], results: Sequence[Atom], how: Callable[[Eqn], Peel | None]) -> list[Unit]:
    """The operations in units, in an order in which they can be done; `how` says which of them are loops."""
    peels = [how(e) for e in eqns]
    places = settle(eqns, peels)
    sink(eqns, peels, places, results)
    return in_units(*computed_again(eqns, peels, places, results))


def settle(eqns: Sequence[Eqn], peels: Sequence[Peel | None]) -> list[Place]:
    """The first place where each operation can be."""
    made: dict[Var, tuple[Place, bool]] = {}  # where each variable is made, and whether slice by slice
    places: list[Place] = []
    effect = 0
    for eqn, peel in zip(eqns, peels, strict=True):
        place = earliest(eqn, peel, made)
        if eqn.effect:
            place = effect, _ = max(effect, place[0]), place[1]
        places.append(place)
        for v in eqn.outputs:
            made[v] = place, peel is not None and peel.combine is None
    return places


def earliest(eqn: Eqn, peel: Peel | None, made: dict[Var, tuple[Place, bool]]) -> Place:
    level = 0 if peel is None else 1
    for k, v in enumerate(eqn.inputs):
        if type(v) is Var and v in made:
            (at, size), sliced = made[v]
            if peel is None:
                level = max(level, at + at % 2)
            elif sliced and size == peel.size and at % 2 and is_aligned(peel, k, v):
                level = max(level, at)
            else:
                level = max(level, at + 1 if at % 2 == 0 else at + 2)
    return level, 0 if peel is None else peel.size


class Reads(NamedTuple):
    """Where a variable is read: slice by slice in the loop where it could be made, or as a whole."""

    sliced: set[Place]
    whole: set[Place]

    def goal(self, here: Place) -> Place | None:
        """The later loop of the same length that reads its slices, before anybody else reads it."""
        first = min(self.sliced | self.whole, default=here)
        late = all(place == first or place[0] > first[0] for place in self.sliced | self.whole)
        return first if first > here and first[1] == here[1] and first not in self.whole and late else None


def sink(eqns: Sequence[Eqn], peels: Sequence[Peel | None], places: list[Place], results: Sequence[Atom]) -> None:
    """Move operations into later loops of the same length, if all who read them are there or beyond."""
    reads: dict[Var, Reads] = defaultdict(lambda: Reads(set(), set()))
    maker = {v: k for k, e in enumerate(eqns) for v in e.outputs}
    wanted = {v for v in results if type(v) is Var}
    for k in reversed(range(len(eqns))):
        eqn, peel = eqns[k], peels[k]
        if peel is not None and peel.combine is None and eqn.outputs[0] not in wanted:
            goal = reads[eqn.outputs[0]].goal(places[k])
            if goal is not None and new_memory(eqn, peel, places[k], maker, places, reads) <= 1:
                places[k] = goal
        for i, a in enumerate(eqn.inputs):
            if type(a) is Var:
                aligned = peel is not None and is_aligned(peel, i, a)
                (reads[a].sliced if aligned else reads[a].whole).add(places[k])


def new_memory(
    eqn: Eqn, peel: Peel, here: Place, maker: dict[Var, int], places: list[Place], reads: dict[Var, Reads]
) -> int:
    """How many arrays need memory if it moves: those whose slices it reads here and which nobody reads later."""
    operands = {a for i, a in enumerate(eqn.inputs) if type(a) is Var and is_aligned(peel, i, a)}
    made_here = [a for a in operands if a in maker and places[maker[a]] == here]
    return sum(not (reads[a].sliced | reads[a].whole) - {here} for a in made_here)


def in_units(eqns: Sequence[Eqn], peels: Sequence[Peel | None], places: Sequence[Place]) -> list[Unit]:
    levels: dict[int, dict[int, list[int]]] = defaultdict(lambda: defaultdict(list))
    for k, (level, size) in enumerate(places):
        levels[level][size if peels[k] is not None else -1].append(k)
    units: list[Unit] = []
    for level in sorted(levels):
        for members in levels[level].values():
            if peels[members[0]] is None:
                units += [Single(eqns[k]) for k in members]
            else:
                group = Group(peels[members[0]].size)  # type: ignore[union-attr]
                group.eqns = [eqns[k] for k in members]
                group.peels = [peels[k] for k in members]  # type: ignore[misc]
                units.append(group)
    return units
