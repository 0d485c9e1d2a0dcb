"""Functions of matrices: values of SciPy's, derivatives to third order, defective and degenerate matrices, errors."""

import warnings

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
from xform.scipy.linalg.exponential import exponential, logarithm
from xform.testing import check_grads

both = pytest.mark.parametrize("dtype", [float, complex])
JORDAN = np.array([[2.0, 1.0, 0.0], [0.0, 2.0, 1.0], [0.0, 0.0, 2.0]])


@both
@pytest.mark.parametrize("name", ["expm", "cosm", "sinm", "tanm", "coshm", "sinhm", "tanhm"])
def test_exponential_family(name, dtype):
    check(getattr(linalg, name), getattr(sl, name), normal(3, 3, dtype=dtype) / 2)


@both
@pytest.mark.parametrize("name", ["logm", "sqrtm", "signm"])
def test_logarithm_root_and_sign(name, dtype):
    check(getattr(linalg, name), getattr(sl, name), positive(3, dtype))


@both
@pytest.mark.parametrize("t", [0.3, -1.7, 3, -2, 0])
def test_powers(t, dtype):
    check(
        lambda a: linalg.fractional_matrix_power(a, t),
        lambda a: sl.fractional_matrix_power(a, t),
        positive(3, dtype),
        order=2 if t else 1,
    )


def test_the_exponent_of_a_power_may_be_traced():
    a = positive(3)
    check_grads(linalg.fractional_matrix_power, (a, 0.4), order=2)
    derivative = xform.jvp(lambda t: linalg.fractional_matrix_power(a, t), (0.4,), (1.0,))[1]
    assert_allclose(derivative, sl.logm(a) @ sl.fractional_matrix_power(a, 0.4), rtol=1e-10)


@both
def test_frechet_derivatives(dtype):
    a, e = normal(3, 3, dtype=dtype), normal(3, 3, dtype=dtype)
    check(linalg.expm_frechet, sl.expm_frechet, a, e)
    assert_allclose(linalg.expm_frechet(a, e, compute_expm=False), xform.jvp(linalg.expm, (a,), (e,))[1])


@pytest.mark.parametrize("f, order", [(linalg.expm, 3), (linalg.logm, 2), (linalg.sqrtm, 3)])
def test_defective_matrices_have_derivatives_of_high_order(f, order):
    check_grads(f, (JORDAN,), order=order)


@pytest.mark.parametrize("f", [linalg.expm, linalg.logm, linalg.sqrtm])
@pytest.mark.parametrize("scale", [1e-8, 1e8])
def test_a_direction_of_any_size_loses_no_digits(f, scale):
    a, e = positive(3), normal(3, 3)
    small, large = (xform.jvp(f, (a,), (s * e,))[1] for s in (1.0, scale))
    assert_allclose(large, scale * small, rtol=1e-12, atol=1e-12 * scale)


def test_derivatives_of_commuting_directions_are_scalar_ones():
    """In a direction that commutes with A, D^k f(A)[E, .., E] = f^(k)(A) E^k."""
    a = positive(3)
    e = a @ a

    def d(f, v):
        return lambda x: xform.jvp(f, (x,), (v,))[1]

    assert_allclose(d(d(linalg.expm, e), e)(a), sl.expm(a) @ e @ e, rtol=1e-10)
    assert_allclose(d(d(linalg.logm, e), e)(a), -np.linalg.matrix_power(np.linalg.inv(a), 2) @ e @ e, rtol=1e-9)
    assert_allclose(d(linalg.sqrtm, e)(a), 0.5 * np.linalg.inv(sl.sqrtm(a)) @ e, rtol=1e-10)


def test_jets_are_blocks_of_a_function_of_a_toeplitz_matrix():
    """exp(tA) has the derivatives A^k at t = 0."""
    a = normal(3, 3)
    _, terms = xform.jet(linalg.expm, (np.zeros((3, 3)),), ((a, *[np.zeros((3, 3))] * 3),))
    for k, term in enumerate(terms, 1):
        assert_allclose(term, np.linalg.matrix_power(a, k), atol=1e-12)
    _, zeros = xform.jet(lambda t: linalg.logm(positive(2)), (1.0,), ((1.0, 0.0),))
    assert_array_equal(zeros[1], 0)


def test_directions_are_symmetric_and_can_be_zero():
    a, e, f = positive(3), normal(3, 3), normal(3, 3)
    assert_allclose(logarithm(a, e, f), logarithm(a, f, e), rtol=1e-9, atol=1e-12)
    assert_array_equal(logarithm(a, e, 0 * f), 0)
    assert_allclose(exponential(np.zeros((3, 3)), e), e, rtol=1e-14)
    with says(xform.NonlinearError, "each of its directions"):
        exponential.transpose([e], Linear(xform.Aval((3, 3), np.dtype(float))), e)


def test_not_finite_directions_give_not_finite_derivatives():
    a = positive(2)
    assert np.isnan(logarithm(a, np.full((2, 2), np.nan))).all()


def test_single_precision_stays_single():
    a = positive(3).astype(np.float32)
    for name in ["expm", "logm", "sqrtm", "signm", "cosm"]:
        f = getattr(linalg, name)
        y, y_dot = xform.jvp(f, (a,), (a,))
        assert y.dtype == y_dot.dtype == np.float32
        assert_allclose(y, getattr(sl, name)(a.astype(float)), rtol=1e-4, atol=1e-4)


def test_a_real_matrix_with_a_complex_result():
    a = np.diag([-1.0, 2.0])
    for f in (linalg.logm, linalg.sqrtm, lambda a: linalg.fractional_matrix_power(a, 0.5)):
        with says(ValueError, "complex", "A.astype(complex)"):
            xform.linearize(f, a)
        assert_allclose(xform.linearize(f, a.astype(complex))[0], f(a), atol=1e-14)


def test_where_derivatives_do_not_exist():
    singular = np.diag([0.0, 1.0])
    with pytest.warns(sl.LinAlgWarning, match="singular"), says(LinAlgError, "does not exist"):
        xform.grad(lambda a: linalg.sqrtm(a).sum())(singular)
    with says(LinAlgError, "does not exist"):
        xform.grad(lambda a: linalg.polar(a)[0].sum())(singular)
    for f in (linalg.logm, lambda a: linalg.fractional_matrix_power(a, 0.5)):
        with warnings.catch_warnings(), says(LinAlgError, "singular up to rounding", "no derivative"):
            warnings.simplefilter("ignore")  # SciPy warns of the value
            xform.grad(lambda a, f=f: f(a).sum())(singular)
    with says(LinAlgError, "square"):
        xform.linearize(linalg.expm, normal(2, 3))


def test_stacks_and_empty_matrices():
    a = np.stack([positive(2), positive(2)])
    for name in ["expm", "logm", "sqrtm", "signm", "tanhm"]:
        f, wanted = getattr(linalg, name), getattr(sl, name)
        assert_allclose(xform.linearize(f, a)[0], np.stack([wanted(x) for x in a]), rtol=1e-10, atol=1e-12)
        assert xform.linearize(f, np.zeros((0, 0)))[0].shape == (0, 0)
        assert xform.linearize(f, np.zeros((0, 2, 2)))[0].shape == (0, 2, 2)


# --- any function, by Schur and Parlett ---

GENERAL = np.array([[0.3, 1.2, -0.4, 0.1], [-0.7, 0.2, 0.9, 0.5], [1.1, -0.3, 0.6, -0.8], [0.4, 0.7, -1.3, 0.9]])
DEGENERATE = [np.eye(3), np.diag([1.0, 1.0, 2.0]), JORDAN, GENERAL, np.diag([1.0, 1.05, 3.0, 3.0 + 1e-9])]


@both
@pytest.mark.parametrize("name", ["expm", "sinm", "cosm"])
@pytest.mark.parametrize("a", DEGENERATE, ids=["one", "double", "jordan", "general", "close"])
def test_funm_is_the_function_that_scipy_has_to_second_order(a, name, dtype):
    scalar = {"expm": np.exp, "sinm": np.sin, "cosm": np.cos}[name]
    a, v = a.astype(dtype), normal(*a.shape, dtype=dtype)

    def of_order(f, k):
        return f if k == 0 else lambda x: xform.jvp(of_order(f, k - 1), (x,), (v,))[1]

    for k in range(3):
        functions = (lambda x: linalg.funm(x, scalar), getattr(linalg, name))
        actual, wanted = (xform.linearize(of_order(f, k), a)[0] for f in functions)
        assert_allclose(actual, wanted, rtol=1e-9, atol=1e-9)


@both
def test_funm(dtype):
    check(lambda a: linalg.funm(a, np.sqrt), sl.sqrtm, positive(3, dtype), tolerance=1e-10)
    assert linalg.funm(np.eye(2), np.exp).shape == (2, 2)


def test_derivatives_of_a_function_at_a_degenerate_spectrum():
    """Daleckii and Krein: at a multiple of the identity the first divided difference is the derivative."""
    v = normal(3, 3)

    def fermi(z):
        return 1 / (1 + np.exp(-z))

    slope = xform.grad(fermi)(0.7)
    assert_allclose(xform.jvp(lambda a: linalg.funm(a, fermi), (0.7 * np.eye(3),), (v,))[1], slope * v, rtol=1e-12)
    w = np.array([0.5, 0.5, 2.0])
    gaps = w[:, None] - w
    divided = np.where(gaps == 0, np.array([xform.grad(fermi)(x) for x in w])[:, None], 0)
    divided = np.where(gaps == 0, divided, (fermi(w)[:, None] - fermi(w)) / np.where(gaps == 0, 1, gaps))
    assert_allclose(xform.jvp(lambda a: linalg.funm(a, fermi), (np.diag(w),), (v,))[1], divided * v, rtol=1e-11)
    check_grads(lambda a: linalg.funm(a, fermi), (np.diag(w),), order=2)


def test_a_function_with_a_singularity_between_eigenvalues():
    a = np.array([[0.03, 1.0], [0.0, -0.05]])
    assert_allclose(xform.linearize(lambda a: linalg.funm(a, lambda z: 1 / z), a)[0], np.linalg.inv(a), rtol=1e-10)
    with np.errstate(all="ignore"), says(LinAlgError, "does not converge", "singularity"):
        xform.grad(lambda a: linalg.funm(a, lambda z: 1 / z).sum())(np.diag([1e-9, -1e-9]))
    with says(ValueError, "disp=False"):
        xform.linearize(lambda a: linalg.funm(a, np.exp, disp=False), a)
    with says(ValueError, "complex", "A.astype(complex)"):
        xform.linearize(lambda a: linalg.funm(a, np.sqrt), np.diag([-1.0, 2.0]))


# --- polar decomposition ---


@both
@pytest.mark.parametrize("side", ["left", "right"])
@pytest.mark.parametrize("shape", [(3, 3), (4, 2), (2, 4)])
def test_polar(shape, side, dtype):
    check(lambda a: linalg.polar(a, side), lambda a: sl.polar(a, side), normal(*shape, dtype=dtype))


@pytest.mark.parametrize("a", [np.eye(3), 2 * np.eye(3)[[1, 0, 2]], np.eye(4, 2), np.diag([1.0, 1.0, 2.0])])
def test_polar_at_equal_singular_values(a):
    check(linalg.polar, sl.polar, a)


def test_polar_of_another_side():
    with says(ValueError, "'up'", "'left'"):
        xform.linearize(lambda a: linalg.polar(a, "up"), regular(2))


def test_procrustes():
    check(linalg.orthogonal_procrustes, sl.orthogonal_procrustes, regular(3), normal(3, 3))
    with says(ValueError, "(3, 2)"):
        xform.linearize(lambda a: linalg.orthogonal_procrustes(a, normal(3, 2)), regular(3))
