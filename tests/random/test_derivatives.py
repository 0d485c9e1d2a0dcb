"""Derivatives in the parameters: of quantile functions against differences, implicit ones against SciPy's quantiles."""

from functools import partial

import numpy as np
import pytest
import scipy.special as sp
import scipy.stats as st

import xform
import xform.numpy as xnp
import xform.random as random
from xform.testing import check_grads

KEY = random.key(17)

SMOOTH = {
    "uniform": (lambda a, b: random.uniform(KEY, (3,), minval=a, maxval=b), (-1.0, 2.0)),
    "truncated_normal": (lambda a, b: random.truncated_normal(KEY, a, b, (3,)), (-0.5, 1.5)),
    "truncated_normal, in the tail": (lambda a, b: random.truncated_normal(KEY, a, b, (3,)), (3.0, 4.5)),
    "lognormal": (lambda s: random.lognormal(KEY, s, (3,)), (0.7,)),
    "pareto": (lambda b: random.pareto(KEY, b, (3,)), (2.5,)),
    "rayleigh": (lambda s: random.rayleigh(KEY, s, (3,)), (2.5,)),
    "weibull_min": (lambda s, c: random.weibull_min(KEY, s, c, (3,)), (2.5, 1.5)),
    "triangular": (lambda a, b, c: random.triangular(KEY, a, b, c, (4,)), (-1.0, 0.5, 3.0)),
    "double_sided_maxwell": (lambda m, s: random.double_sided_maxwell(KEY, m, s, (3,)), (0.5, 2.0)),
    "multivariate_normal": (lambda m, a: random.multivariate_normal(KEY, m, a @ a.T), (np.ones(2), np.eye(2) + 0.3)),
    "choice": (lambda a: random.choice(KEY, a, (4,)), (np.arange(3.0),)),
    "permutation": (lambda a: random.permutation(KEY, a, independent=True), (np.arange(6.0).reshape(3, 2),)),
}


@pytest.mark.parametrize("name", SMOOTH)
def test_smooth_samplers(name):
    f, parameters = SMOOTH[name]
    check_grads(f, parameters, order=2)


#: sampler, distribution of SciPy, parameters
IMPLICIT = [
    ("gamma", st.gamma, [1.0, 1.7, 12.0, 300.0]),
    ("chisquare", st.chi2, [2.5, 30.0]),
    ("wald", st.invgauss, [0.2, 1.0, 5.0]),
]


@pytest.mark.parametrize("name, distribution, values", IMPLICIT, ids=[case[0] for case in IMPLICIT])
def test_a_sample_moves_as_its_quantile(name, distribution, values):
    for a in values:
        f = partial(getattr(random, name), KEY, shape=(6,))
        x, first = xform.jvp(f, (a,), (1.0,))
        second = xform.jvp(xform.jacfwd(f), (a,), (1.0,))[1]
        q, h = distribution.cdf(x, a), 1e-3 * a
        left2, left, right, right2 = (distribution.ppf(q, a + k * h) for k in (-2, -1, 1, 2))
        np.testing.assert_allclose(first, (8 * (right - left) - (right2 - left2)) / (12 * h), rtol=2e-7, atol=1e-8)
        wanted = (16 * (right + left) - (right2 + left2) - 30 * x) / (12 * h * h)
        np.testing.assert_allclose(second, wanted, rtol=2e-4, atol=1e-4 / a)


def test_modes_and_orders_agree():
    f = partial(random.gamma, KEY, shape=(4,))
    forward, reverse = xform.jacfwd(f)(2.5), xform.jacrev(f)(2.5)
    np.testing.assert_allclose(forward, reverse, rtol=1e-13)

    def total(a):
        return xnp.sum(f(a))

    nested = xform.grad(xform.grad(xform.grad(total)))(2.5)
    series = xform.jet(total, (2.5,), ((1.0, 0.0, 0.0),))[1]
    np.testing.assert_allclose(series[2], nested, rtol=1e-10)


def test_compiled_derivatives():
    grad = xform.grad(lambda a: xnp.sum(random.gamma(KEY, a, (5,)) ** 2))
    np.testing.assert_allclose(xform.jit(grad)(2.5), grad(2.5), rtol=1e-12)
    batch = xform.vmap(xform.grad(lambda a, key: random.gamma(key, a)))
    keys, a = random.split(KEY, 4), np.array([0.5, 1.5, 3.0, 50.0])
    one = [xform.grad(lambda a, key=key: random.gamma(key, a))(value) for key, value in zip(keys, a, strict=True)]
    np.testing.assert_allclose(batch(a, keys), one, rtol=1e-13)


N = 20000

#: E[dx/da] = d/da E[x]: function of a parameter that samples, the derivative of its mean there
MEANS = {
    "gamma, below 1": (lambda a: random.gamma(KEY, a, (N,)), 0.3, 1.0),
    "gamma, above 1": (lambda a: random.gamma(KEY, a, (N,)), 5.0, 1.0),
    "loggamma, below 1": (lambda a: random.loggamma(KEY, a, (N,)), 0.05, sp.polygamma(1, 0.05)),
    "loggamma, above 1": (lambda a: random.loggamma(KEY, a, (N,)), 3.0, sp.polygamma(1, 3.0)),
    "beta, a": (lambda a: random.beta(KEY, a, 3.0, (N,)), 2.0, 3.0 / 25.0),
    "beta, b": (lambda b: random.beta(KEY, 2.0, b, (N,)), 0.5, -2.0 / 6.25),
    "chisquare": (lambda df: random.chisquare(KEY, df, (N,)), 5.0, 1.0),
    "t": (lambda df: random.t(KEY, df, (N,)) ** 2, 12.0, -2.0 / 100.0),
    "f, numerator": (lambda m: random.f(KEY, m, 12.0, (N,)), 3.0, 0.0),
    "f, denominator": (lambda n: random.f(KEY, 3.0, n, (N,)), 14.0, -2.0 / 144.0),
    "dirichlet": (lambda a: random.dirichlet(KEY, xnp.stack([a, 1.0, 2.0]), (N,))[:, 0], 2.0, 3.0 / 25.0),
    "generalized_normal": (
        lambda p: abs(random.generalized_normal(KEY, p, (N,))) ** p,
        1.7,
        -1.0 / 1.7**2,
    ),
    "wald": (lambda m: random.wald(KEY, m, (N,)), 2.0, 1.0),
}


@pytest.mark.parametrize("name", MEANS)
def test_the_mean_derivative_is_the_derivative_of_the_mean(name):
    f, at, wanted = MEANS[name]
    rates = xform.jvp(f, (at,), (1.0,))[1]
    assert abs(rates.mean() - wanted) < 4 * rates.std() / N**0.5 + 1e-12


def test_extreme_shapes_have_finite_derivatives():
    a = np.array([1e-6, 1e-3, 0.999999, 1.0, 1e3, 1e8])
    rates = xform.jvp(lambda a: random.loggamma(KEY, a), (a,), (np.ones(6),))[1]
    assert np.isfinite(rates).all()
    assert (rates > 0).all()
    np.testing.assert_allclose(rates[-1] * 1e8, 1.0, rtol=1e-3)


def test_single_precision():
    a = np.float32([0.5, 2.0, 30.0])
    rates = xform.jvp(lambda a: random.gamma(KEY, a, dtype=np.float32), (a,), (np.ones(3, np.float32),))[1]
    wide = xform.jvp(lambda a: random.gamma(KEY, a), (a.astype(float),), (np.ones(3),))[1]
    assert rates.dtype == np.float32
    np.testing.assert_allclose(rates, wide, rtol=1e-6)
