"""Random programs on arrays of many shapes: loops that are shared, memory that is used again, writes in place."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import numpy as np

from xform.lax import cond, dynamic_slice, dynamic_update_slice, fori_loop, scan
from xform.numpy.entries import at

SHAPES = [(), (3,), (9,), (40,), (300,), (3, 4), (40, 3), (3, 40), (12, 12), (2, 3, 20), (20, 1), (1, 9), (5, 0), (1,)]
MOST_ENTRIES = 1500


class Arrays:
    """A list of arrays to which operations on random ones of them add others; the same seed, the same operations."""

    def __init__(self, seed: int, length: int) -> None:
        self.seed, self.length = seed, length

    def arguments(self) -> list[np.ndarray]:
        rng, choose = np.random.default_rng(self.seed), random.Random(self.seed)
        return [np.asarray(rng.normal(size=s))[()] for s in choose.sample(SHAPES, 6)]

    def __call__(self, *xs: Any) -> list[Any]:
        self.random, self.values = random.Random(self.seed + 1), [*xs]
        steps = [
            self.unary, self.unary, self.binary, self.binary, self.binary, self.total, self.total, self.move, self.move,
            self.join, self.product, self.read, self.write, self.write, self.added, self.loop, self.branch,
        ]  # fmt: skip
        for _ in range(self.length):
            for y in self.random.choice(steps)():
                if y.size <= MOST_ENTRIES and y.ndim <= 4:
                    self.values.append(y)
        return self.random.sample(self.values, min(6, len(self.values)))

    def any(self, test: Callable[[Any], bool] = lambda x: True) -> Any:
        """A value, rather a late one; None if no one passes the test."""
        found = [x for x in self.values if test(x)]
        return self.random.choice(found[-6:] if self.random.random() < 0.6 else found) if found else None

    def vector(self) -> Any:
        return self.any(lambda x: x.ndim > 0 and x.size > 0)

    def unary(self) -> list[Any]:
        x = self.any()
        return [self.random.choice([np.sin, np.tanh, np.negative, np.square, lambda x: x * 0.5, np.cos])(x)]

    def binary(self) -> list[Any]:
        x = self.any()
        y = self.any(lambda y: fits(x.shape, y.shape))
        f = self.random.choice([np.add, np.subtract, np.multiply, np.maximum, lambda x, y: np.where(x > y, x, 0.5 * y)])
        return [f(x, y) * 0.7]

    def total(self) -> list[Any]:
        x = self.vector()
        if x is None:
            return []
        axes = tuple(k for k in range(x.ndim) if self.random.random() < 0.6)
        f = self.random.choice([np.sum, np.sum, np.max, np.min, np.mean])
        return [np.tanh(f(x, axis=axes or None, keepdims=self.random.random() < 0.3))]

    def move(self) -> list[Any]:
        x = self.vector()
        if x is None:
            return []
        n = x.shape[0]
        start, stop = sorted((self.random.randint(0, n), self.random.randint(0, n)))
        return [self.random.choice([
            lambda: x.T, lambda: x[::-1], lambda: x[..., ::-1], lambda: x[start:stop], lambda: np.reshape(x, (-1,)),
            lambda: x[None], lambda: x[self.random.randrange(n)], lambda: np.pad(x, [(1, 2)] + [(0, 0)] * (x.ndim - 1)),
            lambda: np.broadcast_to(x, (2, *x.shape)), lambda: np.cumsum(x, axis=0) * 0.2, lambda: np.roll(x, 1),
            lambda: x[::2], lambda: np.sort(x, axis=-1), lambda: x[..., 0],
        ])()]  # fmt: skip

    def join(self) -> list[Any]:
        x = self.vector()
        if x is None:
            return []
        y = self.any(lambda y: y.ndim == x.ndim and y.shape[1:] == x.shape[1:])
        return [np.concatenate([x, y, x[:1]]), np.stack([x, np.sin(x)], axis=self.random.randint(0, x.ndim))]

    def product(self) -> list[Any]:
        x = self.any(lambda x: x.ndim in (1, 2))
        if x is None:
            return []
        y = self.any(lambda y: y.ndim in (1, 2) and y.shape[0] == x.shape[-1])
        return [] if y is None else [np.tanh(x @ y)]

    def indices(self, n: int) -> Any:
        return np.array([self.random.randrange(-n, n) for _ in range(self.random.choice([1, 3, 12]))])

    def read(self) -> list[Any]:
        x = self.vector()
        if x is None:
            return []
        k = self.indices(x.shape[0])
        return [x[k], at(x)[np.argmax(np.reshape(x, (-1,))) % x.shape[0]].get()]

    def write(self) -> list[Any]:
        """Of a value of which nobody else need know, and of the value itself."""
        x = self.vector()
        if x is None:
            return []
        x = x * 0.9 if self.random.random() < 0.7 else x
        i, j = self.random.randrange(x.shape[0]), self.random.randrange(x.shape[0])
        at_start = [0] * x.ndim
        return [self.random.choice([
            lambda: at(x)[i].set(x[j] * 2.0), lambda: at(at(x)[i].set(0.5))[j].add(x[i]),
            lambda: at(x)[self.indices(x.shape[0])].add(0.3), lambda: at(x)[self.indices(x.shape[0])].set(0.1),
            lambda: at(x)[: i + 1].set(x[-i - 1 :] * 0.5), lambda: at(x)[i].multiply(x[j]),
            lambda: dynamic_update_slice(x, x[i:], [np.argmax(np.reshape(x, (-1,))), *at_start[1:]]),
            lambda: dynamic_slice(x, [np.argmin(np.reshape(x, (-1,))), *at_start[1:]], (max(i, 1), *x.shape[1:])),
            lambda: at(x)[::-1].set(x),
        ])()]  # fmt: skip

    def added(self) -> list[Any]:
        x = self.vector()
        if x is None:
            return []
        k = self.indices(4)
        y = np.resize(np.zeros(1), (4, *x.shape[1:]))
        return [at(y)[k].add(x[: len(k)]) if x.shape[0] >= len(k) else at(y)[0].set(x[0])]

    def loop(self) -> list[Any]:
        x, y = self.vector(), self.any()
        if x is None:
            return []
        n = x.shape[0]

        def step(c: Any, row: Any) -> Any:
            a, b = c
            a = at(a)[0].add(np.mean(row)) * 0.9 + np.mean(b)
            return (a, np.sin(b) + np.sum(row) * 0.1), (row * 0.5, np.mean(a))

        if self.random.random() < 0.5:
            (a, b), (c, d) = scan(step, (x, y), x, reverse=self.random.random() < 0.5)
            return [a, b, c, d]
        return [*fori_loop(0, 3, lambda i, c: (at(c[0])[i % n].set(c[1][(i + 1) % n]), c[0]), (x, np.cos(x)))]

    def branch(self) -> list[Any]:
        x, y = self.any(), self.any()
        flag = np.sum(y) > 0.0
        return [*cond(flag, lambda x, y: (x, np.sin(y)), lambda x, y: (x * 0.5, y), x, y)]


def fits(s: tuple[int, ...], t: tuple[int, ...]) -> bool:
    """Do the shapes broadcast?"""
    return all(m == n or 1 in (m, n) for m, n in zip(s[::-1], t[::-1], strict=False))
