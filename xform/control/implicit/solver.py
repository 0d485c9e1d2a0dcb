"""The user's solver, as a program where it can be one and as a Python function where it cannot.

A solver is handed an operator, a function of trees, and a right-hand side or a first guess. It is never differentiated:
the equation is. So while values are known it may be any Python, a `while` on numbers or a call of SciPy, and runs on
plain arrays, what it closes over included. Under `vmap`, and while a program is being written, it is staged; a solver
that needs numbers and so cannot be staged is kept as it is, to be called, example by example, when the program runs.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np

from xform.control.implicit.programs import batched_whole, split
from xform.control.programs import close
from xform.core import tree
from xform.core.aval import Aval, aval_of, is_inexact
from xform.core.errors import ConcretizationError
from xform.core.jaxpr import Jaxpr, evaluate
from xform.core.primitive import Primitive
from xform.core.stage import StageTrace, is_staging, stage
from xform.core.trace import EVAL, Trace, Tracer, concrete, context, using
from xform.ops.structure import convert
from xform.transforms.arguments import as_array, check_array
from xform.transforms.tape import Tape
from xform.transforms.vmap import Axis, BatchTrace

Operator = Callable[..., Sequence[Any]]


class Detached(Trace):
    """Evaluates with the plain arrays under all tracers: what is computed here has no derivative."""

    __slots__ = ()
    is_ground = True

    def process(self, prim: Primitive, args: Any, params: dict[str, Any]) -> list[Any]:
        return EVAL.process(prim, [plain(x) for x in args], params)


DETACHED = Detached(None, "a solver")


def plain(x: Any) -> Any:
    """The plain array under a tracer."""
    if not isinstance(x, Tracer):
        return x
    value = concrete(x)
    if value is None:
        raise ConcretizationError(
            f"a solver that runs as plain Python needs the value of {x.aval}, which it closes over, but "
            f"{x._trace.origin} knows it only by shape and dtype. Take it from the operator that the solver is handed, "
            "or write the solver such that it can be staged (lax.while_loop instead of while, no SciPy)."
        )
    return value


def copied(x: Any) -> Any:
    """An array of one's own: a solver may write into what it is given, and later into what it returned."""
    return x.copy() if isinstance(x, np.ndarray) else x


def values_are_known() -> bool:
    """Do all tracers carry a plain array of the user's shape?"""
    trace = context.trace
    while trace is not None and not isinstance(trace, StageTrace | BatchTrace | Tape):
        trace = trace.parent
    return trace is None


class Space:
    """The trees in which an equation is solved: a structure and the avals of the leaves."""

    __slots__ = ("avals", "origin", "structure", "what")

    def __init__(self, origin: str, what: str, value: Any) -> None:
        self.origin, self.what = origin, what
        leaves, self.structure = tree.flatten(value)
        for k, x in enumerate(leaves):
            where = what + tree.keystr(tree.leaves_with_path(value)[k][0])
            check_array(origin, lambda where=where: where, x)
            aval = aval_of(as_array(x))
            if not is_inexact(aval.dtype):
                raise TypeError(
                    f"{origin}: {where} is {aval}; wanted real or complex numbers, write {where}.astype(float) or 1.0"
                )
        self.avals = [aval_of(as_array(x)) for x in leaves]

    def leaves(self, value: Any) -> list[Any]:
        """The leaves of a tree of known structure, as arrays."""
        return [as_array(x) for x in tree.leaves(value)]

    def tree(self, leaves: Sequence[Any]) -> Any:
        return tree.unflatten(self.structure, leaves)

    def coordinates(self, value: Any, giver: str, cast: bool = False) -> list[Any]:
        """The leaves of a tree that must lie in the space; with `cast`, precision and real numbers are adapted."""
        leaves, structure = tree.flatten(value)
        if structure != self.structure:
            raise TypeError(
                f"{self.origin}: {giver} has the structure {structure}; wanted that of {self.what}, {self.structure}"
            )
        for k, (given, wanted) in enumerate(zip(leaves, self.avals, strict=True)):
            check_array(self.origin, lambda: giver, given)
            leaves[k] = x = as_array(given)
            aval = aval_of(x)
            if cast and aval.shape == wanted.shape and np.can_cast(aval.dtype, wanted.dtype, "same_kind"):
                leaves[k] = x if aval.dtype == wanted.dtype else convert(x, dtype=wanted.dtype)
            elif aval != wanted:
                path = tree.keystr(tree.leaves_with_path(value)[k][0])
                raise TypeError(
                    f"{self.origin}: {giver}{path} is {aval}; wanted {wanted}, the shape and dtype of {self.what}{path}"
                )
        return leaves

    def flat(self, f: Callable[[Any], Any], giver: str) -> Operator:
        """A function of trees in the space as a function of leaves."""
        return lambda *xs: self.coordinates(f(self.tree(xs)), giver)

    def unflat(self, operator: Operator, name: str) -> Callable[[Any], Any]:
        """A function of leaves as a function of trees in the space."""
        return lambda x: self.tree(operator(*self.coordinates(x, f"the argument of {name}", cast=True)))


class Solve:
    """A user's solver as a function of leaves; it remembers the structure and avals of its auxiliary output."""

    __slots__ = ("aux_avals", "aux_tree", "f", "has_aux", "name", "operand", "space")

    def __init__(self, f: Callable[..., Any], space: Space, name: str, operand: str, has_aux: bool) -> None:
        self.f, self.space, self.name, self.operand, self.has_aux = f, space, name, operand, has_aux
        self.aux_tree: Any = None
        self.aux_avals: list[Aval] = []

    def __call__(self, operator: Operator, *leaves: Any) -> list[Any]:
        space = self.space
        x = self.f(space.unflat(operator, self.operand), space.tree(leaves))
        aux: list[Any] = []
        if self.has_aux:
            if not isinstance(x, tuple) or len(x) != 2:
                raise TypeError(
                    f"{space.origin}: with has_aux=True {self.name} must return a pair (solution, aux), "
                    f"not {type(x).__name__}"
                )
            x, extra = x
            aux, self.aux_tree = tree.flatten(extra)
            for k, y in enumerate(aux):
                check_array(space.origin, lambda: f"the auxiliary output of {self.name}", y)
                aux[k] = as_array(y)
            self.aux_avals = [aval_of(y) for y in aux]
        return space.coordinates(x, f"the result of {self.name}", cast=True) + aux

    def result(self, outs: Sequence[Any]) -> Any:
        """The user's view of the solution and the auxiliary output."""
        x, aux = split(outs, len(self.space.avals))
        return (self.space.tree(x), tree.unflatten(self.aux_tree, aux)) if self.has_aux else self.space.tree(x)


class PythonSolver:
    """A solver that is called with an operator and plain arrays."""

    __slots__ = ("solve",)

    def __init__(self, solve: Solve) -> None:
        self.solve = solve

    @property
    def __name__(self) -> str:
        return getattr(self.solve.f, "__name__", type(self.solve.f).__name__)

    def __repr__(self) -> str:
        return self.__name__

    @property
    def aux_avals(self) -> list[Aval]:
        return self.solve.aux_avals

    def __call__(self, operator: Jaxpr, operands: Sequence[Any], ys: Sequence[Any]) -> list[Any]:
        with using(DETACHED):
            outs = self.solve(partial(evaluate, operator, *operands), *map(copied, ys))
        return [copied(plain(y)) for y in outs]


class Repeated:
    """A solver in Python, called for each example in turn."""

    __slots__ = ("batched", "operator", "size", "solver")

    def __init__(self, solver: Any, operator: Jaxpr, size: int, batched: Sequence[bool]) -> None:
        self.solver, self.operator, self.size, self.batched = solver, operator, size, batched

    @property
    def __name__(self) -> str:
        return f"{self.solver.__name__}_{self.size}_times"

    def __repr__(self) -> str:
        return self.__name__

    @property
    def aux_avals(self) -> list[Aval]:
        return [a.with_shape((self.size, *a.shape)) for a in self.solver.aux_avals]

    def __call__(self, operator: Jaxpr, operands: Sequence[Any], ys: Sequence[Any]) -> list[Any]:
        rows = [
            self.solver(
                self.operator,
                [p[i] if b else p for p, b in zip(operands, self.batched, strict=True)],
                [y[i] for y in ys],
            )
            for i in range(self.size)
        ]
        if not rows:
            return [np.zeros(y.shape, y.dtype) for y in ys] + [np.zeros(a.shape, a.dtype) for a in self.aux_avals]
        return [np.stack(column) for column in zip(*rows, strict=True)]


Solver = Any  # a Jaxpr (*closed_over, *operands, *ys) -> (*x, *aux), or one of the two above


def solver_of(solve: Solve, operator: Jaxpr, operands: Sequence[Any]) -> tuple[Solver, list[Any]]:
    """The solver, and the traced values that it closes over if it is a program."""
    if values_are_known():
        return PythonSolver(solve), []
    try:
        return close(program(solve, operator), [*operator.in_avals[: len(operands)], *solve.space.avals], solve.name)
    except ConcretizationError:
        if solve.has_aux and is_staging():  # what aux is would be known only when it is called
            raise
        return PythonSolver(solve), []


def program(solve: Solve, operator: Jaxpr) -> Callable[..., list[Any]]:
    """The solver as a function of the operands of its operator and of leaves."""

    def f(*args: Any) -> list[Any]:
        operands, ys = split(args, len(args) - len(solve.space.avals))
        return solve(partial(evaluate, operator, *operands), *ys)

    return f


def apply_solver(
    solver: Solver, operator: Jaxpr, closed_over: Sequence[Any], operands: Sequence[Any], ys: Sequence[Any]
) -> list[Any]:
    """Solve, on plain arrays."""
    if isinstance(solver, Jaxpr):
        with using(EVAL):
            return evaluate(solver, *closed_over, *operands, *ys)
    return solver(operator, operands, ys)


def result_avals(solver: Solver, ys: Sequence[Aval]) -> list[Aval]:
    """Of the solution and the auxiliary output."""
    return solver.out_avals if isinstance(solver, Jaxpr) else [*ys, *solver.aux_avals]


def batched_solver(
    solver: Solver, operator: Jaxpr, axis: Axis, closed_over: Sequence[bool], operands: Sequence[bool]
) -> Solver:
    """The solver for all examples at once, of which the operands are batched as told and the leaves all are."""
    if isinstance(solver, PythonSolver):
        solver = staged_again(solver, operator, len(operands))
    if not isinstance(solver, Jaxpr):
        return Repeated(solver, operator, axis.size, operands)
    flags = [*closed_over, *operands]
    flags += [True] * (len(solver.inputs) - len(flags))
    return batched_whole(solver, axis, flags)


def staged_again(solver: PythonSolver, operator: Jaxpr, count: int) -> Solver:
    """The program of a Python solver whose derivative is batched; itself if it cannot be staged."""
    avals = [*operator.in_avals[:count], *solver.solve.space.avals]
    with using(DETACHED):
        try:
            jaxpr = stage(program(solver.solve, operator), avals, solver.solve.name)
            consts = [(v, plain(x)) for v, x in jaxpr.consts]
        except ConcretizationError:
            return solver
    return Jaxpr(jaxpr.inputs, consts, jaxpr.eqns, jaxpr.outputs)
