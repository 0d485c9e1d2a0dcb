"""The values of an array at points between its entries, by splines of degree 0 to 5.

    y = sum_{i, j, ...} w_i(c_1) w_j(c_2) ... a[i, j, ...]

with order + 1 entries around along each axis, and a the spline's coefficients (the entries themselves for order 0, 1).
"""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import scipy.ndimage as reference

import xform.numpy as xnp
from xform.numpy.dispatch import ArrayLike, as_dtype, asarray, has_tracer
from xform.ops.indexing.index import gather
from xform.scipy.ndimage.boundary import check_mode, folded
from xform.scipy.ndimage.splines import check_order, coefficients, spline_weights

__all__ = ["map_coordinates"]


def map_coordinates(
    input: ArrayLike,
    coordinates: ArrayLike,
    output: Any = None,
    order: int = 3,
    mode: str = "constant",
    cval: ArrayLike = 0.0,
    prefilter: bool = True,
) -> Any:
    """The values of the array at `coordinates` (input.ndim, ...), by splines of degree `order`.

    Beyond the ends the array goes on as `mode` says, in the constant modes with `cval`. `output` may be a dtype; by
    default the result has that of `input`, and values are rounded if these are integers. It is differentiable in
    `input`, in `coordinates` and in `cval`; for order 0 the derivative in `coordinates` is zero.

    Raises RuntimeError for coordinates whose first axis is not one per axis of the array, for unknown modes and orders;
    TypeError for complex coordinates.

    >>> import xform
    >>> image = np.array([[0.0, 1.0], [4.0, 7.0]])
    >>> xform.grad(lambda c: map_coordinates(image, c, order=1)[0])(np.array([[0.5], [0.5]]))
    array([[5.],
           [2.]])
    """
    if not has_tracer((input, coordinates, cval), {}):
        return reference.map_coordinates(input, coordinates, output, order, mode, cval, prefilter)
    a, points = asarray(input), asarray(coordinates)
    check(a, points, order, mode)
    dtype = a.dtype if output is None else np.dtype(output)
    points = as_dtype(points, np.float64)
    a, width = coefficients(a, order, mode, cval) if prefilter and order > 1 else (a, 0)
    y = interpolated(a, points + width, order, mode, cval)
    return as_dtype(xnp.where(y > 0, xnp.floor(y + 0.5), xnp.ceil(y - 0.5)) if dtype.kind in "iu" else y, dtype)


def check(a: Any, points: Any, order: int, mode: str) -> None:
    """SciPy's errors."""
    check_order(order)
    check_mode(mode)
    if points.dtype.kind == "c":
        raise TypeError("map_coordinates: complex coordinates are not supported; give real ones")
    if a.ndim < 1 or points.ndim < 2:
        raise RuntimeError("map_coordinates: input and output rank must be > 0; wanted coordinates (input.ndim, ...)")
    if points.shape[0] != a.ndim:
        raise RuntimeError(
            f"map_coordinates: invalid shape {points.shape} for coordinate array; wanted ({a.ndim}, ...), "
            "a row for each axis of the input"
        )


def interpolated(a: Any, points: Any, order: int, mode: str, cval: Any) -> Any:
    """The weighted sum over the entries around, of `cval` where there are none."""
    around = [neighbours(points[k], n, order, mode) for k, n in enumerate(a.shape)]
    total: Any = 0.0
    for corner in itertools.product(*around):
        value = gather(a, *(index for index, _, _ in corner), axes=tuple(range(a.ndim)), at=0)
        inside = [mask for _, mask, _ in corner if mask is not None]
        for mask in inside:
            value = xnp.where(mask, value, cval)
        for _, _, weight in corner:
            value = value if weight is None else weight * value
        total = total + value
    if mode == "constant":
        for k, n in enumerate(a.shape):
            total = xnp.where(xnp.logical_and(points[k] >= 0, points[k] <= n - 1), total, cval)
    return xnp.where(xnp.any(xnp.isnan(points), axis=0), np.nan, total)


def neighbours(c: Any, n: int, order: int, mode: str) -> list[tuple[Any, Any, Any]]:
    """Along an axis of n entries: the number of each entry around, where it exists (None: always), its weight."""
    if mode != "nearest":  # there the coefficients of the end go on, not the value
        c = folded(c, n, mode)
    place = xnp.floor(c) if order % 2 else xnp.floor(c + 0.5)
    start = as_dtype(xnp.where(xnp.isfinite(place), xnp.clip(place, -order - 1, n + order), 0.0), np.intp) - order // 2
    weights = spline_weights(order, c - place if order % 2 else c - place + 0.5) if order else [None]
    found = []
    for j, weight in enumerate(weights):
        i = start + j
        if mode == "grid-constant":
            inside = xnp.logical_and(i >= 0, i < n)
        else:  # the constant and the wrapping spline are mirrored, as the coefficients are
            inside, i = None, folded_index(i, n, "mirror" if mode in ("constant", "wrap") else mode)
        found.append((xnp.clip(i, 0, n - 1), inside, weight))
    return found


def folded_index(i: Any, n: int, mode: str) -> Any:
    """The numbers of entries that those beyond the ends equal."""
    return as_dtype(folded(as_dtype(i, np.float64), n, mode), np.intp)
