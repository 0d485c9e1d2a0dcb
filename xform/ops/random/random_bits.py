"""Random bits: numbers of a counter-based stream as a pure function of a key and of the counter where it begins.

    random_bits(key, counter; shape, dtype)     the integers of the stream of Philox 4x64-10 from that block on

Keys are uint64[2] and counters uint64[4], behind equal axes of a batch, so that a batch of keys is one operation whose
entries are bit for bit those of a loop over the keys. The highest word of the counter says what a stream is for, so
that no two uses of a key ever read the same block.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from xform.core.aval import Aval
from xform.ops.family import Discrete
from xform.ops.random.philox import reinterpreted, words
from xform.ops.structure import batch_operand

#: what the streams of a key are for: the highest word of their counters
NUMBERS, SPLIT, FOLD_IN, GAMMA, POISSON, BINOMIAL = range(6)

#: the words of a key, and of a counter
KEY, COUNTER = 2, 4


def start(purpose: int) -> np.ndarray:
    """The counter at which the stream for a purpose begins."""
    return np.array([0, 0, 0, purpose], np.uint64)


class RandomBits(Discrete):
    """Unsigned integers of `dtype`, all values equally likely."""

    def abstract(self, key: Aval, counter: Aval, *, shape: tuple[int, ...], dtype: np.dtype) -> list[Aval]:
        if key.shape[:-1] != counter.shape[:-1] or (key.shape[-1:], counter.shape[-1:]) != ((KEY,), (COUNTER,)):
            raise ValueError(
                f"random_bits: a key of shape {key.shape} and a counter of shape {counter.shape} were given; "
                "wanted (..., 2) and (..., 4), with the same axes in front"
            )
        return [Aval((*key.shape[:-1], *shape), dtype)]

    def numpy(self, key: Any, counter: Any, *, shape: tuple[int, ...], dtype: np.dtype) -> list[Any]:
        count = -(-math.prod(shape) * dtype.itemsize // 8)
        raw = words(key.reshape(-1, KEY), counter.reshape(-1, COUNTER), count)
        return [reinterpreted(raw.reshape((*key.shape[:-1], count)), shape, dtype)[()]]

    def batch(self, size: int, args: Any, batched: Any, **params: Any) -> list[Any]:
        return self.bind(*(batch_operand(size, x, b) for x, b in zip(args, batched, strict=True)), **params)


random_bits = RandomBits("random_bits")
