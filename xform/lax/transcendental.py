"""Exponentials, logarithms, circular and hyperbolic functions of `jax.lax`; conventions are those of `elementwise`."""

from __future__ import annotations

from typing import Any

import numpy as np

from xform.numpy.dispatch import ArrayLike, asarray
from xform.ops import transcendental as ops

__all__ = [
    "acos",
    "acosh",
    "asin",
    "asinh",
    "atan",
    "atan2",
    "atanh",
    "cbrt",
    "cos",
    "cosh",
    "exp",
    "exp2",
    "expm1",
    "log",
    "log1p",
    "logistic",
    "rsqrt",
    "sin",
    "sinh",
    "sqrt",
    "tan",
    "tanh",
]

# --- powers ---


def exp(x: ArrayLike) -> Any:
    """e^x."""
    return np.exp(x)


def exp2(x: ArrayLike) -> Any:
    """2^x."""
    return np.exp2(x)


def expm1(x: ArrayLike) -> Any:
    """e^x - 1, without cancellation near 0."""
    return np.expm1(x)


def log(x: ArrayLike) -> Any:
    """The natural logarithm; nan for negative real x."""
    return np.log(x)


def log1p(x: ArrayLike) -> Any:
    """log(1 + x), without cancellation near 0."""
    return np.log1p(x)


def logistic(x: ArrayLike) -> Any:
    """1 / (1 + e^-x), without overflow.

    >>> import xform
    >>> xform.grad(logistic)(0.0)
    np.float64(0.25)
    """
    return ops.logistic(asarray(x))


def sqrt(x: ArrayLike) -> Any:
    """The square root; nan for negative real x."""
    return np.sqrt(x)


def rsqrt(x: ArrayLike) -> Any:
    """1 / sqrt(x).

    >>> import xform
    >>> xform.grad(rsqrt)(4.0)
    np.float64(-0.0625)
    """
    return 1 / np.sqrt(x)


def cbrt(x: ArrayLike) -> Any:
    """The real cube root."""
    return np.cbrt(x)


# --- circular functions ---


def sin(x: ArrayLike) -> Any:
    """The sine of x in radians."""
    return np.sin(x)


def cos(x: ArrayLike) -> Any:
    """The cosine of x in radians."""
    return np.cos(x)


def tan(x: ArrayLike) -> Any:
    """sin(x) / cos(x)."""
    return np.tan(x)


def asin(x: ArrayLike) -> Any:
    """The angle in [-pi/2, pi/2] whose sine is x; nan for real |x| > 1."""
    return np.arcsin(x)


def acos(x: ArrayLike) -> Any:
    """The angle in [0, pi] whose cosine is x; nan for real |x| > 1."""
    return np.arccos(x)


def atan(x: ArrayLike) -> Any:
    """The angle in (-pi/2, pi/2) whose tangent is x."""
    return np.arctan(x)


def atan2(x: ArrayLike, y: ArrayLike) -> Any:
    """The angle in [-pi, pi] of the point with abscissa y and ordinate x, arctan(x / y) in the right quadrant.

    >>> atan2(1.0, -1.0) == 0.75 * np.pi
    np.True_
    """
    return np.arctan2(x, y)


# --- hyperbolic functions ---


def sinh(x: ArrayLike) -> Any:
    """(e^x - e^-x) / 2."""
    return np.sinh(x)


def cosh(x: ArrayLike) -> Any:
    """(e^x + e^-x) / 2."""
    return np.cosh(x)


def tanh(x: ArrayLike) -> Any:
    """sinh(x) / cosh(x)."""
    return np.tanh(x)


def asinh(x: ArrayLike) -> Any:
    """log(x + sqrt(x^2 + 1))."""
    return np.arcsinh(x)


def acosh(x: ArrayLike) -> Any:
    """log(x + sqrt(x^2 - 1)); nan for real x < 1."""
    return np.arccosh(x)


def atanh(x: ArrayLike) -> Any:
    """log((1 + x) / (1 - x)) / 2; nan for real |x| > 1."""
    return np.arctanh(x)
