"""Initial weights: variances, limits, orthogonality, dtypes, and that they are functions of the key."""

import math

import numpy as np
import pytest

import xform
import xform.random as random
from tests.messages import says
from xform.nn import initializers

KEY = random.key(3)
SHAPE = (3, 3, 20, 60)
FAN_IN, FAN_OUT = 9 * 20, 9 * 60

#: initializer, variance
SCALED = {
    "glorot_uniform": 2 / (FAN_IN + FAN_OUT),
    "glorot_normal": 2 / (FAN_IN + FAN_OUT),
    "xavier_uniform": 2 / (FAN_IN + FAN_OUT),
    "xavier_normal": 2 / (FAN_IN + FAN_OUT),
    "lecun_uniform": 1 / FAN_IN,
    "lecun_normal": 1 / FAN_IN,
    "he_uniform": 2 / FAN_IN,
    "he_normal": 2 / FAN_IN,
    "kaiming_uniform": 2 / FAN_IN,
    "kaiming_normal": 2 / FAN_IN,
}


@pytest.mark.parametrize("name", SCALED)
def test_variance(name):
    x = getattr(initializers, name)()(KEY, SHAPE)
    assert x.shape == SHAPE
    assert x.dtype == np.float64
    assert x.var() == pytest.approx(SCALED[name], rel=0.05)
    assert abs(x.mean()) < 4 * (SCALED[name] / x.size) ** 0.5
    limit = math.sqrt(3 * SCALED[name]) if "uniform" in name else 2 * math.sqrt(SCALED[name]) / 0.8796256610342398
    assert 0.9 * limit < np.abs(x).max() <= limit


@pytest.mark.parametrize("mode, n", [("fan_in", FAN_IN), ("fan_out", FAN_OUT), ("fan_avg", (FAN_IN + FAN_OUT) / 2),
                                     ("fan_geo_avg", math.sqrt(FAN_IN * FAN_OUT))])  # fmt: skip
@pytest.mark.parametrize("distribution", ["normal", "truncated_normal", "uniform"])
@pytest.mark.parametrize("dtype", [np.float32, np.complex128])
def test_variance_scaling(mode, n, distribution, dtype):
    x = initializers.variance_scaling(1.5, mode, distribution)(KEY, SHAPE, dtype)
    assert x.dtype == dtype
    assert np.mean(np.abs(x) ** 2) == pytest.approx(1.5 / n, rel=0.05)
    if dtype == np.complex128:
        assert abs(np.mean(x**2)) < 0.05 * 1.5 / n


def test_axes():
    x = initializers.variance_scaling(1.0, "fan_in", "normal", in_axis=0, out_axis=(1, 2))(KEY, (400, 5, 30))
    assert x.var() == pytest.approx(1 / 400, rel=0.05)
    y = initializers.variance_scaling(1.0, "fan_in", "normal", batch_axis=0)(KEY, (400, 5, 30))
    assert y.var() == pytest.approx(1 / 5, rel=0.05)


def test_plain_initializers():
    assert initializers.zeros(KEY, (2, 3)).tolist() == [[0.0] * 3] * 2
    assert initializers.ones(KEY, (2,), np.float32).dtype == np.float32
    assert initializers.constant([1.0, 2.0], np.float32)(KEY, (3, 2)).tolist() == [[1.0, 2.0]] * 3
    u = initializers.uniform(0.5)(KEY, (1000,))
    assert u.min() >= 0
    assert 0.49 < u.max() < 0.5
    assert initializers.normal(0.5, np.float32)(KEY, (1000,)).dtype == np.float32
    assert initializers.normal(0.5)(KEY, (10000,)).std() == pytest.approx(0.5, rel=0.05)
    t = initializers.truncated_normal(0.5, lower=-1.0, upper=3.0)(KEY, (1000,))
    assert t.min() > -0.5
    assert 1.0 < t.max() < 1.5


@pytest.mark.parametrize("shape, axis", [((5, 3), -1), ((3, 5), -1), ((2, 3, 4), -1), ((4, 2, 3), 0), ((3, 4, 2), 1)])
def test_orthogonal(shape, axis):
    x = initializers.orthogonal(2.0, axis)(KEY, shape)
    assert x.shape == shape
    a = np.moveaxis(x, axis, -1).reshape(-1, shape[axis]) / 2
    gram = a.T @ a if a.shape[0] >= a.shape[1] else a @ a.T
    np.testing.assert_allclose(gram, np.eye(len(gram)), atol=1e-14)


@pytest.mark.parametrize("window", [(3,), (2, 5), (3, 4, 1)])
def test_delta_orthogonal(window):
    x = initializers.delta_orthogonal()(KEY, (*window, 3, 4))
    assert x.shape == (*window, 3, 4)
    centre = tuple((n - 1) // 2 for n in window)
    np.testing.assert_allclose(x[centre] @ x[centre].T, np.eye(3), atol=1e-14)
    assert np.count_nonzero(x) == 12


def test_under_transformations():
    init = initializers.he_normal()
    keys = random.split(KEY, 3)
    np.testing.assert_array_equal(xform.vmap(lambda k: init(k, (4, 5)))(keys), [init(k, (4, 5)) for k in keys])
    np.testing.assert_allclose(xform.jit(lambda k: init(k, (4, 5)))(KEY), init(KEY, (4, 5)), rtol=1e-12)
    rate = xform.grad(lambda s: initializers.variance_scaling(s, "fan_in", "normal")(KEY, (3, 2)).sum())(1.0)
    assert rate == pytest.approx(0.5 * initializers.variance_scaling(1.0, "fan_in", "normal")(KEY, (3, 2)).sum())


def test_errors():
    with says(ValueError, "variance_scaling", "mode='fan'", "fan_avg"):
        initializers.variance_scaling(1.0, "fan", "normal")
    with says(ValueError, "variance_scaling", "distribution='cauchy'"):
        initializers.variance_scaling(1.0, "fan_in", "cauchy")
    with says(ValueError, "(5,)", "axes", "normal or uniform"):
        initializers.he_normal()(KEY, (5,))
    with says(ValueError, "orthogonal", "(5,)", "two axes"):
        initializers.orthogonal()(KEY, (5,))
    with says(ValueError, "delta_orthogonal", "(3, 4, 2)", "features"):
        initializers.delta_orthogonal()(KEY, (3, 4, 2))
    with says(TypeError, "int64", "real or complex"):
        initializers.normal()(KEY, (2,), int)
    with says(TypeError, "key", "random.key(seed)"):
        initializers.normal()(0, (2,))
