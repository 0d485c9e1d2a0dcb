"""Functions known by their values only: trees of arguments in, a list of arrays out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from xform.core import tree
from xform.core.aval import aval_of, float0
from xform.core.primitive import is_zero
from xform.transforms.arguments import as_array, check_tangent, flatten_checked, leaf_names, matching_leaves
from xform.transforms.derivatives import Options


class Values:
    """`f(*args)` as a function of the list of leaves `xs`, with the list of leaves `ys` at the point `args`."""

    __slots__ = ("args", "f", "in_tree", "origin", "out_tree", "xs", "ys")

    def __init__(self, origin: str, f: Callable[..., Any], args: Sequence[Any]) -> None:
        self.origin, self.f, self.args = origin, f, tuple(args)
        leaves, self.in_tree = flatten_checked(self.origin, self.args, self.names)
        self.xs = [np.array(x) for x in leaves]
        self.out_tree: Any = None
        self.ys = self(self.xs)

    def __call__(self, xs: Sequence[np.ndarray]) -> list[np.ndarray]:
        """Evaluate on copies, as the function might write into its arguments."""
        leaves = [x.copy() if x.shape or x.dtype == float0 else x[()] for x in xs]
        ys, out_tree = tree.flatten(self.f(*tree.unflatten(self.in_tree, leaves)))
        if self.out_tree is not None and out_tree != self.out_tree:
            raise TypeError(
                f"{self.origin}: the function returns {self.out_tree} at the point, but {out_tree} nearby; "
                "wanted results of one structure"
            )
        self.out_tree = out_tree
        for y in ys:
            aval_of(y)
        return [np.array(as_array(y)) for y in ys]

    def names(self) -> list[str]:
        """How messages call each leaf of the arguments."""
        return leaf_names(self.f, self.args)

    def tangents(self, tangents: tuple[Any, ...]) -> list[Any]:
        """The leaves of a tree of tangents, checked; None for one of dtype float0."""
        given = matching_leaves(self.origin, "the direction", self.in_tree, tangents, "the point")
        pairs = enumerate(zip(self.xs, given, strict=True))
        checked = [check_tangent(self.origin, self.f, self.args, k, x, v) for k, (x, v) in pairs]
        return [None if is_zero(v) else np.asarray(v) for v in checked]

    def check_numbers(self, holomorphic: bool) -> None:
        """Raise TypeError unless arguments and results have derivatives, by the same conditions as `xform.jacrev`."""
        options = Options(0, False, holomorphic, False)
        for k, x in enumerate(self.xs):
            options.check_input(self.origin, lambda k=k: self.names()[k], x)
        for y in self.ys:
            if holomorphic or y.dtype.kind != "c" or self.has_complex_argument():
                options.check_output(self.origin, y)

    def check_scalar(self, holomorphic: bool) -> None:
        """Raise TypeError unless there is a gradient, by the same conditions as `xform.grad`."""
        self.check_numbers(holomorphic)
        if [y.shape for y in self.ys] != [()]:
            shown = ", ".join(repr(aval_of(y)) for y in self.ys)
            raise TypeError(
                f"{self.origin}: the function must return a single number, not [{shown}]; sum it, or use jacobian"
            )
        Options(0, False, holomorphic, False).check_output(self.origin, self.ys[0])

    def check_real(self, remedy: str) -> None:
        for k, x in enumerate(self.xs):
            if x.dtype.kind == "c":
                raise TypeError(f"{self.origin}: {self.names()[k]} is {aval_of(x)}; wanted real numbers{remedy}")

    def has_complex_argument(self) -> bool:
        return any(x.dtype.kind == "c" for x in self.xs)

    def argument_tree(self, row: Sequence[np.ndarray]) -> Any:
        """One array per leaf, as a tree like the one argument."""
        return tree.unflatten(self.in_tree, [block[()] for block in row])[0]

    def jacobian_tree(self, rows: Sequence[Sequence[np.ndarray]]) -> Any:
        """A tree like the result of trees like the one argument."""
        return tree.unflatten(self.out_tree, [self.argument_tree(row) for row in rows])

    def result_tree(self, ys: Sequence[np.ndarray]) -> Any:
        return tree.unflatten(self.out_tree, [y if y.dtype == float0 else y[()] for y in ys])
