"""What a program with loops consists of: what is computed where, what is kept of each step, what is done in place."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from time import perf_counter
from typing import Any

import numpy as np
import pytest

import xform
from tests.numeric import assert_close
from xform import grad, lax, make_jaxpr
from xform.core.check import check
from xform.core.jaxpr import Eqn, Jaxpr
from xform.core.trace import EvalTrace
from xform.numpy import at

MATRIX = np.array([[0.3, -0.2], [0.1, 0.4]])
TIMES = np.array([0.3, 0.1, 0.7])


def staged(f: Callable[..., Any], *args: Any) -> Jaxpr:
    jaxpr = make_jaxpr(f)(*args)
    check(jaxpr)
    return jaxpr


def named(jaxpr: Jaxpr, name: str) -> list[Eqn]:
    return [e for e in jaxpr.eqns if e.prim.name == name]


def everywhere(jaxpr: Jaxpr) -> Iterator[Eqn]:
    """All eqns, those of inner programs as well."""
    todo = [jaxpr]
    while todo:
        for eqn in todo.pop().eqns:
            yield eqn
            todo += eqn.jaxprs()


def names(jaxpr: Jaxpr) -> list[str]:
    return [e.prim.name for e in jaxpr.eqns]


def shapes(eqn: Eqn) -> list[tuple[int, ...]]:
    return [v.aval.shape for v in eqn.outputs]


# --- derivatives of scans ---


def test_one_loop_forward_and_one_backward():
    def f(x):
        return np.sum(lax.scan(lambda h, t: (np.tanh(MATRIX @ h + t), None), x, TIMES)[0])

    forward, backward = named(staged(grad(f), np.ones(2)), "scan")
    assert not forward.params["reverse"]
    assert backward.params["reverse"]
    # 1 - tanh^2 of each step is kept, and nothing else; the matrix is at hand
    assert shapes(forward) == [(2,), (3, 2)]
    assert shapes(backward) == [(2,)]
    assert "tanh" not in names(backward.params["body"])


def test_forward_mode_is_one_loop():
    f = lambda x: lax.scan(lambda h, t: (np.tanh(MATRIX @ h + t), h), x, TIMES)  # noqa: E731
    (loop,) = named(staged(lambda x, v: xform.jvp(f, (x,), (v,)), np.ones(2), np.ones(2)), "scan")
    assert [e.prim.name for e in loop.params["body"].eqns].count("tanh") == 1


def test_what_is_the_same_in_all_steps_is_not_stacked():
    """cos(theta) is computed once, before the loop, and so is what follows from it alone."""

    def f(theta):
        scale = theta * 2.0
        return lax.scan(lambda c, t: (c * np.sin(scale * scale) * t, None), 1.0, TIMES)[0]

    jaxpr = staged(grad(f), 0.5)
    forward, backward = named(jaxpr, "scan")
    assert shapes(forward) == [(), (3,)]  # the carry of each step alone
    assert "cos" in names(jaxpr)
    assert "cos" not in [*names(forward.params["body"]), *names(backward.params["body"])]


def test_residuals_of_constants_alone_are_computed_once():
    """The same where the body of the program computes them itself: a program that was written before."""
    body = make_jaxpr(lambda theta, c, t: c * np.sin(theta * theta) * t)(0.5, 1.0, 1.0)
    f = lambda theta: lax.while_loop(lambda c: c < 4.0, lambda c: body(theta, c, 1.5)[0], 1.0)  # noqa: E731
    jaxpr = staged(grad(f), 2.0)
    (forward,), (backward,) = named(jaxpr, "while"), named(jaxpr, "scan")
    assert shapes(forward) == [(), (), (None,)]
    assert "cos" in names(jaxpr)
    assert "cos" not in [*names(forward.params["body"]), *names(backward.params["body"])]


def test_an_x_of_the_step_and_an_output_of_it_are_not_kept_twice():
    """Of c -> c t with output c the residuals are t, which is among the xs, and c, which is put out."""
    f = lambda c, ts: lax.scan(lambda c, t: (c * t, c), c, ts)  # noqa: E731

    def g(c, ts):
        last, cs = f(c, ts)
        return last + np.sum(cs * cs)

    forward, backward = named(staged(grad(g, argnums=(0, 1)), 2.0, TIMES), "scan")
    assert shapes(forward) == [(), (3,)]
    assert backward.params["carry"] == 1
    assert set(backward.inputs) >= {forward.inputs[1], forward.outputs[1]}


def test_literals_and_equal_residuals_are_not_kept():
    """The factor 2 is written down; x enters the derivatives of both products, and is kept once."""
    f = lambda x: lax.fori_loop(0, 3, lambda i, v: v * v * 2.0, x)  # noqa: E731
    forward, _ = named(staged(grad(f), 0.5), "scan")
    assert len(forward.outputs) <= 2 + 2


def test_a_loop_that_nothing_varies_in_has_no_backward_sweep():
    f = lambda x: x * lax.scan(lambda c, t: (c + t, None), 0.0, TIMES)[0]  # noqa: E731
    assert len(named(staged(grad(f), 0.5), "scan")) <= 1


def test_branches_share_the_places_of_residuals():
    """Each of three branches keeps one array; there is one place for them."""
    branches = [np.sin, np.exp, lambda x: x * x * x]
    f = lambda k, x: np.sum(lax.switch(k, branches, x))  # noqa: E731
    forward, backward = named(staged(grad(f, argnums=1), 1, np.ones(4)), "cond")
    assert len(forward.outputs) <= 3
    assert shapes(backward) == [(4,)]


# --- indexed reads and writes ---

STEPS = 100


def reads(x, n=STEPS):
    return lax.fori_loop(0, n, lambda i, s: s + x[i] * x[i + 1], 0.0)


def reads_while(x, n=STEPS):
    body = lambda c: (c[0] + 1, c[1] + x[c[0]] * x[c[0]])  # noqa: E731
    return lax.while_loop(lambda c: c[0] < n, body, (0, 0.0))[1]


def writes(x, n=STEPS):
    return lax.fori_loop(0, n, lambda i, c: at(c)[i + 1].set(np.sin(c[i]) * x[i]), x * 1.0)[n]


def writes_while(x, n=STEPS):
    body = lambda c: (c[0] + 1, at(c[1])[c[0] + 1].set(np.sin(c[1][c[0]])))  # noqa: E731
    return lax.while_loop(lambda c: c[0] < n, body, (0, x * 1.0))[1][n]


def adds(x, n=STEPS):
    return lax.scan(lambda c, t: (at(c)[t].add(c[t + 1] * x[t]), None), x * 1.0, np.arange(n))[0][1]


def regions(x, n=STEPS):
    step = lambda i, c: lax.dynamic_update_slice(c, lax.dynamic_slice(c, (i,), (2,)) * 0.5, (i + 1,))  # noqa: E731
    return lax.fori_loop(0, n, step, x * 1.0)[n]


def test_a_read_adds_to_the_total_of_what_it_reads():
    """x_bar goes around the backward loop, and each read adds to one entry of it."""
    _, backward = named(staged(grad(reads), np.ones(STEPS + 1)), "scan")
    body = backward.params["body"]
    assert names(body).count("scatter_add") == 2
    assert not [e for e in body.eqns if e.prim.name != "scatter_add" and e.outputs[0].aval.shape]


@pytest.fixture
def made(monkeypatch):
    """The operations that return an array of at least 1000 entries; an update in place is none of them."""
    found: list[str] = []
    process = EvalTrace.process

    def watching(trace: EvalTrace, prim: Any, args: Any, params: Any) -> Any:
        outs = process(trace, prim, args, params)
        found.extend(prim.name for y in outs if np.size(y) >= 1000)
        return outs

    monkeypatch.setattr(EvalTrace, "process", watching)
    return found


@pytest.mark.parametrize("f", [reads, reads_while, writes, writes_while, adds, regions])
@pytest.mark.parametrize("transform", ["value", "grad", "jvp", "hvp"])
def test_a_step_costs_what_it_reads_and_writes(made, transform, f):
    """In a hundred steps on a large array a few large arrays are made on the whole; all else is done in place."""
    derivative = {"value": f, "grad": grad(f), "hvp": lambda x: xform.jvp(grad(f), (x,), (x,))[1]}
    run = derivative.get(transform, lambda x: xform.jvp(f, (x,), (x,))[1])
    x = np.linspace(0.2, 0.9, 5000)
    program = staged(run, x)
    made.clear()
    (got,) = program(x)
    assert len(made) < STEPS / 4, made
    assert_close(got, run(x), 1e-12)


def seconds(run: Callable[[], Any]) -> float:
    best = np.inf
    for _ in range(3):
        start = perf_counter()
        run()
        best = min(best, perf_counter() - start)
    return best


@pytest.mark.parametrize("f", [reads, reads_while, writes, adds])
def test_time_is_linear_in_the_size(f):
    """n steps on arrays of size n, and 4 n."""

    def of(n: int) -> float:
        x = np.full(n + 2, 0.5)
        program = staged(grad(lambda x: f(x, n)), x)
        return seconds(lambda: program(x))

    assert of(4000) < 8.0 * of(1000)


def test_an_array_of_the_caller_is_never_written():
    x = np.ones(STEPS + 2)
    program = staged(lambda x: lax.fori_loop(0, 3, lambda i, c: at(c)[i].set(5.0), x), x)
    once, twice = program(x)[0], program(x)[0]
    np.testing.assert_array_equal(x, np.ones(STEPS + 2))
    assert once is not twice
    np.testing.assert_array_equal(once, twice)


def test_a_carry_that_is_put_out_is_not_overwritten():
    step = lambda c, i: (at(c)[i].add(1.0), c)  # noqa: E731
    last, rows = staged(lambda x: lax.scan(step, x, np.arange(3)), np.zeros(3))(np.zeros(3))
    np.testing.assert_array_equal(rows, np.tril(np.ones((3, 3)), -1))
    np.testing.assert_array_equal(last, np.ones(3))
