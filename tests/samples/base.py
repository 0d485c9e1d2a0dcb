"""One line per primitive: arguments and parameters at which the laws of its rules are checked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from xform.core.primitive import Primitive

rng = np.random.default_rng(20240229)


@dataclass(frozen=True)
class Sample:
    """A primitive at a point; `smooth` says that finite differences are meaningful there."""

    prim: Primitive
    args: tuple[Any, ...]
    params: dict[str, Any]
    smooth: bool = True

    def __str__(self) -> str:
        avals = ",".join(f"{np.asarray(a).dtype}{list(np.shape(a))}" for a in self.args)
        return f"{self.prim.name}({avals}){self.params or ''}"


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
