"""The generalised method of minimal residuals, restarted (Saad and Schultz 1986), for general A.

A cycle builds an orthonormal basis V of a Krylov space (Arnoldi), with A V_m = V_{m+1} H for a Hessenberg matrix H, and
minimises |beta e_0 - H y| by an orthogonal Q with Q H = R triangular, of which each step adds one Givens rotation. All
arrays have their final size from the start; a column j is chosen by the unit vector e_j. So a cycle that ends early, at
the tolerance or because the space is invariant, needs no other shapes, and lanes of a batch may end on their own.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from xform.control.implicit.vectors import Limits, Map, inner, norm, ratio, residual
from xform.control.loops.going import while_loop
from xform.ops.contraction.einsum import matmul
from xform.ops.linear_algebra.matrix import conj
from xform.ops.linear_algebra.solve import triangular_solve
from xform.ops.select import select
from xform.ops.structure import reshape, slice_


class Cycle(NamedTuple):
    """The basis as rows of V, Q and R as above, the residual's norm, the number of steps, and whether to go on."""

    V: Any
    Q: Any
    R: Any
    size: Any
    j: Any
    regular: Any


def restarted_gmres(restart: int) -> Callable[..., Any]:
    """The iteration with cycles of at most `restart` steps."""

    def iteration(apply: Map, precondition: Map, right: Any, start: Any, limits: Limits) -> tuple[Any, Any]:
        """x and info, preconditioned from the right, so that the residual is that of the system given."""
        x, r = residual(apply, right, start)
        steps = max(1, min(restart, right.size))

        def going(state: Any) -> Any:
            _, _, size, k, regular = state
            return (size > limits.bound) & (k < limits.maxiter) & regular

        def cycle(state: Any) -> Any:
            x, r, size, k, _ = state
            dx, regular = minimise(lambda v: apply(precondition(v)), r, size, limits.bound, steps)
            x = x + precondition(dx)
            r = right - apply(x)
            return x, r, norm(r), k + 1, regular

        x, _, size, k, _ = while_loop(going, cycle, (x, r, norm(r), np.int64(0), np.True_))
        return x, limits.info(size, k)

    return iteration


def minimise(apply: Map, r: Any, size: Any, bound: Any, steps: int) -> tuple[Any, Any]:
    """The dx in the Krylov space with the least |r - A dx|, and whether another cycle may come nearer."""
    units = np.eye(steps + 1, dtype=r.dtype)
    first = Cycle(
        units[:, :1] * reshape(ratio(r, size), shape=(1, r.size)), units, units[:steps, :steps] * 0, size, np.int64(0),
        np.True_,
    )  # fmt: skip

    def going(c: Cycle) -> Any:
        return (c.size > bound) & (c.j < steps) & c.regular

    done = while_loop(going, lambda c: extended(apply, c, size), first)
    used = np.arange(steps) < done.j
    R = done.R + units[:steps, :steps] * reshape(~used, shape=(steps, 1))  # unused unknowns are 0
    g = slice_(matmul(done.Q, units[0]), index=((0, steps, 1),)) * size * used
    y = triangular_solve(R, reshape(g, shape=(steps, 1)), lower=False, unit_diagonal=False)
    basis = slice_(done.V, index=((0, steps, 1), (0, r.size, 1)))
    return matmul(reshape(y, shape=(steps,)), basis), done.regular


def extended(apply: Map, c: Cycle, start: Any) -> Cycle:
    """One more vector in the basis, column of R and rotation in Q."""
    count = c.V.shape[0]
    here, after = unit(c.j, count, c.V.dtype), unit(c.j + 1, count, c.V.dtype)
    w = apply(matmul(here, c.V))
    tiny = np.finfo(w.dtype).eps * norm(w)
    h = 0
    for _ in range(2):  # once more, because one pass of Gram-Schmidt leaves what cancellation made of it
        again = matmul(conj(c.V), w)
        w, h = w - matmul(again, c.V), h + again
    eta = norm(w)
    eta = eta * (eta > tiny)  # the space is invariant
    h = matmul(c.Q, h)
    a = inner(here, h)
    rho = np.hypot(abs(a), eta)
    regular = rho > tiny  # otherwise A is singular on the space
    cos, sin = ratio(a, rho), ratio(eta, rho)
    above, below = matmul(here, c.Q), matmul(after, c.Q)
    turned = column(here) * (conj(cos) * above + sin * below - above) + column(after) * (
        cos * below - sin * above - below
    )
    Q = c.Q + turned * regular
    R = c.R + column(upto(h * (1 - here - after) + rho * here, count - 1)) * upto(here, count - 1) * regular
    V = c.V + column(after) * ratio(w, eta)
    size = select(regular, start * abs(inner(after, matmul(Q, unit(0, count, w.dtype)))), c.size)
    return Cycle(V, Q, R, size, c.j + regular, regular)


def unit(j: Any, count: int, dtype: Any) -> Any:
    """The unit vector e_j."""
    return (np.arange(count) == j) * np.ones((), dtype)


def column(x: Any) -> Any:
    return reshape(x, shape=(*x.shape, 1))


def upto(x: Any, count: int) -> Any:
    """The first entries."""
    return slice_(x, index=((0, count, 1),))
