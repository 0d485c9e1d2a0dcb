"""A function at a point, probed in random directions: derivative rules against difference quotients.

Each leaf x of the arguments has its own random direction v, scaled with its entries, so that a message can name the
leaf and a small derivative is not hidden by a large one; then all leaves move together, which a rule that is not linear
does not survive. The directions are the same in every run. <a, b> is Re sum a b, for complex numbers too.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from xform.core import tree
from xform.core.aval import aval_of, float0, is_inexact
from xform.finite_differences.quotients import along
from xform.finite_differences.values import Values
from xform.testing.compare import Tolerance, coarsest_eps, compare, matching, result_names

SEED = 20230817
QUOTIENT = "central differences"


class Probe:
    """`names` are what messages call the leaves of `args`; `eps` is the step of the differences, None the best one."""

    __slots__ = ("active", "args", "eps", "names", "origin", "rng", "tolerance", "values")

    def __init__(
        self,
        origin: str,
        f: Callable[..., Any],
        args: tuple[Any, ...],
        names: list[str],
        tolerance: Tolerance,
        eps: float | None,
    ) -> None:
        self.origin, self.args, self.names, self.tolerance, self.eps = origin, args, names, tolerance, eps
        self.values = Values(origin, f, args)
        self.active = [k for k, x in enumerate(self.values.xs) if is_inexact(x.dtype)]
        self.rng = np.random.default_rng(SEED)

    # ---- directions ----

    def direction(self, x: np.ndarray) -> np.ndarray:
        """Random numbers of the dtype of x, float0 for integers."""
        if not is_inexact(x.dtype):
            return np.zeros(x.shape, float0)
        v = self.rng.normal(size=x.shape)
        if x.dtype.kind == "c":
            v = v + 1j * self.rng.normal(size=x.shape)
        return np.asarray(v, x.dtype)

    def tangents(self, moved: Sequence[int]) -> list[np.ndarray]:
        """A random direction for the leaves `moved`, of the size of their entries, and zero for the others."""
        out = []
        for k, x in enumerate(self.values.xs):
            v = self.direction(x)
            if v.dtype != float0:
                v = np.asarray(v * np.maximum(1, np.abs(x)) if k in moved else np.zeros_like(x), x.dtype)
            out.append(v)
        return out

    def cotangents(self) -> list[np.ndarray]:
        return [self.direction(y) for y in self.values.ys]

    def argument_trees(self, leaves: Sequence[Any]) -> Any:
        return tree.unflatten(self.values.in_tree, [x if x.dtype == float0 else x[()] for x in leaves])

    def quotients(self, v: Sequence[np.ndarray], toward: str) -> tuple[list[np.ndarray], list[float]]:
        """f'(x) v by central differences, and bounds of the rounding errors."""
        with np.errstate(all="ignore"):
            directions = [None if t.dtype == float0 else t for t in v]
            found, noise = along(self.values, directions, "central", self.eps)
        for name, y_dot in zip(self.result_names(), found, strict=True):
            if is_inexact(y_dot.dtype) and not np.isfinite(y_dot).all():
                raise AssertionError(
                    f"{self.origin}: the difference quotient of {name} in the direction of {toward} is not finite; "
                    "wanted a point around which the function is finite"
                )
        return found, noise

    def result_names(self) -> list[str]:
        return result_names(self.values.result_tree(self.values.ys))

    # ---- checks ----

    def check_value(self, by: str, out: Any) -> None:
        """The value that comes with a derivative is that of the function."""
        ys = self.values.ys
        found = matching(self.origin, by, "the value", out, self.values.out_tree, [aval_of(y) for y in ys])
        for name, y, wanted in zip(self.result_names(), found, ys, strict=True):
            allowed = self.tolerance.of_rounding(wanted)
            compare(f"{self.origin}: the value of {name}", y, f"by {by}", wanted, "by the function", allowed)

    def check_forward(self, f_jvp: Callable[..., Any]) -> None:
        """f'(x) v against differences, for each leaf alone and then for all together."""
        directions = [[k] for k in self.active]
        for moved in directions if len(directions) == 1 else [*directions, self.active]:
            toward = self.names[moved[0]] if len(moved) == 1 else "all arguments"
            v = self.tangents(moved)
            out, out_dot = f_jvp(self.args, self.argument_trees(v))
            self.check_value("jvp", out)
            avals = [aval_of(y).tangent() for y in self.values.ys]
            found = matching(self.origin, "jvp", "the tangent of the result", out_dot, self.values.out_tree, avals)
            quotients, noise = self.quotients(v, toward)
            for name, y_dot, wanted, error in zip(self.result_names(), found, quotients, noise, strict=True):
                what = f"{self.origin}: the derivative of {name} in the direction of {toward}"
                allowed = self.tolerance.of_quotient(wanted, self.values.xs) + error if wanted.dtype != float0 else 0
                compare(what, y_dot, "by jvp", wanted, f"by {QUOTIENT}", allowed)

    def pull_back(self, f_vjp: Callable[..., Any], y_bars: Sequence[np.ndarray]) -> list[np.ndarray]:
        """The value checked, and the cotangents of the leaves."""
        out, pullback = f_vjp(*self.args)
        self.check_value("vjp", out)
        x_bars = pullback(self.values.result_tree(y_bars))
        avals = [aval_of(x).tangent() for x in self.values.xs]
        what = "the cotangent of the arguments"
        return matching(self.origin, "vjp", what, x_bars, self.values.in_tree, avals)

    def check_reverse(self, f_vjp: Callable[..., Any]) -> None:
        """<f'(x)^T y_bar, v> against <y_bar, f'(x) v> by differences, for each leaf."""
        y_bars = self.cotangents()
        x_bars = self.pull_back(f_vjp, y_bars)
        for k in self.active:
            v = self.tangents([k])
            quotients, noise = self.quotients(v, self.names[k])
            # Random signs: independent errors of the entries add up like the legs of a right angle.
            allowed = [
                np.linalg.norm(np.abs(bar) * (self.tolerance.of_quotient(d, self.values.xs) + error))
                for bar, d, error in zip(y_bars, quotients, noise, strict=True)
                if bar.dtype != float0
            ]
            what = f"{self.origin}: the derivative in the direction of {self.names[k]}, <y_bar, f'(x) v>,"
            found, wanted = inner([x_bars[k]], [v[k]]), inner(y_bars, quotients)
            compare(what, found, "by vjp", wanted, f"by {QUOTIENT}", np.linalg.norm(np.array(allowed)))

    def check_transposed(self, f_jvp: Callable[..., Any], f_vjp: Callable[..., Any]) -> None:
        """<f'(x)^T y_bar, v> = <y_bar, f'(x) v>, for each leaf, up to the rounding of the two sums."""
        y_bars = self.cotangents()
        x_bars = self.pull_back(f_vjp, y_bars)
        relative = self.tolerance.at_least(coarsest_eps(*self.values.xs, *self.values.ys) ** (2 / 3))
        for k in self.active:
            v = self.tangents([k])
            y_dots = [np.asarray(y_dot) for y_dot in tree.leaves(f_jvp(self.args, self.argument_trees(v))[1])]
            terms = size([x_bars[k]], [v[k]]) + size(y_bars, y_dots) + size(y_bars, self.values.ys)
            scale = terms + size(y_bars, y_bars) ** 0.5 * size([v[k]], [v[k]]) ** 0.5
            what = f"{self.origin}: the derivative in the direction of {self.names[k]}, <y_bar, f'(x) v>,"
            found, wanted = inner([x_bars[k]], [v[k]]), inner(y_bars, y_dots)
            compare(what, found, "by vjp", wanted, "by jvp", relative * scale)


def inner(a: Sequence[np.ndarray], b: Sequence[np.ndarray]) -> np.ndarray:
    """<a, b> = Re sum a b, without conjugation: a cotangent applied to a tangent."""
    return np.asarray(sum((np.sum(x * y).real for x, y in numbers(a, b)), np.float64(0)))


def size(a: Sequence[np.ndarray], b: Sequence[np.ndarray]) -> float:
    """sum |a| |b|: what the rounding of <a, b> is proportional to."""
    return float(sum(np.sum(np.abs(x) * np.abs(y)) for x, y in numbers(a, b)))


def numbers(a: Sequence[np.ndarray], b: Sequence[np.ndarray]) -> list[tuple[np.ndarray, np.ndarray]]:
    return [(x, y) for x, y in zip(a, b, strict=True) if x.dtype != float0 and y.dtype != float0]
