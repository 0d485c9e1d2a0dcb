"""The error function and its relatives, Fresnel's integrals, and the normal distribution.

erf'(x) = 2/sqrt(pi) e^{-x^2}          Phi'(x) = phi(x) = e^{-x^2/2} / sqrt(2 pi)        (DLMF 7.2)
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import scipy.special as sp

from xform.ops.complex import assemble, imag, real
from xform.ops.elementwise import mul_zero
from xform.ops.select import select
from xform.scipy.special.faddeeva import dawson, faddeeva, mills_ratio
from xform.scipy.special.table import SQRT_2PI, SQRT_PI, inverse, is_complex, several, special


def slope_of_erf(y: Any, a: Any) -> Any:
    return 2 / SQRT_PI * np.exp(-a * a)


def slope_of_erfcx(y: Any, a: Any) -> Any:
    """2 a erfcx(a) - 2/sqrt(pi), of real a without cancellation: -sqrt(2) erfcx(a) M_1/M_0 at sqrt(2) a."""
    if is_complex(a):
        return 2 * a * y - 2 / SQRT_PI
    return -math.sqrt(2) * mul_zero(y, mills_ratio(0, math.sqrt(2) * a))


def normal_density(y: Any, a: Any) -> Any:
    return np.exp(-a * a / 2) / SQRT_2PI


erf = special(sp.erf, [slope_of_erf], c={"f": "erf"})
erfc = special(sp.erfc, [lambda y, a: -slope_of_erf(y, a)])
erfcx = special(sp.erfcx, [slope_of_erfcx])
erfi = special(sp.erfi, [lambda y, a: 2 / SQRT_PI * np.exp(a * a)])
erfinv = special(sp.erfinv, [lambda y, a: SQRT_PI / 2 * np.exp(y * y)])
erfcinv = special(sp.erfcinv, [lambda y, a: -SQRT_PI / 2 * np.exp(y * y)])
dawsn = special(sp.dawsn, [lambda y, a: dawson(1, a)])
wofz = special(sp.wofz, [lambda y, a: faddeeva(1, a)])

fresnel_s, fresnel_c = several(
    sp.fresnel,
    ["fresnel_s", "fresnel_c"],
    [[lambda y, z: np.sin(math.pi / 2 * z * z)], [lambda y, z: np.cos(math.pi / 2 * z * z)]],
)


def modified_fresnel(ufunc: np.ufunc, sign: int, name: str) -> None:
    """F(x) = int_x^inf e^{s i t^2} dt and K(x) = e^{-s i (x^2 + pi/4)} F(x) / sqrt(pi), s = 1 or -1."""
    turn = complex(math.cos(math.pi / 4), -sign * math.sin(math.pi / 4)) / SQRT_PI
    several(
        ufunc,
        [f"{name}_f", f"{name}_k"],
        [
            [lambda y, x: -np.exp(sign * 1j * (x * x))],
            [lambda y, x: -2j * sign * x * y - turn],
        ],
    )


modified_fresnel(sp.modfresnelp, 1, "modfresnelp")
modified_fresnel(sp.modfresnelm, -1, "modfresnelm")

# --- Voigt's profile: V = Re w(z) / (sigma sqrt(2 pi)) with z = (x + i gamma) / (sigma sqrt 2) ---


def voigt_derivative(order: int, part: Any, x: Any, sigma: Any, gamma: Any) -> Any:
    """part(w^{(order)}(z)) / (sigma sqrt(2 pi) (sigma sqrt 2)^order)."""
    scale = sigma * math.sqrt(2)
    return part(faddeeva(order, assemble(x / scale, gamma / scale))) / (scale**order * sigma * SQRT_2PI)


def lorentz(x: Any, gamma: Any) -> Any:
    return gamma / (math.pi * (x * x + gamma * gamma))


def voigt_x(y: Any, x: Any, sigma: Any, gamma: Any) -> Any:
    """dV/dx; of width zero the Lorentz profile's."""
    pure, s = sigma == 0, select(sigma == 0, 1.0, sigma)
    slope = -2 * math.pi * x * lorentz(x, gamma) ** 2 / select(gamma == 0, 1.0, gamma)
    return select(pure, slope, voigt_derivative(1, real, x, s, gamma))


def voigt_sigma(y: Any, x: Any, sigma: Any, gamma: Any) -> Any:
    """dV/dsigma = sigma d^2V/dx^2, for the normal profile solves the heat equation."""
    return sigma * voigt_derivative(2, real, x, select(sigma == 0, 1.0, sigma), gamma)


def voigt_gamma(y: Any, x: Any, sigma: Any, gamma: Any) -> Any:
    """dV/dgamma = -Im w'(z) / ..., for z moves along i."""
    pure, s = sigma == 0, select(sigma == 0, 1.0, sigma)
    r = x * x + gamma * gamma
    return select(pure, (x * x - gamma * gamma) / (math.pi * r * r), -voigt_derivative(1, imag, x, s, gamma))


voigt_profile = special(sp.voigt_profile, [voigt_x, voigt_sigma, voigt_gamma])

# --- the normal distribution ---


def hazard_values(a: Any) -> Any:
    """phi(a) / Phi(a), which on the left is 1 / M_0(-a); of complex a from the logarithm of Phi."""
    if np.iscomplexobj(a):
        return np.exp(-a * a / 2 - sp.log_ndtr(a)) / SQRT_2PI
    with np.errstate(all="ignore"):
        left = math.sqrt(2 / math.pi) / sp.erfcx(-np.minimum(a, 0) / math.sqrt(2))
        return np.where(np.less(a, 0), left, np.exp(-a * a / 2) / (SQRT_2PI * sp.ndtr(a)))[()].astype(left.dtype)


def slope_of_hazard(y: Any, a: Any) -> Any:
    """h' = -h (h + a), where h + a = M_1/M_0 at -a does not cancel."""
    return -y * (y + a) if is_complex(a) else -mul_zero(y, mills_ratio(0, -a))


normal_hazard = special(hazard_values, [slope_of_hazard], "normal_hazard")
ndtr = special(sp.ndtr, [normal_density])
log_ndtr = special(sp.log_ndtr, [lambda y, a: normal_hazard(a)])
ndtri = inverse(sp.ndtri, [normal_density], 0)
ndtri_exp = special(sp.ndtri_exp, [lambda y, a: 1 / normal_hazard(y)])
owens_t = special(
    sp.owens_t,
    [
        lambda y, h, a: -normal_density(None, h) * sp.erf(a * h / math.sqrt(2)) / 2,
        lambda y, h, a: np.exp(-h * h * (1 + a * a) / 2) / (2 * math.pi * (1 + a * a)),
    ],
)

NORMAL = [  # partials of Phi((x - mean) / deviation)
    lambda p, mean, deviation, x: -normal_density(None, (x - mean) / deviation) / deviation,
    lambda p, mean, deviation, x: -(x - mean) / deviation * normal_density(None, (x - mean) / deviation) / deviation,
    lambda p, mean, deviation, x: normal_density(None, (x - mean) / deviation) / deviation,
]
nrdtrimn = inverse(sp.nrdtrimn, NORMAL, 0)
nrdtrisd = inverse(sp.nrdtrisd, NORMAL, 1)
