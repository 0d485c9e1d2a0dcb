"""Taylor series as lazy sequences of coefficients, x(t) = x[0] + x[1] t + x[2] t^2 + ...

Laziness lets a recurrence refer to itself: with y = f(x), y[k] = [f'(x) x']_{k-1} / k asks only for terms below k, even
when f'(x) is written with y, or with a function whose own derivative is f again (sin asks cos asks sin).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from xform.core.aval import aval_of
from xform.core.primitive import Zero, is_zero


class Series:
    """Coefficients computed on demand, each once; a coefficient is a value or a Zero."""

    __slots__ = ("_term", "_terms", "is_constant")

    def __init__(self, term: Callable[[int], Any], is_constant: bool = False) -> None:
        self._term = term
        self._terms: list[Any] = []
        self.is_constant = is_constant

    def __getitem__(self, k: int) -> Any:
        while len(self._terms) <= k:
            self._terms.append(self._term(len(self._terms)))
        return self._terms[k]

    @classmethod
    def constant(cls, x: Any) -> Series:
        return cls(lambda k: x if k == 0 else Zero.like(x), is_constant=True)

    @classmethod
    def of(cls, terms: list[Any]) -> Series:
        """The polynomial with these coefficients."""
        series = cls(beyond)
        series._terms = terms
        return series

    def first(self, count: int) -> list[Any]:
        """The first coefficients."""
        return [self[k] for k in range(count)]

    def close(self, order: int) -> None:
        """Compute all coefficients up to the order, and let go of what they are computed from."""
        self[order]
        self._term = beyond

    def forget(self) -> None:
        """Hold no coefficients any longer; it must not be used again."""
        self._terms.clear()

    def derivative(self) -> Series:
        """x'(t), whose k-th coefficient is (k + 1) x[k + 1]; the zeroth is a value, never a Zero."""

        def term(k: int) -> Any:
            c = self[k + 1]
            if is_zero(c):
                return c if k else np.zeros(c.aval.shape, c.aval.dtype)
            return c * (k + 1) if k else c

        return Series(term)


def beyond(k: int) -> Any:
    raise IndexError(f"coefficient {k} of a series that was computed to a lower order")


def termwise(f: Callable[..., Any], *series: Series) -> Series:
    """A function linear in its arguments jointly, applied to each coefficient."""

    def term(k: int) -> Any:
        terms = [s[k] for s in series]
        return zero_result(f, series) if all(map(is_zero, terms)) else f(*terms)

    return Series(term)


def cauchy(f: Callable[[Any, Any], Any], x: Series, y: Series) -> Series:
    """A bilinear function of two series: z[k] = sum_m f(x[m], y[k - m])."""

    def term(k: int) -> Any:
        z = None
        for m in range(k + 1):
            if not is_zero(x[m]) and not is_zero(y[k - m]):
                product = f(x[m], y[k - m])
                z = product if z is None else z + product
        return zero_result(f, (x, y)) if z is None else z

    return Series(term)


def zero_result(f: Callable[..., Any], series: Any) -> Zero:
    """A coefficient that is zero, in the aval of the function's results."""
    return Zero(aval_of(f(*(s[0] for s in series))).tangent())
