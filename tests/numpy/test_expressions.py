"""Plain NumPy expressions are differentiable as they stand: gradients in both modes against central differences."""

import functools
import re

import numpy as np
import pytest

import xform
from tests.numpy.expressions import CONSTANTS, EXPRESSIONS, REFUSED, VARIABLES
from xform.testing import check_grads

#: at least this share of all expressions, those that are refused included
WANTED_SHARE = 0.97


def variables(expression):
    """The names of the variables in an expression."""
    return [name for name in VARIABLES if re.search(rf"(?<![\w.\"']){name}(?![\w\"'=(])", expression)]


def as_function(expression):
    names, code = variables(expression), compile(expression, expression, "eval")

    def f(*xs):
        return eval(code, {**CONSTANTS, **dict(zip(names, xs, strict=True))})

    return f, [VARIABLES[name] for name in names]


@functools.cache
def failure(expression):
    """The error of its derivative, or None."""
    f, xs = as_function(expression)
    try:
        check_grads(f, xs, order=1, atol=1e-5, rtol=1e-5)
    except Exception as error:  # noqa: BLE001  # any error is a failure
        return error
    return None


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_gradient(expression):
    assert variables(expression)
    if (error := failure(expression)) is not None:
        raise error


@pytest.mark.parametrize("expression", REFUSED)
def test_what_numpy_leaves_no_door_for_says_what_to_write(expression):
    f, xs = as_function(expression)
    f(*xs)  # it is a program that runs
    with pytest.raises((TypeError, xform.XformError), match=re.escape(REFUSED[expression])):
        xform.vjp(f, *xs)


def test_share(record_property):
    """How many of all expressions have their gradient."""
    passed = [e for e in EXPRESSIONS if failure(e) is None]
    total = len(EXPRESSIONS) + len(REFUSED)
    record_property("expressions", f"{len(passed)} of {total}")
    assert len({*EXPRESSIONS, *REFUSED}) == total
    assert total >= 450
    assert len(passed) >= WANTED_SHARE * total, f"{len(passed)} of {total} expressions have a correct gradient"


def test_values_are_numpys():
    """The differentiated program computes what the plain one does."""
    for expression in EXPRESSIONS:
        f, xs = as_function(expression)
        np.testing.assert_allclose(xform.vjp(f, *xs)[0], f(*xs), rtol=1e-12, atol=1e-13, err_msg=expression)
