"""Convolution and correlation of arrays with any number of axes.

Directly they are `xform.ops.convolution`, out[t] = sum of x[u] y[k] over u + k = t (or u - k = t - n + 1), of which a
mode takes a range of t; by the Fourier transform a product of spectra. Which is faster SciPy knows.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import scipy.fft
import scipy.signal
from numpy.lib.array_utils import normalize_axis_tuple

from xform.numpy import fft
from xform.numpy.dispatch import ArrayLike, asarray, implements, promote
from xform.numpy.padding import pad
from xform.ops.convolution.convolve import convolve as convolution
from xform.ops.convolution.convolve_kernels import Window
from xform.ops.linear_algebra.matrix import conj
from xform.ops.structure import slice_

MODES = ("full", "same", "valid")

#: the names of boundaries in numpy.pad
BOUNDARIES = {"fill": "constant", "pad": "constant", "wrap": "wrap", "circular": "wrap"}
BOUNDARIES |= {"symm": "symmetric", "symmetric": "symmetric"}


def same_rank(name: str, in1: ArrayLike, in2: ArrayLike, mode: str) -> tuple[Any, Any]:
    """The arguments as arrays, checked as SciPy does."""
    x, y = asarray(in1), asarray(in2)
    if len(x.shape) != len(y.shape):
        raise ValueError(f"{name}: in1 and in2 should have the same dimensionality, given {x.shape} and {y.shape}")
    if mode not in MODES:
        raise ValueError(f"{name}: acceptable mode flags are 'valid', 'same', or 'full', given {mode!r}")
    return x, y


def kept(name: str, s: Sequence[int], t: Sequence[int], mode: str) -> list[tuple[int, int]]:
    """Start and size of the entries of the full result that a mode keeps, for each axis.

    Of an even number too many, the larger half is in front for correlate2d, behind for all others.
    """
    if mode == "full":
        return [(0, m + n - 1) for m, n in zip(s, t, strict=True)]
    if mode == "same":
        return [((n - (name != "correlate2d")) // 2, m) for m, n in zip(s, t, strict=True)]
    if not (all(m >= n for m, n in zip(s, t, strict=True)) or all(m <= n for m, n in zip(s, t, strict=True))):
        raise ValueError(f"{name}: for 'valid' mode, one must be at least as large as the other in every dimension")
    return [(min(m, n) - 1, abs(m - n) + 1) for m, n in zip(s, t, strict=True)]


def direct(name: str, x: Any, y: Any, mode: str, sign: int) -> Any:
    """The sum of products: convolution for sign 1, correlation for -1."""
    x, y = promote(x, y)
    if 0 in x.shape or 0 in y.shape:
        return np.zeros((0,), x.dtype)
    windows = tuple(
        Window(1, sign, 1, start - (n - 1 if sign < 0 else 0), size)
        for n, (start, size) in zip(y.shape, kept(name, x.shape, y.shape, mode), strict=True)
    )
    return convolution(x, y, spec=("", "", ""), windows=windows)


def flipped(x: Any) -> Any:
    """The entries in reverse order along all axes."""
    return slice_(x, index=tuple((max(n - 1, 0), n, -1) for n in x.shape))


def by_spectra(x: Any, y: Any, axes: Sequence[int]) -> Any:
    """The full convolution along axes, of which no axis of size one needs a transform."""
    sizes = {k: x.shape[k] + y.shape[k] - 1 for k in axes}
    axes = [k for k in axes if x.shape[k] != 1 and y.shape[k] != 1]
    if not axes:
        return x * y
    dtype = np.result_type(x.dtype, y.dtype)
    is_complex = dtype.kind == "c"
    points: list[Any] = [scipy.fft.next_fast_len(sizes[k], not is_complex) for k in axes]
    forward, backward = (fft.fftn, fft.ifftn) if is_complex else (fft.rfftn, fft.irfftn)
    z = backward(forward(x, points, axes) * forward(y, points, axes), points, axes)
    whole = ((0, sizes[k] if k in axes else n, 1) for k, n in enumerate(z.shape))
    return slice_(z, index=tuple(whole))


@implements(scipy.signal.convolve)
def convolve(in1: ArrayLike, in2: ArrayLike, mode: str = "full", method: str = "auto") -> Any:
    """The convolution out[t] = sum_u in1[u] in2[t - u] of two arrays with as many axes.

    Mode "full" has all t at which they overlap, "same" as many in the middle as in1 has, "valid" those at which all of
    the smaller one takes part. `method` is "direct", "fft" or "auto", whichever SciPy finds faster. Raises ValueError
    for other modes and methods, and where ranks or, for "valid", shapes do not fit.

    >>> import numpy as np, xform
    >>> convolve(np.array([1.0, 2.0]), np.array([1.0, 3.0]))
    array([1., 5., 6.])
    >>> xform.grad(lambda x: convolve(x, np.array([1.0, 3.0]))[1])(np.array([1.0, 2.0]))
    array([3., 1.])
    """
    x, y = same_rank("convolve", in1, in2, mode)
    if chosen_method(x, y, mode, method) == "fft":
        return fftconvolve(x, y, mode)
    return direct("convolve", x, y, mode, 1)


@implements(scipy.signal.correlate)
def correlate(in1: ArrayLike, in2: ArrayLike, mode: str = "full", method: str = "auto") -> Any:
    """The correlation out[t] = sum_u in1[u] conj(in2[u - t + n - 1]), n being the shape of in2; else as `convolve`.

    >>> import numpy as np
    >>> correlate(np.array([1.0, 2.0, 3.0]), np.array([0.0, 1.0]), mode="valid")
    array([2., 3.])
    """
    x, y = same_rank("correlate", in1, in2, mode)
    if chosen_method(x, y, mode, method) == "fft":
        return fftconvolve(x, flipped(conj(y)), mode)
    return direct("correlate", x, conj(y), mode, -1)


def chosen_method(x: Any, y: Any, mode: str, method: str) -> str:
    """SciPy's choice for arrays of these shapes and dtypes; sums of integers are exact only directly."""
    if method not in ("auto", "direct", "fft"):
        raise ValueError(f"acceptable method flags are 'auto', 'direct', or 'fft', given {method!r}")
    if method != "auto" or not (x.shape and np.result_type(x.dtype, y.dtype).kind in "fc" and x.size and y.size):
        return "direct" if method == "auto" else method
    like = (np.broadcast_to(np.zeros((), z.dtype), z.shape) for z in (x, y))
    return str(scipy.signal.choose_conv_method(*like, mode=mode))


@implements(scipy.signal.fftconvolve)
def fftconvolve(in1: ArrayLike, in2: ArrayLike, mode: str = "full", axes: Any = None) -> Any:
    """The same as `convolve` by the Fourier transform, along `axes` (all, if None); the other axes broadcast.

    Raises ValueError for other modes, and where shapes do not fit.

    >>> import numpy as np
    >>> fftconvolve(np.array([1.0, 2.0]), np.array([1.0, 3.0])).round(12)
    array([1., 5., 6.])
    """
    x, y = same_rank("fftconvolve", in1, in2, mode)
    if 0 in x.shape or 0 in y.shape:
        return np.zeros((0,), np.result_type(x.dtype, y.dtype))
    rank = len(x.shape)
    along = sorted(range(rank) if axes is None else normalize_axis_tuple(axes, rank))
    if any(x.shape[k] != y.shape[k] and 1 not in (x.shape[k], y.shape[k]) for k in range(rank) if k not in along):
        raise ValueError(f"fftconvolve: incompatible shapes {x.shape} and {y.shape} off the axes {along}")
    s, t = ([z.shape[k] for k in along] for z in (x, y))
    ranges = dict(zip(along, kept("fftconvolve", s, t, mode), strict=True))
    z = by_spectra(x, y, along)
    if mode == "same":
        ranges |= {k: ((z.shape[k] - n) // 2, n) for k, n in enumerate(x.shape) if k not in ranges}
    return slice_(z, index=tuple((*ranges.get(k, (0, n)), 1) for k, n in enumerate(z.shape)))


@implements(scipy.signal.oaconvolve)
def oaconvolve(in1: ArrayLike, in2: ArrayLike, mode: str = "full", axes: Any = None) -> Any:
    """The same as `fftconvolve`, which traced arrays take in one piece, not by overlapping ones.

    >>> import numpy as np
    >>> oaconvolve(np.array([1.0, 2.0]), np.array([1.0, 3.0])).round(12)
    array([1., 5., 6.])
    """
    return fftconvolve(in1, in2, mode, axes)


@implements(scipy.signal.convolve2d)
def convolve2d(in1: ArrayLike, in2: ArrayLike, mode: str = "full", boundary: str = "fill", fillvalue: Any = 0) -> Any:
    """The convolution of two matrices, where in1 goes on beyond its edges: with `fillvalue`, "wrap" or "symm".

    The modes are those of `convolve`. Raises ValueError for other modes and boundaries, and where shapes do not fit.

    >>> import numpy as np
    >>> convolve2d(np.array([[1.0, 2.0]]), np.array([[1.0, 1.0]]), mode="same", boundary="wrap")
    array([[3., 3.]])
    """
    x, y = of_matrices("convolve2d", in1, in2, mode, boundary)
    return with_boundary("convolve2d", x, y, mode, boundary, fillvalue, 1)


@implements(scipy.signal.correlate2d)
def correlate2d(in1: ArrayLike, in2: ArrayLike, mode: str = "full", boundary: str = "fill", fillvalue: Any = 0) -> Any:
    """The correlation of two matrices, where in1 goes on beyond its edges; else as `convolve2d`.

    >>> import numpy as np
    >>> correlate2d(np.array([[1.0, 2.0, 3.0]]), np.array([[0.0, 1.0]]), mode="valid")
    array([[2., 3.]])
    """
    x, y = of_matrices("correlate2d", in1, in2, mode, boundary)
    if mode == "valid" and any(m < n for m, n in zip(x.shape, y.shape, strict=True)):
        x, y = conj(x), conj(y)  # SciPy exchanges the arrays then, and conjugates the one that comes second
    return with_boundary("correlate2d", x, conj(y), mode, boundary, fillvalue, -1)


def of_matrices(name: str, in1: Any, in2: Any, mode: str, boundary: str) -> tuple[Any, Any]:
    x, y = same_rank(name, in1, in2, mode)
    if len(x.shape) != 2:
        raise ValueError(f"{name} inputs must both be 2-D arrays, given {x.shape} and {y.shape}")
    if boundary not in BOUNDARIES:
        raise ValueError(
            f"{name}: acceptable boundary flags are 'fill', 'circular' (or 'wrap'), and 'symmetric' (or "
            f"'symm'), given {boundary!r}"
        )
    return x, y


def with_boundary(name: str, x: Any, y: Any, mode: str, boundary: str, fillvalue: Any, sign: int) -> Any:
    """The valid part for an in1 that is padded by the size of in2 less one, of which the mode keeps a part."""
    if mode == "valid" or (BOUNDARIES[boundary] == "constant" and is_zero(fillvalue)):
        return direct(name, x, y, mode, sign)
    ranges = kept(name, x.shape, y.shape, mode)
    options = {"constant_values": fillvalue} if BOUNDARIES[boundary] == "constant" else {}
    x, y = promote(x, y)
    wide = pad(x, [(n - 1, n - 1) for n in y.shape], mode=BOUNDARIES[boundary], **options)
    windows = tuple(
        Window(1, sign, 1, start + (n - 1 if sign > 0 else 0), size)
        for n, (start, size) in zip(y.shape, ranges, strict=True)
    )
    return convolution(wide, y, spec=("", "", ""), windows=windows)


def is_zero(value: Any) -> bool:
    return isinstance(value, int | float | complex | np.generic) and value == 0
