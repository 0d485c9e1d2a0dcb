"""numpy.fft on tracers: NumPy's values, dtypes, warnings and errors, and derivatives."""

import inspect
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import xform
import xform.numpy as xnp
from tests.messages import says
from tests.numpy.agreement import arrays, check_agrees, check_derivatives, check_signature
from xform.testing import check_grads

SINGLE = ("fft", "ifft", "rfft", "irfft", "hfft", "ihfft")
SEVERAL = ("fftn", "ifftn", "rfftn", "irfftn", "fft2", "ifft2", "rfft2", "irfft2")
SHIFTS = ("fftshift", "ifftshift")
FREQUENCIES = ("fftfreq", "rfftfreq")
norms = st.sampled_from([None, "backward", "ortho", "forward", "unitary"])
rng = np.random.default_rng(3)


def normal(*shape, dtype=float):
    x = rng.normal(size=shape)
    return (x + 1j * rng.normal(size=shape) if np.dtype(dtype).kind == "c" else x).astype(dtype)


def test_the_room_is_numpys():
    wanted = {name for name in dir(np.fft) if callable(getattr(np.fft, name)) and not name.startswith("_")}
    assert set(xnp.fft.__all__) == wanted - {"test"} == {*SINGLE, *SEVERAL, *SHIFTS, *FREQUENCIES}
    for name in xnp.fft.__all__:
        assert inspect.isfunction(getattr(xnp.fft, name))
        check_signature(getattr(xnp.fft, name), getattr(np.fft, name))


def test_it_is_loaded_when_it_is_first_used():
    code = """if True:
        import sys, xform, numpy as np
        assert "xform.numpy.fft" not in sys.modules and "numpy.fft" not in sys.modules
        print(xform.grad(lambda x: np.fft.fft(x)[0].real)(np.ones(2)), xform.numpy.fft.__name__)
        """
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[1. 1.] xform.numpy.fft\n"


@given(
    name=st.sampled_from(SINGLE),
    x=arrays(("float64", "float32", "float16", "complex128", "complex64", "int64", "int8", "bool"), special=False),
    n=st.one_of(st.none(), st.integers(-1, 6)),
    axis=st.integers(-3, 2),
    norm=norms,
)
def test_along_one_axis(name, x, n, axis, norm):
    check_agrees(lambda x: getattr(np.fft, name)(x, n, axis, norm), x, ulps=64)


@given(
    name=st.sampled_from(SEVERAL),
    x=arrays(("float64", "float32", "complex128", "complex64", "int64"), special=False),
    s=st.one_of(st.none(), st.lists(st.integers(-1, 5), max_size=3)),
    axes=st.one_of(st.none(), st.lists(st.integers(-3, 2), max_size=3)),
    norm=norms,
)
def test_along_several_axes(name, x, s, axes, norm):
    check_agrees(lambda x: getattr(np.fft, name)(x, s, axes, norm), x, ulps=256)


@given(
    name=st.sampled_from(SHIFTS),
    x=arrays(shapes=hnp.array_shapes(min_dims=1, max_dims=3, min_side=0, max_side=4)),  # NumPy stumbles over numbers
    axes=st.one_of(st.none(), st.integers(-3, 2), st.lists(st.integers(-3, 2), max_size=3)),
)
def test_shifts(name, x, axes):
    check_agrees(lambda x: getattr(np.fft, name)(x, axes), x)


@pytest.mark.parametrize("name", SINGLE)
def test_errors(name):
    f, x = getattr(np.fft, name), normal(3)
    for n in (0, 2.0, "2"):
        check_agrees(lambda x, n=n: f(x, n), x)
    for axis in (1, -2, 0.0, (0,)):
        check_agrees(lambda x, axis=axis: f(x, 4, axis), x)
    check_agrees(f, np.float64(1.0))
    check_agrees(f, np.zeros((2, 0)))


def test_messages():
    f = xform.linearize
    with says(ValueError, "(0)", "FFT", "(2, 0)", "one at least"):
        f(np.fft.rfft, np.zeros((2, 0)))
    with says(TypeError, "rfft", "c128[2]", "wanted real numbers", "use fft"):
        f(np.fft.rfft, np.ones(2, complex))
    with says(ValueError, "unitary", "backward", "ortho", "forward"):
        f(lambda x: np.fft.fft(x, norm="unitary"), np.ones(2))
    with says(ValueError, "1 sizes for 2 axes"):
        f(lambda x: np.fft.fftn(x, (2,), (0, 1)), np.ones((2, 2)))
    with says(TypeError, "fft2", "out="):
        f(lambda x: np.fft.fft2(x, out=np.zeros((2, 2), complex)), np.ones((2, 2)))


@pytest.mark.parametrize("norm", [None, "ortho", "forward"])
@pytest.mark.parametrize("n", [None, 1, 2, 3, 6, 7])
@pytest.mark.parametrize("name", SINGLE)
def test_derivatives_along_one_axis(name, n, norm):
    f = getattr(np.fft, name)
    x = normal(2, 5, dtype=float if name in ("rfft", "ihfft") else complex)
    check_derivatives(lambda x: f(x, n, norm=norm) ** 2, x)
    check_derivatives(lambda x: f(x, n, axis=0, norm=norm), normal(3, 2), order=1)


@pytest.mark.parametrize("axes", [None, (0,), (1, 0), (2, 2, 0)])
@pytest.mark.parametrize("name", SEVERAL[:4])
def test_derivatives_along_several_axes(name, axes):
    f = getattr(np.fft, name)
    x = normal(2, 3, 4, dtype=float if name == "rfftn" else complex)
    check_derivatives(lambda x: f(x, axes=axes) ** 2, x)
    if axes == (1, 0):
        check_derivatives(lambda x: f(x, (5, 2), axes), x)


def test_derivatives_of_a_low_pass_filter():
    def smooth(x, keep):
        return xnp.fft.irfft(xnp.where(xnp.fft.rfftfreq(x.size) < keep, xnp.fft.rfft(x), 0), x.size)

    for size in (7, 8):
        x = normal(size)
        check_grads(lambda x: (smooth(x, 0.3) ** 3).sum(), (x,), order=2)
        jacobian = xform.jacrev(lambda x: smooth(x, 0.3))(x)  # a projector
        np.testing.assert_allclose(jacobian @ jacobian, jacobian, atol=1e-14)
        np.testing.assert_allclose(xform.jit(lambda x: smooth(x, 0.3))(x), jacobian @ x, atol=1e-14)


def test_single_precision_stays_single():
    for name in ("rfft", "fft"):
        y, pullback = xform.vjp(lambda x, name=name: abs(getattr(np.fft, name)(x)) ** 2, normal(4, dtype=np.float32))
        assert y.dtype == pullback(np.ones_like(y))[0].dtype == np.float32
    y, pullback = xform.vjp(np.fft.irfft, normal(3, dtype=np.complex64))
    assert (y.dtype, pullback(np.ones_like(y))[0].dtype) == (np.float32, np.complex64)


def test_frequencies_may_have_a_traced_spacing():
    for name in FREQUENCIES:
        check_derivatives(lambda d, name=name: getattr(np.fft, name)(5, d), np.float64(0.3))
        with pytest.raises(ValueError, match="n should be an integer"):
            getattr(xnp.fft, name)(5.0)


def test_plain_arrays_go_to_numpy():
    x, out = normal(4), np.empty(4, complex)
    assert xnp.fft.fft(x, out=out) is out
    for name in SINGLE[:2]:
        np.testing.assert_array_equal(getattr(xnp.fft, name)(x), getattr(np.fft, name)(x))
