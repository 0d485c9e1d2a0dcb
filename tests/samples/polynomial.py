"""Roots, simple ones, some of them zero or at infinity; characteristic polynomials, degenerate ones as well."""

import numpy as np

from tests.samples.base import normal, sample
from xform.ops.polynomial import characteristic, roots

c128, f32 = np.complex128, np.float32

SAMPLES = [
    *(sample(roots, normal(n)) for n in (1, 2, 4)),
    sample(roots, np.array([[1.0, 0.5, -1.0, -8.0], [2.0, 1.0, -3.0, 0.0]])),
    sample(roots, np.array([0.0, 1.0, 3.0]), smooth=False),
    sample(roots, normal(0, 3)),
    sample(roots, normal(3, dtype=c128)),
    sample(roots, np.array([1.0, -3.0, 1.0], f32)),
    sample(characteristic, normal(1, 1)),
    sample(characteristic, normal(2, 3, 3)),
    sample(characteristic, 2 * np.eye(3)),
    sample(characteristic, normal(0, 0)),
    sample(characteristic, normal(0, 2, 2)),
    sample(characteristic, normal(2, 2, dtype=c128)),
    sample(characteristic, normal(2, 2, dtype=f32)),
]
