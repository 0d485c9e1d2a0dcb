"""NumPy's running sums and products along an axis."""

from __future__ import annotations

from typing import Any, SupportsIndex

import numpy as np
from numpy.typing import DTypeLike

from xform.numpy.axes import Axis, axis_index
from xform.numpy.dispatch import ArrayLike, asarray, implements, reject
from xform.numpy.reductions import summand
from xform.ops.cumulative import cumprod as running_product
from xform.ops.cumulative import cumsum as running_sum
from xform.ops.structure import concatenate, reshape


@implements(np.cumsum)
def cumsum(a: ArrayLike, axis: Axis = None, dtype: DTypeLike | None = None, out: None = None) -> Any:
    """The running sums y_i = x_0 + ... + x_i along an axis, or of the entries in C order.

    Booleans and small integers are summed in the platform's integer, as by `sum`. Raises AxisError.

    >>> import xform
    >>> xform.jvp(cumsum, (np.zeros(3),), (np.array([1.0, 2.0, 3.0]),))[1]
    array([1., 3., 6.])
    """
    return cumulated("cumsum", running_sum, a, axis, dtype, out)


@implements(np.cumprod)
def cumprod(a: ArrayLike, axis: Axis = None, dtype: DTypeLike | None = None, out: None = None) -> Any:
    """The running products y_i = x_0 ... x_i along an axis, or of the entries in C order; zeros do no harm.

    >>> import xform
    >>> xform.grad(lambda x: cumprod(x).sum())(np.array([0.0, 2.0, 3.0]))
    array([9., 0., 0.])
    """
    return cumulated("cumprod", running_product, a, axis, dtype, out)


def cumulated(name: str, prim: Any, a: Any, axis: Any, dtype: Any, out: Any) -> Any:
    a = asarray(a)
    if out is not None:
        reject(name, out=out)
    a = summand(a, dtype)
    if axis is None or not a.shape:
        axis = 0 if axis is None else axis_index(axis, 1)  # a number passes for a vector
        a = a if len(a.shape) == 1 else reshape(a, shape=(a.size,))
    return prim(a, axis=axis_index(axis, len(a.shape)), reverse=False)


@implements(getattr(np, "cumulative_sum", None))
def cumulative_sum(
    x: ArrayLike,
    /,
    *,
    axis: SupportsIndex | None = None,
    dtype: DTypeLike | None = None,
    out: None = None,
    include_initial: bool = False,
) -> Any:
    """The running sums along an axis; with `include_initial` the empty sum, 0, comes first.

    Raises ValueError for an array of several axes if none is named.

    >>> cumulative_sum(np.array([1.0, 2.0]), include_initial=True)
    array([0., 1., 3.])
    """
    return with_initial("cumulative_sum", running_sum, 0, x, axis, dtype, out, include_initial)


@implements(getattr(np, "cumulative_prod", None))
def cumulative_prod(
    x: ArrayLike,
    /,
    *,
    axis: SupportsIndex | None = None,
    dtype: DTypeLike | None = None,
    out: None = None,
    include_initial: bool = False,
) -> Any:
    """The running products along an axis; with `include_initial` the empty product, 1, comes first.

    Raises ValueError for an array of several axes if none is named.

    >>> cumulative_prod(np.array([2.0, 3.0]), include_initial=True)
    array([1., 2., 6.])
    """
    return with_initial("cumulative_prod", running_product, 1, x, axis, dtype, out, include_initial)


def with_initial(
    name: str, prim: Any, neutral: int, x: Any, axis: Any, dtype: Any, out: Any, include_initial: bool
) -> Any:
    x = asarray(x)
    if len(x.shape) > 1 and axis is None:
        raise ValueError(f"{name}: an array of shape {x.shape} was given without an axis; name the axis along which")
    y = cumulated(name, prim, x, 0 if axis is None else axis, dtype, out)
    if not include_initial:
        return y
    k = axis_index(0 if axis is None else axis, len(y.shape))
    return concatenate(np.full((*y.shape[:k], 1, *y.shape[k + 1 :]), neutral, y.dtype), y, axis=k)
