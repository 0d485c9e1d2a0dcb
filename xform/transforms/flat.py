"""Functions of trees as functions of leaves, and results that their receiver may keep."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from xform.core import tree
from xform.core.aval import Aval, aval_of, float0
from xform.core.errors import describe
from xform.core.primitive import is_zero
from xform.core.trace import Tracer, alias, check_live
from xform.transforms.arguments import as_array, check_array


class Flat:
    """A function of trees as a function of leaves; it remembers the result's structure and the auxiliary output.

    The leaves are those of all positional arguments together or, where `argnums` is given, of the argument at that
    position or of the tuple of arguments at those positions, the others being taken from `args`.
    """

    __slots__ = ("argnums", "args", "aux", "f", "fixed", "has_aux", "in_tree", "kwargs", "out_tree")

    def __init__(
        self,
        f: Callable[..., Any],
        in_tree: Any,
        has_aux: bool,
        kwargs: dict[str, Any] | None = None,
        args: tuple[Any, ...] = (),
        argnums: int | tuple[int, ...] | None = None,
    ) -> None:
        self.f, self.in_tree, self.has_aux, self.kwargs = f, in_tree, has_aux, kwargs
        self.args, self.argnums = args, argnums
        self.aux: Any = None
        self.fixed: Any = None
        self.out_tree: Any = None

    def __call__(self, *xs: Any) -> list[Any]:
        args = self.arguments(xs)
        out = self.f(*args, **self.kwargs) if self.kwargs else self.f(*args)
        if self.has_aux:
            if not isinstance(out, tuple) or len(out) != 2:
                raise TypeError(
                    f"with has_aux=True {describe(self.f)} must return a pair (result, aux), not {type(out).__name__}"
                )
            out, self.aux = out
        ys, self.out_tree = tree.flatten(out)
        for k, y in enumerate(ys):
            if isinstance(y, Tracer):
                check_live(y)
            elif not isinstance(y, np.ndarray | np.generic):
                check_array(describe(self.f), lambda k=k: self.result_name(out, k), y)
                ys[k] = as_array(y)
        return ys

    def result_name(self, out: Any, k: int) -> str:
        return "its result" + tree.keystr(tree.leaves_with_path(out)[k][0])

    def arguments(self, xs: Sequence[Any]) -> tuple[Any, ...]:
        """The positional arguments of `f`, with the leaves `xs` in their places."""
        if self.fixed is not None:
            xs = self.complete(xs)
        value, k = tree.unflatten(self.in_tree, xs), self.argnums
        if k is None:
            return value
        if type(k) is int:
            return (*self.args[:k], value, *self.args[k + 1 :])
        args = list(self.args)
        for position, x in zip(k, value, strict=True):  # type: ignore[arg-type]
            args[position] = x
        return tuple(args)

    def lower_aux(self, lower: Callable[[Any], Any]) -> None:
        """Take the tracers of the transformation that ends out of the auxiliary output."""
        if self.has_aux:
            self.aux = tree.map(lower, self.aux)

    def fix(self, xs: Sequence[Any], active: Sequence[int]) -> None:
        """Become a function of the leaves at the positions `active` alone, the others being those of `xs`."""
        if len(active) < len(xs):
            self.fixed = list(xs), active

    def complete(self, xs: Sequence[Any]) -> tuple[Any, ...]:
        values, active = self.fixed  # type: ignore[misc]
        values = values.copy()
        for k, x in zip(active, xs, strict=True):
            values[k] = x
        return tuple(values)

    def unflatten(self, ys: Sequence[Any]) -> Any:
        return tree.unflatten(self.out_tree, ys)


def own(gradients: list[Any], foreign: Sequence[Any] = ()) -> list[Any]:
    """Results that the caller may keep: NumPy scalars for 0-d arrays, as NumPy's own functions return them, and arrays
    that may be written into, no read-only views, no memory shared between them or with `foreign`, nor traced arrays.
    """
    seen = {id(memory(x)) for x in foreign if type(x) is np.ndarray} if foreign else set()
    for k, x in enumerate(gradients):
        if type(x) is np.ndarray and not x.ndim and x.dtype != float0:
            gradients[k] = x[()]
        elif type(x) is np.ndarray and x.size:
            if not x.flags.writeable or id(memory(x)) in seen:
                gradients[k] = x.copy()
            seen.add(id(memory(gradients[k])))
        elif isinstance(x, Tracer):
            gradients[k] = alias(x)
    return gradients


def memory(x: np.ndarray) -> Any:
    return x if x.base is None else x.base


def zeros(aval: Aval) -> Any:
    z = np.zeros(aval.shape, aval.dtype)
    return z if aval.shape or aval.dtype == float0 else z[()]


def materialize(tangent: Any, y: Any) -> Any:
    return zeros(aval_of(y).tangent()) if is_zero(tangent) else tangent


def cotangent_of(bar: Any, aval: Aval) -> Any:
    return zeros(aval.tangent()) if bar is None else bar
