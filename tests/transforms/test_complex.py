"""Complex numbers: JAX's conventions, of which the reference values below are.

A complex argument z = a + i b of a real function f has grad f = df/da - i df/db. Transposes are plain, not conjugated.
"""

import numpy as np
import pytest
from numpy.testing import assert_allclose

import xform

Z, V, W = 3.0 + 4.0j, 0.5 - 2.0j, 1.5 + 1.0j


@pytest.mark.parametrize(
    "f, wanted",
    [
        (lambda z: np.abs(z) ** 2, 6 - 8j),
        (lambda z: np.real(z * np.conj(z)), 6 - 8j),
        (np.abs, 0.6 - 0.8j),
        (np.real, 1.0),
        (np.imag, -1j),
        (lambda z: np.real(z * z), 6 + 8j),
        (lambda z: np.imag(z * z), 8 - 6j),
        (lambda z: np.real(np.conj(z)), 1.0),
        (lambda z: np.imag(np.conj(z)), 1j),
        (lambda z: z.real * z.imag, 4 - 3j),
        (lambda z: np.real(np.exp(z)), np.exp(Z)),
        (np.angle, (-4 - 3j) / 25),
        (lambda z: np.real(np.log(z)), 1 / Z),
        (lambda z: np.real(1j * z), 1j),
    ],
)
def test_gradients_of_real_functions_of_a_complex_argument(f, wanted):
    assert_allclose(xform.grad(f)(Z), wanted, rtol=1e-14, atol=1e-15)
    y, y_dot = xform.jvp(f, (Z,), (V,))
    assert y.dtype == np.float64
    assert_allclose(y_dot, np.real(wanted * V), rtol=1e-14, atol=1e-15)
    assert_allclose(xform.vjp(f, Z)[1](2.0)[0], 2.0 * wanted, rtol=1e-14, atol=1e-15)
    assert_allclose(xform.grad(lambda a, b: f(a + 1j * b), (0, 1))(3.0, 4.0), [wanted.real, -wanted.imag], atol=1e-15)


@pytest.mark.parametrize(
    "f, by_z, by_conj",
    [
        (lambda z: z * z, 2 * Z, 0.0),
        (np.conj, 0.0, 1.0),
        (lambda z: z * np.conj(z), np.conj(Z), Z),
        (np.exp, np.exp(Z), 0.0),
        (lambda z: z / np.abs(z), 1 / 5 - 0.5 * Z * np.conj(Z) / 125, -0.5 * Z * Z / 125),
        (np.sign, 1 / 5 - 0.5 * Z * np.conj(Z) / 125, -0.5 * Z * Z / 125),
        (lambda z: z**2.5, 2.5 * Z**1.5, 0.0),
        (lambda z: 2.0**z, np.log(2) * 2.0**Z, 0.0),
    ],
)
def test_complex_functions(f, by_z, by_conj):
    """The pushforward is f_z v + f_conj conj(v), the pullback w f_z + conj(w f_conj)."""
    assert_allclose(xform.jvp(f, (Z,), (V,))[1], by_z * V + by_conj * np.conj(V), rtol=1e-13)
    assert_allclose(xform.vjp(f, Z)[1](W)[0], W * by_z + np.conj(W * by_conj), rtol=1e-13)
    assert_allclose(xform.linearize(f, Z)[1](V), by_z * V + by_conj * np.conj(V), rtol=1e-13)


def test_real_arguments_have_real_cotangents():
    y, pullback = xform.vjp(lambda x: np.exp(1j * x), 0.5)
    (x_bar,) = pullback(W)
    assert x_bar.dtype == np.float64
    assert_allclose(x_bar, np.real(W * 1j * np.exp(0.5j)), rtol=1e-15)
    assert_allclose(y, np.exp(0.5j))


def test_mixed_operands():
    """A real operand of a complex product."""
    x, z = np.array([1.0, 2.0]), np.array([1.0 + 1.0j, 2.0 - 1.0j])
    gx, gz = xform.grad(lambda x, z: np.sum(np.abs(x * z) ** 2), (0, 1))(x, z)
    assert_allclose(gx, 2 * x * np.abs(z) ** 2, rtol=1e-14)
    assert_allclose(gz, 2 * x**2 * np.conj(z), rtol=1e-14)
    assert (gx.dtype, gz.dtype) == (np.float64, np.complex128)


def test_single_complex_precision():
    z = np.array([1.0 + 2.0j], np.complex64)
    g = xform.grad(lambda z: np.sum(np.abs(z) ** 2 + np.real(z**3 / 3.0)))(z)
    assert g.dtype == np.complex64
    assert_allclose(g, 2 * np.conj(z) + z**2, rtol=1e-6)


def test_second_derivatives():
    """Of |z|, whose first derivative is conj(z) / |z|."""
    second = xform.jvp(xform.grad(np.abs), (Z,), (1.0 + 0j,))[1]
    assert_allclose(second, 1 / 5 - np.conj(Z) * 3 / 125, rtol=1e-14)


def test_at_zero():
    assert xform.grad(np.abs)(0j) == 0.0
    assert xform.jvp(np.sign, (0j,), (V,))[1] == 0.0


def test_gradient_descent_goes_along_the_conjugate():
    z = Z
    for _ in range(50):
        z = z - 0.1 * np.conj(xform.grad(lambda z: np.abs(z - (1 + 1j)) ** 2)(z))
    assert_allclose(z, 1 + 1j, rtol=1e-4)
