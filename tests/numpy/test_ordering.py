"""Sorting, searching, taking, running sums, differences: as NumPy's on arrays, and differentiable."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import xform
import xform.numpy as xnp
from tests.numpy.agreement import arrays, check_agrees, check_derivatives, check_signature

NAMES = {"ids": lambda f: f.__name__}
ALL = [
    np.sort, np.argsort, np.sort_complex, np.partition, np.argpartition, np.lexsort, np.searchsorted, np.digitize,
    np.take, np.take_along_axis, np.compress, np.extract, np.choose, np.nonzero, np.flatnonzero, np.argwhere,
    np.cumsum, np.cumprod, np.diff, np.ediff1d, np.gradient, np.trapezoid, np.convolve, np.correlate,
]  # fmt: skip
rng = np.random.default_rng(8)
one_axis = st.one_of(st.none(), st.integers(-4, 3))


def spread(*shape):
    """Numbers in a random order, no two of them close."""
    n = int(np.prod(shape))
    return (rng.permutation(n) * 2.6 / max(n, 1) - 1.25).reshape(shape)


@pytest.mark.parametrize("f", ALL, **NAMES)
def test_signatures_are_numpys(f):
    check_signature(getattr(xnp, f.__name__), f)


@pytest.mark.parametrize("name", ["cumulative_sum", "cumulative_prod"])
def test_signatures_of_newer_functions(name):
    if hasattr(np, name):
        check_signature(getattr(xnp, name), getattr(np, name))


# --- sorting and searching ---


@given(a=arrays(), axis=one_axis)
def test_sort(a, axis):
    check_agrees(lambda a: np.sort(a, axis), a)
    check_agrees(lambda a: np.argsort(a, axis, stable=True), a)
    check_agrees(lambda a: np.argsort(a, axis, kind="mergesort"), a)


@given(a=arrays(), axis=one_axis, kth=st.one_of(st.integers(-5, 4), st.lists(st.integers(-2, 2), max_size=3)))
def test_partition(a, axis, kth):
    check_agrees(lambda a: np.partition(a, kth, axis), a)
    check_agrees(lambda a: np.take_along_axis(a, np.argpartition(a, kth, axis), axis)[..., :0], a)


def test_argpartition_points_at_the_partition():
    x = spread(3, 7)
    for kth in (2, -1, [1, 4]):
        for axis in (0, 1, None):
            if axis != 0:
                check_agrees(lambda x, k=kth, a=axis: np.argpartition(x, k, axis=a), x)


@pytest.mark.parametrize("options", [{"kind": "stable"}, {"kind": "heapsort"}, {"kind": "unknown"}, {"stable": True},
                                     {"kind": "stable", "stable": True}, {"order": "name"}])  # fmt: skip
def test_algorithms(options):
    check_agrees(lambda x: np.sort(x, **options), spread(5))
    check_agrees(lambda x: np.argsort(x, **options), spread(5))


@pytest.mark.parametrize("kth", [1.5, True, [], [[1]], "1"])
def test_positions_of_the_wrong_kind(kth):
    for f in (np.partition, np.argpartition):
        check_agrees(lambda x, f=f: f(x, kth), spread(5))
        check_agrees(lambda x, f=f: f(x, 1, kind="unknown"), spread(5))


def test_derivatives_of_rearrangements():
    x = spread(3, 4)
    for axis in (0, 1, -1, None):
        check_derivatives(lambda x, a=axis: np.sort(x * x, a), x)
        check_derivatives(lambda x, a=axis: np.partition(np.exp(x), 1, a), x)
        check_derivatives(lambda x, a=axis: np.take_along_axis(x * x, np.argsort(x, a), a), x)
    check_derivatives(lambda x: np.sort_complex(x) ** 2, spread(4) + 1j * spread(4), order=1)


@pytest.mark.parametrize("dtype", ["int8", "uint16", "int64", "float32", "float64", "complex64", "bool"])
def test_sort_complex(dtype):
    check_agrees(np.sort_complex, np.array([[3, 1, 2], [0, 1, 1]], dtype))


def test_lexsort():
    a, b, c = rng.integers(0, 3, size=(3, 2, 6))
    check_agrees(lambda a, b: np.lexsort((a, b)), a, b)
    check_agrees(lambda a, b, c: np.lexsort((a * 1.0, b, c), axis=0), a, b, c)
    check_agrees(np.lexsort, np.stack([a, b]))
    check_agrees(np.lexsort, np.arange(3.0))
    check_agrees(lambda x: np.lexsort((x, [1.0, 2.0])), np.arange(3.0))
    check_agrees(np.lexsort, np.float64(1))
    check_agrees(lambda x: np.lexsort((x, x), axis=5), np.arange(3.0))


@given(
    a=arrays(["float64", "int64"], special=False),
    v=arrays(["float64", "int8", "float32"]),
    side=st.sampled_from(["left", "right"]),
)
def test_searchsorted(a, v, side):
    a = np.sort(a, axis=-1) if a.ndim else a
    check_agrees(lambda a, v: np.searchsorted(a, v, side), a, v)
    check_agrees(lambda v: np.searchsorted(a, v, side=side), v)


def test_options_of_searchsorted():
    a, v = np.array([2.0, 1.0, 3.0]), np.array([0.5, 2.0])
    for sorter in ([1, 0, 2], [1, 0], [1.0, 0.0, 2.0]):
        check_agrees(lambda a, v, s=sorter: np.searchsorted(a, v, sorter=s), a, v)
    check_agrees(lambda a: np.searchsorted(np.sort(a), 2, side="middle"), a)
    check_agrees(lambda a: np.searchsorted(np.sort(a), [[1, 2]]), a)


@pytest.mark.parametrize(
    "bins", [[1.0, 2.0, 3.0], [3.0, 2.0, 1.0], [1.0, 1.0], [2.0], [], [3.0, 5.0, 1.0], [[1.0, 2.0]]], ids=str
)
def test_digitize(bins):
    for x in (np.array([0.5, 1.0, 2.5, 3.0, 4.0]), np.float64(2), np.array([[1, 2]]), np.array([1j])):
        for right in (False, True):
            check_agrees(lambda x, r=right: np.digitize(x, bins, right=r), x)
            if np.ndim(bins) == 1 and bins != [3.0, 5.0, 1.0]:
                check_agrees(lambda x, b, r=right: np.digitize(x, b, right=r), x, np.asarray(bins))


# --- taking ---

modes = st.sampled_from(["raise", "wrap", "clip"])


@given(a=arrays(), i=arrays(["int64", "int8"], special=False), axis=one_axis, mode=modes)
def test_take(a, i, axis, mode):
    if a.size or not i.size:  # of an empty array NumPy takes what it has not got
        check_agrees(lambda a, i: np.take(a, i, axis, mode=mode), a, i)
        check_agrees(lambda a: np.take(a, i, axis, mode=mode), a)


def test_options_of_take():
    x = spread(3, 4)
    for i in ([], [True, False], [1.0], 2, [[0, -1]], np.array([1], np.uint64)):
        check_agrees(lambda x, i=i: np.take(x, i, axis=1), x)
    for mode in ("unknown", "clip"):
        check_agrees(lambda x, m=mode: np.take(x, [0, 9], mode=m), x)
    check_agrees(lambda x: np.take(x, [0], axis=3), x)
    check_derivatives(lambda x: np.take(x * x, [[0, 2, 2], [1, 0, -1]], axis=1), x)
    check_derivatives(lambda x: np.take(x * x, [11, 0, 3, 0]), x)
    with pytest.raises(TypeError, match="wanted integers"):
        xform.grad(lambda x: xnp.take(np.ones(3), x))(1.0)


ALONG = [
    ([[0], [1], [1]], 1), ([[0, 1, 1, 0]], 0), ([[-1, 1, 1, 0]], -2), ([0, 11], None), ([0], 1), ([[0.0]], 1),
    ([[True]], 1), ([[7]], 1), ([[0], [1]], 1), ([[0]], 5),
]  # fmt: skip


@pytest.mark.parametrize("i, axis", ALONG, ids=str)
def test_take_along_axis(i, axis):
    check_agrees(lambda x: np.take_along_axis(x, np.array(i), axis), spread(3, 4))


def test_derivatives_of_take_along_axis():
    x = spread(3, 4)
    check_derivatives(lambda x: np.take_along_axis(x * x, np.array([[0, 0], [1, 2], [3, 0]]), 1), x)
    check_derivatives(lambda x: np.take_along_axis(x, np.argmax(x, axis=1, keepdims=True), 1), x)


def test_compress_and_extract():
    x = spread(2, 3)
    for condition in ([True, False], [True, False, True], [1, 0, 2], [[True]], [False] * 9, [True] * 9, []):
        for axis in (None, 0, 1, 2):
            check_agrees(lambda x, c=condition, a=axis: np.compress(c, x, a), x)
        check_agrees(lambda x, c=condition: np.extract(c, x), x)
    check_agrees(lambda x: np.extract(x > 0, x), x, doors=["linearize"])
    check_agrees(lambda x: np.compress(x[0] > 0, x, 1), x, doors=["linearize"])
    check_derivatives(lambda x: np.extract(x > 0, x * x), x)
    check_derivatives(lambda x: np.compress([True, False, True], x * x, 1), x)


def test_conditions_that_are_not_known():
    for f in (
        lambda x: np.extract(x > 0, x),
        lambda x: np.nonzero(x)[0],
        np.argwhere,
        lambda x: np.compress(x > 0, x),
    ):
        with pytest.raises(xform.ConcretizationError, match="where"):
            xform.vmap(f)(np.ones((2, 3)))


def test_choose():
    rows = [spread(3), np.float64(10.0)]
    for i in ([0, 1, 0], [[1], [0]], 1, [True, False, True], [0, 2, 0], [-1, 0, 0], [0.0, 1.0, 0.0]):
        for mode in ("raise", "wrap", "clip"):
            check_agrees(lambda *rows, i=i, m=mode: np.choose(i, rows, mode=m), *rows)
    check_agrees(lambda x: np.choose([0, 1], x), np.eye(2))
    check_agrees(lambda x: np.choose(x, []), np.array([0, 1]))
    check_agrees(lambda i: np.choose(i, [[1, 2, 3], 0.5]), np.array([0, 1, 1]))
    check_derivatives(lambda a, b: np.choose([[0, 1, 0], [1, 1, 0]], [a * a, b * b]), *rows)


@given(a=arrays())
def test_nonzero(a):
    for f in (np.nonzero, np.flatnonzero, np.argwhere):
        check_agrees(f, a, doors=["linearize"])


# --- running sums and differences ---


@given(
    f=st.sampled_from([np.cumsum, np.cumprod]), a=arrays(), axis=one_axis, dtype=st.sampled_from([None, "f4", "c16"])
)
def test_running(f, a, axis, dtype):
    if dtype != "f4" or a.dtype.kind != "c":
        check_agrees(lambda a: f(a, axis, dtype), a)


@given(name=st.sampled_from(["cumulative_sum", "cumulative_prod"]), a=arrays(), axis=one_axis, initial=st.booleans())
def test_cumulative(name, a, axis, initial):
    f = getattr(np, name, None)
    if f is not None:
        check_agrees(lambda a: f(a, axis=axis, include_initial=initial), a)


def test_derivatives_of_running_sums_and_products():
    x = spread(3, 4)
    x[1, 1] = 0
    for f in (np.cumsum, np.cumprod):
        for axis in (0, 1, None):
            check_derivatives(lambda x, f=f, a=axis: f(x * x - 0.25, a), x)
    for f in (xnp.cumulative_sum, xnp.cumulative_prod):
        check_derivatives(lambda x, f=f: f(x, axis=1, include_initial=True), x)


borders = st.sampled_from([{}, {"prepend": 0.5}, {"append": 2}, {"prepend": 1, "append": 1.5}])


@given(a=arrays(), n=st.integers(-1, 3), axis=st.integers(-3, 2), options=borders)
def test_diff(a, n, axis, options):
    check_agrees(lambda a: np.diff(a, n, axis, **options), a)


def test_borders_of_diff():
    x = spread(2, 3)
    with pytest.raises(ValueError, match="cannot be joined"):
        xform.linearize(lambda x: np.diff(x, prepend=[1.0, 2.0]), x)
    for border in ([[1.0], [2.0]], np.ones((2, 2)), np.ones((3, 1))):
        check_agrees(lambda x, b=border: np.diff(x, prepend=b), x)
        check_agrees(lambda x, b=border: np.diff(x, append=b, axis=1), x)
    check_derivatives(lambda x, y: np.diff(x * x, 2, 1, prepend=y, append=1.0), x, np.ones((2, 1)))


def test_ediff1d():
    x = spread(2, 3)
    for options in ({}, {"to_end": 1.0}, {"to_begin": [1.0, 2.0]}, {"to_begin": [[1]], "to_end": [3]}, {"to_end": 1j}):
        check_agrees(lambda x, o=options: np.ediff1d(x, **o), x)
        check_agrees(lambda x, o=options: np.ediff1d(x, **o), np.arange(4))
        check_agrees(lambda x, o=options: np.ediff1d(x, **o), np.zeros(0))
    check_derivatives(lambda x, y: np.ediff1d(x * x, to_begin=y), x, np.float64(2))


def test_trapezoid():
    y, x = spread(3, 4), np.array([0.0, 0.5, 2.0, 2.5])
    for axis in (0, 1, -1, 2):
        check_agrees(lambda y, a=axis: np.trapezoid(y, axis=a), y)
        check_agrees(lambda y, a=axis: np.trapezoid(y, dx=0.5, axis=a), y)
    check_agrees(np.trapezoid, y, x)
    check_agrees(lambda y, x: np.trapezoid(y, x, axis=0), y, x[:3])
    check_agrees(np.trapezoid, y, np.broadcast_to(x, (3, 4)).copy())
    check_agrees(np.trapezoid, np.arange(4))
    check_agrees(np.trapezoid, np.zeros((3, 0)))
    check_agrees(np.trapezoid, y, np.ones(3))
    check_derivatives(lambda y, x: np.trapezoid(y * y, x), y, x)
    check_derivatives(lambda y, d: np.trapezoid(y * y, dx=d, axis=0), y, np.float64(0.5))


POSITIONS = np.array([0.0, 0.5, 2.0, 2.5])
SPACINGS = [
    ((), {}), ((2.0,), {}), ((POSITIONS,), {"axis": 1}), ((0.5, POSITIONS), {}), ((POSITIONS[:3], 2), {}),
    ((), {"axis": (1, 0)}), ((), {"axis": -1}), ((1.0, 2.0, 3.0), {}), ((POSITIONS,), {"axis": 0}), ((), {"axis": 2}),
    ((np.ones((2, 2)),), {"axis": 0}), ((np.arange(4),), {"axis": 1}), (([0, 1, 3, 4],), {"axis": 1}),
    ((np.array([3, 1, 2, 0], np.uint8),), {"axis": 1}),
]  # fmt: skip


@pytest.mark.parametrize("edge_order", [1, 2, 3])
@pytest.mark.parametrize("spacings, options", SPACINGS, ids=str)
def test_gradient(spacings, options, edge_order):
    x = spread(3, 4)

    def f(x):
        return np.gradient(x, *spacings, edge_order=edge_order, **options)

    for dtype in ("f8", "f4", "i8", "c16", "u1"):
        check_agrees(f, (4 * x + 6).astype(dtype))
    if edge_order < 3:
        try:
            y = f(x)
        except (ValueError, TypeError):
            return
        for k in range(len(y) if type(y) is tuple else 0):
            check_derivatives(lambda x, k=k: f(np.sin(x))[k], x)


def test_gradient_of_too_few_samples():
    check_agrees(np.gradient, np.ones(1))
    check_agrees(lambda x: np.gradient(x, edge_order=2), np.ones(2))
    check_agrees(np.gradient, np.array([True, False, True]))


@pytest.mark.parametrize("edge_order", [1, 2])
def test_derivatives_of_gradient_in_the_positions(edge_order):
    y, x = spread(5), np.array([0.0, 0.5, 2.0, 2.5, 2.9])
    check_agrees(lambda y, x: np.gradient(y, x, edge_order=edge_order), y, x)
    check_derivatives(lambda y, x: np.gradient(y, x, edge_order=edge_order), y, x)
    check_derivatives(lambda y, x: np.gradient(y, x, edge_order=edge_order), y, np.arange(5.0))
    check_derivatives(lambda y, h: np.gradient(y, h, edge_order=edge_order), y, np.float64(0.3))


@pytest.mark.parametrize("mode", ["full", "same", "valid", 0, 1, 2])
@pytest.mark.parametrize("f", [np.convolve, np.correlate], **NAMES)
def test_convolution(f, mode):
    for m, n in ((4, 3), (3, 4), (1, 1), (5, 1), (4, 4)):
        for dtype in ("f8", "f4", "c16", "i8"):
            x, y = (
                np.asarray(rng.normal(size=k) * 4).astype(dtype) * (1 + 1j if dtype == "c16" else 1) for k in (m, n)
            )
            check_agrees(lambda x, y: f(x, y, mode), x.astype(dtype), y.astype(dtype))
    check_derivatives(lambda x, y: f(x, y, mode), spread(4), spread(3))


def test_convolution_of_what_is_no_vector():
    for f in (np.convolve, np.correlate):
        for x in (np.zeros(0), np.ones((2, 2)), np.float64(2)):
            if f is np.convolve or x.ndim != 0:
                check_agrees(lambda x, f=f: f(x, [1.0, 2.0]), x)
        check_agrees(lambda x, f=f: f(x, x, mode="unknown"), np.ones(3))
