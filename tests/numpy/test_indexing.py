"""Every kind of index, against NumPy's: values, shapes, errors; and the derivative of reading."""

import warnings
from functools import partial

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

import xform
from xform.numpy.indexing import getitem

rng = np.random.default_rng(11)
FULL = slice(None)


# --- generated indices ---


def an_array(shape):
    return np.arange(1.0, 1.0 + np.prod(shape, dtype=int)).reshape(shape)


@st.composite
def slices(draw):
    bound = st.none() | st.integers(-6, 6)
    return slice(draw(bound), draw(bound), draw(st.none() | st.integers(-3, 3).filter(bool)))


@st.composite
def integer_arrays(draw, size):
    """An array, or list, of integers that index an axis of the given size, mostly."""
    low, high = (-size - draw(st.integers(0, 15)) // 15, size - 1 + draw(st.integers(0, 15)) // 15) if size else (0, 0)
    shape = draw(st.sampled_from([(), (1,), (2,), (2,), (1, 2), (3, 1), (3, 2), (0,)]))
    flat = draw(st.lists(st.integers(low, high), min_size=int(np.prod(shape)), max_size=int(np.prod(shape))))
    array = np.array(flat, draw(st.sampled_from([np.int64, np.int64, np.int32, np.int8]))).reshape(shape)
    return draw(st.sampled_from([array, array.tolist(), np.asfortranarray(array)]))


@st.composite
def indices(draw, shape):
    """An index that consumes the axes from the front, sometimes with an ellipsis, sometimes too many or wrong."""
    items, axis = [], 0
    while axis < len(shape) and draw(st.integers(0, 9)) > 0:
        size = shape[axis]
        kind = draw(st.sampled_from(["int", "int", "slice", "slice", "array", "array", "mask", "none", "bool", "rest"]))
        if kind == "int":
            i = draw(st.integers(-size, size - 1)) if size else 0
            items.append(draw(st.sampled_from([i, np.int64(i), np.array(i)])))
        elif kind == "slice":
            items.append(draw(slices()))
        elif kind == "array":
            items.append(draw(integer_arrays(size)))
        elif kind == "mask":
            covered = draw(st.integers(1, len(shape) - axis))
            mask = np.array(draw(st.lists(st.booleans(), min_size=60, max_size=60)))
            mask = np.resize(mask, shape[axis : axis + covered])
            items.append(draw(st.sampled_from([mask, mask.tolist()])) if mask.size else mask)
            axis += covered - 1
        elif kind == "none":
            items.append(None)
        elif kind == "bool":
            items.append(draw(st.sampled_from([True, np.True_, False])))
        elif not any(item is Ellipsis for item in items):
            items.append(Ellipsis)
            axis += draw(st.integers(0, len(shape) - axis)) - 1
        axis += kind not in ("none", "bool")
    index = tuple(items)
    return draw(st.sampled_from([index, index[0]])) if len(index) == 1 and not isinstance(index[0], tuple) else index


shapes = st.lists(st.integers(0, 4) | st.integers(1, 4), max_size=4).map(tuple)
cases = shapes.flatmap(lambda shape: st.tuples(st.just(shape), indices(shape)))

DOORS = {
    "plain": lambda f, x: f(x),
    "linearize": lambda f, x: xform.linearize(f, x)[0],
    "vmap": lambda f, x: xform.vmap(f)(np.stack([x, x]))[1],
    "staged": lambda f, x: xform.make_jaxpr(f)(x)(x)[0],
}


def outcome(f, x):
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # NumPy is to drop out-of-bounds integers along empty axes
            return np.asarray(f(x)), None
    except (IndexError, TypeError, ValueError) as error:
        return None, type(error)


def check_agrees(x, index):
    wanted, error = outcome(lambda x: x[index], x)
    for name, door in DOORS.items():
        actual, actual_error = outcome(partial(door, lambda x: getitem(x, index)), x)
        assert actual_error is error, f"{name}: {actual_error}, NumPy {error}"
        if error is None:
            assert_array_equal(actual, wanted, strict=True)


@given(cases)
def test_agrees_with_numpy(case):
    shape, index = case
    check_agrees(an_array(shape), index)


@given(cases)
def test_derivative_is_the_matrix_of_ones_at_what_is_read(case):
    shape, index = case
    x = an_array(shape)
    wanted, error = outcome(lambda x: x[index], x)
    if error is None:
        ones = np.eye(x.size).reshape(x.size, *shape)
        expected = np.array([row[index] for row in ones]).reshape(x.size, wanted.size).T
        reverse = xform.jacrev(lambda x: getitem(x, index))(x)
        forward = xform.jacfwd(lambda x: getitem(x, index))(x)
        pattern = xform.sparsity_pattern(lambda x: getitem(x, index), x)
        for jacobian in (reverse, forward, pattern):
            assert_array_equal(np.reshape(jacobian, expected.shape), expected)


# --- cases that random indices seldom hit ---

x = an_array((3, 4, 5))


class One:
    def __index__(self):
        return 1

    def __repr__(self):
        return "One()"


@pytest.mark.parametrize(
    "index",
    [
        (FULL, [0, 1], ..., [0, 1]),  # an ellipsis that stands for nothing separates index arrays
        (FULL, 0, ..., [0, 1]),
        (0, FULL, [1, 2]),  # an integer beside an array is an index array
        (FULL, 0, [1, 2]),
        (None, [0, 1], FULL, [1, 1]),
        (FULL, [0, 1], None, [0, 1]),
        (0, None, [0, 1], None),
        (True, FULL, [0, 1]),
        (True, True, True),
        (False, [0]),
        (x[:, :, 0] > 20, 0),
        (FULL, x[0] > 5),
        ((0, 1),),
        ([], 0),
        [[]],
        (np.uint8(1), np.array([1, 2], np.uint64)),
        slice(-1, None, -1),
        slice(0, -1, -1),
        slice(2, 2, -1),
        slice(One(), None),
        One(),
        np.array(2),
        (),
        ...,
        None,
    ],
    ids=repr,
)
def test_special_indices(index):
    check_agrees(x, index)


@pytest.mark.parametrize(
    "index, message",
    [
        (3, r"index 3 is out of bounds for axis 0 with size 3; wanted -3 <= index < 3"),
        (-4, r"index -4 is out of bounds for axis 0"),
        ((0, 10**30), r"index 10+ is out of bounds for axis 1 with size 4"),
        ((0, [4]), r"index 4 is out of bounds for axis 1 with size 4"),
        (([0, 1], FULL, [0, 5]), r"index 5 is out of bounds for axis 2 with size 5"),
        ("a", r"only integers, slices .* are valid indices; str 'a' was given"),
        (1.0, r"only integers, slices .*; float 1.0 was given"),
        (np.float64(1.0), r"only integers, slices"),
        (1j, r"only integers, slices"),
        ({}, r"only integers, slices"),
        ([None], r"only integers, slices"),
        ([1.5], r"only integers, slices"),
        (np.array([1.0]), r"arrays used as indices must be of integer \(or boolean\) type; .* convert it"),
        (np.array(1.0), r"arrays used as indices must be of integer"),
        ((0, 0, 0, 0), r"too many indices for array: array is 3-dimensional, but 4 were indexed"),
        ((..., ...), r"single ellipsis"),
        (
            np.zeros((2, 2), bool),
            r"boolean index did not match indexed array along axis 0; size of axis is 3 but .* is 2",
        ),
        (
            ([0, 1], [0, 1, 2]),
            r"shape mismatch: indexing arrays could not be broadcast together with shapes \(2,\) \(3,\)",
        ),
        (slice(1.0, 2), r"slice indices must be integers"),
        (slice(None, None, 0), r"slice step cannot be zero"),
    ],
    ids=repr,
)
def test_errors(index, message):
    check_agrees(x, index)
    with pytest.raises((IndexError, TypeError, ValueError), match=message):
        xform.grad(lambda x: np.sum(x[index]))(x)


# --- traced indices ---

starts = np.array([0, -1, 2])


@pytest.mark.parametrize(
    "read",
    [
        lambda x, i: x[i],
        lambda x, i: x[i, 1],
        lambda x, i: x[1:, i, ::2],
        lambda x, i: x[..., i],
        lambda x, i: x[None, i, :, i],
        lambda x, i: x[i, [0, 1]],
        lambda x, i: x[[0, 1], :, i],
        lambda x, i: x[[i, 0], i],
    ],
)
def test_a_traced_index_is_one_integer_at_a_time(read):
    expected = np.stack([read(x, i) for i in starts])
    assert_array_equal(xform.vmap(lambda i: read(Indexable(x), i))(starts), expected)
    assert_array_equal(xform.vmap(read)(np.stack([x] * 3), starts), expected)
    staged = xform.make_jaxpr(read)(x, 0)
    assert_array_equal([staged(x, i)[0] for i in starts], expected)


class Indexable:
    """A plain array that takes traced indices."""

    def __init__(self, array):
        self.array = array

    def __getitem__(self, index):
        return getitem(self.array, index)


def test_a_traced_array_of_indices():
    i, j = rng.integers(-3, 3, (6, 2)), rng.integers(0, 5, (6, 3, 1))
    expected = np.stack([x[a, :, b] for a, b in zip(i, j, strict=True)])
    assert_array_equal(xform.vmap(lambda a, b: getitem(x, (a, FULL, b)))(i, j), expected)
    assert_array_equal(xform.make_jaxpr(lambda x, i, j: x[i, :, j])(x, i, i)(x, i, i)[0], x[i, :, i])
    small = i.astype(np.int8)
    assert_array_equal(xform.vmap(lambda a: getitem(x, a))(small), x[small])


def test_a_traced_index_is_checked_when_it_is_known():
    staged = xform.make_jaxpr(lambda x, i: x[i])(x, 0)
    with pytest.raises(IndexError, match="index 7 is out of bounds for axis 0 with size 3"):
        staged(x, 7)
    with pytest.raises(IndexError, match="index -9 is out of bounds"):
        xform.vmap(lambda i: getitem(x, i))(np.array([0, -9]))


def test_derivative_with_a_traced_index():
    gradient = xform.vmap(xform.grad(lambda x, i: x[i, 1, i] ** 2), (None, 0))(x, starts)
    for bar, i in zip(gradient, starts, strict=True):
        expected = np.zeros_like(x)
        expected[i, 1, i] = 2 * x[i, 1, i]
        assert_array_equal(bar, expected)


def test_a_plain_array_or_a_slice_cannot_take_a_traced_index():
    with pytest.raises(xform.ConcretizationError, match=r"xform.numpy.at\(a\)\[i\].get\(\) instead of a\[i\]"):
        xform.vmap(lambda i: x[i])(starts)
    with pytest.raises(xform.ConcretizationError, match=r"i \+ numpy.arange\(n\) instead of i:i\+n"):
        xform.make_jaxpr(lambda x, i: x[i : i + 2])(x, 0)
    windows = xform.vmap(lambda i: getitem(x, i + np.arange(2)))(np.array([0, 1]))
    assert_array_equal(windows, [x[0:2], x[1:3]])


def test_a_mask_must_be_known():
    assert_array_equal(xform.grad(lambda x: np.sum(x[x > 30] ** 2))(x), np.where(x > 30, 2 * x, 0))
    with pytest.raises(xform.ConcretizationError, match=r"a boolean mask as an index .* where\(mask, a, b\)"):
        xform.make_jaxpr(lambda x: x[x > 30])(x)


def test_an_index_that_is_changed_later_is_remembered():
    i = np.zeros(1, int)

    def f(x):
        total = 0.0
        for k in range(3):
            i[0] = k
            total = total + (k + 1) * x[i][0]
        return total

    assert_array_equal(xform.grad(f)(np.ones(3)), [1, 2, 3])


# --- iteration ---


def test_iteration():
    assert_array_equal(xform.grad(lambda x: list(x)[1] @ np.ones(2))(np.ones((3, 2))), [[0, 0], [1, 1], [0, 0]])
    a, b = xform.vmap(tuple)(np.arange(6.0).reshape(3, 2))
    assert_array_equal(np.stack([a, b]), [[0, 2, 4], [1, 3, 5]])
    with pytest.raises(TypeError, match="iteration over a 0-d array"):
        xform.grad(lambda x: next(iter(x)))(1.0)
