"""NumPy's functions that make arrays, where an argument can be traced: of given entries, filled, or copies."""

from __future__ import annotations

import functools
import warnings
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from xform.core.trace import EVAL, Tracer, context
from xform.numpy.dispatch import IMPLEMENTATIONS, ArrayLike, fresh, implements, maker
from xform.numpy.dispatch import asarray as as_value
from xform.numpy.shaping import Shape, as_shape, broadcast_to, in_shape, permuted
from xform.numpy.views import shadow_of
from xform.ops import structure
from xform.ops.select import select
from xform.ops.structure import convert


def laid_out(x: Any, order: str | None) -> Any:
    """`x`, or a copy where NumPy's array lies in another order in memory than is wanted."""
    if not isinstance(x, Tracer) or len(x.shape) < 2 or order not in ("C", "F"):
        return x
    flags = shadow_of(x).flags
    return x if (flags.c_contiguous if order == "C" else flags.f_contiguous) else fresh(x)


@implements(np.array, makes=True)
def array(
    object: ArrayLike,
    dtype: DTypeLike | None = None,
    *,
    copy: bool | None = True,
    order: str | None = "K",
    subok: bool = False,
    ndmin: int = 0,
    like: Any = None,
) -> Any:
    """An array of numbers, arrays or nested lists of them, traced or not.

    Unlike `numpy.array`, which would lose their derivatives, it takes lists that have traced values in them. Raises
    ValueError for a ragged list.

    >>> import xform
    >>> xform.jvp(lambda x: array([x, 1.0, x * x]), (3.0,), (1.0,))
    (array([3., 1., 9.]), array([1., 0., 6.]))
    """
    x = as_value(object)
    y = x if dtype is None else astype_of(x, np.dtype(dtype))
    shape = (*(1,) * (ndmin - len(y.shape)), *y.shape)
    if copy and y is object:
        return fresh(in_shape(y, shape))
    return y if shape == y.shape else IMPLEMENTATIONS[np.reshape](y, shape)


@implements(np.asarray)
def asarray(
    a: ArrayLike,
    dtype: DTypeLike | None = None,
    order: str | None = None,
    *,
    device: str | None = None,
    copy: bool | None = None,
    like: Any = None,
) -> Any:
    """`array` without a copy where none is needed.

    >>> import xform
    >>> xform.grad(lambda x: asarray([[x, x]]).sum())(3.0)
    np.float64(2.0)
    """
    return laid_out(array(a, dtype, copy=bool(copy)), order)


@implements(np.asanyarray)
def asanyarray(
    a: ArrayLike,
    dtype: DTypeLike | None = None,
    order: str | None = None,
    *,
    device: str | None = None,
    copy: bool | None = None,
    like: Any = None,
) -> Any:
    """The same as `asarray` for traced values."""
    return laid_out(array(a, dtype, copy=bool(copy)), order)


@implements(np.ascontiguousarray)
def ascontiguousarray(a: ArrayLike, dtype: DTypeLike | None = None, *, like: Any = None) -> Any:
    """`asarray` with one axis at least, and a copy where NumPy copies because of the order in memory."""
    return laid_out(array(a, dtype, copy=False, ndmin=1), "C")


@implements(np.asfortranarray)
def asfortranarray(a: ArrayLike, dtype: DTypeLike | None = None, *, like: Any = None) -> Any:
    """`asarray` with one axis at least, and a copy where NumPy copies because of the order in memory."""
    return laid_out(array(a, dtype, copy=False, ndmin=1), "F")


@implements(np.copy, makes=True)
def copy(a: ArrayLike, order: str = "K", subok: bool = False) -> Any:
    """A copy, which is written into without that the original changes: also one of an array from outside."""
    return fresh(as_value(a))


@implements(getattr(np, "astype", None))
def astype(x: Any, dtype: DTypeLike, /, *, copy: bool = True, device: str | None = None) -> Any:
    """The array in another dtype; integers and booleans have no derivative.

    Of complex numbers that become real the imaginary part is dropped, with a ComplexWarning.

    >>> import xform
    >>> xform.grad(lambda x: x * astype(x, int))(3.5)
    np.float64(3.0)
    """
    value = as_value(x)
    return fresh(value) if copy and value.dtype == dtype else astype_of(value, np.dtype(dtype))


def astype_of(x: Any, dtype: np.dtype) -> Any:
    if x.dtype == dtype:
        return x
    if x.dtype.kind == "c" and dtype.kind not in "cb":
        message = "Casting complex values to real discards the imaginary part"
        warnings.warn(message, np.exceptions.ComplexWarning, stacklevel=4)
    if dtype.kind not in "fciub":
        raise TypeError(
            f"a traced array holds numbers and cannot be of dtype {dtype}; wanted bool, int, float or complex"
        )
    return convert(x, dtype=dtype)


# --- filled ---


def filled(value: Any, shape: tuple[int, ...]) -> Any:
    """A new array with the entries of a value that is broadcast to its shape, and may have more axes of size 1."""
    extra = len(value.shape) - len(shape)
    if extra > 0 and value.shape[:extra] == (1,) * extra:
        value = in_shape(value, value.shape[extra:])
    y = broadcast_to(value, shape)
    return fresh(y)


@implements(np.full, makes=True)
def full(
    shape: Shape,
    fill_value: ArrayLike,
    dtype: DTypeLike | None = None,
    order: str = "C",
    *,
    device: str | None = None,
    like: Any = None,
) -> Any:
    """An array of this shape with all entries equal to `fill_value`, or broadcast from it.

    >>> import xform
    >>> xform.grad(lambda x: full((2, 3), x).sum())(1.0)
    np.float64(6.0)
    """
    return filled(array(fill_value, dtype), as_shape(shape))


def like_options(a: Any, dtype: Any, shape: Any) -> tuple[tuple[int, ...], np.dtype]:
    """Shape and dtype of a new array that are those of `a` unless given."""
    x = as_value(a)
    return x.shape if shape is None else as_shape(shape), x.dtype if dtype is None else np.dtype(dtype)


@implements(np.full_like, makes=True)
def full_like(
    a: ArrayLike,
    fill_value: ArrayLike,
    dtype: DTypeLike | None = None,
    order: str = "K",
    subok: bool = True,
    shape: Shape | None = None,
    *,
    device: str | None = None,
) -> Any:
    """An array of the shape and dtype of `a` with all entries equal to `fill_value`, or broadcast from it.

    >>> import xform
    >>> xform.grad(lambda x: full_like(np.ones(3), x).sum())(1.0)
    np.float64(3.0)
    """
    new_shape, new_dtype = like_options(a, dtype, shape)
    return filled(array(fill_value, new_dtype), new_shape)


@implements(np.zeros_like, makes=True)
def zeros_like(
    a: ArrayLike,
    dtype: DTypeLike | None = None,
    order: str = "K",
    subok: bool = True,
    shape: Shape | None = None,
    *,
    device: str | None = None,
) -> Any:
    """Zeros in the shape and dtype of `a`, which do not depend on its entries, to be written into.

    >>> import xform
    >>> xform.grad(lambda x: (x + zeros_like(x)).sum())(np.ones(2))
    array([1., 1.])
    """
    return fresh(np.zeros(*like_options(a, dtype, shape)))


@implements(np.ones_like, makes=True)
def ones_like(
    a: ArrayLike,
    dtype: DTypeLike | None = None,
    order: str = "K",
    subok: bool = True,
    shape: Shape | None = None,
    *,
    device: str | None = None,
) -> Any:
    """Ones in the shape and dtype of `a`, which do not depend on its entries, to be written into.

    >>> import xform
    >>> xform.grad(lambda x: (x * ones_like(x)).sum())(np.ones(2))
    array([1., 1.])
    """
    return fresh(np.ones(*like_options(a, dtype, shape)))


@implements(np.empty_like, makes=True)
def empty_like(
    prototype: ArrayLike,
    /,
    dtype: DTypeLike | None = None,
    order: str = "K",
    subok: bool = True,
    shape: Shape | None = None,
    *,
    device: str | None = None,
) -> Any:
    """An array in the shape and dtype of `prototype`, to be written into; until then its entries are zero."""
    return fresh(np.zeros(*like_options(prototype, dtype, shape)))


@functools.wraps(np.empty)
def empty(*args: Any, **kwargs: Any) -> Any:
    """An array to be written into; inside a transformation its entries are zero until then."""
    return np.empty(*args, **kwargs) if context.trace is EVAL else fresh(np.zeros(*args, **kwargs))


def making(theirs: Any) -> Any:
    """NumPy's function; inside a transformation, traced values can be written into the array that it makes."""
    return functools.wraps(theirs)(maker(theirs))


zeros, ones, eye, identity, tri = map(making, (np.zeros, np.ones, np.eye, np.identity, np.tri))


# --- matrices ---


@implements(np.diag)
def diag(v: ArrayLike, k: int = 0) -> Any:
    """A square matrix with the vector `v` on its k-th diagonal, or the k-th diagonal of a matrix.

    >>> import xform
    >>> xform.grad(lambda x: diag(x)[1, 1])(np.ones(2))
    array([0., 1.])
    """
    v = as_value(v)
    if v.ndim == 2:
        return IMPLEMENTATIONS[np.diagonal](v, k)
    if v.ndim != 1:
        raise ValueError(f"Input must be 1- or 2-d; shape {v.shape} was given")
    return with_diagonal(v, k)


def with_diagonal(v: Any, k: int) -> Any:
    """The vector on the k-th diagonal of zeros: in C order its entries stand n + 1 apart."""
    n = v.shape[0] + abs(k)
    start = k if k >= 0 else -k * n
    flat = structure.pad(v, shape=(n * n,), index=((start if v.shape[0] else 0, v.shape[0], n + 1),))
    return in_shape(flat, (n, n))


@implements(np.diagflat)
def diagflat(v: ArrayLike, k: int = 0) -> Any:
    """A square matrix with the flattened `v` on its k-th diagonal.

    >>> import xform
    >>> xform.eval_shape(lambda x: diagflat(x, 1), np.ones((2, 2)))
    f64[5,5]
    """
    v = as_value(v)
    return with_diagonal(in_shape(v, (v.size,)), k)


@implements(np.tril)
def tril(m: ArrayLike, k: int = 0) -> Any:
    """The matrix (or stack of matrices) with zeros above the k-th diagonal.

    >>> import xform
    >>> xform.grad(lambda x: tril(x).sum())(np.ones((2, 2)))
    array([[1., 0.],
           [1., 1.]])
    """
    m = as_value(m)
    return select(triangle(m, k), m, np.zeros((), m.dtype))


@implements(np.triu)
def triu(m: ArrayLike, k: int = 0) -> Any:
    """The matrix (or stack of matrices) with zeros below the k-th diagonal.

    >>> import xform
    >>> xform.grad(lambda x: triu(x, 1).sum())(np.ones((2, 2)))
    array([[0., 1.],
           [0., 0.]])
    """
    m = as_value(m)
    return select(triangle(m, k - 1), np.zeros((), m.dtype), m)


def triangle(m: Any, k: int) -> np.ndarray:
    """True on and below the k-th diagonal of the last two axes."""
    if m.ndim < 1:
        raise ValueError("tril and triu want a matrix or a stack of matrices; a number was given")
    return np.tri(*m.shape[-2:], k=k, dtype=bool) if m.ndim > 1 else np.tri(m.shape[0], k=k, dtype=bool)


@implements(np.meshgrid)
def meshgrid(*xi: ArrayLike, copy: bool = True, sparse: bool = False, indexing: str = "xy") -> tuple[Any, ...]:
    """The coordinates of a grid: the k-th array repeated along all axes but the k-th.

    With `indexing="xy"` the first two axes are exchanged; with `sparse` sizes of one stand for the repeated axes.

    >>> import xform
    >>> xform.eval_shape(lambda x, y: meshgrid(x, y), np.ones(3), np.ones(2))
    (f64[2,3], f64[2,3])
    """
    if indexing not in ("xy", "ij"):
        raise ValueError(f"Valid values for `indexing` are 'xy' and 'ij'; {indexing!r} was given")
    arrays = [as_value(x) for x in xi]
    sizes, rank = tuple(x.size for x in arrays), len(arrays)
    swap = indexing == "xy" and rank > 1
    grids = [in_shape(x, (*(1,) * k, x.size, *(1,) * (rank - 1 - k))) for k, x in enumerate(arrays)]
    if not sparse:
        grids = [broadcast_to(x, sizes) for x in grids]
    grids = [permuted(x, (1, 0, *range(2, rank))) if swap else x for x in grids]
    return tuple(map(fresh, grids) if copy else grids)
