"""Statistics of samples: the commonest value, ranks, the error of the mean, standard scores."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import scipy.stats

import xform.numpy as xnp
from xform.numpy.axes import axis_index
from xform.numpy.dispatch import ArrayLike, asarray, has_tracer, location
from xform.ops import cumulative, sorting

reference: Any = scipy.stats  # SciPy's stubs do not know all of its options

__all__ = ["ModeResult", "mode", "rankdata", "sem", "zscore"]


class ModeResult(NamedTuple):
    """The commonest value, and how often it occurs."""

    mode: Any
    count: Any


def mode(a: ArrayLike, axis: int | None = 0, nan_policy: str = "propagate", keepdims: bool = False) -> ModeResult:
    """The value that occurs most often along an axis (None: of all), the least one of several, and how often it does.

    The derivative of the value is that of an entry which has it. All nan count as equal. Raises
    ValueError for another `nan_policy` with traced values.

    >>> mode(np.array([3.0, 1.0, 3.0])).mode
    np.float64(3.0)
    """
    if not has_tracer((a,), {}):
        found = reference.mode(a, axis, nan_policy, keepdims)
        return ModeResult(found.mode, found.count)
    reject_policy("mode", nan_policy)
    x, place = lanes(a, axis)
    s = sorting.sort(x, axis=x.ndim - 1)
    lengths = runs(s)[1]
    best = xnp.argmax(lengths, axis=-1, keepdims=True)
    value, count = xnp.take_along_axis(s, best, -1), xnp.take_along_axis(lengths, best, -1)
    return ModeResult(*(unlaned(v, asarray(a).ndim, place, keepdims) for v in (value, count)))


def runs(s: Any) -> tuple[Any, Any]:
    """Of sorted lanes: where the run of equal entries begins in which each lies, and its length up to there."""
    n, axis = s.shape[-1], s.ndim - 1
    both_undefined = xnp.logical_and(xnp.isnan(s[..., 1:]), xnp.isnan(s[..., :-1]))
    differ = xnp.logical_and(s[..., 1:] != s[..., :-1], xnp.logical_not(both_undefined))
    first = xnp.concatenate([np.ones((*s.shape[:-1], 1), bool), differ], axis=-1)
    start = cumulative.cummax(xnp.where(first, np.arange(n), 0), axis=axis, reverse=False)
    return start, np.arange(n) - start + 1


def rankdata(a: ArrayLike, method: str = "average", *, axis: int | None = None, nan_policy: str = "propagate") -> Any:
    """The ranks of the entries along an axis (None: of all), from one on: integers, which have no derivative.

    Equal entries have the "average", "min" or "max" of their ranks, "dense" ones count different values, "ordinal" ones
    count entries. With a nan among the entries they are nan. Raises ValueError for another `method`, and for another
    `nan_policy` with traced values.

    >>> rankdata(np.array([3.0, 1.0, 3.0]))
    array([2.5, 1. , 2.5])
    """
    if not has_tracer((a,), {}):
        return reference.rankdata(a, method, axis=axis, nan_policy=nan_policy)
    reject_policy("rankdata", nan_policy)
    if method not in ("average", "min", "max", "dense", "ordinal"):
        raise ValueError(f'unknown method "{method}"; wanted average, min, max, dense or ordinal')
    x, _ = lanes(a, axis)
    last = x.ndim - 1
    order = sorting.argsort(x, axis=last, stable=True)
    s = xnp.take_along_axis(x, order, last)
    ranks = xnp.take_along_axis(ranks_of_sorted(s, method), sorting.argsort(order, axis=last, stable=True), last)
    ranks = xnp.where(xnp.any(xnp.isnan(x), axis=-1, keepdims=True), np.nan, ranks + 0.0)
    return ranks if axis is None else xnp.moveaxis(ranks, -1, axis_index(axis, asarray(a).ndim))


def ranks_of_sorted(s: Any, method: str) -> Any:
    """The ranks of the entries of sorted lanes."""
    n, last = s.shape[-1], s.ndim - 1
    start, _ = runs(s)
    if method == "ordinal":
        return np.arange(1, n + 1) + 0 * start
    if method == "dense":
        return cumulative.cumsum(xnp.astype(start == np.arange(n), int), axis=last, reverse=False)
    if method == "min":
        return start + 1
    behind, _ = runs(xnp.flip(s, -1))  # from the end, the last entry of a run is its first one
    end = n - xnp.flip(behind, -1)
    return end if method == "max" else (start + 1 + end) / 2


def sem(
    a: ArrayLike, axis: int | None = 0, ddof: int = 1, nan_policy: str = "propagate", *, keepdims: bool = False
) -> Any:
    """The standard error of the mean along an axis (None: of all), the standard deviation over sqrt(n).

    Raises ValueError for another `nan_policy` with traced values.

    >>> import xform
    >>> xform.grad(sem)(np.array([1.0, 3.0]))
    array([-0.5,  0.5])
    """
    if not has_tracer((a,), {}):
        return reference.sem(a, axis, ddof, nan_policy, **({"keepdims": True} if keepdims else {}))
    reject_policy("sem", nan_policy)
    x, place = lanes(a, axis)
    error = xnp.std(x, axis=-1, ddof=ddof, keepdims=True) / np.sqrt(x.shape[-1])
    return unlaned(error, asarray(a).ndim, place, keepdims)


def zscore(a: ArrayLike, axis: int | None = 0, ddof: int = 0, nan_policy: str = "propagate") -> Any:
    """The entries less their mean, over their standard deviation, along an axis (None: of all).

    Raises ValueError for another `nan_policy` with traced values.

    >>> zscore(np.array([1.0, 3.0]))
    array([-1.,  1.])
    """
    if not has_tracer((a,), {}):
        return reference.zscore(a, axis, ddof, nan_policy)
    reject_policy("zscore", nan_policy)
    x = asarray(a)
    with np.errstate(all="ignore"):  # of equal entries 0 / 0
        return (x - xnp.mean(x, axis=axis, keepdims=True)) / xnp.std(x, axis=axis, ddof=ddof, keepdims=True)


def reject_policy(name: str, policy: str) -> None:
    if policy != "propagate":
        raise ValueError(
            f"{name}: nan_policy={policy!r} cannot be used with traced values{location()}, whose nan are not known; "
            "leave them out before"
        )


def lanes(a: ArrayLike, axis: int | None) -> tuple[Any, int | None]:
    """The array with the axis at the end, or for None the vector of its entries, and the axis from the front."""
    x = asarray(a)
    if axis is None:
        return xnp.ravel(x), None
    place = axis_index(axis, x.ndim)
    return xnp.moveaxis(x, place, -1), place


def unlaned(x: Any, rank: int, place: int | None, keepdims: bool) -> Any:
    """A result of lanes, with a last axis of size one, which is dropped or put where the axis was."""
    if not keepdims:
        return x[..., 0]
    return xnp.reshape(x, (1,) * rank) if place is None else xnp.moveaxis(x, -1, place)
