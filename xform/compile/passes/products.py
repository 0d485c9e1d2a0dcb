"""Contractions by their labels: a transposition is another order of labels, a product without a sum is `mul`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from xform.compile.passes.rewriting import Rewriting
from xform.core.jaxpr import Atom, Eqn
from xform.core.primitive import Primitive
from xform.ops.arithmetic import mul
from xform.ops.contraction.contract import contract
from xform.ops.contraction.labels import Spec, groups
from xform.ops.structure import broadcast, reshape, transpose

Found = Sequence[Atom] | None


def plain_product(p: Rewriting, eqn: Eqn) -> Found:
    """Nothing is summed, and the labels of both operands stand in the order of the result: x * y with axes of size one.

    An outer product stays what it is.
    """
    i, j, o = eqn.params["spec"]
    if groups((i, j, o)).inner or o not in (i, j):
        return None
    operands = [aligned(p, eqn, x, labels, o) for x, labels in zip(eqn.inputs, (i, j), strict=True)]
    if any(x is None for x in operands):
        return None
    x, y = operands
    return [p.make(eqn, mul, x, y)]  # type: ignore[arg-type]


def aligned(p: Rewriting, eqn: Eqn, x: Atom, labels: str, wanted: str) -> Atom | None:
    """The operand with axes of size one for the labels that it lacks, if its own stand in the wanted order."""
    if labels != "".join(k for k in wanted if k in labels):
        return None
    if not labels or labels == wanted[len(wanted) - len(labels) :]:
        return x
    sizes = dict(zip(labels, x.aval.shape, strict=True))
    first = min(wanted.index(k) for k in labels)
    return p.make(eqn, reshape, x, shape=tuple(sizes.get(k, 1) for k in wanted[first:]))


def moved_operands(p: Rewriting, eqn: Eqn) -> Found:
    """An operand that is transposed is read by other labels; one that is repeated has not the label of its copies."""
    operands, spec = list(eqn.inputs), list(eqn.params["spec"])
    for k in (0, 1):
        turned = p.maker(operands[k], transpose)
        if turned:
            operands[k] = turned.inputs[0]
            order = turned.params["permutation"]
            spec[k] = "".join(spec[k][order.index(axis)] for axis in range(len(order)))
            continue
        repeated = p.maker(operands[k], broadcast)
        if repeated and all(spec[k][a] in spec[1 - k] and spec[k][a] in spec[2] for a in repeated.params["axes"]):
            operands[k] = repeated.inputs[0]
            spec[k] = "".join(label for a, label in enumerate(spec[k]) if a not in repeated.params["axes"])
    new: Spec = (spec[0], spec[1], spec[2])
    return None if new == eqn.params["spec"] else [p.make(eqn, contract, *operands, spec=new)]


def moved_result(p: Rewriting, eqn: Eqn) -> Found:
    """A result that only its transpose is read of is computed in that order."""
    (x,), permutation = eqn.inputs, eqn.params["permutation"]
    source = p.maker(x, contract)
    if source is None or not p.is_single(x):
        return None
    i, j, o = source.params["spec"]
    return [p.make(eqn, contract, *source.inputs, spec=(i, j, "".join(o[k] for k in permutation)))]


ROWS: dict[Primitive, tuple[Any, ...]] = {contract: (moved_operands, plain_product), transpose: (moved_result,)}
