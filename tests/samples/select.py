"""Choice by a condition."""

import numpy as np

from tests.samples.base import integers, normal, sample
from xform.ops.select import select

truth = np.array([True, False, True])

SAMPLES = [
    sample(select, np.True_, normal(), normal()),
    sample(select, truth, normal(3), normal(3)),
    sample(select, truth, normal(2, 1), normal(3)),
    sample(select, truth[:2, None], normal(3), normal()),
    sample(select, False, normal(2), normal(2)),
    sample(select, np.zeros((0, 1), bool), normal(1), normal(2)),
    sample(select, truth, normal(3, dtype=np.float32), normal(3)),
    sample(select, truth, normal(3, dtype=np.float32), 0.0),
    sample(select, truth, 1.0, normal(2, 1, dtype=np.float32)),
    sample(select, truth, 0, normal(3)),
    sample(select, truth, normal(3), integers(-2, 3, 3)),
    sample(select, truth, integers(-2, 3, 3), integers(-2, 3, 3)),
    sample(select, truth, normal(3, dtype=np.complex128), normal(3)),
    sample(select, truth, normal(3, dtype=np.complex64), 1.0),
    sample(select, integers(0, 2, 3), normal(3), normal(3)),
    sample(select, truth, np.array([np.nan, 1.0, np.inf]), normal(3), smooth=False),
]
