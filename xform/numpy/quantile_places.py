"""Where in n sorted entries the quantile q lies, by the methods of Hyndman & Fan (1996) and NumPy's own.

A discrete method names an entry. A continuous one names an index h between two, and interpolates by a weight made of
h - floor(h):

    h = n q + alpha + q (1 - alpha - beta) - 1

R. J. Hyndman & Y. Fan: Sample quantiles in statistical packages, The American Statistician 50 (1996) 361-365.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from xform.ops.select import select


class Place(NamedTuple):
    """An index, and the weight of the entry behind it as a function of (h - floor(h), h); None for discrete ones."""

    index: Any
    weight: Callable[[Any, Any], Any] | None = None


Method = Callable[[Any, Any], Place]


def fraction(t: Any, h: Any) -> Any:
    return t


def continuous(alpha: float, beta: float) -> Method:
    return lambda n, q: Place(n * q + (alpha + q * (1 - alpha - beta)) - 1, fraction)


def linear(n: Any, q: Any) -> Place:
    """alpha = beta = 1, in the form that rounds least; an integer q names an entry."""
    return Place((n - 1) * q, fraction if q.dtype.kind == "f" else None)


def midpoint(n: Any, q: Any) -> Place:
    h = (n - 1) * q
    return Place(0.5 * (np.floor(h) + np.ceil(h)), lambda t, h: select(np.equal(h % 1, 0), 0 * t, 0 * t + 0.5))


def averaged(n: Any, q: Any) -> Place:
    return Place(n * q - 1, lambda t, h: select(np.equal(t, 0), 0 * t + 0.5, 0 * t + 1))


def inverted(n: Any, q: Any) -> Place:
    return Place(np.maximum(np.ceil(n * q - 1), 0))


def closest(n: Any, q: Any) -> Place:
    """The nearest entry, of two equally near ones that with the odd index."""
    h = n * q - 1.5
    low = np.floor(h)
    keep = np.logical_and(np.equal(h, low), np.equal(low % 2, 1))
    return Place(np.maximum(select(keep, low, low + 1), 0))


METHODS: dict[str, Method] = {
    "inverted_cdf": inverted,
    "averaged_inverted_cdf": averaged,
    "closest_observation": closest,
    "interpolated_inverted_cdf": continuous(0, 1),
    "hazen": continuous(0.5, 0.5),
    "weibull": continuous(0, 0),
    "linear": linear,
    "median_unbiased": continuous(1 / 3, 1 / 3),
    "normal_unbiased": continuous(3 / 8, 3 / 8),
    "lower": lambda n, q: Place(np.floor((n - 1) * q)),
    "higher": lambda n, q: Place(np.ceil((n - 1) * q)),
    "midpoint": midpoint,
    "nearest": lambda n, q: Place(np.rint((n - 1) * q)),
}
