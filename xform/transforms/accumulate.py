"""Adding up the cotangents of a variable, at the cost of what is added and not of the variable's size.

On plain arrays the parts go into one buffer, in place: a loop that reads x[i] n times is differentiated in O(n). Under
another transformation nothing can be changed in place. There the parts that come from reads of few entries, at known
positions, are kept until the variable's cotangent is complete, and then put into zeros all at once. In a program that
is being written, a read adds to what there is by a scatter, which the program does in place when it is run.
"""

from __future__ import annotations

import math
from sys import getrefcount
from typing import Any

import numpy as np

from xform.core.primitive import Linear
from xform.core.stage import is_staging
from xform.core.trace import SOLE, context
from xform.ops.indexing.index import scatter_sum
from xform.ops.indexing.scatter import scatter_add
from xform.ops.stack import stack
from xform.ops.structure import reshape

#: a read of at most one entry in so many of a variable is kept
SPARSE = 8


class Accumulator:
    """Adds contributions to a variable's cotangent, in place once the sum is an array that nobody else holds.

    `reads` are the contributions that are kept: by variable, the equations that read it and their cotangents.
    """

    __slots__ = ("bars", "in_place", "owned", "reads", "staged")

    def __init__(self, bars: list[Any]) -> None:
        self.bars = bars
        self.owned: set[int] = set()
        self.in_place = context.trace.is_ground
        self.staged = not self.in_place and is_staging()
        self.reads: dict[int, list[tuple[Any, np.ndarray, Any]]] = {}

    def __call__(self, i: int, x_bar: Any) -> None:
        if self.bars[i] is None:
            self.bars[i] = x_bar
        elif i in self.owned:
            self.bars[i] += x_bar
        else:
            self.bars[i] = self.bars[i] + x_bar
            if self.in_place and type(self.bars[i]) is np.ndarray:
                self.owned.add(i)

    def buffer(self, hole: Linear) -> np.ndarray:
        """The array into which parts of a cotangent may be added."""
        if hole.id not in self.owned:
            bar = self.bars[hole.id]
            if bar is None:
                self.bars[hole.id] = np.zeros(hole.shape, hole.dtype)
            elif getrefcount(bar) > SOLE + 1 or not is_own(bar):  # here and in the list
                self.bars[hole.id] = np.array(bar)
            self.owned.add(hole.id)
        return self.bars[hole.id]

    def scatter(self, eqn: Any, bar: Any) -> bool:
        """Add the cotangent of a read to what there is in the program being written, if it is one."""
        hole, prim = eqn.args[0], eqn.prim
        if not self.staged or prim.add_to is None or type(hole) is not Linear or self.bars[hole.id] is None:
            return False
        self.bars[hole.id] = prim.add_to(self.bars[hole.id], bar, *eqn.args, **eqn.params)
        return True

    def keep(self, eqn: Any, bar: Any) -> bool:
        """Keep the cotangent of a read of few entries for later, if it is one."""
        hole, prim = eqn.args[0], eqn.prim
        if prim.positions is None or type(hole) is not Linear or SPARSE * bar.size > math.prod(hole.shape):
            return False
        positions = prim.positions(*eqn.args, **eqn.params)
        if positions is None:
            return False
        self.reads.setdefault(hole.id, []).append((eqn, positions, bar))
        return True

    def add_at(self, i: int, positions: np.ndarray, bars: Any, shape: tuple[int, ...]) -> None:
        """Add arrays to what there is at their positions in it, at their own cost if nobody else holds it."""
        held, self.bars[i] = [self.bars[i]], None
        indices = np.unravel_index(positions, shape)
        place = {"axes": tuple(range(len(shape))), "at": 0}
        self.bars[i] = context.trace.update(scatter_add, held, (stack(*bars, axis=0), *indices), place)

    def complete(self, i: int) -> None:
        """Add what was kept for a variable: a single read by its transpose, reads of one shape all at once."""
        groups: dict[tuple[int, ...], list[tuple[Any, np.ndarray, Any]]] = {}
        for read in self.reads.pop(i):
            groups.setdefault(read[1].shape, []).append(read)
        for group in groups.values():
            eqns, positions, bars = zip(*group, strict=True)
            if self.bars[i] is not None and eqns[0].args[0].shape and not self.staged:
                self.add_at(i, np.stack(positions), bars, eqns[0].args[0].shape)
            elif len(group) == 1:
                self(i, eqns[0].prim.transpose(list(bars), *eqns[0].args, **eqns[0].params)[0])
            else:
                self(i, sum_at(np.stack(positions), bars, eqns[0].args[0].shape))


def is_own(x: Any) -> bool:
    """Is it an array that has its memory to itself, and may be written into?"""
    return type(x) is np.ndarray and x.base is None and x.flags.writeable


def sum_at(positions: np.ndarray, bars: Any, shape: tuple[int, ...]) -> Any:
    """Zeros of the given shape to which arrays are added at their positions in it, counted in C order."""
    values = stack(*bars, axis=0)
    if values.ndim > 1:
        values = reshape(values, shape=(positions.size,))
    size = math.prod(shape)
    out = scatter_sum(values, positions.ravel(), shape=(size,), axes=(0,), at=0)
    return out if len(shape) == 1 else reshape(out, shape=shape)
