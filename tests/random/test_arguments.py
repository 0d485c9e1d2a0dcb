"""Arguments that mean nothing are refused, with what was given and what was wanted; edges mean something."""

import numpy as np
import pytest

import xform
import xform.random as random
from tests.messages import says
from tests.test_layers import in_a_fresh_interpreter

KEY = random.key(0)

REFUSED = [
    (lambda: random.normal(KEY, (-1,)), ValueError, ("normal", "(-1,)")),
    (lambda: random.normal(KEY, 2.5), TypeError, ("normal", "2.5", "integers")),
    (lambda: random.normal(KEY, (), int), TypeError, ("normal", "int64", "float64")),
    (lambda: random.uniform(KEY, (2,), minval=np.zeros(3)), ValueError, ("uniform", "(3,)", "(2,)")),
    (lambda: random.uniform(KEY, (2,), complex), TypeError, ("uniform", "complex128")),
    (lambda: random.uniform(KEY, minval=1j), TypeError, ("uniform", "minval", "complex128")),
    (lambda: random.randint(KEY, (2,), 3, 3), ValueError, ("randint", "not empty")),
    (lambda: random.randint(KEY, (2,), 0.5, 3), TypeError, ("randint", "minval", "float64")),
    (lambda: random.randint(KEY, (2,), -1, 3, np.uint8), ValueError, ("randint", "minval = -1", "uint8")),
    (lambda: random.randint(KEY, (2,), 0, 257, np.uint8), ValueError, ("randint", "maxval = 257", "256")),
    (lambda: random.randint(KEY, (2,), 0, 3, float), TypeError, ("randint", "float64")),
    (lambda: random.bernoulli(KEY, 1.5), ValueError, ("bernoulli", "p = 1.5", "probability")),
    (lambda: random.bernoulli(KEY, 0.5, mode="best"), ValueError, ("bernoulli", "'best'", "'high'")),
    (lambda: random.rademacher(KEY, (), np.uint8), TypeError, ("rademacher", "uint8")),
    (lambda: random.gamma(KEY, -1.0), ValueError, ("gamma", "a = -1.0", "at least 0")),
    (lambda: random.gamma(KEY, np.ones(3), (2,)), ValueError, ("gamma", "(3,)", "(2,)")),
    (lambda: random.beta(KEY, 0.0, 1.0), ValueError, ("beta", "a = 0.0", "above 0")),
    (lambda: random.dirichlet(KEY, 1.0), ValueError, ("dirichlet", "shape ()")),
    (lambda: random.dirichlet(KEY, np.array([1.0, -2.0])), ValueError, ("dirichlet", "alpha = -2.0")),
    (lambda: random.t(KEY, 0.0), ValueError, ("random.t", "df = 0.0")),
    (lambda: random.wald(KEY, -1.0), ValueError, ("wald", "mean = -1.0")),
    (lambda: random.pareto(KEY, 0.0), ValueError, ("pareto", "b = 0.0")),
    (lambda: random.rayleigh(KEY, -2.0), ValueError, ("rayleigh", "scale = -2.0")),
    (lambda: random.weibull_min(KEY, 1.0, 0.0), ValueError, ("weibull_min", "concentration = 0.0")),
    (lambda: random.lognormal(KEY, -1.0), ValueError, ("lognormal", "sigma = -1.0")),
    (lambda: random.triangular(KEY, 0.0, 2.0, 1.0), ValueError, ("triangular", "right - mode = -1.0")),
    (lambda: random.truncated_normal(KEY, 2.0, 1.0), ValueError, ("truncated_normal", "upper - lower = -1.0")),
    (lambda: random.truncated_normal(KEY, 50.0, 51.0), ValueError, ("truncated_normal", "lower = 50.0", "below 37")),
    (lambda: random.poisson(KEY, -1.0), ValueError, ("poisson", "lam = -1.0")),
    (lambda: random.poisson(KEY, np.nan), ValueError, ("poisson", "lam = nan")),
    (lambda: random.poisson(KEY, 1e30), ValueError, ("poisson", "1e+30", "9.2e+18")),
    (lambda: random.poisson(KEY, 1.0, dtype=float), TypeError, ("poisson", "float64", "integers")),
    (lambda: random.binomial(KEY, 2.5, 0.5), ValueError, ("binomial", "n = 2.5", "whole")),
    (lambda: random.binomial(KEY, 2, -0.5), ValueError, ("binomial", "p = -0.5", "probabilities")),
    (lambda: random.geometric(KEY, 0.0), ValueError, ("geometric", "p = 0.0")),
    (lambda: random.multinomial(KEY, 5, np.array([0.5, 0.6])), ValueError, ("multinomial", "sum 1.1", "wanted 1")),
    (lambda: random.multinomial(KEY, 5, np.array([1.5, -0.5])), ValueError, ("multinomial", "-0.5", "below 0")),
    (lambda: random.choice(KEY, 3, p=np.array([0.5, 0.5])), ValueError, ("choice", "(2,)", "3")),
    (lambda: random.choice(KEY, 2, p=np.array([0.5, 0.4])), ValueError, ("choice", "0.9", "divide")),
    (lambda: random.choice(KEY, 3, (4,), replace=False), ValueError, ("choice", "4 of 3", "without replacement")),
    (
        lambda: random.choice(KEY, 3, (3,), replace=False, p=np.array([0.5, 0.5, 0.0])),
        ValueError,
        ("choice", "3 of 2", "without replacement"),
    ),
    (lambda: random.choice(KEY, 0), ValueError, ("choice", "1 of 0")),
    (lambda: random.choice(KEY, np.ones(3), axis=1), np.exceptions.AxisError, ("axis 1",)),
    (lambda: random.permutation(KEY, -1), ValueError, ("permutation", "x = -1")),
    (lambda: random.permutation(KEY, 2.5), TypeError, ("permutation", "float64")),
    (lambda: random.categorical(KEY, np.zeros((0,))), ValueError, ("categorical", "no classes")),
    (lambda: random.categorical(KEY, np.zeros(3), 1), np.exceptions.AxisError, ("axis 1",)),
    (lambda: random.categorical(KEY, np.zeros(3), shape=(4,), replace=False), ValueError, ("4 of 3",)),
    (lambda: random.multivariate_normal(KEY, np.zeros(2), np.eye(3)), ValueError, ("(2,)", "(3, 3)")),
    (lambda: random.multivariate_normal(KEY, np.zeros(2), np.eye(2), method="lu"), ValueError, ("'lu'", "cholesky")),
    (lambda: random.multivariate_normal(KEY, np.zeros(2), -np.eye(2)), np.linalg.LinAlgError, ("positive definite",)),
    (lambda: random.orthogonal(KEY, -1), ValueError, ("orthogonal", "-1")),
    (lambda: random.ball(KEY, 2.5), TypeError, ("ball", "2.5", "integer")),
    (lambda: random.ball(KEY, 2, np.ones(2)), ValueError, ("ball", "(2,)", "one number")),
]


@pytest.mark.parametrize("call, error, words", REFUSED, ids=[" ".join(words) for _, _, words in REFUSED])
def test_refused(call, error, words):
    with says(error, *words):
        call()


def test_refused_in_a_running_program():
    """What is only known when the program runs is refused there by the counts; other samples are nan."""
    with says(ValueError, "poisson", "lam = -1.0"):
        xform.jit(lambda lam: random.poisson(KEY, lam))(-1.0)
    with says(ValueError, "random.gamma", "a = -1.0"):
        xform.jit(lambda a: random.gamma(KEY, a))(-1.0)
    with says(ValueError, "beta", "b = -1.0"):
        xform.vmap(lambda b: random.beta(KEY, 1.0, b))(np.array([1.0, -1.0]))
    with says(TypeError, "permutation", "traced", "known"):
        xform.jit(lambda n: random.permutation(KEY, n))(3)


def test_nan_stays_nan():
    assert np.isnan(random.gamma(KEY, np.nan))
    assert np.isnan(random.lognormal(KEY, np.nan))
    x = random.gamma(KEY, np.array([1.0, np.nan, 3.0]))
    assert np.isnan(x).tolist() == [False, True, False]


def test_infinite_shapes_end():
    assert xform.jit(lambda a: random.gamma(KEY, a))(np.inf) == np.inf
    with says(ValueError, "gamma", "a = inf", "finite"):
        random.gamma(KEY, np.inf)


def test_nothing_needs_scipy():
    """Every sampler, its derivative, and the exact gelu, where SciPy cannot be imported."""
    code = """
import sys
sys.modules["scipy"] = None
import numpy as np, xform, xform.nn as nn, xform.random as random
key = random.key(0)
for name in random.__all__:
    sampler = getattr(random, name)
    count = {"gamma": 1, "loggamma": 1, "beta": 2, "t": 1, "f": 2, "chisquare": 1, "wald": 1, "poisson": 1}.get(name)
    if count:
        sampler(key, *[2.0] * count)
for f in (random.normal, random.exponential, random.gumbel):
    f(key)
random.truncated_normal(key, -1.0, 1.0), random.binomial(key, 100, 0.5), random.orthogonal(key, 3)
assert xform.grad(lambda a: random.gamma(key, a))(2.0) > 0
assert xform.grad(lambda x: nn.gelu(x, approximate=False))(1.0) > 1
print("done")
"""
    assert in_a_fresh_interpreter(code) == "done\n"


def test_edges():
    assert random.gamma(KEY, 0.0) == 0.0
    assert random.loggamma(KEY, 0.0) == -np.inf
    assert random.poisson(KEY, 0.0) == 0
    assert random.geometric(KEY, 1.0) == 1
    assert random.geometric(KEY, 1e-300, dtype=np.int16) == 2**15 - 1
    assert random.binomial(KEY, 0, 0.3) == 0.0
    assert random.binomial(KEY, 9, 1.0) == 9.0
    assert random.bernoulli(KEY, np.array([0.0, 1.0])).tolist() == [False, True]
    assert random.uniform(KEY, minval=2.0, maxval=2.0) == 2.0
    assert random.ball(KEY, 0, shape=(3,)).shape == (3, 0)
    assert random.dirichlet(KEY, np.ones((2, 0))).shape == (2, 0)
    assert random.multinomial(KEY, 7, np.array([1.0])).tolist() == [7.0]
    assert random.choice(KEY, 0, (0,)).shape == (0,)
    assert random.permutation(KEY, np.ones((0, 2))).shape == (0, 2)
    assert random.orthogonal(KEY, 0).shape == (0, 0)
    assert random.multivariate_normal(KEY, np.zeros(0), np.zeros((0, 0))).shape == (0,)
    assert np.isfinite(random.loggamma(KEY, 1e-200))


def test_shapes_may_be_integers_and_parameters_lists():
    assert random.normal(KEY, 3).shape == (3,)
    assert random.gamma(KEY, [1.0, 2.0]).shape == (2,)
    assert random.gamma(KEY, [[1.0], [2.0]], (5, 2, 3)).shape == (5, 2, 3)
    assert random.normal(list(KEY)).shape == ()
    assert random.poisson(KEY, 3).dtype == np.int64
    assert random.poisson(KEY, 3, dtype=np.int8).dtype == np.int8
    assert random.binomial(KEY, 3, 0.5).dtype == np.float64


def test_the_names_and_signatures_are_those_of_jax():
    """As jax.random of JAX 0.10 has them, without what concerns devices."""
    import inspect

    assert set(random.__all__) == set(SIGNATURES)
    for name, wanted in SIGNATURES.items():
        found = ", ".join(inspect.signature(getattr(random, name)).parameters)
        assert found == wanted, name


SIGNATURES = {
    "PRNGKey": "seed, impl",
    "ball": "key, d, p, shape, dtype",
    "bernoulli": "key, p, shape, mode",
    "beta": "key, a, b, shape, dtype",
    "binomial": "key, n, p, shape, dtype",
    "bits": "key, shape, dtype",
    "categorical": "key, logits, axis, shape, replace, mode",
    "cauchy": "key, shape, dtype",
    "chisquare": "key, df, shape, dtype",
    "choice": "key, a, shape, replace, p, axis, mode",
    "clone": "key",
    "dirichlet": "key, alpha, shape, dtype",
    "double_sided_maxwell": "key, loc, scale, shape, dtype",
    "exponential": "key, shape, dtype",
    "f": "key, dfnum, dfden, shape, dtype",
    "fold_in": "key, data",
    "gamma": "key, a, shape, dtype",
    "generalized_normal": "key, p, shape, dtype",
    "geometric": "key, p, shape, dtype",
    "gumbel": "key, shape, dtype, mode",
    "key": "seed, impl",
    "key_data": "keys",
    "key_dtype": "impl_spec",
    "key_impl": "keys",
    "laplace": "key, shape, dtype",
    "loggamma": "key, a, shape, dtype",
    "logistic": "key, shape, dtype",
    "lognormal": "key, sigma, shape, dtype",
    "maxwell": "key, shape, dtype",
    "multinomial": "key, n, p, shape, dtype, unroll",
    "multivariate_normal": "key, mean, cov, shape, dtype, method",
    "normal": "key, shape, dtype",
    "orthogonal": "key, n, shape, dtype, m",
    "pareto": "key, b, shape, dtype",
    "permutation": "key, x, axis, independent",
    "poisson": "key, lam, shape, dtype",
    "rademacher": "key, shape, dtype",
    "randint": "key, shape, minval, maxval, dtype",
    "rayleigh": "key, scale, shape, dtype",
    "split": "key, num",
    "t": "key, df, shape, dtype",
    "triangular": "key, left, mode, right, shape, dtype",
    "truncated_normal": "key, lower, upper, shape, dtype",
    "uniform": "key, shape, dtype, minval, maxval",
    "wald": "key, mean, shape, dtype",
    "weibull_min": "key, scale, concentration, shape, dtype",
    "wrap_key_data": "key_bits_array, impl",
}
