"""Exponential, logarithm and powers of matrices, and the trigonometric functions that exponentials make."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import scipy.linalg
from numpy.linalg import LinAlgError

from xform.core.trace import Tracer
from xform.numpy.dispatch import ArrayLike, implements
from xform.numpy.linalg.operands import square
from xform.numpy.matrices import matrix_power
from xform.ops.complex import real
from xform.ops.linear_algebra.matrix import inexact
from xform.ops.linear_algebra.solve import solve
from xform.ops.stack import asarray
from xform.scipy.linalg.matrix_function import MatrixFunction
from xform.scipy.linalg.stacks import aligned


class Exponential(MatrixFunction):
    """exp(A) = sum_k A^k / k!, by scaling, Pade approximation and squaring."""

    def value(self, a: np.ndarray, **params: Any) -> Any:
        return scipy.linalg.expm(a)

    def derivative(self, a: Any, directions: Any, **params: Any) -> Any:
        """The first one by the scaling and squaring of Al-Mohy and Higham 2009, on matrices of order n."""
        if len(directions) > 1 or not np.isfinite(a).all():
            return super().derivative(a, directions, **params)
        return scipy.linalg.expm_frechet(a, directions[0], compute_expm=False, check_finite=False)


class Logarithm(MatrixFunction):
    """The principal logarithm: the X with exp(X) = A whose eigenvalues have imaginary parts in (-pi, pi]."""

    def value(self, a: np.ndarray, **params: Any) -> Any:
        return scipy.linalg.logm(doubled(a))

    def derivative(self, a: Any, directions: Any, **params: Any) -> Any:
        require_regular(self.name, a)
        return super().derivative(a, directions, **params)


class Power(MatrixFunction):
    """A^t = exp(t log(A)) for a number t."""

    def value(self, a: np.ndarray, **params: Any) -> Any:
        return scipy.linalg.fractional_matrix_power(doubled(a), params["exponent"])

    def derivative(self, a: Any, directions: Any, **params: Any) -> Any:
        require_regular(self.name, a)
        return super().derivative(a, directions, **params)


def require_regular(name: str, a: np.ndarray) -> None:
    """Raise LinAlgError for a singular matrix, where SciPy goes on with tiny numbers in the place of zeros."""
    s = np.linalg.svd(a, compute_uv=False)
    if s[-1] <= len(s) * np.finfo(a.dtype).eps * s[0]:
        raise LinAlgError(
            f"{name}: a matrix of order {len(s)} is singular up to rounding (singular values from {s[0]:.3g} to "
            f"{s[-1]:.3g}), where the function has no derivative; wanted a regular matrix"
        )


def doubled(a: np.ndarray) -> np.ndarray:
    """In double precision: of single precision SciPy's algorithm finds itself inaccurate."""
    return a.astype(np.result_type(a, np.float64), copy=False)


exponential = Exponential("expm")
logarithm = Logarithm("logm")
power = Power("fractional_matrix_power")


@implements(scipy.linalg.expm)
def expm(A: ArrayLike) -> Any:
    """The exponential of matrices (..., n, n), with derivatives of every order.

    The first derivative is that of Al-Mohy and Higham 2009, Computing the Frechet derivative of the matrix exponential;
    higher ones are blocks of exponentials of larger matrices. Raises LinAlgError if A is not square.

    >>> import numpy as np, xform
    >>> expm(np.array([[0.0, 1.0], [0.0, 0.0]]))
    array([[1., 1.],
           [0., 1.]])
    >>> xform.grad(lambda A: expm(A)[0, 1])(np.array([[0.0, 1.0], [0.0, 0.0]])).round(6)
    array([[0.5     , 1.      ],
           [0.166667, 0.5     ]])
    """
    return exponential(square("expm", A))


@implements(scipy.linalg.expm_frechet)
def expm_frechet(
    A: ArrayLike, E: ArrayLike, method: str | None = None, compute_expm: bool = True, check_finite: bool = True
) -> Any:
    """(exp(A), L) with the derivative L of the exponential at A in the direction E; L alone without `compute_expm`.

    Raises ValueError for a `method` other than "SPS", "blockEnlarge" and None.

    >>> import numpy as np
    >>> expm_frechet(np.zeros((2, 2)), np.eye(2), compute_expm=False)
    array([[1., 0.],
           [0., 1.]])
    """
    if method not in (None, "SPS", "blockEnlarge"):
        raise ValueError(f"expm_frechet: method {method!r} was given; wanted 'SPS', 'blockEnlarge' or None")
    a, e = aligned(*inexact(asarray(A), asarray(E)))
    derivative = exponential(a, e)
    return (exponential(a), derivative) if compute_expm else derivative


@implements(scipy.linalg.logm)
def logm(A: ArrayLike, disp: Any = None) -> Any:
    """The principal logarithm of matrices (..., n, n), with derivatives of every order.

    That of a traced real matrix is taken to be real: pass a complex one if it has negative eigenvalues, else ValueError
    is raised. LinAlgError is raised if A is not square, and when it is differentiated at a singular A.

    >>> import numpy as np
    >>> logm(np.array([[1.0, 1.0], [0.0, 1.0]])).round(12)
    array([[0., 1.],
           [0., 0.]])
    """
    return logarithm(square("logm", A))


@implements(scipy.linalg.fractional_matrix_power)
def fractional_matrix_power(A: ArrayLike, t: Any) -> Any:
    """A^t for matrices (..., n, n) and a number t, which may be traced as well: then it is exp(t log(A)).

    The result for a traced real matrix is taken to be real: pass a complex one if it has negative eigenvalues, else
    ValueError is raised. LinAlgError is raised if A is not square, and when it is differentiated at a singular A.

    >>> import numpy as np
    >>> fractional_matrix_power(np.diag([4.0, 9.0]), 0.5).round(12)
    array([[2., 0.],
           [0., 3.]])
    """
    a = square("fractional_matrix_power", A)
    if isinstance(t, Tracer):
        return exponential(logarithm(a) * t)
    exponent = float(t)
    if exponent.is_integer() and math.isfinite(exponent):
        return matrix_power(a, int(exponent))
    return power(a, exponent=exponent)


def exponentials(a: Any) -> tuple[Any, Any]:
    """exp(A) and exp(-A)."""
    return exponential(a), exponential(-a)


@implements(scipy.linalg.coshm)
def coshm(A: ArrayLike) -> Any:
    """cosh(A) = (exp(A) + exp(-A)) / 2 of matrices (..., n, n).

    >>> import numpy as np
    >>> coshm(np.zeros((1, 1)))
    array([[1.]])
    """
    plus, minus = exponentials(square("coshm", A))
    return (plus + minus) * 0.5


@implements(scipy.linalg.sinhm)
def sinhm(A: ArrayLike) -> Any:
    """sinh(A) = (exp(A) - exp(-A)) / 2 of matrices (..., n, n).

    >>> import numpy as np
    >>> sinhm(np.zeros((1, 1)))
    array([[0.]])
    """
    plus, minus = exponentials(square("sinhm", A))
    return (plus - minus) * 0.5


@implements(scipy.linalg.cosm)
def cosm(A: ArrayLike) -> Any:
    """cos(A) = (exp(iA) + exp(-iA)) / 2 of matrices (..., n, n).

    >>> import numpy as np
    >>> cosm(np.zeros((1, 1)))
    array([[1.]])
    """
    a = square("cosm", A)
    plus, minus = exponentials(a * 1j)
    return (plus + minus) * 0.5 if a.dtype.kind == "c" else real(plus)


@implements(scipy.linalg.sinm)
def sinm(A: ArrayLike) -> Any:
    """sin(A) = (exp(iA) - exp(-iA)) / 2i of matrices (..., n, n).

    >>> import numpy as np
    >>> sinm(np.zeros((1, 1)))
    array([[0.]])
    """
    a = square("sinm", A)
    plus, minus = exponentials(a * 1j)
    return (plus - minus) * -0.5j if a.dtype.kind == "c" else real(plus * -1j)


@implements(scipy.linalg.tanm)
def tanm(A: ArrayLike) -> Any:
    """tan(A) = cos(A)^-1 sin(A) of matrices (..., n, n); LinAlgError if cos(A) is singular.

    >>> import numpy as np
    >>> tanm(np.zeros((1, 1)))
    array([[0.]])
    """
    return solve(cosm(A), sinm(A))


@implements(scipy.linalg.tanhm)
def tanhm(A: ArrayLike) -> Any:
    """tanh(A) = cosh(A)^-1 sinh(A) of matrices (..., n, n); LinAlgError if cosh(A) is singular.

    >>> import numpy as np
    >>> tanhm(np.zeros((1, 1)))
    array([[0.]])
    """
    return solve(coshm(A), sinhm(A))
