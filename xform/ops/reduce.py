"""Reductions other than the sum: extremes, products and truth over several axes, and along one where an extreme is."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from xform.core.aval import Aval, aval_of
from xform.core.primitive import Zero, is_zero
from xform.ops.contraction.contract import contract
from xform.ops.contraction.labels import LABELS
from xform.ops.cumulative import product_of_others
from xform.ops.family import Discrete, Opaque
from xform.ops.recurrence import check_axes
from xform.ops.structure import convert, reduce_sum, reshape, shift, transpose, without


class Reduction(Opaque):
    """ufunc.reduce over `axes`, in the dtype of the operand."""

    def __init__(self, name: str, ufunc: np.ufunc) -> None:
        super().__init__(name)
        self.ufunc = ufunc

    def abstract(self, x: Aval, *, axes: tuple[int, ...]) -> list[Aval]:
        check_axes(self.name, x, axes)
        return [x.with_shape(without(x.shape, axes))]

    def numpy(self, x: Any, *, axes: tuple[int, ...]) -> list[Any]:
        return [self.ufunc.reduce(x, axis=axes, dtype=x.dtype)]

    def batch(self, size: int, args: Any, batched: Any, *, axes: tuple[int, ...]) -> list[Any]:
        return self.bind(*args, axes=shift(axes))

    def sparsity(self, patterns: Any, avals: Any, *, axes: tuple[int, ...]) -> list[Any]:
        return [None if p is None else p.any(axis=shift(axes)) for p in patterns]


class Extreme(Reduction):
    """The largest or smallest entry, nan if there is one; entries that attain it share the derivative evenly."""

    def __init__(self, name: str, ufunc: np.ufunc, loses: np.ufunc) -> None:
        super().__init__(name, ufunc)
        self.loses = loses

    def abstract(self, x: Aval, *, axes: tuple[int, ...]) -> list[Aval]:
        (out,) = super().abstract(x, axes=axes)
        if any(x.shape[k] == 0 for k in axes):
            raise empty(self.name, x.shape, axes)
        return [out]

    def numpy(self, x: Any, *, axes: tuple[int, ...]) -> list[Any]:
        try:
            return [self.ufunc.reduce(x, axis=axes)]
        except ValueError:
            self.abstract(aval_of(x), axes=axes)  # words the error
            raise

    def jvp(self, primals: Any, tangents: Any, *, axes: tuple[int, ...]) -> tuple[list[Any], list[Any]]:
        (x,), (x_dot,) = primals, tangents
        y = self(x, axes=axes)
        if is_zero(x_dot):
            return [y], [Zero.like(y)]
        return [y], [weighted_sum(x_dot, self.shares(x, y, axes), axes)]

    def shares(self, x: Any, y: Any, axes: tuple[int, ...]) -> Any:
        """1/m for the m entries that do not lose against the extreme y, else 0; against nan nobody loses."""
        shape = tuple(1 if k in axes else n for k, n in enumerate(x.shape))
        kept = reshape(y, shape=shape) if y.ndim else y
        attains = convert(np.logical_not(self.loses(x, kept)), dtype=x.dtype)
        count = reduce_sum(attains, axes=axes)
        return attains / (reshape(count, shape=shape) if y.ndim else count)


class ReduceProd(Reduction):
    """The product, whose derivative in an entry is the product of the others."""

    def jvp(self, primals: Any, tangents: Any, *, axes: tuple[int, ...]) -> tuple[list[Any], list[Any]]:
        (x,), (x_dot,) = primals, tangents
        y = self(x, axes=axes)
        if is_zero(x_dot):
            return [y], [Zero.like(y)]
        return [y], [weighted_sum(x_dot, self.others(x, axes), axes)]

    def others(self, x: Any, axes: tuple[int, ...]) -> Any:
        """The product of the others, the reduced axes being joined to one at the end for the time."""
        if len(axes) == 1:
            return product_of_others(x, axes[0])
        rank = x.ndim - len(axes)
        order = [*(k for k in range(x.ndim) if k not in axes), *axes]
        moved = transpose(x, permutation=tuple(order))
        joined = reshape(moved, shape=(*moved.shape[:rank], math.prod(moved.shape[rank:])))
        out = reshape(product_of_others(joined, rank), shape=moved.shape)
        return transpose(out, permutation=tuple(sorted(range(x.ndim), key=order.__getitem__)))


class Logical(Discrete, Reduction):
    """ufunc.reduce of the truth values of the entries, which are what is not zero."""

    def abstract(self, x: Aval, *, axes: tuple[int, ...]) -> list[Aval]:
        return [super().abstract(x, axes=axes)[0].with_dtype(bool)]

    def numpy(self, x: Any, *, axes: tuple[int, ...]) -> list[Any]:
        return [self.ufunc.reduce(x, axis=axes)]


class ArgExtreme(Discrete):
    """Along `axis`, the index of the first entry that is the largest or smallest, or of the first nan."""

    def __init__(self, name: str, function: Any) -> None:
        super().__init__(name)
        self.function = function

    def abstract(self, x: Aval, *, axis: int) -> list[Aval]:
        check_axes(self.name, x, (axis,))
        if x.shape[axis] == 0:
            raise empty(self.name, x.shape, (axis,))
        return [Aval(without(x.shape, (axis,)), np.intp)]

    def numpy(self, x: Any, *, axis: int) -> list[Any]:
        try:
            return [self.function(x, axis=axis)]
        except ValueError:
            self.abstract(aval_of(x), axis=axis)  # words the error
            raise

    def batch(self, size: int, args: Any, batched: Any, *, axis: int) -> list[Any]:
        return self.bind(*args, axis=axis + 1)


def weighted_sum(x: Any, w: Any, axes: tuple[int, ...]) -> Any:
    """The sum of x * w over `axes`."""
    labels = LABELS[: x.ndim]
    kept = "".join(label for k, label in enumerate(labels) if k not in axes)
    return contract(x, w, spec=(labels, labels, kept))


def empty(name: str, shape: tuple[int, ...], axes: tuple[int, ...]) -> ValueError:
    return ValueError(
        f"{name}: an array of shape {shape} was given, which is empty along the reduced axes {axes}; "
        "of no entries there is no extreme: test for emptiness first, or give `initial` where the function has it"
    )


reduce_max = Extreme("reduce_max", np.maximum, np.less)
reduce_min = Extreme("reduce_min", np.minimum, np.greater)
reduce_prod = ReduceProd("reduce_prod", np.multiply)
reduce_and = Logical("reduce_and", np.logical_and)
reduce_or = Logical("reduce_or", np.logical_or)
reduce_xor = Logical("reduce_xor", np.logical_xor)
argmax = ArgExtreme("argmax", np.argmax)
argmin = ArgExtreme("argmin", np.argmin)
