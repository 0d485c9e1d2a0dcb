"""NumPy's order statistics: median, quantile, percentile, and the same of the entries that are not nan.

The entries are sorted, those wanted are read, and neighbours are interpolated: a linear function of the entries as long
as their order does not change, and one of the probability q between neighbours.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_tuple

from xform.core.trace import underlying
from xform.numpy.axes import NOT_GIVEN, Axes, keep_dims, wants_dims
from xform.numpy.cumulative import cumsum
from xform.numpy.differences import along
from xform.numpy.dispatch import ArrayLike, as_dtype, asarray, implements, reject
from xform.numpy.nans import ALL_NAN, nanmean, warn_where
from xform.numpy.quantile_places import METHODS, Place
from xform.numpy.reductions import mean, sum
from xform.numpy.statistics import fitted_weights
from xform.ops.indexing.index import gather, take_along_axis
from xform.ops.select import select
from xform.ops.sorting import argsort, sort
from xform.ops.structure import broadcast_to, convert, reshape, transpose, without

INTP = np.dtype(np.intp)


@implements(np.median)
def median(
    a: ArrayLike, axis: Axes = None, out: None = None, overwrite_input: bool = False, keepdims: bool = False
) -> Any:
    """The middle entry along axes in the order of size, of an even number the mean of two; nan if there is one.

    Integers give float64. Of no entries it is nan, with a RuntimeWarning.

    >>> import xform
    >>> xform.grad(median)(np.array([1.0, 9.0, 3.0, 4.0]))
    array([0. , 0. , 0.5, 0.5])
    """
    reject("median", out=out)
    lanes = Lanes(asarray(a), axis)
    x, n = lanes.sorted, lanes.count
    y = mean(along(x, 0, max(n - 1, 0) // 2, n // 2 + 1) if n else x, 0)
    return lanes.result(lanes.or_nan(y), (), keepdims)


@implements(np.quantile)
def quantile(
    a: ArrayLike,
    q: ArrayLike,
    axis: Axes = None,
    out: None = None,
    overwrite_input: bool = False,
    method: str = "linear",
    keepdims: bool = False,
    *,
    weights: ArrayLike | None = None,
) -> Any:
    """The value below which lies a fraction q of the entries along axes, by any of NumPy's methods; nan if one is nan.

    The axes of q come first in the result. With "linear" and the other continuous methods it is differentiable in q as
    well. Raises TypeError for complex numbers, ValueError for a q outside [0, 1] and for an unknown method.

    >>> import xform
    >>> xform.grad(quantile, argnums=(0, 1))(np.array([1.0, 5.0, 3.0]), 0.75)
    (array([0. , 0.5, 0.5]), np.float64(4.0))
    """
    reject("quantile", out=out)
    return quantiles("quantile", a, q, 1, axis, method, keepdims, weights, False)


@implements(np.percentile)
def percentile(
    a: ArrayLike,
    q: ArrayLike,
    axis: Axes = None,
    out: None = None,
    overwrite_input: bool = False,
    method: str = "linear",
    keepdims: bool = False,
    *,
    weights: ArrayLike | None = None,
) -> Any:
    """`quantile` at q / 100.

    >>> percentile(np.array([1.0, 5.0, 3.0]), [25, 75])
    array([2., 4.])
    """
    reject("percentile", out=out)
    return quantiles("percentile", a, q, 100, axis, method, keepdims, weights, False)


@implements(np.nanmedian)
def nanmedian(
    a: ArrayLike, axis: Axes = None, out: None = None, overwrite_input: bool = False, keepdims: bool = NOT_GIVEN
) -> Any:
    """`median` of the entries that are not nan; of none, nan with a RuntimeWarning.

    >>> nanmedian(np.array([1.0, np.nan, 2.0]))
    np.float64(1.5)
    """
    reject("nanmedian", out=out)
    a = asarray(a)
    if not a.size:
        return nanmean(a, axis, keepdims=keepdims)
    lanes = Lanes(a, axis)
    n = lanes.present()
    lower, upper = lanes.read(np.maximum(n - 1, 0) // 2, ()), lanes.read(n // 2, ())
    if a.dtype.kind not in "fc":
        lower, upper = as_dtype(lower, np.float64), as_dtype(upper, np.float64)
    y = select(np.equal(n % 2, 1), lower, (lower + upper) / 2)
    return lanes.result(select(np.equal(n, 0), lower, y), (), wants_dims(keepdims))


@implements(np.nanquantile)
def nanquantile(
    a: ArrayLike,
    q: ArrayLike,
    axis: Axes = None,
    out: None = None,
    overwrite_input: bool = False,
    method: str = "linear",
    keepdims: bool = NOT_GIVEN,
    *,
    weights: ArrayLike | None = None,
) -> Any:
    """`quantile` of the entries that are not nan; of none, nan with a RuntimeWarning.

    >>> nanquantile(np.array([1.0, np.nan, 2.0]), 0.5)
    np.float64(1.5)
    """
    reject("nanquantile", out=out)
    return quantiles("nanquantile", a, q, 1, axis, method, wants_dims(keepdims), weights, True)


@implements(np.nanpercentile)
def nanpercentile(
    a: ArrayLike,
    q: ArrayLike,
    axis: Axes = None,
    out: None = None,
    overwrite_input: bool = False,
    method: str = "linear",
    keepdims: bool = NOT_GIVEN,
    *,
    weights: ArrayLike | None = None,
) -> Any:
    """`percentile` of the entries that are not nan; of none, nan with a RuntimeWarning.

    >>> nanpercentile(np.array([1.0, np.nan, 2.0]), 50)
    np.float64(1.5)
    """
    reject("nanpercentile", out=out)
    return quantiles("nanpercentile", a, q, 100, axis, method, wants_dims(keepdims), weights, True)


class Lanes:
    """An array sorted along some of its axes, which are joined to one in front; nan comes last."""

    def __init__(self, a: Any, axis: Any, weights: Any = None) -> None:
        self.shape = a.shape
        self.axes = tuple(range(a.ndim)) if axis is None else normalize_axis_tuple(axis, a.ndim)
        self.rest = without(a.shape, self.axes)
        self.count = math.prod([a.shape[k] for k in self.axes])
        x = self.joined(a)
        if weights is None:
            self.sorted = sort(x, axis=0)
        else:
            order = argsort(x, axis=0, stable=False)
            self.sorted = take_along_axis(x, order, 0)
            self.weights = take_along_axis(self.joined(broadcast_to(weights, a.shape)), order, 0)

    def joined(self, a: Any) -> Any:
        order = (*self.axes, *(k for k in range(a.ndim) if k not in self.axes))
        if order != tuple(range(a.ndim)):
            a = transpose(a, permutation=order)
        return reshape(a, shape=(self.count, *self.rest))

    def present(self) -> Any:
        """How many entries of each lane are not nan, with NumPy's warning if there are none."""
        if self.sorted.dtype.kind not in "fc":
            return np.full(self.rest, self.count, np.intp)
        n = sum(np.logical_not(np.isnan(self.sorted)), 0, np.intp)
        warn_where(np.equal(n, 0), ALL_NAN)
        return n

    def read(self, index: Any, outer: tuple[int, ...]) -> Any:
        """The entries at the sorted positions `index`, of the shape `outer`, or of that and the lanes'."""
        index = as_dtype(index, INTP)
        if math.prod(index.shape) == math.prod(outer):
            return gather(self.sorted, reshape(index, shape=outer), axes=(0,), at=0)
        index = reshape(index, shape=(math.prod(outer), *self.rest))
        return reshape(take_along_axis(self.sorted, index, 0), shape=(*outer, *self.rest))

    def or_nan(self, y: Any) -> Any:
        """`y`, but nan where the lane has a nan."""
        if self.sorted.dtype.kind not in "fc" or not self.count:
            return y
        last = gather(self.sorted, np.intp(self.count - 1), axes=(0,), at=0)
        known = underlying(np.isnan(last))
        if known is not None and not np.any(known):
            return y
        return select(np.isnan(last), as_dtype(last, y.dtype), y)

    def result(self, y: Any, outer: tuple[int, ...], keepdims: bool) -> Any:
        """The result, behind the axes `outer` and with axes of size one for those reduced if they are to be kept."""
        if not keepdims:
            return y
        shape = (*outer, *self.shape)
        return keep_dims(y, shape, tuple(k + len(outer) for k in self.axes))


def quantiles(
    name: str, a: Any, q: Any, whole: int, axis: Any, method: str, keepdims: bool, weights: Any, pass_nan: bool
) -> Any:
    """All four functions: q is a fraction of `whole`, and nan are entries or not."""
    a = asarray(a)
    if a.dtype.kind == "c":
        raise TypeError(f"{name}: a must be an array of real numbers, but has dtype {a.dtype}; take np.abs or np.real")
    q, weak = probability(name, q, whole)
    if method not in METHODS:
        raise ValueError(f"{name}: {method!r} is not a valid method. Use one of: {', '.join(METHODS)}")
    if weights is not None:
        weights = checked_weights(name, weights, a, axis, method)
    if pass_nan and not a.size:
        return nanmean(a, axis, keepdims=keepdims)
    lanes = Lanes(a, axis, weights)
    if not lanes.count and math.prod(lanes.rest):
        raise IndexError(f"{name}: an array of shape {a.shape} was given, which is empty along {lanes.axes}")
    n = lanes.present() if pass_nan else lanes.count
    if weights is not None:
        y = lanes.read(weighted_place(name, lanes, q), q.shape)
    else:
        p = reshape(q, shape=(*q.shape, *(1,) * len(lanes.rest)))
        counts = as_dtype(n, p.dtype) if pass_nan and p.dtype.kind == "f" else n  # in the dtype of q, as a number is
        y = interpolated(lanes, METHODS[method](counts, p), n, q.shape, weak)
    return lanes.result(y if pass_nan else lanes.or_nan(y), q.shape, keepdims)


def probability(name: str, q: Any, whole: int) -> tuple[Any, bool]:
    """q as a fraction of one, and whether it is a Python number, which leaves the dtype of the result alone."""
    weak = type(q) in (int, float)
    q = asarray(q)
    if whole != 1:
        q = np.true_divide(q, whole)
    known = underlying(q)
    if known is not None and not np.all((known >= 0) & (known <= 1)):
        raise ValueError(f"{name}: {'Percentiles' if whole == 100 else 'Quantiles'} must be in the range [0, {whole}]")
    if q.ndim > 2:
        raise ValueError(f"{name}: q must be a scalar or 1d, but has shape {q.shape}")
    return q, weak


def interpolated(lanes: Lanes, place: Place, n: Any, outer: tuple[int, ...], weak: bool) -> Any:
    """The entries at a place, or between two neighbours; those beyond the ends are the first and the last."""
    if place.weight is None:
        return lanes.read(place.index, outer)
    before = np.minimum(np.maximum(np.floor(place.index), 0), n - 1)
    after = np.minimum(np.maximum(np.floor(place.index) + 1, 0), n - 1)
    t = as_dtype(place.weight(place.index - before, place.index), place.index.dtype)
    low, high = lanes.read(before, outer), lanes.read(after, outer)
    if weak:
        t = as_dtype(t, low.dtype if low.dtype.kind == "f" else np.float64)
    step = high - low
    return select(np.greater_equal(t, 0.5), high - step * (1 - t), low + step * t)


def checked_weights(name: str, weights: Any, a: Any, axis: Any, method: str) -> Any:
    if method != "inverted_cdf":
        raise ValueError(f"{name}: Only method 'inverted_cdf' supports weights. Got: {method}.")
    axes = None if axis is None else normalize_axis_tuple(axis, a.ndim, "axis")
    w = fitted_weights(asarray(weights), a.shape, axes)
    known = underlying(w)
    if known is not None and np.any(known < 0):
        raise ValueError(f"{name}: Weights must be non-negative.")
    return w


def weighted_place(name: str, lanes: Lanes, q: Any) -> Any:
    """The first i with w_0 + ... + w_i >= q (w_0 + ... + w_(n-1)) > 0."""
    w = as_dtype(lanes.weights, np.float64)
    if lanes.sorted.dtype.kind == "f":
        w = select(np.isnan(lanes.sorted), 0.0, w)
    total = sum(w, 0)
    known = underlying(total)
    if known is not None and not np.all(np.isfinite(known) & (known != 0)):
        raise ValueError(f"{name}: Weights included NaN, inf or were all zero.")
    cdf = cumsum(w, 0) / total
    if q.dtype.kind == "f":
        cdf = as_dtype(cdf, q.dtype)
    cdf = select(np.equal(cdf, 0), -1.0, cdf)
    below = np.less(cdf, reshape(q, shape=(*q.shape, *(1,) * (1 + len(lanes.rest)))))
    index = sum(convert(below, dtype=INTP), len(q.shape))
    return np.minimum(index, lanes.count - 1)
