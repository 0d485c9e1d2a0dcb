"""Walks that know where they are: the key paths of leaves, and the place where a tree leaves a structure."""

from __future__ import annotations

import reprlib
from collections import OrderedDict, defaultdict
from collections.abc import Callable, Iterator
from typing import Any

from xform.core.tree_kinds import KINDS, KeyEntry, KeyPath, is_namedtuple, keystr, same_data

# A node in the preorder of a tree: a container is (type, metadata, number of children), a leaf is None.
Node = tuple[type, Any, int] | None


def open_node(x: Any) -> tuple[Node, list[tuple[KeyEntry, Any]]]:
    """A container as a node, and its children with their keys."""
    cls = type(x)
    kind = KINDS[cls]
    if kind is None:
        return None, []
    children, data = kind.flatten(x)
    keys = kind.keys(x)
    if len(keys) != len(children):
        raise ValueError(f"{cls.__qualname__} flattens to {len(children)} children, but with keys to {len(keys)}.")
    return (cls, data, len(children)), list(zip(keys, children, strict=True))


def walk(
    tree: Any, is_leaf: Callable[..., bool] | None = None, is_leaf_takes_path: bool = False
) -> Iterator[tuple[list[Any], Any, Node]]:
    """All nodes in preorder: where, the value, the node. Raises ValueError if a container lies inside itself.

    The place is a list that goes on changing, whose entries after the first are the key path; so the walk takes time
    linear in the number of nodes, however deep they lie.
    """
    path: list[Any] = []
    above: list[int] = []  # ids of the containers on the path, and the same as a set
    on_path: set[int] = set()
    stack: list[Iterator[tuple[Any, Any]]] = []
    todo: Iterator[tuple[Any, Any]] = iter([(None, tree)])
    while True:
        for key, x in todo:
            path.append(key)
            leaf = KINDS[type(x)] is None or (
                is_leaf is not None and (is_leaf(tuple(path[1:]), x) if is_leaf_takes_path else is_leaf(x))
            )
            node, children = (None, []) if leaf else open_node(x)
            yield path, x, node
            if not children:
                path.pop()
                continue
            if id(x) in on_path:
                raise ValueError(f"the {type(x).__qualname__} at {_at(tuple(path[1:]))} of the tree contains itself.")
            above.append(id(x))
            on_path.add(id(x))
            stack.append(todo)
            todo = iter(children)
            break
        else:
            if not stack:
                return
            todo = stack.pop()
            on_path.discard(above.pop())
            path.pop()


def check_acyclic(tree: Any, is_leaf: Callable[[Any], bool] | None = None) -> None:
    """Raise ValueError, with the path, if a container lies inside itself: flatten would never end."""
    above: list[int] = []  # ids of the containers above, and the same as a set
    on_path: set[int] = set()
    stack: list[Iterator[Any]] = []
    todo = iter((tree,))
    while True:
        for x in todo:
            kind = KINDS[type(x)]
            children = () if kind is None or (is_leaf is not None and is_leaf(x)) else kind.flatten(x)[0]
            if not children:
                continue
            if id(x) in on_path:
                list(walk(tree, is_leaf))  # finds it again, and names the path
            above.append(id(x))
            on_path.add(id(x))
            stack.append(todo)
            todo = iter(children)
            break
        else:
            if not stack:
                return
            todo = stack.pop()
            on_path.discard(above.pop())


def mismatch(nodes: tuple[Node, ...], tree: Any) -> tuple[KeyPath, Node, Node, Any] | None:
    """Where `tree` first leaves the structure: path, the node wanted there, the node found, the value found."""
    stack: list[tuple[Any, Any]] = [((), tree)]  # a path is a linked list, (path of the parent, key)
    for node in nodes:
        link, x = stack.pop()
        if node is None:
            continue
        found, children = open_node(x)
        if found is None or found[0] is not node[0] or found[2] != node[2] or not same_data(node[0], node[1], found[1]):
            return _unlink(link), node, found, x
        stack.extend([((link, key), child) for key, child in reversed(children)])
    return None


def _unlink(link: Any) -> KeyPath:
    keys = []
    while link:
        link, key = link
        keys.append(key)
    return tuple(reversed(keys))


def mismatch_error(
    nodes: tuple[Node, ...], tree: Any, name: str, full_name: str, structure: str, full_structure: str
) -> ValueError:
    """The error that says where the structure `nodes`, called `name`, is not a prefix of `tree`, called `full_name`."""
    at = mismatch(nodes, tree)
    if at is None:  # a container changed between two looks at it, or its metadata is not equal to itself
        where, hint = "the containers do not compare equal to themselves.", ""
    else:
        path, node, found, x = at
        where = f"at {_at(path)} there is {_describe(node)} in {name} but {_describe(found, x)} in {full_name}."
        hint = _hint(node, found)
    return ValueError(
        f"{name} is not a prefix of {full_name}: {where}{hint}\n"
        f"  {name}: {_shorten(structure)}\n  {full_name}: {_shorten(full_structure)}\n"
        f"The two need the same containers from the root down to the leaves of {name}."
    )


def difference(
    first_nodes: tuple[Node, ...], first: Any, second_nodes: tuple[Node, ...], second: Any
) -> tuple[str, str, str]:
    """Where two trees first differ in structure: the place, what the one has there, and what the other has."""
    at = mismatch(first_nodes, second)
    if at is not None:
        return _place(at[0]), _container(at[1]), _container(at[2])
    at = mismatch(second_nodes, first)  # a leaf of the first tree is a container in the second
    if at is not None:
        return _place(at[0]), _container(at[2]), _container(at[1])
    return "the root", "one container", "another"  # whose metadata is not equal to itself


def _place(path: KeyPath) -> str:
    return f"`{_shorten(keystr(path))}`" if path else "the root"


def _container(node: Node) -> str:
    return "an array" if node is None else _describe(node)


def _at(path: KeyPath) -> str:
    return _shorten(keystr(path)) if path else "the root"


def _describe(node: Node, x: Any = None) -> str:
    if node is None:
        return f"a leaf of type {type(x).__qualname__}"
    cls, data, size = node
    if cls is type(None):
        return "None"
    builtin = cls.__module__ in ("builtins", "collections")
    name = cls.__qualname__ if builtin else f"{cls.__module__}.{cls.__qualname__}"
    name = f"an {name}" if name[0] in "AEIOUaeiou" else f"a {name}"
    if cls in (dict, OrderedDict, defaultdict):
        keys = data[1] if cls is defaultdict else data
        return f"{name} with keys [{_shorten(', '.join([repr(k) for k in keys]))}]"
    if cls in (list, tuple) or is_namedtuple(cls):
        return f"{name} of length {size}"
    return f"{name} with metadata {reprlib.repr(data)} and {size} children"


def _hint(node: Node, found: Node) -> str:
    if node is None or found is None:
        is_none = node is not None and node[0] is type(None)
        return " None is a container without leaves; pass is_leaf=lambda x: x is None to make it a leaf." * is_none
    if node[0] is not found[0] and node[0].__qualname__ == found[0].__qualname__:
        return " These are two classes of the same name; was one defined again?"
    if node[0] is found[0] is defaultdict and node[1] != found[1] and node[1][1] == found[1][1]:
        return " Their default factories differ."
    return ""


def _shorten(text: str, limit: int = 400) -> str:
    return text if len(text) <= limit else f"{text[: limit // 2]} ... {text[-limit // 2 :]}"
