"""Sample calls of NumPy's functions: what every check of the surface starts from.

    "sum": [call(M), call(M, axis=0, keepdims=True)]

The arrays among the arguments, also inside lists, are the operands, which may be traced; all else is part of the call.
A key of a table may hold several names that take the same samples. Operands are chosen away from kinks and jumps.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from operator import attrgetter
from typing import Any, TypeVar

import numpy as np

from xform import tree

V = np.array([0.3, -1.2, 2.6])
W = np.array([1.7, 0.45, -0.6])
UNIT = np.array([0.3, -0.6, 0.8])  # in (-1, 1)
POSITIVE = np.array([1.3, 2.6, 1.1])
M = np.array([[0.3, -1.2, 2.6], [0.75, 0.2, 1.9]])
POSITIVE_M = np.abs(M)
S = np.array([[2.1, 0.3, -0.4], [0.2, 1.7, 0.6], [-0.5, 0.1, 2.4]])
T = np.sin(np.arange(24.0) ** 1.5).reshape(2, 3, 4)
SCALAR = np.array(0.7)
Z = np.array([0.3 + 1.1j, -1.2 - 0.5j, 0.4 + 2.6j])
ZM = M + 1j * np.array([[0.5, -0.3, 1.2], [-0.8, 0.1, 0.6]])
ZS = S + 1j * np.array([[0.1, 0.4, 0.2], [-0.3, 0.2, 0.5], [0.6, -0.1, 0.3]])
N = np.array([6, 4, 9])
K = np.array([2, 1, 3])
B = np.array([True, False, True])
C = np.array([True, True, False])
MASK = [[True, False, True], [False, True, True]]
NANS = np.array([[0.3, np.nan, 2.6], [0.7, 0.2, np.nan]])

X = TypeVar("X")

#: a call as a function of its operands
Run = Callable[..., Any]


class Sample:
    """`run(namespace, *operands)` calls a function of a namespace that has NumPy's names."""

    __slots__ = ("describe", "eager", "operands", "run")

    def __init__(self, run: Callable[[Any, str], Run], operands: tuple[Any, ...], describe: str) -> None:
        self.run, self.operands, self.describe = run, operands, describe
        self.eager = False

    def bound(self, namespace: Any, name: str) -> Run:
        """The call as a function of its operands."""
        return self.run(namespace, name)

    def __repr__(self) -> str:
        return self.describe


def call(*args: Any, **kwargs: Any) -> Sample:
    """f(*args, **kwargs), a function of the arrays in there."""
    leaves, structure = tree.flatten((args, kwargs), is_leaf=lambda x: x is None)
    places = [k for k, x in enumerate(leaves) if isinstance(x, np.ndarray)]

    def run(namespace: Any, name: str) -> Run:
        f = attrgetter(name)(namespace)

        def of_operands(*xs: Any) -> Any:
            full = list(leaves)
            for k, x in zip(places, xs, strict=True):
                full[k] = x
            given, options = tree.unflatten(structure, full)
            return f(*given, **options)

        return of_operands

    return Sample(run, tuple(leaves[k] for k in places), described(args, kwargs))


def using(program: Callable[..., Any], *operands: Any) -> Sample:
    """program(namespace, *operands), for what is more than a call: s_[1:2], with errstate(): ..."""
    return Sample(lambda namespace, _: lambda *xs: program(namespace, *xs), operands, "(program)")


def through(program: Callable[..., Any], *operands: Any) -> Sample:
    """program(f, *operands), where f is the function that is named."""
    return Sample(lambda namespace, name: lambda *xs: program(attrgetter(name)(namespace), *xs), operands, "(program)")


def with_nan(**options: Any) -> Sample:
    """f of a matrix of which some entries are nan, whatever the operand."""

    def run(namespace: Any, name: str) -> Run:
        f = attrgetter(name)(namespace)
        return lambda x: f(np.where(np.isnan(NANS), np.nan, x), **options)

    return Sample(run, (M,), f"(matrix with nan{''.join(f', {k}={brief(v)}' for k, v in options.items())})")


def eager(sample: Sample) -> Sample:
    """A call that needs the values of its operands: not under vmap, nor staged."""
    sample.eager = True
    return sample


def described(args: Any, kwargs: Mapping[str, Any]) -> str:
    parts = [*map(brief, args), *(f"{k}={brief(v)}" for k, v in kwargs.items())]
    return f"({', '.join(parts)})"


def brief(x: Any) -> str:
    if isinstance(x, np.ndarray):
        return f"{x.dtype.str[1:]}{list(x.shape)}"
    if isinstance(x, list | tuple):
        return f"{'(' if isinstance(x, tuple) else '['}{', '.join(map(brief, x))}{')' if isinstance(x, tuple) else ']'}"
    return getattr(x, "__name__", repr(x))


def named(table: Mapping[str, X]) -> dict[str, X]:
    """The table with one name a key."""
    return {name: entry for names, entry in table.items() for name in names.split()}
