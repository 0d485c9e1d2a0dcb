"""The gamma function and its relatives: logarithm, reciprocal, polygamma, beta, binomials.

Gamma'(x) = Gamma(x) psi(x),    psi_n'(x) = psi_{n+1}(x)          (Abramowitz and Stegun 6.3.1, 6.4.1)
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import scipy.special as sp

from xform.ops.select import select
from xform.scipy.special.table import cospi, doubles, kept, sinpi, special, where

#: B_2k / (2k)!, of the asymptotic series of the polygamma functions
BERNOULLI = [float(b) / math.factorial(2 * k + 2) for k, b in enumerate(sp.bernoulli(40)[2::2])]
#: where those series are accurate
FAR = 24.0


def polygamma_values(n: Any, x: Any) -> Any:
    """psi_n(x) for integers n >= 0 and real or complex x, in the precision of x; nan for other n."""
    if np.iscomplexobj(x):
        return kept(np.vectorize(complex_polygamma, otypes=[complex])(n, x), x)
    return kept(sp.polygamma(n, x), x)


def complex_polygamma(n: int, z: complex) -> complex:
    """psi_n(z) = psi_n(z + 1) - (-1)^n n! / z^{n+1} up to where the asymptotic series (DLMF 5.15.8) holds."""
    if n == 0:
        return complex(sp.psi(z))
    if z == 0 or not np.isfinite(z):
        return complex(math.nan, math.nan)
    sign, total = (-1.0) ** (n + 1), 0j
    while z.real < FAR and abs(z.imag) < FAR:
        if z == 0:
            return complex(math.nan, math.nan)
        total += math.factorial(n) / z ** (n + 1)
        z += 1
    series = math.factorial(n - 1) / z**n + math.factorial(n) / (2 * z ** (n + 1))
    for k, b in enumerate(BERNOULLI[:12], 1):
        series += b * math.factorial(2 * k + n - 1) / z ** (2 * k + n)
    return sign * (total + series)


def reciprocal_slope(y: Any, a: Any) -> Any:
    """d(1/Gamma)/dx = -psi(x) / Gamma(x); left of 1/2 by the reflection 1/Gamma(x) = Gamma(1-x) sin(pi x) / pi, where
    the poles of psi lie on the zeros of 1/Gamma."""

    def left(x: Any) -> Any:
        return sp.gamma(1 - x) * (cospi(x) - sinpi(x) * sp.psi(1 - x) / math.pi)

    return where(np.less(a, 0.5), a, left, lambda x: -sp.psi(x) * sp.rgamma(x), 0.25)


polygamma = special(polygamma_values, ["the order n", lambda y, n, a: polygamma(n + 1, a)], "polygamma")
psi = special(sp.psi, [lambda y, a: polygamma(1, a)])
gamma = special(sp.gamma, [lambda y, a: y * sp.psi(a)])
gammaln = special(sp.gammaln, [lambda y, a: sp.psi(a)])
loggamma = special(sp.loggamma, [lambda y, a: sp.psi(a)])
rgamma = special(sp.rgamma, [reciprocal_slope])
gammasgn = special(sp.gammasgn, [None])


def difference_values(n: Any, a: Any, b: Any) -> Any:
    """psi_n(a) - psi_n(a + b), without cancellation for a, a + b > 0, in the precision of a and b."""
    n = int(n)
    if np.iscomplexobj(a) or np.iscomplexobj(b):
        return kept(polygamma_values(n, a) - polygamma_values(n, np.add(a, b)), a, b)
    wide_a, wide_b = doubles("a difference of polygamma functions", a, b)
    regular = (wide_a > 0) & (wide_a + wide_b > 0)
    with np.errstate(all="ignore"):
        smooth = shifted_difference(n, np.where(regular, wide_a, 1.0), np.where(regular, wide_b, 0.0))
        return kept(np.where(regular, smooth, sp.polygamma(n, wide_a) - sp.polygamma(n, wide_a + wide_b)), a, b)


def shifted_difference(n: int, a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """By psi_n(x) = psi_n(x + N) - (-1)^n n! sum_{k<N} (x+k)^{-n-1} and the asymptotic series, term by term."""

    def powers(x: np.ndarray, p: int) -> np.ndarray:
        """x^-p - (x + b)^-p."""
        return -(x**-p) * np.expm1(-p * np.log1p(b / x))

    sign, total = (-1.0) ** (n + 1), np.zeros_like(a)
    for k in range(int(FAR)):
        total = total + math.factorial(n) * powers(a + k, n + 1)
    x = a + int(FAR)
    # sign is -1 for n = 0, where psi ~ log
    total = total + (math.factorial(n - 1) * powers(x, n) if n else np.log1p(b / x))
    total = total + math.factorial(n) / 2 * powers(x, n + 1)
    for k, c in enumerate(BERNOULLI[:12], 1):
        total = total + c * math.factorial(2 * k + n - 1) * powers(x, 2 * k + n)
    return sign * total


psi_difference = special(
    difference_values,
    [
        None,
        lambda y, n, a, b: psi_difference(n + 1, a, b),
        lambda y, n, a, b: -polygamma(n + 1, a + b),
    ],
    "polygamma_difference",
)


def psi_of_sum(a: Any, b: Any) -> Any:
    """d log B(a, b) / da = psi(a) - psi(a + b)."""
    return psi_difference(0, a, b)


beta = special(sp.beta, [lambda y, a, b: y * psi_of_sum(a, b), lambda y, a, b: y * psi_of_sum(b, a)])
betaln = special(sp.betaln, [lambda y, a, b: psi_of_sum(a, b), lambda y, a, b: psi_of_sum(b, a)])


def rising_start(y: Any, a: Any, m: Any, scale: Any = 1.0) -> Any:
    """d/da of y = scale Gamma(a+m) / Gamma(a), also at poles of the one or of both.

    For a > 0 it is y (psi(a+m) - psi(a)); for integers m with a + m <= 0, where y is (-1)^m Gamma(1-a) / Gamma(1-a-m),
    it is y (psi(1-a-m) - psi(1-a)); else the zero of 1/Gamma(a) cancels the pole of psi(a).
    """
    plain = np.greater(a, 0)
    falling = np.less_equal(a + m, 0) & np.equal(m, np.rint(m))
    other = np.logical_not(plain | falling)
    right = sp.psi(select(plain, a + m, 1.0)) - sp.psi(select(plain, a, 1.0))
    left = sp.psi(1 - select(falling, a + m, 0.0)) - sp.psi(1 - select(falling, a, 0.0))
    start, end = select(other, a, 1.0), select(other, a + m, 1.0)
    mixed = scale * sp.gamma(end) * (sp.psi(end) * sp.rgamma(start) + reciprocal_slope(None, start))
    return select(other, mixed, y * select(plain, right, left))


def choose_to(y: Any, n: Any, k: Any) -> Any:
    """d/dk of Gamma(n+1) / (Gamma(k+1) Gamma(n-k+1)), also where one of the latter two has a pole."""
    plain = np.greater(k, -1) & np.greater(n - k, -1)
    smooth = sp.psi(select(plain, n - k, 0.0) + 1) - sp.psi(select(plain, k, 0.0) + 1)
    m, j, i = (select(plain, 0.0, x) + 1 for x in (n, n - k, k))
    pole = sp.gamma(m) * (reciprocal_slope(None, i) * sp.rgamma(j) - sp.rgamma(i) * reciprocal_slope(None, j))
    return select(plain, y * smooth, pole)


poch = special(sp.poch, [rising_start, lambda y, a, m: y * sp.psi(a + m)])
binom = special(sp.binom, [lambda y, n, k: rising_start(y, n - k + 1, k, sp.rgamma(k + 1.0)), choose_to])
