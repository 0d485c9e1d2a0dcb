"""Plain arrays that a derivative has captured are read-only while it is being computed, in however many computations.

NumPy makes a view writable only if the array that owns its memory is. So an array that no computation holds any longer
may have to wait for its owner, which another computation (an enclosing one, or one of another thread) still holds.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable

import numpy as np

_lock = threading.Lock()
_holders: dict[int, int] = {}  # id of a protected array -> how many computations hold it (and so keep it alive)
_waiting: list[np.ndarray] = []  # held no longer, but their memory is that of an array which is


def protect(x: np.ndarray) -> bool:
    """Make `x` read-only until it has been released as often; False if it is so by its owner's will."""
    with _lock:
        holders = _holders.get(id(x), 0)
        waiting = [k for k, w in enumerate(_waiting) if w is x]
        if not holders and not waiting and not x.flags.writeable:
            return False
        for k in waiting:
            del _waiting[k]
        x.flags.writeable = False
        _holders[id(x)] = holders + 1
        return True


def release(arrays: Iterable[np.ndarray]) -> None:
    """Undo as many calls of `protect`."""
    with _lock:
        for x in arrays:
            _holders[id(x)] -= 1
            if not _holders[id(x)]:
                del _holders[id(x)]
                _waiting.append(x)
        _waiting.sort(key=lambda x: x.base is not None)  # owners before the views of them
        _waiting[:] = [x for x in _waiting if not made_writable(x)]


def made_writable(x: np.ndarray) -> bool:
    try:
        x.flags.writeable = True
    except ValueError:
        return False
    return True
