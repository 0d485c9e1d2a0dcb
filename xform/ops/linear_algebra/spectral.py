"""Eigenvalues of Hermitian matrices and singular values, with their vectors.

A vector is determined up to a phase, and those of a group of equal values (equal up to rounding) up to a rotation
among themselves. The rules choose the derivative that turns them least: no phase is turned, and no vector within its
group; how a group splits shows in derivatives of derivatives (see `gaps`). So all derivatives are finite. They are
right, to any order, for what depends on the groups only: the projector onto one, the sum of its values, the polar
factor U V^H; below full rank, where the vectors of zero singular values are free, to first order.

Of a sum of f over equal values the first derivative is right. Its second one, and the first of V f(w) V^H, need f' of
a group as a matrix, which values and vectors do not have: such a function is to be written as one of the matrix.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.linalg import LinAlgError

from xform.core.aval import Aval
from xform.ops.complex import real
from xform.ops.contraction.einsum import matmul
from xform.ops.linear_algebra.factor import complete_dot
from xform.ops.linear_algebra.gaps import diagonal_form, gap_quotient
from xform.ops.linear_algebra.matrix import (
    Factorization,
    adjoint,
    as_row,
    conj,
    diagonal,
    explained,
    leading,
    real_dtype,
    require_matrices,
    require_square,
)
from xform.ops.structure import reduce_sum


class Eigh(Factorization):
    """Eigenvalues w, ascending, and orthonormal eigenvectors V of a Hermitian A, of which one triangle is read.

    It is a function of Hermitian matrices: its derivative is that along the Hermitian part of A_dot,

        P = V^H A_dot V,    w_dot = diag(P),    V_dot = V (F * P),    F_ij = 1 / (w_j - w_i), 0 where they are equal

    with `GapQuotient` for the product by F (Giles 2008, An extended collection of matrix derivative results, section
    3.1).
    """

    def abstract(self, a: Aval, *, lower: bool) -> list[Aval]:
        require_square("eigh", a)
        return [Aval(a.shape[:-1], real_dtype(a.dtype)), a.with_shape(a.shape)]

    def numpy(self, a: Any, *, lower: bool) -> list[Any]:
        try:
            return list(np.linalg.eigh(a, "L" if lower else "U"))
        except LinAlgError as error:
            raise explained("eigh", error, a, "Wanted finite entries") from None

    def pushforward(self, outs: Any, a: Any, a_dot: Any, *, lower: bool) -> list[Any]:
        w, v = outs
        p = matmul(matmul(adjoint(v) * 0.5, a_dot + adjoint(a_dot)), v)
        values = diagonal_form(a, adjoint(v), v, as_row(w), hermitian=True)
        return [real_part(diagonal(p)), matmul(v, gap_quotient(values, p, sign=1))]


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
        try:
            outs = np.linalg.svd(a, full_matrices=full_matrices, compute_uv=compute_uv)
        except LinAlgError as error:
            raise explained("svd", error, a, "Wanted finite entries") from None
        return list(outs) if compute_uv else [outs]

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
        values = diagonal_form(a, adjoint(u), v, as_row(s), hermitian=True)
        together = gap_quotient(values, (p + adjoint(p)) * 0.5, sign=1)
        apart = gap_quotient(values, (p - adjoint(p)) * 0.5, sign=-1)
        u_dot, v_dot = matmul(u, together + apart), matmul(v, together - apart)
        if m > k:
            u_dot = u_dot + gap_quotient(values, image - matmul(u, p), sign=0)
        if n > k:
            v_dot = v_dot + gap_quotient(values, matmul(adjoint(a_dot), u) - matmul(v, adjoint(p)), sign=0)
        if full_matrices:
            u_dot = complete_dot(outs[0], u_dot) if m > k else u_dot
            v_dot = complete_dot(adjoint(outs[2]), v_dot) if n > k else v_dot
        return [u_dot, real_part(diagonal(p)), adjoint(v_dot)]


def real_part(x: Any) -> Any:
    return real(x) if x.dtype.kind == "c" else x


eigh = Eigh("eigh")
svd = SVD("svd")
