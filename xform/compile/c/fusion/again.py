"""Results that are computed again where they are read, instead of being kept in memory.

A value that only later loops over the same slices read would be written to memory and read from there. If it is cheap
and made of what these loops can read as well, each computes it again: its operand is read instead of itself.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from xform.compile.c.fusion.peel import Peel, Place, is_aligned
from xform.core.jaxpr import Atom, Eqn, Var

#: operations of so few cycles that memory is slower
CHEAP = {
    "add", "sub", "mul", "neg", "pos", "square", "abs", "max", "min", "clamp", "convert", "select", "lt", "le", "gt",
    "ge", "eq", "ne", "logical_not", "logical_and", "logical_or", "and", "or", "not", "broadcast", "reshape",
    "stop_gradient", "mul_zero",
}  # fmt: skip

#: cheap operations in a row that are done again
DEEPEST = 4

Plan = tuple[list[Eqn], list[Peel | None], list[Place]]


def computed_again(
    eqns: Sequence[Eqn], peels: Sequence[Peel | None], places: Sequence[Place], results: Sequence[Atom]
) -> Plan:
    """The operations with copies of cheap ones in the loops that read their results."""
    copies = Copies(eqns, peels, places, results)
    for k, eqn in enumerate(eqns):
        copies.add(k, eqn)
    return copies.plan


class Copies:
    """The operations so far, and for each loop the variables that it computes again."""

    def __init__(
        self, eqns: Sequence[Eqn], peels: Sequence[Peel | None], places: Sequence[Place], results: Sequence[Atom]
    ) -> None:
        self.eqns, self.peels, self.places = eqns, peels, places
        self.maker = {v: k for k, e in enumerate(eqns) for v in e.outputs}
        self.elsewhere = {a for a in results if type(a) is Var}  # what needs memory whatever is done here
        self.loops: dict[Var, set[Place]] = defaultdict(set)  # the loops that read it slice by slice
        for eqn, peel, place in zip(eqns, peels, places, strict=True):
            for i, a in enumerate(eqn.inputs):
                if type(a) is not Var:
                    continue
                if peel is not None and is_aligned(peel, i, a):
                    self.loops[a].add(place)
                else:
                    self.elsewhere.add(a)
        self.plan: Plan = ([], [], [])
        self.again: dict[tuple[Var, Place], Var] = {}

    def add(self, k: int, eqn: Eqn) -> None:
        peel, place = self.peels[k], self.places[k]
        inputs = eqn.inputs
        if peel is not None:
            inputs = [self.operand(peel, i, a, place) for i, a in enumerate(eqn.inputs)]
        same = all(a is b for a, b in zip(inputs, eqn.inputs, strict=True))
        self.put(eqn if same else Eqn(eqn.prim, inputs, eqn.params, eqn.outputs, eqn.source), peel, place)

    def put(self, eqn: Eqn, peel: Peel | None, place: Place) -> None:
        eqns, peels, places = self.plan
        eqns.append(eqn)
        peels.append(peel)
        places.append(place)

    def operand(self, peel: Peel, i: int, a: Atom, place: Place) -> Atom:
        """The variable, or in its stead one that is computed again in the loop that reads it."""
        if type(a) is not Var or a not in self.maker or not is_aligned(peel, i, a):
            return a
        if (a, place) not in self.again:
            chain = self.chain(a, place, DEEPEST)
            for k in chain or ():
                self.copy(k, place)
        return self.again.get((a, place), a)

    def copy(self, k: int, place: Place) -> None:
        eqn, peel = self.eqns[k], self.peels[k]
        (v,) = eqn.outputs
        if (v, place) in self.again:
            return
        fresh = self.again[v, place] = Var(v.aval)
        inputs = [self.again.get((a, place), a) if type(a) is Var else a for a in eqn.inputs]
        self.put(Eqn(eqn.prim, inputs, eqn.params, [fresh], eqn.source), peel, place)

    def chain(self, a: Var, place: Place, depth: int) -> list[int] | None:
        """The operations that give a variable again in another loop, reading no more there; None if they may not."""
        k = self.maker[a]
        eqn, peel, here = self.eqns[k], self.peels[k], self.places[k]
        if peel is None or peel.combine or here == place or here[1] != place[1] or a in self.elsewhere or not depth:
            return None
        if eqn.prim.name not in CHEAP:
            return None
        rows = {b for i, b in enumerate(eqn.inputs) if type(b) is Var and is_aligned(peel, i, b)}
        before: list[int] = []
        loads = 0
        for b in rows:
            if (b, place) in self.again:
                continue
            if b not in self.maker or self.is_kept(b):
                loads += place not in self.loops[b]
                continue
            inner = self.chain(b, place, depth - 1)
            if inner is None:
                return None
            before += inner
        return [*before, k] if loads <= 1 else None

    def is_kept(self, v: Var) -> bool:
        """Is it in memory anyway, since another loop reads it, or somebody reads it as a whole?"""
        return v in self.elsewhere or bool(self.loops[v] - {self.places[self.maker[v]]})
