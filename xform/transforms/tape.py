"""The linear program that linearisation records, and its two readings: forward for tangents, backward for cotangents.

The tape is a list of entries in the order of evaluation; a variable is a number. An elementwise operation is a `scale`

    (out, ((in, partial, aval), ...), out_aval)          x_dot[out] = sum of x_dot[in] * partial

without any further ado, where a partial of None is one, and avals are given only where shapes or dtypes differ, that is
where a tangent must be broadcast and a cotangent summed. Anything else is a `LinearEqn`, a primitive with holes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from xform.core.aval import Aval, aval_of, shape_of
from xform.core.checking import is_checking
from xform.core.jaxpr import has_effect
from xform.core.primitive import Linear, Primitive, Zero
from xform.core.trace import Trace, Tracer, concrete, context, using
from xform.ops.elementwise import Elementwise, fit_cotangent
from xform.ops.structure import broadcast_to, convert
from xform.transforms.accumulate import Accumulator
from xform.transforms.blame import checked_push, checked_sweep


class LinearEqn:
    """outs = prim(*args), an argument that is `Linear` standing for the tape variable of its id."""

    __slots__ = ("args", "outs", "params", "prim")

    def __init__(self, prim: Primitive, args: Sequence[Any], params: dict[str, Any], outs: Sequence[Linear]) -> None:
        self.prim, self.args, self.params, self.outs = prim, args, params, outs


class TapeTracer(Tracer):
    """A tangent that is known only as a variable of the tape."""

    __slots__ = ("_aval", "id")

    def __init__(self, trace: Trace, id: Any, aval: Aval) -> None:
        self._trace, self.id, self._aval = trace, id, aval

    @property
    def aval(self) -> Aval:
        return self._aval


class TapeConstant(TapeTracer):
    """A value that depends on no variable; it is kept as `id`."""

    __slots__ = ()
    is_constant = True

    def __init__(self, trace: Trace, value: Any) -> None:
        self._trace, self.id, self._aval = trace, value, aval_of(value)

    def concrete(self) -> Any:
        return concrete(self.id)

    def carried(self) -> list[tuple[str, Any]]:
        return [("", self.id)]


class Tape(Trace):
    """Records what touches one of its tracers; all else is done now, by the parent."""

    __slots__ = ("applications", "entries", "size")

    def __init__(self, parent: Trace, origin: str) -> None:
        self.parent, self.origin = parent, origin
        self.entries: list[Any] = []
        self.size = 0
        self.applications: Any = ()  # while checks are on: of each entry what the user applied

    def new_variable(self) -> int:
        self.size += 1
        return self.size - 1

    def note(self, application: Any) -> None:
        new = len(self.entries) - len(self.applications)
        if new > 0:
            self.applications = self.applications or []
            self.applications.extend([application] * new)

    def process(self, prim: Primitive, args: Any, params: dict[str, Any]) -> list[Any]:
        constant = any(type(x) is TapeConstant and x._trace is self for x in args)
        if constant:
            args = [x.id if type(x) is TapeConstant and x._trace is self else x for x in args]
        if not any(type(x) is TapeTracer and x._trace is self for x in args):
            outs = self.parent.process(prim, args, params)
            return [TapeConstant(self, y) for y in outs] if constant else outs
        holes = [Linear(x.aval, x.id) if type(x) is TapeTracer and x._trace is self else x for x in args]
        avals = prim.abstract(*(aval_of(x) for x in args), **params)
        if type(prim).transpose is Elementwise.transpose:
            return [self.scale(prim, holes, avals[0])]
        return self.call(prim, holes, params, avals)

    def lifted(self, value: Any, recipe: Any) -> TapeConstant:
        return TapeConstant(self, self.parent.constant(value, recipe))

    def scale(self, prim: Any, holes: Sequence[Any], aval: Aval) -> TapeTracer:
        known = prim.known(holes)
        terms = [
            (x.id, factor(prim.linear_partial(k, known)), x.aval) for k, x in enumerate(holes) if type(x) is Linear
        ]
        out = self.new_variable()
        self.entries.append((out, terms, aval))
        return TapeTracer(self, out, aval)

    def call(self, prim: Primitive, holes: Sequence[Any], params: dict[str, Any], avals: Sequence[Aval]) -> list[Any]:
        outs = [Linear(a, self.new_variable()) for a in avals]
        self.entries.append(LinearEqn(prim, holes, params, outs))
        tracers = [TapeTracer(self, o.id, o.aval) for o in outs]
        if prim.reached is None or has_effect(prim, params):
            return tracers
        reached = reached_by_unknowns(self.entries[-1])
        if all(reached) or any(None in a.shape for a in holes if type(a) is Linear):
            return tracers
        with using(self.parent):  # what does not depend on the unknowns is the same at zero
            constants = prim.bind(*map(zero_of, holes), **params)
        return [y if r else c for y, c, r in zip(tracers, constants, reached, strict=True)]


def reached_by_unknowns(eqn: LinearEqn) -> Sequence[bool]:
    """Which results depend on the unknowns? A counter of the steps of a loop does not, for one."""
    if eqn.prim.reached is None:
        return [True] * len(eqn.outs)
    return eqn.prim.reached([type(a) is Linear for a in eqn.args], **eqn.params)


def zero_of(a: Any) -> Any:
    """Zeros for an unknown, and a constant itself."""
    return np.zeros(a.shape, a.dtype) if type(a) is Linear else a


def factor(partial: Any) -> Any:
    """A partial derivative as the tape has it: None for the constant 1."""
    return None if type(partial) is int and partial == 1 else partial


def forward(tape: Tape, env: list[Any]) -> None:
    """Push tangents through the tape: fill in `env`, indexed by variable, None meaning zero."""
    env.extend([None] * (tape.size - len(env)))
    if is_checking():
        checked_push(tape, env, push)
    else:
        push(tape.entries, env)


def push(entries: Sequence[Any], env: list[Any]) -> None:
    """Push tangents through entries."""
    for entry in entries:
        if type(entry) is tuple:
            out, terms, out_aval = entry
            env[out] = scale_forward(env, terms, out_aval)
        elif any(type(a) is Linear and env[a.id] is not None for a in entry.args):
            args = [tangent_of(env, a) if type(a) is Linear else a for a in entry.args]
            for o, value in zip(entry.outs, entry.prim.bind(*args, **entry.params), strict=True):
                env[o.id] = value


def tangent_of(env: list[Any], hole: Linear) -> Any:
    x_dot = env[hole.id]
    return np.zeros(hole.shape, hole.dtype) if x_dot is None else x_dot


def scale_forward(env: list[Any], terms: Sequence[Any], out_aval: Aval | None) -> Any:
    y_dot = None
    for i, p, _ in terms:
        if env[i] is not None:
            term = env[i] if p is None else env[i] * p
            y_dot = term if y_dot is None else y_dot + term
    if y_dot is None or out_aval is None:
        return y_dot
    y_dot = broadcast_to(y_dot, out_aval.shape)
    return y_dot if y_dot.dtype == out_aval.dtype else convert(y_dot, dtype=out_aval.dtype)


def backward(tape: Tape, bars: list[Any], consume: bool = False) -> None:
    """Pull cotangents back through the tape: `bars`, indexed by variable, None meaning zero, are filled in.

    A variable's cotangent is complete, and released, when its defining entry is reached. With `consume` the tape is
    eaten up on the way, so that residuals are released as soon as they have been used.
    """
    bars.extend([None] * (tape.size - len(bars)))
    stack = tape.entries if consume else tape.entries.copy()
    add = Accumulator(bars)
    with np.errstate(all="ignore"):
        if is_checking():
            checked_sweep(tape, stack, bars, add, sweep)
        else:
            sweep(stack, bars, add)
        for i in list(add.reads):
            add.complete(i)


def sweep(stack: list[Any], bars: list[Any], add: Accumulator) -> None:
    """Pull cotangents back through the entries of a stack, from its top."""
    reads = add.reads
    while stack:
        entry = stack.pop()
        if type(entry) is tuple:
            out, terms, _ = entry
            if out in reads:
                add.complete(out)
            bar = bars[out]
            if bar is None:
                continue
            bars[out] = None
            for i, p, aval in terms:
                x_bar = bar if p is None else bar * p
                if aval is not None:
                    x_bar = fit_cotangent(x_bar, aval)
                if bars[i] is None:
                    bars[i] = x_bar
                else:
                    add(i, x_bar)
        else:
            bar = x_bar = None  # a cotangent that nobody else holds is changed in place
            pull_back(entry, bars, add)


def pull_back(eqn: LinearEqn, bars: list[Any], add: Accumulator) -> None:
    """One primitive's step backward."""
    outs = take(eqn, bars, add)
    if outs is None:
        return
    prim, args, params = eqn.prim, eqn.args, eqn.params
    if prim.accumulate is not None and add.in_place:
        prim.accumulate(add.buffer(args[0]), outs[0], *args, **params)
        return
    if not add.in_place and (add.scatter(eqn, outs[0]) or add.keep(eqn, outs[0])):
        return
    if prim.values_cotangent is not None:
        undo(eqn, outs, bars, add)
        return
    for hole, x_bar in zip(args, prim.transpose(outs, *args, **params), strict=True):
        if x_bar is not None and type(hole) is Linear and type(x_bar) is not Zero:
            if bars[hole.id] is None:
                bars[hole.id] = x_bar
            else:
                add(hole.id, x_bar)


def undo(eqn: LinearEqn, held: list[Any], bars: list[Any], add: Accumulator) -> None:
    """The step backward of a write: the cotangent of the new array becomes that of the old one, in place if it can.

    Those of the values are read first; what is overwritten has none.
    """
    prim, (x, v, *places), params = eqn.prim, eqn.args, eqn.params
    v_bar = prim.values_cotangent(held[0], x, v, *places, **params) if type(v) is Linear else None
    if type(x) is Linear:
        if prim.overwrites:
            nothing = np.zeros(shape_of(v), held[0].dtype)
            x_bar = context.trace.update(prim, held, (nothing, *places), params)
        else:
            x_bar = held.pop()
        receive(bars, x.id, x_bar, add)
    if v_bar is not None:
        receive(bars, v.id, v_bar, add)


def receive(bars: list[Any], i: int, bar: Any, add: Accumulator) -> None:
    if bars[i] is None:
        bars[i] = bar
    else:
        add(i, bar)


def take(eqn: LinearEqn, bars: list[Any], add: Accumulator) -> list[Any] | None:
    """The completed cotangents of the results, which are released; None if all are zero."""
    taken, found = [], False
    for o in eqn.outs:
        if o.id in add.reads:
            add.complete(o.id)
        taken.append(bars[o.id])
        bars[o.id] = None
        found = found or taken[-1] is not None
    if not found:
        return None
    if len(taken) > 1:
        zero = Zero if eqn.prim.takes_zeros else zeros
        taken = [zero(o.aval) if bar is None else bar for o, bar in zip(eqn.outs, taken, strict=True)]
    return taken


def zeros(aval: Aval) -> np.ndarray:
    return np.zeros(aval.shape, aval.dtype)
