"""SciPy's older interface to one-dimensional interpolation, which names the kind of interpolant."""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.interpolate as reference

import xform.numpy as xnp
from xform.core.trace import underlying
from xform.numpy.dispatch import ArrayLike, as_dtype, asarray, has_tracer
from xform.ops.indexing.index import gather
from xform.ops.sorting import argsort, searchsorted
from xform.scipy.interpolate.interpolating import make_interp_spline
from xform.scipy.interpolate.piecewise import over_rest, values_at

__all__ = ["interp1d"]

#: the degrees of the kinds that are splines
DEGREES = {"zero": 0, "slinear": 1, "quadratic": 2, "cubic": 3}


class interp1d:  # SciPy's name
    """The interpolant of a kind through the points (x, y), along an axis of y.

    `kind` is "linear", "nearest" (halfway: the left one), "nearest-up", "previous", "next", or a spline: "zero",
    "slinear", "quadratic", "cubic" or its degree. Points outside are a ValueError if `bounds_error` (by default, unless
    a `fill_value` other than nan is "extrapolate"), else give `fill_value`, a pair being for below and above. Where
    the numbers of the points are not known (under `jit`), `bounds_error` cannot raise: such points give nan. It is
    differentiable in the points of evaluation, in y and in x.

    Raises ValueError for arrays that do not fit together, NotImplementedError for unknown kinds.

    >>> import xform
    >>> f = interp1d([0.0, 1.0, 3.0], [0.0, 2.0, 3.0])
    >>> float(f(2.0)), xform.grad(f)(2.0)
    (2.5, np.float64(0.5))
    """

    def __init__(
        self,
        x: ArrayLike,
        y: ArrayLike,
        kind: Any = "linear",
        axis: int = -1,
        copy: bool = True,
        bounds_error: bool | None = None,
        fill_value: Any = np.nan,
        assume_sorted: bool = False,
    ) -> None:
        self.reference: Any = None
        if not has_tracer((x, y, fill_value), {}):
            self.reference = reference.interp1d(x, y, kind, axis, copy, bounds_error, fill_value, assume_sorted)
        x, y = asarray(x), asarray(y)
        if x.ndim != 1 or not y.ndim or y.shape[axis] != x.shape[0]:
            raise ValueError(
                f"interp1d: x has shape {x.shape} and y {y.shape}; x and y arrays must be equal in length along the "
                f"interpolation axis {axis}"
            )
        self.axis = axis % y.ndim
        y = xnp.moveaxis(y if y.dtype.kind in "fc" else as_dtype(y, np.float64), self.axis, 0)
        if not assume_sorted:
            order = argsort(x, axis=0, stable=True)
            x, y = gather(x, order, axes=(0,), at=0), gather(y, order, axes=(0,), at=0)
        self.x, self.y, self.kind = as_dtype(x, np.float64), y, kind
        self.extrapolates = isinstance(fill_value, str) and fill_value == "extrapolate"
        if self.extrapolates and bounds_error:
            raise ValueError("Cannot extrapolate and raise at the same time.")
        self.bounds_error = not self.extrapolates if bounds_error is None else bounds_error
        self.below, self.above = self.fills(fill_value)
        self.interpolant = self.function(kind)

    def fills(self, fill_value: Any) -> tuple[Any, Any]:
        """What stands below and above; None where the interpolant goes on."""
        if self.bounds_error:
            return np.nan, np.nan
        if self.extrapolates:
            return {"previous": (np.nan, None), "next": (None, np.nan)}.get(self.kind, (None, None))
        return fill_value if isinstance(fill_value, tuple) and len(fill_value) == 2 else (fill_value, fill_value)

    def function(self, kind: Any) -> Any:
        """The function of a vector of points."""
        kinds = {
            "linear": self.linear,
            "nearest": lambda t: self.nearest(t, "left"),
            "nearest-up": lambda t: self.nearest(t, "right"),
            "previous": lambda t: self.at(searchsorted(self.x, t, side="right") - 1),
            "next": lambda t: self.at(searchsorted(self.x, t, side="left")),
        }
        if not isinstance(kind, int) and kind not in kinds and kind not in DEGREES:
            raise NotImplementedError(
                f"{kind} is unsupported; wanted one of {', '.join([*kinds, *DEGREES])}, or a degree"
            )
        if kind in kinds:
            return kinds[kind]
        degree = DEGREES[kind] if isinstance(kind, str) else kind
        if self.x.shape[0] <= degree:
            raise ValueError(f"x and y arrays must have at least {degree + 1} entries; {self.x.shape[0]} were given")
        return make_interp_spline(self.x, self.y, degree)

    def __call__(self, x: ArrayLike) -> Any:
        """The values at the points `x`, whose axes take the place of the axis interpolated along."""
        if self.reference is not None and not has_tracer((x,), {}):
            return self.reference(x)
        t = as_dtype(asarray(x), np.float64)
        below, above = t < self.x[0], t > self.x[-1]
        for outside, where in ((below, "below"), (above, "above")):
            known = underlying(outside)
            if self.bounds_error and known is not None and known.any():
                raise ValueError(
                    f"A value in x_new is {where} the interpolation range; give bounds_error=False and a fill_value, "
                    "or fill_value='extrapolate'"
                )
        values = xnp.reshape(self.interpolant(xnp.ravel(t)), (*t.shape, *self.y.shape[1:]))
        for outside, fill in ((below, self.below), (above, self.above)):
            if fill is not None:
                values = xnp.where(over_rest(outside, values.ndim), self.filling(fill), values)
        return values_at(values, t.ndim, self.axis)

    def filling(self, fill: Any) -> Any:
        """A fill value, given for the shape of y without the axis (or with a one there), for the axes behind."""
        fill = as_dtype(asarray(fill), self.y.dtype)
        with_one = fill.ndim == self.y.ndim and fill.ndim > 0 and fill.shape[self.axis] == 1
        return xnp.squeeze(fill, self.axis) if with_one else fill

    def at(self, i: Any) -> Any:
        """The values at the points of these numbers, of the end points beyond."""
        return gather(self.y, xnp.clip(i, 0, self.x.shape[0] - 1), axes=(0,), at=0)

    def nearest(self, t: Any, side: str) -> Any:
        halfway = self.x[1:] / 2.0 + self.x[:-1] / 2.0
        return self.at(searchsorted(halfway, t, side=side))

    def linear(self, t: Any) -> Any:
        """Through the points on both sides of t, at a point through it and the one before."""
        right = xnp.clip(searchsorted(self.x, t, side="left"), 1, self.x.shape[0] - 1)
        x0, x1 = gather(self.x, right - 1, axes=(0,), at=0), gather(self.x, right, axes=(0,), at=0)
        y0, y1 = self.at(right - 1), self.at(right)
        return y0 + over_rest((t - x0) / (x1 - x0), y0.ndim) * (y1 - y0)
