"""A function of a matrix from a scalar function that xform can differentiate, by the Schur-Parlett algorithm.

The Schur form is reordered so that eigenvalues that are close stand together. The function of a diagonal block is its
Taylor series about the mean of its eigenvalues, the blocks above follow from F T = T F, a Sylvester equation for each,
which is regular because eigenvalues of different blocks are apart (Davies and Higham 2003, A Schur-Parlett algorithm
for computing matrix functions). Equal eigenvalues and defective matrices do no harm, so that derivatives are blocks of
the function of a larger matrix (`xform.scipy.linalg.matrix_function`), at a degenerate spectrum as elsewhere: there the
divided differences of Daleckii and Krein are the derivatives in the Taylor series.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np
import scipy.linalg
from numpy.linalg import LinAlgError

from xform.core.trace import EVAL, using
from xform.numpy.dispatch import ArrayLike, implements
from xform.numpy.linalg.operands import square
from xform.scipy.linalg.matrix_function import MatrixFunction
from xform.transforms.jet import jet

#: eigenvalues that are nearer than this, in a chain, share a block; the next distance is tried near a singularity
NEAR = (1e-1, 1e-2, 1e-3, 1e-4)

#: a Taylor series that needs more terms than this, on top of the order of its block, is given up
MOST_TERMS = 160

#: so many terms in succession have to be negligible, because every other one of an even function is zero
QUIET_TERMS = 4


class ScalarFunction(MatrixFunction):
    """f(A) for the scalar function `function`, of which derivatives are taken by Taylor mode."""

    def value(self, a: np.ndarray, **params: Any) -> Any:
        with using(EVAL):
            value = schur_parlett(params["function"], a)
            return np.real(value) if a.dtype.kind == "f" and is_real_on(params["function"], a) else value


scalar_function = ScalarFunction("funm")


def is_real_on(f: Callable[..., Any], a: np.ndarray) -> bool:
    """Whether f(conj z) = conj f(z) for the eigenvalues of a real matrix; those near the real axis count as on it."""
    z = np.linalg.eigvals(a).astype(np.complex128)
    z = np.where(np.abs(z.imag) <= 1e-3 * np.abs(z), z.real + 0j, z)
    return np.allclose(f(np.conj(z) + 0), np.conj(f(z)))


class DivergentError(LinAlgError):
    """The Taylor series of a block does not converge."""


def schur_parlett(f: Callable[..., Any], a: np.ndarray) -> np.ndarray:
    t, z = scipy.linalg.schur(a.astype(np.complex128), output="complex")[:2]
    for near in NEAR:
        try:
            ordered, vectors, sizes = reordered(t, z, clusters(np.diag(t), near))
            return vectors @ of_triangular(f, ordered, sizes) @ vectors.conj().T
        except DivergentError:
            if near == NEAR[-1]:
                raise
    raise AssertionError("unreachable: the last distance returns or raises")


def clusters(values: np.ndarray, near: float) -> list[int]:
    """A number for each value, the same for those that a chain of short steps connects."""
    labels = list(range(len(values)))
    for i in range(len(values)):
        for j in range(i):
            if labels[i] != labels[j] and abs(values[i] - values[j]) <= near:
                old, new = labels[i], labels[j]
                labels = [new if label == old else label for label in labels]
    return labels


def reordered(t: np.ndarray, z: np.ndarray, labels: list[int]) -> tuple[np.ndarray, np.ndarray, list[int]]:
    """The Schur form with the values of each cluster next to each other, in the order of their first members."""
    (trexc,) = scipy.linalg.get_lapack_funcs(("trexc",), (t,))
    sizes, done = [], 0
    while done < len(labels):
        label, start = labels[done], done
        for k in range(start, len(labels)):
            if labels[k] == label:
                t, z, _ = trexc(t, z, k + 1, done + 1)
                labels.insert(done, labels.pop(k))
                done += 1
        sizes.append(done - start)
    return t, z, sizes


def of_triangular(f: Callable[..., Any], t: np.ndarray, sizes: list[int]) -> np.ndarray:
    """F = f(T), block by block: T_ii F_ij - F_ij T_jj = F_ii T_ij - T_ij F_jj + sum_k (F_ik T_kj - T_ik F_kj)."""
    ends = np.cumsum([0, *sizes])
    blocks = [slice(i, j) for i, j in pairwise(ends)]
    (trsyl,) = scipy.linalg.get_lapack_funcs(("trsyl",), (t,))
    out = np.zeros_like(t)
    for b in blocks:
        out[b, b] = of_block(f, t[b, b])
    for j in range(len(blocks)):
        for i in reversed(range(j)):
            row, column, between = blocks[i], blocks[j], slice(ends[i + 1], ends[j])
            right = out[row, row] @ t[row, column] - t[row, column] @ out[column, column]
            right = right + out[row, between] @ t[between, column] - t[row, between] @ out[between, column]
            x, scale, _ = trsyl(t[row, row], t[column, column], right, isgn=-1)
            out[row, column] = x / scale
    return out


def of_block(f: Callable[..., Any], t: np.ndarray) -> np.ndarray:
    """sum_k f^(k)(s) / k! (T - s)^k for the mean s of the eigenvalues."""
    n = len(t)
    center = np.trace(t) / n
    if n == 1:
        return np.asarray(f(np.diag(t)), np.complex128)[:, None]
    nilpotent, count = t - center * np.eye(n), n + 8
    while count <= n + MOST_TERMS:
        with np.errstate(all="ignore"):  # coefficients that overflow do not make the sum converge
            total = summed(taylor(f, center, count), nilpotent)
        if total is not None:
            return total
        count *= 2
    raise DivergentError(
        f"funm: the Taylor series of the function about {center} does not converge for a block of {n} eigenvalues that "
        "are close to each other; it may have a singularity near them"
    )


def taylor(f: Callable[..., Any], center: complex, count: int) -> list[complex]:
    """The coefficients f^(k)(center) / k!."""
    point, zero = np.full(1, center, np.complex128), np.zeros(1, np.complex128)
    value, derivatives = jet(f, (point,), ((np.ones(1, np.complex128), *[zero] * (count - 2)),))
    coefficients = [np.asarray(d).item() / math.factorial(k) for k, d in enumerate(derivatives, 1)]
    return [np.asarray(value).item(), *coefficients]


def summed(coefficients: list[complex], x: np.ndarray) -> np.ndarray | None:
    """The polynomial of a matrix; None if its last terms are not negligible."""
    total, power, quiet = coefficients[0] * np.eye(len(x)), np.eye(len(x), dtype=x.dtype), 0
    for k, c in enumerate(coefficients[1:], 1):
        power = power @ x
        term = c * power
        total = total + term
        negligible = np.linalg.norm(term, 1) <= np.finfo(float).eps * np.linalg.norm(total, 1)
        quiet = quiet + 1 if negligible else 0
        if quiet >= QUIET_TERMS and k >= len(x):
            return total
    return None


@implements(scipy.linalg.funm)
def funm(A: ArrayLike, func: Callable[..., Any], disp: bool = True) -> Any:
    """f(A) for matrices (..., n, n) and a scalar function f, called with arrays of eigenvalues.

    It is differentiable in A to every order, also where eigenvalues are equal and where A is defective, if f is a
    complex function that xform can differentiate: written with NumPy or xform, not calling what only knows numbers.
    SciPy's values for plain arrays lose all digits at equal eigenvalues; those for traced ones do not. The result for a
    traced real matrix is taken to be real: pass a complex one if it is not, else ValueError is raised.
    Raises LinAlgError if A is not square, ValueError for `disp` False: the error estimate is SciPy's.

    >>> import numpy as np, xform
    >>> A = np.array([[1.0, 1.0], [0.0, 1.0]])
    >>> y, y_dot = xform.jvp(lambda A: funm(A, np.exp), (A,), (A,))
    >>> (y / np.e).round(9), (y_dot / np.e).round(9)
    (array([[1., 1.],
           [0., 1.]]), array([[1., 2.],
           [0., 1.]]))
    """
    if not disp:
        raise ValueError("funm: disp=False asks for SciPy's error estimate, which there is not for traced matrices")
    return scalar_function(square("funm", A), function=func)
