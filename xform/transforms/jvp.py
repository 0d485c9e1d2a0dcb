"""Forward-mode differentiation: every value carries its tangent along."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from xform.core.checking import watched
from xform.core.errors import describe
from xform.core.primitive import Primitive, Zero, is_zero
from xform.core.trace import EVAL, PrimalTracer, Trace, context, taken, using
from xform.core.tracebacks import public
from xform.ops.elementwise import Elementwise, broadcast_shapes, fit_tangent
from xform.ops.family import Linear
from xform.transforms.arguments import check_tangent, flatten_checked, leaf_names, matching_leaves
from xform.transforms.flat import Flat, materialize, own


class JVPTracer(PrimalTracer):
    """A value and its tangent."""

    __slots__ = ("tangent",)

    def __init__(self, trace: JVPTrace, primal: Any, tangent: Any) -> None:
        self._trace = trace
        self.primal = primal
        self.tangent = tangent

    def carried(self) -> list[tuple[str, Any]]:
        return [("", self.primal), ("tangent", self.tangent)]


class JVPConstant(JVPTracer):
    """A value whose tangent is zero."""

    __slots__ = ()
    is_constant = True

    def carried(self) -> list[tuple[str, Any]]:
        return [("", self.primal)]


class JVPTrace(Trace):
    """Applies each primitive's jvp rule, in the parent."""

    __slots__ = ()

    def process(self, prim: Primitive, args: Any, params: dict[str, Any]) -> list[Any]:
        primals, tangents, active, constant = [], [], False, False
        for x in args:
            if type(x) is JVPTracer and x._trace is self:
                primals.append(x.primal)
                tangents.append(x.tangent)
                active = True
            elif type(x) is JVPConstant and x._trace is self:
                primals.append(x.primal)
                tangents.append(None)
                constant = True
            else:
                primals.append(x)
                tangents.append(None)
        if not active:
            return self.of_constants(prim, primals, params) if constant else self.parent.process(prim, args, params)
        outer, context.trace = context.trace, self.parent
        try:
            if type(prim).jvp is Elementwise.jvp:
                return [self.elementwise(prim, primals, tangents)]
            zeros = [Zero.like(x) if t is None else t for x, t in zip(primals, tangents, strict=True)]
            outs, out_tangents = prim.jvp(primals, zeros, **params)
        finally:
            context.trace = outer
        return [self.join(y, t) for y, t in zip(outs, out_tangents, strict=True)]

    def of_constants(self, prim: Primitive, primals: list[Any], params: dict[str, Any]) -> list[Any]:
        with using(self.parent):
            return [JVPConstant(self, y, None) for y in prim.bind(*primals, **params)]

    def lifted(self, value: Any, recipe: Any) -> JVPConstant:
        return JVPConstant(self, self.parent.constant(value, recipe), None)

    def update(self, prim: Primitive, held: list[Any], operands: Any, params: dict[str, Any]) -> Any:
        """A linear change: that of the primal and, by the tangents of the operands, that of the tangent."""
        x, rest = held[0], [self.split(v) for v in operands]
        if not isinstance(prim, Linear) or not isinstance(x, JVPTracer) or x._trace is not self:
            return self.process(prim, (x, *operands), params)[0]
        values, tangents, constant = [v for v, _ in rest], [t for _, t in rest], x.is_constant
        varies = any(not is_zero(t) for k, t in enumerate(tangents, 1) if prim.is_linear_in(k))
        del x
        with taken(held, "primal", "tangent") as (primal, tangent), using(self.parent):
            y = self.parent.update(prim, primal, values, params)
            if constant and not varies:
                return JVPConstant(self, y, None)
            if constant:
                tangent[0] = np.zeros(y.shape, y.dtype)
            moved = prim.moved([y, *values], [y, *tangents])[1:]
            return JVPTracer(self, y, self.parent.update(prim, tangent, moved, params))

    def elementwise(self, prim: Any, primals: list[Any], tangents: list[Any]) -> Any:
        """The family's jvp rule without symbolic zeros in between: y_dot = sum of x_dot * partial."""
        parent = self.parent
        try:
            y = prim.function(*primals) if parent is EVAL else parent.process(prim, primals, {})[0]
        except ValueError:
            broadcast_shapes(prim.name, primals)  # says more than NumPy's error
            raise
        y_dot = None
        for k, x_dot in enumerate(tangents):
            if x_dot is not None and (d := prim.partials[k]) is not None:
                term = x_dot if d == 1 else x_dot * prim.partial(k, y, primals)
                y_dot = term if y_dot is None else y_dot + term
        return y if y_dot is None else JVPTracer(self, y, fit_tangent(y_dot, y))

    def join(self, primal: Any, tangent: Any) -> Any:
        return primal if is_zero(tangent) else JVPTracer(self, primal, tangent)

    def split(self, x: Any) -> tuple[Any, Any]:
        if type(x) is JVPTracer and x._trace is self:  # `is`: another jvp's tracer is a constant to us
            return x.primal, x.tangent
        x = self.lower(x)
        return x, Zero.like(x)

    def lower(self, x: Any) -> Any:
        """`x` as seen from outside."""
        return x.primal if isinstance(x, JVPTracer) and x._trace is self else x


def jvp_flat(f: Flat, primals: Sequence[Any], tangents: Sequence[Any], origin: str) -> tuple[list[Any], list[Any]]:
    """Results and their tangents, some of them symbolic zeros."""
    trace = JVPTrace(context.trace, origin)
    with using(watched(trace)):
        outs = f(*map(trace.join, primals, tangents))
        f.lower_aux(trace.lower)
    pairs = [trace.split(y) for y in outs]
    return [y for y, _ in pairs], [y_dot for _, y_dot in pairs]


@public
def jvp(f: Callable[..., Any], primals: Sequence[Any], tangents: Sequence[Any], has_aux: bool = False) -> Any:
    """Evaluate `f(*primals)` and its derivative in the direction `tangents`, f'(x) x_dot (the pushforward).

    `primals` and `tangents` are tuples of trees of arrays of equal structure, shapes and dtypes; the tangent of an
    integer or boolean array has dtype float0. Returns `(out, out_tangent)`, and with `has_aux`, for an `f` that returns
    a pair, `(out, out_tangent, aux)`.

    Raises TypeError if primals and tangents do not match.

    >>> jvp(lambda x: x * x, (3.0,), (1.0,))
    (np.float64(9.0), np.float64(6.0))
    """
    origin = f"jvp of {describe(f)}"
    if not isinstance(primals, tuple | list) or not isinstance(tangents, tuple | list):
        given = f"{type(primals).__name__} and {type(tangents).__name__}"
        raise TypeError(f"{origin}: primals and tangents must be tuples, one entry per argument; given {given}")
    xs, structure = flatten_checked(origin, primals, lambda: leaf_names(f, primals))
    x_dots = matching_leaves(origin, "tangents", structure, tuple(tangents), "primals")
    x_dots = [check_tangent(origin, f, primals, k, x, t) for k, (x, t) in enumerate(zip(xs, x_dots, strict=True))]
    run = Flat(f, structure, has_aux)
    ys, y_dots = jvp_flat(run, xs, x_dots, origin)
    out = run.unflatten(ys), run.unflatten(own([materialize(t, y) for t, y in zip(y_dots, ys, strict=True)]))
    return (*out, run.aux) if has_aux else out
