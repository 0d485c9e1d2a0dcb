"""NumPy's functions of arrays as sets. Which entries are taken depends on the values, which must be known.

An entry taken keeps its derivative; of equal entries it is the first.
"""

from __future__ import annotations

from typing import Any, Literal, SupportsIndex

import numpy as np

from xform.core.trace import concrete, concrete_or_raise
from xform.numpy.dispatch import ArrayLike, asarray, implements, promote
from xform.numpy.reductions import any
from xform.numpy.taking import take
from xform.ops.structure import concatenate, reshape

SIZES = "The number of results depends on the values; keep all entries, with a mask or counts beside them"


def values(x: Any, name: str) -> Any:
    return concrete_or_raise(x, name, SIZES)


def flat(x: Any) -> Any:
    x = asarray(x)
    return x if len(x.shape) == 1 else reshape(x, shape=(x.size,))


@implements(np.unique)
def unique(
    ar: ArrayLike,
    return_index: bool = False,
    return_inverse: bool = False,
    return_counts: bool = False,
    axis: SupportsIndex | None = None,
    *,
    equal_nan: bool = True,
    sorted: bool = True,
) -> Any:
    """The different entries in ascending order, or along an axis the different subarrays.

    On request a tuple: with the indices of the first of each, those that rebuild the array from them, and the counts.

    >>> import xform
    >>> xform.grad(lambda x: unique(x).sum())(np.array([3.0, 1.0, 3.0]))
    array([1., 1., 0.])
    """
    a = asarray(ar)
    _, index, inverse, counts = np.unique(
        values(a, "unique"), True, True, True, None if axis is None else int(axis), equal_nan=equal_nan
    )
    taken = take(a, index, axis)
    extra = [x for x, wanted in ((index, return_index), (inverse, return_inverse), (counts, return_counts)) if wanted]
    return (taken, *extra) if extra else taken


@implements(np.unique_values)
def unique_values(x: ArrayLike) -> Any:
    """The different entries in ascending order; each nan counts.

    >>> unique_values(np.array([3.0, 1.0, 3.0])).shape
    (2,)
    """
    return unique(x, equal_nan=False)


@implements(np.unique_counts)
def unique_counts(x: ArrayLike) -> Any:
    """The different entries, and their numbers, as a named tuple.

    >>> unique_counts(np.array([3.0, 1.0, 3.0])).counts
    array([1, 2])
    """
    return type(np.unique_counts(0.0))(*unique(x, return_counts=True, equal_nan=False))


@implements(np.unique_inverse)
def unique_inverse(x: ArrayLike) -> Any:
    """The different entries, and the indices that rebuild the array from them, as a named tuple.

    >>> unique_inverse(np.array([3.0, 1.0, 3.0])).inverse_indices
    array([1, 0, 1])
    """
    return type(np.unique_inverse(0.0))(*unique(x, return_inverse=True, equal_nan=False))


@implements(np.unique_all)
def unique_all(x: ArrayLike) -> Any:
    """The different entries, the indices of their first, those that rebuild the array, and the numbers.

    >>> unique_all(np.array([3.0, 1.0, 3.0])).indices
    array([1, 0])
    """
    return type(np.unique_all(0.0))(*unique(x, True, True, True, equal_nan=False))


@implements(np.union1d)
def union1d(ar1: ArrayLike, ar2: ArrayLike) -> Any:
    """The entries of either array, in ascending order.

    >>> union1d([3.0, 1.0], [2.0, 1.0])
    array([1., 2., 3.])
    """
    return unique(concatenate(*promote(flat(ar1), flat(ar2)), axis=0))


@implements(np.intersect1d)
def intersect1d(ar1: ArrayLike, ar2: ArrayLike, assume_unique: bool = False, return_indices: bool = False) -> Any:
    """The entries of both arrays, in ascending order; with `return_indices` a tuple, with their indices in each.

    >>> intersect1d([3.0, 1.0], [2.0, 1.0])
    array([1.])
    """
    a, b = promote(flat(ar1), flat(ar2))
    _, i, j = np.intersect1d(values(a, "intersect1d"), values(b, "intersect1d"), assume_unique, return_indices=True)
    return (take(a, i), i, j) if return_indices else take(a, i)


@implements(np.setdiff1d)
def setdiff1d(ar1: ArrayLike, ar2: ArrayLike, assume_unique: bool = False) -> Any:
    """The entries of the first array that are not in the second, in ascending order unless `assume_unique`.

    >>> setdiff1d([3.0, 1.0], [2.0, 1.0])
    array([3.])
    """
    a = flat(ar1) if assume_unique else unique(ar1)
    absent = np.isin(values(a, "setdiff1d"), values(asarray(ar2), "setdiff1d"), invert=True)
    return take(a, np.flatnonzero(absent))


@implements(np.setxor1d)
def setxor1d(ar1: ArrayLike, ar2: ArrayLike, assume_unique: bool = False) -> Any:
    """The entries of exactly one of two arrays, in ascending order.

    >>> setxor1d([3.0, 1.0], [2.0, 1.0])
    array([2., 3.])
    """
    a, b = (flat(x) if assume_unique else unique(x) for x in (ar1, ar2))
    both = concatenate(*promote(a, b), axis=0)
    _, index, counts = np.unique(values(both, "setxor1d"), True, False, True, equal_nan=False)
    return take(both, index[counts == 1])


@implements(np.isin)
def isin(
    element: ArrayLike,
    test_elements: ArrayLike,
    assume_unique: bool = False,
    invert: bool = False,
    *,
    kind: Literal["sort", "table"] | None = None,
) -> Any:
    """Which entries are among the others? Booleans, which have no derivative.

    >>> isin(np.array([1.0, 2.0]), [2.0, 3.0])
    array([False,  True])
    """
    x, tests = asarray(element), flat(test_elements)
    known = concrete(x), concrete(tests)
    if known[0] is not None and known[1] is not None:
        return np.isin(*known, assume_unique=assume_unique, invert=invert, kind=kind)
    found = any(np.equal(reshape(x, shape=(*x.shape, 1)), tests), -1)
    return np.logical_not(found) if invert else found
