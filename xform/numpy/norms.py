"""Norms of vectors and matrices. Where a norm has a kink, at zero or at a zero entry, its derivative is taken as 0."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from xform.numpy.axes import axis_tuple, keep_dims
from xform.numpy.dispatch import asarray, implements
from xform.numpy.statistics import root, squared_modulus
from xform.ops.linear_algebra.matrix import inexact
from xform.ops.linear_algebra.spectral import svd
from xform.ops.reduce import reduce_max, reduce_min
from xform.ops.select import select
from xform.ops.structure import convert, reduce_sum, transpose

__all__ = ["matrix_norm", "norm", "vector_norm"]


@implements(np.linalg.norm)
def norm(x: ArrayLike, ord: Any = None, axis: Any = None, keepdims: bool = False) -> Any:
    """The norm of vectors (of order None, 0, +-inf or p) or matrices (None, "fro", "nuc", +-1, +-2 or +-inf) in `x`.

    `axis` is an integer for vectors, a pair for matrices; without it a vector or matrix `x` is taken as such, and, with
    ord=None, any `x` as one vector. The derivative at zero is 0.

    Raises ValueError for an order that there is not.

    >>> import numpy as np
    >>> norm(np.array([3.0, 4.0]))
    np.float64(5.0)
    >>> import xform
    >>> xform.grad(norm)(np.array([3.0, 4.0])), xform.grad(norm)(np.zeros(2))
    (array([0.6, 0.8]), array([0., 0.]))
    """
    (array,) = inexact(asarray(x))
    ndim = len(array.shape)
    if axis is None and (ord is None or (ndim == 2 and ord in ("f", "fro")) or (ndim == 1 and ord == 2)):
        axes = axis_tuple(None, ndim)
        y = root(sum_of_squares(array, axes))
    else:
        axes = axis_tuple(axis, ndim)
        if len(axes) not in (1, 2):
            raise ValueError(f"norm: {len(axes)} axes given, {axes}; wanted one for vectors, two for matrices")
        y = (vector_norm_along if len(axes) == 1 else matrix_norm_along)(array, ord, axes)
    return keep_dims(y, array.shape, axes) if keepdims else y


@implements(np.linalg.vector_norm)
def vector_norm(x: ArrayLike, /, *, axis: Any = None, keepdims: bool = False, ord: Any = 2) -> Any:
    """The norm of order `ord` of the vectors along `axis` (several axes together, None: all), as in `norm`."""
    (array,) = inexact(asarray(x))
    axes = axis_tuple(axis, len(array.shape))
    y = vector_norm_along(array, ord, axes)
    return keep_dims(y, array.shape, axes) if keepdims else y


@implements(np.linalg.matrix_norm)
def matrix_norm(x: ArrayLike, /, *, keepdims: bool = False, ord: Any = "fro") -> Any:
    """The norm of order `ord` of the matrices along the last two axes, as in `norm`."""
    return norm(x, ord=ord, axis=(-2, -1), keepdims=keepdims)


def vector_norm_along(x: Any, ord: Any, axes: tuple[int, ...]) -> Any:
    """The norm of the entries along `axes` as one vector."""
    if isinstance(ord, str):
        raise ValueError(f"Invalid norm order '{ord}' for vectors; wanted None, 0, inf, -inf or another number")
    if ord is None or ord == 2:
        return root(sum_of_squares(x, axes))
    if ord == 0:
        return reduce_sum(convert(x != 0, dtype=np.finfo(x.dtype).dtype), axes=axes)
    size = np.abs(x)
    if ord == 1:
        return reduce_sum(size, axes=axes)
    if ord == np.inf:
        return largest(size, axes)
    if ord == -np.inf:
        return reduce_min(size, axes=axes)
    return power_mean_root(size, float(ord), axes)


def matrix_norm_along(x: Any, ord: Any, axes: tuple[int, ...]) -> Any:
    """The norm of the matrices along two axes, those of rows and columns."""
    row, column = axes
    if ord in (None, "fro", "f"):
        return root(sum_of_squares(x, axes))
    if ord == "nuc":
        return reduce_sum(singular_values(x, axes), axes=(len(x.shape) - 2,))
    if isinstance(ord, str) or abs(ord) not in (1, 2, np.inf):
        raise ValueError(f"Invalid norm order {ord!r} for matrices; wanted None, 'fro', 'nuc', +-1, +-2 or +-inf")
    if abs(ord) == 2:
        size, rest = singular_values(x, axes), len(x.shape) - 2
    else:
        summed, rest = (row, column) if abs(ord) == 1 else (column, row)
        size, rest = reduce_sum(np.abs(x), axes=(summed,)), rest - (rest > summed)
    return largest(size, (rest,)) if ord > 0 else reduce_min(size, axes=(rest,))


def sum_of_squares(x: Any, axes: tuple[int, ...]) -> Any:
    return reduce_sum(squared_modulus(x) if x.dtype.kind == "c" else np.square(x), axes=axes)


def power_mean_root(size: Any, p: float, axes: tuple[int, ...]) -> Any:
    """(sum size^p)^(1/p), with derivative 0 in an entry that is 0, and at 0."""
    zero = size == 0
    total = reduce_sum(select(zero, 0.0 if p > 0 else np.inf, select(zero, 1, size) ** p), axes=axes)
    vanishes = total == (0 if p > 0 else np.inf)
    return select(vanishes, 0, select(vanishes, 1, total) ** (1 / p))


def largest(x: Any, axes: tuple[int, ...]) -> Any:
    """The maximum of numbers that are not negative: of none, 0."""
    if any(x.shape[k] == 0 for k in axes):
        return reduce_sum(x, axes=axes)
    return reduce_max(x, axes=axes)


def singular_values(x: Any, axes: tuple[int, ...]) -> Any:
    """Those of the matrices along two axes, as a last axis; |s| has the derivative 0 where s is 0."""
    others = tuple(k for k in range(len(x.shape)) if k not in axes)
    (s,) = svd.bind(transpose(x, permutation=(*others, *axes)), full_matrices=False, compute_uv=False)
    return np.abs(s)
