"""Samples of the primitives in `ops/cumulative.py`."""

import numpy as np

from tests.samples.base import normal, sample
from xform.ops.cumulative import cumlogsumexp, cummax, cummin, cumprod, cumsum

SAMPLES = [
    line
    for prim in (cumsum, cumprod, cummax, cummin, cumlogsumexp)
    for line in [
        sample(prim, normal(5), axis=0, reverse=False),
        sample(prim, normal(2, 3, 2), axis=1, reverse=True),
        sample(prim, normal(3, 0), axis=0, reverse=False),
        sample(prim, normal(3, 0), axis=1, reverse=True),
        sample(prim, normal(1), axis=0, reverse=True),
        sample(prim, normal(4, dtype=np.float32), axis=0, reverse=False),
    ]
] + [
    line
    for prim in (cumsum, cumprod)
    for line in [
        sample(prim, normal(2, 3, dtype=complex), axis=1, reverse=False),
        sample(prim, np.array([2, 3, 4]), axis=0, reverse=False),
        sample(prim, np.array([2.0, 0.0, 3.0, 0.0, 5.0]), axis=0, reverse=False),
        sample(prim, np.array([2.0, 0.0, 3.0, 0.0, 5.0]), axis=0, reverse=True),
    ]
]
SAMPLES += [
    sample(cummax, np.array([3, 1, 4]), axis=0, reverse=False),
    sample(cummin, np.array([3, 1, 4]), axis=0, reverse=True),
    sample(cummax, np.array([1.0, 3.0, 3.0, 2.0, 3.0]), axis=0, reverse=False, smooth=False),
    sample(cummin, np.array([1.0, 0.0, 0.0, 2.0]), axis=0, reverse=True, smooth=False),
    sample(cumlogsumexp, np.array([-1e3, 0.0, 1e3, 1e3]), axis=0, reverse=False),
]
