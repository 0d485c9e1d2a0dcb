"""Pytrees: functions of nested containers, seen as a flat list of leaves and a structure.

`from xform.core import tree` gives the whole vocabulary: `tree.flatten`, `tree.map`, `tree.broadcast_prefix` and so on.
Nothing recurses, so containers may be nested to any depth.
"""

from __future__ import annotations

import builtins
import functools
from collections.abc import Callable, Hashable, Iterable
from typing import Any

from xform.core.tree_def import IsLeaf, TreeDef, flatten, flatten_up_to, leaves, structure, unflatten
from xform.core.tree_kinds import KINDS, KeyEntry, KeyPath, keystr
from xform.core.tree_path import Node, open_node, walk

__all__ = [
    "KeyPath",
    "TreeDef",
    "all",
    "all_leaves",
    "broadcast",
    "broadcast_prefix",
    "flatten",
    "flatten_one_level",
    "flatten_one_level_with_keys",
    "flatten_up_to",
    "flatten_with_path",
    "keystr",
    "leaves",
    "leaves_with_path",
    "map",
    "map_with_path",
    "reduce",
    "reduce_associative",
    "structure",
    "transpose",
    "treedef_children",
    "treedef_is_leaf",
    "treedef_tuple",
    "unflatten",
]

_UNSPECIFIED: Any = object()


def flatten_with_path(
    tree: Any, is_leaf: Callable[..., bool] | None = None, is_leaf_takes_path: bool = False
) -> tuple[list[tuple[KeyPath, Any]], TreeDef]:
    """Pairs of key path and leaf, and the structure.

    With `is_leaf_takes_path` the predicate is called as `is_leaf(path, x)`.

    >>> pairs, _ = flatten_with_path({"w": [1.0, 2.0]})
    >>> [(keystr(path), leaf) for path, leaf in pairs]
    [("['w'][0]", 1.0), ("['w'][1]", 2.0)]
    """
    pairs: list[tuple[KeyPath, Any]] = []
    nodes: list[Node] = []
    for place, x, node in walk(tree, is_leaf, is_leaf_takes_path):
        nodes.append(node)
        if node is None:
            pairs.append((tuple(place[1:]), x))
    return pairs, TreeDef(tuple(nodes), len(pairs))


def leaves_with_path(
    tree: Any, is_leaf: Callable[..., bool] | None = None, is_leaf_takes_path: bool = False
) -> list[tuple[KeyPath, Any]]:
    """Pairs of key path and leaf; see `flatten_with_path`."""
    return flatten_with_path(tree, is_leaf, is_leaf_takes_path)[0]


# ---- maps and folds ----


def map(f: Callable[..., Any], tree: Any, *rest: Any, is_leaf: IsLeaf = None) -> Any:
    """The tree of `f(x, *xs)` over the leaves x of the first tree and what the other trees have in their place.

    Raises ValueError, naming the path, where another tree lacks a container of the first.

    >>> map(lambda x, y: x + y, {"a": 1, "b": (2, 3)}, {"a": 10, "b": (20, 30)})
    {'a': 11, 'b': (22, 33)}
    """
    xs, treedef = flatten(tree, is_leaf)
    if not rest:
        return unflatten(treedef, [f(x) for x in xs])
    return unflatten(treedef, [f(*args) for args in zip(xs, *_columns(treedef, rest), strict=True)])


def map_with_path(
    f: Callable[..., Any],
    tree: Any,
    *rest: Any,
    is_leaf: Callable[..., bool] | None = None,
    is_leaf_takes_path: bool = False,
) -> Any:
    """The tree of `f(path, x, *xs)`; otherwise as `map`.

    >>> map_with_path(lambda path, x: f"{keystr(path)}={x}", {"a": [1, 2]})
    {'a': ["['a'][0]=1", "['a'][1]=2"]}
    """
    pairs, treedef = flatten_with_path(tree, is_leaf, is_leaf_takes_path)
    columns = _columns(treedef, rest)
    return unflatten(treedef, [f(*pair, *xs) for pair, *xs in zip(pairs, *columns, strict=True)])


def _columns(treedef: TreeDef, rest: tuple[Any, ...]) -> list[list[Any]]:
    """What each further tree of a map has in the places of the first tree's leaves."""
    return [flatten_up_to(treedef, tree, "tree 1 of the map", f"tree {i}") for i, tree in enumerate(rest, 2)]


def all(tree: Any, *, is_leaf: IsLeaf = None) -> bool:
    """Whether all leaves are true.

    >>> all({"a": True, "b": (1, 2)}), all([True, False])
    (True, False)
    """
    return builtins.all(leaves(tree, is_leaf))


def reduce(
    function: Callable[[Any, Any], Any], tree: Any, initializer: Any = _UNSPECIFIED, is_leaf: IsLeaf = None
) -> Any:
    """`function(... function(function(initializer, x0), x1) ..., xn)` over the leaves, from left to right.

    Raises TypeError if there is neither a leaf nor an initializer.

    >>> reduce(lambda x, y: x - y, {"a": 10, "b": (2, 3)})
    5
    """
    xs = leaves(tree, is_leaf)
    if initializer is not _UNSPECIFIED:
        return functools.reduce(function, xs, initializer)
    if not xs:
        raise TypeError(f"reduce of a tree without leaves, {structure(tree)}, needs an initializer.")
    return functools.reduce(function, xs)


def reduce_associative(
    operation: Callable[[Any, Any], Any], tree: Any, *, identity: Any = _UNSPECIFIED, is_leaf: IsLeaf = None
) -> Any:
    """The leaves combined by an associative operation, in a balanced tree: n leaves take log2(n) steps, not n.

    Raises TypeError if there is neither a leaf nor an identity.

    >>> reduce_associative(lambda x, y: x + y, {"a": 1, "b": (2, 3)})
    6
    """
    xs = leaves(tree, is_leaf)
    if not xs and identity is _UNSPECIFIED:
        raise TypeError(f"reduce_associative of a tree without leaves, {structure(tree)}, needs an identity.")
    while len(xs) > 1:
        pairs = [operation(x, y) for x, y in zip(xs[::2], xs[1::2], strict=False)]
        xs = pairs + xs[len(xs) & ~1 :]
    return xs[0] if xs else identity


# ---- prefixes and trees of trees ----


def broadcast_prefix(
    prefix_tree: Any, full_tree: Any, is_leaf: IsLeaf = None, *, name: str = "the prefix", full_name: str = "the tree"
) -> list[Any]:
    """For every leaf of `full_tree`, the leaf of `prefix_tree` that stands at or above it.

    `is_leaf` says what more is a leaf of the prefix, for example None. Raises ValueError, naming the path, where the
    prefix has a container that the tree has not; `name` and `full_name` are what the message calls the two.

    >>> broadcast_prefix((0, 1), ({"a": 5.0, "b": 6.0}, 7.0))
    [0, 0, 1]
    """
    prefix_leaves, treedef = flatten(prefix_tree, is_leaf)
    subtrees = flatten_up_to(treedef, full_tree, name, full_name)
    out: list[Any] = []
    for leaf, subtree in zip(prefix_leaves, subtrees, strict=True):
        out.extend([leaf] * len(flatten(subtree)[0]))
    return out


def broadcast(prefix_tree: Any, full_tree: Any, is_leaf: IsLeaf = None) -> Any:
    """The tree with the structure of `full_tree` and the leaves of `broadcast_prefix`.

    >>> broadcast({"a": 0, "b": 1}, {"a": [5.0, 6.0], "b": 7.0})
    {'a': [0, 0], 'b': 1}
    """
    return unflatten(structure(full_tree), broadcast_prefix(prefix_tree, full_tree, is_leaf))


def transpose(outer_treedef: TreeDef, inner_treedef: TreeDef | None, pytree_to_transpose: Any) -> Any:
    """The tree of `inner(outer(*))` from one of `outer(inner(*))`: a list of tuples becomes a tuple of lists.

    Without `inner_treedef` it is the structure of the first inner tree. Raises ValueError, naming the path, if the tree
    has another structure than `outer_treedef.compose(inner_treedef)`.

    >>> transpose(structure([0, 0]), None, [(1, 2, 3), (4, 5, 6)])
    ([1, 4], [2, 5], [3, 6])
    """
    subtrees = flatten_up_to(outer_treedef, pytree_to_transpose, "the outer structure")
    if inner_treedef is None:
        if not subtrees:
            raise ValueError(f"transpose cannot infer inner_treedef, as {outer_treedef} has no leaves; pass it.")
        inner_treedef = structure(subtrees[0])
    expected = outer_treedef.compose(inner_treedef)
    xs, treedef = flatten(pytree_to_transpose)
    if treedef != expected:
        flatten_up_to(expected, pytree_to_transpose, "the outer structure of inner ones")
        raise ValueError(f"transpose wants a tree of structure {expected}, got {treedef}.")
    width = inner_treedef.num_leaves
    return unflatten(inner_treedef, [unflatten(outer_treedef, xs[i::width]) for i in range(width)])


def treedef_is_leaf(treedef: TreeDef) -> bool:
    """Whether a structure is a single leaf. A container without children is none.

    >>> treedef_is_leaf(structure(1.0)), treedef_is_leaf(structure((1.0,))), treedef_is_leaf(structure(()))
    (True, False, False)
    """
    return treedef.nodes == (None,)


def treedef_children(treedef: TreeDef) -> list[TreeDef]:
    """The structures of the root's children.

    >>> treedef_children(structure((1, [2, 3])))
    [PyTreeDef(*), PyTreeDef([*, *])]
    """
    return treedef.children()


def treedef_tuple(treedefs: Iterable[TreeDef]) -> TreeDef:
    """The structure of a tuple of trees of the given structures.

    >>> treedef_tuple([structure(1), structure([2, 3])])
    PyTreeDef((*, [*, *]))
    """
    parts = list(treedefs)
    nodes: list[Node] = [(tuple, None, len(parts))]
    for part in parts:
        nodes.extend(part.nodes)
    return TreeDef(tuple(nodes), sum([part.num_leaves for part in parts]))


def all_leaves(iterable: Iterable[Any], is_leaf: IsLeaf = None) -> bool:
    """Whether every element of an iterable is a leaf.

    >>> all_leaves([1.0, "a"]), all_leaves([1.0, None])
    (True, False)
    """
    return builtins.all(KINDS[type(x)] is None or (is_leaf is not None and is_leaf(x)) for x in iterable)


def flatten_one_level(tree: Any) -> tuple[tuple[Any, ...], Hashable]:
    """The children of a container, and its metadata. Raises ValueError for a leaf.

    >>> flatten_one_level({"b": [1, 2], "a": 3})
    ((3, [1, 2]), ('a', 'b'))
    """
    pairs, data = flatten_one_level_with_keys(tree)
    return tuple([child for _, child in pairs]), data


def flatten_one_level_with_keys(tree: Any) -> tuple[tuple[tuple[KeyEntry, Any], ...], Hashable]:
    """The children of a container with their keys, and its metadata. Raises ValueError for a leaf.

    >>> flatten_one_level_with_keys([5.0])
    (((SequenceKey(idx=0), 5.0),), None)
    """
    node, pairs = open_node(tree)
    if node is None:
        raise ValueError(
            f"a {type(tree).__qualname__} is a leaf, it has no level to flatten; register its class first."
        )
    return tuple(pairs), node[1]
