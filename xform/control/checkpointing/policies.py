"""What `checkpoint` keeps of the values computed on the way, for the backward sweep not to compute them again.

A policy is asked of each operation, with the avals of its operands and its parameters, whether its results are worth
keeping. The names are those of `jax.checkpoint_policies`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from xform.core import tree
from xform.core.aval import Aval
from xform.core.primitive import Primitive
from xform.ops.contraction.contract import contract
from xform.ops.convolution.convolve import convolve
from xform.ops.identity import name as named

#: (primitive, *avals of its operands, **its parameters) -> is the result worth keeping?
Policy = Callable[..., bool]


def everything_saveable(prim: Primitive, *avals: Aval, **params: Any) -> bool:
    """Keep everything: as if there were no checkpoint."""
    return True


def nothing_saveable(prim: Primitive, *avals: Aval, **params: Any) -> bool:
    """Keep nothing, compute everything again."""
    return False


def dots_saveable(prim: Primitive, *avals: Aval, **params: Any) -> bool:
    """Keep the results of contractions (matrix products, einsum) and convolutions, which are dear to compute."""
    return prim in (contract, convolve)


def dots_with_no_batch_dims_saveable(prim: Primitive, *avals: Aval, **params: Any) -> bool:
    """Keep the results of contractions without a batch axis, as those of layers of weights."""
    if prim is not contract:
        return False
    i, j, o = params["spec"]
    return not any(label in j and label in o for label in i)


def save_only_these_names(*names: str) -> Policy:
    """Keep the values that `checkpoint_name` gave one of these names."""

    def policy(prim: Primitive, *avals: Aval, **params: Any) -> bool:
        return prim is named and params["name"] in names

    return policy


def save_any_names_but_these(*names: str) -> Policy:
    """Keep the values that `checkpoint_name` gave a name which is none of these."""

    def policy(prim: Primitive, *avals: Aval, **params: Any) -> bool:
        return prim is named and params["name"] not in names

    return policy


def save_anything_except_these_names(*names: str) -> Policy:
    """Keep everything but the values that `checkpoint_name` gave one of these names."""

    def policy(prim: Primitive, *avals: Aval, **params: Any) -> bool:
        return prim is not named or params["name"] not in names

    return policy


def save_from_both_policies(first: Policy, second: Policy) -> Policy:
    """Keep what one of two policies keeps."""

    def policy(prim: Primitive, *avals: Aval, **params: Any) -> bool:
        return first(prim, *avals, **params) or second(prim, *avals, **params)

    return policy


checkpoint_dots = dots_saveable


checkpoint_dots_with_no_batch_dims = dots_with_no_batch_dims_saveable


def checkpoint_name(x: Any, name: str) -> Any:
    """The tree of arrays `x` itself, under a name by which the policies of `checkpoint` know it.

    >>> import numpy as np, xform
    >>> f = lambda x: np.sin(xform.checkpoint_name(np.exp(x), "exp"))
    >>> keeps_exp = xform.checkpoint(f, policy=xform.checkpoint_policies.save_only_these_names("exp"))
    >>> print(f"{xform.grad(keeps_exp)(1.0):.6f}")
    -2.478350
    """
    if not isinstance(name, str):
        raise TypeError(f"checkpoint_name: the name must be a string, not {name!r:.60}")
    return tree.map(lambda leaf: named(leaf, name=name), x)
