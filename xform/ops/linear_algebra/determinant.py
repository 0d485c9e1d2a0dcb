"""Determinants and their derivatives of every order, at singular matrices too.

The determinant is a polynomial, hence so are its derivatives, though A^-1 is not: the gradient is the cofactor matrix,

    d det(A) = sum_ij C_ij dA_ij,        C = det(A) A^-T  where A is regular,

and the family `cofactor(A, B_1, ..., B_k)`, the k-th derivative of C in the directions B, is closed under
differentiation: it is linear and symmetric in the B, and its derivative in A is the member with one direction more.
With A = U S V^H, det(A + dA) = det(U) det(V^H) det(S + U^H dA V) reduces it to diagonal S, where no division is needed
but products of the other singular values; of a well-conditioned A the inverse does it faster, det(A) det(I + A^-1 dA)
(Giles 2008, An extended collection of matrix derivative results, section 2.2.4, has this case for the gradient).
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from string import ascii_letters
from typing import Any

import numpy as np
from numpy.linalg import LinAlgError

from xform.core.aval import Aval
from xform.core.errors import NonlinearError
from xform.core.primitive import Linear, Zero, is_zero
from xform.ops.complex import imag, real
from xform.ops.elementwise import Guarded, align_batched, fit_cotangent, is_finite
from xform.ops.family import total
from xform.ops.linear_algebra.matrix import Factorization, Stacked, real_dtype, require_square, swap_last
from xform.ops.linear_algebra.solve import inv
from xform.ops.structure import reduce_sum


class Determinant(Factorization):
    """det(A), a number per matrix."""

    def abstract(self, a: Aval) -> list[Aval]:
        require_square("det", a)
        return [a.with_shape(a.shape[:-2])]

    def numpy(self, a: Any) -> list[Any]:
        return [np.linalg.det(a)]

    def pushforward(self, outs: Any, a: Any, a_dot: Any) -> list[Any]:
        return [inner(a_dot, cofactor(a))]


class Cofactor(Stacked):
    """The gradient of D^k det(A)[B_1, ..., B_k] as a function of A, for operands whose leading axes broadcast.

    Memory and time grow as n^(k + 1) on top of a singular value decomposition, so only low orders suit large matrices.
    """

    def abstract(self, a: Aval, *directions: Aval) -> list[Aval]:
        require_square("cofactor", a, *directions)
        shape = np.broadcast_shapes(*(x.shape for x in (a, *directions)))
        return [Aval(shape, np.result_type(a.dtype, *(b.dtype for b in directions)))]

    def numpy(self, a: Any, *directions: Any) -> list[Any]:
        inverse = safe_inverse(a)
        if inverse is not None and not directions:
            return [np.linalg.det(a)[..., None, None] * np.swapaxes(inverse, -1, -2)]
        unit, left, s, right = singular_form(a) if inverse is None else regular_form(a, inverse)
        c = cofactor_of_diagonal(s, [left @ b @ right for b in directions])
        return [unit * (np.swapaxes(left, -1, -2) @ c @ np.swapaxes(right, -1, -2))]

    def jvp(self, primals: Any, tangents: Any) -> tuple[list[Any], list[Any]]:
        (a, *directions), (a_dot, *dots) = primals, tangents
        out = self(*primals)
        terms = [] if is_zero(a_dot) else [self(*primals, a_dot)]
        terms += [
            self(a, *directions[:k], b_dot, *directions[k + 1 :]) for k, b_dot in enumerate(dots) if not is_zero(b_dot)
        ]
        return [out], [total(terms) if terms else Zero.like(out)]

    def transpose(self, cotangents: Any, a: Any, *directions: Any) -> list[Any]:
        """<C, cofactor(A, .., B, ..)> is symmetric in B and C, so it is self-adjoint in each direction."""
        unknown = [k for k, b in enumerate(directions) if type(b) is Linear]
        if type(a) is Linear or len(unknown) > 1:
            raise NonlinearError("'cofactor' is linear in each of its directions alone; differentiate it with vjp")
        (k,) = unknown
        bar = self(a, *directions[:k], cotangents[0], *directions[k + 1 :])
        return [None, *(fit_cotangent(bar, b.aval) if i == k else None for i, b in enumerate(directions))]

    def batch(self, size: int, args: Any, batched: Any) -> list[Any]:
        return [self(*align_batched(args, batched))]


#: unit, left, s, right such that det(A + dA) = unit * det(S + left dA right), where S = diag(s)
Form = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]


def safe_inverse(a: np.ndarray) -> np.ndarray | None:
    """A^-1 of a stack if all are so well-conditioned that few digits are lost, at most a quarter of them."""
    try:
        inverse = np.linalg.inv(a)
    except LinAlgError:
        return None
    condition = np.abs(a).sum(axis=(-2, -1)) * np.abs(inverse).sum(axis=(-2, -1))
    return inverse if (condition <= a.shape[-1] * np.finfo(a.dtype).eps ** -0.25).all() else None


def regular_form(a: np.ndarray, inverse: np.ndarray) -> Form:
    n = a.shape[-1]
    return np.linalg.det(a)[..., None, None], inverse, np.ones(a.shape[:-1], a.dtype), np.eye(n, dtype=a.dtype)


def singular_form(a: np.ndarray) -> Form:
    """By singular values; those of matrices that are not finite are nan."""
    finite = np.isfinite(a).all(axis=(-2, -1), keepdims=True)
    u, s, vh = np.linalg.svd(np.where(finite, a, 0))
    unit = (np.linalg.det(u) * np.linalg.det(vh))[..., None, None]
    left, right = (np.conjugate(np.swapaxes(x, -1, -2)) for x in (u, vh))
    return np.where(finite, unit, np.nan), left, s, right


def cofactor_of_diagonal(s: np.ndarray, directions: Sequence[np.ndarray]) -> np.ndarray:
    """The same for the diagonal matrix S with directions P:

        sum over permutations t of 0..k    sign(t)  sum over distinct i_0..i_k    w[i] prod_{a < k} P_a[i_a, i_t(a)]

    put at the entry (i_k, i_t(k)), where w[i] is the product of all s but those of the indices i.
    """
    k, n = len(directions), s.shape[-1]
    if k >= n:  # there are no k + 1 distinct indices
        return np.zeros_like(sum(directions, s[..., None] + s[..., None, :]))
    weights, labels = products_of_others(s, k + 1), ascii_letters[: k + 1]
    out: Any = 0
    for t in itertools.permutations(range(k + 1)):
        operands = ",".join(["..." + labels, *(f"...{labels[a]}{labels[t[a]]}" for a in range(k))])
        if t[k] == k:
            term = np.einsum(f"{operands}->...{labels[k]}", weights, *directions)
            term = term[..., None] * np.eye(n, dtype=s.dtype)
        else:
            term = np.einsum(f"{operands}->...{labels[k]}{labels[t[k]]}", weights, *directions)
        out = out + sign_of(t) * term
    return out


def products_of_others(s: np.ndarray, order: int) -> np.ndarray:
    """w[..., i, j, ..], the product of s but for its entries i, j, .. (`order` of them); 0 where two are the same."""
    n = s.shape[-1]
    same = np.eye(n, dtype=bool)
    for _ in range(order - 1):
        s = np.where(same, 1, s[..., None, :])
    before, after = np.ones_like(s), np.ones_like(s)
    before[..., 1:] = np.cumprod(s[..., :-1], axis=-1)
    after[..., :-1] = np.cumprod(s[..., :0:-1], axis=-1)[..., ::-1]
    w = before * after
    for pair in itertools.combinations(range(order), 2):
        w = np.where(same.reshape([n if axis in pair else 1 for axis in range(order)]), 0, w)
    return w


def sign_of(t: Sequence[int]) -> int:
    inversions = sum(t[i] > t[j] for j in range(len(t)) for i in range(j))
    return -1 if inversions % 2 else 1


class SignLogDet(Factorization):
    """The sign (of a complex matrix the phase) of det(A), and log|det(A)|: 0 and -inf if A is singular.

    With t = tr(A^-1 A_dot), log|det| has the derivative Re t, and the phase that of exp(i Im t). At a singular matrix
    it is undefined: a nan, which a zero cotangent or tangent does not take over.
    """

    def abstract(self, a: Aval) -> list[Aval]:
        require_square("slogdet", a)
        shape = a.shape[:-2]
        return [a.with_shape(shape), Aval(shape, real_dtype(a.dtype))]

    def numpy(self, a: Any) -> list[Any]:
        return list(np.linalg.slogdet(a))

    def pushforward(self, outs: Any, a: Any, a_dot: Any) -> list[Any]:
        sign, _ = outs
        partial = swap_last(inv(a, strict=False))
        t = inner(a_dot, partial if is_finite(partial) else Guarded(partial))
        return [sign * (imag(t) * 1j), real(t)] if t.dtype.kind == "c" else [Zero.like(sign), t]


def inner(a_dot: Any, partial: Any) -> Any:
    """sum_ij A_dot_ij P_ij of each pair of matrices."""
    rank = len(a_dot.shape)
    return reduce_sum(a_dot * partial, axes=(rank - 2, rank - 1))


det = Determinant("det")
cofactor = Cofactor("cofactor")
slogdet = SignLogDet("slogdet")
