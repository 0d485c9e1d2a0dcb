"""Loops that do less in each step, for programs that nobody differentiates any more.

    a carry that no step changes                    is a constant
    a literal among the constants                   is a literal in the body
    a constant, or xs, that is there twice          is there once, and so is a stacked output
    what depends on constants alone                 is computed in front of the loop
    a stacked output that is the same in all steps  is repeated behind the loop; one that copies xs is xs
    a scan of few steps                             is written down step by step

What might raise, or never end, only moves if the loop is sure to come to it.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from xform.control.loops.loose import Loose, number, operands_of
from xform.control.loops.while_parameters import Loop
from xform.core.jaxpr import Atom, Eqn, Jaxpr, Literal, Var, copied
from xform.ops.stack import stack
from xform.ops.structure import broadcast, slice_

#: a scan of no more steps, of a body of no more eqns, is unrolled
FEW_STEPS, FEW_EQNS = 4, 20


def lighter_scan(eqn: Eqn) -> Jaxpr | None:
    """A program of the same operands, with a lighter scan; None if there is none."""
    p: dict[str, Any] = eqn.params
    n, m, length = p["consts"], p["carry"], p["length"]
    first = 1 if length is None else 0
    inputs, known = operands_of(eqn)
    values = known[first:]
    loop = Loose(p["body"], values[:n], values[n : n + m], values[n + m :], m)
    loop.fix(loop.unchanging())
    loop.join_operands()
    loop.move_out(sure=bool(length))
    after: list[Eqn] = []
    if length is not None:
        copies(loop, eqn, after)
    same = twice(loop)
    if not loop.changed:
        return None
    params = {**p, "body": loop.step(), "consts": len(loop.consts), "carry": len(loop.carry)}
    outs = {k: Var(eqn.outputs[k].aval) for k in loop.numbers}
    lighter = Eqn(eqn.prim, [*known[:first], *loop.operands], params, list(outs.values()), eqn.source)
    found: dict[int, Atom] = {**outs, **loop.results}
    found.update((k, found[j]) for k, j in same.items())
    results = [found[k] for k in range(len(eqn.outputs))]
    return Jaxpr(inputs, loop.before_consts, [*loop.before, lighter, *after], results)


def copies(loop: Loose, eqn: Eqn, after: list[Eqn]) -> None:
    """Stacked outputs that are xs, or the same in all steps, need no loop."""
    for k in list(loop.trails):
        a = loop.outputs[k]
        if a in loop.xs:
            loop.results[k] = loop.xs[a]
        elif isinstance(a, Literal) or a in loop.consts:
            aval = eqn.outputs[k].aval
            value, repeated = number(a) if isinstance(a, Literal) else loop.consts[a], Var(aval)
            after.append(Eqn(broadcast, [value], {"shape": aval.shape, "axes": (0,)}, [repeated], eqn.source))
            loop.results[k] = repeated
        else:
            continue
        loop.trails.remove(k)
        loop.changed = True


def twice(loop: Loose) -> dict[int, int]:
    """Of outputs that are kept twice, the number of the one that stays."""
    first: dict[Any, int] = {}
    same = {k: j for k in loop.trails if (j := first.setdefault(loop.outputs[k], k)) != k}
    loop.trails = [k for k in loop.trails if k not in same]
    loop.changed |= bool(same)
    return same


def lighter_while(eqn: Eqn) -> Jaxpr | None:
    """A program of the same operands, with a lighter while loop; None if there is none.

    The condition is computed at least once, the body perhaps never.
    """
    parts = Loop(**eqn.params)
    inputs, known = operands_of(eqn)
    cond_consts, consts, carry = parts.split(known)
    loop, test = Loose(parts.body, consts, carry, (), parts.carry), Loose(parts.cond, cond_consts, carry)
    unchanging = loop.unchanging()
    for part in (loop, test):
        part.fix(unchanging)
        part.join_operands()
        part.move_out(sure=part is test)
    same = twice(loop)
    if not (loop.changed or test.changed):
        return None
    smaller = Loop(
        test.program(test.outputs), loop.step(), len(test.consts), len(loop.consts), parts.record, parts.slots
    )
    outs = {k: Var(eqn.outputs[k + (parts.record and k >= parts.carry)].aval) for k in loop.numbers}
    found: dict[int, Atom] = {**outs, **loop.results}
    found.update((k, found[j]) for k, j in same.items())
    results = [found[k] for k in range(len(parts.body.outputs))]
    variables = list(outs.values())
    if parts.record:
        count = Var(eqn.outputs[parts.carry].aval)
        variables.insert(len(loop.carry), count)
        results.insert(parts.carry, count)
    lighter = Eqn(eqn.prim, [*test.consts.values(), *loop.operands], smaller._asdict(), variables, eqn.source)
    before = [*test.before, *loop.before]
    return Jaxpr(inputs, distinct([*test.before_consts, *loop.before_consts]), [*before, lighter], results)


def distinct(consts: list[tuple[Var, Any]]) -> list[tuple[Var, Any]]:
    return list({v: (v, x) for v, x in consts}.values())


def unrolled(eqn: Eqn) -> Jaxpr | None:
    """A scan of few steps of a short body, step by step; None for any other."""
    p: dict[str, Any] = eqn.params
    body, consts, carry, length = p["body"], p["consts"], p["carry"], p["length"]
    if length is None or not (length == 1 or (length <= FEW_STEPS and is_short(body))):
        return None
    inputs, _ = operands_of(eqn)
    eqns: list[Eqn] = []
    states: list[Atom] = list(inputs[consts : consts + carry])
    rows: dict[int, list[Atom]] = {}
    for i in reversed(range(length)) if p["reverse"] else range(length):
        xs = [appended(eqns, eqn, slice_, [x], index=(i, *((0, n, 1) for n in x.aval.shape[1:])))
              for x in inputs[consts + carry :]]  # fmt: skip
        atoms: dict[Any, Atom] = dict(zip(body.inputs, [*inputs[:consts], *states, *xs], strict=True))
        atoms.update((v, v) for v, _ in body.consts)
        eqns += copied(body.eqns, atoms)
        outs = [number(a) if isinstance(a, Literal) else atoms[a] for a in body.outputs]
        states, rows[i] = outs[:carry], outs[carry:]
    trails = [
        appended(eqns, eqn, stack, [rows[i][k] for i in range(length)], axis=0) if length else None
        for k in range(len(body.outputs) - carry)
    ]
    empty = [(Var(v.aval), np.zeros(v.aval.shape, v.aval.dtype)) for v in eqn.outputs[carry:] if not length]
    stacked = trails if length else [v for v, _ in empty]
    return Jaxpr(inputs, [*(body.consts if length else []), *empty], eqns, [*states, *stacked])  # type: ignore[list-item]


def is_short(body: Jaxpr) -> bool:
    return len(body.eqns) <= FEW_EQNS and not any(e.prim.has_programs for e in body.eqns)


def appended(eqns: list[Eqn], origin: Eqn, prim: Any, inputs: list[Any], **params: Any) -> Var:
    """The result of a primitive of one output, whose eqn is appended."""
    (aval,) = prim.abstract(*(a.aval for a in inputs), **params)
    y = Var(aval)
    eqns.append(Eqn(prim, inputs, params, [y], origin.source))
    return y
