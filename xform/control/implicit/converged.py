"""What an iteration found, or an error if it has not come near enough: also in a program, where Python cannot raise."""

from __future__ import annotations

from typing import Any

import numpy as np

from xform.core.aval import Aval
from xform.ops.family import Opaque
from xform.ops.structure import batch_operand


class Converged(Opaque):
    """x, if everywhere error <= bound, and otherwise a RuntimeError that says `message` and the largest excess."""

    def abstract(self, x: Aval, error: Aval, bound: Aval, *, message: str) -> list[Aval]:
        return [Aval(x.shape, x.dtype)]

    def numpy(self, x: Any, error: Any, bound: Any, *, message: str) -> list[Any]:
        good = (error <= bound) & np.isfinite(error)  # inf is no small error, whatever the bound has become
        if not np.all(good):
            k = np.argmin(good)
            raise RuntimeError(message.format(error=np.ravel(error)[k], bound=np.ravel(bound)[k]))
        return [x]

    def jvp(self, primals: Any, tangents: Any, *, message: str) -> tuple[list[Any], list[Any]]:
        return [self(*primals, message=message)], [tangents[0]]

    def batch(self, size: int, args: Any, batched: Any, *, message: str) -> list[Any]:
        x, *limits = (batch_operand(size, a, b) for a, b in zip(args, batched, strict=True))
        return self.bind(x, *limits, message=message)

    def sparsity(self, patterns: Any, avals: Any, *, message: str) -> list[Any]:
        return [patterns[0]]


converged = Converged("converged")
