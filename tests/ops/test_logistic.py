"""The logistic function and the derivatives of logaddexp, which are written with it."""

import math

import numpy as np
import pytest
from numpy.testing import assert_allclose

import xform
from xform.ops.transcendental import logaddexp, logaddexp2, logistic


def test_values_are_precise_in_the_tail_and_do_not_overflow():
    x = np.array([-np.inf, -800.0, -700.0, -40.0, 0.0, 40.0, 800.0, np.inf])
    assert_allclose(logistic(x), [0.0, 0.0, math.exp(-700), math.exp(-40), 0.5, 1.0, 1.0, 1.0], rtol=1e-12)
    assert logistic(np.float32(-3)).dtype == np.float32
    assert_allclose(logistic(1 + 1j), 1 / (1 + np.exp(-1 - 1j)))


@pytest.mark.parametrize("x", [-800.0, -5.0, 0.0, 0.5, 800.0])
def test_derivatives(x):
    s, t = float(logistic(x)), float(logistic(-x))
    assert_allclose(xform.grad(logistic)(x), s * t)
    assert_allclose(xform.grad(xform.grad(logistic))(x), s * t * (t - s))


@pytest.mark.parametrize("gap", [-800.0, -1.0, 0.0, 1e-3, 800.0])
def test_second_derivatives_of_logaddexp_at_and_far_from_ties(gap):
    p = float(logistic(gap))
    for f, scale in ((logaddexp, 1.0), (logaddexp2, math.log(2))):
        a = 3.0 + gap / scale
        assert_allclose(xform.grad(f)(a, 3.0), p, rtol=1e-9)
        assert_allclose(xform.grad(xform.grad(f))(a, 3.0), scale * p * (1 - p), rtol=1e-9, atol=1e-300)


@pytest.mark.parametrize("a, b, expected", [(np.inf, np.inf, 0.5), (-np.inf, -np.inf, 0.5), (-np.inf, 0.0, 0.0)])
def test_logaddexp_of_infinities(a, b, expected):
    assert xform.grad(logaddexp)(a, b) == expected
