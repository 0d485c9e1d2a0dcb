"""Hypergeometric functions, in their argument: the derivative raises every parameter by one (DLMF 13.3.15, 15.5.1)."""

from __future__ import annotations

import scipy.special as sp

from xform.scipy.special.table import special

A, B, C = "the parameter a", "the parameter b", "the parameter c"

hyp0f1 = special(sp.hyp0f1, ["the parameter v", lambda y, v, z: sp.hyp0f1(v + 1.0, z) / v])
hyp1f1 = special(sp.hyp1f1, [A, B, lambda y, a, b, z: a / b * sp.hyp1f1(a + 1.0, b + 1.0, z)])
hyp2f1 = special(sp.hyp2f1, [A, B, C, lambda y, a, b, c, z: a * b / c * sp.hyp2f1(a + 1.0, b + 1.0, c + 1.0, z)])
hyperu = special(sp.hyperu, [A, B, lambda y, a, b, z: -a * sp.hyperu(a + 1.0, b + 1.0, z)])
