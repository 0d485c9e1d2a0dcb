"""Spherical Bessel functions, and spherical harmonics.

(2n+1) f_n' = n f_{n-1} - (n+1) f_{n+1} for j and y,  n f_{n-1} + (n+1) f_{n+1} for i,  minus that for k
                                                                        (DLMF 10.51.2, 10.51.5)
dY_n^m/dtheta = (sqrt((n-m)(n+m+1)) e^{-i phi} Y_n^{m+1} - sqrt((n+m)(n-m+1)) e^{i phi} Y_n^{m-1}) / 2,
dY_n^m/dphi = i m Y_n^m                                       (the ladder operators of angular momentum)
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import scipy.special as sp

from xform.ops.elementwise import Elementwise
from xform.scipy.special.table import kept, special


def of_degree(function: Callable[..., Any], lower: int, upper: int) -> Elementwise:
    """A spherical Bessel function; of degree 0 the first of the two terms has the factor 0."""
    name = function.__name__

    def values(n: Any, z: Any) -> Any:
        return kept(function(n, z), z)

    def slope(y: Any, n: Any, z: Any) -> Any:
        first = np.maximum(n - 1, 0)
        return (lower * n * prim(first, z) + upper * (n + 1) * prim(n + 1, z)) / (2 * n + 1)

    prim = special(values, [None, slope], name)
    return prim


spherical_jn = of_degree(sp.spherical_jn, 1, -1)
spherical_yn = of_degree(sp.spherical_yn, 1, -1)
spherical_in = of_degree(sp.spherical_in, 1, 1)
spherical_kn = of_degree(sp.spherical_kn, -1, -1)


def harmonic_values(n: Any, m: Any, theta: Any, phi: Any) -> Any:
    """Y_n^m(theta, phi), zero for |m| > n."""
    return kept(sp.sph_harm_y(n, m, np.multiply(theta, 1.0), np.multiply(phi, 1.0)), theta, phi)


def harmonic_theta(y: Any, n: Any, m: Any, theta: Any, phi: Any) -> Any:
    turn, up, down = np.exp(-1j * phi), np.maximum((n - m) * (n + m + 1), 0), np.maximum((n + m) * (n - m + 1), 0)
    raised, lowered = sph_harm_y(n, m + 1, theta, phi), sph_harm_y(n, m - 1, theta, phi)
    return (np.sqrt(up) * turn * raised - np.sqrt(down) * np.conjugate(turn) * lowered) / 2


sph_harm_y = special(
    harmonic_values,
    [None, None, harmonic_theta, lambda y, n, m, theta, phi: 1j * m * y],
    "sph_harm_y",
)
