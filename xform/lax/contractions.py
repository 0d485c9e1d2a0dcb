"""Products of two arrays, summed over some of their axes, as `jax.lax` names and numbers the axes.

Dtypes promote as in NumPy, where lax demands equal ones. `precision` is accepted for the sake of programs written for
JAX: products are always computed in the full precision of the dtype.
"""

from __future__ import annotations

import enum
from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import DTypeLike

from xform.lax.dimensions import dimensions
from xform.lax.operands import operand
from xform.numpy.dispatch import ArrayLike
from xform.ops.contraction.contract import contract
from xform.ops.contraction.labels import LABELS
from xform.ops.stack import as_dtype

__all__ = ["DotDimensionNumbers", "Precision", "batch_matmul", "dot", "dot_general"]

#: ((summed axes of lhs, of rhs), (batch axes of lhs, of rhs))
DotDimensionNumbers: TypeAlias = tuple[
    tuple[Sequence[int], Sequence[int]],
    tuple[Sequence[int], Sequence[int]],
]

#: one sum of matrix products, by the ranks of the operands
_SIMPLE: dict[tuple[int, int], DotDimensionNumbers] = {
    (1, 1): (((0,), (0,)), ((), ())),
    (1, 2): (((0,), (0,)), ((), ())),
    (2, 1): (((1,), (0,)), ((), ())),
    (2, 2): (((1,), (0,)), ((), ())),
}


class Precision(enum.Enum):
    """How much of the precision of a dtype a product keeps; on a CPU all of it, whatever is asked for."""

    DEFAULT = 0
    HIGH = 1
    HIGHEST = 2


def dot(
    lhs: ArrayLike,
    rhs: ArrayLike,
    *,
    dimension_numbers: DotDimensionNumbers | None = None,
    precision: Any = None,
    preferred_element_type: DTypeLike | None = None,
) -> Any:
    """The product of vectors and matrices, out[i, j] = sum_k lhs[i, k] rhs[k, j], or `dot_general`.

    Without `dimension_numbers` the last axis of lhs is summed with the first one of rhs, each being a vector or a
    matrix; with them the operands may have any number of axes. The result has the promoted dtype, or the preferred one.

    Raises ValueError if the operands do not fit.

    >>> import numpy as np
    >>> dot(np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([1.0, -1.0]))
    array([-1., -1.])
    """
    lhs, rhs = operand("dot", lhs), operand("dot", rhs)
    if dimension_numbers is None:
        dimension_numbers = _SIMPLE.get((len(lhs.shape), len(rhs.shape)))
    if dimension_numbers is None:
        raise ValueError(
            f"dot: operands of shapes {lhs.shape} and {rhs.shape} were given; wanted vectors or matrices. Give "
            "dimension_numbers=((summed axes of lhs, of rhs), (batch axes of lhs, of rhs)), or call numpy.matmul"
        )
    return product("dot", lhs, rhs, dimension_numbers, preferred_element_type)


def dot_general(
    lhs: ArrayLike,
    rhs: ArrayLike,
    dimension_numbers: DotDimensionNumbers,
    precision: Any = None,
    preferred_element_type: DTypeLike | None = None,
) -> Any:
    """out[b, i, j] = sum_k lhs[b, i, k] rhs[b, k, j], where b, i, j, k stand for any number of axes at any place.

    `dimension_numbers` is ((axes k of lhs, of rhs), (axes b of lhs, of rhs)); what is not named there are the axes i of
    lhs and j of rhs. The result has the axes b in the given order, then i, then j, each in the order of its operand. It
    has the promoted dtype; with `preferred_element_type` the sum is computed in at least that one and converted to it.

    Raises ValueError if the dimension numbers, or the sizes of the axes they pair, do not fit; TypeError for a
    preferred type that would drop the imaginary part.

    >>> import numpy as np
    >>> x, y = np.ones((5, 2, 3)), np.ones((4, 3, 5))
    >>> dot_general(x, y, (((2,), (1,)), ((0,), (2,)))).shape
    (5, 2, 4)
    """
    lhs, rhs = operand("dot_general", lhs), operand("dot_general", rhs)
    return product("dot_general", lhs, rhs, dimension_numbers, preferred_element_type)


def batch_matmul(lhs: ArrayLike, rhs: ArrayLike, precision: Any = None) -> Any:
    """Products of matrices, out[..., i, j] = sum_k lhs[..., i, k] rhs[..., k, j].

    The operands have the same number of axes, at least two, of which those before the last two are equal; numpy.matmul
    broadcasts them. Raises ValueError if they do not fit.

    >>> import numpy as np
    >>> batch_matmul(np.ones((4, 2, 3)), np.ones((4, 3, 5))).shape
    (4, 2, 5)
    """
    lhs, rhs = operand("batch_matmul", lhs), operand("batch_matmul", rhs)
    rank = len(lhs.shape)
    if rank < 2 or len(rhs.shape) != rank:
        raise ValueError(
            f"batch_matmul: operands of shapes {lhs.shape} and {rhs.shape} were given; wanted equally many axes, at "
            "least two: (..., i, k) and (..., k, j)"
        )
    batch = tuple(range(rank - 2))
    return product("batch_matmul", lhs, rhs, (((rank - 1,), (rank - 2,)), (batch, batch)), None)


def product(name: str, lhs: Any, rhs: Any, numbers: Any, preferred: Any) -> Any:
    """The contraction that the dimension numbers describe, in the preferred dtype."""
    summed, batch = paired_axes(name, lhs.shape, rhs.shape, numbers)
    i: list[str] = list(LABELS[: len(lhs.shape)])
    j: list[str] = list(LABELS[len(i) : len(i) + len(rhs.shape)])
    for a, b in zip(*(x + y for x, y in zip(summed, batch, strict=True)), strict=True):
        j[b] = i[a]
    shared = [i[a] for a in batch[0]]
    out = [*shared, *(k for k in i if k not in j), *(k for k in j if k not in i)]
    spec = ("".join(i), "".join(j), "".join(out))
    if preferred is None:
        return contract(lhs, rhs, spec=spec)
    dtype, wider = accumulation_dtypes(name, lhs.dtype, rhs.dtype, preferred)
    return as_dtype(contract(as_dtype(lhs, wider[0]), as_dtype(rhs, wider[1]), spec=spec), dtype)


def paired_axes(name: str, s: Sequence[int], t: Sequence[int], numbers: Any) -> Any:
    """The summed axes of both operands, of shapes s and t, and their batch axes; ValueError if they do not fit."""
    try:
        (p, q), (a, b) = numbers
    except (TypeError, ValueError):
        raise ValueError(
            f"{name}: dimension_numbers={numbers!r:.80} was given; wanted ((summed axes of lhs, of rhs), "
            "(batch axes of lhs, of rhs)), for the product of matrices (((1,), (0,)), ((), ()))"
        ) from None
    left = dimensions(name, "axes of lhs in dimension_numbers", (*p, *a), len(s))
    right = dimensions(name, "axes of rhs in dimension_numbers", (*q, *b), len(t))
    for what, m, n in (("summed", p, q), ("batch", a, b)):
        if len(m) != len(n):
            raise ValueError(
                f"{name}: {len(m)} {what} axes {tuple(m)} of lhs and {len(n)} {what} axes {tuple(n)} of rhs were "
                "given; wanted equally many, to be paired"
            )
    for k, m in zip(left, right, strict=True):
        if s[k] != t[m]:
            raise ValueError(
                f"{name}: axis {k} of lhs, of shape {tuple(s)}, has size {s[k]}, but axis {m} of rhs, of shape "
                f"{tuple(t)}, which is paired with it, has size {t[m]}; transpose an operand, or name other axes"
            )
    return (left[: len(p)], right[: len(q)]), (left[len(p) :], right[len(q) :])


def accumulation_dtypes(name: str, lhs: np.dtype, rhs: np.dtype, preferred: DTypeLike) -> Any:
    """The preferred dtype of a product, and the dtypes of the operands in which nothing of it overflows early."""
    dtype, promoted = np.dtype(preferred), np.result_type(lhs, rhs)
    if promoted.kind == "c" and dtype.kind != "c":
        raise TypeError(
            f"{name}: preferred_element_type={dtype} was given for a product of dtype {promoted}, whose imaginary part "
            "it would drop; take the real part of the operands or of the result"
        )
    if np.can_cast(promoted, dtype):
        return dtype, (np.result_type(lhs, dtype), np.result_type(rhs, dtype))
    return dtype, (lhs, rhs)
