"""One walk through a program with all rules that look at an eqn and at those that made its operands."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

from xform.compile.passes import algebra, movement, products
from xform.compile.passes.broadcasting import ELEMENTWISE
from xform.compile.passes.common import seen_before
from xform.compile.passes.folding import folded
from xform.compile.passes.rewriting import Rewriting, Rule
from xform.core.jaxpr import Jaxpr
from xform.core.primitive import Primitive
from xform.ops.elementwise import Elementwise
from xform.ops.select import Select


@cache
def rules(prim: Primitive) -> Sequence[Rule]:
    """Constants first, for which no identity is needed; what is left is compared with what has been computed."""
    own = [*algebra.ROWS.get(prim, ()), *movement.ROWS.get(prim, ()), *products.ROWS.get(prim, ())]
    family = ELEMENTWISE if isinstance(prim, Elementwise | Select) else ()
    return (folded, *own, *family, seen_before)


def simplify(jaxpr: Jaxpr) -> Jaxpr:
    """Constants folded, identities applied, moves of entries joined, common subexpressions computed once."""
    return Rewriting(jaxpr, rules).run()
