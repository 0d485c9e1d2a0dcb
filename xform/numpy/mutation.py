"""NumPy's functions and methods that write into an array, on traced arrays: all come down to `assignment`.

x += v, numpy.add(a, b, out=x), numpy.add.at        copyto, put, place, putmask, fill_diagonal, put_along_axis
x.fill, x.sort, x.partition, x.put                  x.real = v, x.imag = v, x.flat = v
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from xform.core.aval import aval_of
from xform.core.errors import ConcretizationError
from xform.core.trace import Tracer, alias, concrete, concrete_or_raise
from xform.numpy.assignment import check_writable, converted, replace, setitem
from xform.numpy.axes import axis_index
from xform.numpy.creation import astype_of
from xform.numpy.dispatch import IMPLEMENTATIONS, asarray, location
from xform.numpy.entries import Entries
from xform.numpy.index_plan import Plan, reshaped
from xform.numpy.indexing import getitem
from xform.numpy.ufuncs import are_constant
from xform.numpy.views import Root, View, is_number, memory_of, shadow_of
from xform.ops.operators import operand
from xform.ops.select import select
from xform.ops.structure import broadcast_to

# --- x += v ---

#: the augmented assignments and the ufuncs that they call
AUGMENTED: dict[str, np.ufunc] = {
    "add": np.add,
    "sub": np.subtract,
    "mul": np.multiply,
    "truediv": np.divide,
    "floordiv": np.floor_divide,
    "mod": np.remainder,
    "pow": np.power,
    "matmul": np.matmul,
    "and": np.bitwise_and,
    "or": np.bitwise_or,
    "xor": np.bitwise_xor,
    "lshift": np.left_shift,
    "rshift": np.right_shift,
}


def augmented(ufunc: np.ufunc, forward: Callable[[Tracer, Any], Any]) -> Callable[[Tracer, Any], Any]:
    """x += v in place. A number without axes is none: as for NumPy's scalars, the variable is bound to the sum."""

    def write(self: Tracer, other: Any) -> Any:
        if is_number(self):
            return forward(self, other)
        other = operand(other)
        if other is NotImplemented:
            return other
        check_writable(self)
        new = forward(self, other)
        write_result(ufunc.__name__, self, new, lambda: check_cast(ufunc, (self, other), self, "same_kind"))
        return self

    return write


def check_cast(ufunc: np.ufunc, inputs: Any, out: Tracer, casting: Any) -> None:
    """NumPy's error if the result of a ufunc cannot be written into an array of that dtype."""
    given = (aval_of(x).weak or aval_of(x).dtype for x in inputs)
    ufunc.resolve_dtypes((*given, out.dtype), casting=casting)


def write_result(name: str, out: Tracer, result: Any, refuse: Callable[[], Any]) -> None:
    """Write a result into the array that is given for it, whose shape it must fill and whose dtype hold it."""
    if result.dtype != out.dtype:
        if not np.can_cast(result.dtype, out.dtype, "same_kind"):
            refuse()
        result = astype_of(result, out.dtype)
    if result.shape != out.shape:
        try:
            fills = np.broadcast_shapes(result.shape, out.shape) == out.shape
        except ValueError:
            fills = False
        if not fills:
            raise ValueError(
                f"numpy.{name}: non-broadcastable output operand with shape {out.shape} doesn't match the broadcast "
                f"shape {result.shape}{location()}; wanted an array that the result fills"
            )
        result = broadcast_to(result, out.shape)
    replace(out, result)


# --- ufuncs with out=, and ufunc.at ---


def write_output(ufunc: np.ufunc, out: Tracer, result: Any, where: Any, casting: Any) -> Tracer:
    """numpy.f(..., out=out): the result, where it is wanted, in the place of what `out` holds."""
    check_writable(out)

    def refuse() -> None:
        raise np._core._exceptions._UFuncOutputCastingError(ufunc, casting, result.dtype, out.dtype, 0)  # type: ignore[attr-defined]

    if not np.can_cast(result.dtype, out.dtype, casting):
        refuse()
    if result.dtype != out.dtype:
        result = astype_of(result, out.dtype)
    if where is not True:
        mask = asarray(where)
        shape = np.broadcast_shapes(mask.shape, result.shape, out.shape)
        result = select(broadcast_to(mask, shape), broadcast_to(result, shape), broadcast_to(alias(out), shape))
    write_result(ufunc.__name__, out, result, refuse)
    return out


#: methods of `x.at[index]` by the ufunc with which they combine entries and values
UPDATES = {
    np.add: "add",
    np.subtract: "subtract",
    np.multiply: "multiply",
    np.divide: "divide",
    np.power: "power",
    np.maximum: "max",
    np.minimum: "min",
}


def ufunc_at(ufunc: np.ufunc, x: Tracer, indices: Any, *values: Any) -> None:
    """numpy.f.at(x, indices, values): x[indices] = f(x[indices], values), for repeated entries repeatedly."""
    check_writable(x)
    if values:
        check_cast(ufunc, (x, asarray(values[0])), x, "same_kind")
    plan = Plan(x.shape, indices, static=False)
    plan.check_range()
    if ufunc in UPDATES:
        replace(x, getattr(Entries(alias(x), indices), UPDATES[ufunc])(asarray(values[0])))
        return
    numbers = Plan(x.shape, indices).read(np.arange(x.size).reshape(x.shape))
    numbers = concrete_or_raise(numbers, f"numpy.{ufunc.__name__}.at", "Write x[indices] = f(x[indices], values)")
    entries = np.stack(np.unravel_index(np.ravel(numbers), x.shape), axis=-1).tolist()
    columns = [reshaped(broadcast_to(asarray(v), np.shape(numbers)), (len(entries),)) for v in values]
    for k, entry in enumerate(map(tuple, entries)):  # one after the other, for an entry may be repeated
        setitem(x, entry, ufunc(getitem(x, entry), *(c[k] for c in columns)))


# --- functions ---

#: functions that write into their first argument
WRITERS = (np.copyto, np.put, np.place, np.putmask, np.fill_diagonal, np.put_along_axis)


def writer(function: Callable[..., Any]) -> Callable[..., Any]:
    """What a NumPy function that writes into an array does to a traced one."""
    name = function.__name__

    def write(a: Any, *args: Any, **kwargs: Any) -> None:
        from xform.numpy import writing  # which is loaded when it is first used

        if not isinstance(a, Tracer) and are_constant((*args, *kwargs.values())):
            return function(a, *map(concrete, args), **{k: concrete(x) for k, x in kwargs.items()})
        if not isinstance(a, Tracer):
            raise ConcretizationError(
                f"numpy.{name} was to write a traced value into a plain ndarray{location()}, which would lose its "
                "derivative. Make the array inside the transformed function, with xform.numpy.zeros, full, array or "
                "copy instead of numpy's (xform.numpy.full_like for numpy.full_like): it can be written into"
            )
        check_writable(a)
        return replace(a, getattr(writing, name)(alias(a), *args, **kwargs, inplace=False))

    write.__name__ = name
    return write


IMPLEMENTATIONS.update({function: writer(function) for function in WRITERS})


# --- methods ---


def fill(self: Tracer, value: Any) -> None:
    """All entries become the value."""
    v = asarray(value)
    if v.shape and v.size != 1:
        raise ValueError(f"fill wants a number, an array of shape {v.shape} was given; write x[...] = value")
    check_writable(self)
    replace(self, broadcast_to(reshaped(converted(v, self), ()), self.shape))


def sort(self: Tracer, axis: Any = -1, kind: Any = None, order: Any = None, *, stable: Any = None) -> None:
    """Sort along an axis, in place."""
    check_writable(self)
    replace(self, IMPLEMENTATIONS[np.sort](alias(self), axis_index(axis, self.ndim), kind, order, stable=stable))


def partition(self: Tracer, kth: Any, axis: Any = -1, kind: Any = "introselect", order: Any = None) -> None:
    """Partition along an axis, in place."""
    check_writable(self)
    replace(self, IMPLEMENTATIONS[np.partition](alias(self), kth, axis_index(axis, self.ndim), kind, order))


def part(name: str) -> property:
    """x.real and x.imag, which may be assigned."""

    def assign(self: Tracer, value: Any) -> None:
        if self.dtype.kind != "c" and name == "imag":
            raise TypeError("array does not have imaginary part to set")
        setitem(getattr(self, name), ..., value)

    return property(IMPLEMENTATIONS[getattr(np, name)], assign, doc=f"The {name} part.")


def flat(x: Tracer) -> Any:
    """All entries as a vector, which is read-only where it is not one in memory."""
    y = IMPLEMENTATIONS[np.ravel](x)
    if isinstance(memory_of(x), View) and not shadow_of(x).flags.c_contiguous:
        y = alias(y)
        y._memory = Root()
        y._memory.shadow = np.broadcast_to(np.int8(0), y.shape)
    return y


def write_flat(self: Tracer, value: Any) -> None:
    """x.flat = v: the entries become, in C order, the values, repeated as often as need be."""
    IMPLEMENTATIONS[np.put](self, np.arange(self.size), value)


def put(self: Tracer, indices: Any, values: Any, mode: str = "raise") -> None:
    """x.flat[indices] = values."""
    IMPLEMENTATIONS[np.put](self, indices, values, mode)


def refuse_deletion(self: Tracer, index: Any) -> None:
    raise ValueError(f"cannot delete array elements{location()}; numpy.delete returns an array without them")


for _name, _ufunc in AUGMENTED.items():
    setattr(Tracer, f"__i{_name}__", augmented(_ufunc, getattr(Tracer, f"__{_name}__")))
for _name, _method in {
    "__setitem__": setitem,
    "__delitem__": refuse_deletion,
    "fill": fill,
    "sort": sort,
    "partition": partition,
    "put": put,
    "real": part("real"),
    "imag": part("imag"),
    "flat": property(flat, write_flat, doc="The entries in C order."),
}.items():
    setattr(Tracer, _name, _method)
