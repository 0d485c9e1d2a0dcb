"""NumPy's ufuncs called on tracers with options, or by their methods reduce, accumulate, outer, at, reduceat.

A ufunc is a primitive (`BY_UFUNC`) or a composite of them, defined here or elsewhere with `@implements`. Its options
choose the loop's dtype, which NumPy itself resolves. Results are written into traced arrays (`mutation`), but not into
plain ones, which would lose the derivative: there, `a += x` rebinds `a`.
"""

from __future__ import annotations

import opcode
import sys
from types import FrameType
from typing import Any

import numpy as np

from xform.core.aval import aval_of
from xform.core.errors import ConcretizationError
from xform.core.trace import Tracer, concrete, is_constant
from xform.numpy.dispatch import IMPLEMENTATIONS, as_dtype, asarray, has_tracer, implements, location
from xform.numpy.folds import accumulate, reduce, reduceat
from xform.ops.arithmetic import floor_divide, fmod, frexp_exponent, power, remainder, trunc
from xform.ops.elementwise import BY_UFUNC
from xform.ops.operators import left_operand, operand
from xform.ops.providers import provide
from xform.ops.select import select
from xform.ops.structure import reshape
from xform.ops.transcendental import deg2rad, rad2deg

BY_UFUNC.update({np.degrees: rad2deg, np.radians: deg2rad})

#: ufuncs that NumPy keeps to itself, by the function that calls them
HIDDEN = {"clip": np.clip}

BINARY_OP = opcode.opmap["BINARY_OP"]
#: the arguments of BINARY_OP that mean +=, -=, ..., ^= (NB_INPLACE_ADD to NB_INPLACE_XOR in CPython's opcode.h)
INPLACE = range(13, 26)
_view = np.zeros(1)[:]
#: references to the base of a view that nobody else holds, as getrefcount counts them
SOLE = sys.getrefcount(_view.base)


def call_ufunc(ufunc: np.ufunc, method: str, inputs: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """The general case of `Tracer.__array_ufunc__`."""
    if not kwargs and method == "__call__":
        return apply(ufunc, inputs)
    options = {k: v for k, v in kwargs.items() if k not in ("out", "order", "subok")}
    outputs = kwargs.get("out", inputs[:1] if method == "at" else ())
    if outputs and not has_tracer(outputs, {}) and are_constant(inputs):
        return getattr(ufunc, method)(*map(concrete, inputs), **kwargs)
    if method == "at":
        if not isinstance(inputs[0], Tracer):
            raise written(ufunc)
        return mutation().ufunc_at(ufunc, *inputs)
    if has_tracer(outputs, {}):
        return into_outputs(ufunc, method, inputs, outputs, options)
    target = target_of(ufunc, method, inputs, outputs, sys._getframe(2)) if outputs else None
    result = METHODS[method](ufunc, *inputs, **options)
    return result if target is None or result is NotImplemented else fit_target(ufunc, result, target)


def apply(ufunc: np.ufunc, inputs: Any) -> Any:
    """The ufunc without options; NotImplemented if an operand is not one."""
    operands = [operand(x) for x in inputs]
    if any(x is NotImplemented for x in operands):
        return NotImplemented
    if len(operands) == 2:
        operands[0] = left_operand(operands[0], operands[1])
    ours = rule_of(ufunc) or (provide(ufunc) and rule_of(ufunc))
    if not ours:
        raise TypeError(
            f"the ufunc {ufunc.__name__} has no derivative rule and cannot take a traced array{location()}. Write it "
            "with other functions, or wrap it as a primitive with rules of your own (xform.extend)"
        )
    return ours(*operands)


def rule_of(ufunc: np.ufunc) -> Any:
    """The primitive or the composite that the ufunc is; None if there is none (yet)."""
    ours = BY_UFUNC.get(ufunc) or IMPLEMENTATIONS.get(HIDDEN.get(ufunc.__name__, ufunc))
    if ours is None and all(set(loop) <= {"O", "-", ">"} for loop in ufunc.types):
        return vectorizing().of_python(ufunc)
    return ours


def vectorizing() -> Any:
    """The module that calls functions of Python for each entry, loaded when it is first needed."""
    from xform.numpy import vectorizing

    return vectorizing


def call(ufunc: np.ufunc, *inputs: Any, where: Any = True, **options: Any) -> Any:
    """The ufunc with the options that say in which loop it runs, and where; elsewhere the result is zero."""
    if ufunc.signature is not None:
        return IMPLEMENTATIONS[ufunc](*inputs, **options)
    operands = [operand(x) for x in inputs]
    if any(x is NotImplemented for x in operands):
        return NotImplemented
    dtypes = loop_dtypes(ufunc, operands, **options)
    operands = [as_dtype(asarray(x), d) for x, d in zip(operands, dtypes, strict=False)]
    if where is True:
        return apply(ufunc, operands)
    with np.errstate(all="ignore"):
        result = apply(ufunc, operands)
    chosen = [select(asarray(where), y, np.zeros((), y.dtype)) for y in (result if ufunc.nout > 1 else (result,))]
    return tuple(chosen) if ufunc.nout > 1 else chosen[0]


def loop_dtypes(
    ufunc: np.ufunc, operands: Any, dtype: Any = None, signature: Any = None, casting: Any = "same_kind"
) -> tuple[Any, ...]:
    """The dtypes of operands and results in the loop that NumPy would choose; its errors if there is none."""
    if signature is None:
        signature = (None,) * ufunc.nin + (None if dtype is None else np.dtype(dtype),) * ufunc.nout
    kinds = [aval_of(x) for x in operands]
    given = (a.dtype if a.weak in (None, bool) else a.weak for a in kinds)  # NumPy resolves int, float and complex
    return ufunc.resolve_dtypes((*given, *(None,) * ufunc.nout), signature=signature, casting=casting)


def outer(ufunc: np.ufunc, a: Any, b: Any, **options: Any) -> Any:
    """y[i, ..., j, ...] = ufunc(a[i, ...], b[j, ...])."""
    a, b = asarray(a), asarray(b)
    return call(ufunc, reshape(a, shape=(*a.shape, *(1,) * len(b.shape))), b, **options)


METHODS: dict[str, Any] = {
    "__call__": call,
    "outer": outer,
    "reduce": lambda ufunc, *args, **options: reduce(ufunc, call, *args, **options),
    "accumulate": lambda ufunc, *args, **options: accumulate(ufunc, call, *args, **options),
    "reduceat": lambda ufunc, *args, **options: reduceat(ufunc, call, *args, **options),
}


# --- where results are written ---


def mutation() -> Any:
    """The module that writes into traced arrays, which needs this one."""
    from xform.numpy import mutation

    return mutation


def are_constant(values: Any) -> bool:
    """Are the traced ones among the values known, and constant, so that they are as good as plain ones?"""
    return all(not isinstance(x, Tracer) or (is_constant(x) and concrete(x) is not None) for x in values)


def into_outputs(ufunc: np.ufunc, method: str, inputs: Any, outputs: tuple[Any, ...], options: dict[str, Any]) -> Any:
    """The results in the traced arrays that are given for them (out=); a result for which there is None is returned."""
    casting = options.get("casting", "same_kind")
    where = options.get("where", True) if method == "__call__" else True
    result = METHODS[method](ufunc, *inputs, **options)
    if result is NotImplemented:
        return result
    results = result if type(result) is tuple else (result,)
    for array, y in zip(outputs, results, strict=True):
        if array is not None and not isinstance(array, Tracer):
            raise into_plain(ufunc)
        if array is not None:
            mutation().write_output(ufunc, array, y, where, casting)
    written = tuple(y if array is None else array for array, y in zip(outputs, results, strict=True))
    return written if type(result) is tuple else written[0]


def target_of(ufunc: np.ufunc, method: str, inputs: Any, out: tuple[Any, ...], frame: FrameType) -> Any:
    """The array `a` of an augmented assignment `a += x`, which rebinds `a` to what we return; an error for others."""
    if method != "__call__" or len(out) != 1 or out[0] is not inputs[0] or not is_augmented_assignment(frame):
        raise into_plain(ufunc)
    if isinstance(out[0].base, np.ndarray) and sys.getrefcount(out[0].base) > SOLE:
        raise ConcretizationError(
            f"an augmented assignment a += x of a traced value to a view a of another plain array{location()} cannot "
            "write into that array, and the derivative would be lost. Write a = a + x if only a is meant; to change "
            "the array b of which a = b[i] is a part, write b = xform.numpy.at(b)[i].add(x)"
        )
    return out[0]


def is_augmented_assignment(frame: FrameType) -> bool:
    """Is the frame about to execute `a += x` or the like, and not a call with out=a?"""
    code, at = frame.f_code.co_code, frame.f_lasti
    return code[at] == BINARY_OP and code[at + 1] in INPLACE


def fit_target(ufunc: np.ufunc, result: Any, target: np.ndarray) -> Any:
    """The result in shape and dtype of the array that it takes the place of."""
    if result.shape != target.shape:
        raise ValueError(
            f"numpy.{ufunc.__name__}: a result of shape {result.shape} cannot take the place of an array of shape "
            f"{target.shape}{location()}; write a = a + x instead of a += x if it may change its shape"
        )
    if not np.can_cast(result.dtype, target.dtype, "same_kind"):
        raise TypeError(
            f"numpy.{ufunc.__name__}: a result of dtype {result.dtype} cannot take the place of an array of dtype "
            f"{target.dtype}{location()}; write a = a + x instead of a += x, or make a an array of {result.dtype}"
        )
    return as_dtype(result, target.dtype)


def into_plain(ufunc: np.ufunc) -> Exception:
    return ConcretizationError(
        f"numpy.{ufunc.__name__} was to write a traced result into a plain array (out=){location()}, which would "
        f"lose its derivative. Leave out the option and use the returned value: a = numpy.{ufunc.__name__}(...); "
        "with where=mask, write a = numpy.where(mask, numpy.f(...), a); or make the array with xform.numpy.zeros "
        "inside the transformed function"
    )


def written(ufunc: np.ufunc) -> Exception:
    """ufunc.at(a, indices, b) writes into a."""
    return ConcretizationError(
        f"numpy.{ufunc.__name__}.at was to write a traced value into a plain array{location()}, which would lose its "
        "derivative. Make the array inside the transformed function, with xform.numpy.zeros, full, array or copy"
    )


# --- ufuncs that are made of others ---


@implements(np.divmod)
def divmod(x1: Any, x2: Any) -> tuple[Any, Any]:
    """(floor(x1 / x2), x1 - x2 floor(x1 / x2))."""
    return floor_divide(x1, x2), remainder(x1, x2)


@implements(np.modf)
def modf(x: Any) -> tuple[Any, Any]:
    """Fractional and integral part, both with the sign of x; of an infinite x the former is zero."""
    x = as_dtype(asarray(x), loop_dtypes(np.modf, [x])[0])
    finite = select(np.isinf(x), np.copysign(np.zeros((), x.dtype), x), x)
    return fmod(finite, 1.0), trunc(x)


@implements(np.frexp)
def frexp(x: Any) -> tuple[Any, Any]:
    """(m, e) with x = m 2^e and |m| in [1/2, 1)."""
    x = as_dtype(asarray(x), loop_dtypes(np.frexp, [x])[0])
    e = frexp_exponent(x)
    return np.ldexp(x, -e), e


@implements(np.float_power)
def float_power(x1: Any, x2: Any) -> Any:
    """x1 to the power x2, in double precision at least."""
    first, second, _ = loop_dtypes(np.float_power, [x1, x2])
    return power(as_dtype(asarray(x1), first), as_dtype(asarray(x2), second))
