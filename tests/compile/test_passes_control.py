"""The passes on generated programs with control flow, and on transformations of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from tests.compile.first_order import assert_same
from tests.control.generated import LAX, Writer, compiled, flat
from xform import (
    checkpoint,
    custom_jvp,
    custom_vjp,
    grad,
    jacfwd,
    jacrev,
    jet,
    jvp,
    lax,
    make_jaxpr,
    tree,
    value_and_grad,
    vmap,
)
from xform.compile.passes import optimise
from xform.core.check import check
from xform.core.jaxpr import Jaxpr

Function = Callable[..., Any]

X, K = np.array([0.37, -0.61, 0.83, 0.29]), np.int64(2)
XS, KS = np.stack([X, -X, 0.3 * X]), np.array([2, 0, 5])
DOTS = [np.array([0.1, -0.4, 0.5, 0.2]), np.array([-0.3, 0.1, 0.2, 0.6])]

#: name -> the program to be compiled, and the arguments
WORDS: dict[str, tuple[Function, tuple[Any, ...]]] = {
    "value": (lambda f: f, (X, K)),
    "jvp": (lambda f: lambda x, k: jvp(lambda x: f(x, k), (x,), (DOTS[0],)), (X, K)),
    "grad": (lambda f: grad(lambda x, k: np.sum(f(x, k))), (X, K)),
    "jacrev": (jacrev, (X, K)),
    "jacfwd of grad": (lambda f: jacfwd(grad(lambda x, k: np.sum(f(x, k)))), (X, K)),
    "vmap": (vmap, (XS, KS)),
    "vmap of grad": (lambda f: vmap(grad(lambda x, k: np.sum(f(x, k)))), (XS, KS)),
    "jet": (lambda f: lambda x, k: jet(lambda x: f(x, k), (x,), (tuple(DOTS),)), (X, K)),
    "grad of checkpoint": (lambda f: grad(checkpoint(lambda x, k: np.sum(f(x, k)))), (X, K)),
}


def programs(jaxpr: Jaxpr) -> Iterator[Jaxpr]:
    yield jaxpr
    for eqn in jaxpr.eqns:
        for inner in eqn.jaxprs():
            yield from programs(inner)


def eqns(jaxpr: Jaxpr) -> int:
    return sum(len(p.eqns) for p in programs(jaxpr))


@pytest.mark.parametrize("word", WORDS)
@pytest.mark.parametrize("seed", range(12))
def test_generated_programs_keep_their_values(seed, word):
    transform, args = WORDS[word]
    f = flat(compiled(Writer(seed).text), LAX)
    program = make_jaxpr(transform(f))(*args)
    optimised = optimise(program)
    check(optimised)
    assert [v.aval for v in optimised.inputs] == [v.aval for v in program.inputs]
    flags = tree.leaves(args)
    assert_same(program, optimised, flags)


def test_solvers_are_inlined():
    def f(a, b):
        return lax.custom_linear_solve(lambda x: a * x, b, lambda matvec, y: y / a, symmetric=True)

    program = make_jaxpr(grad(lambda a, b: np.sum(f(a, b) ** 3)))(X, X + 1.0)
    optimised = optimise(program)
    check(optimised)
    assert not [e for e in optimised.eqns if e.prim.has_programs]
    assert_same(program, optimised, [X, X + 1.0])


def test_roots_are_inlined():
    def f(a):
        return lax.custom_root(lambda x: x * x - a, 1.0, lambda f, x: np.sqrt(a), lambda g, y: y / g(1.0))

    program = make_jaxpr(grad(f))(2.0)
    optimised = optimise(program)
    check(optimised)
    assert not [e for e in optimised.eqns if e.prim.has_programs]
    assert_same(program, optimised, [np.float64(2.0)])


def test_functions_with_rules_are_inlined():
    @custom_jvp
    def f(x):
        return np.sin(x)

    f.defjvp(lambda primals, tangents: (f(*primals), 2.0 * np.cos(primals[0]) * tangents[0]))
    program = make_jaxpr(lambda x: jvp(f, (x,), (x,)))(0.5)
    optimised = optimise(program)
    check(optimised)
    assert not [e for e in optimised.eqns if e.prim.has_programs]
    assert_same(program, optimised, [np.float64(0.5)])


def test_a_checkpointed_program_computes_its_residuals_again():
    def f(x):
        return np.sin(np.sin(np.sin(x)))

    program = make_jaxpr(grad(checkpoint(f)))(0.5)
    optimised = optimise(program)
    check(optimised)
    assert [e.prim.name for e in optimised.eqns].count("sin") >= 2
    assert [e.prim.name for e in optimised.eqns].count("optimization_barrier") == 1
    both = make_jaxpr(value_and_grad(checkpoint(f)))(0.5)
    assert [e.prim.name for e in optimise(both).eqns].count("sin") == 5
    assert_same(both, optimise(both), [np.float64(0.5)])


def test_snapshots_are_kept_as_programs_to_be_differentiated():
    @custom_vjp
    def double(x):
        return 2.0 * x

    double.defvjp(lambda x: (2.0 * x, None), lambda _, bar: (3.0 * bar,))

    def f(x):
        return lax.while_loop(lambda c: c[0] < 3, lambda c: (c[0] + 1, double(np.sin(c[1]))), (0, x), checkpoint=1)[1]

    program = make_jaxpr(grad(f))(0.5)
    optimised = optimise(program)
    check(optimised)
    assert "loop_pullback" in [e.prim.name for e in optimised.eqns]
    assert_same(program, optimised, [np.float64(0.5)])
