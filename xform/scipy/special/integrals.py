"""Integrals: exponential, sine and cosine integrals, the dilogarithm, those of Bessel functions; Struve functions.

Their derivatives are the integrands, written so that they are smooth where numerator and denominator vanish together.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import scipy.special as sp

from xform.ops.select import select
from xform.scipy.special.spherical import spherical_in, spherical_jn
from xform.scipy.special.table import polynomial, several, special, where

exp1 = special(sp.exp1, [lambda y, z: -np.exp(-z) / z])
expi = special(sp.expi, [lambda y, z: np.exp(z) / z])


def slope_of_expn(y: Any, n: Any, x: Any) -> Any:
    """E_n' = -E_{n-1}, and E_0 = e^{-x} / x, so that E_0' = -E_0 (1 + 1/x)   (DLMF 8.19.13)."""
    first = np.equal(n, 0)
    return -select(first, y * (1 + 1 / x), sp.expn(np.maximum(n, 1) - 1, x))


expn = special(sp.expn, [None, slope_of_expn])

sici_s, sici_c = several(
    sp.sici,
    ["sine_integral", "cosine_integral"],
    [[lambda y, z: spherical_jn(0, z)], [lambda y, z: np.cos(z) / z]],
)
shichi_s, shichi_c = several(
    sp.shichi,
    ["hyperbolic_sine_integral", "hyperbolic_cosine_integral"],
    [[lambda y, z: spherical_in(0, z)], [lambda y, z: np.cosh(z) / z]],
)


def slope_of_spence(y: Any, z: Any) -> Any:
    """log z / (1 - z), near 1 as -2F1(1, 1; 2; 1 - z)."""
    return where(
        np.less(np.abs(z - 1), 0.5),
        z,
        lambda u: -sp.hyp2f1(1.0, 1.0, 2.0, 1 - u),
        lambda u: np.log(u) / (1 - u),
        0.75,
    )


spence = special(sp.spence, [slope_of_spence])

# --- integrals of Bessel and Struve functions of order 0 ---

#: |x| below which the quotients are summed as power series
NEAR = 2.0
#: (1 - J_0(x)) / x = x sum_k (-1)^k (x/2)^{2k} / (4 (k+1)!^2), and with alternating signs (I_0 - 1) / x
BESSEL = [1 / (4.0 ** (k + 1) * math.factorial(k + 1) ** 2) for k in range(14)]
#: H_0(x) / x = sum_k (-1)^k (x/2)^{2k} / (2 Gamma(k + 3/2)^2)
STRUVE = [1 / (2 * 4.0**k * math.gamma(k + 1.5) ** 2) for k in range(14)]


def quotient_j(x: Any) -> Any:
    """(1 - J_0(x)) / x."""
    return where(
        np.less(np.abs(x), NEAR), x, lambda u: u * polynomial(BESSEL, -u * u), lambda u: (1 - sp.j0(u)) / u, NEAR
    )


def quotient_i(x: Any) -> Any:
    """(I_0(x) - 1) / x."""
    return where(
        np.less(np.abs(x), NEAR), x, lambda u: u * polynomial(BESSEL, u * u), lambda u: (sp.i0(u) - 1) / u, NEAR
    )


def quotient_struve(x: Any) -> Any:
    """H_0(x) / x."""
    return where(np.less(np.abs(x), NEAR), x, lambda u: polynomial(STRUVE, -u * u), lambda u: sp.struve(0, u) / u, NEAR)


itj0y0 = several(sp.itj0y0, ["itj0", "ity0"], [[lambda y, x: sp.j0(x)], [lambda y, x: sp.y0(x)]])
iti0k0 = several(sp.iti0k0, ["iti0", "itk0"], [[lambda y, x: sp.i0(x)], [lambda y, x: sp.k0(x)]])
it2j0y0 = several(sp.it2j0y0, ["it2j0", "it2y0"], [[lambda y, x: quotient_j(x)], [lambda y, x: -sp.y0(x) / x]])
it2i0k0 = several(sp.it2i0k0, ["it2i0", "it2k0"], [[lambda y, x: quotient_i(x)], [lambda y, x: -sp.k0(x) / x]])
itstruve0 = special(sp.itstruve0, [lambda y, x: sp.struve(0, x)])
itmodstruve0 = special(sp.itmodstruve0, [lambda y, x: sp.modstruve(0, x)])
it2struve0 = special(sp.it2struve0, [lambda y, x: -quotient_struve(x)])


def struve_slope(ufunc: np.ufunc, sign: int) -> Any:
    """f_v' = (f_{v-1} -+ f_{v+1} + g) / 2 with g = (x/2)^v / (sqrt(pi) Gamma(v + 3/2)), of order 0 g -+ f_1
    (DLMF 11.4.27 and 11.4.28)."""

    def slope(y: Any, v: Any, x: Any) -> Any:
        g = np.power(x / 2, v * 1.0) * (sp.rgamma(v + 1.5) / math.sqrt(math.pi))
        upper, zero = sign * ufunc(v + 1.0, x), np.equal(v, 0)
        return select(zero, g + upper, (ufunc(select(zero, 1.0, v) - 1.0, x) + upper + g) / 2)

    return slope


struve = special(sp.struve, ["the order v", struve_slope(sp.struve, -1)])
modstruve = special(sp.modstruve, ["the order v", struve_slope(sp.modstruve, 1)])
