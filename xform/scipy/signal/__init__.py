"""scipy.signal for arrays and traced values: convolutions, filters, trends, resampling and spectra.

    from xform.scipy import signal          instead of          from scipy import signal

The functions mean what SciPy's mean and, given plain arrays, are SciPy's. SciPy's own functions take no traced values:
they convert their arguments to arrays, which raises ConcretizationError. Windows and filter designs are SciPy's own.
"""

import scipy.signal as _scipy_signal

from xform.scipy.signal.convolutions import (
    convolve,
    convolve2d,
    correlate,
    correlate2d,
    fftconvolve,
    oaconvolve,
)
from xform.scipy.signal.filters import (
    filtfilt,
    lfilter,
    lfilter_zi,
    sosfilt,
    sosfilt_zi,
    sosfiltfilt,
    upfirdn,
)
from xform.scipy.signal.smoothing import detrend, hilbert, resample, savgol_filter
from xform.scipy.signal.spectra import coherence, csd, istft, periodogram, stft, welch

#: what makes windows and filters out of plain numbers
windows, get_window, choose_conv_method, savgol_coeffs = (
    getattr(_scipy_signal, name) for name in ("windows", "get_window", "choose_conv_method", "savgol_coeffs")
)
bessel, butter, cheby1, cheby2, ellip, firwin = (
    getattr(_scipy_signal, name) for name in ("bessel", "butter", "cheby1", "cheby2", "ellip", "firwin")
)

__all__ = [
    "bessel",
    "butter",
    "cheby1",
    "cheby2",
    "choose_conv_method",
    "coherence",
    "convolve",
    "convolve2d",
    "correlate",
    "correlate2d",
    "csd",
    "detrend",
    "ellip",
    "fftconvolve",
    "filtfilt",
    "firwin",
    "get_window",
    "hilbert",
    "istft",
    "lfilter",
    "lfilter_zi",
    "oaconvolve",
    "periodogram",
    "resample",
    "savgol_coeffs",
    "savgol_filter",
    "sosfilt",
    "sosfilt_zi",
    "sosfiltfilt",
    "stft",
    "upfirdn",
    "welch",
    "windows",
]
