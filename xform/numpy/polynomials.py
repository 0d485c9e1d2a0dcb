"""NumPy's polynomials, as vectors of coefficients: p_0 x^n + ... + p_n, the highest power first.

NumPy drops leading zeros from factors and remainders; where values are not known (under `vmap` and `jit`) they stay,
which is the same polynomial. `numpy.poly1d` of traced coefficients works where they have values, and its operations
come here.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from xform.core.trace import concrete, concrete_or_raise
from xform.numpy.creation import ones_like
from xform.numpy.dispatch import ArrayLike, as_dtype, asarray, implements
from xform.numpy.entries import at
from xform.numpy.joining import concatenate
from xform.numpy.shaping import atleast_1d
from xform.ops import polynomial as ops
from xform.ops.complex import real
from xform.ops.convolution.convolutions import convolve_vectors
from xform.ops.linear_algebra.matrix import inexact
from xform.ops.structure import reshape


def coefficients(p: Any) -> Any:
    """The coefficients as an array with one axis at least."""
    return atleast_1d(asarray(p.coeffs if isinstance(p, np.poly1d) else p))


def like(value: Any, *operands: Any) -> Any:
    """The result as a `poly1d` if an operand was one."""
    return np.poly1d(value) if any(isinstance(p, np.poly1d) for p in operands) else value


def without_leading_zeros(p: Any) -> Any:
    """The coefficients from the first that is not zero, where they are known; zero is left with one."""
    known = concrete(p)
    if known is None or known.ndim != 1:
        return p
    places = np.flatnonzero(known)
    return p[places[0] :] if places.size else np.zeros(1, p.dtype)


# --- values and products ---


@implements(np.polyval)
def polyval(p: ArrayLike, x: Any) -> Any:
    """p_0 x^n + ... + p_n by Horner's scheme, for an array x, or a `poly1d`, which is put into p.

    >>> import xform
    >>> xform.grad(polyval, argnums=(0, 1))(np.array([1.0, 2.0, 3.0]), 5.0)
    (array([25.,  5.,  1.]), np.float64(12.0))
    """
    p = asarray(p.coeffs if isinstance(p, np.poly1d) else p)
    y: Any = 0
    if not isinstance(x, np.poly1d):
        x = asarray(x)
        y = np.zeros(x.shape, x.dtype)
    for coefficient in p:
        y = y * x + coefficient
    return y


@implements(np.polyadd)
def polyadd(a1: ArrayLike, a2: ArrayLike) -> Any:
    """The coefficients of the sum of two polynomials.

    >>> polyadd([1.0, 2.0], [1.0, 0.0, 0.0])
    array([1., 1., 2.])
    """
    a, b = of_one_length(a1, a2)
    return like(a + b, a1, a2)


@implements(np.polysub)
def polysub(a1: ArrayLike, a2: ArrayLike) -> Any:
    """The coefficients of the difference of two polynomials.

    >>> polysub([1.0, 0.0, 0.0], [1.0, 2.0])
    array([ 1., -1., -2.])
    """
    a, b = of_one_length(a1, a2)
    return like(a - b, a1, a2)


def of_one_length(a1: Any, a2: Any) -> tuple[Any, Any]:
    """The coefficients of two polynomials, the shorter with zeros in front."""
    a, b = coefficients(a1), coefficients(a2)
    difference = len(a) - len(b)
    if difference > 0:
        b = concatenate([np.zeros(difference, b.dtype), b])
    elif difference < 0:
        a = concatenate([np.zeros(-difference, a.dtype), a])
    return a, b


@implements(np.polymul)
def polymul(a1: ArrayLike, a2: ArrayLike) -> Any:
    """The coefficients of the product of two polynomials.

    >>> import xform
    >>> xform.jvp(lambda p: polymul(p, p), (np.array([1.0, 2.0]),), (np.array([0.0, 1.0]),))
    (array([1., 4., 4.]), array([0., 2., 4.]))
    """
    a, b = (vector("polymul", coefficients(p)) for p in (a1, a2))
    return like(convolve_vectors(without_leading_zeros(a), without_leading_zeros(b), "full"), a1, a2)


@implements(np.polydiv)
def polydiv(u: ArrayLike, v: ArrayLike) -> tuple[Any, Any]:
    """Quotient q and remainder r of two polynomials, u = q v + r.

    The remainder begins with the first coefficient that is not nearly zero, or with its highest possible power where
    the values are not known. The first coefficient of v must not be zero.

    >>> q, r = polydiv([1.0, 5.0, 7.0], [1.0, 2.0])
    >>> q, r
    (array([1., 3.]), array([1.]))
    """
    a, b = coefficients(u) + 0.0, coefficients(v) + 0.0
    a = as_dtype(a, np.result_type(a.dtype, b.dtype))
    excess, scale = len(a) - len(b), 1.0 / b[0]
    q, r = [], a
    for k in range(excess + 1):
        q.append(scale * r[k])
        r = at(r)[k : k + len(b)].add(-q[k] * b)
    quotient = concatenate([reshape(c, shape=(1,)) for c in q]) if q else np.zeros(1, a.dtype)
    return like(quotient, u, v), like(remainder(r, excess + 1), u, v)


def remainder(r: Any, zeros: int) -> Any:
    """The part of r that is not zero, if values are not known then all but the first so many."""
    known, start, last = concrete(r), 0, len(r) - 1
    if known is None:
        return r[min(max(zeros, 0), last) :]
    while start < last and np.allclose(known[start], 0, rtol=1e-14):
        start += 1
    return r[start:]


@implements(np.polyder)
def polyder(p: ArrayLike, m: int = 1) -> Any:
    """The coefficients of the m-th derivative; ValueError for a negative m.

    >>> polyder([1.0, 1.0, 1.0, 1.0])
    array([3., 2., 1.])
    """
    if (order := int(m)) < 0:
        raise ValueError(f"Order of derivative must be positive (see polyint); {m} was given")
    q = asarray(p.coeffs if isinstance(p, np.poly1d) else p)
    for _ in range(order):
        q = q[:-1] * np.arange(len(q) - 1, 0, -1)
    return like(q, p)


@implements(np.polyint)
def polyint(p: ArrayLike, m: int = 1, k: ArrayLike | None = None) -> Any:
    """The coefficients of the m-th antiderivative; `k` are the constants of integration, the first one's first.

    Raises ValueError for a negative m, and if there are fewer than m constants and more than one.

    >>> polyint([3.0, 2.0, 1.0])
    array([1., 1., 1., 0.])
    """
    if (order := int(m)) < 0:
        raise ValueError(f"Order of integral must be positive (see polyder); {m} was given")
    constants = np.zeros(order) if k is None else atleast_1d(asarray(k))
    if len(constants) == 1 and order > 1:
        constants = constants[0] * np.ones(order)
    if len(constants) < order:
        raise ValueError(f"k must be a scalar or a rank-1 array of length 1 or >m; {len(constants)} for m={m} given")
    q = asarray(p.coeffs if isinstance(p, np.poly1d) else p)
    for n in range(order):
        q = concatenate([q / np.arange(len(q), 0, -1), constants[n : n + 1]])
    return like(q, p)


def vector(name: str, p: Any) -> Any:
    if p.ndim != 1:
        raise ValueError(f"{name}: Polynomial must be 1d only; coefficients of shape {p.shape} were given")
    return p


# --- roots ---


@implements(np.roots)
def roots(p: ArrayLike, *, strip_zeros: bool = True) -> Any:
    """The roots of p_0 z^n + ... + p_n; each moves by dz = -(dp_0 z^n + ... + dp_n) / p'(z).

    A multiple root has no finite derivative. The result is complex unless the values are known and all roots are real.

    Leading zeros lower the degree, which must be known then. With `strip_zeros=False` it need not be: there are as many
    roots as `p` has coefficients less one, of which those at infinity are nan and stand last.

    Raises ValueError unless `p` is a vector, ConcretizationError if the degree is not known.

    >>> import xform
    >>> xform.jacobian(roots)(np.array([1.0, -3.0, 2.0]))
    array([[-4., -2., -1.],
           [ 1.,  1.,  1.]])
    >>> xform.vmap(lambda p: roots(p, strip_zeros=False))(np.array([[2.0, -2.0], [0.0, 1.0]])).real
    array([[ 1.],
           [nan]])
    """
    q = atleast_1d(asarray(p))
    if q.ndim != 1:
        raise ValueError(f"Input must be a rank-1 array; roots of coefficients of shape {q.shape} were asked for")
    (q,) = inexact(q)
    if strip_zeros:
        remedy = "Write xform.numpy.roots(p, strip_zeros=False), where roots at infinity are nan"
        places = np.flatnonzero(concrete_or_raise(q, "roots", remedy))
        if not places.size:
            return np.zeros(0)
        z = ops.roots(q)[: len(q) - 1 - places[0]]
    else:
        z = ops.roots(q)
    known = concrete(z)
    if q.dtype.kind == "c" or known is None or known.imag.any():
        return z
    return real(z) if known.any() else as_dtype(real(z), np.float64)  # zeros alone NumPy makes of nothing, as float64


@implements(np.poly)
def poly(seq_of_zeros: ArrayLike) -> Any:
    """The coefficients of the polynomial (x - z_0) (x - z_1) ... with these roots, or det(x I - A) of a matrix A.

    Those of complex roots in conjugate pairs are real, if the values are known. The characteristic polynomial has
    derivatives of every order also where eigenvalues coincide. Raises ValueError unless it is a vector or a square
    matrix.

    >>> import xform
    >>> poly([1.0, 2.0])
    array([ 1., -3.,  2.])
    >>> xform.jacobian(poly)(np.eye(2))[1] + 0.0
    array([[-1.,  0.],
           [ 0., -1.]])
    """
    z = atleast_1d(asarray(seq_of_zeros))
    if z.ndim == 2 and z.shape[0] == z.shape[1] > 0:
        return characteristic(z)
    if z.ndim != 1:
        raise ValueError(f"input must be 1d or non-empty square 2d array; shape {z.shape} was given")
    if not len(z):
        return 1.0
    z = as_dtype(z, np.mintypecode(z.dtype.char))
    zero, a = np.zeros(1, z.dtype), np.ones(1, z.dtype)
    for root in z:
        a = concatenate([a, zero]) - concatenate([zero, a]) * root
    known = concrete(z)
    if known is not None and known.dtype.kind == "c" and np.all(np.sort(known) == np.sort(known.conj())):
        return real(a)
    return a


def characteristic(a: Any) -> Any:
    (matrix,) = inexact(a)
    c, known = ops.characteristic(matrix), concrete(matrix)
    return real(c) if known is not None and known.dtype.kind == "c" and np.isrealobj(np.poly(known)) else c


@implements(np.vander)
def vander(x: ArrayLike, N: int | None = None, increasing: bool = False) -> Any:
    """The matrix whose N columns (as many as there are entries unless given) are the powers of x, the highest first.

    >>> import xform
    >>> xform.jvp(lambda x: vander(x, 3), (np.array([2.0]),), (np.ones(1),))
    (array([[4., 2., 1.]]), array([[4., 1., 0.]]))
    """
    x = asarray(x)
    if x.ndim != 1:
        raise ValueError(f"x must be a one-dimensional array or sequence; shape {x.shape} was given")
    count, dtype = len(x) if N is None else N, np.promote_types(x.dtype, int)
    column = reshape(as_dtype(x, dtype), shape=(len(x), 1))
    columns = [ones_like(column)]
    while len(columns) < count:
        columns.append(columns[-1] * column)
    v = concatenate(columns, axis=1)[:, :count] if count > 0 else np.empty((len(x), count), dtype)
    return v if increasing else v[:, ::-1]
