"""Cumulative operations, y_i = y_{i-1} o x_i along an axis, or in `reverse` y_i = y_{i+1} o x_i.

Their tangents obey y_dot_i = a_i y_dot_{i-1} + b_i x_dot_i with a and b the partial derivatives of the operation o:
a linear recurrence. For the product that is a = x, b_i = y_{i-1}, which no zero among the factors disturbs.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from xform.core.aval import Aval
from xform.core.primitive import Primitive, Zero, is_zero
from xform.ops.family import Linear, Opaque
from xform.ops.recurrence import accumulate, check_axes, recur, shift
from xform.ops.structure import convert
from xform.ops.transcendental import sigmoid_of_difference


class Cumulative(Primitive):
    """ufunc.accumulate, in the dtype of the operand."""

    def __init__(self, name: str, ufunc: np.ufunc) -> None:
        super().__init__(name)
        self.ufunc = ufunc

    def abstract(self, x: Aval, *, axis: int, reverse: bool) -> list[Aval]:
        check_axes(self.name, x, (axis,))
        return [Aval(x.shape, x.dtype)]

    def numpy(self, x: Any, *, axis: int, reverse: bool) -> list[Any]:
        return [accumulate(self.ufunc, x, axis, reverse)]

    def batch(self, size: int, args: Any, batched: Any, *, axis: int, reverse: bool) -> list[Any]:
        return self.bind(*args, axis=axis + 1, reverse=reverse)

    def sparsity(self, patterns: Any, avals: Any, *, axis: int, reverse: bool) -> list[Any]:
        return [None if p is None else accumulate(np.logical_or, p, axis + 1, reverse) for p in patterns]


class Cumsum(Cumulative, Linear):
    """y_i = x_0 + ... + x_i."""

    def transpose(self, cotangents: Any, x: Any, *, axis: int, reverse: bool) -> list[Any]:
        return [self(cotangents[0], axis=axis, reverse=not reverse)]


class Nonlinear(Cumulative, Opaque):
    """A member says what a and b x_dot are in the recurrence y_dot_i = a_i y_dot_{i-1} + b_i x_dot_i."""

    def jvp(self, primals: Any, tangents: Any, *, axis: int, reverse: bool) -> tuple[list[Any], list[Any]]:
        (x,), (x_dot,) = primals, tangents
        y = self(x, axis=axis, reverse=reverse)
        return [y], [Zero.like(y) if is_zero(x_dot) else self.tangent(x, x_dot, y, axis, reverse)]

    def tangent(self, x: Any, x_dot: Any, y: Any, axis: int, reverse: bool) -> Any:
        raise NotImplementedError


class Cumprod(Nonlinear):
    """y_i = x_0 ... x_i."""

    def tangent(self, x: Any, x_dot: Any, y: Any, axis: int, reverse: bool) -> Any:
        return recur(x, x_dot * shift(y, axis, reverse, fill=1), axis, reverse)


class CumulativeExtreme(Nonlinear):
    """y_i = max or min of x_0, ..., x_i; ties share the derivative evenly, as in `reduce_max` of the entries up to i.

    On a stretch of equal y the tangent is the mean of the x_dot_j so far at which x_j is that y: both its sum and its
    count are recurrences with a = 1 on the stretch, and a = 0 where a new one begins.
    """

    def __init__(self, name: str, ufunc: np.ufunc, loses: np.ufunc) -> None:
        super().__init__(name, ufunc)
        self.loses = loses

    def tangent(self, x: Any, x_dot: Any, y: Any, axis: int, reverse: bool) -> Any:
        same = convert(np.equal(y, shift(y, axis, reverse)), dtype=x.dtype)
        attains = convert(np.logical_not(self.loses(x, y)), dtype=x.dtype)
        share = 1 / recur(same, attains, axis, reverse)
        return recur(same, attains * x_dot, axis, reverse) * share


class Cumlogsumexp(Nonlinear):
    """y_i = log(e^{x_0} + ... + e^{x_i}), which is log(e^{y_{i-1}} + e^{x_i})."""

    def abstract(self, x: Aval, *, axis: int, reverse: bool) -> list[Aval]:
        if x.dtype.kind != "f":
            raise TypeError(f"{self.name}: {x} was given, wanted real floating-point numbers; convert it first")
        return super().abstract(x, axis=axis, reverse=reverse)

    def tangent(self, x: Any, x_dot: Any, y: Any, axis: int, reverse: bool) -> Any:
        before = shift(y, axis, reverse, fill=-np.inf)
        with np.errstate(invalid="ignore"):  # of infinity - infinity
            a, b = sigmoid_of_difference(y, before, x), sigmoid_of_difference(y, x, before)
        return recur(a, b * x_dot, axis, reverse)


def product_of_others(x: Any, axis: int) -> Any:
    """For each i the product of the x_j, j != i, along an axis: what is before it times what is after it."""
    before = shift(cumprod(x, axis=axis, reverse=False), axis, fill=1)
    after = shift(cumprod(x, axis=axis, reverse=True), axis, back=True, fill=1)
    return before * after


cumsum = Cumsum("cumsum", np.add)
cumprod = Cumprod("cumprod", np.multiply)
cummax = CumulativeExtreme("cummax", np.maximum, np.less)
cummin = CumulativeExtreme("cummin", np.minimum, np.greater)
cumlogsumexp = Cumlogsumexp("cumlogsumexp", np.logaddexp)
