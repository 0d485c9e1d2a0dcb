"""Structures of trees, and the two ways between a tree and its leaves: flatten and unflatten.

A structure is the preorder of its nodes in one flat tuple: a container is (type, metadata, number of children), a
leaf is None. So comparing and hashing structures is work of C, and nothing here recurses.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator
from typing import Any

from xform.core.tree_kinds import KINDS, is_namedtuple, same_data
from xform.core.tree_path import Node, check_acyclic, mismatch_error

IsLeaf = Callable[[Any], bool] | None

# Deeper than this, flatten looks once whether a container contains itself.
_SUSPICIOUS_DEPTH = 200


class TreeDef:
    """The structure of a tree, without its leaves: immutable, hashable, comparable.

    `nodes` is the preorder; `num_leaves` counts the Nones in it.

    >>> structure({"b": (2.0, 3.0), "a": 1.0})
    PyTreeDef({'a': *, 'b': (*, *)})
    """

    __slots__ = ("nodes", "num_leaves")

    nodes: tuple[Node, ...]
    num_leaves: int

    def __init__(self, nodes: tuple[Node, ...], num_leaves: int) -> None:
        self.nodes = nodes
        self.num_leaves = num_leaves

    @property
    def num_nodes(self) -> int:
        """The number of containers and leaves."""
        return len(self.nodes)

    def node_data(self) -> tuple[type, Hashable] | None:
        """Type and metadata of the root, None if it is a leaf. A dict's metadata are its sorted keys."""
        root = self.nodes[0]
        return None if root is None else root[:2]

    def children(self) -> list[TreeDef]:
        """The structures of the root's children."""
        return [TreeDef(nodes, nodes.count(None)) for nodes in _child_spans(self.nodes)]

    def unflatten(self, leaves: Iterable[Any]) -> Any:
        """The tree of this structure with these leaves; see `unflatten`."""
        return unflatten(self, leaves)

    def flatten_up_to(self, tree: Any) -> list[Any]:
        """The subtrees of `tree` at the places of this structure's leaves; see `flatten_up_to`."""
        return flatten_up_to(self, tree)

    def compose(self, inner: TreeDef) -> TreeDef:
        """This structure with every leaf replaced by `inner`.

        >>> structure([0, 0]).compose(structure((0, 0)))
        PyTreeDef([(*, *), (*, *)])
        """
        nodes: list[Node] = []
        for node in self.nodes:
            nodes.extend(inner.nodes if node is None else (node,))
        return TreeDef(tuple(nodes), self.num_leaves * inner.num_leaves)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, TreeDef):
            return NotImplemented
        try:
            return self.nodes == other.nodes
        except ValueError:  # metadata that are arrays: find them, and say whose they are
            pairs = zip(self.nodes, other.nodes, strict=False)
            return len(self.nodes) == len(other.nodes) and all(_same_node(a, b) for a, b in pairs)

    def __hash__(self) -> int:
        try:
            return hash(self.nodes)
        except TypeError:
            for node in self.nodes:
                _check_hashable(node)
            raise

    def __reduce__(self) -> tuple[Any, ...]:
        return _load, (self.nodes, self.num_leaves)

    def __repr__(self) -> str:
        return f"PyTreeDef({_render(self.nodes)})"


LEAF = TreeDef((None,), 1)


def _load(nodes: tuple[Node, ...], num_leaves: int) -> TreeDef:
    """A structure from a pickle, whose classes must be containers in this process too."""
    for node in nodes:
        if node is not None and KINDS[node[0]] is None:
            raise TypeError(
                f"a pickled structure contains {node[0].__module__}.{node[0].__qualname__}, which is not registered "
                f"as a pytree node in this process; register it before loading."
            )
    return TreeDef(nodes, num_leaves)


def _same_node(a: Node, b: Node) -> bool:
    if a is None or b is None:
        return a is b
    return a[0] is b[0] and a[2] == b[2] and same_data(a[0], a[1], b[1])


def _check_hashable(node: Node) -> None:
    if node is None:
        return
    try:
        hash(node)
    except TypeError as error:
        raise TypeError(
            f"the metadata of {node[0].__qualname__} cannot be hashed: {error}. Metadata are part of a tree's "
            f"structure and must be hashable; make arrays and lists children (data fields) or tuples."
        ) from error


def _child_spans(nodes: tuple[Node, ...]) -> Iterator[tuple[Node, ...]]:
    """The preorders of the root's children. A subtree ends where no child is missing any more."""
    start, missing = 1, 1
    for i in range(1, len(nodes)):
        node = nodes[i]
        missing += -1 if node is None else node[2] - 1
        if missing == 0:
            yield nodes[start : i + 1]
            start, missing = i + 1, 1


def _render(nodes: tuple[Node, ...]) -> str:
    parts: list[str] = []
    stack: list[tuple[list[str], str]] = []  # what stands before each child to come, the last first; the closing
    for node in nodes:
        if stack:
            parts.append(stack[-1][0].pop())
        if node is None:
            parts.append("*")
        else:
            opening, separators, closing = _brackets(*node)
            parts.append(opening)
            stack.append((separators[::-1], closing))
        while stack and not stack[-1][0]:
            parts.append(stack.pop()[1])
    return "".join(parts)


def _brackets(cls: type, data: Any, size: int) -> tuple[str, list[str], str]:
    """How a container prints: its opening, what stands before each child, its closing."""
    commas = ["", *[", "] * (size - 1)][:size]
    if cls is type(None):
        return "None", [], ""
    if cls is tuple:
        return "(", commas, ",)" if size == 1 else ")"
    if cls is list:
        return "[", commas, "]"
    if cls is dict:
        return "{", [f"{comma}{key!r}: " for comma, key in zip(commas, data, strict=True)], "}"
    label = f"namedtuple[{cls.__name__}]" if data is None and is_namedtuple(cls) else f"{cls.__name__}[{data}]"
    return f"CustomNode({label}, [", commas, "])"


# ---- taking apart, putting together ----


def flatten(tree: Any, is_leaf: IsLeaf = None) -> tuple[list[Any], TreeDef]:
    """The leaves of a tree, from left to right, and its structure.

    Containers are dict (in the order of its sorted keys), list, tuple, namedtuple, None (without leaves), OrderedDict,
    defaultdict and registered classes; arrays, numbers, strings and everything else are leaves, and so is what
    `is_leaf(x)` says. Raises ValueError for a dict whose keys cannot be sorted, and for a container inside itself.

    >>> flatten({"b": (2.0, 3.0), "a": 1.0})
    ([1.0, 2.0, 3.0], PyTreeDef({'a': *, 'b': (*, *)}))
    """
    if KINDS[type(tree)] is None:
        return [tree], LEAF
    leaves: list[Any] = []
    nodes: list[Node] = []
    stack: list[Iterator[Any]] = []
    limit = _SUSPICIOUS_DEPTH
    todo = iter((tree,))
    while True:
        for x in todo:
            cls = type(x)
            kind = KINDS[cls]
            if kind is None or (is_leaf is not None and is_leaf(x)):
                leaves.append(x)
                nodes.append(None)
                continue
            children, data = (x, None) if cls is tuple or cls is list else kind.flatten(x)
            nodes.append((cls, data, len(children)))
            stack.append(todo)
            todo = iter(children)
            break
        else:
            if not stack:
                return leaves, TreeDef(tuple(nodes), len(leaves))
            todo = stack.pop()
            continue
        if len(stack) == limit:
            check_acyclic(tree, is_leaf)
            limit = -1


def unflatten(treedef: TreeDef, leaves: Iterable[Any]) -> Any:
    """The tree with the given structure and leaves, the inverse of `flatten`.

    Raises ValueError if the number of leaves is not the structure's.

    >>> unflatten(structure({"a": 0, "b": (0, 0)}), [1, 2, 3])
    {'a': 1, 'b': (2, 3)}
    """
    if not isinstance(treedef, TreeDef):
        raise TypeError(f"unflatten wants a structure first, as flatten gives it, got a {type(treedef).__qualname__}.")
    leaves = list(leaves)
    if len(leaves) != treedef.num_leaves:
        raise ValueError(f"{treedef!r} has {treedef.num_leaves} leaves, but {len(leaves)} were given to unflatten.")
    built: list[Any] = []  # the finished subtrees right of the current node, the nearest last
    for node in reversed(treedef.nodes):
        if node is None:
            built.append(leaves.pop())
            continue
        cls, data, size = node
        children = built[: -size - 1 : -1]
        if size:
            del built[-size:]
        if cls is tuple:
            built.append(tuple(children))
        elif cls is list:
            built.append(children)
        else:
            built.append(KINDS[cls].unflatten(data, children))
    return built[0]


def flatten_up_to(treedef: TreeDef, tree: Any, name: str = "the structure", full_name: str = "the tree") -> list[Any]:
    """The subtrees of `tree` at the places of the leaves of a structure that is a prefix of it.

    Raises ValueError if it is not, naming the path; `name` and `full_name` are what the message calls the two.

    >>> flatten_up_to(structure((0, 0)), (1, [2, 3]))
    [1, [2, 3]]
    """
    subtrees: list[Any] = []
    stack = [tree]
    for node in treedef.nodes:
        x = stack.pop()
        if node is None:
            subtrees.append(x)
            continue
        cls, data, size = node
        if type(x) is not cls:
            break
        children, found = (x, None) if cls is tuple or cls is list else KINDS[cls].flatten(x)
        if len(children) != size or not (found is data or same_data(cls, found, data)):
            break
        stack.extend(children[::-1])
    else:
        return subtrees
    raise mismatch_error(treedef.nodes, tree, name, full_name, repr(treedef), repr(structure(tree)))


def structure(tree: Any, is_leaf: IsLeaf = None) -> TreeDef:
    """The structure of a tree; see `flatten`.

    >>> structure({"b": (2.0, 3.0), "a": None})
    PyTreeDef({'a': None, 'b': (*, *)})
    """
    return flatten(tree, is_leaf)[1]


def leaves(tree: Any, is_leaf: IsLeaf = None) -> list[Any]:
    """The leaves of a tree, from left to right; see `flatten`.

    >>> leaves({"b": (2.0, 3.0), "a": None})
    [2.0, 3.0]
    """
    return flatten(tree, is_leaf)[0]
