"""Scaled dot-product attention."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from xform.nn.sums import logsumexp, softmax
from xform.numpy.dispatch import ArrayLike, as_dtype, asarray
from xform.ops.select import select
from xform.ops.structure import broadcast_to

__all__ = ["dot_product_attention"]


def dot_product_attention(
    query: ArrayLike,
    key: ArrayLike,
    value: ArrayLike,
    bias: ArrayLike | None = None,
    mask: ArrayLike | None = None,
    *,
    scale: ArrayLike | None = None,
    is_causal: bool = False,
    query_seq_lengths: ArrayLike | None = None,
    key_value_seq_lengths: ArrayLike | None = None,
    local_window_size: int | tuple[int, int] | None = None,
    implementation: str | None = None,
    return_residual: bool = False,
) -> Any:
    """softmax(scale Q K^T + bias) V for each head (Vaswani et al., "Attention is all you need", NeurIPS 2017).

    `query` has the shape (batch, T, heads, size) or (T, heads, size), `key` and `value` (batch, S, groups, size), where
    each group of keys serves as many consecutive heads. `bias` and the booleans `mask` (true: takes part) broadcast to
    (batch, heads, T, S). `scale` is 1 / sqrt(size) by default. Masked as well are: with `is_causal` the later entries;
    those beyond the lengths, vectors of integers with an entry per batch; those farther than `local_window_size`
    entries before and behind. Queries beyond their length give zeros, those that see nothing the mean of the values.
    With `return_residual` also the logarithms of the sums of the exponentials, (batch, T, heads).

    Raises ValueError for shapes that do not fit, TypeError for a mask that is not boolean.

    >>> q = np.array([[[1.0]], [[2.0]]])
    >>> dot_product_attention(q, q, q, is_causal=True)[:, 0, 0].round(4)
    array([1.    , 1.8808])
    """
    if implementation not in (None, "xla"):
        raise ValueError(f"dot_product_attention: implementation={implementation!r} was given; there is one, None")
    query = asarray(query)
    q, k, v = (with_batch(name, x) for name, x in (("query", query), ("key", key), ("value", value)))
    check_shapes(q, k, v)
    (batch, rows, heads, size), (columns, groups) = q.shape, k.shape[1:3]
    scale = 1 / math.sqrt(max(size, 1)) if scale is None else scale
    logits = np.einsum("btgnh,bsgh->bgnts", q.reshape(batch, rows, groups, heads // groups, size), k) * scale
    logits = logits.reshape(batch, heads, rows, columns)
    if bias is not None:
        logits = as_dtype(logits + fitted("bias", bias, logits.shape), logits.dtype)
    seen = visible(logits.shape, mask, is_causal, local_window_size, query_seq_lengths, key_value_seq_lengths)
    if seen is not None:
        logits = select(seen, logits, -0.7 * float(np.finfo(logits.dtype).max))
    weights = softmax(logits).reshape(batch, groups, heads // groups, rows, columns)
    out = np.einsum("bgnts,bsgh->btgnh", weights, v).reshape(q.shape)
    if query_seq_lengths is not None:
        inside = within("query_seq_lengths", query_seq_lengths, batch, rows)
        out = select(inside[:, :, None, None], out, 0.0)
    if not return_residual:
        return out.reshape(query.shape)
    residual = np.moveaxis(logsumexp(logits, axis=-1), 1, 2)
    return out.reshape(query.shape), residual.reshape(query.shape[:-1])


def with_batch(name: str, x: Any) -> Any:
    """An array of four axes of floating-point numbers."""
    x = asarray(x)
    if x.ndim not in (3, 4):
        raise ValueError(f"dot_product_attention: {name} of shape {x.shape} was given, wanted three or four axes")
    return x if x.ndim == 4 else x[None]


def check_shapes(q: Any, k: Any, v: Any) -> None:
    same = q.shape[0] == k.shape[0] and q.shape[3] == k.shape[3] and k.shape == v.shape
    if not same or q.shape[2] % max(k.shape[2], 1) or not k.shape[2]:
        raise ValueError(
            f"dot_product_attention: query, key and value of shapes {q.shape}, {k.shape} and {v.shape} were given; "
            "wanted (batch, T, heads, size) and twice (batch, S, groups, size), with the heads a multiple of the groups"
        )


def fitted(name: str, x: Any, shape: tuple[int, ...]) -> Any:
    """What broadcasts to the shape of the logits, (batch, heads, T, S)."""
    x = asarray(x)
    try:
        common = np.broadcast_shapes(x.shape, shape)
    except ValueError:
        common = None
    if common != shape:
        raise ValueError(
            f"dot_product_attention: {name} of shape {x.shape} was given, wanted one that broadcasts to {shape}"
        )
    return broadcast_to(x, shape)


def visible(
    shape: tuple[int, ...], mask: Any, is_causal: bool, window: Any, query_lengths: Any, key_lengths: Any
) -> Any:
    """Which keys each query sees, or None for all."""
    batch, _, rows, columns = shape
    distance, parts = np.arange(rows)[:, None] - np.arange(columns), []
    if mask is not None:
        mask = fitted("mask", mask, shape)
        if mask.dtype.kind != "b":
            raise TypeError(f"dot_product_attention: a mask of dtype {mask.dtype} was given, wanted booleans; or bias=")
        parts.append(mask)
    if is_causal:
        parts.append(distance >= 0)
    if window is not None:
        before, behind = (window, window) if isinstance(window, int) else window
        parts.append((distance <= before) & (distance >= -behind))
    if query_lengths is not None:
        parts.append(within("query_seq_lengths", query_lengths, batch, rows)[:, None, :, None])
    if key_lengths is not None:
        parts.append(within("key_value_seq_lengths", key_lengths, batch, columns)[:, None, None, :])
    seen = None
    for part in parts:
        seen = part if seen is None else np.logical_and(seen, part)
    return seen


def within(name: str, lengths: Any, batch: int, size: int) -> Any:
    """Which of the places are within the lengths: booleans (batch, size)."""
    lengths = asarray(lengths)
    if lengths.shape != (batch,) or lengths.dtype.kind not in "iu":
        raise ValueError(
            f"dot_product_attention: {name} of {lengths.dtype} and shape {lengths.shape} was given, wanted integers "
            f"of shape {(batch,)}"
        )
    return np.less(np.arange(size), lengths[:, None])
