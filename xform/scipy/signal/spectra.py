"""Spectra of signals: of windowed segments, averaged (Welch's method) or not (the short-time Fourier transform).

A segment is a read of the signal, its spectrum a product with the window and a Fourier transform; the inverse adds the
segments up where they overlap, which is the transpose of the read.
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import scipy.signal
from numpy.lib.array_utils import normalize_axis_index

from xform.numpy import fft
from xform.numpy.dispatch import ArrayLike, asarray, implements
from xform.numpy.padding import pad
from xform.numpy.quantiles import median
from xform.numpy.shaping import moveaxis
from xform.numpy.statistics import mean
from xform.ops.complex import imag, real
from xform.ops.indexing.index import scatter_sum
from xform.ops.linear_algebra.matrix import conj, inexact
from xform.ops.stack import as_dtype
from xform.ops.structure import slice_
from xform.scipy.linalg.arrangement import arranged
from xform.scipy.signal.signals import EXTENSIONS
from xform.scipy.signal.smoothing import detrend as without_trend

Detrend = Any


def window_of(name: str, window: Any, nperseg: int | None, size: int, default: int | None) -> tuple[Any, int]:
    """The window and the length of the segments; a window that is given by name is not longer than the signal."""
    if isinstance(window, str | tuple):
        nperseg = default if nperseg is None else int(nperseg)
        if nperseg is None or nperseg < 1:
            raise ValueError(f"{name}: nperseg {nperseg} was given; wanted a positive integer")
        if nperseg > size:
            warnings.warn(
                f"nperseg={nperseg} is greater than signal length {size}, using nperseg = {size}", stacklevel=5
            )
            nperseg = size
        return scipy.signal.get_window(window, nperseg), nperseg
    win = asarray(window)
    if len(win.shape) != 1:
        raise ValueError(f"{name}: window must be 1-D, given shape {win.shape}")
    if nperseg is not None and nperseg != win.shape[0]:
        raise ValueError(f"{name}: nperseg={nperseg} does not equal the length {win.shape[0]} of the window")
    return win, win.shape[0]


def steps(name: str, nperseg: int, noverlap: int | None, nfft: int | None) -> tuple[int, int]:
    """The overlap of segments and the number of points of their transforms."""
    noverlap = nperseg // 2 if noverlap is None else int(noverlap)
    nfft = nperseg if nfft is None else int(nfft)
    if nfft < nperseg:
        raise ValueError(f"{name}: nfft={nfft} must be greater than or equal to nperseg={nperseg}")
    if noverlap >= nperseg:
        raise ValueError(f"{name}: noverlap={noverlap} must be less than nperseg={nperseg}")
    return noverlap, nfft


def places(count: int, nperseg: int, hop: int) -> np.ndarray:
    """Where the entries of each segment are in the signal."""
    return np.arange(count)[:, None] * hop + np.arange(nperseg)


def segment_spectra(x: Any, win: Any, hop: int, nfft: int, trend: Detrend, onesided: bool) -> Any:
    """(..., segments, frequencies) for signals along the last axis."""
    nperseg = win.shape[0]
    count = (x.shape[-1] - nperseg) // hop + 1
    parts = arranged(x, places(max(count, 0), nperseg, hop))
    if callable(trend):
        parts = trend(parts)
    elif trend is not False and trend is not None:
        parts = without_trend(parts, type=trend)
    transform = fft.rfft if onesided else fft.fft
    return transform(parts * win, nfft)


def frequencies(nfft: int, fs: float, onesided: bool) -> np.ndarray:
    return np.fft.rfftfreq(nfft, 1 / fs) if onesided else np.fft.fftfreq(nfft, 1 / fs)


def doubled(nfft: int) -> np.ndarray:
    """The weights of a one-sided spectrum: the frequencies other than zero and Nyquist's stand for two."""
    weights = np.full(nfft // 2 + 1, 2.0)
    weights[0] = 1
    if nfft % 2 == 0:
        weights[-1] = 1
    return weights


def averaged(spectra: Any, average: str) -> Any:
    """The mean, or the median without its bias, over the segments in the last axis but one."""
    if average == "mean":
        return mean(spectra, axis=-2)
    if average != "median":
        raise ValueError(f"average must be 'median' or 'mean', got {average!r}")
    n = 2 * np.arange(1.0, (spectra.shape[-2] - 1) // 2 + 1)
    bias = 1 + np.sum(1 / (n + 1) - 1 / n)  # of exponentially distributed values
    if spectra.dtype.kind == "c":
        return (median(real(spectra), axis=-2) + 1j * median(imag(spectra), axis=-2)) / bias
    return median(spectra, axis=-2) / bias


def two_signals(name: str, x: Any, y: Any, axis: int) -> tuple[Any, Any]:
    """The signals along the last axis, the shorter one continued by zeros."""
    x, y = inexact(asarray(x), asarray(y))
    x, y = (moveaxis(z, normalize_axis_index(axis, len(z.shape)), -1) for z in (x, y))
    try:
        np.broadcast_shapes(x.shape[:-1], y.shape[:-1])
    except ValueError:
        raise ValueError(f"{name}: x and y cannot be broadcast together, given {x.shape} and {y.shape}") from None
    n = max(x.shape[-1], y.shape[-1])
    return tuple(  # type: ignore[return-value]
        z if z.shape[-1] == n else pad(z, [(0, 0)] * (len(z.shape) - 1) + [(0, n - z.shape[-1])]) for z in (x, y)
    )


@implements(scipy.signal.csd)
def csd(
    x: ArrayLike,
    y: ArrayLike,
    fs: float = 1.0,
    window: Any = "hann_periodic",
    nperseg: int | None = None,
    noverlap: int | None = None,
    nfft: int | None = None,
    detrend: Detrend = "constant",
    return_onesided: bool = True,
    scaling: str = "density",
    axis: int = -1,
    average: str = "mean",
) -> Any:
    """(f, P_xy): frequencies, and the cross spectrum conj(X) Y, averaged over windowed segments (Welch 1967).

    Segments have `nperseg` entries (256 if None), overlap by `noverlap` (half of it), and are transformed with `nfft`
    points; `detrend` is "constant", "linear", False or a function of segments; `scaling` "density" or "spectrum";
    `average` "mean" or "median". With `return_onesided`, real signals have the spectrum of positive frequencies. Raises
    ValueError for other options and where numbers do not fit.

    >>> import numpy as np
    >>> f, p = csd(np.array([1.0, 0.0, 1.0, 0.0]), np.array([1.0, 0.0, 1.0, 0.0]), window="boxcar", nperseg=4)
    >>> p.real
    array([0., 0., 1.])
    """
    same = x is y
    x, y = two_signals("csd", x, y, axis)
    rank = max(len(x.shape), len(y.shape))
    if 0 in x.shape or 0 in y.shape:
        empty = np.zeros(np.broadcast_shapes(x.shape, y.shape))
        return empty, empty
    win, nperseg = window_of("csd", window, nperseg, x.shape[-1], 256)
    noverlap, nfft = steps("csd", nperseg, noverlap, nfft)
    if scaling not in ("density", "spectrum"):
        raise ValueError(f"csd: scaling {scaling!r} was given; wanted 'density' or 'spectrum'")
    onesided = return_onesided and x.dtype.kind != "c"
    scale = 1 / (fs * (win * win).sum()) if scaling == "density" else 1 / win.sum() ** 2
    of_x = segment_spectra(x, win, nperseg - noverlap, nfft, detrend, onesided)
    of_y = of_x if same else segment_spectra(y, win, nperseg - noverlap, nfft, detrend, onesided)
    spectra = conj(of_x) * of_y * (scale * doubled(nfft) if onesided else scale)
    result = averaged(spectra, average) if spectra.shape[-2] > 1 else spectra[..., 0, :]
    result = as_dtype(result, np.result_type(x.dtype, y.dtype, np.complex64))
    return frequencies(nfft, fs, onesided), moveaxis(result, -1, normalize_axis_index(axis, rank))


@implements(scipy.signal.welch)
def welch(
    x: ArrayLike,
    fs: float = 1.0,
    window: Any = "hann_periodic",
    nperseg: int | None = None,
    noverlap: int | None = None,
    nfft: int | None = None,
    detrend: Detrend = "constant",
    return_onesided: bool = True,
    scaling: str = "density",
    axis: int = -1,
    average: str = "mean",
) -> Any:
    """(f, P): frequencies, and the power spectrum of x by Welch's method; the options and errors are those of `csd`.

    >>> import numpy as np
    >>> welch(np.array([1.0, 0.0, 1.0, 0.0]), window="boxcar", nperseg=4)[1]
    array([0., 0., 1.])
    """
    x = asarray(x)
    f, p = csd(x, x, fs, window, nperseg, noverlap, nfft, detrend, return_onesided, scaling, axis, average)
    return f, real(p) if p.dtype.kind == "c" else p


@implements(scipy.signal.periodogram)
def periodogram(
    x: ArrayLike,
    fs: float = 1.0,
    window: Any = "boxcar",
    nfft: int | None = None,
    detrend: Detrend = "constant",
    return_onesided: bool = True,
    scaling: str = "density",
    axis: int = -1,
) -> Any:
    """(f, P): frequencies, and the power spectrum of the whole signal, or of its first `nfft` entries.

    >>> import numpy as np
    >>> periodogram(np.array([1.0, 0.0, 1.0, 0.0]))[1]
    array([0., 0., 1.])
    """
    x, window = asarray(x), "boxcar" if window is None else window
    if not x.size:
        return np.zeros(x.shape), np.zeros(x.shape)
    axis = normalize_axis_index(axis, len(x.shape))
    if nfft is not None and nfft < x.shape[axis]:
        x = slice_(x, index=tuple((0, nfft if k == axis else n, 1) for k, n in enumerate(x.shape)))
    return welch(x, fs, window, x.shape[axis], 0, nfft, detrend, return_onesided, scaling, axis)


@implements(scipy.signal.coherence)
def coherence(
    x: ArrayLike,
    y: ArrayLike,
    fs: float = 1.0,
    window: Any = "hann_periodic",
    nperseg: int | None = None,
    noverlap: int | None = None,
    nfft: int | None = None,
    detrend: Detrend = "constant",
    axis: int = -1,
) -> Any:
    """(f, C): frequencies, and the magnitude-squared coherence |P_xy|^2 / (P_xx P_yy); as `csd`.

    >>> import numpy as np
    >>> x = np.array([1.0, -2.0, 4.0, 3.0, 0.0, 1.0])
    >>> coherence(x, 2 * x, nperseg=4)[1].round(12)
    array([1., 1., 1.])
    """
    options = (fs, window, nperseg, noverlap, nfft, detrend)
    f, of_x = welch(x, *options, axis=axis)
    _, of_y = welch(y, *options, axis=axis)
    _, cross = csd(x, y, *options, axis=axis)
    return f, (real(cross) ** 2 + imag(cross) ** 2) / of_x / of_y


@implements(scipy.signal.stft)
def stft(
    x: ArrayLike,
    fs: float = 1.0,
    window: Any = "hann_periodic",
    nperseg: int = 256,
    noverlap: int | None = None,
    nfft: int | None = None,
    detrend: Detrend = False,
    return_onesided: bool = True,
    boundary: str | None = "zeros",
    padded: bool = True,
    axis: int = -1,
    scaling: str = "spectrum",
) -> Any:
    """(f, t, Z): frequencies, times of segments, and the spectra of the segments, (..., frequencies, segments).

    The signal goes on beyond its ends by half a segment, by `boundary` "even", "odd", "constant", "zeros" or None, and
    if `padded` by zeros to a whole number of segments; `scaling` is "spectrum" or "psd", the other options are those of
    `csd`. Raises ValueError for other options and where numbers do not fit.

    >>> import numpy as np
    >>> f, t, z = stft(np.ones(4), window="boxcar", nperseg=2, noverlap=0, boundary=None)
    >>> z.real
    array([[1., 1.],
           [0., 0.]])
    """
    if scaling not in ("spectrum", "psd"):
        raise ValueError(f"stft: scaling {scaling!r} was given; wanted 'spectrum' or 'psd'")
    if boundary not in (*EXTENSIONS, None):
        raise ValueError(f"stft: unknown boundary option {boundary!r}, must be one of {[*EXTENSIONS, None]}")
    (signal,) = inexact(asarray(x))
    if not signal.size:
        return (np.zeros(signal.shape),) * 3
    along = normalize_axis_index(axis, len(signal.shape))
    signal = moveaxis(signal, along, -1)
    win, nperseg = window_of("stft", window, nperseg, signal.shape[-1], 256)
    noverlap, nfft = steps("stft", nperseg, noverlap, nfft)
    hop, lead = nperseg - noverlap, [(0, 0)] * (len(signal.shape) - 1)
    if boundary is not None:
        signal = pad(signal, [*lead, (nperseg // 2, nperseg // 2)], **EXTENSIONS[boundary])
    if padded:
        signal = pad(signal, [*lead, (0, (-(signal.shape[-1] - nperseg) % hop) % nperseg)])
    onesided = return_onesided and signal.dtype.kind != "c"
    if return_onesided and not onesided:
        warnings.warn("Input data is complex, switching to return_onesided=False", stacklevel=3)
    scale = 1 / np.sqrt(fs * (win * win).sum()) if scaling == "psd" else 1 / np.abs(win.sum())
    result = segment_spectra(signal, win, hop, nfft, detrend, onesided) * scale
    result = as_dtype(result, np.result_type(signal.dtype, np.complex64))
    times = np.arange(nperseg / 2, signal.shape[-1] - nperseg / 2 + 1, hop) / float(fs)
    times = times if boundary is None else times - nperseg / 2 / fs
    return frequencies(nfft, fs, onesided), times, moveaxis(result, -1, along)


@implements(scipy.signal.istft)
def istft(
    Zxx: ArrayLike,
    fs: float = 1.0,
    window: Any = "hann_periodic",
    nperseg: int | None = None,
    noverlap: int | None = None,
    nfft: int | None = None,
    input_onesided: bool = True,
    boundary: bool = True,
    time_axis: int = -1,
    freq_axis: int = -2,
    scaling: str = "spectrum",
) -> Any:
    """(t, x): times, and the signal of which `stft` gives the spectra: the segments added up, over the squared windows.

    Raises ValueError where axes or numbers do not fit; warns where the windows do not cover the signal.

    >>> import numpy as np
    >>> options = {"window": "boxcar", "nperseg": 2, "noverlap": 0, "boundary": None}
    >>> z = stft(np.array([1.0, 2.0, 3.0, 4.0]), **options)[2]
    >>> istft(z, **options)[1]
    array([1., 2., 3., 4.])
    """
    (spectra,) = inexact(asarray(Zxx))
    rank = len(spectra.shape)
    if rank < 2:
        raise ValueError(f"istft: input stft must be at least 2d, given shape {spectra.shape}")
    time_axis, freq_axis = (normalize_axis_index(k, rank) for k in (time_axis, freq_axis))
    if time_axis == freq_axis:
        raise ValueError("istft: must specify differing time and frequency axes")
    spectra = moveaxis(spectra, (time_axis, freq_axis), (-2, -1))
    count, points = spectra.shape[-2:]
    whole = 2 * (points - 1) if input_onesided else points
    length = whole if nperseg is None else int(nperseg)
    if nfft is None:
        nfft = length if input_onesided and length == whole + 1 else whole
    win, nperseg = window_of("istft", window, length, length, None)
    noverlap, nfft = steps("istft", nperseg, noverlap, nfft)
    if scaling not in ("spectrum", "psd"):
        raise ValueError(f"istft: scaling {scaling!r} was given; wanted 'spectrum' or 'psd'")
    parts = (fft.irfft if input_onesided else fft.ifft)(spectra, nfft)[..., :nperseg]
    scale = win.sum() if scaling == "spectrum" else np.sqrt(fs * (win * win).sum())
    x = overlapped(parts * (scale * win), nperseg - noverlap)
    norm = overlapped(np.broadcast_to(np.real(win * win), (count, nperseg)), nperseg - noverlap)
    if boundary:
        x, norm = (y[..., nperseg // 2 : y.shape[-1] - nperseg // 2] for y in (x, norm))
    if not (norm > 1e-10).all():
        reason = "" if boundary else " Possibly due to missing boundary"
        warnings.warn(f"NOLA condition failed, STFT may not be invertible.{reason}", stacklevel=3)
    x = x / np.where(norm > 1e-10, norm, 1.0)
    x = moveaxis(x, -1, time_axis - (freq_axis < time_axis)) if rank > 2 else x
    return np.arange(x.shape[0]) / float(fs), x


def overlapped(parts: Any, hop: int) -> Any:
    """The sum of segments (..., segments, n), each `hop` entries after the one before."""
    count, n = parts.shape[-2:]
    last = len(parts.shape) - 2
    size = n + (count - 1) * hop
    shape = (*parts.shape[:-2], size)
    return scatter_sum(parts, places(count, n, hop), shape=shape, axes=(last,), at=last)
