"""Assignment into a traced array: refused, with what to write instead, read off the line of the program."""

from __future__ import annotations

import ast
import linecache
from typing import Any

from xform.core.errors import TracerAssignmentError, user_frame
from xform.core.trace import Tracer
from xform.numpy.dispatch import location

UPDATES = {ast.Add: "add", ast.Sub: "subtract", ast.Mult: "multiply", ast.Div: "divide", ast.Pow: "power"}
GENERAL = (
    "x = x.at[index].set(value) instead of x[index] = value, x = x.at[index].add(value) instead of x[index] += value"
)


def refuse_assignment(self: Tracer, index: Any, value: Any = None) -> None:
    frame = user_frame()
    line = linecache.getline(frame[0], frame[1]).strip() if frame else ""
    remedy = without_mutation(line)
    raise TracerAssignmentError(
        f"a traced array of {self.aval} in {self._trace.origin} cannot be assigned into{location()}. "
        f"Write {GENERAL if remedy is None else f'{remedy} instead of {line}'}"
    )


def without_mutation(line: str) -> str | None:
    """The assignment into an array in a line of Python as an update with `.at`; None if there is none to be seen.

    >>> without_mutation("u[1:-1, 0] += dt * flux")
    'u = u.at[1:-1, 0].add(dt * flux)'
    """
    try:
        nodes = list(ast.walk(ast.parse(line)))
    except SyntaxError:  # a part of a statement of several lines
        return None
    for node in nodes:
        match node:
            case ast.Assign(targets=[ast.Subscript() as target], value=value):
                return update(target, "set", value)
            case ast.AugAssign(target=ast.Subscript() as target, op=op, value=value) if type(op) in UPDATES:
                return update(target, UPDATES[type(op)], value)
            case ast.AugAssign(target=ast.Subscript() as target, op=op, value=value):
                return update(target, "set", ast.BinOp(target, op, value))
    return None


def update(target: ast.Subscript, method: str, value: ast.expr) -> str:
    entries = ast.Subscript(ast.Attribute(target.value, "at", ast.Load()), target.slice, ast.Load())
    return f"{ast.unparse(target.value)} = {ast.unparse(entries)}.{method}({ast.unparse(value)})"
