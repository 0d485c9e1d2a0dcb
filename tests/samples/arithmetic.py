"""Arithmetic, ordering and rounding."""

import numpy as np

from tests.samples.base import apart, binary, integers, normal, sample, unary, uniform, within
from xform.ops import arithmetic as a
from xform.ops.elementwise import mul_zero, mul_zeros

positive, negative, quotient, divisor = within(0.5, 2.0), within(-2.0, -0.5), within(1.2, 1.4), within(0.5, 0.55)
bases = np.array([-1.3, 0.6, 1.1])
whole = np.array([-2, -1, 1, 2, 3])

SAMPLES = [
    *binary(a.add, complex=True),
    *binary(a.sub, complex=True),
    *binary(a.mul, complex=True),
    *binary(mul_zero, complex=True),
    *binary(mul_zeros, complex=True),
    *binary(a.div, second=positive, complex=True),
    *binary(a.power, positive, complex=True),
    *unary(a.neg, complex=True),
    *unary(a.pos, complex=True),
    *unary(a.square, complex=True),
    *unary(a.reciprocal, negative, complex=True),
    *unary(a.absolute, apart(0.1), complex=True),
    *unary(a.fabs, apart(0.1)),
    *binary(a.floor_divide, quotient, divisor),
    *binary(a.remainder, quotient, divisor),
    *binary(a.fmod, quotient, divisor),
    *binary(a.maximum, apart(0.1), apart(0.2)),
    *binary(a.minimum, apart(0.1), apart(0.2)),
    *(
        sample(a.clamp, *args)
        for args in [
            (-0.3, apart(0.1)(3, 3), 0.7),
            (apart(0.1)(2, 1), apart(0.3)(3), apart(1.2)(2, 3)),
            (np.float32(-0.1), apart(0.3)(5, dtype=np.float32), np.float32(0.4)),
            (apart(0.1)(), 0.5, apart(0.2)(0)),
            (0.7, apart(0.1)(4), -0.3),
            (integers(-1, 1, 3), integers(-3, 4, 3), 2),
        ]
    ),
    *binary(a.fmax, apart(0.1), apart(0.2)),
    *binary(a.fmin, apart(0.1), apart(0.2)),
    *binary(a.hypot),
    *binary(a.copysign, apart(0.1), apart(0.1)),
    *binary(a.nextafter),
    *binary(a.heaviside, apart(0.1)),
    *unary(a.frexp_exponent, within(1.1, 1.9)),
    *unary(a.spacing, within(1.1, 1.9)),
    *(s for prim in (a.sign, a.floor, a.ceil, a.trunc, a.rint) for s in unary(prim, apart(0.1))),
    # one operand twice as an integer, a boolean, a Python integer
    sample(a.add, integers(-3, 4, 3), normal(2, 3)),
    sample(a.add, normal(3), True),
    sample(a.sub, 2, normal(3, dtype=np.float32)),
    sample(a.mul, integers(-3, 4, 2, 1), normal(3, dtype=np.float32)),
    sample(a.mul, 2j, normal(2)),
    sample(a.mul, np.array([True, False]), normal(2)),
    sample(a.div, normal(3), np.array([1, -2, 4])),
    sample(a.div, integers(1, 5, 3), uniform(1.0, 2.0, 3, dtype=np.float32)),
    sample(a.div, integers(1, 5, 3), 2),
    sample(a.add, integers(-3, 4, 2), integers(-3, 4, 2, 1)),
    sample(a.neg, integers(-3, 4, 2)),
    sample(a.absolute, integers(-3, 4, 2)),
    sample(a.sign, integers(-3, 4, 2)),
    sample(a.sign, normal(2, dtype=np.complex128)),
    # powers: exponents that are integers allow a negative base
    *(sample(a.power, bases, n) for n in (0, 1, 2, 3, -1, -2, 2.0)),
    sample(a.power, bases[:, None], whole),
    sample(a.power, bases.astype(np.float32), whole[:3].astype(np.int32)),
    sample(a.power, normal(2, dtype=np.complex128), 3),
    sample(a.power, positive(3, dtype=np.float32), 0.5),
    sample(a.power, np.float64(1.7), normal(3)),
    sample(a.power, 2, normal(3)),
    sample(a.power, integers(1, 4, 3), normal(3)),
    sample(a.power, integers(1, 4, 3), 2),
    sample(a.power, normal(2, dtype=np.complex128), whole[:2]),
    # kinks, jumps and poles, where only the laws without finite differences hold
    sample(a.absolute, np.array([0.0, -0.0, 1.0]), smooth=False),
    sample(a.absolute, np.array([0.0, 3 + 4j]), smooth=False),
    sample(a.sign, np.array([0.0, 1.0, -2.0]), smooth=False),
    sample(a.maximum, np.array([1.0, 2.0, 0.0]), np.array([1.0, 1.0, 0.0]), smooth=False),
    sample(a.minimum, np.array([1.0, 2.0, 0.0], np.float32), 1.0, smooth=False),
    sample(a.fmax, np.array([1.0, np.nan, 2.0]), np.array([1.0, 1.0, np.nan]), smooth=False),
    sample(a.fmin, np.array([1.0, np.nan, 2.0]), np.array([1.0, 1.0, np.nan]), smooth=False),
    sample(a.hypot, np.zeros(2), np.array([0.0, 1.0]), smooth=False),
    sample(a.power, np.zeros(4), np.array([0.0, 1.0, 2.0, 0.5]), smooth=False),
    sample(a.power, np.zeros(2), 2, smooth=False),
    sample(a.heaviside, np.array([0.0, 1.0, -1.0]), normal(3), smooth=False),
    sample(a.floor, np.array([0.0, 1.0, -2.0]), smooth=False),
    # exponents of two
    sample(a.ldexp, normal(2, 1), integers(-2, 3, 3)),
    sample(a.ldexp, normal(3, dtype=np.float32), integers(-2, 3, 3).astype(np.int32)),
    sample(a.ldexp, normal(), 2),
    sample(a.ldexp, normal(0), integers(-2, 3)),
    sample(a.floor_divide, integers(-9, 9, 3), np.array([2, -3, 4])),
    sample(a.remainder, integers(-9, 9, 3), np.array([2, -3, 4])),
    sample(a.remainder, normal(3) - 7.1, -2),
    sample(a.fmod, integers(-9, 9, 3), 4),
    sample(a.maximum, integers(-9, 9, 3), normal(3)),
    sample(a.square, integers(-9, 9, 3)),
]
