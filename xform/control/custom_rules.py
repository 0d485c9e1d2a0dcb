"""The user's rules as the library calls them: on flat lists of arrays, everything that they return checked.

A rule of a user takes and returns trees; what fits together wrongly is named by rule, function, argument and place.
"""

from __future__ import annotations

import itertools
import math
import weakref
from collections.abc import Callable, Sequence
from types import CodeType
from typing import Any, NamedTuple

import numpy as np

from xform.control.captures import ClosureError, captured
from xform.control.custom_batch import BatchedRules
from xform.core import tree
from xform.core.aval import Aval, aval_of, shape_of
from xform.core.errors import LeakedTracerError, describe
from xform.core.primitive import Zero, is_zero
from xform.core.series import Series
from xform.core.stage import stage
from xform.core.trace import Tracer
from xform.transforms.arguments import as_array, check_array, fit, parameter_name
from xform.transforms.flat import materialize, memory
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
    """The rules of one call: `static` are its non-differentiable arguments by position, `in_tree` that of the rest."""

    def __init__(self, custom: Any, static: dict[int, Any], args: Sequence[Any]) -> None:
        self.custom, self.static, self.count = custom, static, len(args) + len(static)
        self.positions = [k for k in range(self.count) if k not in static]
        self.leaves, self.in_tree = tree.flatten(tuple(args))
        self.arg_trees = [tree.structure(a) for a in args]
        self.arity = len(self.leaves)
        self.in_avals: list[Aval] = []
        self.out_tree: Any = None
        self.name, self.origin = custom.name, custom.name
        self.serial = next(_serials) if static else custom.serial

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
            parameter_name(self.custom.fun, k) + tree.keystr(path)
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
        if found != self.out_tree:
            raise TypeError(
                f"{who} gave a value of the structure {self.out_tree}; wanted that of the function's, {found}"
            )
        paths = tree.leaves_with_path(tree.unflatten(found, list(range(len(ys)))))
        for (path, _), y, aval in zip(paths, ys, avals, strict=True):
            if aval_of(y) != aval and aval.weak is None:
                raise TypeError(
                    f"{who} gave the value{tree.keystr(path)} as {aval_of(y)}; the function itself gives {aval}"
                )

    def asked(self, rule: Callable[..., Any], *args: Any) -> Any:
        """Call a rule; a traced value in it that is out of place is explained."""
        try:
            return rule(*args)
        except ClosureError:
            raise
        except LeakedTracerError as error:
            raise ClosureError(
                f"{describe(rule)}, a rule of {self.name}, uses a traced value that is none of its arguments; pass it "
                f"to the function as an argument, or use xform.closure_convert ({error})"
            ) from error

    # --- forward ---

    def jvp(self, primals: Sequence[Any], tangents: Sequence[Any]) -> tuple[list[Any], list[Any]]:
        rule = self.custom.jvp_rule
        who = f"{describe(rule)}, the jvp rule of {self.name},"
        if not self.custom.jvp_zeros:
            tangents = [materialize(t, x) for x, t in zip(primals, tangents, strict=True)]
        pair = self.asked(rule, *self.statics, self.args(primals), self.args(tangents))
        out, out_dot = pair_of(who, pair, "(value, tangent)")
        ys = self.results(who, out)
        self.compare(rule, who, primals, ys)
        return ys, self.tangents(who, out, ys, out_dot)

    def tangents(self, who: str, out: Any, ys: Sequence[Any], out_dot: Any) -> list[Any]:
        """The tangents of results; None stands for zero."""
        if out_dot is None:
            return [Zero.like(y) for y in ys]
        try:
            dots = tree.flatten_up_to(self.out_tree, out_dot, "the value", "the tangent")
        except ValueError as error:
            raise TypeError(f"{who} returned a tangent that has not the structure of the value: {error}") from None
        for k, (y, t) in enumerate(zip(ys, dots, strict=True)):
            try:
                dots[k] = Zero.like(y) if t is None else check_zero(y, t) if is_zero(t) else fit(y, t)
            except TypeError as error:
                path = tree.keystr(tree.leaves_with_path(out)[k][0])
                raise TypeError(f"{who} returned a tangent{path and f' at {path}'} unlike the value: {error}") from None
        return dots

    # --- backward ---

    def forward(self, primals: Sequence[Any], perturbed: Sequence[bool]) -> tuple[list[Any], Any]:
        rule = self.custom.fwd_rule
        who = f"{describe(rule)}, the forward rule of {self.name},"
        given = list(primals)
        if self.custom.vjp_zeros:
            given = [CustomVJPPrimal(x, p) for x, p in zip(primals, perturbed, strict=True)]
        pair = self.asked(rule, *self.place(self.args(given)))
        out, residuals = pair_of(who, pair, "(value, residuals)")
        ys = self.results(who, out)
        self.compare(rule, who, primals, ys)
        leaves, structure = tree.flatten(residuals)
        arrays = [is_array(x) for x in leaves]
        others = tuple((k, x) for k, (x, a) in enumerate(zip(leaves, arrays, strict=True)) if not a)
        return ys, ([x for x, a in zip(leaves, arrays, strict=True) if a], Residuals(structure, others))

    def backward(self, residuals: tuple[list[Any], Residuals], bars: Sequence[Any]) -> list[Any]:
        values, structure = residuals
        rule = self.custom.bwd_rule
        who = f"{describe(rule)}, the backward rule of {self.name},"
        if not self.custom.vjp_zeros:
            bars = [materialize_bar(b) for b in bars]
        cotangent = tree.unflatten(self.out_tree, bars)
        x_bars = self.asked(rule, *self.statics, structure.unflatten(values), cotangent)
        return unshared(self.cotangents(who, x_bars), values)

    def cotangents(self, who: str, x_bars: Any) -> list[Any]:
        """One cotangent or None per leaf of the arguments."""
        names = [parameter_name(self.custom.fun, k) for k in self.positions]
        wanted = f"a tuple with a cotangent for each of the {len(names)} arguments ({', '.join(names)})"
        if not isinstance(x_bars, tuple | list):
            hint = "; write (x_bar,) for a tuple of one" if len(names) == 1 else ""
            raise TypeError(f"{who} returned a {type(x_bars).__name__}; wanted {wanted}{hint}")
        if len(x_bars) != len(names):
            raise TypeError(f"{who} returned {len(x_bars)} cotangents; wanted {wanted}, None for zero")
        bars: list[Any] = []
        for name, structure, bar in zip(names, self.arg_trees, x_bars, strict=True):
            if bar is None:
                bars += [None] * structure.num_leaves
                continue
            try:
                bars += tree.flatten_up_to(structure, bar, "the argument", "its cotangent")
            except ValueError as error:
                raise TypeError(f"{who} returned a cotangent of {name} that has not its structure: {error}") from None
        return [self.checked_bar(who, k, bar) for k, bar in enumerate(bars)]

    def checked_bar(self, who: str, k: int, bar: Any) -> Any:
        if bar is None or is_zero(bar):
            return None
        try:
            fitted = fit(self.in_avals[k], bar)
        except TypeError as error:
            raise TypeError(f"{who} returned a wrong cotangent of {self.leaf_names()[k]}: {error}") from None
        return None if is_zero(fitted) else fitted

    # --- batches and Taylor series ---

    def batch(self, size: int, leaves: Sequence[Any], flags: Sequence[bool]) -> tuple[list[Any], list[bool]]:
        rule = self.custom.vmap_rule
        who = f"{describe(rule)}, the batch rule of {self.name},"
        placed = self.place(self.args(leaves))
        mask: list[Any] = [False] * self.count
        for k, m in zip(self.positions, self.args(flags), strict=True):
            mask[k] = m
        out, batched = pair_of(
            who, self.asked(rule, size, tuple(mask), *placed), "(value, whether each result is batched)"
        )
        ys = self.results(who, out)
        try:
            out_flags = tree.broadcast_prefix(batched, out, name="the booleans", full_name="the value")
        except ValueError as error:
            raise TypeError(f"{who} returned booleans that do not fit its value: {error}") from None
        for (path, _), y, b in zip(tree.leaves_with_path(out), ys, out_flags, strict=True):
            if not isinstance(b, bool):
                raise TypeError(f"{who} must say with True or False whether a result is batched, not with {b!r:.40}")
            if b and shape_of(y)[:1] != (size,):
                raise ValueError(
                    f"{who} says that its result{tree.keystr(path)} of {aval_of(y)} is batched; wanted {size} examples "
                    "along its first axis"
                )
        return ys, out_flags

    def jet(self, series: Sequence[Series]) -> list[Series]:
        """Each further coefficient by calling the rule with one order more."""
        rule = self.custom.jet_rule
        who = f"{describe(rule)}, the Taylor rule of {self.name},"
        primals = [s[0] for s in series]

        def at(order: int) -> list[list[Any]]:
            terms = [
                [derivative(s[k], k, x) for k in range(1, order + 1)] for s, x in zip(series, primals, strict=True)
            ]
            rows = [self.args([t[k] for t in terms]) for k in range(order)]
            curves = tuple([row[j] for row in rows] for j in range(len(self.positions)))
            out, out_terms = pair_of(
                who, self.asked(rule, *self.statics, self.args(primals), curves), "(value, derivatives)"
            )
            ys = self.results(who, out)
            return [
                [y, *self.orders(who, t, order, y)] for y, t in zip(ys, self.per_result(who, out_terms), strict=True)
            ]

        known = {1: at(1)}

        def term(j: int) -> Callable[[int], Any]:
            def coefficient(k: int) -> Any:
                if max(k, 1) not in known:
                    known[k] = at(k)
                y = known[max(k, 1)][j][k]
                return y if k < 2 or is_zero(y) else y / float(math.factorial(k))

            return coefficient

        return [Series(term(j)) for j in range(len(known[1]))]

    def per_result(self, who: str, terms: Any) -> list[Any]:
        try:
            return tree.flatten_up_to(self.out_tree, terms, "the value", "its derivatives")
        except ValueError as error:
            raise TypeError(f"{who} must return a list of derivatives in the place of each result: {error}") from None

    def orders(self, who: str, terms: Any, order: int, y: Any) -> list[Any]:
        if not isinstance(terms, tuple | list) or len(terms) != order:
            given = len(terms) if isinstance(terms, tuple | list) else type(terms).__name__
            raise TypeError(f"{who} was asked for {order} derivatives of each result; it returned {given}")
        try:
            return [Zero.like(y) if t is None else fit(y, t) for t in terms]
        except TypeError as error:
            raise TypeError(f"{who} returned a derivative unlike the value: {error}") from None


def pair_of(who: str, pair: Any, wanted: str) -> tuple[Any, Any]:
    if not isinstance(pair, tuple | list) or len(pair) != 2:
        size = f" of length {len(pair)}" if isinstance(pair, tuple | list) else ""
        raise TypeError(f"{who} returned a {type(pair).__name__}{size}; wanted a pair {wanted}")
    return pair[0], pair[1]


def check_zero(y: Any, zero: Zero) -> Zero:
    wanted = aval_of(y).tangent()
    if zero.aval != wanted:
        raise TypeError(f"a symbolic zero of {zero.aval} was given, wanted {wanted}")
    return zero


def materialize_bar(bar: Any) -> Any:
    return materialize(bar, bar.aval) if is_zero(bar) else bar


def derivative(c: Any, k: int, x: Any) -> Any:
    """Taylor coefficient to derivative: x^(k) = k! x[k]."""
    if is_zero(c):
        return materialize(c, x)
    return c if k == 1 else c * float(math.factorial(k))


def unshared(x_bars: list[Any], residuals: Sequence[Any]) -> list[Any]:
    """Cotangents that are not the memory of residuals, which are needed again."""
    held = {id(memory(r)) for r in residuals if isinstance(r, np.ndarray)}
    return [x.copy() if isinstance(x, np.ndarray) and id(memory(x)) in held else x for x in x_bars]


def is_array(x: Any) -> bool:
    try:
        aval_of(x)
    except TypeError:
        return False
    return True
