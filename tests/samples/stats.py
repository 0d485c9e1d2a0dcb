"""Samples of the primitives of `xform.scipy.stats`: quantiles, and what SciPy has no ufunc for."""

import numpy as np

from tests.samples.base import sample
from xform.scipy.stats.families import skewnorm_cdf
from xform.scipy.stats.quantile import quantile, step_quantile
from xform.scipy.stats.special_functions import abs_power, signed_power

Q = np.array([[0.1], [0.6]])

SAMPLES = [
    sample(quantile, np.float64(0.3), np.float64(1.5), family="exponnorm", upper=False),
    sample(quantile, Q, np.array([0.5, 1.5]), family="invgauss", upper=True),
    sample(quantile, np.zeros(0), np.float64(1.5), family="invgauss", upper=False),
    sample(quantile, Q, np.array([2.0, 3.0]), np.array([5.0, 6.5]), family="f", upper=True),
    sample(quantile, Q, np.array([-1.0, 0.5]), np.float64(2.0), family="truncnorm", upper=False),
    sample(step_quantile, Q, np.array([2.0, 9.0]), family="poisson", upper=False, smooth=False),
    sample(step_quantile, np.zeros(0), np.float64(2.0), family="poisson", upper=True, smooth=False),
    sample(skewnorm_cdf, np.float64(0.3), np.float64(-2.0)),
    sample(skewnorm_cdf, np.array([[-1.0], [0.5]]), np.array([3.0, 0.2])),
    sample(skewnorm_cdf, np.zeros(0), np.float64(1.0)),
    *(
        sample(prim, x, p)
        for prim in (abs_power, signed_power)
        for x, p in [
            (np.float64(-0.7), np.float64(2.5)),
            (np.array([[-1.5], [0.5]]), np.array([1.3, 2.0, -0.5])),
            (np.zeros(0), np.float64(2.0)),
            (np.array([-1.5, 0.5], np.float32), np.float32(3.0)),
        ]
    ),
]
