"""Splines on a regular grid: the B-spline coefficients of an array, and the weights of a point between entries.

The coefficients c solve sum_j c_j B(i - j) = x_i along every axis, with the array continued beyond its ends: a matrix
applied to the axis (Unser, Aldroubi and Eden 1993, B-spline signal processing).
"""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
import scipy.ndimage
from numpy.typing import DTypeLike

import xform.numpy as xnp
from xform.numpy.axes import axis_index
from xform.numpy.dispatch import ArrayLike, as_dtype, asarray, has_tracer
from xform.scipy.ndimage.boundary import check_mode, padded

reference: Any = scipy.ndimage  # SciPy's stubs do not know all of its options

__all__ = ["spline_filter", "spline_filter1d"]

#: entries by which SciPy continues an array whose mode has no exact filter
PADDED = 12


def check_order(order: int, lowest: int = 0) -> None:
    """RuntimeError, as SciPy's, for a degree for which there is no spline."""
    if not lowest <= order <= 5:
        raise RuntimeError(f"spline order {order} not supported; wanted {lowest} to 5")


def spline_filter1d(
    input: ArrayLike, order: int = 3, axis: int = -1, output: DTypeLike = np.float64, mode: str = "mirror"
) -> Any:
    """The coefficients of the spline of degree `order` that has the values `input` along an axis.

    It is linear in `input`. A traced axis of n entries takes O(n^2) operations per row. Raises RuntimeError for an
    order that is not 0 to 5, and for an unknown mode.

    >>> import xform
    >>> xform.grad(lambda x: spline_filter1d(x)[1])(np.array([1.0, 2.0, 4.0]))
    array([-0.5,  2. , -0.5])
    """
    if not has_tracer((input,), {}):
        return reference.spline_filter1d(input, order, axis, output, mode)
    check_order(order)
    check_mode(mode)
    x = asarray(input)
    x = as_dtype(x, np.result_type(x.dtype, np.float64))
    if order > 1 and x.ndim and x.shape[axis] > 1:
        x = filtered(x, order, axis_index(axis, x.ndim), mode)
    return as_dtype(x, np.dtype(output))


def spline_filter(input: ArrayLike, order: int = 3, output: DTypeLike = np.float64, mode: str = "mirror") -> Any:
    """`spline_filter1d` along all axes, for orders 2 to 5.

    >>> spline_filter(np.array([1.0, 2.0, 4.0]))
    array([0.75, 1.5 , 5.25])
    """
    if not has_tracer((input,), {}):
        return reference.spline_filter(input, order, output, mode)
    check_order(order, 2)
    x = asarray(input)
    for axis in range(x.ndim):
        x = spline_filter1d(x, order, axis, np.result_type(x.dtype, np.float64), mode)
    return as_dtype(x, np.dtype(output))


def filtered(x: Any, order: int, axis: int, mode: str) -> Any:
    """The matrix of the filter applied to an axis."""
    matrix = filter_matrix(x.shape[axis], order, mode)
    return xnp.moveaxis(xnp.tensordot(matrix, x, axes=(1, axis)), 0, axis)


@functools.lru_cache(maxsize=16)
def filter_matrix(n: int, order: int, mode: str) -> np.ndarray:
    """The filter of each unit vector, as SciPy computes it."""
    return reference.spline_filter1d(np.eye(n), order, axis=0, mode=mode)


def coefficients(x: Any, order: int, mode: str, cval: Any) -> tuple[Any, int]:
    """The coefficients along all axes, and the number of entries by which the array was continued at each end."""
    width = PADDED if mode in ("nearest", "grid-constant") else 0
    return spline_filter(padded(x, [(width, width)] * x.ndim, mode, cval), order, complex_or_float(x), mode), width


def complex_or_float(x: Any) -> np.dtype:
    return np.result_type(x.dtype, np.float64)


def spline_weights(order: int, u: Any) -> list[Any]:
    """The order + 1 cardinal B-splines that are not zero at a point u in [0, 1) of a knot interval.

    B_d(u + r) = ((u + r) B_{d-1}(u + r) + (d + 1 - u - r) B_{d-1}(u + r - 1)) / d, listed from the rightmost one on.
    """
    weights: list[Any] = [xnp.ones_like(u)]
    for d in range(1, order + 1):
        # the one that ends in this interval is the first: it has fallen from its top to the distance 1 - u
        falling = [(j + 1 - u) / d * w for j, w in enumerate(weights)]
        rising = [(u + d - 1 - j) / d * w for j, w in enumerate(weights)]
        weights = [falling[0], *(a + b for a, b in zip(falling[1:], rising, strict=False)), rising[-1]]
    return weights
