"""Donated arguments: results that are such an argument with other entries take its place; the numbers stay right."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest

import xform.numpy as xnp
from tests.numeric import assert_same
from xform import jit, lax, make_jaxpr, tree
from xform.compile.c.backend import rewrites

X, ROW = np.linspace(-1.0, 2.0, 60).reshape(20, 3), np.int64(4)


def set_row(x, i):
    return x.at[i].set(7.0)


def chain(x, i):
    return x.at[i].set(7.0).at[2:5, 1].multiply(2.0).at[[0, 0, 3]].add(xnp.ones(3))


def read_before(x, i):
    return x.at[i].set(np.sum(x)), np.sin(x[0])


def read_afterwards(x, i):
    y = x.at[i].set(7.0)
    return y, np.sum(x, axis=0), x * 2.0 + y


def with_a_view(x, i):
    return x.at[i].set(7.0), x[::2], x.T


def twice(x, i):
    return x.at[i].set(7.0), x.at[i].add(1.0)


def and_itself(x, i):
    return x.at[i].set(7.0), x


def of_itself(x, i):
    return x.at[:3].set(x[-3:] * x[:3])


def in_a_loop(x, i):
    return lax.fori_loop(0, 5, lambda k, y: y.at[k + i].add(np.sin(y[k])), x)


def after_a_loop(x, i):
    s = lax.fori_loop(0, 5, lambda k, s: s + x[k], xnp.zeros(3))
    return x.at[i].set(s), s


def under_a_condition(x, i):
    return lax.cond(i > 2, lambda x: x.at[i].set(7.0), lambda x: x, x)


PROGRAMS = [
    set_row, chain, read_before, read_afterwards, with_a_view, twice, and_itself, of_itself, in_a_loop, after_a_loop,
    under_a_condition,
]  # fmt: skip


@pytest.mark.parametrize("backend", ["c", "numpy"])
@pytest.mark.parametrize("f", PROGRAMS, ids=lambda f: f.__name__)
def test_numbers(f, backend):
    wanted = jit(f, backend=backend)(X, ROW)
    for order in "CF":
        given = np.array(X, order=order)
        found = jit(f, donate_argnums=0, backend=backend)(given, ROW)
        for y, z in zip(tree.leaves(found), tree.leaves(wanted), strict=True):
            assert_same(y, z, 1e-15)


@pytest.mark.parametrize("f", [set_row, chain, read_before, of_itself], ids=lambda f: f.__name__)
def test_the_result_takes_the_place_of_the_argument(f):
    x = X.copy()
    y = jit(f, donate_argnums=0, backend="c")(x, ROW)
    assert tree.leaves(y)[0] is x


@pytest.mark.parametrize("f, wanted", [(set_row, {0: 0}), (twice, {0: 0}), (and_itself, {}), (in_a_loop, {})])
def test_which_results_do(f, wanted):
    assert rewrites(make_jaxpr(f)(X, ROW), (True, False)) == wanted
    assert rewrites(make_jaxpr(f)(X, ROW), (False, True)) == {}


def test_what_cannot_be_overwritten_is_not():
    f = jit(set_row, donate_argnums=0, backend="c")
    whole = X.copy()
    frozen = X.copy()
    frozen.flags.writeable = False
    for x in (whole[:], frozen):
        assert f(x, ROW) is not x
        assert (x == X).all()


def test_a_write_needs_no_second_array():
    """Beside the result that is not made, of which NumPy asks for memory that nobody touches."""
    f = jit(lambda x, i: x.at[i].set(1.0), donate_argnums=0, backend="c")
    x = f(np.zeros(1_000_000), ROW)
    tracemalloc.start()
    try:
        for k in range(10):
            x = f(x, np.int64(k))
        assert tracemalloc.get_traced_memory()[0] < 1_000_000
    finally:
        tracemalloc.stop()
    assert x.sum() == 10


def test_an_error_on_the_way():
    f = jit(lambda x, i: x.at[i].set(1.0), donate_argnums=0, backend="c")
    with pytest.raises(IndexError):
        f(X.copy(), np.int64(20))
