"""Polynomials p(z) = p_0 z^n + ... + p_n: their roots, and the characteristic polynomial of a matrix.

From p(z) = 0 follows p'(z) z_dot = -sum_k p_dot_k z^(n-k), the implicit function theorem at a simple root. A root that
is not simple has no derivative: it is infinite. With p_0 = 0 a root is at infinity, and is given as nan.

Of c(z) = det(z I - A) the tangent is -tr(adj(z I - A) A_dot), and adj(z I - A) = sum_k M_k z^(n-k) with M_1 = I and
M_(k+1) = A M_k + c_k I (Faddeev and LeVerrier; see Gantmacher 1959, The theory of matrices I, IV.5). So c_k, unlike the
eigenvalues, has a derivative everywhere: c_dot_k = -tr(M_k A_dot).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from xform.core.aval import Aval
from xform.core.primitive import Zero, is_zero
from xform.ops.contraction.einsum import einsum, matmul, matvec
from xform.ops.cumulative import cumprod
from xform.ops.family import Opaque
from xform.ops.linear_algebra.matrix import Factorization, require_square
from xform.ops.select import select
from xform.ops.stack import stack
from xform.ops.structure import broadcast, concatenate, reshape, slice_


class PolynomialRoots(Opaque):
    """The n complex roots of polynomials whose n + 1 coefficients stand along the last axis, as `numpy.roots` has them.

    Roots at infinity, for zeros among the first coefficients, are nan and stand at the end.
    """

    def abstract(self, p: Aval) -> list[Aval]:
        require_coefficients(p)
        return [Aval((*p.shape[:-1], p.shape[-1] - 1), np.result_type(p.dtype, 1j))]

    def numpy(self, p: Any) -> list[Any]:
        require_coefficients(p)
        z = np.full((*p.shape[:-1], p.shape[-1] - 1), np.nan, np.result_type(p.dtype, 1j))
        for index in np.ndindex(*p.shape[:-1]):
            found = np.roots(p[index])
            z[index][: len(found)] = found
        return [z]

    def jvp(self, primals: Any, tangents: Any) -> tuple[list[Any], list[Any]]:
        (p,), (p_dot,) = primals, tangents
        z = self(p)
        if is_zero(p_dot) or not z.shape[-1]:
            return [z], [Zero.like(z)]
        infinite = np.isnan(z)
        n = z.shape[-1]
        v = powers(select(infinite, np.zeros((), z.dtype), z), n)
        slope = matvec(columns(v, 1, n), columns(p, 0, n) * np.arange(n, 0, -1).astype(p.dtype))
        with np.errstate(divide="ignore", invalid="ignore"):  # at a multiple root and at infinity
            return [z], [-matvec(v, p_dot) / select(infinite, np.asarray(np.nan, z.dtype), slope)]

    def batch(self, size: int, args: Any, batched: Any) -> list[Any]:
        return self.bind(*args)

    def sparsity(self, patterns: Any, avals: Any) -> list[Any]:
        (p,), (aval,) = patterns, avals
        if p is None:
            return [None]
        return [np.broadcast_to(p.any(axis=-1, keepdims=True), (*p.shape[:-1], aval.shape[-1] - 1))]


class CharacteristicPolynomial(Factorization):
    """The n + 1 coefficients of det(z I - A) of square matrices, from c_0 = 1 to c_n = (-1)^n det A."""

    def abstract(self, a: Aval) -> list[Aval]:
        require_square(self.name, a)
        return [a.with_shape((*a.shape[:-2], a.shape[-1] + 1))]

    def numpy(self, a: Any) -> list[Any]:
        require_square(self.name, a)
        c = np.ones((*a.shape[:-2], a.shape[-1] + 1), a.dtype)
        if a.shape[-1]:
            for index in np.ndindex(*a.shape[:-2]):
                c[index] = np.poly(a[index])
        return [c]

    def pushforward(self, outs: Any, a: Any, a_dot: Any) -> list[Any]:
        (c,), n = outs, a.shape[-1]
        eye = np.eye(n, dtype=a.dtype)
        terms = [np.zeros(a.shape[:-2], a.dtype)]
        m = np.broadcast_to(eye, a.shape)
        for k in range(1, n + 1):
            terms.append(-einsum("...ij,...ji->...", m, a_dot))
            if k < n:
                m = matmul(a, m) + reshape(columns(c, k, 1), shape=(*c.shape[:-1], 1, 1)) * eye
        return [stack(*terms, axis=len(a.shape) - 2)]


roots = PolynomialRoots("polynomial_roots")
characteristic = CharacteristicPolynomial("characteristic_polynomial")


def require_coefficients(p: Any) -> None:
    if not p.shape or not p.shape[-1]:
        raise ValueError(f"roots: coefficients of shape {p.shape} were given, wanted one at least, along the last axis")
    if p.dtype.char not in "fdFD":
        raise TypeError(
            f"roots: array type {p.dtype} is unsupported in linear algebra; wanted float32, float64, complex64 or "
            "complex128"
        )


def columns(x: Any, start: int, count: int) -> Any:
    """So many entries along the last axis."""
    return slice_(x, index=(*((0, n, 1) for n in x.shape[:-1]), (start, count, 1)))


def powers(z: Any, n: int) -> Any:
    """z^n, ..., z, 1 along a new last axis: the products of z, ..., z, 1 from the end."""
    rank = len(z.shape)
    factors = broadcast(z, shape=(*z.shape, n), axes=(rank,))
    return cumprod(concatenate(factors, np.ones((*z.shape, 1), z.dtype), axis=rank), axis=rank, reverse=True)
