"""Airy's and Kelvin's functions, and integrals of Airy's.

Ai'' = z Ai, Bi'' = z Bi        (DLMF 9.2.1)
ber x + i bei x = J_0(x e^{3 pi i/4}),    ker x + i kei x = K_0(x e^{pi i/4})        (DLMF 10.61.1)
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import scipy.special as sp

from xform.numpy.dispatch import IMPLEMENTATIONS
from xform.ops.complex import assemble, imag, real
from xform.scipy.special.table import only_real, several, special

airy_ai, airy_aip, airy_bi, airy_bip = several(
    sp.airy,
    ["airy_ai", "airy_ai_prime", "airy_bi", "airy_bi_prime"],
    [
        [lambda y, z: airy_aip(z)],
        [lambda y, z: z * airy_ai(z)],
        [lambda y, z: airy_bip(z)],
        [lambda y, z: z * airy_bi(z)],
    ],
)


def root(z: Any) -> Any:
    """The rate sqrt(z) of the factors e^{+-2/3 z^{3/2}}; the factor of Bi is constant for z < 0."""
    return np.sqrt(z)


def positive_root(z: Any) -> Any:
    return np.sqrt(np.maximum(z, 0))


# Ai and Ai' times e^{2/3 z^{3/2}}, Bi and Bi' times e^{-|Re 2/3 z^{3/2}|}
airye_ai, airye_aip, airye_bi, airye_bip = several(
    sp.airye,
    ["airye_ai", "airye_ai_prime", "airye_bi", "airye_bi_prime"],
    [
        [lambda y, z: airye_aip(z) + root(z) * y],
        [lambda y, z: z * airye_ai(z) + root(z) * y],
        [only_real("airye", lambda y, z: airye_bip(z) - positive_root(z) * y)],
        [only_real("airye", lambda y, z: z * airye_bi(z) - positive_root(z) * y)],
    ],
)

itairy = several(
    sp.itairy,
    ["itairy_ai", "itairy_bi", "itairy_ai_minus", "itairy_bi_minus"],
    [
        [lambda y, x: airy_ai(x)],
        [lambda y, x: airy_bi(x)],
        [lambda y, x: airy_ai(-x)],
        [lambda y, x: airy_bi(-x)],
    ],
)

# --- Kelvin's functions: beyond their first derivatives, those of J_0 and K_0 along a line of the complex plane ---

J_TURN = complex(-math.sqrt(0.5), math.sqrt(0.5))
K_TURN = complex(math.sqrt(0.5), math.sqrt(0.5))


def second_of_j(x: Any) -> Any:
    """d^2/dx^2 J_0(c x) = c^2 (J_2 - J_0)(c x) / 2."""
    z = J_TURN * x
    return (J_TURN**2 / 2) * (sp.jv(2, z) - sp.jv(0, z))


def second_of_k(x: Any) -> Any:
    z = K_TURN * x
    return (K_TURN**2 / 2) * (sp.kv(2, z) + sp.kv(0, z))


ber = special(sp.ber, [lambda y, x: sp.berp(x)])
bei = special(sp.bei, [lambda y, x: sp.beip(x)])
ker = special(sp.ker, [lambda y, x: sp.kerp(x)])
kei = special(sp.kei, [lambda y, x: sp.keip(x)])
berp = special(sp.berp, [lambda y, x: real(second_of_j(x))])
beip = special(sp.beip, [lambda y, x: imag(second_of_j(x))])
kerp = special(sp.kerp, [lambda y, x: real(second_of_k(x))])
keip = special(sp.keip, [lambda y, x: imag(second_of_k(x))])


def kelvin(x: Any) -> tuple[Any, ...]:
    """(Be, Ke, Be', Ke') as complex numbers."""
    pairs = (sp.ber, sp.bei), (sp.ker, sp.kei), (sp.berp, sp.beip), (sp.kerp, sp.keip)
    return tuple(assemble(first(x), second(x)) for first, second in pairs)


IMPLEMENTATIONS[sp.kelvin] = kelvin
