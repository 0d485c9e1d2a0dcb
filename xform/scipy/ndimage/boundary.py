"""How an array goes on beyond its ends, by SciPy's names.

mode             ... | a b c d | ...         of coordinates            padding
constant         k k | a b c d | k k         outside: the constant k   constant
grid-constant    k k | a b c d | k k         as they are               constant
nearest          a a | a b c d | d d         the nearest inside        edge
mirror           c b | a b c d | c b         period 2 n - 2            reflect
reflect          b a | a b c d | d c         period 2 n                symmetric
wrap             period n - 1 for coordinates; for filters as grid-wrap
grid-wrap        c d | a b c d | a b         period n                  wrap
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import xform.numpy as xnp

#: the names that `numpy.pad` has for the modes of filters
PADDING = {
    "constant": "constant",
    "grid-constant": "constant",
    "nearest": "edge",
    "mirror": "reflect",
    "grid-mirror": "symmetric",
    "reflect": "symmetric",
    "wrap": "wrap",
    "grid-wrap": "wrap",
}


def check_mode(mode: str) -> None:
    """RuntimeError, as SciPy's, for a mode that does not exist."""
    if mode not in PADDING:
        raise RuntimeError(f"boundary mode {mode!r} is not supported; wanted one of {', '.join(PADDING)}")


def padded(x: Any, widths: list[tuple[int, int]], mode: str, cval: Any) -> Any:
    """The array with entries more at both ends of its axes."""
    check_mode(mode)
    if not any(w for pair in widths for w in pair):
        return x
    if PADDING[mode] == "constant":
        return xnp.pad(x, widths, mode="constant", constant_values=cval)
    return xnp.pad(x, widths, mode=PADDING[mode])


def mirrored(c: Any, n: int) -> Any:
    """Reflected about the centres of the first and of the last entry."""
    period = 2 * n - 2
    below = period * xnp.trunc(-c / period) + c
    below = xnp.where(below <= 1 - n, below + period, -below)
    above = c - period * xnp.trunc(c / period)
    return below, xnp.where(above >= n, period - above, above)


def reflected(c: Any, n: int) -> Any:
    """Reflected about the outer edges of the first and of the last entry."""
    period = 2 * n
    below = xnp.where(c < -period, period * xnp.trunc(-c / period) + c, c)
    below = xnp.where(below < -n, below + period, -below - 1)
    above = c - period * xnp.trunc(c / period)
    return below, xnp.where(above >= n, period - above - 1, above)


def wrapped(c: Any, n: int) -> Any:
    """Of the period n - 1, so that the first and the last entry coincide."""
    period = n - 1
    return c + period * (xnp.trunc(-c / period) + 1), c - period * xnp.trunc(c / period)


def wrapped_grid(c: Any, n: int) -> Any:
    """Of the period n."""
    return c + n * (xnp.trunc((-1 - c) / n) + 1), c - n * xnp.trunc(c / n)


#: what becomes of coordinates below 0, and of those above n - 1
FOLDS: dict[str, Callable[[Any, int], tuple[Any, Any]]] = {
    "mirror": mirrored,
    "reflect": reflected,
    "grid-mirror": reflected,
    "wrap": wrapped,
    "grid-wrap": wrapped_grid,
    "nearest": lambda c, n: (0 * c, 0 * c + (n - 1)),
}


def folded(c: Any, n: int, mode: str) -> Any:
    """Coordinates as those of the same value inside 0 <= c <= n - 1 (for reflect, half a step more).

    The constant modes leave them as they are. An array of one entry has that everywhere.
    """
    if mode not in FOLDS:
        return c
    if n == 1:
        return 0 * c
    below, above = FOLDS[mode](c, n)
    return xnp.where(c < 0, below, xnp.where(c > n - 1, above, c))
