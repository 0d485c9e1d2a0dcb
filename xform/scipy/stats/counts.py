"""The table of discrete distributions: a row has the probability of a count, and its sums."""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.special as sp

from xform.scipy.stats.discrete import Discrete


def probability(p: Any) -> Any:
    return np.logical_and(p >= 0, p <= 1)


def whole(*numbers: Any) -> Any:
    """Are they whole and not negative?"""
    valid: Any = True
    for n in numbers:
        valid = np.logical_and(valid, np.logical_and(n >= 0, np.equal(n, np.floor(n))))
    return valid


def log_binomial(n: Any, k: Any) -> Any:
    """The logarithm of n over k."""
    return -np.log(n + 1) - sp.betaln(n - k + 1, k + 1)


bernoulli = Discrete(
    "bernoulli",
    "p",
    powers=lambda k, p: [(p, k), (1.0 - p, 1.0 - k)],
    rest=lambda k, p: 0.0 * (k + p),
    cdf=lambda k, p: 1.0 - p,
    sf=lambda k, p: p + 0.0 * k,
    support=(0.0, 1.0),
    valid=probability,
)
binom = Discrete(
    "binom",
    "n p",
    powers=lambda k, n, p: [(p, k), (1.0 - p, n - k)],
    rest=lambda k, n, p: log_binomial(n, k),
    cdf=lambda k, n, p: sp.betaincc(k + 1, n - k, p),
    sf=lambda k, n, p: sp.betainc(k + 1, n - k, p),
    support=lambda n, p: (0.0 * n, n),
    valid=lambda n, p: np.logical_and(whole(n), probability(p)),
)
nbinom = Discrete(
    "nbinom",
    "n p",
    powers=lambda k, n, p: [(p, n), (1.0 - p, k)],
    rest=lambda k, n, p: sp.gammaln(n + k) - sp.gammaln(k + 1) - sp.gammaln(n),
    cdf=lambda k, n, p: sp.betainc(n, k + 1, p),
    sf=lambda k, n, p: sp.betaincc(n, k + 1, p),
    valid=lambda n, p: np.logical_and(n > 0, np.logical_and(p > 0, p <= 1)),
)
geom = Discrete(
    "geom",
    "p",
    powers=lambda k, p: [(1.0 - p, k - 1)],
    rest=lambda k, p: np.log(p) + 0.0 * k,
    cdf=lambda k, p: -np.expm1(k * np.log1p(-p)),
    sf=lambda k, p: np.exp(k * np.log1p(-p)),
    logsf=lambda k, p: k * np.log1p(-p),
    support=(1.0, np.inf),
    valid=lambda p: np.logical_and(p > 0, p <= 1),
)
poisson = Discrete(
    "poisson",
    "mu",
    powers=lambda k, mu: [(mu, k)],
    rest=lambda k, mu: -mu - sp.gammaln(k + 1),
    cdf=lambda k, mu: sp.gammaincc(k + 1, mu),
    sf=lambda k, mu: sp.gammainc(k + 1, mu),
    valid=lambda mu: mu >= 0,
)
betabinom = Discrete(
    "betabinom",
    "n a b",
    rest=lambda k, n, a, b: log_binomial(n, k) + sp.betaln(k + a, n - k + b) - sp.betaln(a, b),
    support=lambda n, a, b: (0.0 * n, n),
    valid=lambda n, a, b: np.logical_and(whole(n), np.logical_and(a > 0, b > 0)),
)
hypergeom = Discrete(
    "hypergeom",
    "M n N",
    rest=lambda k, M, n, N: log_binomial(n, k) + log_binomial(M - n, N - k) - log_binomial(M, N),
    support=lambda M, n, N: (np.maximum(N - (M - n), 0.0), np.minimum(n, N)),
    valid=lambda M, n, N: np.logical_and(whole(M, n, N), np.logical_and(n <= M, N <= M)),
)
logser = Discrete(
    "logser",
    "p",
    powers=lambda k, p: [(p, k)],
    rest=lambda k, p: -np.log(k) - np.log(-np.log1p(-p)),
    support=(1.0, np.inf),
    valid=lambda p: np.logical_and(p > 0, p < 1),
)
