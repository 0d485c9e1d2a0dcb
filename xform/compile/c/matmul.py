"""Products of matrices: a contraction as loops over the labels that all three arrays have, around C = A B."""

from __future__ import annotations

import math
from collections.abc import Sequence

from xform.compile.c.emit import Emitter
from xform.compile.c.values import View, c_strides
from xform.compile.c.views import transpose
from xform.core.aval import Aval
from xform.core.jaxpr import Eqn
from xform.ops.labels import Spec, groups

#: multiplications from which on a product of matrices is not taken apart into loops of its own
LARGE = 1024

#: the routine by dtype
ROUTINES = {"float64": "xf_gemm_f64", "float32": "xf_gemm_f32"}


def is_matmul(eqn: Eqn) -> bool:
    """Is it a product of matrices, not of a matrix and a vector, of some size?"""
    i, j, o = spec = eqn.params["spec"]
    avals = [a.aval for a in eqn.inputs]
    if any(None in a.shape or a.dtype != eqn.outputs[0].aval.dtype for a in avals) or avals[0].dtype.name not in ROUTINES:
        return False
    size = dict(zip(i + j, avals[0].shape + avals[1].shape, strict=True))
    parts = groups(spec)
    m, n, k = (math.prod(size[label] for label in part) for part in (parts.left, parts.right, parts.inner))
    return min(m, n, k) > 1 and m * n * k >= LARGE


def matmul(emit: Emitter, x: View, y: View, spec: Spec, out: Aval, place: View | None) -> View:
    i, j, o = spec
    parts = groups(spec)
    target = place or emit.buffer(out.shape, out.dtype)
    natural = parts.batch + parts.left + parts.right
    a = arranged(emit, x, i, (parts.batch, parts.left, parts.inner))
    b = arranged(emit, y, j, (parts.batch, parts.inner, parts.right))
    c = as_matrices(transpose(target, permutation=[o.index(label) for label in natural]), (parts.batch, parts.left, parts.right))
    if c is None:
        size = dict(zip(o, out.shape, strict=True))
        c = emit.buffer([math.prod(size[label] for label in part) for part in (parts.batch, parts.left, parts.right)], out.dtype)
        multiply(emit, a, b, c)
        whole = c.like([size[label] for label in natural], c_strides([size[label] for label in natural]))
        emit.copy(target, transpose(whole, permutation=[natural.index(label) for label in o]))
    else:
        multiply(emit, a, b, c)
    return target


def arranged(emit: Emitter, x: View, labels: str, parts: Sequence[str]) -> View:
    """The operand as a stack of matrices, copied if its axes cannot be joined where they lie."""
    moved = transpose(x, permutation=[labels.index(label) for part in parts for label in part])
    found = as_matrices(moved, parts)
    return found if found is not None else as_matrices(emit.contiguous(moved), parts)  # type: ignore[return-value]


def as_matrices(x: View, parts: Sequence[str]) -> View | None:
    """The axes of each part joined to one."""
    shape, strides, k = [], [], 0
    for part in parts:
        axes = range(k, k + len(part))
        k += len(part)
        long = [(x.shape[a], x.strides[a]) for a in axes if x.shape[a] != 1]
        if any(s != n * t for (_, s), (n, t) in zip(long, long[1:], strict=False)):
            return None
        shape.append(math.prod(x.shape[a] for a in axes))
        strides.append(long[-1][1] if long else 0)
    return x.like(shape, strides)


def multiply(emit: Emitter, a: View, b: View, c: View) -> None:
    """c[t] = a[t] b[t] for each matrix t of the stacks."""
    if a.shape[0] != 1:
        with emit.loop(a.shape[0]) as t:
            emit.serialize()
            gemm(emit, a.index(0, t), b.index(0, t), c.index(0, t))
    else:
        gemm(emit, a.index(0, 0), b.index(0, 0), c.index(0, 0))


def gemm(emit: Emitter, a: View, b: View, c: View) -> None:
    routine = ROUTINES[a.dtype.name]
    emit.helpers.add(routine)
    (m, k), n = a.shape, b.shape[1]
    operands = [f"&{v.entry((0, 0))}, {v.strides[0]}, {v.strides[1]}" for v in (a, b, c)]
    emit.line(f"{routine}({m}, {n}, {k}, {', '.join(operands)});")
    emit.serialize()
