"""Arguments taken apart and results put together by straight-line code, written for one structure.

    taker     (args, kwargs) of a call -> the tuple of its arrays, or None if it is of another structure
    packer    sequence of results -> the tree of them

For f(params, n=3) with params = {"b": ..., "w": ...} and n static, this is

    def take(args, kwargs):
        if len(args) != 1 or len(kwargs) != 1: return None
        s0 = kwargs['n']
        if type(s0) is not int or s0 != 3: return None
        c0 = args[0]
        if type(c0) is not dict or len(c0) != 2: return None
        return (c0['b'], c0['w'],)

which takes a tenth of the time of flattening and looking a key up. It says nothing of the arrays: the executable that
they are given to compares their shapes and dtypes with its own.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from types import NoneType
from typing import Any

from xform.core.tree_def import TreeDef
from xform.core.tree_kinds import KINDS

Take = Callable[[tuple[Any, ...], dict[str, Any]], tuple[Any, ...] | None]

#: containers whose children are found by the text of an index
_OPEN = (tuple, list, dict, NoneType)
#: static arguments of which equality says all, together with the type
_ATOMS = (int, bool, str, bytes, NoneType)
#: nodes of a structure beyond which no code is written for it
MOST = 2000


def taker(in_tree: TreeDef, static: Sequence[tuple[int | str, Any]]) -> Take | None:
    """Of calls with this structure of (args, kwargs) and these static arguments; None if it would need more than that.

    That is for containers of the user's own, keys that are no strings, static arguments that are compared by methods.
    """
    if in_tree.num_nodes > MOST or not all(is_plain(x) for _, x in static):
        return None
    positional, named = (x.nodes[0][2] for x in in_tree.children())  # type: ignore[index]
    fixed = {k for k, _ in static if isinstance(k, int)}
    count = positional + len(fixed)
    names = [f"args[{k}]" for k in range(count) if k not in fixed]
    lines = [f"if len(args) != {count} or len(kwargs) != {named + len(static) - len(fixed)}: return None"]
    space: dict[str, Any] = {"NoneType": NoneType}
    for k, (where, x) in enumerate(static):
        space[f"S{k}"], kind = x, type(x).__name__
        lines.append(f"s{k} = {'args' if isinstance(where, int) else 'kwargs'}[{where!r}]")
        lines.append(f"if type(s{k}) is not {kind} or s{k} != S{k}: return None")
    leaves = opened(in_tree, names, lines)
    if leaves is None:
        return None
    lines.append(f"return ({''.join(f'{x}, ' for x in leaves)})")
    return function("take(args, kwargs)", ["try:", *(f"  {x}" for x in lines), "except KeyError: return None"], space)


def is_plain(x: Any) -> bool:
    return type(x) in _ATOMS or (type(x) is tuple and all(type(y) in _ATOMS for y in x))


def opened(in_tree: TreeDef, names: Sequence[str], lines: list[str]) -> list[str] | None:
    """Where the leaves are, given where the positional arguments are; the lines open and check what they lie in."""
    leaves: list[str] = []
    todo = ["kwargs", *reversed(names)]
    for k, node in enumerate(in_tree.nodes[2:]):  # behind the pair and its first half
        place = todo.pop()
        if node is None:
            leaves.append(place)
            continue
        cls, data, size = node
        if cls not in _OPEN or (cls is dict and not all(type(key) is str for key in data)):
            return None
        if place != "kwargs":
            wrong = f"len(c{k}) != {size}" if cls is not NoneType else f"c{k} is not None"
            lines += [f"c{k} = {place}", f"if type(c{k}) is not {cls.__name__} or {wrong}: return None"]
            place = f"c{k}"
        todo += [f"{place}[{key!r}]" for key in reversed(data if cls is dict else range(size))]
    return leaves


def packer(out_tree: TreeDef) -> Callable[[Sequence[Any]], Any]:
    """Of trees with this structure, from exactly their leaves."""
    if out_tree.num_nodes > MOST:
        return out_tree.unflatten
    lines: list[str] = []
    space: dict[str, Any] = {}
    built: list[str] = []
    leaf = out_tree.num_leaves
    for k, node in enumerate(reversed(out_tree.nodes)):
        if node is None:
            leaf -= 1
            built.append(f"y[{leaf}]")
            continue
        cls, data, size = node
        children = [built.pop() for _ in range(size)]
        lines.append(f"n{k} = {container(cls, data, children, k, space)}")
        built.append(f"n{k}")
    return function("pack(y)", [*lines, f"return {built[0]}"], space)


def container(cls: type, data: Any, children: Sequence[str], k: int, space: dict[str, Any]) -> str:
    """The text of a container of these children."""
    if cls is tuple:
        return f"({''.join(f'{x}, ' for x in children)})"
    if cls is dict and all(type(key) is str for key in data):
        return f"{{{', '.join(f'{key!r}: {x}' for key, x in zip(data, children, strict=True))}}}"
    row = f"[{', '.join(children)}]"
    if cls is list:
        return row
    space[f"U{k}"], space[f"D{k}"] = KINDS[cls].unflatten, data
    return f"U{k}(D{k}, {row})"


def function(head: str, lines: Sequence[str], space: dict[str, Any]) -> Any:
    source = "\n".join([f"def {head}:", *(f"  {x}" for x in lines)])
    exec(compile(source, "<structure>", "exec"), space)
    return space[head.split("(")[0]]
