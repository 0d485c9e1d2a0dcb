"""A partial application as a container: what it binds are its children, its function is part of the structure."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from xform.core.tree_kinds import GetAttrKey, Kind, register


class Partial(functools.partial):
    """`functools.partial` whose bound arguments are leaves, so that transformations see them.

    The function must be hashable. A `Partial` of a `Partial` merges the two, and all bound arguments are leaves. A
    `functools.partial` given as the function stays whole: what it binds is hidden, part of the function.

    >>> from xform import tree
    >>> scale = Partial(lambda a, x: a * x, 3.0)
    >>> scale(2.0), tree.map(lambda a: 10 * a, scale)(2.0)
    (6.0, 60.0)
    """

    __slots__ = ()

    def __new__(cls, func: Callable[..., Any], /, *args: Any, **kw: Any) -> Partial:
        """Bind arguments; functools merges a partial of a partial unless the inner one is wrapped or has attributes."""
        if isinstance(func, Partial):
            func = functools.partial(func.func, *func.args, **func.keywords)
        elif isinstance(func, functools.partial):
            func = _Whole(func)
        return super().__new__(cls, func, *args, **kw)


class _Whole:
    """A `functools.partial` that is not merged into another one; equal where the wrapped one is the same object."""

    __slots__ = ("func",)

    def __init__(self, func: Callable[..., Any]) -> None:
        self.func = func

    def __call__(self, *args: Any, **kw: Any) -> Any:
        return self.func(*args, **kw)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Whole) and self.func == other.func

    def __hash__(self) -> int:
        return hash(self.func)

    def __repr__(self) -> str:
        return repr(self.func)


register(
    Partial,
    Kind(
        flatten=lambda p: ((p.args, p.keywords), p.func),
        unflatten=lambda func, children: Partial(func, *children[0], **children[1]),
        keys=lambda p: (GetAttrKey("args"), GetAttrKey("keywords")),
    ),
)
