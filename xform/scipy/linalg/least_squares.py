"""Pseudoinverses and least squares with SciPy's signatures and cutoffs."""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.linalg

from xform.core.trace import concrete
from xform.numpy.dispatch import ArrayLike, asarray, implements
from xform.numpy.linalg.operands import rectangular, square
from xform.numpy.norms import sum_of_squares
from xform.ops.contraction.einsum import matmul
from xform.ops.linear_algebra import spectral
from xform.ops.linear_algebra.matrix import adjoint, as_column, inexact
from xform.ops.linear_algebra.pseudoinverse import hermitian_part, truncated_lstsq, truncated_pinv
from xform.ops.reduce import reduce_max
from xform.ops.structure import broadcast_to, convert, reduce_sum, reshape
from xform.scipy.linalg.stacks import columns_of, like_right_side


def pseudoinverse(matrix: Any, fraction: Any, hermitian: bool) -> Any:
    """A^+ for a cutoff that is a number or one for each matrix."""
    if not matrix.size:
        return reshape(matrix, shape=(*matrix.shape[:-2], *matrix.shape[:-3:-1]))
    (fraction,) = inexact(asarray(fraction))
    return truncated_pinv(matrix, as_column(as_column(broadcast_to(fraction, matrix.shape[:-2]))), hermitian)


def cutoff(name: str, s: Any, shape: tuple[int, ...], atol: float | None, rtol: float | None) -> tuple[Any, Any]:
    """The smallest size that counts, atol + rtol max(s), as a part of the largest one; and how many sizes do."""
    atol = 0.0 if atol is None else atol
    rtol = float(max(shape[-2:]) * np.finfo(s.dtype).eps) if rtol is None else rtol
    if atol < 0 or rtol < 0:
        raise ValueError(f"{name}: atol {atol} and rtol {rtol} were given; wanted numbers that are not negative")
    largest = reduce_max(s, axes=(len(s.shape) - 1,)) if s.shape[-1] else np.zeros(s.shape[:-1], s.dtype)
    smallest = atol + rtol * largest
    counted = convert(s > reshape(smallest, shape=(*smallest.shape, 1)), dtype=np.dtype(np.int64))
    rank = reduce_sum(counted, axes=(len(s.shape) - 1,))
    return (rtol if atol == 0 else rtol + atol / np.maximum(largest, np.finfo(s.dtype).tiny)), rank


@implements(scipy.linalg.pinv)
def pinv(
    a: ArrayLike,
    *,
    atol: float | None = None,
    rtol: float | None = None,
    return_rank: bool = False,
    check_finite: bool = True,
) -> Any:
    """The pseudoinverse of Moore and Penrose, (..., n, m) for A (..., m, n); with the rank if `return_rank`.

    Singular values up to atol + rtol max(s) count as zero, by default atol = 0 and rtol = max(m, n) eps. While the rank
    does not change, derivatives exist at every rank (Golub and Pereyra 1973). Raises ValueError for negative cutoffs.

    >>> import numpy as np
    >>> pinv(np.array([[2.0, 0.0], [0.0, 0.0]]))
    array([[0.5, 0. ],
           [0. , 0. ]])
    """
    matrix = rectangular("pinv", a)
    s = spectral.svd(matrix, full_matrices=False, compute_uv=False)
    fraction, rank = cutoff("pinv", s, matrix.shape, atol, rtol)
    inverse = pseudoinverse(matrix, fraction, hermitian=False)
    return (inverse, rank) if return_rank else inverse


@implements(scipy.linalg.pinvh)
def pinvh(
    a: ArrayLike,
    atol: float | None = None,
    rtol: float | None = None,
    lower: bool = True,
    return_rank: bool = False,
    check_finite: bool = True,
) -> Any:
    """The pseudoinverse of a Hermitian matrix, of which one triangle is read; the rest as `pinv`.

    >>> import numpy as np
    >>> pinvh(np.array([[2.0, 0.0], [0.0, 0.0]]))
    array([[0.5, 0. ],
           [0. , 0. ]])
    """
    matrix = square("pinvh", a)
    matrix = hermitian_part(matrix if lower else adjoint(matrix))
    s = np.abs(spectral.eigh.bind(matrix, lower=True)[0])
    fraction, rank = cutoff("pinvh", s, matrix.shape, atol, rtol)
    inverse = pseudoinverse(matrix, fraction, hermitian=True)
    return (inverse, rank) if return_rank else inverse


@implements(scipy.linalg.lstsq)
def lstsq(
    a: ArrayLike,
    b: ArrayLike,
    cond: float | None = None,
    overwrite_a: bool = False,
    overwrite_b: bool = False,
    check_finite: bool = True,
    lapack_driver: str | None = None,
) -> Any:
    """(x, residuals, rank, s): the shortest x that minimizes |A x - b|, for A (m, n) and b (m,) or (m, k).

    Singular values s of A up to `cond` (by default eps) times the largest one count as zero. The residuals are
    |A x - b|^2 for each column of b, and none where m <= n or A has rank < n. The derivative is that of A^+ b (see
    `pinv`); that of the rank-revealing driver "gelsy" as well, which gives None for s. Raises ValueError if shapes do
    not fit.

    >>> import numpy as np
    >>> x, residuals, rank, s = lstsq(np.array([[1.0], [1.0]]), np.array([1.0, 3.0]))
    >>> x.round(12), float(residuals.round(12))
    (array([2.]), 2.0)
    """
    if lapack_driver not in (None, "gelsd", "gelsy", "gelss"):
        raise ValueError(f"lstsq: LAPACK driver {lapack_driver!r}; wanted 'gelsd', 'gelsy' or 'gelss'")
    matrix, right = inexact(asarray(a), asarray(b))
    if len(matrix.shape) != 2 or matrix.shape[:1] != right.shape[:1]:
        raise ValueError(f"lstsq: shapes {matrix.shape} and {right.shape} were given; wanted (m, n) and (m,) or (m, k)")
    rcond = np.finfo(matrix.dtype).eps if cond is None else cond
    columns = columns_of(right)
    x, rank, s = truncated_lstsq(matrix, columns, float(rcond))
    (m, n), known = matrix.shape, concrete(rank)
    if m <= n or (known is not None and known != n):
        residuals: Any = np.zeros(0, x.dtype)
    else:
        residuals = sum_of_squares(columns - matmul(matrix, x), (0,))
        residuals = residuals if len(right.shape) > 1 else reshape(residuals, shape=())
    x = like_right_side(x, right)
    rank = convert(rank, dtype=np.dtype(np.int64))
    return x, residuals, rank, None if lapack_driver == "gelsy" else s
