"""Derivatives of special functions where they are delicate: ends of domains, tails, poles, coincident arguments.

The laws of every row are checked in tests/test_rules.py, at points in the interior.
"""

import math

import numpy as np
import pytest
import scipy.special as sp

import xform
from tests.messages import says
from xform.core.errors import MissingRuleError
from xform.scipy import special
from xform.testing import check_grads

EULER = float(np.euler_gamma)


def derivatives(f, x, order):
    """f', f'', ... at x."""
    out = []
    for _ in range(order):
        f = xform.grad(f)
        out.append(float(f(x)))
    return out


# --- values known in closed form ---


@pytest.mark.parametrize(
    "f, x, wanted",
    [
        (sp.gammaln, 1.0, [-EULER, math.pi**2 / 6]),
        (sp.rgamma, 0.0, [1.0, 2 * EULER]),  # 1/Gamma = x + gamma x^2 + ...
        (sp.rgamma, -1.0, [-1.0, 2 * (1 - EULER)]),
        (sp.erf, 0.0, [2 / math.sqrt(math.pi), 0.0, -4 / math.sqrt(math.pi)]),
        (sp.dawsn, 0.0, [1.0, 0.0, -4.0]),
        (sp.ndtri, 0.5, [math.sqrt(2 * math.pi), 0.0]),
        (sp.j0, 0.0, [0.0, -0.5, 0.0, 0.375]),
        (sp.j1, 0.0, [0.5, 0.0, -0.375]),
        (sp.i0, 0.0, [0.0, 0.5, 0.0, 0.375]),
        (lambda z: special.spherical_jn(0, z), 0.0, [0.0, -1 / 3, 0.0, 1 / 5]),
        (lambda z: sp.sici(z)[0], 0.0, [1.0, 0.0, -1 / 3]),
        (sp.spence, 1.0, [-1.0, 0.5, -2 / 3]),
        (sp.exprel, 0.0, [1 / 2, 1 / 3, 1 / 4]),
        (sp.expit, 0.0, [1 / 4, 0.0, -1 / 8]),
        (sp.ellipk, 0.0, [math.pi / 8, 9 * math.pi / 64]),  # pi/2 (1 + m/4 + 9 m^2/64 + ...)
        (sp.ellipe, 0.0, [-math.pi / 8, -3 * math.pi / 64]),  # pi/2 (1 - m/4 - 3 m^2/64 - ...)
        (lambda z: special.lambertw(z).real, 0.0, [1.0, -2.0, 9.0]),
        (sp.wrightomega, 1.0, [1 / 2, 1 / 8]),
        (special.zeta, 0.0, [-math.log(2 * math.pi) / 2]),
        (lambda x: sp.struve(0, x), 0.0, [2 / math.pi, 0.0, -4 / (3 * math.pi)]),
        (lambda x: sp.itj0y0(x)[0], 0.0, [1.0, 0.0, -0.5]),
        (lambda x: sp.it2j0y0(x)[0], 0.0, [0.0, 0.25, 0.0]),
        (lambda x: sp.airy(x)[0], 0.0, [float(sp.airy(0.0)[1]), 0.0, float(sp.airy(0.0)[0])]),
        (sp.berp, 0.0, [0.0, 0.0]),
        (sp.beip, 0.0, [0.5, 0.0]),
        (lambda x: sp.eval_legendre(3, x), 1.0, [6.0, 15.0, 15.0]),
        (lambda x: sp.lpmv(0, 2, x), 1.0, [3.0, 3.0]),
        (lambda x: special.diric(x, 4), 0.0, [0.0, -5 / 4]),
    ],
)
def test_derivatives_known_in_closed_form(f, x, wanted):
    np.testing.assert_allclose(derivatives(f, x, len(wanted)), wanted, rtol=1e-13, atol=1e-13)


def test_carlsons_integrals_at_equal_arguments():
    """RF(x, x, x) = x^{-1/2}, RD = x^{-3/2}, RJ = x^{-3/2}, RG = x^{1/2}; the partials are equal by symmetry."""
    x = np.array([0.25, 1.0, 9.0])
    three, four = (x, x, x), (x, x, x, x)
    for f, args, shares in (
        (sp.elliprf, three, -0.5 * x**-1.5 / 3 * np.ones((3, 1))),
        (sp.elliprg, three, 0.5 * x**-0.5 / 3 * np.ones((3, 1))),
        (sp.elliprd, three, -1.5 * x**-2.5 * np.array([[0.2], [0.2], [0.6]])),
        (sp.elliprj, four, -1.5 * x**-2.5 * np.array([[0.2], [0.2], [0.2], [0.4]])),
    ):
        found = xform.grad(lambda *a, f=f: f(*a).sum(), argnums=tuple(range(len(args))))(*args)
        np.testing.assert_allclose(found, shares, rtol=1e-13)


# --- tails and large arguments (references: 40 digits by the definitions) ---


@pytest.mark.parametrize(
    "f, x, wanted",
    [
        (sp.log_ndtr, -40.0, [40.02496884720726, -0.9993773316214086, 3.101744039648625e-05]),
        (sp.erfcx, 1e10, [-5.641895835477563e-21, 1.1283791670955126e-30]),
        (sp.dawsn, 1e10, [-5e-21, 1e-30]),
        (sp.gammaln, 1e10, [23.025850929890457, 1.00000000005e-10]),
        (sp.ndtri_exp, -1e5, [0.0022361353080124395]),
        (sp.exprel, -800.0, [1 / 640000]),
        (sp.log_expit, -800.0, [1.0, 0.0]),
        (lambda a: sp.betaln(a, 1.0), 1e10, [-1e-10, 1e-20]),
        (lambda v: sp.stdtr(v, 1.0), 1e5, [1.20984757331e-11]),
        (lambda a: sp.gammainc(a, 1e6), 1e6, [-0.00039894231364631975]),
    ],
)
def test_nothing_cancels_in_tails(f, x, wanted):
    np.testing.assert_allclose(derivatives(f, x, len(wanted)), wanted, rtol=1e-8)


# --- parameters of incomplete integrals ---


def test_incomplete_gamma_by_its_recurrence():
    """P(a+1, x) = P(a, x) - x^a e^{-x} / Gamma(a+1), differentiated in a, across the regions of all three methods."""
    x = np.array([0.01, 0.5, 0.999, 1.0, 1.5, 4.0, 40.0])
    for a in (0.3, 1.0, 7.5):
        slope = xform.jvp(lambda a: sp.gammainc(a, x), (a,), (1.0,))[1]
        above = xform.jvp(lambda a: sp.gammainc(a + 1, x), (a,), (1.0,))[1]
        term = x**a * np.exp(-x) / sp.gamma(a + 1) * (np.log(x) - sp.psi(a + 1))
        np.testing.assert_allclose(above, slope - term, rtol=1e-11, atol=1e-14)


def test_incomplete_gamma_in_its_parameter_at_zero():
    """P(0, x) = 1 and dP/da = -E_1(x) there."""
    x = np.array([0.3, 1.0, 5.0])
    np.testing.assert_allclose(xform.jvp(lambda a: sp.gammainc(a, x), (0.0,), (1.0,))[1], -sp.exp1(x), rtol=1e-12)


def test_incomplete_beta_with_a_parameter_of_one():
    """I_x(a, 1) = x^a and I_x(1, b) = 1 - (1-x)^b."""
    x = np.array([1e-6, 0.2, 0.5, 0.9, 1 - 1e-6])
    for c in (1e-3, 0.05, 0.4, 1.0, 30.0):
        slope = xform.jvp(lambda a: sp.betainc(a, 1.0, x), (c,), (1.0,))[1]
        np.testing.assert_allclose(slope, x**c * np.log(x), rtol=1e-10, atol=1e-18)
        slope = xform.jvp(lambda b: sp.betainc(1.0, b, x), (c,), (1.0,))[1]
        np.testing.assert_allclose(slope, -((1 - x) ** c) * np.log1p(-x), rtol=1e-10, atol=1e-18)
        curvature = xform.grad(xform.grad(lambda a: sp.betainc(a, 1.0, 0.3)))(c)
        np.testing.assert_allclose(curvature, 0.3**c * math.log(0.3) ** 2, rtol=1e-9)


def test_incomplete_beta_at_the_ends_and_by_symmetry():
    slope = xform.grad(sp.betainc, argnums=(0, 1, 2))
    assert slope(2.0, 3.0, 0.0) == (0.0, 0.0, 0.0)
    assert slope(2.0, 3.0, 1.0) == (0.0, 0.0, 0.0)
    da, db, dx = slope(2.3, 0.7, 0.6)
    other = slope(0.7, 2.3, 0.4)
    np.testing.assert_allclose([da, db, dx], [-other[1], -other[0], other[2]], rtol=1e-12)


@pytest.mark.parametrize("t", [-3.0, -1e-5, 0.0, 0.7, 20.0])
def test_students_distribution_of_one_and_two_degrees(t):
    """F_1 = 1/2 + arctan(t)/pi; the mixed derivative is that of the density, at 0 as well."""

    def log_density(v):
        return -(v + 1) / 2 * np.log1p(t * t / v) - np.log(v) / 2 - sp.betaln(v / 2, 0.5)

    mixed = xform.grad(xform.grad(sp.stdtr, 1), 0)(2.0, t)
    other = xform.grad(xform.grad(sp.stdtr, 0), 1)(2.0, t)
    wanted = xform.grad(lambda v: np.exp(log_density(v)))(2.0)
    np.testing.assert_allclose([mixed, other], wanted, rtol=1e-11)
    np.testing.assert_allclose(xform.grad(sp.stdtr, 1)(1.0, t), 1 / (math.pi * (1 + t * t)), rtol=1e-13)


INVERSES = [
    (sp.gammaincinv, sp.gammainc, (2.3, 0.3)),
    (sp.gammainccinv, sp.gammaincc, (2.3, 0.3)),
    (sp.chdtri, sp.chdtrc, (2.3, 0.3)),
    (sp.stdtrit, sp.stdtr, (2.3, 0.3)),
    (sp.betaincinv, sp.betainc, (2.3, 0.7, 0.3)),
    (sp.gdtrix, sp.gdtr, (2.3, 0.7, 0.3)),
]


@pytest.mark.parametrize("inverse, function, args", INVERSES, ids=lambda x: getattr(x, "__name__", ""))
def test_quantiles_are_inverses_to_the_second_order(inverse, function, args):
    """F(a, Q(a, p)) = p: the derivative in p is one, every other one is zero."""

    def identity(*args):
        return function(*args[:-1], inverse(*args))

    slopes = xform.grad(identity, argnums=tuple(range(len(args))))(*args)
    np.testing.assert_allclose(slopes, [0.0] * (len(args) - 1) + [1.0], atol=1e-11)
    curvature = xform.hessian(lambda v: identity(*v))(np.array(args))
    np.testing.assert_allclose(curvature, np.zeros_like(curvature), atol=1e-9)


# --- zeros of cotangents, kinks, boundaries ---


@pytest.mark.parametrize(
    "f, wanted",
    [
        (lambda x: sp.xlogy(x, x), [-math.inf]),
        (lambda y: sp.xlogy(0.0, y), [0.0]),
        (lambda y: sp.xlog1py(0.0, y - 1.0), [0.0]),
        (sp.entr, [math.inf]),
        (lambda y: sp.rel_entr(0.0, y), [0.0]),
        (lambda r: sp.huber(1.0, r), [0.0]),
        (lambda r: sp.pseudo_huber(0.0, r), [0.0]),
        (sp.kolmogorov, [0.0]),
        (lambda p: sp.boxcox(0.0, p + 0.5), [4.0]),
    ],
)
def test_at_zero(f, wanted):
    np.testing.assert_array_equal(derivatives(f, 0.0, 1), wanted)


def test_what_is_not_chosen_does_not_count():
    x = np.array([0.0, -1.0, 2.0])
    slope = xform.grad(lambda x: np.sum(np.where(x > 0, sp.gammaln(x), 0.0)))(x)
    np.testing.assert_array_equal(slope, [0.0, 0.0, sp.psi(2.0)])


def test_outside_of_the_support():
    assert xform.grad(sp.tklmbda, (0, 1))(3.0, 0.5) == (0.0, 0.0)
    assert xform.grad(sp.pdtrik)(0.1, 2.0) == 0.0  # no count has so small a probability
    assert xform.grad(lambda d: sp.smirnov(5, d))(1.0) == 0.0


# --- arguments in which no derivative is known ---


@pytest.mark.parametrize(
    "f, args, argument",
    [
        (sp.jv, (0.5, 1.0), "the order v"),
        (sp.kv, (0.5, 1.0), "the order v"),
        (sp.struve, (0.5, 1.0), "the order v"),
        (sp.hyp2f1, (0.5, 0.7, 1.1, 0.3), "the parameter a"),
        (sp.eval_jacobi, (2.5, 0.5, 0.5, 0.3), "the degree n"),
        (sp.chndtr, (1.0, 2.0, 3.0), "the degrees of freedom df"),
        (special.polygamma, (1.0, 2.0), "the order n"),
    ],
)
def test_unknown_derivatives_are_refused(f, args, argument):
    position = 1 if f is sp.chndtr else 0
    name = getattr(f, "__name__", "")
    for transform in (xform.grad, xform.jacfwd):
        with says(MissingRuleError, name, argument, "constant", "custom_jvp"):
            transform(f, position)(*args)
    assert np.isfinite(xform.grad(f, len(args) - 1)(*args))
    assert float(xform.jit(f)(*args)) == float(f(*args))


def test_scalings_that_are_not_holomorphic_are_refused():
    with says(MissingRuleError, "ive", "not holomorphic"):
        xform.grad(lambda z: sp.ive(0.5, z), holomorphic=True)(1.0 + 1.0j)
    with says(MissingRuleError, "zeta", "complex"):
        xform.grad(special.zeta, holomorphic=True)(2.0 + 1.0j)


# --- complex arguments ---


@pytest.mark.parametrize(
    "f",
    [sp.gamma, sp.loggamma, sp.psi, sp.erf, sp.wofz, sp.expi, sp.spence, sp.wrightomega, lambda z: sp.jv(0.3, z)],
    ids=lambda f: getattr(f, "__name__", ""),
)
def test_holomorphic_derivatives(f):
    z, h = 0.7 - 0.4j, 1e-5
    for direction in (1, 1j):
        quotient = (f(z + h * direction) - f(z - h * direction)) / (2 * h * direction)
        np.testing.assert_allclose(xform.grad(f, holomorphic=True)(z), quotient, rtol=1e-8)


def test_complex_polygamma():
    """The reflection psi_1(1-z) + psi_1(z) = pi^2 / sin^2(pi z), left of the imaginary axis too."""
    z = np.array([0.3 + 0.2j, -5.3 + 0.4j, 30.0 - 2.0j, -2.2 + 40.0j])
    slope = xform.vmap(xform.grad(sp.psi, holomorphic=True))
    np.testing.assert_allclose(slope(1 - z) + slope(z), (math.pi / np.sin(math.pi * z)) ** 2, rtol=1e-11, atol=1e-14)


# --- both modes, twice, on real points of functions whose laws are checked at complex ones ---


@pytest.mark.parametrize(
    "f",
    [
        sp.gamma,
        sp.rgamma,
        sp.expi,
        lambda x: sp.jv(0.3, x),
        lambda x: sp.yv(1, x),
        lambda x: sp.hyp2f1(0.3, 0.7, 1.1, x / 4),
        lambda x: sp.airy(x)[2],
        lambda x: special.spherical_yn(2, x),
        lambda x: sum(sp.sici(x)) + sum(sp.shichi(x)),
        lambda x: sp.fdtri(3.0, 4.0, x / 4),
        lambda x: sp.wright_bessel(0.7, 1.2, x),
        lambda x: sp.besselpoly(x, 0.5, 1.0),
        lambda x: sp.kelvin(x)[0].real + sp.kelvin(x)[1].imag,
        lambda x: sp.ellipj(x, x / 3)[0] + sp.ellipj(x, x / 3)[3],
    ],
)
def test_real_points_in_both_modes(f):
    check_grads(f, (np.array([0.6, 1.7]),), order=2)


def test_arrays_of_many_and_of_no_entries():
    """Nodes are in memory for some thousand entries at a time."""
    x = np.linspace(0.01, 0.99, 5000)
    for f in (sp.gammainc, sp.stdtr, lambda a, x: sp.betainc(a, 2.0, x), lambda a, x: sp.elliprd(a, x, 2.0)):
        slope = xform.jvp(lambda a, f=f: f(a, x), (0.7,), (1.0,))[1]
        assert slope[4321] == xform.grad(f)(0.7, x[4321])
        assert xform.jvp(lambda a, f=f: f(a, x[:0]), (0.7,), (1.0,))[1].shape == (0,)
