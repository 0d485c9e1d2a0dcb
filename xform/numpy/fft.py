"""numpy.fft for arrays and traced values: discrete Fourier transforms along axes.

    fft     X_k = f sum_j x_j e^{-2 pi i jk/n}        ifft    x_j = f sum_k X_k e^{+2 pi i jk/n}

The factor f of a transform of n points is 1 forwards and 1/n backwards for norm="backward" (the default), 1/n forwards
and 1 backwards for "forward", and n^(-1/2) for "ortho". A length `n` (or lengths `s`) crops the axis, or pads it with
zeros. Single precision stays single. The transforms are linear, their derivatives are transforms in turn.
"""

from __future__ import annotations

import operator
import warnings
from collections.abc import Callable, Sequence
from typing import Any, SupportsIndex, TypeAlias

import numpy as np
from numpy.fft import fftfreq, rfftfreq

from xform.numpy.arranging import roll
from xform.numpy.axes import axis_index
from xform.numpy.dispatch import ArrayLike, asarray, implements, reject
from xform.ops import fourier
from xform.ops.structure import pad, slice_

__all__ = [
    "fft",
    "fft2",
    "fftfreq",
    "fftn",
    "fftshift",
    "hfft",
    "ifft",
    "ifft2",
    "ifftn",
    "ifftshift",
    "ihfft",
    "irfft",
    "irfft2",
    "irfftn",
    "rfft",
    "rfft2",
    "rfftfreq",
    "rfftn",
]

Norm: TypeAlias = fourier.Norm | None
Sizes: TypeAlias = Sequence[int] | None

#: which factor a norm stands for: of a Hermitian signal the transform is an irfft with the factor of an rfft
Meaning: TypeAlias = dict[fourier.Norm, fourier.Norm]
SAME: Meaning = {norm: norm for norm in fourier.OPPOSITE}


# --- along one axis ---


@implements(np.fft.fft)
def fft(a: ArrayLike, n: int | None = None, axis: int = -1, norm: Norm = None, out: None = None) -> Any:
    """The spectrum X_k = f sum_j a_j e^{-2 pi i jk/n}, complex, of the first `n` entries along an axis.

    Raises ValueError for no points and for an unknown norm, AxisError if there is no such axis.

    >>> import xform
    >>> fft([1.0, 0.0, 0.0, 1.0])
    array([2.+0.j, 1.+1.j, 0.+0.j, 1.-1.j])
    >>> xform.grad(lambda x: np.sum(np.abs(np.fft.fft(x)) ** 2))(np.array([1.0, 2.0]))
    array([4., 8.])
    """
    reject("fft", out=out)
    return spectrum(asarray(a), n, axis, norm, inverse=False)


@implements(np.fft.ifft)
def ifft(a: ArrayLike, n: int | None = None, axis: int = -1, norm: Norm = None, out: None = None) -> Any:
    """The inverse of `fft`: f sum_k a_k e^{+2 pi i jk/n}.

    >>> ifft(fft([1.0, 2.0, 3.0])).real.round(12)
    array([1., 2., 3.])
    """
    reject("ifft", out=out)
    return spectrum(asarray(a), n, axis, norm, inverse=True)


@implements(np.fft.rfft)
def rfft(a: ArrayLike, n: int | None = None, axis: int = -1, norm: Norm = None, out: None = None) -> Any:
    """The first n // 2 + 1 entries of the spectrum of real numbers; the others are conjugate to them.

    Raises TypeError for complex numbers.

    >>> import xform
    >>> xform.grad(lambda x: np.fft.rfft(x)[1].real)(np.zeros(4)) + 0.0
    array([ 1.,  0., -1.,  0.])
    """
    reject("rfft", out=out)
    return half_spectrum(asarray(a), n, axis, norm)


@implements(np.fft.irfft)
def irfft(a: ArrayLike, n: int | None = None, axis: int = -1, norm: Norm = None, out: None = None) -> Any:
    """The n real numbers (n = 2 (m - 1) unless given) of which `rfft` gives the spectrum `a` of m = n // 2 + 1 entries.

    The imaginary parts of a_0, and of a_{n/2} for an even n, do not count.

    >>> irfft(rfft([1.0, 2.0, 3.0]), 3).round(12)
    array([1., 2., 3.])
    """
    reject("irfft", out=out)
    return from_half_spectrum(asarray(a), n, axis, norm)


@implements(np.fft.hfft)
def hfft(a: ArrayLike, n: int | None = None, axis: int = -1, norm: Norm = None, out: None = None) -> Any:
    """The n real numbers (n = 2 (m - 1) unless given) that are the spectrum of a signal a_{-j} = conj(a_j).

    >>> hfft([1.0, 2.0, 3.0])
    array([ 8., -2.,  0., -2.])
    """
    reject("hfft", out=out)
    return from_half_spectrum(np.conjugate(asarray(a)), n, axis, norm, fourier.OPPOSITE)


@implements(np.fft.ihfft)
def ihfft(a: ArrayLike, n: int | None = None, axis: int = -1, norm: Norm = None, out: None = None) -> Any:
    """The inverse of `hfft`: half of the signal with conjugate symmetry that has this real spectrum.

    >>> ihfft([8.0, -2.0, 0.0, -2.0]).real
    array([1., 2., 3.])
    """
    reject("ihfft", out=out)
    return np.conjugate(half_spectrum(asarray(a), n, axis, norm, fourier.OPPOSITE))


def spectrum(x: Any, n: int | None, axis: int, norm: Norm, *, inverse: bool) -> Any:
    k = axis_index(axis, x.ndim)
    x = with_points(x, x.shape[k] if n is None else n, k)
    return fourier.fft(x, axis=k, inverse=inverse, norm=norm_name(norm))


def half_spectrum(x: Any, n: int | None, axis: int, norm: Norm, meaning: Meaning = SAME) -> Any:
    k = axis_index(axis, x.ndim)
    x, factor = with_points(x, x.shape[k] if n is None else n, k), meaning[norm_name(norm)]
    fourier.require_real(x)
    return fourier.rfft(x, axis=k, norm=factor)


def from_half_spectrum(x: Any, n: int | None, axis: int, norm: Norm, meaning: Meaning = SAME) -> Any:
    k = axis_index(axis, x.ndim)
    points = operator.index(2 * (x.shape[k] - 1) if n is None else n)
    fourier.require_points("irfft", x, k, points)
    x = with_points(x, points // 2 + 1, k)
    return fourier.irfft(x, axis=k, points=points, norm=meaning[norm_name(norm)])


def norm_name(norm: Norm) -> fourier.Norm:
    name = "backward" if norm is None else norm
    if name not in fourier.OPPOSITE:
        raise ValueError(f'Invalid norm value {norm}; should be "backward", "ortho" or "forward".')
    return name


def with_points(x: Any, n: SupportsIndex, axis: int) -> Any:
    """The first n entries along the axis, followed by zeros if there are fewer."""
    n, given = operator.index(n), x.shape[axis]
    fourier.require_points("a transform", x, axis, n)
    if n == given:
        return x
    region = tuple((0, min(n, size) if k == axis else size, 1) for k, size in enumerate(x.shape))
    if n < given:
        return slice_(x, index=region)
    return pad(x, shape=fourier.resized(x.shape, axis, n), index=region)


# --- along several axes ---


@implements(np.fft.fftn)
def fftn(a: ArrayLike, s: Sizes = None, axes: Sequence[int] | None = None, norm: Norm = None, out: None = None) -> Any:
    """`fft` along each of the axes (all of them unless given), the last one first; an axis may be named again.

    Raises ValueError if there are not as many sizes as axes.

    >>> fftn([[1.0, 2.0], [3.0, 4.0]]).real
    array([[10., -2.],
           [-4.,  0.]])
    """
    reject("fftn", out=out)
    return along_axes(fft, asarray(a), s, axes, norm)


@implements(np.fft.ifftn)
def ifftn(a: ArrayLike, s: Sizes = None, axes: Sequence[int] | None = None, norm: Norm = None, out: None = None) -> Any:
    """The inverse of `fftn`."""
    reject("ifftn", out=out)
    return along_axes(ifft, asarray(a), s, axes, norm)


@implements(np.fft.fft2)
def fft2(
    a: ArrayLike, s: Sizes = None, axes: Sequence[int] | None = (-2, -1), norm: Norm = None, out: None = None
) -> Any:
    """`fftn` along the last two axes.

    >>> import xform
    >>> xform.grad(lambda x: np.sum(np.fft.fft2(x).real))(np.ones((2, 2)))
    array([[4., 0.],
           [0., 0.]])
    """
    reject("fft2", out=out)
    return along_axes(fft, asarray(a), s, axes, norm)


@implements(np.fft.ifft2)
def ifft2(
    a: ArrayLike, s: Sizes = None, axes: Sequence[int] | None = (-2, -1), norm: Norm = None, out: None = None
) -> Any:
    """The inverse of `fft2`."""
    reject("ifft2", out=out)
    return along_axes(ifft, asarray(a), s, axes, norm)


@implements(np.fft.rfftn)
def rfftn(a: ArrayLike, s: Sizes = None, axes: Sequence[int] | None = None, norm: Norm = None, out: None = None) -> Any:
    """`rfft` along the last of the axes (all of them unless given), then `fft` along the others.

    >>> rfftn([[1.0, 2.0, 0.0], [3.0, 4.0, 0.0]]).shape
    (2, 2)
    """
    reject("rfftn", out=out)
    x = asarray(a)
    sizes, places = sizes_and_axes(x.shape, s, axes)
    x = half_spectrum(x, sizes[-1], places[-1], norm)
    return along_axes(fft, x, sizes[:-1], places[:-1], norm)


@implements(np.fft.irfftn)
def irfftn(
    a: ArrayLike, s: Sizes = None, axes: Sequence[int] | None = None, norm: Norm = None, out: None = None
) -> Any:
    """The inverse of `rfftn`: `ifft` along the axes but the last, then `irfft` along that.

    >>> irfftn(rfftn([[1.0, 2.0], [3.0, 4.0]]))
    array([[1., 2.],
           [3., 4.]])
    """
    reject("irfftn", out=out)
    x = asarray(a)
    sizes, places = sizes_and_axes(x.shape, s, axes)
    if s is None:
        sizes[-1] = 2 * (sizes[-1] - 1)
    for n, axis in zip(sizes[:-1], places[:-1], strict=True):
        x = ifft(x, n, axis, norm)
    return from_half_spectrum(x, sizes[-1], places[-1], norm)


@implements(np.fft.rfft2)
def rfft2(
    a: ArrayLike, s: Sizes = None, axes: Sequence[int] | None = (-2, -1), norm: Norm = None, out: None = None
) -> Any:
    """`rfftn` along the last two axes."""
    return rfftn(a, s, axes, norm, out)


@implements(np.fft.irfft2)
def irfft2(
    a: ArrayLike, s: Sizes = None, axes: Sequence[int] | None = (-2, -1), norm: Norm = None, out: None = None
) -> Any:
    """The inverse of `rfft2`."""
    return irfftn(a, s, axes, norm, out)


def along_axes(transform: Callable[..., Any], x: Any, s: Sizes, axes: Sequence[int] | None, norm: Norm) -> Any:
    """The transform along one axis after the other, from the last."""
    sizes, places = sizes_and_axes(x.shape, s, axes)
    for n, axis in zip(reversed(sizes), reversed(places), strict=True):
        x = transform(x, n, axis, norm)
    return x


def sizes_and_axes(shape: tuple[int, ...], s: Sizes, axes: Sequence[int] | None) -> tuple[list[Any], list[int]]:
    """A size for each axis: those given, where -1 is the array's, or all of the array's; with NumPy's warnings."""
    if axes is None:
        places = list(range(-len(shape if s is None else s), 0))
        if s is not None:
            message = "`axes` should not be `None` if `s` is not `None`: give the axes that the sizes belong to"
            warnings.warn(message, DeprecationWarning, stacklevel=4)
    else:
        places = list(axes)
    sizes = list(np.take(shape, places) if s is None and axes is not None else shape if s is None else s)
    if len(sizes) != len(places):
        raise ValueError(f"Shape and axes have different lengths: {len(sizes)} sizes for {len(places)} axes")
    if None in sizes:
        message = "`s` contains `None`: give -1 for the size of the array, or leave out `s`"
        warnings.warn(message, DeprecationWarning, stacklevel=4)
    return [shape[k] if n == -1 else n for n, k in zip(sizes, places, strict=True)], places


# --- the order of the frequencies ---


@implements(np.fft.fftshift)
def fftshift(x: ArrayLike, axes: Any = None) -> Any:
    """The entries rolled by half of the size along the axes (all of them unless given): frequency 0 in the middle.

    >>> fftshift(fftfreq(5, 1 / 5))
    array([-2., -1.,  0.,  1.,  2.])
    """
    return shifted(asarray(x), axes, lambda n: n // 2)


@implements(np.fft.ifftshift)
def ifftshift(x: ArrayLike, axes: Any = None) -> Any:
    """The inverse of `fftshift`.

    >>> ifftshift([-2.0, -1.0, 0.0, 1.0, 2.0])
    array([ 0.,  1.,  2., -2., -1.])
    """
    return shifted(asarray(x), axes, lambda n: -(n // 2))


def shifted(x: Any, axes: Any, by: Callable[[int], int]) -> Any:
    if axes is None:
        axes = tuple(range(x.ndim))
    if isinstance(axes, int | np.integer):
        axes = (axes,)
    return roll(x, [by(x.shape[k]) for k in axes], axes)
