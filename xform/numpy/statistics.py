"""NumPy's moments: variances, standard deviations, weighted averages, covariances and correlations.

The steps are NumPy's own, so that results agree to the last bit: a mean, the deviations from it, the sum of their
squares, and a division by the degrees of freedom.
"""

from __future__ import annotations

import math
import warnings
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from xform.core.trace import underlying
from xform.numpy.axes import NOT_GIVEN, Axes, axis_tuple, is_masked, joined_axes, keep_dims, masked, wants_dims
from xform.numpy.dispatch import ArrayLike, as_dtype, asarray, implements, reject
from xform.numpy.reductions import count, divided, mean, sum
from xform.ops.complex import conjugate, imag, real
from xform.ops.contraction.contract import contract
from xform.ops.linear_algebra.matrix import diagonal as last_diagonal
from xform.ops.select import select
from xform.ops.structure import broadcast_to, concatenate, reduce_sum, reshape, transpose


@implements(np.var)
def var(
    a: ArrayLike,
    axis: Axes = None,
    dtype: DTypeLike | None = None,
    out: None = None,
    ddof: float = 0,
    keepdims: bool = NOT_GIVEN,
    *,
    where: ArrayLike = NOT_GIVEN,
    mean: ArrayLike = NOT_GIVEN,
    correction: float = NOT_GIVEN,
) -> Any:
    """The variance along axes, sum |x_i - m|^2 / (n - ddof), of n entries with the mean m.

    `mean` is m, if it is known, with axes of size one where it was taken; `correction` is another name of `ddof`.
    Integers give float64. Warns (RuntimeWarning) if n <= ddof.

    >>> import xform
    >>> xform.grad(var)(np.array([1.0, 3.0]))
    array([-1.,  1.])
    """
    a = asarray(a)
    if out is not None:
        reject("var", out=out)
    shape = a.shape
    axes, ddof = axis_tuple(axis, len(shape)), degrees(ddof, correction)
    if dtype is None and a.dtype.kind not in "fc":
        dtype = np.float64
    n = count(where, shape, axes, True) if is_masked(where) else math.prod([shape[k] for k in axes])
    free = freedom(n, ddof)
    x = a - (center(a, axes, dtype, where, n) if mean is NOT_GIVEN else mean)
    x = as_dtype(squared_modulus(x) if a.dtype.kind == "c" else np.square(x), dtype)
    y = reduce_sum(masked(x, where, 0) if is_masked(where) else x, axes=axes)
    y = divided(y, reshape(free, shape=y.shape) if is_masked(where) else free)
    return keep_dims(y, shape, axes) if wants_dims(keepdims) else y


def degrees(ddof: Any, correction: Any) -> Any:
    """`ddof` under either of its names."""
    if correction is NOT_GIVEN:
        return ddof
    if ddof != 0:
        raise ValueError(
            f"ddof={ddof} and correction={correction} cannot be provided simultaneously; they are the same"
        )
    return correction


def freedom(n: Any, ddof: Any) -> Any:
    """The degrees of freedom n - ddof, at least 0, with NumPy's warning if that is what they are."""
    if type(n) is int:
        free = n - ddof
        missing, free = (True, 0) if free <= 0 else (False, free)
    else:
        free, known = np.maximum(n - ddof, 0), underlying(n)
        missing = known is not None and np.any(np.less_equal(known, ddof))
    if missing:
        warnings.warn("Degrees of freedom <= 0 for slice", RuntimeWarning, stacklevel=4)
    return free


def center(a: Any, axes: tuple[int, ...], dtype: Any, where: Any, n: Any) -> Any:
    """The mean along the axes, which stay with size one."""
    total = reduce_sum(masked(as_dtype(a, dtype), where, 0) if is_masked(where) else as_dtype(a, dtype), axes=axes)
    return divided(keep_dims(total, a.shape, axes) if len(axes) < len(a.shape) else total, n)


def squared_modulus(z: Any) -> Any:
    """|z|^2, as the sum of two squares."""
    return np.square(real(z)) + np.square(imag(z))


@implements(np.std)
def std(
    a: ArrayLike,
    axis: Axes = None,
    dtype: DTypeLike | None = None,
    out: None = None,
    ddof: float = 0,
    keepdims: bool = NOT_GIVEN,
    *,
    where: ArrayLike = NOT_GIVEN,
    mean: ArrayLike = NOT_GIVEN,
    correction: float = NOT_GIVEN,
) -> Any:
    """The standard deviation along axes, the square root of `var`, whose options it has.

    Where all entries are equal it has a kink, at which the derivative is taken to be 0.

    >>> import xform
    >>> xform.grad(std)(np.array([1.0, 3.0])), xform.grad(std)(np.array([2.0, 2.0]))
    (array([-0.5,  0.5]), array([0., 0.]))
    """
    if out is not None:
        reject("std", out=out)
    return root(var(a, axis, dtype, None, ddof, keepdims, where=where, mean=mean, correction=correction))


def root(v: Any) -> Any:
    """The square root with the derivative 0 at 0, to be taken of the square of something that has a kink there."""
    known = underlying(v)
    if known is not None and (known != 0 if isinstance(known, float) else np.all(known)):
        return np.sqrt(v)
    zero = np.equal(v, 0)
    return select(zero, 0, np.sqrt(select(zero, 1, v)))


@implements(np.average)
def average(
    a: ArrayLike,
    axis: Axes = None,
    weights: ArrayLike | None = None,
    returned: bool = False,
    *,
    keepdims: bool = NOT_GIVEN,
) -> Any:
    """The weighted mean along axes, sum w_i x_i / sum w_i; with `returned` a pair, the sum of the weights its second.

    The weights have the shape of `a`, or that of the axes. Raises ZeroDivisionError if they sum to zero, TypeError or
    ValueError if they do not fit.

    >>> import xform
    >>> xform.grad(average, argnums=2)(np.array([1.0, 5.0]), None, np.array([1.0, 3.0]))
    array([-0.75,  0.25])
    """
    a = asarray(a)
    axis = None if axis is None else axis_tuple(joined_axes(axis), a.ndim)
    if weights is None:
        y = mean(a, axis, keepdims=keepdims)
        scale = y.dtype.type(a.size / math.prod(y.shape))
    else:
        w = fitted_weights(asarray(weights), a.shape, axis)
        dtype = np.result_type(a.dtype, w.dtype, *(() if a.dtype.kind in "fc" else (np.float64,)))
        scale = sum(w, axis, dtype, keepdims=keepdims)
        known = underlying(scale)
        if known is not None and np.any(np.equal(known, 0)):
            raise ZeroDivisionError("average: the weights sum to zero, so that they cannot be normalized")
        y = sum(as_dtype(a, dtype) * as_dtype(w, dtype), axis, keepdims=keepdims) / scale
    return (y, broadcast_to(scale, y.shape)) if returned else y


def fitted_weights(w: Any, shape: tuple[int, ...], axes: tuple[int, ...] | None) -> Any:
    """Weights that broadcast to an array of the given shape, from ones of its shape or of that of the axes."""
    if w.shape == shape:
        return w
    if axes is None:
        raise TypeError(
            f"the weights have shape {w.shape}, the array has shape {shape}: axis must be specified when these differ"
        )
    if w.shape != tuple(shape[k] for k in axes):
        raise ValueError(
            f"the weights have shape {w.shape}; wanted {shape}, the array's, or its sizes along the axes {axes}, "
            f"{tuple(shape[k] for k in axes)}"
        )
    if list(axes) != sorted(axes):
        w = transpose(w, permutation=tuple(np.argsort(axes).tolist()))
    return reshape(w, shape=tuple(n if k in axes else 1 for k, n in enumerate(shape)))


@implements(np.cov)
def cov(
    m: ArrayLike,
    y: ArrayLike | None = None,
    rowvar: bool = True,
    bias: bool = False,
    ddof: int | None = None,
    fweights: ArrayLike | None = None,
    aweights: ArrayLike | None = None,
    *,
    dtype: DTypeLike | None = None,
) -> Any:
    """The covariances of variables, sum_k (x_ik - m_i) conj(x_jk - m_j) / (n - ddof), each a row of n observations.

    With `rowvar=False` each is a column. `y` holds further variables. `fweights` repeat observations, `aweights` weight
    them. ddof is 1, or 0 with `bias`. Raises ValueError for more than two axes, RuntimeError for weights that do not
    fit; warns if there are no degrees of freedom.

    >>> cov(np.array([[0.0, 1.0, 2.0], [2.0, 1.0, 0.0]]))
    array([[ 1., -1.],
           [-1.,  1.]])
    """
    if ddof is not None and ddof != int(ddof):
        raise ValueError(f"cov: ddof={ddof} was given, wanted an integer")
    given = [asarray(z) for z in (m, y) if z is not None]
    if dtype is None:
        dtype = np.result_type(np.float64, *(z.dtype for z in given))
    rows = [variables(name, as_dtype(z, dtype), rowvar) for name, z in zip("my", given, strict=False)]
    if rows[0].shape[0] == 0:
        return np.zeros((0, 0))
    x = rows[0] if len(rows) == 1 else concatenate(*rows, axis=0)
    ddof = (0 if bias else 1) if ddof is None else ddof
    w, scale = observation_weights(fweights, aweights, x.shape[1], ddof)
    x = x - average(x, axis=1, weights=w, keepdims=True)
    c = contract(x, conj(x if w is None else x * w), spec=("ik", "jk", "ij"))
    c = c * as_dtype(np.true_divide(1, scale), c.dtype)
    return reshape(c, shape=tuple(n for n in c.shape if n != 1))


def variables(name: str, x: Any, rowvar: bool) -> Any:
    """One variable a row."""
    if x.ndim > 2:
        raise ValueError(f"cov: {name} has shape {x.shape}, wanted at most 2 dimensions: variables and observations")
    if x.ndim < 2:
        return reshape(x, shape=(1, x.size))
    return x if rowvar or (name == "y" and x.shape[0] == 1) else transpose(x, permutation=(1, 0))


def observation_weights(fweights: Any, aweights: Any, n: int, ddof: int) -> tuple[Any, Any]:
    """The product of the weights, or None, and what the sum of products is divided by, with NumPy's warning if <= 0."""
    w = None
    if fweights is not None:
        w = fweights = checked_weights("fweights", fweights, n)
        known = underlying(w)
        if known is not None and np.any(known != np.around(known)):
            raise TypeError("cov: fweights must be integer, they are numbers of repetitions; use aweights for others")
    if aweights is not None:
        aweights = checked_weights("aweights", aweights, n)
        w = aweights if w is None else w * aweights
    scale = n - ddof if w is None else sum(w)
    if w is not None and ddof:
        scale = scale - (ddof if aweights is None else ddof * sum(w * aweights) / scale)
    known = underlying(scale)
    if known is not None and np.any(np.less_equal(known, 0)):
        warnings.warn("Degrees of freedom <= 0 for slice", RuntimeWarning, stacklevel=4)
    return w, np.float64(max(scale, 0)) if w is None else np.maximum(scale, 0.0)


def checked_weights(name: str, w: Any, n: int) -> Any:
    w = as_dtype(asarray(w), np.float64)
    if w.ndim > 1:
        raise RuntimeError(f"cov: cannot handle multidimensional {name}, of shape {w.shape}; wanted ({n},)")
    if w.shape != (n,):
        raise RuntimeError(f"cov: incompatible numbers of samples and {name}: {n} and {w.shape}; give one to each")
    known = underlying(w)
    if known is not None and np.any(np.less(known, 0)):
        raise ValueError(f"cov: {name} cannot be negative")
    return w


def conj(x: Any) -> Any:
    return conjugate(x) if x.dtype.kind == "c" else x


@implements(np.corrcoef)
def corrcoef(x: ArrayLike, y: ArrayLike | None = None, rowvar: bool = True, *, dtype: DTypeLike | None = None) -> Any:
    """Pearson's correlation coefficients, c_ij / sqrt(c_ii c_jj) of the covariances c, clipped to [-1, 1].

    The arguments and errors are those of `cov`; a variable that does not vary gives nan.

    >>> corrcoef(np.array([[0.0, 1.0, 2.0], [2.0, 1.0, 0.0]]))
    array([[ 1., -1.],
           [-1.,  1.]])
    """
    c = cov(x, y, rowvar, dtype=dtype)
    if c.ndim == 0:
        return c / c
    d = last_diagonal(c)
    s = np.sqrt(real(d) if d.dtype.kind == "c" else d)
    c = c / reshape(s, shape=(s.size, 1)) / reshape(s, shape=(1, s.size))
    return clipped(real(c)) + 1j * clipped(imag(c)) if c.dtype.kind == "c" else clipped(c)


def clipped(x: Any) -> Any:
    return np.minimum(np.maximum(x, -1), 1)
