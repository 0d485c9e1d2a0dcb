"""Loops over the lanes of arrays: all their entries along one axis, for each place along the other axes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from xform.compile.c.text.emit import Emitter
from xform.compile.c.text.values import View


def over_lanes(emit: Emitter, views: Sequence[View], axis: int, do: Callable[..., None]) -> None:
    """do(one-dimensional views ...) for each lane along `axis`; the views agree in their other sizes."""
    if len(views[0].shape) == 1:
        do(*views)
        return
    outer, axis = (0, axis - 1) if axis else (1, 0)
    with emit.loop(views[0].shape[outer]) as i:
        over_lanes(emit, [x.index(outer, i) for x in views], axis, do)


def over_entries(emit: Emitter, views: Sequence[View], do: Callable[..., None]) -> None:
    """do(C expressions ...) for the entries at each place of views of one shape."""
    if not views[0].shape:
        do(*(x.entry() for x in views))
        return
    with emit.loop(views[0].shape[0]) as i:
        over_entries(emit, [x.index(0, i) for x in views], do)


def define(emit: Emitter, text: str) -> None:
    """A C function in front of the program, once."""
    if text not in emit.constants:
        emit.constants.append(text)


def start_of(x: View) -> str:
    """The address of the first entry."""
    return f"&{x.entry((0,) * len(x.shape))}"


def rooms(emit: Emitter, eqn: Any, places: Sequence[View | None]) -> list[View]:
    """Where the results are to be written."""
    avals = [v.aval for v in eqn.outputs]
    return [place or emit.buffer(a.shape, a.dtype) for place, a in zip(places, avals, strict=True)]
