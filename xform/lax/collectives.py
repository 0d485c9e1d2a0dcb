"""Operations along an axis that `vmap` maps over and names, under the names they have in `jax.lax`.

All of them take arrays or trees of arrays.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any

import numpy as np

from xform.core import tree
from xform.lax.dimensions import dimension, integers
from xform.lax.operands import operand
from xform.ops.collective import all_gather as _all_gather
from xform.ops.collective import exchange, permute
from xform.ops.collective import reduce_scatter as _reduce_scatter
from xform.ops.reduce import reduce_max, reduce_min
from xform.ops.structure import reduce_sum, reshape
from xform.transforms.vmap import BatchTracer, move_axis, named_axis

__all__ = [
    "all_gather",
    "all_to_all",
    "axis_index",
    "axis_size",
    "pmax",
    "pmean",
    "pmin",
    "ppermute",
    "pshuffle",
    "psum",
    "psum_scatter",
    "pswapaxes",
]


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


def ppermute(x: Any, axis_name: Hashable, perm: Sequence[tuple[int, int]]) -> Any:
    """The value of example i for example j, for each pair (i, j) of `perm`; zero for an example that is no j.

    Raises ValueError if an example is not there, or occurs twice as the first or twice as the second of a pair.

    >>> import numpy as np, xform
    >>> xform.vmap(lambda x: ppermute(x, "i", [(0, 1), (1, 2)]), axis_name="i")(np.array([1.0, 2.0, 3.0]))
    array([0., 1., 2.])
    """
    size = axis_size(axis_name)
    pairs = [integers("ppermute", "a pair of perm", pair) for pair in perm]
    if any(len(pair) != 2 or not all(0 <= i < size for i in pair) for pair in pairs):
        raise ValueError(
            f"ppermute: perm={perm!r:.120} was given for the axis {axis_name!r} of {size} examples; wanted pairs "
            f"(source, destination) of numbers from 0 to {size - 1}"
        )
    source = {j: i for i, j in pairs}
    if not len({i for i, _ in pairs}) == len(source) == len(pairs):
        raise ValueError(f"ppermute: perm={perm!r:.120} names a source or a destination twice; wanted each only once")
    sources = tuple(map(source.get, range(size)))
    return tree.map(lambda leaf: permute(leaf, axis_name=axis_name, axis_size=size, sources=sources), x)


def pshuffle(x: Any, axis_name: Hashable, perm: Sequence[int]) -> Any:
    """The value of example perm[i] for example i; ValueError unless `perm` is a permutation of all examples.

    >>> import numpy as np, xform
    >>> xform.vmap(lambda x: pshuffle(x, "i", [2, 0, 1]), axis_name="i")(np.array([1.0, 2.0, 3.0]))
    array([3., 1., 2.])
    """
    size, sources = axis_size(axis_name), integers("pshuffle", "perm", perm)
    if sorted(sources) != list(range(size)):
        raise ValueError(
            f"pshuffle: perm={perm!r:.120} was given for the axis {axis_name!r} of {size} examples; wanted each number "
            f"from 0 to {size - 1} once"
        )
    return tree.map(lambda leaf: permute(leaf, axis_name=axis_name, axis_size=size, sources=sources), x)


def all_to_all(
    x: Any,
    axis_name: Hashable,
    split_axis: int,
    concat_axis: int,
    *,
    axis_index_groups: Sequence[Sequence[int]] | None = None,
    tiled: bool = False,
) -> Any:
    """The named axis and the axis `split_axis` of `x` change places: y_i[..., j, ...] = x_j[..., i, ...].

    In y the index j is that of `concat_axis`. The axis that is split has a slice for each example; if `tiled` it has a
    block of equally many, and the blocks are joined along `concat_axis`, so that no axis comes or goes.
    `axis_index_groups` are lists of examples that exchange among themselves; they have one size and contain every
    example once, and i and j are positions in them.

    Raises ValueError if the size of the axis that is split, or the groups, do not fit.

    >>> import numpy as np, xform
    >>> xform.vmap(lambda x: all_to_all(x, "i", 0, 0), axis_name="i")(np.array([[1.0, 2.0], [3.0, 4.0]]))
    array([[1., 3.],
           [2., 4.]])
    """
    size = axis_size(axis_name)
    groups = read_groups(axis_name, size, axis_index_groups)

    def each(leaf: Any) -> Any:
        leaf = operand("all_to_all", leaf)
        source, target = (dimension("all_to_all", axis, len(leaf.shape)) for axis in (split_axis, concat_axis))
        blocks = split_blocks(leaf, source, len(groups[0]), tiled)
        blocks = exchange(blocks, axis_name=axis_name, axis_size=size, groups=groups)
        joined = move_axis(blocks, 0, target)
        if not tiled:
            return joined
        n, m, shape = *joined.shape[target : target + 2], joined.shape
        return reshape(joined, shape=(*shape[:target], n * m, *shape[target + 2 :]))

    return tree.map(each, x)


def split_blocks(x: Any, axis: int, count: int, tiled: bool) -> Any:
    """So many slices (or, tiled, blocks) of an axis, along a new first axis."""
    n = x.shape[axis]
    if n % count if tiled else n != count:
        wanted = f"a multiple of {count}" if tiled else f"{count}, a slice for each; give tiled=True for larger blocks"
        raise ValueError(
            f"all_to_all: axis {axis} of an array of shape {x.shape} was given to be split among {count} examples; "
            f"wanted a size of {wanted}"
        )
    if tiled:
        x = reshape(x, shape=(*x.shape[:axis], count, n // count, *x.shape[axis + 1 :]))
    return move_axis(x, axis, 0)


def read_groups(axis_name: Hashable, size: int, given: Any) -> tuple[tuple[int, ...], ...]:
    """The groups of examples that communicate, by default one of all."""
    if given is None:
        return (tuple(range(size)),)
    groups = tuple(integers("all_to_all", "a group of axis_index_groups", group) for group in given)
    if sorted(i for group in groups for i in group) != list(range(size)) or len(set(map(len, groups))) != 1:
        raise ValueError(
            f"all_to_all: axis_index_groups={given!r:.120} was given for the axis {axis_name!r} of {size} examples; "
            f"wanted groups of one size that contain each number from 0 to {size - 1} once"
        )
    return groups


def pswapaxes(
    x: Any, axis_name: Hashable, axis: int, *, axis_index_groups: Sequence[Sequence[int]] | None = None
) -> Any:
    """The named axis and an axis of `x` of that size change places: `all_to_all` from and to this axis.

    >>> import numpy as np, xform
    >>> xform.vmap(lambda x: pswapaxes(x, "i", 0), axis_name="i")(np.array([[1.0, 2.0], [3.0, 4.0]]))
    array([[1., 3.],
           [2., 4.]])
    """
    return all_to_all(x, axis_name, axis, axis, axis_index_groups=axis_index_groups)
