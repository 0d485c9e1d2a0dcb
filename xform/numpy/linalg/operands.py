"""Arguments of numpy.linalg as matrices in a dtype that LAPACK knows."""

from __future__ import annotations

from typing import Any

from xform.numpy.dispatch import ArrayLike, asarray
from xform.ops.linear_algebra.matrix import inexact, require_matrices, require_square


def rectangular(name: str, a: ArrayLike) -> Any:
    """A matrix or a stack of them; LinAlgError for anything else."""
    (matrix,) = inexact(asarray(a))
    require_matrices(name, matrix)
    return matrix


def square(name: str, a: ArrayLike) -> Any:
    """The same for square ones."""
    (matrix,) = inexact(asarray(a))
    require_square(name, matrix)
    return matrix
