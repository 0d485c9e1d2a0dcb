"""NumPy's arguments of reductions (`axis`, `keepdims`, `where`, `initial`) made into what primitives take."""

from __future__ import annotations

import operator
from typing import Any, SupportsIndex

import numpy as np
from numpy.lib.array_utils import normalize_axis_index, normalize_axis_tuple

from xform.core.trace import Tracer
from xform.numpy.dispatch import as_dtype, asarray
from xform.ops.select import select
from xform.ops.structure import reshape

Axis = SupportsIndex | None
Axes = SupportsIndex | tuple[SupportsIndex, ...] | None

#: NumPy's mark of an option that was not given
NOT_GIVEN: Any = np._NoValue

#: all axes of an array, by their number
_ALL = tuple(tuple(range(ndim)) for ndim in range(65))


def axis_index(axis: Any, ndim: int) -> int:
    """One axis counted from the front; AxisError if there is no such axis, TypeError if it is not an integer."""
    return normalize_axis_index(operator.index(axis), ndim)


def axis_tuple(axis: Any, ndim: int) -> tuple[int, ...]:
    """The axes named by an `axis` argument (None: all of them), counted from the front.

    Raises AxisError if there is no such axis, ValueError if one is named twice, TypeError if it is not an integer.
    """
    if axis is None:
        return _ALL[ndim]
    return normalize_axis_tuple(axis, ndim) if type(axis) is tuple else (axis_index(axis, ndim),)


def joined_axes(axis: Any) -> Any:
    """A list of axes as a tuple, for the few functions to which NumPy lets one be given."""
    return tuple(axis) if isinstance(axis, list) else axis


def reduced_axes(axis: Any, ndim: int) -> tuple[int, ...]:
    """As `axis_tuple`, but as in NumPy's ufuncs a 0-d array passes for a vector: it has an axis 0, or -1."""
    if ndim == 0 and type(axis) is not tuple and axis is not None and operator.index(axis) in (0, -1):
        return ()
    return axis_tuple(axis, ndim)


def wants_dims(keepdims: Any) -> bool:
    """Was `keepdims` given, and true?"""
    return keepdims is not NOT_GIVEN and bool(keepdims)


def keep_dims(y: Any, shape: tuple[int, ...], axes: tuple[int, ...]) -> Any:
    """A reduced array with axes of size one where `axes` were in the `shape` before."""
    return reshape(y, shape=tuple(1 if k in axes else n for k, n in enumerate(shape))) if axes else y


def is_masked(where: Any) -> bool:
    """Does a `where` argument leave anything out?"""
    return where is not NOT_GIVEN and where is not True


def mask_of(where: Any, shape: tuple[int, ...]) -> Any:
    """A `where` argument as a boolean array that broadcasts to the shape; TypeError or ValueError as in NumPy."""
    mask = asarray(where) if isinstance(where, Tracer | np.ndarray | np.generic) else asarray_bool(where)
    if mask.dtype.kind != "b":
        raise TypeError(
            f"where: an array of {mask.dtype} was given, wanted booleans; write `mask != 0` for what is not zero"
        )
    try:
        fits = np.broadcast_shapes(mask.shape, shape) == shape
    except ValueError:
        fits = False
    if not fits:
        raise ValueError(
            f"where: a mask of shape {mask.shape} was given for an array of shape {shape}, to which it does not "
            "broadcast; reshape the mask, or index it with None"
        )
    return mask


def asarray_bool(where: Any) -> Any:
    x = asarray(where)
    return x if isinstance(x, Tracer) else x.astype(bool)


def masked(a: Any, where: Any, fill: Any) -> Any:
    """`a` with `fill` where the mask is false, in the dtype of `a`."""
    return select(mask_of(where, a.shape), a, np.asarray(fill, a.dtype)[()])


def initial_value(initial: Any, dtype: np.dtype) -> Any:
    """An `initial` argument as a scalar of the dtype; TypeError or ValueError as in NumPy."""
    if isinstance(initial, Tracer):
        if initial.shape:
            raise ValueError(f"initial: an array of shape {initial.shape} was given, wanted a number")
        return as_dtype(initial, dtype)
    value = dtype.type(initial)
    if np.ndim(value):
        raise ValueError(f"initial: an array of shape {np.shape(value)} was given, wanted a number")
    return value


def lowest(dtype: np.dtype) -> Any:
    """What no entry of an array of this dtype is less than."""
    if dtype.kind == "c":
        return dtype.type(complex(-np.inf, -np.inf))
    if dtype.kind == "f":
        return dtype.type(-np.inf)
    return np.False_ if dtype.kind == "b" else np.iinfo(dtype).min


def highest(dtype: np.dtype) -> Any:
    """What no entry of an array of this dtype is greater than."""
    if dtype.kind == "c":
        return dtype.type(complex(np.inf, np.inf))
    if dtype.kind == "f":
        return dtype.type(np.inf)
    return np.True_ if dtype.kind == "b" else np.iinfo(dtype).max


def no_identity(name: str) -> ValueError:
    """The error for a mask where nothing says what the result is when the mask leaves nothing."""
    return ValueError(
        f"{name}: a mask `where` was given without `initial`, but this reduction does not have an identity, the result "
        "where the mask leaves nothing; give it as `initial`"
    )
