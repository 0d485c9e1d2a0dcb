"""Keys: from what random numbers are computed, instead of from a hidden state.

A key is a plain array, uint64[2]: the key of the counter-based generator Philox 4x64-10. It can be a member of a tree,
the carry of a loop, mapped over by `vmap` and passed through `jit`. The same key always gives the same numbers, so use
each one once: either for one sampler, or for `split`, or for `fold_in`s of different data. With P_k(c) the block of
four words at the counter c = (c0, c1, c2, c3),

    key(seed)          (seed mod 2^64, 0)
    split(key, n)      the first 2n words of the stream P_key(0, 0, 0, 1), P_key(1, 0, 0, 1), ...
    fold_in(key, i)    the first 2 words of P_key(i mod 2^64, 0, 0, 2)
    bits(key, n)       the first n words of the stream P_key(0, 0, 0, 0), P_key(1, 0, 0, 0), ...
    gamma, poisson,    of the i-th entry, in its r-th round of rejection, the words of P_key(i, r, 0, c3) with
    binomial           c3 = 3, 4 and 5

These streams are fixed: they are the same on every machine and in every version.
"""

from __future__ import annotations

import operator
from typing import Any

import numpy as np

from xform.core.aval import aval_of
from xform.numpy.dispatch import ArrayLike, as_dtype, asarray
from xform.ops.random.random_bits import COUNTER, FOLD_IN, KEY, SPLIT, random_bits, start
from xform.ops.stack import stack
from xform.random.arguments import WORDS, as_shape, one_key

__all__ = ["PRNGKey", "clone", "fold_in", "key", "key_data", "key_dtype", "key_impl", "split", "wrap_key_data"]

#: the name of the generator
IMPLEMENTATION = "philox4x64"


def check_impl(name: str, impl: Any) -> None:
    if impl not in (None, IMPLEMENTATION):
        raise ValueError(f"random.{name}: impl={impl!r} was given; the one generator is '{IMPLEMENTATION}'")


def word(name: str, option: str, x: Any) -> Any:
    """An integer scalar modulo 2^64; TypeError or ValueError for anything else, OverflowError for a larger one."""
    if isinstance(x, int) and not isinstance(x, bool):
        if not -(2**63) <= x < 2**64:
            raise OverflowError(f"random.{name}: {option} = {x} was given, wanted an integer of 64 bits")
        return WORDS.type(x % 2**64)
    x = asarray(x)
    if x.dtype.kind not in "iu":
        raise TypeError(f"random.{name}: {option} of dtype {x.dtype} was given, wanted an integer")
    if x.shape:
        raise ValueError(f"random.{name}: {option} of shape {x.shape} was given, wanted one integer; use vmap for more")
    return as_dtype(x, WORDS)


def key(seed: ArrayLike, *, impl: str | None = None) -> Any:
    """The key of a seed, an integer that may be traced: uint64[2].

    Raises TypeError for a seed that is no integer, ValueError for an array of them, OverflowError beyond 64 bits.

    >>> print(key(42))
    [42  0]
    """
    check_impl("key", impl)
    return stack(word("key", "seed", seed), WORDS.type(0), axis=0)


def PRNGKey(seed: ArrayLike, *, impl: str | None = None) -> Any:
    """The key of a seed, as `key`.

    >>> print(PRNGKey(-1))
    [18446744073709551615                    0]
    """
    check_impl("PRNGKey", impl)
    return stack(word("PRNGKey", "seed", seed), WORDS.type(0), axis=0)


def split(key: ArrayLike, num: int | tuple[int, ...] = 2) -> Any:
    """New independent keys, `num` of them or in that shape: uint64[*num, 2].

    The first keys of more keys are those of fewer. Raises TypeError or ValueError if `key` is no single key.

    >>> print(split(key(42)))
    [[12115175272865716917  8889983161625067480]
     [ 6530215108746645113 11109035073600918846]]
    """
    return random_bits(one_key("split", key), start(SPLIT), shape=(*as_shape("split", num), KEY), dtype=WORDS)


def fold_in(key: ArrayLike, data: ArrayLike) -> Any:
    """A new key for each integer `data` modulo 2^64, which may be traced: the step of a loop, the number of a row.

    Raises TypeError or ValueError if `key` is no single key or `data` no single integer.

    >>> print(fold_in(key(42), 7))
    [8895230179516775655 7106479750143753101]
    """
    zero, purpose = WORDS.type(0), WORDS.type(FOLD_IN)
    counter = stack(word("fold_in", "data", data), *[zero] * (COUNTER - 2), purpose, axis=0)
    return random_bits(one_key("fold_in", key), counter, shape=(KEY,), dtype=WORDS)


def clone(key: ArrayLike) -> Any:
    """The same key, which gives the same numbers; it says that using it again is meant.

    >>> print(clone(key(42)))
    [42  0]
    """
    return keys_of("clone", key)


def key_data(keys: ArrayLike) -> Any:
    """The words of keys, uint64[..., 2]: a key is its words."""
    return keys_of("key_data", keys)


def wrap_key_data(key_bits_array: ArrayLike, *, impl: str | None = None) -> Any:
    """Keys of words, uint64[..., 2]; TypeError or ValueError for other arrays.

    >>> print(wrap_key_data(np.array([1, 2], np.uint64)))
    [1 2]
    """
    check_impl("wrap_key_data", impl)
    return keys_of("wrap_key_data", key_bits_array)


def keys_of(name: str, keys: Any) -> Any:
    keys = asarray(keys)
    if keys.dtype != WORDS:
        raise TypeError(f"random.{name}: keys of dtype {keys.dtype} were given, wanted uint64")
    if keys.shape[-1:] != (KEY,):
        raise ValueError(f"random.{name}: keys of shape {keys.shape} were given, wanted (..., {KEY})")
    return keys


def key_impl(keys: ArrayLike) -> str:
    """The name of the generator."""
    keys_of("key_impl", keys)
    return IMPLEMENTATION


def key_dtype(impl_spec: str | None = None) -> np.dtype:
    """The dtype of keys."""
    check_impl("key_dtype", impl_spec)
    return WORDS


def children(name: str, key: Any, num: int) -> list[Any]:
    """The keys of the parts of a sampler."""
    keys = split(one_key(name, key), num)
    return [keys[k] for k in range(num)]


def is_key(x: Any) -> bool:
    aval = aval_of(x)
    return aval.dtype == WORDS and aval.shape == (KEY,)


def count_of(name: str, num: Any) -> int:
    """A number of things, which must be known."""
    try:
        return operator.index(num)
    except TypeError:
        raise TypeError(f"random.{name}: {num!r:.60} was given, wanted an integer that is known") from None
