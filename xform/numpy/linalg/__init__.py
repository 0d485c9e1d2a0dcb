"""numpy.linalg for arrays and traced values: equations, decompositions, eigenvalues, norms and products.

The functions mean what NumPy's mean, stacks of matrices included, and raise what those raise. What depends on a choice
that is not unique (phases and bases of eigenvectors and singular vectors, the complement in a complete QR) has the
derivative that keeps to the choice made; `xform.ops.linear_algebra.spectral`, `eigen` and `factor` say precisely which.
"""

from __future__ import annotations

from numpy.linalg import LinAlgError

from xform.numpy.linalg.decompositions import cholesky, qr, svd, svdvals
from xform.numpy.linalg.determinants import cond, det, matrix_rank, slogdet
from xform.numpy.linalg.eigenvalues import eig, eigh, eigvals, eigvalsh
from xform.numpy.linalg.equations import inv, lstsq, pinv, solve, tensorinv, tensorsolve
from xform.numpy.matrices import (
    cross,
    diagonal,
    matmul,
    matrix_power,
    matrix_transpose,
    multi_dot,
    outer,
    tensordot,
    trace,
    vecdot,
)
from xform.numpy.norms import matrix_norm, norm, vector_norm

__all__ = [
    "LinAlgError",
    "cholesky",
    "cond",
    "cross",
    "det",
    "diagonal",
    "eig",
    "eigh",
    "eigvals",
    "eigvalsh",
    "inv",
    "lstsq",
    "matmul",
    "matrix_norm",
    "matrix_power",
    "matrix_rank",
    "matrix_transpose",
    "multi_dot",
    "norm",
    "outer",
    "pinv",
    "qr",
    "slogdet",
    "solve",
    "svd",
    "svdvals",
    "tensordot",
    "tensorinv",
    "tensorsolve",
    "trace",
    "vecdot",
    "vector_norm",
]
