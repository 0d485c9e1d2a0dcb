"""Equations A X = B, inverses and pseudoinverses."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.linalg import LinAlgError
from numpy.typing import ArrayLike

from xform.core.trace import concrete
from xform.numpy.dispatch import asarray, implements
from xform.numpy.linalg.operands import rectangular, square
from xform.numpy.norms import sum_of_squares
from xform.ops.contraction.einsum import matmul
from xform.ops.linear_algebra import pseudoinverse
from xform.ops.linear_algebra import solve as equations
from xform.ops.linear_algebra.matrix import as_column, inexact
from xform.ops.structure import broadcast_to, reshape, transpose

__all__ = ["inv", "lstsq", "pinv", "solve", "tensorinv", "tensorsolve"]


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
    """A^-1, with Y_dot = -Y A_dot Y. Raises LinAlgError if A is singular or not square.

    >>> import numpy as np, xform
    >>> xform.jvp(inv, (2 * np.eye(2),), (np.ones((2, 2)),))[1]
    array([[-0.25, -0.25],
           [-0.25, -0.25]])
    """
    return equations.inv(square("inv", a), strict=True)


@implements(np.linalg.pinv)
def pinv(a: ArrayLike, rcond: Any = None, hermitian: bool = False, *, rtol: Any = np._NoValue) -> Any:
    """The pseudoinverse A^+ of Moore and Penrose, (..., n, m) for A (..., m, n).

    Singular values up to `rtol` (or `rcond`; by default 1e-15, with rtol=None max(m, n) eps) times the largest one
    count as zero. While the rank so found does not change, the derivative exists at every rank:

        P_dot = -P A_dot P + P P^H A_dot^H (I - A P) + (I - P A) A_dot^H P^H P

    With `hermitian` only the lower triangle of A is read, and the derivative is that of a function of Hermitian
    matrices. Raises ValueError if both `rcond` and `rtol` are given, LinAlgError if A is not a matrix, or not finite.

    Source: Golub and Pereyra 1973, The differentiation of pseudo-inverses and nonlinear least squares problems whose
    variables separate.

    >>> import numpy as np, xform
    >>> xform.jvp(pinv, (np.array([[2.0], [0.0]]),), (np.array([[0.0], [1.0]]),))[1]
    array([[0.  , 0.25]])
    """
    if rcond is not None and rtol is not np._NoValue:
        raise ValueError("`rtol` and `rcond` can't be both set.")
    matrix = rectangular("pinv", a)
    if matrix.size == 0:
        return reshape(matrix, shape=(*matrix.shape[:-2], *matrix.shape[:-3:-1]))
    if hermitian:
        matrix = pseudoinverse.hermitian_part(square("pinv", matrix))
    if rcond is None and rtol is None:
        rcond = max(matrix.shape[-2:]) * np.finfo(asarray(a).dtype).eps
    elif rcond is None:
        rcond = 1e-15 if rtol is np._NoValue else rtol
    (fraction,) = inexact(asarray(rcond))
    fraction = broadcast_to(fraction, matrix.shape[:-2])
    return pseudoinverse.truncated_pinv(matrix, as_column(as_column(fraction)), bool(hermitian))


@implements(np.linalg.lstsq)
def lstsq(a: ArrayLike, b: ArrayLike, rcond: Any = None) -> Any:
    """The shortest x that minimises |A x - b|, for A (m, n) and b (m,) or (m, k), as (x, residuals, rank, s).

    The singular values s of A up to `rcond` (None: max(m, n) eps; -1: the precision) times the largest one count as
    zero. While the rank so found does not change, the derivative exists at every rank; it is that of A^+ b (see
    `pinv`). The residuals are |A x - b|^2 for each column of b, but none where A has rank < n or m <= n. Where values
    are not known (in jit and vmap) the shape cannot depend on the rank, and there is one for each column if m > n.

    Raises LinAlgError if A is not a matrix, or the number of rows differs.

    >>> import numpy as np, xform
    >>> A, b = np.array([[1.0], [1.0]]), np.array([1.0, 3.0])
    >>> x, residuals, rank, s = lstsq(A, b)
    >>> x.round(12), residuals.round(12), int(rank)
    (array([2.]), array([2.]), 1)
    >>> xform.jacobian(lambda b: lstsq(A, b)[0])(b).round(12)
    array([[0.5, 0.5]])
    """
    matrix, right = inexact(asarray(a), asarray(b))
    column = as_column(right) if len(right.shape) == 1 else right
    for x in (matrix, column):
        if len(x.shape) != 2:
            raise LinAlgError(
                f"lstsq: {len(x.shape)}-dimensional array given. Array must be two-dimensional; "
                "map over leading axes with vmap"
            )
    m, n = matrix.shape
    if rcond is None:
        rcond = max(m, n) * np.finfo(np.float64).eps
    x, rank, s = pseudoinverse.truncated_lstsq(matrix, column, float(rcond))
    known = concrete(rank)
    if m <= n or (known is not None and known != n):
        residuals: Any = np.zeros(0, s.dtype)
    else:
        residuals = sum_of_squares(column - matmul(matrix, x), (0,))
    return reshape(x, shape=(n, *right.shape[1:])), residuals, rank, s


@implements(np.linalg.tensorsolve)
def tensorsolve(a: ArrayLike, b: ArrayLike, axes: Sequence[int] | None = None) -> Any:
    """The x with tensordot(a, x, x.ndim) = b, for an `a` of shape b.shape + x.shape, its `axes` moved to the end first.

    Raises LinAlgError if b.size and x.size differ, or the equation is singular.

    >>> import numpy as np
    >>> a = np.eye(4).reshape(2, 2, 4)
    >>> tensorsolve(a, np.array([[1.0, 2.0], [3.0, 4.0]]))
    array([1., 2., 3., 4.])
    """
    tensor, right = asarray(a), asarray(b)
    ndim = len(tensor.shape)
    if axes is not None:
        order = list(range(ndim))
        for k in axes:
            order.remove(k)
            order.insert(ndim, k)
        tensor = transpose(tensor, permutation=tuple(order))
    shape = tensor.shape[-(ndim - len(right.shape)) :]
    size = math.prod(shape)
    if tensor.size != size**2:
        raise LinAlgError(
            f"tensorsolve: a has shape {tensor.shape} and b {right.shape}; "
            "wanted prod(a.shape[b.ndim:]) == prod(a.shape[:b.ndim])"
        )
    x = solve(reshape(tensor, shape=(size, size)), reshape(right, shape=(math.prod(right.shape),)))
    return reshape(x, shape=shape)


@implements(np.linalg.tensorinv)
def tensorinv(a: ArrayLike, ind: int = 2) -> Any:
    """The inverse of the map tensordot(a, ., ndim - ind): its first axes are the last of `a`, and its last the first.

    Raises ValueError unless ind > 0, LinAlgError unless the first `ind` axes have as many entries as the others.

    >>> import numpy as np
    >>> tensorinv(2 * np.eye(4).reshape(4, 2, 2), ind=1).shape
    (2, 2, 4)
    """
    if ind <= 0:
        raise ValueError(f"Invalid ind argument: {ind}; wanted the positive number of axes in front")
    tensor = asarray(a)
    first, last = tensor.shape[:ind], tensor.shape[ind:]
    size = math.prod(last)
    if size == 0:
        raise ValueError(f"tensorinv: an array of shape {tensor.shape} given; wanted one with entries")
    matrix = reshape(tensor, shape=(size, tensor.size // size))
    return reshape(inv(matrix), shape=(*last, *first))
