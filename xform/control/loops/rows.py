"""Loops over the rows of arrays: `scan` and `map`, with the signatures they have in `jax.lax`.

Where the values are known they are Python's own loops, and cost what these do. In a program that is being written
(`make_jaxpr`) a loop becomes one operation.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import repeat
from typing import Any

from xform.control import requirements
from xform.control.checkpointing.checkpoint import is_recorded, staged_once
from xform.control.loops.carry import LEAF, Carry
from xform.control.loops.operands import row, stacked
from xform.control.loops.scan import scan_p
from xform.control.parts import writes
from xform.control.programs import close, structured
from xform.core import tree
from xform.core.aval import aval_of
from xform.core.depth import deep
from xform.core.errors import XformError
from xform.core.jaxpr import Jaxpr
from xform.core.stage import StageTrace, WholeTrace, is_staging, strong
from xform.core.trace import Tracer
from xform.core.tracebacks import public
from xform.ops.structure import concatenate, reshape, slice_
from xform.transforms.arguments import as_array
from xform.transforms.vmap import vmap


@public
def scan(
    f: Callable[[Any, Any], tuple[Any, Any]],
    init: Any,
    xs: Any = None,
    length: int | None = None,
    reverse: bool = False,
    unroll: int | bool = 1,
    _split_transpose: bool = False,
    *,
    checkpoint: bool | int | Sequence[int] | None = None,
) -> tuple[Any, Any]:
    """Loop over the first axis of arrays, carrying a value along: `carry, y = f(carry, x)` for each x.

    `xs` is a tree of arrays whose first axes have one length; with `xs=None`, `length` says how many steps there are,
    and x is None. Returns `(carry, ys)`, the last carry and the tree of the stacked y; with `reverse` the steps are
    taken from last to first (ys[k] belongs to xs[k] all the same). The carry is a tree of arrays whose structure,
    shapes and dtypes stay the same. `unroll=True` writes the steps down one by one where a program is being written;
    other values are a hint for compilation, as `_split_transpose` is in JAX. None of them changes a value.

    With `checkpoint=k` the steps are taken in k segments, of which only the first carry is kept for the backward sweep,
    which takes the steps of a segment once more: memory of about k carries and the residuals of n / k steps.
    `checkpoint=True` means the square root of n, and `(k1, k2, ...)` that the segments are taken in k2 segments each,
    and so on.

    Raises TypeError if `f` does not return a pair or the carry changes its type, ValueError if lengths disagree.

    >>> import numpy as np, xform
    >>> scan(lambda total, x: (total + x, total), 0.0, np.array([1.0, 2.0, 3.0]))
    (np.float64(6.0), array([0., 1., 3.]))
    >>> xform.grad(lambda x: scan(lambda c, _: (4 * c * (1 - c), None), x, length=3)[0])(0.3).round(6)
    np.float64(1.309082)
    """
    origin = f"scan of {requirements.function('scan', 'f', f)}"
    requirements.check_unroll(origin, unroll)
    return scan_(origin, f, init, xs, length, reverse, unroll, checkpoint)


def scan_(
    origin: str,
    f: Callable[[Any, Any], Any],
    init: Any,
    xs: Any,
    length: int | None,
    reverse: bool = False,
    unroll: int | bool = 1,
    checkpoint: Any = None,
) -> tuple[Any, Any]:
    carry = Carry(origin, "the function", init)
    rows, x_tree = tree.flatten(xs)
    steps = requirements.common_length(origin, xs, rows, length)
    counts = requirements.segments(origin, checkpoint, steps)
    rows = [as_array(x) for x in rows]
    if counts and steps and is_recorded():
        avals = [a.with_shape(a.shape[1:]) for a in [strong(aval_of(x)) for x in rows]]
        carry.settled(lambda: close(Step(origin, f, carry, x_tree), carry.avals + avals, origin, WholeTrace))
        return scan_in_segments(origin, f, carry.value(carry.leaves), xs, steps, reverse, counts)
    body = Step(origin, f, carry, x_tree)
    unrolled = unroll is True or 1 < unroll >= steps
    avals = [a.with_shape(a.shape[1:]) for a in [strong(aval_of(x)) for x in rows]]

    def program() -> tuple[Jaxpr, list[Any]]:
        return carry.settled(lambda: close(body, carry.avals + avals, origin, StageTrace if steps else WholeTrace))

    if not steps or (is_staging() and not unrolled):
        found = program()
    else:
        found = None if steps < MANY else in_place(program, carry)
    if found is None:
        order = range(steps - 1, -1, -1) if reverse else range(steps)
        leaves, ys = carry.settled(lambda: body.loop(rows, order))
    else:
        jaxpr, free = found
        params = {"consts": len(free), "carry": len(carry.leaves), "length": steps, "reverse": bool(reverse)}
        with structured():
            outs = scan_p.bind(*free, *carry.leaves, *rows, body=jaxpr, **params)
        leaves, ys = outs[: len(carry.leaves)], outs[len(carry.leaves) :]
    return carry.value(leaves), tree.unflatten(body.y_tree, ys)


#: where to look whether a loop writes into its carry: an array of so many entries, a loop of so many steps
LARGE, MANY = 4096, 16


def in_place(program: Callable[[], Any], carry: Carry) -> Any:
    """The program of a loop, if it writes into a large carry: run as a program the loop does so in place.

    Run by Python it would copy the carry in every step, since the user's function holds it. None if it does nothing of
    the kind, or must run by Python because it branches on values.
    """
    if is_staging() or all(a.size < LARGE for a in carry.avals):
        return None
    try:
        found = program()
    except XformError:
        return None
    return found if any(writes(j, LARGE) for j in found if isinstance(j, Jaxpr)) else None


def scan_in_segments(
    origin: str,
    f: Callable[[Any, Any], tuple[Any, Any]],
    init: Any,
    xs: Any,
    steps: int,
    reverse: bool,
    counts: tuple[int, ...],
) -> tuple[Any, Any]:
    """A scan over segments, and what remains as a shorter segment at the end."""
    size = -(-steps // min(counts[0], steps))
    whole, rest = divmod(steps, size)

    def segment(length: int) -> Callable[[Any, Any], tuple[Any, Any]]:
        inner = (counts[1:] if length > 1 else ()) or None
        return staged_once(lambda carry, part: scan_(origin, f, carry, part, length, reverse, checkpoint=inner))

    def blocks(x: Any) -> Any:
        return reshape(part_of(x, 0, whole * size), shape=(whole, size, *x.shape[1:]))

    def of_segments(carry: Any) -> tuple[Any, Any]:
        carry, ys = scan_(origin, segment(size), carry, tree.map(blocks, xs), whole, reverse)
        return carry, tree.map(lambda y: reshape(y, shape=(whole * size, *y.shape[2:])), ys)

    def of_rest(carry: Any) -> tuple[Any, Any]:
        return segment(rest)(carry, tree.map(lambda x: part_of(x, whole * size, steps), xs))

    if not rest:
        return of_segments(init)
    parts, carry = {}, init
    for run in (of_rest, of_segments) if reverse else (of_segments, of_rest):
        carry, parts[run] = run(carry)
    return carry, tree.map(lambda a, b: concatenate(a, b, axis=0), parts[of_segments], parts[of_rest])


def entries(x: Any, order: range) -> Iterator[Any]:
    """x[i] for i in order: all rows, from first to last or from last to first."""
    if isinstance(x, Tracer):
        return (row(x, i) for i in order)
    return iter(x if order.step > 0 else x[::-1])


def part_of(x: Any, first: int, last: int) -> Any:
    """x[first:last]"""
    x = as_array(x)
    return slice_(x, index=((first, last - first, 1), *((0, n, 1) for n in x.shape[1:])))


#: the structure of None, which most loops return for y
NOTHING = tree.structure(None)


class Step:
    """A function of carry and x as a function of leaves; it remembers the structure of y."""

    __slots__ = ("carry", "f", "no_x", "origin", "x_tree", "y_tree")

    def __init__(self, origin: str, f: Callable[[Any, Any], Any], carry: Carry, x_tree: Any) -> None:
        self.origin, self.f, self.carry, self.x_tree = origin, f, carry, x_tree
        self.y_tree: Any = None
        self.no_x = None if x_tree.num_leaves else tree.unflatten(x_tree, ())

    def __call__(self, *values: Any) -> list[Any]:
        n = len(self.carry.leaves)
        leaves, ys = self.step(values[:n], values[n:])
        return [*leaves, *ys]

    def step(self, leaves: Any, xs: Any) -> tuple[list[Any], Sequence[Any]]:
        x = xs[0] if self.x_tree is LEAF else tree.unflatten(self.x_tree, xs) if xs else self.no_x
        out = self.f(self.carry.value(leaves), x)
        if not (type(out) is tuple or isinstance(out, tuple | list)) or len(out) != 2:
            raise TypeError(
                f"{self.origin}: the function must return a pair (carry, y), but it returned "
                f"{requirements.shown(out)}; with nothing to stack, return carry, None"
            )
        value, y = out
        if y is None and self.y_tree is NOTHING:
            return self.carry.flat(value), ()
        ys, y_tree = tree.flatten(y)
        if self.y_tree is None:
            for k, leaf in enumerate(ys):
                requirements.number(self.origin, lambda k=k: f"y{requirements.at(y, k)}", leaf)
        elif self.y_tree != y_tree:
            before = tree.unflatten(self.y_tree, range(self.y_tree.num_leaves))
            raise TypeError(
                f"{self.origin}: y must have one structure in all steps, but "
                f"{requirements.unlike(before, y, 'one step returned', 'another')}"
            )
        self.y_tree = NOTHING if y is None else y_tree
        return self.carry.flat(value), [as_array(leaf) for leaf in ys]

    def loop(self, rows: list[Any], order: range) -> tuple[list[Any], list[Any]]:
        """The loop in Python."""
        leaves, columns, self.y_tree = self.carry.leaves, [], None
        with deep():
            for xs in zip(*(entries(x, order) for x in rows), strict=True) if rows else repeat((), len(order)):
                leaves, ys = self.step(leaves, xs)
                if ys:
                    columns = columns or [[] for _ in ys]
                    for column, y in zip(columns, ys, strict=True):
                        column.append(y)
        if order.step < 0:
            for column in columns:
                column.reverse()
        return leaves, [self.stack(k, column) for k, column in enumerate(columns)]

    def stack(self, k: int, column: list[Any]) -> Any:
        """Leaf k of y in all steps."""
        aval = strong(aval_of(column[0]))
        for y in column:
            if getattr(y, "shape", None) != aval.shape or y.dtype != aval.dtype:
                path = requirements.at(tree.unflatten(self.y_tree, range(self.y_tree.num_leaves)), k)
                raise TypeError(
                    f"{self.origin}: y must have one shape and dtype in all steps, but y{path} was {aval} in one step "
                    f"and {requirements.shown(y).removeprefix('an array ')} in another"
                )
        return stacked(column, aval)


@public
def map(f: Callable[[Any], Any], xs: Any, *, batch_size: int | None = None) -> Any:
    """`f` of each entry along the first axis of the arrays of `xs`, one after the other, stacked.

    Like `vmap(f)(xs)`, but with the memory of one call at a time; with `batch_size`, of a batch of so many by `vmap`.

    Raises TypeError or ValueError for what is no array and for lengths that disagree.

    >>> import numpy as np
    >>> map(lambda x: x * x, np.array([1.0, 2.0, 3.0]))
    array([1., 4., 9.])
    """
    origin = f"map of {requirements.function('map', 'f', f)}"
    rows, x_tree = tree.flatten(xs)
    count = requirements.common_length(origin, xs, rows)
    if batch_size is None:
        return scan_(origin, lambda _, x: ((), f(x)), (), xs, None)[1]
    size = requirements.integer(origin, "batch_size", batch_size, "give a plain number")
    if size < 1:
        raise ValueError(f"{origin}: batch_size is {batch_size}; wanted at least 1")
    whole = count // size

    def blocks(x: Any) -> Any:
        return reshape(part_of(x, 0, whole * size), shape=(whole, size, *x.shape[1:]))

    outs = []
    if whole:
        xs = tree.unflatten(x_tree, [blocks(x) for x in rows])
        ys = scan_(origin, lambda _, x: ((), vmap(f)(x)), (), xs, None)[1]
        outs.append(tree.map(lambda y: reshape(y, shape=(whole * size, *y.shape[2:])), ys))
    if count > whole * size or not whole:
        outs.append(vmap(f)(tree.unflatten(x_tree, [part_of(x, whole * size, count) for x in rows])))
    return outs[0] if len(outs) == 1 else tree.map(lambda *ys: concatenate(*ys, axis=0), *outs)
