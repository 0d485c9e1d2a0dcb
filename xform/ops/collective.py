"""Communication between the examples of a batch, along an axis named by `vmap(..., axis_name=...)`.

    all_gather       x_i                ->  z = stack of all x_j, the same for every example
    reduce_scatter   z_i of (size, ..)  ->  x_i = sum over all examples j of z_j[i]

Each is the transpose of the other. The trace of the named axis calls `collect`; to other batches they are elementwise.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

from xform.core.aval import Aval
from xform.ops.family import Linear
from xform.ops.structure import batch_operand, reduce_sum, transpose, without


class Collective(Linear):
    """A primitive with a parameter `axis_name`, and `axis_size`, the length of that axis."""

    def numpy(self, x: Any, *, axis_name: Hashable, axis_size: int) -> list[Any]:
        raise NameError(f"{self.name}: the axis name {axis_name!r} is unbound here; name it by vmap(..., axis_name=)")

    def collect(self, size: int, x: Any, batched: bool) -> tuple[Any, bool]:
        """The result from all examples, and whether it differs between them."""
        raise NotImplementedError


class AllGather(Collective):
    """The values of all examples, stacked along a new first axis."""

    def abstract(self, x: Aval, *, axis_name: Hashable, axis_size: int) -> list[Aval]:
        return [x.with_shape((axis_size, *x.shape))]

    def transpose(self, cotangents: Any, x: Any, *, axis_name: Hashable, axis_size: int) -> list[Any]:
        return [reduce_scatter(cotangents[0], axis_name=axis_name, axis_size=axis_size)]

    def batch(self, size: int, args: Any, batched: Any, **params: Any) -> list[Any]:
        z = self(*args, **params)
        return [transpose(z, permutation=(1, 0, *range(2, z.ndim)))]

    def collect(self, size: int, x: Any, batched: bool) -> tuple[Any, bool]:
        return batch_operand(size, x, batched), False


class ReduceScatter(Collective):
    """The sum over all examples, of which each receives its own slice of the first axis."""

    def abstract(self, z: Aval, *, axis_name: Hashable, axis_size: int) -> list[Aval]:
        return [z.with_shape(without(z.shape, (0,)))]

    def transpose(self, cotangents: Any, z: Any, *, axis_name: Hashable, axis_size: int) -> list[Any]:
        return [all_gather(cotangents[0], axis_name=axis_name, axis_size=axis_size)]

    def batch(self, size: int, args: Any, batched: Any, **params: Any) -> list[Any]:
        (z,) = args
        return self.bind(transpose(z, permutation=(1, 0, *range(2, z.ndim))), **params)

    def collect(self, size: int, x: Any, batched: bool) -> tuple[Any, bool]:
        return reduce_sum(batch_operand(size, x, batched), axes=(0,)), True


all_gather = AllGather("all_gather")
reduce_scatter = ReduceScatter("reduce_scatter")
