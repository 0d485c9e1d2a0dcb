"""The NumPy expression that computes a contraction, found once per spec.

    ij,jk->ik  x.dot(y)        ij,ik->jk  x.T.dot(y)        ij,j->i  x.dot(y)        i,j->ij  x[:, None] * y
    bij,bjk->bik  matmul(x, y)        bij,jk->bik  x.reshape(b * i, j).dot(y).reshape(b, i, k)

A kernel copies an operand only where no view of it has the form that BLAS wants. Of operands that do not fit their
labels it only finds out that something is wrong (ValueError); `label_sizes` says what.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from operator import itemgetter
from typing import Any

import numpy as np

from xform.ops.contraction.labels import Spec, groups

Kernel = Callable[[Any, Any], Any]


class Kernels(dict[Spec, Kernel]):
    """The NumPy expression of each spec, found when it is first wanted."""

    def __missing__(self, spec: Spec) -> Kernel:
        batch, inner, left, right = groups(spec)
        if not inner:
            kernel = product_kernel(spec)
        elif not batch and len(inner) == 1 and len(left) <= 1 and len(right) <= 1:
            kernel = dot_kernel(spec)
        elif not (batch or left or right):
            kernel = inner_kernel(spec)
        else:
            kernel = matmul_kernel(spec)
        self[spec] = kernel
        return kernel


kernels = Kernels()

# By: is y the first factor, is x to be transposed, is y to be transposed.
# `dot` is the same BLAS call as `@`, at a third of its overhead.
DOT: dict[tuple[bool, bool, bool], Kernel] = {
    (False, False, False): lambda x, y: x.dot(y),
    (False, False, True): lambda x, y: x.dot(y.T),
    (False, True, False): lambda x, y: x.T.dot(y),
    (False, True, True): lambda x, y: x.T.dot(y.T),
    (True, False, False): lambda x, y: y.dot(x),
    (True, False, True): lambda x, y: y.T.dot(x),
    (True, True, False): lambda x, y: y.dot(x.T),
    (True, True, True): lambda x, y: y.T.dot(x.T),
}


def dot_kernel(spec: Spec) -> Kernel:
    """One inner label, vectors and matrices: `dot` of the operands or their transposes, in the order of the output."""
    i, j, o = spec
    (inner,), x_ndim, y_ndim = groups(spec).inner, len(i), len(j)
    if x_ndim == y_ndim == 1:
        dot = DOT[False, False, False]
    elif x_ndim == 1:
        dot = DOT[j[1] == inner, False, False]
    elif y_ndim == 1:
        dot = DOT[i[0] == inner, False, False]
    else:
        swap = o[0] in j
        dot = DOT[swap, (i[0] == inner) != swap, (j[1] == inner) != swap]

    def kernel(x: Any, y: Any) -> Any:
        return dot(x, y) if x.ndim == x_ndim and y.ndim == y_ndim else mismatch()

    return kernel


def mismatch() -> Any:
    raise ValueError("operands do not fit the labels")


def inner_kernel(spec: Spec) -> Kernel:
    """All labels inner: the scalar product of the two arrays as vectors."""
    i, j, _ = spec
    turn = permute(j, i)

    def kernel(x: Any, y: Any) -> Any:
        y = turn(y)
        return x.ravel().dot(y.ravel()) if x.shape == y.shape else mismatch()

    return kernel


def product_kernel(spec: Spec) -> Kernel:
    """No inner label: an outer or elementwise product, or a mixture; axes line up by broadcasting."""
    i, j, o = spec
    align_x, align_y, agree = aligner(i, o), aligner(j, o), agreement(i, j)
    if i == j == o:
        return lambda x, y: np.multiply(x, y) if x.shape == y.shape and x.ndim == len(o) else mismatch()
    if align_y is identity:
        return lambda x, y: np.multiply(align_x(x), y) if agree(x.shape, y.shape) else mismatch()
    return lambda x, y: np.multiply(align_x(x), align_y(y)) if agree(x.shape, y.shape) else mismatch()


def matmul_kernel(spec: Spec) -> Kernel:
    """Any spec with an inner label, as a stack of matrix products.

    Left, inner and right labels become one axis each by a reshape, which is free where they are neighbours in memory.
    Where they are not, the leading ones of one operand join the stack instead (as in jk,bkl->bjl), which costs no copy.
    """
    i, j, o = spec
    batch, inner, left, right = groups(spec)
    if o[-1] in left:
        swapped = matmul_kernel((j, i, o))
        return lambda x, y: swapped(y, x)
    if not left and not right:
        return vecdot_kernel(spec)
    loose = loose_labels(j, right, batch) or loose_labels(i, left, batch)
    lead = [k for k in o if k in batch or k in loose]
    rows, columns = [k for k in left if k not in loose], [k for k in right if k not in loose]
    stacked = [[k] for k in lead]
    form_x, form_y = regroup(i, [*stacked, rows, [*inner]]), regroup(j, [*stacked, [*inner], columns])
    form_out = ungroup(spec, [*stacked, rows, columns])
    agree, product = agreement(i, j), np.matmul if lead else DOT[False, False, False]

    def kernel(x: Any, y: Any) -> Any:
        if not agree(x.shape, y.shape):
            mismatch()
        return form_out(product(form_x(x), form_y(y)), x.shape, y.shape)

    return kernel


def vecdot_kernel(spec: Spec) -> Kernel:
    """Batch and inner labels only: scalar products of vectors (`np.vecdot` conjugates its first operand)."""
    i, j, o = spec
    stacked = [[k] for k in o]
    form_x, form_y = (regroup(labels, [*stacked, [*groups(spec).inner]]) for labels in (i, j))
    agree = agreement(i, j)

    def kernel(x: Any, y: Any) -> Any:
        if not agree(x.shape, y.shape):
            mismatch()
        return np.vecdot(form_x(x.conj() if x.dtype.kind == "c" else x), form_y(y))

    return kernel


def loose_labels(labels: str, group: str, batch: str) -> str:
    """The labels of the group that stand before its last run of neighbours (not counting batch labels in between)."""
    order = [k for k in labels if k not in batch]
    for last, k in reversed(list(enumerate(order))):
        if k in group and (last == 0 or order[last - 1] not in group):
            return "".join(k for k in order[:last] if k in group)
    return ""


def permute(labels: str, wanted: Sequence[str]) -> Callable[[Any], Any]:
    """The view of an array with axes `labels` in which they are ordered as in `wanted`."""
    permutation = tuple(labels.index(k) for k in wanted if k in labels)
    return identity if permutation == tuple(range(len(labels))) else lambda a: a.transpose(permutation)


def identity(a: Any) -> Any:
    return a


def aligner(labels: str, wanted: str) -> Callable[[Any], Any]:
    """The view of an array with axes `labels` that broadcasts to the axes `wanted`."""
    turn = permute(labels, wanted)
    index = tuple(slice(None) if k in labels else None for k in wanted)
    while index and index[0] is None:
        index = index[1:]
    if None not in index:
        return turn
    return (lambda a: a[index]) if turn is identity else lambda a: turn(a)[index]


def agreement(i: str, j: str) -> Callable[[Sequence[int], Sequence[int]], bool]:
    """Do two shapes have the ranks of their labels, and equal sizes where they share one?"""
    x_ndim, y_ndim, shared = len(i), len(j), [k for k in i if k in j]
    if not shared:
        return lambda s, t: len(s) == x_ndim and len(t) == y_ndim
    in_x, in_y = itemgetter(*map(i.index, shared)), itemgetter(*map(j.index, shared))
    return lambda s, t: len(s) == x_ndim and len(t) == y_ndim and in_x(s) == in_y(t)


def regroup(labels: str, wanted: Sequence[Sequence[str]]) -> Callable[[Any], Any]:
    """A function that gives an array one axis for each group of labels; labels that it has not got have size one."""
    turn = permute(labels, [k for group in wanted for k in group])
    blas = identity if turn is identity else for_blas
    flat = iter(range(len(labels)))
    positions = [[next(flat) for k in group if k in labels] for group in wanted]
    if all(len(group) == 1 for group in positions):
        return turn if turn is identity else lambda a: blas(turn(a))
    if all(len(group) <= 1 for group in positions):
        index = tuple(slice(None) if group else None for group in positions)
        return lambda a: blas(turn(a))[index]
    return lambda a: blas((b := turn(a)).reshape(merged(b.shape, positions)))


def merged(shape: Sequence[int], positions: Sequence[Sequence[int]]) -> list[int]:
    return [shape[g[0]] if len(g) == 1 else math.prod([shape[p] for p in g]) for g in positions]


def for_blas(a: Any) -> Any:
    """BLAS takes matrices whose rows or columns are contiguous; NumPy multiplies others slowly, so copy them."""
    return a if a.itemsize in a.strides[-2:] else np.ascontiguousarray(a)


def ungroup(spec: Spec, grouped: Sequence[Sequence[str]]) -> Callable[[Any, Any, Any], Any]:
    """A function of a product and the operands' shapes that gives each label of the output its axis again."""
    i, j, o = spec
    turn = permute("".join(k for group in grouped for k in group), o)
    if all(len(group) == 1 for group in grouped):
        return lambda z, s, t: turn(z)
    if all(len(group) <= 1 for group in grouped):
        index = tuple(slice(None) if group else 0 for group in grouped)
        return lambda z, s, t: turn(z[index])
    source = [(i + j).index(k) for group in grouped for k in group]
    return lambda z, s, t: turn(z.reshape([(s + t)[p] for p in source]))
