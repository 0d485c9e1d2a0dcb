"""Folds over the windows of an array: pooling, moving sums and extremes, and any other associative computation.

    out[t] = init o x'[stride t + dilation k] o ...    over all k < window, in each axis

where x' is x with nothing between its neighbours (base dilation) and around it (padding): those places are skipped. To
a primitive nothing is its identity; for other computations a mask goes along that says where there is something.

The windows of several axes are folded one axis after another, the last one first, so that entries are combined in
their order. Along an axis there are two ways, of which the cheaper is taken: to combine `window` strided slices, or to
double,

    f_1 = x,    f_{2p}[t] = f_p[t] o f_p[t + dilation p]

and to put the window together from the powers of two in it, which costs about 2 log2(window) combinations.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from xform.core import tree
from xform.lax.monoids import read_folded
from xform.lax.operands import sizes
from xform.ops.convolution.convolutions import dilated, padding_pairs
from xform.ops.select import select
from xform.ops.structure import pad, slice_

__all__ = ["reduce_window", "reduce_window_shape_tuple"]

Padding = str | Sequence[tuple[int, int]]


class Window(NamedTuple):
    """The windows along one axis: how many entries, how far apart the windows and the entries, and what is around."""

    size: int
    stride: int
    dilation: int
    before: int
    behind: int
    base: int

    @property
    def reach(self) -> int:
        return dilated(self.size, self.dilation)

    def padded(self, n: int) -> int:
        """The extent of an axis of n entries with what is put between and around them."""
        return max(0, dilated(n, self.base) + self.before + self.behind)

    def count(self, n: int) -> int:
        """How many windows an axis of n entries has."""
        room = self.padded(n) - self.reach
        return room // self.stride + 1 if room >= 0 else 0


def reduce_window(
    operand: Any,
    init_value: Any,
    computation: Callable[[Any, Any], Any],
    window_dimensions: Sequence[int],
    window_strides: Sequence[int] | None = None,
    padding: Padding = "VALID",
    base_dilation: Sequence[int] | None = None,
    window_dilation: Sequence[int] | None = None,
) -> Any:
    """init o x'[t s] o x'[t s + d] o ... for each window: a fold of x o y = computation(x, y) as by `reduce`.

    `window_dimensions`, `window_strides` s, `window_dilation` d and `base_dilation` have an integer for each axis; by
    default the last three are 1. x' is the operand with `base_dilation` - 1 places between neighbours and more around
    it, which are skipped: `padding` has a pair (before, behind) for each axis, negative ones crop, or is "VALID"
    (none), "SAME" (the result's size is that of the operand over the stride, rounded up) or "SAME_LOWER". Of equal
    largest (or smallest) entries of a window the first has the derivative. Operand, initial value and computation may
    be of trees.

    Raises as `reduce`, and ValueError for sizes that do not fit.

    >>> import numpy as np
    >>> x = np.array([[1.0, 2.0, 5.0, 6.0], [3.0, 4.0, 8.0, 7.0]])
    >>> reduce_window(x, -np.inf, np.maximum, (2, 2), (2, 2))
    array([[4., 8.]])
    >>> reduce_window(np.arange(5.0), 0.0, np.add, (3,), padding="SAME")
    array([1., 3., 6., 9., 7.])
    """
    folded = read_folded("reduce_window", operand, init_value, computation)
    windows = read_windows(folded.shape, window_dimensions, window_strides, padding, base_dilation, window_dilation)
    if folded.prim is not None:
        xs, combine = [surrounded(folded.arrays[0], folded.neutral, windows)], folded.combine_first
    else:
        there = surrounded(np.ones(folded.shape, bool), np.False_, windows)
        filled = [surrounded(x, v, windows) for x, v in zip(folded.arrays, folded.initial, strict=True)]
        xs, combine = [*filled, there], skipping(folded.combine)
    for axis in reversed(range(len(windows))):
        xs = fold_axis(combine, xs, axis, windows[axis])
    if folded.prim is None:
        *xs, there = xs
        ys = [select(there, y, v) for y, v in zip(folded.after_initial(xs), folded.initial, strict=True)]
    else:
        ys = folded.after_initial(xs)
    return tree.unflatten(folded.structure, ys)


def skipping(combine: Any) -> Any:
    """x o y where there are both, else the one that is there; the last array says where there is something."""

    def combine_there(xs: list[Any], ys: list[Any]) -> list[Any]:
        (*xs, m), (*ys, k) = xs, ys
        zs = combine(xs, ys)
        if not (m.all() and k.all()):
            zs = [select(m & k, z, select(m, x, y)) for x, y, z in zip(xs, ys, zs, strict=True)]
        return [*zs, m | k]

    return combine_there


def reduce_window_shape_tuple(
    operand_shape: Sequence[int],
    window_dimensions: Sequence[int],
    window_strides: Sequence[int] | None = None,
    padding: Padding = "VALID",
    base_dilation: Sequence[int] | None = None,
    window_dilation: Sequence[int] | None = None,
) -> tuple[int, ...]:
    """The shape of what `reduce_window` returns for an operand of a shape.

    >>> reduce_window_shape_tuple((8, 9), (2, 3), (2, 2), [(0, 0), (1, 1)])
    (4, 5)
    """
    shape = tuple(operand_shape)
    windows = read_windows(shape, window_dimensions, window_strides, padding, base_dilation, window_dilation)
    return tuple(w.count(n) for w, n in zip(windows, shape, strict=True))


def read_windows(shape: Any, size: Any, strides: Any, padding: Any, base: Any, dilation: Any) -> list[Window]:
    """The windows along each axis; ValueError for sizes that do not fit the shape."""
    name, rank = "reduce_window", len(shape)
    size = sizes(name, "window_dimensions", size, rank)
    strides = sizes(name, "window_strides", strides or (1,) * rank, rank)
    base = sizes(name, "base_dilation", base or (1,) * rank, rank)
    dilation = sizes(name, "window_dilation", dilation or (1,) * rank, rank)
    reaches = [dilated(n, d) for n, d in zip(size, dilation, strict=True)]
    pairs = read_padding(shape, reaches, strides, padding, base)
    return [Window(*each) for each in zip(size, strides, dilation, *zip(*pairs, strict=True), base, strict=True)]


def read_padding(shape: Any, reaches: Any, strides: Any, padding: Any, base: Any) -> list[tuple[int, int]]:
    """The pairs before and behind each axis."""
    wanted = "wanted 'SAME', 'SAME_LOWER', 'VALID' or a pair (before, behind) for each axis"
    if isinstance(padding, str):
        if padding.upper() not in ("SAME", "SAME_LOWER", "VALID"):
            raise ValueError(f"reduce_window: padding='{padding}' was given; {wanted}")
        if padding.upper() != "VALID" and max(base, default=1) > 1:
            raise ValueError(
                f"reduce_window: padding='{padding}' has no meaning for a dilated operand (base_dilation={base}); give "
                "a pair (before, behind) for each axis"
            )
        return padding_pairs(padding.upper(), shape, reaches, strides)
    if len(padding) != len(shape):
        raise ValueError(f"reduce_window: padding={padding} was given for {len(shape)} axes; {wanted}")
    pairs = [sizes("reduce_window", "padding", pair, 2, least=-(2**62)) for pair in padding]
    return [(before, behind) for before, behind in pairs]


def surrounded(x: Any, value: Any, windows: Sequence[Window]) -> Any:
    """`x` with a value between its neighbours and around it, or cropped."""
    read, written = [], []
    for n, w in zip(x.shape, windows, strict=True):
        first = max(0, -(w.before // w.base)) if w.before < 0 else 0
        room = w.padded(n) - w.before  # entries i with 0 <= before + base i < padded
        count = max(0, min(n, -(-room // w.base)) - first)
        read.append((first if count else 0, count, 1))
        written.append((w.before + w.base * first if count else 0, count, w.base))
    shape = tuple(w.padded(n) for n, w in zip(x.shape, windows, strict=True))
    if x.shape == shape and tuple(read) == tuple((0, n, 1) for n in shape):
        return x
    x = slice_(x, index=tuple(read))
    there = np.zeros(shape, bool)
    there[tuple(slice(a, a + m * s, s) for a, m, s in written)] = True
    x = pad(x, shape=shape, index=tuple(written)) if tuple(written) != tuple((0, n, 1) for n in shape) else x
    return x if there.all() else select(there, x, value)


def fold_axis(combine: Any, xs: list[Any], axis: int, window: Window) -> list[Any]:
    """The windows along one axis of arrays that are padded already."""
    n, w, d = xs[0].shape[axis], window.size, window.dilation
    count = max(0, (n - window.reach) // window.stride + 1)
    doublings = w.bit_length() + w.bit_count() - 2
    if count == 0 or (w - 1) * count <= doublings * n:
        ys = along(xs, axis, 0, count, window.stride)
        for k in range(1, w):
            ys = combine(ys, along(xs, axis, k * d, count, window.stride))
        return ys
    return along(double(combine, xs, axis, w, d), axis, 0, count, window.stride)


def double(combine: Any, xs: list[Any], axis: int, w: int, d: int) -> list[Any]:
    """All windows of w entries, each d behind the other: the powers of two in w, the least first."""
    n, done, out = xs[0].shape[axis], 0, None
    power, length = 1, n  # xs are the windows of `power` entries, of which there are `length`
    while True:
        if w & power:
            new = n - (done + power - 1) * d
            part = along(xs, axis, done * d, new)
            out = part if out is None else combine(along(out, axis, 0, new), part)
            done += power
        if done == w:
            return out  # type: ignore[return-value]  # w >= 1 has a power of two in it
        length -= power * d
        xs = combine(along(xs, axis, 0, length), along(xs, axis, power * d, length))
        power *= 2


def along(xs: list[Any], axis: int, start: int, count: int, step: int = 1) -> list[Any]:
    """x[start], x[start + step], ... along an axis."""
    shape = xs[0].shape
    if (start, count, step) == (0, shape[axis], 1):
        return xs
    index = tuple((start, count, step) if k == axis else (0, n, 1) for k, n in enumerate(shape))
    return [slice_(x, index=index) for x in xs]
