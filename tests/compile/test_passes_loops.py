"""What the passes do to loops and branches: which carries, operands and eqns are left, and that values stay."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.compile.first_order import assert_same
from xform import debug, grad, lax, make_jaxpr
from xform.compile.passes import optimise
from xform.core.check import check
from xform.core.jaxpr import Eqn, Jaxpr

X = np.array([0.3, -1.2, 0.7])


def optimised(f: Any, *args: Any) -> Jaxpr:
    program = make_jaxpr(f)(*args)
    found = optimise(program)
    check(found)
    assert_same(program, found, [np.asarray(a)[()] for a in args])
    return found


def names(jaxpr: Jaxpr) -> list[str]:
    return [e.prim.name for e in jaxpr.eqns]


def the(name: str, jaxpr: Jaxpr) -> Eqn:
    (eqn,) = [e for e in jaxpr.eqns if e.prim.name == name]
    return eqn


def test_a_carry_that_nobody_reads_goes_and_takes_its_operands_with_it():
    def f(x, y, z):
        def step(c, row):
            a, b, unread = c
            return (a * row[0], b + a, unread * z + row[1]), (a, unread)

        carry, (trail, _) = lax.scan(step, (x, x, y), (np.arange(9.0), np.arange(9.0)))
        return carry[1], trail

    eqn = the("scan", optimised(f, 1.0, 2.0, 3.0))
    assert (eqn.params["consts"], eqn.params["carry"], len(eqn.inputs)) == (0, 2, 3)
    assert names(eqn.params["body"]) == ["mul", "add"]


def test_carries_that_need_each_other_alone_go():
    def f(x):
        def step(c, _):
            a, b, d = c
            return (a + 1.0, d * 2.0, b * 3.0), None

        return lax.scan(step, (x, x, x), None, 9)[0][0]

    assert the("scan", optimised(f, 1.0)).params["carry"] == 1


def test_a_chain_of_carries_stays():
    def f(x):
        def step(c, _):
            a, b, d = c
            return (a + b, b + d, d * 2.0), None

        return lax.scan(step, (x, x, x), None, 9)[0][0]

    assert the("scan", optimised(f, 1.0)).params["carry"] == 3


def test_dead_carries_of_while_loops():
    def f(x, y):
        return lax.while_loop(lambda c: c[0] < 5, lambda c: (c[0] + 1, np.sin(c[1]), c[2] * y), (0, x, y))[1]

    eqn = the("while", optimised(f, 1.0, 2.0))
    assert len(eqn.outputs) == 2
    assert len(eqn.inputs) == 2


def test_a_carry_that_never_changes_is_a_constant():
    def f(x, y):
        def step(c, row):
            a, b = c
            return (a * b + row, b), b

        return lax.scan(step, (x, y), np.arange(9.0))

    found = optimised(f, 1.0, 2.0)
    assert the("scan", found).params["carry"] == 1
    assert found.outputs[1] is found.inputs[1]
    assert "broadcast" in names(found)  # what was stacked of it


def test_carries_of_while_loops_that_never_change():
    def f(x, y):
        return lax.while_loop(lambda c: c[0] < c[2], lambda c: (c[0] + c[1], c[1], c[2]), (x, 0.5, y))

    eqn = the("while", optimised(f, 1.0, 3.0))
    assert len(eqn.outputs) == 1
    assert eqn.params["cond_consts"] == 1
    assert eqn.params["consts"] == 0  # 0.5 is a literal


def test_what_does_not_vary_is_computed_in_front_of_the_loop():
    def f(x, y):
        def step(carry, row):
            c, x, y = carry
            return (c * np.exp(x) + row * np.sin(y @ y), x, y), None

        return lax.scan(step, (0.0, x, y), np.arange(9.0))[0][0]

    found = optimised(f, 0.3, X)
    assert sorted(names(found)) == ["contract", "exp", "scan", "sin"]
    assert sorted(names(the("scan", found).params["body"])) == ["add", "mul", "mul"]


def test_nested_loops_hand_what_does_not_vary_all_the_way_out():
    def f(x):
        def inner(carry, row):
            c, x = carry
            return (c + row * np.exp(x), x), None

        def outer(carry, row):
            c, x = carry
            return lax.scan(inner, (c * row, x), np.arange(9.0))[0], None

        return lax.scan(outer, (0.0, x), np.arange(7.0))[0][0]

    found = optimised(f, 0.3)
    assert names(found) == ["exp", "scan"]


def test_copies_are_made_where_they_are_read():
    def f(x):
        def step(carry, row):
            c, x = carry
            return (c + np.broadcast_to(np.sin(x), (1000, 3)) @ row, x), None

        return lax.scan(step, (np.zeros(1000), x), np.ones((9, 3)))[0][0]

    found = optimised(f, X)
    assert names(found) == ["sin", "scan"]


def test_what_might_raise_stays_in_a_loop_that_may_take_no_step():
    def f(x, n):
        return lax.while_loop(lambda c: c[0] < n, lambda c: (c[0] + 1, np.linalg.inv(x) @ c[1] * np.exp(n)), (0, X))[1]

    found = optimised(f, np.zeros((3, 3)), 0)  # singular: it would raise
    assert "exp" in names(found)
    assert "inv" not in names(found)


def test_what_might_raise_moves_out_of_a_scan_that_takes_steps():
    def f(x):
        return lax.scan(lambda c, _: ((np.linalg.inv(c[1]) @ c[0], c[1]), None), (X, x), None, 9)[0][0]

    found = optimised(f, np.eye(3))
    assert len(the("scan", found).params["body"].eqns) == 1


def test_a_loop_in_a_loop_does_not_move_where_it_might_not_end():
    def f(x, n):
        def step(c):
            ever = lax.while_loop(lambda y: y > 0.0, lambda y: y, x)
            return c[0] + 1, c[1] + ever

        return lax.while_loop(lambda c: c[0] < n, step, (0, 0.0))[1]

    assert names(optimised(f, 1.0, 0)) == ["while"]


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("length", [0, 1, 3])
def test_scans_of_few_steps_are_written_down(length, reverse):
    def f(x, rows):
        def step(c, row):
            return (c[0] * row + np.sin(c[1]), c[0]), (c[1], 2.0, row)

        return lax.scan(step, (x, 1.5), rows, reverse=reverse)

    found = optimised(f, 0.3, np.linspace(0.1, 1.0, length))
    assert "scan" not in names(found)


def test_long_bodies_are_not_unrolled():
    def f(x):
        def step(c, _):
            for _ in range(30):
                c = np.sin(c)
            return c, None

        return lax.scan(step, x, None, 3)[0]

    assert names(optimised(f, 0.3)) == ["scan"]


def test_what_is_stacked_twice_or_copied_is_not_stacked():
    def f(x, rows):
        def step(c, row):
            c = c * row
            return c, (c, row, c, 1.0, x)

        return lax.scan(step, x, rows)

    found = optimised(f, 0.3, np.arange(9.0))
    assert len(the("scan", found).outputs) == 2
    assert found.outputs[1] is found.outputs[3]
    assert found.outputs[2] is found.inputs[1]


def test_operands_that_are_there_twice():
    def f(x, rows):
        return lax.scan(lambda c, r: (c + r[0] * r[1] * x, None), x, (rows, rows))[0]

    assert len(the("scan", optimised(f, 0.3, np.arange(9.0))).inputs) == 3


def test_a_branch_that_is_known():
    def f(x):
        return lax.switch(1, [np.sin, np.cos, np.tan], x), lax.cond(np.bool_(True), np.exp, np.log, x)

    program = make_jaxpr(lambda x: lax.scan(lambda c, _: (f(c)[0], f(c)[1]), x, None, 9))(0.5)
    found = optimise(program)
    check(found)
    assert_same(program, found, [np.float64(0.5)])
    assert "cond" not in names(the("scan", found).params["body"])


def test_branches_compute_what_is_read_alone():
    def f(p, x, y):
        return lax.cond(p, lambda x, y: (np.sin(x), np.cos(y)), lambda x, y: (x, np.exp(y)), x, y)[0]

    eqn = the("cond", optimised(f, True, 1.0, 2.0))
    assert len(eqn.inputs) == 2
    assert sorted(len(b.eqns) for b in eqn.params["branches"]) == [0, 1]


def test_branches_are_given_what_they_read_alone():
    def f(p, x, y):
        return lax.cond(p, lambda a, b, c, d: a * c, lambda a, b, c, d: np.sin(b), x, x, 2.0, y)

    eqn = the("cond", optimised(f, True, 1.0, 2.0))
    assert len(eqn.inputs) == 2


def test_unread_operands_of_loops():
    def f(x, rows):
        return lax.scan(lambda c, r: (np.sin(c), None), x, rows)[0]

    assert len(the("scan", optimised(f, 1.0, np.arange(9.0))).inputs) == 1


def test_effects_stay_where_they_are():
    seen: list[float] = []

    def f(x):
        def step(c, row):
            debug.callback(seen.append, row)
            return c, None

        return lax.scan(step, x, np.arange(3.0))[0]

    program = make_jaxpr(f)(1.0)
    found = optimise(program)
    check(found)
    found(1.0)
    assert [float(v) for v in seen] == [0.0, 1.0, 2.0]


def test_counts_of_while_loops_that_are_read():
    def f(x):
        return lax.while_loop(lambda c: c[1] > 0.1, lambda c: (c[0] + 1, c[1] * np.cos(c[1])), (0, x))[1]

    optimised(grad(f), 0.9)


def test_a_program_inside_of_many_operations_is_optimised_once():
    def step(c, row):
        return np.sin(c) * 1.0 + row, None

    def f(x):
        for _ in range(3):
            x = lax.scan(step, x, np.arange(9.0))[0]
        return x

    program = make_jaxpr(f)(0.5)
    shared = program.eqns[0].params["body"]
    for e in program.eqns:
        if e.prim.name == "scan":
            e.params["body"] = shared
    bodies = [e.params["body"] for e in optimise(program).eqns if e.prim.name == "scan"]
    assert len(bodies) == 3
    assert bodies[0] is bodies[1] is bodies[2]


def test_deep_nests():
    def nest(depth, x):
        if not depth:
            return np.sin(x) * 1.0
        return lax.scan(lambda c, _: (nest(depth - 1, c), None), x, None, 1)[0]

    found = optimised(lambda x: nest(60, x), 0.5)
    assert names(found) == ["sin"]
