"""Cubic pieces from values and slopes at the breakpoints, and the rules that choose slopes from the values.

Between breakpoints h apart, with values y0, y1 and slopes s0, s1, the cubic is
S(x0 + t) = y0 + s0 t + ((d - s0)/h - e) t^2 + (e/h) t^3, where d = (y1 - y0)/h and e = (s0 + s1 - 2 d)/h.
"""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import scipy.interpolate as reference

import xform.numpy as xnp
from xform.core.trace import underlying
from xform.numpy.dispatch import ArrayLike, as_dtype, asarray, has_tracer
from xform.scipy.interpolate.piecewise import Extrapolate, PPoly, over_rest

__all__ = [
    "Akima1DInterpolator",
    "CubicHermiteSpline",
    "PchipInterpolator",
    "pchip_interpolate",
]


class CubicHermiteSpline(PPoly):
    """The piecewise cubic with given values y and slopes dy/dx at the points x, along an axis of y.

    It is differentiable in the points of evaluation, in `y`, in `dydx` and in `x`.

    Raises ValueError for arrays that do not fit together, for points that do not ascend and for infinite or undefined
    numbers among them.

    >>> import xform
    >>> spline = CubicHermiteSpline([0.0, 1.0], [0.0, 1.0], [0.0, 0.0])
    >>> float(spline(0.5)), xform.grad(spline)(0.5)
    (0.5, np.float64(1.5))
    """

    def __init__(
        self, x: ArrayLike, y: ArrayLike, dydx: ArrayLike, axis: int = 0, extrapolate: Extrapolate = None
    ) -> None:
        if not has_tracer((x, y, dydx), {}):
            self.adopt(reference.CubicHermiteSpline(x, y, dydx, axis, extrapolate))
            return
        y, dydx = asarray(y), asarray(dydx)
        if y.shape != dydx.shape:
            raise ValueError(f"The shapes of `y` and `dydx` must be identical; {y.shape} and {dydx.shape} were given")
        x, y, axis = prepare("CubicHermiteSpline", x, y, axis)
        slopes = xnp.moveaxis(as_dtype(dydx, np.result_type(dydx.dtype, np.float64)), axis, 0)
        check_finite("CubicHermiteSpline", dydx=slopes)
        self.set(coefficients(x, y, slopes), x, extrapolate, axis)

    def adopt(self, spline: Any) -> None:
        """The coefficients that SciPy has computed."""
        self.set(spline.c, spline.x, spline.extrapolate, spline.axis)


class PchipInterpolator(CubicHermiteSpline):
    """The piecewise cubic that is monotonic where the values are, and has a continuous derivative.

    The slope at an inner point is the weighted harmonic mean of those of the chords beside it, or zero if they differ
    in sign (Fritsch and Butland 1984, A method for constructing local monotone piecewise cubic interpolants). It is
    differentiable in the points of evaluation, in `y` and in `x`; where a chord is level, the derivative is that of the
    slope zero.

    Raises ValueError as `CubicHermiteSpline`, and for complex values.

    >>> import xform
    >>> x = np.array([0.0, 1.0, 2.0])
    >>> xform.grad(lambda y: PchipInterpolator(x, y)(0.5))(np.array([0.0, 1.0, 4.0]))
    array([ 0.640625,  0.375   , -0.015625])
    """

    def __init__(self, x: ArrayLike, y: ArrayLike, axis: int = 0, extrapolate: Extrapolate = None) -> None:
        if not has_tracer((x, y), {}):
            self.adopt(reference.PchipInterpolator(x, y, axis, extrapolate))
            return
        x, y, axis = prepare("PchipInterpolator", x, y, axis, real=True)
        self.set(coefficients(x, y, monotone_slopes(x, y)), x, extrapolate, axis)


class Akima1DInterpolator(CubicHermiteSpline):
    """The piecewise cubic whose slopes look at the four chords around a point, so that outliers stay local.

    The slope is (|m3 - m2| m1 + |m1 - m0| m2) / (|m3 - m2| + |m1 - m0|) with the slopes m0, ..., m3 of the chords
    (Akima 1970, A new method of interpolation and smooth curve fitting based on local procedures), and with
    |m3 - m2| + |m3 + m2|/2 for |m3 - m2| and so on if `method` is "makima". It is differentiable in the points of
    evaluation, in `y` and in `x`. By default it is nan outside of the points.

    Raises ValueError as `CubicHermiteSpline`, and for complex values; NotImplementedError for another method.

    >>> float(Akima1DInterpolator([0.0, 1.0, 2.0, 3.0], [0.0, 1.0, 4.0, 9.0])(1.5))
    2.25
    """

    def __init__(
        self,
        x: ArrayLike,
        y: ArrayLike,
        axis: int = 0,
        *,
        method: Literal["akima", "makima"] = "akima",
        extrapolate: Any = None,
    ) -> None:
        if not has_tracer((x, y), {}):
            beyond = {} if extrapolate is None else {"extrapolate": extrapolate}  # which older releases do not know
            self.adopt(reference.Akima1DInterpolator(x, y, axis, method=method, **beyond))
            return
        if method not in ("akima", "makima"):
            raise NotImplementedError(f"Akima1DInterpolator: method={method!r} was given; wanted 'akima' or 'makima'")
        x, y, axis = prepare("Akima1DInterpolator", x, y, axis, real=True)
        slopes = akima_slopes(x, y, method == "makima")
        self.set(coefficients(x, y, slopes), x, False if extrapolate is None else extrapolate, axis)


def pchip_interpolate(xi: ArrayLike, yi: ArrayLike, x: ArrayLike, der: Any = 0, axis: int = 0) -> Any:
    """`PchipInterpolator(xi, yi, axis)` at x, or its derivatives of the order `der`, of each one if that is a list.

    >>> float(pchip_interpolate([0.0, 1.0, 2.0], [0.0, 1.0, 4.0], 0.5))
    0.3125
    """
    spline = PchipInterpolator(xi, yi, axis=axis)
    return [spline(x, nu) for nu in der] if np.iterable(der) else spline(x, int(der))


def prepare(name: str, x: ArrayLike, y: ArrayLike, axis: int, real: bool = False) -> tuple[Any, Any, int]:
    """Points and values in double precision, the values along their first axis; ValueError if they do not fit."""
    x, y = asarray(x), asarray(y)
    if x.dtype.kind == "c":
        raise ValueError(f"{name}: `x` must contain real values, not {x.dtype}")
    if real and y.dtype.kind == "c":
        raise ValueError(f"{name} only works with real values for `y`; interpolate real and imaginary part separately")
    axis %= max(y.ndim, 1)
    if x.ndim != 1 or x.shape[0] < 2 or y.ndim == 0 or x.shape[0] != y.shape[axis]:
        raise ValueError(
            f"{name}: x has shape {x.shape} and y {y.shape}; wanted a vector of at least 2 points, "
            f"and as many values along axis {axis} of y"
        )
    x, y = as_dtype(x, np.float64), as_dtype(y, np.result_type(y.dtype, np.float64))
    check_finite(name, x=x, y=y)
    steps = np.diff(known) if (known := underlying(x)) is not None else np.ones(1)
    if np.any(steps <= 0):
        raise ValueError(f"{name}: `x` must be strictly increasing sequence; sort the points and drop repeated ones")
    return x, xnp.moveaxis(y, axis, 0), axis


def check_finite(name: str, **arrays: Any) -> None:
    """ValueError for infinite or undefined numbers, as far as they are known."""
    for what, array in arrays.items():
        known = underlying(array)
        if known is not None and not np.isfinite(known).all():
            raise ValueError(f"{name}: `{what}` must contain only finite values")


def coefficients(x: Any, y: Any, slopes: Any) -> Any:
    """The coefficients (4, m, ...) of the cubics with values y and slopes at the points x."""
    h = over_rest(xnp.diff(x), y.ndim)
    chords = xnp.diff(y, axis=0) / h
    e = (slopes[:-1] + slopes[1:] - 2.0 * chords) / h
    return xnp.stack(xnp.broadcast_arrays(e / h, (chords - slopes[:-1]) / h - e, slopes[:-1], y[:-1]))


def monotone_slopes(x: Any, y: Any) -> Any:
    """1/s = (w1/m0 + w2/m1) / (w1 + w2), w1 = 2 h1 + h0, w2 = h1 + 2 h0, where the chords m0, m1 are of one sign."""
    h = over_rest(xnp.diff(x), y.ndim)
    m = xnp.diff(y, axis=0) / h
    if y.shape[0] == 2:
        return xnp.concatenate([m, m])
    h0, h1, m0, m1 = h[:-1], h[1:], m[:-1], m[1:]
    w1, w2 = 2.0 * h1 + h0, h1 + 2.0 * h0
    monotone = xnp.logical_and(xnp.sign(m0) == xnp.sign(m1), m0 != 0.0)
    m0, m1 = xnp.where(monotone, m0, 1.0), xnp.where(monotone, m1, 1.0)
    inner = xnp.where(monotone, (w1 + w2) / (w1 / m0 + w2 / m1), 0.0)
    return xnp.concatenate(
        [end_slope(h[0], h[1], m[0], m[1])[None], inner, end_slope(h[-1], h[-2], m[-1], m[-2])[None]]
    )


def end_slope(h0: Any, h1: Any, m0: Any, m1: Any) -> Any:
    """The slope of the parabola through three points at the first one, limited so that the shape is preserved."""
    s = ((2.0 * h0 + h1) * m0 - h0 * m1) / (h0 + h1)
    steep = xnp.logical_and(xnp.sign(m0) != xnp.sign(m1), xnp.abs(s) > 3.0 * xnp.abs(m0))
    return xnp.where(xnp.sign(s) != xnp.sign(m0), 0.0, xnp.where(steep, 3.0 * m0, s))


def akima_slopes(x: Any, y: Any, modified: bool) -> Any:
    """The means of neighbouring chords, weighted by how much the chords turn on the other side."""
    h = over_rest(xnp.diff(x), y.ndim)
    m = xnp.diff(y, axis=0) / h
    if y.shape[0] == 2:
        return xnp.concatenate([m, m])
    # two chords more at each end, as if the second differences went on
    left, right = 2.0 * m[0] - m[1], 2.0 * m[-1] - m[-2]
    first, last = 2.0 * left - m[0], 2.0 * right - m[-1]
    m = xnp.concatenate([first[None], left[None], m, right[None], last[None]])
    turn = xnp.abs(xnp.diff(m, axis=0))
    if modified:
        turn = turn + 0.5 * xnp.abs(m[1:] + m[:-1])
    after, before = turn[2:], turn[:-2]
    weight = after + before
    # straight on both sides: the weights are both zero up to rounding
    defined = weight > 1e-9 * xnp.max(weight, initial=-np.inf)
    share = before / xnp.where(defined, weight, 1.0)
    return xnp.where(defined, m[1:-2] + share * (m[2:-1] - m[1:-2]), 0.5 * (m[3:] + m[:-3]))
