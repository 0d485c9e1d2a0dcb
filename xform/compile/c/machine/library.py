"""A program in memory: a compiled library with the constants and the functions of Python that it was given.

Constants that are too large for the source are pointers in a variable of the library. The system loads a file once
however often it is asked to, so two programs of the same text but other constants get copies of it; when one of them is
gone, its copy serves the next.
"""

from __future__ import annotations

import ctypes
import shutil
import threading
import weakref
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from xform.compile.c.machine import cache
from xform.compile.c.machine.entry import ProgramTable, aval_table, runtime
from xform.core.aval import Aval

_lock = threading.Lock()
_shared: dict[Path, ctypes.PyDLL] = {}  # libraries that keep nothing
_idle: dict[Path, list[ctypes.PyDLL]] = {}  # those that keep something, while no program uses them
_loaded: set[Path] = set()


class Program:
    """A loaded program; `entry` takes the tuple of the arguments, `run` the arguments."""

    __slots__ = ("entry", "in_avals")

    def __init__(self, entry: Callable[[tuple[Any, ...]], Any], in_avals: Sequence[Aval]) -> None:
        self.entry, self.in_avals = entry, tuple(in_avals)

    def run(self, *arrays: Any) -> list[Any]:
        """The results, of arrays with any strides, byte order and alignment; they are copied where that is needed.

        Raises:
            TypeError: an argument is not of the shape and dtype that the program was compiled for.
        """
        results = self.entry(arrays)
        if results is NotImplemented:
            results = self.entry(self._as_wanted(arrays))
        if results is NotImplemented:
            raise TypeError(self._mismatch(arrays))
        return list(results)

    def _as_wanted(self, arrays: Sequence[Any]) -> tuple[Any, ...]:
        if len(arrays) != len(self.in_avals):
            raise TypeError(self._mismatch(arrays))
        return tuple(_as_wanted(x, aval) for x, aval in zip(arrays, self.in_avals, strict=True))

    def _mismatch(self, arrays: Sequence[Any]) -> str:
        """Which argument is not what was wanted."""
        if len(arrays) != len(self.in_avals):
            return f"{len(arrays)} arguments were given to a compiled program; wanted {len(self.in_avals)}"
        for k, (x, aval) in enumerate(zip(arrays, self.in_avals, strict=True)):
            if not _fits(np.asarray(x), aval):
                given = f"{np.asarray(x).dtype} of shape {np.shape(x)}"
                return f"argument {k} of a compiled program is {given}; it was compiled for {aval!r}"
        return "the arguments of a compiled program are not those that it was compiled for"


def load(
    path: Path,
    in_avals: Sequence[Aval],
    out_avals: Sequence[Aval],
    consts: Sequence[np.ndarray] = (),
    callbacks: Sequence[Callable[..., Any]] = (),
) -> Program:
    """The program in a library.

    Args:
        path: what `compile_source` returned for `ENTRY_SOURCE` and a definition of `xform_program`.
        in_avals: of its arguments; weak ones are Python's scalars.
        out_avals: of its results; those without axes are returned as NumPy's scalars.
        consts: arrays that the program finds in C order in `xform_consts`.
        callbacks: functions of arrays that it calls by their number, each returning a sequence of arrays.
    """
    door, owner = runtime(), _Owner()
    owner.consts = [np.require(x, requirements=["C", "A", "E"]) for x in consts]
    owner.callbacks = tuple(_returning_arrays(f) for f in callbacks)
    owner.avals = aval_table(in_avals), aval_table(out_avals)
    library = _library(path, owner)
    run = ctypes.cast(library.xform_program, ctypes.c_void_p).value
    (inputs, _), (outputs, _) = owner.avals
    owner.table = ProgramTable(
        run, ctypes.addressof(inputs), ctypes.addressof(outputs), len(in_avals), len(out_avals), owner.callbacks
    )
    owner.pointers = (ctypes.c_void_p * (len(consts) + 1))(*(x.ctypes.data for x in owner.consts))
    here = ctypes.addressof(owner.table)
    library.xform_bind(
        ctypes.c_void_p(ctypes.addressof(ctypes.c_void_p.in_dll(door, "xform_runtime"))),
        owner.pointers,
        ctypes.c_void_p(here),
    )
    return Program(door.xform_entry(here, owner), in_avals)


class _Owner:
    """What lives as long as the entry of a program does."""

    __slots__ = ("__weakref__", "avals", "callbacks", "consts", "pointers", "table")
    avals: Any
    callbacks: tuple[Callable[..., Any], ...]
    consts: list[np.ndarray]
    pointers: Any
    table: Any


def _library(path: Path, owner: _Owner) -> ctypes.PyDLL:
    """The loaded library, for this owner alone if it has constants or callbacks."""
    with _lock:
        if not owner.consts and not owner.callbacks:
            if path not in _shared:
                _shared[path] = _opened(path)
                _loaded.add(path)
            return _shared[path]
        idle = _idle.setdefault(path, [])
        if idle:
            library = idle.pop()
        else:
            library = _copy(path) if path in _loaded else _opened(path)
            _loaded.add(path)
    weakref.finalize(owner, idle.append, library).atexit = False
    return library


def _opened(path: Path) -> ctypes.PyDLL:
    try:
        return ctypes.PyDLL(str(path))
    except OSError:
        if not path.exists():
            raise
        return _copy(path, cache.temporary())  # where files may not be executed


def _copy(path: Path, folder: Path | None = None) -> ctypes.PyDLL:
    """The library of a copy of the file, which is gone from disk at once."""
    copy = cache.scratch(folder)
    try:
        shutil.copyfile(path, copy)
        return ctypes.PyDLL(str(copy))
    finally:
        copy.unlink()


def _returning_arrays(f: Callable[..., Any]) -> Callable[..., tuple[np.ndarray, ...]]:
    """A function that returns arrays which the runtime can read."""

    def call(*arrays: Any) -> tuple[np.ndarray, ...]:
        return tuple(_readable(x) for x in f(*arrays))

    return call


def _readable(x: Any) -> np.ndarray:
    x = np.asarray(x)
    native = x.dtype if x.dtype.isnative else x.dtype.newbyteorder("=")
    return np.require(x, native, ["C", "A", "E"])


def _fits(x: np.ndarray, aval: Aval) -> bool:
    sizes = all(n is None or m == n for m, n in zip(x.shape, aval.shape, strict=False))
    return x.ndim == len(aval.shape) and sizes and x.dtype.newbyteorder("=") == aval.dtype


def _as_wanted(x: Any, aval: Aval) -> Any:
    """The same numbers as the runtime reads them; what is of another shape or dtype is left as it is."""
    array = np.asarray(x)
    if not _fits(array, aval):
        return x
    return aval.weak(array.item()) if aval.weak else np.require(array, aval.dtype, ["C", "A", "E"])
