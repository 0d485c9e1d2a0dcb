"""Orthogonal factors and bases: QR and RQ, the range and the null space of a matrix, and angles between ranges.

A basis is not unique; its derivative turns it least (`factor` and `spectral` in `xform.ops.linear_algebra`), and is
right for what depends on the space alone, such as a projector. The rank of a traced matrix is that at its value.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.linalg

from xform.core.aval import Aval
from xform.core.trace import concrete_or_raise
from xform.numpy.dispatch import ArrayLike, asarray, implements
from xform.numpy.linalg.operands import rectangular
from xform.ops.contraction.einsum import matmul
from xform.ops.family import Discrete
from xform.ops.indexing.index import take_along_axis
from xform.ops.linear_algebra import spectral
from xform.ops.linear_algebra.factor import qr as factor_qr
from xform.ops.linear_algebra.matrix import adjoint, as_row, conj, inexact, require_matrices
from xform.ops.select import select
from xform.ops.structure import reduce_sum, slice_
from xform.scipy.linalg.roots import unitary_factor
from xform.scipy.linalg.stacks import Looped, columns_of, like_right_side


class ColumnPivots(Discrete, Looped):
    """The order of columns in which |R_ii| does not increase, of a QR factorisation with column pivoting."""

    def abstract(self, a: Aval) -> list[Aval]:
        require_matrices(self.name, a)
        return [Aval((*a.shape[:-2], a.shape[-1]), np.dtype(np.int32))]

    def one(self, *matrices: Any, **params: Any) -> list[Any]:
        factors: Any = scipy.linalg.qr(*matrices, mode="r", pivoting=True, check_finite=False)
        return [factors[1]]


column_pivots = ColumnPivots("qr_column_pivots")


def pivoted(a: Any, pivoting: bool) -> tuple[Any, tuple[Any, ...]]:
    """The matrix with its columns in the order of pivoting, and that order, if wanted."""
    if not pivoting:
        return a, ()
    order = column_pivots(a)
    return take_along_axis(a, as_row(order), -1), (order,)


@implements(scipy.linalg.qr)
def qr(
    a: ArrayLike,
    overwrite_a: bool = False,
    lwork: int | None = None,
    mode: str = "full",
    pivoting: bool = False,
    check_finite: bool = True,
) -> Any:
    """(Q, R) with A = Q R for A (..., m, n), or (Q, R, P) with A[:, P] = Q R if `pivoting`; mode "r" leaves Q out.

    Mode "full" (and "r") has m columns in Q, "economic" min(m, n). Raises ValueError for another mode ("raw" is not for
    traced arrays), and LinAlgError, when it is differentiated, if the first min(m, n) columns are dependent.

    >>> import numpy as np
    >>> q, r, p = qr(np.array([[0.0, 3.0], [1.0, 0.0]]), pivoting=True)
    >>> np.abs(r), p
    (array([[3., 0.],
           [0., 1.]]), array([1, 0], dtype=int32))
    """
    if mode not in ("full", "r", "economic"):
        raise ValueError(f"qr: mode {mode!r} of a traced array; wanted 'full', 'r' or 'economic'")
    matrix, order = pivoted(rectangular("qr", a), pivoting)
    q, r = factor_qr.bind(matrix, complete=mode != "economic")
    return (r, *order) if mode == "r" else (q, r, *order)


@implements(scipy.linalg.qr_multiply)
def qr_multiply(
    a: ArrayLike,
    c: ArrayLike,
    mode: str = "right",
    pivoting: bool = False,
    conjugate: bool = False,
    overwrite_a: bool = False,
    overwrite_c: bool = False,
) -> Any:
    """(C Q, R), or for mode "left" (Q C, R), with A = Q R and Q of min(m, n) columns; and P if `pivoting`.

    With `conjugate`, Q is conjugated. A vector c counts as a row on the left of Q, a column on its right. Raises
    ValueError for another mode or shapes that do not fit.

    >>> import numpy as np
    >>> qr_multiply(np.array([[0.0, 2.0], [3.0, 0.0]]), np.array([[1.0, 0.0], [0.0, 1.0]]))[0] + 0.0
    array([[ 0., -1.],
           [-1.,  0.]])
    """
    if mode not in ("left", "right"):
        raise ValueError(f"qr_multiply: mode {mode!r} was given; wanted 'left' (Q C) or 'right' (C Q)")
    matrix, c = inexact(asarray(a), asarray(c))
    require_matrices("qr_multiply", matrix)
    q, r, *order = qr(matrix, mode="economic", pivoting=pivoting)
    q = conj(q) if conjugate else q
    if mode == "right":
        return (matmul(c, q), r, *order)
    return (like_right_side(matmul(q, columns_of(c)), c), r, *order)


@implements(scipy.linalg.rq)
def rq(
    a: ArrayLike, overwrite_a: bool = False, lwork: int | None = None, mode: str = "full", check_finite: bool = True
) -> Any:
    """(R, Q) with A = R Q for A (..., m, n), R upper triangular and Q with orthonormal rows; R alone for mode "r".

    Q has n rows in mode "full", min(m, n) in mode "economic". Raises ValueError for another mode, and LinAlgError, when
    it is differentiated, if the last min(m, n) rows are dependent.

    >>> import numpy as np
    >>> R, Q = rq(np.array([[3.0, 4.0]]), mode="economic")
    >>> np.abs(R), np.abs(Q)
    (array([[5.]]), array([[0.6, 0.8]]))
    """
    if mode not in ("full", "r", "economic"):
        raise ValueError(f"rq: mode {mode!r} was given; wanted 'full', 'r' or 'economic'")
    # with J the reversal of rows or columns, J A J = (Q' R')^H makes A = (J R'^H J) (J Q'^H J)
    q, r = factor_qr.bind(adjoint(turned(rectangular("rq", a))), complete=mode != "economic")
    right = turned(adjoint(r))
    return right if mode == "r" else (right, turned(adjoint(q)))


def turned(a: Any) -> Any:
    """J A J: rows and columns in reverse order."""
    m, n = a.shape[-2:]
    lead = tuple((0, size, 1) for size in a.shape[:-2])
    return slice_(a, index=(*lead, (max(m - 1, 0), m, -1), (max(n - 1, 0), n, -1)))


def known_rank(name: str, s: Any, shape: tuple[int, ...], rcond: float | None) -> int:
    """How many singular values are larger than rcond times the largest one."""
    value = concrete_or_raise(s, f"the rank of a matrix in {name}", "pass a matrix whose values are known")
    rcond = np.finfo(value.dtype).eps * max(shape[-2:]) if rcond is None else rcond
    return int(np.sum(value > np.max(value, initial=0.0) * rcond))


def single(name: str, a: ArrayLike) -> Any:
    matrix = rectangular(name, a)
    if len(matrix.shape) != 2:
        raise ValueError(f"{name}: a stack of shape {matrix.shape} was given, whose ranks may differ; wanted a matrix")
    return matrix


@implements(scipy.linalg.orth)
def orth(A: ArrayLike, rcond: float | None = None) -> Any:
    """An orthonormal basis (m, r) of the range of A (m, n): singular vectors of values that count.

    Those count that are larger than rcond times the largest one, rcond being max(m, n) eps if None.
    Raises ConcretizationError where values are not known, such as under jit: the shape depends on them.

    >>> import numpy as np
    >>> np.abs(orth(np.array([[2.0, 0.0], [0.0, 0.0]])))
    array([[1.],
           [0.]])
    """
    a = single("orth", A)
    u, s, _ = spectral.svd.bind(a, full_matrices=False, compute_uv=True)
    return slice_(u, index=((0, u.shape[0], 1), (0, known_rank("orth", s, a.shape, rcond), 1)))


@implements(scipy.linalg.null_space)
def null_space(
    A: ArrayLike,
    rcond: float | None = None,
    *,
    overwrite_a: bool = False,
    check_finite: bool = True,
    lapack_driver: str = "gesdd",
) -> Any:
    """An orthonormal basis (n, n - r) of the null space of A (m, n), of rank r.

    The rank counts the singular values larger than rcond times the largest one, rcond being max(m, n) eps if None.
    Raises ConcretizationError where values are not known, such as under jit: the shape depends on them.

    >>> import numpy as np
    >>> np.abs(null_space(np.array([[2.0, 0.0], [0.0, 0.0]])))
    array([[0.],
           [1.]])
    """
    a = single("null_space", A)
    _, s, vh = spectral.svd.bind(a, full_matrices=True, compute_uv=True)
    n, rank = a.shape[1], known_rank("null_space", s, a.shape, rcond)
    return adjoint(slice_(vh, index=((min(rank, max(n - 1, 0)), n - rank, 1), (0, n, 1))))


@implements(scipy.linalg.subspace_angles)
def subspace_angles(A: ArrayLike, B: ArrayLike) -> Any:
    """The angles between the ranges of A (m, n) and B (m, k), descending, accurate for small ones too.

    (Knyazev and Argentati 2002, Principal angles between subspaces in an A-based scalar product.) Raises ValueError
    unless both have as many rows; the derivative at an angle of zero is taken as zero.

    >>> import numpy as np
    >>> subspace_angles(np.array([[1.0], [0.0]]), np.array([[1.0], [1.0]])).round(6)
    array([0.785398])
    """
    a, b = inexact(asarray(A), asarray(B))
    if a.shape[0] != b.shape[0]:
        raise ValueError(f"subspace_angles: shapes {a.shape} and {b.shape} were given; wanted as many rows")
    a, b = orth(a), orth(b)
    if a.shape[-1] < b.shape[-1]:
        a, b = b, a
    overlap = matmul(adjoint(a), b)
    cosines = spectral.svd(overlap, full_matrices=False, compute_uv=False)
    sines = spectral.svd(b - matmul(a, overlap), full_matrices=False, compute_uv=False)
    last = cosines.shape[-1]
    cosines = slice_(cosines, index=((max(last - 1, 0), last, -1),))
    flat = cosines * cosines >= 0.5
    small = np.arcsin(np.minimum(sines, 1.0))
    return select(flat, small, np.arccos(select(flat, 0.0, cosines)))


@implements(scipy.linalg.orthogonal_procrustes)
def orthogonal_procrustes(A: ArrayLike, B: ArrayLike, check_finite: bool = True) -> Any:
    """(R, scale) with the orthogonal (unitary) R that minimizes |A R - B|, and the sum of singular values of A^H B.

    R is the unitary polar factor of A^H B. Raises ValueError if shapes differ, and LinAlgError when it is
    differentiated where A^H B is singular.

    >>> import numpy as np
    >>> R, scale = orthogonal_procrustes(np.eye(2), np.array([[0.0, -2.0], [2.0, 0.0]]))
    >>> R.round(12) + 0.0, float(scale)
    (array([[ 0., -1.],
           [ 1.,  0.]]), 4.0)
    """
    a, b = inexact(asarray(A), asarray(B))
    if len(a.shape) < 2 or a.shape != b.shape:
        raise ValueError(f"orthogonal_procrustes: shapes {a.shape} and {b.shape} were given; wanted equal ones (m, n)")
    product = matmul(adjoint(a), b)
    values = spectral.svd(product, full_matrices=False, compute_uv=False)
    return unitary_factor(product), reduce_sum(values, axes=(len(values.shape) - 1,))
