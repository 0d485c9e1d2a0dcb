"""Functions of matrices that are roots of an equation: square root, sign, and the unitary factor of the polar form.

Their derivatives solve Sylvester equations in which the function itself stands, so that those of every order follow.
"""

from __future__ import annotations

from typing import Any

import scipy.linalg

from xform.core.aval import Aval
from xform.numpy.dispatch import ArrayLike, implements
from xform.numpy.linalg.operands import rectangular, square
from xform.ops.contraction.einsum import matmul
from xform.ops.linear_algebra.matrix import Factorization, adjoint, require_matrices, require_square, swap_last
from xform.ops.linear_algebra.solve import solve
from xform.scipy.linalg.stacks import Looped
from xform.scipy.linalg.sylvester import sylvester


class SquareRoot(Factorization, Looped):
    """The principal S with S S = A, and S S_dot + S_dot S = A_dot (Higham 2008, Functions of matrices, section 6.1)."""

    def abstract(self, a: Aval) -> list[Aval]:
        require_square(self.name, a)
        return [a.with_shape(a.shape)]

    def one(self, *matrices: Any, **params: Any) -> list[Any]:
        return [scipy.linalg.sqrtm(*matrices)]

    def pushforward(self, outs: Any, a: Any, a_dot: Any, **params: Any) -> list[Any]:
        (s,) = outs
        return [sylvester(s, s, a_dot)]


class Sign(Factorization, Looped):
    """S with S S = I, S A = A S, and eigenvalues the signs of the real parts of those of A.

    With N = S A, which has the eigenvalues of A with positive real parts, N S_dot + S_dot N = A_dot - S A_dot S (Higham
    2008, Functions of matrices, theorem 5.3).
    """

    def abstract(self, a: Aval) -> list[Aval]:
        require_square(self.name, a)
        return [a.with_shape(a.shape)]

    def one(self, *matrices: Any, **params: Any) -> list[Any]:
        return [scipy.linalg.signm(*matrices)]

    def pushforward(self, outs: Any, a: Any, a_dot: Any, **params: Any) -> list[Any]:
        (s,) = outs
        n = matmul(s, a)
        return [sylvester(n, n, a_dot - matmul(matmul(s, a_dot), s))]


class UnitaryFactor(Factorization, Looped):
    """U with orthonormal columns such that A = U P with a positive semidefinite P, for A (..., m, n), m >= n.

    With W = U^H A_dot, Q P + P Q = W - W^H for the skew-Hermitian Q = U^H U_dot, and

        U_dot = U Q + (A_dot - U W) P^-1

    (Kenney and Laub 1991, Polar decomposition and matrix sign function condition estimates). Singular values may be
    equal, but if one is zero the derivative does not exist, and LinAlgError is raised.
    """

    def abstract(self, a: Aval) -> list[Aval]:
        require_matrices(self.name, a)
        return [a.with_shape(a.shape)]

    def one(self, *matrices: Any, **params: Any) -> list[Any]:
        return [scipy.linalg.polar(*matrices)[0]]

    def pushforward(self, outs: Any, a: Any, a_dot: Any, **params: Any) -> list[Any]:
        (u,) = outs
        w, p = matmul(adjoint(u), a_dot), positive_part(u, a)
        turn = matmul(u, sylvester(p, p, w - adjoint(w)))
        if a.shape[-2] == a.shape[-1]:
            return [turn]
        return [turn + swap_last(solve(swap_last(p), swap_last(a_dot - matmul(u, w))))]


square_root = SquareRoot("sqrtm")
sign = Sign("signm")
unitary_factor = UnitaryFactor("polar_unitary")


def positive_part(u: Any, a: Any) -> Any:
    """P = U^H A, Hermitian without rounding errors."""
    p = matmul(adjoint(u), a)
    return (p + adjoint(p)) * 0.5


@implements(scipy.linalg.sqrtm)
def sqrtm(A: ArrayLike, disp: Any = None, blocksize: Any = None) -> Any:
    """The principal square root of matrices (..., n, n), with derivatives of every order.

    That of a traced real matrix is taken to be real: pass a complex one if it has negative eigenvalues, else ValueError
    is raised. LinAlgError is raised if A is not square, and when it is differentiated at a singular A.

    >>> import numpy as np, xform
    >>> sqrtm(np.diag([4.0, 9.0]))
    array([[2., 0.],
           [0., 3.]])
    >>> xform.grad(lambda A: sqrtm(A)[0, 0])(np.diag([4.0, 9.0])).round(12)
    array([[0.25, 0.  ],
           [0.  , 0.  ]])
    """
    return square_root(square("sqrtm", A))


@implements(scipy.linalg.signm)
def signm(A: ArrayLike, disp: Any = None) -> Any:
    """The sign of matrices (..., n, n), with derivatives of every order.

    LinAlgError is raised if A is not square, and when it is differentiated where an eigenvalue has real part zero.

    >>> import numpy as np
    >>> signm(np.diag([4.0, -9.0])) + 0.0
    array([[ 1.,  0.],
           [ 0., -1.]])
    """
    return sign(square("signm", A))


@implements(scipy.linalg.polar)
def polar(a: ArrayLike, side: str = "right") -> Any:
    """(U, P) with A = U P, or for side "left" A = P U: P positive semidefinite, U with orthonormal columns or rows.

    A is (..., m, n) and U has its shape. Derivatives of every order are finite also where singular values are equal;
    where one is zero LinAlgError is raised, and ValueError for another side.

    >>> import numpy as np, xform
    >>> U, P = polar(np.array([[0.0, -2.0], [3.0, 0.0]]))
    >>> U.round(12) + 0.0
    array([[ 0., -1.],
           [ 1.,  0.]])
    >>> xform.grad(lambda A: polar(A)[0][0, 1])(np.array([[1.0, 0.0], [0.0, 1.0]])).round(12)
    array([[ 0. ,  0.5],
           [-0.5,  0. ]])
    """
    if side not in ("right", "left"):
        raise ValueError(f"polar: side {side!r} was given; wanted 'right' (A = U P) or 'left' (A = P U)")
    matrix = rectangular("polar", a)
    m, n = matrix.shape[-2:]
    u = unitary_factor(matrix) if m >= n else adjoint(unitary_factor(adjoint(matrix)))
    return u, positive_part(u, matrix) if side == "right" else positive_part(adjoint(u), adjoint(matrix))
