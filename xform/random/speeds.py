"""Distributions of speeds and passage times, made of normal numbers: Maxwell's and Wald's."""

from __future__ import annotations

from typing import Any

import numpy as np

from xform.control.custom.doors import custom_jvp
from xform.numpy.dispatch import ArrayLike, as_dtype
from xform.ops.normal_distribution import normal_mills
from xform.ops.select import select
from xform.random.arguments import as_shape, float_dtype, parameters, positive
from xform.random.keys import children
from xform.random.quantiles import normal
from xform.random.uniforms import between, rademacher

__all__ = ["double_sided_maxwell", "maxwell", "wald"]


def maxwell(key: ArrayLike, shape: Any = (), dtype: Any = None) -> Any:
    """Lengths of vectors of three standard normal numbers: density sqrt(2 / pi) x^2 e^(-x^2 / 2), x > 0.

    >>> import xform.random as random
    >>> maxwell(random.key(42))
    np.float64(0.209724...)
    """
    dtype, wanted = float_dtype("maxwell", dtype), as_shape("maxwell", shape)
    parts = [normal(k, wanted, dtype) for k in children("maxwell", key, 3)]
    return np.sqrt(sum(z * z for z in parts))


def double_sided_maxwell(key: ArrayLike, loc: ArrayLike, scale: ArrayLike, shape: Any = (), dtype: Any = None) -> Any:
    """loc + scale x with x of density x^2 e^(-x^2 / 2) / sqrt(2 pi), differentiable in both parameters.

    The samples' shape is `shape` in front of the common one of the parameters. ValueError unless scale > 0.

    >>> import xform.random as random
    >>> double_sided_maxwell(random.key(42), 1.0, 2.0)
    np.float64(3.498387...)
    """
    dtype = float_dtype("double_sided_maxwell", dtype)
    centre, size = parameters("double_sided_maxwell", None, dtype, loc=loc, scale=scale)
    positive("double_sided_maxwell", scale=size)
    lengths, signs = children("double_sided_maxwell", key, 2)
    wanted = (*as_shape("double_sided_maxwell", shape), *centre.shape)
    return centre + size * (rademacher(signs, wanted, dtype) * maxwell(lengths, wanted, dtype))


def wald(key: ArrayLike, mean: ArrayLike, shape: Any = None, dtype: Any = None) -> Any:
    """Times at which a Brownian motion of drift 1 / mean reaches 1, differentiable in the mean; ValueError if <= 0.

        density e^(-(x - m)^2 / (2 m^2 x)) / sqrt(2 pi x^3), x > 0

    By J. R. Michael, W. R. Schucany and R. W. Haas, "Generating random variates using transformations with multiple
    roots", The American Statistician 30 (1976). The derivative is that of the quantile at which the sample lies.

    >>> import xform.random as random
    >>> wald(random.key(42), 2.0)
    np.float64(2.084770...)
    """
    dtype, wide = float_dtype("wald", dtype), np.dtype(np.float64)
    (m,) = parameters("wald", shape, wide, mean=mean)
    positive("wald", mean=m)
    roots, sides = children("wald", key, 2)
    return as_dtype(inverse_gaussian(normal(roots, m.shape), between(sides, m.shape, wide), m), dtype)


@custom_jvp
def inverse_gaussian(z: Any, u: Any, m: Any) -> Any:
    """The roots of (x - m)^2 / (m^2 x) = z^2 are x and m^2 / x; the smaller one has the chance m / (m + x)."""
    r = m * z * z
    small = m / (1 + 0.5 * r + np.sqrt(r + 0.25 * r * r))
    return select(np.less_equal(u * (m + small), m), small, m / small * m)


@inverse_gaussian.defjvp
def inverse_gaussian_jvp(primals: Any, tangents: Any) -> tuple[Any, Any]:
    """dx/dm = -(dF/dm) / (dF/dx) = 2 x^(3/2) / m^2 Phi(b) / phi(b) with b = -(1 + x / m) / sqrt(x)."""
    x, m = inverse_gaussian(*primals), primals[2]
    root = np.sqrt(x)
    return x, 2 * x * root / (m * m) * normal_mills(-(1 + x / m) / root) * tangents[2]
