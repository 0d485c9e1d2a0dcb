"""Which input entries can each output entry depend on? The pattern of a Jacobian, without its numbers.

A value carries, beside its numbers, a boolean array of shape (n, *shape) with n the number of input entries. Each
primitive's sparsity rule combines these; it may be too generous, never too sparse.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from xform.core import tree
from xform.core.aval import aval_of, is_inexact
from xform.core.checking import watched
from xform.core.errors import describe
from xform.core.jaxpr import Atom, Jaxpr, Literal
from xform.core.primitive import Primitive
from xform.core.trace import PrimalTracer, Trace, context, using
from xform.core.tracebacks import public
from xform.transforms.arguments import flatten_checked, leaf_names
from xform.transforms.flat import Flat


class PatternTracer(PrimalTracer):
    """A value and the input entries on which each of its entries depends."""

    __slots__ = ("pattern",)

    def __init__(self, trace: PatternTrace, primal: Any, pattern: Any) -> None:
        self._trace = trace
        self.primal = primal
        self.pattern = pattern


class PatternConstant(PatternTracer):
    """A value that depends on no input."""

    __slots__ = ()
    is_constant = True


class PatternTrace(Trace):
    """Computes primals in the parent and patterns by each primitive's sparsity rule."""

    __slots__ = ()

    def process(self, prim: Primitive, args: Any, params: dict[str, Any]) -> list[Any]:
        mine = [type(x) is PatternTracer and x._trace is self for x in args]
        if any(type(x) is PatternConstant for x in args):
            args, constant = [self.lower(x) if type(x) is PatternConstant else x for x in args], True
        else:
            constant = False
        if not any(mine):
            return self.of_constants(prim, args, params) if constant else self.parent.process(prim, args, params)
        primals = [x.primal if m else x for x, m in zip(args, mine, strict=True)]
        patterns = [x.pattern if m else None for x, m in zip(args, mine, strict=True)]
        with using(self.parent):
            outs = prim.bind(*primals, **params)
            # constant arrays are handed over with their values: an index decides what an output depends on
            known = [
                x if not m and isinstance(x, np.ndarray) else aval_of(x) for x, m in zip(primals, mine, strict=True)
            ]
            out_patterns = prim.sparsity(patterns, known, **params)
        return [y if p is None else PatternTracer(self, y, p) for y, p in zip(outs, out_patterns, strict=True)]

    def of_constants(self, prim: Primitive, args: Any, params: dict[str, Any]) -> list[Any]:
        with using(self.parent):
            return [PatternConstant(self, y, None) for y in prim.bind(*args, **params)]

    def lifted(self, value: Any, recipe: Any) -> PatternConstant:
        return PatternConstant(self, self.parent.constant(value, recipe), None)

    def lower(self, x: Any) -> Any:
        """`x` as seen from outside."""
        return x.primal if isinstance(x, PatternTracer) and x._trace is self else x


def propagate(jaxpr: Jaxpr, patterns: Sequence[Any], known: Sequence[Any]) -> list[Any]:
    """The patterns of a program's outputs, from those of its inputs, of which `known` are the values or avals."""
    env: dict[Any, tuple[Any, Any]] = dict(zip(jaxpr.inputs, zip(patterns, known, strict=True), strict=True))
    env.update((v, (None, x)) for v, x in jaxpr.consts)

    def read(atom: Atom) -> tuple[Any, Any]:
        return (None, np.asarray(atom.value)) if isinstance(atom, Literal) else env[atom]

    for eqn in jaxpr.eqns:
        found = [read(a) for a in eqn.inputs]
        outs = [None] * len(eqn.outputs)
        if any(p is not None for p, _ in found):
            outs = eqn.prim.sparsity([p for p, _ in found], [x for _, x in found], **eqn.params)
        env.update((v, (p, v.aval)) for v, p in zip(eqn.outputs, outs, strict=True))
    return [read(a)[0] for a in jaxpr.outputs]


@public
def sparsity_pattern(f: Callable[..., Any], *args: Any) -> Any:
    """The pattern of the Jacobian of `f` at the given arguments.

    For every array y of the result and x of the arguments, a boolean array of shape y.shape + x.shape which is True
    wherever dy/dx may be different from zero, in a tree like the result of tuples like the arguments (of the argument
    itself, if there is one). It holds for the branches that Python's control flow takes at these arguments.

    >>> import numpy as np
    >>> sparsity_pattern(lambda x: x[1:] * x[:-1], np.ones(3)).astype(int)
    array([[1, 1, 0],
           [0, 1, 1]])
    """
    origin = f"sparsity_pattern of {describe(f)}"
    xs, structure = flatten_checked(origin, args, lambda: leaf_names(f, args))
    sizes = [aval_of(x).size if is_inexact(x.dtype) else 0 for x in xs]
    edges = np.cumsum([0, *sizes])
    trace = PatternTrace(context.trace, origin)
    identity = np.eye(int(edges[-1]), dtype=bool)
    inputs = [
        PatternTracer(trace, x, identity[:, lo : lo + n].reshape(len(identity), *x.shape)) if is_inexact(x.dtype) else x
        for x, lo, n in zip(xs, edges[:-1], sizes, strict=True)
    ]
    run = Flat(f, structure, False)
    with using(watched(trace)):
        outs = run(*inputs)
    rows = []
    for y in outs:
        pattern = y.pattern if type(y) is PatternTracer and y._trace is trace else np.zeros((edges[-1], *y.shape), bool)
        parts = [
            np.moveaxis(pattern[lo : lo + n], 0, -1).reshape((*y.shape, *x.shape))
            if is_inexact(x.dtype)
            else np.zeros((*y.shape, *x.shape), bool)
            for x, lo, n in zip(xs, edges[:-1], sizes, strict=True)
        ]
        row = tree.unflatten(structure, parts)
        rows.append(row[0] if len(args) == 1 else row)
    return run.unflatten(rows)
