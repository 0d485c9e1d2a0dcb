"""The NumPy backend: a program as the Python text that one would write by hand, one line for each operation.

    { lambda ; a:f64[5000] b:f64[]. let              def program(a, b):
        c:f64[5000] = mul a b                            c = a * b
        d:f64[5000] = sin c                    ->        d = np.sin(c, out=c)
        e:f64[] = reduce_sum[axes=(0,)] d                e = np.add.reduce(d, None)
        f:f64[] = mul e e                                e_ = float(e)
      in (f,) }                                          f = e_ * e_
                                                         return [np.float64(f)]

Results go to memory that is free, loops and branches are Python's, and arithmetic on single numbers is Python's.
"""

from __future__ import annotations

import math
from types import SimpleNamespace
from typing import Any

import numpy as np

from xform.compile.executable import Executable
from xform.compile.source.memory import Pool
from xform.compile.source.names import Names
from xform.compile.source.runtime import HELP
from xform.compile.source.values import Value
from xform.compile.source.writer import Writer
from xform.core.depth import deep
from xform.core.jaxpr import Jaxpr

__all__ = ["build"]


def build(jaxpr: Jaxpr) -> Executable:
    """The program as a Python function on NumPy arrays."""
    return written(jaxpr, {})


def written(jaxpr: Jaxpr, functions: dict[int, Any]) -> Executable:
    space: dict[str, Any] = {
        "np": np, "math": math, "help": HELP, "rules": SimpleNamespace(), "changes": SimpleNamespace(),
    }  # fmt: skip
    names = Names(jaxpr)
    inputs = [names.of[v] for v in jaxpr.inputs]
    writer = Writer(names, space, functions, written)
    values = []
    for v, name in zip(jaxpr.inputs, inputs, strict=True):
        value = Value(v.aval, writer.block, array=name)
        value.kept = True
        values.append(value)
        names.of.pop(v)
    with deep():
        outs = [writer.value(y) for y in writer.program(jaxpr, values, Pool())]
    results = ", ".join(y.as_array() for y in outs)
    constants = [f"# {name}: a constant, {aval}" for name, aval in writer.constants]
    lines = [*constants, f"def program({', '.join(inputs)}):", *(f"    {line}" for line in writer.block.lines)]
    source = "\n".join([*lines, f"    return [{results}]", ""])
    exec(compile(source, "<program>", "exec"), space)
    return Executable(jaxpr, "numpy", source, space["program"])
