"""Callbacks: what the function gets, when it runs, what is checked, and what each transformation makes of it."""

from __future__ import annotations

import functools
import sys
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import xform
from tests.messages import says
from xform import ShapeDtypeStruct as Shape
from xform import grad, io_callback, jet, jvp, lax, linearize, make_jaxpr, pure_callback, vjp, vmap
from xform.control.callbacks.callback import pure_call
from xform.core.check import check
from xform.core.errors import LeakedTracerError, MissingRuleError
from xform.core.jaxpr import Eqn, Jaxpr, eliminate_dead_code

F = Shape((), float)
KINDS = [functools.partial(pure_callback, vmap_method="sequential"), io_callback]
both = pytest.mark.parametrize("call", KINDS, ids=["pure", "io"])


class Recorder:
    """Remembers its arguments and returns their sum."""

    def __init__(self) -> None:
        self.seen: list[Any] = []

    def __call__(self, *xs: Any) -> Any:
        self.seen.append(xs[0] if len(xs) == 1 else xs)
        return sum(xs)


# --- what the function gets and returns ---


@both
def test_trees_go_in_and_come_out(call):
    def f(a, b, *, scale):
        return {"sum": a["x"] + b, "parts": (a["x"] * scale, a["n"])}

    declared = {"sum": Shape((3,), np.float64), "parts": (Shape((3,), np.float64), Shape((), np.int64))}
    x = np.arange(3.0)
    program = make_jaxpr(lambda x: call(f, declared, {"x": x, "n": 4}, 1.0, scale=10.0))(x)
    check(program)
    for out in (call(f, declared, {"x": x, "n": 4}, 1.0, scale=10.0), program(x)):
        leaves = xform.tree.leaves(out)
        # the program's results are in the order of the leaves: parts before sum
        for y, wanted in zip(leaves, (x * 10.0, 4, x + 1.0), strict=True):
            np.testing.assert_array_equal(y, wanted)


@both
@pytest.mark.parametrize("leaf", [F, np.zeros(()), xform.Aval((), float), SimpleNamespace(shape=[], dtype="float64")])
def test_whatever_has_shape_and_dtype_declares_a_result(call, leaf):
    assert call(lambda: 2.5, leaf) == 2.5


def test_the_function_gets_numpy_values():
    def f(*xs):
        return [type(x).__name__ == name for x, name in zip(xs, ("float64", "int64", "bool", "ndarray"), strict=True)]

    b = Shape((), bool)
    staged = make_jaxpr(lambda *xs: pure_callback(f, [b] * 4, *xs))
    args = (1.5, 2, True, np.ones(2, np.float32))
    assert all(pure_callback(f, [b] * 4, *args))
    assert all(staged(*args)(*args))
    assert pure_callback(f, [b] * 4, np.array(1.5), np.array(2), np.array(True), args[3])[0]


@both
def test_arrays_are_copies(call):
    """The function may write into its arguments and into what it has returned."""
    buffer = np.zeros(2)

    def f(x):
        x[:] = -1.0
        buffer[:] += 1.0
        return buffer

    x = np.arange(2.0)
    first = call(f, Shape((2,), float), x)
    second = call(f, Shape((2,), float), x)
    np.testing.assert_array_equal(x, [0.0, 1.0])
    np.testing.assert_array_equal([first, second], [[1.0, 1.0], [2.0, 2.0]])


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.complex64, np.int32])
def test_python_numbers_take_on_the_dtype(dtype):
    y = pure_callback(lambda: 1, Shape((), dtype))
    assert y == 1
    assert y.dtype == dtype


def test_byte_order_does_not_matter():
    y = pure_callback(lambda x: x.astype(">f8"), Shape((2,), float), np.ones(2, ">f8"))
    assert y.dtype == np.float64
    assert y.dtype.isnative


@both
def test_a_function_without_results(call):
    seen: list[Any] = []
    assert call(seen.append, None, 1.0) is None
    assert call(seen.append, (), 2.0) == ()
    assert seen == [1.0, 2.0]


# --- what is refused ---


@both
@pytest.mark.parametrize(
    "result, declared, words",
    [
        (np.ones(3), Shape((2,), float), ["f64[3]", "f64[2]"]),
        (np.ones(3, np.float32), Shape((3,), float), ["f32[3]", "f64[3]"]),
        (1.5, Shape((), int), ["f64[]", "i64[]"]),
        (1.5, Shape((1,), float), ["f64[]", "f64[1]"]),
        ("text", Shape((), float), ["str 'text'", "f64[]"]),
        (None, Shape((), float), ["None", "declares PyTreeDef(*)"]),
        ((1.0, 2.0), Shape((2,), float), ["tree PyTreeDef((*, *))", "declares PyTreeDef(*)"]),
        ([1.0], (F,), ["PyTreeDef([*])", "PyTreeDef((*,))"]),
        ({"a": [1.0, np.ones(2)]}, {"a": [F, F]}, ["f64[2] at ['a'][1]", "f64[]"]),
        (np.ma.ones(2), Shape((2,), float), ["MaskedArray", "f64[2]"]),
    ],
)
def test_a_result_that_is_not_as_declared(call, result, declared, words):
    def give():
        return result

    with says(TypeError, "callback of `", "give`", "test_callback.py", "result_shape_dtypes", *words):
        call(give, declared)
    staged = make_jaxpr(lambda x: call(lambda x: result, declared, x))(1.0)
    with says(TypeError, "result_shape_dtypes", *words):
        staged(1.0)


@both
@pytest.mark.parametrize("leaf, name", [(1.0, "float 1.0"), ("f8", "str 'f8'"), (Shape((2,), "O"), "object[2]")])
def test_a_declaration_that_is_none(call, leaf, name):
    with says(TypeError, name, "given in result_shape_dtypes at ['y']", "ShapeDtypeStruct((3,), float)"):
        call(lambda: 1.0, {"y": leaf})


@both
def test_a_declared_shape_is_not_negative(call):
    with says(TypeError, "wanted something with a shape"):
        call(lambda: 1.0, SimpleNamespace(shape=(-1,), dtype=float))


@both
def test_arguments_must_be_arrays(call):
    def f(x, mode):
        return x

    with says(TypeError, "`", "f`", "for mode['by']", "str 'fast'", "wanted an array or a number", "functools.partial"):
        call(f, F, 1.0, {"by": "fast"})
    with says(TypeError, "for mode", "MaskedArray"):
        call(f, F, 1.0, mode=np.ma.ones(2))
    assert call(functools.partial(f, mode="fast"), F, 1.0) == 1.0


@both
def test_the_callback_must_be_callable(call):
    with says(TypeError, "callback: float 1.0 was given; wanted a function"):
        call(1.0, F)


def test_an_unknown_vmap_method():
    with says(ValueError, "vmap_method is 'loop'", "'sequential'", "'broadcast_all'"):
        pure_callback(lambda: 1.0, F, vmap_method="loop")


# --- when it runs ---


def test_a_staged_callback_runs_with_the_program():
    record = Recorder()
    program = make_jaxpr(lambda x: pure_callback(record, F, x) * 2.0)(1.0)
    assert record.seen == []
    assert [program(x) for x in (3.0, 4.0)] == [[6.0], [8.0]]
    assert record.seen == [3.0, 4.0]


def test_a_pure_callback_is_dropped_if_nobody_wants_it():
    record = Recorder()

    def f(x):
        pure_callback(record, F, x)
        return x * 2.0

    program = eliminate_dead_code(make_jaxpr(f)(1.0))
    assert [e.prim.name for e in program.eqns] == ["mul"]
    assert program(1.0) == [2.0]
    assert record.seen == []


def test_an_io_callback_runs_though_nobody_wants_it():
    """Once each time that the program runs, in order, also without traced arguments."""
    record = Recorder()

    def f(x):
        io_callback(record, F, 0.0)
        io_callback(record, F, x)
        io_callback(record, F, 7.0, ordered=True)
        return x

    program = eliminate_dead_code(make_jaxpr(f)(1.0))
    assert record.seen == []
    assert program.effect
    for x in (1.0, 2.0):
        program(x)
    assert record.seen == [0.0, 1.0, 7.0, 0.0, 2.0, 7.0]


def test_an_effect_belongs_to_the_innermost_program():
    record = Recorder()
    inner: list[Jaxpr] = []

    def f(x):
        inner.append(make_jaxpr(lambda y: y + io_callback(record, F, 1.0))(x))
        return x

    outer = make_jaxpr(f)(1.0)
    assert [len(inner[0].eqns), len(outer.eqns)] == [2, 0]
    assert record.seen == []


TRANSFORMS = {
    "grad": grad,
    "vmap": lambda f: lambda x: vmap(f)(xform.numpy.full(2, x)),
    "jvp": lambda f: lambda x: jvp(f, (x,), (x,)),
    "jet": lambda f: lambda x: jet(f, (x,), ((1.0,),)),
}


@pytest.mark.parametrize("name", TRANSFORMS)
def test_an_effect_on_constants_reaches_the_program_from_inside_transformations(name):
    record = Recorder()
    program = make_jaxpr(TRANSFORMS[name](lambda x: x * io_callback(record, F, 3.0)))(1.0)
    assert record.seen == []
    program(2.0)
    assert record.seen == [3.0]


def test_an_effect_on_values_of_an_enclosing_transformation_is_staged():
    seen: list[Any] = []

    def f(x):
        program = make_jaxpr(lambda y: (io_callback(seen.append, None, np.floor(x)), y)[1])(1.0)
        assert seen == []
        return x * program(2.0)[0]

    assert grad(f)(3.5) == 2.0
    assert seen == [3.0]


def test_the_effect_of_programs_in_programs_is_known_at_any_depth():
    program = make_jaxpr(lambda x: (io_callback(print, None, x), x)[1])(1.0)
    for _ in range(3 * sys.getrecursionlimit()):
        program = Jaxpr([], [], [Eqn(pure_call, [], {"program": program}, [])], [])
    assert program.effect
    assert len(eliminate_dead_code(program).eqns) == 1
    assert not Jaxpr([], [], [Eqn(pure_call, [], {}, [])], []).effect


def test_the_program_shows_the_name_of_the_function():
    def measure(x):
        return x

    text = str(make_jaxpr(lambda x: pure_callback(functools.partial(measure), Shape((2,), float), x))(np.ones(2)))
    assert "b:f64[2] = pure_callback[callback=measure result_avals=(f64[2],) vmap_method=None] a" in text
    assert "    io_callback[callback=measure ordered=True result_avals=()] a\n" in str(
        make_jaxpr(lambda x: (io_callback(measure, None, x, ordered=True), x)[1])(1.0)
    )


# --- inside the function ---


@both
def test_errors_keep_their_type_and_say_where_they_come_from(call):
    def fail(x):
        raise KeyError("no such thing")

    program = make_jaxpr(lambda x: call(fail, F, x))(1.0)
    for run in (lambda: call(fail, F, 1.0), lambda: program(1.0)):
        with pytest.raises(KeyError) as caught:
            run()
        assert caught.value.args == ("no such thing",)
        note = "\n".join(caught.value.__notes__)
        assert "callback of `test_errors_keep" in note
        assert f"fail` (test_callback.py:{fail.__code__.co_firstlineno})" in note
        assert f"{__file__}:" in note


@both
def test_an_error_under_vmap_names_the_example(call):
    def fail(x):
        if x == 5.0:
            raise ValueError("five")
        return x

    with pytest.raises(ValueError, match="five") as caught:
        vmap(vmap(lambda x: call(fail, F, x)))(np.arange(6.0).reshape(2, 3))
    assert "for example [1, 2] of vmap" in caught.value.__notes__[0]


@both
def test_the_function_runs_outside_all_transformations(call):
    def derivative(x):
        return grad(np.sin)(x) + io_callback(lambda: 1.0, F)

    def f(x):
        return x * call(derivative, F, 0.0)

    assert grad(f)(2.0) == 2.0
    assert make_jaxpr(f)(2.0)(3.0) == [6.0]
    np.testing.assert_array_equal(vmap(f)(np.ones(2)), [2.0, 2.0])


def test_checks_hold_inside_the_function_as_well():
    def f(x):
        return pure_callback(lambda: float(np.isfinite(grad(np.sqrt)(0.0))), F) * x

    with np.errstate(divide="ignore"):
        assert grad(f)(1.0) == 0.0
        with xform.debug_infs(), pytest.raises(xform.NonFiniteError):
            grad(f)(1.0)


@both
def test_traced_values_that_the_function_closes_over(call):
    with pytest.raises(LeakedTracerError) as caught:
        grad(lambda x: call(lambda: np.sin(x), F))(1.0)
    assert any("pass it the traced values as arguments" in note for note in caught.value.__notes__)
    with says(TypeError, "returned a traced value of f64[]", "pass it the traced values as arguments"):
        grad(lambda x: call(lambda: x, F))(1.0)


# --- derivatives ---


DERIVATIVES = {
    "grad": lambda f: grad(f)(1.0),
    "jvp": lambda f: jvp(f, (1.0,), (1.0,)),
    "vjp": lambda f: vjp(f, 1.0),
    "linearize": lambda f: linearize(f, 1.0),
    "jet": lambda f: jet(f, (1.0,), ((1.0, 0.0),)),
    "staged": lambda f: make_jaxpr(grad(f))(1.0),
    "vmap": lambda f: vmap(grad(f))(np.ones(2)),
}


@both
@pytest.mark.parametrize("name", DERIVATIVES)
def test_a_derivative_needs_a_rule(call, name):
    def f(x):
        return call(np.sin, F, x)

    with says(MissingRuleError, "`sin`", "test_callback.py", "in f", "differentiated", "custom_jvp", "custom_vjp"):
        DERIVATIVES[name](f)


@both
@pytest.mark.parametrize("name", DERIVATIVES)
def test_constants_and_integers_have_no_derivative(call, name):
    def f(x):
        n = call(lambda n: n + 1, Shape((), int), np.floor(x).astype(int))
        return x * x * call(lambda a, b: a * b, F, 2.0, n)

    with np.errstate(all="raise"):
        DERIVATIVES[name](f)
    assert grad(f)(3.5) == 2 * 3.5 * 8.0
    assert jvp(f, (3.5,), (1.0,)) == (3.5**2 * 8.0, 2 * 3.5 * 8.0)
    assert jet(f, (3.5,), ((1.0, 0.0),)) == (3.5**2 * 8.0, [2 * 3.5 * 8.0, 16.0])


def test_in_a_loop():
    numbers = iter(range(100))

    def f(x):
        return lax.fori_loop(0, 3, lambda i, c: c * io_callback(lambda: 1 + next(numbers), Shape((), int)), x)

    assert grad(f)(2.0) == 1 * 2 * 3
    assert make_jaxpr(grad(f))(0.0)(2.0) == [4 * 5 * 6]
    with says(MissingRuleError, "`sin`", "in <lambda>", "custom_jvp"):
        grad(lambda x: lax.fori_loop(0, 3, lambda i, c: c * pure_callback(np.sin, F, c), x))(2.0)
    assert grad(lambda x: pure_callback(np.cos, F, lax.stop_gradient(x)) * x)(0.0) == 1.0


@both
def test_the_transpose_is_refused(call):
    with says(MissingRuleError, "`negative`", "custom_vjp"):
        xform.linear_transpose(lambda x: call(np.negative, F, x), 1.0)(1.0)


def test_every_result_may_depend_on_every_argument():
    def f(x):
        return pure_callback(np.cumsum, Shape((2,), float), x[:2])

    np.testing.assert_array_equal(xform.sparsity_pattern(f, np.ones(3)), [[1, 1, 0], [1, 1, 0]])


# --- batches ---


@pytest.mark.parametrize(
    "method, shapes",
    [
        ("sequential", [((2,), (2,))] * 3),
        ("sequential_unrolled", [((2,), (2,))] * 3),
        ("expand_dims", [((3, 2), (1, 2))]),
        ("broadcast_all", [((3, 2), (3, 2))]),
        ("legacy_vectorized", [((3, 2), (2,))]),
    ],
)
def test_vmap_methods(method, shapes):
    seen: list[Any] = []

    def add(x, y):
        seen.append((x.shape, y.shape))
        return x + y

    f = vmap(lambda x, y: pure_callback(add, Shape((2,), float), x, y, vmap_method=method), in_axes=(0, None))
    x, y = np.arange(6.0).reshape(3, 2), np.array([10.0, 20.0])
    np.testing.assert_array_equal(f(x, y), x + y)
    assert seen == shapes
    np.testing.assert_array_equal(make_jaxpr(f)(x, y)(x, y)[0], x + y)
    assert seen == shapes * 2


@pytest.mark.parametrize("method", ["sequential", "expand_dims", "broadcast_all"])
@pytest.mark.parametrize("axes", [(0, None), (None, 0), (1, 0)])
def test_vmap_of_vmap(method, axes):
    def f(x, y):
        return pure_callback(lambda x, y: x - 2.0 * y, F, x, y, vmap_method=method)

    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(2, 3)), rng.normal(size=(3,))
    inner = vmap(f, in_axes=(0, None))
    if axes == (0, None):
        wanted, got = x - 2.0 * 0.5, vmap(inner, axes)(x, 0.5)
    elif axes == (None, 0):
        wanted, got = y - 2.0 * x[0][:, None], vmap(inner, axes)(y, x[0])
    else:
        wanted, got = (x - 2.0 * y).T, vmap(inner, axes)(x, y)
    np.testing.assert_allclose(got, wanted)


def test_examples_come_in_the_order_of_nested_loops():
    record = Recorder()
    f = vmap(vmap(lambda x, y: io_callback(record, F, x, y)), in_axes=(0, None))
    x, y = np.arange(6.0).reshape(2, 3), np.array([0.0, 10.0, 20.0])
    np.testing.assert_array_equal(f(x, y), x + y)
    assert record.seen == [(a, b) for row in x for a, b in zip(row, y, strict=True)]


@both
def test_a_batch_of_no_examples(call):
    record = Recorder()
    y = vmap(lambda x: call(record, Shape((2,), np.float32), x))(np.ones((0, 2), np.float32))
    assert (y.shape, y.dtype) == ((0, 2), np.float32)
    assert record.seen == []


@both
def test_a_call_that_touches_no_example_runs_once(call):
    record = Recorder()
    np.testing.assert_array_equal(vmap(lambda x: x + call(record, F, 1.0))(np.arange(2.0)), [1.0, 2.0])
    assert record.seen == [1.0]


def test_without_a_vmap_method():
    with says(MissingRuleError, "`sin`", "vmap_method is None", "'sequential'", "'expand_dims'", "'broadcast_all'"):
        vmap(lambda x: pure_callback(np.sin, F, x))(np.ones(2))


def test_an_ordered_io_callback_is_not_batched():
    with says(ValueError, "`sin`", "ordered is True", "ordered=False"):
        vmap(lambda x: io_callback(np.sin, F, x, ordered=True))(np.ones(2))


def test_a_batched_result_is_checked():
    def f(x):
        return pure_callback(np.sum, F, x, vmap_method="expand_dims")

    with says(TypeError, "`sum`", "returned f64[]", "declares f64[2]"):
        vmap(f)(np.ones((2, 3)))
