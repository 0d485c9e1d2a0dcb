"""Windows of an array at computed starts, as index arrays: what lax's gather and scatter read and write.

A window has one place along each axis of the operand and a size there. Its start is a row of the start indices, whose
last axis lists the axes that they concern; along the others it is 0. There is a window for each entry of the other axes
of the start indices, the batch b, and it has the entries

    x[s_1(b) + w_1, ..., s_n(b) + w_n],    0 <= w_k < size_k

So the result has axes b and axes w, except the w of size one that are collapsed. Along a batching axis of the operand
the start is the number of the batch entry along the axis of the start indices that is paired with it.
"""

from __future__ import annotations

import enum
import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from xform.core.trace import underlying
from xform.ops.indexing.positions import Axes
from xform.ops.select import select
from xform.ops.structure import convert, reshape, slice_


class GatherScatterMode(enum.Enum):
    """What a window means that is not inside of the operand.

    CLIP moves it inside, FILL_OR_DROP reads a constant or writes nothing, and PROMISE_IN_BOUNDS, which is the default,
    raises IndexError.
    """

    CLIP = enum.auto()
    FILL_OR_DROP = enum.auto()
    PROMISE_IN_BOUNDS = enum.auto()

    @staticmethod
    def from_any(mode: str | GatherScatterMode | None) -> GatherScatterMode:
        """A mode by its name; None is the default."""
        if isinstance(mode, GatherScatterMode):
            return mode
        if mode not in _MODES:
            raise ValueError(f"mode={mode!r} was given; wanted one of {', '.join(map(repr, _MODES))}")
        return _MODES[mode]


_MODES = {
    None: GatherScatterMode.PROMISE_IN_BOUNDS,
    "promise_in_bounds": GatherScatterMode.PROMISE_IN_BOUNDS,
    "clip": GatherScatterMode.CLIP,
    "fill": GatherScatterMode.FILL_OR_DROP,
    "drop": GatherScatterMode.FILL_OR_DROP,
}


class Layout(NamedTuple):
    """How the axes of the operand, of the start indices and of the windows' entries belong together."""

    window: Axes  # where the axes of the windows stand in the result (or in the updates)
    dropped: Axes  # axes of the operand of which a window has one entry and no axis
    mapped: Axes  # the axis of the operand that each number in a row of start indices concerns
    batching: Axes  # axes of the operand that are batch axes of the start indices as well ...
    paired: Axes  # ... and which those are


class Windows:
    """The entries of all windows, as `ops.gather` and `ops.scatter` want them.

    `indices` index the axes `axes`; what they read has the axes b, then those w that are indexed, then the others, and
    `order` says for each axis of the result which one of these it is.
    """

    __slots__ = ("axes", "batch", "indices", "layout", "limits", "order", "rank", "shape", "sizes", "starts")

    def __init__(self, shape: tuple[int, ...], sizes: tuple[int, ...], rows: Any, layout: Layout) -> None:
        self.shape, self.sizes, self.layout = shape, sizes, layout
        self.batch: tuple[int, ...] = rows.shape[:-1]
        rows = rows if rows.dtype == np.intp else convert(rows, dtype=np.dtype(np.intp))
        whole = tuple((0, n, 1) for n in self.batch)
        self.starts = [slice_(rows, index=(*whole, k)) for k in range(len(layout.mapped))]
        self.limits = [shape[a] - sizes[a] for a in layout.mapped]

    @property
    def kept(self) -> list[int]:
        """The axes of the operand along which windows have an axis."""
        return [k for k in range(len(self.shape)) if k not in (*self.layout.dropped, *self.layout.batching)]

    def place(self) -> None:
        """Compute the indices, the axes and the order from the starts."""
        free = [k for k in self.kept if k not in self.layout.mapped and self.sizes[k] == self.shape[k]]
        moving = [k for k in self.kept if k not in free]
        self.rank = len(self.batch) + len(moving)
        self.axes = tuple(k for k in range(len(self.shape)) if k not in free)
        self.indices = [self.index(k, moving) for k in self.axes]
        self.order = self.arrangement([*moving, *free])

    def index(self, axis: int, moving: Sequence[int]) -> Any:
        """s(b) + w along an axis of the operand, in a shape that broadcasts to the batch and the moving windows."""
        layout, rank = self.layout, self.rank
        start: Any = np.zeros((), np.intp)
        if axis in layout.mapped:
            start = self.starts[layout.mapped.index(axis)]
            start = reshape(start, shape=(*self.batch, *(1,) * len(moving)))
        elif axis in layout.batching:
            k = layout.paired[layout.batching.index(axis)]
            start = np.arange(self.shape[axis]).reshape(-1, *(1,) * (rank - 1 - k))
        if axis not in moving:
            return start
        offset = np.arange(self.sizes[axis]).reshape(-1, *(1,) * (len(moving) - 1 - moving.index(axis)))
        return start + offset if self.sizes[axis] != 1 or axis not in layout.mapped else start

    def arrangement(self, axes: Sequence[int]) -> Axes:
        """For each axis of the result its place among b and the window `axes` of the operand."""
        lead = len(self.batch)
        window = {place: lead + axes.index(k) for place, k in zip(self.layout.window, self.kept, strict=True)}
        batch = iter(range(lead))
        return tuple(window[place] if place in window else next(batch) for place in range(lead + len(axes)))

    def clip(self) -> None:
        """Move the windows inside."""
        self.starts = [np.minimum(np.maximum(s, 0), n) for s, n in zip(self.starts, self.limits, strict=True)]

    def inside(self) -> Any:
        """Which windows, of the batch, are inside?"""
        there: Any = np.True_
        for s, n in zip(self.starts, self.limits, strict=True):
            there = there & (s >= 0) & (s <= n)
        return there

    def require_inside(self, name: str) -> None:
        """IndexError if a window is not inside; where the starts are not known yet, it is raised when they are.

        For that a negative start, which would count from the end, becomes one that no axis has.
        """
        for k, (s, axis, n) in enumerate(zip(self.starts, self.layout.mapped, self.limits, strict=True)):
            known = underlying(s)
            if known is None:
                self.starts[k] = select(s < 0, s - self.shape[axis], s)
            elif math.prod(self.batch) and (known.min() < 0 or known.max() > n):
                start = int(known.min() if known.min() < 0 else known.max())
                raise IndexError(
                    f"{name}: a window of size {self.sizes[axis]} was to start at {start} along axis {axis}, of size "
                    f"{self.shape[axis]}; wanted 0 <= start <= {n}, for lax does not count from the end. Give "
                    "mode='clip' to move such windows inside, or 'fill' (gather) or 'drop' (scatter) to leave them out"
                )

    def leave_out(self) -> Any:
        """Which windows are inside, None if all are known to be; the others are moved to the start of the operand."""
        there = self.inside()
        known = underlying(there)
        if known is not None and known.all():
            return None
        self.starts = [select(there, s, 0) for s in self.starts]
        return there
