"""The shapes of what convolutions return, found from the shapes of their operands."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from xform.lax.convolutions import (
    ConvGeneralDilatedDimensionNumbers,
    Padding,
    bad_layout,
    conv_dimension_numbers,
    forward,
    read_layout,
    transposed_padding,
)
from xform.lax.dimensions import sizes
from xform.lax.operands import inverse
from xform.lax.operands import sizes as one_for_each
from xform.ops.convolution.convolutions import correlation

__all__ = [
    "conv_general_permutations",
    "conv_general_shape_tuple",
    "conv_shape_tuple",
    "conv_transpose_shape_tuple",
]

Permutations = tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]]


def conv_general_permutations(dimension_numbers: Sequence[str]) -> Permutations:
    """The axes (batch, features, *space) of lhs, (out, in, *space) of rhs, and (batch, features, *space) of the result.

    Raises ValueError for what is no layout, three strings as ("NHWC", "HWIO", "NHWC").

    >>> conv_general_permutations(("NHWC", "HWIO", "NHWC"))
    ((0, 3, 1, 2), (3, 2, 0, 1), (0, 3, 1, 2))
    """
    if not isinstance(dimension_numbers, tuple | list) or len(dimension_numbers) != 3:
        raise bad_layout(dimension_numbers, 2)
    first = dimension_numbers[0]
    numbers = read_layout(tuple(dimension_numbers), len(first) if isinstance(first, str) else 2)
    return tuple(numbers.lhs_spec), tuple(numbers.rhs_spec), tuple(numbers.out_spec)


def conv_shape_tuple(
    lhs_shape: Sequence[int],
    rhs_shape: Sequence[int],
    strides: Sequence[int],
    pads: Padding,
    batch_group_count: int = 1,
) -> tuple[int, ...]:
    """The shape of `conv` of operands (N, C, *space) and (O, C, *window): (N / batch groups, O, *space').

    Raises ValueError where ranks, sizes or the number of groups do not fit.

    >>> conv_shape_tuple((2, 3, 9), (4, 3, 3), (2,), [(1, 1)])
    (2, 4, 5)
    """
    s, t = read_shapes("conv_shape_tuple", lhs_shape, rhs_shape)
    if batch_group_count < 1 or s[0] % batch_group_count:
        raise ValueError(
            f"conv_shape_tuple: batch_group_count={batch_group_count} was given for a batch of {s[0]}; wanted a divisor"
        )
    conv_dimension_numbers(s, t, None)
    named = pads.upper() if isinstance(pads, str) else pads
    windows = correlation(s[2:], t[2:], strides, named, None, None)
    return (s[0] // batch_group_count, t[0], *(w.size for w in windows))


def conv_general_shape_tuple(
    lhs_shape: Sequence[int],
    rhs_shape: Sequence[int],
    window_strides: Sequence[int],
    padding: Padding,
    dimension_numbers: ConvGeneralDilatedDimensionNumbers,
) -> tuple[int, ...]:
    """The shape of `conv_general_dilated` of operands of these shapes, in their layout, without dilations and groups.

    Raises ValueError where ranks, sizes or the layout do not fit.

    >>> conv_general_shape_tuple((1, 8, 8, 3), (3, 3, 3, 16), (2, 2), "SAME", ("NHWC", "HWIO", "NHWC"))
    (1, 4, 4, 16)
    """
    s, t = read_shapes("conv_general_shape_tuple", lhs_shape, rhs_shape)
    numbers = conv_dimension_numbers(s, t, dimension_numbers)
    out = conv_shape_tuple(reordered(s, numbers.lhs_spec), reordered(t, numbers.rhs_spec), window_strides, padding)
    return reordered(out, inverse(numbers.out_spec))


def conv_transpose_shape_tuple(
    lhs_shape: Sequence[int],
    rhs_shape: Sequence[int],
    window_strides: Sequence[int],
    padding: Padding,
    dimension_numbers: ConvGeneralDilatedDimensionNumbers,
) -> tuple[int, ...]:
    """The shape of `conv_transpose` of operands of these shapes, in their layout.

    Raises ValueError where ranks, sizes or the layout do not fit.

    >>> conv_transpose_shape_tuple((1, 4, 3), (3, 3, 5), (2,), "SAME", ("NWC", "WIO", "NWC"))
    (1, 8, 5)
    """
    name = "conv_transpose_shape_tuple"
    s, t = read_shapes(name, lhs_shape, rhs_shape)
    numbers = conv_dimension_numbers(s, t, dimension_numbers)
    s, t = reordered(s, numbers.lhs_spec), reordered(t, numbers.rhs_spec)
    rank = len(s) - 2
    strides = one_for_each(name, "window_strides", window_strides, rank)
    if isinstance(padding, str):
        padding = [transposed_padding(*each) for each in zip(t[2:], strides, forward(padding, rank), strict=True)]
    windows = correlation(s[2:], t[2:], (1,) * rank, padding, strides, None)
    return reordered((s[0], t[0], *(w.size for w in windows)), inverse(numbers.out_spec))


def read_shapes(name: str, lhs: Any, rhs: Any) -> tuple[tuple[int, ...], tuple[int, ...]]:
    return sizes(name, "lhs_shape", lhs), sizes(name, "rhs_shape", rhs)


def reordered(shape: Sequence[int], order: Sequence[int]) -> tuple[int, ...]:
    return tuple(shape[k] for k in order)
