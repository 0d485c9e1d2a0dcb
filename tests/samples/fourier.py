"""Fourier transforms: odd and even lengths, all norms."""

import numpy as np

from tests.samples.base import integers, normal, sample
from xform.ops.fourier import fft, irfft, rfft

c128, c64, f32 = np.complex128, np.complex64, np.float32

SAMPLES = [
    sample(fft, normal(3, dtype=c128), axis=0, inverse=False, norm="backward"),
    sample(fft, normal(4), axis=0, inverse=True, norm="backward"),
    sample(fft, normal(2, 3), axis=1, inverse=False, norm="ortho"),
    sample(fft, normal(2, 3, 2, dtype=c128), axis=1, inverse=True, norm="forward"),
    sample(fft, normal(0, 2, dtype=c128), axis=1, inverse=False, norm="backward"),
    sample(fft, normal(1, 3, dtype=c64), axis=1, inverse=False, norm="ortho"),
    sample(fft, normal(3, dtype=f32), axis=0, inverse=False, norm="backward"),
    sample(fft, integers(-3, 3, 4), axis=0, inverse=False, norm="backward"),
    *(sample(rfft, normal(n), axis=0, norm="backward") for n in (1, 2, 3, 4)),
    sample(rfft, normal(4, 2), axis=0, norm="ortho"),
    sample(rfft, normal(2, 5), axis=1, norm="forward"),
    sample(rfft, normal(0, 2), axis=1, norm="backward"),
    sample(rfft, normal(4, dtype=f32), axis=0, norm="backward"),
    sample(rfft, integers(-3, 3, 4), axis=0, norm="backward"),
    *(sample(irfft, normal(n // 2 + 1, dtype=c128), axis=0, points=n, norm="backward") for n in (1, 2, 3, 4)),
    sample(irfft, normal(2, 3, dtype=c128), axis=1, points=4, norm="ortho"),
    sample(irfft, normal(3, 2), axis=0, points=5, norm="forward"),
    sample(irfft, normal(0, 2, dtype=c128), axis=1, points=3, norm="backward"),
    sample(irfft, normal(3, dtype=c64), axis=0, points=4, norm="backward"),
    sample(irfft, normal(3, dtype=f32), axis=0, points=5, norm="ortho"),
    sample(irfft, normal(3, dtype=np.float16), axis=0, points=5, norm="backward", smooth=False),
    sample(irfft, integers(-3, 3, 3), axis=0, points=4, norm="backward"),
]
