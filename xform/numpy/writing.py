"""NumPy's functions that write into an array; with `inplace=False` they return a changed copy instead.

NumPy's own forms change their argument and return None. The copies are for programs without mutation, as JAX has them,
and for plain arrays into which traced values are to be written. Values are converted to the dtype of the array.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, SupportsIndex

import numpy as np

from xform.core.trace import Tracer, concrete
from xform.numpy.axes import axis_index
from xform.numpy.choosing import where as choose
from xform.numpy.creation import astype_of, copy
from xform.numpy.cumulative import cumsum
from xform.numpy.dispatch import ArrayLike, asarray, has_tracer
from xform.numpy.entries import at, fit
from xform.numpy.shaping import in_shape
from xform.numpy.taking import as_indices, in_range, take


def put(a: ArrayLike, ind: ArrayLike, v: ArrayLike, mode: str = "raise", *, inplace: bool = True) -> Any:
    """a.flat[ind] = v, where the values begin again if there are fewer than indices.

    Indices out of range raise IndexError; with mode="wrap" they are taken modulo the size, with "clip" they are the
    nearest end.

    >>> import xform
    >>> xform.jacobian(lambda v: put(np.zeros(3), [0, 2], v, inplace=False))(np.ones(2))
    array([[1., 0.],
           [0., 0.],
           [0., 1.]])
    """
    if inplace:
        return np.put(a, ind, v, mode)  # type: ignore[arg-type]
    if is_plain(a, ind, v):
        return written(np.put, a, ind, v, mode)
    x, i = asarray(a), flat(as_indices("put", ind))
    i, values = in_range("put", i, x.size, mode), cycled(v, np.arange(i.size), x.dtype)
    return in_shape(at(flat(x))[i].set(values), x.shape) if values.size else copy(x)


def place(arr: ArrayLike, mask: ArrayLike, vals: ArrayLike, *, inplace: bool = True) -> Any:
    """arr[mask] = vals, where the values begin again if there are fewer than entries to be set.

    Raises ValueError if the mask is of another size, or there are no values; TypeError if they are an array of a dtype
    that cannot safely be converted.

    >>> place(np.zeros(4), [True, False, True, True], [1.0, 2.0], inplace=False)
    array([1., 0., 2., 1.])
    """
    if inplace:
        return np.place(arr, mask, vals)  # type: ignore[arg-type]
    if is_plain(arr, mask, vals):
        return written(np.place, arr, mask, vals)
    x, chosen = asarray(arr), mask_like("place", arr, mask)
    values = cycled(safely("place", vals, x.dtype), cumsum(chosen) - 1, x.dtype)
    if not values.size:
        known = concrete(chosen)
        if known is not None and not known.any():
            return copy(x)
        raise ValueError("Cannot insert from an empty array! Wanted one value at least")
    return in_shape(choose(chosen, values, flat(x)), x.shape)


def putmask(a: ArrayLike, /, mask: ArrayLike, values: ArrayLike, *, inplace: bool = True) -> Any:
    """a.flat[n] = values[n] where the mask is true, where the values begin again if there are fewer than entries.

    Raises ValueError if the mask is of another size, TypeError if the values are an array of a dtype that cannot safely
    be converted.

    >>> putmask(np.zeros(4), [True, False, True, True], [1.0, 2.0], inplace=False)
    array([1., 0., 1., 2.])
    """
    if inplace:
        return np.putmask(a, mask, values)  # type: ignore[arg-type]
    if is_plain(a, mask, values):
        return written(np.putmask, a, mask, values)
    x, chosen = asarray(a), mask_like("putmask", a, mask)
    v = cycled(safely("putmask", values, x.dtype), np.arange(x.size), x.dtype)
    return in_shape(choose(chosen, v, flat(x)), x.shape) if v.size else copy(x)


def copyto(
    dst: ArrayLike, src: ArrayLike, casting: str = "same_kind", where: ArrayLike = True, *, inplace: bool = True
) -> Any:
    """dst[...] = src where the mask is true; the source, and the mask, broadcast to the shape of the array.

    Raises TypeError unless `casting` allows the conversion, ValueError for shapes that do not fit.

    >>> copyto(np.zeros(3), [1.0, 2.0, 3.0], where=[True, False, True], inplace=False)
    array([1., 0., 3.])
    """
    if inplace:
        return np.copyto(dst, src, casting, where)  # type: ignore[arg-type]
    if is_plain(dst, src, where):
        return written(np.copyto, dst, src, casting, where)
    x, y, mask = asarray(dst), asarray(src), asarray(where)
    weak = type(src) in (int, float, complex, bool) and np.result_type(x.dtype, src) == x.dtype
    if not weak:
        require_cast("copyto", y.dtype, x.dtype, casting)
    return choose(fit(mask, x.shape), astype_of(fit(y, x.shape), x.dtype), x)


def put_along_axis(
    arr: ArrayLike,
    indices: ArrayLike,
    values: ArrayLike,
    axis: SupportsIndex | None,
    inplace: bool = True,
    *,
    mode: str | None = None,
) -> Any:
    """Write where `take_along_axis` reads: arr[i, ..., k_(i...j), ..., j] = values_(i...j).

    `mode` says, for a copy, what an index out of range means: an IndexError (None), the nearest entry ("clip") or none
    ("drop"). Raises ValueError unless both arrays have the same number of axes, IndexError for indices that are not
    integers.

    >>> put_along_axis(np.zeros((2, 3)), np.array([[1], [0]]), [[5.0], [7.0]], 1, inplace=False)
    array([[0., 5., 0.],
           [7., 0., 0.]])
    """
    if inplace:
        return np.put_along_axis(arr, indices, values, axis)  # type: ignore[arg-type]
    x, i = asarray(arr), asarray(indices)
    if axis is None:
        if i.ndim != 1:
            raise ValueError(f"when axis=None, `indices` must have a single dimension; shape {i.shape} was given")
        return in_shape(put_along_axis(flat(x), i, values, 0, False, mode=mode), x.shape)
    k = axis_index(axis, x.ndim)
    if i.dtype.kind not in "iu":
        raise IndexError(f"`indices` must be an integer array; {i.dtype} was given")
    if i.ndim != x.ndim:
        raise ValueError(
            f"`indices` and `arr` must have the same number of dimensions; {i.shape}, {x.shape} were given"
        )
    index = tuple(i if n == k else along(np.arange(size), n, x.ndim) for n, size in enumerate(x.shape))
    return at(x)[index].set(astype_of(asarray(values), x.dtype), mode=mode)


def along(places: np.ndarray, axis: int, rank: int) -> np.ndarray:
    return places.reshape(*(1,) * axis, -1, *(1,) * (rank - 1 - axis))


def fill_diagonal(a: ArrayLike, val: ArrayLike, wrap: bool = False, *, inplace: bool = True) -> Any:
    """a[i, ..., i] = val, where the values begin again if there are fewer; `wrap` goes on below in tall matrices.

    Raises ValueError for a vector, and for more than two axes unless they are of one size.

    >>> import xform
    >>> xform.jvp(lambda v: fill_diagonal(np.zeros((2, 2)), v, inplace=False), (3.0,), (1.0,))[1]
    array([[1., 0.],
           [0., 1.]])
    """
    if inplace:
        return np.fill_diagonal(a, val, wrap)  # type: ignore[arg-type]
    if is_plain(a, val):
        return written(np.fill_diagonal, a, val, wrap)
    x = asarray(a)
    if x.ndim < 2:
        raise ValueError(f"array must be at least 2-d; shape {x.shape} was given")
    if x.ndim > 2 and len(set(x.shape)) > 1:
        raise ValueError(f"All dimensions of input must be of equal length; shape {x.shape} was given")
    end = x.shape[1] ** 2 if x.ndim == 2 and not wrap else None
    places = np.arange(x.size)[: end : sum(np.cumprod((1, *x.shape[:0:-1])))]
    values = cycled(val, np.arange(places.size), x.dtype)
    return in_shape(at(flat(x))[places].set(values), x.shape) if values.size else copy(x)


# --- helpers ---


def written(function: Callable[..., Any], a: Any, *args: Any) -> Any:
    """A copy of a plain array into which NumPy's function has written."""
    changed = np.array(a)
    function(changed, *args)
    return changed


def is_plain(*args: Any) -> bool:
    return not has_tracer(args, {})


def flat(x: Any) -> Any:
    return in_shape(x, (x.size,))


def mask_like(name: str, a: Any, mask: Any) -> Any:
    """The mask as a vector of booleans, one for each entry of the array; ValueError if there are more or fewer."""
    x, m = asarray(a), asarray(mask)
    if m.size != x.size:
        raise ValueError(f"{name}: mask and data must be the same size; shapes {m.shape} and {x.shape} were given")
    return flat(astype_of(m, np.dtype(bool)))


def safely(name: str, values: Any, dtype: np.dtype) -> Any:
    """The values, if they are numbers, or an array of a dtype that can be converted without loss; else TypeError."""
    if isinstance(values, np.ndarray | Tracer) and values.ndim:
        require_cast(name, values.dtype, dtype, "safe")
    return values


def require_cast(name: str, given: np.dtype, wanted: np.dtype, casting: Any) -> None:
    if not np.can_cast(given, wanted, casting):
        raise TypeError(
            f"{name}: Cannot cast array data from {given!r} to {wanted!r} according to the rule '{casting}'; convert "
            "the values, or the array, by astype"
        )


def cycled(values: Any, places: Any, dtype: np.dtype) -> Any:
    """The values, in a dtype, at places that may be beyond the last one, after which they begin again."""
    v = astype_of(flat(asarray(values)), dtype)
    return take(v, np.remainder(places, v.size)) if v.size else v
