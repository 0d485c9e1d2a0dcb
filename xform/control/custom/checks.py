"""What rules return, checked and made flat: each mistake is named by rule, function, argument and place.

`who` is what messages call the rule: its name and line, what kind it is, and of which function.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from xform.core import tree
from xform.core.aval import Aval, aval_of, shape_of
from xform.core.primitive import Zero, is_zero
from xform.transforms.arguments import fit
from xform.transforms.flat import memory


def pair_of(who: str, pair: Any, wanted: str) -> tuple[Any, Any]:
    """The two parts of what must be a pair."""
    if not isinstance(pair, tuple | list) or len(pair) != 2:
        size = f" of length {len(pair)}" if isinstance(pair, tuple | list) else ""
        raise TypeError(f"{who} returned a {type(pair).__name__}{size}; wanted a pair {wanted}")
    return pair[0], pair[1]


def check_value(who: str, structure: Any, ys: Sequence[Any], wanted: Any, avals: Sequence[Aval]) -> None:
    """The value that a rule gives is like the function's own."""
    if structure != wanted:
        raise TypeError(f"{who} gave a value of the structure {structure}; the function itself gives {wanted}")
    paths = tree.leaves_with_path(tree.unflatten(structure, list(range(len(ys)))))
    for (path, _), y, aval in zip(paths, ys, avals, strict=True):
        if aval_of(y) != aval and aval.weak is None:
            place = tree.keystr(path)
            raise TypeError(
                f"{who} gave the value{place and f' at {place}'} as {aval_of(y)}; the function itself gives {aval}"
            )


def tangents_of(who: str, structure: Any, ys: Sequence[Any], tangent: Any) -> list[Any]:
    """The leaves of a tangent that fits a value; None stands for zero."""
    if tangent is None:
        return [Zero.like(y) for y in ys]
    try:
        dots = tree.flatten_up_to(structure, tangent, "the value", "the tangent")
    except ValueError as error:
        raise TypeError(f"{who} returned a tangent that has not the structure of the value: {error}") from None
    for k, (y, t) in enumerate(zip(ys, dots, strict=True)):
        try:
            dots[k] = Zero.like(y) if t is None else fitting_zero(y, t) if is_zero(t) else fit(y, t)
        except TypeError as error:
            place = tree.keystr(tree.leaves_with_path(tree.unflatten(structure, ys))[k][0])
            raise TypeError(f"{who} returned a tangent{place and f' at {place}'} unlike the value: {error}") from None
    return dots


def fitting_zero(y: Any, zero: Zero) -> Zero:
    wanted = aval_of(y).tangent()
    if zero.aval != wanted:
        raise TypeError(f"a symbolic zero of {zero.aval} was given, wanted {wanted}")
    return zero


def cotangents_of(
    who: str, names: Sequence[str], structures: Sequence[Any], avals: Sequence[Aval], found: Any
) -> list[Any]:
    """One cotangent, or None for zero, per leaf of the arguments."""
    if not isinstance(found, tuple | list) or len(found) != len(names):
        what = f"{len(found)} cotangents" if isinstance(found, tuple | list) else f"a {type(found).__name__}"
        hint = "(x_bar,) is a tuple of one" if len(names) == 1 else "None is zero"
        raise TypeError(
            f"{who} returned {what}; wanted a tuple with a cotangent for each of the {len(names)} arguments "
            f"({', '.join(names)}); {hint}"
        )
    bars: list[Any] = []
    for name, structure, bar in zip(names, structures, found, strict=True):
        try:
            leaves = [None] * structure.num_leaves
            if bar is not None:
                leaves = tree.flatten_up_to(structure, bar, "the argument", "its cotangent")
        except ValueError as error:
            raise TypeError(f"{who} returned a cotangent of {name} that has not its structure: {error}") from None
        for j, leaf in enumerate(leaves):
            try:
                bars.append(cotangent_of(avals[len(bars)], leaf))
            except TypeError as error:
                places = tree.leaves_with_path(tree.unflatten(structure, [0] * structure.num_leaves))
                raise TypeError(
                    f"{who} returned a wrong cotangent of {name}{tree.keystr(places[j][0])}: {error}; "
                    "it has the shape and dtype of the argument, summed over axes along which that was broadcast"
                ) from None
    return bars


def cotangent_of(aval: Aval, bar: Any) -> Any:
    if bar is None or is_zero(bar):
        return None
    fitted = fit(aval, bar)
    return None if is_zero(fitted) else fitted


def batched_of(who: str, size: int, out: Any, ys: Sequence[Any], batched: Any) -> list[bool]:
    """Which results have the batch in front."""
    try:
        flags = tree.broadcast_prefix(batched, out, name="the booleans", full_name="the value")
    except ValueError as error:
        raise TypeError(f"{who} returned booleans that do not fit its value: {error}") from None
    for (path, _), y, b in zip(tree.leaves_with_path(out), ys, flags, strict=True):
        if not isinstance(b, bool):
            raise TypeError(f"{who} must say with True or False whether a result is batched, not with {b!r:.40}")
        if b and shape_of(y)[:1] != (size,):
            place = tree.keystr(path)
            raise ValueError(
                f"{who} says that its result{place and f' at {place}'}, {aval_of(y)}, is batched; wanted {size} "
                "examples along its first axis"
            )
    return flags


def derivatives_of(who: str, structure: Any, ys: Sequence[Any], terms: Any, order: int) -> list[list[Any]]:
    """Of each result its derivatives of orders 1, 2, ..."""
    try:
        rows = tree.flatten_up_to(structure, terms, "the value", "its derivatives")
    except ValueError as error:
        raise TypeError(f"{who} must return a list of derivatives in the place of each result: {error}") from None
    for row in rows:
        if not isinstance(row, tuple | list) or len(row) != order:
            given = f"{len(row)}" if isinstance(row, tuple | list) else f"a {type(row).__name__}"
            raise TypeError(f"{who} was asked for a list of {order} derivatives of each result; it returned {given}")
    try:
        return [[Zero.like(y) if t is None else fit(y, t) for t in row] for y, row in zip(ys, rows, strict=True)]
    except TypeError as error:
        raise TypeError(f"{who} returned a derivative unlike the value: {error}") from None


def unshared(x_bars: list[Any], residuals: Sequence[Any]) -> list[Any]:
    """Cotangents that are not the memory of residuals, which are needed again."""
    held = {id(memory(r)) for r in residuals if isinstance(r, np.ndarray)}
    return [x.copy() if isinstance(x, np.ndarray) and id(memory(x)) in held else x for x in x_bars] if held else x_bars


def is_array(x: Any) -> bool:
    """Is it an array, a number, or a traced value?"""
    try:
        aval_of(x)
    except TypeError:
        return False
    return True
