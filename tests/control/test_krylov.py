"""cg, gmres and bicgstab against SciPy and the dense solution; derivatives in every mode; when they stop."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import scipy.sparse.linalg

from tests.control.agreement import WORDS, Point, assert_agree
from tests.messages import says
from xform import grad, jvp, linear_transpose, make_jaxpr, vmap
from xform.core.check import check
from xform.linear_solvers import bicgstab, cg, gmres

rng = np.random.default_rng(1)
N = 5
A = rng.normal(size=(N, N)) + 4 * np.eye(N)
b = rng.normal(size=N)
POINT = Point(A, b, (np.stack([A, A.T, A + np.eye(N)]), rng.normal(size=(3, N))))


def definite(A: Any) -> Any:
    return A @ A.T + np.eye(len(A))


def given(A: Any) -> Any:
    return A


def diagonal(A: Any) -> Any:
    """Jacobi's preconditioner."""
    return lambda r: r / A.diagonal()


#: solver, what makes a matrix of the argument, and the other arguments made of the matrix and b
CASES: dict[str, tuple[Any, Any, Any]] = {
    "cg": (cg, definite, lambda A, b: {}),
    "cg with x0 and M": (cg, definite, lambda A, b: {"x0": 2 * b, "M": diagonal(A)}),
    "cg with a matrix M": (cg, definite, lambda A, b: {"M": np.eye(N) / 3}),
    "gmres": (gmres, given, lambda A, b: {}),
    "gmres restarted": (gmres, given, lambda A, b: {"restart": 2, "x0": b, "maxiter": 200}),
    "gmres with M": (gmres, given, lambda A, b: {"restart": 4, "M": diagonal(A), "solve_method": "incremental"}),
    "gmres with a matrix M": (gmres, given, lambda A, b: {"M": np.linalg.inv(A + 0.1)}),
    "bicgstab": (bicgstab, given, lambda A, b: {}),
    "bicgstab with x0 and M": (bicgstab, given, lambda A, b: {"x0": b, "M": diagonal(A)}),
}


def implicit(case: str) -> Any:
    solver, matrix, others = CASES[case]

    def f(A: Any, b: Any) -> Any:
        M = matrix(A)
        return (solver(lambda x: M @ x, b, tol=1e-14, **others(M, b))[0] ** 3).sum()

    return f


def dense(case: str) -> Any:
    matrix = CASES[case][1]
    return lambda A, b: (np.linalg.solve(matrix(A), b) ** 3).sum()


@pytest.mark.parametrize("word", WORDS)
@pytest.mark.parametrize("case", CASES)
def test_agrees_with_the_dense_solution(case: str, word: str):
    assert_agree(WORDS[word](POINT, implicit(case)), WORDS[word](POINT, dense(case)), 1e-8)


@pytest.mark.parametrize("solver", [cg, gmres, bicgstab])
def test_large_system_against_scipy(solver: Any):
    """A Laplacian with a potential, at the tolerance that was asked for."""
    n = 400
    potential, right = 1 + rng.random(n), rng.normal(size=n)

    def apply(x: Any) -> Any:
        return (2 + potential) * x - np.append(x[1:], 0.0) - np.append(0.0, x[:-1])

    x, info = solver(apply, right, tol=1e-6)
    assert info == 0
    assert np.linalg.norm(apply(x) - right) <= 1.001e-6 * np.linalg.norm(right)
    operator = scipy.sparse.linalg.LinearOperator((n, n), matvec=apply, dtype=float)
    wanted, _ = getattr(scipy.sparse.linalg, solver.__name__)(operator, right, rtol=1e-12)
    assert_agree(x, wanted, 1e-5)


@pytest.mark.parametrize("solver", [cg, gmres, bicgstab])
def test_info_says_that_it_has_not_converged(solver: Any):
    ill = np.diag(np.logspace(0, 8, 30))
    more = {"restart": 3} if solver is gmres else {}
    x, info = solver(ill, np.ones(30), tol=1e-12, maxiter=4, **more)
    assert info == 4
    assert np.all(np.isfinite(x))
    assert solver(ill, np.ones(30), tol=1e-12, maxiter=0, **more)[1] == 1
    for bad in (np.nan, np.inf):  # no success
        with np.errstate(invalid="ignore"):
            assert solver(ill, np.full(30, bad))[1] > 0
    infos = vmap(lambda b: solver(ill, b, tol=1e-12, maxiter=4, **more)[1])(np.stack([np.ones(30), np.zeros(30)]))
    np.testing.assert_array_equal(infos, [4, 0])


@pytest.mark.parametrize("solver", [cg, gmres, bicgstab])
def test_nothing_to_do(solver: Any):
    x, info = solver(A, np.zeros(N))
    assert info == 0
    assert not x.any()
    x, info = solver(A, b, np.linalg.solve(A, b), tol=1e-10)
    assert info == 0
    assert_agree(x, np.linalg.solve(A, b), 1e-12)
    x, info = solver(np.eye(0), np.zeros(0))
    assert x.shape == (0,)
    assert info == 0


def test_atol_and_tol():
    """It stops at the larger of tol |b| and atol."""
    steps = []

    def apply(x: Any) -> Any:
        steps.append(1)
        return definite(A) @ x

    counts = []
    for options in ({"tol": 1e-12}, {"tol": 1e-2}, {"tol": 1e-12, "atol": 1e-2 * np.linalg.norm(b)}, {"atol": 1e3}):
        steps.clear()
        cg(apply, b, **options)
        counts.append(len(steps))
    assert counts[0] > counts[1] == counts[2] > counts[3] == 0


@pytest.mark.parametrize("solver", [gmres, bicgstab])
def test_singular_system_ends_without_a_nan(solver: Any):
    x, info = solver(np.diag([1.0, 2.0, 0.0]), np.ones(3), maxiter=20)
    assert info != 0
    assert np.all(np.isfinite(x))
    shift = np.eye(4)[[1, 2, 3, 0]]  # on which r^T A r = 0: BiCGSTAB breaks down, GMRES takes n steps
    x, info = solver(shift, np.eye(4)[0], maxiter=20)
    assert np.all(np.isfinite(x))
    assert (info == 0) == (solver is gmres)
    assert solver is gmres or info in (-10, -11)


def test_cg_of_an_indefinite_matrix_ends_without_a_nan():
    x, info = cg(np.array([[0.0, 1.0], [1.0, 0.0]]), np.array([1.0, 0.0]))
    assert info > 0
    assert np.all(np.isfinite(x))


def test_gmres_is_done_after_n_steps():
    """The residual of a cycle of n steps is that of rounding, also where the Krylov space is smaller."""
    for matrix, count in ((A, N), (np.eye(N) + np.outer(b, b), 2), (3 * np.eye(N), 1)):
        steps = []

        def apply(x: Any, matrix: Any = matrix, steps: Any = steps) -> Any:
            steps.append(1)
            return matrix @ x

        right = b + np.arange(N)
        x, info = gmres(apply, right, tol=1e-13, maxiter=1)
        assert info == 0
        assert len(steps) == count + 1  # and one for the residual
        assert_agree(x, np.linalg.solve(matrix, right), 1e-12)


@pytest.mark.parametrize("solver", [cg, gmres, bicgstab])
def test_complex_systems(solver: Any):
    C = A + 1j * rng.normal(size=(N, N))
    c = b + 1j * b[::-1]

    def hermitian(C: Any) -> Any:
        return C @ C.conj().T + np.eye(N) if solver is cg else C

    def f(C: Any, c: Any) -> Any:
        return (abs(solver(hermitian(C), c, tol=1e-14)[0]) ** 2).sum()

    def reference(C: Any, c: Any) -> Any:
        return (abs(np.linalg.solve(hermitian(C), c)) ** 2).sum()

    assert_agree(f(C, c), reference(C, c), 1e-10)
    assert_agree(grad(f, (0, 1))(C, c), grad(reference, (0, 1))(C, c), 1e-8)


def test_matrix_may_be_more_precise_than_the_right_hand_side():
    assert gmres(A + 1j, b)[0].dtype == np.complex128
    assert gmres(A, b.astype(np.float32))[0].dtype == np.float64
    assert gmres(A.astype(np.float32), b.astype(np.float32))[0].dtype == np.float32
    assert_agree(cg(np.diag([2, 4]), np.array([2, 2]))[0], np.array([1.0, 0.5]), 1e-12)


@pytest.mark.parametrize("solver", [cg, gmres, bicgstab])
def test_trees(solver: Any):
    """A block matrix [[D, c], [c, d]] on {"u": vector, "v": number}."""
    D, c, d = definite(A), 0.3 * b, 5.0

    def f(D: Any, c: Any) -> Any:
        def apply(x: Any) -> Any:
            return {"u": D @ x["u"] + c * x["v"], "v": c @ x["u"] + d * x["v"]}

        x, _ = solver(apply, {"u": b, "v": 1.0}, {"u": b, "v": 0.0}, tol=1e-14)
        return (x["u"] ** 2).sum() + x["v"] ** 3

    def reference(D: Any, c: Any) -> Any:
        matrix = np.concatenate(
            [np.concatenate([D, c[:, None]], axis=1), np.concatenate([c, np.array([d])])[None]], axis=0
        )
        x = np.linalg.solve(matrix, np.append(b, 1.0))
        return (x[:-1] ** 2).sum() + x[-1] ** 3

    assert_agree(grad(f, (0, 1))(D, c), grad(reference, (0, 1))(D, c), 1e-8)


def test_loop_is_staged_and_the_derivative_is_a_solve():
    jaxpr = make_jaxpr(vmap(grad(implicit("cg"))))(*POINT.batch)
    check(jaxpr)
    assert str(jaxpr).count("while[") >= 2
    assert "times" not in str(jaxpr)


def test_linear_transpose():
    (y,) = linear_transpose(lambda b: gmres(A, b, tol=1e-14)[0], b)(b)
    assert_agree(y, np.linalg.solve(A.T, b), 1e-10)


def test_preconditioner_that_cannot_be_transposed_is_left_out_backwards():
    incomplete = scipy.sparse.linalg.splu(scipy.sparse.csc_array(A))
    seen = []

    def M(r: Any) -> Any:
        seen.append(1)
        return incomplete.solve(np.asarray(r))

    def f(b: Any) -> Any:
        return (gmres(A, b, tol=1e-13, M=M)[0] ** 3).sum()

    assert_agree(grad(f)(b), grad(lambda b: dense("gmres")(A, b))(b), 1e-8)
    assert seen
    assert_agree(jvp(f, (b,), (b,)), jvp(lambda b: dense("gmres")(A, b), (b,), (b,)), 1e-8)


def test_errors():
    with says(ValueError, "gmres: A is f64[3,4] and b is f64[3]", "(n, n)", "(n,)"):
        gmres(np.ones((3, 4)), np.ones(3))
    with says(ValueError, "cg: A is f64[2,2] and b is a tree of 2 leaves", "a function for A"):
        cg(np.eye(2), [1.0, 2.0])
    with says(ValueError, "bicgstab: M is f64[2,2]"):
        bicgstab(np.eye(3), np.ones(3), M=np.eye(2))
    with says(TypeError, "cg: x0 has a leaf f64[2] where b has f64[3]"):
        cg(np.eye(3), np.ones(3), np.ones(2))
    with says(TypeError, "cg: x0 has the structure"):
        cg(np.eye(3), np.ones(3), [np.ones(3)])
    with says(ValueError, "restart is 0"):
        gmres(np.eye(3), np.ones(3), restart=0)
    with says(ValueError, "solve_method is 'fast'", "'batched' or 'incremental'"):
        gmres(np.eye(3), np.ones(3), solve_method="fast")
    with says(ValueError, "maxiter is 2.5"):
        cg(np.eye(3), np.ones(3), maxiter=2.5)  # type: ignore[arg-type]
    with says(TypeError, "tol is f64[2]", "wanted a real number"):
        cg(np.eye(3), np.ones(3), tol=np.ones(2))  # type: ignore[arg-type]
    with says(TypeError, "real and complex leaves (float64, complex128)"):
        gmres(lambda x: x, [1.0, 1j])
    with says(ValueError, "b has no leaves"):
        gmres(lambda x: x, [])
    with says(TypeError, "for A", "str"):
        gmres("A", np.ones(3))
    with says(TypeError, "matvec(x) is f64[2]", "wanted f64[3]"):
        gmres(lambda x: x[:2], np.ones(3))
