"""Eigenvalues and eigenvectors of general matrices: NumPy's values, and the derivative of just those vectors."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.linalg import LinAlgError
from numpy.testing import assert_allclose

import xform
from tests.matrices import along
from tests.messages import says
from tests.numeric import random_like
from tests.numpy.agreement import check_agrees
from xform.testing import check_grads

rng = np.random.default_rng(17)
rotating = np.array([[1.0, 2.0, 0.5], [-3.0, 1.5, 0.25], [0.75, -0.5, 4.0]])  # a complex pair and a real value
real_values = np.array([[1.0, 2.0, 0.5], [0.25, 3.0, 1.0], [0.125, -0.25, 6.0]])
complex_matrix = rotating + 1j * rng.normal(size=(3, 3))
stacked = np.stack([rotating, real_values])
MATRICES = [rotating, real_values, complex_matrix, stacked]
ids = ["rotating", "real", "complex", "stacked"]


def pair(a):
    return tuple(np.linalg.eig(a))


@pytest.mark.parametrize(
    "a",
    [
        *MATRICES,
        *(rotating.astype(np.float32), real_values.astype(np.float32), complex_matrix.astype(np.complex64)),
        *(np.zeros((0, 0)), np.zeros((3, 3)), np.eye(2)),
        *(np.ones(3), np.ones((2, 3)), np.full((2, 2), np.inf), np.full((2, 2), np.nan)),
    ],
)
def test_values_dtypes_and_errors_are_numpys(a):
    """Where values are known, those of a real matrix are real if they can be."""
    check_agrees(pair, a, doors=["linearize"], ulps=64)
    check_agrees(np.linalg.eigvals, a, doors=["linearize"], ulps=64)


def test_results_are_complex_where_values_are_not_known():
    integer = np.array([[2, 1], [0, 1]])
    for f in (xform.jit(np.linalg.eig), lambda a: xform.vmap(np.linalg.eig)(a[None])):
        w, v = f(integer)
        wanted = np.linalg.eig(integer)
        assert w.dtype == v.dtype == np.complex128
        assert_allclose(w.reshape(2), wanted[0])
        assert_allclose(v.reshape(2, 2), wanted[1])
    assert xform.jit(np.linalg.eigvals)(integer).dtype == np.complex128
    assert xform.jit(np.linalg.eigvals)(rotating.astype(np.float32)).dtype == np.complex64


def test_result_is_numpys_named_tuple():
    out = xform.jvp(np.linalg.eig, (rotating,), (rotating,))[0]
    assert type(out) is type(np.linalg.eig(rotating))


@pytest.mark.parametrize("a", MATRICES, ids=ids)
def test_derivatives_are_those_of_numpys_vectors(a):
    check_grads(pair, (a,), order=2)
    check_grads(np.linalg.eigvals, (a,), order=2)


@pytest.mark.parametrize("a", MATRICES, ids=ids)
def test_norm_and_phase_are_kept(a):
    """|v| = 1, and the largest entry is real."""
    (_, v), (_, v_dot) = xform.jvp(pair, (a,), (random_like(a, rng),))
    assert_allclose(np.sum(np.conj(v) * v_dot, axis=-2).real, 0, atol=1e-13)
    largest = np.argmax(np.abs(v), axis=-2)[..., None, :]
    assert_allclose(np.take_along_axis(v_dot, largest, -2).imag, 0, atol=1e-13)


def test_eigenvalues_against_the_roots_of_the_characteristic_polynomial():
    """w = (t +- sqrt(t^2 - 4 d)) / 2 with trace t and determinant d."""

    def by_formula(a):
        t, d = a[0, 0] + a[1, 1], a[0, 0] * a[1, 1] - a[0, 1] * a[1, 0]
        root = np.sqrt(t * t / 4 - d + 0j)
        return np.sum((t / 2 + root) ** 3 + np.exp(t / 2 - root)).real

    def by_eigenvalues(a):
        w = np.linalg.eigvals(a + 0j)
        w = w[np.argsort(-w.imag)]
        return np.sum(w[0] ** 3 + np.exp(w[1])).real

    a = np.array([[1.0, 2.0], [-3.0, 1.5]])
    assert_allclose(xform.grad(by_eigenvalues)(a), xform.grad(by_formula)(a))
    assert_allclose(xform.hessian(by_eigenvalues)(a), xform.hessian(by_formula)(a))


@pytest.mark.parametrize("dtype", [float, complex])
def test_functions_of_a_matrix_and_sums_of_equal_eigenvalues(dtype):
    """V w^3 V^-1 = A^3, also at equal eigenvalues the sum of those: d tr A = tr A_dot."""

    def cube(a):
        w, v = np.linalg.eig(a)
        return (v * w**3) @ np.linalg.inv(v)

    a = rotating.astype(dtype)
    direction = random_like(a, rng)
    assert_allclose(xform.jvp(cube, (a,), (direction,))[1], xform.jvp(lambda a: a @ a @ a, (a,), (direction,))[1])
    double = np.diag([2.0, 2.0, 5.0]).astype(dtype)
    transform = rng.normal(size=(3, 3))
    similar = transform @ double @ np.linalg.inv(transform)
    for b in (double, similar):
        f = lambda a: np.sum(np.where(np.abs(np.linalg.eigvals(a) - 2) < 1, np.linalg.eigvals(a), 0)).real  # noqa: E731
        _, v = np.linalg.eig(b)
        projector = v @ np.diag(np.abs(np.linalg.eigvals(b) - 2) < 1).astype(dtype) @ np.linalg.inv(v)
        assert_allclose(xform.grad(f)(b), projector.T, atol=1e-10)


def test_equal_eigenvalues_have_finite_derivatives():
    for a in (np.eye(3), np.zeros((2, 2)), 2j * np.eye(2)):
        assert np.isfinite(xform.grad(lambda a: np.sum(np.abs(np.linalg.eigvals(a + 1)) ** 2))(a)).all()
        w_dot, v_dot = xform.jvp(pair, (a,), (random_like(a, rng),))[1]
        assert np.isfinite(w_dot).all()
        assert np.isfinite(v_dot).all()


@pytest.mark.parametrize("a", [np.array([[0.0, 1.0], [0.0, 0.0]]), np.diag([1.0, 1.0], 1) + 2 * np.eye(3)])
def test_a_defective_matrix_has_no_derivative(a):
    for f in (pair, np.linalg.eigvals):
        with says(LinAlgError, "defective", f"order {len(a)}", "trace"):
            xform.jvp(f, (a,), (np.ones_like(a),))
    with says(LinAlgError, "defective"):
        xform.jit(xform.grad(lambda a: np.sum(np.abs(np.linalg.eigvals(a)))))(a)


@pytest.mark.parametrize("a", [rotating, complex_matrix], ids=["real", "complex"])
def test_jit_jet_and_vmap_agree_with_eager(a):
    def f(a):
        w, v = np.linalg.eig(a)
        return np.sum(np.abs(w) ** 2) + np.sum(np.abs(v[0] * w)) + np.sum(np.real(v[1]))

    g = xform.grad(f)
    second = xform.grad(lambda a: np.sum(np.abs(g(a)) ** 2))
    assert_allclose(xform.jit(f)(a), f(a))
    assert_allclose(xform.jit(g)(a), g(a))
    assert_allclose(xform.jit(second)(a), second(a))
    stack = np.stack([a, a.T, a @ a])
    assert_allclose(xform.vmap(g)(stack), [g(x) for x in stack])
    v, zero = random_like(a, rng), np.zeros_like(a)
    _, terms = xform.jet(f, (a,), ((v, zero, zero),))
    for term in terms:
        f = along(f, v)
        assert_allclose(term, f(a))


@given(
    hnp.arrays(
        st.sampled_from([np.float64, np.complex128, np.float32]),
        st.sampled_from([(1, 1), (2, 2), (3, 3), (2, 2, 2), (0, 2, 2), (2, 0, 0)]),
        elements=st.integers(-3, 3).map(float),
        fill=st.nothing(),
    )
)
def test_agreement_on_random_matrices_of_small_integers(a):
    """But for defective ones, where the derivative that goes with the value raises an error."""
    assume(not a.size or np.linalg.cond(np.linalg.eig(a)[1].astype(complex)).max() < 1e6)
    check_agrees(pair, a, doors=["linearize"], ulps=64)
    check_agrees(np.linalg.eigvals, a, doors=["linearize"], ulps=64)
