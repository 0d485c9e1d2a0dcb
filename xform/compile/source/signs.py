"""Elementwise functions that are written with an operator, or that are ufuncs."""

from __future__ import annotations

import operator
from typing import Any

import numpy as np

#: the functions of primitives that have a sign of their own, and whether a ufunc gives just the same
SIGNS: dict[Any, tuple[str, bool]] = {
    operator.add: ("{} + {}", True),
    operator.sub: ("{} - {}", True),
    operator.mul: ("{} * {}", True),
    operator.truediv: ("{} / {}", True),
    operator.pow: ("{} ** {}", False),  # operators compute squares and roots as such
    operator.floordiv: ("{} // {}", True),
    operator.mod: ("{} % {}", True),
    operator.neg: ("-{}", True),
    operator.pos: ("+{}", True),
    operator.abs: ("abs({})", True),
    operator.eq: ("{} == {}", True),
    operator.ne: ("{} != {}", True),
    operator.lt: ("{} < {}", True),
    operator.le: ("{} <= {}", True),
    operator.gt: ("{} > {}", True),
    operator.ge: ("{} >= {}", True),
    operator.and_: ("{} & {}", True),
    operator.or_: ("{} | {}", True),
    operator.xor: ("{} ^ {}", True),
    operator.invert: ("~{}", True),
    operator.lshift: ("{} << {}", True),
    operator.rshift: ("{} >> {}", True),
}


def is_plain(function: Any) -> bool:
    """Is it an operator or a ufunc?"""
    return isinstance(function, np.ufunc) or function in SIGNS
