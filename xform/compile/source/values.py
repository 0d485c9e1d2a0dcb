"""Values while a program is being written down as Python: how the text refers to them, and whose memory they use.

A value of shape () and dtype float64, int64 or bool has two forms, a NumPy scalar and a number of Python's, of which
arithmetic is ten times faster. Either is made of the other where it is first wanted, as near to its definition as can
be, so outside of loops that only read it.

An array refers to buffers: to its own, if it was newly made, or to all those with which it may share memory. A buffer
that no live value refers to is free, and can take a result of its shape and dtype.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from xform.compile.source.text import Block
from xform.core.aval import Aval

#: dtypes whose scalars have the form of a Python number
NUMBERS = {np.dtype(np.float64): "float", np.dtype(np.int64): "int", np.dtype(np.bool_): "bool"}
LEAST, GREATEST = -(2**63), 2**63 - 1
ANY = (LEAST, GREATEST)


class Buffer:
    """The memory of an array that the program made; `held` outlives the loop body in which it is written."""

    __slots__ = ("held", "key", "name", "owned", "refs")

    def __init__(self, name: str, key: Any, owned: bool = True, held: bool = False) -> None:
        self.name, self.key, self.owned, self.held = name, key, owned, held
        self.refs = 0


class Value:
    """A value and the texts that stand for it: `array` for NumPy's form, `number` for Python's."""

    __slots__ = ("array", "aval", "block", "bounds", "buffers", "kept", "number", "uses", "whole")

    def __init__(
        self,
        aval: Aval,
        block: Block,
        *,
        array: str | None = None,
        number: str | None = None,
        buffers: tuple[Buffer, ...] = (),
        whole: bool = False,
        bounds: tuple[int, int] = ANY,
    ) -> None:
        self.aval, self.block, self.array, self.number = aval, block, array, number
        self.buffers = buffers  # with which it may share memory
        self.whole = whole  # it is the one buffer, no view of it
        self.bounds = bounds  # of an integer
        self.kept = False  # its name outlives the program, or the step
        self.uses = 0  # variables that it is the value of

    @property
    def is_number(self) -> bool:
        return is_number(self.aval)

    @property
    def own(self) -> Buffer | None:
        """The buffer that is this value and no other live one's."""
        if self.whole and len(self.buffers) == 1 and self.buffers[0].owned and self.buffers[0].refs == 1:
            return self.buffers[0]
        return None

    def as_array(self) -> str:
        """The text of NumPy's form."""
        if self.array is None:
            assert self.number is not None
            if self.number.isidentifier():
                self.array = f"{self.number}_"
                self.block.line(f"{self.array} = np.{self.aval.dtype.type.__name__}({self.number})")
            else:
                self.array = f"np.{self.aval.dtype.type.__name__}({self.number})"
        return self.array

    def as_number(self) -> str:
        """The text of Python's form."""
        if self.number is None:
            kind = NUMBERS[self.aval.dtype]
            assert self.array is not None
            if self.array.isidentifier():
                self.number = f"{self.array}_"
                self.block.line(f"{self.number} = {kind}({self.array})")
            else:
                self.number = f"{kind}({self.array})"
        return self.number


def is_number(aval: Aval) -> bool:
    """Has a value of this aval the form of a Python number?"""
    return aval.shape == () and aval.dtype in NUMBERS


def number_text(x: Any) -> str:
    """A Python number as text, of which Python reads the same number."""
    if type(x) is float and x != x:
        return "math.nan"
    if type(x) is float and x in (float("inf"), float("-inf")):
        return "math.inf" if x > 0 else "-math.inf"
    return repr(x) if x == x and str(x)[0] != "-" else f"({x!r})"
