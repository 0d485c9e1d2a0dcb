"""Samples of the operations that contain programs: branches, loops, and checkpointed calls with their linear parts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tests.samples.base import Sample, normal, sample, within
from xform.control.branches.cond import cond_p
from xform.control.checkpointing.checkpoint import checkpoint_p, recompute_p
from xform.control.checkpointing.policies import dots_saveable, everything_saveable, nothing_saveable
from xform.control.loops.scan import scan_p
from xform.control.loops.snapshots import loop_pullback_p, loop_tangent_p
from xform.control.loops.while_loop import while_p
from xform.control.loops.while_parameters import Loop
from xform.control.transformed import linearize_program
from xform.core.aval import aval_of
from xform.core.jaxpr import Jaxpr
from xform.core.stage import stage, strong
from xform.ops.identity import name

near = within(0.4, 0.9)
MATRIX = np.array([[0.3, -0.2], [0.1, 0.4]])


def program(f: Callable[..., Sequence[Any]], *examples: Any) -> Jaxpr:
    """The program of a function, for arguments like these."""
    return stage(f, [strong(aval_of(x)) for x in examples])


def branched(index: int, operands: Sequence[Any], *branches: Callable[..., Sequence[Any]]) -> Sample:
    return sample(cond_p, np.intp(index), *operands, branches=tuple(program(b, *operands) for b in branches))


def scanned(
    f: Callable[..., Sequence[Any]],
    consts: Sequence[Any],
    carry: Sequence[Any],
    xs: Sequence[Any],
    length: int | None = None,
    *,
    reverse: bool = False,
    count: int | None = None,
) -> Sample:
    """With a `count` the length of the scan is an operand."""
    body = program(f, *consts, *carry, *(x[0] if len(x) else np.zeros(x.shape[1:], x.dtype) for x in xs))
    params = {"body": body, "consts": len(consts), "carry": len(carry), "reverse": reverse}
    steps = [] if count is None else [np.intp(count)]
    size = None if count is not None else len(xs[0]) if xs else length
    return sample(scan_p, *steps, *consts, *carry, *xs, **params, length=size)


def looped(
    cond: Callable[..., Any],
    f: Callable[..., Sequence[Any]],
    cond_consts: Sequence[Any],
    consts: Sequence[Any],
    carry: Sequence[Any],
    slots: int | None = None,
) -> Sample:
    test = program(lambda *xs: [cond(*xs)], *cond_consts, *carry)
    body = program(f, *consts, *carry)
    loop = Loop(test, body, len(cond_consts), len(consts), record=False, slots=slots)
    return sample(while_p, *cond_consts, *consts, *carry, **loop._asdict())


# --- bodies ---


def squashed(w, h, t):
    """An Elman network: carry h, output h t."""
    h = np.tanh(MATRIX @ h + w * t)
    return [h, h * t]


def counting(x, k, h):
    """An integer carry by which an entry of a const is read."""
    return [k + 1, h * np.cos(x[k % 2]) + x[k % 2]]


def independent(h, t):
    """An output that is constant, one that is an input, and a carry that stays as it is."""
    return [h, np.float64(2.0), t, t * t]


def growing(c, v, n):
    return [v * 1.5 + np.sin(c) * 0.1, n + 1]


def below(bound, v, n):
    """False before 9 steps are taken."""
    return (np.sum(v * v) < bound) & (n < 9)


def mixed(a, z, single):
    return [z * (1.0 + 0.5j) + a, single * np.float32(0.5)]


BRANCHES = (
    lambda x, y: [np.sin(x) * y, x],
    lambda x, y: [x * 3.0, y * x],
    lambda x, y: [np.ones(2), x / y],
)

# --- the linear parts ---


def layered(w, x):
    return [np.tanh(MATRIX @ (w * x)) * x]


def recomputed(w: Any, x: Any) -> Sample:
    """The linear part of `layered`, with all that it needs computed again."""
    forward, linear, varying = linearize_program(program(layered, w, x), (True, True))
    residuals = Jaxpr(forward.inputs, forward.consts, forward.eqns, forward.outputs[len(varying) :])
    return sample(recompute_p, w, x, normal(), normal(2), recompute=residuals, linear=linear)


def of_loop(prim: Any, count: int, slots: int) -> Sample:
    """The linear part of `count` steps of a loop of two numbers, or its transpose, by states computed again."""
    c, v, n = near(), near(2), np.int64(0)
    body = program(lambda c, v, n: [np.sin(v) * c + v, n + 1], c, v, n)
    params = {"body": body, "consts": 1, "active": (True, True, False), "slots": slots, "snapshots": None}
    moving = [normal(), normal(2)] if prim is loop_tangent_p else [normal(2)]
    return sample(prim, np.intp(count), c, v, n, *moving, **params)


TIMES = near(3)

SAMPLES = [
    *(branched(k, (near(2), near(2)), *BRANCHES) for k in (0, 1, 2, -5, 7)),
    branched(1, (near(), near(), np.int64(3)), lambda x, y, n: [x, n], lambda x, y, n: [x * y * n, n + 1]),
    branched(0, (near(2, dtype=np.complex128),), lambda z: [z * z], lambda z: [np.conjugate(z)]),
    scanned(squashed, [near(2)], [near(2)], [TIMES]),
    scanned(squashed, [near(2)], [near(2)], [TIMES], reverse=True),
    scanned(squashed, [near(2)], [near(2)], [near(0)]),
    scanned(counting, [near(2)], [np.int64(0), near(2)], [], 3),
    scanned(independent, [], [near()], [TIMES]),
    scanned(lambda c, x: [np.sin(c) + x], [], [near(2)], [near(3, 2)], count=3),
    scanned(lambda c, x: [np.sin(c) + x], [], [near(2)], [near(3, 2)], count=3, reverse=True),
    scanned(mixed, [near()], [near(dtype=np.complex128), near(2, dtype=np.float32)], [], 2),
    looped(below, growing, [np.float64(9.0)], [near()], [near(2), np.int64(0)]),
    looped(below, growing, [np.float64(9.0)], [near()], [near(2), np.int64(0)], slots=1),
    looped(lambda v: v[0] > 5.0, lambda v: [v / 0.0], [], [], [near(2)]),
    looped(lambda z, n: n < 3, lambda z, n: [z * z, n + 1], [], [], [near(dtype=np.complex128), np.int64(1)]),
    *(
        sample(checkpoint_p, x, y, program=program(lambda x, y: [np.tanh(MATRIX @ x) * y, x], x, y), policy=policy)
        for policy in (nothing_saveable, everything_saveable, dots_saveable)
        for x, y in [(near(2), near())]
    ),
    recomputed(near(), near(2)),
    of_loop(loop_tangent_p, 3, 1),
    of_loop(loop_tangent_p, 0, 1),
    of_loop(loop_pullback_p, 3, 1),
    of_loop(loop_pullback_p, 4, 2),
    sample(name, normal(2, 3), name="x"),
    sample(name, normal(dtype=np.complex128), name="x"),
    sample(name, np.float32(0.5), name="x"),
]
