"""Single numbers: where Python's arithmetic raises or differs, the compiled program gives what NumPy gives."""

from __future__ import annotations

import itertools
import warnings
from typing import Any

import numpy as np
import pytest

import xform
from tests.compile.test_numpy_backend import agrees, same
from xform import make_jaxpr
from xform.compile.source import build
from xform.compile.source.scalars import COMPARISONS, FLOATS, INTEGERS, LOGIC, PREDICATES
from xform.core.aval import Aval
from xform.core.jaxpr import evaluate
from xform.core.primitive import Primitive
from xform.core.stage import stage
from xform.lax import cond, fori_loop, scan, switch, while_loop

EXTREMES = [0.0, 1.0, 0.5, 2.5, 1e-300, 5e-324, 1e200, 1.7e308, 710.0, 3.0, np.inf, np.nan]
POINTS = [np.float64(s * x) for x in EXTREMES for s in (1.0, -1.0)]
WHOLE = [np.int64(n) for n in (0, 1, -1, 2, -3, 7, 2**40, -(2**62), 2**63 - 1, -(2**63))]
TRUTH = [np.False_, np.True_]


def arity(prim: Any) -> int:
    return len(prim.partials)


def program(name: str, dtype: Any, count: int | None = None) -> Any:
    prim = Primitive.registry[name]
    return stage(lambda *xs: [prim(*xs)], [Aval((), dtype)] * (count or arity(prim)))


def check_all(jaxpr: Any, points: list[Any]) -> None:
    built = build(jaxpr)
    assert "rules." not in built.source
    for args in itertools.product(points, repeat=len(jaxpr.inputs)):
        with np.errstate(all="ignore"):
            (y,), (wanted,) = built(*args), evaluate(jaxpr, *args)
        assert type(y) is type(wanted)
        same(y, wanted)


@pytest.mark.parametrize("name", sorted(FLOATS.keys() - {"real"}))
def test_floats(name):
    check_all(program(name, np.float64), POINTS)


@pytest.mark.parametrize("name", sorted(PREDICATES) + sorted(COMPARISONS))
def test_predicates(name):
    check_all(program(name, np.float64), POINTS)


@pytest.mark.parametrize("name", sorted(INTEGERS.keys() | COMPARISONS.keys()))
def test_integers(name):
    check_all(program(name, np.int64), WHOLE)


@pytest.mark.parametrize("name", sorted(LOGIC))
def test_logic(name):
    check_all(program(name, np.bool_), TRUTH)


@pytest.mark.parametrize("before", [np.float64, np.int64, np.bool_])
@pytest.mark.parametrize("after", [np.float64, np.int64, np.bool_])
def test_conversions(before, after):
    prim = Primitive.registry["convert"]
    jaxpr = stage(lambda x: [prim(x, dtype=np.dtype(after))], [Aval((), before)])
    check_all(jaxpr, {np.float64: POINTS, np.int64: WHOLE, np.bool_: TRUTH}[before])


@pytest.mark.parametrize("exponent", [0, 1, 2, 3, -1, -2, 0.5, 2.0, -0.5, 1.0, np.inf])
def test_powers_by_numbers(exponent):
    check_all(make_jaxpr(lambda x: x**exponent)(0.5), POINTS)


@pytest.mark.parametrize(
    "f",
    [
        lambda x: 1 / x,
        lambda x: x / 0.0,
        lambda x: x % 2,
        lambda x: x // 0.25,
        lambda x: np.where(x > 0, x, 1),
        lambda x: np.where(x == 0, 1.0, x) * True,
        lambda x: -x - -1.5,
        lambda x: np.maximum(x, -0.0) * np.nan,
        lambda x: np.minimum(np.inf, x),
        lambda x: np.clip(x, -1.0, 1.0),
        lambda x: np.cos(x) + np.array([1, 2, 3], np.int8),
        lambda x: (x * 2.0) * np.array([1, 2, 3], np.float32),
        lambda x: (x + 1.0) * np.array([1 + 2j], np.complex64),
        lambda x: (x > 0) + np.array([1, 2, 3], np.int8),
        lambda x: (x > 0) * np.float32(2.0) + x.astype(np.float32),
        lambda x: np.stack([x, x + 1.0]),
        lambda x: (x + 1.0) ** np.array([0.5, 2.0]),
    ],
)
def test_expressions(f):
    for x in POINTS:
        with np.errstate(all="ignore"):
            agrees(make_jaxpr(f)(x), x)


@pytest.mark.parametrize(
    "f",
    [
        lambda n: n + 2**62,
        lambda n: n * 3 - 1,
        lambda n: n * 0.5,
        lambda n: n / 3,
        lambda n: n < 1.5,
        lambda n: n == 2.0**63,
        lambda n: n // 7 + n % 7,
        lambda n: abs(n % -5),
        lambda n: np.where(n > 0, n, -n),
        lambda n: n.astype(np.float64) + n,
        lambda n: n**2,
        lambda n: n + np.arange(3, dtype=np.int8),
        lambda n: (n % 3) * np.arange(3, dtype=np.float32),
        lambda n: fori_loop(0, 5, lambda i, c: c * 1_000_003 + i, n),
        lambda n: while_loop(lambda c: c[1] < 4, lambda c: (c[0] + 1, c[1] + 1), (n, 0)),
        lambda n: while_loop(lambda c: c[1] < 4, lambda c: (c[0] + 2**62, c[1] + 1), (n, 0)),
        lambda n: fori_loop(2**63 - 5, 2**63 - 1, lambda i, c: c + i % 3, n),
    ],
)
def test_expressions_of_integers(f):
    for n in WHOLE:
        with np.errstate(all="ignore"):
            agrees(make_jaxpr(f)(n), n)


def test_numpy_warns_where_it_computes():
    """What is left to NumPy warns as in the eager program."""
    built = build(make_jaxpr(lambda x: np.log(x) / x)(1.0))
    with pytest.warns(RuntimeWarning, match="divide by zero"):
        assert built(np.float64(0.0)) == [-np.inf]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        built(np.float64(0.5))
        with pytest.raises(RuntimeWarning, match="divide by zero"):
            built(np.float64(0.0))


def test_arguments_of_shape_zero_are_arrays_or_scalars():
    built = build(make_jaxpr(lambda x, n: (np.sin(x) * n, x))(0.5, 2))
    for kind in (np.asarray, lambda x: np.asarray(x)[()]):
        y, x = built(kind(0.5), kind(2))
        assert type(y) is np.float64
        assert (y, x) == (np.sin(0.5) * 2, 0.5)


def reads(x: Any, k: Any) -> Any:
    return x[k] + x[-1]


@pytest.mark.parametrize("k", [0, 2, -3, 3, -4, 2**62])
def test_reads_and_writes_in_and_out_of_range(k):
    x = np.array([1.0, 2.0, 3.0])
    matrix = np.arange(6.0).reshape(3, 2)
    for f, a in (
        (reads, x),
        (reads, matrix),
        (lambda x, k: x[k, 1], matrix),
        (lambda x, k: xform.numpy.entries.at(x)[k].set(5.0), x),
        (lambda x, k: xform.numpy.entries.at(x)[k].add(x[0]), matrix),
    ):
        jaxpr = make_jaxpr(f)(a, np.int64(k % 3))
        k = np.int64(k)
        y, wanted = outcome(build(jaxpr), a, k), outcome(lambda *xs, j=jaxpr: evaluate(j, *xs), a, k)
        assert type(y) is type(wanted)
        if isinstance(y, str):
            assert y == wanted
        else:
            same(y, wanted)


def outcome(f: Any, *args: Any) -> Any:
    """The value, or the error's message."""
    try:
        return f(*args)[0]
    except IndexError as error:
        return str(error)


@pytest.mark.parametrize("k", [-5, 0, 1, 2, 3, 9, 2**62])
def test_indices_of_branches_are_clamped(k):
    f = lambda k, x: switch(k, [np.sin, np.cos, lambda x: x * 2.0, lambda x: 1.0], x)  # noqa: E731
    agrees(make_jaxpr(f)(np.int64(1), 0.5), np.int64(k), np.float64(0.5))


@pytest.mark.parametrize("count", [1, 2, 6, 7, 13, 500])
def test_many_branches(count):
    f = lambda k, x: switch(k, [lambda x, j=j: x + j for j in range(count)], x)  # noqa: E731
    built = build(make_jaxpr(f)(np.int64(1), 0.5))
    for k in (-1, 0, 1, 5, 6, count // 2, count - 2, count - 1, count):
        assert built(np.int64(k), np.float64(0.5)) == [0.5 + min(max(k, 0), count - 1)]


def test_a_pendulum_runs_on_python_numbers():
    def step(_, state):
        q, p = state
        return q + 0.01 * p, p - 0.01 * np.sin(q)

    jaxpr = make_jaxpr(lambda q: fori_loop(0, 100, step, (q, 0.0)))(0.5)
    source = build(jaxpr).source
    body = source[source.index("for ") : source.rindex("np.float64")]
    assert "np." not in body.replace("np.float64(", "", 1) or "np.sin" not in body
    agrees(jaxpr, np.float64(0.5))


def test_rows_of_numbers():
    f = lambda x, n: scan(lambda c, t: (c + t[0] * t[1], (c > 1.0, t[1], c)), 0.0, (x, n), reverse=True)  # noqa: E731
    args = np.linspace(0.0, 1.0, 5), np.arange(5)
    agrees(make_jaxpr(f)(*args), *args)
    agrees(make_jaxpr(f)(args[0][:0], args[1][:0]), args[0][:0], args[1][:0])


def test_branches_in_loops():
    f = lambda x: fori_loop(0, 20, lambda i, c: cond(c > 1.0, lambda c: c - i, lambda c: c * c + 0.3, c), x)  # noqa: E731
    agrees(make_jaxpr(f)(0.5), np.float64(0.5))
