"""Gradients: reverse mode applied to a function with one real result."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

from xform.core import tree
from xform.core.aval import aval_of, short_dtype
from xform.core.errors import describe
from xform.core.tracebacks import public, standing_for
from xform.transforms.arguments import flatten_checked, leaf_names, normalize_argnums, parameter_name
from xform.transforms.flat import Flat, own, zeros
from xform.transforms.linearize import linearize_flat
from xform.transforms.vjp import pull

Argnums = int | Sequence[int]

LEAF = tree.structure(0)


class Point:
    """A function linearised at a point, in its arguments `argnums`: where every derivative of it starts from."""

    __slots__ = ("active", "ids", "in_tree", "leaves", "run", "tape", "ys")

    def __init__(
        self, origin: str, f: Callable[..., Any], options: Options, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> None:
        argnums = normalize_argnums(origin, options.argnums, len(args))
        value = args[argnums] if type(argnums) is int else tuple(args[k] for k in argnums)  # type: ignore[union-attr]
        names = functools.partial(chosen_names, f, args, argnums)
        if value is None:
            name = parameter_name(f, argnums)  # type: ignore[arg-type]
            raise TypeError(f"{origin}: for {name}, None was given; wanted an array, a number or a tree of them")
        self.leaves, self.in_tree = flatten_checked(origin, value, names)
        self.active = [k for k, x in enumerate(self.leaves) if x.dtype.kind in "fc"]
        for k, x in enumerate(self.leaves):
            if x.dtype.kind != "f" or options.holomorphic:
                options.check_input(origin, lambda k=k: names()[k], x)
        self.run = Flat(f, self.in_tree, options.has_aux, kwargs, args, argnums)
        self.run.fix(self.leaves, self.active)
        self.ys, self.ids, self.tape = linearize_flat(self.run, [self.leaves[k] for k in self.active], origin)

    def tree_of(self, gradients: Sequence[Any]) -> Any:
        """A tree like the differentiated argument, or like the tuple of them."""
        return tree.unflatten(self.in_tree, gradients)


def chosen_names(f: Callable[..., Any], args: tuple[Any, ...], argnums: int | tuple[int, ...]) -> list[str]:
    return leaf_names(f, args, (argnums,) if isinstance(argnums, int) else argnums)


class Options:
    """What the derivative functions have in common."""

    __slots__ = ("allow_int", "argnums", "has_aux", "holomorphic")

    def __init__(self, argnums: Argnums, has_aux: bool, holomorphic: bool, allow_int: bool) -> None:
        self.argnums, self.has_aux, self.holomorphic, self.allow_int = argnums, has_aux, holomorphic, allow_int

    def check_input(self, origin: str, name: Callable[[], str], x: Any) -> None:
        kind = x.dtype.kind
        if self.holomorphic and kind != "c":
            raise TypeError(f"{origin}: holomorphic=True wants complex arguments, but {name()} is {aval_of(x)}")
        if kind not in "fc" and not self.allow_int:
            raise TypeError(
                f"{origin}: {name()} is {aval_of(x)}; derivatives want real or complex numbers. Pass a float (1.0, not "
                "1; x.astype(float)), choose other arguments with argnums, or allow float0 results with allow_int=True"
            )

    def check_output(self, origin: str, y: Any) -> None:
        kind = y.dtype.kind
        if self.holomorphic and kind != "c":
            raise TypeError(f"{origin}: holomorphic=True wants a complex result, but it is {aval_of(y)}")
        if kind == "c" and not self.holomorphic:
            raise TypeError(
                f"{origin}: the result is complex, {aval_of(y)}; take its real part or absolute value, or say "
                "holomorphic=True if the function is holomorphic"
            )
        if kind not in "fc":
            raise TypeError(
                f"{origin}: the result is {aval_of(y)}; {short_dtype(y.dtype)} has no derivatives, wanted a real "
                "number. Differentiate what it is computed from, or return it beside the result with has_aux=True"
            )


@public
def grad(
    f: Callable[..., Any],
    argnums: Argnums = 0,
    has_aux: bool = False,
    holomorphic: bool = False,
    allow_int: bool = False,
) -> Callable[..., Any]:
    """A function that evaluates the gradient of the scalar function `f`.

    The gradient has the structure, shapes and dtypes of the argument at position `argnums` (of a tuple of them, if
    `argnums` is one; negative positions count from the end). With `has_aux`, `f` returns `(value, aux)` and the
    gradient function `(gradient, aux)`. A real result of a complex argument z = x + iy has df/dx - i df/dy;
    `holomorphic` says that `f` maps complex to complex and is complex differentiable. With `allow_int` integer
    arguments get float0.

    Raises TypeError if the result is not a real scalar, or an argument is an integer.

    >>> import numpy as np
    >>> grad(lambda x: np.sum(x ** 3))(np.array([1.0, 2.0]))
    array([ 3., 12.])
    """
    origin = f"grad of {describe(f)}"
    options = Options(argnums, has_aux, holomorphic, allow_int)

    @standing_for(f)
    def gradient(*args: Any, **kwargs: Any) -> Any:
        point = Point(origin, f, options, args, kwargs)
        g = gradient_at(origin, point, options)
        return (g, point.run.aux) if has_aux else g

    return gradient


@public
def value_and_grad(
    f: Callable[..., Any],
    argnums: Argnums = 0,
    has_aux: bool = False,
    holomorphic: bool = False,
    allow_int: bool = False,
) -> Callable[..., Any]:
    """A function that evaluates `f` and its gradient together; the parameters are those of `grad`.

    It returns `(value, gradient)`, and with `has_aux` `((value, aux), gradient)`.

    >>> value_and_grad(lambda x: x * x)(3.0)
    (np.float64(9.0), np.float64(6.0))
    """
    origin = f"value_and_grad of {describe(f)}"
    options = Options(argnums, has_aux, holomorphic, allow_int)

    @standing_for(f)
    def value_and_gradient(*args: Any, **kwargs: Any) -> Any:
        point = Point(origin, f, options, args, kwargs)
        g = gradient_at(origin, point, options)
        value = point.run.unflatten(point.ys)
        return ((value, point.run.aux) if has_aux else value), g

    return value_and_gradient


def gradient_at(origin: str, point: Point, options: Options) -> Any:
    """Pull one back from the single scalar result."""
    if point.run.out_tree != LEAF:
        raise TypeError(
            f"{origin}: the function must return a single number, not {point.run.out_tree}; "
            "use has_aux=True for extra output, or jacobian for many results"
        )
    (y,) = point.ys
    if y.shape != ():
        raise TypeError(
            f"{origin}: the function must return a scalar, but its result is {aval_of(y)}; "
            "sum it, or use jacobian for the derivative of every entry"
        )
    if y.dtype.kind != "f" or options.holomorphic:
        options.check_output(origin, y)
    pulled = pull(point.tape, point.ids, [y.dtype.type(1)], len(point.active), consume=True)
    if len(pulled) < len(point.leaves):
        found = dict(zip(point.active, pulled, strict=True))
        pulled = [found.get(k) for k in range(len(point.leaves))]
    gradients = [zeros(aval_of(x).tangent()) if g is None else g for g, x in zip(pulled, point.leaves, strict=True)]
    return point.tree_of(own(gradients))
