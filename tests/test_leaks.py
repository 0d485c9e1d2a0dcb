"""checking_leaks: a traced value that outlives its transformation is reported, with its maker and its holder."""

import gc
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose

import xform
from tests.messages import says

FILE = Path(__file__).name
kept = []


class Box:
    pass


class Slots:
    __slots__ = ("value",)


@pytest.fixture(autouse=True)
def emptied():
    kept.clear()
    yield
    kept.clear()


def keeping(x):
    kept.append(np.sin(x))
    return x * x


WAYS = {
    "grad": lambda f: xform.grad(f)(3.0),
    "vjp": lambda f: xform.vjp(f, 3.0),
    "linearize": lambda f: xform.linearize(f, 3.0),
    "jvp": lambda f: xform.jvp(f, (3.0,), (1.0,)),
    "jet": lambda f: xform.jet(f, (3.0,), ((1.0, 0.0),)),
    "vmap": lambda f: xform.vmap(f)(np.ones(3)),
    "make_jaxpr": lambda f: xform.make_jaxpr(f)(3.0),
    "eval_shape": lambda f: xform.eval_shape(f, 3.0),
    "jacrev": lambda f: xform.jacrev(f)(3.0),
    "sparsity_pattern": lambda f: xform.sparsity_pattern(f, 3.0),
    "inner": lambda f: xform.grad(lambda x: np.sum(xform.vmap(lambda y: f(y) * x)(np.ones(3))))(2.0),
}


@pytest.mark.parametrize("way", WAYS)
def test_a_leak_is_found_under_every_transformation(way):
    WAYS[way](keeping)  # silent while the checks are off
    kept.clear()
    where = f"made by 'sin' at {__file__}:{keeping.__code__.co_firstlineno + 1} in keeping"
    with xform.checking_leaks():
        holder = "it is held by the entry 0 of a list that is the global 'kept' of module"
        with says(xform.LeakedTracerError, "a traced value of f64[]", where, "outlives", holder, "has_aux=True"):
            WAYS[way](keeping)
        kept.clear()
        WAYS[way](lambda x: x * np.sin(x))


def test_the_tape_of_a_linear_function_is_a_result():
    with xform.checking_leaks():
        _, pullback = xform.vjp(lambda x: np.sin(x) * 2.0, 0.0)
        assert pullback(1.0) == (2.0,)
        assert xform.linearize(lambda x: x**3, 2.0)[1](1.0) == 12.0
        assert xform.linear_transpose(lambda x: 3.0 * x, 0.0)(2.0) == (6.0,)
        assert_allclose(xform.hessian(lambda x: np.sum(x**3))(np.ones(2)), 6 * np.eye(2))
        assert xform.jet(lambda x: np.exp(np.sin(x)), (0.0,), ((1.0, 0.0, 0.0),))[1][0] == 1.0
        assert xform.grad(lambda x: (x * x, {"aux": x}), has_aux=True)(3.0) == (6.0, {"aux": 3.0})


def test_values_of_an_enclosing_transformation_may_be_kept_while_it_runs():
    def f(x):
        notes = [x * x]
        return xform.grad(lambda y: y * notes[0])(x) + notes[0]

    with xform.checking_leaks():
        assert xform.grad(f)(3.0) == 12.0


def test_a_program_that_closes_over_a_traced_value():
    def solved(a):
        return xform.make_jaxpr(lambda y: y * a)(1.0)(2.0)[0] * a

    def cubed(a):
        root = xform.lax.custom_root(lambda x: x**3 - a, 2.0, lambda g, x: np.cbrt(a), lambda g, y: y / g(1.0))
        return root * a

    with xform.checking_leaks():
        assert xform.grad(solved)(3.0) == 12.0
        assert_allclose(xform.grad(cubed)(8.0), 2 + 8 / 12)
        assert_allclose(xform.vmap(xform.grad(cubed))(np.array([8.0, 27.0])), [2 + 8 / 12, 4.0])


def test_an_argument_and_a_cycle():
    def f(x):
        cycle = Box()
        cycle.me, cycle.x = cycle, x * 2.0  # garbage, once f has returned
        return x * x

    with xform.checking_leaks():
        assert xform.grad(f)(3.0) == 6.0
        with says(xform.LeakedTracerError, "one of its arguments", "outlives grad of"):
            xform.grad(lambda x: kept.append(x) or x * x)(3.0)


def test_holders_are_named():
    box, slots, found, functions = Box(), Slots(), [], []

    def attribute(x):
        box.value = {"a": (x * 2.0,)}
        return x

    def slot(x):
        slots.value = x * 2.0
        return x

    def variable(x):
        found.append(x * 2.0)
        return x

    def closure(x):
        y = x * 2.0
        functions.append(lambda: y)
        return x

    def on_class(x):
        Box.shared = x * 2.0
        return x

    expected = {
        attribute: "entry 0 of a tuple that is the entry 'a' of a dict that is the attribute 'value' of an object",
        slot: "the attribute 'value' of an object of type Slots",
        variable: f"the entry 0 of a list that is the variable 'found' of `test_holders_are_named` ({FILE}:",
        closure: "the variable 'y' that `test_holders_are_named.<locals>.closure.<locals>.<lambda>` closes over",
        on_class: "the attribute 'shared' of the class Box",
    }
    try:
        for f, holder in expected.items():
            with xform.checking_leaks(), says(xform.LeakedTracerError, holder):
                xform.grad(f)(3.0)
            box.value = slots.value = None
            found.clear()
            functions.clear()
    finally:
        del Box.shared


def test_an_error_passes_and_leaves_nothing_behind():
    def f(x):
        kept.append(x)
        raise KeyError("mine")

    with xform.checking_leaks():
        with pytest.raises(KeyError, match="mine"):
            xform.grad(f)(3.0)
        kept.clear()
        assert xform.grad(np.sin)(0.0) == 1.0
    gc.collect()


def test_switches():
    assert not xform.config.checking_leaks
    xform.config.checking_leaks = True
    try:
        with xform.checking_leaks(False):
            xform.grad(keeping)(3.0)
        kept.clear()
        with pytest.raises(xform.LeakedTracerError):
            xform.grad(keeping)(3.0)
    finally:
        xform.config.checking_leaks = False
    code = "import xform; kept = []; xform.grad(lambda x: kept.append(x) or x)(1.0)"
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=Path(__file__).resolve().parent.parent,
        env=os.environ | {"XFORM_CHECK_LEAKS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "the global 'kept' of module __main__" in done.stderr
