"""What is checked of a sample call: values behind every door, derivatives in both modes, vmap."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import xform
import xform.numpy as xnp
from tests.numeric import assert_same, eps_of, random_like
from tests.numpy.surface.base import Sample
from tests.numpy.surface.reasons import OUR_DOOR, OUR_FORM
from xform import tree
from xform.testing import check_grads, check_vmap

#: entries that are no arrays: they are compared with ==
OTHERS = str | type | np.dtype | bool | None


def traced_call(name: str, sample: Sample) -> Callable[..., Any]:
    """The call through NumPy's own door, if it takes traced values there."""
    return sample.bound(xnp if name in OUR_DOOR | OUR_FORM or not in_numpy(name) else np, name)


def reference_call(name: str, sample: Sample) -> Callable[..., Any]:
    return sample.bound(np if in_numpy(name) and name not in OUR_FORM else xnp, name)


def in_numpy(name: str) -> bool:
    return hasattr(np, name.partition(".")[0])


def check_same(found: Any, wanted: Any, ulps: float = 64) -> None:
    """The same structure, dtypes, shapes, and the same numbers up to rounding."""
    found_leaves, found_tree = tree.flatten(found)
    wanted_leaves, wanted_tree = tree.flatten(wanted)
    assert found_tree == wanted_tree
    for a, b in zip(found_leaves, wanted_leaves, strict=True):
        if isinstance(b, OTHERS):
            assert a == b
        else:
            assert_same(a, b, ulps * eps_of(b))


def inside(transform: Callable[[Callable[..., Any]], Any], f: Callable[..., Any]) -> Any:
    """What f returns inside a transformation, for results that it could not return."""
    seen = []

    def looking(*xs: Any) -> Any:
        seen.append(f(*xs))
        return xs

    transform(looking)
    return seen[0]


def by_linearize(f: Callable[..., Any], xs: Any) -> Any:
    active = [k for k, x in enumerate(xs) if x.dtype.kind in "fc"]

    def of_active(*given: Any) -> Any:
        full = list(xs)
        for k, x in zip(active, given, strict=True):
            full[k] = x
        return f(*full)

    return xform.linearize(of_active, *(xs[k] for k in active))[0]


def by_vmap(f: Callable[..., Any], xs: Any) -> Any:
    return tree.map(lambda y: y[1], xform.vmap(f)(*(np.stack([x, x]) for x in xs)))


def by_stage(f: Callable[..., Any], xs: Any) -> Any:
    jaxpr, shapes = xform.make_jaxpr(f, return_shape=True)(*xs)
    return tree.unflatten(tree.structure(shapes), jaxpr(*xs))


def by_jit(f: Callable[..., Any], xs: Any, backend: str = "numpy") -> Any:
    return xform.jit(f, backend=backend)(*xs)


EAGER = {"linearize": by_linearize}
UNKNOWN = {"vmap": by_vmap, "stage": by_stage, "jit": by_jit}


def check_value(name: str, sample: Sample, doors: dict[str, Any]) -> None:
    """The value of xform.numpy's function, and that of NumPy's function on traced values behind every door."""
    wanted = reference_call(name, sample)(*sample.operands)
    check_same(sample.bound(xnp, name)(*sample.operands), wanted, 0)
    f = traced_call(name, sample)
    for door, enter in doors.items():
        if sample.operands:
            try:
                check_same(enter(f, sample.operands), wanted)
            except Exception as error:
                error.add_note(f"{name}{sample} by {door}")
                raise


def check_unchanged(name: str, sample: Sample, doors: dict[str, Any]) -> None:
    """The same for what returns no array: looked at inside."""
    wanted = reference_call(name, sample)(*sample.operands)
    check_same(sample.bound(xnp, name)(*sample.operands), wanted, 0)
    f = traced_call(name, sample)
    for enter in doors.values() if sample.operands else ():
        check_same(inside(lambda g, enter=enter: enter(g, sample.operands), f), wanted)


def check_derivatives(name: str, sample: Sample, order: int = 2) -> None:
    f = traced_call(name, sample)
    coarse = eps_of(*sample.operands, *tree.leaves(f(*sample.operands))) > eps_of(1.0)
    allowed = None if coarse else 2e-6
    check_grads(f, sample.operands, order=1 if coarse else order, atol=allowed, rtol=allowed)


def check_compiled_gradient(name: str, sample: Sample, backend: str) -> None:
    """The cotangents of the operands by a jitted function, against those without compilation."""
    xs, rng = sample.operands, np.random.default_rng(5)
    f = traced_call(name, sample)
    y_bar = tree.map(lambda y: random_like(y, rng), f(*xs))
    active = [k for k, x in enumerate(xs) if x.dtype.kind in "fc"]

    def pulled_back(*given: Any) -> Any:
        def of_active(*moved: Any) -> Any:
            full = list(xs)
            for k, x in zip(active, moved, strict=True):
                full[k] = x
            return f(*full)

        return xform.vjp(of_active, *given)[1](y_bar)

    given = [xs[k] for k in active]
    wanted = pulled_back(*given)
    ulps = 1e4 * eps_of(*xs, *tree.leaves(f(*xs))) / eps_of(1.0)
    check_same(xform.jit(pulled_back, backend=backend)(*given), wanted, ulps)


def check_batch(name: str, sample: Sample) -> None:
    """Two examples by vmap against a loop."""
    rows = tuple(np.stack([x, 1.1 * x]) if x.dtype.kind in "fc" else np.stack([x, x]) for x in sample.operands)
    rows = tuple(r.astype(x.dtype) for r, x in zip(rows, sample.operands, strict=True))
    check_vmap(traced_call(name, sample), rows)


def refuses(name: str, sample: Sample) -> None:
    """Where the shape of a result depends on entries that are not known, that is said."""
    for door in UNKNOWN.values():
        with pytest.raises(xform.ConcretizationError, match="only known by shape and dtype"):
            door(traced_call(name, sample), sample.operands)
