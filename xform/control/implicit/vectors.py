"""What the Krylov iterations share: products and norms of vectors, and when to stop."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from xform.ops.complex import real
from xform.ops.contraction.einsum import matmul
from xform.ops.linear_algebra.matrix import conj
from xform.ops.select import select

Map = Callable[[Any], Any]


class Limits(NamedTuple):
    """The iteration ends when the norm of the residual is at most `bound`, or after `maxiter` steps."""

    bound: Any
    maxiter: int

    def info(self, size: Any, steps: Any) -> Any:
        """0 if a residual of norm `size` is small enough, which inf and nan are not, else the number of steps."""
        return select((size <= self.bound) & np.isfinite(size), np.int64(0), np.maximum(steps, 1))


def inner(x: Any, y: Any) -> Any:
    """x^H y."""
    return matmul(conj(x), y)


def norm(x: Any) -> Any:
    """|x|, a real number."""
    return np.sqrt(real(inner(x, x)))


def ratio(a: Any, b: Any) -> Any:
    """a / b, and 0 where b is 0."""
    none = b == 0
    return select(none, 0, a / select(none, 1, b))


def residual(apply: Map, right: Any, start: Any) -> tuple[Any, Any]:
    """The start of an iteration, zeros if there is none, and b - A x there."""
    return (np.zeros(right.shape, right.dtype), right) if start is None else (start, right - apply(start))
