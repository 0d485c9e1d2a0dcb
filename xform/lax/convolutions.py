"""Convolutions of neural networks with any layout of their axes: permutations around `ops.convolutions`.

A layout is a triple (lhs, rhs, out) of strings as "NCHW", "OIHW", "NHWC", or a `ConvDimensionNumbers`. N is the batch,
C the features, I and O the input and output features of the kernel; the other letters are spatial axes, in the order
in which the kernel has them. Dtypes promote as in NumPy, where lax demands equal ones.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple, TypeAlias

from numpy.typing import DTypeLike

from xform.lax.contractions import accumulation_dtypes
from xform.lax.operands import inverse, operand, permuted, sizes
from xform.numpy.dispatch import ArrayLike
from xform.ops.convolution import convolutions as ops
from xform.ops.stack import as_dtype
from xform.ops.structure import slice_, transpose

__all__ = [
    "ConvDimensionNumbers",
    "ConvGeneralDilatedDimensionNumbers",
    "conv",
    "conv_dimension_numbers",
    "conv_general_dilated",
    "conv_transpose",
    "conv_with_general_padding",
    "padtype_to_pads",
]


class ConvDimensionNumbers(NamedTuple):
    """Where the axes of a convolution stand: of lhs and out (batch, features, *space), of rhs (out, in, *space)."""

    lhs_spec: Sequence[int]
    rhs_spec: Sequence[int]
    out_spec: Sequence[int]


ConvGeneralDilatedDimensionNumbers: TypeAlias = ConvDimensionNumbers | tuple[str, str, str] | None
Padding: TypeAlias = str | Sequence[tuple[int, int]]

PADDINGS = ("SAME", "SAME_LOWER", "VALID")


def conv_general_dilated(
    lhs: ArrayLike,
    rhs: ArrayLike,
    window_strides: Sequence[int],
    padding: Padding,
    lhs_dilation: Sequence[int] | None = None,
    rhs_dilation: Sequence[int] | None = None,
    dimension_numbers: ConvGeneralDilatedDimensionNumbers = None,
    feature_group_count: int = 1,
    batch_group_count: int = 1,
    precision: Any = None,
    preferred_element_type: DTypeLike | None = None,
) -> Any:
    """The convolution of neural networks (a correlation) with any number of spatial axes, in any layout.

    out[n, o, t] = sum over c, k of lhs'[n, c, stride t + rhs_dilation k] rhs[o, c, k], where lhs' is lhs with
    lhs_dilation - 1 zeros between neighbours, and then padded. In the default layout, ("NCHW", "OIHW", "NCHW") for two
    spatial axes, lhs has shape (N, C, *space), rhs (O, C / feature groups, *window) and the result (N / batch groups,
    O, *space').

    `padding` has a pair (before, behind) for each spatial axis, negative ones crop; or it is "VALID" (none), "SAME" (as
    much as makes the result's size that of lhs over the stride, rounded up, an odd one behind) or "SAME_LOWER" (an odd
    one before). With feature groups the g-th group of output features sees only the g-th group of input features, with
    batch groups only the g-th group of the batch. The result has the promoted dtype, or the preferred one.

    Raises ValueError where shapes, sizes, counts or the layout do not fit.

    >>> import numpy as np
    >>> x, w = np.ones((1, 8, 8, 3)), np.ones((3, 3, 3, 16))
    >>> conv_general_dilated(x, w, (2, 2), "SAME", dimension_numbers=("NHWC", "HWIO", "NHWC")).shape
    (1, 4, 4, 16)
    """
    name = "conv_general_dilated"
    lhs, rhs = operand(name, lhs), operand(name, rhs)
    numbers = conv_dimension_numbers(lhs.shape, rhs.shape, dimension_numbers)
    out_dtype = None
    if preferred_element_type is not None:
        out_dtype, wider = accumulation_dtypes(name, lhs.dtype, rhs.dtype, preferred_element_type)
        lhs, rhs = as_dtype(lhs, wider[0]), as_dtype(rhs, wider[1])
    out = ops.conv_general_dilated(
        permuted(lhs, numbers.lhs_spec),
        permuted(rhs, numbers.rhs_spec),
        window_strides,
        padding.upper() if isinstance(padding, str) else padding,
        lhs_dilation,
        rhs_dilation,
        feature_group_count,
        batch_group_count,
    )
    return as_dtype(permuted(out, inverse(numbers.out_spec)), out_dtype)


def conv(
    lhs: ArrayLike,
    rhs: ArrayLike,
    window_strides: Sequence[int],
    padding: str,
    precision: Any = None,
    preferred_element_type: DTypeLike | None = None,
) -> Any:
    """The convolution out[n, o, t] = sum over c, k of lhs[n, c, stride t + k] rhs[o, c, k], padded by name.

    lhs has shape (N, C, *space), rhs (O, C, *window); for other paddings, layouts, dilations and groups see
    `conv_general_dilated`, which also says what is raised.

    >>> import numpy as np
    >>> conv(np.arange(4.0).reshape(1, 1, 4), np.array([[[-1.0, 1.0]]]), (1,), "VALID")
    array([[[1., 1., 1.]]])
    """
    return conv_general_dilated(
        lhs, rhs, window_strides, padding, precision=precision, preferred_element_type=preferred_element_type
    )


def conv_with_general_padding(
    lhs: ArrayLike,
    rhs: ArrayLike,
    window_strides: Sequence[int],
    padding: Padding,
    lhs_dilation: Sequence[int] | None,
    rhs_dilation: Sequence[int] | None,
    precision: Any = None,
    preferred_element_type: DTypeLike | None = None,
) -> Any:
    """`conv_general_dilated` in the default layout and without groups.

    >>> import numpy as np
    >>> conv_with_general_padding(np.ones((1, 1, 5)), np.ones((1, 1, 2)), (1,), [(1, 0)], None, (2,))
    array([[[1., 2., 2., 2.]]])
    """
    return conv_general_dilated(
        lhs,
        rhs,
        window_strides,
        padding,
        lhs_dilation,
        rhs_dilation,
        precision=precision,
        preferred_element_type=preferred_element_type,
    )


def conv_transpose(
    lhs: ArrayLike,
    rhs: ArrayLike,
    strides: Sequence[int],
    padding: Padding,
    rhs_dilation: Sequence[int] | None = None,
    dimension_numbers: ConvGeneralDilatedDimensionNumbers = None,
    transpose_kernel: bool = False,
    precision: Any = None,
    preferred_element_type: DTypeLike | None = None,
    use_consistent_padding: bool = False,
) -> Any:
    """The convolution with a fractional stride 1/s: `conv_general_dilated` of lhs dilated by `strides`.

    With `transpose_kernel` the kernel is turned round and its features change places; with that the result is the
    transpose of the convolution that has this stride and padding, applied to lhs. "SAME" and "VALID" are the padding of
    that convolution, and with `use_consistent_padding` so are pairs (before, behind); without it, pairs are zeros
    around the dilated lhs. The default layout has the features last, ("NHWC", "HWIO", "NHWC") for two spatial axes.

    Raises ValueError as `conv_general_dilated`, and for other names of a padding.

    >>> import numpy as np
    >>> conv_transpose(np.ones((1, 3, 1)), np.ones((2, 1, 1)), (2,), "VALID")[0, :, 0]
    array([1., 1., 1., 1., 1., 1.])
    """
    name = "conv_transpose"
    lhs, rhs = operand(name, lhs), operand(name, rhs)
    if dimension_numbers is None:
        dimension_numbers = features_last(len(lhs.shape))
    numbers = conv_dimension_numbers(lhs.shape, rhs.shape, dimension_numbers)
    rank = len(lhs.shape) - 2
    strides = sizes(name, "strides", strides, rank)
    dilation = sizes(name, "rhs_dilation", rhs_dilation or (1,) * rank, rank)
    reaches = [ops.dilated(rhs.shape[k], d) for k, d in zip(numbers.rhs_spec[2:], dilation, strict=True)]
    if isinstance(padding, str) or use_consistent_padding:
        padding = [transposed_padding(*each) for each in zip(reaches, strides, forward(padding, rank), strict=True)]
    if transpose_kernel:
        rhs = turned(rhs, numbers.rhs_spec)
    return conv_general_dilated(
        lhs, rhs, (1,) * rank, padding, strides, dilation, numbers, preferred_element_type=preferred_element_type
    )


def features_last(rank: int) -> ConvDimensionNumbers:
    """The default layout of `conv_transpose`: (batch, *space, features) and (*space, in, out)."""
    space = range(1, rank - 1)
    return ConvDimensionNumbers((0, rank - 1, *space), (rank - 1, rank - 2, *range(rank - 2)), (0, rank - 1, *space))


def forward(padding: Any, rank: int) -> list[Any]:
    """The padding of the convolution that is transposed, for each spatial axis."""
    if isinstance(padding, str):
        if padding.upper() not in ("SAME", "VALID"):
            raise ValueError(
                f"conv_transpose: padding='{padding}' was given; wanted 'SAME', 'VALID' or a pair (before, behind) for "
                "each spatial axis"
            )
        return [padding.upper()] * rank
    return [sizes("conv_transpose", "padding", pair, 2, least=-(2**62)) for pair in padding]


def transposed_padding(reach: int, stride: int, padding: Any) -> tuple[int, int]:
    """The zeros around the dilated lhs by which its size becomes that of the operand of the transposed convolution.

    That convolution maps a size n, padded by (a, b), to floor((n + a + b - reach) / stride) + 1, and its transpose has
    reach - 1 - a and reach - 1 - b zeros. For "SAME" the size is n = stride m, for "VALID" the largest that gives m.
    """
    if padding == "SAME":
        total = reach + stride - 2
        before = reach - 1 if stride > reach - 1 else (total + 1) // 2
        return before, total - before
    if padding == "VALID":
        return reach - 1, stride - 1 + max(reach - stride, 0)
    return reach - 1 - padding[0], reach - 1 - padding[1]


def turned(rhs: Any, spec: Sequence[int]) -> Any:
    """The kernel with its spatial axes reversed, and with its input and output features exchanged."""
    space = set(spec[2:])
    rhs = slice_(rhs, index=tuple((n - 1, n, -1) if k in space else (0, n, 1) for k, n in enumerate(rhs.shape)))
    order = list(range(len(rhs.shape)))
    order[spec[0]], order[spec[1]] = spec[1], spec[0]
    return transpose(rhs, permutation=tuple(order))


def conv_dimension_numbers(
    lhs_shape: Sequence[int], rhs_shape: Sequence[int], dimension_numbers: ConvGeneralDilatedDimensionNumbers
) -> ConvDimensionNumbers:
    """A layout as three tuples of axes: (batch, features, *space), (out, in, *space), (batch, features, *space).

    None stands for ("NCHW...", "OIHW...", "NCHW..."). Raises ValueError for a layout that is none of these operands'.

    >>> conv_dimension_numbers((1, 8, 8, 3), (3, 3, 3, 16), ("NHWC", "HWIO", "NHWC"))
    ConvDimensionNumbers(lhs_spec=(0, 3, 1, 2), rhs_spec=(3, 2, 0, 1), out_spec=(0, 3, 1, 2))
    """
    rank = len(lhs_shape)
    if len(rhs_shape) != rank or rank < 2:
        raise ValueError(
            f"conv_general_dilated: operands of shapes {tuple(lhs_shape)} and {tuple(rhs_shape)} were given; wanted "
            "equally many axes, a batch, features and the same spatial ones"
        )
    if dimension_numbers is None:
        return ConvDimensionNumbers(*(tuple(range(rank)),) * 3)
    if isinstance(dimension_numbers, ConvDimensionNumbers):
        numbers = ConvDimensionNumbers(*(tuple(spec) for spec in dimension_numbers))
        if any(sorted(spec) != list(range(rank)) for spec in numbers):
            raise bad_layout(dimension_numbers, rank)
        return numbers
    if not isinstance(dimension_numbers, tuple | list) or len(dimension_numbers) != 3:
        raise bad_layout(dimension_numbers, rank)
    return read_layout(tuple(dimension_numbers), rank)


def read_layout(strings: tuple[Any, ...], rank: int) -> ConvDimensionNumbers:
    """A layout of three strings, one letter an axis."""
    lhs, rhs, out = strings
    for text, needed in ((lhs, "NC"), (rhs, "OI"), (out, "NC")):
        if not isinstance(text, str) or len(text) != rank or len(set(text)) < rank or not set(needed) <= set(text):
            raise bad_layout(strings, rank)
    space = [letter for letter in rhs if letter not in "OI"]
    if not set(lhs) - set("NC") == set(space) == set(out) - set("NC"):
        raise bad_layout(strings, rank)
    return ConvDimensionNumbers(
        *(
            tuple(map(text.index, (*ends, *space)))
            for text, ends in zip((lhs, rhs, out), ("NC", "OI", "NC"), strict=True)
        )
    )


def bad_layout(given: Any, rank: int) -> ValueError:
    return ValueError(
        f"conv_general_dilated: dimension_numbers={given!r:.120} was given for operands of {rank} axes; wanted three "
        f"strings of {rank} different letters, of which lhs and out have N (batch) and C (features), rhs O and I "
        "(output and input features), and all three the same letters for the spatial axes, as ('NHWC', 'HWIO', 'NHWC')"
    )


def padtype_to_pads(
    in_shape: Sequence[int], window_shape: Sequence[int], window_strides: Sequence[int], padding: str
) -> list[tuple[int, int]]:
    """The pairs (before, behind) that a named padding stands for, one for each axis.

    "VALID" is none. "SAME" makes n = ceil(size / stride) windows, with m = max(0, (n - 1) stride + window - size)
    zeros, floor(m / 2) of them before, the others behind; "SAME_LOWER" has an odd one before.

    Raises ValueError for another name, or for sequences of different lengths.

    >>> padtype_to_pads((5, 5), (2, 4), (1, 2), "SAME")
    [(0, 1), (1, 2)]
    """
    name = "padtype_to_pads"
    if not isinstance(padding, str) or padding.upper() not in PADDINGS:
        raise ValueError(f"{name}: padding={padding!r} was given; wanted one of {', '.join(map(repr, PADDINGS))}")
    rank = len(in_shape)
    extents = sizes(name, "in_shape", in_shape, rank, least=0)
    windows = sizes(name, "window_shape", window_shape, rank, least=0)
    strides = sizes(name, "window_strides", window_strides, rank)
    return ops.padding_pairs(padding.upper(), extents, windows, strides)
