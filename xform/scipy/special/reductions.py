"""Sums of exponentials along axes, with SciPy's signatures; `xform.nn` has them with a mask."""

from __future__ import annotations

from typing import Any

import scipy.special as sp

from xform.nn import sums
from xform.numpy.dispatch import ArrayLike, implements


@implements(sp.logsumexp)
def logsumexp(
    a: ArrayLike, axis: Any = None, b: ArrayLike | None = None, keepdims: bool = False, return_sign: bool = False
) -> Any:
    """log sum_i b_i e^{a_i} along an axis, several, or all; with `return_sign` (log |sum|, the sum's sign).

    A negative sum of real numbers gives nan without `return_sign`. Entries of -inf, and those with b = 0, do not
    count, and a sum of nothing is -inf, with derivative zero.

    >>> import numpy as np, xform
    >>> xform.grad(logsumexp)(np.array([0.0, 0.0, -np.inf]))
    array([0.5, 0.5, 0. ])
    """
    return sums.logsumexp(a, axis, b, keepdims, return_sign)


@implements(sp.softmax)
def softmax(x: ArrayLike, axis: Any = None) -> Any:
    """e^{x_i} / sum_j e^{x_j} along an axis, several, or all.

    >>> import numpy as np, xform
    >>> xform.jacobian(softmax)(np.zeros(2))
    array([[ 0.25, -0.25],
           [-0.25,  0.25]])
    """
    return sums.softmax(x, axis)


@implements(sp.log_softmax)
def log_softmax(x: ArrayLike, axis: Any = None) -> Any:
    """log softmax(x) = x - log sum_j e^{x_j}, without underflow.

    >>> import numpy as np, xform
    >>> xform.grad(lambda x: log_softmax(x)[0])(np.zeros(2))
    array([ 0.5, -0.5])
    """
    return sums.log_softmax(x, axis)
