"""NumPy's functions that choose between arrays, or between formulas, entry by entry."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from xform.core.aval import shape_of
from xform.core.trace import NO_PARAMS, context
from xform.numpy.dispatch import IMPLEMENTATIONS, ArrayLike, as_dtype, asarray, implements
from xform.ops.indexing.index import gather
from xform.ops.operators import PLAIN
from xform.ops.select import select as choose
from xform.ops.sorting import argsort, searchsorted
from xform.ops.structure import reshape

_SCALARS = (int, float, complex)


def operand(x: Any) -> Any:
    """Python's numbers stay weak."""
    return x if type(x) in PLAIN or type(x) in _SCALARS else asarray(x)


@implements(np.where)
def where(condition: ArrayLike, x: Any = None, y: Any = None, /) -> Any:
    """x where the condition is true, else y; no derivative passes through what is not chosen.

    With the condition alone, the indices of the entries that are not zero, one array for each axis (`nonzero`).

    >>> import xform
    >>> xform.grad(lambda x: where(x > 0, np.sqrt(x), 0.0).sum())(np.array([4.0, 0.0]))
    array([0.25, 0.  ])
    """
    if x is None and y is None:
        return IMPLEMENTATIONS[np.nonzero](asarray(condition))
    if x is None or y is None:
        raise ValueError("either both or neither of x and y should be given")
    return context.trace.process(choose, (operand(condition), operand(x), operand(y)), NO_PARAMS)[0]


@implements(np.select)
def select(condlist: Sequence[ArrayLike], choicelist: Sequence[ArrayLike], default: ArrayLike = 0) -> Any:
    """Of each entry the choice whose condition is the first to be true, else the default.

    Raises ValueError if there are not as many choices as conditions, or none; TypeError for conditions that are not
    booleans.

    >>> import xform
    >>> xform.grad(lambda x: select([x < 0, x < 1], [-x, x**2], 1.0).sum())(np.array([-3.0, 0.5, 2.0]))
    array([-1.,  1.,  0.])
    """
    if len(condlist) != len(choicelist):
        raise ValueError(
            f"list of cases must be same length as list of conditions; {len(choicelist)} and {len(condlist)} were given"
        )
    if not len(condlist):
        raise ValueError("select with an empty condition list is not possible")
    conditions = [asarray(c) for c in condlist]
    for k, c in enumerate(conditions):
        if c.dtype.kind != "b":
            raise TypeError(f"invalid entry {k} in condlist: should be boolean ndarray; {c.dtype} was given")
    choices = [x if type(x) in _SCALARS else asarray(x) for x in (*choicelist, default)]
    dtype = np.result_type(*(x if type(x) in _SCALARS else x.dtype for x in choices))
    *choices, result = [as_dtype(asarray(x), dtype) for x in choices]
    for c, x in zip(conditions[::-1], choices[::-1], strict=True):
        result = choose(c, x, result)
    return result


@implements(np.piecewise)
def piecewise(x: ArrayLike, condlist: Any, funclist: Sequence[Any], *args: Any, **kw: Any) -> Any:
    """Of each entry the function whose condition is the last to be true; one function more is for all other entries.

    Functions may be numbers. On traced values each is applied to all entries, then the results are chosen. The result
    has the dtype of `x`.

    >>> import xform
    >>> xform.grad(lambda x: piecewise(x, [x < 0], [np.negative, np.square]).sum())(np.array([-3.0, 2.0]))
    array([-1.,  4.])
    """
    x = asarray(x)
    conditions = condition_list(x, condlist)
    count, wanted = len(conditions), len(funclist)
    if count == wanted - 1:
        any_of = conditions[0]
        for c in conditions[1:]:
            any_of = np.logical_or(any_of, c)
        conditions.append(np.logical_not(any_of))
    elif count != wanted:
        raise ValueError(f"with {count} condition(s), either {count} or {count + 1} functions are expected")
    y = np.zeros(x.shape, x.dtype)
    for c, f in zip((over_leading_axes(c, x.shape) for c in conditions), funclist, strict=True):
        value = f(x, *args, **kw) if callable(f) else f
        y = choose(c, as_dtype(asarray(value), x.dtype), y)
    return y


def condition_list(x: Any, condlist: Any) -> list[Any]:
    """The conditions as boolean arrays; one that stands alone is a list of one."""
    if not shape_of(condlist) and not isinstance(condlist, list | tuple):
        return [as_dtype(asarray(condlist), bool)]
    alone = not isinstance(condlist[0], list | tuple) and not shape_of(condlist[0]) and x.ndim
    return [as_dtype(asarray(c), bool) for c in ([condlist] if alone else condlist)]


def over_leading_axes(c: Any, shape: tuple[int, ...]) -> Any:
    """A mask of the leading axes as one of all of them; IndexError if it does not fit."""
    if c.shape != shape[: len(c.shape)]:
        raise IndexError(f"boolean index of shape {c.shape} did not match the indexed array of shape {shape}")
    return reshape(c, shape=(*c.shape, *(1,) * (len(shape) - len(c.shape))))


@implements(np.interp)
def interp(
    x: ArrayLike,
    xp: ArrayLike,
    fp: ArrayLike,
    left: complex | None = None,
    right: complex | None = None,
    period: float | None = None,
) -> Any:
    """The piecewise linear function through the points (xp, fp) at x, `left` and `right` (the end values) beyond them.

    y = fp[i] + (fp[i+1] - fp[i]) / (xp[i+1] - xp[i]) (x - xp[i])        for xp[i] <= x < xp[i+1]

    It is differentiable in all three; at a point the derivative in x is that of the piece to its right. `xp` must
    ascend, unless there is a `period`.

    Raises ValueError for points that are not two vectors of one size, or none, and for a period of zero.

    >>> import xform
    >>> xform.grad(lambda x: interp(x, [0.0, 1.0, 3.0], [0.0, 2.0, 3.0]))(2.0)
    np.float64(0.5)
    """
    x, xp, fp = asarray(x), asarray(xp), asarray(fp)
    if xp.ndim != 1 or fp.ndim != 1:
        raise ValueError(f"Data points must be 1-D sequences; xp and fp of shapes {xp.shape} and {fp.shape} were given")
    if xp.shape != fp.shape:
        raise ValueError(f"fp and xp are not of the same length; {fp.size} and {xp.size} were given")
    if not xp.size:
        raise ValueError("array of sample points is empty; wanted one point at least")
    if "c" in (x.dtype.kind, xp.dtype.kind):
        raise TypeError(f"interp: x and xp of dtypes {x.dtype} and {xp.dtype} were given, wanted real numbers")
    x, xp = as_dtype(x, np.float64), as_dtype(xp, np.float64)
    fp = as_dtype(fp, np.complex128 if fp.dtype.kind == "c" else np.float64)
    if period is not None:
        x, xp, fp = periodic(x, xp, fp, period)
        left = right = None
    return interpolated(x, xp, fp, left, right)


def periodic(x: Any, xp: Any, fp: Any, period: Any) -> tuple[Any, Any, Any]:
    """Everything in one period, sorted, with a point more on either side."""
    if period == 0:
        raise ValueError("period must be a non-zero value")
    period = np.abs(period)
    x, xp = np.remainder(x, period), np.remainder(xp, period)
    order = argsort(xp, axis=0, stable=False)
    xp, fp = taken(xp, order), taken(fp, order)
    join = IMPLEMENTATIONS[np.concatenate]
    return x, join([xp[-1:] - period, xp, xp[:1] + period]), join([fp[-1:], fp, fp[:1]])


def taken(x: Any, i: Any) -> Any:
    return gather(x, i, axes=(0,), at=0)


def interpolated(x: Any, xp: Any, fp: Any, left: Any, right: Any) -> Any:
    n = xp.shape[0]
    first, last = fp[0], fp[n - 1]
    if n > 1:
        i = np.clip(searchsorted(xp, x, side="right") - 1, 0, n - 2)
        x0, x1, y0, y1 = taken(xp, i), taken(xp, i + 1), taken(fp, i), taken(fp, i + 1)
        y = y0 + (y1 - y0) / (x1 - x0) * (x - x0)
    else:
        y = first
    y = choose(np.less(x, xp[0]), first if left is None else left, y)
    y = choose(np.greater_equal(x, xp[n - 1]), last, y)
    return choose(np.greater(x, xp[n - 1]), last if right is None else right, y)
