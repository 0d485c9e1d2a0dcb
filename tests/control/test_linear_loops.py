"""Loops and branches that are linear in their arguments are transposed, whatever else they compute on the way."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import xform
from tests.messages import says
from xform import NonlinearError, lax, linear_transpose, make_jaxpr, tree, vmap
from xform.control.programs import structured

Function = Callable[..., Any]

A = np.array([[0.1, 0.4, -0.3], [0.2, -0.5, 0.7], [0.6, 0.3, 0.2]])
X = np.array([0.3, -0.4, 0.5])


def scan_of_rows(x):
    return lax.scan(lambda c, t: (A @ c * t, c[0]), x, np.array([1.0, 2.0, 3.0]))


def scan_in_segments(x):
    return lax.scan(lambda c, t: (A @ c * t, c[0]), x, np.array([1.0, 2.0, 3.0]), checkpoint=2)


def backwards(x):
    return lax.scan(lambda c, t: (c + t, c), 0.0 * x[0], x, reverse=True)[1]


def while_counting(x):
    return lax.while_loop(lambda c: c[1] < 4, lambda c: (A @ c[0] + c[0], c[1] + 1), (x, 0))[0]


def while_with_snapshots(x):
    return lax.while_loop(lambda c: c[1] < 4, lambda c: (A @ c[0] + c[0], c[1] + 1), (x, 0), checkpoint=2)[0]


def maybe_replaced(x):
    """A step replaces the carry by what does not depend on it, but there may be no step."""
    y, _ = lax.while_loop(lambda c: c[1] > 3, lambda c: (np.ones(3), c[1] - 1), (2.0 * x, 2))
    return y, lax.scan(lambda c, _: (np.ones(3), None), 2.0 * x, length=0)[0]


def swapping(x):
    return lax.fori_loop(0, 4, lambda i, c: (c[1], A @ c[0] * i), (x, x))


def counter_as_factor(x):
    y, n = lax.while_loop(lambda c: c[1] < 3, lambda c: (A @ c[0], c[1] + 1), (x, 0))
    return y * n


def counter_as_index(x):
    n = lax.while_loop(lambda c: c[1] < 3, lambda c: (A @ c[0], c[1] + 1), (x, 0))[1]
    return x * xform.numpy.at(np.arange(1.0, 6.0))[n].get()


def time_as_factor(x):
    y, t = lax.scan(lambda c, _: ((A @ c[0] * c[1], c[1] + 0.5), None), (x, 0.5), length=3)[0]
    return y * t


def counter_of_a_loop_inside(x):
    def step(c, _):
        y, n = lax.while_loop(lambda d: d[1] < 3, lambda d: (A @ d[0], d[1] + 1), (c, 0))
        return y * n, n * y[0]

    return lax.scan(step, x, length=2)


def branch(x):
    return lax.switch(np.int64(1), [lambda y: y, lambda y: A @ y], x)


def branch_with_a_constant(x):
    y, n = lax.cond(True, lambda y: (A @ y, 3.0), lambda y: (y, 4.0), x)
    return y * n


def rows(x):
    return lax.map(lambda r: r @ x, A)


def checkpointed(x):
    y, n = xform.checkpoint(lambda y: (A @ y, np.float64(2.0)))(x)
    return y * n


def sums(x):
    return lax.associative_scan(np.add, x)


def lanes(x):
    return vmap(lambda a, n: lax.fori_loop(0, n, lambda i, c: c * 2.0, a))(x, np.array([0, 2, 5]))


LINEAR = [
    scan_of_rows, scan_in_segments, backwards, while_counting, while_with_snapshots, maybe_replaced, swapping,
    counter_as_factor, counter_as_index, time_as_factor, counter_of_a_loop_inside, branch, branch_with_a_constant,
    rows, checkpointed, sums, lanes,
]  # fmt: skip


def whole(f: Function) -> Function:
    """The loop is transposed as one operation."""
    program = make_jaxpr(f)(X)

    def g(x: Any) -> Any:
        with structured():
            return program(x)

    return g


def in_a_program(f: Function) -> Function:
    return lambda bars: make_jaxpr(lambda *bs: linear_transpose(flat(f), X)(list(bs))[0])(*bars)(*bars)[0]


def flat(f: Function) -> Function:
    return lambda x: tree.leaves(f(x))


TRANSPOSED = {
    "eager": lambda f: lambda bars: linear_transpose(flat(f), X)(bars)[0],
    "whole": lambda f: lambda bars: linear_transpose(whole(f), X)(bars)[0],
    "staged": in_a_program,
}


@pytest.mark.parametrize("way", TRANSPOSED)
@pytest.mark.parametrize("f", LINEAR)
def test_transpose(f, way):
    """<y_bar, f x> = <f^T y_bar, x>"""
    ys, rng = tree.leaves(f(X)), np.random.default_rng(0)
    bars = [rng.normal(size=np.shape(y)) for y in ys]
    x_bar = TRANSPOSED[way](f)(bars)
    np.testing.assert_allclose(np.sum(x_bar * X), sum(np.sum(b * y) for b, y in zip(bars, ys, strict=True)), rtol=1e-12)


def affine(x):
    return lax.scan(lambda c, _: (A @ c + 1.0, None), x, length=3)[0]


def time_added(x):
    y, t = lax.while_loop(lambda c: c[1] < 3.0, lambda c: (A @ c[0], c[1] + 1.0), (x, 0.0))
    return y + t


def quadratic(x):
    return lax.fori_loop(0, 2, lambda i, c: c * x, x)


@pytest.mark.parametrize("way", TRANSPOSED)
@pytest.mark.parametrize("f", [affine, time_added, quadratic])
def test_a_loop_that_is_not_linear(f, way):
    with says(NonlinearError, "linear"):
        TRANSPOSED[way](f)([np.ones(3)])


def test_a_result_that_is_only_counted():
    with says(NonlinearError, "does not depend on the arguments and is not zero"):
        linear_transpose(whole(counted), X)

    def counted_zero(x):
        return lax.while_loop(lambda c: c[1] < 0, lambda c: (A @ c[0], c[1] + 1), (x, 0))

    bars = [np.ones(3), np.zeros((), xform.float0)]
    assert linear_transpose(whole(counted_zero), X)(bars)[0].tolist() == [1.0, 1.0, 1.0]


def counted(x):
    return lax.while_loop(lambda c: c[1] < 4, lambda c: (A @ c[0], c[1] + 1), (x, 0))
