"""The functions of xform.scipy.special that are no ufuncs, doors, options, jit and batches."""

import math

import numpy as np
import pytest
import scipy.special as sp

import xform
from tests.messages import says
from xform.scipy import special
from xform.testing import check_grads

A = np.array([[0.3, -1.2, 2.0], [0.5, 0.5, -np.inf]])
B = np.array([[1.0, 2.0, 0.5], [1.0, 0.0, 3.0]])


def traced(f, *args):
    """The value that f has on traced arguments."""
    return xform.jvp(f, args, tuple(np.zeros_like(x) for x in args))[0]


# --- sums of exponentials ---


@pytest.mark.parametrize("axis", [None, 0, 1, -1, (0, 1)])
@pytest.mark.parametrize("keepdims", [False, True])
def test_logsumexp(axis, keepdims):
    options = {"axis": axis, "keepdims": keepdims}
    np.testing.assert_allclose(
        traced(lambda a: special.logsumexp(a, **options), A), sp.logsumexp(A, **options), rtol=1e-14
    )
    weighted = traced(lambda a, b: special.logsumexp(a, b=b, **options), A, B)
    np.testing.assert_allclose(weighted, sp.logsumexp(A, b=B, **options), rtol=1e-14)
    signed = traced(lambda a, b: special.logsumexp(a, b=b, return_sign=True, **options), A, -B)
    for ours, theirs in zip(signed, sp.logsumexp(A, b=-B, return_sign=True, **options), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-14)


def test_gradients_of_logsumexp():
    a, b = A[0], B[0]
    check_grads(special.logsumexp, (a,), order=2)
    check_grads(lambda a, b: special.logsumexp(a, b=b), (a, b), order=2)
    np.testing.assert_allclose(xform.grad(special.logsumexp)(a), sp.softmax(a), rtol=1e-14)
    np.testing.assert_array_equal(xform.grad(special.logsumexp)(np.full(3, -np.inf)), np.zeros(3))
    np.testing.assert_array_equal(xform.grad(special.logsumexp)(np.array([1000.0, 0.0])), [1.0, 0.0])


def test_logsumexp_of_a_negative_sum():
    assert np.isnan(traced(lambda a: special.logsumexp(a, b=np.array([1.0, 1.0, -9.0])), A[0]))
    assert np.isnan(sp.logsumexp(A[0], b=np.array([1.0, 1.0, -9.0])))


def test_logsumexp_of_complex_numbers():
    z = np.array([0.3 + 1j, 2.0 - 2j])
    np.testing.assert_allclose(traced(special.logsumexp, z), sp.logsumexp(z), rtol=1e-14)
    np.testing.assert_allclose(xform.grad(special.logsumexp, holomorphic=True)(z), np.exp(z) / np.exp(z).sum())


@pytest.mark.parametrize("axis", [None, 0, 1])
@pytest.mark.parametrize("name", ["softmax", "log_softmax"])
def test_softmax(name, axis):
    x = np.array([[0.3, -1.2, 900.0], [0.5, 0.5, -2.0]])
    f = getattr(special, name)
    np.testing.assert_allclose(traced(lambda x: f(x, axis=axis), x), getattr(sp, name)(x, axis=axis), rtol=1e-14)
    check_grads(lambda x: f(x, axis=axis), (A[:, :2] * 1.0,), order=2)


# --- functions of entries ---

X, N = np.array([0.4, 1.7]), np.array([2, 3])


@pytest.mark.parametrize(
    "f, args",
    [
        (special.polygamma, (N, X)),
        (special.multigammaln, (X + 2, 3)),
        (special.factorial, (X,)),
        (special.factorial, (np.array([-1.0, 3.0]),)),
        (special.comb, (X + 5, X)),
        (special.comb, (np.array([3.0, -1.0]), np.array([4.0, 2.0]))),
        (special.perm, (X + 5, X)),
        (special.zeta, (X + 1, X)),
        (special.zeta, (X + 1,)),
        (special.lambertw, (X,)),
        (special.softplus, (X,)),
        (special.sinc, (X,)),
        (special.diric, (X, 4)),
        (special.diric, (X, 5)),
        (special.spherical_jn, (N, X)),
        (special.spherical_yn, (N, X, True)),
        (special.spherical_in, (N, X)),
        (special.spherical_kn, (N, X, True)),
        (special.sph_harm_y, (N, N - 1, X, X)),
        (special.sph_legendre_p, (N, N - 1, X)),
        (special.legendre_p, (N, X / 2)),
        (lambda *args: special.jvp(1, *args), (X,)),
        (lambda *args: special.kvp(1, *args, n=2), (X,)),
    ],
    ids=lambda x: getattr(x, "__name__", ""),
)
def test_functions_have_the_values_of_scipy(f, args):
    inexact = [k for k, x in enumerate(args) if isinstance(x, np.ndarray) and x.dtype.kind == "f"]

    def of_inexact(*xs):
        full = list(args)
        for k, x in zip(inexact, xs, strict=True):
            full[k] = x
        return f(*full)

    values = [args[k] for k in inexact]
    np.testing.assert_allclose(traced(of_inexact, *values), f(*args), rtol=1e-13)
    np.testing.assert_allclose(xform.jit(of_inexact)(*values), f(*args), rtol=1e-13)
    if not any(np.any(x < 0) for x in values):
        check_grads(of_inexact, values, order=2)


def test_comb_with_repetition():
    np.testing.assert_allclose(
        traced(lambda n: special.comb(n, 2.0, repetition=True), 4.0), sp.comb(4, 2, repetition=True), rtol=1e-14
    )


def test_bessel_jn_is_jaxs():
    z = np.array([0.5, 2.0])
    np.testing.assert_allclose(traced(lambda z: special.bessel_jn(z, v=3), z), [sp.jv(k, z) for k in range(4)])
    assert xform.jacobian(lambda z: special.bessel_jn(z, v=3).sum())(z).shape == (2,)


def test_options_that_give_integers_or_derivatives_are_refused():
    with says(ValueError, "factorial", "exact=True", "exact=False"):
        xform.grad(lambda n: special.factorial(n, exact=True))(3.0)
    with says(ValueError, "sph_harm_y", "diff_n=1", "xform.grad"):
        xform.grad(lambda t: special.sph_harm_y(1, 0, t, 0.0, diff_n=1).real)(3.0)
    with says(ValueError, "multigammaln", "1.5", "positive integer"):
        xform.grad(lambda a: special.multigammaln(a, 1.5))(3.0)
    with says(TypeError, "zeta", "out"):
        xform.grad(lambda x: special.zeta(x, out=np.zeros(())))(3.0)


# --- doors and transformations ---


def test_both_doors_are_one():
    assert xform.grad(sp.gammaln)(2.0) == xform.grad(special.gammaln)(2.0) == sp.psi(2.0)
    assert special.erf is sp.erf


def test_ufuncs_of_several_results_give_a_tuple():
    parts = traced(lambda x: tuple(sp.ellipj(x, 0.3)), X)
    for ours, theirs in zip(parts, sp.ellipj(X, 0.3), strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_options_of_ufuncs():
    slope = xform.grad(lambda x: sp.gammaln(x, where=np.array([True, False])).sum())(X)
    np.testing.assert_array_equal(slope, [sp.psi(X[0]), 0.0])
    assert traced(lambda x: sp.erf(x, dtype=np.float32), X).dtype == np.float32


def test_single_precision_stays():
    x = X.astype(np.float32)
    for f in (sp.gammaln, lambda x: sp.gammainc(x, x), lambda x: sp.betainc(x, x, x / 4), sp.ellipk, sp.log_ndtr):
        assert xform.grad(lambda x, f=f: f(x / 2).sum())(x).dtype == np.float32


@pytest.mark.parametrize("f", [sp.erf, sp.expit], ids=lambda f: f.__name__)
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_functions_that_c_has(f, dtype):
    """libm's values are SciPy's to a few units in the last place, tails and specials included."""
    x = np.concatenate([np.linspace(-30, 30, 1001), [0.0, -0.0, np.inf, -np.inf, np.nan, 1e-300]]).astype(dtype)
    ours, theirs = xform.jit(f)(x), f(x)
    assert ours.dtype == theirs.dtype
    np.testing.assert_allclose(ours, theirs, rtol=8 * np.finfo(dtype).eps, atol=np.finfo(dtype).tiny)


def test_mapped_over_parameters():
    slope = xform.vmap(xform.grad(sp.betainc), in_axes=(0, None, None))(X, 0.7, 0.3)
    np.testing.assert_array_equal(slope, [xform.grad(sp.betainc)(a, 0.7, 0.3) for a in X])


def test_taylor_series_of_the_logarithm_of_gamma():
    """log Gamma(1 + x) = -gamma x + sum_{k>1} (-1)^k zeta(k) x^k / k."""
    _, terms = xform.jet(sp.gammaln, (1.0,), ([1.0, 0.0, 0.0, 0.0, 0.0],))
    wanted = [-np.euler_gamma, *((-1) ** k * sp.zeta(k) * math.factorial(k - 1) for k in range(2, 6))]
    np.testing.assert_allclose(terms, wanted, rtol=1e-13)
