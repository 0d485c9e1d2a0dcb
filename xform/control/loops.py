"""Loops on trees: `while_loop`, `fori_loop`, `scan` and `map`, with the signatures they have in `jax.lax`.

Where the values are known they are Python's own loops, and cost what these do. In a program that is being written
(`make_jaxpr`), and where lanes of a batch go different ways, a loop becomes one operation.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from xform.control.carry import LEAF, Carry
from xform.control.checkpoint import is_recorded, staged_once
from xform.control.programs import close, structured, writes
from xform.control.scan import row, scan_p, stacked
from xform.control.while_loop import while_p
from xform.core import tree
from xform.core.aval import aval_of
from xform.core.depth import deep
from xform.core.errors import XformError, describe
from xform.core.jaxpr import Jaxpr
from xform.core.stage import is_staging, strong
from xform.core.trace import concrete
from xform.core.tracebacks import public
from xform.ops.structure import concatenate, reshape, slice_
from xform.transforms.arguments import as_array, check_array
from xform.transforms.vmap import vmap


@public
def while_loop(
    cond_fun: Callable[[Any], Any], body_fun: Callable[[Any], Any], init_val: Any, *, checkpoint: int | None = None
) -> Any:
    """The value of `val` after `while cond_fun(val): val = body_fun(val)`.

    `val` is a tree of arrays whose structure, shapes and dtypes stay the same; `cond_fun` returns a boolean scalar. All
    transformations work, reverse mode among them, for any number of steps: what the derivative needs of each step is
    kept until the backward sweep. Under `vmap` each example stops on its own.

    With `checkpoint`, only so many states are kept for the backward sweep, which computes the others again from them:
    for n steps and s states each step at most t times, where n <= (s + t)! / (s! t!). So 10 000 steps with 140 states
    take two more evaluations, and with 14 states five.

    Raises TypeError if the condition is no boolean scalar or the carry changes its type.

    >>> import numpy as np, xform
    >>> def root(a):  # Newton's method
    ...     return while_loop(lambda x: abs(x * x - a) > 1e-12, lambda x: 0.5 * (x + a / x), a)
    >>> print(f"{root(2.0):.9f} {xform.grad(root)(2.0):.9f}")
    1.414213562 0.353553391
    """
    origin = f"while_loop of {describe(body_fun)}"
    describe(cond_fun)
    carry = Carry(origin, "the body", init_val)
    slots = checked_slots(origin, checkpoint)

    def programs() -> Any:
        cond, free = close(lambda *xs: [check_predicate(origin, cond_fun(carry.value(xs)))], carry.avals, origin)
        body, more = close(lambda *xs: carry.flat(body_fun(carry.value(xs))), carry.avals, origin)
        return cond, free, body, more

    found = in_place(lambda: carry.settled(programs), carry)
    if found is None and not is_staging() and (slots is None or not is_recorded()):
        finished, carry.leaves = carry.settled(lambda: run_while(carry, cond_fun, body_fun))
        if finished:
            return carry.value(carry.leaves)
    cond, free, body, more = found or carry.settled(programs)
    params = {"cond": cond, "body": body, "cond_consts": len(free), "consts": len(more), "record": False}
    with structured():
        return carry.value(while_p.bind(*free, *more, *carry.leaves, **params, slots=slots))


def checked_slots(origin: str, checkpoint: Any) -> int | None:
    """The number of states to keep."""
    if checkpoint is None:
        return None
    if isinstance(checkpoint, bool) or not isinstance(checkpoint, int | np.integer) or checkpoint < 1:
        raise ValueError(f"{origin}: checkpoint is {checkpoint!r}; wanted the number of states to keep, at least 1")
    return int(checkpoint)


def run_while(carry: Carry, cond_fun: Callable[[Any], Any], body_fun: Callable[[Any], Any]) -> tuple[bool, list[Any]]:
    """The loop in Python, as far as the condition is known: has it ended, and what is the carry?"""
    leaves = carry.leaves
    with deep():
        while go_on := concrete(check_predicate(carry.origin, cond_fun(carry.value(leaves)))):
            leaves = carry.flat(body_fun(carry.value(leaves)))
    return go_on is not None, leaves


def check_predicate(origin: str, pred: Any) -> Any:
    check_array(origin, lambda: "the result of the condition", pred)
    aval = aval_of(pred)
    if aval.shape or aval.dtype != bool:
        raise TypeError(
            f"{origin}: the condition must return a boolean scalar, but it returned {aval}; "
            "compare it with something, and reduce it with any() or all()"
        )
    return as_array(pred)


@public
def fori_loop(
    lower: Any,
    upper: Any,
    body_fun: Callable[[Any, Any], Any],
    init_val: Any,
    *,
    unroll: int | bool | None = None,
    checkpoint: int | None = None,
) -> Any:
    """The value of `val` after `for i in range(lower, upper): val = body_fun(i, val)`.

    `lower` and `upper` are integer scalars, known or traced, and `i` is an int64; `val` and
    `checkpoint` are as in `while_loop`. `unroll` is a hint for compilation that changes no value.

    >>> fori_loop(1, 6, lambda i, product: product * i, 1)
    np.int64(120)
    """
    origin = f"fori_loop of {describe(body_fun)}"
    for name, bound in (("lower", lower), ("upper", upper)):
        check_array(origin, lambda name=name: name, bound)
        aval = aval_of(bound)
        if aval.shape or aval.dtype.kind not in "iu":
            raise TypeError(f"{origin}: {name} must be an integer scalar, but it is {aval}")
    known = concrete(lower), concrete(upper)
    if known[0] is not None and known[1] is not None and (checkpoint is None or not is_recorded()):
        first, last = operator.index(known[0]), operator.index(known[1])
        carry = Carry(origin, "the body", init_val)
        if not is_staging() and (last - first < MANY or all(a.size < LARGE for a in carry.avals)):
            return run_for(carry, first, last, body_fun)

        def step(carry: Any, _: Any) -> Any:
            i, value = carry
            return (i + 1, body_fun(i, value)), None

        return scan(step, (np.int64(first), init_val), None, max(last - first, 0), unroll=unroll or 1)[0][1]
    bound = strong_int(upper)
    start = (strong_int(lower), bound, init_val)
    return while_loop(
        lambda c: c[0] < c[1], lambda c: (c[0] + 1, c[1], body_fun(c[0], c[2])), start, checkpoint=checkpoint
    )[2]


def strong_int(x: Any) -> Any:
    return np.int64(x) if isinstance(x, int) else x + np.int64(0)


def run_for(carry: Carry, first: int, last: int, body_fun: Callable[[Any, Any], Any]) -> Any:
    def run() -> Any:
        leaves = carry.leaves
        with deep():
            for i in range(first, last):
                leaves = carry.flat(body_fun(np.int64(i), carry.value(leaves)))
        return carry.value(leaves)

    return carry.settled(run)


@public
def scan(
    f: Callable[[Any, Any], tuple[Any, Any]],
    init: Any,
    xs: Any = None,
    length: int | None = None,
    reverse: bool = False,
    unroll: int | bool = 1,
    *,
    checkpoint: bool | int | Sequence[int] | None = None,
) -> tuple[Any, Any]:
    """Loop over the first axis of arrays, carrying a value along: `carry, y = f(carry, x)` for each x.

    `xs` is a tree of arrays whose first axes have one length; with `xs=None`, `length` says how many steps there are,
    and x is None. Returns `(carry, ys)`, the last carry and the tree of the stacked y; with `reverse` the steps are
    taken from last to first (ys[k] belongs to xs[k] all the same). The carry is a tree of arrays whose structure,
    shapes and dtypes stay the same. `unroll=True` writes the steps down one by one where a program is being written;
    other values are a hint for compilation. Neither changes a value.

    With `checkpoint=k` the steps are taken in k segments, of which only the first carry is kept for the backward sweep,
    which takes the steps of a segment once more: memory of about k carries and the residuals of n / k steps.
    `checkpoint=True` means the square root of n, and `(k1, k2, ...)` that the segments are taken in k2 segments each,
    and so on.

    Raises TypeError if `f` does not return a pair or the carry changes its type, ValueError if lengths disagree.

    >>> import numpy as np, xform
    >>> scan(lambda total, x: (total + x, total), 0.0, np.array([1.0, 2.0, 3.0]))
    (np.float64(6.0), array([0., 1., 3.]))
    >>> xform.grad(lambda x: scan(lambda c, _: (4 * c * (1 - c), None), x, length=3)[0])(0.3).round(6)
    np.float64(-13.946061)
    """
    origin = f"scan of {describe(f)}"
    carry = Carry(origin, "the function", init)
    rows, x_tree = tree.flatten(xs)
    steps = common_length(origin, xs, rows, length)
    rows = [as_array(x) for x in rows]
    if checkpoint is not None and checkpoint is not False and steps and is_recorded():
        counts = segment_counts(origin, checkpoint, steps)
        avals = [a.with_shape(a.shape[1:]) for a in [strong(aval_of(x)) for x in rows]]
        carry.settled(lambda: close(Step(origin, f, carry, x_tree), carry.avals + avals, origin))
        return scan_in_segments(f, carry.value(carry.leaves), xs, steps, reverse, counts)
    body = Step(origin, f, carry, x_tree)
    unrolled = unroll is True or 1 < unroll >= steps
    avals = [a.with_shape(a.shape[1:]) for a in [strong(aval_of(x)) for x in rows]]

    def program() -> tuple[Jaxpr, list[Any]]:
        return carry.settled(lambda: close(body, carry.avals + avals, origin))

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


def segment_counts(origin: str, checkpoint: Any, steps: int) -> tuple[int, ...]:
    """In how many segments to take the steps, the steps of a segment, ..."""
    if checkpoint is True:
        return (max(1, round(math.sqrt(steps))),)
    counts = tuple(checkpoint) if isinstance(checkpoint, tuple | list) else (checkpoint,)
    if not counts or not all(isinstance(k, int | np.integer) and not isinstance(k, bool) and k >= 1 for k in counts):
        raise ValueError(
            f"{origin}: checkpoint is {checkpoint!r}; wanted a number of segments, at least 1, a tuple of such "
            "numbers, or True"
        )
    return counts


def scan_in_segments(
    f: Callable[[Any, Any], tuple[Any, Any]], init: Any, xs: Any, steps: int, reverse: bool, counts: tuple[int, ...]
) -> tuple[Any, Any]:
    """A scan over segments, and what remains as a shorter segment at the end."""
    size = -(-steps // min(counts[0], steps))
    whole, rest = divmod(steps, size)

    def segment(length: int) -> Callable[[Any, Any], tuple[Any, Any]]:
        inner = counts[1:] if length > 1 else None
        return staged_once(lambda carry, part: scan(f, carry, part, length, reverse, checkpoint=inner or None))

    def blocks(x: Any) -> Any:
        return reshape(part_of(x, 0, whole * size), shape=(whole, size, *x.shape[1:]))

    def of_segments(carry: Any) -> tuple[Any, Any]:
        carry, ys = scan(segment(size), carry, tree.map(blocks, xs), whole, reverse)
        return carry, tree.map(lambda y: reshape(y, shape=(whole * size, *y.shape[2:])), ys)

    def of_rest(carry: Any) -> tuple[Any, Any]:
        return segment(rest)(carry, tree.map(lambda x: part_of(x, whole * size, steps), xs))

    if not rest:
        return of_segments(init)
    parts, carry = {}, init
    for run in (of_rest, of_segments) if reverse else (of_segments, of_rest):
        carry, parts[run] = run(carry)
    return carry, tree.map(lambda a, b: concatenate(a, b, axis=0), parts[of_segments], parts[of_rest])


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
        return leaves + ys

    def step(self, leaves: Any, xs: Any) -> tuple[list[Any], list[Any]]:
        x = xs[0] if self.x_tree is LEAF else tree.unflatten(self.x_tree, xs) if xs else self.no_x
        out = self.f(self.carry.value(leaves), x)
        if not isinstance(out, tuple | list) or len(out) != 2:
            raise TypeError(
                f"{self.origin}: the function must return a pair (carry, y), not {type(out).__name__} {out!r:.60}"
            )
        value, y = out
        if y is None and self.y_tree is NOTHING:
            return self.carry.flat(value), []
        ys, y_tree = tree.flatten(y)
        if self.y_tree is None:
            for k, leaf in enumerate(ys):
                check_array(self.origin, lambda k=k: f"y{tree.keystr(tree.leaves_with_path(y)[k][0])}", leaf)
        elif self.y_tree != y_tree:
            raise TypeError(f"{self.origin}: y had the structure {self.y_tree} in one step and {y_tree} in another")
        self.y_tree = NOTHING if y is None else y_tree
        return self.carry.flat(value), [as_array(leaf) for leaf in ys]

    def loop(self, rows: list[Any], order: range) -> tuple[list[Any], list[Any]]:
        """The loop in Python."""
        leaves, history, self.y_tree = self.carry.leaves, [], None
        with deep():
            for i in order:
                leaves, ys = self.step(leaves, [row(x, i) for x in rows])
                history.append(ys)
        if order.step < 0:
            history.reverse()
        return leaves, [self.stack(list(column)) for column in zip(*history, strict=True)]

    def stack(self, column: list[Any]) -> Any:
        aval = strong(aval_of(column[0]))
        for y in column:
            if y.shape != aval.shape or y.dtype != aval.dtype:
                raise TypeError(f"{self.origin}: y was {aval} in one step and {aval_of(y)} in another")
        return stacked(column, aval)


def common_length(origin: str, xs: Any, rows: list[Any], length: int | None) -> int:
    """The number of steps."""
    sizes = []
    for k, x in enumerate(rows):
        name = f"xs{tree.keystr(tree.leaves_with_path(xs)[k][0])}"
        check_array(origin, lambda name=name: name, x)
        if not aval_of(x).shape:
            raise ValueError(f"{origin}: {name} is a scalar; wanted an array to loop over the first axis of")
        sizes.append((name, aval_of(x).shape[0]))
    if length is not None:
        sizes.append(("length", operator.index(length)))
    if not sizes:
        raise ValueError(f"{origin}: xs has no arrays; give length, the number of steps")
    if len({size for _, size in sizes}) > 1:
        listing = "\n".join(f"  {name}: {size}" for name, size in sizes)
        raise ValueError(f"{origin}: the lengths of the first axes disagree; wanted one length, given\n{listing}")
    if sizes[0][1] < 0:
        raise ValueError(f"{origin}: length is {length}; wanted a number of steps")
    return sizes[0][1]


@public
def map(f: Callable[[Any], Any], xs: Any, *, batch_size: int | None = None) -> Any:
    """`f` of each entry along the first axis of the arrays of `xs`, one after the other, stacked.

    Like `vmap(f)(xs)`, but with the memory of one call at a time; with `batch_size`, of a batch of so many by `vmap`.

    >>> import numpy as np
    >>> map(lambda x: x * x, np.array([1.0, 2.0, 3.0]))
    array([1., 4., 9.])
    """
    if batch_size is None:
        return scan(lambda _, x: ((), f(x)), (), xs)[1]
    origin = f"map of {describe(f)}"
    size = operator.index(batch_size)
    if size < 1:
        raise ValueError(f"{origin}: batch_size is {batch_size}; wanted at least 1")
    rows, x_tree = tree.flatten(xs)
    count = common_length(origin, xs, rows, None)
    whole = count // size

    def blocks(x: Any) -> Any:
        return reshape(part_of(x, 0, whole * size), shape=(whole, size, *x.shape[1:]))

    outs = []
    if whole:
        ys = scan(lambda _, x: ((), vmap(f)(x)), (), tree.unflatten(x_tree, [blocks(x) for x in rows]))[1]
        outs.append(tree.map(lambda y: reshape(y, shape=(whole * size, *y.shape[2:])), ys))
    if count > whole * size or not whole:
        outs.append(vmap(f)(tree.unflatten(x_tree, [part_of(x, whole * size, count) for x in rows])))
    return outs[0] if len(outs) == 1 else tree.map(lambda *ys: concatenate(*ys, axis=0), *outs)
