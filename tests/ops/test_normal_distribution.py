"""The normal distribution function, its inverse and Mills' ratio, against SciPy, to the ends of the doubles."""

import numpy as np
import pytest
import scipy.special as sp

import xform
from tests.messages import says
from xform.ops.normal_distribution import normal_cdf, normal_mills, normal_quantile
from xform.testing import check_grads

X = np.concatenate([np.linspace(-8.0, 8.0, 4001), np.linspace(-37.0, 37.0, 999), [0.67448975, 5.656854, -5.656854]])


def test_distribution_function():
    wanted = sp.ndtr(X)
    # SciPy rounds x / sqrt(2) first, which costs it x^2 units of the last place
    allowed = 2e-16 * (4 + X * X)
    assert (np.abs(normal_cdf(X) - wanted) <= allowed * wanted).all()
    assert normal_cdf(np.array([-np.inf, -40.0, 0.0, 40.0, np.inf])).tolist() == [0.0, 0.0, 0.5, 1.0, 1.0]
    assert np.isnan(normal_cdf(np.nan))


def test_quantile():
    p = np.concatenate([np.linspace(0.0, 1.0, 4001)[1:-1], np.logspace(-307, -1, 500)])
    np.testing.assert_allclose(normal_quantile(p), sp.ndtri(p), rtol=2e-15, atol=1e-17)
    assert normal_quantile(np.array([0.0, 0.5, 1.0])).tolist() == [-np.inf, 0.0, np.inf]
    assert np.isnan(normal_quantile(np.array([-0.1, 1.1, np.nan]))).all()


def test_mills_ratio():
    x = np.concatenate([np.linspace(-300.0, 8.0, 4001), [-1e8, -5.656854, -0.67448975]])
    wanted = np.sqrt(np.pi / 2) * sp.erfcx(-x / np.sqrt(2))
    assert (np.abs(normal_mills(x) / wanted - 1) <= 2e-15 * (1 + np.maximum(x, 0) ** 2)).all()
    assert normal_mills(-np.inf) == 0.0


@pytest.mark.parametrize("f", [normal_cdf, normal_mills])
def test_derivatives(f):
    check_grads(f, (np.array([-12.0, -3.0, -0.5, 0.0, 0.7, 2.0]),), order=2)


def test_derivatives_of_the_quantile():
    check_grads(normal_quantile, (np.array([1e-2, 0.05, 0.3, 0.5, 0.9]),), order=2)
    slope = xform.grad(lambda p: xform.numpy.where(p > 0, normal_quantile(p), 0.0))(0.0)
    assert slope == 0.0


def test_shapes_and_dtypes():
    x = np.random.default_rng(0).normal(size=(3, 5000))  # more than what is computed at once
    np.testing.assert_array_equal(normal_cdf(x), [normal_cdf(row) for row in x])
    np.testing.assert_array_equal(normal_cdf(x[:, ::7]), normal_cdf(x)[:, ::7])
    assert normal_cdf(np.float32(0.3)).dtype == np.float32
    assert normal_cdf(1) == normal_cdf(1.0) == normal_cdf(np.int64(1))
    assert normal_cdf(np.zeros((0, 2))).shape == (0, 2)
    with says(TypeError, "normal_cdf", "complex128", "real"):
        normal_cdf(1j)
