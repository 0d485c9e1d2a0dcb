"""Elliptic integrals, Jacobi's elliptic functions, the arithmetic-geometric mean.

All derive from Carlson's integral and its derivatives in the arguments (Carlson 1995, Numerical computation of real or
complex elliptic integrals; DLMF 19.16 to 19.25),

    R(i, j, k, l) = d^{i+j+k}/dx^i dy^j dz^k  1/2 int_0^inf ((t+x)(t+y)(t+z))^{-1/2} (t+p)^{-l} dt,

with RF = R(0,0,0,0), RD(x,y,z) = -6 R(0,0,1,0), RJ = 3 R(0,0,0,1). Differentiating raises an index, so that nothing
cancels where arguments coincide.
"""

from __future__ import annotations

import functools
import math
from typing import Any

import numpy as np
import scipy.special as sp

from xform.numpy.dispatch import IMPLEMENTATIONS
from xform.ops.select import select
from xform.scipy.special.expectation import in_blocks
from xform.scipy.special.table import kept, special

#: nodes t = e^v and weights of the trapezoidal rule in v, which is exponentially accurate; algebraic ends decay as
#: e^{-|v|/2}, and arguments of every size between e^-80 and 1 are resolved alike
STEP = 0.4
NODES = np.exp(STEP * np.arange(-200, 200))
WEIGHTS = STEP * NODES


def carlson_values(i: Any, j: Any, k: Any, m: Any, x: Any, y: Any, z: Any, p: Any) -> Any:
    """R(i, j, k, m) at (x, y, z, p), in their precision; SciPy's integrals up to the first order."""
    orders = tuple(map(int, (i, j, k, m)))
    with np.errstate(all="ignore"):
        if sum(orders) == 0:
            values = sp.elliprf(x, y, z)
        elif orders == (0, 0, 0, 1):
            values = sp.elliprj(x, y, z, p) / 3
        elif sum(orders) == 1:
            values = -sp.elliprd(*((y, z, x) if i else (x, z, y) if j else (x, y, z))) / 6
        else:
            args = np.broadcast_arrays(x, y, z, p if m else 1.0)
            flat = (np.ravel(a) for a in args)
            values = in_blocks(functools.partial(quadrature, orders), *flat).reshape(args[0].shape)
        return kept(np.broadcast_to(values, np.broadcast(x, y, z, p).shape), x, y, z, p)


def quadrature(orders: tuple[int, ...], *args: np.ndarray) -> Any:
    """The integral at arguments scaled to the size of one; nan for p < 0, infinite where it diverges."""
    scale = np.maximum.reduce([np.abs(a) for a in args])
    total, size = 0.5 * WEIGHTS, np.ones_like(scale)
    for n, a in zip(orders[:3], args, strict=False):
        rising = math.prod(-0.5 - q for q in range(n))
        total = total * rising * (NODES + (a / scale)[..., None]) ** (-0.5 - n)
        size = np.where((a == 0) & (n > 0), np.copysign(np.inf, rising), size)
    p = args[3]
    size = np.where(np.isreal(p) & (np.real(p) <= 0), np.nan, size)  # principal values are left out
    total = (total / (NODES + (p / scale)[..., None]) ** orders[3]).sum(-1)
    return np.where(size == 1, total * scale ** (-0.5 - sum(orders)), size)


def raised(*steps: int) -> Any:
    """The partial in an argument: an index is raised; in p it is, times -l."""

    def partial(r: Any, i: int, j: int, k: int, m: int, *args: Any) -> Any:
        value = carlson(*(n + step for n, step in zip((i, j, k, m), steps, strict=True)), *args)
        return -m * value if steps[3] else value

    return partial


carlson = special(
    carlson_values,
    [None, None, None, None, raised(1, 0, 0, 0), raised(0, 1, 0, 0), raised(0, 0, 1, 0), raised(0, 0, 0, 1)],
    "carlson_derivative",
)

# --- Carlson's symmetric integrals ---


def first_kind(i: int, j: int, k: int, x: Any, y: Any, z: Any) -> Any:
    """A derivative of RF."""
    return carlson(i, j, k, 0, x, y, z, 1.0)


def degenerate(index: int) -> Any:
    """The partials of RC(x, y) = RF(x, y, y), and of its principal value for y < 0."""

    def partial(r: Any, x: Any, y: Any) -> Any:
        principal = np.less(y, 0)
        a, b = select(principal, 1.0, x), select(principal, 1.0, y)
        regular = 2 * first_kind(0, 1, 0, a, b, b) if index else first_kind(1, 0, 0, a, b, b)
        u, v = select(principal, x, 2.0), select(principal, y, 1.0)
        other = (r - np.sqrt(u) / v if index else 1 / np.sqrt(u) - r) / (2 * (u - v))
        return select(principal, other, regular)

    return partial


def second_kind(r: Any, x: Any, y: Any, z: Any) -> Any:
    """dRG/dx = RF / 4 + x RF_x / 2, where x RF_x vanishes with x."""
    zero = np.equal(x, 0)
    return first_kind(0, 0, 0, x, y, z) / 4 + select(zero, 0.0, x * first_kind(1, 0, 0, select(zero, 1.0, x), y, z) / 2)


elliprf = special(
    sp.elliprf,
    [
        lambda r, x, y, z: first_kind(1, 0, 0, x, y, z),
        lambda r, x, y, z: first_kind(0, 1, 0, x, y, z),
        lambda r, x, y, z: first_kind(0, 0, 1, x, y, z),
    ],
)
elliprd = special(
    sp.elliprd,
    [
        lambda r, x, y, z: -6 * first_kind(1, 0, 1, x, y, z),
        lambda r, x, y, z: -6 * first_kind(0, 1, 1, x, y, z),
        lambda r, x, y, z: -6 * first_kind(0, 0, 2, x, y, z),
    ],
)
elliprj = special(
    sp.elliprj,
    [
        lambda r, x, y, z, p: 3 * carlson(1, 0, 0, 1, x, y, z, p),
        lambda r, x, y, z, p: 3 * carlson(0, 1, 0, 1, x, y, z, p),
        lambda r, x, y, z, p: 3 * carlson(0, 0, 1, 1, x, y, z, p),
        lambda r, x, y, z, p: -3 * carlson(0, 0, 0, 2, x, y, z, p),
    ],
)
elliprc = special(sp.elliprc, [degenerate(0), degenerate(1)])
elliprg = special(
    sp.elliprg,
    [
        second_kind,
        lambda r, x, y, z: second_kind(r, y, x, z),
        lambda r, x, y, z: second_kind(r, z, x, y),
    ],
)

# --- Legendre's integrals: K = RF(0, 1-m, 1), K' = RD(0, 1, 1-m) / 6, E' = -RD(0, 1-m, 1) / 6 ---


def slope_of_k(p: Any) -> Any:
    """dK/dm at m = 1 - p."""
    return -first_kind(0, 0, 1, 0.0, 1.0, p)


def slope_of_e(p: Any) -> Any:
    return first_kind(0, 0, 1, 0.0, p, 1.0)


ellipk = special(sp.ellipk, [lambda y, m: slope_of_k(1 - m)])
ellipkm1 = special(sp.ellipkm1, [lambda y, p: -slope_of_k(p)])
ellipe = special(sp.ellipe, [lambda y, m: slope_of_e(1 - m)])


def delta_squared(phi: Any, m: Any) -> Any:
    """1 - m sin^2 phi."""
    s = np.sin(phi)
    return 1 - m * (s * s)


def in_parameter(incomplete: Any, complete: Any) -> Any:
    """d/dm of F or E at phi = k pi + r with |r| <= pi/2: sin^3 r times that at r, and 2k times the complete one."""

    def partial(y: Any, phi: Any, m: Any) -> Any:
        k = np.rint(phi / math.pi)
        r = phi - math.pi * k
        s, c = np.sin(r), np.cos(r)
        whole = complete(1 - select(np.equal(k, 0), 0.0, m))
        return s**3 * incomplete(c * c, delta_squared(r, m)) + 2 * k * whole

    return partial


slope_of_f = in_parameter(lambda c, d: -first_kind(0, 0, 1, c, 1.0, d), slope_of_k)
ellipkinc = special(sp.ellipkinc, [lambda y, phi, m: 1 / np.sqrt(delta_squared(phi, m)), slope_of_f])
ellipeinc = special(
    sp.ellipeinc,
    [
        lambda y, phi, m: np.sqrt(delta_squared(phi, m)),
        in_parameter(lambda c, d: first_kind(0, 0, 1, c, d, 1.0), slope_of_e),
    ],
)

# --- Jacobi's functions of (u, m): with the amplitude phi, u = F(phi, m), so that dphi/du = dn, dphi/dm = -dn F_m ---

_sn, _cn, _dn, _ph = (lambda u, m, k=k: sp.ellipj(u, m)[k] for k in range(4))


def amplitude_in_m(y: Any, u: Any, m: Any) -> Any:
    return -ellipj_dn(u, m) * slope_of_f(None, ellipj_ph(u, m), m)


def dn_in_m(y: Any, u: Any, m: Any) -> Any:
    """d/dm of sqrt(1 - m sn^2)."""
    s = ellipj_sn(u, m)
    return -s * (s / 2 + m * ellipj_cn(u, m) * amplitude_in_m(None, u, m)) / y


ellipj_sn = special(
    _sn,
    [
        lambda y, u, m: ellipj_cn(u, m) * ellipj_dn(u, m),
        lambda y, u, m: ellipj_cn(u, m) * amplitude_in_m(None, u, m),
    ],
    "ellipj_sn",
)
ellipj_cn = special(
    _cn,
    [
        lambda y, u, m: -ellipj_sn(u, m) * ellipj_dn(u, m),
        lambda y, u, m: -ellipj_sn(u, m) * amplitude_in_m(None, u, m),
    ],
    "ellipj_cn",
)
ellipj_dn = special(_dn, [lambda y, u, m: -m * ellipj_sn(u, m) * ellipj_cn(u, m), dn_in_m], "ellipj_dn")
ellipj_ph = special(_ph, [lambda y, u, m: ellipj_dn(u, m), amplitude_in_m], "ellipj_ph")
IMPLEMENTATIONS[sp.ellipj] = lambda u, m: (ellipj_sn(u, m), ellipj_cn(u, m), ellipj_dn(u, m), ellipj_ph(u, m))


def mean_slope(a: Any, b: Any) -> Any:
    """d agm/da for a, b > 0, from agm(a, b) = pi / (2 RF(0, a^2, b^2)), homogeneous of degree one."""
    scale = np.maximum(a, b)
    u, v = a / scale, b / scale
    w = math.pi / 2 / first_kind(0, 0, 0, 0.0, u * u, v * v)
    return -(4 / math.pi) * w * w * u * first_kind(0, 1, 0, 0.0, u * u, v * v)


def mean_slope_after_step(a: Any, b: Any) -> Any:
    """The same, and for a, b < 0, through a step agm(a, b) = agm((a+b)/2, sqrt(ab)), which brings sizes together."""
    a, b = np.abs(a), np.abs(b)
    m, g = a / 2 + b / 2, np.sqrt(a) * np.sqrt(b)
    return (mean_slope(m, g) + np.sqrt(b / a) * mean_slope(g, m)) / 2


agm = special(sp.agm, [lambda y, a, b: mean_slope_after_step(a, b), lambda y, a, b: mean_slope_after_step(b, a)])
