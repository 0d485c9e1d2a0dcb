"""Joining operands of one shape along a new axis; and so, arrays made of nested lists that have tracers in them."""

from __future__ import annotations

from typing import Any

import numpy as np

from xform.core.aval import Aval, shape_of
from xform.core.primitive import Linear as Unknown
from xform.core.trace import Tracer
from xform.ops.family import Linear
from xform.ops.structure import batch_operand, convert, reshape, slice_

#: what has shape and dtype already
ARRAYS = (Tracer, np.ndarray, np.generic)

#: what NumPy takes for nested entries
SEQUENCES = (list, tuple)

#: arrays of more axes NumPy does not have
MOST_AXES = 64


class Stack(Linear):
    """y[..., k, ...] = x_k, with k at the position `axis`; the operands have one shape and one dtype."""

    def abstract(self, *xs: Aval, axis: int) -> list[Aval]:
        shape = xs[0].shape
        if any(x.shape != shape for x in xs):
            raise ValueError(f"stack: arrays of shapes {[x.shape for x in xs]} were given, wanted one shape")
        return [Aval((*shape[:axis], len(xs), *shape[axis:]), np.result_type(*(x.dtype for x in xs)))]

    def numpy(self, *xs: Any, axis: int) -> list[Any]:
        return [np.array(xs) if not shape_of(xs[0]) else np.stack(xs, axis=axis)]

    def transpose(self, cotangents: Any, *xs: Any, axis: int) -> list[Any]:
        bar = cotangents[0]
        whole = [(0, n, 1) for n in bar.shape]
        return [
            slice_(bar, index=(*whole[:axis], k, *whole[axis + 1:])) if type(x) is Unknown else None
            for k, x in enumerate(xs)
        ]

    def batch(self, size: int, args: Any, batched: Any, *, axis: int) -> list[Any]:
        return self.bind(*(batch_operand(size, x, b) for x, b in zip(args, batched, strict=True)), axis=axis + 1)


stack = Stack("stack")


def asarray(x: Any) -> Any:
    """A value of a function's argument: tracers and arrays as they are, nested lists stacked, numbers as scalars."""
    if isinstance(x, ARRAYS):
        return x
    return stack_list(x) if holds_tracer(x) else np.asarray(x)


def has_tracer(args: Any, kwargs: dict[str, Any]) -> bool:
    """Is an argument, or an entry of a (nested) list or tuple among them, a tracer?"""
    todo = [*args, *kwargs.values()]
    while todo:
        x = todo.pop()
        if isinstance(x, Tracer):
            return True
        if isinstance(x, SEQUENCES):
            todo.extend(x)
    return False


def holds_tracer(x: Any) -> bool:
    """Is it a list or tuple with a tracer somewhere in it?"""
    return isinstance(x, SEQUENCES) and has_tracer(x, {})


def stack_list(items: Any, depth: int = 0) -> Any:
    """np.array of a nested list that has tracers in it: convert the entries, promote, join along new axes in front."""
    shape, entries = [len(items)], list(items)
    while entries and all(isinstance(x, SEQUENCES) for x in entries):
        if len({len(x) for x in entries}) > 1:
            raise ragged([(len(x),) for x in entries])
        shape.append(len(entries[0]))
        entries = [y for x in entries for y in x]
    if depth + len(shape) > MOST_AXES:
        raise ValueError(f"a list nested more than {MOST_AXES} deep was given; wanted one that can become an array")
    arrays = [stack_list(x, depth + len(shape)) if holds_tracer(x) else asarray(x) for x in entries]
    if len({a.shape for a in arrays}) > 1:
        raise ragged([a.shape for a in arrays])
    stacked = stack(*promote(*arrays), axis=0)
    return stacked if len(shape) == 1 else reshape(stacked, shape=(*shape, *arrays[0].shape))


def ragged(shapes: list[tuple[int, ...]]) -> ValueError:
    return ValueError(f"the list is ragged: its entries have shapes {sorted(set(shapes))}; wanted one shape")


def as_dtype(x: Any, dtype: Any) -> Any:
    """`x` in a dtype, unchanged if it has it (None: any will do)."""
    return x if dtype is None or x.dtype == dtype else convert(x, dtype=np.dtype(dtype))


def promote(*arrays: Any) -> list[Any]:
    """Arrays in their common dtype."""
    values = [asarray(a) for a in arrays]
    dtype = np.result_type(*(a.dtype for a in values))
    return [as_dtype(a, dtype) for a in values]
