"""Filters that are fixed linear maps of the signal: trends, polynomial smoothing, analytic signals, resampling."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import scipy.signal
from numpy.lib.array_utils import normalize_axis_index

from xform.numpy import fft
from xform.numpy.dispatch import ArrayLike, asarray, implements
from xform.numpy.padding import pad
from xform.numpy.shaping import moveaxis
from xform.numpy.statistics import mean
from xform.ops.complex import real
from xform.ops.contraction.einsum import matvec
from xform.ops.linear_algebra.matrix import inexact
from xform.ops.structure import concatenate
from xform.scipy.linalg.arrangement import arranged
from xform.scipy.signal.signals import terms

#: the boundary modes of `savgol_filter`, by their names in numpy.pad
SMOOTHING_MODES = {"mirror": "reflect", "nearest": "edge", "wrap": "wrap", "constant": "constant"}


@implements(scipy.signal.detrend)
def detrend(data: ArrayLike, axis: int = -1, type: str = "linear", bp: Any = 0, overwrite_data: bool = False) -> Any:
    """The signal less its mean (`type` "constant"), or less its straight line of least squares ("linear").

    With breakpoints `bp`, each part between two of them has a line of its own. Raises ValueError for another type and
    for breakpoints beyond the signal.

    >>> import numpy as np
    >>> detrend(np.array([0.0, 1.0, 5.0]), type="constant")
    array([-2., -1.,  3.])
    """
    if type not in ("linear", "l", "constant", "c"):
        raise ValueError(f"detrend: trend type must be 'linear' or 'constant', given {type!r}")
    (x,) = inexact(asarray(data))
    axis = normalize_axis_index(axis, len(x.shape))
    if type[0] == "c":
        return x - mean(x, axis=axis, keepdims=True)
    x = moveaxis(x, axis, -1)
    n = x.shape[-1]
    ends = np.unique(np.concatenate([[0, n], np.atleast_1d(bp)])).astype(int)
    if ends[-1] > n:
        raise ValueError(f"detrend: breakpoints must be less than length of data along given axis, {n}, given {bp}")
    parts = [without_line(x[..., i:j]) for i, j in pairwise(ends)]
    y = parts[0] if len(parts) == 1 else concatenate(*parts, axis=len(x.shape) - 1)
    return moveaxis(y, -1, axis)


def without_line(x: Any) -> Any:
    """x - A A^+ x, where the columns of A are constant and linear."""
    n = x.shape[-1]
    a = np.stack([np.arange(1, n + 1) / n, np.ones(n)], axis=1)
    inverse = np.linalg.pinv(a)
    dtype = np.finfo(x.dtype).dtype
    return x - matvec(a.astype(dtype), matvec(inverse.astype(dtype), x))


@implements(scipy.signal.savgol_filter)
def savgol_filter(
    x: ArrayLike,
    window_length: int,
    polyorder: int,
    deriv: int = 0,
    delta: float = 1.0,
    axis: int = -1,
    mode: str = "interp",
    cval: float = 0.0,
) -> Any:
    """At each place the value (or derivative) of the polynomial fitted to the window around it (Savitzky, Golay 1964).

    Beyond its ends the signal goes on by `mode` "mirror", "constant" (`cval`), "nearest" or "wrap", or the polynomials
    of the first and the last window do ("interp"). Raises ValueError for other modes, and where numbers do not fit.

    >>> import numpy as np
    >>> savgol_filter(np.array([1.0, 4.0, 9.0, 16.0, 25.0]), 3, 2, deriv=1).round(9)
    array([ 2.,  4.,  6.,  8., 10.])
    """
    if mode not in (*SMOOTHING_MODES, "interp"):
        raise ValueError(f"savgol_filter: mode {mode!r}; wanted 'mirror', 'constant', 'nearest', 'wrap' or 'interp'")
    (signal,) = inexact(asarray(x))
    axis = normalize_axis_index(axis, len(signal.shape))
    n = signal.shape[axis]
    fitted = {"polyorder": polyorder, "deriv": deriv, "delta": delta}
    if mode == "interp" and window_length > n:
        raise ValueError(f"savgol_filter: if mode is 'interp', window_length must be at most the size {n} of x")
    signal = moveaxis(signal, axis, -1)
    dtype = np.finfo(signal.dtype).dtype
    coefficients = np.asarray(scipy.signal.savgol_coeffs(window_length, **fitted), dtype)
    h, options = window_length // 2, {"constant_values": cval} if mode == "constant" else {}
    widths = [(0, 0)] * (len(signal.shape) - 1) + [(h - (window_length % 2 == 0), h)]
    wide = pad(signal, widths, mode=SMOOTHING_MODES.get(mode, "constant"), **options)
    y = terms(coefficients, wide, window_length - 1, n)
    if mode == "interp" and h:
        # the polynomials of the first and last window, as SciPy finds them for unit vectors
        ends = np.asarray(scipy.signal.savgol_filter(np.eye(window_length), window_length, **fitted, axis=0), dtype)
        first, last = matvec(ends[:h], signal[..., :window_length]), matvec(ends[-h:], signal[..., n - window_length :])
        y = concatenate(first, y[..., h : n - h], last, axis=len(y.shape) - 1)
    return moveaxis(y, -1, axis)


@implements(scipy.signal.hilbert)
def hilbert(x: ArrayLike, N: int | None = None, axis: int = -1) -> Any:
    """The analytic signal of a real one: its spectrum without negative frequencies, the positive ones doubled.

    Raises ValueError for complex signals and N < 1 points.

    >>> import numpy as np
    >>> hilbert(np.array([1.0, 0.0, -1.0, 0.0])).round(12).imag + 0.0
    array([ 0.,  1.,  0., -1.])
    """
    signal = asarray(x)
    if signal.dtype.kind == "c":
        raise ValueError("hilbert: x must be real")
    n = signal.shape[axis] if N is None else N
    if n < 1:
        raise ValueError(f"hilbert: N must be positive, given {n}")
    weights = np.zeros(n)
    weights[0] = 1
    weights[1 : (n + 1) // 2] = 2
    if n % 2 == 0:
        weights[n // 2] = 1
    spectrum = moveaxis(fft.fft(signal, n, axis), axis, -1)
    return moveaxis(fft.ifft(spectrum * weights.astype(np.finfo(spectrum.dtype).dtype)), -1, axis)


@implements(scipy.signal.resample)
def resample(x: ArrayLike, num: int, t: Any = None, axis: int = 0, window: Any = None, domain: str = "time") -> Any:
    """`num` equidistant samples of the trigonometric polynomial through the signal, which is periodic.

    `window` (a name, a function of frequencies, or values of it) weighs the spectrum; `domain` "freq" says that x is
    the spectrum. With times t of x the result is (y, times of y). Raises ValueError for other domains and windows.

    >>> import numpy as np
    >>> resample(np.array([1.0, 0.0, -1.0, 0.0]), 2).round(12) + 0.0
    array([ 1., -1.])
    """
    if domain not in ("time", "freq"):
        raise ValueError(f"resample: parameter domain={domain!r} not in ('time', 'freq')")
    (signal,) = inexact(asarray(x))
    signal = moveaxis(signal, axis, -1)
    n = signal.shape[-1]
    spectrum = fft.fft(signal) if domain == "time" else signal
    weights = window_weights(window, n)
    if weights is not None:
        spectrum = spectrum * weights.astype(np.finfo(spectrum.dtype).dtype)
    y = fft.ifft(resampled_spectrum(spectrum, num) * (num / n))
    y = real(y) if domain == "time" and signal.dtype.kind == "f" else y
    y = moveaxis(y, -1, axis)
    return y if t is None else (y, t[0] + (t[1] - t[0]) * (n / num) * np.arange(num))


def window_weights(window: Any, n: int) -> Any:
    """The weights of n frequencies, that of zero first."""
    if window is None:
        return None
    if callable(window):
        return np.asarray(window(np.fft.fftfreq(n)))
    if not hasattr(window, "shape"):
        return np.fft.fftshift(np.asarray(scipy.signal.get_window(window, n)))
    if window.shape != (n,):
        raise ValueError(f"resample: window.shape={window.shape} != ({n},), the number of frequencies")
    return window


def resampled_spectrum(x: Any, num: int) -> Any:
    """The frequencies that `num` samples have; where m = min(num, n) is even, those of +-m / 2 become one, or share."""
    n = x.shape[-1]
    m = min(num, n)
    half, k = (m + 1) // 2, np.arange(num)
    source = np.where(k < half, k, np.where(k >= num - (m - half) + (m % 2 == 0), k - num + n, -1))
    y = arranged(x, source)
    if m % 2:
        return y
    dtype, middle = np.finfo(x.dtype).dtype, m // 2
    edges = np.zeros(num, dtype)
    if num <= n:
        sides = arranged(x, np.where(k == middle, middle, -1))
        other = arranged(x, np.where(k == middle, n - middle, -1))
        return y + (sides + other if num < n else sides)
    edges[[middle, num - middle]] = 0.5
    return y + arranged(x, np.where(edges > 0, middle, -1)) * edges
