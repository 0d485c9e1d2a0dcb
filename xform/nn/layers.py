"""Convolution and pooling of arrays (batch, *space, channels), for any number of spatial axes."""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from xform.lax.convolutions import ConvDimensionNumbers, conv_general_dilated
from xform.lax.reduce_windows import reduce_window
from xform.numpy.dispatch import ArrayLike, as_dtype, asarray

__all__ = ["avg_pool", "conv", "max_pool", "min_pool"]

Sizes = int | Sequence[int]
Padding = str | Sequence[tuple[int, int]]


def per_axis(name: str, option: str, given: Any, rank: int) -> tuple[int, ...]:
    """A number for each spatial axis, of one for all or of a sequence."""
    try:
        values = tuple(map(operator.index, given)) if isinstance(given, Sequence) else (operator.index(given),) * rank
    except TypeError:
        raise TypeError(f"nn.{name}: {option}={given!r} was given, wanted integers") from None
    if len(values) != rank or any(n < 1 for n in values):
        raise ValueError(f"nn.{name}: {option}={given!r} was given, wanted {rank} positive integers, or one for all")
    return values


def conv(
    inputs: ArrayLike,
    kernel: ArrayLike,
    strides: Sizes = 1,
    padding: Padding = "SAME",
    *,
    input_dilation: Sizes = 1,
    kernel_dilation: Sizes = 1,
    feature_group_count: int = 1,
    bias: ArrayLike | None = None,
) -> Any:
    """The convolution of neural networks (a correlation), plus a bias for each feature of the result.

    `inputs` has the shape (batch, *space, channels), `kernel` (*window, channels / groups, features) and the result
    (batch, *space', features). Strides and dilations are a number for each spatial axis or one for all; `padding` is as
    in `lax.conv_general_dilated`. Raises ValueError where shapes do not fit.

    >>> conv(np.ones((1, 4, 4, 3)), np.ones((3, 3, 3, 2)), 2).shape
    (1, 2, 2, 2)
    """
    x, kernel = asarray(inputs), asarray(kernel)
    rank = kernel.ndim - 2
    if rank < 0 or x.ndim != kernel.ndim:
        raise ValueError(
            f"nn.conv: inputs of shape {x.shape} and a kernel of shape {kernel.shape} were given; wanted "
            "(batch, *space, channels) and (*window, channels / groups, features) with equally many axes"
        )
    space = tuple(range(1, rank + 1))
    layout = (0, rank + 1, *space)
    numbers = ConvDimensionNumbers(layout, (rank + 1, rank, *range(rank)), layout)
    out = conv_general_dilated(
        x,
        kernel,
        per_axis("conv", "strides", strides, rank),
        padding,
        per_axis("conv", "input_dilation", input_dilation, rank),
        per_axis("conv", "kernel_dilation", kernel_dilation, rank),
        numbers,
        feature_group_count,
    )
    return out if bias is None else out + asarray(bias)


def pooled(
    name: str, x: Any, start: Any, combine: Callable[..., Any], window: Sequence[int], strides: Any, padding: Any
) -> Any:
    """A fold over windows along the axes in front of the last one, as many as the window has."""
    if x.ndim < len(window) + 1:
        raise ValueError(
            f"nn.{name}: inputs of shape {x.shape} and a window of shape {tuple(window)} were given; wanted "
            "(batch, *space, channels)"
        )
    rank, lead = len(window), x.ndim - len(window) - 1
    size = (*(1,) * lead, *per_axis(name, "window_shape", window, rank), 1)
    steps = (*(1,) * lead, *per_axis(name, "strides", 1 if strides is None else strides, rank), 1)
    if not isinstance(padding, str):
        pairs = [tuple(pair) for pair in padding]
        if len(pairs) != rank or any(len(pair) != 2 for pair in pairs):
            raise ValueError(f"nn.{name}: padding={padding!r} was given, wanted {rank} pairs (before, behind)")
        padding = [*[(0, 0)] * lead, *pairs, (0, 0)]
    return reduce_window(x, start, combine, size, steps, padding)


def limits(dtype: np.dtype) -> tuple[Any, Any]:
    """The smallest and the largest number of a dtype."""
    if dtype.kind == "f":
        return dtype.type(-np.inf), dtype.type(np.inf)
    if dtype.kind in "iu":
        return dtype.type(np.iinfo(dtype).min), dtype.type(np.iinfo(dtype).max)
    raise TypeError(f"nn: pooling of {dtype} was asked for, wanted real numbers")


def max_pool(
    inputs: ArrayLike, window_shape: Sequence[int], strides: Sizes | None = None, padding: Padding = "VALID"
) -> Any:
    """The largest number in each window of arrays (batch, *space, channels); the strides are 1 by default.

    Raises ValueError where shapes do not fit, TypeError for complex numbers.

    >>> max_pool(np.arange(4.0).reshape(1, 4, 1), (2,), 2)[0, :, 0]
    array([1., 3.])
    """
    x = asarray(inputs)
    return pooled("max_pool", x, limits(x.dtype)[0], np.maximum, window_shape, strides, padding)


def min_pool(
    inputs: ArrayLike, window_shape: Sequence[int], strides: Sizes | None = None, padding: Padding = "VALID"
) -> Any:
    """The smallest number in each window, as `max_pool`.

    >>> min_pool(np.arange(4.0).reshape(1, 4, 1), (2,), 2)[0, :, 0]
    array([0., 2.])
    """
    x = asarray(inputs)
    return pooled("min_pool", x, limits(x.dtype)[1], np.minimum, window_shape, strides, padding)


def avg_pool(
    inputs: ArrayLike,
    window_shape: Sequence[int],
    strides: Sizes | None = None,
    padding: Padding = "VALID",
    count_include_pad: bool = True,
) -> Any:
    """The mean over each window, as `max_pool`; without `count_include_pad` of what is no padding.

    >>> avg_pool(np.arange(4.0).reshape(1, 4, 1), (2,), 2)[0, :, 0]
    array([0.5, 2.5])
    """
    x = asarray(inputs)
    x = x if x.dtype.kind in "fc" else as_dtype(x, np.float64)
    zero = x.dtype.type(0)
    total = pooled("avg_pool", x, zero, np.add, window_shape, strides, padding)
    if count_include_pad:
        return total / int(np.prod(window_shape))
    ones = np.ones((*(1,) * (x.ndim - len(window_shape) - 1), *x.shape[-len(window_shape) - 1 : -1], 1), x.dtype)
    return total / pooled("avg_pool", ones, zero, np.add, window_shape, strides, padding)
