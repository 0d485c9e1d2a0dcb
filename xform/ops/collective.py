"""Communication between the examples of a batch, along an axis named by `vmap(..., axis_name=...)`.

    all_gather       x_i                ->  z = stack of all x_j, the same for every example
    reduce_scatter   z_i of (size, ..)  ->  x_i = sum over all examples j of z_j[i]
    permute          x_i                ->  y_i = x_sources[i], or zero
    exchange         x_i of (size, ..)  ->  y_i[j] = x_j[i]

The first two are each other's transposes; a permutation is transposed by its inverse, an exchange by itself. The trace
of the named axis calls `collect`; to other batches they are elementwise.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any, TypeAlias

import numpy as np

from xform.core.aval import Aval
from xform.ops.family import Linear
from xform.ops.indexing.index import gather
from xform.ops.structure import batch_operand, pad, reduce_sum, reshape, transpose, without

Sources: TypeAlias = tuple[int | None, ...]
Groups: TypeAlias = tuple[tuple[int, ...], ...]


class Collective(Linear):
    """A primitive with a parameter `axis_name`, and `axis_size`, the length of that axis."""

    def numpy(self, x: Any, *, axis_name: Hashable, **params: Any) -> list[Any]:
        raise NameError(f"{self.name}: the axis name {axis_name!r} is unbound here; name it by vmap(..., axis_name=)")

    def collect(self, size: int, x: Any, batched: bool, **params: Any) -> tuple[Any, bool]:
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

    def collect(self, size: int, x: Any, batched: bool, **params: Any) -> tuple[Any, bool]:
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

    def collect(self, size: int, x: Any, batched: bool, **params: Any) -> tuple[Any, bool]:
        return reduce_sum(batch_operand(size, x, batched), axes=(0,)), True


class Permute(Collective):
    """The value of example sources[i] for example i, or zero where that is None; no source occurs twice."""

    def abstract(self, x: Aval, **params: Any) -> list[Aval]:
        return [x]

    def transpose(self, cotangents: Any, x: Any, *, sources: Sources, **params: Any) -> list[Any]:
        receiver = {source: i for i, source in enumerate(sources)}
        return [self(cotangents[0], sources=tuple(map(receiver.get, range(len(sources)))), **params)]

    def batch(self, size: int, args: Any, batched: Any, **params: Any) -> list[Any]:
        return self.bind(*args, **params)

    def collect(self, size: int, x: Any, batched: bool, *, sources: Sources, **params: Any) -> tuple[Any, bool]:
        x = batch_operand(size, x, batched)
        if None in sources:  # a last row, of zeros
            region = tuple((0, n, 1) for n in x.shape)
            x = pad(x, shape=(size + 1, *x.shape[1:]), index=region)
        return gather(x, np.array([size if i is None else i for i in sources], int), axes=(0,), at=0), True


class Exchange(Collective):
    """The i-th slices of all examples for example i, each numbered by its position within one of the groups.

    The groups have one size, that of the first axis, and contain each example once.
    """

    def abstract(self, x: Aval, **params: Any) -> list[Aval]:
        return [x]

    def transpose(self, cotangents: Any, x: Any, **params: Any) -> list[Any]:
        return [self(cotangents[0], **params)]

    def batch(self, size: int, args: Any, batched: Any, **params: Any) -> list[Any]:
        (x,) = args
        swap = (1, 0, *range(2, x.ndim))
        return [transpose(self(transpose(x, permutation=swap), **params), permutation=swap)]

    def collect(self, size: int, x: Any, batched: bool, *, groups: Groups, **params: Any) -> tuple[Any, bool]:
        x = batch_operand(size, x, batched)
        order, shape = np.array(groups, int).reshape(-1), x.shape
        x = reshape(gather(x, order, axes=(0,), at=0), shape=(len(groups), *(shape[1],) * 2, *shape[2:]))
        x = reshape(transpose(x, permutation=(0, 2, 1, *range(3, x.ndim))), shape=shape)
        return gather(x, np.argsort(order), axes=(0,), at=0), True


all_gather = AllGather("all_gather")
reduce_scatter = ReduceScatter("reduce_scatter")
permute = Permute("permute")
exchange = Exchange("exchange")
