"""Determinants, and how far from singular a matrix is: its rank and condition."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.linalg import LinAlgError
from numpy.typing import ArrayLike

from xform.core.trace import concrete
from xform.numpy.dispatch import asarray, implements
from xform.numpy.linalg.decompositions import svd
from xform.numpy.linalg.operands import rectangular, square
from xform.numpy.norms import norm
from xform.ops.linear_algebra import determinant
from xform.ops.linear_algebra import solve as equations
from xform.ops.linear_algebra.matrix import as_column, real_dtype
from xform.ops.reduce import reduce_or
from xform.ops.select import select
from xform.ops.structure import convert, reduce_sum

__all__ = ["cond", "det", "matrix_rank", "slogdet"]

#: NumPy's named tuple, so that a result is the same tree whether it is traced or not
SlogdetResult: Any = type(np.linalg.slogdet(np.eye(1)))


@implements(np.linalg.det)
def det(a: ArrayLike) -> Any:
    """The determinant, with derivatives of every order at singular matrices too.

    >>> import numpy as np, xform
    >>> xform.grad(det)(np.array([[1.0, 2.0], [2.0, 4.0]])).round(12) + 0.0
    array([[ 4., -2.],
           [-2.,  1.]])
    """
    return determinant.det(square("det", a))


@implements(np.linalg.slogdet)
def slogdet(a: ArrayLike) -> Any:
    """The sign (the phase, if complex) of det(A) and log|det(A)|, as (sign, logabsdet); 0 and -inf if A is singular.

    >>> import numpy as np, xform
    >>> xform.grad(lambda a: slogdet(a).logabsdet)(np.diag([2.0, 4.0]))
    array([[0.5 , 0.  ],
           [0.  , 0.25]])
    """
    return SlogdetResult(*determinant.slogdet.bind(square("slogdet", a)))


@implements(np.linalg.matrix_rank)
def matrix_rank(A: ArrayLike, tol: Any = None, hermitian: bool = False, *, rtol: Any = None) -> Any:
    """The number of singular values above `tol`, by default `rtol` (max(m, n) eps) times the largest one.

    Of a vector or a number: 1, or 0 if it is zero. It has no derivative. Raises ValueError if both are given.

    >>> import numpy as np
    >>> int(matrix_rank(np.ones((3, 2))))
    1
    """
    if rtol is not None and tol is not None:
        raise ValueError("`tol` and `rtol` can't be both set.")
    array = asarray(A)
    if len(array.shape) < 2:
        some = reduce_or(array != 0, axes=tuple(range(len(array.shape))))
        known = concrete(some)
        return convert(some, dtype=np.dtype(np.intp)) if known is None else int(known)
    s = svd(array, compute_uv=False, hermitian=hermitian)
    if tol is None:
        fraction = max(array.shape[-2:]) * np.finfo(s.dtype).eps if rtol is None else as_column(asarray(rtol))
        tol = (s[..., :1] if s.shape[-1] else np.zeros((1,), s.dtype)) * fraction
    else:
        tol = as_column(asarray(tol))
    above = convert(s > tol, dtype=np.dtype(np.intp))
    return reduce_sum(above, axes=(len(above.shape) - 1,))


@implements(np.linalg.cond)
def cond(x: ArrayLike, p: Any = None) -> Any:
    """The condition number |A| |A^-1| in the norm of order p (see `norm`); by default 2, where A may be rectangular.

    A singular matrix has inf. Raises LinAlgError for a matrix without entries, or, unless
    p is None, 2 or -2, for one that is not square.

    >>> import numpy as np, xform
    >>> xform.grad(cond)(np.diag([4.0, 2.0]))
    array([[ 0.5,  0. ],
           [ 0. , -1. ]])
    """
    matrix = rectangular("cond", x)
    if matrix.size == 0 and 0 in matrix.shape[-2:]:
        raise LinAlgError("cond is not defined on empty arrays")
    with np.errstate(all="ignore"):
        if p is None or p in (2, -2):
            s = svd(matrix, compute_uv=False)
            large, small = (s[..., k] for k in ((-1, 0) if p == -2 else (0, -1)))
            ratio = large / small
        else:
            ratio = product_of_norms(square("cond", matrix), p)
        undefined = np.logical_and(np.isnan(ratio), np.logical_not(has_nan(matrix)))
    known = concrete(undefined)
    if known is not None and not np.any(known):
        return ratio
    return select(undefined, ratio.dtype.type(np.inf), ratio)


def product_of_norms(matrix: Any, p: Any) -> Any:
    """|A| |A^-1|, in double precision as NumPy does it; nan if A is singular."""
    wide = convert(matrix, dtype=np.result_type(matrix.dtype, np.float64))
    inverse = equations.inv(wide, strict=False)
    product = norm(wide, p, axis=(-2, -1)) * norm(inverse, p, axis=(-2, -1))
    return convert(product, dtype=real_dtype(matrix.dtype))


def has_nan(matrix: Any) -> Any:
    return reduce_or(np.isnan(matrix), axes=tuple(k + len(matrix.shape) for k in (-2, -1)))
