"""Exponentials, logarithms, circular and hyperbolic functions."""

import numpy as np

from tests.samples.base import binary, normal, sample, unary, within
from xform.ops import transcendental as t

positive, open_interval, above_one = within(0.3, 2.5), within(-0.8, 0.8), within(1.2, 3.0)

SAMPLES = [
    *unary(t.exp, complex=True),
    *unary(t.exp2, complex=True),
    *unary(t.expm1, complex=True),
    *unary(t.log, positive, complex=True),
    *unary(t.log2, positive, complex=True),
    *unary(t.log10, positive, complex=True),
    *unary(t.log1p, open_interval, complex=True),
    *unary(t.sqrt, positive, complex=True),
    *unary(t.cbrt, within(-2.5, -0.3)),
    *unary(t.sin, complex=True),
    *unary(t.cos, complex=True),
    *unary(t.tan, open_interval, complex=True),
    *unary(t.arcsin, open_interval, complex=True),
    *unary(t.arccos, open_interval, complex=True),
    *unary(t.arctan, complex=True),
    *unary(t.sinh, complex=True),
    *unary(t.cosh, complex=True),
    *unary(t.tanh, complex=True),
    *unary(t.logistic, complex=True),
    *unary(t.arcsinh, complex=True),
    *unary(t.arccosh, above_one, complex=True),
    *unary(t.arctanh, open_interval, complex=True),
    *unary(t.deg2rad),
    *unary(t.rad2deg),
    *unary(t.logistic, complex=True),
    *binary(t.logaddexp),
    *binary(t.logaddexp2),
    *binary(t.arctan2, positive, normal),
    *binary(t.arctan2, normal, within(0.5, 1.5)),
    # integers become floats
    sample(t.exp, np.array([0, 1, -2])),
    sample(t.sqrt, np.array([1, 4], np.int32)),
    sample(t.logaddexp, np.array([0, 1]), normal(2)),
    # where a function or its derivative is infinite
    sample(t.sqrt, np.array([0.0, 1.0]), smooth=False),
    sample(t.cbrt, np.array([0.0, 1.0]), smooth=False),
    sample(t.log, np.array([0.0, 1.0]), smooth=False),
    sample(t.arcsin, np.array([-1.0, 1.0]), smooth=False),
    sample(t.arccosh, np.array([1.0, 2.0]), smooth=False),
    sample(t.arctanh, np.array([-1.0, 1.0, 0.0]), smooth=False),
    sample(t.arctan2, np.zeros(2), np.array([0.0, 1.0]), smooth=False),
    sample(t.logaddexp, np.array([-np.inf, -np.inf]), np.array([-np.inf, 1.0]), smooth=False),
    sample(t.exp, np.array([-np.inf, np.nan, 800.0]), smooth=False),
]
