"""Eigenvalues and singular values: derivatives to third order, and where the vectors are not unique."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

import xform
from tests.matrices import along, check, eigvecs, hermitian, normal, rectangular, trace, with_values
from tests.numeric import directional
from xform.ops.contraction.einsum import matmul
from xform.ops.linear_algebra.eigen import eig
from xform.ops.linear_algebra.matrix import adjoint, as_column, as_row
from xform.ops.linear_algebra.solve import inv
from xform.ops.linear_algebra.spectral import eigh, svd
from xform.ops.structure import reduce_sum


def test_eigh_to_third_order_along_symmetric_directions():
    check(eigvecs, with_values([-1.0, 0.5, 2.0]), herm=True)
    check(eigvecs, np.stack([with_values([1.0, 3.0]), with_values([-2.0, 0.5])]), herm=True)


def test_complex_eigh_where_phases_do_not_matter():
    c = normal(3, 3, dtype=complex)

    def f(a):
        w, v = eigh.bind(a, lower=True)
        power = matmul(v * as_row(np.exp(w)), adjoint(v))
        return w, power, trace(matmul(power, c))

    check(f, with_values([-1.0, 0.5, 2.0], complex), herm=True)


@pytest.mark.parametrize("shape", [(3, 3), (4, 2), (2, 4)])
def test_svd_to_third_order(shape):
    k = min(shape)
    check(lambda a: svd.bind(a, full_matrices=False, compute_uv=True), rectangular(*shape, np.arange(k) + 1.0))
    stack = np.stack([rectangular(*shape, np.arange(k) + 1.0) for _ in range(2)])
    check(lambda a: svd.bind(a, full_matrices=False, compute_uv=True), stack)
    check(lambda a: svd.bind(a, full_matrices=False, compute_uv=False), stack)


@pytest.mark.parametrize("shape", [(3, 3), (4, 2), (2, 4)])
def test_complex_svd_where_phases_do_not_matter(shape):
    def f(a):
        u, s, vh = svd.bind(a, full_matrices=False, compute_uv=True)
        return s, matmul(u * as_row(s), vh), matmul(u, vh), matmul(u * as_row(np.exp(s)), vh)

    check(f, rectangular(*shape, np.arange(min(shape)) + 1.0, complex))


@pytest.mark.parametrize("dtype", [float, complex])
@pytest.mark.parametrize("shape", [(4, 2), (2, 4)])
def test_full_svd_differentiates_what_depends_on_the_complement_alone(shape, dtype):
    m, n = shape
    mask = np.diag(np.arange(4) >= 2).astype(dtype)

    def null_space(a):
        u, _, vh = svd.bind(a, full_matrices=True, compute_uv=True)
        q = u if m > n else adjoint(vh)
        return (matmul(matmul(q, mask), adjoint(q)),)

    check(null_space, rectangular(m, n, [1.0, 3.0], dtype))


def invariant(a):
    """tr exp(A), by eigenvalues and by eigenvectors as well."""
    w, v = eigh.bind(a, lower=True)
    return reduce_sum(np.exp(w), axes=(0,)), trace(matmul(v * as_row(np.exp(w)), adjoint(v)))


@pytest.mark.parametrize("dtype", [float, complex])
@pytest.mark.parametrize("values", [[1.0, 1.0, 1.0], [1.0, 1.0, 2.0], [0.0, 0.0, 0.0], [-1.0, 2.0, 2.0 + 1e-15]])
def test_traces_of_matrix_functions_at_equal_eigenvalues(values, dtype):
    """d tr exp(A) = tr(exp(A) dA), in both modes, whether or not rounding has split the values."""
    for a in (np.diag(values).astype(dtype), with_values(values, dtype)):
        w, v = np.linalg.eigh(a)
        wanted = (v * np.exp(w)) @ v.conj().T
        direction = hermitian(normal(3, 3, dtype=dtype))
        for y_dot in xform.jvp(invariant, (a,), (direction,))[1]:
            assert_allclose(y_dot, np.trace(wanted @ direction), atol=1e-12)
        for k in range(2):
            y, pullback = xform.vjp(lambda a, k=k: invariant(a)[k], a)
            assert_allclose(pullback(np.ones_like(y))[0], wanted.T, atol=1e-12)


def test_projector_onto_a_group_of_equal_eigenvalues():
    """P = sum v v^T over the group: dP = sum over pairs (v w^T + w v^T) (v^T dA w) / (lambda_v - lambda_w)."""
    a, direction = with_values([1.0, 1.0, 3.0, 4.0]), hermitian(normal(4, 4))
    w, v = np.linalg.eigh(a)

    def projector(a):
        _, v = eigh.bind(a, lower=True)
        return matmul(v * np.array([1.0, 1.0, 0.0, 0.0]), adjoint(v))

    p = v.T @ direction @ v
    wanted = np.zeros((4, 4))
    for i in range(2):
        for j in range(2, 4):
            wanted += p[i, j] / (w[i] - w[j]) * (np.outer(v[:, i], v[:, j]) + np.outer(v[:, j], v[:, i]))
    assert_allclose(xform.jvp(projector, (a,), (direction,))[1], wanted, atol=1e-12)


@pytest.mark.parametrize("shape", [(3, 3), (4, 3), (3, 4)])
def test_polar_factor_and_nuclear_norm_at_equal_singular_values(shape):
    """U V^T of A = Q S, with S = I: dQ = (skew part in the square case, else with the complement as it is) is exact."""
    a = rectangular(*shape, np.ones(3))

    def polar(a):
        u, s, vh = svd.bind(a, full_matrices=False, compute_uv=True)
        return matmul(u, vh), reduce_sum(s, axes=(0,))

    v = normal(*shape)
    q_dot, norm_dot = xform.jvp(polar, (a,), (v,))[1]

    def newton(x):
        """The polar factor by Newton and Schulz, X (3 - X^T X) / 2, which needs no decomposition."""
        for _ in range(4):
            x = (3 * x - (x @ x.T) @ x) / 2
        return [x]

    assert_allclose(q_dot, directional(newton, [a], [v])[0], atol=1e-9)
    assert_allclose(norm_dot, np.sum(v * a))


@pytest.mark.parametrize("dtype", [float, complex])
@pytest.mark.parametrize("shape", [(3, 3), (4, 3), (3, 4)])
def test_second_derivatives_of_the_nuclear_norm_at_equal_singular_values(shape, dtype):
    """Its gradient is the polar factor, of which the derivative exists at every matrix of full rank."""
    a, v, w = rectangular(*shape, [1.0, 1.0, 1.0], dtype), normal(*shape, dtype=dtype), normal(*shape, dtype=dtype)

    def nuclear(a):
        return reduce_sum(svd(a, full_matrices=False, compute_uv=False), axes=(0,))

    def slope(a):
        u, _, vh = np.linalg.svd(a, full_matrices=False)
        return [np.sum(np.conj(u @ vh) * v).real]

    wanted = directional(slope, [a], [w])[0]
    forward = along(along(nuclear, v), w)(a)
    mixed = xform.jvp(xform.grad(nuclear), (a,), (w,))[1]
    reverse = xform.grad(lambda a: np.real(reduce_sum(v * xform.grad(nuclear)(a), axes=(0, 1))))(a)
    for second in (forward, np.sum(mixed * v).real, np.sum(reverse * w).real):
        assert_allclose(second, wanted, atol=1e-9)


def contour_projector(a, center, radius):
    """The projector onto the vectors of the eigenvalues within a circle: the mean of (z - A)^-1 (z - center) on it."""
    steps = radius * np.exp(2j * np.pi * np.arange(64) / 64)
    resolvents = inv(as_column(as_column(center + steps)) * np.eye(a.shape[-1]) - a, strict=True)
    return reduce_sum(resolvents * as_column(as_column(steps / 64)), axes=(0,))


def check_to_third_order(f, g, a, directions):
    """Derivatives of f are those of g, forward, and the last one also in reverse."""
    for v in directions:
        c = normal(*np.shape(g(a)))
        pairing_f, pairing_g = (
            lambda a, h=h: np.real(reduce_sum(c * h(a), axes=tuple(range(c.ndim))))  # noqa: B023
            for h in (f, g)
        )
        assert_allclose(xform.grad(pairing_f)(a), xform.grad(pairing_g)(a), atol=1e-8)
        f, g = along(f, v), along(g, v)
        assert_allclose(f(a), g(a), atol=1e-8)


@pytest.mark.parametrize("dtype", [float, complex])
def test_groups_of_equal_eigenvalues_to_third_order(dtype):
    """The projector, and sum of the values, against an integral around them, which knows of no vectors."""
    a = with_values([1.0, 1.0, 3.0, 4.0], dtype)
    directions = [hermitian(normal(4, 4, dtype=dtype)) for _ in range(3)]

    def hermitian_only(a):
        return (a + adjoint(a)) * 0.5

    def projector(a):
        _, v = eigh.bind(a, lower=True)
        return matmul(v * np.array([1.0, 1.0, 0.0, 0.0]), adjoint(v)) + 0j

    def group_sum(a):
        return reduce_sum(eigh.bind(a, lower=True)[0] * np.array([1.0, 1.0, 0.0, 0.0]), axes=(0,))

    def by_contour(a):
        return contour_projector(hermitian_only(a), 1.0, 1.0)

    check_to_third_order(projector, by_contour, a, directions)
    check_to_third_order(group_sum, lambda a: np.real(trace(matmul(a, by_contour(a)))), a, directions)


@pytest.mark.parametrize("dtype", [float, complex])
def test_groups_of_equal_eigenvalues_of_general_matrices_to_third_order(dtype):
    t = normal(4, 4, dtype=dtype) + 3 * np.eye(4)
    a = t @ np.diag([1.0, 1.0, 3.0, 4.0]) @ np.linalg.inv(t)
    near = np.abs(np.linalg.eigvals(a) - 1) < 0.1

    def projector(a):
        _, v = eig.bind(a, vectors=True)
        return matmul(v * near, inv(v, strict=True))

    directions = [normal(4, 4, dtype=dtype) for _ in range(3)]
    check_to_third_order(projector, lambda a: contour_projector(a, 1.0, 1.0), a, directions)


@pytest.mark.parametrize("dtype", [float, complex])
@pytest.mark.parametrize("shape", [(3, 3), (4, 3), (3, 4)])
def test_polar_factor_at_equal_singular_values_to_third_order(shape, dtype):
    """Against its iteration X (3 - X^H X) / 2 (Newton and Schulz), which needs no decomposition."""
    a = rectangular(*shape, [1.0, 1.0, 1.25], dtype)

    def polar(a):
        u, _, vh = svd.bind(a, full_matrices=False, compute_uv=True)
        return matmul(u, vh)

    def iterated(x):
        for _ in range(8):
            x = (3 * x - matmul(matmul(x, adjoint(x)), x)) / 2
        return x

    check_to_third_order(polar, iterated, a, [normal(*shape, dtype=dtype) for _ in range(3)])


@pytest.mark.parametrize("full", [True, False])
def test_everything_is_finite_at_zero(full):
    a, v = np.zeros((3, 2)), normal(3, 2)
    for f, x, x_dot in [
        (lambda a: svd.bind(a, full_matrices=full, compute_uv=True), a, v),
        (lambda a: svd.bind(a, full_matrices=full, compute_uv=True), a.T, v.T),
        (eigvecs, np.zeros((2, 2)), np.ones((2, 2))),
    ]:
        for y_dot in along(f, x_dot)(x):
            assert np.isfinite(y_dot).all()
        for y_dot in along(along(f, x_dot), x_dot)(x):
            assert np.isfinite(y_dot).all()
