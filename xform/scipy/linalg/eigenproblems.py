"""Eigenvalue and singular value problems with SciPy's signatures: Hermitian, general and generalized ones.

Eigenvectors have the derivative that turns them least, at the norm that they have; those of equal values do not turn
among themselves (`xform.ops.linear_algebra.spectral`, `xform.ops.linear_algebra.eigen`).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.linalg

from xform.core.aval import Aval
from xform.core.primitive import Zero, is_zero
from xform.core.trace import concrete, concrete_or_raise
from xform.numpy.dispatch import ArrayLike, asarray, implements
from xform.numpy.linalg.operands import rectangular, square
from xform.ops.complex import real
from xform.ops.contraction.einsum import matmul
from xform.ops.family import instantiate
from xform.ops.linear_algebra import eigen, spectral
from xform.ops.linear_algebra.eigen import left_eigenvectors
from xform.ops.linear_algebra.factor import cholesky
from xform.ops.linear_algebra.matrix import adjoint, as_column, as_row, conj, diagonal, inexact, require_square
from xform.ops.linear_algebra.pseudoinverse import hermitian_part
from xform.ops.linear_algebra.solve import triangular_solve
from xform.ops.linear_algebra.spectral import Eigh
from xform.ops.reduce import reduce_max
from xform.ops.select import select
from xform.ops.structure import concatenate, reduce_sum, slice_
from xform.scipy.linalg.arrangement import arranged
from xform.scipy.linalg.banded import dense_of_bands, hermitian_bands
from xform.scipy.linalg.stacks import Looped, aligned, common_lead


class EighOfScipy(Looped, Eigh):
    """Eigenvalues and vectors of Hermitian matrices by SciPy's algorithm: the signs of vectors are not NumPy's."""

    def one(self, *matrices: Any, **params: Any) -> list[Any]:
        return list(scipy.linalg.eigh(*matrices, lower=params["lower"]))


eigh_of_scipy = EighOfScipy("eigh_scipy")


class EigPencil(Looped):
    """The eigenvalues w of A v = w B v, the left vectors U and the right ones V (columns of norm one), all complex.

        Y = (B V)^-1,   P = Y A_dot V,   Q = Y B_dot V,   F_ij = 1 / (w_j - w_i), 0 where they are equal,
        w_dot = diag(P - Q W),   V' = V (F * (P - Q W)),   U' = -U (F * (P - W Q) * d_i / d_j)^H,   d = diag(U^H B V)

    of which each vector moves by v' - v (v^H v') (Giles 2008, An extended collection of matrix derivative results,
    section 3.1, for B = I). Where B V is singular, LinAlgError is raised. If `standard`, B is the identity.
    """

    def abstract(self, a: Aval, b: Aval, *, standard: bool) -> list[Aval]:
        require_square(self.name, a, b)
        common_lead(self.name, a, b)
        if a.shape != b.shape:
            raise ValueError(f"{self.name}: a {a} and b {b} were given; wanted the same shape")
        dtype = np.result_type(a.dtype, b.dtype, np.complex64)
        return [Aval(a.shape[:-1], dtype), Aval(a.shape, dtype), Aval(a.shape, dtype)]

    def one(self, *matrices: Any, **params: Any) -> list[Any]:
        a, b = matrices
        return list(scipy.linalg.eig(a, None if params["standard"] else b, left=True, right=True))

    def jvp(self, primals: Any, tangents: Any, **params: Any) -> tuple[list[Any], list[Any]]:
        outs = self.bind(*primals, **params)
        if all(map(is_zero, tangents)):
            return outs, [Zero.like(y) for y in outs]
        (w, u, v), b, (a_dot, b_dot) = outs, primals[1], map(instantiate, tangents)
        if 0 in w.shape:
            return outs, list(outs)
        y, row, column = left_eigenvectors(matmul(b, v)), as_row(w), as_column(w)
        a_part, b_part = matmul(y, matmul(a_dot, v)), matmul(y, matmul(b_dot, v))
        gaps = reciprocal_gaps(w)
        right = a_part - b_part * row
        v_dot = matmul(v, gaps * right)
        scale = reduce_sum(conj(u) * matmul(b, v), axes=(len(u.shape) - 2,))
        turn = gaps * (a_part - column * b_part) * as_column(scale) / as_row(scale)
        u_dot = -matmul(u, adjoint(turn))
        return outs, [diagonal(right), least_turn(u, u_dot), least_turn(v, v_dot)]


def reciprocal_gaps(w: Any) -> Any:
    """F_ij = 1 / (w_j - w_i), and 0 where that is zero up to rounding."""
    gaps = as_row(w) - as_column(w)
    largest = reduce_max(np.abs(w), axes=(len(w.shape) - 1,))
    zero = np.abs(gaps) <= as_row(as_column(largest)) * (8 * w.shape[-1] ** 0.5 * np.finfo(w.dtype).eps)
    return select(zero, 0, 1 / select(zero, 1, gaps))


def least_turn(v: Any, x: Any) -> Any:
    """x - v (v^H x) for each column."""
    return x - v * as_row(reduce_sum(conj(v) * x, axes=(len(v.shape) - 2,)))


eig_pencil = EigPencil("eig_pencil")


# --- Hermitian problems ---


def chosen(name: str, w: Any, v: Any, values_only: bool, by_index: Any, by_value: Any) -> Any:
    """Eigenvalues in a range of places, or those in the interval (low, high], with their vectors or alone."""
    first, last = 0, w.shape[-1] - 1
    if by_index is not None:
        first, last = map(int, by_index)
        if not 0 <= first <= last < w.shape[-1]:
            raise ValueError(f"{name}: places {first} to {last} of {w.shape[-1]} eigenvalues were asked for")
    elif by_value is not None:
        values = concrete_or_raise(w, f"the eigenvalues in an interval in {name}", "choose them by their places")
        inside = np.flatnonzero((values > by_value[0]) & (values <= by_value[1]))
        first, last = (int(inside[0]), int(inside[-1])) if len(inside) else (0, -1)
    region = (first if last >= first else 0, last - first + 1, 1)
    w = slice_(w, index=(*((0, n, 1) for n in w.shape[:-1]), region))
    return w if values_only else (w, slice_(v, index=(*((0, n, 1) for n in v.shape[:-1]), region)))


def generalized(a: Any, b: Any, lower: bool, kind: int) -> tuple[Any, Any]:
    """Of A v = w B v, A B v = w v, B A v = w v, reduced to a standard problem by B = L L^H, as LAPACK does."""
    a, b = aligned(*(hermitian_part(x if lower else adjoint(x)) for x in (a, b)))
    factor = cholesky(b)
    if kind == 1:
        half = triangular_solve(factor, a, lower=True, unit_diagonal=False)
        reduced = triangular_solve(factor, adjoint(half), lower=True, unit_diagonal=False)
    else:
        reduced = matmul(adjoint(factor), matmul(a, factor))
    w, y = spectral.eigh.bind(reduced, lower=lower)
    if kind == 3:
        return w, matmul(factor, y)
    return w, triangular_solve(adjoint(factor), y, lower=False, unit_diagonal=False)


@implements(scipy.linalg.eigh)
def eigh(
    a: ArrayLike,
    b: ArrayLike | None = None,
    *,
    lower: bool = True,
    eigvals_only: bool = False,
    overwrite_a: bool = False,
    overwrite_b: bool = False,
    type: int = 1,
    check_finite: bool = True,
    subset_by_index: Any = None,
    subset_by_value: Any = None,
    driver: str | None = None,
) -> Any:
    """(w, V): eigenvalues, ascending, and vectors of a Hermitian A, or of A v = w B v with a positive definite B.

    With b, `type` 2 is A B v = w v and 3 is B A v = w v. One triangle is read, the lower one if `lower`.
    With `eigvals_only` V is left out; `subset_by_index` = (first, last) and `subset_by_value` = (low, high] choose some
    of them, the latter where values are known. The derivative is that of a function of Hermitian matrices. Raises
    LinAlgError if B is not positive definite, ValueError for another type.

    >>> import numpy as np, xform
    >>> w, v = eigh(np.array([[2.0, 0.0], [0.0, 3.0]]), np.diag([1.0, 6.0]))
    >>> w
    array([0.5, 2. ])
    >>> B = np.diag([1.0, 6.0])
    >>> xform.grad(lambda B: eigh(np.diag([2.0, 3.0]), B, eigvals_only=True)[0])(B).round(12) + 0.0
    array([[ 0.        ,  0.        ],
           [ 0.        , -0.08333333]])
    """
    if type not in (1, 2, 3):
        raise ValueError(f"eigh: type {type!r} was given; wanted 1 (A v = w B v), 2 (A B v = w v) or 3 (B A v = w v)")
    if b is None:
        w, v = eigh_of_scipy.bind(square("eigh", a), lower=bool(lower))
    else:
        a, b = (square("eigh", x) for x in inexact(asarray(a), asarray(b)))
        w, v = generalized(a, b, bool(lower), type)
    return chosen("eigh", w, v, eigvals_only, subset_by_index, subset_by_value)


@implements(scipy.linalg.eigvalsh)
def eigvalsh(
    a: ArrayLike,
    b: ArrayLike | None = None,
    *,
    lower: bool = True,
    overwrite_a: bool = False,
    overwrite_b: bool = False,
    type: int = 1,
    check_finite: bool = True,
    subset_by_index: Any = None,
    subset_by_value: Any = None,
    driver: str | None = None,
) -> Any:
    """The eigenvalues of `eigh` alone.

    >>> import numpy as np
    >>> eigvalsh(np.diag([3.0, 2.0]))
    array([2., 3.])
    """
    choice: dict[str, Any] = {"subset_by_index": subset_by_index, "subset_by_value": subset_by_value}
    return eigh(a, b, lower=lower, eigvals_only=True, type=type, **choice)


def dense_eigh(name: str, matrix: Any, values_only: bool, select: Any, select_range: Any) -> Any:
    """The choices of SciPy's functions of banded matrices: all ('a'), by index ('i'), by value in (low, high] ('v')."""
    kinds = {"a": "a", "all": "a", 0: "a", "i": "i", "index": "i", 2: "i", "v": "v", "value": "v", 1: "v"}
    kind = kinds.get(select.lower() if isinstance(select, str) else select)
    if kind is None or (kind != "a" and select_range is None):
        raise ValueError(f"{name}: select {select!r} with range {select_range}; wanted 'a', 'i' or 'v' with a range")
    w, v = eigh_of_scipy.bind(matrix, lower=True)
    return chosen(name, w, v, values_only, select_range if kind == "i" else None, select_range if kind == "v" else None)


@implements(scipy.linalg.eigh_tridiagonal)
def eigh_tridiagonal(
    d: ArrayLike,
    e: ArrayLike,
    eigvals_only: bool = False,
    select: Any = "a",
    select_range: Any = None,
    check_finite: bool = True,
    tol: float = 0.0,
    lapack_driver: str = "auto",
) -> Any:
    """(w, V) of the real symmetric tridiagonal matrix with diagonal d (n,) and off-diagonal e (n - 1,).

    With `eigvals_only` it is w; `select` "a" means all, "i" those of places `select_range`, "v" those with values in
    it. A traced matrix is decomposed as a dense one. Raises ValueError if the shapes do not fit.

    >>> import numpy as np
    >>> eigh_tridiagonal(np.array([2.0, 2.0]), np.array([1.0]), eigvals_only=True)
    array([1., 3.])
    """
    d, e = inexact(asarray(d), asarray(e))
    n = d.shape[-1] if d.shape else 0
    if not d.shape or e.shape[-1:] != (n - 1,) or d.dtype.kind == "c":
        raise ValueError(f"eigh_tridiagonal: d {d.shape} and e {e.shape} were given; wanted real (n,) and (n - 1,)")
    i, j = np.ogrid[:n, :n]
    source = np.where(i == j, i, np.where(abs(i - j) == 1, n + np.minimum(i, j), -1))
    matrix = arranged(concatenate(d, e, axis=len(d.shape) - 1), source)
    return dense_eigh("eigh_tridiagonal", matrix, eigvals_only, select, select_range)


@implements(scipy.linalg.eigvalsh_tridiagonal)
def eigvalsh_tridiagonal(
    d: ArrayLike,
    e: ArrayLike,
    select: Any = "a",
    select_range: Any = None,
    check_finite: bool = True,
    tol: float = 0.0,
    lapack_driver: str = "auto",
) -> Any:
    """The eigenvalues of `eigh_tridiagonal` alone.

    >>> import numpy as np
    >>> eigvalsh_tridiagonal(np.array([2.0, 2.0]), np.array([1.0]))
    array([1., 3.])
    """
    return eigh_tridiagonal(d, e, True, select, select_range)


@implements(scipy.linalg.eig_banded)
def eig_banded(
    a_band: ArrayLike,
    lower: bool = False,
    eigvals_only: bool = False,
    overwrite_a_band: bool = False,
    select: Any = "a",
    select_range: Any = None,
    max_ev: int = 0,
    check_finite: bool = True,
) -> Any:
    """(w, V) of a Hermitian banded matrix, given by the diagonals of one triangle as in `solveh_banded`.

    The choices are those of `eigh_tridiagonal`. A traced matrix is decomposed as a dense one.

    >>> import numpy as np
    >>> eig_banded(np.array([[2.0, 2.0], [1.0, 0.0]]), lower=True, eigvals_only=True)
    array([1., 3.])
    """
    matrix = dense_of_bands(*hermitian_bands(rectangular("eig_banded", a_band), bool(lower)))
    return dense_eigh("eig_banded", matrix, eigvals_only, select, select_range)


@implements(scipy.linalg.eigvals_banded)
def eigvals_banded(
    a_band: ArrayLike,
    lower: bool = False,
    overwrite_a_band: bool = False,
    select: Any = "a",
    select_range: Any = None,
    check_finite: bool = True,
) -> Any:
    """The eigenvalues of `eig_banded` alone.

    >>> import numpy as np
    >>> eigvals_banded(np.array([[2.0, 2.0], [1.0, 0.0]]), lower=True)
    array([1., 3.])
    """
    return eig_banded(a_band, lower, True, select=select, select_range=select_range)


# --- general problems ---


@implements(scipy.linalg.eig)
def eig(
    a: ArrayLike,
    b: ArrayLike | None = None,
    left: bool = False,
    right: bool = True,
    overwrite_a: bool = False,
    overwrite_b: bool = False,
    check_finite: bool = True,
    homogeneous_eigvals: bool = False,
) -> Any:
    """w, or (w, V) or (w, U) or (w, U, V): complex eigenvalues of A v = w B v, left vectors U and right vectors V.

    The vectors have norm one; as in SciPy they are real if A and all values are, which a traced matrix knows only where
    values are known (not in jit and vmap). Raises LinAlgError if a matrix is not square, and when it is differentiated
    if it is defective or B is singular; ValueError for `homogeneous_eigvals`, which are not for traced arrays.

    >>> import numpy as np, xform
    >>> A, B = np.array([[2.0, 1.0], [0.0, 3.0]]), np.diag([1.0, 6.0])
    >>> w, v = eig(A, B)
    >>> w.real
    array([2. , 0.5])
    >>> xform.jacobian(lambda B: eig(A, B, right=False).real)(B).round(12)[0] + 0.0
    array([[-2.        ,  0.        ],
           [-0.22222222,  0.        ]])
    """
    if homogeneous_eigvals:
        raise ValueError("eig: homogeneous eigenvalues of a traced matrix are not available; divide them yourself")
    matrix, other = inexact(asarray(a), asarray(a if b is None else b))
    if b is None and not left:
        w, v = eigen.eig.bind(square("eig", matrix), vectors=True)
        u = v
    else:
        identity = np.broadcast_to(np.eye(matrix.shape[-1], dtype=matrix.dtype), matrix.shape)
        w, u, v = eig_pencil.bind(*aligned(matrix, identity if b is None else other), standard=b is None)
    values = concrete(w)
    if matrix.dtype.kind == "f" and values is not None and (values.imag == 0).all():
        u, v = real(u), real(v)
    return (w, *[u] * left, *[v] * right) if left or right else w


@implements(scipy.linalg.eigvals)
def eigvals(
    a: ArrayLike,
    b: ArrayLike | None = None,
    overwrite_a: bool = False,
    check_finite: bool = True,
    homogeneous_eigvals: bool = False,
) -> Any:
    """The eigenvalues of `eig` alone.

    >>> import numpy as np
    >>> eigvals(np.diag([3.0, 2.0])).real
    array([3., 2.])
    """
    return eig(a, b, right=False, homogeneous_eigvals=homogeneous_eigvals)


# --- singular values ---


@implements(scipy.linalg.svd)
def svd(
    a: ArrayLike,
    full_matrices: bool = True,
    compute_uv: bool = True,
    overwrite_a: bool = False,
    check_finite: bool = True,
    lapack_driver: str = "gesdd",
) -> Any:
    """(U, s, Vh) with A = U diag(s) Vh, s descending, or s alone without `compute_uv`; as `xform.numpy.linalg.svd`.

    >>> import numpy as np
    >>> svd(np.diag([2.0, 3.0]), compute_uv=False)
    array([3., 2.])
    """
    matrix = rectangular("svd", a)
    if not compute_uv:
        return spectral.svd(matrix, full_matrices=False, compute_uv=False)
    return tuple(spectral.svd.bind(matrix, full_matrices=bool(full_matrices), compute_uv=True))


@implements(scipy.linalg.svdvals)
def svdvals(a: ArrayLike, overwrite_a: bool = False, check_finite: bool = True) -> Any:
    """The singular values, descending.

    >>> import numpy as np
    >>> svdvals(np.diag([2.0, 3.0]))
    array([3., 2.])
    """
    return svd(a, compute_uv=False)
