"""Conditions that differ from example to example of a batch: each stops on its own, and meets only what is its own.

The bodies below have errors in wait for an example that goes where it should not: nan, division by zero, overflow, an
index out of range. Everything runs with NumPy's warnings as errors, eagerly, as a program, and in reverse mode.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import xform
from tests.numeric import assert_close
from xform import grad, lax, make_jaxpr, vmap

Function = Callable[..., Any]


@pytest.fixture(autouse=True)
def every_warning_is_an_error():
    with np.errstate(all="raise"):
        yield


def eager(f: Function) -> Function:
    return f


def staged(f: Function) -> Function:
    return lambda x: make_jaxpr(f)(x)(x)[0]


#: where the program is written: nowhere, around the batch, in each example
WAYS = {
    "eager": lambda wrap, f: wrap(f),
    "staged": lambda wrap, f: staged(wrap(f)),
    "staged_inside": lambda wrap, f: wrap(staged(f)),
    "checkpoint": lambda wrap, f: wrap(xform.checkpoint(f)),
}
#: a batch of values, and of derivatives in both orders, one example of which is ...
WRAPS: dict[str, tuple[Function, Function]] = {
    "value": (vmap, lambda f: f),
    "vmap_grad": (lambda f: vmap(grad(f)), grad),
    "grad_vmap": (lambda f: grad(lambda x: np.sum(vmap(f)(x))), grad),
    "vmap_jvp": (lambda f: vmap(lambda x: xform.jvp(f, (x,), (1.0,))[1]), grad),
    "vmap_hessian": (lambda f: vmap(xform.jacfwd(grad(f))), lambda f: grad(grad(f))),
}

TABLE = np.array([0.5, 2.0, 3.0])


def safe_root(x):
    return lax.cond(x > 0.0, lambda x: np.sqrt(x) + np.log(x), lambda x: np.exp(-x) / (x - 0.5), x)


def by_cases(x):
    """Poles at 0, 1 and 2, each in a branch that is not taken there."""
    k = lax.cond(x < 0.5, lambda: 0, lambda: lax.cond(x < 1.5, lambda: 1, lambda: 2))
    poles = [lambda x: x / (x - 1.0) / (x - 2.0), lambda x: x / (x * (x - 2.0)), lambda x: np.log(x - 1.0) / (x * x)]
    return lax.switch(k, poles, x) * x


def read_in_range(x):
    """A place that only some of the examples have."""
    k = lax.cond(x > 2.0, lambda: 7, lambda: 1)
    return lax.cond(x > 2.0, lambda: x, lambda: xform.numpy.take(TABLE, k) * x)


def until_the_end_of_a_table(x):
    """A step too many would read TABLE[3], another would divide by zero."""
    body = lambda c: (c[0] + 1, c[1] * xform.numpy.take(TABLE, c[0]) / (3.0 - c[0]))  # noqa: E731
    return lax.while_loop(lambda c: (c[0] < 3) & (c[1] < 2.0), body, (0, x))[1]


def countdown(x):
    """One step too many takes the logarithm of zero or less."""
    body = lambda c: (c[0] - 1.0, c[1] + np.log(c[0]) * x)  # noqa: E731
    return lax.while_loop(lambda c: c[0] > 0.25, body, (x, x * x))[1]


def squarings(x):
    """A few steps too many overflow."""
    return lax.while_loop(lambda v: v < 1e3, lambda v: v * v * v, 1.5 + x * x)


def dynamic_range(x):
    n = lax.cond(x > 1.0, lambda: 3, lambda: 1)
    return lax.fori_loop(0, n, lambda i, v: v * xform.numpy.take(TABLE, i) / np.sqrt(n - i + 0.0 * v), x)


def branch_in_a_loop(x):
    body = lambda v: lax.cond(v > 1.0, np.sqrt, lambda v: 1.0 / (1.0 - v), v) + 0.1 * x  # noqa: E731
    return lax.scan(lambda v, _: (body(v), None), 0.5 * x, length=3)[0]


def loop_in_a_branch(x):
    return lax.cond(x > 0.6, squarings, np.sin, x)


def loop_in_a_loop(x):
    """The outer one runs on some examples as long as the inner one ends low."""
    inner = lambda v: lax.while_loop(lambda v: v < 1.0, lambda v: v * (1.5 + 0.1 * x), v)  # noqa: E731
    body = lambda c: (inner(c[0]) * 0.4 + 0.2 / c[1], c[1] - 1.0)  # noqa: E731
    return lax.while_loop(lambda c: c[1] > 0.5, body, (x, 1.0 + x))[0]


def with_snapshots(x):
    body = lambda c: (c[0] - 1.0, c[1] + np.log(c[0]) * x)  # noqa: E731
    return lax.while_loop(lambda c: c[0] > 0.25, body, (x, x * x), checkpoint=1)[1]


def closures(x):
    """Functions of nothing but what they close over, which is computed where they run, and only if they do."""
    root = lax.cond(x > 0.0, lambda: np.sqrt(x), lambda: x)
    body = lambda c: (c[0] + 1.0, c[1] / (3.5 - c[0] - x) + np.log(x - c[0] + 0.0))  # noqa: E731
    return lax.while_loop(lambda c: c[0] < x - 0.25, body, (0.0 * x, root))[1]


PROGRAMS: dict[Function, np.ndarray] = {
    safe_root: np.array([2.0, -1.0, 0.5 - 1e-3, -3.0]),
    by_cases: np.array([0.0, 1.0, 2.0, 0.25]),
    read_in_range: np.array([1.0, 3.0, 2.5]),
    until_the_end_of_a_table: np.array([0.1, 1.5, 2.5, 3.9]),
    countdown: np.array([0.1, 3.6, 1.3]),
    squarings: np.array([0.2, 4.0, 40.0]),
    dynamic_range: np.array([0.5, 2.0, 1.5]),
    branch_in_a_loop: np.array([0.3, 2.5, 1.4]),
    loop_in_a_branch: np.array([0.3, 2.5, 0.7]),
    loop_in_a_loop: np.array([0.4, 2.3, 1.2]),
    with_snapshots: np.array([0.1, 3.6, 1.3]),
    closures: np.array([-2.0, 0.2, 1.1, 1.75]),
}


@pytest.mark.parametrize("f", PROGRAMS, ids=lambda f: f.__name__)
@pytest.mark.parametrize("wrap", WRAPS)
@pytest.mark.parametrize("way", WAYS)
def test_each_example_goes_its_own_way(way, wrap, f):
    xs, (wrapped, single) = PROGRAMS[f], WRAPS[wrap]
    got = WAYS[way](wrapped, f)(xs)
    assert_close(got, np.stack([single(f)(x) for x in xs]), 1e-11)
    for k in range(len(xs)):  # a lone example
        assert_close(WAYS[way](wrapped, f)(xs[k : k + 1]), got[k : k + 1], 1e-11)


@pytest.mark.parametrize("f", PROGRAMS, ids=lambda f: f.__name__)
@pytest.mark.parametrize("wrap", WRAPS)
@pytest.mark.parametrize("way", WAYS)
def test_a_batch_of_no_examples(way, wrap, f):
    got = WAYS[way](WRAPS[wrap][0], f)(np.zeros(0))
    assert got.shape == (0,)
    assert got.dtype == np.float64


@pytest.mark.parametrize("f", PROGRAMS, ids=lambda f: f.__name__)
@pytest.mark.parametrize("wrap", WRAPS)
@pytest.mark.parametrize("way", WAYS)
def test_a_batch_of_batches(way, wrap, f):
    """The examples of one batch are spread over two axes, one of them mapped further out."""
    xs, wrapped = PROGRAMS[f], WRAPS[wrap][0]
    grid = np.stack([xs, xs[::-1]])
    flat = np.stack([wrapped(f)(row) for row in grid])
    outer = lambda g: vmap(wrapped(g)) if "grad_vmap" not in wrap else grad(lambda x: np.sum(vmap(vmap(g))(x)))  # noqa: E731
    assert_close(WAYS[way](outer, f)(grid), flat, 1e-11)


def calls(program: Function, xs: np.ndarray) -> list[int]:
    """How many examples each evaluation of the body sees, eagerly."""
    seen: list[int] = []
    vmap(lambda x: program(x, lambda v: xform.pure_callback(note(seen), v, v, vmap_method="expand_dims")))(xs)
    return seen


def note(seen: list[int]) -> Function:
    def f(v: np.ndarray) -> np.ndarray:
        seen.append(int(np.size(v)))
        return v

    return f


def test_a_loop_runs_on_those_examples_that_go_on():
    halving = lambda x, look: lax.while_loop(lambda v: v > 1.0, lambda v: look(v) * 0.5, x)  # noqa: E731
    assert calls(halving, np.array([0.5, 8.0, 2.0, 4.0])) == [3, 2, 1]


def test_a_branch_runs_on_its_own_examples():
    f = lambda x, look: lax.cond(x > 0.0, look, lambda x: x, x)  # noqa: E731
    assert calls(f, np.array([1.0, -1.0, 2.0, -3.0])) == [2]
    assert calls(f, np.array([-1.0, -2.0])) == []


def test_what_a_function_closes_over_is_used_where_it_runs():
    """A program does not do in advance what belongs to a branch, a loop body or a checkpointed function."""

    def branch(x):
        return lax.cond(x > 0.0, lambda: np.sqrt(x) * 2.0, lambda: x)

    def body(x):
        return lax.while_loop(lambda v: v < x, lambda v: v + np.log(x), 0.0)

    def again(x):
        return xform.checkpoint(lambda: np.sin(np.tan(x)))()

    def never(x):
        return lax.scan(lambda c, _: (c / x, None), 1.0, length=0)[0]

    for f, prims in {branch: "gt select cond", body: "while", again: "checkpoint", never: "scan"}.items():
        eqns = make_jaxpr(f)(2.0).eqns
        assert {e.prim.name for e in eqns} <= {*prims.split(), "greater", "convert"}, f.__name__
    assert make_jaxpr(branch)(-1.0)(-1.0) == [-1.0]
    assert make_jaxpr(body)(-1.0)(-1.0) == [0.0]
    assert make_jaxpr(never)(0.0)(0.0) == [1.0]
    residuals = xform.vjp(again, 1.0)[1]
    assert_close(residuals(1.0)[0], np.cos(np.tan(1.0)) / np.cos(1.0) ** 2, 1e-14)
