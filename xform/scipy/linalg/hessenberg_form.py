"""The Hessenberg form A = Q H Q^H, Q unitary with the first column e_1, H zero below its subdiagonal.

By the implicit Q theorem the first column determines the others. With M = Q^H A_dot Q and W = Q^H Q_dot, whose first
column is zero, H_dot = M + H W - W H, and the columns of W follow one from another:

    h_(j+1, j) w_(j+1) = m_j + H w_j - sum_(k <= j) h_(k, j) w_k    below the subdiagonal, where H_dot is zero,

the rest of a column from W = -W^H, and its diagonal entry from the subdiagonal of H, which LAPACK makes real.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.linalg

from xform.core.aval import Aval
from xform.numpy.dispatch import ArrayLike, implements
from xform.numpy.linalg.operands import square
from xform.ops.complex import imag, real
from xform.ops.contraction.einsum import matmul
from xform.ops.linear_algebra.matrix import Factorization, adjoint, conj, require_square, upper
from xform.ops.structure import concatenate, slice_
from xform.scipy.linalg.stacks import Looped


class Hessenberg(Factorization, Looped):
    """H and Q, for a matrix of order three or more if it is complex."""

    def abstract(self, a: Aval) -> list[Aval]:
        require_square(self.name, a)
        return [a.with_shape(a.shape), a.with_shape(a.shape)]

    def one(self, *matrices: Any, **params: Any) -> list[Any]:
        return list(scipy.linalg.hessenberg(*matrices, calc_q=True))

    def pushforward(self, outs: Any, a: Any, a_dot: Any, **params: Any) -> list[Any]:
        h, q = outs
        m = matmul(adjoint(q), matmul(a_dot, q))
        w = turn(h, m)
        return [upper(m + matmul(h, w) - matmul(w, h), -1), matmul(q, w)]


hessenberg_form = Hessenberg("hessenberg")


def turn(h: Any, m: Any) -> Any:
    """The skew-Hermitian W, column by column."""
    *lead, n, _ = h.shape
    columns = [np.zeros((*lead, n, 1), h.dtype)] * min(n, 1)
    for j in range(n - 1):
        known = joined(columns)
        right = part(m, 0, n, j, j + 1) + matmul(h, columns[j]) - matmul(known, part(h, 0, j + 1, j, j + 1))
        above = -conj(row_as_column(known, j + 1))
        columns.append(next_column(h, right, above, j))
    return joined(columns) if columns else m


def next_column(h: Any, right: Any, above: Any, j: int) -> Any:
    """Column j + 1: `above` the diagonal, there what keeps the subdiagonal real, below right / h_(j+1, j)."""
    n = h.shape[-1]
    pivot = part(h, j + 1, j + 2, j, j + 1)
    if h.dtype.kind == "c":
        pivot = real(pivot)
        middle = imag(part(right, j + 1, j + 2, 0, 1)) / pivot * 1j
    else:
        middle = np.zeros((*h.shape[:-2], 1, 1), h.dtype)
    rows = [above, middle]
    if j + 2 < n:
        rows.append(part(right, j + 2, n, 0, 1) / pivot)
    return concatenate(*rows, axis=len(h.shape) - 2)


def part(x: Any, top: int, bottom: int, left: int, right: int) -> Any:
    """x[..., top:bottom, left:right]."""
    whole = tuple((0, size, 1) for size in x.shape[:-2])
    return slice_(x, index=(*whole, (top, bottom - top, 1), (left, right - left, 1)))


def row_as_column(x: Any, i: int) -> Any:
    """The row i of a matrix as a column."""
    return adjoint(conj(part(x, i, i + 1, 0, x.shape[-1])))


def joined(columns: list[Any]) -> Any:
    return columns[0] if len(columns) == 1 else concatenate(*columns, axis=len(columns[0].shape) - 1)


@implements(scipy.linalg.hessenberg)
def hessenberg(a: ArrayLike, calc_q: bool = False, overwrite_a: bool = False, check_finite: bool = True) -> Any:
    """H, or (H, Q) with `calc_q`, such that A = Q H Q^H: H is zero below its subdiagonal, Q unitary with Q e_1 = e_1.

    Differentiable to every order where the subdiagonal of H has no zero; at one the derivative is not finite. Raises
    LinAlgError if A is not square.

    >>> import numpy as np
    >>> H, Q = hessenberg(np.array([[1.0, 2.0, 0.0], [3.0, 1.0, 4.0], [4.0, 0.0, 5.0]]), calc_q=True)
    >>> H.round(12)[1:, 0]
    array([-5.,  0.])
    """
    matrix = square("hessenberg", a)
    n = matrix.shape[-1]
    if n <= 2:  # there is nothing to do, and nothing is done
        h, q = matrix, np.broadcast_to(np.eye(n), matrix.shape)
    else:
        h, q = hessenberg_form.bind(matrix)
    return (h, q) if calc_q else h
