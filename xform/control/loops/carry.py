"""What goes around a loop: a tree that must come back with the same structure, shapes and dtypes."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from xform.control import requirements
from xform.control.requirements import at
from xform.core import tree
from xform.core.aval import Aval, aval_of
from xform.core.stage import is_staging, strong
from xform.ops.stack import ARRAYS
from xform.transforms.arguments import as_array

LEAF = tree.structure(0)


class Carry:
    """The initial value of a loop's carry, and the check that the value after a step is of the same type.

    Python numbers do not promote arrays; so an initial 0 or 0.0 takes on the dtype that the loop gives it.
    """

    __slots__ = ("avals", "inner", "leaves", "origin", "structure", "weak", "what")

    def __init__(self, origin: str, what: str, init: Any) -> None:
        self.origin, self.what = origin, what
        leaves, self.structure = tree.flatten(init)
        for k, x in enumerate(leaves):
            requirements.number(origin, lambda k=k: f"the initial carry{at(init, k)}", x)
        self.weak = [type(x) in (bool, int, float, complex) for x in leaves]
        self.leaves = [as_array(x) for x in leaves]
        self.avals = [strong(aval_of(x)) for x in self.leaves]
        #: the carries of the loops inside, in order, as they were when the loop was last written down
        self.inner: list[Carry] = []
        if writing.carries is not None and is_staging():
            self.resume(writing.carries)

    def resume(self, now: list[Carry]) -> None:
        """Begin as one that has been settled, if the loop around is written down again, with another dtype.

        Otherwise each loop would be written down twice as often as the one around it.
        """
        before, k = writing.before, len(now)
        now.append(self)
        if k < len(before) and (before[k].origin, before[k].structure) == (self.origin, self.structure):
            self.inner = before[k].inner
            for j, a in enumerate(before[k].avals):
                if self.weak[j] and self.avals[j].shape == a.shape:
                    self.promote(j, a)

    def promote(self, leaf: int, aval: Aval) -> None:
        self.leaves[leaf], self.avals[leaf] = np.asarray(self.leaves[leaf], aval.dtype)[()], aval

    def value(self, leaves: Sequence[Any]) -> Any:
        return leaves[0] if self.structure is LEAF else tree.unflatten(self.structure, leaves)

    def flat(self, value: Any) -> list[Any]:
        """The leaves of the value after a step; TypeError unless it is of the type of the initial one."""
        if self.structure is LEAF and isinstance(value, ARRAYS):
            leaves, aval = [value], self.avals[0]
            if value.dtype is aval.dtype and value.shape == aval.shape:
                return leaves
        else:
            leaves = self.flattened(value)
        for k, (x, a) in enumerate(zip(leaves, self.avals, strict=True)):
            if getattr(x, "shape", None) != a.shape or (x.dtype is not a.dtype and x.dtype != a.dtype):
                leaves[k] = self.fitted(value, k, x)
        return leaves

    def flattened(self, value: Any) -> list[Any]:
        leaves, structure = tree.flatten(value)
        if structure != self.structure:
            given = tree.unflatten(self.structure, range(len(self.leaves)))
            raise TypeError(
                f"{self.origin}: {self.what} must return a carry of the structure that it is given, but "
                f"{requirements.unlike(given, value, 'it was given', 'it returned')}"
            )
        return leaves

    def fitted(self, value: Any, k: int, x: Any) -> Any:
        """A leaf that may be a number, or not fit at all."""
        requirements.number(self.origin, lambda: f"the carry that {self.what} returned{at(value, k)}", x)
        x, wanted = as_array(x), self.avals[k]
        given = strong(aval_of(x))
        if given == wanted:
            return x
        if self.weak[k] and given.shape == wanted.shape and np.can_cast(wanted.dtype, given.dtype, "same_kind"):
            raise Promotion(self, k, given)
        raise TypeError(
            f"{self.origin}: {self.what} must return a carry of the shapes and dtypes that it is given, but the "
            f"carry{at(value, k)} came in as {wanted} and went out as {given}. {remedy(given, wanted)}"
        )

    def settled(self, run: Callable[[], Any]) -> Any:
        """Run with the dtypes that numbers in the initial value take on."""
        around = writing.carries, writing.before
        try:
            while True:
                now: list[Carry] = []
                writing.carries, writing.before = now, self.inner
                try:
                    return run()
                except Promotion as p:
                    if p.carry is not self:
                        raise
                    self.promote(p.leaf, p.aval)
                finally:
                    self.inner = now
        finally:
            writing.carries, writing.before = around


class Writing(threading.local):
    """Per thread: the carries of the loops in the part that is being written down, and of the same part before."""

    carries: list[Carry] | None = None
    before: Sequence[Carry] = ()


writing = Writing()


class Promotion(Exception):
    """A number in the initial carry has to take on another dtype."""

    def __init__(self, carry: Carry, leaf: int, aval: Aval) -> None:
        self.carry, self.leaf, self.aval = carry, leaf, aval


def remedy(given: Aval, wanted: Aval) -> str:
    if given.shape != wanted.shape:
        return (
            "Give the initial carry the shape that the loop settles on; a carry cannot grow: return as y what each "
            "step of a scan adds, or write it into an array that is there from the start, with x.at[i].set(...)"
        )
    return (
        f"Convert the initial carry with astype({given.dtype.name!r}), or the result with astype({wanted.dtype.name!r})"
    )
