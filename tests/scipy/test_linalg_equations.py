"""Equations of xform.scipy.linalg: values of SciPy's, derivatives, leading axes, errors."""

import numpy as np
import pytest
import scipy.linalg as sl
from numpy.linalg import LinAlgError
from numpy.testing import assert_allclose, assert_array_equal

import xform
from tests.messages import says
from tests.scipy.same_as_scipy import check, normal, positive, regular
from xform.core.primitive import Linear
from xform.scipy import linalg
from xform.scipy.linalg.banded import banded_solve
from xform.scipy.linalg.sylvester import sylvester

both = pytest.mark.parametrize("dtype", [float, complex])


# --- general, triangular and positive definite systems ---


@pytest.mark.parametrize("assume_a", [None, "gen", "diagonal", "tridiagonal", "sym", "her", "pos", "upper triangular"])
@pytest.mark.parametrize("lower", [False, True])
def test_solve_of_a_structure_reads_what_scipy_reads(assume_a, lower):
    a, b = positive(4), normal(4)
    check(
        lambda a, b: linalg.solve(a, b, assume_a=assume_a, lower=lower),
        lambda a, b: sl.solve(a, b, assume_a=assume_a, lower=lower),
        a,
        b,
    )


def test_a_triangle_that_is_not_read_has_no_derivative():
    a, b = positive(3), normal(3)
    for name, unread in [("sym", np.tril), ("pos", np.tril), ("upper triangular", np.tril)]:
        gradient = xform.grad(lambda a, name=name: linalg.solve(a, b, assume_a=name).sum())(a)
        assert_array_equal(unread(gradient, -1), 0)
        assert np.all(gradient[np.triu_indices(3)] != 0)


def test_solve_transposed_and_complex_structures():
    a, b = regular(3), normal(3, 2)
    for name in ["gen", "upper triangular", "lower triangular"]:
        t = {"gen": a, "upper triangular": np.triu(a), "lower triangular": np.tril(a)}[name]
        x = xform.linearize(lambda a, name=name: linalg.solve(a, b, assume_a=name, transposed=True), a)[0]
        assert_allclose(x, np.linalg.solve(t.T, b))
    c = positive(3, complex)
    for name in ["her", "pos"]:
        x = xform.linearize(lambda c, name=name: linalg.solve(c, b, assume_a=name), c)[0]
        assert_allclose(x, np.linalg.solve(c, b))
    with says(NotImplementedError, "transposed", "a.T"):
        xform.linearize(lambda c: linalg.solve(c, b, transposed=True), c)


@both
@pytest.mark.parametrize("trans", [0, 1, 2, "C"])
def test_solve_triangular(trans, dtype):
    def solve(solver, lower, unit):
        return lambda a, b: solver(a, b, trans=trans, lower=lower, unit_diagonal=unit)

    check(
        solve(linalg.solve_triangular, True, False),
        solve(sl.solve_triangular, True, False),
        regular(3, dtype),
        normal(3, dtype=dtype),
    )
    check(
        solve(linalg.solve_triangular, False, True),
        solve(sl.solve_triangular, False, True),
        regular(3, dtype),
        normal(3, 2, dtype=dtype),
    )


@both
def test_cholesky_solves(dtype):
    def solved(module, lower):
        def solve(x, b):
            return module.cho_solve(module.cho_factor(x @ x.conj().T + np.eye(3), lower), b)

        return solve

    for lower in (False, True):
        check(solved(linalg, lower), solved(sl, lower), normal(3, 3, dtype=dtype), normal(3, dtype=dtype))


@both
def test_inverse_determinant_and_norm(dtype):
    a = regular(3, dtype)
    for f, wanted in [(linalg.inv, sl.inv), (linalg.det, sl.det), (linalg.norm, sl.norm)]:
        check(f, wanted, a)
    check(lambda a: linalg.inv(a, assume_a="upper triangular"), lambda a: np.linalg.inv(np.triu(a)), a)
    check(lambda a: linalg.norm(a, 1, axis=0), lambda a: sl.norm(a, 1, axis=0), a)


def test_leading_axes_broadcast():
    a, b = np.stack([regular(3), regular(3)]), normal(4, 1, 3, 2)
    x = xform.linearize(linalg.solve, a, b)[0]
    assert_allclose(x, np.linalg.solve(a, b))
    assert_allclose(xform.linearize(lambda a, b: linalg.lu_solve(linalg.lu_factor(a), b), a, b)[0], x)


def test_single_precision_stays_single():
    a, b = regular(3, np.float32), normal(3, dtype=np.float32)
    check(linalg.solve, sl.solve, a, b, order=0, tolerance=1e-5)
    check(linalg.solve_sylvester, sl.solve_sylvester, a, a, a, order=0, tolerance=1e-4)
    assert xform.grad(lambda a: linalg.solve_sylvester(a, a, a).sum())(a).dtype == np.float32


def test_errors_of_systems():
    a, b = regular(3), normal(3)
    with says(ValueError, "'odd'", "'sym'"):
        xform.linearize(lambda a: linalg.solve(a, b, assume_a="odd"), a)
    with says(ValueError, "trans 3", "'C'"):
        xform.linearize(lambda a: linalg.solve_triangular(a, b, trans=3), a)
    with says(LinAlgError, "square"):
        xform.linearize(lambda a: linalg.solve(a, b), normal(3, 2))
    with says(LinAlgError, "positive"):
        xform.linearize(lambda a: linalg.solve(a, b, assume_a="pos"), -a)
    with says(LinAlgError, "diagonal without zeros"):
        xform.linearize(lambda a: linalg.solve_triangular(a, b), np.zeros((3, 3)))
    with says(ValueError, "(3, 3)", "(2, 1)"):
        xform.linearize(lambda a: linalg.solve(a, normal(2)), a)


# --- Sylvester and Lyapunov ---


@both
def test_sylvester_and_lyapunov(dtype):
    a, b, q = regular(3, dtype), regular(2, dtype), normal(3, 2, dtype=dtype)
    check(linalg.solve_sylvester, sl.solve_sylvester, a, b, q)
    check(linalg.solve_continuous_lyapunov, sl.solve_continuous_lyapunov, a, normal(3, 3, dtype=dtype))


@both
@pytest.mark.parametrize("method", [None, "direct", "bilinear"])
def test_discrete_lyapunov(method, dtype):
    a, q = regular(3, dtype) / 5, normal(3, 3, dtype=dtype)
    check(
        lambda a, q: linalg.solve_discrete_lyapunov(a, q, method),
        lambda a, q: sl.solve_discrete_lyapunov(a, q, method),
        a,
        q,
    )


def test_a_large_discrete_lyapunov_equation_is_bilinear():
    a, q = regular(12) / 5, normal(12, 12)
    x = xform.linearize(linalg.solve_discrete_lyapunov, a, q)[0]
    assert_allclose(a @ x @ a.T - x + q, 0, atol=1e-12)


def test_sylvester_equations_of_stacks_broadcast():
    a, b, q = regular(2, float, 3), regular(2), normal(4, 1, 2, 2)
    x = xform.linearize(linalg.solve_sylvester, a, b, q)[0]
    assert x.shape == (4, 3, 2, 2)
    assert_allclose(a @ x + x @ b, np.broadcast_to(q, x.shape), atol=1e-12)


def test_a_singular_sylvester_equation_is_an_error_when_it_is_traced():
    a = np.diag([1.0, 2.0])
    with says(LinAlgError, "common eigenvalue", "unique"):
        xform.linearize(lambda q: linalg.solve_sylvester(a, -a, q), normal(2, 2))
    with says(ValueError, "do not fit", "(..., m, n)"):
        xform.linearize(lambda q: linalg.solve_sylvester(a, a, q), normal(2, 3))
    with says(ValueError, "'other'", "'bilinear'"):
        xform.linearize(lambda q: linalg.solve_discrete_lyapunov(a, q, "other"), normal(2, 2))
    with says(xform.NonlinearError, "third argument"):
        sylvester.transpose([np.ones((2, 2))], Linear(xform.Aval((2, 2), np.dtype(float))), a, a)


def test_a_jet_of_a_sylvester_equation():
    """X of (1 + t) A X + X B = C, whose Taylor coefficients satisfy a recurrence."""
    a, b, c = regular(2), regular(2), normal(2, 2)
    x, (x1, x2) = xform.jet(lambda a: linalg.solve_sylvester(a, b, c), (a,), ((a, np.zeros_like(a)),))
    assert_allclose(a @ x1 + x1 @ b, -a @ x, atol=1e-12)
    assert_allclose(a @ x2 / 2 + x2 / 2 @ b, -a @ x1, atol=1e-12)


# --- Toeplitz ---


@both
def test_toeplitz_systems(dtype):
    c, r = normal(4, dtype=dtype), normal(4, dtype=dtype)
    c[0] += 6
    check(linalg.solve_toeplitz, sl.solve_toeplitz, c, normal(4, dtype=dtype))
    check(
        lambda c, r, b: linalg.solve_toeplitz((c, r), b),
        lambda c, r, b: sl.solve_toeplitz((c, r), b),
        c,
        r,
        normal(4, 2, dtype=dtype),
    )


@both
@pytest.mark.parametrize("m, n", [(4, 3), (2, 5), (1, 1)])
def test_toeplitz_products(m, n, dtype):
    check(
        lambda c, r, x: linalg.matmul_toeplitz((c, r), x),
        lambda c, r, x: sl.toeplitz(c, r) @ x,
        normal(m, dtype=dtype),
        normal(n, dtype=dtype),
        normal(n, 2, dtype=dtype),
    )


def test_toeplitz_systems_of_one_matrix_are_solved_together(monkeypatch):
    calls = []
    original = sl.solve_toeplitz
    monkeypatch.setattr(sl, "solve_toeplitz", lambda cr, b: calls.append(b.shape) or original(cr, b))
    c, b = np.array([3.0, 1.0, 0.5]), normal(5, 3)
    x = xform.vmap(lambda b: linalg.solve_toeplitz(c, b))(b)
    assert calls == [(3, 5)]
    assert_allclose(x, original(c, b.T).T)


def test_errors_of_toeplitz_systems():
    with says(LinAlgError, "minor"):
        xform.linearize(lambda c: linalg.solve_toeplitz(c, np.ones(2)), np.array([0.0, 1.0]))
    with says(ValueError, "(2,)", "3 columns"):
        xform.linearize(lambda c: linalg.matmul_toeplitz(c, np.ones(2)), np.ones(3))


# --- banded ---


def bands(main, rows, n, dtype=float):
    ab = normal(rows, n, dtype=dtype)
    ab[main] += 6
    return ab


@both
@pytest.mark.parametrize("below, above", [(2, 1), (0, 2), (1, 0), (0, 0), (4, 4)])
def test_banded_systems(below, above, dtype):
    ab = bands(above, below + above + 1, 5, dtype)
    check(
        lambda ab, b: linalg.solve_banded((below, above), ab, b),
        lambda ab, b: sl.solve_banded((below, above), ab, b),
        ab,
        normal(5, dtype=dtype),
    )


@pytest.mark.parametrize("lower", [False, True])
def test_positive_definite_banded_systems(lower):
    ab, b = bands(0, 3, 5), normal(5)
    ab = ab if lower else ab[::-1].copy()
    check(
        lambda ab, b: linalg.solveh_banded(ab, b, lower=lower),
        lambda ab, b: sl.solveh_banded(ab, b, lower=lower),
        ab,
        b,
    )

    def factored(module):
        return lambda ab, b: module.cho_solve_banded((module.cholesky_banded(ab, lower=lower), lower), b)

    check(factored(linalg), factored(sl), ab, b)


@pytest.mark.parametrize("lower", [False, True])
def test_hermitian_banded_systems(lower):
    ab, b = bands(0, 2, 4, complex), normal(4, dtype=complex)
    ab[0] = ab[0].real
    ab = ab if lower else ab[::-1].copy()
    wanted = sl.solveh_banded(ab, b, lower=lower)
    assert_allclose(xform.linearize(lambda ab: linalg.solveh_banded(ab, b, lower=lower), ab)[0], wanted)
    factored = xform.linearize(lambda ab: linalg.cholesky_banded(ab, lower=lower), ab)[0]
    assert_allclose(linalg.cho_solve_banded((factored, lower), b), wanted)


def test_what_is_outside_of_the_matrix_is_not_read():
    ab = bands(1, 3, 4)
    ab[0, 0], ab[2, -1] = 7.0, -9.0
    gradient = xform.grad(lambda ab: linalg.solve_banded((1, 1), ab, np.ones(4)).sum())(ab)
    assert gradient[0, 0] == gradient[2, -1] == 0


def test_banded_systems_of_one_matrix_are_solved_together():
    ab, b = bands(1, 3, 4), normal(3, 4)
    text = str(xform.make_jaxpr(xform.vmap(lambda b: linalg.solve_banded((1, 1), ab, b)))(b))
    assert text.count("solve_banded") == 1
    assert "f64[4, 3]" in text or "f64[4,3]" in text


def test_errors_of_banded_systems():
    with says(LinAlgError, "singular"):
        xform.linearize(lambda ab: linalg.solve_banded((0, 0), ab, np.ones(2)), np.zeros((1, 2)))
    with says(LinAlgError, "positive definite"):
        xform.linearize(lambda ab: linalg.solveh_banded(ab, np.ones(2)), -np.ones((1, 2)))
    with says(ValueError, "do not fit", "l + u + 1"):
        xform.linearize(lambda ab: linalg.solve_banded((1, 1), ab, np.ones(2)), np.ones((2, 2)))
    with says(ValueError, "wanted shapes"):
        banded_solve.bind(np.ones((2, 1, 2)), np.ones((2, 1)), bands=(0, 0), definite=False)


# --- circulant ---


@both
def test_circulant_systems(dtype):
    c, b = normal(5, dtype=dtype), normal(2, 5, dtype=dtype)
    check(linalg.solve_circulant, sl.solve_circulant, c, normal(5, dtype=dtype))
    check(
        lambda c, b: linalg.solve_circulant(c, b, baxis=1, outaxis=-1),
        lambda c, b: sl.solve_circulant(c, b, baxis=1, outaxis=-1),
        c,
        b,
    )


def test_singular_circulant_systems():
    c, b = np.array([1.0, 2.0, 1.0, 2.0]), normal(4)
    check(
        lambda b: linalg.solve_circulant(c, b, singular="lstsq"),
        lambda b: sl.solve_circulant(c, b, singular="lstsq"),
        b,
    )
    with says(LinAlgError, "near singular", "lstsq"):
        xform.linearize(lambda c: linalg.solve_circulant(c, b), c)
    with np.errstate(all="ignore"):
        assert not np.isfinite(xform.jit(linalg.solve_circulant)(c, b)).any()
    with says(ValueError, "'odd'", "'lstsq'"):
        xform.linearize(lambda c: linalg.solve_circulant(c, b, singular="odd"), c)
    with says(ValueError, "3 entries", "4"):
        xform.linearize(lambda c: linalg.solve_circulant(c, b), np.ones(3))


# --- Riccati ---


def control_problem(dtype):
    return (
        normal(3, 3, dtype=dtype) / 2,
        normal(3, 2, dtype=dtype),
        positive(3, dtype),
        positive(2, dtype),
        np.eye(3) + normal(3, 3, dtype=dtype) / 9,
        normal(3, 2, dtype=dtype) / 30,
    )


def hermitian(x):
    return (x + x.conj().T) / 2


@both
@pytest.mark.parametrize("name", ["solve_continuous_are", "solve_discrete_are"])
def test_riccati_equations(name, dtype):
    def solve(module, **options):
        def f(a, b, q, r, e=None, s=None):
            return getattr(module, name)(a, b, hermitian(q), hermitian(r), e, s, **options)

        return f

    *data, e, s = control_problem(dtype)
    check(solve(linalg), solve(sl), *data)
    check(solve(linalg), solve(sl, balanced=False), *data, e, s, order=1)


@both
def test_solutions_satisfy_the_generalized_equations(dtype):
    """SciPy's own do not if it balances: it scales the pencil of E, and goes on with E unscaled."""
    a, b, q, r, e, s = control_problem(dtype)
    ah, bh, eh, sh = (x.conj().T for x in (a, b, e, s))
    for solver in (linalg.solve_continuous_are, xform.jit(linalg.solve_continuous_are)):
        x = solver(a, b, q, r, e, s)
        f = ah @ x @ e + eh @ x @ a - (eh @ x @ b + s) @ np.linalg.solve(r, bh @ x @ e + sh) + q
        assert_allclose(f, 0, atol=1e-9)
    for solver in (linalg.solve_discrete_are, xform.jit(linalg.solve_discrete_are)):
        x = solver(a, b, q, r, e, s)
        gain = np.linalg.solve(r + bh @ x @ b, bh @ x @ a + sh)
        assert_allclose(ah @ x @ a - eh @ x @ e - (ah @ x @ b + s) @ gain + q, 0, atol=1e-9)


def test_errors_of_riccati_equations():
    a, b, q, r, *_ = control_problem(float)
    with says(ValueError, "do not fit", "(m, m)"):
        xform.linearize(lambda a: linalg.solve_continuous_are(a, b, q, q), a)
    with says(LinAlgError, "solution"):
        xform.linearize(lambda a: linalg.solve_continuous_are(a, 0 * b, q, r), np.eye(3))
