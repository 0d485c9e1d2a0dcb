"""Iterations for x = f(x) on vectors, written with the residual r(x) = f(x) - x, which they bring below a bound.

Each takes (residual, x, tol, maxiter) and returns the last x, whether or not |r(x)| <= tol max(1, |x|).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from xform.control.implicit.vectors import Map, norm, ratio
from xform.control.loops.going import while_loop
from xform.ops.contraction.einsum import matmul
from xform.ops.linear_algebra.matrix import conj
from xform.ops.linear_algebra.solve import solve
from xform.ops.structure import concatenate, reshape, slice_
from xform.ops.structure import transpose as permuted
from xform.transforms.linearize import linearize

#: so many steps Anderson's method looks back
MEMORY = 5

LinearSolver = Callable[[Map, Any], Any]
Iteration = Callable[[Map, Any, Any, int], Any]


def bound_at(x: Any, tol: Any) -> Any:
    """The residual that is small enough."""
    return tol * np.maximum(norm(x), 1)


class Past(NamedTuple):
    """An iterate, its residual, the number of steps, and the last differences of both, as rows, newest last."""

    x: Any
    r: Any
    k: Any
    dx: Any = ()
    dr: Any = ()


def run(step: Callable[[Past], Past], first: Past, tol: Any, maxiter: int) -> Any:
    """Steps until the residual is small, or no number any more."""

    def going(p: Past) -> Any:
        return (norm(p.r) > bound_at(p.x, tol)) & (p.k < maxiter)

    return while_loop(going, step, first).x


def plain_iteration(residual: Map, x: Any, tol: Any, maxiter: int) -> Any:
    """x <- f(x), which converges if f is a contraction."""

    def step(p: Past) -> Past:
        x = p.x + p.r
        return Past(x, residual(x), p.k + 1)

    return run(step, Past(x, residual(x), np.int64(0)), tol, maxiter)


def anderson_acceleration(residual: Map, x: Any, tol: Any, maxiter: int) -> Any:
    """x <- x + r - (dX + dR) c, where c minimises |r - dR c| over the last differences.

    Anderson 1965; Walker and Ni 2011, Anderson acceleration for fixed-point iterations, in the unconstrained form.
    """
    none = np.zeros((min(MEMORY, x.size), x.size), x.dtype)

    def step(p: Past) -> Past:
        size = norm_rows(p.dr)
        dx, dr = ratio(p.dx, size), ratio(p.dr, size)
        c = least_squares(dr, p.r)
        x = p.x + p.r - matmul(c, dx + dr)
        r = residual(x)
        return Past(x, r, p.k + 1, newest(p.dx, x - p.x), newest(p.dr, r - p.r))

    return run(step, Past(x, residual(x), np.int64(0), none, none), tol, maxiter)


def newton_iteration(linear_solver: LinearSolver) -> Iteration:
    """x <- x - r'(x)^-1 r(x), which converges quadratically from near by."""

    def iteration(residual: Map, x: Any, tol: Any, maxiter: int) -> Any:
        def step(p: Past) -> Past:
            r, push = linearize(residual, p.x)
            x = p.x - linear_solver(push, r)
            return Past(x, residual(x), p.k + 1)

        return run(step, Past(x, residual(x), np.int64(0)), tol, maxiter)

    return iteration


def norm_rows(rows: Any) -> Any:
    """The norms of the rows, as a column."""
    squares = matmul(conj(rows) * rows, np.ones((rows.shape[1], 1), rows.dtype))
    return np.sqrt(abs(squares))


def least_squares(rows: Any, r: Any) -> Any:
    """The c with the least |r - c rows|, for rows of length 1 or 0, those of length 0 getting 0."""
    m = rows.shape[0]
    ridge = m * np.finfo(rows.dtype).eps * np.eye(m, dtype=rows.dtype)  # for rows that (nearly) depend on each other
    gram = matmul(conj(rows), permuted(rows, permutation=(1, 0))) + ridge
    return reshape(solve(gram, reshape(matmul(conj(rows), r), shape=(m, 1))), shape=(m,))


def newest(rows: Any, row: Any) -> Any:
    """Without the oldest row, and with a new one."""
    kept = slice_(rows, index=((1, rows.shape[0] - 1, 1), (0, rows.shape[1], 1)))
    return concatenate(kept, reshape(row, shape=(1, row.size)), axis=0)
