"""Text of a program: nested blocks of lines."""

from __future__ import annotations


class Block:
    """Lines at one level of indentation; blocks inside are indented when they are closed."""

    __slots__ = ("depth", "lines", "parent")

    def __init__(self, parent: Block | None = None) -> None:
        self.parent, self.lines = parent, []
        self.depth: int = 0 if parent is None else parent.depth + 1

    def line(self, text: str) -> None:
        self.lines.append(text)

    def nest(self, header: str, inner: Block) -> None:
        """A compound statement; what its inner block needs from outside is before it."""
        self.lines.append(header)
        self.lines += [f"    {line}" for line in inner.lines] or ["    pass"]
