"""Transformations of transformations of programs with control flow, against Python's own control flow.

The words of tests/test_compositions.py, with checkpoint as one more letter, are applied to a program that is written
with the operations of `lax`; its twin, in Python's loops and branches, is differentiated by nested `jvp` alone.
"""

from __future__ import annotations

import functools
import itertools
import zlib
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import xform
from tests.control import algorithms, nested_programs
from tests.control.programs import PROGRAMS, recurrent_in_segments
from tests.numeric import assert_same, eps_of
from tests.test_compositions import by_columns, by_jet, by_jvp, by_vjp, by_vmap, loop, name
from xform import tree
from xform.core.check import check

assert nested_programs.POLICIES  # importing the module has added its programs
OF_ALGORITHMS = [f for f in PROGRAMS if f.__name__.split("_")[0] in {g.__name__ for g in algorithms.ALGORITHMS}]


def by_staging(f: Callable[..., Any]) -> Callable[..., Any]:
    def g(xs: Any) -> Any:
        jaxpr, shape = xform.make_jaxpr(f, return_shape=True)(xs)
        check(jaxpr)
        return tree.unflatten(tree.structure(shape), jaxpr(*tree.leaves(xs)))

    return g


#: what a letter does to a program, and how it is spelt for the twin
LETTERS: dict[str, tuple[Any, tuple[str, ...]]] = {
    "jvp": (by_jvp, ("jvp",)),
    "vjp": (by_vjp, ("columns",)),
    "vmap": (by_vmap, ("loop",)),
    "stage": (by_staging, ()),
    "jet": (by_jet, ("jvp", "jvp")),
    "checkpoint": (xform.checkpoint, ()),
}
TWIN_LETTERS = {"jvp": by_jvp, "columns": by_columns, "loop": loop}

WORDS = [w for n in (1, 2, 3) for w in itertools.product(LETTERS, repeat=n)]
#: these have found something once: integers among the residuals of a checkpoint had Taylor coefficients
FOUND = {(recurrent_in_segments, ("stage", "jet", "vjp"))}
CASES = [(f, w) for w in WORDS for f in PROGRAMS]


def spell(word: tuple[str, ...], f: Callable[..., Any]) -> Callable[..., Any]:
    for letter in reversed(word):
        f = LETTERS[letter][0](f)
    return f


@functools.cache
def wanted(f: Callable[..., Any], spelling: tuple[str, ...]) -> list[Any]:
    """The values of the twin; many words are spelt alike."""
    python, xs = PROGRAMS[f]
    for letter in reversed(spelling):
        python = TWIN_LETTERS[letter](python)
    with np.errstate(all="ignore"):
        return tree.leaves(python(xs))


def in_default_run(f: Callable[..., Any], word: tuple[str, ...]) -> bool:
    """All words of length 1 and 2, and a part of the rest."""
    return len(word) < 3 or (f, word) in FOUND or zlib.crc32(f"{name(f)} {name(word)}".encode()) % 40 == 0


def compare(f: Callable[..., Any], word: tuple[str, ...]) -> None:
    xs = PROGRAMS[f][1]
    precision = eps_of(*tree.leaves(xs))
    tolerance = 1e3 * precision if precision > 1e-10 else 1e-11
    with np.errstate(all="ignore"):
        actual = tree.leaves(spell(word, f)(xs))
    for a, b in zip(actual, wanted(f, tuple(s for letter in word for s in LETTERS[letter][1])), strict=True):
        assert_same(a, b, tolerance)


@pytest.mark.parametrize("f", PROGRAMS, ids=name)
def test_values(f):
    compare(f, ())


@pytest.mark.parametrize("f", OF_ALGORITHMS, ids=name)
def test_reverse_mode_is_that_of_the_unrolled_loop(f):
    """The same operations in the same order: equal but for rounding."""
    python, xs = PROGRAMS[f]
    bars = tree.leaves(by_vjp(python)(xs))
    for g in (by_vjp(f), by_vjp(xform.checkpoint(f)), by_vjp(by_staging(f)), by_staging(by_vjp(f))):
        for a, b in zip(tree.leaves(g(xs)), bars, strict=True):
            assert_same(a, b, 1e-13)


@pytest.mark.parametrize("f, word", [c for c in CASES if in_default_run(*c)], ids=name)
def test_words(f, word):
    compare(f, word)


@pytest.mark.slow
@pytest.mark.parametrize("f, word", [c for c in CASES if not in_default_run(*c)], ids=name)
def test_the_other_words(f, word):
    compare(f, word)
