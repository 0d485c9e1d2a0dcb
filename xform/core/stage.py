"""Staging: run a function on tracers that know only shape and dtype, and write down what it does as a jaxpr."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from xform.core import tree
from xform.core.aval import Aval, aval_of
from xform.core.checking import current_source, watched
from xform.core.errors import describe
from xform.core.jaxpr import Atom, Eqn, Jaxpr, Literal, Var, has_effect
from xform.core.primitive import Primitive, is_traced
from xform.core.static import Static
from xform.core.trace import EVAL, Trace, Tracer, alias, concrete, context, using
from xform.core.tracebacks import public, standing_for

_SCALARS = frozenset({bool, int, float, complex})


class StageTracer(Tracer):
    """A variable of the program being written; it has a value if the program is written down while it runs."""

    __slots__ = ("value", "variable")

    def __init__(self, trace: Trace, var: Any, value: Any = None) -> None:
        self._trace, self.variable, self.value = trace, var, value

    @property
    def aval(self) -> Aval:
        return self.variable.aval

    def concrete(self) -> Any:
        return concrete(self.value)


class StageConstant(StageTracer):
    """A value that is known, and becomes a part of the program where it meets a variable.

    Until then `variable` is None or the recipe: a primitive, its arguments and parameters.
    """

    __slots__ = ()
    is_constant = True

    @property
    def aval(self) -> Aval:
        return aval_of(self.value)

    def carried(self) -> list[tuple[str, Any]]:
        return [("", self.value)]


class StageTrace(Trace):
    """Writes down what touches one of its tracers, or has an effect, as an eqn; all else is done now, by the parent."""

    __slots__ = ("_const_of", "_noted", "consts", "eqns")

    def __init__(self, parent: Trace, origin: str = "make_jaxpr") -> None:
        super().__init__(parent, origin)
        self.eqns: list[Eqn] = []
        self.consts: list[tuple[Var, Any]] = []
        self._const_of: dict[int, tuple[Var, Any, Any]] = {}
        self._noted = 0

    def new_input(self, aval: Aval) -> StageTracer:
        return StageTracer(self, Var(aval))

    def process(self, prim: Primitive, args: Any, params: dict[str, Any]) -> list[Any]:
        if any(type(x) is StageTracer and x._trace is self for x in args) or has_effect(prim, params):
            return self.record(prim, args, params)
        return self.of_constants(prim, args, params)

    def of_constants(self, prim: Primitive, args: Any, params: dict[str, Any]) -> list[Any]:
        """What no variable enters is done now, by the parent."""
        if not any(type(x) is StageConstant for x in args):
            return self.parent.process(prim, args, params)
        with using(self.parent):
            return [StageConstant(self, None, y) for y in prim.bind(*map(self.lowered, args), **params)]

    def lowered(self, x: Any) -> Any:
        """The value of a constant of this trace; anything else is itself."""
        return x.value if type(x) is StageConstant and x._trace is self else x

    def lifted(self, value: Any, recipe: Any) -> StageConstant:
        return StageConstant(self, recipe, value)

    def record(self, prim: Primitive, args: Any, params: dict[str, Any]) -> list[StageTracer]:
        """Append an eqn, whether or not its arguments are tracers."""
        atoms = [self.atom(x) for x in args]
        avals = prim.abstract(*(a.aval for a in atoms), **params)
        outputs = [Var(a) for a in avals]
        self.eqns.append(Eqn(prim, atoms, params, outputs, current_source()))
        return [StageTracer(self, v) for v in outputs]

    def note(self, application: Any) -> None:
        """A derivative's equations come from the line that is differentiated, not from that which asks for it."""
        for eqn in self.eqns[self._noted :]:
            eqn.source = application.source
        self._noted = len(self.eqns)

    def atom(self, x: Any) -> Atom:
        """The variable or literal by which the program knows the value `x`."""
        if type(x) is StageTracer and x._trace is self:
            return x.variable
        if type(x) is StageConstant and x._trace is self:
            return self.constant_atom(x)
        if type(x) in _SCALARS or isinstance(x, np.generic):
            return Literal(x)
        var, original, captured = self._const_of.get(id(x), (None, None, None))
        if var is None or not unchanged(original, captured):
            var, captured = Var(aval_of(x)), snapshot(x)
            self.consts.append((var, captured))
            self._const_of[id(x)] = var, x, captured  # keeps x, and so its id, alive
        return var

    def constant_atom(self, x: StageConstant) -> Atom:
        """A constant as the program knows it: computed there if it is known how, else captured."""
        if type(x.variable) is tuple:
            prim, args, params = x.variable
            x.variable = self.record(prim, args, params)[0].variable
        return self.atom(alias(x.value)) if x.variable is None else x.variable


class WholeTrace(StageTrace):
    """Writes down what touches any traced value, also one of an enclosing transformation.

    For a part of a program that may not run, or run again: nothing that belongs to it is done in advance.
    """

    __slots__ = ()

    def process(self, prim: Primitive, args: Any, params: dict[str, Any]) -> list[Any]:
        if is_traced(*map(self.lowered, args)) or has_effect(prim, params):
            return self.record(prim, args, params)
        return self.of_constants(prim, args, params)


class FollowTrace(StageTrace):
    """Runs a program and writes it down along the path that the values take, so that it may branch on them."""

    __slots__ = ()

    def record(self, prim: Primitive, args: Any, params: dict[str, Any]) -> list[StageTracer]:
        outs = super().record(prim, args, params)
        values = [concrete(x) for x in args]
        if not has_effect(prim, params) and all(x is not None for x in values):
            with using(EVAL):
                for y, value in zip(outs, prim.bind(*values, **params), strict=True):
                    y.value = value
        return outs


def is_staging(kind: type[StageTrace] = StageTrace) -> bool:
    """Is a program being written (make_jaxpr, jit, ...) at this moment, by whichever enclosing transformation?"""
    trace = context.trace
    while trace is not None and not isinstance(trace, kind):
        trace = trace.parent
    return trace is not None


def snapshot(x: Any) -> Any:
    """A program must not change when the user later writes into an array that it captured."""
    return x.copy() if isinstance(x, np.ndarray) and x.flags.writeable else x


def unchanged(x: Any, captured: Any) -> bool:
    return x is captured or np.array_equal(x, captured, equal_nan=x.dtype.kind in "fc")


def stage(
    f: Callable[..., Sequence[Any]],
    avals: Sequence[Aval],
    origin: str = "make_jaxpr",
    kind: type[StageTrace] = StageTrace,
) -> Jaxpr:
    """The jaxpr of a function from flat arguments to a flat list of results."""
    trace = kind(context.trace, origin)
    inputs = [trace.new_input(a) for a in avals]
    variables = [x.variable for x in inputs]  # before the function writes into them
    with using(watched(trace)):
        outputs = [trace.atom(y) for y in f(*inputs)]
    return Jaxpr(variables, trace.consts, trace.eqns, outputs)


@public
def follow(f: Callable[..., Sequence[Any]], values: Sequence[Any], origin: str) -> Jaxpr:
    """The jaxpr of what a function of flat arguments does at these values: another path is not written down."""
    trace = FollowTrace(context.trace, origin)
    variables = [Var(strong(aval_of(x))) for x in values]
    with using(trace):
        outputs = [
            trace.atom(y) for y in f(*(StageTracer(trace, v, x) for v, x in zip(variables, values, strict=True)))
        ]
    return Jaxpr(variables, trace.consts, trace.eqns, outputs)


def make_jaxpr(
    f: Callable[..., Any], static_argnums: int | Sequence[int] = (), return_shape: bool = False
) -> Callable[..., Any]:
    """A function that returns the jaxpr of `f` at the given arguments, of which only shapes and dtypes matter.

    With `return_shape=True` it returns a pair, the second the tree of result avals. The arguments at the positions
    `static_argnums` are passed on as they are.

    >>> import numpy as np
    >>> print(make_jaxpr(lambda x: np.sin(x) * 2.0)(3.0))
    { lambda ; a:f64[]. let
        b:f64[] = sin a
        c:f64[] = mul b 2.0
      in (c,) }
    """
    origin = f"make_jaxpr of {describe(f)}"
    static = Static(origin, static_argnums)

    @standing_for(f)
    def staged(*args: Any, **kwargs: Any) -> Any:
        dynamic, rest = static.divide(f, args, kwargs)
        leaves, treedef = tree.flatten(dynamic)
        shape: Any = None

        def flat(*xs: Any) -> list[Any]:
            nonlocal shape
            out = rest(*tree.unflatten(treedef, xs))
            ys, out_tree = tree.flatten(out)
            shape = tree.unflatten(out_tree, avals_of(origin, "the result", out, ys))
            return ys

        avals = avals_of(origin, "the arguments", dynamic, leaves)
        jaxpr = stage(flat, [strong(a) for a in avals], origin)
        jaxpr.consts[:] = [(v, alias(x)) for v, x in jaxpr.consts]  # the user may go on to write into them
        return (jaxpr, shape) if return_shape else jaxpr

    return staged


@public
def eval_shape(f: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """The shapes and dtypes of `f(*args, **kwargs)` without computing it; arguments may themselves be avals.

    >>> import numpy as np
    >>> eval_shape(lambda A, x: A @ x, np.ones((3, 4)), np.ones(4))
    f64[3]
    """
    return make_jaxpr(f, return_shape=True)(*args, **kwargs)[1]


def avals_of(origin: str, what: str, value: Any, leaves: Sequence[Any]) -> list[Aval]:
    """The avals of the leaves of `value`; TypeError, saying where in it, for one that is not a number."""
    avals = []
    for k, x in enumerate(leaves):
        try:
            avals.append(aval_of(x))
        except TypeError as error:
            path = tree.keystr(tree.leaves_with_path(value)[k][0])
            raise TypeError(f"{origin}: in {what}{f' at {path}' if path else ''}, {error}") from None
    return avals


def strong(aval: Aval) -> Aval:
    """An input of a program is an array: a Python scalar becomes one of NumPy's default dtype."""
    return Aval(aval.shape, aval.dtype) if aval.weak else aval
