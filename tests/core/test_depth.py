"""The frames of the library are given back to the user, and the limit is afterwards what it was."""

from __future__ import annotations

import sys
import threading

from xform.core.depth import deep


def test_threads_change_the_one_limit_in_turn():
    limit, interval = sys.getrecursionlimit(), sys.getswitchinterval()

    def work() -> None:
        for _ in range(5000):
            with deep():
                pass

    threads = [threading.Thread(target=work) for _ in range(4)]
    sys.setswitchinterval(1e-6)
    try:
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        assert sys.getrecursionlimit() == limit
    finally:
        sys.setswitchinterval(interval)
        sys.setrecursionlimit(limit)
