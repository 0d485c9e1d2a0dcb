"""Words of transformations with jit among the letters, against the same words spelt with nested jvp alone."""

from __future__ import annotations

import functools
import itertools
import zlib
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import xform
from tests import test_compositions as plain
from tests.control import test_compositions as structured
from tests.numeric import assert_same, eps_of
from tests.test_compositions import CONCRETE, by_columns, by_jet, by_jvp, by_vjp, by_vmap, loop, name
from xform import lax, tree

#: a word may hold a C compiler busy for seconds, and what C computes is compared with NumPy elsewhere
by_jit = functools.partial(xform.jit, backend="numpy")

LETTERS: dict[str, tuple[Any, Any]] = {
    "jvp": (by_jvp, by_jvp),
    "vjp": (by_vjp, by_columns),
    "vmap": (by_vmap, loop),
    "jit": (by_jit, lambda f: f),
    "jet": (by_jet, lambda f: by_jvp(by_jvp(f))),
    "checkpoint": (xform.checkpoint, lambda f: f),
}
WORDS = [w for n in (1, 2, 3) for w in itertools.product(LETTERS, repeat=n) if "jit" in w]
SINGULAR = {(plain.singular_branch, w) for w in WORDS if "vjp" in w and "jet" in w[w.index("vjp") :]}
CASES = [(f, w) for w in WORDS for f in plain.PROGRAMS if (f, w) not in SINGULAR]
STRUCTURED = [(f, w) for w in WORDS for f in structured.PROGRAMS]


def spell(word: tuple[str, ...], f: Callable[..., Any], way: int) -> Callable[..., Any]:
    for letter in reversed(word):
        f = LETTERS[letter][way](f)
    return f


def in_default_run(f: Callable[..., Any], word: tuple[str, ...], part: int) -> bool:
    """All words of one and two letters, and a part of the rest."""
    return len(word) < 3 or zlib.crc32(f"{name(f)} {name(word)}".encode()) % part == 0


def compare(f: Callable[..., Any], word: tuple[str, ...], twin: Callable[..., Any], xs: Any, tolerance: float) -> None:
    with np.errstate(all="ignore"):
        actual, wanted = tree.leaves(spell(word, f, 0)(xs)), tree.leaves(spell(word, twin, 1)(xs))
    for a, b in zip(actual, wanted, strict=True):
        assert_same(a, b, tolerance)


@pytest.mark.parametrize("f, word", [c for c in CASES if in_default_run(*c, 12)], ids=name)
def test_words(f, word):
    check(f, word)


@pytest.mark.slow
@pytest.mark.parametrize("f, word", [c for c in CASES if not in_default_run(*c, 12)], ids=name)
def test_the_other_words(f, word):
    check(f, word)


def check(f: Callable[..., Any], word: tuple[str, ...]) -> None:
    xs = plain.PROGRAMS[f]
    if f in CONCRETE:
        with pytest.raises(xform.ConcretizationError, match="needs the value"):
            spell(word, f, 0)(xs)
        return
    precision = eps_of(*tree.leaves(xs))
    compare(f, word, f, xs, (1e5 if precision < 1e-10 else 1e3) * precision)


@pytest.mark.parametrize("f, word", [c for c in STRUCTURED if in_default_run(*c, 160) and len(c[1]) != 2], ids=name)
def test_words_of_control_flow(f, word):
    twin, xs = structured.PROGRAMS[f]
    precision = eps_of(*tree.leaves(xs))
    compare(f, word, twin, xs, 1e3 * precision if precision > 1e-10 else 1e-11)


@pytest.mark.slow
@pytest.mark.parametrize("f, word", [c for c in STRUCTURED if not in_default_run(*c, 160)], ids=name)
def test_other_words_of_control_flow(f, word):
    test_words_of_control_flow(f, word)


# --- closures over traced values ---


@pytest.fixture(params=[xform.jit, by_jit], ids=["auto", "numpy"])
def jit(request):
    return request.param


def derivative(f):
    return lambda x: xform.jvp(f, (x,), (1.0,))[1]


DERIVATIVES = pytest.mark.parametrize("d", [derivative, xform.grad], ids=["jvp", "grad"])


@DERIVATIVES
class TestClosures:
    def test_over_a_traced_value(self, d, jit):
        assert d(lambda x: jit(lambda y: x * y * y)(3.0))(2.0) == 9.0
        assert d(lambda x: jit(lambda y: x * y * y)(x))(2.0) == 12.0
        assert d(jit(lambda x: jit(lambda y: x * y * y)(x)))(2.0) == 12.0

    def test_no_perturbation_is_confused(self, d, jit):
        assert d(lambda x: x * d(jit(lambda y: x + y))(1.0))(1.0) == 1.0
        assert d(jit(lambda x: x * d(lambda y: x * y)(2.0)))(3.0) == 6.0
        assert d(jit(lambda x: x * d(jit(lambda y: x * y * y))(x)))(3.0) == 54.0

    def test_over_another_one_each_time(self, d, jit):
        """The function stays, what it closes over changes."""
        runs = []

        def outer(x):
            c = x

            @jit
            def g(y):
                runs.append(1)
                return c * y

            first = g(2.0) + g(3.0)
            c = x * x
            return first + g(2.0) + g(3.0)

        assert d(outer)(3.0) == 5.0 + 5.0 * 6.0
        assert len(runs) == 2

    def test_through_an_object_that_nobody_looks_into(self, d, jit):
        class Box:
            __slots__ = ("value",)

        box = Box()
        f = jit(lambda y: box.value * y)

        def outer(x, s):
            box.value = x * s
            return f(2.0)

        assert [d(functools.partial(outer, s=s))(3.0) for s in (1.0, 2.0)] == [2.0, 4.0]
        box.value = 7.0
        assert f(2.0) == 14.0

    def test_first_over_a_number_and_then_over_a_traced_value(self, d, jit):
        c = 2.0
        f = jit(lambda y: c * y)
        assert f(3.0) == 6.0

        def outer(x):
            nonlocal c
            c = x
            return f(x)

        assert d(outer)(5.0) == 10.0
        c = 2.0
        assert f(3.0) == 6.0


class TestOneProgram:
    def test_the_gradient_of_a_jitted_function_is_one_program(self):
        f = xform.jit(lambda x: np.sum(np.tanh(x) ** 2))
        x = np.linspace(-1.0, 1.0, 4)
        compiled = xform.jit(xform.grad(xform.jit(lambda x: f(x) * f(x))), backend="numpy").lower(x).compile()
        assert "jit[" not in compiled.as_text()
        t = np.tanh(x)
        assert_same(compiled(x), 2 * np.sum(t * t) * 2 * t * (1 - t * t), 1e-14)

    def test_a_derivative_of_a_jitted_function_does_not_run_it_again(self):
        runs = []
        f = xform.jit(lambda x: runs.append(1) or np.sum(np.sin(x)))
        for _ in range(3):
            xform.grad(f)(np.ones(3))
            xform.jvp(f, (np.ones(3),), (np.ones(3),))
            xform.vmap(xform.grad(f))(np.ones((2, 3)))
            xform.hessian(f)(np.ones(3))
        assert len(runs) == 1

    def test_what_nobody_reads_is_left_out(self):
        f = xform.jit(lambda x, y: (np.sin(x), np.exp(y)), backend="numpy")
        jaxpr = xform.make_jaxpr(lambda x, y: f(x, y)[0])(1.0, 2.0)
        less = xform.core.jaxpr.eliminate_dead_code(jaxpr)
        assert "exp" in str(jaxpr)
        assert "exp" not in str(less)
        assert_same(less(1.0, 2.0)[0], np.sin(1.0), 1e-15)

    def test_inline_leaves_no_call(self):
        f = xform.jit(lambda x: x * 2.0, inline=True)
        assert "jit" not in str(xform.make_jaxpr(f)(1.0))
        assert f(1.0) == 2.0
        assert xform.grad(f)(1.0) == 2.0


def test_residuals_that_are_operands_are_not_put_out_again():
    f = xform.jit(lambda x, y: x * y, backend="numpy")
    jaxpr = xform.make_jaxpr(lambda x, y: xform.vjp(f, x, y)[1](x))(np.ones(3), np.ones(3))
    assert len(jaxpr.eqns[0].outputs) == 1


def test_named_axes_are_a_part_of_the_key():
    runs = []

    @xform.jit
    def f(x):
        runs.append(1)
        return x / lax.psum(1.0, "i"), lax.psum(x, "i")

    for n, count in [(2, 1), (3, 2), (2, 2)]:
        x = np.arange(1.0, n + 1)
        shares, total = xform.vmap(f, axis_name="i")(x)
        assert_same(shares, x / n, 1e-15)
        assert (total == np.sum(x)).all()
        assert len(runs) == count
    with pytest.raises(NameError, match="i"):
        f(1.0)


def test_loops_that_hold_jitted_functions_and_the_other_way_around():
    step = xform.jit(lambda h, x: (np.tanh(h + x), h * x), backend="numpy")

    def run(h, xs):
        h, ys = lax.scan(step, h, xs)
        return np.sum(ys) + h

    xs = np.linspace(-1.0, 1.0, 6)
    wanted = xform.grad(run, argnums=(0, 1))(0.3, xs)
    for f in (xform.jit(run, backend="numpy"), xform.jit(run)):
        for a, b in zip(xform.grad(f, argnums=(0, 1))(0.3, xs), wanted, strict=True):
            assert_same(a, b, 1e-13)


def test_reverse_mode_through_a_while_loop():
    def f(x):
        return lax.while_loop(lambda c: c[0] < 50.0, lambda c: (c[0] * c[1] + 1.0, c[1]), (x, x))[0]

    wanted = xform.grad(f)(1.5)
    for backend in ("numpy", "auto"):
        g = xform.jit(f, backend=backend)
        assert_same(xform.grad(g)(1.5), wanted, 1e-13)
        assert_same(xform.jit(xform.grad(g), backend=backend)(1.5), wanted, 1e-13)
        assert_same(xform.vmap(xform.grad(g))(np.array([1.5, 2.5]))[0], wanted, 1e-13)


def test_custom_rules_inside():
    @xform.custom_vjp
    def f(x):
        return np.sin(x)

    f.defvjp(lambda x: (f(x), x), lambda x, g: (7.0 * g,))
    for backend in ("numpy", "auto"):
        g = xform.jit(lambda x: f(x) * 2.0, backend=backend)
        assert_same(g(1.0), 2.0 * np.sin(1.0), 1e-15)
        assert xform.grad(g)(1.0) == 14.0
        assert xform.jit(xform.grad(g), backend=backend)(1.0) == 14.0
