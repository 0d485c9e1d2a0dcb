"""A loop taken apart, so that its parts can be moved: what its body reads, and as what that is known outside."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from xform.control.parts import substituted
from xform.core.jaxpr import Atom, Eqn, Jaxpr, Literal, Var, eliminate_dead_code
from xform.core.primitive import Primitive
from xform.core.stage import strong
from xform.ops.contraction.contract import contract
from xform.ops.elementwise import Elementwise
from xform.ops.select import select
from xform.ops.stack import stack
from xform.ops.structure import broadcast, concatenate, convert, pad, reduce_sum, reshape, slice_, transpose

#: of these NumPy computes a value whatever the numbers are
TOTAL = frozenset({
    contract, select, stack, broadcast, concatenate, convert, pad, reduce_sum, reshape, slice_, transpose,
})  # fmt: skip


def is_total(prim: Primitive) -> bool:
    """Does it have a value for all operands? Elementwise functions have; those that users write might raise."""
    return prim in TOTAL or (isinstance(prim, Elementwise) and type(prim).__module__.startswith("xform.ops."))


class Operands(NamedTuple):
    """The operands of an eqn in the program that is to replace it: its inputs, and what they are known as.

    A literal is known, with its dtype, and an operand that is there twice is known by one name.
    """

    inputs: list[Var]
    known: list[Atom]


def operands_of(eqn: Eqn) -> Operands:
    inputs = [Var(strong(a.aval)) for a in eqn.inputs]
    known: dict[Any, Atom] = {}
    for a, v in zip(eqn.inputs, inputs, strict=True):
        known.setdefault(a, number(a) if isinstance(a, Literal) else v)
    return Operands(inputs, [known[a] for a in eqn.inputs])


def number(literal: Literal) -> Literal:
    """The literal as NumPy's scalar, which has its dtype in every company."""
    return Literal(literal.aval.dtype.type(literal.value))


class Carry(NamedTuple):
    """The number of a carry among the body's outputs, its variable in the body, its initial value outside."""

    number: int
    v: Var
    initial: Atom


class Loose:
    """A program that runs in each step, on consts, carry and xs.

    `before` are eqns in front of the loop, with their consts, `results` what stands for results that the loop need not
    compute, by their number among the body's outputs.
    """

    def __init__(
        self, body: Jaxpr, consts: Iterable[Atom], carry: Iterable[Atom], xs: Iterable[Atom] = (), carries: int = 0
    ) -> None:
        inputs = iter(body.inputs)
        self.eqns, self.body_consts, self.outputs = list(body.eqns), body.consts, list(body.outputs)
        self.consts: dict[Any, Atom] = {next(inputs): a for a in consts}
        self.carry = [Carry(k, next(inputs), a) for k, a in enumerate(carry)]
        self.xs: dict[Any, Atom] = {next(inputs): a for a in xs}
        #: the numbers of the outputs that are kept of each step
        self.trails = list(range(carries, len(self.outputs)))
        self.results: dict[int, Atom] = {}
        self.before: list[Eqn] = []
        self.before_consts: list[tuple[Var, Any]] = []
        self.changed = False

    def substitute(self, atoms: dict[Any, Atom]) -> None:
        """Other atoms in place of variables of the body."""
        if atoms:
            self.changed = True
            part = substituted(Jaxpr([], self.body_consts, self.eqns, self.outputs), atoms)
            self.eqns, self.outputs = part.eqns, part.outputs

    def unchanging(self) -> list[int]:
        """The carries that every step leaves as they are."""
        return [c.number for c in self.carry if self.outputs[c.number] is c.v]

    def fix(self, numbers: Sequence[int]) -> None:
        """These carries are constants."""
        for c in [c for c in self.carry if c.number in numbers]:
            self.changed = True
            self.carry.remove(c)
            self.consts[c.v] = self.results[c.number] = c.initial

    def join_operands(self) -> None:
        """Literals go into the body; of constants (xs) that are the same the first one stays, of unread ones none."""
        read: set[Any] = {a for e in self.eqns for a in e.inputs} | set(self.outputs)
        for group in (self.consts, self.xs):
            for v in [v for v in group if v not in read]:
                del group[v]
                self.changed = True
            first: dict[Any, Atom] = {}
            atoms: dict[Any, Atom] = {}
            for v, a in list(group.items()):
                if isinstance(a, Literal):
                    atoms[v] = a
                elif first.setdefault(a, v) is not v:
                    atoms[v] = first[a]
            for v in atoms:
                del group[v]
            self.substitute(atoms)

    def move_out(self, sure: bool) -> None:
        """Compute in front of the loop what depends on constants alone; `sure`: it will be computed at least once."""
        known: set[Any] = {*self.consts, *(v for v, _ in self.body_consts)}
        able = []
        for e in self.eqns:
            if (
                not e.effect
                and (sure or is_total(e.prim))
                and all(isinstance(a, Literal) or a in known for a in e.inputs)
            ):
                known.update(e.outputs)
                able.append(e)
        moving, self.eqns = without_copies(able, self.eqns, self.outputs)
        if moving:
            self.changed = True
            inside = {a for e in moving for a in e.inputs}
            self.before_consts += [(v, x) for v, x in self.body_consts if v in inside]
            self.before += substituted(Jaxpr([], [], moving, []), self.consts).eqns
            self.consts.update((v, v) for e in moving for v in e.outputs)

    def program(self, outputs: Sequence[Atom]) -> Jaxpr:
        """What is left: consts, carry, xs -> outputs."""
        inputs = [*self.consts, *(c.v for c in self.carry), *self.xs]
        return eliminate_dead_code(Jaxpr(inputs, self.body_consts, self.eqns, outputs))

    def step(self) -> Jaxpr:
        """The body that is left: consts, carry, xs -> carry, outputs that are kept."""
        return self.program([self.outputs[k] for k in self.numbers])

    @property
    def numbers(self) -> list[int]:
        """The numbers of the outputs that are left."""
        return [*(c.number for c in self.carry), *self.trails]

    @property
    def operands(self) -> list[Atom]:
        return [*self.consts.values(), *(c.initial for c in self.carry), *self.xs.values()]


def without_copies(able: list[Eqn], eqns: list[Eqn], outputs: Sequence[Atom]) -> tuple[list[Eqn], list[Eqn]]:
    """Those that move, and the rest. Copies that the body itself reads stay: they are views, or made while reading."""
    chosen = set(map(id, able))
    wanted: set[Any] = set(outputs)
    for eqn in reversed(eqns):
        if id(eqn) in chosen and eqn.prim in (broadcast, reshape, transpose) and not wanted.isdisjoint(eqn.outputs):
            chosen.discard(id(eqn))
        if id(eqn) not in chosen:
            wanted.update(eqn.inputs)
    return [e for e in able if id(e) in chosen], [e for e in eqns if id(e) not in chosen]
