"""Random numbers as pure functions of a key, with the names they have in `jax.random`.

    key = random.key(0)
    first, second = random.split(key)
    x = random.normal(first, (3,))

`xform.random.keys` says what a key is and which words its streams consist of. A sampler under `vmap` over keys gives,
bit for bit, what a loop over the keys gives; and the bits are the same on every machine, so that samples differ at most
in the last places of the functions that are applied to them. Samplers want one key, a shape, float64 unless another
dtype is given, and parameters that broadcast to the shape. They are differentiable in their parameters, by a path that
each sample takes: where the steps of a sampler are not smooth, it is that of the quantile at which the sample lies.
"""

from xform.random.choices import categorical, choice, permutation
from xform.random.counts import binomial, geometric, multinomial, poisson
from xform.random.gammas import ball, beta, chisquare, dirichlet, f, gamma, generalized_normal, loggamma, t
from xform.random.keys import (
    PRNGKey,
    clone,
    fold_in,
    key,
    key_data,
    key_dtype,
    key_impl,
    split,
    wrap_key_data,
)
from xform.random.matrices import multivariate_normal, orthogonal
from xform.random.quantiles import (
    cauchy,
    exponential,
    gumbel,
    laplace,
    logistic,
    lognormal,
    normal,
    pareto,
    rayleigh,
    triangular,
    truncated_normal,
    weibull_min,
)
from xform.random.speeds import double_sided_maxwell, maxwell, wald
from xform.random.uniforms import bernoulli, bits, rademacher, randint, uniform

__all__ = [
    "PRNGKey",
    "ball",
    "bernoulli",
    "beta",
    "binomial",
    "bits",
    "categorical",
    "cauchy",
    "chisquare",
    "choice",
    "clone",
    "dirichlet",
    "double_sided_maxwell",
    "exponential",
    "f",
    "fold_in",
    "gamma",
    "generalized_normal",
    "geometric",
    "gumbel",
    "key",
    "key_data",
    "key_dtype",
    "key_impl",
    "laplace",
    "loggamma",
    "logistic",
    "lognormal",
    "maxwell",
    "multinomial",
    "multivariate_normal",
    "normal",
    "orthogonal",
    "pareto",
    "permutation",
    "poisson",
    "rademacher",
    "randint",
    "rayleigh",
    "split",
    "t",
    "triangular",
    "truncated_normal",
    "uniform",
    "wald",
    "weibull_min",
    "wrap_key_data",
]
