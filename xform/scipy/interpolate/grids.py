"""Interpolation on rectilinear grids: a sum over the grid points around, with a weight that is a product over the axes.

    S(x) = sum_{i, j, ...} w_i(x_1) w_j(x_2) ... values[i, j, ...]

A method is its weights along one axis: one point for "nearest", two for "linear", k + 1 B-splines for a spline of
degree k, whose coefficients take the place of the values.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np
import scipy.interpolate as reference

import xform.numpy as xnp
from xform.core.trace import underlying
from xform.numpy.dispatch import ArrayLike, as_dtype, asarray, has_tracer
from xform.ops.indexing.index import gather
from xform.ops.sorting import searchsorted
from xform.scipy.interpolate.bsplines import BSpline, basis_at
from xform.scipy.interpolate.hermite import PchipInterpolator
from xform.scipy.interpolate.interpolating import make_interp_spline
from xform.scipy.interpolate.piecewise import over_rest
from xform.transforms.vmap import vmap

__all__ = ["RegularGridInterpolator", "interpn"]

#: the degrees of the methods that are splines
DEGREES = {"slinear": 1, "cubic": 3, "quintic": 5}

#: of a method, how many points an axis has at least
FEWEST = {"linear": 1, "nearest": 1, "slinear": 2, "cubic": 4, "quintic": 6, "pchip": 4}

#: per grid point around: its number along the axis, and its weight
Weights = list[tuple[Any, Any]]


class RegularGridInterpolator:
    """The interpolant of `values` (m1, ..., mn, ...) on the grid with the coordinates `points`, one vector per axis.

    `method` is "linear", "nearest", "slinear", "cubic", "quintic" (tensor products of splines) or "pchip". Points
    outside of the grid are a ValueError if `bounds_error`, else give `fill_value`, or are extrapolated to if that is
    None. Splines are fitted axis by axis, up to rounding error (SciPy iterates). Where the numbers of the points are
    not known (under `jit`), `bounds_error` cannot raise: such points give nan. It is differentiable in the points of
    evaluation, in `values` and in `points`.

    Raises ValueError for arrays that do not fit together, for coordinates that are not monotonic, and for unknown
    methods.

    >>> import xform
    >>> f = RegularGridInterpolator(([0.0, 1.0], [0.0, 2.0]), np.array([[0.0, 2.0], [1.0, 3.0]]))
    >>> f([0.5, 0.5]), xform.grad(lambda x: f(x)[0])(np.array([0.5, 0.5]))
    (array([1.]), array([1., 1.]))
    """

    def __init__(
        self,
        points: Sequence[ArrayLike],
        values: ArrayLike,
        method: str = "linear",
        bounds_error: bool = True,
        fill_value: Any = np.nan,
        *,
        solver: Any = None,
        solver_args: Any = None,
    ) -> None:
        self.method, self.bounds_error, self.fill_value = method, bounds_error, fill_value
        self.reference: Any = None
        if solver is not None or solver_args:
            raise ValueError("RegularGridInterpolator: splines are fitted axis by axis; leave out `solver`")
        if not has_tracer((points, values), {}):
            first = "linear" if method in DEGREES else method
            self.reference = reference.RegularGridInterpolator(points, values, first, bounds_error, fill_value)
            self.grid, self.values = self.reference.grid, self.reference.values
            self.check(method, None)
            return
        values = asarray(values)
        values = values if values.dtype.kind in "fc" else as_dtype(values, np.float64)
        check_fill(fill_value, values)
        self.grid, descending = ascending_grid([as_dtype(asarray(p), np.float64) for p in points], values.shape)
        self.values = xnp.flip(values, descending) if descending else values
        self.check(method, None)

    def check(self, method: str, nu: Any) -> None:
        if method not in FEWEST:
            raise ValueError(f"Method '{method}' is not defined; wanted one of {', '.join(FEWEST)}")
        if nu is not None and method not in DEGREES:
            raise ValueError(f"Can only compute derivatives for methods {', '.join(DEGREES)}, got {method=}.")
        for k, p in enumerate(self.grid):
            if p.shape[0] < FEWEST[method]:
                raise ValueError(
                    f"There are {p.shape[0]} points in dimension {k}, but method {method} requires at least "
                    f"{FEWEST[method]} points per dimension."
                )

    def __call__(self, xi: Any, method: str | None = None, *, nu: Sequence[int] | None = None) -> Any:
        """The values at points (..., n), or at those with a tuple of coordinates; `nu` are orders of derivatives."""
        method, n = method or self.method, len(self.grid)
        if method not in DEGREES and self.reference is not None and not has_tracer((xi,), {}):
            return self.reference(xi, method, nu=nu)
        self.check(method, nu)
        xi = coordinates(xi, n)
        outside, undefined = self.outside(xi), xnp.any(xnp.isnan(xi), axis=-1)
        if method == "pchip":
            result = self.pchip(xi)
        else:
            values, weights = self.weighted(xi, method, nu or (0,) * n)
            result = weighted_sum(values, weights)
        if self.bounds_error or self.fill_value is not None:
            fill = np.nan if self.bounds_error else self.fill_value
            result = xnp.where(over_rest(outside, result.ndim), np.asarray(fill).astype(result.dtype), result)
        return xnp.where(over_rest(undefined, result.ndim), np.array(np.nan, result.dtype), result)

    def outside(self, xi: Any) -> Any:
        """Which points lie outside; ValueError if there must not be any, and they are known."""
        outside = False
        for k, grid in enumerate(self.grid):
            beyond = xnp.logical_or(xi[..., k] < grid[0], xi[..., k] > grid[-1])
            known = underlying(beyond)
            if self.bounds_error and known is not None and known.any():
                raise ValueError(
                    f"One of the requested xi is out of bounds in dimension {k}; give bounds_error=False and a "
                    "fill_value, or None to extrapolate"
                )
            outside = xnp.logical_or(outside, beyond)
        return outside

    def weighted(self, xi: Any, method: str, nu: Sequence[int]) -> tuple[Any, list[Weights]]:
        """What the weights apply to, and the weights along each axis."""
        if method not in DEGREES:
            along = nearest_weights if method == "nearest" else linear_weights
            return self.values, [along(grid, xi[..., k]) for k, grid in enumerate(self.grid)]
        c, weights = self.values, []
        for k, grid in enumerate(self.grid):
            spline: BSpline = make_interp_spline(grid, c, DEGREES[method], axis=k).derivative(nu[k])
            c = xnp.moveaxis(spline.c, 0, k)
            first, basis = basis_at(spline.t, spline.k, xi[..., k])
            weights.append([(first + j, b) for j, b in enumerate(basis)])
        return c, weights

    def pchip(self, xi: Any) -> Any:
        """Along one axis after the other, from the last one: not linear in the values, so point by point."""

        def at(point: Any) -> Any:
            values = self.values
            for k in reversed(range(len(self.grid))):
                values = PchipInterpolator(self.grid[k], values, axis=k)(point[k])
            return values

        values = vmap(at)(xnp.reshape(xi, (-1, len(self.grid))))
        return xnp.reshape(values, (*xi.shape[:-1], *values.shape[1:]))


def interpn(
    points: Sequence[ArrayLike],
    values: ArrayLike,
    xi: Any,
    method: str = "linear",
    bounds_error: bool = True,
    fill_value: Any = np.nan,
) -> Any:
    """`RegularGridInterpolator(points, values, method, bounds_error, fill_value)(xi)`.

    "splinef2d" is for plain arrays only, use "cubic". Raises ValueError as the class does.

    >>> interpn(([0.0, 1.0, 2.0],), np.array([0.0, 1.0, 4.0]), np.array([1.5]))
    array([2.5])
    """
    if method not in DEGREES and not has_tracer((points, values, xi), {}):
        return reference.interpn(points, values, xi, method, bounds_error, fill_value)
    return RegularGridInterpolator(points, values, method, bounds_error, fill_value)(xi)


def check_fill(fill: Any, values: Any) -> None:
    if fill is not None and not np.can_cast(np.asarray(fill).dtype, values.dtype, casting="same_kind"):
        raise ValueError("fill_value must be either 'None' or of a type compatible with values")


def ascending_grid(points: Sequence[Any], shape: tuple[int, ...]) -> tuple[tuple[Any, ...], tuple[int, ...]]:
    """The coordinates in ascending order, and the axes that were descending."""
    if len(points) > len(shape):
        raise ValueError(f"There are {len(points)} point arrays, but values has {len(shape)} dimensions")
    grid, descending = [], []
    for k, p in enumerate(points):
        if p.ndim != 1 or p.shape[0] != shape[k]:
            raise ValueError(f"There are points of shape {p.shape} and {shape[k]} values in dimension {k}")
        known = underlying(p)
        steps = np.ones(1) if known is None else np.diff(known)
        if steps.size and np.all(steps < 0):
            descending.append(k)
        elif not np.all(steps > 0):
            raise ValueError(f"The points in dimension {k} must be strictly ascending or descending")
        grid.append(xnp.flip(p) if k in descending else p)
    return tuple(grid), tuple(descending)


def coordinates(xi: Any, n: int) -> Any:
    """The points of evaluation as an array (..., n)."""
    if isinstance(xi, tuple):
        xi = xi[0] if len(xi) == 1 else xnp.stack(xnp.broadcast_arrays(*map(asarray, xi)), axis=-1)
    xi = as_dtype(asarray(xi), np.float64)
    if xi.ndim == 1:
        xi = xnp.reshape(xi, (-1, n))
    if xi.ndim == 0 or xi.shape[-1] != n:
        raise ValueError(
            f"The requested sample points xi have shape {xi.shape}, but this RegularGridInterpolator has dimension "
            f"{n}; wanted (..., {n})"
        )
    return xi


def place(grid: Any, x: Any) -> tuple[Any, Any]:
    """The number of the grid point to the left, and the share of the way to the next one."""
    i = xnp.clip(searchsorted(grid, x, side="right") - 1, 0, grid.shape[0] - 2)
    left, right = gather(grid, i, axes=(0,), at=0), gather(grid, i + 1, axes=(0,), at=0)
    return i, (x - left) / (right - left)


def linear_weights(grid: Any, x: Any) -> Weights:
    if grid.shape[0] == 1:
        return [(np.zeros(x.shape, int), xnp.ones_like(x))]
    i, share = place(grid, x)
    return [(i, 1.0 - share), (i + 1, share)]


def nearest_weights(grid: Any, x: Any) -> Weights:
    if grid.shape[0] == 1:
        return [(np.zeros(x.shape, int), None)]
    i, share = place(grid, x)
    return [(xnp.where(share <= 0.5, i, i + 1), None)]


def weighted_sum(values: Any, weights: list[Weights]) -> Any:
    """The sum over all combinations of one grid point per axis; a weight of None is one."""
    total, axes = None, tuple(range(len(weights)))
    for corner in itertools.product(*weights):
        term = gather(values, *(index for index, _ in corner), axes=axes, at=0)
        factor = None
        for _, w in corner:
            factor = w if factor is None else factor if w is None else factor * w
        term = term if factor is None else over_rest(factor, term.ndim) * term
        total = term if total is None else total + term
    return total
