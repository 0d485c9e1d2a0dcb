"""NumPy's reductions over any axes: sums, products, means and logical ones.

Each turns its options into primitives: `where` into a choice between the entries and the neutral element, `keepdims`
into a reshape, `initial` into one more operand, and NumPy's dtype of the accumulation into a conversion.
"""

from __future__ import annotations

import math
import warnings
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from xform.core.trace import underlying
from xform.numpy.axes import (
    NOT_GIVEN,
    Axes,
    axis_tuple,
    initial_value,
    is_masked,
    keep_dims,
    mask_of,
    masked,
    no_identity,
    reduced_axes,
    wants_dims,
)
from xform.numpy.dispatch import ArrayLike, as_dtype, asarray, implements, reject
from xform.ops.reduce import reduce_and, reduce_or, reduce_prod
from xform.ops.structure import broadcast_to, convert, reduce_sum

#: integers up to here are single-precision numbers
EXACT_IN_SINGLE = 2**24


@implements(np.sum)
def sum(
    a: ArrayLike,
    axis: Axes = None,
    dtype: DTypeLike | None = None,
    out: None = None,
    keepdims: bool = NOT_GIVEN,
    initial: ArrayLike = NOT_GIVEN,
    where: ArrayLike = NOT_GIVEN,
) -> Any:
    """The sum of the entries along axes; each has the derivative 1.

    Booleans and small integers are summed in the platform's integer, as in NumPy. Raises AxisError for an axis that
    the array has not got, TypeError for `out`, ValueError for a mask that does not broadcast to the array.

    >>> import xform
    >>> xform.grad(lambda x: sum(x * x))(np.array([1.0, 2.0]))
    array([2., 4.])
    """
    return accumulated("sum", reduce_sum, 0, a, axis, dtype, out, keepdims, initial, where)


@implements(np.prod)
def prod(
    a: ArrayLike,
    axis: Axes = None,
    dtype: DTypeLike | None = None,
    out: None = None,
    keepdims: bool = NOT_GIVEN,
    initial: ArrayLike = NOT_GIVEN,
    where: ArrayLike = NOT_GIVEN,
) -> Any:
    """The product of the entries along axes; the derivative in one is the product of the others, zeros or not.

    Dtypes and errors are those of `sum`.

    >>> import xform
    >>> xform.grad(prod)(np.array([2.0, 0.0, 3.0]))
    array([0., 6., 0.])
    """
    return accumulated("prod", reduce_prod, 1, a, axis, dtype, out, keepdims, initial, where)


def accumulated(
    name: str,
    prim: Any,
    neutral: int,
    a: Any,
    axis: Any,
    dtype: Any,
    out: Any,
    keepdims: Any,
    initial: Any,
    where: Any,
) -> Any:
    """A sum or product with NumPy's options."""
    a = asarray(a)
    if out is not None:
        reject(name, out=out)
    a = summand(a, dtype)
    shape = a.shape
    axes = reduced_axes(axis, len(shape))
    if is_masked(where):
        if initial is None:
            raise no_identity(name)
        a = masked(a, where, neutral)
    y = prim(a, axes=axes)
    if wants_dims(keepdims):
        y = keep_dims(y, shape, axes)
    if initial is NOT_GIVEN:
        return y
    if initial is None:
        require_entries(name, shape, axes)
        return y
    start = initial_value(initial, y.dtype)
    return y + start if prim is reduce_sum else y * start


def summand(a: Any, dtype: Any) -> Any:
    """The array in the dtype that is asked for, or in NumPy's for sums; imaginary parts are not dropped in silence."""
    wanted = accumulation_dtype(a.dtype) if dtype is None else np.dtype(dtype)
    if a.dtype.kind == "c" and wanted.kind not in "cb":
        message = "Casting complex values to real discards the imaginary part"
        warnings.warn(message, np.exceptions.ComplexWarning, stacklevel=4)
    return as_dtype(a, wanted)


def accumulation_dtype(dtype: np.dtype) -> np.dtype:
    """In which dtype NumPy sums: small integers and booleans in the platform's, of the same signedness."""
    if dtype.kind in "bi":
        return np.result_type(dtype, np.int_)
    return np.result_type(dtype, np.uint) if dtype.kind == "u" else dtype


def require_entries(name: str, shape: tuple[int, ...], axes: tuple[int, ...]) -> None:
    if not math.prod(shape[k] for k in axes):
        raise ValueError(
            f"{name}: an array of shape {shape} was given, which is empty along the axes {axes}, without an initial "
            "value; leave out initial=None, or give a number"
        )


@implements(np.mean)
def mean(
    a: ArrayLike,
    axis: Axes = None,
    dtype: DTypeLike | None = None,
    out: None = None,
    keepdims: bool = NOT_GIVEN,
    *,
    where: ArrayLike = NOT_GIVEN,
) -> Any:
    """The arithmetic mean along axes, (x_1 + ... + x_n) / n; each entry has the derivative 1/n.

    Integers give float64, half precision is summed in single. Of no entries the mean is nan, with a RuntimeWarning.

    >>> import xform
    >>> xform.grad(mean)(np.ones(4))
    array([0.25, 0.25, 0.25, 0.25])
    """
    a = asarray(a)
    if out is not None:
        reject("mean", out=out)
    shape = a.shape
    axes = axis_tuple(axis, len(shape))
    result, dtype = mean_dtypes(a.dtype, dtype)
    if dtype is not None:
        a = summand(a, dtype)
    if is_masked(where):
        n, a = count(where, shape, axes, keepdims), masked(a, where, 0)
    else:
        n = math.prod(shape if axis is None else [shape[k] for k in axes])
    warn_if_none(n, "Mean of empty slice")
    y = reduce_sum(a, axes=axes)
    if wants_dims(keepdims):
        y = keep_dims(y, shape, axes)
    y = divided(y, n)
    return y if result is None else as_dtype(y, result)


def mean_dtypes(given: np.dtype, wanted: Any) -> tuple[Any, Any]:
    """The dtype of a mean, where it is not the dtype of the sum, and that of the sum, where it is not the array's."""
    if wanted is not None or given.kind in "fc":
        return (given, np.float32) if wanted is None and given.char == "e" else (None, wanted)
    return None, np.float64


def divided(y: Any, n: Any) -> Any:
    """y / n in the dtype of y, for counts n that need not be exact in it."""
    char = y.dtype.char
    if type(n) in (int, float):
        if char in "dDgG" or (char in "fF" and n <= EXACT_IN_SINGLE):
            return y / n
        n = np.float64(n)
    return as_dtype(y / n, y.dtype)


def count(where: Any, shape: tuple[int, ...], axes: tuple[int, ...], keepdims: Any) -> Any:
    """How many entries a mask chooses along the axes."""
    mask = broadcast_to(convert(mask_of(where, shape), dtype=np.dtype(np.intp)), shape)
    n = reduce_sum(mask, axes=axes)
    return keep_dims(n, shape, axes) if wants_dims(keepdims) else n


def warn_if_none(n: Any, message: str) -> None:
    """NumPy's warning where a count is zero, if the counts are known."""
    if type(n) is int:
        missing = n == 0
    else:
        known = underlying(n)
        missing = known is not None and not np.all(known)
    if missing:
        warnings.warn(message, RuntimeWarning, stacklevel=4)


@implements(np.any)
def any(
    a: ArrayLike, axis: Axes = None, out: None = None, keepdims: bool = NOT_GIVEN, *, where: ArrayLike = NOT_GIVEN
) -> Any:
    """Is an entry along the axes not zero? A boolean, which has no derivative.

    >>> any(np.array([[0.0, 2.0], [0.0, 0.0]]), axis=1)
    array([ True, False])
    """
    return logical("any", reduce_or, False, a, axis, out, keepdims, where)


@implements(np.all)
def all(
    a: ArrayLike, axis: Axes = None, out: None = None, keepdims: bool = NOT_GIVEN, *, where: ArrayLike = NOT_GIVEN
) -> Any:
    """Are all entries along the axes not zero? A boolean, which has no derivative.

    >>> all(np.array([[1.0, 2.0], [0.0, 3.0]]), axis=1)
    array([ True, False])
    """
    return logical("all", reduce_and, True, a, axis, out, keepdims, where)


def logical(name: str, prim: Any, neutral: bool, a: Any, axis: Any, out: Any, keepdims: Any, where: Any) -> Any:
    a = asarray(a)
    reject(name, out=out)
    axes = reduced_axes(axis, a.ndim)
    if is_masked(where):
        a = masked(np.not_equal(a, 0), where, neutral)
    y = prim(a, axes=axes)
    return keep_dims(y, a.shape, axes) if wants_dims(keepdims) else y


@implements(np.count_nonzero)
def count_nonzero(a: ArrayLike, axis: Axes = None, *, keepdims: bool = False) -> Any:
    """How many entries along the axes are not zero: an integer, which has no derivative.

    >>> count_nonzero(np.array([1.0, 0.0, 2.0]))
    np.int64(2)
    """
    a = asarray(a)
    return sum(np.not_equal(a, 0), axis, np.intp, keepdims=keepdims)
