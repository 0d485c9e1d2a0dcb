"""numpy.i0, the modified Bessel function that Kaiser's window is made of."""

from __future__ import annotations

from typing import Any

import numpy as np

from xform.numpy.dispatch import ArrayLike, as_dtype, asarray, implements
from xform.ops.bessel import bessel_i


@implements(np.i0)
def i0(x: ArrayLike) -> Any:
    """I_0(x) = 1 + (x/2)^2 / 1!^2 + (x/2)^4 / 2!^2 + ..., whose derivative is I_1(x).

    Raises TypeError for complex numbers.

    >>> import xform
    >>> xform.grad(i0)(1.0).round(12)
    np.float64(0.565159103992)
    """
    x = asarray(x)
    if x.dtype.kind == "c":
        raise TypeError(f"i0 not supported for complex values; {x.dtype} was given, which scipy.special.iv takes")
    return bessel_i(x if x.dtype.kind == "f" else as_dtype(x, np.float64), order=0)
