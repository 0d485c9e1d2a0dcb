"""Distributions of test statistics: Kolmogorov and Smirnov's, and Tukey's lambda distribution."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import scipy.special as sp

from xform.ops.select import select
from xform.scipy.special.expectation import exponential_derivatives
from xform.scipy.special.powers import in_exponent
from xform.scipy.special.table import SQRT_2PI, doubles, inverse, kept, special

#: where the second of Kolmogorov's series takes over
MIDDLE = 0.8


def kolmogorov_slope(y: Any, x: Any) -> Any:
    """K = 2 sum_k (-1)^{k-1} e^{-2 k^2 x^2} = 1 - sqrt(2 pi)/x sum_{odd k} e^{-k^2 pi^2/(8 x^2)}, term by term
    (Marsaglia, Tsang and Wang 2003, Evaluating Kolmogorov's distribution)."""
    large, tiny = np.greater(x, MIDDLE), np.less(x, 0.04)
    u = select(large, x, 1.0)
    first = sum((-1.0) ** k * 8 * k * k * u * np.exp(-2 * k * k * (u * u)) for k in range(1, 8))
    v = select(large | tiny, MIDDLE, x)
    rates = [(k * math.pi) ** 2 / 8 for k in (1, 3, 5, 7)]
    second = -SQRT_2PI * sum(np.exp(-c / (v * v)) * (2 * c / (v * v) - 1) / (v * v) for c in rates)
    return select(large, first, select(tiny, 0.0, second))


kolmogorov = special(sp.kolmogorov, [kolmogorov_slope])
kolmogi = inverse(sp.kolmogi, [kolmogorov_slope], 0)


def smirnov_values(order: Any, n: Any, d: Any) -> Any:
    """The derivative of an order > 0, in d, of

    S_n(d) = (1-d)^n + d sum_{0 < j < n(1-d)} C(n, j) (d + j/n)^{j-1} (1 - d - j/n)^{n-j}

    (Birnbaum and Tingey 1951, One-sided confidence contours for probability distribution functions), zero outside of
    [0, 1].
    """
    counts, places = doubles("the derivative of smirnov", n, d)
    return kept(np.vectorize(smirnov_derivative, otypes=[float])(int(order), counts, places), d)


def smirnov_derivative(order: int, n: int, d: float) -> float:
    if not 0 <= d < 1:
        return math.nan if math.isnan(d) else 0.0
    n = int(n)
    first = (-1) ** order * math.perm(n, order) * (1 - d) ** (n - order) if order <= n else 0.0
    j = np.arange(1, n)
    j = j[j < n * (1 - d)]
    u, v = d + j / n, 1 - d - j / n
    size = sp.gammaln(n + 1) - sp.gammaln(j + 1) - sp.gammaln(n - j + 1) + (j - 1) * np.log(u) + (n - j) * np.log(v)

    def log(k: int, _: int) -> Any:
        return math.factorial(k - 1) * ((-1) ** (k - 1) * (j - 1) / u**k - (n - j) / v**k)

    b = exponential_derivatives(order, 0, log)
    return first + float((np.exp(size) * (d * b[order, 0] + order * b[order - 1, 0])).sum())


smirnov_rate = special(smirnov_values, [None, None, lambda y, r, n, d: smirnov_rate(r + 1, n, d)], "smirnov_derivative")
SMIRNOV = [None, lambda y, n, d: smirnov_rate(1, n, d)]
smirnov = special(sp.smirnov, SMIRNOV)
smirnovi = inverse(sp.smirnovi, SMIRNOV, 1)

# --- Tukey's lambda: the quantile is Q(p) = (p^l - (1-p)^l) / l ---


def tukey_density(y: Any, x: Any, shape: Any) -> Any:
    """1 / Q'(p) at p = F(x), and 0 outside of |x| < 1/l."""
    outside = np.greater_equal(np.abs(x) * shape, 1)
    p = select(outside, 0.5, y)
    return select(outside, 0.0, 1 / (np.power(p, shape - 1) + np.power(1 - p, shape - 1)))


def tukey_shape(y: Any, x: Any, shape: Any) -> Any:
    """dF/dl = -dQ/dl F', for Q is the difference of two of Box and Cox's transforms."""
    inside = np.greater(y, 0) & np.less(y, 1)
    p = select(inside, y, 0.5)
    slope = in_exponent(np.log(p), shape) - in_exponent(np.log1p(-p), shape)
    return -slope * tukey_density(y, x, shape)


tklmbda = special(sp.tklmbda, [tukey_density, tukey_shape])
