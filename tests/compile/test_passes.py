"""All passes together: values are preserved bit by bit, programs stay well formed, the time is linear."""

from __future__ import annotations

import time

import numpy as np
import pytest

from tests.compile.first_order import Builder, RandomProgram, assert_same, aval
from xform.compile.passes import PASSES, optimise
from xform.core.check import check
from xform.ops.arithmetic import add, mul
from xform.ops.transcendental import sin


@pytest.mark.parametrize("seed", range(150))
def test_random_first_order_programs_keep_their_values(seed):
    random = RandomProgram(seed, 40)
    program = random.jaxpr()
    optimised = optimise(program)
    check(optimised)
    assert len(optimised.eqns) <= len(program.eqns)
    assert optimised.inputs == program.inputs
    for _ in range(3):
        assert_same(program, optimised, random.arguments())


@pytest.mark.parametrize("number", range(len(PASSES)))
def test_each_pass_keeps_values(number):
    for seed in range(200, 230):
        random = RandomProgram(seed, 30)
        program = random.jaxpr()
        passed = PASSES[number](program)
        check(passed)
        assert_same(program, passed, random.arguments())


def test_what_is_optimised_is_done_once():
    program = RandomProgram(3, 30).jaxpr()
    optimised = optimise(program)
    assert optimise(program) is optimised
    assert optimise(optimised) is optimised


@pytest.mark.parametrize("chain", ["scalar", "array"])
def test_time_is_linear_in_the_number_of_eqns(chain):
    b = Builder()
    x = y = b.input(aval(() if chain == "scalar" else (5,)))
    for k in range(6667):
        y = b(add, b(mul, b(sin, y), float(k)), x)
    program = b.program(y)
    assert len(program.eqns) > 20_000
    start = time.perf_counter()
    optimised = optimise(program)
    seconds = time.perf_counter() - start
    assert len(optimised.eqns) == len(program.eqns) - 1  # the product with one
    assert seconds < 2.0  # 0.2 on an idle machine


def test_weak_scalars_stay_weak():
    b = Builder()
    x = b.input(aval((3,), np.float32))
    program = b.program(b(mul, b(mul, x, 2.0), b(mul, Builder.__call__(b, sin, 0.5), 1.0)))
    optimised = optimise(program)
    check(optimised)
    assert_same(program, optimised, [np.array([1, 2, 3], np.float32)])
