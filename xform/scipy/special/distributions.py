"""Distribution functions and quantiles that are incomplete gamma or beta functions of simple arguments.

    chi^2   P(v/2, x/2)         gamma   P(b, a x)           F         I_w(n/2, d/2), w = n x / (d + n x)
    Poisson Q(k+1, m)           binomial 1 - I_p(k+1, n-k)  negative  I_p(n, k+1)

Discrete distributions are step functions of counts, which are rounded down, and have no derivative in them; their
inverses in a count, which take them as continuous, do.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.special as sp

from xform.ops.elementwise import mul_zero
from xform.ops.select import select
from xform.scipy.special.incomplete_beta import betainc_parameters
from xform.scipy.special.incomplete_beta import density as beta_density
from xform.scipy.special.incomplete_gamma import density as gamma_density
from xform.scipy.special.incomplete_gamma import gammainc_parameter
from xform.scipy.special.table import inverse, special


def negated(row: Any) -> list[Any]:
    """The partials of 1 - F, from those of F."""
    return [d if d is None or isinstance(d, str) else lambda y, *args, d=d: -d(y, *args) for d in row]


# --- chi-square and gamma ---

CHI_SQUARE = [
    lambda y, v, x: gammainc_parameter(1, v / 2, x / 2) / 2,
    lambda y, v, x: gamma_density(v / 2, x / 2) / 2,
]
GAMMA = [
    lambda y, a, b, x: x * gamma_density(b, a * x),
    lambda y, a, b, x: gammainc_parameter(1, b, a * x),
    lambda y, a, b, x: a * gamma_density(b, a * x),
]
chdtr, chdtrc = special(sp.chdtr, CHI_SQUARE), special(sp.chdtrc, negated(CHI_SQUARE))
chdtri, chdtriv = inverse(sp.chdtri, negated(CHI_SQUARE), 1), inverse(sp.chdtriv, CHI_SQUARE, 0)
gdtr, gdtrc = special(sp.gdtr, GAMMA), special(sp.gdtrc, negated(GAMMA))
gdtria, gdtrib, gdtrix = (inverse(f, GAMMA, k) for k, f in enumerate((sp.gdtria, sp.gdtrib, sp.gdtrix)))

# --- F ---


def f_density(n: Any, d: Any, x: Any) -> Any:
    """w^{n/2-1} r^{d/2-1} / B(n/2, d/2) dw/dx with r = 1 - w."""
    total = d + n * x
    w, r = n * x / total, d / total
    logs = sp.xlogy(n / 2 - 1, w) + sp.xlogy(d / 2 - 1, r) - sp.betaln(n / 2, d / 2)
    return np.exp(logs) * r * (n / total)


def f_parameter(which: int, n: Any, d: Any, x: Any) -> Any:
    """dI_w(a, b)/da or /db at w < 1/2, else from 1 - I_r(b, a)."""
    total = d + n * x
    w, r = n * x / total, d / total
    i, j = (0, 1) if which else (1, 0)
    low = np.less(w, 0.5)
    left = betainc_parameters(i, j, n / 2, d / 2, select(low, w, 0.5))
    return select(low, left, -betainc_parameters(j, i, d / 2, n / 2, select(low, 0.5, r))) / 2


F = [
    lambda y, n, d, x: f_parameter(0, n, d, x) + mul_zero(x / n, f_density(n, d, x)),
    lambda y, n, d, x: f_parameter(1, n, d, x) - mul_zero(x / d, f_density(n, d, x)),
    lambda y, n, d, x: f_density(n, d, x),
]
fdtr, fdtrc = special(sp.fdtr, F), special(sp.fdtrc, negated(F))
fdtri, fdtridfd = inverse(sp.fdtri, F, 2), inverse(sp.fdtridfd, F, 1)

# --- Poisson, binomial, negative binomial; with counts rounded down, and as continuous ---

POISSON = [None, lambda y, k, m: -gamma_density(np.floor(k) + 1.0, m)]
BINOMIAL = [None, None, lambda y, k, n, p: -beta_density(np.floor(k) + 1.0, n - np.floor(k), p)]
NEGATIVE = [None, None, lambda y, k, n, p: beta_density(n * 1.0, k + 1.0, p)]
POISSON_CONTINUED = [lambda y, k, m: -gammainc_parameter(1, k + 1, m), lambda y, k, m: -gamma_density(k + 1, m)]
BINOMIAL_CONTINUED = [
    lambda y, k, n, p: betainc_parameters(0, 1, k + 1, n - k, p) - betainc_parameters(1, 0, k + 1, n - k, p),
    lambda y, k, n, p: -betainc_parameters(0, 1, k + 1, n - k, p),
    lambda y, k, n, p: -beta_density(k + 1, n - k, p),
]
NEGATIVE_CONTINUED = [
    lambda y, k, n, p: betainc_parameters(0, 1, n, k + 1, p),
    lambda y, k, n, p: betainc_parameters(1, 0, n, k + 1, p),
    lambda y, k, n, p: beta_density(n, k + 1, p),
]
pdtr, pdtrc = special(sp.pdtr, POISSON), special(sp.pdtrc, negated(POISSON))
bdtr, bdtrc = special(sp.bdtr, BINOMIAL), special(sp.bdtrc, negated(BINOMIAL))
nbdtr, nbdtrc = special(sp.nbdtr, NEGATIVE), special(sp.nbdtrc, negated(NEGATIVE))
pdtri, bdtri, nbdtri = inverse(sp.pdtri, POISSON, 1), inverse(sp.bdtri, BINOMIAL, 2), inverse(sp.nbdtri, NEGATIVE, 2)
# where there is no count k >= 0, SciPy's answer is the constant 0
pdtrik = inverse(sp.pdtrik, POISSON_CONTINUED, 0, least=0.0)
bdtrik, nbdtrik = (
    inverse(f, row, 0, least=0.0) for f, row in ((sp.bdtrik, BINOMIAL_CONTINUED), (sp.nbdtrik, NEGATIVE_CONTINUED))
)
bdtrin, nbdtrin = inverse(sp.bdtrin, BINOMIAL_CONTINUED, 1), inverse(sp.nbdtrin, NEGATIVE_CONTINUED, 1)

# --- non-central chi-square ---


def noncentral_density(df: Any, nc: Any, x: Any) -> Any:
    """The central density times e^{-nc/2} 0F1(; df/2; nc x/4), for large nc x by the scaled Bessel function:
    e^{-(sqrt x - sqrt nc)^2/2} / 2 (x/nc)^{(df-2)/4} e^{-sqrt(nc x)} I_{df/2-1}(sqrt(nc x))."""
    far = np.greater(nc * x, 4000)
    near_nc, near_x = select(far, 0.0, nc), select(far, 1.0, x)
    near = gamma_density(df / 2, near_x / 2) / 2 * np.exp(-near_nc / 2) * sp.hyp0f1(df / 2, near_nc * near_x / 4)
    u, v = np.sqrt(select(far, x, 100.0)), np.sqrt(select(far, nc, 100.0))
    scaled = np.exp(-np.square(u - v) / 2) / 2 * np.power(u / v, df / 2 - 1) * sp.ive(df / 2 - 1, u * v)
    return select(far, scaled, near)


NONCENTRAL = [
    lambda y, x, df, nc: noncentral_density(df, nc, x),
    "the degrees of freedom df",
    lambda y, x, df, nc: -noncentral_density(df + 2.0, nc, x),
]
chndtr = special(sp.chndtr, NONCENTRAL)
chndtrix, chndtrinc = inverse(sp.chndtrix, NONCENTRAL, 0), inverse(sp.chndtrinc, NONCENTRAL, 2)
