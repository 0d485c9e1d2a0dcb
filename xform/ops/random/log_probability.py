"""Logarithms of the probabilities of counts, without the cancellation between log-factorials of large numbers.

With s(k) = log k! - k log k + k and the deviance D(k, m) = k log(k / m) + m - k (C. Loader, "Fast and accurate
computation of binomial probabilities", 2000),

    Poisson:   log p(k) = -s(k) - D(k, mean)
    binomial:  log p(k) = s(n) - s(k) - s(n - k) - D(k, n p) - D(n - k, n (1 - p))
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

#: s(k) of the first numbers, for which Stirling's series is not exact
FIRST = np.array([0.0, *(math.lgamma(k + 1) - k * math.log(k) + k for k in range(1, 16))])

#: terms of the series of the deviance: 0.1^(2 * 9) is below rounding
TERMS = 9


def stirling_rest(k: Any) -> Any:
    """s(k) = log(2 pi k) / 2 + 1/(12 k) - 1/(360 k^3) + 1/(1260 k^5) - 1/(1680 k^7) + ..."""
    large = np.maximum(k, len(FIRST))
    r = 1 / (large * large)
    series = (1 / 12 - r * (1 / 360 - r * (1 / 1260 - r / 1680))) / large
    first = FIRST[np.minimum(k, len(FIRST) - 1).astype(np.intp)]
    return np.where(k < len(FIRST), first, 0.5 * np.log(2 * math.pi * large) + series)


def deviance(k: Any, mean: Any) -> Any:
    """D(k, m), near k = m by its series in v = (k - m) / (k + m): (k - m) v + 2 k (v^3/3 + v^5/5 + ...)."""
    v = (k - mean) / (k + mean)
    power, rest = v, 0.0
    for j in range(1, TERMS + 1):
        power = power * v * v
        rest = rest + power / (2 * j + 1)
    near = (k - mean) * v + 2 * k * rest
    with np.errstate(divide="ignore", invalid="ignore"):
        far = np.where(k > 0, k * np.log(k / mean), 0.0) + mean - k
    return np.where(np.abs(v) < 0.1, near, far)


def poisson(k: Any, mean: Any) -> Any:
    return -stirling_rest(k) - deviance(k, mean)


def binomial(k: Any, n: Any, p: Any) -> Any:
    rest = stirling_rest(n) - stirling_rest(k) - stirling_rest(n - k)
    return rest - deviance(k, n * p) - deviance(n - k, n * (1 - p))
