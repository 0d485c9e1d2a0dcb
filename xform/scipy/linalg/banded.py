"""Banded systems: A X = B for a matrix with l diagonals below and u above the main one, in O(n (l + u)).

The matrix is represented as in LAPACK by the rows of its diagonals, ab[u + i - j, j] = A_ij; what lies outside the
matrix is not read. The same rows, shifted, represent A^T, and A X is a sum of l + u + 1 scaled and shifted copies of X.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.linalg

from xform.core.aval import Aval
from xform.numpy.dispatch import ArrayLike, implements
from xform.numpy.linalg.operands import rectangular
from xform.ops.family import total
from xform.ops.linear_algebra.factor import cholesky
from xform.ops.linear_algebra.matrix import adjoint, as_column, conj, inexact, require_matrices
from xform.ops.linear_algebra.solve import LinearSolve
from xform.ops.select import select
from xform.ops.stack import asarray
from xform.ops.structure import broadcast_to, pad, slice_
from xform.scipy.linalg.arrangement import rearranged
from xform.scipy.linalg.stacks import Looped, columns_of, like_right_side

#: the number of diagonals below and above the main one
Bands = tuple[int, int]


class BandedSolve(LinearSolve, Looped):
    """A^-1 B for ab (..., l + u + 1, n) and B (..., n, k); LinAlgError if A is singular.

    If `definite`, A is Hermitian, and LinAlgError is raised if it is not positive definite.
    """

    def abstract(self, a: Aval, b: Aval, *, bands: Bands, definite: bool) -> list[Aval]:
        require_matrices(self.name, a, b)
        if a.shape != (*b.shape[:-2], sum(bands) + 1, b.shape[-2]):
            raise ValueError(
                f"{self.name}: ab {a} and b {b} with {bands[0]} diagonals below and {bands[1]} above the main one "
                "do not fit; wanted shapes (..., l + u + 1, n) and (..., n, k)"
            )
        return [Aval(b.shape, np.result_type(a.dtype, b.dtype))]

    def one(self, *matrices: Any, bands: Bands, definite: bool) -> list[Any]:
        ab, b = matrices
        if definite:
            return [scipy.linalg.solveh_banded(ab[bands[1] :], b, lower=True, check_finite=False)]
        return [scipy.linalg.solve_banded(bands, ab, b, check_finite=False)]

    def product(self, a: Any, x: Any, *, bands: Bands, definite: bool) -> Any:
        """y_i = sum_d ab[u + d, i - d] x_(i - d) over the diagonals d."""
        *lead, n, _ = x.shape
        whole = tuple((0, size, 1) for size in lead)
        terms = []
        for row in range(max(sum(bands) + 1, 0)):
            diagonal = slice_(a, index=(*whole, row, (0, n, 1)))
            moved = shifted(as_column(diagonal) * x, row - bands[1], len(lead))
            terms.append(moved)
        return total(terms)

    def transposed(self, a: Any, b: Any, *, bands: Bands, definite: bool) -> Any:
        return self(transposed_bands(a, bands), b, bands=(bands[1], bands[0]), definite=definite)


banded_solve = BandedSolve("solve_banded")


def shifted(x: Any, d: int, axis: int) -> Any:
    """y_i = x_(i - d) along an axis, zeros coming in."""
    n = x.shape[axis]
    count = max(n - abs(d), 0)

    def region(start: int) -> tuple[Any, ...]:
        place = (start if count else 0, count, 1)
        return tuple(place if k == axis else (0, size, 1) for k, size in enumerate(x.shape))

    return pad(slice_(x, index=region(max(-d, 0))), shape=x.shape, index=region(max(d, 0)))


def transposed_bands(ab: Any, bands: Bands) -> Any:
    """The rows of A^T: ab^T[l - d, j] = ab[u + d, j - d] for the diagonals d."""
    (below, above), n = bands, ab.shape[-1]
    d = below - np.arange(below + above + 1)[:, None]
    j = np.arange(n) - d
    return rearranged(ab, np.where((j >= 0) & (j < n), (above + d) * n + j, -1))


def dense_of_bands(ab: Any, bands: Bands) -> Any:
    """The square matrix A_ij = ab[u + i - j, j]."""
    (below, above), n = bands, ab.shape[-1]
    i, j = np.ogrid[:n, :n]
    inside = (i - j <= below) & (j - i <= above)
    return rearranged(ab, np.where(inside, (above + i - j) * n + j, -1))


def bands_of_dense(a: Any, bands: Bands) -> Any:
    """ab[u + i - j, j] = A_ij, and zero outside of the matrix."""
    (below, above), n = bands, a.shape[-1]
    row, j = np.ogrid[: below + above + 1, :n]
    i = row - above + j
    return rearranged(a, np.where((i >= 0) & (i < n), i * n + j, -1))


def hermitian_bands(ab: Any, lower: bool) -> tuple[Any, Bands]:
    """All rows of a Hermitian matrix, of which those on and below (or above) the main diagonal are given."""
    count = ab.shape[-2] - 1
    bands = (count, 0) if lower else (0, count)
    other, offset = conj(transposed_bands(ab, bands)), abs(count)
    shape = (*ab.shape[:-2], 2 * count + 1, ab.shape[-1])
    whole = tuple((0, size, 1) for size in ab.shape[:-2])
    own, mirrored = (offset, 0) if lower else (0, offset)
    columns = (0, ab.shape[-1], 1)
    given = pad(ab, shape=shape, index=(*whole, (own, count + 1, 1), columns))
    other = pad(other, shape=shape, index=(*whole, (mirrored, count + 1, 1), columns))
    main = np.arange(2 * count + 1)[:, None]
    from_given = main >= count if lower else main <= count
    return select(np.broadcast_to(from_given, shape[-2:]), given, other), (count, count)


def solve_bands(ab: Any, b: Any, bands: Bands, definite: bool = False) -> Any:
    """X for leading axes that broadcast and b of a vector or columns."""
    ab, b = inexact(ab, b)
    columns = columns_of(b)
    lead = np.broadcast_shapes(ab.shape[:-2], columns.shape[:-2])
    ab, columns = (broadcast_to(x, (*lead, *x.shape[-2:])) for x in (ab, columns))
    return like_right_side(banded_solve(ab, columns, bands=bands, definite=definite), b)


@implements(scipy.linalg.solve_banded)
def solve_banded(
    l_and_u: Any,
    ab: ArrayLike,
    b: ArrayLike,
    overwrite_ab: bool = False,
    overwrite_b: bool = False,
    check_finite: bool = True,
) -> Any:
    """The solution X of A X = B for a banded A given by its diagonals, ab[u + i - j, j] = A_ij.

    `l_and_u` = (l, u) says how many diagonals lie below and above the main one; ab is (..., l + u + 1, n), B is (n,) or
    (..., n, k). Raises LinAlgError if A is singular, and ValueError if shapes do not fit.

    >>> import numpy as np, xform
    >>> ab, b = np.array([[0.0, 1.0], [2.0, 4.0]]), np.array([4.0, 8.0])
    >>> solve_banded((0, 1), ab, b)
    array([1., 2.])
    >>> xform.grad(lambda ab: solve_banded((0, 1), ab, b)[0])(ab) + 0.0
    array([[ 0.  , -1.  ],
           [-0.5 ,  0.25]])
    """
    below, above = l_and_u
    return solve_bands(rectangular("solve_banded", ab), asarray(b), (int(below), int(above)))


@implements(scipy.linalg.solveh_banded)
def solveh_banded(
    ab: ArrayLike,
    b: ArrayLike,
    overwrite_ab: bool = False,
    overwrite_b: bool = False,
    lower: bool = False,
    check_finite: bool = True,
) -> Any:
    """The solution X of A X = B for a Hermitian positive definite banded A, given by the diagonals of one triangle.

    ab is (..., u + 1, n) with ab[u + i - j, j] = A_ij for i <= j, or if `lower` ab[i - j, j] = A_ij for i >= j. Raises
    LinAlgError if A is not positive definite, and ValueError if shapes do not fit.

    >>> import numpy as np
    >>> solveh_banded(np.array([[4.0, 2.0], [0.0, 0.0]]), np.array([4.0, 8.0]), lower=True)
    array([1., 4.])
    """
    rows, bands = hermitian_bands(rectangular("solveh_banded", ab), lower)
    return solve_bands(rows, asarray(b), bands, definite=True)


@implements(scipy.linalg.cholesky_banded)
def cholesky_banded(ab: ArrayLike, overwrite_ab: bool = False, lower: bool = False, check_finite: bool = True) -> Any:
    """The diagonals of the Cholesky factor of a Hermitian positive definite banded matrix, in the form of `ab`.

    The form is that of `solveh_banded`. A traced matrix is factored as a dense one, in O(n^3). Raises LinAlgError if it
    is not positive definite.

    >>> import numpy as np
    >>> cholesky_banded(np.array([[4.0, 9.0], [0.0, 0.0]]), lower=True)
    array([[2., 3.],
           [0., 0.]])
    """
    rows, bands = hermitian_bands(rectangular("cholesky_banded", ab), lower)
    factor = cholesky(dense_of_bands(rows, bands))
    return bands_of_dense(factor, (bands[0], 0)) if lower else bands_of_dense(adjoint(factor), (0, bands[1]))


@implements(scipy.linalg.cho_solve_banded)
def cho_solve_banded(cb_and_lower: Any, b: ArrayLike, overwrite_b: bool = False, check_finite: bool = True) -> Any:
    """The solution X of A X = B from (cb, lower), where cb is the factor that `cholesky_banded` gives.

    Raises LinAlgError if the factor is singular, and ValueError if shapes do not fit.

    >>> import numpy as np
    >>> cho_solve_banded((np.array([[2.0, 3.0], [0.0, 0.0]]), True), np.array([4.0, 9.0]))
    array([1., 1.])
    """
    factor, lower = cb_and_lower
    cb = rectangular("cho_solve_banded", factor)
    count = cb.shape[-2] - 1
    bands = (count, 0) if lower else (0, count)
    mirrored, opposite = conj(transposed_bands(cb, bands)), (bands[1], bands[0])
    first, last = ((cb, bands), (mirrored, opposite)) if lower else ((mirrored, opposite), (cb, bands))
    return solve_bands(last[0], solve_bands(first[0], asarray(b), first[1]), last[1])
