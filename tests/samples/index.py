"""Samples of the primitives in `ops/index.py`."""

import numpy as np

from tests.samples.base import integers, normal, sample
from xform.ops.indexing.index import gather, scatter_sum

three, rows = np.int64(3), integers(-4, 4, 3)

SAMPLES = [
    sample(gather, normal(5), three, axes=(0,), at=0),
    sample(gather, normal(5, dtype=np.float32), np.array([0, 4, 4, -1]), axes=(0,), at=0),
    sample(gather, normal(4, 3, dtype=np.complex128), integers(-3, 3, 2, 2), axes=(1,), at=1),
    sample(gather, normal(4, 3), integers(0, 3, 2, 2), axes=(1,), at=0),
    sample(gather, normal(4, 3, 5), rows, integers(-5, 5, 2, 3), axes=(0, 2), at=1),
    sample(gather, normal(4, 5), rows, three, axes=(0, 1), at=0),
    sample(gather, normal(4, 3), np.zeros((0,), int), axes=(0,), at=0),
    sample(gather, normal(0, 3), np.zeros((2, 0), int), axes=(0,), at=0),
    sample(scatter_sum, np.float64(2.0), three, shape=(5,), axes=(0,), at=0),
    sample(scatter_sum, normal(4, dtype=np.float32), np.array([0, 4, 4, -1]), shape=(5,), axes=(0,), at=0),
    sample(scatter_sum, normal(4, 2, 2, dtype=np.complex128), integers(-3, 3, 2, 2), shape=(4, 3), axes=(1,), at=1),
    sample(scatter_sum, normal(3, 2, 3), rows, integers(-5, 5, 2, 3), shape=(4, 3, 5), axes=(0, 2), at=1),
    sample(scatter_sum, normal(3), rows, three, shape=(4, 5), axes=(0, 1), at=0),
    sample(scatter_sum, normal(0, 3), np.zeros((0,), int), shape=(4, 3), axes=(0,), at=0),
]
