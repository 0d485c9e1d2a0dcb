"""Convolutions of xform.scipy.signal: values of SciPy's, derivatives, errors."""

import numpy as np
import pytest
import scipy.signal as ss
from numpy.testing import assert_allclose

import xform
from tests.messages import says
from tests.scipy.same_as_scipy import check, close, normal
from xform.scipy import signal

both = pytest.mark.parametrize("dtype", [float, complex])
modes = pytest.mark.parametrize("mode", ["full", "same", "valid"])
SHAPES = [((5,), (3,)), ((3,), (6,)), ((4, 5), (3, 2)), ((2, 3), (4, 3)), ((1,), (4,)), ((3, 4), (2, 4))]


@both
@modes
@pytest.mark.parametrize("name", ["convolve", "correlate"])
def test_values_of_all_methods(name, mode, dtype):
    for s, t in SHAPES:
        x, y = normal(*s, dtype=dtype), normal(*t, dtype=dtype)
        for method in ("direct", "fft", "auto"):
            value = xform.linearize(lambda x, y, m=method: getattr(signal, name)(x, y, mode, m), x, y)[0]
            close(value, getattr(ss, name)(x, y, mode, method))


@both
@modes
@pytest.mark.parametrize("method", ["direct", "fft"])
def test_derivatives(method, mode, dtype):
    for name in ("convolve", "correlate"):
        check(
            lambda x, y, n=name: getattr(signal, n)(x, y, mode, method),
            lambda x, y, n=name: getattr(ss, n)(x, y, mode, method),
            normal(3, 4, dtype=dtype),
            normal(2, 3, dtype=dtype),
        )


@modes
def test_convolution_along_axes(mode):
    for s, t, axes in [((3, 4), (1, 2), 1), ((1, 4), (3, 2), [-1]), ((2, 3), (2, 3), None), ((2, 1), (2, 5), (0, 1))]:
        for name in ("fftconvolve", "oaconvolve"):
            check(
                lambda x, y, n=name, a=axes: getattr(signal, n)(x, y, mode, a),
                lambda x, y, n=name, a=axes: getattr(ss, n)(x, y, mode, a),
                normal(*s),
                normal(*t),
                order=1,
            )


@both
@modes
@pytest.mark.parametrize("boundary, fill", [("fill", 0), ("fill", 1.5), ("wrap", 0), ("symm", 0)])
def test_matrices_with_boundaries(boundary, fill, mode, dtype):
    for s, t in [((4, 5), (3, 2)), ((4, 4), (2, 3)), ((2, 2), (5, 5))]:
        x, y = normal(*s, dtype=dtype), normal(*t, dtype=dtype)
        for name in ("convolve2d", "correlate2d"):
            value = xform.linearize(lambda x, y, n=name: getattr(signal, n)(x, y, mode, boundary, fill), x, y)[0]
            close(value, getattr(ss, name)(x, y, mode, boundary, fill))


@pytest.mark.parametrize("boundary", ["fill", "wrap", "symm"])
def test_derivatives_with_boundaries(boundary):
    for name in ("convolve2d", "correlate2d"):
        check(
            lambda x, y, n=name: getattr(signal, n)(x, y, "same", boundary, 0.5),
            lambda x, y, n=name: getattr(ss, n)(x, y, "same", boundary, 0.5),
            normal(3, 4),
            normal(2, 3),
        )


def test_the_fill_value_has_a_derivative():
    x, y = np.zeros((2, 2)), np.ones((3, 3))
    slope = xform.grad(lambda v: signal.convolve2d(x, y, "same", "fill", v).sum())(2.0)
    assert_allclose(slope, ss.convolve2d(x, y, "same", "fill", 1.0).sum())


def test_empty_arrays_and_single_precision():
    x, y = np.zeros(0), normal(3)
    for f in (signal.convolve, signal.fftconvolve):
        assert xform.linearize(f, x, y)[0].shape == (0,)
    x, y = normal(4, dtype=np.float32), normal(3, dtype=np.float32)
    for method in ("direct", "fft"):
        z = xform.linearize(lambda x, y, m=method: signal.convolve(x, y, method=m), x, y)[0]
        assert z.dtype == np.float32
        assert_allclose(z, ss.convolve(x, y), rtol=1e-5, atol=1e-5)
    counts = xform.vmap(signal.convolve)(np.array([[1, 2], [3, 4]]), np.array([[1, 1], [1, 0]]))
    assert counts.dtype == np.int64
    assert_allclose(counts, [[1, 3, 2], [3, 4, 0]])


def test_errors_of_convolutions():
    x = normal(3, 4)
    with says(ValueError, "'valid', 'same', or 'full'", "'odd'"):
        xform.linearize(lambda x: signal.convolve(x, x, "odd"), x)
    with says(ValueError, "same dimensionality", "(4,)"):
        xform.linearize(lambda x: signal.correlate(x, np.ones(4)), x)
    with says(ValueError, "at least as large"):
        xform.linearize(lambda x: signal.convolve(x, np.ones((4, 2)), "valid"), x)
    with says(ValueError, "'auto', 'direct', or 'fft'"):
        xform.linearize(lambda x: signal.convolve(x, x, method="slow"), x)
    with says(ValueError, "2-D", "(4,)"):
        xform.linearize(lambda x: signal.convolve2d(x, x), np.ones(4))
    with says(ValueError, "boundary", "'odd'"):
        xform.linearize(lambda x: signal.correlate2d(x, x, boundary="odd"), x)
    with says(ValueError, "incompatible shapes"):
        xform.linearize(lambda x: signal.fftconvolve(x, np.ones((2, 2)), axes=1), x)
