"""Functions that only take plain arrays, as primitives: called with what is below all transformations.

Under vmap such a call gets lanes, one per mapped axis, and loops over them, or hands the whole batch to a function that
can take it. A function that is linear knows its derivative, and its transpose if the user gave it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from xform.control.custom.patterns import given_pattern
from xform.control.custom.signatures import title_of
from xform.core.aval import Aval, aval_of, is_inexact
from xform.core.errors import MissingRuleError
from xform.core.primitive import Linear as Unknown
from xform.core.primitive import Zero, is_zero
from xform.core.trace import context, using
from xform.ops.family import Linear, Opaque
from xform.ops.structure import batch_operand, reduce_sum
from xform.transforms.arguments import as_array, check_array, parameter_name
from xform.transforms.tape import TapeTracer
from xform.transforms.vmap import BatchTrace, BatchTracer, example

#: per mapped axis, outermost first: the number of examples, and which operands have the axis
Lanes = tuple[tuple[int, tuple[bool, ...]], ...]


class Wrapped(Opaque):
    """A call of `function` on plain arrays, for each of the lanes. It is in no table of primitives."""

    def __init__(self, function: Callable[..., Any], name: str, shape: Any, batch: str) -> None:
        self.function, self.name, self.shape, self.way = function, name, shape, batch
        self.title = title_of(function)
        self.pattern: Any = None  # what the user knows of the sparsity of the Jacobian
        self.several = False  # does the function return a tuple? known once it, or its shape rule, has run

    def __call__(self, *args: Any) -> Any:
        operands = [self.operand(k, x) for k, x in enumerate(args)]
        outs = self.bind(*operands, lanes=())
        return tuple(outs) if self.several else outs[0]

    def operand(self, k: int, x: Any) -> Any:
        try:
            check_array(self.title, lambda: parameter_name(self.function, k), x)
        except TypeError as error:
            raise TypeError(f"{error} Bind what is no array to the function first, with functools.partial") from None
        return as_array(x)

    def results(self, who: str, out: Any, convert: Callable[[Any], Any]) -> list[Any]:
        self.several = isinstance(out, tuple | list)
        items = list(out) if self.several else [out]
        try:
            return [convert(y) for y in items]
        except (TypeError, ValueError) as error:
            raise TypeError(f"{who} returned {out!r:.80}; wanted an array or a tuple of arrays ({error})") from None

    def abstract(self, *avals: Aval, lanes: Lanes) -> list[Aval]:
        if lanes:
            (size, batched), *rest = lanes
            inner = self.abstract(*map(example, avals, batched), lanes=tuple(rest))
            return [a.with_shape((size, *a.shape)) for a in inner]
        if self.shape is None:
            raise MissingRuleError(
                f"{self.title} is used in a program (make_jaxpr, jit, a loop, ...), or for its sparsity, where only "
                "shapes and dtypes are known, and it does not tell those of its result: give xform.extend.primitive "
                "shape=, a function from the avals of the arguments to that of the result (or to a tuple of them)"
            )
        return self.results(f"the shape rule of {self.title}", self.shape(*avals), declared)

    def numpy(self, *arrays: Any, lanes: Lanes) -> list[Any]:
        if not lanes or self.way == "broadcast":
            outs = self.results(self.title, self.function(*arrays), number)
            self.compare(arrays, outs, lanes)
            return outs
        (size, batched), *rest = lanes
        if not size:
            return [np.zeros(a.shape, a.dtype) for a in self.abstract(*map(aval_of, arrays), lanes=lanes)]
        rows = [
            self.numpy(*(x[i] if b else x for x, b in zip(arrays, batched, strict=True)), lanes=tuple(rest))
            for i in range(size)
        ]
        return [np.stack(ys) for ys in zip(*rows, strict=True)]

    def compare(self, arrays: Sequence[Any], outs: Sequence[Any], lanes: Lanes) -> None:
        """What the function returned must be what its shape rule says."""
        if self.shape is None:
            return
        wanted = self.abstract(*map(aval_of, arrays), lanes=lanes)
        if [aval_of(y) for y in outs] != wanted:
            what = "the shape rule with the batch in front" if lanes else "its shape rule"
            raise TypeError(f"{self.title} returned {[aval_of(y) for y in outs]}, but {what} says {wanted}")

    def batch(self, size: int, args: Any, batched: Any, *, lanes: Lanes) -> list[Any]:
        if self.way == "broadcast":
            args, batched = [batch_operand(size, x, b) for x, b in zip(args, batched, strict=True)], [True] * len(args)
        return self.bind(*args, lanes=((size, tuple(batched)), *lanes))

    def jvp(self, primals: Any, tangents: Any, *, lanes: Lanes) -> tuple[list[Any], list[Any]]:
        outs = self.bind(*primals, lanes=lanes)
        if any(is_inexact(y.dtype) for y in outs) and not all(map(is_zero, tangents)):
            raise MissingRuleError(
                f"{self.title} has no derivative: give xform.extend.primitive one of jvp=, vjp=, partials= (for a "
                "function of numbers, applied entry by entry) or linear= with transpose="
            )
        return outs, list(map(Zero.like, outs))

    def sparsity(self, patterns: Any, avals: Any, *, lanes: Lanes) -> list[Any]:
        if self.pattern is None or lanes:
            return super().sparsity(patterns, avals, lanes=lanes)
        known = list(map(aval_of, avals))
        return given_pattern(self.title, self.pattern, patterns, known, self.abstract(*known, lanes=lanes))


class WrappedLinear(Wrapped):
    """A function that is linear in the operands at the positions `linear_in` (None: in all), jointly."""

    linear_in: Sequence[int] | None = None
    transposed: Callable[..., Any] | None = None

    is_linear_in, moved = Linear.is_linear_in, Linear.moved

    def jvp(self, primals: Any, tangents: Any, *, lanes: Lanes) -> tuple[list[Any], list[Any]]:
        self.check_linear(tangents)
        outs = self.bind(*primals, lanes=lanes)
        return outs, self.bind(*self.moved(primals, tangents), lanes=lanes)

    def linearize(self, primals: Any, tangents: Any, *, lanes: Lanes) -> tuple[list[Any], list[Any]]:
        """On the tape it is itself; what its result is like is known without a shape rule."""
        self.check_linear(tangents)
        tape: Any = context.trace
        outs = self.bind(*primals, lanes=lanes)
        holes = [
            Unknown(x.aval, x.id) if type(x) is TapeTracer and x._trace is tape else x
            for x in self.moved(primals, tangents)
        ]
        return outs, tape.call(self, holes, {"lanes": lanes}, list(map(aval_of, outs)))

    def check_linear(self, tangents: Sequence[Any]) -> None:
        if any(not is_zero(t) for k, t in enumerate(tangents) if not self.is_linear_in(k)):
            raise MissingRuleError(
                f"{self.title} is linear in the arguments {self.linear_in}, and there is no derivative in the others; "
                "give xform.extend.primitive jvp= or vjp= as well"
            )

    def transpose(self, cotangents: Any, *args: Any, lanes: Lanes) -> list[Any]:
        if lanes:
            return self.transpose_lanes(cotangents, args, lanes)
        if self.transposed is None:
            raise MissingRuleError(
                f"{self.title} is linear, but for reverse mode its transpose is wanted: give xform.extend.primitive "
                "transpose=, a function from the cotangent of the result to that of the argument"
            )
        linear = [k for k in range(len(args)) if self.is_linear_in(k)]
        known = [x for k, x in enumerate(args) if not self.is_linear_in(k)]
        found = self.transposed(tuple(cotangents) if self.several else cotangents[0], *known)
        bars = list(found) if isinstance(found, tuple | list) else [found]
        if len(bars) != len(linear):
            raise TypeError(
                f"the transpose of {self.title} returned {len(bars)} cotangents; wanted {len(linear)}, one for each "
                "argument in which it is linear"
            )
        out: list[Any] = [None] * len(args)
        for k, bar in zip(linear, bars, strict=True):
            if type(args[k]) is Unknown:
                out[k] = self.fitting(k, args[k], as_array(bar))
        return out

    def fitting(self, k: int, hole: Unknown, bar: Any) -> Any:
        if aval_of(bar) != hole.aval:
            raise TypeError(
                f"the transpose of {self.title} returned {aval_of(bar)} as the cotangent of "
                f"{parameter_name(self.function, k)}; wanted {hole.aval}"
            )
        return bar

    def transpose_lanes(self, cotangents: Any, args: Any, lanes: Lanes) -> list[Any]:
        """Example by example; the cotangent of an operand that all share is the sum of theirs."""
        (size, batched), *rest = lanes
        trace = BatchTrace(context.trace, f"vmap of {self.title}", size)
        inner = [
            Unknown(example(x.aval, b)) if type(x) is Unknown else BatchTracer(trace, x) if b else x
            for x, b in zip(args, batched, strict=True)
        ]
        with using(trace):
            bars = self.transpose([BatchTracer(trace, c) for c in cotangents], *inner, lanes=tuple(rest))
        full = [None if bar is None else batch_operand(size, *trace.split(bar)) for bar in bars]
        return [bar if bar is None or b else reduce_sum(bar, axes=(0,)) for bar, b in zip(full, batched, strict=True)]


def declared(a: Any) -> Aval:
    """What a shape rule returns: an aval, or anything with a shape and a dtype."""
    if not hasattr(a, "shape") or not hasattr(a, "dtype"):
        raise TypeError(f"{type(a).__name__} has no shape and dtype; write xform.Aval(shape, dtype)")
    return Aval(tuple(a.shape), a.dtype)


def number(y: Any) -> Any:
    """A result as an array or a NumPy scalar."""
    y = as_array(y)
    aval_of(y)
    return y
