"""Triangular factorisations: Cholesky's and QR."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
from numpy.linalg import LinAlgError

from xform.core.aval import Aval
from xform.ops.complex import imag
from xform.ops.contraction.einsum import matmul
from xform.ops.linear_algebra.matrix import (
    Factorization,
    adjoint,
    diagonal,
    embed_diagonal,
    explained,
    leading,
    lower,
    real_dtype,
    require_matrices,
    require_square,
    swap_last,
    upper,
)
from xform.ops.linear_algebra.solve import triangular_solve
from xform.ops.structure import concatenate, pad, slice_


class Cholesky(Factorization):
    """The lower triangular L with A = L L^H, for a Hermitian positive definite A, of which the lower triangle is read.

    It is a function of Hermitian matrices: its derivative is that along the Hermitian part of A_dot, so that gradients
    are Hermitian, L_dot = L phi(L^-1 A_dot L^-H), where phi takes the lower triangle and half of the diagonal (Murray
    2016, Differentiation of the Cholesky decomposition). LinAlgError if A is not positive definite.
    """

    def abstract(self, a: Aval) -> list[Aval]:
        require_square("cholesky", a)
        return [a.with_shape(a.shape)]

    def numpy(self, a: Any) -> list[Any]:
        try:
            return [np.linalg.cholesky(a)]
        except LinAlgError as error:
            remedy = "Wanted positive eigenvalues; add a multiple of the identity, or use eigh"
            raise explained("cholesky", error, a, remedy) from None

    def pushforward(self, outs: Any, a: Any, a_dot: Any) -> list[Any]:
        (factor,) = outs
        twice = a_dot + adjoint(a_dot)
        left = triangular_solve(factor, twice, lower=True, unit_diagonal=False)
        both = triangular_solve(factor, adjoint(left), lower=True, unit_diagonal=False)
        return [matmul(factor, both * quarters(*a.shape[-2:], real_dtype(a.dtype)))]


@functools.lru_cache(maxsize=256)
def quarters(m: int, n: int, dtype: np.dtype) -> np.ndarray:
    """The weights by which phi takes the halves of a matrix: 1/2 below the diagonal, 1/4 on it, 0 above."""
    weights = (np.tri(m, n, 0, dtype) + np.tri(m, n, -1, dtype)) / 4
    weights.flags.writeable = False
    return weights


class QR(Factorization):
    """Q with orthonormal columns and the upper triangular (trapezoidal) R with A = Q R, for A (..., m, n).

    With k = min(m, n), `complete` says that Q is m x m and R is m x n, else they are m x k and k x n. Let Q_1, R_1 be
    their leading k columns and X = A_1_dot R_1^-1, S = Q_1^H X; then

        W = tril(S, -1) - tril(S, -1)^H + i Im diag(S),    Q_1_dot = Q_1 (W - S) + X,    R_dot = triu(Q^H A_dot - W R)

    (Walter and Lehmann 2010, Algorithmic differentiation of linear algebra functions; Roberts and Roberts 2020, QR and
    LQ decomposition matrix backpropagation algorithms for square, wide and deep matrices, has the wide case). The
    columns that `complete` adds span the complement of A, and their derivative is `complement_dot`. It raises
    LinAlgError if the first k columns of A are dependent.
    """

    def abstract(self, a: Aval, *, complete: bool) -> list[Aval]:
        require_matrices("qr", a)
        *lead, m, n = a.shape
        k = m if complete else min(m, n)
        return [a.with_shape((*lead, m, k)), a.with_shape((*lead, k, n))]

    def numpy(self, a: Any, *, complete: bool) -> list[Any]:
        return list(np.linalg.qr(a, mode="complete" if complete else "reduced"))

    def pushforward(self, outs: Any, a: Any, a_dot: Any, *, complete: bool) -> list[Any]:
        m, n = a.shape[-2:]
        k = min(m, n)
        q, r = leading(outs[0], m, k), leading(outs[1], k, n)
        x = divide_right(leading(a_dot, m, k), leading(r, k, k))
        s = matmul(adjoint(q), x)
        w = skew_of_lower(s)
        q_dot = matmul(q, w - s) + x
        r_dot = upper(matmul(adjoint(q), a_dot) - matmul(w, r))
        if m == k or not complete:
            return [q_dot, r_dot]
        below = (*((0, size, 1) for size in outs[1].shape[:-2]), (0, k, 1), (0, n, 1))
        return [complete_dot(outs[0], q_dot), pad(r_dot, shape=outs[1].shape, index=below)]


def divide_right(b: Any, r: Any) -> Any:
    """B R^-1 for an upper triangular R."""
    return swap_last(triangular_solve(swap_last(r), swap_last(b), lower=True, unit_diagonal=False))


def skew_of_lower(s: Any) -> Any:
    """The skew-Hermitian W for which S - W is upper triangular with a real diagonal."""
    below = lower(s, -1)
    w = below - adjoint(below)
    return w + embed_diagonal(imag(diagonal(s)) * 1j) if s.dtype.kind == "c" else w


def complete_dot(q: Any, q1_dot: Any) -> Any:
    """The tangent of the unitary Q = [Q_1 Q_2] from that of Q_1: with `complement_dot` of Q_2."""
    m, k = q1_dot.shape[-2:]
    full = tuple((0, size, 1) for size in q.shape[:-1])
    q1, q2 = leading(q, m, k), slice_(q, index=(*full, (k, m - k, 1)))
    return concatenate(q1_dot, complement_dot(q1, q1_dot, q2), axis=len(q.shape) - 1)


def complement_dot(q1: Any, q1_dot: Any, q2: Any) -> Any:
    """Q_2_dot = -Q_1 Q_1_dot^H Q_2, which keeps Q_2^H Q_1 = 0 without turning Q_2 in itself.

    Only the span of Q_2 is a function of the matrix. So this is right for what depends on the span alone (a projector,
    a solution in the null space); anything else depends on a choice that LAPACK made.
    """
    return -matmul(q1, matmul(adjoint(q1_dot), q2))


cholesky = Cholesky("cholesky")
qr = QR("qr")
