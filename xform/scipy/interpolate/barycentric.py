"""The polynomial through given points, of which it has the degree, in the barycentric form without its divisions.

    p(x) = sum_j w_j l_j(x) y_j / sum_j w_j l_j(x),        l_j(x) = prod_{m != j} (x - x_m)

(Berrut and Trefethen 2004, Barycentric Lagrange interpolation, divides by x - x_j; the products are smooth at the
points as well, so that all derivatives exist there.)
"""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.interpolate as reference

import xform.numpy as xnp
from xform.numpy.axes import axis_index
from xform.numpy.dispatch import ArrayLike, as_dtype, asarray, has_tracer
from xform.scipy.interpolate.piecewise import over_rest, values_at
from xform.transforms.jvp import jvp

__all__ = ["BarycentricInterpolator", "barycentric_interpolate"]


class BarycentricInterpolator:
    """The polynomial of degree n - 1 through n points (xi, yi), along an axis of yi; `wi` are the weights if known.

    The points need no order. It is differentiable in the points of evaluation, in `yi` and in `xi`, and takes O(n^2)
    operations per point.

    Raises ValueError for arrays that do not fit together, and if it is called before it has values.

    >>> import xform
    >>> p = BarycentricInterpolator([0.0, 1.0, 2.0], [0.0, 1.0, 4.0])
    >>> float(p(2.0)), xform.grad(p)(2.0)
    (4.0, np.float64(4.0))
    """

    def __init__(
        self, xi: ArrayLike, yi: ArrayLike | None = None, axis: int = 0, *, wi: ArrayLike | None = None
    ) -> None:
        self.xi = as_dtype(asarray(xi), np.float64)
        if self.xi.ndim != 1:
            raise ValueError(f"BarycentricInterpolator: xi has shape {self.xi.shape}; wanted a vector of points")
        self.wi = weights(self.xi) if wi is None else as_dtype(asarray(wi), np.float64)
        self.yi: Any = None
        self.set_yi(yi, axis)

    def set_yi(self, yi: ArrayLike | None, axis: int = 0) -> None:
        """Other values at the same points.

        >>> p = BarycentricInterpolator([0.0, 1.0])
        >>> p.set_yi([3.0, 5.0])
        >>> float(p(2.0))
        7.0
        """
        if yi is None:
            self.yi, self.axis = None, axis
            return
        y = asarray(yi)
        self.axis = axis_index(axis, y.ndim)
        if y.shape[self.axis] != self.xi.shape[0]:
            raise ValueError(
                f"x and y arrays must be equal in length along interpolation axis: {self.xi.shape[0]} and "
                f"{y.shape[self.axis]} were given"
            )
        self.yi = xnp.moveaxis(as_dtype(y, np.result_type(y.dtype, np.float64)), self.axis, 0)

    def __call__(self, x: ArrayLike) -> Any:
        """The values at the points `x`, whose axes take the place of the axis interpolated along."""
        if self.yi is None:
            raise ValueError("No y values supplied; give yi, or call set_yi")
        if not has_tracer((x, self.xi, self.yi, self.wi), {}):
            y = np.moveaxis(self.yi, 0, self.axis)
            return reference.BarycentricInterpolator(self.xi, y, self.axis, wi=self.wi)(x)
        x = as_dtype(asarray(x), np.float64)
        n = self.xi.shape[0]
        differences = scale(self.xi) * (x[..., None] - self.xi)
        products = xnp.prod(xnp.where(np.eye(n, dtype=bool), 1.0, differences[..., None, :]), axis=-1)
        terms = self.wi * products
        values = xnp.tensordot(terms, self.yi, 1)
        return values_at(values / over_rest(xnp.sum(terms, axis=-1), values.ndim), x.ndim, self.axis)

    def derivative(self, x: ArrayLike, der: int = 1) -> Any:
        """The derivative of order `der` at the points `x`.

        >>> float(BarycentricInterpolator([0.0, 1.0, 2.0], [0.0, 1.0, 4.0]).derivative(1.0, 2))
        2.0
        """
        x = as_dtype(asarray(x), np.float64)
        f: Any = self
        for _ in range(der):
            f = along(f)
        return f(x)

    def derivatives(self, x: ArrayLike, der: int | None = None) -> Any:
        """The derivatives of the orders 0 to der - 1, by default as many as there are points, along a first axis.

        >>> BarycentricInterpolator([0.0, 1.0, 2.0], [0.0, 1.0, 4.0]).derivatives(1.0)
        array([1., 2., 2.])
        """
        return xnp.stack([self.derivative(x, k) for k in range(self.xi.shape[0] if der is None else der)])


def along(f: Any) -> Any:
    """The derivative of a function of numbers that is applied to arrays."""
    return lambda x: jvp(f, (x,), (np.ones(x.shape),))[1]


def scale(xi: Any) -> Any:
    """With it the products over many points neither overflow nor underflow: four over the length of the interval."""
    length = xnp.max(xi) - xnp.min(xi)
    return 4.0 / xnp.where(length > 0.0, length, 4.0)


def weights(xi: Any) -> Any:
    """w_j = 1 / prod_{m != j} (x_j - x_m), up to a common factor."""
    differences = scale(xi) * (xi[:, None] - xi)
    return 1.0 / xnp.prod(xnp.where(np.eye(xi.shape[0], dtype=bool), 1.0, differences), axis=-1)


def barycentric_interpolate(xi: ArrayLike, yi: ArrayLike, x: ArrayLike, axis: int = 0, *, der: Any = 0) -> Any:
    """`BarycentricInterpolator(xi, yi, axis)` at x, or its derivatives of the order `der`, of each one if it is a list.

    >>> float(barycentric_interpolate([0.0, 1.0, 2.0], [0.0, 1.0, 4.0], 2.0))
    4.0
    """
    p = BarycentricInterpolator(xi, yi, axis)
    return xnp.stack([p.derivative(x, k) for k in der]) if np.iterable(der) else p.derivative(x, der)
