"""What jit says of mistakes."""

from __future__ import annotations

import functools
import math

import numpy as np
import pytest

import xform
from tests.messages import says

X = np.ones(3)


def branching(x, n):
    if np.sum(x) > n:
        return x
    return -x


class TestValuesThatAreNotKnown:
    def test_a_condition(self):
        words = ["jit of `branching`", "test_jit_errors.py", "in branching", "xform.lax.cond", "numpy.where", "x and n"]
        with says(xform.ConcretizationError, *words, "static_argnums"):
            xform.jit(branching)(X, 2)

    def test_a_condition_under_a_derivative_inside(self):
        f = xform.jit(lambda x, n: xform.grad(lambda y: y * y if y > n else y)(x))
        with says(xform.ConcretizationError, "a condition", "the arguments x and n of jit of", "static_argnames"):
            f(1.0, 2.0)

    def test_what_it_does_not_depend_on_is_not_named(self):
        with says(xform.ConcretizationError, "depends on the argument p['k'] of jit of"):
            xform.jit(lambda x, p: x if p["k"] else -x)(X, {"k": 3, "j": 2})

    def test_a_size(self):
        with says(xform.ConcretizationError, "given as a size or a shape inside jit of", "static_argnums"):
            xform.jit(lambda x, n: np.zeros(n) + x)(X, 3)

    @pytest.mark.parametrize("f", [range, lambda x: [1, 2][x], int, lambda x: X[: x + 1]])
    def test_indices(self, f):
        with says(xform.ConcretizationError, "jit of"):
            xform.jit(f)(2)

    @pytest.mark.parametrize("f", [math.sin, float, np.asarray])
    def test_plain_numbers(self, f):
        with says(xform.ConcretizationError, "jit of", "was to become"):
            xform.jit(f)(2.0)

    def test_a_static_argument_is_known(self):
        assert xform.jit(lambda x, n: x if n > 1 else -x, static_argnames="n")(3.0, 1.0) == -3.0
        with says(xform.ConcretizationError, "depends on the argument x of"):
            xform.jit(branching, static_argnames="n")(X, 2)


class TestArguments:
    def test_what_is_no_array(self):
        with says(TypeError, "jit of `branching`", "for n, str 'two' was given", "static_argnames"):
            xform.jit(branching)(X, "two")
        with says(TypeError, "for p[0]['w'], object"):
            xform.jit(lambda p: 1.0)([{"w": object()}])
        with says(TypeError, "an array of dtype <U1 was given"):
            xform.jit(lambda p: 1.0)(np.array(["a"]))
        with says(TypeError, "a MaskedArray was given"):
            xform.jit(lambda p: 1.0)(np.ma.array([1.0]))

    def test_static_arguments_that_cannot_be_hashed(self):
        f = xform.jit(lambda x, sizes: x, static_argnums=1)
        with says(TypeError, "the static argument sizes is list [1, 2]", "cannot be hashed", "tuple"):
            f(X, [1, 2])
        with says(TypeError, "the static argument sizes is an array (f64[3])", "not static"):
            f(X, X)
        with says(TypeError, "the static argument sizes is an array (f64[])"):
            xform.grad(lambda s: f(1.0, s))(2.0)

    def test_positions_and_names(self):
        with says(ValueError, "jit of `branching`", "static_argnums has 2", "takes 2 by position"):
            xform.jit(branching, static_argnums=2)
        with says(ValueError, "static_argnames has 'm'", "the parameters x, n"):
            xform.jit(branching, static_argnames="m")
        with says(ValueError, "donate_argnums has -3"):
            xform.jit(branching, donate_argnums=-3)
        with says(ValueError, "argument 1 is both static and donated"):
            xform.jit(branching, static_argnames="n", donate_argnums=(0, 1))
        with says(TypeError, "static_argnums is 'x'", "wanted positions"):
            xform.jit(branching, static_argnums="x")
        with says(TypeError, "donate_argnums is 1.5"):
            xform.jit(branching, donate_argnums=1.5)
        with says(TypeError, "static_argnames is (1,)", "wanted names"):
            xform.jit(branching, static_argnames=(1,))

    def test_the_function(self):
        with says(TypeError, "wanted a function"):
            xform.jit(3.0)
        with says(ValueError, "backend is 'cuda'", "'auto', 'c', 'numpy'"):
            xform.jit(branching, backend="cuda")
        with says(TypeError, "missing 1 required positional argument"):
            xform.jit(lambda x, y: x)(1.0)


class TestResults:
    @pytest.mark.parametrize("value, words", [("a", "str 'a'"), (object, "type <class 'object'>"), ({1}, "set {1}")])
    def test_what_is_no_array(self, value, words):
        with says(TypeError, "jit of", "in the result at ['y'][1]", words, "returns arrays and numbers"):
            xform.jit(lambda x: {"y": (x, value)})(1.0)

    def test_a_leaked_value(self):
        kept = []
        xform.jit(lambda x: kept.append(x) or x)(1.0)
        with pytest.raises(xform.LeakedTracerError, match="jit of"):
            kept[0] + 1.0
        with pytest.raises(xform.LeakedTracerError):
            xform.jit(lambda x: kept[0])(1.0)
        with pytest.raises(xform.LeakedTracerError):
            xform.jit(lambda x: x)(kept[0])


class TestCompiled:
    def test_arguments_of_another_kind(self):
        compiled = xform.jit(lambda p, n: p["w"], static_argnums=1).lower({"w": X}, 2).compile()
        with says(TypeError, "was compiled for p['w'] of f64[3]; f64[2] was given"):
            compiled({"w": X[:2]})
        with says(TypeError, "was compiled for arguments of the structure", "static arguments are left out"):
            compiled({"w": X}, 2)


def test_tracebacks_show_the_users_lines():
    @xform.jit
    def f(x):
        raise KeyError("mine")

    with pytest.raises(KeyError) as info:
        functools.partial(f, 1.0)()
    frames = [entry.path.name for entry in info.traceback]
    assert set(map(str, frames)) == {"test_jit_errors.py"}
