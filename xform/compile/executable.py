"""What a backend makes of a program."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from xform.core.jaxpr import Jaxpr


class Unsupported(Exception):
    """A backend cannot compile a program; the message says what in it, and why."""


class Executable:
    """A compiled program: called with arrays of the avals of its inputs, it returns the list of its outputs.

    `entry`, if there is one, takes a tuple of the arguments and returns the tuple of the outputs, or NotImplemented
    if an argument is not what it can read as it is: an aligned, native, contiguous array of just the wanted aval.
    """

    __slots__ = ("backend", "entry", "jaxpr", "run", "source")

    def __init__(
        self,
        jaxpr: Jaxpr,
        backend: str,
        source: str,
        run: Callable[..., list[Any]],
        entry: Callable[[tuple[Any, ...]], Any] | None = None,
    ) -> None:
        self.jaxpr, self.backend, self.source, self.run, self.entry = jaxpr, backend, source, run, entry

    def __call__(self, *arrays: Any) -> list[Any]:
        return self.run(*arrays)
