"""The QR factorisation as LAPACK keeps it: R, and the reflections of which Q is the product.

    Q = H_1 H_2 ... H_k,    H_i = I - tau_i v_i v_i^H,    v_i = (0, .., 0, 1, entries below)

The vectors, as the columns of a unit lower trapezoidal Y, and the tau come back from Q by an LU factorisation without
pivoting, E - Q = Y U with diag(U) = tau and E the leading columns of I (Ballard et al. 2014, Reconstructing Householder
vectors from tall-skinny QR). So their derivatives are those of L and U of that factorisation:

    Z = -Q_dot U^-1,    X = Y_1^-1 Z_1,    Y_dot = Z - Y triu(X),    tau_dot = diag(X) * tau

where Y_1, Z_1 are the leading square blocks.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from xform.core.aval import Aval
from xform.ops.contraction.einsum import matmul
from xform.ops.linear_algebra.factor import divide_right, qr
from xform.ops.linear_algebra.matrix import Factorization, diagonal, lower, require_matrices, upper
from xform.ops.linear_algebra.solve import triangular_solve
from xform.ops.structure import pad, slice_


class Reflections(Factorization):
    """R on and above the diagonal of an m x n matrix, the vectors below it, and tau, for A (..., m, n).

    LinAlgError, when it is differentiated, if the first min(m, n) columns of A are dependent, or if one of them needs
    no reflection, where the choice of the sign of R jumps.
    """

    def abstract(self, a: Aval) -> list[Aval]:
        require_matrices("qr", a)
        return [a.with_shape(a.shape), a.with_shape((*a.shape[:-2], min(a.shape[-2:])))]

    def numpy(self, a: Any) -> list[Any]:
        packed, tau = np.linalg.qr(a, mode="raw")
        return [np.swapaxes(packed, -1, -2), tau]

    def pushforward(self, outs: Any, a: Any, a_dot: Any) -> list[Any]:
        m, n = a.shape[-2:]
        factors = qr.bind(a, complete=False)
        q_dot, r_dot = qr.pushforward(factors, a, a_dot, complete=False)
        count = reflected(m, n, a.dtype)
        q, q_dot, packed = (leading(x, m, count) for x in (factors[0], q_dot, outs[0]))
        y_dot, tau_dot = reflections_dot(q, q_dot, packed, leading(outs[1], count))
        return [padded(y_dot, a.shape) + padded(r_dot, a.shape), padded(tau_dot, outs[1].shape)]


def reflected(m: int, n: int, dtype: np.dtype) -> int:
    """How many columns are reflected: the last row of a real matrix is left as it is."""
    return max(m - 1, 0) if m <= n and dtype.kind == "f" else min(m, n)


def reflections_dot(q: Any, q_dot: Any, packed: Any, tau: Any) -> tuple[Any, Any]:
    """Y_dot and tau_dot; of `packed` the columns of Y are read, below the diagonal."""
    m, k = q.shape[-2:]
    identity = np.eye(m, k, dtype=q.dtype)
    top = leading(packed, k, k)
    u = triangular_solve(top, leading(identity - q, k, k), lower=True, unit_diagonal=True)
    z = divide_right(-q_dot, u)
    x = triangular_solve(top, leading(z, k, k), lower=True, unit_diagonal=True)
    y_dot = z - matmul(lower(packed, -1) + identity, upper(x))
    return lower(y_dot, -1), diagonal(x) * tau


def leading(x: Any, *sizes: int) -> Any:
    """The leading entries along the last axes."""
    lead = x.shape[: len(x.shape) - len(sizes)]
    return slice_(x, index=tuple((0, size, 1) for size in (*lead, *sizes)))


def padded(x: Any, shape: tuple[int, ...]) -> Any:
    """Zeros added behind: the transpose of `leading`."""
    return pad(x, shape=shape, index=tuple((0, size, 1) for size in x.shape))


geqrf = Reflections("geqrf")
