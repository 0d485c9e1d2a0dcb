"""The carry of a loop: initial numbers take on the dtype that the loop gives them."""

import numpy as np
import pytest

import xform
from xform import lax
from xform.control.loops.carry import writing


class Counted:
    """A function that counts its calls."""

    def __init__(self, f):
        self.f, self.calls = f, 0

    def __call__(self, x):
        self.calls += 1
        return self.f(x)


def nested(depth, innermost, zero):
    """Sums of sums: every loop starts at the integer 0 and becomes a float."""
    if not depth:
        return innermost
    inner = nested(depth - 1, innermost, zero)
    return lambda x: lax.scan(lambda total, _: (total + 0.5 * inner(x), None), zero, None, length=3)[0]


@pytest.mark.parametrize("depth", [1, 3, 8])
def test_a_nest_of_loops_that_promote_is_written_down_in_time_linear_in_its_depth(depth):
    f = Counted(np.sin)
    program = xform.make_jaxpr(nested(depth, f, 0))(0.7)
    assert f.calls == depth + 1
    assert program(0.7)[0] == nested(depth, np.sin, 0.0)(0.7)
    np.testing.assert_allclose(program(0.7)[0], 1.5**depth * np.sin(0.7), rtol=1e-14)


def test_a_loop_is_not_taken_for_another_of_the_same_function():
    """The second trace of the outer loop, which makes it a float, leaves the integer sum one of integers."""

    def total(xs):
        return lax.scan(lambda c, x: (c + x, None), 0, xs)[0]

    def step(c, x):
        floats, integers = total(np.ones(3) * x), total(np.arange(3))
        assert integers.dtype == np.int64
        return c + floats + integers, integers

    last, integers = lax.scan(step, 0, np.array([1.0, 2.0]))
    staged = xform.make_jaxpr(lambda xs: lax.scan(step, 0, xs))(np.array([1.0, 2.0]))(np.array([1.0, 2.0]))
    assert last == staged[0] == 15.0
    assert integers.dtype == staged[1].dtype == np.int64


def test_nothing_is_remembered_when_all_is_written():
    xform.make_jaxpr(nested(3, np.sin, 0))(0.7)
    with pytest.raises(AttributeError, match="nonsense"):
        xform.make_jaxpr(nested(2, lambda x: x.nonsense(), 0))(0.7)
    assert writing.carries is None
    assert not writing.before
