"""Samplers of one uniform number u each: x = F^-1(u), with the quantile function F^-1 of the distribution.

They are differentiable in their parameters, as the quantile is. u is never 0 or 1, so all numbers are finite.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from xform.numpy.dispatch import ArrayLike, as_dtype
from xform.ops.normal_distribution import normal_cdf, normal_quantile
from xform.ops.select import select
from xform.random.arguments import as_shape, demand, float_dtype, one_key, parameters, positive
from xform.random.keys import children
from xform.random.uniforms import between, fine

__all__ = [
    "cauchy",
    "exponential",
    "gumbel",
    "laplace",
    "logistic",
    "lognormal",
    "normal",
    "pareto",
    "rayleigh",
    "triangular",
    "truncated_normal",
    "weibull_min",
]

#: beyond this many standard deviations the standard normal distribution is less than the smallest double
FARTHEST = 37.0


def drawn(name: str, key: Any, shape: Any, dtype: Any) -> Any:
    """u in (0, 1) of the shape and dtype that the caller asks for."""
    return between(one_key(name, key), as_shape(name, shape), float_dtype(name, dtype))


def normal(key: ArrayLike, shape: Any = (), dtype: Any = None) -> Any:
    """Standard normal numbers of `dtype` (float64); of a complex one z with E|z|^2 = 1.

    >>> import xform.random as random
    >>> print(normal(random.key(42), (3,)))
    [ 0.39597478 -0.52952906  1.3672612 ]
    """
    found = np.dtype(np.float64 if dtype is None else dtype)
    if found.kind == "c":
        parts = [normal(k, shape, np.dtype(f"f{found.itemsize // 2}")) for k in children("normal", key, 2)]
        return (parts[0] + 1j * parts[1]) * math.sqrt(0.5)
    return normal_quantile(drawn("normal", key, shape, found))


def truncated_normal(key: ArrayLike, lower: ArrayLike, upper: ArrayLike, shape: Any = None, dtype: Any = None) -> Any:
    """Standard normal numbers on the condition that they lie between `lower` and `upper`, differentiable in both.

        x = Phi^-1(Phi(lower) + u (Phi(upper) - Phi(lower)))

    Raises ValueError unless lower < upper, and if both lie on the same side beyond 37, where Phi is no number any more.

    >>> import xform.random as random
    >>> print(truncated_normal(random.key(42), 1.0, 2.0, (3,)))
    [1.21793846 1.52781165 1.04939388]
    """
    dtype, wide = float_dtype("truncated_normal", dtype), np.dtype(np.float64)
    low, high = parameters("truncated_normal", shape, wide, lower=lower, upper=upper)
    demand("truncated_normal", "lower", low, lambda x: x < FARTHEST, f"a number below {FARTHEST}")
    demand("truncated_normal", "upper", high, lambda x: x > -FARTHEST, f"a number above -{FARTHEST}")
    positive("truncated_normal", **{"upper - lower": np.subtract(high, select(np.isinf(low), -FARTHEST, low))})
    # the tail on the left has the precision: what lies to the right is mirrored
    mirrored = np.greater(np.maximum(low, -FARTHEST) + np.minimum(high, FARTHEST), 0)
    start, end = select(mirrored, -high, low), select(mirrored, -low, high)
    u, first = between(one_key("truncated_normal", key), low.shape, wide), normal_cdf(start)
    x = normal_quantile(first + u * (normal_cdf(end) - first))
    x = select(np.less(x, start), start, select(np.greater(x, end), end, x))
    return as_dtype(select(mirrored, -x, x), dtype)


def lognormal(key: ArrayLike, sigma: ArrayLike = 1.0, shape: Any = None, dtype: Any = None) -> Any:
    """e^(sigma z) with z standard normal; ValueError if sigma < 0.

    >>> import xform.random as random
    >>> lognormal(random.key(42), 0.5)
    np.float64(1.218947...)
    """
    dtype = float_dtype("lognormal", dtype)
    (scale,) = parameters("lognormal", shape, dtype, sigma=sigma)
    demand("lognormal", "sigma", scale, lambda x: x >= 0, "a number of at least 0")
    return np.exp(scale * normal(key, scale.shape, dtype))


def exponential(key: ArrayLike, shape: Any = (), dtype: Any = None) -> Any:
    """Numbers of density e^-x, x > 0: -log(1 - u).

    >>> import xform.random as random
    >>> exponential(random.key(42))
    np.float64(1.061137...)
    """
    return -np.log1p(-drawn("exponential", key, shape, dtype))


def laplace(key: ArrayLike, shape: Any = (), dtype: Any = None) -> Any:
    """Numbers of density e^-|x| / 2.

    >>> import xform.random as random
    >>> laplace(random.key(42))
    np.float64(0.367990...)
    """
    v = 2 * drawn("laplace", key, shape, dtype) - 1
    return np.copysign(np.log1p(-np.abs(v)), v)


def logistic(key: ArrayLike, shape: Any = (), dtype: Any = None) -> Any:
    """Numbers with the distribution function 1 / (1 + e^-x): log(u / (1 - u)).

    >>> import xform.random as random
    >>> logistic(random.key(42))
    np.float64(0.636395...)
    """
    u = drawn("logistic", key, shape, dtype)
    return np.log(u) - np.log1p(-u)


def gumbel(key: ArrayLike, shape: Any = (), dtype: Any = None, mode: str | None = None) -> Any:
    """Numbers with the distribution function e^(-e^-x): -log(-log(1 - u)).

    In the mode "high" u has twice the bits, so that large numbers are as precise as others. Raises ValueError for
    another mode than None, "low" and "high".

    >>> import xform.random as random
    >>> gumbel(random.key(42))
    np.float64(-0.059341...)
    """
    found, wanted = float_dtype("gumbel", dtype), as_shape("gumbel", shape)
    return -np.log(-np.log1p(-fine("gumbel", one_key("gumbel", key), wanted, found, mode)))


def cauchy(key: ArrayLike, shape: Any = (), dtype: Any = None) -> Any:
    """Numbers of density 1 / (pi (1 + x^2)): tan(pi (u - 1/2)).

    >>> import xform.random as random
    >>> cauchy(random.key(42))
    np.float64(0.525209...)
    """
    return np.tan(math.pi * (drawn("cauchy", key, shape, dtype) - 0.5))


def pareto(key: ArrayLike, b: ArrayLike, shape: Any = None, dtype: Any = None) -> Any:
    """Numbers of density b x^(-b - 1), x > 1: (1 - u)^(-1/b), differentiable in b; ValueError unless b > 0.

    >>> import xform.random as random
    >>> pareto(random.key(42), 2.0)
    np.float64(1.699899...)
    """
    dtype = float_dtype("pareto", dtype)
    (power,) = parameters("pareto", shape, dtype, b=b)
    positive("pareto", b=power)
    return np.exp(exponential(key, power.shape, dtype) / power)


def rayleigh(key: ArrayLike, scale: ArrayLike, shape: Any = None, dtype: Any = None) -> Any:
    """Numbers of density x e^(-x^2 / (2 s^2)) / s^2, x > 0, differentiable in the scale s; ValueError unless s > 0.

    >>> import xform.random as random
    >>> rayleigh(random.key(42), 1.0)
    np.float64(1.456803...)
    """
    dtype = float_dtype("rayleigh", dtype)
    (size,) = parameters("rayleigh", shape, dtype, scale=scale)
    positive("rayleigh", scale=size)
    return size * np.sqrt(2 * exponential(key, size.shape, dtype))


def weibull_min(key: ArrayLike, scale: ArrayLike, concentration: ArrayLike, shape: Any = (), dtype: Any = None) -> Any:
    """scale (-log(1 - u))^(1 / concentration), differentiable in both; ValueError unless both are positive.

    An empty `shape` is that of the parameters.

    >>> import xform.random as random
    >>> weibull_min(random.key(42), 2.0, 1.5)
    np.float64(2.080708...)
    """
    dtype = float_dtype("weibull_min", dtype)
    size, power = parameters("weibull_min", shape or None, dtype, scale=scale, concentration=concentration)
    positive("weibull_min", scale=size, concentration=power)
    return size * exponential(key, size.shape, dtype) ** (1 / power)


def triangular(
    key: ArrayLike, left: ArrayLike, mode: ArrayLike, right: ArrayLike, shape: Any = None, dtype: Any = None
) -> Any:
    """Numbers whose density rises linearly from `left` to `mode` and falls to `right`, differentiable in all three.

    Raises ValueError unless left <= mode <= right and left < right.

    >>> import xform.random as random
    >>> triangular(random.key(42), 0.0, 1.0, 3.0)
    np.float64(1.559038...)
    """
    dtype = float_dtype("triangular", dtype)
    a, c, b = parameters("triangular", shape, dtype, left=left, mode=mode, right=right)
    positive("triangular", **{"right - left": b - a})
    for option, x in (("mode - left", c - a), ("right - mode", b - c)):
        demand("triangular", option, x, lambda value: value >= 0, "a number of at least 0")
    u = between(one_key("triangular", key), a.shape, dtype)
    rising = np.less(u * (b - a), c - a)
    return select(rising, a + np.sqrt(u * (b - a) * (c - a)), b - np.sqrt((1 - u) * (b - a) * (b - c)))
