"""C functions that compute what takes more than an expression, just as NumPy computes it, and C literals.

`HELPERS` has a `static inline` function per name, xf_<operation>_<type>, branch-free where a vector unit can follow.
`helper_source` collects what a program calls, with what that calls. Functions of `LIBM` are called by their
plain names, which the program has to declare; of the others the compiler knows the builtin form.
"""

from __future__ import annotations

import re
from typing import Any

import numpy as np

from xform.compile.c.text.helpers_complex import COMPLEX
from xform.compile.c.text.helpers_normal import NORMAL
from xform.ops.c_text import C_TYPES, c_type, is_c_type, short_name

#: functions of libm that are called by their plain names, and with the suffix f: the number of their arguments
LIBM = {
    **dict.fromkeys(
        ["exp", "exp2", "expm1", "log", "log2", "log10", "log1p", "cbrt", "sin", "cos", "tan", "asin", "acos", "atan"],
        1,
    ),
    **dict.fromkeys(["sinh", "cosh", "tanh", "asinh", "acosh", "atanh"], 1),
    **dict.fromkeys(["pow", "atan2", "hypot"], 2),
}

# $T the type, $t its short name, $U its unsigned type, $R its real type, $r the short name of that, $w its bits, $s the
# suffix of libm's functions. A tie of extremes, as of two zeros, goes to the second operand.
FLOATING = r"""
static inline $T xf_max_$t($T a, $T b) {
    $T chosen = a > b ? a : b;
    return a != a ? a : chosen;
}

static inline $T xf_min_$t($T a, $T b) {
    $T chosen = a < b ? a : b;
    return a != a ? a : chosen;
}

static inline $T xf_fmax_$t($T a, $T b) {
    $T chosen = a > b ? a : b;
    return b != b ? a : chosen;
}

static inline $T xf_fmin_$t($T a, $T b) {
    $T chosen = a < b ? a : b;
    return b != b ? a : chosen;
}

static inline $T xf_sign_$t($T a) { return a > 0 ? ($T)1 : a < 0 ? ($T)-1 : a == 0 ? ($T)0 : a; }

static inline $T xf_heaviside_$t($T a, $T b) { return a != a ? a : a == 0 ? b : a < 0 ? ($T)0 : ($T)1; }

static inline $T xf_floor_divide_$t($T a, $T b) {
    $T mod = __builtin_fmod$s(a, b), div = (a - mod) / b;
    if (b == 0) return a / b;
    if (mod != 0 && (b < 0) != (mod < 0)) div -= 1;
    $T floored = __builtin_floor$s(div);
    if (div - floored > ($T)0.5) floored += 1;
    return div != 0 ? floored : __builtin_copysign$s(0, a / b);
}

static inline $T xf_remainder_$t($T a, $T b) {
    $T mod = __builtin_fmod$s(a, b);
    if (b == 0) return mod;
    if (mod == 0) return __builtin_copysign$s(0, b);
    return (b < 0) != (mod < 0) ? mod + b : mod;
}

static inline $T xf_logaddexp_$t($T a, $T b) {
    $T above = (a > b ? a : b) + log1p$s(exp$s(-__builtin_fabs$s(a - b)));
    return a == b ? a + ($T)0x1.62e42fefa39efp-1 : above;
}

static inline $T xf_logaddexp2_$t($T a, $T b) {
    $T above = (a > b ? a : b) + ($T)0x1.71547652b82fep+0 * log1p$s(exp2$s(-__builtin_fabs$s(a - b)));
    return a == b ? a + 1 : above;
}

static inline $T xf_logistic_$t($T a) {
    $T small = exp$s(-__builtin_fabs$s(a));
    return (a < 0 ? small : ($T)1) / (1 + small);
}

static inline $T xf_spacing_$t($T a) {
    $T size = __builtin_fabs$s(a), next = __builtin_nextafter$s(size, __builtin_inf$s()) - size;
    return a < 0 ? -next : next;
}

static inline $T xf_ldexp_$t($T a, int64_t n) {
    return __builtin_ldexp$s(a, n > 100000 ? 100000 : n < -100000 ? -100000 : (int)n);
}

static inline int32_t xf_frexp_exponent_$t($T a) {
    int n = 0;
    __builtin_frexp$s(a, &n);
    return __builtin_isfinite(a) ? n : 0;
}
"""

INTEGER = r"""
static inline $T xf_max_$t($T a, $T b) { return a > b ? a : b; }

static inline $T xf_min_$t($T a, $T b) { return a < b ? a : b; }

static inline $T xf_fmax_$t($T a, $T b) { return a > b ? a : b; }

static inline $T xf_fmin_$t($T a, $T b) { return a < b ? a : b; }

static inline $T xf_sign_$t($T a) { return (a > 0) - (a < 0); }

static inline $T xf_shift_left_$t($T a, $T n) { return ($U)n < $w ? ($U)a << (n & ($w - 1)) : 0; }

static inline $T xf_gcd_$t($T a, $T b) { return xf_euclid(xf_size_$t(a), xf_size_$t(b)); }

static inline $T xf_lcm_$t($T a, $T b) {
    uint64_t x = xf_size_$t(a), y = xf_size_$t(b), d = xf_euclid(x, y);
    return d == 0 ? 0 : x / d * y;
}

static inline uint8_t xf_population_count_$t($T a) { return __builtin_popcountll(xf_size_$t(a)); }

static inline $T xf_clz_$t($T a) {
    uint64_t bits = ($U)a;
    return bits ? __builtin_clzll(bits) - (64 - $w) : $w;
}

static inline $T xf_pow_$t($T a, $T n) {
    $U base = a, power = 1;
    for ($U k = n; k; k >>= 1, base = ($U)((uint64_t)base * base))
        if (k & 1) power = ($U)((uint64_t)power * base);
    return power;
}
"""

SIGNED = r"""
static inline uint64_t xf_size_$t($T a) { return a < 0 ? ($U)(-($U)a) : ($U)a; }

static inline $T xf_shift_right_$t($T a, $T n) { return a >> (($U)n < $w ? n : $w - 1); }

static inline $T xf_floor_divide_$t($T a, $T b) {
    $T d = (b == 0) | (b == -1) ? 1 : b, q = a / d, r = a % d;
    q -= (r != 0) & ((r < 0) != (d < 0));
    return b == 0 ? 0 : b == -1 ? ($T)(-($U)a) : q;
}

static inline $T xf_fmod_$t($T a, $T b) { return (b == 0) | (b == -1) ? 0 : a % ((b == 0) | (b == -1) ? 1 : b); }

static inline $T xf_remainder_$t($T a, $T b) {
    $T r = xf_fmod_$t(a, b);
    return (r != 0) & ((r < 0) != (b < 0)) ? r + b : r;
}

static inline $T xf_reciprocal_$t($T a) { return a == 0 ? $zero : a == 1 ? 1 : a == -1 ? -1 : 0; }

static inline $T xf_mulhi_$t($T a, $T b) { return (__int128)a * b >> $w; }
"""

UNSIGNED = r"""
static inline uint64_t xf_size_$t($T a) { return a; }

static inline $T xf_shift_right_$t($T a, $T n) { return n < $w ? a >> (n & ($w - 1)) : 0; }

static inline $T xf_floor_divide_$t($T a, $T b) { return b == 0 ? 0 : a / (b == 0 ? 1 : b); }

static inline $T xf_fmod_$t($T a, $T b) { return b == 0 ? 0 : a % (b == 0 ? 1 : b); }

static inline $T xf_remainder_$t($T a, $T b) { return b == 0 ? 0 : a % (b == 0 ? 1 : b); }

static inline $T xf_reciprocal_$t($T a) { return a == 1; }

static inline $T xf_mulhi_$t($T a, $T b) { return (unsigned __int128)a * b >> $w; }
"""

BOOLEAN = r"""
static inline $T xf_max_$t($T a, $T b) { return a | b; }

static inline $T xf_min_$t($T a, $T b) { return a & b; }

static inline $T xf_fmax_$t($T a, $T b) { return a | b; }

static inline $T xf_fmin_$t($T a, $T b) { return a & b; }
"""

EUCLID = r"""
static inline uint64_t xf_euclid(uint64_t a, uint64_t b) {
    while (a) {
        uint64_t c = a;
        a = b % a;
        b = c;
    }
    return b;
}
"""

#: what a definition of each kind is made from
FAMILIES = {"f": FLOATING, "i": INTEGER + SIGNED, "u": INTEGER + UNSIGNED, "b": BOOLEAN, "c": COMPLEX}

_CALL = re.compile(r"\bxf_\w+")


def instance(text: str, key: str) -> str:
    """A family's text for one type."""
    dtype = np.dtype(key)
    real = np.dtype(f"f{dtype.itemsize // 2}") if dtype.kind == "c" else dtype
    values = {
        "T": C_TYPES[key],
        "t": short_name(dtype),
        "U": C_TYPES.get(f"u{dtype.itemsize}", "uint8_t"),
        "R": C_TYPES[f"{real.kind}{real.itemsize}"],
        "r": short_name(real),
        "w": str(8 * dtype.itemsize),
        "s": "f" if real == np.float32 else "",
        # 1 / 0 = inf as an integer, where the processor converts it: the least one of the widths that it knows
        "zero": f"($T)(($U)1 << {8 * dtype.itemsize - 1})" if dtype.itemsize >= 4 else "0",
    }
    return re.sub(r"\$(zero|\w)", lambda m: values[m[1]], text.replace("$zero", values["zero"]))


def definitions() -> dict[str, str]:
    """Name -> C text of all helpers."""
    text = EUCLID + NORMAL + "".join(instance(FAMILIES[key[0]], key) for key in C_TYPES)
    blocks = [block.strip() for block in text.split("\n\n")]
    return {_CALL.search(block)[0]: block for block in blocks if block}  # type: ignore[index]


HELPERS: dict[str, str] = definitions()


def helper_source(program: str) -> str:
    """Definitions of the helpers that a C text calls, each once and behind those that it needs itself."""
    needed: dict[str, None] = {}
    pending = sorted(set(_CALL.findall(program)) & HELPERS.keys())
    while pending:
        name = pending[-1]
        missing = [n for n in _CALL.findall(HELPERS[name]) if n != name and n in HELPERS and n not in needed]
        if missing:
            pending.extend(missing)
        else:
            needed[pending.pop()] = None
    return "".join(f"{HELPERS[name]}\n" for name in needed)


def c_literal(value: Any, dtype: np.dtype) -> str:
    """A number as C text that gives exactly that number as `dtype`; also nan with its sign, infinities and -0.0.

    OverflowError for an integer that the dtype does not have, TypeError for a dtype that C does not have or a number
    that the dtype would truncate.

    >>> c_literal(-0.1, np.dtype(np.float64)), c_literal(np.inf, np.dtype(np.float32)), c_literal(7, np.dtype("u8"))
    ('(-0.1)', '__builtin_inff()', '7ULL')
    """
    if not is_c_type(dtype):
        raise TypeError(f"c_literal({value!r}, {dtype}): C has no numbers of {dtype}; compute this in NumPy")
    if dtype.kind == "c":
        z, part = complex(value), np.dtype(f"f{dtype.itemsize // 2}")
        return f"__builtin_complex({c_literal(z.real, part)}, {c_literal(z.imag, part)})"
    if isinstance(value, complex | np.complexfloating) or (dtype.kind != "f" and value != int(value)):
        raise TypeError(f"c_literal({value!r}, {dtype}): {dtype} would truncate it; convert it first")
    if dtype.kind == "f":
        return floating_literal(dtype.type(value))
    return str(int(bool(value))) if dtype.kind == "b" else integer_literal(int(value), dtype)


def integer_literal(value: int, dtype: np.dtype) -> str:
    info = np.iinfo(dtype)
    if not info.min <= value <= info.max:
        raise OverflowError(f"{value} is not a number of {dtype}, which go from {info.min} to {info.max}")
    suffix = ("U" if dtype.kind == "u" else "") + ("LL" if dtype.itemsize == 8 else "") if dtype.itemsize > 2 else ""
    if value == info.min < 0:  # C has no negative literals, and the positive one is too large
        return f"(-{-(value + 1)}{suffix} - 1)"
    return f"{value}{suffix}" if value >= 0 else f"({value}{suffix})"


def floating_literal(value: Any) -> str:
    """The shortest decimal number that rounds to the value, which a C compiler reads exactly."""
    suffix = "f" if value.dtype == np.float32 else ""
    if np.isnan(value):
        text = f'__builtin_nan{suffix}("")'
    elif np.isinf(value):
        text = f"__builtin_inf{suffix}()"
    else:
        text = f"{abs(value)!s}{suffix}"
    return f"(-{text})" if np.signbit(value) else text


__all__ = ["HELPERS", "LIBM", "c_literal", "c_type", "helper_source"]
