"""Philox 4x64-10 (Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011), on arrays.

A block of four 64-bit words is a keyed permutation of a counter of four words, ten rounds of

    (c0, c1, c2, c3) <- (hi(M1 c2) ^ c1 ^ k0,  lo(M1 c2),  hi(M0 c0) ^ c3 ^ k1,  lo(M0 c0)),    k <- k + W,

so any number of a stream can be computed without the ones before it. Long streams are left to NumPy's generator, whose
raw output is fixed for ever; many short ones are computed here, all at once, to the same bits.
"""

from __future__ import annotations

import threading
from typing import Any

import numpy as np

from xform.ops.bits import high_product_of_unsigned

MULTIPLIERS = np.uint64(0xD2E7470EE14C6C93), np.uint64(0xCA5A826395121157)
WEYL = np.array([0x9E3779B97F4A7C15, 0xBB67AE8584CAA73B], np.uint64)
ROUNDS = 10
LAST = 2**64 - 1

#: from so many streams of at most so many blocks on, arrays over the streams beat a loop over them
MANY, SHORT = 128, 4


class Generators(threading.local):
    """One generator per thread, whose state is set anew for each stream."""

    def __init__(self) -> None:
        self.philox = np.random.Philox(0)


GENERATORS = Generators()


def words(keys: np.ndarray, counters: np.ndarray, count: int) -> np.ndarray:
    """The first words of streams: keys (n, 2) and counters (n, 4) of uint64 give (n, count) of uint64.

    Stream k consists of the blocks at counters[k], counters[k] + 1, ..., with the counter's first word the lowest.
    """
    blocks = -(-count // 4)
    if len(keys) == 1:
        return stream(keys[0], counters[0].tolist(), count)[None]
    if len(keys) <= MANY or blocks > SHORT:
        out = np.empty((len(keys), count), np.uint64)
        for row, key, counter in zip(out, keys, counters.tolist(), strict=True):
            row[:] = stream(key, counter, count)
        return out
    return permuted(keys[:, None], advanced(counters, blocks)).reshape(len(keys), 4 * blocks)[:, :count]


def stream(key: np.ndarray, counter: list[int], count: int) -> np.ndarray:
    """Words of NumPy's generator, which steps its counter before it uses it."""
    before = counter.copy()
    for k in range(4):
        before[k] = (before[k] - 1) & LAST
        if before[k] != LAST:
            break
    GENERATORS.philox.state = {
        "bit_generator": "Philox",
        "state": {"counter": np.array(before, np.uint64), "key": key},
        "buffer": np.zeros(4, np.uint64),
        "buffer_pos": 4,
        "has_uint32": 0,
        "uinteger": 0,
    }
    return GENERATORS.philox.random_raw(count)


def advanced(counters: np.ndarray, blocks: int) -> np.ndarray:
    """The counters + 0, 1, ..., blocks - 1, along a new axis before the last."""
    out = np.repeat(counters[:, None], blocks, axis=1)
    carry = np.arange(blocks, dtype=np.uint64)
    for k in range(4):
        out[..., k] += carry
        carry = (out[..., k] < carry).astype(np.uint64)
    return out


def permuted(keys: np.ndarray, counters: np.ndarray) -> np.ndarray:
    """The blocks at counters (..., 4) for keys that broadcast with them."""
    c0, c1, c2, c3 = np.moveaxis(counters, -1, 0)
    for n in range(ROUNDS):
        k0, k1 = np.moveaxis(keys + np.uint64(n) * WEYL, -1, 0)
        (high0, low0), (high1, low1) = (
            (high_product_of_unsigned(m, c), m * c) for m, c in zip(MULTIPLIERS, (c0, c2), strict=True)
        )
        c0, c1, c2, c3 = high1 ^ c1 ^ k0, low1, high0 ^ c3 ^ k1, low0
    return np.stack([c0, c1, c2, c3], axis=-1)


def reinterpreted(raw: np.ndarray, shape: tuple[int, ...], dtype: np.dtype) -> Any:
    """Rows of words as unsigned numbers of `dtype`, the lowest part of a word first, in `shape` behind the rows'."""
    count = int(np.prod(shape, dtype=int))
    parts = raw.astype("<u8", copy=False).view(dtype.newbyteorder("<"))[..., :count]
    return parts.reshape((*raw.shape[:-1], *shape)).astype(dtype, copy=False)
