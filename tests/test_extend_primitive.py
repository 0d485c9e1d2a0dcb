"""Functions that only take plain arrays, wrapped with the rules that one has."""

from __future__ import annotations

import ctypes
import ctypes.util
import functools
import math

import numpy as np
import pytest

import xform
from tests.messages import says
from tests.numeric import assert_close
from xform.core.primitive import Primitive
from xform.extend import primitive

scipy_linalg = pytest.importorskip("scipy.linalg")
special = pytest.importorskip("scipy.special")

X = np.array([0.3, 0.7, 1.9])
A = np.array([[2.0, 0.3, 0.1], [0.3, 1.5, 0.2], [0.1, 0.2, 1.0]])


def plain(x):
    """Fails on anything but arrays."""
    assert type(x) in (np.ndarray, np.float64, np.float32), type(x)
    return x


def cube(x):
    return plain(x) ** 3


def like_first(*avals):
    return avals[0]


CUBES = {
    "jvp": primitive(cube, shape=like_first, jvp=lambda y, x, t: 3.0 * x[0] ** 2 * t[0]),
    "vjp": primitive(cube, shape=like_first, vjp=lambda y, x, g: (3.0 * x[0] ** 2 * g,)),
    "both": primitive(
        cube,
        shape=like_first,
        jvp=lambda y, x, t: 3.0 * x[0] ** 2 * t[0],
        vjp=lambda y, x, g: (3.0 * x[0] ** 2 * g,),
        batch="broadcast",
        sparsity="elementwise",
    ),
    "partials": primitive(cube, partials=[lambda y, x: 3.0 * x**2]),
    "batch": primitive(
        cube,
        shape=like_first,
        vjp=lambda y, x, g: (3.0 * x[0] ** 2 * g,),
        batch=lambda size, batched, x: (CUBES["partials"](x), batched[0]),
    ),
}


@pytest.mark.parametrize("way", CUBES)
def test_every_transformation(way):
    f = CUBES[way]
    assert_close(f(X), X**3, 0.0)
    assert_close(xform.vjp(f, X)[1](X)[0], 3 * X**3, 1e-15)
    assert_close(xform.jvp(f, (X,), (X,))[1], 3 * X**3, 1e-15)
    assert_close(xform.linearize(f, X)[1](X), 3 * X**3, 1e-15)
    assert_close(xform.grad(xform.grad(f))(2.0), 12.0, 1e-15)
    assert_close(xform.hessian(lambda x: np.sum(f(x)))(X), np.diag(6 * X), 1e-15)
    assert_close(np.array(xform.jet(f, (2.0,), ((1.0, 0.0, 0.0, 0.0),))[1]), np.array([12.0, 12.0, 6.0, 0.0]), 1e-13)
    rows = np.stack([X, 2 * X])
    assert_close(xform.vmap(f)(rows), rows**3, 1e-15)
    assert_close(xform.vmap(xform.vmap(xform.grad(f)))(rows), 3 * rows**2, 1e-15)
    assert_close(xform.grad(lambda x: np.sum(xform.vmap(xform.vmap(f))(x)))(rows), 3 * rows**2, 1e-15)
    np.testing.assert_array_equal(
        xform.sparsity_pattern(f, X),
        np.eye(3, dtype=bool) | (way in ("jvp", "vjp", "batch")) & xform.sparsity_pattern(f, X),
    )
    jaxpr = xform.make_jaxpr(xform.grad(lambda x: np.sum(f(x))))(X)
    assert_close(jaxpr(X)[0], 3 * X**2, 1e-15)
    mapped = xform.make_jaxpr(xform.vmap(f))(rows)
    assert_close(mapped(rows)[0], rows**3, 1e-15)
    single = np.float32(2.0)
    assert xform.grad(f)(single).dtype == np.float32


def test_sparsity_from_the_derivative():
    np.testing.assert_array_equal(xform.sparsity_pattern(CUBES["jvp"], X), np.eye(3, dtype=bool))
    np.testing.assert_array_equal(xform.sparsity_pattern(CUBES["vjp"], X), np.eye(3, dtype=bool))


def test_nothing_enters_the_table_of_primitives():
    before = set(Primitive.registry)
    primitive(cube, partials=[None], name="sin")
    primitive(cube, linear=True)
    assert set(Primitive.registry) == before


# --- SciPy ---


def solve_vjp(y, x, y_bar):
    b_bar = solve_spd(x[0], y_bar)
    return -np.outer(b_bar, y), b_bar


solve_spd = primitive(
    lambda a, b: scipy_linalg.solve(a, b, assume_a="pos"),
    vjp=solve_vjp,
    shape=lambda a, b: b,
    linear=1,
    name="solve_spd",
)


def test_a_solver_of_scipy_to_second_order():
    def loss(solve, b):
        return np.sum(solve(A + np.diag(b * b), b) ** 2)

    ours, numpys = (functools.partial(loss, s) for s in (solve_spd, np.linalg.solve))
    assert_close(xform.grad(ours)(X), xform.grad(numpys)(X), 1e-13)
    assert_close(xform.hessian(ours)(X), xform.hessian(numpys)(X), 1e-12)
    assert_close(xform.jacfwd(xform.grad(ours))(X), xform.hessian(numpys)(X), 1e-12)
    rows = np.stack([X, X[::-1]])
    assert_close(xform.vmap(xform.grad(ours))(rows)[1], xform.grad(numpys)(rows[1]), 1e-13)
    staged = xform.make_jaxpr(xform.vmap(xform.grad(ours)))(rows)
    assert_close(staged(rows)[0][1], xform.grad(numpys)(rows[1]), 1e-13)
    assert "solve_spd" in str(xform.make_jaxpr(ours)(X))


def test_special_functions():
    digamma = primitive(special.digamma, partials=[lambda y, x: trigamma(x)])
    trigamma = primitive(functools.partial(special.polygamma, 1), partials=[lambda y, x: xform.numpy.zeros_like(x)])
    gammaln = primitive(special.gammaln, partials=[lambda y, x: digamma(x)])
    assert_close(xform.grad(gammaln)(2.5), special.digamma(2.5), 1e-15)
    assert_close(xform.grad(xform.grad(gammaln))(2.5), special.polygamma(1, 2.5), 1e-15)
    assert_close(xform.vmap(xform.grad(gammaln))(X), special.digamma(X), 1e-15)
    assert xform.make_jaxpr(gammaln)(np.float32(1.0)).out_avals[0].dtype == np.float32


def test_several_results_and_integers():
    def frexp(x):
        return np.frexp(plain(x))

    f = primitive(
        frexp,
        shape=lambda x: (x, xform.Aval(x.shape, np.int32)),
        jvp=lambda y, x, t: (t[0] / xform.numpy.exp2(y[1] * 1.0), None),
    )
    mantissa, exponent = f(6.0)
    assert (mantissa, exponent) == (0.75, 3)
    assert xform.grad(lambda x: f(x)[0])(6.0) == 0.125
    assert xform.vmap(f)(X)[1].dtype == np.int32
    assert len(xform.make_jaxpr(f)(6.0).outputs) == 2


# --- C ---


def libm(name):
    function = getattr(ctypes.CDLL(ctypes.util.find_library("m")), name)
    function.restype, function.argtypes = ctypes.c_double, [ctypes.c_double]
    return function


def test_a_function_of_c_with_partials():
    erf = primitive(
        np.vectorize(libm("erf"), otypes=[float]),
        partials=[lambda y, x: 2.0 / math.sqrt(math.pi) * np.exp(-x * x)],
        name="erf",
    )
    assert_close(erf(X), special.erf(X), 1e-15)
    assert_close(xform.grad(xform.grad(erf))(0.3), -4.0 * 0.3 / math.sqrt(math.pi) * math.exp(-0.09), 1e-15)
    assert_close(xform.vmap(xform.grad(erf))(X), 2.0 / math.sqrt(math.pi) * np.exp(-X * X), 1e-15)
    assert " erf " in str(xform.make_jaxpr(erf)(X))


# --- linear functions ---


def convolve(x, k):
    return np.convolve(plain(x), plain(k), "same")


def test_a_linear_function_and_its_transpose():
    def transposed(g):
        return backward(g)

    forward = primitive(np.cumsum, linear=True, transpose=transposed, shape=like_first)
    backward = primitive(lambda g: np.cumsum(g[::-1])[::-1], linear=True, transpose=forward, shape=like_first)
    assert_close(xform.grad(lambda x: np.sum(forward(x) * X))(X), np.cumsum(X[::-1])[::-1], 1e-15)
    assert_close(xform.jvp(forward, (X,), (X,))[1], np.cumsum(X), 1e-15)
    assert_close(xform.linear_transpose(forward, X)(X)[0], np.cumsum(X[::-1])[::-1], 1e-15)
    rows = np.stack([X, X * X])
    assert_close(
        xform.grad(lambda x: np.sum(xform.vmap(forward)(x) * rows))(rows), np.cumsum(rows[:, ::-1], 1)[:, ::-1], 1e-15
    )
    assert_close(
        xform.vmap(xform.grad(lambda x: np.sum(forward(x) ** 2)))(rows)[1],
        xform.grad(lambda x: np.sum(np.cumsum(x) ** 2))(rows[1]),
        1e-14,
    )
    staged = xform.make_jaxpr(xform.grad(lambda x: np.sum(forward(x) * X)))(X)
    assert_close(staged(X)[0], np.cumsum(X[::-1])[::-1], 1e-15)
    assert_close(
        np.array(xform.jet(forward, (X,), ((X, 2 * X),))[1]), np.array([np.cumsum(X), 2 * np.cumsum(X)]), 1e-15
    )
    assert xform.sparsity_pattern(forward, X).all()


def test_linear_in_one_argument():
    f = primitive(convolve, linear=0, transpose=lambda g, k: f(g, k[::-1]), shape=like_first)
    kernel = np.array([1.0, 2.0, 0.5])
    assert_close(xform.vjp(lambda x: f(x, kernel), X)[1](X)[0], np.convolve(X, kernel[::-1], "same"), 1e-15)
    shared = xform.grad(lambda x: np.sum(xform.vmap(lambda k: f(x, k))(np.stack([kernel, 2 * kernel]))))(X)
    assert_close(shared, 3 * np.convolve(np.ones(3), kernel[::-1], "same"), 1e-15)
    with says(xform.MissingRuleError, "linear in the arguments (0,)", "jvp= or vjp="):
        xform.grad(lambda k: np.sum(f(X, k)))(kernel)


def test_taylor_rule_and_given_sparsity():
    f = primitive(
        lambda x: plain(x)[:-1] * x[1:],
        shape=lambda x: xform.Aval((x.shape[0] - 1,), x.dtype),
        jet=lambda p, s: (f(*p), [(k + 1.0) * t[1:] for k, t in enumerate(s[0])]),
        sparsity=lambda x: np.eye(2, 3, dtype=bool) | np.eye(2, 3, k=1, dtype=bool),
    )
    assert_close(np.array(xform.jet(f, (X,), ((X, X),))[1]), np.array([X[1:], 2 * X[1:]]), 1e-15)
    np.testing.assert_array_equal(xform.sparsity_pattern(f, X).astype(int), [[1, 1, 0], [0, 1, 1]])


# --- what is missing, and what is wrong ---


def test_missing_rules_are_asked_for_by_name():
    f = primitive(cube)
    assert f(2.0) == 8.0
    assert_close(xform.vmap(f)(X), X**3, 0.0)
    with says(
        xform.MissingRuleError,
        "`cube` (test_extend_primitive.py",
        "no derivative",
        "jvp=",
        "vjp=",
        "partials=",
        "transpose=",
    ):
        xform.grad(f)(2.0)
    with says(xform.MissingRuleError, "`cube`", "shape="):
        xform.make_jaxpr(f)(2.0)
    with says(xform.MissingRuleError, "`cube`", "shape="):
        xform.sparsity_pattern(primitive(cube, jvp=lambda y, x, t: 3.0 * x[0] ** 2 * t[0]), X)
    with says(xform.MissingRuleError, "is linear", "transpose="):
        xform.vjp(primitive(np.cumsum, linear=True), X)[1](X)


@pytest.mark.parametrize(
    "options, words",
    [
        ({"partials": [1.0], "vjp": cube}, ["partials= and vjp=", "give one"]),
        ({"transpose": cube, "vjp": cube}, ["transpose= and vjp="]),
        ({"jvp": 3}, ["jvp= must be a function, not 3"]),
        ({"shape": (3,)}, ["shape= must be a function"]),
        ({"batch": "vector"}, ["batch= must be", "'loop' or 'broadcast'", "'vector'"]),
        ({"sparsity": "dense"}, ["sparsity= must be", "'elementwise'"]),
        ({"partials": [1.0, 2.0]}, ["2 partials were given", "wanted 1"]),
        ({"partials": 1.0}, ["partials= must be a list"]),
        ({"partials": ["x"]}, ["partial 0 must be a function, a number or None"]),
        ({"partials": [lambda x: x]}, ["partial derivative 0", "y, x1"]),
        ({"linear": 3}, ["linear=", "3"]),
        ({"jvp": lambda x, t: t}, ["the jvp rule of `cube`", "y, x, x_dot"]),
        ({"vjp": lambda g: g}, ["the vjp rule of `cube`", "y, x, y_bar"]),
    ],
)
def test_options_that_do_not_fit(options, words):
    with says(
        TypeError if "must be a f" in words[0] else Exception, "`cube` (test_extend_primitive.py", *words
    ) as caught:
        primitive(cube, **options)
    assert isinstance(caught.value, TypeError | ValueError)


def test_results_that_do_not_fit():
    with says(TypeError, "`cube`", "returned [f64[]]", "shape rule says [f64[3]]"):
        primitive(cube, shape=lambda x: xform.Aval((3,), float))(2.0)
    with says(TypeError, "the shape rule of `cube`", "no shape and dtype", "xform.Aval"):
        xform.make_jaxpr(primitive(cube, shape=lambda x: "x"))(2.0)
    with says(TypeError, "returned 'hello'", "wanted an array or a tuple of arrays"):
        primitive(lambda x: "hello")(2.0)
    with says(TypeError, "applied entry by entry", "returned f64[]", "instead of partials="):
        primitive(np.sum, partials=[1.0])(X)
    with says(TypeError, "takes 1 arguments", "2 were given"):
        primitive(cube, partials=[1.0])(X, X)
    with says(TypeError, "str", "functools.partial"):
        primitive(cube)("x")
    with says(TypeError, "the transpose of", "f64[2] as the cotangent of", "wanted f64[3]"):
        xform.vjp(primitive(np.cumsum, linear=True, transpose=lambda g: g[:2]), X)[1](X)
    with says(TypeError, "the transpose of", "returned 2 cotangents", "wanted 1"):
        xform.vjp(primitive(np.cumsum, linear=True, transpose=lambda g: (g, g)), X)[1](X)
    with says(
        TypeError,
        "<lambda>` (test_extend",
        "backward rule of `cube`",
        "returned a wrong cotangent of x",
        "f64[2]",
        "f64[3]",
    ):
        xform.vjp(primitive(cube, vjp=lambda y, x, g: (g[:2],)), X)[1](X)
    with says(TypeError, "pattern of shape (3,)", "wanted (3, 3)"):
        xform.sparsity_pattern(primitive(cube, shape=like_first, sparsity=lambda x: np.ones(3)), X)
    with says(TypeError, "2 patterns", "wanted 1"):
        xform.sparsity_pattern(primitive(cube, shape=like_first, sparsity=lambda x: (X, X)), X)
    with says(TypeError, "one result only"):
        xform.sparsity_pattern(primitive(lambda x: (x, x), shape=lambda x: (x, x), sparsity="elementwise"), X)
