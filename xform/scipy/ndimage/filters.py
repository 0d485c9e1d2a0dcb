"""Correlations and convolutions with small arrays: the array is continued beyond its ends, then correlated.

y[i] = sum_k w[k] x[i + k - size // 2 - origin]        (a convolution has w reversed)
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import scipy.ndimage
from numpy.lib.array_utils import normalize_axis_tuple

import xform.numpy as xnp
from xform.core.aval import shape_of
from xform.lax.convolutions import conv_general_dilated
from xform.numpy.dispatch import ArrayLike, as_dtype, asarray, has_tracer
from xform.scipy.ndimage.boundary import padded

reference: Any = scipy.ndimage  # SciPy's stubs do not know all of its options

__all__ = [
    "convolve",
    "convolve1d",
    "correlate",
    "correlate1d",
    "laplace",
    "prewitt",
    "sobel",
    "uniform_filter",
    "uniform_filter1d",
]


def correlate1d(
    input: ArrayLike,
    weights: ArrayLike,
    axis: int = -1,
    output: Any = None,
    mode: str = "reflect",
    cval: ArrayLike = 0.0,
    origin: int = 0,
) -> Any:
    """The correlation with a vector along an axis, y[i] = sum_k w[k] x[i + k - size // 2 - origin].

    Beyond the ends the array goes on as `mode` says. `output` may be a dtype; by default the result has that of
    `input`. It is differentiable in `input`, `weights` and `cval`. Raises ValueError for an origin that moves the
    weights off their place, RuntimeError for unknown modes and weights that are no vector.

    >>> import xform
    >>> xform.grad(lambda x: correlate1d(x, [1.0, 2.0, 0.0])[1])(np.array([1.0, 2.0, 4.0]))
    array([1., 2., 0.])
    """
    if not has_tracer((input, weights, cval), {}):
        return reference.correlate1d(input, weights, axis, output, mode, cval, origin)
    w = asarray(weights)
    if w.ndim != 1 or not w.shape[0]:
        raise RuntimeError(f"correlate1d: the weights have shape {w.shape}; no filter weights given, wanted a vector")
    x = asarray(input)
    return correlated(x, w, normalize_axis_tuple(axis, x.ndim), output, [mode], cval, [origin])


def convolve1d(
    input: ArrayLike,
    weights: ArrayLike,
    axis: int = -1,
    output: Any = None,
    mode: str = "reflect",
    cval: ArrayLike = 0.0,
    origin: int = 0,
) -> Any:
    """The convolution with a vector along an axis; otherwise as `correlate1d`.

    >>> convolve1d(np.array([1.0, 2.0, 4.0]), [1.0, 2.0, 0.0])
    array([ 4.,  8., 12.])
    """
    w = asarray(weights)
    origin = -origin - (1 - w.shape[0] % 2)
    return correlate1d(input, xnp.flip(w), axis, output, mode, cval, origin)


def correlate(
    input: ArrayLike,
    weights: ArrayLike,
    output: Any = None,
    mode: str = "reflect",
    cval: ArrayLike = 0.0,
    origin: int | Sequence[int] = 0,
    *,
    axes: int | Sequence[int] | None = None,
) -> Any:
    """The correlation with an array of the same number of axes, or of that of `axes`; otherwise as `correlate1d`.

    >>> correlate(np.eye(3), np.ones((3, 3)), mode="constant")
    array([[2., 2., 1.],
           [2., 3., 2.],
           [1., 2., 2.]])
    """
    if not has_tracer((input, weights, cval), {}):
        return reference.correlate(input, weights, output, mode, cval, origin, **given(axes=axes))
    x, w = asarray(input), asarray(weights)
    along = axes_of(axes, x.ndim)
    if w.ndim != len(along):
        raise RuntimeError(
            f"correlate: weights of shape {w.shape} were given for {len(along)} axes; wanted one for each"
        )
    return correlated(x, w, along, output, per_axis(mode, len(along)), cval, per_axis(origin, len(along)))


def convolve(
    input: ArrayLike,
    weights: ArrayLike,
    output: Any = None,
    mode: str = "reflect",
    cval: ArrayLike = 0.0,
    origin: int | Sequence[int] = 0,
    *,
    axes: int | Sequence[int] | None = None,
) -> Any:
    """The convolution with an array; otherwise as `correlate`.

    >>> convolve(np.array([1.0, 2.0, 4.0]), [1.0, 0.0, 0.0])
    array([2., 4., 4.])
    """
    w = asarray(weights)
    origins = [-o - (1 - n % 2) for o, n in zip(per_axis(origin, w.ndim), w.shape, strict=True)]
    return correlate(input, xnp.flip(w), output, mode, cval, origins, axes=axes)


def uniform_filter1d(
    input: ArrayLike,
    size: int,
    axis: int = -1,
    output: Any = None,
    mode: str = "reflect",
    cval: ArrayLike = 0.0,
    origin: int = 0,
) -> Any:
    """The means of `size` neighbouring entries along an axis; otherwise as `correlate1d`.

    >>> uniform_filter1d(np.array([1.0, 2.0, 6.0]), 3)
    array([1.33333333, 3.        , 4.66666667])
    """
    if not has_tracer((input, cval), {}):
        return reference.uniform_filter1d(input, size, axis, output, mode, cval, origin)
    if size < 1:
        raise RuntimeError(f"uniform_filter1d: incorrect filter size {size}; wanted a positive integer")
    return correlate1d(input, np.full(size, 1.0 / size), axis, output, mode, cval, origin)


def uniform_filter(
    input: ArrayLike,
    size: int | Sequence[int] = 3,
    output: Any = None,
    mode: str | Sequence[str] = "reflect",
    cval: ArrayLike = 0.0,
    origin: int | Sequence[int] = 0,
    *,
    axes: int | Sequence[int] | None = None,
) -> Any:
    """The means over boxes of neighbouring entries; otherwise as `correlate1d`.

    >>> uniform_filter(np.array([[1.0, 2.0, 6.0]]), (1, 3))
    array([[1.33333333, 3.        , 4.66666667]])
    """
    if not has_tracer((input, cval), {}):
        return reference.uniform_filter(input, size, output, mode, cval, origin, **given(axes=axes))
    x = asarray(input)
    along = axes_of(axes, x.ndim)
    options = (per_axis(option, len(along)) for option in (size, mode, origin))
    for axis, n, m, o in zip(along, *options, strict=True):
        x = uniform_filter1d(x, n, axis, output, m, cval, o)
    return x


def sobel(input: ArrayLike, axis: int = -1, output: Any = None, mode: Any = "reflect", cval: ArrayLike = 0.0) -> Any:
    """Central differences along an axis, smoothed by 1, 2, 1 along the others; otherwise as `correlate1d`.

    >>> sobel(np.array([1.0, 2.0, 6.0]))
    array([1., 5., 4.])
    """
    return edges(input, axis, output, mode, cval, [1.0, 2.0, 1.0])


def prewitt(input: ArrayLike, axis: int = -1, output: Any = None, mode: Any = "reflect", cval: ArrayLike = 0.0) -> Any:
    """Central differences along an axis, smoothed by 1, 1, 1 along the others; otherwise as `correlate1d`.

    >>> prewitt(np.array([1.0, 2.0, 6.0]))
    array([1., 5., 4.])
    """
    return edges(input, axis, output, mode, cval, [1.0, 1.0, 1.0])


def edges(input: ArrayLike, axis: int, output: Any, mode: Any, cval: Any, smoothing: list[float]) -> Any:
    x = asarray(input)
    (axis,) = normalize_axis_tuple(axis, x.ndim)
    modes = per_axis(mode, x.ndim)
    y = correlate1d(x, [-1.0, 0.0, 1.0], axis, output, modes[axis], cval)
    for other in range(x.ndim):
        if other != axis:
            y = correlate1d(y, smoothing, other, output, modes[other], cval)
    return y


def laplace(
    input: ArrayLike,
    output: Any = None,
    mode: Any = "reflect",
    cval: ArrayLike = 0.0,
    *,
    axes: int | Sequence[int] | None = None,
) -> Any:
    """The sum of the second differences along the axes; otherwise as `correlate1d`.

    >>> laplace(np.array([1.0, 2.0, 6.0]))
    array([ 1.,  3., -4.])
    """
    if not has_tracer((input, cval), {}):
        return reference.laplace(input, output, mode, cval, **given(axes=axes))
    x = asarray(input)
    along = axes_of(axes, x.ndim)
    terms = [
        correlate1d(x, [1.0, -2.0, 1.0], axis, output, m, cval)
        for axis, m in zip(along, per_axis(mode, len(along)), strict=True)
    ]
    return sum(terms[1:], terms[0]) if terms else xnp.zeros_like(x)


def given(**options: Any) -> dict[str, Any]:
    """The options that are given: not all releases of SciPy have them."""
    return {name: value for name, value in options.items() if value is not None}


def axes_of(axes: int | Sequence[int] | None, rank: int) -> tuple[int, ...]:
    """The axes, counted from the front; None is all of them."""
    return tuple(range(rank)) if axes is None else normalize_axis_tuple(axes, rank)


def per_axis(option: Any, count: int) -> list[Any]:
    """One option for each axis; RuntimeError if there are not so many."""
    if option is None or isinstance(option, str) or not (isinstance(option, list | tuple) or shape_of(option)):
        return [option] * count
    options = list(option)
    if len(options) != count:
        raise RuntimeError(f"sequence argument must have length equal to input rank: {len(options)} for {count} axes")
    return options


def correlated(
    x: Any, w: Any, axes: tuple[int, ...], output: Any, modes: Sequence[str], cval: Any, origins: Sequence[int]
) -> Any:
    """The correlation along some axes, in double precision, as an array of the dtype of `output` or of the input."""
    dtype = x.dtype if output is None else np.dtype(output)
    for size, origin in zip(w.shape, origins, strict=True):
        if not -(size // 2) <= origin <= (size - 1) // 2:
            raise ValueError(
                f"Invalid origin {origin}; origin must satisfy "
                f"-(len(weights) // 2) <= origin <= (len(weights)-1) // 2, here {-(size // 2)} to {(size - 1) // 2}"
            )
    x = as_dtype(x, np.result_type(x.dtype, w.dtype, np.float64))
    for axis, size, mode, origin in zip(axes, w.shape, modes, origins, strict=True):
        before = size // 2 + origin
        widths = [(before, size - 1 - before) if k == axis else (0, 0) for k in range(x.ndim)]
        x = padded(x, widths, mode, cval)
    return as_dtype(valid(x, as_dtype(w, x.dtype), axes), dtype)


def valid(x: Any, w: Any, axes: tuple[int, ...]) -> Any:
    """The correlation where the weights lie inside of the array: of rows, if there are other axes."""
    count = len(axes)
    last = tuple(range(-count, 0))
    rows = xnp.moveaxis(x, axes, last)
    lead, spatial = rows.shape[: x.ndim - count], rows.shape[x.ndim - count :]
    flat = xnp.reshape(rows, (int(np.prod(lead)), 1, *spatial))
    y = conv_general_dilated(flat, w[None, None], (1,) * count, "VALID")
    return xnp.moveaxis(xnp.reshape(y, (*lead, *y.shape[2:])), last, axes)
