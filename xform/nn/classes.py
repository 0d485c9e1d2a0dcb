"""Classes as unit vectors."""

from __future__ import annotations

import operator
from typing import Any

import numpy as np

from xform.numpy.axes import axis_index
from xform.numpy.dispatch import ArrayLike, as_dtype, asarray

__all__ = ["one_hot"]


def one_hot(x: ArrayLike, num_classes: int, *, dtype: Any = None, axis: int = -1) -> Any:
    """Unit vectors along a new axis: 1 at the place of the integer x, else 0; zeros if it is not among the classes.

    Of `dtype`, float64 by default. Raises TypeError for numbers that are not integers, ValueError for a negative number
    of classes, AxisError.

    >>> one_hot(np.array([0, 2, 5]), 3)
    array([[1., 0., 0.],
           [0., 0., 1.],
           [0., 0., 0.]])
    """
    x, classes = asarray(x), operator.index(num_classes)
    if x.dtype.kind not in "iu":
        raise TypeError(f"one_hot: classes of dtype {x.dtype} were given, wanted integers")
    if classes < 0:
        raise ValueError(f"one_hot: num_classes={classes} was given, wanted a number of at least 0")
    axis = axis_index(axis, x.ndim + 1)
    places = np.arange(classes).reshape(-1, *(1,) * (x.ndim - axis))
    return as_dtype(np.equal(np.expand_dims(x, axis), places), np.float64 if dtype is None else dtype)
