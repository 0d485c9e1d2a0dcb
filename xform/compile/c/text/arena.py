"""The memory of a program: places in one block, each free again when nobody reads it any more."""

from __future__ import annotations

ALIGNMENT = 64  # a cache line, and the widest vector


class Arena:
    """First fit over the free places, in order; neighbouring ones are joined."""

    def __init__(self) -> None:
        self.size = 0
        self.free: list[tuple[int, int]] = []  # (place, bytes), ascending

    def take(self, wanted: int) -> tuple[int, int]:
        """The place and the rounded number of bytes."""
        wanted = -(-max(wanted, 1) // ALIGNMENT) * ALIGNMENT
        for k, (place, size) in enumerate(self.free):
            if size >= wanted:
                rest = [(place + wanted, size - wanted)] if size > wanted else []
                self.free[k : k + 1] = rest
                return place, wanted
        place = self.size
        if self.free and sum(self.free[-1]) == self.size:  # the last free place grows
            place = self.free.pop()[0]
        self.size = place + wanted
        return place, wanted

    def give_back(self, place: int, size: int) -> None:
        free = sorted([*self.free, (place, size)])
        self.free = free[:1]
        for start, count in free[1:]:
            last, n = self.free[-1]
            if last + n == start:
                self.free[-1] = (last, n + count)
            else:
                self.free.append((start, count))
