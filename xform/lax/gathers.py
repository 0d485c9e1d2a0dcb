"""Reading and writing windows of an array at computed places: lax's gather, the scatters, and index_take.

The dimension numbers say which axes are which (see `windows`). A window that is not inside of the operand raises
IndexError, unless `mode` says what it means: "clip" moves it inside, "fill" (to read) or "drop" (to write) leave it
out. Updates are converted to the dtype of the operand, if it is of their kind. `indices_are_sorted` and
`unique_indices` are accepted for the sake of programs written for JAX.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from xform.core.trace import concrete_or_raise, underlying
from xform.lax.dimensions import dimensions
from xform.lax.lanes import lanewise
from xform.lax.operands import inverse, operand, permuted
from xform.lax.window_layout import GatherDimensionNumbers, ScatterDimensionNumbers, gather_windows, scatter_windows
from xform.lax.windows import GatherScatterMode
from xform.numpy.dispatch import ArrayLike
from xform.numpy.entries import same_kind
from xform.numpy.out_of_range import default_fill
from xform.ops.indexing import index as reads
from xform.ops.indexing import scatter as writes
from xform.ops.select import select
from xform.ops.structure import concatenate, reshape, slice_

__all__ = [
    "GatherDimensionNumbers",
    "GatherScatterMode",
    "ScatterDimensionNumbers",
    "gather",
    "index_take",
    "scatter",
    "scatter_add",
    "scatter_apply",
    "scatter_max",
    "scatter_min",
    "scatter_mul",
    "scatter_sub",
]

Mode = str | GatherScatterMode | None


def gather(
    operand: ArrayLike,
    start_indices: ArrayLike,
    dimension_numbers: GatherDimensionNumbers,
    slice_sizes: Sequence[int],
    *,
    unique_indices: bool = False,
    indices_are_sorted: bool = False,
    mode: Mode = None,
    fill_value: Any = None,
) -> Any:
    """The windows out[b, w] = operand[start(b) + w], 0 <= w < slice_sizes, one for each row of start indices.

    `start_indices` has shape (*b, k), its rows listing the starts along the k axes `start_index_map` of the operand;
    along the others a window starts at 0. `slice_sizes` has a size for each axis of the operand. The result has the
    axes w, without those that are collapsed, at the positions `offset_dims`, and the axes b, in order, at the others.
    With mode="fill" a window that is not inside is filled with `fill_value`, by default nan, the least signed or
    largest unsigned integer, or True.

    Raises IndexError for a window that is not inside, ValueError for dimension numbers or sizes that do not fit,
    TypeError for starts that are not integers. Indexing, x[i, j], does most of this in clearer words.

    >>> import numpy as np
    >>> rows = GatherDimensionNumbers(offset_dims=(1,), collapsed_slice_dims=(0,), start_index_map=(0,))
    >>> gather(np.arange(6.0).reshape(3, 2), np.array([[2], [0]]), rows, slice_sizes=(1, 2))
    array([[4., 5.],
           [0., 1.]])
    """
    x, windows = gather_windows(operand, start_indices, dimension_numbers, slice_sizes)
    meaning, there = GatherScatterMode.from_any(mode), None
    if meaning is GatherScatterMode.CLIP:
        windows.clip()
    elif meaning is GatherScatterMode.FILL_OR_DROP:
        there = windows.leave_out()
    else:
        windows.require_inside("gather")
    windows.place()
    y = reads.gather(x, *windows.indices, axes=windows.axes, at=0)
    if there is not None:
        blank = np.asarray(default_fill(x.dtype) if fill_value is None else fill_value, x.dtype)
        y = select(reshape(there, shape=(*there.shape, *(1,) * (len(y.shape) - len(there.shape)))), y, blank)
    return permuted(y, windows.order)


def scatter(
    operand: ArrayLike,
    scatter_indices: ArrayLike,
    updates: ArrayLike,
    dimension_numbers: ScatterDimensionNumbers,
    *,
    indices_are_sorted: bool = False,
    unique_indices: bool = False,
    mode: Mode = None,
) -> Any:
    """A copy of the operand with its windows replaced, operand[start(b) + w] = updates[b, w].

    Where windows overlap, the one that comes last in the order of the updates stays. The arguments are those of a
    `gather` whose result has the shape of `updates`, which also says what is raised; the window sizes are those of the
    updates. TypeError if the operand cannot hold the updates. `x.at[i, j].set(v)` does most of this in clearer words.

    >>> import numpy as np
    >>> entries = ScatterDimensionNumbers((), inserted_window_dims=(0,), scatter_dims_to_operand_dims=(0,))
    >>> scatter(np.zeros(4), np.array([[3], [1]]), np.array([5.0, 6.0]), entries)
    array([0., 6., 0., 5.])
    """
    return write("scatter", writes.scatter, operand, scatter_indices, updates, dimension_numbers, mode)


def scatter_add(
    operand: ArrayLike,
    scatter_indices: ArrayLike,
    updates: ArrayLike,
    dimension_numbers: ScatterDimensionNumbers,
    *,
    indices_are_sorted: bool = False,
    unique_indices: bool = False,
    mode: Mode = None,
) -> Any:
    """A copy of the operand with updates added, operand[start(b) + w] += updates[b, w], for all b; see `scatter`.

    >>> import numpy as np
    >>> entries = ScatterDimensionNumbers((), inserted_window_dims=(0,), scatter_dims_to_operand_dims=(0,))
    >>> scatter_add(np.zeros(3), np.array([[2], [2], [0]]), np.ones(3), entries)
    array([1., 0., 2.])
    """
    return write("scatter_add", writes.scatter_add, operand, scatter_indices, updates, dimension_numbers, mode)


def scatter_sub(
    operand: ArrayLike,
    scatter_indices: ArrayLike,
    updates: ArrayLike,
    dimension_numbers: ScatterDimensionNumbers,
    *,
    indices_are_sorted: bool = False,
    unique_indices: bool = False,
    mode: Mode = None,
) -> Any:
    """A copy of the operand with updates subtracted, operand[start(b) + w] -= updates[b, w], for all b; see `scatter`.

    >>> import numpy as np
    >>> entries = ScatterDimensionNumbers((), inserted_window_dims=(0,), scatter_dims_to_operand_dims=(0,))
    >>> scatter_sub(np.zeros(3), np.array([[2], [2], [0]]), np.ones(3), entries)
    array([-1.,  0., -2.])
    """

    def subtract(x: Any, v: Any, *indices: Any, **place: Any) -> Any:
        return writes.scatter_add(x, -v, *indices, **place)

    return write("scatter_sub", subtract, operand, scatter_indices, updates, dimension_numbers, mode)


def scatter_mul(
    operand: ArrayLike,
    scatter_indices: ArrayLike,
    updates: ArrayLike,
    dimension_numbers: ScatterDimensionNumbers,
    *,
    indices_are_sorted: bool = False,
    unique_indices: bool = False,
    mode: Mode = None,
) -> Any:
    """A copy of the operand multiplied by updates, operand[start(b) + w] *= updates[b, w], for all b; see `scatter`.

    >>> import numpy as np
    >>> entries = ScatterDimensionNumbers((), inserted_window_dims=(0,), scatter_dims_to_operand_dims=(0,))
    >>> scatter_mul(np.ones(3), np.array([[2], [2], [0]]), np.array([2.0, 3.0, 4.0]), entries)
    array([4., 1., 6.])
    """
    return write("scatter_mul", writes.scatter_mul, operand, scatter_indices, updates, dimension_numbers, mode)


def scatter_min(
    operand: ArrayLike,
    scatter_indices: ArrayLike,
    updates: ArrayLike,
    dimension_numbers: ScatterDimensionNumbers,
    *,
    indices_are_sorted: bool = False,
    unique_indices: bool = False,
    mode: Mode = None,
) -> Any:
    """A copy of the operand of which each entry is the least of it and the updates for it; see `scatter`.

    >>> import numpy as np
    >>> entries = ScatterDimensionNumbers((), inserted_window_dims=(0,), scatter_dims_to_operand_dims=(0,))
    >>> scatter_min(np.ones(2), np.array([[1], [1], [0]]), np.array([-2.0, -3.0, 4.0]), entries)
    array([ 1., -3.])
    """
    return write("scatter_min", writes.scatter_min, operand, scatter_indices, updates, dimension_numbers, mode)


def scatter_max(
    operand: ArrayLike,
    scatter_indices: ArrayLike,
    updates: ArrayLike,
    dimension_numbers: ScatterDimensionNumbers,
    *,
    indices_are_sorted: bool = False,
    unique_indices: bool = False,
    mode: Mode = None,
) -> Any:
    """A copy of the operand of which each entry is the greatest of it and the updates for it; see `scatter`.

    >>> import numpy as np
    >>> entries = ScatterDimensionNumbers((), inserted_window_dims=(0,), scatter_dims_to_operand_dims=(0,))
    >>> scatter_max(np.ones(2), np.array([[1], [1], [0]]), np.array([2.0, 3.0, -4.0]), entries)
    array([1., 3.])
    """
    return write("scatter_max", writes.scatter_max, operand, scatter_indices, updates, dimension_numbers, mode)


def scatter_apply(
    operand: ArrayLike,
    scatter_indices: ArrayLike,
    func: Callable[[Any], Any],
    dimension_numbers: ScatterDimensionNumbers,
    *,
    update_shape: Sequence[int] = (),
    indices_are_sorted: bool = False,
    unique_indices: bool = False,
    mode: Mode = None,
) -> Any:
    """A copy of the operand with a function of a number applied to the entries of its windows, which may overlap.

    An entry that lies in m windows becomes func(func(...)), m times; m must be known, not staged, or be 1, which is
    said by `unique_indices`. The entries are those to which `scatter` would write updates of shape `update_shape`.
    Unlike JAX's it has derivatives. Raises as `scatter`, and ConcretizationError for an unknown m.

    >>> import numpy as np
    >>> entries = ScatterDimensionNumbers((), inserted_window_dims=(0,), scatter_dims_to_operand_dims=(0,))
    >>> scatter_apply(np.array([1.0, 2.0]), np.array([[1], [1]]), lambda x: 3 * x, entries, update_shape=(2,))
    array([ 1., 18.])
    """

    def apply(x: Any, v: Any, *indices: Any, axes: Any, at: int) -> Any:
        place = {"axes": axes, "at": at}
        y, counts = reads.gather(x, *indices, **place), np.ones((), np.intp)
        if not unique_indices:
            ones = np.ones(v.shape, np.intp)
            counts = reads.gather(reads.scatter_sum(ones, *indices, shape=x.shape, **place), *indices, **place)
        for k in range(most(counts)):
            changed = lanewise(lambda entry: [func(entry)], "scatter_apply")([y])[0]
            y = select(counts > k, same_kind(changed, x.dtype), y)
        return writes.scatter(x, y, *indices, **place)

    nothing = np.zeros(update_shape, np.bool_)
    return write("scatter_apply", apply, operand, scatter_indices, nothing, dimension_numbers, mode)


def most(counts: Any) -> int:
    """The largest of the counts; ConcretizationError if they are staged."""
    known = underlying(counts)
    if known is None:
        known = concrete_or_raise(
            counts,
            "scatter_apply, for the number of windows in which an entry lies,",
            "Give unique_indices=True if no two windows overlap",
        )
    return int(np.max(known, initial=0))


def index_take(src: ArrayLike, idxs: Sequence[ArrayLike], axes: Sequence[int]) -> Any:
    """The entries src[..., i, ..., j, ...] at vectors of indices i, j, ... along `axes`, taken modulo the sizes.

    The vectors have one length, the size of the first axis of the result; the axes that are not indexed follow.

    Raises ValueError unless there is one vector for each axis, TypeError if they are not integers, IndexError for an
    axis without entries.

    >>> import numpy as np
    >>> index_take(np.arange(6.0).reshape(2, 3), (np.array([0, 1]), np.array([2, -1])), (0, 1))
    array([2., 5.])
    """
    x, vectors = operand("index_take", src), [operand("index_take", i) for i in idxs]
    numbers = dimensions("index_take", "axes", axes, len(x.shape))
    shapes = {i.shape for i in vectors}
    if len(numbers) != len(vectors) or len(shapes) != 1 or len(next(iter(shapes))) != 1:
        raise ValueError(
            f"index_take: indices of shapes {[i.shape for i in vectors]} were given for axes {tuple(axes)}; wanted one "
            "vector for each axis, at least one, all of one length"
        )
    if any(i.dtype.kind not in "iu" for i in vectors):
        raise TypeError(f"index_take: indices of dtypes {[str(i.dtype) for i in vectors]} were given; wanted integers")
    if any(x.shape[k] == 0 for k in numbers) and vectors[0].shape[0]:
        raise IndexError(
            f"index_take: entries along axes {numbers} of an array of shape {x.shape} were wanted, which is empty"
        )
    pairs = sorted(zip(numbers, vectors, strict=True), key=lambda pair: pair[0])
    indices = [np.remainder(i, max(x.shape[k], 1)) for k, i in pairs]
    return reads.gather(x, *indices, axes=tuple(k for k, _ in pairs), at=0)


def write(name: str, scattered: Any, x: Any, rows: Any, updates: Any, numbers: Any, mode: Mode) -> Any:
    """`scattered(x, v, *indices, axes, at)` of the windows that the dimension numbers describe."""
    given = operand(name, x)
    x, windows, v = scatter_windows(name, given, rows, updates, numbers)
    meaning, there, shape = GatherScatterMode.from_any(mode), None, x.shape
    if meaning is GatherScatterMode.CLIP:
        windows.clip()
    elif meaning is GatherScatterMode.FILL_OR_DROP:
        there = windows.leave_out()
    else:
        windows.require_inside(name)
    if 0 in shape:
        return given
    windows.place()
    v = permuted(same_kind(v, x.dtype), inverse(windows.order))
    if there is not None:  # a spare entry takes what is to be left out
        axis = windows.axes[0]
        spare = np.ones((*shape[:axis], 1, *shape[axis + 1 :]), x.dtype)
        x = concatenate(x, spare, axis=axis)
        aligned = reshape(there, shape=(*there.shape, *(1,) * (windows.rank - len(there.shape))))
        windows.indices[0] = select(aligned, windows.indices[0], shape[axis])
    y = scattered(x, v, *windows.indices, axes=windows.axes, at=0)
    y = slice_(y, index=tuple((0, n, 1) for n in shape)) if there is not None else y
    return y if y.shape == given.shape else reshape(y, shape=given.shape)
