"""NumPy's polynomials on tracers: values, dtypes, warnings and errors, and derivatives."""

import inspect
import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import xform
import xform.numpy as xnp
from tests.messages import says
from tests.numpy.agreement import arrays, check_agrees, check_derivatives, check_signature
from xform.testing import check_grads

NAMES = ["poly", "polyadd", "polyder", "polydiv", "polyfit", "polyint", "polymul", "polysub", "polyval", "vander"]
vectors = arrays(
    ("float64", "float32", "complex128", "int64"),
    hnp.array_shapes(min_dims=1, max_dims=1, min_side=0, max_side=5),
    special=False,
)
points = arrays(("float64", "float32", "complex128", "int64"), special=False)
rng = np.random.default_rng(5)
P, Q, X = rng.normal(size=4), rng.normal(size=3), rng.normal(size=(2, 3))


@pytest.mark.parametrize("name", NAMES)
def test_signatures_are_numpys(name):
    check_signature(getattr(xnp, name), getattr(np, name))


def test_roots_has_an_option_more():
    assert [*inspect.signature(np.roots).parameters, "strip_zeros"] == [*inspect.signature(xnp.roots).parameters]


@given(p=st.one_of(vectors, points), x=points)
def test_polyval(p, x):
    check_agrees(np.polyval, p, x, ulps=256)


@given(a=vectors, b=vectors)
def test_sums_and_products(a, b):
    check_agrees(np.polyadd, a, b)
    check_agrees(np.polysub, a, b)
    check_agrees(np.polymul, a, b, doors=("linearize",))
    if a.size and b.size and a[0] and b[0]:  # zeros that are not known to be there stay
        check_agrees(np.polymul, a, b, doors=("vmap",))
        check_agrees(np.polydiv, a, b, doors=("linearize",), ulps=64)


@given(p=vectors, m=st.integers(-1, 3), k=st.sampled_from([None, 2.0, [1.0], [1.0, 2.0], [3, 2, 1, 0]]))
def test_derivatives_and_antiderivatives_of_polynomials(p, m, k):
    check_agrees(lambda p: np.polyder(p, m), p)
    check_agrees(lambda p: np.polyint(p, m, k), p)


@given(x=points, n=st.sampled_from([None, 0, 1, 2, 4]), increasing=st.booleans())
def test_vander(x, n, increasing):
    check_agrees(lambda x: np.vander(x, n, increasing), x, ulps=64)


@given(z=vectors)
def test_poly_of_roots(z):
    check_agrees(np.poly, z, doors=("linearize",), ulps=256)
    if z.dtype.kind != "c":
        check_agrees(np.poly, z, doors=("vmap",), ulps=256)


@given(p=vectors.filter(lambda p: p.dtype.kind != "c" or np.count_nonzero(p) > 1))
def test_roots(p):
    """Of a single complex coefficient NumPy makes the roots, zeros, real; ours have complex derivatives."""
    check_agrees(np.roots, p, doors=("linearize",), ulps=2**12)


def test_poly_of_conjugate_roots_and_of_matrices_is_real():
    check_agrees(np.poly, np.array([1 + 2j, 1 - 2j, 3]), doors=("linearize",))
    check_agrees(np.poly, rng.normal(size=(3, 3)), ulps=64)
    check_agrees(np.poly, np.array([[1, 2], [3, 4]]), doors=("vmap",))
    check_agrees(np.poly, np.diag([1.0, 2, 3]).astype(complex), doors=("linearize",))
    for shape in ((2, 3), (0, 0), (1, 2, 2)):
        check_agrees(np.poly, np.ones(shape))


def test_division_leaves_what_rounding_leaves():
    u = np.array([1e20, 3.0, 1e20, 7.0]) / 3
    check_agrees(np.polydiv, u, np.array([0.7, 1.1]), doors=("linearize",))
    check_agrees(np.polydiv, np.array([1.0, 2.0]), np.array([1.0, 2.0, 3.0]))
    q, r = xform.jit(np.polydiv)(np.array([1.0, 5.0, 7.0, 1.0]), np.array([1.0, 2.0, 1.0]))
    assert (q.tolist(), r.tolist()) == ([1, 3], [0, -2])
    q, r = xform.jit(np.polydiv)(np.array([2.0, 4.0]), np.array([2.0]))
    assert (q.tolist(), r.tolist()) == ([1, 2], [0])


def test_leading_zeros_stay_where_values_are_not_known():
    a, b = np.array([0.0, 1.0]), np.array([1.0, 2.0])
    assert xform.jvp(lambda a: np.polymul(a, b), (a,), (a,))[0].tolist() == [1, 2]
    assert xform.jit(np.polymul)(a, b).tolist() == [0, 1, 2]


# --- derivatives ---


def test_derivatives():
    check_grads(np.polyval, (P, X), order=2)
    check_grads(np.polyval, (P + 1j * P[::-1], X), order=2)
    for f in (np.polyadd, np.polysub, np.polymul):
        check_grads(f, (P, Q), order=2)
    check_derivatives(lambda u, v: np.concatenate(np.polydiv(u, v)), P, Q)
    check_derivatives(lambda p: np.polyder(p, 2) ** 2, P)
    check_derivatives(lambda p, k: xnp.polyint(p, 2, k) ** 2, P, Q)
    check_derivatives(np.poly, Q)
    check_derivatives(lambda x: np.vander(x, 4, True), np.array([0.0, 1.0, -2.0]))


@pytest.mark.parametrize("a", [X[:, :2], np.zeros((2, 2)), np.eye(3), np.triu(np.ones((3, 3)))], ids=repr)
def test_derivatives_of_characteristic_polynomials(a):
    """Also where eigenvalues coincide."""
    check_derivatives(np.poly, a)


def test_derivatives_of_roots():
    check_derivatives(lambda p: np.abs(np.roots(p)) ** 2, np.array([2.0, 1.0, 3.0, -4.0]), tolerance=1e-5)
    check_derivatives(lambda p: np.sort(np.roots(p)), np.array([1.0, 0.5, -6.0, 1.0]), tolerance=1e-5)
    p = np.array([1.0, 2j, 3.0 - 1j])
    check_grads(lambda p: np.sum(np.roots(p) ** 3), (p,), order=2)
    check_grads(lambda p: np.prod(np.roots(p)).real, (P,), order=2)


def test_coefficients_that_are_zero_move_the_roots_as_well():
    last = xform.jacobian(np.roots)(np.array([1.0, -1.0, 0.0]))  # z^2 - z + e = 0 near z = 1 and z = 0
    np.testing.assert_allclose(last, [[-1, -1, -1], [0, 0, 1]], atol=1e-14)
    first = xform.jacobian(np.roots)(np.array([0.0, 1.0, -2.0]))  # e z^2 + z - 2 = 0 near z = 2
    np.testing.assert_allclose(first, [[-4, -2, -1]])


def test_roots_of_many_polynomials():
    rows = np.array([[1.0, -3.0, 2.0], [0.0, 1.0, 2.0], [0.0, 0.0, 1.0], [1.0, 0.0, 1.0]])
    f = xform.vmap(lambda p: xnp.roots(p, strip_zeros=False))
    for z, p in zip(f(rows), rows, strict=True):
        wanted = np.roots(p)
        np.testing.assert_allclose(z[: wanted.size], wanted, atol=1e-15)
        assert np.isnan(z[wanted.size :]).all()
    finite = xform.grad(lambda p: np.sum(np.nan_to_num(f(p)).real))(rows)
    assert np.isfinite(finite).all()
    np.testing.assert_allclose(xform.jit(lambda p: xnp.roots(p, strip_zeros=False))(rows[0]), [2, 1])
    with says(xform.ConcretizationError, "roots", "xform.numpy.roots(p, strip_zeros=False)"):
        xform.vmap(np.roots)(rows)


def test_a_multiple_root_has_an_infinite_derivative():
    with np.errstate(all="ignore"):
        assert not np.isfinite(xform.jacobian(xnp.roots)(np.array([1.0, 0.0, 0.0]))[:, 2]).any()


# --- fitting ---

T = np.linspace(-1, 2, 6)
Y = rng.normal(size=(6, 2))
W = rng.uniform(0.5, 2, size=6)


@pytest.mark.parametrize(
    "options", [{}, {"full": True}, {"cov": True}, {"cov": "unscaled"}, {"rcond": 0.5, "full": True}]
)
@pytest.mark.parametrize("w", [None, W])
@pytest.mark.parametrize(
    "y", [Y[:, 0], Y, Y[:, 0] + 1j, Y.astype(np.float32)], ids=["vector", "matrix", "complex", "f4"]
)
def test_polyfit(y, w, options):
    def first(x, y):
        """What is an array in the result."""
        found = np.polyfit(x, y, 2, w=w, **options)
        return tuple(found[:4]) if options.get("full") else found

    check_agrees(first, T, y, doors=("linearize",), ulps=1024)


@pytest.mark.parametrize(
    "x, y, deg, w",
    [
        (T, Y, -1, None),
        (T[None], Y, 1, None),
        (T[:0], Y[:0], 1, None),
        (T, Y[None], 1, None),
        (T, Y[:3], 1, None),
        (T, Y, 1, Y),
        (T, Y, 1, W[:2]),
        (T, Y, 8, None),
        (T[:2], Y[:2], 1, None),
    ],
)
def test_polyfit_of_too_little(x, y, deg, w):
    """Errors, and the RankWarning."""
    check_agrees(lambda x, y: np.polyfit(x, y, deg, w=w), x, y, doors=("linearize",), ulps=2**14)
    check_agrees(lambda x, y: np.polyfit(x, y, deg, w=w, cov=True), x, y, doors=("linearize",), ulps=2**14)


def test_polyfit_of_numbers_that_cannot_hold_the_products():
    with says(TypeError, "weights of dtype complex128", "numbers of float64"):
        xform.linearize(lambda x: np.polyfit(x, Y, 1, w=1j * W), T)


def test_derivatives_of_polyfit():
    check_grads(lambda x, y, w: xnp.polyfit(x, y, 2, w=w), (T, Y, W), order=2)
    check_grads(lambda x, y: xnp.polyfit(x, y, 1, cov=True), (T, Y[:, 1]), order=2)
    batched = xform.vmap(lambda y: np.polyfit(T, y, 2), in_axes=1)(Y)
    np.testing.assert_allclose(batched, np.polyfit(T, Y, 2).T, atol=1e-14)
    np.testing.assert_allclose(xform.jit(lambda y: np.polyfit(T, y, 2))(Y), np.polyfit(T, Y, 2), atol=1e-14)


# --- numpy's own classes ---


def test_poly1d_of_traced_coefficients():
    def f(p, x):
        p = np.poly1d(p)
        q = (p * p + 2 * p - p.deriv()) ** 2
        return q(x) + p.integ(k=3)(x) + p(np.poly1d([1.0, 2.0]))(x) + p[1] + (p / 2)(x)

    np.testing.assert_allclose(xform.linearize(f, Q, X)[0], f(Q, X))
    check_grads(f, (Q, X), order=2)
    check_grads(lambda p: np.poly1d(p).roots.real, (np.array([1.0, 1.0, -3.0]),), order=2)
    check_grads(np.poly1d(Q), (X,), order=2)
    with says(xform.ConcretizationError, "trim_zeros"):
        xform.vmap(lambda p: np.poly1d(p)(2.0))(X)


def test_poly1d_of_numbers_stays_one():
    p = np.poly1d([1.0, 2.0])
    for f in (np.polyadd, np.polysub, np.polymul):
        assert isinstance(getattr(xnp, f.__name__)(p, Q), np.poly1d)
        coeffs, pullback = xform.vjp(lambda q, f=f: f(p, q).coeffs, Q)
        np.testing.assert_allclose(coeffs, f(p, Q).coeffs)
        assert pullback(coeffs)[0].shape == Q.shape


def test_numpy_polynomial_package():
    """Values of its functions may be traced; coefficients, which it converts to plain arrays, are refused."""
    kinds = np.polynomial
    values = (
        kinds.polynomial.polyval,
        kinds.chebyshev.chebval,
        kinds.legendre.legval,
        kinds.hermite.hermval,
        kinds.hermite_e.hermeval,
        kinds.laguerre.lagval,
    )
    for f in values:
        check_grads(lambda x, f=f: f(x, Q), (0.3,), order=2)
        with pytest.raises(xform.ConcretizationError, match="would lose its derivative"):
            xform.linearize(lambda c, f=f: f(0.3, c), Q)
    with pytest.raises(xform.ConcretizationError, match="would lose its derivative"):
        xform.linearize(np.polynomial.Polynomial(Q), 0.3)


def test_no_warning_is_given_for_good_points():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        xform.grad(lambda y: np.polyfit(T, y, 2).sum())(Y)
