"""numpy.i0, a modified Bessel function, and the window of Kaiser that is made of it."""

from __future__ import annotations

from typing import Any

import numpy as np

from xform.core.trace import Tracer
from xform.numpy.dispatch import ArrayLike, as_dtype, asarray, implements
from xform.ops.bessel import bessel_i


@implements(np.i0)
def i0(x: ArrayLike) -> Any:
    """I_0(x) = 1 + (x/2)^2 / 1!^2 + (x/2)^4 / 2!^2 + ..., whose derivative is I_1(x).

    Raises TypeError for complex numbers.

    >>> import xform
    >>> xform.grad(i0)(1.0).round(12)
    np.float64(0.565159103992)
    """
    x = asarray(x)
    if x.dtype.kind == "c":
        raise TypeError(f"i0 not supported for complex values; {x.dtype} was given, which scipy.special.iv takes")
    return bessel_i(x if x.dtype.kind == "f" else as_dtype(x, np.float64), order=0)


def kaiser(M: int, beta: ArrayLike) -> Any:
    """The window I_0(beta sqrt(1 - (2 n / (M - 1) - 1)^2)) / I_0(beta) for n = 0, ..., M - 1, whose beta may be traced.

    Raises ValueError unless beta is a number.

    >>> import xform
    >>> xform.jvp(lambda beta: kaiser(3, beta), (2.0,), (1.0,))[1].round(6)
    array([-0.306097,  0.      , -0.306097])
    """
    if not isinstance(beta, Tracer):
        return np.kaiser(M, beta)
    if beta.shape:
        raise ValueError(f"kaiser: beta of shape {beta.shape} was given, wanted a number; use vmap for several windows")
    if M == 1:
        return np.ones(1)
    n, alpha = np.arange(0.0, M), (M - 1) / 2
    beta = as_dtype(beta, np.float64)
    return i0(beta * np.sqrt(1 - ((n - alpha) / alpha) ** 2)) / i0(beta)
