"""Interpolants: SciPy's values when traced, derivatives in query points, values and grid, SciPy's errors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import scipy.interpolate as reference
from scipy.sparse.linalg import spsolve

import xform
import xform.numpy as xnp
from tests.messages import says
from xform.scipy import interpolate
from xform.testing import check_grads


def normal(size: Any) -> np.ndarray:
    """Random numbers, the same ones for every test."""
    return np.random.default_rng(0).normal(size=size)


X = np.array([0.0, 0.7, 1.1, 2.0, 2.6, 3.9, 4.4, 5.0])
Y = normal((8, 2))
#: inside, at breakpoints, at both ends and beyond them
T = np.array([[0.3, 1.1, 0.0], [5.0, 6.2, -0.4]])
INSIDE = np.array([0.31, 2.2, 4.9])


def traced(f: Callable[..., Any], *args: Any) -> Any:
    """f(*args), computed on traced values."""
    return xform.jvp(f, args, tuple(np.zeros(np.shape(x)) for x in args))[0]


def close(actual: Any, wanted: Any) -> None:
    np.testing.assert_allclose(actual, wanted, rtol=1e-10, atol=1e-10)


PIECEWISE = [
    ("PchipInterpolator", {}),
    ("PchipInterpolator", {"extrapolate": False}),
    ("Akima1DInterpolator", {}),
    ("Akima1DInterpolator", {"method": "makima", "extrapolate": True}),
    *(("CubicSpline", {"bc_type": bc}) for bc in ("not-a-knot", "natural", "clamped", "periodic")),
    ("CubicSpline", {"bc_type": ((1, np.array([1.0, -1.0])), "natural"), "extrapolate": "periodic"}),
    ("CubicSpline", {"bc_type": ("not-a-knot", (2, np.array([0.5, 0.0])))}),
]


@pytest.mark.parametrize("n", [2, 3, 4, 8])
@pytest.mark.parametrize("name, options", PIECEWISE, ids=str)
def test_piecewise_cubics_are_scipys(name: str, options: dict[str, Any], n: int):
    x, y = X[:n], Y[:n].copy()
    if options.get("bc_type") == "periodic":
        y[-1] = y[0]
    ours, theirs = (getattr(module, name) for module in (interpolate, reference))
    wanted = theirs(x, y, **options)
    close(traced(lambda x, y, t: ours(x, y, **options)(t), x, y, T), wanted(T))
    spline = ours(x, y, **options)
    close(spline(T), wanted(T))
    for nu in range(1, 5):
        close(traced(lambda t, nu=nu: spline(t, nu), T), wanted(T, nu))
    close(traced(spline.derivative(2), T), wanted.derivative(2)(T))
    close(traced(lambda y: ours(x, y, **options).antiderivative(2)(T), y), wanted.antiderivative(2)(T))
    for a, b in ((0.1, 0.5), (0.5, 0.1), (-1.0, 12.0)):
        close(traced(spline.integrate, a, b), wanted.integrate(a, b))


@pytest.mark.parametrize("name, options", PIECEWISE, ids=str)
def test_piecewise_cubics_are_differentiable_in_points_values_and_queries(name: str, options: dict[str, Any]):
    def at(x: Any, y: Any, t: Any) -> Any:
        if options.get("bc_type") == "periodic":
            y = xnp.concatenate([y, y[:1]])
        return getattr(interpolate, name)(x, y, **options)(t)

    y = Y[:7] if options.get("bc_type") == "periodic" else Y
    check_grads(at, (X, y, INSIDE), order=2)


def test_values_of_boundary_conditions_are_differentiable():
    def at(a: Any, b: Any) -> Any:
        return interpolate.CubicSpline(X, Y[:, 0], bc_type=((1, a), (2, b)))(INSIDE)

    close(traced(at, 0.5, 0.2), reference.CubicSpline(X, Y[:, 0], bc_type=((1, 0.5), (2, 0.2)))(INSIDE))
    check_grads(at, (0.5, 0.2), order=1)


def test_hermite_splines_take_slopes():
    slopes = normal(Y.shape)
    wanted = reference.CubicHermiteSpline(X, Y, slopes)(T)
    close(traced(lambda y, s: interpolate.CubicHermiteSpline(X, y, s)(T), Y, slopes), wanted)
    check_grads(lambda y, s: interpolate.CubicHermiteSpline(X, y, s)(INSIDE), (Y, slopes), order=1)


@pytest.mark.parametrize("axis", [1, -1])
def test_values_may_lie_along_any_axis(axis: int):
    y = normal((3, 8, 2)) if axis == 1 else normal((3, 2, 8))
    for name in ("PchipInterpolator", "Akima1DInterpolator", "CubicSpline"):
        wanted = getattr(reference, name)(X, y, axis=axis)(T)
        close(traced(lambda y, name=name: getattr(interpolate, name)(X, y, axis=axis)(T), y), wanted)
        if axis > 0:
            spline = getattr(interpolate, name)(X, y, axis=axis)
            close(traced(spline, T), wanted)
    inside = T.clip(0, 5)
    for ours, theirs in (
        (interpolate.make_interp_spline, reference.make_interp_spline),
        (interpolate.interp1d, reference.interp1d),
    ):
        close(traced(lambda y, f=ours: f(X, y, axis=axis)(inside), y), theirs(X, y, axis=axis)(inside))


def test_complex_values():
    y = Y[:, 0] + 1j * Y[:, 1]
    for make in ("CubicSpline", "make_interp_spline"):
        wanted = getattr(reference, make)(X, y)(T)
        close(traced(lambda t, make=make: getattr(interpolate, make)(X, y)(t), T), wanted)
    with says(ValueError, "real values"):
        xform.vmap(lambda t: interpolate.PchipInterpolator(X, y * t)(0.5))(np.ones(2))


def test_single_precision_is_computed_in_double_precision():
    x, y = X.astype(np.float32), Y.astype(np.float32)
    value, gradient = xform.value_and_grad(lambda y: interpolate.CubicSpline(x, y)(0.4).sum())(y)
    assert value.dtype == np.float64
    assert gradient.dtype == np.float32


def test_piecewise_polynomials_descend_and_jump():
    c, t = normal((3, 4, 2)), np.array([[0.5, 1.5, 4.0, 0.0, np.nan, 5.0, -1.0]])
    for x in (np.array([0.0, 1.0, 1.5, 3.0, 4.0]), np.array([4.0, 3.0, 1.5, 1.0, 0.0])):
        for extrapolate in (True, False):
            ours, theirs = (module.PPoly(c, x, extrapolate) for module in (interpolate, reference))
            for nu in range(4):
                close(traced(lambda t, f=ours, nu=nu: f(t, nu), t), theirs(t, nu))
            close(traced(lambda c, x=x, e=extrapolate: interpolate.PPoly(c, x, e)(t), c), theirs(t))
    ours, theirs = (module.PPoly(normal((2, 3, 4)), X[:5], axis=1) for module in (interpolate, reference))
    assert ours.c.shape == theirs.c.shape == (3, 4, 2)


def test_transformations_compose():
    def at(y: Any) -> Any:
        return interpolate.CubicSpline(X, y)(INSIDE)

    rows = Y.T
    close(xform.vmap(at)(rows), np.stack([at(row) for row in rows]))
    close(xform.vmap(interpolate.CubicSpline(X, Y))(INSIDE), reference.CubicSpline(X, Y)(INSIDE))
    close(xform.jit(at)(rows[0]), at(rows[0]))
    close(xform.jit(xform.grad(lambda x: interpolate.PchipInterpolator(x, Y)(0.5).sum()))(X), slope_in_points())
    series = xform.jet(interpolate.CubicSpline(X, Y[:, 0]), (0.4,), ([1.0, 0.0, 0.0],))
    close(series[1], [reference.CubicSpline(X, Y[:, 0])(0.4, nu) for nu in (1, 2, 3)])


def slope_in_points() -> Any:
    return xform.grad(lambda x: interpolate.PchipInterpolator(x, Y)(0.5).sum())(X)


# --- B-splines ---


@pytest.mark.parametrize("k", range(6))
def test_interpolating_splines_are_scipys(k: int):
    def make(x: Any, y: Any) -> Any:
        return interpolate.make_interp_spline(x, y, k)

    wanted = reference.make_interp_spline(X, Y, k)
    close(traced(lambda x, y, t: make(x, y)(t), X, Y, T), wanted(T))
    for nu in range(1, k + 2):
        close(traced(lambda t, nu=nu: make(X, Y)(t, nu), T), wanted(T, nu))
    for extrapolate in (False, "periodic"):
        close(traced(lambda t, e=extrapolate: make(X, Y)(t, 0, e), T), wanted(T, 0, extrapolate))
    for extrapolate in (True, False, "periodic") if k else ():
        for a, b in ((0.1, 4.5), (4.5, 0.1), (-1.0, 12.0)):
            close(
                traced(lambda y, a=a, b=b, e=extrapolate: make(X, y).integrate(a, b, e), Y),
                np.ravel(wanted.integrate(a, b, extrapolate)),
            )
    if k < 4:
        check_grads(lambda x, y, t: make(x, y)(t), (X, Y, INSIDE), order=2 if k == 3 else 1)


@pytest.mark.parametrize(
    "bc", ["natural", "clamped", ([(1, np.ones(2))], [(2, np.zeros(2))]), (None, [(1, np.ones(2)), (2, np.ones(2))])]
)
def test_conditions_at_the_ends_of_splines(bc: Any):
    t = None if bc[0] is not None else np.r_[[0.0] * 4, X[1:-1], [5.0] * 4]
    wanted = reference.make_interp_spline(X, Y, 3, t, bc)
    ours = traced(lambda x, y: interpolate.make_interp_spline(x, y, 3, t, bc)(T), X, Y)
    close(ours, wanted(T))
    assert isinstance(interpolate.make_interp_spline(X, Y, 3, t, bc), interpolate.BSpline)


def test_integrals_of_piecewise_constants():
    constants = interpolate.make_interp_spline([0.0, 1.0, 2.0, 3.0], [1.0, 2.0, 4.0, 8.0], k=0)
    assert constants.integrate(0.0, 3.0, False) == 7.0
    assert constants.integrate(0.5, 5.0) == 22.5
    assert constants.integrate(-1.0, 2.0) == 4.0
    assert constants.integrate(-1.0, 4.0, "periodic") == 12.0


def test_knots_and_coefficients_of_splines():
    t, c = np.array([0.0, 0.0, 0.0, 1.0, 1.0, 2.0, 2.0, 2.0]), normal((2, 5))
    ours = interpolate.BSpline(t, c, 2, axis=1)
    assert [np.shape(part) for part in ours.tck] == [(8,), (5, 2), ()]
    at = np.array([0.3, 1.0, 1.7, 2.0, np.nan])
    wanted = reference.BSpline(t, c, 2, axis=1)
    for nu in range(4):
        close(traced(lambda x, nu=nu: ours(x, nu), at), wanted(at, nu))
    close(traced(lambda c: interpolate.BSpline(t, c, 2, axis=1)(at), c), wanted(at))
    close(ours.antiderivative(2)(at), wanted.antiderivative(2)(at))
    close(ours.derivative()(at), wanted.derivative()(at))
    check_grads(lambda c, x: interpolate.BSpline(t, c, 2, axis=1)(x), (c, at[[0, 2]]), order=2)
    check_grads(
        lambda t: interpolate.BSpline(t, Y[:5], 2)(0.8), (np.array([0.0, 0.1, 0.3, 1.0, 1.2, 2.0, 2.4, 3.0]),), 2
    )


# --- grids ---

GRID = (np.array([0.0, 1.0, 1.5, 3.0, 4.0, 4.5]), np.array([2.0, 1.0, 0.5, 0.0, -1.0, -1.5, -2.0]))
VALUES = normal((6, 7, 2))
POINTS = np.array([[0.5, 0.2], [1.5, 0.5], [4.5, -2.0], [0.0, 2.0], [3.3, -1.9]])
METHODS = ["linear", "nearest", "slinear", "cubic", "quintic", "pchip"]


def on_grid(method: str, **options: Any) -> Any:
    """SciPy's interpolant, of which the splines are fitted directly."""
    direct = {"solver": spsolve} if method in ("slinear", "cubic", "quintic") else {}
    return reference.RegularGridInterpolator(GRID, VALUES, method, **options, **direct)


@pytest.mark.parametrize("method", METHODS)
def test_grid_interpolation_is_scipys(method: str):
    at = np.concatenate([POINTS, [[5.0, 0.0], [1.0, 3.0], [np.nan, 0.0]]])
    for fill in (np.nan, 7.0, None):
        options = {"method": method, "bounds_error": False, "fill_value": fill}
        if method != "pchip" or fill is not None:
            wanted = on_grid(**options)(at)
            ours = traced(lambda v, x, o=options: interpolate.RegularGridInterpolator(GRID, v, **o)(x), VALUES, at)
            np.testing.assert_allclose(ours, wanted, rtol=1e-8, atol=1e-8)
    plain = interpolate.RegularGridInterpolator(GRID, VALUES, method)
    wanted = on_grid(method)
    close(plain(POINTS), wanted(POINTS))
    np.testing.assert_allclose(traced(plain, POINTS), wanted(POINTS), rtol=1e-8, atol=1e-8)
    close(xform.vmap(lambda p: plain(p)[0])(POINTS), traced(plain, POINTS))


@pytest.mark.parametrize("method", METHODS)
def test_grid_interpolation_is_differentiable(method: str):
    inside = np.array([[0.4, 0.2], [3.3, -1.85]])
    values = normal((6, 7))
    order = 1 if method == "pchip" else 2

    def at(x: Any, v: Any, p: Any) -> Any:
        return interpolate.RegularGridInterpolator((x, GRID[1]), v, method)(p)

    if method in ("cubic", "quintic"):  # of many values the finite differences take long
        check_grads(lambda x, p: at(x, values, p), (GRID[0], inside), order)
        check_grads(lambda v: at(GRID[0], v, inside), (values,), 1)
    else:
        check_grads(at, (GRID[0], values, inside), order)


def test_derivatives_and_tuples_of_coordinates_on_grids():
    f, g = interpolate.RegularGridInterpolator(GRID, VALUES, "cubic"), on_grid("cubic")
    x, y = np.array([0.4, 2.0])[:, None], np.array([0.2, -1.0, 1.5])
    np.testing.assert_allclose(traced(lambda x: f((x, y), nu=(1, 2)), x), g((x, y), nu=(1, 2)), rtol=1e-8, atol=1e-8)
    close(traced(lambda x: f((x, y), "linear"), x), g((x, y), "linear"))
    close(traced(lambda p: interpolate.interpn(GRID, VALUES, p), POINTS), reference.interpn(GRID, VALUES, POINTS))
    single = interpolate.RegularGridInterpolator(([1.0], [0.0, 1.0]), np.array([[1.0, 3.0]]))
    close(traced(single, np.array([[1.0, 0.25]])), [1.5])


def test_points_outside_of_a_grid():
    f = interpolate.RegularGridInterpolator(GRID, VALUES[..., 0])
    with says(ValueError, "out of bounds in dimension 1", "fill_value"):
        xform.grad(lambda p: f(p).sum())(np.array([[0.5, 9.0]]))
    assert np.isnan(xform.jit(f)(np.array([[0.5, 9.0]]))).all()
    with says(ValueError, "shape (2, 3)", "dimension 2"):
        traced(f, np.zeros((2, 3)))
    with says(ValueError, "Method 'splined' is not defined"):
        f(POINTS, "splined")
    with says(ValueError, "There are 3 points", "requires at least 4"):
        traced(lambda v: interpolate.RegularGridInterpolator(([0.0, 1.0, 2.0],), v, "cubic")([0.5]), np.ones(3))


# --- polynomials ---


def test_barycentric_interpolation():
    x, y = np.array([0.0, 2.0, 1.0, 3.5]), normal((4, 2))
    at = np.array([[0.5, 2.0], [3.5, 5.0]])
    wanted = reference.BarycentricInterpolator(x, y)
    close(interpolate.BarycentricInterpolator(x, y)(at), wanted(at))
    close(traced(lambda x, y, t: interpolate.BarycentricInterpolator(x, y)(t), x, y, at), wanted(at))
    close(
        interpolate.barycentric_interpolate(x, y, at, der=[0, 1]), reference.KroghInterpolator(x, y).derivatives(at, 2)
    )
    check_grads(lambda x, y, t: interpolate.BarycentricInterpolator(x, y)(t), (x, y, at), order=2)
    weights = np.array([1.0, -2.0, 2.0, -1.0])
    rational = reference.BarycentricInterpolator(x, y, wi=weights)
    close(traced(interpolate.BarycentricInterpolator(x, y, wi=weights), at), rational(at))


def test_barycentric_interpolation_of_many_points():
    x = np.cos(np.pi * np.arange(200) / 199) * 50.0
    f = interpolate.BarycentricInterpolator(x, np.sin(x / 10.0))
    at = np.array([-49.9, 0.3, 12.0])
    np.testing.assert_allclose(traced(f, at), np.sin(at / 10.0), rtol=1e-10)
    np.testing.assert_allclose(f.derivative(at), np.cos(at / 10.0) / 10.0, rtol=1e-8)


# --- interp1d ---

KINDS = ["linear", "nearest", "nearest-up", "previous", "next", "zero", "slinear", "quadratic", "cubic", 2]


@pytest.mark.parametrize("kind", KINDS)
def test_interp1d_is_scipys(kind: Any):
    order = np.array([3, 1, 0, 2, 4, 7, 6, 5])
    at = np.array([[0.3, 1.1, 0.35], [5.0, 0.0, 2.31]])
    wanted = reference.interp1d(X[order], Y[order], kind, axis=0)
    ours = interpolate.interp1d(X[order], Y[order], kind, axis=0)
    np.testing.assert_array_equal(ours(at), wanted(at))
    close(traced(lambda x, y, t: interpolate.interp1d(x, y, kind, axis=0)(t), X[order], Y[order], at), wanted(at))
    for fill in ("extrapolate", 7.0, (1.0, 2.0), (np.array([1.0, 2.0]), np.array([3.0, 4.0]))):
        options = {"bounds_error": False, "fill_value": fill, "axis": 0}
        wanted = reference.interp1d(X, Y, kind, **options)(T)
        close(traced(interpolate.interp1d(X, Y, kind, **options), T), wanted)
    check_grads(lambda y, t: interpolate.interp1d(X, y, kind, axis=0)(t), (Y, INSIDE), order=1)


def test_interp1d_refuses_points_outside():
    f = interpolate.interp1d(X, Y[:, 0])
    with says(ValueError, "above the interpolation range"):
        xform.grad(f)(7.0)
    assert np.isnan(xform.jit(f)(7.0))
    with says(NotImplementedError, "akima is unsupported"):
        traced(lambda y: interpolate.interp1d(X, y, "akima")(0.5), Y[:, 0])


# --- errors ---


@pytest.mark.parametrize(
    "call, error, words",
    [
        (lambda y: interpolate.CubicSpline(X[::-1], y), ValueError, "strictly increasing"),
        (lambda y: interpolate.CubicSpline(X[:5], y), ValueError, "as many values along axis 0"),
        (lambda y: interpolate.CubicSpline(X, y * np.nan), ValueError, "`y` must contain only finite values"),
        (lambda y: interpolate.CubicSpline(X, y, bc_type="free"), ValueError, "bc_type=free is not allowed"),
        (lambda y: interpolate.CubicSpline(X, y, bc_type="periodic"), ValueError, "must be identical"),
        (lambda y: interpolate.CubicSpline(X, y, bc_type=("periodic", "natural")), ValueError, "both curve ends"),
        (lambda y: interpolate.CubicSpline(X, y, bc_type=((3, 0.0), "natural")), ValueError, "must be 1 or 2"),
        (lambda y: interpolate.CubicSpline(X, y, bc_type=((1, [0.0]), "natural")), ValueError, "expected one"),
        (lambda y: interpolate.CubicSpline(X, y, bc_type=(1, "natural")), ValueError, "(order, value)"),
        (lambda y: interpolate.CubicHermiteSpline(X, y, y[:3]), ValueError, "must be identical"),
        (lambda y: interpolate.Akima1DInterpolator(X, y, method="pchip"), NotImplementedError, "'makima'"),
        (lambda y: interpolate.PPoly(y, X), ValueError, "no pieces"),
        (lambda y: interpolate.PPoly(y[None], X), ValueError, "m + 1 breakpoints"),
        (lambda y: interpolate.PPoly(y[None, :3], [0.0, 2.0, 1.0, 3.0]), ValueError, "sorted"),
        (lambda y: interpolate.PPoly(y[None, :7], X)(0.5, -1), ValueError, "antiderivative"),
        (lambda y: interpolate.BSpline(X, y, 4), ValueError, "2 k + 2 knots"),
        (lambda y: interpolate.BSpline(X[::-1], y, 1), ValueError, "non-decreasing"),
        (lambda y: interpolate.BSpline(X, y[:2], 1), ValueError, "6 coefficients are wanted"),
        (lambda y: interpolate.make_interp_spline(X[:3], y), ValueError, "incompatible"),
        (lambda y: interpolate.make_interp_spline(X[::-1], y), ValueError, "strictly increasing"),
        (lambda y: interpolate.make_interp_spline(X, y, bc_type="free"), ValueError, "unknown boundary condition"),
        (lambda y: interpolate.make_interp_spline(X, y, bc_type="periodic"), NotImplementedError, "CubicSpline"),
        (lambda y: interpolate.make_interp_spline(X, y, t=X), ValueError, "number of derivatives"),
        (lambda y: interpolate.make_interp_spline(X, y, t=np.arange(1.0, 13.0)), ValueError, "out of bounds"),
        (lambda y: interpolate.RegularGridInterpolator((X, X), y), ValueError, "2 point arrays"),
        (lambda y: interpolate.RegularGridInterpolator((X[:3],), y), ValueError, "8 values in dimension 0"),
        (lambda y: interpolate.RegularGridInterpolator((X * 0,), y), ValueError, "strictly ascending or descending"),
        (lambda y: interpolate.RegularGridInterpolator((X,), y, fill_value=1j), ValueError, "fill_value"),
        (lambda y: interpolate.RegularGridInterpolator((X,), y)([0.5], nu=[1]), ValueError, "derivatives for methods"),
        (lambda y: interpolate.BarycentricInterpolator(X[:3], y), ValueError, "equal in length"),
        (lambda y: interpolate.BarycentricInterpolator(y)(0.5), ValueError, "No y values"),
        (lambda y: interpolate.interp1d(X[:3], y), ValueError, "equal in length"),
        (lambda y: interpolate.interp1d(X, y, fill_value="extrapolate", bounds_error=True), ValueError, "Cannot"),
    ],
)
def test_errors(call: Callable[[Any], Any], error: type[Exception], words: str):
    with says(error, words):
        traced(lambda y: (call(y), y)[1], Y[:, 0])
