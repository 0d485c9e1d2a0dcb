"""The arguments of a jitted function: which are static, what kind of arrays the others are.

A program is good for arguments of one kind: their structure, the shape and dtype of each array, the values of the
static arguments. The kinds are the keys under which programs are kept.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Hashable, Sequence
from typing import Any, NamedTuple

import numpy as np

from xform.core import tree
from xform.core.aval import Aval, aval_of
from xform.core.static import Static
from xform.core.trace import Tracer
from xform.transforms.arguments import all_leaf_names, as_array

#: of an array its dtype and shape, of a Python number its type
Kind = tuple[np.dtype, tuple[int, ...]] | type

NUMBERS = {bool: np.dtype(bool), int: np.dtype(np.int64), float: np.dtype(np.float64), complex: np.dtype(complex)}


class Call(NamedTuple):
    """A call taken apart: arrays and their structure, and the static arguments, by position or name."""

    leaves: list[Any]
    in_tree: Any
    kinds: tuple[Kind, ...]
    static: tuple[tuple[int | str, Any], ...]
    key: tuple[Any, ...]

    @property
    def avals(self) -> list[Aval]:
        return [aval_of_kind(k) for k in self.kinds]


class Signature:
    """The arguments that a function takes: those that are static and those that are donated, by position and name."""

    def __init__(self, f: Callable[..., Any], origin: str, argnums: Any, argnames: Any, donated: Any) -> None:
        self.f, self.origin = f, origin
        given = Static(origin, () if argnums is None else argnums, () if argnames is None else argnames)
        names, bounded = positional_names(f)
        self.positions = self.normalized("static_argnums", given.positions, names, bounded)
        self.positions |= {names.index(name) for name in given.names if name in names}
        self.names = {*given.names, *(names[k] for k in self.positions if 0 <= k < len(names))}
        self.check_names(given.names)
        self.donated = self.normalized("donate_argnums", self.integers(donated), names, bounded)
        if both := sorted(self.positions & self.donated):
            raise ValueError(f"{origin}: argument {both[0]} is both static and donated; only arrays can be donated")

    def integers(self, donated: Any) -> tuple[int, ...]:
        try:
            return Static(self.origin, () if donated is None else donated).positions
        except TypeError as error:
            raise TypeError(str(error).replace("static_argnums", "donate_argnums")) from None

    def normalized(self, what: str, positions: Sequence[int], names: Sequence[str], bounded: bool) -> set[int]:
        """Positions counted from the start, where the signature says how many there are."""
        for k in positions:
            if bounded and not -len(names) <= k < len(names):
                raise ValueError(f"{self.origin}: {what} has {k}, but the function takes {len(names)} by position")
        return {k % len(names) if bounded else k for k in positions}

    def check_names(self, names: Sequence[str]) -> None:
        try:
            parameters = inspect.signature(self.f).parameters
        except (TypeError, ValueError):
            return
        if any(p.kind is p.VAR_KEYWORD for p in parameters.values()):
            return
        for name in names:
            if name not in parameters:
                raise ValueError(
                    f"{self.origin}: static_argnames has {name!r}, but the function has the parameters "
                    f"{', '.join(parameters) or '(none)'}"
                )

    def among(self, positions: set[int], count: int) -> set[int]:
        """Those of so many positional arguments; a default stands for one that is not given."""
        return {k % count if k < 0 else k for k in positions if -count <= k < count}

    def divide(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Call:
        static: tuple[tuple[int | str, Any], ...] = ()
        if self.names or self.positions:
            fixed = self.among(self.positions, len(args))
            named = sorted(name for name in kwargs if name in self.names)
            static = (*((k, args[k]) for k in sorted(fixed)), *((name, kwargs[name]) for name in named))
            args = tuple(x for k, x in enumerate(args) if k not in fixed)
            kwargs = {name: x for name, x in kwargs.items() if name not in self.names}
        return self.arrays(args, kwargs, static)

    def arrays(self, args: tuple[Any, ...], kwargs: dict[str, Any], static: Any) -> Call:
        """The call with these arguments beside the static ones."""
        leaves, in_tree = tree.flatten((args, kwargs))
        kinds: list[Any] = []
        for k, x in enumerate(leaves):
            if type(x) in NUMBERS:
                kinds.append(type(x))
            elif type(x) is np.ndarray and x.dtype.isnative and x.dtype.kind in "fciub":
                kinds.append((x.dtype, x.shape))
            else:
                leaves[k], kind = self.regular(x, k, (args, kwargs), static)
                kinds.append(kind)
        return Call(leaves, in_tree, tuple(kinds), static, (in_tree, tuple(kinds), self.static_key(static)))

    def regular(self, x: Any, k: int, call: Any, static: Any) -> tuple[Any, Kind]:
        """An array or number of another sort, as one that the key knows, and its kind."""
        if isinstance(x, bool | int | float | complex) and not isinstance(x, np.generic):  # an IntEnum, say
            number = next(t for t in NUMBERS if isinstance(x, t))
            return number(x), number
        try:
            aval = aval_of(x)
        except TypeError as error:
            raise TypeError(
                f"{self.origin}: for {self.leaf_names(call, static)[k]}, {given(error)}. What is no array the function "
                "can take as a static argument (static_argnums, static_argnames), if it is hashable"
            ) from None
        return as_array(x), aval.weak or (aval.dtype.newbyteorder("="), aval.shape)

    def leaf_names(self, call: Any, static: Any) -> list[str]:
        """How messages call the arrays: `x`, `params[0]['w']`, ..."""
        args, kwargs = call
        fixed = {k for k, _ in static if isinstance(k, int)}
        positions = [k for k in range(len(args) + len(fixed)) if k not in fixed]
        rest = iter(args)
        whole = [next(rest) if k in positions else None for k in range(len(args) + len(fixed))]
        return all_leaf_names(self.f, whole, kwargs, positions)

    def static_key(self, static: Sequence[tuple[int | str, Any]]) -> Hashable:
        """Static arguments are told apart by type, hash and equality, floats also by the sign of zero."""
        parts = []
        for where, x in static:
            try:
                hash(x)
            except TypeError:
                raise TypeError(self.unhashable(where, x)) from None
            parts.append((where, type(x), repr(x) if type(x) in (float, complex) else x))
        return tuple(parts)

    def unhashable(self, where: int | str, x: Any) -> str:
        name = self.name_of(where)
        if isinstance(x, np.ndarray | Tracer):
            what, remedy = f"an array ({aval_of(x)})", "pass arrays as arguments that are not static"
        else:
            what, remedy = f"{type(x).__name__} {x!r:.60}", "pass something hashable, such as a tuple instead of a list"
        return (
            f"{self.origin}: the static argument {name} is {what}, which cannot be hashed; programs are kept by the "
            f"hash and equality of static arguments, so {remedy}"
        )

    def name_of(self, where: int | str) -> str:
        """How messages call an argument that is given at a position or by name."""
        names, _ = positional_names(self.f)
        return where if isinstance(where, str) else names[where] if where < len(names) else f"argument {where}"

    def donated_leaves(self, call: Call, args: tuple[Any, ...]) -> tuple[bool, ...]:
        """Which arrays may be overwritten."""
        if not self.donated:
            return ()
        fixed, donated = self.among(self.positions, len(args)), self.among(self.donated, len(args))
        mask = [k in donated for k, x in enumerate(args) if k not in fixed for _ in tree.leaves(x)]
        return (*mask, *(False for _ in range(len(call.leaves) - len(mask))))


def given(error: TypeError) -> str:
    """What is wrong with an argument, without the advice that is for derivatives."""
    return str(error).split(". ")[0]


def aval_of_kind(kind: Kind) -> Aval:
    return Aval((), NUMBERS[kind], kind) if isinstance(kind, type) else Aval(kind[1], kind[0])


def positional_names(f: Callable[..., Any]) -> tuple[list[str], bool]:
    """The names of the parameters that may be given by position, and are these all of them?"""
    try:
        parameters = list(inspect.signature(f).parameters.values())
    except (TypeError, ValueError):
        return [], False
    names = [p.name for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    return names, not any(p.kind is p.VAR_POSITIONAL for p in parameters)
