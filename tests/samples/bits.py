"""Bits counted, multiplied, reinterpreted, and rounded to fewer of them."""

import numpy as np

from tests.samples.base import integers, normal, sample
from xform.ops import bits as b

narrow = np.array([[-128, -1], [0, 127]], np.int8)
large = integers(-(2**62), 2**62, 3)

SAMPLES = [
    *(sample(b.clz, x) for x in (large, narrow, np.uint8(1), np.int64(0), np.zeros((0, 2), np.uint32))),
    *(
        sample(b.mulhi, *args)
        for args in [
            (large, large[::-1].reshape(3, 1)),
            (narrow, narrow[0]),
            (np.uint64(2**63), np.uint64(6)),
            (large, -5),
            (np.zeros(0, int), 3),
        ]
    ),
    *(
        sample(b.bitcast_convert_type, x, dtype=np.dtype(dtype), smooth=False)
        for x, dtype in [
            (normal(2, 3), np.int64),
            (normal(2, 3), np.float32),
            (normal(2, 2, dtype=np.float32), np.float64),
            (normal(), np.uint8),
            (normal(2, dtype=np.float32), np.int64),
            (integers(0, 9, 3), np.float64),
            (normal(0), np.int32),
            (normal(0, 2, dtype=np.float32), np.int64),
        ]
    ),
    *(
        sample(b.reduce_precision, x, exponent_bits=e, mantissa_bits=m, smooth=False)
        for x, e, m in [
            (normal(2, 3), 8, 7),
            (normal(), 5, 10),
            (normal(0), 8, 7),
            (normal(4, dtype=np.float32), 4, 3),
            (np.array([np.inf, -np.inf, np.nan, -0.0, 1e300, 1e-300]), 8, 23),
            (normal(3), 11, 52),
        ]
    ),
]
