"""Calls with containers, names and static arguments go straight to the executable: the same results, the same kinds."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any, NamedTuple

import numpy as np
import pytest

import xform
from xform import jit
from xform.control.jitting.straight import MOST, packer, taker
from xform.core import tree


class Point(NamedTuple):
    x: Any
    y: Any


def taken(args: Any, kwargs: Any, static: Any = ()) -> Any:
    """What the code for such a call takes out of it."""
    moving = tuple(a for k, a in enumerate(args) if k not in dict(static))
    named = {k: a for k, a in kwargs.items() if k not in dict(static)}
    return taker(tree.structure((moving, named)), static)


TREES = [
    (),
    None,
    (1, [2, 3], {"b": 4, "a": (5, ())}),
    {"a'\"\\": 1, "": [None, {}]},
    [[[[7]]]],
    (Point(1, [2]), OrderedDict(b=3, a=4)),
    {1: 2, 0: (3,)},
]


@pytest.mark.parametrize("x", TREES, ids=str)
def test_results_are_put_together_as_unflatten_does(x: Any) -> None:
    leaves, structure = tree.flatten(x)
    found = packer(structure)(leaves)
    assert found == x
    assert tree.structure(found) == structure


@pytest.mark.parametrize("x", TREES[:5], ids=str)
def test_arguments_are_taken_apart_as_flatten_does(x: Any) -> None:
    args, kwargs = (x, 8), {"z": 9, "k": [10]}
    assert taken(args, kwargs)(args, kwargs) == tuple(tree.leaves((args, kwargs)))


@pytest.mark.parametrize(
    "args, kwargs",
    [
        (({"a": 1},), {"n": 3}),
        (({"a": 1, "c": 2},), {"n": 3}),
        (({"a": 1, "b": 2, "c": 2},), {"n": 3}),
        ((OrderedDict(a=1, b=2),), {"n": 3}),
        (([1, 2],), {"n": 3}),
        (({"a": 1, "b": 2},), {"m": 3}),
        (({"a": 1, "b": 2},), {}),
        (({"a": 1, "b": 2}, 3), {}),
        (({"a": 1, "b": 2}, 3), {"n": 3}),
    ],
)
def test_another_structure_is_not_taken(args: Any, kwargs: Any) -> None:
    given = ({"a": 1, "b": 2},), {"n": 3}
    take = taken(*given)
    assert take(*given) == (1, 2, 3)
    assert take(args, kwargs) is None


@pytest.mark.parametrize("x, y", [((), (1,)), ([], [1]), ({}, {"a": 1}), (None, 0), ((1,), [1]), ((1, 2), (1,))])
def test_containers_of_other_lengths_and_types_are_not_taken(x: Any, y: Any) -> None:
    take = taken((x, 1), {})
    assert take((x, 1), {}) is not None
    assert take((y, 1), {}) is None


@pytest.mark.parametrize("value, other", [(3, 4), (1, True), (True, 1), ("a", "b"), (None, 0), ((1, 2), (1, 3))])
def test_static_arguments_are_compared(value: Any, other: Any) -> None:
    take = taken((5, value), {"n": value}, ((1, value), ("n", value)))
    assert take((5, value), {"n": value}) == (5,)
    assert take((5, other), {"n": value}) is None
    assert take((5, value), {"n": other}) is None


@pytest.mark.parametrize("value", [1.0, -0.0, (0.0,), frozenset(), len, np.float64], ids=str)
def test_static_arguments_compared_in_other_ways_are_left_to_the_key(value: Any) -> None:
    assert taken((5, value), {}, ((1, value),)) is None


def test_containers_of_users_and_large_ones_are_left_to_flatten() -> None:
    assert taken((Point(1, 2),), {}) is None
    assert taken(({1: 2},), {}) is None
    assert taken(([0] * MOST,), {}) is None
    deep: Any = 1
    for _ in range(MOST // 2):
        deep = [deep]
    assert taken((deep,), {})((deep,), {}) == (1,)
    large = [0] * MOST
    assert packer(tree.structure(large))(large) == large


def test_calls_one_after_the_other() -> None:
    """Kinds that change from call to call, so that each way is tried on what is not for it."""
    traces = []

    def f(p: Any, *, n: Any = 1, shift: Any = 0.0) -> Any:
        traces.append(n)
        return {"y": p["a"] * n + p["b"] + shift, "p": (p["a"],)}

    g = jit(f, static_argnames="n")
    a, b = np.arange(3.0), np.ones(3)
    calls: list[tuple[Any, Any]] = [
        ({"a": a, "b": b}, {}),
        ({"b": b, "a": a}, {"n": 2}),
        ({"a": a, "b": b}, {"n": True}),
        ({"a": a, "b": b}, {"n": 2, "shift": 1.5}),
        ({"a": a, "b": b}, {"n": 2, "shift": b}),
        ({"a": a[::-1], "b": b}, {"n": 2}),
        ({"a": a.astype(np.float32), "b": b.astype(np.float32)}, {"n": 2}),
        ({"a": np.arange(4.0), "b": np.ones(4)}, {"n": 2}),
        ({"a": 2.0, "b": 3}, {"n": 2}),
    ]
    for p, kwargs in calls * 4:
        wanted = f(p, **kwargs)
        traces.clear()
        found = g(p, **kwargs)
        assert tree.structure(found) == tree.structure(wanted)
        for x, y in zip(tree.leaves(found), tree.leaves(wanted), strict=True):
            np.testing.assert_array_equal(x, y, strict=isinstance(p["a"], np.ndarray))
    assert not traces  # all are known by now


def test_forgotten_with_the_caches_and_off_without_jit() -> None:
    seen = []

    def f(d: Any) -> Any:
        seen.append(1)
        return d["a"] + 1

    g = jit(f)
    g({"a": np.ones(2)})
    g({"a": np.ones(2)})
    assert len(seen) == 1
    with xform.disable_jit():
        g({"a": np.ones(2)})
    assert len(seen) == 2
    g.clear_cache()
    g({"a": np.ones(2)})
    assert len(seen) == 3


def test_under_transformations_the_way_is_not_taken() -> None:
    g = jit(lambda d, n: d["a"] ** n, static_argnums=1)
    d = {"a": np.array([1.0, 2.0])}
    g(d, 2)
    assert list(xform.grad(lambda d: np.sum(g(d, 2)))(d)["a"]) == [2.0, 4.0]
    assert list(xform.vmap(lambda d: g(d, 2))(d)) == [1.0, 4.0]
