"""Eigenvalues of Hermitian matrices and singular values, with their vectors.

A vector is determined up to a phase, and those of a group of equal values (equal up to rounding) up to a rotation
among themselves. The rules choose the derivative that turns them least: no phase is turned, and no vector within its
group. So all derivatives are finite, and the first one is right for what is differentiable and does not depend on how a
group splits: symmetric functions of its values (the trace of a matrix function, a nuclear norm) and its projector. What
depends on the splitting, such as V h(w) V^H itself or a second derivative at equal values, is not to be had from values
and vectors at that point.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from xform.core.aval import Aval
from xform.ops.complex import real
from xform.ops.einsum import matmul
from xform.ops.factor import complete_dot
from xform.ops.matrix import (
    Factorization,
    adjoint,
    as_column,
    as_row,
    conj,
    diagonal,
    leading,
    real_dtype,
    require_matrices,
    require_square,
)
from xform.ops.select import select
from xform.ops.structure import reduce_sum, reshape, slice_


class Eigh(Factorization):
    """Eigenvalues w, ascending, and orthonormal eigenvectors V of a Hermitian A, of which one triangle is read.

    It is a function of Hermitian matrices: its derivative is that along the Hermitian part of A_dot,

        P = V^H A_dot V,    w_dot = diag(P),    V_dot = V (F * P),    F_ij = 1 / (w_j - w_i), 0 where they are equal

    (Giles 2008, An extended collection of matrix derivative results, section 3.1).
    """

    def abstract(self, a: Aval, *, lower: bool) -> list[Aval]:
        require_square("eigh", a)
        return [Aval(a.shape[:-1], real_dtype(a.dtype)), a.with_shape(a.shape)]

    def numpy(self, a: Any, *, lower: bool) -> list[Any]:
        return list(np.linalg.eigh(a, "L" if lower else "U"))

    def pushforward(self, outs: Any, a: Any, a_dot: Any, *, lower: bool) -> list[Any]:
        w, v = outs
        p = matmul(matmul(adjoint(v) * 0.5, a_dot + adjoint(a_dot)), v)
        return [real_part(diagonal(p)), matmul(v, inverse_gaps(as_row(w) - as_column(w), w) * p)]


class SVD(Factorization):
    """A = U S V^H for A (..., m, n): U, the singular values s, descending, and V^H, or s alone without `compute_uv`.

    With k = min(m, n), `full_matrices` says that U and V are square, else they have k columns. Where

        P = U^H A_dot V,   H = (P + P^H) / 2,   K = (P - P^H) / 2,   D_ij = 1 / (s_j - s_i),   E_ij = 1 / (s_j + s_i),

    s_dot = Re diag(P), U_dot = U (D * H + E * K) + (I - U U^H) A_dot V / s, V_dot = V (D * H - E * K) + the like.
    This is Townsend 2016, Differentiating the singular value decomposition, with 1 / (s_j^2 - s_i^2) taken apart: only
    D is singular at equal values, so that U V^H keeps its derivative there. A reciprocal of zero is taken as zero.
    """

    def abstract(self, a: Aval, *, full_matrices: bool, compute_uv: bool) -> list[Aval]:
        require_matrices("svd", a)
        *lead, m, n = a.shape
        k = min(m, n)
        s = Aval((*lead, k), real_dtype(a.dtype))
        if not compute_uv:
            return [s]
        rank_u, rank_v = (m, n) if full_matrices else (k, k)
        return [a.with_shape((*lead, m, rank_u)), s, a.with_shape((*lead, rank_v, n))]

    def numpy(self, a: Any, *, full_matrices: bool, compute_uv: bool) -> list[Any]:
        if not compute_uv:
            return [np.linalg.svd(a, compute_uv=False)]
        return list(np.linalg.svd(a, full_matrices=full_matrices))

    def pushforward(self, outs: Any, a: Any, a_dot: Any, *, full_matrices: bool, compute_uv: bool) -> list[Any]:
        if not compute_uv:
            u, _, vh = self.bind(a, full_matrices=False, compute_uv=True)
            p = reduce_sum(conj(u) * matmul(a_dot, adjoint(vh)), axes=(len(u.shape) - 2,))
            return [real_part(p)]
        m, n = a.shape[-2:]
        k = min(m, n)
        s = outs[1]
        u, v = leading(outs[0], m, k), adjoint(leading(outs[2], k, n))
        image = matmul(a_dot, v)
        p = matmul(adjoint(u), image)
        turn_u, turn_v = turns(p, s)
        u_dot, v_dot = matmul(u, turn_u), matmul(v, turn_v)
        if m > k:
            u_dot = u_dot + (image - matmul(u, p)) * as_row(inverse_gaps(s, s))
        if n > k:
            v_dot = v_dot + (matmul(adjoint(a_dot), u) - matmul(v, adjoint(p))) * as_row(inverse_gaps(s, s))
        if full_matrices:
            u_dot = complete_dot(outs[0], u_dot) if m > k else u_dot
            v_dot = complete_dot(adjoint(outs[2]), v_dot) if n > k else v_dot
        return [u_dot, real_part(diagonal(p)), adjoint(v_dot)]


def turns(p: Any, s: Any) -> tuple[Any, Any]:
    """D * H + E * K and D * H - E * K: how the left and the right vectors turn within their span."""
    h, k = (p + adjoint(p)) * 0.5, (p - adjoint(p)) * 0.5
    row, column = as_row(s), as_column(s)
    together, apart = h * inverse_gaps(row - column, s), k * inverse_gaps(row + column, s)
    return together + apart, together - apart


def inverse_gaps(x: Any, values: Any) -> Any:
    """`reciprocal` for sorted values."""
    return reciprocal(x, largest_modulus(values), values.shape[-1])


def reciprocal(x: Any, largest: Any, n: int) -> Any:
    """1 / x for gaps x between n values per matrix, of which `largest` is the largest modulus; 0 where a gap is zero.

    That is up to rounding, which was seen to split n equal values by up to 5 sqrt(n) eps times the largest one.
    """
    if 0 in x.shape:
        return x
    rounding = 8 * math.sqrt(n) * float(np.finfo(largest.dtype).eps)
    tolerance = reshape(largest * rounding, shape=(*largest.shape, *(1,) * (len(x.shape) - len(largest.shape))))
    zero = np.abs(x) <= tolerance
    return select(zero, 0, 1 / select(zero, 1, x))


def largest_modulus(values: Any) -> Any:
    """That of sorted values: it is the first one's or the last one's."""
    *lead, n = values.shape
    if n == 0:
        return values
    every = tuple((0, size, 1) for size in lead)
    return np.maximum(*(np.abs(slice_(values, index=(*every, k))) for k in (0, n - 1)))


def real_part(x: Any) -> Any:
    return real(x) if x.dtype.kind == "c" else x


eigh = Eigh("eigh")
svd = SVD("svd")
