"""Samples of the primitive in `xform/ops/stack.py`."""

import numpy as np

from tests.samples.base import normal, sample
from xform.ops.stack import stack

SAMPLES = [
    sample(stack, normal(), normal(), normal(), axis=0),
    sample(stack, normal(0), normal(0), axis=1),
    sample(stack, normal(2, 3), normal(2, 3), axis=1),
    sample(stack, normal(2, 3), axis=2),
    sample(stack, normal(3, dtype=np.float32), normal(3, dtype=np.float32), axis=0),
    sample(stack, normal(2, dtype=np.complex128), normal(2, dtype=np.complex128), axis=1),
]
