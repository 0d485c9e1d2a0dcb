"""Signals along the last axis: how they go on beyond their ends, parts of them, and terms of their convolutions."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from xform.ops.convolution.convolve import convolve
from xform.ops.convolution.convolve_kernels import Window
from xform.ops.structure import pad, reshape, slice_

#: how a signal goes on beyond its ends, as options of numpy.pad
EXTENSIONS: dict[str, dict[str, Any]] = {
    "odd": {"mode": "reflect", "reflect_type": "odd"},
    "even": {"mode": "reflect"},
    "constant": {"mode": "edge"},
    "zeros": {"mode": "constant"},
}


def terms(c: Any, x: Any, start: int, size: int) -> Any:
    """The terms start, .., start + size - 1 of the convolution of a vector c with x."""
    lead = x.shape[:-1]
    if not size or 0 in x.shape:
        return np.zeros((*lead, size), np.result_type(c.dtype, x.dtype))
    rows = reshape(x, shape=(math.prod(lead), x.shape[-1]))
    y = convolve(c, rows, spec=("", "z", "z"), windows=(Window(1, 1, 1, start, size),))
    return reshape(y, shape=(*lead, size))


def resized(x: Any, start: int, size: int) -> Any:
    """The entries start, .., start + size - 1, zeros beyond the end."""
    n, whole = x.shape[-1], tuple((0, m, 1) for m in x.shape[:-1])
    count = max(min(n - start, size), 0)
    part = slice_(x, index=(*whole, (start if count else 0, count, 1)))
    return pad(part, shape=(*x.shape[:-1], size), index=(*whole, (0, count, 1)))
