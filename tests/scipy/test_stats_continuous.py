"""Continuous distributions: SciPy's values on traced arguments, derivatives in all of them, ends of the supports."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import scipy.stats as reference

import xform
from tests.messages import says
from xform.scipy import stats
from xform.scipy.stats.continuous import Continuous
from xform.testing import check_grads

INF = float("inf")
#: shape parameters; those in front are used for derivatives as well
SHAPES: dict[str, list[tuple[float, ...]]] = {
    "norm": [()],
    "t": [(3.0,), (0.7,), (1e9,), (INF,)],
    "cauchy": [()],
    "laplace": [()],
    "logistic": [()],
    "gumbel_r": [()],
    "gumbel_l": [()],
    "hypsecant": [()],
    "exponnorm": [(1.5,), (0.3,)],
    "loggamma": [(0.5,), (3.0,)],
    "gennorm": [(1.3,), (1.0,), (2.0,), (5.0,), (0.6,)],
    "johnsonsu": [(0.5, 1.5), (-1.0, 0.7)],
    "skewnorm": [(4.0,), (-2.0,), (0.0,)],
    "vonmises": [(0.5,), (0.0,), (3.0,)],
    "halfnorm": [()],
    "halfcauchy": [()],
    "halflogistic": [()],
    "lognorm": [(0.5,), (2.0,)],
    "expon": [()],
    "gamma": [(2.5,), (1.0,), (0.5,), (30.0,)],
    "chi2": [(3.0,), (1.0,), (2.0,), (7.0,)],
    "chi": [(2.5,), (1.0,), (2.0,)],
    "maxwell": [()],
    "rayleigh": [()],
    "invgamma": [(4.0,), (1.0,)],
    "invgauss": [(0.8,), (0.3,), (3.0,)],
    "levy": [()],
    "weibull_min": [(2.5,), (1.0,), (0.7,)],
    "betaprime": [(2.0, 3.0), (0.5, 1.0)],
    "f": [(5.0, 7.0), (2.0, 5.0), (1.0, 3.0)],
    "lomax": [(2.0,)],
    "gompertz": [(0.5,)],
    "uniform": [()],
    "beta": [(2.0, 3.0), (1.0, 1.0), (0.5, 0.5), (1.0, 3.0)],
    "arcsine": [()],
    "powerlaw": [(2.5,), (1.0,), (0.5,)],
    "triang": [(0.3,), (0.0,), (1.0,)],
    "truncnorm": [(-1.0, 2.0), (1.0, 3.0), (-4.0, -2.0), (-INF, 1.0), (0.0, INF), (8.0, 9.0)],
    "wrapcauchy": [(0.3,), (0.9,)],
    "pareto": [(3.0,), (1.0,)],
    "genpareto": [(0.5,), (0.0,), (-0.5,), (1e-9,)],
    "genextreme": [(0.3,), (-0.4,), (0.0,), (-1e-9,)],
}
CASES = [(name, shapes) for name, rows in SHAPES.items() for shapes in rows]
Q = np.array([0.0, 1e-6, 1e-5, 0.01, 0.2, 0.5, 0.7, 0.99, 1 - 1e-6, 1.0, -0.1, 1.2, np.nan])
METHODS = ["logpdf", "pdf", "cdf", "sf", "logcdf", "logsf"]
#: where SciPy's own values are not so precise
TOLERANCE = {"vonmises": 3e-9, "wrapcauchy": 1e-12}


def traced(f: Callable[..., Any], *args: Any) -> Any:
    """f(*args), computed on traced values."""
    return xform.jvp(f, args, tuple(np.zeros(np.shape(x)) for x in args))[0]


def arguments(name: str, shapes: tuple[float, ...]) -> np.ndarray:
    """Numbers in the middle, in both tails, at the ends of the support and outside."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        x = getattr(reference, name).ppf(Q, *shapes)
    return np.unique([*x[np.isfinite(x)], -30.0, -3.0, -1.0, 0.0, 0.5, 1.0, 3.0, np.nan])


def assert_same(ours: Any, wanted: Any, atol: float = 1e-14) -> None:
    assert (ours.shape, ours.dtype) == (wanted.shape, wanted.dtype)
    np.testing.assert_allclose(ours, wanted, rtol=1e-8, atol=atol)


def bounded(name: str, shapes: tuple[float, ...]) -> bool:
    """Has the support an end?"""
    return bool(np.isfinite(getattr(reference, name).support(*shapes)).any()) and name != "vonmises"


@pytest.mark.parametrize("name, shapes", CASES, ids=str)
def test_values_are_scipys(name: str, shapes: tuple[float, ...]):
    ours, theirs, x = getattr(stats, name), getattr(reference, name), arguments(name, shapes)
    for method in [*METHODS, "ppf", "isf"]:
        at = Q if method in ("ppf", "isf") else x
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # SciPy warns in the tails of some
            wanted = getattr(theirs, method)(at, *shapes)
            plain = getattr(ours, method)(at, *shapes)
        if name == "wrapcauchy" and method == "logsf":
            at, wanted, plain = at[:-2], wanted[:-2], plain[:-2]  # at the end SciPy has log 0, we of rounding error
        np.testing.assert_array_equal(plain, wanted)
        assert_same(traced(lambda v, m=method: getattr(ours, m)(v, *shapes), at), wanted, TOLERANCE.get(name, 1e-14))


@pytest.mark.parametrize("name", SHAPES)
def test_location_and_scale_move_and_stretch(name: str):
    ours, theirs, shapes = getattr(stats, name), getattr(reference, name), SHAPES[name][0]
    x = np.array([[0.4], [0.9], [1.3]])
    scale = np.array([1.5, 0.8, -1.0, 0.0])
    for method in [*METHODS, "ppf", "isf"]:
        at = x / 2 if method in ("ppf", "isf") else x
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            wanted = getattr(theirs, method)(at, *shapes, 0.2, scale)
        ours_traced = traced(
            lambda loc, s, m=method, at=at: getattr(ours, m)(at, *shapes, loc=loc, scale=s), 0.2, scale
        )
        assert_same(ours_traced, wanted, 1e-8 if name == "vonmises" else 1e-13)


@pytest.mark.parametrize("name", SHAPES)
def test_densities_and_quantiles_are_differentiable(name: str):
    ours, shapes = getattr(stats, name), SHAPES[name][0]
    quantiles = np.array([0.15, 0.8])
    x = 0.2 + 1.5 * ours.ppf(quantiles, *shapes)
    check_grads(ours.logpdf, (x, *shapes, 0.2, 1.5), order=2)
    check_grads(lambda x, *s: [getattr(ours, m)(x, *s) for m in METHODS[1:]], (x, *shapes, 0.2, 1.5), order=1)
    check_grads(lambda q, *s: [ours.ppf(q, *s), ours.isf(q, *s)], (quantiles, *shapes, 0.2, 1.5), order=1)


@pytest.mark.slow
@pytest.mark.parametrize("name", SHAPES)
def test_all_methods_are_twice_differentiable(name: str):
    ours = getattr(stats, name)
    for shapes in SHAPES[name]:
        quantiles = np.array([0.15, 0.4, 0.8])
        x = 0.2 + 1.5 * ours.ppf(quantiles, *shapes)
        regular = np.isfinite(shapes).all() and 0 not in shapes and max(shapes, default=0) < 100
        moving = shapes if regular and (name, shapes) not in [("triang", (1.0,)), ("wrapcauchy", (0.9,))] else ()
        fixed = () if moving else shapes
        for method in METHODS:
            args = (x, *moving, 0.2, 1.5)
            check_grads(lambda x, *s, m=method, f=fixed: getattr(ours, m)(x, *f, *s), args, order=2, rtol=1e-5)
        for method in ("ppf", "isf"):
            check_grads(lambda q, *s, m=method, f=fixed: getattr(ours, m)(q, *f, *s), (quantiles, *moving), order=2)


@pytest.mark.parametrize("name", SHAPES)
def test_quantiles_at_the_ends(name: str):
    ours, shapes = getattr(stats, name), SHAPES[name][0]
    for q, x in zip((0.0, 1.0), getattr(reference, name).support(*shapes), strict=True):
        with np.errstate(all="ignore"):
            slope = xform.grad(ours.ppf)(q, *shapes)
            wanted = 1.0 / ours.pdf(x, *shapes) if np.isfinite(x) else np.inf  # so it is if the density vanishes
            np.testing.assert_allclose(slope, wanted, rtol=1e-9, atol=1e-12)
            np.testing.assert_allclose(xform.grad(ours.isf)(1.0 - q, *shapes), -wanted, rtol=1e-9, atol=1e-12)


def test_second_derivatives_of_quantiles():
    for name in ("gamma", "truncnorm", "invgauss", "f"):
        ours, shapes = getattr(stats, name), SHAPES[name][0]
        check_grads(lambda q, *s, d=ours: d.ppf(q, *s), (0.3, *shapes), order=2)


@pytest.mark.parametrize("name, shapes", [case for case in CASES if bounded(*case)], ids=str)
def test_there_is_no_derivative_outside_of_the_support(name: str, shapes: tuple[float, ...]):
    ours, (low, high) = getattr(stats, name), getattr(reference, name).support(*shapes)
    outside = np.array([low - 0.7, low - 50.0, high + 0.7, high + 50.0])
    outside = outside[np.isfinite(outside)]
    for method in METHODS:
        gradient = xform.grad(lambda *args, m=method: getattr(ours, m)(*args).sum(), tuple(range(len(shapes) + 3)))
        for derivative in gradient(outside, *shapes, 0.0, 1.0):
            np.testing.assert_array_equal(derivative, np.zeros(np.shape(derivative)))


@pytest.mark.parametrize(
    "name, shapes, x, slope",
    [
        ("expon", (), 0.0, -1.0),
        ("gamma", (1.0,), 0.0, -1.0),
        ("gamma", (2.0,), 0.0, 1.0),
        ("gamma", (3.0,), 0.0, 0.0),
        ("chi2", (2.0,), 0.0, -0.25),
        ("chi", (2.0,), 0.0, 1.0),
        ("rayleigh", (), 0.0, 1.0),
        ("maxwell", (), 0.0, 0.0),
        ("weibull_min", (1.0,), 0.0, -1.0),
        ("beta", (2.0, 3.0), 0.0, 12.0),
        ("beta", (1.0, 2.0), 1.0, -2.0),
        ("f", (2.0, 4.0), 0.0, -1.5),
        ("pareto", (2.0,), 1.0, -6.0),
        ("genpareto", (0.5,), 0.0, -1.5),
        ("halfnorm", (), 0.0, 0.0),
        ("uniform", (), 1.0, 0.0),
        ("powerlaw", (2.0,), 0.0, 2.0),
        ("triang", (0.5,), 0.0, 4.0),
    ],
)
def test_at_an_end_of_the_support_the_derivatives_are_limits(name: str, shapes: Any, x: float, slope: float):
    ours = getattr(stats, name)
    np.testing.assert_allclose(xform.grad(ours.pdf)(x, *shapes), slope, atol=1e-12)
    np.testing.assert_allclose(xform.grad(ours.cdf)(x, *shapes), ours.pdf(x, *shapes), atol=1e-12)
    np.testing.assert_allclose(xform.grad(ours.sf)(x, *shapes), -ours.pdf(x, *shapes), atol=1e-12)


@pytest.mark.parametrize("shape", [1.0, 1.3, 2.0, 3.0])
def test_the_top_of_a_symmetric_density(shape: float):
    density = stats.gennorm.pdf(0.0, shape)
    np.testing.assert_allclose(xform.grad(stats.gennorm.cdf)(0.0, shape), density)
    assert xform.grad(stats.gennorm.logpdf)(0.0, shape) == 0.0
    if shape == 2.0:
        np.testing.assert_allclose(xform.grad(xform.grad(stats.gennorm.logpdf))(0.0, shape), -2.0)
    np.testing.assert_allclose(xform.grad(stats.laplace.cdf)(0.0), 0.5)


def test_families_meet_at_their_limits():
    x = np.array([0.3, 1.2])
    normal = xform.vmap(xform.grad(stats.norm.logpdf))(x)
    np.testing.assert_allclose(xform.vmap(xform.grad(lambda x: stats.t.logpdf(x, INF)))(x), normal)
    # log f = -x + c (x^2/2 - x) + O(c^2), and for the other -x - e^-x + ...
    np.testing.assert_allclose(xform.grad(lambda c: stats.genpareto.logpdf(1.2, c))(0.0), 1.2**2 / 2 - 1.2)
    for name in ("genpareto", "genextreme"):
        for method in ("logpdf", "cdf", "ppf"):
            at = 0.4 if method == "ppf" else 1.2
            check_grads(lambda c, m=method, n=name, at=at: getattr(getattr(stats, n), m)(at, c), (0.0,), order=2)
            check_grads(lambda c, m=method, n=name, at=at: getattr(getattr(stats, n), m)(at, c), (0.029,), order=2)


def test_distribution_function_on_the_circle():
    kappas = np.array([0.0, 0.3, 4.0, 60.0, 2000.0])
    for kappa in kappas:
        width = min(np.pi, 12 / np.sqrt(kappa + 1))
        fine = np.linspace(-width, width, 20001)
        density = stats.vonmises.pdf(fine, kappa)
        wanted = np.cumsum((density[1:] + density[:-1]) / 2) * (fine[1] - fine[0])
        ours = traced(lambda x, k=kappa: stats.vonmises.cdf(x, k), fine[1:])
        np.testing.assert_allclose(ours, wanted, atol=1e-6)
    np.testing.assert_allclose(
        traced(lambda x: stats.vonmises.cdf(x, 2.0), 1.0 + 2 * np.pi), 1 + stats.vonmises.cdf(1.0, 2.0)
    )
    check_grads(stats.vonmises.cdf, (np.array([0.6, -0.3]), 20.0), order=2)
    above, below = (traced(stats.vonmises.cdf, 0.1, kappa) for kappa in (300.1, 299.9))  # SciPy approximates there
    np.testing.assert_allclose(xform.grad(stats.vonmises.cdf, argnums=1)(0.1, 300.0), (above - below) / 0.2, rtol=1e-6)


def test_transformations_compose():
    x = np.array([0.5, 1.5, 2.5])
    score = xform.grad(lambda a, x: stats.gamma.logpdf(x, a).sum())
    np.testing.assert_allclose(xform.jit(score)(2.0, x), score(2.0, x))
    np.testing.assert_allclose(xform.vmap(lambda v: stats.invgauss.ppf(v, 0.7))(x / 3), stats.invgauss.ppf(x / 3, 0.7))
    shape_slope = xform.grad(lambda a: stats.gamma.cdf(x, a).sum())
    np.testing.assert_allclose(xform.jit(shape_slope)(2.0), shape_slope(2.0))
    inverse = xform.jit(xform.grad(lambda a: stats.invgauss.isf(0.3, a)))
    np.testing.assert_allclose(inverse(0.7), xform.grad(lambda a: stats.invgauss.isf(0.3, a))(0.7))
    np.testing.assert_allclose(
        xform.vmap(xform.grad(stats.beta.cdf, argnums=1), in_axes=(0, None, None))(x / 3, 2.0, 3.0),
        [xform.grad(stats.beta.cdf, argnums=1)(v, 2.0, 3.0) for v in x / 3],
    )
    _, series = xform.jet(stats.norm.logpdf, (0.5,), ([1.0, 0.0, 0.0],))
    np.testing.assert_allclose(series, [-0.5, -1.0, 0.0], atol=1e-15)


def test_fit_of_parameters_by_score():
    data = reference.gamma.rvs(2.0, scale=1.5, size=400, random_state=0)
    parameters = np.array([1.0, 1.0])
    loss = xform.jit(lambda p: -stats.gamma.logpdf(data, p[0], scale=p[1]).sum())
    for _ in range(30):
        step = np.linalg.solve(xform.hessian(loss)(parameters), xform.grad(loss)(parameters))
        while (parameters - step).min() <= 0:
            step = step / 2
        parameters = parameters - step
    shape, _, scale = reference.gamma.fit(data, floc=0)
    np.testing.assert_allclose(parameters, [shape, scale], rtol=1e-4)


def test_precisions_and_shapes():
    x = np.ones((2, 1), np.float32)
    value, gradient = xform.value_and_grad(lambda x: stats.norm.logpdf(x, np.zeros(3)).sum())(x)
    assert value.dtype == stats.norm.logpdf(np.float32(1)).dtype == np.float64
    assert (gradient.dtype, gradient.shape) == (np.float32, (2, 1))
    assert traced(stats.gamma.ppf, np.zeros((0, 2)), 2.0).shape == (0, 2)
    assert traced(lambda s: stats.uniform.pdf(np.ones((3, 1)), 0.0, s), np.ones(2)).shape == (3, 2)


@pytest.mark.parametrize(
    "call, words",
    [
        (stats.gamma.logpdf, "missing 1 required argument(s): a"),
        (lambda x: stats.gamma.logpdf(x, 1.0, 0.0, 1.0, 2.0), "wanted a, loc, scale"),
        (lambda x: stats.gamma.logpdf(x, 1.0, a=2.0), "'a' is given twice"),
        (lambda x: stats.gamma.logpdf(x, 1.0, shape=2.0), "'shape' is unknown"),
        (lambda x: stats.norm.logpdf(x * 1j), "complex"),
    ],
)
def test_errors(call: Callable[[Any], Any], words: str):
    with says(TypeError, words):
        traced(call, 1.0)


def test_a_family_with_its_parameters_is_a_distribution():
    x = np.array([0.5, 2.0])
    for method in stats.gamma.methods:
        at = x / 3 if method in ("ppf", "isf") else x
        np.testing.assert_array_equal(
            getattr(stats.gamma(2.0, scale=1.5), method)(at), getattr(reference.gamma(2.0, scale=1.5), method)(at)
        )
    assert xform.grad(lambda s: stats.norm(scale=s).logpdf(1.0))(2.0) == xform.grad(stats.norm.logpdf, 2)(1.0, 0.0, 2.0)
    assert stats.poisson(2.0).pmf(3) == reference.poisson(2.0).pmf(3)
    with says(AttributeError, "no method 'rvs'", "logpdf"):
        _ = stats.gamma(2.0).rvs
    with says(TypeError, "missing 1 required"):
        stats.gamma(loc=1.0)


def test_every_family_is_tested():
    families = {name for name in stats.__all__ if isinstance(getattr(stats, name), Continuous)}
    assert families == set(SHAPES)
    assert repr(stats.norm) == "xform.scipy.stats.norm"
