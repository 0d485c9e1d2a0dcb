"""Sparsity as the user knows it: which entries of each argument does each entry of the result depend on?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from xform.core.aval import Aval, is_inexact
from xform.ops.family import union_pattern


def given_pattern(
    title: str, rule: Any, patterns: Sequence[Any], avals: Sequence[Aval], outs: Sequence[Aval]
) -> list[Any]:
    """The patterns of the result, from those of the arguments and the user's: booleans of shape y.shape + x.shape.

    TypeError if the rule says something of another shape than the Jacobian's.
    """
    if len(outs) != 1:
        raise TypeError(f"{title}: sparsity= can be given for one result only, the function has {len(outs)}")
    (y,) = outs
    if not is_inexact(y.dtype):
        return [None]
    if rule == "elementwise":
        return union_pattern(patterns, y.shape)
    found = rule(*avals)
    found = found if isinstance(found, tuple | list) else (found,)
    if len(found) != len(avals):
        raise TypeError(f"{title}: the sparsity rule returned {len(found)} patterns; wanted {len(avals)}, per argument")
    total: Any = None
    for k, (given, p, x) in enumerate(zip(found, patterns, avals, strict=True)):
        if p is None:
            continue
        jacobian = np.asarray(given)
        if jacobian.shape != (*y.shape, *x.shape):
            raise TypeError(
                f"{title}: the sparsity rule returned a pattern of shape {jacobian.shape} for argument {k}; wanted "
                f"{(*y.shape, *x.shape)}, the shape of the result and that of the argument"
            )
        term = p.reshape(len(p), x.size).astype(float) @ jacobian.reshape(y.size, x.size).T.astype(float) > 0
        total = term if total is None else total | term
    return [None if total is None else total.reshape(-1, *y.shape)]
