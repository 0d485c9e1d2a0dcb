"""Polynomials fitted to points by least squares."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from xform.core.trace import concrete
from xform.numpy import linalg
from xform.numpy.dispatch import ArrayLike, as_dtype, asarray, implements
from xform.numpy.polynomials import vander
from xform.ops.structure import reduce_sum


@implements(np.polyfit)
def polyfit(
    x: ArrayLike,
    y: ArrayLike,
    deg: int,
    rcond: float | None = None,
    full: bool = False,
    w: ArrayLike | None = None,
    cov: bool | str = False,
) -> Any:
    """The polynomial p of a degree with the least sum_i |w_i (p(x_i) - y_i)|^2: coefficients, a column for each of y.

    The columns of the Vandermonde matrix are scaled to norm 1, and the least squares problem is that of
    `linalg.lstsq`: singular values below `rcond` times the largest count as zero. With `full` also the sums of
    squares, the rank, the singular values and rcond; with `cov` also the covariance matrix of the coefficients, scaled
    by the residuals unless cov="unscaled". It is differentiable in x, y and w.

    Raises ValueError for a negative degree, and if there are too few points to scale the covariance; TypeError unless x
    and w are vectors, and y is a vector or a matrix, of one length that is not zero. A RankWarning says that the points
    do not determine the polynomial, if their values are known.

    >>> import xform
    >>> x, y = np.array([0.0, 1.0, 2.0]), np.array([1.0, 3.0, 5.0])
    >>> polyfit(x, y, 1).round(12)
    array([2., 1.])
    >>> xform.jacobian(lambda y: polyfit(x, y, 1)[0])(y).round(12) + 0.0
    array([-0.5,  0. ,  0.5])
    """
    order, x, y = int(deg) + 1, asarray(x) + 0.0, asarray(y) + 0.0
    check_points(deg, x, y)
    rcond = len(x) * np.finfo(x.dtype).eps if rcond is None else rcond
    matrix, right = vander(x, order), y
    if w is not None:
        weights = asarray(w) + 0.0
        check_weights(weights, y)
        matrix = scaled(matrix, weights[:, None])
        right = scaled(right, weights[:, None] if y.ndim == 2 else weights)
    scale = np.sqrt(reduce_sum(matrix * matrix, axes=(0,)))
    matrix = matrix / scale
    c, squares, rank, s = linalg.lstsq(matrix, right, rcond)
    c = (c.T / scale).T
    known = concrete(rank)
    if known is not None and np.any(known != order) and not full:
        warnings.warn("Polyfit may be poorly conditioned", np.exceptions.RankWarning, stacklevel=4)
    if full:
        return c, squares, rank, s, rcond
    return (c, covariance(matrix, scale, squares, y, len(x) - order, cov)) if cov else c


def covariance(matrix: Any, scale: Any, squares: Any, y: Any, freedom: int, cov: bool | str) -> Any:
    """(V^T V)^-1 of the Vandermonde matrix V, times the mean square of the residuals."""
    base = linalg.inv(matrix.T @ matrix) / (scale[:, None] * scale)
    if cov == "unscaled":
        factor: Any = 1
    elif freedom <= 0:
        raise ValueError(
            "the number of data points must exceed order to scale the covariance matrix; lower deg, or give "
            "cov='unscaled'"
        )
    else:
        factor = squares / freedom
    return base * factor if y.ndim == 1 else base[:, :, None] * factor


def scaled(x: Any, weights: Any) -> Any:
    """x *= weights, in the dtype of x; TypeError if it cannot hold the products."""
    product = x * weights
    if not np.can_cast(product.dtype, x.dtype, "same_kind"):
        raise TypeError(f"polyfit: weights of dtype {weights.dtype} were given for numbers of {x.dtype}; convert those")
    return as_dtype(product, x.dtype)


def check_points(deg: int, x: Any, y: Any) -> None:
    if deg < 0:
        raise ValueError(f"expected deg >= 0; {deg} was given")
    if x.ndim != 1:
        raise TypeError(f"expected 1D vector for x; shape {x.shape} was given")
    if x.size == 0:
        raise TypeError("expected non-empty vector for x")
    if y.ndim not in (1, 2):
        raise TypeError(f"expected 1D or 2D array for y; shape {y.shape} was given")
    if len(x) != len(y):
        raise TypeError(f"expected x and y to have same length; {len(x)} and {len(y)} were given")


def check_weights(w: Any, y: Any) -> None:
    if w.ndim != 1:
        raise TypeError(f"expected a 1-d array for weights; shape {w.shape} was given")
    if len(w) != len(y):
        raise TypeError(f"expected w and y to have the same length; {len(w)} and {len(y)} were given")
