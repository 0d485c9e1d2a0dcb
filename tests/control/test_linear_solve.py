"""custom_linear_solve against the dense solution, in every mode; what it takes as a solver; what it refuses."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import scipy.sparse.linalg

import xform
from tests.control.agreement import WORDS, Point, assert_agree
from tests.messages import says
from xform import grad, jacobian, jvp, linear_transpose, make_jaxpr, sparsity_pattern, vjp, vmap
from xform.core.check import check
from xform.core.errors import ConcretizationError, NonlinearError
from xform.lax import custom_linear_solve, scan

rng = np.random.default_rng(0)
N = 4
A = rng.normal(size=(N, N)) + 4 * np.eye(N)
b = rng.normal(size=N)
POINT = Point(A, b, (np.stack([A, A.T, A + np.eye(N)]), rng.normal(size=(3, N))))


def by_matrix(matvec: Any, b: Any) -> Any:
    return np.linalg.solve(jacobian(matvec)(b), b)


def by_refinement(matvec: Any, b: Any) -> Any:
    """Python on numbers: a loop that asks how far it has come."""
    x, matrix = np.zeros_like(b), np.stack([matvec(e) for e in np.eye(len(b))], axis=1)
    while np.linalg.norm(b - matvec(x)) > 1e-13:
        x = x + np.linalg.solve(matrix, b - matvec(x))
    return x


def by_scipy(matvec: Any, b: Any) -> Any:
    operator = scipy.sparse.linalg.LinearOperator((N, N), matvec=lambda x: matvec(x.reshape(-1)), dtype=b.dtype)
    return scipy.sparse.linalg.gmres(operator, b, rtol=1e-14, atol=0.0)[0]


def solved_by(solve: Any) -> Any:
    """The sum of cubes of the solution."""
    return lambda A, b: (custom_linear_solve(lambda x: A @ x, b, solve, solve) ** 3).sum()


def closed_over(A: Any, b: Any) -> Any:
    """Solvers that ignore the operator they are handed."""
    x = custom_linear_solve(
        lambda x: A @ x, b, lambda _, b: np.linalg.solve(A, b), lambda _, b: np.linalg.solve(A.T, b)
    )
    return (x**3).sum()


def symmetric(A: Any, b: Any) -> Any:
    return (custom_linear_solve(lambda x: A @ x + x @ A, b, by_matrix, symmetric=True) ** 3).sum()


def dense(A: Any, b: Any) -> Any:
    return (np.linalg.solve(A, b) ** 3).sum()


CASES = {
    "matrix": (solved_by(by_matrix), dense),
    "python": (solved_by(by_refinement), dense),
    "scipy": (solved_by(by_scipy), dense),
    "closure": (closed_over, dense),
    "symmetric": (symmetric, lambda A, b: dense(A + A.T, b)),
}


@pytest.mark.parametrize("word", WORDS)
@pytest.mark.parametrize("case", CASES)
def test_agrees_with_the_dense_solution(case: str, word: str):
    f, reference = CASES[case]
    assert_agree(WORDS[word](POINT, f), WORDS[word](POINT, reference), 1e-10)


def test_closed_form_of_the_derivatives():
    """x_dot = A^-1 (b_dot - A_dot x), and the second derivative in A along A_dot is 2 A^-1 A_dot A^-1 A_dot x."""

    def x(A: Any, b: Any) -> Any:
        return custom_linear_solve(lambda x: A @ x, b, by_matrix, by_matrix)

    A_dot, b_dot = POINT.dots[0]
    inverse = np.linalg.inv(A)
    y, y_dot = jvp(x, (A, b), (A_dot, b_dot))
    assert_agree(y_dot, inverse @ (b_dot - A_dot @ y), 1e-12)
    second = jvp(lambda A: jvp(lambda A: x(A, b), (A,), (A_dot,))[1], (A,), (A_dot,))[1]
    assert_agree(second, 2 * inverse @ A_dot @ inverse @ A_dot @ y, 1e-12)
    _, pullback = vjp(x, A, b)
    b_bar = inverse.T @ b_dot
    assert_agree(pullback(b_dot), (-np.outer(b_bar, y), b_bar), 1e-12)


def test_right_hand_side_is_a_tree():
    def f(A: Any, b: Any) -> Any:
        def matvec(x: Any) -> Any:
            return {"u": A[:1, :1] @ x["u"] + A[:1, 1:] @ x["v"], "v": A[1:, :1] @ x["u"] + A[1:, 1:] @ x["v"]}

        def solve(matvec: Any, b: Any) -> Any:
            columns = [matvec({"u": e[:1], "v": e[1:]}) for e in np.eye(N)]
            matrix = np.stack([np.concatenate([c["u"], c["v"]]) for c in columns], axis=1)
            x = np.linalg.solve(matrix, np.concatenate([b["u"], b["v"]]))
            return {"u": x[:1], "v": x[1:]}

        x = custom_linear_solve(matvec, {"u": b[:1], "v": b[1:]}, solve, solve)
        return (x["u"] ** 3).sum() + (x["v"] ** 3).sum()

    for word in ("value", "grad", "jvp of grad", "vmap of grad", "staged grad"):
        assert_agree(WORDS[word](POINT, f), WORDS[word](POINT, dense), 1e-10)


def test_complex_system_is_transposed_and_not_conjugated():
    C, c = A + 1j * A.T @ A, b + 1j * b[::-1]

    def solve(matvec: Any, b: Any) -> Any:
        return np.linalg.solve(xform.jacfwd(matvec, holomorphic=True)(b), b)

    def f(C: Any, c: Any) -> Any:
        return (abs(custom_linear_solve(lambda x: C @ x, c, solve, solve)) ** 2).sum()

    def reference(C: Any, c: Any) -> Any:
        return (abs(np.linalg.solve(C, c)) ** 2).sum()

    assert_agree(grad(f, (0, 1))(C, c), grad(reference, (0, 1))(C, c), 1e-10)
    staged = make_jaxpr(grad(f, (0, 1)))(C, c)
    assert_agree(staged(C, c), grad(reference, (0, 1))(C, c), 1e-10)


def test_single_precision_stays_single():
    single = A.astype(np.float32), b.astype(np.float32)
    x = custom_linear_solve(lambda x: single[0] @ x, single[1], by_matrix)
    gradients = grad(solved_by(by_matrix), (0, 1))(*single)
    assert {x.dtype, *(g.dtype for g in gradients)} == {np.dtype(np.float32)}
    assert_agree(gradients, grad(dense, (0, 1))(A, b), 1e-4)


def test_a_solver_in_double_precision_serves_a_single_one():
    """SciPy returns doubles for singles here and there; a solution of another kind is refused."""
    c = b.astype(np.float32)
    x = custom_linear_solve(lambda x: 2 * x, c, lambda _, b: np.asarray(b, np.float64) / 2)
    assert x.dtype == np.float32
    assert_agree(x, c / 2, 1e-6)


def test_forward_mode_needs_no_transpose_solve():
    def x(A: Any) -> Any:
        return custom_linear_solve(lambda x: A @ x, b, by_matrix)

    A_dot = POINT.dots[0][0]
    assert_agree(jvp(x, (A,), (A_dot,)), jvp(lambda A: np.linalg.solve(A, b), (A,), (A_dot,)), 1e-10)
    with says(TypeError, "custom_linear_solve of", "no transpose_solve", "symmetric=True"):
        grad(lambda A: x(A).sum())(A)


def test_aux_comes_along_without_a_derivative():
    def solve(matvec: Any, b: Any) -> Any:
        x = by_matrix(matvec, b)
        return x, {"size": (x**2).sum(), "steps": np.int64(7)}

    def f(A: Any, b: Any) -> Any:
        x, aux = custom_linear_solve(lambda x: A @ x, b, solve, by_matrix, has_aux=True)
        assert set(aux) == {"size", "steps"}
        return (x**3).sum() + aux["size"] * aux["steps"]

    extra = 7 * (np.linalg.solve(A, b) ** 2).sum()
    assert_agree(f(A, b), dense(A, b) + extra, 1e-12)
    for word in ("grad", "hessian in a", "grad of grad", "staged grad", "vmap of grad"):
        assert_agree(WORDS[word](POINT, f), WORDS[word](POINT, dense), 1e-10)
    for value, a, c in zip(vmap(f)(*POINT.batch), *POINT.batch, strict=True):
        assert_agree(value, f(a, c), 1e-12)
    assert_agree(make_jaxpr(vmap(f))(*POINT.batch)(*POINT.batch), vmap(f)(*POINT.batch), 1e-12)


def test_aux_of_a_solver_in_python_is_stacked():
    def solve(matvec: Any, b: Any) -> Any:
        return by_refinement(matvec, b), np.int64(b[0] > 0)

    def info(b: Any) -> Any:
        return custom_linear_solve(lambda x: A @ x, b, solve, has_aux=True)[1]

    np.testing.assert_array_equal(vmap(info)(POINT.batch[1]), POINT.batch[1][:, 0] > 0)
    with pytest.raises(ConcretizationError):  # what it returns beside x is not known before it runs
        make_jaxpr(info)(b)


def test_a_solver_in_python_is_called_when_the_program_runs():
    calls = []

    def solve(matvec: Any, b: Any) -> Any:
        if np.max(b) < 1e300:
            calls.append(type(b))
        return by_refinement(matvec, b)

    f = solved_by(solve)
    jaxpr = make_jaxpr(f)(A, b)
    check(jaxpr)
    assert "solve=solve" in str(jaxpr)
    assert calls == []
    assert_agree(jaxpr(A, b), dense(A, b), 1e-12)
    assert calls == [np.ndarray]


def test_a_staged_solver_is_one_program():
    jaxpr = make_jaxpr(vmap(closed_over))(*POINT.batch)
    check(jaxpr)
    assert str(jaxpr).count("= solve") >= 1
    assert "times" not in str(jaxpr)


def test_vmap_over_no_examples():
    for solve in (by_matrix, by_refinement):
        out = vmap(lambda b, solve=solve: custom_linear_solve(lambda x: A @ x, b, solve))(np.zeros((0, N)))
        assert out.shape == (0, N)


def test_two_systems_that_differ_in_a_constant_only():
    """Taylor series are remembered by operation: two programs with one text are two programs."""
    B = A + np.eye(N)

    def f(b: Any) -> Any:
        return sum(custom_linear_solve(lambda x, M=M: M @ x, b, by_matrix, by_matrix) ** 2 for M in (A, B))

    def reference(b: Any) -> Any:
        return np.linalg.solve(A, b) ** 2 + np.linalg.solve(B, b) ** 2

    (b_dot, more) = POINT.dots[0][1], POINT.dots[1][1]
    assert_agree(xform.jet(f, (b,), ((b_dot, more),)), xform.jet(reference, (b,), ((b_dot, more),)), 1e-10)


def test_linear_in_the_right_hand_side():
    def x(b: Any) -> Any:
        return custom_linear_solve(lambda x: A @ x, b, by_matrix, by_matrix)

    assert_agree(linear_transpose(x, b)(b), (np.linalg.solve(A.T, b),), 1e-10)
    with says(NonlinearError, "linear in its right-hand side only"):
        linear_transpose(lambda A: custom_linear_solve(lambda x: A @ x, b, by_matrix, by_matrix), A)(b)


def test_every_entry_depends_on_all():
    assert sparsity_pattern(lambda b: custom_linear_solve(lambda x: A @ x, b, by_matrix), b).all()


def test_inside_a_scan():
    def f(A: Any, b: Any, solve: Any) -> Any:
        def step(x: Any, _: Any) -> Any:
            return solve(A, x) + b, None

        return (scan(step, b, None, length=3)[0] ** 2).sum()

    def implicit(A: Any, x: Any) -> Any:
        return custom_linear_solve(lambda y: A @ y, x, by_matrix, by_matrix)

    wanted = grad(f, (0, 1))(A, b, np.linalg.solve)
    assert_agree(grad(lambda A, b: f(A, b, implicit), (0, 1))(A, b), wanted, 1e-10)
    jaxpr = make_jaxpr(grad(lambda A, b: f(A, b, implicit), (0, 1)))(A, b)
    assert_agree(jaxpr(A, b), wanted, 1e-10)


def test_errors():
    with says(TypeError, "custom_linear_solve of", "matvec(x) has the structure", "that of b"):
        custom_linear_solve(lambda x: (x, x), b, by_matrix)
    with says(TypeError, "matvec(x) is f64[3]", "wanted f64[4]"):
        custom_linear_solve(lambda x: x[1:], b, by_matrix)
    with says(TypeError, "matvec(x) is c128[4]", "wanted f64[4]"):
        grad(lambda c: custom_linear_solve(lambda x: 1j * c * x, b, by_matrix).sum())(1.0)
    with says(TypeError, "the result of solve['u'] is f64[2]", "b['u']"):
        custom_linear_solve(lambda x: x, {"u": b}, lambda _, b: {"u": b["u"][:2]})
    with says(TypeError, "the result of solve is c128[4]", "wanted f64[4]"):
        custom_linear_solve(lambda x: x, b, lambda _, b: b + 0j)
    with says(TypeError, "the result of transpose_solve is f64[1]"):
        grad(lambda b: custom_linear_solve(lambda x: x, b, lambda _, b: b, lambda _, b: b[:1]).sum())(b)
    with says(TypeError, "has_aux=True", "solve must return a pair (solution, aux)", "ndarray"):
        custom_linear_solve(lambda x: x, b, by_refinement, has_aux=True)
    with says(TypeError, "b[1] is i64[2]", "b[1].astype(float)"):
        custom_linear_solve(lambda x: x, [b, np.arange(2)], by_matrix)
    with says(TypeError, "the argument of matvec is f64[2]", "wanted f64[4]"):
        custom_linear_solve(lambda x: x, b, lambda matvec, b: matvec(b[:2]))
    with says(TypeError, "str", "wanted a function"):
        custom_linear_solve(lambda x: x, b, "cg")


def test_matvec_that_is_not_linear_is_found_in_reverse():
    with says(NonlinearError, "matvec"):
        grad(lambda b: custom_linear_solve(lambda x: x**2, b, lambda _, b: b, lambda _, b: b).sum())(b)


def test_matvec_that_branches_cannot_be_staged():
    with says(ConcretizationError, "custom_linear_solve of"):
        grad(lambda c: custom_linear_solve(lambda x: c * x if x[0] > 0 else x, b, by_matrix, by_matrix).sum())(1.0)


def test_python_that_closes_over_a_batch_is_told_what_to_do():
    def f(A: Any) -> Any:
        def solve(_: Any, b: Any) -> Any:
            return np.linalg.solve(A, b) if np.max(b) < 1e300 else b

        return custom_linear_solve(lambda x: A @ x, b, solve)

    with says(ConcretizationError, "closes over", "vmap of", "lax.while_loop"):
        vmap(f)(POINT.batch[0])
    assert_agree(jvp(f, (A,), (A,))[0], np.linalg.solve(A, b), 1e-12)  # eagerly a closure has a number


def test_solver_may_write_into_its_arrays():
    kept = np.zeros(N)

    def solve(_: Any, b: Any) -> Any:
        b *= 0.5
        kept[:] = b
        return kept

    def f(c: Any) -> Any:
        c = c * np.ones(N)
        x = custom_linear_solve(lambda x: 2 * x, c, solve, solve)
        y = custom_linear_solve(lambda x: 2 * x, x, solve, solve)
        return (c + x * y).sum()

    assert_agree(grad(f)(3.0), 4 * (1 + 2 * 3.0 / 8), 1e-12)


def test_fault_of_a_solver_is_reported_while_the_program_is_written():
    for transform in (make_jaxpr, vmap):
        with says(TypeError, "the result of solve is f64[3]", "wanted f64[4]"):
            transform(lambda b: custom_linear_solve(lambda x: x, b, lambda _, b: b[1:]))(
                b if transform is make_jaxpr else POINT.batch[1]
            )
