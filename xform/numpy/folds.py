"""The methods `reduce`, `accumulate` and `reduceat` of any ufunc on tracers.

Sums, products, extremes and the logical ones are functions of their own. An associative operation is folded in halves,

    y = x[:h] o x[h:2h]        and so on, in log2(n) steps

any other one entry by entry from the left.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from xform.numpy.axes import NOT_GIVEN, axis_index, is_masked, keep_dims, mask_of, reduced_axes
from xform.numpy.dispatch import IMPLEMENTATIONS, as_dtype, asarray
from xform.ops.cumulative import cumlogsumexp, cummax, cummin
from xform.ops.select import select
from xform.ops.stack import stack
from xform.ops.structure import broadcast_to, concatenate, reshape, slice_, transpose

#: reductions that are functions, by the ufunc that they fold
REDUCTIONS: dict[np.ufunc, Any] = {
    np.add: np.sum,
    np.multiply: np.prod,
    np.maximum: np.max,
    np.minimum: np.min,
    np.logical_and: np.all,
    np.logical_or: np.any,
}
ACCUMULATIONS: dict[np.ufunc, Any] = {np.add: np.cumsum, np.multiply: np.cumprod}
CUMULATIVE: dict[np.ufunc, Any] = {np.maximum: cummax, np.minimum: cummin, np.logaddexp: cumlogsumexp}

#: (a o b) o c = a o (b o c)
ASSOCIATIVE = frozenset(
    {
        *(np.logaddexp, np.logaddexp2, np.hypot, np.fmax, np.fmin, np.logical_xor, np.gcd, np.lcm),
        *(np.bitwise_and, np.bitwise_or, np.bitwise_xor),
    }
)

Call = Callable[..., Any]


def reduce(
    ufunc: np.ufunc,
    call: Call,
    array: Any,
    axis: Any = 0,
    dtype: Any = None,
    keepdims: Any = False,
    initial: Any = NOT_GIVEN,
    where: Any = True,
) -> Any:
    """ufunc.reduce: fold the entries along axes."""
    x = asarray(array)
    if ufunc in REDUCTIONS:
        options = {"keepdims": keepdims, "where": where}
        if ufunc in (np.add, np.multiply):
            options.update(dtype=dtype, initial=initial)
        elif ufunc in (np.maximum, np.minimum):
            x = as_dtype(x, dtype)
            options.update(initial=initial)
        return IMPLEMENTATIONS[REDUCTIONS[ufunc]](x, axis, **options)
    axes = reduced_axes(axis, x.ndim)
    x = in_loop(ufunc, "reduce", x, dtype)
    if len(axes) > 1:
        ufunc.reduce(np.ones((1,) * x.ndim, x.dtype), axis=axes)  # raises NumPy's error if their order matters
    y = fold(ufunc, call, rows(x, axes), initial, rows_of_mask(where, x.shape, axes))
    return keep_dims(y, x.shape, axes) if keepdims else y


def in_loop(ufunc: np.ufunc, method: str, x: Any, dtype: Any) -> Any:
    """The operand in the dtype of the loop, in which everything is folded; NumPy's error if there is none."""
    if (ufunc.nin, ufunc.nout) != (2, 1):
        raise ValueError(f"{ufunc.__name__}.{method}: only ufuncs of two arguments and one result can be folded")
    signature = (None if dtype is None else np.dtype(dtype), None, None)
    loop = ufunc.resolve_dtypes((None, x.dtype, None), signature=signature, casting="unsafe", reduction=True)
    return as_dtype(x, loop[1])


def rows(x: Any, axes: tuple[int, ...]) -> Any:
    """The axes to be folded in front, joined to one."""
    rest = [k for k in range(len(x.shape)) if k not in axes]
    x = transpose(x, permutation=(*axes, *rest)) if axes != tuple(range(len(axes))) else x
    return reshape(x, shape=(math.prod(x.shape[: len(axes)]), *x.shape[len(axes) :]))


def rows_of_mask(where: Any, shape: tuple[int, ...], axes: tuple[int, ...]) -> Any:
    return rows(broadcast_to(mask_of(where, shape), shape), axes) if is_masked(where) else None


def fold(ufunc: np.ufunc, call: Call, x: Any, initial: Any, mask: Any) -> Any:
    """x[0] o x[1] o ... o x[n-1], after the initial value if there is one; entries that are masked out are left out."""
    start = initial
    if initial is NOT_GIVEN or initial is None:
        start = ufunc.identity if initial is NOT_GIVEN else None
        if start is None and (mask is not None or not x.shape[0]):
            raise ValueError(
                f"{ufunc.__name__}.reduce: the operation has no identity, so that of no entries (or with a mask, which "
                "may leave none) there is no result; give initial="
            )
        start = None if mask is None and x.shape[0] else start
    if start is not None:
        start = broadcast_to(as_dtype(asarray(start), x.dtype), x.shape[1:])
    if mask is None and ufunc in ASSOCIATIVE:
        y = fold_halves(ufunc, call, x)
        return y if start is None else start if y is None else call(ufunc, start, y)
    return fold_left(ufunc, call, x, start, mask)


def fold_halves(ufunc: np.ufunc, call: Call, x: Any) -> Any:
    """Without entries None."""
    while (n := x.shape[0]) > 1:
        h = n // 2
        y = call(ufunc, part(x, 0, h), part(x, h, h))
        x = y if n % 2 == 0 else concatenate(y, part(x, n - 1, 1), axis=0)
    return entry(x, 0) if n else None


def fold_left(ufunc: np.ufunc, call: Call, x: Any, start: Any, mask: Any) -> Any:
    y = start
    for k in range(x.shape[0]):
        following = entry(x, k) if y is None else call(ufunc, y, entry(x, k))
        y = following if mask is None else select(entry(mask, k), following, y)
    return y


def part(x: Any, start: int, count: int) -> Any:
    """x[start : start + count]."""
    return slice_(x, index=((start, count, 1), *((0, n, 1) for n in x.shape[1:])))


def entry(x: Any, k: int) -> Any:
    """x[k]."""
    return slice_(x, index=(k, *((0, n, 1) for n in x.shape[1:])))


def accumulate(ufunc: np.ufunc, call: Call, array: Any, axis: Any = 0, dtype: Any = None) -> Any:
    """ufunc.accumulate: y_0 = x_0, y_k = y_{k-1} o x_k along an axis."""
    x = asarray(array)
    axis = axis_index(axis, x.ndim)
    if ufunc in ACCUMULATIONS:
        return IMPLEMENTATIONS[ACCUMULATIONS[ufunc]](x, axis, dtype)
    x = in_loop(ufunc, "accumulate", x, dtype)
    if ufunc in CUMULATIVE and x.dtype.kind == "f":
        return CUMULATIVE[ufunc](x, axis=axis, reverse=False)
    x = rows(x, (axis,))
    y = [entry(x, 0)] if x.shape[0] else []
    for k in range(1, x.shape[0]):
        y.append(call(ufunc, y[-1], entry(x, k)))
    return along(y, x, axis)


def along(results: list[Any], x: Any, axis: int) -> Any:
    """Results for the entries x[k] joined along the axis that was moved to the front of x."""
    if results:
        return stack(*(asarray(y) for y in results), axis=axis)
    return np.zeros((*x.shape[1 : axis + 1], 0, *x.shape[axis + 1 :]), x.dtype)


def reduceat(ufunc: np.ufunc, call: Call, array: Any, indices: Any, axis: Any = 0, dtype: Any = None) -> Any:
    """ufunc.reduceat: the k-th result folds x[i_k : i_{k+1}], or is x[i_k] if i_k >= i_{k+1}; the last the rest."""
    x = asarray(array)
    axis = axis_index(axis, x.ndim)
    x = rows(in_loop(ufunc, "reduceat", x, dtype), (axis,))
    n, starts = x.shape[0], np.asarray(indices, np.intp)
    if starts.ndim != 1 or any(not 0 <= i < n for i in starts):
        raise IndexError(
            f"{ufunc.__name__}.reduceat: indices {starts} were given, wanted a vector of integers from 0 to {n - 1}"
        )
    stops = [*starts[1:].tolist(), n][: len(starts)]
    y = [
        reduce(ufunc, call, part(x, i, stop - i if stop > i else 1))
        for i, stop in zip(starts.tolist(), stops, strict=True)
    ]
    return along(y, x, axis)
