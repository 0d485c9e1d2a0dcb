"""Student's t distribution, in its degrees of freedom as well.

    f(t) = (1 + t^2/v)^{-(v+1)/2} / (sqrt(v) B(v/2, 1/2))

The derivatives of F in v are int B_n f dt with B_n of `expectation`: for |t| < 1 from 0 to t by Gauss and Legendre's
rule, else minus the tail's probability times the mean over the tail, t = t_0 e^s.
"""

from __future__ import annotations

import functools
import math
from typing import Any

import numpy as np
import scipy.special as sp

from xform.ops.elementwise import mul_zero
from xform.ops.select import select
from xform.scipy.special.expectation import NODES, exponential_derivatives, in_blocks, mean
from xform.scipy.special.gammas import polygamma
from xform.scipy.special.table import doubles, inverse, kept, special

POINTS, GAUSS = np.polynomial.legendre.leggauss(32)


def log_density(v: Any, t: Any) -> Any:
    return -(v + 1) / 2 * np.log1p(t * t / v) - np.log(v) / 2 - sp.betaln(v / 2, 0.5)


def logarithm(v: Any, t: Any, psi_n: Any) -> Any:
    """The derivatives in v of the logarithm of the density, g = log(1 + t^2/v) having those of log(v+t^2) - log v."""
    square = t * t

    def g(k: int) -> Any:
        if k == 0:
            return np.log1p(square / v)
        if k == 1:
            return -square / (v * (v + square))
        return (-1) ** (k - 1) * math.factorial(k - 1) * ((v + square) ** -k - v**-k)

    def log(k: int, _: int) -> Any:
        return normalisation(k, v, psi_n) - ((v + 1) * g(k) + k * g(k - 1)) / 2

    return log


#: the series in 1/v^2 of the first derivative of the normalisation's logarithm, from the one of psi (DLMF 5.11.2)
SERIES = {2: 1 / 4, 4: -1 / 8, 6: 1 / 4, 8: -17 / 16, 10: 31 / 4}
LARGE = 100.0


def normalisation(k: int, v: Any, psi_n: Any) -> Any:
    """d^k/dv^k of -log(sqrt(v) B(v/2, 1/2)), for large v by its series, for the terms nearly cancel."""
    large = np.greater(v, LARGE)
    small, u = select(large, 1.0, v), select(large, v, LARGE)
    gammas = (psi_n(k - 1, (small + 1) / 2) - psi_n(k - 1, small / 2)) / 2**k
    exact = gammas - (-1) ** (k - 1) * math.factorial(k - 1) / (2 * small**k)
    terms = [c * (-1) ** (k - 1) * math.prod(range(p, p + k - 1)) * u ** -float(p + k - 1) for p, c in SERIES.items()]
    return select(large, sum(terms[1:], terms[0]), exact)


def freedom_values(n: Any, v: Any, t: Any) -> Any:
    """d^n F / dv^n for an integer n > 0, in the precision of v and t; nan where F is."""
    n = int(n)
    wide_v, wide_t = doubles("the derivative of stdtr in df", v, t)
    out = np.where(np.isnan(sp.stdtr(wide_v, wide_t)), np.nan, 0.0)
    inside = (wide_v > 0) & np.isfinite(wide_v) & np.isfinite(wide_t)
    size = np.abs(wide_t)
    with np.errstate(all="ignore"):
        for region, rule in ((inside & (size < 1), central), (inside & (size >= 1), tail)):
            if region.any():
                values = in_blocks(functools.partial(rule, n), wide_v[region], size[region])
                out[region] = np.sign(wide_t[region]) * values
    return kept(out, v, t)


def central(n: int, v: np.ndarray, t: np.ndarray) -> np.ndarray:
    v, nodes = v[:, None], t[:, None] * (POINTS + 1) / 2
    b = exponential_derivatives(n, 0, logarithm(v, nodes, sp.polygamma))[n, 0]
    return t / 2 * (GAUSS * np.exp(log_density(v, nodes)) * b).sum(-1)


def tail(n: int, v: np.ndarray, t: np.ndarray) -> np.ndarray:
    slope = (v + 1) * t * t / (v + t * t)
    s = NODES / np.where(v < 1, v, slope)[:, None]
    v, nodes = v[:, None], t[:, None] * np.exp(s)
    growth = t[:, None] ** 2 * np.expm1(2 * s) / (v + t[:, None] ** 2)
    b = exponential_derivatives(n, 0, logarithm(v, nodes, sp.polygamma))[n, 0]
    return -sp.stdtr(v[:, 0], -t) * mean(b, (v + 1) / 2 * np.log1p(growth) - s)


def density(v: Any, t: Any) -> Any:
    return np.exp(log_density(v, t))


def density_in_freedom(y: Any, n: int, v: Any, t: Any) -> Any:
    """d/dt d^n F / dv^n."""
    log = logarithm(v, select(np.isinf(t), 0.0, t), polygamma)
    return mul_zero(density(v, t), exponential_derivatives(int(n), 0, log)[int(n), 0])


stdtr_freedom = special(
    freedom_values,
    [None, lambda y, n, v, t: stdtr_freedom(n + 1, v, t), density_in_freedom],
    "stdtr_freedom",
)
STUDENT = [lambda y, v, t: stdtr_freedom(1, v, t), lambda y, v, t: density(v, t)]
stdtr = special(sp.stdtr, STUDENT)
stdtrit, stdtridf = inverse(sp.stdtrit, STUDENT, 1), inverse(sp.stdtridf, STUDENT, 0)
