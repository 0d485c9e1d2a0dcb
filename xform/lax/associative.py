"""Prefix combinations in logarithmic depth: y_0 = x_0, y_i = y_{i-1} o x_i for an associative operation o.

Pairs are combined level by level, z_i = x_{2i} o x_{2i+1}, until one element is left. The prefixes of z are those of x
at odd places; each at an even place lacks one more element, y_{2i} = y_{2i-1} o x_{2i}. So n elements take 2 log2(n)
calls of the operation, and less than 2 n of its applications. (Blelloch, Prefix sums and their applications, 1990.)
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from xform.core import tree
from xform.core.aval import Aval, aval_of
from xform.core.errors import describe
from xform.core.stage import avals_of
from xform.lax.dimensions import dimension
from xform.numpy.arranging import reversed_along
from xform.numpy.dispatch import asarray
from xform.numpy.shaping import in_shape
from xform.ops.stack import stack
from xform.ops.structure import concatenate, slice_

__all__ = ["associative_scan"]

T = TypeVar("T")


def associative_scan(fn: Callable[[T, T], T], elems: T, reverse: bool = False, axis: int = 0) -> T:
    """All prefixes y_i = x_0 o x_1 o ... o x_i of an associative operation `fn`, in logarithmic depth.

    The elements x_i are the slices of a tree of arrays along `axis`. `fn` takes and returns trees of such slices, many
    at once: the size along `axis` varies from call to call, and it must treat each place there by itself. With
    `reverse` the suffixes: y_i = x_{n-1} o ... o x_i.

    Raises TypeError if `fn` is not a function or returns another tree or other dtypes, ValueError if the arrays differ
    in size along `axis`, lack that axis, or come back in other shapes.

    >>> import numpy as np
    >>> associative_scan(np.multiply, np.array([1, 2, 3, 4]))
    array([ 1,  2,  6, 24])
    >>> associative_scan(np.maximum, np.array([1, 4, 2, 3]), reverse=True)
    array([4, 4, 3, 3])
    """
    origin = f"associative_scan of {describe(fn)}"
    leaves, structure = tree.flatten(elems)
    avals_of(origin, "the elements", elems, leaves)
    if not leaves:
        raise ValueError(f"{origin}: a tree without arrays was given, wanted one at least to scan over")
    values = [asarray(x) for x in leaves]
    scan = Scan(fn, structure, [dimension(origin, axis, len(x.shape)) for x in values], origin)
    scan.check_lengths(values)
    if reverse:
        values = scan.reversed(values)
    values = scan.prefixes(values)
    return tree.unflatten(structure, scan.reversed(values) if reverse else values)


class Scan:
    """An operation on flat lists of arrays, each with its axis."""

    def __init__(self, fn: Callable[[Any, Any], Any], structure: Any, axes: Sequence[int], origin: str) -> None:
        self.fn, self.structure, self.axes, self.origin = fn, structure, axes, origin

    def check_lengths(self, values: Sequence[Any]) -> None:
        shapes = [x.shape for x in values]
        if len({shape[axis] for shape, axis in zip(shapes, self.axes, strict=True)}) > 1:
            raise ValueError(
                f"{self.origin}: arrays of shapes {shapes} were given; wanted one length along their axes {self.axes}"
            )

    def length(self, values: Sequence[Any]) -> int:
        return values[0].shape[self.axes[0]]

    def prefixes(self, values: list[Any]) -> list[Any]:
        """Up the levels, of which each has half the elements of the one before, and down again."""
        levels = [values]
        while (n := self.length(levels[-1])) > 1:
            x, even = levels[-1], n - n % 2
            levels.append(self.combined(self.part(x, 0, even, 2), self.part(x, 1, even, 2)))
        y = levels.pop()
        while levels:
            x = levels.pop()
            n = self.length(x)
            first = self.part(x, 0, 1)
            if n > 2:
                behind = self.combined(self.part(y, 0, (n - 1) // 2), self.part(x, 2, n, 2))
                first = self.joined(first, behind)
            y = self.interleaved(first, y)
        return y

    def combined(self, a: list[Any], b: list[Any]) -> list[Any]:
        """`fn` of two lists of elements; what it returns must look like them."""
        out = self.fn(tree.unflatten(self.structure, a), tree.unflatten(self.structure, b))
        leaves, structure = tree.flatten(out)
        if structure != self.structure:
            raise TypeError(
                f"{self.origin}: it returned {structure}, wanted the tree of its arguments, {self.structure}"
            )
        found = avals_of(self.origin, "its result", out, leaves)
        for path, given, wanted in zip(self.names(out), found, map(aval_of, a), strict=True):
            check_aval(f"{self.origin}: its result{path}", given, wanted)
        return [asarray(x) for x in leaves]

    def names(self, out: Any) -> list[str]:
        return [tree.keystr(path) for path, _ in tree.leaves_with_path(out)]

    def part(self, values: Sequence[Any], start: int, stop: int, step: int = 1) -> list[Any]:
        """The elements start, start + step, ... below stop."""
        count = len(range(start, stop, step))
        return [
            slice_(x, index=tuple((start, count, step) if d == axis else (0, n, 1) for d, n in enumerate(x.shape)))
            for x, axis in zip(values, self.axes, strict=True)
        ]

    def joined(self, a: Sequence[Any], b: Sequence[Any]) -> list[Any]:
        return [concatenate(x, y, axis=axis) for x, y, axis in zip(a, b, self.axes, strict=True)]

    def interleaved(self, even: list[Any], odd: list[Any]) -> list[Any]:
        """even_0, odd_0, even_1, odd_1, ...; of the even ones there may be one more."""
        n = self.length(odd)
        pairs = [
            in_shape(stack(x, y, axis=axis + 1), (*x.shape[:axis], 2 * n, *x.shape[axis + 1 :]))
            for x, y, axis in zip(self.part(even, 0, n), odd, self.axes, strict=True)
        ]
        return pairs if self.length(even) == n else self.joined(pairs, self.part(even, n, n + 1))

    def reversed(self, values: Sequence[Any]) -> list[Any]:
        return [reversed_along(x, (axis,)) for x, axis in zip(values, self.axes, strict=True)]


def check_aval(what: str, given: Aval, wanted: Aval) -> None:
    """The operation must keep shapes and dtypes."""
    if given.shape != wanted.shape:
        raise ValueError(f"{what} has shape {given.shape}, wanted that of the arguments, {wanted.shape}")
    if given.dtype != wanted.dtype:
        raise TypeError(
            f"{what} has dtype {given.dtype}, wanted that of the elements, {wanted.dtype}; convert the one or the other"
        )
