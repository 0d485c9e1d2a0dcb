"""Compiled libraries on disk, by what they were made from.

A file's name is the hash of everything that its content depends on, so a file is never changed, only added and removed:
it is written under another name and renamed, which is atomic, so processes need no locks. Since what lies here is
executed, the folder belongs to the user and only the user writes to it; otherwise a temporary one is used instead.
"""

from __future__ import annotations

import atexit
import contextlib
import hashlib
import logging
import os
import shutil
import stat
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

log = logging.getLogger("xform")

#: bytes that the folder may hold if XFORM_CACHE_SIZE does not say
DEFAULT_SIZE = 512 * 2**20

#: seconds for which a file stays after it was used, so that a process has time to load what it was told of
GRACE = 60.0

_SUFFIX = ".so"
_paths: dict[tuple[str, str], Path] = {}  # by folder asked for and key: what this process has found
_folders: dict[str, Path] = {}  # by folder asked for: the one in use
_totals: dict[Path, int] = {}  # bytes in a folder, as far as this process knows


def digest(*parts: str) -> str:
    """The hash of texts, each with its length, so that their borders count."""
    h = hashlib.sha256()
    for part in parts:
        data = part.encode()
        h.update(b"%d:" % len(data))
        h.update(data)
    return h.hexdigest()


def library(key: str, build: Callable[[Path], object]) -> Path:
    """The library of a key; `build` writes it to the path it is given if there is none."""
    wanted = _wanted_folder()
    path = _paths.get((wanted, key))
    if path is None or not path.exists():
        path = _found(key) or _stored(key, build)
        _paths[wanted, key] = path
    return path


def note(key: str) -> str | None:
    """A text that was written down under a key."""
    try:
        return (folder() / f"{key}.txt").read_text()
    except OSError:
        return None


def write_note(key: str, text: str) -> None:
    """Write a text down under a key."""
    _stored(key, lambda path: path.write_text(text), ".txt")


def folder() -> Path:
    """Where the libraries are: under XFORM_CACHE_DIR, else XDG_CACHE_HOME/xform or ~/.cache/xform.

    A temporary folder of this process if that cannot be made, belongs to someone else or may be written by others.
    """
    wanted = _wanted_folder()
    found = _folders.get(wanted)
    if found is None or not found.is_dir():
        found = _folders[wanted] = _prepared(Path(wanted)) or temporary()
    return found


def scratch(where: Path | None = None) -> Path:
    """A new file in the folder, with a name that nobody else uses."""
    descriptor, name = tempfile.mkstemp(prefix=".new-", dir=where or folder())
    os.close(descriptor)
    return Path(name)


def clear() -> None:
    """Remove all libraries from the folder; those that are loaded stay so."""
    for entry in _entries(folder()):
        _remove(entry[2])
    _paths.clear()
    _totals.clear()


def limit() -> int:
    """How many bytes the folder may hold."""
    text = os.environ.get("XFORM_CACHE_SIZE")
    if not text:
        return DEFAULT_SIZE
    try:
        return max(int(text), 0)
    except ValueError:
        raise ValueError(f"XFORM_CACHE_SIZE is {text!r}; wanted a number of bytes") from None


# --- the folder ---


def _wanted_folder() -> str:
    chosen = os.environ.get("XFORM_CACHE_DIR")
    if chosen:
        return os.path.join(chosen, "c")
    base = os.environ.get("XDG_CACHE_HOME") or ""
    if not os.path.isabs(base):  # as the XDG specification wants it
        base = os.path.join(os.path.expanduser("~"), ".cache")
    return os.path.join(base, "xform", "c")


def _prepared(path: Path) -> Path | None:
    """The folder, made if it is not there; None, and a warning, if what it holds could come from someone else."""
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        state = path.lstat()
    except OSError as error:
        log.warning("xform keeps no compiled programs: %s cannot be made (%s). %s", path, error, _REMEDY)
        return None
    if not stat.S_ISDIR(state.st_mode) or state.st_uid != os.geteuid() or state.st_mode & 0o022:
        owner = f"its owner is {state.st_uid}, its mode {stat.filemode(state.st_mode)}"
        log.warning("xform does not load programs from %s, where others may write (%s). %s", path, owner, _REMEDY)
        return None
    if not os.access(path, os.R_OK | os.W_OK | os.X_OK):
        log.warning("xform keeps no compiled programs: %s cannot be written to. %s", path, _REMEDY)
        return None
    return path


_REMEDY = "Set XFORM_CACHE_DIR to a folder of yours (mode 0700); until then each process compiles for itself."


def temporary() -> Path:
    """A folder that is removed when this process ends."""
    path, owner = Path(tempfile.mkdtemp(prefix="xform-")), os.getpid()

    def remove() -> None:
        if os.getpid() == owner:  # not in processes forked from it
            shutil.rmtree(path, ignore_errors=True)

    atexit.register(remove)
    return path


# --- files ---


def _found(key: str) -> Path | None:
    """The library if it is there; using it makes it young."""
    path = folder() / (key + _SUFFIX)
    try:
        if not path.stat().st_size:  # left by a machine that stopped
            return None
        os.utime(path)
    except FileNotFoundError:
        return None
    except OSError:
        pass  # it can be read, if not touched
    return path


def _stored(key: str, write: Callable[[Path], object], suffix: str = _SUFFIX) -> Path:
    """Write a file beside its place, then move it there."""
    try:
        new = scratch()
    except OSError:  # the folder went away, or is full: one more try, elsewhere
        _folders[_wanted_folder()] = temporary()
        new = scratch()
    path = new.with_name(key + suffix)
    try:
        write(new)
        os.replace(new, path)
    except BaseException:
        new.unlink(missing_ok=True)
        raise
    _bound(path)
    return path


def _bound(added: Path) -> None:
    """Keep the folder below its limit: what was not used for longest goes first."""
    where = added.parent
    if where in _totals:
        _totals[where] += added.stat().st_size
    else:
        _totals[where] = sum(size for _, size, _ in _entries(where))
    most = limit()
    if _totals[where] <= most:
        return
    entries = sorted(_entries(where))
    total, now = sum(size for _, size, _ in entries), time.time()
    for used, size, path in entries:
        if total <= 0.9 * most:  # a little more than needed, so that this is not done again at once
            break
        if path != added and now - used > GRACE and _remove(path):
            total -= size
    _totals[where] = total


def _entries(where: Path) -> list[tuple[float, int, Path]]:
    """(last use, bytes, path) of what is in the folder, what a killed process left half written too."""
    found = []
    with os.scandir(where) as listing:
        for item in listing:
            with contextlib.suppress(OSError):  # removed by another process
                state = item.stat()
                found.append((state.st_mtime, state.st_size, Path(item.path)))
    return found


def _remove(path: Path) -> bool:
    try:
        path.unlink()
    except OSError:
        return False
    return True
