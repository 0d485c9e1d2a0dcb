"""debug_nans and debug_infs: the first nan or inf that arises is reported where it arises, forward or backward."""

import os
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import xform
from tests.messages import says

FILE = Path(__file__).name


@pytest.fixture(autouse=True)
def quiet():
    with np.errstate(all="ignore"):
        yield


def line_of(f, offset):
    """`file:line` of a line of a function, as messages give it."""
    return f"{FILE}:{f.__code__.co_firstlineno + offset} in {f.__code__.co_name}"


def logarithms(x):
    y = x * 2.0
    z = np.log(y)
    return np.sum(z * z)


def root(x):
    r = np.sqrt(x)
    return np.sum(r)


BAD, ZERO, GOOD = np.array([1.0, -1.0]), np.array([1.0, 0.0]), np.array([1.0, 4.0])

FORWARD = {
    "grad": lambda f, x: xform.grad(f)(x),
    "value_and_grad": lambda f, x: xform.value_and_grad(f)(x),
    "jvp": lambda f, x: xform.jvp(f, (x,), (np.ones(2),)),
    "vjp": lambda f, x: xform.vjp(f, x)[1](1.0),
    "linearize": lambda f, x: xform.linearize(f, x)[1](np.ones(2)),
    "jacfwd": lambda f, x: xform.jacfwd(f)(x),
    "jacrev": lambda f, x: xform.jacrev(f)(x),
    "hessian": lambda f, x: xform.hessian(f)(x),
    "grad of grad": lambda f, x: xform.grad(lambda x: np.sum(xform.grad(f)(x)))(x),
    "jvp of jvp": lambda f, x: xform.jvp(lambda x: xform.jvp(f, (x,), (np.ones(2),))[1], (x,), (np.ones(2),)),
    "vmap of grad": lambda f, x: xform.vmap(xform.grad(f))(np.stack([GOOD, x])),
    "jet": lambda f, x: xform.jet(f, (x,), ((np.ones(2), np.zeros(2)),)),
    "staged": lambda f, x: xform.make_jaxpr(f)(x)(x),
    "grad of staged": lambda f, x: xform.grad(lambda x: xform.make_jaxpr(f)(x)(x)[0])(x),
    "staged grad": lambda f, x: xform.make_jaxpr(xform.grad(f))(x)(x),
    "sparsity": xform.sparsity_pattern,
}


@pytest.mark.parametrize("way", FORWARD)
def test_a_nan_of_the_value_is_named_under_every_transformation(way):
    run = FORWARD[way]
    run(logarithms, BAD)  # silent while the checks are off
    with xform.debug_nans():
        run(logarithms, GOOD)
        with says(FloatingPointError, "nan arose in 'log'", line_of(logarithms, 2), "operand 0: f64[2]", "-2", "nan"):
            run(logarithms, BAD)
    run(logarithms, BAD)


@pytest.mark.parametrize("way", sorted(set(FORWARD) - {"staged", "grad of staged", "sparsity"}))
def test_an_inf_of_the_derivative_is_named_under_every_transformation(way):
    run = FORWARD[way]
    with xform.debug_infs():
        run(root, GOOD)
        with says(FloatingPointError, "inf arose in", line_of(root, 1)):
            run(root, ZERO)


def test_the_sweeps_say_which_derivative_it_was():
    with xform.debug_infs():
        with says(xform.NonFiniteError, "backward sweep of grad of `root`", "derivative of 'sqrt'", "operand: f64[2]"):
            xform.grad(root)(ZERO)
        with says(xform.NonFiniteError, "forward sweep of linearize of `root`", "derivative of 'sqrt'", "tangent of"):
            xform.linearize(root, ZERO)[1](np.ones(2))
        with says(xform.NonFiniteError, "'sqrt'", "the tangent of the result", "operand 0, tangent: f64[2] = [1. 1.]"):
            xform.jvp(root, (ZERO,), (np.ones(2),))
        with says(xform.NonFiniteError, "'sqrt'", "Taylor coefficient 1"):
            xform.jet(root, (ZERO,), ((np.ones(2), np.zeros(2)),))


def test_a_batch_is_shown_whole_and_the_entry_named():
    with (
        xform.debug_nans(),
        says(FloatingPointError, "f64[2] in an array of shape (6, 2)", "nan in 6 of 12", "the first at index (0, 0)"),
    ):
        xform.vmap(logarithms)(np.arange(-6.0, 6.0).reshape(6, 2))


def test_a_nan_that_comes_in_has_not_arisen():
    with xform.debug_nans():
        assert_array_equal(xform.grad(logarithms)(np.array([np.nan, np.exp(1) / 2])), [np.nan, 4 / np.exp(1)])
        y, y_dot = xform.jvp(lambda x: x * np.nan, (3.0,), (1.0,))
        assert np.isnan([y, y_dot]).all()
        assert np.isnan(xform.vjp(np.sin, 1.0)[1](np.nan)[0])


def test_a_nan_that_a_rule_masks_has_not_arisen():
    with xform.debug_nans(), xform.debug_infs():
        assert_array_equal(xform.grad(np.linalg.norm)(np.zeros(3)), np.zeros(3))
        assert_array_equal(xform.grad(lambda x: np.sum(np.where(x > 0, np.sqrt(x), 0.0)))(ZERO), [0.5, 0.0])


def test_a_sum_of_infinite_parts_of_opposite_sign():
    def f(x):
        a = x * 1e200 * 1e200
        return np.sum(a - a * 2.0)

    with xform.debug_infs(), says(FloatingPointError, "inf arose in 'mul'"):
        xform.grad(f)(GOOD)
    with xform.debug_nans(), says(FloatingPointError, "nan arose in 'sub'", "operand 0", "inf"):
        xform.grad(f)(GOOD)


def test_accumulation_in_place_is_right_under_checks():
    x = np.linspace(1.0, 2.0, 300)

    def reads(x):
        return sum(x[i] * x[-i] ** 2 for i in range(len(x)))

    expected, curve = xform.grad(reads)(x), xform.hessian(reads)(x[:9])
    with xform.debug_nans(), xform.debug_infs(), xform.checking_leaks():
        assert_array_equal(xform.grad(reads)(x), expected)
        assert_array_equal(xform.hessian(reads)(x[:9]), curve)


def test_a_pullback_made_before_the_checks_names_the_primitive_alone():
    _, pullback = xform.vjp(lambda A, b: np.sum(np.linalg.solve(A, b)), np.eye(2) * 1e-320, np.ones(2))
    with xform.debug_nans(), xform.debug_infs(), says(FloatingPointError, "recorded before the checks"):
        pullback(1e300)
    _, pullback = xform.vjp(root, ZERO)
    with xform.debug_infs(), says(FloatingPointError, "an elementwise operation, recorded before the checks"):
        pullback(1.0)


def test_the_equations_of_a_staged_gradient_name_the_line_that_is_differentiated():
    with xform.debug_infs():
        jaxpr = xform.make_jaxpr(xform.grad(root))(GOOD)
        with says(FloatingPointError, "inf arose in 'div'", line_of(root, 1)):
            jaxpr(ZERO)


def body(c, x):
    y = np.log(c - x)
    return c - 0.1, y


def looped(x):
    _, ys = xform.lax.scan(body, x[0], np.arange(3.0) / 10)
    return np.sum(ys) + np.sum(np.where(x > 0, np.sqrt(x), 0.0))


@pytest.mark.parametrize("way", FORWARD)
def test_the_lines_of_a_loops_body_are_named(way):
    before = FORWARD[way](looped, np.array([9.0, 2.0]))
    with xform.debug_nans(), xform.checking_leaks():
        after = FORWARD[way](looped, np.array([9.0, 2.0]))
        with says(FloatingPointError, "nan arose in 'log'", line_of(body, 1)):
            FORWARD[way](looped, np.array([-2.0, 2.0]))
    for x, y in zip(xform.tree.leaves(before), xform.tree.leaves(after), strict=True):
        if not callable(x):
            assert_allclose(x, y, rtol=1e-14)


def test_checks_can_be_off_within_on_and_on_within_a_transformation():
    def careless(x):
        with xform.debug_nans(False):
            return logarithms(x)

    def careful(x):
        with xform.debug_nans():
            return logarithms(x)

    with xform.debug_nans():
        with xform.debug_nans(False):
            assert np.isnan(xform.grad(logarithms)(BAD)).any() or np.isnan(xform.value_and_grad(logarithms)(BAD)[0])
        assert np.isnan(xform.jvp(careless, (BAD,), (np.ones(2),))[0])
        with says(FloatingPointError, "'log'"):
            xform.grad(logarithms)(BAD)
    with says(FloatingPointError, "'log'", "inside grad of `test_checks"):
        xform.grad(careful)(BAD)


def test_the_switch_holds_for_this_thread_and_later_ones():
    def attempt():
        with np.errstate(all="ignore"):
            try:
                xform.grad(logarithms)(BAD)
            except FloatingPointError:
                raised.append(True)

    raised = []
    xform.config.debug_nans = True
    try:
        assert xform.config.debug_nans
        assert "debug_nans=True, debug_infs=False" in repr(xform.config)
        for run in (attempt, lambda: [t.start() or t.join() for t in [threading.Thread(target=attempt)]]):
            run()
        with says(RuntimeError, "inside grad of", "switch outside", "xform.debug_nans()"):
            xform.grad(lambda x: setattr(xform.config, "debug_infs", True) or x)(1.0)
    finally:
        xform.config.debug_nans = False
    attempt()
    assert raised == [True, True]
    with pytest.raises(AttributeError):
        xform.config.debug_nan = True


@pytest.mark.parametrize("name, x", [("XFORM_DEBUG_NANS", "-1.0"), ("XFORM_DEBUG_INFS", "0.0")])
def test_environment_variables(name, x):
    code = f"import numpy as np, xform; np.seterr(all='ignore'); xform.grad(np.log)({x})"
    root = Path(__file__).resolve().parent.parent

    def run(value):
        environment = os.environ | {name: value}
        return subprocess.run(
            [sys.executable, "-c", code], cwd=root, env=environment, capture_output=True, text=True, check=False
        )

    assert "arose in 'log'" in run("1").stderr
    assert run("0").returncode == 0


def test_errors_and_results_are_otherwise_the_same():
    with xform.debug_nans(), xform.debug_infs():
        with says(ValueError, "could not be broadcast"):
            xform.grad(lambda x: np.sum(x + np.ones(3)))(GOOD)
        gradient = xform.grad(lambda x: np.sum(np.tanh(x) @ x))(GOOD)
    assert_allclose(gradient, np.tanh(GOOD) + GOOD / np.cosh(GOOD) ** 2)
    assert xform.grad(np.sin)(0.0) == 1.0
