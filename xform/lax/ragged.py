"""The product of consecutive groups of rows with a matrix for each group, as in a mixture of experts.

Sizes of groups that are plain numbers cut the rows into segments, with a product of matrices for each. Sizes that are
traced do so where the program runs: then every row is multiplied by a copy of the matrix of its group.
"""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from xform.core.trace import Tracer, underlying
from xform.lax.contractions import product
from xform.lax.operands import operand
from xform.numpy.dispatch import ArrayLike
from xform.numpy.joining import section
from xform.ops.indexing.index import gather
from xform.ops.select import select
from xform.ops.structure import concatenate, slice_

__all__ = ["ragged_dot"]

MATRICES = (((1,), (0,)), ((), ()))
ROWS = (((1,), (1,)), ((0,), (0,)))


def ragged_dot(
    lhs: ArrayLike,
    rhs: ArrayLike,
    group_sizes: ArrayLike,
    precision: Any = None,
    preferred_element_type: DTypeLike | None = None,
) -> Any:
    """The product out[i] = lhs[i] @ rhs[g] of each row with the matrix of its group g; zero in the rows after the last.

    lhs has shape (m, k), rhs (groups, k, n), the result (m, n). `group_sizes` are integers of shape (groups,): the
    first group_sizes[0] rows are of group 0, the next group_sizes[1] of group 1, and so on. The result has the promoted
    dtype, or the preferred one. The sizes have no derivative.

    Raises ValueError for shapes that do not fit, and for sizes that are negative or sum up to more than m (in a staged
    program, where they are not known, groups end with the last row); TypeError for sizes that are not integers.

    >>> import numpy as np
    >>> ragged_dot(np.ones((4, 2)), np.array([[[1.0], [2.0]], [[10.0], [20.0]]]), np.array([1, 2]))
    array([[ 3.],
           [30.],
           [30.],
           [ 0.]])
    """
    lhs, rhs, sizes = (operand("ragged_dot", x) for x in (lhs, rhs, group_sizes))
    check(lhs, rhs, sizes)
    multiply = by_rows if isinstance(sizes, Tracer) or not rhs.shape[0] else by_segments
    return multiply(lhs, rhs, sizes, preferred_element_type)


def check(lhs: Any, rhs: Any, sizes: Any) -> None:
    """Do the shapes of the operands, and the sizes as far as they are known, fit?"""
    s, t, u = lhs.shape, rhs.shape, sizes.shape
    if len(s) != 2 or len(t) != 3 or s[1] != t[1] or u != t[:1]:
        raise ValueError(
            f"ragged_dot: operands of shapes {s} and {t}, and group_sizes of shape {u}, were given; wanted (m, k), "
            "(groups, k, n) and (groups,)"
        )
    if sizes.dtype.kind not in "iu":
        raise TypeError(f"ragged_dot: group_sizes of dtype {sizes.dtype} were given; wanted integers")
    known = underlying(sizes) if isinstance(sizes, Tracer) else sizes
    if known is not None and ((known < 0).any() or (known.sum(axis=-1) > s[0]).any()):
        raise ValueError(
            f"ragged_dot: group_sizes={known} were given for {s[0]} rows; wanted sizes that are not negative and sum "
            "up to at most that"
        )


def by_segments(lhs: Any, rhs: Any, sizes: Any, preferred: Any) -> Any:
    """The products of the rows of each group with its matrix, one below the other."""
    (m, _), (_, k, n) = lhs.shape, rhs.shape
    parts = [
        product(
            "ragged_dot",
            section(lhs, start, stop, 0),
            slice_(rhs, index=(g, (0, k, 1), (0, n, 1))),
            MATRICES,
            preferred,
        )
        for g, (start, stop) in enumerate(itertools.pairwise([0, *np.cumsum(sizes).tolist()]))
    ]
    rest = m - sum(part.shape[0] for part in parts)
    return concatenate(*parts, np.zeros((rest, n), parts[0].dtype), axis=0)


def by_rows(lhs: Any, rhs: Any, sizes: Any, preferred: Any) -> Any:
    """The products of each row with the matrix of its group, whose number is that of the groups that ended before."""
    (m, _), (count, k, n) = lhs.shape, rhs.shape
    rows = np.arange(m)
    group = (np.cumsum(sizes)[:, None] <= rows).sum(axis=0) if count else np.zeros(m, int)
    rhs = concatenate(rhs, np.zeros((1, k, n), rhs.dtype), axis=0)
    lhs = select((group < count)[:, None], lhs, np.zeros(lhs.shape, lhs.dtype))  # 0 @ 0 also where it is infinite
    return product("ragged_dot", lhs, gather(rhs, group, axes=(0,), at=0), ROWS, preferred)
