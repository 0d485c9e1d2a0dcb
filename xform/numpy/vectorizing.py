"""numpy.vectorize for traced values: a function of numbers, or of arrays by a signature, applied over all other axes.

Inside a transformation the function is called once, under `vmap`. If it asks for a value there (`if x > 0`, `while`,
`int(x)`), it is called for each entry instead, as NumPy does, which works where entries have values.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from xform.core.errors import ConcretizationError
from xform.core.trace import Tracer, context
from xform.numpy.creation import astype_of
from xform.numpy.dispatch import asarray
from xform.numpy.indexing import getitem
from xform.numpy.shaping import broadcast_to, in_shape
from xform.ops.stack import stack
from xform.transforms.vmap import vmap

#: the names of the core axes of each operand, or result
Cores = list[tuple[str, ...]]
#: a function of arrays whose results are always a tuple of arrays
Several = Callable[..., tuple[Any, ...]]


class vectorize(np.vectorize):
    """`numpy.vectorize`, with its parameters, for a function that is given, or that returns, traced values.

        vectorize(pyfunc, otypes=None, doc=None, excluded=None, cache=False, signature=None)

    It is used as a function or as a decorator. `otypes` are the dtypes of the results, by default those of the first
    ones; arguments that are `excluded`, by position or name, are passed on as they are. A `signature` such as
    "(m,n),(n)->(m)" says which trailing axes the function takes and returns.

    Raises ValueError for shapes that do not fit, a wrong number of results, and operands without entries if otypes are
    not given; TypeError for a wrong number of operands.

    >>> import xform
    >>> @vectorize
    ... def relu(x):
    ...     return x if x > 0 else 0 * x
    >>> xform.grad(lambda x: relu(x).sum())(np.array([-1.0, 2.0]))
    array([0., 1.])
    >>> dot = vectorize(np.dot, signature="(n),(n)->()")
    >>> xform.jacobian(dot)(np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([5.0, 6.0]))[1]
    array([[0., 0.],
           [5., 6.]])
    """

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if self.pyfunc is np._NoValue or context.trace.is_ground:
            return super().__call__(*args, **kwargs)
        positions = [k for k in range(len(args)) if k not in self.excluded]
        names = [name for name in kwargs if name not in self.excluded]
        operands = [args[k] for k in positions] + [kwargs[name] for name in names]

        def func(*values: Any) -> tuple[Any, ...]:
            full = list(args)
            for k, value in zip(positions, values, strict=False):
                full[k] = value
            results = self.pyfunc(*full, **{**kwargs, **dict(zip(names, values[len(positions) :], strict=True))})
            return tuple(map(asarray, results)) if isinstance(results, tuple) else (asarray(results),)

        if not operands and self.signature is None:
            return self.pyfunc(*args, **kwargs)
        results = self.mapped(func, [asarray(x) for x in operands])
        return results[0] if len(results) == 1 else tuple(results)

    def mapped(self, func: Several, arrays: list[Any]) -> list[Any]:
        """The results of the function over all but the core axes of the arrays."""
        inputs, outputs = self.cores(len(arrays))
        sizes, lead = loop_shape(arrays, inputs)
        if 0 in lead:
            return self.without_entries(lead, outputs, sizes)
        flat = [over_one_axis(a, lead, core, sizes) for a, core in zip(arrays, inputs, strict=True)]
        rows = math.prod(lead)
        try:
            results: Sequence[Any] = at_once(func, flat)
        except ConcretizationError:
            results = one_by_one(func, flat, rows, self.otypes)
        wanted = len(results) if outputs is None else len(outputs)
        if len(results) != wanted:
            raise ValueError(f"wrong number of outputs from pyfunc: expected {wanted}, got {len(results)}")
        shapes = output_shapes([r.shape[1:] for r in results], outputs, sizes)
        results = [broadcast_to(r, (rows, *s)) for r, s in zip(results, shapes, strict=True)]
        return [in_shape(r, (*lead, *s)) for r, s in zip(self.in_dtypes(results), shapes, strict=True)]

    def cores(self, count: int) -> tuple[Cores, Cores | None]:
        """The core axes of so many operands, and of the results, None for as many numbers as there are."""
        if self.signature is None:
            return [()] * count, None if self.otypes is None else [()] * len(self.otypes)
        inputs, outputs = map(core_axes, self.signature.split("->"))
        if count != len(inputs):
            raise TypeError(f"wrong number of positional arguments: expected {len(inputs)}, got {count}")
        return inputs, outputs

    def without_entries(self, lead: tuple[int, ...], outputs: Cores | None, sizes: dict[str, int]) -> list[Any]:
        if self.otypes is None or outputs is None:
            raise ValueError("cannot call `vectorize` on size 0 inputs unless `otypes` is set")
        if any(axis not in sizes for core in outputs for axis in core):
            raise ValueError(
                "cannot call `vectorize` with a signature including new output dimensions on size 0 inputs"
            )
        shapes = [(*lead, *(sizes[axis] for axis in core)) for core in outputs]
        return [np.empty(shape, t) for shape, t in zip(shapes, self.otypes, strict=True)]

    def in_dtypes(self, results: Sequence[Any]) -> list[Any]:
        if self.otypes is None:
            return list(results)
        return [astype_of(r, np.dtype(t)) for r, t in zip(results, self.otypes, strict=True)]


def of_python(ufunc: np.ufunc) -> Any:
    """A ufunc that `numpy.frompyfunc` made, for traced values; its results are arrays of numbers, not of objects."""

    def of_entries(*entries: Any) -> Any:
        boxes = [np.empty((), object) for _ in entries]
        for box, entry in zip(boxes, entries, strict=True):
            box[()] = entry
        return ufunc(*boxes)

    return vectorize(of_entries)


def core_axes(part: str) -> Cores:
    """The names in each pair of parentheses of one side of a signature, which NumPy has found to be well formed."""
    return [tuple(filter(None, names.split(","))) for names in re.findall(r"\((.*?)\)", re.sub(r"\s", "", part))]


def loop_shape(arrays: list[Any], inputs: Cores) -> tuple[dict[str, int], tuple[int, ...]]:
    """The sizes of the core axes, and the common shape of the others."""
    sizes: dict[str, int] = {}
    leads = []
    for a, core in zip(arrays, inputs, strict=True):
        match_core(a.shape, core, sizes)
        leads.append(a.shape[: len(a.shape) - len(core)])
    return sizes, np.broadcast_shapes(*leads)


def match_core(shape: tuple[int, ...], core: tuple[str, ...], sizes: dict[str, int]) -> None:
    """Note the sizes of the last axes under their names; ValueError if one is known to be different."""
    if len(shape) < len(core):
        raise ValueError(
            f"{len(shape)}-dimensional argument does not have enough dimensions for all core dimensions {core}"
        )
    for axis, n in zip(core, shape[len(shape) - len(core) :], strict=True):
        if sizes.setdefault(axis, n) != n:
            raise ValueError(f"inconsistent size for core dimension {axis!r}: {n} vs {sizes[axis]}")


def output_shapes(shapes: list[tuple[int, ...]], outputs: Cores | None, sizes: dict[str, int]) -> list[tuple[int, ...]]:
    """The shapes that results of these shapes must have, by their core axes."""
    cores = outputs or [()] * len(shapes)
    for shape, core in zip(shapes, cores, strict=True):
        match_core(shape, core, sizes)
        if len(shape) > len(core):
            raise ValueError(
                f"the function returned an array of shape {shape}, wanted "
                f"{f'the core axes {core}' if core else 'a number; give a signature for arrays'}"
            )
    return [tuple(sizes[axis] for axis in core) for core in cores]


def over_one_axis(
    a: Any, lead: tuple[int, ...], core: tuple[str, ...], sizes: dict[str, int]
) -> tuple[Any, int | None]:
    """The array with one axis in front of its core, and that axis; None if it has none there."""
    if len(a.shape) == len(core):
        return a, None
    shape = tuple(sizes[axis] for axis in core)
    return in_shape(broadcast_to(a, (*lead, *shape)), (math.prod(lead), *shape)), 0


def at_once(func: Several, flat: list[tuple[Any, int | None]]) -> tuple[Any, ...]:
    """The results for all rows, by `vmap`."""
    arrays, axes = [a for a, _ in flat], tuple(axis for _, axis in flat)
    if axes.count(None) == len(axes):
        return tuple(in_shape(y, (1, *y.shape)) for y in func(*arrays))
    return vmap(func, in_axes=axes)(*arrays)


def one_by_one(func: Several, flat: list[tuple[Any, int | None]], rows: int, dtypes: Any) -> list[Any]:
    """The same by a loop; the dtypes are those given, or else those of the first results."""

    def entry(a: Any, axis: int | None, row: int) -> Any:
        if isinstance(a, Tracer):
            return a if axis is None else getitem(a, row)
        return a[()] if axis is None else a[row]

    results = [func(*(entry(a, axis, row) for a, axis in flat)) for row in range(rows)]
    if len({len(r) for r in results}) > 1:
        raise ValueError(f"the function returned {sorted({len(r) for r in results})} results, wanted a fixed number")
    if dtypes is None or len(dtypes) != len(results[0]):
        dtypes = [y.dtype for y in results[0]]
    columns = zip(*results, strict=True)
    return [stack(*(astype_of(y, np.dtype(t)) for y in ys), axis=0) for ys, t in zip(columns, dtypes, strict=True)]
