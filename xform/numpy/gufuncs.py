"""NumPy's generalised ufuncs matmul, vecdot, matvec and vecmat, products of trailing axes over broadcast leading ones.

The trailing axes that enter a single product are its core axes; `axes` or `axis` puts them elsewhere.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_tuple

from xform.numpy.axes import NOT_GIVEN
from xform.numpy.dispatch import as_dtype, asarray, implements, reject
from xform.ops.contraction import einsum as ops
from xform.ops.structure import reshape, transpose

#: how many core axes each of two operands and their product has, from the ranks of the operands
Cores = Callable[[int, int], tuple[int, int, int]]


def gufunc(numpy_function: Any, name: str, product: Any, cores: Cores, doc: str) -> Any:
    """The product with NumPy's options. Without any, which is the usual case, nothing stands in its way."""

    def options(
        x1: Any,
        x2: Any,
        /,
        out: None = None,
        *,
        axes: Any = NOT_GIVEN,
        axis: Any = NOT_GIVEN,
        keepdims: bool = False,
        casting: str = "same_kind",
        order: str = "K",
        dtype: Any = None,
        subok: bool = True,
        signature: None = None,
    ) -> Any:
        if axes is NOT_GIVEN and axis is NOT_GIVEN and dtype is None and out is None and not keepdims:
            return product(x1, x2)
        reject(name, out=out, signature=signature)
        x1, x2 = (as_dtype(asarray(x), dtype) for x in (x1, x2))
        places = core_axes(name, cores(x1.ndim, x2.ndim), axes, axis, keepdims)
        y = product(to_back(name, x1, places[0]), to_back(name, x2, places[1]))
        if keepdims:
            y = reshape(y, shape=(*y.shape, 1))
        return from_back(name, y, places[2])

    options.__name__ = options.__qualname__ = name
    options.__doc__ = doc
    return implements(numpy_function)(options)


def core_axes(name: str, cores: tuple[int, int, int], axes: Any, axis: Any, keepdims: bool) -> list[tuple[int, ...]]:
    """Where the core axes of the operands and of the result are; ValueError or TypeError for what makes no sense."""
    vectors = cores == (1, 1, 0)
    if (axis is not NOT_GIVEN or keepdims) and not vectors:
        raise TypeError(f"{name}: `axis` and `keepdims` are for products of vectors that give numbers; use `axes`")
    if axis is not NOT_GIVEN:
        if axes is not NOT_GIVEN:
            raise TypeError(f"{name}: `axes` and `axis` were both given; wanted one of them")
        axes = [axis, axis, axis] if keepdims else [axis, axis]
    wanted = (1, 1, 1) if keepdims else cores
    if axes is NOT_GIVEN:
        return [tuple(range(-n, 0)) for n in wanted]
    if not isinstance(axes, list):
        raise TypeError(f"{name}: axes={axes!r:.60} was given, wanted a list of tuples, one for each operand")
    if len(axes) == 2 and not wanted[2]:
        axes = [*axes, ()]
    if len(axes) != 3:
        raise ValueError(f"{name}: axes has {len(axes)} entries, wanted three, for the operands and the result")
    return [core_entry(name, entry, n) for entry, n in zip(axes, wanted, strict=True)]


def core_entry(name: str, entry: Any, count: int) -> tuple[int, ...]:
    """One entry of `axes`, an integer or a tuple of integers."""
    places = tuple(map(operator.index, entry)) if isinstance(entry, tuple) else (operator.index(entry),)
    if len(places) != count:
        raise np.exceptions.AxisError(f"{name}: axes has the entry {entry}, wanted {count} axes there")
    return places


def to_back(name: str, x: Any, places: Sequence[int]) -> Any:
    """`x` with the axes at `places` moved behind the others."""
    back = normalize_axis_tuple(places, x.ndim, name)
    order = (*(k for k in range(x.ndim) if k not in back), *back)
    return x if order == tuple(range(x.ndim)) else transpose(x, permutation=order)


def from_back(name: str, y: Any, places: Sequence[int]) -> Any:
    """`y` with its last axes moved to `places`."""
    rank = len(y.shape)
    target = normalize_axis_tuple(places, rank, name)
    rest = iter(range(rank - len(target)))
    source = {k: rank - len(target) + n for n, k in enumerate(target)}
    order = tuple(source[k] if k in source else next(rest) for k in range(rank))
    return y if order == tuple(range(rank)) else transpose(y, permutation=order)


matmul = gufunc(
    np.matmul,
    "matmul",
    ops.matmul,
    lambda m, n: (min(m, 2), min(n, 2), max(min(m, 2) + min(n, 2) - 2, 0)),
    """The matrix product x1 @ x2 = sum_k x1[..., i, k] x2[..., k, j], broadcasting the leading axes.

    A vector is a row on the left and a column on the right, and leaves no axis. Raises ValueError for scalars, and for
    shapes that do not contract or broadcast.

    >>> import xform
    >>> xform.grad(lambda x: matmul(x, x))(np.array([1.0, 2.0]))
    array([2., 4.])
    """,
)
vecdot = gufunc(
    np.vecdot,
    "vecdot",
    ops.vecdot,
    lambda m, n: (1, 1, 0),
    """The scalar products sum_k conj(x1[..., k]) x2[..., k] of vectors, broadcasting the other axes.

    Raises ValueError for scalars, and for shapes that do not contract or broadcast.

    >>> vecdot(np.ones((2, 3)), np.array([1.0, 2.0, 3.0]))
    array([6., 6.])
    """,
)
matvec = gufunc(
    getattr(np, "matvec", None),
    "matvec",
    ops.matvec,
    lambda m, n: (2, 1, 1),
    """The products of matrices and vectors, sum_k x1[..., i, k] x2[..., k], broadcasting the leading axes.

    Raises ValueError for operands of too few axes, and for shapes that do not contract or broadcast.

    >>> matvec(np.eye(2), np.array([[1.0, 2.0], [3.0, 4.0]]))
    array([[1., 2.],
           [3., 4.]])
    """,
)
vecmat = gufunc(
    getattr(np, "vecmat", None),
    "vecmat",
    ops.vecmat,
    lambda m, n: (1, 2, 1),
    """The products of vectors, conjugated, and matrices, sum_k conj(x1[..., k]) x2[..., k, j], over leading axes.

    Raises ValueError for operands of too few axes, and for shapes that do not contract or broadcast.

    >>> vecmat(np.array([1.0, 2.0]), np.eye(2))
    array([1., 2.])
    """,
)
