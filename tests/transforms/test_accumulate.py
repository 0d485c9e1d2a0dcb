"""Cotangents of indexed reads add up at the cost of what is read, also under a second transformation."""

import math

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import xform

rng = np.random.default_rng(9)
n = 40
weights = rng.normal(size=(n, n))
rows, columns = rng.integers(-n, n, 3), rng.integers(0, n, (2, 3))


def entries(x):
    """Reads of single entries and of few entries, overlapping, of an argument."""
    return sum(x[i] * x[-1 - i] ** 2 for i in range(n)) + np.sum(x[rows] ** 3) + np.sum(x[columns] * x[5:8])


def intermediate(x):
    """The same of a matrix that is itself computed, and also used as a whole."""
    y = np.sin(weights * x)
    reads = sum(y[i, (3 * i) % n] * y[i, 0] for i in range(n)) + np.sum(y[3] * y[:, 2]) + np.sum(y[rows, 1:3] ** 2)
    return reads + np.sum(y * y) + np.sum(y[::-1, 1:] ** 2)


def unread(x):
    """A read whose result is not used, and one of a constant."""
    _ = x[3]
    return x[4] * weights[2, 3]


def once(x):
    return np.exp(x[7])


PROGRAMS = [entries, intermediate, unread, once]


def numeric(f, x, step=1e-6):
    return np.array([(f(x + step * e) - f(x - step * e)) / (2 * step) for e in np.eye(len(x))])


@pytest.mark.parametrize("f", PROGRAMS)
def test_gradient(f):
    x = rng.normal(size=n)
    assert_allclose(xform.grad(f)(x), numeric(f, x), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("f", PROGRAMS)
def test_under_another_transformation(f):
    x, v = rng.normal(size=(2, n))
    gradient = xform.grad(f)
    along = (gradient(x + 1e-6 * v) - gradient(x - 1e-6 * v)) / 2e-6
    assert_allclose(xform.grad(lambda x: gradient(x) @ v)(x), along, rtol=1e-5, atol=1e-5)
    assert_allclose(xform.jvp(gradient, (x,), (v,))[1], along, rtol=1e-5, atol=1e-5)
    assert_allclose(xform.vmap(gradient)(np.stack([x, v])), [gradient(x), gradient(v)], rtol=1e-12)
    assert_allclose(xform.make_jaxpr(gradient)(x)(x)[0], gradient(x), rtol=1e-12)
    _, (first, second) = xform.jet(gradient, (x,), ((v, np.zeros(n)),))
    assert_allclose(first, along, rtol=1e-5, atol=1e-5)
    curve = xform.jvp(lambda t: xform.jvp(gradient, (x + t * v,), (v,))[1], (0.0,), (1.0,))[1]
    assert_allclose(second, curve, rtol=1e-8, atol=1e-8)


@pytest.mark.parametrize("dtype", [np.float32, np.complex128])
def test_dtypes(dtype):
    x = rng.normal(size=n).astype(dtype)

    def gradient(f):
        return xform.grad(f, holomorphic=dtype is np.complex128)

    pairs = gradient(lambda x: sum(x[i] * x[i + 1] for i in range(n - 1)))
    row = gradient(lambda x: pairs(x)[3])(x)
    expected = np.zeros(n, dtype)
    expected[[2, 4]] = 1
    assert row.dtype == dtype
    assert_array_equal(row, expected)


def test_a_read_of_an_empty_region():
    gradient = xform.grad(lambda x: xform.grad(lambda x: np.sum(x[3:3]) + x[0] ** 2 + x[1] ** 2)(x)[0])(np.ones(n))
    assert_array_equal(gradient, 2 * np.eye(n)[0])


@pytest.mark.parametrize(
    "read", [lambda x, i: x[i], lambda x, i: np.sum(x[i : i + 2]), lambda x, i: np.sum(x[[i, i - 3]])]
)
def test_staged_gradient_of_a_loop_of_reads_writes_no_array_per_read(read):
    def total_size(n):
        jaxpr = xform.make_jaxpr(xform.grad(lambda x: sum(read(x, i) ** 2 for i in range(n))))(np.ones(n))
        return sum(math.prod(v.aval.shape) for eqn in jaxpr.eqns for v in eqn.outputs)

    assert total_size(400) < 2.2 * total_size(200)
