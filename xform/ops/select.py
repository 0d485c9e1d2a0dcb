"""Choice by a condition: select(c, a, b) is a where c, else b, and no derivative passes through what was not chosen."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from xform.core.aval import Aval
from xform.core.primitive import Linear as Unknown
from xform.ops.c_text import OperandType, fill
from xform.ops.elementwise import align_batched, broadcast_shapes, fit_cotangent
from xform.ops.family import Linear, union_pattern


class Select(Linear):
    """np.where(c, a, b), with its broadcasting and promotion; linear in a and b jointly."""

    linear_in = (1, 2)

    def abstract(self, c: Aval, a: Aval, b: Aval) -> list[Aval]:
        operands = [x.weak(0) if x.weak else x.dtype for x in (a, b)]
        return [Aval(broadcast_shapes("where", [c, a, b]), np.result_type(*operands))]

    def numpy(self, c: Any, a: Any, b: Any) -> list[Any]:
        try:
            return [np.where(c, a, b)[()]]
        except ValueError:
            broadcast_shapes("where", [c, a, b])  # says more than NumPy's error
            raise

    def c_text(self, operands: Sequence[str], dtypes: Sequence[OperandType], out: np.dtype) -> str | None:
        """As of an elementwise primitive: both values are computed, one is chosen."""
        return fill("({} ? {} : {})", operands, dtypes, (np.dtype(bool), out, out), out)

    def transpose(self, cotangents: Any, c: Any, a: Any, b: Any) -> list[Any]:
        (y_bar,) = cotangents
        zero = np.zeros((), y_bar.dtype)
        a_bar = fit_cotangent(self(c, y_bar, zero), a.aval) if type(a) is Unknown else None
        b_bar = fit_cotangent(self(c, zero, y_bar), b.aval) if type(b) is Unknown else None
        return [None, a_bar, b_bar]

    def batch(self, size: int, args: Any, batched: Any) -> list[Any]:
        return [self(*align_batched(args, batched))]

    def sparsity(self, patterns: Any, avals: Any) -> list[Any]:
        return union_pattern(patterns[1:], broadcast_shapes("where", avals))


select = Select("select")
