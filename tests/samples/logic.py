"""Comparisons, logic, bits and predicates."""

import numpy as np

from tests.samples.base import apart, binary, integers, normal, sample, unary
from xform.ops import logic as b

bits, shifts = integers(0, 8, 2, 1), integers(0, 4, 3)
truth = np.array([True, False, True])
special = np.array([0.0, -0.0, np.inf, -np.inf, np.nan, 1.0])

SAMPLES = [
    *(
        s
        for prim in (b.eq, b.ne, b.lt, b.le, b.gt, b.ge, b.logical_and, b.logical_or, b.logical_xor)
        for s in [
            *binary(prim, apart(0.1), apart(0.2)),
            sample(prim, integers(0, 3, 4), integers(0, 3, 4)),
            sample(prim, truth, False),
        ]
    ),
    *(sample(prim, normal(3, dtype=np.complex128), normal(3)) for prim in (b.eq, b.ne)),
    *(
        sample(prim, *args)
        for prim in (b.bitwise_and, b.bitwise_or, b.bitwise_xor)
        for args in [(bits, shifts), (truth, truth[::-1]), (bits, 3), (np.int32(5), shifts.astype(np.int32))]
    ),
    *(
        sample(prim, *args)
        for prim in (b.left_shift, b.right_shift)
        for args in [(bits, shifts), (bits, 1), (2, shifts)]
    ),
    *(sample(b.invert, x) for x in (bits, truth, np.uint8(3), np.zeros(0, int))),
    *(sample(b.bitwise_count, x) for x in (bits, np.int64(-5), np.zeros((0, 2), int))),
    *(sample(prim, *args) for prim in (b.gcd, b.lcm) for args in [(bits, shifts), (bits, 6), (np.zeros(0, int), 4)]),
    *(s for prim in (b.logical_not, b.isfinite, b.isinf, b.isnan, b.signbit) for s in unary(prim, apart(0.1))),
    *(sample(prim, special, smooth=False) for prim in (b.isfinite, b.isinf, b.isnan, b.signbit, b.logical_not)),
    *(sample(prim, normal(2, dtype=np.complex128)) for prim in (b.isfinite, b.isinf, b.isnan, b.logical_not)),
    *(sample(prim, integers(-2, 3, 3)) for prim in (b.isfinite, b.logical_not)),
]
