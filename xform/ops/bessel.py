"""Modified Bessel functions of the first kind I_n of integer order n >= 0, for `numpy.i0` and its derivatives.

    I_n' = (I_(n-1) + I_(n+1)) / 2  with  I_(-n) = I_n  and  I_n(-x) = (-1)^n I_n(x)         DLMF 10.29.1, 10.27.1
    I_n(x) = (x/2)^n / n! (1 + t / (1 (n+1)) (1 + t / (2 (n+2)) (1 + ...)))  with  t = (x/2)^2  DLMF 10.25.2
    I_n(x) ~ e^x / sqrt(2 pi x) (1 - (m - 1)/(8x) (1 - (m - 9)/(2 8x) (1 - ...)))  with  m = 4 n^2  DLMF 10.40.1

The terms of the first series are positive, so that it is exact to rounding; it needs about 3/2 x of them. The second
serves beyond 40 + n^2, where 30 terms suffice. NumPy computes I_0.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from xform.core.aval import Aval
from xform.core.primitive import Zero, is_zero
from xform.ops.family import Opaque

TERMS = 30


class BesselI(Opaque):
    """I_order(x), entry by entry."""

    def abstract(self, x: Aval, *, order: int) -> list[Aval]:
        if x.dtype.kind != "f":
            raise TypeError(f"i0: {x} was given, wanted real floating-point numbers (scipy.special.iv takes complex)")
        return [x.with_shape(x.shape)]

    def numpy(self, x: Any, *, order: int) -> list[Any]:
        if order == 0:
            return [np.i0(x)[()]]
        with np.errstate(over="ignore", invalid="ignore"):
            y = bessel_i_of(order, np.abs(np.asarray(x, float)))
        return [(np.sign(x) ** order * y).astype(x.dtype)[()]]

    def jvp(self, primals: Any, tangents: Any, *, order: int) -> tuple[list[Any], list[Any]]:
        (x,), (x_dot,) = primals, tangents
        y = self(x, order=order)
        if is_zero(x_dot):
            return [y], [Zero.like(y)]
        if order == 0:
            return [y], [x_dot * self(x, order=1)]
        return [y], [x_dot * (0.5 * (self(x, order=order - 1) + self(x, order=order + 1)))]

    def batch(self, size: int, args: Any, batched: Any, *, order: int) -> list[Any]:
        return self.bind(*args, order=order)

    def sparsity(self, patterns: Any, avals: Any, *, order: int) -> list[Any]:
        return list(patterns)


bessel_i = BesselI("bessel_i")


def bessel_i_of(n: int, x: np.ndarray) -> np.ndarray:
    """I_n for x >= 0."""
    far = x > 40 + n * n
    y = np.where(far, expansion(n, np.where(far, x, np.inf)), power_series(n, np.where(far, 0, x)))
    return np.where(x == np.inf, np.inf, y)


def power_series(n: int, x: np.ndarray) -> np.ndarray:
    t, y = (x / 2) ** 2, np.ones_like(x)
    for k in range(TERMS + math.ceil(1.5 * np.max(x, initial=0.0, where=~np.isnan(x))), 0, -1):
        y = 1 + y * t / (k * (n + k))
    return y * (x / 2) ** n / math.factorial(n)


def expansion(n: int, x: np.ndarray) -> np.ndarray:
    y = np.ones_like(x)
    for k in range(TERMS, 0, -1):
        y = 1 - y * (4 * n * n - (2 * k - 1) ** 2) / (8 * k * x)
    half = np.exp(x / 2)  # the whole is infinite before I_n is
    return half * (y / np.sqrt(2 * np.pi * x)) * half
