"""The operators of `xform.lax` that arrange entries, and those that read and write computed places."""

import numpy as np
import pytest

import xform
from tests.messages import says
from tests.numeric import assert_same
from xform import lax
from xform.testing import check_grads, check_vmap

X = np.arange(6.0).reshape(2, 3)
C = np.arange(24.0).reshape(2, 3, 4)
V = np.arange(5.0)
ONE = np.ones((1, 2, 1))

#: what it is called, the operator, its operand, and the result as NumPy makes it
TABLE = [
    ("broadcast", lambda x: lax.broadcast(x, (4, 2)), X, np.broadcast_to(X, (4, 2, 2, 3))),
    ("broadcast_0d", lambda x: lax.broadcast(x, (2,)), np.float64(3.0), np.full(2, 3.0)),
    ("broadcast_by_nothing", lambda x: lax.broadcast(x, ()), X, X),
    ("broadcast_to_none", lambda x: lax.broadcast(x, (0,)), X, np.zeros((0, 2, 3))),
    ("in_dim_behind", lambda x: lax.broadcast_in_dim(x, (5, 2), (0,)), V, np.stack([V, V], 1)),
    ("in_dim_in_front", lambda x: lax.broadcast_in_dim(x, (2, 5), (1,)), V, np.stack([V, V])),
    ("in_dim_negative", lambda x: lax.broadcast_in_dim(x, (2, 5), (-1,)), V, np.stack([V, V])),
    ("in_dim_permuted", lambda x: lax.broadcast_in_dim(x, (3, 4, 2), (2, 0)), X, np.stack([X.T] * 4, 1)),
    ("in_dim_stretched", lambda x: lax.broadcast_in_dim(x, (3, 2, 4), (0, 1, 2)), ONE, np.ones((3, 2, 4))),
    ("in_dim_of_0d", lambda x: lax.broadcast_in_dim(x, (2, 2), ()), np.float64(2.0), np.full((2, 2), 2.0)),
    ("like", lambda x: lax.broadcast_like(x, np.ones((2, 4, 1))[..., [0] * 5]), V, np.broadcast_to(V, (2, 4, 5))),
    ("like_itself", lambda x: lax.broadcast_like(x, x), X, X),
    ("like_stretched", lambda x: lax.broadcast_like(x, np.ones((3, 2, 1))), ONE, np.ones((3, 2, 1))),
    ("to_rank", lambda x: lax.broadcast_to_rank(x, 3), V, V[None, None]),
    ("to_a_lower_rank", lambda x: lax.broadcast_to_rank(x, 1), X, X),
    ("collapse", lambda x: lax.collapse(x, 0, 2), C, C.reshape(6, 4)),
    ("collapse_to_the_end", lambda x: lax.collapse(x, 1), C, C.reshape(2, 12)),
    ("collapse_negative", lambda x: lax.collapse(x, -3, -1), C, C.reshape(6, 4)),
    ("collapse_of_none", lambda x: lax.collapse(x, 1, 1), C, C[:, None]),
    ("concatenate", lambda x: lax.concatenate([x, 2 * x, x[:, :1]], 1), X, np.concatenate([X, 2 * X, X[:, :1]], 1)),
    ("concatenate_negative", lambda x: lax.concatenate((x, x), -1), X, np.concatenate([X, X], 1)),
    ("concatenate_rows", lambda x: lax.concatenate(x, 0), X, X.ravel()),
    ("stack", lambda x: lax.stack([x, 2 * x]), X, np.stack([X, 2 * X])),
    ("stack_behind", lambda x: lax.stack((x, 2 * x), -1), X, np.stack([X, 2 * X], -1)),
    ("stack_rows", lambda x: lax.stack(x, axis=1), X, X.T),
    ("unstack", lambda x: lax.unstack(x)[1], X, X[1]),
    ("unstack_negative", lambda x: lax.unstack(x, axis=-1)[2], C, C[..., 2]),
    ("expand_dims", lambda x: lax.expand_dims(x, (0, -1)), X, X[None, :, :, None]),
    ("expand_dims_none", lambda x: lax.expand_dims(x, ()), X, X),
    ("pad", lambda x: lax.pad(x, 9.0, [(1, 2, 0), (0, 0, 1)]), X, None),
    (
        "pad_with_zeros",
        lambda x: lax.pad(x, 0.0, [(2, 1, 2)]),
        V,
        np.array([0, 0, 0, 0, 0, 1, 0, 0, 2, 0, 0, 3, 0, 0, 4, 0.0]),
    ),
    ("pad_negative", lambda x: lax.pad(x, 9.0, [(-1, -1, 0)]), V, V[1:-1]),
    ("pad_away_interior", lambda x: lax.pad(x, 9.0, [(-1, -3, 1)]), V, np.array([9.0, 1, 9, 2, 9])),
    ("pad_all_away", lambda x: lax.pad(x, 9.0, [(-9, 6, 0)]), V, np.array([9.0, 9.0])),
    ("pad_nothing", lambda x: lax.pad(x, 9.0, [(1, 1, 3)]), np.zeros(0), np.array([9.0, 9.0])),
    ("pad_0d", lambda x: lax.pad(x, 9.0, []), np.float64(3.0), np.float64(3.0)),
    ("pad_by_itself", lambda x: lax.pad(x, x[1], [(1, 0, 0)]), V, np.array([1.0, 0, 1, 2, 3, 4])),
    ("reshape", lambda x: lax.reshape(x, (3, 2)), X, X.reshape(3, 2)),
    ("reshape_permuted", lambda x: lax.reshape(x, (2, 12), (2, 0, 1)), C, C.transpose(2, 0, 1).reshape(2, 12)),
    ("reshape_unknown", lambda x: lax.reshape(x, (-1,)), X, X.ravel()),
    ("rev", lambda x: lax.rev(x, (0, 2)), C, C[::-1, :, ::-1]),
    ("rev_none", lambda x: lax.rev(x, ()), X, X),
    ("slice", lambda x: lax.slice(x, (0, 1), (2, 3)), X, X[:2, 1:3]),
    ("slice_strided", lambda x: lax.slice(x, (0, 0, 1), (2, 3, 4), (1, 2, 2)), C, C[:2, :3:2, 1:4:2]),
    ("slice_nothing", lambda x: lax.slice(x, (5,), (5,)), V, np.zeros(0)),
    ("slice_in_dim", lambda x: lax.slice_in_dim(x, 1, -1), V, V[1:-1]),
    ("slice_in_dim_strided", lambda x: lax.slice_in_dim(x, -4, None, 2, axis=-1), C, C[..., ::2]),
    ("slice_in_dim_all", lambda x: lax.slice_in_dim(x, None, None), V, V),
    ("index_in_dim", lambda x: lax.index_in_dim(x, -1, 1), X, X[:, -1:]),
    ("index_in_dim_dropped", lambda x: lax.index_in_dim(x, 1, -1, keepdims=False), C, C[..., 1]),
    ("split", lambda x: lax.split(x, (1, 0, 2), 1), X, [X[:, :1], X[:, :0], X[:, 1:]]),
    ("squeeze", lambda x: lax.squeeze(x, (0, -1)), ONE, np.ones(2)),
    ("squeeze_one", lambda x: lax.squeeze(x, (2,)), ONE, np.ones((1, 2))),
    ("tile", lambda x: lax.tile(x, (2, 3)), X, np.tile(X, (2, 3))),
    ("tile_none", lambda x: lax.tile(x, (0,)), V, np.zeros(0)),
    ("transpose", lambda x: lax.transpose(x, (2, 0, 1)), C, C.transpose(2, 0, 1)),
    ("transpose_negative", lambda x: lax.transpose(x, np.array([-1, 0, 1])), C, C.transpose(2, 0, 1)),
    ("dynamic_slice", lambda x: lax.dynamic_slice(x, (1, 1), (1, 2)), X, X[1:, 1:]),
    ("dynamic_slice_moved", lambda x: lax.dynamic_slice(x, (3,), (3,)), V, V[2:]),
    ("dynamic_slice_negative", lambda x: lax.dynamic_slice(x, (-2,), (2,)), V, V[3:]),
    ("dynamic_slice_far_in_front", lambda x: lax.dynamic_slice(x, np.array([-99]), (3,)), V, V[:3]),
    ("dynamic_slice_0d", lambda x: lax.dynamic_slice(x, (), ()), np.float64(2.0), np.float64(2.0)),
    ("dynamic_slice_nothing", lambda x: lax.dynamic_slice(x, (2,), (0,)), V, np.zeros(0)),
    ("dynamic_slice_in_dim", lambda x: lax.dynamic_slice_in_dim(x, 1, 2, axis=-1), C, C[..., 1:3]),
    ("dynamic_index_in_dim", lambda x: lax.dynamic_index_in_dim(x, -1, 1), C, C[:, -1:]),
    ("dynamic_index_dropped", lambda x: lax.dynamic_index_in_dim(x, 7, -1, keepdims=False), C, C[..., -1]),
    ("dynamic_update_slice", lambda x: lax.dynamic_update_slice(x, 2 * x[:2], (9,)), V, np.array([0.0, 1, 2, 0, 2])),
    ("update_slice_in_dim", lambda x: lax.dynamic_update_slice_in_dim(x, 1 + x[:, :1], 1, 1), X, None),
    ("update_index", lambda x: lax.dynamic_update_index_in_dim(x, x[:, 2] * x[:, 0], -1, 1), X, None),
    ("update_index_kept", lambda x: lax.dynamic_update_index_in_dim(x, x[:, :1], 1, -1), X, None),
    (
        "update_index_of_a_vector",
        lambda x: lax.dynamic_update_index_in_dim(x, 7.0, 1, 0),
        V,
        np.array([0.0, 7, 2, 3, 4]),
    ),
    ("barrier", lax.optimization_barrier, X, X),
]
MADE = {
    "pad": np.array([[9.0] * 5, [0, 9, 1, 9, 2], [3, 9, 4, 9, 5], [9] * 5, [9] * 5]),
    "update_slice_in_dim": np.array([[0.0, 1, 2], [3, 4, 5]]),
    "update_index": np.array([[0.0, 1, 0], [3, 4, 15]]),
    "update_index_kept": np.array([[0.0, 0, 2], [3, 3, 5]]),
}


@pytest.fixture(params=TABLE, ids=[row[0] for row in TABLE])
def row(request):
    name, f, x, wanted = request.param
    return f, x, MADE[name] if wanted is None else wanted


def leaves(y):
    return y if isinstance(y, list) else [y]


def assert_leaves_same(ys, wanted):
    for y, w in zip(leaves(ys), leaves(wanted), strict=True):
        assert_same(y, w, 0.0)


def test_values(row):
    f, x, wanted = row
    assert_leaves_same(f(x), wanted)


@pytest.mark.parametrize("dtype", [np.float32, np.int64, np.int8, np.complex64])
def test_dtypes(row, dtype):
    f, x, wanted = row
    wanted = [np.asarray(w).astype(dtype)[()] for w in leaves(wanted)]
    for y, w in zip(leaves(f(x.astype(dtype))), wanted, strict=True):
        assert_same(y.astype(dtype), w, 0.0)  # a Python float beside integers promotes
        assert dtype == np.int64 or dtype == np.int8 or y.dtype == dtype


def test_a_program_gives_the_same(row):
    f, x, wanted = row
    assert_leaves_same(list(xform.make_jaxpr(f)(x)(x)), leaves(wanted))


def test_derivatives(row):
    f, x, _ = row
    check_grads(f, (x,), order=2)


def test_map_over_a_batch(row):
    f, x, _ = row
    check_vmap(f, [np.stack([x, 2 * x, -x])])


def test_taylor_series_of_a_linear_operator(row):
    f, x, _ = row
    _, terms = xform.jet(lambda t: f(x * t), (1.0,), ((1.0, 0.0),))
    slopes = xform.jvp(lambda t: f(x * t), (1.0,), (1.0,))[1]
    assert_leaves_same(
        [np.asarray(t[0]) for t in (terms if isinstance(slopes, list) else [terms])],
        list(map(np.asarray, leaves(slopes))),
    )


# --- details ---


def test_broadcast_shapes():
    assert lax.broadcast_shapes((2, 1), (3,), ()) == (2, 3)
    assert lax.broadcast_shapes((0, 1), (1, 5)) == (0, 5)
    assert lax.broadcast_shapes(3, (2, 1)) == (2, 3)
    assert lax.broadcast_shapes() == ()


def test_joined_arrays_and_paddings_promote():
    assert lax.concatenate([np.ones(2, np.float32), np.ones(2)], 0).dtype == np.float64
    assert lax.pad(np.ones(2, np.float32), 1.0, [(1, 1, 0)]).dtype == np.float32
    assert lax.pad(np.ones(2, int), 0.5, [(1, 1, 0)]).tolist() == [0.5, 1.0, 1.0, 0.5]
    assert lax.pad(np.ones(2, np.float32), np.float64(0), [(1, 1, 0)]).dtype == np.float64
    assert lax.pad(np.array([True]), False, [(1, 0, 0)]).tolist() == [False, True]
    assert lax.dynamic_update_slice(np.zeros(3, int), np.array([0.5]), (1,)).tolist() == [0.0, 0.5, 0.0]
    assert lax.dynamic_update_index_in_dim(np.zeros(3, np.float32), 0.5, 1, 0).dtype == np.float32


def test_padding_value_may_be_infinite_or_minus_zero_and_has_a_derivative():
    assert lax.pad(np.array([np.nan, 1.0]), -np.inf, [(1, 0, 0)]).tolist()[::2] == [-np.inf, 1.0]
    assert np.signbit(lax.pad(np.ones(1), -0.0, [(1, 1, 0)])).tolist() == [True, False, True]
    assert xform.grad(lambda v: lax.pad(X, v, [(1, 1, 1), (2, 0, 0)]).sum())(0.0) == 5 * 5 - 6
    check_grads(lambda x, v: lax.pad(x, v, [(-1, 2, 1), (1, -1, 2)]), (X, 0.5), order=2)
    check_vmap(lambda x, v: lax.pad(x, v, [(-1, 2, 1)]), (X, np.array([1.0, 2.0])))


@pytest.mark.parametrize("n", [0, 1, 2, 5])
@pytest.mark.parametrize("between", [0, 1, 2])
def test_all_paddings_of_a_vector(n, between):
    """Against dilation, extension and truncation, done one after the other."""
    x = np.arange(1.0, n + 1)
    dilated = np.full(max(n + (n - 1) * between, 0), 9.0)
    dilated[:: between + 1] = x
    for before in range(-4, 4):
        for behind in range(-4, 4):
            extended = np.concatenate([np.full(max(before, 0), 9.0), dilated, np.full(max(behind, 0), 9.0)])
            if (size := len(dilated) + before + behind) >= 0 and len(extended) >= max(-before, 0) + max(-behind, 0):
                wanted = extended[max(-before, 0) :][:size]
                np.testing.assert_array_equal(lax.pad(x, 9.0, [(before, behind, between)]), wanted)


def test_split_is_undone_by_concatenate():
    check_grads(lambda x: lax.concatenate(lax.split(x, (2, 0, 3))[::-1], 0), (V,), order=1)


# --- computed places ---


@pytest.mark.parametrize("dtype", [np.int8, np.int64, np.uint8, np.uint64])
def test_traced_starts(dtype):
    """Mapped over starts, and staged; those of a narrow dtype index a long array."""
    x = np.arange(300.0)
    last = np.iinfo(dtype).max
    starts = np.array([0, 3, 100, last, *([-1, -3, -100] if np.iinfo(dtype).min else [])], dtype)
    begin = [min(int(s) if s >= 0 else 300 + int(s), 297) for s in starts.tolist()]
    wanted = np.array([x[b : b + 3] for b in begin])

    def read(s):
        return lax.dynamic_slice(x, (s,), (3,))

    assert_same(xform.vmap(read)(starts), wanted, 0.0)
    program = xform.make_jaxpr(read)(starts[0])
    for s, w in zip(starts, wanted, strict=True):
        assert_same(read(s), w, 0.0)
        assert_same(program(s)[0], w, 0.0)


def test_traced_starts_that_do_not_wrap():
    read = xform.vmap(lambda s: lax.dynamic_slice_in_dim(V, s, 2, allow_negative_indices=False))
    np.testing.assert_array_equal(read(np.array([-1, 1])), [[0.0, 1.0], [1.0, 2.0]])
    mixed = xform.vmap(lambda s: lax.dynamic_slice(X, (s, s), (1, 1), allow_negative_indices=(True, False)))
    assert mixed(np.array([-1])).ravel().tolist() == [3.0]


def test_traced_vector_of_starts():
    def f(s):
        return lax.dynamic_slice(C, s, (1, 2, 2))

    starts = np.array([[0, 1, 2], [-1, -2, -3]])
    assert_same(xform.vmap(f)(starts), np.stack([C[:1, 1:3, 2:4], C[1:, 1:3, 1:3]]), 0.0)
    assert_same(f(starts[1]), C[1:, 1:3, 1:3], 0.0)


def test_updates_at_traced_starts():
    def written(x, v, s):
        return lax.dynamic_update_slice_in_dim(x, v, s, axis=0)

    starts, v = np.array([0, -1, 9]), np.array([7.0, 8.0])
    wanted = [[7.0, 8, 2, 3, 4], [0, 1, 2, 7, 8], [0, 1, 2, 7, 8]]
    assert_same(xform.vmap(written, in_axes=(None, None, 0))(V, v, starts), np.array(wanted), 0.0)
    check_vmap(written, (V, np.stack([v, -v, v]), starts), in_axes=(None, 0, 0))
    check_grads(lambda x, v: xform.vmap(written, in_axes=(None, None, 0))(x, v, starts), (V, v), order=2)
    check_vmap(lambda i: lax.dynamic_update_index_in_dim(X, np.zeros(2), i, 1), (starts,))
    check_vmap(lambda i: lax.dynamic_index_in_dim(X, i, 1, keepdims=False), (starts,))


def test_derivatives_at_starts_that_depend_on_the_variable():
    def picked(x):
        return lax.dynamic_index_in_dim(x, np.argmax(x), keepdims=False) ** 2

    np.testing.assert_array_equal(xform.grad(picked)(np.array([1.0, 3.0, 2.0])), [0.0, 6.0, 0.0])
    program = xform.make_jaxpr(xform.grad(picked))(V)
    np.testing.assert_array_equal(program(V[::-1].copy())[0], [8.0, 0.0, 0.0, 0.0, 0.0])


# --- identities ---


def test_stop_gradient_in_every_transformation():
    def f(x):
        return x * lax.stop_gradient(x)

    assert xform.grad(f)(3.0) == 3.0
    assert xform.jvp(f, (3.0,), (1.0,)) == (9.0, 3.0)
    assert xform.grad(xform.grad(f))(3.0) == 0.0
    assert xform.jet(f, (3.0,), ((1.0, 0.0),)) == (9.0, [3.0, 0.0])
    assert xform.vjp(lax.stop_gradient, V)[1](V)[0].tolist() == [0.0] * 5
    np.testing.assert_array_equal(xform.vmap(xform.grad(f))(V), V)
    np.testing.assert_array_equal(xform.grad(lambda x: xform.vmap(f)(x).sum())(V), V)
    assert "stop_gradient" in str(xform.make_jaxpr(f)(3.0))
    assert xform.make_jaxpr(xform.grad(f))(3.0)(5.0)[0] == 5.0
    assert not xform.sparsity_pattern(lax.stop_gradient, V).any()
    assert xform.grad(lambda z: abs(lax.stop_gradient(z) * z) ** 2)(1 + 2j) == 5 * (2 - 4j)


def test_stop_gradient_of_trees_and_integers():
    tree = {"a": (1.5, None), "b": [np.arange(3), True], "c": np.zeros(2, xform.float0)}
    out = lax.stop_gradient(tree)
    assert out["a"] == (1.5, None)
    assert out["b"][0] is tree["b"][0]
    mapped = xform.vmap(lambda t: xform.tree.map(lambda x: 2 * x, lax.stop_gradient(t)))(
        {"i": np.arange(3), "x": V[:3]}
    )
    np.testing.assert_array_equal(mapped["i"], [0, 2, 4])
    np.testing.assert_array_equal(mapped["x"], [0.0, 2.0, 4.0])


def test_writing_into_a_stopped_value_leaves_the_variable_alone():
    x = np.ones(3)

    def f(x):
        constant = lax.stop_gradient(x)
        constant += 1.0
        return (x * constant).sum()

    assert xform.grad(f)(x).tolist() == [2.0] * 3
    assert x.tolist() == [1.0] * 3


def test_optimization_barrier_of_trees():
    tree = {"a": 1.5, "b": (V, np.arange(2))}
    out = lax.optimization_barrier(tree)
    assert out["a"] == 1.5
    assert_same(out["b"][0], V, 0.0)
    assert lax.optimization_barrier({}) == {}
    program = xform.make_jaxpr(lax.optimization_barrier)(tree)
    assert [eqn.prim.name for eqn in program.eqns] == ["optimization_barrier"]
    assert len(program.eqns[0].outputs) == 3


def test_derivatives_cross_a_barrier_by_barriers():
    def f(x, y):
        x, y = lax.optimization_barrier((x * y, y))
        return x * y

    check_grads(f, (V, V + 1), order=3)
    check_vmap(f, (V, 2.0), in_axes=(0, None))
    forward = str(xform.make_jaxpr(lambda x: xform.jvp(lambda x: f(x, 2.0), (x,), (x,)))(1.0))
    assert forward.count("optimization_barrier") == 2
    assert str(xform.make_jaxpr(xform.grad(f))(1.0, 2.0)).count("optimization_barrier") == 2
    assert xform.jet(lambda t: f(t, t), (2.0,), ((1.0, 0.0, 0.0),)) == (8.0, [12.0, 12.0, 6.0])
    assert xform.linear_transpose(lambda x: lax.optimization_barrier((x, 0.0))[0], 1.0)(2.0) == (2.0,)
    with says(xform.NonlinearError, "optimization_barrier", "affine"):
        xform.linear_transpose(lambda x: lax.optimization_barrier((x, 1.0)), 1.0)


# --- bad input ---


@pytest.mark.parametrize(
    "call, error, words",
    [
        (lambda: lax.broadcast(X, (-1,)), ValueError, ["broadcast", "sizes", "(-1,)"]),
        (lambda: lax.broadcast(X, (1.5,)), TypeError, ["broadcast", "1.5", "integers"]),
        (lambda: lax.broadcast_in_dim(V, (2, 4), (1,)), ValueError, ["(5,)", "(2, 4)", "or 1"]),
        (lambda: lax.broadcast_in_dim(X, (2, 3), (0,)), ValueError, ["broadcast_dimensions", "2 dimensions"]),
        (lambda: lax.broadcast_in_dim(X, (3, 3), (0, 0)), ValueError, ["broadcast_dimensions", "twice"]),
        (lambda: lax.broadcast_in_dim(V, (5, 2), (2,)), np.exceptions.AxisError, ["(2,)", "from -2 to 1"]),
        (lambda: lax.broadcast_shapes((2,), (3,)), ValueError, ["(2,) and (3,)"]),
        (lambda: lax.collapse(C, 2, 1), ValueError, ["collapse", "from 2 to 1", "(2, 3, 4)"]),
        (lambda: lax.concatenate([], 0), ValueError, ["at least one array"]),
        (lambda: lax.concatenate([X, V], 0), ValueError, ["dimension"]),
        (lambda: lax.concatenate([X, X], 2), np.exceptions.AxisError, ["concatenate", "2", "from -2 to 1"]),
        (lambda: lax.concatenate([1.0, 2.0], 0), ValueError, ["zero-dimensional"]),
        (lambda: lax.expand_dims(V, (5,)), np.exceptions.AxisError, ["expand_dims", "(5,)", "from -2 to 1"]),
        (lambda: lax.expand_dims(V, (0, 0)), ValueError, ["expand_dims", "twice"]),
        (lambda: lax.squeeze(ONE, (1,)), ValueError, ["squeeze", "(1,)", "(1, 2, 1)", "size 1"]),
        (lambda: lax.squeeze(np.float64(1), (0,)), np.exceptions.AxisError, ["squeeze", "an array with axes"]),
        (lambda: lax.reshape(X, (4, 2)), ValueError, ["size 6", "(4, 2)"]),
        (lambda: lax.reshape(X, (-1, 4)), ValueError, ["size 6", "multiple of 4"]),
        (lambda: lax.reshape(X, (6,), (0,)), ValueError, ["reshape", "dimensions", "(0,)"]),
        (lambda: lax.transpose(X, (0,)), ValueError, ["transpose", "permutation", "(2, 3)"]),
        (lambda: lax.transpose(X, (0, 0)), ValueError, ["transpose", "twice"]),
        (lambda: lax.rev(X, (2,)), np.exceptions.AxisError, ["rev", "(2,)", "from -2 to 1"]),
        (lambda: lax.rev(X, (0, -2)), ValueError, ["rev", "twice"]),
        (lambda: lax.tile(X, (2,)), ValueError, ["tile", "reps", "(2, 3)"]),
        (lambda: lax.tile(V, (-1,)), ValueError, ["tile", "(-1,)", "not negative"]),
        (lambda: lax.pad(V, V, [(0, 0, 0)]), ValueError, ["pad", "(5,)", "a number"]),
        (lambda: lax.pad(X, 0.0, [(0, 0, 0)]), ValueError, ["pad", "(2, 3)", "2 dimensions"]),
        (lambda: lax.pad(V, 0.0, [(0, 0)]), ValueError, ["pad", "(before, behind, between)"]),
        (lambda: lax.pad(V, 0.0, [(0, 0, -1)]), ValueError, ["pad", "not negative"]),
        (lambda: lax.pad(V, 0.0, [(-3, -3, 0)]), ValueError, ["pad", "((-3, -3, 0),)", "(-1,)"]),
        (lambda: lax.pad(V, 0.0, [(0.5, 0, 0)]), TypeError, ["pad", "0.5", "integers"]),
        (lambda: lax.slice(X, (0,), (1,)), ValueError, ["start_indices", "(2, 3)"]),
        (lambda: lax.slice(X, (0, 0), (2, 4)), ValueError, ["limit_indices = (2, 4)", "<= size"]),
        (lambda: lax.slice(X, (-1, 0), (2, 2)), ValueError, ["start_indices = (-1, 0)", "0 <= start"]),
        (lambda: lax.slice(V, (3,), (2,)), ValueError, ["(3,)", "(2,)", "start <= limit"]),
        (lambda: lax.slice(V, (0,), (2,), (0,)), ValueError, ["strides = (0,)", "rev"]),
        (lambda: lax.slice_in_dim(V, 1, 9), ValueError, ["(9,)", "(5,)"]),
        (lambda: lax.slice_in_dim(V, 0, 1, axis=1), np.exceptions.AxisError, ["slice_in_dim", "from -1 to 0"]),
        (lambda: lax.index_in_dim(X, 5), IndexError, ["index 5", "size 2", "-2 to 1"]),
        (lambda: lax.index_in_dim(np.zeros(0), 0), IndexError, ["index 0", "size 0"]),
        (lambda: lax.split(V, (2, 2)), ValueError, ["split", "(2, 2)", "(5,)"]),
        (lambda: lax.split(V, (6, -1)), ValueError, ["split", "not negative"]),
        (lambda: lax.dynamic_slice(V, (1.0,), (2,)), TypeError, ["dynamic_slice", "f64[]", "integer"]),
        (lambda: lax.dynamic_slice(V, (True,), (2,)), TypeError, ["dynamic_slice", "bool[]"]),
        (lambda: lax.dynamic_slice(V, ([1],), (2,)), TypeError, ["dynamic_slice", "i64[1]"]),
        (lambda: lax.dynamic_slice(V, (1, 2), (2,)), ValueError, ["2 start indices", "(5,)"]),
        (lambda: lax.dynamic_slice(V, (1,), (2, 2)), ValueError, ["slice_sizes = (2, 2)", "(5,)"]),
        (lambda: lax.dynamic_slice(V, (1,), (7,)), ValueError, ["shape (7,)", "(5,)", "none of them larger"]),
        (lambda: lax.dynamic_slice(V, (1,), (-1,)), ValueError, ["shape (-1,)"]),
        (lambda: lax.dynamic_slice(V, (-2,), (2,), allow_negative_indices=False), ValueError, ["-2", "=False"]),
        (lambda: lax.dynamic_slice(V, (0,), (2,), allow_negative_indices=[]), ValueError, ["for 0", "(5,)"]),
        (lambda: lax.dynamic_slice_in_dim(V, 0, 6), ValueError, ["dynamic_slice_in_dim", "(6,)", "(5,)"]),
        (lambda: lax.dynamic_slice_in_dim(V, 0, 2.5), TypeError, ["slice_size", "2.5"]),
        (lambda: lax.dynamic_index_in_dim(V, 0, 1), np.exceptions.AxisError, ["dynamic_index_in_dim", "1"]),
        (lambda: lax.dynamic_index_in_dim(np.zeros(0), 0), ValueError, ["dynamic_index_in_dim", "(0,)"]),
        (lambda: lax.dynamic_update_slice(V, X, (0,)), ValueError, ["dynamic_update_slice", "(2, 3)", "(5,)"]),
        (lambda: lax.dynamic_update_slice(V, np.ones(6), (0,)), ValueError, ["(6,)", "(5,)"]),
        (lambda: lax.dynamic_update_slice_in_dim(X, V, 0, 0), ValueError, ["dynamic_update_slice_in_dim", "(5,)"]),
        (lambda: lax.dynamic_update_index_in_dim(X, 9.0, 1, 1), ValueError, ["dynamic_update_index_in_dim", "()"]),
        (lambda: lax.stop_gradient({"a": "b"}), TypeError, ["stop_gradient", "['a']", "str 'b'"]),
        (lambda: lax.optimization_barrier([object()]), TypeError, ["optimization_barrier", "[0]"]),
    ],
)
def test_bad_input(call, error, words):
    with says(error, *words):
        call()


def test_bad_input_is_found_inside_transformations():
    with says(ValueError, "dynamic_slice", "(7,)", "(5,)"):
        xform.vmap(lambda s: lax.dynamic_slice(V, (s,), (7,)))(np.arange(2))
    with says(TypeError, "dynamic_slice", "f64[]"):
        xform.make_jaxpr(lambda s: lax.dynamic_slice(V, (s,), (2,)))(1.0)
    with says(TypeError, "slice_sizes", "known now"):
        xform.make_jaxpr(lambda n: lax.dynamic_slice(V, (0,), (n,)))(1)
