"""scipy.linalg for arrays and traced values: equations, decompositions and functions of matrices.

    from xform.scipy import linalg          instead of          from scipy import linalg

The functions mean what SciPy's mean and, given plain arrays, are SciPy's. SciPy's own functions take no traced values:
they convert their arguments to arrays, which raises ConcretizationError. Stacks of matrices (..., m, n) are taken
everywhere, also where the installed SciPy takes single ones only.
"""

import scipy.linalg as _scipy_linalg

from xform.numpy.products import kron
from xform.scipy.linalg.banded import cho_solve_banded, cholesky_banded, solve_banded, solveh_banded
from xform.scipy.linalg.circulant_systems import solve_circulant
from xform.scipy.linalg.eigenproblems import (
    eig,
    eig_banded,
    eigh,
    eigh_tridiagonal,
    eigvals,
    eigvals_banded,
    eigvalsh,
    eigvalsh_tridiagonal,
    svd,
    svdvals,
)
from xform.scipy.linalg.exponential import (
    coshm,
    cosm,
    expm,
    expm_frechet,
    fractional_matrix_power,
    logm,
    sinhm,
    sinm,
    tanhm,
    tanm,
)
from xform.scipy.linalg.hessenberg_form import hessenberg
from xform.scipy.linalg.least_squares import lstsq, pinv, pinvh
from xform.scipy.linalg.lu_factors import lu, lu_factor, lu_solve
from xform.scipy.linalg.orthogonal import (
    null_space,
    orth,
    orthogonal_procrustes,
    qr,
    qr_multiply,
    rq,
    subspace_angles,
)
from xform.scipy.linalg.riccati import solve_continuous_are, solve_discrete_are
from xform.scipy.linalg.roots import polar, signm, sqrtm
from xform.scipy.linalg.schur_form import rsf2csf, schur
from xform.scipy.linalg.schur_parlett import funm
from xform.scipy.linalg.special_matrices import (
    bandwidth,
    block_diag,
    circulant,
    companion,
    convolution_matrix,
    diagsvd,
    fiedler,
    fiedler_companion,
    hankel,
    ishermitian,
    issymmetric,
    khatri_rao,
    leslie,
    toeplitz,
)
from xform.scipy.linalg.sylvester import solve_continuous_lyapunov, solve_discrete_lyapunov, solve_sylvester
from xform.scipy.linalg.systems import (
    cho_factor,
    cho_solve,
    cholesky,
    det,
    inv,
    norm,
    solve,
    solve_triangular,
)
from xform.scipy.linalg.toeplitz_systems import matmul_toeplitz, solve_toeplitz

__all__ = [
    "LinAlgError",
    "LinAlgWarning",
    "bandwidth",
    "block_diag",
    "cho_factor",
    "cho_solve",
    "cho_solve_banded",
    "cholesky",
    "cholesky_banded",
    "circulant",
    "companion",
    "convolution_matrix",
    "coshm",
    "cosm",
    "det",
    "dft",
    "diagsvd",
    "eig",
    "eig_banded",
    "eigh",
    "eigh_tridiagonal",
    "eigvals",
    "eigvals_banded",
    "eigvalsh",
    "eigvalsh_tridiagonal",
    "expm",
    "expm_frechet",
    "fiedler",
    "fiedler_companion",
    "fractional_matrix_power",
    "funm",
    "hadamard",
    "hankel",
    "helmert",
    "hessenberg",
    "hilbert",
    "inv",
    "invhilbert",
    "invpascal",
    "ishermitian",
    "issymmetric",
    "khatri_rao",
    "kron",
    "leslie",
    "logm",
    "lstsq",
    "lu",
    "lu_factor",
    "lu_solve",
    "matmul_toeplitz",
    "norm",
    "null_space",
    "orth",
    "orthogonal_procrustes",
    "pascal",
    "pinv",
    "pinvh",
    "polar",
    "qr",
    "qr_multiply",
    "rq",
    "rsf2csf",
    "schur",
    "signm",
    "sinhm",
    "sinm",
    "solve",
    "solve_banded",
    "solve_circulant",
    "solve_continuous_are",
    "solve_continuous_lyapunov",
    "solve_discrete_are",
    "solve_discrete_lyapunov",
    "solve_lyapunov",
    "solve_sylvester",
    "solve_toeplitz",
    "solve_triangular",
    "solveh_banded",
    "sqrtm",
    "subspace_angles",
    "svd",
    "svdvals",
    "tanhm",
    "tanm",
    "toeplitz",
]

#: SciPy's other name
solve_lyapunov = solve_continuous_lyapunov

#: matrices of given order, in which nothing can be traced
dft, hadamard, helmert, hilbert, invhilbert, invpascal, pascal = (
    getattr(_scipy_linalg, name)
    for name in ("dft", "hadamard", "helmert", "hilbert", "invhilbert", "invpascal", "pascal")
)
LinAlgError, LinAlgWarning = _scipy_linalg.LinAlgError, _scipy_linalg.LinAlgWarning
