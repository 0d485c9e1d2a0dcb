"""C functions of the standard normal distribution: the rational functions of `xform.ops.normal_distribution`."""

from __future__ import annotations

from collections.abc import Sequence

from xform.ops.normal_distribution import CENTRE, FAR, FARTHEST, FLANK, NEAR, ROOT_2_PI, TAIL


def horner(coefficients: Sequence[float], x: str) -> str:
    """The polynomial as C text, the highest power first."""
    text = repr(coefficients[0])
    for c in coefficients[1:]:
        text = f"({text} * {x} + {c!r})"
    return text


def ratio(coefficients: Sequence[Sequence[float]], x: str) -> str:
    return f"{horner(coefficients[0], x)} / {horner(coefficients[1], x)}"


NORMAL = f"""
static inline double xf_gaussian_f64(double x) {{
    double coarse = __builtin_trunc(x * 16) / 16;
    return exp(-0.5 * coarse * coarse) * exp(-0.5 * (x - coarse) * (x + coarse));
}}

static inline double xf_normal_mills_left_f64(double x) {{
    double r = 1 / (x * x);
    if (x < -5.656854) return (1 - {ROOT_2_PI!r} * r * ({ratio(TAIL, "r")})) / -x;
    return {ROOT_2_PI!r} * ({ratio(FLANK, "(-x)")});
}}

static inline double xf_normal_cdf_f64(double x) {{
    double size = __builtin_fabs(x), square = x * x;
    if (size <= 0.67448975) return 0.5 + x * ({ratio(CENTRE, "square")});
    if (size >= 40) return x > 0 ? 1.0 : 0.0;
    double left = xf_gaussian_f64(x) / {ROOT_2_PI!r} * xf_normal_mills_left_f64(-size);
    return x > 0 ? 1 - left : left;
}}

static inline double xf_normal_mills_f64(double x) {{
    if (x < -0.67448975) return xf_normal_mills_left_f64(x);
    return xf_normal_cdf_f64(x) * {ROOT_2_PI!r} / xf_gaussian_f64(x);
}}

static inline double xf_normal_quantile_f64(double p) {{
    double q = p - 0.5, near = 0.180625 - q * q, least = p < 1 - p ? p : 1 - p, r = __builtin_sqrt(-log(least));
    double middle = r - 1.6, far = r - 5;
    if (__builtin_fabs(q) <= 0.425) return q * ({ratio(NEAR, "near")});
    if (r <= 5) return __builtin_copysign({ratio(FAR, "middle")}, q);
    return __builtin_copysign(r < __builtin_inf() ? {ratio(FARTHEST, "far")} : r, q);
}}
"""
