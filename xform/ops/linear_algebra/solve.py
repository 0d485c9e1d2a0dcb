"""Linear equations: A X = B for general and triangular A, and the inverse.

From A X = B follows A X_dot = B_dot - A_dot X, and X is linear in B with transpose B_bar = A^-T X_bar (Giles 2008, An
extended collection of matrix derivative results for forward and reverse mode algorithmic differentiation, 2.3.1).
The Taylor coefficients solve A[0] X[k] = B[k] - sum_{m > 0} A[m] X[k - m].
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.linalg import LinAlgError

from xform.core.aval import Aval
from xform.core.errors import NonlinearError
from xform.core.primitive import Linear, Zero, is_zero
from xform.core.series import Series
from xform.ops.contraction.einsum import matmul
from xform.ops.family import total
from xform.ops.linear_algebra.matrix import (
    Factorization,
    Stacked,
    conj,
    explained,
    lower,
    require_matrices,
    require_square,
    swap_last,
    triangle,
    upper,
)
from xform.ops.structure import broadcast_to, reshape, transpose

#: order of the diagonal blocks that triangular substitution leaves to LAPACK
BLOCK = 64


class LinearSolve(Stacked):
    """X with M(A) X = B for A (..., m, m) and B (..., m, k) of the same leading axes, where M is linear."""

    def matrix(self, a: Any, **params: Any) -> Any:
        """M(A): the part of A that counts."""
        raise NotImplementedError

    def product(self, a: Any, x: Any, **params: Any) -> Any:
        """M(A) X."""
        return matmul(self.matrix(a, **params), x)

    def transposed(self, a: Any, b: Any, **params: Any) -> Any:
        """The solution of M(A)^T X = B."""
        raise NotImplementedError

    def abstract(self, a: Aval, b: Aval, **params: Any) -> list[Aval]:
        require_square(self.name, a)
        require_matrices(self.name, b)
        if a.shape[:-1] != b.shape[:-1]:
            raise ValueError(f"{self.name}: a {a} and b {b} do not fit; wanted shapes (..., m, m) and (..., m, k)")
        return [Aval(b.shape, np.result_type(a.dtype, b.dtype))]

    def jvp(self, primals: Any, tangents: Any, **params: Any) -> tuple[list[Any], list[Any]]:
        (a, b), (a_dot, b_dot) = primals, tangents
        x = self(a, b, **params)
        terms = [b_dot] if is_zero(a_dot) else [b_dot, self.product(a_dot, -x, **params)]
        right = total(terms)
        return [x], [Zero.like(x) if is_zero(right) else self(a, right, **params)]

    def transpose(self, cotangents: Any, a: Any, b: Any, **params: Any) -> list[Any]:
        if type(a) is Linear:
            raise NonlinearError(f"'{self.name}' is linear in its second argument only; differentiate it with vjp")
        return [None, self.transposed(a, cotangents[0], **params)]

    def batch(self, size: int, args: Any, batched: Any, **params: Any) -> list[Any]:
        if batched[0]:
            return super().batch(size, args, batched, **params)
        return [self.columnwise(*args, **params)]

    def columnwise(self, a: Any, b: Any, **params: Any) -> Any:
        """For a B with more leading axes than A, in front: they become columns, so that each A is factored once."""
        extra, rank = len(b.shape) - len(a.shape), len(a.shape) - 2
        if extra == 0:
            return self(a, b, **params)
        *_, m, k = b.shape
        more, lead = b.shape[:extra], b.shape[extra:-2]
        inwards = (*range(extra, extra + rank + 1), *range(extra), extra + rank + 1)
        columns = reshape(transpose(b, permutation=inwards), shape=(*lead, m, math.prod(more) * k))
        x = reshape(self(a, columns, **params), shape=(*lead, m, *more, k))
        outwards = (*range(rank + 1, rank + 1 + extra), *range(rank + 1), extra + rank + 1)
        return transpose(x, permutation=outwards)

    def broadcast(self, a: Any, b: Any, **params: Any) -> Any:
        """X for matrices and right-hand sides whose leading axes broadcast."""
        require_square(self.name, a)
        require_matrices(self.name, b)
        if a.shape[-1] != b.shape[-2]:
            raise ValueError(
                f"{self.name}: the matrix has shape {a.shape} and the right-hand side {b.shape}; "
                "wanted as many rows on the right as there are columns on the left"
            )
        if a.shape[:-2] == b.shape[:-2]:
            return self(a, b, **params)
        lead = np.broadcast_shapes(a.shape[:-2], b.shape[:-2])
        if a.shape[:-2] != lead[len(lead) - len(a.shape) + 2 :]:
            a = broadcast_to(a, (*lead, *a.shape[-2:]))
        return self.columnwise(a, broadcast_to(b, (*lead, *b.shape[-2:])), **params)

    def jet(self, series: Any, apply: Any, **params: Any) -> list[Any]:
        a, b = series

        def term(k: int) -> Any:
            if k == 0:
                return self(a[0], b[0], **params)
            known = [
                -self.product(a[m], x[k - m], **params)
                for m in range(1, k + 1)
                if not is_zero(a[m]) and not is_zero(x[k - m])
            ]
            right = total([b[k], *known])
            return Zero.like(x[0]) if is_zero(right) else self(a[0], right, **params)

        x = Series(term)
        return [x]

    def sparsity(self, patterns: Any, avals: Any, **params: Any) -> list[Any]:
        """A column of X depends on its matrix and on its own column of B."""
        a, b = patterns
        (whole,) = super().sparsity([a, None], avals, **params)
        column = None if b is None else np.broadcast_to(b.any(axis=-2, keepdims=True), b.shape)
        return [column if whole is None else whole if column is None else whole | column]


class Solve(LinearSolve):
    """A^-1 B by LU factorisation with partial pivoting; LinAlgError if a matrix is singular."""

    def numpy(self, a: Any, b: Any) -> list[Any]:
        try:
            return [np.linalg.solve(a, b)]
        except LinAlgError as error:
            raise explained("solve", error, a, "A unique solution wants a regular matrix; use lstsq or pinv") from None

    def matrix(self, a: Any) -> Any:
        return a

    def transposed(self, a: Any, b: Any) -> Any:
        return self(swap_last(a), b)


class TriangularSolve(LinearSolve):
    """T^-1 B, where T is the lower or upper triangle of A, with a diagonal of ones if `unit_diagonal`.

    The rest of A is not read. LinAlgError if there is a zero on the diagonal.
    """

    def numpy(self, a: Any, b: Any, *, lower: bool, unit_diagonal: bool) -> list[Any]:
        x = np.empty(b.shape, np.result_type(a, b))
        try:
            if lower:  # reversed, a lower triangle is an upper one
                substitute(a[..., ::-1, ::-1], b[..., ::-1, :], x[..., ::-1, :], unit_diagonal)
            else:
                substitute(a, b, x, unit_diagonal)
        except LinAlgError as error:
            raise explained("triangular_solve", error, a, "Wanted a diagonal without zeros; use lstsq") from None
        return [x]

    def matrix(self, a: Any, *, lower: bool, unit_diagonal: bool) -> Any:
        return (lower_triangle if lower else upper_triangle)(a, unit_diagonal)

    def transposed(self, a: Any, b: Any, *, lower: bool, unit_diagonal: bool) -> Any:
        return self(swap_last(a), b, lower=not lower, unit_diagonal=unit_diagonal)


def lower_triangle(a: Any, strict: bool) -> Any:
    return lower(a, -1 if strict else 0)


def upper_triangle(a: Any, strict: bool) -> Any:
    return upper(a, 1 if strict else 0)


def substitute(a: np.ndarray, b: np.ndarray, x: np.ndarray, unit_diagonal: bool) -> None:
    """Back substitution by blocks, from the last: X_i = T_ii^-1 (B_i - sum_{j > i} A_ij X_j).

    LAPACK's LU factorisation leaves an upper triangular T_ii as it is, so that its solve is substitution, too.
    """
    n = a.shape[-1]
    for start in reversed(range(0, n, BLOCK)):
        here, after = slice(start, start + BLOCK), slice(start + BLOCK, n)
        block = a[..., here, here]
        block = np.where(triangle(*block.shape[-2:], -1), 0, block)
        if unit_diagonal:
            k = np.arange(block.shape[-1])
            block[..., k, k] = 1
        right = b[..., here, :]
        if start + BLOCK < n:
            right = right - a[..., here, after] @ x[..., after, :]
        x[..., here, :] = np.linalg.solve(block, right)


class Inverse(Factorization):
    """Y = A^-1, Y_dot = -Y A_dot Y; a singular matrix raises LinAlgError, or if not `strict` gives nan."""

    def abstract(self, a: Aval, *, strict: bool) -> list[Aval]:
        require_square("inv", a)
        return [a.with_shape(a.shape)]

    def numpy(self, a: Any, *, strict: bool) -> list[Any]:
        try:
            return [np.linalg.inv(a)]
        except LinAlgError as error:
            if strict:
                raise explained("inv", error, a, "Only a regular matrix has an inverse; use pinv") from None
        regular = np.linalg.slogdet(a)[0] != 0
        y = np.full_like(a, np.nan)
        y[regular] = np.linalg.inv(a[regular])
        return [y]

    def pushforward(self, outs: Any, a: Any, a_dot: Any, *, strict: bool) -> list[Any]:
        (y,) = outs
        return [matmul(matmul(-y, a_dot), y)]


solve = Solve("solve")
triangular_solve = TriangularSolve("triangular_solve")
inv = Inverse("inv")


def solve_triangular(a: Any, b: Any, *, lower: bool, trans: str = "N", unit_diagonal: bool = False) -> Any:
    """The solution X of op(T) X = B, where op is the identity, transpose or adjoint for `trans` "N", "T" or "C"."""
    if trans == "N":
        return triangular_solve(a, b, lower=lower, unit_diagonal=unit_diagonal)
    if trans not in ("T", "C"):
        raise ValueError(f"trans is {trans!r}; wanted 'N' (T X = B), 'T' (T^T X = B) or 'C' (T^H X = B)")
    a = swap_last(a if trans == "T" else conj(a))
    return triangular_solve(a, b, lower=not lower, unit_diagonal=unit_diagonal)
