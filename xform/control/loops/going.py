"""Loops that go on while a condition holds: `while_loop` and `fori_loop`, with the signatures they have in `jax.lax`.

Where the values are known they are Python's own loops, and cost what these do. In a program that is being written
(`make_jaxpr`), and where lanes of a batch go different ways, a loop becomes one operation.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import numpy as np

from xform.control import requirements
from xform.control.checkpointing.checkpoint import is_recorded
from xform.control.loops.carry import Carry
from xform.control.loops.rows import LARGE, MANY, in_place, scan_
from xform.control.loops.while_loop import while_p
from xform.control.programs import close, structured
from xform.core.depth import deep
from xform.core.stage import WholeTrace, is_staging
from xform.core.trace import concrete
from xform.core.tracebacks import public


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
    requirements.function("while_loop", "cond_fun", cond_fun)
    origin = f"while_loop of {requirements.function('while_loop', 'body_fun', body_fun)}"
    return while_(origin, cond_fun, body_fun, init_val, requirements.slots(origin, checkpoint))


def while_(
    origin: str, cond_fun: Callable[[Any], Any], body_fun: Callable[[Any], Any], init_val: Any, slots: int | None
) -> Any:
    carry = Carry(origin, "the body", init_val)

    def programs() -> Any:
        cond, free = close(lambda *xs: [requirements.predicate(origin, cond_fun(carry.value(xs)))], carry.avals, origin)
        body, more = close(lambda *xs: carry.flat(body_fun(carry.value(xs))), carry.avals, origin, WholeTrace)
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


def run_while(carry: Carry, cond_fun: Callable[[Any], Any], body_fun: Callable[[Any], Any]) -> tuple[bool, list[Any]]:
    """The loop in Python, as far as the condition is known: has it ended, and what is the carry?"""
    leaves = carry.leaves
    with deep():
        while go_on := concrete(requirements.predicate(carry.origin, cond_fun(carry.value(leaves)))):
            leaves = carry.flat(body_fun(carry.value(leaves)))
    return go_on is not None, leaves


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

    `lower` and `upper` are integer scalars, known or traced; `i` has their dtype, int64 for Python's integers. `val`
    and `checkpoint` are as in `while_loop`. `unroll` is a hint for compilation that changes no value.

    Raises TypeError if a bound is no integer scalar or the carry changes its type.

    >>> fori_loop(1, 6, lambda i, product: product * i, 1)
    np.int64(120)
    """
    origin = f"fori_loop of {requirements.function('fori_loop', 'body_fun', body_fun)}"
    dtype = requirements.counter(origin, lower, upper)
    slots = requirements.slots(origin, checkpoint)
    requirements.check_unroll(origin, 1 if unroll is None else unroll)
    carry = Carry(origin, "the body", init_val)
    first, last = (None if x is None else operator.index(x) for x in (concrete(lower), concrete(upper)))
    if first is None or last is None or (slots is not None and is_recorded()):
        return carry.settled(lambda: count_up(carry, counted(lower, dtype), counted(upper, dtype), body_fun, slots))
    if not is_staging() and (last - first < MANY or all(a.size < LARGE for a in carry.avals)):
        return carry.settled(lambda: run_for(carry, range(first, last), dtype.type, body_fun))

    def step(state: Any, _: Any) -> Any:
        i, value = state
        return (i + 1, carry.value(carry.flat(body_fun(i, value)))), None

    def run() -> Any:
        start = dtype.type(first), carry.value(carry.leaves)
        return scan_(origin, step, start, None, max(last - first, 0), unroll=unroll or 1)[0][1]

    return carry.settled(run)


def count_up(carry: Carry, lower: Any, upper: Any, body_fun: Callable[[Any, Any], Any], slots: int | None) -> Any:
    """A while loop whose carry is the counter, its bound and the value."""

    def step(state: Any) -> Any:
        i, bound, value = state
        return i + 1, bound, carry.value(carry.flat(body_fun(i, value)))

    start = lower, upper, carry.value(carry.leaves)
    return while_(carry.origin, lambda state: state[0] < state[1], step, start, slots)[2]


def counted(bound: Any, dtype: np.dtype) -> Any:
    return dtype.type(bound) if isinstance(bound, int) else bound.astype(dtype)


def run_for(carry: Carry, counts: range, kind: type[np.integer], body_fun: Callable[[Any, Any], Any]) -> Any:
    leaves = carry.leaves
    with deep():
        for i in counts:
            leaves = carry.flat(body_fun(kind(i), carry.value(leaves)))
    return carry.value(leaves)
