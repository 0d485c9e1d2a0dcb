"""NumPy's functions of single entries that are not ufuncs: parts of complex numbers, rounding, limits, comparisons."""

from __future__ import annotations

import math
import operator
from typing import Any, SupportsIndex

import numpy as np
from numpy.typing import DTypeLike

from xform.core.trace import concrete, concrete_or_raise
from xform.numpy.axes import NOT_GIVEN
from xform.numpy.dispatch import IMPLEMENTATIONS, ArrayLike, as_dtype, asarray, implements, reject
from xform.ops import complex as parts
from xform.ops.arithmetic import trunc
from xform.ops.identity import stop_gradient
from xform.ops.select import select

# --- parts of complex numbers ---


@implements(np.real)
def real(val: ArrayLike) -> Any:
    """The real part.

    >>> import xform
    >>> xform.grad(lambda z: real(z * z))(3 + 4j)
    np.complex128(6+8j)
    """
    val = asarray(val)
    return parts.real(val) if val.dtype.kind == "c" else val


@implements(np.imag)
def imag(val: ArrayLike) -> Any:
    """The imaginary part; of real numbers zeros, a plain array.

    >>> import xform
    >>> xform.grad(imag)(3 + 4j)
    np.complex128(-1j)
    """
    val = asarray(val)
    return parts.imag(val) if val.dtype.kind == "c" else np.zeros(val.shape, val.dtype)[()]


@implements(np.angle)
def angle(z: ArrayLike, deg: bool = False) -> Any:
    """The angle of a complex number with the real axis, arctan2(imag, real), in radians or degrees.

    At 0 a complex number has no angle, and the derivative is nan; that of a real number, 0 or pi, has derivative 0.

    >>> import xform
    >>> xform.grad(lambda t: angle(np.exp(1j * t)))(0.5)
    np.float64(1.0)
    """
    z = asarray(z)
    y = np.arctan2(imag(z), real(z)) if z.dtype.kind == "c" else np.arctan2(0, stop_gradient(z))
    return y * (180 / math.pi) if deg else y


@implements(np.real_if_close)
def real_if_close(a: ArrayLike, tol: float = 100) -> Any:
    """The real part if all imaginary ones are within `tol` machine epsilons (or, for tol <= 1, `tol`) of zero.

    Raises ConcretizationError where the values are not known (vmap, make_jaxpr).

    >>> real_if_close(np.array([2.0 + 1e-15j]))
    array([2.])
    """
    a = asarray(a)
    if a.dtype.kind != "c":
        return a
    value = concrete_or_raise(a, "real_if_close", "Write xform.numpy.real(x) if the result is to be real")
    return real(a) if np.isrealobj(np.real_if_close(value, tol)) else a


# --- predicates ---


@implements(np.isreal)
def isreal(x: ArrayLike) -> Any:
    """Is the imaginary part zero?

    >>> isreal([1.0, 2 + 1j])
    array([ True, False])
    """
    return np.equal(imag(asarray(x)), 0)


@implements(np.iscomplex)
def iscomplex(x: ArrayLike) -> Any:
    """Is the imaginary part not zero?

    >>> iscomplex([1.0, 2 + 1j])
    array([False,  True])
    """
    return np.not_equal(imag(asarray(x)), 0)


@implements(np.isposinf)
def isposinf(x: ArrayLike, out: None = None) -> Any:
    """Is it positive infinity? Real numbers only.

    >>> isposinf([np.inf, -np.inf])
    array([ True, False])
    """
    reject("isposinf", out=out)
    return np.logical_and(np.isinf(ordered(x)), np.logical_not(np.signbit(asarray(x))))


@implements(np.isneginf)
def isneginf(x: ArrayLike, out: None = None) -> Any:
    """Is it negative infinity? Real numbers only.

    >>> isneginf([np.inf, -np.inf])
    array([False,  True])
    """
    reject("isneginf", out=out)
    return np.logical_and(np.isinf(ordered(x)), np.signbit(asarray(x)))


def ordered(x: Any) -> Any:
    x = asarray(x)
    if x.dtype.kind == "c":
        raise TypeError(f"This operation is not supported for {x.dtype} values because it would be ambiguous")
    return x


@implements(np.isclose)
def isclose(a: ArrayLike, b: ArrayLike, rtol: ArrayLike = 1e-5, atol: ArrayLike = 1e-8, equal_nan: bool = False) -> Any:
    """|a - b| <= atol + rtol |b|, or equal infinities, or with `equal_nan` both nan: booleans, without derivative.

    >>> isclose([1.0, 2.0], [1.0, 2.1])
    array([ True, False])
    """
    a, b = asarray(a), asarray(b)
    b = as_dtype(b, np.result_type(b.dtype, 1.0))
    with np.errstate(invalid="ignore"):
        near = np.less_equal(np.abs(a - b), atol + rtol * np.abs(b))
    close = np.logical_or(np.logical_and(near, np.isfinite(b)), np.equal(a, b))
    return np.logical_or(close, np.logical_and(np.isnan(a), np.isnan(b))) if equal_nan else close


@implements(np.allclose)
def allclose(
    a: ArrayLike, b: ArrayLike, rtol: ArrayLike = 1e-5, atol: ArrayLike = 1e-8, equal_nan: bool = False
) -> Any:
    """Are all entries close, in the sense of `isclose`?

    >>> allclose([1.0, 2.0], [1.0, 2.1])
    False
    """
    return as_bool(IMPLEMENTATIONS[np.all](isclose(a, b, rtol, atol, equal_nan)))


def as_bool(answer: Any) -> Any:
    """Python's boolean where the answer is known."""
    known = concrete(answer)
    return answer if known is None else bool(known)


@implements(np.array_equal)
def array_equal(a1: ArrayLike, a2: ArrayLike, equal_nan: bool = False) -> Any:
    """Have the arrays one shape and the same entries?

    >>> array_equal([1.0, 2.0], [1.0, 2.0])
    True
    """
    a1, a2 = asarray(a1), asarray(a2)
    if a1.shape != a2.shape:
        return False
    same = np.equal(a1, a2)
    if equal_nan:
        same = np.logical_or(same, np.logical_and(np.isnan(a1), np.isnan(a2)))
    return as_bool(IMPLEMENTATIONS[np.all](same))


@implements(np.array_equiv)
def array_equiv(a1: ArrayLike, a2: ArrayLike) -> Any:
    """Have the arrays, broadcast to their common shape, the same entries?

    >>> array_equiv([1.0, 1.0], 1.0)
    True
    """
    a1, a2 = asarray(a1), asarray(a2)
    try:
        np.broadcast_shapes(a1.shape, a2.shape)
    except ValueError:
        return False
    return as_bool(IMPLEMENTATIONS[np.all](np.equal(a1, a2)))


# --- rounding and limits ---


@implements(np.round, np.around)
def round(a: ArrayLike, decimals: SupportsIndex = 0, out: None = None) -> Any:
    """To so many decimals, halves to even: constant almost everywhere, so that the derivative is zero.

    >>> round(np.array([0.5, 1.5, 2.345]), 1)
    array([0.5, 1.5, 2.3])
    """
    a = asarray(a)
    reject("round", out=out)
    decimals = operator.index(decimals)
    if a.dtype.kind == "b" and decimals:
        raise TypeError(f"round: truth values have no decimals, and {decimals} were wanted; use a.astype(float)")
    if a.dtype.kind in "iu":
        if decimals >= 0:
            return a
        scale = 10**-decimals
        return as_dtype(np.rint(a / scale) * scale, a.dtype)
    if decimals == 0:
        return np.rint(a)
    scale = 10.0 ** abs(decimals)
    return np.rint(a * scale) / scale if decimals > 0 else np.rint(a / scale) * scale


around = round


@implements(np.fix)
def fix(x: ArrayLike, out: None = None) -> Any:
    """Rounded towards zero, with derivative zero.

    NumPy 2.5 deprecates it in favour of trunc.
    """
    reject("fix", out=out)
    np.fix(0.0)  # which warns, from NumPy 2.5 on, that trunc is to be used
    x = asarray(x)
    return x if x.dtype.kind in "iub" else trunc(x)


@implements(np.clip)
def clip(
    a: ArrayLike,
    a_min: ArrayLike | None = NOT_GIVEN,
    a_max: ArrayLike | None = NOT_GIVEN,
    out: None = None,
    *,
    min: ArrayLike | None = NOT_GIVEN,
    max: ArrayLike | None = NOT_GIVEN,
    dtype: DTypeLike | None = None,
    casting: str = "same_kind",
    order: str = "K",
    subok: bool = True,
    where: ArrayLike = True,
) -> Any:
    """minimum(maximum(a, a_min), a_max), where None means no limit; at a limit the derivative is shared evenly.

    With a mask `where` the result is zero where that is false. Raises ValueError if both names of a limit are given,
    TypeError if `casting` does not allow the conversion to `dtype`.

    >>> import xform
    >>> xform.grad(lambda x: clip(x, 0, 1).sum())(np.array([-0.5, 0.5, 1.0]))
    array([0. , 1. , 0.5])
    """
    reject("clip", out=out)
    if a_min is NOT_GIVEN and a_max is NOT_GIVEN:
        low, high = (None if limit is NOT_GIVEN else limit for limit in (min, max))
    elif min is not NOT_GIVEN or max is not NOT_GIVEN:
        raise ValueError("Passing `min` or `max` keyword argument when `a_min` and `a_max` are provided is forbidden.")
    elif a_min is NOT_GIVEN or a_max is NOT_GIVEN:
        name = "a_min" if a_min is NOT_GIVEN else "a_max"
        raise TypeError(f"clip() missing 1 required positional argument: '{name}'")
    else:
        low, high = a_min, a_max
    x = in_loop(asarray(a), dtype, casting)
    limits = [y if type(y) in (int, float) else asarray(y) for y in (low, high) if y is not None]  # numbers stay weak
    if len(limits) == 2 and (x.dtype.kind != "f" or any(hasattr(y, "dtype") for y in limits)):
        x = as_dtype(x, np.result_type(x.dtype, *(getattr(y, "dtype", y) for y in limits)))
    if not limits:
        return np.positive(x)  # of truth values NumPy refuses it
    x = x if low is None else np.maximum(x, limits[0])
    x = x if high is None else np.minimum(x, limits[-1])
    return x if where is True else select(asarray(where), x, np.zeros((), x.dtype))


def in_loop(x: Any, dtype: DTypeLike | None, casting: Any) -> Any:
    """The operand in the dtype in which is computed."""
    if dtype is not None and not np.can_cast(x.dtype, dtype, casting):
        raise TypeError(
            f"Cannot cast ufunc 'clip' input 0 from {x.dtype} to {np.dtype(dtype)} with casting rule {casting!r}"
        )
    return as_dtype(x, dtype)


@implements(np.nan_to_num)
def nan_to_num(
    x: ArrayLike,
    copy: bool = True,
    nan: ArrayLike = 0.0,
    posinf: ArrayLike | None = None,
    neginf: ArrayLike | None = None,
) -> Any:
    """The array with numbers in place of nan and infinities, by default 0 and the largest there are.

    No derivative passes through an entry that is replaced.

    >>> import xform
    >>> xform.grad(lambda x: nan_to_num(x).sum())(np.array([1.0, np.nan]))
    array([1., 0.])
    """
    x = asarray(x)
    if x.dtype.kind not in "fc":
        return x
    if x.dtype.kind == "c":
        re, im = (nan_to_num(part, copy, nan, posinf, neginf) for part in (real(x), imag(x)))
        return as_dtype(re + 1j * im, x.dtype)
    limits = np.finfo(x.dtype)
    y = select(np.isnan(x), as_dtype(asarray(nan), x.dtype), x)
    y = select(isposinf(x), as_dtype(asarray(limits.max if posinf is None else posinf), x.dtype), y)
    return select(isneginf(x), as_dtype(asarray(limits.min if neginf is None else neginf), x.dtype), y)


# --- special functions ---

#: sin(y) / y = sum of (-1)^k y^(2k) / (2k + 1)!, of which below NEAR so many terms are exact, with derivatives
NEAR = 0.25
SERIES = [(-1) ** k / math.factorial(2 * k + 1) for k in range(8)]


@implements(np.sinc)
def sinc(x: ArrayLike) -> Any:
    """sin(pi x) / (pi x), and 1 at 0; around 0 by its series, so that all derivatives exist.

    >>> import xform
    >>> f = xform.grad(xform.grad(sinc))
    >>> bool(np.isclose(f(0.0), -(np.pi**2) / 3))
    True
    """
    x = asarray(x)
    y = math.pi * (x if x.dtype.kind in "fc" else as_dtype(x, np.float64))
    near = np.less(np.abs(y), NEAR)
    square, total = np.square(select(near, y, 0.0)), SERIES[-1]
    for coefficient in SERIES[-2::-1]:
        total = coefficient + total * square
    far = select(near, 1.0, y)
    return as_dtype(select(near, total, np.sin(far) / far), y.dtype)
