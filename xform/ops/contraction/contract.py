"""Sums of products of two arrays, their axes named by labels as in einsum.

    out[o] = sum over the labels not in o of x[i] * y[j],          spec = (i, j, o)

A label stands at most once in each of i, j and o, and in at least two of them. So the three arrays play the same part:

    transpose in x     swap i and o                 x_bar[i] = sum out_bar[o] * y[j]
    transpose in y     swap j and o                 y_bar[j] = sum x[i] * out_bar[o]
    batch              a new label in front of the batched operands and of the result
"""

from __future__ import annotations

from typing import Any

import numpy as np

from xform.core.aval import Aval
from xform.core.errors import NonlinearError
from xform.core.primitive import Linear as Unknown
from xform.core.primitive import Primitive
from xform.ops.contraction.contract_kernels import kernels
from xform.ops.contraction.labels import Spec, fresh_label, groups, label_sizes
from xform.ops.family import Multilinear
from xform.ops.structure import convert


class Contract(Multilinear):
    """out[o] = sum of x[i] * y[j] over the labels not in o, where spec = (i, j, o); dtypes promote as in NumPy."""

    def abstract(self, x: Aval, y: Aval, *, spec: Spec) -> list[Aval]:
        groups(spec)
        size = label_sizes(spec, x.shape, y.shape)
        return [Aval(tuple(size[k] for k in spec[2]), np.result_type(x.dtype, y.dtype))]

    def numpy(self, x: Any, y: Any, *, spec: Spec) -> list[Any]:
        try:
            return [kernels[spec](x, y)]
        except ValueError:
            label_sizes(spec, x.shape, y.shape)
            raise

    def transpose(self, cotangents: Any, x: Any, y: Any, *, spec: Spec) -> list[Any]:
        (bar,), (i, j, o) = cotangents, spec
        if type(x) is not Unknown:
            return [None, cast(self(x, bar, spec=(i, o, j)), y.aval)]
        if type(y) is Unknown:
            raise bilinear(self, "a matrix product, dot or einsum")
        return [cast(self(bar, y, spec=(o, j, i)), x.aval), None]

    def batch(self, size: int, args: Any, batched: Any, *, spec: Spec) -> list[Any]:
        return self.bind(*args, spec=batch_spec(spec, batched))


contract = Contract("contract")


def cast(bar: Any, aval: Aval) -> Any:
    """A cotangent in the dtype of the operand that it belongs to, which promotion may have changed."""
    return bar if bar.dtype == aval.dtype else convert(bar, dtype=aval.dtype)


def batch_spec(spec: Spec, batched: Any) -> Spec:
    """The spec with a new label in front of the batched operands and of the result."""
    i, j, o = spec
    new = fresh_label(i, j, o)
    return new * batched[0] + i, new * batched[1] + j, new + o


def bilinear(prim: Primitive, what: str) -> NonlinearError:
    """The error for a product of two unknowns in a program that is to be transposed."""
    return NonlinearError(
        f"'{prim.name}' ({what}) of two unknowns is bilinear, not linear; "
        "linear_transpose wants a linear function (differentiate other functions with vjp)"
    )
