"""The table of continuous distributions: a row has the density and its integral, of the standard argument."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import scipy.special as sp
import scipy.stats

from xform.ops.elementwise import mul_zero
from xform.ops.select import select
from xform.scipy.special.table import kept, special
from xform.scipy.stats.continuous import POSITIVE, UNIT, Continuous
from xform.scipy.stats.special_functions import (
    LOG_2PI,
    abs_power,
    log1p_ratio,
    log_normal_density,
    log_normal_mass,
    von_mises_cdf,
    with_normal_limit,
)

SQRT_2 = math.sqrt(2.0)


def nothing(x: Any, *shapes: Any) -> Any:
    """Zeros in the shape of all arguments."""
    return sum((0.0 * s for s in shapes), 0.0 * x)


def always(*shapes: Any) -> Any:
    return True


def log_tangent(q: Any) -> Any:
    """log tan(pi q / 2), from the nearer end."""
    near = np.log(np.tan(math.pi / 2 * np.minimum(q, 1.0 - q)))
    return select(q > 0.5, -near, near)


def tangent(q: Any) -> Any:
    """tan(pi q / 2), from the nearer end."""
    near = np.tan(math.pi / 2 * np.minimum(q, 1.0 - q))
    return select(q > 0.5, 1.0 / near, near)


def half_tail(x: Any, beta: Any, sign: float) -> Any:
    """F for the sign 1, 1 - F for -1, of a density that is symmetric about 0."""
    tail = sp.gammaincc(1 / beta, np.power(np.abs(x), beta)) / 2
    return select(sign * x > 0, 1.0 - tail, tail)


# F = Phi(x) - 2 T(x, a) with Owen's function loses the left tail, which SciPy does not.
skewnorm_cdf = special(
    lambda x, a: kept(scipy.stats.skewnorm.cdf(x, a), x, a),
    [
        lambda y, x, a: 2.0 * np.exp(log_normal_density(x) + sp.log_ndtr(a * x)),
        lambda y, x, a: -np.exp(-x * x * (1 + a * a) / 2) / (math.pi * (1 + a * a)),
    ],
    "skewnorm_cdf",
)

# --- on the whole line ---

norm = Continuous(
    "norm",
    rest=log_normal_density,
    cdf=sp.ndtr,
    sf=lambda x: sp.ndtr(-x),
    logcdf=sp.log_ndtr,
    logsf=lambda x: sp.log_ndtr(-x),
    ppf=sp.ndtri,
    isf=lambda q: -sp.ndtri(q),
)
t = Continuous(
    "t",
    "df",
    rest=with_normal_limit(
        log_normal_density,
        lambda x, df: -(df + 1) / 2 * np.log1p(x * x / df) - np.log(df) / 2 - sp.betaln(df / 2, 0.5),
    ),
    cdf=with_normal_limit(sp.ndtr, lambda x, df: sp.stdtr(df, x)),
    sf=with_normal_limit(lambda x: sp.ndtr(-x), lambda x, df: sp.stdtr(df, -x)),
    ppf=with_normal_limit(sp.ndtri, lambda q, df: sp.stdtrit(df, q)),
    isf=with_normal_limit(lambda q: -sp.ndtri(q), lambda q, df: -sp.stdtrit(df, q)),
)
cauchy = Continuous(
    "cauchy",
    rest=lambda x: -np.log1p(x * x) - math.log(math.pi),
    cdf=lambda x: np.arctan2(1.0, -x) / math.pi,
    sf=lambda x: np.arctan2(1.0, x) / math.pi,
    ppf=lambda q: -np.cos(math.pi * q) / np.sin(math.pi * np.minimum(q, 1.0 - q)),
    isf=lambda q: np.cos(math.pi * q) / np.sin(math.pi * np.minimum(q, 1.0 - q)),
)
laplace = Continuous(
    "laplace",
    rest=lambda x: -np.abs(x) - math.log(2.0),
    cdf=lambda x: select(x > 0, 1.0 - np.exp(-np.abs(x)) / 2, np.exp(-np.abs(x)) / 2),
    sf=lambda x: select(x > 0, np.exp(-np.abs(x)) / 2, 1.0 - np.exp(-np.abs(x)) / 2),
    ppf=lambda q: select(q > 0.5, -np.log(2.0 * (1.0 - q)), np.log(2.0 * q)),
    isf=lambda q: select(q > 0.5, np.log(2.0 * (1.0 - q)), -np.log(2.0 * q)),
    by_density=True,
)
logistic = Continuous(
    "logistic",
    rest=lambda x: sp.log_expit(x) + sp.log_expit(-x),
    cdf=sp.expit,
    sf=lambda x: sp.expit(-x),
    logcdf=sp.log_expit,
    logsf=lambda x: sp.log_expit(-x),
    ppf=sp.logit,
    isf=lambda q: -sp.logit(q),
)
gumbel_r = Continuous(
    "gumbel_r",
    rest=lambda x: -x - np.exp(-x),
    cdf=lambda x: np.exp(-np.exp(-x)),
    sf=lambda x: -np.expm1(-np.exp(-x)),
    logcdf=lambda x: -np.exp(-x),
    ppf=lambda q: -np.log(-np.log(q)),
    isf=lambda q: -np.log(-np.log1p(-q)),
)
gumbel_l = Continuous(
    "gumbel_l",
    rest=lambda x: x - np.exp(x),
    cdf=lambda x: -np.expm1(-np.exp(x)),
    sf=lambda x: np.exp(-np.exp(x)),
    logsf=lambda x: -np.exp(x),
    ppf=lambda q: np.log(-np.log1p(-q)),
    isf=lambda q: np.log(-np.log(q)),
)
hypsecant = Continuous(
    "hypsecant",
    rest=lambda x: -np.logaddexp(x, -x) + math.log(2.0 / math.pi),
    cdf=lambda x: 2.0 / math.pi * np.arctan(np.exp(x)),
    sf=lambda x: 2.0 / math.pi * np.arctan(np.exp(-x)),
    ppf=log_tangent,
    isf=lambda q: -log_tangent(q),
)
exponnorm = Continuous(
    "exponnorm",
    "K",
    rest=lambda x, K: (0.5 / K - x) / K + sp.log_ndtr(x - 1 / K) - np.log(K),
    cdf=lambda x, K: sp.ndtr(x) - np.exp((0.5 / K - x) / K + sp.log_ndtr(x - 1 / K)),
    sf=lambda x, K: sp.ndtr(-x) + np.exp((0.5 / K - x) / K + sp.log_ndtr(x - 1 / K)),
)
loggamma = Continuous(
    "loggamma",
    "c",
    rest=lambda x, c: c * x - np.exp(x) - sp.gammaln(c),
    cdf=lambda x, c: sp.gammainc(c, np.exp(x)),
    sf=lambda x, c: sp.gammaincc(c, np.exp(x)),
)
gennorm = Continuous(
    "gennorm",
    "beta",
    rest=lambda x, beta: np.log(beta / 2) - sp.gammaln(1 / beta) - abs_power(x, beta),
    cdf=lambda x, beta: half_tail(x, beta, 1.0),
    sf=lambda x, beta: half_tail(x, beta, -1.0),
    by_density=True,
)
johnsonsu = Continuous(
    "johnsonsu",
    "a b",
    rest=lambda x, a, b: np.log(b) - np.log(np.hypot(1.0, x)) + log_normal_density(a + b * np.arcsinh(x)),
    cdf=lambda x, a, b: sp.ndtr(a + b * np.arcsinh(x)),
    sf=lambda x, a, b: sp.ndtr(-a - b * np.arcsinh(x)),
    logcdf=lambda x, a, b: sp.log_ndtr(a + b * np.arcsinh(x)),
    logsf=lambda x, a, b: sp.log_ndtr(-a - b * np.arcsinh(x)),
    ppf=lambda q, a, b: np.sinh((sp.ndtri(q) - a) / b),
    isf=lambda q, a, b: np.sinh((-sp.ndtri(q) - a) / b),
    valid=lambda a, b: np.logical_and(b > 0, a == a),
)
skewnorm = Continuous(
    "skewnorm",
    "a",
    rest=lambda x, a: math.log(2.0) + log_normal_density(x) + sp.log_ndtr(a * x),
    cdf=skewnorm_cdf,
    sf=lambda x, a: skewnorm_cdf(-x, -a),
    valid=np.isfinite,
)
vonmises = Continuous(
    "vonmises",
    "kappa",
    rest=lambda x, kappa: kappa * sp.cosm1(x) - LOG_2PI - np.log(sp.i0e(kappa)),
    cdf=von_mises_cdf,
    sf=lambda x, kappa: 1.0 - von_mises_cdf(x, kappa),
    valid=lambda kappa: kappa >= 0,
)


# --- on the positive numbers ---

halfnorm = Continuous(
    "halfnorm",
    rest=lambda x: log_normal_density(x) + math.log(2.0),
    cdf=lambda x: sp.erf(x / SQRT_2),
    sf=lambda x: 2.0 * sp.ndtr(-x),
    logsf=lambda x: beyond(x, lambda x: math.log(2.0) + sp.log_ndtr(-x), lambda x: sp.erf(x / SQRT_2)),
    ppf=lambda q: SQRT_2 * sp.erfinv(q),
    isf=lambda q: -sp.ndtri(q / 2),
    support=POSITIVE,
)
halfcauchy = Continuous(
    "halfcauchy",
    rest=lambda x: -np.log1p(x * x) + math.log(2.0 / math.pi),
    cdf=lambda x: 2.0 / math.pi * np.arctan(x),
    sf=lambda x: 2.0 / math.pi * np.arctan2(1.0, x),
    ppf=tangent,
    isf=lambda q: tangent(1.0 - q),
    support=POSITIVE,
)
halflogistic = Continuous(
    "halflogistic",
    rest=lambda x: math.log(2.0) + sp.log_expit(x) + sp.log_expit(-x),
    cdf=lambda x: np.tanh(x / 2),
    sf=lambda x: 2.0 * sp.expit(-x),
    logsf=lambda x: beyond(x, lambda x: math.log(2.0) + sp.log_expit(-x), lambda x: np.tanh(x / 2)),
    ppf=lambda q: 2.0 * np.arctanh(q),
    isf=lambda q: -sp.logit(q / 2),
    support=POSITIVE,
)
lognorm = Continuous(
    "lognorm",
    "s",
    rest=lambda x, s: log_normal_density(np.log(x) / s) - np.log(s) - np.log(x),
    cdf=lambda x, s: sp.ndtr(np.log(x) / s),
    sf=lambda x, s: sp.ndtr(-np.log(x) / s),
    logcdf=lambda x, s: sp.log_ndtr(np.log(x) / s),
    logsf=lambda x, s: sp.log_ndtr(-np.log(x) / s),
    ppf=lambda q, s: np.exp(s * sp.ndtri(q)),
    isf=lambda q, s: np.exp(-s * sp.ndtri(q)),
    support=POSITIVE,
    open=True,
)
expon = Continuous(
    "expon",
    rest=lambda x: -x,
    cdf=lambda x: -np.expm1(-x),
    sf=lambda x: np.exp(-x),
    logsf=lambda x: -x,
    ppf=lambda q: -np.log1p(-q),
    isf=lambda q: -np.log(q),
    support=POSITIVE,
)
gamma = Continuous(
    "gamma",
    "a",
    powers=lambda x, a: [(x, a - 1)],
    rest=lambda x, a: -x - sp.gammaln(a),
    cdf=lambda x, a: sp.gammainc(a, x),
    sf=lambda x, a: sp.gammaincc(a, x),
    ppf=lambda q, a: sp.gammaincinv(a, q),
    isf=lambda q, a: sp.gammainccinv(a, q),
    support=POSITIVE,
)
chi2 = Continuous(
    "chi2",
    "df",
    powers=lambda x, df: [(x, df / 2 - 1)],
    rest=lambda x, df: -x / 2 - sp.gammaln(df / 2) - math.log(2.0) * df / 2,
    cdf=lambda x, df: sp.gammainc(df / 2, x / 2),
    sf=lambda x, df: sp.gammaincc(df / 2, x / 2),
    ppf=lambda q, df: 2.0 * sp.gammaincinv(df / 2, q),
    isf=lambda q, df: 2.0 * sp.gammainccinv(df / 2, q),
    support=POSITIVE,
)
chi = Continuous(
    "chi",
    "df",
    powers=lambda x, df: [(x, df - 1)],
    rest=lambda x, df: math.log(2.0) - math.log(2.0) * df / 2 - sp.gammaln(df / 2) - x * x / 2,
    cdf=lambda x, df: sp.gammainc(df / 2, x * x / 2),
    sf=lambda x, df: sp.gammaincc(df / 2, x * x / 2),
    ppf=lambda q, df: np.sqrt(2.0 * sp.gammaincinv(df / 2, q)),
    isf=lambda q, df: np.sqrt(2.0 * sp.gammainccinv(df / 2, q)),
    support=POSITIVE,
    by_density=True,
)
maxwell = Continuous(
    "maxwell",
    powers=lambda x: [(x, 2.0)],
    rest=lambda x: math.log(2.0 / math.pi) / 2 - x * x / 2,
    cdf=lambda x: sp.gammainc(1.5, x * x / 2),
    sf=lambda x: sp.gammaincc(1.5, x * x / 2),
    ppf=lambda q: np.sqrt(2.0 * sp.gammaincinv(1.5, q)),
    isf=lambda q: np.sqrt(2.0 * sp.gammainccinv(1.5, q)),
    support=POSITIVE,
    by_density=True,
)
rayleigh = Continuous(
    "rayleigh",
    powers=lambda x: [(x, 1.0)],
    rest=lambda x: -x * x / 2,
    cdf=lambda x: -np.expm1(-x * x / 2),
    sf=lambda x: np.exp(-x * x / 2),
    logsf=lambda x: -x * x / 2,
    ppf=lambda q: np.sqrt(-2.0 * np.log1p(-q)),
    isf=lambda q: np.sqrt(-2.0 * np.log(q)),
    support=POSITIVE,
)
invgamma = Continuous(
    "invgamma",
    "a",
    rest=lambda x, a: -(a + 1) * np.log(x) - sp.gammaln(a) - 1.0 / x,
    cdf=lambda x, a: sp.gammaincc(a, 1.0 / x),
    sf=lambda x, a: sp.gammainc(a, 1.0 / x),
    ppf=lambda q, a: 1.0 / sp.gammainccinv(a, q),
    isf=lambda q, a: 1.0 / sp.gammaincinv(a, q),
    support=POSITIVE,
    open=True,
)
invgauss = Continuous(
    "invgauss",
    "mu",
    rest=lambda x, mu: -LOG_2PI / 2 - 1.5 * np.log(x) - np.square(x / mu - 1.0) / (2.0 * x),
    cdf=lambda x, mu: np.exp(invgauss_log(x, mu, 1.0)),
    sf=lambda x, mu: np.exp(invgauss_log(x, mu, -1.0)),
    logcdf=lambda x, mu: invgauss_log(x, mu, 1.0),
    logsf=lambda x, mu: invgauss_log(x, mu, -1.0),
    support=POSITIVE,
    open=True,
)
levy = Continuous(
    "levy",
    rest=lambda x: -LOG_2PI / 2 - 1.5 * np.log(x) - 0.5 / x,
    cdf=lambda x: sp.erfc(np.sqrt(0.5 / x)),
    sf=lambda x: sp.erf(np.sqrt(0.5 / x)),
    ppf=lambda q: 1.0 / np.square(sp.ndtri(q / 2)),
    isf=lambda q: 0.5 / np.square(sp.erfinv(q)),
    support=POSITIVE,
    open=True,
)
weibull_min = Continuous(
    "weibull_min",
    "c",
    powers=lambda x, c: [(x, c - 1)],
    rest=lambda x, c: np.log(c) - np.power(x, c),
    cdf=lambda x, c: -np.expm1(-np.power(x, c)),
    sf=lambda x, c: np.exp(-np.power(x, c)),
    logsf=lambda x, c: -np.power(x, c),
    ppf=lambda q, c: np.power(-np.log1p(-q), 1 / c),
    isf=lambda q, c: np.power(-np.log(q), 1 / c),
    support=POSITIVE,
)
betaprime = Continuous(
    "betaprime",
    "a b",
    rest=lambda x, a, b: sp.xlogy(a - 1, x) - sp.xlog1py(a + b, x) - sp.betaln(a, b),
    cdf=lambda x, a, b: sp.betainc(a, b, x / (1.0 + x)),
    sf=lambda x, a, b: sp.betainc(b, a, 1.0 / (1.0 + x)),
    support=POSITIVE,
    open=True,
)
f = Continuous(
    "f",
    "dfn dfd",
    powers=lambda x, dfn, dfd: [(x, dfn / 2 - 1)],
    rest=lambda x, n, d: (
        n / 2 * np.log(n) + d / 2 * np.log(d) - (n + d) / 2 * np.log(d + n * x) - sp.betaln(n / 2, d / 2)
    ),
    cdf=lambda x, dfn, dfd: sp.fdtr(dfn, dfd, x),
    sf=lambda x, dfn, dfd: sp.fdtrc(dfn, dfd, x),
    ppf=lambda q, dfn, dfd: sp.fdtri(dfn, dfd, q),
    support=POSITIVE,
)
lomax = Continuous(
    "lomax",
    "c",
    rest=lambda x, c: np.log(c) - (c + 1) * np.log1p(x),
    cdf=lambda x, c: -np.expm1(-c * np.log1p(x)),
    sf=lambda x, c: np.exp(-c * np.log1p(x)),
    logsf=lambda x, c: -c * np.log1p(x),
    ppf=lambda q, c: np.expm1(-np.log1p(-q) / c),
    isf=lambda q, c: np.expm1(-np.log(q) / c),
    support=POSITIVE,
)
gompertz = Continuous(
    "gompertz",
    "c",
    rest=lambda x, c: np.log(c) + x - c * np.expm1(x),
    cdf=lambda x, c: -np.expm1(-c * np.expm1(x)),
    sf=lambda x, c: np.exp(-c * np.expm1(x)),
    logsf=lambda x, c: -c * np.expm1(x),
    ppf=lambda q, c: np.log1p(-np.log1p(-q) / c),
    isf=lambda q, c: np.log1p(-np.log(q) / c),
    support=POSITIVE,
)


def beyond(x: Any, logsf: Any, cdf: Any) -> Any:
    """log(1 - F), near 0 from F."""
    far = x > 1
    return select(far, logsf(x), np.log1p(-cdf(select(far, 0.0, x))))


def invgauss_log(x: Any, mu: Any, sign: float) -> Any:
    """log F for the sign 1, log(1 - F) for -1: F = Phi(r (x/mu - 1)) + e^(2/mu) Phi(-r (x/mu + 1)), r = x^(-1/2)."""
    r = 1.0 / np.sqrt(x)
    first = sp.log_ndtr(sign * r * (x / mu - 1.0))
    second = 2.0 / mu + sp.log_ndtr(-r * (x / mu + 1.0))
    return first + np.log1p(sign * np.exp(second - first))


# --- on an interval, or on what lies beyond a point ---

uniform = Continuous(
    "uniform",
    rest=nothing,
    cdf=lambda x: x,
    sf=lambda x: 1.0 - x,
    ppf=lambda q: q,
    isf=lambda q: 1.0 - q,
    support=UNIT,
)
beta = Continuous(
    "beta",
    "a b",
    powers=lambda x, a, b: [(x, a - 1), (1.0 - x, b - 1)],
    rest=lambda x, a, b: nothing(x) - sp.betaln(a, b),
    cdf=lambda x, a, b: sp.betainc(a, b, x),
    sf=lambda x, a, b: sp.betaincc(a, b, x),
    ppf=lambda q, a, b: sp.betaincinv(a, b, q),
    isf=lambda q, a, b: sp.betainccinv(a, b, q),
    support=UNIT,
)
arcsine = Continuous(
    "arcsine",
    powers=lambda x: [(x, -0.5), (1.0 - x, -0.5)],
    rest=lambda x: nothing(x) - math.log(math.pi),
    cdf=lambda x: 2.0 / math.pi * np.arcsin(np.sqrt(x)),
    ppf=lambda q: np.square(np.sin(math.pi / 2 * q)),
    isf=lambda q: np.square(np.sin(math.pi / 2 * (1.0 - q))),
    support=UNIT,
)
powerlaw = Continuous(
    "powerlaw",
    "a",
    powers=lambda x, a: [(x, a - 1)],
    rest=lambda x, a: nothing(x) + np.log(a),
    cdf=np.power,
    sf=lambda x, a: -sp.powm1(x, a),
    logcdf=lambda x, a: a * np.log(x),
    ppf=lambda q, a: np.power(q, 1 / a),
    isf=lambda q, a: np.exp(np.log1p(-q) / a),
    support=lambda a: (select(a < 1, np.nextafter(0.0, 1.0), 0.0), 1.0),  # where it is infinite, SciPy leaves out 0
)
triang = Continuous(
    "triang",
    "c",
    powers=lambda x, c: [(rising(x, c), 1.0)],
    rest=lambda x, c: nothing(x, c) + math.log(2.0),
    cdf=lambda x, c: piece(x, c, lambda x, c: x * x / c, lambda x, c: 1.0 - np.square(1.0 - x) / (1.0 - c)),
    sf=lambda x, c: piece(x, c, lambda x, c: 1.0 - x * x / c, lambda x, c: np.square(1.0 - x) / (1.0 - c)),
    ppf=lambda q, c: select(q < c, np.sqrt(c * q), 1.0 - np.sqrt((1.0 - c) * (1.0 - q))),
    isf=lambda q, c: select(q > 1.0 - c, np.sqrt(c * (1.0 - q)), 1.0 - np.sqrt((1.0 - c) * q)),
    support=UNIT,
    valid=lambda c: np.logical_and(c >= 0, c <= 1),
)
truncnorm = Continuous(
    "truncnorm",
    "a b",
    rest=lambda x, a, b: log_normal_density(x) - log_normal_mass(a, b),
    cdf=lambda x, a, b: np.exp(log_normal_mass(a, x) - log_normal_mass(a, b)),
    sf=lambda x, a, b: np.exp(log_normal_mass(x, b) - log_normal_mass(a, b)),
    logcdf=lambda x, a, b: truncated_log(log_normal_mass(a, x), log_normal_mass(x, b), log_normal_mass(a, b)),
    logsf=lambda x, a, b: truncated_log(log_normal_mass(x, b), log_normal_mass(a, x), log_normal_mass(a, b)),
    support=lambda a, b: (a, b),
    valid=lambda a, b: a < b,
)
wrapcauchy = Continuous(
    "wrapcauchy",
    "c",
    rest=lambda x, c: np.log((1.0 - c) * (1.0 + c) / (2 * math.pi * (1.0 + c * c - 2.0 * c * np.cos(x)))),
    cdf=lambda x, c: np.arctan2((1.0 + c) * np.sin(x / 2), (1.0 - c) * np.cos(x / 2)) / math.pi,
    sf=lambda x, c: np.arctan2((1.0 + c) * np.sin(x / 2), -(1.0 - c) * np.cos(x / 2)) / math.pi,
    ppf=lambda q, c: 2.0 * np.arctan2((1.0 - c) * np.sin(math.pi * q), (1.0 + c) * np.cos(math.pi * q)),
    isf=lambda q, c: 2.0 * np.arctan2((1.0 - c) * np.sin(math.pi * q), -(1.0 + c) * np.cos(math.pi * q)),
    support=(0.0, 2 * math.pi),
    valid=lambda c: np.logical_and(c > 0, c < 1),
)
pareto = Continuous(
    "pareto",
    "b",
    rest=lambda x, b: np.log(b) - (b + 1) * np.log(x),
    cdf=lambda x, b: -np.expm1(-b * np.log(x)),
    sf=lambda x, b: np.power(x, -b),
    logsf=lambda x, b: -b * np.log(x),
    ppf=lambda q, b: np.exp(-np.log1p(-q) / b),
    isf=lambda q, b: np.power(q, -1 / b),
    support=(1.0, math.inf),
)
genpareto = Continuous(
    "genpareto",
    "c",
    rest=lambda x, c: -mul_zero(c + 1.0, x * log1p_ratio(c * x)),
    cdf=lambda x, c: -np.expm1(-x * log1p_ratio(c * x)),
    sf=lambda x, c: np.exp(-x * log1p_ratio(c * x)),
    logsf=lambda x, c: -x * log1p_ratio(c * x),
    ppf=lambda q, c: -np.log1p(-q) * sp.exprel(-c * np.log1p(-q)),
    isf=lambda q, c: -np.log(q) * sp.exprel(-c * np.log(q)),
    support=lambda c: (0.0 * c, select(c < 0, -1.0 / select(c < 0, c, -1.0), math.inf)),
    valid=np.isfinite,
)
genextreme = Continuous(
    "genextreme",
    "c",
    rest=lambda x, c: -np.exp(minus_log(x, c)) + minus_log(x, c) - np.log1p(-c * x),
    cdf=lambda x, c: np.exp(-np.exp(minus_log(x, c))),
    sf=lambda x, c: -np.expm1(-np.exp(minus_log(x, c))),
    logcdf=lambda x, c: -np.exp(minus_log(x, c)),
    ppf=lambda q, c: stretched(-np.log(-np.log(q)), c),
    isf=lambda q, c: stretched(-np.log(-np.log1p(-q)), c),
    support=lambda c: (
        select(c < 0, 1.0 / select(c < 0, c, -1.0), -math.inf),
        select(c > 0, 1.0 / select(c > 0, c, 1.0), math.inf),
    ),
    valid=np.isfinite,
    open=True,
)


def truncated_log(mass: Any, rest: Any, whole: Any) -> Any:
    """The logarithm of the share of a mass in the whole, near one from the rest."""
    large = mass - whole > -0.5
    return select(large, np.log1p(-np.exp(select(large, rest - whole, -1.0))), mass - whole)


def minus_log(x: Any, c: Any) -> Any:
    """log(-log F) = log(1 - c x) / c."""
    return -x * log1p_ratio(-c * x)


def stretched(x: Any, c: Any) -> Any:
    """(1 - e^(-c x)) / c, x for c = 0."""
    return x * sp.exprel(-c * x)


def piece(x: Any, c: Any, left: Any, right: Any) -> Any:
    """A function of the part of a triangle that x lies in, left or right of its top at c."""
    on_left = np.logical_or(x < c, np.equal(c, 1))
    return select(on_left, left(x, select(on_left, c, 1.0)), right(x, select(on_left, 0.0, c)))


def rising(x: Any, c: Any) -> Any:
    """The height over x of a triangle over (0, 1) with its top, one, at c."""
    return piece(x, c, lambda x, c: x / c, lambda x, c: (1.0 - x) / (1.0 - c))
