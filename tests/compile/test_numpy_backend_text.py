"""The text that the NumPy backend writes: readable, of linear length, and economical with memory."""

from __future__ import annotations

import time
import tracemalloc
from typing import Any

import numpy as np
import pytest

import xform
from tests.compile.test_numpy_backend import agrees
from xform import checkpoint, grad, make_jaxpr
from xform.compile.source import build
from xform.compile.source.arrays import ARRAYS
from xform.compile.source.control import CONTROL
from xform.compile.source.memory import NEW
from xform.compile.source.scalars import COMPARISONS, FLOATS, INTEGERS, LOGIC, PREDICATES, SHAPELESS
from xform.core.aval import Aval
from xform.core.jaxpr import evaluate
from xform.core.primitive import Primitive
from xform.lax import cond, fori_loop, scan, while_loop

at = xform.numpy.entries.at


def test_text():
    source = build(make_jaxpr(lambda a, b: np.sum(np.sin(a * b)) ** 2)(np.ones(5000), np.ones(5000))).source
    assert source == (
        "def program(a, b):\n"
        "    c = a * b\n"
        "    d = np.sin(c, out=c)\n"
        "    del c\n"
        "    e = np.add.reduce(d, None)\n"
        "    del d\n"
        "    e_ = float(e)\n"
        "    f = e_ * e_\n"
        "    f_ = np.float64(f)\n"
        "    return [f_]\n"
    )


def test_text_of_a_loop():
    f = lambda x: while_loop(lambda x: abs(x * x - 2) > 1e-12, lambda x: 0.5 * (x + 2 / x), x)  # noqa: E731
    assert build(make_jaxpr(f)(1.0)).source.splitlines()[3:14] == [
        "    while True:",
        "        c = b * b",
        "        d = c - 2.0",
        "        e = abs(d)",
        "        f = e > 1e-12",
        "        if not f:",
        "            break",
        "        g = 2.0 / b if b else help.divide(2.0, b)",
        "        h = b + g",
        "        i = 0.5 * h",
        "        b = i",
    ]


def chain(x: Any, n: int) -> Any:
    for _ in range(n // 4):
        x = np.cos(np.sin(x) * 1.1 + 0.1)
    return x


@pytest.mark.parametrize("x", [np.float64(0.3), np.full(3, 0.3), np.full(3000, 0.3)], ids=lambda x: str(np.shape(x)))
def test_long_programs(x):
    """Time and text are linear in the length, and nothing recurs over it; Python's words are no names."""
    times, sizes = {}, {}
    for n in (1000, 20_000):
        jaxpr = make_jaxpr(lambda x, n=n: chain(x, n))(x)
        start = time.process_time()
        built = build(jaxpr)
        times[n], sizes[n] = time.process_time() - start, len(built.source)
        np.testing.assert_allclose(built(x)[0], evaluate(jaxpr, x)[0], rtol=1e-12)
    assert sizes[20_000] < 30 * sizes[1000]
    assert times[20_000] < 100 * times[1000]


def nested(x: Any, depth: int) -> Any:
    if not depth:
        return x * 1.01
    return fori_loop(0, 1, lambda i, c: nested(c + 0.1 * np.sin(c), depth - 1), x)


@pytest.mark.parametrize("x", [np.float64(0.3), np.full(3, 0.3)], ids=lambda x: str(np.shape(x)))
def test_deep_nests(x):
    """Python nests 20 loops; what is nested deeper is a function of its own."""
    agrees(make_jaxpr(lambda x: nested(x, 45))(x), x)


def test_programs_that_are_used_again_are_written_twice_at_most():
    f = lambda x: np.sin(x) * 1.1  # noqa: E731
    for _ in range(6):
        f = checkpoint(lambda x, f=f: f(f(x)))
    jaxpr = make_jaxpr(grad(f))(0.3)
    assert len(build(jaxpr).source) < 100_000
    agrees(jaxpr, np.float64(0.3))
    f = lambda x: x * 1.1  # noqa: E731
    for _ in range(10):
        f = lambda x, f=f: cond(x > 1.0, f, lambda x: f(x + 0.1), x)  # noqa: E731
    agrees(make_jaxpr(f)(0.3), np.float64(0.3))


def test_effects_are_kept_in_order():
    seen: list[Any] = []

    def see(k: Any, x: Any) -> None:
        xform.debug.callback(lambda k, x: seen.append((int(k), float(x))), k, x)

    def step(i: Any, c: Any) -> Any:
        see(i, c)
        return c + 1

    def f(x: Any) -> Any:
        see(0, x)
        y = fori_loop(0, 3, step, x)
        see(9, y)
        return y

    build(make_jaxpr(f)(0.5))(np.float64(0.5))
    assert seen == [(0, 0.5), (0, 0.5), (1, 1.5), (2, 2.5), (9, 3.5)]


def test_loops_write_in_place():
    """A step that writes one entry does not copy the array, and the argument stays as it is."""

    def f(x: Any, n: int) -> Any:
        return fori_loop(1, n, lambda i, c: at(c)[i].set(c[i - 1] * 0.5 + 1.0), x)

    x = np.ones(300_000)
    jaxpr = make_jaxpr(lambda x: f(x, 2000))(x)
    built = build(jaxpr)
    start = time.process_time()
    (y,) = built(x)
    assert time.process_time() - start < 0.1  # 2000 copies take ten times as long
    assert x[1] == 1.0
    np.testing.assert_array_equal(y[:4], [1.0, 1.5, 1.75, 1.875])


@pytest.mark.parametrize(
    "step",
    [
        lambda i, c: (at(c[0])[i % 3].set(9.0 + i), c[0]),
        lambda i, c: (c[1], at(c[0])[i % 3].add(1.0 + i)),
        lambda i, c: (at(c[0])[i % 3].set(c[1][0]), at(c[0])[(i + 1) % 3].set(2.0)),
        lambda i, c: (lambda d: (d, d))(at(c[0])[i % 3].set(9.0 + i)),
        lambda i, c: (at(at(c[0] * 2.0)[i % 3].set(1.0 + i))[0].add(c[1][1]), c[0][::-1]),
        lambda i, c: (fori_loop(0, 2, lambda j, d: at(d)[j].add(c[1][i % 3]), c[0]), c[1] + c[0]),
        lambda i, c: (cond(i > 1, lambda d: at(d)[0].set(7.0), lambda d: d, c[0]), c[0]),
    ],
)
def test_writes_do_not_show_elsewhere(step):
    x = np.array([1.0, 2.0, 3.0])
    agrees(make_jaxpr(lambda x: fori_loop(0, 5, step, (x, x)))(x), x)
    agrees(make_jaxpr(lambda x: scan(lambda c, i: (step(i, c), c), (x, x), np.arange(5)))(x), x)
    agrees(make_jaxpr(lambda x: (at(x)[0].set(2.0), at(x * 1.0)[0].set(3.0), x))(x), x)


def test_views_of_what_a_step_computed_go_around():
    """The memory behind a view that the next step reads is not written to meanwhile."""

    def step(c: Any, x: Any) -> Any:
        z = np.exp(1j * (c + x))
        w = np.sin(c) * 2.0
        return np.real(z), (w.reshape(1, 3)[0], np.imag(z * 2.0), w[::-1].T)

    x = np.array([[0.1, 0.2, 0.3], [0.4, 0.5, 0.6], [0.7, 0.8, 0.9]])
    agrees(make_jaxpr(lambda x: scan(step, x[0], x))(x), x)
    grad_of = grad(lambda x: np.sum(scan(step, x[0], x)[1][1]))
    agrees(make_jaxpr(grad_of)(x), x)
    loop = lambda x: while_loop(lambda c: c[0] < 3.0, lambda c: (c[0] + 1.0, step(c[1], c[1])[0]), (0.0, x))[1]  # noqa: E731
    agrees(make_jaxpr(grad(lambda x: np.sum(loop(x))))(x[0]), x[0])


def test_the_tables_name_primitives():
    """A row for a name that no primitive has would never be used."""
    tables = (FLOATS, INTEGERS, LOGIC, PREDICATES, COMPARISONS, SHAPELESS, ARRAYS, CONTROL, NEW)
    names = {name for table in tables for name in table}
    assert sorted(names - Primitive.registry.keys() - {"call", "jit"}) == []


def test_parameters_that_are_objects():
    """Their names are not those of values: here a number n and a parameter n."""

    class Scaled(Primitive):
        def abstract(self, x: Aval, **params: Any) -> list[Aval]:
            return [x]

        def numpy(self, x: Any, *, n: Any) -> list[Any]:
            return [x * n[0]]

    try:
        prim = Scaled("scaled for a test")
        f = lambda x: sum(prim(x * (k + 1.5), n=[k + 1]) for k in range(20))  # noqa: E731
        agrees(make_jaxpr(f)(0.5), np.float64(0.5))
    finally:
        Primitive.registry.pop("scaled for a test", None)


def test_memory():
    """Not more than the evaluation takes, and results leave nothing behind."""

    def f(x: Any) -> Any:
        for _ in range(20):
            x = np.tanh(x * 1.1 + 0.1) * np.cos(x)
        return x

    x = np.ones(200_000)
    for g in (f, grad(lambda x: np.sum(f(x))), lambda x: fori_loop(0, 5, lambda i, c: f(c) + np.sum(c), x)):
        jaxpr = make_jaxpr(g)(x)
        assert peak(build(jaxpr), x) <= 1.02 * peak(lambda x, j=jaxpr: evaluate(j, x), x) + 2 * x.nbytes


def peak(f: Any, x: Any) -> int:
    f(x)
    tracemalloc.start()
    f(x)
    found = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return found
