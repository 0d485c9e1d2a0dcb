"""asarray_chkfinite, require and isfortran of traced arrays."""

import numpy as np
import pytest

import xform
import xform.numpy as xnp
from tests.messages import says
from tests.numpy.agreement import check_derivatives

V = np.array([1.0, 2.0])


def test_finite_entries():
    check_derivatives(lambda x: xnp.asarray_chkfinite([x, x**2], complex), V)
    assert xnp.asarray_chkfinite([1, 2], float).dtype == float
    for bad in (np.nan, np.inf):
        with says(ValueError, "must not contain infs or NaNs"):
            xform.linearize(lambda x, bad=bad: xnp.asarray_chkfinite([x, bad * x]), 1.0)
        with pytest.raises(ValueError, match="must not contain infs or NaNs"):
            xnp.asarray_chkfinite([bad])
    with says(xform.ConcretizationError, "asarray_chkfinite", "isfinite"):
        xform.jit(xnp.asarray_chkfinite)(V)
    assert xform.jit(xnp.asarray_chkfinite)(np.arange(3)).tolist() == [0, 1, 2]


def test_required_dtype():
    y = xform.linearize(lambda x: xnp.require([x, x], np.float32, ["C", "W", "O"]), 1.5)[0]
    assert (y.dtype, y.tolist()) == (np.float32, [1.5, 1.5])
    assert xnp.require(V, None, "F").flags.f_contiguous
    for requirements, error in ((["C", "F"], ValueError), (["X"], KeyError)):
        with pytest.raises(error):
            xform.linearize(lambda x, r=requirements: xnp.require(x, None, r), V)


def test_order_in_memory():
    matrix = np.ones((2, 3), order="F")
    assert (xnp.isfortran(matrix), xnp.isfortran(matrix.T)) == (True, False)
    assert xform.linearize(lambda x: x * xnp.isfortran(x), matrix)[0].max() == 0
