"""Comparisons, logic, bits and predicates: results without derivatives."""

from __future__ import annotations

import operator

import numpy as np

from xform.ops.elementwise import Elementwise


def comparison(symbol: str, name: str = "") -> dict[str, str]:
    """C text: int64 and uint64 are compared by value, complex numbers as NumPy orders them."""
    exact = f"(__int128){{}} {symbol} (__int128){{}}"
    ordered = {"c": f"xf_{name}_{{t}}({{}}, {{}})"} if name else {}
    return {"iu": exact, "ui": exact, **ordered, "": f"{{}} {symbol} {{}}"}


eq = Elementwise("eq", operator.eq, [None, None], ufunc=np.equal, c=comparison("=="))
ne = Elementwise("ne", operator.ne, [None, None], ufunc=np.not_equal, c=comparison("!="))
lt = Elementwise("lt", operator.lt, [None, None], ufunc=np.less, c=comparison("<", "less"))
le = Elementwise("le", operator.le, [None, None], ufunc=np.less_equal, c=comparison("<=", "less_equal"))
gt = Elementwise("gt", operator.gt, [None, None], ufunc=np.greater, c=comparison(">", "greater"))
ge = Elementwise("ge", operator.ge, [None, None], ufunc=np.greater_equal, c=comparison(">=", "greater_equal"))

bitwise_and = Elementwise("and", operator.and_, [None, None], ufunc=np.bitwise_and, c="{} & {}")
bitwise_or = Elementwise("or", operator.or_, [None, None], ufunc=np.bitwise_or, c="{} | {}")
bitwise_xor = Elementwise("xor", operator.xor, [None, None], ufunc=np.bitwise_xor, c="{} ^ {}")
invert = Elementwise("not", operator.invert, [None], ufunc=np.invert, c={"b": "{} ^ 1", "": "~{}"})
left_shift = Elementwise("shift_left", operator.lshift, [None, None], ufunc=np.left_shift,
                         c="xf_shift_left_{t}({}, {})")
right_shift = Elementwise("shift_right", operator.rshift, [None, None], ufunc=np.right_shift,
                          c="xf_shift_right_{t}({}, {})")
bitwise_count = Elementwise("population_count", np.bitwise_count, [None], c={"": "xf_population_count_{t}({})"})

logical_and = Elementwise("logical_and", np.logical_and, [None, None], c={"b": "{} & {}", "": "({} != 0) & ({} != 0)"})
logical_or = Elementwise("logical_or", np.logical_or, [None, None], c={"b": "{} | {}", "": "({} != 0) | ({} != 0)"})
logical_xor = Elementwise("logical_xor", np.logical_xor, [None, None],
                          c={"b": "{} ^ {}", "": "({} != 0) ^ ({} != 0)"})
logical_not = Elementwise("logical_not", np.logical_not, [None], c="{} == 0")

isfinite = Elementwise("is_finite", np.isfinite, [None], c={
    "f": "__builtin_isfinite({})", "c": "__builtin_isfinite(__real__ {0}) & __builtin_isfinite(__imag__ {0})", "": "1"})
isinf = Elementwise("is_inf", np.isinf, [None], c={
    "f": "__builtin_fabs{s}({}) == __builtin_inf{s}()",
    "c": "(__builtin_isinf(__real__ {0}) != 0) | (__builtin_isinf(__imag__ {0}) != 0)",
    "": "0"})
isnan = Elementwise("is_nan", np.isnan, [None], c={"f": "{0} != {0}", "c": "{0} != {0}", "": "0"})
signbit = Elementwise("signbit", np.signbit, [None], c={"f": "__builtin_copysign{s}(1, {}) < 0"})

gcd = Elementwise("gcd", np.gcd, [None, None], c="xf_gcd_{t}({}, {})")
lcm = Elementwise("lcm", np.lcm, [None, None], c="xf_lcm_{t}({}, {})")
