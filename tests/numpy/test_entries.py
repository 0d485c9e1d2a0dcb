"""x.at[index].set(v) and its kin, against loops over the entries in NumPy."""

from functools import partial

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

import xform
from tests.numpy.test_indexing import an_array, cases, outcome
from xform.numpy import at

rng = np.random.default_rng(12)

#: one step of each method, on a single entry
STEPS = {
    "set": lambda old, v: v,
    "add": lambda old, v: old + v,
    "subtract": lambda old, v: old - v,
    "multiply": lambda old, v: old * v,
    "divide": lambda old, v: old / v,
    "power": lambda old, v: old**v,
    "min": min,
    "max": max,
}
methods = st.sampled_from(sorted(STEPS))


def update(method, index, x, v):
    return getattr(at(x)[index], method)(v)


def by_loop(method, index, x, v):
    out = np.array(x)
    positions = np.asarray(np.arange(x.size).reshape(x.shape)[index])
    values = np.empty(positions.shape)
    values[...] = v
    for position, value in zip(positions.ravel(), values.ravel(), strict=True):
        out.flat[position] = STEPS[method](out.flat[position], value)
    return out


DOORS = {
    "plain": lambda f, x, v: f(x, v),
    "linearize": lambda f, x, v: xform.linearize(f, x, v)[0],
    "vmap": lambda f, x, v: xform.vmap(f)(np.stack([x, x]), np.stack([v, v]))[1],
    "vmap of values": lambda f, x, v: xform.vmap(f, (None, 0))(x, np.stack([v, v]))[1],
    "staged": lambda f, x, v: xform.make_jaxpr(f)(x, v)(x, v)[0],
}


@st.composite
def updates(draw):
    """A method, an index, an array and values for the entries; no two numbers are equal."""
    shape, index = draw(cases)
    x = 1 + an_array(shape)[::-1] / 8 if shape else an_array(shape)
    wanted, error = outcome(lambda x: x[index], x)
    full = wanted.shape if error is None else ()
    shape = draw(
        st.sampled_from([full, full[1:], (1, *full), tuple(1 if k == 0 else n for k, n in enumerate(full)), ()])
    )
    return draw(methods), index, x, (1.0625 + an_array(shape) / 8) ** draw(st.sampled_from([1, -1]))


@given(updates())
def test_agrees_with_a_loop(case):
    method, index, x, v = case
    wanted, error = outcome(partial(by_loop, method, index, x), v)
    for name, door in DOORS.items():
        actual, actual_error = outcome(partial(door, partial(update, method, index), x), v)
        assert actual_error is error, f"{name}: {actual_error}, NumPy {error}"
        if error is None:
            assert_allclose(actual, wanted, rtol=1e-12, err_msg=name)


@given(updates())
def test_derivatives(case):
    method, index, x, v = case
    f = partial(update, method, index)
    y, error = outcome(partial(f, x), v)
    assume(error is None and np.all(np.abs(y) < 1e6))  # a power of a power of a power overflows
    x_dot, v_dot = np.cos(x), np.sin(3 * v)
    y, y_dot = xform.jvp(f, (x, v), (x_dot, v_dot))
    step = 1e-6
    difference = (f(x + step * x_dot, v + step * v_dot) - f(x - step * x_dot, v - step * v_dot)) / (2 * step)
    assert_allclose(y_dot, difference, rtol=1e-5, atol=1e-6)
    bar = np.sin(1 + y)
    x_bar, v_bar = xform.vjp(f, x, v)[1](bar)
    assert_allclose(np.sum(x_bar * x_dot) + np.sum(v_bar * v_dot), np.sum(bar * y_dot), rtol=1e-10, atol=1e-10)


def test_apply_changes_each_entry_once():
    x = an_array((4, 2))
    expected = np.array(x)
    expected[[0, 2], 1] = np.square(x[[0, 2], 1])
    assert_array_equal(at(x)[[0, 2, 2], 1].apply(np.square), expected)
    assert_array_equal(at(x)[1:].apply(lambda y: y[::-1]), x[[0, 3, 2, 1]])
    gradient = xform.grad(lambda x: np.sum(x.at[[0, 2, 2], 1].apply(np.square)))(x)
    assert_array_equal(gradient, [[1, 2 * x[0, 1]], [1, 1], [1, 2 * x[2, 1]], [1, 1]])


def test_the_original_is_not_changed():
    x = np.zeros(3)
    at(x)[1].set(5.0)
    at(x)[[1]].add(5.0)
    at(x)[x == 0].set(5.0)
    assert_array_equal(x, np.zeros(3))


# --- masks ---


@pytest.mark.parametrize("value", [3.0, np.arange(2.0)], ids=["scalar", "row"])
def test_a_traced_mask_chooses(value):
    x, mask = an_array((3, 2)), np.array([True, False, True])
    expected = np.array(x)
    expected[mask] += value
    assert_array_equal(xform.make_jaxpr(lambda x, m: x.at[m].add(value))(x, mask)(x, mask)[0], expected)
    assert_array_equal(xform.vmap(lambda m: at(x)[m].add(value))(np.stack([mask, ~mask]))[0], expected)
    assert_array_equal(xform.grad(lambda x: np.sum(x.at[x > 3].multiply(2.0)))(x), np.where(x > 3, 2, 1))


def test_values_for_the_entries_of_a_mask_need_to_know_it():
    x, mask = an_array((4,)), np.array([True, False, True, False])
    assert_array_equal(at(x)[mask].set([7.0, 8.0]), [7, 2, 8, 4])
    with pytest.raises(xform.ConcretizationError, match="boolean mask"):
        xform.make_jaxpr(lambda x, m: x.at[m].set(np.ones(2)))(x, mask)
    with pytest.raises(IndexError, match="boolean index did not match"):
        at(x)[np.array([True, False])].set(0.0)


# --- modes ---


@pytest.mark.parametrize("i", [1, 3, -4, -3, [0, 3], [[-7], [2]], np.array(5)], ids=repr)
def test_clip_reads_and_writes_the_nearest_entry(i):
    x = an_array((3, 2))
    j = np.clip(np.where(np.asarray(i) < 0, np.asarray(i) + 3, i), 0, 2)
    assert_array_equal(at(x)[i].get(mode="clip"), x[j])
    assert_array_equal(at(x)[i, 1].get(mode="clip"), x[j, 1])
    assert_array_equal(at(x)[i].add(1.0, mode="clip"), at(x)[j].add(1.0))


def test_fill_and_drop_know_no_entry_out_of_range():
    x = an_array((3, 2))
    i = np.array([0, 3, -3, -4, 0])
    there = np.array([True, False, True, False, True])
    expected = np.where(there[:, None], x[np.where(there, i, 0)], np.nan)
    assert_array_equal(at(x)[i].get(mode="fill"), expected)
    assert_array_equal(at(x)[i].get(mode="fill", fill_value=-1), np.nan_to_num(expected, nan=-1))
    assert_array_equal(at(x)[i, 1].get(mode="fill"), expected[:, 1])
    assert_array_equal(at(x.T)[:, i].get(mode="fill"), expected.T)
    for method in STEPS:
        actual = getattr(at(x)[i], method)(an_array((5, 2)), mode="drop")
        assert_array_equal(actual, update(method, i[there], x, an_array((5, 2))[there]), err_msg=method)
    assert_array_equal(at(x)[i, [[0], [9]]].add(1.0, mode="drop"), at(x)[i[there], 0].add(1.0))
    assert_array_equal(at(x)[7].set(0.0, mode="drop"), x)
    assert_array_equal(at(x)[i].apply(np.square, mode="drop"), at(x)[0].apply(np.square))


@pytest.mark.parametrize(
    "dtype, value",
    [("i4", np.iinfo("i4").min), ("u1", 255), ("?", True), ("f4", np.nan), ("c16", np.nan)],
)
def test_fill_values(dtype, value):
    got = at(np.zeros(2, dtype))[5].get(mode="fill")
    assert got.dtype == dtype
    assert_array_equal(got, np.asarray(value, dtype))


def test_modes_of_empty_axes():
    x = np.zeros((0, 2))
    assert_array_equal(at(x)[[0, 1]].get(mode="fill", fill_value=5), np.full((2, 2), 5))
    assert_array_equal(at(x)[[0, 1]].set(1.0, mode="drop"), x)
    assert_array_equal(at(x)[[0, 1], [0, 0]].set(1.0, mode="drop"), x)
    assert_array_equal(at(x.T)[[0, 1], [0, 0]].set(1.0, mode="drop"), x.T)
    assert_array_equal(at(np.zeros((2, 3)))[1:].get(mode="fill"), np.zeros((1, 3)))
    with pytest.raises(IndexError, match="the axis is empty"):
        at(x)[[0, 1]].get(mode="clip")


def weighted_products(i, mode, x, v):
    return at(x)[i].multiply(v, mode=mode) @ x


def test_derivatives_of_modes():
    x, i = an_array((3,)), np.array([0, 3, -1, -4, 0])
    for mode in ("clip", "drop"):
        g = partial(weighted_products, i, mode)
        v = an_array((5,))
        x_bar, v_bar = xform.grad(g, (0, 1))(x, v)
        step = 1e-6
        for wrt, bar in ((x, x_bar), (v, v_bar)):
            for k, e in enumerate(np.eye(len(wrt)) * step):
                up, down = ((x + s, v) if wrt is x else (x, v + s) for s in (e, -e))
                slope = (g(*up) - g(*down)) / (2 * step)
                assert_allclose(bar[k], slope, rtol=1e-5, atol=1e-6)
    assert_array_equal(xform.grad(lambda x: np.sum(x.at[i].get(mode="fill", fill_value=0)))(x), [2, 0, 1])


# --- dtypes and errors ---


@pytest.mark.parametrize("dtype", ["f4", "f8", "c8", "i4", "u1", "?"])
def test_the_dtype_stays(dtype):
    x = np.ones(3, dtype)
    for i in (0, [0, 1], x > 0):
        assert at(x)[i].set(1).dtype == dtype
        assert at(x)[i].set(1.0).dtype == dtype
        assert at(x)[i].max(x[i]).dtype == dtype
    if dtype in ("f4", "c8"):
        assert at(x)[0].add(np.float64(0.1)).dtype == dtype
        assert xform.grad(lambda x: x.at[[0, 1]].multiply(0.5)[0].real)(x).dtype == dtype


@pytest.mark.parametrize(
    "call, error, message",
    [
        (lambda x: x[0].set(1.5), TypeError, r"values of dtype float64 were given for an array of dtype int64.*astype"),
        (lambda x: x[0].set(np.array(2.0)), TypeError, "which cannot hold them"),
        (lambda x: x[0].add(1j), TypeError, "complex128"),
        (lambda x: x[0].divide(2), TypeError, "cannot hold quotients"),
        (lambda x: x[:2].set(np.ones(3, int)), ValueError, r"values of shape \(3,\) could not be broadcast .* \(2,\)"),
        (lambda x: x[[0, 1]].add(np.ones((2, 2), int)), ValueError, "could not be broadcast"),
        (lambda x: x[9].set(0), IndexError, "index 9 is out of bounds for axis 0 with size 4; wanted -4 <= index < 4"),
        (lambda x: x[[9]].set(0), IndexError, "index 9 is out of bounds"),
        (lambda x: x[0].set(0, mode="wrap"), ValueError, "mode='wrap' was given; wanted one of"),
        (lambda x: x["a"].set(0), IndexError, "only integers, slices"),
    ],
)
def test_errors(call, error, message):
    for door in (
        lambda f: f(np.arange(4)),
        lambda f: xform.vmap(f)(np.zeros((1, 4), int)),
    ):
        with pytest.raises(error, match=message):
            door(lambda x: call(at(x)))


def test_repr():
    assert repr(at(np.arange(2))[0]) == "At(array([0, 1]))[0]"
