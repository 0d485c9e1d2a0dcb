"""Gamma distributed numbers, as logarithms, which do not underflow for small shapes.

    random_gamma(key, a)     t = log X, X with density x^(a-1) e^-x / Gamma(a), a >= 1

by the rejection of G. Marsaglia and W. W. Tsang, "A simple method for generating gamma variables", ACM TOMS 26 (2000).
The derivative in a is that of the quantile at which t lies (see `gamma_moments`), not that of the steps that led to it.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from xform.core.aval import Aval
from xform.core.primitive import Zero, is_zero
from xform.ops.family import Opaque, union_pattern
from xform.ops.normal_distribution import normal_quantile
from xform.ops.random.gamma_moments import gamma_moments
from xform.ops.random.random_bits import GAMMA
from xform.ops.random.rejection import by_rejection, open_uniform
from xform.ops.structure import batch_operand


class RandomGamma(Opaque):
    """log X of the shape of `a`, whose first axes are those of the batch of keys; ValueError for a < 1."""

    def abstract(self, key: Aval, a: Aval) -> list[Aval]:
        return [Aval(a.shape, a.dtype)]

    def numpy(self, key: Any, a: Any) -> list[Any]:
        a = np.asarray(a)
        if np.any(a < 1):
            raise ValueError(
                f"random.gamma: the shape a = {np.min(a)} was given, wanted a number of at least 0 (of the primitive "
                "random_gamma: of at least 1)"
            )
        return [by_rejection(key, GAMMA, [a.astype(np.float64)], a.dtype, propose)[()]]

    def jvp(self, primals: Any, tangents: Any) -> tuple[list[Any], list[Any]]:
        t, (_, a), a_dot = self(*primals), primals, tangents[1]
        if is_zero(a_dot):
            return [t], [Zero.like(t)]
        j0, j1, k0, k1 = gamma_moments.bind(a, t, order=1)
        return [t], [(j0 * k1 + j1 * k0) / (j0 + k0) * a_dot]

    def batch(self, size: int, args: Any, batched: Any) -> list[Any]:
        return self.bind(*(batch_operand(size, x, b) for x, b in zip(args, batched, strict=True)))

    def sparsity(self, patterns: Any, avals: Any) -> list[Any]:
        return union_pattern(patterns[1:], avals[1].shape)


def propose(blocks: np.ndarray, a: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """With d = a - 1/3, z normal and v = (1 + z / sqrt(9 d))^3: d v, if log u < z^2/2 + d (1 - v + log v)."""
    z, u, d = normal_quantile(open_uniform(blocks[:, 0])), open_uniform(blocks[:, 1]), a - 1 / 3
    step = z / np.sqrt(9 * d)
    log_v = 3 * np.log1p(np.where(step > -1, step, 0.0))
    with np.errstate(invalid="ignore"):  # of an infinite shape
        accepted = (step > -1) & (np.log(u) < 0.5 * z * z + d * (log_v - np.expm1(log_v)))
    return np.log(d) + log_v, accepted | ~np.isfinite(a)


random_gamma = RandomGamma("random_gamma")
