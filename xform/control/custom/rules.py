"""The user's rules as the library calls them: on flat lists of arrays, everything that they return checked.

A rule of a user takes and returns trees; what fits together wrongly is named by rule, function, argument and place.
"""

from __future__ import annotations

import functools
import itertools
import math
import weakref
from collections.abc import Callable, Sequence
from types import CodeType
from typing import Any, NamedTuple

from xform.control.custom.batch import BatchedRules
from xform.control.custom.captures import ClosureError, captured
from xform.control.custom.checks import (
    batched_of,
    check_value,
    cotangents_of,
    derivatives_of,
    is_array,
    pair_of,
    tangents_of,
    unshared,
)
from xform.control.custom.signatures import title_of
from xform.core import tree
from xform.core.aval import Aval, aval_of
from xform.core.errors import LeakedTracerError
from xform.core.primitive import is_zero
from xform.core.series import Series
from xform.core.stage import stage, strong
from xform.core.trace import Tracer
from xform.transforms.arguments import as_array, check_array
from xform.transforms.flat import materialize
from xform.transforms.vmap import Axis, BatchTrace

_serials = itertools.count()

#: rules whose value was compared with the function's
_COMPARED: weakref.WeakSet[CodeType] = weakref.WeakSet()

#: what may go wrong in a function that is staged for a comparison only, and is left for its own run to report
_ANYTHING = (TypeError, ValueError, LookupError, ArithmeticError, RuntimeError, AttributeError, AssertionError)


class CustomVJPPrimal:
    """An argument as a forward rule gets it under `symbolic_zeros=True`: its value, and whether it is varied."""

    __slots__ = ("perturbed", "value")

    def __init__(self, value: Any, perturbed: bool) -> None:
        self.value, self.perturbed = value, perturbed

    def __repr__(self) -> str:
        return f"CustomVJPPrimal(value={self.value!r}, perturbed={self.perturbed})"


class Residuals(NamedTuple):
    """The tree of residuals; its leaves that are no arrays (functions, strings) are kept here."""

    structure: Any
    others: tuple[tuple[int, Any], ...]

    @property
    def opaque(self) -> bool:
        return bool(self.others)

    def unflatten(self, values: Sequence[Any]) -> Any:
        rest, others = iter(values), dict(self.others)
        count = len(values) + len(others)
        return tree.unflatten(self.structure, [others[k] if k in others else next(rest) for k in range(count)])


class UserRules:
    """The rules of one call: `static` are its non-differentiable arguments by position, `args` the others.

    Of these it keeps what they are like, not the values.
    """

    def __init__(self, custom: Any, static: dict[int, Any], args: Sequence[Any]) -> None:
        self.custom, self.static, self.count = custom, static, len(args) + len(static)
        self.positions = [k for k in range(self.count) if k not in static]
        self.in_tree = tree.structure(tuple(args))
        self.arg_trees = [tree.structure(a) for a in args]
        self.arity = self.in_tree.num_leaves
        self.in_avals: list[Aval] = []
        self.out_tree: Any = None
        self.name, self.origin = custom.name, custom.name
        self.serial = next(_serials) if static else custom.serial

    def enter(self, args: Sequence[Any]) -> list[Any]:
        """The leaves of the arguments, arrays all of them; Python numbers stay what they are."""
        leaves = tree.leaves(tuple(args))
        for k, x in enumerate(leaves):
            if not isinstance(x, Tracer):
                self.check_leaf(k, x)
                leaves[k] = x if type(x) in (bool, int, float, complex) else as_array(x)
        self.in_avals = [strong(aval_of(x)) for x in leaves]
        return leaves

    def check_leaf(self, k: int, x: Any) -> None:
        try:
            check_array(self.name, lambda: self.leaf_names()[k], x)
        except TypeError as error:
            raise TypeError(f"{error} Arguments that are no arrays go into nondiff_argnums") from None

    def __repr__(self) -> str:  # names the rules in the memory of a Taylor expansion: unique
        return f"{self.name}#{self.serial}{'s' if self.static else ''}{self.in_tree!r}"

    @property
    def __name__(self) -> str:  # what a printed program calls the rules
        return getattr(self.custom.fun, "__name__", self.name)

    @property
    def has_jvp(self) -> bool:
        return self.custom.jvp_rule is not None

    @property
    def jvp_zeros(self) -> bool:
        """Does the jvp rule take symbolic zeros?"""
        return self.custom.jvp_zeros

    @property
    def pattern(self) -> Any:
        return self.custom.pattern

    @property
    def linear_in(self) -> tuple[int, ...]:
        """The leaves in which the function is known to be linear: of a wrapped function, whose arguments are leaves."""
        return self.custom.linear_in

    @property
    def has_vjp(self) -> bool:
        return self.custom.bwd_rule is not None

    @property
    def has_batch(self) -> bool:
        return self.custom.vmap_rule is not None

    @property
    def has_jet(self) -> bool:
        return self.custom.jet_rule is not None

    def captures(self) -> list[tuple[str, Tracer]]:
        return captured(*self.custom.functions(), *self.static.values())

    def batched(self, axis: Axis, batched: Sequence[bool], trace: BatchTrace | None) -> BatchedRules:
        return BatchedRules(self, axis, batched, trace)

    # --- arguments and results ---

    @property
    def statics(self) -> list[Any]:
        return [self.static[k] for k in self.custom.static_positions(self.count)]

    def place(self, args: Sequence[Any]) -> list[Any]:
        """All positional arguments, the static ones in their places."""
        rest = iter(args)
        return [self.static[k] if k in self.static else next(rest) for k in range(self.count)]

    def args(self, leaves: Sequence[Any]) -> tuple[Any, ...]:
        return tree.unflatten(self.in_tree, leaves)

    def leaf_names(self) -> list[str]:
        """How messages call each leaf of the arguments."""
        return [
            self.custom.parameter(k) + tree.keystr(path)
            for k, t in zip(self.positions, self.arg_trees, strict=True)
            for path, _ in tree.leaves_with_path(tree.unflatten(t, [0] * t.num_leaves))
        ]

    def results(self, who: str, out: Any) -> list[Any]:
        """The leaves of a result, arrays all of them."""
        ys, structure = tree.flatten(out)
        for k, y in enumerate(ys):
            check_array(who, lambda k=k: "its result" + tree.keystr(tree.leaves_with_path(out)[k][0]), y)
            ys[k] = as_array(y)
        if self.out_tree is None:
            self.out_tree = structure
        elif self.out_tree != structure:
            raise TypeError(
                f"{who} returned a value of the structure {structure}; wanted that of the function's, {self.out_tree}"
            )
        return ys

    def __call__(self, *operands: Any) -> list[Any]:
        """The function itself; leading operands are values that it closes over."""
        leaves = operands[len(operands) - self.arity :]
        return self.results(self.name, self.custom.fun(*self.place(self.args(leaves))))

    def compare(self, rule: Callable[..., Any], who: str, leaves: Sequence[Any], ys: Sequence[Any]) -> None:
        """The value of a rule must be like the function's: found out by staging the function, once for each rule."""
        code = getattr(rule, "__code__", None)
        if code is None or code in _COMPARED or self.custom.opaque:
            return
        _COMPARED.add(code)
        found: Any = None

        def function(*xs: Any) -> list[Any]:
            nonlocal found
            values, found = tree.flatten(self.custom.fun(*self.place(self.args(xs))))
            return values

        try:
            avals = stage(function, [aval_of(x) for x in leaves], self.origin).out_avals
        except _ANYTHING:
            return
        check_value(who, self.out_tree, ys, found, avals)

    def asked(self, rule: Callable[..., Any], *args: Any) -> Any:
        """Call a rule; a traced value in it that is out of place is explained."""
        try:
            return rule(*args)
        except ClosureError:
            raise
        except LeakedTracerError as error:
            raise ClosureError(
                f"{title_of(rule)}, a rule of {self.name}, uses a traced value that is none of its arguments; pass it "
                f"to the function as an argument, or use xform.closure_convert ({error})"
            ) from error

    # --- derivatives ---

    def jvp(self, primals: Sequence[Any], tangents: Sequence[Any]) -> tuple[list[Any], list[Any]]:
        rule, who = self.custom.jvp_rule, self.custom.who["jvp"]
        if not self.custom.jvp_zeros:
            tangents = [materialize(t, x) for x, t in zip(primals, tangents, strict=True)]
        pair = self.asked(rule, *self.statics, self.args(primals), self.args(tangents))
        out, out_dot = pair_of(who, pair, "(value, tangent)")
        ys = self.results(who, out)
        self.compare(rule, who, primals, ys)
        return ys, tangents_of(who, self.out_tree, ys, out_dot)

    def forward(self, primals: Sequence[Any], perturbed: Sequence[bool]) -> tuple[list[Any], Any]:
        """Results, and residuals as a pair of a list of arrays and how to put them together again."""
        rule, who = self.custom.fwd_rule, self.custom.who["forward"]
        given = primals
        if self.custom.vjp_zeros:
            given = [CustomVJPPrimal(x, p) for x, p in zip(primals, perturbed, strict=True)]
        out, residuals = pair_of(who, self.asked(rule, *self.place(self.args(given))), "(value, residuals)")
        ys = self.results(who, out)
        self.compare(rule, who, primals, ys)
        leaves, structure = tree.flatten(residuals)
        arrays = [is_array(x) for x in leaves]
        others = tuple((k, x) for k, (x, a) in enumerate(zip(leaves, arrays, strict=True)) if not a)
        return ys, ([x for x, a in zip(leaves, arrays, strict=True) if a], Residuals(structure, others))

    def backward(self, residuals: tuple[list[Any], Residuals], bars: Sequence[Any]) -> list[Any]:
        """A cotangent or None per leaf of the arguments."""
        values, structure = residuals
        custom, who = self.custom, self.custom.who["backward"]
        if not custom.vjp_zeros:
            bars = [materialize(b, b.aval) if is_zero(b) else b for b in bars]
        found = self.asked(
            custom.bwd_rule, *self.statics, structure.unflatten(values), tree.unflatten(self.out_tree, bars)
        )
        names = [custom.parameter(k) for k in self.positions]
        return unshared(cotangents_of(who, names, self.arg_trees, self.in_avals, found), values)

    # --- batches and Taylor series ---

    def batch(self, size: int, leaves: Sequence[Any], flags: Sequence[bool]) -> tuple[list[Any], list[bool]]:
        who = self.custom.who["batch"]
        mask: list[Any] = [False] * self.count
        for k, m in zip(self.positions, self.args(flags), strict=True):
            mask[k] = m
        pair = self.asked(self.custom.vmap_rule, size, tuple(mask), *self.place(self.args(leaves)))
        out, batched = pair_of(who, pair, "(value, whether each result is batched)")
        ys = self.results(who, out)
        return ys, batched_of(who, size, out, ys, batched)

    def jet(self, series: Sequence[Series]) -> list[Series]:
        """Each further coefficient by calling the rule with one order more."""
        known = {1: self.curve(series, 1)}

        def term(j: int, k: int) -> Any:
            order = max(k, 1)
            if order not in known:
                known[order] = self.curve(series, order)
            y = known[order][j][k]
            return y if k < 2 or is_zero(y) else y / float(math.factorial(k))

        return [Series(functools.partial(term, j)) for j in range(len(known[1]))]

    def curve(self, series: Sequence[Series], order: int) -> list[list[Any]]:
        """Value and derivatives of each result."""
        who = self.custom.who["Taylor"]
        primals = [s[0] for s in series]
        rows = [self.args([derivative(s[k], k, s[0]) for s in series]) for k in range(1, order + 1)]
        curves = tuple([row[j] for row in rows] for j in range(len(self.positions)))
        pair = self.asked(self.custom.jet_rule, *self.statics, self.args(primals), curves)
        out, terms = pair_of(who, pair, "(value, derivatives)")
        ys = self.results(who, out)
        return [[y, *row] for y, row in zip(ys, derivatives_of(who, self.out_tree, ys, terms, order), strict=True)]


def derivative(c: Any, k: int, x: Any) -> Any:
    """Taylor coefficient to derivative: x^(k) = k! x[k]."""
    if is_zero(c):
        return materialize(c, x)
    return c if k == 1 else c * float(math.factorial(k))
