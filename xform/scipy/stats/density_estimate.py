"""The density of a sample, smoothed by normal kernels.

f(x) = sum_i w_i N(x; x_i, h^2 C),        C the weighted covariance of the sample, h the bandwidth
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import scipy.special as sp
import scipy.stats

import xform.numpy as xnp
from xform.core.trace import underlying
from xform.numpy.dispatch import ArrayLike, as_dtype, asarray, has_tracer
from xform.ops.linear_algebra.factor import cholesky
from xform.ops.linear_algebra.solve import solve_triangular

__all__ = ["gaussian_kde"]


class gaussian_kde:  # SciPy's name
    """The density estimate of a sample (d, n), or (n,) of numbers, by normal kernels with the sample's covariance.

    `bw_method` is "scott", h = neff^(-1/(d + 4)), "silverman", h = (neff (d + 2)/4)^(-1/(d + 4)), a number h, or a
    function of this object; neff = (sum w)^2 / sum w^2. It is differentiable in the sample, the weights, the bandwidth
    and the points.

    Raises ValueError for a sample of fewer than two numbers, or of fewer points than dimensions, and for weights that
    do not fit; LinAlgError if the sample lies in a subspace.

    >>> import xform
    >>> sample = np.array([0.0, 1.0, 3.0])
    >>> float(xform.grad(lambda x: gaussian_kde(sample).logpdf(x)[0])(1.0).round(6))
    -0.063176
    """

    def __init__(self, dataset: ArrayLike, bw_method: Any = None, weights: ArrayLike | None = None) -> None:
        self.dataset = xnp.atleast_2d(as_dtype(asarray(dataset), np.float64))
        self.d, self.n = self.dataset.shape
        if self.d * self.n < 2:
            raise ValueError("`dataset` input should have multiple elements.")
        if self.d > self.n:
            raise ValueError(
                f"Number of dimensions, {self.d}, is greater than number of samples, {self.n}; each column of "
                "`dataset` is a point, consider transposing it"
            )
        self.weights = np.full(self.n, 1.0 / self.n) if weights is None else self.normalized(weights)
        self.neff = 1.0 / xnp.sum(self.weights * self.weights)
        self.factor: Any = None
        self.set_bandwidth(bw_method)

    def normalized(self, weights: ArrayLike) -> Any:
        w = xnp.atleast_1d(as_dtype(asarray(weights), np.float64))
        if w.shape != (self.n,):
            raise ValueError(f"`weights` input should be a vector of length n = {self.n}; its shape is {w.shape}")
        return w / xnp.sum(w)

    def scotts_factor(self) -> Any:
        """The bandwidth neff^(-1/(d + 4))."""
        return xnp.power(self.neff, -1.0 / (self.d + 4))

    def silverman_factor(self) -> Any:
        """The bandwidth (neff (d + 2)/4)^(-1/(d + 4))."""
        return xnp.power(self.neff * (self.d + 2.0) / 4.0, -1.0 / (self.d + 4))

    def set_bandwidth(self, bw_method: Any = None) -> None:
        """Another bandwidth: "scott", "silverman", a number or a function of this object.

        >>> kde = gaussian_kde([0.0, 1.0, 3.0])
        >>> kde.set_bandwidth(0.5)
        >>> float(kde.factor)
        0.5
        """
        if bw_method is None or (isinstance(bw_method, str) and bw_method == "scott"):
            self.factor = self.scotts_factor()
        elif isinstance(bw_method, str):
            if bw_method != "silverman":
                raise ValueError(
                    f"bw_method={bw_method!r} was given; `bw_method` should be 'scott', 'silverman', a scalar or a "
                    "callable."
                )
            self.factor = self.silverman_factor()
        else:
            self.factor = bw_method(self) if callable(bw_method) else as_dtype(asarray(bw_method), np.float64)
        self.covariance = self.sample_covariance() * self.factor**2
        self.check_regular()
        self.cho_cov = cholesky(self.covariance)

    def sample_covariance(self) -> Any:
        """sum w_i (x_i - m)(x_i - m)^T / (1 - sum w_i^2)."""
        off = self.dataset - (self.dataset @ self.weights)[:, None]
        return (self.weights * off) @ off.T / (1.0 - xnp.sum(self.weights * self.weights))

    def check_regular(self) -> None:
        known = underlying(self.covariance)
        if known is not None and not (np.linalg.eigvalsh(known) > 0).all():
            raise np.linalg.LinAlgError(
                "The data appears to lie in a lower-dimensional subspace of the space in which it is expressed. This "
                "has resulted in a singular data covariance matrix; use fewer coordinates"
            )

    @property
    def inv_cov(self) -> Any:
        """The inverse of the kernels' covariance."""
        half = solve_triangular(self.cho_cov, np.eye(self.d), lower=True)
        return half.T @ half

    def log_kernels(self, points: Any, mean: Any, factor: Any) -> Any:
        """log N(x_j; m_i, L L^T) for points (d, m) and means (d, n), as an array (m, n)."""
        z = solve_triangular(factor, points, lower=True), solve_triangular(factor, mean, lower=True)
        off = z[0][:, :, None] - z[1][:, None, :]
        log_det = xnp.sum(xnp.log(xnp.diagonal(factor)))
        return -0.5 * xnp.sum(off * off, axis=0) - self.d / 2 * math.log(2 * math.pi) - log_det

    def points(self, points: ArrayLike) -> Any:
        """Points (d, m); a vector of length d is one point."""
        x = xnp.atleast_2d(as_dtype(asarray(points), np.float64))
        if x.shape[0] == 1 and x.shape[1] == self.d:
            x = xnp.reshape(x, (self.d, 1))
        if x.shape[0] != self.d:
            raise ValueError(f"points have dimension {x.shape[0]}, dataset has dimension {self.d}")
        return x

    def logpdf(self, x: ArrayLike) -> Any:
        """The logarithm of the density at points (d, m)."""
        with np.errstate(divide="ignore"):
            terms = self.log_kernels(self.points(x), self.dataset, self.cho_cov) + xnp.log(self.weights)
        largest = xnp.max(terms, axis=-1, keepdims=True)
        return xnp.log(xnp.sum(xnp.exp(terms - largest), axis=-1)) + largest[:, 0]

    def evaluate(self, points: ArrayLike) -> Any:
        """The density at points (d, m)."""
        return xnp.exp(self.log_kernels(self.points(points), self.dataset, self.cho_cov)) @ self.weights

    __call__ = evaluate

    def pdf(self, x: ArrayLike) -> Any:
        """The density at points (d, m)."""
        return self.evaluate(x)

    def integrate_gaussian(self, mean: ArrayLike, cov: ArrayLike) -> Any:
        """The integral of the density times that of a normal distribution."""
        mean = xnp.atleast_1d(xnp.squeeze(as_dtype(asarray(mean), np.float64)))
        cov = xnp.atleast_2d(as_dtype(asarray(cov), np.float64))
        if mean.shape != (self.d,) or cov.shape != (self.d, self.d):
            raise ValueError(
                f"mean and covariance of shapes {mean.shape} and {cov.shape} do not have dimension {self.d}"
            )
        kernels = self.log_kernels(mean[:, None], self.dataset, cholesky(self.covariance + cov))
        return xnp.sum(xnp.exp(kernels[0]) * self.weights)

    def integrate_box_1d(self, low: ArrayLike, high: ArrayLike) -> Any:
        """The integral of the density of numbers from `low` to `high`."""
        if self.d != 1:
            raise ValueError("integrate_box_1d() only handles 1D pdfs")
        deviation, sample = self.cho_cov[0, 0], self.dataset[0]
        inside = sp.ndtr((asarray(high) - sample) / deviation) - sp.ndtr((asarray(low) - sample) / deviation)
        return xnp.sum(self.weights * inside)

    def integrate_kde(self, other: gaussian_kde) -> Any:
        """The integral of the product with another estimate."""
        if other.d != self.d:
            raise ValueError(f"KDEs are not the same dimensionality: {self.d} and {other.d}")
        kernels = self.log_kernels(self.dataset, other.dataset, cholesky(self.covariance + other.covariance))
        return self.weights @ xnp.exp(kernels) @ other.weights

    def resample(self, size: int | None = None, seed: Any = None) -> Any:
        """Random points (d, size) of the density, by SciPy; of traced samples use `xform.random`."""
        if has_tracer((self.dataset, self.weights, self.factor), {}):
            raise TypeError(
                "gaussian_kde.resample: a traced sample was given; draw indices and normals with xform.random"
            )
        return scipy.stats.gaussian_kde(self.dataset, float(self.factor), self.weights).resample(size, seed)
