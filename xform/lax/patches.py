"""The windows that a convolution looks at, and convolutions with a kernel of its own for every window.

Along one axis, window t has at its place k the entry u of the operand for which

    lhs_dilation u = stride t + rhs_dilation k - before

or zero if there is none: the operand gets a zero behind it, and is read at a table of indices, axis by axis.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from xform.lax.contractions import dot_general
from xform.lax.convolutions import (
    ConvGeneralDilatedDimensionNumbers,
    Padding,
    conv_dimension_numbers,
)
from xform.lax.dimensions import integers
from xform.lax.operands import inverse, operand, permuted, sizes
from xform.numpy.dispatch import ArrayLike
from xform.ops.convolution.convolutions import correlation
from xform.ops.convolution.convolve_kernels import Window
from xform.ops.indexing.index import gather
from xform.ops.stack import as_dtype
from xform.ops.structure import pad, reshape

__all__ = ["conv_general_dilated_local", "conv_general_dilated_patches"]


def conv_general_dilated_patches(
    lhs: ArrayLike,
    filter_shape: Sequence[int],
    window_strides: Sequence[int],
    padding: Padding,
    lhs_dilation: Sequence[int] | None = None,
    rhs_dilation: Sequence[int] | None = None,
    dimension_numbers: ConvGeneralDilatedDimensionNumbers = None,
    precision: Any = None,
    preferred_element_type: DTypeLike | None = None,
) -> Any:
    """The windows of `conv_general_dilated` as features: out[n, (c, k), t] = lhs'[n, c, stride t + rhs_dilation k].

    lhs' is lhs dilated and padded, as there. A window has the shape `filter_shape`, in the order of the kernel's
    spatial axes; in the features of the result it is flattened, behind the features c of lhs. The result is laid out
    as `dimension_numbers` say, and has the dtype of lhs, or the preferred one.

    Raises ValueError where shapes, sizes or the layout do not fit.

    >>> import numpy as np
    >>> conv_general_dilated_patches(np.arange(5.0).reshape(1, 1, 5), (3,), (2,), "VALID")
    array([[[0., 2.],
            [1., 3.],
            [2., 4.]]])
    """
    name = "conv_general_dilated_patches"
    x = operand(name, lhs)
    shape = integers(name, "filter_shape", filter_shape)
    numbers = conv_dimension_numbers(x.shape, (1, 1, *shape), dimension_numbers)
    x = permuted(x, numbers.lhs_spec)
    rank = len(shape)
    shape = sizes(name, "filter_shape", shape, rank)
    named = padding.upper() if isinstance(padding, str) else padding
    windows = correlation(x.shape[2:], shape, window_strides, named, lhs_dilation, rhs_dilation)
    for axis in reversed(range(rank)):  # axis t becomes the two axes k, t
        x = windows_along(x, 2 + axis, windows[axis], shape[axis])
    order = (0, 1, *range(2, 2 + 2 * rank, 2), *range(3, 3 + 2 * rank, 2))
    count = x.shape[1] * math.prod(shape)
    x = reshape(permuted(x, order), shape=(x.shape[0], count, *(w.size for w in windows)))
    return as_dtype(permuted(x, inverse(numbers.out_spec)), preferred_element_type)


def windows_along(x: Any, axis: int, window: Window, size: int) -> Any:
    """The entries of all windows of that size along an axis, in its place; the index of the window comes second."""
    n = x.shape[axis]
    place = window.offset + window.out * np.arange(window.size) - window.y * np.arange(size)[:, None]
    there = (place % window.x == 0) & (place >= 0) & (place < n * window.x)
    if not there.all():
        widened = (*x.shape[:axis], n + 1, *x.shape[axis + 1 :])
        x = pad(x, shape=widened, index=tuple((0, m, 1) for m in x.shape))
    return gather(x, np.where(there, place // window.x, n), axes=(axis,), at=axis)


def conv_general_dilated_local(
    lhs: ArrayLike,
    rhs: ArrayLike,
    window_strides: Sequence[int],
    padding: Padding,
    filter_shape: Sequence[int],
    lhs_dilation: Sequence[int] | None = None,
    rhs_dilation: Sequence[int] | None = None,
    dimension_numbers: ConvGeneralDilatedDimensionNumbers = None,
    precision: Any = None,
) -> Any:
    """A convolution with kernels for all places, out[n, o, t] = sum of patch[n, (c, k), t] rhs[o, (c, k), t].

    The patches are those of `conv_general_dilated_patches`. In the default layout rhs has shape (O, C * prod(filter
    shape), *space) where `space` is that of the result.

    Raises ValueError where shapes, sizes or the layout do not fit.

    >>> import numpy as np
    >>> x, w = np.ones((1, 1, 3)), np.array([[[1.0, 10.0], [2.0, 20.0]]])
    >>> conv_general_dilated_local(x, w, (1,), "VALID", (2,))
    array([[[ 3., 30.]]])
    """
    name = "conv_general_dilated_local"
    lhs, rhs = operand(name, lhs), operand(name, rhs)
    numbers = conv_dimension_numbers(lhs.shape, rhs.shape, dimension_numbers)
    patches = permuted(
        conv_general_dilated_patches(lhs, filter_shape, window_strides, padding, lhs_dilation, rhs_dilation, numbers),
        numbers.out_spec,
    )
    rhs = permuted(rhs, numbers.rhs_spec)
    if rhs.shape[1:] != patches.shape[1:]:
        raise ValueError(
            f"{name}: a kernel of (out, in, *space) = {rhs.shape} was given; wanted (out, {patches.shape[1]}, "
            f"{', '.join(map(str, patches.shape[2:]))}): the entries of a window, and the space of the result"
        )
    space = tuple(range(2, len(rhs.shape)))
    out = dot_general(patches, rhs, (((1,), (1,)), (space, space)))
    rank = len(space)
    return permuted(permuted(out, (rank, rank + 1, *range(rank))), inverse(numbers.out_spec))
