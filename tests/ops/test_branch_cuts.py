"""Derivatives of complex functions on their branch cuts, where the sign of a zero part says which side is meant."""

import numpy as np
import pytest

import xform

FUNCTIONS = (np.sqrt, np.log, np.arcsin, np.arccos, np.arctan, np.arcsinh, np.arccosh, np.arctanh)


@pytest.mark.parametrize("f", FUNCTIONS, ids=lambda f: f.__name__)
def test_derivative_on_either_side_of_a_cut(f):
    for a in (-2.5, -0.5, 0.5, 2.5):
        for zero in (0.0, -0.0):
            for z, along, off in ((complex(a, zero), 1, 1j), (complex(zero, a), 1j, 1)):
                beside, step = z + off * np.copysign(1e-7, zero), 1e-5 * along
                wanted = (f(beside + step) - f(beside - step)) / (2 * step)
                found = xform.jvp(f, (np.complex128(z),), (np.complex128(1),))[1]
                np.testing.assert_allclose(found, wanted, atol=1e-5)
