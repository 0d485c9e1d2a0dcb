"""Reductions and running operations along axes, as `jax.lax` names them: the axes are listed, and the dtype stays.

So sums of small integers overflow as additions do, and booleans are refused by sums and products. Axes count from the
end if they are negative. What the extreme of no entries is, the dtype says: of floating-point numbers an infinity.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from xform.core import tree
from xform.lax.dimensions import dimension, dimensions
from xform.lax.monoids import MONOIDS, Folded, folded_axes, read_folded
from xform.lax.operands import operand
from xform.numpy.axes import highest, lowest
from xform.numpy.dispatch import ArrayLike
from xform.numpy.folds import part, rows
from xform.ops import cumulative as running
from xform.ops import reduce as ops
from xform.ops import structure
from xform.ops.stack import as_dtype
from xform.ops.structure import concatenate, slice_, without

__all__ = [
    "argmax",
    "argmin",
    "cumlogsumexp",
    "cummax",
    "cummin",
    "cumprod",
    "cumsum",
    "reduce",
    "reduce_and",
    "reduce_max",
    "reduce_min",
    "reduce_or",
    "reduce_prod",
    "reduce_sum",
    "reduce_xor",
]

Axes = Sequence[int]


def reduce_sum(operand: ArrayLike, axes: Axes) -> Any:
    """The sum over `axes`, in the dtype of the operand. Raises TypeError for booleans, ValueError for wrong axes.

    >>> import numpy as np
    >>> reduce_sum(np.array([[1, 2], [3, 4]]), (0,))
    array([4, 6])
    """
    x, axes = numbers("reduce_sum", operand, axes)
    return structure.reduce_sum(x, axes=axes)


def reduce_prod(operand: ArrayLike, axes: Axes) -> Any:
    """The product over `axes`, in the dtype of the operand. Raises TypeError for booleans, ValueError for wrong axes.

    >>> import numpy as np, xform
    >>> xform.grad(lambda x: reduce_prod(x, (0,)))(np.array([0.0, 2.0, 3.0]))
    array([6., 0., 0.])
    """
    x, axes = numbers("reduce_prod", operand, axes)
    return ops.reduce_prod(x, axes=axes)


def reduce_max(operand: ArrayLike, axes: Axes) -> Any:
    """The largest entry over `axes`, nan if there is one; entries that attain it share the derivative evenly.

    >>> import numpy as np
    >>> reduce_max(np.array([[1.0, 5.0], [3.0, 4.0]]), (1,))
    array([5., 4.])
    """
    return extreme("reduce_max", ops.reduce_max, lowest, operand, axes)


def reduce_min(operand: ArrayLike, axes: Axes) -> Any:
    """The smallest entry over `axes`, nan if there is one; entries that attain it share the derivative evenly.

    >>> import numpy as np
    >>> reduce_min(np.array([[1.0, 5.0], [3.0, 4.0]]), (1,))
    array([1., 3.])
    """
    return extreme("reduce_min", ops.reduce_min, highest, operand, axes)


def reduce_and(operand: ArrayLike, axes: Axes) -> Any:
    """The bitwise and, of booleans the logical one, over `axes`. Raises TypeError for other dtypes.

    >>> import numpy as np
    >>> int(reduce_and(np.array([6, 3]), (0,)))
    2
    """
    return bitwise("reduce_and", np.bitwise_and, ops.reduce_and, operand, axes)


def reduce_or(operand: ArrayLike, axes: Axes) -> Any:
    """The bitwise or, of booleans the logical one, over `axes`. Raises TypeError for other dtypes.

    >>> import numpy as np
    >>> int(reduce_or(np.array([6, 3]), (0,)))
    7
    """
    return bitwise("reduce_or", np.bitwise_or, ops.reduce_or, operand, axes)


def reduce_xor(operand: ArrayLike, axes: Axes) -> Any:
    """The bitwise exclusive or, of booleans the logical one, over `axes`. Raises TypeError for other dtypes.

    >>> import numpy as np
    >>> int(reduce_xor(np.array([6, 3]), (0,)))
    5
    """
    return bitwise("reduce_xor", np.bitwise_xor, ops.reduce_xor, operand, axes)


def argmax(operand: ArrayLike, axis: int, index_dtype: DTypeLike) -> Any:
    """Along an axis the index of the first entry that is the largest, or nan, in the integer `index_dtype`.

    Raises ValueError for an axis that is not there or has no entries, TypeError for a dtype that is no integer.

    >>> import numpy as np
    >>> argmax(np.array([[1.0, 5.0], [3.0, 3.0]]), 1, np.int32)
    array([1, 0], dtype=int32)
    """
    return arg_extreme("argmax", ops.argmax, operand, axis, index_dtype)


def argmin(operand: ArrayLike, axis: int, index_dtype: DTypeLike) -> Any:
    """Along an axis the index of the first entry that is the smallest, or nan, in the integer `index_dtype`.

    Raises ValueError for an axis that is not there or has no entries, TypeError for a dtype that is no integer.

    >>> import numpy as np
    >>> argmin(np.array([[1.0, 5.0], [3.0, 3.0]]), 1, np.int64)
    array([0, 0])
    """
    return arg_extreme("argmin", ops.argmin, operand, axis, index_dtype)


def cumsum(operand: ArrayLike, axis: int = 0, reverse: bool = False) -> Any:
    """The running sums y_i = x_0 + ... + x_i along an axis, or in reverse x_i + ... + x_n. TypeError for booleans.

    >>> import numpy as np
    >>> cumsum(np.array([1.0, 2.0, 3.0]), reverse=True)
    array([6., 5., 3.])
    """
    return cumulative("cumsum", running.cumsum, operand, axis, reverse)


def cumprod(operand: ArrayLike, axis: int = 0, reverse: bool = False) -> Any:
    """The running products y_i = x_0 ... x_i along an axis, or in reverse x_i ... x_n. TypeError for booleans.

    >>> import numpy as np
    >>> cumprod(np.array([1.0, 2.0, 3.0]))
    array([1., 2., 6.])
    """
    return cumulative("cumprod", running.cumprod, operand, axis, reverse)


def cummax(operand: ArrayLike, axis: int = 0, reverse: bool = False) -> Any:
    """The running maxima y_i = max(x_0, ..., x_i) along an axis, or in reverse max(x_i, ..., x_n).

    >>> import numpy as np
    >>> cummax(np.array([1.0, 3.0, 2.0]))
    array([1., 3., 3.])
    """
    return cumulative("cummax", running.cummax, operand, axis, reverse)


def cummin(operand: ArrayLike, axis: int = 0, reverse: bool = False) -> Any:
    """The running minima y_i = min(x_0, ..., x_i) along an axis, or in reverse min(x_i, ..., x_n).

    >>> import numpy as np
    >>> cummin(np.array([2.0, 1.0, 3.0]))
    array([2., 1., 1.])
    """
    return cumulative("cummin", running.cummin, operand, axis, reverse)


def cumlogsumexp(operand: ArrayLike, axis: int = 0, reverse: bool = False) -> Any:
    """y_i = log(e^{x_0} + ... + e^{x_i}) along an axis, or in reverse of x_i to x_n, without overflow.

    Raises TypeError for other than real floating-point numbers.

    >>> import numpy as np
    >>> cumlogsumexp(np.array([1000.0, 1000.0])) - 1000
    array([0.        , 0.69314718])
    """
    return cumulative("cumlogsumexp", running.cumlogsumexp, operand, axis, reverse)


def reduce(operands: Any, init_values: Any, computation: Callable[[Any, Any], Any], dimensions: Axes) -> Any:
    """init o x_1 o x_2 o ... over the axes `dimensions`, where x o y = computation(x, y).

    The computation must be associative: entries are combined in their order, but in halves. It maps two numbers to one,
    and is applied to each entry on its own; sums, products, extremes and bitwise operations are recognised and done by
    their own reductions. `operands` may be a tree of arrays of one shape; then `init_values` is such a tree of
    numbers, and the computation maps two such trees to one. Operand and initial value promote to one dtype.

    Raises ValueError for trees or shapes that differ and for wrong axes, TypeError for a computation that returns
    another tree, dtype or shape than it takes.

    >>> import numpy as np
    >>> float(reduce(np.array([3.0, 4.0, 12.0]), 0.0, np.hypot, (0,)))
    13.0
    >>> def latest_max(a, b):
    ...     return np.where(b[0] >= a[0], b[0], a[0]), np.where(b[0] >= a[0], b[1], a[1])
    >>> y, i = reduce((np.array([1.0, 7.0, 7.0]), np.arange(3)), (-np.inf, -1), latest_max, (0,))
    >>> float(y), int(i)
    (7.0, 2)
    """
    folded = read_folded("reduce", operands, init_values, computation)
    axes = folded_axes("reduce", dimensions, len(folded.shape))
    rest = without(folded.shape, axes)
    if any(folded.shape[k] == 0 for k in axes):
        ys = folded.filled(rest)
    elif folded.prim is not None:
        ys = folded.after_initial([MONOIDS[folded.prim].reduction(folded.arrays[0], axes=axes)])
    else:
        ys = folded.after_initial(fold_rows(folded, [rows(x, axes) for x in folded.arrays]))
    return tree.unflatten(folded.structure, ys)


def fold_rows(folded: Folded, xs: list[Any]) -> list[Any]:
    """x[0] o x[1] o ... o x[n-1] by combining neighbours, in log2(n) steps."""
    while (n := xs[0].shape[0]) > 1:
        left, right = ([every_second(x, first) for x in xs] for first in (0, 1))
        ys = folded.combine(left, right)
        xs = [concatenate(y, part(x, n - 1, 1), axis=0) for x, y in zip(xs, ys, strict=True)] if n % 2 else ys
    return [slice_(x, index=(0, *((0, m, 1) for m in x.shape[1:]))) for x in xs]


def every_second(x: Any, first: int) -> Any:
    """x[first], x[first + 2], ... of the complete pairs."""
    return slice_(x, index=((first, x.shape[0] // 2, 2), *((0, m, 1) for m in x.shape[1:])))


def numbers(name: str, x: Any, axes: Any) -> tuple[Any, tuple[int, ...]]:
    """An array of numbers and the axes of a sum or product."""
    x = operand(name, x)
    if x.dtype.kind == "b":
        raise TypeError(f"{name}: an array of booleans was given, wanted numbers; count with .astype(int)")
    return x, dimensions(name, "axes", axes, len(x.shape))


def extreme(name: str, reduction: Any, neutral: Any, x: Any, axes: Any) -> Any:
    """The extreme over axes, of no entries the identity."""
    x = operand(name, x)
    axes = dimensions(name, "axes", axes, len(x.shape))
    if any(x.shape[k] == 0 for k in axes):
        return np.full(without(x.shape, axes), neutral(x.dtype), x.dtype)[()]
    return reduction(x, axes=axes)


def bitwise(name: str, ufunc: np.ufunc, logical: Any, x: Any, axes: Any) -> Any:
    """The reduction of a bitwise operation."""
    x = operand(name, x)
    if x.dtype.kind not in "biu":
        raise TypeError(f"{name}: an array of dtype {x.dtype} was given, wanted booleans or integers; compare it first")
    axes = dimensions(name, "axes", axes, len(x.shape))
    return logical(x, axes=axes) if x.dtype.kind == "b" else ufunc.reduce(x, axis=axes)


def arg_extreme(name: str, prim: Any, x: Any, axis: Any, index_dtype: Any) -> Any:
    """The index of an extreme."""
    x, dtype = operand(name, x), np.dtype(index_dtype)
    if dtype.kind not in "iu":
        raise TypeError(f"{name}: index_dtype={dtype} was given, wanted an integer dtype as numpy.int64")
    return as_dtype(prim(x, axis=dimension(name, axis, len(x.shape))), dtype)


def cumulative(name: str, prim: Any, x: Any, axis: Any, reverse: bool) -> Any:
    """A running operation."""
    x = operand(name, x)
    if x.dtype.kind == "b" and name in ("cumsum", "cumprod"):
        raise TypeError(f"{name}: an array of booleans was given, wanted numbers; count with .astype(int)")
    if x.dtype.kind != "f" and name == "cumlogsumexp":
        raise TypeError(f"{name}: {x.dtype} was given, wanted real floating-point numbers; convert with .astype(float)")
    return prim(x, axis=dimension(name, axis, len(x.shape)), reverse=bool(reverse))
