"""Operations along an axis that `vmap` maps over and names, under the names they have in `jax.lax`.

All of them take arrays or trees of arrays.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

import numpy as np

from xform.core import tree
from xform.ops.collective import all_gather as _all_gather
from xform.ops.collective import reduce_scatter as _reduce_scatter
from xform.ops.reduce import reduce_max, reduce_min
from xform.ops.structure import reduce_sum
from xform.transforms.vmap import BatchTracer, named_axis

__all__ = ["all_gather", "axis_index", "axis_size", "pmax", "pmean", "pmin", "psum", "psum_scatter"]


def axis_size(axis_name: Hashable) -> int:
    """The number of examples along the named axis."""
    return named_axis(axis_name).size


def axis_index(axis_name: Hashable) -> Any:
    """The index of this example along the named axis, an int64.

    >>> import numpy as np, xform
    >>> xform.vmap(lambda x: x * axis_index("i"), axis_name="i")(np.ones(3))
    array([0., 1., 2.])
    """
    trace = named_axis(axis_name)
    return BatchTracer(trace, np.arange(trace.size))


def all_gather(x: Any, axis_name: Hashable) -> Any:
    """The values of `x` of all examples, stacked along a new first axis."""
    size = axis_size(axis_name)
    return tree.map(lambda leaf: _all_gather(leaf, axis_name=axis_name, axis_size=size), x)


def psum(x: Any, axis_name: Hashable) -> Any:
    """The sum of `x` over the named axis, sum_i x_i, of the shape of `x`.

    >>> import numpy as np, xform
    >>> xform.vmap(lambda x: x / psum(x, "i"), axis_name="i")(np.array([1.0, 3.0]))
    array([0.25, 0.75])
    """
    return tree.map(lambda leaf: reduce_sum(leaf, axes=(0,)), all_gather(x, axis_name))


def pmean(x: Any, axis_name: Hashable) -> Any:
    """The mean of `x` over the named axis."""
    size = axis_size(axis_name)
    return tree.map(lambda leaf: leaf / size, psum(x, axis_name))


def pmax(x: Any, axis_name: Hashable) -> Any:
    """The maximum of `x` over the named axis; at ties its derivative is shared evenly."""
    return tree.map(lambda leaf: reduce_max(leaf, axes=(0,)), all_gather(x, axis_name))


def pmin(x: Any, axis_name: Hashable) -> Any:
    """The minimum of `x` over the named axis; at ties its derivative is shared evenly."""
    return tree.map(lambda leaf: reduce_min(leaf, axes=(0,)), all_gather(x, axis_name))


def psum_scatter(x: Any, axis_name: Hashable) -> Any:
    """The sum over the named axis of `x`, of shape (size, ...), of which each example receives its own slice."""
    size = axis_size(axis_name)
    return tree.map(lambda leaf: _reduce_scatter(leaf, axis_name=axis_name, axis_size=size), x)
