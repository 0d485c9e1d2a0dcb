"""Convolution of any kind, as a sum of products whose spatial indices are tied by one equation per axis.

    out[o, t] = sum of x[i, u] * y[j, k] over the labels not in o and over all u, k with  a u + b k = c t + p

The labels i, j, o are those of `contract`; the spatial axes stand behind them. The coefficients (a, b, c, p) of an axis
make the convolution what it is: (1, 1, 1, 0) convolves, (1, -1, 1, 0) correlates; a stride is c, a dilation of the
input a, one of the kernel b, and p is minus the number of zeros before the input. Groups of features or of the batch
are labels. The equation treats the three arrays alike, so that, as in `contract`, the transposes are convolutions:

    transpose in x     swap i and o,     c t - b k = a u - p
    transpose in y     swap j and o,    -a u + c t = b k - p
    batch              a new label in front of the batched operands and of the result
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from xform.core.aval import Aval
from xform.core.primitive import Linear as Unknown
from xform.ops.contraction.contract import batch_spec, bilinear, cast
from xform.ops.contraction.labels import Spec, groups, label_sizes, show
from xform.ops.convolution.convolve_kernels import Windows, evaluate
from xform.ops.family import Multilinear


class Convolve(Multilinear):
    """out[o, t] = sum of x[i, u] * y[j, k] where a u + b k = c t + p; spec = (i, j, o), a window per spatial axis."""

    def abstract(self, x: Aval, y: Aval, *, spec: Spec, windows: Windows) -> list[Aval]:
        groups(spec)
        return [Aval(result_shape(spec, windows, x.shape, y.shape), np.result_type(x.dtype, y.dtype))]

    def numpy(self, x: Any, y: Any, *, spec: Spec, windows: Windows) -> list[Any]:
        shape = result_shape(spec, windows, x.shape, y.shape)
        return [evaluate(x, y, spec, windows, shape)]

    def transpose(self, cotangents: Any, x: Any, y: Any, *, spec: Spec, windows: Windows) -> list[Any]:
        (bar,), (i, j, o) = cotangents, spec
        if type(x) is not Unknown:
            turned = tuple(w.in_y(n) for w, n in zip(windows, y.shape[len(j) :], strict=True))
            return [None, cast(self(x, bar, spec=(i, o, j), windows=turned), y.aval)]
        if type(y) is Unknown:
            raise bilinear(self, "a convolution")
        turned = tuple(w.in_x(n) for w, n in zip(windows, x.shape[len(i) :], strict=True))
        return [cast(self(bar, y, spec=(o, j, i), windows=turned), x.aval), None]

    def batch(self, size: int, args: Any, batched: Any, *, spec: Spec, windows: Windows) -> list[Any]:
        return self.bind(*args, spec=batch_spec(spec, batched), windows=windows)


convolve = Convolve("convolve")


def result_shape(spec: Spec, windows: Windows, s: Sequence[int], t: Sequence[int]) -> tuple[int, ...]:
    """The shape of the result for operands of shapes s and t; ValueError if they do not fit."""
    i, j, o = spec
    for w in windows:
        if 0 in w[:3] or w.size < 0:
            raise ValueError(f"convolve {show(spec)}: {w} was given; wanted coefficients that are not 0, and a size")
    for position, labels, shape in (("first", i, s), ("second", j, t)):
        if len(shape) != len(labels) + len(windows):
            raise ValueError(
                f"convolve {show(spec)}: the {position} operand has shape {tuple(shape)}; wanted {len(labels)} axes "
                f"for its labels '{labels}' and {len(windows)} spatial ones, one for each window"
            )
    size = label_sizes(spec, s[: len(i)], t[: len(j)], name="convolve")
    return (*(size[k] for k in o), *(w.size for w in windows))
