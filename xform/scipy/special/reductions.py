"""Sums of exponentials along axes: logsumexp, softmax, log_softmax."""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.special as sp

from xform.numpy.dispatch import ArrayLike, asarray, broadcast_arrays, implements
from xform.ops.identity import stop_gradient
from xform.ops.select import select
from xform.scipy.special.functions import floating


def greatest(a: Any, axis: Any) -> Any:
    """The largest entry along the axes, which are kept, as a constant; 0 where it is infinite."""
    m = stop_gradient(np.max(real_part(a), axis=axis, keepdims=True, initial=-np.inf))
    return select(np.isfinite(m), m, 0.0)


def real_part(a: Any) -> Any:
    return np.real(a) if a.dtype.kind == "c" else a


@implements(sp.logsumexp)
def logsumexp(
    a: ArrayLike, axis: Any = None, b: ArrayLike | None = None, keepdims: bool = False, return_sign: bool = False
) -> Any:
    """log sum_i b_i e^{a_i} along an axis, several, or all; with `return_sign` (log |sum|, the sum's sign).

    A negative sum of real numbers gives nan without `return_sign`. Entries of -inf, and those with b = 0, do not
    count, and a sum of nothing is -inf, with derivative zero.

    >>> import xform
    >>> xform.grad(logsumexp)(np.array([0.0, 0.0, -np.inf]))
    array([0.5, 0.5, 0. ])
    """
    a, weights = floating(a), None
    if b is not None:
        a, weights = broadcast_arrays(a, asarray(b))
        a = select(np.equal(weights, 0), -np.inf, a)
    m = greatest(a, axis)
    terms = np.exp(a - m)
    total = np.sum(terms if weights is None else weights * terms, axis=axis, keepdims=keepdims)
    shift = m if keepdims else np.sum(m, axis=axis)
    with np.errstate(divide="ignore"):
        if return_sign:
            return np.log(np.abs(total)) + shift, np.sign(total)
        if total.dtype.kind != "c" and weights is not None:
            total = select(np.less(total, 0), np.nan, total)
        nothing = np.equal(total, 0)
        return select(nothing, -np.inf, np.log(select(nothing, 1.0, total))) + shift


@implements(sp.softmax)
def softmax(x: ArrayLike, axis: Any = None) -> Any:
    """e^{x_i} / sum_j e^{x_j} along an axis, several, or all.

    >>> import xform
    >>> xform.jacobian(softmax)(np.zeros(2))
    array([[ 0.25, -0.25],
           [-0.25,  0.25]])
    """
    x = floating(x)
    terms = np.exp(x - greatest(x, axis))
    return terms / np.sum(terms, axis=axis, keepdims=True)


@implements(sp.log_softmax)
def log_softmax(x: ArrayLike, axis: Any = None) -> Any:
    """log softmax(x) = x - log sum_j e^{x_j}, without underflow.

    >>> import xform
    >>> xform.grad(lambda x: log_softmax(x)[0])(np.zeros(2))
    array([ 0.5, -0.5])
    """
    x = floating(x)
    shifted = x - greatest(x, axis)
    return shifted - np.log(np.sum(np.exp(shifted), axis=axis, keepdims=True))
