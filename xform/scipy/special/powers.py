"""Logistic functions, powers and their transforms, entropies, Huber's losses, angles in degrees."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import scipy.special as sp

from xform.ops import transcendental
from xform.ops.arithmetic import power_base, power_exponent
from xform.ops.select import select
from xform.scipy.special.table import same, special, where

same(sp.exp2, transcendental.exp2)
same(sp.expm1, transcendental.expm1)
same(sp.log1p, transcendental.log1p)
same(sp.cbrt, transcendental.cbrt)
exp10 = special(sp.exp10, [lambda y, a: y * math.log(10)])
round_ = special(sp.round, [None], "round_half_even")

expit = special(sp.expit, [lambda y, a: y * sp.expit(-a)], c={"f": "xf_logistic_{t}({})"})
logit = special(sp.logit, [lambda y, a: 1 / (a * (1 - a))])
log_expit = special(sp.log_expit, [lambda y, a: sp.expit(-a)])

# --- x log y, entropies ---


def divided(x: Any, y: Any) -> Any:
    """x / y, and 0 for 0 / 0: x log y vanishes for x = 0 whatever y is."""
    return x / select(np.equal(x, 0) & np.equal(y, 0), 1.0, y)


xlogy = special(sp.xlogy, [lambda v, x, y: np.log(y), lambda v, x, y: divided(x, y)])
xlog1py = special(sp.xlog1py, [lambda v, x, y: np.log1p(y), lambda v, x, y: divided(x, 1 + y)])
entr = special(sp.entr, [lambda v, x: -np.log(x) - 1])
rel_entr = special(sp.rel_entr, [lambda v, x, y: np.log(divided(x, y)) + 1, lambda v, x, y: -divided(x, y)])
kl_div = special(sp.kl_div, [lambda v, x, y: np.log(divided(x, y)), lambda v, x, y: 1 - divided(x, y)])

# --- Huber's losses ---


def pseudo_huber_delta(y: Any, delta: Any, r: Any) -> Any:
    """delta (s - 1)^2 / s with s = sqrt(1 + (r/delta)^2) = h / delta, where h - delta = r^2 / (h + delta)."""
    h = np.hypot(delta, r)
    h = select(np.equal(h, 0), 1.0, h)
    q = r * (r / (h + delta))
    return q * q / h


def pseudo_huber_residual(y: Any, delta: Any, r: Any) -> Any:
    h = np.hypot(delta, r)
    return delta * r / select(np.equal(h, 0), 1.0, h)


huber = special(
    sp.huber,
    [lambda y, delta, r: np.maximum(np.abs(r) - delta, 0), lambda y, delta, r: np.clip(r, -delta, delta)],
)
pseudo_huber = special(sp.pseudo_huber, [pseudo_huber_delta, pseudo_huber_residual])

# --- (e^x - 1) / x, powers, and Box and Cox's transforms ---


def exprel_slope(x: Any) -> Any:
    """d/dx of y = (e^x - 1) / x: near 0 as 1F1(2; 3; x) / 2, below (e^x - y) / x, above the same as y - (y - 1) / x,
    which does not subtract infinities."""

    def outer(u: Any) -> Any:
        y, above = sp.exprel(u), np.greater(u, 0)
        return select(above, y - (y - 1) / u, (np.exp(select(above, 0.0, u)) - y) / u)

    return where(np.less(np.abs(x), 1), x, lambda u: sp.hyp1f1(2.0, 3.0, u) / 2, outer, 0.5)


exprel = special(sp.exprel, [lambda y, x: exprel_slope(x)])
cosm1 = special(sp.cosm1, [lambda y, x: -np.sin(x)])
powm1 = special(
    sp.powm1, [lambda y, x, p: power_base(y + 1, x, p), lambda y, x, p: power_exponent(np.power(x, p), x, p)]
)


def in_exponent(log: Any, exponent: Any) -> Any:
    """d/dl of (e^{l L} - 1) / l = L exprel(l L): it is L^2 exprel'(l L); for L = -inf and l > 0, 1 / l^2."""
    end = np.isneginf(log) & np.greater(exponent, 0)
    size = select(end, 0.0, log)
    return select(end, 1 / np.square(select(end, exponent, 1.0)), size * size * exprel_slope(exponent * size))


boxcox = special(
    sp.boxcox,
    [lambda y, x, p: np.power(x, p - 1), lambda y, x, p: in_exponent(np.log(x), p)],
)
boxcox1p = special(
    sp.boxcox1p,
    [lambda y, x, p: np.exp((p - 1) * np.log1p(x)), lambda y, x, p: in_exponent(np.log1p(x), p)],
)
inv_boxcox = special(
    sp.inv_boxcox,
    [lambda x, y, p: np.power(x, 1 - p), lambda x, y, p: -in_exponent(np.log(x), p) * np.power(x, 1 - p)],
)
inv_boxcox1p = special(
    sp.inv_boxcox1p,
    [
        lambda x, y, p: np.exp((1 - p) * np.log1p(x)),
        lambda x, y, p: -in_exponent(np.log1p(x), p) * np.exp((1 - p) * np.log1p(x)),
    ],
)

# --- degrees ---

DEGREE = math.pi / 180
radian = special(sp.radian, [DEGREE, DEGREE / 60, DEGREE / 3600])
sindg = special(sp.sindg, [lambda y, x: DEGREE * sp.cosdg(x)])
cosdg = special(sp.cosdg, [lambda y, x: -DEGREE * sp.sindg(x)])
tandg = special(sp.tandg, [lambda y, x: DEGREE * (1 + y * y)])
cotdg = special(sp.cotdg, [lambda y, x: -DEGREE * (1 + y * y)])
