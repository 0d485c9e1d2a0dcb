"""fixed_point: derivatives against unrolled and closed forms, solvers, convergence, what it refuses."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import xform
from tests.control.agreement import WORDS, Point, assert_agree
from tests.messages import says
from xform import grad, jet, jvp, make_jaxpr, sparsity_pattern, vmap
from xform.control.implicit import fixed_point as module
from xform.core.check import check
from xform.lax import fixed_point, scan
from xform.linear_solvers import gmres

rng = np.random.default_rng(3)
N = 3
W = rng.normal(size=(N, N)) * 0.3
x = rng.normal(size=N)
POINT = Point(W, x, (rng.normal(size=(3, N, N)) * 0.3, rng.normal(size=(3, N))))


def by_hand(f: Any, x: Any, tol: float, maxiter: int) -> Any:
    """Python on numbers, and on trees."""
    for _ in range(maxiter):
        x, before = f(x), x
        if np.max(abs(x["z"] - before["z"])) < tol:
            break
    return x


def krylov(matvec: Any, y: Any) -> Any:
    return gmres(matvec, y, tol=1e-13)[0]


def layer(z: Any, W: Any, x: Any) -> Any:
    return {"z": np.tanh(W @ z["z"] + x)}


def equilibrium(**options: Any) -> Any:
    """A deep equilibrium: the sum of cubes of the z with z = tanh(W z + x)."""
    return lambda W, x: (fixed_point(layer, {"z": np.zeros(N)}, W, x, **options)["z"] ** 3).sum()


def unrolled(W: Any, x: Any) -> Any:
    """Steps of Newton's method, differentiated one by one."""
    z = np.zeros(N)
    for _ in range(8):
        t = np.tanh(W @ z + x)
        z = z - np.linalg.solve(np.eye(N) - (1 - t**2)[:, None] * W, z - t)
    return (z**3).sum()


CASES: dict[str, dict[str, Any]] = {
    "anderson": {},
    "iteration": {"solver": "iteration"},
    "newton": {"solver": "newton"},
    "by hand": {"solver": by_hand},
    "krylov": {"linear_solver": krylov},
    "newton, krylov": {"solver": "newton", "linear_solver": krylov},
}


@pytest.mark.parametrize("word", WORDS)
@pytest.mark.parametrize("case", CASES)
def test_agrees_with_the_unrolled_search(case: str, word: str):
    assert_agree(WORDS[word](POINT, equilibrium(tol=1e-14, **CASES[case])), WORDS[word](POINT, unrolled), 1e-10)


def test_plain_iterations_differentiated_one_by_one():
    """The derivative of many steps of z <- tanh(W z + x) tends to that of their limit."""

    def steps(W: Any, x: Any) -> Any:
        z = np.zeros(N)
        for _ in range(200):
            z = np.tanh(W @ z + x)
        return (z**3).sum()

    assert_agree(grad(equilibrium(), (0, 1))(W, x), grad(steps, (0, 1))(W, x), 1e-10)


def test_kepler_to_the_fourth_derivative():
    """E = M + e sin E: dE/dM = 1 / (1 - e cos E), and so on by d/dM = dE/dM d/dE."""
    e = 0.4

    def anomaly(M: Any) -> Any:
        return fixed_point(lambda E: M + e * np.sin(E), M)

    def rate(E: Any) -> Any:
        return 1 / (1 - e * np.cos(E))

    derivatives, g = [], rate
    E = anomaly(1.0)
    for _ in range(4):
        derivatives.append(g(E))
        g = lambda E, g=g: grad(g)(E) * rate(E)  # noqa: E731 - one derivative more
    assert_agree(jet(anomaly, (1.0,), ((1.0, 0.0, 0.0, 0.0),))[1], derivatives, 1e-10)
    assert_agree(grad(grad(grad(anomaly)))(1.0), derivatives[2], 1e-10)


def test_many_unknowns_are_solved_without_a_matrix(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(module, "DENSE", 0)
    for word in ("grad", "jvp of grad", "vmap of grad", "staged grad"):
        assert_agree(WORDS[word](POINT, equilibrium(tol=1e-14)), WORDS[word](POINT, unrolled), 1e-9)
    f = equilibrium(tol=1e-14, solver="newton")
    assert_agree(grad(f, (0, 1))(W, x), grad(unrolled, (0, 1))(W, x), 1e-9)


def test_large_equilibrium():
    """x = a cos(x) / (1 + |x|^2 / n) for 300 unknowns, whose derivative in a is taken by GMRES."""
    n, start = 300, np.linspace(0, 1, 300)

    def f(x: Any, a: Any) -> Any:
        return a * np.cos(x + start) / (1 + (x**2).sum() / n)

    def steps(a: Any) -> Any:
        x = start
        for _ in range(120):
            x = f(x, a)
        return (x**2).sum()

    assert_agree(grad(lambda a: (fixed_point(f, start, a) ** 2).sum())(0.7), grad(steps)(0.7), 1e-9)


def test_cost_does_not_depend_on_the_steps_of_the_search():
    """What reverse mode keeps is the solution, and the matrix-vector product there."""
    calls = []

    def f(x: Any, a: Any) -> Any:
        calls.append(1)
        return a * np.cos(x)

    def root(a: Any) -> Any:
        return fixed_point(f, 0.0, a, solver="iteration")

    grad(root)(0.99)
    assert len(calls) == 1  # it is staged, once
    jaxpr = make_jaxpr(grad(root))(0.99)
    check(jaxpr)
    assert str(jaxpr).count("while[") == 1


def test_mixed_precision_and_several_leaves():
    def f(z: Any, a: Any) -> Any:
        u, v = z
        return (np.cos(v.sum()) * a * np.ones(2, np.float32)).astype(np.float32), 0.5 * np.sin(u) + a * np.ones(2)

    def total(a: Any) -> Any:
        u, v = fixed_point(f, (np.zeros(2, np.float32), np.zeros(2)), a, tol=1e-6)
        assert (u.dtype, v.dtype) == (np.float32, np.float64)
        return u.sum() + (v**2).sum()

    h = 1e-3
    assert_agree(grad(total)(0.3), (total(0.3 + h) - total(0.3 - h)) / (2 * h), 1e-3)


def test_complex_fixed_point():
    """z = a exp(-z) / 2: dz/da = z / (a (1 + z))."""

    def f(a: Any) -> Any:
        return fixed_point(lambda z: 0.5 * a * np.exp(-z), 0.5 + 0.5j)

    a = 1.0 + 0.5j
    z = f(a)
    assert_agree(z, 0.5 * a * np.exp(-z), 1e-12)
    assert_agree(grad(f, holomorphic=True)(a), z / (a * (1 + z)), 1e-10)


def test_anderson_needs_fewer_steps():
    def steps(solver: str) -> int:
        """The least maxiter with which it converges."""
        slow = np.diag(np.linspace(0.5, 0.99, 6))
        for maxiter in range(1, 4000):
            try:
                fixed_point(lambda x: slow @ np.sin(x) + 0.1, np.zeros(6), solver=solver, maxiter=maxiter, tol=1e-8)
            except RuntimeError:
                continue
            return maxiter
        raise AssertionError(solver)

    assert steps("newton") < steps("anderson") < steps("iteration") / 2


@pytest.mark.parametrize("solver", ["iteration", "anderson", "newton", by_hand])
def test_search_that_does_not_converge_raises(solver: Any):
    def f(z: Any, a: Any) -> Any:
        return {"z": z["z"] + a}  # has no fixed point

    def g(z: Any, a: Any) -> Any:
        return {"z": np.cos(a * z["z"])}

    if solver != "newton":
        with says(RuntimeError, "fixed_point of", "after at most 9 steps", "|f(x) - x| is", "wanted", "maxiter"):
            fixed_point(f, {"z": np.zeros(2)}, 1.0, solver=solver, maxiter=9)
    else:
        with says(np.linalg.LinAlgError, "Singular matrix"):
            fixed_point(f, {"z": np.zeros(2)}, 1.0, solver=solver, maxiter=9)

    def root(a: Any) -> Any:
        return fixed_point(g, {"z": np.array([0.5])}, a, solver=solver, maxiter=3, tol=1e-13)["z"].sum()

    with says(RuntimeError, "fixed_point of", "after at most 3 steps"):
        grad(root)(1.0)
    program = make_jaxpr(root)(1.0)
    with says(RuntimeError, "after at most 3 steps"):
        program(1.0)
    assert_agree(program(0.0), 1.0, 1e-15)
    with says(RuntimeError, "after at most 3 steps"):
        vmap(root)(np.array([0.0, 1.0]))
    assert_agree(vmap(root)(np.zeros(2)), np.ones(2), 1e-15)


def test_iteration_that_diverges_to_nan_raises():
    with np.errstate(all="ignore"), says(RuntimeError, "after at most 1000 steps"):
        fixed_point(lambda x: x * x + 2.0, 1.0, solver="iteration")


def test_derivative_of_a_fixed_point_that_is_not_isolated():
    with says(np.linalg.LinAlgError, "Singular matrix"):
        grad(lambda a: fixed_point(lambda x: x + 0.0 * a, 1.0))(1.0)


def test_system_that_gmres_does_not_solve(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(module, "DENSE", 0)
    with says(RuntimeError, "GMRES has left a residual", "Give a linear_solver"):
        grad(lambda a: fixed_point(lambda x: x + 0.0 * a, 1.0))(1.0)


def test_no_derivative_in_the_start():
    def f(x0: Any) -> Any:
        return fixed_point(np.cos, x0)

    assert grad(f)(0.3) == 0
    assert sparsity_pattern(f, 0.3) == np.False_
    assert_agree(vmap(f)(np.array([0.1, 2.0])), np.full(2, 0.7390851332151607), 1e-11)


def test_inside_a_scan():
    """Implicit Euler for x' = -a x^3: each step is a fixed point."""

    def end(a: Any, step: Any) -> Any:
        return scan(lambda x, _: (step(x, a), None), 1.0, None, length=4)[0]

    def implicit(x: Any, a: Any) -> Any:
        return fixed_point(lambda y: x - 0.1 * a * y**3, x, tol=1e-15)

    def newton(x: Any, a: Any) -> Any:
        y = x
        for _ in range(8):
            y = y - (y - x + 0.1 * a * y**3) / (1 + 0.3 * a * y**2)
        return y

    wanted = jvp(grad(lambda a: end(a, newton)), (0.8,), (1.0,))
    assert_agree(jvp(grad(lambda a: end(a, implicit)), (0.8,), (1.0,)), wanted, 1e-10)
    assert_agree(make_jaxpr(grad(lambda a: end(a, implicit)))(0.8)(0.8), wanted[0], 1e-10)


def test_fixed_point_inside_a_fixed_point():
    def inner(x: Any, a: Any) -> Any:
        return fixed_point(lambda y: 0.5 * np.cos(a * y + x), 0.0, tol=1e-15)

    def outer(a: Any) -> Any:
        return fixed_point(lambda x: 0.5 * inner(x, a) + 0.1 * a, 0.0, tol=1e-14)

    h = 1e-5
    difference = (outer(0.6 + h) - outer(0.6 - h)) / (2 * h)
    assert_agree(grad(outer)(0.6), difference, 1e-8)
    assert_agree(xform.jacfwd(outer)(0.6), grad(outer)(0.6), 1e-12)
    assert_agree(make_jaxpr(grad(outer))(0.6)(0.6), grad(outer)(0.6), 1e-12)


def test_errors():
    with says(TypeError, "fixed_point of", "x0 is i64[]", "x0.astype(float) or 1.0"):
        fixed_point(np.cos, 1)
    with says(TypeError, "fixed_point of", "f(x) is f64[3]", "wanted f64[2]", "of x0"):
        fixed_point(lambda x: np.ones(3), np.zeros(2))
    with says(TypeError, "f(x) has the structure", "that of x0"):
        fixed_point(lambda x: (x,), np.zeros(2))
    with says(TypeError, "all real or all complex", "f64[], c128[]"):
        fixed_point(lambda x: x, [1.0, 1j])
    with says(TypeError, "one at least", "given none"):
        fixed_point(lambda x: x, [])
    with says(ValueError, "solver is 'broyden'", "'iteration', 'anderson', 'newton'"):
        fixed_point(np.cos, 1.0, solver="broyden")
    with says(ValueError, "maxiter is -1"):
        fixed_point(np.cos, 1.0, maxiter=-1)
    with says(ValueError, "tol is -1.0"):
        fixed_point(np.cos, 1.0, tol=-1.0)
