"""Nested operations: the frames that the library itself uses do not count against Python's recursion limit."""

from __future__ import annotations

import sys
from threading import Lock
from types import TracebackType

#: a nested operation uses so many of Python's frames at most, and all together so many
FRAMES, MOST_FRAMES = 250, 30_000

#: the limit is one for all threads: it is read and set in one step
_limit = Lock()


class deep:
    """`with deep():` gives the frames of one nested operation back to the user, up to a bound that is safe."""

    __slots__ = ("added",)

    def __enter__(self) -> None:
        with _limit:
            limit = sys.getrecursionlimit()
            self.added = max(0, min(FRAMES, MOST_FRAMES - limit))
            if self.added:
                sys.setrecursionlimit(limit + self.added)

    def __exit__(self, kind: type | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        if self.added:
            with _limit:
                sys.setrecursionlimit(sys.getrecursionlimit() - self.added)
