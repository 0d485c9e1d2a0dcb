"""The first-order linear recurrence b_i = a_i b_{i-1} + c_i, which the derivatives of cumulative operations obey.

In matrices it solves (1 - A S) b = c, where A = diag(a) and S shifts by one place. The transposed system
(1 - S^T A) b = c is the recurrence b_i = a_{i+1} b_{i+1} + c_i, which runs backwards with the same coefficients. So the
transpose of the one is the other, and since d(1 - A S) = -dA S both derivative and Taylor series are the solution with
another right-hand side. Nothing is divided, and the steps are taken in order: zeros, and products that would overflow
if they were reassociated, come out right.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from xform.core.aval import Aval
from xform.core.errors import NonlinearError
from xform.core.primitive import Linear as Unknown
from xform.core.primitive import Zero, is_zero
from xform.core.series import Series
from xform.ops.family import Opaque, total, union_pattern
from xform.ops.structure import batch_operand, concatenate, slice_

#: up to so many lanes, Python's numbers in a list are faster than NumPy's calls, one pair for each step
FEW_LANES = 16


class Recurrence(Opaque):
    """b_i = a_i b_{i-1} + c_i from b_{-1} = 0 along `axis`, or transposed b_i = a_{i+1} b_{i+1} + c_i from b_n = 0.

    The first coefficient, a_0, plays no part. `a` and `c` have one shape and one dtype.
    """

    def abstract(self, a: Aval, c: Aval, *, axis: int, transposed: bool) -> list[Aval]:
        if a != c:
            raise TypeError(f"{self.name}: coefficients {a} and terms {c} were given, wanted one shape and dtype")
        check_axes(self.name, c, (axis,))
        return [Aval(c.shape, c.dtype)]

    def numpy(self, a: Any, c: Any, *, axis: int, transposed: bool) -> list[Any]:
        a, c = np.moveaxis(a, axis, 0), np.moveaxis(c, axis, 0)
        way = slice(None, None, -1 if transposed else 1)
        b = steps(a[1:][way], c[way])
        return [np.moveaxis(b[way], 0, axis)]

    def jvp(self, primals: Any, tangents: Any, *, axis: int, transposed: bool) -> tuple[list[Any], list[Any]]:
        (a, c), (a_dot, c_dot) = primals, tangents
        b = self(a, c, axis=axis, transposed=transposed)
        c_dot = total([c_dot, couple(a_dot, b, axis, transposed)])
        return [b], [c_dot if is_zero(c_dot) else self(a, c_dot, axis=axis, transposed=transposed)]

    def transpose(self, cotangents: Any, a: Any, c: Any, *, axis: int, transposed: bool) -> list[Any]:
        if type(a) is Unknown:
            raise NonlinearError(
                f"'{self.name}' is linear in its terms, but not in its coefficients; "
                "linear_transpose wants a linear function (differentiate other functions with vjp)"
            )
        return [None, self(a, cotangents[0], axis=axis, transposed=not transposed)]

    def batch(self, size: int, args: Any, batched: Any, *, axis: int, transposed: bool) -> list[Any]:
        a, c = (batch_operand(size, x, b) for x, b in zip(args, batched, strict=True))
        return self.bind(a, c, axis=axis + 1, transposed=transposed)

    def jet(self, series: Any, apply: Any, *, axis: int, transposed: bool) -> list[Any]:
        """(1 - A[0] S) b[k] = c[k] + sum_{m>0} A[m] S b[k - m]."""
        a, c = series

        def term(k: int) -> Any:
            known = total([c[k], *(couple(a[m], b[k - m], axis, transposed) for m in range(1, k + 1))])
            return known if is_zero(known) else self(a[0], known, axis=axis, transposed=transposed)

        b = Series(term)
        return [b]

    def sparsity(self, patterns: Any, avals: Any, *, axis: int, transposed: bool) -> list[Any]:
        (union,) = union_pattern(patterns, avals[1].shape)
        return [None if union is None else accumulate(np.logical_or, union, axis + 1, reverse=transposed)]


recurrence = Recurrence("linear_recurrence")


def recur(a: Any, c: Any, axis: int, reverse: bool) -> Any:
    """b_i = a_i b_{i-1} + c_i, or in reverse b_i = a_i b_{i+1} + c_i."""
    return recurrence(shift(a, axis) if reverse else a, c, axis=axis, transposed=reverse)


def couple(a: Any, b: Any, axis: int, transposed: bool) -> Any:
    """A S b, or transposed S^T A b; a symbolic zero if either is one."""
    if is_zero(a) or is_zero(b):
        return b if is_zero(b) else Zero.like(b)
    return shift(a * b, axis, back=True) if transposed else a * shift(b, axis)


def shift(x: Any, axis: int, back: bool = False, fill: float = 0) -> Any:
    """y_i = x_{i-1}, or y_i = x_{i+1} for `back`; `fill` comes in at the end that becomes free."""
    n = x.shape[axis]
    if n == 0:
        return x
    kept = slice_(x, index=tuple((int(back), n - 1, 1) if k == axis else (0, m, 1) for k, m in enumerate(x.shape)))
    new = np.full((*x.shape[:axis], 1, *x.shape[axis + 1 :]), fill, x.dtype)
    return concatenate(kept, new, axis=axis) if back else concatenate(new, kept, axis=axis)


def accumulate(ufunc: np.ufunc, x: np.ndarray, axis: int, reverse: bool) -> np.ndarray:
    """ufunc.accumulate in the dtype of `x`, from either end."""
    if not reverse:
        return ufunc.accumulate(x, axis=axis, dtype=x.dtype)
    way = (*(slice(None),) * axis, slice(None, None, -1))
    return ufunc.accumulate(x[way], axis=axis, dtype=x.dtype)[way]


def check_axes(name: str, x: Aval, axes: tuple[int, ...]) -> None:
    """Raise NumPy's AxisError for an axis that `x` does not have, and ValueError for one given twice."""
    for axis in axes:
        if not 0 <= axis < x.ndim:
            raise np.exceptions.AxisError(
                f"{name}: axis {axis} was given, out of bounds for an array of dimension {x.ndim}, of shape {x.shape}"
            )
    if len(set(axes)) < len(axes):
        raise ValueError(f"{name}: duplicate axis in {axes}; name each axis once")


def steps(a: np.ndarray, c: np.ndarray) -> np.ndarray:
    """b_0 = c_0, b_{i+1} = a_i b_i + c_{i+1} along axis 0."""
    lanes = math.prod(c.shape[1:])
    if len(c) < 2 or lanes == 0:
        return np.array(c)
    solve = solve_lanes if lanes <= FEW_LANES else solve_rows
    return solve(a.reshape(-1, lanes), c.reshape(-1, lanes)).reshape(c.shape)


def solve_rows(a: np.ndarray, c: np.ndarray) -> np.ndarray:
    """All lanes at once, step by step."""
    b = np.array(c)
    for factor, row, following in zip(a, b[:-1], b[1:], strict=True):
        np.add(following, factor * row, out=following)
    return b


def solve_lanes(a: np.ndarray, c: np.ndarray) -> np.ndarray:
    """All steps of one lane after another."""
    out = []
    for (b, *terms), factors in zip(c.T.tolist(), a.T.tolist(), strict=True):
        out.append([b] + [b := factor * b + term for factor, term in zip(factors, terms, strict=True)])
    return np.array(out, c.dtype).T
