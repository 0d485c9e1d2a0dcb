"""Assignment without mutation: x.at[index].set(v) is a copy of x in which x[index] is v; so for add, multiply, ...

The region of the index (see `indexing`) is read, changed and written back. Where arrays index, the change is a scatter,
which counts repeated entries as `numpy.ufunc.at` does.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from xform.core.trace import Tracer
from xform.numpy.dispatch import as_dtype, asarray, fresh
from xform.numpy.index_plan import Plan, reshaped
from xform.numpy.indexing import getitem
from xform.numpy.out_of_range import clip_indices, read_or_fill, with_spare_entry
from xform.ops.indexing.scatter import scatter, scatter_add, scatter_max, scatter_min, scatter_mul
from xform.ops.select import select
from xform.ops.structure import broadcast_to

#: what an index out of range means: an error, the nearest entry, or no entry
MODES = {None: None, "promise_in_bounds": None, "clip": "clip", "drop": "drop", "fill": "drop"}


def at(x: Any) -> At:
    """The entries of an array, to be read or written as x.at[index] on traced values, for plain arrays as well.

    >>> import numpy as np
    >>> at(np.zeros(3))[1].set(5.0)
    array([0., 5., 0.])
    """
    return At(asarray(x))


class At:
    """`x.at`, which waits for an index."""

    __slots__ = ("x",)

    def __init__(self, x: Any) -> None:
        self.x = x

    def __getitem__(self, index: Any) -> Entries:
        return Entries(self.x, index)

    def __repr__(self) -> str:
        return f"At({self.x!r})"


class Entries:
    """`x.at[index]`: the entries x[index], of which each method returns a copy of x with a change, `get` themselves.

    Values broadcast to the shape of x[index]. Values of a kind that x cannot hold, as fractions for integers, raise
    TypeError. An index that is out of range raises IndexError, unless `mode` says what it means: "clip" the nearest
    entry, "drop" (to write) or "fill" (to read) none at all. The hints `indices_are_sorted` and `unique_indices` are
    accepted for the sake of programs written for JAX, and not needed.
    """

    __slots__ = ("index", "x")

    def __init__(self, x: Any, index: Any) -> None:
        self.x = x
        self.index = index

    def __repr__(self) -> str:
        return f"At({self.x!r})[{self.index!r}]"

    def get(
        self,
        *,
        indices_are_sorted: bool = False,
        unique_indices: bool = False,
        mode: str | None = None,
        fill_value: Any = None,
    ) -> Any:
        """x[index]; with mode="fill", entries out of range are `fill_value`, by default nan or the least integer."""
        mode = meaning(mode)
        if mode is None:
            return fresh(getitem(self.x, self.index))
        plan = Plan(self.x.shape, self.index, static=False)
        return clip_indices(plan).read(self.x) if mode == "clip" else read_or_fill(self.x, plan, fill_value)

    def set(
        self, values: Any, *, indices_are_sorted: bool = False, unique_indices: bool = False, mode: str | None = None
    ) -> Any:
        """x[index] = values; where an entry is listed twice, the last value stays.

        >>> at(np.zeros(4))[1:3].set([7.0, 8.0])
        array([0., 7., 8., 0.])
        """
        return self.write(values, lambda old, v: v, scatter, mode)

    def add(
        self, values: Any, *, indices_are_sorted: bool = False, unique_indices: bool = False, mode: str | None = None
    ) -> Any:
        """x[index] += values, for repeated entries repeatedly.

        >>> at(np.zeros(3))[[0, 2, 2]].add(1.0)
        array([1., 0., 2.])
        """
        return self.write(values, lambda old, v: old + v, scatter_add, mode)

    def subtract(
        self, values: Any, *, indices_are_sorted: bool = False, unique_indices: bool = False, mode: str | None = None
    ) -> Any:
        """x[index] -= values, for repeated entries repeatedly."""
        return self.write(values, lambda old, v: old - v, lambda x, v, *i, **at: scatter_add(x, -v, *i, **at), mode)

    def multiply(
        self, values: Any, *, indices_are_sorted: bool = False, unique_indices: bool = False, mode: str | None = None
    ) -> Any:
        """x[index] *= values, for repeated entries repeatedly."""
        return self.write(values, lambda old, v: old * v, scatter_mul, mode)

    mul = multiply

    def divide(
        self, values: Any, *, indices_are_sorted: bool = False, unique_indices: bool = False, mode: str | None = None
    ) -> Any:
        """x[index] /= values, where a repeated entry is divided by the product of its values."""
        if self.x.dtype.kind not in "fc":
            raise TypeError(
                f"divide: an array of dtype {self.x.dtype} cannot hold quotients; convert it with astype(float)"
            )
        return self.write(values, lambda old, v: old / v, lambda x, v, *i, **at: x / product(x, v, *i, **at), mode)

    def power(
        self, values: Any, *, indices_are_sorted: bool = False, unique_indices: bool = False, mode: str | None = None
    ) -> Any:
        """x[index] **= values, where a repeated entry is raised to the product of its values."""
        return self.write(values, lambda old, v: old**v, lambda x, v, *i, **at: x ** product(x, v, *i, **at), mode)

    def min(
        self, values: Any, *, indices_are_sorted: bool = False, unique_indices: bool = False, mode: str | None = None
    ) -> Any:
        """x[index] = minimum(x[index], values), for repeated entries repeatedly."""
        return self.write(values, np.minimum, scatter_min, mode)

    def max(
        self, values: Any, *, indices_are_sorted: bool = False, unique_indices: bool = False, mode: str | None = None
    ) -> Any:
        """x[index] = maximum(x[index], values), for repeated entries repeatedly."""
        return self.write(values, np.maximum, scatter_max, mode)

    def apply(
        self,
        func: Callable[[Any], Any],
        *,
        indices_are_sorted: bool = False,
        unique_indices: bool = False,
        mode: str | None = None,
    ) -> Any:
        """x[index] = func(x[index]), where an entry listed twice is changed once.

        >>> at(np.arange(4.0))[2:].apply(np.square)
        array([0., 1., 4., 9.])
        """
        return self.set(func(self.get(mode=mode, fill_value=1)), mode=mode)

    def write(
        self, values: Any, change: Callable[[Any, Any], Any], scattered: Callable[..., Any], mode: str | None
    ) -> Any:
        """A copy of x with x[index] = change(x[index], values), where `scattered` does that for index arrays."""
        x, mode = self.x, meaning(mode)
        v = same_kind(values, x.dtype)
        mask = mask_of(self.index)
        if mask is not None and v.ndim <= x.ndim - mask.ndim and mask.shape == x.shape[: mask.ndim]:
            mask = reshaped(mask, (*mask.shape, *(1,) * (x.ndim - mask.ndim)))
            return select(mask, change(x, fit(v, x.shape)), x)
        plan = Plan(x.shape, self.index, static=mode is None)
        part, v = plan.narrow(x), reshaped(fit(v, plan.shape), plan.gathered)
        if not plan.indices:
            new = change(part, v)
        elif mode == "drop":
            new = with_spare_entry(part, v, plan, scattered)
        else:
            new = (clip_indices(plan) if mode == "clip" else plan).apply(scattered, part, v)
        return plan.widen(x, new)


def meaning(mode: str | None) -> str | None:
    if mode not in MODES:
        raise ValueError(f"mode={mode!r} was given; wanted one of {', '.join(map(repr, MODES))}")
    return MODES[mode]


def mask_of(index: Any) -> Any:
    """The index if it is a single boolean array, which may be traced."""
    if isinstance(index, tuple) and len(index) == 1:
        (index,) = index
    return index if isinstance(index, np.ndarray | Tracer) and index.dtype.kind == "b" else None


def same_kind(values: Any, dtype: np.dtype) -> Any:
    """The values in a dtype of whose kind they must be, as for NumPy's `+=`; a Python number need only be exact."""
    v = asarray(values)
    if np.can_cast(v.dtype, dtype, "same_kind"):
        return as_dtype(v, dtype)
    if type(values) in (bool, int, float, complex):
        with np.errstate(all="ignore"):
            converted = (v.real if dtype.kind not in "cb" else v).astype(dtype)
        if converted == v:
            return converted
    raise TypeError(
        f"values of dtype {v.dtype} were given for an array of dtype {dtype}, which cannot hold them; convert the "
        f"array, x.astype({v.dtype}).at[...], or the values, .astype({dtype})"
    )


def fit(v: Any, shape: tuple[int, ...]) -> Any:
    """The values broadcast to the shape of the entries; there may be more axes of size one in front, as in NumPy."""
    extra = v.ndim - len(shape)
    if extra > 0 and v.shape[:extra] == (1,) * extra:
        v = reshaped(v, v.shape[extra:])
    if v.ndim > len(shape) or any(n not in (1, m) for n, m in zip(v.shape[::-1], shape[::-1], strict=False)):
        raise ValueError(
            f"shape mismatch: values of shape {v.shape} could not be broadcast to the entries x[index] of shape {shape}"
        )
    return broadcast_to(v, shape)


def product(x: Any, v: Any, *indices: Any, **place: Any) -> Any:
    """For each entry of x the product of the values for it."""
    return scatter_mul(np.ones(x.shape, x.dtype), v, *indices, **place)


Tracer.at = property(At)  # type: ignore[attr-defined]
