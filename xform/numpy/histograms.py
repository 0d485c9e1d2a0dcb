"""NumPy's histograms: which bin an entry falls into is an integer, but the weights have derivatives, and the edges.

The edges of bins of equal width depend on the smallest and the largest entry.
"""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import Any

import numpy as np

from xform.core.aval import shape_of
from xform.core.trace import concrete_or_raise, underlying
from xform.numpy.differences import along, step
from xform.numpy.dispatch import ArrayLike, as_dtype, asarray, implements
from xform.numpy.extremes import max, min
from xform.numpy.ranges import linspace
from xform.numpy.reductions import sum
from xform.ops.indexing.index import gather, scatter_sum
from xform.ops.select import select
from xform.ops.sorting import searchsorted
from xform.ops.structure import reshape, slice_, transpose

INTP = np.dtype(np.intp)


@implements(np.bincount)
def bincount(x: ArrayLike, /, weights: ArrayLike | None = None, minlength: int = 0) -> Any:
    """How often each number occurs in a vector of non-negative integers, or with weights the sums of these.

    The numbers must be known, the weights are added in double precision. Raises ValueError for negative numbers, or
    another number of weights, TypeError for numbers that are not integers, or complex weights.

    >>> import xform
    >>> xform.grad(lambda w: bincount([0, 1, 1], w)[1])(np.array([1.0, 2.0, 3.0]))
    array([0., 1., 1.])
    """
    remedy = "Give the numbers as an array that is not traced; they have no derivative"
    numbers = concrete_or_raise(asarray(x), "bincount", remedy)
    counts = np.bincount(numbers, minlength=minlength)
    if weights is None or not numbers.size:
        return counts
    w = asarray(weights)
    if w.dtype.kind == "c":
        raise TypeError("bincount: complex weights were given, wanted real ones; count real and imaginary parts")
    if w.shape != numbers.shape:
        raise ValueError(f"bincount: the weights and list don't have the same length: {w.shape} and {numbers.shape}")
    return counted(numbers.astype(INTP), as_dtype(w, np.float64), counts.size)


def counted(numbers: Any, weights: Any, size: int) -> Any:
    """The sums of the weights of each number below `size`."""
    return scatter_sum(weights, numbers, shape=(size,), axes=(0,), at=0)


@implements(np.histogram_bin_edges)
def histogram_bin_edges(
    a: ArrayLike, bins: Any = 10, range: Sequence[Any] | None = None, weights: ArrayLike | None = None
) -> Any:
    """The edges of the bins of `histogram`.

    >>> import xform
    >>> xform.jacobian(lambda a: histogram_bin_edges(a, 2))(np.array([1.0, 5.0, 2.0]))
    array([[1. , 0. , 0. ],
           [0.5, 0.5, 0. ],
           [0. , 1. , 0. ]])
    """
    a = asarray(a)
    return edges_of(reshape(a, shape=(a.size,)), bins, range, weights)


@implements(np.histogram)
def histogram(
    a: ArrayLike,
    bins: Any = 10,
    range: Sequence[Any] | None = None,
    density: bool | None = None,
    weights: ArrayLike | None = None,
) -> tuple[Any, Any]:
    """How many entries, or what sums of weights, fall into each bin, and the edges of the bins.

    A bin contains its left edge, the last one also its right edge. `bins` is their number, an array of edges, or the
    name of an estimator. With `density` it is divided by the total and by the widths. Raises ValueError for a range or
    edges that do not ascend.

    >>> counts, edges = histogram(np.array([1.0, 2.0, 5.0]), 2)
    >>> counts, edges
    (array([2, 1]), array([1., 3., 5.]))
    """
    a = asarray(a)
    w = None if weights is None else asarray(weights)
    if w is not None and w.shape != a.shape:
        raise ValueError(f"histogram: weights should have the same shape as a, but have {w.shape} and {a.shape}")
    a = reshape(a, shape=(a.size,))
    edges = edges_of(a, bins, range, weights)
    w = np.ones(a.shape, INTP) if w is None else reshape(w, shape=(a.size,))
    n = edges.size - 1
    counts = along(counted(bin_numbers(a, edges), w, n + 2), 0, 1, n + 1)
    if density:
        counts = counts / as_dtype(step(edges, 0), np.float64) / sum(counts)
    return counts, edges


def bin_numbers(a: Any, edges: Any) -> Any:
    """The number of each entry's bin: from 1 to n, 0 before the first one and n + 1 behind the last."""
    n = edges.size - 1
    number = searchsorted(edges, a, side="right")
    last = gather(edges, np.intp(n), axes=(0,), at=0)
    number = select(np.equal(a, last), n, number)
    return select(np.isnan(a), n + 1, number) if a.dtype.kind in "fc" else number


def edges_of(a: Any, bins: Any, range: Any, weights: Any) -> Any:
    """The edges, ascending: given, or of bins of equal width."""
    if isinstance(bins, str):
        remedy = "Give the number of bins instead of an estimator"
        given = None if weights is None else np.ones(a.shape)
        bins = np.histogram_bin_edges(concrete_or_raise(a, "an estimator of bins", remedy), bins, range, given).size - 1
    if is_number(bins):
        return equal_widths(a, number_of_bins("bins", bins), range)
    edges = asarray(bins)
    if len(edges.shape) != 1:
        raise ValueError(f"histogram: `bins` must be 1d, when an array, but has shape {edges.shape}")
    known = underlying(edges)
    if known is not None and np.any(known[..., :-1] > known[..., 1:]):
        raise ValueError("histogram: `bins` must increase monotonically, when an array; sort them")
    return edges


def is_number(bins: Any) -> bool:
    return not isinstance(bins, list | tuple) and not shape_of(bins)


def number_of_bins(name: str, bins: Any) -> int:
    try:
        n = operator.index(bins)
    except TypeError:
        raise TypeError(f"histogram: `{name}` must be an integer, a string, or an array, but is {bins!r}") from None
    if n < 1:
        raise ValueError(f"histogram: `{name}` must be positive, when an integer, but is {n}")
    return n


def equal_widths(a: Any, n: int, range: Any, dtype: Any = None) -> Any:
    """n + 1 edges from the first to the last."""
    first, last = outer_edges(a, range)
    if dtype is None:
        dtype = np.result_type(*(x if type(x) in (int, float) else asarray(x).dtype for x in (first, last)), a.dtype)
    edges = linspace(first, last, n + 1, dtype=dtype if dtype.kind in "fc" else np.result_type(dtype, float))
    known = underlying(edges)
    if known is not None and np.any(known[..., :-1] >= known[..., 1:]):
        raise ValueError(f"Too many bins for data range. Cannot create {n} finite-sized bins.")
    return edges


def outer_edges(a: Any, range: Any) -> tuple[Any, Any]:
    """The first and the last edge: the given ones, or the extreme entries; a range of zero is made one of one."""
    if range is not None:
        first, last = range
    else:
        first, last = (min(a), max(a)) if a.size else (0, 1)
    known = underlying(first), underlying(last)
    if known[0] is not None and known[1] is not None:
        if np.any(np.greater(*known)):
            raise ValueError(f"histogram: max must be larger than min in range parameter, but the range is {range}")
        if not np.all(np.isfinite(known)):
            raise ValueError(f"histogram: the range [{known[0]}, {known[1]}] is not finite; give one, or fill the nan")
        if not np.any(np.equal(*known)):
            return first, last
        if np.all(np.equal(*known)):
            return first - 0.5, last + 0.5
    same = np.equal(first, last)
    return select(same, first - 0.5, first), select(same, last + 0.5, last)


@implements(np.histogramdd)
def histogramdd(
    sample: Any,
    bins: Any = 10,
    range: Sequence[Any] | None = None,
    density: bool | None = None,
    weights: ArrayLike | None = None,
) -> tuple[Any, list[Any]]:
    """The histogram of points, a row each (or of a list of their coordinates), and a list of the edges of each axis.

    `bins` and `range` are for all axes, or a sequence with one for each. The counts, or sums of weights, are float64.

    >>> histogramdd(np.array([[0.0, 0.0], [1.0, 1.0], [1.0, 0.0]]), 2)[0]
    array([[1., 0.],
           [1., 1.]])
    """
    columns = coordinates(sample)
    bins, ranges = for_each(bins, range, len(columns))
    edges = [axis_edges(x, b, r, f"bins[{k}]") for k, (x, b, r) in enumerate(zip(columns, bins, ranges, strict=True))]
    shape = [e.size + 1 for e in edges]
    flat: Any = 0
    for x, e, n in zip(columns, edges, shape, strict=True):
        flat = flat * n + bin_numbers(x, e)
    w = np.ones(columns[0].shape) if weights is None else as_dtype(asarray(weights), np.float64)
    if w.shape != columns[0].shape:
        raise ValueError(f"histogramdd: weights of shape {w.shape} were given to {columns[0].size} points")
    counts = reshape(counted(flat, w, int(np.prod(shape))), shape=tuple(shape))
    counts = slice_(counts, index=tuple((1, n - 2, 1) for n in shape))
    if density:
        total = sum(counts)
        for k, e in enumerate(edges):
            counts = counts / reshape(step(e, 0), shape=tuple(e.size - 1 if j == k else 1 for j, _ in enumerate(edges)))
        counts = counts / total
    return counts, edges


def coordinates(sample: Any) -> list[Any]:
    """The columns of an array of points, or the vectors of a list."""
    if isinstance(sample, list | tuple):
        columns = [asarray(x) for x in sample]
        columns = columns if columns and len(columns[0].shape) else [asarray(sample)]
    else:
        x = asarray(sample)
        x = reshape(x, shape=(x.size, 1)) if len(x.shape) < 2 else x
        n, d = x.shape
        turned = transpose(x, permutation=(1, 0))
        columns = [slice_(turned, index=(k, (0, n, 1))) for k in np.arange(d).tolist()]
    if len({x.shape for x in columns}) > 1:
        raise ValueError(
            f"histogramdd: coordinates of shapes {[x.shape for x in columns]} were given, wanted one shape"
        )
    return columns


def for_each(bins: Any, range: Any, d: int) -> tuple[Any, Any]:
    """Bins and range for each of d axes."""
    if is_number(bins):
        bins = [bins] * d
    if len(bins) != d:
        raise ValueError("The dimension of bins must be equal to the dimension of the sample x.")
    ranges = [None] * d if range is None else range
    if len(ranges) != d:
        raise ValueError("range argument must have one entry per dimension")
    return bins, ranges


def axis_edges(x: Any, bins: Any, range: Any, name: str) -> Any:
    if is_number(bins):
        first, last = outer_edges(x, range)
        return linspace(first, last, number_of_bins(name, bins) + 1)
    return edges_of(x, bins, range, None)


@implements(np.histogram2d)
def histogram2d(
    x: ArrayLike,
    y: ArrayLike,
    bins: Any = 10,
    range: Sequence[Any] | None = None,
    density: bool | None = None,
    weights: ArrayLike | None = None,
) -> tuple[Any, Any, Any]:
    """The histogram of points with the coordinates x and y, and the edges of the bins of each.

    >>> histogram2d([0.0, 1.0, 1.0], [0.0, 1.0, 0.0], 2)[0]
    array([[1., 0.],
           [1., 1.]])
    """
    x, y = asarray(x), asarray(y)
    if x.shape[0] != y.shape[0]:
        raise ValueError("x and y must have the same length.")
    if not is_number(bins) and len(bins) not in (1, 2):
        bins = [asarray(bins)] * 2
    counts, edges = histogramdd([x, y], bins, range, density, weights)
    return counts, edges[0], edges[1]
