"""Looking into transformed functions: print, callback and breakpoint see values, in order, and change nothing."""

from __future__ import annotations

import bdb
import io
import sys
from typing import Any

import numpy as np
import pytest

import xform
from tests.messages import says
from xform import debug, grad, jet, jvp, lax, linear_transpose, linearize, make_jaxpr, vjp, vmap
from xform.core.check import check
from xform.core.jaxpr import eliminate_dead_code


class Seen(list):
    """Remembers what it is called with."""

    def __call__(self, *args: Any, **kwargs: Any) -> str:
        self.append((*args, *kwargs.values()))
        return "ignored"


@pytest.fixture
def seen() -> Seen:
    return Seen()


def text(fmt: str, *args: Any, **kwargs: Any) -> str:
    """What debug.print prints."""
    out, sys.stdout = sys.stdout, io.StringIO()
    try:
        debug.print(fmt, *args, **kwargs)
        return sys.stdout.getvalue()
    finally:
        sys.stdout = out


# --- under transformations ---


TRANSFORMS = {
    "eager": lambda f, x: f(x),
    "grad": lambda f, x: grad(f)(x),
    "value_and_grad": lambda f, x: xform.value_and_grad(f)(x),
    "jvp": lambda f, x: jvp(f, (x,), (1.0,)),
    "jet": lambda f, x: jet(f, (x,), ((1.0, 0.0, 0.0),)),
    "vjp, the pullback called twice": lambda f, x: (pull := vjp(f, x)[1], pull(1.0), pull(2.0)),
    "linearize, the pushforward called twice": lambda f, x: (push := linearize(f, x)[1], push(1.0), push(2.0)),
    "hessian": lambda f, x: xform.hessian(f)(x),
    "jacfwd": lambda f, x: xform.jacfwd(f)(x),
    "sparsity": xform.sparsity_pattern,
    "staged": lambda f, x: make_jaxpr(f)(1.0)(x),
    "staged grad": lambda f, x: make_jaxpr(grad(f))(1.0)(x),
    "grad of staged": lambda f, x: grad(lambda x: make_jaxpr(f)(1.0)(x)[0])(x),
    "grad of grad": lambda f, x: grad(grad(f))(x),
    "jvp of grad": lambda f, x: jvp(grad(f), (x,), (1.0,)),
    "vmap": lambda f, x: vmap(f)(np.full(1, x)),
    "vmap of grad": lambda f, x: vmap(grad(f))(np.full(1, x)),
    "staged vmap of grad": lambda f, x: make_jaxpr(vmap(grad(f)))(np.ones(1))(np.full(1, x)),
    "grad of checkpoint": lambda f, x: grad(xform.checkpoint(f))(x),
    "staged grad of checkpoint": lambda f, x: make_jaxpr(grad(xform.checkpoint(f)))(1.0)(x),
    "grad of vmap": lambda f, x: grad(lambda xs: vmap(f)(xs).sum())(np.full(1, x)),
}


@pytest.mark.parametrize("name", TRANSFORMS)
def test_primal_values_are_seen_once_and_in_order(name, seen):
    def f(x):
        debug.callback(seen, "start")
        debug.callback(seen, x, tag="x")
        y = np.sin(x) * x
        debug.callback(seen, {"y": y}, 3, ordered=True)
        return y * x

    TRANSFORMS[name](f, 2.0)
    assert seen == [("start",), (2.0, "x"), ({"y": np.sin(2.0) * 2.0}, 3)]
    assert all(type(v) in (np.float64, np.int64) for v in (seen[1][0], seen[2][0]["y"], seen[2][1]))


@pytest.mark.parametrize("name", TRANSFORMS)
def test_results_are_the_same_with_and_without(name, seen):
    def f(x):
        return np.sin(x) * x

    def looked_at(x):
        debug.callback(seen, x)
        return f(x)

    results = [[y for y in xform.tree.leaves(TRANSFORMS[name](g, 2.0)) if not callable(y)] for g in (f, looked_at)]
    np.testing.assert_equal(*results)
    assert len(seen) == 1


def test_tangents_are_seen_where_a_rule_shows_them(seen):
    """A linear program that is transposed does not come to where its tangents are."""

    def f(x):
        debug.callback(seen, x, 1.0)
        return 3.0 * x

    assert linear_transpose(f, 1.0)(2.0) == (6.0,)
    assert seen == []


def scanned(x, look):
    return lax.scan(lambda c, y: (look(c) or c * y, c), x, np.array([1.0, 2.0, 3.0]))[0]


def repeated(x, look):
    def body(state):
        c, factor, k = state
        look(c)
        return c * factor, factor + 1.0, k + 1

    return lax.while_loop(lambda state: state[2] < 3, body, (x, x / x, 0))[0]


def counted(x, look):
    return lax.fori_loop(1, 4, lambda i, c: look(c) or c * i, x)


def chosen(x, look):
    def three(x):
        for k in (1.0, 1.0, 2.0):
            look(x * k)
        return 6.0 * x

    return lax.cond(x > 0, three, lambda x: look(-x) or x, x)


@pytest.mark.parametrize("name", TRANSFORMS)
@pytest.mark.parametrize("f", [scanned, repeated, counted, chosen])
def test_values_in_control_flow_are_seen_once_and_in_order(name, f, seen):
    def looked_at(x):
        return f(x, lambda value: debug.callback(seen, value))

    TRANSFORMS[name](looked_at, 2.0)
    assert seen == [(2.0,), (2.0,), (4.0,)]


def test_control_flow_over_nothing_traced_is_kept_in_the_program(seen):
    def f(x):
        lax.fori_loop(0, 3, lambda i, c: debug.callback(seen, i) or c, 0.0)
        return x

    program = eliminate_dead_code(make_jaxpr(f)(1.0))
    assert seen == []
    program(1.0)
    assert seen == [(0,), (1,), (2,)]


def test_each_example_of_a_loop_is_seen_until_it_stops(seen):
    def double(x):
        return lax.while_loop(lambda c: c < 10.0, lambda c: debug.callback(seen, c) or c * 2.0, x)

    np.testing.assert_array_equal(vmap(double)(np.array([3.0, 9.0, 20.0])), [12.0, 18.0, 20.0])
    assert seen == [(3.0,), (9.0,), (6.0,)]


def test_vmap_calls_for_each_example_in_order(seen):
    def f(x, y):
        debug.callback(seen, x, y)
        debug.callback(seen, "next")
        return x + y

    x = np.arange(4.0).reshape(2, 2)
    wanted = [(0.0, 5.0), (1.0, 5.0), (2.0, 6.0), (3.0, 6.0), ("next",)]
    twice = vmap(vmap(f, in_axes=(0, None)))
    twice(x, np.array([5.0, 6.0]))
    assert seen == wanted
    program = make_jaxpr(twice)(x, np.ones(2))
    check(program)
    program(x, np.array([5.0, 6.0]))
    assert seen == wanted * 2


def test_vmap_of_no_examples(seen):
    vmap(lambda x: debug.callback(seen, x) or x)(np.ones((0, 2)))
    assert seen == []


def test_a_batch_axis_in_the_middle_is_not_seen(seen):
    x = np.arange(12.0).reshape(2, 3, 2)
    vmap(lambda x: debug.callback(seen, x) or x, in_axes=1, out_axes=1)(x)
    np.testing.assert_array_equal([args[0] for args in seen], x.transpose(1, 0, 2))


# --- in programs ---


def test_it_survives_dead_code_elimination_in_its_place(seen):
    def f(x):
        debug.callback(seen, 0)
        y = np.exp(x)
        debug.callback(seen, y)
        return x

    program = eliminate_dead_code(make_jaxpr(f)(1.0))
    assert seen == []
    assert [e.prim.name for e in program.eqns] == ["debug_callback", "exp", "debug_callback"]
    assert program(0.0) == [0.0]
    assert seen == [(0,), (1.0,)]


def test_eval_shape_does_not_call(seen):
    assert xform.eval_shape(lambda x: debug.callback(seen, x) or x, np.ones(2)) == xform.Aval((2,), float)
    assert seen == []


def test_the_program_shows_what_is_called(seen):
    def look(x):
        debug.callback(print, x, "text")
        debug.print("x = {x}", x=x, ordered=True)
        debug.print("a format string of more than forty characters: {}", x)
        return x

    shown = str(make_jaxpr(look)(1.0)).splitlines()
    assert [line.strip() for line in shown[1:-1]] == [
        "debug_callback[callback=print ordered=False] a",
        "debug_callback[callback=print('x = {x}') ordered=True] a",
        "debug_callback[callback=print('a format string of more than forty ch...') ordered=False] a",
    ]


# --- callback ---


def test_other_values_arrive_as_they_are(seen):
    kept = object()
    masked = np.ma.masked_array([1.0, 2.0], [True, False])
    args = ("text", None, kept, {3: b"bytes"}, 2**100, masked, np.array(["a"]), xform.Aval((), float))
    program = make_jaxpr(lambda x: debug.callback(seen, *args, x) or x)(1.0)
    debug.callback(seen, *args, 1.0)
    program(1.0)
    assert len(seen) == 2
    for found in seen:
        assert found[-1] == 1.0
        assert all(a is b for a, b in zip(found[:3], args[:3], strict=True))
        assert found[3] == {3: b"bytes"}
        assert all(a is b for a, b in zip(found[4:-1], args[4:], strict=True))


def test_arrays_may_be_kept(seen):
    x = np.zeros(2)
    debug.callback(seen, x)
    x[:] = 1.0
    np.testing.assert_array_equal(seen[0][0], [0.0, 0.0])


def test_what_is_called_must_be_callable():
    with says(TypeError, "debug.callback: str 'x = {}' was given; wanted a function"):
        debug.callback("x = {}", 1.0)  # type: ignore[arg-type]


def test_an_error_inside_passes_through():
    def fail(x):
        raise LookupError(f"met {x}")

    with pytest.raises(LookupError, match=r"met 2\.0") as caught:
        grad(lambda x: (debug.callback(fail, x), x)[1])(2.0)
    assert "debug.callback of `" in caught.value.__notes__[0]
    assert f"{__file__}:" in caught.value.__notes__[0]


# --- print ---


def test_what_is_printed():
    x = np.array([1.0, 2.0])
    assert text("{} and {x}", x, x=1.5) == "[1. 2.] and 1.5\n"
    assert text("{0:.2f} {n:04d} {0}", 1.234, n=5) == "1.23 0005 1.234\n"
    assert text("{x.shape} {d[w][1]} {}", "s", x=x, d={"w": x}) == "(2,) 2.0 s\n"
    assert text("{{}} {!r:>8}|{:{}}", "a", 1, 3) == "{}      'a'|  1\n"
    assert text("plain") == "plain\n"
    with np.printoptions(precision=1):
        assert text("{}", x / 3) == "[0.3 0.7]\n"


def test_printing_under_grad_and_vmap(capsys):
    def f(x):
        debug.print("x = {x:.1f} {}", x > 0, x=x)
        return x * x

    vmap(grad(f))(np.array([1.0, -2.0]))
    assert capsys.readouterr().out == "x = 1.0 True\nx = -2.0 False\n"


@pytest.mark.parametrize(
    "fmt, args, kwargs, words",
    [
        ("{} {}", (1.0,), {}, ["place for positional argument 1, but there are 1"]),
        ("{x} {y}", (), {"x": 1.0}, ["place for 'y'", "pass y=..."]),
        ("x = 1.0", (1.0,), {}, ["no place for 0", "f-string"]),
        ("{}", (1.0,), {"z": 2.0}, ["no place for z"]),
        ("{:.2f}", (np.ones(3),), {}, ["'.2f' is for single numbers", "shape (3,)", "numpy.printoptions"]),
        ("{:d}", (1.5,), {}, ["'d'", "float"]),
        ("{x.colour}", (), {"x": np.ones(2)}, ["colour"]),
        ("{x[5]}", (), {"x": np.ones(2)}, ["5", "out of bounds"]),
        ("{d[v]}", (), {"d": {"w": 1.0}}, ["'v'"]),
        ("{", (), {}, ["'{'"]),
        ("{} {0}", (1.0,), {}, ["manual"]),
        ("{!q}", (1.0,), {}, ["conversion"]),
    ],
)
def test_a_format_string_that_does_not_take_its_arguments(fmt, args, kwargs, words):
    """Also while staging, when there are no values yet."""
    with says(ValueError, "debug.print", "does not take these arguments", *words):
        debug.print(fmt, *args, **kwargs)
    with says(ValueError, "debug.print", "does not take these arguments", *words):
        make_jaxpr(lambda args, kwargs: debug.print(fmt, *args, **kwargs))(args, kwargs)


def test_the_format_string_comes_first():
    with says(TypeError, "debug.print: float 1.0 was given; wanted a format string first"):
        debug.print(1.0)  # type: ignore[arg-type]


def test_checking_the_format_makes_no_large_arrays():
    huge = xform.Aval((10**6, 10**6), float)
    assert xform.eval_shape(lambda x: debug.print("{x} {x.shape}", x=x) or x, huge) == huge


# --- breakpoint ---


@pytest.fixture
def commands(monkeypatch):
    def give(*lines: str) -> None:
        monkeypatch.setattr(sys, "stdin", io.StringIO("".join(line + "\n" for line in lines)))

    return give


def stop_here(x):
    params = {"w": [x * 2.0]}
    name = "loss"
    debug.breakpoint()
    return params["w"][0] * len(name)


def prompts(out: str) -> list[str]:
    """What the debugger answered."""
    return [part.strip().splitlines()[0] if part.strip() else "" for part in out.split("(Pdb)")[1:]]


@pytest.mark.parametrize(
    "run",
    [
        lambda: stop_here(np.float64(3.0)),
        lambda: grad(stop_here)(3.0),
        lambda: jvp(stop_here, (3.0,), (1.0,)),
        lambda: jvp(grad(stop_here), (3.0,), (1.0,)),
        lambda: jet(stop_here, (3.0,), ((1.0,),)),
        lambda: make_jaxpr(stop_here)(1.0)(3.0),
        lambda: vmap(stop_here)(np.full(1, 3.0)),
    ],
    ids=["eager", "grad", "jvp", "jvp of grad", "jet", "staged", "vmap"],
)
def test_the_debugger_shows_values(run, commands, capsys):
    commands("p float(x), params, name", "p np.pi", "continue")
    run()
    out = capsys.readouterr().out
    assert "test_debug.py(" in out
    assert "stop_here()" in out
    assert prompts(out)[:2] == ["(3.0, {'w': [np.float64(6.0)]}, 'loss')", "3.141592653589793"]


def test_the_debugger_points_at_the_line(commands, capsys):
    commands("where", "continue")
    make_jaxpr(stop_here)(1.0)(3.0)
    line = stop_here.__code__.co_firstlineno + 3
    assert f"test_debug.py({line})stop_here()\n-> debug.breakpoint()" in capsys.readouterr().out


def test_staging_does_not_stop(commands, capsys):
    commands()
    program = make_jaxpr(stop_here)(1.0)
    assert "debug_callback[callback=breakpoint ordered=False]" in str(program)
    assert capsys.readouterr().out == ""


def test_a_staged_breakpoint_without_traced_variables_stops_when_the_program_runs(commands, capsys):
    def f(_):
        n = 5
        del _
        debug.breakpoint()
        return n

    program = make_jaxpr(f)(1.0)
    commands("p n", "continue")
    assert capsys.readouterr().out == ""
    program(1.0)
    assert prompts(capsys.readouterr().out)[0] == "5"


def test_vmap_stops_at_each_example(commands, capsys):
    commands("p x", "continue", "p x", "continue")
    vmap(stop_here)(np.array([3.0, 4.0]))
    assert prompts(capsys.readouterr().out)[::2] == ["np.float64(3.0)", "np.float64(4.0)"]


def test_stepping_on_in_an_untraced_frame(commands, capsys):
    commands("next", "next", "p y", "continue")  # Python 3.13 stops at the line itself, those before at the next

    def f(x):
        debug.breakpoint()
        y = x + 1
        return y

    assert f(1) == 2
    assert "2" in prompts(capsys.readouterr().out)


def test_quitting(commands):
    commands("quit")
    with pytest.raises(bdb.BdbQuit):
        grad(stop_here)(3.0)


def test_variables_that_are_no_trees_are_shown_as_they_are(commands, capsys):
    def f(x):
        odd = {1: x, "b": 2}
        lost = leaked[0]
        debug.breakpoint()
        return x + odd["b"] + len([lost])

    leaked: list[Any] = []
    grad(lambda x: leaked.append(x) or x)(1.0)
    commands("p x, odd['b'], type(lost).__name__", "continue")
    grad(f)(3.0)
    assert prompts(capsys.readouterr().out)[0] == "(np.float64(3.0), 2, 'LinearizeTracer')"
