"""Products of matrices: a contraction as loops over the labels that all three arrays have, around C = A B.

Each of these is a function of its own, written for its sizes and strides, or a call of BLAS if it is so large that
BLAS's blocks and threads pay; that of a large matrix and a vector reads the matrix in the order in which it lies. What
is too small, or of integers, is taken apart into loops like all else.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from contextlib import ExitStack
from itertools import pairwise
from typing import Any

from xform.compile.c.machine.vectors import vectors
from xform.compile.c.products import blas, gemm, gemv
from xform.compile.c.text import scalars
from xform.compile.c.text.emit import Emitter, scalar
from xform.compile.c.text.values import View, c_strides
from xform.compile.c.text.views import transpose
from xform.compile.executable import Unsupported
from xform.core.aval import Aval
from xform.core.jaxpr import Eqn
from xform.core.primitive import Primitive
from xform.ops.contraction.labels import Spec, groups

#: multiplications from which on a product of matrices is not taken apart into loops of its own
LARGE = 256

#: entries of a matrix, of this many rows and columns, from which on its product with a vector is not taken apart
LARGE_MATRIX, LEAST = 2**14, gemv.TOGETHER

#: multiplications from which on BLAS makes it: where it uses one thread, where it uses several, and of complex numbers
ONE_THREAD, THREADS, COMPLEX = 2**27, 2**23, 2**9

#: C types of the products that have functions of their own
KINDS = {"float64": "double", "float32": "float"}


def is_matmul(eqn: Eqn) -> bool:
    """Is it a product of matrices, or of a matrix and a vector, of some size?"""
    i, j, _ = spec = eqn.params["spec"]
    avals, dtype = [a.aval for a in eqn.inputs], eqn.outputs[0].aval.dtype
    if any(None in a.shape or a.dtype != dtype for a in avals) or dtype.name not in blas.LETTERS:
        return False
    size = dict(zip(i + j, avals[0].shape + avals[1].shape, strict=True))
    parts = groups(spec)
    m, n, k = (math.prod(size[label] for label in part) for part in (parts.left, parts.right, parts.inner))
    if min(m, n) == 1:
        alone = all(size[label] == 1 for label in parts.batch)
        return dtype.name in KINDS and alone and m * n * k >= LARGE_MATRIX and min(max(m, n), k) >= LEAST
    if dtype.name not in KINDS:
        return min(m, n, k) > 1 and pays(m * n * k, dtype.name)
    return min(m, n, k) > 1 and m * n * k >= LARGE


def contraction(emit: Emitter, eqn: Eqn, x: View, y: View, place: View | None) -> View:
    """The sum of products, in `place` if it is given."""
    out = eqn.outputs[0].aval
    if None in out.shape:
        raise Unsupported(f"a product of arrays whose result has the unknown shape {out.shape} is not compiled to C")
    target = place or emit.buffer(out.shape, out.dtype)
    if is_matmul(eqn):
        stacks(emit, x, y, eqn.params["spec"], target)
    else:
        by_loops(emit, x, y, eqn.params["spec"], target)
    return target


def by_loops(emit: Emitter, x: View, y: View, spec: Spec, out: View) -> None:
    """out[o] = sum of x[i] * y[j], a loop for each label."""
    i, j, o = spec
    size = dict(zip(i + j, x.shape + y.shape, strict=True))
    at: dict[str, Any] = {}
    mul, add = Primitive.registry["mul"], Primitive.registry["add"]
    with ExitStack() as outer:
        for label in o:
            at[label] = outer.enter_context(emit.loop(size[label]))
        emit.serialize()
        total = emit.variable(out.dtype, "0")
        with ExitStack() as inner:
            for label in dict.fromkeys(k for k in i + j if k not in o):
                at[label] = inner.enter_context(emit.loop(size[label]))
            emit.serialize()
            operands = [scalar(v.entry([at[k] for k in labels]), v.dtype) for v, labels in ((x, i), (y, j))]
            term = scalars.elementwise(emit, mul, operands, Aval((), out.dtype))
            entry = scalars.apply(emit, add, [total, term.entries[()]], [out.dtype, out.dtype], out.dtype)
            emit.line(f"{total} = {entry};")
        emit.line(f"{out.entry([at[k] for k in o])} = {total};")


def stacks(emit: Emitter, x: View, y: View, spec: Spec, target: View) -> None:
    """As products of the matrices of two stacks."""
    i, j, o = spec
    parts = groups(spec)
    natural = parts.batch + parts.left + parts.right
    a = arranged(emit, x, i, (parts.batch, parts.left, parts.inner))
    b = arranged(emit, y, j, (parts.batch, parts.inner, parts.right))
    moved = transpose(target, permutation=[o.index(label) for label in natural])
    c = as_matrices(moved, (parts.batch, parts.left, parts.right))
    if c is not None and 1 in c.strides[1:]:
        multiply(emit, a, b, c)
        return
    c = emit.buffer((a.shape[0], a.shape[1], b.shape[2]), target.dtype)
    multiply(emit, a, b, c)
    emit.copy(moved, c.like(moved.shape, c_strides(moved.shape)))


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
        if any(s != n * t for (_, s), (n, t) in pairwise(long)):
            return None
        shape.append(math.prod(x.shape[a] for a in axes))
        strides.append(long[-1][1] if long else 0)
    return x.like(shape, strides)


def multiply(emit: Emitter, a: View, b: View, c: View) -> None:
    """c[t] = a[t] b[t] for each matrix t of the stacks."""
    product = plain
    if min(c.shape[1:]) == 1:
        product = of_vector
    elif pays(a.shape[1] * a.shape[2] * b.shape[2], a.dtype.name):
        a, b, product = for_blas(emit, a), for_blas(emit, b), by_blas
    if a.shape[0] == 1:
        product(emit, a.index(0, 0), b.index(0, 0), c.index(0, 0))
        return
    with emit.loop(a.shape[0]) as t:
        emit.serialize()
        product(emit, a.index(0, t), b.index(0, t), c.index(0, t))


def pays(multiplications: int, dtype: str) -> bool:
    """Is BLAS the quicker one, or the only one?"""
    if multiplications < (THREADS if dtype in KINDS else COMPLEX):
        return False
    library = blas.blas()
    return library is not None and (dtype not in KINDS or library.threads > 1 or multiplications >= ONE_THREAD)


def start(x: View) -> str:
    return f"&{x.entry((0, 0))}"


def plain(emit: Emitter, a: View, b: View, c: View) -> None:
    """By a function of the program."""
    (m, k), n = a.shape, b.shape[1]
    product = gemm.Product(KINDS[a.dtype.name], m, n, k, a.strides, b.strides, c.strides)  # type: ignore[arg-type]
    if c.strides[1] != 1:
        a, b, product = b, a, product.transposed()
    define(emit, gemm.sources(product, vectors()))
    emit.line(f"{product.name}({start(a)}, {start(b)}, {start(c)});")


def of_vector(emit: Emitter, a: View, b: View, c: View) -> None:
    """A matrix times a vector, or y' = x' a', which is the same as y = a x."""
    if b.shape[1] != 1:
        a, b = (v.like(v.shape[::-1], v.strides[::-1]) for v in (b, a))
    kind, (m, n), (rows, columns) = KINDS[a.dtype.name], a.shape, a.strides
    if rows == 1 and columns != 1:
        define(emit, gemv.combined(kind))
        operands = f"{start(a)}, {columns}, {start(b)}, {b.strides[0]}, {start(c)}"
        emit.line(f"xf_combined_{kind}({m}, {n}, {operands});")
        return
    if columns != 1:
        a = emit.contiguous(a)
    x = b if b.strides[0] == 1 else emit.contiguous(b)
    define(emit, gemv.dots(kind))
    emit.line(f"xf_dots_{kind}({m}, {n}, {start(a)}, {a.strides[0]}, {start(x)}, {start(c)});")


def define(emit: Emitter, sources: Sequence[str]) -> None:
    """Functions in front of the program, each once."""
    emit.constants += [text for text in sources if text not in emit.constants]


# --- BLAS ---


def for_blas(emit: Emitter, x: View) -> View:
    """Matrices whose rows, or columns, lie along memory, one after the other; copied if they do not."""
    return x if leading(x.shape[1:], x.strides[1:]) else emit.contiguous(x)


def leading(shape: Sequence[int], strides: Sequence[int]) -> tuple[bool, int] | None:
    """Is it the transpose of a matrix in C order, and how far are the rows of that apart? None if it is neither."""
    (m, n), (rows, columns) = shape, strides
    if columns == 1 and rows >= n:
        return False, rows
    return (True, columns) if rows == 1 and columns >= m else None


def by_blas(emit: Emitter, a: View, b: View, c: View) -> None:
    (m, k), n, library = a.shape, b.shape[1], blas.blas()
    if c.strides[1] != 1:  # c' = b' a'
        a, b, c, m, n = (
            b.like((n, k), b.strides[::-1]),
            a.like((k, m), a.strides[::-1]),
            c.like((n, m), c.strides[::-1]),
            n,
            m,
        )
    define(emit, [blas.source(library.interface, a.dtype.name)])  # type: ignore[union-attr]
    (ta, lda), (tb, ldb) = (leading(v.shape, v.strides) for v in (a, b))  # type: ignore[misc]
    table = handed(emit, library.addresses)  # type: ignore[union-attr]
    sizes = f"{ta:d}, {tb:d}, {m}, {n}, {k}"
    operands = f"{start(a)}, {lda}, {start(b)}, {ldb}, {start(c)}, {c.strides[0]}"
    emit.line(f"{blas.routine(a.dtype.name)}({table}, {sizes}, {operands});")


def handed(emit: Emitter, addresses: object) -> str:
    """The array of addresses among what the program is given."""
    k = next((k for k, x in enumerate(emit.given) if x is addresses), len(emit.given))
    if k == len(emit.given):
        emit.given.append(addresses)  # type: ignore[arg-type]
    return f"(void *const *)xform_consts[{k}]"
