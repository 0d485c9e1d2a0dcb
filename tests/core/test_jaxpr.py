"""Jaxprs: staging, printing, evaluation, the executable specification, dead code."""

from __future__ import annotations

import gc
import weakref

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import xform
from xform import eval_shape, grad, make_jaxpr
from xform.core.check import MalformedJaxprError, check
from xform.core.jaxpr import Eqn, Jaxpr, Literal, Var
from xform.core.show import variable_name
from xform.extend import Aval, Primitive, eliminate_dead_code, evaluate, stage
from xform.ops.arithmetic import add, mul
from xform.ops.transcendental import cos, sin

F64 = Aval((), np.float64)


def program(x, A):
    return {"y": np.sin(x) * 2.0 + np.sum(A), "z": (A @ A, 3.0)}


# ---- staging ----


def test_text():
    assert str(make_jaxpr(program)(1.0, np.ones((2, 2)))) == (
        "{ lambda ; a:f64[] b:f64[2,2]. let\n"
        "    c:f64[] = sin a\n"
        "    d:f64[] = mul c 2.0\n"
        "    e:f64[] = reduce_sum[axes=(0,1)] b\n"
        "    f:f64[] = add d e\n"
        "    g:f64[2,2] = contract[spec=('ik','kj','ij')] b b\n"
        "  in (f, g, 3.0) }"
    )


def test_source_lines_on_request():
    text = make_jaxpr(program)(1.0, np.ones((2, 2))).pretty(source=True)
    line = program.__code__.co_firstlineno + 1
    assert text.count(f"# test_jaxpr.py:{line} (program)") == 5
    assert "#" not in str(make_jaxpr(program)(1.0, np.ones((2, 2))))


def test_closed_over_arrays_are_consts_and_each_is_one_const():
    table = np.arange(3.0)
    jaxpr = make_jaxpr(lambda x: x * table + table)(np.ones(3))
    assert str(jaxpr).startswith("{ lambda a:f64[3] ; b:f64[3]. let\n    c:f64[3] = mul b a\n    d:f64[3] = add c a\n")
    ((_, value),) = jaxpr.consts
    assert_array_equal(value, table)
    assert_array_equal(jaxpr(np.ones(3))[0], 2 * table)


def test_what_does_not_touch_an_argument_is_computed_at_once():
    jaxpr = make_jaxpr(lambda x: x * np.sin(xform.numpy.ones(3).sum()))(1.0)
    assert [e.prim.name for e in jaxpr.eqns] == ["mul"]


def test_closed_over_tracers_are_consts():
    """d/dx of the sum of a staged program that closes over x, evaluated inside."""

    def f(x):
        jaxpr = make_jaxpr(lambda y: np.sin(x) * y)(2.0)
        assert len(jaxpr.consts) == 1
        return jaxpr(3.0)[0]

    assert_allclose(grad(f)(0.5), 3 * np.cos(0.5), rtol=1e-15)


def test_static_arguments_and_shapes_of_results():
    def f(x, n, scale=1.0):
        return [x * scale] * n

    jaxpr, shapes = make_jaxpr(f, static_argnums=1, return_shape=True)(np.ones(2, np.float32), 3, scale=2.0)
    assert len(jaxpr.outputs) == 3
    assert shapes == [Aval((2,), np.float64)] * 3  # scale is an argument, and so a float64 array
    assert eval_shape(program, 1.0, np.ones((2, 2)))["z"] == (Aval((2, 2), np.float64), F64)
    assert eval_shape(lambda a: a.T, Aval((2, 3), np.float32)) == Aval((3, 2), np.float32)


def test_a_python_scalar_in_the_program_is_weak_and_an_argument_is_not():
    x = np.ones(2, np.float32)
    assert make_jaxpr(lambda x: x * 2.0)(x).out_avals == [Aval((2,), np.float32)]
    assert make_jaxpr(lambda x, y: x * y)(x, 2.0).out_avals == [Aval((2,), np.float64)]


# ---- evaluation ----


def test_evaluation_releases_what_is_not_read_again():
    alive: list[int] = []
    made: list[weakref.ref] = []

    def watch(x):
        made.append(weakref.ref(x))
        gc.collect()
        alive.append(sum(r() is not None for r in made))

    class Watch(Primitive):
        def abstract(self, x):
            return [x]

        def numpy(self, x):
            y = x + 1
            watch(y)
            return [y]

    prim = Watch("watch")
    try:

        def f(x):
            for _ in range(10):
                x = prim(x)
            return x

        make_jaxpr(f)(np.ones(3))(np.ones(3))
    finally:
        del Primitive.registry["watch"]
    assert len(made) == 10
    assert max(alive) <= 2


def test_wrong_number_of_arguments():
    with pytest.raises(TypeError, match="takes 2 arguments, 1 were given"):
        make_jaxpr(program)(1.0, np.ones((2, 2)))(1.0)


def test_derivatives_print_as_programs():
    jaxpr = make_jaxpr(grad(lambda x: np.sin(x) * x))(1.0)
    check(jaxpr)
    assert_allclose(evaluate(jaxpr, np.float64(0.7)), [np.cos(0.7) * 0.7 + np.sin(0.7)], rtol=1e-15)


# ---- the specification ----


def test_staged_programs_are_well_formed():
    check(make_jaxpr(program)(1.0, np.ones((2, 2))))
    check(make_jaxpr(xform.hessian(lambda x: np.sum(np.exp(x) * x)))(np.ones(3)))


def malformed():
    a, b, c = Var(F64), Var(F64), Var(F64)
    wide = Var(Aval((2,), np.float64))
    return {
        "reads .* before it is assigned": Jaxpr([a], [], [Eqn(sin, [b], {}, [c])], [c]),
        "which has a value already": Jaxpr([a], [], [Eqn(sin, [a], {}, [b]), Eqn(cos, [a], {}, [b])], [b]),
        "its abstract rule gives": Jaxpr([a], [], [Eqn(sin, [a], {}, [wide])], [wide]),
        "has 2 outputs": Jaxpr([a], [], [Eqn(sin, [a], {}, [b, c])], [b]),
        "output .* is never assigned": Jaxpr([a], [], [], [b]),
        "holds a value of": Jaxpr([a], [(b, np.ones(2))], [], [b]),
        "is not a variable": Jaxpr([a], [], [Eqn(sin, [a], {}, [Literal(1.0)])], [a]),  # type: ignore[list-item]
    }


@pytest.mark.parametrize("message", malformed())
def test_malformed_programs_are_found(message):
    with pytest.raises(MalformedJaxprError, match=message):
        check(malformed()[message])


# ---- dead code ----


def test_dead_code_goes_and_values_stay():
    big = np.ones(1000)

    def f(x, y):
        unused = np.sum(np.cos(y) * big)  # noqa: F841
        return np.sin(x), y * 2.0

    jaxpr = make_jaxpr(f)(1.0, 2.0)
    live = eliminate_dead_code(jaxpr)
    check(live)
    assert [e.prim for e in live.eqns] == [sin, mul]
    assert not live.consts
    assert live(1.0, 2.0) == jaxpr(1.0, 2.0)
    first = eliminate_dead_code(jaxpr, [True, False])
    assert [e.prim for e in first.eqns] == [sin]
    assert first(1.0, 2.0) == [np.sin(1.0)]


def test_effects_are_not_dead():
    class Shout(Primitive):
        effect = True

        def abstract(self, x):
            return [x]

    prim = Shout("shout")
    try:

        def f(x):
            prim(x)
            return x + 1.0

        live = eliminate_dead_code(make_jaxpr(f)(1.0))
    finally:
        del Primitive.registry["shout"]
    assert [e.prim for e in live.eqns] == [prim, add]
    assert live.effect


# ---- names ----


def test_names_of_variables():
    assert [variable_name(k) for k in (0, 1, 25, 26, 27, 676)] == ["a", "b", "z", "ba", "bb", "baa"]


def test_flat_staging():
    jaxpr = stage(lambda x, y: [x * y, 2.0], [F64, F64])
    assert len(jaxpr.inputs) == 2
    assert evaluate(jaxpr, 3.0, 4.0) == [12.0, 2.0]
