"""Derivatives of Faddeeva's function and of Mills' ratio, of every order, without cancellation at large arguments.

    w(z) = e^{-z^2} erfc(-iz)           w^{(n+1)} = -2 z w^{(n)} - 2 n w^{(n-1)}             (DLMF 7.10.3)
    M_n(t) = int_0^inf u^n e^{-tu - u^2/2} du,    M_n' = -M_{n+1},    M_0(t) = sqrt(pi/2) erfcx(t / sqrt 2)

The recurrences lose digits where the terms nearly cancel; there asymptotic series or continued fractions are used.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import scipy.special as sp

from xform.scipy.special.table import SQRT_PI, doubles, kept, special

#: where the asymptotic series of w is accurate to the last digit
FAR = 7.5
TERMS = 32
#: finite, and so large that the powers of larger numbers would overflow
HUGE = 1e30
#: a factor that makes numbers complex of double precision
ONE = np.complex128(1)


def faddeeva_values(n: Any, z: Any) -> Any:
    """w^{(n)}(z) for an integer n >= 0 and complex z, in the precision of z."""
    n, wide = int(n), np.asarray(np.multiply(z, ONE))
    with np.errstate(all="ignore"):
        previous, w = np.zeros_like(wide), sp.wofz(wide)
        two = 2j / SQRT_PI
        for k in range(n):
            previous, w = w, -2 * wide * w + (two if k == 0 else -2 * k * previous)
        far = (np.abs(wide) > FAR) & (np.imag(wide) >= 0) & (n > 0)
        inside = np.where(far, np.where(np.abs(wide) < HUGE, wide, HUGE), FAR)
        return kept(np.where(far, asymptotic(n, inside), w), z)


def asymptotic(n: int, z: Any) -> Any:
    """w^{(n)} ~ (i / sqrt pi) sum_k (1/2)_k (-1)^n (2k+1)_n z^{-2k-1-n}   (DLMF 7.12.1, term by term)."""
    u, total = 1 / (z * z), np.zeros_like(z)
    for k in reversed(range(TERMS)):
        total = total * u + math.prod(j + 0.5 for j in range(k)) * math.prod(range(2 * k + 1, 2 * k + 1 + n))
    return 1j / SQRT_PI * (-1) ** n * total / z ** (1 + n)


def dawson_values(n: Any, x: Any) -> Any:
    """The n-th derivative of Dawson's integral, which for real x is sqrt(pi)/2 Im w(x)."""
    n, wide = int(n), np.multiply(x, np.float64(1))
    with np.errstate(all="ignore"):
        previous, f = np.zeros_like(wide), sp.dawsn(wide)
        for k in range(n):
            previous, f = f, -2 * wide * f + (1 if k == 0 else -2 * k * previous)
        if not np.iscomplexobj(wide):
            far = (np.abs(wide) > FAR) & (n > 0)
            series = SQRT_PI / 2 * np.imag(asymptotic(n, np.where(far, np.clip(wide, -HUGE, HUGE), FAR) * ONE))
            f = np.where(far, np.where(np.isinf(wide), 0, series), f)
    return kept(f, x)


def mills_values(n: Any, t: Any) -> Any:
    """r_n(t) = M_{n+1}(t) / M_n(t) for an integer n >= 0 and real t, in the precision of t."""
    n, (wide,) = int(n), doubles("Mills' ratio", t)
    limit = 1 + 9 / (n + 1) ** 2
    with np.errstate(all="ignore"):
        near = np.minimum(wide, limit)
        r = math.sqrt(2 / math.pi) / sp.erfcx(near / math.sqrt(2)) - near  # r_0 = 1/M_0 - t
        for k in range(1, n + 1):
            r = k / r - near  # M_{k+1} = k M_{k-1} - t M_k
        r = np.where(wide < -1e8, -wide, r)
        far = np.clip(wide, limit, HUGE)
        last = n + 8 + math.ceil((20 / limit) ** 2)
        s = (np.sqrt(far * far + 4 * last) - far) / 2
        for k in range(last, n, -1):
            s = k / (far + s)
        return kept(np.where(wide <= limit, r, np.where(np.isposinf(wide), 0, s)), t)


faddeeva = special(faddeeva_values, [None, lambda y, n, z: faddeeva(n + 1, z)], "faddeeva_derivative")
dawson = special(dawson_values, [None, lambda y, n, x: dawson(n + 1, x)], "dawsn_derivative")
mills_ratio = special(mills_values, [None, lambda y, n, t: y * (y - mills_ratio(n + 1, t))], "mills_ratio")
