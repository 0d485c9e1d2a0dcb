"""Algebraic identities that hold bit by bit, for inf, nan, zeros of either sign and denormal numbers too.

What is missing here is missing for a reason: x + 0 is not x for x = -0, 0 x is not 0 for an infinite x, -(a - b) is
not b - a for a = b, not (a < b) is not a >= b for nan, and a complex product with 1 makes nan of an infinite part.
The sign of a nan, which says nothing, is not preserved.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from xform.compile.passes.rewriting import Rewriting
from xform.core.jaxpr import Atom, Eqn, Literal
from xform.core.primitive import Primitive
from xform.ops import arithmetic as ar
from xform.ops import logic
from xform.ops.identity import name, stop_gradient
from xform.ops.select import select
from xform.ops.structure import convert, reduce_sum
from xform.ops.transcendental import sqrt

Found = Sequence[Atom] | None


def unit_factor(p: Rewriting, eqn: Eqn) -> Found:
    """x * 1 = x and x * -1 = -x, of real numbers."""
    for x, other in (eqn.inputs, eqn.inputs[::-1]):
        c = p.number(other)
        if c is not None and x.aval == eqn.outputs[0].aval:
            if c == 1 and x.aval.dtype.kind in "fiu":
                return [x]
            if c == -1 and x.aval.dtype.kind in "fi":
                return [p.make(eqn, ar.neg, x)]
    return None


def negated_factors(p: Rewriting, eqn: Eqn) -> Found:
    """(-a)(-b) = a b and (-a) / (-b) = a / b; (-a) c = a (-c) and (-a) / c = a / (-c): a sign moves into a literal."""
    if eqn.outputs[0].aval.dtype.kind != "f":
        return None
    (a, b), sources = eqn.inputs, [p.maker(x, ar.neg) for x in eqn.inputs]
    if sources[0] and sources[1]:
        return [p.make(eqn, eqn.prim, sources[0].inputs[0], sources[1].inputs[0])]
    if sources[0] and is_float(b):
        return [p.make(eqn, eqn.prim, sources[0].inputs[0], minus(b))]
    if sources[1] and is_float(a):
        return [p.make(eqn, eqn.prim, minus(a), sources[1].inputs[0])]
    return None


def unit_divisor(p: Rewriting, eqn: Eqn) -> Found:
    """x / 1 = x; x / 2^k = x 2^-k, of which both sides are the same real number, rounded."""
    x, other = eqn.inputs
    c = p.number(other)
    if c is None or x.aval != eqn.outputs[0].aval or x.aval.dtype.kind != "f" or isinstance(c, complex):
        return None
    if c == 1:
        return [x]
    if math.isfinite(c) and abs(math.frexp(c)[0]) == 0.5 and 2.0**-60 < abs(c) < 2.0**60 and type(other) is Literal:
        factor = 1 / c if isinstance(c, np.inexact) else 1.0 / float(c)
        return [p.make(eqn, ar.mul, x, Literal(factor))]
    return None


def zero_subtrahend(p: Rewriting, eqn: Eqn) -> Found:
    """x - (+0) = x."""
    x, other = eqn.inputs
    c = p.number(other)
    return [x] if is_zero(c, 1.0) and x.aval == eqn.outputs[0].aval and x.aval.dtype.kind in "fiu" else None


def zero_summand(p: Rewriting, eqn: Eqn) -> Found:
    """x + (-0) = x; of integers, whose zero has no sign, x + 0 = x."""
    for x, other in (eqn.inputs, eqn.inputs[::-1]):
        c = p.number(other)
        if c is not None and x.aval == eqn.outputs[0].aval:
            kind = x.aval.dtype.kind
            if (kind in "iu" and is_zero(c, 1.0)) or (kind == "f" and is_zero(c, -1.0)):
                return [x]
    return None


def negated_summand(p: Rewriting, eqn: Eqn) -> Found:
    """a + (-b) = a - b; (-a) + b = b - a; a - (-b) = a + b."""
    a, b = eqn.inputs
    if eqn.outputs[0].aval.dtype.kind not in "fc":
        return None
    inner = without_sign(p, eqn, b)
    if inner is not None:
        return [p.make(eqn, ar.sub if eqn.prim is ar.add else ar.add, a, inner)]
    inner = without_sign(p, eqn, a) if eqn.prim is ar.add else None
    return None if inner is None else [p.make(eqn, ar.sub, b, inner)]


def without_sign(p: Rewriting, eqn: Eqn, x: Atom) -> Atom | None:
    """y if x is -y, and y z if x is a product (-y) z, real, that nobody else reads: (-y) z = -(y z), both rounded."""
    source = p.made.get(x)
    if source is None or source.prim is ar.neg:
        return source and source.inputs[0]
    if source.prim is ar.mul and x.aval.dtype.kind == "f" and p.is_single(x):
        for y, z in (source.inputs, source.inputs[::-1]):
            inner = p.maker(y, ar.neg)
            if inner:
                return p.make(eqn, ar.mul, inner.inputs[0], z)
    return None


def negated_sum(p: Rewriting, eqn: Eqn) -> Found:
    """c + sum(-x) = c - sum(x) for a number c that is not 0, which the sign of a sum that is 0 does not change."""
    for c, total in (eqn.inputs, eqn.inputs[::-1]):
        value, source = p.number(c), p.maker(total, reduce_sum)
        inner = p.maker(source.inputs[0], ar.neg) if source else None
        if (
            source
            and inner
            and value is not None
            and value != 0
            and total.aval.dtype.kind == "f"
            and p.is_single(total)
        ):
            return [p.make(eqn, ar.sub, c, p.make(eqn, reduce_sum, inner.inputs[0], axes=source.params["axes"]))]
    return None


def power(p: Rewriting, eqn: Eqn) -> Found:
    """x^1 = x, x^2 = x x, x^-1 = 1 / x, and for arrays x^(1/2) = sqrt(x): what NumPy computes for these exponents.

    Of a scalar NumPy takes the general power, of which x x is the correctly rounded value.
    """
    x, other = eqn.inputs
    if type(other) is not Literal or x.aval != eqn.outputs[0].aval or x.aval.dtype.kind not in "fiu":
        return None
    c, real = other.value, x.aval.dtype.kind == "f"
    if c == 1:
        return [x]
    if c == 2:
        return [p.make(eqn, ar.mul, x, x)]
    if c == -1 and real:
        return [p.make(eqn, ar.div, Literal(1), x)]
    return [p.make(eqn, sqrt, x)] if c == 0.5 and real and x.aval.shape else None


def square(p: Rewriting, eqn: Eqn) -> Found:
    """x^2 is written x x, so that it is found to be the same."""
    (x,) = eqn.inputs
    return [p.make(eqn, ar.mul, x, x)] if x.aval == eqn.outputs[0].aval and x.aval.dtype.kind in "fiu" else None


def twice(p: Rewriting, eqn: Eqn) -> Found:
    """f(f(x)) = x, for a sign, a logical or a bitwise not."""
    source = p.maker(eqn.inputs[0], eqn.prim)
    return [source.inputs[0]] if source and source.inputs[0].aval == eqn.outputs[0].aval else None


def not_equal(p: Rewriting, eqn: Eqn) -> Found:
    """not (a == b) is a != b, and the other way round: true of nan, as not (a < b) = (a >= b) is not."""
    for prim, other in ((logic.eq, logic.ne), (logic.ne, logic.eq)):
        source = p.maker(eqn.inputs[0], prim)
        if source:
            return [p.make(eqn, other, *source.inputs)]
    return None


def same_operands(p: Rewriting, eqn: Eqn) -> Found:
    """max(x, x) = x, and so of min, of `and` and of `or`."""
    a, b = eqn.inputs
    return [a] if a is b and a.aval == eqn.outputs[0].aval else None


def chosen(p: Rewriting, eqn: Eqn) -> Found:
    """select(c, a, a) = a; of a constant condition the branch it chooses; of a negated one the branches exchanged."""
    c, a, b = eqn.inputs
    aval, known = eqn.outputs[0].aval, p.number(c)
    if known is not None:
        picked = a if known else b
        return [picked] if picked.aval == aval and not picked.aval.weak else None
    if a is b and a.aval == aval:
        return [a]
    negated = p.maker(c, logic.logical_not)
    if negated:
        return [p.make(eqn, select, negated.inputs[0], b, a)]
    first, second = p.maker(a, select), p.maker(b, select)
    inner_a = first.inputs[1] if first and first.inputs[0] is c and first.inputs[1].aval == a.aval else a
    inner_b = second.inputs[2] if second and second.inputs[0] is c and second.inputs[2].aval == b.aval else b
    return None if inner_a is a and inner_b is b else [p.make(eqn, select, c, inner_a, inner_b)]


def converted(p: Rewriting, eqn: Eqn) -> Found:
    """convert(x) to its own dtype is x; on the way to a dtype, one that holds all values of x is left out."""
    (x,), dtype = eqn.inputs, eqn.params["dtype"]
    if x.aval.dtype == dtype and not x.aval.weak:
        return [x]
    inner = p.maker(x, convert)
    if inner and dtype.kind in "fc" and holds(x.aval.dtype, inner.inputs[0].aval.dtype):
        return [p.make(eqn, convert, inner.inputs[0], dtype=dtype)]
    return None


def identity(p: Rewriting, eqn: Eqn) -> Found:
    """What means something to transformations alone; when a program is compiled they have done their work."""
    return eqn.inputs


#: primitive -> the identities that begin with it
ROWS: dict[Primitive, tuple[Any, ...]] = {
    ar.mul: (unit_factor, negated_factors),
    ar.div: (unit_divisor, negated_factors),
    ar.sub: (zero_subtrahend, negated_summand),
    ar.add: (zero_summand, negated_summand, negated_sum),
    ar.neg: (twice,),
    ar.power: (power,),
    ar.square: (square,),
    ar.maximum: (same_operands,),
    ar.minimum: (same_operands,),
    logic.logical_not: (twice, not_equal),
    logic.invert: (twice,),
    logic.bitwise_and: (same_operands,),
    logic.bitwise_or: (same_operands,),
    logic.logical_and: (same_operands,),
    logic.logical_or: (same_operands,),
    select: (chosen,),
    convert: (converted,),
    stop_gradient: (identity,),
    name: (identity,),
}


def is_zero(c: Any, sign: float) -> bool:
    """Is it the real zero of that sign?"""
    return (
        c is not None and not isinstance(c, complex | np.complexfloating) and c == 0 and math.copysign(1.0, c) == sign
    )


def is_float(atom: Atom) -> bool:
    """Is it a literal that has a negative?"""
    return isinstance(atom, Literal) and isinstance(atom.value, int | float | np.floating) and bool(atom.value)


def minus(atom: Atom) -> Literal:
    """The negative of a literal."""
    assert isinstance(atom, Literal)
    return Literal(-atom.value)


def holds(wider: np.dtype, dtype: np.dtype) -> bool:
    """Does every number of a dtype have its exact image in the wider one, from which nothing is lost?"""
    if dtype.kind == "b" or (dtype.kind == wider.kind and dtype.itemsize <= wider.itemsize):
        return True
    if dtype.kind == "u" and wider.kind == "i":
        return dtype.itemsize < wider.itemsize
    if dtype.kind in "iu" and wider.kind in "fc":
        return 8 * dtype.itemsize <= np.finfo(wider).nmant
    return dtype.kind == "f" and wider.kind == "c" and 2 * dtype.itemsize <= wider.itemsize
