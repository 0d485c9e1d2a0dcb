"""C functions of complex numbers: NumPy's formulas, which differ from C's operators where parts are nan or infinite."""

COMPLEX = r"""
static inline $T xf_mul_$t($T a, $T b) {
    $R ar = __real__ a, ai = __imag__ a, br = __real__ b, bi = __imag__ b;
    return __builtin_complex(ar * br - ai * bi, ar * bi + ai * br);
}

static inline $T xf_mul_zero_$t($T a, $T b) { return a == 0 ? __builtin_complex(($R)0, ($R)0) : xf_mul_$t(a, b); }

static inline $T xf_mul_zeros_$t($T a, $T b) {
    return (a == 0) | (b == 0) ? __builtin_complex(($R)0, ($R)0) : xf_mul_$t(a, b);
}

static inline $T xf_div_$t($T a, $T b) {
    $R ar = __real__ a, ai = __imag__ a, br = __real__ b, bi = __imag__ b;
    uint8_t first = __builtin_fabs$s(br) >= __builtin_fabs$s(bi), zero = (br == 0) & (bi == 0);
    $R large = first ? br : bi, small = first ? bi : br, ratio = small / large, scale = 1 / (large + small * ratio);
    $R x = (first ? ar + ai * ratio : ar * ratio + ai) * scale, y = (first ? ai - ar * ratio : ai * ratio - ar) * scale;
    return __builtin_complex(zero ? ar / __builtin_fabs$s(br) : x, zero ? ai / __builtin_fabs$s(br) : y);
}

static inline $T xf_reciprocal_$t($T a) {
    $R ar = __real__ a, ai = __imag__ a;
    if (__builtin_fabs$s(ai) <= __builtin_fabs$s(ar)) {
        $R ratio = ai / ar, scale = ar + ai * ratio;
        return __builtin_complex(1 / scale, -ratio / scale);
    }
    $R ratio = ar / ai, scale = ar * ratio + ai;
    return __builtin_complex(ratio / scale, -1 / scale);
}

static inline uint8_t xf_greater_$t($T a, $T b) {
    $R ar = __real__ a, ai = __imag__ a, br = __real__ b, bi = __imag__ b;
    return (ar > br && ai == ai && bi == bi) || (ar == br && ai > bi);
}

static inline uint8_t xf_greater_equal_$t($T a, $T b) {
    $R ar = __real__ a, ai = __imag__ a, br = __real__ b, bi = __imag__ b;
    return (ar > br && ai == ai && bi == bi) || (ar == br && ai >= bi);
}

static inline uint8_t xf_less_$t($T a, $T b) { return xf_greater_$t(b, a); }

static inline uint8_t xf_less_equal_$t($T a, $T b) { return xf_greater_equal_$t(b, a); }

static inline $T xf_max_$t($T a, $T b) { return a != a || xf_greater_equal_$t(a, b) ? a : b; }

static inline $T xf_min_$t($T a, $T b) { return a != a || xf_less_equal_$t(a, b) ? a : b; }

static inline $T xf_fmax_$t($T a, $T b) { return b != b || xf_greater_equal_$t(a, b) ? a : b; }

static inline $T xf_fmin_$t($T a, $T b) { return b != b || xf_less_equal_$t(a, b) ? a : b; }

static inline $T xf_sign_$t($T a) {
    $R x = __real__ a, y = __imag__ a, r = hypot$s(x, y), inf = __builtin_inf$s(), nan = __builtin_nan$s("");
    if (r == 0) return __builtin_complex(($R)0, ($R)0);
    if (r != inf) return __builtin_complex(x / r, y / r);
    uint8_t first = __builtin_fabs$s(x) == inf, second = __builtin_fabs$s(y) == inf;
    if (first & second) return __builtin_complex(nan, nan);
    if (first) return __builtin_complex(__builtin_copysign$s(1, x), ($R)0);
    if (second) return __builtin_complex(($R)0, __builtin_copysign$s(1, y));
    return __builtin_complex(x / r, y / r);
}

static inline $T xf_rint_$t($T a) {
    return __builtin_complex(__builtin_rint$s(__real__ a), __builtin_rint$s(__imag__ a));
}

static inline $T xf_exp2_$t($T a) {
    $R log_2 = ($R)0x1.62e42fefa39efp-1;
    return __builtin_cexp$s(__builtin_complex(__real__ a * log_2, __imag__ a * log_2));
}

static inline $T xf_expm1_$t($T a) {
    $R x = __real__ a, y = __imag__ a, half = sin$s(y / 2);
    return __builtin_complex(expm1$s(x) * cos$s(y) - 2 * half * half, exp$s(x) * sin$s(y));
}

static inline $T xf_log1p_$t($T a) {
    $R x = __real__ a + 1, y = __imag__ a;
    return __builtin_complex(log$s(hypot$s(x, y)), atan2$s(y, x));
}

static inline $T xf_log2_$t($T a) {
    $T y = __builtin_clog$s(a);
    $R scale = ($R)0x1.71547652b82fep+0;
    return __builtin_complex(__real__ y * scale, __imag__ y * scale);
}

static inline $T xf_log10_$t($T a) {
    $T y = __builtin_clog$s(a);
    $R scale = ($R)0x1.bcb7b1526e50ep-2;
    return __builtin_complex(__real__ y * scale, __imag__ y * scale);
}

static inline $T xf_logistic_$t($T a) {
    $T e = __builtin_cexp$s(-a);
    return xf_div_$t(__builtin_complex(($R)1, ($R)0), __builtin_complex(1 + __real__ e, __imag__ e));
}

static inline $T xf_pow_$t($T a, $T b) {
    $R br = __real__ b, bi = __imag__ b, zero = 0, one = 1, nan = __builtin_nan$s("");
    if (br == 0 && bi == 0) return __builtin_complex(one, zero);
    if (__real__ a == 0 && __imag__ a == 0) return br > 0 ? __builtin_complex(zero, zero) : __builtin_complex(nan, nan);
    if (bi != 0 || !(br > -100 && br < 100) || br != (int)br) return __builtin_cpow$s(a, b);
    int n = br < 0 ? -(int)br : (int)br;
    if (n == (int)br && n <= 3) return n == 1 ? a : n == 2 ? xf_mul_$t(a, a) : xf_mul_$t(a, xf_mul_$t(a, a));
    $T power = __builtin_complex(one, zero);
    for (; n; n >>= 1, a = xf_mul_$t(a, a))
        if (n & 1) power = xf_mul_$t(power, a);
    return br < 0 ? xf_div_$t(__builtin_complex(one, zero), power) : power;
}
"""
