"""Random programs that write into arrays and into views of them, the same for NumPy's arrays and for traced ones."""

from __future__ import annotations

from typing import Any

import numpy as np

import xform.numpy as xnp

#: entries of the argument of a program
SIZE = 6


class Program:
    """Steps drawn from a seed; they act on a list of arrays, of which those that are dropped are forgotten."""

    def __init__(self, seed: int, steps: int = 12) -> None:
        self.seed, self.steps = seed, steps

    def __call__(self, x: Any) -> Any:
        self.random = np.random.default_rng(self.seed)
        self.x = x
        self.arrays = [xnp.zeros((3, 4)), x.copy(), xnp.arange(6.0).reshape(2, 3)]
        for _ in range(self.steps):
            step = [self.write, self.write, self.augment, self.view, self.view, self.make, self.drop, self.method]
            step[self.random.integers(len(step))]()
        return xnp.concatenate([xnp.ravel(xnp.sin(a)) * (k + 1) for k, a in enumerate(self.arrays)])

    def pick(self, least: int = 1) -> Any:
        fitting = [a for a in self.arrays if a.ndim >= least]
        return fitting[self.random.integers(len(fitting))]

    def number(self) -> Any:
        """A traced number."""
        return self.x[int(self.random.integers(SIZE))] * float(self.random.uniform(-1, 1))

    def index(self, shape: tuple[int, ...]) -> tuple[Any, ...]:
        """A basic index."""
        items: list[Any] = []
        for n in shape:
            kind = self.random.integers(4)
            if kind == 0 and n:
                items.append(int(self.random.integers(-n, n)))
            elif kind == 1:
                items.append(slice(None, None, int(self.random.choice([-2, -1, 1, 2]))))
            elif kind == 2:
                start = int(self.random.integers(0, n + 1))
                items.append(slice(start, int(self.random.integers(start, n + 1))))
            else:
                items.append(slice(None))
        if self.random.integers(6) == 0:
            items.insert(0, None)
        if self.random.integers(6) == 0:
            items[-1:] = [Ellipsis]
        return tuple(items)

    def value(self, shape: tuple[int, ...]) -> Any:
        """What broadcasts to a shape: a number, other entries, or the same ones in another order."""
        if self.random.integers(2) or not shape or not shape[-1]:
            return self.number()
        pool = xnp.ravel(self.pick())
        if not pool.size:
            return self.number()
        if self.random.integers(2):
            return pool[np.arange(shape[-1]) % pool.size] * 0.5
        return self.number() + xnp.ones(shape)

    def write(self) -> None:
        a = self.pick()
        kind = self.random.integers(8)
        if kind <= 3:
            index = self.index(a.shape)
            a[index] = self.value(a[index].shape)
        elif kind == 4 and a.shape[0]:
            rows = self.random.integers(-a.shape[0], a.shape[0], 2)
            a[rows] = self.value(a[rows].shape)
        elif kind == 5:
            mask = self.random.random(a.shape) < 0.5
            a[mask] = self.number()
        elif kind == 6 and a.size:
            np.add.at(a, self.random.integers(0, a.shape[0], 3), self.number())
        else:
            a[...] = a[::-1] if self.random.integers(2) else self.value(a.shape)

    def augment(self) -> None:
        a = self.pick()
        index = self.index(a.shape)
        kind = self.random.integers(6)
        if kind == 0:
            a[index] += self.value(a[index].shape)
        elif kind == 1:
            a[index] *= self.number()
        elif kind == 2:
            a -= self.number()
        elif kind == 3:
            b = a[index]
            b *= self.value(b.shape) if b.ndim else 1.0
        elif kind == 4:
            np.multiply(a, self.number(), out=a)
        else:
            np.add(a, self.number(), out=a, where=self.random.random(a.shape) < 0.5)

    def view(self) -> None:
        a = self.pick()
        views = [
            lambda: a[self.index(a.shape)],
            lambda: a.T,
            lambda: a.reshape(-1),
            lambda: a.reshape((*a.shape[::-1],)),
            lambda: np.flip(a, 0),
            lambda: xnp.expand_dims(a, 0),
            lambda: np.array_split(a, 2)[1],
            lambda: np.squeeze(a),
            lambda: np.moveaxis(a, 0, -1),
            lambda: a[...],
        ]
        self.arrays.append(views[self.random.integers(len(views))]())

    def make(self) -> None:
        a = self.pick()
        makers = [
            a.copy,
            lambda: np.sin(a) * self.number(),
            lambda: xnp.full(3, self.number()),
            lambda: np.zeros_like(a),
            a.flatten,
            lambda: np.concatenate([a, a]),
            lambda: +a,
        ]
        self.arrays.append(makers[self.random.integers(len(makers))]())

    def drop(self) -> None:
        if len(self.arrays) > 2:
            del self.arrays[int(self.random.integers(len(self.arrays)))]
            if not any(a.ndim for a in self.arrays):
                self.arrays.append(xnp.zeros(2))

    def method(self) -> None:
        a = self.pick()
        kind = self.random.integers(5)
        if kind == 0:
            a.fill(self.number())
        elif kind == 1:
            a.sort(axis=0)
        elif kind == 2:
            np.copyto(a, self.number(), where=self.random.random(a.shape) < 0.5)
        elif kind == 3 and a.size:
            np.put(a, self.random.integers(0, a.size, 2), [self.number(), self.number()])
        elif a.ndim == 2 and all(a.shape):
            np.fill_diagonal(a, self.number())
