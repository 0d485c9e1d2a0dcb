"""Piecewise polynomials in the power basis: S(t) = sum_m c[m, i] (t - x[i])^(k - m) for x[i] <= t < x[i + 1].

Every interpolant of this package that is a piecewise polynomial is its coefficients c, which are functions of the data,
and its breakpoints x: so S is differentiable in the point t, in the data and in the breakpoints.
"""

from __future__ import annotations

import math
from typing import Any, Literal, TypeAlias

import numpy as np
import scipy.interpolate as reference

import xform.numpy as xnp
from xform.core.trace import underlying
from xform.numpy.dispatch import ArrayLike, as_dtype, asarray, has_tracer
from xform.ops.indexing.index import gather
from xform.ops.sorting import searchsorted

__all__ = ["Extrapolate", "PPoly"]

Extrapolate: TypeAlias = bool | Literal["periodic"] | None


class PPoly:
    """A piecewise polynomial with coefficients c (k, m, ...), the highest power first, and m + 1 breakpoints x.

        S(t) = sum_m c[m, i] (t - x[i])^(k - 1 - m)        for x[i] <= t < x[i + 1], the last interval closed

    Outside of the breakpoints the first and the last polynomial go on if `extrapolate`, else S is nan; "periodic"
    continues S periodically. Where c has the pieces along another axis than its second, `axis` says which one of the
    axes of a value S(t) the points take.

    Raises ValueError for arrays that do not fit together, and for breakpoints that are not sorted.

    >>> import xform
    >>> parabolas = PPoly([[1.0, 1.0], [0.0, 0.0], [0.0, 2.0]], [0.0, 1.0, 2.0])
    >>> parabolas([0.5, 1.5]), xform.grad(parabolas)(1.5)
    (array([0.25, 2.25]), np.float64(1.0))
    """

    c: Any
    x: Any
    axis: int
    extrapolate: Any

    def __init__(self, c: ArrayLike, x: ArrayLike, extrapolate: Extrapolate = None, axis: int = 0) -> None:
        c, x = asarray(c), as_dtype(asarray(x), np.float64)
        if c.ndim < 2 or not 0 <= axis < c.ndim - 1:
            raise ValueError(f"PPoly: coefficients of shape {c.shape} have no pieces along axis {axis}; wanted (k, m)")
        if axis:
            c = xnp.moveaxis(xnp.moveaxis(c, axis + 1, 0), axis + 1, 0)
        if x.ndim != 1 or x.shape[0] < 2 or c.shape[0] == 0 or c.shape[1] != x.shape[0] - 1:
            raise ValueError(
                f"PPoly: c has shape {c.shape} and x {x.shape}; wanted (k, m, ...) with k > 0, and m + 1 breakpoints"
            )
        steps = np.diff(known) if (known := underlying(x)) is not None else np.zeros(0)
        if not (np.all(steps >= 0) or np.all(steps <= 0)):
            raise ValueError("PPoly: `x` must be sorted, in increasing or decreasing order")
        self.set(as_dtype(c, np.result_type(c.dtype, np.float64)), x, extrapolate, axis)

    def set(self, c: Any, x: Any, extrapolate: Extrapolate, axis: int) -> None:
        self.c, self.x, self.axis = c, x, axis
        self.extrapolate = True if extrapolate is None else extrapolate

    @classmethod
    def construct_fast(cls, c: Any, x: Any, extrapolate: Extrapolate = None, axis: int = 0) -> PPoly:
        """The piecewise polynomial without any checks: `c` and `x` are arrays, the pieces along the second axis of c.

        >>> PPoly.construct_fast(np.array([[3.0]]), np.array([0.0, 1.0]))(0.5)
        array(3.)
        """
        self = PPoly.__new__(PPoly)
        self.set(c, x, extrapolate, axis)
        return self

    def __call__(self, x: ArrayLike, nu: int = 0, extrapolate: Extrapolate = None) -> Any:
        """The derivative of order `nu` at the points `x`, whose axes take the place of the axis interpolated along."""
        extrapolate = self.extrapolate if extrapolate is None else extrapolate
        if not has_tracer((x, self.c, self.x), {}):
            return reference.PPoly.construct_fast(self.c, self.x, self.extrapolate, self.axis)(x, nu, extrapolate)
        if nu < 0:
            raise ValueError(f"PPoly: the order of a derivative, nu={nu}, must not be negative; use antiderivative")
        t = as_dtype(asarray(x), np.float64)
        values = evaluate(self.derivative(nu).c, self.x, t, extrapolate)
        return values_at(values, t.ndim, self.axis)

    def derivative(self, nu: int = 1) -> PPoly:
        """The piecewise polynomial that is the derivative of order `nu`; the antiderivative if that is negative.

        >>> PPoly([[1.0], [2.0], [3.0]], [0.0, 1.0]).derivative().c
        array([[2.], [2.]])
        """
        if nu < 0:
            return self.antiderivative(-nu)
        k = self.c.shape[0]
        factors = [math.perm(power, nu) for power in range(k - 1, nu - 1, -1)]
        c = along_rows(factors, self.c) * self.c[: k - nu] if factors else xnp.zeros_like(self.c[:1])
        return PPoly.construct_fast(c, self.x, self.extrapolate, self.axis)

    def antiderivative(self, nu: int = 1) -> PPoly:
        """The `nu`-fold integral from the first breakpoint on; the derivative if `nu` is negative.

        It does not continue periodically.

        >>> PPoly([[2.0, 4.0]], [0.0, 1.0, 2.0]).antiderivative().c
        array([[2., 4.], [0., 2.]])
        """
        if nu <= 0:
            return self.derivative(-nu)
        k = self.c.shape[0]
        c = self.c / along_rows(range(k, 0, -1), self.c)
        steps = over_rest(xnp.diff(self.x), c.ndim - 1)
        integrals = horner([*c, 0.0], steps)
        start = xnp.concatenate([xnp.zeros_like(integrals[:1]), xnp.cumsum(integrals[:-1], axis=0)])
        c = xnp.concatenate([c, start[None]])
        extrapolate = False if self.extrapolate == "periodic" else self.extrapolate
        return PPoly.construct_fast(c, self.x, extrapolate, self.axis).antiderivative(nu - 1)

    def integrate(self, a: ArrayLike, b: ArrayLike, extrapolate: Extrapolate = None) -> Any:
        """The definite integral from `a` to `b`, nan if a bound lies outside and S is not extrapolated.

        >>> float(PPoly([[2.0, 4.0]], [0.0, 1.0, 2.0]).integrate(0.5, 1.5))
        3.0
        """
        extrapolate = self.extrapolate if extrapolate is None else extrapolate
        if not has_tracer((a, b, self.c, self.x), {}):
            return reference.PPoly.construct_fast(self.c, self.x, self.extrapolate, self.axis).integrate(
                a, b, extrapolate
            )
        whole = self.antiderivative().c
        return self.integral(whole, b, extrapolate) - self.integral(whole, a, extrapolate)

    def integral(self, c: Any, t: ArrayLike, extrapolate: Any) -> Any:
        """The integral up to t, where c are the coefficients of the antiderivative; each period passed counts."""
        t = as_dtype(asarray(t), np.float64)
        if extrapolate != "periodic":
            return evaluate(c, self.x, t, extrapolate)
        start, end = self.x[0], self.x[-1]
        periods = xnp.floor((t - start) / (end - start))
        rest = evaluate(c, self.x, t - periods * (end - start), True)
        return rest + periods * evaluate(c, self.x, end, True)


def evaluate(c: Any, x: Any, t: Any, extrapolate: Any) -> Any:
    """S(t) of shape (*t.shape, *c.shape[2:])."""
    if extrapolate == "periodic":
        t, extrapolate = x[0] + xnp.remainder(t - x[0], x[-1] - x[0]), True
    i = interval(x, t)
    step = over_rest(t - gather(x, i, axes=(0,), at=0), c.ndim - 2 + t.ndim)
    values = horner([*gather(c, i, axes=(1,), at=1)], step)
    return masked(values, t, xnp.minimum(x[0], x[-1]), xnp.maximum(x[0], x[-1]), extrapolate)


def masked(values: Any, t: Any, start: Any, end: Any, extrapolate: Any) -> Any:
    """Values S(t), nan where t is undefined, and beyond start and end if S is not extrapolated."""
    inside = xnp.logical_not(xnp.isnan(t))
    if not extrapolate:
        inside = xnp.logical_and(inside, xnp.logical_and(t >= start, t <= end))
    known = underlying(inside)
    return values if known is not None and known.all() else xnp.where(over_rest(inside, values.ndim), values, np.nan)


def interval(x: Any, t: Any) -> Any:
    """The number i of the interval x[i] <= t < x[i + 1] of sorted breakpoints, the first or last one beyond."""
    known = underlying(x)
    if known is None or known[..., 0].max() > known[..., -1].min():
        sign = xnp.where(x[-1] >= x[0], 1.0, -1.0)
        x, t = sign * x, sign * t
    return xnp.clip(searchsorted(x, t, side="right") - 1, 0, x.shape[0] - 2)


def horner(coefficients: list[Any], step: Any) -> Any:
    """sum_m c_m step^(k - m)."""
    value, *rest = coefficients
    for c in rest:
        value = value * step + c
    return value


def values_at(values: Any, rank: int, axis: int) -> Any:
    """Values whose first `rank` axes are those of the points, with these axes at the position `axis`."""
    if not axis:
        return values
    axes = list(range(values.ndim))
    return xnp.transpose(values, (*axes[rank : rank + axis], *axes[:rank], *axes[rank + axis :]))


def along_rows(factors: Any, c: Any) -> np.ndarray:
    """Factors as an array that multiplies the rows of c."""
    return np.array(list(factors), np.float64).reshape(-1, *(1,) * (c.ndim - 1))


def over_rest(x: Any, rank: int) -> Any:
    """The array with axes of size one behind its own, so that it has `rank` axes."""
    return xnp.reshape(x, (*x.shape, *(1,) * (rank - x.ndim)))
