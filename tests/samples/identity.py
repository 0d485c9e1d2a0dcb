"""Identities that mean something to the transformations alone."""

import numpy as np

from tests.samples.base import integers, normal, sample, unary
from xform.ops.identity import optimization_barrier, stop_gradient

SAMPLES = [
    *unary(stop_gradient, complex=True, smooth=False),
    sample(stop_gradient, integers(0, 5, 3)),
    sample(optimization_barrier, normal(2, 3)),
    sample(optimization_barrier, normal(), normal(3, dtype=np.float32)),
    sample(optimization_barrier, normal(2, dtype=np.complex128), integers(0, 5, 3), normal(0)),
    sample(optimization_barrier, normal(3, 1), np.array([True, False])),
]
