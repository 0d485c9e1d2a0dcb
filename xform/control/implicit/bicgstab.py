"""The stabilised method of biconjugate gradients (van der Vorst 1992), for general A and in fixed memory."""

from __future__ import annotations

from typing import Any

import numpy as np

from xform.control.implicit.vectors import Limits, Map, inner, norm, ratio, residual
from xform.control.loops.going import while_loop
from xform.ops.select import select

#: `info` where a product vanishes by which the recurrence divides: that of r with its shadow, and the others
NO_RHO, NO_OMEGA = -10, -11


def stabilised_biconjugate_gradients(
    apply: Map, precondition: Map, right: Any, start: Any, limits: Limits
) -> tuple[Any, Any]:
    """x and info; preconditioned from the right, so that r is the residual of the system itself."""
    x, shadow = residual(apply, right, start)

    def going(state: Any) -> Any:
        size, k, fault = state[-3:]
        return (size > limits.bound) & (k < limits.maxiter) & (fault == 0)

    def step(state: Any) -> Any:
        x, r, p, rho, _, k, _ = state
        Mp = precondition(p)
        v = apply(Mp)
        alpha = ratio(rho, inner(shadow, v))
        s = r - alpha * v
        half = norm(s) <= limits.bound  # then the second half of the step would divide zero by zero
        Ms = precondition(s)
        t = apply(Ms)
        omega = select(half, 0, ratio(inner(t, s), inner(t, t)))
        x, r = x + alpha * Mp + omega * Ms, s - omega * t
        after = inner(shadow, r)
        p = r + ratio(after * alpha, rho * omega) * (p - omega * v)
        fault = select(half, 0, select((alpha == 0) | (omega == 0), NO_OMEGA, select(after == 0, NO_RHO, 0)))
        return x, r, p, after, norm(r), k + 1, fault

    rho = inner(shadow, shadow)
    first = x, shadow, shadow, rho, norm(shadow), np.int64(0), np.int64(0)
    x, *_, size, k, fault = while_loop(going, step, first)
    return x, select((fault != 0) & ~(size <= limits.bound), fault, limits.info(size, k))
