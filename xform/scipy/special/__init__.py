"""scipy.special, differentiable: SciPy computes the values, tables give the partial derivatives.

Here are all names of `scipy.special` (and those that `jax.scipy.special` adds). The ufuncs are SciPy's own, and work on
traced values under either name; functions that are no ufuncs (logsumexp, polygamma, ...) do so under the names of this
module. What computes with integers only, or makes nodes of quadrature and the like, is SciPy's as it is.

To differentiate in an argument in which no formula is known, as in the order of a Bessel function, raises
MissingRuleError.

>>> import xform
>>> from xform.scipy import special
>>> bool(xform.grad(special.gammaln)(1.0) == special.psi(1.0))
True
"""

from typing import Any as _Any

import scipy.special as _scipy

from xform.numpy import sinc
from xform.scipy.special import (
    airy_kelvin,
    bessel,
    distributions,
    elliptic,
    error,
    goodness,
    hypergeometric,
    integrals,
    polynomials,
    powers,
    student,
    waves,
)
from xform.scipy.special.functions import (
    bernoulli,
    bessel_jn,
    comb,
    diric,
    factorial,
    lambertw,
    legendre_p,
    multigammaln,
    perm,
    polygamma,
    softplus,
    sph_harm_y,
    sph_legendre_p,
    spherical_in,
    spherical_jn,
    spherical_kn,
    spherical_yn,
    zeta,
)
from xform.scipy.special.reductions import log_softmax, logsumexp, softmax

#: the modules of which the rows are declared by importing them
_ROWS = (
    airy_kelvin,
    bessel,
    distributions,
    elliptic,
    error,
    goodness,
    hypergeometric,
    integrals,
    polynomials,
    powers,
    student,
    waves,
)

__all__ = [
    "bernoulli",
    "bessel_jn",
    "comb",
    "diric",
    "factorial",
    "lambertw",
    "legendre_p",
    "log_softmax",
    "logsumexp",
    "multigammaln",
    "perm",
    "polygamma",
    "sinc",
    "softmax",
    "softplus",
    "sph_harm_y",
    "sph_legendre_p",
    "spherical_in",
    "spherical_jn",
    "spherical_kn",
    "spherical_yn",
    "zeta",
]
__all__ += _scipy.__all__


def __getattr__(name: str) -> _Any:
    """SciPy's ufuncs, and what concerns no traced values."""
    if name.startswith("_") or not hasattr(_scipy, name):
        raise AttributeError(f"module 'xform.scipy.special' has no attribute '{name}', nor has 'scipy.special'")
    return getattr(_scipy, name)


def __dir__() -> list[str]:
    return sorted({*__all__, *_scipy.__all__})
