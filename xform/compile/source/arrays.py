"""Operations on whole arrays as NumPy's methods and functions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from xform.compile.source.rules import parameters, rule_name, update_name
from xform.compile.source.scalars import as_int, bounds, is_single, text
from xform.compile.source.values import Value, is_number
from xform.core.jaxpr import Eqn, Literal
from xform.ops.contraction.contract_kernels import kernels
from xform.ops.contraction.labels import groups
from xform.ops.structure import is_small_part

if TYPE_CHECKING:
    from xform.compile.source.writer import Operand, Writer

#: writes an eqn, or says that it is none that it can
Rule = Callable[["Writer", Eqn, "list[Operand]"], bool]


def reshape(w: Writer, eqn: Eqn, operands: list[Operand]) -> bool:
    w.assign(eqn.outputs[0], f"{w.array(operands[0])}.reshape({eqn.params['shape']})", of=operands)
    return True


def transpose(w: Writer, eqn: Eqn, operands: list[Operand]) -> bool:
    permutation, x = eqn.params["permutation"], w.array(operands[0])
    turned = f"{x}.T" if permutation == tuple(reversed(range(len(permutation)))) else f"{x}.transpose({permutation})"
    w.assign(eqn.outputs[0], turned, of=operands)
    return True


def part(entry: Any, size: int | None) -> str:
    """An entry of a region as text between brackets."""
    if isinstance(entry, int):
        return str(entry)
    start, count, step = entry
    stop = start + count * step
    if (start, count, step) == (0, size, 1):
        return ":"
    return f"{start}:{'' if stop < 0 else stop}{'' if step == 1 else f':{step}'}"


def slice_(w: Writer, eqn: Eqn, operands: list[Operand]) -> bool:
    (v,), index, x = eqn.outputs, eqn.params["index"], operands[0]
    if isinstance(x, Literal) or not index:
        return False
    if is_number(v.aval):
        w.assign(v, f"{x.as_array()}.item({', '.join(map(str, index))})", number=True)
    else:
        entries = ", ".join(part(e, n) for e, n in zip(index, x.aval.shape, strict=True))
        if is_small_part(v.aval, x.aval):  # as the rule of the primitive does
            w.assign(v, f"{x.as_array()}[{entries}].copy()")
        else:
            w.assign(v, f"{x.as_array()}[{entries}]", of=operands)
    return True


def update_slice(w: Writer, eqn: Eqn, operands: list[Operand]) -> bool:
    """x[index] = v, in place if nobody else reads x, else in a copy."""
    index, (x, v) = eqn.params["index"], operands
    if not index or isinstance(x, Literal):
        return False
    entries = ", ".join(part(e, n) for e, n in zip(index, x.aval.shape, strict=True))
    changed(w, eqn, x, f"{{}}[{entries}] = {stored(w, v)}")
    return True


def pad(w: Writer, eqn: Eqn, operands: list[Operand]) -> bool:
    """Zeros with the operand written into a region."""
    (v,), shape, index = eqn.outputs, eqn.params["shape"], eqn.params["index"]
    if not index or None in shape:
        return False
    entries = ", ".join(part(e, n) for e, n in zip(index, shape, strict=True))
    written = stored(w, w.value(operands[0]))
    w.assign(v, f"np.zeros({shape}, np.{v.aval.dtype.name})")
    w.block.line(f"{w.frame.env[v].as_array()}[{entries}] = {written}")
    return True


def stored(w: Writer, v: Operand) -> str:
    """A value to be written to an array of its dtype."""
    return v.number if isinstance(v, Value) and v.number and v.aval.dtype == np.float64 else w.array(v)


def changed(w: Writer, eqn: Eqn, x: Value, *lines: str) -> None:
    """Lines that change an array, in place or in a copy."""
    (out,) = eqn.outputs
    own = x.own is not None and eqn.inputs[0] in w.dying and eqn.inputs.count(eqn.inputs[0]) == 1
    name, buffer = w.name(out), x.own
    w.block.line(f"{name} = {x.as_array()}" if own else f"{name} = np.array({x.as_array()}, order='C')")
    for line in lines:
        w.block.line(line.format(name))
    if own and buffer is not None:
        w.bind(out, Value(out.aval, w.block, array=name, buffers=(buffer,), whole=True))
        if not buffer.held:
            buffer.name = name
    else:
        w.bind(out, w.fresh(out.aval, name))


def update(w: Writer, eqn: Eqn, operands: list[Operand]) -> bool:
    """The entries at computed places are changed."""
    x, v, *indices = operands
    if isinstance(x, Literal):
        return False
    rest = ", ".join([w.array(v), *map(w.array, indices), *parameters(w, eqn)])
    call = f"{update_name(w, eqn.prim)}({{}}, {rest})"
    if eqn.prim.name not in ("scatter", "scatter_add") or not is_entry(x, indices, eqn):
        changed(w, eqn, x, call)
        return True
    sign = "=" if eqn.prim.name == "scatter" else "+="
    entry = f"{{}}[{', '.join(map(as_int, indices))}] {sign} {stored(w, v)}"
    inside = in_range(x, indices, eqn.params["axes"])
    lines = [f"if {inside}:", f"    {entry}", "else:", f"    {call}"] if inside else [entry]
    changed(w, eqn, x, *lines)
    return True


def is_entry(x: Value, indices: Sequence[Operand], eqn: Eqn) -> bool:
    """Does it concern one entry, or one row, that integers name?"""
    count = len(indices)
    if not all(is_single(i) and i.aval.dtype == np.int64 for i in indices):
        return False
    return eqn.params["axes"] == tuple(range(count)) and eqn.params["at"] == 0 and None not in x.aval.shape


def in_range(x: Value, indices: Sequence[Operand], axes: Sequence[int]) -> str:
    """The condition that the indices are in range, as far as it is not known."""
    conditions = []
    for i, a in zip(indices, axes, strict=True):
        (low, high), n = bounds(i), x.aval.shape[a]
        if low < -n or high >= n:
            conditions.append(f"{-n} <= {as_int(i)} < {n}")
    return " and ".join(conditions)


def gather(w: Writer, eqn: Eqn, operands: list[Operand]) -> bool:
    x, *indices = operands
    (v,) = eqn.outputs
    if isinstance(x, Literal) or not indices or not is_entry(x, indices, eqn):
        return False
    single = len(indices) == len(x.aval.shape)
    if single and not is_number(v.aval):
        return False
    places = ", ".join(map(as_int, indices))
    read = f"{x.as_array()}.item({places})" if single else f"{x.as_array()}[{places}]"
    inside = in_range(x, indices, eqn.params["axes"])
    if inside:
        rest = ", ".join([x.as_array(), *map(as_int, indices), *parameters(w, eqn)])
        read += f" if {inside} else {rule_name(w, eqn.prim)}({rest})[0]"
    w.assign(v, read, of=None if single else operands, number=single)
    return True


def broadcast(w: Writer, eqn: Eqn, operands: list[Operand]) -> bool:
    (v,), shape, axes = eqn.outputs, eqn.params["shape"], eqn.params["axes"]
    if None in shape:
        return False
    if not operands[0].aval.shape:
        if v.aval.size > 4096:
            return False
        w.assign(v, f"help.filled({shape}, {w.array(w.value(operands[0]))})")
        return True
    places = ", ".join("None" if k in axes else ":" for k in range(len(shape)))
    w.assign(v, f"np.broadcast_to({w.array(operands[0])}[{places}], {shape})", of=operands)
    return True


def reduction(function: str) -> Rule:
    def write(w: Writer, eqn: Eqn, operands: list[Operand]) -> bool:
        (v,), axes, x = eqn.outputs, eqn.params["axes"], operands[0]
        if isinstance(x, Literal) or not x.aval.shape or x.aval.dtype.kind not in "fc" or not axes:
            return False
        if 0 in x.aval.shape and function != "np.add":
            return False
        over = "None" if len(axes) == len(x.aval.shape) else axes[0] if len(axes) == 1 else axes
        kept = f", np.{x.aval.dtype.name}" if x.aval.dtype.itemsize < 4 else ""
        w.assign(v, f"{function}.reduce({x.as_array()}, {over}{kept})")
        return True

    return write


def contract(w: Writer, eqn: Eqn, operands: list[Operand]) -> bool:
    """`dot` where the operands are vectors and matrices, else the kernel that the eager rule would choose."""
    spec = eqn.params["spec"]
    x, y = (w.array(a) for a in operands)
    call = dot(spec, x, y) or f"{w.constant(kernels[spec], 'contract_' + '_'.join(p or '0' for p in spec))}({x}, {y})"
    w.assign(eqn.outputs[0], call)
    return True


def dot(spec: Any, x: str, y: str) -> str | None:
    """x[i] * y[j] summed over the one label that is not in o, as a product of matrices."""
    (i, j, o), (batch, inner, left, right) = spec, groups(spec)
    if batch or len(inner) != 1 or len(left) > 1 or len(right) > 1:
        return None
    if left and (not right or o[0] in left):
        (a, p), (b, q) = (i, x), (j, y)
    else:
        (a, p), (b, q) = (j, y), (i, x)
    if not left and not right:
        return f"{x}.dot({y})"
    p = f"{p}.T" if len(a) == 2 and a[0] == inner[0] else p
    q = f"{q}.T" if len(b) == 2 and b[1] == inner[0] else q
    return f"{p}.dot({q})"


def concatenate(w: Writer, eqn: Eqn, operands: list[Operand]) -> bool:
    if any(isinstance(x, Literal) for x in operands):
        return False
    w.assign(eqn.outputs[0], f"np.concatenate(({', '.join(map(w.array, operands))},), axis={eqn.params['axis']})")
    return True


def stack(w: Writer, eqn: Eqn, operands: list[Operand]) -> bool:
    (v,) = eqn.outputs
    if any(isinstance(x, Literal) for x in operands) or len({x.aval.dtype for x in operands}) > 1:
        return False
    if operands[0].aval.shape:
        w.assign(v, f"np.stack(({', '.join(map(w.array, operands))},), axis={eqn.params['axis']})")
    else:
        items = [text(x) if is_single(x) and x.number else w.array(x) for x in operands]  # type: ignore[union-attr]
        w.assign(v, f"np.array(({', '.join(items)},))")
    return True


def convert(w: Writer, eqn: Eqn, operands: list[Operand]) -> bool:
    (v,), x = eqn.outputs, operands[0]
    if not v.aval.shape or (x.aval.dtype.kind == "c" and v.aval.dtype.kind != "c"):
        return False
    w.assign(v, f"{w.array(x)}.astype(np.{v.aval.dtype.name})")
    return True


def select(w: Writer, eqn: Eqn, operands: list[Operand]) -> bool:
    (v,), (c, a, b) = eqn.outputs, operands
    if not v.aval.shape:
        return False
    w.assign(v, f"np.where({w.array(c)}, {w.term(a, [b])}, {w.term(b, [a])})")
    return True


def clamp(w: Writer, eqn: Eqn, operands: list[Operand]) -> bool:
    low, a, high = map(w.array, operands)
    if all(isinstance(x, Literal) for x in operands):
        return False
    w.assign(eqn.outputs[0], f"np.minimum(np.maximum({a}, {low}), {high})")
    return True


def same(w: Writer, eqn: Eqn, operands: list[Operand]) -> bool:
    """Results that are the operands."""
    for v, x in zip(eqn.outputs, operands, strict=True):
        w.bind(v, w.value(x))
    return True


def copy(w: Writer, eqn: Eqn, operands: list[Operand]) -> bool:
    (v,) = eqn.outputs
    if not v.aval.shape:
        return False
    w.assign(v, f"np.array({w.array(operands[0])})")
    return True


ARRAYS: dict[str, Rule] = {
    "reshape": reshape,
    "transpose": transpose,
    "slice": slice_,
    "update_slice": update_slice,
    "pad": pad,
    "gather": gather,
    **dict.fromkeys(
        ("scatter", "scatter_add", "scatter_mul", "scatter_min", "scatter_max", "dynamic_update_slice"), update
    ),
    "broadcast": broadcast,
    "reduce_sum": reduction("np.add"),
    "reduce_max": reduction("np.maximum"),
    "reduce_min": reduction("np.minimum"),
    "contract": contract,
    "concatenate": concatenate,
    "stack": stack,
    "convert": convert,
    "select": select,
    "clamp": clamp,
    "name": same,
    "optimization_barrier": same,
    "stop_gradient": copy,
}
