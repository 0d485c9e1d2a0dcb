"""Fixed points x = f(p, x), differentiated by the implicit function theorem: (1 - f_x) x_dot = f_p p_dot."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from xform.control.implicit.converged import converged
from xform.control.implicit.gmres import restarted_gmres
from xform.control.implicit.iterations import (
    Iteration,
    LinearSolver,
    anderson_acceleration,
    bound_at,
    newton_iteration,
    plain_iteration,
)
from xform.control.implicit.linear_solve import custom_linear_solve
from xform.control.implicit.root import custom_root
from xform.control.implicit.solver import Space
from xform.control.implicit.vectors import Limits, Map, norm
from xform.core import tree
from xform.core.errors import describe
from xform.core.ravel import ravel_pytree
from xform.core.tracebacks import public
from xform.ops.linear_algebra.solve import solve as solve_dense
from xform.ops.structure import reshape, transpose
from xform.transforms.vmap import vmap

#: up to so many unknowns the matrix of a linear system is formed
DENSE = 128


@public
def fixed_point(
    f: Callable[..., Any],
    x0: Any,
    *args: Any,
    solver: str | Callable[..., Any] = "anderson",
    linear_solver: Callable[..., Any] | None = None,
    tol: float | None = None,
    maxiter: int = 1000,
) -> Any:
    """The x with x = f(x, *args), differentiated by the implicit function theorem, to any order.

        x_dot = (1 - f_x)^-1 f_p p_dot

    `x0` is where the search starts, a tree of real or complex arrays, and f returns trees like it. Derivatives are
    those in `args` and in whatever f closes over; none passes through x0. The cost of a derivative and its memory do
    not depend on how many steps the search took. `f` is staged, so it must not branch on numbers; for complex x it must
    be holomorphic in x.

    `solver` is "iteration" (x <- f(x)), "anderson" (which remembers five steps), "newton", or a function
    `solver(f, x0, tol=tol, maxiter=maxiter)` that returns x, in any Python that works on arrays. The result has
    |f(x) - x| <= tol max(1, |x|) in the 2-norm over all leaves; `tol` is eps^(3/4) if None, 2e-12 in double precision.
    `linear_solver(matvec, y)` solves the systems with 1 - f_x and its transpose, on vectors: with a matrix up to 128
    unknowns, and by GMRES beyond, if None.

    Raises RuntimeError if `maxiter` steps do not reach the tolerance, also from a staged program when it is run and for
    a single example of a batch; LinAlgError if 1 - f_x is singular; TypeError if f(x) is not like x0.

    Christianson 1994, Reverse accumulation and attractive fixed points; Bai, Kolter and Koltun 2019, Deep equilibrium
    models.

    >>> import numpy as np
    >>> from xform import grad
    >>> kepler = lambda e: fixed_point(lambda E, e: 1.0 + e * np.sin(E), 1.0, e)
    >>> print(f"{kepler(0.5):.6f} {grad(kepler)(0.5):.6f} {grad(grad(kepler))(0.5):.6f}")
    1.498701 1.034667 -0.399195
    """
    origin = f"fixed_point of {describe(f)}"
    space = Space(origin, "x0", x0)
    start, unravel = vector_of(origin, space, x0)
    tol = float(np.finfo(start.dtype).eps ** 0.75) if tol is None else tol
    check_limits(origin, tol, maxiter)
    linear = linear_solver or solve_matrix_or_krylov(origin)
    search = chosen_iteration(origin, solver, linear, unravel)

    def residual(x: Any) -> Any:
        """x - f(x), on vectors."""
        value = tree.unflatten(space.structure, space.coordinates(f(unravel(x), *args), "f(x)"))
        return x - ravel_pytree(value)[0]

    message = (
        f"{origin}: after at most {maxiter} steps |f(x) - x| is {{error:.1e}}; wanted {{bound:.1e}}. Start nearer, "
        "give another solver ('newton' for what is no contraction) or more maxiter, or ask for less with tol"
    )

    def solve(equation: Map, x: Any) -> Any:
        def step(x: Any) -> Any:
            return -equation(x)

        x = search(step, x, tol, maxiter)
        return converged(x, norm(step(x)), bound_at(x, tol), message=message)

    return unravel(custom_root(residual, start, solve, lambda g, y: custom_linear_solve(g, y, linear, linear)))


def vector_of(origin: str, space: Space, x0: Any) -> tuple[Any, Callable[[Any], Any]]:
    """All leaves in one vector, and back."""
    if len({a.dtype.kind for a in space.avals}) != 1:
        given = ", ".join(map(str, space.avals)) or "none"
        raise TypeError(
            f"{origin}: wanted leaves of x0 that are all real or all complex, and one at least; given {given}"
        )
    return ravel_pytree(space.tree(space.leaves(x0)))


def check_limits(origin: str, tol: Any, maxiter: Any) -> None:
    if isinstance(maxiter, bool) or not isinstance(maxiter, int | np.integer) or maxiter < 0:
        raise ValueError(f"{origin}: maxiter is {maxiter!r}; wanted a number of steps")
    if not isinstance(tol, float | int | np.floating) or not tol >= 0:
        raise ValueError(f"{origin}: tol is {tol!r}; wanted a number that is not negative")


def chosen_iteration(origin: str, solver: Any, linear: LinearSolver, unravel: Callable[[Any], Any]) -> Iteration:
    """The search, on vectors."""
    known = {"iteration": plain_iteration, "anderson": anderson_acceleration, "newton": newton_iteration(linear)}
    if isinstance(solver, str) and solver in known:
        return known[solver]
    if not callable(solver):
        raise ValueError(
            f"{origin}: solver is {solver!r}; wanted one of {', '.join(map(repr, known))}, or a function "
            "solver(f, x0, tol=tol, maxiter=maxiter)"
        )

    def iteration(step: Map, x: Any, tol: Any, maxiter: int) -> Any:
        def f(value: Any) -> Any:
            x = ravel_pytree(value)[0]
            return unravel(x + step(x))

        return ravel_pytree(solver(f, unravel(x), tol=tol, maxiter=maxiter))[0]

    return iteration


def solve_matrix_or_krylov(origin: str) -> LinearSolver:
    """Of linear systems on vectors: by their matrix if it is small, and otherwise by GMRES."""

    def solve(matvec: Map, y: Any) -> Any:
        if y.size <= DENSE:
            columns = vmap(matvec)(np.eye(y.size, dtype=y.dtype))
            return reshape(
                solve_dense(transpose(columns, permutation=(1, 0)), reshape(y, shape=(y.size, 1))), shape=y.shape
            )
        bound = np.finfo(y.dtype).eps ** 0.75 * norm(y)
        x, _ = restarted_gmres(min(y.size, 50))(matvec, lambda v: v, y, None, Limits(bound / 2, 100))
        message = (
            f"{origin}: GMRES has left a residual of {{error:.1e}} in the linear system with 1 - f_x; "
            "wanted {{bound:.1e}}. Give a linear_solver, say gmres with a preconditioner or more steps"
        )
        return converged(x, norm(y - matvec(x)), bound, message=message)

    return solve
