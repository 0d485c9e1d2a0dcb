"""Primitives of xform.scipy.signal: single and stacked signals, real, complex, float32, and of size zero."""

from __future__ import annotations

import numpy as np

from tests.samples.base import normal, sample
from xform.scipy.signal.filters import all_pole

SAMPLES = [
    sample(all_pole, np.array([[2.0, 0.5, -0.3]]), normal(4, 2)),
    sample(all_pole, np.array([[[1.0, 0.5]], [[2.0, -0.5]]]), normal(2, 3, 1)),
    sample(all_pole, np.array([[2.0, 0.5 - 0.2j]]), normal(3, 1, dtype=np.complex128)),
    sample(all_pole, np.array([[2.0, 0.5]], np.float32), normal(3, 1, dtype=np.float32)),
    sample(all_pole, np.array([[2.0, 0.5, 0.1, 0.1]]), normal(2, 1)),
    sample(all_pole, np.array([[2.0]]), normal(0, 2)),
]
