"""Samples of the primitives in `ops/recurrence.py`."""

import numpy as np

from tests.samples.base import normal, sample
from xform.ops.recurrence import recurrence

SAMPLES = [
    sample(recurrence, normal(5), normal(5), axis=0, transposed=False),
    sample(recurrence, normal(5), normal(5), axis=0, transposed=True),
    sample(recurrence, normal(2, 4, 3), normal(2, 4, 3), axis=1, transposed=True),
    sample(recurrence, normal(3, 20), normal(3, 20), axis=0, transposed=False),
    sample(recurrence, normal(0), normal(0), axis=0, transposed=False),
    sample(recurrence, normal(2, 0), normal(2, 0), axis=0, transposed=True),
    sample(recurrence, normal(1), normal(1), axis=0, transposed=False),
    sample(recurrence, np.array([2.0, 0.0, 0.0, 3.0]), normal(4), axis=0, transposed=False),
    sample(recurrence, normal(4, dtype=np.float32), normal(4, dtype=np.float32), axis=0, transposed=False),
    sample(recurrence, normal(2, 3, dtype=complex), normal(2, 3, dtype=complex), axis=1, transposed=True),
]
