"""NumPy's products of vectors, matrices and arrays: dot, matmul, outer, tensordot, einsum, kron, cross, diagonals.

Those that sum are `contract` with the axes named, so that their derivatives are products of the same kind.
"""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import Any, SupportsIndex

import numpy as np
from numpy.lib.array_utils import normalize_axis_index
from numpy.typing import DTypeLike

from xform.core.trace import Tracer
from xform.numpy.dispatch import ArrayLike, as_dtype, asarray, implements, promote, reject
from xform.numpy.reductions import sum
from xform.ops.contraction import einsum as ops
from xform.ops.contraction.contract import contract
from xform.ops.contraction.labels import LABELS
from xform.ops.indexing.index import moved
from xform.ops.linear_algebra.matrix import diagonal as last_diagonal
from xform.ops.stack import stack
from xform.ops.structure import reshape, slice_, transpose


@implements(np.dot)
def dot(a: ArrayLike, b: ArrayLike, out: None = None) -> Any:
    """The sum over the last axis of a and the second-to-last (or only) axis of b, sum_k a[..., k] b[..., k, j].

    With a scalar it is the product. Raises ValueError if the two axes differ in size.

    >>> import xform
    >>> xform.grad(lambda x: dot(x, x))(np.array([1.0, 2.0]))
    array([2., 4.])
    """
    if out is not None:
        reject("dot", out=out)
    a, b = asarray(a), asarray(b)
    spec = ops.MATMUL.get((len(a.shape), len(b.shape)))
    if spec is not None and a.shape[-1] == b.shape[0]:
        return contract(a, b, spec=spec)
    return ops.dot(a, b)


@implements(np.vdot)
def vdot(a: ArrayLike, b: ArrayLike, /) -> Any:
    """The scalar product sum conj(a) b of all entries, in C order; ValueError unless there are equally many.

    >>> import xform
    >>> xform.grad(lambda x: vdot(x, np.eye(2)))(np.ones((2, 2)))
    array([[1., 0.],
           [0., 1.]])
    """
    return ops.vdot(a, b)


@implements(np.inner)
def inner(a: ArrayLike, b: ArrayLike, /) -> Any:
    """The sum over the last axes, sum_k a[..., k] b[..., k], with all other axes of both; of a scalar, the product.

    >>> inner(np.eye(2), np.array([3.0, 4.0]))
    array([3., 4.])
    """
    return ops.inner(a, b)


@implements(np.outer)
def outer(a: ArrayLike, b: ArrayLike, out: None = None) -> Any:
    """The matrix a[i] b[j] of the entries of two arrays, in C order.

    >>> outer([1, 2], [3, 4])
    array([[3, 4],
           [6, 8]])
    """
    reject("outer", out=out)
    return ops.outer(a, b)


@implements(np.tensordot)
def tensordot(a: ArrayLike, b: ArrayLike, axes: Any = 2) -> Any:
    """The sum over the last `axes` axes of a against the first of b, or over pairs of axes, `axes = (of a, of b)`.

    The result has the other axes of a, then those of b. Raises ValueError if the axes' numbers or sizes differ, and
    AxisError if there are not so many.

    >>> tensordot(np.ones((2, 3, 4)), np.ones((4, 3)), axes=([1, 2], [1, 0]))
    array([12., 12.])
    """
    return ops.tensordot(a, b, axes)


@implements(np.einsum)
def einsum(*operands: Any, out: None = None, optimize: Any = False, **kwargs: Any) -> Any:
    """The sum of products that subscripts describe, in Einstein's notation.

    `einsum("ij,jk->ik", a, b)`, or with the labels of each operand behind it, `einsum(a, [0, 1], b, [1, 2], [0, 2])`.
    Products of several arrays are formed two at a time in an order that costs little, whatever `optimize` says. `dtype`
    converts the operands. Raises ValueError for subscripts that are not understood, and for sizes that disagree.

    >>> import xform
    >>> xform.grad(lambda x: einsum("i,ij,j", x, np.eye(2), x))(np.array([1.0, 2.0]))
    array([2., 4.])
    """
    reject("einsum", out=out)
    dtype = kwargs.pop("dtype", None)
    for option in ("order", "casting"):
        kwargs.pop(option, None)
    if kwargs:
        raise TypeError(
            f"einsum got unexpected options {sorted(kwargs)}; wanted out, dtype, order, casting or optimize"
        )
    if not operands:
        raise ValueError("einsum: nothing was given; wanted a string of subscripts and operands")
    if dtype is not None:
        operands = converted(operands, dtype)
    return ops.einsum(*operands)


def converted(operands: Sequence[Any], dtype: Any) -> tuple[Any, ...]:
    """The arguments of einsum with its arrays in a dtype: behind the string, or at the even places before the last."""
    string = isinstance(operands[0], str)
    last = len(operands) - (not string and len(operands) % 2)
    is_array = [k > 0 if string else k % 2 == 0 and k < last for k in range(len(operands))]
    return tuple(as_dtype(asarray(x), dtype) if y else x for x, y in zip(operands, is_array, strict=True))


@implements(np.einsum_path)
def einsum_path(*operands: Any, optimize: Any = "greedy", einsum_call: Any = False) -> tuple[list[Any], str]:
    """The order in which NumPy would form the product, and a table of its costs: a question of shapes only.

    >>> einsum_path("ij,jk,kl", np.ones((2, 3)), np.ones((3, 4)), np.ones((4, 5)))[0]
    ['einsum_path', (1, 2), (0, 1)]
    """
    shapes = [np.broadcast_to(x.dtype.type(0), x.shape) if isinstance(x, Tracer) else x for x in operands]
    return np.einsum_path(*shapes, optimize=optimize, einsum_call=einsum_call)


@implements(np.kron)
def kron(a: ArrayLike, b: ArrayLike) -> Any:
    """The Kronecker product, all a[i, j, ...] b[k, l, ...] with the index pairs (i, k), (j, l), ... joined.

    >>> kron([1, 10], [1, 2, 3])
    array([ 1,  2,  3, 10, 20, 30])
    """
    a, b = asarray(a), asarray(b)
    s, t = a.shape, b.shape
    rank = max(len(s), len(t))
    i, j = LABELS[rank - len(s) : rank], LABELS[2 * rank - len(t) : 2 * rank]
    both = "".join(k for pair in zip(LABELS[:rank], LABELS[rank : 2 * rank], strict=True) for k in pair)
    y = contract(a, b, spec=(i, j, "".join(k for k in both if k in i + j)))
    s, t = (1,) * (rank - len(s)) + s, (1,) * (rank - len(t)) + t
    return reshape(y, shape=tuple(m * n for m, n in zip(s, t, strict=True)))


@implements(np.cross)
def cross(
    a: ArrayLike, b: ArrayLike, axisa: int = -1, axisb: int = -1, axisc: int = -1, axis: int | None = None
) -> Any:
    """The vector product of 3-vectors, c_i = a_(i+1) b_(i+2) - a_(i+2) b_(i+1) with the indices mod 3.

    The vectors are along `axisa`, `axisb` and `axisc` (or `axis`), the other axes broadcast. Two components, of which
    the third is taken to be zero, are deprecated as in NumPy. Raises ValueError unless there are three (or two).

    >>> cross([1, 0, 0], [0, 1, 0])
    array([0, 0, 1])
    """
    if axis is not None:
        axisa = axisb = axisc = axis
    a, b = promote(a, b)
    if not (a.shape and b.shape):
        raise ValueError("cross: at least one array has zero dimension; wanted vectors of three components")
    a = components(a, normalize_axis_index(axisa, len(a.shape), "axisa"))
    b = components(b, normalize_axis_index(axisb, len(b.shape), "axisb"))
    require_components(len(a), len(b))
    if len(a) == len(b) == 2:
        return a[0] * b[1] - a[1] * b[0]
    c = stack(*(difference(a, b, (i + 1) % 3, (i + 2) % 3) for i in range(3)), axis=0)
    return moved(c, 0, normalize_axis_index(axisc, len(c.shape), "axisc"))


def components(x: Any, axis: int) -> list[Any]:
    """The entries along an axis, as a list of arrays without it."""
    whole = [(0, n, 1) for n in x.shape]
    return [slice_(x, index=(*whole[:axis], k, *whole[axis + 1 :])) for k in range(min(x.shape[axis], 4))]


def difference(a: list[Any], b: list[Any], i: int, j: int) -> Any:
    """a_i b_j - a_j b_i, where a third component may be missing."""
    if j < len(a) and i < len(a) and j < len(b) and i < len(b):
        return a[i] * b[j] - a[j] * b[i]
    return a[i] * b[j] if i < len(a) and j < len(b) else -(a[j] * b[i])


def require_components(m: int, n: int) -> None:
    if m not in (2, 3) or n not in (2, 3):
        raise ValueError(
            f"cross: vectors of {m} and {n} components were given, wanted three; name the axis along which they are by "
            "axisa, axisb and axisc, or axis"
        )
    if 2 in (m, n):
        np.cross(np.zeros(m), np.zeros(n))  # which warns that two are deprecated, or, from NumPy 2.5 on, raises


@implements(np.diagonal)
def diagonal(a: ArrayLike, offset: SupportsIndex = 0, axis1: SupportsIndex = 0, axis2: SupportsIndex = 1) -> Any:
    """The entries a[i, i + offset] of the planes of `axis1` and `axis2`, along a new last axis.

    Raises ValueError for an array of less than two axes, or if the two are the same.

    >>> import xform
    >>> xform.grad(lambda x: dot(diagonal(x), [1.0, 2.0]))(np.ones((2, 2)))
    array([[1., 0.],
           [0., 2.]])
    """
    a = asarray(a)
    rank = len(a.shape)
    if rank < 2:
        raise ValueError(f"diagonal: an array of shape {a.shape} was given, wanted one of at least two dimensions")
    j, k = (normalize_axis_index(operator.index(x), rank, name) for x, name in ((axis1, "axis1"), (axis2, "axis2")))
    if j == k:
        raise ValueError(f"diagonal: axis1 and axis2 cannot be the same, but both are {j}")
    rest = [x for x in range(rank) if x not in (j, k)]
    if rest or j > k:
        a = transpose(a, permutation=(*rest, j, k))
    return last_diagonal(a, operator.index(offset))


@implements(np.trace)
def trace(
    a: ArrayLike,
    offset: SupportsIndex = 0,
    axis1: SupportsIndex = 0,
    axis2: SupportsIndex = 1,
    dtype: DTypeLike | None = None,
    out: None = None,
) -> Any:
    """The sum of the entries a[i, i + offset] of the planes of `axis1` and `axis2`, in NumPy's dtype of sums.

    Raises ValueError for an array of less than two axes, or if the two are the same.

    >>> import xform
    >>> xform.grad(trace)(np.ones((2, 2)))
    array([[1., 0.],
           [0., 1.]])
    """
    reject("trace", out=out)
    return sum(diagonal(a, offset, axis1, axis2), axis=-1, dtype=dtype)
