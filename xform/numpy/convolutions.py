"""NumPy's convolution and correlation of two vectors."""

from __future__ import annotations

from typing import Any

import numpy as np

from xform.numpy.dispatch import ArrayLike, asarray, implements
from xform.ops.convolution.convolutions import convolve_vectors, correlate_vectors

#: the modes by NumPy's former numbers
MODES = {0: "valid", 1: "same", 2: "full"}


@implements(np.convolve)
def convolve(a: ArrayLike, v: ArrayLike, mode: Any = "full") -> Any:
    """The convolution sum_k a[t - k] v[k] of two vectors, for all t at which they overlap.

    With mode="same" as many in the middle as the longer vector has entries, with "valid" only those t at which all of
    the shorter one takes part. Raises ValueError for an empty vector, and for matrices.

    >>> import xform
    >>> xform.grad(lambda a: convolve(a, [1.0, 2.0]).sum())(np.array([3.0, 4.0]))
    array([3., 3.])
    """
    return convolve_vectors(asarray(a), asarray(v), MODES.get(mode, mode))


@implements(np.correlate)
def correlate(a: ArrayLike, v: ArrayLike, mode: Any = "valid") -> Any:
    """The correlation sum_k a[t + k] conj(v[k]) of two vectors; `mode` and errors are those of `convolve`.

    >>> correlate([1.0, 2.0, 3.0], [0.0, 1.0])
    array([2., 3.])
    """
    return correlate_vectors(asarray(a), asarray(v), MODES.get(mode, mode))
