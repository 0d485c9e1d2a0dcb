"""One line per primitive: arguments and parameters at which the laws of its rules are checked."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from xform.core.aval import Aval, aval_of, is_inexact
from xform.core.primitive import Primitive, Zero

rng = np.random.default_rng()


def seed(name: str) -> None:
    """Start the random numbers of the module `name`."""
    rng.bit_generator.state = np.random.default_rng(zlib.crc32(name.encode())).bit_generator.state


@dataclass(frozen=True)
class Sample:
    """A primitive at a point; `smooth` says that finite differences are meaningful there."""

    prim: Primitive
    args: tuple[Any, ...]
    params: dict[str, Any]
    smooth: bool = True

    @cached_property
    def arrays(self) -> list[int]:
        """The positions of the arguments that are arrays; Python scalars are constants of the program."""
        return [k for k, x in enumerate(self.args) if isinstance(x, np.ndarray | np.generic)]

    @cached_property
    def active(self) -> list[int]:
        """The positions of the arguments that can vary."""
        return [k for k in self.arrays if is_inexact(self.args[k].dtype)]

    @cached_property
    def values(self) -> tuple[Any, ...]:
        """The arguments that can vary."""
        return tuple(self.args[k] for k in self.active)

    @cached_property
    def outs(self) -> list[Any]:
        """What the primitive gives at the sample."""
        with np.errstate(all="ignore"):
            return self.prim.bind(*self.args, **self.params)

    @property
    def out_avals(self) -> list[Aval]:
        return [aval_of(y) for y in self.outs]

    @property
    def rng(self) -> np.random.Generator:
        """The same random numbers wherever the sample is."""
        return np.random.default_rng(zlib.crc32(str(self).encode()))

    def function(self, positions: Sequence[int] | None = None) -> Callable[..., tuple[Any, ...]]:
        """The primitive as a function of the arguments that can vary (or of those at `positions`)."""

        def f(*xs: Any) -> tuple[Any, ...]:
            args = list(self.args)
            for k, x in zip(self.active if positions is None else positions, xs, strict=True):
                args[k] = x
            return tuple(self.prim.bind(*args, **self.params))

        return f

    def push(self, tangents: dict[int, Any]) -> tuple[list[Any], list[Any]]:
        """The jvp rule, with symbolic zeros for the arguments that are not named."""
        zeros = {k: Zero.like(x) for k, x in enumerate(self.args)}
        return self.prim.jvp(list(self.args), list({**zeros, **tangents}.values()), **self.params)

    def __str__(self) -> str:
        avals = ",".join(f"{np.asarray(a).dtype}{list(np.shape(a))}" for a in self.args)
        params = ", ".join(f"{name}={short(value)}" for name, value in self.params.items())
        return f"{self.prim.name}({avals})[{params}]"


def short(value: Any) -> str:
    """A parameter in the name of a test: a program, a rule, ... by its kind."""
    if isinstance(value, tuple):
        return f"({','.join(map(short, value))})"
    plain = isinstance(value, str | int | float | complex | np.dtype | type | None)
    return str(value) if plain else type(value).__name__


def sample(prim: Primitive, *args: Any, smooth: bool = True, **params: Any) -> Sample:
    return Sample(prim, args, params, smooth)


def normal(*shape: int, dtype: Any = np.float64) -> np.ndarray:
    """Standard normal numbers, complex ones for a complex dtype."""
    x = rng.normal(size=shape)
    if np.dtype(dtype).kind == "c":
        x = x + 1j * rng.normal(size=shape)
    return np.asarray(x, dtype)


def uniform(low: float, high: float, *shape: int, dtype: Any = np.float64) -> np.ndarray:
    return np.asarray(rng.uniform(low, high, size=shape), dtype)


def integers(low: int, high: int, *shape: int) -> np.ndarray:
    return np.asarray(rng.integers(low, high, size=shape))


def distinct(*shape: int, offset: float = 0.0, dtype: Any = np.float64) -> np.ndarray:
    """Shuffled multiples of 1/4 around zero, plus an offset: far from each other, from integers, and from zero."""
    size = int(np.prod(shape))
    x = (rng.permutation(size) - size // 2) * 0.25 + offset
    return np.asarray(x.reshape(shape), dtype)


def unary(prim: Primitive, draw: Any = normal, *, complex: bool = False, smooth: bool = True) -> list[Sample]:
    """Samples of an elementwise function of one argument, which `draw(*shape, dtype=...)` makes."""
    points: list[tuple[tuple[int, ...], Any]] = [((), float), ((0,), float), ((2, 3), float), ((4,), np.float32)]
    if complex:
        points += [((3,), np.complex128), ((), np.complex64)]
    return [sample(prim, draw(*shape, dtype=dtype), smooth=smooth) for shape, dtype in points]


def binary(
    prim: Primitive, first: Any = normal, second: Any = normal, *, complex: bool = False, smooth: bool = True
) -> list[Sample]:
    """Samples of an elementwise function of two arguments: broadcasting, mixed dtypes, Python scalars."""
    points: list[tuple[Any, Any]] = [
        (first(3, 1), second(4)),
        (first(), second(2)),
        (first(0), second(1)),
        (first(2, dtype=np.float32), second(2)),
        (first(2), second(2, 1, dtype=np.float32)),
        (first(2, dtype=np.float32), second(dtype=np.float32)),
        (first(3, dtype=np.float32), float(second())),
        (float(first()), second(2, 2)),
    ]
    if complex:
        points += [
            (first(3, dtype=np.complex128), second(3, dtype=np.complex128)),
            (first(2, 1, dtype=np.complex64), second(3, dtype=np.float32)),
            (first(2), second(dtype=np.complex128)),
        ]
    return [sample(prim, a, b, smooth=smooth) for a, b in points]


def within(low: float, high: float) -> Any:
    """A `draw` for `unary` and `binary`: numbers between `low` and `high`, complex ones off the real axis as well."""

    def draw(*shape: int, dtype: Any = np.float64) -> np.ndarray:
        x = rng.uniform(low, high, size=shape)
        if np.dtype(dtype).kind == "c":
            x = x + 1j * rng.uniform(0.2, 0.6, size=shape)
        return np.asarray(x, dtype)

    return draw


def apart(offset: float) -> Any:
    """A `draw` for `unary` and `binary`: `distinct` numbers."""
    return lambda *shape, dtype=np.float64: distinct(*shape, offset=offset, dtype=dtype)
