"""Quantiles: x(q, theta) with F(x, theta) = q, found by SciPy, with derivatives by the implicit function theorem.

    x_dot = (q_dot - dF/dtheta theta_dot) / f(x)        and for the upper tail S(x, theta) = q, S = 1 - F:
    x_dot = (dS/dtheta theta_dot - q_dot) / f(x)

Those of discrete distributions are steps: their derivatives are zero.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.stats

from xform.core.aval import Aval
from xform.core.primitive import Zero, is_zero
from xform.ops.elementwise import Guarded, align_batched, broadcast_shapes, fit_tangent
from xform.ops.family import Discrete, Opaque, total, union_pattern
from xform.scipy.special.table import kept
from xform.transforms.jvp import jvp

__all__ = ["FAMILIES", "quantile", "step_quantile"]

#: the families of continuous distributions by name
FAMILIES: dict[str, Any] = {}


class Elements:
    """The rules of functions that apply entry by entry, in the precision of their arguments."""

    name: str

    def abstract(self, *avals: Aval, family: str, upper: bool) -> list[Aval]:
        return [Aval(broadcast_shapes(self.name, avals), np.result_type(*(a.dtype for a in avals)))]

    def numpy(self, *arrays: Any, family: str, upper: bool) -> list[Any]:
        q, *shapes = arrays
        distribution = getattr(scipy.stats, family)
        with np.errstate(all="ignore"):
            return [kept((distribution.isf if upper else distribution.ppf)(q, *shapes), *arrays)]

    def batch(self, size: Any, args: Any, batched: Any, **params: Any) -> list[Any]:
        return self.bind(*align_batched(args, batched), **params)  # type: ignore[attr-defined]


class Quantile(Elements, Opaque):
    """The standard quantile of a continuous family."""

    def jvp(self, primals: Any, tangents: Any, *, family: str, upper: bool) -> tuple[list[Any], list[Any]]:
        x = self(*primals, family=family, upper=upper)
        if all(map(is_zero, tangents)):
            return [x], [Zero.like(x)]
        (_, *shapes), (q_dot, *shapes_dot), distribution = primals, tangents, FAMILIES[family]
        tail = distribution.above if upper else distribution.below
        moving = [k for k, t in enumerate(shapes_dot) if not is_zero(t)]
        missing = [] if is_zero(q_dot) else [q_dot]
        if moving:

            def at(*some: Any) -> Any:
                return tail(x, *(some[moving.index(k)] if k in moving else s for k, s in enumerate(shapes)))

            _, tail_dot = jvp(at, tuple(shapes[k] for k in moving), tuple(shapes_dot[k] for k in moving))
            missing.append(-tail_dot)
        with np.errstate(all="ignore"):
            density = distribution.standard_density(x, shapes)
            x_dot = total(missing) * Guarded((-1.0 if upper else 1.0) / density)
        return [x], [fit_tangent(x_dot, x)]

    def sparsity(self, patterns: Any, avals: Any, **params: Any) -> list[Any]:
        return union_pattern(patterns, broadcast_shapes(self.name, avals))


class StepQuantile(Elements, Discrete):
    """The standard quantile of a discrete family: constant almost everywhere."""


quantile = Quantile("distribution_quantile")
step_quantile = StepQuantile("distribution_step_quantile")
