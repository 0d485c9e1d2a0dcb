"""A density as a product of powers and of something smooth: f(x) = prod_i b_i^e_i e^r.

    log f = sum_i e_i log b_i + r

At the end of the support a base b_i is zero, and the logarithm infinite: there the product itself is differentiated.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import scipy.special as sp

from xform.core.trace import underlying
from xform.ops.select import select

__all__ = ["Density"]


class Density:
    """The density of the values and shape parameters; `powers` lists the pairs (b_i, e_i), `rest` is r."""

    def __init__(self, rest: Callable[..., Any], powers: Callable[..., list[tuple[Any, Any]]] | None = None) -> None:
        self.rest, self.powers = rest, powers or (lambda *_: [])

    def log(self, x: Any, *shapes: Any) -> Any:
        """log f."""
        value = self.rest(x, *shapes)
        for base, exponent in self.powers(x, *shapes):
            value = value + sp.xlogy(exponent, base)
        return value

    def value(self, x: Any, inner: Any, *shapes: Any) -> Any:
        """f, where `inner(kept, y, ...)` replaces y by an argument at which no base is zero, unless kept."""
        edge: Any = False
        for base, _ in self.powers(x, *shapes):
            edge = np.logical_or(edge, np.equal(base, 0))
        known = underlying(edge)
        if known is not None and not np.any(known):
            return np.exp(self.log(x, *shapes))
        within = inner(np.logical_not(edge), x, *shapes)
        at_edge = inner(edge, x, *shapes)
        return select(edge, self.product(*at_edge), np.exp(self.log(*within)))

    def product(self, x: Any, *shapes: Any) -> Any:
        value = np.exp(self.rest(x, *shapes))
        for base, exponent in self.powers(x, *shapes):
            value = value * np.power(base, exponent)
        return value
