"""Loops and branches at their edges: carries that swap, change in place, are large or small; lengths that are zero."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from xform.lax import cond, fori_loop, map, scan, switch, while_loop
from xform.numpy.entries import at

_rng = np.random.default_rng(6)


def normal(*shape: int) -> np.ndarray:
    return _rng.normal(size=shape) * 0.5


SMALL, LARGE, ROWS, MATRIX = normal(3), normal(50), normal(20, 3), normal(12, 12)


def row(array, i):
    """array[i], of a plain array at an index that is not known."""
    return at(array)[i].get()


def fibonacci(x):
    return fori_loop(0, 9, lambda _, c: (c[1], c[0] + c[1]), (x, x * 0.5))


def rotation(x):
    """Three carries that change places, one of them read as well."""
    return scan(lambda c, t: ((c[1], c[2], c[0] * t), c[0] + c[2]), (x, x * 2.0, x * 3.0), np.arange(7.0))


def same_in_two_carries(x):
    return fori_loop(0, 4, lambda i, c: (c[0] * 0.9 + c[1], c[0]), (x, x))


def carries_of_one_value(x):
    """Both become the same array, which goes on in both."""
    return fori_loop(0, 4, lambda i, c: (lambda y: (y, y, c[0]))(np.sin(c[0]) + c[2]), (x, x * 2.0, x))


def in_place(x):
    return fori_loop(1, 9, lambda i, y: at(y)[i].set(y[i - 1] * 0.5 + y[i]), x)


def in_place_and_kept(x):
    """The array before the write is wanted after it."""

    def step(i, c):
        y, _ = c
        return at(y)[i].set(np.sum(y) * 0.1), y

    return fori_loop(0, 5, step, (x, x * 0.0))


def in_place_and_read(x):
    def step(y, i):
        z = at(y)[i].multiply(2.0)
        return z, y[i] + z[i] + y[0]

    return scan(step, x, np.arange(9))


def in_place_of_an_input(x):
    """The argument is read again after the loop that starts from it."""
    return fori_loop(0, 3, lambda i, y: at(y)[i].add(1.0), x) * x


def two_in_place(x):
    def step(i, c):
        y, z = c
        return at(y)[i].set(z[i + 1]), at(z)[i].set(y[i])

    return fori_loop(0, 6, step, (x, x[::-1] * 2.0))


def written_rows(x):
    def step(i, m):
        return at(m)[i].set(m[i - 1] * 0.5 + x)

    return fori_loop(1, 6, step, np.zeros((8, x.shape[0])))


def triangular(x):
    """Forward substitution, a row at a time."""
    low = np.tril(MATRIX) + 3.0 * np.eye(12)
    b = np.resize(np.zeros(1), 12) + x[0]
    return fori_loop(0, 12, lambda i, y: at(y)[i].set((b[i] - np.dot(row(low, i), y)) / row(row(low, i), i)), b * 0.0)


def matrix_powers(x):
    return fori_loop(0, 5, lambda _, c: np.tanh(MATRIX @ c + x[0]), MATRIX)


def zero_steps(x):
    return scan(lambda c, t: (c + t, c * t), x, np.zeros((0, *x.shape))), fori_loop(3, 3, lambda i, c: c * 2.0, x)


def one_step(x):
    return scan(lambda c, t: (c + t, c * t), x, x[None])


def reversed_scan(x):
    return scan(lambda c, t: (np.sin(c) + t, c * t), x[0], x, reverse=True)


def reversed_rows(x):
    return scan(lambda c, t: (np.sin(c) + t, (c, t * 2.0)), x, np.stack([x, x * 0.3, x + 1.0]), reverse=True)


def transposed_rows(x):
    """What is scanned over is not contiguous, nor are the outputs that are read."""
    y = np.outer(x, x + 1.0)
    c, ys = scan(lambda c, t: (c + t, np.cos(c) * t), x * 0.0, y.T)
    return c, ys.T, np.sum(ys, axis=0)


def nested_scans(x):
    def outer(c, t):
        c, ys = scan(lambda c, s: (np.tanh(c + s * t), c * s), c, x)
        return c, np.sum(ys, axis=0)

    return scan(outer, x[0], x)


def scan_of_maps(x):
    return scan(lambda c, t: (c * 0.5 + 0.1 * np.mean(map(lambda s: np.sin(s * t), c)), c[0]), x, x)


def while_in_while(x):
    def inner(v):
        return while_loop(lambda c: np.sum(c * c) > 1.0, lambda c: c * 0.7, v)

    return while_loop(lambda c: c[1] < 3, lambda c: (inner(c[0] + 1.0), c[1] + 1), (x, 0))


def while_of_large_carry(x):
    return while_loop(lambda c: np.sum(np.abs(c)) > 1.0, lambda c: np.roll(c, 1) * 0.6, x)


def while_of_nothing(x):
    return while_loop(lambda c: np.sum(c) > 1e9, lambda c: c * 2.0, x)


def unknown_length(x):
    n = np.sum(x > 0.0)
    return fori_loop(0, n, lambda i, c: np.sin(c) + x[i % x.shape[0]] * c, x)


def while_in_scan(x):
    def step(c, t):
        y = while_loop(lambda v: np.max(np.abs(v)) > 0.5, lambda v: v * 0.8, c + t)
        return y, np.sum(y)

    return scan(step, x, x)


def cond_in_while(x):
    def step(c):
        y, k = c
        return cond(y[0] > 0.0, lambda y: y - 0.4, np.cos, y), k + 1

    return while_loop(lambda c: c[1] < 6, step, (x, 0))


def nested_conds(x):
    return cond(
        x[0] > 0.0,
        lambda y: cond(y[1] > 0.0, np.sin, np.cos, y),
        lambda y: switch(np.argmax(y), [lambda y: y, lambda y: y[::-1], lambda y: y * y], y),
        x,
    )


def branches_that_forward(x):
    """Operands, constants and parts of operands as they are, large enough for memory."""
    big = np.concatenate([x] * 20)
    a, b = cond(x[0] > 0.1, lambda a, b: (b, a), lambda a, b: (a, np.ones(a.shape)), big, big * 2.0)
    return a + b, cond(x[1] > 0.0, lambda a: a[::-1], lambda a: a, a), b


def branches_on_numbers(x):
    return [switch(k, [lambda y: y, np.sin, np.cos], x) for k in (-1, 1, 9)]


def integers_and_truth(x):
    def step(c, t):
        n, ok, s = c
        return (n * 2 + 1, ok & (t > -0.4), s * 0.5), (n, ok, t > 0.0)

    return scan(step, (1, True, np.float32(0.5)), x)


def complex_carry(x):
    return scan(lambda z, t: (z * (0.5 + 0.3j) + t, np.real(z) * t), np.complex128(1.0), x)


def gathers_in_loops(x):
    k = np.arange(x.shape[0])[::-1]
    return scan(lambda c, i: (c + x[i] * x[row(k, i)], c * x[k]), 0.0, np.arange(x.shape[0]))


def sums_of_rows_in_loops(x):
    return scan(lambda c, i: (c + np.sum(np.sin(ROWS * c) * x[i % x.shape[0]]), c), 0.1, np.arange(4))


def unused_carry(x):
    return scan(lambda c, t: ((c[0], c[1] * t), ()), (x, x), np.arange(3.0))


def many_carries(x):
    return fori_loop(
        0, 3, lambda i, cs: tuple(c * 0.5 + d for c, d in zip(cs, cs[1:] + cs[:1], strict=True)), (x,) * 12
    )


PROGRAMS: list[Callable[..., Any]] = [f for f in list(globals().values()) if getattr(f, "__module__", "") == __name__]
for helper in (normal, row):
    PROGRAMS.remove(helper)

#: those that read more entries than a small vector has
NEED_LARGE = {in_place, in_place_and_read, in_place_and_kept, two_in_place}
