"""Initial weights of neural networks: functions of a key, a shape and a dtype, with the names they have in JAX.

kernel = initializers.he_normal()(key, (3, 3, 64, 128))
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from xform import random
from xform.numpy.dispatch import ArrayLike, as_dtype
from xform.random.arguments import as_shape

__all__ = [
    "Initializer",
    "constant",
    "delta_orthogonal",
    "glorot_normal",
    "glorot_uniform",
    "he_normal",
    "he_uniform",
    "kaiming_normal",
    "kaiming_uniform",
    "lecun_normal",
    "lecun_uniform",
    "normal",
    "ones",
    "orthogonal",
    "truncated_normal",
    "uniform",
    "variance_scaling",
    "xavier_normal",
    "xavier_uniform",
    "zeros",
]

#: (key, shape, dtype=None) -> array; the dtype is float64, or the one that the initializer was made with
Initializer = Callable[..., Any]

Axes = int | Sequence[int]

#: the standard deviation of standard normal numbers between -2 and 2, and of complex ones of modulus up to 2
TRUNCATED, TRUNCATED_COMPLEX = 0.87962566103423978, 0.95311164380491208


def zeros(key: ArrayLike, shape: Any, dtype: Any = None) -> Any:
    """Zeros; the key is not used.

    >>> zeros(None, (2,))
    array([0., 0.])
    """
    return np.zeros(as_shape("zeros", shape), np.float64 if dtype is None else dtype)


def ones(key: ArrayLike, shape: Any, dtype: Any = None) -> Any:
    """Ones; the key is not used.

    >>> ones(None, (2,), np.float32)
    array([1., 1.], dtype=float32)
    """
    return np.ones(as_shape("ones", shape), np.float64 if dtype is None else dtype)


def kind_of(*dtypes: Any) -> np.dtype:
    """The first dtype that is given, or float64; TypeError for one of integers."""
    found = np.dtype(next((d for d in dtypes if d is not None), np.float64))
    if found.kind not in "fc":
        raise TypeError(f"nn.initializers: dtype {found} was given, wanted real or complex numbers")
    return found


def constant(value: ArrayLike, dtype: Any = None) -> Initializer:
    """An initializer that repeats the value.

    >>> constant(0.5)(None, (2,))
    array([0.5, 0.5])
    """

    def init(key: ArrayLike, shape: Any, dtype: Any = dtype) -> Any:
        found = np.float64 if dtype is None else dtype
        return as_dtype(np.broadcast_to(np.asarray(value), as_shape("constant", shape)), found)

    return init


def uniform(scale: ArrayLike = 1e-2, dtype: Any = None) -> Initializer:
    """An initializer with numbers uniformly distributed in [0, scale).

    >>> bool(uniform(2.0)(random.key(0), (100,)).max() > 1.9)
    True
    """

    def init(key: ArrayLike, shape: Any, dtype: Any = dtype) -> Any:
        return random.uniform(key, shape, kind_of(dtype)) * scale

    return init


def normal(stddev: ArrayLike = 1e-2, dtype: Any = None) -> Initializer:
    """An initializer with normally distributed numbers of a standard deviation.

    >>> normal(2.0)(random.key(0), (10000,)).std().round(1)
    np.float64(2.0)
    """

    def init(key: ArrayLike, shape: Any, dtype: Any = dtype) -> Any:
        return random.normal(key, shape, kind_of(dtype)) * stddev

    return init


def truncated_normal(
    stddev: ArrayLike = 1e-2, dtype: Any = None, lower: ArrayLike = -2.0, upper: ArrayLike = 2.0
) -> Initializer:
    """An initializer with `stddev` times standard normal numbers on the condition that they lie within limits.

    >>> bool(abs(truncated_normal(2.0)(random.key(0), (100,))).max() < 4.0)
    True
    """

    def init(key: ArrayLike, shape: Any, dtype: Any = dtype) -> Any:
        return random.truncated_normal(key, lower, upper, as_shape("truncated_normal", shape), kind_of(dtype)) * stddev

    return init


def product(shape: tuple[int, ...], axes: Axes) -> int:
    return math.prod(shape[k] for k in ((axes,) if isinstance(axes, int) else axes))


def fans(shape: tuple[int, ...], in_axis: Axes, out_axis: Axes, batch_axis: Axes) -> tuple[float, float]:
    """How many inputs an output has, and how many outputs an input: the other axes but the batch's are of windows."""
    try:
        inputs, outputs, batch = (product(shape, axes) for axes in (in_axis, out_axis, batch_axis))
    except IndexError:
        raise ValueError(
            f"nn.initializers: the shape {shape} was given, wanted axes {in_axis} of inputs, {out_axis} of outputs and "
            f"{batch_axis} of a batch; for vectors use normal or uniform"
        ) from None
    receptive = math.prod(shape) / max(inputs * outputs * batch, 1)
    return inputs * receptive, outputs * receptive


def variance_scaling(
    scale: ArrayLike,
    mode: str,
    distribution: str,
    in_axis: Axes = -2,
    out_axis: Axes = -1,
    batch_axis: Axes = (),
    dtype: Any = None,
) -> Initializer:
    """An initializer with numbers of the variance scale / n.

    n is by `mode` the number of inputs of an output ("fan_in"), of outputs of an input ("fan_out"), or their mean,
    arithmetic ("fan_avg") or geometric ("fan_geo_avg"). `distribution` is "normal", "truncated_normal" (at two standard
    deviations) or "uniform". Axes that are none of the three kinds are those of a convolution's window. Raises
    ValueError for another mode or distribution and for shapes without these axes.

    >>> variance_scaling(2.0, "fan_in", "normal")(random.key(0), (50, 200)).var().round(2)
    np.float64(0.04)
    """
    if mode not in ("fan_in", "fan_out", "fan_avg", "fan_geo_avg"):
        raise ValueError(f"variance_scaling: mode={mode!r} was given, wanted fan_in, fan_out, fan_avg or fan_geo_avg")
    if distribution not in ("normal", "truncated_normal", "uniform"):
        raise ValueError(
            f"variance_scaling: distribution={distribution!r} was given, wanted normal, truncated_normal or uniform"
        )

    def init(key: ArrayLike, shape: Any, dtype: Any = dtype) -> Any:
        sizes, kind = as_shape("variance_scaling", shape), kind_of(dtype)
        fan_in, fan_out = fans(sizes, in_axis, out_axis, batch_axis)
        means = {"fan_in": fan_in, "fan_out": fan_out, "fan_avg": (fan_in + fan_out) / 2}
        n = means.get(mode, math.sqrt(fan_in * fan_out))
        deviation = np.sqrt(scale / max(n, 1e-300))
        return as_dtype(standard(distribution, key, sizes, kind) * deviation, kind)

    return init


def standard(distribution: str, key: Any, shape: tuple[int, ...], dtype: np.dtype) -> Any:
    """Numbers of variance 1; complex ones do not depend on the direction."""
    if distribution == "normal":
        return random.normal(key, shape, dtype)
    if dtype.kind == "c":
        return in_disc(distribution, key, shape, np.dtype(f"f{dtype.itemsize // 2}"))
    if distribution == "uniform":
        return random.uniform(key, shape, dtype, -math.sqrt(3), math.sqrt(3))
    return random.truncated_normal(key, -2.0, 2.0, shape, dtype) / TRUNCATED


def in_disc(distribution: str, key: Any, shape: tuple[int, ...], dtype: np.dtype) -> Any:
    """r e^(i phi) of variance 1: uniform in a disc, or complex normal numbers of modulus below 2."""
    radii, angles = random.split(key)
    u, phi = random.uniform(radii, shape, dtype), random.uniform(angles, shape, dtype, 0.0, 2 * math.pi)
    if distribution == "uniform":
        r = np.sqrt(2 * u)
    else:
        r = np.sqrt(-np.log1p(-u * (1 - math.exp(-4.0)))) / TRUNCATED_COMPLEX
    return r * np.cos(phi) + 1j * (r * np.sin(phi))


def scaled(name: str, scale: float, mode: str, distribution: str, source: str) -> Initializer:
    def initializer(in_axis: Axes = -2, out_axis: Axes = -1, batch_axis: Axes = (), dtype: Any = None) -> Initializer:
        return variance_scaling(scale, mode, distribution, in_axis, out_axis, batch_axis, dtype)

    initializer.__name__ = initializer.__qualname__ = name
    initializer.__doc__ = f"""An initializer of variance scaling, ({scale}, {mode!r}, {distribution!r}), of {source}.

    >>> {name}()(random.key(0), (3, 3, 8, 16)).shape
    (3, 3, 8, 16)
    """
    return initializer


_GLOROT = "X. Glorot and Y. Bengio (AISTATS 2010)"
_LECUN = "Y. LeCun et al., Efficient BackProp (1998)"
_HE = "K. He et al., Delving deep into rectifiers (ICCV 2015)"

glorot_uniform = xavier_uniform = scaled("glorot_uniform", 1.0, "fan_avg", "uniform", _GLOROT)
glorot_normal = xavier_normal = scaled("glorot_normal", 1.0, "fan_avg", "truncated_normal", _GLOROT)
lecun_uniform = scaled("lecun_uniform", 1.0, "fan_in", "uniform", _LECUN)
lecun_normal = scaled("lecun_normal", 1.0, "fan_in", "truncated_normal", _LECUN)
he_uniform = kaiming_uniform = scaled("he_uniform", 2.0, "fan_in", "uniform", _HE)
he_normal = kaiming_normal = scaled("he_normal", 2.0, "fan_in", "truncated_normal", _HE)


def orthogonal(scale: ArrayLike = 1.0, column_axis: int = -1, dtype: Any = None) -> Initializer:
    """An initializer whose matrices (all other axes, column axis) have orthonormal columns, or rows if these are fewer.

    (A. Saxe, J. McClelland, S. Ganguli, ICLR 2014.) Raises ValueError for shapes of fewer than two axes.

    >>> q = orthogonal()(random.key(0), (4, 3))
    >>> np.allclose(q.T @ q, np.eye(3))
    True
    """

    def init(key: ArrayLike, shape: Any, dtype: Any = dtype) -> Any:
        sizes = as_shape("orthogonal", shape)
        if len(sizes) < 2:
            raise ValueError(f"nn.initializers.orthogonal: the shape {sizes} was given, wanted two axes or more")
        columns = sizes[column_axis]
        rest = list(sizes)
        del rest[column_axis]
        q = random.orthogonal(key, columns, dtype=kind_of(dtype), m=math.prod(rest))
        return scale * np.moveaxis(q.reshape(columns, *rest), 0, column_axis)

    return init


def delta_orthogonal(scale: ArrayLike = 1.0, column_axis: int = -1, dtype: Any = None) -> Initializer:
    """An initializer of convolutions (*window, channels, features) that keep lengths: orthogonal at the centre, else 0.

    (L. Xiao et al., "Dynamical isometry and a mean field theory of CNNs", ICML 2018.) Raises ValueError unless there
    are one to three axes of the window and at least as many features as channels.

    >>> delta_orthogonal()(random.key(0), (3, 2, 4))[0]
    array([[0., 0., 0., 0.],
           [0., 0., 0., 0.]])
    """

    def init(key: ArrayLike, shape: Any, dtype: Any = dtype) -> Any:
        sizes = as_shape("delta_orthogonal", shape)
        if len(sizes) not in (3, 4, 5) or sizes[-1] < sizes[-2]:
            raise ValueError(
                f"nn.initializers.delta_orthogonal: the shape {sizes} was given, wanted (*window, channels, features) "
                "with one to three axes of a window and at least as many features as channels"
            )
        kind = kind_of(dtype)
        q = orthogonal(scale, column_axis)(key, (sizes[-1], sizes[-1]), kind)[: sizes[-2]]
        pads = [((n - 1) // 2, n - 1 - (n - 1) // 2) for n in sizes[:-2]]
        return np.pad(q[(None,) * len(pads)], [*pads, (0, 0), (0, 0)])

    return init
