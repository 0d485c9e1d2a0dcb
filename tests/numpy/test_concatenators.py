"""r_ and c_ with traced entries."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import xform
import xform.numpy as xnp
from tests.messages import says
from tests.numpy.agreement import check_same, linearized, mapped, outcome
from xform.testing import check_grads

V, M = np.array([1.5, -2.0, 3.0]), np.arange(6.0).reshape(2, 3)
F = V.astype(np.float32)


def check(read, *args):
    """read(r_, c_, *args) of ours against NumPy's."""
    wanted, error, _ = outcome(read, np.r_, np.c_, *args)
    for door in (linearized, mapped):
        found, found_error, _ = outcome(door, lambda *xs: read(xnp.r_, xnp.c_, *xs), *args)
        if error is None:
            assert found_error is None, found_error
            check_same(found, wanted, 0)
        else:
            assert issubclass(found_error or type(None), error), (found_error, error)


CASES = [
    lambda r_, c_, x: r_[x],
    lambda r_, c_, x: r_[x, 0, 2.5, x],
    lambda r_, c_, x: r_[1:4, x, 0:1:3j, 5:0:-2],
    lambda r_, c_, x: r_[x, [1, 2], np.arange(2, dtype=np.int8)],
    lambda r_, c_, x: r_[x[0], x[1], 1],
    lambda r_, c_, x: r_["-1", x, x],
    lambda r_, c_, x: r_["0,2", x, x],
    lambda r_, c_, x: r_["1,2,0", x, x],
    lambda r_, c_, x: r_["0,3,1", x, x],
    lambda r_, c_, x: r_["0,3,-2", x, x],
    lambda r_, c_, x: r_["0,2,0", x, 1:3],
    lambda r_, c_, x: r_["0,2", x, [[1.0, 2.0]]],
    lambda r_, c_, x: c_[x],
    lambda r_, c_, x: c_[x, x, 1:4],
    lambda r_, c_, x: c_[np.ones((3, 2)), x],
    lambda r_, c_, x: c_[x[None], 5, 6.5],
    lambda r_, c_, x: r_[x, 1j],
    lambda r_, c_, x: r_[x, "0"],
    lambda r_, c_, x: r_["zero", x],
    lambda r_, c_, x: r_[x, np.ones((2, 2))],
    lambda r_, c_, x: c_[x, [1, 2]],
]


@pytest.mark.parametrize("x", [V, F], ids=["f8", "f4"])
@pytest.mark.parametrize("read", CASES)
def test_entries(read, x):
    check(read, x)


@given(
    axis=st.integers(-2, 2),
    ndmin=st.integers(1, 3),
    place=st.integers(-2, 2),
    shapes=st.lists(st.sampled_from([(3,), (2, 3), (1, 3), (1, 2, 3)]), min_size=1, max_size=3),
)
def test_directives(axis, ndmin, place, shapes):
    for directive in (f"{axis}", f"{axis},{ndmin}", f"{axis},{ndmin},{place}"):
        check(lambda r_, c_, *xs, d=directive: r_[(d, *xs)], *(np.ones(s) for s in shapes))
        check(lambda r_, c_, *xs, d=directive: c_[(d, *xs)], *(np.ones(s) for s in shapes))


def test_ranges_with_traced_ends():
    assert xform.jvp(lambda x: xnp.r_[0:x:3j], (4.0,), (1.0,))[1].tolist() == [0, 0.5, 1]
    check_grads(lambda x: xnp.r_[x:5.0:4j, x] ** 2, (0.5,), order=2)


def test_derivatives():
    check_grads(lambda x: xnp.c_[x, x**2, 1:4], (V,), order=2)
    check_grads(lambda x, y: xnp.r_["0,2", x, y] ** 3, (V, M), order=2)


def test_plain_entries_go_to_numpy():
    np.testing.assert_array_equal(xnp.r_[1:3, V], np.r_[1:3, V])
    with pytest.warns(PendingDeprecationWarning, match="matrix subclass"):
        assert isinstance(xnp.r_["r", V], np.matrix)
    assert (repr(xnp.r_), repr(xnp.c_), len(xnp.r_)) == ("xform.numpy.r_", "xform.numpy.c_", 0)
    with says(ValueError, "'c'", "no traced matrices"):
        xform.linearize(lambda x: xnp.r_["c", x], V)
    with says(xform.ConcretizationError, "plain ndarray", "xform.numpy.array", "xform.numpy.r_"):
        xform.linearize(lambda x: np.r_[x, 1.0], V)
