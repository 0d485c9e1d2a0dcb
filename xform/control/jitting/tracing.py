"""Writing down the program of a function for arguments of one kind."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from types import FunctionType
from typing import Any, NamedTuple

import numpy as np

from xform.control.custom.captures import captured
from xform.control.jitting.arguments import Call, Signature, given
from xform.control.jitting.weak import WeakTrace, strengthened
from xform.control.programs import hoist
from xform.core import tree
from xform.core.aval import Aval, aval_of
from xform.core.depth import deep
from xform.core.errors import ConcretizationError
from xform.core.jaxpr import Jaxpr, Var
from xform.core.stage import StageTracer, stage
from xform.core.trace import Trace, Tracer, check_live, context
from xform.transforms.arguments import as_array
from xform.transforms.vmap import BatchTrace


class Traced(NamedTuple):
    """A program, the traced values that the function closes over (its leading operands), and the result's structure."""

    program: Jaxpr
    free: list[Tracer]
    out_tree: Any


class JitTrace(WeakTrace):
    """Knows the names of the arguments, for messages."""

    __slots__ = ("inputs", "names")

    def __init__(self, parent: Trace, origin: str, names: Callable[[], list[str]]) -> None:
        super().__init__(parent, origin)
        self.names = names
        self.inputs: list[Var] = []

    def new_input(self, aval: Aval) -> StageTracer:
        x = super().new_input(aval)
        self.inputs.append(x.variable)
        return x

    def hint(self, x: Any) -> str:
        """Which arguments a value depends on, and how it can be known while the program is written."""
        needed = {x.variable}
        for eqn in reversed(self.eqns):
            if not needed.isdisjoint(eqn.outputs):
                needed.update(a for a in eqn.inputs if isinstance(a, Var))
        names = [name for name, v in zip(self.names(), self.inputs, strict=True) if v in needed]
        if not names:
            return ""
        which = f"argument {names[0]}" if len(names) == 1 else f"arguments {', '.join(names[:-1])} and {names[-1]}"
        return (
            f"It depends on the {which} of {self.origin}; if it is to be known there, make what it depends on static "
            "(static_argnums, static_argnames)"
        )


def traced(signature: Signature, call: Call) -> Traced:
    """The program of the function for such a call, under the current trace."""
    out_tree: Any = None
    f, origin = signature.f, signature.origin
    fixed = {k: x for k, x in call.static if isinstance(k, int)}
    named = {k: x for k, x in call.static if isinstance(k, str)}

    def flat(*xs: Any) -> list[Any]:
        nonlocal out_tree
        args, kwargs = tree.unflatten(call.in_tree, xs)
        moving = iter(args)
        whole = (fixed[k] if k in fixed else next(moving) for k in range(len(args) + len(fixed)))
        try:
            out = f(*whole, **kwargs, **named)
        except TypeError as error:
            raise_better(error, origin)
            raise
        ys, out_tree = tree.flatten(out)
        return [result(origin, out, k, y) for k, y in enumerate(ys)]

    def names() -> list[str]:
        return signature.leaf_names(tree.unflatten(call.in_tree, call.leaves), call.static)

    with deep():
        jaxpr, free = hoist(stage(flat, call.avals, origin, functools.partial(JitTrace, names=names)))  # type: ignore[arg-type]
    return Traced(strengthened(jaxpr), free, out_tree)


def raise_better(error: TypeError, origin: str) -> None:
    """NumPy's own functions that are given a traced size say only that it is no integer."""
    if isinstance(error, ConcretizationError) or "Traced<" not in str(error) or "integer" not in str(error):
        return
    raise ConcretizationError(
        f"a traced value was given as a size or a shape inside {origin}, where only its own shape and dtype are known "
        f"({error}). If it is an argument, make it static (static_argnums, static_argnames)"
    ).with_traceback(error.__traceback__) from None


def result(origin: str, out: Any, k: int, y: Any) -> Any:
    """A result, which must be a number or an array."""
    if isinstance(y, Tracer):
        check_live(y)
        return y
    try:
        aval_of(y)
    except TypeError as error:
        path = tree.keystr(tree.leaves_with_path(out)[k][0])
        raise TypeError(
            f"{origin}: in the result{f' at {path}' if path else ''}, {given(error)}. A jitted function returns arrays "
            "and numbers, alone or in containers"
        ) from None
    return np.asarray(y)[()] if isinstance(y, np.ndarray) and type(y) is not np.ndarray else as_array(y)


def surroundings(f: Callable[..., Any]) -> tuple[tuple[Any, ...], list[Tracer]]:
    """What a program depends on besides the arguments: the named axes around, and the traced values closed over."""
    trace = context.trace
    if trace.is_ground:
        return (), []
    axes = []
    while trace is not None:
        if type(trace) is BatchTrace and trace.axis_name is not None:
            axes.append((trace.axis_name, trace.size))
        trace = trace.parent
    values = closed_over(f)
    return (*axes, *map(id, values)), values


def closed_over(f: Callable[..., Any]) -> list[Tracer]:
    """The traced values that a function closes over; of most functions it is seen at once that there are none."""
    if type(f) is FunctionType and not (f.__closure__ or f.__defaults__ or f.__kwdefaults__ or f.__dict__):
        names = f.__globals__
        return [names[name] for name in f.__code__.co_names if isinstance(names.get(name), Tracer)]
    return [x for _, x in captured(f)]


def all_among(found: Sequence[Any], values: Sequence[Any]) -> bool:
    ids = set(map(id, values))
    return all(id(x) in ids for x in found)
