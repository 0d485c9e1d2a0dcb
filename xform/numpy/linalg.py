"""numpy.linalg for arrays and traced values: equations, determinants and decompositions.

The functions mean what NumPy's mean, stacks of matrices included, and raise what those raise. What depends on a choice
that is not unique (phases and bases of eigenvectors and singular vectors, the complement in a complete QR) has the
derivative that keeps to the choice made; `xform.ops.spectral` and `xform.ops.factor` say precisely which.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.linalg import LinAlgError
from numpy.typing import ArrayLike

from xform.numpy.dispatch import asarray, implements
from xform.numpy.matrices import (
    cross,
    diagonal,
    matmul,
    matrix_power,
    matrix_transpose,
    multi_dot,
    outer,
    tensordot,
    trace,
    vecdot,
)
from xform.numpy.norms import matrix_norm, norm, vector_norm
from xform.ops import determinant, factor, spectral
from xform.ops import solve as equations
from xform.ops.index import take_along_axis
from xform.ops.matrix import adjoint, as_column, as_row, inexact, require_matrices, require_square
from xform.ops.sorting import argsort
from xform.ops.structure import reshape, slice_

__all__ = [
    "LinAlgError",
    "cholesky",
    "cross",
    "det",
    "diagonal",
    "eigh",
    "eigvalsh",
    "inv",
    "matmul",
    "matrix_norm",
    "matrix_power",
    "matrix_transpose",
    "multi_dot",
    "norm",
    "outer",
    "qr",
    "slogdet",
    "solve",
    "svd",
    "svdvals",
    "tensordot",
    "trace",
    "vecdot",
    "vector_norm",
]

#: NumPy's named tuples, so that a result is the same tree whether it is traced or not
SlogdetResult: Any = type(np.linalg.slogdet(np.eye(1)))
EighResult: Any = type(np.linalg.eigh(np.eye(1)))
QRResult: Any = type(np.linalg.qr(np.eye(1)))
SVDResult: Any = type(np.linalg.svd(np.eye(1)))


@implements(np.linalg.solve)
def solve(a: ArrayLike, b: ArrayLike) -> Any:
    """The solution X of A X = B, for A (..., m, m) and B (..., m, k), or a vector B (m,).

    Leading axes broadcast; one A for many B is factored once. Raises LinAlgError if A is singular or not square.

    >>> import numpy as np, xform
    >>> A, b = np.array([[2.0, 0.0], [0.0, 4.0]]), np.array([2.0, 8.0])
    >>> solve(A, b)
    array([1., 2.])
    >>> xform.grad(lambda A: np.sum(np.linalg.solve(A, b)))(A)
    array([[-0.5 , -1.  ],
           [-0.25, -0.5 ]])
    """
    matrix, right = inexact(asarray(a), asarray(b))
    if len(right.shape) != 1:
        return equations.solve.broadcast(matrix, right)
    x = equations.solve.broadcast(matrix, as_column(right))
    return reshape(x, shape=x.shape[:-1])


@implements(np.linalg.inv)
def inv(a: ArrayLike) -> Any:
    """A^-1. Raises LinAlgError if A is singular or not square."""
    return equations.inv(square("inv", a), strict=True)


@implements(np.linalg.det)
def det(a: ArrayLike) -> Any:
    """The determinant, with derivatives of every order at singular matrices too.

    >>> import numpy as np, xform
    >>> xform.grad(det)(np.array([[1.0, 2.0], [2.0, 4.0]])).round(12) + 0.0
    array([[ 4., -2.],
           [-2.,  1.]])
    """
    return determinant.det(square("det", a))


@implements(np.linalg.slogdet)
def slogdet(a: ArrayLike) -> Any:
    """The sign (the phase, if complex) of det(A) and log|det(A)|, as (sign, logabsdet); 0 and -inf if A is singular."""
    return SlogdetResult(*determinant.slogdet.bind(square("slogdet", a)))


@implements(np.linalg.cholesky)
def cholesky(a: ArrayLike, /, *, upper: bool = False) -> Any:
    """The lower triangular L with A = L L^H, or the upper triangular U with A = U^H U, for positive definite A.

    Only that triangle of A is read. The derivative is that of a function of Hermitian matrices: gradients are
    Hermitian. Raises LinAlgError if A is not positive definite, or not square.
    """
    matrix = square("cholesky", a)
    return adjoint(factor.cholesky(adjoint(matrix))) if upper else factor.cholesky(matrix)


@implements(np.linalg.qr)
def qr(a: ArrayLike, mode: Any = "reduced") -> Any:
    """Q with orthonormal columns and the upper triangular R with A = Q R, as (Q, R); R alone for mode "r".

    For A (m, n), mode "reduced" has min(m, n) columns in Q, "complete" has m. Raises ValueError for another mode, and
    LinAlgError, when it is differentiated, if the first min(m, n) columns of A are dependent.
    """
    if mode not in ("reduced", "complete", "r"):
        raise ValueError(f"qr: mode {mode!r} of a traced array; wanted 'reduced', 'complete' or 'r'")
    q, r = factor.qr.bind(rectangular("qr", a), complete=mode == "complete")
    return r if mode == "r" else QRResult(q, r)


@implements(np.linalg.eigh)
def eigh(a: ArrayLike, UPLO: Any = "L") -> Any:
    """The eigenvalues, ascending, and orthonormal eigenvectors of a Hermitian A, as (eigenvalues, eigenvectors).

    Only the triangle UPLO of A is read, "L" or "U". The derivative is that of a function of Hermitian matrices, so that
    gradients are Hermitian; vectors of equal eigenvalues do not turn among themselves.
    """
    if UPLO not in ("L", "U", "l", "u"):
        raise ValueError(f"UPLO argument must be 'L' or 'U', not {UPLO!r}")
    return EighResult(*spectral.eigh.bind(square("eigh", a), lower=UPLO in "Ll"))


@implements(np.linalg.eigvalsh)
def eigvalsh(a: ArrayLike, UPLO: Any = "L") -> Any:
    """The eigenvalues of a Hermitian A, ascending; as `eigh`."""
    return eigh(a, UPLO)[0]


@implements(np.linalg.svd)
def svd(a: ArrayLike, full_matrices: bool = True, compute_uv: bool = True, hermitian: bool = False) -> Any:
    """The singular value decomposition A = U diag(S) Vh as (U, S, Vh), or S alone without `compute_uv`.

    For A (m, n), U and Vh are square with `full_matrices`, else min(m, n) wide and high. With `hermitian`, A is taken
    as Hermitian, and decomposed by `eigh`. Vectors of equal singular values do not turn among themselves.
    """
    if hermitian:
        return hermitian_svd(a, compute_uv)
    matrix = rectangular("svd", a)
    if not compute_uv:
        return spectral.svd(matrix, full_matrices=False, compute_uv=False)
    return SVDResult(*spectral.svd.bind(matrix, full_matrices=bool(full_matrices), compute_uv=True))


@implements(np.linalg.svdvals)
def svdvals(x: ArrayLike, /) -> Any:
    """The singular values, descending."""
    return svd(x, compute_uv=False)


def rectangular(name: str, a: ArrayLike) -> Any:
    """An argument as a stack of matrices of inexact numbers."""
    (matrix,) = inexact(asarray(a))
    require_matrices(name, matrix)
    return matrix


def square(name: str, a: ArrayLike) -> Any:
    """The same for square ones."""
    (matrix,) = inexact(asarray(a))
    require_square(name, matrix)
    return matrix


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
