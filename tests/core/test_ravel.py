"""A tree as a vector and back, on arrays and on values that take part in NumPy's protocols."""

import numpy as np
import pytest

from xform.core import tree
from xform.core.ravel import ravel_pytree


def test_round_trip():
    x = {"b": np.arange(3.0), "W": np.arange(4.0, 8.0).reshape(2, 2), "c": (np.float64(9), np.zeros((0, 2)))}
    flat, unravel = ravel_pytree(x)
    np.testing.assert_array_equal(flat, [4, 5, 6, 7, 0, 1, 2, 9])
    again = unravel(flat)
    assert tree.structure(again) == tree.structure(x)
    for a, b in zip(tree.leaves(again), tree.leaves(x), strict=True):
        np.testing.assert_array_equal(a, b)
        assert a.dtype == b.dtype


def test_the_vector_is_a_copy():
    x = np.zeros(3)
    flat, _ = ravel_pytree(x)
    flat[0] = 1.0
    assert x[0] == 0.0


def test_mixed_dtypes_are_promoted_and_cast_back():
    x = [np.arange(2, dtype=np.int32), np.ones(2, np.float32), True]
    flat, unravel = ravel_pytree(x)
    assert flat.dtype == np.result_type(np.int32, np.float32, bool) == np.float64
    assert [leaf.dtype for leaf in unravel(flat)] == [np.int32, np.float32, bool]
    with pytest.raises(TypeError, match=r"bool, float32, int32, from a vector of dtype float64, got dtype complex128"):
        unravel(flat + 1j)


def test_leaves_of_one_dtype_take_over_the_vectors():
    _, unravel = ravel_pytree({"a": np.arange(2), "b": 3})
    again = unravel(np.array([0.5, 1.5, 2.5]))
    np.testing.assert_array_equal(again["a"], [0.5, 1.5])
    assert again["b"].dtype == np.float64
    assert unravel([1, 2, 3])["b"] == 3


def test_python_numbers_and_no_leaves():
    flat, unravel = ravel_pytree((1.0, 2.0))
    assert unravel(flat)[1].shape == ()
    flat, unravel = ravel_pytree({"a": None})
    assert flat.shape == (0,)
    assert flat.dtype == np.float64
    assert unravel(flat) == {"a": None}


@pytest.mark.parametrize("shape", [(3,), (5,), (4, 1), ()])
def test_unravel_wants_the_shape_it_gave(shape):
    _, unravel = ravel_pytree([np.zeros(3), 1.0])
    with pytest.raises(ValueError, match=r"vector of shape \(4,\).*got shape \("):
        unravel(np.zeros(shape))


@pytest.mark.parametrize("leaf", ["text", np.array(["a"]), object(), np.array([None])])
def test_leaves_that_are_not_numbers_are_named(leaf):
    with pytest.raises(TypeError, match=r"the leaf at \['a'\]\[1\] is a \w+ of dtype"):
        ravel_pytree({"a": [1.0, leaf]})


def test_unravel_is_comparable():
    first, second, other = (ravel_pytree([np.zeros(3), np.zeros(size)])[1] for size in (2, 2, 4))
    assert first == second
    assert hash(first) == hash(second)
    assert first != other


class Watched:
    """An array that follows NumPy's protocol and forbids being turned into an ndarray, as a tracer does."""

    def __init__(self, value):
        self.value, self.shape, self.dtype = value, value.shape, value.dtype

    def __array__(self, dtype=None, copy=None):
        raise TypeError("lost to NumPy")

    def __array_function__(self, func, types, args, kwargs):
        args = tree.map(lambda x: x.value if isinstance(x, Watched) else x, args)
        return Watched(func(*args, **kwargs))

    def __getitem__(self, index):
        return Watched(self.value[index])

    def astype(self, dtype):
        return Watched(self.value.astype(dtype))


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_values_that_take_part_in_numpys_protocols_stay_themselves(dtype):
    x = {"a": Watched(np.ones((2, 2), dtype)), "b": np.zeros(2)}
    flat, unravel = ravel_pytree(x)
    assert isinstance(flat, Watched)
    again = unravel(flat)
    assert isinstance(again["a"], Watched)
    assert isinstance(again["b"], Watched)
    assert (again["a"].shape, again["a"].dtype) == ((2, 2), dtype)
