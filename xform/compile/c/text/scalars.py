"""Operations on scalars: straight-line code, an assignment for each entry of the result.

What moves entries is done by NumPy on the names. What computes is one C expression an entry; an operation that was
done before is not done again, and one that cannot change its operand is not done at all.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from xform.compile.c.text.emit import Emitter
from xform.compile.c.text.values import Scalars, Value, as_entries
from xform.core.aval import Aval
from xform.core.primitive import Primitive
from xform.ops.c_text import cast
from xform.ops.elementwise import Elementwise
from xform.ops.indexing.positions import Axes
from xform.ops.structure import as_slices

#: primitives that only move entries, and do so by their NumPy rules whatever the entries are
MOVES = ("broadcast", "reshape", "transpose", "slice", "concatenate", "stack")
#: the operand itself
SAME = ("stop_gradient", "pos")


def moved(prim: Primitive, args: Sequence[Scalars], params: dict[str, Any], out: Aval) -> Scalars:
    entries = [a.entries for a in args]
    if prim.name == "concatenate":
        return Scalars(np.concatenate(entries, **params), out.dtype)
    if prim.name == "stack":
        return Scalars(np.stack(entries, **params), out.dtype)
    if prim.name == "broadcast":
        return Scalars(np.broadcast_to(np.expand_dims(entries[0], params["axes"]), out.shape), out.dtype)
    return Scalars(as_entries(prim.numpy(*entries, **params)[0]), out.dtype)


def elementwise(emit: Emitter, prim: Any, args: Sequence[Scalars], out: Aval) -> Scalars:
    dtypes = operand_dtypes(prim, args, out.dtype)
    entries = np.empty(out.shape, object)
    operands = np.broadcast_arrays(*(a.entries for a in args), entries, subok=False)[:-1]
    for k in np.ndindex(*out.shape):
        entries[k] = apply(emit, prim, [x[k] for x in operands], dtypes, out.dtype)
    return Scalars(entries, out.dtype)


def computing_dtypes(args: Sequence[Scalars]) -> list[np.dtype]:
    """The dtypes of the operands; a Python number takes the one that it has beside the others."""
    strong = [a.dtype for a in args if not a.weak]
    return [np.result_type(*strong, a.entries[()]) if a.weak and strong else a.dtype for a in args]


def operand_dtypes(prim: Any, args: Sequence[Scalars], out: np.dtype) -> list[np.dtype]:
    """Those in which it computes; if it has no text for these, its operands differ in kind, as those of ldexp do."""
    dtypes = computing_dtypes(args)
    return dtypes if has_text(prim, dtypes, out) else [a.dtype for a in args]


def apply(emit: Emitter, prim: Any, entries: list[Any], dtypes: list[np.dtype], out: np.dtype) -> Any:
    """The name of the result of an operation on entries."""
    known = settled(emit, prim.name, entries, dtypes, out)
    if known is not None:
        return known
    texts = [emit.text(e, d) for e, d in zip(entries, dtypes, strict=True)]
    key = (prim.name, *texts, *(d.char for d in dtypes), out.char)
    for memo in reversed(emit.memo):
        if key in memo:
            return memo[key]
    name = emit.let(out, prim.c_text(texts, dtypes, out))
    emit.memo[-1][key] = name
    if prim.name == "add" and out.kind == "f" and any(is_nonnegative(emit, e) for e in entries):
        emit.nonnegative.add(name)
    return name


def is_nonnegative(emit: Emitter, entry: Any) -> bool:
    """Is it known that an entry is not -0.0? Then it stays what it is if 0.0 is added."""
    return entry in emit.nonnegative if type(entry) is str else not np.signbit(entry)


def settled(emit: Emitter, name: str, entries: list[Any], dtypes: list[np.dtype], out: np.dtype) -> Any:
    """The result where it is an operand or a number: only what holds for nan, infinities and both zeros as well."""
    if name in SAME and dtypes[0] == out:
        return entries[0]
    if name == "select" and type(entries[0]) is not str:
        k = 1 if entries[0] else 2
        return entries[k] if dtypes[k] == out else None
    if len(entries) == 2 and out.kind == "f" and dtypes[0] == dtypes[1] == out:
        a, b = entries
        if name == "mul" and (is_number(a, 1) or is_number(b, 1)):
            return b if is_number(a, 1) else a
        if name == "add" and is_number(b, 0) and not np.signbit(b) and is_nonnegative(emit, a):
            return a
        if name == "add" and is_number(a, 0) and not np.signbit(a) and is_nonnegative(emit, b):
            return b
        if name == "sub" and is_number(b, 0) and not np.signbit(b):
            return a
    return None


def is_number(entry: Any, number: int) -> bool:
    return type(entry) is not str and entry == number


def convert(emit: Emitter, x: Scalars, dtype: np.dtype) -> Scalars:
    """A change of dtype; complex to real takes the real part."""
    entries = np.empty(x.shape, object)
    for k in np.ndindex(*x.shape):
        entries[k] = converted(emit, x.entries[k], x.dtype, dtype)
    return Scalars(entries, dtype)


def converted(emit: Emitter, entry: Any, old: np.dtype, new: np.dtype) -> Any:
    if old == new:
        return entry
    if type(entry) is not str:
        with np.errstate(all="ignore"):
            real = entry.real if old.kind == "c" and new.kind != "c" else entry
            return np.asarray(real).astype(new)[()]
    return emit.let(new, cast(entry, old, new))


# --- sums and extremes ---

#: reductions: the operation that combines two entries
REDUCTIONS = {
    "reduce_sum": "add", "reduce_prod": "mul", "reduce_max": "max", "reduce_min": "min", "reduce_and": "logical_and",
    "reduce_or": "logical_or", "reduce_xor": "logical_xor",
}  # fmt: skip


def reduced(emit: Emitter, name: str, x: Scalars, axes: Sequence[int], out: Aval) -> Scalars:
    combine = Primitive.registry[REDUCTIONS[name]]
    order = [*(k for k in range(len(x.shape)) if k not in axes), *axes]
    rows = x.entries.transpose(order).reshape(*out.shape, math.prod(x.shape[k] for k in axes))
    entries, zero = np.empty(out.shape, object), from_zero(combine, out.dtype)
    for k in np.ndindex(*out.shape):
        entries[k] = folded(emit, combine, [*rows[k], *zero], x.dtype, out.dtype)
    return Scalars(entries, out.dtype)


def from_zero(combine: Any, dtype: np.dtype) -> list[Any]:
    """NumPy's sums start with zero: of nothing but -0.0 they are 0.0."""
    return [dtype.type(0)] if combine.name == "add" and dtype.kind in "fc" else []


def folded(emit: Emitter, combine: Any, items: list[Any], dtype: np.dtype, out: np.dtype) -> Any:
    """The items combined; of none of them, zero or what it is for truth."""
    if not items:
        return {"add": 0, "mul": 1, "logical_and": True}.get(combine.name, 0)
    total = items[0]
    if len(items) == 1 and dtype != out:
        return converted(emit, total, dtype, out)
    for item in items[1:]:
        first = dtype if total is items[0] else out
        total = apply(emit, combine, [total, item], [first, dtype], out)
    return total


def contracted(emit: Emitter, x: Scalars, y: Scalars, spec: tuple[str, str, str], out: Aval) -> Scalars:
    i, j, o = spec
    size = dict(zip(i + j, x.shape + y.shape, strict=True))
    summed = [k for k in dict.fromkeys(i + j) if k not in o]
    mul, add = Primitive.registry["mul"], Primitive.registry["add"]
    entries, zero = np.empty(out.shape, object), from_zero(add, out.dtype) if summed else []
    for at in np.ndindex(*out.shape):
        place = dict(zip(o, at, strict=True))
        terms = []
        for inner in itertools.product(*(range(size[k]) for k in summed)):
            place.update(zip(summed, inner, strict=True))
            pair = [x.entries[tuple(place[k] for k in i)], y.entries[tuple(place[k] for k in j)]]
            terms.append(apply(emit, mul, pair, [x.dtype, y.dtype], out.dtype))
        entries[at] = folded(emit, add, [*terms, *zero], out.dtype, out.dtype)
    return Scalars(entries, out.dtype)


# --- entries at indices ---


def padded(x: Scalars, shape: Any, index: Any) -> Scalars:
    entries = np.empty(shape, object)
    entries.fill(x.dtype.type(0))
    entries[(*as_slices(index), ...)] = x.entries
    return Scalars(entries, x.dtype)


def updated(x: Scalars, v: Scalars, index: Any) -> Scalars:
    entries = x.entries.copy()
    entries[(*as_slices(index), ...)] = v.entries
    return Scalars(entries, x.dtype)


def are_known(indices: Sequence[Value]) -> bool:
    return all(isinstance(i, Scalars) and all(type(e) is not str for e in i.entries.flat) for i in indices)


def known_index(value: Value) -> np.ndarray:
    return np.array([*value.entries.flat], np.intp).reshape(value.shape)  # type: ignore[union-attr]


def scattered(emit: Emitter, x: Scalars, v: Scalars, places: np.ndarray, combine: str | None) -> Scalars:
    """x with v combined into the entries at known places in C order, one after the other."""
    entries = x.entries.copy()
    for place, value in zip(places.flat, v.entries.flat, strict=True):
        old = entries.flat[place]
        prim = Primitive.registry[combine] if combine else None
        entries.flat[place] = apply(emit, prim, [old, value], [x.dtype] * 2, x.dtype) if prim else value
    return Scalars(entries, x.dtype)


def gathered_key(rank: int, indices: Sequence[np.ndarray], axes: Axes) -> tuple[Any, ...]:
    key: list[Any] = [slice(None)] * rank
    for a, i in zip(axes, indices, strict=True):
        key[a] = i
    return tuple(key)


def has_text(prim: Any, dtypes: Sequence[Any], out: np.dtype) -> bool:
    """Can the operation be written as a C expression, of operands with these dtypes, or types of Python numbers?"""
    if not isinstance(prim, Elementwise) and prim.name != "select":
        return False
    return prim.name in SAME or prim.c_text(["x"] * len(dtypes), list(dtypes), out) is not None


def zeros(aval: Aval) -> Scalars:
    entries = np.empty(aval.shape, object)
    entries.fill(aval.dtype.type(0))
    return Scalars(entries, aval.dtype)


def mapped(emit: Emitter, x: Scalars, template: str) -> Scalars:
    """Each entry put into a C expression."""
    entries = np.empty(x.shape, object)
    for k in np.ndindex(*x.shape):
        entries[k] = emit.let(x.dtype, template.format(emit.text(x.entries[k], x.dtype)))
    return Scalars(entries, x.dtype)
