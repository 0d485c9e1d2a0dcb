"""The methods and attributes of ndarray on tracers: mostly NumPy's functions, with the array in front.

What would write into the array, or hand out its entries as Python's numbers, is refused, with what to write instead.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from xform.core.errors import ConcretizationError, TracerAssignmentError
from xform.core.trace import NO_PARAMS, Tracer, is_constant
from xform.numpy import (
    arranging,
    cumulative,
    elementwise,
    extremes,
    gufuncs,
    ordering,
    products,
    reductions,
    statistics,
    taking,
    ufuncs,
)
from xform.numpy.creation import astype_of, copy
from xform.numpy.dispatch import IMPLEMENTATIONS, location
from xform.numpy.shaping import permuted
from xform.numpy.views import Result, linked
from xform.ops.complex import conjugate
from xform.ops.operators import operand

#: where the functions are defined that are methods here
_DEFINED = (
    *(arranging, cumulative, elementwise, extremes, gufuncs),
    *(ordering, products, reductions, statistics, taking, ufuncs),
)

#: methods that are functions of the same arguments
FUNCTIONS: dict[str, Any] = {
    **{f.__name__: f for f in (np.all, np.any, np.argmax, np.argmin, np.max, np.min, np.mean, np.prod, np.std, np.sum)},
    **{f.__name__: f for f in (np.argpartition, np.argsort, np.cumprod, np.cumsum, np.diagonal, np.dot)},
    **{f.__name__: f for f in (np.nonzero, np.ravel, np.repeat, np.round, np.searchsorted, np.squeeze, np.swapaxes)},
    **{f.__name__: f for f in (np.take, np.trace, np.var, np.choose)},
}

#: methods that change what an array is, and what to write instead
WRITERS = {
    "resize": "x = numpy.resize(x, shape)",
    "setfield": "x[...] = value",
    "byteswap": "x as it is: traced values have no byte order",
    "setflags": "x as it is: which traced values may be written into cannot be changed",
}

#: methods that hand out the entries
TAKERS = {
    "item": "x[()] or x.reshape(()) for a traced number; int(x) where the derivative is not wanted",
    "tolist": "list(x) for a list of traced values",
    "tobytes": "x as it is",
    "tofile": "the value as extra output (has_aux=True), and to the file outside",
    "dump": "the value as extra output (has_aux=True), and to the file outside",
    "dumps": "the value as extra output (has_aux=True), and to the file outside",
    "__dlpack__": "the value as extra output (has_aux=True), and exchange it outside",
    "view": "x.astype(dtype) to convert the numbers, x.real and x.imag for the parts of complex ones",
    "getfield": "x.real and x.imag for the parts of complex numbers",
}

#: attributes that say where the entries lie in memory
MEMORY = ("base", "ctypes", "data", "flags", "strides")


def refuse_writing(name: str, remedy: str) -> Callable[..., Any]:
    def refuse(self: Tracer, *args: Any, **kwargs: Any) -> Any:
        raise TracerAssignmentError(
            f"the method {name} cannot be used on a traced array of {self.aval} in {self._trace.origin}{location()}. "
            f"Write {remedy}"
        )

    refuse.__name__ = name
    return refuse


def refuse_taking(name: str, remedy: str) -> Callable[..., Any]:
    def refuse(self: Tracer, *args: Any, **kwargs: Any) -> Any:
        value = self.concrete()
        if (self.dtype.kind not in "fc" or is_constant(self)) and value is not None:
            return getattr(np.asarray(value), name)(*args, **kwargs)
        raise ConcretizationError(
            f"the method {name} would hand out the entries of a traced array of {self.aval} in {self._trace.origin}"
            f"{location()}, which would lose its derivative. Write {remedy}"
        )

    refuse.__name__ = name
    return refuse


def no_memory(name: str) -> property:
    def refuse(self: Tracer) -> Any:
        raise AttributeError(
            f"a traced array of {self.aval} in {self._trace.origin} has no place in memory, so no `{name}`{location()}"
        )

    return property(refuse)


# --- shape ---


def reshape(self: Tracer, *shape: Any, order: str = "C", copy: bool | None = None) -> Any:
    """x.reshape(2, 3), x.reshape((2, 3)), x.reshape(-1)."""
    if not shape:
        raise TypeError("reshape: no shape was given; wanted x.reshape(2, 3), x.reshape((2, 3)) or x.reshape(-1)")
    return IMPLEMENTATIONS[np.reshape](self, shape[0] if len(shape) == 1 else shape, order)


def transpose(self: Tracer, *axes: Any) -> Any:
    """x.transpose(), x.transpose(1, 0), x.transpose((1, 0))."""
    single = len(axes) == 1 and (axes[0] is None or isinstance(axes[0], list | tuple))
    return IMPLEMENTATIONS[np.transpose](self, axes[0] if single else axes or None)


def transposed(self: Tracer) -> Any:
    rank = len(self.shape)
    if rank < 2:
        return self
    y = permuted(self, (1, 0) if rank == 2 else tuple(range(rank))[::-1])
    return linked(y, self, Result, (np.transpose, IMPLEMENTATIONS[np.transpose], (self,), NO_PARAMS, None))


def matrix_transposed(self: Tracer) -> Any:
    return IMPLEMENTATIONS[np.matrix_transpose](self)


def compress(self: Tracer, condition: Any, axis: Any = None, out: None = None) -> Any:
    """x.compress(condition) is numpy.compress(condition, x)."""
    return IMPLEMENTATIONS[np.compress](condition, self, axis, out)


def clip(self: Tracer, min: Any = None, max: Any = None, out: None = None, **options: Any) -> Any:
    """x.clip(min, max), of which both may be missing."""
    return IMPLEMENTATIONS[np.clip](self, min, max, out, **options)


# --- dtype ---


def astype(
    self: Tracer, dtype: Any, order: str = "K", casting: Any = "unsafe", subok: bool = True, copy: bool = True
) -> Any:
    """In another dtype; integers and booleans have no derivative."""
    dtype = np.dtype(dtype)
    if not np.can_cast(self.dtype, dtype, casting):
        raise TypeError(
            f"Cannot cast array data from {self.dtype!r} to {dtype!r} according to the rule '{casting}'; "
            "leave out casting="
        )
    return copied(self) if copy and self.dtype == dtype else astype_of(self, dtype)


def conjugated(self: Tracer) -> Any:
    return conjugate(self) if self.dtype.kind == "c" else copy(self)


def copied(self: Tracer, *args: Any, **kwargs: Any) -> Any:
    """An array of the same value that shares nothing with it."""
    return copy(self)


def flatten(self: Tracer, order: str = "C") -> Any:
    """A copy of all entries as a vector."""
    return copy(IMPLEMENTATIONS[np.ravel](self, order))


def to_device(self: Tracer, device: str, /, *, stream: None = None) -> Any:
    if device != "cpu":
        raise ValueError(f"Unsupported device: {device!r}; wanted 'cpu', on which all arrays are")
    return self


def array_namespace(self: Tracer, *, api_version: Any = None) -> Any:
    """The module of the functions that take traced arrays, for programs written to the array API standard.

    Raises ValueError for a version of the standard that NumPy does not know.
    """
    import xform.numpy

    np.empty(0).__array_namespace__(api_version=api_version)
    return xform.numpy


# --- Python's protocols ---


def divmod_of(self: Tracer, other: Any) -> Any:
    other = operand(other)
    return NotImplemented if other is NotImplemented else DIVMOD(self, other)


def reflected_divmod(self: Tracer, other: Any) -> Any:
    other = operand(other)
    return NotImplemented if other is NotImplemented else DIVMOD(other, self)


def matmul(self: Tracer, other: Any) -> Any:
    other = operand(other)
    return NotImplemented if other is NotImplemented else MATMUL(self, other)


def reflected_matmul(self: Tracer, other: Any) -> Any:
    other = operand(other)
    return NotImplemented if other is NotImplemented else MATMUL(other, self)


def contains(self: Tracer, value: Any) -> bool:
    """value in x: is an entry equal to it?"""
    return bool(IMPLEMENTATIONS[np.any](self == value))


def formatted(self: Tracer, spec: str) -> str:
    """f"{x:.3f}" shows a known number in that format, anything else as a tracer."""
    value = self.concrete()
    return str(self) if value is None or not spec else format(np.asarray(value)[()], spec)


def refuse_pickling(self: Tracer, protocol: Any = None) -> Any:
    raise ConcretizationError(
        f"a traced array of {self.aval} in {self._trace.origin} was to be pickled{location()} (to be stored, or sent "
        "to another process), where its transformation does not run. Return it from the transformed function, as extra "
        "output with has_aux=True, and pickle it outside"
    )


DIVMOD, MATMUL = IMPLEMENTATIONS[np.divmod], IMPLEMENTATIONS[np.matmul]

for _name, _function in FUNCTIONS.items():
    setattr(Tracer, _name, IMPLEMENTATIONS[_function])
for _name, _remedy in WRITERS.items():
    setattr(Tracer, _name, refuse_writing(_name, _remedy))
for _name, _remedy in TAKERS.items():
    setattr(Tracer, _name, refuse_taking(_name, _remedy))
for _name in MEMORY:
    setattr(Tracer, _name, no_memory(_name))
for _name, _method in {
    "reshape": reshape,
    "transpose": transpose,
    "clip": clip,
    "compress": compress,
    "astype": astype,
    "conj": conjugated,
    "conjugate": conjugated,
    "copy": copied,
    "flatten": flatten,
    "to_device": to_device,
    "__array_namespace__": array_namespace,
    "__dlpack_device__": lambda self: np.empty(0).__dlpack_device__(),
    "__copy__": copied,
    "__deepcopy__": copied,
    "__reduce_ex__": refuse_pickling,
    "__divmod__": divmod_of,
    "__rdivmod__": reflected_divmod,
    "__matmul__": matmul,
    "__rmatmul__": reflected_matmul,
    "__contains__": contains,
    "__format__": formatted,
    "T": property(transposed),
    "mT": property(matrix_transposed),
    "itemsize": property(lambda self: self.dtype.itemsize),
    "nbytes": property(lambda self: self.size * self.dtype.itemsize),
    "device": property(lambda self: "cpu"),
}.items():
    setattr(Tracer, _name, _method)
