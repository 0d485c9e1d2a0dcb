"""Incomplete gamma functions and their inverses, in both arguments.

    P(a, x) = int_0^x t^{a-1} e^{-t} dt / Gamma(a)

Its derivatives in a are, for x < 1, those of the series (DLMF 8.7.1)

    P = x^a / Gamma(a+1) (1 + a sum_{k>0} (-x)^k / (k! (a + k))),

term by term; else they are expectations (see `expectation`) over t < x if x <= a, and if x > a, with the opposite sign,
over t > x.
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

#: terms of the series for x < 1
TERMS = 24


def parameter_values(n: Any, a: Any, x: Any) -> Any:
    """d^n P / da^n for an integer n > 0, in the precision of a and x; nan where P is."""
    wide_a, wide_x = doubles("the derivative of gammainc in a", a, x)
    inside = (wide_a >= 0) & (wide_x > 0) & np.isfinite(wide_a) & np.isfinite(wide_x)
    out = np.where(np.isnan(sp.gammainc(wide_a, wide_x)), np.nan, 0.0)  # no dependence on a at 0 and at infinity
    out[(wide_x == 0) & (wide_a == 0)] = np.nan
    with np.errstate(all="ignore"):
        for region, rule in (
            (inside & (wide_x < 1), by_series),
            (inside & (wide_x >= 1) & (wide_x <= wide_a), below),
            (inside & (wide_x >= 1) & (wide_x > wide_a), above),
        ):
            if region.any():
                out[region] = in_blocks(functools.partial(rule, int(n)), wide_a[region], wide_x[region])
    return kept(out, a, x)


def shifted_logarithm(a: np.ndarray, log_t: np.ndarray) -> Any:
    """The derivatives of L = (a - 1) log t - t - log Gamma(a + 1), which are regular at a = 0."""
    return lambda k, _: log_t - sp.psi(a + 1) if k == 1 else -sp.polygamma(k - 1, a + 1)


def by_series(n: int, a: np.ndarray, x: np.ndarray) -> np.ndarray:
    b = exponential_derivatives(n, 0, shifted_logarithm(a, np.log(x)))
    front = np.exp(a * np.log(x) - sp.gammaln(a + 1))
    total = np.zeros_like(a)
    for m in range(n + 1):  # the m-th derivative of 1 + sum_k (-x)^k/k! (1 - k/(a+k))
        tail = np.zeros_like(a)
        for k in reversed(range(1, TERMS)):
            part = a / (a + k) if m == 0 else -k * (-1) ** m * math.factorial(m) / (a + k) ** (m + 1)
            tail = tail + (-x) ** k / math.factorial(k) * part
        total = total + math.comb(n, m) * b[n - m, 0] * (tail + (m == 0))
    return front * total


def below(n: int, a: np.ndarray, x: np.ndarray) -> np.ndarray:
    """P times the mean over t = x e^{-s}, whose weight is e^{-(a s + x (e^{-s} - 1))}."""
    s = NODES / (a - x + np.sqrt(x))[:, None]
    b = exponential_derivatives(n, 0, logarithm(a[:, None], np.log(x)[:, None] - s))
    return sp.gammainc(a, x) * mean(b[n, 0], a[:, None] * s + x[:, None] * np.expm1(-s))


def logarithm(a: np.ndarray, log_t: np.ndarray) -> Any:
    """The derivatives of L = (a - 1) log t - t - log Gamma(a)."""
    return lambda k, _: log_t - sp.psi(a) if k == 1 else -sp.polygamma(k - 1, a)


def above(n: int, a: np.ndarray, x: np.ndarray) -> np.ndarray:
    """-Q times the mean over t = x e^s; with 1/Gamma(a) = a / Gamma(a+1), so that a small a does not cancel:
    d^n (a e^L) = (a B_n + n B_{n-1}) e^L, and Q / a is E_1(x) at a = 0."""
    s = NODES / (x - a + np.sqrt(x))[:, None]
    b = exponential_derivatives(n, 0, shifted_logarithm(a[:, None], np.log(x)[:, None] + s))
    values = a[:, None] * b[n, 0] + n * b[n - 1, 0]
    ratio = np.where(a < 1e-200, sp.exp1(x), sp.gammaincc(a, x) / a)
    return -ratio * mean(values, x[:, None] * np.expm1(s) - a[:, None] * s)


def density(a: Any, x: Any) -> Any:
    """dP/dx = x^{a-1} e^{-x} / Gamma(a)."""
    end = np.isposinf(x)
    t = select(end, 1.0, x)
    return select(end, 0.0, np.exp(sp.xlogy(a - 1, t) - t - sp.gammaln(a)))


def density_in_parameter(y: Any, n: int, a: Any, x: Any) -> Any:
    """d/dx d^n P / da^n."""

    def log(k: int, _: int) -> Any:
        return np.log(x) - sp.psi(a) if k == 1 else -polygamma(k - 1, a)

    return mul_zero(density(a, x), exponential_derivatives(int(n), 0, log)[int(n), 0])


gammainc_parameter = special(
    parameter_values,
    [None, lambda y, n, a, x: gammainc_parameter(n + 1, a, x), density_in_parameter],
    "gammainc_parameter",
)

P = [lambda y, a, x: gammainc_parameter(1, a, x), lambda y, a, x: density(a, x)]
Q = [lambda y, a, x: -gammainc_parameter(1, a, x), lambda y, a, x: -density(a, x)]
gammainc, gammaincc = special(sp.gammainc, P), special(sp.gammaincc, Q)
gammaincinv, gammainccinv = inverse(sp.gammaincinv, P, 1), inverse(sp.gammainccinv, Q, 1)
