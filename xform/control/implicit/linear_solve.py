"""Linear systems A(p) x = b with a solver of the user's, differentiated through the equation.

From A x = b follows A x_dot = b_dot - A_dot x, and x is linear in b with transpose b_bar = A^-T x_bar. So all
derivatives are solutions of the same system or of the transposed one, with other right-hand sides; how the solver finds
them does not matter (Giles 2008, An extended collection of matrix derivative results, 2.3.1; Christianson 1994, Reverse
accumulation and attractive fixed points).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ClassVar

from xform.control.implicit.programs import batched_whole, solver_program, split, transposed
from xform.control.implicit.solver import (
    PythonSolver,
    Solve,
    Space,
    apply_solver,
    batched_solver,
    result_avals,
    solver_of,
    values_are_known,
)
from xform.control.programs import close
from xform.control.transformed import pushed
from xform.core.aval import Aval, aval_of
from xform.core.errors import NonlinearError, describe
from xform.core.jaxpr import Eqn, Jaxpr
from xform.core.primitive import Linear, Zero, is_zero
from xform.core.trace import EVAL, context
from xform.core.tracebacks import public
from xform.ops.family import Opaque, dense_patterns, instantiate, total
from xform.ops.structure import batch_operand
from xform.transforms.vmap import Axis


class LinearSolve(Opaque):
    """x with A(p) x = b, from operands (*p, *s, *t, *b), where `sizes` counts p, s and t.

    `matvec` is the program (*p, *x) -> A(p) x. `solve` and `transpose_solve` are solvers for A and A^T, which close
    over s and t; `transpose_solve` is None if there is none. With `symmetric`, A^T is A. Auxiliary output of `solve`,
    wanted with `aux`, follows x.
    """

    has_programs: ClassVar[bool] = True

    def abstract(self, *avals: Aval, solve: Any, sizes: tuple[int, ...], aux: bool, **params: Any) -> list[Aval]:
        *_, b = split(avals, *sizes)
        return result_avals(solve, b)[: None if aux else len(b)]

    def numpy(
        self, *arrays: Any, matvec: Any, solve: Any, sizes: tuple[int, ...], aux: bool, **params: Any
    ) -> list[Any]:
        p, s, _, b = split(arrays, *sizes)
        return apply_solver(solve, matvec, s, p, b)[: None if aux else len(b)]

    def inlined(self, eqn: Eqn) -> Jaxpr | None:
        """Once nobody differentiates any more, what is left of the equation is its solver."""
        avals, params = [a.aval for a in eqn.inputs], eqn.params
        return solver_program(params["solve"], avals, params["sizes"], len(eqn.outputs))

    def jvp(self, primals: Any, tangents: Any, **params: Any) -> tuple[list[Any], list[Any]]:
        """A x_dot = b_dot - A_dot x."""
        sizes, matvec = params["sizes"], params["matvec"]
        p, s, t, b = split(primals, *sizes)
        p_dot, _, _, b_dot = split(tangents, *sizes)
        outs = self.bind(*primals, **params)
        x, aux = split(outs, len(b))
        right = b_dot
        if not all(map(is_zero, p_dot)):
            moved = pushed(matvec, [*p, *x], [*p_dot, *map(Zero.like, x)])[1]
            right = [total([r, m if is_zero(m) else -m]) for r, m in zip(right, moved, strict=True)]
        if all(map(is_zero, right)):
            return outs, [Zero.like(y) for y in outs]
        x_dot = self.bind(*p, *s, *t, *map(instantiate, right), **{**params, "aux": False})
        return outs, x_dot + [Zero.like(y) for y in aux]

    def transpose(self, cotangents: Any, *args: Any, **params: Any) -> list[Any]:
        """b_bar = A^-T x_bar."""
        sizes, matvec, origin = params["sizes"], params["matvec"], params["origin"]
        p, s, t, b = split(args, *sizes)
        if any(type(x) is Linear for x in (*p, *s, *t)):
            raise NonlinearError(
                f"{origin} is linear in its right-hand side only, not in what matvec closes over; "
                "linear_transpose wants a linear function (differentiate other functions with vjp)"
            )
        if params["transpose_solve"] is None:
            raise TypeError(
                f"{origin}: reverse-mode derivatives solve the transposed system, but there is no transpose_solve; "
                "give transpose_solve(vecmat, x_bar), or symmetric=True if matvec is its own transpose"
            )
        bars = cotangents[: len(b)]
        swapped = {
            **params,
            "matvec": matvec if params["symmetric"] else transposed(matvec, len(p), "matvec"),
            "solve": params["transpose_solve"],
            "transpose_solve": params["solve"],
            "sizes": (len(p), len(t), len(s)),
            "aux": False,
        }
        b_bar = self.bind(*p, *t, *s, *bars, **swapped)
        return [None] * sum(sizes) + b_bar

    def batch(self, axis: Axis, args: Any, batched: Any, **params: Any) -> list[Any]:  # type: ignore[override]
        sizes, matvec = params["sizes"], params["matvec"]
        bp, bs, bt, bb = split(batched, *sizes)
        closed_over, b = split(args, sum(sizes))
        vecmat = None
        if params["transpose_solve"] is not None:
            back = matvec if params["symmetric"] else transposed(matvec, len(bp), "matvec")
            vecmat = batched_solver(params["transpose_solve"], back, axis, bt, bp)
        programs = {
            "matvec": batched_whole(matvec, axis, [*bp, *(True for _ in bb)]),
            "solve": batched_solver(params["solve"], matvec, axis, bs, bp),
            "transpose_solve": vecmat,
        }
        right = [batch_operand(axis.size, x, m) for x, m in zip(b, bb, strict=True)]
        return self.bind(*closed_over, *right, **{**params, **programs})

    def sparsity(self, patterns: Any, avals: Any, **params: Any) -> list[Any]:
        """Each entry of x may depend on all that A and b depend on; auxiliary output has no derivative."""
        p, _, _, b = split(patterns, *params["sizes"])
        outs = self.abstract(*map(aval_of, avals), **params)
        return dense_patterns([*p, *b], outs[: len(b)]) + [None] * (len(outs) - len(b))


linear_solve = LinearSolve("custom_linear_solve")


@public
def custom_linear_solve(
    matvec: Callable[[Any], Any],
    b: Any,
    solve: Callable[..., Any],
    transpose_solve: Callable[..., Any] | None = None,
    symmetric: bool = False,
    has_aux: bool = False,
) -> Any:
    """The solution x of matvec(x) = b, found by `solve` and differentiated through the equation, to any order.

        A x_dot = b_dot - A_dot x          b_bar = A^-T x_bar,   A_bar = -b_bar x^T

    `matvec` is a linear function of trees like `b`, a tree of real or complex arrays. It may close over traced values,
    by which the solution is differentiated, and must not branch on its argument. `solve(matvec, b)` returns x, like
    `b`, and with `has_aux` a pair (x, aux), of which aux has no derivative. It is not differentiated, so any Python
    that works on arrays will do, SciPy included; under `vmap` and `make_jaxpr` it is staged if it can be, and
    otherwise called for one example after the other. Derivatives call it again later: an array that it closes over
    must not be overwritten meanwhile, whereas one in `matvec` may be. `transpose_solve(vecmat, y)` is the same for the
    transposed (not conjugated) system; reverse mode needs it, unless `symmetric` says that matvec is its own transpose.

    Raises TypeError if the trees, shapes or dtypes of matvec(x) or x differ from those of b, or if reverse mode is
    wanted without transpose_solve; NonlinearError if matvec cannot be transposed.

    Christianson 1994; Blondel et al. 2021, Efficient and modular implicit differentiation.

    >>> import numpy as np
    >>> from xform import grad
    >>> d, b = np.array([2.0, 4.0]), np.array([1.0, 1.0])
    >>> solve = lambda matvec, b: b / matvec(np.ones(2))
    >>> grad(lambda d: custom_linear_solve(lambda x: d * x, b, solve, symmetric=True).sum())(d)
    array([-0.25  , -0.0625])
    """
    origin = f"custom_linear_solve of {describe(matvec)}"
    for f in (solve, *(() if transpose_solve is None else (transpose_solve,))):
        describe(f)
    space = Space(origin, "b", b)
    flat = space.flat(matvec, "matvec(x)")
    forward = Solve(solve, space, "solve", "matvec", has_aux)
    if context.trace is EVAL:
        return forward.result(forward(flat, *space.leaves(b)))
    operator, p = close(flat, space.avals, origin)
    solver, s = solver_of(forward, operator, p)
    back, t = backward_solver(solver, s, operator, p, transpose_solve, symmetric, space)
    outs = linear_solve.bind(
        *p, *s, *t, *space.leaves(b),
        matvec=operator, solve=solver, transpose_solve=back, sizes=(len(p), len(s), len(t)),
        symmetric=symmetric, aux=has_aux, origin=origin,
    )  # fmt: skip
    return forward.result(outs)


def backward_solver(
    solver: Any,
    s: list[Any],
    operator: Any,
    p: Sequence[Any],
    transpose_solve: Callable[..., Any] | None,
    symmetric: bool,
    space: Space,
) -> tuple[Any, list[Any]]:
    """The solver of the transposed system, and what it closes over."""
    if transpose_solve is None:
        return (solver, s) if symmetric else (None, [])
    back = Solve(transpose_solve, space, "transpose_solve", "vecmat", False)
    if values_are_known():
        return PythonSolver(back), []
    return solver_of(back, operator if symmetric else transposed(operator, len(p), "matvec"), p)
