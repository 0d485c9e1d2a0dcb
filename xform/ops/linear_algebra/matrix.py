"""Stacks of matrices (..., m, n): the families of linear algebra, and the moves that their rules are written in.

The rules are the matrix equations of the literature, read on each matrix of a stack. Complex ones follow the rest of
the system: a transposed rule is the plain transpose, and where an equation has an adjoint A^H it says so by `adjoint`.
"""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
from numpy.linalg import LinAlgError

from xform.core.aval import Aval, aval_of
from xform.core.primitive import Zero, is_zero
from xform.ops.complex import conjugate
from xform.ops.family import Opaque, union_pattern
from xform.ops.select import select
from xform.ops.structure import batch_operand, convert, pad, reshape, slice_, transpose


class Stacked(Opaque):
    """A function of matrices, applied to each of a stack: NumPy loops over the leading axes, so a batch is one more."""

    def batch(self, size: int, args: Any, batched: Any, **params: Any) -> list[Any]:
        return self.bind(*(batch_operand(size, x, b) for x, b in zip(args, batched, strict=True)), **params)

    def sparsity(self, patterns: Any, avals: Any, **params: Any) -> list[Any]:
        """The matrices of a stack do not depend on each other; within one, everything depends on everything."""
        avals = [aval_of(a) for a in avals]
        outs = self.abstract(*avals, **params)
        lead = np.broadcast_shapes(*(a.shape[:-2] for a in avals))
        (items,) = union_pattern([None if p is None else p.any(axis=(-2, -1)) for p in patterns], lead)
        return [None if items is None else spread(items, out) for out in outs]


class Factorization(Stacked):
    """A function of one matrix; a member writes `pushforward`, the tangents of its results."""

    def jvp(self, primals: Any, tangents: Any, **params: Any) -> tuple[list[Any], list[Any]]:
        outs = self.bind(*primals, **params)
        if is_zero(tangents[0]):
            return outs, [Zero.like(y) for y in outs]
        return outs, self.pushforward(outs, primals[0], tangents[0], **params)

    def pushforward(self, outs: Any, a: Any, a_dot: Any, **params: Any) -> list[Any]:
        raise NotImplementedError


def spread(items: np.ndarray, out: Aval) -> np.ndarray:
    """A pattern per matrix of a stack as one per entry of a result."""
    return np.broadcast_to(items.reshape(*items.shape, *(1,) * (out.ndim + 1 - items.ndim)), (len(items), *out.shape))


def require_rank(name: str, x: Any) -> None:
    """Raise what NumPy raises unless `x` is a matrix or a stack of matrices."""
    if len(x.shape) < 2:
        raise LinAlgError(
            f"{name}: {len(x.shape)}-dimensional array given, of shape {x.shape}; "
            "wanted a matrix or a stack of matrices, shape (..., m, n)"
        )


def require_sides(name: str, x: Any) -> None:
    """The same unless its matrices are square."""
    require_rank(name, x)
    if x.shape[-2] != x.shape[-1]:
        raise LinAlgError(
            f"{name}: the last 2 dimensions of the array must be square, given shape {x.shape}; wanted (..., n, n)"
        )


def require_matrices(name: str, *operands: Any) -> None:
    """The same unless all operands are matrices of numbers that LAPACK knows."""
    for x in operands:
        require_rank(name, x)
        if x.dtype.char not in "fdFD":
            raise TypeError(
                f"{name}: array type {x.dtype} is unsupported in linear algebra; "
                "wanted float32, float64, complex64 or complex128, convert with astype"
            )


def require_square(name: str, *operands: Any) -> None:
    """The same for square matrices."""
    require_matrices(name, *operands)
    for x in operands:
        require_sides(name, x)


def inexact(*operands: Any) -> list[Any]:
    """The operands in their common real or complex dtype, where integers count as float64: numpy.linalg's promotion."""
    dtype = operands[0].dtype
    if dtype.kind in "fc" and all(x.dtype == dtype for x in operands):
        return [*operands]
    dtype = np.result_type(*(x.dtype if x.dtype.kind in "fc" else np.float64 for x in operands))
    return [x if x.dtype == dtype else convert(x, dtype=dtype) for x in operands]


def explained(name: str, error: LinAlgError, a: Any, remedy: str) -> LinAlgError:
    """NumPy's error with the operand and what to do about it."""
    return LinAlgError(f"{name} of {aval_of(a)}: {error}. {remedy}")


def real_dtype(dtype: np.dtype) -> np.dtype:
    """The dtype of the absolute values of numbers of `dtype`."""
    return np.finfo(dtype).dtype


def swap_last(x: Any) -> Any:
    """A^T."""
    rank = len(x.shape)
    return transpose(x, permutation=(*range(rank - 2), rank - 1, rank - 2))


def conj(x: Any) -> Any:
    """The complex conjugate, of a real array itself."""
    return conjugate(x) if x.dtype.kind == "c" else x


def adjoint(x: Any) -> Any:
    """A^H."""
    return conj(swap_last(x))


@functools.lru_cache(maxsize=256)
def triangle(m: int, n: int, k: int) -> np.ndarray:
    """Where an m x n matrix is on or below its k-th diagonal."""
    mask = np.tri(m, n, k, dtype=bool)
    mask.flags.writeable = False
    return mask


def lower(x: Any, k: int = 0) -> Any:
    """The entries on and below the k-th diagonal, zeros above."""
    return select(triangle(*x.shape[-2:], k), x, 0)


def upper(x: Any, k: int = 0) -> Any:
    """The entries on and above the k-th diagonal, zeros below."""
    return select(triangle(*x.shape[-2:], k - 1), 0, x)


def leading(x: Any, m: int, n: int) -> Any:
    """The leading m x n block."""
    if x.shape[-2:] == (m, n):
        return x
    return slice_(x, index=(*((0, size, 1) for size in x.shape[:-2]), (0, m, 1), (0, n, 1)))


def diagonal(x: Any, offset: int = 0) -> Any:
    """x[..., i, i + offset] as a vector: in C order the entries of a diagonal are n + 1 apart."""
    *lead, m, n = x.shape
    start, count = (offset, min(m, n - offset)) if offset >= 0 else (-offset * n, min(m + offset, n))
    flat = reshape(x, shape=(*lead, m * n))
    return slice_(flat, index=(*((0, size, 1) for size in lead), (start if count > 0 else 0, max(count, 0), n + 1)))


def embed_diagonal(d: Any) -> Any:
    """The square matrix with a given diagonal: the transpose of `diagonal`."""
    *lead, n = d.shape
    flat = pad(d, shape=(*lead, n * n), index=(*((0, size, 1) for size in lead), (0, n, n + 1)))
    return reshape(flat, shape=(*lead, n, n))


def as_row(d: Any) -> Any:
    """A vector as a 1 x n matrix, whose product with a matrix scales the columns."""
    return reshape(d, shape=(*d.shape[:-1], 1, d.shape[-1]))


def as_column(d: Any) -> Any:
    return reshape(d, shape=(*d.shape, 1))
