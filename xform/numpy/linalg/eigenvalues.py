"""Eigenvalues and eigenvectors, of Hermitian and of general matrices."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from xform.core.trace import concrete
from xform.numpy.dispatch import implements
from xform.numpy.linalg.operands import square
from xform.ops.complex import real
from xform.ops.linear_algebra import eigen, spectral

__all__ = ["eig", "eigh", "eigvals", "eigvalsh"]

#: NumPy's named tuples, so that a result is the same tree whether it is traced or not
EigResult: Any = type(np.linalg.eig(np.eye(1)))
EighResult: Any = type(np.linalg.eigh(np.eye(1)))

#: has a real matrix with real eigenvalues real results, in the installed NumPy?
REAL_IF_POSSIBLE = np.linalg.eigvals(np.eye(1)).dtype.kind == "f"


@implements(np.linalg.eig)
def eig(a: ArrayLike) -> Any:
    """The eigenvalues w and eigenvectors V of a square matrix, A V = V diag(w), as (eigenvalues, eigenvectors).

    They are complex, unless A is real and all eigenvalues are, as in NumPy; where values are not known (in jit and
    vmap) they are complex always. A vector has norm one and its largest entry is real, and the derivative keeps both:

        P = V^-1 A_dot V,    w_dot = diag(P),    X = V (F * P),    F_ij = 1 / (w_j - w_i), 0 where they are equal,
        v_dot = x - (Re(v^H x) + i Im(x_k) / v_k) v    where v_k is the largest entry

    Vectors of equal eigenvalues do not turn among themselves. Raises LinAlgError if A is not square or not finite, and,
    when it is differentiated, if it is defective, where eigenvalues have no derivative.

    Sources: Giles 2008, An extended collection of matrix derivative results; van der Aa, ter Morsche and Mattheij 2007,
    Computation of eigenvalue and eigenvector derivatives; Boeddeker et al. 2017, On the computation of complex-valued
    gradients with application to statistically optimum beamforming.

    >>> import numpy as np, xform
    >>> A = np.array([[2.0, 1.0], [0.0, 1.0]])
    >>> xform.jacobian(lambda a: eig(a).eigenvalues)(A).round(12) + 0.0
    array([[[ 1.,  0.],
            [ 1.,  0.]],
    <BLANKLINE>
           [[ 0.,  0.],
            [-1.,  1.]]])
    """
    matrix = square("eig", a)
    w, v = eigen.eig.bind(matrix, vectors=True)
    return EigResult(*((real(w), real(v)) if is_real(matrix, w) else (w, v)))


@implements(np.linalg.eigvals)
def eigvals(a: ArrayLike) -> Any:
    """The eigenvalues of a square matrix, as `eig`.

    >>> import numpy as np, xform
    >>> xform.jvp(lambda a: np.sum(eigvals(a)), (np.diag([1.0, 2.0]),), (np.ones((2, 2)),))[1]
    np.float64(2.0)
    """
    matrix = square("eigvals", a)
    (w,) = eigen.eig.bind(matrix, vectors=False)
    return real(w) if is_real(matrix, w) else w


def is_real(matrix: Any, w: Any) -> bool:
    """Does NumPy give real results?"""
    if not REAL_IF_POSSIBLE or matrix.dtype.kind == "c":
        return False
    values = concrete(w)
    return values is not None and bool(np.all(values.imag == 0))


@implements(np.linalg.eigh)
def eigh(a: ArrayLike, UPLO: Any = "L") -> Any:
    """The eigenvalues, ascending, and orthonormal eigenvectors of a Hermitian A, as (eigenvalues, eigenvectors).

    Only the triangle UPLO of A is read, "L" or "U". The derivative is that of a function of Hermitian matrices, so that
    gradients are Hermitian:

        P = V^H A_dot V,    w_dot = diag(P),    V_dot = V (F * P),    F_ij = 1 / (w_j - w_i), 0 where they are equal

    Where eigenvalues are equal, it is finite. It is right, to any order, for the sum of equal ones and the projector
    onto their vectors, and the first derivative also for a sum of f(w) over equal ones. Values and vectors do not
    determine the second one there, nor any derivative of V f(w) V^H: write such a function as one of the matrix, with
    solve, inv, det, slogdet, pinv or matrix_power, or expm, sqrtm or logm of `xform.scipy.linalg`.

    Raises LinAlgError if A is not square. Source: Giles 2008, An extended collection of matrix derivative results.

    >>> import numpy as np, xform
    >>> xform.grad(lambda a: np.sum(np.exp(eigh(a).eigenvalues)))(np.zeros((2, 2)))
    array([[1., 0.],
           [0., 1.]])
    """
    if UPLO not in ("L", "U", "l", "u"):
        raise ValueError(f"UPLO argument must be 'L' or 'U', not {UPLO!r}")
    return EighResult(*spectral.eigh.bind(square("eigh", a), lower=UPLO in "Ll"))


@implements(np.linalg.eigvalsh)
def eigvalsh(a: ArrayLike, UPLO: Any = "L") -> Any:
    """The eigenvalues of a Hermitian A, ascending; as `eigh`.

    >>> import numpy as np, xform
    >>> xform.grad(lambda a: eigvalsh(a)[1])(np.diag([1.0, 2.0]))
    array([[0., 0.],
           [0., 1.]])
    """
    return eigh(a, UPLO)[0]
