"""Orthogonal polynomials and Legendre functions, in their argument.

    d/dx P_n^{(a,b)} = (n+a+b+1)/2 P_{n-1}^{(a+1,b+1)}    d/dx C_n^{(a)} = 2 a C_{n-1}^{(a+1)}    d/dx T_n = n U_{n-1}
    d/dx L_n^{(a)} = -L_{n-1}^{(a+1)}    d/dx H_n = 2 n H_{n-1}    d/dx He_n = n He_{n-1}            (DLMF 18.9)

A derivative of degree n - 1 is zero for n = 0. In a degree that is no integer no derivative is known.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import scipy.special as sp

from xform.ops.select import select
from xform.scipy.special.table import special

N = "the degree n"
ALPHA, BETA = "the parameter alpha", "the parameter beta"


def lower(n: Any) -> tuple[Any, Any]:
    """(is there no lower degree?, the lower degree)."""
    constant = np.equal(n, 0)
    return constant, select(constant, n + 1, n) - 1


def below(derivative: Callable[..., Any]) -> Callable[..., Any]:
    """The partial in x from a function of (the lower degree, n, the other arguments)."""

    def slope(y: Any, n: Any, *args: Any) -> Any:
        constant, m = lower(n)
        return select(constant, 0.0, derivative(m, n, *args))

    return slope


eval_jacobi = special(
    sp.eval_jacobi,
    [N, ALPHA, BETA, below(lambda m, n, a, b, x: (n + a + b + 1) / 2 * sp.eval_jacobi(m, a + 1.0, b + 1.0, x))],
)
eval_sh_jacobi = special(
    sp.eval_sh_jacobi,
    [
        N,
        "the parameter p",
        "the parameter q",
        below(lambda m, n, p, q, x: n * sp.eval_sh_jacobi(m, p + 2.0, q + 1.0, x)),
    ],
)
eval_gegenbauer = special(
    sp.eval_gegenbauer, [N, ALPHA, below(lambda m, n, a, x: 2 * a * sp.eval_gegenbauer(m, a + 1.0, x))]
)
eval_genlaguerre = special(
    sp.eval_genlaguerre, [N, ALPHA, below(lambda m, n, a, x: -sp.eval_genlaguerre(m, a + 1.0, x))]
)
eval_laguerre = special(sp.eval_laguerre, [N, below(lambda m, n, x: -sp.eval_genlaguerre(m, 1.0, x))])
eval_hermite = special(sp.eval_hermite, [N, below(lambda m, n, x: 2 * n * sp.eval_hermite(m, x))])
eval_hermitenorm = special(sp.eval_hermitenorm, [N, below(lambda m, n, x: n * sp.eval_hermitenorm(m, x))])

eval_legendre = special(sp.eval_legendre, [N, below(lambda m, n, x: (n + 1) / 2 * sp.eval_jacobi(m, 1.0, 1.0, x))])
eval_sh_legendre = special(
    sp.eval_sh_legendre, [N, below(lambda m, n, x: (n + 1) * sp.eval_jacobi(m, 1.0, 1.0, 2 * x - 1))]
)

# U_n = C_n^{(1)}; the shifted ones are taken at 2x - 1, C and S at x / 2 (C_n = 2 T_n, S_n = U_n)
eval_chebyt = special(sp.eval_chebyt, [N, below(lambda m, n, x: n * sp.eval_chebyu(m, x))])
eval_chebyu = special(sp.eval_chebyu, [N, below(lambda m, n, x: 2 * sp.eval_gegenbauer(m, 2.0, x))])
eval_chebyc = special(sp.eval_chebyc, [N, below(lambda m, n, x: n * sp.eval_chebys(m, x))])
eval_chebys = special(sp.eval_chebys, [N, below(lambda m, n, x: sp.eval_gegenbauer(m, 2.0, x / 2))])
eval_sh_chebyt = special(sp.eval_sh_chebyt, [N, below(lambda m, n, x: 2 * n * sp.eval_sh_chebyu(m, x))])
eval_sh_chebyu = special(sp.eval_sh_chebyu, [N, below(lambda m, n, x: 4 * sp.eval_gegenbauer(m, 2.0, 2 * x - 1))])


def slope_of_legendre_function(y: Any, m: Any, v: Any, x: Any) -> Any:
    """(x^2 - 1) dP_v^m/dx = v x P_v^m - (v + m) P_{v-1}^m   (DLMF 14.10.5); of order 0, (v+1)/2 P_{v-1}^{(1,1)}."""
    plain = np.equal(m, 0)
    u = select(plain, 0.0, x)
    slope = (v * u * y - (v + m) * sp.lpmv(m, v - 1.0, u)) / (u * u - 1)
    constant, degree = lower(v * 1.0)
    return select(plain, select(constant, 0.0, (v + 1) / 2 * sp.eval_jacobi(degree, 1.0, 1.0, x)), slope)


lpmv = special(sp.lpmv, [None, "the degree v", slope_of_legendre_function])
