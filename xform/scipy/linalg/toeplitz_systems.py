"""Toeplitz systems: T X = B with T_ij = t_(i - j), solved in O(n^2) by Levinson's recursion.

The 2 n - 1 numbers t_(1 - n), .., t_0, .., t_(n - 1), in this order, represent the matrix: T X is their convolution
with the columns of X, and T^T is represented by the reversed ones.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.linalg

from xform.core.aval import Aval
from xform.numpy.dispatch import ArrayLike, implements
from xform.ops.contraction.labels import LABELS
from xform.ops.convolution.convolve import convolve
from xform.ops.convolution.convolve_kernels import Window
from xform.ops.linear_algebra.matrix import as_row, conj, inexact, require_matrices, swap_last
from xform.ops.linear_algebra.solve import LinearSolve
from xform.ops.stack import asarray
from xform.ops.structure import broadcast_to, concatenate, reshape, slice_
from xform.scipy.linalg.stacks import Looped, columns_of, like_right_side


class ToeplitzSolve(LinearSolve, Looped):
    """T^-1 B for t (..., 1, 2 n - 1) and B (..., n, k); LinAlgError if a leading principal minor is zero."""

    def abstract(self, a: Aval, b: Aval, **params: Any) -> list[Aval]:
        require_matrices(self.name, a, b)
        if a.shape[:-2] != b.shape[:-2] or a.shape[-2:] != (1, max(2 * b.shape[-2] - 1, 0)):
            raise ValueError(f"{self.name}: t {a} and b {b} do not fit; wanted shapes (..., 1, 2 n - 1), (..., n, k)")
        return [Aval(b.shape, np.result_type(a.dtype, b.dtype))]

    def one(self, *matrices: Any, **params: Any) -> list[Any]:
        (t,), b = matrices
        n = len(b)
        return [scipy.linalg.solve_toeplitz((t[n - 1 :], t[n - 1 :: -1]), b)]

    def product(self, a: Any, x: Any, **params: Any) -> Any:
        return toeplitz_product(a, x, x.shape[-2])

    def transposed(self, a: Any, b: Any, **params: Any) -> Any:
        return self(reverse(a), b)


toeplitz_solve = ToeplitzSolve("solve_toeplitz")


def toeplitz_product(t: Any, x: Any, rows: int) -> Any:
    """y_i = sum_j t_(i - j) x_j for i < rows and columns x (..., n, k), the numbers t starting at 1 - n."""
    *lead, n, k = x.shape
    if not (rows and n):
        return np.zeros((*lead, rows, k), np.result_type(t.dtype, x.dtype))
    stack, column = LABELS[: len(lead)], LABELS[len(lead)]
    numbers = reshape(t, shape=(*t.shape[:-2], t.shape[-1]))
    spec = (stack, stack + column, stack + column)
    return swap_last(convolve(numbers, swap_last(x), spec=spec, windows=(Window(1, 1, 1, n - 1, rows),)))


def reverse(x: Any) -> Any:
    """x[..., ::-1]."""
    n = x.shape[-1]
    return slice_(x, index=(*((0, size, 1) for size in x.shape[:-1]), (max(n - 1, 0), n, -1)))


def toeplitz_numbers(name: str, c_or_cr: Any, b: Any) -> tuple[Any, Any]:
    """The row of numbers t of a first column c, or of (c, r) with the first row r, of which r[0] is not read; and b."""
    c, r = map(asarray, c_or_cr) if isinstance(c_or_cr, tuple) else (asarray(c_or_cr), None)
    c, r, b = inexact(c, conj(c) if r is None else r, asarray(b))
    if not (c.shape and r.shape and b.shape):
        raise ValueError(f"{name}: c, r and b of shapes {c.shape}, {r.shape}, {b.shape}; wanted vectors c and r")
    lead = np.broadcast_shapes(c.shape[:-1], r.shape[:-1])
    c, r = (broadcast_to(x, (*lead, x.shape[-1])) for x in (c, r))
    above = slice_(reverse(r), index=(*((0, size, 1) for size in lead), (0, max(r.shape[-1] - 1, 0), 1)))
    return as_row(concatenate(above, c, axis=len(lead))), b


@implements(scipy.linalg.solve_toeplitz)
def solve_toeplitz(c_or_cr: Any, b: ArrayLike, check_finite: bool = True) -> Any:
    """The solution X of T X = B for the Toeplitz matrix T of first column c and first row r, by Levinson's recursion.

    `c_or_cr` is c (n,), with r = conj(c), or the tuple (c, r); B is (n,) or (n, k). Leading axes broadcast. Raises
    LinAlgError if a leading principal minor of T is zero, and ValueError if shapes do not fit.

    >>> import numpy as np, xform
    >>> b = np.array([5.0, 4.0])
    >>> solve_toeplitz(np.array([2.0, 1.0]), b)
    array([2., 1.])
    >>> xform.grad(lambda c: solve_toeplitz(c, b)[0])(np.array([2.0, 1.0])).round(12) + 0.0
    array([-1.,  0.])
    """
    t, b = toeplitz_numbers("solve_toeplitz", c_or_cr, b)
    columns = columns_of(b)
    lead = np.broadcast_shapes(t.shape[:-2], columns.shape[:-2])
    t, columns = (broadcast_to(x, (*lead, *x.shape[-2:])) for x in (t, columns))
    return like_right_side(toeplitz_solve(t, columns), b)


@implements(scipy.linalg.matmul_toeplitz)
def matmul_toeplitz(c_or_cr: Any, x: ArrayLike, check_finite: bool = False, workers: int | None = None) -> Any:
    """T X for the Toeplitz matrix T (m, n) of first column c (m,) and first row r (n,), and X (n,) or (n, k).

    `c_or_cr` is c, with r = conj(c), or the tuple (c, r). Raises ValueError if shapes do not fit.

    >>> import numpy as np
    >>> matmul_toeplitz((np.array([1.0, 2.0]), np.array([1.0, 3.0, 4.0])), np.array([1.0, 1.0, 1.0])).round(9)
    array([8., 6.])
    """
    t, x = toeplitz_numbers("matmul_toeplitz", c_or_cr, x)
    columns = columns_of(x)
    rows = t.shape[-1] - columns.shape[-2] + 1
    sizes = c_or_cr if isinstance(c_or_cr, tuple) else (c_or_cr, c_or_cr)
    if asarray(sizes[1]).shape[-1] != columns.shape[-2]:
        raise ValueError(
            f"matmul_toeplitz: a matrix with {asarray(sizes[1]).shape[-1]} columns and x of shape {x.shape}"
        )
    return like_right_side(toeplitz_product(t, columns, rows), x)
