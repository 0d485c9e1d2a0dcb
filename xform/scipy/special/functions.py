"""SciPy's functions of single entries that are no ufuncs, and those that jax.scipy.special adds to them.

Without traced arguments SciPy's own function is called.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import scipy.special as sp

from xform.numpy.dispatch import ArrayLike, as_dtype, asarray, implements, reject, stack_list
from xform.ops.complex import real
from xform.ops.select import select
from xform.scipy.special import gammas, spherical, zetas


def floating(x: Any) -> Any:
    """As numbers that have derivatives."""
    x = asarray(x)
    return x if x.dtype.kind in "fc" else as_dtype(x, np.float64)


@implements(sp.polygamma)
def polygamma(n: ArrayLike, x: ArrayLike) -> Any:
    """The n-th derivative of the digamma function psi, for integers n >= 0; traced also of complex x.

    Differentiating it in n raises MissingRuleError.

    >>> import xform
    >>> bool(np.isclose(xform.grad(lambda x: polygamma(0, x))(1.0), np.pi**2 / 6))
    True
    """
    return gammas.polygamma(n, floating(x))


@implements(vars(sp)["multigammaln"])  # a name that type checkers do not find
def multigammaln(a: ArrayLike, d: int) -> Any:
    """The logarithm of the multivariate gamma function of dimension d, for a > (d - 1) / 2.

        log Gamma_d(a) = d (d-1)/4 log pi + sum_{j=0}^{d-1} log Gamma(a - j/2)

    >>> import xform
    >>> bool(np.isclose(xform.grad(lambda a: multigammaln(a, 1))(3.0), sp.psi(3.0)))
    True
    """
    if not isinstance(d, int | float | np.number) or d != int(d) or d < 1:
        raise ValueError(f"multigammaln: d is {d!r}; wanted a positive integer, the dimension")
    a, d = floating(a), int(d)
    total = d * (d - 1) / 4 * math.log(math.pi) + sp.gammaln(a)
    for j in range(1, d):
        total = total + sp.gammaln(a - j / 2)
    return total


@implements(sp.factorial)
def factorial(n: ArrayLike, exact: bool = False, extend: str = "zero") -> Any:
    """n! = Gamma(n + 1); for n < 0 zero, or with extend="complex" the gamma function there as well.

    ValueError for exact=True, which is an integer without derivative.

    >>> import xform
    >>> bool(np.isclose(xform.grad(factorial)(0.0), -np.euler_gamma))
    True
    """
    refuse_exact("factorial", exact)
    n = floating(n)
    if extend == "complex":
        return sp.gamma(n + 1)
    below = np.less(n, 0)
    return select(below, 0.0, sp.gamma(select(below, 0.0, n) + 1))


@implements(sp.comb)
def comb(N: ArrayLike, k: ArrayLike, *, exact: bool = False, repetition: bool = False) -> Any:
    """The number of combinations of k of N things; zero for k > N, N < 0 or k < 0.

    >>> import xform
    >>> bool(np.isclose(xform.grad(comb)(5.0, 2.0), 4.5))
    True
    """
    refuse_exact("comb", exact)
    n, k = floating(N), floating(k)
    if repetition:
        return comb(n + k - 1, k)
    inside = np.less_equal(k, n) & np.greater_equal(n, 0) & np.greater_equal(k, 0)
    return select(inside, sp.binom(select(inside, n, 1.0), select(inside, k, 1.0)), 0.0)


@implements(sp.perm)
def perm(N: ArrayLike, k: ArrayLike, exact: bool = False) -> Any:
    """The number of ordered choices of k of N things, N (N-1) ... (N-k+1); zero for k > N, N < 0 or k < 0.

    >>> import xform
    >>> bool(np.isclose(xform.grad(perm)(5.0, 2.0), 9.0))
    True
    """
    refuse_exact("perm", exact)
    n, k = floating(N), floating(k)
    inside = np.less_equal(k, n) & np.greater_equal(n, 0) & np.greater_equal(k, 0)
    return select(inside, sp.poch(select(inside, n - k, 1.0) + 1, select(inside, k, 1.0)), 0.0)


def refuse_exact(name: str, exact: bool) -> None:
    if exact:
        raise ValueError(
            f"{name}: exact=True gives an integer, which has no derivative, and needs plain integers; a traced value "
            "wants exact=False"
        )


@implements(sp.zeta)
def zeta(x: ArrayLike, q: ArrayLike | None = None, out: None = None) -> Any:
    """Riemann's zeta function of x or, with q, Hurwitz's, sum_k (q + k)^{-x}; in both arguments.

    >>> import xform
    >>> bool(np.isclose(xform.grad(zeta)(0.0), -np.log(2 * np.pi) / 2))
    True
    """
    reject("zeta", out=out)
    return zetas.riemann(floating(x)) if q is None else zetas.hurwitz(floating(x), floating(q))


@implements(sp.lambertw)
def lambertw(z: ArrayLike, k: ArrayLike = 0, tol: float = 1e-8) -> Any:
    """The branch k of Lambert's W, w e^w = z: complex numbers, as SciPy's.

    >>> import xform
    >>> bool(np.isclose(xform.grad(lambda z: lambertw(z).real)(0.0), 1.0))
    True
    """
    return zetas.lambertw(floating(z), k, tol)


@implements(getattr(sp, "softplus", None))
def softplus(x: ArrayLike) -> Any:
    """log(1 + e^x)."""
    return np.logaddexp(0.0, floating(x))


@implements(sp.diric)
def diric(x: ArrayLike, n: int) -> Any:
    """Dirichlet's kernel sin(n x/2) / (n sin(x/2)), of period 2 pi or 4 pi, n a positive integer; in x.

    It is a sum of cosines, (1 + 2 sum_{k<=m} cos k x) / n for n = 2m + 1, else 2/n sum_{k<=m} cos((k - 1/2) x), so that
    every derivative is finite.

    >>> import xform
    >>> float(xform.grad(lambda x: diric(x, 5))(0.0))
    0.0
    """
    n, x = int(n), floating(x)
    if n <= 0:
        return x * np.nan
    shift = 0.0 if n % 2 else 0.5
    total = (1.0 if n % 2 else 0.0) + 0 * x
    for k in range(1, n // 2 + 1):
        total = total + 2 * np.cos((k - shift) * x)
    return total / n


# --- spherical functions ---


def order_of_derivative(prim: Any, n: ArrayLike, z: ArrayLike, derivative: bool) -> Any:
    z = floating(z)
    return prim.partials[1](None, n, z) if derivative else prim(n, z)


@implements(sp.spherical_jn)
def spherical_jn(n: ArrayLike, z: ArrayLike, derivative: bool = False) -> Any:
    """The spherical Bessel function j_n(z), or its derivative, of integer order n >= 0.

    >>> import xform
    >>> bool(np.isclose(xform.grad(lambda z: spherical_jn(1, z))(0.0), 1 / 3))
    True
    """
    return order_of_derivative(spherical.spherical_jn, n, z, derivative)


@implements(sp.spherical_yn)
def spherical_yn(n: ArrayLike, z: ArrayLike, derivative: bool = False) -> Any:
    """The spherical Bessel function y_n(z), or its derivative, of integer order n >= 0."""
    return order_of_derivative(spherical.spherical_yn, n, z, derivative)


@implements(sp.spherical_in)
def spherical_in(n: ArrayLike, z: ArrayLike, derivative: bool = False) -> Any:
    """The modified spherical Bessel function i_n(z), or its derivative, of integer order n >= 0."""
    return order_of_derivative(spherical.spherical_in, n, z, derivative)


@implements(sp.spherical_kn)
def spherical_kn(n: ArrayLike, z: ArrayLike, derivative: bool = False) -> Any:
    """The modified spherical Bessel function k_n(z), or its derivative, of integer order n >= 0."""
    return order_of_derivative(spherical.spherical_kn, n, z, derivative)


def refuse_diff_n(name: str, diff_n: int) -> None:
    if diff_n:
        raise ValueError(
            f"{name}: diff_n={diff_n} cannot be used with a traced value; differentiate {name} itself, with "
            "xform.grad, jvp or jacfwd"
        )


@implements(getattr(sp, "sph_harm_y", None))
def sph_harm_y(n: ArrayLike, m: ArrayLike, theta: ArrayLike, phi: ArrayLike, *, diff_n: int = 0) -> Any:
    """The spherical harmonic Y_n^m at the polar angle theta and the azimuth phi, complex, in both angles.

    >>> import xform
    >>> slope = xform.grad(lambda theta: sph_harm_y(1, 0, theta, 0.0).real)(0.5)
    >>> bool(np.isclose(slope, -np.sqrt(3 / (4 * np.pi)) * np.sin(0.5)))
    True
    """
    refuse_diff_n("sph_harm_y", diff_n)
    return spherical.sph_harm_y(n, m, floating(theta), floating(phi))


@implements(getattr(sp, "sph_legendre_p", None))
def sph_legendre_p(n: ArrayLike, m: ArrayLike, theta: ArrayLike, *, diff_n: int = 0) -> Any:
    """The spherical harmonic Y_n^m on the meridian phi = 0, real, with an axis of one in front."""
    refuse_diff_n("sph_legendre_p", diff_n)
    return stack_list([real(sph_harm_y(n, m, theta, 0.0))])


@implements(getattr(sp, "legendre_p", None))
def legendre_p(n: ArrayLike, z: ArrayLike, *, diff_n: int = 0) -> Any:
    """Legendre's polynomial P_n(z), with an axis of one (for its derivatives) in front."""
    refuse_diff_n("legendre_p", diff_n)
    return stack_list([sp.eval_legendre(n, floating(z))])


def bessel_jn(z: ArrayLike, *, v: int, n_iter: int = 50) -> Any:
    """The Bessel functions J_0(z), ..., J_v(z) along a new first axis, as in jax.scipy.special.

    SciPy computes them, so that `n_iter` is not needed.

    >>> bessel_jn(0.0, v=2)
    array([1., 0., 0.])
    """
    z = floating(z)
    return stack_list([sp.jv(k, z) for k in range(v + 1)])


def bernoulli(n: int) -> np.ndarray:
    """Bernoulli's numbers B_0, ..., B_n, with B_1 = -1/2."""
    return sp.bernoulli(n)
