"""The standard normal distribution: its function Phi and its quantile, each the inverse of the other.

    normal_cdf        Phi(x) = integral of phi(s) = e^(-s^2/2) / sqrt(2 pi) up to x          Phi' = phi(x)
    normal_quantile   Phi(x) = p                                                             x' = 1 / phi(x)
    normal_mills      M(x) = Phi(x) / phi(x), for negative x without underflow               M' = 1 + x M

Rational functions on three regions each, in double precision. Phi: W. J. Cody, "Algorithm 715: SPECFUN", ACM TOMS 19
(1993), with full relative precision in the left tail. Its inverse: M. J. Wichura, "Algorithm AS 241", Applied
Statistics 37 (1988), about one part in 10^16. The regions of most numbers need only +, * and /, which IEEE 754 rounds
in one way, so that those are the same numbers on every machine.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from xform.ops.arithmetic import clamp
from xform.ops.elementwise import Elementwise

#: the most entries that are computed at once
CHUNK = 1 << 12

ROOT_2_PI = math.sqrt(2 * math.pi)

#: numerators and denominators of Cody's approximations, the highest power first
CENTRE = (
    (0.065682337918207449113, 2.2352520354606839287, 161.02823106855587881, 1067.6894854603709582,
     18154.981253343561249),
    (1.0, 47.20258190468824187, 976.09855173777669322, 10260.932208618978205, 45507.789335026729956),
)
FLANK = (
    (1.0765576773720192317e-8, 0.39894151208813466764, 8.8831497943883759412, 93.506656132177855979,
     597.27027639480026226, 2494.5375852903726711, 6848.1904505362823326, 11602.651437647350124, 9842.7148383839780218),
    (1.0, 22.266688044328115691, 235.38790178262499861, 1519.377599407554805, 6485.558298266760755,
     18615.571640885098091, 34900.952721145977266, 38912.003286093271411, 19685.429676859990727),
)
TAIL = (
    (0.02307344176494017303, 0.21589853405795699, 0.1274011611602473639, 0.022235277870649807, 0.001421619193227893466,
     2.9112874951168792e-5),
    (1.0, 1.28426009614491121, 0.468238212480865118, 0.0659881378689285515, 0.00378239633202758244,
     7.29751555083966205e-5),
)

#: those of Wichura's
NEAR = (
    (2.5090809287301226727e3, 3.3430575583588128105e4, 6.7265770927008700853e4, 4.5921953931549871457e4,
     1.3731693765509461125e4, 1.9715909503065514427e3, 1.3314166789178437745e2, 3.3871328727963666080),
    (5.2264952788528545610e3, 2.8729085735721942674e4, 3.9307895800092710610e4, 2.1213794301586595867e4,
     5.3941960214247511077e3, 6.8718700749205790830e2, 4.2313330701600911252e1, 1.0),
)
FAR = (
    (7.74545014278341407640e-4, 2.27238449892691845833e-2, 2.41780725177450611770e-1, 1.27045825245236838258,
     3.64784832476320460504, 5.76949722146069140550, 4.63033784615654529590, 1.42343711074968357734),
    (1.05075007164441684324e-9, 5.47593808499534494600e-4, 1.51986665636164571966e-2, 1.48103976427480074590e-1,
     6.89767334985100004550e-1, 1.67638483018380384940, 2.05319162663775882187, 1.0),
)
FARTHEST = (
    (2.01033439929228813265e-7, 2.71155556874348757815e-5, 1.24266094738807843860e-3, 2.65321895265761230930e-2,
     2.96560571828504891230e-1, 1.78482653991729133580, 5.46378491116411436990, 6.65790464350110377720),
    (2.04426310338993978564e-15, 1.42151175831644588870e-7, 1.84631831751005468180e-5, 7.86869131145613259100e-4,
     1.48753612908506148525e-2, 1.36929880922735805310e-1, 5.99832206555887937690e-1, 1.0),
)


def polynomial(coefficients: Sequence[float], x: Any) -> Any:
    y = coefficients[0] * x + coefficients[1]
    for c in coefficients[2:]:
        y *= x
        y += c
    return y


def ratio(coefficients: Sequence[Sequence[float]], x: Any) -> Any:
    return polynomial(coefficients[0], x) / polynomial(coefficients[1], x)


def by_region(x: np.ndarray, regions: Sequence[tuple[Any, Callable[[Any], Any]]]) -> np.ndarray:
    """Each function at the entries of its region, that of more than half of them everywhere; nan outside of all."""
    counts = [np.count_nonzero(inside) for inside, _ in regions]
    main = next((k for k, n in enumerate(counts) if 2 * n > x.size), None)
    y = np.full(x.shape, np.nan) if main is None else regions[main][1](x)
    for k, (inside, f) in enumerate(regions):
        if k != main and counts[k]:
            y[inside] = f(x[inside])
    if sum(counts) < x.size:
        y[np.isnan(x)] = np.nan
    return y


def in_doubles(name: str, f: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """f computed in double precision, for real arguments of any dtype; floating-point dtypes are kept."""

    def function(x: Any) -> Any:
        x = np.asarray(x)
        dtype = np.result_type(x.dtype, np.float16)
        if dtype.kind != "f":
            raise TypeError(f"{name}: numbers of {dtype} were given, wanted real ones")
        x = x.astype(np.float64, copy=False)
        with np.errstate(all="ignore"):
            y = f(x) if x.size <= CHUNK else in_chunks(f, x)
        return y.astype(dtype, copy=False)[()]

    return function


def in_chunks(f: Callable[[Any], Any], x: np.ndarray) -> np.ndarray:
    """f(x) of pieces that stay in the processor's cache over the many steps of a polynomial."""
    y, flat = np.empty(x.size), x.reshape(-1)
    for k in range(0, x.size, CHUNK):
        y[k : k + CHUNK] = f(flat[k : k + CHUNK])
    return y.reshape(x.shape)


def gaussian(x: Any) -> Any:
    """e^(-x^2/2), with x^2 as a square that is exact and a small rest."""
    coarse = np.trunc(x * 16) / 16
    return np.exp(-0.5 * coarse * coarse) * np.exp(-0.5 * (x - coarse) * (x + coarse))


def mills_in_tail(x: Any) -> Any:
    """M(x) = (1 - sqrt(2 pi) r R(r)) / |x| with r = 1 / x^2, for large negative x."""
    r = 1 / (x * x)
    return (1 - ROOT_2_PI * r * ratio(TAIL, r)) / -x


def mills_on_flank(x: Any) -> Any:
    return ROOT_2_PI * ratio(FLANK, -x)


def centre(x: Any) -> Any:
    return 0.5 + x * ratio(CENTRE, x * x)


def reflected(mills: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Phi(x) = phi(x) M(x) for negative x, and 1 - Phi(-x) for positive ones."""

    def at(x: Any) -> Any:
        left = gaussian(x) / ROOT_2_PI * mills(-np.abs(x))
        return np.where(x > 0, 1 - left, left)

    return at


def phi_cumulated(x: np.ndarray) -> np.ndarray:
    size = np.abs(x)
    return by_region(x, [
        (size <= 0.67448975, centre),
        ((size > 0.67448975) & (size <= 5.656854), reflected(mills_on_flank)),
        ((size > 5.656854) & (size < 40), reflected(mills_in_tail)),
        (size >= 40, lambda x: np.where(x > 0, 1.0, 0.0)),
    ])


def mills_ratio(x: np.ndarray) -> np.ndarray:
    return by_region(x, [
        (x < -5.656854, mills_in_tail),
        ((x >= -5.656854) & (x < -0.67448975), mills_on_flank),
        (x >= -0.67448975, lambda x: phi_cumulated(x) * ROOT_2_PI / gaussian(x)),
    ])


def towards_tail(p: Any) -> Any:
    """The quantile by r = sqrt(-log min(p, 1 - p))."""
    r = np.sqrt(-np.log(np.minimum(p, 1 - p)))
    size = by_region(r, [
        (r <= 5, lambda r: ratio(FAR, r - 1.6)),
        ((r > 5) & (r < np.inf), lambda r: ratio(FARTHEST, r - 5)),
        (r == np.inf, lambda r: r),
    ])
    return np.copysign(size, p - 0.5)


def quantile(p: np.ndarray) -> np.ndarray:
    q = p - 0.5
    return by_region(p, [
        (np.abs(q) <= 0.425, lambda p: (p - 0.5) * ratio(NEAR, 0.180625 - (p - 0.5) * (p - 0.5))),
        (np.abs(q) > 0.425, towards_tail),
    ])


def density(x: Any) -> Any:
    """phi(x), which is 0 beyond the limits."""
    inner = clamp(-40.0, x, 40.0)
    return np.exp(-0.5 * inner * inner) / ROOT_2_PI


normal_cdf = Elementwise("normal_cdf", in_doubles("normal_cdf", phi_cumulated), [lambda y, x: density(x)],
                         c={"f": "({T})xf_normal_cdf_f64({})"}, loops=np.exp)
normal_quantile = Elementwise("normal_quantile", in_doubles("normal_quantile", quantile),
                              [lambda x, p: ROOT_2_PI * np.exp(0.5 * x * x)], singular=True,
                              c={"f": "({T})xf_normal_quantile_f64({})"}, loops=np.exp)
normal_mills = Elementwise("normal_mills", in_doubles("normal_mills", mills_ratio), [lambda y, x: 1 + x * y],
                           c={"f": "({T})xf_normal_mills_f64({})"}, loops=np.exp)
