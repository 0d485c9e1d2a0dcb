"""Transformations of transformations of nasty programs.

A word such as `vjp vmap jet` is applied to every program, and compared with the same word spelt with nothing but
nested `jvp`: reverse mode is a jvp per basis vector, vmap a loop, jet a jvp of a jvp, staging nothing at all. Nested
`jvp` itself is compared with finite differences of one `jvp` less.
"""

from __future__ import annotations

import itertools
import zlib
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import xform
from tests.numeric import assert_close, assert_same, directional, eps_of
from tests.programs import PROGRAMS, branches_on_values, kinks, real, singular_branch, total
from xform import tree
from xform.core.aval import aval_of, is_inexact
from xform.ops.structure import concatenate, convert, reshape

SCALES = np.array([1.0, 0.5, -0.75])

# --- values ---


def direction(x: Any, salt: int) -> Any:
    """A fixed tangent or cotangent for a value like `x`."""
    aval = aval_of(x)
    if not is_inexact(aval.dtype):
        return np.zeros(aval.shape, xform.float0)
    rng = np.random.default_rng(zlib.crc32(repr((salt, aval.shape)).encode()))
    v = rng.uniform(0.5, 1.5, aval.shape)
    if aval.dtype.kind == "c":
        v = v + 1j * rng.uniform(0.5, 1.5, aval.shape)
    return np.asarray(v, aval.dtype)[()]


def directions(xs: Any, salt: int) -> Any:
    return tree.map(lambda x: direction(x, salt), xs)


def stacked(rows: list[Any]) -> Any:
    """np.stack of values, traced ones among them."""
    rows = [np.asarray(r) if isinstance(r, float) else r for r in rows]
    return concatenate(*(reshape(r, shape=(1, *r.shape)) for r in rows), axis=0)


def scaled(xs: Any, s: Any) -> Any:
    return tree.map(lambda x: x * s if is_inexact(x.dtype) else x, xs)


def inexact(xs: Any) -> list[Any]:
    return [x for x in tree.leaves(xs) if is_inexact(aval_of(x).dtype)]


# --- the letters ---


def by_jvp(f: Callable[..., Any]) -> Callable[..., Any]:
    return lambda xs: inexact(xform.jvp(f, (xs,), (directions(xs, 1),))[1])


def by_linearize(f: Callable[..., Any]) -> Callable[..., Any]:
    return lambda xs: inexact(xform.linearize(f, xs)[1](directions(xs, 1)))


def by_vjp(f: Callable[..., Any]) -> Callable[..., Any]:
    def g(xs: Any) -> Any:
        ys, pullback = xform.vjp(f, xs)
        return inexact(pullback(directions(ys, 2)))

    return g


def by_vmap(f: Callable[..., Any]) -> Callable[..., Any]:
    return lambda xs: xform.vmap(lambda s: f(scaled(xs, s)))(SCALES)


def by_jet(f: Callable[..., Any]) -> Callable[..., Any]:
    """The second derivative along a line."""

    def g(xs: Any) -> Any:
        leaves, treedef = tree.flatten(xs)
        v = [direction(x, 1) for x in leaves]

        def flat(*ls: Any) -> Any:
            return inexact(f(tree.unflatten(treedef, ls)))

        _, series = xform.jet(flat, tuple(leaves), tuple([t, np.zeros_like(t)] for t in v))
        return [second for _, second in series]

    return g


def by_staging(f: Callable[..., Any]) -> Callable[..., Any]:
    def g(xs: Any) -> Any:
        jaxpr, shape = xform.make_jaxpr(f, return_shape=True)(xs)
        return tree.unflatten(tree.structure(shape), jaxpr(*tree.leaves(xs)))

    return g


def loop(f: Callable[..., Any]) -> Callable[..., Any]:
    def g(xs: Any) -> Any:
        rows = [tree.flatten(f(scaled(xs, s))) for s in SCALES]
        return tree.unflatten(rows[0][1], [stacked(list(r)) for r in zip(*(leaves for leaves, _ in rows), strict=True)])

    return g


def by_columns(f: Callable[..., Any]) -> Callable[..., Any]:
    """x_bar[i] = <y_bar, J e_i>; of a complex entry <y_bar, J e_i> - i <y_bar, J (i e_i)>, in real parts."""

    def g(xs: Any) -> Any:
        leaves, treedef = tree.flatten(xs)

        def paired(k: int, e: Any) -> Any:
            dots = [np.zeros(x.shape, aval_of(x).tangent().dtype) for x in leaves]
            dots[k] = e[()]
            ys, y_dots = xform.jvp(f, (xs,), (tree.unflatten(treedef, dots),))
            bars = tree.leaves(directions(ys, 2))
            terms = [total(real(b * t)) for b, t in zip(bars, tree.leaves(y_dots), strict=True) if is_inexact(b.dtype)]
            return sum(terms, np.float64(0.0))

        def entry(k: int, position: tuple[int, ...]) -> Any:
            e = np.zeros(leaves[k].shape, leaves[k].dtype)
            e[position] = 1
            out = paired(k, e)
            return out if e.dtype.kind == "f" else out - 1j * paired(k, 1j * e)

        bars = []
        for k, x in enumerate(leaves):
            if is_inexact(x.dtype):
                entries = [entry(k, p) for p in np.ndindex(x.shape)]
                bar = reshape(stacked(entries), shape=x.shape) if entries else np.zeros(x.shape)
                bars.append(convert(bar, dtype=x.dtype))
        return bars

    return g


LETTERS = {
    "jvp": (by_jvp, by_jvp),
    "vjp": (by_vjp, by_columns),
    "vmap": (by_vmap, loop),
    "stage": (by_staging, lambda f: f),
    "jet": (by_jet, lambda f: by_jvp(by_jvp(f))),
    "linearize": (by_linearize, by_jvp),
}


def spell(word: tuple[str, ...], f: Callable[..., Any], way: int) -> Callable[..., Any]:
    for letter in reversed(word):
        f = LETTERS[letter][way](f)
    return f


#: programs that look at numbers, which vmap and staging do not have
CONCRETE = {branches_on_values}
WORDS = [w for n in (1, 2, 3) for w in itertools.product(LETTERS, repeat=n)]
#: Taylor coefficients are infinite at a singularity, and reverse mode of their products is not guarded against that
UNGUARDED = {(singular_branch, w) for w in WORDS if "vjp" in w and "jet" in w[w.index("vjp") :]}
CASES = [(f, w) for w in WORDS for f in PROGRAMS if (f, w) not in UNGUARDED]


def name(case: Any) -> str:
    return case.__name__ if callable(case) else " ".join(case)


def in_default_run(f: Callable[..., Any], word: tuple[str, ...]) -> bool:
    """All words of length 1 and 2, and a part of the rest."""
    return len(word) < 3 or zlib.crc32(f"{name(f)} {name(word)}".encode()) % 4 == 0


def check(f: Callable[..., Any], word: tuple[str, ...]) -> None:
    xs = PROGRAMS[f]
    g = spell(word, f, 0)
    if f in CONCRETE and {"vmap", "stage"} & set(word):
        with pytest.raises(xform.ConcretizationError, match="needs the value"):
            g(xs)
        return
    with np.errstate(all="ignore"):
        actual, wanted = tree.leaves(g(xs)), tree.leaves(spell(word, f, 1)(xs))
    tolerance = 1e5 * eps_of(*tree.leaves(xs)) if eps_of(*tree.leaves(xs)) < 1e-10 else 1e3 * eps_of(*tree.leaves(xs))
    assert len(actual) == len(wanted)
    for a, b in zip(actual, wanted, strict=True):
        assert_same(a, b, tolerance)


@pytest.mark.parametrize("f, word", [c for c in CASES if in_default_run(*c)], ids=name)
def test_words(f, word):
    check(f, word)


@pytest.mark.slow
@pytest.mark.parametrize("f, word", [c for c in CASES if not in_default_run(*c)], ids=name)
def test_the_other_words(f, word):
    check(f, word)


# --- perturbation confusion, against closed forms ---


def derivative(f):
    return lambda x: xform.jvp(f, (x,), (1.0,))[1]


@pytest.mark.parametrize("outer", [derivative, xform.grad])
@pytest.mark.parametrize("inner", [derivative, xform.grad])
class TestPerturbationConfusion:
    """Siskind and Pearlmutter, Nesting forward-mode AD in a functional framework (2008), and variations."""

    def test_the_inner_derivative_is_one(self, outer, inner):
        assert outer(lambda x: x * inner(lambda y: x + y)(1.0))(1.0) == 1.0

    def test_the_inner_derivative_is_the_outer_variable(self, outer, inner):
        assert outer(lambda x: x * inner(lambda y: x * y)(2.0))(3.0) == 6.0

    def test_a_constant_inner_function(self, outer, inner):
        assert outer(lambda x: inner(lambda y: x)(2.0) + x)(3.0) == 1.0

    def test_a_function_that_returns_a_function(self, outer, inner):
        """Manzyuk et al., Perturbation confusion in forward AD of higher-order functions (2019)."""

        def shifted(u):
            return lambda f: lambda x: f(x + u)

        assert inner(lambda u: shifted(u)(lambda x: x**2)(5.0))(0.0) == 10.0
        twice = outer(lambda u: inner(shifted(u)(np.sin))(0.5))(0.25)
        assert_close(twice, -np.sin(0.75), 1e-15)

    def test_the_same_variable_at_three_levels(self, outer, inner):
        f = outer(lambda x: inner(lambda y: inner(lambda z: x * y * z * z)(y) * x)(x))
        assert f(2.0) == 48.0  # d/dz: 2 x y z = 2 x y^2; times x, d/dy: 4 x^2 y = 4 x^3; d/dx: 12 x^2

    def test_minimum_by_newton_inside_a_derivative(self, outer, inner):
        """x* = argmin_y (y^2 - a)^2 found by Newton's method is sqrt(a), also for its derivative."""

        def root(a):
            y = 1.0
            for _ in range(30):
                slope = inner(lambda y: (y * y - a) ** 2)
                y = y - slope(y) / inner(slope)(y)
            return y

        assert_close(outer(root)(2.0), 0.5 / np.sqrt(2.0), 1e-9)


@pytest.mark.parametrize("order", [1, 2, 3, 4])
@pytest.mark.parametrize("f", [f for f in PROGRAMS if f not in (singular_branch, kinks)], ids=name)
def test_nested_jvp_against_finite_differences(f, order):
    xs, treedef = tree.flatten(PROGRAMS[f])
    f_below, moving = spell(("jvp",) * (order - 1), f, 0), inexact(xs)

    def below(*leaves: Any) -> list[Any]:
        found = iter(leaves)
        return inexact(f_below(tree.unflatten(treedef, [next(found) if is_inexact(x.dtype) else x for x in xs])))

    wanted = directional(below, moving, [direction(x, 1) for x in moving])
    for a, b in zip(tree.leaves(spell(("jvp",) * order, f, 0)(PROGRAMS[f])), wanted, strict=True):
        assert_close(a, b, 1e-8 if eps_of(*xs) < 1e-10 else 1e-3)
