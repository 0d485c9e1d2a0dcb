"""Functions of matrices, and their derivatives of every order.

The mixed derivative D_k f(A)[E_1, .., E_k] of a function of a matrix is a block of the same function at a larger one,

    X_0 = A,   X_j = [[X_(j-1), I x E_j], [0, X_(j-1)]],   f(X_k) = [[.., D_k f(A)[E_1, .., E_k]], [0, ..]]

in the upper right corner (Mathias 1996, A chain rule for matrix functions and applications; Higham and Relton 2014,
Higher order Frechet derivatives of matrix functions and the level-2 condition number). So one implementation of f gives
all of them, at defective matrices too. The family f(A, E_1, .., E_k) = D_k f(A)[E_1, .., E_k] is closed: its derivative
in A is the member with one direction more, and since f(A) is a power series, transposing it in a direction is

    <Z, D_k f(A)[.., E, ..]> = <D_k f(A^T)[.. Z ..], E>    with the other directions transposed as well.

A Taylor series of f(A(t)) is the first row of blocks of f at the block Toeplitz matrix of the coefficients of A(t).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from xform.core.aval import Aval
from xform.core.errors import NonlinearError
from xform.core.primitive import Linear, Zero, is_zero
from xform.core.series import Series
from xform.ops.family import instantiate, total
from xform.ops.linear_algebra.matrix import require_square, swap_last
from xform.ops.structure import concatenate, slice_
from xform.scipy.linalg.stacks import Looped, common_lead


class MatrixFunction(Looped):
    """f(A), and for directions E_1, .., E_k the k-th derivative of f at A in these; a member writes `value`.

    A derivative of order k is a function of a matrix of order 2^k n.
    """

    def value(self, a: np.ndarray, **params: Any) -> Any:
        """f of one matrix."""
        raise NotImplementedError

    def abstract(self, a: Aval, *directions: Aval, **params: Any) -> list[Aval]:
        require_square(self.name, a, *directions)
        common_lead(self.name, a, *directions)
        return [Aval(a.shape, np.result_type(a.dtype, *(e.dtype for e in directions)))]

    def one(self, *matrices: Any, **params: Any) -> list[Any]:
        a, *directions = matrices
        return [self.derivative(a, directions, **params) if directions else self.value(a, **params)]

    def derivative(self, a: Any, directions: Any, **params: Any) -> Any:
        """Linear in each direction, which is scaled to the size of A so that it does not swamp it."""
        size, scale, n = np.linalg.norm(a, 1) or 1.0, 1.0, len(a)
        x = a
        for e in directions:
            norm = np.linalg.norm(e, 1)
            if norm == 0 or not np.isfinite(norm):
                return e * 0 + np.zeros_like(a)
            scale = scale * (norm / size)
            x = bordered(x, e * (size / norm))
        return scale * self.value(x, **params)[:n, -n:]

    def jvp(self, primals: Any, tangents: Any, **params: Any) -> tuple[list[Any], list[Any]]:
        (a, *directions), (a_dot, *dots) = primals, tangents
        out = self(*primals, **params)
        terms = [] if is_zero(a_dot) else [self(*primals, a_dot, **params)]
        for k, e_dot in enumerate(dots):
            if not is_zero(e_dot):
                terms.append(self(a, *directions[:k], e_dot, *directions[k + 1 :], **params))
        return [out], [total(terms) if terms else Zero.like(out)]

    def transpose(self, cotangents: Any, a: Any, *directions: Any, **params: Any) -> list[Any]:
        unknown = [k for k, e in enumerate(directions) if type(e) is Linear]
        if type(a) is Linear or len(unknown) != 1:
            raise NonlinearError(f"'{self.name}' is linear in each of its directions alone; differentiate it with vjp")
        (k,) = unknown
        others = [cotangents[0] if i == k else swap_last(e) for i, e in enumerate(directions)]
        bar = self(swap_last(a), *others, **params)
        return [None, *(bar if i == k else None for i in range(len(directions)))]

    def jet(self, series: Any, apply: Any, **params: Any) -> list[Any]:
        if len(series) > 1:
            return super().jet(series, apply, **params)
        (a,) = series

        def term(k: int) -> Any:
            if k and all(is_zero(a[m]) for m in range(1, k + 1)):
                return Zero.like(a[0])
            return last_block(self(block_toeplitz([instantiate(a[m]) for m in range(k + 1)]), **params), a[0].shape)

        return [Series(term)]


def bordered(x: np.ndarray, e: np.ndarray) -> np.ndarray:
    """[[X, I x E], [0, X]]."""
    copies = np.kron(np.eye(len(x) // len(e), dtype=e.dtype), e)
    return np.block([[x, copies], [np.zeros_like(x), x]])


def block_toeplitz(coefficients: list[Any]) -> Any:
    """The upper triangular block matrix with coefficient k in the k-th block diagonal."""
    axis, count = len(coefficients[0].shape) - 1, len(coefficients)
    zeros = np.zeros(coefficients[0].shape, coefficients[0].dtype)
    rows = [joined([*[zeros] * i, *coefficients[: count - i]], axis) for i in range(count)]
    return joined(rows, axis - 1)


def joined(parts: list[Any], axis: int) -> Any:
    return parts[0] if len(parts) == 1 else concatenate(*parts, axis=axis)


def last_block(x: Any, shape: tuple[int, ...]) -> Any:
    """The last block of the first row of blocks."""
    *lead, n, _ = shape
    if x.shape[-1] == n:
        return x
    whole = tuple((0, size, 1) for size in lead)
    return slice_(x, index=(*whole, (0, n, 1), (x.shape[-1] - n, n, 1)))
