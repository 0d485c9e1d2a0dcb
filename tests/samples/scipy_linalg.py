"""Primitives of xform.scipy.linalg: single and stacked matrices, real, complex, float32, and of size zero.

The polar factor and pivoted factorisations of complex matrices are not holomorphic, but differentiable in the real
sense, like all else here; the sign of a matrix and pivots are constant between the points where they jump.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.samples.base import integers, normal, sample, uniform
from xform.scipy.linalg.banded import banded_solve
from xform.scipy.linalg.eigenproblems import eig_pencil, eigh_of_scipy
from xform.scipy.linalg.exponential import exponential, logarithm, power
from xform.scipy.linalg.hessenberg_form import hessenberg_form
from xform.scipy.linalg.lu_factors import lu_factors, permutation
from xform.scipy.linalg.orthogonal import column_pivots
from xform.scipy.linalg.riccati import continuous_riccati, discrete_riccati
from xform.scipy.linalg.roots import sign, square_root, unitary_factor
from xform.scipy.linalg.schur_form import complex_form, schur_form, triangular_turn
from xform.scipy.linalg.schur_parlett import scalar_function
from xform.scipy.linalg.sylvester import sylvester
from xform.scipy.linalg.toeplitz_systems import toeplitz_solve

c128, f32 = np.complex128, np.float32


def near(diagonal: float, *shape: int, dtype: Any = np.float64) -> np.ndarray:
    """Matrices near a multiple of the identity."""
    x = uniform(-0.4, 0.4, *shape)
    return np.asarray(
        x
        + diagonal * np.eye(shape[-2], shape[-1])
        + (1j * uniform(-0.4, 0.4, *shape) if np.dtype(dtype).kind == "c" else 0),
        dtype,
    )


def bands(*shape: int, main: int, dtype: Any = np.float64) -> np.ndarray:
    """Diagonals of matrices in which the main one is large."""
    x = near(0, *shape, dtype=dtype)
    x[..., main, :] += 3
    return x


def of_one_matrix(prim: Any, diagonal: float, **params: Any) -> list[Any]:
    return [
        sample(prim, near(diagonal, 3, 3), **params),
        sample(prim, near(diagonal, 2, 2, 2), **params),
        sample(prim, near(diagonal, 2, 2, dtype=c128), **params),
        sample(prim, near(diagonal, 2, 2, dtype=f32), **params),
        sample(prim, normal(0, 0), **params),
    ]


def of_directions(prim: Any, diagonal: float, **params: Any) -> list[Any]:
    return [
        sample(prim, near(diagonal, 2, 2), normal(2, 2), **params),
        sample(prim, near(diagonal, 2, 2, dtype=c128), normal(2, 2, dtype=c128), **params),
        sample(prim, near(diagonal, 2, 2), np.zeros((2, 2)), **params),
    ]


def graded(n: int, dtype: Any = np.float64) -> np.ndarray:
    """A matrix with eigenvalues near 1, 2, .., n."""
    return np.asarray(near(0, n, n, dtype=dtype) / 4 + np.diag(np.arange(1.0, n + 1)), dtype)


def control(n: int, m: int, dtype: Any = np.float64) -> tuple[np.ndarray, ...]:
    """a, b, q, r, e, s of a Riccati equation."""
    plain = (near(0, n, n, dtype=dtype), normal(n, m, dtype=dtype))
    weights = (np.diag(np.arange(1.0, n + 1)).astype(dtype), np.eye(m, dtype=dtype))
    return (*plain, *weights, near(0, n, n, dtype=dtype) / 4 + np.eye(n, dtype=dtype), near(0, n, m, dtype=dtype) / 4)


def of_riccati(prim: Any) -> list[Any]:
    """Q and R are Hermitian, so that differences in arbitrary directions mean nothing."""
    return [
        sample(prim, *control(2, 1), balanced=False, smooth=False),
        sample(prim, *(x[None] for x in control(2, 2, c128)), balanced=False, smooth=False),
        sample(prim, *(x.astype(f32) for x in control(1, 1)), balanced=True, smooth=False),
    ]


SAMPLES = [
    sample(sylvester, near(2, 3, 3), near(2, 2, 2), normal(3, 2)),
    sample(sylvester, near(2, 2, 2, 2), near(2, 2, 1, 1), normal(2, 2, 1)),
    sample(sylvester, near(2, 2, 2, dtype=c128), near(2, 2, 2), normal(2, 2, dtype=c128)),
    sample(sylvester, near(2, 2, 2, dtype=f32), near(2, 1, 1, dtype=f32), normal(2, 1, dtype=f32)),
    sample(sylvester, normal(0, 0), near(2, 2, 2), normal(0, 2)),
    sample(toeplitz_solve, bands(5, 1, main=2).T.copy(), normal(3, 2)),
    sample(toeplitz_solve, np.array([[[0.5, 3.0, 0.2]], [[0.1, 2.0, -0.3]]]), normal(2, 2, 1)),
    sample(toeplitz_solve, np.array([[0.5j, 3.0, 0.2 - 1j]]), normal(2, 1, dtype=c128)),
    sample(toeplitz_solve, np.array([[0.5, 3.0, 0.2]], f32), normal(2, 1, dtype=f32)),
    sample(toeplitz_solve, normal(1, 0), normal(0, 1)),
    sample(banded_solve, bands(3, 4, main=1), normal(4, 2), bands=(1, 1), definite=False),
    sample(banded_solve, bands(2, 3, 3, main=0), normal(2, 3, 1), bands=(2, 0), definite=False),
    sample(banded_solve, bands(3, 2, main=1, dtype=c128), normal(2, 1, dtype=c128), bands=(1, 1), definite=False),
    sample(banded_solve, bands(2, 3, main=1, dtype=f32), normal(3, 1, dtype=f32), bands=(0, 1), definite=False),
    sample(banded_solve, normal(3, 0), normal(0, 1), bands=(1, 1), definite=False),
    sample(
        banded_solve,
        np.array([[0.0, 0.5, 0.2], [2.0, 3.0, 4.0], [0.5, 0.2, 0.0]]),
        normal(3, 2),
        bands=(1, 1),
        definite=True,
        smooth=False,  # a function of Hermitian matrices
    ),
    *of_one_matrix(exponential, 0),
    *of_directions(exponential, 0),
    *of_one_matrix(logarithm, 2),
    sample(logarithm, near(2, 2, 2), normal(2, 2)),
    *of_one_matrix(power, 2, exponent=0.7),
    sample(power, near(2, 2, 2, dtype=c128), normal(2, 2, dtype=c128), exponent=-1.5),
    *of_one_matrix(square_root, 2),
    *of_one_matrix(sign, -1),
    *of_one_matrix(unitary_factor, 2),
    sample(unitary_factor, near(2, 4, 2)),
    sample(unitary_factor, near(2, 3, 2, dtype=c128)),
    *of_one_matrix(lu_factors, 2),
    sample(lu_factors, near(2, 4, 2)),
    sample(lu_factors, near(2, 2, 4)),
    sample(lu_factors, near(2, 3, 3)[::-1].copy()),
    sample(lu_factors, normal(0, 2)),
    sample(permutation, np.array([2, 2, 2], np.int32), count=4),
    sample(permutation, np.array([[1, 1], [0, 1]], np.int32), count=2),
    sample(permutation, integers(0, 1, 0).astype(np.int32), count=0),
    sample(column_pivots, near(2, 3, 3)[:, ::-1].copy(), smooth=False),
    sample(column_pivots, normal(2, 2, 3), smooth=False),
    sample(column_pivots, normal(0, 2), smooth=False),
    *of_one_matrix(scalar_function, 1, function=np.exp),
    sample(scalar_function, near(1, 2, 2), normal(2, 2), function=np.sin),
    sample(hessenberg_form, near(0, 4, 4) + 1),
    sample(hessenberg_form, near(0, 2, 3, 3) + 1),
    sample(hessenberg_form, near(0, 3, 3, dtype=c128) + 1),
    sample(hessenberg_form, near(0, 3, 3, dtype=f32) + f32(1)),
    sample(hessenberg_form, near(0, 2, 2)),
    sample(hessenberg_form, normal(0, 0)),
    *of_riccati(continuous_riccati),
    *of_riccati(discrete_riccati),
    sample(eigh_of_scipy, graded(3) + graded(3).T, lower=True, smooth=False),
    sample(eigh_of_scipy, np.stack([graded(2), graded(2)]), lower=False, smooth=False),
    sample(eigh_of_scipy, graded(2, c128), lower=True, smooth=False),
    sample(eigh_of_scipy, normal(0, 0), lower=True, smooth=False),
    sample(eig_pencil, graded(3), near(2, 3, 3), standard=False, smooth=False),
    sample(eig_pencil, np.stack([graded(2)] * 2), np.stack([np.eye(2)] * 2), standard=True, smooth=False),
    sample(eig_pencil, graded(2, c128), near(2, 2, 2), standard=False, smooth=False),
    sample(eig_pencil, normal(0, 0), normal(0, 0), standard=False, smooth=False),
    sample(schur_form, graded(3), output="real", sort=None),
    sample(schur_form, graded(3), output="complex", sort="lhp", smooth=False),
    sample(schur_form, np.stack([graded(2), graded(2)]), output="real", sort=None),
    sample(schur_form, graded(2, c128), output="complex", sort=None, smooth=False),
    sample(schur_form, normal(0, 0), output="real", sort=None),
    sample(complex_form, np.triu(graded(3)), output="complex", sort=None, smooth=False),
    sample(triangular_turn, np.triu(graded(3)), np.tril(normal(3, 3), -1), transposed=False, smooth=False),
    sample(triangular_turn, np.triu(graded(3)), np.tril(normal(3, 3), -1), transposed=True, smooth=False),
    sample(triangular_turn, np.triu(graded(2, c128)), normal(2, 2, dtype=c128), transposed=False, smooth=False),
]
