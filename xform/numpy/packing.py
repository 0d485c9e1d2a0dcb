"""NumPy's packing of truth values into bits of bytes, and back. The results are integers: they have no derivative."""

from __future__ import annotations

from typing import Any

import numpy as np

from xform.numpy.axes import Axis, axis_index
from xform.numpy.dispatch import ArrayLike, as_dtype, asarray, implements
from xform.numpy.shaping import in_shape, moveaxis
from xform.ops.structure import pad, reduce_sum, slice_

BYTE = np.dtype(np.uint8)


@implements(np.packbits)
def packbits(a: ArrayLike, /, axis: Axis = None, bitorder: str = "big") -> Any:
    """Bytes whose bits say which of eight entries each along an axis (or of all entries) are not zero.

    The first of eight is the highest bit, with bitorder="little" the lowest; zeros fill up the last byte. Raises
    TypeError unless the entries are integers or booleans, ValueError for another bitorder.

    >>> import xform
    >>> xform.vmap(packbits)(np.array([[1, 0, 1], [0, 1, 1]]))
    array([[160],
           [ 96]], dtype=uint8)
    """
    x, places = asarray(a), weights(bitorder)
    if x.dtype.kind not in "biu":
        raise TypeError(f"Expected an input array of integer or boolean data type; {x.dtype} was given")
    x, k = with_axis(x, axis)
    bits = moveaxis(as_dtype(np.not_equal(x, 0), BYTE), k, -1)
    count = -(-bits.shape[-1] // 8)
    groups = in_shape(with_length(bits, 8 * count), (*bits.shape[:-1], count, 8))
    return moveaxis(reduce_sum(groups * places, axes=(groups.ndim - 1,)), -1, k)


@implements(np.unpackbits)
def unpackbits(a: ArrayLike, /, axis: Axis = None, count: int | None = None, bitorder: str = "big") -> Any:
    """The bits of bytes along an axis (or of all of them), eight for each, as integers 0 and 1.

    Of these the first `count`, followed by zeros if there are fewer; a negative count leaves out so many at the end.
    Raises TypeError unless the entries are of dtype uint8, ValueError for another bitorder or too negative a count.

    >>> import xform
    >>> xform.vmap(lambda x: unpackbits(x, count=4, bitorder="little"))(np.array([[5], [2]], np.uint8))
    array([[1, 0, 1, 0],
           [0, 1, 0, 0]], dtype=uint8)
    """
    x, places = asarray(a), weights(bitorder)
    if x.dtype != BYTE:
        raise TypeError(f"Expected an input array of unsigned byte data type; {x.dtype} was given")
    x, k = with_axis(x, axis)
    x = moveaxis(x, k, -1)
    total = 8 * x.shape[-1]
    bits = np.not_equal(np.bitwise_and(in_shape(x, (*x.shape, 1)), places), 0)
    bits = in_shape(as_dtype(bits, BYTE), (*x.shape[:-1], total))
    wanted = total if count is None else count if count >= 0 else total + count
    if wanted < 0:
        raise ValueError(f"-count larger than number of elements: count={count} of {total} bits")
    return moveaxis(with_length(bits, wanted), -1, k)


def weights(bitorder: str) -> np.ndarray:
    """What each of eight bits is worth."""
    if bitorder not in ("big", "little"):
        raise ValueError(f"'order' must be either 'little' or 'big'; bitorder={bitorder!r} was given")
    places = 1 << np.arange(8)
    return (places if bitorder == "little" else places[::-1]).astype(BYTE)


def with_axis(x: Any, axis: Axis) -> tuple[Any, int]:
    """The array and its axis; without one the entries of all axes stand in one. A number passes for a vector."""
    if axis is None or not x.shape:
        x = in_shape(x, (x.size,))
    return x, 0 if axis is None else axis_index(axis, x.ndim)


def with_length(x: Any, n: int) -> Any:
    """The first n entries along the last axis, followed by zeros if there are fewer."""
    given = x.shape[-1]
    region = (*((0, m, 1) for m in x.shape[:-1]), (0, min(n, given), 1))
    return pad(x, shape=(*x.shape[:-1], n), index=region) if n > given else slice_(x, index=region)
