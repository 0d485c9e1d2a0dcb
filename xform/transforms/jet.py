"""Taylor mode: push a truncated power series through a function, for derivatives of high order in one direction.

With x(t) = x[0] + x[1] t + ... a primitive y = f(x) has y[0] = f(x[0]) and y[k] = (1/k) [f'(x) x'(t)]_{k-1}. The
second equation is the jvp rule, read on series; since series are lazy, and a primitive met again on the same series is
the same series, the recurrence closes on itself. So no primitive needs a Taylor rule of its own (Griewank and Walther,
Evaluating Derivatives, chapter 13; Bettencourt, Johnson and Duvenaud 2019, Taylor-mode automatic differentiation).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from sys import getrefcount
from typing import Any

import numpy as np

from xform.core import tree
from xform.core.aval import Aval, aval_of, is_inexact
from xform.core.checking import watched
from xform.core.errors import describe
from xform.core.primitive import Primitive, Zero, is_zero
from xform.core.series import Series
from xform.core.trace import SOLE, Trace, Tracer, concrete, context, taken, underlying, using
from xform.core.tracebacks import public
from xform.ops.family import Linear, instantiate
from xform.transforms.arguments import check_tangent, flatten_checked, leaf_names, matching_leaves
from xform.transforms.flat import Flat, materialize


class JetTracer(Tracer):
    """A value that is a power series in t."""

    __slots__ = ("series",)

    def __init__(self, trace: JetTrace, series: Series) -> None:
        self._trace = trace
        self.series = series

    @property
    def aval(self) -> Aval:
        return aval_of(self.series[0])

    def concrete(self) -> Any:
        return concrete(self.series[0])

    def underlying(self) -> Any:
        return underlying(self.series[0])

    def carried(self) -> list[tuple[str, Any]]:
        names = ["", *(f"Taylor coefficient {k}" for k in range(1, (self._trace.order or 0) + 1))]  # type: ignore[attr-defined]
        return [(name, self.series[k]) for k, name in enumerate(names)]


class JetConstant(JetTracer):
    """A value that does not vary with t."""

    __slots__ = ()
    is_constant = True

    def carried(self) -> list[tuple[str, Any]]:
        return [("", self.series[0])]


class JetTrace(Trace):
    """Applies each primitive's Taylor rule.

    The trace of a program computes all coefficients up to `order` at once. The trace in which a jvp rule runs is lazy
    (its order is None), and knows the series it has met: `memo`.
    """

    __slots__ = ("memo", "order")

    def __init__(self, parent: Trace, origin: str, order: int | None) -> None:
        super().__init__(parent, origin)
        self.order = order
        self.memo: dict[Any, Any] = {}

    def process(self, prim: Primitive, args: Any, params: dict[str, Any]) -> list[Any]:
        mine = [type(x) is JetTracer and x._trace is self for x in args]
        if any(type(x) is JetConstant for x in args):
            args, constant = [self.lower(x) if type(x) is JetConstant else x for x in args], True
        else:
            constant = False
        if not any(mine):
            return self.of_constants(prim, args, params) if constant else self.parent.process(prim, args, params)
        series = [x.series if m else Series.constant(x) for x, m in zip(args, mine, strict=True)]
        lazy = self if self.order is None else JetTrace(self.parent, self.origin, None)
        with using(self.parent):
            outs = prim.jet(series, Apply(lazy, self.order), **params)
            if self.order is not None:
                for out in outs:
                    out.close(self.order)
        return [out[0] if out.is_constant else JetTracer(self, out) for out in outs]

    def of_constants(self, prim: Primitive, args: Any, params: dict[str, Any]) -> list[Any]:
        with using(self.parent):
            return [JetConstant(self, Series.constant(y)) for y in prim.bind(*args, **params)]

    def lifted(self, value: Any, recipe: Any) -> JetConstant:
        return JetConstant(self, Series.constant(self.parent.constant(value, recipe)))

    def update(self, prim: Primitive, held: list[Any], operands: Any, params: dict[str, Any]) -> Any:
        """A linear change: that of each coefficient, by the coefficients of the operands."""
        x = held[0]
        if self.order is None or not isinstance(prim, Linear) or type(x) is not JetTracer or x._trace is not self:
            return self.process(prim, (x, *operands), params)[0]
        del x
        rest = [Apply(self).unwrap(v).first(self.order + 1) for v in operands]
        with taken(held, "series") as (part,), using(self.parent):
            terms = part[0].first(self.order + 1)
            series = part.pop()
            if getrefcount(series) == SOLE:
                series.forget()
            try:
                for k in range(self.order + 1):
                    self.update_term(prim, terms, k, rest, params)
            finally:
                part.append(Series.of(terms))
            return JetTracer(self, part[0])

    def update_term(self, prim: Any, terms: list[Any], k: int, rest: list[list[Any]], params: dict[str, Any]) -> None:
        """The k-th coefficient of the changed array in the place of that of the old one."""
        values, dots = [v[0] for v in rest], [v[k] for v in rest]
        varies = any(not is_zero(v) for j, v in enumerate(dots, 1) if prim.is_linear_in(j))
        if is_zero(terms[k]) and not varies:
            return
        cell, terms[k] = [instantiate(terms[k])], None
        try:
            terms[k] = self.parent.update(prim, cell, prim.moved([None, *values], [terms[0], *dots])[1:], params)
        finally:
            if terms[k] is None:
                terms[k] = cell[0]

    def lower(self, x: Any) -> Any:
        """`x` as seen from outside: its zeroth coefficient."""
        return x.series[0] if isinstance(x, JetTracer) and x._trace is self else x


class Apply:
    """What a Taylor rule is handed: the means to run functions on series, and the order wanted (None if unknown)."""

    __slots__ = ("order", "trace")

    def __init__(self, trace: JetTrace, order: int | None = None) -> None:
        self.trace, self.order = trace, order

    def __call__(self, f: Callable[..., Sequence[Any]], *series: Series) -> list[Series]:
        """The series of the results of `f`, a function of arrays written in primitives."""
        with using(self.trace):
            outs = f(*map(self.wrap, series))
        return [self.unwrap(y) for y in outs]

    def wrap(self, s: Series) -> Any:
        return s[0] if s.is_constant else JetTracer(self.trace, s)

    def unwrap(self, y: Any) -> Series:
        if is_zero(y):
            return Series(lambda k: y)
        return y.series if isinstance(y, JetTracer) and y._trace is self.trace else Series.constant(y)

    def constant(self, prim: Primitive, series: Sequence[Series], params: dict[str, Any]) -> list[Series]:
        """The rule of a primitive whose results do not vary (integers, booleans)."""
        return [Series.constant(y) for y in prim.bind(*(s[0] for s in series), **params)]

    def from_jvp(self, prim: Primitive, series: Sequence[Series], params: dict[str, Any]) -> list[Series]:
        """The rule that follows from the jvp rule: y[k] = [y']_{k-1} / k with y' = f'(x) x'."""
        key = prim, tuple(id(s[0]) if s.is_constant else id(s) for s in series), identity(params)
        if key not in self.trace.memo:
            outs = prim.bind(*(s[0] for s in series), **params)
            rates = Once(lambda: self.rates(prim, series, params))
            ys = [integral(y, k, rates) if is_inexact(y.dtype) else Series.constant(y) for k, y in enumerate(outs)]
            self.trace.memo[key] = ys, series, params  # all are kept so that their ids stay theirs
        return self.trace.memo[key][0]

    def rates(self, prim: Primitive, series: Sequence[Series], params: dict[str, Any]) -> list[Series]:
        """dy/dt as series, by the jvp rule in the direction x'."""
        n = len(series)
        dots = [s for s in series if not s.is_constant]

        def y_dot(*values: Any) -> list[Any]:
            moving = iter(values[n:])
            tangents = [
                Zero.like(x) if s.is_constant else next(moving) for s, x in zip(series, values[:n], strict=True)
            ]
            tangents = [
                t if is_inexact(x.dtype) else Zero.like(x)
                for t, x in zip(tangents, map(aval_of, values[:n]), strict=True)
            ]
            return prim.jvp(values[:n], tangents, **params)[1]

        return self(y_dot, *series, *(s.derivative() for s in dots))


class Once:
    """A value computed at first use."""

    __slots__ = ("_compute", "_value")

    def __init__(self, compute: Callable[[], Any]) -> None:
        self._compute: Any = compute

    def __call__(self) -> Any:
        if self._compute is not None:
            self._value, self._compute = self._compute(), None
        return self._value


def identity(params: dict[str, Any]) -> tuple[Any, ...]:
    """What tells parameters apart: their text, but of programs and functions, which is not all of them, their id."""
    return tuple((name, id(p) if callable(p) else repr(p)) for name, p in params.items())


def integral(y: Any, k: int, rates: Once) -> Series:
    """The series with y[0] = y and y' = rates[k]."""

    def term(m: int) -> Any:
        if m == 0:
            return y
        rate = rates()[k][m - 1]
        return rate if is_zero(rate) or m == 1 else rate / m

    return Series(term)


@public
def jet(f: Callable[..., Any], primals: Sequence[Any], series: Sequence[Any]) -> Any:
    """Push a Taylor polynomial through `f`: derivatives of all orders along a curve.

    For the curve x(t) with x(0) = `primals` and derivatives d^k x/dt^k (0) = `series[argument][k-1]`, returns
    `(f(x(0)), [d^k f(x(t))/dt^k (0) for k = 1 ... order])`, the second for each array of the result. These are
    derivatives, not coefficients: the factor 1/k! is not in them (JAX's convention).

    Raises TypeError or ValueError if `primals` and `series` do not match.

    >>> import numpy as np
    >>> y, (y1, y2, y3) = jet(np.sin, (0.0,), ((1.0, 0.0, 0.0),))
    >>> print(y, y1, y2, y3)
    0.0 1.0 0.0 -1.0
    """
    origin = f"jet of {describe(f)}"
    primals, series = tuple(primals), tuple(series)
    if len(primals) != len(series):
        raise TypeError(f"{origin}: {len(primals)} primals and {len(series)} series were given; wanted one series each")
    lengths = {len(s) for s in series}
    if len(lengths) != 1:
        raise ValueError(f"{origin}: the series must have one length, the order; given were lengths {sorted(lengths)}")
    (order,) = lengths
    xs, structure = flatten_checked(origin, primals, lambda: leaf_names(f, primals))
    terms = [
        matching_leaves(origin, f"terms {k + 1}", structure, tuple(s[k] for s in series), "primals")
        for k in range(order)
    ]
    terms = [
        [check_tangent(origin, f, primals, j, x, t) for j, (x, t) in enumerate(zip(xs, row, strict=True))]
        for row in terms
    ]
    trace = JetTrace(context.trace, origin, order)
    inputs = [
        JetTracer(trace, coefficients(x, [row[j] for row in terms])) if is_inexact(x.dtype) else x
        for j, x in enumerate(xs)
    ]
    run = Flat(f, structure, False)
    with using(watched(trace)):
        outs = run(*inputs)
    ys = [trace.lower(y) for y in outs]
    derivatives = [derivatives_of(Apply(trace).unwrap(y), value, order) for y, value in zip(outs, ys, strict=True)]
    return run.unflatten(ys), tree.unflatten(run.out_tree, derivatives)


def coefficients(x: Any, derivatives: Sequence[Any]) -> Series:
    """Derivatives to Taylor coefficients: x[k] = x^(k) / k!."""

    def term(k: int) -> Any:
        if k == 0:
            return x
        if k > len(derivatives) or is_zero(derivatives[k - 1]):
            return Zero.like(x)
        return derivatives[k - 1] if k == 1 else derivatives[k - 1] / float(math.factorial(k))

    return Series(term)


def derivatives_of(series: Series, y: Any, order: int) -> list[Any]:
    """Taylor coefficients to derivatives: y^(k) = k! y[k]."""
    terms = [materialize(series[k], y) for k in range(1, order + 1)]
    return [
        t if k == 1 or not is_inexact(np.dtype(t.dtype)) else t * float(math.factorial(k))
        for k, t in enumerate(terms, 1)
    ]
