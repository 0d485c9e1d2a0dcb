"""Continuous distributions: a standard density and distribution function, moved by loc and stretched by scale.

    y = (x - loc) / scale,    f(x) = f(y) / scale,    F(x) = F(y),    x = loc + scale y(q)

A family is a row of a table. What it does not say follows: f = e^(log f), 1 - F, logarithms; and the quantiles y(q) of
SciPy, with derivatives by the inverse function theorem. Outside of the support log f is -inf, F is 0 or 1, and all
derivatives are zero.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np

from xform.control.custom.doors import custom_jvp
from xform.core.trace import underlying
from xform.ops.elementwise import mul_zero
from xform.ops.select import select
from xform.scipy.stats.arguments import Family, OfShapes, chosen, method, positive
from xform.scipy.stats.density import Density
from xform.scipy.stats.quantile import FAMILIES, quantile
from xform.transforms.jvp import jvp

__all__ = ["Continuous"]

#: the ends of a support, numbers or functions of the shape parameters
Support = tuple[Any, Any] | Callable[..., tuple[Any, Any]]

WHOLE = (-np.inf, np.inf)
POSITIVE = (0.0, np.inf)
UNIT = (0.0, 1.0)


class Continuous(Family):
    """A family of continuous distributions, with the methods of SciPy's.

    The functions of a row take the standard argument and the shape parameters. `rest` and `powers` are the density (see
    `Density`), zero at the ends of the support if it is `open`. `by_density` says that the formula of `cdf` is not
    differentiable in x everywhere, though F is, with the density as its derivative.

    >>> import xform
    >>> from xform.scipy.stats import gamma
    >>> float(gamma.cdf(2.0, 1.0, scale=2.0)), xform.grad(gamma.logpdf)(3.0, 1.0, scale=2.0)
    (0.6321205588285577, np.float64(-0.5))
    """

    location: ClassVar[dict[str, float]] = {"loc": 0.0, "scale": 1.0}
    methods: ClassVar[tuple[str, ...]] = ("logpdf", "pdf", "cdf", "sf", "logcdf", "logsf", "ppf", "isf")

    def __init__(
        self,
        name: str,
        shapes: str = "",
        *,
        rest: Callable[..., Any],
        cdf: Callable[..., Any],
        powers: Callable[..., list[tuple[Any, Any]]] | None = None,
        sf: Callable[..., Any] | None = None,
        logcdf: Callable[..., Any] | None = None,
        logsf: Callable[..., Any] | None = None,
        ppf: Callable[..., Any] | None = None,
        isf: Callable[..., Any] | None = None,
        support: Support = WHOLE,
        valid: OfShapes = positive,
        open: bool = False,
        by_density: bool = False,
    ) -> None:
        super().__init__(name, shapes, valid)
        self.support: Callable[..., tuple[Any, Any]] = support if callable(support) else lambda *_: support
        self.open, self.by_density, self.density = open, by_density, Density(rest, powers)
        below = integral_of(self.density, cdf, 1.0) if by_density else cdf
        above = integral_of(self.density, sf, -1.0) if by_density and sf else sf
        self.below = below
        self.above = above or (lambda x, *s: 1.0 - below(x, *s))
        self.log_below = logcdf or (lambda x, *s: log_of(self.below(x, *s), self.above(x, *s)))
        self.log_above = logsf or (lambda x, *s: log_of(self.above(x, *s), self.below(x, *s)))
        self.from_below = ppf or (lambda q, *s: quantile(q, *s, family=name, upper=False))
        self.from_above = isf or (lambda q, *s: quantile(q, *s, family=name, upper=True))
        FAMILIES[name] = self

    @method
    def logpdf(self, x: Any, shapes: Any, loc: Any, scale: Any) -> Any:
        """The logarithm of the density at x."""
        y = (x - loc) / scale
        inside = self.inside(y, shapes)
        value = self.density.log(*self.inner(inside, y, *shapes)) - np.log(scale)
        return self.checked(chosen(inside, value, lambda: unless_nan(y, -np.inf)), shapes, scale)

    @method
    def pdf(self, x: Any, shapes: Any, loc: Any, scale: Any) -> Any:
        """The density at x."""
        return self.checked(self.standard_density((x - loc) / scale, shapes) / scale, shapes, scale)

    @method
    def cdf(self, x: Any, shapes: Any, loc: Any, scale: Any) -> Any:
        """The probability of values up to x."""
        return self.integral(self.below, (0.0, 1.0), x, shapes, loc, scale)

    @method
    def sf(self, x: Any, shapes: Any, loc: Any, scale: Any) -> Any:
        """The probability of values above x, 1 - cdf without its cancellation."""
        return self.integral(self.above, (1.0, 0.0), x, shapes, loc, scale)

    @method
    def logcdf(self, x: Any, shapes: Any, loc: Any, scale: Any) -> Any:
        """The logarithm of the probability of values up to x."""
        return self.integral(self.log_below, (-np.inf, 0.0), x, shapes, loc, scale)

    @method
    def logsf(self, x: Any, shapes: Any, loc: Any, scale: Any) -> Any:
        """The logarithm of the probability of values above x."""
        return self.integral(self.log_above, (0.0, -np.inf), x, shapes, loc, scale)

    @method
    def ppf(self, q: Any, shapes: Any, loc: Any, scale: Any) -> Any:
        """The value up to which the probability is q."""
        low, high = self.support(*shapes)
        return self.inverse(self.from_below, (low, high), 1.0, q, shapes, loc, scale)

    @method
    def isf(self, q: Any, shapes: Any, loc: Any, scale: Any) -> Any:
        """The value above which the probability is q."""
        low, high = self.support(*shapes)
        return self.inverse(self.from_above, (high, low), -1.0, q, shapes, loc, scale)

    def standard_density(self, y: Any, shapes: Any) -> Any:
        """The density at y, for loc 0 and scale 1."""
        inside = self.inside(y, shapes)
        z, *shapes = self.inner(inside, y, *shapes)
        return chosen(inside, self.density.value(z, self.inner, *shapes), lambda: unless_nan(y, 0.0))

    def integral(self, function: Any, ends: tuple[float, float], x: Any, shapes: Any, loc: Any, scale: Any) -> Any:
        """The function of the standard argument inside of the support, constants below and above."""
        y = (x - loc) / scale
        inside = self.inside(y, shapes)
        value = function(*self.inner(inside, y, *shapes))

        def outside() -> Any:
            return unless_nan(y, select(y >= self.support(*shapes)[1], ends[1], ends[0]))

        return self.checked(chosen(inside, value, outside), shapes, scale)

    def inverse(
        self, function: Any, ends: tuple[Any, Any], sign: float, q: Any, shapes: Any, loc: Any, scale: Any
    ) -> Any:
        """loc + scale y for probabilities, nan for other numbers."""
        inside = np.logical_and(q >= 0, q <= 1)
        at_end = np.logical_or(np.equal(q, 0), np.equal(q, 1))
        known = underlying(at_end)
        if known is not None and not np.any(known):
            y = function(chosen(inside, q, lambda: 0.5), *shapes)
        else:
            end = select(q > 0.5, ends[1], ends[0])
            slope = sign / self.standard_density(end, shapes)
            singular = np.logical_and(
                at_end, np.logical_or(self.by_density, np.logical_or(slope == 0, np.isinf(slope)))
            )
            y = function(select(np.logical_and(inside, np.logical_not(singular)), q, 0.5), *shapes)
            y = select(singular, end + mul_zero(q - np.rint(q), slope), y)  # with the derivative 1 / f
        return self.checked(chosen(inside, y * scale + loc, lambda: np.nan), shapes, scale)

    def inside(self, y: Any, shapes: Any) -> Any:
        """Is y a finite number in the support?"""
        low, high = self.support(*shapes)
        if type(low) is float and type(high) is float and (low, high) == WHOLE:
            return np.isfinite(y)
        within = np.logical_and(y > low, y < high) if self.open else np.logical_and(y >= low, y <= high)
        return np.logical_and(within, np.isfinite(y))

    def inner(self, inside: Any, y: Any, *shapes: Any) -> list[Any]:
        """The arguments, with a y from the middle of the support where it is not inside."""
        low, high = self.support(*shapes)
        return [chosen(inside, y, lambda: middle(low, high)), *shapes]

    def checked(self, value: Any, shapes: Any, scale: Any) -> Any:
        """The value, nan for parameters that no distribution has."""
        return chosen(np.logical_and(self.valid(*shapes), scale > 0), value, lambda: np.nan)


def middle(low: Any, high: Any) -> Any:
    """A number well inside of a support: its middle, or zero, or one off its only end."""
    finite_low, finite_high = np.isfinite(low), np.isfinite(high)
    start, end = select(finite_low, low, 0.0), select(finite_high, high, 0.0)
    near = select(finite_low, np.maximum(start + 1.0, 0.0), select(finite_high, np.minimum(end - 1.0, 0.0), 0.5))
    return select(np.logical_and(finite_low, finite_high), (start + end) / 2, near)


def log_of(probability: Any, rest: Any) -> Any:
    """The logarithm of a probability, from the rest to one where that is smaller."""
    large = probability > 0.5
    return select(large, np.log1p(-select(large, rest, 0.0)), np.log(select(large, 1.0, probability)))


def unless_nan(y: Any, value: Any) -> Any:
    """The value, nan where y is."""
    return select(np.isnan(y), np.nan, value)


def positive_argument(kept: Any, y: Any, *shapes: Any) -> list[Any]:
    """The arguments, with a y at which no base of a density on the positive numbers is zero, unless kept."""
    return [select(kept, y, 1.0), *shapes]


def integral_of(density: Density, function: Callable[..., Any], sign: float) -> Callable[..., Any]:
    """The function, of which the derivative in its first argument is the density, or minus it."""

    integral = custom_jvp(function)

    @integral.defjvp
    def rule(primals: Any, tangents: Any) -> Any:
        (x, *shapes), (x_dot, *shapes_dot) = primals, tangents
        _, moved = jvp(lambda *s: function(x, *s), tuple(shapes), tuple(shapes_dot))
        return integral(*primals), sign * density.value(x, positive_argument, *shapes) * x_dot + moved

    return integral
