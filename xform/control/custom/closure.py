"""Functions whose closed-over traced values become arguments."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from xform.control.custom.signatures import title_of
from xform.control.programs import close
from xform.core import tree
from xform.core.aval import aval_of
from xform.core.jaxpr import Jaxpr, evaluate
from xform.core.stage import strong
from xform.transforms.arguments import flatten_checked, leaf_names


class Converted:
    """A program as a function of trees, and of the values that it once closed over, which come last."""

    def __init__(self, name: str, jaxpr: Jaxpr, count: int, in_tree: Any, out_tree: Any) -> None:
        self.name, self.jaxpr, self.count, self.in_tree, self.out_tree = name, jaxpr, count, in_tree, out_tree

    def __call__(self, *args: Any) -> Any:
        given = len(args) - self.count
        leaves, structure = tree.flatten(args[:given])
        if structure != self.in_tree:
            raise TypeError(
                f"{self.name}, converted by closure_convert, was called with arguments of the structure {structure} "
                f"and {self.count} values that it closes over; wanted the structure {self.in_tree}"
            )
        return tree.unflatten(self.out_tree, evaluate(self.jaxpr, *args[given:], *leaves))


def closure_convert(fun: Callable[..., Any], *example_args: Any) -> tuple[Callable[..., Any], list[Any]]:
    """A function that closes over no traced value, and the values that it takes instead, after its own arguments.

        converted, values = closure_convert(f, x)        f(x) = converted(x, *values)

    So that a function which takes functions, a custom rule among them, can pass derivatives to what these close over.
    Of the example arguments only the structure, shapes and dtypes matter. `fun` is written down as a program for them,
    so it must not decide anything by the numbers in its arguments. Raises TypeError where the converted function gets
    arguments of another structure.

    >>> import numpy as np, xform
    >>> def loss(a):
    ...     converted, values = xform.closure_convert(lambda x: a * x, 0.0)
    ...     return converted(2.0, *values) * len(values)
    >>> xform.grad(loss)(5.0)
    np.float64(2.0)
    """
    return converted(fun, *example_args)


def converted(fun: Callable[..., Any], *example_args: Any) -> tuple[Converted, list[Any]]:
    """As `closure_convert`."""
    origin = f"closure_convert of {title_of(fun)}"
    leaves, in_tree = flatten_checked(origin, example_args, lambda: leaf_names(fun, example_args))
    out_tree: Any = None

    def flat(*xs: Any) -> list[Any]:
        nonlocal out_tree
        ys, out_tree = tree.flatten(fun(*tree.unflatten(in_tree, xs)))
        return ys

    jaxpr, values = close(flat, [strong(aval_of(x)) for x in leaves], origin)
    return Converted(title_of(fun), jaxpr, len(values), in_tree, out_tree), values
