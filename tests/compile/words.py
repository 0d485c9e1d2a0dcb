"""What is done to the programs on which both backends are tested: transformations, with arguments for them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import xform
from xform import grad, jacfwd, jvp, tree, vmap

X, K = np.array([0.37, -0.61, 0.83, 0.29]), np.int64(2)
XS = np.stack([X, [-0.3, 0.5, -0.9, 0.7], [0.9, 0.2, 0.4, -0.8]])
KS = np.array([2, 0, 5])


def size(f: Any) -> Any:
    def total(x: Any, k: Any) -> Any:
        leaves = [y for y in tree.leaves(f(x, k)) if y.dtype.kind in "fc"]
        return sum((np.sum(np.real(y * y)) for y in leaves), 0.0)

    return total


#: of functions of numbers and a count, as random programs with control flow are
WORDS: dict[str, tuple[Any, tuple[Any, ...]]] = {
    "value": (lambda f: f, (X, K)),
    "grad": (lambda f: grad(size(f)), (X, K)),
    "jvp": (lambda f: lambda x, k: jvp(lambda x: f(x, k), (x,), (np.cos(X),)), (X, K)),
    "vmap": (vmap, (XS, KS)),
    "vmap of grad": (lambda f: vmap(grad(size(f))), (XS, KS)),
    "jacfwd of grad": (lambda f: jacfwd(grad(size(f))), (X, K)),
}


def on_floats(f: Callable[..., Any], point: Any) -> tuple[Callable[..., Any], list[Any]]:
    """The function of the inexact leaves of its argument, and these."""
    leaves, tree_def = xform.tree.flatten(point)
    moving = [k for k, x in enumerate(leaves) if np.asarray(x).dtype.kind in "fc"]

    def g(*xs: Any) -> Any:
        values = list(leaves)
        for k, x in zip(moving, xs, strict=True):
            values[k] = x
        return f(xform.tree.unflatten(tree_def, values))

    return g, [leaves[k] for k in moving]
