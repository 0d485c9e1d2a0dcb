"""Registration of the user's classes as containers.

A class is described by functions, by methods, by its dataclass fields, or as static: structure without leaves.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Hashable, Iterable, Sequence
from operator import attrgetter
from typing import Any, TypeVar

from xform.core.tree_kinds import FlattenedIndexKey, GetAttrKey, KeyEntry, Kind, register

Typ = TypeVar("Typ", bound=type[Any])


def register_pytree_node(
    nodetype: type[Any],
    flatten_func: Callable[[Any], tuple[Iterable[Any], Hashable]],
    unflatten_func: Callable[[Any, tuple[Any, ...]], Any],
    flatten_with_keys_func: Callable[[Any], tuple[Iterable[tuple[KeyEntry, Any]], Hashable]] | None = None,
) -> None:
    """Make a class a container of pytrees.

    `flatten_func(x)` gives `(children, metadata)`, and `unflatten_func(metadata, children)` gives x back. The metadata
    must be hashable and comparable. `flatten_with_keys_func(x)` gives `([(key, child), ...], metadata)` and
    names the children in key paths. Raises ValueError if the class is registered already.

    >>> from xform import tree
    >>> class Interval:
    ...     def __init__(self, lo, hi):
    ...         self.lo, self.hi = lo, hi
    >>> register_pytree_node(Interval, lambda x: ((x.lo, x.hi), None), lambda _, children: Interval(*children))
    >>> tree.map(lambda x: 2 * x, Interval(1, 3)).hi
    6
    """
    if not callable(flatten_func) or not callable(unflatten_func):
        raise TypeError(
            f"register_pytree_node wants two functions, got {type(flatten_func).__name__} and "
            f"{type(unflatten_func).__name__}."
        )

    def keys(x: Any) -> Sequence[KeyEntry]:
        if flatten_with_keys_func is None:
            return [FlattenedIndexKey(i) for i in range(len(_one_level(nodetype, flatten_func, x)[0]))]
        return [key for key, _ in _one_level(nodetype, flatten_with_keys_func, x)[0]]

    kind = Kind(
        lambda x: _one_level(nodetype, flatten_func, x),
        lambda data, children: unflatten_func(data, tuple(children)),
        keys,
    )
    register(nodetype, kind)


def _one_level(cls: type, flatten: Callable[[Any], Any], x: Any) -> tuple[tuple[Any, ...], Hashable]:
    """A user's flatten function, its result checked: an iterable of children, and metadata."""
    result = flatten(x)
    if not isinstance(result, tuple) or len(result) != 2:
        raise TypeError(
            f"the flatten function of {cls.__qualname__} must return a pair (children, metadata), got {result!r}."
        )
    children, data = result
    try:
        return tuple(children), data
    except TypeError as error:
        raise TypeError(
            f"the flatten function of {cls.__qualname__} must return an iterable of children first, got {children!r}."
        ) from error


def register_pytree_with_keys(
    nodetype: type[Any],
    flatten_with_keys: Callable[[Any], tuple[Iterable[tuple[KeyEntry, Any]], Hashable]],
    unflatten_func: Callable[[Any, tuple[Any, ...]], Any],
    flatten_func: Callable[[Any], tuple[Iterable[Any], Hashable]] | None = None,
) -> None:
    """Make a class a container whose children have names.

    `flatten_with_keys(x)` gives `([(key, child), ...], metadata)`; `flatten_func` is only needed for speed.
    """

    def flatten(x: Any) -> tuple[list[Any], Hashable]:
        pairs, data = flatten_with_keys(x)
        return [child for _, child in pairs], data

    register_pytree_node(nodetype, flatten_func or flatten, unflatten_func, flatten_with_keys)


def register_pytree_node_class(cls: Typ) -> Typ:
    """Class decorator: a container by its methods `tree_flatten(self)` and `tree_unflatten(cls, metadata, children)`.

    >>> from xform import tree
    >>> @register_pytree_node_class
    ... class Box:
    ...     def __init__(self, content):
    ...         self.content = content
    ...     def tree_flatten(self):
    ...         return (self.content,), None
    ...     @classmethod
    ...     def tree_unflatten(cls, metadata, children):
    ...         return cls(*children)
    >>> tree.leaves([Box((1, 2)), 3])
    [1, 2, 3]
    """
    register_pytree_node(cls, cls.tree_flatten, cls.tree_unflatten)
    return cls


def register_pytree_with_keys_class(cls: Typ) -> Typ:
    """Class decorator: a container by its methods `tree_flatten_with_keys` and `tree_unflatten`.

    A method `tree_flatten(self)` is used where keys are not needed, if there is one.
    """
    flatten = getattr(cls, "tree_flatten", None)
    register_pytree_with_keys(cls, cls.tree_flatten_with_keys, cls.tree_unflatten, flatten)
    return cls


def register_static(cls: Typ) -> Typ:
    """Class decorator: its values are part of a tree's structure, without leaves. They must be hashable and comparable.

    >>> from xform import tree
    >>> @register_static
    ... class Mode(str):
    ...     __slots__ = ()
    >>> tree.leaves({"mode": Mode("fast"), "x": 1.0})
    [1.0]
    """
    register(cls, Kind(lambda x: ((), x), lambda data, children: data, lambda x: ()))
    return cls


def static(**kwargs: Any) -> Any:
    """`dataclasses.field(**kwargs)` for a field that is metadata, not data: part of the structure, never a leaf."""
    return dataclasses.field(metadata={**(kwargs.pop("metadata", None) or {}), "static": True}, **kwargs)


def register_dataclass(
    nodetype: Typ,
    data_fields: Sequence[str] | None = None,
    meta_fields: Sequence[str] | None = None,
    drop_fields: Sequence[str] = (),
) -> Typ:
    """Make a dataclass a container: its data fields are children, its meta fields are part of the structure.

    Usable as a decorator. A list that is not given holds the `__init__` fields that no other list names; if neither is,
    meta fields are those marked `static()` (`metadata={"static": True}`). A class that is no dataclass needs both.
    Values are put together by calling the class with all fields as keywords; `drop_fields` are left to their defaults.
    Raises ValueError if the lists overlap, or together are not the `__init__` fields.

    >>> from xform import tree
    >>> @register_dataclass
    ... @dataclasses.dataclass
    ... class Layer:
    ...     W: float
    ...     b: float
    ...     activation: str = static(default="tanh")
    >>> tree.map(lambda x: 2 * x, Layer(1.0, 2.0))
    Layer(W=2.0, b=4.0, activation='tanh')
    """
    data, meta = _partition_fields(nodetype, data_fields, meta_fields, drop_fields)
    keys = tuple(GetAttrKey(name) for name in data)
    get_data, get_meta = _getter(data), _getter(meta)

    def unflatten(metadata: tuple[Any, ...], children: list[Any]) -> Any:
        return nodetype(**dict(zip(data, children, strict=True)), **dict(zip(meta, metadata, strict=True)))

    register(nodetype, Kind(lambda x: (get_data(x), get_meta(x)), unflatten, lambda x: keys))
    return nodetype


def _getter(names: tuple[str, ...]) -> Callable[[Any], tuple[Any, ...]]:
    if len(names) == 1:
        return lambda x: (getattr(x, names[0]),)
    return attrgetter(*names) if names else lambda x: ()


def _partition_fields(
    cls: type, data: Sequence[str] | None, meta: Sequence[str] | None, drop: Sequence[str]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    if not dataclasses.is_dataclass(cls):
        if data is None or meta is None:
            raise TypeError(
                f"{cls!r} is not a dataclass, so register_dataclass needs both data_fields and meta_fields "
                f"(with both decorators, register_dataclass stands above dataclass)."
            )
        return tuple(data), tuple(meta)
    init = [f for f in dataclasses.fields(cls) if f.init and f.name not in drop]
    if data is None and meta is None:
        meta = [f.name for f in init if f.metadata.get("static", False)]
    if data is None:
        data = [f.name for f in init if f.name not in (meta or ())]
    if meta is None:
        meta = [f.name for f in init if f.name not in data]
    if sorted([*data, *meta]) != sorted(f.name for f in init):
        raise ValueError(
            f"data_fields {list(data)} and meta_fields {list(meta)} must name every __init__ field of "
            f"{cls.__qualname__} once: {[f.name for f in init]}; name fields to leave out in drop_fields."
        )
    return tuple(data), tuple(meta)
