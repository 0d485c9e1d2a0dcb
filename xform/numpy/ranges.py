"""NumPy's ranges of numbers, differentiable in their ends: arange, linspace, logspace, geomspace.

linspace   y_k = start + k (stop - start) / (n - 1)        logspace   base^linspace        geomspace   in the exponent
"""

from __future__ import annotations

import operator
from typing import Any, SupportsIndex

import numpy as np
from numpy.typing import DTypeLike

from xform.core.aval import shape_of
from xform.core.trace import concrete_or_raise, underlying
from xform.numpy.axes import axis_index
from xform.numpy.creation import astype_of
from xform.numpy.dispatch import ArrayLike, as_dtype, asarray, implements
from xform.numpy.shaping import expand_dims, in_shape, moveaxis
from xform.ops.select import select

_SCALARS = (int, float, complex)


@implements(np.arange, makes=True)
def arange(
    start: Any,
    stop: Any = None,
    step: Any = None,
    dtype: DTypeLike | None = None,
    *,
    device: str | None = None,
    like: Any = None,
) -> Any:
    """The numbers start, start + step, ... before stop, differentiable in start and step; how many is not.

    With one argument it is `stop`. Raises ConcretizationError where the ends are not known (vmap, make_jaxpr).

    >>> import xform
    >>> xform.jvp(lambda h: arange(0.0, 1.0, h), (0.4,), (1.0,))
    (array([0. , 0.4, 0.8]), array([0., 1., 2.]))
    """
    start, stop, step = (0, start, step) if stop is None else (start, stop, step)
    step = 1 if step is None else step
    first, last, by = (
        concrete_or_raise(x, "arange", "Use xform.numpy.linspace, with a number of entries that is not traced")
        for x in (start, stop, step)
    )
    if by == 0:
        raise ZeroDivisionError("arange: the step is 0; wanted one that leads from start to stop")
    count = len(np.arange(first, last, by))  # raises NumPy's errors
    result = np.result_type(np.intp, dtype_of(start, stop, step))
    y = as_dtype(np.arange(count), result) * step + start
    return as_dtype(y, result if dtype is None else dtype)


def dtype_of(*values: Any) -> np.dtype:
    """The common dtype; Python's numbers stay weak, but among themselves they make NumPy's default dtypes."""
    return np.result_type(*(x if type(x) in _SCALARS else asarray(x).dtype for x in values))


@implements(np.linspace, makes=True)
def linspace(
    start: ArrayLike,
    stop: ArrayLike,
    num: SupportsIndex = 50,
    endpoint: bool = True,
    retstep: bool = False,
    dtype: DTypeLike | None = None,
    axis: SupportsIndex = 0,
    *,
    device: str | None = None,
) -> Any:
    """`num` numbers at equal distances from start to stop, along a new axis; with `retstep`, and the distance.

    Raises ValueError for a negative `num`. An integer `dtype` rounds down, and has no derivative.

    >>> import xform
    >>> xform.jacobian(lambda a: linspace(a, 4.0, 3))(0.0)
    array([1. , 0.5, 0. ])
    """
    n = operator.index(num)
    if n < 0:
        raise ValueError(f"Number of samples, {n}, must be non-negative.")
    computed = dtype_of(start, stop)
    computed = computed if computed.kind in "fc" else np.dtype(np.float64)
    start, stop = (as_dtype(asarray(x), computed) for x in (start, stop))
    div = n - 1 if endpoint else n
    difference = stop - start
    steps = np.arange(n, dtype=computed).reshape(-1, *(1,) * len(difference.shape))
    step = difference / div if div > 0 else np.nan
    y = (steps * (difference if div <= 0 else step)) + start
    if endpoint and n > 1:
        y = select(steps == n - 1, stop, y)  # exactly, whatever rounding did
    result = computed if dtype is None else np.dtype(dtype)
    y = astype_of(np.floor(y) if result.kind in "iu" else y, result)
    y = y if axis == 0 else moveaxis(y, 0, axis_index(axis, len(y.shape)))
    return (y, step) if retstep else y


@implements(np.logspace, makes=True)
def logspace(
    start: ArrayLike,
    stop: ArrayLike,
    num: SupportsIndex = 50,
    endpoint: bool = True,
    base: ArrayLike = 10.0,
    dtype: DTypeLike | None = None,
    axis: SupportsIndex = 0,
) -> Any:
    """base to the powers `linspace(start, stop, num)`.

    >>> import xform
    >>> xform.grad(lambda b: logspace(0.0, 2.0, 3, base=b)[-1])(10.0)
    np.float64(20.0)
    """
    base = base if type(base) in _SCALARS else asarray(base)
    if shape_of(base):
        values = [asarray(x) for x in (start, stop, base)]
        rank = max(len(x.shape) for x in values)
        start, stop, base = (in_shape(x, (*(1,) * (rank - len(x.shape)), *x.shape)) for x in values)
        base = expand_dims(base, axis)
    y = np.power(base, linspace(start, stop, num=num, endpoint=endpoint, axis=axis))
    return y if dtype is None else astype_of(y, np.dtype(dtype))


@implements(np.geomspace, makes=True)
def geomspace(
    start: ArrayLike,
    stop: ArrayLike,
    num: SupportsIndex = 50,
    endpoint: bool = True,
    dtype: DTypeLike | None = None,
    axis: SupportsIndex = 0,
) -> Any:
    """`num` numbers at equal ratios from start to stop, start (stop / start)^(k / (n - 1)), along a new axis.

    Complex ones lie on a spiral. Raises ValueError if an end is known to be zero.

    >>> import xform
    >>> xform.jvp(lambda a: geomspace(a, 4.0, 3), (1.0,), (1.0,))
    (array([1., 2., 4.]), array([1., 1., 0.]))
    """
    if any(known is not None and np.any(known == 0) for known in (underlying(asarray(x)) for x in (start, stop))):
        raise ValueError("Geometric sequence cannot include zero; wanted ends other than zero")
    start, stop = asarray(start), asarray(stop)
    computed = np.result_type(start.dtype, stop.dtype, 1.0, np.dtype(dtype))
    start, stop = as_dtype(start, computed), as_dtype(stop, computed)
    sign = np.sign(start)
    first, last = start / sign, stop / sign
    n = operator.index(num)
    y = np.power(10.0, linspace(np.log10(first), np.log10(last), num=n, endpoint=endpoint))
    steps = np.arange(n).reshape(-1, *(1,) * (len(y.shape) - 1))
    y = select(steps == 0, first, y) if n else y
    y = select(steps == n - 1, last, y) if endpoint and n > 1 else y
    y = astype_of(y * sign, computed if dtype is None else np.dtype(dtype))
    return y if axis == 0 else moveaxis(y, 0, axis_index(axis, len(y.shape)))
