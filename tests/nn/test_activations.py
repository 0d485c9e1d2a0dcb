"""Activation functions: values by their formulas, derivatives at kinks, far away and of every kind."""

import math

import numpy as np
import pytest

import xform
from tests.messages import says
from xform import nn
from xform.testing import check_grads


def phi(x):
    return 0.5 * math.erfc(-x / math.sqrt(2))


def sigmoid(x):
    return 1 / (1 + math.exp(-x))


#: function, its formula for one number
FORMULAS = {
    "identity": (nn.identity, lambda x: x),
    "relu": (nn.relu, lambda x: max(x, 0)),
    "relu6": (nn.relu6, lambda x: min(max(x, 0), 6)),
    "leaky_relu": (nn.leaky_relu, lambda x: x if x > 0 else 0.01 * x),
    "elu": (lambda x: nn.elu(x, 0.7), lambda x: x if x > 0 else 0.7 * math.expm1(x)),
    "selu": (nn.selu, lambda x: 1.0507009873554805 * (x if x > 0 else 1.6732632423543772 * math.expm1(x))),
    "celu": (lambda x: nn.celu(x, 0.7), lambda x: x if x > 0 else 0.7 * math.expm1(x / 0.7)),
    "sigmoid": (nn.sigmoid, sigmoid),
    "log_sigmoid": (nn.log_sigmoid, lambda x: math.log(sigmoid(x))),
    "softplus": (nn.softplus, lambda x: math.log1p(math.exp(x))),
    "silu": (nn.silu, lambda x: x * sigmoid(x)),
    "tanh": (nn.tanh, math.tanh),
    "soft_sign": (nn.soft_sign, lambda x: x / (1 + abs(x))),
    "hard_tanh": (nn.hard_tanh, lambda x: min(max(x, -1), 1)),
    "hard_sigmoid": (nn.hard_sigmoid, lambda x: min(max(x + 3, 0), 6) / 6),
    "hard_silu": (nn.hard_silu, lambda x: x * min(max(x + 3, 0), 6) / 6),
    "gelu": (nn.gelu, lambda x: 0.5 * x * (1 + math.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)))),
    "gelu, exact": (lambda x: nn.gelu(x, approximate=False), lambda x: x * phi(x)),
    "mish": (nn.mish, lambda x: x * math.tanh(math.log1p(math.exp(x)))),
    "squareplus": (lambda x: nn.squareplus(x, 3.0), lambda x: 0.5 * (x + math.sqrt(x * x + 3.0))),
    "sparse_plus": (nn.sparse_plus, lambda x: 0 if x < -1 else x if x > 1 else 0.25 * (x + 1) ** 2),
    "sparse_sigmoid": (nn.sparse_sigmoid, lambda x: min(max(0.5 * (x + 1), 0), 1)),
}

X = np.array([-7.3, -3.1, -1.2, -0.4, -1e-3, 1e-3, 0.3, 0.9, 2.2, 4.7, 9.1])

every = pytest.mark.parametrize("name", FORMULAS)


@every
def test_values(name):
    f, formula = FORMULAS[name]
    np.testing.assert_allclose(f(X), [formula(x) for x in X], rtol=2e-14, atol=1e-15)
    assert f(X.reshape(1, -1)).shape == (1, 11)
    assert f(np.zeros((0, 2))).shape == (0, 2)
    assert f(X.astype(np.float32)).dtype == np.float32
    with np.errstate(invalid="ignore"):
        assert np.isnan(f(np.nan))
    np.testing.assert_array_equal(f([1.0, -2.0]), f(np.array([1.0, -2.0])))


@every
def test_derivatives(name):
    f, _ = FORMULAS[name]
    check_grads(f, (X,), order=2)
    np.testing.assert_allclose(xform.vmap(xform.grad(f))(X), xform.jit(xform.vmap(xform.grad(f)))(X), rtol=1e-12)


@every
def test_far_away(name):
    """Neither a value nor a derivative overflows or is undefined; with warnings as errors."""
    f, _ = FORMULAS[name]
    for x in (np.array([-1e200, -800.0, -50.0, 0.0, 50.0, 800.0, 1e200]), np.float32([-1e30, -100, 0, 100, 1e30])):
        y, rates = xform.jvp(f, (x,), (np.ones_like(x),))
        assert np.isfinite(y).all()
        assert np.isfinite(rates).all()
        second = xform.jvp(lambda x, f=f: xform.jvp(f, (x,), (np.ones_like(x),))[1], (x,), (np.ones_like(x),))[1]
        assert np.isfinite(second).all()


KINKS = [
    (nn.relu, 0.0, 0.0),
    (nn.relu6, 0.0, 0.0),
    (nn.relu6, 6.0, 0.0),
    (nn.leaky_relu, 0.0, 1.0),
    (nn.elu, 0.0, 1.0),
    (nn.celu, 0.0, 1.0),
    (nn.selu, 0.0, 1.0507009873554805 * 1.6732632423543772),
    (nn.hard_tanh, 1.0, 1.0),
    (nn.hard_tanh, -1.0, 1.0),
    (nn.hard_sigmoid, 3.0, 0.0),
    (nn.sparse_plus, 1.0, 1.0),
    (nn.sparse_plus, -1.0, 0.0),
    (nn.soft_sign, 0.0, 1.0),
    (nn.gelu, 0.0, 0.5),
    (nn.silu, 0.0, 0.5),
]


@pytest.mark.parametrize("f, x, wanted", KINKS)
def test_derivatives_at_kinks(f, x, wanted):
    assert xform.grad(f)(x) == pytest.approx(wanted, rel=1e-15)
    assert xform.jvp(f, (x,), (1.0,))[1] == pytest.approx(wanted, rel=1e-15)


def test_derivatives_in_parameters():
    x = np.array([-2.0, -0.3, 1.0])
    check_grads(lambda a: nn.elu(x, a), (0.7,), order=2)
    check_grads(lambda a: nn.celu(x, a), (0.7,), order=2)
    check_grads(lambda a: nn.leaky_relu(x, a), (0.1,), order=2)
    check_grads(lambda b: nn.squareplus(x, b), (3.0,), order=2)


def test_squareplus_of_negative_numbers_is_precise():
    assert nn.squareplus(-1e8) == pytest.approx(1e-8, rel=1e-15)


def test_integers():
    assert nn.relu(np.array([-1, 2])).tolist() == [0, 2]
    assert nn.relu(np.array([-1, 2])).dtype == np.int64
    assert nn.gelu(1) == nn.gelu(1.0)
    assert nn.sigmoid(0) == 0.5


def test_glu():
    x = np.arange(12.0).reshape(2, 6)
    wanted = x[:, :3] / (1 + np.exp(-x[:, 3:]))
    np.testing.assert_allclose(nn.glu(x), wanted)
    np.testing.assert_allclose(nn.glu(x.T, axis=0), wanted.T)
    check_grads(nn.glu, (x / 5,), order=2)
    with says(ValueError, "glu", "axis 0", "(3,)", "even"):
        nn.glu(np.ones(3))
    with pytest.raises(np.exceptions.AxisError):
        nn.glu(np.ones(4), axis=1)


def test_aliases():
    assert nn.swish is nn.silu
    assert nn.hard_swish is nn.hard_silu


def test_one_hot():
    assert nn.one_hot(2, 4).tolist() == [0.0, 0.0, 1.0, 0.0]
    x = np.array([[0, 1], [2, -1]])
    np.testing.assert_array_equal(nn.one_hot(x, 3)[1], [[0, 0, 1], [0, 0, 0]])
    for axis in (0, 1, 2, -1, -2):
        np.testing.assert_array_equal(nn.one_hot(x, 3, axis=axis), np.moveaxis(nn.one_hot(x, 3), -1, axis))
    assert nn.one_hot(x, 3, dtype=np.int8).dtype == np.int8
    assert nn.one_hot(x, 0).shape == (2, 2, 0)
    np.testing.assert_array_equal(xform.vmap(lambda i: nn.one_hot(i, 3))(x[0]), nn.one_hot(x[0], 3))
    np.testing.assert_array_equal(xform.jit(lambda i: nn.one_hot(i, 3))(x), nn.one_hot(x, 3))
    with says(TypeError, "one_hot", "float64", "integers"):
        nn.one_hot(0.5, 3)
    with says(ValueError, "one_hot", "num_classes=-1"):
        nn.one_hot(0, -1)
