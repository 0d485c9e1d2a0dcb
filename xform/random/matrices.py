"""Random vectors and matrices: normally distributed with a covariance, and orthogonal."""

from __future__ import annotations

from typing import Any

import numpy as np

from xform.numpy.dispatch import ArrayLike, as_dtype
from xform.random.arguments import as_shape, float_dtype, one_key, real, sample_shape
from xform.random.keys import count_of
from xform.random.quantiles import normal

__all__ = ["multivariate_normal", "orthogonal"]

METHODS = ("cholesky", "eigh", "svd")


def multivariate_normal(
    key: ArrayLike,
    mean: ArrayLike,
    cov: ArrayLike,
    shape: Any = None,
    dtype: Any = None,
    method: str = "cholesky",
) -> Any:
    """Normally distributed vectors along the last axis, mean + A z with A A^T = cov, differentiable in both.

    A is the Cholesky factor, or by `method` V sqrt(lambda) of eigenvectors ("eigh") or of singular ones ("svd"), which
    also exists if the covariance is singular. `shape` is that of the samples without the last axis. Raises ValueError
    for shapes that do not fit and another method, LinAlgError for a covariance that is not positive definite.

    >>> import xform.random as random
    >>> print(multivariate_normal(random.key(42), np.zeros(2), np.array([[1.0, 0.5], [0.5, 1.0]])))
    [ 0.39597478 -0.26059823]
    """
    dtype, key = float_dtype("multivariate_normal", dtype), one_key("multivariate_normal", key)
    mean, cov = (real("multivariate_normal", option, x, dtype) for option, x in (("mean", mean), ("cov", cov)))
    if not mean.ndim or cov.shape[-2:] != (mean.shape[-1],) * 2:
        raise ValueError(
            f"random.multivariate_normal: a mean of shape {mean.shape} and a covariance of shape {cov.shape} were "
            "given, wanted (..., n) and (..., n, n)"
        )
    wanted = sample_shape("multivariate_normal", shape, np.zeros(mean.shape[:-1]), np.zeros(cov.shape[:-2]))
    z = normal(key, (*wanted, mean.shape[-1]), dtype)
    return mean + np.squeeze(root(cov, method) @ z[..., None], -1)


def root(cov: Any, method: str) -> Any:
    """A with A A^T = cov."""
    if method == "cholesky":
        return np.linalg.cholesky(cov)
    if method == "eigh":
        values, vectors = np.linalg.eigh(cov)
        return vectors * np.sqrt(np.maximum(values, 0))[..., None, :]
    if method == "svd":
        left, values, _ = np.linalg.svd(cov)
        return left * np.sqrt(values)[..., None, :]
    raise ValueError(f"random.multivariate_normal: method={method!r} was given, wanted one of {METHODS}")


def orthogonal(key: ArrayLike, n: int, shape: Any = (), dtype: Any = None, m: int | None = None) -> Any:
    """Matrices (n, m) with orthonormal rows or columns, of which no direction is preferred; unitary ones if complex.

    The factor Q of normally distributed matrices, with signs that make the diagonal of R positive (F. Mezzadri, "How to
    generate random matrices from the classical compact groups", Notices of the AMS 54, 2007). m is n by default.

    >>> import xform.random as random
    >>> q = orthogonal(random.key(42), 3)
    >>> np.allclose(q.T @ q, np.eye(3))
    True
    """
    n = count_of("orthogonal", n)
    m, lead = n if m is None else count_of("orthogonal", m), as_shape("orthogonal", shape)
    as_shape("orthogonal", (n, m))
    if dtype is None or np.dtype(dtype).kind != "c":
        dtype = float_dtype("orthogonal", dtype)
    kind = np.dtype(dtype)
    z = normal(one_key("orthogonal", key), (*lead, max(n, m), min(n, m)), np.result_type(kind, np.float32))
    q, r = np.linalg.qr(z)
    d = np.diagonal(r, axis1=-2, axis2=-1)
    q = q * (d / np.abs(d))[..., None, :]
    return as_dtype(q if n >= m else np.conj(np.swapaxes(q, -1, -2)), kind)
