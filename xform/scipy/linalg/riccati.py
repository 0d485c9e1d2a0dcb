"""Algebraic Riccati equations: the stabilizing solution X, differentiated implicitly.

The residual F of the equation, with X fixed, moves with the data by F_dot, and dX has to make up for it:

    continuous    A_c^H dX E + E^H dX A_c = -F_dot          discrete    A_c^H dX A_c - E^H dX E = -F_dot

where A_c = A - B K is the closed loop of the gain K: Lyapunov equations in X_dot (Kao and Hennequin 2020, Automatic
differentiation of Sylvester, Lyapunov, and algebraic Riccati equations). The residual is differentiated as it stands.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.linalg

from xform.core.aval import Aval
from xform.core.primitive import Zero, is_zero
from xform.numpy.dispatch import ArrayLike, asarray, has_tracer
from xform.ops.contraction.einsum import matmul
from xform.ops.family import instantiate
from xform.ops.linear_algebra.matrix import adjoint, inexact, require_matrices, require_square, swap_last
from xform.ops.linear_algebra.solve import solve
from xform.scipy.linalg.stacks import Looped, aligned, common_lead
from xform.scipy.linalg.sylvester import discrete_lyapunov, sylvester
from xform.transforms.jvp import jvp


class Riccati(Looped):
    """X for A, E (..., n, n), B, S (..., n, m), Hermitian Q (..., n, n) and R (..., m, m)."""

    def residual(self, x: Any, a: Any, b: Any, q: Any, r: Any, e: Any, s: Any) -> Any:
        raise NotImplementedError

    def gain(self, x: Any, a: Any, b: Any, r: Any, e: Any, s: Any) -> Any:
        raise NotImplementedError

    def correction(self, closed: Any, f_dot: Any) -> Any:
        """dX for E = I and the closed loop given."""
        raise NotImplementedError

    def abstract(self, a: Aval, b: Aval, q: Aval, r: Aval, e: Aval, s: Aval, *, balanced: bool) -> list[Aval]:
        require_square(self.name, a, q, r, e)
        require_matrices(self.name, b, s)
        common_lead(self.name, a, b, q, r, e, s)
        n, m = b.shape[-2:]
        if not a.shape[-1] == q.shape[-1] == e.shape[-1] == n or r.shape[-1] != m or s.shape != b.shape:
            raise ValueError(
                f"{self.name}: a {a}, b {b}, q {q}, r {r}, e {e}, s {s} do not fit; "
                "wanted a, q, e (n, n), b, s (n, m) and r (m, m)"
            )
        return [Aval(a.shape, np.result_type(*(x.dtype for x in (a, b, q, r, e, s))))]

    def jvp(self, primals: Any, tangents: Any, **params: Any) -> tuple[list[Any], list[Any]]:
        x = self(*primals, **params)
        if all(map(is_zero, tangents)):
            return [x], [Zero.like(x)]
        dots = tuple(instantiate(t) for t in tangents)
        _, f_dot = jvp(lambda *data: self.residual(x, *data), tuple(primals), dots)
        a, b, _, r, e, s = primals
        closed = a - matmul(b, self.gain(x, a, b, r, e, s))
        eh = adjoint(e)
        f_dot = divided(solve(eh, f_dot), e)
        return [x], [self.correction(divided(closed, e), f_dot)]


class ContinuousRiccati(Riccati):
    """A^H X E + E^H X A - (E^H X B + S) R^-1 (B^H X E + S^H) + Q = 0."""

    def one(self, *matrices: Any, **params: Any) -> list[Any]:
        a, b, q, r, e, s = matrices
        return [scipy.linalg.solve_continuous_are(a, b, q, r, e, s, balanced=params["balanced"])]

    def gain(self, x: Any, a: Any, b: Any, r: Any, e: Any, s: Any) -> Any:
        return solve(r, matmul(adjoint(b), matmul(x, e)) + adjoint(s))

    def residual(self, x: Any, a: Any, b: Any, q: Any, r: Any, e: Any, s: Any) -> Any:
        half = matmul(adjoint(e), matmul(x, a))
        left = matmul(adjoint(e), matmul(x, b)) + s
        return half + matmul(adjoint(a), matmul(x, e)) - matmul(left, self.gain(x, a, b, r, e, s)) + q

    def correction(self, closed: Any, f_dot: Any) -> Any:
        return sylvester(adjoint(closed), closed, -f_dot)


class DiscreteRiccati(Riccati):
    """A^H X A - E^H X E - (A^H X B + S) (R + B^H X B)^-1 (B^H X A + S^H) + Q = 0."""

    def one(self, *matrices: Any, **params: Any) -> list[Any]:
        a, b, q, r, e, s = matrices
        return [scipy.linalg.solve_discrete_are(a, b, q, r, e, s, balanced=params["balanced"])]

    def gain(self, x: Any, a: Any, b: Any, r: Any, e: Any, s: Any) -> Any:
        bx = matmul(adjoint(b), x)
        return solve(r + matmul(bx, b), matmul(bx, a) + adjoint(s))

    def residual(self, x: Any, a: Any, b: Any, q: Any, r: Any, e: Any, s: Any) -> Any:
        ax = matmul(adjoint(a), x)
        known = matmul(ax, a) - matmul(adjoint(e), matmul(x, e)) + q
        return known - matmul(matmul(ax, b) + s, self.gain(x, a, b, r, e, s))

    def correction(self, closed: Any, f_dot: Any) -> Any:
        return discrete_lyapunov(adjoint(closed), f_dot)


continuous_riccati = ContinuousRiccati("solve_continuous_are")
discrete_riccati = DiscreteRiccati("solve_discrete_are")


def divided(b: Any, a: Any) -> Any:
    """B A^-1."""
    return swap_last(solve(swap_last(a), swap_last(b)))


def hermitian_part(x: Any) -> Any:
    return (x + adjoint(x)) * 0.5


def data(a: Any, b: Any, q: Any, r: Any, e: Any, s: Any) -> list[Any]:
    """All six matrices, E = I and S = 0 where they are not given, Q and R Hermitian."""
    a, b, q, r = (asarray(x) for x in (a, b, q, r))
    e = np.eye(a.shape[-1]) if e is None else asarray(e)
    s = np.zeros(b.shape[-2:]) if s is None else asarray(s)
    a, b, q, r, e, s = aligned(*inexact(a, b, q, r, e, s))
    return [a, b, hermitian_part(q), hermitian_part(r), e, s]


def solve_continuous_are(
    a: ArrayLike,
    b: ArrayLike,
    q: ArrayLike,
    r: ArrayLike,
    e: ArrayLike | None = None,
    s: ArrayLike | None = None,
    balanced: bool = True,
) -> Any:
    """The stabilizing X of A^H X E + E^H X A - (E^H X B + S) R^-1 (B^H X E + S^H) + Q = 0.

    A, Q, E are (n, n), B, S (n, m), R (m, m); Q and R are Hermitian, and the derivative is along Hermitian directions.
    With E the pencil is not `balanced`: SciPy scales it then, but not the E that it goes on with, and is wrong.
    Raises LinAlgError if there is no such X, or E or R is singular; ValueError if shapes do not fit.

    >>> import numpy as np, xform
    >>> one = np.eye(1)
    >>> solve_continuous_are(0 * one, one, one, one).round(12)
    array([[1.]])
    >>> xform.grad(lambda q: solve_continuous_are(0 * one, one, q, one)[0, 0])(one).round(12)
    array([[0.5]])
    """
    balanced = bool(balanced) and e is None
    if not has_tracer((a, b, q, r, e, s), {}):
        return scipy.linalg.solve_continuous_are(a, b, q, r, e, s, balanced=balanced)
    return continuous_riccati(*data(a, b, q, r, e, s), balanced=balanced)


def solve_discrete_are(
    a: ArrayLike,
    b: ArrayLike,
    q: ArrayLike,
    r: ArrayLike,
    e: ArrayLike | None = None,
    s: ArrayLike | None = None,
    balanced: bool = True,
) -> Any:
    """The stabilizing X of A^H X A - E^H X E - (A^H X B + S)(R + B^H X B)^-1 (B^H X A + S^H) + Q = 0.

    A, Q, E are (n, n), B, S (n, m), R (m, m); Q and R are Hermitian, and the derivative is along Hermitian directions.
    With E the pencil is not `balanced`: SciPy scales it then, but not the E that it goes on with, and is wrong.
    Raises LinAlgError if there is no such X, or E is singular; ValueError if shapes do not fit.

    >>> import numpy as np, xform
    >>> one = np.eye(1)
    >>> solve_discrete_are(0 * one, one, one, one).round(12)
    array([[1.]])
    >>> xform.grad(lambda q: solve_discrete_are(0 * one, one, q, one)[0, 0])(one).round(12)
    array([[1.]])
    """
    balanced = bool(balanced) and e is None
    if not has_tracer((a, b, q, r, e, s), {}):
        return scipy.linalg.solve_discrete_are(a, b, q, r, e, s, balanced=balanced)
    return discrete_riccati(*data(a, b, q, r, e, s), balanced=balanced)
