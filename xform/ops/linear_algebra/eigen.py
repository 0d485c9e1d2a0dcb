"""Eigenvalues and eigenvectors of general square matrices, A V = V diag(w).

The results are complex, as they have to be of a real matrix as well. The vectors are those of LAPACK, and so is what
fixes them: the Euclidean norm is one, and the entry of the largest modulus is real. The derivative keeps both.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.linalg import LinAlgError

from xform.core.aval import Aval
from xform.core.primitive import is_zero
from xform.ops.complex import imag, real
from xform.ops.contraction.einsum import matmul
from xform.ops.linear_algebra.gaps import diagonal_form, gap_quotient
from xform.ops.linear_algebra.matrix import (
    Factorization,
    as_column,
    as_row,
    conj,
    diagonal,
    explained,
    require_square,
)
from xform.ops.reduce import argmax
from xform.ops.select import select
from xform.ops.structure import reduce_sum


class Eig(Factorization):
    """The eigenvalues w of A and, if `vectors`, the eigenvectors V, in LAPACK's order, always complex.

        P = V^-1 A_dot V,    w_dot = diag(P),    X = V (F * P),    F_ij = 1 / (w_j - w_i), 0 where they are equal,
        v_dot = x - (Re(v^H x) + i Im(x_k) / v_k) v    for each column, where v_k is its entry made real

    (Giles 2008, An extended collection of matrix derivative results, section 3.1; for the multiple of v, which norm and
    phase determine, van der Aa, ter Morsche and Mattheij 2007, Computation of eigenvalue and eigenvector derivatives,
    and Boeddeker et al. 2017, On the computation of complex-valued gradients). The phase makes this a function that is
    not holomorphic. Vectors of equal eigenvalues do not turn among themselves; a defective matrix, which has fewer than
    n independent ones, has no derivative, and LinAlgError is raised.
    """

    def abstract(self, a: Aval, *, vectors: bool) -> list[Aval]:
        require_square("eig", a)
        dtype = np.result_type(a.dtype, np.complex64)
        w = Aval(a.shape[:-1], dtype)
        return [w, Aval(a.shape, dtype)] if vectors else [w]

    def numpy(self, a: Any, *, vectors: bool) -> list[Any]:
        try:
            outs = np.linalg.eig(a) if vectors else [np.linalg.eigvals(a)]
        except LinAlgError as error:
            raise explained("eig", error, a, "Wanted finite entries") from None
        dtype = np.result_type(a.dtype, np.complex64)
        return [y.astype(dtype, copy=False) for y in outs]

    def jvp(self, primals: Any, tangents: Any, *, vectors: bool) -> tuple[list[Any], list[Any]]:
        """The values alone are in another order at times, so that a derivative takes both from the vectors'."""
        if vectors or is_zero(tangents[0]):
            return super().jvp(primals, tangents, vectors=vectors)
        (w, _), (w_dot, _) = super().jvp(primals, tangents, vectors=True)
        return [w], [w_dot]

    def pushforward(self, outs: Any, a: Any, a_dot: Any, *, vectors: bool) -> list[Any]:
        w, v = outs
        if 0 in a.shape:
            return list(outs)
        left = left_eigenvectors(v)
        p = matmul(matmul(left, a_dot), v)
        values = diagonal_form(a, left, v, as_row(w), hermitian=False)
        return [diagonal(p), normalized_dot(v, matmul(v, gap_quotient(values, p, sign=1)))]


def normalized_dot(v: Any, x: Any) -> Any:
    """The change x of vectors (columns) less the multiples of them by which norm and phase would change."""
    rows = len(v.shape) - 2
    made_real = pivots(v)

    def of_pivot(y: Any) -> Any:
        return reduce_sum(select(made_real, y, 0), axes=(rows,))

    stretch = real(reduce_sum(conj(v) * x, axes=(rows,)))
    turn = of_pivot(imag(x)) / of_pivot(real(v))
    return x - v * as_row(stretch + turn * 1j)


def pivots(v: Any) -> Any:
    """Of each column the place of the entry that LAPACK made real: among the real entries the largest."""
    size = select(imag(v) == 0, np.abs(real(v)), -1)
    k = argmax(size, axis=len(v.shape) - 2)
    return as_column(np.arange(v.shape[-2])) == as_row(k)


class LeftEigenvectors(Factorization):
    """V^-1, whose rows are the left eigenvectors; LinAlgError if the columns of V are dependent up to rounding.

    V_dot gives -V^-1 V_dot V^-1.
    """

    def abstract(self, v: Aval) -> list[Aval]:
        require_square("left_eigenvectors", v)
        return [v.with_shape(v.shape)]

    def numpy(self, v: Any) -> list[Any]:
        try:
            inverse = np.linalg.inv(v)
        except LinAlgError:
            raise defective(v) from None
        if v.size and (condition(v, inverse) * np.finfo(v.dtype).eps >= 1 / 16).any():
            raise defective(v)
        return [inverse]

    def pushforward(self, outs: Any, v: Any, v_dot: Any) -> list[Any]:
        (inverse,) = outs
        return [matmul(matmul(-inverse, v_dot), inverse)]


def condition(v: np.ndarray, inverse: np.ndarray) -> Any:
    """The condition number in the maximum norm."""
    with np.errstate(over="ignore", invalid="ignore"):
        return np.abs(v).max(axis=(-2, -1)) * np.abs(inverse).max(axis=(-2, -1))


def defective(v: Any) -> LinAlgError:
    return LinAlgError(
        f"eig: a matrix of order {v.shape[-1]} is defective (it has fewer independent eigenvectors than its order), "
        "where its eigenvalues have no derivative; take a symmetric function of them from numpy.linalg.trace, det or "
        "matrix_power instead"
    )


eig = Eig("eig")
left_eigenvectors = LeftEigenvectors("left_eigenvectors")
