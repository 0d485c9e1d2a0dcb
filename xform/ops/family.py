"""The families whose rules follow from linearity alone.

    Linear        f(x + y) = f(x) + f(y), in all operands jointly     jvp: apply to the tangents
    Multilinear   linear in each of the operands `linear_in`          jvp: sum over them, one tangent at a time

A member writes `abstract`, `numpy`, `transpose` and `batch`; the derivative, the Taylor and the sparsity rule are here.
`Opaque` is the base of primitives that write their own jvp rule: it gives the rules that hold for anything.
`Discrete` primitives have integer or boolean results, which have no derivative.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

from xform.core.aval import Aval, aval_of, is_inexact
from xform.core.primitive import Primitive, Zero, is_zero
from xform.core.series import cauchy, termwise
from xform.core.trace import EVAL, using


class Opaque(Primitive):
    """Of such a primitive the family knows only its rules jvp and abstract."""

    def jet(self, series: Any, apply: Any, **params: Any) -> list[Any]:
        return apply.from_jvp(self, series, params)

    def sparsity(self, patterns: Any, avals: Any, **params: Any) -> list[Any]:
        """Without better knowledge, each output entry depends on all that any input entry depends on."""
        return dense_patterns(patterns, self.abstract(*map(aval_of, avals), **params))


class Discrete(Opaque):
    """Integer or boolean results: constant almost everywhere, so that no derivative passes; one output."""

    def jvp(self, primals: Any, tangents: Any, **params: Any) -> tuple[list[Any], list[Any]]:
        out = self(*primals, **params)
        return [out], [Zero.like(out)]

    def jet(self, series: Any, apply: Any, **params: Any) -> list[Any]:
        return apply.constant(self, series, params)

    def sparsity(self, patterns: Any, avals: Any, **params: Any) -> list[Any]:
        return [None]


class Linear(Primitive):
    """Linear in its operands jointly, in all of them or in those at the positions `linear_in`; one output."""

    linear_in: ClassVar[Sequence[int] | None] = None

    def is_linear_in(self, k: int) -> bool:
        return self.linear_in is None or k in self.linear_in

    def jvp(self, primals: Any, tangents: Any, **params: Any) -> tuple[list[Any], list[Any]]:
        out = self(*primals, **params)
        if all(is_zero(t) for k, t in enumerate(tangents) if self.is_linear_in(k)):
            return [out], [Zero.like(out)]
        return [out], [self(*self.moved(primals, tangents), **params)]

    def jet(self, series: Any, apply: Any, **params: Any) -> list[Any]:
        fixed = [s[0] for s in series]
        linear = [s for k, s in enumerate(series) if self.is_linear_in(k)]

        def at(*coefficients: Any) -> Any:
            rest = iter(coefficients)
            moving = [next(rest) if self.is_linear_in(k) else None for k in range(len(fixed))]
            return self(*self.moved(fixed, moving), **params)

        return [termwise(at, *linear)]

    def moved(self, primals: Sequence[Any], tangents: Sequence[Any]) -> list[Any]:
        """Tangents in place of the operands in which the operation is linear."""
        return [
            (zero_operand(x) if is_zero(t) else t) if self.is_linear_in(k) else x
            for k, (x, t) in enumerate(zip(primals, tangents, strict=True))
        ]

    def sparsity(self, patterns: Any, avals: Any, **params: Any) -> list[Any]:
        """The map itself, applied to 0/1 arrays, a batch of one per input variable."""
        return [linear_pattern(self, patterns, avals, params)]


class Multilinear(Primitive):
    """Linear in each of the operands at the positions `linear_in`, the others being constants; one output."""

    linear_in: ClassVar[Sequence[int]] = (0, 1)

    def jvp(self, primals: Any, tangents: Any, **params: Any) -> tuple[list[Any], list[Any]]:
        out, out_dot = self(*primals, **params), None
        for k in self.linear_in:
            if not is_zero(tangents[k]):
                term = self(*primals[:k], tangents[k], *primals[k + 1 :], **params)
                out_dot = term if out_dot is None else out_dot + term
        return [out], [Zero.like(out) if out_dot is None else out_dot]

    def jet(self, series: Any, apply: Any, **params: Any) -> list[Any]:
        fixed = [s[0] for s in series]

        def at(*operands: Any) -> Any:
            args = list(fixed)
            for k, x in zip(self.linear_in, operands, strict=True):
                args[k] = x
            return self(*args, **params)

        combine = cauchy if len(self.linear_in) == 2 else termwise
        return [combine(at, *(series[k] for k in self.linear_in))]

    def sparsity(self, patterns: Any, avals: Any, **params: Any) -> list[Any]:
        """Linear in each operand, the others being at their densest, all ones."""
        if len(self.linear_in) < len(avals):
            return dense_patterns(patterns, self.abstract(*map(aval_of, avals), **params))
        terms = []
        for k, p in enumerate(patterns):
            if p is not None:
                args: list[Any] = [np.ones(a.shape) for a in avals]
                args[k] = p.astype(float)
                terms.append(batched_pattern(self, len(p), args, [i == k for i in range(len(args))], params))
        return [np.logical_or.reduce(terms) if terms else None]


def zero_operand(x: Any) -> Any:
    """Zeros like the value `x`; in place of a Python number a Python number, which does not promote."""
    aval = aval_of(x)
    return aval.weak(0) if aval.weak else np.zeros(aval.shape, aval.dtype)


def instantiate(x: Any) -> Any:
    """Zeros for a symbolic zero; anything else is itself."""
    return np.zeros(x.aval.shape, x.aval.dtype) if is_zero(x) else x


def dense_patterns(patterns: Sequence[Any], avals: Sequence[Aval]) -> list[Any]:
    """Every entry of every inexact output depends on the union of the dependencies of the inputs."""
    live = [p.any(axis=tuple(range(1, p.ndim))) for p in patterns if p is not None]
    if not live:
        return [None] * len(avals)
    union = np.logical_or.reduce(live)
    return [
        np.broadcast_to(union.reshape(-1, *(1,) * a.ndim), (len(union), *a.shape)) if is_inexact(a.dtype) else None
        for a in avals
    ]


def linear_pattern(prim: Primitive, patterns: Sequence[Any], avals: Sequence[Aval], params: dict[str, Any]) -> Any:
    live = [p for p in patterns if p is not None]
    if not live:
        return None
    size = len(live[0])
    args = [np.zeros((size, *a.shape)) if p is None else p.astype(float) for p, a in zip(patterns, avals, strict=True)]
    return batched_pattern(prim, size, args, [True] * len(args), params)


def batched_pattern(prim: Primitive, size: int, args: list[Any], batched: list[bool], params: dict[str, Any]) -> Any:
    with using(EVAL), np.errstate(all="ignore"):
        (out,) = prim.batch(size, args, batched, **params)
    return np.asarray(out) != 0


def total(terms: Any) -> Any:
    """The sum of values, some of them symbolic zeros."""
    out = None
    for t in terms:
        if out is None or is_zero(out):
            out = t
        elif not is_zero(t):
            out = out + t
    return out


def union_pattern(patterns: Sequence[Any], shape: tuple[int, ...]) -> list[Any]:
    """Of an elementwise operation: each output entry depends on what the operands' entries at its place depend on."""
    live = [p for p in patterns if p is not None]
    if not live:
        return [None]
    rows = len(live[0])
    aligned = [p.reshape(rows, *(1,) * (len(shape) + 1 - p.ndim), *p.shape[1:]) for p in live]
    return [np.broadcast_to(np.logical_or.reduce(np.broadcast_arrays(*aligned)), (rows, *shape))]
