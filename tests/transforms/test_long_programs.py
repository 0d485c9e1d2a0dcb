"""Programs of 100 000 operations, transformations nested deep, loops over indices: linear in time and memory."""

import sys
import tracemalloc
from time import perf_counter

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import xform
from xform.core.check import check

LONG = 100_000


def chain(x, n=LONG):
    for _ in range(n // 2):
        x = x * 1.00001 + 0.00001
    return x


SLOPE = 1.00001 ** (LONG // 2)


@pytest.mark.parametrize(
    "derivative",
    [
        xform.grad(chain),
        lambda x: xform.jvp(chain, (x,), (1.0,))[1],
        lambda x: xform.linearize(chain, x)[1](1.0),
        lambda x: xform.vjp(chain, x)[1](1.0)[0],
        xform.jacfwd(chain),
    ],
    ids=["grad", "jvp", "linearize", "vjp", "jacfwd"],
)
def test_derivatives_of_a_long_chain(derivative):
    assert_allclose(derivative(2.0), SLOPE, rtol=1e-9)


def test_staging_checking_evaluating_and_printing_a_long_chain():
    jaxpr = xform.make_jaxpr(chain)(2.0)
    assert len(jaxpr.eqns) == LONG
    check(jaxpr)
    assert_allclose(jaxpr(2.0)[0], chain(2.0), rtol=1e-12)
    text = str(jaxpr)
    assert text.count("\n") == LONG + 1
    assert text.endswith("}")


def test_the_gradient_of_a_long_jaxpr():
    jaxpr = xform.make_jaxpr(chain)(2.0)
    assert_allclose(xform.grad(lambda x: jaxpr(x)[0])(2.0), SLOPE, rtol=1e-9)


def test_the_recursion_limit_plays_no_part():
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(150 + depth())
    try:
        assert_allclose(xform.grad(lambda x: chain(x, 2000))(2.0), 1.00001**1000, rtol=1e-9)
        assert len(str(xform.make_jaxpr(lambda x: chain(x, 2000))(2.0))) > 2000
        assert_allclose(xform.jet(lambda x: chain(x, 2000), (2.0,), ((1.0, 0.0),))[1][0], 1.00001**1000, rtol=1e-9)
    finally:
        sys.setrecursionlimit(limit)


def depth():
    frame, n = sys._getframe(), 0
    while frame is not None:
        frame, n = frame.f_back, n + 1
    return n


def test_a_long_chain_of_nonlinear_operations():
    def f(x):
        for _ in range(10_000):
            x = np.sin(x) + 0.5 * x
        return x

    (y,), (slope,) = xform.jvp(lambda x: (f(x),), (0.5,), (1.0,))
    assert_allclose(xform.grad(f)(0.5), slope, rtol=1e-10)
    assert abs(y - f(0.5)) == 0.0


# --- growth ---


def seconds(run, n):
    best = np.inf
    for _ in range(3):
        start = perf_counter()
        run(n)
        best = min(best, perf_counter() - start)
    return best


def reads(n):
    """The gradient of a loop that reads x[0], x[1], ..."""

    def f(x):
        total = 0.0
        for i in range(n):
            total = total + x[i] * x[i]
        return total

    x = np.ones(n)
    assert_array_equal(xform.grad(f)(x), 2 * x)


def reads_in_second_derivatives(n):
    """The same inside another transformation, where no cotangent can be changed in place."""

    def f(x):
        total = 0.0
        for i in range(n):
            total = total + x[i] * x[i] * x[i]
        return total

    x = np.arange(1.0, n + 1.0)
    assert_array_equal(xform.jvp(xform.grad(f), (x,), (np.ones(n),))[1], 6 * x)
    assert_array_equal(xform.grad(lambda x: np.sum(xform.grad(f)(x)))(x), 6 * x)


def rows(n):
    def f(x):
        total = 0.0
        for i in range(n):
            total = total + np.sum(x[i, 1:] * 3.0)
        return total

    g = xform.grad(f)(np.ones((n, 20)))
    assert (g[:, 0] == 0.0).all()
    assert (g[:, 1:] == 3.0).all()


def fan(n):
    """One array used n times."""

    def f(x):
        total = 0.0
        for _ in range(n):
            total = total + x
        return np.sum(total)

    assert_array_equal(xform.grad(f)(np.ones(20)), np.full(20, float(n)))


def forward(n):
    xform.jvp(lambda x: chain(x, n), (1.0,), (1.0,))


def printed(n):
    str(xform.make_jaxpr(lambda x: chain(x, n))(1.0))


@pytest.mark.parametrize("run", [reads, reads_in_second_derivatives, rows, fan, forward, printed])
def test_time_is_linear(run):
    """Eight times the work takes about eight times as long: sixty-four would be quadratic."""
    run(50)
    ratio = min(seconds(run, 2400) / seconds(run, 300) for _ in range(3))
    assert ratio < 24, ratio


@pytest.mark.parametrize("run", [reads, fan, forward])
def test_memory_is_linear(run):
    def peak(n):
        tracemalloc.start()
        try:
            run(n)
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    run(50)
    assert peak(16_000) < 8 * peak(4000)


def test_residuals_are_released_on_the_way_back():
    """The sweep backward of n large intermediates needs few of them at a time beyond those that the tape holds."""
    n, size = 30, 100_000

    def f(x):
        for _ in range(n):
            x = np.sin(x)
        return np.sum(x)

    x = np.ones(size)
    xform.grad(f)(x)
    tracemalloc.start()
    try:
        xform.grad(f)(x)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < (n + 6) * size * 8


# --- depth ---


def test_gradients_nested_eight_deep():
    f = np.exp
    for _ in range(8):
        f = xform.grad(f)
    assert_allclose(f(0.5), np.exp(0.5), rtol=1e-12)


def test_forward_mode_nested_ten_deep():
    f = np.exp
    for _ in range(10):
        f = (lambda g: lambda x: xform.jvp(g, (x,), (1.0,))[1])(f)
    assert_allclose(f(0.5), np.exp(0.5), rtol=1e-12)


def test_vmap_nested_twenty_deep():
    f = np.sin
    for _ in range(20):
        f = xform.vmap(f)
    x = np.linspace(0, 1, 6).reshape((1,) * 17 + (3, 2, 1))
    assert_array_equal(f(x), np.sin(x))


def test_staging_nested_thirty_deep():
    f = np.sin
    for _ in range(30):
        f = (lambda g: lambda x: xform.make_jaxpr(g)(x)(x)[0])(f)
    assert f(0.5) == np.sin(0.5)


def test_a_tower_of_different_transformations():
    def f(x):
        return np.sum(np.sin(x) * x)

    for _ in range(2):
        inner = f
        f = lambda x, g=inner: np.sum(xform.vmap(lambda s: xform.jvp(g, (x * s,), (x,))[1])(x))  # noqa: E731
    g = xform.grad(f)(np.array([0.3, 0.5]))
    h = 1e-6
    for k in range(2):
        e = h * np.eye(2)[k]
        assert_allclose(g[k], (f(np.array([0.3, 0.5]) + e) - f(np.array([0.3, 0.5]) - e)) / (2 * h), rtol=1e-8)


def test_deep_trees():
    tree = x = np.float64(2.0)
    for _ in range(10_000):
        tree = [tree]
    g = xform.grad(lambda t: xform.tree.leaves(t)[0] ** 3)(tree)
    assert xform.tree.structure(g) == xform.tree.structure(tree)
    assert xform.tree.leaves(g) == [3 * x * x]
