"""Quotients by gaps between eigenvalues, for values that may be equal.

Where an eigenvalue is multiple, its vectors are determined up to a rotation among themselves, and a perturbation splits
the value. What moves smoothly is the group: with the vectors V of all groups, no vector turning within its own,

    W = V^-1 A V  stays block diagonal, a block for each group,      V_dot = V X,   X W - W X = P outside the blocks,

where P = V^-1 A_dot V, and X is zero inside. At the point itself W is the diagonal of the eigenvalues, and X_ij =
P_ij / (w_j - w_i); but its derivative has the blocks of P in the place of the derivatives of the values. With that, all
derivatives, to any order, are right of what depends on the groups only: the projector onto one, the sum of its values.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from xform.core.aval import Aval
from xform.core.errors import NonlinearError
from xform.core.primitive import Linear, Zero, is_zero
from xform.ops.contraction.einsum import matmul
from xform.ops.elementwise import fit_cotangent
from xform.ops.family import total
from xform.ops.linear_algebra.matrix import (
    Stacked,
    adjoint,
    as_column,
    as_row,
    diagonal,
    require_matrices,
    require_square,
)
from xform.ops.reduce import reduce_max
from xform.ops.select import select


class GapQuotient(Stacked):
    """The X with X W - sign W X = P, for a W that is the diagonal of w: X_ij = P_ij / (w_j - sign w_i).

    It is zero where the divisor is, up to rounding. In derivatives W is block diagonal, with blocks for equal values:

        X_dot W - sign W X_dot = P_dot - (X W_dot - sign W_dot X)

    For sign = 0, when X = P W^-1, P may have any number of rows.
    """

    def abstract(self, w: Aval, p: Aval, *, sign: int) -> list[Aval]:
        require_square(self.name, w)
        require_matrices(self.name, p)
        if p.shape[:-2] != w.shape[:-2] or p.shape[-1] != w.shape[-1] or (sign and p.shape != w.shape):
            raise ValueError(f"{self.name}: w {w} and p {p} do not fit; wanted p (..., n, n), as w")
        return [p.with_dtype(np.result_type(w.dtype, p.dtype))]

    def numpy(self, w: Any, p: Any, *, sign: int) -> list[Any]:
        values = np.diagonal(w, axis1=-2, axis2=-1)
        gaps = values[..., None, :] - sign * values[..., :, None] if sign else values[..., None, :]
        zero = np.abs(gaps) <= rounding(values, np.abs(values).max(axis=-1, initial=0)[..., None, None])
        return [np.where(zero, np.zeros((), p.dtype), p / np.where(zero, np.ones((), w.dtype), gaps))]

    def jvp(self, primals: Any, tangents: Any, *, sign: int) -> tuple[list[Any], list[Any]]:
        (w, p), (w_dot, p_dot) = primals, tangents
        x, terms = self(w, p, sign=sign), [p_dot]
        if not is_zero(w_dot) and 0 not in w.shape:
            w_dot = select(are_equal(diagonal(w)), w_dot, np.zeros((), w.dtype))
            terms += [-matmul(x, w_dot), *([matmul(w_dot, x) * sign] if sign else [])]
        right = total(terms)
        return [x], [Zero.like(x) if is_zero(right) else self(w, right, sign=sign)]

    def transpose(self, cotangents: Any, w: Any, p: Any, *, sign: int) -> list[Any]:
        if type(w) is Linear:
            raise NonlinearError(f"'{self.name}' is linear in its second argument only; differentiate it with vjp")
        return [None, fit_cotangent(self(w, cotangents[0], sign=sign), p.aval)]


class DiagonalForm(Stacked):
    """W = L A V, the diagonal of the given row w, as a function of A and, for L = V^-1, of the scaling of the vectors:

        W_dot = L A_dot V + W T - T W,    T = L V_dot

    With `hermitian` it is the Hermitian part of L A_dot V, as the vectors keep their norm and phase. Entries outside
    the blocks of equal values have no meaning.
    """

    def abstract(self, a: Aval, left: Aval, v: Aval, w: Aval, *, hermitian: bool) -> list[Aval]:
        require_matrices(self.name, a, left, v)
        return [Aval((*left.shape[:-1], v.shape[-1]), v.dtype)]

    def numpy(self, a: Any, left: Any, v: Any, w: Any, *, hermitian: bool) -> list[Any]:
        out = np.zeros((*left.shape[:-1], v.shape[-1]), v.dtype)
        k = np.arange(v.shape[-1])
        out[..., k, k] = w[..., 0, :]
        return [out]

    def jvp(self, primals: Any, tangents: Any, *, hermitian: bool) -> tuple[list[Any], list[Any]]:
        a, left, v, w = primals
        out, (a_dot, _, v_dot, _) = self(a, left, v, w, hermitian=hermitian), tangents
        terms = [] if is_zero(a_dot) else [matmul(matmul(left, a_dot), v)]
        if hermitian:
            terms = [(y + adjoint(y)) * 0.5 for y in terms]
        elif not is_zero(v_dot):
            turn = matmul(left, v_dot)
            terms += [matmul(out, turn), -matmul(turn, out)]
        return [out], [total(terms) if terms else Zero.like(out)]


def are_equal(values: Any) -> Any:
    """Which pairs of values are equal, up to rounding."""
    largest = reduce_max(np.abs(values), axes=(len(values.shape) - 1,))
    return np.abs(as_row(values) - as_column(values)) <= rounding(values, as_column(as_column(largest)))


def rounding(values: Any, largest: Any) -> Any:
    """By how much rounding splits n equal values: it was seen to be up to 5 sqrt(n) eps times the largest one."""
    return largest * (8 * math.sqrt(values.shape[-1]) * float(np.finfo(values.dtype).eps))


gap_quotient = GapQuotient("gap_quotient")
diagonal_form = DiagonalForm("diagonal_form")
