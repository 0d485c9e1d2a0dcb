"""Common subexpressions: what has been computed is not computed again.

Two eqns compute the same if they have the same primitive, inputs and parameters. Literals are the same if they agree in
value, type and sign of zero; parameters that cannot be compared are the same if they are one object. An eqn with an
effect is never left out, and what is computed before it is computed again after it. What stands behind a barrier stays
there: so a checkpointed program, which computes its residuals again, keeps doing so.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from xform.compile.passes.rewriting import Rewriting
from xform.core.jaxpr import Atom, Eqn, Literal
from xform.ops.identity import optimization_barrier


def seen_before(program: Rewriting, eqn: Eqn) -> Sequence[Atom] | None:
    """The outputs of an earlier eqn that computes the same."""
    if eqn.effect:
        program.seen.clear()
        return None
    if eqn.prim is optimization_barrier:
        return None
    key = (eqn.prim, *[literal_key(a.value) if type(a) is Literal else a for a in eqn.inputs], params_key(eqn.params))
    earlier = program.seen.setdefault(key, eqn)
    return None if earlier is eqn else earlier.outputs


def literal_key(value: Any) -> Any:
    """Equal for literals that are the same bit by bit."""
    kind = type(value)
    if value == value and value and not isinstance(value, complex):  # neither nan nor a zero
        return kind, value
    return kind, repr(value)


def params_key(params: dict[str, Any]) -> Any:
    if not params:
        return ()
    items = tuple(params.items())
    try:
        hash(items)
    except TypeError:
        return tuple((name, hashable(x)) for name, x in items)
    return items


def hashable(x: Any) -> Any:
    """The value, or for one that has no hash its identity (the eqn keeps it alive)."""
    try:
        hash(x)
    except TypeError:
        return "object", id(x)
    return x
