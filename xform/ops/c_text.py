"""C text of elementwise operations: the expression that computes one entry of the result.

A row's text is a template over its operands, or a template per kind of the dtype in which NumPy computes:
    "{} + {}"                  the operands in order, or by number
    "xf_max_{t}({}, {})"       {t} the type's short name (f64, i8, c128, b1), {T} its C name, {R} that of its real part
    "__builtin_floor{s}({})"   {s} the suffix of libm's functions, f for single precision
    "asin"                     a function of libm alone: asin(x), asinf(x), of complex arguments casin(z)
Kinds are f, c, i, u, b as in NumPy, several letters where the operands' kinds differ ("iu"), and "" for any other one.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping, Sequence
from typing import TypeAlias

import numpy as np

#: the dtype of an operand, or the type of a Python number, which takes the dtype of the other operands
OperandType: TypeAlias = "np.dtype | type"

#: C names of the dtypes that C can compute with as NumPy does, by kind and size
C_TYPES = {
    "f8": "double", "f4": "float", "c16": "double _Complex", "c8": "float _Complex",
    "i1": "int8_t", "i2": "int16_t", "i4": "int32_t", "i8": "int64_t",
    "u1": "uint8_t", "u2": "uint16_t", "u4": "uint32_t", "u8": "uint64_t", "b1": "uint8_t",
}

_ATOM = re.compile(r"\d[\w.]*|\(-[\w.]*\)")
_INTEGER = re.compile(r"[( ]*(-?)[( ]*(\d+)(U?L{0,2}|\.0*f?)[) ]*")
_REAL_PART = re.compile(r"__builtin_complex\((.*), 0\.0f?\)")
_NUMBER = re.compile(r"[( ]*(-?\d+\.?\d*(?:e[+-]?\d+)?)(U?L{0,2}|f)[) ]*")


def key_of(dtype: np.dtype) -> str:
    """The kind and size of a dtype: those of C's types are keys of `C_TYPES`."""
    return f"{dtype.kind}{dtype.itemsize}"


def is_c_type(dtype: np.dtype) -> bool:
    return key_of(dtype) in C_TYPES and dtype.isnative


def c_type(dtype: np.dtype) -> str:
    """The name that C has for a dtype."""
    return C_TYPES[key_of(dtype)]


def short_name(dtype: np.dtype) -> str:
    """f64, c128, i8, u32, b1: the last part of the names of C helpers."""
    return f"{dtype.kind}{1 if dtype.kind == 'b' else 8 * dtype.itemsize}"


def real_dtype(dtype: np.dtype) -> np.dtype:
    return np.dtype(f"f{dtype.itemsize // 2}") if dtype.kind == "c" else dtype


def atom(text: str) -> str:
    """The text, in parentheses unless it is a name or a literal that has them."""
    return text if text.isidentifier() or _ATOM.fullmatch(text) else f"({text})"


def cast(text: str, source: OperandType, target: np.dtype) -> str:
    """An operand (a name, or in parentheses) as a number of another dtype, as `astype` makes it; the real part of z."""
    if source == target:
        return text
    if target.kind == "b":
        return f"({text} != 0)"
    complex_source = source is complex or (isinstance(source, np.dtype) and source.kind == "c")
    if complex_source and target.kind != "c":
        text = f"__real__ {text}"
    kind = c_type(target)
    if source in (bool, np.dtype(bool)) and target.kind == "f":  # a choice can be made of vectors, a cast cannot
        return f"({text} ? ({kind})1 : ({kind})0)"
    return f"(({kind}){text})"


def integer_of(text: str) -> int | None:
    """The integer that a literal is, whatever its type; None of names and of other numbers."""
    found = _INTEGER.fullmatch(text)
    return None if found is None else int(found[1] + found[2])


def number_of(text: str) -> float | None:
    """The number that a literal is, complex ones without imaginary part included; None of names."""
    complex_number = _REAL_PART.fullmatch(text)
    found = _NUMBER.fullmatch(complex_number[1] if complex_number else text)
    return None if found is None else float(found[1])


def fits(text: str, source: OperandType, target: np.dtype) -> bool:
    """May a number of the program text take the dtype? NumPy refuses 300 as uint8, or compares it by value."""
    if source is not int or target.kind not in "iu":
        return True
    number = integer_of(text)
    return number is None or np.iinfo(target).min <= number <= np.iinfo(target).max


def weak_example(dtype: OperandType) -> np.dtype | bool | int | float | complex:
    """What np.result_type takes for an operand: of a Python number an example of its type."""
    return dtype if isinstance(dtype, np.dtype) else dtype(0)


@functools.lru_cache(maxsize=1 << 12)
def loop_of(ufunc: np.ufunc | None, dtypes: tuple[OperandType, ...]) -> tuple[np.dtype, ...] | None:
    """The dtypes that the operands are cast to: those of the ufunc's loop, else the common one; None if there is none.

    A Python number's dtype is given as its type: int, float or complex.
    """
    given = [np.dtype(bool) if d is bool else d for d in dtypes]
    try:
        if ufunc is None:
            return (np.result_type(*map(weak_example, given)),) * len(given)
        return ufunc.resolve_dtypes((*given, *[None] * ufunc.nout))[: ufunc.nin]  # type: ignore[arg-type]
    except TypeError:  # NumPy has no such operation
        return None


def template_of(table: str | Mapping[str, str] | None, loop: Sequence[np.dtype]) -> str | None:
    """The text for the kinds of the operands."""
    if table is None or isinstance(table, str):
        return table
    kinds = {d.kind for d in loop}
    return table.get(loop[0].kind, table.get("")) if len(kinds) == 1 else table.get("".join(d.kind for d in loop))


def fill(
    template: str, operands: Sequence[str], dtypes: Sequence[OperandType], loop: tuple[np.dtype, ...], out: np.dtype
) -> str | None:
    """The template over operands of the given dtypes, which the loop casts; None where C has no such types."""
    text = pattern(template, tuple(dtypes), loop, out)
    if text is None or (int in dtypes and not all(map(fits, operands, dtypes, loop))):
        return None
    return text.format(*map(atom, operands))


@functools.lru_cache(maxsize=1 << 12)
def pattern(
    template: str, dtypes: tuple[OperandType, ...], loop: tuple[np.dtype, ...], out: np.dtype
) -> str | None:
    """The template for these types, with places {0}, {1}, ... for the operands only."""
    if not all(is_c_type(d) for d in (*loop, out, *(d for d in dtypes if isinstance(d, np.dtype)))):
        return None
    texts = [cast(f"{{{k}}}", *types) for k, types in enumerate(zip(dtypes, loop, strict=True))]
    main = loop[0]
    suffix = "f" if real_dtype(main) == np.float32 else ""
    if template.isidentifier():
        name = f"__builtin_c{template}" if main.kind == "c" else template
        return f"{name}{suffix}({', '.join(texts)})"
    text = template.format(*texts, s=suffix, t=short_name(main), T=c_type(main), R=c_type(real_dtype(out)))
    narrow = out.kind in "iu" and out.itemsize < 4  # C computes in int
    return f"(({c_type(out)})({text}))" if narrow else text
