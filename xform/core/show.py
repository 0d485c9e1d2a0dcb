"""Jaxprs as text, in JAX's notation: { lambda consts ; inputs. let eqns in (outputs,) }."""

from __future__ import annotations

import os
import string
from collections.abc import Callable
from typing import Any

import numpy as np

from xform.core.depth import deep
from xform.core.jaxpr import Atom, Eqn, Jaxpr, Literal, Var


def variable_name(k: int) -> str:
    """a, b, ..., z, ba, bb, ...: k written in base 26."""
    name = ""
    while True:
        k, digit = divmod(k, 26)
        name = string.ascii_lowercase[digit] + name
        if k == 0:
            return name


class Names:
    """Names for variables, in the order in which they are first met."""

    def __init__(self) -> None:
        self._names: dict[Var, str] = {}

    def __call__(self, atom: Atom) -> str:
        if isinstance(atom, Literal):
            return f"{atom.value}:{atom.aval}" if atom.aval.weak is None else f"{atom.value!r}"
        if atom not in self._names:
            self._names[atom] = variable_name(len(self._names))
        return self._names[atom]

    def typed(self, v: Var) -> str:
        return f"{self(v)}:{v.aval}"


def pretty(jaxpr: Jaxpr, source: bool = False, indent: str = "") -> str:
    """The program as text."""
    names = Names()
    consts = " ".join(names.typed(v) for v, _ in jaxpr.consts)
    inputs = " ".join(names.typed(v) for v in jaxpr.inputs)
    head = f"{{ lambda {consts} ; {inputs}. let" if consts else f"{{ lambda ; {inputs}. let"
    lines = [show_eqn(eqn, names, source, indent + "    ") for eqn in jaxpr.eqns]
    outputs = ", ".join(names(v) for v in jaxpr.outputs)
    tail = f"  in ({outputs},) }}" if len(jaxpr.outputs) == 1 else f"  in ({outputs}) }}"
    return ("\n" + indent).join([head, *lines, tail])


def show_eqn(eqn: Eqn, names: Callable[[Any], str], source: bool, indent: str) -> str:
    """outputs = primitive[params] inputs, and the line of the user's program if wanted."""
    outputs = " ".join(names.typed(v) for v in eqn.outputs)  # type: ignore[attr-defined]
    inputs = " ".join(names(v) for v in eqn.inputs)
    params = " ".join(f"{k}={show_param(v, source, indent)}" for k, v in sorted(eqn.params.items()))
    text = f"    {outputs}{' = ' if outputs else ''}{eqn.prim.name}{f'[{params}]' if params else ''} {inputs}".rstrip()
    if source and eqn.source:
        file, line, function = eqn.source
        text += f"    # {os.path.basename(file)}:{line} ({function})"
    return text


def show_param(value: Any, source: bool, indent: str) -> str:
    if isinstance(value, Jaxpr):
        with deep():
            return pretty(value, source, indent + "  ")
    if isinstance(value, tuple | list) and value and all(isinstance(v, Jaxpr) for v in value):
        return "(" + " ".join(show_param(v, source, indent) for v in value) + ")"
    if isinstance(value, np.dtype):
        return value.name
    if isinstance(value, np.ndarray):
        return f"array{list(value.shape)}"
    if callable(value) and not isinstance(value, type):
        return getattr(value, "__name__", type(value).__name__)
    return str(value).replace(" ", "") if isinstance(value, tuple) else str(value)
