"""Equations, determinants and decompositions: single and stacked, real, complex, float32, and of size zero.

Cholesky and eigh are functions of Hermitian matrices, and complex vectors are determined up to a phase, so differences
in arbitrary directions mean nothing there; tests/ops/test_linalg.py has their derivatives.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.samples.base import normal, sample, uniform
from xform.ops.linear_algebra.determinant import cofactor, det, slogdet
from xform.ops.linear_algebra.eigen import eig, left_eigenvectors
from xform.ops.linear_algebra.factor import cholesky, qr
from xform.ops.linear_algebra.gaps import diagonal_form, gap_quotient
from xform.ops.linear_algebra.householder import geqrf
from xform.ops.linear_algebra.pseudoinverse import hermitian_part, lstsq, pinv
from xform.ops.linear_algebra.solve import inv, solve, triangular_solve
from xform.ops.linear_algebra.spectral import eigh, svd


def regular(*shape: int, dtype: Any = np.float64) -> np.ndarray:
    """Matrices near 2 I: far from singular ones, and from those where the sign of a column of Q or R changes."""
    x = uniform(-0.5, 0.5, *shape)
    return np.asarray(
        x + 2 * np.eye(*shape[-2:]) + (1j * uniform(-0.5, 0.5, *shape) if is_complex(dtype) else 0), dtype
    )


def positive(*shape: int, dtype: Any = np.float64) -> np.ndarray:
    """Hermitian positive definite matrices."""
    a = regular(*shape, dtype=dtype)
    return a @ np.conjugate(np.swapaxes(a, -1, -2))


def spread(*shape: int, dtype: Any = np.float64) -> np.ndarray:
    """Matrices whose singular values are 1, 2, 3, ..., so that the vectors are well determined."""
    u, _, vh = np.linalg.svd(normal(*shape, dtype=np.complex128 if is_complex(dtype) else float), full_matrices=False)
    return np.asarray((u * (np.arange(min(shape[-2:])) + 1.0)) @ vh, dtype)


def apart(*shape: int, dtype: Any = np.float64) -> np.ndarray:
    """Square matrices that are not symmetric, whose eigenvalues are real and apart."""
    a = np.triu(uniform(0.5, 1.0, *shape)) + np.diag(2.0 * np.arange(shape[-1]))
    return np.asarray(a + 0.1 * np.tril(normal(*shape, dtype=dtype), -1), dtype)


def threshold(*lead: int) -> np.ndarray:
    """The fraction of the largest singular value below which others count as zero, one a matrix."""
    return np.full((*lead, 1, 1), 1e-3)


def is_complex(dtype: Any) -> bool:
    return np.dtype(dtype).kind == "c"


c128, c64, f32 = np.complex128, np.complex64, np.float32

SAMPLES = [
    sample(solve, regular(3, 3), normal(3, 2)),
    sample(solve, regular(2, 2, 2), normal(2, 2, 1)),
    sample(solve, regular(2, 2, dtype=c128), normal(2, 2, dtype=c128)),
    sample(solve, regular(2, 2, dtype=f32), normal(2, 1, dtype=f32)),
    sample(solve, normal(0, 0), normal(0, 2)),
    sample(solve, regular(2, 2), normal(2, 0)),
    sample(triangular_solve, regular(3, 3), normal(3, 2), lower=True, unit_diagonal=False),
    sample(triangular_solve, regular(3, 3), normal(3, 2), lower=False, unit_diagonal=False),
    sample(triangular_solve, regular(2, 2, 2), normal(2, 2, 1), lower=True, unit_diagonal=True),
    sample(triangular_solve, regular(2, 2, dtype=c128), normal(2, 2, dtype=c128), lower=False, unit_diagonal=True),
    sample(triangular_solve, regular(2, 2, dtype=f32), normal(2, 1, dtype=f32), lower=True, unit_diagonal=False),
    sample(triangular_solve, normal(0, 0), normal(0, 2), lower=True, unit_diagonal=False),
    sample(inv, regular(3, 3), strict=True),
    sample(inv, regular(2, 2, 2), strict=False),
    sample(inv, regular(2, 2, dtype=c128), strict=True),
    sample(inv, regular(2, 2, dtype=f32), strict=True),
    sample(inv, normal(0, 0), strict=True),
    sample(inv, np.zeros((2, 2)), strict=False, smooth=False),
    sample(det, normal(3, 3)),
    sample(det, normal(2, 2, 2)),
    sample(det, normal(2, 2, dtype=c128)),
    sample(det, normal(2, 2, dtype=f32)),
    sample(det, normal(1, 1)),
    sample(det, normal(0, 0)),
    sample(det, np.outer([1.0, 2.0, 3.0], [2.0, -1.0, 0.5])),
    sample(det, np.zeros((2, 2))),
    sample(cofactor, regular(3, 3)),
    sample(cofactor, regular(2, 2), normal(2, 2)),
    sample(cofactor, regular(2, 1, 2, 2), normal(3, 2, 2)),
    sample(cofactor, regular(3, 3), normal(3, 3), normal(3, 3)),
    sample(cofactor, regular(2, 2, dtype=c128), normal(2, 2, dtype=c128)),
    sample(cofactor, regular(2, 2, dtype=f32), normal(2, 2, dtype=f32)),
    sample(cofactor, np.outer([1.0, 2.0, 3.0], [2.0, -1.0, 0.5]), normal(3, 3), smooth=False),
    sample(cofactor, normal(1, 1), normal(1, 1)),
    sample(cofactor, normal(0, 0)),
    sample(slogdet, regular(3, 3)),
    sample(slogdet, -regular(2, 3, 3)),
    sample(slogdet, regular(2, 2, dtype=c128)),
    sample(slogdet, regular(2, 2, dtype=c64)),
    sample(slogdet, regular(2, 2, dtype=f32)),
    sample(slogdet, normal(0, 0)),
    sample(slogdet, np.zeros((2, 2)), smooth=False),
    sample(cholesky, positive(3, 3), smooth=False),
    sample(cholesky, positive(2, 2, 2), smooth=False),
    sample(cholesky, positive(2, 2, dtype=c128), smooth=False),
    sample(cholesky, positive(2, 2, dtype=f32), smooth=False),
    sample(cholesky, positive(1, 1)),
    sample(cholesky, normal(0, 0)),
    sample(qr, regular(3, 3), complete=False),
    sample(qr, regular(4, 2), complete=False),
    sample(qr, regular(2, 2, 3), complete=False),
    sample(qr, regular(2, 3), complete=True),
    sample(qr, regular(4, 2), complete=True, smooth=False),
    sample(qr, regular(3, 2, dtype=c128), complete=False),
    sample(qr, regular(2, 3, dtype=c128), complete=False),
    sample(qr, regular(3, 2, dtype=f32), complete=False),
    sample(qr, normal(3, 0), complete=True, smooth=False),
    sample(qr, normal(0, 2), complete=False),
    sample(eigh, positive(3, 3), lower=True, smooth=False),
    sample(eigh, positive(2, 2, 2), lower=False, smooth=False),
    sample(eigh, positive(2, 2, dtype=c128), lower=True, smooth=False),
    sample(eigh, positive(2, 2, dtype=f32), lower=True, smooth=False),
    sample(eigh, np.eye(2), lower=True, smooth=False),
    sample(eigh, normal(1, 1), lower=True),
    sample(eigh, normal(0, 0), lower=True),
    sample(svd, spread(3, 3), full_matrices=False, compute_uv=True),
    sample(svd, spread(4, 2), full_matrices=False, compute_uv=True),
    sample(svd, spread(2, 2, 3), full_matrices=False, compute_uv=True),
    sample(svd, spread(2, 2), full_matrices=True, compute_uv=True),
    sample(svd, spread(4, 2), full_matrices=True, compute_uv=True, smooth=False),
    sample(svd, spread(2, 3, dtype=c128), full_matrices=False, compute_uv=True, smooth=False),
    sample(svd, spread(3, 2, dtype=f32), full_matrices=False, compute_uv=True),
    sample(svd, np.zeros((2, 3)), full_matrices=True, compute_uv=True, smooth=False),
    sample(svd, normal(0, 2), full_matrices=True, compute_uv=True, smooth=False),
    sample(svd, spread(3, 2), full_matrices=False, compute_uv=False),
    sample(svd, spread(2, 2, 2), full_matrices=False, compute_uv=False),
    sample(svd, spread(2, 3, dtype=c128), full_matrices=False, compute_uv=False),
    sample(svd, spread(2, 3, dtype=f32), full_matrices=False, compute_uv=False),
    sample(eig, apart(3, 3), vectors=True),
    sample(eig, np.array([[1.0, 2.0], [-3.0, 1.5]]), vectors=True),
    sample(eig, apart(2, 2, 2), vectors=True),
    sample(eig, apart(3, 3, dtype=c128), vectors=True),
    sample(eig, apart(2, 2, dtype=f32), vectors=True),
    sample(eig, np.eye(2), vectors=True, smooth=False),
    sample(eig, normal(0, 0), vectors=True),
    sample(eig, apart(3, 3), vectors=False),
    sample(eig, apart(2, 2, 2, dtype=c128), vectors=False),
    sample(eig, apart(2, 2, dtype=c64), vectors=False),
    sample(gap_quotient, np.diag([1.0, 2.0, 4.0]), normal(3, 3), sign=1),
    sample(gap_quotient, np.diag([1.0, 2.0]) + 0.5 * normal(2, 2, 2), normal(2, 2, 2), sign=-1),
    sample(gap_quotient, np.diag([1.0, 2.0]), normal(3, 2), sign=0),
    sample(gap_quotient, np.diag([1.0, 2.0j, -3.0]), normal(3, 3, dtype=c128), sign=1),
    sample(gap_quotient, np.diag([1.0, 2.0]).astype(f32), normal(2, 2, dtype=f32), sign=1),
    sample(gap_quotient, np.diag([2.0, 2.0, 1.0]), normal(3, 3), sign=1, smooth=False),
    sample(gap_quotient, np.diag([1.0, 0.0, 0.0]), normal(3, 3), sign=-1, smooth=False),
    sample(gap_quotient, normal(0, 0), normal(0, 0), sign=1),
    sample(diagonal_form, normal(3, 4), normal(2, 3), normal(4, 2), normal(1, 2), hermitian=True, smooth=False),
    sample(
        diagonal_form,
        *(normal(2, 2, 2), normal(2, 2, 2, dtype=c128), normal(2, 2, 2, dtype=c128), normal(2, 1, 2)),
        hermitian=False,
        smooth=False,
    ),
    sample(
        diagonal_form, *(normal(*s, dtype=f32) for s in [(2, 2), (2, 2), (2, 2), (1, 2)]), hermitian=False, smooth=False
    ),
    sample(left_eigenvectors, regular(2, 2, 2, dtype=c128)),
    sample(left_eigenvectors, regular(3, 3, dtype=c64)),
    sample(left_eigenvectors, normal(0, 0, dtype=c128)),
    sample(pinv, spread(3, 3), threshold(), hermitian=False),
    sample(pinv, spread(3, 2), threshold(), hermitian=False),
    sample(pinv, spread(2, 2, 3), threshold(2), hermitian=False),
    sample(pinv, spread(2, 3, dtype=c128), threshold(), hermitian=False),
    sample(pinv, spread(3, 2, dtype=f32), threshold().astype(f32), hermitian=False),
    sample(pinv, np.ones((2, 2)), threshold(), hermitian=False, smooth=False),
    sample(pinv, np.zeros((2, 3)), threshold(), hermitian=False, smooth=False),
    sample(pinv, positive(2, 2, 2), threshold(2), hermitian=True, smooth=False),
    sample(pinv, positive(2, 2, dtype=c128), threshold(), hermitian=True, smooth=False),
    sample(hermitian_part, normal(3, 3), smooth=False),
    sample(hermitian_part, normal(2, 2, 2, dtype=c128), smooth=False),
    sample(hermitian_part, normal(2, 2, dtype=f32), smooth=False),
    sample(hermitian_part, normal(0, 0)),
    sample(lstsq, spread(3, 2), normal(3, 2), rcond=1e-3),
    sample(lstsq, spread(2, 3), normal(2, 1), rcond=1e-3),
    sample(lstsq, spread(2, 3, 2), normal(2, 3, 1), rcond=1e-3),
    sample(lstsq, spread(3, 2, dtype=c128), normal(3, 2, dtype=c128), rcond=1e-3),
    sample(lstsq, spread(3, 2, dtype=f32), normal(3, 1, dtype=f32), rcond=1e-3),
    sample(lstsq, np.ones((3, 2)), normal(3, 1), rcond=1e-3, smooth=False),
    sample(lstsq, normal(2, 0), normal(2, 1), rcond=-1.0, smooth=False),
    sample(lstsq, spread(2, 2), normal(2, 0), rcond=-1.0),
    sample(geqrf, regular(3, 3)),
    sample(geqrf, regular(4, 2)),
    sample(geqrf, regular(2, 2, 3)),
    sample(geqrf, regular(3, 2, dtype=c128)),
    sample(geqrf, regular(2, 3, dtype=c128)),
    sample(geqrf, regular(3, 2, dtype=f32)),
    sample(geqrf, normal(1, 2)),
    sample(geqrf, normal(3, 0), smooth=False),
]
