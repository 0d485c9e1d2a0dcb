"""Choice by a condition: select(c, a, b) is a where c, else b, and no derivative passes through what was not chosen."""

from __future__ import annotations

from typing import Any

import numpy as np

from xform.core.aval import Aval, aval_of
from xform.core.primitive import Linear, Zero, is_zero
from xform.core.series import Series
from xform.ops.elementwise import align_batched, broadcast_shapes, fit_cotangent
from xform.ops.family import Opaque, union_pattern


class Select(Opaque):
    """np.where(c, a, b), with its broadcasting and promotion; linear in a and b jointly."""

    def abstract(self, c: Aval, a: Aval, b: Aval) -> list[Aval]:
        operands = [x.weak(0) if x.weak else x.dtype for x in (a, b)]
        return [Aval(broadcast_shapes("where", [c, a, b]), np.result_type(*operands))]

    def numpy(self, c: Any, a: Any, b: Any) -> list[Any]:
        return [np.where(c, a, b)[()]]

    def jvp(self, primals: Any, tangents: Any) -> tuple[list[Any], list[Any]]:
        out = self(*primals)
        if is_zero(tangents[1]) and is_zero(tangents[2]):
            return [out], [Zero.like(out)]
        return [out], [self.choose(primals[0], out, tangents[1:])]

    def choose(self, c: Any, out: Any, branches: Any) -> Any:
        """The chosen one of two tangents, in the aval of the result `out`; a symbolic zero is written as such."""
        aval = aval_of(out)
        a, b = (np.zeros((), aval.dtype) if is_zero(x) else x for x in branches)
        chosen = self(c, a, b)
        return chosen if aval_of(chosen) == aval else self(c, a, b + np.zeros(aval.shape, aval.dtype))

    def transpose(self, cotangents: Any, c: Any, a: Any, b: Any) -> list[Any]:
        (y_bar,) = cotangents
        zero = np.zeros((), y_bar.dtype)
        a_bar = fit_cotangent(self(c, y_bar, zero), a.aval) if type(a) is Linear else None
        b_bar = fit_cotangent(self(c, zero, y_bar), b.aval) if type(b) is Linear else None
        return [None, a_bar, b_bar]

    def batch(self, size: int, args: Any, batched: Any) -> list[Any]:
        return [self(*align_batched(args, batched))]

    def jet(self, series: Any, apply: Any) -> list[Any]:
        c, a, b = series

        def term(k: int) -> Any:
            if k == 0:
                return self(c[0], a[0], b[0])
            if is_zero(a[k]) and is_zero(b[k]):
                return Zero.like(y[0])
            return self.choose(c[0], y[0], (a[k], b[k]))

        y = Series(term)
        return [y]

    def sparsity(self, patterns: Any, avals: Any) -> list[Any]:
        return union_pattern(patterns[1:], broadcast_shapes("where", avals))


select = Select("select")
