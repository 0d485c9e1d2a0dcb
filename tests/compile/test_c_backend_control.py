"""Loops and branches compiled to C give what their evaluation gives, and so do their derivatives and batches."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import xform
from tests.compile.c_agreement import agrees
from tests.compile.c_loops import NEED_LARGE, in_place
from tests.compile.c_loops import PROGRAMS as LOOPS
from tests.compile.words import on_floats
from tests.control import nested_programs  # noqa: F401  # adds its programs
from tests.control.programs import PROGRAMS
from tests.programs import PROGRAMS as NASTY
from xform import grad, jvp, make_jaxpr, vmap
from xform.compile.passes import optimise


def size(tree: Any) -> Any:
    """A real number that depends on all inexact leaves."""
    leaves = [y for y in xform.tree.leaves(tree) if np.result_type(y).kind in "fc"]
    return sum((np.sum(np.real(y * y)) for y in leaves), 0.0)


def gradient(f: Callable[..., Any]) -> Callable[..., Any]:
    return grad(lambda *xs: size(f(*xs)))


WORDS: dict[str, Callable[..., Any]] = {
    "value": lambda f: f,
    "jvp": lambda f: lambda *xs: jvp(f, xs, tuple(np.ones_like(x) for x in xs)),
    "grad": gradient,
    "grad of grad": lambda f: gradient(gradient(f)),
    "vmap": lambda f: lambda *xs: vmap(f)(*(np.stack([x, x * 0.5]) for x in xs)),
    "vmap of grad": lambda f: lambda *xs: vmap(gradient(f))(*(np.stack([x, x * 0.5]) for x in xs)),
}


def both_agree(f: Callable[..., Any], *xs: Any) -> str:
    """Of the function's program before the passes and after them; the text of the latter."""
    jaxpr = make_jaxpr(f)(*xs)
    agrees(jaxpr, *xs, scale=1.0)
    return agrees(optimise(jaxpr), *xs, scale=1.0)


@pytest.mark.parametrize("word", WORDS)
@pytest.mark.parametrize("f", PROGRAMS, ids=lambda f: f.__name__)
def test_control_flow(f, word):
    g, xs = on_floats(f, PROGRAMS[f][1])
    both_agree(WORDS[word](g), *xs)


@pytest.mark.parametrize("word", WORDS)
@pytest.mark.parametrize("f", NASTY, ids=lambda f: f.__name__)
def test_straight_lines(f, word):
    g, xs = on_floats(f, NASTY[f])
    if not xs or f.__name__ == "branches_on_values":
        pytest.skip("no program of real arguments")
    both_agree(WORDS[word](g), *xs)


def test_a_carry_is_written_in_place():
    """It is copied before the loop, and after it, but not in it."""
    program = both_agree(in_place, POINTS["large"]).split("int xform_program")[-1]
    assert program.count("memmove(") == 2


POINTS = {"small": np.array([0.7, -0.4, 0.2]), "large": np.random.default_rng(8).normal(size=14) * 0.5}


@pytest.mark.parametrize("word", WORDS)
@pytest.mark.parametrize("f", LOOPS, ids=lambda f: f.__name__)
def test_loops_at_their_edges(f, word):
    for name, x in POINTS.items():
        if not (name == "small" and f in NEED_LARGE):
            both_agree(WORDS[word](f), x)
