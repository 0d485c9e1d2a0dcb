"""`check_vmap`: the map over a batch, against a loop over its examples."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from xform.core import tree
from xform.core.aval import aval_of
from xform.core.errors import describe
from xform.testing.compare import Tolerance, as_arguments, compare, matching, result_names
from xform.transforms.vmap import argument_axes, mapped_size, output_axes, vmap


def check_vmap(
    f: Callable[..., Any],
    args: Sequence[Any],
    in_axes: Any = 0,
    out_axes: Any = 0,
    atol: float | None = None,
    rtol: float | None = None,
) -> None:
    """Check `vmap(f, in_axes, out_axes)(*args)` against a Python loop over the examples and a stack of its results.

    Shapes and dtypes must agree; allowed is a difference of atol + rtol |wanted|, by default both eps^(2/3) for the
    result's dtype, as sums may be taken in another order.

    Raises AssertionError that names the result, the entry and both numbers, and ValueError if there is no example.

    >>> check_vmap(lambda x, y: x * y, (np.arange(6.0).reshape(2, 3), 2.0), in_axes=(1, None))
    """
    args, tolerance = as_arguments("check_vmap", args), Tolerance(atol, rtol)
    origin = f"check_vmap of {describe(f)}"
    examples = looped(origin, f, args, in_axes)
    structure = tree.structure(examples[0])
    columns = zip(*[tree.leaves(out) for out in examples], strict=True)
    axes = output_axes(origin, out_axes, examples[0])
    wanted = [np.asarray(ys[0]) if axis is None else np.stack(ys, axis) for ys, axis in zip(columns, axes, strict=True)]
    mapped = vmap(f, in_axes, out_axes)(*args)
    found = matching(origin, "vmap", "the result", mapped, structure, [aval_of(y) for y in wanted])
    for name, y, loop in zip(result_names(mapped), found, wanted, strict=True):
        compare(f"{origin}: {name}", y, "by vmap", loop, "by a loop", tolerance.of_rounding(loop))


def looped(origin: str, f: Callable[..., Any], args: tuple[Any, ...], in_axes: Any) -> list[Any]:
    """The result of each example."""
    leaves, treedef = tree.flatten(args)
    axes = argument_axes(origin, tuple(in_axes) if isinstance(in_axes, list) else in_axes, args, {})
    size = mapped_size(origin, f, args, {}, leaves, axes, None)
    if not size:
        raise ValueError(f"{origin}: the mapped axis has size 0, so there is nothing to compare; wanted examples")

    def example(i: int) -> list[Any]:
        return [x if axis is None else np.take(x, i, axis) for x, axis in zip(leaves, axes, strict=True)]

    return [f(*tree.unflatten(treedef, example(i))) for i in range(size)]
