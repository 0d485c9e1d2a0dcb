"""Functions with rules of their own, under all transformations and their compositions.

The rules are false on purpose (a derivative times 10), so that a result tells which rule it came from.
"""

from __future__ import annotations

import functools
import gc
import itertools
import sys
import threading
import weakref
import zlib
from typing import Any, NamedTuple

import numpy as np
import pytest

import xform
from tests.numeric import assert_close
from xform import lax
from xform.core.check import check
from xform.core.primitive import Zero
from xform.extend import stage

X = np.array([0.3, -0.7])
TWO = np.array([2.0, 2.0])


def ten_by_jvp():
    f = xform.custom_jvp(lambda x, y: np.sin(x) * y)

    @f.defjvp
    def rule(primals, tangents):
        (x, y), (x_dot, y_dot) = primals, tangents
        return f(x, y), 10.0 * np.cos(x) * y * x_dot + 10.0 * np.sin(x) * y_dot

    return f


def ten_by_jvps():
    f = xform.custom_jvp(lambda x, y: np.sin(x) * y)
    f.defjvps(lambda t, z, x, y: 10.0 * np.cos(x) * y * t, lambda t, z, x, y: 10.0 * np.sin(x) * t)
    return f


def ten_by_vjp():
    f = xform.custom_vjp(lambda x, y: np.sin(x) * y)
    f.defvjp(lambda x, y: (f(x, y), (x, y)), lambda r, g: (10.0 * np.cos(r[0]) * r[1] * g, 10.0 * np.sin(r[0]) * g))
    return f


def ten_by_gradient():
    @xform.custom_gradient
    def f(x, y):
        c, s = np.cos(x), np.sin(x)
        return s * y, lambda g: (10.0 * c * y * g, 10.0 * s * g)

    return f


def ten_by_all():
    f = ten_by_jvp()
    f.defvjp(lambda x, y: (f(x, y), (x, y)), lambda r, g: (10.0 * np.cos(r[0]) * r[1] * g, 10.0 * np.sin(r[0]) * g))

    @f.def_vmap
    def rule(size, batched, x, y):
        return np.sin(x) * y, any(batched)

    return f


MAKERS = [ten_by_jvp, ten_by_jvps, ten_by_vjp, ten_by_gradient, ten_by_all]


def word_jvp(f):
    return lambda x: xform.jvp(f, (x,), (np.array([1.0, -0.5]),))[1]


def word_grad(f):
    return lambda x: xform.vjp(f, x)[1](np.array([0.4, 2.0]))[0]


def word_vmap(f):
    return lambda x: np.sum(xform.vmap(lambda s: f(x * s))(np.array([1.0, 0.5, -2.0])), axis=0)


def word_stage(f):
    return lambda x: xform.make_jaxpr(f)(x)(x)[0]


def word_linearize(f):
    return lambda x: xform.linearize(f, x)[1](np.array([1.0, -0.5]))


def word_jet(f):
    return lambda x: xform.jet(f, (x,), ((np.array([1.0, -0.5]), np.zeros(2), np.zeros(2)),))[1][2]


LETTERS = [word_jvp, word_grad, word_vmap, word_stage, word_linearize]
WORDS = [w for n in (1, 2, 3) for w in itertools.product(LETTERS, repeat=n)]


def spelt(word, f):
    return functools.reduce(lambda g, letter: letter(g), reversed(word), f)


def derivative_order(word):
    return sum(letter in (word_jvp, word_grad, word_linearize) for letter in word)


def name(x):
    return x.__name__ if callable(x) else " ".join(letter.__name__[5:] for letter in x)


def in_default_run(make, word):
    """All words of length 1 and 2, and a part of the rest."""
    return len(word) < 3 or zlib.crc32(f"{name(make)} {name(word)}".encode()) % 5 == 0


CASES = [(make, word) for make in MAKERS for word in WORDS]


@pytest.mark.parametrize("make, word", [case for case in CASES if in_default_run(*case)], ids=name)
def test_words(make, word):
    """The first derivative is ten times that of sin(x) y; of it, further ones are derivatives of the rule."""
    f = make()
    plain = spelt(word, lambda x: np.sin(x) * (2.0 + x))
    expected = plain(X) * (10.0 if derivative_order(word) else 1.0)
    assert_close(spelt(word, lambda x: f(x, 2.0 + x))(X), expected, 1e-10)


@pytest.mark.parametrize("make", MAKERS)
def test_taylor_series_follow_from_the_rule(make):
    f = make()
    terms = word_jet(lambda x: f(x, 2.0 + x))(X)
    assert_close(terms, 10.0 * word_jet(lambda x: np.sin(x) * (2.0 + x))(X), 1e-12)
    both = xform.grad(lambda x: np.sum(word_jet(lambda x: f(x, 2.0 + x))(x)))(X)
    assert_close(both, 10.0 * xform.grad(lambda x: np.sum(word_jet(lambda x: np.sin(x) * (2.0 + x))(x)))(X), 1e-11)
    mapped = xform.vmap(word_jet(lambda x: f(x, 2.0 + x)))(np.stack([X, 2 * X]))
    assert_close(mapped[0], terms, 1e-12)


@pytest.mark.parametrize("make", MAKERS)
def test_the_program_is_well_formed_and_evaluates(make):
    f = make()
    jaxpr = xform.make_jaxpr(lambda x: f(x, TWO))(X)
    check(jaxpr)
    assert "custom_call" in str(jaxpr)
    assert_close(jaxpr(X)[0], np.sin(X) * 2.0, 1e-15)

    def evaluated(x):
        return jaxpr(x)[0]

    bar, dot = np.array([0.4, 2.0]), np.array([1.0, -0.5])
    assert_close(word_grad(evaluated)(X), 20.0 * np.cos(X) * bar, 1e-14)
    assert_close(word_jvp(evaluated)(X), 20.0 * np.cos(X) * dot, 1e-14)
    assert_close(xform.vmap(word_grad(evaluated))(np.stack([X, X]))[1], 20.0 * np.cos(X) * bar, 1e-14)
    again = xform.make_jaxpr(word_grad(evaluated))(X)
    assert_close(again(X)[0], 20.0 * np.cos(X) * bar, 1e-14)


@pytest.mark.parametrize("make", MAKERS)
def test_sparsity_is_that_of_the_rule(make):
    f = make()
    pattern = xform.sparsity_pattern(lambda x: f(x, TWO), np.ones(2))
    np.testing.assert_array_equal(pattern, np.eye(2, dtype=bool))


def test_sparsity_of_a_straight_through_estimator():
    f = xform.custom_jvp(lambda x: np.round(x, 0))
    f.defjvp(lambda p, t: (f(*p), t[0]))
    np.testing.assert_array_equal(xform.sparsity_pattern(f, np.ones(2)), np.eye(2, dtype=bool))


# --- which rule ---


def test_forward_mode_prefers_the_jvp_rule_and_reverse_mode_the_backward_rule():
    f = xform.custom_jvp(lambda x: x)
    f.defjvp(lambda p, t: (p[0], 2.0 * t[0]))
    f.defvjp(lambda x: (x, None), lambda _, g: (3.0 * g,))
    f.defjet(lambda p, s: (p[0], [5.0 * t for t in s[0]]))
    f.def_vmap(lambda n, b, x: (7.0 * x, b[0]))
    assert xform.jvp(f, (1.0,), (1.0,))[1] == 2.0
    assert xform.grad(f)(1.0) == 3.0
    assert xform.linearize(f, 1.0)[1](1.0) == 3.0
    assert xform.jet(f, (1.0,), ((1.0, 2.0),))[1] == [5.0, 10.0]
    np.testing.assert_array_equal(xform.vmap(f)(np.ones(2)), [7.0, 7.0])
    np.testing.assert_array_equal(xform.vmap(xform.grad(f))(np.ones(2)), [3.0, 3.0])
    np.testing.assert_array_equal(xform.grad(lambda x: np.sum(xform.vmap(f)(x)))(np.ones(2)), [3.0, 3.0])
    jet_of_vmap = xform.jet(xform.vmap(f), (np.ones(2),), ((np.ones(2), np.ones(2)),))[1]
    np.testing.assert_array_equal(jet_of_vmap, 5.0 * np.ones((2, 2)))


def test_the_same_function_entered_by_three_doors():
    kinds = {type(door(lambda x: x)) for door in (xform.custom_jvp, xform.custom_vjp, xform.custom_vmap)}
    assert len(kinds) == 1


def test_forward_mode_differentiates_the_function_if_the_backward_rule_is_not_linear():
    f = xform.custom_vjp(lambda x: x**3)
    f.defvjp(lambda x: (x**3, x), lambda x, g: (np.clip(3.0 * x**2 * g, -1.0, 1.0),))
    assert xform.grad(f)(2.0) == 1.0
    assert xform.jvp(f, (2.0,), (1.0,))[1] == 12.0

    g = xform.custom_vjp(lambda x: x**3)
    g.defvjp(lambda x: (x**3, x), lambda x, g: (g if g > 0 else -g,))
    assert xform.grad(g)(2.0) == 1.0
    assert xform.jvp(g, (2.0,), (1.0,))[1] == 12.0


def test_no_rule_for_the_derivative():
    f = xform.custom_vmap(lambda x: x**3)
    f.def_vmap(lambda n, b, x: (x**3, b[0]))
    assert xform.grad(f)(2.0) == 12.0
    assert xform.jvp(f, (2.0,), (1.0,))[1] == 12.0
    assert xform.jet(f, (2.0,), ((1.0, 0.0),))[1] == [12.0, 12.0]
    np.testing.assert_array_equal(xform.vmap(xform.grad(f))(np.array([1.0, 2.0])), [3.0, 12.0])
    np.testing.assert_array_equal(xform.grad(lambda x: np.sum(xform.vmap(f)(x)))(np.array([1.0, 2.0])), [3.0, 12.0])
    jaxpr = xform.make_jaxpr(f)(2.0)
    assert xform.grad(lambda x: jaxpr(x)[0])(2.0) == 12.0


def test_linear_functions_are_transposed_through_their_program():
    f = xform.custom_jvp(lambda x: 3.0 * x)
    f.defjvp(lambda p, t: (f(*p), f(*t)))
    assert xform.linear_transpose(f, 1.0)(2.0) == (6.0,)
    assert xform.grad(f)(1.0) == 3.0
    assert xform.grad(lambda x: xform.vmap(f)(x * np.ones(2)).sum())(1.0) == 6.0


# --- cost and calls ---


def test_without_a_derivative_the_function_itself_is_called():
    seen: list[Any] = []
    f = xform.custom_vjp(lambda x: seen.append(x) or x)
    f.defvjp(lambda x: (x, None), lambda r, g: (g,))
    marker = object()
    assert f(marker) is marker
    assert seen == [marker]


def test_python_control_flow_in_function_and_rules():
    @xform.custom_jvp
    def f(x):
        n = 0
        while x > 1.0:
            x, n = x / 2.0, n + 1
        return x * n

    @f.defjvp
    def rule(primals, tangents):
        (x,), (t,) = primals, tangents
        return f(x), t if x > 4.0 else 2.0 * t

    assert xform.grad(f)(3.0) == 2.0
    assert xform.grad(f)(5.0) == 1.0
    assert xform.grad(xform.grad(lambda x: f(x) * x))(5.0) == 2.0
    assert xform.make_jaxpr(lambda x: x * f(3.0))(1.0)(1.0) == [1.5]
    assert xform.make_jaxpr(lambda x: x * xform.grad(f)(3.0))(1.0)(1.0) == [2.0]


def test_forward_rule_runs_once_and_releases_its_residuals():
    calls = []
    f = xform.custom_vjp(lambda x: x)
    residual: list[Any] = []

    def fwd(x):
        calls.append("fwd")
        r = np.ones(10)
        residual.append(weakref.ref(r))
        return x, r

    def bwd(r, g):
        calls.append("bwd")
        return (g * r[0],)

    f.defvjp(fwd, bwd)
    assert xform.grad(lambda x: f(x) * 2.0)(1.0) == 2.0
    gc.collect()
    assert residual[-1]() is None
    assert calls == ["fwd", "bwd"]


def nest(depth, make):
    def inner(x):
        return np.sin(x)

    f = inner
    for _ in range(depth):
        f = make(f)
    return f


def wrapped_jvp(g):
    f = xform.custom_jvp(lambda x: g(x) * 1.0)
    f.defjvp(lambda p, t: xform.jvp(g, p, t))
    return f


def wrapped_vjp(g):
    f = xform.custom_vjp(lambda x: g(x) * 1.0)
    f.defvjp(lambda x: xform.vjp(g, x), lambda pull, b: pull(b))
    return f


def called_inside(g):
    f = xform.custom_jvp(lambda x: g(x) * 1.0)
    f.defjvp(lambda p, t: (g(*p), t[0] * np.cos(p[0])))
    return f


@pytest.mark.parametrize("make", [wrapped_jvp, wrapped_vjp, called_inside])
def test_three_hundred_nested_calls(make):
    limit = sys.getrecursionlimit()
    f = nest(300, make)
    assert_close(f(0.3), np.sin(0.3), 1e-14)
    assert_close(xform.grad(f)(0.3), np.cos(0.3), 1e-14)
    assert_close(xform.jvp(f, (0.3,), (1.0,))[1], np.cos(0.3), 1e-14)
    assert_close(xform.vmap(f)(np.array([0.3]))[0], np.sin(0.3), 1e-14)
    assert sys.getrecursionlimit() == limit


def test_three_hundred_nested_calls_staged():
    jaxpr = xform.make_jaxpr(nest(300, called_inside))(0.3)
    assert_close(jaxpr(0.3)[0], np.sin(0.3), 1e-14)
    assert_close(xform.grad(lambda x: jaxpr(x)[0])(0.3), np.cos(0.3), 1e-14)


# --- arguments and results of all kinds ---


class State(NamedTuple):
    position: Any
    velocity: Any


def test_trees_integers_and_none():
    @xform.custom_vjp
    def f(s, params, n):
        return {"e": np.sum(s.position * params["k"]) * n, "v": s.velocity, "n": n}

    def fwd(s, params, n):
        return f(s, params, n), (s, params, n)

    def bwd(residuals, bars):
        _, params, n = residuals
        assert bars["n"].dtype == xform.float0
        return State(10.0 * params["k"] * n * bars["e"], None), {"k": None, "unused": None}, None

    f.defvjp(fwd, bwd)
    s, params = State(X, 2.0 * X), {"k": np.array([1.0, 2.0]), "unused": np.float32(3.0)}
    assert f(s, params, 3)["n"] == 3

    def loss(s, params, n):
        out = f(s, params, n)
        return out["e"] + np.sum(out["v"])

    bar, params_bar = xform.grad(loss, argnums=(0, 1))(s, params, 3)
    np.testing.assert_array_equal(bar.position, [30.0, 60.0])
    np.testing.assert_array_equal(bar.velocity, [0.0, 0.0])
    np.testing.assert_array_equal(params_bar["k"], [0.0, 0.0])
    assert params_bar["unused"] == 0.0
    assert params_bar["unused"].dtype == np.float32
    out_dot = xform.jvp(lambda p: f(State(p, 0.0 * p), params, 3), (X,), (np.ones(2),))[1]
    assert out_dot["e"] == 90.0
    assert out_dot["n"].dtype == xform.float0


def test_keyword_arguments_and_defaults_come_by_position():
    @xform.custom_jvp
    def f(x, scale=2.0, *, _hidden=()):
        return x * scale

    f.defjvp(lambda p, t: (p[0], t[0]))
    with pytest.raises(TypeError, match="keyword only"):
        xform.grad(f)(1.0)

    @xform.custom_jvp
    def g(x, scale=2.0):
        return x * scale

    g.defjvp(lambda p, t: (g(*p), 10.0 * p[1] * t[0]))
    assert xform.grad(g)(1.0) == 20.0
    assert xform.grad(lambda x: g(scale=3.0, x=x))(1.0) == 30.0


def test_functions_and_strings_as_arguments():
    @functools.partial(xform.custom_jvp, nondiff_argnums=(0, 2))
    def f(g, x, mode):
        return g(x) if mode == "value" else x

    @f.defjvp
    def rule(g, mode, primals, tangents):
        assert mode == "value"
        (x,), (t,) = primals, tangents
        return f(g, x, mode), 10.0 * xform.grad(g)(x) * t

    assert xform.grad(lambda x: f(np.sin, x, "value"))(0.3) == 10.0 * np.cos(0.3)
    np.testing.assert_allclose(xform.vmap(xform.grad(lambda x: f(np.sin, x, "value")))(X), 10.0 * np.cos(X))

    @xform.custom_vjp(nondiff_argnames="g")
    def h(x, g):
        return g(x)

    h.defvjp(lambda x, g: (g(x), x), lambda g, x, b: (b * 10.0 * xform.grad(g)(x),))
    assert xform.grad(h)(0.3, np.sin) == 10.0 * np.cos(0.3)
    assert xform.jvp(lambda x: h(x, np.sin), (0.3,), (1.0,))[1] == 10.0 * np.cos(0.3)


def test_methods():
    class Model:
        scale = 10.0

        @xform.custom_jvp(nondiff_argnums=(0,))
        def apply(self, x):
            return x

        @apply.defjvp
        def _(self, primals, tangents):
            return primals[0], self.scale * tangents[0]

    assert xform.grad(Model().apply)(1.0) == 10.0


def test_symbolic_zeros():
    seen = []
    f = xform.custom_jvp(lambda x, y: x * y)

    def rule(primals, tangents):
        seen.append([type(t) is Zero for t in tangents])
        return f(*primals), tangents[0] * primals[1]

    f.defjvp(rule, symbolic_zeros=True)
    assert xform.jvp(lambda x: f(x, 3.0), (2.0,), (1.0,))[1] == 3.0
    assert xform.grad(lambda x: f(x, 3.0))(2.0) == 3.0
    assert seen == [[False, True]] * 2

    g = xform.custom_vjp(lambda x, y: (x, y))
    flags, zeros = [], []

    def fwd(x, y):
        flags.append((x.perturbed, y.perturbed))
        return (x.value, y.value), None

    def bwd(_, bars):
        zeros.append([type(b) is Zero for b in bars])
        return tuple(None if type(b) is Zero else b for b in bars)

    g.defvjp(fwd, bwd, symbolic_zeros=True)
    assert xform.grad(lambda x: g(x, 3.0)[0])(2.0) == 1.0
    assert flags == [(True, False)]
    assert zeros == [[False, True]]


def test_single_precision_and_complex():
    f = xform.custom_vjp(lambda z: z * z)
    f.defvjp(lambda z: (z * z, z), lambda z, g: (g * z * z.dtype.type(3),))
    x = np.float32(2.0)
    assert xform.grad(f)(x) == np.float32(6.0)
    assert xform.grad(f)(x).dtype == np.float32
    assert xform.jvp(f, (1j,), (1.0 + 0j,))[1] == 3j
    assert xform.grad(f, holomorphic=True)(1j) == 3j


def test_zero_size_and_no_results():
    f = xform.custom_jvp(lambda x: (x, ()))
    f.defjvp(lambda p, t: (f(*p), (10.0 * t[0], ())))
    empty = np.zeros((0, 2))
    assert xform.vjp(lambda x: f(x)[0], empty)[1](empty)[0].shape == (0, 2)
    assert xform.vmap(lambda x: f(x)[0])(empty).shape == (0, 2)


# --- vmap ---


def test_arguments_that_all_examples_share_get_the_sum_of_cotangents():
    f = ten_by_vjp()
    g = xform.grad(lambda y: np.sum(xform.vmap(f, (0, None))(X, y)))(2.0)
    assert_close(g, 10.0 * np.sum(np.sin(X)), 1e-14)
    g = xform.grad(lambda y: np.sum(xform.vmap(lambda _: f(0.3, y))(X)))(2.0)
    assert_close(g, 20.0 * np.sin(0.3), 1e-14)
    matrix = np.outer(X, X)
    nested = xform.vmap(xform.vmap(f, (0, None)), (0, 0))
    assert_close(xform.grad(lambda y: np.sum(nested(matrix, y)))(X), 10.0 * np.sum(np.sin(matrix), 1), 1e-14)


def test_the_batch_rule():
    calls = []

    @xform.custom_vmap
    def f(tree, y):
        return tree["x"] * y, y

    @f.def_vmap
    def rule(size, batched, tree, y):
        calls.append((size, batched))
        return (100.0 * tree["x"] * y, y), (True, batched[1])

    out, same = xform.vmap(f, (0, None))({"x": X}, 2.0)
    np.testing.assert_array_equal(out, 200.0 * X)
    np.testing.assert_array_equal(same, [2.0, 2.0])
    assert calls == [(2, ({"x": True}, False))]
    g = xform.vmap(xform.grad(lambda x: f({"x": x}, 2.0)[0]))(X)
    np.testing.assert_array_equal(g, [2.0, 2.0])
    nested = xform.vmap(xform.vmap(lambda x: f({"x": x}, 2.0)[0]))(np.outer(X, X))
    np.testing.assert_allclose(nested, 200.0 * np.outer(X, X))
    jaxpr = xform.make_jaxpr(xform.vmap(lambda x: f({"x": x}, 2.0)[0]))(X)
    np.testing.assert_allclose(jaxpr(X)[0], 200.0 * X)
    rows = xform.grad(lambda x: np.sum(xform.vmap(lambda x: f({"x": x}, 2.0)[0])(x)))(X)
    np.testing.assert_array_equal(rows, [200.0, 200.0])


def test_communication_inside():
    f = xform.custom_vjp(lambda x: lax.psum(x, "i"))
    f.defvjp(lambda x: (f(x), None), lambda _, g: (10.0 * g,))
    np.testing.assert_allclose(xform.vmap(f, axis_name="i")(X), np.sum(X) * np.ones(2))
    mapped = xform.grad(lambda x: np.sum(xform.vmap(f, axis_name="i")(x)))
    np.testing.assert_allclose(mapped(X), [10.0, 10.0])
    np.testing.assert_allclose(xform.make_jaxpr(mapped)(X)(X)[0], [10.0, 10.0])


# --- closures ---


def closing(w, kind="jvp"):
    f = xform.custom_jvp(lambda x: np.sin(x) * w)
    if kind == "jvp":
        f.defjvp(lambda p, t: (f(*p), 10.0 * np.cos(p[0]) * w * t[0]))
    else:
        f.defvjp(lambda x: (f(x), x), lambda x, g: (10.0 * np.cos(x) * w * g,))
    return f


@pytest.mark.parametrize("kind", ["jvp", "vjp"])
def test_closing_over_values_of_vmap(kind):
    want = 10.0 * np.cos(0.3) * X
    assert_close(xform.vmap(lambda w: closing(w, kind)(0.3))(X), np.sin(0.3) * X, 1e-15)
    assert_close(xform.vmap(lambda w: xform.grad(closing(w, kind))(0.3))(X), want, 1e-15)
    assert_close(xform.vmap(lambda w: xform.jvp(closing(w, kind), (0.3,), (1.0,))[1])(X), want, 1e-15)
    assert_close(xform.grad(lambda x: np.sum(xform.vmap(lambda w: closing(w, kind)(x))(X)))(0.3), np.sum(want), 1e-14)
    assert_close(xform.jvp(lambda x: xform.vmap(lambda w: closing(w, kind)(x))(X), (0.3,), (1.0,))[1], want, 1e-14)
    nested = xform.vmap(lambda w: xform.vmap(xform.grad(closing(w, kind)))(X))(X)
    assert_close(nested, 10.0 * np.outer(X, np.cos(X)), 1e-14)
    both = xform.grad(lambda x: np.sum(xform.vmap(lambda w: xform.vmap(lambda v: closing(w * v, kind)(x))(X))(X)))(0.3)
    assert_close(both, 10.0 * np.cos(0.3) * np.sum(X) ** 2, 1e-14)


@pytest.mark.parametrize("kind", ["jvp", "vjp"])
def test_closing_over_values_of_a_program(kind):
    for g in (lambda w: closing(w, kind)(0.3 + 0.0 * w), lambda w: closing(w, kind)(0.3)):
        assert_close(xform.make_jaxpr(g)(2.0)(2.0)[0], 2.0 * np.sin(0.3), 1e-15)
    derivative = xform.make_jaxpr(lambda w: xform.grad(closing(w, kind))(0.3))(2.0)
    assert_close(derivative(2.0)[0], 20.0 * np.cos(0.3), 1e-15)
    mapped = xform.make_jaxpr(xform.vmap(lambda w: xform.grad(closing(w, kind))(0.3)))(X)
    assert_close(mapped(X)[0], 10.0 * np.cos(0.3) * X, 1e-15)


def test_closing_over_a_value_of_another_derivative():
    """d/dw of d/dx f_w(x): the outer derivative sees the rule's own use of w."""

    def inner(w, kind):
        f = xform.custom_jvp(lambda x: np.sin(x) * w)
        if kind == "jvp":
            f.defjvp(lambda p, t: (np.sin(p[0]) * w, 10.0 * np.cos(p[0]) * w * t[0]))
        else:
            f.defvjp(lambda x: (np.sin(x) * w, x), lambda x, g: (10.0 * np.cos(x) * w * g,))
        return xform.grad(f)(0.3)

    for kind in ("jvp", "vjp"):
        for outer in (xform.grad, lambda f: lambda w: xform.jvp(f, (w,), (1.0,))[1]):
            assert_close(outer(functools.partial(inner, kind=kind))(2.0), 10.0 * np.cos(0.3), 1e-15)


def test_without_a_rule_for_the_derivative_closures_are_differentiated():
    def f(w):
        g = xform.custom_vmap(lambda x: x * w)
        g.def_vmap(lambda n, b, x: (x * 100.0, b[0]))
        return g(w)

    assert xform.grad(f)(3.0) == 6.0
    assert xform.jvp(f, (3.0,), (1.0,))[1] == 6.0
    assert xform.jet(f, (3.0,), ((1.0, 0.0),))[1] == [6.0, 2.0]


def test_closure_convert():
    def outer(w):
        converted, values = xform.closure_convert(lambda x: {"y": np.sin(x["x"]) * w}, {"x": 0.0})

        @xform.custom_vjp
        def f(x, *values):
            return converted(x, *values)["y"]

        f.defvjp(
            lambda x, *values: (f(x, *values), (x, values)),
            lambda r, g: ({"x": 10.0 * np.cos(r[0]["x"]) * g}, *(7.0 * g for _ in r[1])),
        )
        return f({"x": w}, *values)

    assert_close(xform.grad(outer)(2.0), 10.0 * np.cos(2.0) + 7.0, 1e-15)
    converted, values = xform.closure_convert(np.sin, 0.0)
    assert values == []
    assert converted(0.3) == np.sin(0.3)


# --- agreement with the definition, for rules that are true ---


def softplus():
    f = xform.custom_jvp(lambda x: np.log(1.0 + np.exp(x)))
    f.defjvp(lambda p, t: (f(*p), t[0] / (1.0 + np.exp(-p[0]))))
    return f


def test_a_true_rule_agrees_with_central_differences_to_third_order():
    f = softplus()
    g = xform.grad(xform.grad(f))
    h = 1e-5
    assert_close(xform.grad(g)(0.4), (g(0.4 + h) - g(0.4 - h)) / (2 * h), 1e-9)
    assert_close(
        xform.hessian(lambda x: np.sum(f(x) ** 2))(X),
        xform.hessian(lambda x: np.sum(np.log1p(np.exp(x)) ** 2))(X),
        1e-12,
    )


def test_rules_that_call_each_other():
    sin = xform.custom_jvp(np.sin)
    cos = xform.custom_jvp(np.cos)
    sin.defjvps(lambda t, y, x: cos(x) * t)
    cos.defjvps(lambda t, y, x: -sin(x) * t)
    _, terms = xform.jet(sin, (0.0,), ((1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0),))
    assert_close(np.array(terms), np.array([1.0, 0.0, -1.0, 0.0, 1.0, 0.0, -1.0]), 1e-12)
    f = sin
    for _ in range(4):
        f = xform.grad(f)
    assert_close(f(0.3), np.sin(0.3), 1e-15)


def test_custom_inside_custom():
    inner = ten_by_vjp()
    outer = xform.custom_jvp(lambda x: inner(x, 1.0))
    outer.defjvp(lambda p, t: (outer(*p), 2.0 * xform.jvp(lambda x: inner(x, 1.0), p, t)[1]))
    assert_close(xform.grad(outer)(0.3), 20.0 * np.cos(0.3), 1e-15)
    assert_close(xform.vmap(xform.grad(outer))(X), 20.0 * np.cos(X), 1e-15)
    assert_close(stage(lambda x: [xform.grad(outer)(x)], [xform.Aval((), float)])(0.3)[0], 20.0 * np.cos(0.3), 1e-15)


def test_arrays_that_a_pullback_returns_are_the_receivers():
    f = xform.custom_vjp(lambda x: x)
    f.defvjp(lambda x: (x, np.array([1.0, 2.0])), lambda r, g: (r,))
    _, pullback = xform.vjp(f, X)
    (first,) = pullback(np.ones(2))
    first[:] = 0.0
    np.testing.assert_array_equal(pullback(np.ones(2))[0], [1.0, 2.0])


# --- inside loops and branches ---


def clipped():
    """A backward rule that is not linear in the cotangent, so that it has no transpose."""
    clip = xform.custom_vjp(lambda x: x)
    clip.defvjp(lambda x: (x, None), lambda _, g: (np.clip(g, -1.0, 1.0),))
    return clip


def sum_of(f, x):
    return np.sum(f(x))


LOOPS = {
    "scan": lambda f: lambda x: lax.scan(lambda c, _: (f(2.0 * c), None), x, None, length=3)[0] * 5.0,
    "fori_loop": lambda f: lambda x: lax.fori_loop(0, 3, lambda i, c: f(2.0 * c), x) * 5.0,
    "cond": lambda f: lambda x: lax.cond(x > 0.0, lambda x: f(2.0 * x) * 5.0, lambda x: x, x),
    "checkpoint": lambda f: xform.checkpoint(lambda x: f(2.0 * x) * 5.0),
}


@pytest.mark.parametrize("loop", LOOPS)
def test_a_backward_rule_that_clips_inside(loop):
    f = LOOPS[loop](clipped())
    staged = xform.make_jaxpr(f)(1.0)
    for g in (f, lambda x: staged(x)[0]):
        total = functools.partial(sum_of, xform.vmap(g))
        assert xform.grad(g)(1.0) == 2.0
        assert xform.make_jaxpr(xform.grad(g))(1.0)(1.0) == [2.0]
        np.testing.assert_array_equal(xform.vmap(xform.grad(g))(np.ones(2)), [2.0, 2.0])
        np.testing.assert_array_equal(xform.grad(total)(np.ones(2)), [2.0, 2.0])
    assert xform.jvp(f, (1.0,), (1.0,))[1] == {"scan": 40.0, "fori_loop": 40.0}.get(loop, 10.0)


@pytest.mark.parametrize("loop", LOOPS)
@pytest.mark.parametrize("make", MAKERS)
def test_rules_inside(loop, make):
    f = make()
    g = LOOPS[loop](lambda x: f(x, 0.5 * x))
    plain = LOOPS[loop](lambda x: np.sin(x) * 0.5 * x)
    factor = {"scan": 1000.0, "fori_loop": 1000.0}.get(loop, 10.0)
    staged = xform.make_jaxpr(g)(0.3)
    for h in (g, lambda x: staged(x)[0]):
        assert_close(xform.grad(h)(0.3), factor * xform.grad(plain)(0.3), 1e-12)
        assert_close(xform.jvp(h, (0.3,), (1.0,))[1], factor * xform.grad(plain)(0.3), 1e-12)
        assert_close(xform.vmap(xform.grad(h))(X)[0], factor * xform.grad(plain)(0.3), 1e-12)
        assert_close(xform.make_jaxpr(xform.grad(h))(0.3)(0.3)[0], factor * xform.grad(plain)(0.3), 1e-12)


# --- under checks, and in threads ---


@pytest.mark.parametrize("checks", [xform.debug_nans, xform.debug_infs, xform.checking_leaks])
@pytest.mark.parametrize("make", MAKERS)
def test_under_checks(make, checks):
    f = make()
    with checks():
        g = xform.grad(lambda x: np.sum(xform.vmap(f)(x, X)))
        assert_close(g(X), 10.0 * np.cos(X) * X, 1e-14)
        assert_close(xform.vmap(xform.grad(f))(X, X), 10.0 * np.cos(X) * X, 1e-14)
        assert_close(xform.make_jaxpr(g)(X)(X)[0], 10.0 * np.cos(X) * X, 1e-14)
        assert_close(xform.vmap(lambda w: xform.grad(closing(w))(0.3))(X), 10.0 * np.cos(0.3) * X, 1e-14)


def test_a_pullback_that_closes_over_values_of_a_batch_in_threads():
    _, pullback = xform.vjp(lambda x: xform.vmap(lambda w: closing(w, "vjp")(x))(X), 0.3)
    found = []

    def work():
        found.extend(float(pullback(np.ones(2))[0]) for _ in range(100))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 400
    assert set(found) == {float(pullback(np.ones(2))[0])}
