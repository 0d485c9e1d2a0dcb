"""The dimension numbers of lax's gather and scatters, read and checked."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from xform.lax.dimensions import dimensions
from xform.lax.operands import operand, sizes
from xform.lax.windows import Layout, Windows
from xform.ops.structure import reshape

_GATHER = (
    "offset_dims",
    "collapsed_slice_dims",
    "start_index_map",
    "operand_batching_dims",
    "start_indices_batching_dims",
)
_SCATTER = (
    "update_window_dims",
    "inserted_window_dims",
    "scatter_dims_to_operand_dims",
    "operand_batching_dims",
    "scatter_indices_batching_dims",
)


class GatherDimensionNumbers(NamedTuple):
    """Which axes are which in `gather`.

    offset_dims: the axes of the result that are axes of the windows. collapsed_slice_dims: the axes of the operand of
    which a window has one entry and the result no axis. start_index_map: the axis of the operand that each number in a
    row of start indices concerns. operand_batching_dims and start_indices_batching_dims: axes of the operand and of the
    start indices that run together.
    """

    offset_dims: tuple[int, ...]
    collapsed_slice_dims: tuple[int, ...]
    start_index_map: tuple[int, ...]
    operand_batching_dims: tuple[int, ...] = ()
    start_indices_batching_dims: tuple[int, ...] = ()


class ScatterDimensionNumbers(NamedTuple):
    """Which axes are which in the scatters: those of a gather whose result has the shape of the updates.

    update_window_dims are its offset_dims, inserted_window_dims its collapsed_slice_dims, scatter_dims_to_operand_dims
    its start_index_map, scatter_indices_batching_dims its start_indices_batching_dims.
    """

    update_window_dims: Sequence[int]
    inserted_window_dims: Sequence[int]
    scatter_dims_to_operand_dims: Sequence[int]
    operand_batching_dims: Sequence[int] = ()
    scatter_indices_batching_dims: Sequence[int] = ()


def gather_windows(x: Any, rows: Any, numbers: Any, slice_sizes: Any) -> tuple[Any, Windows]:
    """The operand and the windows that `gather` reads."""
    name = "gather"
    x, rows = operand(name, x), index_rows(name, rows)
    rank, lead = len(x.shape), len(rows.shape) - 1
    extents = sizes(name, "slice_sizes", slice_sizes, rank, least=0)
    given = fields_of(name, _GATHER, numbers)
    kept = rank - len(given[1]) - len(given[3])
    layout = read_layout(name, _GATHER, given, (lead + kept, rank, rank, rank, lead))
    check(name, _GATHER, layout, x.shape, rows.shape, extents)
    return with_an_index(x, extents, rows, layout)


def scatter_windows(name: str, x: Any, rows: Any, updates: Any, numbers: Any) -> tuple[Any, Windows, Any]:
    """The operand, the windows into which updates are written, and the updates."""
    x, rows, v = operand(name, x), index_rows(name, rows), operand(name, updates)
    rank, lead = len(x.shape), len(rows.shape) - 1
    given = fields_of(name, _SCATTER, numbers)
    layout = read_layout(name, _SCATTER, given, (len(v.shape), rank, rank, rank, lead))
    kept = [k for k in range(rank) if k not in (*layout.dropped, *layout.batching)]
    extents = [1] * rank
    for k, place in zip(kept, layout.window, strict=False):
        extents[k] = v.shape[place]
    check(name, _SCATTER, layout, x.shape, rows.shape, tuple(extents))
    batch = tuple(n for k, n in enumerate(v.shape) if k not in layout.window)
    if batch != rows.shape[:-1]:
        raise ValueError(
            f"{name}: updates of shape {v.shape}, of which the axes {layout.window} are those of windows, have the "
            f"other sizes {batch}; wanted {rows.shape[:-1]}, the sizes of the indices {rows.shape} without the last"
        )
    return *with_an_index(x, tuple(extents), rows, layout), v


def index_rows(name: str, rows: Any) -> Any:
    """The start indices; TypeError if they are no integers, ValueError if they have no last axis."""
    rows = operand(name, rows)
    if rows.dtype.kind not in "iu":
        raise TypeError(f"{name}: indices of dtype {rows.dtype} were given; wanted integers, use .astype(int)")
    if not rows.shape:
        raise ValueError(
            f"{name}: indices of shape () were given; wanted (..., k), the last axis listing the starts along k axes "
            "of the operand; append an axis of size one with i[..., None]"
        )
    return rows


def fields_of(name: str, fields: tuple[str, ...], numbers: Any) -> list[Any]:
    """The fields of dimension numbers; TypeError if they are of another kind."""
    try:
        return [getattr(numbers, field) for field in fields]
    except AttributeError:
        kind = "GatherDimensionNumbers" if fields is _GATHER else "ScatterDimensionNumbers"
        raise TypeError(f"{name}: dimension_numbers={numbers!r:.80} was given; wanted a {kind}") from None


def read_layout(name: str, fields: tuple[str, ...], given: Sequence[Any], ranks: Sequence[int]) -> Layout:
    """The dimension numbers as axes that exist, each field of an array with so many axes."""
    layout = Layout(*(dimensions(name, *each) for each in zip(fields, given, ranks, strict=True)))
    for field, axes in zip(
        (fields[0], fields[1], fields[3]), (layout.window, layout.dropped, layout.batching), strict=True
    ):
        if axes != tuple(sorted(axes)):
            raise ValueError(f"{name}: {field}={axes} was given; wanted ascending axes")
    return layout


def check(name: str, fields: Any, layout: Layout, shape: Any, rows: Any, extents: tuple[int, ...]) -> None:
    """ValueError unless windows of these extents fit into the shape as the layout says."""
    given = f"{name}: an operand of shape {shape} and indices of shape {rows}"
    if len(layout.mapped) != rows[-1]:
        raise ValueError(
            f"{given} were given with {fields[2]}={layout.mapped}; wanted one axis in it for each of the {rows[-1]} "
            "numbers along the last axis of the indices"
        )
    for one, other in ((layout.dropped, layout.batching), (layout.mapped, layout.batching)):
        if set(one) & set(other):
            field = fields[1] if one is layout.dropped else fields[2]
            raise ValueError(f"{given} were given with {field}={one} and {fields[3]}={other}; wanted different axes")
    if [shape[k] for k in layout.batching] != [rows[k] for k in layout.paired] or len(layout.batching) != len(
        layout.paired
    ):
        raise ValueError(
            f"{given} were given with {fields[3]}={layout.batching} and {fields[4]}={layout.paired}; wanted equally "
            "many axes, of the same sizes"
        )
    kept = len(shape) - len(layout.dropped) - len(layout.batching)
    if len(layout.window) != kept:
        raise ValueError(
            f"{given} were given with {fields[0]}={layout.window}; wanted {kept} axes, as many as the operand has "
            f"without {fields[1]}={layout.dropped} and {fields[3]}={layout.batching}"
        )
    for k, (extent, n) in enumerate(zip(extents, shape, strict=True)):
        single = k in (*layout.dropped, *layout.batching)
        if extent > n or (single and extent != 1):
            wanted = f"1, for axis {k} has no axis in a window" if single else f"at most {n}"
            raise ValueError(f"{given} were given with windows of sizes {extents}; wanted along axis {k} {wanted}")


def with_an_index(x: Any, extents: tuple[int, ...], rows: Any, layout: Layout) -> tuple[Any, Windows]:
    """The windows; if no start is given at all, those of x[None], at 0, so that there always is an index."""
    if layout.mapped:
        return x, Windows(x.shape, extents, rows, layout)
    x = reshape(x, shape=(1, *x.shape))
    dropped, batching = (tuple(k + 1 for k in axes) for axes in (layout.dropped, layout.batching))
    layout = Layout(layout.window, (0, *dropped), (0,), batching, layout.paired)
    return x, Windows(x.shape, (1, *extents), np.zeros((*rows.shape[:-1], 1), np.intp), layout)
