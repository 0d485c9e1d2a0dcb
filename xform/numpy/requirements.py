"""NumPy's functions that ask something of an array: finite entries, a dtype, an order in memory."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from xform.core.trace import Tracer, concrete_or_raise
from xform.numpy.creation import asarray
from xform.numpy.dispatch import ArrayLike, implements


@implements(np.asarray_chkfinite)
def asarray_chkfinite(a: ArrayLike, dtype: DTypeLike | None = None, order: str | None = None) -> Any:
    """The argument as an array; ValueError if one of its entries, which must be known, is infinite or nan.

    >>> asarray_chkfinite([1, 2])
    array([1, 2])
    """
    x = asarray(a, dtype, order)
    if x.dtype.kind in "fc":
        remedy = "Check the values with xform.numpy.isfinite, and replace others by xform.numpy.where"
        if not np.isfinite(concrete_or_raise(x, "asarray_chkfinite", remedy)).all():
            raise ValueError("array must not contain infs or NaNs; numpy.isfinite says which entries are finite")
    return x


@implements(np.require)
def require(a: ArrayLike, dtype: DTypeLike | None = None, requirements: Any = None, *, like: Any = None) -> Any:
    """The argument as an array in a dtype, or a copy of it that lies in the required order in memory.

    Raises KeyError for a requirement that NumPy does not know, ValueError for two orders at once.

    >>> require([1, 2], float, "C")
    array([1., 2.])
    """
    np.require(np.empty(0), None, requirements)  # which checks the requirements
    letters = {str(r).upper()[:1] for r in requirements or ()}
    return asarray(a, dtype, "F" if "F" in letters else "C" if "C" in letters else None)


def isfortran(a: ArrayLike) -> bool:
    """Is the array one of columns in memory, and not of rows as well? Traced arrays are not.

    >>> isfortran(np.ones((2, 3), order="F"))
    True
    """
    return not isinstance(a, Tracer) and np.isfortran(a)  # type: ignore[arg-type]
