"""Operations on arrays in memory that are neither views nor loops over slices: joining, padding, reads and writes."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from xform.compile.c.text.emit import Emitter
from xform.compile.c.text.values import Value, View, c_strides
from xform.compile.c.text.views import VIEWS, reshape, slice_
from xform.core.jaxpr import Eqn
from xform.core.primitive import Primitive
from xform.ops.indexing.positions import block_shape

Rule = Callable[..., Value | None]


def room(emit: Emitter, eqn: Eqn, place: View | None) -> View:
    """Where the result is to be written."""
    aval = eqn.outputs[0].aval
    return place or emit.buffer(aval.shape, aval.dtype)


def reshaped(emit: Emitter, eqn: Eqn, args: Sequence[Value], overwritable: bool, place: View | None) -> Value:
    out = room(emit, eqn, place)
    x = emit.view(args[0])
    if out.contiguous:
        emit.copy(out.like(x.shape, c_strides(x.shape)), x)
        return out
    buffer = emit.buffer(x.shape, x.dtype)
    emit.copy(buffer, x)
    return reshape(buffer, shape=eqn.params["shape"])  # type: ignore[return-value]


def copied(emit: Emitter, eqn: Eqn, args: Sequence[Value], overwritable: bool, place: View | None) -> Value:
    return args[0]


def broadcast(emit: Emitter, eqn: Eqn, args: Sequence[Value], overwritable: bool, place: View | None) -> Value:
    return VIEWS["broadcast"](emit.view(args[0]), **eqn.params)  # type: ignore[return-value]


def concatenate(emit: Emitter, eqn: Eqn, args: Sequence[Value], overwritable: bool, place: View | None) -> Value:
    out, axis, start = room(emit, eqn, place), eqn.params["axis"], 0
    for x in args:
        n = x.shape[axis]
        emit.copy(slice_(out, index=region(out.shape, axis, (start, n, 1))), x)
        start += n
    return out


def stack(emit: Emitter, eqn: Eqn, args: Sequence[Value], overwritable: bool, place: View | None) -> Value:
    out, axis = room(emit, eqn, place), eqn.params["axis"]
    for k, x in enumerate(args):
        emit.copy(out.index(axis, k), x)
    return out


def region(shape: Sequence[int], axis: int, entry: Any) -> tuple[Any, ...]:
    return tuple(entry if k == axis else (0, n, 1) for k, n in enumerate(shape))


def pad(emit: Emitter, eqn: Eqn, args: Sequence[Value], overwritable: bool, place: View | None) -> Value:
    out = room(emit, eqn, place)
    emit.fill(out, 0)
    emit.copy(slice_(out, index=eqn.params["index"]), args[0])
    return out


def own_copy(emit: Emitter, eqn: Eqn, x: Value, overwritable: bool, place: View | None) -> View:
    """The first operand in memory that may be written."""
    if overwritable and (place is None or x.is_twin_of(place)):  # type: ignore[union-attr]
        return x  # type: ignore[return-value]
    out = room(emit, eqn, place)
    emit.copy(out, x)
    return out


def update_slice(emit: Emitter, eqn: Eqn, args: Sequence[Value], overwritable: bool, place: View | None) -> Value:
    out = own_copy(emit, eqn, args[0], overwritable, place)
    emit.copy(slice_(out, index=eqn.params["index"]), args[1])
    return out


# --- entries at computed places ---


def clamped_start(emit: Emitter, start: Value, n: int, size: int) -> int | str:
    """A start index such that the region lies inside."""
    x = emit.scalars(start)
    entry = x.entries[()]
    if type(entry) is not str:
        return min(max(int(entry), 0), n - size)
    name, last = emit.name("i"), n - size
    emit.line(f"const long {name} = {entry} < 0 ? 0 : {entry} > {last} ? {last} : (long){entry};")
    return name


def starting(emit: Emitter, x: View, starts: Sequence[Value], sizes: Sequence[int]) -> View:
    offset = x.offset
    for start, n, size, stride in zip(starts, x.shape, sizes, x.strides, strict=True):
        offset = offset.plus(clamped_start(emit, start, n, size), stride)
    return x.like(sizes, x.strides, offset)


def dynamic_slice(emit: Emitter, eqn: Eqn, args: Sequence[Value], overwritable: bool, place: View | None) -> Value:
    return starting(emit, emit.view(args[0]), args[1:], eqn.params["sizes"])


def dynamic_pad(emit: Emitter, eqn: Eqn, args: Sequence[Value], overwritable: bool, place: View | None) -> Value:
    out = room(emit, eqn, place)
    emit.fill(out, 0)
    emit.serialize()
    emit.copy(starting(emit, out, args[1:], args[0].shape), args[0])
    return out


def dynamic_update(emit: Emitter, eqn: Eqn, args: Sequence[Value], overwritable: bool, place: View | None) -> Value:
    out = own_copy(emit, eqn, args[0], overwritable, place)
    emit.serialize()
    emit.copy(starting(emit, out, args[2:], args[1].shape), args[1])
    return out


def checked_index(emit: Emitter, index: Value, size: int, axis: int) -> int | str:
    """A position along an axis; an IndexError is raised if there is none."""
    bounds = index.bounds if isinstance(index, View) else None
    entry = emit.scalars(index).entries[()]
    if type(entry) is not str and -size <= entry < size:
        return int(entry) % size
    if bounds is not None and bounds[0] >= 0 and bounds[1] < size:
        return entry
    name = emit.name("i")
    emit.line(f"long {name} = (long)({emit_text(entry)});")
    emit.line(f"if (__builtin_expect({name} < -{size}L || {name} >= {size}L, 0)) {{")
    emit.line(f"  xf_index_error({name}, {axis}, {size}); goto fail;")
    emit.line("}")
    emit.helpers.add("xf_index_error")
    emit.serialize()
    out = emit.name("i")
    emit.line(f"const long {out} = {name} < 0 ? {name} + {size} : {name};")
    return out


def emit_text(entry: Any) -> str:
    return entry if type(entry) is str else str(int(entry))


def at_entry(emit: Emitter, x: View, indices: Sequence[Value], axes: Sequence[int]) -> View:
    """The slice of x at indices that are single numbers."""
    for k, index in reversed(list(zip(axes, indices, strict=True))):
        x = x.index(k, checked_index(emit, index, x.shape[k], k))
    return x


def gather(emit: Emitter, eqn: Eqn, args: Sequence[Value], overwritable: bool, place: View | None) -> Value:
    """A view where the indices are single numbers, else loops over the block."""
    x, indices, axes, at = emit.view(args[0]), args[1:], eqn.params["axes"], eqn.params["at"]
    block = block_shape(indices)
    if not block:
        return at_entry(emit, x, indices, axes)
    out = room(emit, eqn, place)
    over_block(emit, out, indices, block, at, lambda o, i: emit.copy(o, at_entry(emit, x, i, axes)))
    return out


def over_block(
    emit: Emitter, out: View, indices: Sequence[Value], block: Sequence[int], at: int, do: Callable[..., None]
) -> None:
    """Loops over the entries of the indices: do(slice of out, indices that are single numbers)."""
    if not block:
        do(out, indices)
        return
    views = [emit.view(i) for i in indices]
    with emit.loop(block[0]) as k:
        rest = [v if len(v.shape) < len(block) else v.index(0, k if v.shape[0] == block[0] else 0) for v in views]
        over_block(emit, out.index(at, k), rest, block[1:], at, do)


def scatter_sum(emit: Emitter, eqn: Eqn, args: Sequence[Value], overwritable: bool, place: View | None) -> Value:
    out = room(emit, eqn, place)
    emit.fill(out, 0)
    return combined(emit, out, args[0], args[1:], eqn.params, "add")


def scatter(emit: Emitter, eqn: Eqn, args: Sequence[Value], overwritable: bool, place: View | None) -> Value:
    out = own_copy(emit, eqn, args[0], overwritable, place)
    how = {"scatter": None, "scatter_add": "add", "scatter_mul": "mul", "scatter_min": "min", "scatter_max": "max"}
    return combined(emit, out, args[1], args[2:], eqn.params, how[eqn.prim.name])


def combined(
    emit: Emitter, out: View, v: Value, indices: Sequence[Value], params: dict[str, Any], combine: str | None
) -> View:
    """out with v combined into its entries at the indices, one after the other."""
    axes, at = params["axes"], params["at"]
    values = emit.view(v)

    def do(part: View, index: Sequence[Value]) -> None:
        emit.serialize()
        add_into(emit, at_entry(emit, out, index, axes), part, combine)

    over_block(emit, values, indices, block_shape(indices), at, do)
    return out


def add_into(emit: Emitter, out: View, v: View, combine: str | None) -> None:
    if combine is None:
        emit.copy(out, v)
    elif out.shape:
        with emit.loop(out.shape[0]) as i:
            add_into(emit, out.index(0, i), v.index(0, i), combine)
    else:
        combine_entry(emit, out.entry(), v.entry(), combine, out.dtype)


def combine_entry(emit: Emitter, out: str, v: str, combine: str, dtype: Any) -> None:
    prim: Any = Primitive.registry[combine]
    emit.line(f"{out} = {prim.c_text([out, v], [dtype, dtype], dtype)};")


def cumulative(emit: Emitter, eqn: Eqn, args: Sequence[Value], overwritable: bool, place: View | None) -> Value | None:
    """out[k] = out[k - 1] combined with x[k], row by row."""
    axis, reverse = eqn.params["axis"], eqn.params["reverse"]
    combine = {"cumsum": "add", "cumprod": "mul", "cummax": "max", "cummin": "min"}[eqn.prim.name]
    out, x = room(emit, eqn, place), emit.view(args[0])
    n = x.shape[axis]
    if not math.prod(x.shape):
        return out
    first = n - 1 if reverse else 0
    emit.copy(out.index(axis, first), x.index(axis, first))
    with emit.loop(n - 1) as k:
        emit.serialize()
        now, before = emit.name("i"), emit.name("i")
        emit.line(f"const long {now} = {f'{n - 2} - {k}' if reverse else f'{k} + 1'};")
        emit.line(f"const long {before} = {now} {'+' if reverse else '-'} 1;")
        emit.copy(out.index(axis, now), out.index(axis, before))
        add_into(emit, out.index(axis, now), x.index(axis, now), combine)
    return out


#: operations whose result is their first operand with other entries written into it
WRITERS = frozenset({
    "update_slice", "dynamic_update_slice", "scatter", "scatter_add", "scatter_mul", "scatter_min", "scatter_max",
})  # fmt: skip

RULES: dict[str, Rule] = {
    "reshape": reshaped, "name": copied, "broadcast": broadcast, "concatenate": concatenate, "stack": stack, "pad": pad,
    "update_slice": update_slice, "dynamic_slice": dynamic_slice, "dynamic_pad": dynamic_pad,
    "dynamic_update_slice": dynamic_update, "gather": gather, "scatter_sum": scatter_sum, "scatter": scatter,
    "scatter_add": scatter, "scatter_mul": scatter, "scatter_min": scatter, "scatter_max": scatter,
    "cumsum": cumulative, "cumprod": cumulative, "cummax": cumulative, "cummin": cumulative,
}  # fmt: skip
