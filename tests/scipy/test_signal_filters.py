"""Filters, spectra and resampling of xform.scipy.signal: values of SciPy's, derivatives, errors."""

import inspect
import warnings

import numpy as np
import pytest
import scipy.signal as ss
from numpy.testing import assert_allclose

import xform
from tests.messages import says
from tests.scipy.same_as_scipy import check, close, normal
from xform.scipy import signal
from xform.testing import check_grads

both = pytest.mark.parametrize("dtype", [float, complex])


def same(name, *args, order=0, **options):
    check(
        lambda *a: getattr(signal, name)(*a, **options), lambda *a: getattr(ss, name)(*a, **options), *args, order=order
    )


# --- recursive filters ---


def recursive(taps, poles, dtype=float):
    b, a = normal(taps, dtype=dtype), 0.3 * normal(poles, dtype=dtype)
    a[0] += 2
    return b, a


@both
@pytest.mark.parametrize("taps, poles", [(1, 3), (3, 1), (3, 3), (2, 4), (1, 1)])
def test_lfilter_in_all_its_arguments(taps, poles, dtype):
    b, a = recursive(taps, poles, dtype)
    same("lfilter", b, a, normal(6, dtype=dtype), order=2)
    delays = max(taps, poles) - 1
    for n in (6, 1):
        check(
            lambda b, a, x, z: signal.lfilter(b, a, x, zi=z),
            lambda b, a, x, z: ss.lfilter(b, a, x, zi=z),
            b,
            a,
            normal(2, n, dtype=dtype),
            normal(2, delays, dtype=dtype),
            order=1,
        )
    if delays:
        same("lfilter_zi", b, a, order=1)


def test_axes_and_states_that_broadcast():
    b, a = recursive(3, 2)
    same("lfilter", b, a, normal(5, 2), axis=0, order=1)
    state = normal(1, 2)
    value = xform.linearize(lambda x: signal.lfilter(b, a, x, zi=state), normal(3, 4))[0]
    assert [y.shape for y in value] == [(3, 4), (3, 2)]
    x = normal(4)
    assert_allclose(xform.linearize(lambda x: signal.lfilter([1.0, 1.0], 2.0, x), x)[0], ss.lfilter([0.5, 0.5], 1, x))


def test_filtering_in_pieces_with_the_state_is_filtering_at_once():
    b, a = recursive(3, 4)
    x = normal(9)

    def pieces(x):
        y, state = signal.lfilter(b, a, x[:4], zi=np.zeros(3))
        return xform.numpy.concatenate([y, signal.lfilter(b, a, x[4:], zi=state)[0]])

    assert_allclose(xform.jacobian(pieces)(x), xform.jacobian(lambda x: signal.lfilter(b, a, x))(x), atol=1e-13)


def test_the_gradient_of_a_long_filter_is_linear_in_its_length():
    """One filter forward, one backward: no matrix of the size of the signal."""
    b, a = recursive(3, 3)
    x = normal(20_000)
    gradient = xform.grad(lambda x: signal.lfilter(b, a, x).sum())(x)
    assert_allclose(gradient, ss.lfilter(b, a, np.ones(20_000))[::-1])


def test_an_unstable_filter_overflows_as_scipys_does():
    x = np.ones(2000)
    with np.errstate(over="ignore", invalid="ignore"):
        value = xform.vmap(lambda x: signal.lfilter([1.0], [1.0, -10.0], x))(x[None])[0]
        assert_allclose(value, ss.lfilter([1.0], [1.0, -10.0], x))


@pytest.mark.parametrize("padtype", ["odd", "even", "constant", None])
def test_filtering_both_ways(padtype):
    b, a = ss.butter(2, 0.3)
    same("filtfilt", b, a, normal(2, 15), padtype=padtype, order=1)
    sections = ss.butter(3, 0.3, output="sos")
    check(
        lambda x: signal.sosfiltfilt(sections, x, axis=0, padtype=padtype),
        lambda x: ss.sosfiltfilt(sections, x, axis=0, padtype=padtype),
        normal(30, 2),
        order=1,
    )
    same("sosfiltfilt", sections, normal(30, 2), axis=0, padtype=padtype, padlen=5)
    with says(ValueError, "padlen", "pass it"):
        xform.jit(signal.sosfiltfilt)(sections, normal(30))


FREE = np.array([1, 1, 1, 0, 1, 1.0])  # the fourth coefficient of a section has to be one


def test_second_order_sections():
    sections, x = ss.butter(4, 0.3, output="sos"), normal(2, 6)

    def of(f):
        return lambda s, *rest, **options: f(s * FREE + (1 - FREE), *rest, **options)

    check(of(signal.sosfilt), of(ss.sosfilt), sections, x)
    check(of(signal.sosfilt_zi), of(ss.sosfilt_zi), sections)
    for axis, zi in ((-1, normal(2, 2, 2)), (0, normal(2, 2, 6))):
        check(
            lambda s, x, z, k=axis: of(signal.sosfilt)(s, x, axis=k, zi=z),
            lambda s, x, z, k=axis: of(ss.sosfilt)(s, x, axis=k, zi=z),
            sections,
            x,
            zi,
            order=1,
        )


@pytest.mark.parametrize("up, down", [(1, 1), (3, 2), (2, 3), (1, 5)])
def test_upfirdn(up, down):
    same("upfirdn", normal(5), normal(2, 7), up=up, down=down, order=1)
    same("upfirdn", normal(4), normal(6, 2), up=up, down=down, axis=0)


def test_errors_of_filters():
    x = normal(6)
    with says(ValueError, "a[0] is zero"):
        xform.linearize(lambda x: signal.lfilter([1.0], [0.0, 1.0], x), x)
    with says(ValueError, "parameter b", "(1, 2)"):
        xform.linearize(lambda x: signal.lfilter([[1.0, 2.0]], [1.0], x), x)
    with says(ValueError, "expected (2,)", "(3,)"):
        xform.linearize(lambda x: signal.lfilter(np.ones(3), [1.0], x, zi=np.ones(3)), x)
    with says(ValueError, "at least 1-D"):
        xform.linearize(lambda x: signal.lfilter([1.0], [1.0], x), 1.0)
    with says(ValueError, "padlen"):
        xform.linearize(lambda x: signal.filtfilt(np.ones(3), [1.0], x), x)
    with says(ValueError, "'gust'"):
        xform.linearize(lambda x: signal.filtfilt([1.0], [1.0], x, method="gust"), x)
    with says(ValueError, "padtype", "'odd'"):
        xform.linearize(lambda x: signal.filtfilt([1.0, 1.0], [1.0], x, padtype="zeros"), x)
    with says(ValueError, "(n_sections, 6)"):
        xform.linearize(lambda x: signal.sosfilt(np.ones((1, 5)), x), x)
    with says(ValueError, "all ones"):
        xform.linearize(lambda x: signal.sosfilt(2 * np.ones((1, 6)), x), x)
    with says(ValueError, "zi shape", "(1, 2)"):
        xform.linearize(lambda x: signal.sosfilt(np.ones((1, 6)), x, zi=np.ones((1, 3))), x)
    with says(ValueError, ">= 1"):
        xform.linearize(lambda x: signal.upfirdn([1.0], x, up=0), x)
    with says(ValueError, "'symmetric'"):
        xform.linearize(lambda x: signal.upfirdn([1.0], x, mode="symmetric"), x)


# --- fixed linear maps ---


@both
@pytest.mark.parametrize("options", [{}, {"type": "constant"}, {"bp": [3]}, {"axis": 0}])
def test_detrend(options, dtype):
    same("detrend", normal(6, 7, dtype=dtype), order=1, **options)


@pytest.mark.parametrize("n", [6, 7])
def test_hilbert(n):
    same("hilbert", normal(2, n), order=1)
    same("hilbert", normal(n, 2), N=9, axis=0)
    with says(ValueError, "real"):
        xform.linearize(signal.hilbert, normal(3, dtype=complex))
    with says(ValueError, "positive"):
        xform.linearize(lambda x: signal.hilbert(x, 0), normal(3))


@pytest.mark.parametrize("mode", ["interp", "mirror", "constant", "nearest", "wrap"])
@pytest.mark.parametrize("length, degree", [(5, 2), (4, 2), (3, 1), (1, 0)])
def test_savgol_filter(length, degree, mode):
    same("savgol_filter", normal(2, 8), window_length=length, polyorder=degree, mode=mode, cval=1.3)
    same("savgol_filter", normal(5, 2), window_length=length, polyorder=degree, mode=mode, axis=0, deriv=1, delta=0.3)
    check_grads(lambda x: signal.savgol_filter(x, length, degree, mode=mode), (normal(6),), order=1)


@both
@pytest.mark.parametrize("n", [5, 6, 7])
def test_resample(n, dtype):
    for num in (1, 4, 5, 6, 9):
        same("resample", normal(n, 2, dtype=dtype), num=num)
        same("resample", normal(2, n, dtype=dtype), num=num, axis=1, window="hamming")
        same("resample", normal(n, dtype=complex), num=num, domain="freq")
    for window in (np.arange(float(n)), lambda f: 1 - np.abs(f)):
        same("resample", normal(n, dtype=dtype), num=4, window=window, order=1)
    same("resample", normal(n), num=4, t=np.arange(n) / 2)


def test_errors_of_linear_maps():
    x = normal(6)
    with says(ValueError, "'cubic'"):
        xform.linearize(lambda x: signal.detrend(x, type="cubic"), x)
    with says(ValueError, "breakpoints"):
        xform.linearize(lambda x: signal.detrend(x, bp=[9]), x)
    with says(ValueError, "window_length", "6"):
        xform.linearize(lambda x: signal.savgol_filter(x, 7, 2), x)
    with says(ValueError, "'odd'", "'interp'"):
        xform.linearize(lambda x: signal.savgol_filter(x, 3, 2, mode="odd"), x)
    with says(ValueError, "'space'"):
        xform.linearize(lambda x: signal.resample(x, 4, domain="space"), x)
    with says(ValueError, "(5,)", "(6,)"):
        xform.linearize(lambda x: signal.resample(x, 4, window=np.ones(5)), x)


# --- spectra ---

OPTIONS = [
    {"nperseg": 8},
    {"nperseg": 8, "noverlap": 3, "nfft": 11},
    {"nperseg": 7, "window": "boxcar", "detrend": False},
    {"nperseg": 8, "detrend": "linear", "scaling": "spectrum", "average": "median"},
    {"nperseg": 8, "return_onesided": False},
    {"window": np.hanning(6), "fs": 3.0, "detrend": lambda parts: parts - parts[..., :1]},
]


@both
@pytest.mark.parametrize("k", range(len(OPTIONS)))
def test_averaged_spectra(k, dtype):
    options = OPTIONS[k]
    same("welch", normal(2, 30, dtype=dtype), order=1 if k == 0 else 0, **options)
    same("csd", normal(2, 30, dtype=dtype), normal(2, 25, dtype=dtype), **options)
    plain = {n: v for n, v in options.items() if n not in ("scaling", "average", "return_onesided")}
    same("coherence", normal(30, dtype=dtype), normal(30, dtype=dtype), **plain)


@both
def test_periodogram(dtype):
    same("periodogram", normal(2, 9, dtype=dtype), order=1)
    same("periodogram", normal(9, 2, dtype=dtype), axis=0, nfft=12)
    same("periodogram", normal(2, 9, dtype=dtype), nfft=7, scaling="spectrum")


SEGMENTS = [{"nperseg": 8}, {"nperseg": 8, "noverlap": 3, "nfft": 11}, {"nperseg": 7, "scaling": "psd"}]


@both
@pytest.mark.parametrize("boundary", ["zeros", "even", "odd", "constant", None])
@pytest.mark.parametrize("options", SEGMENTS)
def test_short_time_spectra_and_back(options, boundary, dtype):
    onesided = dtype is float
    there = {**options, "boundary": boundary, "return_onesided": onesided}
    same("stft", normal(2, 30, dtype=dtype), **there, detrend="constant")
    same("stft", normal(30, 2, dtype=dtype), **there, padded=False, axis=0)
    z = ss.stft(normal(2, 30, dtype=dtype), **there)[2]
    back = {**options, "boundary": boundary is not None, "input_onesided": onesided}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # without boundaries the windows do not cover the ends
        same("istft", z, **back)
        same("istft", np.moveaxis(z, (-1, -2), (0, 1)).copy(), **back, time_axis=0, freq_axis=1)


def test_derivatives_of_short_time_spectra():
    x = normal(20)
    same("stft", x, nperseg=6, order=1)
    same("istft", ss.stft(x, nperseg=6)[2], nperseg=6, order=1)

    def there_and_back(x):
        return signal.istft(signal.stft(x, nperseg=6)[2], nperseg=6)[1][:20]

    assert_allclose(xform.jacobian(there_and_back)(x), np.eye(20), atol=1e-12)


def test_warnings_of_spectra():
    x = normal(20)
    with pytest.warns(UserWarning, match="greater than signal length"):
        xform.linearize(lambda x: signal.welch(x)[1], x)
    with pytest.warns(UserWarning, match="return_onesided=False"):
        xform.linearize(lambda x: signal.stft(x, nperseg=4)[2], x + 0j)
    z = ss.stft(x, nperseg=6)[2]
    with pytest.warns(UserWarning, match="NOLA"):
        xform.linearize(lambda z: signal.istft(z, nperseg=6, boundary=False)[1], z)


def test_errors_of_spectra():
    x = normal(20)
    for words, f in [
        (("nfft=2", "nperseg=4"), lambda x: signal.welch(x, nperseg=4, nfft=2)),
        (("noverlap=4", "nperseg=4"), lambda x: signal.welch(x, nperseg=4, noverlap=4)),
        (("positive",), lambda x: signal.welch(x, nperseg=0)),
        (("scaling 'odd'",), lambda x: signal.welch(x, nperseg=4, scaling="odd")),
        (("'median'", "'odd'"), lambda x: signal.welch(x, nperseg=4, average="odd")),
        (("1-D", "(2, 2)"), lambda x: signal.welch(x, window=np.ones((2, 2)))),
        (("nperseg=4", "3"), lambda x: signal.welch(x, window=np.ones(3), nperseg=4)),
        (("broadcast", "(3, 20)"), lambda x: signal.csd(np.ones((2, 20)), x * np.ones((3, 1)), nperseg=4)),
        (("boundary", "'odd'"), lambda x: signal.stft(x, nperseg=4, boundary="wide")),
        (("scaling 'density'",), lambda x: signal.stft(x, nperseg=4, scaling="density")),
        (("2d", "(20,)"), signal.istft),
        (("differing",), lambda x: signal.istft(x * np.ones((3, 1)), time_axis=0, freq_axis=0)),
    ]:
        with says(ValueError, *words):
            xform.linearize(f, x)


@pytest.mark.parametrize("name", [n for n in signal.__all__ if n != "windows"])
def test_signatures_are_scipys(name):
    ours, theirs = (inspect.signature(getattr(module, name)).parameters for module in (signal, ss))
    assert [(p, q.kind) for p, q in ours.items()] == [(p, q.kind) for p, q in theirs.items()]


def test_plain_arrays_are_scipys():
    b, a = ss.butter(2, 0.3)
    close(signal.lfilter(b, a, np.arange(5.0)), ss.lfilter(b, a, np.arange(5.0)), 0)
    assert signal.windows is ss.windows
