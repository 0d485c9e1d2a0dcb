"""NumPy's `r_` and `c_`, which join what stands in the brackets: arrays, numbers, and slices for ranges."""

from __future__ import annotations

from typing import Any

import numpy as np

from xform.numpy.creation import array, astype_of
from xform.numpy.dispatch import asarray, has_tracer
from xform.numpy.joining import concatenate
from xform.numpy.ranges import arange, linspace
from xform.numpy.shaping import in_shape, swapaxes

#: the numbers that do not promote arrays
NUMBERS = (bool, int, float, complex)


class Concatenator:
    """`numpy.r_` or `numpy.c_`: entries are joined along an axis, after shorter ones got axes of size one.

    A slice start:stop:step is a range, one with an imaginary step so many points from start to stop. A text in front,
    "axis,ndim,place", says along which axis to join, how many axes the entries have at least, and where the axes of
    those with fewer stand among them.

    >>> import xform
    >>> xform.jacobian(lambda x: r_[x, 5.0, x**2])(np.array([3.0]))
    array([[1.],
           [0.],
           [6.]])
    >>> xform.jvp(lambda x: c_[x, x * x], (np.array([2.0, 3.0]),), (np.ones(2),))[0]
    array([[2., 4.],
           [3., 9.]])
    """

    __slots__ = ("axis", "ndmin", "place", "theirs")

    def __init__(self, theirs: Any, axis: int, ndmin: int, place: int) -> None:
        self.theirs, self.axis, self.ndmin, self.place = theirs, axis, ndmin, place

    def __repr__(self) -> str:
        return "xform.numpy.r_" if self.theirs is np.r_ else "xform.numpy.c_"

    def __len__(self) -> int:
        return 0

    def __getitem__(self, key: Any) -> Any:
        items = list(key) if isinstance(key, tuple) else [key]
        if not any(has_tracer(ends(x), {}) for x in items):
            return self.theirs[key]
        directive = items.pop(0) if isinstance(items[0], str) else ""
        axis, ndmin, place = self.directed(directive)
        parts = [part(item, ndmin, place) for item in items]
        dtype = np.result_type(*(x if type(x) in NUMBERS else x.dtype for x in parts))
        return concatenate([array(astype_of(asarray(x), dtype), ndmin=ndmin) for x in parts], axis=axis)

    def directed(self, directive: str) -> tuple[int, int, int]:
        """Axis, least number of axes and place of shorter entries' axes, those given before the default ones."""
        default = (self.axis, self.ndmin, self.place)
        try:
            given = tuple(int(word) for word in directive.split(",")) if directive else ()
        except ValueError:
            given = (0,) * 4
        if len(given) > 3:
            raise ValueError(
                f"unknown special directive {directive!r}; wanted up to three integers (there are no traced matrices)"
            )
        return (*given, *default[len(given) :])  # type: ignore[return-value]


def ends(item: Any) -> tuple[Any, ...]:
    return (item.start, item.stop, item.step) if isinstance(item, slice) else (item,)


def part(item: Any, ndmin: int, place: int) -> Any:
    """What is to be joined for an entry in the brackets; Python's numbers as they are."""
    if isinstance(item, str):
        raise ValueError(f"special directives must be the first entry; {item!r} stands behind others")
    if isinstance(item, slice):
        x = array(points(item), ndmin=ndmin)
        return swapaxes(x, -1, place) if ndmin > 1 and place != -1 else x
    if type(item) in NUMBERS:
        return item
    x = asarray(item)
    rank, added = x.ndim, ndmin - x.ndim
    if added <= 0 or place == -1:
        return x
    first = place if place >= 0 else place + added + 1
    new = [k for k in range(ndmin) if not first <= k < first + rank]
    return in_shape(x, tuple(1 if k in new else x.shape[k - first] for k in range(ndmin)))


def points(item: slice) -> Any:
    """The range that a slice stands for."""
    start, step = 0 if item.start is None else item.start, 1 if item.step is None else item.step
    if isinstance(step, complex | np.complexfloating):
        return linspace(start, item.stop, num=int(abs(step)))
    return arange(start, item.stop, step)


r_ = Concatenator(np.r_, 0, 1, -1)
c_ = Concatenator(np.c_, -1, 2, 0)
