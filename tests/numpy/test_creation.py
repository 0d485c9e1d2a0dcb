"""Arrays made of traced entries, filled, copied, ranged: NumPy's results, and derivatives in what can vary."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import xform
import xform.numpy as xnp
from tests.numpy.agreement import arrays, check_agrees, check_derivatives, check_signature

V = np.array([0.3, -1.2, 2.5])
M = np.arange(6.0).reshape(2, 3) / 7 + 0.1

NAMES = (
    "copy full full_like zeros_like ones_like empty_like diag diagflat tril triu meshgrid linspace logspace geomspace "
    "asarray asanyarray ascontiguousarray asfortranarray"
)


@pytest.mark.parametrize("name", NAMES.split())
def test_signatures_are_numpys(name):
    if name in ("asarray", "asanyarray", "ascontiguousarray", "asfortranarray"):
        pytest.importorskip("numpy", minversion="2.4", reason="older NumPy does not tell these signatures")
    check_signature(getattr(xnp, name), getattr(np, name))


def agrees(ours, theirs, *args, tolerance=1e-15):
    """`ours`, with the arguments traced, against `theirs` of NumPy, which may lack the door for traced values."""
    wanted = theirs(*args)
    for actual in (xform.linearize(ours, *args)[0], xform.jvp(ours, args, args)[0]):
        np.testing.assert_allclose(actual, wanted, rtol=tolerance)
        assert np.shape(actual) == np.shape(wanted)
        assert actual.dtype == wanted.dtype


@pytest.mark.parametrize(
    "make",
    [
        lambda np, v: np.array([v, v * 2]),
        lambda np, v: np.array([[v[0], 1.0], [2, v[1] * v[2]]]),
        lambda np, v: np.array((v[0], 1j)),
        lambda np, v: np.array([[v], [[1, 2, 3]]]),
        lambda np, v: np.array([[v[:1], v[1:2]], [v[2:], [0.5]]]),
        lambda np, v: np.array(v, dtype=np.float32),
        lambda np, v: np.array(v, ndmin=3),
        lambda np, v: np.array([v[0], np.float32(2)], np.complex64),
        lambda np, v: np.asarray([v[0], v[1]]),
        lambda np, v: np.asarray(v),
        lambda np, v: np.asanyarray([v]),
        lambda np, v: np.ascontiguousarray(v[0]),
        lambda np, v: np.asfortranarray([v, v]),
    ],
)
@pytest.mark.parametrize("dtype", ["f8", "f4"])
def test_arrays_of_lists(make, dtype):
    v = V.astype(dtype)
    agrees(lambda v: make(xnp, v), lambda v: make(np, v), v)


def test_lists_of_traced_values_are_operands():
    check_agrees(lambda v: v - [1, 2, 3], V)
    y = xform.linearize(lambda v: v * [v[0], 1.0, v[2]], V)[0]
    np.testing.assert_array_equal(y, V * [V[0], 1.0, V[2]])


def test_ragged_lists():
    for items in (lambda x: [[x, x], [x]], lambda x: [x, [x]], lambda x: [[x, 1.0], 2.0]):
        with pytest.raises(ValueError, match=r"ragged.*wanted one shape"):
            xform.grad(lambda x, items=items: xnp.array(items(x)).sum())(1.0)


def test_lists_nested_too_deep():
    def f(x):
        nest = x
        for _ in range(100_000):
            nest = [nest]
        return xnp.sum(xnp.array(nest))

    with pytest.raises(ValueError, match="nested more than 64 deep"):
        xform.grad(f)(1.0)

    def mixed(x):
        nest = [x]
        for _ in range(1000):
            nest = [x, nest]
        return xnp.sum(xnp.array(nest))

    with pytest.raises(ValueError, match=r"nested more than 64 deep|ragged"):
        xform.grad(mixed)(1.0)


def test_arrays_of_other_things():
    with pytest.raises(TypeError):
        xform.grad(lambda x: xnp.array([x, "a"]).sum())(1.0)
    with pytest.raises(TypeError, match="cannot be of dtype <U0; wanted"):
        xform.grad(lambda x: xnp.array([x], dtype=str).sum())(1.0)


@given(a=arrays(), dtype=st.sampled_from(["f4", "f8", "c16", "i4", "bool", "f2", "u1"]))
def test_astype(a, dtype):
    if a.dtype.kind in "fc" and np.dtype(dtype).kind in "iu" and not (a == np.abs(a.real).round()).all():
        return  # what nan, inf and negative numbers become depends on the machine
    check_agrees(lambda a: a.astype(dtype), a)
    if np.lib.NumpyVersion(np.__version__) >= "2.1.0":
        check_agrees(lambda a: np.astype(a, dtype), a)


def test_astype_options():
    check_agrees(lambda a: a.astype("f4", casting="safe"), V)
    check_agrees(lambda a: a.astype("f4", copy=False, order="F", subok=False), V)
    check_agrees(lambda a: np.array(a).dtype.itemsize if type(a) is np.ndarray else a.dtype.itemsize, V)


def test_integers_are_constants():
    assert xform.grad(lambda x: (x.astype(int) * x).sum())(V).tolist() == [0.0, -1.0, 2.0]
    y = xform.linearize(lambda x: x.astype(int), V)[0]
    assert y.dtype == int


def test_imaginary_parts_are_not_dropped_in_silence():
    with pytest.warns(np.exceptions.ComplexWarning, match="discards the imaginary part"):
        xform.linearize(lambda z: z.astype(float), 1 + 2j)


# --- filled ---


@given(a=arrays(), dtype=st.sampled_from([None, "f4", "c16"]), shape=st.sampled_from([None, 3, (2, 2), ()]))
def test_like(a, dtype, shape):
    for f in (np.zeros_like, np.ones_like):
        check_agrees(lambda a, f=f: f(a, dtype=dtype, shape=shape), a)
    check_agrees(lambda a: np.full_like(a, 2, dtype=dtype, shape=shape), a)
    check_agrees(lambda a: np.empty_like(a, dtype=dtype, shape=shape).shape, a)


def test_like_a_traced_array_is_known():
    def f(x):
        for a, value in ((np.zeros_like(x), 0.0), (np.ones_like(x), 1.0), (np.empty_like(x), 0.0)):
            assert type(np.asarray(a)) is np.ndarray
            assert float(a[0]) == value
            assert a.tolist() == [value] * 3
        return x.sum()

    xform.grad(f)(V)
    xform.vmap(f)(M)
    xform.make_jaxpr(f)(V)


@pytest.mark.parametrize("dtype", [None, "f4", int])
@pytest.mark.parametrize("shape", [(), 3, (2, 3)])
def test_full(shape, dtype):
    agrees(lambda x: xnp.full(shape, x, dtype), lambda x: np.full(shape, x, dtype), np.array(1.7))
    agrees(lambda x: xnp.full_like(M, x, dtype), lambda x: np.full_like(M, x, dtype), np.array(1.7))


def test_full_of_a_row():
    agrees(lambda x: xnp.full((2, 3), x), lambda x: np.full((2, 3), x), V)
    agrees(lambda x: xnp.full((2, 3), [x[0], 1.0, x[1]]), lambda x: np.full((2, 3), [x[0], 1.0, x[1]]), V)
    check_derivatives(lambda x: xnp.full((2, 3), x * x), V)
    with pytest.raises(ValueError, match="could not be broadcast together"):
        xform.grad(lambda x: xnp.full(2, x).sum())(V)


def test_copies():
    check_agrees(np.copy, M)
    check_agrees(lambda x: np.copy(x, order="F"), M)
    assert xform.grad(lambda x: xnp.copy([x, x]).sum())(1.0) == 2


# --- matrices ---


@given(a=arrays(shapes=st.sampled_from([(), (3,), (0,), (2, 3), (3, 2), (4, 4), (1, 2, 3)])), k=st.integers(-4, 4))
def test_diagonals_and_triangles(a, k):
    for f in (np.diag, np.diagflat, np.tril, np.triu):
        if a.ndim or f not in (np.tril, np.triu):  # NumPy raises TypeError or IndexError by chance
            check_agrees(lambda a, f=f: f(a, k), a)


@pytest.mark.parametrize("f", [np.tril, np.triu], ids=lambda f: f.__name__)
def test_a_number_has_no_triangle(f):
    with pytest.raises(ValueError, match="want a matrix"):
        xform.grad(f)(1.0)


@pytest.mark.parametrize("indexing", ["xy", "ij", "no"])
@pytest.mark.parametrize("sparse", [False, True])
@pytest.mark.parametrize("count", [0, 1, 2, 3])
def test_meshgrid(indexing, sparse, count):
    vectors = [V, V[:2], np.array(1.0)][:count]
    check_agrees(lambda *xs: np.meshgrid(*xs, indexing=indexing, sparse=sparse), *vectors) if count else None


# --- ranges ---

ends = st.sampled_from([0.0, 1.0, -2.5, np.float32(3), np.array([1.0, 2.0]), np.ones((2, 1), np.float32), 1 + 2j])


@given(
    start=ends,
    stop=ends,
    num=st.sampled_from([0, 1, 2, 5, 50, -1, np.int32(3)]),
    endpoint=st.booleans(),
    dtype=st.sampled_from([None, "f4", "c16"]),
    axis=st.sampled_from([0, -1, 1, 5]),
)
def test_linspace(start, stop, num, endpoint, dtype, axis):
    start, stop = np.asarray(start), np.asarray(stop)
    if dtype == "f4" and "c" in (start.dtype.kind, stop.dtype.kind):
        return
    check_agrees(lambda a, b: np.linspace(a, b, num, endpoint, dtype=dtype, axis=axis), start, stop)
    if num > 1:
        check_agrees(lambda a, b: np.linspace(a, b, num, endpoint, retstep=True), start, stop)


def test_linspace_of_numbers_and_integers():
    check_agrees(lambda a: np.linspace(a, 1, 4), np.array(0.5, np.float32))
    check_agrees(lambda a: np.linspace(0, a, 4), np.array(0.5))
    check_agrees(lambda a: np.linspace(a, 4, 6, dtype=int), np.array(-2.0))
    check_agrees(lambda a: np.linspace(a, 9, 3), np.array(2))
    y = xform.linearize(lambda a: np.linspace(a, 0.3, 7), 0.1)[0]
    assert (y[0], y[-1]) == (0.1, 0.3)


@given(
    start=st.sampled_from([0.0, 1.5, np.array([1.0, 2.0]), np.float32(2)]),
    stop=st.sampled_from([2.0, -1.0, np.array([3.0, 0.5])]),
    num=st.sampled_from([0, 1, 4]),
    endpoint=st.booleans(),
    base=st.sampled_from([10.0, 2, np.float32(3), np.array([2.0, 3.0])]),
    dtype=st.sampled_from([None, "f4"]),
)
def test_logspace(start, stop, num, endpoint, base, dtype):
    start, stop = np.asarray(start), np.asarray(stop)
    check_agrees(lambda a, b: np.logspace(a, b, num, endpoint, base, dtype), start, stop, ulps=64)
    check_agrees(lambda a, b: np.logspace(a, b, num, endpoint, base, axis=-1), start, stop, ulps=64)


@given(
    start=st.sampled_from([1.0, -3.0, np.array([1.0, 2.0]), np.float32(2), 1j, 0.0, 2]),
    stop=st.sampled_from([2.0, 100.0, np.array([3.0, 0.5]), 1 + 1j]),
    num=st.sampled_from([0, 1, 2, 4]),
    endpoint=st.booleans(),
    axis=st.sampled_from([0, -1]),
)
def test_geomspace(start, stop, num, endpoint, axis):
    start, stop = np.asarray(start), np.asarray(stop)
    with np.errstate(invalid="ignore"):
        check_agrees(lambda a, b: np.geomspace(a, b, num, endpoint, axis=axis), start, stop, ulps=64)


def test_ranges_have_derivatives():
    a, b = np.array([1.3, 2.0]), np.array([2.7, 0.4])
    check_derivatives(lambda a, b: np.linspace(a, b, 5) ** 2, a, b)
    check_derivatives(lambda a, b: np.linspace(a, b, 5, endpoint=False, axis=1) ** 2, a, b)
    check_derivatives(lambda a, b: np.linspace(a, b, 5, retstep=True)[1] ** 2, a, b)
    check_derivatives(lambda a, b: np.logspace(a, b, 4, base=2.0), a, b, order=1)
    check_derivatives(lambda a, c: np.logspace(a, 1.0, 4, base=c), a, np.array(1.5), order=1)
    check_derivatives(lambda a, b: np.geomspace(a, b, 4), a, b)
    check_derivatives(lambda a: np.geomspace(a, -5.0, 4), np.array(-2.0))
    check_derivatives(lambda a, b: np.geomspace(a, b, 4), np.array(1 + 2j), np.array(-1 + 0.5j), order=1)


@pytest.mark.parametrize("ends", [(3.0,), (1.0, 4.0), (0.5, 3.0, 0.7), (3.0, 0.0, -1.0), (3.0, 0.0)])
@pytest.mark.parametrize("dtype", [None, "f4"])
def test_arange(ends, dtype):
    tolerance = 1e-6 if dtype else 1e-15
    agrees(lambda *e: xnp.arange(*e, dtype=dtype), lambda *e: np.arange(*e, dtype=dtype), *ends, tolerance=tolerance)
    single = [np.float32(x) for x in ends]  # of which NumPy rounds the distance
    agrees(lambda *e: xnp.arange(*e, dtype=dtype), lambda *e: np.arange(*e, dtype=dtype), *single, tolerance=1e-6)


def test_arange_has_derivatives():
    check_derivatives(lambda a, h: xnp.arange(a, 4.0, h) ** 2, np.array(0.3), np.array(0.7))


def test_arange_where_nothing_is_known():
    for transform in (xform.vmap(xnp.arange), xform.make_jaxpr(lambda n: xnp.arange(n[0]))):
        with pytest.raises(xform.ConcretizationError, match=r"arange needs the value.*xform\.numpy\.linspace"):
            transform(V)
    with pytest.raises(ZeroDivisionError):
        xform.grad(lambda h: xnp.arange(0.0, 1.0, h).sum())(0.0)


MATRICES = {
    "diag": lambda x: np.diag(x[0]) @ np.diag(x[1], 0),
    "diag of a matrix": lambda x: np.diag(x, 1),
    "diagflat": lambda x: np.diagflat(x, -1) ** 2,
    "tril": lambda x: np.tril(x, 1) ** 2,
    "triu": lambda x: np.triu(x) ** 2,
    "meshgrid": lambda x: np.multiply(*np.meshgrid(x[0], x[1])),
    "array": lambda x: xnp.array([[x[0, 0] * x[1, 1], x[0, 1]], [2.0, x[1, 2] ** 2]]),
}


@pytest.mark.parametrize("name", MATRICES)
def test_derivatives(name):
    check_derivatives(MATRICES[name], M)


def test_full_of_more_axes_of_size_one():
    x = np.ones((1, 1, 3))
    for f in (lambda x: xnp.full_like(np.zeros(3), x), lambda x: xnp.full(3, x), lambda x: xnp.full((2, 3), x)):
        value, bar = xform.value_and_grad(lambda x, f=f: np.sum(f(x) ** 2))(x)
        assert value == np.size(f(np.ones((1, 1, 3))))
        assert bar.shape == x.shape
    with pytest.raises(ValueError, match="broadcast"):
        xform.grad(lambda x: np.sum(xnp.full(3, x)))(np.ones((2, 3)))
