"""Bessel functions of every kind, in their argument; in their order no derivative is known that holds for all orders.

C_v' = (C_{v-1} - C_{v+1}) / 2   for J, Y, H;    I_v' = (I_{v-1} + I_{v+1}) / 2;    K_v' = -(K_{v-1} + K_{v+1}) / 2
                                                                (DLMF 10.6.1, 10.29.1)
"""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.special as sp

from xform.ops.elementwise import Elementwise
from xform.scipy.special.table import only_real, special

ORDER = "the order v"


def halves(ufunc: np.ufunc, sign: int, outer: int = 1) -> Any:
    """The partial outer (f_{v-1} + sign f_{v+1}) / 2 in the argument."""
    return lambda y, v, z: (outer / 2) * (ufunc(v - 1.0, z) + sign * ufunc(v + 1.0, z))


def scaled(ufunc: np.ufunc, sign: int, rate: Any, outer: int = 1) -> Any:
    """The same of a function times e^{rate z}: rate times it is added."""
    bare = halves(ufunc, sign, outer)
    return lambda y, v, z: bare(y, v, z) + rate(z) * y


def of_order(ufunc: np.ufunc, partial: Any) -> Elementwise:
    return special(ufunc, [ORDER, partial])


jv = of_order(sp.jv, halves(sp.jv, -1))
yv = of_order(sp.yv, halves(sp.yv, -1))
yn = of_order(sp.yn, halves(sp.yv, -1))
hankel1 = of_order(sp.hankel1, halves(sp.hankel1, -1))
hankel2 = of_order(sp.hankel2, halves(sp.hankel2, -1))
iv = of_order(sp.iv, halves(sp.iv, 1))
kv = of_order(sp.kv, halves(sp.kv, 1, -1))
kn = of_order(sp.kn, halves(sp.kv, 1, -1))

# times e^{-|Im z|}, e^{-|Re z|}, e^z, e^{-iz}, e^{iz}
jve = of_order(sp.jve, only_real("jve", halves(sp.jve, -1)))
yve = of_order(sp.yve, only_real("yve", halves(sp.yve, -1)))
ive = of_order(sp.ive, only_real("ive", scaled(sp.ive, 1, lambda z: -np.sign(z))))
kve = of_order(sp.kve, scaled(sp.kve, 1, lambda z: 1, -1))
hankel1e = of_order(sp.hankel1e, scaled(sp.hankel1e, -1, lambda z: -1j))
hankel2e = of_order(sp.hankel2e, scaled(sp.hankel2e, -1, lambda z: 1j))

j0 = special(sp.j0, [lambda y, z: -sp.j1(z)])
j1 = special(sp.j1, [lambda y, z: (sp.j0(z) - sp.jv(2, z)) / 2])
y0 = special(sp.y0, [lambda y, z: -sp.y1(z)])
y1 = special(sp.y1, [lambda y, z: (sp.y0(z) - sp.yv(2, z)) / 2])
i0 = special(sp.i0, [lambda y, z: sp.i1(z)])
i1 = special(sp.i1, [lambda y, z: (sp.i0(z) + sp.iv(2, z)) / 2])
k0 = special(sp.k0, [lambda y, z: -sp.k1(z)])
k1 = special(sp.k1, [lambda y, z: -(sp.k0(z) + sp.kv(2, z)) / 2])
i0e = special(sp.i0e, [lambda y, z: sp.i1e(z) - np.sign(z) * y])
i1e = special(sp.i1e, [lambda y, z: (sp.i0e(z) + sp.ive(2, z)) / 2 - np.sign(z) * y])
k0e = special(sp.k0e, [lambda y, z: y - sp.k1e(z)])
k1e = special(sp.k1e, [lambda y, z: y - (sp.k0e(z) + sp.kve(2, z)) / 2])

wright_bessel = special(
    sp.wright_bessel,
    ["the parameter a", "the parameter b", lambda y, a, b, x: sp.wright_bessel(a, a + b, x)],
)
log_wright_bessel = special(
    sp.log_wright_bessel,
    ["the parameter a", "the parameter b", lambda y, a, b, x: np.exp(sp.log_wright_bessel(a, a + b, x) - y)],
)
#: int_0^1 x^lambda J_nu(2 a x) dx
besselpoly = special(
    sp.besselpoly,
    [
        lambda y, a, power, v: sp.besselpoly(a, power + 1, v - 1.0) - sp.besselpoly(a, power + 1, v + 1.0),
        "the power lmb",
        "the order nu",
    ],
)
