"""Activation functions, entry by entry, with the names and definitions they have in `jax.nn`.

Integers become floating-point numbers where the function is not a choice among its argument and integers; dtypes of
floating-point numbers are kept. Each is written such that no part that is not chosen overflows or has a derivative.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from xform.numpy.axes import axis_index
from xform.numpy.dispatch import ArrayLike, asarray
from xform.ops import transcendental as ops
from xform.ops.arithmetic import clamp
from xform.ops.normal_distribution import normal_cdf
from xform.ops.select import select
from xform.ops.structure import slice_

__all__ = [
    "celu",
    "elu",
    "gelu",
    "glu",
    "hard_sigmoid",
    "hard_silu",
    "hard_swish",
    "hard_tanh",
    "identity",
    "leaky_relu",
    "log_sigmoid",
    "mish",
    "relu",
    "relu6",
    "selu",
    "sigmoid",
    "silu",
    "soft_sign",
    "softplus",
    "sparse_plus",
    "sparse_sigmoid",
    "squareplus",
    "swish",
    "tanh",
]

#: of SELU: such that standard normal numbers keep their mean and variance
SELU_ALPHA, SELU_SCALE = 1.6732632423543772848170429916717, 1.0507009873554804934193349852946

#: beyond this, tanh is 1 to rounding in the approximation of GELU
GELU_END = 16.0


def identity(x: ArrayLike) -> Any:
    """x."""
    return asarray(x)


def relu(x: ArrayLike) -> Any:
    """max(x, 0), with the derivative 0 at 0; nan stays nan.

    >>> import xform
    >>> xform.grad(lambda x: relu(x).sum())(np.array([-1.0, 0.0, 2.0]))
    array([0., 0., 1.])
    """
    x = asarray(x)
    return select(np.less_equal(x, 0), 0, x)


def relu6(x: ArrayLike) -> Any:
    """min(max(x, 0), 6), with the derivative 0 at 0 and at 6.

    >>> relu6(np.array([-1.0, 3.0, 8.0]))
    array([0., 3., 6.])
    """
    return clamp(0, asarray(x), 6)


def leaky_relu(x: ArrayLike, negative_slope: ArrayLike = 1e-2) -> Any:
    """x for x >= 0, else negative_slope x.

    >>> leaky_relu(np.array([-1.0, 3.0]))
    array([-0.01,  3.  ])
    """
    x = asarray(x)
    return select(np.greater_equal(x, 0), x, negative_slope * x)


def elu(x: ArrayLike, alpha: ArrayLike = 1.0) -> Any:
    """x for x > 0, else alpha (e^x - 1) (Clevert, Unterthiner, Hochreiter, ICLR 2016).

    >>> elu(np.array([0.0, 3.0]))
    array([0., 3.])
    """
    x = asarray(x)
    positive = np.greater(x, 0)
    return select(positive, x, alpha * np.expm1(select(positive, 0, x)))


def selu(x: ArrayLike) -> Any:
    """1.0507... elu(x, 1.6732...) (Klambauer, Unterthiner, Mayr, Hochreiter, NeurIPS 2017).

    >>> selu(1.0)
    np.float64(1.0507009873554805)
    """
    return SELU_SCALE * elu(x, SELU_ALPHA)


def celu(x: ArrayLike, alpha: ArrayLike = 1.0) -> Any:
    """x for x > 0, else alpha (e^(x / alpha) - 1) (Barron, 2017).

    >>> celu(np.array([0.0, 3.0]), 2.0)
    array([0., 3.])
    """
    x = asarray(x)
    positive = np.greater(x, 0)
    return select(positive, x, alpha * np.expm1(select(positive, 0, x) / alpha))


def sigmoid(x: ArrayLike) -> Any:
    """1 / (1 + e^-x), without overflow.

    >>> sigmoid(np.array([-1000.0, 0.0, 1000.0]))
    array([0. , 0.5, 1. ])
    """
    return ops.logistic(asarray(x))


def log_sigmoid(x: ArrayLike) -> Any:
    """log(sigmoid(x)) = -softplus(-x).

    >>> log_sigmoid(np.array([-1000.0, 1000.0]))
    array([-1000.,    -0.])
    """
    return -softplus(-asarray(x))


def softplus(x: ArrayLike) -> Any:
    """log(1 + e^x), without overflow.

    >>> softplus(np.array([-1000.0, 1000.0]))
    array([   0., 1000.])
    """
    return np.logaddexp(asarray(x), 0)


def silu(x: ArrayLike) -> Any:
    """x sigmoid(x), also known as swish.

    >>> silu(np.array([-1000.0, 0.0, 1000.0]))
    array([  -0.,    0., 1000.])
    """
    x = asarray(x)
    return x * ops.logistic(x)


def tanh(x: ArrayLike, /) -> Any:
    """sinh(x) / cosh(x)."""
    return np.tanh(asarray(x))


def soft_sign(x: ArrayLike) -> Any:
    """x / (1 + |x|).

    >>> soft_sign(np.array([-1.0, 0.0, 3.0]))
    array([-0.5 ,  0.  ,  0.75])
    """
    x = asarray(x)
    return x / (1 + np.abs(x))


def hard_tanh(x: ArrayLike) -> Any:
    """x limited to [-1, 1], with the derivative 1 on the limits.

    >>> hard_tanh(np.array([-3.0, 0.5, 3.0]))
    array([-1. ,  0.5,  1. ])
    """
    x = asarray(x)
    return select(np.greater(x, 1), 1, select(np.less(x, -1), -1, x))


def hard_sigmoid(x: ArrayLike) -> Any:
    """relu6(x + 3) / 6.

    >>> hard_sigmoid(np.array([-4.0, 0.0, 4.0]))
    array([0. , 0.5, 1. ])
    """
    return relu6(asarray(x) + 3.0) / 6


def hard_silu(x: ArrayLike) -> Any:
    """x hard_sigmoid(x).

    >>> hard_silu(np.array([-4.0, 0.0, 4.0]))
    array([-0.,  0.,  4.])
    """
    return asarray(x) * hard_sigmoid(x)


def gelu(x: ArrayLike, approximate: bool = True) -> Any:
    """x Phi(x) with the normal distribution function Phi (Hendrycks, Gimpel, 2016).

    Approximately, as is the default in JAX, x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))) / 2.

    >>> gelu(np.array([-1000.0, 1.0, 1000.0])).round(6)
    array([-0.00000e+00,  8.41192e-01,  1.00000e+03])
    >>> gelu(1.0, approximate=False).round(6)
    np.float64(0.841345)
    """
    x = asarray(x)
    if not approximate:
        return x * normal_cdf(x)
    inner = clamp(-GELU_END, x, GELU_END)
    return x * (0.5 + 0.5 * np.tanh(math.sqrt(2 / math.pi) * (inner + 0.044715 * inner * inner * inner)))


def mish(x: ArrayLike) -> Any:
    """x tanh(softplus(x)) (Misra, 2019).

    >>> mish(np.array([0.0, 1000.0]))
    array([   0., 1000.])
    """
    x = asarray(x)
    return x * np.tanh(softplus(x))


def squareplus(x: ArrayLike, b: ArrayLike = 4) -> Any:
    """(x + sqrt(x^2 + b)) / 2, without cancellation for negative x (Barron, 2021).

    >>> squareplus(np.array([-1e9, 0.0, 1e200]))
    array([1.e-009, 1.e+000, 1.e+200])
    """
    x = asarray(x)
    root = np.hypot(x, math.sqrt(b) if isinstance(b, int | float) else np.sqrt(asarray(b)))
    negative = np.less(x, 0)
    return select(negative, b / (2 * (root - select(negative, x, -1))), 0.5 * (x + root))


def sparse_plus(x: ArrayLike) -> Any:
    """0 for x <= -1, x for x >= 1, between them (x + 1)^2 / 4.

    >>> sparse_plus(np.array([-2.0, 0.0, 1.0, 3.0]))
    array([0.  , 0.25, 1.  , 3.  ])
    """
    x = asarray(x)
    inner = clamp(-1.0, x, 1.0) + 1
    return select(np.greater_equal(x, 1), x, 0.25 * inner * inner)


def sparse_sigmoid(x: ArrayLike) -> Any:
    """The derivative of `sparse_plus`: 0 for x <= -1, 1 for x >= 1, between them (x + 1) / 2.

    >>> sparse_sigmoid(np.array([-2.0, 0.0, 1.0]))
    array([0. , 0.5, 1. ])
    """
    return 0.5 * clamp(0.0, asarray(x) + 1.0, 2.0)


def glu(x: ArrayLike, axis: int = -1) -> Any:
    """a sigmoid(b) with the two halves a and b of x along an axis (Dauphin, Fan, Auli, Grangier, ICML 2017).

    Raises ValueError if the axis has no halves, AxisError if there is none.

    >>> glu(np.array([2.0, 4.0, 0.0, 0.0]))
    array([1., 2.])
    """
    x = asarray(x)
    axis = axis_index(axis, x.ndim)
    if (n := x.shape[axis]) % 2:
        raise ValueError(f"glu: axis {axis} of shape {x.shape} was given, wanted an axis of even size")
    halves = [
        slice_(x, index=tuple((start, n // 2, 1) if k == axis else (0, m, 1) for k, m in enumerate(x.shape)))
        for start in (0, n // 2)
    ]
    return halves[0] * ops.logistic(halves[1])


swish, hard_swish = silu, hard_silu
