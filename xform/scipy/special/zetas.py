"""Hurwitz's and Riemann's zeta functions, Lambert's W and Wright's omega.

    d zeta(s, q)/dq = -s zeta(s+1, q) (DLMF 25.11.17),    W' = 1 / (e^W (1 + W)),    omega' = omega / (1 + omega)

The derivatives in s are those of Euler and Maclaurin's formula (DLMF 25.11.6 with many terms), with A = q + N:

    zeta(s, q) = sum_{k<N} (q+k)^{-s} + A^{1-s}/(s-1) + A^{-s}/2 + sum_j B_2j/(2j)! (s)_{2j-1} A^{1-s-2j}
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import scipy.special as sp

from xform.ops.select import select
from xform.scipy.special.gammas import BERNOULLI
from xform.scipy.special.table import cospi, doubles, is_complex, kept, not_known, sinpi, special

#: terms summed directly, and corrections
DIRECT, CORRECTIONS = 24, 16


def order_values(n: Any, s: Any, q: Any) -> Any:
    """d^n zeta(s, q) / ds^n for an integer n > 0, real s > -1 and q > 0, in their precision; nan elsewhere."""
    n = int(n)
    wide_s, wide_q = doubles("the derivative of zeta in x", s, q)
    with np.errstate(all="ignore"):
        known = (wide_q > 0) & (wide_s > -1) & (wide_s != 1)
        total = euler_maclaurin(n, np.where(known, wide_s, 2.0), np.where(known, wide_q, 1.0))
    return kept(np.where(known, total, np.nan), s, q)


def euler_maclaurin(n: int, s: np.ndarray, q: np.ndarray) -> np.ndarray:
    total = sum((-np.log(q + k)) ** n * (q + k) ** -s for k in range(DIRECT))
    a = q + DIRECT
    log = -np.log(a)
    # a^{1-s} / (s-1): d^m (s-1)^{-1} = (-1)^m m! (s-1)^{-1-m}
    pole = sum(
        math.comb(n, m) * log ** (n - m) * (-1) ** m * math.factorial(m) * (s - 1) ** (-1.0 - m) for m in range(n + 1)
    )
    total = total + a**-s * (a * pole + log**n / 2)
    rising = [s, np.ones_like(s), *(np.zeros_like(s) for _ in range(n - 1))]  # derivatives of (s)_{2j-1}
    for j in range(1, CORRECTIONS + 1):
        part = sum(math.comb(n, m) * log ** (n - m) * rising[m] for m in range(n + 1))
        total = total + BERNOULLI[j - 1] * part * a ** (1 - s - 2 * j)
        for factor in (s + 2 * j - 1, s + 2 * j):
            rising = [factor * d + (m * rising[m - 1] if m else 0) for m, d in enumerate(rising)]
    return total


zeta_order = special(
    order_values,
    [
        None,
        lambda y, n, s, q: zeta_order(n + 1, s, q),
        lambda y, n, s, q: -s * zeta_order(n, s + 1, q) - n * zeta_lower(n, s, q),
    ],
    "zeta_order",
)


def zeta_lower(n: int, s: Any, q: Any) -> Any:
    """d^{n-1}/ds^{n-1} of zeta(s + 1, q)."""
    return hurwitz(s + 1, q) if int(n) == 1 else zeta_order(n - 1, s + 1, q)


def hurwitz_values(s: Any, q: Any) -> Any:
    return kept(sp.zeta(s, q), s, q)


def riemann_values(s: Any) -> Any:
    return kept(sp.zeta(s), s)


def riemann_slope(y: Any, s: Any) -> Any:
    """For s < 0 from the reflection zeta(s) = 2 (2 pi)^{s-1} sin(pi s/2) Gamma(1-s) zeta(1-s)   (DLMF 25.4.1)."""
    if is_complex(s):
        not_known("zeta", "a complex argument")()
    left = np.less(s, 0)
    t = select(left, s, -0.5)
    front = 2 * np.exp((t - 1) * math.log(2 * math.pi) + sp.gammaln(1 - t))
    rate = math.log(2 * math.pi) - sp.psi(1 - t)
    reflected = front * (
        (sinpi(t / 2) * rate + math.pi / 2 * cospi(t / 2)) * riemann(1 - t) - sinpi(t / 2) * zeta_order(1, 1 - t, 1.0)
    )
    return select(left, reflected, zeta_order(1, select(left, 0.5, s), 1.0))


hurwitz = special(
    hurwitz_values,
    [lambda y, s, q: zeta_order(1, s, q), lambda y, s, q: -s * hurwitz(s + 1, q)],
    "hurwitz_zeta",
)
riemann = special(riemann_values, [riemann_slope], "riemann_zeta")
zetac = special(sp.zetac, [riemann_slope])


def lambert_values(z: Any, k: Any, tol: Any) -> Any:
    return kept(sp.lambertw(z, k, tol), z)


lambertw = special(lambert_values, [lambda w, z, k, tol: np.exp(-w) / (1 + w), None, None], "lambertw")
wrightomega = special(sp.wrightomega, [lambda w, z: w / (1 + w)])
