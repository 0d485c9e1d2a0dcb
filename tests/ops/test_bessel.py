"""I_n against its integral, and numpy.i0 with its derivatives."""

import math

import numpy as np
import pytest
from hypothesis import given

import xform
import xform.numpy as xnp
from tests.messages import says
from tests.numpy.agreement import arrays, check_agrees
from xform.ops.bessel import bessel_i
from xform.testing import check_grads


def integral(n, x):
    """I_n(x) = 1/pi int_0^pi e^(x cos t) cos(nt) dt (DLMF 10.32.3); the midpoint rule converges like e^(-points)."""
    t = (np.arange(2000) + 0.5) * (math.pi / 2000)
    return np.exp(x[:, None] * np.cos(t)) @ np.cos(n * t) / 2000


@pytest.mark.parametrize("n", [0, 1, 2, 3, 6])
def test_values(n):
    x = np.array([-30.0, -3.0, 1.0, 5.0, 20.0, 39.0, 41.0, 60.0, 77.0, 300.0, 700.0])
    np.testing.assert_allclose(bessel_i(x, order=n), integral(n, x), rtol=2e-12 if n < 6 else 1e-10)


def test_ends():
    small = np.array([1e-150, -1e-3])
    np.testing.assert_allclose(
        bessel_i(small, order=1), small / 2 * (1 + small**2 / 8 * (1 + small**2 / 24)), rtol=1e-15
    )
    ends = bessel_i(np.array([0.0, np.inf, -np.inf, np.nan, 1e4]), order=1)
    np.testing.assert_array_equal(ends, [0, np.inf, -np.inf, np.nan, np.inf])
    assert bessel_i(np.float64(700.0), order=1) < np.inf
    assert bessel_i(np.float32(1.0), order=2).dtype == np.float32


@given(x=arrays(("float64", "float32", "float16", "int64", "bool")))
def test_i0_is_numpys(x):
    check_agrees(np.i0, x)


def test_i0():
    check_grads(np.i0, (np.array([[-9.0, 0.0], [0.3, 2.0]]),), order=2)
    np.testing.assert_allclose(xform.jacobian(xnp.i0)(np.float32(1.0)), integral(1, np.ones(1))[0], rtol=1e-6)
    orders = [xform.jit(f)(0.5) for f in (xnp.i0, xform.grad(xnp.i0), xform.grad(xform.grad(xnp.i0)))]
    np.testing.assert_allclose(orders[2], orders[0] - orders[1] / 0.5)  # y'' + y' / x = y
    for x in (1j, np.ones(2, np.complex64)):
        with says(TypeError, "i0 not supported for complex values", "scipy.special.iv"):
            xform.vmap(np.i0)(np.array([x]))


def test_kaiser():
    for size in (0, 1, 2, 5, 8):
        for beta in (np.float64(0.0), np.float64(8.6), np.float32(2.5)):
            found = xform.linearize(lambda beta, size=size: xnp.kaiser(size, beta), beta)[0]
            np.testing.assert_allclose(found, np.kaiser(size, beta), rtol=1e-14)
            assert found.dtype == np.kaiser(size, beta).dtype
    check_grads(lambda beta: xnp.kaiser(6, beta), (3.0,), order=2)
    with says(ValueError, "beta of shape (2,)", "vmap"):
        xform.jit(lambda beta: xnp.kaiser(3, beta))(np.ones(2))
