"""Functions of the entries of arrays: operators on small arrays, ufuncs with `out=` on large ones."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from xform.compile.source.memory import key_of
from xform.compile.source.signs import SIGNS
from xform.core.jaxpr import Eqn, Literal
from xform.ops.elementwise import BY_UFUNC

if TYPE_CHECKING:
    from xform.compile.source.writer import Operand, Writer


def ufunc_text(w: Writer, prim: Any) -> str | None:
    """The ufunc that computes the primitive, as text."""
    ufunc = prim.function if isinstance(prim.function, np.ufunc) else None
    if ufunc is None and SIGNS.get(prim.function, ("", False))[1]:
        ufunc = next((u for u, p in BY_UFUNC.items() if p is prim), None)
    if ufunc is None:
        return None
    name = ufunc.__name__
    return f"np.{name}" if getattr(np, name, None) is ufunc else w.constant(ufunc, f"{name}_")


def elementwise(w: Writer, eqn: Eqn, operands: list[Operand]) -> bool:
    """Write the eqn, if its function is an operator or a ufunc."""
    prim: Any = eqn.prim
    (v,) = eqn.outputs
    sign = SIGNS.get(prim.function)
    if sign is None and not isinstance(prim.function, np.ufunc):
        return guarded_product(w, eqn, operands)
    if all(isinstance(x, Literal) for x in operands):
        return False
    if is_square(eqn, operands):
        texts = [w.array(operands[0])]
        w.assign_into(v, lambda out: f"{texts[0]} ** 2" if out is None else f"np.square({texts[0]}, out={out})")
        return True
    plain = sign is not None and not sign[1]
    texts = [w.array(x) if plain else w.term(x, operands) for x in operands]
    function = ufunc_text(w, prim)
    called = f"{function}({', '.join(texts)}"

    def text(out: str | None) -> str:
        if out is not None and function is not None:
            return f"{called}, out={out})"
        return sign[0].format(*texts) if sign else f"{called})"

    if plain or key_of(v.aval) is None:
        w.assign(v, text(None))
    else:
        w.assign_into(v, text)
    return True


def is_square(eqn: Eqn, operands: list[Operand]) -> bool:
    """x ** 2 of a large array of floats, for which NumPy computes squares."""
    if eqn.prim.name != "pow" or key_of(eqn.outputs[0].aval) is None:
        return False
    x, n = operands
    return isinstance(n, Literal) and type(n.value) in (int, float) and n.value == 2 and x.aval.dtype.kind in "fc"


PRODUCTS = {"mul_zero": "help.multiply_zero", "mul_zeros": "help.multiply_zeros"}


def guarded_product(w: Writer, eqn: Eqn, operands: list[Operand]) -> bool:
    """Products in which zero times anything is zero."""
    (v,) = eqn.outputs
    if eqn.prim.name not in PRODUCTS or not v.aval.shape or all(isinstance(x, Literal) for x in operands):
        return False
    called = f"{PRODUCTS[eqn.prim.name]}({', '.join(w.array(x) for x in operands)}"
    w.assign_into(v, lambda out: f"{called})" if out is None else f"{called}, out={out})")
    return True
