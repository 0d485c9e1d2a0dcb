"""Computations a o b of numbers (or of trees of them) that are folded over the entries of arrays.

A computation is staged once, on numbers. If it turns out to be one primitive of its two numbers that is known to be
associative, arrays are folded by that primitive; any other program is applied to each entry on its own.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from xform.core import tree
from xform.core.aval import Aval, aval_of
from xform.core.errors import describe
from xform.core.jaxpr import Jaxpr, evaluate
from xform.core.primitive import Primitive, is_traced
from xform.core.stage import stage
from xform.lax.dimensions import dimensions
from xform.lax.lanes import lanewise
from xform.lax.operands import operand
from xform.numpy.axes import highest, lowest
from xform.ops import arithmetic, logic
from xform.ops import reduce as reductions
from xform.ops.select import select
from xform.ops.stack import as_dtype
from xform.ops.structure import broadcast_to, reduce_sum


class Monoid(NamedTuple):
    """An associative primitive: its reduction over axes, and its identity e, with e o x = x, in a dtype."""

    reduction: Callable[..., Any]
    identity: Callable[[np.dtype], Any]


def ones(dtype: np.dtype) -> Any:
    """All bits set."""
    return np.True_ if dtype.kind == "b" else dtype.type(~dtype.type(0))


def by(ufunc: np.ufunc) -> Callable[..., Any]:
    """The reduction of a ufunc that is no primitive of its own."""
    return lambda x, axes: ufunc.reduce(x, axis=axes)


#: booleans have their own: their sums are no longer booleans to lax
MONOIDS: dict[Primitive, Monoid] = {
    arithmetic.add: Monoid(reduce_sum, lambda dtype: dtype.type(0)),
    arithmetic.mul: Monoid(reductions.reduce_prod, lambda dtype: dtype.type(1)),
    arithmetic.maximum: Monoid(reductions.reduce_max, lowest),
    arithmetic.minimum: Monoid(reductions.reduce_min, highest),
    logic.bitwise_and: Monoid(by(np.bitwise_and), ones),
    logic.bitwise_or: Monoid(by(np.bitwise_or), lambda dtype: dtype.type(0)),
    logic.bitwise_xor: Monoid(by(np.bitwise_xor), lambda dtype: dtype.type(0)),
    logic.logical_and: Monoid(reductions.reduce_and, lambda dtype: np.True_),
    logic.logical_or: Monoid(reductions.reduce_or, lambda dtype: np.False_),
    logic.logical_xor: Monoid(reductions.reduce_xor, lambda dtype: np.False_),
}


class Folded(NamedTuple):
    """What is folded: the arrays, of one shape, the initial values, the tree of both, and the computation."""

    arrays: list[Any]
    initial: list[Any]
    structure: Any
    program: Jaxpr
    prim: Primitive | None  # the program in one word, if it is associative

    @property
    def shape(self) -> tuple[int, ...]:
        return self.arrays[0].shape

    @property
    def starts_neutral(self) -> bool:
        """Is the initial value the identity, and a constant, so that it need not be combined?"""
        return self.prim is not None and not is_traced(*self.initial) and self.initial[0] == self.neutral

    @property
    def neutral(self) -> Any:
        """The identity of the primitive."""
        return MONOIDS[self.prim].identity(self.arrays[0].dtype) if self.prim else None

    def combine(self, xs: list[Any], ys: list[Any]) -> list[Any]:
        """x o y, entry by entry."""
        if self.prim is not None:
            return [self.prim(xs[0], ys[0])]
        return lanewise(lambda *entries: evaluate(self.program, *entries), "the computation")([*xs, *ys])

    def combine_first(self, xs: list[Any], ys: list[Any]) -> list[Any]:
        """x o y, where of equal extremes the first has the whole derivative, as lax has it for windows."""
        if self.prim not in (arithmetic.maximum, arithmetic.minimum) or not is_traced(xs[0], ys[0]):
            return self.combine(xs, ys)
        (x,), (y,) = xs, ys
        wins = x >= y if self.prim is arithmetic.maximum else x <= y
        return [select(wins if x.dtype.kind in "biu" else wins | np.isnan(x), x, y)]

    def after_initial(self, ys: list[Any]) -> list[Any]:
        """initial o y."""
        return ys if self.starts_neutral else self.combine(self.filled(ys[0].shape), ys)

    def filled(self, shape: tuple[int, ...]) -> list[Any]:
        """The initial values in each entry of arrays of a shape."""
        return [broadcast_to(v, shape) for v in self.initial]


def read_folded(name: str, operands: Any, init_values: Any, computation: Callable[..., Any]) -> Folded:
    """The arguments of a fold; ValueError or TypeError where trees, shapes or dtypes do not fit."""
    leaves, structure = tree.flatten(operands)
    starts, start_structure = tree.flatten(init_values)
    if structure != start_structure or not leaves:
        raise ValueError(
            f"{name}: operands of the structure {structure} and initial values of the structure {start_structure} were "
            "given; wanted the same for both, with an array in it at least"
        )
    arrays, initial = [operand(name, x) for x in leaves], [operand(name, v) for v in starts]
    shapes = [x.shape for x in arrays]
    if any(s != shapes[0] for s in shapes):
        raise ValueError(f"{name}: operands of shapes {shapes} were given; wanted arrays of one shape")
    if any(v.shape for v in initial):
        raise ValueError(f"{name}: initial values of shapes {[v.shape for v in initial]} were given; wanted numbers")
    dtypes = [
        np.result_type(x.dtype, v if type(v) in (bool, int, float, complex) else i.dtype)
        for x, v, i in zip(arrays, starts, initial, strict=True)
    ]
    arrays = [as_dtype(x, t) for x, t in zip(arrays, dtypes, strict=True)]
    initial = [as_dtype(v, t) for v, t in zip(initial, dtypes, strict=True)]
    program = staged(name, computation, structure, [Aval((), t) for t in dtypes])
    return Folded(arrays, initial, structure, program, one_primitive(program, dtypes))


def staged(name: str, computation: Callable[..., Any], structure: Any, avals: Sequence[Aval]) -> Jaxpr:
    """The computation as a program; TypeError unless it returns what it takes."""
    what = f"{name} by {describe(computation)}"

    def flat(*numbers: Any) -> list[Any]:
        a, b = numbers[: len(avals)], numbers[len(avals) :]
        leaves, found = tree.flatten(computation(tree.unflatten(structure, a), tree.unflatten(structure, b)))
        if found != structure:
            raise TypeError(f"{what}: the computation returned the structure {found}; wanted {structure}, as it takes")
        return leaves

    program = stage(flat, [*avals, *avals], what)
    found = [aval_of(y) if not hasattr(y, "aval") else y.aval for y in program.outputs]
    for wanted, given in zip(avals, found, strict=True):
        if given != wanted:
            raise TypeError(f"{what}: the computation of two {wanted} returned {given}; wanted {wanted} again")
    return program


def one_primitive(program: Jaxpr, dtypes: Sequence[np.dtype]) -> Primitive | None:
    """The associative primitive of its two numbers that a program consists of, if it does."""
    if len(dtypes) != 1 or len(program.eqns) != 1 or program.outputs != program.eqns[0].outputs:
        return None
    eqn = program.eqns[0]
    if eqn.prim not in MONOIDS or eqn.inputs not in (program.inputs, program.inputs[::-1]):
        return None
    return None if dtypes[0].kind == "b" and eqn.prim in (arithmetic.add, arithmetic.mul) else eqn.prim


def folded_axes(name: str, axes: Any, rank: int) -> tuple[int, ...]:
    """The axes to fold over, ascending."""
    return tuple(sorted(dimensions(name, "dimensions", axes, rank)))
