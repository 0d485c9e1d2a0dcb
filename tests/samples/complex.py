"""Parts and conjugate of complex numbers."""

import numpy as np

from tests.samples.base import binary, integers, normal, sample, unary
from xform.ops import complex as c

SAMPLES = [
    *unary(c.real, complex=True),
    *unary(c.imag, complex=True),
    *unary(c.conjugate, complex=True),
    *binary(c.assemble),
    sample(c.assemble, normal(2), np.zeros((), int)),
    *(sample(prim, integers(-2, 3, 2)) for prim in (c.real, c.imag, c.conjugate)),
    *(sample(prim, np.zeros((2, 0), complex)) for prim in (c.real, c.imag, c.conjugate)),
]
