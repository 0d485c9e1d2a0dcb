"""Distributions of vectors: normal and Student's t, Dirichlet, multinomial.

The quadratic form and the determinant come from one Cholesky factor, Sigma = L L^T: |L^-1 d|^2 and 2 sum log L_ii. A
singular Sigma is made regular by the projector N on its null space: with d in the range,

    log det(Sigma + N) = log pdet Sigma,        d^T (Sigma + N)^-1 d = d^T Sigma^+ d.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import scipy.special as sp
import scipy.stats
from numpy.linalg import LinAlgError

import xform.numpy as xnp
from xform.core.trace import concrete, underlying
from xform.numpy.dispatch import ArrayLike, as_dtype, asarray, has_tracer
from xform.ops.identity import stop_gradient
from xform.ops.linear_algebra.factor import cholesky
from xform.ops.linear_algebra.solve import solve_triangular

__all__ = ["dirichlet", "multinomial", "multivariate_normal", "multivariate_t"]

LOG_2PI = math.log(2 * math.pi)


def method(rule: Callable[..., Any]) -> Any:
    """Decorator: SciPy's method of the same name, and `rule` on traced values."""
    name = rule.__name__

    @functools.wraps(rule)
    def either(self: Any, *args: Any, **kwds: Any) -> Any:
        if has_tracer(args, kwds):
            with np.errstate(all="ignore"):
                return rule(self, *args, **kwds)
        return getattr(getattr(scipy.stats, self.name), name)(*args, **kwds)

    return either


class Multivariate:
    """A family of distributions of vectors, with SciPy's name."""

    name: str

    def __repr__(self) -> str:
        return f"xform.scipy.stats.{self.name}"


class MultivariateNormal(Multivariate):
    """The normal distribution of vectors, by its mean and its covariance: a matrix, its diagonal, or a number.

    With `allow_singular` the covariance may be singular; the density is then that on its range, and zero off it.
    Raises ValueError for shapes that do not fit and for a covariance that is not positive semidefinite, LinAlgError for
    a singular one that is not allowed, as far as its numbers are known.

    >>> import xform
    >>> cov = np.array([[2.0, 1.0], [1.0, 2.0]])
    >>> xform.grad(lambda x: multivariate_normal.logpdf(x, np.zeros(2), cov))(np.array([1.0, 3.0])).round(6)
    array([ 0.333333, -1.666667])
    """

    name = "multivariate_normal"

    @method
    def logpdf(self, x: ArrayLike, mean: Any = None, cov: Any = 1, allow_singular: bool = False) -> Any:
        """The logarithm of the density at points (..., d)."""
        mean, cov = mean_and_matrix("cov", mean, cov)
        square, log_det, rank, inside = quadratic(points(x, mean) - mean, cov, allow_singular)
        value = -0.5 * (rank * LOG_2PI + log_det + square)
        return xnp.squeeze(value if inside is None else xnp.where(inside, value, -np.inf))

    @method
    def pdf(self, x: ArrayLike, mean: Any = None, cov: Any = 1, allow_singular: bool = False) -> Any:
        """The density at points (..., d)."""
        return xnp.exp(self.logpdf(x, mean, cov, allow_singular))


class MultivariateT(Multivariate):
    """Student's t distribution of vectors, by its location, its matrix `shape` and its degrees of freedom.

    Raises ValueError for shapes that do not fit, for a matrix that is not positive semidefinite and for df <= 0,
    LinAlgError for a singular matrix that is not allowed, as far as the numbers are known.

    >>> import xform
    >>> float(xform.grad(lambda df: multivariate_t.logpdf(np.ones(2), np.zeros(2), np.eye(2), df))(2.0).round(6))
    0.153426
    """

    name = "multivariate_t"

    @method
    def logpdf(self, x: ArrayLike, loc: Any = None, shape: Any = 1, df: ArrayLike = 1) -> Any:
        """The logarithm of the density at points (..., d); a singular matrix is allowed."""
        return self.log_density(x, loc, shape, df, True)

    @method
    def pdf(
        self, x: ArrayLike, loc: Any = None, shape: Any = 1, df: ArrayLike = 1, allow_singular: bool = False
    ) -> Any:
        """The density at points (..., d)."""
        return xnp.exp(self.log_density(x, loc, shape, df, allow_singular))

    def log_density(self, x: Any, loc: Any, shape: Any, df: Any, allow_singular: bool) -> Any:
        loc, shape = mean_and_matrix("shape", loc, shape)
        df, known = as_dtype(asarray(df), np.float64), underlying(df)
        if known is not None and np.any(np.less_equal(known, 0)):
            raise ValueError("multivariate_t: 'df' must be greater than zero")
        square, log_det, rank, inside = quadratic(points(x, loc) - loc, shape, allow_singular)
        d, infinite = loc.shape[0], xnp.isinf(df)
        df = xnp.where(infinite, 1.0, df)
        half = (df + d) / 2
        student = sp.gammaln(half) - sp.gammaln(df / 2) - d / 2 * xnp.log(df * math.pi) - half * xnp.log1p(square / df)
        normal = -0.5 * (rank * LOG_2PI + square)
        normal = normal if inside is None else xnp.where(inside, normal, -np.inf)
        return xnp.squeeze(xnp.where(infinite, normal, student) - log_det / 2)


def mean_and_matrix(name: str, mean: Any, matrix: Any) -> tuple[Any, Any]:
    """A vector and a square matrix of its length, in double precision, from SciPy's abbreviations."""
    matrix = as_dtype(asarray(1.0 if matrix is None else matrix), np.float64)
    if mean is None:
        mean = np.zeros(matrix.shape[0] if matrix.ndim == 2 else 1)
    mean = as_dtype(asarray(mean), np.float64)
    d = int(np.prod(mean.shape))
    if d == 1 and matrix.ndim < 3 and int(np.prod(matrix.shape)) == 1:
        mean, matrix = xnp.reshape(mean, (1,)), xnp.reshape(matrix, (1, 1))
    elif matrix.ndim < 2:
        matrix = matrix * np.eye(d) if matrix.ndim == 0 else xnp.diag(matrix)
    if mean.ndim != 1 or matrix.shape != (d, d):
        raise ValueError(
            f"dimension mismatch: '{name}' has shape {matrix.shape} and the location {mean.shape}; "
            "wanted (d, d) and (d,)"
        )
    return mean, matrix


def points(x: ArrayLike, mean: Any) -> Any:
    """Points (..., d); of one dimension a vector is many of them."""
    x = as_dtype(asarray(x), np.float64)
    if x.ndim == 0:
        return x[None]
    if x.ndim == 1:
        return x[:, None] if mean.shape[0] == 1 else x[None, :]
    return x


def quadratic(d: Any, matrix: Any, allow_singular: bool) -> tuple[Any, Any, Any, Any]:
    """The quadratic form of the inverse, the logarithm of the determinant, the rank, and which d are in the range."""
    values, small = check_definite(matrix, allow_singular)
    n = matrix.shape[0]
    inside, rank = None, n
    if allow_singular and (small is None or small.any()):
        values, vectors = xnp.linalg.eigh(matrix)
        cutoff = 1e6 * np.finfo(float).eps * xnp.max(xnp.abs(values), axis=-1)
        small = values <= cutoff
        null = (vectors * small) @ vectors.T
        matrix, rank = matrix + null, n - xnp.sum(small)
        inside = xnp.linalg.norm(stop_gradient(d @ null), axis=-1) < 1e3 * cutoff
        d = d - d @ null
    factor = cholesky(symmetric(matrix))
    flat = xnp.reshape(d, (-1, n))
    z = solve_triangular(factor, flat.T, lower=True)
    log_det = 2.0 * xnp.sum(xnp.log(xnp.diagonal(factor)))
    return xnp.reshape(xnp.sum(z * z, axis=0), d.shape[:-1]), log_det, rank, inside


def symmetric(matrix: Any) -> Any:
    """A symmetric matrix itself; its derivative in both of two equal entries, not only in the one that is read."""
    return (matrix + matrix.T) / 2


def check_definite(matrix: Any, allow_singular: bool) -> tuple[Any, Any]:
    """Eigenvalues and which of them vanish, if they are known; SciPy's errors."""
    known = underlying(matrix)
    if known is None:
        return None, None
    values = np.linalg.eigvalsh(known)
    cutoff = 1e6 * np.finfo(float).eps * np.abs(values).max(axis=-1, keepdims=True)
    if (values < -cutoff).any():
        raise ValueError("The input matrix must be symmetric positive semidefinite.")
    if not allow_singular and (values <= cutoff).any():
        raise LinAlgError("When `allow_singular is False`, the input matrix must be symmetric positive definite.")
    return values, values <= cutoff


class Dirichlet(Multivariate):
    """The Dirichlet distribution of shares x (n, ...) that add up to one, by its concentrations alpha (n,).

    The last share may be left out. Raises ValueError, as far as the numbers are known, for concentrations that are not
    positive and for x that are no shares.

    >>> import xform
    >>> x = np.array([0.2, 0.3, 0.5])
    >>> xform.grad(lambda alpha: dirichlet.pdf(x, alpha))(np.ones(3)).round(6)
    array([-0.218876,  0.592054,  1.613706])
    """

    name = "dirichlet"

    @method
    def logpdf(self, x: ArrayLike, alpha: ArrayLike) -> Any:
        """The logarithm of the density."""
        x, alpha = shares(x, alpha)
        terms = sp.xlogy(xnp.reshape(alpha - 1.0, (-1, *(1,) * (x.ndim - 1))), x)
        return xnp.squeeze(xnp.sum(terms, axis=0) - log_beta(alpha))

    @method
    def pdf(self, x: ArrayLike, alpha: ArrayLike) -> Any:
        """The density."""
        x, alpha = shares(x, alpha)
        factors = xnp.power(x, xnp.reshape(alpha - 1.0, (-1, *(1,) * (x.ndim - 1))))
        return xnp.squeeze(xnp.prod(factors, axis=0) * xnp.exp(-log_beta(alpha)))


def log_beta(alpha: Any) -> Any:
    """log B(alpha) = sum log Gamma(alpha_i) - log Gamma(sum alpha_i)."""
    return xnp.sum(sp.gammaln(alpha)) - sp.gammaln(xnp.sum(alpha))


def shares(x: Any, alpha: Any) -> tuple[Any, Any]:
    """All shares, and the concentrations."""
    x, alpha = as_dtype(asarray(x), np.float64), as_dtype(asarray(alpha), np.float64)
    known = concrete(x), concrete(alpha)
    if known[0] is not None and known[1] is not None:
        scipy.stats.dirichlet.logpdf(*known)  # for its errors
    if alpha.ndim != 1 or x.ndim == 0 or x.shape[0] not in (alpha.shape[0], alpha.shape[0] - 1):
        raise ValueError(
            f"dirichlet: x has shape {x.shape} and alpha {alpha.shape}; wanted a vector alpha, and as many entries "
            "of x or one fewer"
        )
    if x.shape[0] != alpha.shape[0]:
        x = xnp.concatenate([x, (1.0 - xnp.sum(x, axis=0))[None]])
    return x, alpha


class Multinomial(Multivariate):
    """The distribution of the numbers x (..., k) of outcomes in n trials with the probabilities p (..., k).

    Where the numbers do not add up to n, the probability is zero; for p that are no probabilities it is nan. If they do
    not add up to one, the last one is replaced by the rest.

    >>> import xform
    >>> xform.grad(lambda p: multinomial.logpmf(np.array([1, 2]), 3, p))(np.array([0.25, 0.75])).round(6)
    array([4.      , 2.666667])
    """

    name = "multinomial"

    @method
    def logpmf(self, x: ArrayLike, n: ArrayLike, p: ArrayLike) -> Any:
        """The logarithm of the probability."""
        x, n, p, inside, valid = outcomes(x, n, p)
        value = sp.gammaln(n + 1.0) + xnp.sum(sp.xlogy(x, p) - sp.gammaln(x + 1.0), axis=-1)
        return xnp.where(valid, xnp.where(inside, value, -np.inf), np.nan)

    @method
    def pmf(self, x: ArrayLike, n: ArrayLike, p: ArrayLike) -> Any:
        """The probability."""
        x, n, p, inside, valid = outcomes(x, n, p)
        ways = xnp.exp(sp.gammaln(n + 1.0) - xnp.sum(sp.gammaln(x + 1.0), axis=-1))
        value = ways * xnp.prod(xnp.power(p, x), axis=-1)
        some_zero = xnp.any(p == 0.0, axis=-1)
        safe = xnp.where(some_zero[..., None], 0.5, p)
        smooth = xnp.exp(sp.gammaln(n + 1.0) + xnp.sum(sp.xlogy(x, safe) - sp.gammaln(x + 1.0), axis=-1))
        return xnp.where(valid, xnp.where(inside, xnp.where(some_zero, value, smooth), 0.0), np.nan)


def outcomes(x: Any, n: Any, p: Any) -> tuple[Any, ...]:
    """Numbers, trials, probabilities; where the numbers are possible, and where there is a distribution."""
    x, n, p = (as_dtype(asarray(v), np.float64) for v in (x, n, p))
    if x.ndim == 0 or p.ndim == 0 or x.shape[-1] != p.shape[-1]:
        raise ValueError(
            f"multinomial: x has shape {x.shape} and p {p.shape}; wanted arrays with one entry for each outcome"
        )
    off = xnp.abs(1.0 - xnp.sum(p, axis=-1)) > 10 * np.finfo(float).eps
    last = xnp.where(off, 1.0 - xnp.sum(p[..., :-1], axis=-1), p[..., -1])
    p = xnp.concatenate([p[..., :-1], last[..., None]], axis=-1)
    x = xnp.floor(x) + 0.0 * stop_gradient(x)
    valid = xnp.logical_and(n >= 0, xnp.all(xnp.logical_and(p >= 0, p <= 1), axis=-1))
    inside = xnp.logical_and(xnp.sum(x, axis=-1) == n, xnp.all(x >= 0, axis=-1))
    return xnp.where(inside[..., None], x, 0.0), n, p, inside, valid


multivariate_normal = MultivariateNormal()
multivariate_t = MultivariateT()
dirichlet = Dirichlet()
multinomial = Multinomial()
