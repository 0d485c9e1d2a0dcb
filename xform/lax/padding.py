"""A number put around and between the entries of an array, or entries taken away: `pad` of `jax.lax`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from xform.core.aval import shape_of
from xform.core.trace import Tracer
from xform.lax.dimensions import integers
from xform.numpy.dispatch import ArrayLike, as_dtype, asarray
from xform.ops import structure as ops
from xform.ops.select import select

__all__ = ["pad"]


def pad(operand: ArrayLike, padding_value: ArrayLike, padding_config: Sequence[tuple[int, int, int]]) -> Any:
    """Put a number around and between the entries: along each axis (before, behind, between two of them).

    Negative numbers before or behind take entries (or paddings between them) away. Raises ValueError unless there are
    three integers for each axis, the last of them not negative, and none is taken away that is not there.

    >>> pad(np.array([1, 2, 3]), 0, [(-1, 1, 1)])
    array([0, 2, 0, 3, 0])
    """
    x, config = asarray(operand), padding_of(padding_config, operand)
    if shape_of(padding_value):
        raise ValueError(f"pad: a padding value of shape {shape_of(padding_value)} was given, wanted a number")
    value = padding_value if isinstance(padding_value, int | float | complex) else asarray(padding_value)
    dtype = np.result_type(x.dtype, value if isinstance(value, int | float | complex) else value.dtype)
    shape = tuple(padded_size(n, *widths) for n, widths in zip(x.shape, config, strict=True))
    if any(n < 0 for n in shape):
        raise ValueError(
            f"pad: padding_config = {config} takes away more than there is of an array of shape {x.shape}; the sizes "
            f"would be {shape}"
        )
    kept, region = zip(*map(padded_places, x.shape, shape, config), strict=True) if shape else ((), ())
    x = as_dtype(ops.slice_(x, index=kept), dtype)
    padded = ops.pad(x, shape=shape, index=region)
    if not isinstance(value, Tracer) and not any(np.asarray(value, dtype).tobytes()):  # zero, but not minus zero
        return padded
    is_entry = np.zeros(shape, bool)
    is_entry[ops.as_slices(region)] = True
    return as_dtype(select(is_entry, padded, value), dtype)


def padding_of(given: Any, operand: Any) -> tuple[tuple[int, int, int], ...]:
    """A `padding_config` argument: three integers for each axis."""
    shape = shape_of(asarray(operand))
    rows = [integers("pad", "padding_config", row) for row in given]
    if len(rows) != len(shape) or any(len(row) != 3 or row[2] < 0 for row in rows):
        raise ValueError(
            f"pad: padding_config = {given} was given for an array of shape {shape}; wanted for each of its "
            f"{len(shape)} dimensions (before, behind, between), the last one not negative"
        )
    return tuple((before, behind, between) for before, behind, between in rows)


def padded_size(n: int, before: int, behind: int, between: int) -> int:
    return before + n + max(n - 1, 0) * between + behind


def padded_places(n: int, size: int, widths: tuple[int, int, int]) -> tuple[tuple[int, int, int], ...]:
    """Along one axis the region of the entries i that are kept, and the one where they go.

    Entry i goes to the place before + i (between + 1), if that is one of 0, ..., size - 1.
    """
    before, _, between = widths
    step = between + 1
    first = max(-(before // step), 0)
    stop = min(n, -((before - size) // step))
    count = max(stop - first, 0)
    return ((first, count, 1), (before + first * step, count, step)) if count else ((0, 0, 1), (0, 0, 1))
