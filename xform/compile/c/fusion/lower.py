"""Operations as a whole: in registers if they are small, else views, copies, products of matrices, calls of NumPy."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from xform.compile.c.fusion.peel import pointwise
from xform.compile.c.kernels import arrays, registers
from xform.compile.c.products.matmul import contraction, is_matmul
from xform.compile.c.text import scalars
from xform.compile.c.text.emit import Emitter
from xform.compile.c.text.values import Scalars, Value, View
from xform.compile.c.text.views import VIEWS
from xform.core.aval import Aval
from xform.core.jaxpr import Eqn, programs_in
from xform.core.primitive import Primitive
from xform.ops.elementwise import Elementwise

#: operations that read only a part of their first operand
PARTS = ("slice", "gather", "dynamic_slice")


def is_small(eqn: Eqn, emit: Emitter) -> bool:
    """Can it be done in registers?"""
    most = emit.most
    if eqn.prim.name in registers.RULES:
        return registers.is_small(eqn, emit)
    if len(eqn.outputs) != 1 or eqn.prim.has_programs or any(programs_in(eqn.params)):
        return False
    avals = [v.aval for v in eqn.outputs]
    avals += [a.aval for k, a in enumerate(eqn.inputs) if not reads_part(eqn, k)]
    if any(None in a.shape or a.size > most for a in avals):
        return False
    if eqn.prim.name == "contract":
        i, j, _ = eqn.params["spec"]
        size = dict(zip(i + j, (*eqn.inputs[0].aval.shape, *eqn.inputs[1].aval.shape), strict=True))
        return int(np.prod([*size.values()])) <= 8 * most
    return True


def reads_part(eqn: Eqn, k: int) -> bool:
    return k == 0 and eqn.prim.name in PARTS


def prefers_whole(eqn: Eqn) -> bool:
    """Is it better not taken apart into slices? A stack of products of matrices is, a single one is not."""
    if eqn.prim.name != "contract" or not is_matmul(eqn):
        return False
    i, j, o = eqn.params["spec"]
    return not (o[0] in i and o[0] in j)


def is_view(eqn: Eqn) -> bool:
    return eqn.prim.name in VIEWS


def is_pointwise(eqn: Eqn) -> bool:
    """Is each entry of the result computed from the entries at the same place?"""
    if not is_of_entries(eqn):
        return eqn.prim.name == "convert"
    return pointwise(eqn, [a.aval for a in eqn.inputs], eqn.outputs[0].aval) is not None


def is_of_entries(eqn: Eqn) -> bool:
    return isinstance(eqn.prim, Elementwise) or eqn.prim.name == "select"


def lower(
    emit: Emitter, eqn: Eqn, args: Sequence[Value], small: bool, overwritable: bool, places: Sequence[View | None]
) -> Sequence[Value]:
    """The results of an operation. `overwritable`: nobody else reads the memory of the first operand."""
    prim, params, outs = eqn.prim, eqn.params, [v.aval for v in eqn.outputs]
    if type(prim).lower is not Primitive.lower:
        return prim.lower(emit, *args, **params)
    if is_view(eqn) and isinstance(args[0], View):
        view = VIEWS[prim.name](args[0], **params)
        if view is not None:
            return [part(emit, eqn, view)]
    if prim.name == "optimization_barrier":
        return args
    several: Sequence[Value] | None = None
    if small and prim.name in registers.RULES:
        several = registers.written_out(emit, eqn, args, outs)
    if several is None:
        several = registers.as_whole(emit, eqn, args, places)
    if several is not None:
        return several
    if small and all(isinstance(x, Scalars) or reads_part(eqn, k) for k, x in enumerate(args)):
        done = in_registers(emit, eqn, args, outs)  # type: ignore[arg-type]
        if done is not None:
            return [done]
    if prim.name == "contract":
        return [contraction(emit, eqn, emit.view(args[0]), emit.view(args[1]), places[0])]
    rule = arrays.RULES.get(prim.name)
    done = None if rule is None else rule(emit, eqn, args, overwritable, places[0])
    if done is None:
        return emit.callback(eqn, args)
    return [part(emit, eqn, done)]


def part(emit: Emitter, eqn: Eqn, value: Value) -> Value:
    """A small part of an array is read at once: so the array may be written in place afterwards."""
    if isinstance(value, View) and eqn.prim.name in PARTS and math.prod(value.shape) <= emit.most:
        return emit.scalars(value)
    return value


def in_registers(emit: Emitter, eqn: Eqn, args: Sequence[Scalars], outs: Sequence[Aval]) -> Scalars | None:
    """None if there is no text for it."""
    prim, params, out = eqn.prim, eqn.params, outs[0]
    name = prim.name
    if is_of_entries(eqn):
        ok = scalars.has_text(prim, scalars.operand_dtypes(prim, args, out.dtype), out.dtype)
        return scalars.elementwise(emit, prim, args, out) if ok else None
    if name in scalars.MOVES and all(isinstance(x, Scalars) for x in args):
        return scalars.moved(prim, args, params, out)
    if name == "name":
        return args[0]
    if name == "convert":
        return scalars.convert(emit, args[0], out.dtype)
    if name == "conj":
        return args[0] if out.dtype.kind != "c" else scalars.mapped(emit, args[0], "~{}")
    if name in scalars.REDUCTIONS:
        return scalars.reduced(emit, name, args[0], params["axes"], out)
    if name == "contract":
        return scalars.contracted(emit, args[0], args[1], params["spec"], out)
    if name == "pad":
        return scalars.padded(args[0], params["shape"], params["index"])
    if name == "update_slice":
        return scalars.updated(args[0], args[1], params["index"])
    return at_known_places(emit, name, args, params, out)


def at_known_places(emit: Emitter, name: str, args: Sequence[Any], params: dict[str, Any], out: Aval) -> Any:
    """gather and its kin, at indices that are known."""
    first = 2 if name in ("scatter", "scatter_add", "scatter_mul") else 1
    if name not in ("gather", "scatter_sum", "scatter", "scatter_add", "scatter_mul"):
        return None
    if not isinstance(args[0], Scalars) or not scalars.are_known(args[first:]):
        return None
    indices = [scalars.known_index(i) for i in args[first:]]
    positions = Primitive.registry["gather"].numpy
    if name == "gather":
        places = positions(np.arange(args[0].entries.size).reshape(args[0].shape), *indices, **params)[0]
        return Scalars(scalars.as_entries(args[0].entries.ravel()[places]), out.dtype)
    axes, at = params["axes"], params["at"]
    places = positions(np.arange(out.size).reshape(out.shape), *indices, axes=axes, at=at)[0]
    x, v = (scalars.zeros(out), args[0]) if name == "scatter_sum" else (args[0], args[1])
    combine = {"scatter": None, "scatter_mul": "mul"}.get(name, "add")
    return scalars.scattered(emit, x, v, np.asarray(places), combine)
