"""NumPy's functions that pick entries by integers or conditions: take, choose, compress, nonzero and the like."""

from __future__ import annotations

from typing import Any, SupportsIndex

import numpy as np

from xform.core.trace import Tracer, concrete_or_raise, underlying
from xform.numpy.axes import Axis, axis_index
from xform.numpy.dispatch import ArrayLike, as_dtype, asarray, broadcast_arrays, implements, promote, reject
from xform.ops.indexing import index as ops
from xform.ops.stack import stack
from xform.ops.structure import reshape, slice_

MASKS = "Write xform.numpy.where(condition, x, 0), whose shape does not depend on the values"


@implements(np.take)
def take(a: ArrayLike, indices: ArrayLike, axis: Axis = None, out: None = None, mode: str = "raise") -> Any:
    """The entries at integer `indices` along an axis, or of all entries in C order.

    Indices out of range raise IndexError; with mode="wrap" they are taken modulo the size, with "clip" they are the
    nearest end.

    >>> import xform
    >>> xform.grad(lambda x: take(x, [1, 1]).sum())(np.array([1.0, 2.0]))
    array([0., 2.])
    """
    reject("take", out=out)
    a, i = asarray(a), as_indices("take", indices)
    if axis is None or not a.shape:
        axis = 0 if axis is None else axis_index(axis, 1)
        a = reshape(a, shape=(a.size,))
    k = axis_index(axis, len(a.shape))
    return ops.gather(a, in_range("take", i, a.shape[k], mode), axes=(k,), at=k)


def as_indices(name: str, indices: Any) -> Any:
    """Integers; booleans count as 0 and 1, and plain numbers are converted as NumPy does."""
    i = asarray(indices)
    if isinstance(i, Tracer) and i.dtype.kind not in "biu":
        raise TypeError(f"{name}: traced indices of {i.aval} were given, wanted integers; use i.astype(int)")
    return as_dtype(i, np.dtype(np.intp)) if isinstance(i, Tracer) else i.astype(np.intp, copy=False)


def in_range(name: str, i: Any, size: int, mode: str) -> Any:
    """Indices with what `mode` makes of those that are out of range."""
    if mode == "raise":
        return i
    if mode not in ("wrap", "clip"):
        raise ValueError(f"{name}: mode={mode!r} was given, wanted 'raise', 'wrap' or 'clip'")
    if size == 0 and i.size:
        raise IndexError(f"{name}: cannot do a non-empty take from an empty axes.")
    return np.remainder(i, size) if mode == "wrap" else np.minimum(np.maximum(i, 0), size - 1)


@implements(np.take_along_axis)
def take_along_axis(arr: ArrayLike, indices: ArrayLike, axis: SupportsIndex | None = -1) -> Any:
    """The entries x[i, ..., k_(i...j), ..., j] at `indices` k along an axis, the other axes broadcasting.

    It reads what argsort, argmax, ... with keepdims=True point at. Raises ValueError unless both arrays have the same
    number of axes, IndexError for indices that are not integers or out of range.

    >>> x = np.array([[3.0, 1.0], [2.0, 4.0]])
    >>> take_along_axis(x, np.argsort(x, axis=1), axis=1)
    array([[1., 3.],
           [2., 4.]])
    """
    x, i = asarray(arr), asarray(indices)
    if axis is None:
        x, axis = reshape(x, shape=(x.size,)), 0
    k = axis_index(axis, len(x.shape))
    if i.dtype.kind not in "iu":
        raise IndexError(f"take_along_axis: `indices` must be an integer array, but has dtype {i.dtype}")
    if len(i.shape) != len(x.shape):
        raise ValueError(
            "take_along_axis: `indices` and `arr` must have the same number of dimensions, but have shapes "
            f"{i.shape} and {x.shape}; index with None, or reduce with keepdims=True"
        )
    return ops.take_along_axis(x, i, k)


@implements(np.compress)
def compress(condition: ArrayLike, a: ArrayLike, axis: Axis = None, out: None = None) -> Any:
    """The entries along an axis, or of all in C order, at which a vector of conditions is true.

    >>> compress([True, False, True], np.array([1.0, 2.0, 3.0]))
    array([1., 3.])
    """
    reject("compress", out=out)
    c = concrete_or_raise(asarray(condition), "the condition of compress", MASKS)
    if len(c.shape) != 1:
        raise ValueError(f"compress: condition must be a 1-d array, but has shape {c.shape}; use extract, or x[mask]")
    return take(a, np.nonzero(c)[0], axis)


@implements(np.extract)
def extract(condition: ArrayLike, arr: ArrayLike) -> Any:
    """The entries in C order at which conditions, in C order, are true.

    >>> extract(np.array([[True, False], [False, True]]), np.array([[1.0, 2.0], [3.0, 4.0]]))
    array([1., 4.])
    """
    c = concrete_or_raise(asarray(condition), "the condition of extract", MASKS)
    return take(arr, np.flatnonzero(c))


@implements(np.choose)
def choose(a: ArrayLike, choices: Any, out: None = None, mode: str = "raise") -> Any:
    """From several arrays, entry by entry, that of the array with the number a; the arrays broadcast.

    Raises ValueError for a number that none has; with mode="wrap" it is taken modulo their number, with "clip" it is
    the nearest. TypeError if the numbers are not integers.

    >>> choose([0, 1, 0], [[1.0, 2.0, 3.0], 10.0])
    array([ 1., 10.,  3.])
    """
    reject("choose", out=out)
    i = asarray(a)
    if i.dtype.kind not in "biu":
        raise TypeError(f"choose: numbers of dtype {i.dtype} were given, wanted integers; for conditions use where")
    i = as_dtype(i, np.dtype(np.intp))
    rows = list(choices) if isinstance(choices, list | tuple) else first_entries(asarray(choices))
    if not rows:
        raise ValueError("choose: 0-length sequence of choices; wanted at least one array")
    known = underlying(i)
    if mode == "raise" and known is not None and not np.all((known >= 0) & (known < len(rows))):
        raise ValueError(f"choose: invalid entry in choice array: wanted numbers from 0 to {len(rows) - 1}")
    i, *rows = broadcast_arrays(in_range("choose", i, len(rows), mode), *promote(*rows))
    picked = ops.take_along_axis(stack(*rows, axis=0), reshape(i, shape=(1, *i.shape)), 0)
    return reshape(picked, shape=i.shape)


def first_entries(x: Any) -> list[Any]:
    """The entries along the first axis."""
    rest = tuple((0, n, 1) for n in x.shape[1:])
    return [slice_(x, index=(k, *rest)) for k in range(x.shape[0])] if x.shape else []


@implements(np.nonzero)
def nonzero(a: ArrayLike) -> tuple[np.ndarray, ...]:
    """For each axis the indices of the entries that are not zero: plain integers, which have no derivative.

    Their number depends on the values, which must be known. Raises ValueError for a number.

    >>> nonzero(np.array([0.0, 2.0, 3.0]))
    (array([1, 2]),)
    """
    return np.nonzero(values(a, "nonzero"))


@implements(np.flatnonzero)
def flatnonzero(a: ArrayLike) -> np.ndarray:
    """The positions, in C order, of the entries that are not zero: plain integers.

    >>> flatnonzero(np.array([[0.0, 2.0], [3.0, 0.0]]))
    array([1, 2])
    """
    return np.flatnonzero(values(a, "flatnonzero"))


@implements(np.argwhere)
def argwhere(a: ArrayLike) -> np.ndarray:
    """The indices of the entries that are not zero, one entry a row: plain integers.

    >>> argwhere(np.array([[0.0, 2.0], [3.0, 0.0]]))
    array([[0, 1],
           [1, 0]])
    """
    return np.argwhere(values(a, "argwhere"))


def values(a: Any, name: str) -> Any:
    return concrete_or_raise(asarray(a), name, MASKS)
