"""Arguments that a staged function does not take as arrays, but as they are: functions, strings, sizes."""

from __future__ import annotations

import functools
import operator
from collections.abc import Callable, Sequence
from typing import Any


class Static:
    """The positions and names of such arguments.

    TypeError for what is no position or name; a position beyond the arguments of a call is a ValueError at that call.
    """

    __slots__ = ("names", "origin", "positions")

    def __init__(self, origin: str, argnums: int | Sequence[int], argnames: str | Sequence[str] = ()) -> None:
        self.origin = origin
        try:
            given = (argnums,) if isinstance(argnums, int) else argnums
            self.positions = tuple(operator.index(k) for k in given)
        except TypeError:
            raise TypeError(f"{origin}: static_argnums is {argnums!r:.60}; wanted positions, integers") from None
        self.names = (argnames,) if isinstance(argnames, str) else tuple(argnames)
        if not all(isinstance(name, str) for name in self.names):
            raise TypeError(f"{origin}: static_argnames is {argnames!r:.60}; wanted names, strings")

    def among(self, count: int) -> set[int]:
        """The static ones of so many positional arguments."""
        for k in self.positions:
            if not -count <= k < count:
                raise ValueError(
                    f"{self.origin}: static_argnums has {k}, but the call has {count} positional arguments; "
                    "give static_argnames for arguments that are given by name"
                )
        return {k % count for k in self.positions}

    def divide(
        self, f: Callable[..., Any], args: Sequence[Any], kwargs: dict[str, Any]
    ) -> tuple[tuple[list[Any], dict[str, Any]], Callable[[Any, Any], Any]]:
        """The other arguments, positional and by name, and `f` as a function of these two."""
        static = self.among(len(args))
        fixed = {name: x for name, x in kwargs.items() if name in self.names}

        @functools.wraps(f)
        def rest(positional: Sequence[Any], keywords: dict[str, Any]) -> Any:
            moving = iter(positional)
            return f(*(x if k in static else next(moving) for k, x in enumerate(args)), **keywords, **fixed)

        dynamic = [x for k, x in enumerate(args) if k not in static]
        return (dynamic, {name: x for name, x in kwargs.items() if name not in fixed}), rest
