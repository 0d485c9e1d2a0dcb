"""What all transformations do at their border: name arguments, check them, make arrays of them."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from xform.core import tree
from xform.core.aval import Aval, aval_of, float0, is_inexact
from xform.core.primitive import Zero, is_traced, is_zero
from xform.core.trace import Tracer
from xform.ops.structure import convert


def parameter_name(f: Callable[..., Any], k: int) -> str:
    """The name of the k-th positional parameter, as the user wrote it."""
    try:
        parameters = list(inspect.signature(f).parameters.values())
    except (TypeError, ValueError):
        return f"argument {k}"
    if k < len(parameters) and parameters[k].kind in (
        inspect.Parameter.POSITIONAL_ONLY,
        inspect.Parameter.POSITIONAL_OR_KEYWORD,
    ):
        return parameters[k].name
    return f"argument {k}"


def check_array(origin: str, name: Callable[[], str], x: Any) -> None:
    """Raise TypeError, with the argument's name, unless `x` is a numeric array, a number or a tracer."""
    if not isinstance(x, float | int | complex | Tracer):
        try:
            aval_of(x)
        except TypeError as error:
            raise TypeError(f"{origin}: for {name()}, {error}.") from None


def as_array(x: Any) -> Any:
    """A Python number as the NumPy scalar of its default dtype, an array as a plain one in the machine's byte order."""
    kind = type(x)
    if kind is float:
        return np.float64(x)
    if kind in (int, bool, complex):
        return np.asarray(x)[()]
    if isinstance(x, np.ndarray) and (kind is not np.ndarray or not x.dtype.isnative):
        return np.asarray(x, x.dtype.newbyteorder("="))
    return x


def normalize_argnums(origin: str, argnums: Any, count: int) -> int | tuple[int, ...]:
    """Nonnegative positions: an integer, or a tuple of different ones."""
    if type(argnums) is int and 0 <= argnums < count:
        return argnums
    positions = tuple(argnums) if isinstance(argnums, tuple | list) else (argnums,)
    for k in positions:
        if not isinstance(k, int | np.integer) or isinstance(k, bool):
            raise TypeError(f"{origin}: argnums must be an integer or a tuple of integers, not {argnums!r}")
        if not -count <= k < count:
            raise ValueError(
                f"{origin}: argnums is {argnums}, but the function was called with {count} positional arguments; "
                "pass the arguments to differentiate by position"
            )
    normalized = tuple(int(k) % count for k in positions)
    if len(set(normalized)) < len(normalized):
        raise ValueError(f"{origin}: argnums {argnums} names an argument twice")
    return normalized[0] if isinstance(argnums, int | np.integer) else normalized


def flatten_checked(origin: str, value: Any, names: Callable[[], list[str]]) -> tuple[list[Any], Any]:
    """Leaves of the arguments `value`, as arrays, and their tree; `names` is what messages call them."""
    leaves, treedef = tree.flatten(value)
    for k, x in enumerate(leaves):
        if type(x) is float:
            leaves[k] = np.float64(x)
        elif type(x) is not np.ndarray or x.dtype.kind not in "fc" or not x.dtype.isnative:
            check_array(origin, lambda k=k: names()[k], x)
            leaves[k] = as_array(x)
    return leaves, treedef


def leaf_names(f: Callable[..., Any], args: Sequence[Any], positions: Sequence[int] | None = None) -> list[str]:
    """How messages call each leaf of the arguments (of those at `positions`): `x`, `params[0]['w']`, ..."""
    return [
        parameter_name(f, k) + tree.keystr(path)
        for k in (range(len(args)) if positions is None else positions)
        for path, _ in tree.leaves_with_path(args[k])
    ]


def all_leaf_names(
    f: Callable[..., Any], args: Sequence[Any], kwargs: dict[str, Any], positions: Sequence[int] | None = None
) -> list[str]:
    """The same, keyword arguments (sorted by name) last."""
    keywords = [name + tree.keystr(path) for name in sorted(kwargs) for path, _ in tree.leaves_with_path(kwargs[name])]
    return leaf_names(f, args, positions) + keywords


def matching_leaves(origin: str, what: str, structure: Any, given: Any, wanted: str) -> list[Any]:
    """The leaves of a tree that must have a given structure."""
    leaves, found = tree.flatten(given)
    if found != structure:
        raise TypeError(
            f"{origin}: {what} must have the structure of {wanted}, {structure}; given was the structure {found}"
        )
    return leaves


def check_tangent(origin: str, f: Any, args: Any, k: int, x: Any, tangent: Any) -> Any:
    """A tangent that fits the primal `x`; a Python number becomes one of its dtype, float0 a symbolic zero."""
    if is_zero(tangent):
        return tangent
    try:
        return fit(x, tangent)
    except TypeError as error:
        name = leaf_names(f, args)[k]
        raise TypeError(f"{origin}: the tangent of {name} does not match: {error}") from None


def check_cotangents(origin: str, structure: Any, avals: Sequence[Aval], cotangent: Any) -> list[Any]:
    """The leaves of a cotangent that fits the result; a Python number becomes one of its dtype."""
    bars = matching_leaves(origin, "the cotangent", structure, cotangent, "the result")
    for k, (aval, bar) in enumerate(zip(avals, bars, strict=True)):
        try:
            bars[k] = fit(aval, bar)
        except TypeError as error:
            path, _ = tree.leaves_with_path(cotangent)[k]
            where = f" at {tree.keystr(path)}" if path else ""
            raise TypeError(f"{origin}: the cotangent does not match the result{where}: {error}") from None
    return bars


def fit(primal: Any, given: Any) -> Any:
    """`given` as a tangent or cotangent of a value with the shape and dtype of `primal`."""
    given = as_array(given) if isinstance(given, np.ndarray) else given
    aval, wanted = aval_of(given), aval_of(primal).tangent()
    number = aval.weak in (int, float) or (aval.weak is complex and wanted.dtype.kind == "c")
    if number and wanted.shape == () and is_inexact(wanted.dtype):
        return convert(given, dtype=wanted.dtype) if is_traced(given) else wanted.dtype.type(given)
    if aval.shape != wanted.shape or aval.dtype != wanted.dtype:
        raise TypeError(f"{aval} was given, wanted {wanted} for a value of {aval_of(primal)}")
    return Zero(wanted) if wanted.dtype == float0 else given
