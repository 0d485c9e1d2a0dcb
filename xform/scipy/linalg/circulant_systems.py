"""Circulant systems, which the discrete Fourier transform makes diagonal."""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.linalg
from numpy.linalg import LinAlgError

from xform.core.trace import concrete
from xform.numpy import fft
from xform.numpy.dispatch import ArrayLike, asarray, implements
from xform.numpy.shaping import moveaxis
from xform.ops.complex import real
from xform.ops.linear_algebra.matrix import as_column, inexact
from xform.ops.reduce import reduce_max
from xform.ops.select import select
from xform.ops.structure import reshape


@implements(scipy.linalg.solve_circulant)
def solve_circulant(
    c: ArrayLike,
    b: ArrayLike,
    singular: str = "raise",
    tol: float | None = None,
    caxis: int = -1,
    baxis: int = 0,
    outaxis: int = 0,
) -> Any:
    """The solution x of C x = b for the circulant matrix C of first column c, x = ifft(fft(b) / fft(c)).

    The columns stand along `caxis` of c and `baxis` of b, the other axes broadcast, and x has its entries along
    `outaxis`. Values of |fft(c)| up to `tol`, by default n eps times the largest one, count as zero: with `singular`
    "raise" LinAlgError is raised (where values are not known, as in jit, the result is not finite), with "lstsq" the
    shortest least-squares solution is taken. Raises ValueError if the sizes differ, or for another `singular`.

    >>> import numpy as np
    >>> solve_circulant(np.array([2.0, 1.0]), np.array([4.0, 5.0])).round(12)
    array([1., 2.])
    """
    if singular not in ("raise", "lstsq"):
        raise ValueError(f"solve_circulant: singular {singular!r} was given; wanted 'raise' or 'lstsq'")
    c, b = (
        moveaxis(as_vector(x), axis, -1)
        for x, axis in zip(inexact(asarray(c), asarray(b)), (caxis, baxis), strict=True)
    )
    if c.shape[-1] != b.shape[-1]:
        raise ValueError(f"solve_circulant: c has {c.shape[-1]} entries and b {b.shape[-1]}; wanted as many")
    values = fft.fft(c)
    quotient = divided(fft.fft(b), values, np.abs(values), singular, tol)
    x = fft.ifft(quotient)
    x = real(x) if b.dtype.kind == "f" else x
    return x if outaxis == -1 else moveaxis(x, -1, outaxis)


def as_vector(x: Any) -> Any:
    return x if x.shape else reshape(x, shape=(1,))


def divided(b: Any, values: Any, sizes: Any, singular: str, tol: float | None) -> Any:
    """The spectrum of x; where that of C is zero, zero."""
    n = sizes.shape[-1]
    if tol is None:
        tol = as_column(reduce_max(sizes, axes=(len(sizes.shape) - 1,))) * (n * np.finfo(sizes.dtype).eps)
    zero = sizes <= tol
    if singular == "lstsq":
        return select(zero, 0, b / select(zero, 1, values))
    known = concrete(zero)
    if known is not None and np.any(known):
        raise LinAlgError("solve_circulant: the circulant matrix is near singular; use singular='lstsq'")
    return b / values
