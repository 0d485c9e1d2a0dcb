"""A program that is written anew, eqn by eqn, while rules replace what they know to say more simply.

A rule is a function `(program, eqn) -> atoms`: the values that stand for the eqn's outputs, or None if it has nothing
to say. It reads the eqns that made the operands (`made`), and writes new ones with `make`, to which the rules apply in
their turn. So one walk forward brings a program to where no rule applies, in time linear in its length.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from xform.core.aval import Aval
from xform.core.check import MalformedJaxprError
from xform.core.jaxpr import Atom, Eqn, Jaxpr, Literal, Var
from xform.core.primitive import Primitive

Rule = Callable[["Rewriting", Eqn], "Sequence[Atom] | None"]


class Rewriting:
    """The new program as far as it is written, and what is known of its variables."""

    def __init__(self, jaxpr: Jaxpr, rules: Callable[[Primitive], Sequence[Rule]]) -> None:
        self.jaxpr, self.rules = jaxpr, rules
        scalars = {v: Literal(scalar(x)) for v, x in jaxpr.consts if is_plain(x) and not x.shape}
        self.consts = [(v, x) for v, x in jaxpr.consts if v not in scalars]
        #: the values of those variables that are consts
        self.values: dict[Any, Any] = {v: x for v, x in self.consts if is_plain(x)}
        #: what stands for a variable of the old program, or for one that a rule has replaced
        self.atoms: dict[Any, Atom] = dict(scalars)
        self.eqns: list[Eqn] = []
        #: the eqn of each variable
        self.made: dict[Any, Eqn] = {}
        #: eqns by what they compute, since the last one that has an effect
        self.seen: dict[Any, Eqn] = {}
        self.changed = bool(self.atoms)
        self._uses: Counter[Any] | None = None
        self._uniform: dict[Any, Any] = {}

    def run(self) -> Jaxpr:
        """The new program; the old one if no rule had anything to say."""
        for eqn in self.jaxpr.eqns:
            self.write(eqn)
        if not self.changed:
            return self.jaxpr
        outputs = [self.atoms.get(a, a) for a in self.jaxpr.outputs]
        return Jaxpr(self.jaxpr.inputs, self.consts, self.eqns, outputs)

    def write(self, eqn: Eqn) -> None:
        """Append an eqn of the old program, or what stands for it."""
        atoms = self.atoms
        inputs = [atoms.get(a, a) for a in eqn.inputs] if atoms else eqn.inputs
        if inputs != eqn.inputs:
            eqn = Eqn(eqn.prim, inputs, eqn.params, eqn.outputs, eqn.source)
            self.changed = True
        for rule in self.rules(eqn.prim):
            found = rule(self, eqn)
            if found is not None:
                self.replace(eqn, found)
                return
        self.eqns.append(eqn)
        for v in eqn.outputs:
            self.made[v] = eqn

    def replace(self, eqn: Eqn, found: Sequence[Atom]) -> None:
        for v, atom in zip(eqn.outputs, found, strict=True):
            if atom.aval != v.aval:
                raise MalformedJaxprError(f"a rule replaces {v}, which {eqn.prim.name} computes, by {atom.aval}")
            self.atoms[v] = strong(atom)
        self.changed = True

    def make(self, eqn: Eqn, prim: Primitive, *inputs: Atom, **params: Any) -> Atom:
        """The result of a primitive of one output, in place of (a part of) the eqn that is being replaced."""
        (aval,) = prim.abstract(*(a.aval for a in inputs), **params)
        y = Var(aval)
        self.write(Eqn(prim, inputs, params, [y], eqn.source))
        return self.atoms.get(y, y)

    def const(self, value: Any) -> Atom:
        """A value as a literal or a const."""
        if not value.shape:
            return Literal(scalar(value))
        value = np.ascontiguousarray(value)
        v = Var(Aval(value.shape, value.dtype))
        self.consts.append((v, value))
        self.values[v] = value
        return v

    def maker(self, atom: Atom, prim: Primitive) -> Eqn | None:
        """The eqn that computes the atom, if it is one of this primitive."""
        eqn = self.made.get(atom)
        return eqn if eqn is not None and eqn.prim is prim else None

    def is_single(self, atom: Atom) -> bool:
        """Is it read once only, so that what computes it may be joined with its reader?"""
        if self._uses is None:
            self._uses = Counter(a for e in self.jaxpr.eqns for a in e.inputs)
            self._uses.update(self.jaxpr.outputs)
        return self._uses[atom] == 1

    def value(self, atom: Atom) -> Any:
        """The array or scalar that the atom is known to be, or None."""
        return atom.value if type(atom) is Literal else self.values.get(atom)

    def number(self, atom: Atom) -> Any:
        """The scalar that all entries of the atom are known to be, or None."""
        if type(atom) is Literal:
            return atom.value
        if atom not in self.values:
            return None
        if atom not in self._uniform:
            self._uniform[atom] = uniform(self.values[atom])
        return self._uniform[atom]


def is_plain(x: Any) -> bool:
    """Is it an array or scalar of numbers, whose values are there?"""
    return isinstance(x, np.ndarray | np.generic) and x.dtype.kind in "biufc"


def scalar(x: Any) -> Any:
    """A 0-d array or scalar as NumPy's scalar; Python's are weakly typed, and stay so."""
    return x[()] if isinstance(x, np.ndarray) else x


def strong(atom: Atom) -> Atom:
    """What stands for a variable has its dtype in every company, which a Python number does not."""
    return Literal(atom.aval.dtype.type(atom.value)) if atom.aval.weak and isinstance(atom, Literal) else atom


#: arrays of more entries are not looked through
MOST_ENTRIES = 1024


def uniform(x: Any) -> Any:
    """The entry of an array all entries of which have the same bits, or None."""
    if not isinstance(x, np.ndarray) or not 0 < x.size <= MOST_ENTRIES:
        return None
    first = x.flat[0]
    return first if x.tobytes() == first.tobytes() * x.size else None
