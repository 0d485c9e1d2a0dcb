"""The preconditioned method of conjugate gradients (Hestenes and Stiefel 1952), for Hermitian positive definite A."""

from __future__ import annotations

from typing import Any

import numpy as np

from xform.control.implicit.vectors import Limits, Map, inner, norm, ratio, residual
from xform.control.loops.going import while_loop
from xform.ops.complex import real


def conjugate_gradients(apply: Map, precondition: Map, right: Any, start: Any, limits: Limits) -> tuple[Any, Any]:
    """x and info; the search directions p are conjugate, p_i^H A p_j = 0 for different i and j."""
    x, r = residual(apply, right, start)
    p = precondition(r)

    def going(state: Any) -> Any:
        _, _, _, gamma, size, k = state
        return (size > limits.bound) & (k < limits.maxiter) & (gamma != 0)

    def step(state: Any) -> Any:
        x, r, p, gamma, _, k = state
        Ap = apply(p)
        alpha = ratio(gamma, real(inner(p, Ap)))
        x, r = x + alpha * p, r - alpha * Ap
        z = precondition(r)
        # alpha is 0 on a direction without curvature: A is not definite, and p would stay as it is
        after = real(inner(r, z)) * (alpha != 0)
        return x, r, z + after / gamma * p, after, norm(r), k + 1

    x, _, _, _, size, k = while_loop(going, step, (x, r, p, real(inner(r, p)), norm(r), np.int64(0)))
    return x, limits.info(size, k)
