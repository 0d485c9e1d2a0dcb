"""Incomplete beta functions and their inverses, in all three arguments.

    I_x(a, b) = int_0^x t^{a-1} (1-t)^{b-1} dt / B(a, b)

The derivatives in a and b are expectations (see `expectation`) over t < x, or by I_x(a, b) = 1 - I_{1-x}(b, a) over
t > x. With t/(1-t) = e^{-s} x/(1-x) the weight is e^{-phi}, phi = a s + (a+b) log(1 + x (e^{-s} - 1)). For a
small a, of which log t has a mean of the size 1/a, they are those of the series (DLMF 8.17.7), term by term:

    I_x(a, b) = Gamma(a+b) / (Gamma(a+1) Gamma(b)) x^a (1 + a sum_{n>0} (1-b)_n / (n! (a+n)) x^n)
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import scipy.special as sp

from xform.ops.elementwise import mul_zero
from xform.scipy.special.expectation import NODES, exponential_derivatives, in_blocks, mean
from xform.scipy.special.gammas import difference_values, polygamma, psi_difference
from xform.scipy.special.table import doubles, inverse, kept, special

#: a below which the series is used; there x <= 1/2 and b x < 1
SMALL = 0.1
TERMS = 64


def parameter_values(i: Any, j: Any, a: Any, b: Any, x: Any) -> Any:
    """d^{i+j} I / da^i db^j for integers i + j > 0, in the precision of a, b and x; nan where I is."""
    p, q, t = doubles("the derivative of betainc in a and b", a, b, x)
    out = np.where(np.isnan(sp.betainc(p, q, t)), np.nan, 0.0)
    inside = (p > 0) & (q > 0) & (t > 0) & (t < 1) & np.isfinite(p) & np.isfinite(q)
    # over the smaller part, unless it is a plateau: t^a (1-t)^b is nearly constant from x down to 1/2
    left = np.where(t * (p + q) <= p, (t <= 0.5) | (p * (1 - t) >= 1), (t < 0.5) & (q * t < 1))
    small = np.where(left, p, q) < SMALL
    with np.errstate(all="ignore"):
        for which, rule in ((~small, below), (small, by_series)):
            place(out, inside & left & which, rule, (int(i), int(j)), (p, q, t), 1)
            place(out, inside & ~left & which, rule, (int(j), int(i)), (q, p, 1 - t), -1)
    return kept(out, a, b, x)


def place(out: np.ndarray, where: np.ndarray, rule: Callable[..., Any], orders: Any, args: Any, sign: int) -> None:
    if where.any():
        out[where] = sign * in_blocks(functools.partial(rule, *orders), *(v[where] for v in args))


def by_series(i: int, j: int, a: np.ndarray, b: np.ndarray, x: np.ndarray) -> np.ndarray:
    def log(k: int, m: int) -> Any:
        if k + m == 1:
            return np.log(x) + sp.psi(a + b) - sp.psi(a + 1) if k else sp.psi(a + b) - sp.psi(b)
        both = sp.polygamma(k + m - 1, a + b)
        return both if k and m else both - sp.polygamma(k + m - 1, a + 1 if k else b)

    front, sums = exponential_derivatives(i, j, log), np.zeros((i + 1, j + 1, a.size))
    sums[0, 0] = 1
    c = [np.ones_like(x), *(np.zeros_like(x) for _ in range(j))]  # derivatives of (1-b)_n x^n / n! in b
    for n in range(1, TERMS):
        c = [x / n * ((n - b) * c[q] - (q * c[q - 1] if q else 0)) for q in range(j + 1)]
        for p in range(i + 1):  # those of a / (a + n) = 1 - n / (a + n)
            rate = a / (a + n) if p == 0 else -n * (-1) ** p * math.factorial(p) / (a + n) ** (p + 1)
            sums[p] += rate * np.array(c)
    total = sum(
        math.comb(i, p) * math.comb(j, q) * front[i - p, j - q] * sums[p, q] for p in range(i + 1) for q in range(j + 1)
    )
    return total * np.exp(a * np.log(x) - sp.betaln(a, b) - np.log(a))


def below(i: int, j: int, a: np.ndarray, b: np.ndarray, x: np.ndarray) -> np.ndarray:
    spread = (a + b) * x * (1 - x)
    rate = np.where(spread < 1, a, np.maximum(a - (a + b) * x, 0) + np.sqrt(spread))
    s = NODES / rate[:, None]
    p, q, y = a[:, None], b[:, None], x[:, None]
    d = np.log1p(y * np.expm1(-s))  # log(1-t) = log(1-x) - d, log t = log x - s - d
    log = logarithm(p, q, np.log(y) - s - d, np.log1p(-y) - d, sp.polygamma, difference_values)
    return sp.betainc(a, b, x) * mean(exponential_derivatives(i, j, log)[i, j], p * s + (p + q) * d)


def logarithm(a: Any, b: Any, log_t: Any, log_rest: Any, psi_n: Any, difference: Any) -> Any:
    """The derivatives of L = (a-1) log t + (b-1) log(1-t) - log B(a, b) in a and b."""

    def log(k: int, m: int) -> Any:
        if k + m == 1:
            return log_t - difference(0, a, b) if k else log_rest - difference(0, b, a)
        if k and m:
            return psi_n(k + m - 1, a + b)
        return -difference(k - 1, a, b) if k else -difference(m - 1, b, a)

    return log


def density(a: Any, b: Any, x: Any) -> Any:
    """dI/dx = x^{a-1} (1-x)^{b-1} / B(a, b)."""
    return np.exp(sp.xlogy(a - 1, x) + sp.xlog1py(b - 1, -x) - sp.betaln(a, b))


def density_in_parameters(y: Any, i: int, j: int, a: Any, b: Any, x: Any) -> Any:
    """d/dx d^{i+j} I / da^i db^j."""
    i, j = int(i), int(j)
    log = logarithm(a, b, np.log(x), np.log1p(-x), polygamma, psi_difference)
    return mul_zero(density(a, b, x), exponential_derivatives(i, j, log)[i, j])


betainc_parameters = special(
    parameter_values,
    [
        None,
        None,
        lambda y, i, j, a, b, x: betainc_parameters(i + 1, j, a, b, x),
        lambda y, i, j, a, b, x: betainc_parameters(i, j + 1, a, b, x),
        density_in_parameters,
    ],
    "betainc_parameters",
)

BELOW = [
    lambda y, a, b, x: betainc_parameters(1, 0, a, b, x),
    lambda y, a, b, x: betainc_parameters(0, 1, a, b, x),
    lambda y, a, b, x: density(a, b, x),
]
ABOVE = [
    lambda y, a, b, x: -betainc_parameters(1, 0, a, b, x),
    lambda y, a, b, x: -betainc_parameters(0, 1, a, b, x),
    lambda y, a, b, x: -density(a, b, x),
]
betainc, betaincc = special(sp.betainc, BELOW), special(sp.betaincc, ABOVE)
betaincinv, betainccinv = inverse(sp.betaincinv, BELOW, 2), inverse(sp.betainccinv, ABOVE, 2)
btdtria, btdtrib = inverse(sp.btdtria, BELOW, 0), inverse(sp.btdtrib, BELOW, 1)
