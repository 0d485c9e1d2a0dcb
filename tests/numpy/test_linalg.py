"""xform.numpy.linalg against numpy.linalg: values, dtypes, errors and types of results, through both doors."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.linalg import LinAlgError
from numpy.testing import assert_allclose, assert_array_equal

import xform
import xform.numpy.linalg as xnp_linalg
from tests.numpy.agreement import arrays, check_agrees, check_derivatives, check_signature
from xform import tree
from xform.testing import check_grads

rng = np.random.default_rng(11)
square, stacked = rng.normal(size=(3, 3)) + 3 * np.eye(3), rng.normal(size=(2, 3, 3)) + 3 * np.eye(3)
complex_square = square + 1j * rng.normal(size=(3, 3))
definite = square @ square.T
complex_definite = complex_square @ complex_square.conj().T
tall, wide = rng.normal(size=(4, 2)), rng.normal(size=(2, 4))
integer = np.array([[2, 1, 0], [1, 3, 1], [0, 1, 4]])
empty = np.zeros((0, 0))
u, v, w = rng.normal(size=(3, 3))

SQUARE = [square, stacked, complex_square, square.astype(np.float32), integer, empty, [[2.0, 1.0], [1.0, 2.0]]]
HERMITIAN = [
    definite,
    np.stack([definite, 2 * definite]),
    complex_definite,
    definite.astype(np.float32),
    integer,
    empty,
]
ANY = [*SQUARE, tall, wide, tall.astype(np.complex64), np.zeros((0, 3)), np.zeros((2, 3, 0))]
BAD = [np.ones(3), np.ones((2, 3)), np.float64(1.0)]

CALLS = [
    *((name, x, {}) for name in ("inv", "det", "slogdet") for x in (*SQUARE, *BAD)),
    *(("cholesky", x, {"upper": upper}) for x in (*HERMITIAN, *BAD, -definite) for upper in (False, True)),
    *((name, x, {"UPLO": side}) for name in ("eigh", "eigvalsh") for x in (*HERMITIAN, *BAD) for side in "LuX"),
    *(("eigvalsh", x, {}) for x in SQUARE),
    *(("qr", x, {"mode": mode}) for x in (*ANY, np.ones(3)) for mode in ("reduced", "complete", "r", "raw", "x")),
    *(("svd", x, {"full_matrices": full}) for x in (*ANY, np.ones(3)) for full in (False, True)),
    *(("svd", x, {"compute_uv": False}) for x in ANY),
    *(("svd", x, {"hermitian": True, "compute_uv": uv}) for x in (*HERMITIAN, -definite) for uv in (False, True)),
    *(("svdvals", x, {}) for x in (*ANY, np.ones(3))),
    *(("matrix_transpose", x, {}) for x in (*ANY, np.ones(3))),
    *(("diagonal", x, {"offset": k}) for x in (*ANY, np.ones(3)) for k in (-2, 0, 1)),
    *(("trace", x, {"offset": k, "dtype": t}) for x in (*ANY, np.ones(3)) for k, t in [(0, None), (1, np.float32)]),
    *(("matrix_power", x, {"n": n}) for x in (*SQUARE, *BAD) for n in (-3, -1, 0, 1, 2, 3, 7)),
]


def arrange(name, kwargs):
    """numpy.linalg's function of its first argument, with its results as a tuple."""

    def f(x):
        y = getattr(np.linalg, name)(x, **kwargs)
        return tuple(y) if isinstance(y, tuple) else y

    return f


@pytest.mark.parametrize("name, x, kwargs", CALLS)
def test_functions_of_one_matrix(name, x, kwargs):
    doors = ["linearize"] if np.asarray(x).dtype.kind == "f" else []
    if np.size(x) and name != "trace":
        doors.append("vmap")
    check_agrees(arrange(name, kwargs), np.asarray(x), doors=doors, ulps=64)


def test_no_name_is_missing():
    assert set(xnp_linalg.__all__) >= set(np.linalg.__all__)


@pytest.mark.parametrize("name", xnp_linalg.__all__)
def test_signatures(name):
    if name != "LinAlgError":
        check_signature(getattr(xnp_linalg, name), getattr(np.linalg, name))
        assert getattr(xnp_linalg, name).__doc__


@pytest.mark.parametrize("name", ["slogdet", "eigh", "qr", "svd"])
def test_named_tuples_are_numpys(name):
    out = xform.jvp(getattr(xnp_linalg, name), (square,), (square,))[0]
    plain = getattr(np.linalg, name)(square)
    assert type(out) is type(plain)
    assert tree.structure(out) == tree.structure(plain)


@pytest.mark.parametrize(
    "a, b",
    [
        (square, u),
        (square, np.eye(3)),
        (stacked, u),
        (stacked, np.ones((3, 2))),
        (square, np.ones((2, 3, 2))),
        (stacked, np.ones((4, 1, 3, 2))),
        (complex_square, u),
        (square.astype(np.float32), u.astype(np.float32)),
        (square, np.ones(2)),
        (np.ones((2, 3)), u),
        (square, np.float64(1.0)),
        (np.ones((3, 3)), u),
        (empty, np.zeros(0)),
        (empty, np.zeros((0, 2))),
    ],
)
def test_solve(a, b):
    check_agrees(np.linalg.solve, a, b, ulps=64)


def test_solve_with_integers_and_one_traced_argument():
    assert_allclose(xform.jvp(lambda b: np.linalg.solve(integer, b), (u,), (v,))[1], np.linalg.solve(integer, v))
    assert_allclose(xform.jvp(lambda a: np.linalg.solve(a, [1, 2, 3]), (square,), (0 * square,))[1], 0)
    assert xform.vmap(lambda a: np.linalg.solve(a, [1, 2, 3]))(integer[None]).dtype == np.float64


@pytest.mark.parametrize("axis", [None, 0, -1, (0, 1), (1, 0)])
@pytest.mark.parametrize("keepdims", [False, True])
@pytest.mark.parametrize("ord", [None, "fro", "f", "nuc", np.inf, -np.inf, 0, 1, -1, 2, -2, 3, 0.5, -1.5, "x"])
def test_norm(ord, axis, keepdims):
    for x in (tall, wide[0], tall.astype(np.float32), tall + 1j * wide.T):
        check_agrees(lambda x: np.linalg.norm(x, ord, axis, keepdims), x, ulps=64)


@pytest.mark.parametrize("ord", [None, np.inf, 1, 2, 3, -1])
def test_norm_of_more_axes(ord):
    x = rng.normal(size=(2, 3, 4))
    for axis in (None, 1, (0, 2), (2, 1), (0, 1, 2), 5, (1, 1), "x"):
        check_agrees(lambda x, axis=axis: np.linalg.norm(x, ord, axis), x, ulps=64)
    for axis in (None, 1, (0, 2), (0, 1, 2)):
        for keepdims in (False, True):
            options = {"axis": axis, "keepdims": keepdims, "ord": 2 if ord is None else ord}
            check_agrees(lambda x, options=options: np.linalg.vector_norm(x, **options), x, ulps=64)
    check_agrees(lambda x: np.linalg.matrix_norm(x, ord="fro" if ord is None else ord, keepdims=True), x, ulps=64)


def test_norms_of_integers_and_of_nothing():
    mapped = xform.vmap(np.linalg.norm)(integer)
    assert_allclose(mapped, np.linalg.norm(integer, axis=1))
    for f in (np.linalg.norm, lambda x: np.linalg.norm(x, 1), lambda x: np.linalg.norm(x, axis=1)):
        check_agrees(f, np.zeros((2, 0)))
    with pytest.raises(ValueError, match="reduce_min"):
        xform.grad(lambda x: np.linalg.norm(x, -np.inf))(np.zeros(0))


@pytest.mark.parametrize("ord", [None, np.inf, -np.inf, 1, 2, 3, 1.5, 0.5, -1.5])
def test_derivatives_of_vector_norms(ord):
    check_derivatives(lambda x: np.linalg.norm(x, ord), np.array([1.0, -2.0, 3.5]))
    check_derivatives(lambda x: np.linalg.norm(x, ord, axis=0), np.array([[1.0, -2.0], [3.0, 0.5]]))


@pytest.mark.parametrize("ord", [None, "nuc", np.inf, -np.inf, 1, -1, 2, -2])
def test_derivatives_of_matrix_norms(ord):
    check_derivatives(lambda x: np.linalg.norm(x, ord, axis=(0, 1)), np.array([[1.0, -2.0], [3.0, 0.5], [0.25, 1.0]]))


@pytest.mark.parametrize("ord", [None, 0, np.inf, -np.inf, 1, 2, 3, 1.5, 0.5, -1.5])
def test_vector_norms_have_derivative_zero_at_zero(ord):
    f = lambda x: np.linalg.norm(x, ord)  # noqa: E731
    zero = np.zeros(3)
    with np.errstate(all="ignore"):  # as NumPy: 0 to a negative power
        assert_array_equal(xform.grad(f)(zero), zero)
        assert_array_equal(xform.jvp(f, (zero,), (u,))[1], 0)
        assert_array_equal(xform.hessian(f)(zero), np.zeros((3, 3)))
        assert np.isfinite(xform.grad(f)(np.array([0.0, 1.0, 2.0]))).all()


@pytest.mark.parametrize("ord", [None, "fro", "nuc", np.inf, -np.inf, 1, -1, 2, -2])
def test_matrix_norms_have_derivative_zero_at_zero(ord):
    assert_array_equal(xform.grad(lambda x: np.linalg.norm(x, ord, axis=(0, 1)))(np.zeros((2, 3))), np.zeros((2, 3)))


def test_gradient_of_norm_is_the_unit_vector():
    assert_allclose(xform.grad(np.linalg.norm)(u), u / np.linalg.norm(u))
    z = u + 1j * v
    assert_allclose(xform.grad(np.linalg.norm)(z), z.conj() / np.linalg.norm(z))


@pytest.mark.parametrize(
    "shapes",
    [
        [(2, 3), (3, 4)],
        [(3,), (3, 4)],
        [(2, 3), (3,)],
        [(3,), (3,)],
        [(2, 3), (3, 4), (4, 2)],
        [(3,), (3, 4), (4,)],
        [(5, 2), (2, 6), (6, 3), (3, 4), (4, 1)],
        [(3,), (3, 2), (2, 5), (5, 2), (2,)],
        [(3,)],
        [(2, 3), (4, 4)],
        [(2, 3), (3,), (3, 2)],
        [(2, 2, 3), (3, 3), (3, 3)],
    ],
)
def test_multi_dot(shapes):
    check_agrees(lambda *xs: np.linalg.multi_dot(xs), *(rng.normal(size=s) for s in shapes), ulps=64)


def test_products():
    for f in (np.linalg.outer, np.linalg.cross, np.linalg.vecdot, np.linalg.matmul):
        check_agrees(f, u, v)
        check_agrees(f, stacked, stacked, ulps=64)
        check_agrees(f, u + 1j * v, w)
        check_agrees(f, u, np.ones(2))
    check_agrees(lambda x, y: np.linalg.cross(x, y, axis=0), square, square)
    check_agrees(lambda x, y: np.linalg.vecdot(x, y, axis=0), square, square)
    check_agrees(lambda x, y: np.linalg.tensordot(x, y, axes=1), square, stacked)
    check_agrees(lambda x, y: np.linalg.tensordot(x, y, axes=((0, 1), (1, 2))), square, stacked)


@pytest.mark.parametrize(
    "f",
    [
        lambda a: np.linalg.matrix_power(a, 5),
        lambda a: np.linalg.matrix_power(a, -2),
        lambda a: np.linalg.multi_dot([a, a, u]),
        lambda a: np.linalg.cross(a, a[::-1]),
        lambda a: np.linalg.slogdet(a).logabsdet,
        lambda a: np.linalg.cholesky(np.linalg.matmul(a, np.linalg.matrix_transpose(a)), upper=True),
        lambda a: np.linalg.eigh(a + np.linalg.matrix_transpose(a), UPLO="U")[1] ** 2,
        lambda a: np.linalg.svd(a + np.linalg.matrix_transpose(a), hermitian=True)[2] ** 2,
        lambda a: np.linalg.qr(a, mode="r"),
        lambda a: np.linalg.trace(a, offset=1) * np.linalg.diagonal(a, offset=-1),
    ],
)
def test_derivatives_through_numpys_door(f):
    check_derivatives(f, square, tolerance=1e-7)


def everything(a):
    """A number to which all differentiable functions contribute, of a square matrix with eigenvalues apart."""
    h = a @ np.conj(a.T) + np.eye(3)
    u, s, vh = np.linalg.svd(a)
    parts = [
        *(np.linalg.solve(a, h), np.linalg.inv(a), np.linalg.pinv(a[:, :2]), np.linalg.det(a)),
        *(np.linalg.cholesky(h), *np.linalg.qr(a), *np.linalg.qr(a[:2])[1:], *np.linalg.qr(a[:, :2], "raw")),
        *((u * np.exp(s)) @ vh, np.linalg.svdvals(a[:2]), np.linalg.eigvalsh(h), np.linalg.slogdet(a).logabsdet),
        *(np.abs(np.linalg.eigh(h).eigenvectors), np.linalg.eig(a + 0j).eigenvectors, np.linalg.eigvals(a + 0j)),
        *(np.linalg.lstsq(a[:, :2], a[:, 2])[:2], np.linalg.pinv(h, hermitian=True), np.linalg.cond(a)),
        *(np.linalg.tensorinv(a, 1), np.linalg.tensorsolve(a, a[0]), np.linalg.matrix_power(a, -3)),
        *(np.linalg.norm(a, ord) for ord in (None, "nuc", 1, -1, 2, -2, np.inf, -np.inf)),
        *(np.linalg.norm(a, ord, axis=0) for ord in (1, 2, 3, np.inf)),
        *(np.linalg.multi_dot([a, h, a]), np.linalg.cross(a, h), np.linalg.vecdot(a, h), np.linalg.trace(a)),
    ]
    flat = [y for x in parts for y in (x if isinstance(x, tuple) else (x,))]
    return sum(np.sum(np.abs(x) ** 2) for x in flat)


@pytest.mark.parametrize("a", [square, complex_square], ids=["real", "complex"])
def test_everything_compiled_is_as_eager(a):
    value, gradient = xform.value_and_grad(everything)(a)
    compiled = xform.jit(xform.value_and_grad(everything))(a)
    assert_allclose(compiled[0], value)
    assert_allclose(compiled[1], gradient, rtol=1e-9, atol=1e-10 * np.abs(gradient).max())


@pytest.mark.slow
@pytest.mark.parametrize("a", [square, complex_square], ids=["real", "complex"])
def test_second_derivatives_of_everything_compiled_are_as_eager(a):
    second = xform.grad(lambda a: xform.jvp(everything, (a,), (np.conj(a),))[1])
    wanted = second(a)
    assert_allclose(xform.jit(second)(a), wanted, rtol=1e-9, atol=1e-10 * np.abs(wanted).max())


def test_everything_is_differentiated_and_mapped():
    check_grads(everything, (square,), order=1)
    stack = np.stack([square, square.T + 1, 2 * square])
    assert_allclose(xform.vmap(xform.grad(everything))(stack), [xform.grad(everything)(a) for a in stack], rtol=1e-9)
    v = rng.normal(size=(3, 3))
    _, terms = xform.jet(everything, (square,), ((v, 0 * v),))
    first = xform.jvp(everything, (square,), (v,))[1]
    second = xform.jvp(lambda a: xform.jvp(everything, (a,), (v,))[1], (square,), (v,))[1]
    assert_allclose(terms, [first, second], rtol=1e-9)


def test_results_of_plain_arrays_are_numpys():
    assert_array_equal(xnp_linalg.solve([[2, 0], [0, 4]], [2, 8]), [1, 2])
    assert isinstance(xnp_linalg.norm([3, 4]), np.float64)
    with pytest.raises(LinAlgError, match="Singular"):
        xnp_linalg.inv(np.zeros((2, 2)))


@pytest.mark.parametrize("mode", ["f", "full", "e", "economic"])
def test_deprecated_modes_of_qr(mode):
    f = arrange("qr", {"mode": mode})
    with pytest.warns(DeprecationWarning, match="option is deprecated"):
        xform.jvp(f, (tall,), (tall,))
    check_agrees(f, tall, ulps=64)  # warnings included


@pytest.mark.parametrize("x", [tall, wide, square, tall + 1j * wide.T, complex_square], ids=lambda x: str(x.shape))
def test_derivatives_of_qr_as_lapack_keeps_it(x):
    check_grads(lambda a: np.linalg.qr(a, mode="raw"), (x,), order=2)


def test_options_without_meaning_for_traced_arrays():
    with pytest.raises(TypeError, match="out="):
        xform.grad(lambda a: np.linalg.multi_dot([a, a], out=np.empty((3, 3))).sum())(square)


@given(arrays(("float64", "float32", "complex128", "int64"), special=False), st.sampled_from([None, 1, 2, np.inf, 3]))
def test_norm_agrees_on_random_arrays(x, ord):
    check_agrees(lambda x: np.linalg.norm(x, ord), x, doors=["vmap"], ulps=64)


@given(arrays(("float64", "float32", "complex128"), special=False), st.integers(-3, 3))
def test_diagonal_and_trace_agree_on_random_arrays(x, offset):
    check_agrees(lambda x: np.linalg.diagonal(x, offset=offset), x)
    check_agrees(lambda x: np.linalg.trace(x, offset=offset), x)
