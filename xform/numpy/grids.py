"""NumPy's functions that make index arrays of shapes, of vectors, or of positions counted in C or Fortran order."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from xform.core.trace import concrete, concrete_or_raise
from xform.numpy.dispatch import ArrayLike, as_dtype, asarray, implements
from xform.numpy.shaping import Shape, as_shape, in_shape

MASK = "Give the indices of its entries that are not zero, or choose with xform.numpy.where"
MODE = "Give mode='clip' or mode='wrap', which say what an index out of range means"


@implements(np.ix_)
def ix_(*args: ArrayLike) -> tuple[Any, ...]:
    """Vectors of indices reshaped so that together they index every combination: the k-th varies along axis k.

    >>> a = np.arange(9).reshape(3, 3)
    >>> a[ix_([0, 2], [1, 2])]
    array([[1, 2],
           [7, 8]])
    """
    vectors = [asarray(x) for x in args]
    if any(len(x.shape) != 1 for x in vectors):
        raise ValueError(f"Cross index must be 1 dimensional; shapes {[x.shape for x in vectors]} were given")
    known = [np.nonzero(concrete_or_raise(x, "ix_", MASK))[0] if x.dtype.kind == "b" else x for x in vectors]
    integers = [as_dtype(x, np.intp) if not x.shape[0] else x for x in known]
    rank = len(integers)
    return tuple(in_shape(x, (*(1,) * k, x.shape[0], *(1,) * (rank - 1 - k))) for k, x in enumerate(integers))


@implements(np.diag_indices_from)
def diag_indices_from(arr: ArrayLike) -> tuple[np.ndarray, ...]:
    """The indices of the main diagonal of an array whose sizes are equal; ValueError if they are not.

    >>> diag_indices_from(np.ones((2, 2)))
    (array([0, 1]), array([0, 1]))
    """
    return np.diag_indices_from(np.broadcast_to(0, asarray(arr).shape))


@implements(np.tril_indices_from)
def tril_indices_from(arr: ArrayLike, k: int = 0) -> tuple[np.ndarray, ...]:
    """The indices of the entries of a matrix on and below its k-th diagonal.

    >>> tril_indices_from(np.ones((2, 2)))
    (array([0, 1, 1]), array([0, 0, 1]))
    """
    return np.tril_indices_from(np.broadcast_to(0, asarray(arr).shape), k)


@implements(np.triu_indices_from)
def triu_indices_from(arr: ArrayLike, k: int = 0) -> tuple[np.ndarray, ...]:
    """The indices of the entries of a matrix on and above its k-th diagonal.

    >>> triu_indices_from(np.ones((2, 2)))
    (array([0, 0, 1]), array([0, 1, 1]))
    """
    return np.triu_indices_from(np.broadcast_to(0, asarray(arr).shape), k)


def strides(shape: Sequence[int], order: str) -> list[int]:
    """How far apart, in this order, entries are that are neighbours along each axis."""
    if order not in ("C", "F"):
        raise ValueError(f"only 'C' or 'F' order is permitted; {order!r} was given")
    if order == "C":
        return [math.prod(shape[k + 1 :]) for k in range(len(shape))]
    return [math.prod(shape[:k]) for k in range(len(shape))]


@implements(np.unravel_index)
def unravel_index(indices: ArrayLike, shape: Shape, order: str = "C") -> tuple[Any, ...]:
    """The indices along each axis of the entries at these positions: i_k = (position // stride_k) mod n_k.

    Raises ValueError for a position that is known to be out of range.

    >>> unravel_index(5, (2, 3))
    (np.int64(1), np.int64(2))
    """
    i, sizes = asarray(indices), as_shape(shape)
    if i.dtype.kind not in "iu":
        raise TypeError(f"only int indices permitted; {i.dtype} was given")
    i = as_dtype(i, np.dtype(np.intp))
    value, size = concrete(i), math.prod(sizes)
    if value is not None and np.any((value < 0) | (value >= size)):
        raise ValueError(f"index {value} is out of bounds for array with size {size}")
    return tuple(np.remainder(np.floor_divide(i, s), n) for n, s in zip(sizes, strides(sizes, order), strict=True))


@implements(np.ravel_multi_index)
def ravel_multi_index(multi_index: Any, dims: Shape, mode: Any = "raise", order: str = "C") -> Any:
    """The positions of the entries with these indices along each axis: the sum of i_k stride_k.

    `mode`, one or one for each axis, says what an index out of range is: an error ("raise"), the nearest one ("clip"),
    or counted anew ("wrap"). Raises ConcretizationError for "raise" where the indices are not known.

    >>> ravel_multi_index(([1, 0], [2, 1]), (2, 3))
    array([5, 1])
    """
    sizes, indices = as_shape(dims), [asarray(i) for i in multi_index]
    modes = mode if isinstance(mode, tuple) else (mode,) * len(sizes)
    if len(indices) != len(sizes) or len(modes) != len(sizes):
        raise ValueError(f"parameter multi_index must be a sequence of length {len(sizes)}; {len(indices)} were given")
    if any(i.dtype.kind not in "iu" for i in indices):
        raise TypeError(f"only int indices permitted; {[i.dtype for i in indices]} were given")
    inside = [in_range(i, n, m) for i, n, m in zip(indices, sizes, modes, strict=True)]
    total: Any = 0
    for i, stride in zip(inside, strides(sizes, order), strict=True):
        total = total + i * stride
    return total


def in_range(i: Any, size: int, mode: str) -> Any:
    if mode == "clip":
        return np.minimum(np.maximum(i, 0), size - 1)
    if mode == "wrap":
        return np.remainder(i, size)
    if mode != "raise":
        raise ValueError(f"clipmode must be one of 'clip', 'raise', or 'wrap' (got {mode!r})")
    value = concrete_or_raise(i, "ravel_multi_index", MODE)
    if np.any((value < 0) | (value >= size)):
        raise ValueError(f"invalid entry in coordinates array: {value} was given for an axis of size {size}")
    return i
