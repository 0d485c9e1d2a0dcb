"""Discrete distributions: a probability of each whole number, and its sums.

A family is a row of a table, whose functions take the count and the shape parameters. Between whole numbers the
probability is zero and its sum constant, so that there are derivatives in the parameters, and none in the count.
Where a row has no formula for the sum, the probabilities are added up.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np

from xform.core.errors import ConcretizationError
from xform.core.trace import underlying
from xform.ops.select import select
from xform.ops.structure import reduce_sum, reshape
from xform.scipy.stats.arguments import Family, OfShapes, chosen, method, positive
from xform.scipy.stats.continuous import Support, log_of, unless_nan
from xform.scipy.stats.density import Density
from xform.scipy.stats.quantile import step_quantile

__all__ = ["COUNTS", "Discrete"]

COUNTS = (0.0, np.inf)


class Discrete(Family):
    """A family of discrete distributions, with the methods of SciPy's.

    `rest` and `powers` are the probability (see `Density`) of a count in the support, `cdf` and `sf` the sums.

    >>> import xform
    >>> from xform.scipy.stats import poisson
    >>> float(poisson.logpmf(2, 2.0)), xform.grad(poisson.logpmf, argnums=1)(3, 2.0)
    (-1.3068528194400546, np.float64(0.5))
    """

    location: ClassVar[dict[str, float]] = {"loc": 0.0}
    methods: ClassVar[tuple[str, ...]] = ("logpmf", "pmf", "cdf", "sf", "logcdf", "logsf", "ppf", "isf")

    def __init__(
        self,
        name: str,
        shapes: str,
        *,
        rest: Callable[..., Any],
        powers: Callable[..., list[tuple[Any, Any]]] | None = None,
        cdf: Callable[..., Any] | None = None,
        sf: Callable[..., Any] | None = None,
        logcdf: Callable[..., Any] | None = None,
        logsf: Callable[..., Any] | None = None,
        support: Support = COUNTS,
        valid: OfShapes = positive,
    ) -> None:
        super().__init__(name, shapes, valid)
        self.support: Callable[..., tuple[Any, Any]] = support if callable(support) else lambda *_: support
        self.density = Density(rest, powers)
        self.below = cdf or self.summed
        self.above = sf or (lambda k, *s: 1.0 - self.below(k, *s))
        self.log_below = logcdf or (lambda k, *s: log_of(self.below(k, *s), self.above(k, *s)))
        self.log_above = logsf or (lambda k, *s: log_of(self.above(k, *s), self.below(k, *s)))

    @method
    def logpmf(self, k: Any, shapes: Any, loc: Any) -> Any:
        """The logarithm of the probability of k."""
        y = k - loc
        inside = self.inside(y, shapes)
        value = self.density.log(*self.counted(inside, y, shapes))
        return self.checked(chosen(inside, value, lambda: unless_nan(y, -np.inf)), shapes)

    @method
    def pmf(self, k: Any, shapes: Any, loc: Any) -> Any:
        """The probability of k."""
        y = k - loc
        inside = self.inside(y, shapes)
        value = self.density.value(*self.of_count(inside, y, shapes))
        return self.checked(chosen(inside, value, lambda: unless_nan(y, 0.0)), shapes)

    @method
    def cdf(self, k: Any, shapes: Any, loc: Any) -> Any:
        """The probability of values up to k."""
        return self.sum(self.below, (0.0, 1.0), k, shapes, loc)

    @method
    def sf(self, k: Any, shapes: Any, loc: Any) -> Any:
        """The probability of values above k."""
        return self.sum(self.above, (1.0, 0.0), k, shapes, loc)

    @method
    def logcdf(self, k: Any, shapes: Any, loc: Any) -> Any:
        """The logarithm of the probability of values up to k."""
        return self.sum(self.log_below, (-np.inf, 0.0), k, shapes, loc)

    @method
    def logsf(self, k: Any, shapes: Any, loc: Any) -> Any:
        """The logarithm of the probability of values above k."""
        return self.sum(self.log_above, (0.0, -np.inf), k, shapes, loc)

    @method
    def ppf(self, q: Any, shapes: Any, loc: Any) -> Any:
        """The least value up to which the probability is at least q: a step function of q and of the shape."""
        return step_quantile(q, *shapes, family=self.name, upper=False) + loc

    @method
    def isf(self, q: Any, shapes: Any, loc: Any) -> Any:
        """The least value above which the probability is at most q: a step function of q and of the shape."""
        return step_quantile(q, *shapes, family=self.name, upper=True) + loc

    def sum(self, function: Any, ends: tuple[float, float], k: Any, shapes: Any, loc: Any) -> Any:
        """The function of counts in the support, constants below it and from its last count on."""
        y = np.floor(k - loc)
        low, high = self.support(*shapes)
        inside = np.logical_and(y >= low, y < high)
        value = function(*self.counted(inside, y, shapes))

        def outside() -> Any:
            return unless_nan(y, select(y >= high, ends[1], ends[0]))

        return self.checked(chosen(inside, value, outside), shapes)

    def summed(self, k: Any, *shapes: Any) -> Any:
        """The probabilities from the first count on up to k, which must be known."""
        first, last = underlying(self.support(*shapes)[0]), underlying(k)
        if first is None or last is None:
            raise ConcretizationError(
                f"{self.name}: the probabilities up to k are added up, but how many is not known inside of jit. Give k "
                "(and the parameters that say where the support begins) as numbers that are not traced"
            )
        start, stop = np.min(first), np.max(last, initial=0.0)
        counts = np.arange(start, stop + 1)
        rank = max((len(np.shape(x)) for x in (k, *shapes)), default=0)
        k, *parameters = (reshape(x, shape=(*(1,) * (rank - len(x.shape)), *x.shape, 1)) for x in (k, *shapes))
        inside = np.logical_and(self.inside(counts, parameters), counts <= k)
        terms = self.density.value(*self.of_count(inside, counts, parameters))
        return reduce_sum(select(inside, terms, 0.0), axes=(rank,))

    def inside(self, y: Any, shapes: Any) -> Any:
        """Is y a whole number in the support?"""
        low, high = self.support(*shapes)
        within = np.logical_and(y >= low, y <= high)
        return np.logical_and(within, np.logical_and(np.equal(y, np.floor(y)), np.isfinite(y)))

    def counted(self, inside: Any, y: Any, shapes: Any) -> list[Any]:
        """The arguments, with the first count of the support for a y that is not inside."""
        low, _ = self.support(*shapes)
        return [chosen(inside, np.floor(y), lambda: low), *shapes]

    def of_count(self, inside: Any, y: Any, shapes: Any) -> list[Any]:
        """The arguments of the density's value: bases depend on the parameters, to be replaced where one is zero."""
        k, *shapes = self.counted(inside, y, shapes)

        def inner(kept: Any, count: Any, *some: Any) -> list[Any]:
            return [select(kept, count, 1.0), *(select(kept, s, 0.5) for s in some)]

        return [k, inner, *shapes]

    def checked(self, value: Any, shapes: Any) -> Any:
        """The value, nan for parameters that no distribution has."""
        return chosen(self.valid(*shapes), value, lambda: np.nan)
