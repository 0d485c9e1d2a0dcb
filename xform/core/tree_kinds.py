"""The kinds of containers: how a type is taken apart, put together again, and how its children are named.

A type is looked up exactly, never through its bases. What is not registered is a leaf, with one exception: namedtuples
are recognised by their fields. `KINDS[type(x)]` is the type's `Kind`, or None for a leaf.
"""

from __future__ import annotations

import dataclasses
from collections import OrderedDict, defaultdict
from collections.abc import Callable, Hashable, Sequence
from typing import Any


@dataclasses.dataclass(frozen=True, slots=True)
class DictKey:
    """A child reached by `tree[key]` in a mapping."""

    key: Hashable

    def __str__(self) -> str:
        return f"[{self.key!r}]"


@dataclasses.dataclass(frozen=True, slots=True)
class SequenceKey:
    """A child reached by `tree[idx]` in a list or tuple."""

    idx: int

    def __str__(self) -> str:
        return f"[{self.idx}]"


@dataclasses.dataclass(frozen=True, slots=True)
class GetAttrKey:
    """A child reached by `tree.name`, in a namedtuple or dataclass."""

    name: str

    def __str__(self) -> str:
        return f".{self.name}"


@dataclasses.dataclass(frozen=True, slots=True)
class FlattenedIndexKey:
    """The child number `key` of a class that was registered without names for its children."""

    key: int

    def __str__(self) -> str:
        return f"[<flat index {self.key}>]"


KeyEntry = DictKey | SequenceKey | GetAttrKey | FlattenedIndexKey | Hashable
KeyPath = tuple[KeyEntry, ...]


def keystr(keys: KeyPath, *, simple: bool = False, separator: str = "") -> str:
    """A key path as text: `['w'][0].bias`, or with `simple=True, separator='/'` as `w/0/bias`.

    >>> keystr((DictKey("w"), SequenceKey(0), GetAttrKey("bias")))
    "['w'][0].bias"
    >>> keystr((DictKey("w"), SequenceKey(0), GetAttrKey("bias")), simple=True, separator="/")
    'w/0/bias'
    """
    return separator.join([_simple_key(key) if simple else str(key) for key in keys])


def _simple_key(key: KeyEntry) -> str:
    if isinstance(key, (DictKey, FlattenedIndexKey)):
        return str(key.key)
    if isinstance(key, SequenceKey):
        return str(key.idx)
    return key.name if isinstance(key, GetAttrKey) else str(key)


@dataclasses.dataclass(frozen=True, slots=True)
class Kind:
    """How values of one container type are taken apart, put together, and their children named.

    `flatten(x)` is (children, metadata), `unflatten(metadata, children)` is x, and `keys(x)` has a key for each child.
    """

    flatten: Callable[[Any], tuple[Sequence[Any], Hashable]]
    unflatten: Callable[[Any, list[Any]], Any]
    keys: Callable[[Any], Sequence[KeyEntry]]


class _Kinds(dict[type, "Kind | None"]):
    """A cache over `_registered` that also remembers leaf types and namedtuples, and is bounded.

    It refers strongly to the types it has seen. The bound keeps a program that makes classes without end from
    keeping them all alive.
    """

    CAPACITY = 4096

    def __missing__(self, cls: type) -> Kind | None:
        if len(self) >= self.CAPACITY:
            self.clear()
        # setdefault: a registration that another thread makes meanwhile wins.
        return self.setdefault(cls, _registered.get(cls) or _namedtuple_kind(cls))


_registered: dict[type, Kind] = {}
KINDS: dict[type, Any] = _Kinds()  # values are Kind | None; Any, as a node of a structure has a kind for sure


def register(cls: type, kind: Kind) -> None:
    """Make `cls` a container; ValueError if it is registered already."""
    if not isinstance(cls, type):
        raise TypeError(f"a pytree node type must be a class, got {cls!r}.")
    if cls in _registered:
        raise ValueError(
            f"{cls.__module__}.{cls.__qualname__} is registered as a pytree node already; a type has one registration."
        )
    _registered[cls] = kind
    KINDS[cls] = kind


def is_tree_node(typ: type) -> bool:
    """Whether values of exactly this type are containers.

    >>> is_tree_node(dict), is_tree_node(float)
    (True, False)
    """
    return KINDS[typ] is not None


def same_data(cls: type, a: Any, b: Any) -> bool:
    """Whether the metadata of two nodes of a class agree; `==` on it must give a bool."""
    try:
        return a is b or bool(a == b)
    except ValueError as error:  # NumPy's "truth value of an array is ambiguous"
        raise TypeError(
            f"the metadata of {cls.__qualname__} cannot be compared with ==: {error} "
            f"Metadata must be hashable and comparable; register arrays as children (data fields)."
        ) from error


# ---- the built-in containers ----


def _sequence_keys(x: Sequence[Any]) -> list[KeyEntry]:
    return [SequenceKey(i) for i in range(len(x))]


def _sorted_keys(d: dict[Any, Any]) -> list[Any]:
    """The keys in sorted order; keys of several types that do not compare are grouped by the type's name.

    So dicts with equal keys have the same structure, in whatever order they were filled.
    """
    try:
        return sorted(d)
    except TypeError:
        pass
    try:
        return sorted(d, key=lambda k: (f"{type(k).__module__}.{type(k).__qualname__}", k))
    except TypeError as error:
        raise ValueError(
            f"the keys of a dict are its children's order in a pytree, and these cannot be sorted: {error}. "
            f"Use keys that compare with <, or an OrderedDict, whose order is that of insertion."
        ) from error


def _flatten_dict(d: dict[Any, Any]) -> tuple[list[Any], Hashable]:
    keys = _sorted_keys(d)
    return [d[k] for k in keys], tuple(keys)


def _flatten_ordered(d: OrderedDict[Any, Any]) -> tuple[list[Any], Hashable]:
    return list(d.values()), tuple(d)


def _flatten_default(d: defaultdict[Any, Any]) -> tuple[list[Any], Hashable]:
    children, keys = _flatten_dict(d)
    return children, (d.default_factory, keys)


def _dict_keys(d: dict[Any, Any]) -> list[KeyEntry]:
    return [DictKey(k) for k in _sorted_keys(d)]


register(type(None), Kind(lambda x: ((), None), lambda data, children: None, lambda x: ()))
register(list, Kind(lambda x: (x, None), lambda data, children: children, _sequence_keys))
register(tuple, Kind(lambda x: (x, None), lambda data, children: tuple(children), _sequence_keys))
register(dict, Kind(_flatten_dict, lambda keys, children: dict(zip(keys, children, strict=True)), _dict_keys))
register(
    OrderedDict,
    Kind(
        _flatten_ordered,
        lambda keys, children: OrderedDict(zip(keys, children, strict=True)),
        lambda d: [DictKey(k) for k in d],
    ),
)
register(
    defaultdict,
    Kind(
        _flatten_default,
        lambda data, children: defaultdict(data[0], zip(data[1], children, strict=True)),
        _dict_keys,
    ),
)


def is_namedtuple(cls: type) -> bool:
    """Whether a class was made by `namedtuple` or `NamedTuple`, or derives from one that was."""
    return issubclass(cls, tuple) and isinstance(getattr(cls, "_fields", None), tuple) and hasattr(cls, "_make")


def _namedtuple_kind(cls: Any) -> Kind | None:
    if not is_namedtuple(cls):
        return None
    keys = tuple(GetAttrKey(name) for name in cls._fields)
    make = cls._make  # not cls itself: a subclass may have given __new__ another signature
    return Kind(lambda x: (x, None), lambda data, children: make(children), lambda x: keys)
