"""Discrete Fourier transforms, X_k = f sum_j x_j e^{-2 pi i jk/n}, along an axis; the factor f is what `norm` says.

    fft     of complex (or real) numbers, in both directions: the matrix is symmetric, so it is its own transpose
    rfft    of n real numbers: X_k for k = 0, ..., n // 2, of which the others are the conjugates
    irfft   of those n // 2 + 1 numbers, the n real ones; the transpose of rfft up to conjugates and weights

Half a spectrum stands for all of it: an entry other than X_0 (and X_{n/2} for an even n) stands for itself and for the
conjugate of another. So irfft is c -> f Re sum_k w_k c_k e^{2 pi i jk/n} with weights w = 1, 2, ..., 2, (1), and its
transpose takes the real y_bar to w conj(rfft(y_bar)); that of rfft takes X_bar to irfft(conj(X_bar) / w).
"""

from __future__ import annotations

import functools
from typing import Any, Literal, TypeAlias

import numpy as np

from xform.core.aval import Aval, aval_of
from xform.ops.contraction.contract import cast
from xform.ops.family import Linear

Norm: TypeAlias = Literal["backward", "ortho", "forward"]

#: the norm with the same factor in the other direction: 1, n^(-1/2) or 1/n
OPPOSITE: dict[Norm, Norm] = {"backward": "forward", "ortho": "ortho", "forward": "backward"}


class Fourier(Linear):
    """What the transforms have in common: each entry along the axis depends on all of them."""

    def batch(self, size: int, args: Any, batched: Any, *, axis: int, **params: Any) -> list[Any]:
        return self.bind(*args, axis=axis + 1, **params)

    def sparsity(self, patterns: Any, avals: Any, *, axis: int, **params: Any) -> list[Any]:
        (p,), (out,) = patterns, self.abstract(*map(aval_of, avals), axis=axis, **params)
        return [None if p is None else np.broadcast_to(p.any(axis=axis + 1, keepdims=True), (len(p), *out.shape))]


class FFT(Fourier):
    """The whole spectrum; with `inverse` the sum is of x_j e^{+2 pi i jk/n}."""

    def abstract(self, x: Aval, *, axis: int, inverse: bool, norm: Norm) -> list[Aval]:
        require_points(self.name, x, axis, x.shape[axis])
        return [x.with_dtype(spectral_dtype(x.dtype))]

    def numpy(self, x: Any, *, axis: int, inverse: bool, norm: Norm) -> list[Any]:
        return [(np.fft.ifft if inverse else np.fft.fft)(x, axis=axis, norm=norm)]

    def transpose(self, cotangents: Any, x: Any, **params: Any) -> list[Any]:
        return [cast(self(cotangents[0], **params), x.aval)]


class RFFT(Fourier):
    """Half of the spectrum of real numbers."""

    def abstract(self, x: Aval, *, axis: int, norm: Norm) -> list[Aval]:
        n = x.shape[axis]
        require_points(self.name, x, axis, n)
        require_real(x)
        return [Aval(resized(x.shape, axis, n // 2 + 1), spectral_dtype(x.dtype))]

    def numpy(self, x: Any, *, axis: int, norm: Norm) -> list[Any]:
        return [np.fft.rfft(x, axis=axis, norm=norm)]

    def transpose(self, cotangents: Any, x: Any, *, axis: int, norm: Norm) -> list[Any]:
        n = x.shape[axis]
        half = np.conjugate(cotangents[0]) / weights(cotangents[0], axis, n)
        return [cast(irfft(half, axis=axis, points=n, norm=OPPOSITE[norm]), x.aval)]


class IRFFT(Fourier):
    """The real numbers, as many as `points`, of which half of the spectrum is given."""

    def abstract(self, x: Aval, *, axis: int, points: int, norm: Norm) -> list[Aval]:
        require_points(self.name, x, axis, points)
        if x.shape[axis] != points // 2 + 1:
            raise ValueError(f"irfft: {x} was given, wanted {points // 2 + 1} entries along axis {axis} for {points=}")
        return [Aval(resized(x.shape, axis, points), real_dtype(x.dtype))]

    def numpy(self, x: Any, *, axis: int, points: int, norm: Norm) -> list[Any]:
        return [np.fft.irfft(x, points, axis=axis, norm=norm)]

    def transpose(self, cotangents: Any, x: Any, *, axis: int, points: int, norm: Norm) -> list[Any]:
        half = np.conjugate(rfft(cotangents[0], axis=axis, norm=OPPOSITE[norm]))
        return [cast(half * weights(half, axis, points), x.aval)]


fft = FFT("fft")
rfft = RFFT("rfft")
irfft = IRFFT("irfft")


def weights(half: Any, axis: int, points: int) -> np.ndarray:
    """How many entries of the whole spectrum each entry of the half stands for, along the axis of the half."""
    return multiplicities(points, len(half.shape) - 1 - axis, real_dtype(half.dtype))


@functools.lru_cache(maxsize=64)
def multiplicities(points: int, axes_behind: int, dtype: np.dtype) -> np.ndarray:
    k = np.arange(points // 2 + 1)
    w = np.where((k == 0) | (2 * k == points), 1, 2).astype(dtype).reshape(-1, *(1,) * axes_behind)
    w.flags.writeable = False
    return w


def spectral_dtype(dtype: np.dtype) -> np.dtype:
    """The dtype of a spectrum: complex, of the same precision."""
    return np.result_type(dtype, 1j)


def real_dtype(dtype: np.dtype) -> np.dtype:
    """The dtype of real numbers of the same precision."""
    return np.finfo(dtype).dtype if dtype.kind == "c" else np.result_type(dtype, 1.0)


def resized(shape: tuple[int, ...], axis: int, n: int) -> tuple[int, ...]:
    return (*shape[:axis], n, *shape[axis + 1:])


def require_points(name: str, x: Any, axis: int, n: int) -> None:
    if n < 1:
        raise ValueError(
            f"Invalid number of FFT data points ({n}) specified: {name} along axis {axis} of an array of shape "
            f"{tuple(x.shape)}; wanted one at least"
        )


def require_real(x: Any) -> None:
    if x.dtype.kind == "c":
        raise TypeError(
            f"rfft: an array of {aval_of(x)} was given, wanted real numbers; use fft for complex ones, or take x.real"
        )
