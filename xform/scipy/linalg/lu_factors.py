"""LU factorisation with partial pivoting, P A = L U, and what is solved with it.

Where L and U are completed to regular square matrices by columns and rows of the identity,

    X = L^-1 P A_dot U^-1,    L_dot = L tril(X, -1),    U_dot = triu(X) U

(de Hoog, Anderssen and Lukas 2011, Differentiation of matrix functionals using triangular factorization). L has a
diagonal of ones, so that its strict lower triangle and U share one array.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.linalg

from xform.core.aval import Aval
from xform.core.primitive import Zero
from xform.numpy.dispatch import ArrayLike, implements
from xform.numpy.linalg.operands import rectangular
from xform.ops.contraction.einsum import matmul
from xform.ops.family import Discrete
from xform.ops.indexing.index import take_along_axis
from xform.ops.linear_algebra.matrix import (
    Factorization,
    as_column,
    as_row,
    conj,
    inexact,
    lower,
    real_dtype,
    require_matrices,
    swap_last,
    upper,
)
from xform.ops.linear_algebra.solve import triangular_solve
from xform.ops.sorting import argsort
from xform.ops.stack import asarray
from xform.ops.structure import convert, pad, slice_
from xform.scipy.linalg.stacks import Looped, columns_of, like_right_side


class LU(Factorization, Looped):
    """The array of L and U, and LAPACK's pivots: at step i, rows i and pivots[i] were exchanged."""

    def abstract(self, a: Aval) -> list[Aval]:
        require_matrices("lu", a)
        return [a.with_shape(a.shape), Aval((*a.shape[:-2], min(a.shape[-2:])), np.dtype(np.int32))]

    def one(self, *matrices: Any, **params: Any) -> list[Any]:
        (getrf,) = scipy.linalg.get_lapack_funcs(("getrf",), matrices)
        return list(getrf(*matrices)[:2])

    def pushforward(self, outs: Any, a: Any, a_dot: Any, **params: Any) -> list[Any]:
        packed, pivots = outs
        m, n = a.shape[-2:]
        left, right = fitted(packed, m, m), fitted(packed, n, n) + np.diag(np.arange(n) >= m).astype(a.dtype)
        moved = take_along_axis(a_dot, as_column(permutation(pivots, count=m)), -2)
        x = triangular_solve(left, moved, lower=True, unit_diagonal=True)
        x = swap_last(triangular_solve(swap_last(right), swap_last(x), lower=True, unit_diagonal=False))
        l_dot = matmul(unit_lower(left), lower(x, -1))
        return [l_dot + matmul(upper(x), upper(right)), Zero.like(pivots)]

    def sparsity(self, patterns: Any, avals: Any, **params: Any) -> list[Any]:
        return [super().sparsity(patterns, avals, **params)[0], None]


class Permutation(Discrete):
    """The order of `count` rows after the exchanges of pivots (..., k): (P A)[i] = A[permutation[i]]."""

    def abstract(self, pivots: Aval, *, count: int) -> list[Aval]:
        return [Aval((*pivots.shape[:-1], count), np.dtype(np.int64))]

    def numpy(self, pivots: Any, *, count: int) -> list[Any]:
        order = np.broadcast_to(np.arange(count), (*pivots.shape[:-1], count)).copy()
        for i in range(pivots.shape[-1]):
            here, there = order[..., i : i + 1].copy(), np.asarray(pivots[..., i : i + 1], np.intp)
            order[..., i : i + 1] = np.take_along_axis(order, there, -1)
            np.put_along_axis(order, there, here, -1)
        return [order]

    def batch(self, size: int, args: Any, batched: Any, **params: Any) -> list[Any]:
        return self.bind(*args, **params)


lu_factors = LU("lu")
permutation = Permutation("lu_pivots_to_permutation")


def fitted(x: Any, m: int, n: int) -> Any:
    """The leading m x n entries of matrices, zeros where they have none."""
    whole = tuple((0, size, 1) for size in x.shape[:-2])
    region = (*whole, (0, min(m, x.shape[-2]), 1), (0, min(n, x.shape[-1]), 1))
    return pad(slice_(x, index=region), shape=(*x.shape[:-2], m, n), index=region)


def unit_lower(packed: Any) -> Any:
    """The strict lower triangle and a diagonal of ones."""
    return lower(packed, -1) + np.eye(*packed.shape[-2:], dtype=packed.dtype)


@implements(scipy.linalg.lu_factor)
def lu_factor(a: ArrayLike, overwrite_a: bool = False, check_finite: bool = True) -> Any:
    """(lu, piv) with P A = L U for A (..., m, n): U above and L below the diagonal, which is that of U.

    At step i, rows i and piv[i] were exchanged. If A is singular the factors exist, but differentiating them raises
    LinAlgError.

    >>> import numpy as np
    >>> lu, piv = lu_factor(np.array([[1.0, 2.0], [2.0, 8.0]]))
    >>> lu
    array([[ 2. ,  8. ],
           [ 0.5, -2. ]])
    >>> piv
    array([1, 1], dtype=int32)
    """
    return tuple(lu_factors.bind(rectangular("lu_factor", a)))


@implements(scipy.linalg.lu)
def lu(
    a: ArrayLike,
    permute_l: bool = False,
    overwrite_a: bool = False,
    check_finite: bool = True,
    p_indices: bool = False,
) -> Any:
    """(P, L, U) with A = P L U for A (..., m, n), L having k = min(m, n) columns and U as many rows.

    With `permute_l` it is (P L, U); with `p_indices` the first result are indices p such that A = L[p] U. If A is
    singular the factors exist, but differentiating them raises LinAlgError.

    >>> import numpy as np, xform
    >>> p, l, u = lu(np.array([[1.0, 2.0], [2.0, 8.0]]))
    >>> l
    array([[1. , 0. ],
           [0.5, 1. ]])
    >>> xform.grad(lambda a: lu(a)[2][1, 1])(np.array([[1.0, 2.0], [2.0, 8.0]]))
    array([[-4. ,  1. ],
           [ 2. , -0.5]])
    """
    a = rectangular("lu", a)
    packed, pivots = lu_factors.bind(a)
    m, n = a.shape[-2:]
    left, right = unit_lower(fitted(packed, m, min(m, n))), upper(fitted(packed, min(m, n), n))
    order = permutation(pivots, count=m)
    if permute_l:
        return take_along_axis(left, as_column(inverse_order(order)), -2), right
    if p_indices:
        return convert(inverse_order(order), dtype=pivots.dtype), left, right
    p = convert(np.equal(np.arange(m)[:, None], as_row(order)), dtype=real_dtype(a.dtype))
    return p, left, right


def inverse_order(order: Any) -> Any:
    """The permutation that undoes another."""
    return argsort(order, axis=len(order.shape) - 1, stable=False)


@implements(scipy.linalg.lu_solve)
def lu_solve(
    lu_and_piv: Any, b: ArrayLike, trans: int = 0, overwrite_b: bool = False, check_finite: bool = True
) -> Any:
    """The solution X of A X = B (of A^T X = B, A^H X = B for `trans` 1, 2) from (lu, piv) of `lu_factor`.

    B is (n,) or (..., n, k). Raises LinAlgError if A is singular, and ValueError if shapes do not fit or for another
    `trans`.

    >>> import numpy as np
    >>> lu_solve(lu_factor(np.array([[1.0, 2.0], [2.0, 8.0]])), np.array([3.0, 10.0]))
    array([1., 1.])
    """
    packed, right = inexact(asarray(lu_and_piv[0]), asarray(b))
    if trans not in (0, 1, 2):
        raise ValueError(f"lu_solve: trans {trans!r} was given; wanted 0 (A X = B), 1 (A^T X = B) or 2 (A^H X = B)")
    columns = columns_of(right)
    if packed.shape[-2] != packed.shape[-1] or columns.shape[-2] != packed.shape[-1]:
        raise ValueError(f"lu_solve: lu of shape {packed.shape} and b of shape {right.shape} do not fit")
    order = permutation(asarray(lu_and_piv[1]), count=packed.shape[-1])
    if trans == 0:
        x = factor_solve(packed, rows(columns, order), False)
    else:
        packed = conj(packed) if trans == 2 else packed
        x = rows(factor_solve(packed, columns, True), inverse_order(order))
    return like_right_side(x, right)


def rows(x: Any, order: Any) -> Any:
    """The rows of matrices in an order per matrix, leading axes broadcasting."""
    return take_along_axis(x, as_column(order), -2)


def factor_solve(packed: Any, b: Any, transposed: bool) -> Any:
    """L U X = B, or (L U)^T X = B."""
    if transposed:
        packed = swap_last(packed)
    first = triangular_solve.broadcast(packed, b, lower=True, unit_diagonal=not transposed)
    return triangular_solve.broadcast(packed, first, lower=False, unit_diagonal=transposed)
