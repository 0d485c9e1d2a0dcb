"""The interpolating cubic spline: the slopes at the points are such that the second derivative is continuous.

For inner points, with steps h and slopes m of the chords (de Boor 2001, A practical guide to splines, IV (4)):

    h_i s_{i-1} + 2 (h_{i-1} + h_i) s_i + h_{i-1} s_{i+1} = 3 (h_i m_{i-1} + h_{i-1} m_i)

Two more equations are the boundary conditions. The system is tridiagonal; periodicity borders it by a row and a column.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.interpolate as reference

import xform.numpy as xnp
from xform.core.trace import underlying
from xform.numpy.dispatch import ArrayLike, as_dtype, asarray, has_tracer
from xform.scipy.interpolate.hermite import CubicHermiteSpline, coefficients, prepare
from xform.scipy.interpolate.piecewise import Extrapolate, over_rest
from xform.scipy.linalg.banded import solve_banded

__all__ = ["CubicSpline"]


class CubicSpline(CubicHermiteSpline):
    """The twice continuously differentiable piecewise cubic through the points (x, y), along an axis of y.

    `bc_type` is "not-a-knot" (the first two pieces are one polynomial, and so the last two), "periodic", "clamped" (the
    slope is zero at the ends), "natural" (the second derivative is), or a pair, for each end one of these or
    (order, value) of a derivative. It is differentiable in the points of evaluation, in `y`, in `x` and in the values
    of the boundary conditions.

    Raises ValueError for arrays that do not fit together, for points that do not ascend, for infinite or undefined
    numbers among them, and for boundary conditions that it does not know.

    >>> import xform
    >>> x = np.array([0.0, 1.0, 2.0, 3.0])
    >>> xform.grad(lambda y: CubicSpline(x, y)(1.5))(x**2)
    array([-0.0625,  0.5625,  0.5625, -0.0625])
    """

    def __init__(
        self,
        x: ArrayLike,
        y: ArrayLike,
        axis: int = 0,
        bc_type: Any = "not-a-knot",
        extrapolate: Extrapolate = None,
    ) -> None:
        if not has_tracer((x, y, bc_type), {}):
            self.adopt(reference.CubicSpline(x, y, axis, bc_type, extrapolate))
            return
        x, y, axis = prepare("CubicSpline", x, y, axis)
        conditions = boundary(bc_type, y, axis)
        if extrapolate is None and conditions[0] == "periodic":
            extrapolate = "periodic"
        dtype = np.result_type(y.dtype, *(c[1].dtype for c in conditions if not isinstance(c, str)))
        y = as_dtype(y, dtype)
        self.set(coefficients(x, y, slopes(x, y, conditions)), x, extrapolate, axis)


def boundary(bc_type: Any, y: Any, axis: int) -> list[Any]:
    """For each end "not-a-knot", "periodic" or (order, value)."""
    if isinstance(bc_type, str):
        if bc_type == "periodic":
            check_periodic(y, axis)
        bc_type = (bc_type, bc_type)
    elif len(bc_type) != 2:
        raise ValueError("CubicSpline: `bc_type` must contain 2 elements to specify start and end conditions")
    elif any(isinstance(c, str) and c == "periodic" for c in bc_type):
        raise ValueError("CubicSpline: 'periodic' `bc_type` is defined for both curve ends; give it as one string")
    return [condition(c, y.shape[1:]) for c in bc_type]


def check_periodic(y: Any, axis: int) -> None:
    known = [underlying(end) for end in (y[0], y[-1])]
    if known[0] is not None and known[1] is not None and not np.allclose(*known, rtol=1e-15, atol=1e-15):
        raise ValueError(
            f"CubicSpline: the first and last `y` point along axis {axis} must be identical (within machine precision) "
            "when bc_type='periodic'"
        )


def condition(bc: Any, shape: tuple[int, ...]) -> Any:
    """A boundary condition; ValueError if there is no such one."""
    if isinstance(bc, str):
        if bc in ("not-a-knot", "periodic"):
            return bc
        if bc not in ("clamped", "natural"):
            raise ValueError(
                f"CubicSpline: bc_type={bc} is not allowed; wanted 'not-a-knot', 'periodic', 'clamped', 'natural' or "
                "(order, value)"
            )
        return (1 if bc == "clamped" else 2), np.zeros(shape)
    try:
        order, value = bc
    except (TypeError, ValueError):
        raise ValueError("A specified derivative value must be given in the form (order, value).") from None
    value = asarray(value)
    if order not in (1, 2):
        raise ValueError(f"The specified derivative order must be 1 or 2, not {order}")
    if value.shape != shape:
        raise ValueError(f"`deriv_value` shape {value.shape} is not the expected one {shape}.")
    return order, value


def slopes(x: Any, y: Any, conditions: list[Any]) -> Any:
    """The slopes at the points."""
    n, h = x.shape[0], xnp.diff(x)
    m = xnp.diff(y, axis=0) / over_rest(h, y.ndim)
    if n == 2:  # through two points only a line is not a choice
        conditions = [(1, m[0]) if isinstance(c, str) else c for c in conditions]
    if n == 3 and all(isinstance(c, str) and c == "not-a-knot" for c in conditions):
        return parabola(h, m)
    if n == 3 and conditions[0] == "periodic":
        h = over_rest(h, y.ndim)
        return xnp.broadcast_to(xnp.sum(m / h, axis=0) / xnp.sum(1.0 / h, axis=0), y.shape)
    if conditions[0] == "periodic":
        return periodic_slopes(h, m)
    lower, diagonal, upper, right = inner_equations(h, m)
    first = end_equation(conditions[0], h[:2], m[:2], 1.0)
    last = end_equation(conditions[1], h[:-3:-1], m[:-3:-1], -1.0)
    return tridiagonal(
        joined(lower, last[1]),
        joined(first[0], diagonal, last[0]),
        joined(first[1], upper),
        xnp.concatenate([first[2][None], right, last[2][None]]),
    )


def joined(*parts: Any) -> Any:
    """Numbers and vectors as one vector."""
    return xnp.concatenate([xnp.atleast_1d(part) for part in parts])


def tridiagonal(lower: Any, diagonal: Any, upper: Any, right: Any) -> Any:
    """The solution of a tridiagonal system for a right-hand side (n, ...)."""
    bands = xnp.stack([joined(0.0, upper), diagonal, joined(lower, 0.0)])
    n = right.shape[0]
    return xnp.reshape(solve_banded((1, 1), bands, xnp.reshape(right, (n, -1))), right.shape)


def inner_equations(h: Any, m: Any) -> tuple[Any, Any, Any, Any]:
    """Lower, main and upper diagonal and right-hand side at the inner points."""
    wide = over_rest(h, m.ndim)
    return h[1:], 2.0 * (h[:-1] + h[1:]), h[:-1], 3.0 * (wide[1:] * m[:-1] + wide[:-1] * m[1:])


def end_equation(bc: Any, h: Any, m: Any, side: float) -> tuple[Any, Any, Any]:
    """a s_0 + b s_1 = right, with the steps and chords counted from this end, `side` -1 for the last point."""
    if isinstance(bc, str):  # not-a-knot: the third derivative is continuous at the neighbour
        d = h[0] + h[1]
        return h[1], d, ((h[0] + 2.0 * d) * h[1] * m[0] + h[0] ** 2 * m[1]) / d
    order, value = bc
    if order == 1:
        return 1.0, 0.0, value + 0.0 * m[0]
    return 2.0 * h[0], h[0], 3.0 * h[0] * m[0] - 0.5 * side * value * h[0] ** 2


def parabola(h: Any, m: Any) -> Any:
    """The slopes of the parabola through three points: linear, with the chords' slopes in the middles."""
    middle = (h[0] * m[1] + h[1] * m[0]) / (h[0] + h[1])
    return xnp.stack([2.0 * m[0] - middle, middle, 2.0 * m[1] - middle])


def periodic_slopes(h: Any, m: Any) -> Any:
    """The system of all points but the last, which closes on itself: the last unknown is eliminated by bordering."""
    before, chord = xnp.roll(h, 1), xnp.roll(m, 1, axis=0)
    wide, wide_before = over_rest(h, m.ndim), over_rest(before, m.ndim)
    diagonal = 2.0 * (before + h)
    right = 3.0 * (wide * chord + wide_before * m)
    k = h.shape[0] - 1  # the number of the last unknown, z
    column = xnp.concatenate([h[:1], np.zeros(k - 2), before[k - 1 : k]])
    columns = xnp.concatenate([xnp.reshape(right[:k], (k, -1)), column[:, None]], axis=1)
    solved = tridiagonal(h[1:k], diagonal[:k], before[: k - 1], columns)
    plain, by_z = xnp.reshape(solved[:, :-1], right[:k].shape), over_rest(solved[:, -1], m.ndim)
    z = (right[k] - h[k] * plain[-1] - before[k] * plain[0]) / (diagonal[k] - h[k] * by_z[-1] - before[k] * by_z[0])
    s = plain - by_z * z
    return xnp.concatenate([s, z[None], s[:1]])
