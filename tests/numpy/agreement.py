"""Does a NumPy function do on tracers what it does on arrays, and are its derivatives right?

The function is called through NumPy's own door (`numpy.f(tracer)`): under linearize, whose tracers have values; under
vmap, whose batch rules must agree with a single call; and staged, where only shapes and dtypes are known.
"""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import xform
from tests.numeric import assert_close, assert_same, directional, eps_of, random_like
from xform import tree
from xform.core.aval import aval_of

Outcome = tuple[Any, type[Exception] | None, set[type[Warning]]]


def outcome(f: Callable[..., Any], *args: Any) -> Outcome:
    """The result or the type of the error of a call, and the kinds of its warnings."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            value, error = f(*args), None
        except Exception as e:  # noqa: BLE001  # any error is an outcome here
            value, error = None, type(e)
    return value, error, {w.category for w in caught}


def linearized(f: Callable[..., Any], *args: Any) -> Any:
    """f(*args) with the inexact arguments traced."""
    active = [k for k, x in enumerate(args) if np.asarray(x).dtype.kind in "fc"]

    def of_active(*xs: Any) -> Any:
        full = list(args)
        for k, x in zip(active, xs, strict=True):
            full[k] = x
        return f(*full)

    return xform.linearize(of_active, *(args[k] for k in active))[0]


def mapped(f: Callable[..., Any], *args: Any) -> Any:
    """The second of two equal rows of f under vmap, all arguments traced."""
    rows = xform.vmap(f)(*(np.stack([x, x]) for x in args))
    return tree.map(lambda y: y[1], rows)


def staged(f: Callable[..., Any], *args: Any) -> Any:
    """What the jaxpr of f computes, after its word on shapes and dtypes has been compared with that."""
    jaxpr, result = xform.make_jaxpr(f, return_shape=True)(*args)
    outs = jaxpr(*args)
    assert [aval_of(y) for y in outs] == jaxpr.out_avals
    return tree.unflatten(tree.structure(result), outs)


DOORS = {"linearize": linearized, "vmap": mapped}


def check_agrees(
    f: Callable[..., Any], *args: Any, doors: Sequence[str] = ("linearize", "vmap"), ulps: float = 16
) -> None:
    """f(*args) has the same value, dtype, error and warnings with its array arguments traced.

    Errors may be subclasses of NumPy's (those that xform raises are). Warnings are compared where values are known,
    and finite: derivatives at infinities and nan may warn of their own.
    """
    wanted, error, warned = outcome(f, *args)
    for door in doors:
        actual, actual_error, actually_warned = outcome(DOORS[door], f, *args)
        if error is not None or actual_error is not None:
            assert error is not None, f"{door}: {actual_error}, NumPy gives {wanted!r}"
            assert actual_error is not None, f"{door}: {actual!r}, NumPy raises {error}"
            assert issubclass(actual_error, error), f"{door}: {actual_error}, NumPy raises {error}"
            continue
        check_same(actual, wanted, ulps)
        if door == "vmap":  # which needs no values either
            actual, actual_error, _ = outcome(staged, f, *args)
            assert actual_error is None, f"staged: {actual_error}, NumPy gives {wanted!r}"
            check_same(actual, wanted, ulps)
        if door == "linearize" and all(np.isfinite(x).all() for x in args):
            assert actually_warned == warned, f"{door}: warned {actually_warned}, NumPy {warned}"


def check_same(actual: Any, wanted: Any, ulps: float) -> None:
    if type(wanted) in (tuple, list):
        assert len(actual) == len(wanted)
        for a, w in zip(actual, wanted, strict=True):
            check_same(a, w, ulps)
        return
    assert_same(actual, wanted, ulps * eps_of(wanted))


def check_derivatives(f: Callable[..., Any], *args: Any, order: int = 2, tolerance: float = 1e-6) -> None:
    """jvp against central differences, vjp against jvp, and for second order the same of the gradient.

    `f` maps arrays of float64 (or complex128) to one such array.
    """
    rng = np.random.default_rng(7)
    vs = [random_like(x, rng) for x in args]
    y, y_dot = xform.jvp(f, args, tuple(vs))
    assert_close(y_dot, directional(lambda *xs: [f(*xs)], args, vs)[0], tolerance)
    w = random_like(y, rng)
    _, pullback = xform.vjp(f, *args)
    bars = pullback(w)
    for x, bar in zip(args, bars, strict=True):
        assert np.shape(bar) == np.shape(x)
        assert np.asarray(bar).dtype == np.asarray(x).dtype
    left = np.sum(np.multiply(w, y_dot)).real
    right = sum(np.sum(np.multiply(b, v)).real for b, v in zip(bars, vs, strict=True))
    assert_close(left, right, tolerance)
    if order > 1:
        check_derivatives(lambda *xs: weighted_gradient(f, w, xs), *args, order=order - 1, tolerance=10 * tolerance)


def weighted_gradient(f: Callable[..., Any], w: Any, xs: Sequence[Any]) -> Any:
    """The first cotangent of <w, f>, differentiable in turn."""
    _, pullback = xform.vjp(f, *xs)
    return pullback(w)[0]


#: parameters that NumPy has only from 2.5 on, and that are refused with traced arrays
LATER = {"descending"}


def check_signature(ours: Callable[..., Any], theirs: Callable[..., Any]) -> None:
    """The same parameters in name, order and kind."""
    a, b = (list(inspect.signature(f).parameters.values()) for f in (ours, theirs))
    assert [(p.name, p.kind) for p in a] == [(p.name, p.kind) for p in b if p.name not in LATER]


def numbers(dtype: Any, special: bool = True) -> st.SearchStrategy[Any]:
    """Small numbers of a dtype, many of them equal; with `special` also nan and infinities."""
    dtype = np.dtype(dtype)
    if dtype.kind == "b":
        return st.booleans()
    if dtype.kind in "iu":
        return st.integers(0 if dtype.kind == "u" else -5, 5)
    parts = st.integers(-8, 8).map(lambda n: n / 4)
    if dtype.kind == "c":
        return st.builds(complex, parts, parts)
    return st.one_of(parts, parts, st.sampled_from([np.nan, np.inf, -np.inf])) if special else parts


def arrays(
    dtypes: Sequence[Any] = ("float64", "float32", "complex128", "int64", "int8", "bool"),
    shapes: Any = None,
    special: bool = True,
) -> st.SearchStrategy[np.ndarray]:
    """Small arrays, some of them empty."""
    shapes = hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4) if shapes is None else shapes
    return st.sampled_from(dtypes).flatmap(
        lambda dtype: hnp.arrays(np.dtype(dtype), shapes, elements=numbers(dtype, special), fill=st.nothing())
    )


axes = st.one_of(st.none(), st.integers(-4, 3), st.lists(st.integers(-3, 2), max_size=3).map(tuple))
valid_axes = st.sampled_from([None, 0, 1, -1, (0, 1), (1,), ()])  # of a matrix
