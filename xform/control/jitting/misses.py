"""Why a function is traced anew: how a call differs from the nearest one whose program is kept."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import zip_longest
from typing import Any

from xform.control.jitting.arguments import Call, Signature, aval_of_kind
from xform.control.jitting.cache import Cache
from xform.core import tree
from xform.core.errors import short_name, user_frame


class Explaining(threading.local):
    """Per thread: are misses explained?"""

    on = False


explaining = Explaining()


@contextmanager
def explain_cache_misses() -> Iterator[None]:
    """Within it, in this thread, each call of a jitted function that traces it says so: where, and why.

    Printed is which argument differs from the nearest call whose program is kept, in shape, dtype, structure or, if it
    is static, value.

    >>> import numpy as np, xform
    >>> @xform.jit
    ... def f(x):
    ...     return 2.0 * x
    >>> _ = f(np.ones(3))
    >>> with xform.explain_cache_misses():
    ...     _ = f(np.ones(4))
    jit of `f` (...) is traced anew for the call at ...:
      x: f64[4] was given, the nearest call had f64[3]
    """
    before, explaining.on = explaining.on, True
    try:
        yield
    finally:
        explaining.on = before


def explain(signature: Signature, cache: Cache, call: Call, around: Any) -> None:
    """Print why there is no program for a call."""
    frame = user_frame()
    where = f" for the call at {short_name(frame[0])}:{frame[1]} in {frame[2]}" if frame else ""
    reasons = [differences(signature, call, around, *key) for key in list(cache.entries)]
    if not reasons:
        print(f"{signature.origin} is traced{where}: no program of it is kept")
        return
    print("\n  ".join([f"{signature.origin} is traced anew{where}:", *min(reasons, key=len)]))


def differences(signature: Signature, call: Call, around: Any, key: Any, other_around: Any) -> list[str]:
    """How a call differs from the one with this key, a line for each difference."""
    in_tree, kinds, static = key
    own_static = call.key[2]
    lines = []
    if in_tree != call.in_tree:
        lines.append(f"the structure {shown(call.in_tree)} was given, the nearest call had {shown(in_tree)}")
        lines.append("")  # a difference in structure is a large one
    else:
        names = signature.leaf_names(tree.unflatten(call.in_tree, call.leaves), call.static)
        lines += [
            f"{name}: {described(k)} was given, the nearest call had {described(other)}"
            for name, k, other in zip(names, call.kinds, kinds, strict=True)
            if k != other
        ]
    for mine, other in zip_longest(own_static, static):
        if mine != other:
            name = signature.name_of((mine or other)[0])
            lines.append(f"static {name}: {value(mine)} was given, the nearest call had {value(other)}")
    if around != other_around:
        lines.append("the function closes over other traced values, or the named axes around the call are others")
    return [line for line in lines if line]


def shown(in_tree: Any) -> str:
    """The structure of positional and named arguments."""
    positional, named = (str(part).removeprefix("PyTreeDef(")[:-1] for part in in_tree.children())
    return positional if named == "{}" else f"{positional} and {named}"


def described(kind: Any) -> str:
    return f"a Python {kind.__name__}" if isinstance(kind, type) else f"{aval_of_kind(kind)}"


def value(part: Any) -> str:
    return "nothing" if part is None else f"{part[2]!r:.60}"
