"""Numbers all of whose values are equally likely: bits, reals of an interval, integers of a range, coins.

The n highest bits of a word, n being those of a mantissa, are an integer k of 0 ... 2^n - 1, so that u = k / 2^n is
exact; with one bit less, (k + 1/2) / 2^(n - 1) is exact, too, and lies symmetrically between 0 and 1, not on them.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from xform.numpy.dispatch import ArrayLike, as_dtype, asarray
from xform.ops.bits import bit_width, mulhi, unsigned
from xform.ops.random.random_bits import NUMBERS, random_bits, start
from xform.ops.select import select
from xform.random.arguments import (
    WORDS,
    as_shape,
    demand,
    float_dtype,
    int_dtype,
    one_key,
    real,
    sample_shape,
)
from xform.random.keys import children

__all__ = ["bernoulli", "bits", "rademacher", "randint", "uniform"]

MODES = (None, "low", "high")


def bits(key: ArrayLike, shape: Any = (), dtype: Any = None) -> Any:
    """Random bits, as unsigned integers of `dtype` (uint64), in the given shape.

    The numbers are those of the stream of the key, in C order; of narrower integers several are read from a word, its
    lowest bits first. Raises TypeError for another dtype and for what is no key.

    >>> import xform.random as random
    >>> bits(random.key(42))
    np.uint64(12063030334536064454)
    """
    found = np.dtype(np.uint64 if dtype is None else dtype)
    if found.kind != "u":
        raise TypeError(f"random.bits: dtype {found} was given, wanted uint64, uint32, uint16 or uint8")
    return stream_of(one_key("bits", key), as_shape("bits", shape), found)


def stream_of(key: Any, shape: tuple[int, ...], dtype: np.dtype = WORDS) -> Any:
    return random_bits(key, start(NUMBERS), shape=shape, dtype=dtype)


def fraction(key: Any, shape: tuple[int, ...], dtype: np.dtype, count: int) -> Any:
    """k / 2^count with k = 0 ... 2^count - 1, of the floating-point dtype."""
    words = unsigned(dtype)
    k = np.right_shift(stream_of(key, shape, words), bit_width(words) - count)
    return (k if dtype == np.float64 else as_dtype(k, dtype)) * 2.0**-count  # a product of uint64 is one of doubles


def half_open(key: Any, shape: tuple[int, ...], dtype: np.dtype) -> Any:
    """u in [0, 1): multiples of the precision."""
    return fraction(key, shape, dtype, np.finfo(dtype).nmant + 1)


def between(key: Any, shape: tuple[int, ...], dtype: np.dtype) -> Any:
    """u in (0, 1), symmetric around 1/2."""
    count = np.finfo(dtype).nmant
    return fraction(key, shape, dtype, count) + 2.0 ** -(count + 1)


def fine(name: str, key: Any, shape: tuple[int, ...], dtype: np.dtype, mode: str | None) -> Any:
    """u in (0, 1); in the mode "high" with twice the bits, so that small numbers are as precise as large ones."""
    if mode not in MODES:
        raise ValueError(f"random.{name}: mode={mode!r} was given, wanted 'low' or 'high'")
    if mode != "high":
        return between(key, shape, dtype)
    coarse, rest = children(name, key, 2)
    count = np.finfo(dtype).nmant
    u = fraction(coarse, shape, dtype, count) + between(rest, shape, dtype) * 2.0**-count
    return np.minimum(u, dtype.type(1 - 2.0 ** -(count + 1)))


def uniform(
    key: ArrayLike, shape: Any = (), dtype: Any = None, minval: ArrayLike = 0.0, maxval: ArrayLike = 1.0
) -> Any:
    """Numbers uniformly distributed in [minval, maxval), of `dtype` (float64): minval + u (maxval - minval).

    Differentiable in the limits. Raises ValueError if these do not broadcast to `shape`.

    >>> import xform, xform.random as random
    >>> print(uniform(random.key(42), (3,)))
    [0.65393818 0.29821924 0.91422828]
    >>> xform.grad(lambda top: uniform(random.key(42), maxval=top))(2.0)
    np.float64(0.653938...)
    """
    dtype = float_dtype("uniform", dtype)
    low, high = (real("uniform", option, x, dtype) for option, x in (("minval", minval), ("maxval", maxval)))
    wanted = sample_shape("uniform", as_shape("uniform", shape), low, high)
    u = half_open(one_key("uniform", key), wanted, dtype)
    if type(minval) is type(maxval) is float and (minval, maxval) == (0.0, 1.0):
        return u
    x = low + u * (high - low)
    # rounding can lead to the upper limit itself, which does not belong to the interval
    return select(np.logical_and(np.equal(x, high), np.less(low, high)), low, x)


def randint(key: ArrayLike, shape: Any, minval: ArrayLike, maxval: ArrayLike, dtype: Any = None) -> Any:
    """Integers uniformly distributed in [minval, maxval), of `dtype` (int64).

    With a word w of 128 bits, minval + floor(w (maxval - minval) / 2^128), so that two probabilities differ by 2^-128
    at most. Raises ValueError for an empty or too large range; where its limits are only known when a program runs, an
    empty range gives minval.

    >>> import xform.random as random
    >>> print(randint(random.key(42), (8,), 1, 7))
    [4 2 6 6 5 2 6 3]
    """
    dtype = int_dtype("randint", dtype)
    low, high = (integer(option, x) for option, x in (("minval", minval), ("maxval", maxval)))
    wanted = sample_shape("randint", as_shape("randint", shape), low, high)
    info = np.iinfo(dtype)
    demand("randint", "minval", low, lambda x: (x >= info.min) & (x <= info.max), f"an integer of {dtype}")
    demand("randint", "maxval", high, lambda x: (x >= info.min) & (x <= info.max + 1), f"at most {info.max + 1}")
    with np.errstate(over="ignore"):  # modulo 2^64
        size = as_dtype(high, WORDS) - as_dtype(low, WORDS)
        nonempty = np.less(low, high)
        if np.prod(wanted, dtype=int):
            demand("randint", "the range from minval to maxval", nonempty, lambda x: x, "one that is not empty")
        words = stream_of(one_key("randint", key), (2, *wanted))
        offset = scaled(words[0], words[1], select(nonempty, size, WORDS.type(0)))
        return as_dtype(offset + as_dtype(low, WORDS), dtype)


def integer(option: str, x: Any) -> Any:
    x = asarray(x)
    if x.dtype.kind not in "iu":
        raise TypeError(f"random.randint: {option} of dtype {x.dtype} was given, wanted integers of 64 bits")
    return x


def scaled(high: Any, low: Any, size: Any) -> Any:
    """floor((high 2^64 + low) size / 2^128): the upper half of high size, and the carry of what is below it."""
    below, rest = high * size, mulhi(low, size)
    return mulhi(high, size) + as_dtype(np.less(below + rest, rest), WORDS)


def bernoulli(key: ArrayLike, p: ArrayLike = 0.5, shape: Any = None, mode: str = "low") -> Any:
    """Booleans that are true with probability p.

    The mode "high" takes probabilities far below 2^-52 exactly. Raises ValueError unless 0 <= p <= 1.

    >>> import xform.random as random
    >>> print(bernoulli(random.key(42), 0.5, (4,)))
    [False  True False False]
    """
    dtype = np.dtype(np.float64)
    p = real("bernoulli", "p", p, dtype)
    demand("bernoulli", "p", p, lambda x: (x >= 0) & (x <= 1), "a probability")
    wanted = sample_shape("bernoulli", shape, p)
    return np.less(fine("bernoulli", one_key("bernoulli", key), wanted, dtype, mode), p)


def rademacher(key: ArrayLike, shape: Any = (), dtype: Any = None) -> Any:
    """-1 or 1 with equal probabilities, of `dtype` (int64).

    >>> import xform.random as random
    >>> print(rademacher(random.key(42), (4,)))
    [ 1 -1  1  1]
    """
    found = np.dtype(np.int64 if dtype is None else dtype)
    if found.kind not in "if":
        raise TypeError(f"random.rademacher: dtype {found} was given, wanted signed integers or real numbers")
    top = np.right_shift(stream_of(one_key("rademacher", key), as_shape("rademacher", shape)), 63)
    return as_dtype(2 * as_dtype(top, np.int64) - 1, found)
