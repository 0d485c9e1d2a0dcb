"""What checkpointing keeps and what it computes again, measured: memory by tracemalloc, evaluations by simulation."""

from __future__ import annotations

import math
import tracemalloc
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import xform
from tests.numeric import assert_close
from xform import grad, lax
from xform.control.loops.snapshots import Snapshots

SIZE = 4000  # numbers in a state: 32 kB


def step(v):
    return np.sin(v) * np.cos(v) + 0.1 * v


def scanned(n: int, checkpoint: Any) -> Callable[[Any], Any]:
    return lambda x: np.sum(lax.scan(lambda c, _: (step(c), None), x, length=n, checkpoint=checkpoint)[0])


def looped(n: int, checkpoint: Any) -> Callable[[Any], Any]:
    body = lambda c: (step(c[0]), c[1] + 1)  # noqa: E731
    return lambda x: np.sum(lax.while_loop(lambda c: c[1] < n, body, (x, 0), checkpoint=checkpoint)[0])


def counted(n: int, checkpoint: Any) -> Callable[[Any], Any]:
    return lambda x: np.sum(lax.fori_loop(0, n, lambda _, v: step(v), x, checkpoint=checkpoint))


def peak(f: Callable[[Any], Any], staged: bool) -> float:
    """Of the gradient, in states."""
    x = np.linspace(0.1, 0.9, SIZE)
    run = xform.make_jaxpr(grad(f))(x) if staged else grad(f)
    tracemalloc.start()
    try:
        run(x)
        return tracemalloc.get_traced_memory()[1] / x.nbytes
    finally:
        tracemalloc.stop()


def ratio(make: Callable[[int, Any], Any], checkpoint: Any, staged: bool, low: int = 64, high: int = 256) -> float:
    return peak(make(high, checkpoint), staged) / peak(make(low, checkpoint), staged)


BOTH = pytest.mark.parametrize("staged", [False, True], ids=["eager", "staged"])


@BOTH
@pytest.mark.parametrize("make", [scanned, looped, counted])
def test_without_checkpoints_memory_grows_with_the_steps(make, staged):
    assert 3.3 < ratio(make, None, staged) < 4.5


@BOTH
def test_segments_take_memory_like_the_square_root(staged):
    """4 n steps take twice as much as n."""
    assert ratio(scanned, True, staged) < 2.5


@BOTH
def test_nested_segments_take_memory_like_the_cube_root(staged):
    """Three levels, of 4 and of 8 segments: 8 n steps take twice as much as n."""
    growth = peak(scanned(512, (8, 8)), staged) / peak(scanned(64, (4, 4)), staged)
    assert growth < 2.5


@BOTH
@pytest.mark.parametrize("make", [looped, counted])
def test_a_number_of_snapshots_takes_constant_memory(make, staged):
    assert ratio(make, 4, staged) < 1.3
    assert peak(make(256, 4), staged) < 20


@BOTH
def test_a_checkpointed_chain_keeps_one_link_at_a_time(staged):
    def chain(n: int, wrap: Any) -> Callable[[Any], Any]:
        link = wrap(lambda v: step(step(step(step(v)))))

        def f(x: Any) -> Any:
            for _ in range(n):
                x = link(x)
            return np.sum(x)

        return f

    kept, again = (peak(chain(16, wrap), staged) for wrap in (lambda f: f, xform.checkpoint))
    assert again < 0.5 * kept


@pytest.mark.parametrize("make, checkpoint", [(scanned, True), (scanned, (3, 4)), (looped, 3), (counted, 2)])
def test_the_gradient_is_the_same(make, checkpoint):
    x = np.linspace(0.1, 0.9, 5)
    assert_close(grad(make(50, checkpoint))(x), grad(make(50, None))(x), 1e-14)


# --- how often a step is computed ---


def evaluations(n: int, checkpoint: int) -> int:
    """Of the body of a while loop, in a gradient: by the calls of an observer."""
    seen = 0

    def note(_: Any) -> None:
        nonlocal seen
        seen += 1

    def body(c):
        xform.debug.callback(note, c[0])
        return c[0] * 0.99, c[1] + 1

    grad(lambda x: lax.while_loop(lambda c: c[1] < n, body, (x, 0), checkpoint=checkpoint)[0])(0.5)
    return seen


def sweep(n: int, slots: int) -> tuple[list[int], int]:
    """How often each of n steps is computed again, forward and in the backward sweep, and the most states kept."""
    snapshots, again, most = Snapshots(slots, [0]), [0] * n, 0
    for k in range(1, n):
        snapshots.offer(k, [k])
        most = max(most, len(snapshots.kept))
    for k in reversed(range(n)):
        known = snapshots.latest(k)
        assert known.state == [known.step]
        for m in range(known.step, k):
            if m > known.step:
                snapshots.offer(m, [m])
                most = max(most, len(snapshots.kept))
            again[m] += 1
    return again, most


def sweeps_needed(n: int, slots: int) -> int:
    """The least t such that n <= (s + t)! / (s! t!)."""
    t = 0
    while math.comb(slots + t, t) < n:
        t += 1
    return t


@pytest.mark.parametrize("slots", [1, 2, 3, 5, 8])
@pytest.mark.parametrize("n", [1, 2, 3, 10, 37, 100, 165])
def test_no_step_is_computed_more_often_than_the_bound_says(n, slots):
    """Beside the first state `slots` others are kept; t from the docstring of the snapshots."""
    again, most = sweep(n, slots)
    assert most <= slots + 1
    assert max(again) <= sweeps_needed(n, slots)


@pytest.mark.parametrize("slots", [2, 4, 7])
@pytest.mark.parametrize("n", [10, 60, 150])
def test_the_total_of_computations_is_near_the_optimum(n, slots):
    """Griewank and Walther: with n known, t n - (s + t)! / ((s + 1)! (t - 1)!) steps are computed again.

    There s counts the first state as well. Placed online they take more: here by a fifth, and one more for each step.
    """
    s, t = slots + 1, sweeps_needed(n, slots + 1)
    optimum = t * n - math.comb(s + t, t - 1) if t else 0
    assert optimum <= sum(sweep(n, slots)[0]) + n
    assert sum(sweep(n, slots)[0]) <= 1.2 * optimum + n


@pytest.mark.parametrize("n, slots", [(30, 2), (100, 5), (8, 8)])
def test_the_loop_does_what_the_simulation_says(n, slots):
    """Forward n, again as simulated; and to take the derivative of a step it is computed, too, but for its result."""
    again = sum(sweep(n, slots)[0])
    assert n + again <= evaluations(n, slots) <= 2 * n + again
