"""The pseudoinverse of Moore and Penrose, and least squares, for matrices of any shape and rank.

Singular values up to a fraction of the largest one count as zero. Where the rank so found does not change nearby, both
are differentiable to every order:

    P_dot = -P A_dot P + P P^H A_dot^H (I - A P) + (I - P A) A_dot^H P^H P

(Golub and Pereyra 1973, The differentiation of pseudo-inverses and nonlinear least squares problems whose variables
separate). Nothing in it is singular at equal singular values. It is that of a matrix whose other singular values are
zero, to precision; where larger ones may be cut off, the part of A that is kept is such a matrix (see `dominant`).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.linalg import LinAlgError

from xform.core.aval import Aval, aval_of
from xform.core.primitive import Zero, is_zero
from xform.core.trace import concrete
from xform.ops.contraction.einsum import matmul
from xform.ops.family import total
from xform.ops.linear_algebra.matrix import (
    Factorization,
    Stacked,
    adjoint,
    explained,
    real_dtype,
    require_matrices,
    require_square,
)
from xform.ops.linear_algebra.spectral import svd
from xform.ops.structure import batch_operand, convert, reshape, slice_, transpose


class PseudoInverse(Stacked):
    """A^+ for A (..., m, n), where singular values up to `rtol` (..., 1, 1) times the largest one count as zero.

    A matrix that is said to be `hermitian` must be so in both triangles (see `hermitian_part`).
    """

    def abstract(self, a: Aval, rtol: Aval, *, hermitian: bool) -> list[Aval]:
        require_matrices("pinv", a)
        if hermitian:
            require_square("pinv", a)
        if rtol.shape != (*a.shape[:-2], 1, 1):
            raise ValueError(f"pinv: rtol of shape {rtol.shape} given; wanted {(*a.shape[:-2], 1, 1)}, one a matrix")
        return [a.with_shape((*a.shape[:-2], a.shape[-1], a.shape[-2]))]

    def numpy(self, a: Any, rtol: Any, *, hermitian: bool) -> list[Any]:
        try:
            return [np.linalg.pinv(a, rtol[..., 0, 0], hermitian)]
        except LinAlgError as error:
            raise explained("pinv", error, a, "Wanted finite entries") from None

    def jvp(self, primals: Any, tangents: Any, *, hermitian: bool) -> tuple[list[Any], list[Any]]:
        a, a_dot = primals[0], tangents[0]
        p = self(*primals, hermitian=hermitian)
        if is_zero(a_dot):
            return [p], [Zero.like(p)]
        left = matmul(p, matmul(adjoint(p), adjoint(a_dot)))
        right = matmul(matmul(adjoint(a_dot), adjoint(p)), p)
        p_dot = left - matmul(matmul(left, a), p) + right - matmul(p, matmul(a, right)) - matmul(matmul(p, a_dot), p)
        return [p], [p_dot]


class HermitianPart(Factorization):
    """The Hermitian matrix with the lower triangle of A, of which only that is read.

    As all functions of Hermitian matrices it has the derivative along the Hermitian part of A_dot.
    """

    def abstract(self, a: Aval) -> list[Aval]:
        require_square("hermitian_part", a)
        return [a.with_shape(a.shape)]

    def numpy(self, a: Any) -> list[Any]:
        full = np.tril(a, -1)
        full += np.conjugate(np.swapaxes(full, -1, -2))
        k = np.arange(a.shape[-1])
        full[..., k, k] = a[..., k, k].real
        return [full]

    def pushforward(self, outs: Any, a: Any, a_dot: Any) -> list[Any]:
        return [(a_dot + adjoint(a_dot)) * 0.5]


class LeastSquares(Stacked):
    """The shortest X that minimises |A X - B|, rank and singular values s of A, for A (..., m, n), B (..., m, k).

        X_dot = P (B_dot - A_dot X) + P P^H A_dot^H (B - A X) + (I - P A) A_dot^H P^H X,    P = A^+

    Singular values up to `rcond` times the largest one count as zero; LAPACK takes its precision if that is not a
    number between 0 and 1.
    """

    def abstract(self, a: Aval, b: Aval, *, rcond: float) -> list[Aval]:
        require_matrices("lstsq", a, b)
        *lead, m, n = a.shape
        if b.shape[:-1] != (*lead, m):
            raise LinAlgError(f"lstsq: Incompatible dimensions of a {a} and b {b}; wanted (..., m, n) and (..., m, k)")
        dtype = np.result_type(a.dtype, b.dtype)
        s = Aval((*lead, min(m, n)), real_dtype(dtype))
        return [Aval((*lead, n, b.shape[-1]), dtype), Aval(tuple(lead), np.intc), s]

    def numpy(self, a: Any, b: Any, *, rcond: float) -> list[Any]:
        outs = [np.empty(x.shape, x.dtype) for x in self.abstract(aval_of(a), aval_of(b), rcond=rcond)]
        for k in np.ndindex(a.shape[:-2]):
            try:
                x, _, rank, s = np.linalg.lstsq(a[k], b[k], rcond)
            except LinAlgError as error:
                raise explained("lstsq", error, a, "Wanted finite entries") from None
            for out, y in zip(outs, (x, rank, s), strict=True):
                out[k] = y
        return [out[()] for out in outs]

    def jvp(self, primals: Any, tangents: Any, *, rcond: float) -> tuple[list[Any], list[Any]]:
        (a, b), (a_dot, b_dot) = primals, tangents
        x, rank, s = self.bind(a, b, rcond=rcond)
        p = pinv(a, np.full((*a.shape[:-2], 1, 1), effective_rcond(rcond, a.dtype)), hermitian=False)
        terms, s_dot = [] if is_zero(b_dot) else [matmul(p, b_dot)], Zero.like(s)
        if not is_zero(a_dot):
            terms += changes_by_matrix(a, b, x, p, a_dot)
            (s_dot,) = svd.pushforward([s], a, a_dot, full_matrices=False, compute_uv=False)
        return [x, rank, s], [total(terms) if terms else Zero.like(x), Zero.like(rank), s_dot]

    def batch(self, size: int, args: Any, batched: Any, *, rcond: float) -> list[Any]:
        """Right-hand sides for one matrix become columns."""
        a, b = args
        if batched[0] or len(a.shape) > 2:
            return super().batch(size, args, batched, rcond=rcond)
        m, k = b.shape[-2:]
        columns = reshape(transpose(b, permutation=(1, 0, 2)), shape=(m, size * k))
        x, rank, s = self.bind(a, columns, rcond=rcond)
        x = transpose(reshape(x, shape=(a.shape[-1], size, k)), permutation=(1, 0, 2))
        return [x, batch_operand(size, rank, False), batch_operand(size, s, False)]


def changes_by_matrix(a: Any, b: Any, x: Any, p: Any, a_dot: Any) -> list[Any]:
    """The terms of X_dot with A_dot."""
    residual = b - matmul(a, x)
    inside = matmul(p, matmul(adjoint(p), matmul(adjoint(a_dot), residual)) - matmul(a_dot, x))
    beside = matmul(adjoint(a_dot), matmul(adjoint(p), x))
    return [inside, beside, -matmul(p, matmul(a, beside))]


def effective_rcond(rcond: float, dtype: np.dtype) -> float:
    """The fraction that LAPACK works with (xGELSD), in double precision also for single numbers, as NumPy does."""
    return rcond if 0 < rcond < 1 else float(np.finfo(np.float64).eps) / 2


pinv = PseudoInverse("pinv")
hermitian_part = HermitianPart("hermitian_part")
lstsq = LeastSquares("lstsq")

#: what is cut off below such a fraction of the largest singular value changes derivatives as little
NEGLIGIBLE = 1e-9


def truncated_pinv(a: Any, rtol: Any, hermitian: bool) -> Any:
    """A^+ without the singular values up to `rtol` (..., 1, 1) times the largest one, however large these are."""
    pinv.abstract(aval_of(a), aval_of(rtol), hermitian=hermitian)  # do the shapes fit?
    return pinv(dominant(a, rtol), rtol, hermitian=hermitian)


def truncated_lstsq(a: Any, b: Any, rcond: float) -> tuple[Any, Any, Any]:
    """X, rank and singular values of A as `lstsq`; the derivative is right however large those are that are cut off."""
    kept = dominant(a, np.full((*a.shape[:-2], 1, 1), effective_rcond(rcond, a.dtype)))
    x, rank, s = lstsq.bind(kept, b, rcond=rcond)
    return x, rank, s if kept is a else svd(a, full_matrices=False, compute_uv=False)


def dominant(a: Any, rtol: Any) -> Any:
    """The part of A with singular values above `rtol` times the largest one, U U^H A for these columns of U.

    A itself, if all others are negligible.
    """
    fraction = concrete(rtol)
    if not a.size or (fraction is not None and np.all(fraction <= NEGLIGIBLE)):
        return a
    u, s, _ = svd.bind(a, full_matrices=False, compute_uv=True)
    row = reshape(s, shape=(*s.shape[:-1], 1, s.shape[-1]))
    largest = slice_(row, index=(*((0, n, 1) for n in row.shape[:-1]), (0, 1, 1)))
    kept = u * convert(row > rtol * largest, dtype=row.dtype)
    return matmul(kept, matmul(adjoint(kept), a))
