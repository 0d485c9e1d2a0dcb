"""Names of the values of a program: those that its jaxpr is printed with, kept apart from Python's own words."""

from __future__ import annotations

import builtins
import keyword
from collections.abc import Iterator
from itertools import count

from xform.core.jaxpr import Atom, Jaxpr, Var
from xform.core.show import variable_name

#: what the text of a program refers to, beside its own values
MODULES = ("np", "math", "rules", "changes", "help", "program")
TAKEN = frozenset({*keyword.kwlist, *keyword.softkwlist, *dir(builtins), *MODULES})


def spelled(name: str) -> str:
    """A name that is no word of Python's."""
    return f"{name}_" if name in TAKEN else name


def letters() -> Iterator[str]:
    """a, b, ..., z, ba, ...: each once."""
    return map(variable_name, count())


class Names:
    """Names in the order in which a printed program first mentions its variables, and then of further values."""

    def __init__(self, jaxpr: Jaxpr) -> None:
        self.of: dict[Var, str] = {}
        self._letters = letters()
        for atom in mentioned(jaxpr):
            if isinstance(atom, Var) and atom not in self.of:
                self.of[atom] = self.fresh()

    def fresh(self) -> str:
        return spelled(next(self._letters))


def mentioned(jaxpr: Jaxpr) -> Iterator[Atom]:
    """The variables and literals of a program in the order of its text."""
    yield from (v for v, _ in jaxpr.consts)
    yield from jaxpr.inputs
    for eqn in jaxpr.eqns:
        yield from eqn.outputs
        yield from eqn.inputs
    yield from jaxpr.outputs
