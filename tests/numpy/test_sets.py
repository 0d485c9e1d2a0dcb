"""Sets and histograms: as NumPy's on arrays, and differentiable in the entries taken, the weights and the edges."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import xform
import xform.numpy as xnp
from tests.numpy.agreement import arrays, check_agrees, check_derivatives, check_signature

ALL = [
    np.unique, np.unique_all, np.unique_counts, np.unique_inverse, np.unique_values, np.union1d, np.intersect1d,
    np.setdiff1d, np.setxor1d, np.isin, np.bincount, np.histogram, np.histogram2d, np.histogramdd,
    np.histogram_bin_edges,
]  # fmt: skip
rng = np.random.default_rng(9)
real = ["float64", "float32", "int64", "bool"]
vectors = arrays([*real, "complex128"], shapes=st.integers(0, 6))


@pytest.mark.parametrize("f", ALL, ids=lambda f: f.__name__)
def test_signatures_are_numpys(f):
    if f is not np.unique or "sorted" in np.unique.__doc__:
        check_signature(getattr(xnp, f.__name__), f)


@given(a=arrays(), index=st.booleans(), inverse=st.booleans(), counts=st.booleans(), equal_nan=st.booleans())
def test_unique(a, index, inverse, counts, equal_nan):
    if not equal_nan and np.isnan(a).any():
        index = True  # which makes NumPy sort stably
    check_agrees(lambda a: np.unique(a, index, inverse, counts, equal_nan=equal_nan), a, doors=["linearize"])


@given(a=arrays(), axis=st.integers(-4, 3))
def test_unique_subarrays(a, axis):
    check_agrees(lambda a: np.unique(a, True, True, True, axis=axis), a, doors=["linearize"])


@given(a=arrays())
def test_named_tuples(a):
    for f in (np.unique_all, np.unique_counts, np.unique_inverse):
        ours = xform.linearize(lambda x, f=f: tuple(f(x)), a)[0] if a.dtype.kind in "fc" else tuple(f(a))
        theirs = f(a)
        if f is np.unique_all or a.dtype.kind not in "fc":
            for x, y in zip(ours, theirs, strict=True):
                np.testing.assert_array_equal(x, y)
        assert theirs._fields == type(f(np.zeros(1)))._fields
    if a.dtype.kind == "f":
        values = xform.linearize(np.unique_values, a)[0]
        np.testing.assert_array_equal(values, np.sort(np.unique_values(a)))


def test_named_tuples_have_names():
    seen = []
    xform.linearize(lambda x: seen.append(np.unique_counts(x)) or x, np.array([2.0, 1.0, 2.0]))
    assert seen[0]._fields == ("values", "counts")
    np.testing.assert_array_equal(seen[0].counts, [1, 2])


@given(f=st.sampled_from([np.union1d, np.intersect1d, np.setdiff1d, np.setxor1d]), a=vectors, b=vectors)
def test_operations(f, a, b):
    if not (np.isnan(a).any() or np.isnan(b).any()):
        check_agrees(f, a, b, doors=["linearize"])
        check_agrees(lambda a: f(a, b), a, doors=["linearize"])


@given(a=arrays(), b=arrays(), invert=st.booleans())
def test_isin(a, b, invert):
    check_agrees(lambda a, b: np.isin(a, b, invert=invert), a, b)
    check_agrees(lambda a: np.isin(a, b.tolist() if b.ndim else b, invert=invert), a)


def test_options_of_operations():
    a, b = np.array([3.0, 1.0, 2.0]), np.array([5.0, 2.0, 1.0])
    check_agrees(lambda a, b: np.intersect1d(a, b, return_indices=True), a, b, doors=["linearize"])
    for f in (np.intersect1d, np.setdiff1d, np.setxor1d):
        check_agrees(lambda a, b, f=f: f(a, b, assume_unique=True), a, b, doors=["linearize"])


def test_derivatives_move_with_the_entries():
    a, b = np.array([3.0, 1.0, 2.0, 1.0]), np.array([5.0, 2.0, 1.0])
    for f in (np.union1d, np.intersect1d, np.setdiff1d, np.setxor1d):
        primal, tangent = xform.jvp(lambda a, b, f=f: f(a, b), (a, b), (10 * a, 10 * b))
        np.testing.assert_array_equal(tangent, 10 * primal)
    check_derivatives(lambda x: np.unique(x) ** 2, np.array([3.0, 1.0, 2.0]))


def test_sets_of_values_that_are_not_known():
    for f in (np.unique, lambda x: np.union1d(x, x), lambda x: np.setdiff1d(x, x), np.unique_counts):
        with pytest.raises(xform.ConcretizationError, match="depends on the values"):
            xform.vmap(f)(np.ones((2, 3)))


# --- counting ---


@pytest.mark.parametrize("x, weights, least", [
    ([1, 2, 2], None, 0), ([1, 2, 2], [0.5, 0.2, 0.1], 0), ([1, 2, 2], [0.5, 0.2, 0.1], 5), ([], [], 3),
    ([1, 2], [1.0], 0), ([-1], [1.0], 0), ([[1]], [[1.0]], 0), ([1], [1.0], -1), ([1], [1j], 0), ([True], [2], 0),
], ids=str)  # fmt: skip
def test_bincount(x, weights, least):
    x = np.array(x, int) if not x else np.array(x)
    if weights is None:
        check_agrees(lambda x: np.bincount(x, minlength=least), x, doors=["linearize"])
        return
    for dtype in ("f8", "f4", "i8") if np.asarray(weights).dtype.kind != "c" else ("c16",):
        check_agrees(lambda w: np.bincount(x, w, least), np.array(weights).astype(dtype))


def test_derivatives_of_bincount():
    check_derivatives(lambda w: np.bincount([2, 0, 2, 1], w * w), rng.normal(size=4))


BINS = [
    {}, {"bins": 3}, {"bins": [0.0, 0.5, 2.0]}, {"bins": 4, "range": (0, 1)}, {"bins": 3, "density": True},
    {"bins": [0.0, 0.5, 2.0], "density": True}, {"bins": [2.0, 0.5]}, {"bins": 0}, {"bins": 1.5}, {"bins": "unknown"},
    {"bins": [[1.0]]}, {"range": (0, np.inf)}, {"range": (1, 1)}, {"bins": 3, "range": (-1, 0.5), "density": True},
    {"range": (1, 0)}, {"bins": "auto"},
]  # fmt: skip


@pytest.mark.parametrize("options", BINS, ids=str)
def test_histogram(options):
    x, w = rng.normal(size=(3, 20)), rng.normal(size=(3, 20))
    doors = ["linearize"] if isinstance(options.get("bins"), str) else ["linearize", "vmap"]
    for a in (x, (x * 4).astype(int), x.astype("f4"), np.zeros(0), np.ones(3)):
        check_agrees(lambda a: np.histogram(a, **options), a, doors=doors)
        check_agrees(
            lambda a: np.histogram_bin_edges(a, **{k: v for k, v in options.items() if k != "density"}), a, doors=doors
        )
    if not isinstance(options.get("bins"), str):
        check_agrees(lambda a, w: np.histogram(a, weights=w, **options), x, w, ulps=256)
        check_agrees(lambda a, w: np.histogram(a, weights=w, **options), x, (w * 4).astype(int), ulps=256)


@given(
    a=arrays(["float64", "int64"]),
    bins=st.one_of(st.integers(1, 5), st.lists(st.integers(-2, 2), min_size=1, max_size=4)),
)
def test_histograms_of_many(a, bins):
    if np.isnan(a).any() and np.ndim(bins):
        return  # NumPy counts nan in the last bin if it searches the sorted array, and nowhere if it does not
    check_agrees(lambda a: np.histogram(a, bins), a)


def test_histograms_of_wrong_weights():
    check_agrees(lambda a: np.histogram(a, weights=np.ones(2)), np.ones(3))
    check_agrees(lambda a: np.histogramdd(a, weights=np.ones(2)), np.ones((3, 2)))


def test_derivatives_of_histograms():
    x, w = rng.normal(size=20), rng.uniform(1, 2, size=20)
    check_derivatives(lambda w: np.histogram(x, 4, weights=w * w)[0], w)
    check_derivatives(lambda w: np.histogram(x, [-1, 0, 2], weights=w, density=True)[0], w)
    check_derivatives(lambda x: np.histogram(x, 4, density=True)[0], x)
    check_derivatives(lambda x: np.histogram_bin_edges(x, 4) ** 2, x)
    check_derivatives(lambda e: np.histogram(x, e, density=True)[0], np.array([-1.0, 0.0, 2.0]))


JOINT = [
    {}, {"bins": 3}, {"bins": [2, 3]}, {"bins": [[-1.0, 0.0, 1.0], 2]}, {"bins": 2, "range": [(-1, 1), (0, 2)]},
    {"bins": 2, "density": True}, {"bins": [2]}, {"bins": [2, 2, 2]}, {"bins": 0}, {"range": [(0, 1)]},
    {"bins": [[1.0, 0.0], 2]}, {"bins": [-1.0, 0.0, 0.5, 2.0]},
]  # fmt: skip


@pytest.mark.parametrize("options", JOINT, ids=str)
def test_joint_histograms(options):
    points, w = rng.normal(size=(20, 2)), rng.normal(size=20)
    x, y = points.T
    if options.get("bins") != [-1.0, 0.0, 0.5, 2.0]:
        check_agrees(lambda p: np.histogramdd(p, **options), points)
        check_agrees(lambda p, w: np.histogramdd(p, weights=w, **options), points, w, ulps=256)
        check_agrees(lambda x, y: np.histogramdd([x, y], **options), x, y)
    check_agrees(lambda x, y: np.histogram2d(x, y, **options), x, y)
    check_agrees(lambda x, y, w: np.histogram2d(x, y, weights=w, **options), x, y, w, ulps=256)


def test_joint_histograms_of_odd_samples():
    check_agrees(np.histogramdd, rng.normal(size=(5, 1)))
    check_agrees(lambda x: np.histogram2d(x, np.ones(3)), np.ones(2))
    points, w = rng.normal(size=(20, 2)), rng.uniform(1, 2, size=20)
    check_derivatives(lambda w: np.histogramdd(points, 3, weights=w * w)[0], w)
    check_derivatives(lambda p: np.histogramdd(p, 3, density=True)[0], points)
