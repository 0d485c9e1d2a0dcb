"""Random bits and numbers, the normal distribution, and the moments by which gamma samples are differentiated."""

import numpy as np

from tests.samples.base import binary, sample, unary, uniform, within
from xform.ops.normal_distribution import normal_cdf, normal_mills, normal_quantile
from xform.ops.random.gamma_moments import gamma_moments
from xform.ops.random.random_bits import random_bits, start
from xform.ops.random.random_counts import random_binomial, random_poisson
from xform.ops.random.random_gamma import random_gamma

KEY = np.array([3, 2**63 + 5], np.uint64)
KEYS = np.array([[1, 2], [3, 4], [2**64 - 1, 0]], np.uint64)
DOUBLE, INTEGER = np.dtype(np.float64), np.dtype(np.int64)
rates = np.array([[0.0, 0.5, 3.0], [8.0, 20.0, 500.0], [1e4, 1e9, 2.5]])
trials = np.array([[0, 5, 50], [1, 200, 10**6], [10, 10**9, 3]])

SAMPLES = [
    *(
        sample(random_bits, key, counter, shape=shape, dtype=np.dtype(dtype))
        for key, counter, shape, dtype in [
            (KEY, start(0), (), np.uint64),
            (KEY, start(1), (2, 3), np.uint64),
            (KEY, start(0), (5,), np.uint8),
            (KEY, start(2), (0, 3), np.uint32),
            (KEYS, np.tile(start(0), (3, 1)), (5,), np.uint16),
            (KEY, np.full(4, 2**64 - 1, np.uint64), (9,), np.uint64),
        ]
    ),
    *(
        sample(random_gamma, key, a, smooth=False)
        for key, a in [
            (KEY, np.float64(1.5)),
            (KEY, uniform(1.0, 9.0, 2, 3)),
            (KEY, np.zeros((0, 2))),
            (KEY, uniform(1.0, 9.0, 4, dtype=np.float32)),
            (KEYS, uniform(10.0, 1000.0, 3, 2)),
        ]
    ),
    *(
        sample(random_poisson, key, rate, dtype=dtype, smooth=False)
        for key, rate, dtype in [
            (KEY, np.float64(4.0), INTEGER),
            (KEY, rates, INTEGER),
            (KEYS, rates, DOUBLE),
            (KEY, np.zeros(0), INTEGER),
            (KEY, np.float32([2.0, 30.0]), np.dtype(np.int32)),
        ]
    ),
    *(
        sample(random_binomial, key, n, p, dtype=dtype, smooth=False)
        for key, n, p, dtype in [
            (KEY, np.int64(4), np.float64(0.3), INTEGER),
            (KEY, trials, uniform(0.0, 1.0, 3, 3), DOUBLE),
            (KEYS, trials, uniform(0.0, 1.0, 3, 3), INTEGER),
            (KEY, np.zeros(0, int), np.zeros(0), DOUBLE),
        ]
    ),
    *unary(normal_cdf, within(-3.0, 3.0)),
    *unary(normal_mills, within(-9.0, 1.0)),
    *unary(normal_quantile, within(0.05, 0.95)),
    *(sample(gamma_moments, s.args[0], s.args[1], order=0) for s in binary(gamma_moments, within(1.5, 6.0))[:5]),
    sample(gamma_moments, uniform(1.0, 3.0, 2), np.float64(0.3), order=1),
    sample(gamma_moments, uniform(1.0, 3.0, 2), uniform(-1.0, 1.0, 2), order=2, smooth=False),
]
