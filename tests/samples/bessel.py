"""Modified Bessel functions on both sides of zero and of the change of formula."""

import numpy as np

from tests.samples.base import normal, sample
from xform.ops.bessel import bessel_i

SAMPLES = [
    *(sample(bessel_i, x, order=n) for n in (0, 1, 2) for x in (normal(), normal(2, 3), normal(0))),
    sample(bessel_i, np.array([0.0, -3.0, 8.0]), order=1),
    sample(bessel_i, np.array([-4.0, 1.5], np.float32), order=1),
    sample(bessel_i, np.array([1.0, 2.0], np.float32), order=0),
]
