"""Discrete distributions: SciPy's values on traced parameters, derivatives in them, parameters at their bounds."""

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
from xform.scipy.stats.discrete import Discrete
from xform.testing import check_grads

SHAPES: dict[str, list[tuple[float, ...]]] = {
    "bernoulli": [(0.3,), (0.0,), (1.0,)],
    "binom": [(10.0, 0.3), (1.0, 0.5), (10.0, 0.0), (10.0, 1.0), (0.0, 0.3)],
    "nbinom": [(3.0, 0.4), (0.5, 0.9), (2.0, 1.0)],
    "geom": [(0.2,), (1.0,)],
    "poisson": [(3.0,), (0.2,), (0.0,), (40.0,)],
    "betabinom": [(10.0, 2.0, 3.0), (5.0, 0.5, 0.5)],
    "hypergeom": [(20.0, 7.0, 12.0), (10.0, 8.0, 5.0)],
    "logser": [(0.6,)],
}
#: the parameters in which one differentiates
CONTINUOUS = {"binom": (1,), "nbinom": (0, 1), "betabinom": (1, 2), "hypergeom": ()}
CASES = [(name, shapes) for name, rows in SHAPES.items() for shapes in rows]
K = np.array([-3.0, -1, 0, 0.5, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 30, np.nan])
Q = np.array([0.0, 1e-6, 0.1, 0.5, 0.9, 1 - 1e-6, 1.0, -0.1, 1.1, np.nan])
METHODS = ["logpmf", "pmf", "cdf", "sf", "logcdf", "logsf"]


def traced(f: Callable[..., Any], *args: Any) -> Any:
    """f(*args), computed on traced values."""
    return xform.jvp(f, args, tuple(np.zeros(np.shape(x)) for x in args))[0]


@pytest.mark.parametrize("name, shapes", CASES, ids=str)
def test_values_are_scipys(name: str, shapes: tuple[float, ...]):
    ours, theirs = getattr(stats, name), getattr(reference, name)
    counts = K[K != 0.5] if name == "hypergeom" else K  # of broken numbers SciPy's sum is nan
    for method in [*METHODS, "ppf", "isf"]:
        at = Q if method in ("ppf", "isf") else counts
        for loc in (0.0, 2.0):
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                wanted = getattr(theirs, method)(at, *shapes, loc)
                np.testing.assert_array_equal(getattr(ours, method)(at, *shapes, loc=loc), wanted)
            result = traced(lambda *s, m=method, at=at, loc=loc: getattr(ours, m)(at, *s, loc=loc), *shapes)
            assert (result.shape, result.dtype) == (wanted.shape, wanted.dtype)
            np.testing.assert_allclose(result, wanted, rtol=1e-9, atol=1e-13)


@pytest.mark.parametrize(
    "name, shapes", [("bernoulli", (1.5,)), ("binom", (2.5, 0.3)), ("geom", (0.0,)), ("poisson", (-1.0,))]
)
def test_without_a_distribution_there_are_no_numbers(name: str, shapes: tuple[float, ...]):
    for method in METHODS:
        assert np.isnan(traced(lambda *s, m=method: getattr(getattr(stats, name), m)(K, *s), *shapes)).all()


@pytest.mark.parametrize("name", SHAPES)
def test_parameters_are_differentiable(name: str):
    ours, shapes = getattr(stats, name), SHAPES[name][0]
    places = CONTINUOUS.get(name, tuple(range(len(shapes))))

    def at(method: str) -> Callable[..., Any]:
        def f(*some: Any) -> Any:
            moved = [some[places.index(k)] if k in places else s for k, s in enumerate(shapes)]
            return getattr(ours, method)(np.array([-1.0, 0.0, 1.0, 4.0, 12.0]), *moved)

        return f

    some = tuple(shapes[k] for k in places)
    if not some:
        assert traced(lambda loc: ours.pmf(4, *shapes, loc=loc), 0.0) == pytest.approx(ours.pmf(4, *shapes))
        return
    check_grads(at("pmf"), some, order=2)
    check_grads(at("cdf"), some, order=1)
    check_grads(at("sf"), some, order=1)
    for method in ("logpmf", "logcdf", "logsf"):
        finite = np.isfinite(at(method)(*some))
        check_grads(lambda *s, m=method, f=finite: at(m)(*s)[f], some, order=1)


def test_probabilities_at_the_bounds_of_parameters():
    # n p (1 - p)^(n-1) at p = 0 and n = 4: 4 p - 12 p^2 + ...
    one_of_four = [
        xform.grad(stats.binom.pmf, argnums=2),
        xform.grad(xform.grad(stats.binom.pmf, argnums=2), argnums=2),
    ]
    assert [d(1, 4, 0.0) for d in one_of_four] == [4.0, -24.0]
    assert xform.grad(stats.binom.pmf, argnums=2)(0, 4, 0.0) == -4.0
    assert xform.grad(stats.binom.pmf, argnums=2)(4, 4, 1.0) == 4.0
    assert xform.grad(stats.poisson.pmf, argnums=1)(1, 0.0) == 1.0
    assert xform.grad(stats.poisson.pmf, argnums=1)(0, 0.0) == -1.0
    assert xform.grad(stats.poisson.logpmf, argnums=1)(0, 0.0) == -1.0
    assert xform.grad(stats.bernoulli.pmf, argnums=1)(1, 0.0) == 1.0
    assert xform.grad(stats.geom.pmf, argnums=1)(1, 1.0) == 1.0


def test_counts_and_quantiles_are_steps():
    assert xform.grad(stats.poisson.logpmf)(3.0, 2.0) == 0.0
    assert xform.grad(stats.poisson.cdf)(3.3, 2.0) == 0.0
    assert xform.grad(stats.poisson.ppf, argnums=(0, 1))(0.3, 2.0) == (0.0, 0.0)
    assert xform.grad(lambda loc: stats.poisson.ppf(0.3, 2.0, loc))(1.0) == 1.0
    np.testing.assert_array_equal(
        xform.vmap(lambda q: stats.binom.ppf(q, 5, 0.4))(Q[1:5]), stats.binom.ppf(Q[1:5], 5, 0.4)
    )


def test_transformations_compose():
    counts = np.arange(6)
    score = xform.grad(lambda mu: stats.poisson.logpmf(counts, mu).sum())
    np.testing.assert_allclose(xform.jit(score)(2.0), score(2.0))
    rows = xform.vmap(lambda k: stats.betabinom.cdf(k, 5, 2.0, 3.0))(counts)
    np.testing.assert_allclose(rows, reference.betabinom.cdf(counts, 5, 2.0, 3.0))
    grid = traced(lambda a: stats.betabinom.cdf(counts[:, None], 5, a, 3.0), np.array([1.0, 2.0]))
    np.testing.assert_allclose(grid, reference.betabinom.cdf(counts[:, None], 5, [1.0, 2.0], 3.0))
    with says(xform.ConcretizationError, "betabinom", "not traced"):
        xform.jit(lambda k: stats.betabinom.cdf(k, 5, 2.0, 3.0))(2.0)


def test_every_family_is_tested():
    assert {name for name in stats.__all__ if isinstance(getattr(stats, name), Discrete)} == set(SHAPES)
