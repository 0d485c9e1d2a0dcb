"""Every sampler of numbers at parameters of all kinds, with the distribution that SciPy knows it by."""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.stats as st

import xform.random as random

#: name, parameters, distribution
CONTINUOUS: list[tuple[str, tuple[Any, ...], Any]] = [
    ("uniform", (), st.uniform()),
    ("normal", (), st.norm()),
    ("exponential", (), st.expon()),
    ("laplace", (), st.laplace()),
    ("logistic", (), st.logistic()),
    ("gumbel", (), st.gumbel_r()),
    ("cauchy", (), st.cauchy()),
    ("maxwell", (), st.maxwell()),
    ("lognormal", (0.7,), st.lognorm(0.7)),
    ("pareto", (3.0,), st.pareto(3.0)),
    ("rayleigh", (2.0,), st.rayleigh(scale=2.0)),
    ("weibull_min", (2.0, 1.5), st.weibull_min(1.5, scale=2.0)),
    ("triangular", (-1.0, 0.5, 3.0), st.triang(0.375, loc=-1.0, scale=4.0)),
    ("triangular", (0.0, 0.0, 1.0), st.triang(0.0)),
    ("truncated_normal", (-1.0, 0.5), st.truncnorm(-1.0, 0.5)),
    ("truncated_normal", (6.0, np.inf), st.truncnorm(6.0, np.inf)),
    ("truncated_normal", (-np.inf, -12.0), st.truncnorm(-np.inf, -12.0)),
    ("wald", (0.5,), st.invgauss(0.5)),
    ("wald", (4.0,), st.invgauss(4.0)),
    ("gamma", (0.3,), st.gamma(0.3)),
    ("gamma", (1.0,), st.gamma(1.0)),
    ("gamma", (7.5,), st.gamma(7.5)),
    ("gamma", (1e4,), st.gamma(1e4)),
    ("loggamma", (0.01,), st.loggamma(0.01)),
    ("loggamma", (2.0,), st.loggamma(2.0)),
    ("beta", (0.5, 0.7), st.beta(0.5, 0.7)),
    ("beta", (3.0, 8.0), st.beta(3.0, 8.0)),
    ("chisquare", (3.0,), st.chi2(3.0)),
    ("t", (3.0,), st.t(3.0)),
    ("f", (5.0, 7.0), st.f(5.0, 7.0)),
    ("generalized_normal", (1.3,), st.gennorm(1.3)),
]

DISCRETE: list[tuple[str, tuple[Any, ...], Any]] = [
    ("poisson", (0.3,), st.poisson(0.3)),
    ("poisson", (9.5,), st.poisson(9.5)),
    ("poisson", (12.0,), st.poisson(12.0)),
    ("poisson", (1e5,), st.poisson(1e5)),
    ("binomial", (7, 0.4), st.binom(7, 0.4)),
    ("binomial", (50, 0.9), st.binom(50, 0.9)),
    ("binomial", (100, 0.3), st.binom(100, 0.3)),
    ("binomial", (10**9, 0.25), st.binom(10**9, 0.25)),
    ("geometric", (0.2,), st.geom(0.2)),
    ("bernoulli", (0.3,), st.bernoulli(0.3)),
]


def title(case: tuple[str, tuple[Any, ...], Any]) -> str:
    return f"{case[0]}{case[1]}"


def draw(name: str, key: Any, parameters: tuple[Any, ...], shape: tuple[int, ...]) -> Any:
    """Samples, whatever the sampler's signature is."""
    return getattr(random, name)(key, *parameters, shape=shape)
