"""Sums of exponentials along axes, without overflow, and what is made of them."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from xform.core.aval import is_inexact
from xform.lax.identities import stop_gradient
from xform.numpy.axes import axis_tuple
from xform.numpy.dispatch import ArrayLike, as_dtype, asarray
from xform.ops.select import select
from xform.ops.structure import broadcast_to

__all__ = ["log1mexp", "log_softmax", "logmeanexp", "logsumexp", "softmax", "standardize"]


def inexact(x: Any) -> Any:
    """An array of floating-point numbers, of the dtype that NumPy's functions give integers."""
    x = asarray(x)
    return x if is_inexact(x.dtype) else as_dtype(x, np.result_type(x.dtype, np.float64))


def mask_of(name: str, where: Any, shape: tuple[int, ...]) -> Any:
    """The booleans of the shape of the array; TypeError for other dtypes, ValueError if they do not broadcast."""
    mask = asarray(where)
    if mask.dtype.kind != "b":
        raise TypeError(f"{name}: where= of dtype {mask.dtype} was given, wanted booleans")
    try:
        np.broadcast_shapes(mask.shape, shape)
    except ValueError:
        raise ValueError(f"{name}: where= of shape {mask.shape} was given for an array of shape {shape}") from None
    return broadcast_to(mask, np.broadcast_shapes(mask.shape, shape))


def shifted(name: str, x: Any, axes: tuple[int, ...], where: Any) -> tuple[Any, Any]:
    """x - m and m, where m is the largest number along the axes, a constant, or 0 if that is infinite.

    What is masked is -inf.
    """
    if where is not None:
        mask = mask_of(name, where, x.shape)
        x = select(mask, broadcast_to(x, mask.shape), -math.inf)
    parts = np.real(x) if x.dtype.kind == "c" else x
    largest = stop_gradient(np.max(parts, axis=axes, keepdims=True, initial=-math.inf))
    largest = select(np.isfinite(largest), largest, 0.0)
    return x - largest, largest


def logsumexp(
    a: ArrayLike,
    axis: int | tuple[int, ...] | None = None,
    b: ArrayLike | None = None,
    keepdims: bool = False,
    return_sign: bool = False,
    where: ArrayLike | None = None,
) -> Any:
    """log(sum of b e^a) along axes, or over all, without overflow; -inf, with derivative zero, for no terms.

    With `return_sign` the logarithm of the absolute value, and the sign (of complex sums a number of modulus 1); else
    negative sums have the logarithm nan. `where` says which terms count. Raises AxisError, TypeError for a mask that is
    not boolean, ValueError for shapes that do not fit.

    >>> logsumexp(np.array([1000.0, 1000.0]))
    np.float64(1000.6931471805599)
    >>> logsumexp(np.array([0.0, 0.0]), b=np.array([1.0, -3.0]), return_sign=True)
    (np.float64(0.6931471805599453), np.float64(-1.0))
    """
    x = inexact(a)
    weights = None if b is None else asarray(b)
    if weights is not None:
        common = np.broadcast_shapes(x.shape, weights.shape)
        x, weights = broadcast_to(x, common), broadcast_to(weights, common)
    axes = axis_tuple(axis, x.ndim)
    x, largest = shifted("logsumexp", x, axes, where)
    total = np.sum(np.exp(x) if weights is None else weighted(x, weights), axis=axes, keepdims=keepdims)
    size, sign = size_and_sign(total, return_sign)
    nothing = np.equal(size, 0)  # of which the derivative is zero
    log = select(nothing, -math.inf, np.log(select(nothing, 1.0, size)))
    out = log + (largest if keepdims else np.squeeze(largest, axes))
    return (out, sign) if return_sign else out


def weighted(x: Any, b: Any) -> Any:
    """b e^x, where a term of weight zero is none, whatever its exponent."""
    none = np.equal(b, 0)
    return select(none, b, b * np.exp(select(none, 0, x)))


def size_and_sign(total: Any, wanted: bool) -> tuple[Any, Any]:
    """What the logarithm is taken of, and the sign if that is wanted."""
    if wanted:
        return np.abs(total), np.sign(total)
    if total.dtype.kind == "c":
        return total, None
    return select(np.less(total, 0), math.nan, total), None


def logmeanexp(
    x: ArrayLike,
    axis: int | tuple[int, ...] | None = None,
    where: ArrayLike | None = None,
    keepdims: bool = False,
) -> Any:
    """log(mean of e^x) along axes, or over all: `logsumexp` minus the logarithm of the number of terms.

    >>> logmeanexp(np.array([1000.0, 1000.0]))
    np.float64(1000.0)
    """
    x = inexact(x)
    total = logsumexp(x, axis=axis, where=where, keepdims=keepdims)
    axes = axis_tuple(axis, x.ndim)
    if where is None:
        return total - math.log(max(math.prod(x.shape[k] for k in axes), 1))
    count = np.sum(mask_of("logmeanexp", where, x.shape), axis=axes, keepdims=keepdims)
    return total - as_dtype(np.log(np.maximum(count, 1)), total.dtype)


def softmax(x: ArrayLike, axis: int | tuple[int, ...] | None = -1, where: ArrayLike | None = None) -> Any:
    """e^x / (sum of e^x along the axis), without overflow; 0 where the mask `where` is false.

    Raises AxisError, TypeError for a mask that is not boolean.

    >>> softmax(np.array([1000.0, 1000.0, -1000.0]))
    array([0.5, 0.5, 0. ])
    """
    x = inexact(x)
    axes = axis_tuple(axis, x.ndim)
    exponents, _ = shifted("softmax", x, axes, where)
    terms = np.exp(exponents)
    total = np.sum(terms, axis=axes, keepdims=True)
    return terms / (total if where is None else select(np.equal(total, 0), 1, total))


def log_softmax(x: ArrayLike, axis: int | tuple[int, ...] | None = -1, where: ArrayLike | None = None) -> Any:
    """x - logsumexp(x) along the axis; -inf where the mask `where` is false.

    Raises AxisError, TypeError for a mask that is not boolean.

    >>> log_softmax(np.array([1000.0, 0.0]))
    array([    0., -1000.])
    """
    x = inexact(x)
    axes = axis_tuple(axis, x.ndim)
    exponents, _ = shifted("log_softmax", x, axes, where)
    total = np.sum(np.exp(exponents), axis=axes, keepdims=True)
    return exponents - np.log(total if where is None else select(np.equal(total, 0), 1, total))


def log1mexp(x: ArrayLike) -> Any:
    """log(1 - e^-x) for x >= 0, precise for small and large x; nan for negative x.

    By M. Machler, "Accurately computing log(1 - exp(-|a|))", 2012.

    >>> log1mexp(np.array([1e-20, 50.0]))
    array([-4.60517019e+01, -1.92874985e-22])
    """
    x = inexact(x)
    near = np.less(x, math.log(2))
    below, above = select(near, x, math.log(2)), select(near, math.log(2), x)
    return select(near, np.log(-np.expm1(-below)), np.log1p(-np.exp(-above)))


def standardize(
    x: ArrayLike,
    axis: int | tuple[int, ...] | None = -1,
    mean: ArrayLike | None = None,
    variance: ArrayLike | None = None,
    epsilon: ArrayLike = 1e-5,
    where: ArrayLike | None = None,
    *,
    algorithm: str = "fast",
) -> Any:
    """(x - mean) / sqrt(variance + epsilon), by default with the mean and the variance of x along the axis.

    `where` says which entries count for these. Both algorithms, "fast" and "stable", are the stable one of two passes.
    Raises AxisError, TypeError for a mask that is not boolean, ValueError for another algorithm.

    >>> standardize(np.array([1.0, 3.0]), epsilon=0.0)
    array([-1.,  1.])
    """
    if algorithm not in ("fast", "stable"):
        raise ValueError(f"standardize: algorithm={algorithm!r} was given, wanted 'fast' or 'stable'")
    x = inexact(x)
    axes = axis_tuple(axis, x.ndim)
    mask = {} if where is None else {"where": mask_of("standardize", where, x.shape)}
    centre = np.mean(x, axis=axes, keepdims=True, **mask) if mean is None else asarray(mean)
    if variance is None:
        variance = np.mean(np.square(np.abs(x - centre)), axis=axes, keepdims=True, **mask)
    return (x - centre) / np.sqrt(asarray(variance) + epsilon)
