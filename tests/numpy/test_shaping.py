"""Reshaping, joining, repeating, padding: NumPy's results on tracers, and derivatives."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import xform
import xform.numpy as xnp
from tests.numpy.agreement import arrays, check_agrees, check_derivatives, check_signature

X = np.arange(24.0).reshape(2, 3, 4) / 7
M = np.arange(6.0).reshape(2, 3) / 7 + 0.1
V = np.array([0.3, -1.2, 2.5])

NAMES = (
    "reshape ravel transpose matrix_transpose swapaxes moveaxis rollaxis expand_dims squeeze broadcast_to "
    "broadcast_arrays atleast_1d atleast_2d atleast_3d concatenate stack vstack hstack dstack column_stack block "
    "append array_split split hsplit vsplit dsplit delete insert repeat tile resize flip fliplr flipud rot90 roll "
    "pad"
)


@pytest.mark.parametrize("name", NAMES.split())
def test_signatures_are_numpys(name):
    check_signature(getattr(xnp, name), getattr(np, name))


# --- shape and axes ---


@given(
    a=arrays(shapes=st.sampled_from([(6,), (2, 3), (3, 0), (), (1, 2, 3)])),
    shape=st.sampled_from([(6,), (3, 2), -1, (-1,), (2, -1), (-1, 3, 1), (0, 3), (), 1, (4,), (0, -1), (-1, -1), [6]]),
    order=st.sampled_from(["C", "F", "A"]),
)
def test_reshape(a, shape, order):
    check_agrees(lambda a: np.reshape(a, shape, order), a)


@pytest.mark.parametrize("shape", [2.0, (2.0, 3), "a", None])
def test_reshape_to_what_is_no_shape(shape):
    with pytest.raises(TypeError):
        xform.grad(lambda x: np.sum(np.reshape(x, shape)))(M)


def test_an_unknown_order_is_refused():
    with pytest.raises(ValueError, match="order must be one of"):
        xform.grad(lambda x: np.sum(np.reshape(x, -1, "Z")))(M)


@given(a=arrays(), order=st.sampled_from(["C", "F", "K", "A"]))
def test_ravel(a, order):
    if order == "K":
        a = np.ascontiguousarray(a)
    check_agrees(lambda a: np.ravel(a, order), a)


@given(
    a=arrays(shapes=st.sampled_from([(2, 3), (2, 3, 4), (3,), ()])),
    axes=st.sampled_from([None, (0, 1), (1, 0), (2, 0, 1), (-1, 0, 1), (0, 0), (0, 5), (0,), (), [1, 0]]),
)
def test_transpose(a, axes):
    check_agrees(lambda a: np.transpose(a, axes), a)


@given(a=arrays(), i=st.integers(-4, 3), j=st.integers(-4, 3))
def test_exchanging_and_moving_axes(a, i, j):
    check_agrees(lambda a: np.swapaxes(a, i, j), a)
    check_agrees(lambda a: np.moveaxis(a, i, j), a)
    check_agrees(lambda a: np.rollaxis(a, i, j), a)


@pytest.mark.parametrize(
    "source, destination", [((0, 1), (1, 2)), ([2, 0], [0, 1]), ((0, -1), (-1, 0)), ((0, 1), (1,)), ((0, 0), (1, 2))]
)
def test_moving_several_axes(source, destination):
    check_agrees(lambda a: np.moveaxis(a, source, destination), X)


@pytest.mark.parametrize("shape", [(2, 3), (3,), (), (4, 2, 3)])
def test_matrix_transpose(shape):
    check_agrees(np.matrix_transpose, np.ones(shape))


@given(
    a=arrays(shapes=st.sampled_from([(), (3,), (1, 2), (1, 3, 1), (1,), (0, 1)])),
    axis=st.sampled_from([0, 1, -1, (0, 1), (0, -1), (0, 0), 5, (), (0, 2)]),
)
def test_axes_of_size_one(a, axis):
    check_agrees(lambda a: np.expand_dims(a, axis), a)
    check_agrees(lambda a: np.squeeze(a, axis), a)
    check_agrees(np.squeeze, a)


@given(
    a=arrays(shapes=st.sampled_from([(), (3,), (1, 3), (2, 1), (1,), (0,)])),
    shape=st.sampled_from([(3,), (2, 3), (4, 2, 3), 3, (0,), (2, 0), (-1, 3), (), (1, 1)]),
)
def test_broadcast_to(a, shape):
    check_agrees(lambda a: np.broadcast_to(a, shape), a)


def test_broadcast_arrays():
    check_agrees(lambda a, b: np.broadcast_arrays(a, b, 2.0), np.ones((2, 1)), V)
    check_agrees(np.broadcast_arrays, np.ones(2), V)


@given(arrays(shapes=st.sampled_from([(), (2,), (2, 3), (2, 3, 4), (1, 2, 3, 1)])))
def test_at_least_so_many_axes(a):
    for f in (np.atleast_1d, np.atleast_2d, np.atleast_3d):
        check_agrees(f, a)
        check_agrees(lambda a, f=f: f(a, 2.0), a)


# --- joining ---

joinable = st.sampled_from(
    [((2, 3), (2, 3)), ((2, 3), (1, 3)), ((2, 3), (2, 0)), ((3,), (2,)), ((2, 3), (3,)), ((), ())]
)


@given(data=st.data(), shapes=joinable, axis=st.sampled_from([None, 0, 1, -1, 2]))
def test_concatenate(data, shapes, axis):
    a, b = (data.draw(arrays(shapes=s)) for s in shapes)
    check_agrees(lambda a, b: np.concatenate([a, b], axis=axis), a, b)
    check_agrees(lambda a, b: np.stack((a, b), axis=axis or 0), a, b)


@pytest.mark.parametrize("casting", ["same_kind", "unsafe", "no"])
@pytest.mark.parametrize("dtype", ["f4", "f8", "c16", "i8"])
@pytest.mark.parametrize("join", [np.concatenate, np.stack, np.vstack, np.hstack], ids=lambda f: f.__name__)
def test_dtypes_and_casting_of_joined_arrays(join, dtype, casting):
    check_agrees(lambda a, b: join([a, b], dtype=dtype, casting=casting), np.ones(2), np.ones(2, np.float32))


@given(
    data=st.data(),
    shapes=st.sampled_from([((3,), (3,)), ((2, 3), (2, 3)), ((), ()), ((2, 3, 1), (2, 3, 4)), ((2,), (3,))]),
)
@pytest.mark.parametrize("join", [np.vstack, np.hstack, np.dstack, np.column_stack], ids=lambda f: f.__name__)
def test_stacking_in_a_direction(join, data, shapes):
    a, b = (data.draw(arrays(shapes=s)) for s in shapes)
    check_agrees(lambda a, b: join((a, b)), a, b)


def test_joining_with_plain_arrays_lists_and_numbers():
    check_agrees(lambda v: np.concatenate([v, [1.0, 2.0]]), V)
    check_agrees(lambda v: np.concatenate([v, 1.0], axis=None), V.astype(np.float32))
    check_agrees(lambda v: np.stack([v[0], 2, 1j]), V)
    check_agrees(lambda v: np.hstack([v, 4]), V)
    check_agrees(lambda v: np.vstack([v, [4, 5, 6]]), V)
    check_agrees(lambda v: np.append(v, [[1], [2]]), V)
    check_agrees(lambda v: np.append(v, v[:1]), V)
    check_agrees(lambda m: np.append(m, [[1, 2, 3]], axis=0), M)
    check_agrees(np.concatenate, M)  # the rows of an array are arrays
    check_agrees(lambda x: np.stack(x, axis=1), X)


@pytest.mark.parametrize("join", [np.concatenate, np.stack, np.vstack, np.hstack], ids=lambda f: f.__name__)
def test_joining_nothing(join):
    with pytest.raises(ValueError, match="need at least one array"):
        xform.grad(lambda x: join(x[:0]))(M)


def test_joining_does_not_write():
    with pytest.raises(TypeError, match="concatenate: the option out="):
        xform.grad(lambda x: np.concatenate([x, x], out=np.zeros(6)).sum())(V)


def test_block():
    check_agrees(lambda m: np.block([[m, m], [np.ones((1, 3)), np.zeros((1, 3))]]), M)
    check_agrees(lambda v: np.block([v, v, 1.0]), V)
    check_agrees(lambda v: np.block([[v], [v]]), V)
    check_agrees(lambda v: np.block([[v[0], v[1]], [v[2], 1.0]]), V)
    check_agrees(np.block, M)
    check_agrees(lambda x: np.block([[[x, x]], [[x, x]]]), X)
    check_agrees(lambda v: np.block([[v], v]), V)
    check_agrees(lambda v: np.block([(v, v)]), V)
    check_agrees(lambda v: np.block([[v], []]), V)
    check_agrees(lambda m: np.block([[m], [np.ones((1, 2))]]), M)


def test_blocks_nested_too_deep():
    def joined(x):
        nest = [x]
        for _ in range(10_000):
            nest = [nest]
        return xnp.block(nest)

    with pytest.raises(ValueError, match="nested 10001 deep"):
        xform.grad(joined)(1.0)


# --- taking apart ---


@given(
    a=arrays(shapes=st.sampled_from([(6,), (6, 2), (2, 6), (0,), (4, 4, 4)])),
    where=st.sampled_from([1, 2, 3, 0, -1, [2], [1, 3], [0, 9], [-2], [3, 1], [], (2, 4)]),
    axis=st.sampled_from([0, 1, -1]),
)
def test_splitting(a, where, axis):
    check_agrees(lambda a: np.array_split(a, where, axis), a)
    check_agrees(lambda a: np.split(a, where, axis), a)


@pytest.mark.parametrize("shape", [(), (4,), (4, 2), (2, 4, 2)])
@pytest.mark.parametrize("f", [np.hsplit, np.vsplit, np.dsplit], ids=lambda f: f.__name__)
def test_splitting_in_a_direction(f, shape):
    check_agrees(lambda a: f(a, 2), np.ones(shape))
    check_agrees(lambda a: f(a, [1]), np.ones(shape))


@pytest.mark.parametrize("axis", [0, 1, -1])
def test_unstack(axis):
    parts = xform.linearize(lambda x: xnp.unstack(x, axis=axis), X)[0]
    np.testing.assert_array_equal(parts, np.moveaxis(X, axis, 0))


def test_unstack_a_number():
    with pytest.raises(ValueError, match="at least 1-d"):
        xform.grad(lambda x: xnp.unstack(x)[0])(1.0)


deleted = st.sampled_from(
    [0, -1, 5, [0, 2], [], slice(None, None, 2), slice(2, 0, -1), [True, False, True], [0, 0], (1,)]
)


@given(obj=deleted, axis=st.sampled_from([None, 0, 1, 5]))
def test_delete(obj, axis):
    check_agrees(lambda a: np.delete(a, obj, axis), np.arange(9.0).reshape(3, 3))


@given(
    obj=st.sampled_from([0, 1, -1, 3, 7, [0, 2], [2, 0], [1, 1], [1], slice(0, 2), np.array([True, False, True])]),
    axis=st.sampled_from([0, 1]),
    values=st.sampled_from([5.0, np.ones(3), np.ones((3, 1)), np.arange(6.0).reshape(2, 3), np.ones((3, 3)), 2]),
)
def test_insert(obj, axis, values):
    check_agrees(lambda a: np.insert(a, obj, values, axis), np.arange(9.0).reshape(3, 3))


def test_insert_traced_values():
    check_agrees(lambda a, v: np.insert(a, [0, 2], v), V, np.array([5.0, 6.0]))
    check_agrees(lambda v: np.insert(np.zeros(3), 1, v), V)
    check_agrees(lambda a: np.insert(a, 1, 2.7), np.array([1, 2, 3]))


# --- repeated, turned, shifted ---


@given(
    a=arrays(shapes=st.sampled_from([(3,), (2, 3), (0,), (), (3, 1, 2)])),
    repeats=st.sampled_from([0, 1, 2, [2], [0, 1, 2], [1, 2], -1, 1.0, np.array([2, 0, 1])]),
    axis=st.sampled_from([None, 0, -1, 4]),
)
def test_repeat(a, repeats, axis):
    check_agrees(lambda a: np.repeat(a, repeats, axis), a)


@given(
    a=arrays(shapes=st.sampled_from([(3,), (2, 3), (0,), (), (2, 1, 2)])),
    reps=st.sampled_from([0, 2, (2,), (2, 3), (1, 1, 2), [2, 0], (), -1, np.array([2, 1])]),
)
def test_tile(a, reps):
    if a.size or not np.array_equal(reps, -1):  # NumPy lets it pass
        check_agrees(lambda a: np.tile(a, reps), a)


@given(a=arrays(), shape=st.sampled_from([3, (2, 4), (0,), (), (5, 1), (-1,)]))
def test_resize(a, shape):
    check_agrees(lambda a: np.resize(a, shape), a)


@given(a=arrays(), axis=st.sampled_from([None, 0, 1, -1, (0, 1), (), (0, 0)]))
def test_flip(a, axis):
    check_agrees(lambda a: np.flip(a, axis), a)
    check_agrees(np.fliplr, a)
    check_agrees(np.flipud, a)


@given(
    a=arrays(shapes=st.sampled_from([(2, 3), (2, 3, 4), (2,), (0, 2)])),
    k=st.integers(-5, 5),
    axes=st.sampled_from([(0, 1), (1, 0), (-1, 0), (0, 0), (0,), (2, 1), (0, 1, 2)]),
)
def test_rot90(a, k, axes):
    check_agrees(lambda a: np.rot90(a, k, axes), a)


@given(
    a=arrays(shapes=st.sampled_from([(5,), (2, 3), (0,), (), (2, 3, 4)])),
    shift=st.sampled_from([0, 1, -1, 7, (1, 2), (1, 2, 3), [1], np.array([1, -1])]),
    axis=st.sampled_from([None, 0, 1, (0, 1), (0, 0), 3]),
)
def test_roll(a, shift, axis):
    check_agrees(lambda a: np.roll(a, shift, axis), a)


def test_roll_by_a_traced_number():
    rolled = xform.vmap(xnp.roll, in_axes=(None, 0))(V, np.arange(-1, 3))
    np.testing.assert_array_equal(rolled, [np.roll(V, k) for k in range(-1, 3)])


# --- padding ---

widths = st.sampled_from(
    [0, 1, 3, (1, 2), ((1, 2), (0, 3)), ((2,), (1,)), [[4, 5]], (1,), -1, 1.5, ((1, 2), (3, 4), (5, 6))]
)
MODES = ["empty", "constant", "edge", "wrap", "reflect", "symmetric", "linear_ramp", "maximum", "minimum", "mean"]


@given(
    a=arrays(
        ["f8", "f4", "c16", "i8", "bool"], st.sampled_from([(3,), (2, 3), (1, 4), (0, 2), (), (1,)]), special=False
    ),
    width=widths,
    mode=st.sampled_from(MODES[1:]),
)
def test_pad(a, width, mode):
    if a.dtype.kind == "b" and mode in ("linear_ramp", "mean"):
        return  # NumPy subtracts booleans, or not, as it happens
    check_agrees(lambda a: np.pad(a, width, mode), a)


@given(
    a=arrays(["f8", "f4", "c16", "i8"], st.sampled_from([(3,), (2, 3), (1, 4), (5,)]), special=False),
    width=st.integers(0, 12),
    mode=st.sampled_from(["reflect", "symmetric"]),
)
def test_odd_reflections(a, width, mode):
    check_agrees(lambda a: np.pad(a, width, mode, reflect_type="odd"), a)


@pytest.mark.parametrize("value", [0, 2.5, (1, 2), ((1, 2), (3, 4)), 2 + 0j])
def test_constants_and_ends_of_ramps(value):
    if not isinstance(value, complex):
        check_agrees(lambda a: np.pad(a, 2, constant_values=value), M)
        check_agrees(lambda a: np.pad(a, 2, "linear_ramp", end_values=value), M)
        check_agrees(lambda a: np.pad(a, 2, "linear_ramp", end_values=value), M.astype(np.float32))
        check_agrees(lambda a: np.pad(a, 3, "linear_ramp", end_values=value), np.array([7, 9]))
    check_agrees(lambda a: np.pad(a, 2, constant_values=value), M.astype(complex))


@pytest.mark.parametrize("length", [1, 2, 9, (1, 2), ((1, 2), (2, 1)), 0, None])
@pytest.mark.parametrize("mode", ["maximum", "minimum", "mean"])
def test_lengths_of_statistics(mode, length):
    if mode == "mean" and length == 0:
        return  # nan in both, with different warnings
    check_agrees(lambda a: np.pad(a, 2, mode, stat_length=length), M)


def test_pad_by_names_of_axes():
    check_agrees(lambda a: np.pad(a, {1: (1, 2)}), M) if np.lib.NumpyVersion(np.__version__) >= "2.2.0" else None
    y = xform.linearize(lambda a: xnp.pad(a, {-1: 2}), M)[0]
    np.testing.assert_array_equal(y, np.pad(M, ((0, 0), (2, 2))))


def test_pad_refuses():
    check_agrees(lambda a: np.pad(a, 1, "nonsense"), M)
    check_agrees(lambda a: np.pad(a, 1, "edge", constant_values=1), M)
    check_agrees(lambda a: np.pad(a, 1, "edge"), np.zeros((0, 2)))


def test_pad_by_a_function():
    def mean_and_end(vector, pair, axis, options):
        before, after = pair
        vector[:before] = options["scale"] * vector[before : len(vector) - after].mean()
        vector[len(vector) - after :] = axis

    for x in (V, M, np.zeros((2, 0))[:0]):
        check_agrees(lambda a: np.pad(a, (1, 2), mean_and_end, scale=2.0), x)
    check_agrees(lambda a: np.pad(a, 0, lambda vector, *_: vector.fill(3.0)), M)
    check_derivatives(lambda a: np.pad(a, ((1, 0), (0, 1)), mean_and_end, scale=2.0) ** 2, M)


def test_pad_leaves_nothing_undefined():
    np.testing.assert_array_equal(xform.linearize(lambda a: np.pad(a, 1, "empty"), V)[0], [0, *V, 0])


def test_traced_constants_have_derivatives():
    check_derivatives(lambda x, c: np.pad(x, 2, constant_values=c) ** 2, V, np.array(0.7))
    check_derivatives(lambda x, c: np.pad(x, 2, constant_values=(c, 2 * c)) ** 2, V, np.array(0.7))
    check_derivatives(lambda x, c: np.pad(x, 2, "linear_ramp", end_values=c) ** 2, V, np.array(0.7))


# --- derivatives ---

DERIVATIVES = {
    "reshape": lambda x: np.reshape(x, (3, -1), "F"),
    "ravel": lambda x: np.ravel(x, "F"),
    "transpose": lambda x: np.transpose(x, (2, 0, 1)),
    "moveaxis": lambda x: np.moveaxis(x, 0, 1),
    "expand_dims": lambda x: np.expand_dims(x, (0, 2)),
    "broadcast_to": lambda x: np.broadcast_to(x, (2, 2, 3, 4)),
    "concatenate": lambda x: np.concatenate([x, x * x], axis=1),
    "stack": lambda x: np.stack([x, x * x], axis=2),
    "block": lambda x: np.block([[x, x * x]]),
    "split": lambda x: np.split(x, 2, axis=2)[1],
    "delete": lambda x: np.delete(x, 1, axis=1),
    "insert": lambda x: np.insert(x, 1, x[:, 0], axis=1),
    "repeat": lambda x: np.repeat(x, [1, 0, 2], axis=1),
    "repeat all": lambda x: np.repeat(x, 2),
    "tile": lambda x: np.tile(x, (2, 1)),
    "resize": lambda x: np.resize(x, (7, 5)),
    "flip": lambda x: np.flip(x, (0, 2)),
    "rot90": np.rot90,
    "roll": lambda x: np.roll(x, (1, 2), axis=(0, 2)),
    **{f"pad {mode}": lambda x, mode=mode: np.pad(x, ((1, 2), (0, 3), (4, 0)), mode) for mode in MODES[1:]},
    "pad odd": lambda x: np.pad(x, 7, "reflect", reflect_type="odd"),
}


@pytest.mark.parametrize("name", DERIVATIVES)
def test_derivatives(name):
    check_derivatives(lambda x: DERIVATIVES[name](x) ** 2, X)


def test_results_stage():
    jaxpr = xform.make_jaxpr(lambda x: xnp.stack([x[0], x[1] * x[2]]))(V)
    assert str(jaxpr).count("stack") == 1
