"""A while loop by its parts: the parameters of the primitive."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from xform.core.jaxpr import Jaxpr


class Loop(NamedTuple):
    """The parameters of a while loop."""

    cond: Jaxpr
    body: Jaxpr
    cond_consts: int
    consts: int
    record: bool
    slots: int | None = None  # how many states are kept, if not the residuals of all steps

    @property
    def carry(self) -> int:
        return len(self.body.inputs) - self.consts

    def split(self, items: Sequence[Any]) -> tuple[list[Any], list[Any], list[Any]]:
        """Of the condition's constants, the body's constants, and the carry."""
        a, b = self.cond_consts, self.cond_consts + self.consts
        return list(items[:a]), list(items[a:b]), list(items[b:])
