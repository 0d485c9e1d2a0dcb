"""Integers: numbers of events, of trials, of what falls into each of several classes. They have no derivative."""

from __future__ import annotations

from typing import Any

import numpy as np

from xform.control.loops.rows import scan
from xform.numpy.dispatch import ArrayLike, as_dtype
from xform.ops.random.random_counts import random_binomial, random_poisson
from xform.ops.structure import broadcast_to
from xform.random.arguments import as_shape, demand, float_dtype, int_dtype, one_key, parameters, probabilities, real
from xform.random.keys import split
from xform.random.uniforms import between

__all__ = ["binomial", "geometric", "multinomial", "poisson"]

WIDE = np.dtype(np.float64)

#: the largest double below 2^63
LARGEST = 2.0**63 - 2.0**10


def poisson(key: ArrayLike, lam: ArrayLike, shape: Any = None, dtype: Any = None) -> Any:
    """Numbers of events at the rate lam, P(k) = lam^k e^-lam / k!, of `dtype` (int64).

    Raises ValueError for a rate that is negative, nan or above 9.2e18.

    >>> import xform.random as random
    >>> print(poisson(random.key(42), 4.0, (6,)))
    [1 4 8 7 9 2]
    """
    dtype = int_dtype("poisson", dtype)
    (rate,) = parameters("poisson", shape, WIDE, lam=lam)
    return random_poisson(one_key("poisson", key), rate, dtype=dtype)


def binomial(key: ArrayLike, n: ArrayLike, p: ArrayLike, shape: Any = None, dtype: Any = None) -> Any:
    """Numbers of successes in n trials of probability p, of `dtype`: float64, as in JAX, or one of integers.

    Raises ValueError unless n is a whole number of 0 ... 2^53 and p is a probability.

    >>> import xform.random as random
    >>> print(binomial(random.key(42), 10, 0.5, (6,), int))
    [4 6 3 6 4 8]
    """
    dtype = count_dtype("binomial", dtype)
    n, p = parameters("binomial", shape, WIDE, n=n, p=p)
    return random_binomial(one_key("binomial", key), n, p, dtype=dtype)


def count_dtype(name: str, dtype: Any) -> np.dtype:
    if dtype is not None and np.dtype(dtype).kind in "iu":
        return int_dtype(name, dtype)
    return float_dtype(name, dtype)


def geometric(key: ArrayLike, p: ArrayLike, shape: Any = None, dtype: Any = None) -> Any:
    """Numbers of trials up to the first success, P(k) = (1 - p)^(k - 1) p for k = 1, 2, ..., of `dtype` (int64).

    Raises ValueError unless 0 < p <= 1.

    >>> import xform.random as random
    >>> print(geometric(random.key(42), 0.25, (6,)))
    [2 5 1 1 1 6]
    """
    dtype = int_dtype("geometric", dtype)
    (p,) = parameters("geometric", shape, WIDE, p=p)
    demand("geometric", "p", p, lambda x: (x > 0) & (x <= 1), "a probability above 0")
    with np.errstate(divide="ignore"):
        failures = np.log(between(one_key("geometric", key), p.shape, WIDE)) / np.log1p(-p)
    return as_dtype(np.minimum(np.floor(failures) + 1, min(LARGEST, float(np.iinfo(dtype).max))), dtype)


def multinomial(
    key: ArrayLike,
    n: ArrayLike,
    p: ArrayLike,
    *,
    shape: Any = None,
    dtype: Any = None,
    unroll: int | bool = 1,
) -> Any:
    """How many of n fall into each class, the classes with the probabilities p along the last axis.

    `shape` is that of the samples without the last axis; `dtype` is as of `binomial`. One class after the other has a
    binomial part of those that are left. Raises ValueError for probabilities below 0 or whose sum is not 1.

    >>> import xform.random as random
    >>> print(multinomial(random.key(42), 100, np.array([0.5, 0.3, 0.2]), dtype=int))
    [44 40 16]
    """
    dtype, p = count_dtype("multinomial", dtype), real("multinomial", "p", p, WIDE)
    probabilities("multinomial", p)
    classes = p.shape[-1]
    batch = None if shape is None else as_shape("multinomial", shape)
    n, _ = parameters("multinomial", batch, WIDE, n=n, p=p[..., 0])
    p = broadcast_to(p, (*n.shape, classes))
    rest = np.flip(np.cumsum(np.flip(p, -1), axis=-1), -1)
    chance = np.moveaxis(np.minimum(p / np.maximum(rest, np.finfo(WIDE).tiny), 1.0), -1, 0)

    def step(left: Any, row: Any) -> tuple[Any, Any]:
        k = random_binomial(row[0], left, row[1], dtype=WIDE)
        return left - k, k

    keys = split(one_key("multinomial", key), max(classes - 1, 0))
    left, counts = scan(step, n, (keys, chance[:-1]), unroll=unroll)
    return as_dtype(np.moveaxis(np.concatenate([counts, left[None]]), 0, -1), dtype)
