"""Labels that name the axes of two arrays and of a sum of their products: a spec (i, j, o), written i,j->o.

A label stands at most once in each of i, j and o, and in at least two of them. What it does follows from where it
stands: batch labels are in all three, inner ones (summed) in i and j, left ones in i and o, right ones in j and o.
"""

from __future__ import annotations

import string
from collections.abc import Sequence
from functools import cache
from typing import NamedTuple

Spec = tuple[str, str, str]

#: Names for axes: enough for three arrays of NumPy's 64 axes each, the familiar ones first.
LABELS = string.ascii_letters + "".join(chr(k) for k in range(0xC0, 0x250) if chr(k).isalpha())


class Groups(NamedTuple):
    """The labels of a spec by the part they play."""

    batch: str
    inner: str
    left: str
    right: str


@cache
def groups(spec: Spec) -> Groups:
    """The labels by their parts, in the order of the first array that has them; ValueError for an invalid spec."""
    i, j, o = spec
    for k in i + j + o:
        if (k in i) + (k in j) + (k in o) < 2 or max(labels.count(k) for labels in spec) > 1:
            raise ValueError(
                f"contract {show(spec)}: label '{k}' must stand once in at least two of the three arrays; "
                "sum over an axis of one array with sum, take a diagonal with diagonal, or use einsum"
            )
    return Groups(
        "".join(k for k in i if k in j and k in o),
        "".join(k for k in i if k in j and k not in o),
        "".join(k for k in i if k not in j),
        "".join(k for k in j if k not in i),
    )


def label_sizes(spec: Spec, *shapes: Sequence[int], name: str = "contract") -> dict[str, int]:
    """The size of each label; ValueError, in the words of the operation `name`, where the operands do not fit."""
    size: dict[str, int] = {}
    for position, labels, shape in zip(("first", "second"), spec, shapes, strict=False):
        if len(labels) != len(shape):
            raise ValueError(
                f"{name} {show(spec)}: the {position} operand has shape {tuple(shape)}, of {len(shape)} axes, "
                f"but its labels '{labels}' name {len(labels)}; give one label to each axis"
            )
        for k, n in zip(labels, shape, strict=True):
            if size.setdefault(k, n) != n:
                raise ValueError(
                    f"{name} {show(spec)}: label '{k}' has size {size[k]} in the first operand, of shape "
                    f"{tuple(shapes[0])}, and size {n} in the second, of shape {tuple(shapes[1])}; "
                    "axes of one label must have one size: transpose or reshape an operand"
                )
    return size


def show(spec: Spec) -> str:
    return f"{spec[0]},{spec[1]}->{spec[2]}"


def fresh_label(*used: str) -> str:
    """The first label that is not in use."""
    return next(k for k in LABELS if not any(k in labels for labels in used))
