"""Operations that leave every value as it is and mean something to the transformations alone.

stop_gradient          y = x, whose derivative is defined to be zero
name                   y = x, a value that the policies of checkpointing know by its name
optimization_barrier   y_k = x_k for all operands at once: no pass may look through it, derivatives cross it
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

import numpy as np

from xform.core.aval import Aval
from xform.core.primitive import Linear as Unknown
from xform.core.primitive import is_zero
from xform.core.series import Series
from xform.ops.elementwise import Elementwise
from xform.ops.family import Linear
from xform.ops.structure import batch_operand


def copied(x: Any) -> Any:
    """The same entries in memory of their own: writing into the constant must not change the variable."""
    return np.array(x)[()]


class OptimizationBarrier(Linear):
    """All operands as they are, one result each; tangents and cotangents pass through a barrier of their own."""

    def abstract(self, *xs: Aval) -> list[Aval]:
        return [Aval(x.shape, x.dtype) for x in xs]

    def numpy(self, *xs: Any) -> list[Any]:
        return [x if isinstance(x, np.ndarray | np.generic) else np.asarray(x)[()] for x in xs]

    def through(self, values: Sequence[Any]) -> list[Any]:
        """The values behind the barrier; symbolic zeros need none."""
        moved = [x for x in values if not is_zero(x)]
        outs = iter(self.bind(*moved) if moved else ())
        return [x if is_zero(x) else next(outs) for x in values]

    def jvp(self, primals: Any, tangents: Any) -> tuple[list[Any], list[Any]]:
        return self.bind(*primals), self.through(tangents)

    def transpose(self, cotangents: Any, *xs: Any) -> list[Any]:
        unknown = [k for k, x in enumerate(xs) if type(x) is Unknown]
        pulled = dict(zip(unknown, self.through([cotangents[k] for k in unknown]), strict=True))
        return [pulled.get(k) for k in range(len(xs))]

    def batch(self, size: int, args: Any, batched: Any) -> list[Any]:
        return self.bind(*(batch_operand(size, x, b) for x, b in zip(args, batched, strict=True)))

    def jet(self, series: Any, apply: Any) -> list[Any]:
        """The coefficients of one order pass together."""
        order = functools.cache(lambda k: self.through([s[k] for s in series]))
        return [Series(lambda k, j=j: order(k)[j], s.is_constant) for j, s in enumerate(series)]

    def sparsity(self, patterns: Any, avals: Any) -> list[Any]:
        return list(patterns)


class Name(Linear):
    """The operand itself, under a name."""

    def abstract(self, x: Aval, *, name: str) -> list[Aval]:
        return [Aval(x.shape, x.dtype)]

    def numpy(self, x: Any, *, name: str) -> list[Any]:
        return [x if isinstance(x, np.ndarray | np.generic) else np.asarray(x)[()]]

    def transpose(self, cotangents: Any, x: Any, *, name: str) -> list[Any]:
        return list(cotangents)

    def batch(self, size: int, args: Any, batched: Any, *, name: str) -> list[Any]:
        return self.bind(*args, name=name)


stop_gradient = Elementwise("stop_gradient", copied, [None], c="{}")
optimization_barrier = OptimizationBarrier("optimization_barrier")
name = Name("name")
