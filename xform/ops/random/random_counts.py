"""Numbers of events: integers, which have no derivative in the parameters.

    random_poisson(key, rate; dtype)        P(k) = rate^k e^-rate / k!
    random_binomial(key, n, p; dtype)       P(k) = n! / (k! (n - k)!) p^k (1 - p)^(n - k)

Few expected events are counted by inversion: the least k at which the sum of the probabilities exceeds a uniform
number. Of many, W. Hormann's transformed rejections are made: PTRS ("The transformed rejection method for generating
Poisson random variables", Insurance: Mathematics and Economics 12, 1993) and BTRS ("The generation of binomial random
variates", Journal of Statistical Computation and Simulation 46, 1993).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from xform.core.aval import Aval
from xform.ops.family import Discrete
from xform.ops.random import log_probability
from xform.ops.random.random_bits import BINOMIAL, POISSON
from xform.ops.random.rejection import by_rejection, open_uniform
from xform.ops.structure import batch_operand

#: inversion below so many expected events
FEW = 10.0

#: the largest rate whose counts are integers of 64 bits
LARGEST_RATE = 9.2e18

#: the largest n that doubles count exactly
LARGEST_N = 2.0**53


class RandomCount(Discrete):
    """The shape is that of the parameters, which have one; its first axes are those of the batch of keys."""

    def abstract(self, key: Aval, *parameters: Aval, dtype: np.dtype) -> list[Aval]:
        return [Aval(parameters[0].shape, dtype)]

    def batch(self, size: int, args: Any, batched: Any, *, dtype: np.dtype) -> list[Any]:
        return self.bind(*(batch_operand(size, x, b) for x, b in zip(args, batched, strict=True)), dtype=dtype)


class RandomPoisson(RandomCount):
    """Raises ValueError for rates that are negative, nan or too large."""

    def numpy(self, key: Any, rate: Any, *, dtype: np.dtype) -> list[Any]:
        rate = np.asarray(rate, np.float64)
        if not np.all((rate >= 0) & (rate <= LARGEST_RATE)):
            raise ValueError(
                f"random.poisson: the rate lam = {outside(rate, 0, LARGEST_RATE)} was given, wanted numbers from 0 to "
                f"{LARGEST_RATE:.1e}"
            )
        return [by_rejection(key, POISSON, [rate], np.float64, poisson_attempt).astype(dtype)[()]]


class RandomBinomial(RandomCount):
    """Raises ValueError unless n is a whole number of at least 0 and p a probability."""

    def numpy(self, key: Any, n: Any, p: Any, *, dtype: np.dtype) -> list[Any]:
        n, p = np.asarray(n, np.float64), np.asarray(p, np.float64)
        if not np.all((n >= 0) & (n <= LARGEST_N) & (n == np.floor(n))):
            raise ValueError(f"random.binomial: n = {n!s:.60} trials were given, wanted whole numbers from 0 to 2^53")
        if not np.all((p >= 0) & (p <= 1)):
            raise ValueError(f"random.binomial: p = {outside(p, 0, 1)} was given, wanted probabilities from 0 to 1")
        rare = by_rejection(key, BINOMIAL, [n, np.minimum(p, 1 - p)], np.float64, binomial_attempt)
        return [np.where(p > 0.5, n - rare, rare).astype(dtype)[()]]


def outside(x: Any, low: float, high: float) -> Any:
    """The first entry that is not between the limits."""
    return x[~((x >= low) & (x <= high))].reshape(-1)[0]


def by_cases(few: np.ndarray, invert: Any, transform: Any, blocks: np.ndarray, *parameters: np.ndarray) -> Any:
    """The attempt of the one method or of the other, entry by entry; inversion always succeeds."""
    values, accepted = np.empty(len(blocks)), np.ones(len(blocks), bool)
    if few.any():
        values[few] = invert(open_uniform(blocks[few, 0]), *(x[few] for x in parameters))
    if not few.all():
        many = ~few
        values[many], accepted[many] = transform(blocks[many], *(x[many] for x in parameters))
    return values, accepted


def poisson_attempt(blocks: np.ndarray, rate: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return by_cases(rate < FEW, invert_poisson, transform_poisson, blocks, rate)


def binomial_attempt(blocks: np.ndarray, n: np.ndarray, p: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return by_cases(n * p < FEW, invert_binomial, transform_binomial, blocks, n, p)


def invert(u: np.ndarray, first: np.ndarray, growth: Any, most: Any) -> np.ndarray:
    """The least k with P(0) + ... + P(k) >= u, where P(k + 1) = P(k) growth(k); rounding may lead to `most`, not on."""
    k, probability, left = np.zeros(len(u)), first, u - first
    while (beyond := (left > 0) & (k < most)).any():
        probability = probability * growth(k)
        k = k + beyond
        left = np.where(beyond, left - probability, left)
    return k


def invert_poisson(u: np.ndarray, rate: np.ndarray) -> np.ndarray:
    """For rates below 10, 100 events have a probability below 10^-62."""
    return invert(u, np.exp(-rate), lambda k: rate / (k + 1), 100)


def invert_binomial(u: np.ndarray, n: np.ndarray, p: np.ndarray) -> np.ndarray:
    first = np.exp(n * np.log1p(-p))
    return invert(u, first, lambda k: (n - k) / (k + 1) * (p / (1 - p)), np.minimum(n, 200))


def transform_poisson(blocks: np.ndarray, rate: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    u, v = open_uniform(blocks[:, 0]) - 0.5, open_uniform(blocks[:, 1])
    b = 0.931 + 2.53 * np.sqrt(rate)
    a, inverse_alpha, v_r = -0.059 + 0.02483 * b, 1.1239 + 1.1328 / (b - 3.4), 0.9277 - 3.6224 / (b - 2)
    us = 0.5 - np.abs(u)
    k = np.floor((2 * a / us + b) * u + rate + 0.43)
    bound = log_probability.poisson(np.maximum(k, 0), rate)
    precise = np.log(v * inverse_alpha / (a / (us * us) + b)) <= bound
    return k, (k >= 0) & (((us >= 0.07) & (v <= v_r)) | precise & ((us >= 0.013) | (v <= us)))


def transform_binomial(blocks: np.ndarray, n: np.ndarray, p: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    u, v = open_uniform(blocks[:, 0]) - 0.5, open_uniform(blocks[:, 1])
    width = np.sqrt(n * p * (1 - p))
    b = 1.15 + 2.53 * width
    a, v_r, alpha = -0.0873 + 0.0248 * b + 0.01 * p, 0.92 - 4.2 / b, (2.83 + 5.1 / b) * width
    us, mode = 0.5 - np.abs(u), np.floor((n + 1) * p)
    k = np.floor((2 * a / us + b) * u + n * p + 0.5)
    at_mode = log_probability.binomial(mode, n, p)
    bound = log_probability.binomial(np.clip(k, 0, n), n, p) - at_mode
    precise = np.log(v * alpha / (a / (us * us) + b)) <= bound
    return k, (k >= 0) & (k <= n) & (((us >= 0.07) & (v <= v_r)) | precise)


random_poisson = RandomPoisson("random_poisson")
random_binomial = RandomBinomial("random_binomial")
