"""Bad input to loops, branches and checkpoints: each message says what was given, what was wanted and what to do."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import xform
from tests.messages import says
from tests.numeric import assert_same
from xform import lax

X = np.array([1.0, 2.0, 3.0])
HERE = "test_bad_control_flow.py:"


def by_vmap(f: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return lambda x: xform.vmap(f)(np.stack([x, x]))


def total(f: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return lambda x: sum(np.sum(y) for y in xform.tree.leaves(f(x)))


RUNS: dict[str, Callable[[Callable[[Any], Any]], Callable[[Any], Any]]] = {
    "eagerly": lambda f: f,
    "make_jaxpr": xform.make_jaxpr,
    "grad": lambda f: xform.grad(total(f)),
    "jvp": lambda f: lambda x: xform.jvp(f, (x,), (x,)),
    "vmap": by_vmap,
    "make_jaxpr of grad": lambda f: xform.make_jaxpr(xform.grad(total(f))),
    "vmap of grad": lambda f: by_vmap(xform.grad(total(f))),
}
EVERYWHERE = pytest.mark.parametrize("run", RUNS.values(), ids=RUNS)
WRITTEN = pytest.mark.parametrize(
    "run", [RUNS[name] for name in ("make_jaxpr", "make_jaxpr of grad")], ids=["make_jaxpr", "make_jaxpr of grad"]
)


# --- a carry that changes ---


def looped(body: Callable[[Any], Any]) -> dict[str, Callable[[Any], Any]]:
    """A step in each loop; the initial carry is {"n": 0.0, "w": x}."""
    return {
        "while_loop": lambda x: lax.while_loop(lambda c: c["n"] < 3, body, {"n": 0.0, "w": x}),
        "while_loop, snapshots": lambda x: lax.while_loop(lambda c: c["n"] < 3, body, {"n": 0.0, "w": x}, checkpoint=2),
        "fori_loop": lambda x: lax.fori_loop(0, 3, lambda i, c: body(c), {"n": 0.0, "w": x}),
        "fori_loop, snapshots": lambda x: lax.fori_loop(0, 3, lambda i, c: body(c), {"n": 0.0, "w": x}, checkpoint=2),
        "scan": lambda x: lax.scan(lambda c, _: (body(c), None), {"n": 0.0, "w": x}, X),
        "scan, segments": lambda x: lax.scan(lambda c, _: (body(c), None), {"n": 0.0, "w": x}, X, checkpoint=2),
    }


LOOPS = tuple(looped(lambda c: c))
EVERY_LOOP = pytest.mark.parametrize("loop", LOOPS)


@EVERYWHERE
@EVERY_LOOP
def test_a_carry_of_another_shape(run, loop):
    def body(c):
        return {"n": c["n"] + 1, "w": c["w"][:2]}

    with says(TypeError, f"{loop.split(',')[0]} of `", HERE, "carry at `['w']`", "f64[3]", "f64[2]", "cannot grow"):
        run(looped(body)[loop])(X)


@EVERYWHERE
@EVERY_LOOP
def test_a_carry_of_another_dtype(run, loop):
    def body(c):
        return {"n": c["n"] + 1, "w": c["w"] > 0}

    words = "carry at `['w']`", "f64[3]", "bool[3]", "astype('bool')", "astype('float64')"
    with says(TypeError, f"{loop.split(',')[0]} of `", HERE, *words):
        run(looped(body)[loop])(X)


@EVERYWHERE
@EVERY_LOOP
def test_a_carry_of_another_structure(run, loop):
    def body(c):
        return {"n": c["n"] + 1, "w": (c["w"], c["w"])}

    words = "at `['w']` it was given an array and it returned a tuple of length 2", "{'n': *, 'w': (*, *)}"
    with says(TypeError, f"{loop.split(',')[0]} of `", HERE, *words):
        run(looped(body)[loop])(X)


@EVERYWHERE
@EVERY_LOOP
def test_a_carry_that_lacks_a_key(run, loop):
    words = "at the root it was given a dict with keys ['n', 'w'] and it returned a dict with keys ['n']"
    with says(TypeError, f"{loop.split(',')[0]} of `", HERE, words):
        run(looped(lambda c: {"n": c["n"] + 1})[loop])(X)


@EVERY_LOOP
@pytest.mark.parametrize(
    "value, words",
    [
        ("a", "is str 'a'; wanted an array or a number"),
        (np.array(["b"]), "wanted numbers (bool, int, float or complex)"),
    ],
)
def test_a_carry_that_is_no_array(loop, value, words):
    for run in (RUNS["eagerly"], RUNS["make_jaxpr"]):
        with says(TypeError, loop.split(",")[0], HERE, "returned at `['w']`", words):
            run(looped(lambda c: {"n": c["n"] + 1, "w": value})[loop])(X)


@pytest.mark.parametrize("run", [RUNS[k] for k in ("eagerly", "grad", "jvp", "vmap")])
def test_a_carry_that_changes_at_a_later_step_only(run):
    with says(TypeError, "fori_loop of `", "carry came in as f64[3] and went out as f64[2]"):
        run(lambda x: lax.fori_loop(0, 5, lambda i, c: c if i < 3 else c[:2], x))(X)
    with says(TypeError, "scan of `", "carry came in as f64[3] and went out as bool[3]"):
        run(lambda x: lax.scan(lambda c, i: (c if i < 3 else c > 0, None), x, X)[0])(X)


def test_a_number_takes_on_a_larger_dtype_but_no_smaller_one():
    assert lax.fori_loop(0, 3, lambda i, c: c + 0.5, 0) == 1.5
    assert lax.fori_loop(0, 3, lambda i, c: c + 0.5 if i == 2 else c, 0) == 0.5  # in a later step as well
    for run in (RUNS["eagerly"], RUNS["make_jaxpr"]):
        with says(TypeError, "fori_loop of `", "came in as f64[] and went out as i64[]"):
            run(lambda x: lax.fori_loop(0, 3, lambda i, c: 3, 0.5))(X)
        with says(TypeError, "fori_loop of `", "came in as f32[] and went out as f64[]", "astype('float32')"):
            run(lambda x: lax.fori_loop(0, 3, lambda i, c: c + np.float64(1), np.float32(0.5)))(X)


@pytest.mark.parametrize(
    "loop",
    [
        lambda init: lax.scan(lambda c, x: (c, x), init, X),
        lambda init: lax.while_loop(lambda c: False, lambda c: c, init),
        lambda init: lax.fori_loop(0, 3, lambda i, c: c, init),
    ],
    ids=["scan", "while_loop", "fori_loop"],
)
def test_an_initial_carry_that_is_no_array(loop):
    with says(TypeError, HERE, "the initial carry at `['name']` is str 'adam'", "wanted an array or a number"):
        loop({"x": X, "name": "adam"})
    with says(TypeError, HERE, "the initial carry is function"):
        loop(lambda: 0)


def test_bounds_that_are_traced_do_not_change_the_message():
    with says(TypeError, "fori_loop of `", HERE, "the carry came in as f64[3] and went out as f64[2,3]"):
        xform.make_jaxpr(lambda n: lax.fori_loop(0, n, lambda i, c: np.stack([c, c]), X))(3)
    with says(TypeError, "fori_loop of `", "at the root it was given an array and it returned a list of length 2"):
        xform.make_jaxpr(lambda n: lax.fori_loop(0, n, lambda i, c: [c, c], X))(3)


# --- what a body returns beside the carry ---


@EVERYWHERE
@pytest.mark.parametrize(
    "result, shown",
    [
        (lambda c, x: c + x, "an array f64[]"),
        (lambda c, x: None, "None"),
        (lambda c, x: (c, x, x), "a tuple of length 3"),
        (lambda c, x: {"carry": c}, "dict {"),
    ],
    ids=["array", "None", "triple", "dict"],
)
def test_no_pair(run, result, shown):
    with says(TypeError, "scan of `", HERE, "must return a pair (carry, y)", f"returned {shown}", "return carry, None"):
        run(lambda x: lax.scan(result, 0.0, x))(X)


@pytest.mark.parametrize("run", [RUNS[k] for k in ("eagerly", "grad", "jvp", "vmap")])
@pytest.mark.parametrize(
    "early, late, words",
    [
        (lambda c: c, lambda c: np.stack([c, c]), ["y was f64[] in one step and f64[2] in another"]),
        (lambda c: {"a": c}, lambda c: {"a": c > 0}, ["y at `['a']` was f64[] in one step and bool[] in another"]),
        (lambda c: [c], lambda c: ["s"], ["y at `[0]`", "f64[]", "str 's'"]),
        (
            lambda c: c,
            lambda c: (c, c),
            ["one structure", "one step returned an array and another a tuple of length 2"],
        ),
        (lambda c: c, lambda c: None, ["one structure", "one step returned an array and another None"]),
        (lambda c: None, lambda c: c, ["one structure", "one step returned None and another an array"]),
    ],
    ids=["shape", "dtype", "string", "structure", "None later", "None first"],
)
def test_y_that_changes_from_step_to_step(run, early, late, words):
    with says(TypeError, "scan of `", HERE, *words):
        run(lambda x: lax.scan(lambda c, i: (c + x[0], early(c) if i < 2 else late(c)), 0.0, np.arange(4.0)))(X)


def test_y_that_is_no_array():
    for run in (RUNS["eagerly"], RUNS["make_jaxpr"]):
        with says(TypeError, "scan of `", HERE, "y at `['a'][0]` is str 's'; wanted an array or a number"):
            run(lambda x: lax.scan(lambda c, x: (c, {"a": ["s"]}), 0.0, x))(X)
        with says(TypeError, "map of `", HERE, "y is str 's'; wanted an array or a number"):
            run(lambda x: lax.map(lambda x: "s", x))(X)


# --- how many steps ---


def keep(c, x):
    return c, x


@pytest.mark.parametrize(
    "call, error, words",
    [
        (lambda: lax.scan(keep, 0.0, {"a": X, "b": X[:2]}), ValueError, ["disagree", "xs['a']: 3", "xs['b']: 2"]),
        (lambda: lax.scan(keep, 0.0, X, length=4), ValueError, ["disagree", "xs: 3", "length: 4"]),
        (lambda: lax.scan(keep, 0.0), ValueError, ["xs has no arrays", "give length"]),
        (lambda: lax.scan(keep, 0.0, ()), ValueError, ["xs has no arrays", "give length"]),
        (lambda: lax.scan(keep, 0.0, 1.0), ValueError, ["xs is a scalar", "first axis"]),
        (lambda: lax.scan(keep, 0.0, [1, 2]), ValueError, ["xs[0] is a scalar", "first axis"]),
        (lambda: lax.scan(keep, 0.0, range(3)), TypeError, ["xs is range range(0, 3)", "wanted an array"]),
        (lambda: lax.scan(keep, 0.0, length=-1), ValueError, ["length is -1", "at least 0"]),
        (lambda: lax.scan(keep, 0.0, length=3.0), TypeError, ["length must be an integer", "float 3.0"]),
        (lambda: lax.scan(keep, 0.0, length="3"), TypeError, ["length is str '3'"]),
        (lambda: lax.scan(keep, 0.0, length=X), TypeError, ["length must be an integer", "f64[3]"]),
        (lambda: lax.scan(keep, 0.0, X, unroll=-1), ValueError, ["unroll is -1", "at least 0"]),
        (lambda: lax.scan(keep, 0.0, X, unroll="all"), ValueError, ["unroll is 'all'", "True, False or a number"]),
    ],
)
def test_steps_of_a_scan(call, error, words):
    with says(error, "scan of `keep`", HERE, *words):
        call()


@pytest.mark.parametrize(
    "call, error, words",
    [
        (lambda: lax.map(np.sin, (X, X[:2])), ValueError, ["disagree", "xs[0]: 3", "xs[1]: 2"]),
        (lambda: lax.map(np.sin, (X, X[:2]), batch_size=2), ValueError, ["disagree", "xs[0]: 3", "xs[1]: 2"]),
        (lambda: lax.map(np.sin, 1.0), ValueError, ["xs is a scalar"]),
        (lambda: lax.map(np.sin, None), ValueError, ["xs has no arrays to loop over"]),
        (lambda: lax.map(np.sin, X, batch_size=0), ValueError, ["batch_size is 0", "at least 1"]),
        (lambda: lax.map(np.sin, X, batch_size=-2), ValueError, ["batch_size is -2", "at least 1"]),
        (lambda: lax.map(np.sin, X, batch_size=1.5), TypeError, ["batch_size must be an integer", "float 1.5"]),
        (lambda: lax.map(np.sin, X, batch_size="2"), TypeError, ["batch_size is str '2'"]),
    ],
)
def test_steps_of_a_map(call, error, words):
    with says(error, "map of `sin`", *words):
        call()


@pytest.mark.parametrize(
    "call, words",
    [
        (lambda: lax.fori_loop(0, X, keep, 0), ["upper must be an integer scalar", "f64[3]"]),
        (lambda: lax.fori_loop(0.5, 3, keep, 0), ["lower must be an integer scalar", "float 0.5"]),
        (lambda: lax.fori_loop("0", 3, keep, 0), ["lower is str '0'"]),
        (lambda: lax.fori_loop(0, np.array([3]), keep, 0), ["upper must be an integer scalar", "i64[1]"]),
        (lambda: lax.fori_loop(False, 3, keep, 0), ["lower must be an integer scalar", "bool"]),
        (lambda: xform.make_jaxpr(lambda n: lax.fori_loop(0, n, keep, 0))(2.0), ["upper", "f64[]"]),
    ],
)
def test_bounds(call, words):
    with says(TypeError, "fori_loop of `keep`", HERE, *words):
        call()


def test_the_unrolling_of_a_fori_loop():
    with says(ValueError, "fori_loop of `keep`", "unroll is -1"):
        lax.fori_loop(0, 3, keep, 0, unroll=-1)


def test_a_length_that_is_traced():
    with says(TypeError, "scan of `keep`", "length must be known", "fori_loop", "while_loop"):
        xform.make_jaxpr(lambda n: lax.scan(keep, 0.0, length=n))(3)
    assert lax.scan(keep, 0.0, length=np.int64(2)) == (0.0, None)
    moving = xform.jvp(lambda x: lax.scan(lambda c, _: (c + x, None), 0.0, length=(x > 0) + 1)[0], (3.0,), (1.0,))
    assert moving == (6.0, 2.0)


# --- predicates and indices ---


@pytest.mark.parametrize("run", [RUNS["eagerly"], RUNS["make_jaxpr"]], ids=["eagerly", "make_jaxpr"])
@pytest.mark.parametrize(
    "pred, words",
    [
        (lambda x: x > 0, ["must be a scalar", "bool[3]", "any() or all()", "numpy.where"]),
        (lambda x: x[:1] > 0, ["must be a scalar", "bool[1]"]),
        (lambda x: "yes", ["the predicate is str 'yes'"]),
        (lambda x: None, ["the predicate is None"]),
        (lambda x: [x[0] > 0], ["the predicate is a list of length 1"]),
        (lambda x: np.array(["yes"]), ["the predicate is an array <U3", "wanted numbers"]),
        (lambda x: lambda: True, ["the predicate is function"]),
    ],
    ids=["vector", "one entry", "string", "None", "list", "strings", "function"],
)
def test_predicates_of_cond(run, pred, words):
    def yes(x):
        return x

    with says(TypeError, "cond of `", "yes`", HERE, *words):
        run(lambda x: lax.cond(pred(x), yes, lambda x: -x, x))(X)


@EVERYWHERE
@pytest.mark.parametrize(
    "cond, words",
    [
        (lambda c: c < 3, ["must return a boolean scalar", "bool[3]", "any() or all()"]),
        (lambda c: c[0], ["must return a boolean scalar", "f64[]", "compare it"]),
        (lambda c: 1, ["must return a boolean scalar", "i64[]", "compare it"]),
        (lambda c: None, ["the result of the condition is None"]),
        (lambda c: (True,), ["the result of the condition is a tuple of length 1"]),
    ],
    ids=["vector", "float", "int", "None", "tuple"],
)
def test_conditions_of_while_loops(run, cond, words):
    with says(TypeError, "while_loop of `", HERE, *words):
        run(lambda x: lax.while_loop(cond, lambda c: c + 1, x))(X)


@pytest.mark.parametrize("run", [RUNS["eagerly"], RUNS["make_jaxpr"], RUNS["vmap"]])
@pytest.mark.parametrize(
    "index, words",
    [
        (lambda x: x[0], ["must be an integer scalar", "f64[]"]),
        (lambda x: x[0] > 0, ["must be an integer scalar", "bool[]", "use cond"]),
        (lambda x: np.arange(3), ["must be an integer scalar", "i64[3]"]),
        (lambda x: "1", ["the index is str '1'"]),
        (lambda x: None, ["the index is None"]),
    ],
    ids=["float", "bool", "vector", "string", "None"],
)
def test_indices_of_switch(run, index, words):
    with says(TypeError, "switch of `sin`, `cos`", *words):
        run(lambda x: lax.switch(index(x), [np.sin, np.cos], x))(X)


# --- branches that disagree: where both are written down ---


def choices(a: Any, b: Any) -> dict[str, Callable[[Any], Any]]:
    return {
        "cond": lambda x: lax.cond(x[0] > 1, lambda: b(x), lambda: a(x)),
        "switch": lambda x: lax.switch(x[0].astype(int), [lambda: a(x), lambda: a(x), lambda: b(x)]),
    }


NAMES = {"cond": ("false_fun", "true_fun"), "switch": ("branches[0]", "branches[2]")}
BOTH = pytest.mark.parametrize("kind", NAMES)
SEEN = {k: RUNS[k] for k in ("make_jaxpr", "make_jaxpr of grad")} | {
    "vmap": lambda f: lambda x: xform.vmap(f)(np.stack([x, 2 * x])),
    "vmap of grad": lambda f: lambda x: xform.vmap(xform.grad(total(f)))(np.stack([x, 2 * x])),
}


@BOTH
@pytest.mark.parametrize("run", SEEN.values(), ids=SEEN)
@pytest.mark.parametrize(
    "a, b, words",
    [
        (lambda x: x, lambda x: x[:2], "{} returned f64[3], and {} f64[2]"),
        (lambda x: {"a": [x, x]}, lambda x: {"a": [x, x > 0]}, "at `['a'][1]` {} returned f64[3], and {} bool[3]"),
        (lambda x: 0, lambda x: x[0], "{} returned i64[], and {} f64[]"),
        (lambda x: x, lambda x: (x, x), "at the root {} returned an array and {} a tuple of length 2"),
        (lambda x: {"a": x}, lambda x: {"a": None}, "at `['a']` {} returned an array and {} None"),
        (lambda x: {"a": x}, lambda x: {"b": x}, "{} returned a dict with keys ['a'] and {} a dict with keys ['b']"),
    ],
    ids=["shape", "dtype", "number", "tuple", "None", "key"],
)
def test_branches_that_disagree(run, kind, a, b, words):
    with says(TypeError, f"{kind} of `", HERE, words.format(*NAMES[kind])):
        run(choices(a, b)[kind])(X)


@BOTH
def test_what_to_do_about_branches_that_disagree(kind):
    with says(TypeError, "broadcast or convert one of them", "broadcast_to", "astype"):
        xform.make_jaxpr(choices(lambda x: x, lambda x: x[0])[kind])(X)


@BOTH
def test_a_branch_that_returns_no_array(kind):
    with says(TypeError, HERE, "its result['a']", "str 's'", "wanted an array"):
        xform.make_jaxpr(choices(lambda x: {"a": "s"}, lambda x: {"a": "s"})[kind])(X)


def test_operands():
    with says(TypeError, "cond of `sin` and `cos`", "both by position and as operand="):
        lax.cond(True, np.sin, np.cos, 1.0, operand=2.0)
    with says(TypeError, "switch of `sin`, `cos`", "both by position and as operand="):
        lax.switch(0, [np.sin, np.cos], 1.0, operand=2.0)
    with says(TypeError, "cond of `", HERE, "operand[0]['name'] is str 'relu'", "wanted an array"):
        xform.make_jaxpr(lambda x: lax.cond(x > 0, lambda p: p, lambda p: p, {"name": "relu"}))(1.0)
    with says(TypeError, "missing 1 required positional argument: 'x'"):
        lax.cond(True, lambda x: x, lambda x: x)


def test_branches_of_a_switch():
    for nothing in ([], ()):
        with says(ValueError, "switch", "an empty sequence was given", "at least one function"):
            lax.switch(0, nothing)
    for wrong in (np.sin, 3, "sin", None, (f for f in [np.sin])):
        with says(ValueError, "switch: for the branches", "was given", "wanted a list of at least one function"):
            lax.switch(0, wrong, 1.0)


# --- what is no function ---


@pytest.mark.parametrize(
    "call, words",
    [
        (lambda: lax.scan(None, 0.0, X), "scan: f is None"),
        (lambda: lax.map(3, X), "map: f is int 3"),
        (lambda: lax.while_loop(True, lambda c: c, 0.0), "while_loop: cond_fun is bool True"),
        (lambda: lax.while_loop(lambda c: False, X, 0.0), "while_loop: body_fun is an array f64[3]"),
        (lambda: lax.fori_loop(0, 3, 1.0, 0.0), "fori_loop: body_fun is float 1.0"),
        (lambda: lax.cond(True, 1.0, 2.0), "cond: true_fun is float 1.0"),
        (lambda: lax.cond(True, lambda: 1.0, 2.0), "cond: false_fun is float 2.0"),
        (lambda: lax.cond(True, 1.0, 2.0, 3.0, np.sin), "cond: true_fun is float 2.0"),
        (lambda: lax.switch(0, [np.sin, "cos"], 1.0), "switch: branches[1] is str 'cos'"),
    ],
)
def test_not_a_function(call, words):
    with says(TypeError, words, "wanted a function"):
        call()


# --- checkpoints ---


@pytest.mark.parametrize("run", [RUNS["eagerly"], RUNS["grad"], RUNS["make_jaxpr"]])
@pytest.mark.parametrize("wrong", [0, -1, 1.5, "sqrt", (), (2, 0), (True,), X])
def test_segments_of_a_scan(run, wrong):
    with says(ValueError, "scan of `keep`", "checkpoint is", "number of segments, at least 1", "True"):
        run(lambda x: lax.scan(keep, 0.0, x, checkpoint=wrong)[1])(X)


@pytest.mark.parametrize("run", [RUNS["eagerly"], RUNS["grad"], RUNS["make_jaxpr"]])
@pytest.mark.parametrize("wrong", [0, -1, 1.5, "log", True, (2, 2)])
def test_snapshots_of_a_while_loop(run, wrong):
    with says(ValueError, "while_loop of `", HERE, f"checkpoint is {wrong!r}", "states to keep, at least 1"):
        run(lambda x: lax.while_loop(lambda c: np.sum(c) < 9, lambda c: c + 1, x, checkpoint=wrong))(X)
    with says(ValueError, "fori_loop of `", HERE, f"checkpoint is {wrong!r}", "states to keep, at least 1"):
        run(lambda x: lax.fori_loop(0, 3, lambda i, c: c + 1, x, checkpoint=wrong))(X)


def test_names_of_checkpointed_values():
    with says(TypeError, "checkpoint_name", "must be a string, not 3"):
        xform.checkpoint_name(X, 3)


@WRITTEN
def test_a_checkpointed_function_that_branches_on_values_while_a_program_is_written(run):
    f = xform.checkpoint(lambda x: x if np.sum(x) > 0 else -x)
    with says(xform.ConcretizationError, "checkpoint of `", HERE, "xform.lax.cond"):
        run(f)(X)
    assert np.array_equal(xform.grad(lambda x: np.sum(f(x)))(-X), -np.ones(3))


# --- values that are not known, or no more ---


@WRITTEN
@pytest.mark.parametrize(
    "f, name",
    [
        (lambda x: lax.scan(lambda c, x: (c if c > 0 else -c, None), 0.0, x)[0], "scan of `"),
        (lambda x: lax.while_loop(lambda c: c < 3, lambda c: c + 1 if c > 0 else c + 2, x[0]), "while_loop of `"),
        (lambda x: lax.while_loop(lambda c: c < 3 and c > 0, lambda c: c + 1, x[0]), "while_loop of `"),
        (lambda x: lax.fori_loop(0, 3, lambda i, c: c if i > 0 else -c, x), "fori_loop of `"),
        (lambda x: lax.map(lambda x: x if x > 0 else -x, x), "map of `"),
        (lambda x: lax.cond(x[0] > 0, lambda x: x if x[1] > 0 else -x, lambda x: x, x), "cond of `"),
        (lambda x: lax.switch(x[0].astype(int), [lambda: x[0] if x[0] > 0 else 1.0, lambda: x[0]]), "switch of `"),
    ],
    ids=["scan", "while body", "while condition", "fori", "map", "cond", "switch"],
)
def test_an_if_on_a_value_that_is_not_known(run, f, name):
    with says(xform.ConcretizationError, "a condition", "bool[]", name, HERE, "xform.lax.cond", "xform.lax.while_loop"):
        run(f)(X)


KEPT: list[Any] = []


def keeping(c, x):
    KEPT.append(c)
    return c + x, None


def test_a_carry_that_is_kept_and_used_later():
    KEPT.clear()
    xform.make_jaxpr(lambda x: lax.scan(keeping, x[0], x))(X)
    with says(xform.LeakedTracerError, "f64[]", "scan of `keeping`", HERE, "has ended", "Return the value"):
        KEPT[0] * 2
    KEPT.clear()
    xform.grad(lambda x: lax.scan(keeping, x[0], x)[0])(X)
    with says(xform.LeakedTracerError, "f64[]", "grad of `", HERE, "has ended"):
        KEPT[1] + 1


def frames_of(error: BaseException) -> list[traceback.FrameSummary]:
    return traceback.extract_tb(error.__traceback__)


@EVERYWHERE
def test_a_mistake_in_a_nested_body_shows_the_users_line(run):
    def wrong(d):
        return d @ np.ones((2, 2))  # the mistake

    def outer(c, _):
        return lax.while_loop(lambda d: d[0] < 0, wrong, c), None

    def f(x):
        return lax.scan(outer, x, None, length=2)[0]

    words = ["do not contract"] if run is not RUNS["eagerly"] else []
    with says(ValueError, *words) as caught:
        run(f)(-X)
    shown = [frame.name for frame in frames_of(caught.value) if frame.filename.endswith("test_bad_control_flow.py")]
    lines = [frame.line for frame in frames_of(caught.value)]
    assert shown[-3:] == ["f", "outer", "wrong"]
    assert "return d @ np.ones((2, 2))  # the mistake" in lines[-2:]


@EVERYWHERE
def test_a_carry_that_changes_in_a_nested_loop_is_that_of_the_inner_function(run):
    def inner(d):
        return d[0] + 1, d[1][:2]

    def outer(c, _):
        return lax.while_loop(lambda d: d[0] < 3, inner, (0, c))[1], None

    with says(TypeError, "while_loop of `", "inner`", "carry at `[1]` came in as f64[3] and went out as f64[2]"):
        run(lambda x: lax.scan(outer, x, None, length=3)[0])(X)


# --- checkpoint ---


def test_checkpoint_takes_static_arguments_by_name_and_position():
    def f(x, power, kind="sin"):
        return np.sum(getattr(np, kind)(x) ** power)

    g = xform.checkpoint(f, static_argnums=1, static_argnames="kind")
    for kind in ("sin", "cos"):
        wanted = xform.grad(f)(np.ones(2), 3, kind=kind)
        assert_same(xform.grad(g)(np.ones(2), 3, kind=kind), wanted, 1e-14)


@pytest.mark.parametrize(
    "options, error, words",
    [
        ({"static_argnums": 3}, ValueError, ("checkpoint of `square`", "static_argnums has 3", "1 positional")),
        ({"static_argnums": "x"}, TypeError, ("checkpoint of `square`", "static_argnums is 'x'", "integers")),
        ({"static_argnames": (1,)}, TypeError, ("checkpoint of `square`", "static_argnames is (1,)", "strings")),
        ({"policy": "dots"}, TypeError, ("checkpoint of `square`", "policy is 'dots'", "checkpoint_policies")),
    ],
)
def test_options_of_checkpoint(options, error, words):
    def square(x):
        return x * x

    square.__qualname__ = "square"
    with says(error, *words):
        xform.grad(xform.checkpoint(square, **options))(2.0)


def test_checkpoint_names_the_argument_and_the_result_that_are_no_arrays():
    with says(TypeError, "checkpoint of ", "for mode, str 'sum'", "wanted an array"):
        xform.grad(lambda x: xform.checkpoint(lambda x, mode: x)(x, "sum"))(1.0)
    with says(TypeError, "test_checkpoint_names", "its result['kind']", "wanted an array"):
        xform.grad(lambda x: xform.checkpoint(lambda x: {"kind": "sum", "value": x})(x)["value"])(1.0)
