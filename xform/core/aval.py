"""Abstract values: what is known of an array before its numbers are, its shape and its dtype."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

#: dtype of the tangents of integers and booleans: a vector space of dimension zero.
float0 = np.dtype([("float0", np.void, 0)])

_SHORT = {"float": "f", "int": "i", "uint": "u", "complex": "c"}
_WEAK = {bool: np.dtype(bool), int: np.dtype(np.int64), float: np.dtype(np.float64), complex: np.dtype(np.complex128)}


class Aval:
    """Shape and dtype of an array; of a Python scalar, which does not promote arrays (NEP 50), `weak` is the type."""

    __slots__ = ("dtype", "shape", "weak")

    def __init__(self, shape: tuple[int, ...], dtype: Any, weak: type | None = None) -> None:
        self.shape = shape if type(shape) is tuple else tuple(shape)
        self.dtype = np.dtype(dtype)
        self.weak = weak

    @property
    def ndim(self) -> int:
        return len(self.shape)

    @property
    def size(self) -> int:
        return math.prod(self.shape)

    def with_shape(self, shape: tuple[int, ...]) -> Aval:
        return Aval(tuple(shape), self.dtype)

    def with_dtype(self, dtype: Any) -> Aval:
        return Aval(self.shape, dtype)

    def tangent(self) -> Aval:
        """The aval of tangents and cotangents: the same for inexact dtypes, float0 for the others."""
        return self if is_inexact(self.dtype) else Aval(self.shape, float0)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Aval) and self.shape == other.shape and self.dtype == other.dtype

    def __hash__(self) -> int:
        return hash((self.shape, self.dtype))

    def __repr__(self) -> str:
        sizes = ("?" if n is None else str(n) for n in self.shape)  # ?: the unknown number of steps of a loop
        return f"{short_dtype(self.dtype)}[{','.join(sizes)}]"


#: what declares the shape and dtype of an array to come, under the name that it has in JAX
ShapeDtypeStruct = Aval

#: the avals of scalars, of which there are only so many
_SCALARS = {
    **{python: Aval((), dtype, python) for python, dtype in _WEAK.items()},
    **{t: Aval((), t) for t in (np.float64, np.float32, np.complex128, np.int64, np.bool_)},
}


#: subclasses of ndarray that would be misread as arrays, and what to do with them
_FOREIGN = {
    "MaskedArray": "pass x.filled(value), or x.data and a mask for numpy.where",
    "matrix": "pass numpy.asarray(x), and write @ for its product",
}


def short_dtype(dtype: np.dtype) -> str:
    """JAX's notation: f64, i32, bool, c128."""
    if dtype == float0:
        return "float0"
    kind = dtype.name.rstrip("0123456789")
    return _SHORT[kind] + dtype.name[len(kind) :] if kind in _SHORT else dtype.name


def is_inexact(dtype: np.dtype) -> bool:
    """Is it a dtype with derivatives, real or complex?"""
    return dtype.kind in "fc"


def aval_of(x: Any) -> Aval:
    """The aval of an array, a NumPy or Python scalar, or a tracer; TypeError for anything else."""
    kind = type(x)
    if kind in _SCALARS:
        return _SCALARS[kind]
    if kind is np.ndarray and x.dtype.kind in "fciub":
        return Aval(x.shape, x.dtype)
    aval = x if isinstance(x, Aval) else getattr(x, "aval", None)
    if isinstance(aval, Aval):
        return aval
    if isinstance(x, np.ndarray | np.generic) and x.dtype.kind in "fciub" and foreign_kind(kind) is None:
        return Aval(x.shape, x.dtype)
    if isinstance(x, np.ndarray | np.generic) and x.dtype == float0:
        return Aval(x.shape, float0)
    raise TypeError(not_an_array(x))


def shape_of(x: Any) -> tuple[int, ...]:
    """The shape of an array, tracer, NumPy or Python scalar."""
    return getattr(x, "shape", ())


def foreign_kind(kind: type) -> str | None:
    """Which subclass of ndarray it is whose operations mean something else than those of arrays."""
    return next((c.__name__ for c in kind.__mro__ if c.__name__ in _FOREIGN), None)


def not_an_array(x: Any) -> str:
    """What is wrong with a value that should have been a numeric array."""
    foreign = foreign_kind(type(x))
    if foreign and isinstance(x, np.ndarray):
        return f"a {foreign} was given; wanted a plain array: {_FOREIGN[foreign]}"
    if isinstance(x, np.ndarray | np.generic):
        return f"an array of dtype {x.dtype} was given; wanted numbers (bool, int, float or complex)"
    return (
        f"{type(x).__name__} {x!r:.60} was given; wanted an array or a number. "
        "Close over values that are not numbers, or select the arguments to transform with argnums"
    )
