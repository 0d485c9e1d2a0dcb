"""`associative_scan` against a Python loop, its derivatives, its depth, and what it refuses."""

import itertools

import numpy as np
import pytest

import xform
from tests.messages import says
from tests.numeric import assert_same
from xform import lax
from xform.testing import check_grads, check_vmap

rng = np.random.default_rng(0)


def affine(f, g):
    """x -> g(f(x)) for affine maps (a, b): x -> a x + b."""
    (a, b), (c, d) = f, g
    return a * c, c * b + d


def products(A, B):
    return A @ B


def looped(fn, xs):
    return np.stack(list(itertools.accumulate(xs, fn)))


def probability_of_either(a, b):
    return a + b - a * b


def name(fn):
    return fn.__name__


LENGTHS = [0, 1, 2, 3, 4, 5, 7, 8, 9, 16, 31]


@pytest.mark.parametrize("n", LENGTHS)
@pytest.mark.parametrize("fn", [np.add, np.multiply, np.maximum, probability_of_either], ids=name)
def test_prefixes_of_a_vector(n, fn):
    x = rng.uniform(0.5, 1.5, n)
    wanted = looped(fn, x) if n else x
    y = lax.associative_scan(fn, x)
    assert_same(y, wanted, 1e-14)
    assert_same(xform.make_jaxpr(lambda x: lax.associative_scan(fn, x))(x)(x)[0], y, 0.0)
    backwards = looped(fn, x[::-1])[::-1] if n else x
    assert_same(lax.associative_scan(fn, x, reverse=True), backwards, 1e-14)


@pytest.mark.parametrize("n", LENGTHS)
@pytest.mark.parametrize("reverse", [False, True])
def test_operations_that_do_not_commute(n, reverse):
    A = rng.normal(size=(n, 2, 2))
    rows = list(itertools.accumulate(A[::-1] if reverse else A, products))
    wanted = np.stack(rows[::-1] if reverse else rows) if n else A
    assert_same(lax.associative_scan(products, A, reverse=reverse), wanted, 1e-13)


@pytest.mark.parametrize("axis", [0, 1, 2, -1])
def test_along_any_axis(axis):
    x = rng.normal(size=(3, 4, 5))
    assert_same(lax.associative_scan(np.add, x, axis=axis), np.cumsum(x, axis), 1e-14)
    assert_same(lax.associative_scan(np.add, x, True, axis), np.flip(np.cumsum(np.flip(x, axis), axis), axis), 1e-14)


@pytest.mark.parametrize("dtype", [np.float32, np.int8, np.complex64, bool])
def test_dtypes_are_kept(dtype):
    x = rng.integers(0, 2, 11).astype(dtype)
    assert_same(
        lax.associative_scan(np.logical_xor if dtype is bool else np.add, x),
        looped(lambda a, b: np.bitwise_xor(a, b) if dtype is bool else a + b, x),
        0.0,
    )


@pytest.mark.parametrize("n", [1, 2, 5, 8])
def test_trees(n):
    """The recurrence y_i = a_i y_{i-1} + b_i by composition of affine maps; leaves of different ranks."""
    a, b = rng.normal(size=(n, 1)), rng.normal(size=(n, 3))
    y, wanted = np.zeros(3), []
    for a_i, b_i in zip(a, b, strict=True):
        y = a_i * y + b_i
        wanted.append(y)
    assert_same(lax.associative_scan(affine, (a, b))[1], np.stack(wanted), 1e-14)
    named = lax.associative_scan(lambda f, g: {"b": g["b"] * f["a"] + f["b"], "a": f["a"] * g["a"]}, {"a": a, "b": b})
    assert list(named) == ["a", "b"]
    assert_same(named["a"], np.cumprod(a, 0), 1e-14)


@pytest.mark.parametrize("n", [0, 1, 2, 5, 8])
@pytest.mark.parametrize("reverse", [False, True])
def test_derivatives(n, reverse):
    a, b = rng.normal(size=n), rng.normal(size=n)
    check_grads(lambda a, b: lax.associative_scan(affine, (a, b), reverse=reverse), (a, b), order=2)


def test_derivatives_of_matrix_products_along_the_last_axis():
    A = rng.normal(size=(2, 2, 5))
    check_grads(lambda A: lax.associative_scan(lambda A, B: np.einsum("ijn,jkn->ikn", A, B), A, axis=-1), (A,), order=1)


def test_map_over_a_batch():
    a, b = rng.normal(size=(4, 7)), rng.normal(size=(4, 7))
    check_vmap(lambda a, b: lax.associative_scan(affine, (a, b)), (a, b))
    check_vmap(lambda b: lax.associative_scan(affine, (a[0], b)), (b,))
    check_vmap(lambda a: lax.associative_scan(np.add, a, axis=1), (rng.normal(size=(3, 2, 5)),), in_axes=2)


def test_infinities_and_nan_stay_in_their_places():
    x = np.array([1.0, np.inf, 2.0, np.nan, 3.0])
    np.testing.assert_array_equal(lax.associative_scan(np.add, x), [1.0, np.inf, np.inf, np.nan, np.nan])
    np.testing.assert_array_equal(lax.associative_scan(np.fmin, x), [1.0] * 5)


def test_the_depth_is_logarithmic():
    calls = []

    def counted(a, b):
        calls.append(a.shape[0])
        return a + b

    lax.associative_scan(counted, np.ones(1000))
    assert len(calls) <= 2 * 10
    assert sum(calls) < 2 * 1000


@pytest.mark.parametrize(
    "call, error, words",
    [
        (lambda: lax.associative_scan(3, np.ones(2)), TypeError, ["int 3", "function"]),
        (lambda: lax.associative_scan(np.add, []), ValueError, ["associative_scan", "without arrays"]),
        (lambda: lax.associative_scan(np.add, 1.0), np.exceptions.AxisError, ["associative_scan", "with axes"]),
        (lambda: lax.associative_scan(np.add, np.ones(2), axis=1), np.exceptions.AxisError, ["1", "from -1 to 0"]),
        (lambda: lax.associative_scan(affine, (np.ones(2), np.ones(3))), ValueError, ["affine", "[(2,), (3,)]"]),
        (lambda: lax.associative_scan(lambda a, b: (a, b), np.ones(3)), TypeError, ["<lambda>", "PyTreeDef"]),
        (lambda: lax.associative_scan(lambda a, b: a[:1], np.ones(5)), ValueError, ["result", "(1,)", "(2,)"]),
        (
            lambda: lax.associative_scan(lambda a, b: {"x": a["x"].sum()}, {"x": np.ones(5)}),
            ValueError,
            ["['x']", "()"],
        ),
        (lambda: lax.associative_scan(lambda a, b: a + 0.5 * b, np.arange(5)), TypeError, ["float64", "int64"]),
        (lambda: lax.associative_scan(lambda a, b: "no", np.ones(2)), TypeError, ["its result", "str 'no'"]),
        (lambda: lax.associative_scan(np.add, ["ab"]), TypeError, ["the elements", "[0]", "str 'ab'"]),
    ],
)
def test_bad_input(call, error, words):
    with says(error, *words):
        call()
