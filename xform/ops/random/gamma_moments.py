"""Moments by which the gamma distribution's quantiles are differentiated in the shape, to every order.

For t = log X with X gamma distributed, the density of t is proportional to w(t) = e^(a t - e^t). How a quantile t moves
with the shape a (implicit reparameterisation: Figurnov, Mohamed, Mnih, NeurIPS 2018) is

    dt/da = -(d/da F(t; a)) / F'(t; a) = (J_0 K_1 + J_1 K_0) / (J_0 + K_0),

    J_k = integral over v > 0 of v^k w(t - v) / w(t),      K_k = integral over v > 0 of v^k w(t + v) / w(t),

for d/da F = integral up to t of (s - m) w / integral of w, where the mean m of s, which would be a digamma function, is
(by the same integrals) t + (K_1 - J_1) / (J_0 + K_0). All terms are positive, so nothing cancels. And the moments are
closed under differentiation, with x = e^t:

    dJ_k/da = -J_(k+1)      dJ_k/dt = (x - a) J_k + k J_(k-1) + [k = 0]
    dK_k/da = +K_(k+1)      dK_k/dt = (x - a) K_k - k K_(k-1) - [k = 0]

The integrands v^k e^(g(v)) have a concave g, so a Gauss-Legendre rule on the range where they count is as good as
exact.
"""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from xform.core.aval import Aval
from xform.core.primitive import Zero, is_zero
from xform.ops.elementwise import align_batched, broadcast_shapes, fit_tangent
from xform.ops.family import Opaque, total, union_pattern

NODES = 80

#: the integrands are left off where they are below e^-NEGLIGIBLE times their largest value
NEGLIGIBLE = 45.0

#: steps of Newton's method towards the end of the range, which need not be exact
STEPS = 8

#: the most numbers whose integrands are computed at once
CHUNK = 1 << 12


class GammaMoments(Opaque):
    """[J_0, ..., J_order, K_0, ..., K_order] at (a, t), with NumPy's broadcasting, for a >= 1."""

    def abstract(self, a: Aval, t: Aval, *, order: int) -> list[Aval]:
        out = Aval(broadcast_shapes(self.name, (a, t)), np.result_type(a.dtype, t.dtype))
        return [out] * (2 * order + 2)

    def numpy(self, a: Any, t: Any, *, order: int) -> list[Any]:
        dtype = np.result_type(a, t)
        a, t = np.broadcast_arrays(np.asarray(a, float), np.asarray(t, float))
        out = np.empty((2, order + 1, a.size))
        shape, a, t = a.shape, a.reshape(-1), t.reshape(-1)
        with np.errstate(all="ignore"):
            for k in range(0, a.size, CHUNK):
                part = slice(k, k + CHUNK)
                for side in (0, 1):
                    out[side, :, part] = integrals(a[part], np.exp(t[part]), 1 - 2 * side, order)
        return [y.reshape(shape).astype(dtype)[()] for y in out.reshape(2 * order + 2, -1)]

    def jvp(self, primals: Any, tangents: Any, *, order: int) -> tuple[list[Any], list[Any]]:
        if all(map(is_zero, tangents)):
            outs = self.bind(*primals, order=order)
            return outs, [Zero.like(y) for y in outs]
        (a, t), (a_dot, t_dot) = primals, tangents
        moments = self.bind(a, t, order=order + 1)
        outs, dots = [], []
        for side, sign in ((moments[: order + 2], 1), (moments[order + 2 :], -1)):
            for k in range(order + 1):
                boundary = k * side[k - 1] if k else 1.0
                in_a = Zero.like(side[k]) if is_zero(a_dot) else (-sign) * side[k + 1] * a_dot
                along = (np.exp(t) - a) * side[k] + sign * boundary
                in_t = Zero.like(side[k]) if is_zero(t_dot) else along * t_dot
                outs.append(side[k])
                dots.append(fit_tangent(total((in_a, in_t)), side[k]))
        return outs, dots

    def batch(self, size: int, args: Any, batched: Any, *, order: int) -> list[Any]:
        return self.bind(*align_batched(args, batched), order=order)

    def sparsity(self, patterns: Any, avals: Any, *, order: int) -> list[Any]:
        return union_pattern(patterns, broadcast_shapes(self.name, avals)) * (2 * order + 2)


@functools.cache
def gauss_legendre() -> tuple[np.ndarray, np.ndarray]:
    """The nodes and weights of the rule on [-1, 1]."""
    return np.polynomial.legendre.leggauss(NODES)


def integrals(a: Any, x: Any, sign: int, order: int) -> np.ndarray:
    """J_k for sign 1 and K_k for sign -1."""
    end = end_of_range(a, x, sign)
    nodes, weights = gauss_legendre()
    out = np.zeros((order + 1, len(a)))
    for node, weight in zip(nodes, weights, strict=True):
        v = (0.5 + 0.5 * node) * end
        term = (0.5 * weight) * end * np.exp(exponent(a, x, v, sign))
        for k in range(order + 1):
            out[k] += term
            term = term * v
    return out


def exponent(a: Any, x: Any, v: Any, sign: int) -> Any:
    """g(v) = log of w(t -+ v) / w(t) = -+ a v - x (e^(-+ v) - 1)."""
    return -sign * a * v - x * np.expm1(-sign * v)


def end_of_range(a: Any, x: Any, sign: int) -> Any:
    """Where g has fallen by NEGLIGIBLE from its largest value, by Newton's method from the right, where it is concave.

    The largest is at |log(x/a)| if g rises at 0, which means x > a for J and x < a for K. To its right g falls faster
    than a straight line of slope -a for J (to which it tends), and than any for K.
    """
    peak = np.maximum(sign * np.log(x / a), 0.0)
    least = exponent(a, x, peak, sign) - NEGLIGIBLE
    if sign > 0:
        v = peak + (NEGLIGIBLE + np.minimum(x, a)) / a
    else:
        v = peak + np.log1p(NEGLIGIBLE / np.maximum(x, a)) + np.minimum(NEGLIGIBLE / np.sqrt(np.maximum(x, a)), 4.0)
    for _ in range(STEPS):
        slope = -sign * (a - x * np.exp(-sign * v))
        v = np.maximum(v - (exponent(a, x, v, sign) - least) / slope, peak)
    return v


gamma_moments = GammaMoments("gamma_moments")
