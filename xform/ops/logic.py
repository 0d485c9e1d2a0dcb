"""Comparisons, logic, bits and predicates: results without derivatives."""

from __future__ import annotations

import operator

import numpy as np

from xform.ops.elementwise import Elementwise

eq = Elementwise("eq", operator.eq, [None, None], ufunc=np.equal)
ne = Elementwise("ne", operator.ne, [None, None], ufunc=np.not_equal)
lt = Elementwise("lt", operator.lt, [None, None], ufunc=np.less)
le = Elementwise("le", operator.le, [None, None], ufunc=np.less_equal)
gt = Elementwise("gt", operator.gt, [None, None], ufunc=np.greater)
ge = Elementwise("ge", operator.ge, [None, None], ufunc=np.greater_equal)

bitwise_and = Elementwise("and", operator.and_, [None, None], ufunc=np.bitwise_and)
bitwise_or = Elementwise("or", operator.or_, [None, None], ufunc=np.bitwise_or)
bitwise_xor = Elementwise("xor", operator.xor, [None, None], ufunc=np.bitwise_xor)
invert = Elementwise("not", operator.invert, [None], ufunc=np.invert)
left_shift = Elementwise("shift_left", operator.lshift, [None, None], ufunc=np.left_shift)
right_shift = Elementwise("shift_right", operator.rshift, [None, None], ufunc=np.right_shift)
bitwise_count = Elementwise("population_count", np.bitwise_count, [None])

logical_and = Elementwise("logical_and", np.logical_and, [None, None])
logical_or = Elementwise("logical_or", np.logical_or, [None, None])
logical_xor = Elementwise("logical_xor", np.logical_xor, [None, None])
logical_not = Elementwise("logical_not", np.logical_not, [None])

isfinite = Elementwise("is_finite", np.isfinite, [None])
isinf = Elementwise("is_inf", np.isinf, [None])
isnan = Elementwise("is_nan", np.isnan, [None])
signbit = Elementwise("signbit", np.signbit, [None])

gcd = Elementwise("gcd", np.gcd, [None, None])
lcm = Elementwise("lcm", np.lcm, [None, None])

