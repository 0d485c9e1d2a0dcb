"""Linearisation: compute the value now and record, on a tape, the program that maps tangents to tangents.

    f(x), f'(x) = linearize(f, x)          the tape is read forward by `linearize`, backward by `vjp` and `grad`

Reverse mode is linearize, then transpose. Elementwise operations record their partial derivatives, linear ones record
themselves, and all others are taken apart by their jvp rule, run on tangents that live on the tape.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from xform.core.aval import aval_of, is_inexact
from xform.core.checking import watched
from xform.core.errors import describe
from xform.core.primitive import Linear as Hole
from xform.core.primitive import Primitive, Zero, is_zero
from xform.core.trace import EVAL, PrimalTracer, Trace, alias, context, taken, using
from xform.core.tracebacks import guarded, public
from xform.ops.elementwise import Elementwise, broadcast_shapes
from xform.ops.family import Linear, Multilinear, zero_operand
from xform.transforms.arguments import check_tangent, flatten_checked, leaf_names, matching_leaves
from xform.transforms.flat import Flat, own, zeros
from xform.transforms.protect import protect, release
from xform.transforms.tape import LinearEqn, Tape, TapeTracer, forward


class LinearizeTracer(PrimalTracer):
    """A value whose tangent is the variable `id` of the trace's tape."""

    __slots__ = ("id",)

    def __init__(self, trace: LinearizeTrace, primal: Any, id: Any) -> None:
        self._trace = trace
        self.primal = primal
        self.id = id


class LinearizeConstant(LinearizeTracer):
    """A value whose tangent is zero."""

    __slots__ = ()
    is_constant = True


class LinearizeTrace(Trace):
    """Computes primals in the parent and records tangents on its tape."""

    __slots__ = ("frozen", "lasting", "latest", "tape")

    def __init__(self, parent: Trace, origin: str, lasting: bool = False) -> None:
        self.parent, self.origin, self.lasting = parent, origin, lasting
        self.tape = Tape(parent, origin)
        self.latest: tuple[Any, ...] = (Hole(aval_of(0.0)),)
        self.frozen: dict[int, tuple[np.ndarray, np.ndarray]] = {}

    def new_input(self, primal: Any) -> LinearizeTracer:
        return LinearizeTracer(self, primal, self.tape.new_variable())

    def lower(self, x: Any) -> Any:
        """`x` as seen from outside."""
        return x.primal if isinstance(x, LinearizeTracer) and x._trace is self else x

    def lifted(self, value: Any, recipe: Any) -> LinearizeConstant:
        return LinearizeConstant(self, self.parent.constant(value, recipe), None)

    def process(self, prim: Primitive, args: Any, params: dict[str, Any]) -> list[Any]:
        primals, ids, active, constant = [], [], False, False
        for x in args:
            if type(x) is LinearizeTracer and x._trace is self:
                primals.append(x.primal)
                ids.append(x.id)
                active = True
            elif type(x) is LinearizeConstant and x._trace is self:
                primals.append(x.primal)  # whoever writes into it later finds that it is held
                ids.append(None)
                constant = True
            else:
                primals.append(self.keep(x) if type(x) is np.ndarray else alias(x) if self.lasting else x)
                ids.append(None)
        if not active:
            return self.of_constants(prim, args, params) if constant else self.parent.process(prim, args, params)
        outer, context.trace = context.trace, self.parent
        try:
            return recorder(prim)(self, prim, primals, ids, params)
        finally:
            context.trace = outer

    def of_constants(self, prim: Primitive, args: Any, params: dict[str, Any]) -> list[Any]:
        with using(self.parent):
            return [LinearizeConstant(self, y, None) for y in prim.bind(*map(self.lower, args), **params)]

    def update(self, prim: Primitive, held: list[Any], operands: Any, params: dict[str, Any]) -> Any:
        """A linear change: the primal's is done, the tangent's is recorded."""
        x = held[0]
        if not isinstance(prim, Linear) or not isinstance(x, LinearizeTracer) or x._trace is not self:
            return self.process(prim, (x, *operands), params)[0]
        ids = [x.id, *(v.id if type(v) is LinearizeTracer and v._trace is self else None for v in operands)]
        values = [self.keep(v) if type(v) is np.ndarray else self.lower(v) for v in operands]
        del x
        with taken(held, "primal") as (primal,), using(self.parent):
            y = self.parent.update(prim, primal, values, params)
            if all(i is None for k, i in enumerate(ids) if prim.is_linear_in(k)) or y.dtype.kind not in "fc":
                return LinearizeConstant(self, y, None)
            holes = [
                (zero_operand(v) if prim.is_linear_in(k) else v) if i is None else Hole(aval_of(v), i)
                for k, (v, i) in enumerate(zip([y, *values], ids, strict=True))
            ]
            return record_call(self, prim, holes, params, y)

    def note(self, application: Any) -> None:
        self.tape.note(application)

    def operand(self, primal: Any, id: Any) -> tuple[Any, ...]:
        """The variable as the only argument of a linear operation; a loop that reads x[i] shares one."""
        if self.latest[0].id != id:
            self.latest = (Hole(aval_of(primal), id),)
        return self.latest

    def keep(self, x: np.ndarray) -> np.ndarray:
        """A plain array that may become a residual must not change before the backward sweep.

        Small ones are copied. Large ones are read-only until the function has returned: writing into them raises. If
        the tape is `lasting`, kept by the user, it gets one copy of each.
        """
        if x.size <= 256:
            return x.copy()
        if id(x) not in self.frozen and protect(x):
            self.frozen[id(x)] = x, (x.copy() if self.lasting else x)
        return self.frozen[id(x)][1] if id(x) in self.frozen else x

    def thaw(self) -> None:
        if self.frozen:
            release(x for x, _ in self.frozen.values())


def record_elementwise(
    trace: LinearizeTrace, prim: Any, primals: list[Any], ids: list[int | None], params: dict[str, Any]
) -> list[Any]:
    """y_dot = sum of x_dot * partial: the partials are computed now, nothing is staged."""
    parent = trace.parent
    try:
        y = prim.function(*primals) if parent is EVAL else parent.process(prim, primals, params)[0]
    except ValueError:
        broadcast_shapes(prim.name, primals)  # says more than NumPy's error
        raise
    shape, dtype = y.shape, y.dtype
    terms, out_aval = [], None
    for k, i in enumerate(ids):
        if i is not None and (d := prim.partials[k]) is not None:
            x, aval = primals[k], None
            if x.shape != shape or x.dtype is not dtype or dtype.char not in "dD":  # narrow ones, partials may widen
                aval, out_aval = aval_of(x), aval_of(y)
            if type(d) is int:
                terms.append((i, None if d == 1 else d, aval))
            else:
                terms.append((i, d(y, *primals) if prim.regular else prim.partial(k, y, primals), aval))
    if not terms:
        return [y]
    tape = trace.tape
    out = tape.size
    tape.size = out + 1
    tape.entries.append((out, tuple(terms), out_aval))  # of tuples, which the garbage collector need not visit again
    return [LinearizeTracer(trace, y, out)]


def record_linear(
    trace: LinearizeTrace, prim: Any, primals: list[Any], ids: list[int | None], params: dict[str, Any]
) -> list[Any]:
    """A jointly linear operation records itself, with zeros for the linear operands that are constant."""
    parent = trace.parent
    y = (prim.numpy(*primals, **params) if parent is EVAL else parent.process(prim, primals, params))[0]
    if y.dtype.kind not in "fc":
        return [y]
    if len(primals) == 1:
        return [record_call(trace, prim, trace.operand(primals[0], ids[0]), params, y)]
    holes = [
        (zero_operand(x) if prim.is_linear_in(k) else x) if i is None else Hole(aval_of(x), i)
        for k, (x, i) in enumerate(zip(primals, ids, strict=True))
    ]
    return [record_call(trace, prim, holes, params, y)]


def record_multilinear(
    trace: LinearizeTrace, prim: Any, primals: list[Any], ids: list[int | None], params: dict[str, Any]
) -> list[Any]:
    """A product records itself once per factor that varies, the other factors being residuals."""
    y = trace.parent.process(prim, primals, params)[0]
    parts = []
    for k, i in enumerate(ids):
        if i is not None and k in prim.linear_in:
            hole = Hole(aval_of(primals[k]), i)
            parts.append(record_call(trace, prim, [*primals[:k], hole, *primals[k + 1 :]], params, y))
    if len(parts) <= 1:
        return parts or [y]
    out = trace.tape.new_variable()
    trace.tape.entries.append((out, [(part.id, None, None) for part in parts], None))
    return [LinearizeTracer(trace, y, out)]


def record_call(trace: LinearizeTrace, prim: Primitive, args: Sequence[Any], params: dict[str, Any], y: Any) -> Any:
    tape = trace.tape
    out = tape.size
    tape.size = out + 1
    tape.entries.append(LinearEqn(prim, args, params, (Hole(aval_of(y), out),)))
    return LinearizeTracer(trace, y, out)


def record_jvp(
    trace: LinearizeTrace, prim: Primitive, primals: list[Any], ids: list[int | None], params: dict[str, Any]
) -> list[Any]:
    """Any other operation: run its jvp rule on tangents that live on the tape."""
    tape = trace.tape
    tangents = [
        Zero.like(x) if i is None else TapeTracer(tape, i, aval_of(x)) for x, i in zip(primals, ids, strict=True)
    ]
    with using(tape):
        outs, out_tangents = prim.linearize(primals, tangents, **params)
    return [
        LinearizeTracer(trace, y, t.id) if type(t) is TapeTracer and t._trace is tape else y
        for y, t in zip(outs, out_tangents, strict=True)
    ]


_RECORDERS: dict[type, Callable[..., list[Any]]] = {}


def recorder(prim: Primitive) -> Callable[..., list[Any]]:
    """How a primitive is recorded: by its family, unless its class has a derivative rule of its own."""
    kind = type(prim)
    found = _RECORDERS.get(kind)
    if found is None:
        families = {
            Elementwise.jvp: record_elementwise,
            Linear.jvp: record_linear,
            Multilinear.jvp: record_multilinear,
        }
        own = kind.linearize is not Primitive.linearize
        found = _RECORDERS[kind] = record_jvp if own else families.get(kind.jvp, record_jvp)
    return found


def linearize_flat(
    f: Flat, primals: Sequence[Any], origin: str, lasting: bool = False
) -> tuple[list[Any], list[int | None], Tape]:
    """Results, the tape variable of each (None for a constant), and the tape; its first variables are the inputs.

    The tape of a linear function that the user keeps is `lasting`: arguments and results are not its residuals, but
    copies are, so that writing into them later does not change the derivative.
    """
    trace = LinearizeTrace(context.trace, origin, lasting)
    inputs = [trace.new_input(copied(x) if lasting else x) for x in primals]
    try:
        with using(watched(trace)):
            outs = f(*inputs)
    except ValueError as error:
        if trace.frozen and "read-only" in str(error):
            error.add_note(
                f"Inside {origin} an array that took part in a traced computation was to be overwritten, which would "
                "falsify the derivative. Write into a copy (a = a.copy()), or make a new array."
            )
        raise
    finally:
        trace.thaw()
    f.lower_aux(trace.lower)
    values = list(outs)
    ids: list[int | None] = [None] * len(outs)
    for k, y in enumerate(outs):
        if isinstance(y, LinearizeTracer) and y._trace is trace:
            values[k], ids[k] = y.primal, y.id
    return [copied(y) for y in values] if lasting else values, ids, trace.tape


def copied(x: Any) -> Any:
    return x.copy() if type(x) is np.ndarray else alias(x)


@public
def linearize(f: Callable[..., Any], *primals: Any, has_aux: bool = False) -> Any:
    """Evaluate `f(*primals)` and return with it the linear function f'(x), which maps tangents to tangents.

    Applying the linear function again and again is cheaper than as many calls of `jvp`. Returns `(out, f_jvp)`, and
    with `has_aux` `(out, f_jvp, aux)`.

    >>> y, f_jvp = linearize(lambda x: x * x, 3.0)
    >>> y, f_jvp(1.0), f_jvp(10.0)
    (np.float64(9.0), np.float64(6.0), np.float64(60.0))
    """
    origin = f"linearize of {describe(f)}"
    xs, structure = flatten_checked(origin, primals, lambda: leaf_names(f, primals))
    run = Flat(f, structure, has_aux)
    active = [k for k, x in enumerate(xs) if is_inexact(x.dtype)]
    run.fix(xs, active)
    ys, ids, tape = linearize_flat(run, [xs[k] for k in active], origin, lasting=True)
    out_avals = [aval_of(y) for y in ys]
    in_avals = [aval_of(x) for x in xs]

    @guarded
    def f_jvp(*tangents: Any) -> Any:
        x_dots = matching_leaves(origin, "tangents", structure, tangents, "primals")
        x_dots = [
            check_tangent(origin, f, tangents, k, a, t) for k, (a, t) in enumerate(zip(in_avals, x_dots, strict=True))
        ]
        env = [None if is_zero(x_dots[k]) else x_dots[k] for k in active]
        forward(tape, env)
        y_dots = [None if i is None else env[i] for i in ids]
        y_dots = [zeros(a.tangent()) if t is None else t for a, t in zip(out_avals, y_dots, strict=True)]
        return run.unflatten(own(y_dots))

    out = run.unflatten(ys), f_jvp
    return (*out, run.aux) if has_aux else out
