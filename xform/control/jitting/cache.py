"""The programs of a jitted function, kept by what they depend on: kinds of arguments, named axes, closed-over values.

A program that closes over traced values is good as long as the function closes over the same ones; it goes when they
do. Functions that are jitted twice with the same options share their programs, which last as long as the function.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Hashable, Sequence
from typing import Any

import numpy as np

from xform.control.jitting.arguments import NUMBERS, Call
from xform.control.jitting.primitive import executable, runner
from xform.control.jitting.straight import Take, packer, taker
from xform.control.jitting.tracing import Traced
from xform.core.jaxpr import Jaxpr
from xform.core.tree_def import LEAF
from xform.transforms.arguments import as_array

#: so many executables are tried by their own entries, the most recent first
DOORS = 4

#: how results are put together: the only one, the tuple of all, a tree
SINGLE, TUPLE, TREE = 0, 1, 2


class Entry:
    """A program, and what is needed to run it."""

    __slots__ = ("_free", "donated", "mode", "out_tree", "pack", "program", "watches")

    def __init__(self, found: Traced, donated: tuple[bool, ...]) -> None:
        self.program: Jaxpr = found.program
        self.out_tree, self.donated = found.out_tree, donated
        self._free = [weakref.ref(x) for x in found.free]
        self.mode = mode_of(found.out_tree)
        self.pack: Callable[[Sequence[Any]], Any] = found.out_tree.unflatten
        self.watches: list[weakref.ref[Any]] = []

    @property
    def free(self) -> list[Any]:
        """The traced values closed over."""
        return [ref() for ref in self._free]

    def packed(self, outs: Sequence[Any]) -> Any:
        """The result with these leaves."""
        if self.mode == SINGLE:
            return outs[0]
        return tuple(outs) if self.mode == TUPLE else self.pack(outs)


def short_key(args: Sequence[Any]) -> Hashable:
    """What the short way goes by: dtypes and shapes of arrays, types of all else."""
    return tuple([(x.dtype, x.shape) if type(x) is np.ndarray else type(x) for x in args])


def mode_of(out_tree: Any) -> int:
    if out_tree == LEAF:
        return SINGLE
    return TUPLE if out_tree.nodes == ((tuple, None, out_tree.num_leaves), *[None] * out_tree.num_leaves) else TREE


class Cache:
    """What is known of a function: entries by key, and the short ways to executables for plain arrays."""

    __slots__ = ("__weakref__", "doors", "entries", "known", "runs", "takes")

    def __init__(self) -> None:
        self.entries: dict[tuple[Any, ...], Entry] = {}
        #: entries of executables, each with how its results are put together
        self.doors: list[tuple[Callable[..., Any], int, Entry]] = []
        #: the same for calls with containers, names or static arguments, which are taken apart first
        self.takes: list[tuple[Take, Callable[..., Any], Entry]] = []
        #: by the types of the arguments, dtypes and shapes of arrays: functions of arrays
        self.runs: dict[Hashable, tuple[Callable[..., Any], int, Entry]] = {}
        #: by the key of a call that closes over nothing: functions of the leaves
        self.known: dict[Hashable, tuple[Callable[..., Any], Entry]] = {}
        _caches.add(self)

    def clear(self) -> None:
        self.entries.clear()
        self.runs.clear()
        self.known.clear()
        self.doors.clear()
        self.takes.clear()

    def store(self, key: tuple[Any, ...], entry: Entry, closed_over: Sequence[Any]) -> None:
        """Keep an entry until one of the values closed over is gone."""
        self.entries[key] = entry
        here = weakref.ref(self)

        def forget(_: Any) -> None:
            if (cache := here()) is not None:
                cache.entries.pop(key, None)

        entry.watches = [weakref.ref(x, forget) for x in closed_over]

    def shorten(self, entry: Entry, call: Call, backend: str) -> None:
        """Make the short way for calls with this key, and leaves like these."""
        run = runner(entry.program, backend, ())
        if any(type(x) in NUMBERS for x in call.leaves):
            self.known[call.key] = (lambda *xs: run(*map(as_array, xs))), entry
        else:
            self.known[call.key] = run, entry
        if entry.mode == TREE:
            entry.pack = packer(entry.out_tree)

    def take(self, entry: Entry, call: Call, backend: str) -> None:
        """Make the shorter way for calls of this structure, if there is one."""
        door = executable(entry.program, backend, ()).entry
        take = None if door is None else taker(call.in_tree, call.static)
        if door is not None and take is not None:
            self.takes[:] = [(take, door, entry), *(t for t in self.takes if t[1] is not door)][:DOORS]

    def open(self, entry: Entry, args: Sequence[Any], backend: str) -> None:
        """Make the shortest way for arguments like these, none of them a container."""
        compiled, run = executable(entry.program, backend, ()), runner(entry.program, backend, ())
        if compiled.entry is not None:
            door = compiled.entry, entry.mode, entry
            self.doors[:] = [door, *(d for d in self.doors if d[0] is not compiled.entry)][:DOORS]
        if all(type(x) is np.ndarray for x in args):
            self.runs[short_key(args)] = run, entry.mode, entry
        elif all(type(x) in NUMBERS or isinstance(x, np.generic | np.ndarray) for x in args):
            self.runs[short_key(args)] = (lambda *xs: run(*map(as_array, xs))), entry.mode, entry


_caches: weakref.WeakSet[Cache] = weakref.WeakSet()
_of_function: weakref.WeakKeyDictionary[Any, dict[Hashable, Cache]] = weakref.WeakKeyDictionary()


def cache_of(f: Callable[..., Any], options: Hashable) -> Cache:
    """The cache of a function jitted with these options."""
    try:
        return _of_function.setdefault(f, {}).setdefault(options, Cache())
    except TypeError:  # it cannot be hashed or referred to weakly, so nobody else can have the same
        return Cache()


def clear_caches() -> None:
    """Forget all programs of all jitted functions: each is traced and compiled anew when it is next called.

    >>> import xform
    >>> xform.clear_caches()
    """
    for cache in list(_caches):
        cache.clear()
