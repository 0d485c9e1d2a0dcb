"""Batches whose examples go different ways: the lanes of a loop that stop, the lanes that belong to a branch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from xform.ops.indexing.index import gather
from xform.ops.reduce import argmax
from xform.ops.select import select
from xform.ops.structure import concatenate, reshape


def lanes_of(x: Any, lanes: Any, batched: bool) -> Any:
    """The lanes with these numbers, of a value that has them."""
    return gather(x, lanes, axes=(0,), at=0) if batched else x


def together(order: Sequence[np.ndarray], parts: Sequence[Sequence[Any]]) -> list[Any]:
    """Results of groups of lanes as results of all lanes, in their order."""
    if len(parts) == 1:  # all lanes, in their order
        return list(parts[0])
    back = np.argsort(np.concatenate(order), kind="stable")
    return [gather(concatenate(*ys, axis=0), back, axes=(0,), at=0) for ys in zip(*parts, strict=True)]


def own_lanes(mine: Any) -> Any:
    """For each lane its own number, or that of a lane which is in the mask."""
    lanes = np.arange(mine.shape[0])
    return select(mine, lanes, argmax(mine, axis=0)) if len(lanes) else lanes


def lane_select(mine: Any, x: Any, y: Any) -> Any:
    """x in the lanes of the mask, y in the others."""
    return select(reshape(mine, shape=(mine.shape[0], *(1,) * (len(x.shape) - 1))), x, y)
