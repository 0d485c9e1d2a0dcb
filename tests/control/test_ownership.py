"""Who owns which memory: loops write in place only into arrays that nobody else holds, and keep nothing unasked."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose

import xform
from tests.control.test_edges import eager, staged, ways
from xform import jacfwd, jvp, lax, linearize, make_jaxpr, vjp, vmap

Function = Callable[..., Any]


def halving(steps: int) -> Function:
    return lambda x: lax.while_loop(lambda c: c[1] < steps, lambda c: (c[0] * 0.5 + 1.0, c[1] + 1), (x, 0))[0]


def pushed(f: Function) -> Function:
    return lambda x: jvp(f, (x,), (x,))


@ways
@pytest.mark.parametrize("transform", [eager, vmap, pushed])
def test_a_loop_without_reverse_mode_keeps_nothing(way, transform):
    f, x = way(transform(halving(2000))), np.ones(100)
    x = np.ones((2, 100)) if transform is vmap else x
    if transform is eager:
        f = way(lambda x: np.sum(halving(2000)(x)))
    tracemalloc.start()
    f(x)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 400_000  # the states of all steps are 1.6 MB


def put(kind: str) -> Function:
    if kind == "lax":
        return lambda v, i, x: lax.dynamic_update_index_in_dim(v, x, i, 0)
    return lambda v, i, x: xform.numpy.at(v)[i].set(x)


#: a small carry, and one that a loop writes into in place
cells = pytest.mark.parametrize("size", [3, 5000])
puts = pytest.mark.parametrize("put", [put("lax"), put("at")], ids=["lax", "at"])


@cells
@puts
@pytest.mark.parametrize("writeable", [True, False])
def test_a_loop_does_not_write_into_what_it_is_given(size, put, writeable):
    def f(x):
        return lax.fori_loop(0, 20, lambda i, v: put(v, i % size, 1.0 * i), x)

    x = np.zeros(size)
    x.flags.writeable = writeable
    program = make_jaxpr(f)(x)

    def of_batch(x):
        return vmap(f)(x[None])

    def of_product(x):
        return jacfwd(lambda t: f(x * t))(1.0)

    results = [f(x), program(x)[0], program(x)[0], of_batch(x), of_product(x), staged(of_batch)(x), vjp(f, x)[0]]
    for k, y in enumerate(results):
        assert y.flags.writeable
        assert not any(np.shares_memory(y, other) for other in [x, *results[:k]])
    assert not x.any()


@cells
@puts
@ways
def test_a_loop_does_not_write_into_views_nor_captured_arrays(size, put, way):
    wide, captured = np.zeros((size, 2)), np.zeros(size)

    def f(x):
        return lax.fori_loop(0, 20, lambda i, v: put(v, i % size, 1.0), x)

    assert way(f)(wide[:, 0]).sum() == min(size, 20)
    assert not wide.any()
    g = make_jaxpr(lambda t: lax.fori_loop(0, 20, lambda i, v: put(v, i % size, t), captured))(1.0)
    first, second = g(1.0)[0], g(2.0)[0]
    assert (first.max(), second.max(), captured.max()) == (1.0, 2.0, 0.0)


@cells
@puts
@ways
def test_one_array_twice_in_a_carry(size, put, way):
    def f(x):
        return lax.fori_loop(0, 20, lambda i, vw: (put(vw[0], i % size, 1.0), vw[1]), (x, x))

    x = np.zeros(size)
    a, b = way(f)(x)
    assert (a.max(), b.max(), x.max()) == (1.0, 0.0, 0.0)


@cells
@puts
@ways
def test_carries_swapped_and_written(size, put, way):
    def f(v, w):
        return lax.fori_loop(0, 21, lambda i, vw: (vw[1], put(vw[0], i % size, vw[0][i % size] + 1.0)), (v, w))

    v, w = np.zeros(size), np.ones(size)
    a, b = way(f)(v, w)
    assert (v.max(), w.max()) == (0.0, 1.0)
    for i in range(21):
        v, w = w, v + (np.arange(size) == i % size)
    assert_allclose(a, v)
    assert_allclose(b, w)
    assert not np.shares_memory(a, b)


@cells
@puts
@ways
def test_the_history_of_a_carry_that_is_written(size, put, way):
    x = np.zeros(size)
    last, history = way(lambda x: lax.scan(lambda v, i: (put(v, i, 1.0), v), x, np.arange(3)))(x)
    assert history.sum(axis=1).tolist() == [0.0, 1.0, 2.0]
    assert (last.sum(), x.sum()) == (3.0, 0.0)


@cells
@puts
def test_a_carry_that_the_user_keeps(size, put):
    kept: list[Any] = []

    def body(i: Any, v: Any) -> Any:
        kept.append(v)
        return put(v, i % size, 1.0)

    lax.fori_loop(0, 10, body, np.zeros(size))
    assert [v.sum() for v in kept] == [min(k, size) for k in range(10)]


@cells
@puts
@ways
def test_a_branch_that_writes(size, put, way):
    def f(p, x):
        return lax.cond(p > 0.0, lambda x: put(x, 0, 9.0), lambda x: x, x)

    x = np.zeros(size)
    assert way(f)(1.0, x)[0] == 9.0
    assert not way(f)(-1.0, x).any()
    assert not x.any()


@cells
@puts
def test_a_pullback_is_used_twice(size, put):
    def f(x):
        return lax.fori_loop(0, 20, lambda i, v: put(v, i % size, v[i % size] * 2.0), x)

    bar, x = np.ones(size), np.ones(size)
    pullback, pushforward = vjp(f, x)[1], linearize(f, x)[1]
    for linear in (lambda b: pullback(b)[0], pushforward):
        first = linear(bar).copy()
        again = linear(bar)
        assert_allclose(first, again)
        assert not np.shares_memory(again, bar)
        assert bar.tolist() == [1.0] * size
