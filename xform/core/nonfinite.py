"""The numbers that traced values carry, and how messages show where among them a nan or an inf is."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from xform.core.aval import Aval, aval_of, is_inexact, shape_of
from xform.core.primitive import is_zero
from xform.core.trace import Tracer, underlying

_TESTS = {"nan": np.isnan, "inf": np.isinf}

#: arrays of at most so many entries are shown in full
SHOWN = 8


def numbers(x: Any) -> list[tuple[str, Any]]:
    """All real or complex arrays that a value carries, through all transformations, each with the name of the part."""
    found: list[tuple[str, Any]] = []
    todo = [("", x)]
    while todo:
        name, x = todo.pop()
        if isinstance(x, Tracer):
            todo.extend((" of the ".join(filter(None, (part, name))), value) for part, value in x.carried())
        elif isinstance(x, float | complex) or (isinstance(x, np.ndarray | np.generic) and is_inexact(x.dtype)):
            found.append((name, x))
    return found[::-1]  # the value itself first


def kinds_in(arrays: Iterable[Any], checks: Any) -> set[str]:
    """Which of "nan" and "inf", as far as they are looked for, occur."""
    wanted = [kind for kind, on in (("nan", checks.nans), ("inf", checks.infs)) if on]
    return {kind for x in arrays for kind in wanted if _TESTS[kind](x).any()} if wanted else set()


class Carried:
    """What a message may have to show of a value: its aval and its numbers, as they are now."""

    __slots__ = ("aval", "parts")

    def __init__(self, x: Any) -> None:
        self.aval = aval_of(x)
        self.parts = [(name, kept(value)) for name, value in numbers(x) or [("", underlying(x))]]


def kept(x: Any) -> Any:
    """A small array is copied, for the user may write into it before it is shown."""
    return x.copy() if type(x) is np.ndarray and x.size <= 256 else x


def list_values(what: str, values: Sequence[Carried], kind: str | None = None, numbered: bool = True) -> list[str]:
    """A line for each value: its aval, its numbers in short, and where in it a `kind` is."""
    lines = []
    for k, x in enumerate(values):
        name = f"{what} {k}" if numbered else what
        for part, value in x.parts:
            shown = "" if value is None or is_zero(value) else f" = {in_short(value)}{place(value, kind)}"
            lines.append(f"{name}{f', {part}' if part else ''}: {x.aval}{in_batch(value, x.aval)}{shown}")
    return lines


def in_batch(value: Any, aval: Aval) -> str:
    """Numbers with the axes of a vmap."""
    shape = aval.shape if value is None or is_zero(value) else shape_of(value)
    return "" if shape == aval.shape else f" in an array of shape {shape}"


def in_short(x: Any) -> str:
    text = np.array2string(np.asarray(x), threshold=SHOWN, edgeitems=2, precision=6, max_line_width=200)
    return " ".join(text.split())


def place(x: Any, kind: str | None) -> str:
    """Where the first one is, of an array that is not shown in full."""
    if kind is None or np.size(x) <= SHOWN or not _TESTS[kind](x).any():
        return ""
    x = np.asarray(x)
    found = _TESTS[kind](x)
    index = tuple(int(k) for k in np.unravel_index(int(np.argmax(found)), x.shape))
    return f", {kind} in {int(found.sum())} of {x.size} entries, the first at index {index}"
