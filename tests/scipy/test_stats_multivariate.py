"""Distributions of vectors, density estimates and statistics of samples: SciPy's values when traced, derivatives."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import scipy.stats as reference

import xform
import xform.numpy as xnp
from tests.messages import says
from xform.scipy import stats
from xform.testing import check_grads

RNG = np.random.default_rng(0)
ROOT = RNG.normal(size=(3, 3)) + 2 * np.eye(3)
COV, MEAN, X = ROOT @ ROOT.T, RNG.normal(size=3), RNG.normal(size=(4, 3))


def traced(f: Callable[..., Any], *args: Any) -> Any:
    """f(*args), computed on traced values."""
    return xform.jvp(f, args, tuple(np.zeros(np.shape(x)) for x in args))[0]


def close(actual: Any, wanted: Any) -> None:
    assert np.shape(actual) == np.shape(wanted)
    np.testing.assert_allclose(actual, wanted, rtol=1e-10, atol=1e-13)


# --- normal and t ---


@pytest.mark.parametrize("method", ["logpdf", "pdf"])
@pytest.mark.parametrize(
    "x, mean, cov",
    [
        (X, MEAN, COV),
        (X[0], MEAN, COV),
        (X.reshape(2, 2, 3), MEAN, np.array([1.0, 2.0, 3.0])),
        (X, MEAN, 2.0),
        (X[:, 0], 0.5, 2.0),
        (0.3, None, 1.0),
        (X[:, :1], np.array([0.5]), np.array([[2.0]])),
    ],
)
def test_normal_vectors_are_scipys(x: Any, mean: Any, cov: Any, method: str):
    ours, theirs = getattr(stats.multivariate_normal, method), getattr(reference.multivariate_normal, method)
    np.testing.assert_array_equal(ours(x, mean, cov), theirs(x, mean, cov))
    close(traced(lambda x, cov: ours(x, mean, cov), x, cov), theirs(x, mean, cov))
    t = getattr(reference.multivariate_t, method)
    for df in (1.0, 4.5, np.inf):
        wanted = t(x, mean, cov, df) if df < np.inf else theirs(x, mean, cov)
        close(traced(lambda x, df: getattr(stats.multivariate_t, method)(x, mean, cov, df), x, df), wanted)


def test_normal_vectors_are_differentiable():
    def at(x: Any, mean: Any, root: Any) -> Any:
        return stats.multivariate_normal.logpdf(x, mean, root @ root.T)

    check_grads(at, (X[:2], MEAN, ROOT), order=2)
    check_grads(lambda x, s: stats.multivariate_normal.pdf(x, MEAN, s), (X[:2], np.array([1.0, 2.0, 0.5])), order=2)
    check_grads(lambda r, df: stats.multivariate_t.logpdf(X, MEAN, r @ r.T, df), (ROOT, 3.5), order=2)
    # d log f / d Sigma = (Sigma^-1 d d^T Sigma^-1 - Sigma^-1) / 2
    inverse, d = np.linalg.inv(COV), X[0] - MEAN
    gradient = xform.grad(lambda c: stats.multivariate_normal.logpdf(X[0], MEAN, c))(COV)
    np.testing.assert_allclose(gradient, (np.outer(inverse @ d, inverse @ d) - inverse) / 2, rtol=1e-8)


def test_singular_covariances():
    root = ROOT[:, :2]
    cov = root @ root.T
    inside, outside = MEAN + root @ np.array([0.5, -1.0]), MEAN + X[0]
    points = np.stack([inside, outside])
    for method in ("logpdf", "pdf"):
        ours = getattr(stats.multivariate_normal, method)
        wanted = getattr(reference.multivariate_normal, method)(points, MEAN, cov, allow_singular=True)
        close(traced(lambda x, f=ours: f(x, MEAN, cov, allow_singular=True), points), wanted)
        close(xform.jit(lambda c, f=ours: f(points, MEAN, c, allow_singular=True))(cov), wanted)
    close(
        traced(lambda s: stats.multivariate_t.logpdf(points, MEAN, s, 3.0), cov),
        reference.multivariate_t.logpdf(points, MEAN, cov, 3.0),
    )
    # along the range the density is a normal one of two coordinates
    check_grads(
        lambda r, u: stats.multivariate_normal.logpdf(MEAN + r @ u, MEAN, r @ r.T, allow_singular=True),
        (root, np.array([0.5, -1.0])),
        order=2,
    )
    with says(np.linalg.LinAlgError, "symmetric positive definite"):
        traced(lambda c: stats.multivariate_normal.logpdf(points, MEAN, c), cov)
    with says(ValueError, "semidefinite"):
        traced(lambda c: stats.multivariate_normal.logpdf(points, MEAN, -c, allow_singular=True), cov)


def test_vectors_under_transformations():
    batched = xform.vmap(lambda x, m: stats.multivariate_normal.logpdf(x, m, COV))(X, X[::-1])
    close(batched, [reference.multivariate_normal.logpdf(x, m, COV) for x, m in zip(X, X[::-1], strict=True)])
    covs = np.stack([COV, np.eye(3)])
    singles = xform.vmap(lambda c: stats.multivariate_normal.logpdf(X, MEAN, c, allow_singular=True))(covs)
    close(singles, np.stack([reference.multivariate_normal.logpdf(X, MEAN, c) for c in covs]))
    score = xform.grad(lambda c: stats.multivariate_normal.logpdf(X, MEAN, c).sum())
    close(xform.jit(score)(COV), score(COV))


# --- Dirichlet and multinomial ---


def test_dirichlet_is_scipys():
    alpha = np.array([0.9, 2.0, 3.5])
    x = np.array([[0.2, 0.5, 0.1], [0.3, 0.2, 0.1], [0.5, 0.3, 0.8]])
    for method in ("logpdf", "pdf"):
        ours, theirs = getattr(stats.dirichlet, method), getattr(reference.dirichlet, method)
        for shares in (x, x[:, 0], x[:2], x[:2, 0]):
            close(traced(lambda s, a, f=ours: f(s, a), shares, alpha), theirs(shares, alpha))
        check_grads(lambda z, a, f=ours: f(xnp.exp(z) / xnp.exp(z).sum(axis=0), a), (np.log(x), alpha), order=2)
    # at a corner the limit: f = 12 x_0 x_1 x_2^0 ... for alpha = (2, 2, 1) is 24 x_0 x_1 / 2
    slope = xform.grad(lambda s: stats.dirichlet.pdf(xnp.stack([s, 0.5 - s, 0.5 + 0.0 * s]), np.array([2.0, 2.0, 1.0])))
    np.testing.assert_allclose(
        slope(0.0), reference.dirichlet.pdf([1e-6, 0.5 - 1e-6, 0.5], [2, 2, 1]) / 1e-6, rtol=1e-5
    )
    close(xform.jit(stats.dirichlet.logpdf)(x, alpha), reference.dirichlet.logpdf(x, alpha))


def test_multinomial_is_scipys():
    p = np.array([0.2, 0.3, 0.5])
    x = np.array([[1, 2, 3], [0, 6, 0], [1, 1, 1], [-1, 3, 4]])
    for method in ("logpmf", "pmf"):
        ours, theirs = getattr(stats.multinomial, method), getattr(reference.multinomial, method)
        close(traced(lambda p, f=ours: f(x, 6, p), p), theirs(x, 6, p))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # SciPy says that it will not complete probabilities any more
            for q in ([0.2, 0.3, 0.1], [-0.5, 0.5, 1.0], [0.0, 0.5, 0.5], [1.0, 0.0, 0.0]):
                close(traced(lambda p, f=ours: f(x, 6, p), np.array(q)), theirs(x, 6, q))
        check_grads(lambda z, f=ours: f(x[:2], 6, xnp.exp(z) / xnp.exp(z).sum()), (np.log(p),), order=2)
    # 6 p_0 p_1^2 p_2^3 10 at p_0 = 0
    slope = xform.grad(lambda p: stats.multinomial.pmf(np.array([1, 2, 3]), 6, p))(np.array([0.0, 0.5, 0.5]))
    np.testing.assert_allclose(slope, [60 * 0.5**5, 0.0, 0.0])


# --- density estimates ---


@pytest.mark.parametrize("method", [None, "scott", "silverman", 0.4, lambda kde: 2.0 * kde.scotts_factor()])
@pytest.mark.parametrize("d", [1, 2])
def test_density_estimates_are_scipys(d: int, method: Any):
    sample, weights = RNG.normal(size=(d, 12)), RNG.uniform(size=12)
    points = RNG.normal(size=(d, 5))
    theirs = reference.gaussian_kde(sample, method, weights)

    def ours(sample: Any, weights: Any) -> Any:
        return stats.gaussian_kde(sample, method, weights)

    close(traced(lambda s, w: ours(s, w)(points), sample, weights), theirs(points))
    close(traced(lambda s, w: ours(s, w).logpdf(points), sample, weights), theirs.logpdf(points))
    plain, other = ours(sample, weights), stats.gaussian_kde(points)
    close(plain.pdf(points), theirs.pdf(points))
    close(plain.inv_cov, theirs.inv_cov)
    close(plain.integrate_kde(other), theirs.integrate_kde(reference.gaussian_kde(points)))
    close(plain.integrate_gaussian(np.ones(d), np.eye(d)), theirs.integrate_gaussian(np.ones(d), np.eye(d)))
    if d == 1:
        close(plain.integrate_box_1d(-0.5, 1.0), theirs.integrate_box_1d(-0.5, 1.0))
    assert plain.resample(7, seed=0).shape == (d, 7)


def test_density_estimates_are_differentiable():
    sample, weights, points = RNG.normal(size=(2, 6)), RNG.uniform(0.5, 1.0, size=6), RNG.normal(size=(2, 3))
    check_grads(lambda s, w, x: stats.gaussian_kde(s, None, w).logpdf(x), (sample, weights, points), order=1)
    check_grads(lambda h, x: stats.gaussian_kde(sample, h).pdf(x), (0.5, points), order=2)
    close(xform.jit(lambda s: stats.gaussian_kde(s)(points))(sample), reference.gaussian_kde(sample)(points))
    assert stats.gaussian_kde(sample)(points[:, 0]).shape == (1,)


# --- statistics of samples ---

TIES = np.array([[3.0, 1.0, 3.0, 2.0], [1.0, 1.0, 2.0, 2.0], [5.0, 1.0, 4.0, 4.0], [3.0, np.nan, 0.5, 4.0]])


@pytest.mark.parametrize("axis", [0, 1, -1, None])
def test_statistics_of_samples_are_scipys(axis: Any):
    for method in ("average", "min", "max", "dense", "ordinal"):
        wanted = reference.rankdata(TIES, method, axis=axis)
        close(traced(lambda a, m=method: stats.rankdata(a, m, axis=axis), TIES), wanted)
    finite = TIES[:3]
    for a in (finite, TIES):
        for keepdims in (False, True):
            wanted = reference.mode(a, axis, keepdims=keepdims)
            found = traced(lambda a, k=keepdims: stats.mode(a, axis, keepdims=k), a)
            close(found.mode, wanted.mode)
            close(found.count, wanted.count)
            close(
                traced(lambda a, k=keepdims: stats.sem(a, axis, keepdims=k), a),
                reference.sem(a, axis, keepdims=keepdims),
            )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # SciPy says that equal entries have no score
            wanted = reference.zscore(a, axis, 1)
        close(traced(lambda a: stats.zscore(a, axis, 1), a), wanted)


def test_statistics_of_samples_are_differentiable():
    x = RNG.normal(size=(3, 4))
    check_grads(stats.sem, (x,), order=2)
    check_grads(lambda x: stats.zscore(x, None), (x,), order=2)
    gradient = xform.grad(lambda x: stats.mode(x).mode)(np.array([3.0, 1.0, 3.0, 2.0]))
    assert gradient.sum() == 1.0
    assert gradient[[0, 2]].sum() == 1.0
    assert not xform.jacobian(stats.rankdata)(x[0]).any()
    close(xform.jit(stats.rankdata)(TIES[:3]), reference.rankdata(TIES[:3]))
    close(xform.vmap(lambda a: stats.mode(a).count)(TIES[:3]), reference.mode(TIES[:3], axis=1).count)


# --- errors ---


@pytest.mark.parametrize(
    "call, error, words",
    [
        (lambda x: stats.multivariate_normal.logpdf(x, MEAN, np.eye(2)), ValueError, "dimension mismatch"),
        (lambda x: stats.multivariate_normal.logpdf(x, np.eye(3), COV), ValueError, "dimension mismatch"),
        (lambda x: stats.multivariate_t.logpdf(x, MEAN, COV, 0.0), ValueError, "'df' must be greater than zero"),
        (lambda x: stats.dirichlet.logpdf(abs(x) / 10, np.ones(3)), ValueError, "simplex"),
        (lambda x: stats.dirichlet.logpdf(np.ones(3) / 3, x * 0.0), ValueError, "greater than 0"),
        (lambda x: stats.multinomial.logpmf(np.ones(2), 2, x), ValueError, "one entry for each outcome"),
        (lambda x: stats.gaussian_kde(x[:1]), ValueError, "multiple elements"),
        (lambda x: stats.gaussian_kde(x[:, None]), ValueError, "greater than number of samples"),
        (lambda x: stats.gaussian_kde(xnp.stack([x, x])), np.linalg.LinAlgError, "subspace"),
        (lambda x: stats.gaussian_kde(x, "best"), ValueError, "'silverman'"),
        (lambda x: stats.gaussian_kde(x, weights=np.ones(2)), ValueError, "length n = 3"),
        (lambda x: stats.gaussian_kde(x)(np.ones((2, 2))), ValueError, "points have dimension 2"),
        (lambda x: stats.gaussian_kde(x).resample(3), TypeError, "xform.random"),
        (lambda x: stats.gaussian_kde(X.T).integrate_box_1d(0.0, x[0]), ValueError, "1D"),
        (lambda x: stats.gaussian_kde(x).integrate_kde(stats.gaussian_kde(X.T)), ValueError, "same dimensionality"),
        (lambda x: stats.gaussian_kde(x).integrate_gaussian(np.ones(2), np.eye(2)), ValueError, "dimension 1"),
        (lambda x: stats.rankdata(x, "best"), ValueError, "unknown method"),
        (lambda x: stats.mode(x, nan_policy="omit"), ValueError, "nan_policy='omit'"),
    ],
)
def test_errors(call: Callable[[Any], Any], error: type[Exception], words: str):
    with says(error, words):
        traced(lambda x: (call(x), x)[1], MEAN)


def test_names():
    assert repr(stats.multivariate_normal) == "xform.scipy.stats.multivariate_normal"
    assert all(hasattr(reference, name) for name in stats.__all__ if name != "ModeResult")
