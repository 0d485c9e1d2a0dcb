"""Identities on trees, which mean something to transformations and compilers alone."""

from __future__ import annotations

from typing import TypeVar

from xform.core import tree
from xform.core.aval import is_inexact
from xform.core.stage import avals_of
from xform.core.trace import Tracer
from xform.ops import identity as ops

__all__ = ["optimization_barrier", "stop_gradient"]

T = TypeVar("T")


def stop_gradient(x: T) -> T:
    """The tree `x`, taken for a constant by every derivative: d stop_gradient(x) / dx = 0.

    Integers and booleans, which have no derivative, are left as they are. Raises TypeError for leaves that are not
    arrays or numbers.

    >>> import xform
    >>> xform.grad(lambda x: x * stop_gradient(x))(3.0)
    np.float64(3.0)
    """
    leaves, structure = tree.flatten(x)
    avals = avals_of("stop_gradient", "the tree", x, leaves)
    stopped = [
        ops.stop_gradient(leaf) if isinstance(leaf, Tracer) and is_inexact(aval.dtype) else leaf
        for leaf, aval in zip(leaves, avals, strict=True)
    ]
    return tree.unflatten(structure, stopped)


def optimization_barrier(operand: T, /) -> T:
    """The tree as it is; no compiler pass moves, merges or removes computations across it.

    None of the results is there before all of the leaves are. Derivatives pass, through barriers of their own. Raises
    TypeError for leaves that are not arrays or numbers.

    >>> import xform
    >>> print(xform.make_jaxpr(lambda x: optimization_barrier((x, 2.0 * x)))(1.0))
    { lambda ; a:f64[]. let
        b:f64[] = mul 2.0 a
        c:f64[] d:f64[] = optimization_barrier a b
      in (c, d) }
    """
    leaves, structure = tree.flatten(operand)
    avals_of("optimization_barrier", "the tree", operand, leaves)
    return tree.unflatten(structure, ops.optimization_barrier.bind(*leaves) if leaves else [])
