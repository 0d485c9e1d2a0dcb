"""NumPy's reductions that pass by nan: each replaces them by what leaves the result alone, and calls the plain one.

No derivative passes through an entry that is nan. Where there are nothing but nan, NumPy's warnings are given.
"""

from __future__ import annotations

import warnings
from typing import Any, SupportsIndex

import numpy as np
from numpy.typing import DTypeLike

from xform.core.trace import underlying
from xform.numpy.axes import NOT_GIVEN, Axes, Axis, highest, is_masked, lowest, mask_of, reduced_axes
from xform.numpy.cumulative import cumprod, cumsum
from xform.numpy.dispatch import ArrayLike, asarray, implements, reject
from xform.numpy.extremes import argmax, argmin, max, min
from xform.numpy.reductions import all, divided, mean, prod, sum
from xform.numpy.statistics import degrees, root, var
from xform.ops.select import select

ALL_NAN = "All-NaN slice encountered"


def without_nan(a: Any, fill: Any) -> tuple[Any, Any]:
    """The array with `fill` in place of nan, and where they were: None if it is known that there were none."""
    if a.dtype.kind not in "fc":
        return a, None
    missing = np.isnan(a)
    known = underlying(missing)
    if known is not None and not np.any(known):
        return a, None
    return select(missing, np.asarray(fill, a.dtype)[()], a), missing


def warn_where(bad: Any, message: str) -> None:
    """NumPy's warning if something is known to be bad."""
    known = underlying(bad)
    if known is not None and np.any(known):
        warnings.warn(message, RuntimeWarning, stacklevel=4)


@implements(np.nansum)
def nansum(
    a: ArrayLike,
    axis: Axes = None,
    dtype: DTypeLike | None = None,
    out: None = None,
    keepdims: bool = NOT_GIVEN,
    initial: ArrayLike = NOT_GIVEN,
    where: ArrayLike = NOT_GIVEN,
) -> Any:
    """`sum` of the entries that are not nan.

    >>> import xform
    >>> xform.grad(nansum)(np.array([1.0, np.nan]))
    array([1., 0.])
    """
    reject("nansum", out=out)
    filled, _ = without_nan(asarray(a), 0)
    return sum(filled, axis, dtype, keepdims=keepdims, initial=initial, where=where)


@implements(np.nanprod)
def nanprod(
    a: ArrayLike,
    axis: Axes = None,
    dtype: DTypeLike | None = None,
    out: None = None,
    keepdims: bool = NOT_GIVEN,
    initial: ArrayLike = NOT_GIVEN,
    where: ArrayLike = NOT_GIVEN,
) -> Any:
    """`prod` of the entries that are not nan.

    >>> import xform
    >>> xform.grad(nanprod)(np.array([3.0, np.nan, 2.0]))
    array([2., 0., 3.])
    """
    reject("nanprod", out=out)
    filled, _ = without_nan(asarray(a), 1)
    return prod(filled, axis, dtype, keepdims=keepdims, initial=initial, where=where)


@implements(np.nancumsum)
def nancumsum(a: ArrayLike, axis: Axis = None, dtype: DTypeLike | None = None, out: None = None) -> Any:
    """`cumsum` with zeros for nan.

    >>> nancumsum(np.array([1.0, np.nan, 2.0]))
    array([1., 1., 3.])
    """
    reject("nancumsum", out=out)
    return cumsum(without_nan(asarray(a), 0)[0], axis, dtype)


@implements(np.nancumprod)
def nancumprod(a: ArrayLike, axis: Axis = None, dtype: DTypeLike | None = None, out: None = None) -> Any:
    """`cumprod` with ones for nan.

    >>> nancumprod(np.array([2.0, np.nan, 3.0]))
    array([2., 2., 6.])
    """
    reject("nancumprod", out=out)
    return cumprod(without_nan(asarray(a), 1)[0], axis, dtype)


@implements(np.nanmax)
def nanmax(
    a: ArrayLike,
    axis: Axes = None,
    out: None = None,
    keepdims: bool = NOT_GIVEN,
    initial: ArrayLike = NOT_GIVEN,
    where: ArrayLike = NOT_GIVEN,
) -> Any:
    """`max` of the entries that are not nan; of none, nan with a RuntimeWarning.

    >>> import xform
    >>> xform.grad(nanmax)(np.array([1.0, np.nan, 2.0]))
    array([0., 0., 1.])
    """
    reject("nanmax", out=out)
    return extreme(max, lowest, a, axis, keepdims, initial, where)


@implements(np.nanmin)
def nanmin(
    a: ArrayLike,
    axis: Axes = None,
    out: None = None,
    keepdims: bool = NOT_GIVEN,
    initial: ArrayLike = NOT_GIVEN,
    where: ArrayLike = NOT_GIVEN,
) -> Any:
    """`min` of the entries that are not nan; of none, nan with a RuntimeWarning.

    >>> import xform
    >>> xform.grad(nanmin)(np.array([1.0, np.nan, 2.0]))
    array([1., 0., 0.])
    """
    reject("nanmin", out=out)
    return extreme(min, highest, a, axis, keepdims, initial, where)


def extreme(function: Any, worst: Any, a: Any, axis: Any, keepdims: Any, initial: Any, where: Any) -> Any:
    a = asarray(a)
    filled, missing = without_nan(a, worst(a.dtype))
    y = function(filled, axis, None, keepdims, initial, where)
    if missing is None or not (initial is NOT_GIVEN or initial is None):
        return y
    nothing = all(missing, axis, keepdims=keepdims)
    warn_where(nothing, ALL_NAN)
    return select(nothing, y.dtype.type(np.nan), y)


@implements(np.nanargmax)
def nanargmax(a: ArrayLike, axis: SupportsIndex | None = None, out: None = None, *, keepdims: bool = NOT_GIVEN) -> Any:
    """`argmax` of the entries that are not nan; ValueError if there are none.

    >>> nanargmax(np.array([np.nan, 1.0, 2.0]))
    np.int64(2)
    """
    reject("nanargmax", out=out)
    return position("nanargmax", argmax, lowest, a, axis, keepdims)


@implements(np.nanargmin)
def nanargmin(a: ArrayLike, axis: SupportsIndex | None = None, out: None = None, *, keepdims: bool = NOT_GIVEN) -> Any:
    """`argmin` of the entries that are not nan; ValueError if there are none.

    >>> nanargmin(np.array([np.nan, 1.0, 2.0]))
    np.int64(1)
    """
    reject("nanargmin", out=out)
    return position("nanargmin", argmin, highest, a, axis, keepdims)


def position(name: str, function: Any, worst: Any, a: Any, axis: Any, keepdims: Any) -> Any:
    a = asarray(a)
    filled, missing = without_nan(a, worst(a.dtype))
    nothing = None if missing is None or not a.size else underlying(all(missing, axis))
    if nothing is not None and np.any(nothing):
        raise ValueError(f"{name}: All-NaN slice encountered, in which there is no extreme; fill or drop it first")
    return function(filled, axis, keepdims=keepdims)


@implements(np.nanmean)
def nanmean(
    a: ArrayLike,
    axis: Axes = None,
    dtype: DTypeLike | None = None,
    out: None = None,
    keepdims: bool = NOT_GIVEN,
    *,
    where: ArrayLike = NOT_GIVEN,
) -> Any:
    """`mean` of the entries that are not nan; of none, nan with a RuntimeWarning.

    >>> import xform
    >>> xform.grad(nanmean)(np.array([1.0, np.nan, 2.0]))
    array([0.5, 0. , 0.5])
    """
    reject("nanmean", out=out)
    a = asarray(a)
    if a.dtype.kind not in "fc":
        return mean(a, axis, dtype, keepdims=keepdims, where=where)
    require_inexact(dtype)
    filled, missing = without_nan(a, 0)
    n = sum(present(a, missing), axis, np.intp, keepdims=keepdims, where=where)
    warn_where(np.equal(n, 0), "Mean of empty slice")
    with np.errstate(invalid="ignore", divide="ignore"):
        return divided(sum(filled, axis, dtype, keepdims=keepdims, where=where), n)


def present(a: Any, missing: Any) -> Any:
    """Where entries are not nan."""
    return np.ones(a.shape, bool) if missing is None else np.logical_not(missing)


def require_inexact(dtype: Any) -> None:
    if dtype is not None and np.dtype(dtype).kind not in "fc":
        raise TypeError(f"If a is inexact, then dtype must be inexact, but dtype={dtype!r} was given")


@implements(np.nanvar)
def nanvar(
    a: ArrayLike,
    axis: Axes = None,
    dtype: DTypeLike | None = None,
    out: None = None,
    ddof: float = 0,
    keepdims: bool = NOT_GIVEN,
    *,
    where: ArrayLike = NOT_GIVEN,
    mean: ArrayLike = NOT_GIVEN,
    correction: float = NOT_GIVEN,
) -> Any:
    """`var` of the entries that are not nan; of no more than `ddof`, nan with a RuntimeWarning.

    >>> import xform
    >>> xform.grad(nanvar)(np.array([1.0, np.nan, 3.0]))
    array([-1.,  0.,  1.])
    """
    reject("nanvar", out=out)
    a, ddof = asarray(a), degrees(ddof, correction)
    if a.dtype.kind not in "fc":
        return var(a, axis, dtype, None, ddof, keepdims, where=where, mean=mean)
    require_inexact(dtype)
    filled, missing = without_nan(a, 0)
    valid = present(a, missing)
    if is_masked(where):
        valid = np.logical_and(valid, mask_of(where, a.shape))
    with np.errstate(invalid="ignore", divide="ignore"):
        y = var(filled, reduced_axes(axis, len(a.shape)), dtype, None, ddof, keepdims, where=valid, mean=mean)
    free = sum(valid, axis, np.intp, keepdims=keepdims) - ddof
    return select(np.less_equal(free, 0), y.dtype.type(np.nan), y)


@implements(np.nanstd)
def nanstd(
    a: ArrayLike,
    axis: Axes = None,
    dtype: DTypeLike | None = None,
    out: None = None,
    ddof: float = 0,
    keepdims: bool = NOT_GIVEN,
    *,
    where: ArrayLike = NOT_GIVEN,
    mean: ArrayLike = NOT_GIVEN,
    correction: float = NOT_GIVEN,
) -> Any:
    """`std` of the entries that are not nan; of no more than `ddof`, nan with a RuntimeWarning.

    >>> import xform
    >>> xform.grad(nanstd)(np.array([1.0, np.nan, 3.0]))
    array([-0.5,  0. ,  0.5])
    """
    reject("nanstd", out=out)
    return root(nanvar(a, axis, dtype, None, ddof, keepdims, where=where, mean=mean, correction=correction))
