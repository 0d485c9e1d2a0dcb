"""What functions and rules take, by their signatures: mistakes are found where a rule is given."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from xform.core.errors import describe

POSITIONAL = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)


def title_of(f: Callable[..., Any]) -> str:
    """How messages call a function: by name and line, those of the function inside a partial application."""
    while isinstance(f, functools.partial):
        f = f.func
    return describe(f)


def signature_of(f: Callable[..., Any]) -> inspect.Signature | None:
    """None for functions that do not tell, as many written in C; of a ufunc only the operands count."""
    if isinstance(f, np.ufunc):
        kind = inspect.Parameter.POSITIONAL_ONLY
        return inspect.Signature([inspect.Parameter(f"x{k + 1}", kind) for k in range(f.nin)])
    try:
        return inspect.signature(f)
    except (TypeError, ValueError):
        return None


def positional_names(signature: inspect.Signature | None) -> list[str]:
    return [p.name for p in signature.parameters.values() if p.kind in POSITIONAL] if signature else []


def fixed_count(signature: inspect.Signature | None) -> int | None:
    """The number of positional arguments, defaults included; None if it is open."""
    if signature is None or any(p.kind is p.VAR_POSITIONAL for p in signature.parameters.values()):
        return None
    return len(positional_names(signature))


def check_signature(what: str, rule: Callable[..., Any], owner: str, wanted: Sequence[str]) -> None:
    """TypeError unless the rule can be called with these arguments by position."""
    if not callable(rule):
        raise TypeError(f"the {what} of {owner} must be a function, not {type(rule).__name__} {rule!r:.40}")
    signature = signature_of(rule)
    if signature is None:
        return
    try:
        signature.bind(*wanted)
    except TypeError:
        raise TypeError(
            f"{title_of(rule)}, the {what} of {owner}, takes {signature}; wanted is a function of "
            f"{len(wanted)} arguments by position: {', '.join(wanted)}"
        ) from None


def nondiff_positions(
    owner: str, signature: inspect.Signature | None, argnums: int | Sequence[int], argnames: str | Sequence[str]
) -> tuple[int, ...]:
    """The positions of the non-differentiable arguments, given by number or name."""
    numbers = (argnums,) if isinstance(argnums, int) else tuple(argnums)
    names = (argnames,) if isinstance(argnames, str) else tuple(argnames)
    known, count = positional_names(signature), fixed_count(signature)
    for k in numbers:
        if not isinstance(k, int) or isinstance(k, bool):
            raise TypeError(f"{owner}: nondiff_argnums must hold integers, not {k!r}")
        if count is not None and not -count <= k < count:
            raise ValueError(
                f"{owner}: nondiff_argnums has {k}, but the function takes {count} arguments ({', '.join(known)})"
            )
    for name in names:
        if name not in known:
            raise ValueError(
                f"{owner}: nondiff_argnames has {name!r}, which is none of the arguments ({', '.join(known)})"
            )
    positions = [k % count if count else k for k in numbers] + [known.index(name) for name in names]
    return tuple(dict.fromkeys(positions))
