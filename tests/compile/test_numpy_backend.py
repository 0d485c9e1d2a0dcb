"""The NumPy backend gives what the evaluation of the program gives: values, dtypes, exceptions."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import xform
from tests.compile.words import on_floats
from tests.control import nested_programs  # noqa: F401  # adds its programs
from tests.control.programs import PROGRAMS
from tests.programs import PROGRAMS as NASTY
from tests.samples import SAMPLES
from xform import grad, jvp, make_jaxpr, vmap
from xform.compile.source import build, memory
from xform.core.aval import aval_of
from xform.core.jaxpr import Jaxpr, evaluate
from xform.core.stage import stage


def same(y: Any, wanted: Any) -> None:
    """The same shape, dtype and numbers up to a few roundings; nan, inf and the sign of zeros at the same places."""
    y, wanted = np.asarray(y), np.asarray(wanted)
    assert (y.shape, y.dtype) == (wanted.shape, wanted.dtype)
    if y.dtype.kind not in "fc":
        np.testing.assert_array_equal(y, wanted)
        return
    eps = float(np.finfo(y.dtype).eps)
    size = float(np.max(np.abs(wanted[np.isfinite(wanted)]), initial=0.0))
    np.testing.assert_allclose(y, wanted, rtol=32 * eps, atol=16 * eps * size)
    zero = (wanted == 0) & (y == 0)
    np.testing.assert_array_equal(np.signbit(y.real[zero]), np.signbit(wanted.real[zero]))


def agrees(jaxpr: Jaxpr, *args: Any) -> None:
    """The built program gives what the evaluation gives, twice, and leaves its arguments alone."""
    assert_same_results(build(jaxpr), jaxpr, *args)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(memory, "LARGE", 0)  # results go to free buffers, however small they are
        assert_same_results(build(jaxpr), jaxpr, *args)


def shared(arrays: list[Any]) -> set[tuple[int, int]]:
    """Which arrays have memory in common?"""
    pairs = itertools.combinations(enumerate(arrays), 2)
    return {(j, k) for (j, x), (k, y) in pairs if np.may_share_memory(x, y) and x is not y}


def assert_same_results(built: Any, jaxpr: Jaxpr, *args: Any) -> None:
    before = [np.array(x) for x in args]
    with np.errstate(all="ignore"):
        wanted = evaluate(jaxpr, *args)
        for _ in range(2):
            outs = built(*args)
            assert len(outs) == len(wanted)
            for y, z in zip(outs, wanted, strict=True):
                assert isinstance(y, np.ndarray | np.generic)
                same(y, z)
            assert shared([*outs, *args]) <= shared([*wanted, *args])
    for x, copy in zip(args, before, strict=True):
        np.testing.assert_array_equal(x, copy)
    assert built.backend == "numpy"


@pytest.mark.parametrize("s", SAMPLES, ids=str)
def test_primitives(s):
    arrays = [s.args[k] for k in s.arrays]
    agrees(stage(s.function(s.arrays), list(map(aval_of, arrays))), *arrays)


WORDS: dict[str, Callable[..., Any]] = {
    "value": lambda f: f,
    "jvp": lambda f: lambda *xs: jvp(f, xs, tuple(np.ones_like(x) for x in xs)),
    "grad": lambda f: grad(lambda *xs: size(f(*xs))),
    "grad of grad": lambda f: grad(lambda *xs: size(grad(lambda *ys: size(f(*ys)))(*xs))),
    "vmap": lambda f: lambda *xs: vmap(f)(*(np.stack([x, x * 0.5]) for x in xs)),
}


def size(tree: Any) -> Any:
    """A real number that depends on all inexact leaves."""
    leaves = [y for y in xform.tree.leaves(tree) if np.result_type(y).kind in "fc"]
    return sum((np.sum(np.real(y * y)) for y in leaves), 0.0)


@pytest.mark.parametrize("word", WORDS)
@pytest.mark.parametrize("f", PROGRAMS, ids=lambda f: f.__name__)
def test_control_flow(f, word):
    g, xs = on_floats(f, PROGRAMS[f][1])
    agrees(*staged_with(WORDS[word](g), xs))


@pytest.mark.parametrize("word", WORDS)
@pytest.mark.parametrize("f", NASTY, ids=lambda f: f.__name__)
def test_straight_lines(f, word):
    g, xs = on_floats(f, NASTY[f])
    if not xs or f.__name__ == "branches_on_values":
        pytest.skip("no program of real arguments")
    agrees(*staged_with(WORDS[word](g), xs))


def staged_with(f: Callable[..., Any], xs: list[Any]) -> list[Any]:
    return [make_jaxpr(f)(*xs), *xs]
