"""Functions of the tables that SciPy has not got as a ufunc, written so that all of their derivatives exist."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import scipy.special as sp

from xform.ops.elementwise import Elementwise
from xform.ops.select import select
from xform.ops.structure import reduce_sum, reshape

LOG_2PI = math.log(2 * math.pi)

#: below it the series of log(1 + u) / u is summed, with so many terms that its derivatives are accurate as well
NEAR, TERMS = 0.03, 20

#: so many standard deviations are as good as infinitely many, but have derivatives
FAR = 1e10

NODES, WEIGHTS = np.polynomial.legendre.leggauss(64)


def log_normal_density(x: Any) -> Any:
    return -x * x / 2 - LOG_2PI / 2


def abs_values(x: Any, p: Any) -> Any:
    return np.power(np.abs(x), p)


def signed_values(x: Any, p: Any) -> Any:
    return np.where(np.equal(x, 0), 0.0, np.sign(x) * np.power(np.abs(x), p))[()]


# |x|^p and sign(x) |x|^p are, but for the factor p and one power less, each other's derivatives: also at x = 0
abs_power = Elementwise(
    "abs_power",
    abs_values,
    [lambda y, x, p: p * signed_power(x, p - 1), lambda y, x, p: sp.xlogy(y, np.abs(x))],
    singular=True,
)
signed_power = Elementwise(
    "signed_power",
    signed_values,
    [lambda y, x, p: p * abs_power(x, p - 1), lambda y, x, p: sp.xlogy(y, np.abs(x))],
    singular=True,
)


def log1p_ratio(u: Any) -> Any:
    """log(1 + u) / u, 1 at u = 0."""
    near = np.less(np.abs(u), NEAR)
    small, large = select(near, u, 0.0), select(near, 1.0, u)
    series: Any = 0.0
    for k in reversed(range(TERMS)):
        series = 1 / (k + 1) - small * series
    return select(near, series, np.log1p(large) / large)


def log_of_difference(a: Any, b: Any) -> Any:
    """log(e^a - e^b) for a >= b."""
    return a + np.log(-np.expm1(b - a))


def log_normal_mass(a: Any, b: Any) -> Any:
    """The logarithm of the probability of a standard normal value between a and b, in the tails as well."""
    a, b = np.maximum(a, -FAR), np.minimum(b, FAR)
    right = np.greater(a, 0)
    low, high = select(right, -b, a), select(right, -a, b)  # mirrored, so that the interval is on the left or central
    left = np.less_equal(high, 0)
    tail = log_of_difference(sp.log_ndtr(select(left, high, 0.0)), sp.log_ndtr(select(left, low, -1.0)))
    central = np.log1p(-sp.ndtr(select(left, -1.0, low)) - sp.ndtr(-select(left, 1.0, high)))
    return select(left, tail, central)


def with_normal_limit(limit: Callable[[Any], Any], function: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    """A function of x and degrees of freedom, which may be infinite."""

    def either(x: Any, df: Any) -> Any:
        infinite = np.isinf(df)
        return select(infinite, limit(x), function(x, select(infinite, 1.0, df)))

    return either


def von_mises_cdf(x: Any, kappa: Any) -> Any:
    """1/2 + int_0^x f by Gauss and Legendre's rule over at most twelve standard deviations, beyond which f vanishes."""
    turns = np.floor(x / (2 * math.pi) + 0.5)
    angle = x - 2 * math.pi * turns
    reach = 12.0 / np.sqrt(kappa + 1.0)
    half = np.minimum(np.maximum(angle, -reach), reach) / 2
    shape = np.broadcast_shapes(half.shape, kappa.shape)
    half, kappa = half + np.zeros(shape), kappa + np.zeros(shape)
    points = reshape(half, shape=(*shape, 1)) * (1.0 + NODES)
    density = np.exp(reshape(kappa, shape=(*shape, 1)) * sp.cosm1(points))
    integral = half * reduce_sum(density * WEIGHTS, axes=(len(shape),)) / (2 * math.pi * sp.i0e(kappa))
    return turns + 0.5 + integral
