"""The gamma distribution, and those that are made of gamma distributed numbers.

Their derivatives in the parameters are implicit ones (Figurnov, Mohamed, Mnih, "Implicit reparameterization gradients",
NeurIPS 2018): a gamma distributed sample of a shape of at least 1 moves as the quantile at which it lies. One of a
smaller shape a is a sample of the shape a + 1 times u^(1/a), and moves as such.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from xform.numpy.dispatch import ArrayLike, as_dtype, asarray
from xform.ops.random.random_gamma import random_gamma
from xform.ops.reduce import reduce_max
from xform.ops.select import select
from xform.ops.structure import broadcast_to
from xform.ops.transcendental import logistic
from xform.random.arguments import as_shape, demand, float_dtype, one_key, parameters, positive, real, sample_shape
from xform.random.keys import children, count_of
from xform.random.quantiles import exponential, normal
from xform.random.uniforms import between, rademacher

__all__ = ["ball", "beta", "chisquare", "dirichlet", "f", "gamma", "generalized_normal", "loggamma", "t"]

#: samples are computed in double precision, whatever dtype they are wanted in
WIDE = np.dtype(np.float64)


def log_of_gamma(key: Any, a: Any) -> Any:
    """log X with X gamma distributed of the shape a, of double precision.

    For a < 1, X = Y u^(1/a) with Y of the shape a + 1.
    """
    large, boost = children("gamma", key, 2)
    small = np.logical_and(np.greater_equal(a, 0), np.less(a, 1))
    t = random_gamma(large, a + small)
    with np.errstate(divide="ignore"):
        rest = np.log(between(boost, a.shape, WIDE)) / select(small, a, 1.0)
    return t + select(small, rest, 0.0)


def shape_parameter(name: str, shape: Any, a: Any) -> Any:
    (a,) = parameters(name, shape, WIDE, a=a)
    demand(name, "a", a, lambda x: (x >= 0) & (x < np.inf), "a finite number of at least 0")
    return a


def gamma(key: ArrayLike, a: ArrayLike, shape: Any = None, dtype: Any = None) -> Any:
    """Numbers of density x^(a - 1) e^-x / Gamma(a), x > 0, differentiable in a; ValueError if a < 0.

    Very small shapes give numbers that underflow: `loggamma` gives their logarithms.

    >>> import xform, xform.random as random
    >>> gamma(random.key(42), 3.0)
    np.float64(2.746653...)
    >>> xform.grad(lambda a: gamma(random.key(42), a))(3.0)
    np.float64(1.0...)
    """
    return as_dtype(
        np.exp(log_of_gamma(one_key("gamma", key), shape_parameter("gamma", shape, a))), float_dtype("gamma", dtype)
    )


def loggamma(key: ArrayLike, a: ArrayLike, shape: Any = None, dtype: Any = None) -> Any:
    """The logarithms of the numbers that `gamma` gives, without underflow.

    >>> import xform.random as random
    >>> loggamma(random.key(42), 1e-4)
    np.float64(-5410.297890...)
    """
    dtype = float_dtype("loggamma", dtype)
    return as_dtype(log_of_gamma(one_key("loggamma", key), shape_parameter("loggamma", shape, a)), dtype)


def beta(key: ArrayLike, a: ArrayLike, b: ArrayLike, shape: Any = None, dtype: Any = None) -> Any:
    """Numbers of density x^(a - 1) (1 - x)^(b - 1) / B(a, b), 0 < x < 1, differentiable in both; ValueError if <= 0.

    X / (X + Y) with X and Y gamma distributed of the shapes a and b.

    >>> import xform.random as random
    >>> beta(random.key(42), 2.0, 3.0)
    np.float64(0.773020...)
    """
    dtype, (a, b) = float_dtype("beta", dtype), parameters("beta", shape, WIDE, a=a, b=b)
    positive("beta", a=a, b=b)
    first, second = children("beta", key, 2)
    return as_dtype(logistic(log_of_gamma(first, a) - log_of_gamma(second, b)), dtype)


def dirichlet(key: ArrayLike, alpha: ArrayLike, shape: Any = None, dtype: Any = None) -> Any:
    """Probabilities along the last axis, of density proportional to the product of x_k^(alpha_k - 1), differentiable.

    `shape` is that of the samples without the last axis. Raises ValueError if alpha is no vector or not positive.

    >>> import xform.random as random
    >>> print(dirichlet(random.key(42), np.ones(3)).sum().round(12))
    1.0
    """
    dtype, alpha = float_dtype("dirichlet", dtype), real("dirichlet", "alpha", alpha, WIDE)
    if not alpha.ndim:
        raise ValueError("random.dirichlet: alpha of shape () was given, wanted at least one axis")
    positive("dirichlet", alpha=alpha)
    wanted = sample_shape("dirichlet", shape, alpha[..., 0] if alpha.shape[-1] else np.zeros(alpha.shape[:-1]))
    t = log_of_gamma(one_key("dirichlet", key), broadcast_to(alpha, (*wanted, alpha.shape[-1])))
    if not t.size:
        return as_dtype(t, dtype)
    x = np.exp(t - broadcast_to(reduce_max(t, axes=(t.ndim - 1,))[..., None], t.shape))
    return as_dtype(x / np.sum(x, axis=-1, keepdims=True), dtype)


def chisquare(key: ArrayLike, df: ArrayLike, shape: Any = None, dtype: Any = None) -> Any:
    """Sums of the squares of df standard normal numbers, differentiable in df; ValueError unless df > 0.

    >>> import xform.random as random
    >>> chisquare(random.key(42), 5.0)
    np.float64(4.477687...)
    """
    dtype, (df,) = float_dtype("chisquare", dtype), parameters("chisquare", shape, WIDE, df=df)
    positive("chisquare", df=df)
    return as_dtype(2 * np.exp(log_of_gamma(one_key("chisquare", key), df / 2)), dtype)


def t(key: ArrayLike, df: ArrayLike, shape: Any = None, dtype: Any = None) -> Any:
    """Numbers of Student's distribution, z / sqrt(chi^2 / df), differentiable in df; ValueError unless df > 0.

    >>> import xform.random as random
    >>> t(random.key(42), 4.0)
    np.float64(0.091151...)
    """
    dtype, (df,) = float_dtype("t", dtype), parameters("t", shape, WIDE, df=df)
    positive("t", df=df)
    first, second = children("t", key, 2)
    mean_square = np.exp(log_of_gamma(second, df / 2) - np.log(df / 2))
    return as_dtype(normal(first, df.shape) / np.sqrt(mean_square), dtype)


def f(key: ArrayLike, dfnum: ArrayLike, dfden: ArrayLike, shape: Any = None, dtype: Any = None) -> Any:
    """Numbers of Fisher's distribution, (chi_m^2 / m) / (chi_n^2 / n), differentiable in both; ValueError unless > 0.

    >>> import xform.random as random
    >>> f(random.key(42), 4.0, 6.0)
    np.float64(5.108540...)
    """
    dtype, (m, n) = float_dtype("f", dtype), parameters("f", shape, WIDE, dfnum=dfnum, dfden=dfden)
    positive("f", dfnum=m, dfden=n)
    first, second = children("f", key, 2)
    return as_dtype(np.exp(log_of_gamma(first, m / 2) - log_of_gamma(second, n / 2)) * (n / m), dtype)


def generalized_normal(key: ArrayLike, p: ArrayLike, shape: Any = (), dtype: Any = None) -> Any:
    """Numbers of density proportional to e^(-|x|^p), differentiable in p; ValueError unless p > 0.

    An empty `shape` is that of p.

    >>> import xform.random as random
    >>> generalized_normal(random.key(42), 3.0)
    np.float64(0.447545...)
    """
    dtype, (p,) = float_dtype("generalized_normal", dtype), parameters("generalized_normal", shape or None, WIDE, p=p)
    positive("generalized_normal", p=p)
    sizes, signs = children("generalized_normal", key, 2)
    return as_dtype(rademacher(signs, p.shape, WIDE) * np.exp(log_of_gamma(sizes, 1 / p) / p), dtype)


def ball(key: ArrayLike, d: int, p: ArrayLike = 2, shape: Any = (), dtype: Any = None) -> Any:
    """Points uniformly distributed in the ball |x_1|^p + ... + |x_d|^p <= 1, along a last axis.

    By F. Barthe, O. Guedon, S. Mendelson and A. Naor, "A probabilistic approach to the geometry of the l_p^n-ball",
    Annals of Probability 33 (2005). Raises ValueError unless d >= 0 and p > 0.

    >>> import xform.random as random
    >>> print(np.linalg.norm(ball(random.key(42), 3, shape=(1000,)), axis=-1).max().round(2))
    1.0
    """
    dtype, d, wanted = float_dtype("ball", dtype), count_of("ball", d), as_shape("ball", shape)
    p = real("ball", "p", asarray(p), WIDE)
    points, rest = children("ball", key, 2)
    if p.shape:
        raise ValueError(f"random.ball: p of shape {p.shape} was given, wanted one number")
    x = generalized_normal(points, p, (*wanted, *as_shape("ball", (d,))))
    power = np.sum(np.abs(x) ** p, axis=-1) + exponential(rest, wanted)
    return as_dtype(x / (power ** (1 / p))[..., None], dtype)
