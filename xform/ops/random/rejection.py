"""Sampling by rejection, all entries at once: what is refused is proposed again from numbers of its own.

The i-th entry of a batch's lane reads in its r-th round the block at the counter (i, r, 0, purpose) of the lane's key.
So its value depends on nothing but the key and its place: a batch is, bit for bit, a loop.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from xform.ops.random.philox import words
from xform.ops.random.random_bits import KEY, start

#: attempt(blocks, *parameters) -> (values, accepted), entry by entry; a block is a row of four words
Attempt = Callable[..., tuple[np.ndarray, np.ndarray]]


def open_uniform(raw: np.ndarray) -> np.ndarray:
    """(k + 1/2) / 2^52 with k of the highest 52 bits: in (0, 1), symmetric around 1/2, and exact."""
    return ((raw >> np.uint64(12)).astype(np.float64) + 0.5) * 2.0**-52


def by_rejection(key: np.ndarray, purpose: int, parameters: Sequence[Any], dtype: Any, attempt: Attempt) -> np.ndarray:
    """Samples in the common shape of the parameters, whose first axes are those of the batch of keys."""
    shape, lanes = parameters[0].shape, key.reshape(-1, KEY)
    flat, each = [x.reshape(-1) for x in parameters], math.prod(shape[key.ndim - 1 :])
    out, pending = np.empty(math.prod(shape), dtype), np.arange(math.prod(shape))
    for attempts in itertools.count():
        if attempts == 0:
            blocks = first_blocks(lanes, purpose, each)
        else:
            blocks = later_blocks(lanes, purpose, each, attempts, pending)
        values, accepted = attempt(blocks, *(x[pending] for x in flat))
        out[pending[accepted]] = values[accepted]
        pending = pending[~accepted]
        if not pending.size:
            return out.reshape(shape)
    raise AssertionError("unreachable")


def first_blocks(lanes: np.ndarray, purpose: int, each: int) -> np.ndarray:
    """Those at (0, 0, 0, purpose), (1, 0, 0, purpose), ... follow each other."""
    return words(lanes, np.tile(start(purpose), (len(lanes), 1)), 4 * each).reshape(-1, 4)


def later_blocks(lanes: np.ndarray, purpose: int, each: int, attempts: int, pending: np.ndarray) -> np.ndarray:
    counters = np.tile(start(purpose), (len(pending), 1))
    counters[:, 0], counters[:, 1] = pending % each, attempts
    return words(lanes[pending // each], counters, 4)
