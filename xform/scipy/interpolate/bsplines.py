"""Splines as sums of B-splines, S(x) = sum_j c_j B_{j,k}(x), and the spline through given points.

On t[i] <= x < t[i + 1] only the k + 1 B-splines i - k, ..., i are not zero. They come from those of degree 0 by

    B_{j,d}(x) = (x - t[j]) / (t[j+d] - t[j]) B_{j,d-1}(x) + (t[j+d+1] - x) / (t[j+d+1] - t[j+1]) B_{j+1,d-1}(x),

of which all denominators are at least t[i + 1] - t[i] (de Boor 2001, A practical guide to splines, IX-X).
"""

from __future__ import annotations

import operator
from typing import Any

import numpy as np
import scipy.interpolate as reference

import xform.numpy as xnp
from xform.core.trace import underlying
from xform.numpy.dispatch import ArrayLike, as_dtype, asarray, has_tracer
from xform.ops.indexing.index import gather
from xform.ops.sorting import searchsorted
from xform.scipy.interpolate.piecewise import Extrapolate, masked, over_rest, values_at

__all__ = ["BSpline"]


class BSpline:
    """The spline of degree k with knots t (n + k + 1,) and coefficients c (n, ...), S(x) = sum_j c_j B_{j,k}(x).

    It is given on t[k] <= x <= t[n]. Beyond them the first and the last polynomial go on if `extrapolate`, else S is
    nan; "periodic" continues S periodically. `axis` is the axis of c along which the coefficients lie. It is
    differentiable in x, in c and in t.

    Raises ValueError for arrays that do not fit together, and for knots that are not sorted.

    >>> import xform
    >>> hat = BSpline([0.0, 0.0, 1.0, 2.0, 2.0], [0.0, 1.0, 0.0], 1)
    >>> float(hat(1.75)), xform.grad(hat)(1.75)
    (0.25, np.float64(-1.0))
    """

    t: Any
    c: Any
    k: int
    axis: int
    extrapolate: Any

    def __init__(self, t: ArrayLike, c: ArrayLike, k: int, extrapolate: Any = True, axis: int = 0) -> None:
        k = operator.index(k)
        if not has_tracer((t, c), {}):
            spline = reference.BSpline(t, c, k, extrapolate, axis)
            self.set(spline.t, spline.c, k, spline.extrapolate, spline.axis)
            return
        t, c = as_dtype(asarray(t), np.float64), asarray(c)
        if c.ndim == 0 or not -c.ndim <= axis < c.ndim:
            raise ValueError(f"BSpline: coefficients of shape {c.shape} have no axis {axis}")
        axis %= c.ndim
        c = xnp.moveaxis(as_dtype(c, np.result_type(c.dtype, np.float64)), axis, 0)
        n = check_knots("BSpline", t, k)
        if c.shape[0] < n:
            raise ValueError(
                f"BSpline: knots, coefficients and degree are inconsistent: {n} coefficients are wanted, "
                f"{c.shape[0]} were given"
            )
        self.set(t, c, k, extrapolate, axis)

    def set(self, t: Any, c: Any, k: int, extrapolate: Any, axis: int) -> None:
        self.t, self.c, self.k, self.extrapolate, self.axis = t, c, k, extrapolate, axis

    @classmethod
    def construct_fast(cls, t: Any, c: Any, k: int, extrapolate: Extrapolate = True, axis: int = 0) -> BSpline:
        """The spline without any checks: `t` and `c` are arrays, the coefficients along the first axis of c."""
        self = cls.__new__(cls)
        self.set(t, c, k, extrapolate, axis)
        return self

    @property
    def tck(self) -> tuple[Any, Any, int]:
        """Knots, coefficients and degree."""
        return self.t, self.c, self.k

    def reference(self) -> Any:
        """SciPy's spline."""
        return reference.BSpline.construct_fast(self.t, self.c, self.k, self.extrapolate, self.axis)

    def __call__(self, x: ArrayLike, nu: int = 0, extrapolate: Extrapolate = None) -> Any:
        """The derivative of order `nu` at the points `x`, whose axes take the place of the axis of the coefficients."""
        extrapolate = self.extrapolate if extrapolate is None else extrapolate
        if not has_tracer((x, self.t, self.c), {}):
            return self.reference()(x, nu, extrapolate)
        if nu < 0:
            raise ValueError(f"BSpline: the order of a derivative, nu={nu}, must not be negative; use antiderivative")
        x = as_dtype(asarray(x), np.float64)
        return values_at(self.derivative(nu).evaluate(x, extrapolate), x.ndim, self.axis)

    def evaluate(self, x: Any, extrapolate: Any) -> Any:
        """S(x) of shape (*x.shape, *c.shape[1:])."""
        n = self.t.shape[0] - self.k - 1
        start, end = self.t[self.k], self.t[n]
        if extrapolate == "periodic":
            x, extrapolate = start + xnp.remainder(x - start, end - start), True
        first, basis = basis_at(self.t, self.k, x)
        value = 0.0
        for j, b in enumerate(basis):
            c = gather(self.c, first + j, axes=(0,), at=0)
            value = value + over_rest(b, c.ndim) * c
        return masked(value, x, start, end, extrapolate)

    def derivative(self, nu: int = 1) -> BSpline:
        """The spline that is the derivative of order `nu`, with coefficients k (c_j - c_(j-1)) / (t_(j+k) - t_j).

        Where knots coincide so that B_(j,k-1) is no function, the coefficient is zero.

        >>> BSpline([0.0, 0.0, 2.0, 3.0, 3.0], [1.0, 3.0, 4.0], 1).derivative().c
        array([1., 1.])
        """
        if nu <= 0:
            return self if nu == 0 else self.antiderivative(-nu)
        c = self.c[: self.t.shape[0] - self.k - 1]
        if self.k == 0:
            return BSpline.construct_fast(self.t, xnp.zeros_like(c), 0, self.extrapolate, self.axis)
        k, n = self.k, c.shape[0]
        width = over_rest(self.t[k + 1 : k + n] - self.t[1:n], c.ndim)
        some = width > 0.0
        c = xnp.where(some, k * xnp.diff(c, axis=0) / xnp.where(some, width, 1.0), 0.0)
        return BSpline.construct_fast(self.t[1:-1], c, k - 1, self.extrapolate, self.axis).derivative(nu - 1)

    def antiderivative(self, nu: int = 1) -> BSpline:
        """The `nu`-fold integral, whose coefficients are the sums of c_i (t_(i+k+1) - t_i) / (k + 1).

        It does not continue periodically.

        >>> BSpline([0.0, 0.0, 1.0, 1.0], [1.0, 3.0], 1).antiderivative().c
        array([0. , 0.5, 2. ])
        """
        if nu <= 0:
            return self.derivative(-nu)
        k, t = self.k, self.t
        c = self.c[: t.shape[0] - k - 1]
        width = over_rest(t[k + 1 :] - t[: c.shape[0]], c.ndim)
        sums = xnp.cumsum(c * width / (k + 1), axis=0)
        c, t = xnp.concatenate([xnp.zeros_like(sums[:1]), sums]), xnp.concatenate([t[:1], t, t[-1:]])
        extrapolate = False if self.extrapolate == "periodic" else self.extrapolate
        return BSpline.construct_fast(t, c, k + 1, extrapolate, self.axis).antiderivative(nu - 1)

    def integrate(self, a: ArrayLike, b: ArrayLike, extrapolate: Extrapolate = None) -> Any:
        """The definite integral from `a` to `b`, of zero where S is neither given nor extrapolated.

        >>> float(BSpline([0.0, 0.0, 1.0, 1.0], [1.0, 3.0], 1).integrate(0.0, 1.0))
        2.0
        """
        extrapolate = self.extrapolate if extrapolate is None else extrapolate
        if self.k and not has_tracer((a, b, self.t, self.c), {}):  # SciPy is wrong at the end of piecewise constants
            return self.reference().integrate(a, b, extrapolate)
        whole, (a, b) = self.antiderivative(), (as_dtype(asarray(x), np.float64) for x in (a, b))
        if self.k == 0 and extrapolate != "periodic" and extrapolate:  # its last constant may have an empty interval
            return whole.integral(b, False) - whole.integral(a, False) + self.beyond(b) - self.beyond(a)
        return whole.integral(b, extrapolate) - whole.integral(a, extrapolate)

    def beyond(self, x: Any) -> Any:
        """The integral of a piecewise constant from its nearer end to x, if x lies outside."""
        start, end = self.t[0], self.t[-1]
        values = self.evaluate(xnp.stack([start, end]), True)
        return xnp.minimum(x - start, 0.0) * values[0] + xnp.maximum(x - end, 0.0) * values[1]

    def integral(self, x: Any, extrapolate: Any) -> Any:
        """Of an antiderivative, the value at x: of the periodic continuation, or of that by zero, of its derivative."""
        start, end = self.t[self.k], self.t[self.t.shape[0] - self.k - 1]
        if extrapolate != "periodic":
            return self.evaluate(x if extrapolate else xnp.clip(x, start, end), True)
        periods = xnp.floor((x - start) / (end - start))
        rest = self.evaluate(x - periods * (end - start), True)
        return rest + periods * (self.evaluate(end, True) - self.evaluate(start, True))


def check_knots(name: str, t: Any, k: int) -> int:
    """The number of coefficients for the knots; ValueError if they are not sorted, or too few."""
    n = t.shape[0] - k - 1 if t.ndim == 1 else 0
    if k < 0 or t.ndim != 1 or n < k + 1:
        raise ValueError(
            f"{name}: knots of shape {t.shape} and the degree {k} were given; wanted 2 k + 2 knots or more"
        )
    known = underlying(t)
    if known is not None and (np.any(np.diff(known) < 0) or not np.isfinite(known).all()):
        raise ValueError(f"{name}: knots must be in a non-decreasing order, and finite")
    return n


def basis_at(t: Any, k: int, x: Any) -> tuple[Any, list[Any]]:
    """At points x the number of the first B-spline that is not zero, and the values of k + 1 of them from there on."""
    n = t.shape[0] - k - 1
    # the last interval that is not empty, whose knots are all different
    last = xnp.maximum(searchsorted(t, t[n], side="left") - 1, k) if k else n - 1
    i = xnp.clip(searchsorted(t, x, side="right") - 1, k, last)
    knots = [gather(t, i + d, axes=(0,), at=0) for d in range(1 - k, k + 1)]
    left, right = [x - knot for knot in knots[:k][::-1]], [knot - x for knot in knots[k:]]
    basis: list[Any] = [xnp.ones_like(x)]
    for d in range(k):
        # B_(j,d+1) = (x - t[j]) w_j + (t[j+d+2] - x) w_(j+1), with w_j = B_(j,d) / (t[j+d+1] - t[j])
        w = [b / (right[r] + left[d - r]) for r, b in enumerate(basis)]
        up, down = [left[d - r] * v for r, v in enumerate(w)], [right[r] * v for r, v in enumerate(w)]
        basis = [down[0], *(a + b for a, b in zip(up, down[1:], strict=False)), up[-1]]
    return i - k, basis
