"""Smoothing by Gaussians, and the derivatives of what is smoothed.

The weights are g(k) = exp(-k^2 / 2 s^2) / sum, and for derivatives g times the polynomial q with q' -> q' - k q / s^2.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import scipy.ndimage

import xform.numpy as xnp
from xform.core.trace import concrete_or_raise, underlying
from xform.numpy.dispatch import ArrayLike, asarray, has_tracer
from xform.scipy.ndimage.filters import axes_of, correlate1d, given, per_axis

reference: Any = scipy.ndimage  # SciPy's stubs do not know all of its options

__all__ = ["gaussian_filter", "gaussian_filter1d", "gaussian_gradient_magnitude", "gaussian_laplace"]


def gaussian_filter1d(
    input: ArrayLike,
    sigma: ArrayLike,
    axis: int = -1,
    order: int = 0,
    output: Any = None,
    mode: str = "reflect",
    cval: ArrayLike = 0.0,
    truncate: float = 4.0,
    *,
    radius: int | None = None,
) -> Any:
    """The correlation with a Gaussian of standard deviation `sigma` along an axis, or with its derivative of an order.

    The weights reach as far as `radius`, by default `truncate` standard deviations, for which the number of `sigma`
    must be known. It is differentiable in `input`, `sigma` and `cval`; otherwise as `correlate1d`. Raises ValueError
    for a negative order and a radius that is no whole number.

    >>> import xform
    >>> float(xform.grad(lambda s: gaussian_filter1d(np.array([0.0, 0.0, 1.0, 0.0, 0.0]), s)[2])(1.0).round(6))
    -0.398915
    """
    if not has_tracer((input, sigma, cval), {}):
        return reference.gaussian_filter1d(input, sigma, axis, order, output, mode, cval, truncate, radius=radius)
    if radius is None:
        known = concrete_or_raise(sigma, "gaussian_filter1d", "Give the radius of the weights as an integer")
        radius = int(truncate * float(known) + 0.5)
    if not isinstance(radius, int | np.integer) or radius < 0:
        raise ValueError(f"Radius must be a nonnegative integer, not {radius!r}")
    if order < 0:
        raise ValueError(f"order must be non-negative, not {order}")
    return correlate1d(input, gaussian_weights(sigma, int(order), int(radius)), axis, output, mode, cval)


def gaussian_weights(sigma: Any, order: int, radius: int) -> Any:
    """The weights of a correlation, from -radius to radius."""
    k = np.arange(-radius, radius + 1, dtype=np.float64)
    variance = asarray(sigma) ** 2
    bell = xnp.exp(-0.5 / variance * k**2)
    bell = bell / xnp.sum(bell)
    polynomial: list[Any] = [1.0]  # coefficients, the constant first
    for _ in range(order):
        slope = [*(j * c for j, c in enumerate(polynomial) if j), 0.0, 0.0]
        polynomial = [a - b for a, b in zip(slope, [0.0, *(c / variance for c in polynomial)], strict=True)]
    factor = sum((c * k**j for j, c in enumerate(polynomial)), np.zeros(k.shape))
    return xnp.flip(factor * bell)


def gaussian_filter(
    input: ArrayLike,
    sigma: Any,
    order: int | Sequence[int] = 0,
    output: Any = None,
    mode: str | Sequence[str] = "reflect",
    cval: ArrayLike = 0.0,
    truncate: float = 4.0,
    *,
    radius: int | Sequence[int] | None = None,
    axes: int | Sequence[int] | None = None,
) -> Any:
    """`gaussian_filter1d` along all axes, or along `axes`; a deviation of zero leaves an axis as it is.

    >>> gaussian_filter(np.array([[0.0, 1.0, 0.0]]), (0.0, 0.5)).round(3)
    array([[0.107, 0.787, 0.107]])
    """
    if not has_tracer((input, sigma, cval), {}):
        return reference.gaussian_filter(input, sigma, order, output, mode, cval, truncate, radius=radius, axes=axes)
    x = asarray(input)
    along = axes_of(axes, x.ndim)
    options = (per_axis(option, len(along)) for option in (sigma, order, mode, radius))
    for axis, s, o, m, r in zip(along, *options, strict=True):
        known = underlying(s)
        if known is None or np.any(np.asarray(known) > 1e-15):
            x = gaussian_filter1d(x, s, axis, o, output, m, cval, truncate, radius=r)
    return x


def derivatives(
    input: ArrayLike, sigma: Any, order: int, output: Any, mode: Any, cval: Any, axes: Any, **options: Any
) -> list[Any]:
    """The derivative of the smoothed array, of the same order along each of the axes."""
    x = asarray(input)
    along = axes_of(axes, x.ndim)
    orders = [[order if k == j else 0 for k in range(len(along))] for j in range(len(along))]
    return [gaussian_filter(x, sigma, each, output, mode, cval, axes=along, **options) for each in orders]


def gaussian_laplace(
    input: ArrayLike,
    sigma: Any,
    output: Any = None,
    mode: Any = "reflect",
    cval: ArrayLike = 0.0,
    *,
    axes: int | Sequence[int] | None = None,
    **kwargs: Any,
) -> Any:
    """The sum of the second derivatives of the smoothed array; the options are those of `gaussian_filter`.

    >>> gaussian_laplace(np.array([0.0, 1.0, 4.0, 9.0, 16.0]), 0.5).round(2)[2]
    np.float64(0.44)
    """
    if not has_tracer((input, sigma, cval), {}):
        return reference.gaussian_laplace(input, sigma, output, mode, cval, **given(axes=axes), **kwargs)
    terms = derivatives(input, sigma, 2, output, mode, cval, axes, **kwargs)
    return sum(terms[1:], terms[0])


def gaussian_gradient_magnitude(
    input: ArrayLike,
    sigma: Any,
    output: Any = None,
    mode: Any = "reflect",
    cval: ArrayLike = 0.0,
    *,
    axes: int | Sequence[int] | None = None,
    **kwargs: Any,
) -> Any:
    """The norm of the gradient of the smoothed array; the options are those of `gaussian_filter`.

    >>> gaussian_gradient_magnitude(np.array([0.0, 1.0, 2.0, 3.0, 4.0]), 0.5).round(2)[2]
    np.float64(0.86)
    """
    if not has_tracer((input, sigma, cval), {}):
        return reference.gaussian_gradient_magnitude(input, sigma, output, mode, cval, **given(axes=axes), **kwargs)
    terms = derivatives(input, sigma, 1, output, mode, cval, axes, **kwargs)
    return xnp.sqrt(sum((t * t for t in terms[1:]), terms[0] * terms[0]))
