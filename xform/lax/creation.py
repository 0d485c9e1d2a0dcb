"""Arrays of one value, arrays of indices, and the change of an array's dtype."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, SupportsIndex

import numpy as np
from numpy.typing import DTypeLike

from xform.core.aval import aval_of, shape_of
from xform.lax.dimensions import dimension as check_dimension
from xform.lax.dimensions import sizes
from xform.numpy import creation
from xform.numpy.dispatch import ArrayLike, asarray

__all__ = ["broadcasted_iota", "convert_element_type", "empty", "full", "full_like", "iota", "zeros_like_array"]

Shape = SupportsIndex | Sequence[SupportsIndex]


def numeric_dtype(name: str, dtype: Any) -> np.dtype:
    """A `dtype` argument that must be given and be one of numbers."""
    if dtype is None or (found := np.dtype(dtype)).kind not in "fciub":
        raise TypeError(
            f"{name}: the dtype {dtype!r} was given; wanted bool, int, float, complex or one of their sizes"
        )
    return found


def convert_element_type(operand: ArrayLike, new_dtype: DTypeLike) -> Any:
    """The array in another dtype; of complex numbers that become real the real part, with a ComplexWarning.

    Raises TypeError for a dtype that is not one of numbers.

    >>> convert_element_type(np.array([1.5, -1.5]), int)
    array([ 1, -1])
    """
    y = creation.astype(asarray(operand), numeric_dtype("convert_element_type", new_dtype), copy=False)
    return y[()] if isinstance(y, np.ndarray) and not y.ndim else y


def full(shape: Shape, fill_value: ArrayLike, dtype: DTypeLike | None = None) -> Any:
    """An array with all entries equal to a number; TypeError if it is an array, ValueError for an impossible shape.

    >>> full((2, 2), 1.5)
    array([[1.5, 1.5],
           [1.5, 1.5]])
    """
    if np.ndim(fill_value) if isinstance(fill_value, list | tuple) else shape_of(fill_value):
        raise TypeError(
            f"full: a fill value of shape {np.shape(fill_value)} was given, wanted a number; use broadcast_in_dim to "
            "repeat an array"
        )
    wanted = None if dtype is None else numeric_dtype("full", dtype)
    return creation.full(sizes("full", "shape", shape), fill_value, wanted)


def empty(shape: Shape, dtype: DTypeLike) -> Any:
    """An array whose entries may be anything; TypeError for a dtype that is not one of numbers, ValueError for a shape.

    >>> empty((2, 3), np.float32).shape
    (2, 3)
    """
    return np.empty(sizes("empty", "shape", shape), numeric_dtype("empty", dtype))


def full_like(x: Any, fill_value: ArrayLike, dtype: DTypeLike | None = None, shape: Shape | None = None) -> Any:
    """An array of the shape and dtype of `x`, an array or an aval, unless others are given, of one number.

    >>> full_like(np.ones(2, np.float32), 7, shape=3)
    array([7., 7., 7.], dtype=float32)
    """
    aval = aval_of(asarray(x) if isinstance(x, list | tuple) else x)
    return full(aval.shape if shape is None else shape, fill_value, aval.dtype if dtype is None else dtype)


def zeros_like_array(x: Any) -> Any:
    """Zeros of the shape and dtype of `x`: a plain array, for it does not depend on the entries."""
    return full_like(x, 0)


def iota(dtype: DTypeLike, size: int) -> np.ndarray:
    """0, 1, ..., size - 1 in the dtype; TypeError for booleans, ValueError for a negative size.

    >>> iota(np.float32, 3)
    array([0., 1., 2.], dtype=float32)
    """
    return broadcasted_iota(dtype, (size,), 0)


def broadcasted_iota(dtype: DTypeLike, shape: Shape, dimension: int) -> np.ndarray:
    """The index of each entry along one dimension, y[i_0, i_1, ...] = i_dimension.

    Raises TypeError for booleans, ValueError for an impossible shape or dimension.

    >>> broadcasted_iota(int, (2, 3), 1)
    array([[0, 1, 2],
           [0, 1, 2]])
    """
    found, shape = numeric_dtype("iota", dtype), sizes("iota", "shape", shape)
    if found.kind == "b":
        raise TypeError("iota: the dtype bool was given; wanted a dtype that can count: int, float or complex")
    axis = check_dimension("iota", dimension, len(shape))
    ramp = np.arange(shape[axis]).astype(found).reshape(-1, *(1,) * (len(shape) - 1 - axis))
    return np.array(np.broadcast_to(ramp, shape))
