"""Decompositions: Cholesky's, QR, and by singular values."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from xform.numpy.dispatch import implements
from xform.numpy.linalg.eigenvalues import eigh
from xform.numpy.linalg.operands import rectangular, square
from xform.ops.indexing.index import take_along_axis
from xform.ops.linear_algebra import factor, householder, spectral
from xform.ops.linear_algebra.matrix import adjoint, as_row, swap_last
from xform.ops.sorting import argsort
from xform.ops.structure import slice_

__all__ = ["cholesky", "qr", "svd", "svdvals"]

#: NumPy's named tuples, so that a result is the same tree whether it is traced or not
QRResult: Any = type(np.linalg.qr(np.eye(1)))
SVDResult: Any = type(np.linalg.svd(np.eye(1)))


@implements(np.linalg.cholesky)
def cholesky(a: ArrayLike, /, *, upper: bool = False) -> Any:
    """The lower triangular L with A = L L^H, or the upper triangular U with A = U^H U, for positive definite A.

    Only that triangle of A is read. The derivative is that of a function of Hermitian matrices: gradients are
    Hermitian. Raises LinAlgError if A is not positive definite, or not square.

    Source: Murray 2016, Differentiation of the Cholesky decomposition.

    >>> import numpy as np, xform
    >>> xform.jvp(cholesky, (4 * np.eye(2),), (np.ones((2, 2)),))[1]
    array([[0.25, 0.  ],
           [0.5 , 0.25]])
    """
    matrix = square("cholesky", a)
    return adjoint(factor.cholesky(adjoint(matrix))) if upper else factor.cholesky(matrix)


@implements(np.linalg.qr)
def qr(a: ArrayLike, mode: Any = "reduced") -> Any:
    """Q with orthonormal columns and the upper triangular R with A = Q R, for A (..., m, n) and k = min(m, n).

    `mode` "reduced" gives (Q, R) with k columns in Q, "complete" with m, "r" gives R alone, and "raw" what LAPACK keeps
    of it, (h, tau): R on and below the diagonal of h (..., n, m), above it the vectors of the reflections whose factors
    are tau (..., k). ("full", "f", "economic" and "e" are NumPy's older names, and deprecated there.)

    Raises ValueError for another mode, and LinAlgError, when it is differentiated, if the first k columns of A are
    dependent (in mode "raw" also if one of them needs no reflection).

    >>> import numpy as np, xform
    >>> xform.grad(lambda a: np.sum(qr(a, "r")))(np.array([[-3.0], [4.0]]))
    array([[-0.6],
           [ 0.8]])
    """
    mode = current_mode(mode)
    matrix = rectangular("qr", a)
    if mode in ("raw", "economic"):
        packed, tau = householder.geqrf.bind(matrix)
        return packed if mode == "economic" else (swap_last(packed), tau)
    q, r = factor.qr.bind(matrix, complete=mode == "complete")
    return r if mode == "r" else QRResult(q, r)


def current_mode(mode: Any) -> Any:
    """The mode, by its name of today; the others that NumPy deprecates warn as there."""
    if mode in ("reduced", "complete", "r", "raw"):
        return mode
    if mode in ("f", "full"):
        message, mode = "The 'full' option is deprecated in favor of 'reduced'.", "reduced"
    elif mode in ("e", "economic"):
        message, mode = "The 'economic' option is deprecated.", "economic"
    else:
        raise ValueError(f"qr: Unrecognized mode '{mode}'; wanted 'reduced', 'complete', 'r' or 'raw'")
    warnings.warn(message, DeprecationWarning, stacklevel=3)
    return mode


@implements(np.linalg.svd)
def svd(a: ArrayLike, full_matrices: bool = True, compute_uv: bool = True, hermitian: bool = False) -> Any:
    """The singular value decomposition A = U diag(S) Vh as (U, S, Vh), or S alone without `compute_uv`.

    For A (m, n), U and Vh are square with `full_matrices`, else min(m, n) wide and high. With `hermitian`, A is taken
    as Hermitian, and decomposed by `eigh`. With P = U^H A_dot V the derivative is S_dot = Re diag(P), and that of the
    vectors as in `xform.ops.linear_algebra.spectral`.

    Where singular values are equal or zero, it is finite. For the sum of equal positive ones, the projectors onto their
    vectors, and U Vh it is right, to any order if A has full rank, to first order else; and to first order for a sum of
    f(S) over equal ones. Values and vectors do not determine the second order there, nor any derivative of U f(S) Vh:
    `eigh` says what to do.

    Raises LinAlgError if A is not a matrix, or the iteration does not converge. Source: Townsend 2016, Differentiating
    the singular value decomposition.

    >>> import numpy as np, xform
    >>> xform.grad(lambda a: np.sum(svd(a, compute_uv=False)))(np.diag([2.0, 2.0]))
    array([[1., 0.],
           [0., 1.]])
    """
    if hermitian:
        return hermitian_svd(a, compute_uv)
    matrix = rectangular("svd", a)
    if not compute_uv:
        return spectral.svd(matrix, full_matrices=False, compute_uv=False)
    return SVDResult(*spectral.svd.bind(matrix, full_matrices=bool(full_matrices), compute_uv=True))


@implements(np.linalg.svdvals)
def svdvals(x: ArrayLike, /) -> Any:
    """The singular values, descending; as `svd`.

    >>> import numpy as np, xform
    >>> xform.grad(lambda a: svdvals(a)[0])(np.diag([1.0, -2.0])) + 0.0
    array([[ 0.,  0.],
           [ 0., -1.]])
    """
    return svd(x, compute_uv=False)


def hermitian_svd(a: ArrayLike, compute_uv: bool) -> Any:
    """From A = V W V^H: S = |W|, descending, U = V and Vh = sign(W) V^H."""
    w, v = eigh(a)
    s = np.abs(w)
    order = reverse(argsort(s, axis=len(s.shape) - 1, stable=False))
    s, signs = (take_along_axis(x, order, -1) for x in (s, np.copysign(1.0, w)))
    if not compute_uv:
        return s
    u = take_along_axis(v, as_row(order), -1)
    return SVDResult(u, s, adjoint(u * as_row(signs)))


def reverse(x: Any) -> Any:
    """x[..., ::-1]."""
    n = x.shape[-1]
    return slice_(x, index=(*((0, size, 1) for size in x.shape[:-1]), (n - 1, n, -1)))
