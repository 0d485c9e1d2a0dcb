"""Samples of the primitives in `ops/sorting.py`."""

import numpy as np

from tests.samples.base import integers, normal, sample
from xform.ops.sorting import argpartition, argsort, partition, searchsorted, sort, top_k

TIES = np.array([2.0, 1.0, 2.0, 1.0, 1.0])

SAMPLES = [
    sample(sort, normal(5), axis=0),
    sample(sort, normal(2, 4, 3), axis=1),
    sample(sort, normal(0), axis=0),
    sample(sort, normal(2, 0), axis=0),
    sample(sort, normal(4, dtype=np.float32), axis=0),
    sample(sort, normal(2, 3, dtype=complex), axis=1),
    sample(sort, integers(0, 9, 2, 3), axis=1),
    sample(sort, TIES, axis=0, smooth=False),
    sample(argsort, normal(5), axis=0, stable=False),
    sample(argsort, TIES, axis=0, stable=True),
    sample(argsort, normal(2, 3), axis=0, stable=True),
    sample(argsort, normal(0), axis=0, stable=False),
    sample(partition, normal(9), kth=(3,), axis=0),
    sample(partition, normal(6, 2), kth=(1, 4), axis=0),
    sample(partition, normal(2, 4, dtype=np.float32), kth=(2,), axis=1),
    sample(partition, normal(0), kth=(0,), axis=0),
    sample(partition, TIES, kth=(2,), axis=0, smooth=False),
    sample(argpartition, normal(9), kth=(3,), axis=0),
    sample(argpartition, integers(0, 9, 6, 2), kth=(1, 4), axis=0),
    sample(top_k, normal(5), k=2, axis=0),
    sample(top_k, normal(3, 20), k=2, axis=1),
    sample(top_k, normal(3, 2), k=3, axis=0),
    sample(top_k, normal(4, dtype=np.float32), k=0, axis=0),
    sample(top_k, normal(0, 2), k=1, axis=1),
    sample(top_k, integers(0, 4, 2, 5), k=2, axis=1),
    sample(top_k, TIES, k=3, axis=0, smooth=False),
    sample(searchsorted, np.array([1.0, 2.0, 2.0, 3.0]), np.array([[0.0, 2.0], [2.5, 4.0]]), side="left"),
    sample(searchsorted, np.array([1.0, 2.0, 2.0, 3.0]), np.float64(2.0), side="right"),
    sample(searchsorted, np.array([[1.0, 3.0], [2.0, 5.0]]), np.array([2.0, 2.0]), side="left"),
    sample(searchsorted, np.zeros(0), normal(2), side="right"),
]
