"""Elementwise operations broadcast by themselves, and do not mind in which shape their operands come.

f(broadcast(x), y) = f(x', y)              where the shape of f is that of y, and x' has axes of size one at most
f(reshape(x), reshape(y), 2) = reshape(f(x, y, 2))
f(const, y) = f(number, y)                 where all entries of the const are one number
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from xform.compile.passes.rewriting import Rewriting
from xform.core.jaxpr import Atom, Eqn, Literal
from xform.ops.structure import broadcast, reshape

Found = Sequence[Atom] | None


def without_copies(p: Rewriting, eqn: Eqn) -> Found:
    """With operands that are not repeated, where the operation itself repeats them."""
    shape, inputs = eqn.outputs[0].aval.shape, list(eqn.inputs)
    if not shape or None in shape:
        return None
    for k, x in enumerate(inputs):
        if not x.aval.shape:
            continue
        smaller = unrepeated(p, x)
        if smaller is None:
            continue
        others = [a.aval.shape for a in (*inputs[:k], *inputs[k + 1 :])]
        if np.broadcast_shapes(smaller[1], *others) == shape:
            source, wanted = smaller
            inputs[k] = source if source.aval.shape == wanted else p.make(eqn, reshape, source, shape=wanted)
    return None if inputs == list(eqn.inputs) else [p.make(eqn, eqn.prim, *inputs)]


def unrepeated(p: Rewriting, x: Atom) -> tuple[Atom, tuple[int, ...]] | None:
    """What is repeated in x, and the shape in which it broadcasts to x."""
    number = p.number(x)
    if number is not None:
        return Literal(number), ()
    made = p.made.get(x)
    if made is None:
        return None
    if made.prim is broadcast:
        axes, source = made.params["axes"], made.inputs[0]
        wanted = trimmed(tuple(1 if k in axes else n for k, n in enumerate(x.aval.shape)), len(source.aval.shape))
        return (strong_literal(source), wanted) if wanted != x.aval.shape else None
    if made.prim is reshape:
        source = made.inputs[0]
        wanted = trimmed(x.aval.shape, len(source.aval.shape))
        return (source, wanted) if wanted == source.aval.shape != x.aval.shape else None
    return None


def trimmed(shape: tuple[int, ...], rank: int) -> tuple[int, ...]:
    """The shape without leading axes of size one, but not of lower rank than given."""
    k = 0
    while len(shape) - k > rank and shape[k] == 1:
        k += 1
    return shape[k:]


def strong_literal(atom: Atom) -> Atom:
    return Literal(atom.aval.dtype.type(atom.value)) if isinstance(atom, Literal) else atom


def in_the_shape_of_operands(p: Rewriting, eqn: Eqn) -> Found:
    """A change of shape moves behind the operation, where it meets others or nobody needs it."""
    shape = eqn.outputs[0].aval.shape
    sources: list[Atom] = []
    inner: tuple[int, ...] | None = None
    for x in eqn.inputs:
        if not x.aval.shape:
            sources.append(x)
            continue
        made = p.maker(x, reshape)
        if made is None or x.aval.shape != shape or inner not in (None, made.inputs[0].aval.shape):
            return None
        inner = made.inputs[0].aval.shape
        sources.append(made.inputs[0])
    if inner is None:
        return None
    return [p.make(eqn, reshape, p.make(eqn, eqn.prim, *sources), shape=shape)]


ELEMENTWISE = (without_copies, in_the_shape_of_operands)
