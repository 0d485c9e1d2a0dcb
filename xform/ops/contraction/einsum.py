"""NumPy's sums of products: matmul, dot, inner, outer, tensordot, vecdot and einsum, all in terms of `contract`.

They take arrays, tracers and whatever NumPy makes arrays of, and check shapes in the words of the function called.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.exceptions import AxisError
from numpy.lib.array_utils import normalize_axis_index, normalize_axis_tuple

from xform.core.trace import Tracer
from xform.ops.arithmetic import mul
from xform.ops.contraction import network
from xform.ops.contraction.contract import contract
from xform.ops.contraction.labels import LABELS, Spec
from xform.ops.contraction.subscripts import Label, Subscripts, parse, split_operands
from xform.ops.linear_algebra.matrix import conj
from xform.ops.structure import convert, reshape, transpose

Shape = tuple[int, ...]
Program = Sequence[network.Step]

ARRAYS = (np.ndarray, Tracer, np.generic)

#: matmul of vectors and matrices, by their ranks
MATMUL: dict[tuple[int, int], Spec] = {
    (1, 1): ("k", "k", ""),
    (1, 2): ("k", "kj", "j"),
    (2, 1): ("ik", "k", "i"),
    (2, 2): ("ik", "kj", "ij"),
}


def matmul(a: Any, b: Any) -> Any:
    """The matrix product, c[..., i, j] = sum_k a[..., i, k] b[..., k, j], broadcasting leading axes.

    A vector is a row on the left and a column on the right, and leaves no axis. ValueError for scalars and for shapes
    that do not contract or broadcast.
    """
    a, b = as_array(a), as_array(b)
    s, t = a.shape, b.shape
    spec = MATMUL.get((len(s), len(t)))
    if spec is not None and s[-1] == t[0]:
        return contract(a, b, spec=spec)
    rows, columns = len(s) > 1, len(t) > 1
    return stacked("matmul", a, b, "i" * rows + "k", "k" + "j" * columns, "i" * rows + "j" * columns)


def matvec(a: Any, x: Any) -> Any:
    """Matrices times vectors, y[..., i] = sum_k a[..., i, k] x[..., k], broadcasting leading axes."""
    return stacked("matvec", as_array(a), as_array(x), "ik", "k", "i")


def vecmat(x: Any, a: Any) -> Any:
    """Conjugated vectors times matrices, y[..., j] = sum_k conj(x[..., k]) a[..., k, j], broadcasting leading axes."""
    return stacked("vecmat", conj(as_array(x)), as_array(a), "k", "kj", "j")


def vecdot(a: Any, b: Any, axis: int = -1) -> Any:
    """Scalar products of vectors, sum_k conj(a[..., k]) b[..., k], k being `axis`, broadcasting the other axes."""
    a, b = conj(as_array(a)), as_array(b)
    if axis != -1 and a.shape and b.shape:
        a, b = move_last(a, axis), move_last(b, axis)
    return stacked("vecdot", a, b, "k", "k", "")


def dot(a: Any, b: Any) -> Any:
    """The last axis of a against the second-to-last, or only, axis of b; a product if one of them is a scalar."""
    return against_last("dot", as_array(a), as_array(b), 2)


def inner(a: Any, b: Any) -> Any:
    """The last axis of a against the last axis of b; a product if one of them is a scalar."""
    return against_last("inner", as_array(a), as_array(b), 1)


def outer(a: Any, b: Any) -> Any:
    """c[i, j] = a[i] b[j], of arrays of any shape as vectors."""
    return contract(as_vector(a), as_vector(b), spec=("i", "j", "ij"))


def vdot(a: Any, b: Any) -> Any:
    """sum_k conj(a[k]) b[k], of arrays of any shape as vectors; ValueError unless they have equally many entries."""
    a, b = as_vector(a), as_vector(b)
    require_contraction("vdot", a.shape, b.shape, 1, 1)
    return contract(conj(a), b, spec=("k", "k", ""))


def tensordot(a: Any, b: Any, axes: Any = 2) -> Any:
    """Sum over pairs of axes: the last `axes` of a against the first of b, or those of two lists, `axes = (p, q)`.

    The result has the other axes of a, then those of b. ValueError (AxisError) if axes are repeated, missing, or of
    different sizes, or if there are not so many.
    """
    a, b = as_array(a), as_array(b)
    s, t = a.shape, b.shape
    p, q = contracted_axes(axes, len(s), len(t))
    if len(p) != len(q) or any(s[m] != t[n] for m, n in zip(p, q, strict=True)):
        raise ValueError(
            f"tensordot: shapes {show(s)} and {show(t)} do not contract over axes {p} and {q}, of sizes "
            f"{tuple(s[m] for m in p)} and {tuple(t[n] for n in q)}; wanted equally many axes, pairwise of one size"
        )
    i, j = list(LABELS[: len(s)]), list(LABELS[len(s) : len(s) + len(t)])
    for m, n in zip(p, q, strict=True):
        j[n] = i[m]
    o = [k for k in i if k not in j] + [k for k in j if k not in i]
    return contract(a, b, spec=("".join(i), "".join(j), "".join(o)))


def einsum(subscripts: Any, *operands: Any) -> Any:
    """The sum of products of any number of arrays that `subscripts` describe, in Einstein's notation as NumPy reads it.

    Each term labels the axes of an operand; the result has the labels behind the arrow, or else those that stand once,
    in alphabetical order. All others are summed. '...' stands for axes that broadcast. Operands are joined two at a
    time, in an order that is optimal for up to eight and greedy beyond. dtypes promote to a common one. ValueError for
    subscripts that are not understood and for sizes that disagree.

    >>> x, a = np.arange(3.0), np.eye(3)
    >>> einsum("i,ij,j", x, a, x)
    np.float64(5.0)
    >>> einsum("ii->i", a)
    array([1., 1., 1.])
    """
    terms, given = split_operands(subscripts, operands)
    arrays = promoted([as_array(x) for x in given])
    return network.run(einsum_plan(terms, tuple(x.shape for x in arrays)), arrays)


@lru_cache(maxsize=4096)
def einsum_plan(subscripts: str | tuple[tuple[Label, ...], ...], shapes: tuple[Shape, ...]) -> Program:
    return network.plan(parse(subscripts, tuple(map(len, shapes))), shapes)


def stacked(name: str, a: Any, b: Any, i: str, j: str, o: str) -> Any:
    """The product i,j->o of the trailing axes, for each entry of the leading ones, which broadcast."""
    return network.run(stacked_plan(name, a.shape, b.shape, i, j, o), (a, b))


@lru_cache(maxsize=4096)
def stacked_plan(name: str, s: Shape, t: Shape, i: str, j: str, o: str) -> Program:
    """The program of `stacked` for operands of these shapes."""
    lead_s, lead_t = len(s) - len(i), len(t) - len(j)
    if lead_s < 0 or lead_t < 0:
        raise ValueError(
            f"{name}: shapes {show(s)} and {show(t)} were given; wanted at least {len(i)} and {len(j)} axes: "
            "multiply by a scalar with *, add an axis with x[None]"
        )
    require_contraction(name, s, t, len(i) - i.index("k"), len(j) - j.index("k"))
    try:
        np.broadcast_shapes(s[:lead_s], t[:lead_t])
    except ValueError:
        raise ValueError(
            f"{name}: shapes {show(s)} and {show(t)} do not broadcast: their leading axes {show(s[:lead_s])} and "
            f"{show(t[:lead_t])}, aligned at the right, must be equal or 1; reshape an operand"
        ) from None
    inputs = (*range(-lead_s, 0), *map(ord, i)), (*range(-lead_t, 0), *map(ord, j))
    output = (*range(-max(lead_s, lead_t), 0), *map(ord, o))
    return network.plan(Subscripts(inputs, output, name), (s, t))


def against_last(name: str, a: Any, b: Any, place: int) -> Any:
    """The last axis of a against the axis of b at `place` from the end, without broadcasting."""
    s, t = a.shape, b.shape
    if not s or not t:
        return mul(a, b)
    place = min(place, len(t))
    require_contraction(name, s, t, 1, place)
    i, j = LABELS[: len(s)], LABELS[len(s) : len(s) + len(t) - 1]
    split = len(t) - place
    return contract(a, b, spec=(i, j[:split] + i[-1] + j[split:], i[:-1] + j))


def require_contraction(name: str, s: Shape, t: Shape, p: int, q: int) -> None:
    """ValueError unless the axes at p and q from the end have one size."""
    if s[-p] != t[-q]:
        place = ("last", "second-to-last")
        raise ValueError(
            f"{name}: shapes {show(s)} and {show(t)} do not contract: the {place[p - 1]} axis of the first ({s[-p]}) "
            f"must equal the {place[q - 1]} of the second ({t[-q]}); transpose or reshape an operand"
        )


def contracted_axes(axes: Any, a_ndim: int, b_ndim: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """The axes of a and of b that tensordot is to contract, counted from the front."""
    try:
        p, q = axes
    except TypeError:
        if not 0 <= axes <= min(a_ndim, b_ndim):
            error = AxisError if axes > 0 else ValueError  # NumPy's is an IndexError, or a ValueError if sizes differ
            raise error(
                f"tensordot: axes={axes} of operands of {a_ndim} and {b_ndim} axes; wanted at most as many as both have"
            ) from None
        return tuple(range(a_ndim - axes, a_ndim)), tuple(range(axes))
    return normalize_axis_tuple(p, a_ndim, "axes"), normalize_axis_tuple(q, b_ndim, "axes")


def as_array(x: Any) -> Any:
    """The value itself if it is an array, a NumPy scalar or a tracer, else NumPy's array of it."""
    return x if isinstance(x, ARRAYS) else np.asarray(x)


def as_vector(x: Any) -> Any:
    """All entries of a value, in C order."""
    x = as_array(x)
    return x if len(x.shape) == 1 else reshape(x, shape=(math.prod(x.shape),))


def move_last(x: Any, axis: int) -> Any:
    """The view of an array with `axis` behind the others."""
    rank = len(x.shape)
    axis = normalize_axis_index(axis, rank)
    return transpose(x, permutation=(*range(axis), *range(axis + 1, rank), axis))


def promoted(arrays: list[Any]) -> list[Any]:
    """All in their common dtype, in which NumPy adds too."""
    if len({x.dtype for x in arrays}) == 1:
        return arrays
    dtype = np.result_type(*(x.dtype for x in arrays))
    return [x if x.dtype == dtype else convert(x, dtype=dtype) for x in arrays]


def show(shape: Shape) -> str:
    """A shape as NumPy writes it in messages: (3,4), (3,)."""
    return str(tuple(shape)).replace(" ", "")
