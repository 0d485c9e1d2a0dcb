"""Mistakes in rules, and closures over values that a rule does not know, each with its message."""

from __future__ import annotations

import functools

import numpy as np
import pytest

import xform
from tests.messages import says

X = np.array([0.3, -0.7])


def f(x, y):
    return np.sin(x) * y


def with_jvp(rule):
    g = xform.custom_jvp(f)
    g.defjvp(rule)
    return lambda: xform.grad(lambda x: np.sum(g(x, X)))(X)


def with_vjp(bwd, fwd=lambda x, y: (f(x, y), (x, y))):
    g = xform.custom_vjp(f)
    g.defvjp(fwd, bwd)
    return lambda: xform.grad(lambda x: np.sum(g(x, X)))(X)


# --- at the definition ---


def test_no_rule():
    g = xform.custom_vjp(f)
    with says(
        xform.MissingRuleError, "`f` (test_custom_errors.py", "no rule yet", "defjvp, defvjp, def_vmap or defjet"
    ):
        g(1.0, 2.0)


def test_not_a_function():
    with says(TypeError, "wanted a function"):
        xform.custom_jvp(3.0)
    g = xform.custom_jvp(f)
    with says(TypeError, "the jvp rule of `f`", "must be a function, not float 3.0"):
        g.defjvp(3.0)
    with says(TypeError, "backward rule of `f`", "must be a function"):
        g.defvjp(f, None)


@pytest.mark.parametrize(
    "define, words",
    [
        (lambda g: g.defjvp(lambda x: x), ["the jvp rule of `f`", "takes (x)", "2 arguments", "primals, tangents"]),
        (lambda g: g.defvjp(lambda x: x, lambda r, g: g), ["the forward rule of `f`", "takes (x)", "x, y"]),
        (lambda g: g.defvjp(f, lambda g: g), ["the backward rule of `f`", "takes (g)", "residuals, cotangent"]),
        (lambda g: g.def_vmap(lambda n, b, x: x), ["the batch rule of `f`", "axis_size, in_batched, x, y"]),
        (lambda g: g.defjet(lambda p: p), ["the Taylor rule of `f`", "primals, series"]),
        (lambda g: g.defjvps(lambda t, z, x, y: t), ["defjvps of `f`", "1 rules were given", "wanted 2", "(x, y)"]),
        (lambda g: g.defjvps(None, lambda t, x, y: t), ["rule 1 of defjvps of `f`", "tangent, result, x, y"]),
    ],
)
def test_signatures(define, words):
    with says(TypeError, *words, "test_custom_errors.py"):
        define(xform.custom_jvp(f))


def test_nondiff_arguments():
    with says(ValueError, "`f`", "nondiff_argnums has 2", "takes 2 arguments (x, y)"):
        xform.custom_jvp(f, nondiff_argnums=(2,))
    with says(ValueError, "nondiff_argnames has 'z'", "(x, y)"):
        xform.custom_vjp(f, nondiff_argnames="z")
    with says(TypeError, "nondiff_argnums must hold integers, not 'x'"):
        xform.custom_vjp(f, nondiff_argnums=("x",))
    with says(TypeError, "the jvp rule of `f`", "3 arguments", "the argument 0, primals, tangents"):
        xform.custom_jvp(f, nondiff_argnums=0).defjvp(lambda p, t: (p, t))
    with says(TypeError, "defjvps of `f`", "nondiff_argnums needs one rule; use defjvp"):
        xform.custom_jvp(f, nondiff_argnums=0).defjvps(None, None)
    open_ended = xform.custom_jvp(lambda *xs: xs[0], nondiff_argnums=(2,))
    open_ended.defjvp(lambda n, p, t: (p[0], t[0]))
    with says(ValueError, "nondiff_argnums has 2", "called with 1 arguments"):
        xform.grad(open_ended)(1.0)


# --- at the call ---


def test_traced_nondiff_argument():
    g = xform.custom_jvp(f, nondiff_argnums=1)
    g.defjvp(lambda y, p, t: (f(*p, y), y * t[0]))
    with says(TypeError, "`f`", "the argument y is traced", "nondiff_argnums", "ordinary argument"):
        xform.grad(lambda y: g(1.0, y))(2.0)
    with says(TypeError, "the argument y is traced"):
        xform.vmap(lambda y: g(1.0, y))(X)


def test_argument_that_is_no_array():
    g = xform.custom_jvp(f)
    g.defjvp(lambda p, t: (p[0], t[0]))
    with says(TypeError, "`f`", "for y['mode']", "str", "nondiff_argnums"):
        xform.grad(lambda x: g(x, {"mode": "fast"}))(1.0)


def test_wrong_number_of_arguments():
    g = xform.custom_jvp(f)
    g.defjvp(lambda p, t: (p[0], t[0]))
    with says(TypeError, "`f`", "missing a required argument: 'y'"):
        xform.grad(g)(1.0)
    ufunc = xform.custom_jvp(np.sin)
    ufunc.defjvps(lambda t, y, x: t)
    with says(TypeError, "sin", "out"):
        xform.grad(lambda x: ufunc(x, out=None))(1.0)


def test_result_that_is_no_array():
    g = xform.custom_jvp(lambda x: {"a": "text"})
    g.defjvp(lambda p, t: ({"a": "text"}, {"a": t[0]}))
    with says(TypeError, "the jvp rule of", "its result['a']", "str"):
        xform.grad(lambda x: g(x)["a"])(1.0)


# --- the jvp rule ---


@pytest.mark.parametrize(
    "rule, words",
    [
        (lambda p, t: f(*p), ["returned a", "wanted a pair (value, tangent)"]),
        (lambda p, t: (f(*p), t[0], t[1]), ["returned a tuple of length 3", "wanted a pair"]),
        (lambda p, t: (f(*p), t), ["a tangent", "unlike the value"]),
        (lambda p, t: (f(*p), {"a": t[0]}), ["a tangent unlike the value", "dict"]),
        (lambda p, t: (f(*p), np.sum(t[0])), ["a tangent unlike the value", "f64[] was given, wanted f64[2]"]),
        (lambda p, t: (f(*p), xform.numpy.astype(t[0], np.float32)), ["f32[2] was given, wanted f64[2]"]),
        (lambda p, t: (np.sum(p[0]), np.sum(t[0])), ["gave the value as f64[]", "the function itself gives f64[2]"]),
        (lambda p, t: ([f(*p)], [t[0]]), ["gave a value of the structure", "the function itself gives"]),
    ],
)
def test_jvp_rules(rule, words):
    with says(TypeError, "the jvp rule of `f` (test_custom_errors.py", *words):
        with_jvp(rule)()


def test_tangents_of_trees():
    g = xform.custom_jvp(lambda x: {"a": x, "b": (x, x)})
    g.defjvp(lambda p, t: (g(*p), {"a": t[0], "b": (t[0], t[0][:1])}))
    with says(TypeError, "a tangent at ['b'][1] unlike the value", "f64[1] was given, wanted f64[2]"):
        xform.jvp(g, (X,), (X,))
    h = xform.custom_jvp(lambda x: {"a": x, "b": x})
    h.defjvp(lambda p, t: (h(*p), {"a": t[0]}))
    with says(TypeError, "a tangent that has not the structure of the value", "'b'"):
        xform.jvp(h, (X,), (X,))


def test_jvp_rules_that_are_not_linear():
    with says(xform.NonlinearError, "the jvp rule of `f`", "not linear in the tangents", "does not depend on them"):
        with_jvp(lambda p, t: (f(*p), np.ones(2)))()
    with says(xform.NonlinearError, "the jvp rule of `f`", "not linear in the tangents", "affine"):
        with_jvp(lambda p, t: (f(*p), t[0] + 1.0))()


def test_defjvps_at_a_call_with_more_arguments():
    g = xform.custom_jvp(lambda *xs: sum(xs))
    g.defjvps(lambda t, z, *xs: t)
    with says(TypeError, "1 rules were given", "called with 2 arguments"):
        xform.grad(lambda x: g(x, x))(1.0)


# --- the forward and backward rule ---


@pytest.mark.parametrize(
    "bwd, words",
    [
        (lambda r, g: g, ["returned a", "wanted a tuple", "2 arguments (x, y)"]),
        (lambda r, g: (g,), ["returned 1 cotangents", "2 arguments (x, y)", "None is zero"]),
        (lambda r, g: (np.sum(g), None), ["a wrong cotangent of x", "f64[] was given, wanted f64[2]", "broadcast"]),
        (lambda r, g: (g, g[:1]), ["a wrong cotangent of y", "f64[1] was given, wanted f64[2]"]),
        (lambda r, g: (g.astype(np.float32), None), ["a wrong cotangent of x", "f32[2] was given, wanted f64[2]"]),
        (lambda r, g: ({"a": g}, None), ["a wrong cotangent of x", "dict"]),
        (lambda r, g: ("x", None), ["a wrong cotangent of x", "str"]),
    ],
)
def test_backward_rules(bwd, words):
    with says(TypeError, "the backward rule of `f` (test_custom_errors.py", *words):
        with_vjp(bwd)()


def test_backward_rule_of_one_argument():
    g = xform.custom_vjp(lambda x: x)
    g.defvjp(lambda x: (x, None), lambda r, b: b)
    with says(TypeError, "returned a", "(x_bar,) is a tuple of one"):
        xform.grad(g)(1.0)


def test_cotangents_of_trees():
    g = xform.custom_vjp(lambda p: p["w"] * p["b"])
    g.defvjp(lambda p: (g(p), None), lambda r, b: ({"w": b},))
    with says(TypeError, "a cotangent of p that has not its structure", "'b'"):
        xform.grad(lambda p: np.sum(g(p)))({"w": X, "b": X})
    g.defvjp(lambda p: (g(p), None), lambda r, b: ({"w": b, "b": b[:1]},))
    with says(TypeError, "a wrong cotangent of p['b']", "f64[1] was given, wanted f64[2]"):
        xform.grad(lambda p: np.sum(g(p)))({"w": X, "b": X})


@pytest.mark.parametrize(
    "fwd, words",
    [
        (f, ["returned a ndarray", "wanted a pair (value, residuals)"]),
        (lambda x, y: (f(x, y), x, y), ["returned a tuple of length 3", "wanted a pair (value, residuals)"]),
        (lambda x, y: (np.sum(f(x, y)), x), ["gave the value as f64[]", "the function itself gives f64[2]"]),
        (lambda x, y: ((f(x, y),), x), ["gave a value of the structure", "the function itself gives"]),
        (lambda x, y: ("text", x), ["its result", "str"]),
    ],
)
def test_forward_rules(fwd, words):
    with says(TypeError, "the forward rule of `f` (test_custom_errors.py", *words):
        with_vjp(lambda r, g: (g, g), fwd)()


def test_a_backward_rule_without_transpose_in_the_forward_reading():
    g = xform.custom_vjp(lambda x: x**3)
    g.defvjp(lambda x: (x**3, x), lambda x, b: (np.clip(b, -1.0, 1.0),))
    _, g_jvp = xform.linearize(g, 2.0)
    with says(xform.NonlinearError, "the backward rule of", "cannot be transposed", "defjvp", "reverse mode"):
        g_jvp(1.0)


def test_custom_gradient():
    with says(TypeError, "custom_gradient", "returned a", "wanted a pair (value, function"):
        xform.custom_gradient(lambda x: x * 2.0)(1.0)
    with says(TypeError, "custom_gradient", "returned a tuple", "wanted a pair"):
        xform.custom_gradient(lambda x: (x, x))(1.0)


# --- the batch and the Taylor rule ---


@pytest.mark.parametrize(
    "rule, words",
    [
        (lambda n, b, x, y: f(x, y), ["returned a ndarray", "wanted a pair (value, whether each result is batched)"]),
        (lambda n, b, x, y: (f(x, y), 1), ["with True or False", "not with 1"]),
        (lambda n, b, x, y: (f(x, y), (True, True)), ["booleans that do not fit its value"]),
        (lambda n, b, x, y: (1.0, True), ["its result, f64[], is batched", "wanted 2 examples along its first axis"]),
    ],
)
def test_batch_rules(rule, words):
    g = xform.custom_vmap(f)
    g.def_vmap(rule)
    with says(Exception, "the batch rule of `f` (test_custom_errors.py", *words) as caught:
        xform.vmap(g)(X, X)
    assert isinstance(caught.value, TypeError | ValueError)


@pytest.mark.parametrize(
    "rule, words",
    [
        (lambda p, s: p[0], ["wanted a pair (value, derivatives)"]),
        (lambda p, s: (f(*p), s[0][0]), ["asked for a list of 1 derivatives", "it returned a"]),
        (lambda p, s: (f(*p), [s[0][0]] * 5), ["asked for a list of 1 derivatives", "it returned 5"]),
        (lambda p, s: (f(*p), [s[0][0][:1]]), ["a derivative unlike the value", "f64[1] was given, wanted f64[2]"]),
    ],
)
def test_taylor_rules(rule, words):
    g = xform.custom_jvp(f)
    g.defjet(rule)
    with says(TypeError, "the Taylor rule of `f` (test_custom_errors.py", *words):
        xform.jet(g, (X, X), ((X, X), (X, X)))


# --- closures ---


def closing_over(w, how):
    """A function with a rule that closes over `w`, in one of the ways in which Python can."""
    if how == "cell":
        return xform.custom_jvp(lambda x: x * w)
    if how == "partial":
        return xform.custom_jvp(functools.partial(times, w))
    if how == "list":
        weights = [1.0, {"w": w}]
        return xform.custom_jvp(lambda x: x * weights[1]["w"])
    if how == "method":
        return xform.custom_jvp(Model(w).apply)

    def helper(x):
        return x * w

    return xform.custom_jvp(lambda x: 1.0 * helper(x))


def times(w, x):
    return x * w


class Model:
    def __init__(self, weight):
        self.weight = weight

    def apply(self, x):
        return x * self.weight


NAMES = {"cell": "`w`", "list": "`weights[1]['w']`", "method": "`self.weight`", "helper": "`w`", "partial": "args[0]"}
DERIVATIVES = {
    "grad": lambda outer: xform.grad(outer)(2.0),
    "jvp": lambda outer: xform.jvp(outer, (2.0,), (1.0,)),
    "jet": lambda outer: xform.jet(outer, (2.0,), ((1.0, 0.0),)),
    "grad of vmap": lambda outer: xform.grad(lambda w: np.sum(xform.vmap(lambda s: outer(w) * s)(X)))(2.0),
    "program": lambda outer: xform.make_jaxpr(xform.grad(outer))(2.0),
}


@pytest.mark.parametrize("how", NAMES)
@pytest.mark.parametrize("derivative", DERIVATIVES)
def test_closing_over_a_differentiated_value(how, derivative):
    """Whether the arguments vary with it or are constants."""

    def outer(w, x):
        g = closing_over(w, how)
        g.defjvp(lambda p, t: (p[0], t[0]))
        return g(x(w))

    for x in (lambda w: w, lambda w: 3.0):
        words = [
            "test_custom_errors.py",
            "closes over",
            NAMES[how],
            "closure_convert",
            "as an argument",
            "stop_gradient",
        ]
        with says(xform.LeakedTracerError, *words):
            DERIVATIVES[derivative](functools.partial(outer, x=x))


def test_a_closure_that_cannot_be_seen():
    """A value hidden in an object is found out when the rule meets it, or by its result."""

    class Hidden:
        pass

    def outer(w, x):
        hidden = Hidden()
        hidden.value = w
        g = xform.custom_jvp(lambda x: x * hidden.value)
        g.defjvp(lambda p, t: (p[0] * hidden.value, t[0]))
        return g(x(w))

    with says(xform.LeakedTracerError, "a rule of", "closure_convert"):
        xform.grad(lambda w: outer(w, lambda w: w))(2.0)
    with says(xform.LeakedTracerError, "closes over a value", "closure_convert"):
        xform.grad(lambda w: outer(w, lambda w: 3.0))(2.0)


def test_a_program_closing_over_a_value_is_differentiated_in_it():
    def outer(w):
        g = xform.custom_jvp(lambda x: x * w)
        g.defjvp(lambda p, t: (p[0], t[0]))
        return g(3.0 * w)

    jaxpr = xform.make_jaxpr(outer)(2.0)
    assert jaxpr(2.0) == [12.0]
    with says(xform.LeakedTracerError, "closes over `w`"):
        xform.grad(lambda w: jaxpr(w)[0])(2.0)


def test_a_value_of_a_transformation_that_has_ended():
    kept = []
    xform.grad(lambda w: kept.append(w) or w)(2.0)
    (w,) = kept
    g = xform.custom_jvp(lambda x: x * w)
    g.defjvp(lambda p, t: (p[0], t[0]))
    with says(xform.LeakedTracerError, "or one of its rules closes over `w`", "has ended"):
        xform.grad(g)(1.0)


def test_a_batch_rule_does_not_know_what_varies_by_closure():
    def outer(w):
        g = xform.custom_vmap(lambda x: x * w)
        g.def_vmap(lambda n, b, x: (x, b[0]))
        return g(w)

    with says(xform.LeakedTracerError, "batch rule of its own and closes over `w`", "closure_convert"):
        xform.vmap(outer)(X)


def test_converted_functions_check_their_arguments():
    converted, values = xform.closure_convert(lambda x: x["a"], {"a": 1.0})
    assert values == []
    with says(TypeError, "converted by closure_convert", "wanted the structure", "'a'"):
        converted(1.0)
