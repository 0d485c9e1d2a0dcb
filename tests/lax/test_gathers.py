"""gather and the scatters against loops over the windows, for random dimension numbers."""

import itertools

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import xform
from tests.messages import says
from xform import lax
from xform.testing import check_grads

rng = np.random.default_rng(2)
ROWS = lax.GatherDimensionNumbers(offset_dims=(1,), collapsed_slice_dims=(0,), start_index_map=(0,))
ENTRIES = lax.ScatterDimensionNumbers((), inserted_window_dims=(0,), scatter_dims_to_operand_dims=(0,))


def random_case(seed):
    """An operand, start indices that may be out of range, dimension numbers and slice sizes."""
    rng = np.random.default_rng(seed)
    rank, lead = int(rng.integers(0, 5)), int(rng.integers(0, 3))
    shape = tuple(map(int, rng.integers(1, 5, rank)))
    axes = [int(k) for k in rng.permutation(rank)]
    paired = [int(k) for k in rng.permutation(lead)[: int(rng.integers(0, min(rank, lead) + 1))]]
    batching, rest = sorted(axes[: len(paired)]), axes[len(paired) :]
    dropped = sorted(rest[: int(rng.integers(0, len(rest) + 1))])
    mapped = [int(k) for k in rng.permutation(rest)[: int(rng.integers(0, len(rest) + 1))]]
    batch = rng.integers(1, 4, lead)
    for a, b in zip(batching, paired, strict=True):
        batch[b] = shape[a]
    extents = [1 if k in (*batching, *dropped) else int(rng.integers(0, shape[k] + 1)) for k in range(rank)]
    kept = rank - len(batching) - len(dropped)
    offsets = sorted(int(k) for k in rng.permutation(lead + kept)[:kept])
    numbers = tuple(map(tuple, (offsets, dropped, mapped, batching, paired)))
    return rng.normal(size=shape), rng.integers(-2, 6, (*batch, len(mapped))), numbers, tuple(extents)


def entries(x, starts, numbers, extents, mode):
    """For each entry of the result its index there, and that in x (None if it has none)."""
    offsets, dropped, mapped, batching, paired = numbers
    kept = [k for k in range(x.ndim) if k not in (*dropped, *batching)]
    rank = starts.ndim - 1 + len(kept)
    for b in np.ndindex(starts.shape[:-1]):
        start = dict.fromkeys(range(x.ndim), 0)
        start.update({a: int(s) for a, s in zip(mapped, starts[b], strict=True)})
        if mode == "clip":
            start = {a: min(max(s, 0), x.shape[a] - extents[a]) for a, s in start.items()}
        start.update({a: b[k] for a, k in zip(batching, paired, strict=True)})
        inside = all(0 <= start[a] <= x.shape[a] - extents[a] for a in range(x.ndim))
        for w in itertools.product(*(range(extents[k]) for k in kept)):
            windows, rest = iter(w), iter(b)
            place = tuple(next(windows) if k in offsets else next(rest) for k in range(rank))
            offset = dict(zip(kept, w, strict=True))
            yield place, tuple(start[a] + offset.get(a, 0) for a in range(x.ndim)) if inside else None


def result_shape(starts, numbers, extents):
    batch = iter(starts.shape[:-1])
    sizes = iter([n for k, n in enumerate(extents) if k not in (*numbers[1], *numbers[3])])
    rank = starts.ndim - 1 + len(numbers[0])
    return tuple(next(sizes) if k in numbers[0] else next(batch) for k in range(rank))


@pytest.mark.parametrize("seed", range(60))
@pytest.mark.parametrize("mode", ["clip", "fill"])
def test_gather(seed, mode):
    x, starts, numbers, extents = random_case(seed)
    wanted = np.full(result_shape(starts, numbers, extents), -7.0)
    for place, source in entries(x, starts, numbers, extents, mode):
        wanted[place] = -7.0 if source is None else x[source]

    def f(x, starts):
        return lax.gather(x, starts, lax.GatherDimensionNumbers(*numbers), extents, mode=mode, fill_value=-7.0)

    assert_array_equal(f(x, starts), wanted)
    assert_array_equal(xform.make_jaxpr(f)(x, starts)(x, starts)[0], wanted)
    weights = rng.normal(size=wanted.shape)
    expected = np.zeros(x.shape)
    for place, source in entries(x, starts, numbers, extents, mode):
        if source is not None:
            expected[source] += weights[place]
    gradient = xform.grad(lambda x: (f(x, starts) * weights).sum())(x)
    assert_allclose(gradient, expected, atol=1e-12)


@pytest.mark.parametrize("seed", range(60))
@pytest.mark.parametrize("mode", ["clip", "drop"])
@pytest.mark.parametrize(
    "name, change",
    [
        ("scatter", lambda old, v: v),
        ("scatter_add", np.add),
        ("scatter_sub", np.subtract),
        ("scatter_mul", np.multiply),
        ("scatter_min", np.minimum),
        ("scatter_max", np.maximum),
    ],
)
def test_scatters(seed, mode, name, change):
    x, starts, numbers, extents = random_case(seed)
    v = rng.normal(size=result_shape(starts, numbers, extents))
    wanted, written = x.copy(), {}
    for place, target in entries(x, starts, numbers, extents, mode):
        if target is not None:
            wanted[target] = change(wanted[target], v[place])
            written.setdefault(target, []).append(v[place])

    def f(x, starts, v):
        return getattr(lax, name)(x, starts, v, lax.ScatterDimensionNumbers(*numbers), mode=mode)

    out = f(x, starts, v)
    if name == "scatter":  # where windows overlap, any of their updates may stay
        assert all(out[i] in written.get(i, [x[i]]) for i in np.ndindex(x.shape))
    else:
        assert_allclose(out, wanted, atol=1e-12)
    assert_allclose(xform.make_jaxpr(f)(x, starts, v)(x, starts, v)[0], out, atol=1e-12)


@pytest.mark.parametrize("seed", [3, 11, 22, 37])
@pytest.mark.parametrize("mode", ["clip", "drop"])
@pytest.mark.parametrize("name", ["scatter", "scatter_add", "scatter_sub", "scatter_mul", "scatter_min", "scatter_max"])
def test_derivatives_of_scatters(seed, mode, name):
    x, starts, numbers, extents = random_case(seed)
    v = rng.normal(size=result_shape(starts, numbers, extents))
    check_grads(
        lambda x, v: getattr(lax, name)(x, starts, v, lax.ScatterDimensionNumbers(*numbers), mode=mode), (x, v), order=1
    )


@pytest.mark.parametrize("mode", [None, "clip", "fill"])
@pytest.mark.parametrize("in_axes", [(0, 0), (0, None), (None, 0)])
def test_vmap_is_a_loop(mode, in_axes):
    x, i = rng.normal(size=(3, 4, 2)), rng.integers(0, 4 if mode is None else 9, (3, 5, 1))
    x, i = x[0] if in_axes[0] is None else x, i[0] if in_axes[1] is None else i

    def read(x, i):
        return lax.gather(x, i, ROWS, (1, 2), mode=mode)

    def write(x, i):
        return lax.scatter_add(
            x,
            i,
            np.ones((5, 2)),
            lax.ScatterDimensionNumbers((1,), (0,), (0,)),
            mode=mode if mode != "fill" else "drop",
        )

    for f in (read, write):
        wanted = [f(x if in_axes[0] is None else x[k], i if in_axes[1] is None else i[k]) for k in range(3)]
        assert_allclose(xform.vmap(f, in_axes)(x, i), np.stack(wanted))


def test_the_last_write_stays():
    i, v = np.array([[1], [0], [1]]), np.array([5.0, 6.0, 7.0])
    assert_array_equal(lax.scatter(np.zeros(3), i, v, ENTRIES), [6, 7, 0])
    assert_array_equal(xform.grad(lambda v: lax.scatter(np.zeros(3), i, v, ENTRIES)[1])(v), [0, 0, 1])


@pytest.mark.parametrize("dtype, blank", [(float, np.nan), (np.int8, -128), (np.uint8, 255), (bool, True)])
def test_default_fill_values(dtype, blank):
    y = lax.gather(np.zeros((2, 1), dtype), np.array([[5]]), ROWS, (1, 1), mode=lax.GatherScatterMode.FILL_OR_DROP)
    assert y.dtype == dtype
    assert_array_equal(y, [[blank]])


def test_a_window_outside_raises_by_default():
    x = np.arange(6.0).reshape(3, 2)
    for mode in (None, "promise_in_bounds", lax.GatherScatterMode.PROMISE_IN_BOUNDS):
        with says(IndexError, "gather", "size 1", "start at 3", "axis 0", "0 <= start <= 2", "mode='clip'"):
            lax.gather(x, np.array([[0], [3]]), ROWS, (1, 2), mode=mode)
    with says(IndexError, "scatter_add", "start at -1", "does not count from the end", "'drop'"):
        lax.scatter_add(np.zeros(3), np.array([[-1]]), np.ones(1), ENTRIES)
    staged = xform.make_jaxpr(lambda i: lax.gather(x, i, ROWS, (1, 2)))(np.array([[0]]))
    assert_array_equal(staged(np.array([[2]]))[0], x[[2]])
    for start in (-1, 3):
        with says(IndexError, "out of bounds", "axis 0"):
            staged(np.array([[start]]))
    with says(IndexError, "start at 3"):
        xform.vmap(lambda i: lax.gather(x, i, ROWS, (1, 2)))(np.array([[[0]], [[3]]]))


def test_index_dtypes():
    x = np.arange(6.0).reshape(3, 2)
    for dtype in (np.uint8, np.int32, np.uint64):
        assert_array_equal(lax.gather(x, np.array([[2]], dtype), ROWS, (1, 2)), x[[2]])


def test_scatter_apply_applies_for_each_window():
    x, i = np.array([0.5, 2.0, 3.0]), np.array([[1], [1], [0]])
    wanted = np.array([np.sin(0.5), np.sin(np.sin(2.0)), 3.0])

    def f(x, **options):
        return lax.scatter_apply(x, i, np.sin, ENTRIES, update_shape=(3,), **options)

    assert_allclose(f(x), wanted)
    check_grads(f, (x,), order=2)
    assert_allclose(xform.vmap(f)(np.stack([x, 2 * x]))[0], wanted)
    assert_allclose(f(x, unique_indices=True)[:2], np.sin(x[:2]))
    far = lax.scatter_apply(x, np.array([[7], [1]]), np.sin, ENTRIES, update_shape=(2,), mode="drop")
    assert_allclose(far, [0.5, np.sin(2.0), 3.0])
    with says(TypeError, "scatter_apply", "unique_indices=True"):
        xform.make_jaxpr(lambda i: lax.scatter_apply(x, i, np.sin, ENTRIES, update_shape=(3,)))(i)


def test_index_take():
    x = rng.normal(size=(3, 4, 5))
    i, j = np.array([0, -1, 2, 5]), np.array([3, 3, -2, 0])
    assert_array_equal(lax.index_take(x, (i, j), (0, 2)), x[i % 3, :, j % 5])
    assert_array_equal(lax.index_take(x, (j, i), (2, 0)), x[i % 3, :, j % 5])
    check_grads(lambda x: lax.index_take(x, (i,), (1,)), (x,), order=1)
    with says(ValueError, "index_take", "[(4,), (2,)]", "one vector for each axis"):
        lax.index_take(x, (i, j[:2]), (0, 1))
    with says(TypeError, "index_take", "float64"):
        lax.index_take(x, (i * 1.0,), (0,))
    with says(IndexError, "index_take", "(0, 2)"):
        lax.index_take(np.ones((0, 2)), (i,), (0,))


def test_updates_must_fit_the_dtype():
    i = np.array([[0]])
    assert lax.scatter(np.zeros(2, np.float32), i, np.ones(1), ENTRIES).dtype == np.float32
    with says(TypeError, "float64", "int64", "astype"):
        lax.scatter(np.zeros(2, int), i, np.ones(1), ENTRIES)


def test_empty_operands():
    none = np.zeros((0, 1), int)
    assert lax.gather(
        np.zeros((0, 2)), none, ROWS._replace(collapsed_slice_dims=(), offset_dims=(1, 2)), (0, 2)
    ).shape == (
        0,
        0,
        2,
    )
    assert_array_equal(lax.scatter_add(np.ones(2), none, np.zeros(0), ENTRIES), [1, 1])


def test_bad_dimension_numbers():
    x, i = np.ones((3, 2)), np.array([[0]])
    with says(TypeError, "gather", "GatherDimensionNumbers"):
        lax.gather(x, i, ENTRIES, (1, 2))
    with says(TypeError, "scatter", "ScatterDimensionNumbers"):
        lax.scatter(x, i, np.ones((1, 2)), ROWS)
    with says(ValueError, "slice_sizes", "at least 0", "2 axes"):
        lax.gather(x, i, ROWS, (1,))
    with says(ValueError, "windows of sizes (2, 2)", "along axis 0", "1, for axis 0 has no axis in a window"):
        lax.gather(x, i, ROWS, (2, 2))
    with says(ValueError, "windows of sizes (1, 3)", "along axis 1 at most 2"):
        lax.gather(x, i, ROWS, (1, 3))
    with says(ValueError, "start_index_map=(0,)", "each of the 2 numbers"):
        lax.gather(x, np.array([[0, 0]]), ROWS, (1, 2))
    with says(ValueError, "offset_dims=()", "wanted 1 axes"):
        lax.gather(x, i, ROWS._replace(offset_dims=()), (1, 2))
    with says(ValueError, "offset_dims=(2, 1)", "ascending"):
        lax.gather(x, i, lax.GatherDimensionNumbers((2, 1), (), (0,)), (1, 2))
    with says(ValueError, "operand_batching_dims=(0,)", "start_indices_batching_dims=(0,)", "same sizes"):
        lax.gather(x, i, lax.GatherDimensionNumbers((1,), (), (1,), (0,), (0,)), (1, 2))
    with says(ValueError, "start_index_map=(0,)", "operand_batching_dims=(0,)", "different axes"):
        lax.gather(np.ones((1, 2)), i, lax.GatherDimensionNumbers((1,), (), (0,), (0,), (0,)), (1, 2))
    with says(ValueError, "collapsed_slice_dims", "2 dimensions"):
        lax.gather(x, i, ROWS._replace(collapsed_slice_dims=(2,)), (1, 2))
    with says(ValueError, "scatter_mul", "updates of shape (2,)", "other sizes (2,)", "wanted (1,)"):
        lax.scatter_mul(np.ones(3), i, np.ones(2), ENTRIES)
    with says(TypeError, "float64", "integers", "astype(int)"):
        lax.gather(x, i * 1.0, ROWS, (1, 2))
    with says(ValueError, "shape ()", "i[..., None]"):
        lax.gather(x, 0, ROWS, (1, 2))
    with says(ValueError, "mode='wrap'", "'clip'"):
        lax.gather(x, i, ROWS, (1, 2), mode="wrap")
