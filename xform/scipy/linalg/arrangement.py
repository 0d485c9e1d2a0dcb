"""Matrices whose entries are those of a vector, each at given places: bands, Toeplitz matrices and the like."""

from __future__ import annotations

from typing import Any

import numpy as np

from xform.ops.indexing.index import gather
from xform.ops.select import select
from xform.ops.structure import reshape


def arranged(values: Any, source: np.ndarray) -> Any:
    """y[..., i, j, ..] = values[..., source[i, j, ..]], and 0 where the source is negative."""
    last = len(values.shape) - 1
    if not values.shape[-1] or not source.size:
        return np.zeros((*values.shape[:-1], *source.shape), values.dtype)
    y = gather(values, np.maximum(source, 0), axes=(last,), at=last)
    return select(source < 0, 0, y) if (source < 0).any() else y


def rearranged(matrix: Any, source: np.ndarray) -> Any:
    """`arranged` of the entries of matrices, counted along rows."""
    return arranged(reshape(matrix, shape=(*matrix.shape[:-2], matrix.shape[-2] * matrix.shape[-1])), source)
