"""Systems of equations, inverses and determinants, with SciPy's signatures.

Where SciPy reads one triangle of a matrix, so do these: a derivative is zero in the other one.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.linalg

from xform.numpy import linalg
from xform.numpy.dispatch import ArrayLike, implements
from xform.numpy.linalg.operands import square
from xform.numpy.norms import norm as array_norm
from xform.ops.linear_algebra import factor
from xform.ops.linear_algebra.matrix import adjoint, conj, inexact, lower, require_square, swap_last, upper
from xform.ops.linear_algebra.solve import solve as general_solve
from xform.ops.linear_algebra.solve import triangular_solve
from xform.ops.select import select
from xform.ops.stack import asarray
from xform.scipy.linalg.stacks import columns_of, like_right_side

#: the names of structures that SciPy's `assume_a` takes, by their first one
STRUCTURES = {
    "general": ("general", "gen"),
    "diagonal": ("diagonal",),
    "tridiagonal": ("tridiagonal",),
    "banded": ("banded",),
    "upper triangular": ("upper triangular",),
    "lower triangular": ("lower triangular",),
    "symmetric": ("symmetric", "sym"),
    "hermitian": ("hermitian", "her"),
    "positive definite": ("positive definite", "pos"),
}
STRUCTURE_OF = {name: structure for structure, names in STRUCTURES.items() for name in names}

#: the operations of `trans`, by the names and numbers that SciPy takes
TRANSPOSITIONS = {0: "N", "N": "N", 1: "T", "T": "T", 2: "C", "C": "C"}


def mirrored(a: Any, is_lower: bool, hermitian: bool) -> Any:
    """The symmetric or Hermitian matrix of which one triangle is given."""
    other = adjoint(a) if hermitian else swap_last(a)
    on_or_below, above = (a, other) if is_lower else (other, a)
    return select(np.tri(*a.shape[-2:], dtype=bool), on_or_below, above)


def as_assumed(a: Any, structure: str, is_lower: bool) -> Any:
    """The entries of the matrix that count."""
    match structure:
        case "symmetric" | "hermitian" | "positive definite":
            return mirrored(a, is_lower, structure != "symmetric")
        case "diagonal":
            return lower(upper(a))
        case "tridiagonal":
            return lower(upper(a, -1), 1)
    return a


def solve_assumed(a: Any, b: Any, structure: str, is_lower: bool) -> Any:
    """A X = B for matrices A and B."""
    if "triangular" in structure:
        return triangular_solve.broadcast(a, b, lower=structure.startswith("lower"), unit_diagonal=False)
    if structure != "positive definite":
        return general_solve.broadcast(a, b)
    return cholesky_solve(factor.cholesky(a), b, True)


def cholesky_solve(c: Any, b: Any, is_lower: bool) -> Any:
    """L L^H X = B, or U^H U X = B, for a factor of which one triangle is read."""
    c = c if is_lower else adjoint(c)
    first = triangular_solve.broadcast(c, b, lower=True, unit_diagonal=False)
    return triangular_solve.broadcast(adjoint(c), first, lower=False, unit_diagonal=False)


@implements(scipy.linalg.solve)
def solve(
    a: ArrayLike,
    b: ArrayLike,
    lower: bool = False,
    overwrite_a: bool = False,
    overwrite_b: bool = False,
    check_finite: bool = True,
    assume_a: str | None = None,
    transposed: bool = False,
) -> Any:
    """The solution X of A X = B (of A^T X = B if `transposed`), for A (..., n, n) and B (n,) or (..., n, k).

    `assume_a` names the structure of A, as in SciPy. Of a symmetric, Hermitian or positive definite matrix one triangle
    is read (the lower one if `lower`), of a triangular, diagonal or tridiagonal one those entries. Raises LinAlgError
    if A is singular, or not positive definite, and ValueError for another structure or shapes that do not fit.

    >>> import numpy as np, xform
    >>> A, b = np.array([[2.0, 1.0], [0.0, 4.0]]), np.array([3.0, 4.0])
    >>> solve(A, b, assume_a="upper triangular")
    array([1., 1.])
    >>> xform.grad(lambda A: solve(A, b, assume_a="upper triangular")[0])(A) + 0.0
    array([[-0.5  , -0.5  ],
           [ 0.   ,  0.125]])
    """
    structure = STRUCTURE_OF.get("general" if assume_a is None else assume_a)
    if structure is None:
        raise ValueError(f"solve: {assume_a!r} is not a recognized matrix structure; wanted one of {[*STRUCTURE_OF]}")
    matrix, right = inexact(asarray(a), asarray(b))
    require_square("solve", matrix)
    matrix = as_assumed(matrix, structure, lower)
    if transposed:
        if matrix.dtype.kind == "c":
            raise NotImplementedError("solve: transposed=True is for real matrices in SciPy; pass a.T instead")
        matrix = swap_last(matrix)
        structure = {"upper triangular": "lower triangular", "lower triangular": "upper triangular"}.get(
            structure, structure
        )
    return like_right_side(solve_assumed(matrix, columns_of(right), structure, lower), right)


@implements(scipy.linalg.solve_triangular)
def solve_triangular(
    a: ArrayLike,
    b: ArrayLike,
    trans: int | str = 0,
    lower: bool = False,
    unit_diagonal: bool = False,
    overwrite_b: bool = False,
    check_finite: bool = True,
) -> Any:
    """The solution X of op(T) X = B for the upper (or `lower`) triangle T of A, B being (n,) or (..., n, k).

    op(T) is T, T^T or T^H for `trans` 0, 1, 2 or "N", "T", "C"; with `unit_diagonal` the diagonal is taken as ones.
    Raises LinAlgError if there is a zero on the diagonal, ValueError for another `trans` or shapes that do not fit.

    >>> import numpy as np
    >>> solve_triangular(np.array([[2.0, 0.0], [1.0, 4.0]]), np.array([2.0, 9.0]), lower=True)
    array([1., 2.])
    """
    if trans not in TRANSPOSITIONS:
        raise ValueError(f"solve_triangular: trans {trans!r} was given; wanted one of {[*TRANSPOSITIONS]}")
    op = TRANSPOSITIONS[trans]
    matrix, right = inexact(asarray(a), asarray(b))
    if op != "N":
        matrix, lower = swap_last(conj(matrix) if op == "C" else matrix), not lower
    x = triangular_solve.broadcast(matrix, columns_of(right), lower=bool(lower), unit_diagonal=bool(unit_diagonal))
    return like_right_side(x, right)


@implements(scipy.linalg.cholesky)
def cholesky(a: ArrayLike, lower: bool = False, overwrite_a: bool = False, check_finite: bool = True) -> Any:
    """The upper triangular U with A = U^H U, or if `lower` L with A = L L^H, for a positive definite A (..., n, n).

    That triangle of A is read. The derivative is that of a function of Hermitian matrices: gradients are Hermitian.
    Raises LinAlgError if A is not positive definite.

    >>> import numpy as np
    >>> cholesky(np.array([[4.0, 2.0], [2.0, 5.0]]))
    array([[2., 1.],
           [0., 2.]])
    """
    matrix = square("cholesky", a)
    return factor.cholesky(matrix) if lower else adjoint(factor.cholesky(adjoint(matrix)))


@implements(scipy.linalg.cho_factor)
def cho_factor(a: ArrayLike, lower: bool = False, overwrite_a: bool = False, check_finite: bool = True) -> Any:
    """(c, lower) for `cho_solve`, where c is `cholesky(a, lower)`.

    SciPy leaves in the other triangle of c what was in A; of a traced A it is zero. Raises LinAlgError if A is not
    positive definite.

    >>> import numpy as np
    >>> cho_solve(cho_factor(np.array([[4.0, 2.0], [2.0, 5.0]])), np.array([6.0, 7.0]))
    array([1., 1.])
    """
    return cholesky(a, lower), lower


@implements(scipy.linalg.cho_solve)
def cho_solve(c_and_lower: Any, b: ArrayLike, overwrite_b: bool = False, check_finite: bool = True) -> Any:
    """The solution X of A X = B from (c, lower) of `cho_factor`, B being (n,) or (..., n, k).

    Raises LinAlgError if the factor is singular, ValueError if shapes do not fit.
    """
    c, is_lower = c_and_lower
    c, right = inexact(asarray(c), asarray(b))
    return like_right_side(cholesky_solve(c, columns_of(right), bool(is_lower)), right)


@implements(scipy.linalg.inv)
def inv(
    a: ArrayLike,
    overwrite_a: bool = False,
    check_finite: bool = True,
    *,
    assume_a: str | None = None,
    lower: bool = False,
) -> Any:
    """A^-1; `assume_a` and `lower` are those of `solve`.

    Raises LinAlgError if A is singular or not positive definite, ValueError for another structure.

    >>> import numpy as np
    >>> inv(np.diag([2.0, 4.0]))
    array([[0.5 , 0.  ],
           [0.  , 0.25]])
    """
    matrix = square("inv", a)
    if assume_a in (None, "gen", "general"):
        return linalg.inv(matrix)
    return solve(matrix, np.eye(matrix.shape[-1], dtype=matrix.dtype), lower=lower, assume_a=assume_a)


@implements(scipy.linalg.det)
def det(a: ArrayLike, overwrite_a: bool = False, check_finite: bool = True) -> Any:
    """The determinant, with derivatives of every order at singular matrices too.

    >>> import numpy as np
    >>> float(det(np.diag([2.0, 4.0])))
    8.0
    """
    return linalg.det(a)


@implements(scipy.linalg.norm)
def norm(a: ArrayLike, ord: Any = None, axis: Any = None, keepdims: bool = False, check_finite: bool = True) -> Any:
    """The norm of vectors or matrices, as `xform.numpy.linalg.norm`.

    >>> import numpy as np
    >>> float(norm(np.array([3.0, 4.0])))
    5.0
    """
    return array_norm(a, ord, axis, keepdims)
