"""numpy.pad: an array made larger along its axes, one axis after the other.

Each mode says what stands before and after the entries x[0], ..., x[n-1] along an axis: constants, entries again (found
by padding the indices 0, ..., n-1 themselves), their reflections through an edge, a statistic of them, or a ramp.
"""

from __future__ import annotations

import operator
from typing import Any

import numpy as np

from xform.core.trace import Tracer
from xform.numpy.arranging import reversed_along
from xform.numpy.dispatch import IMPLEMENTATIONS, ArrayLike, as_dtype, asarray, implements
from xform.numpy.joining import section
from xform.numpy.shaping import broadcast_to, in_shape, moveaxis
from xform.ops import structure
from xform.ops.indexing.index import gather
from xform.ops.structure import concatenate

#: modes that repeat entries
COPIES = ("edge", "wrap", "reflect", "symmetric")
STATISTICS = {"maximum": np.max, "minimum": np.min, "mean": np.mean, "median": np.median}
#: the options of each mode, which have one value for all, one for each side, or one for each side of each axis
OPTIONS = {
    **dict.fromkeys(("empty", "edge", "wrap"), ()),
    "constant": ("constant_values",),
    "linear_ramp": ("end_values",),
    **dict.fromkeys(STATISTICS, ("stat_length",)),
    "reflect": ("reflect_type",),
    "symmetric": ("reflect_type",),
}


@implements(np.pad)
def pad(array: ArrayLike, pad_width: Any, mode: Any = "constant", **kwargs: Any) -> Any:
    """The array with more entries before and after those along each axis, of which `mode` says what they are.

    `pad_width` is a number, a pair, a pair for each axis, or a dictionary from axes to numbers or pairs. The constants
    and the ends of ramps may be traced. Where entries are undefined (mode "empty") they are zero. A mode that is a
    function is given each vector of the array, padded with zeros, to write into: mode(vector, pair, axis, kwargs).

    Raises ValueError for an unknown mode or option.

    >>> import xform
    >>> xform.grad(lambda x: pad(x, 1, mode="reflect").sum())(np.ones(3))
    array([1., 3., 1.])
    """
    x = asarray(array)
    widths = pad_widths(pad_width, len(x.shape))
    if callable(mode):
        return written_by(mode, IMPLEMENTATIONS[np.copy](padded_with_zeros(x, widths)), widths, kwargs)
    check_mode(mode, kwargs)
    if mode == "empty" or (mode == "constant" and is_zero(kwargs.get("constant_values", 0))):
        return padded_with_zeros(x, widths)
    if mode != "constant" and not x.size:
        check_extensible(x, widths)
        return padded_with_zeros(x, widths)
    for axis, (before, after) in enumerate(widths):
        if before or after:
            x = PADDERS[mode](x, axis, before, after, mode=mode, **kwargs)
    return x


def written_by(function: Any, x: Any, widths: Any, options: dict[str, Any]) -> Any:
    """The array after the function has written into each of its vectors, along one axis after the other."""
    for axis, pair in enumerate(widths):
        vectors = moveaxis(x, axis, -1)
        for index in np.ndindex(vectors.shape[:-1]):
            function(vectors[(*index, ...)], pair, axis, options)
    return x


def check_mode(mode: Any, options: dict[str, Any]) -> None:
    if mode not in OPTIONS:
        raise ValueError(f"mode '{mode}' is not supported; wanted one of {', '.join(sorted(OPTIONS))}")
    unknown = sorted(set(options) - set(OPTIONS[mode]))
    if unknown:
        raise ValueError(
            f"unsupported keyword arguments for mode '{mode}': {unknown}; wanted {OPTIONS[mode] or 'none'}"
        )


def pad_widths(given: Any, rank: int) -> list[tuple[int, int]]:
    """A pair of widths for each axis."""
    if isinstance(given, dict):
        each: list[Any] = [(0, 0)] * rank
        for axis, width in given.items():
            each[axis] = width if isinstance(width, tuple) else (width, width)
        given = each
    widths = np.asarray(given)
    if widths.dtype.kind != "i":
        raise TypeError(f"`pad_width` must be of integral type; {given!r:.60} was given")
    if widths.size and widths.min() < 0:
        raise ValueError(f"index can't contain negative values: pad_width={given!r:.60} was given")
    try:
        return [(operator.index(a), operator.index(b)) for a, b in np.broadcast_to(widths, (rank, 2))]
    except ValueError:
        raise ValueError(
            f"operands could not be broadcast together: pad_width={given!r:.60} was given for an array of {rank} axes; "
            "wanted a number, a pair, or a pair for each axis"
        ) from None


def sides(option: Any, rank: int, axis: int) -> tuple[Any, Any]:
    """The values of an option, possibly traced, before and after the entries along an axis."""
    values = broadcast_to(asarray(option), (rank, 2))
    flat = in_shape(values, (2 * rank,))
    return entry(flat, 2 * axis), entry(flat, 2 * axis + 1)


def entry(vector: Any, k: int) -> Any:
    return in_shape(section(vector, k, k + 1, 0), ())


def is_zero(value: Any) -> bool:
    return not isinstance(value, Tracer | list | tuple) and not np.any(value)


def padded_with_zeros(x: Any, widths: list[tuple[int, int]]) -> Any:
    shape = tuple(n + a + b for n, (a, b) in zip(x.shape, widths, strict=True))
    region = tuple((a if n else 0, n, 1) for n, (a, _) in zip(x.shape, widths, strict=True))
    return x if shape == x.shape else structure.pad(x, shape=shape, index=region)


def check_extensible(x: Any, widths: list[tuple[int, int]]) -> None:
    for axis, (n, width) in enumerate(zip(x.shape, widths, strict=True)):
        if not n and any(width):
            raise ValueError(f"can't extend empty axis {axis} using modes other than 'constant' or 'empty'")


def between(left: Any, x: Any, right: Any, axis: int) -> Any:
    """left, x and right joined along the axis, in the dtype of x."""
    parts = [as_dtype(part, x.dtype) for part in (left, x, right) if part.shape[axis]]
    return concatenate(*parts, axis=axis) if len(parts) > 1 else parts[0]


def block(x: Any, value: Any, count: int, axis: int) -> Any:
    """`value`, a number or one layer, repeated to `count` layers along the axis."""
    return structure.broadcast_to(value, (*x.shape[:axis], count, *x.shape[axis + 1 :]))


def pad_constant(x: Any, axis: int, before: int, after: int, *, mode: str, constant_values: Any = 0) -> Any:
    left, right = sides(constant_values, len(x.shape), axis)
    return between(block(x, left, before, axis), x, block(x, right, after, axis), axis)


def pad_with_copies(x: Any, axis: int, before: int, after: int, *, mode: str, reflect_type: str = "even") -> Any:
    """y[k] = x[i_k], where i is the padded 0, 1, ..., n-1."""
    if reflect_type == "odd" and x.shape[axis] > 1:
        return reflected_through_edges(x, axis, before, after, mode == "symmetric")
    order = np.pad(np.arange(x.shape[axis]), (before, after), mode=mode)  # type: ignore[call-overload]
    return gather(x, order, axes=(axis,), at=axis)


def reflected_through_edges(x: Any, axis: int, before: int, after: int, with_edge: bool) -> Any:
    """y[-k] = 2 x[0] - x[k], and likewise behind x[n-1]; for more than there are to reflect, again and again."""
    period = x.shape[axis] if with_edge else x.shape[axis] - 1
    while before or after:
        count = min(before, period)
        x = between(reflection(x, axis, count, with_edge, left=True), x, section(x, 0, 0, axis), axis)
        before -= count
        count = min(after, period)
        x = between(section(x, 0, 0, axis), x, reflection(x, axis, count, with_edge, left=False), axis)
        after -= count
    return x


def reflection(x: Any, axis: int, count: int, with_edge: bool, left: bool) -> Any:
    """The `count` entries next to an edge, reflected through it."""
    n, skip = x.shape[axis], 0 if with_edge else 1
    if left:
        edge, part = section(x, 0, 1, axis), section(x, skip, skip + count, axis)
    else:
        edge, part = section(x, n - 1, n, axis), section(x, n - skip - count, n - skip, axis)
    return 2 * edge - reversed_along(part, (axis,))


def pad_with_statistic(x: Any, axis: int, before: int, after: int, *, mode: str, stat_length: Any = None) -> Any:
    """The maximum, ... of the `stat_length` entries next to each edge, or of all."""
    n = x.shape[axis]
    lengths = np.broadcast_to(np.asarray(n if stat_length is None else stat_length), (len(x.shape), 2))[axis]
    left, right = (min(operator.index(length), n) for length in lengths)
    if min(left, right) < 1 and mode in ("maximum", "minimum"):
        raise ValueError(f"stat_length of 0 yields no value for padding in mode '{mode}'; wanted 1 at least")
    first = statistic(mode, section(x, 0, left, axis), axis)
    last = statistic(mode, section(x, n - right, n, axis), axis)
    return between(block(x, first, before, axis), x, block(x, last, after, axis), axis)


def statistic(mode: str, part: Any, axis: int) -> Any:
    y = IMPLEMENTATIONS[STATISTICS[mode]](part, axis=axis, keepdims=True)
    return np.rint(y) if part.dtype.kind in "iu" and y.dtype.kind == "f" else y


def pad_with_ramp(x: Any, axis: int, before: int, after: int, *, mode: str, end_values: Any = 0) -> Any:
    """Steps of equal size from the end value to the edge, which is not repeated."""
    n = x.shape[axis]
    ends = sides(end_values, len(x.shape), axis)
    edges = section(x, 0, 1, axis), section(x, n - 1, n, axis)
    left, right = (ramp(x, end, edge, m, axis) for end, edge, m in zip(ends, edges, (before, after), strict=True))
    return between(left, x, reversed_along(right, (axis,)), axis)


def ramp(x: Any, end: Any, edge: Any, count: int, axis: int) -> Any:
    """end + k (edge - end) / count for k < count, in the dtype of x."""
    if not count:
        return section(x, 0, 0, axis)
    end = as_dtype(end, x.dtype) if x.dtype.kind in "fc" else end
    steps = np.arange(count).reshape(-1, *(1,) * (len(x.shape) - axis - 1)).astype(x.dtype)
    y = steps * ((edge - end) / count) + end
    return as_dtype(np.floor(y) if x.dtype.kind in "iu" else y, x.dtype)


PADDERS: dict[str, Any] = {
    "constant": pad_constant,
    "linear_ramp": pad_with_ramp,
    **dict.fromkeys(COPIES, pad_with_copies),
    **dict.fromkeys(STATISTICS, pad_with_statistic),
}
