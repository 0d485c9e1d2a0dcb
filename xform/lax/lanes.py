"""Functions of numbers, applied to all entries of arrays."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from xform.ops.stack import asarray
from xform.ops.structure import reshape
from xform.transforms.vmap import vmap

Flat = Callable[[list[Any]], list[Any]]


def lanewise(f: Callable[..., list[Any]], origin: str) -> Flat:
    """Apply a function of numbers, which returns a list of numbers, to the entries of arrays of one shape."""

    def apply(arrays: list[Any]) -> list[Any]:
        shape = arrays[0].shape
        lanes = [reshape(x, shape=(math.prod(shape),)) for x in arrays]
        results = vmap(lambda *entries: [number(y, origin) for y in f(*entries)])(*lanes)
        return [reshape(y, shape=shape) for y in results]

    return apply


def number(y: Any, origin: str) -> Any:
    """A result as an array of no axes; ValueError if it has any."""
    y = asarray(y)
    if y.shape:
        raise ValueError(f"{origin}: the function returned an array of shape {y.shape}; wanted a number from numbers")
    return y
