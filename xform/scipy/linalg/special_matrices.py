"""Matrices made of the entries of vectors: Toeplitz, circulant, Hankel, companion matrices and so on.

SciPy's constructor, applied to the numbers 1, 2, 3, .. of the entries instead of to the entries, says where each goes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import scipy.linalg

from xform.core.trace import concrete, concrete_or_raise
from xform.numpy.dispatch import ArrayLike, asarray, implements, promote
from xform.ops.linear_algebra.matrix import as_column, as_row, conj, inexact
from xform.ops.select import select
from xform.ops.structure import broadcast_to, concatenate, pad, reshape, slice_
from xform.scipy.linalg.arrangement import arranged


def vectors_of(name: str, *operands: Any) -> list[Any]:
    """Arguments as stacks of vectors of one dtype with the same leading axes; a number is a vector of one entry."""
    vectors = promote(*operands)
    vectors = [x if x.shape else reshape(x, shape=(1,)) for x in vectors]
    lead = np.broadcast_shapes(*(x.shape[:-1] for x in vectors))
    return [broadcast_to(x, (*lead, x.shape[-1])) for x in vectors]


def built(constructor: Callable[..., Any], *vectors: Any, **options: Any) -> Any:
    """The matrix of the given vectors, whose entries the constructor puts in their places without changing them."""
    numbers, start = [], 1
    for x in vectors:
        numbers.append(np.arange(start, start + x.shape[-1]))
        start += x.shape[-1]
    source = np.asarray(constructor(*numbers, **options)).astype(np.int64) - 1
    entries = vectors[0] if len(vectors) == 1 else concatenate(*vectors, axis=len(vectors[0].shape) - 1)
    return arranged(entries, source)


def companion_of(name: str, constructor: Callable[..., Any], a: ArrayLike) -> Any:
    """A matrix with some entries -a[k] / a[0] and some of one, by what the constructor makes of a = 1, 2, 3, .."""
    (a,) = inexact(asarray(a))
    if len(a.shape) == 0 or a.shape[-1] < 2:
        raise ValueError(f"{name}: coefficients of shape {a.shape} were given; wanted a vector of at least two")
    leading = slice_(a, index=(*((0, n, 1) for n in a.shape[:-1]), (0, 1, 1)))
    value = concrete(leading)
    if isinstance(value, np.ndarray) and (value == 0).any():
        raise ValueError(f"{name}: the first coefficient is zero; wanted that of the highest power, not zero")
    layout = np.rint(constructor(np.arange(1.0, a.shape[-1] + 1))).astype(np.int64)
    ratios = arranged(-a / leading, np.where(layout < 0, -layout - 1, -1))
    return select(layout > 0, 1, ratios)


@implements(scipy.linalg.toeplitz)
def toeplitz(c: ArrayLike, r: ArrayLike | None = None) -> Any:
    """The Toeplitz matrix of first column c (m,) and first row r (n,), of which r[0] is not read; r = conj(c) if None.

    >>> import numpy as np
    >>> toeplitz(np.array([1, 2, 3]), np.array([0, 4]))
    array([[1, 4],
           [2, 1],
           [3, 2]])
    """
    column = asarray(c)
    return built(scipy.linalg.toeplitz, *vectors_of("toeplitz", column, conj(column) if r is None else r))


@implements(scipy.linalg.hankel)
def hankel(c: ArrayLike, r: ArrayLike | None = None) -> Any:
    """The Hankel matrix of first column c (m,) and last row r (n,), of which r[0] is not read; r = 0 if None.

    >>> import numpy as np
    >>> hankel(np.array([1, 2, 3]), np.array([0, 4]))
    array([[1, 2],
           [2, 3],
           [3, 4]])
    """
    column = asarray(c)
    row = np.zeros(column.shape, column.dtype) if r is None else r
    return built(scipy.linalg.hankel, *vectors_of("hankel", column, row))


@implements(scipy.linalg.circulant)
def circulant(c: ArrayLike) -> Any:
    """The circulant matrix C_ij = c[(i - j) mod n] of first column c (n,).

    >>> import numpy as np
    >>> circulant(np.array([1, 2, 3]))
    array([[1, 3, 2],
           [2, 1, 3],
           [3, 2, 1]])
    """
    return built(scipy.linalg.circulant, *vectors_of("circulant", c))


@implements(scipy.linalg.convolution_matrix)
def convolution_matrix(a: ArrayLike, n: int, mode: str = "full") -> Any:
    """The Toeplitz matrix A with A v = convolve(a, v, mode) for vectors v of n entries.

    Raises ValueError for n < 1, an empty a or another mode than "full", "same" and "valid".

    >>> import numpy as np
    >>> convolution_matrix(np.array([1, 2]), 2)
    array([[1, 0],
           [2, 1],
           [0, 2]])
    """
    return built(scipy.linalg.convolution_matrix, *vectors_of("convolution_matrix", a), n=n, mode=mode)


@implements(scipy.linalg.leslie)
def leslie(f: ArrayLike, s: ArrayLike) -> Any:
    """The Leslie matrix of fecundities f (n,), its first row, and survivals s (n - 1,), its subdiagonal.

    Raises ValueError if s does not have one entry less than f.

    >>> import numpy as np
    >>> leslie(np.array([1.0, 2.0]), np.array([0.5]))
    array([[1. , 2. ],
           [0.5, 0. ]])
    """
    return built(scipy.linalg.leslie, *vectors_of("leslie", f, s))


@implements(scipy.linalg.diagsvd)
def diagsvd(s: ArrayLike, M: int, N: int) -> Any:
    """The M x N matrix with the diagonal s.

    Raises ValueError unless s has M or N entries.

    >>> import numpy as np
    >>> diagsvd(np.array([1.0, 2.0]), 2, 3)
    array([[1., 0., 0.],
           [0., 2., 0.]])
    """
    return built(scipy.linalg.diagsvd, *vectors_of("diagsvd", s), M=M, N=N)


@implements(scipy.linalg.companion)
def companion(a: ArrayLike) -> Any:
    """The companion matrix of the polynomial sum_k a[k] z^(n - k): its first row is -a[1:] / a[0].

    Raises ValueError for less than two coefficients, and if a[0] is zero.

    >>> import numpy as np
    >>> companion(np.array([1.0, -3.0, 2.0]))
    array([[ 3., -2.],
           [ 1.,  0.]])
    """
    return companion_of("companion", scipy.linalg.companion, a)


@implements(scipy.linalg.fiedler_companion)
def fiedler_companion(a: ArrayLike) -> Any:
    """The pentadiagonal companion matrix of the polynomial sum_k a[k] z^(n - k) (Fiedler 2003).

    Raises ValueError for less than two coefficients, and if a[0] is zero.

    >>> import numpy as np
    >>> fiedler_companion(np.array([1.0, -3.0, 2.0])) + 0.0
    array([[ 3., -2.],
           [ 1.,  0.]])
    """
    return companion_of("fiedler_companion", scipy.linalg.fiedler_companion, a)


@implements(scipy.linalg.fiedler)
def fiedler(a: ArrayLike) -> Any:
    """The matrix |a_i - a_j|.

    >>> import numpy as np
    >>> fiedler(np.array([1.0, 4.0]))
    array([[0., 3.],
           [3., 0.]])
    """
    (a,) = vectors_of("fiedler", a)
    return np.abs(as_column(a) - as_row(a))


@implements(scipy.linalg.block_diag)
def block_diag(*arrs: ArrayLike) -> Any:
    """The block diagonal matrix of matrices; numbers and vectors count as matrices of one row.

    >>> import numpy as np
    >>> block_diag(np.array([[1, 2]]), 3)
    array([[1, 2, 0],
           [0, 0, 3]])
    """
    blocks = promote(*arrs)
    blocks = [x if len(x.shape) > 1 else reshape(x, shape=(1, x.shape[0] if x.shape else 1)) for x in blocks]
    lead = np.broadcast_shapes(*(x.shape[:-2] for x in blocks))
    blocks = [broadcast_to(x, (*lead, *x.shape[-2:])) for x in blocks]
    width, start, rows = sum(x.shape[-1] for x in blocks), 0, []
    for x in blocks:
        m, n = x.shape[-2:]
        index = (*((0, size, 1) for size in lead), (0, m, 1), (start if n else 0, n, 1))
        rows.append(pad(x, shape=(*lead, m, width), index=index))
        start += n
    return rows[0] if len(rows) == 1 else concatenate(*rows, axis=len(lead))


@implements(scipy.linalg.khatri_rao)
def khatri_rao(a: ArrayLike, b: ArrayLike) -> Any:
    """The Kronecker products of the columns of a (..., m, k) and b (..., n, k), as a matrix (..., m n, k).

    Raises ValueError unless both have as many columns.

    >>> import numpy as np
    >>> khatri_rao(np.array([[1, 2]]), np.array([[3, 4], [5, 6]]))
    array([[ 3,  8],
           [ 5, 12]])
    """
    a, b = asarray(a), asarray(b)
    if len(a.shape) < 2 or len(b.shape) < 2 or a.shape[-1] != b.shape[-1]:
        raise ValueError(f"khatri_rao: shapes {a.shape} and {b.shape} were given; wanted (..., m, k) and (..., n, k)")
    (m, k), n = a.shape[-2:], b.shape[-2]
    product = reshape(a, shape=(*a.shape[:-2], m, 1, k)) * reshape(b, shape=(*b.shape[:-2], 1, n, k))
    return reshape(product, shape=(*product.shape[:-3], m * n, k))


def inspected(question: Callable[..., Any], name: str) -> Callable[..., Any]:
    """A question about the values of a matrix, whose answer is no array and has no derivative."""

    @implements(question)
    def ask(a: ArrayLike, **options: Any) -> Any:
        value = concrete_or_raise(
            asarray(a), name, "ask it of a matrix of known values, outside of the traced function"
        )
        return question(value, **options)

    return ask


bandwidth = inspected(scipy.linalg.bandwidth, "the bandwidth of a matrix")
issymmetric = inspected(scipy.linalg.issymmetric, "whether a matrix is symmetric")
ishermitian = inspected(scipy.linalg.ishermitian, "whether a matrix is Hermitian")
