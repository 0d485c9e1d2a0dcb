"""The Schur form A = Z T Z^H, Z unitary and T upper triangular.

With M = Z^H A_dot Z, the skew-Hermitian W = Z^H Z_dot has a strictly lower triangle X that keeps T triangular,

    tril(T X - X T, -1) = -tril(M, -1),    Z_dot = Z (X - X^H),    T_dot = triu(M + T W - W T)

(the perturbation theory of Konstantinov, Petkov and Christov 1994, Nonlocal perturbation analysis of the Schur system
of a matrix). The equation for X is linear, and solved column by column; its transpose is of the same kind, and with it
derivatives of every order follow. Equal eigenvalues have Schur vectors without derivative. Phases are not turned.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.linalg
from numpy.linalg import LinAlgError

from xform.core.aval import Aval
from xform.core.errors import NonlinearError
from xform.core.primitive import Linear, Zero, is_zero
from xform.numpy.dispatch import ArrayLike, asarray, implements
from xform.numpy.linalg.operands import square
from xform.ops.contraction.einsum import matmul
from xform.ops.family import total
from xform.ops.linear_algebra.matrix import Factorization, adjoint, inexact, lower, require_square, swap_last, upper
from xform.scipy.linalg.stacks import Looped, common_lead


class TriangularTurn(Looped):
    """The strictly lower X with tril(T X - X T, -1) = tril(C, -1), or if `transposed` with T^T in place of T."""

    def abstract(self, t: Aval, c: Aval, *, transposed: bool) -> list[Aval]:
        require_square(self.name, t, c)
        common_lead(self.name, t, c)
        return [Aval(c.shape, np.result_type(t.dtype, c.dtype))]

    def one(self, *matrices: Any, **params: Any) -> list[Any]:
        t, c = matrices
        require_separated(t)
        n, x = len(t), np.zeros(t.shape, np.result_type(t, c))
        for j in reversed(range(n - 1)) if params["transposed"] else range(n - 1):
            below = slice(j + 1, n)
            system = t[below, below] - t[j, j] * np.eye(n - 1 - j)
            if params["transposed"]:
                right = c[below, j] + x[below, below] @ t[j, below]
                x[below, j] = scipy.linalg.solve_triangular(system, right, trans=1)
            else:
                right = c[below, j] + x[below, :j] @ t[:j, j]
                x[below, j] = scipy.linalg.solve_triangular(system, right)
        return [x]

    def jvp(self, primals: Any, tangents: Any, *, transposed: bool) -> tuple[list[Any], list[Any]]:
        (t, c), (t_dot, c_dot) = primals, tangents
        x = self(t, c, transposed=transposed)
        terms = [c_dot]
        if not is_zero(t_dot):
            moved = swap_last(upper(t_dot)) if transposed else upper(t_dot)
            terms.append(matmul(x, moved) - matmul(moved, x))
        right = total(terms)
        return [x], [Zero.like(x) if is_zero(right) else self(t, right, transposed=transposed)]

    def transpose(self, cotangents: Any, t: Any, c: Any, *, transposed: bool) -> list[Any]:
        if type(t) is Linear:
            raise NonlinearError(f"'{self.name}' is linear in its second argument only; differentiate it with vjp")
        return [None, self(t, cotangents[0], transposed=not transposed)]


triangular_turn = TriangularTurn("schur_turn")


def require_separated(t: np.ndarray) -> None:
    """Raise LinAlgError unless T is triangular with diagonal entries that differ by more than rounding errors."""
    if np.tril(t, -1).any():
        raise LinAlgError(
            "schur: the real Schur form has blocks for pairs of complex eigenvalues, where it is not differentiated; "
            "take schur(A, output='complex')"
        )
    d = np.diag(t)
    gaps = np.abs(d[:, None] - d)[np.triu_indices(len(d), 1)]
    if gaps.size and gaps.min() <= 8 * len(d) * np.finfo(t.dtype).eps * np.abs(t).max():
        raise LinAlgError(
            f"schur: of a matrix of order {len(d)} two eigenvalues are equal up to rounding, where its Schur vectors "
            "have no derivative; differentiate a function of the matrix such as expm or sqrtm instead"
        )


class Schur(Factorization, Looped):
    """T, Z and how many of the leading eigenvalues meet the condition `sort`."""

    def abstract(self, a: Aval, *, output: str, sort: Any) -> list[Aval]:
        require_square(self.name, a)
        dtype = np.result_type(a.dtype, np.complex64) if output == "complex" else a.dtype
        return [Aval(a.shape, dtype), Aval(a.shape, dtype), Aval(a.shape[:-2], np.dtype(np.int64))]

    def one(self, *matrices: Any, **params: Any) -> list[Any]:
        t, z, *count = scipy.linalg.schur(*matrices, **params)
        return [t, z, *(count or [0])]

    def pushforward(self, outs: Any, a: Any, a_dot: Any, **params: Any) -> list[Any]:
        t, z, count = outs
        m = matmul(adjoint(z), matmul(a_dot, z))
        x = triangular_turn(t, -lower(m, -1), transposed=False)
        w = x - adjoint(x)
        return [upper(m + matmul(t, w) - matmul(w, t)), matmul(z, w), Zero.like(count)]

    def sparsity(self, patterns: Any, avals: Any, **params: Any) -> list[Any]:
        return [*super().sparsity(patterns, avals, **params)[:2], None]


class ComplexForm(Schur):
    """The complex Schur form of a real one, which rotations make of its blocks."""

    def one(self, *matrices: Any, **params: Any) -> list[Any]:
        (a,) = matrices
        return [*scipy.linalg.rsf2csf(a, np.eye(len(a), dtype=a.dtype)), 0]


schur_form = Schur("schur")
complex_form = ComplexForm("rsf2csf")


@implements(scipy.linalg.schur)
def schur(
    a: ArrayLike,
    output: str = "real",
    lwork: int | None = None,
    overwrite_a: bool = False,
    sort: Any = None,
    check_finite: bool = True,
) -> Any:
    """(T, Z) with A = Z T Z^H, Z unitary and T upper triangular; with `sort` (T, Z, sdim), as in SciPy.

    The "real" form of a real matrix has blocks of order 2 for pairs of complex eigenvalues; the derivative is that of
    the "complex" form, or the real one without such blocks, and keeps the phases of Z. Raises ValueError for another
    output, and LinAlgError when it is differentiated where such blocks are or eigenvalues are equal.

    >>> import numpy as np
    >>> T, Z = schur(np.array([[2.0, 1.0], [0.0, 3.0]]))
    >>> T
    array([[2., 1.],
           [0., 3.]])
    """
    if output not in ("real", "complex", "r", "c"):
        raise ValueError(f"schur: output {output!r} was given; wanted 'real' or 'complex'")
    t, z, count = schur_form.bind(square("schur", a), output="complex" if output[0] == "c" else "real", sort=sort)
    return (t, z) if sort is None else (t, z, count)


@implements(scipy.linalg.rsf2csf)
def rsf2csf(T: ArrayLike, Z: ArrayLike, check_finite: bool = True) -> Any:
    """The complex Schur form (T', Z') of a real one: Z' T' Z'^H = Z T Z^T, T' triangular.

    Raises LinAlgError if the matrices are not square, and when it is differentiated where eigenvalues are equal.

    >>> import numpy as np
    >>> T, Z = rsf2csf(np.array([[0.0, 1.0], [-1.0, 0.0]]), np.eye(2))
    >>> np.diag(T).round(12) + 0.0
    array([0.+1.j, 0.-1.j])
    """
    t, z = inexact(asarray(T), asarray(Z))
    triangular, turn, _ = complex_form.bind(upper(square("rsf2csf", t), -1), output="complex", sort=None)
    return triangular, matmul(z, turn)
