"""Solutions of linear differential equations of second order that SciPy gives together with their derivative.

The second derivative, and with it every higher one, follows from the equation (DLMF 12.2, 28.2, 28.20, 30.2, 30.6):

    parabolic cylinder   y'' = (x^2/4 - v - 1/2) y,  for W  y'' = (a - x^2/4) y
    Mathieu              y'' = -(a - 2 q cos 2x) y,  modified  y'' = (a - 2 q cosh 2x) y
    spheroidal           ((1 -+ x^2) y')' + (lambda -+ ... ) y = 0

In the parameters no derivative is known.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import scipy.special as sp

from xform.scipy.special.table import doubles, kept, several

DEGREE = math.pi / 180


def solution(ufunc: np.ufunc, parameters: Sequence[str | None], second: Callable[..., Any], unit: float = 1.0) -> None:
    """The solution and its derivative, from second(y, y', x, *parameters); the argument is counted in `unit`s."""
    name = ufunc.__name__

    def values(*args: Any) -> list[Any]:
        """In double precision: in single, some of SciPy's loops do not end."""
        return [kept(y, *args) for y in ufunc(*doubles(name, *args))]

    def both(*args: Any) -> tuple[Any, Any]:
        return first(*args), rate(*args)

    first, rate = several(
        ufunc,
        [f"{name}_value", f"{name}_slope"],
        [
            [*parameters, lambda y, *args: unit * rate(*args)],
            [*parameters, lambda y, *args: unit * second(*both(*args), args[-1], *args[:-1])],
        ],
        values,
    )


V, Q, C = "the parameter v", "the parameter q", "the parameter c"

solution(sp.pbdv, [V], lambda y, dy, x, v: (x * x / 4 - v - 0.5) * y)
solution(sp.pbvv, [V], lambda y, dy, x, v: (x * x / 4 - v - 0.5) * y)
solution(sp.pbwa, ["the parameter a"], lambda y, dy, x, a: (a - x * x / 4) * y)


def mathieu(characteristic: Any) -> Any:
    """Of the angle x in degrees."""
    return lambda y, dy, x, m, q: -(characteristic(m, q) - 2 * q * np.cos(2 * DEGREE * x)) * y


def modified_mathieu(characteristic: Any) -> Any:
    return lambda y, dy, x, m, q: (characteristic(m, q) - 2 * q * np.cosh(2 * x)) * y


solution(sp.mathieu_cem, [None, Q], mathieu(sp.mathieu_a), DEGREE)
solution(sp.mathieu_sem, [None, Q], mathieu(sp.mathieu_b), DEGREE)
for _ufunc, _values in (
    (sp.mathieu_modcem1, sp.mathieu_a),
    (sp.mathieu_modcem2, sp.mathieu_a),
    (sp.mathieu_modsem1, sp.mathieu_b),
    (sp.mathieu_modsem2, sp.mathieu_b),
):
    solution(_ufunc, [None, Q], modified_mathieu(_values))


def angular(sign: int) -> Any:
    """((1-x^2) y')' + (cv -+ c^2 x^2 - m^2/(1-x^2)) y = 0; prolate for sign = 1, oblate for -1."""

    def second(y: Any, dy: Any, x: Any, m: Any, n: Any, c: Any, cv: Any) -> Any:
        w = 1 - x * x
        return (2 * x * dy - (cv - sign * c * c * x * x - m * m / w) * y) / w

    return second


def radial(sign: int) -> Any:
    """((x^2-+1) y')' - (cv - c^2 x^2 +- m^2/(x^2-+1)) y = 0."""

    def second(y: Any, dy: Any, x: Any, m: Any, n: Any, c: Any, cv: Any) -> Any:
        w = x * x - sign
        return ((cv - c * c * x * x + sign * m * m / w) * y - 2 * x * dy) / w

    return second


def with_value(second: Any, characteristic: Any) -> Any:
    """The ufunc computes the characteristic value itself."""
    return lambda y, dy, x, m, n, c: second(y, dy, x, m, n, c, characteristic(m, n, c))


for _ufunc, _second, _values in (
    (sp.pro_ang1, angular(1), sp.pro_cv),
    (sp.obl_ang1, angular(-1), sp.obl_cv),
    (sp.pro_rad1, radial(1), sp.pro_cv),
    (sp.obl_rad1, radial(-1), sp.obl_cv),
):
    solution(_ufunc, [None, None, C], with_value(_second, _values))
