"""Random choices: of one of several classes, of entries of an array, of an order."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from xform.core.trace import underlying
from xform.numpy.axes import axis_index
from xform.numpy.dispatch import ArrayLike, asarray
from xform.numpy.taking import take
from xform.ops.structure import broadcast_to
from xform.random.arguments import as_shape, float_dtype, one_key, probabilities, real, sample_shape
from xform.random.quantiles import gumbel
from xform.random.uniforms import half_open, randint, stream_of

__all__ = ["categorical", "choice", "permutation"]

WIDE = np.dtype(np.float64)


def permutation(key: ArrayLike, x: ArrayLike, axis: int = 0, independent: bool = False) -> Any:
    """The slices of the array `x` along an axis in random order, or the integers below the integer `x`.

    The order is that of as many random words. With `independent`, each line along the axis has an order of its own.
    Differentiable in x. Raises AxisError, ValueError for a negative integer.

    >>> import xform.random as random
    >>> print(permutation(random.key(42), 6))
    [5 1 0 4 3 2]
    """
    key, x = one_key("permutation", key), asarray(x)
    if not x.shape:
        return order(key, whole(x, "permutation", "x"))
    axis = axis_index(axis, x.ndim)
    if not independent:
        return take(x, order(key, x.shape[axis]), axis=axis)
    places = np.argsort(stream_of(key, x.shape), axis=axis, kind="stable")
    return np.take_along_axis(x, places, axis=axis)


def order(key: Any, n: int) -> Any:
    """The integers below n in random order; two of n words are equal with a probability of n^2 / 2^65."""
    return np.argsort(stream_of(key, (n,)), kind="stable")


def whole(x: Any, name: str, option: str) -> int:
    """A known integer of at least 0."""
    if x.dtype.kind not in "iu":
        raise TypeError(f"random.{name}: {option} of dtype {x.dtype} was given, wanted an integer or an array")
    value = underlying(x)
    if value is None:
        raise TypeError(f"random.{name}: {option} was given as a traced integer, wanted a known one: it is a shape")
    if value < 0:
        raise ValueError(f"random.{name}: {option} = {value} was given, wanted an integer of at least 0")
    return int(value)


def choice(
    key: ArrayLike,
    a: ArrayLike,
    shape: Any = (),
    replace: bool = True,
    p: ArrayLike | None = None,
    axis: int = 0,
    mode: str | None = None,
) -> Any:
    """Slices of the array `a` along an axis, or integers below the integer `a`, chosen at random, in the given shape.

    With probabilities p each is chosen with its own; without `replace` none is chosen twice. Differentiable in a.
    `mode` is that of `gumbel`. Raises ValueError for probabilities below 0 or whose sum is not 1, and if fewer can be
    chosen than are wanted.

    >>> import xform.random as random
    >>> print(choice(random.key(42), np.array([10, 20, 30]), (4,), p=np.array([0.5, 0.5, 0.0])))
    [20 10 20 20]
    """
    key, a, wanted = one_key("choice", key), asarray(a), as_shape("choice", shape)
    axis = axis_index(axis, a.ndim) if a.shape else 0
    n = a.shape[axis] if a.shape else whole(a, "choice", "a")
    chances = None
    if p is not None:
        chances = real("choice", "p", p, float_dtype("choice", None))
        probabilities("choice", chances, n)
    places = chosen(key, n, wanted, replace, chances, mode)
    return take(a, places, axis=axis) if a.shape else places


def chosen(key: Any, n: int, shape: tuple[int, ...], replace: bool, p: Any, mode: str | None) -> Any:
    """The numbers of the choices."""
    size = math.prod(shape)
    known = None if p is None else underlying(p)
    available = n if known is None else int(np.min(np.count_nonzero(known, axis=-1)))
    if size and (available < 1 if replace else available < size):
        again = "" if replace else " without replacement"
        raise ValueError(f"random.choice: {size} of {available} were asked for{again}, wanted at most so many")
    if p is None:
        return randint(key, shape, 0, max(n, 1)) if replace else np.reshape(order(key, n)[:size], shape)
    if replace:
        total = np.cumsum(p)
        u = half_open(key, shape, WIDE) * total[-1]
        return np.searchsorted(total, np.minimum(u, np.nextafter(total[-1], 0.0)), side="right")
    with np.errstate(divide="ignore"):
        scores = gumbel(key, (n,), mode=mode) + np.log(p)
    return np.reshape(np.argsort(-scores, kind="stable")[:size], shape)


def categorical(
    key: ArrayLike,
    logits: ArrayLike,
    axis: int = -1,
    shape: Any = None,
    replace: bool = True,
    mode: str | None = None,
) -> Any:
    """Numbers of classes with the probabilities softmax(logits) along an axis: argmax_k(logits_k + Gumbel numbers).

    `shape` is that of the result, by default that of the logits without the axis, which are its last axes. Without
    `replace` no class is chosen twice along the axes in front of them (W. Kool, H. van Hoof, M. Welling, "Stochastic
    beams and where to find them", ICML 2019). `mode` is that of `gumbel`. Raises AxisError, and ValueError for shapes
    that do not fit and if more classes are wanted than there are.

    >>> import xform.random as random
    >>> print(categorical(random.key(42), np.log([0.2, 0.8]), shape=(8,)))
    [1 1 1 1 1 1 1 1]
    """
    key, logits = one_key("categorical", key), real("categorical", "logits", logits, WIDE)
    logits = np.moveaxis(logits, axis_index(axis, logits.ndim), -1)
    classes, batch = logits.shape[-1], logits.shape[:-1]
    wanted = sample_shape("categorical", shape, np.zeros(batch))
    if not classes and math.prod(wanted):
        raise ValueError("random.categorical: no classes were given, wanted at least one")
    if replace:
        scores = gumbel(key, (*wanted, classes), mode=mode) + logits
        return np.argmax(scores, axis=-1) if classes else np.zeros(wanted, int)
    return distinct(key, logits, wanted, mode)


def distinct(key: Any, logits: Any, wanted: tuple[int, ...], mode: str | None) -> Any:
    """Along the axes in front of those of the logits the classes of the highest scores."""
    lead = len(wanted) - (logits.ndim - 1)
    count, classes, batch = math.prod(wanted[:lead]), logits.shape[-1], wanted[lead:]
    if count > classes:
        raise ValueError(f"random.categorical: {count} of {classes} classes without replacement were asked for")
    scores = gumbel(key, (*batch, classes), mode=mode) + broadcast_to(logits, (*batch, classes))
    best = np.argsort(-scores, axis=-1, kind="stable")[..., :count]
    return np.reshape(np.moveaxis(best, -1, 0), wanted)
