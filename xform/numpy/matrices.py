"""Products, powers, traces and diagonals: the functions of numpy.linalg that need no decomposition."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import Any, SupportsIndex

import numpy as np
from numpy.linalg import LinAlgError
from numpy.typing import ArrayLike, DTypeLike

from xform.numpy import products
from xform.numpy.dispatch import asarray, implements, reject
from xform.ops.contraction import einsum
from xform.ops.linear_algebra.matrix import inexact, require_sides, swap_last
from xform.ops.linear_algebra.solve import inv

__all__ = [
    "cross",
    "diagonal",
    "matmul",
    "matrix_power",
    "matrix_transpose",
    "multi_dot",
    "outer",
    "tensordot",
    "trace",
    "vecdot",
]


@implements(np.linalg.matmul)
def matmul(x1: ArrayLike, x2: ArrayLike, /) -> Any:
    """The matrix product x1 @ x2, with NumPy's rules for vectors and stacks."""
    return einsum.matmul(x1, x2)


@implements(np.linalg.matrix_transpose)
def matrix_transpose(x: ArrayLike, /) -> Any:
    """The matrices of a stack (..., m, n) transposed, (..., n, m)."""
    matrix = asarray(x)
    if len(matrix.shape) < 2:
        raise ValueError(f"matrix_transpose: wanted at least two dimensions, but the array has shape {matrix.shape}")
    return swap_last(matrix)


@implements(np.linalg.diagonal)
def diagonal(x: ArrayLike, /, *, offset: SupportsIndex = 0) -> Any:
    """The entries x[..., i, i + offset], the diagonals of a stack of matrices."""
    return products.diagonal(x, offset, -2, -1)


@implements(np.linalg.trace)
def trace(x: ArrayLike, /, *, offset: SupportsIndex = 0, dtype: DTypeLike | None = None) -> Any:
    """The sum of the entries x[..., i, i + offset], in NumPy's dtype for sums unless `dtype` is given.

    >>> import xform
    >>> xform.grad(trace)(np.ones((2, 2)))
    array([[1., 0.],
           [0., 1.]])
    """
    return products.trace(x, offset, -2, -1, dtype)


@implements(np.linalg.outer)
def outer(x1: ArrayLike, x2: ArrayLike, /) -> Any:
    """The matrix x1[i] x2[j] of two vectors; ValueError if one of them is not a vector."""
    shapes = [asarray(x).shape for x in (x1, x2)]
    if any(len(shape) != 1 for shape in shapes):
        raise ValueError(f"outer: wanted one-dimensional arrays, but they have shapes {shapes[0]} and {shapes[1]}")
    return einsum.outer(x1, x2)


@implements(np.linalg.tensordot)
def tensordot(x1: ArrayLike, x2: ArrayLike, /, *, axes: Any = 2) -> Any:
    """The sum over the last `axes` axes of x1 against the first of x2, or over pairs of axes, axes = (p, q)."""
    return einsum.tensordot(x1, x2, axes)


@implements(np.linalg.vecdot)
def vecdot(x1: ArrayLike, x2: ArrayLike, /, *, axis: int = -1) -> Any:
    """The scalar products of vectors, sum conj(x1) x2 along `axis`, the other axes broadcasting."""
    return einsum.vecdot(x1, x2, axis)


@implements(np.linalg.cross)
def cross(x1: ArrayLike, x2: ArrayLike, /, *, axis: int = -1) -> Any:
    """The vector products of the 3-vectors along `axis`; ValueError unless there are three entries along it."""
    sizes = [asarray(x).shape[axis] for x in (x1, x2)]
    if sizes != [3, 3]:
        raise ValueError(
            "cross: both input arrays must be (arrays of) 3-dimensional vectors, but they are "
            f"{sizes[0]} and {sizes[1]} dimensional instead"
        )
    return products.cross(x1, x2, axis=axis)


@implements(np.linalg.matrix_power)
def matrix_power(a: ArrayLike, n: SupportsIndex) -> Any:
    """A^n for an integer n, by repeated squaring; a negative n takes powers of the inverse.

    Raises LinAlgError if A is not square, or singular and n negative; TypeError if n is not an integer.
    """
    square, result = asarray(a), None
    try:
        power = operator.index(n)
    except TypeError:
        raise TypeError(f"matrix_power: exponent must be an integer, not {n!r}") from None
    require_sides("matrix_power", square)
    if power == 0:
        return np.broadcast_to(np.eye(square.shape[-1], dtype=square.dtype), square.shape).copy()
    if power < 0:
        square, power = inv(*inexact(square), strict=True), -power
    while power:
        power, odd = divmod(power, 2)
        if odd:
            result = square if result is None else einsum.matmul(result, square)
        if power:
            square = einsum.matmul(square, square)
    return result


@implements(np.linalg.multi_dot)
def multi_dot(arrays: Sequence[ArrayLike], *, out: None = None) -> Any:
    """The product of two or more matrices (the first and last may be vectors), in the order that costs least.

    Raises ValueError for fewer than two arrays, LinAlgError if one of them is not a matrix.
    """
    reject("multi_dot", out=out)
    factors = [asarray(a) for a in arrays]
    last = len(factors) - 1
    if last < 1:
        raise ValueError(f"multi_dot: expecting at least two arrays, {len(factors)} given")
    for k, a in enumerate(factors):
        if len(a.shape) != 2 and not (len(a.shape) == 1 and k in (0, last)):
            raise LinAlgError(f"multi_dot: array {k} has shape {a.shape}; wanted a matrix, or at either end a vector")
    terms, ends = [[k, k + 1] for k in range(last + 1)], [0, last + 1]
    if len(factors[last].shape) == 1:
        terms[last] = [last]
        ends.remove(last + 1)
    if len(factors[0].shape) == 1:
        terms[0] = [1]
        ends.remove(0)
    return einsum.einsum(*(part for pair in zip(factors, terms, strict=True) for part in pair), ends)
