"""The bits of numbers: read in another dtype, and rounded to fewer of them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from xform.compile.c.kernels.lanes import define, rooms, start_of
from xform.compile.c.text.emit import Emitter
from xform.compile.c.text.helpers import instance
from xform.compile.c.text.values import Scalars, Value, View
from xform.core.aval import Aval
from xform.core.jaxpr import Eqn
from xform.ops.c_text import key_of, short_name


def mapped(emit: Emitter, x: Scalars, out: Aval, function: str) -> list[Scalars]:
    entries = np.empty(x.shape, object)
    for k in np.ndindex(*x.shape):
        entries[k] = emit.let(out.dtype, f"{function}({emit.text(x.entries[k], x.dtype)})")
    return [Scalars(entries, out.dtype)]


# --- the same bits ---


def bits(
    emit: Emitter, name: str, args: Sequence[Scalars], outs: Sequence[Aval], params: dict[str, Any]
) -> list[Scalars] | None:
    (x,), (out,) = args, outs
    if x.dtype.itemsize != out.dtype.itemsize:
        return None
    function = f"xf_bits_{short_name(x.dtype)}_{short_name(out.dtype)}"
    define(emit, BITS.format(name=function, old=emit.ctype(x.dtype), new=emit.ctype(out.dtype)))
    return mapped(emit, x, out, function)


BITS = """
static inline {new} {name}({old} x)
{{
  {new} y;
  __builtin_memcpy(&y, &x, sizeof y);
  return y;
}}
"""


def bits_of_array(emit: Emitter, eqn: Eqn, args: Sequence[Value], places: Sequence[View | None]) -> list[Value]:
    """Entries in C order are copied as they are."""
    (out,) = rooms(emit, eqn, places)
    target = out if out.contiguous else emit.buffer(out.shape, out.dtype)
    size = math.prod(out.shape) * out.dtype.itemsize
    emit.line(f"memmove({start_of(target)}, {start_of(emit.contiguous(args[0]))}, {size});")
    emit.serialize()
    return [target]


# --- fewer bits ---


def rounded(
    emit: Emitter, name: str, args: Sequence[Scalars], outs: Sequence[Aval], params: dict[str, Any]
) -> list[Scalars]:
    """To the nearest multiple of 2^(e - 1 - bits), and then into the range of the exponents."""
    (x,), (out,) = args, outs
    info, exponent, mantissa = np.finfo(out.dtype), params["exponent_bits"], params["mantissa_bits"]
    steps = ""
    if mantissa < info.nmant:
        steps += ROUND.format(least=info.minexp + 1, lost=mantissa + 1)
    if exponent < info.nexp:
        bias = 2 ** (exponent - 1) - 1
        steps += LIMIT.format(above=bias + 1, below=1 - bias)
    function = f"xf_round_{short_name(out.dtype)}_{exponent}_{mantissa}"
    define(emit, instance(f"\nstatic inline $T {function}($T x)\n{{\n{steps}  return x;\n}}\n", key_of(out.dtype)))
    return mapped(emit, x, out, function)


# a finite x = m 2^e with m in [1/2, 1); nan and infinities stay what they are
ROUND = """\
  int e = 0;
  __builtin_frexp$s(x, &e);
  const int quantum = (e > {least} ? e : {least}) - {lost};
  if (x - x == 0) x = __builtin_ldexp$s(__builtin_rint$s(__builtin_ldexp$s(x, -quantum)), quantum);
"""

LIMIT = """\
  if (__builtin_fabs$s(x) >= __builtin_ldexp$s(1, {above})) x = __builtin_copysign$s(__builtin_inf$s(), x);
  if (__builtin_fabs$s(x) < __builtin_ldexp$s(1, {below})) x = __builtin_copysign$s(0, x);
"""
