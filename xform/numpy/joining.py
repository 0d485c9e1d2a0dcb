"""NumPy's functions that join arrays, and take them apart again."""

from __future__ import annotations

import itertools
import operator
from collections.abc import Sequence
from typing import Any, SupportsIndex

import numpy as np
from numpy.typing import DTypeLike

from xform.numpy.axes import axis_index
from xform.numpy.dispatch import ArrayLike, as_dtype, asarray, implements, reject
from xform.numpy.shaping import atleast_1d, atleast_2d, atleast_3d, broadcast_to, in_shape, moveaxis
from xform.ops import stack as stacking
from xform.ops import structure
from xform.ops.indexing.index import gather
from xform.ops.structure import slice_

Arrays = Sequence[ArrayLike] | ArrayLike
_SCALARS = (int, float, complex)


@implements(np.concatenate)
def concatenate(
    arrays: Arrays,
    /,
    axis: SupportsIndex | None = 0,
    out: None = None,
    *,
    dtype: DTypeLike | None = None,
    casting: str = "same_kind",
) -> Any:
    """Join arrays along an axis that they have, or flattened with axis None.

    Raises ValueError for no arrays or for shapes that do not fit, TypeError for a `dtype` to which `casting` does not
    lead.

    >>> import xform
    >>> xform.grad(lambda x: concatenate([x, x])[2:].sum())(np.ones(2))
    array([1., 1.])
    """
    if out is not None:
        reject("concatenate", out=out)
    values = [asarray(x) for x in arrays]
    if not values:
        raise ValueError("need at least one array to concatenate")
    if axis is None:
        weak = [x if type(x) in _SCALARS else v for x, v in zip(arrays, values, strict=True)]
        flat = [in_shape(x, (x.size,)) for x in values]
        return structure.concatenate(*in_one_dtype("concatenate", flat, weak, dtype, casting), axis=0)
    axis = check_shapes(values, axis)
    values = in_one_dtype("concatenate", values, values, dtype, casting)
    return structure.concatenate(*values, axis=axis) if len(values) > 1 else values[0]


concat = concatenate


def in_one_dtype(name: str, values: list[Any], weak: Sequence[Any], dtype: Any, casting: str) -> list[Any]:
    """Arrays in a dtype, by default their common one (in which numbers of `weak` are weak), if `casting` allows it."""
    first = values[0].dtype
    if dtype is None:
        if values is weak and all(x.dtype == first for x in values):
            return values
        dtype = np.result_type(*(x if type(x) in _SCALARS else x.dtype for x in weak))
    dtype = np.dtype(dtype)
    for x in values:
        if not np.can_cast(x.dtype, dtype, casting):  # type: ignore[arg-type]
            raise TypeError(
                f"{name}: cannot cast array data from {x.dtype!r} to {dtype!r} according to the rule '{casting}'; "
                "convert it with astype, or give casting='unsafe'"
            )
    return [as_dtype(x, dtype) for x in values]


def check_shapes(values: Sequence[Any], axis: SupportsIndex) -> int:
    """The axis, counted from the front, of arrays to be joined; they have one shape but for the size along it."""
    first = values[0].shape
    rank = len(first)
    if not first:
        raise ValueError("zero-dimensional arrays cannot be concatenated; use stack, or axis=None")
    axis = axis_index(axis, rank)
    front, back = first[:axis], first[axis + 1 :]
    for k, x in enumerate(values):
        shape = x.shape
        if len(shape) != rank:
            raise ValueError(
                "all the input array dimensions must match in number, but the array at index 0 has "
                f"{rank} and the array at index {k} has {len(shape)} (shapes {first} and {shape})"
            )
        if shape[:axis] != front or shape[axis + 1 :] != back:
            raise ValueError(
                "all the input array dimensions except for the concatenation axis must match exactly, but "
                f"the array at index 0 has shape {first} and the array at index {k} has shape {shape} (axis {axis})"
            )
    return axis


@implements(np.stack)
def stack(
    arrays: Arrays,
    axis: SupportsIndex = 0,
    out: None = None,
    *,
    dtype: DTypeLike | None = None,
    casting: str = "same_kind",
) -> Any:
    """Join arrays of one shape along a new axis; ValueError if the shapes differ.

    >>> import xform
    >>> xform.grad(lambda x: stack([x, 2 * x])[1])(3.0)
    np.float64(2.0)
    """
    if out is not None:
        reject("stack", out=out)
    values = [asarray(x) for x in arrays]
    if not values:
        raise ValueError("need at least one array to stack")
    shape = values[0].shape
    if any(x.shape != shape for x in values):
        raise ValueError(
            "all input arrays must have the same shape; arrays of shapes "
            f"{sorted({x.shape for x in values})} were given"
        )
    axis = axis_index(axis, len(shape) + 1)
    return stacking.stack(*in_one_dtype("stack", values, values, dtype, casting), axis=axis)


def several(arys: Any, grow: Any) -> list[Any]:
    """The arrays with so many axes at least."""
    grown = grow(*arys)
    return list(grown) if isinstance(grown, tuple) else [grown]


@implements(np.vstack)
def vstack(tup: Arrays, *, dtype: DTypeLike | None = None, casting: str = "same_kind") -> Any:
    """Join arrays along the first axis, vectors as rows.

    >>> import xform
    >>> xform.eval_shape(vstack, [np.ones(3), np.ones((2, 3))])
    f64[3,3]
    """
    return concatenate(several(tup, atleast_2d), 0, dtype=dtype, casting=casting)


@implements(np.hstack)
def hstack(tup: Arrays, *, dtype: DTypeLike | None = None, casting: str = "same_kind") -> Any:
    """Join arrays along the second axis, vectors along their only one.

    >>> import xform
    >>> xform.eval_shape(hstack, [np.ones((2, 1)), np.ones((2, 3))])
    f64[2,4]
    """
    arrays = several(tup, atleast_1d)
    return concatenate(arrays, 0 if arrays and len(arrays[0].shape) == 1 else 1, dtype=dtype, casting=casting)


@implements(np.dstack)
def dstack(tup: Arrays) -> Any:
    """Join arrays along the third axis, vectors and matrices as layers of a cube.

    >>> import xform
    >>> xform.eval_shape(dstack, [np.ones(3), np.ones(3)])
    f64[1,3,2]
    """
    return concatenate(several(tup, atleast_3d), 2)


@implements(np.column_stack)
def column_stack(tup: Arrays) -> Any:
    """Join vectors as columns, and matrices along their second axis.

    >>> import xform
    >>> xform.eval_shape(column_stack, [np.ones(3), np.ones((3, 2))])
    f64[3,3]
    """
    arrays = [asarray(x) for x in tup]
    columns = [x if len(x.shape) > 1 else in_shape(x, (x.size, 1)) for x in arrays]
    return concatenate(columns, 1)


@implements(np.block)
def block(arrays: Any) -> Any:
    """Join nested lists of blocks: the innermost along the last axis, the next along the last but one, and so on.

    Raises ValueError if the lists are not nested evenly or the blocks do not fit.

    >>> import xform
    >>> xform.jvp(lambda x: block([[x, 0.0], [0.0, x * x]]), (3.0,), (1.0,))[1]
    array([[1., 0.],
           [0., 6.]])
    """
    depth, leaves = nesting(arrays)
    rank = max(depth, *(len(x.shape) for x in leaves))
    if rank > stacking.MOST_AXES:
        raise ValueError(f"block: a list nested {depth} deep was given, wanted at most {stacking.MOST_AXES}")
    return joined_blocks(arrays, rank, rank - depth)


def nesting(arrays: Any) -> tuple[int, list[Any]]:
    """How deep the lists are nested, which must be the same everywhere, and the blocks."""
    depth, level = 0, [arrays]
    while any(isinstance(x, list | tuple) for x in level):
        if any(isinstance(x, tuple) for x in level):
            raise TypeError("block: a tuple was given among the blocks; only lists can be used to arrange blocks")
        if not all(isinstance(x, list) for x in level):
            raise ValueError(
                f"block: List depths are mismatched, at depth {depth}; nest all blocks in equally many lists"
            )
        if not all(level):
            raise ValueError(f"block: List at depth {depth} cannot be empty")
        depth, level = depth + 1, [y for x in level for y in x]
    return depth, [asarray(x) for x in level]


def joined_blocks(arrays: Any, rank: int, axis: int) -> Any:
    """Blocks at depth `axis` of the nest, joined along that axis."""
    if not isinstance(arrays, list):
        x = asarray(arrays)
        return in_shape(x, (*(1,) * (rank - len(x.shape)), *x.shape))
    return concatenate([joined_blocks(x, rank, axis + 1) for x in arrays], axis)


@implements(np.append)
def append(arr: ArrayLike, values: ArrayLike, axis: SupportsIndex | None = None) -> Any:
    """Join values to the end of an array along an axis, or both flattened.

    >>> import xform
    >>> xform.jvp(lambda x: append(np.ones(2), x), (3.0,), (1.0,))
    (array([1., 1., 3.]), array([0., 0., 1.]))
    """
    first, second = asarray(arr), asarray(values)
    if axis is None:
        return concatenate([in_shape(first, (first.size,)), in_shape(second, (second.size,))])
    return concatenate([first, second], axis)


# --- taking apart ---


def section(x: Any, start: int, stop: int, axis: int) -> Any:
    """x[..., start:stop, ...] for a start and stop in range."""
    count = max(stop - start, 0)
    return slice_(
        x, index=tuple((start if count else 0, count, 1) if k == axis else (0, n, 1) for k, n in enumerate(x.shape))
    )


@implements(np.array_split)
def array_split(ary: ArrayLike, indices_or_sections: Any, axis: SupportsIndex = 0) -> list[Any]:
    """Parts of an array along an axis: so many, as equal as can be, or those between the given places.

    >>> import xform
    >>> xform.eval_shape(lambda x: array_split(x, 2), np.ones(5))
    [f64[3], f64[2]]
    """
    x = asarray(ary)
    axis = axis_index(axis, x.ndim)
    n = x.shape[axis]
    if hasattr(indices_or_sections, "__len__"):
        places = [operator.index(i) for i in indices_or_sections]
        bounds = [slice(a, b).indices(n)[:2] for a, b in zip([0, *places], [*places, n], strict=True)]
    else:
        sections = operator.index(indices_or_sections)
        if sections <= 0:
            raise ValueError(f"number sections must be larger than 0; {sections} was given")
        size, extra = n // sections, n % sections
        starts = [k * size + min(k, extra) for k in range(sections + 1)]
        bounds = list(itertools.pairwise(starts))
    return [section(x, a, b, axis) for a, b in bounds]


@implements(np.split)
def split(ary: ArrayLike, indices_or_sections: Any, axis: SupportsIndex = 0) -> list[Any]:
    """Parts of an array along an axis: so many equal ones, or those between the given places.

    Raises ValueError if the parts cannot be equal.

    >>> import xform
    >>> xform.eval_shape(lambda x: split(x, [1, 3]), np.ones(5))
    [f64[1], f64[2], f64[2]]
    """
    x = asarray(ary)
    if not hasattr(indices_or_sections, "__len__"):
        n, sections = x.shape[axis_index(axis, x.ndim)], operator.index(indices_or_sections)
        if not sections:
            raise ZeroDivisionError(f"split: {n} entries into 0 parts; wanted one part at least")
        if sections > 0 and n % sections:
            raise ValueError(f"array split does not result in an equal division: {n} entries into {sections} parts")
    return array_split(x, indices_or_sections, axis)


@implements(np.hsplit)
def hsplit(ary: ArrayLike, indices_or_sections: Any) -> list[Any]:
    """`split` along the second axis, of a vector along its only one."""
    x = asarray(ary)
    if not x.ndim:
        raise ValueError("hsplit only works on arrays of 1 or more dimensions")
    return split(x, indices_or_sections, 1 if x.ndim > 1 else 0)


@implements(np.vsplit)
def vsplit(ary: ArrayLike, indices_or_sections: Any) -> list[Any]:
    """`split` along the first axis of an array of two axes or more."""
    x = asarray(ary)
    if x.ndim < 2:
        raise ValueError(f"vsplit only works on arrays of 2 or more dimensions; shape {x.shape} was given")
    return split(x, indices_or_sections, 0)


@implements(np.dsplit)
def dsplit(ary: ArrayLike, indices_or_sections: Any) -> list[Any]:
    """`split` along the third axis of an array of three axes or more."""
    x = asarray(ary)
    if x.ndim < 3:
        raise ValueError(f"dsplit only works on arrays of 3 or more dimensions; shape {x.shape} was given")
    return split(x, indices_or_sections, 2)


@implements(getattr(np, "unstack", None))
def unstack(x: ArrayLike, /, *, axis: SupportsIndex = 0) -> tuple[Any, ...]:
    """The arrays of which `stack` along the axis would make `x`.

    >>> import xform
    >>> xform.eval_shape(unstack, np.ones((2, 3)))
    (f64[3], f64[3])
    """
    x = asarray(x)
    if not x.ndim:
        raise ValueError("Input array must be at least 1-d.")
    axis = axis_index(axis, x.ndim)
    whole = [(0, n, 1) for n in x.shape]
    return tuple(slice_(x, index=(*whole[:axis], k, *whole[axis + 1 :])) for k in range(x.shape[axis]))


# --- entries put in and left out ---


def flat_or_along(arr: Any, axis: Any) -> tuple[Any, int]:
    """The array and an axis of it: flattened without one."""
    x = asarray(arr)
    return (in_shape(x, (x.size,)), 0) if axis is None else (x, axis_index(axis, x.ndim))


@implements(np.delete)
def delete(arr: ArrayLike, obj: Any, axis: SupportsIndex | None = None) -> Any:
    """The array without the entries (rows, ...) at `obj`, an integer, a slice, integers or a mask.

    >>> import xform
    >>> xform.grad(lambda x: delete(x, 1).sum())(np.ones(3))
    array([1., 0., 1.])
    """
    x, axis = flat_or_along(arr, axis)
    kept = np.delete(np.arange(x.shape[axis]), obj)  # raises NumPy's errors
    return gather(x, kept, axes=(axis,), at=axis)


@implements(np.insert)
def insert(arr: ArrayLike, obj: Any, values: ArrayLike, axis: SupportsIndex | None = None) -> Any:
    """The array with values put in before the entries (rows, ...) at `obj`, an integer, a slice, integers or a mask.

    The values are cast to the array's dtype.

    >>> import xform
    >>> xform.jvp(lambda v: insert(np.ones(2), 1, v), (5.0,), (1.0,))
    (array([1., 5., 1.]), array([0., 1., 0.]))
    """
    x, axis = flat_or_along(arr, axis)
    n, v = x.shape[axis], as_dtype(asarray(values), x.dtype)
    v = in_shape(v, (*(1,) * (x.ndim - v.ndim), *v.shape))
    if not isinstance(obj, slice) and np.ndim(obj) == 0:
        v = moveaxis(v, 0, axis)
    count = len(np.insert(np.arange(n), obj, 0)) - n  # raises NumPy's errors
    count = count if count != 1 else v.shape[axis]
    v = broadcast_to(v, (*x.shape[:axis], count, *x.shape[axis + 1 :]))
    order = np.insert(np.arange(n), obj, np.arange(n, n + count))
    return gather(structure.concatenate(x, v, axis=axis), order, axes=(axis,), at=axis)
