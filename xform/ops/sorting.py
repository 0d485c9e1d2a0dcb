"""Sorting: rearrange the entries along an axis by their order, and say where they were.

The order is NumPy's: complex numbers are compared by their real parts, then their imaginary parts, and nan comes last.
A rearrangement is linear in x as long as the order of the entries does not change, so the tangent, and every Taylor
coefficient, is rearranged as the values were; of equal entries the first comes first.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from xform.core.aval import Aval, aval_of, is_inexact
from xform.core.primitive import Zero, is_zero
from xform.core.series import Series, termwise
from xform.ops.family import Discrete, Opaque
from xform.ops.indexing.index import take_along_axis
from xform.ops.recurrence import check_axes
from xform.ops.structure import batch_operand

#: up to so many entries a stable sort is as fast as another
FEW = 100


class Rearrangement(Opaque):
    """y = x[order] along `axis`; a member says what the order is."""

    def abstract(self, x: Aval, *, axis: int) -> list[Aval]:
        check_axes(self.name, x, (axis,))
        return [Aval(x.shape, x.dtype)]

    def order(self, x: Any, *, axis: int) -> Any:
        raise NotImplementedError

    def jvp(self, primals: Any, tangents: Any, **params: Any) -> tuple[list[Any], list[Any]]:
        (x,), (x_dot,) = primals, tangents
        if is_zero(x_dot):
            y = self(x, **params)
            return [y], [Zero.like(y)]
        order, axis = self.order(x, **params), params["axis"]
        return [take_along_axis(x, order, axis)], [take_along_axis(x_dot, order, axis)]

    def batch(self, size: int, args: Any, batched: Any, *, axis: int, **params: Any) -> list[Any]:
        return self.bind(*args, axis=axis + 1, **params)

    def jet(self, series: Any, apply: Any, **params: Any) -> list[Any]:
        (x,) = series
        order = self.order(x[0], **params)
        return [termwise(lambda a: take_along_axis(a, order, params["axis"]), x)]

    def sparsity(self, patterns: Any, avals: Any, *, axis: int, **params: Any) -> list[Any]:
        return [along_axis(patterns[0], axis)]


class Sort(Rearrangement):
    """Ascending."""

    def numpy(self, x: Any, *, axis: int) -> list[Any]:
        return [np.sort(x, axis=axis)]

    def order(self, x: Any, *, axis: int) -> Any:
        return argsort(x, axis=axis, stable=True)


class Partition(Rearrangement):
    """The entries at the positions `kth` are where sorting would put them, smaller ones before, larger ones behind."""

    def abstract(self, x: Aval, *, kth: tuple[int, ...], axis: int) -> list[Aval]:
        (out,) = super().abstract(x, axis=axis)
        check_kth(self.name, x, kth, axis)
        return [out]

    def numpy(self, x: Any, *, kth: tuple[int, ...], axis: int) -> list[Any]:
        check_kth(self.name, x, kth, axis)
        return [np.partition(x, kth, axis=axis)]

    def order(self, x: Any, *, kth: tuple[int, ...], axis: int) -> Any:
        """What np.partition did to x, which leaves room for choice: x[i] and y[j] are the same sorted array."""
        y = self(x, kth=kth, axis=axis)
        i, j = argsort(x, axis=axis, stable=True), argsort(y, axis=axis, stable=True)
        return take_along_axis(i, argsort(j, axis=axis, stable=False), axis)


class Argsort(Discrete):
    """The indices that sort along `axis`; with `stable` those of equal entries ascend."""

    def abstract(self, x: Aval, *, axis: int, stable: bool) -> list[Aval]:
        check_axes(self.name, x, (axis,))
        return [Aval(x.shape, np.intp)]

    def numpy(self, x: Any, *, axis: int, stable: bool) -> list[Any]:
        return [stable_argsort(x, axis) if stable else np.argsort(x, axis=axis)]

    def batch(self, size: int, args: Any, batched: Any, *, axis: int, stable: bool) -> list[Any]:
        return self.bind(*args, axis=axis + 1, stable=stable)


class Argpartition(Discrete):
    """Indices that partition along `axis`."""

    def abstract(self, x: Aval, *, kth: tuple[int, ...], axis: int) -> list[Aval]:
        check_axes(self.name, x, (axis,))
        check_kth(self.name, x, kth, axis)
        return [Aval(x.shape, np.intp)]

    def numpy(self, x: Any, *, kth: tuple[int, ...], axis: int) -> list[Any]:
        check_kth(self.name, x, kth, axis)
        return [np.argpartition(x, kth, axis=axis)]

    def batch(self, size: int, args: Any, batched: Any, *, kth: tuple[int, ...], axis: int) -> list[Any]:
        return self.bind(*args, kth=kth, axis=axis + 1)


class TopK(Opaque):
    """The k last entries along `axis` of the sorted array, last (largest, or nan) first, and their indices in x.

    Of equal entries that with the lowest index comes first.
    """

    def abstract(self, x: Aval, *, k: int, axis: int) -> list[Aval]:
        check_axes(self.name, x, (axis,))
        if not 0 <= k <= x.shape[axis]:
            raise ValueError(
                f"{self.name}: k = {k} entries were wanted along axis {axis} of shape {x.shape}, which has "
                f"{x.shape[axis]}; choose 0 <= k <= {x.shape[axis]}"
            )
        shape = (*x.shape[:axis], k, *x.shape[axis + 1 :])
        return [Aval(shape, x.dtype), Aval(shape, np.intp)]

    def numpy(self, x: Any, *, k: int, axis: int) -> list[Any]:
        self.abstract(aval_of(x), k=k, axis=axis)
        if x.ndim == 1:
            indices = largest(x, k)
            return [x[indices], indices]
        lanes = np.moveaxis(x, axis, -1)
        indices = largest(lanes, k)
        return [np.moveaxis(y, -1, axis) for y in (np.take_along_axis(lanes, indices, -1), indices)]

    def jvp(self, primals: Any, tangents: Any, *, k: int, axis: int) -> tuple[list[Any], list[Any]]:
        (x_dot,) = tangents
        y, indices = self.bind(*primals, k=k, axis=axis)
        y_dot = Zero.like(y) if is_zero(x_dot) else take_along_axis(x_dot, indices, axis)
        return [y, indices], [y_dot, Zero.like(indices)]

    def batch(self, size: int, args: Any, batched: Any, *, k: int, axis: int) -> list[Any]:
        return self.bind(*args, k=k, axis=axis + 1)

    def jet(self, series: Any, apply: Any, *, k: int, axis: int) -> list[Any]:
        (x,) = series
        _, indices = self.bind(x[0], k=k, axis=axis)
        return [termwise(lambda a: take_along_axis(a, indices, axis), x), Series.constant(indices)]

    def sparsity(self, patterns: Any, avals: Any, *, k: int, axis: int) -> list[Any]:
        return [along_axis(patterns[0], axis, k), None]


class Searchsorted(Discrete):
    """The index before which `v` goes into the sorted `a` to keep it sorted: before equal entries, or after them.

    `a` may have leading axes, which `v` has too: one search per entry of them. side is "left" or "right".
    """

    def abstract(self, a: Aval, v: Aval, *, side: str) -> list[Aval]:
        lead = a.ndim - 1
        if a.ndim == 0 or v.shape[:lead] != a.shape[:-1]:
            raise ValueError(
                f"{self.name}: sorted {a} and values {v} were given; wanted a sorted array along the last axis, "
                "and values with the same leading axes as it"
            )
        if side not in ("left", "right"):
            raise ValueError(f"{self.name}: side = {side!r} was given, wanted 'left' or 'right'")
        return [Aval(v.shape, np.intp)]

    def numpy(self, a: Any, v: Any, *, side: Any) -> list[Any]:
        if a.ndim == 1:
            return [np.searchsorted(a, v, side)]
        self.abstract(aval_of(a), aval_of(v), side=side)
        out = np.empty(v.shape, np.intp)
        for k in np.ndindex(a.shape[:-1]):
            out[k] = np.searchsorted(a[k], v[k], side)
        return [out]

    def batch(self, size: int, args: Any, batched: Any, *, side: str) -> list[Any]:
        if not batched[0] and aval_of(args[0]).ndim == 1:
            return self.bind(*args, side=side)
        return self.bind(*(batch_operand(size, x, b) for x, b in zip(args, batched, strict=True)), side=side)


sort = Sort("sort")
argsort = Argsort("argsort")
partition = Partition("partition")
argpartition = Argpartition("argpartition")
top_k = TopK("top_k")
searchsorted = Searchsorted("searchsorted")


def check_kth(name: str, x: Aval, kth: tuple[int, ...], axis: int) -> None:
    """Raise ValueError, as NumPy does, for positions that the axis does not have (an empty array has them all)."""
    n = x.shape[axis]
    if not kth or not all(0 <= k < n or x.size == 0 for k in kth):
        raise ValueError(
            f"{name}: kth = {kth} was given for axis {axis} of shape {x.shape}; wanted one or more positions "
            f"from 0 to {n - 1}"
        )


def along_axis(p: Any, axis: int, count: int | None = None) -> Any:
    """The pattern of `count` entries along `axis`, each of which may be any entry along it."""
    if p is None:
        return None
    shape = list(p.shape)
    shape[axis + 1] = shape[axis + 1] if count is None else count
    return np.broadcast_to(p.any(axis=axis + 1, keepdims=True), shape)


def stable_argsort(x: np.ndarray, axis: int) -> np.ndarray:
    """np.argsort(stable=True), for numbers without ties by the unstable sort, which is several times faster."""
    if x.dtype.kind == "f" and x.shape[axis] > FEW:
        order = np.argsort(x, axis=axis)
        y = np.moveaxis(np.take_along_axis(x, order, axis), axis, 0)
        if np.less(y[:-1], y[1:]).all():
            return order
    return np.argsort(x, axis=axis, stable=True)


def largest(x: np.ndarray, k: int) -> np.ndarray:
    """Indices of the k largest entries along the last axis, descending, the first of equal entries first."""
    n = x.shape[-1]
    if k == 0 or 8 * k >= n:
        return descending(x)[..., :k]
    candidates = np.sort(np.argpartition(x, n - k, axis=-1)[..., n - k :], axis=-1)
    values = np.take_along_axis(x, candidates, -1)
    order = descending(values)
    smallest = np.take_along_axis(values, order[..., -1:], -1)
    if not decisive(x, values, smallest):
        return descending(x)[..., :k]
    return np.take_along_axis(candidates, order, -1)


def decisive(x: np.ndarray, values: np.ndarray, smallest: np.ndarray) -> bool:
    """Are all entries that equal the smallest of the largest among these, so that no tie was decided at random?"""
    if is_inexact(x.dtype) and np.isnan(smallest).any():
        return False
    return np.count_nonzero(x == smallest) == np.count_nonzero(values == smallest)


def descending(x: np.ndarray) -> np.ndarray:
    """Indices that sort the last axis from largest to smallest, stably: the reverse of sorting the reversed."""
    return x.shape[-1] - 1 - stable_argsort(x[..., ::-1], -1)[..., ::-1]
