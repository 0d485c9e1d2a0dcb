"""NumPy's order in C: complex numbers by their real parts, then their imaginary parts, and nan behind all numbers."""

from __future__ import annotations

import numpy as np


def less(a: str, b: str, dtype: np.dtype) -> str:
    """Does a come before b when they are sorted?"""
    if dtype.kind == "f":
        return f"({a} < {b}) | (({a} == {a}) & ({b} != {b}))"
    if dtype.kind == "c":
        return less_complex(a, b)
    return f"{a} < {b}"


def less_complex(a: str, b: str) -> str:
    """By (re, im) where neither is nan; else what has more numbers, and then a number as its real part, comes first."""
    ar, ai, br, bi = f"__real__ {a}", f"__imag__ {a}", f"__real__ {b}", f"__imag__ {b}"
    an, am, bn, bm = (f"({x} != {x})" for x in (ar, ai, br, bi))
    smaller = f"(({ar} < {br}) & (!{am} | {bm}))"
    larger = f"(({ar} > {br}) & ({bm} & !{am}))"
    same = f"((({ar} == {br}) | ({an} & {bn})) & (({ai} < {bi}) | ({bm} & !{am})))"
    behind = f"({bn} & !{an})"
    return f"{smaller} | {larger} | {same} | {behind}"


def beats(x: str, best: str, dtype: np.dtype, largest: bool) -> str:
    """Is x a better extreme than the best so far? A nan is the best of all, the first one for good."""
    sign = ">" if largest else "<"
    if dtype.kind == "f":
        return f"({x} {sign} {best}) | (({x} != {x}) & ({best} == {best}))"
    if dtype.kind == "c":
        re, im, best_re, best_im = f"__real__ {x}", f"__imag__ {x}", f"__real__ {best}", f"__imag__ {best}"
        better = f"({re} {sign} {best_re}) | (({re} == {best_re}) & ({im} {sign} {best_im}))"
        return f"({better} | ({x} != {x})) & ({best} == {best})"
    return f"{x} {sign} {best}"
