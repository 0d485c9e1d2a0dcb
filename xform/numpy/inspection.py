"""What NumPy can say of arrays by their shape and dtype alone, or shows of them: never a loss of a derivative."""

from __future__ import annotations

from typing import Any, SupportsIndex

import numpy as np
from numpy.typing import DTypeLike

from xform.core.aval import shape_of
from xform.core.trace import Tracer
from xform.numpy.axes import axis_tuple
from xform.numpy.dispatch import ArrayLike, asarray, implements


@implements(np.shape)
def shape(a: ArrayLike) -> tuple[int, ...]:
    """The sizes of the axes.

    >>> shape([[1, 2, 3]])
    (1, 3)
    """
    return shape_of(asarray(a))


@implements(np.ndim)
def ndim(a: ArrayLike) -> int:
    """The number of axes.

    >>> ndim([[1, 2, 3]])
    2
    """
    return len(shape_of(asarray(a)))


@implements(np.size)
def size(a: ArrayLike, axis: SupportsIndex | tuple[SupportsIndex, ...] | None = None) -> int:
    """The number of entries, or of those along axes.

    >>> size([[1, 2, 3]], axis=1)
    3
    """
    sizes = shape_of(asarray(a))
    count = 1
    for k in axis_tuple(axis, len(sizes)):
        count *= sizes[k]
    return count


def untraced(x: Any) -> Any:
    """The dtype of a traced array, which decides what NumPy says of the array; anything else is itself."""
    return x.dtype if isinstance(x, Tracer) else x


@implements(np.result_type)
def result_type(*arrays_and_dtypes: Any) -> np.dtype:
    """The dtype to which NumPy promotes arrays, Python's numbers and dtypes.

    >>> result_type(np.float32, 3.0)
    dtype('float32')
    """
    return np.result_type(*map(untraced, arrays_and_dtypes))


@implements(np.can_cast)
def can_cast(from_: Any, to: DTypeLike, casting: str = "safe") -> bool:
    """May a dtype, or the dtype of an array, be cast to another one?

    >>> can_cast(np.int64, np.float32)
    False
    """
    return np.can_cast(untraced(from_), to, casting)  # type: ignore[arg-type]


@implements(np.common_type)
def common_type(*arrays: Any) -> Any:
    """The inexact scalar type that holds the entries of all arrays.

    >>> common_type(np.zeros(2, np.float32), np.zeros(2, np.float64))
    <class 'numpy.float64'>
    """
    return np.common_type(*(np.zeros((), untraced(a)) if isinstance(a, Tracer) else a for a in arrays))


@implements(np.min_scalar_type)
def min_scalar_type(a: ArrayLike, /) -> np.dtype:
    """The dtype of a traced value, which need not be known."""
    return asarray(a).dtype


@implements(np.iscomplexobj)
def iscomplexobj(x: Any) -> bool:
    """Is the dtype complex?

    >>> iscomplexobj([1.0, 1j])
    True
    """
    return asarray(x).dtype.kind == "c"


@implements(np.isrealobj)
def isrealobj(x: Any) -> bool:
    """Is the dtype not complex?

    >>> isrealobj([1.0, 1j])
    False
    """
    return not iscomplexobj(x)


@implements(np.shares_memory)
def shares_memory(a: Any, b: Any, /, max_work: int = -1) -> bool:
    """No: what traced values are made of cannot be written into."""
    return False


@implements(np.may_share_memory)
def may_share_memory(a: Any, b: Any, /, max_work: int = 0) -> bool:
    """No: what traced values are made of cannot be written into."""
    return False


def shown(x: Any, show: Any, *args: Any, **kwargs: Any) -> str:
    """The entries as NumPy shows them where they are known, else the tracer."""
    value = x.concrete() if isinstance(x, Tracer) else x
    return repr(x) if value is None else show(np.asarray(value), *args, **kwargs)


@implements(np.array2string)
def array2string(a: Any, *args: Any, **kwargs: Any) -> str:
    """The entries as text where they are known, else shape, dtype and transformation."""
    return shown(a, np.array2string, *args, **kwargs)


@implements(np.array_repr)
def array_repr(
    arr: Any, max_line_width: int | None = None, precision: int | None = None, suppress_small: bool | None = None
) -> str:
    """The entries as an expression where they are known, else shape, dtype and transformation."""
    return shown(arr, np.array_repr, max_line_width, precision, suppress_small)


@implements(np.array_str)
def array_str(
    a: Any, max_line_width: int | None = None, precision: int | None = None, suppress_small: bool | None = None
) -> str:
    """The entries as text where they are known, else shape, dtype and transformation."""
    return shown(a, np.array_str, max_line_width, precision, suppress_small)
