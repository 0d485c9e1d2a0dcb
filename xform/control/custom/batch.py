"""The rules of a function on a batch, made of its rules for one example.

So a function keeps its own derivative under vmap, whichever of the two is asked for first. Results have the batch in
front, all of them. The cotangent of an argument that all examples share is the sum of theirs.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Any, NamedTuple

from xform.control.custom.call import Program, run
from xform.control.custom.reentry import reentered
from xform.core.jaxpr import Jaxpr
from xform.core.primitive import Zero, is_zero
from xform.core.series import Series
from xform.core.trace import Trace, context, using
from xform.ops.structure import batch_operand, reduce_sum
from xform.transforms.arguments import as_array
from xform.transforms.vmap import Axis, BatchTrace, BatchTracer


class BatchedResiduals(NamedTuple):
    """How to put together the residuals of all examples: as those of one, some of the values being batched."""

    inner: Any
    batched: tuple[bool, ...]
    trace: Any  # of the forward rule, if values of it are out of sight, in a function

    @property
    def opaque(self) -> bool:
        return self.inner.opaque


class BatchedRules:
    """The rules of `inner` for `axis.size` examples at once, of whose arguments some are `batched`.

    A function that closes over values of the batch is run in the `trace` to which these belong.
    """

    def __init__(self, inner: Any, axis: Axis, batched: Sequence[bool], trace: BatchTrace | None) -> None:
        self.inner, self.axis, self.flags, self.trace = inner, axis, tuple(batched), trace
        self.arity, self.origin, self.name = inner.arity, inner.origin, inner.name
        self.has_jvp, self.has_vjp, self.has_jet = inner.has_jvp, inner.has_vjp, inner.has_jet
        self.pattern, self.linear_in = None, inner.linear_in
        self.has_batch, self.jvp_zeros = False, inner.jvp_zeros

    def __repr__(self) -> str:
        lanes = "".join("b" if b else "-" for b in self.flags)
        return f"vmap({self.inner!r}, {self.axis.size}, {lanes})"

    def __str__(self) -> str:
        return f"vmap({getattr(self.inner, '__name__', self.inner)})"

    def captures(self) -> list[Any]:
        return self.inner.captures()

    def batched(self, axis: Axis, batched: Sequence[bool], trace: BatchTrace | None) -> BatchedRules:
        return BatchedRules(self, axis, batched, trace)

    def program(self, program: Program, batched: Sequence[bool]) -> Callable[..., list[Any]]:
        """The function for all examples at once: by its batch rule, or by running it under a trace of vmap."""
        if self.inner.has_batch:
            return RuleOfBatch(self)
        return BatchedProgram(self, program, tuple(batched))

    def begin(self) -> BatchTrace:
        return self.trace or BatchTrace(context.trace, f"vmap of {self.name}", *self.axis)

    def inside(self, trace: Trace) -> AbstractContextManager[Any]:
        return reentered(trace) if trace is self.trace else using(trace)

    def wrap(self, trace: BatchTrace, values: Sequence[Any], flags: Sequence[bool] | None = None) -> list[Any]:
        return [
            BatchTracer(trace, x) if b and not is_zero(x) else x
            for x, b in zip(values, self.flags if flags is None else flags, strict=True)
        ]

    def full(self, trace: BatchTrace, value: Any) -> Any:
        """A result for all examples, the batch in front."""
        if is_zero(value):
            return Zero(value.aval.with_shape((self.axis.size, *value.aval.shape)))
        y, batched = trace.split(value)
        return batch_operand(self.axis.size, as_array(y), batched)

    def jvp(self, primals: Sequence[Any], tangents: Sequence[Any]) -> tuple[list[Any], list[Any]]:
        trace = self.begin()
        with self.inside(trace):
            outs, dots = self.inner.jvp(self.wrap(trace, primals), self.wrap(trace, one_example(tangents, self.flags)))
        return [self.full(trace, y) for y in outs], [self.full(trace, t) for t in dots]

    def forward(self, primals: Sequence[Any], perturbed: Sequence[bool]) -> tuple[list[Any], Any]:
        trace = self.begin()
        with self.inside(trace):
            outs, (values, inner) = self.inner.forward(self.wrap(trace, primals), perturbed)
        pairs = [trace.split(r) for r in values]
        kept = trace if self.trace is not None or inner.opaque else None
        structure = BatchedResiduals(inner, tuple(b for _, b in pairs), kept)
        return [self.full(trace, y) for y in outs], ([r for r, _ in pairs], structure)

    def residuals(self, structure: Any, batched: Sequence[bool]) -> BatchedResiduals:
        """The structure of residuals some of which are batched, that of those of one example being given."""
        return BatchedResiduals(structure, tuple(batched), self.trace)

    def backward(self, residuals: tuple[Any, BatchedResiduals], bars: Sequence[Any]) -> list[Any]:
        values, (inner, batched, left) = residuals
        trace = left or self.begin()
        with reentered(trace) if left else using(trace):
            wrapped = self.wrap(trace, values, batched)
            y_bars = self.wrap(trace, one_example(bars, [True] * len(bars)), [True] * len(bars))
            x_bars = self.inner.backward((wrapped, inner), y_bars)
        return [self.cotangent(trace, x, b) for x, b in zip(x_bars, self.flags, strict=True)]

    def cotangent(self, trace: BatchTrace, x_bar: Any, batched: bool) -> Any:
        if x_bar is None or is_zero(x_bar):
            return None
        bar = self.full(trace, x_bar)
        return bar if batched else reduce_sum(bar, axes=(0,))

    def jet(self, series: Sequence[Series]) -> list[Series]:
        """The Taylor rule, coefficient by coefficient."""
        trace = self.begin()

        def inner(s: Series, b: bool) -> Series:
            return Series(lambda k: self.wrap(trace, one_example([s[k]], [b]), [b])[0], s.is_constant)

        with self.inside(trace):
            outs = self.inner.jet([inner(s, b) for s, b in zip(series, self.flags, strict=True)])

        def outer(s: Series) -> Series:
            def term(k: int) -> Any:
                with self.inside(trace):
                    value = s[k]
                return self.full(trace, value)

            return Series(term, s.is_constant)

        return [outer(s) for s in outs]


def one_example(values: Sequence[Any], batched: Sequence[bool]) -> list[Any]:
    """Symbolic zeros as one example has them."""
    return [
        Zero(x.aval.with_shape(x.aval.shape[1:])) if b and is_zero(x) else x
        for x, b in zip(values, batched, strict=True)
    ]


class BatchedProgram:
    """A program run on all examples at once."""

    def __init__(self, rules: BatchedRules, program: Program, batched: tuple[bool, ...]) -> None:
        self.rules, self.program, self.batched = rules, program, batched

    def __call__(self, *operands: Any) -> list[Any]:
        rules, trace = self.rules, self.rules.begin()
        with rules.inside(trace):
            outs = run(self.program, *rules.wrap(trace, operands, self.batched))
        return [rules.full(trace, y) for y in outs]

    def __repr__(self) -> str:
        return f"vmap({self.program if not isinstance(self.program, Jaxpr) else self.rules.inner!r})"


class RuleOfBatch:
    """The user's batch rule as a program."""

    def __init__(self, rules: BatchedRules) -> None:
        self.rules = rules

    def __call__(self, *operands: Any) -> list[Any]:
        rules = self.rules
        leaves = operands[len(operands) - rules.arity :]
        outs, batched = rules.inner.batch(rules.axis.size, leaves, rules.flags)
        return [batch_operand(rules.axis.size, y, b) for y, b in zip(outs, batched, strict=True)]

    def __repr__(self) -> str:
        return f"rule({self.rules!r})"
