"""xform.numpy as a namespace of the array API standard (2024.12), for arrays and for traced values."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import xform
import xform.numpy as xnp
from tests.numeric import assert_same
from xform.testing import check_grads

NAMES = """
__array_namespace_info__ abs acos acosh add all any arange argmax argmin argsort asarray asin asinh astype atan atan2
atanh bitwise_and bitwise_invert bitwise_left_shift bitwise_or bitwise_right_shift bitwise_xor bool broadcast_arrays
broadcast_to can_cast ceil clip complex128 complex64 concat conj copysign cos cosh count_nonzero cumulative_prod
cumulative_sum diff divide e empty empty_like equal exp expand_dims expm1 eye finfo flip float32 float64 floor
floor_divide from_dlpack full full_like greater greater_equal hypot iinfo imag inf int16 int32 int64 int8 isdtype
isfinite isinf isnan less less_equal linspace log log10 log1p log2 logaddexp logical_and logical_not logical_or
logical_xor matmul matrix_transpose max maximum mean meshgrid min minimum moveaxis multiply nan negative newaxis
nextafter nonzero not_equal ones ones_like permute_dims pi positive pow prod real reciprocal remainder repeat reshape
result_type roll round searchsorted sign signbit sin sinh sort sqrt square squeeze stack std subtract sum take
take_along_axis tan tanh tensordot tile tril triu trunc uint16 uint32 uint64 uint8 unique_all unique_counts
unique_inverse unique_values unstack var vecdot where zeros zeros_like
"""
LINALG = """
cholesky cross det diagonal eigh eigvalsh inv matmul matrix_norm matrix_power matrix_rank matrix_transpose outer pinv
qr slogdet solve svd svdvals tensordot trace vecdot vector_norm
"""
FFT = """
fft ifft fftn ifftn rfft irfft rfftn irfftn hfft ihfft fftfreq rfftfreq fftshift ifftshift
"""


def test_every_name_is_there():
    for module, names in ((xnp, NAMES), (xnp.linalg, LINALG), (xnp.fft, FFT)):
        assert [name for name in names.split() if not hasattr(module, name)] == []


def test_the_namespace_describes_itself():
    assert xnp.__array_api_version__ == np.__array_api_version__
    info = xnp.__array_namespace_info__()
    assert info.default_dtypes()["real floating"] == np.float64
    assert "cpu" in info.devices()


def whitened(x: Any) -> Any:
    """A function that knows the standard only."""
    xp = x.__array_namespace__(api_version="2024.12")
    centred = x - xp.mean(x, axis=0, keepdims=True)
    covariance = xp.matrix_transpose(centred) @ centred / x.shape[0]
    values, vectors = xp.linalg.eigh(covariance)
    scaled = xp.linalg.matmul(centred, vectors) / xp.sqrt(values + 1.0)
    spectrum = xp.fft.rfft(xp.permute_dims(scaled, (1, 0)))
    return xp.sum(xp.abs(spectrum), axis=-1) + xp.vecdot(values, xp.astype(xp.arange(3), xp.float64))


@pytest.mark.parametrize("transform", ["value", "jvp", "vmap", "jit", "make_jaxpr"])
def test_programs_written_to_the_standard(transform):
    x = np.random.default_rng(0).normal(size=(6, 3))
    wanted = whitened(x)
    found = {
        "value": whitened,
        "jvp": lambda x: xform.jvp(whitened, (x,), (x,))[0],
        "vmap": lambda x: xform.vmap(whitened)(np.stack([x, x]))[1],
        "jit": xform.jit(whitened),
        "make_jaxpr": lambda x: xform.make_jaxpr(whitened)(x)(x)[0],
    }[transform](x)
    assert_same(found, wanted, 1e-12)


def test_their_derivatives():
    check_grads(whitened, (np.random.default_rng(0).normal(size=(6, 3)),), order=1)


def test_what_every_traced_array_says_of_itself():
    def f(x):
        assert x.device == "cpu"
        assert x.to_device("cpu") is x
        assert x.__array_namespace__() is xnp
        with pytest.raises(ValueError, match="1999"):
            x.__array_namespace__(api_version="1999.12")
        return xnp.sum(x)

    xform.grad(f)(np.ones(3))


def test_arrays_are_exchanged():
    """DLPack and the buffer protocol pass through: results are NumPy's arrays."""
    y = xform.grad(lambda x: xnp.sum(x**2))(np.arange(3.0))
    assert np.shares_memory(xnp.from_dlpack(y), y)
    assert memoryview(y)[2] == 4.0
    assert_same(xnp.frombuffer(bytearray(y.tobytes())), y, 0)


def test_a_traced_array_has_no_memory_to_exchange():
    with pytest.raises(xform.ConcretizationError, match="has_aux=True"):
        xform.grad(lambda x: xnp.sum(xnp.from_dlpack(x)))(np.ones(3))
    with pytest.raises(TypeError, match="bytes-like"):
        xform.grad(lambda x: xnp.sum(xnp.frombuffer(x)))(np.ones(3))
