"""put, place, putmask, copyto, put_along_axis and fill_diagonal as copies, against NumPy's changes in place."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import xform
import xform.numpy as xnp
from tests.messages import says
from tests.numpy.agreement import DOORS, arrays, check_same, numbers, outcome, staged
from xform.testing import check_grads

NAMES = ["copyto", "fill_diagonal", "place", "put", "put_along_axis", "putmask"]
small = arrays(("float64", "float32", "int64"), special=False)
vectors = arrays(("float64", "int64"), hnp.array_shapes(min_dims=1, max_dims=2, min_side=0, max_side=4), special=False)
values = arrays(("float64", "int64"), hnp.array_shapes(min_dims=0, max_dims=2, min_side=0, max_side=4), special=False)
M, V = np.arange(6.0).reshape(2, 3), np.array([7.0, 8.0])


def check(name, a, v, *between, doors=("linearize", "vmap"), **options):
    """The copy, with the array and the values traced, and neither, is what NumPy's function makes of the array."""

    def theirs(a, v):
        copy = np.array(a)
        getattr(np, name)(copy, *(v if x is VALUES else x for x in between), **options)
        return copy

    def ours(a, v):
        return getattr(xnp, name)(a, *(v if x is VALUES else x for x in between), **options, inplace=False)

    before = np.array(a)
    wanted, error, _ = outcome(theirs, a, v)
    for door in (*doors, "jit"):
        enter = {**DOORS, "jit": staged}.get(door)
        found, found_error, _ = outcome(enter, ours, a, v)
        if error is None:
            assert found_error is None, found_error
            check_same(found, wanted, 0)
        else:
            assert issubclass(found_error or type(None), error), (found_error, error)
    found, found_error, _ = outcome(ours, a, v)
    assert (found_error is None) == (error is None)
    np.testing.assert_array_equal(a, before)


VALUES = object()


@given(a=small, v=values, data=st.data())
def test_put(a, v, data):
    i = data.draw(st.lists(st.integers(-3, 5), max_size=4))
    mode = data.draw(st.sampled_from(["raise", "wrap", "clip", "bounce"]))
    if len({k % max(a.size, 1) for k in i}) == len(i) and (a.size or not i):  # NumPy's order of writing is its own
        check("put", a, v, i, VALUES, mode=mode) if mode != "clip" else check("put", a, v, [0][: a.size], VALUES, mode)


@given(a=small, v=vectors, data=st.data())
def test_masks(a, v, data):
    shape = data.draw(st.sampled_from([a.shape, (a.size,), (2, 3)]))
    mask = data.draw(hnp.arrays(bool, shape, elements=st.booleans()))
    check("putmask", a, v, mask, VALUES)
    if v.size or mask.any() or mask.size != a.size:
        check("place", a, v, mask, VALUES)


@given(a=small, v=values, data=st.data())
def test_copyto(a, v, data):
    where = data.draw(st.one_of(st.booleans(), hnp.arrays(bool, a.shape)))
    check("copyto", a, v, VALUES, casting=data.draw(st.sampled_from(["same_kind", "unsafe", "no"])), where=where)


@given(
    a=arrays(("float64", "int64"), hnp.array_shapes(min_dims=1, max_dims=3, min_side=1, max_side=3), special=False),
    v=values.filter(lambda v: v.size),
    wrap=st.booleans(),
)
def test_fill_diagonal(a, v, wrap):
    check("fill_diagonal", a, v, VALUES, wrap)
    tall = np.zeros((7, 2))
    check("fill_diagonal", tall, v, VALUES, wrap)


@given(data=st.data(), axis=st.sampled_from([0, 1, -1, None, 2]))
def test_put_along_axis(data, axis):
    shape = (6,) if axis is None else data.draw(st.sampled_from([(1, 3), (2, 1), (2, 3), (3,)]))
    i = np.array([[0, 1, 1], [1, 0, 0]])[: shape[0], : shape[-1]] if len(shape) == 2 else np.arange(shape[0]) % 2
    v = data.draw(hnp.arrays(float, st.sampled_from([(), (1, 1), i.shape]), elements=numbers(float, False)))
    if axis != 0 or shape[0] == 1:  # else entries are written twice
        check("put_along_axis", M, v, i, VALUES, axis)


def test_nothing_to_write():
    assert xform.linearize(lambda a: xnp.place(a, np.zeros(6, bool), [], inplace=False), M)[0].tolist() == M.tolist()
    check("put", M, np.zeros(0), [1], VALUES)
    check("fill_diagonal", M, np.zeros(0), VALUES)


def test_a_copy_is_returned_also_of_nothing_written():
    def f(a):
        for y in (
            xnp.put(a, [], [], inplace=False),
            xnp.place(a, np.zeros(6, bool), [], inplace=False),
            xnp.putmask(a, np.ones(6, bool), [], inplace=False),
            xnp.fill_diagonal(a, [], inplace=False),
            xnp.copyto(a, a, inplace=False),
        ):
            y[0] = 9.0
        return a * 1

    np.testing.assert_array_equal(xform.linearize(f, M)[0], M)


def test_python_numbers_take_the_dtype_of_the_array():
    i = np.zeros(2, np.uint8)
    assert xform.vmap(lambda m: xnp.copyto(i, 3, where=m, inplace=False))(np.eye(2, dtype=bool)).dtype == np.uint8
    with says(TypeError, "Cannot cast", "float64", "uint8", "same_kind"):
        xform.linearize(lambda x: xnp.copyto(i, x, inplace=False), 1.5)


def test_out_of_range():
    f = xnp.put_along_axis
    i = np.array([[5], [0]])
    with pytest.raises(IndexError):
        xform.linearize(lambda v: f(M, i, v, 1, inplace=False), 9.0)
    assert xform.linearize(lambda v: f(M, i, v, 1, False, mode="drop"), 9.0)[0].tolist() == [[0, 1, 2], [9, 4, 5]]
    assert xform.linearize(lambda v: f(M, i, v, 1, False, mode="clip"), 9.0)[0].tolist() == [[0, 1, 9], [9, 4, 5]]
    with says(IndexError, "integer array", "float64"):
        f(M, i * 1.0, 9.0, 1, inplace=False)
    with says(ValueError, "same number of dimensions", "(2,)", "(2, 3)"):
        f(M, [0, 1], 9.0, 1, inplace=False)


def test_derivatives():
    mask = M % 2 == 0
    for f in (
        lambda a, v: xnp.put(a, [4, 1, 0], v, inplace=False),
        lambda a, v: xnp.place(a, mask, v, inplace=False),
        lambda a, v: xnp.putmask(a, mask, v, inplace=False),
        lambda a, v: xnp.copyto(a, v[:, None], where=mask, inplace=False),
        lambda a, v: xnp.put_along_axis(a, np.array([[0], [2]]), v[:, None], 1, inplace=False),
        lambda a, v: xnp.fill_diagonal(a, v, inplace=False),
    ):
        check_grads(lambda a, v, f=f: f(a, v) ** 2, (M, V), order=2)


@pytest.mark.parametrize("name", NAMES)
def test_in_place_it_is_numpys(name):
    args = {
        "copyto": (V.sum(),),
        "fill_diagonal": (V,),
        "place": (M > 2, V),
        "put": ([1, 2], V),
        "put_along_axis": (np.array([[0], [2]]), 5.0, 1),
        "putmask": (M > 2, V),
    }[name]
    a, b = M.copy(), M.copy()
    assert getattr(xnp, name)(a, *args) is None
    getattr(np, name)(b, *args)
    np.testing.assert_array_equal(a, b)
    np.testing.assert_array_equal(getattr(xnp, name)(M, *args, inplace=False), b)
