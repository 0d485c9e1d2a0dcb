"""Convolutions by the names that their users know, in terms of `convolve`.

conv_general_dilated is the convolution of neural networks, in the layout batch, features, space; convolve_vectors and
correlate_vectors are NumPy's convolve and correlate.
"""

from __future__ import annotations

from collections.abc import Sequence
from operator import index
from typing import Any

from xform.ops.contraction.einsum import as_array
from xform.ops.convolution.convolve import convolve
from xform.ops.convolution.convolve_kernels import Window
from xform.ops.linear_algebra.matrix import conj
from xform.ops.structure import reshape

Pairs = Sequence[tuple[int, int]]


def conv_general_dilated(
    lhs: Any,
    rhs: Any,
    window_strides: Sequence[int],
    padding: str | Pairs,
    lhs_dilation: Sequence[int] | None = None,
    rhs_dilation: Sequence[int] | None = None,
    feature_group_count: int = 1,
    batch_group_count: int = 1,
) -> Any:
    """The convolution of neural networks (a correlation), with any number of spatial axes.

    out[n, o, t] = sum over c, k of lhs'[n, c, stride t + rhs_dilation k] rhs[o, c, k], where lhs' is lhs with
    lhs_dilation - 1 zeros between neighbours, and then padded. lhs has shape (N, C, *space), rhs (O, C / groups,
    *window), the result (N / batch groups, O, *space'), in the promoted dtype. With feature groups, the g-th group of
    output features sees only the g-th group of input features; with batch groups, only the g-th group of the batch.

    `padding` has a pair (before, behind) for each spatial axis, negative ones crop; or it is "VALID" (none), "SAME" (as
    much as makes the result's size that of lhs over the stride, rounded up, an odd one behind) or "SAME_LOWER" (an odd
    one before). ValueError where shapes, sizes or counts do not fit.

    >>> import numpy as np
    >>> x, w = np.arange(5.0).reshape(1, 1, 5), np.array([[[1.0, 0.0, -1.0]]])
    >>> conv_general_dilated(x, w, (2,), [(1, 1)])
    array([[[-1., -2.,  3.]]])
    """
    lhs, rhs = as_array(lhs), as_array(rhs)
    s, t, count = lhs.shape, rhs.shape, feature_group_count * batch_group_count
    require_fit(s, t, feature_group_count, batch_group_count)
    windows = correlation(s[2:], t[2:], window_strides, padding, lhs_dilation, rhs_dilation)
    if count == 1:
        return convolve(lhs, rhs, spec=("nc", "oc", "no"), windows=windows)
    rhs = reshape(rhs, shape=(count, t[0] // count, *t[1:]))
    if batch_group_count > 1:
        lhs, i = reshape(lhs, shape=(count, s[0] // count, *s[1:])), "gnc"
    else:
        lhs, i = reshape(lhs, shape=(s[0], count, s[1] // count, *s[2:])), "ngc"
    out = convolve(lhs, rhs, spec=(i, "goc", "ngo"), windows=windows)
    return reshape(out, shape=(out.shape[0], t[0], *out.shape[3:]))


def require_fit(s: Sequence[int], t: Sequence[int], feature_groups: int, batch_groups: int) -> None:
    """ValueError unless operands of shapes s and t have the same spatial axes, and features that fit the groups."""
    given = f"conv_general_dilated: operands of shapes {tuple(s)} and {tuple(t)}"
    if len(s) != len(t) or len(s) < 2:
        raise ValueError(f"{given} were given; wanted (N, C, *space) and (O, C, *window) with equally many axes")
    if feature_groups < 1 or batch_groups < 1 or min(feature_groups, batch_groups) > 1:
        raise ValueError(
            f"{given} were given with feature_group_count={feature_groups} and batch_group_count={batch_groups}; "
            "wanted positive counts, at most one of them above 1"
        )
    if s[1] != t[1] * feature_groups:
        groups = f", times feature_group_count={feature_groups}," if feature_groups > 1 else ""
        raise ValueError(
            f"{given} do not fit: axis 1 of the first, its {s[1]} features, must equal axis 1 of the second{groups} "
            f"which is {t[1] * feature_groups}; lhs is (N, C, *space), rhs (O, C, *window)"
        )
    for name, count, what, n in (
        ("feature_group_count", feature_groups, "output features (axis 0 of the second)", t[0]),
        ("batch_group_count", batch_groups, "output features (axis 0 of the second)", t[0]),
        ("batch_group_count", batch_groups, "batch (axis 0 of the first)", s[0]),
    ):
        if n % count:
            raise ValueError(f"{given} do not fit: the {what}, of size {n}, must be divisible by {name}={count}")


def correlation(
    space: Sequence[int],
    window: Sequence[int],
    strides: Sequence[int],
    padding: str | Pairs,
    space_dilation: Sequence[int] | None,
    window_dilation: Sequence[int] | None,
) -> tuple[Window, ...]:
    """Per axis, a u - b k = c t - before: dilations a and b, stride c, and as many t as keep the window inside."""
    rank = len(space)
    c = positive("window_strides", strides, rank)
    a = positive("lhs_dilation", space_dilation or (1,) * rank, rank)
    b = positive("rhs_dilation", window_dilation or (1,) * rank, rank)
    if isinstance(padding, str) and padding != "VALID" and max(a, default=1) > 1:
        raise ValueError(
            f"conv_general_dilated: padding='{padding}' has no meaning for a dilated lhs (lhs_dilation={a}); "
            "give a pair (before, behind) for each spatial axis"
        )
    extents, reaches = [*map(dilated, space, a)], [*map(dilated, window, b)]
    pads = padding_pairs(padding, extents, reaches, c)
    rooms = [extent + sum(pair) - reach for extent, pair, reach in zip(extents, pads, reaches, strict=True)]
    return tuple(
        Window(a[n], -b[n], c[n], -pads[n][0], room // c[n] + 1 if room >= 0 else 0) for n, room in enumerate(rooms)
    )


def dilated(size: int, step: int) -> int:
    """The extent of an axis whose neighbours are `step` apart."""
    return (size - 1) * step + 1 if size else 0


def padding_pairs(
    padding: str | Pairs, extents: Sequence[int], reaches: Sequence[int], strides: Sequence[int]
) -> list[tuple[int, int]]:
    """The zeros before and behind each axis."""
    if not isinstance(padding, str):
        pairs = [tuple(map(index, pair)) for pair in padding]
        if len(pairs) != len(extents) or any(len(pair) != 2 for pair in pairs):
            raise ValueError(
                f"conv_general_dilated: padding={padding} was given for {len(extents)} spatial axes; "
                "wanted a pair (before, behind) for each of them"
            )
        return [(before, behind) for before, behind in pairs]
    if padding == "VALID":
        return [(0, 0)] * len(extents)
    if padding not in ("SAME", "SAME_LOWER"):
        raise ValueError(
            f"conv_general_dilated: padding='{padding}' was given; wanted 'SAME', 'SAME_LOWER', 'VALID' or a pair "
            "(before, behind) for each spatial axis"
        )
    totals = [max(0, (-(-n // c) - 1) * c + m - n) for n, m, c in zip(extents, reaches, strides, strict=True)]
    odd = 1 if padding == "SAME_LOWER" else 0
    return [((n + odd) // 2, n - (n + odd) // 2) for n in totals]


def positive(name: str, values: Sequence[int], rank: int) -> list[int]:
    """A positive integer for each spatial axis, or ValueError."""
    numbers = [index(n) for n in values]
    if len(numbers) != rank or any(n < 1 for n in numbers):
        raise ValueError(
            f"conv_general_dilated: {name}={values} was given for {rank} spatial axes; "
            "wanted a positive integer for each of them"
        )
    return numbers


def convolve_vectors(a: Any, v: Any, mode: str | None = "full") -> Any:
    """NumPy's convolve, out[t] = sum_k a[t - k] v[k], for the t of `mode`: "full", "same" or "valid"."""
    return of_vectors("convolve", as_array(a), as_array(v), mode, 1)


def correlate_vectors(a: Any, v: Any, mode: str | None = "valid") -> Any:
    """NumPy's correlate, out[t] = sum_k a[t + k] conj(v[k]), for the t of `mode`: "valid", "same" or "full"."""
    return of_vectors("correlate", as_array(a), conj(as_array(v)), mode, -1)


def of_vectors(name: str, a: Any, v: Any, mode: str | None, direction: int) -> Any:
    """u + k = t (direction 1) or u - k = t (-1), from the first t at which the vectors overlap as `mode` wants."""
    if len(a.shape) > 1 or len(v.shape) > 1 or 0 in (*a.shape, *v.shape):
        raise ValueError(
            f"{name}: operands of shapes {a.shape} and {v.shape} were given; wanted two vectors that are not empty"
        )
    a, v = (reshape(x, shape=(1,)) if x.shape == () else x for x in (a, v))
    m, n = a.shape[0], v.shape[0]
    short, long = min(m, n), max(m, n)
    # NumPy exchanges operands of which the first is the shorter, and then turns a correlation round.
    middle = short // 2 if direction == -1 and m < n else (short - 1) // 2
    trimmed = {"full": (0, m + n - 1), "same": (middle, long), "valid": (short - 1, long - short + 1)}
    if mode not in trimmed:
        raise ValueError(f"{name}: mode='{mode}' was given; wanted 'full', 'same' or 'valid'")
    skipped, size = trimmed[mode]
    first = skipped if direction == 1 else skipped - (n - 1)
    return convolve(a, v, spec=("", "", ""), windows=(Window(1, direction, 1, first, size),))
