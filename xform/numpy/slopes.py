"""NumPy's numerical derivatives of samples, `numpy.gradient`.

Between its neighbours at the distances p before and q after it, a sample has the slope

    p / (q (p + q)) f(x + q)  +  (1/p - 1/q) f(x)  -  q / (p (p + q)) f(x - p)

which for p = q is the central difference (f(x + p) - f(x - p)) / 2p; those at the ends have one-sided ones.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from xform.core.aval import shape_of
from xform.core.trace import Tracer
from xform.numpy.axes import Axes, axis_tuple, joined_axes
from xform.numpy.differences import along, step
from xform.numpy.dispatch import ArrayLike, as_dtype, asarray, implements
from xform.ops.structure import concatenate, reshape


@implements(np.gradient)
def gradient(f: ArrayLike, *varargs: ArrayLike, axis: Axes = None, edge_order: int = 1) -> Any:
    """Numerical derivatives of samples along axes: central differences inside, one-sided ones at the ends.

    Spacings may follow: one for all axes, or for each axis one or an array of the samples' positions. With `edge_order`
    2 the slopes at the ends are exact for parabolas as well. Returns a tuple of arrays, or for one axis an array.
    Raises ValueError for too few samples or another `edge_order`, TypeError for a wrong number of spacings.

    >>> gradient(np.array([0.0, 1.0, 4.0, 9.0]))
    array([1., 2., 4., 5.])
    """
    f = asarray(f)
    axes = axis_tuple(joined_axes(axis), len(f.shape))
    spacings = spacings_of(varargs, f.shape, axes)
    if edge_order > 2:
        raise ValueError(f"'edge_order' greater than 2 not supported, but edge_order={edge_order} was given")
    if f.dtype.kind in "iu":
        f = as_dtype(f, np.float64)
    slopes = [slope(f, k, h, edge_order) for k, h in zip(axes, spacings, strict=True)]
    return slopes[0] if len(axes) == 1 else tuple(slopes)


def spacings_of(given: Sequence[Any], shape: tuple[int, ...], axes: tuple[int, ...]) -> list[Any]:
    """For each axis a number, or the distances of neighbouring samples, shaped to broadcast along it."""
    values = [asarray(h) if isinstance(h, list | tuple) else h for h in given]
    if not values:
        return [1.0] * len(axes)
    if len(values) == 1 and not shape_of(values[0]):
        return values * len(axes)
    if len(values) != len(axes):
        raise TypeError(
            f"gradient: invalid number of arguments: {len(values)} spacings for {len(axes)} axes; give one for all "
            "axes, or one for each"
        )
    return [distances(h, shape, k) if shape_of(h) else h for h, k in zip(values, axes, strict=True)]


def distances(h: Any, shape: tuple[int, ...], axis: int) -> Any:
    """The distances of samples at given positions; a number if they are all the same, and have no derivative."""
    if len(h.shape) != 1:
        raise ValueError(f"gradient: distances must be either scalars or 1d, but have shape {h.shape}")
    if h.shape[0] != shape[axis]:
        raise ValueError(
            f"gradient: when 1d, distances must match the length of the corresponding dimension: {h.shape[0]} "
            f"positions were given for axis {axis} of shape {shape}"
        )
    d = step(as_dtype(h, np.float64) if h.dtype.kind in "iu" else h, 0)
    if not isinstance(d, Tracer) and (d == d[0]).all():
        return d[0]
    return reshape(d, shape=tuple(d.size if k == axis else 1 for k in range(len(shape))))


def slope(f: Any, axis: int, h: Any, edge_order: int) -> Any:
    """The derivative along one axis."""
    n = f.shape[axis]
    if n < edge_order + 1:
        raise ValueError(
            f"Shape of array too small to calculate a numerical gradient, at least (edge_order + 1) = {edge_order + 1} "
            f"elements are required, but axis {axis} of shape {f.shape} has {n}"
        )
    dtype = f.dtype if f.dtype.kind in "fc" else np.dtype(np.float64)
    parts = [end_slope(f, axis, h, edge_order, False), inner_slope(f, axis, h), end_slope(f, axis, h, edge_order, True)]
    return concatenate(*(as_dtype(part, dtype) for part in parts), axis=axis)


def inner_slope(f: Any, axis: int, h: Any) -> Any:
    """Of all samples but the first and the last."""
    n = f.shape[axis]
    before, here, after = (along(f, axis, k, n - 2 + k) for k in range(3))
    if not shape_of(h):
        return (after - before) / (2.0 * h)
    p, q = along(h, axis, 0, n - 2), along(h, axis, 1, n - 1)
    return -q / (p * (p + q)) * before + (q - p) / (p * q) * here + p / (q * (p + q)) * after


def end_slope(f: Any, axis: int, h: Any, order: int, last: bool) -> Any:
    """Of the first sample or the last one, from the `order` + 1 nearest."""
    n = f.shape[axis]
    places = range(n - 1, n - 2 - order, -1) if last else range(order + 1)
    f0, f1, *rest = [along(f, axis, k, k + 1) for k in places]
    sign = -1.0 if last else 1.0
    if not shape_of(h):
        if order == 1:
            return sign * (f1 - f0) / h
        return sign * (-1.5 / h * f0 + 2.0 / h * f1 + -0.5 / h * rest[0])
    p, *gaps = [along(h, axis, k - last, k - last + 1) for k in places[:-1]]
    if order == 1:
        return sign * (f1 - f0) / p
    (q,) = gaps
    return sign * (-(2.0 * p + q) / (p * (p + q)) * f0 + (p + q) / (p * q) * f1 + -p / (q * (p + q)) * rest[0])
