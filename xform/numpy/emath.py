"""numpy.emath: functions of real numbers that answer in complex ones where there is no real answer.

Whether a result is complex depends on the values, which must be known: under `vmap` and `jit` they are not, and only
complex arguments are taken there.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from xform.core.trace import concrete_or_raise
from xform.numpy.dispatch import ArrayLike, as_dtype, asarray, implements

__all__ = ["arccos", "arcsin", "arctanh", "log", "log2", "log10", "logn", "power", "sqrt"]

#: the dtypes that become complex64, by their character
SINGLE = "fbhBH"


def extended(name: str, x: Any, beyond: Callable[[Any], Any]) -> Any:
    """The argument, in complex numbers if an entry is `beyond` the domain of the real function."""
    x = asarray(x)
    if x.dtype.kind == "c" or not found(name, x, beyond):
        return x
    return as_dtype(x, np.dtype(np.complex64 if x.dtype.char in SINGLE else np.complex128))


def found(name: str, x: Any, beyond: Callable[[Any], Any]) -> bool:
    remedy = f"Write numpy.emath.{name}(x + 0j), which is complex whatever the values are"
    return bool(np.any(beyond(concrete_or_raise(x, f"numpy.emath.{name}", remedy))))


def negative(x: Any) -> Any:
    return x < 0


def outside_the_unit_interval(x: Any) -> Any:
    return np.abs(x) > 1


@implements(np.emath.sqrt)
def sqrt(x: ArrayLike) -> Any:
    """The square root, complex if an entry is negative.

    >>> import xform
    >>> xform.jvp(sqrt, (-4.0,), (1.0,))
    (np.complex128(2j), np.complex128(-0.25j))
    """
    return np.sqrt(extended("sqrt", x, negative))


@implements(np.emath.log)
def log(x: ArrayLike) -> Any:
    """The natural logarithm, complex if an entry is negative.

    >>> log(-1.0)
    np.complex128(3.141592653589793j)
    """
    return np.log(extended("log", x, negative))


@implements(np.emath.log2)
def log2(x: ArrayLike) -> Any:
    """The logarithm to base 2, complex if an entry is negative."""
    return np.log2(extended("log2", x, negative))


@implements(np.emath.log10)
def log10(x: ArrayLike) -> Any:
    """The logarithm to base 10, complex if an entry is negative."""
    return np.log10(extended("log10", x, negative))


@implements(np.emath.logn)
def logn(n: ArrayLike, x: ArrayLike) -> Any:
    """The logarithm to base n, complex if an entry or a base is negative.

    >>> logn(2, 8)
    np.float64(3.0)
    """
    return np.log(extended("logn", x, negative)) / np.log(extended("logn", n, negative))


@implements(np.emath.power)
def power(x: ArrayLike, p: ArrayLike) -> Any:
    """x to the power p, complex if an entry of x is negative, in real numbers if one of p is a negative integer.

    >>> power([2, 4], -2)
    array([0.25  , 0.0625])
    """
    x, exponent = extended("power", x, negative), asarray(p)
    if exponent.dtype.kind in "iu" and found("power", exponent, negative):
        exponent = exponent * 1.0
    return np.power(x, exponent)


@implements(np.emath.arccos)
def arccos(x: ArrayLike) -> Any:
    """The inverse cosine, complex if an entry is not in [-1, 1]."""
    return np.arccos(extended("arccos", x, outside_the_unit_interval))


@implements(np.emath.arcsin)
def arcsin(x: ArrayLike) -> Any:
    """The inverse sine, complex if an entry is not in [-1, 1]."""
    return np.arcsin(extended("arcsin", x, outside_the_unit_interval))


@implements(np.emath.arctanh)
def arctanh(x: ArrayLike) -> Any:
    """The inverse hyperbolic tangent, complex if an entry is not in [-1, 1].

    >>> arctanh(2.0).round(12)
    np.complex128(0.549306144334+1.570796326795j)
    """
    return np.arctanh(extended("arctanh", x, outside_the_unit_interval))
