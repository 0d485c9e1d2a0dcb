"""Samples of the operations that are given by an equation."""

from typing import Any

import numpy as np

import xform
from tests.samples.base import normal, sample
from xform.control.implicit.converged import converged
from xform.control.implicit.linear_solve import linear_solve
from xform.control.implicit.programs import transposed
from xform.control.implicit.root import root, tangent_program
from xform.control.implicit.solver import PythonSolver, Solve, Space, program
from xform.control.loops.going import fori_loop
from xform.core.aval import aval_of
from xform.core.stage import stage


def solve_by_columns(matvec: Any, b: Any) -> Any:
    return np.linalg.solve(xform.jacfwd(matvec, holomorphic=b.dtype.kind == "c")(b), b)


def solve_in_python(matvec: Any, b: Any) -> Any:
    matrix = [matvec(e) for e in np.eye(len(b), dtype=b.dtype)]
    return np.linalg.solve(np.asarray(matrix).T.reshape(len(b), len(b)), b)


def linear(a: Any, b: Any, method: Any, staged: bool, symmetric: bool = False) -> Any:
    """M(A) x = b, where M takes the symmetric part if so told."""

    def matvec(a: Any, x: Any) -> Any:
        return [(a + a.T) @ x if symmetric else a @ x]

    operator = stage(matvec, [aval_of(a), aval_of(b)])
    solve = Solve(method, Space("sample", "b", b), "solve", "matvec", False)
    forth: Any = PythonSolver(solve)
    back: Any = forth
    if staged:
        forth = stage(program(solve, operator), operator.in_avals)
        back = stage(program(solve, transposed(operator, 1, "matvec")), operator.in_avals)
    return sample(
        linear_solve, a, b, matvec=operator, solve=forth, transpose_solve=back, sizes=(1, 0, 0),
        symmetric=symmetric, aux=False, origin="a sample",
    )  # fmt: skip


def newton(f: Any, x: Any) -> Any:
    """For an f that acts on each entry."""

    def step(_: Any, x: Any) -> Any:
        y, slope = xform.jvp(f, (x,), (np.ones(x.shape, x.dtype),))
        return x - y / slope

    return fori_loop(0, 60, step, x)


def zero(p: Any, guess: Any, staged: bool) -> Any:
    """x^3 + x = p."""
    space = Space("sample", "guess", guess)
    f = stage(lambda p, x: [x * x * x + x - p], [aval_of(p), aval_of(guess)])
    solver: Any = PythonSolver(Solve(newton, space, "solve", "f", False))
    if staged:
        solver = stage(program(solver.solve, f), f.in_avals)
    tangent, _ = tangent_program(lambda g, y: y / g(np.ones(y.shape, y.dtype)), space, f, [p])
    return sample(root, p, guess, f=f, solve=solver, tangent_solve=tangent, sizes=(1, 0, 0))


def regular(*shape: int, dtype: Any = np.float64) -> Any:
    return normal(*shape, dtype=dtype) + 3 * np.eye(shape[-1], dtype=dtype)


SAMPLES = [
    linear(regular(3, 3), normal(3), solve_by_columns, True),
    linear(regular(3, 3), normal(3), solve_in_python, False),
    linear(regular(2, 2), normal(2), solve_by_columns, True, symmetric=True),
    linear(regular(2, 2, dtype=np.complex128), normal(2, dtype=np.complex128), solve_by_columns, True),
    linear(regular(1, 1, dtype=np.float32), normal(1, dtype=np.float32), solve_in_python, False),
    zero(normal(), normal(), True),
    zero(normal(3), normal(3), False),
    zero(normal(2, 2), normal(2, 2), True),
    zero(normal(0), normal(0), True),
    sample(converged, normal(2, 3), np.float64(0.0), np.float64(1.0), message="{error} {bound}"),
    sample(converged, normal(dtype=np.complex128), np.float64(0.0), np.float64(1.0), message="{error} {bound}"),
    sample(converged, normal(4, dtype=np.float32), np.float32(0.0), np.float32(1.0), message="{error} {bound}"),
]
