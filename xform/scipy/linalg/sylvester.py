"""Sylvester's equation A X + X B = C and its relatives.

It is linear in C, and its transpose A^T C_bar + C_bar B^T = X_bar is one of its kind; from

    A X_dot + X_dot B = C_dot - A_dot X - X B_dot

its derivatives are as well (Kao and Hennequin 2020, Automatic differentiation of Sylvester, Lyapunov, and algebraic
Riccati equations). So the family is closed, and derivatives of every order follow.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.linalg
from numpy.linalg import LinAlgError

from xform.core.aval import Aval
from xform.core.errors import NonlinearError
from xform.core.primitive import Linear, Zero, is_zero
from xform.core.series import Series
from xform.numpy.dispatch import ArrayLike, implements
from xform.ops.contraction.einsum import matmul
from xform.ops.family import total
from xform.ops.linear_algebra.matrix import adjoint, conj, inexact, require_matrices, require_square, swap_last
from xform.ops.linear_algebra.solve import solve
from xform.ops.stack import asarray
from xform.ops.structure import reshape
from xform.scipy.linalg.stacks import Looped, aligned, common_lead

#: up to this order the discrete Lyapunov equation is solved as one linear system, as in SciPy
DIRECT_ORDER = 9


class Sylvester(Looped):
    """X with A X + X B = C, by Schur forms of A and B; LinAlgError if A and -B have a common eigenvalue."""

    def abstract(self, a: Aval, b: Aval, c: Aval) -> list[Aval]:
        require_square(self.name, a, b)
        require_matrices(self.name, c)
        lead, wanted = common_lead(self.name, a, b, c), (a.shape[-1], b.shape[-1])
        if c.shape[-2:] != wanted:
            raise ValueError(f"{self.name}: a {a}, b {b} and q {c} do not fit; wanted q of shape (..., m, n)")
        return [Aval((*lead, *wanted), np.result_type(a.dtype, b.dtype, c.dtype))]

    def one(self, a: Any, b: Any, c: Any) -> list[Any]:
        output = "complex" if np.result_type(a, b, c).kind == "c" else "real"
        r, u = scipy.linalg.schur(a, output=output)[:2]
        s, v = scipy.linalg.schur(b.conj().T, output=output)[:2]
        f = u.conj().T @ c @ v
        (trsyl,) = scipy.linalg.get_lapack_funcs(("trsyl",), (r, s, f))
        y, scale, info = trsyl(r, s, f, tranb="C")
        if info:
            raise LinAlgError(
                f"{self.name}: A X + X B = C with A and -B of a common eigenvalue has no unique solution; "
                "wanted matrices of which no sum of eigenvalues is zero (a derivative that leads here does not exist)"
            )
        return [u @ (y / scale) @ v.conj().T]

    def jvp(self, primals: Any, tangents: Any) -> tuple[list[Any], list[Any]]:
        (a, b, c), (a_dot, b_dot, c_dot) = primals, tangents
        x = self(a, b, c)
        right = total([c_dot, *moved(a_dot, b_dot, x)])
        return [x], [Zero.like(x) if is_zero(right) else self(a, b, right)]

    def transpose(self, cotangents: Any, a: Any, b: Any, c: Any) -> list[Any]:
        if type(a) is Linear or type(b) is Linear:
            raise NonlinearError(f"'{self.name}' is linear in its third argument only; differentiate it with vjp")
        return [None, None, self(swap_last(a), swap_last(b), cotangents[0])]

    def jet(self, series: Any, apply: Any) -> list[Any]:
        """A[0] X[k] + X[k] B[0] = C[k] - sum_{m > 0} (A[m] X[k - m] + X[k - m] B[m])."""
        a, b, c = series

        def term(k: int) -> Any:
            if k == 0:
                return self(a[0], b[0], c[0])
            known = [y for m in range(1, k + 1) if not is_zero(x[k - m]) for y in moved(a[m], b[m], x[k - m])]
            right = total([c[k], *known])
            return Zero.like(x[0]) if is_zero(right) else self(a[0], b[0], right)

        x = Series(term)
        return [x]


def moved(a: Any, b: Any, x: Any) -> list[Any]:
    """The terms -A X and -X B that are not zero."""
    left = [] if is_zero(a) else [matmul(a, -x)]
    return left if is_zero(b) else [*left, matmul(-x, b)]


sylvester = Sylvester("solve_sylvester")


@implements(scipy.linalg.solve_sylvester)
def solve_sylvester(a: ArrayLike, b: ArrayLike, q: ArrayLike) -> Any:
    """The solution X of A X + X B = Q, for A (..., m, m), B (..., n, n) and Q (..., m, n).

    Raises LinAlgError if A and -B have a common eigenvalue, in which case SciPy gives the solution of a nearby equation
    for plain arrays, and ValueError if shapes do not fit.

    >>> import numpy as np, xform
    >>> A, B, Q = np.diag([1.0, 2.0]), np.array([[1.0]]), np.array([[4.0], [3.0]])
    >>> solve_sylvester(A, B, Q).ravel()
    array([2., 1.])
    >>> xform.grad(lambda B: solve_sylvester(A, B, Q).sum())(B).round(12)
    array([[-1.33333333]])
    """
    return sylvester(*aligned(*inexact(asarray(a), asarray(b), asarray(q))))


@implements(scipy.linalg.solve_continuous_lyapunov)
def solve_continuous_lyapunov(a: ArrayLike, q: ArrayLike) -> Any:
    """The solution X of A X + X A^H = Q, for A and Q (..., n, n).

    Raises LinAlgError if the sum of an eigenvalue of A and the conjugate of another is zero.

    >>> import numpy as np
    >>> solve_continuous_lyapunov(np.diag([1.0, 3.0]), np.eye(2)).round(6)
    array([[0.5     , 0.      ],
           [0.      , 0.166667]])
    """
    a, q = aligned(*inexact(asarray(a), asarray(q)))
    return sylvester(a, adjoint(a), q)


@implements(scipy.linalg.solve_discrete_lyapunov)
def solve_discrete_lyapunov(a: ArrayLike, q: ArrayLike, method: str | None = None) -> Any:
    """The solution X of A X A^H - X + Q = 0, for A and Q (..., n, n).

    `method` is "direct" (a linear system of n^2 equations), "bilinear" (B = (A^H - I)(A^H + I)^-1 makes it a continuous
    Lyapunov equation), or None for what suits n. Raises LinAlgError if the product of an eigenvalue of A and the
    conjugate of another is one, and ValueError for another method.

    >>> import numpy as np
    >>> solve_discrete_lyapunov(np.diag([0.5, 0.0]), np.eye(2)).round(6) + 0.0
    array([[1.333333, 0.      ],
           [0.      , 1.      ]])
    """
    a, q = aligned(*inexact(asarray(a), asarray(q)))
    require_square("solve_discrete_lyapunov", a, q)
    if method not in (None, "direct", "bilinear"):
        raise ValueError(f"solve_discrete_lyapunov: method {method!r} was given; wanted 'direct', 'bilinear' or None")
    return discrete_lyapunov(a, q, method)


def discrete_lyapunov(a: Any, q: Any, method: str | None = None) -> Any:
    """The same for matrices of the same leading axes."""
    if method == "direct" or (method is None and a.shape[-1] <= DIRECT_ORDER):
        return discrete_lyapunov_direct(a, q)
    return discrete_lyapunov_bilinear(a, q)


def discrete_lyapunov_direct(a: Any, q: Any) -> Any:
    """(I - A x conj(A)) vec X = vec Q, where x is Kronecker's product and vec takes the rows."""
    *lead, n, _ = a.shape
    product = reshape(a, shape=(*lead, n, 1, n, 1)) * reshape(conj(a), shape=(*lead, 1, n, 1, n))
    system = np.eye(n * n, dtype=a.dtype) - reshape(product, shape=(*lead, n * n, n * n))
    return reshape(solve(system, reshape(q, shape=(*lead, n * n, 1))), shape=q.shape)


def discrete_lyapunov_bilinear(a: Any, q: Any) -> Any:
    """B^H X + X B = -2 (A + I)^-1 Q (A^H + I)^-1 with B = (A^H - I)(A^H + I)^-1 (Gajic and Qureshi 1995)."""
    identity, ah = np.eye(a.shape[-1], dtype=a.dtype), adjoint(a)
    bh = adjoint(divided(ah - identity, ah + identity))
    right = divided(solve(a + identity, q), ah + identity)
    return sylvester(bh, adjoint(bh), right * -2.0)


def divided(b: Any, a: Any) -> Any:
    """B A^-1."""
    return swap_last(solve(swap_last(a), swap_last(b)))
