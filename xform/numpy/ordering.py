"""NumPy's sorting and searching: sort and partition rearrange, with derivatives; the others give indices, without."""

from __future__ import annotations

from typing import Any, Literal, SupportsIndex

import numpy as np

from xform.core.trace import Tracer, concrete_or_raise, underlying
from xform.numpy.axes import Axis, axis_index
from xform.numpy.dispatch import ArrayLike, as_dtype, asarray, implements
from xform.numpy.taking import first_entries
from xform.ops import sorting
from xform.ops.indexing.index import gather, take_along_axis
from xform.ops.select import select
from xform.ops.structure import reshape, slice_

#: dtypes, by their characters, that `sort_complex` does not make complex128
COMPLEX = {"b": np.complex64, "h": np.complex64, "B": np.complex64, "H": np.complex64, "g": np.clongdouble}


@implements(np.sort)
def sort(
    a: ArrayLike, axis: Axis = -1, kind: str | None = None, order: None = None, *, stable: bool | None = None
) -> Any:
    """The entries along an axis (None: all of them) in ascending order, nan last; derivatives move with the entries.

    The algorithm, `kind` or `stable`, makes no difference to the result; of equal entries the first comes first.
    Raises AxisError for a number, ValueError for an unknown kind.

    >>> import xform
    >>> xform.jvp(sort, (np.array([3.0, 1.0]),), (np.array([10.0, 20.0]),))
    (array([1., 3.]), array([20., 10.]))
    """
    check_options(kind, order, stable)
    a, k = lane(asarray(a), axis)
    return sorting.sort(a, axis=k)


@implements(np.argsort)
def argsort(
    a: ArrayLike, axis: Axis = -1, kind: str | None = None, order: None = None, *, stable: bool | None = None
) -> Any:
    """The indices that sort along an axis (None: of all entries): integers, which have no derivative.

    Those of equal entries ascend if the algorithm is stable.

    >>> argsort(np.array([3.0, 1.0, 2.0]))
    array([1, 2, 0])
    """
    check_options(kind, order, stable)
    a, k = lane(as_vector_if_number(asarray(a)), axis)
    return sorting.argsort(a, axis=k, stable=bool(stable) or (kind is not None and kind[0] in "sSmM"))


@implements(np.sort_complex)
def sort_complex(a: ArrayLike) -> Any:
    """The entries along the last axis in ascending order, real parts first, as complex numbers.

    >>> sort_complex(np.array([3.0, 1.0]))
    array([1.+0.j, 3.+0.j])
    """
    y = sort(a)
    if y.dtype.kind == "c":
        return y
    return as_dtype(
        y, {"b": np.complex64, "h": np.complex64, "B": np.complex64, "H": np.complex64}.get(y.dtype.char, complex)
    )


def check_options(kind: Any, order: Any, stable: Any) -> None:
    """NumPy's errors for its sorting algorithms."""
    if kind is not None or order is not None:
        np.sort(np.zeros(1), kind=kind, order=order, stable=stable)


def lane(a: Any, axis: Any) -> tuple[Any, int]:
    """The array, or for None the vector of its entries, and the axis counted from the front."""
    if axis is None:
        return (a if len(a.shape) == 1 else reshape(a, shape=(a.size,))), 0
    return a, axis_index(axis, len(a.shape))


def as_vector_if_number(a: Any) -> Any:
    return a if a.shape else reshape(a, shape=(1,))


@implements(np.partition)
def partition(
    a: ArrayLike, kth: Any, axis: Axis = -1, kind: Literal["introselect"] = "introselect", order: None = None
) -> Any:
    """The entries along an axis with those at the positions `kth` where sorting would put them, smaller ones before.

    Derivatives move with the entries. Raises ValueError for a position out of range, TypeError for a non-integer.

    >>> partition(np.array([3.0, 1.0, 2.0]), 0)[0]
    np.float64(1.0)
    """
    np.partition(np.zeros(1), 0, kind=kind, order=order)
    a, k = lane(asarray(a), axis)
    return sorting.partition(a, kth=positions(kth, a, k), axis=k)


@implements(np.argpartition)
def argpartition(
    a: ArrayLike, kth: Any, axis: Axis = -1, kind: Literal["introselect"] = "introselect", order: None = None
) -> Any:
    """The indices that partition along an axis: integers, which have no derivative.

    >>> argpartition(np.array([3.0, 1.0, 2.0]), 0)[0]
    np.int64(1)
    """
    np.partition(np.zeros(1), 0, kind=kind, order=order)
    a, k = lane(as_vector_if_number(asarray(a)), axis)
    return sorting.argpartition(a, kth=positions(kth, a, k), axis=k)


def positions(kth: Any, a: Any, axis: int) -> tuple[int, ...]:
    """`kth` as positions from the front, with NumPy's errors."""
    if isinstance(kth, Tracer):
        kth = concrete_or_raise(kth, "partition", "Give the positions as integers that are not traced, or sort instead")
    k, n = np.asarray(kth), a.shape[axis]
    if k.dtype.kind == "b":
        raise ValueError(f"partition: kth={kth} was given: Booleans unacceptable as partition index; give integers")
    if k.dtype.kind not in "iu":
        raise TypeError(f"partition: kth={kth} was given: Partition index must be integer")
    if k.ndim > 1:
        raise ValueError(f"partition: kth has shape {k.shape}; wanted an integer or a sequence of them")
    given = k.reshape(-1).tolist()
    if a.size and not all(-n <= i < n for i in given):
        raise ValueError(f"partition: kth={kth} is out of bounds for axis {axis} of shape {a.shape}")
    return tuple(i + n if i < 0 else i for i in given)


@implements(np.lexsort)
def lexsort(keys: Any, axis: SupportsIndex = -1) -> Any:
    """The indices that sort along an axis by several keys, the last one first: integers, which have no derivative.

    Raises TypeError if there are no keys, ValueError if they differ in shape.

    >>> lexsort((np.array([1, 2, 1]), np.array([3, 1, 3])))
    array([1, 0, 2])
    """
    rows = [asarray(k) for k in keys] if isinstance(keys, list | tuple) else first_entries(asarray(keys))
    if not rows:
        raise TypeError("need sequence of keys with len > 0 in lexsort")
    shape = rows[0].shape
    if any(k.shape != shape for k in rows):
        raise ValueError(f"lexsort: all keys need to be the same shape, not {[k.shape for k in rows]}")
    if not shape:
        axis_index(axis, 1)  # NumPy takes a number for an array of one entry
        return np.intp(0)
    k = axis_index(axis, len(shape))
    order = sorting.argsort(rows[0], axis=k, stable=True)
    for key in rows[1:]:
        step = sorting.argsort(take_along_axis(key, order, k), axis=k, stable=True)
        order = take_along_axis(order, step, k)
    return order


@implements(np.searchsorted)
def searchsorted(a: ArrayLike, v: ArrayLike, side: str = "left", sorter: ArrayLike | None = None) -> Any:
    """The indices before which values go into a sorted vector to keep it sorted: integers, which have no derivative.

    Of equal entries they go before the first, with side="right" behind the last. `sorter` are the indices that sort
    `a`. Raises ValueError if `a` is not a vector, for another `side`, and if `sorter` has another size.

    >>> searchsorted(np.array([1.0, 2.0, 3.0]), [0.5, 2.0])
    array([0, 1])
    """
    a, v = asarray(a), asarray(v)
    if len(a.shape) != 1:
        raise ValueError(f"searchsorted: an array of shape {a.shape} was given, wanted a sorted vector")
    if side not in ("left", "right"):
        raise ValueError(f"searchsorted: side={side!r} was given; search side must be 'left' or 'right'")
    if sorter is not None:
        order = asarray(sorter)
        if order.dtype.kind not in "iu":
            raise TypeError(f"searchsorted: sorter must only contain integers, but has dtype {order.dtype}")
        if order.shape != a.shape:
            raise ValueError(f"searchsorted: sorter has shape {order.shape}; sorter.size must equal a.size, {a.size}")
        a = gather(a, order, axes=(0,), at=0)
    return sorting.searchsorted(a, v, side=side)


@implements(np.digitize)
def digitize(x: ArrayLike, bins: ArrayLike, right: bool = False) -> Any:
    """The numbers of the bins that entries fall into, bins[i-1] <= x < bins[i]: integers, which have no derivative.

    With `right` the bins are closed there; they may descend. Raises ValueError unless they are monotonic.

    >>> digitize(np.array([0.5, 2.0]), [1.0, 2.0, 3.0])
    array([0, 2])
    """
    x, bins = asarray(x), asarray(bins)
    if x.dtype.kind == "c":
        raise TypeError("digitize: x may not be complex")
    if len(bins.shape) != 1:
        raise ValueError(f"digitize: bins of shape {bins.shape} were given, wanted a monotonic vector")
    n, side = bins.size, "left" if right else "right"
    falling = is_falling(bins)
    if falling is False:
        return sorting.searchsorted(bins, x, side=side)
    down = n - sorting.searchsorted(slice_(bins, index=((n - 1, n, -1),)), x, side=side)
    return down if falling is True else select(falling, down, sorting.searchsorted(bins, x, side=side))


def is_falling(bins: Any) -> Any:
    """Do the bins descend? Where that is not known, of several sets of bins or before there are numbers, a tracer."""
    if bins.size < 2:
        return False
    known = underlying(bins)
    if known is None or len(known.shape) != 1:
        return np.less(*(gather(bins, np.intp(k), axes=(0,), at=0) for k in (bins.size - 1, 0)))
    if np.all(known[1:] >= known[:-1]):
        return False
    if not np.all(known[1:] <= known[:-1]):
        raise ValueError("digitize: bins must be monotonically increasing or decreasing; sort them")
    return True
