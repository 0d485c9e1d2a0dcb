"""What all samplers ask of their arguments: a key, shapes that fit, a floating-point dtype, numbers in their domain."""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from xform.core.aval import aval_of, shape_of
from xform.core.trace import underlying
from xform.numpy.dispatch import as_dtype, asarray
from xform.ops.random.random_bits import KEY
from xform.ops.structure import broadcast_to

WORDS = np.dtype(np.uint64)


def one_key(name: str, key: Any) -> Any:
    """The key; TypeError or ValueError for anything else."""
    key = asarray(key)
    if key.dtype != WORDS:
        raise TypeError(
            f"random.{name}: a key of dtype {key.dtype} and shape {key.shape} was given, wanted uint64[2]; make one "
            "with random.key(seed)"
        )
    if key.shape != (KEY,):
        more = " (a batch of keys is for vmap)" if key.ndim > 1 and key.shape[-1] == KEY else ""
        raise ValueError(f"random.{name}: a key of shape {key.shape} was given{more}, wanted one key, of shape (2,)")
    return key


def as_shape(name: str, shape: Any) -> tuple[int, ...]:
    """A shape as a tuple; an integer is that of a vector."""
    try:
        sizes = tuple(map(operator.index, shape)) if isinstance(shape, Sequence) else (operator.index(shape),)
    except TypeError:
        raise TypeError(f"random.{name}: the shape {shape!r:.60} was given, wanted integers that are known") from None
    if any(n < 0 for n in sizes):
        raise ValueError(f"random.{name}: the shape {sizes} was given, wanted sizes of at least 0")
    return sizes


def sample_shape(name: str, shape: Any, *parameters: Any) -> tuple[int, ...]:
    """The shape of the samples: the one that is given, if the parameters broadcast to it, or else their common one."""
    shapes = [shape_of(x) for x in parameters]
    wanted = None if shape is None else as_shape(name, shape)
    try:
        common = np.broadcast_shapes(*shapes)
        if wanted is None or np.broadcast_shapes(common, wanted) == wanted:
            return common if wanted is None else wanted
    except ValueError:
        pass  # said below, with the sampler's name
    raise ValueError(
        f"random.{name}: parameters of shapes {shapes} and the shape {wanted} of the samples were given; wanted "
        "parameters that broadcast to the samples' shape"
    )


def float_dtype(name: str, dtype: Any) -> np.dtype:
    """The dtype of real samples, float64 if none is given."""
    found = np.dtype(np.float64 if dtype is None else dtype)
    if found.kind != "f" or found.itemsize > 8:
        raise TypeError(f"random.{name}: dtype {found} was given, wanted float64, float32 or float16")
    return found


def int_dtype(name: str, dtype: Any) -> np.dtype:
    """The dtype of integer samples, int64 if none is given."""
    found = np.dtype(np.int64 if dtype is None else dtype)
    if found.kind not in "iu":
        raise TypeError(f"random.{name}: dtype {found} was given, wanted that of integers")
    return found


def real(name: str, option: str, x: Any, dtype: np.dtype) -> Any:
    """A parameter in the dtype of the samples; TypeError for one that is no real number."""
    x = asarray(x)
    if x.dtype.kind not in "fiub":
        raise TypeError(f"random.{name}: {option} of dtype {x.dtype} was given, wanted real numbers")
    return as_dtype(x, dtype)


def parameters(name: str, shape: Any, dtype: np.dtype, **given: Any) -> list[Any]:
    """Parameters in the dtype and the shape of the samples."""
    values = [real(name, option, x, dtype) for option, x in given.items()]
    wanted = sample_shape(name, shape, *values)
    return [broadcast_to(x, wanted) for x in values]


def demand(name: str, option: str, x: Any, holds: Callable[[Any], Any], wanted: str) -> None:
    """ValueError if a known value is out of its domain; nan is let pass, and so is what is not known."""
    value = underlying(x)
    if value is None:
        return
    value = np.asarray(value)
    with np.errstate(invalid="ignore"):
        wrong = ~(holds(value) | (value != value))
    if wrong.any():
        raise ValueError(f"random.{name}: {option} = {value[wrong].reshape(-1)[0]} was given, wanted {wanted}")


def positive(name: str, **given: Any) -> None:
    for option, x in given.items():
        demand(name, option, x, lambda value: value > 0, "a number above 0")


def probabilities(name: str, p: Any, options: int | None = None) -> None:
    """Numbers of at least 0 whose sum over the last axis is one, to half the digits of their dtype."""
    if not p.shape or (options is not None and p.shape != (options,)):
        raise ValueError(f"random.{name}: p of shape {p.shape} was given, wanted a probability for each of {options}")
    value = underlying(p)
    if value is None:
        return
    if not np.all(value >= 0):
        raise ValueError(f"random.{name}: a probability p = {np.min(value)} was given, wanted none below 0")
    eps = np.finfo(aval_of(p).dtype).eps if aval_of(p).dtype.kind == "f" else 0.0
    total = np.sum(value, axis=-1, dtype=np.float64)
    if np.any(np.abs(total - 1) > max(1e-8, eps**0.5)):
        raise ValueError(
            f"random.{name}: probabilities p with the sum {np.ravel(total)[0]} were given, wanted 1; divide by the sum"
        )
