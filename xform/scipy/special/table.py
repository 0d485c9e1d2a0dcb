"""How a row of the tables of this package is read.

    special(sp.erf, [lambda y, a: ...])        a ufunc, whose values SciPy computes, with its partial derivatives
    several(sp.sici, names, [[...], [...]])    a ufunc of several results: a primitive for each
    inverse(sp.ndtri, cdf partials, 0)         the solution x of F(..., x, ...) = p, by the implicit function theorem

Partial derivatives are written with ufuncs and primitives that are rows themselves, so that every order follows. A
partial derivative that is not known is given as words that name the argument: to differentiate in it raises an error.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from xform.core.errors import MissingRuleError
from xform.numpy.dispatch import IMPLEMENTATIONS
from xform.ops.complex import real
from xform.ops.elementwise import BY_UFUNC, Elementwise
from xform.ops.select import select

#: a function of the result and the arguments, a constant, None (there is no derivative), or the argument's description
Row = Sequence[Callable[..., Any] | complex | str | None]

SQRT_PI = math.sqrt(math.pi)
SQRT_2PI = math.sqrt(2 * math.pi)


class ScipyFunction(Elementwise):
    """An elementwise function whose values SciPy computes: a compiled program calls it, unless libm has it as well."""


def special(function: Any, partials: Row, name: str = "", **options: Any) -> ScipyFunction:
    """The primitive of a function; its partials may be infinite, at poles and at the ends of a domain."""
    name = name or function.__name__
    known = [not_known(name, d) if isinstance(d, str) else d for d in partials]
    return ScipyFunction(name, function, known, singular=True, **options)


def not_known(name: str, argument: str) -> Callable[..., Any]:
    """The partial derivative in an argument in which no formula for it is known."""

    def refuse(*_: Any) -> Any:
        raise MissingRuleError(
            f"{name} cannot be differentiated in {argument}: no formula for that derivative is known that holds for "
            "all arguments. Keep the argument constant (a plain number or array, or an integer), or give the function "
            "a rule of your own with xform.custom_jvp, for instance by finite differences"
        )

    return refuse


def several(ufunc: np.ufunc, names: Sequence[str], rows: Sequence[Row], values: Any = None) -> list[ScipyFunction]:
    """The primitives of a ufunc of several results, one each; the ufunc on traced values is all of them.

    `values` computes them, by default the ufunc.
    """
    values = values or ufunc
    prims = [special(result(values, k), row, name) for k, (name, row) in enumerate(zip(names, rows, strict=True))]
    IMPLEMENTATIONS[ufunc] = lambda *args: tuple(p(*args) for p in prims)
    return prims


def result(function: Callable[..., Any], k: int) -> Callable[..., Any]:
    """The k-th result of a function of several."""
    return lambda *args: function(*args)[k]


def same(ufunc: np.ufunc, prim: Any) -> None:
    """SciPy's ufunc is the same function as one that has a primitive."""
    BY_UFUNC[ufunc] = prim


def inverse(ufunc: np.ufunc, cdf: Row, position: int, *, least: float | None = None) -> ScipyFunction:
    """The function x of (..., p, ...) with F(..., x, ...) = p, where `cdf` are the partials of F, as functions of
    (p, its arguments), and x and p stand at the same position:

        dx/dp = 1 / F_x,    dx/da = -F_a / F_x

    With `least`, x is constant where it has that value.
    """

    def at(partial: Any, x: Any, args: Any) -> Any:
        return partial(args[position], *args[:position], x, *args[position + 1 :]) if callable(partial) else partial

    def ratio(k: int, x: Any, args: Any) -> Any:
        slope = at(cdf[position], x, args)
        return 1 / slope if k == position else -at(cdf[k], x, args) / slope

    def partial(k: int) -> Any:
        if cdf[k] is None or isinstance(cdf[k], str):
            return cdf[k]
        if least is None:
            return lambda x, *args: ratio(k, x, args)
        start: float = least

        def clamped(x: Any, *args: Any) -> Any:
            end = np.equal(x, start)
            return select(end, 0.0, ratio(k, select(end, start + 1, x), args))

        return clamped

    return special(ufunc, [partial(k) for k in range(len(cdf))])


# --- functions that rows share ---


def is_complex(x: Any) -> bool:
    return np.result_type(x.dtype).kind == "c" if hasattr(x, "dtype") else isinstance(x, complex)


def only_real(name: str, partial: Callable[..., Any]) -> Callable[..., Any]:
    """The partial of a function that is not holomorphic, and has no single number as derivative off the real line."""

    def checked(y: Any, *args: Any) -> Any:
        if any(is_complex(a) for a in args):
            raise MissingRuleError(
                f"{name} of complex numbers is not holomorphic, for its scaling is a real number; differentiate the "
                "function without scaling, times the factor, instead"
            )
        return partial(y, *args)

    return checked


def where(condition: Any, x: Any, inside: Callable[[Any], Any], outside: Callable[[Any], Any], safe: float) -> Any:
    """inside(x) or outside(x), each evaluated at `safe` where the other one is taken, so that neither disturbs."""
    first, second = inside(select(condition, x, safe)), outside(select(condition, safe, x))
    return select(condition, first, second)


def polynomial(coefficients: Sequence[float], x: Any) -> Any:
    """c[0] + c[1] x + ..., by Horner's rule."""
    total = coefficients[-1] + 0 * x
    for c in reversed(coefficients[:-1]):
        total = c + x * total
    return total


def sinpi(x: Any) -> Any:
    """sin(pi x), exactly zero at integers."""
    return np.sin(math.pi * reduced(x))


def cospi(x: Any) -> Any:
    return np.cos(math.pi * reduced(x))


def reduced(x: Any) -> Any:
    """x less the even integer nearest to its real part."""
    return x - 2 * np.rint((real(x) if is_complex(x) else x) / 2)


def doubles(name: str, *arrays: Any) -> list[np.ndarray]:
    """Real arguments in double precision, broadcast against each other; TypeError for complex ones, as of ufuncs."""
    if any(np.iscomplexobj(x) for x in arrays):
        raise TypeError(f"{name} of complex numbers is not known; pass real ones")
    return list(np.broadcast_arrays(*(np.asarray(x, float) for x in arrays)))


def kept(values: Any, *like: Any) -> Any:
    """Values computed in double precision, in the precision of the arguments; Python numbers have none."""
    dtypes = [x.dtype for x in like if not isinstance(x, int | float | complex) or isinstance(x, np.generic)]
    values = np.asarray(values)
    if not dtypes:
        return values[()]
    precision = np.result_type(np.finfo(np.result_type(*dtypes, np.float16)).dtype, np.float32)
    return values.astype(np.result_type(precision, np.complex64) if values.dtype.kind == "c" else precision)[()]
