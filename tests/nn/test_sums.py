"""logsumexp, softmax and their kind, against SciPy; masks, signs, infinities, derivatives."""

import numpy as np
import pytest
import scipy.special as sp

import xform
from tests.messages import says
from xform import nn
from xform.testing import check_grads

rng = np.random.default_rng(0)
X = rng.normal(size=(3, 4)) * 3
MASK = np.array([[True, False, True, True], [True, True, False, True], [False, True, True, False]])
WEIGHTS = rng.normal(size=(3, 4))
AXES = [None, 0, -1, (0, 1), ()]


@pytest.mark.parametrize("axis", AXES)
@pytest.mark.parametrize("keepdims", [False, True])
def test_logsumexp(axis, keepdims):
    np.testing.assert_allclose(
        nn.logsumexp(X, axis=axis, keepdims=keepdims), sp.logsumexp(X, axis=axis, keepdims=keepdims), rtol=1e-14
    )
    found = nn.logsumexp(X, axis=axis, b=WEIGHTS, keepdims=keepdims, return_sign=True)
    wanted = sp.logsumexp(X, axis=axis, b=WEIGHTS, keepdims=keepdims, return_sign=True)
    for y, z in zip(found, wanted, strict=True):
        np.testing.assert_allclose(y, z, rtol=1e-13)
    masked = nn.logsumexp(X, axis=axis, where=MASK, keepdims=keepdims)
    hidden = np.where(MASK, X, -np.inf)
    np.testing.assert_allclose(masked, sp.logsumexp(hidden, axis=axis, keepdims=keepdims), rtol=1e-14)
    count = np.sum(MASK, axis=axis, keepdims=keepdims)
    mean = nn.logmeanexp(X, axis=axis, where=MASK, keepdims=keepdims)
    if axis != ():
        np.testing.assert_allclose(mean, masked - np.log(count), rtol=1e-14)
    whole = np.log(np.mean(np.exp(X), axis=axis, keepdims=keepdims))
    np.testing.assert_allclose(nn.logmeanexp(X, axis=axis, keepdims=keepdims), whole, rtol=1e-13)


def test_logsumexp_of_infinite_numbers():
    assert nn.logsumexp(np.array([-np.inf, -np.inf])) == -np.inf
    assert nn.logsumexp(np.array([])) == -np.inf
    assert nn.logsumexp(np.array([1.0, np.inf])) == np.inf
    assert np.isnan(nn.logsumexp(np.array([1.0, np.nan])))
    assert nn.logsumexp(np.array([1000.0, -np.inf])) == 1000.0
    assert np.isnan(nn.logsumexp(np.array([0.0, 1.0]), b=np.array([1.0, -1.0])))
    assert nn.logsumexp(np.array([0.0, np.inf]), b=np.array([2.0, 0.0])) == np.log(2.0)
    assert nn.logsumexp(np.array([0, 0])) == np.log(2.0)
    assert nn.logsumexp(np.float32([0, 0])).dtype == np.float32
    assert nn.logsumexp(0.0) == 0.0


def test_logsumexp_of_complex_numbers():
    z = X + 1j * WEIGHTS
    np.testing.assert_allclose(np.exp(nn.logsumexp(z, axis=1)), np.exp(z).sum(axis=1), rtol=1e-13)
    size, sign = nn.logsumexp(z, axis=1, return_sign=True)
    np.testing.assert_allclose(np.exp(size) * sign, np.exp(z).sum(axis=1), rtol=1e-13)


@pytest.mark.parametrize("axis", [0, -1, (0, 1), None])
def test_softmax(axis):
    np.testing.assert_allclose(nn.softmax(X, axis), sp.softmax(X, axis=axis), rtol=1e-14)
    np.testing.assert_allclose(nn.log_softmax(X, axis), sp.log_softmax(X, axis=axis), rtol=1e-13, atol=1e-15)
    masked = nn.softmax(X, axis, where=MASK)
    np.testing.assert_allclose(masked, sp.softmax(np.where(MASK, X, -np.inf), axis=axis), rtol=1e-14)
    logs = nn.log_softmax(X, axis, where=MASK)
    np.testing.assert_allclose(np.exp(logs), masked, rtol=1e-13)
    assert (logs[~MASK] == -np.inf).all()


def test_softmax_of_large_and_masked_numbers():
    assert nn.softmax(np.array([1e300, 0.0])).tolist() == [1.0, 0.0]
    assert nn.softmax(np.array([-1e300, -1e300])).tolist() == [0.5, 0.5]
    assert nn.softmax(np.array([np.nan, 1.0]), where=np.array([False, True])).tolist() == [0.0, 1.0]
    assert nn.softmax(np.ones(2), where=np.zeros(2, bool)).tolist() == [0.0, 0.0]
    assert nn.softmax(np.ones((2, 0))).shape == (2, 0)
    assert nn.softmax(np.float32([1, 2])).dtype == np.float32
    np.testing.assert_allclose(nn.softmax(np.array([1, 2])), nn.softmax(np.array([1.0, 2.0])))


def test_masked_entries_have_no_derivative():
    x = np.array([np.inf, 1.0, 2.0])
    mask = np.array([False, True, True])
    for f in (nn.softmax, nn.logsumexp):
        jacobian = np.atleast_2d(xform.jacrev(lambda x, f=f: f(x, where=mask))(x))
        assert np.isfinite(jacobian).all()
        assert (jacobian[:, 0] == 0).all()


DERIVATIVES = {
    "logsumexp": lambda x: nn.logsumexp(x, axis=1),
    "logsumexp, weighted": lambda x: nn.logsumexp(x, b=WEIGHTS, return_sign=True)[0],
    "logsumexp, masked": lambda x: nn.logsumexp(x, axis=0, where=MASK, keepdims=True),
    "logmeanexp": lambda x: nn.logmeanexp(x, axis=0),
    "softmax": nn.softmax,
    "softmax, masked": lambda x: nn.softmax(x, 0, MASK),
    "log_softmax": lambda x: nn.log_softmax(x, (0, 1)),
    "log1mexp": lambda x: nn.log1mexp(x * x + 0.1),
    "standardize": nn.standardize,
    "standardize, masked": lambda x: nn.standardize(x, 0, where=MASK),
}


@pytest.mark.parametrize("name", DERIVATIVES)
def test_derivatives(name):
    f, x = DERIVATIVES[name], X / 3
    check_grads(f, (x,), order=2)
    np.testing.assert_allclose(xform.jit(f)(x), f(x), rtol=1e-12)
    batch = np.stack([x, 2 * x])
    np.testing.assert_allclose(xform.vmap(f)(batch), [f(x), f(2 * x)], rtol=1e-13)


def test_derivatives_in_weights():
    check_grads(lambda x, b: nn.logsumexp(x, axis=1, b=b), (X / 3, np.abs(WEIGHTS)), order=2)


def test_derivative_of_softmax_at_large_numbers():
    jacobian = xform.jacfwd(nn.softmax)(np.array([1000.0, 1000.0, -1000.0]))
    np.testing.assert_allclose(jacobian, [[0.25, -0.25, 0], [-0.25, 0.25, 0], [0, 0, 0]])


def test_log1mexp():
    x = np.array([1e-300, 1e-10, 0.5, 0.7, 2.0, 40.0, 700.0])
    wanted = [*np.log(-np.expm1(-x[:4])), *np.log1p(-np.exp(-x[4:]))]
    np.testing.assert_allclose(nn.log1mexp(x), wanted, rtol=1e-15)
    with np.errstate(divide="ignore"):
        assert nn.log1mexp(0.0) == -np.inf
    rates = xform.vmap(xform.grad(nn.log1mexp))(x[1:])
    np.testing.assert_allclose(rates, 1 / np.expm1(x[1:]), rtol=1e-13)


def test_standardize():
    y = nn.standardize(X, epsilon=0.0)
    np.testing.assert_allclose(y.mean(axis=-1), 0.0, atol=1e-15)
    np.testing.assert_allclose(y.std(axis=-1), 1.0)
    np.testing.assert_allclose(nn.standardize(X, 0), (X - X.mean(0)) / np.sqrt(X.var(0) + 1e-5))
    np.testing.assert_allclose(nn.standardize(X, None, mean=1.0, variance=4.0, epsilon=0), (X - 1.0) / 2.0)
    mean, variance = X.mean(axis=1, where=MASK, keepdims=True), X.var(axis=1, where=MASK, keepdims=True)
    np.testing.assert_allclose(nn.standardize(X, where=MASK), (X - mean) / np.sqrt(variance + 1e-5))
    np.testing.assert_allclose(nn.standardize(X + 1e9, epsilon=0.0, algorithm="fast"), y, rtol=1e-5)
    assert (nn.standardize(np.ones(3)) == 0).all()
    with says(ValueError, "standardize", "'slow'", "stable"):
        nn.standardize(X, algorithm="slow")


def test_errors():
    with says(TypeError, "softmax", "where=", "int64", "booleans"):
        nn.softmax(X, where=np.ones((3, 4), int))
    with says(ValueError, "logsumexp", "(5,)", "(3, 4)"):
        nn.logsumexp(X, where=np.ones(5, bool))
    with pytest.raises(np.exceptions.AxisError):
        nn.softmax(X, 2)
