"""Sorting and choosing the largest entries, as `jax.lax` names it: several operands, several keys.

The order is NumPy's: complex numbers by their real parts, then their imaginary parts, and nan last. Sorting is always
stable, and what JAX approximates on other machines is exact.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from xform.lax.dimensions import dimension, integers
from xform.lax.operands import operand
from xform.numpy.dispatch import ArrayLike
from xform.ops import sorting as ops
from xform.ops.indexing.index import take_along_axis
from xform.ops.structure import slice_

__all__ = ["approx_max_k", "approx_min_k", "sort", "sort_key_val", "top_k"]


def sort(
    operand: ArrayLike | Sequence[ArrayLike], dimension: int = -1, is_stable: bool = True, num_keys: int = 1
) -> Any:
    """An array sorted along an axis, or several arrays of one shape, rearranged together.

    The first `num_keys` of several operands are the keys, compared lexicographically; a tuple is returned. The tangents
    are rearranged as the values. Raises ValueError for operands of different shapes, or fewer than the keys, TypeError
    for none.

    >>> import numpy as np
    >>> sort((np.array([2, 1, 2]), np.array([5.0, 6.0, 4.0])), num_keys=2)
    (array([1, 2, 2]), array([6., 4., 5.]))
    """
    if not isinstance(operand, tuple | list):
        x, axis = sorted_operand("sort", operand, dimension)
        check_keys(num_keys, 1)
        return ops.sort(x, axis=axis)
    xs, axis = sorted_operands("sort", operand, dimension)
    check_keys(num_keys, len(xs))
    order = lexicographic(xs[:num_keys], axis)
    return tuple(take_along_axis(x, order, axis) for x in xs)


def sort_key_val(keys: ArrayLike, values: ArrayLike, dimension: int = -1, is_stable: bool = True) -> tuple[Any, Any]:
    """Keys sorted along an axis, and values of the same shape rearranged as they were.

    >>> import numpy as np
    >>> sort_key_val(np.array([3, 1, 2]), np.array([30.0, 10.0, 20.0]))
    (array([1, 2, 3]), array([10., 20., 30.]))
    """
    xs, axis = sorted_operands("sort_key_val", (keys, values), dimension)
    order = lexicographic(xs[:1], axis)
    return take_along_axis(xs[0], order, axis), take_along_axis(xs[1], order, axis)


def top_k(operand: ArrayLike, k: int, *, axis: int = -1) -> tuple[Any, Any]:
    """The k largest entries along an axis, descending, and their indices; of equal ones the first comes first.

    nan is larger than any number. The derivative goes to the entries that were taken. Raises ValueError for a k that is
    negative or more than the axis has.

    >>> import numpy as np
    >>> top_k(np.array([1.0, 4.0, 2.0]), 2)
    (array([4., 2.]), array([1, 2]))
    """
    x, number = sorted_operand("top_k", operand, axis)
    (count,) = integers("top_k", "k", k)
    values, indices = ops.top_k.bind(x, k=count, axis=number)
    return values, indices


def approx_max_k(
    operand: ArrayLike,
    k: int,
    reduction_dimension: int = -1,
    recall_target: float = 0.95,
    reduction_input_size_override: int = -1,
    aggregate_to_topk: bool = True,
) -> tuple[Any, Any]:
    """The k largest entries along an axis and their indices: `top_k`, which finds them all, whatever the recall target.

    The last three parameters are accepted for the sake of programs written for JAX.

    >>> import numpy as np
    >>> approx_max_k(np.array([1.0, 4.0, 2.0]), 2)
    (array([4., 2.]), array([1, 2]))
    """
    check_recall("approx_max_k", recall_target)
    return top_k(operand, k, axis=reduction_dimension)


def approx_min_k(
    operand: ArrayLike,
    k: int,
    reduction_dimension: int = -1,
    recall_target: float = 0.95,
    reduction_input_size_override: int = -1,
    aggregate_to_topk: bool = True,
) -> tuple[Any, Any]:
    """The k smallest entries along an axis, ascending, and their indices, found exactly; nan is larger than any number.

    The last three parameters are accepted for the sake of programs written for JAX. Raises as `top_k`.

    >>> import numpy as np
    >>> approx_min_k(np.array([3.0, 4.0, 2.0]), 2)
    (array([2., 3.]), array([2, 0]))
    """
    name = "approx_min_k"
    check_recall(name, recall_target)
    x, axis = sorted_operand(name, operand, reduction_dimension)
    (count,) = integers(name, "k", k)
    if not 0 <= count <= x.shape[axis]:
        raise ValueError(
            f"{name}: k={count} entries were wanted along axis {axis} of shape {x.shape}; choose 0 <= k <= "
            f"{x.shape[axis]}"
        )
    order = ops.argsort(x, axis=axis, stable=True)
    region = tuple((0, count if j == axis else n, 1) for j, n in enumerate(x.shape))
    indices = slice_(order, index=region)
    return take_along_axis(x, indices, axis), indices


def lexicographic(keys: Sequence[Any], axis: int) -> Any:
    """The indices that sort by the first key, then the second, ...: sorted stably by the last one first."""
    order = ops.argsort(keys[-1], axis=axis, stable=True)
    for key in reversed(keys[:-1]):
        step = ops.argsort(take_along_axis(key, order, axis), axis=axis, stable=True)
        order = take_along_axis(order, step, axis)
    return order


def sorted_operand(name: str, x: Any, axis: Any) -> tuple[Any, int]:
    """An array and the axis along which it is sorted, counted from the front."""
    x = operand(name, x)
    return x, dimension(name, axis, len(x.shape))


def sorted_operands(name: str, xs: Sequence[Any], axis: Any) -> tuple[list[Any], int]:
    """Arrays of one shape and the axis along which they are sorted."""
    arrays = [operand(name, x) for x in xs]
    if not arrays:
        raise TypeError(f"{name}: no operands were given; wanted an array, or several in a tuple")
    shapes = [x.shape for x in arrays]
    if any(s != shapes[0] for s in shapes):
        raise ValueError(f"{name}: operands of shapes {shapes} were given; wanted one shape, broadcast them first")
    return arrays, dimension(name, axis, len(shapes[0]))


def check_keys(num_keys: int, count: int) -> None:
    if not 1 <= num_keys <= count:
        raise ValueError(
            f"sort: num_keys={num_keys} was given for {count} operands; wanted 1 <= num_keys <= {count}, for the first "
            "ones are the keys"
        )


def check_recall(name: str, recall_target: float) -> None:
    if not 0 < recall_target <= 1:
        raise ValueError(f"{name}: recall_target={recall_target} was given; wanted 0 < recall_target <= 1")
