"""Passes: pure functions from programs to programs that compute the same, bit by bit, with less work.

The programs inside of operations come first, each once however many operations share it. Then the passes run in turn
until nothing changes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from xform.compile.passes.inline import inline
from xform.compile.passes.simplify import simplify
from xform.core.depth import deep
from xform.core.jaxpr import Eqn, Jaxpr, eliminate_dead_code

Pass = Callable[[Jaxpr], Jaxpr]

#: a bound for programs that never come to rest; they do after two or three rounds
MOST_ROUNDS = 12

_DONE = "optimised"


def optimise(jaxpr: Jaxpr) -> Jaxpr:
    """The program after all passes; it has the same inputs and outputs. What it is differentiated by is lost."""
    found = jaxpr.derived.get(_DONE)
    if found is None:
        found = settled(jaxpr)
        found.derived[_DONE] = True
        jaxpr.derived[_DONE] = True if found is jaxpr else found
    return jaxpr if found is True else found


def settled(jaxpr: Jaxpr) -> Jaxpr:
    for _ in range(MOST_ROUNDS):
        before = jaxpr
        for p in PASSES:
            jaxpr = p(jaxpr)
        if jaxpr is before:
            break
    return jaxpr


def optimise_programs(jaxpr: Jaxpr) -> Jaxpr:
    """The programs inside of operations, optimised."""
    eqns = [optimised_eqn(e) if e.prim.has_programs and e.prim.programs_are_final else e for e in jaxpr.eqns]
    if all(new is old for new, old in zip(eqns, jaxpr.eqns, strict=True)):
        return jaxpr
    return Jaxpr(jaxpr.inputs, jaxpr.consts, eqns, jaxpr.outputs)


def optimised_eqn(eqn: Eqn) -> Eqn:
    with deep():
        params = {name: optimised_param(x) for name, x in eqn.params.items()}
    if all(params[name] is x for name, x in eqn.params.items()):
        return eqn
    return Eqn(eqn.prim, eqn.inputs, params, eqn.outputs, eqn.source)


def optimised_param(x: Any) -> Any:
    """A parameter with its programs optimised; the same object if none of them has changed."""
    if isinstance(x, Jaxpr):
        return optimise(x)
    if isinstance(x, tuple | list) and any(isinstance(item, Jaxpr) for item in x):
        items = [optimise(item) if isinstance(item, Jaxpr) else item for item in x]
        return x if all(a is b for a, b in zip(items, x, strict=True)) else type(x)(items)
    return x


def drop_dead_code(jaxpr: Jaxpr) -> Jaxpr:
    """Without what no output and no effect depends on; the same program if all is needed."""
    live = eliminate_dead_code(jaxpr)
    same = len(live.consts) == len(jaxpr.consts) and len(live.eqns) == len(jaxpr.eqns)
    return jaxpr if same and all(a is b for a, b in zip(live.eqns, jaxpr.eqns, strict=True)) else live


PASSES: tuple[Pass, ...] = (optimise_programs, inline, simplify, drop_dead_code)
