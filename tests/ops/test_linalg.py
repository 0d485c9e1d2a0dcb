"""Linear algebra: derivatives to third order, where factors are not unique, at singular matrices, and errors."""

import math

import numpy as np
import pytest
from numpy.linalg import LinAlgError
from numpy.testing import assert_allclose, assert_array_equal

import xform
from tests.matrices import along, check, eigvecs, normal, rectangular, with_values
from xform.core.primitive import Linear
from xform.core.stage import stage
from xform.ops.contraction.contract import contract
from xform.ops.contraction.einsum import matmul
from xform.ops.linear_algebra.determinant import cofactor, det, slogdet
from xform.ops.linear_algebra.eigen import eig, left_eigenvectors
from xform.ops.linear_algebra.factor import cholesky, qr
from xform.ops.linear_algebra.householder import geqrf
from xform.ops.linear_algebra.matrix import adjoint, diagonal, embed_diagonal, lower, upper
from xform.ops.linear_algebra.pseudoinverse import pinv
from xform.ops.linear_algebra.solve import BLOCK, inv, solve, solve_triangular, triangular_solve
from xform.ops.linear_algebra.spectral import svd
from xform.ops.select import select
from xform.ops.structure import reduce_sum

# --- equations ---


@pytest.mark.parametrize("lower", [True, False])
@pytest.mark.parametrize("unit_diagonal", [True, False])
def test_triangular_solve_by_blocks_reads_its_triangle_only(lower, unit_diagonal):
    n = 2 * BLOCK + 5
    a = normal(n, n) / n + 2 * np.eye(n)
    t = np.tril(a) if lower else np.triu(a)
    if unit_diagonal:
        np.fill_diagonal(t, 1)
    b = normal(n, 3)
    a[np.triu_indices(n, 1) if lower else np.tril_indices(n, -1)] = np.nan
    x = triangular_solve(a, b, lower=lower, unit_diagonal=unit_diagonal)
    assert_allclose(x, np.linalg.solve(t, b), atol=1e-12)


def test_triangular_solve_is_substitution():
    """No pivoting: where every step is exact in floating point, so is the result, however the diagonal is graded."""
    t = np.array([[2.0**-40, 0, 0], [3, 2.0**30, 0], [2.0**20, 1, 0.5]])
    x = np.array([[1.0], [2.0], [-4.0]])
    assert_array_equal(triangular_solve(t, t @ x, lower=True, unit_diagonal=False), x)


@pytest.mark.parametrize("trans", ["N", "T", "C"])
@pytest.mark.parametrize("is_lower", [True, False])
def test_solve_triangular_transposed(trans, is_lower):
    a, b = normal(4, 4, dtype=complex) + 4 * np.eye(4), normal(4, 2, dtype=complex)
    t = np.tril(a) if is_lower else np.triu(a)
    op = {"N": t, "T": t.T, "C": t.conj().T}[trans]
    assert_allclose(solve_triangular(a, b, lower=is_lower, trans=trans), np.linalg.solve(op, b))


def test_one_matrix_for_many_right_hand_sides_is_factored_once(monkeypatch):
    calls = []
    original = np.linalg.solve
    monkeypatch.setattr(np.linalg, "solve", lambda a, b: calls.append(a.shape) or original(a, b))
    a, b = normal(3, 3) + 3 * np.eye(3), normal(5, 3, 2)
    x = xform.vmap(lambda b: solve(a, b))(b)
    assert calls == [(3, 3)]
    assert_allclose(x, original(a, b))


@pytest.mark.parametrize(
    "a_lead, b_lead",
    [((), (4,)), ((2,), (4, 2)), ((2,), (4, 1)), ((4, 2), (2,)), ((1, 2), (4, 1)), ((0,), ()), ((), (0, 2))],
)
def test_leading_axes_broadcast(a_lead, b_lead):
    a, b = normal(*a_lead, 3, 3) + 3 * np.eye(3), normal(*b_lead, 3, 2)
    assert_allclose(solve.broadcast(a, b), np.linalg.solve(a, b))
    wanted = np.linalg.solve(np.tril(a), b)
    assert_allclose(triangular_solve.broadcast(a, b, lower=True, unit_diagonal=False), wanted)


@pytest.mark.parametrize("dtype", [float, complex])
@pytest.mark.parametrize("lead", [(), (2,)])
def test_equations_to_third_order(lead, dtype):
    a, b = normal(*lead, 3, 3, dtype=dtype) + 4 * np.eye(3), normal(*lead, 3, 2, dtype=dtype)
    check(solve.bind, a, b)
    for is_lower in (True, False):
        for unit in (True, False):
            check(lambda a, b, p=(is_lower, unit): triangular_solve.bind(a, b, lower=p[0], unit_diagonal=p[1]), a, b)
    check(lambda a: inv.bind(a, strict=True), a)


def test_gradients_of_equations_in_closed_form():
    """Giles 2008, sections 2.2.3 and 2.3.1: of f = <C, A^-1 B>, A_bar = -A^-T C B^T A^-T and B_bar = A^-T C."""
    a, b, c = normal(3, 3) + 3 * np.eye(3), normal(3, 2), normal(3, 2)
    a_bar, b_bar = xform.grad(lambda a, b: reduce_sum(c * solve(a, b), axes=(0, 1)), argnums=(0, 1))(a, b)
    inverse = np.linalg.inv(a)
    assert_allclose(a_bar, -inverse.T @ c @ b.T @ inverse.T)
    assert_allclose(b_bar, inverse.T @ c)


# --- determinants ---


def leibniz(a):
    """The determinant as a polynomial, in primitives: the reference at singular matrices."""
    n = len(a)
    if n == 1:
        return a[0][0]
    minors = [leibniz([row[:k] + row[k + 1 :] for row in a[1:]]) for k in range(n)]
    return sum((-1) ** k * a[0][k] * m for k, m in enumerate(minors))


def polynomial(x):
    rows = [[reduce_sum(x * unit(i, j, x.shape[0]), axes=(0, 1)) for j in range(x.shape[0])] for i in range(x.shape[0])]
    return leibniz(rows)


def unit(i, j, n):
    e = np.zeros((n, n))
    e[i, j] = 1
    return e


@pytest.mark.parametrize("dtype", [float, complex])
@pytest.mark.parametrize("rank", [4, 3, 2, 1, 0])
def test_det_has_derivatives_of_every_order_at_every_rank(rank, dtype):
    a = normal(4, rank, dtype=dtype) @ normal(rank, 4, dtype=dtype)
    vs = [normal(4, 4, dtype=dtype) for _ in range(4)]
    f, g = det, polynomial
    for v in vs:
        f, g = along(f, v), along(g, v)
        assert_allclose(f(a), g(a), rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("rank", [3, 2, 1])
def test_gradient_and_hessian_of_det_at_singular_matrices(rank):
    a = rectangular(3, 3, np.where(np.arange(3) < rank, 1.0, 0.0))
    assert_allclose(xform.grad(det)(a), xform.grad(polynomial)(a), atol=1e-14)
    assert_allclose(xform.hessian(det)(a), xform.hessian(polynomial)(a), atol=1e-14)
    assert_allclose(xform.jacrev(xform.grad(det))(a), xform.hessian(polynomial)(a), atol=1e-14)


def test_cofactor_of_stacks_in_which_some_are_singular_or_not_finite():
    a = np.stack([np.eye(2), np.zeros((2, 2)), np.array([[1.0, 2.0], [2.0, 4.0]]), np.array([[np.nan, 0], [0, 1]])])
    c = cofactor(a)
    assert_allclose(c[:3], [[[1, 0], [0, 1]], [[0, 0], [0, 0]], [[4, -2], [-2, 1]]], atol=1e-15)
    assert np.isnan(c[3]).all()


@pytest.mark.parametrize("dtype", [float, complex])
@pytest.mark.parametrize("lead", [(), (2,)])
def test_determinants_to_third_order(lead, dtype):
    a = normal(*lead, 3, 3, dtype=dtype) + 3 * np.eye(3)
    check(det.bind, a)
    check(slogdet.bind if dtype is complex else lambda a: slogdet.bind(a)[1:], a)


def test_derivatives_of_logdet_in_closed_form():
    a, v, w = normal(3, 3) + 3 * np.eye(3), normal(3, 3), normal(3, 3)
    inverse = np.linalg.inv(a)
    assert_allclose(xform.grad(lambda a: slogdet.bind(a)[1])(a), inverse.T)
    second = along(along(lambda a: slogdet.bind(a)[1], v), w)(a)
    assert_allclose(second, -np.trace(inverse @ v @ inverse @ w))


def test_logdet_of_a_singular_matrix_has_no_derivative_but_can_be_left_out():
    a = np.ones((2, 2))
    assert_array_equal(slogdet.bind(a), [0, -np.inf])
    assert np.isnan(xform.grad(lambda a: slogdet.bind(a)[1])(a)).all()

    def guarded(a):
        sign, logdet = slogdet.bind(a)
        return select(sign > 0, logdet, 0.0)

    zeros = np.zeros((2, 2))
    assert_array_equal(xform.grad(guarded)(a), zeros)
    assert_array_equal(xform.jvp(guarded, (a,), (normal(2, 2),))[1], 0)
    assert_array_equal(xform.hessian(guarded)(a), np.zeros((2, 2, 2, 2)))
    stacked = np.stack([a, 2 * np.eye(2)])
    assert_array_equal(xform.vmap(xform.grad(guarded))(stacked), [zeros, np.eye(2) / 2])


# --- triangular factors ---


@pytest.mark.parametrize("dtype", [float, complex])
def test_cholesky_to_third_order_along_hermitian_directions(dtype):
    check(cholesky.bind, with_values([1.0, 2.0, 4.0], dtype), herm=True)
    check(cholesky.bind, np.stack([with_values([1.0, 3.0], dtype), with_values([2.0, 0.5], dtype)]), herm=True)


def test_cholesky_reads_the_lower_triangle_and_has_symmetric_gradients():
    a = with_values([1.0, 2.0, 3.0])
    assert_array_equal(cholesky(np.tril(a)), np.linalg.cholesky(a))
    gradient = xform.grad(lambda a: 2 * reduce_sum(np.log(diagonal(cholesky(a))), axes=(0,)))(a)
    assert_allclose(gradient, np.linalg.inv(a), atol=1e-13)  # of log det


@pytest.mark.parametrize("dtype", [float, complex])
@pytest.mark.parametrize("shape", [(3, 3), (4, 2), (2, 4), (2, 3, 2), (2, 2, 3)])
def test_qr_to_third_order(shape, dtype):
    a = 0.3 * normal(*shape, dtype=dtype) + 2 * np.eye(*shape[-2:])
    check(lambda a: qr.bind(a, complete=False), a)


@pytest.mark.parametrize("dtype", [float, complex])
def test_complete_qr_differentiates_what_depends_on_the_complement_alone(dtype):
    a, h = normal(4, 2, dtype=dtype), with_values([1.0, 2.0, 3.0, 5.0], dtype)

    def projector(a):
        q, _ = qr.bind(a, complete=True)
        q2 = contract(q, np.eye(4)[:, 2:] + 0j if dtype is complex else np.eye(4)[:, 2:], spec=("ij", "jk", "ik"))
        return matmul(q2, adjoint(q2)), matmul(q2, solve(matmul(adjoint(q2), matmul(h, q2)), adjoint(q2)))

    def product(a):
        q, r = qr.bind(a, complete=True)
        return (matmul(q, r),)

    check(projector, a)
    check(product, a)


# --- matrices ---


def test_moves():
    x = normal(2, 3, 4)
    assert_array_equal(lower(x), np.tril(x))
    assert_array_equal(upper(x, 1), np.triu(x, 1))
    for offset in range(-4, 6):
        assert_array_equal(diagonal(x, offset), np.diagonal(x, offset, 1, 2))
    assert_array_equal(embed_diagonal(x[0]), np.stack([np.diag(row) for row in x[0]]))
    assert_array_equal(diagonal(normal(2, 0, 3)), np.zeros((2, 0)))
    assert embed_diagonal(normal(2, 0)).shape == (2, 0, 0)


# --- errors ---


@pytest.mark.parametrize(
    "f, message",
    [
        (lambda a: solve(a, np.ones((2, 1))), r"solve of f64\[2,2\]: Singular matrix.*lstsq"),
        (lambda a: triangular_solve(np.tril(a) * [1, 0], a, lower=True, unit_diagonal=False), "without zeros"),
        (lambda a: inv(a, strict=True), "pinv"),
        (lambda a: cholesky(-a), r"cholesky of f64\[2,2\].*positive"),
        (lambda a: svd.bind(np.nan * a, full_matrices=False, compute_uv=True), r"svd of f64\[2,2\].*finite"),
        (lambda a: eig.bind(np.inf * a, vectors=True), r"eig of f64\[2,2\].*finite"),
        (lambda a: pinv(np.nan * a, np.ones((1, 1)), hermitian=False), r"pinv of f64\[2,2\].*finite"),
        (lambda a: along(geqrf.bind, a)(a), "diagonal without zeros"),
        (left_eigenvectors, "defective"),
        (lambda a: along(lambda a: qr.bind(a, complete=False), a)(0 * a), "diagonal without zeros"),
    ],
)
def test_singular_matrices_raise(f, message):
    with pytest.raises(LinAlgError, match=message):
        f(np.ones((2, 2)))


@pytest.mark.parametrize(
    "f",
    [
        lambda a: solve.bind(a, a),
        lambda a: triangular_solve.bind(a, a, lower=True, unit_diagonal=False),
        lambda a: inv.bind(a, strict=True),
        det.bind,
        cofactor.bind,
        slogdet.bind,
        cholesky.bind,
        eigvecs,
    ],
)
def test_staging_checks_shapes_and_dtypes(f):
    for shape, dtype, error, message in [
        ((3,), float, LinAlgError, "1-dimensional array given"),
        ((2, 3), float, LinAlgError, "must be square"),
        ((2, 2), int, TypeError, "int64 is unsupported"),
        ((2, 2), np.float16, TypeError, "float16 is unsupported"),
    ]:
        with pytest.raises(error, match=message):
            stage(f, [xform.Aval(shape, dtype)])


def test_right_hand_sides_must_fit():
    for f in (solve.bind, lambda a, b: [solve.broadcast(a, b)]):
        with pytest.raises(ValueError, match="solve"):
            stage(f, [xform.Aval((2, 2), float), xform.Aval((3, 1), float)])
    with pytest.raises(ValueError, match="'N'"):
        solve_triangular(np.eye(2), np.eye(2), lower=True, trans="H")


def test_nonlinear_arguments_are_not_transposed():
    unknown = Linear(xform.Aval((2, 2), float))
    for prim, args in [
        (solve, (unknown, np.eye(2))),
        (cofactor, (unknown,)),
        (cofactor, (np.eye(2), unknown, unknown)),
    ]:
        with pytest.raises(xform.NonlinearError, match=f"'{prim.name}' is linear in"):
            prim.transpose([np.eye(2)], *args)


def test_jet_of_solve_is_the_recurrence():
    """(A + t I) x = b: x = sum (-t)^k A^-(k+1) b."""
    a, b = normal(3, 3) + 3 * np.eye(3), normal(3, 1)
    zeros = [np.zeros((3, 3))] * 3
    _, terms = xform.jet(lambda a: solve(a, b), (a,), ([np.eye(3), *zeros],))
    for k, term in enumerate(terms, 1):
        wanted = (-1) ** k * math.factorial(k) * np.linalg.matrix_power(np.linalg.inv(a), k + 1) @ b
        assert_allclose(term, wanted)


def test_sparsity_of_stacks_and_columns():
    a, b = normal(2, 3, 3) + 3 * np.eye(3), normal(2, 3, 2)
    p = xform.sparsity_pattern(lambda b: solve(a, b), b)
    assert_array_equal(p[0, 0, 0], np.array([[[1, 0]] * 3, [[0, 0]] * 3], bool))
    (p,) = xform.sparsity_pattern(lambda a: (det(a),), a)
    assert_array_equal(p[1], np.array([np.zeros((3, 3)), np.ones((3, 3))], bool))
