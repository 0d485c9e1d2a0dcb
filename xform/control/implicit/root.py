"""Roots of equations f(p, x) = 0, differentiated by the implicit function theorem.

    f_x x_dot + f_p p_dot = 0

However the root was found, its derivative is the solution of one linear system, with the linearisation of f at the
root; and the derivative being written in terms of the root itself, so are the derivatives of higher order (Griewank and
Walther, Evaluating Derivatives, chapter 15; Blondel et al. 2021, Efficient and modular implicit differentiation).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ClassVar

from xform.control.implicit.programs import batched_whole, solver_program, split
from xform.control.implicit.solver import Operator, Solve, Space, apply_solver, batched_solver, result_avals, solver_of
from xform.control.programs import close
from xform.control.transformed import pushed
from xform.core.aval import Aval, aval_of
from xform.core.errors import ConcretizationError, describe
from xform.core.jaxpr import Eqn, Jaxpr, eliminate_dead_code, evaluate
from xform.core.primitive import Zero, is_zero
from xform.core.trace import EVAL, context
from xform.core.tracebacks import public
from xform.ops.family import Opaque, dense_patterns, instantiate
from xform.ops.structure import batch_operand
from xform.transforms.linearize import linearize
from xform.transforms.vmap import Axis


class Root(Opaque):
    """x with f(p, x) = 0, from operands (*p, *s, *t, *guess), where `sizes` counts p, s and t.

    `f` is the program (*p, *x) -> f(p, x), and `solve` a solver that closes over s. `tangent_solve` is the program
    (*t, *p, *x, *y) -> f_x(p, x)^-1 y, None without p. The guess has no derivative. Auxiliary output of `solve`
    follows x.
    """

    has_programs: ClassVar[bool] = True

    def abstract(self, *avals: Aval, solve: Any, sizes: tuple[int, ...], **params: Any) -> list[Aval]:
        return result_avals(solve, split(avals, *sizes)[-1])

    def numpy(self, *arrays: Any, f: Jaxpr, solve: Any, sizes: tuple[int, ...], **params: Any) -> list[Any]:
        p, s, _, guess = split(arrays, *sizes)
        return apply_solver(solve, f, s, p, guess)

    def inlined(self, eqn: Eqn) -> Jaxpr | None:
        """Once nobody differentiates any more, what is left of the equation is its solver."""
        avals, params = [a.aval for a in eqn.inputs], eqn.params
        return solver_program(params["solve"], avals, params["sizes"], len(eqn.outputs))

    def jvp(self, primals: Any, tangents: Any, **params: Any) -> tuple[list[Any], list[Any]]:
        """x_dot = -f_x^-1 f_p p_dot."""
        p, _, t, guess = split(primals, *params["sizes"])
        p_dot = tangents[: len(p)]
        outs = self.bind(*primals, **params)
        none = [Zero.like(y) for y in outs]
        if all(map(is_zero, p_dot)):
            return outs, none
        x = outs[: len(guess)]
        moved = pushed(params["f"], [*p, *x], [*p_dot, *map(Zero.like, x)])[1]
        if all(map(is_zero, moved)):
            return outs, none
        right = [instantiate(m) if is_zero(m) else -m for m in moved]
        return outs, evaluate(params["tangent_solve"], *t, *p, *x, *right) + none[len(x) :]

    def batch(self, axis: Axis, args: Any, batched: Any, **params: Any) -> list[Any]:  # type: ignore[override]
        f, sizes = params["f"], params["sizes"]
        bp, bs, bt, bx = split(batched, *sizes)
        operands, guess = split(args, sum(sizes))
        x, tangent = [True] * len(bx), params["tangent_solve"]
        programs = {
            "f": batched_whole(f, axis, [*bp, *x]),
            "solve": batched_solver(params["solve"], f, axis, bs, bp),
            "tangent_solve": tangent and batched_whole(tangent, axis, [*bt, *bp, *x, *x]),
        }
        start = [batch_operand(axis.size, g, b) for g, b in zip(guess, bx, strict=True)]
        return self.bind(*operands, *start, **{**params, **programs})

    def sparsity(self, patterns: Any, avals: Any, **params: Any) -> list[Any]:
        """Each entry of x may depend on all that f depends on; auxiliary output has no derivative."""
        p, *_, guess = split(patterns, *params["sizes"])
        outs = self.abstract(*map(aval_of, avals), **params)
        return dense_patterns(p, outs[: len(guess)]) + [None] * (len(outs) - len(guess))


root = Root("custom_root")


@public
def custom_root(
    f: Callable[[Any], Any],
    initial_guess: Any,
    solve: Callable[..., Any],
    tangent_solve: Callable[..., Any],
    has_aux: bool = False,
) -> Any:
    """A root x of f(x) = 0, found by `solve` and differentiated by the implicit function theorem, to any order.

        x_dot = -f_x^-1 f_p p_dot

    `f` maps trees like `initial_guess`, a tree of real or complex arrays, to such trees. It may close over traced
    values p, by which the root is differentiated; it is staged, so it must not branch on numbers. For complex x it must
    be holomorphic in x. `solve(f, initial_guess)` returns x, like the guess, and with `has_aux` a pair (x, aux), of
    which aux has no derivative. It is not differentiated, so any Python that works on arrays will do (see
    `custom_linear_solve`). `tangent_solve(g, y)` solves g(x) = y for the linear function g = f_x, and is itself
    differentiated, so it must be linear in y: `y / g(1.0)` for numbers, `np.linalg.solve(jacobian(g)(y), y)` for
    vectors, or a `custom_linear_solve` or `gmres` with g.

    Raises TypeError if the trees, shapes or dtypes of f(x), x and the guess differ, and ConcretizationError if f or
    tangent_solve cannot be staged. That f(x) is near zero is for `solve` to see to.

    >>> import numpy as np
    >>> from xform import grad
    >>> def newton(f, x):
    ...     while abs(f(x)) > 1e-12:
    ...         x = x - f(x) / grad(f)(x)
    ...     return x
    >>> cube_root = lambda a: custom_root(lambda x: x**3 - a, 2.0, newton, lambda g, y: y / g(1.0))
    >>> print(f"{cube_root(27.0):.6f} {grad(cube_root)(27.0):.6f} {grad(grad(cube_root))(27.0):.6f}")
    3.000000 0.037037 -0.000914
    """
    origin = f"custom_root of {describe(f)}"
    for g in (solve, tangent_solve):
        describe(g)
    space = Space(origin, "initial_guess", initial_guess)
    guess, flat = space.leaves(initial_guess), space.flat(f, "f(x)")
    forward = Solve(solve, space, "solve", "f", has_aux)
    if context.trace is EVAL:
        return forward.result(forward(flat, *guess))
    program, p = close(flat, space.avals, origin)
    solver, s = solver_of(forward, program, p)
    tangent, t = (None, []) if not p else tangent_program(tangent_solve, space, program, p)
    sizes = (len(p), len(s), len(t))
    outs = root.bind(*p, *s, *t, *guess, f=program, solve=solver, tangent_solve=tangent, sizes=sizes)
    return forward.result(outs)


def tangent_program(
    tangent_solve: Callable[..., Any], space: Space, f: Jaxpr, p: Sequence[Any]
) -> tuple[Jaxpr, list[Any]]:
    """The program (*t, *p, *x, *y) -> f_x(p, x)^-1 y, and the traced values t that tangent_solve closes over."""
    count = len(space.avals)

    def linear(*args: Any) -> list[Any]:
        operands, x, y = split(args, len(p), count)

        def g(*xs: Any) -> tuple[Any, ...]:
            return tuple(evaluate(f, *operands, *xs))

        g.__qualname__ = "f"
        push: Operator = linearize(g, *x)[1]
        return space.coordinates(
            tangent_solve(space.unflat(push, "g"), space.tree(y)), "the result of tangent_solve", cast=True
        )

    try:
        jaxpr, t = close(linear, [*f.in_avals[: len(p)], *space.avals, *space.avals], "tangent_solve")
    except ConcretizationError as error:
        raise ConcretizationError(
            f"{space.origin}: tangent_solve is differentiated, so it must not need numbers; let custom_linear_solve "
            f"call what does: lambda g, y: custom_linear_solve(g, y, solve, transpose_solve). {error}"
        ) from None
    return eliminate_dead_code(jaxpr), t
