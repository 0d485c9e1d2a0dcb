"""The spline through given points: its coefficients solve the banded collocation equations sum_j c_j B_j(x_i) = y_i."""

from __future__ import annotations

import operator
from typing import Any

import numpy as np
import scipy.interpolate as reference

import xform.numpy as xnp
from xform.core.trace import underlying
from xform.numpy.axes import axis_index
from xform.numpy.dispatch import ArrayLike, as_dtype, asarray, has_tracer
from xform.scipy.interpolate.bsplines import BSpline, basis_at, check_knots
from xform.scipy.interpolate.hermite import check_finite as require_finite
from xform.scipy.linalg.banded import solve_banded

__all__ = ["make_interp_spline"]


def make_interp_spline(
    x: ArrayLike,
    y: ArrayLike,
    k: int = 3,
    t: ArrayLike | None = None,
    bc_type: Any = None,
    axis: int = 0,
    check_finite: bool = True,
) -> BSpline:
    """The spline of degree k through the points (x, y), along an axis of y.

    `bc_type` is None (not-a-knot, or what the knots `t` leave to choose), "clamped", "natural", or a pair, for each end
    one of these, None or a list of (order, value) of derivatives. "periodic" is for plain arrays only. It is
    differentiable in x, in y, in t and in the values of the boundary conditions.

    Raises ValueError for arrays that do not fit together, for points that do not ascend, and if the number of
    conditions is not that of coefficients; NotImplementedError for a periodic spline of traced values.

    >>> import xform
    >>> x = np.array([0.0, 1.0, 2.0, 3.0])
    >>> xform.grad(lambda y: make_interp_spline(x, y)(1.5))(x**2)
    array([-0.0625,  0.5625,  0.5625, -0.0625])
    """
    if not has_tracer((x, y, t, bc_type), {}):
        spline = reference.make_interp_spline(x, y, k, t, bc_type, axis, check_finite)
        return BSpline.construct_fast(spline.t, spline.c, spline.k, spline.extrapolate, spline.axis)
    x, y, k = as_dtype(asarray(x), np.float64), asarray(y), operator.index(k)
    axis = axis_index(axis, y.ndim)
    y = xnp.moveaxis(as_dtype(y, np.result_type(y.dtype, np.float64)), axis, 0)
    check_points(x, y, check_finite)
    left, right = ends(bc_type, y.shape[1:])
    knots = knots_of(x, k, left is not None or right is not None) if t is None else as_dtype(asarray(t), np.float64)
    c = collocate(x, y, knots, k, left or [], right or [])
    return BSpline.construct_fast(knots, c, k, True, axis)


def check_points(x: Any, y: Any, finite: bool) -> None:
    """ValueError if points and values do not fit."""
    if x.ndim != 1 or x.shape[0] != y.shape[0]:
        raise ValueError(
            f"make_interp_spline: shapes of x {x.shape} and y {y.shape} are incompatible; wanted a vector "
            "of points and as many values along the axis of y"
        )
    known = underlying(x)
    if known is not None and np.any(np.diff(known) <= 0):
        raise ValueError("make_interp_spline: expect x to be a strictly increasing sequence without duplicates")
    if finite:
        require_finite("make_interp_spline", x=x, y=y)


def ends(bc_type: Any, shape: tuple[int, ...]) -> tuple[Any, Any]:
    """For both ends a list of (order, value), or None."""
    if bc_type is None or (isinstance(bc_type, str) and bc_type == "not-a-knot"):
        return None, None
    if isinstance(bc_type, str) and bc_type == "periodic":
        raise NotImplementedError(
            "make_interp_spline: bc_type='periodic' is not differentiable; use CubicSpline(x, y, bc_type='periodic'), "
            "or give knots and values that continue beyond the period"
        )
    try:
        first, last = (bc_type, bc_type) if isinstance(bc_type, str) else bc_type
    except (TypeError, ValueError):
        raise ValueError(f"make_interp_spline: unknown boundary condition: {bc_type}") from None
    return derivatives(first, shape), derivatives(last, shape)


def derivatives(bc: Any, shape: tuple[int, ...]) -> Any:
    """One end's conditions."""
    if bc is None:
        return None
    if isinstance(bc, str):
        if bc not in ("clamped", "natural"):
            raise ValueError(f"make_interp_spline: unknown boundary condition: {bc}; wanted 'clamped' or 'natural'")
        return [(1 if bc == "clamped" else 2, np.zeros(shape))]
    try:
        return [(operator.index(order), asarray(value)) for order, value in bc]
    except TypeError:
        raise ValueError(
            "make_interp_spline: `bc_type` should be a pair of iterables of pairs of (order, value)"
        ) from None


def knots_of(x: Any, k: int, conditions: bool) -> Any:
    """The knots: the points, without those that are not to be knots where there are no conditions at the ends."""
    first, last = [xnp.repeat(end, k if conditions else k + 1) for end in (x[:1], x[-1:])]
    if k == 0:
        return xnp.concatenate([x, x[-1:]])
    if conditions or k == 1:
        return xnp.concatenate([first[:k], x, last[:k]])
    inner = x if k % 2 else 0.5 * (x[1:] + x[:-1])
    skipped = (k + 1) // 2
    return xnp.concatenate([first, inner[skipped : inner.shape[0] - skipped], last])


def collocate(x: Any, y: Any, t: Any, k: int, left: list[Any], right: list[Any]) -> Any:
    """The coefficients of the spline with the values y at x, and the derivatives at the ends."""
    n, shape = check_knots("make_interp_spline", t, k), y.shape[1:]
    if n != x.shape[0] + len(left) + len(right):
        raise ValueError(
            f"make_interp_spline: the number of derivatives at boundaries does not match: expected {n - x.shape[0]}, "
            f"got {len(left)}+{len(right)}"
        )
    if not all(0 <= order <= k for order, _ in (*left, *right)):
        raise ValueError(f"make_interp_spline: derivatives of order 0 to {k} have a value at the ends of the spline")
    known = underlying(x), underlying(t)
    if known[0] is not None and known[1] is not None and outside(*known, k):
        raise ValueError("make_interp_spline: the points are out of bounds of the knots t[k] to t[-k-1]")
    first, basis = basis_at(t, k, x)
    rows, columns, entries = [], [], []
    for j, b in enumerate(basis):
        rows.append(len(left) + np.arange(x.shape[0]))
        columns.append(first + j)
        entries.append(b)
    places = [(r, x[0], order) for r, (order, _) in enumerate(left)]
    places += [(n - len(right) + r, x[-1], order) for r, (order, _) in enumerate(right)]
    unit = BSpline.construct_fast(t, np.eye(n), k)
    for row, end, order in places:
        start, count = (0, k + 1) if row < len(left) else (n - k - 1, k + 1)
        rows.append(np.full(count, row))
        columns.append(start + np.arange(count))
        entries.append(unit.derivative(order).evaluate(end, True)[start : start + count])
    row, column = np.concatenate(rows), xnp.concatenate(columns)
    bands = xnp.at(np.zeros((2 * k + 1, n)))[k + row - column, column].add(xnp.concatenate(entries))
    given = (
        [xnp.broadcast_to(value, shape)[None] for _, value in left],
        [xnp.broadcast_to(v, shape)[None] for _, v in right],
    )
    values = xnp.concatenate([*given[0], y, *given[1]])
    return xnp.reshape(solve_banded((k, k), bands, xnp.reshape(values, (n, -1))), (n, *shape))


def outside(x: np.ndarray, t: np.ndarray, k: int) -> bool:
    return bool((x[..., 0] < t[..., k]).any() or (x[..., -1] > t[..., t.shape[-1] - k - 1]).any())
