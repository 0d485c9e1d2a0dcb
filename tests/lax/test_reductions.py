"""Reductions, running operations, generic folds and their windows against NumPy and loops."""

import functools
import itertools

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import xform
from tests.messages import says
from xform import lax
from xform.testing import check_grads

rng = np.random.default_rng(3)
UFUNCS = {
    "reduce_sum": np.add,
    "reduce_prod": np.multiply,
    "reduce_max": np.maximum,
    "reduce_min": np.minimum,
    "reduce_and": np.bitwise_and,
    "reduce_or": np.bitwise_or,
    "reduce_xor": np.bitwise_xor,
}
NUMERIC = ["reduce_sum", "reduce_prod", "reduce_max", "reduce_min"]


@pytest.mark.parametrize("name", UFUNCS)
@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.complex128, np.int64, np.int8, np.uint8, np.bool_])
@pytest.mark.parametrize("axes", [(), (0,), (2, 0), (-1,), (0, 1, 2)])
def test_reductions_keep_the_dtype(name, dtype, axes):
    f, x = getattr(lax, name), rng.integers(0, 5, (2, 3, 4)).astype(dtype)
    allowed = "iub" if name not in NUMERIC else "fciub" if name in ("reduce_max", "reduce_min") else "fciu"
    if x.dtype.kind not in allowed:
        with says(TypeError, name, "was given, wanted"):
            f(x, axes)
        return
    y = f(x, axes)
    assert y.dtype == dtype
    assert_allclose(y, UFUNCS[name].reduce(x, axis=axes, dtype=dtype))
    assert_array_equal(xform.make_jaxpr(lambda x: f(x, axes))(x)(x)[0], y)
    assert_array_equal(xform.vmap(lambda x: f(x, axes))(np.stack([x, x]))[1], y)


@pytest.mark.parametrize("name", NUMERIC)
def test_derivatives_of_reductions(name):
    x = rng.normal(size=(2, 3, 4))
    check_grads(lambda x: getattr(lax, name)(x, (0, 2)), (x,), order=2)


def test_the_extreme_of_nothing_is_the_identity():
    for dtype, most, least in ((float, np.inf, -np.inf), (np.int8, 127, -128), (bool, True, False)):
        x = np.zeros((0, 2), dtype)
        assert_array_equal(lax.reduce_max(x, (0,)), np.array([least] * 2, dtype))
        assert_array_equal(lax.reduce_min(x, (0,)), np.array([most] * 2, dtype))
    assert_array_equal(lax.reduce_and(np.zeros((2, 0), np.uint8), (1,)), np.full(2, 255, np.uint8))
    assert lax.reduce_sum(np.zeros(0), (0,)) == 0


def test_arg_extremes():
    x = np.array([[1.0, np.nan, 5.0], [3.0, 3.0, -1.0]])
    for axis in (0, 1, -1):
        assert_array_equal(lax.argmax(x, axis, np.int32), np.argmax(x, axis))
        assert_array_equal(lax.argmin(x, axis, np.int32), np.argmin(x, axis))
    assert lax.argmax(x, 1, np.uint8).dtype == np.uint8
    assert_array_equal(xform.vmap(lambda r: lax.argmin(r, 0, int))(x), np.argmin(x, 1))
    assert_array_equal(xform.grad(lambda x: x[lax.argmax(x, 0, int)])(np.array([1.0, 2.0])), [0, 1])


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize(
    "name, ufunc",
    [
        ("cumsum", np.add),
        ("cumprod", np.multiply),
        ("cummax", np.maximum),
        ("cummin", np.minimum),
        ("cumlogsumexp", np.logaddexp),
    ],
)
def test_running_operations(name, ufunc, reverse):
    f = getattr(lax, name)
    for dtype in (np.float64, np.float32, np.int64)[: 2 if name == "cumlogsumexp" else 3]:
        x = rng.integers(-3, 4, (2, 5, 3)).astype(dtype)
        way = slice(None, None, -1 if reverse else 1)
        y = f(x, 1, reverse)
        assert y.dtype == dtype
        assert_allclose(y, ufunc.accumulate(x[:, way], axis=1, dtype=dtype)[:, way], rtol=1e-5)
        assert_array_equal(f(x, -2, reverse=reverse), y)
        assert_array_equal(xform.make_jaxpr(lambda x: f(x, 1, reverse))(x)(x)[0], y)
        assert_array_equal(xform.vmap(lambda x: f(x, 0, reverse))(x), y)
    check_grads(lambda x: f(x, 1, reverse), (rng.normal(size=(2, 4)),), order=2)


def quantified(a, b):
    """(a, b) o (c, d) = (a c, a d + b): composition of affine maps, associative but not commutative."""
    return a[0] * b[0], a[0] * b[1] + a[1]


@pytest.mark.parametrize("n", [0, 1, 2, 3, 7, 8, 13])
def test_reduce_combines_neighbours_in_their_order(n):
    a, b = rng.normal(size=(n, 2)), rng.normal(size=(n, 2))

    def f(a, b):
        return lax.reduce((a, b), (2.0, 3.0), quantified, (0,))

    wanted = functools.reduce(quantified, zip(a, b, strict=True), (np.full(2, 2.0), np.full(2, 3.0)))
    assert_allclose(f(a, b), wanted)
    check_grads(f, (a, b), order=1)
    assert_allclose(xform.make_jaxpr(f)(a, b)(a, b), wanted)
    assert_allclose(xform.vmap(f, 1)(a[..., None], b[..., None])[0][:, 0], wanted[0])


@pytest.mark.parametrize(
    "computation, name, init, neutral",
    [
        (lax.add, "add", 5.0, 0.0),
        (lambda a, b: b + a, "add", 5.0, 0.0),
        (np.multiply, "multiply", 5.0, 1.0),
        (lax.max, "maximum", 0.5, -np.inf),
        (np.minimum, "minimum", 0.5, np.inf),
    ],
)
def test_reduce_recognises_primitives(computation, name, init, neutral):
    x, ufunc = rng.normal(size=(3, 4, 2)), getattr(np, name)
    for start in (init, neutral):
        y = lax.reduce(x, start, computation, (2, 0))
        assert_allclose(y, ufunc(start, ufunc.reduce(x, axis=(0, 2))))
        if np.isfinite(start):
            check_grads(lambda x, v: lax.reduce(x, v, computation, (0, 2)), (x, start), order=1)
    assert_array_equal(lax.reduce(np.zeros((0, 2)), init, computation, (0,)), [init] * 2)
    assert len(xform.make_jaxpr(lambda x: lax.reduce(x, neutral, computation, (0, 1, 2)))(x).eqns) == 1


@pytest.mark.parametrize("name", ["bitwise_and", "bitwise_or", "bitwise_xor", "logical_and", "logical_or"])
def test_reduce_of_bits(name):
    ufunc = getattr(np, name)
    for x, init in ((rng.integers(0, 16, (3, 5)), 6), (rng.integers(0, 2, (3, 5)) > 0, True)):
        if x.dtype == bool or name.startswith("bitwise"):
            assert_array_equal(lax.reduce(x, init, ufunc, (1,)), ufunc(init, ufunc.reduce(x, axis=1)))


def test_reduce_is_of_numbers_however_it_is_written():
    """A computation that would mean something else on arrays."""
    x = rng.normal(size=(4, 3))
    y = lax.reduce(x, 0.0, lambda a, b: np.sum(np.stack([a, b])), (0,))
    assert_allclose(y, x.sum(axis=0))


def test_reduce_closes_over_traced_values():
    x = np.array([1.0, 2.0, 3.0])
    f = lambda c: lax.reduce(x, 0.0, lambda a, b: a + b + c * a * b, (0,))  # noqa: E731  # closes over x
    check_grads(f, (0.3,), order=2)


def test_promotion_of_initial_values():
    assert lax.reduce(np.ones(3, np.float32), 0, lax.add, (0,)).dtype == np.float32
    assert lax.reduce(np.ones(3, np.float32), np.float64(0), lax.add, (0,)).dtype == np.float64
    assert lax.reduce_window(np.ones(3, int), -np.inf, lax.max, (2,)).dtype == np.float64


def windows_by_loops(x, init, f, size, strides, pads, base, dilation):
    """The definition: init, and then the entries of x in each window, in C order."""
    shape = [max(0, (n - 1) * b + 1 if n else 0) + sum(p) for n, b, p in zip(x.shape, base, pads, strict=True)]
    counts = [max(0, (n - (w - 1) * d - 1) // s + 1) for n, w, d, s in zip(shape, size, dilation, strides, strict=True)]
    out = np.empty(counts, x.dtype)

    def entries(places):
        for place in places:
            found = [divmod(i - p[0], b) for i, p, b in zip(place, pads, base, strict=True)]
            if all(r == 0 and 0 <= k < n for (k, r), n in zip(found, x.shape, strict=True)):
                yield x[tuple(k for k, _ in found)]

    for t in np.ndindex(*counts):
        places = itertools.product(
            *(range(a * s, a * s + w * d, d) for a, s, w, d in zip(t, strides, size, dilation, strict=True))
        )
        out[t] = functools.reduce(f, entries(places), init)
    return out


WINDOWS = [
    ((), (), (), [], (), ()),
    ((7,), (3,), (1,), [(0, 0)], (1,), (1,)),
    ((40,), (13,), (1,), [(12, 0)], (1,), (1,)),
    ((30,), (7,), (2,), [(3, -2)], (1,), (3,)),
    ((5,), (2,), (1,), [(1, 2)], (3,), (2,)),
    ((5,), (2,), (2,), [(-4, 1)], (2,), (1,)),
    ((3,), (4,), (1,), [(0, 0)], (1,), (1,)),
    ((2,), (2,), (1,), [(-3, -3)], (3,), (1,)),
    ((0, 3), (2, 2), (1, 1), [(1, 1), (0, 0)], (1, 1), (1, 1)),
    ((6, 5), (2, 3), (2, 1), [(0, 1), (1, 1)], (1, 2), (2, 1)),
    ((2, 9, 9, 1), (1, 3, 2, 1), (1, 2, 2, 1), [(0, 0), (1, 1), (0, 1), (0, 0)], (1, 1, 1, 1), (1, 1, 1, 1)),
]


@pytest.mark.parametrize("shape, size, strides, pads, base, dilation", WINDOWS)
@pytest.mark.parametrize(
    "init, f",
    [
        *((0.0, np.add), (-np.inf, np.maximum), (np.inf, np.minimum), (1.0, np.multiply)),
        *((2.0, np.add), (0.25, np.maximum), (-3.0, np.multiply)),
    ],
)
def test_reduce_window(shape, size, strides, pads, base, dilation, init, f):
    x = rng.normal(size=shape)

    def g(x):
        return lax.reduce_window(x, init, f, size, strides, pads, base, dilation)

    wanted = windows_by_loops(x, init, f, size, strides, pads, base, dilation)
    assert lax.reduce_window_shape_tuple(shape, size, strides, pads, base, dilation) == wanted.shape
    assert_allclose(g(x), wanted, atol=1e-12)
    assert_allclose(xform.make_jaxpr(g)(x)(x)[0], wanted, atol=1e-12)
    assert_allclose(xform.vmap(g)(np.stack([x, 2 * x]))[1], g(2 * x), atol=1e-12)
    finite = np.isfinite(wanted)
    check_grads(lambda x: np.where(finite, g(x), 0.0), (x,), order=1)


@pytest.mark.parametrize("shape, size, strides, pads, base, dilation", WINDOWS)
def test_reduce_window_of_any_computation(shape, size, strides, pads, base, dilation):
    """Associative, not commutative: the digits of a window in C order, written in base 10."""
    x = rng.integers(1, 9, shape)
    initial = (10, 7)  # not neutral: a digit in front

    def join(a, b):
        return a[0] * b[0] % 9973, (a[1] * b[0] + b[1]) % 9973

    def g(x):
        return lax.reduce_window((10 + 0 * x, x), initial, join, size, strides, pads, base, dilation)

    pairs = np.empty(shape, object)
    for i in np.ndindex(shape):
        pairs[i] = (10, int(x[i]))
    wanted = windows_by_loops(pairs, initial, join, size, strides, pads, base, dilation)
    for k in (0, 1):
        expected = np.array([w[k] for w in wanted.ravel()], int).reshape(wanted.shape)
        assert_array_equal(g(x)[k], expected)


def test_of_equal_extremes_in_a_window_the_first_has_the_derivative():
    x = np.array([[1.0, 3.0, 3.0], [3.0, 2.0, 0.0], [1.0, 1.0, 3.0]])
    whole = xform.grad(lambda x: lax.reduce_window(x, -np.inf, lax.max, (3, 3)).sum())(x)
    assert_array_equal(whole, [[0, 1, 0], [0, 0, 0], [0, 0, 0]])
    small = xform.grad(lambda x: lax.reduce_window(x, np.inf, lax.min, (2, 2)).sum())(x)
    assert_array_equal(small, [[1, 0, 0], [0, 0, 2], [1, 0, 0]])
    y = lax.reduce_window(np.array([1.0, np.nan, 2.0, 3.0]), -np.inf, lax.max, (2,))
    assert_array_equal(y, [np.nan, np.nan, 3])
    value, _ = xform.value_and_grad(lambda x: lax.reduce_window(x, -np.inf, lax.max, (2,))[0])(np.array([1.0, np.nan]))
    assert np.isnan(value)


@pytest.mark.parametrize("padding", ["SAME", "SAME_LOWER", "VALID", "same"])
def test_named_paddings_of_windows(padding):
    x = rng.normal(size=(7, 8))
    pads = lax.padtype_to_pads((7, 8), (3, 4), (2, 3), padding)
    y = lax.reduce_window(x, 0.0, lax.add, (3, 4), (2, 3), padding)
    assert_allclose(y, lax.reduce_window(x, 0.0, lax.add, (3, 4), (2, 3), pads))
    if padding != "VALID":
        assert y.shape == (4, 3)


def test_the_initial_value_has_a_derivative():
    x, v = np.array([2.0, 3.0]), 1.5
    for computation in (lax.mul, lax.max, lambda a, b: a + b + a * b):
        f = functools.partial(
            lax.reduce_window, computation=computation, window_dimensions=(2,), padding=[(1, 1)], base_dilation=(2,)
        )
        check_grads(f, (x, v), order=1)
    assert xform.grad(lambda v: lax.reduce_window(x, v, lax.add, (2,))[0])(0.0) == 1


def test_large_windows_take_logarithmically_many_steps():
    x = np.zeros(1000)
    program = xform.make_jaxpr(lambda x: lax.reduce_window(x, -np.inf, lax.max, (500,)))(x)
    assert len(program.eqns) < 100


def test_bad_axes_and_dtypes():
    x = np.ones((2, 3))
    with says(ValueError, "reduce_sum", "axes", "2 dimensions", "-2 to 1"):
        lax.reduce_sum(x, (2,))
    with says(ValueError, "reduce_max", "twice"):
        lax.reduce_max(x, (0, -2))
    with says(TypeError, "reduce_sum", "booleans", "astype(int)"):
        lax.reduce_sum(x > 0, (0,))
    with says(TypeError, "cumsum", "booleans"):
        lax.cumsum(x > 0)
    with says(TypeError, "reduce_or", "float64", "integers"):
        lax.reduce_or(x, (0,))
    with says(TypeError, "argmax", "index_dtype=float32"):
        lax.argmax(x, 0, np.float32)
    with says(ValueError, "argmin", "empty"):
        lax.argmin(np.ones((0, 2)), 0, int)
    with says(ValueError, "cummax", "2 dimensions"):
        lax.cummax(x, 2)
    with says(TypeError, "cumlogsumexp", "floating-point"):
        lax.cumlogsumexp(np.arange(3))


def test_bad_folds():
    x = np.ones((2, 3))
    with says(ValueError, "reduce", "structure", "same for both"):
        lax.reduce((x, x), 0.0, lax.add, (0,))
    with says(ValueError, "reduce", "[(2, 3), (3,)]", "one shape"):
        lax.reduce((x, x[0]), (0.0, 0.0), lambda a, b: a, (0,))
    with says(ValueError, "initial values of shapes [(3,)]", "numbers"):
        lax.reduce(x, np.zeros(3), lax.add, (0,))
    with says(TypeError, "reduce by `", "test_reductions.py", "structure"):
        lax.reduce(x, 0.0, lambda a, b: (a, b), (0,))
    with says(TypeError, "two f64[] returned bool[]", "wanted f64[] again"):
        lax.reduce(x, 0.0, lambda a, b: a < b, (0,))
    with says(TypeError, "returned f64[2]", "wanted f64[] again"):
        lax.reduce(x, 0.0, lambda a, b: np.stack([a, b]), (0,))
    with says(TypeError, "wanted a function"):
        lax.reduce(x, 0.0, 3, (0,))
    with says(ValueError, "reduce", "2 dimensions"):
        lax.reduce(x, 0.0, lax.add, (5,))


def test_bad_windows():
    x = np.ones((4, 4))
    with says(ValueError, "window_dimensions", "at least 1", "2 axes"):
        lax.reduce_window(x, 0.0, lax.add, (2,))
    with says(ValueError, "window_strides=(0, 1)"):
        lax.reduce_window(x, 0.0, lax.add, (2, 2), (0, 1))
    with says(ValueError, "padding='FULL'", "'SAME'"):
        lax.reduce_window(x, 0.0, lax.add, (2, 2), padding="FULL")
    with says(ValueError, "padding", "2 axes", "pair (before, behind)"):
        lax.reduce_window(x, 0.0, lax.add, (2, 2), padding=[(0, 1)])
    with says(ValueError, "'SAME'", "base_dilation=(2, 1)", "pair (before, behind)"):
        lax.reduce_window(x, 0.0, lax.add, (2, 2), None, "SAME", (2, 1))
    with says(ValueError, "padding", "an integer"):
        lax.reduce_window(x, 0.0, lax.add, (2, 2), padding=[(0, 1), (1,)])
