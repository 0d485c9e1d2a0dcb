"""Programs with control flow as operations, each beside its twin in Python's own control flow, and where to apply them.

The twins are run by `jvp` alone, so that they see numbers and may branch on them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from xform import vmap
from xform.lax import associative_scan, cond, fori_loop, map, scan, switch, while_loop
from xform.numpy.entries import at
from xform.ops.stack import stack
from xform.ops.structure import concatenate

W = np.array([[0.3, -0.2], [0.1, 0.4]])
TIMES = np.array([0.3, 0.1, 0.7])
X = np.array([0.7, -0.4])

#: program -> its twin, and the point
PROGRAMS: dict[Callable[..., Any], tuple[Callable[..., Any], Any]] = {}


def twin(program: Callable[..., Any], at: Any = X) -> Callable[..., Any]:
    """Says of a Python function that it computes the same as `program`."""

    def of(f: Callable[..., Any]) -> Callable[..., Any]:
        assert program.__name__ not in {p.__name__ for p in PROGRAMS}
        PROGRAMS[program] = f, at
        return f

    return of


def rows(values: list[Any]) -> Any:
    """The values as an array, traced ones among them."""
    return stack(*(v if hasattr(v, "shape") else np.asarray(v) for v in values), axis=0)


def same_as(program: Callable[..., Any], other: Callable[..., Any], at: Any = X) -> None:
    """Two programs with one twin."""
    twin(program, at)(PROGRAMS[other][0])


# --- branches ---


def branches(x):
    return cond(np.sum(x) > 0.4, lambda a: np.sin(a) * x[0], lambda a: np.sqrt(np.abs(a)) * a * x[1], x * 2.0)


@twin(branches)
def _(x):
    a = x * 2.0
    return np.sin(a) * x[0] if np.sum(x) > 0.4 else np.sqrt(np.abs(a)) * a * x[1]


def branches_of_trees(xs):
    """A number as predicate; a branch that returns constants, and one that forwards its operands."""
    same = lambda t: {"a": t["a"], "n": t["n"]}  # noqa: E731
    chosen = cond(xs["n"] - 3, same, lambda t: {"a": np.ones(2), "n": np.int64(7)}, xs)
    return chosen["a"] * xs["a"] + chosen["n"], cond(xs["a"][0] < 0.0, lambda: 1.5, lambda: 2.5)


@twin(branches_of_trees, {"a": X, "n": np.int64(2)})
def _(xs):
    chosen = xs if xs["n"] != 3 else {"a": np.ones(2), "n": 7}
    return chosen["a"] * xs["a"] + chosen["n"], np.float64(1.5 if xs["a"][0] < 0.0 else 2.5)


def switches(x):
    """The index is out of range in one of the lanes."""
    k = cond(x[0] > 0.5, lambda: 0, lambda: cond(x[0] < 0.0, lambda: -3, lambda: 9))
    return switch(k, [np.sin, np.cos, lambda a: a * a * a + x[1]], x)


@twin(switches)
def _(x):
    return np.sin(x) if x[0] > 0.5 or x[0] < 0.0 else x * x * x + x[1]


def roots_of_signs(x):
    """Each branch has a pole where the other is used: sqrt and log on their own sides only."""

    def one(a):
        return cond(a > 0.0, lambda a: np.sqrt(a) + np.log(a), lambda a: np.sqrt(-a) * a, a)

    return vmap(one)(x)


@twin(roots_of_signs)
def _(x):
    return rows([np.sqrt(a) + np.log(a) if a > 0.0 else np.sqrt(-a) * a for a in (x[0], x[1])])


# --- loops with a condition ---


def doubling(x):
    def body(c):
        v, n = c
        return v * 1.3 + 0.1 * np.sin(v) * x[0], n + 1

    return while_loop(lambda c: np.sum(c[0] * c[0]) < 20.0, body, (x, 0))


@twin(doubling)
def _(x):
    v, n = x, np.int64(0)
    while np.sum(v * v) < 20.0:
        v, n = v * 1.3 + 0.1 * np.sin(v) * x[0], n + 1
    return v, n


def doubling_with_snapshots(x):
    body = lambda c: (c[0] * 1.3 + 0.1 * np.sin(c[0]) * x[0], c[1] + 1)  # noqa: E731
    return while_loop(lambda c: np.sum(c[0] * c[0]) < 20.0, body, (x, 0), checkpoint=2)


same_as(doubling_with_snapshots, doubling)


def no_steps(x):
    v = while_loop(lambda v: np.sum(v) > 100.0, lambda v: v * np.log(-np.abs(v)), x * x)
    return v, while_loop(lambda c: c[0] < 0, lambda c: (c[0] + 1, c[1] / 0.0), (0, x), checkpoint=1)[1]


@twin(no_steps)
def _(x):
    return x * x, x


def counted(x):
    """Steps of a number known to the program."""
    return fori_loop(
        1, 4, lambda i, c: {"v": c["v"] * np.cos(c["v"]) + x * i, "sum": c["sum"] + x[0] * c["v"][1]}, init(x)
    )


def init(x):
    return {"v": x, "sum": 0.0}


@twin(counted)
def _(x):
    v, total = x, np.float64(0.0)
    for i in range(1, 4):
        v, total = v * np.cos(v) + x * i, total + x[0] * v[1]
    return {"v": v, "sum": total}


def counted_with_snapshots(x):
    step = lambda i, c: {"v": c["v"] * np.cos(c["v"]) + x * i, "sum": c["sum"] + x[0] * c["v"][1]}  # noqa: E731
    return fori_loop(1, 4, step, init(x), checkpoint=1)


same_as(counted_with_snapshots, counted)


def counted_by_data(x):
    n = cond(x[0] > 0.5, lambda: 5, lambda: 2)
    return fori_loop(0, n, lambda i, v: v * np.cos(v) + x * i, x)


@twin(counted_by_data)
def _(x):
    v = x
    for i in range(5 if x[0] > 0.5 else 2):
        v = v * np.cos(v) + x * i
    return v


def counted_by_data_with_snapshots(x):
    n = cond(x[0] > 0.5, lambda: 5, lambda: 2)
    return fori_loop(0, n, lambda i, v: v * np.cos(v) + x * i, x, checkpoint=2)


same_as(counted_by_data_with_snapshots, counted_by_data)


# --- scans ---


def recurrent(x):
    """Carry of floats and of an index by which it reads; closed-over values; a tree of xs."""
    w = x * 0.5

    def f(c, t):
        h, k = c
        h = np.tanh(W @ h + w * t["t"] + x[k] * t["k"])
        return (h, (k + 1) % 2), h * t["t"]

    (h, k), ys = scan(f, (x, 0), {"t": TIMES, "k": np.arange(3)})
    return h, k, ys


@twin(recurrent)
def _(x):
    h, ys, k = x, [], np.int64(0)
    for n, t in enumerate(TIMES):
        h = np.tanh(W @ h + x * 0.5 * t + x[int(k)] * n)
        ys.append(h * t)
        k = (k + 1) % 2
    return h, k, rows(ys)


def recurrent_in_segments(x):
    def f(c, t):
        h, k = c
        h = np.tanh(W @ h + x * 0.5 * t["t"] + x[k] * t["k"])
        return (h, (k + 1) % 2), h * t["t"]

    (h, k), ys = scan(f, (x, 0), {"t": TIMES, "k": np.arange(3)}, checkpoint=2)
    return h, k, ys


same_as(recurrent_in_segments, recurrent)


def logistic(x):
    """No xs; outputs that are constant, and that are the carry itself."""
    return scan(lambda c, _: (3.0 * c * (1.0 - c) + x * 0.1, (2.0, c)), x, length=3)


@twin(logistic)
def _(x):
    c, ys = x, []
    for _ in range(3):
        ys.append(c)
        c = 3.0 * c * (1.0 - c) + x * 0.1
    return c, (np.full(3, 2.0), rows(ys))


def backwards(x):
    xs = concatenate(x, x * 0.5, x, x[:1], axis=0)
    return scan(lambda c, t: (c * np.sin(t) + t * x[1], c * t), x[0], xs, reverse=True)


@twin(backwards)
def _(x):
    xs, c, ys = [x[0], x[1], x[0] * 0.5, x[1] * 0.5, x[0], x[1], x[0]], x[0], []
    for t in reversed(xs):
        ys.append(c * t)
        c = c * np.sin(t) + t * x[1]
    return c, rows(ys[::-1])


def backwards_in_nested_segments(x):
    xs = concatenate(x, x * 0.5, x, x[:1], axis=0)
    return scan(lambda c, t: (c * np.sin(t) + t * x[1], c * t), x[0], xs, reverse=True, checkpoint=(3, 2))


same_as(backwards_in_nested_segments, backwards)


def unrolled_backwards(x):
    xs = concatenate(x, x * 0.5, x, x[:1], axis=0)
    return scan(lambda c, t: (c * np.sin(t) + t * x[1], c * t), x[0], xs, reverse=True, unroll=True)


same_as(unrolled_backwards, backwards)


def scan_of_nothing(x):
    c, ys = scan(lambda c, t: (c * t[0], c / t), x[0], x[:0].reshape(0, 1), checkpoint=True)
    return c, ys, scan(lambda c, _: (c / 0.0, c), x, length=0)


@twin(scan_of_nothing)
def _(x):
    return x[0], np.zeros((0, 1)), (x, np.zeros((0, 2)))


def writes(x):
    """Entries of the carry are written and read at places that the loop computes."""

    def step(i, c):
        return at(at(c)[i].set(c[i - 1] * np.sin(c[i - 1]) + x[i % 2]))[0].multiply(0.9)

    return fori_loop(1, 4, step, concatenate(x, x, axis=0))


@twin(writes)
def _(x):
    c = [x[0], x[1], x[0], x[1]]
    for i in range(1, 4):
        c[i] = c[i - 1] * np.sin(c[i - 1]) + x[i % 2]
        c[0] = c[0] * 0.9
    return rows(c)


def maps(x):
    square = lambda t: {"y": t * t * x[0], "k": np.int64(3)}  # noqa: E731
    return map(square, x), map(lambda t: np.exp(t) * x, concatenate(x, x, x[:1], axis=0), batch_size=2)


@twin(maps)
def _(x):
    exps = [np.exp(x[k % 2]) * x for k in range(5)]
    return {"y": x * x * x[0], "k": np.array([3, 3])}, rows(exps)


def prefixes(x):
    """Products of 2x2 matrices: an operation that does not commute."""
    matrices = stack(*(W + np.sin(x) * k for k in range(1, 4)), axis=0)
    return associative_scan(np.matmul, matrices)


@twin(prefixes)
def _(x):
    factors = [W + np.sin(x) * k for k in range(1, 4)]
    return rows([factors[0], factors[0] @ factors[1], factors[0] @ factors[1] @ factors[2]])
