"""How NumPy computes a convolution a u + b k = c t + p: by matrix products of windows, in one of two ways.

    gather     |a| = 1     the matrix of all x[u(t, k)], copied block by block, times y                 (im2col)
    scatter    |c| = 1     for each k, x times y[k] is added to out[t(u, k)]                            (col2im)

Gathering y is gathering x with the roles of x and y exchanged. Neither multiplies by the zeros that a dilation would
put in. If no coefficient allows either, the zeros are put into x, and then |a| = 1.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from itertools import islice, product
from operator import mul
from typing import Any, NamedTuple

import numpy as np

from xform.ops.contraction.contract_kernels import kernels
from xform.ops.contraction.labels import LABELS, Spec, groups

#: Entries of the matrix of windows that are made at a time.
BLOCK = 1 << 20
#: What moving an entry in memory costs, in multiplications by BLAS.
MOVE = 8


class Window(NamedTuple):
    """x u + y k = out t + offset, for the indices u, k of the operands and t < size of the result in one axis."""

    x: int
    y: int
    out: int
    offset: int
    size: int

    def in_x(self, size: int) -> Window:
        """The same equation solved for u < size, the first operand being indexed by t."""
        return Window(self.out, -self.y, self.x, -self.offset, size).positive()

    def in_y(self, size: int) -> Window:
        """The same equation solved for k < size, the second operand being indexed by t."""
        return Window(-self.x, self.out, self.y, -self.offset, size).positive()

    def exchanged(self) -> Window:
        """The same equation with the operands exchanged."""
        return Window(self.y, self.x, self.out, self.offset, self.size)

    def positive(self) -> Window:
        """The same equation with a positive coefficient of the result."""
        return self if self.out > 0 else Window(-self.x, -self.y, -self.out, -self.offset, self.size)


Windows = tuple[Window, ...]
Shape = tuple[int, ...]


def evaluate(x: Any, y: Any, spec: Spec, windows: Windows, shape: Shape) -> Any:
    """The convolution, whose result has the given shape."""
    dtype = np.result_type(x.dtype, y.dtype)
    if not windows:
        return kernels[spec](x, y)
    if not (math.prod(x.shape) and math.prod(y.shape) and math.prod(shape)):
        return np.zeros(shape, dtype)
    x, y = x.astype(dtype, copy=False), y.astype(dtype, copy=False)
    if spec == ("", "", "") and len(windows) == 1 and is_unit(windows[0][:3]):
        return convolve_vectors(x, y, windows[0])
    return cheapest(x.shape, y.shape, spec, windows, shape)(x, y, spec, windows, shape)


def is_unit(coefficients: Iterable[int]) -> bool:
    return all(abs(c) == 1 for c in coefficients)


Way = Callable[[Any, Any, Spec, Windows, Shape], Any]


@lru_cache(maxsize=1024)
def cheapest(x_shape: Shape, y_shape: Shape, spec: Spec, windows: Windows, shape: Shape) -> Way:
    """The way with the fewest multiplications and entries moved, among those that the coefficients allow."""
    i, j, o = spec
    size = dict(zip(i + j, x_shape[: len(i)] + y_shape[: len(j)], strict=True))
    products = math.prod(size.values())
    u, k, t = math.prod(x_shape[len(i) :]), math.prod(y_shape[len(j) :]), math.prod(shape[len(o) :])

    def cost(pairs: int, moved: str, passes: int) -> int:
        """Multiplications for that many pairs of indices, and the entries of an array moved for each pair."""
        return pairs * (passes * products + MOVE * math.prod(size[label] for label in moved))

    ways: list[tuple[int, Way]] = []
    if is_unit(w.x for w in windows):
        ways.append((cost(t * k, i, 1), gather))
    if is_unit(w.y for w in windows):
        ways.append((cost(t * u, j, 1), gather_second))
    if is_unit(w.out for w in windows):
        ways.append((cost(u * k, o, 2), scatter))  # smaller products, which run at half the speed
    return min(ways, key=lambda way: way[0])[1] if ways else gather_dilated


def gather(x: Any, y: Any, spec: Spec, windows: Windows, shape: Shape) -> Any:
    """A contraction of all windows of x, which is a view of x (padded), with y."""
    i, j, o = spec
    free = [label for label in LABELS if label not in i + j]
    t, k = "".join(free[: len(windows)]), "".join(free[len(windows) : 2 * len(windows)])
    view = window_view(x, windows, y.shape[len(j) :])
    if math.prod(y.shape[len(j) :]) == 1:
        return kernels[i + t, j, o + t](view[(..., *(0,) * len(k))], y[(..., *(0,) * len(k))])
    batch, inner, left, _ = groups(spec)
    summed, kept = inner + k, left + t
    t_is_longer = math.prod(shape[len(o) :]) >= math.prod(y.shape[len(j) :])
    order = batch + (summed + kept if t_is_longer else kept + summed)  # long runs of memory, which go last, copy faster
    view = view.transpose([(i + t + k).index(label) for label in order])
    return by_blocks(view, y, (order, j + k, o + t), shape, kept, summed)


def by_blocks(view: Any, y: Any, spec: Spec, shape: Shape, kept: str, summed: str) -> Any:
    """The contraction of a view that is too large to be copied at once, in parts along one axis.

    Parts along an axis of the result take all of y each time, parts along a summed axis add to all of the result: the
    smaller of the two is gone through repeatedly.
    """
    kernel, size = kernels[spec], dict(zip(spec[0], view.shape, strict=True))
    split = max(kept if y.size <= math.prod(shape) else summed, key=size.__getitem__)
    step = max(1, BLOCK * size[split] // view.size)
    if step >= size[split]:
        return kernel(np.ascontiguousarray(view), y)
    out = np.zeros(shape, y.dtype)
    for start in range(0, size[split], step):
        x_part, y_part, out_part = (along(labels, split, slice(start, start + step)) for labels in spec)
        out[out_part] += kernel(np.ascontiguousarray(view[x_part]), y[y_part])
    return out


def along(labels: str, label: str, part: slice) -> tuple[slice, ...]:
    """The index that takes a part of the axis of a label, if there is one."""
    return tuple(part if k == label else slice(None) for k in labels)


def window_view(x: Any, windows: Windows, k_shape: Sequence[int]) -> Any:
    """x with each spatial axis replaced by t, and the axes k behind: entry (t, k) is x[a (c t + p - b k)], |a| = 1."""
    lead = x.ndim - len(windows)
    t_steps, k_steps = [w.x * w.out for w in windows], [-w.x * w.y for w in windows]
    pads, first = [], []
    for w, n, count, t_step, k_step in zip(windows, x.shape[lead:], k_shape, t_steps, k_steps, strict=True):
        spans = t_step * (w.size - 1), k_step * (count - 1)
        start = w.x * w.offset
        low, high = start + sum(min(0, s) for s in spans), start + sum(max(0, s) for s in spans)
        pads.append(margins(low, high, n))
        first.append(start + pads[-1][0])
    x = np.ascontiguousarray(padded(x, pads))
    strides = x.strides[lead:]
    return np.ndarray(
        (*x.shape[:lead], *(w.size for w in windows), *k_shape),
        x.dtype,
        x,
        sum(n * s for n, s in zip(first, strides, strict=True)),
        (*x.strides[:lead], *map(mul, t_steps, strides), *map(mul, k_steps, strides)),
    )


def padded(x: Any, pads: Sequence[tuple[int, int]]) -> Any:
    """x with zeros before and behind the entries of its last axes."""
    if not any(map(any, pads)):
        return x
    lead = x.ndim - len(pads)
    sizes = [before + n + after for n, (before, after) in zip(x.shape[lead:], pads, strict=True)]
    out = np.zeros((*x.shape[:lead], *sizes), x.dtype)
    out[(..., *(slice(before, before + n) for n, (before, _) in zip(x.shape[lead:], pads, strict=True)))] = x
    return out


def gather_second(x: Any, y: Any, spec: Spec, windows: Windows, shape: Shape) -> Any:
    """The same with the operands exchanged."""
    i, j, o = spec
    return gather(y, x, (j, i, o), tuple(w.exchanged() for w in windows), shape)


def gather_dilated(x: Any, y: Any, spec: Spec, windows: Windows, shape: Shape) -> Any:
    """The same with x dilated by zeros, so that |a| = 1."""
    lead, steps = len(spec[0]), [abs(w.x) for w in windows]
    sizes = [(n - 1) * step + 1 for n, step in zip(x.shape[lead:], steps, strict=True)]
    dilated = np.zeros((*x.shape[:lead], *sizes), x.dtype)
    dilated[(..., *(slice(None, None, step) for step in steps))] = x
    return gather(dilated, y, spec, tuple(w._replace(x=1 if w.x > 0 else -1) for w in windows), shape)


def scatter(x: Any, y: Any, spec: Spec, windows: Windows, shape: Shape) -> Any:
    """For each k, the contraction of x with y[k] is added where it belongs: t = c (a u + b k - p), |c| = 1."""
    i, j, o = spec
    u = "".join(islice((label for label in LABELS if label not in i + j), len(windows)))
    out, kernel = np.zeros(shape, x.dtype), kernels[i + u, j, o + u]
    sizes = list(zip(windows, x.shape[len(i) :], strict=True))
    for k in product(*map(range, y.shape[len(j) :])):
        regions = [
            landing(w.out * (w.y * m - w.offset), w.out * w.x, n, w.size)
            for m, (w, n) in zip(k, sizes, strict=True)
        ]
        found = [region for region in regions if region is not None]
        if len(found) == len(regions):
            source, target = zip(*found, strict=True)
            out[(..., *target)] += kernel(x[(..., *source)], y[(..., *k)])
    return out


def landing(start: int, step: int, count: int, size: int) -> tuple[slice, slice] | None:
    """The u < count for which t = start + step u is in range(size), and these t; None if there are none."""
    nearest, farthest = (0, size - 1) if step > 0 else (size - 1, 0)
    first = max(0, -((start - nearest) // step))  # the quotient (nearest - start) / step, rounded up
    last = min(count - 1, (farthest - start) // step)
    if first > last:
        return None
    stop = start + step * last + (1 if step > 0 else -1)
    return slice(first, last + 1), slice(start + step * first, stop if stop >= 0 else None, step)


def convolve_vectors(x: Any, y: Any, w: Window) -> Any:
    """Vectors with coefficients 1 and -1: NumPy's own loop over scalar products, which needs no matrix of windows."""
    reach = w.size + len(y) - 1
    start = w.x * w.offset - (w.size - 1 if w.x * w.out < 0 else 0) - (len(y) - 1 if w.x * w.y > 0 else 0)
    before, after = margins(start, start + reach - 1, len(x))
    kernel = y if w.x * w.y > 0 else y[::-1]
    if (before or after) and not np.isfinite(y).all():
        z = convolve_without_padding(x, kernel, start, w.size)
    else:
        z = np.convolve(padded(x, [(before, after)])[start + before : start + before + reach], kernel, "valid")
    return z if w.x * w.out > 0 else z[::-1]


def convolve_without_padding(x: Any, y: Any, start: int, size: int) -> Any:
    """The scalar products of y with x[start:], x[start + 1:], ... without the terms 0 y[k], which nan would survive."""
    first, last = max(0, start), min(len(x), start + size + len(y) - 1)
    out = np.zeros(size, x.dtype)
    if first < last:
        full = np.convolve(x[first:last], y)
        shift = len(y) - 1 - (first - start)  # out[t] = full[t + shift]
        low, high = max(0, -shift), min(size, len(full) - shift)
        out[low:max(low, high)] = full[low + shift : max(low, high) + shift]
    return out


def margins(low: int, high: int, size: int) -> tuple[int, int]:
    """How many zeros before and behind an axis make the indices from low to high lie in it."""
    return max(0, -low), max(0, high - size + 1)
