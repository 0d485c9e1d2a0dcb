"""Samples of the primitives in `ops/dynamic.py`."""

import numpy as np

from tests.samples.base import normal, sample
from xform.ops.indexing.dynamic import dynamic_pad, dynamic_slice, dynamic_update_slice

zero, two, beyond, before = np.int64(0), np.int64(2), np.int64(9), np.int64(-9)

SAMPLES = [
    sample(dynamic_slice, normal(5), two, sizes=(2,)),
    sample(dynamic_slice, normal(4, 3, dtype=np.float32), beyond, zero, sizes=(2, 3)),
    sample(dynamic_slice, normal(4, 3, dtype=np.complex128), before, two, sizes=(4, 1)),
    sample(dynamic_slice, np.float64(2.0), sizes=()),
    sample(dynamic_slice, normal(3, 0), two, zero, sizes=(2, 0)),
    sample(dynamic_pad, normal(2), two, shape=(5,)),
    sample(dynamic_pad, normal(2, 3, dtype=np.float32), beyond, zero, shape=(4, 3)),
    sample(dynamic_pad, normal(4, 1, dtype=np.complex128), before, two, shape=(4, 3)),
    sample(dynamic_pad, np.float64(2.0), shape=()),
    sample(dynamic_pad, normal(2, 0), two, zero, shape=(3, 0)),
    sample(dynamic_update_slice, normal(5), normal(2), two),
    sample(dynamic_update_slice, normal(4, 3, dtype=np.float32), normal(2, 3, dtype=np.float32), beyond, zero),
    sample(dynamic_update_slice, normal(4, 3, dtype=complex), normal(4, 1, dtype=complex), before, two),
    sample(dynamic_update_slice, np.float64(2.0), np.float64(1.0)),
    sample(dynamic_update_slice, normal(3, 0), normal(2, 0), two, zero),
]
